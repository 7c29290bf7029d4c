"""FIT files: what the device recorded, and nothing it did not."""

import json
import re
import struct
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from ingest.decode import decode
from ingest.errors import IngestError, NotAnActivityError
from ingest.fit import FIT_EPOCH, read_fit
from ingest.recording import RAW_SAMPLES, Recording
from kneewatch.cli import app
from sample_data import fit_writer
from sample_data.recording import record
from sample_data.story import Pause, Run
from store.home import Home

START = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)
STAMP = int((START - FIT_EPOCH).total_seconds())
RUN = Run(day=date(2026, 7, 1), km=0.3, rpe=6, feel=75)
SMALL_RUN = fit_writer.encode(record(RUN))

# Base type of FIT and letter of struct, by the name the profile uses.
TYPES = {
    "enum": (0x00, "B"),
    "sint8": (0x01, "b"),
    "uint8": (0x02, "B"),
    "string": (0x07, "16s"),
    "uint16": (0x84, "H"),
    "sint32": (0x85, "i"),
    "uint32": (0x86, "I"),
    "float32": (0x88, "f"),
}
NOTHING = {"uint8": 0xFF, "sint8": 0x7F, "uint16": 0xFFFF, "sint32": 0x7FFFFFFF, "uint32": 0xFFFFFFFF}
Field = tuple[int, str, float | bytes]

RECORD = 20
TIMER, START_EVENT, STOP, STOP_ALL = 0, 0, 1, 4
ALL_RECORD_FIELDS = {
    "lat_deg": (0, "sint32"),
    "lon_deg": (1, "sint32"),
    "altitude_m": (78, "uint32"),
    "hr_bpm": (3, "uint8"),
    "cadence_spm": (4, "uint8"),
    "distance_m": (5, "uint32"),
    "speed_m_per_s": (73, "uint32"),
    "power_w": (7, "uint16"),
    "temperature_c": (13, "sint8"),
    "vertical_oscillation_mm": (39, "uint16"),
    "stance_time_ms": (41, "uint16"),
    "stance_balance_pct": (84, "uint16"),
    "step_length_mm": (85, "uint16"),
}


def fit(*messages: bytes, kind: int = 4) -> bytes:
    """Return a FIT file of these messages behind a file_id of this type; 4 is an activity."""
    body = b"".join([message(0, (0, "enum", kind)), *messages])
    content = fit_writer.header(len(body)) + body
    return content + struct.pack("<H", fit_writer.crc16(content))


def message(number: int, *fields: Field, of_developer: tuple[int, int, int] | None = None) -> bytes:
    """Return a definition and its data message; `of_developer` is (field number, value, developer's index)."""
    head = 0x60 if of_developer else 0x40
    definition = struct.pack("<BBBHB", head, 0, 0, number, len(fields))
    data = b"\0"
    for place, kind, value in fields:
        base, letter = TYPES[kind]
        definition += struct.pack("BBB", place, struct.calcsize(letter), base)
        data += struct.pack(f"<{letter}", value)
    if of_developer:
        place, value, index = of_developer
        definition += struct.pack("BBBB", 1, place, 1, index)
        data += struct.pack("B", value)
    return definition + data


def sample(second: int, *fields: Field, of_developer: tuple[int, int, int] | None = None) -> bytes:
    return message(RECORD, (253, "uint32", STAMP + second), *fields, of_developer=of_developer)


def event(second: int, kind: int) -> bytes:
    return message(21, (253, "uint32", STAMP + second), (0, "enum", TIMER), (1, "enum", kind))


def session(start_s: int, timer_s: int, *fields: Field) -> bytes:
    return message(
        18,
        (2, "uint32", STAMP + start_s),
        (7, "uint32", timer_s * 1000),
        (8, "uint32", timer_s * 1000),
        (5, "enum", 1),
        *fields,
    )


def lap(start_s: int) -> bytes:
    return message(19, (2, "uint32", STAMP + start_s), (8, "uint32", 60_000), (9, "uint32", 20_000))


def activity(local_offset_s: int) -> bytes:
    return message(
        34, (253, "uint32", STAMP + 60), (5, "uint32", max(STAMP + 60 + local_offset_s, 0)), (1, "uint16", 1)
    )


def described_developer_field(name: bytes) -> bytes:
    """Return the messages that introduce developer field 0 of developer 0, a uint8 of this name."""
    developer = message(207, (3, "uint8", 0))
    return developer + message(
        206, (0, "uint8", 0), (1, "uint8", 0), (2, "uint8", 2), (3, "string", name), (8, "string", b"bpm")
    )


def seconds(recording: Recording) -> list[float]:
    return [(at - START).total_seconds() for at in recording.frame["at"]]


def test_a_whole_run_is_read_as_it_was_recorded() -> None:
    """Every sample, every value in SI units, the session's totals, laps, device and exertion."""
    written = record(replace(RUN, km=1.2, kind="long"))

    recording = read_fit(fit_writer.encode(written))

    samples = recording.frame
    assert written.position is not None
    assert written.dynamics is not None
    assert written.altitude_steps is not None
    assert dict(samples.schema) == RAW_SAMPLES
    assert len(written.elapsed_s) == samples.height
    assert (written.distance_cm / 100).tolist() == pytest.approx(samples["distance_m"].to_list())
    assert (written.speed_mm_per_s / 1000).tolist() == pytest.approx(samples["speed_m_per_s"].to_list())
    assert (written.altitude_steps / 5).tolist() == pytest.approx(samples["altitude_m"].to_list())
    assert written.hr_bpm.tolist() == samples["hr_bpm"].to_list()
    assert (written.dynamics.stance_time_tenth_ms / 10).tolist() == samples["stance_time_ms"].to_list()
    assert (written.dynamics.step_length_tenth_mm / 10).tolist() == samples["step_length_mm"].to_list()
    assert (written.position.lat_semicircles * 180 / 2**31).tolist() == pytest.approx(
        samples["lat_deg"].to_list()
    )
    [told] = recording.sessions
    assert ("running", None, written.started_at) == (told.sport, told.sub_sport, told.started_at)
    assert (told.distance_m, told.rpe, told.feel) == (1200.0, 6.0, 75.0)
    assert pytest.approx(recording.laps["distance_m"].to_list(), abs=4) == [1000.0, 200.0]
    assert (
        recording.device,
        recording.utc_offset_s,
        recording.missing,
    ) == ("development Sample watch", 7200, None)


def test_cadence_stays_that_of_one_leg_with_its_half_step() -> None:
    """The reader doubles nothing; `fractional_cadence` is in parts of 128."""
    recording = read_fit(fit(sample(0, (4, "uint8", 84), (53, "uint8", 64)), sample(1, (4, "uint8", 85))))

    assert recording.frame["cadence_spm"].to_list() == [84.5, 85.0]


def test_what_was_not_recorded_is_unknown() -> None:
    """FIT's invalid values and absent fields are None, never 0 and never 255."""
    nothing = [(place, kind, NOTHING[kind]) for place, kind in ALL_RECORD_FIELDS.values()]

    samples = read_fit(fit(sample(0, *nothing), sample(1))).frame

    known = [name for name in ALL_RECORD_FIELDS if samples[name].null_count() < 2]
    assert known == []


def test_a_zero_that_was_recorded_stays_one() -> None:
    """Standing still is a measurement."""
    samples = read_fit(fit(sample(0, (5, "uint32", 0), (73, "uint32", 0), (4, "uint8", 0)))).frame

    assert samples.select("distance_m", "speed_m_per_s", "cadence_spm").row(0) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("enhanced_first", [True, False])
def test_enhanced_fields_come_before_plain_ones(*, enhanced_first: bool) -> None:
    """The plain ones are older and coarser; in whatever order the device writes them."""
    fields: list[Field] = [
        (73, "uint32", 3100),
        (78, "uint32", (120 + 500) * 5),
        (6, "uint16", 3000),
        (2, "uint16", (110 + 500) * 5),
    ]

    samples = read_fit(fit(sample(0, *(fields if enhanced_first else fields[::-1])))).frame

    assert samples.select("speed_m_per_s", "altitude_m").row(0) == (3.1, 120.0)


def test_plain_fields_speak_where_enhanced_ones_do_not() -> None:
    """Old watches know no others."""
    samples = read_fit(fit(sample(0, (6, "uint16", 3000), (2, "uint16", (110 + 500) * 5)))).frame

    assert samples.select("speed_m_per_s", "altitude_m").row(0) == (3.0, 110.0)


def test_positions_are_degrees() -> None:
    """620756992 semicircles are 52.03125 degrees, and FIT's time begins 631065600 s after Unix's."""
    assert FIT_EPOCH.timestamp() == 631065600

    samples = read_fit(fit(sample(0, (0, "sint32", 620756992), (1, "sint32", -620756992)))).frame

    assert samples.select("lat_deg", "lon_deg").row(0) == (52.03125, -52.03125)


def test_a_developer_field_never_takes_the_devices_place() -> None:
    """It may bear the same name; where the device says nothing, nothing is known."""
    content = fit(
        described_developer_field(b"heart_rate"),
        sample(0, (3, "uint8", 150), of_developer=(0, 99, 0)),
        sample(1, of_developer=(0, 99, 0)),
    )

    assert read_fit(content).frame["hr_bpm"].to_list() == [150.0, None]


def test_a_developer_field_of_one_file_is_unknown_in_the_next() -> None:
    """A file that does not describe its own is read all the same, before and after one that does."""
    without = fit(sample(0, (3, "uint8", 150), of_developer=(0, 99, 0)))
    alone = read_fit(without).frame

    read_fit(fit(described_developer_field(b"stride"), sample(0, of_developer=(0, 99, 0))))

    assert_frame_equal(alone, read_fit(without).frame)
    assert alone["hr_bpm"].to_list() == [150.0]


def test_pauses_are_between_a_stop_of_the_timer_and_its_next_start() -> None:
    """A second stop changes nothing, and a stop that nothing follows is the end."""
    recording = read_fit(
        fit(
            event(0, START_EVENT),
            sample(10),
            event(10, STOP),
            event(12, STOP_ALL),
            event(40, START_EVENT),
            sample(41),
            event(60, STOP_ALL),
        )
    )

    assert ((START + timedelta(seconds=10), START + timedelta(seconds=40)),) == recording.pauses


def test_the_sample_encoders_pauses_are_found_again() -> None:
    """Index of the last sample and seconds, as written."""
    written = record(
        replace(RUN, pauses=(Pause(at_share=0.3, duration_s=25), Pause(at_share=0.6, duration_s=40)))
    )

    recording = read_fit(fit_writer.encode(written))

    assert [(start - stop).total_seconds() for stop, start in recording.pauses] == [25.0, 40.0]


def test_two_sessions_share_the_samples_by_their_starts() -> None:
    """In order of time, whatever the order in the file."""
    recording = read_fit(
        fit(
            *(sample(second) for second in (0, 30, 59, 100, 130)),
            lap(0),
            lap(100),
            session(100, 60),
            session(0, 60),
        )
    )

    assert [START, START + timedelta(seconds=100)] == [one.started_at for one in recording.sessions]
    assert recording.frame["session"].to_list() == [0, 0, 0, 1, 1]
    assert recording.laps.height == 2


@pytest.mark.parametrize(
    ("kind", "name"), [(6, "course"), (5, "workout"), (2, "settings"), (9, "weight"), (32, "monitoring b")]
)
def test_files_of_other_kinds_are_no_activities(kind: int, name: str) -> None:
    """A course has samples and looks like a run; nobody ran it."""
    with pytest.raises(NotAnActivityError, match=f"is a {name} file, not a recorded activity"):
        read_fit(fit(sample(0), sample(1), session(0, 60), kind=kind))


def test_an_unknown_kind_is_named_by_its_number() -> None:
    """Makers have kinds of their own."""
    with pytest.raises(NotAnActivityError, match="type 250"):
        read_fit(fit(sample(0), kind=250))


def test_a_clock_that_was_never_set_is_refused() -> None:
    """Seconds since power-on are no date."""
    power_on = 5000
    content = fit(message(RECORD, (253, "uint32", power_on), (3, "uint8", 120)))

    with pytest.raises(IngestError, match="clock was not set"):
        read_fit(content)


def test_samples_from_before_the_clock_was_set_are_left_out() -> None:
    """Some watches begin to record before they know the time."""
    content = fit(message(RECORD, (253, "uint32", 5000)), sample(0), sample(1))

    assert seconds(read_fit(content)) == [0.0, 1.0]


@pytest.mark.parametrize(
    ("rpe", "feel", "known"), [(60, 75, (6.0, 75.0)), (5, 0, (0.5, 0.0)), (255, 255, (None, None))]
)
def test_exertion_and_feel_are_those_of_the_session(
    rpe: int, feel: int, known: tuple[float | None, float | None]
) -> None:
    """Exertion is stored ten times as large; 255 is not said."""
    told = read_fit(fit(session(0, 60, (192, "uint8", feel), (193, "uint8", rpe)))).sessions[0]

    assert known == (told.rpe, told.feel)


def test_totals_below_zero_and_scores_beyond_their_scale_are_unknown() -> None:
    """A damaged definition can give them a sign or another meaning."""
    told = read_fit(
        fit(
            message(
                18,
                (2, "uint32", STAMP),
                (7, "uint32", 60_000),
                (9, "sint32", -500),
                (192, "uint8", 101),
                (193, "uint8", 200),
            )
        )
    ).sessions[0]

    assert (told.elapsed_s, told.distance_m, told.feel, told.rpe) == (60.0, None, None, None)


def test_steps_are_those_of_both_feet() -> None:
    """A session counts strides of one leg."""
    told = read_fit(fit(session(0, 60, (10, "uint32", 80)))).sessions[0]

    assert told.steps == 160


@pytest.mark.parametrize(
    ("offset_s", "known_s"),
    [
        (7200, 7200),
        (7193, 7200),
        (-12_600, -12_600),
        (20_700, 20_700),
        (0, 0),
        (-STAMP, None),
        (90_000, None),
    ],
)
def test_the_offset_of_local_time_is_rounded_to_a_quarter_of_an_hour(
    offset_s: int, known_s: int | None
) -> None:
    """Watches drift by seconds; a local time that is none, or days off, says nothing."""
    recording = read_fit(fit(sample(0), session(0, 60), activity(offset_s)))

    assert known_s == recording.utc_offset_s


def test_a_file_that_breaks_off_gives_what_was_recorded_before() -> None:
    """The samples up to the cut are those of the whole file, and the recording says that something is missing."""
    whole = read_fit(SMALL_RUN)

    part = read_fit(SMALL_RUN[: len(SMALL_RUN) * 6 // 10])

    assert part.missing is not None
    assert "breaks off" in part.missing
    assert whole.frame.height * 0.5 < part.frame.height < whole.frame.height
    assert_frame_equal(whole.frame.head(part.frame.height), part.frame)


def test_a_file_that_breaks_off_says_how_much_is_missing() -> None:
    """In bytes, in samples, and up to when."""
    whole = fit(*(sample(second) for second in range(100)))

    recording = read_fit(whole[:-200])

    size, there = len(whole), len(whole) - 200
    kept = recording.frame.height
    assert 80 < kept < 100
    assert (
        recording.missing
        == f"The file breaks off: {there:,} of {size:,} bytes are there, {kept} samples up to 16:01 UTC were taken in."
    )


def test_a_damaged_file_says_where() -> None:
    """A message that nobody defined: nothing behind it can be read."""
    recording = read_fit(fit(sample(0), sample(1), b"\x07", sample(2)))

    assert seconds(recording) == [0.0, 1.0]
    assert recording.missing is not None
    assert recording.missing.startswith("The file is damaged (byte ")
    assert recording.missing.endswith("2 samples up to 16:00 UTC were taken in.")


def test_a_wrong_checksum_is_a_finding() -> None:
    """All was read, but some of it is not what the watch wrote."""
    content = fit(sample(0), session(0, 60))

    assert read_fit(content).findings == ()
    assert read_fit(content[:-2] + b"\0\0").findings == ()
    assert "checksum" in read_fit(content[:-2] + b"\x12\x34").findings[0]


def test_a_file_that_the_watch_did_not_close_is_read() -> None:
    """It died: no size in the header, no checksum."""
    content = bytearray(fit(sample(0), sample(1)))
    content[0], content[4:8] = 0, bytes(4)

    assert seconds(read_fit(bytes(content[:-2]))) == [0.0, 1.0]


def test_chained_files_are_one_recording() -> None:
    """An activity behind settings, and two activities in one file."""
    first, second = fit(sample(0), session(0, 60)), fit(sample(100), session(100, 60))

    recording = read_fit(fit(kind=2) + first + second)

    assert seconds(recording) == [0.0, 100.0]
    assert recording.frame["session"].to_list() == [0, 1]


def test_samples_of_chained_files_stay_with_the_sessions_of_their_own_file() -> None:
    """Also where both say the same time, the later one comes first, or one has no session."""
    early, late = fit(sample(5), session(0, 60)), fit(sample(105), sample(106), session(100, 60))
    at_once = fit(sample(7), sample(8), session(0, 60))

    assert read_fit(late + early).frame["session"].to_list() == [1, 1, 0]
    assert read_fit(early + at_once).frame["session"].to_list() == [0, 1, 1]
    assert len(read_fit(early + fit(sample(200))).sessions) == 2


def test_a_chain_longer_than_any_race_is_refused() -> None:
    """Nobody does hundreds of sports in a row."""
    with pytest.raises(IngestError, match="201 sessions"):
        read_fit(fit(sample(0)) * 201)


def gpsbabel(*speeds_mm_per_s: int) -> bytes:
    """Return a course as GPSBabel writes it."""
    signed = message(0, (0, "enum", 6), (1, "uint16", 1), (2, "uint16", 1001))
    records = [sample(second, (6, "uint16", speed)) for second, speed in enumerate(speeds_mm_per_s)]
    body = b"".join([signed, *records])
    return fit_writer.header(len(body)) + body


def test_a_course_by_gpsbabel_is_an_activity_when_it_was_recorded() -> None:
    """The program writes every track as a course; for a planned one it makes up a single speed."""
    recording = read_fit(gpsbabel(1000, 890, 1100, 950))

    assert recording.frame.height == 4
    assert "course" in recording.findings[0]
    with pytest.raises(NotAnActivityError):
        read_fit(gpsbabel(2778, 2778, 2778, 2778))


def test_more_sessions_than_anybody_does_are_damage() -> None:
    """Each would become an activity."""
    told = session(0, 60)
    data = told[-(len(told) - 6 - 3 * told[5]) :]

    with pytest.raises(IngestError, match="1,001 sessions"):
        read_fit(fit(sample(0), told, data * 1000))


def test_every_cut_is_told() -> None:
    """Wherever a file ends too early it is refused, or its recording says that something is missing."""
    results = [outcome_of(SMALL_RUN[:size]) for size in range(0, len(SMALL_RUN) - 2, 11)]

    samples = [result.frame.height for result in results if isinstance(result, Recording)]
    silent = [result for result in results if isinstance(result, Recording) and result.missing is None]
    assert sorted(samples) == samples
    assert read_fit(SMALL_RUN).frame.height == samples[-1]
    assert silent == []


def test_a_file_without_a_session_says_so() -> None:
    """The watch died before it wrote the summary."""
    recording = read_fit(fit(sample(0), sample(1)))

    assert (
        recording.missing
        == "The file has no summary, so the watch did not finish it; the samples were taken in."
    )


def test_a_session_without_samples_is_a_recording() -> None:
    """Old watches store only the totals."""
    recording = read_fit(fit(session(0, 1800, (9, "uint32", 500_000))))

    assert recording.frame.is_empty()
    assert (
        recording.sessions[0].started_at,
        recording.sessions[0].timer_s,
        recording.sessions[0].distance_m,
    ) == (START, 1800.0, 5000.0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "nothing in it can be read"),
        (fit_writer.header(1000), "nothing in it can be read"),
        (SMALL_RUN[:40], "nothing in it can be read"),
        (fit_writer.header(400) + bytes(range(1, 201)) * 2, "nothing in it can be read"),
        (b"a shopping list, not a run", "nothing in it can be read"),
        (fit(), "holds no samples and no session"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(content: bytes, said: str) -> None:
    """Nothing usable is no recording."""
    with pytest.raises(IngestError, match=said) as refusal:
        read_fit(content)

    assert str(refusal.value).endswith(".")


def test_numbers_that_are_none_are_unknown() -> None:
    """A damaged definition can turn a field into a float that is infinite or not a number."""
    samples = read_fit(
        fit(sample(0, (3, "float32", float("nan")), (7, "float32", float("inf")), (5, "uint32", 100)))
    ).frame

    assert samples.select("hr_bpm", "power_w", "distance_m").row(0) == (None, None, 1.0)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=600))
@example(b"\x0e\x20\xed\x03\0\0\0\0.FIT\0\0")
def test_any_bytes_are_a_recording_or_a_refusal(content: bytes) -> None:
    """Nothing else comes out of the reader."""
    assert is_recording_or_refusal(content)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, len(SMALL_RUN) - 1), st.integers(0, 255)), min_size=1, max_size=12),
    st.integers(0, len(SMALL_RUN)),
    st.binary(max_size=3),
)
def test_a_damaged_run_is_a_recording_or_a_refusal(
    changes: list[tuple[int, int]], place: int, inserted: bytes
) -> None:
    """Flipped and inserted bytes anywhere: definitions, sizes, samples."""
    damaged = bytearray(SMALL_RUN)
    for position, value in changes:
        damaged[position] = value

    assert is_recording_or_refusal(bytes(damaged[:place]) + inserted + bytes(damaged[place:]))


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_definitions_are_a_recording_or_a_refusal(changes: list[tuple[int, int]]) -> None:
    """The first bytes say how all others are to be read."""
    damaged = bytearray(SMALL_RUN)
    for position, value in changes:
        damaged[position] = value

    assert is_recording_or_refusal(bytes(damaged))


def is_recording_or_refusal(content: bytes) -> bool:
    try:
        recording = decode("fit", content)
    except IngestError as refusal:
        return str(refusal).endswith(".")
    numbers = recording.frame.select(pl.col(pl.Float64))
    are_finite = numbers.select(pl.all().is_finite().fill_null(value=True).all()).row(0)
    return len(recording.sessions) > 0 and all(are_finite)


def outcome_of(content: bytes) -> Recording | str:
    try:
        return read_fit(content)
    except IngestError as refusal:
        return str(refusal)


def test_exertion_and_feel_reach_the_runner(home: Home, tmp_path: Path) -> None:
    """From the watch's session (0 to 100) to what the command shows, exertion as 0 to 10; session-RPE follows from it."""
    (tmp_path / "run.fit").write_bytes(SMALL_RUN)

    def kneewatch(*words: str) -> str:
        done = CliRunner().invoke(app, [*words, "--home", str(home.root)])
        assert done.exit_code == 0, done.output
        return done.stdout

    kneewatch("ingest", str(tmp_path / "run.fit"))
    [run] = json.loads(kneewatch("activities", "list", "--json"))
    shown = json.loads(kneewatch("activities", "show", run["activity_id"], "--json"))
    as_text = kneewatch("activities", "show", run["activity_id"])

    assert (shown["rpe"], shown["feel"]) == (6.0, 75.0)
    assert shown["srpe"] == pytest.approx(6.0 * shown["timer_s"] / 60)
    assert re.search(r"feel\s+75", as_text)
