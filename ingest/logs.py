"""The logs a person writes: pain.csv and strength.csv, and the same reports given one at a time."""

import csv
import hashlib
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time
from itertools import zip_longest
from typing import Generic, Literal, TypeVar, get_args
from zoneinfo import ZoneInfo

from store.errors import WrongUseError

Side = Literal["left", "right", "both"]
Site = Literal["kneecap", "below_kneecap", "outer", "inner", "back", "whole"]
Flag = Literal[
    "swelling",
    "locking",
    "giving_way",
    "cannot_bear_weight",
    "deformity",
    "hot_red_fever",
    "night_or_rest_pain",
    "trauma_pop",
    "numbness",
    "hyperextension",
]
SIDES: tuple[Side, ...] = get_args(Side)
SITES: tuple[Site, ...] = get_args(Site)
FLAGS: tuple[Flag, ...] = get_args(Flag)
SCORES = ("before", "during", "after_60min", "next_morning")
PAIN_COLUMNS = (
    *("date", "time", "athlete", "side", "site"),
    *SCORES,
    *("flags", "changed_gait", "muscle_soreness", "note"),
)
EDITABLE = ("site", *SCORES, "flags", "changed_gait", "muscle_soreness", "note")
"""What can be corrected in a pain report."""
STRENGTH_COLUMNS = (
    *("date", "athlete", "exercise", "sets", "reps", "load_kg"),
    *("duration_min", "rpe", "pain_during", "note"),
)

EARLIEST_DATE = date(1990, 1, 1)
LATEST_DATE = date(2099, 12, 31)
END_OF_DAY = time(23, 59)
MAX_SCORE = 10
MAX_COUNT = 1000  # sets or repetitions of one exercise
MAX_LOAD_KG = 1000
MAX_MINUTES = 600  # of one day's strength work

_SCORE = f"a score is a number from 0 to {MAX_SCORE}"
_LOAD = f"a load is a number of kilograms from 0 to {MAX_LOAD_KG}"
_MINUTES = f"a duration is a number of minutes from 0 to {MAX_MINUTES}"
_COUNT = f"allowed is a whole number from 1 to {MAX_COUNT}"
_DELIMITERS = (",", ";", "\t")
_NUMBER = re.compile(r"[0-9]{1,6}(?:[.,][0-9]{1,6})?")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
_WHOLE = re.compile(r"[0-9]{1,6}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?")
_YES_NO = dict.fromkeys(("yes", "y", "true", "1"), True) | dict.fromkeys(("no", "n", "false", "0"), False)
_SHOWN_CHARS = 40
_HEADER_CHARS = 100_000  # a longer first line is no header, and the file may be large and no log at all

Row = TypeVar("Row")
Cells = Mapping[str, str]


class LogError(WrongUseError):
    """A log or one report in it cannot be used. Its text says what is wrong and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PainReport:
    """What a runner said about a knee; scores are 0 to 10, None and no flags mean not reported."""

    report_id: str
    athlete: str
    reported_at: datetime
    local_date: date
    side: str
    site: str | None = None
    before: float | None = None
    during: float | None = None
    after_60min: float | None = None
    next_morning: float | None = None
    flags: tuple[str, ...] = ()
    changed_gait: bool | None = None
    muscle_soreness: float | None = None
    note: str | None = None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """One line of a strength session; None is unknown."""

    name: str
    sets: int | None = None
    reps: int | None = None
    load_kg: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StrengthSession:
    """All strength work of one athlete on one day; `rpe` and `pain_during` are 0 to 10, `duration_s` is that of the day."""

    session_id: str
    athlete: str
    local_date: date
    exercises: tuple[Exercise, ...]
    duration_s: float | None = None
    rpe: float | None = None
    pain_during: float | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class LineProblem:
    """
    Why a line was left out; the header is line 1. As text it reads "line 4: during is 12; …".

    `entry` is its place where the log is none of lines: "pain_reports[3]".
    """

    line: int
    sentence: str
    entry: str | None = None

    def __str__(self) -> str:
        return f"{self.entry or f'line {self.line}'}: {self.sentence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogResult(Generic[Row]):
    """What a log held: the good rows, what was wrong with the others, and the columns nobody knows."""

    rows: tuple[Row, ...]
    problems: tuple[LineProblem, ...] = ()
    unknown_columns: tuple[str, ...] = ()


def decode_text(data: bytes) -> str:
    """Return the text of a file as spreadsheets save it: UTF-8, UTF-16 with its mark, else Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def is_pain_csv(header: Sequence[str]) -> bool:
    """Tell whether these column names are those of a pain log."""
    names = _normal(header)
    return {"date", "side"} <= set(names) and not set(SCORES).isdisjoint(names)


def is_strength_csv(header: Sequence[str]) -> bool:
    """Tell whether these column names are those of a strength log."""
    return {"date", "exercise"} <= set(_normal(header))


def kind_of_csv(text: str) -> Literal["pain_csv", "strength_csv"] | None:
    """Tell by its header which log a text is, if any."""
    header = _split(_first_line(text), _delimiter(text, (*PAIN_COLUMNS, *STRENGTH_COLUMNS)))
    if is_pain_csv(header):
        return "pain_csv"
    return "strength_csv" if is_strength_csv(header) else None


def read_pain_csv(
    text: str,
    *,
    source: str,
    default_athlete: str,
    zone_of: Callable[[str], ZoneInfo],
    known_athletes: frozenset[str] | None = None,
    latest: date = LATEST_DATE,
) -> LogResult[PainReport]:
    """
    Read a pain log: one report for each athlete, day, time and side, later lines completing earlier ones.

    Args:
        text: The whole file.
        source: Name of the file, kept with each report.
        default_athlete: Whose line it is when it names nobody.
        zone_of: Time zone of an athlete; asked for athletes in `known_athletes` only, when these are given.
        known_athletes: Keys that may stand in `athlete`; None lets all pass.
        latest: Last day a report may speak of.

    Raises:
        LogError: The header is not that of a pain log.
    """
    if kind_of_csv(text) != "pain_csv":
        raise LogError(f"This is no pain log: its header needs date, side and one of {', '.join(SCORES)}.")

    def report_of(cells: Cells) -> PainReport:
        athlete = athlete_in(cells, default_athlete, known_athletes)
        return pain_row(cells, athlete, zone_of(athlete), source, latest)

    lines = read_lines(text, PAIN_COLUMNS, report_of)
    return replace(lines, rows=each_once(lines.rows))


def read_strength_csv(
    text: str,
    *,
    default_athlete: str,
    known_athletes: frozenset[str] | None = None,
    latest: date = LATEST_DATE,
) -> LogResult[StrengthSession]:
    """
    Read a strength log: one session for each athlete and day, holding all lines of that day.

    Of several values of `duration_min`, `rpe` or `pain_during` the highest counts, because each line of a day may
    repeat them; different notes stand one below the other.

    Raises:
        LogError: The header is not that of a strength log.
    """
    if kind_of_csv(text) != "strength_csv":
        raise LogError("This is no strength log: its header needs date and exercise.")

    def session_of(cells: Cells) -> StrengthSession:
        return strength_row(cells, athlete_in(cells, default_athlete, known_athletes), latest)

    lines = read_lines(text, STRENGTH_COLUMNS, session_of)
    return replace(lines, rows=each_day_once(lines.rows))


def each_once(reports: Iterable[PainReport]) -> tuple[PainReport, ...]:
    """Return the reports of a log, each completed by the later ones of the same athlete, day, time and side."""
    found: dict[str, PainReport] = {}
    for report in reports:
        earlier = found.get(report.report_id)
        found[report.report_id] = completed(earlier, report) if earlier else report
    return tuple(found.values())


def each_day_once(sessions: Iterable[StrengthSession]) -> tuple[StrengthSession, ...]:
    """Return the sessions of a log, one for each athlete and day."""
    found: dict[str, StrengthSession] = {}
    for session in sessions:
        earlier = found.get(session.session_id)
        found[session.session_id] = together(earlier, session) if earlier else session
    return tuple(found.values())


def together(earlier: StrengthSession, later: StrengthSession) -> StrengthSession:
    """Return what two entries of one day say together: all exercises, the higher numbers, both notes."""
    notes = dict.fromkeys(note for note in (earlier.note, later.note) if note)
    return replace(
        earlier,
        exercises=earlier.exercises + later.exercises,
        duration_s=_highest(earlier.duration_s, later.duration_s),
        rpe=_highest(earlier.rpe, later.rpe),
        pain_during=_highest(earlier.pain_during, later.pain_during),
        note="\n".join(notes) or None,
    )


def pain_report(
    *,
    athlete: str,
    zone: ZoneInfo,
    on: date,
    at: time | None = None,
    side: str,
    site: str | None = None,
    before: float | None = None,
    during: float | None = None,
    after_60min: float | None = None,
    next_morning: float | None = None,
    flags: Iterable[str] = (),
    changed_gait: bool | None = None,
    muscle_soreness: float | None = None,
    note: str | None = None,
    source: str,
    latest: date = LATEST_DATE,
) -> PainReport:
    """
    Make a report of knee pain on the day `on`, at the local time `at` or else at the end of that day.

    Raises:
        LogError: A value is not allowed, or the report says nothing.
    """
    scores = (before, during, after_60min, next_morning)
    for name, score in zip((*SCORES, "muscle_soreness"), (*scores, muscle_soreness), strict=True):
        check_within(name, score, MAX_SCORE, _SCORE)
    _check_day(on, latest)
    chosen = {one_of("flags", flag, FLAGS) for flag in flags}
    if not chosen and all(said is None for said in (*scores, changed_gait, muscle_soreness)):
        raise LogError("the report says nothing; give a score, a flag, changed_gait or muscle_soreness.")
    knee = one_of("side", side, SIDES)
    return PainReport(
        report_id=_hash_of(athlete, on.isoformat(), at.isoformat("seconds") if at else "", knee),
        athlete=athlete,
        reported_at=datetime.combine(on, at or END_OF_DAY, zone).astimezone(UTC),
        local_date=on,
        side=knee,
        site=one_of("site", site, SITES) if site else None,
        before=before,
        during=during,
        after_60min=after_60min,
        next_morning=next_morning,
        flags=tuple(flag for flag in FLAGS if flag in chosen),
        changed_gait=changed_gait,
        muscle_soreness=muscle_soreness,
        note=_note(note),
        source=source,
    )


def strength_session(
    *,
    athlete: str,
    on: date,
    exercises: Sequence[Exercise],
    duration_min: float | None = None,
    rpe: float | None = None,
    pain_during: float | None = None,
    note: str | None = None,
    latest: date = LATEST_DATE,
) -> StrengthSession:
    """
    Make the strength session of the day `on`.

    Raises:
        LogError: A value is not allowed, or there is no exercise.
    """
    _check_day(on, latest)
    check_within("duration_min", duration_min, MAX_MINUTES, _MINUTES)
    check_within("rpe", rpe, MAX_SCORE, _SCORE)
    check_within("pain_during", pain_during, MAX_SCORE, _SCORE)
    if not exercises:
        raise LogError("there is no exercise; name at least one.")
    for exercise in exercises:
        _check_exercise(exercise)
    return StrengthSession(
        session_id=_hash_of(athlete, on.isoformat()),
        athlete=athlete,
        local_date=on,
        exercises=tuple(exercises),
        duration_s=None if duration_min is None else duration_min * 60,
        rpe=rpe,
        pain_during=pain_during,
        note=_note(note),
    )


def completed(earlier: PainReport, later: PainReport) -> PainReport:
    """Return `earlier` with what `later` says; what `later` leaves open stays. Both are the same report."""
    said = {one.name: getattr(later, one.name) for one in fields(later)}
    return replace(
        earlier, **{name: value for name, value in said.items() if value is not None and value != ()}
    )


def edited(report: PainReport, changes: Mapping[str, object]) -> PainReport:
    """
    Return the report with these values in the place of its own; None makes one unknown again.

    Its day, time and side are what it is known by, and stay.

    Raises:
        LogError: A value is not allowed, or the report would say nothing.
    """
    said = {name: getattr(report, name) for name in EDITABLE} | dict(changes)
    checked = pain_report(
        athlete=report.athlete,
        zone=ZoneInfo("UTC"),
        on=report.local_date,
        side=report.side,
        **said,
        source=report.source,
    )
    return replace(report, **{name: getattr(checked, name) for name in EDITABLE})


def pain_row(cells: Cells, athlete: str, zone: ZoneInfo, source: str, latest: date) -> PainReport:
    """Make the report that one line of a log holds."""
    return pain_report(
        athlete=athlete,
        zone=zone,
        on=_day(cells),
        at=_time(cells),
        side=cells.get("side", ""),
        site=cells.get("site"),
        before=number_in(cells, "before", _SCORE),
        during=number_in(cells, "during", _SCORE),
        after_60min=number_in(cells, "after_60min", _SCORE),
        next_morning=number_in(cells, "next_morning", _SCORE),
        flags=[flag for flag in re.split("[;,|]", cells.get("flags", "")) if flag.strip()],
        changed_gait=_yes_no(cells, "changed_gait"),
        muscle_soreness=number_in(cells, "muscle_soreness", _SCORE),
        note=cells.get("note"),
        source=source,
        latest=latest,
    )


def strength_row(cells: Cells, athlete: str, latest: date) -> StrengthSession:
    """Make the session that one line of a log holds, with its one exercise."""
    exercise = Exercise(
        name=cells.get("exercise", ""),
        sets=whole_in(cells, "sets"),
        reps=whole_in(cells, "reps"),
        load_kg=number_in(cells, "load_kg", _LOAD),
    )
    return strength_session(
        athlete=athlete,
        on=_day(cells),
        exercises=[exercise],
        duration_min=number_in(cells, "duration_min", _MINUTES),
        rpe=number_in(cells, "rpe", _SCORE),
        pain_during=number_in(cells, "pain_during", _SCORE),
        note=cells.get("note"),
        latest=latest,
    )


def _highest(*values: float | None) -> float | None:
    return max((value for value in values if value is not None), default=None)


def read_lines(text: str, known: Sequence[str], row_of: Callable[[Cells], Row]) -> LogResult[Row]:
    """Make a row of each line below the header, or a problem."""
    rows: list[Row] = []
    problems: list[LineProblem] = []
    delimiter = _delimiter(text, known)
    header = [name.strip() for name in _split(_first_line(text), delimiter)]
    names = _normal(header)
    twice = next((name for name in known if names.count(name) > 1), None)
    if twice:
        raise LogError(f"The header names {twice} twice; one column is allowed.")
    for line, found in _records(text, delimiter):
        try:
            rows.append(row_of(_cells(names, found)))
        except LogError as error:
            problems.append(LineProblem(line, str(error)))
    unknown = tuple(name for name in header if name and name.lower() not in known)
    return LogResult(rows=tuple(rows), problems=tuple(problems), unknown_columns=unknown)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Yield each record below the header that is not blank, with the number of the line it starts on."""
    # Strict, because otherwise a quotation mark that is never closed swallows the rest of the file in silence.
    reader = csv.reader(
        io.StringIO(text.removeprefix("\ufeff"), newline=""),
        delimiter=delimiter,
        strict=True,
        skipinitialspace=True,
    )
    is_header = True
    while True:
        line = reader.line_num + 1
        try:
            record: list[str] | csv.Error = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            record = error
        if isinstance(record, list) and not any(cell.strip() for cell in record):
            continue
        if not is_header:
            yield line, record
        is_header = False


def _cells(names: Sequence[str], record: Sequence[str] | csv.Error) -> Cells:
    if isinstance(record, csv.Error):
        raise LogError(_csv_sentence(record))
    if any(cell.strip() and not name for name, cell in zip_longest(names, record, fillvalue="")):
        raise LogError(
            "it has more values than the header has names; "
            "put a text or number that holds the separator in double quotes."
        )
    return {name: cell.strip() for name, cell in zip(names, record, strict=False)}


def _csv_sentence(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return "a double quote is opened and never closed, so nothing from here on was read."
    return f"it cannot be read ({error}); a double quote within quoted text must be doubled."


def _first_line(text: str) -> str:
    lines = io.StringIO(text[:_HEADER_CHARS].removeprefix("\ufeff"), newline="")
    return next((line for line in lines if line.strip()), "")


def _delimiter(text: str, known: Collection[str]) -> str:
    """Return the separator that makes most columns of the header known ones."""
    line = _first_line(text)
    return max(_DELIMITERS, key=lambda delimiter: len(set(known) & set(_normal(_split(line, delimiter)))))


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=True), [])
    except csv.Error:  # a header that does not end with its line is none of ours
        return []


def _normal(header: Iterable[str]) -> list[str]:
    return [name.strip().removeprefix("\ufeff").lower() for name in header]


def athlete_in(cells: Cells, default: str, known: frozenset[str] | None) -> str:
    athlete = cells.get("athlete", "").lower() or default
    if known is not None and athlete not in known:
        raise LogError(f"athlete is {shown(athlete)}; allowed are {', '.join(sorted(known))}.")
    return athlete


def _day(cells: Cells) -> date:
    text = cells.get("date", "")
    try:
        return date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        raise LogError(f"date is {shown(text)}; allowed is a day such as 2026-10-04.") from None


def _time(cells: Cells) -> time | None:
    text = cells.get("time", "")
    if not text:
        return None
    try:
        return time.fromisoformat((text if text[1] != ":" else f"0{text}") if _TIME.fullmatch(text) else "")
    except ValueError:
        raise LogError(f"time is {shown(text)}; allowed is a local time such as 18:05.") from None


def number_in(cells: Cells, name: str, allowed: str) -> float | None:
    text = cells.get(name, "")
    if not text:
        return None
    if _THOUSANDS.fullmatch(text):
        raise LogError(f"{name} is {shown(text)}, which can be read in two ways; write a decimal point.")
    if not _NUMBER.fullmatch(text):
        raise LogError(f"{name} is {shown(text)}; {allowed}.")
    return float(text.replace(",", "."))


def whole_in(cells: Cells, name: str) -> int | None:
    text = cells.get(name, "")
    if text and not _WHOLE.fullmatch(text):
        raise LogError(f"{name} is {shown(text)}; {_COUNT}.")
    return int(text) if text else None


def _yes_no(cells: Cells, name: str) -> bool | None:
    text = cells.get(name, "")
    if text and text.lower() not in _YES_NO:
        raise LogError(f"{name} is {shown(text)}; allowed are yes, no.")
    return _YES_NO.get(text.lower())


def _check_day(on: date, latest: date) -> None:
    if not EARLIEST_DATE <= on <= latest:
        raise LogError(f"date is {on}; allowed is a day from {EARLIEST_DATE} to {latest}.")


def check_within(name: str, value: float | None, most: float, allowed: str) -> None:
    if value is not None and not 0 <= value <= most:  # not so for nan either
        raise LogError(f"{name} is {value:g}; {allowed}.")


def _check_exercise(exercise: Exercise) -> None:
    if not exercise.name.strip():
        raise LogError("exercise is empty; name what was done.")
    for name, count in (("sets", exercise.sets), ("reps", exercise.reps)):
        if count is not None and not 1 <= count <= MAX_COUNT:
            raise LogError(f"{name} is {count}; {_COUNT}.")
    check_within("load_kg", exercise.load_kg, MAX_LOAD_KG, _LOAD)


def one_of(name: str, text: str, allowed: Sequence[str]) -> str:
    word = "_".join(text.lower().replace("-", " ").split())
    if word not in allowed:
        raise LogError(f"{name} is {shown(text.strip())}; allowed are {', '.join(allowed)}.")
    return word


def _note(text: str | None) -> str | None:
    return (text or "").strip() or None


def _hash_of(*parts: str) -> str:
    # Arguments of a command may hold lone surrogates, which plain UTF-8 refuses.
    return hashlib.sha256("|".join(parts).encode(errors="surrogatepass")).hexdigest()


def shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…") if text else "empty"
