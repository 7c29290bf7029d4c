"""
The same logs as JSON: a list of reports or exercises, or an object with `pain_reports` and `strength_sessions`.

An entry has the keys that a line of the CSV has columns, and goes the same way: numbers are not even parsed here, so that
one table says what is allowed in either.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ingest.logs import (
    LATEST_DATE,
    PAIN_COLUMNS,
    SCORES,
    STRENGTH_COLUMNS,
    Cells,
    LineProblem,
    LogError,
    LogResult,
    PainReport,
    StrengthSession,
    athlete_in,
    each_day_once,
    each_once,
    pain_row,
    shown,
    strength_row,
)

LISTS = ("pain_reports", "strength_sessions")
COLUMNS = {"pain_reports": PAIN_COLUMNS, "strength_sessions": STRENGTH_COLUMNS}
NEEDED = "An entry needs date and side (a pain report) or date and exercise (strength work)."
KINDS = f"This is no pain or strength log: it is neither a list of entries nor an object with {' or '.join(LISTS)}."
_BEGINNING = re.compile(
    r'\s*(?:\{.*"(?:pain_reports|strength_sessions)"|\[\s*\{.*"(?:side|exercise)")', re.DOTALL
)
_NAME = re.compile(r"(?:.*/)?(?:pain|strength)[^/]*\.json", re.IGNORECASE)


class _Object(NamedTuple):
    """An object as it was written, doubled keys included."""

    pairs: Sequence[tuple[str, Any]]


def is_log_json(head: str, name: str) -> bool:
    """Tell by how a text begins, or by its file's name where that says nothing, whether it is such a log."""
    return bool(_BEGINNING.match(head)) or (head.lstrip()[:1] in ("[", "{") and bool(_NAME.fullmatch(name)))


def read_log_json(
    text: str,
    *,
    source: str,
    default_athlete: str,
    zone_of: Callable[[str], ZoneInfo],
    known_athletes: frozenset[str] | None = None,
    latest: date = LATEST_DATE,
) -> LogResult[PainReport | StrengthSession]:
    """
    Read a log in JSON; arguments as of `read_pain_csv`. A wrong entry is named by its place and left out.

    Raises:
        LogError: It is no JSON, nested too deeply, or holds nothing that could be an entry.
    """

    def row_of(kind: str, cells: Cells) -> PainReport | StrengthSession:
        athlete = athlete_in(cells, default_athlete, known_athletes)
        if kind == "pain_reports":
            return pain_row(cells, athlete, zone_of(athlete), source, latest)
        return strength_row(cells, athlete, latest)

    rows: list[PainReport | StrengthSession] = []
    problems: list[LineProblem] = []
    strangers: dict[str, None] = {}
    for number, (place, named, entry) in enumerate(_entries(_parsed(text))):
        try:
            cells = _cells(entry)
            kind = named or _kind_of(cells)
            rows.append(row_of(kind, cells))
        except LogError as error:
            problems.append(LineProblem(number, str(error), place))
        else:
            strangers |= dict.fromkeys(key for key in cells if key not in COLUMNS[kind])
    reports = each_once(row for row in rows if isinstance(row, PainReport))
    sessions = each_day_once(row for row in rows if isinstance(row, StrengthSession))
    return LogResult(rows=(*reports, *sessions), problems=tuple(problems), unknown_columns=tuple(strangers))


def _parsed(text: str) -> Any:
    try:
        return json.loads(
            text.removeprefix("\ufeff"),
            object_pairs_hook=_Object,
            parse_int=str,
            parse_float=str,
            parse_constant=str,
        )
    except RecursionError:
        raise LogError("This JSON is nested too deeply to be a log.") from None
    except json.JSONDecodeError as error:
        raise LogError(
            f"This is no readable JSON: line {error.lineno}, column {error.colno}: {error.msg}."
        ) from None


def _entries(told: Any) -> Iterator[tuple[str, str | None, Any]]:
    """Yield each entry with its place, and what it is where the list that it stands in says so."""
    if isinstance(told, list):
        yield from ((f"[{place}]", None, entry) for place, entry in enumerate(told))
        return
    if not isinstance(told, _Object) or not {key for key, _ in told.pairs} & {*LISTS}:
        raise LogError(KINDS)
    for key, entries in told.pairs:
        if key in LISTS and not isinstance(entries, list):
            raise LogError(f"{key} is no list of entries.")
        if key in LISTS:
            yield from ((f"{key}[{place}]", key, entry) for place, entry in enumerate(entries))


def _kind_of(cells: Cells) -> str:
    if "exercise" in cells:
        return "strength_sessions"
    if "side" in cells or not {*SCORES}.isdisjoint(cells):
        return "pain_reports"
    raise LogError(NEEDED)


def _cells(entry: Any) -> Cells:
    """
    Return an entry as a line of the CSV would have it.

    Raises:
        LogError: It is no object, has a key twice, or a value that no cell could hold.
    """
    if not isinstance(entry, _Object):
        raise LogError(f"it is {_kind(entry)}; {NEEDED[:1].lower()}{NEEDED[1:]}")
    cells: dict[str, str] = {}
    for key, value in entry.pairs:
        name = _text(key).strip().lower()
        if name in cells:
            raise LogError(f"{shown(name)} is given twice; one value is allowed.")
        cells[name] = _cell(name, value)
    return cells


def _cell(name: str, value: Any) -> str:
    if isinstance(value, list) and name == "flags" and all(isinstance(one, str) for one in value):
        return ";".join(map(_text, value))
    if isinstance(value, list | _Object):
        raise LogError(f"{shown(name)} is {_kind(value)}; allowed is a single value.")
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else _text(value).strip()


def _text(value: str) -> str:
    """Return a text that can be stored: JSON may hold halves of letters, which neither a database nor a screen takes."""
    return value.encode(errors="replace").decode()


def _kind(value: Any) -> str:
    return {list: "a list", _Object: "an object", str: "a single value"}.get(type(value), "nothing of use")
