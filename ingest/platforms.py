"""What platforms say about the exports in their archives: the tables of Strava, Garmin and Apple."""

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO
from xml.parsers import expat

from ingest.recording import Session, Told, words
from ingest.summary import write_summary

STRAVA_TABLE = "activities.csv"
GARMIN_TABLE = re.compile(r"_summarizedactivities\.json$")
APPLE_TABLE = re.compile(r"(^|/)apple_health_export/export[^/]*\.xml$")
# Position of the columns in Strava's table, for accounts in other languages: the headers are translated.
STRAVA_TITLE, STRAVA_DESCRIPTION = 2, 4
STRAVA_FILES = "activities/"
APPLE_INDOOR = {"running": "treadmill", "cycling": "indoor_cycling", "swimming": "lap_swimming"}
SECONDS_PER = {"s": 1.0, "min": 60.0, "hr": 3600.0}
METRES_PER = {"m": 1.0, "km": 1000.0, "mi": 1609.344}
BEATS_PER = {"": 1.0}
MOST_WORKOUTS = 50_000
MOST_METADATA = 200
"""Of a workout, with its statistics."""
MOST_LETTERS = 1_000
"""Of anything that Apple says in a word; what is longer is cut."""
_FIRST_WORKOUT = b"<Workout "
_CHUNK_BYTES = 2**16


@dataclass(frozen=True, slots=True)
class Words:
    """
    What the tables of a platform say.

    Attributes:
        of: About a member of the archive, by its name.
        at: About what starts at a second since 1970, whichever member it is in.
        without_export: Names and contents of summaries of what has no export of its own.
    """

    of: Mapping[str, Told] = field(default_factory=dict)
    at: Mapping[int, Told] = field(default_factory=dict)
    without_export: Sequence[tuple[str, bytes]] = ()


def told_by_garmin(table: bytes) -> dict[int, Told]:
    """Read the names of activities by their start; the FIT files of the archive bear numbers that say nothing."""
    try:
        parts = json.loads(table)
    except (ValueError, RecursionError):
        return {}
    parts = parts if isinstance(parts, list) else [parts]
    lists = [part.get("summarizedActivitiesExport") for part in parts if isinstance(part, dict)]
    rows = [row for rows in lists if isinstance(rows, list) for row in rows if isinstance(row, dict)]
    return {
        int(row["beginTimestamp"] // 1000): Told(
            title=words(row.get("name")), description=words(row.get("description"))
        )
        for row in rows
        if isinstance(row.get("beginTimestamp"), int | float) and abs(row["beginTimestamp"]) < 2**53
    }


def told_by_strava(text: str, table_name: str) -> dict[str, Told]:
    """Read Strava's activities.csv, whose headers are in the account's language."""
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error:
        return {}
    if len(rows) < 2:
        return {}
    header = [title.strip().lower() for title in rows[0]]
    file_column = _column_of_files(rows[1:])
    folder = table_name.removesuffix(STRAVA_TABLE)
    columns = {
        "title": _column(header, "activity name", STRAVA_TITLE),
        "description": _column(header, "activity description", STRAVA_DESCRIPTION),
        "note": _column(header, "activity private note", None),
        "rpe": _column(header, "perceived exertion", None),
        "gear": _column(header, "activity gear", None),
    }
    return {
        folder + row[file_column]: _strava_row(row, columns)
        for row in rows[1:]
        if file_column is not None and len(row) > file_column and row[file_column]
    }


def _column_of_files(rows: list[list[str]]) -> int | None:
    """Return the column whose values are names of files in activities/."""
    for row in rows:
        for place, value in enumerate(row):
            if value.startswith(STRAVA_FILES):
                return place
    return None


def _column(header: list[str], title: str, otherwise: int | None) -> int | None:
    return header.index(title) if title in header else otherwise


def _strava_row(row: list[str], columns: Mapping[str, int | None]) -> Told:
    def cell(name: str) -> str | None:
        place = columns[name]
        return words(row[place]) if place is not None and place < len(row) else None

    texts = [text for text in (cell("description"), cell("note")) if text]
    return Told(
        title=cell("title"),
        description="\n".join(texts) or None,
        rpe=_rpe(cell("rpe")),
        gear=cell("gear"),
    )


def _rpe(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value <= 10 else None


class _AppleWorkouts:
    """Expat's handlers for Apple's export.xml: its workouts, and which route belongs to which."""

    def __init__(self, table_name: str) -> None:
        self.folder = table_name.rpartition("/")[0]
        self.table_name = table_name
        self.told: dict[str, Told] = {}
        self.without_route: list[tuple[str, bytes]] = []
        self._workout: dict[str, str] | None = None
        self._has_route = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Workout":
            self._workout, self._has_route = {}, False
            for key, value in attributes.items():
                self._note(key, value)
        elif self._workout is None:
            return
        elif name == "FileReference" and "path" in attributes and len(self.told) < MOST_WORKOUTS:
            sport = _apple_sport(self._workout.get("workoutActivityType", ""))
            self.told[f"{self.folder}{attributes['path']}"] = Told(sport=sport)
            self._has_route = True
        elif name == "WorkoutStatistics":
            kind = attributes.get("type", "").removeprefix("HKQuantityTypeIdentifier")
            for key in ("sum", "average", "maximum", "unit"):
                self._note(f"{kind} {key}", attributes.get(key, ""))
        elif name == "MetadataEntry":
            self._note(attributes.get("key", ""), attributes.get("value", ""))

    def _note(self, key: str, value: str) -> None:
        assert self._workout is not None
        if len(self._workout) < MOST_METADATA:
            self._workout[key[:MOST_LETTERS]] = value[:MOST_LETTERS]

    def end(self, name: str) -> None:
        if name != "Workout" or self._workout is None:
            return
        if not self._has_route and len(self.without_route) < MOST_WORKOUTS:
            self._keep(self._workout)
        self._workout = None

    def _keep(self, workout: Mapping[str, str]) -> None:
        session = _apple_session(workout)
        if session is not None and session.started_at is not None:
            name = f"{self.table_name}/workout {session.started_at:%Y-%m-%d %H%M%S}.json"
            content = write_summary(session, device=workout.get("sourceName") or "Apple")
            self.without_route.append((name, content))


def told_by_apple(stream: IO[bytes], table_name: str) -> Words:
    """
    Stream Apple's export.xml, which can be gigabytes, for its workouts: those with a route say its sport, the others
    are all there is.

    Heartbeats and steps by the million stand before the first workout. They are passed over, and with them the document
    type that it declares, so that there are no entities here.
    """
    workouts = _AppleWorkouts(table_name)
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler, parser.EndElementHandler = workouts.start, workouts.end
    # What is damaged ends the telling and not the intake.
    with suppress(expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError):
        parser.Parse(b"<HealthData>", False)
        for piece in _from_the_first_workout(stream):
            parser.Parse(piece, False)
    return Words(of=workouts.told, without_export=workouts.without_route)


def _from_the_first_workout(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield what follows, piece by piece; nothing when there is no workout."""
    before = b""
    while piece := stream.read(_CHUNK_BYTES):
        before = before[1 - len(_FIRST_WORKOUT) :] + piece
        start = before.find(_FIRST_WORKOUT)
        if start >= 0:
            yield before[start:]
            yield from iter(lambda: stream.read(_CHUNK_BYTES), b"")
            return


def _apple_session(workout: Mapping[str, str]) -> Session | None:
    """Return what Apple says of a workout; None without its start and its length."""
    started_at, ended_at = _apple_time(workout.get("startDate")), _apple_time(workout.get("endDate"))
    timer_s = _in_unit(workout.get("duration"), workout.get("durationUnit", "min"), SECONDS_PER)
    if started_at is None or not timer_s:
        return None
    elapsed_s = (ended_at - started_at).total_seconds() if ended_at else timer_s
    kind = "DistanceWalkingRunning"
    distance_m = _in_unit(workout.get("totalDistance"), workout.get("totalDistanceUnit", "km"), METRES_PER)
    if distance_m is None:
        distance_m = _in_unit(workout.get(f"{kind} sum"), workout.get(f"{kind} unit", "km"), METRES_PER)
    sport = _apple_sport(workout.get("workoutActivityType", ""))
    is_indoor = workout.get("HKIndoorWorkout") == "1"
    return Session(
        sport=sport,
        sub_sport=APPLE_INDOOR.get(sport or "") if is_indoor else None,
        started_at=started_at,
        elapsed_s=max(elapsed_s, timer_s),
        timer_s=timer_s,
        distance_m=distance_m,
        avg_hr_bpm=_in_unit(workout.get("HeartRate average"), "", BEATS_PER),
        max_hr_bpm=_in_unit(workout.get("HeartRate maximum"), "", BEATS_PER),
    )


def _in_unit(text: str | None, unit: str, per: Mapping[str, float]) -> float | None:
    """Return a number in the unit that `per` counts in; None if it is none, or nothing."""
    try:
        value = float(text or "") * per[unit]
    except (ValueError, KeyError):
        return None
    return value if 0 < value < float("inf") else None


def _apple_time(text: str | None) -> datetime | None:
    """Return the instant; the zone is that of the phone on the day of the export, so nothing else is made of it."""
    try:
        return datetime.strptime(text or "", "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _apple_sport(kind: str) -> str | None:
    """Return running for HKWorkoutActivityTypeRunning, cross_country_skiing for …CrossCountrySkiing."""
    words = re.findall(r"[A-Z][a-z]+", kind.removeprefix("HKWorkoutActivityType"))
    return "_".join(words).lower() or None
