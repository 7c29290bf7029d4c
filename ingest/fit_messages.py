"""
FIT: bytes to messages as columns, with the names, scales and units of the profile.

Everything happens to whole blocks of equal messages, and only when somebody asks: a field is read, scaled and named
for all messages at once. Names, types, scales, subfields and components are those of fitparse's profile.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from fitparse.profile import MESSAGE_TYPES
from numpy.typing import NDArray

from ingest.fit_blocks import TIMESTAMP, Array, Block, Column, fill_header_times, looked_up
from ingest.fit_scan import Part, find_messages

FIELD_DESCRIPTION = 206

Floats = NDArray[np.float64]
Value = int | float | str | tuple[int | float | None, ...]


def read_messages(content: bytes) -> "Messages":
    """Find all messages, those of chained files too, as far as the bytes make sense."""
    return Messages(content, find_messages(content))


# What a field means.


@dataclass(frozen=True, slots=True)
class Source:
    """
    One way to a value of some name: a field, a subfield of it, or some bits of it that the profile calls a component.

    Attributes:
        number: Of the field.
        field: The profile's entry; None when the profile does not know it.
        choice: Which subfield must apply: its index, -1 for none of them.
        component: The profile's entry of the component.
        target: The field whose value the component is, and which of its subfields must apply.
        meaning: What says how the value is named.
    """

    number: int
    field: Any = None
    choice: int = -1
    component: Any = None
    target: Any = None
    target_choice: int = -1
    meaning: Any = None

    @property
    def names(self) -> Mapping[int, str]:
        """Names of an enumeration's values."""
        return (self.meaning.type.values if self.meaning else None) or {}

    @property
    def scale_and_offset(self) -> tuple[float | None, float | None]:
        what = self.component or self.meaning
        return (what.scale, what.offset) if what else (None, None)


@cache
def _sources(message: int) -> Mapping[str, tuple[Source, ...]]:
    """Return the ways to each name; a component gives way to a field of its own."""
    profile = MESSAGE_TYPES.get(message)
    fields = profile.fields if profile else {}
    found: list[tuple[str, Source]] = []
    for field in fields.values():
        for choice, meaning in _variants(field):
            found.append((meaning.name, Source(field.def_num, field, choice, meaning=meaning)))
    for field, choice, part in _components(fields):
        target = fields[part.def_num]
        for target_choice, meaning in _variants(target):
            source = Source(field.def_num, field, choice, part, target, target_choice, meaning)
            found.append((meaning.name, source))
    names = dict.fromkeys(name for name, _ in found)
    return {name: tuple(source for other, source in found if other == name) for name in names}


def _variants(field: Any) -> Iterator[tuple[int, Any]]:
    yield -1, field
    yield from enumerate(field.subfields or ())


def _components(fields: Mapping[int, Any]) -> Iterator[tuple[Any, int, Any]]:
    for field in fields.values():
        for choice, meaning in _variants(field):
            for part in meaning.components or ():
                yield field, choice, part


def _choices(block: Block, field: Any) -> NDArray[np.int64]:
    """Return for each message which subfield applies, -1 for none: the first with a reference that matches."""
    chosen = np.full(len(block.positions), -1)
    for index, subfield in reversed(list(enumerate(field.subfields))):
        for reference in subfield.ref_fields:
            told = block.raw(reference.def_num)
            if told is not None and told.values.ndim == 1:
                chosen[told.is_known & (told.values == reference.raw_value)] = index
    return chosen


def _chosen(block: Block, column: Column, field: Any, choice: int) -> Column:
    if field is None or not field.subfields:
        return column
    return column.where(_choices(block, field) == choice)


def _bits(column: Column, component: Any) -> Column | None:
    """Return the component's bits; None when the field is too short for it."""
    values, mask = column.values, (1 << component.bits) - 1
    if values.ndim == 2:
        first, shift = divmod(component.bit_offset, 8)
        if first >= values.shape[1]:
            return None
        octets = values[:, first : first + 8].astype(np.uint64)
        places = np.arange(octets.shape[1], dtype=np.uint64) * np.uint64(8)
        whole = np.bitwise_or.reduce(octets << places, axis=1) >> np.uint64(shift)
        return Column((whole & np.uint64(mask)).astype(np.int64), column.rows_known())
    if values.dtype.kind in "iu":
        return Column(values.astype(np.int64) >> component.bit_offset & mask, column.is_known)
    return column


def _scaled(values: Array, source: Source) -> Array:
    scale, offset = source.scale_and_offset
    if values.dtype.kind == "O" or not (scale or offset):
        return values
    scaled = np.divide(values, scale, dtype=np.float64) if scale else values.astype(np.int64)
    return scaled - offset if offset else scaled


def _named(column: Column, source: Source) -> list[Value | None]:
    """Return values as fitparse gives them: scaled, enumerations by name, arrays as tuples, None for unknown ones."""
    values, names = _scaled(column.values, source), source.names
    told: list[Value]
    if values.ndim == 2 and column.is_known.ndim == 1:
        told = [tuple(row) for row in values.tolist()]
    elif values.ndim == 2:
        return [
            tuple(value if known else None for value, known in zip(row, flags, strict=True))
            for row, flags in zip(values.tolist(), column.is_known.tolist(), strict=True)
        ]
    else:
        told = values.tolist()
    if names and values.ndim == 1:
        told = [names.get(stored, value) for stored, value in zip(column.values.tolist(), told, strict=True)]
    return [value if known else None for value, known in zip(told, column.is_known.tolist(), strict=True)]


# The messages of one kind, as columns.


class Table:
    """All messages of one global number, in the order of the file."""

    def __init__(self, number: int, parts: tuple[tuple[Block, ...], ...]) -> None:
        self.number = number
        self._parts = tuple(tuple(block for block in blocks if block.number == number) for blocks in parts)
        self.blocks = tuple(block for blocks in self._parts for block in blocks)
        self._accumulated: dict[tuple[int, int, int], dict[Block, Column]] = {}

    def __len__(self) -> int:
        return sum(len(block.positions) for block in self.blocks)

    @cached_property
    def _order(self) -> NDArray[np.int64] | None:
        """How to bring rows of several blocks into the order of the file."""
        if len(self.blocks) < 2:
            return None
        return np.argsort(np.concatenate([block.positions for block in self.blocks]), kind="stable")

    def numbers(self, *names: str) -> Floats:
        """Return the first of these fields that is a number, scaled; NaN where none is."""
        if not self.blocks:
            return np.empty(0)
        columns = [self._block_numbers(block, names) for block in self.blocks]
        return columns[0] if self._order is None else np.concatenate(columns)[self._order]

    def _block_numbers(self, block: Block, names: tuple[str, ...]) -> Floats:
        result: Floats | None = None
        for name in names:
            for source, column in self._told(block, name):
                if column.values.ndim > 1 or column.values.dtype.kind == "O":
                    continue
                scaled = _scaled(column.values, source)
                values = scaled.astype(np.float64, copy=scaled is column.values)
                if column.is_known.all() and result is None:
                    return values
                values[~column.is_known] = np.nan
                if result is None:
                    result = values
                else:
                    np.copyto(result, values, where=np.isnan(result))
        return np.full(len(block.positions), np.nan) if result is None else result

    def values(self, name: str) -> list[Value | None]:
        """Return the field as fitparse would give it, None where it is unknown."""
        columns = [self._block_values(block, name) for block in self.blocks]
        together = [value for column in columns for value in column]
        return together if self._order is None else [together[row] for row in self._order.tolist()]

    def _block_values(self, block: Block, name: str) -> list[Value | None]:
        result: list[Value | None] = [None] * len(block.positions)
        for source, column in self._told(block, name):
            told = _named(column, source)
            result = [new if old is None else old for old, new in zip(result, told, strict=True)]
        return result

    def rows(self, *names: str) -> list[dict[str, Value]]:
        """Return for each message the fields that are known."""
        columns = {name: self.values(name) for name in names}
        return [
            {name: value for name, column in columns.items() if (value := column[row]) is not None}
            for row in range(len(self))
        ]

    def developer_values(self, field: "DeveloperField", *, scaled: bool = True) -> list[Value | None]:
        """Return what an app on the watch has added; never mixed with the device's own fields."""
        columns = [self._block_developer_values(block, field, scaled=scaled) for block in self.blocks]
        together = [value for column in columns for value in column]
        return together if self._order is None else [together[row] for row in self._order.tolist()]

    def _block_developer_values(
        self, block: Block, field: "DeveloperField", *, scaled: bool
    ) -> list[Value | None]:
        column = block.developer(field.index, field.number, field.base_type)
        if column is None:
            return [None] * len(block.positions)
        return _named(column, Source(field.number, component=field if scaled else None))

    def names(self) -> tuple[str, ...]:
        """Return the names that fields of these messages may have."""
        there = {number for block in self.blocks for number in block.layout.numbers}
        known = {
            name: sources
            for name, sources in _sources(self.number).items()
            if any(s.number in there for s in sources)
        }
        told = {source.number for sources in known.values() for source in sources}
        times = ["timestamp"] if any(block.header_times is not None for block in self.blocks) else []
        return tuple(
            dict.fromkeys([*known, *(f"unknown_{number}" for number in sorted(there - told)), *times])
        )

    def _told(self, block: Block, name: str) -> Iterator[tuple[Source, Column]]:
        """Yield what the block has of this name, the best first."""
        sources = _sources(self.number).get(name)
        if sources is None and name.startswith("unknown_"):
            sources = (Source(int(name.removeprefix("unknown_"))),)
        for source in sources or ():
            column = self._from_source(block, source)
            if column is not None:
                yield source, column
        if name == "timestamp" and block.header_times is not None:
            yield Source(TIMESTAMP), block.header_times

    def _from_source(self, block: Block, source: Source) -> Column | None:
        column = block.raw(source.number)
        if column is None:
            return None
        column = _chosen(block, column, source.field, source.choice)
        if source.component is None:
            return column
        if source.component.accumulate:
            bits = self._accumulate(source).get(block)
        else:
            bits = _bits(column, source.component)
        return None if bits is None else _chosen(block, bits, source.target, source.target_choice)

    def _accumulate(self, source: Source) -> dict[Block, Column]:
        """Return the component's values in all blocks, with what their few bits lost put back in."""
        key = source.number, source.choice, source.component.bit_offset
        if key not in self._accumulated:
            self._accumulated[key] = {}
            for blocks in self._parts:
                self._accumulated[key].update(_unrolled(blocks, source))
        return self._accumulated[key]


def _unrolled(blocks: tuple[Block, ...], source: Source) -> dict[Block, Column]:
    """
    Count up where a value is less than the one before it.

    A message may hold several steps of one counter; all of them count, the one asked for is returned.
    """
    meaning = source.field if source.choice < 0 else source.field.subfields[source.choice]
    steps = [
        part for part in meaning.components if part.accumulate and part.def_num == source.component.def_num
    ]
    found: list[tuple[Block, int, Column]] = []
    for block in blocks:
        stored = block.raw(source.number)
        if stored is not None and stored.values.dtype.kind in "iu":
            meant = _chosen(block, stored, source.field, source.choice)
            columns = [_bits(meant, step) for step in steps]
            found += [(block, place, column) for place, column in enumerate(columns) if column is not None]
    if not found:
        return {}
    keys = np.concatenate([block.positions[one.is_known] * len(steps) + place for block, place, one in found])
    values = np.concatenate([one.values[one.is_known] for _, _, one in found])
    order = np.argsort(keys)
    keys, values = keys[order], values[order]
    values = values + (np.cumsum(np.diff(values, prepend=0) < 0) << source.component.bits)
    return {
        block: Column(looked_up(block.positions * len(steps) + place, keys, values), one.is_known)
        for block, place, one in found
        if steps[place] is source.component
    }


# The whole.


@dataclass(frozen=True, slots=True)
class DeveloperField:
    """A field that an app on the watch has added, as it describes itself."""

    index: int
    number: int
    name: str
    base_type: int
    scale: float | None
    offset: float | None


class Messages:
    """All messages of a file, and what is wrong with it."""

    def __init__(self, content: bytes, parts: tuple[Part, ...]) -> None:
        self.parts = parts
        self._content = content
        self.stopped_by = next((part.stopped_by for part in parts if part.stopped_by), None)
        self.missing_bytes = sum(part.missing_bytes for part in parts)
        self.has_wrong_crc = any(part.crc == "wrong" for part in parts)
        self._blocks = tuple(tuple(Block(content, group) for group in part.groups) for part in parts)
        self._tables: dict[int, Table] = {}
        for blocks in self._blocks:
            if any(block.is_compressed for block in blocks):
                fill_header_times(blocks)

    def chained(self, *numbers: int) -> "list[Messages]":
        """Return the messages of each chained file that has any of these global numbers; all of them where only one has."""
        if len(self.parts) == 1:
            return [self]
        having = [
            part
            for part, blocks in zip(self.parts, self._blocks, strict=True)
            if any(block.number in numbers for block in blocks)
        ]
        return [Messages(self._content, (part,)) for part in having] if len(having) > 1 else [self]

    def table(self, number: int) -> Table:
        """Return the messages of this global number."""
        if number not in self._tables:
            self._tables[number] = Table(number, self._blocks)
        return self._tables[number]

    def developer_fields(self) -> tuple[DeveloperField, ...]:
        """Return what apps on the watch say about their fields; the last word on one counts."""
        table = self.table(FIELD_DESCRIPTION)
        keys = table.numbers("developer_data_index"), table.numbers("field_definition_number")
        types, scales, offsets = (table.numbers(name) for name in ("fit_base_type_id", "scale", "offset"))
        names = table.values("field_name")
        found = {
            (index, number): DeveloperField(
                int(index),
                int(number),
                str(name or f"unnamed_dev_field_{number:.0f}"),
                int(kind),
                _or_none(scale),
                _or_none(offset),
            )
            for index, number, name, kind, scale, offset in zip(
                *keys, names, types, scales, offsets, strict=True
            )
            if not math.isnan(index + number + kind)
        }
        return tuple(found.values())

    def numbers(self) -> tuple[int, ...]:
        """Return the global numbers there are messages of."""
        return tuple(sorted({block.number for blocks in self._blocks for block in blocks}))


def _or_none(number: float) -> float | None:
    return None if math.isnan(number) else number
