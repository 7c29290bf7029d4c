"""TCX: bytes to Recording."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.errors import IngestError, NotAnActivityError
from ingest.point_table import as_datetime, breaks_between, instant_of, timed_samples
from ingest.recording import RAW_LAPS, Columns, Recording, Session
from ingest.sports import sport_named
from ingest.track import haversine_m
from ingest.xml_points import Document, Element, Vocabulary, read_xml

VOCABULARY = Vocabulary(
    point="trackpoint",
    children={
        "": frozenset({"trainingcenterdatabase"}),
        "trainingcenterdatabase": frozenset({"activities", "courses", "workouts"}),
        "activities": frozenset({"activity", "multisportsession"}),
        # Transitions between two sports are not kept: they count for nothing.
        "multisportsession": frozenset({"firstsport", "nextsport"}),
        "firstsport": frozenset({"activity"}),
        "nextsport": frozenset({"activity"}),
        "activity": frozenset({"notes", "lap", "creator"}),
        "creator": frozenset({"name"}),
        "lap": frozenset(
            {"totaltimeseconds", "distancemeters", "averageheartratebpm", "maximumheartratebpm", "track"}
        ),
        "averageheartratebpm": frozenset({"value"}),
        "maximumheartratebpm": frozenset({"value"}),
        "track": frozenset({"trackpoint"}),
        "courses": frozenset({"course"}),
        "workouts": frozenset({"workout"}),
    },
    columns={
        "time": "at",
        "latitudedegrees": "lat_deg",
        "longitudedegrees": "lon_deg",
        "altitudemeters": "altitude_m",
        "distancemeters": "distance_m",
        "heartratebpm/value": "hr_bpm",
        "cadence": "cadence_spm",
        "runcadence": "cadence_spm",
        "speed": "speed_m_per_s",
        "watts": "power_w",
    },
)
INDOOR = {"running": "treadmill", "cycling": "indoor_cycling"}
LAP_SLACK_S = 30
LAP_SLACK_SHARE = 0.02
"""A lap that claims to be longer than its samples reach, by more than both of these, is not believed."""
FASTEST_M_PER_S = 30
DISTANCE_SLACK_SHARE = 0.1
"""So far may the distance of the laps be off from the one along the positions."""
LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lap:
    """A lap with what can be believed of it."""

    started_at: datetime | None
    timer_s: float | None
    distance_m: float | None
    avg_hr_bpm: float | None
    max_hr_bpm: float | None


def read_tcx(content: bytes) -> Recording:
    """
    Decode a TCX file; each activity is a session, a break between the tracks of one lap is a pause.

    Raises:
        NotAnActivityError: For courses and workouts.
        IngestError: If it cannot be read.
    """
    document = read_xml(content, VOCABULARY)
    if document.root is None:
        raise IngestError(f"This is no readable TCX file: {document.broken or 'nothing in it is TCX'}.")
    activities = [one for one in _activities(document.root) if one.all("lap")]
    if not activities:
        raise _no_activity(document, document.root)
    points = _with_distance_going_on(document.points, activities)
    laps = [_laps(activity, points) for activity in activities]
    lengths = [activity.rows.stop - activity.rows.start for activity in activities]
    return Recording(
        format="tcx",
        sessions=tuple(_session(one, those, points) for one, those in zip(activities, laps, strict=True)),
        samples=timed_samples(points, np.repeat(np.arange(len(activities)), lengths)),
        laps=_lap_frame([lap for those in laps for lap in those]),
        pauses=tuple(
            pause
            for activity in activities
            for lap in activity.all("lap")
            for pause in breaks_between([track.rows for track in lap.all("track")], points)
        ),
        device=next((name for one in activities if (name := one.text_of("creator", "name"))), None),
        missing=document.what_is_missing(),
    )


def _activities(root: Element) -> Iterator[Element]:
    for group in root.all("activities"):
        for child in group.children:
            yield from [child] if child.name == "activity" else _of_multisport(child)


def _of_multisport(session: Element) -> Iterator[Element]:
    for sport in session.children:
        yield from sport.all("activity")


def _no_activity(document: Document, root: Element) -> IngestError:
    if document.broken:
        return IngestError(f"This TCX file is damaged and holds no lap ({document.broken}).")
    what = next((kind for kind in ("course", "workout") if any(one.all(kind) for one in root.children)), None)
    return NotAnActivityError(
        f"This TCX file holds no recorded activity ({f'only a {what}' if what else 'it is empty'})."
    )


# Laps ----------------------------------------------------------------------------------------------------


def _laps(activity: Element, points: Columns) -> list[_Lap]:
    found = activity.all("lap")
    starts = [instant_of(lap.attributes.get("StartTime")) for lap in found]
    return [
        _lap(lap, start, _reaches_s(points["at"][lap.rows], start, following))
        for lap, start, following in zip(found, starts, [*starts[1:], None], strict=True)
    ]


def _lap(lap: Element, started_at: datetime | None, reaches_s: float | None) -> _Lap:
    """Believe the totals of a lap only as far as its samples reach; without samples, believe them."""
    timer_s, distance_m = _number(lap.text_of("totaltimeseconds")), _number(lap.text_of("distancemeters"))
    if reaches_s is not None and timer_s is not None:
        is_believed = timer_s <= reaches_s + max(LAP_SLACK_S, reaches_s * LAP_SLACK_SHARE)
        timer_s, distance_m = (timer_s, distance_m) if is_believed else (None, None)
    if distance_m is not None and distance_m > FASTEST_M_PER_S * (timer_s or 0):
        distance_m = None
    return _Lap(
        started_at=started_at,
        timer_s=timer_s,
        distance_m=distance_m,
        avg_hr_bpm=_number(lap.text_of("averageheartratebpm", "value")),
        max_hr_bpm=_number(lap.text_of("maximumheartratebpm", "value")),
    )


def _reaches_s(
    at: NDArray[np.datetime64], started_at: datetime | None, following_at: datetime | None
) -> float | None:
    """Return the seconds from the start of a lap to its last sample or the next lap; None without samples."""
    own = at[~np.isnat(at)]
    if not len(own):
        return None
    first, last = as_datetime(own[0]), as_datetime(own[-1])
    return (max(last, following_at or last) - min(first, started_at or first)).total_seconds()


def _number(text: str | None) -> float | None:
    """Return what is a number, finite and not negative."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _lap_frame(laps: Sequence[_Lap]) -> pl.DataFrame:
    return pl.DataFrame([{name: getattr(lap, name) for name in RAW_LAPS} for lap in laps], schema=RAW_LAPS)


# Sessions ------------------------------------------------------------------------------------------------


def _session(activity: Element, laps: Sequence[_Lap], points: Columns) -> Session:
    points = {name: column[activity.rows] for name, column in points.items()}
    sport, sub_sport = sport_named(activity.attributes.get("Sport"))
    timer_s = _sum([lap.timer_s for lap in laps])
    distance_m = _told_distance_m(laps, points)
    notes = activity.text_of("notes")
    if sub_sport is None and _is_indoor(points, distance_m):
        sub_sport = INDOOR.get(sport or "")
    return Session(
        sport=sport,
        sub_sport=sub_sport,
        started_at=min((lap.started_at for lap in laps if lap.started_at), default=None),
        timer_s=timer_s,
        distance_m=distance_m,
        avg_hr_bpm=_mean_hr_bpm(laps),
        max_hr_bpm=max((lap.max_hr_bpm for lap in laps if lap.max_hr_bpm), default=None),
        title=notes.splitlines()[0][:LONGEST_TITLE] if notes else None,
    )


def _sum(values: Sequence[float | None]) -> float | None:
    """Return the sum if every part is known."""
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _told_distance_m(laps: Sequence[_Lap], points: Columns) -> float | None:
    """Return the distance of the laps where the samples have none and their positions do not speak against it."""
    distance_m = _sum([lap.distance_m for lap in laps])
    if distance_m is None or _has(points, "distance_m"):
        return None
    along_m = _along_positions_m(points)
    is_near = along_m is None or abs(distance_m - along_m) <= DISTANCE_SLACK_SHARE * along_m
    return distance_m if is_near else None


def _along_positions_m(points: Columns) -> float | None:
    if not (_has(points, "lat_deg") and _has(points, "lon_deg")):
        return None
    is_known = ~np.isnan(points["lat_deg"] + points["lon_deg"])
    lat, lon = np.radians(points["lat_deg"][is_known]), np.radians(points["lon_deg"][is_known])
    return float(haversine_m(lat[:-1], lon[:-1], lat[1:], lon[1:]).sum())


def _is_indoor(points: Columns, distance_m: float | None) -> bool:
    """Tell whether there is a distance and no position: a treadmill or a trainer."""
    return bool(distance_m or _has(points, "distance_m")) and not _has(points, "lat_deg")


def _has(points: Columns, column: str) -> bool:
    return column in points and not np.isnan(points[column]).all()


def _mean_hr_bpm(laps: Sequence[_Lap]) -> float | None:
    known = [(lap.avg_hr_bpm, lap.timer_s) for lap in laps if lap.avg_hr_bpm and lap.timer_s]
    beats, seconds = sum(hr * s for hr, s in known), sum(s for _, s in known)
    return beats / seconds if seconds else None


# Samples -------------------------------------------------------------------------------------------------


def _with_distance_going_on(points: Columns, activities: Sequence[Element]) -> Columns:
    """Where the distance begins anew with each lap, let it go on."""
    if "distance_m" not in points:
        return points
    distance_m = points["distance_m"].copy()
    for activity in activities:
        added_m = reached_m = 0.0
        for lap in activity.all("lap"):
            known = points["distance_m"][lap.rows]
            known = known[~np.isnan(known)]
            if len(known):
                added_m += reached_m if known[0] < reached_m / 2 else 0.0
                reached_m = float(known[-1])
            distance_m[lap.rows] += added_m
    return {**points, "distance_m": distance_m}
