"""
FIT: where the messages of a file are.

A FIT file is a row of short messages. A definition message says how the data messages of its local number are laid
out, so all data messages of one definition have one size, and one pass needs no more than the first byte of each to
note its place and to step to the next.
"""

from array import array
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ingest.fit_crc import crc16

DEFINITION, DEVELOPER_FIELDS, COMPRESSED = 0x40, 0x20, 0x80
"""Bits of a message's first byte."""
CUT = "its last message is cut"
MOST_DEFINITIONS = 4096
"""Real files have a few dozen; the bound is for files made to fill the memory."""

CrcState = Literal["right", "wrong", "zero", "absent"]


@dataclass(frozen=True, slots=True)
class Group:
    """
    The data messages of one definition.

    Attributes:
        definition: The bytes of the definition message, without the local number.
        positions: Where in the file each data message begins.
        is_compressed: Whether the first byte of each carries five bits of time.
    """

    definition: bytes
    positions: NDArray[np.int64]
    is_compressed: bool


@dataclass(frozen=True, slots=True)
class Part:
    """
    One FIT file of a chain, usually the only one.

    Attributes:
        groups: The data messages, by definition.
        stopped_by: Why reading ended before the end of the file.
        missing_bytes: How many bytes the header promises and the file does not hold.
        next_start: Where the next file of the chain begins.
    """

    groups: tuple[Group, ...] = ()
    stopped_by: str | None = None
    missing_bytes: int = 0
    crc: CrcState = "absent"
    next_start: int | None = None


def find_messages(content: bytes) -> tuple[Part, ...]:
    """Find all messages, those of chained files too, as far as the bytes make sense."""
    parts = [_read_part(content, 0)]
    while (start := parts[-1].next_start) is not None:
        parts.append(_read_part(content, start))
    return tuple(parts)


def _read_part(content: bytes, start: int) -> Part:
    if content[start + 8 : start + 12] != b".FIT":
        return Part(stopped_by="it does not begin as a FIT file does")
    begin, told_end = _extent(content, start)
    scan = _Scan(content, begin)
    if told_end is None:
        scan.run_to(_end_without_crc(content, start))
        return Part(scan.groups(), None if scan.is_done_but_for(2) else scan.stopped_by)
    scan.run_to(min(told_end, len(content)))
    crc = _crc_state(content, start, told_end)
    has_next = content[told_end + 10 : told_end + 14] == b".FIT"
    if crc == "wrong" and not has_next and len(content) > told_end + 2:
        scan.try_to(_end_without_crc(content, start))
    return Part(
        scan.groups(),
        scan.stopped_by,
        max(told_end + 2 - len(content), 0),
        crc,
        told_end + 2 if has_next else None,
    )


def _extent(content: bytes, start: int) -> tuple[int, int | None]:
    """Return where messages begin and end by the header; a watch that died left no end and perhaps no beginning."""
    header_bytes, data_bytes = content[start], int.from_bytes(content[start + 4 : start + 8], "little")
    if header_bytes < 12:
        header_bytes = 14 if content[start + 14 : start + 16] in (b"\x40\0", b"\x60\0") else 12
    begin = start + header_bytes
    is_empty = len(content) <= begin + 2 or content[begin + 10 : begin + 14] == b".FIT"
    return begin, begin + data_bytes if data_bytes or is_empty else None


def _end_without_crc(content: bytes, start: int) -> int:
    return len(content) - 2 if crc16(memoryview(content)[start:]) == 0 else len(content)


def _crc_state(content: bytes, start: int, end: int) -> CrcState:
    told = content[end : end + 2]
    if len(told) < 2:
        return "absent"
    if told == b"\0\0":
        return "zero"
    return "right" if crc16(memoryview(content)[start : end + 2]) == 0 else "wrong"


class _Scan:
    """One pass over the first bytes of messages: which definition each one has, and where it is."""

    def __init__(self, content: bytes, position: int) -> None:
        self.content = content
        self.position = position
        self.end = position
        self.stopped_by: str | None = None
        self._places: dict[tuple[bytes, bool], array[int]] = {}
        self._kinds: list[tuple[int, array[int]] | None] = [None] * 256

    def run_to(self, end: int) -> None:
        """Note the place of every message that ends by then."""
        content, kinds, position = self.content, self._kinds, self.position
        self.end, self.stopped_by, kind = end, None, None
        while position < end:
            kind = kinds[content[position]]
            if kind is not None:
                size, places = kind
                places.append(position)
                position += size
            elif content[position] & (COMPRESSED | DEFINITION) == DEFINITION:
                after = self._define(position)
                if after is None:
                    break
                position = after
            else:
                self.stopped_by = f"byte {position:,} begins a message of a kind that was not defined"
                break
        if position > end:
            self.stopped_by = CUT
            if kind is not None:
                position = places.pop()
        self.position = position

    def try_to(self, end: int) -> None:
        """Go on beyond the end that was told, if what stands there proves to be messages."""
        before = self.position, self.end, self.stopped_by
        counts = {key: len(places) for key, places in self._places.items()}
        self.run_to(end)
        if self.stopped_by and not self.is_done_but_for(2):
            self.position, self.end, self.stopped_by = before
            for key, places in self._places.items():
                del places[counts.get(key, 0) :]

    def is_done_but_for(self, spare_bytes: int) -> bool:
        return self.end - self.position <= spare_bytes

    def groups(self) -> tuple[Group, ...]:
        return tuple(
            Group(definition, np.frombuffer(places, dtype=np.int64), is_compressed)
            for (definition, is_compressed), places in self._places.items()
            if places
        )

    def _define(self, position: int) -> int | None:
        """Take in the definition message at this position; return the position after it."""
        definition = _definition_at(self.content, position, self.end)
        if definition is None:
            self.stopped_by = CUT
            return None
        if len(self._places) >= 2 * MOST_DEFINITIONS:
            self.stopped_by = "it defines more kinds of messages than any watch does"
            return None
        local = self.content[position] & 0x0F
        size = _message_bytes(definition)
        self._kinds[local] = size, self._places.setdefault((definition, False), array("q"))
        compressed = size, self._places.setdefault((definition, True), array("q"))
        if local < 4:
            first = COMPRESSED | local << 5
            self._kinds[first : first + 32] = [compressed] * 32
        return position + len(definition)


def _definition_at(content: bytes, position: int, end: int) -> bytes | None:
    """Return the bytes of a definition message without its local number; None when they are not all there."""
    after = position + 6
    if after <= end:
        after += 3 * content[after - 1]
        if content[position] & DEVELOPER_FIELDS:
            after += 1
            if after <= end:
                after += 3 * content[after - 1]
    return bytes((content[position] & 0xF0,)) + content[position + 1 : after] if after <= end else None


def _message_bytes(definition: bytes) -> int:
    """Return the size of a data message with its first byte."""
    developer = 6 + 3 * definition[5]
    return 1 + sum(definition[7:developer:3]) + sum(definition[developer + 2 :: 3])
