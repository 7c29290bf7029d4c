"""The block decoder: whatever way a FIT file may be written, its values come out."""

import math
import struct
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.fit_crc import crc16
from ingest.fit_messages import Messages, read_messages
from ingest.fit_scan import MOST_DEFINITIONS
from sample_data import fit_writer

RECORD, EVENT, HRV, MADE_UP = 20, 21, 78, 0xFF00
ENUM, SINT8, UINT8, STRING, BYTE = 0x00, 0x01, 0x02, 0x07, 0x0D
UINT16, SINT32, UINT32, FLOAT32 = 0x84, 0x85, 0x86, 0x88
TIME = (253, 4, UINT32)
HEART_RATE = (3, 1, UINT8)
STAMP = 1_000_000_000

Field = tuple[int, int, int]


def define(
    number: int,
    *fields: Field,
    local: int = 0,
    big: bool = False,
    developer: Sequence[tuple[int, int, int]] | None = None,
) -> bytes:
    """Return a definition message of fields (number, size, base type), developer fields (number, size, index)."""
    head = 0x40 | local | (0x20 if developer is not None else 0)
    told = struct.pack(">BBBHB" if big else "<BBBHB", head, 0, int(big), number, len(fields))
    told += b"".join(bytes(field) for field in fields)
    if developer is not None:
        told += bytes([len(developer)]) + b"".join(bytes(field) for field in developer)
    return told


def data(layout: str, *values: float | bytes, head: int = 0) -> bytes:
    return bytes([head]) + struct.pack(layout, *values)


def file_of(
    *messages: bytes, header_bytes: int = 14, told_bytes: int | None = None, crc: bytes | None = None
) -> bytes:
    """Return a FIT file of these messages; its size and checksum are right unless given."""
    body = b"".join(messages)
    head = struct.pack(
        "<BBHI4s", header_bytes, 0x20, 2132, len(body) if told_bytes is None else told_bytes, b".FIT"
    )
    content = head + bytes(max(header_bytes, 12) - 12) + body
    return content + (struct.pack("<H", fit_writer.crc16(content)) if crc is None else crc)


def records(content: bytes, name: str) -> list[object]:
    return list(read_messages(content).table(RECORD).values(name))


def is_sound(messages: Messages) -> bool:
    return messages.stopped_by is None and messages.missing_bytes == 0 and not messages.has_wrong_crc


@pytest.mark.parametrize("big", [False, True])
def test_both_byte_orders_are_read(*, big: bool) -> None:
    """The definition says which one its messages have."""
    order = ">" if big else "<"
    fields = TIME, (0, 4, SINT32), (6, 2, UINT16), HEART_RATE

    content = file_of(
        define(RECORD, *fields, big=big),
        data(f"{order}IiHB", STAMP, -620756992, 3456, 150),
        data(f"{order}IiHB", STAMP + 1, 5, 1, 151),
    )

    assert records(content, "timestamp") == [STAMP, STAMP + 1]
    assert records(content, "position_lat") == [-620756992, 5]
    assert records(content, "speed") == [3.456, 0.001]
    assert records(content, "heart_rate") == [150, 151]


def test_every_base_type_has_its_own_invalid_value() -> None:
    """Unknown fields of an unknown message: each type once with a value and once with none."""
    types = [
        (0x00, "B", 7, 0xFF),
        (0x01, "b", -7, 0x7F),
        (0x02, "B", 7, 0xFF),
        (0x83, "h", -7, 0x7FFF),
        (0x84, "H", 7, 0xFFFF),
        (0x85, "i", -7, 0x7FFFFFFF),
        (0x86, "I", 7, 0xFFFFFFFF),
        (0x88, "f", 0.5, math.nan),
        (0x89, "d", 0.1, math.nan),
        (0x0A, "B", 7, 0),
        (0x8B, "H", 7, 0),
        (0x8C, "I", 7, 0),
        (0x8E, "q", -(2**60), 2**63 - 1),
        (0x8F, "Q", 2**63 + 1, 2**64 - 1),
        (0x90, "Q", 2**63 + 1, 0),
    ]
    fields = [(place, struct.calcsize(letter), base) for place, (base, letter, _, _) in enumerate(types)]
    layout = "<" + "".join(letter for _, letter, _, _ in types)

    content = file_of(
        define(MADE_UP, *fields),
        data(layout, *(value for *_, value, _ in types)),
        data(layout, *(invalid for *_, invalid in types)),
    )

    table = read_messages(content).table(MADE_UP)
    assert [table.values(f"unknown_{place}") for place in range(len(types))] == [
        [value, None] for *_, value, _ in types
    ]


def test_arrays_keep_what_is_known_of_them() -> None:
    """A value that is missing in an array leaves the others in their places."""
    content = file_of(define(HRV, (0, 6, UINT16)), data("<3H", 800, 0xFFFF, 1200))

    assert read_messages(content).table(HRV).values("time") == [(0.8, None, 1.2)]
    assert np.isnan(read_messages(content).table(HRV).numbers("time")).all()


def test_strings_end_at_their_zero_and_bad_ones_are_replaced() -> None:
    """Some watches forget the zero, some write half a letter, and an empty one says nothing."""
    texts = b"Mara\0xxx", b"no zero!", b"\xff\xfeab\0\0\0\0", bytes(8)

    content = file_of(define(0, (8, 8, STRING)), *(data("8s", text) for text in texts))

    assert read_messages(content).table(0).values("product_name") == ["Mara", "no zero!", "��ab", None]


def test_bytes_are_known_as_a_whole_or_not() -> None:
    """All 0xFF is nothing; a single 0xFF is a byte."""
    content = file_of(define(MADE_UP, (0, 2, BYTE)), data("2B", 0xFF, 1), data("2B", 0xFF, 0xFF))

    assert read_messages(content).table(MADE_UP).values("unknown_0") == [(0xFF, 1), None]


def test_a_size_that_is_no_multiple_of_its_type_makes_bytes_and_spoils_no_neighbour() -> None:
    """Coros writes such fields; the messages around them are sound."""
    content = file_of(define(RECORD, TIME, (5, 3, UINT32), HEART_RATE), data("<I3BB", STAMP, 1, 2, 3, 150))

    assert np.isnan(read_messages(content).table(RECORD).numbers("distance")).all()
    assert records(content, "heart_rate") == [150]


def test_a_field_of_no_size_is_not_there() -> None:
    """It takes no bytes and says nothing."""
    content = file_of(define(RECORD, (0, 0, UINT32), (8, 0, STRING), HEART_RATE), data("B", 150))

    assert records(content, "heart_rate") == [150]
    assert records(content, "position_lat") == [None]


def test_a_local_number_may_be_defined_again() -> None:
    """From there on it means something else; what came before stays what it was, and the order is that of the file."""
    content = file_of(
        define(RECORD, HEART_RATE),
        data("B", 150),
        define(RECORD, HEART_RATE, TIME, local=1),
        data("<BI", 151, STAMP, head=1),
        define(EVENT, (0, 1, ENUM)),
        data("B", 0),
        define(RECORD, HEART_RATE),
        data("B", 152),
        data("<BI", 153, STAMP, head=1),
    )

    assert records(content, "heart_rate") == [150, 151, 152, 153]
    assert read_messages(content).table(EVENT).values("event") == ["timer"]


def test_compressed_headers_count_on_from_the_last_whole_time() -> None:
    """Five bits: what is less than before is 32 seconds later; another message's time counts too."""
    base = STAMP - STAMP % 32 + 30
    content = file_of(
        define(RECORD, TIME, HEART_RATE),
        data("<IB", base, 100),
        define(RECORD, HEART_RATE, local=1),
        *(
            data("B", 101 + place, head=0x80 | 1 << 5 | (base + later) % 32)
            for place, later in enumerate((1, 5, 31, 33))
        ),
        define(EVENT, TIME, local=2),
        data("<I", base + 100, head=2),
        data("B", 110, head=0x80 | 1 << 5 | (base + 107) % 32),
    )

    times = [time - base for time in read_messages(content).table(RECORD).numbers("timestamp")]

    assert times == [0, 1, 5, 31, 33, 107]
    assert records(content, "heart_rate") == [100, 101, 102, 103, 104, 110]


def test_compressed_headers_without_any_whole_time_count_from_zero() -> None:
    """Nobody can say more; such times are below any date."""
    content = file_of(define(RECORD, HEART_RATE), *(data("B", 150, head=0x80 | five) for five in (3, 9, 2)))

    assert read_messages(content).table(RECORD).numbers("timestamp").tolist() == [3, 9, 34]


def developer_file(*, described: bool, scale: int = 0xFF) -> bytes:
    """Return records with a heart rate and a developer field of two bytes that bears its name."""
    described_fields = (
        define(206, (0, 1, UINT8), (1, 1, UINT8), (2, 1, UINT8), (3, 12, STRING), (6, 1, UINT8)),
        data("3B12sB", 0, 5, UINT16, b"heart_rate", scale),
    )
    return file_of(
        *(described_fields if described else ()),
        define(RECORD, HEART_RATE, local=1, developer=[(5, 2, 0)]),
        data("<BH", 150, 900, head=1),
        data("<BH", 0xFF, 0xFFFF, head=1),
    )


@pytest.mark.parametrize(("scale", "values"), [(0xFF, [900, None]), (10, [90.0, None])])
def test_developer_fields_are_columns_of_their_own(scale: int, values: list[float | None]) -> None:
    """They never stand in for the device's field, whatever their name, and their scale counts."""
    messages = read_messages(developer_file(described=True, scale=scale))

    [field] = messages.developer_fields()
    assert (field.index, field.number, field.name) == (0, 5, "heart_rate")
    assert messages.table(RECORD).developer_values(field) == values
    assert messages.table(RECORD).values("heart_rate") == [150, None]


def test_a_developer_field_without_a_description_costs_nothing() -> None:
    """fitparse loses the whole run."""
    messages = read_messages(developer_file(described=False))

    assert is_sound(messages)
    assert messages.table(RECORD).values("heart_rate") == [150, None]


def test_components_give_the_newer_field_unless_the_device_writes_it() -> None:
    """`speed` holds `enhanced_speed`; a value of its own comes first, message by message."""
    content = file_of(
        define(RECORD, (6, 2, UINT16), (73, 4, UINT32)),
        data("<HI", 3000, 3100),
        data("<HI", 3000, 0xFFFFFFFF),
    )

    assert records(content, "enhanced_speed") == [3.1, 3.0]


def test_compressed_speed_and_distance_add_up() -> None:
    """Twelve bits each, little end first: speed in 1/100 m/s, distance in 1/16 m which starts again every 256 m."""
    pairs = [(250, 4000), (300, 100), (0xFFF, 0xFFF), (350, 101)]
    packed = [speed | distance << 12 for speed, distance in pairs]

    content = file_of(
        define(RECORD, (8, 3, BYTE)), *(bytes([0]) + one.to_bytes(3, "little") for one in packed)
    )

    assert records(content, "distance") == [250.0, 256 + 6.25, None, 256 + 6.3125]
    assert records(content, "speed") == [2.5, 3.0, None, 3.5]


def test_a_null_component_hides_no_distance() -> None:
    """fitparse lets it overwrite the device's own."""
    content = file_of(define(RECORD, (5, 4, UINT32), (8, 3, BYTE)), data("<I3B", 1234, 255, 255, 255))

    assert records(content, "distance") == [12.34]


def test_subfields_depend_on_another_field() -> None:
    """An event's data are a trigger for the timer and a speed for the virtual partner."""
    content = file_of(
        define(EVENT, (0, 1, ENUM), (3, 4, UINT32)),
        data("<BI", 0, 1),
        data("<BI", 12, 2899),
        data("<BI", 8, 5),
    )

    table = read_messages(content).table(EVENT)

    assert table.values("timer_trigger") == ["auto", None, None]
    assert table.values("virtual_partner_speed") == [None, 2.899, None]
    assert table.values("data") == [None, None, 5]


@pytest.mark.parametrize("header_bytes", [12, 14, 20])
def test_headers_of_all_sizes_are_read(header_bytes: int) -> None:
    """12 and 14 are common; the format leaves room for more."""
    messages = read_messages(file_of(define(RECORD, HEART_RATE), data("B", 150), header_bytes=header_bytes))

    assert is_sound(messages)
    assert messages.table(RECORD).values("heart_rate") == [150]


@pytest.mark.parametrize("real_bytes", [12, 14])
def test_a_header_that_was_never_filled_in_is_read_to_the_end(real_bytes: int) -> None:
    """A watch that died leaves sizes of 0, and perhaps half a message."""
    content = bytearray(
        file_of(
            define(RECORD, HEART_RATE, TIME),
            data("<BI", 150, STAMP),
            data("<BI", 151, STAMP),
            header_bytes=real_bytes,
        )
    )
    content[0] = 0
    content[4:8] = bytes(4)

    whole, cut = read_messages(bytes(content[:-2])), read_messages(bytes(content[:-4]))

    assert whole.table(RECORD).values("heart_rate") == [150, 151]
    assert (whole.stopped_by, cut.stopped_by) == (None, "its last message is cut")
    assert cut.table(RECORD).values("heart_rate") == [150]


MESSAGES = define(RECORD, HEART_RATE, TIME), *(data("<BI", 100 + place, STAMP + place) for place in range(20))


@pytest.mark.parametrize("told_bytes", [40, 43, 0])
def test_a_size_that_is_too_small_loses_nothing(told_bytes: int) -> None:
    """Whether it falls between two messages or into one: what follows proves to be messages."""
    messages = read_messages(file_of(*MESSAGES, told_bytes=told_bytes))

    assert len(messages.table(RECORD)) == 20
    assert messages.stopped_by is None


def test_a_size_that_is_too_large_is_told() -> None:
    """All that is there is read."""
    messages = read_messages(file_of(*MESSAGES, told_bytes=10_000))

    assert len(messages.table(RECORD)) == 20
    assert messages.missing_bytes > 9_000


@pytest.mark.parametrize("trailing", [b"\0", bytes(10), b"\xff" * 10, b"\1\2\3\4\5\6\7\x08\t\n"])
@pytest.mark.parametrize("crc", [None, b"\x12\x34", b"\0\0"])
def test_bytes_after_the_end_are_no_messages(trailing: bytes, crc: bytes | None) -> None:
    """Some watches leave bytes behind the checksum, right or wrong."""
    messages = read_messages(file_of(*MESSAGES, crc=crc) + trailing)

    assert len(messages.table(RECORD)) == 20
    assert messages.stopped_by is None


@pytest.mark.parametrize(
    ("crc", "state"), [(None, "right"), (b"\x12\x34", "wrong"), (b"\0\0", "zero"), (b"", "absent")]
)
def test_the_checksum_is_right_wrong_zero_or_absent(crc: bytes | None, state: str) -> None:
    """Nothing of this keeps the messages from being read."""
    messages = read_messages(file_of(*MESSAGES, crc=crc))

    assert [part.crc for part in messages.parts] == [state]
    assert messages.has_wrong_crc is (state == "wrong")
    assert len(messages.table(RECORD)) == 20


def test_chained_files_are_one() -> None:
    """Each with definitions of its own; distances that add up start again."""
    first = file_of(define(RECORD, HEART_RATE), data("B", 150))
    second = file_of(define(RECORD, TIME, HEART_RATE, big=True), data(">IB", STAMP, 160), header_bytes=12)

    messages = read_messages(first + second)

    assert is_sound(messages)
    assert messages.table(RECORD).values("heart_rate") == [150, 160]
    assert messages.table(RECORD).values("timestamp") == [None, STAMP]


def test_a_long_chain_of_empty_files_is_read_in_no_time() -> None:
    """fitparse calls itself for each of them until Python gives up."""
    messages = read_messages(file_of() * 5000)

    assert (len(messages.parts), messages.numbers(), is_sound(messages)) == (5000, (), True)


def test_a_kind_that_was_not_defined_ends_the_reading() -> None:
    """What comes before it is kept."""
    messages = read_messages(file_of(*MESSAGES, b"\x05", *MESSAGES))

    assert messages.stopped_by is not None
    assert "not defined" in messages.stopped_by
    assert len(messages.table(RECORD)) == 20


def test_a_part_that_is_damaged_does_not_spoil_the_next() -> None:
    """The header says where the next file begins."""
    messages = read_messages(file_of(*MESSAGES, b"\x05") + file_of(*MESSAGES))

    assert messages.stopped_by is not None
    assert len(messages.table(RECORD)) == 40


def test_definitions_without_end_are_refused() -> None:
    """A real file has a few dozen."""
    many = [define(place, HEART_RATE) + data("B", 1) for place in range(MOST_DEFINITIONS + 5)]

    messages = read_messages(file_of(*MESSAGES, *many))

    assert messages.stopped_by is not None
    assert "more kinds" in messages.stopped_by
    assert len(messages.table(RECORD)) == 21


def test_a_cut_keeps_every_message_before_it() -> None:
    """At each byte of a file: all whole messages, never a half one, and the bytes that are missing are counted."""
    whole = file_of(*MESSAGES)
    ends = [14 + len(b"".join(MESSAGES[: count + 1])) for count in range(len(MESSAGES))]

    for size in range(14, len(whole)):
        messages = read_messages(whole[:size])
        there = sum(end <= size for end in ends[1:])
        assert messages.table(RECORD).values("heart_rate") == list(range(100, 100 + there))
        assert messages.missing_bytes == len(whole) - size


@pytest.mark.parametrize("size", [0, 1, 11, 12, 13, 14])
def test_less_than_a_header_is_nothing(size: int) -> None:
    """No message, and it says so."""
    messages = read_messages(file_of(*MESSAGES)[:size])

    assert messages.numbers() == ()
    assert messages.stopped_by is not None or messages.missing_bytes > 0


@given(st.binary(max_size=5000))
def test_the_folded_checksum_is_that_of_the_loop(content: bytes) -> None:
    """CRC-16/ARC, byte by byte and folded."""
    assert crc16(content) == fit_writer.crc16(content)


@pytest.mark.parametrize("size", [*range(256), 1000, 4095, 4096, 4097, 100_003])
def test_the_checksum_of_a_file_with_its_checksum_is_zero(size: int) -> None:
    """For all lengths around the steps of folding."""
    content = np.random.default_rng(size).bytes(size)

    assert crc16(content + struct.pack("<H", crc16(content))) == 0


WITH_ALL = file_of(
    *MESSAGES,
    define(EVENT, TIME, (0, 1, ENUM), (3, 4, UINT32), local=1),
    data("<IBI", STAMP, 0, 1, head=1),
    define(RECORD, (8, 3, BYTE), local=2),
    *(data("3B", place, 16, place * 7 % 256, head=0x80 | 2 << 5 | place) for place in range(12)),
    define(206, (0, 1, UINT8), (1, 1, UINT8), (2, 1, UINT8), (3, 12, STRING)),
    data("3B12s", 0, 5, FLOAT32, b"app"),
    define(RECORD, HEART_RATE, local=3, developer=[(5, 4, 0)]),
    data("<Bf", 150, 0.5, head=3),
)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, len(WITH_ALL) - 1), st.integers(0, 255)), max_size=8),
    st.integers(0, len(WITH_ALL)),
)
def test_all_columns_of_damaged_files_can_be_read(changes: list[tuple[int, int]], size: int) -> None:
    """Every value of every message, whatever the definitions have become."""
    damaged = bytearray(WITH_ALL)
    for position, value in changes:
        damaged[position] = value

    messages = read_messages(bytes(damaged[:size]))

    for number in messages.numbers():
        table = messages.table(number)
        for name in table.names():
            assert len(table.values(name)) == len(table.numbers(name)) == len(table)
        for field in messages.developer_fields():
            assert len(table.developer_values(field)) == len(table)


def test_messages_come_in_the_order_of_the_file() -> None:
    """Whatever definitions they have."""
    numbers = read_messages(WITH_ALL).table(RECORD).numbers("timestamp")

    known = numbers[~np.isnan(numbers)]
    assert all(earlier <= later for earlier, later in pairwise(known[:20]))
    assert len(read_messages(WITH_ALL).table(RECORD)) == 33
