"""Training plans that a person hands over: a table as CSV, or a calendar (.ics) with distances in the titles."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from icalendar import Calendar
from icalendar.error import BrokenCalendarProperty

from ingest.logs import LogError, check_within, decode_text, number_in, one_of, read_lines, whole_in
from ingest.plans import DAYS, PLAN_COLUMNS, RUN_SESSIONS, SESSIONS, ZONES, PlanError

NEEDED = ("week", "day", "session")

MAX_BYTES = 1024 * 1024
MAX_LINES = 40_000  # of a calendar; what reading costs grows with their square
MAX_SESSIONS = 2000
MAX_WEEKS = 104
MAX_DISTANCE_KM = 300.0
MAX_DURATION_MIN = 2880.0
MAX_RPE = 10.0
SHOWN_PROBLEMS = 20
SHOWN_TITLES = 5
MAX_NOTE_CHARS = 500

KM_PER_MILE = 1.609344
HALF_MARATHON_KM = 21.0975

ZONE_OF_SESSION = {
    "shakeout": "Z1",
    "easy": "Z2",
    "long": "Z2",
    "steady": "Z3",
    "tempo": "Z4",
    "race": "Z4",
    "intervals": "Z5",
}
"""What a calendar does not say; as in the built-in plans."""
WORDS_OF_SESSION = {
    "strength": r"strength|weights|\bgym\b|\blift",
    "mobility": r"mobility|stretch|yoga|pilates",
    "long": r"\blong\b",
    "intervals": r"interval|repeat|repetition|fartlek|\bhills?\b|speed|track|\d\s*[x×]\s*\d",
    "tempo": r"tempo|threshold|race pace|marathon pace|\bhm pace",
    "race": r"\brace\b|half[ -]?marathon",
    "steady": r"steady|\bpace\b|progression",
    "shakeout": r"shake-?out",
    "easy": r"\beasy\b|recovery|\bjog\b|\brun\b",
}
"""Looked for in titles in this order."""
REST = re.compile(r"\brest\b|\boff\b", re.IGNORECASE)
REPEATS = re.compile(r"\d+\s*[x×]\s*\d+(?:[.,]\d+)?\s*[a-z]*", re.IGNORECASE)
DISTANCE = re.compile(r"(\d+(?:[.,]\d+)?)\s*-?\s*(km|k|kilometers?|kilometres?|mi|miles?)\b", re.IGNORECASE)
MINUTES = re.compile(r"(?:(\d+)\s*h(?:ours?)?\s*)?(?:(\d+)\s*(?:min(?:utes?)?\b|'))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """
    What a file held.

    Attributes:
        plan: Columns of PLAN_COLUMNS, one row a session in order of days.
        race_date: Day of its race, where the file has dates.
        remarks: What was left out, one sentence each.
    """

    plan: pl.DataFrame
    race_date: date | None = None
    remarks: tuple[str, ...] = ()


def read_plan_file(path: Path) -> PlanFile:
    """
    Read a plan; a file that begins like a calendar is one.

    Raises:
        PlanError: If it cannot be used; the sentence names the file, and the lines and what they should be.
    """
    if path.stat().st_size > MAX_BYTES:
        raise PlanError(f"{path.name} is larger than 1 MiB, which no plan is.")
    data = path.read_bytes()
    is_calendar = b"BEGIN:VCALENDAR" in data[:1000].upper()
    try:
        found = plan_of_calendar(data) if is_calendar else plan_of_csv(decode_text(data))
    except LogError as error:
        raise PlanError(f"{path.name}: {error}") from error
    if found.plan.is_empty():
        raise PlanError(f"{path.name} has no session that can be read.")
    return found


def plan_of_csv(text: str) -> PlanFile:
    """
    Read a plan from a table with week, day and session, and as you like distance_km, duration_min, rpe, zone, notes.

    Raises:
        LogError: If a column is missing or a line is wrong.
    """
    found = read_lines(text, tuple(PLAN_COLUMNS), _session_row)
    if found.problems:
        shown = [str(problem) for problem in found.problems[:SHOWN_PROBLEMS]]
        more = len(found.problems) - len(shown)
        raise LogError("\n".join([*shown, *([f"and {more} more lines."] if more else [])]))
    plan = _in_order(list(found.rows))
    remarks = []
    if found.unknown_columns:
        remarks.append(f"Columns that no plan has were ignored: {', '.join(found.unknown_columns)}.")
    if again := plan.height - plan.n_unique():
        remarks.append(f"{again} sessions say the same as another of their day; all were taken.")
    return PlanFile(plan=plan, remarks=tuple(remarks))


def plan_of_calendar(data: bytes) -> PlanFile:
    """
    Read a plan from the titles of a calendar's events: "Long run 14 km", "6 mi easy", "Rest".

    Weeks are counted from the Monday of the first session. What is no session is left out and named.

    Raises:
        LogError: If it is no calendar, or goes on for more than two years.
    """
    rows: list[dict[str, object]] = []
    others: list[str] = []
    days: list[date] = []
    repeated = 0
    for day, title, note, repeats in _events(data):
        row = session_of_title(title)
        if row is None:
            others.append(title)
            continue
        rows.append(row | {"notes": note or title})
        days.append(day)
        repeated += repeats
    if days and (max(days) - min(days)).days > 7 * MAX_WEEKS:
        raise LogError(
            f"its sessions go from {min(days)} to {max(days)}; a plan has at most {MAX_WEEKS} weeks."
        )
    races = [day for day, row in zip(days, rows, strict=True) if row["session"] == "race"]
    placed = [row | _place(day, min(days)) for day, row in zip(days, rows, strict=True)]
    return PlanFile(
        plan=_in_order(placed), race_date=max(races or days, default=None), remarks=_remarks(others, repeated)
    )


def session_of_title(title: str) -> dict[str, object] | None:
    """Return session, distance_km, duration_min, rpe and zone that a title names, unknown as None; None if it is no session."""
    distance_km, duration_min = _distance_km(title), _duration_min(title)
    session = _session_named(title, is_run=distance_km is not None)
    if session is None:
        return None
    if session == "race" and distance_km is None and re.search("half", title, re.IGNORECASE):
        distance_km = HALF_MARATHON_KM
    return {
        "session": session,
        "distance_km": distance_km if session in RUN_SESSIONS else 0.0,
        "duration_min": 0.0 if session == "rest" else duration_min,
        "rpe": 0.0 if session == "rest" else None,
        "zone": ZONE_OF_SESSION.get(session, "none"),
    }


def _session_row(cells: Mapping[str, str]) -> dict[str, object]:
    for name in NEEDED:
        if not cells.get(name):
            raise LogError(f"{name} is empty; every line says week, day and session.")
    week = whole_in(cells, "week")
    if week is None or not 1 <= week <= MAX_WEEKS:
        raise LogError(f"week is {cells['week']}; allowed is a whole number from 1 to {MAX_WEEKS}.")
    session = one_of("session", cells["session"], SESSIONS)
    is_run = session in RUN_SESSIONS
    row: dict[str, object] = {
        "week": week,
        "day": one_of("day", cells["day"][:3], DAYS),
        "session": session,
        "distance_km": _within(cells, "distance_km", MAX_DISTANCE_KM, "a number of kilometres"),
        "duration_min": _within(cells, "duration_min", MAX_DURATION_MIN, "a number of minutes"),
        "rpe": _within(cells, "rpe", MAX_RPE, "a number"),
        "zone": _zone(cells, session),
        "notes": cells.get("notes") or None,
    }
    if is_run and row["distance_km"] == 0:
        raise LogError(f"{session} has 0 kilometres; leave distance_km empty where it is not known.")
    if not is_run and row["distance_km"]:
        raise LogError(f"{session} is no run and has kilometres; runs are {', '.join(RUN_SESSIONS)}.")
    return row | ({} if is_run else {"distance_km": 0.0})


def _within(cells: Mapping[str, str], name: str, most: float, what: str) -> float | None:
    allowed = f"allowed is {what} from 0 to {most:g}"
    value = number_in(cells, name, allowed)
    check_within(name, value, most, allowed)
    return value


def _zone(cells: Mapping[str, str], session: str) -> str:
    if not (zone := cells.get("zone", "")):
        return ZONE_OF_SESSION.get(session, "none")
    found = {known.lower(): known for known in ZONES}.get(zone.lower())
    if found is None:
        raise LogError(f"zone is {zone!r}; allowed are {', '.join(ZONES)}.")
    return found


def _in_order(rows: list[dict[str, object]]) -> pl.DataFrame:
    plan = pl.DataFrame(rows, schema=PLAN_COLUMNS)
    day = pl.col("day").replace_strict(DAYS, range(len(DAYS)), return_dtype=pl.Int64)
    return plan.sort("week", day, maintain_order=True)


def _events(data: bytes) -> Iterator[tuple[date, str, str | None, bool]]:
    """Yield (day, title, description, whether it repeats) of each event that has a day and a title."""
    if data.count(b"\n") > MAX_LINES:
        raise LogError(f"it has more than {MAX_LINES} lines, which no calendar of a plan has.")
    try:
        calendar: Any = Calendar.from_ical(data)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise LogError(f"the calendar cannot be read ({error}); export it again as .ics.") from error
    events = calendar.walk("VEVENT")
    if len(events) > MAX_SESSIONS:
        raise LogError(f"it has {len(events)} events; a plan has at most {MAX_SESSIONS}.")
    for event in events:
        day, title = _day_of(event), str(event.get("SUMMARY", "")).strip()
        if day is None or not title or str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        note = str(event.get("DESCRIPTION", "")).strip()[:MAX_NOTE_CHARS]
        yield day, title, note or None, "RRULE" in event


def _day_of(event: Any) -> date | None:
    try:
        start = getattr(event.get("DTSTART"), "dt", None)
    except BrokenCalendarProperty:  # kept by the library as text
        return None
    if isinstance(start, datetime):
        return start.date()
    return start if isinstance(start, date) else None


def _place(day: date, first: date) -> dict[str, object]:
    days = (day - first).days + first.weekday()
    return {"week": days // len(DAYS) + 1, "day": DAYS[day.weekday()]}


def _remarks(others: list[str], repeated: int) -> tuple[str, ...]:
    remarks = []
    if others:
        shown = ", ".join(repr(title[:60]) for title in others[:SHOWN_TITLES])
        more = f" and {len(others) - SHOWN_TITLES} more" if len(others) > SHOWN_TITLES else ""
        remarks.append(f"No session of a plan, and left out: {shown}{more}.")
    if repeated:
        remarks.append(f"{repeated} events repeat; only the first day of each was taken.")
    return tuple(remarks)


def _session_named(title: str, *, is_run: bool) -> str | None:
    if REST.search(title) and not is_run:
        return "rest"
    named = (name for name, words in WORDS_OF_SESSION.items() if re.search(words, title, re.IGNORECASE))
    return next(named, "easy" if is_run else None)


def _distance_km(title: str) -> float | None:
    """Kilometres of the whole session: those of repeats are no sum, and a range counts as its last number."""
    found = DISTANCE.search(REPEATS.sub(" ", title))
    if found is None:
        return None
    kilometres = float(found[1].replace(",", ".")) * (KM_PER_MILE if found[2].lower().startswith("mi") else 1)
    return round(kilometres, 4) if 0 < kilometres <= MAX_DISTANCE_KM else None


def _duration_min(title: str) -> float | None:
    found = next((match for match in MINUTES.finditer(REPEATS.sub(" ", title)) if match[0].strip()), None)
    if found is None:
        return None
    minutes = 60.0 * int(found[1] or 0) + int(found[2] or 0)
    return minutes if 0 < minutes <= MAX_DURATION_MIN else None
