"""
FIT: what a block of equal messages holds, as it is stored.

The data messages of one definition become a structured array; a field of it is a column with its "invalid" values
found. What the numbers mean is told elsewhere.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.fit_scan import Group

TIMESTAMP = 253
STRING = 0x07
NUMERIC_TYPES: Final[Mapping[int, tuple[str, float]]] = {
    0x00: ("u1", 0xFF),
    0x01: ("i1", 0x7F),
    0x02: ("u1", 0xFF),
    0x83: ("i2", 0x7FFF),
    0x84: ("u2", 0xFFFF),
    0x85: ("i4", 0x7FFFFFFF),
    0x86: ("u4", 0xFFFFFFFF),
    0x88: ("f4", math.nan),
    0x89: ("f8", math.nan),
    0x0A: ("u1", 0),
    0x8B: ("u2", 0),
    0x8C: ("u4", 0),
    0x8E: ("i8", 0x7FFFFFFFFFFFFFFF),
    0x8F: ("u8", 0xFFFFFFFFFFFFFFFF),
    0x90: ("u8", 0),
}
"""NumPy's letter and the value for "invalid", by FIT's number of the base type; all others are bytes."""

Array = NDArray[Any]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Column:
    """Values as stored, and which of them are known; an array has two axes, bytes are known as a whole or not."""

    values: Array
    is_known: Flags

    def where(self, is_meant: Flags) -> "Column":
        """Return the column with other rows unknown."""
        rows = is_meant if self.is_known.ndim == 1 else is_meant[:, np.newaxis]
        return Column(self.values, np.asarray(self.is_known & rows))

    def rows_known(self) -> Flags:
        """Say for each message whether all of its value is known."""
        return self.is_known if self.is_known.ndim == 1 else np.asarray(self.is_known.all(axis=1))


@dataclass(frozen=True, slots=True)
class Layout:
    """
    What a definition message says.

    Attributes:
        numbers: Of the fields, in the order of the definition.
        types: FIT's numbers of their base types.
        developer: (index of the developer, number of the field) of developer fields.
        dtype: Of a data message, its first byte included; fields are named f0, f1, …, developer fields d0, d1, …
    """

    numbers: tuple[int, ...]
    types: tuple[int, ...]
    developer: tuple[tuple[int, int], ...]
    dtype: np.dtype[np.void]


@lru_cache(maxsize=256)
def _layout(definition: bytes) -> Layout:
    order = ">" if definition[2] else "<"
    split = 6 + 3 * definition[5]
    fields, developer = definition[6:split], definition[split + 1 :]
    formats: dict[str, tuple[Any, int]] = {}
    position = 1
    for index, size in enumerate(fields[1::3]):
        formats[f"f{index}"] = _format(order, fields[3 * index + 2], size), position
        position += size
    for index, size in enumerate(developer[1::3]):
        formats[f"d{index}"] = ("u1", (size,)), position
        position += size
    return Layout(
        numbers=tuple(fields[0::3]),
        types=tuple(fields[2::3]),
        developer=tuple(zip(developer[2::3], developer[0::3], strict=True)),
        dtype=np.dtype(
            {
                "names": list(formats),
                "formats": [kind for kind, _ in formats.values()],
                "offsets": [offset for _, offset in formats.values()],
                "itemsize": position,
            }
        ),
    )


def _format(order: str, base_type: int, size: int) -> Any:
    """Return what NumPy calls a field of this type and size; a size that is no multiple makes it bytes."""
    if base_type == STRING:
        return f"S{size}" if size else ("u1", (0,))
    letter, _ = NUMERIC_TYPES.get(base_type, ("u1", 0))
    count, rest = divmod(size, np.dtype(letter).itemsize)
    if base_type not in NUMERIC_TYPES or rest:
        return ("u1", (size,))
    return order + letter if count == 1 else (order + letter, (count,))


class Block:
    """
    The data messages of one definition, in the order of the file.

    Attributes:
        number: FIT's global number of the message.
        positions: Where in the file each message begins.
        is_compressed: Whether the first byte carries five bits of time.
        header_times: Their times; filled in from the messages around them.
    """

    def __init__(self, content: bytes, group: Group) -> None:
        self.number = int.from_bytes(group.definition[3:5], "big" if group.definition[2] else "little")
        self.positions = group.positions
        self.is_compressed = group.is_compressed
        self.header_times: Column | None = None
        self._content = content
        self._definition = group.definition
        self._raw: dict[int, Column | None] = {}

    @property
    def layout(self) -> Layout:
        return _layout(self._definition)

    @cached_property
    def messages(self) -> NDArray[np.void]:
        """The messages as a structured array."""
        size = self.layout.dtype.itemsize
        starts = len(self._content) - size + 1
        windows = np.ndarray((starts,), dtype=f"V{size}", buffer=self._content, strides=(1,))
        return windows[self.positions].view(self.layout.dtype)

    def raw(self, number: int) -> Column | None:
        """Return the field of this number as it is stored; None when these messages do not have it."""
        if number not in self._raw:
            self._raw[number] = self._read(number)
        return self._raw[number]

    def _read(self, number: int) -> Column | None:
        layout = self.layout
        if number not in layout.numbers:
            return None
        index = len(layout.numbers) - 1 - layout.numbers[::-1].index(number)
        values = self.messages[f"f{index}"]
        return _known(values, layout.types[index]) if values.size else None

    def developer(self, index: int, number: int, base_type: int) -> Column | None:
        """Return what an app has added, as stored; None when these messages do not have it."""
        key = index, number
        if key not in self.layout.developer:
            return None
        octets = self.messages[f"d{self.layout.developer.index(key)}"]
        size = octets.shape[1]
        if not size:
            return None
        kind = np.dtype(_format(">" if self._definition[2] else "<", base_type, size))
        if kind.subdtype is None:
            return _known(np.ascontiguousarray(octets).view(kind)[:, 0], base_type)
        return _known(np.ascontiguousarray(octets).view(kind.base), base_type)

    def first_bytes(self) -> NDArray[np.uint8]:
        octets = np.frombuffer(self._content, dtype=np.uint8)
        return octets[self.positions]


def _known(values: Array, base_type: int) -> Column:
    """Say which values are known, and make floats and strings of what is one."""
    if values.dtype.kind == "S":
        texts = np.array([_text(octets) for octets in values.tolist()], dtype=object)
        return Column(texts, texts.astype(bool))
    letter, invalid = NUMERIC_TYPES.get(base_type, ("", 0xFF))
    if values.dtype.kind == "f":
        with np.errstate(all="ignore"):
            values = values.astype(np.float64)
        return Column(values, ~np.isnan(values))
    if values.dtype.str[1:] != letter:
        return Column(values, (values != 0xFF).any(axis=1))
    return Column(values, values != invalid)


def _text(octets: bytes) -> str:
    return octets.split(b"\0", 1)[0].decode("utf-8", "replace")


def fill_header_times(blocks: tuple[Block, ...]) -> None:
    """Make times of the five bits in first bytes, which count on from the last whole time."""
    positions, times, is_header = [], [], []
    for block in blocks:
        told = block.raw(TIMESTAMP)
        if told is not None and told.values.ndim == 1 and told.values.dtype.kind in "iu":
            positions.append(block.positions[told.is_known])
            times.append(told.values[told.is_known].astype(np.int64))
            is_header.append(np.zeros(len(times[-1]), dtype=bool))
        if block.is_compressed:
            positions.append(block.positions)
            times.append((block.first_bytes() & 0x1F).astype(np.int64))
            is_header.append(np.ones(len(times[-1]), dtype=bool))
    order = np.lexsort((np.concatenate(is_header), np.concatenate(positions)))
    keys, compressed = np.concatenate(positions)[order], np.concatenate(is_header)[order]
    unfolded = _unfolded(np.concatenate(times)[order], compressed)
    for block in blocks:
        if block.is_compressed:
            values = looked_up(block.positions, keys[compressed], unfolded[compressed])
            block.header_times = Column(values, np.ones(len(values), dtype=bool))


def _unfolded(times: NDArray[np.int64], is_header: Flags) -> NDArray[np.int64]:
    """Put five-bit times after the whole one before them, 32 seconds on wherever they fall."""
    low = times & 0x1F
    turns = np.cumsum(is_header & (np.diff(low, prepend=0) < 0))
    last_whole = np.maximum.accumulate(np.where(is_header, -1, np.arange(len(times))))
    is_after = last_whole >= 0
    base = np.where(is_after, times[last_whole] >> 5, 0)
    turns = turns - np.where(is_after, turns[last_whole], 0)
    return np.where(is_header, ((base + turns) << 5) + low, times)


def looked_up(wanted: Array, keys: Array, values: Array) -> Array:
    """Return the values of these keys, anything for those that are not there."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=np.int64)
    return np.asarray(values[np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)])
