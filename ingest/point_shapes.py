"""
The shape of a point: what exporters write again and again, with other values, as a regular expression.

A shape is as right as the parser: what an element means is found out by parsing the first point with marks in
place of its values, and the expression matches nothing but well-formed points of the same elements.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

ReadPoint = Callable[[str], tuple[dict[str, str], bool]]
"""Parses one point: its text by column, empty if it is no single point, and whether a column came twice."""

Skeleton = tuple[str, ...]
"""The pieces of a point, with a mark for each value."""

_VALUE = re.compile(r"""((?<==")[^"'<>&]*(?=")|(?<==')[^"'<>&]*(?=')|(?<=>)[^<>&]*(?=<))""")
_SPACE = r"[ \t\r\n]*+"
_WORD = r"[!#-%(-;=?-~]++"  # printable ASCII without space, quotes, & < >
_MARK = "¶"  # no ASCII, so it stands in no such point
MOST_KNOWN = 500


@dataclass(frozen=True, slots=True)
class Shape:
    """
    Points with the same elements in the same order, some of them left out; values are single words of ASCII.

    Attributes:
        point: Matches one, with a group for each of the columns.
        points: The same again and again, and in its last group what follows them.
    """

    point: re.Pattern[str]
    points: re.Pattern[str]
    columns: tuple[str, ...]


def shape_of(point: bytes, read_point: ReadPoint, known: dict[Skeleton, Shape | None]) -> Shape | None:
    """
    Return the shape of a point; None if it is not one sound point with two values or more.

    Programs write all their files alike, so what was found out is kept in `known`, for the same reading of points.
    """
    if not point.isascii() or b"&" in point:
        return None
    pieces = _VALUE.split(point.decode("ascii"))  # values at odd places, a tag or a part of one between them
    skeleton = tuple(_MARK if place % 2 and piece.strip() else piece for place, piece in enumerate(pieces))
    if skeleton not in known:
        if len(known) >= MOST_KNOWN:
            known.clear()
        known[skeleton] = _shape_of(skeleton, read_point)
    return known[skeleton]


def _shape_of(pieces: Skeleton, read_point: ReadPoint) -> Shape | None:
    columns, has_repeats = _columns_of(pieces, read_point)
    if len(columns) < 2 or any(piece.count("<") > 1 for piece in pieces):
        return None
    is_fixed = has_repeats or not _is_plain(pieces)
    needed = None if is_fixed else [place for place in columns if columns[place] == "at"]
    one = _pattern(pieces, columns, needed)
    if one is None:
        return None
    return Shape(re.compile(one), re.compile(f"{one}|(.+)", re.DOTALL), tuple(columns.values()))


def _columns_of(pieces: Skeleton, read_point: ReadPoint) -> tuple[dict[int, str], bool]:
    """Return to which column the value at which place goes, and whether one stands for others of its column."""
    marked = [f"{_MARK}{place}" if piece == _MARK else piece for place, piece in enumerate(pieces)]
    row, has_repeats = read_point("".join(marked))
    if not all(text.startswith(_MARK) and text[1:].isdecimal() for text in row.values()):
        return {}, False
    return dict(sorted((int(text[1:]), column) for column, text in row.items())), has_repeats


def _is_plain(pieces: Sequence[str]) -> bool:
    """Tell whether no two elements begin alike and none has both text and children."""
    opening = [piece for piece in pieces[::2] if piece.startswith("<") and not piece.startswith("</")]
    texts = [
        (before, after)
        for before, value, after in zip(pieces[::2], pieces[1::2], pieces[2::2], strict=False)
        if value.strip() and before.endswith(">")
    ]
    return len(set(opening)) == len(opening) and all(
        not before.startswith("</") and not before.endswith("/>") and after.startswith("</")
        for before, after in texts
    )


def _pattern(pieces: Sequence[str], columns: Collection[int], needed: Collection[int] | None) -> str | None:
    """Return the expression of one point: elements within it may be missing, but not those around what is `needed`."""
    patterns, opened = [], []
    for place, piece in enumerate(pieces):
        if place % 2:
            patterns.append(_value_pattern(piece, pieces[place - 1], is_wanted=place in columns))
            continue
        if piece.startswith("<") and not piece.startswith("</"):
            opened.append(place)
            patterns.append("(?:")
        patterns.append(re.escape(piece))
        if piece.startswith("</") or piece.endswith("/>"):
            if not opened:
                return None
            is_needed = needed is None or any(opened[-1] < value < place for value in needed)
            is_needed = is_needed or len(opened) == 1
            patterns.append(")" if is_needed else ")?+")
            opened.pop()
    return None if opened else "".join([*patterns, _SPACE])


def _value_pattern(value: str, before: str, *, is_wanted: bool) -> str:
    if value.strip():
        return f"({_WORD})" if is_wanted else _WORD
    return _SPACE if before.endswith(">") else re.escape(value)
