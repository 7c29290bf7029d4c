"""
Polar Flow's account export: `training-session-….json`, one session in each, to Recording.

Its times are local and without a zone; `timezoneOffset` (minutes) of an exercise says how far they are from UTC. Samples
come as one list for each quantity, and the route as another; all of them are put on one time axis. Polar does not
document the layout: what is read here is what other programs that read such exports agree on.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from ingest.errors import IngestError, NotAnActivityError
from ingest.recording import RAW_SAMPLES, Columns, Recording, Session, no_samples, words
from ingest.sports import sport_named

SAMPLE_LISTS: Mapping[str, str] = {
    "heartRate": "hr_bpm",
    "cadence": "cadence_spm",
    "altitude": "altitude_m",
    "distance": "distance_m",
    "speed": "speed_m_per_s",
    "temperature": "temperature_c",
}
ROUTE = {"latitude": "lat_deg", "longitude": "lon_deg", "altitude": "altitude_m"}
KM_H_PER_M_S = 3.6
MOST_EXERCISES = 200
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?")
_LONGEST_TITLE = 200

Json = Mapping[str, Any]


def read_polar(content: bytes) -> Recording:
    """
    Decode a training session of Polar's export; each exercise in it is a session.

    Raises:
        NotAnActivityError: If nothing was recorded in it.
        IngestError: If it cannot be read.
    """
    try:
        told = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise IngestError(f"This Polar file is no readable JSON ({type(error).__name__}).") from error
    exercises = [one for one in _list(told, "exercises") if isinstance(one, dict)]
    if not exercises:
        raise NotAnActivityError("This Polar file holds no exercise.")
    if len(exercises) > MOST_EXERCISES:
        raise IngestError(f"This Polar file is damaged: it claims to hold {len(exercises):,} exercises.")
    offsets = [own if (own := _offset(one)) is not None else _offset(told) for one in exercises]
    if None in offsets:
        raise IngestError("This Polar file does not say how far its times are from UTC (timezoneOffset).")
    samples = [
        _samples(one, place, offset)
        for place, (one, offset) in enumerate(zip(exercises, offsets, strict=True))
        if offset is not None
    ]
    return Recording(
        format="polar",
        sessions=tuple(_session(one, told, offset) for one, offset in zip(exercises, offsets, strict=True)),
        samples={name: np.concatenate([one[name] for one in samples]) for name in RAW_SAMPLES},
        device=_text(told, "device") or "Polar",
        utc_offset_s=int(offsets[0].total_seconds()) if offsets[0] is not None else None,
    )


def _session(exercise: Json, told: Json, offset: timedelta | None) -> Session:
    sport, sub_sport = sport_named(_text(exercise, "sport"))
    heart_rate = exercise.get("heartRate")
    beats: Json = heart_rate if isinstance(heart_rate, dict) else {}
    seconds = _seconds(exercise.get("duration"))
    return Session(
        sport=sport,
        sub_sport=sub_sport,
        started_at=_instant(exercise.get("startTime"), offset),
        elapsed_s=seconds,
        timer_s=seconds,
        distance_m=_number(exercise, "distance"),
        ascent_m=_number(exercise, "ascent"),
        descent_m=_number(exercise, "descent"),
        avg_hr_bpm=_number(beats, "avg"),
        max_hr_bpm=_number(beats, "max"),
        title=(_text(told, "name") or "")[:_LONGEST_TITLE] or None,
        description=_text(told, "note"),
    )


def _samples(exercise: Json, place: int, offset: timedelta) -> Columns:
    """Return the samples and the route of an exercise on one time axis."""
    series = [(column, *_series(values, offset)) for column, values in _quantities(exercise)]
    known = [times for _, times, _ in series if len(times)]
    if not known:
        return no_samples()
    at = np.unique(np.concatenate(known))
    samples: Columns = {"at": at, "session": np.full(len(at), place)}
    samples |= {name: np.full(len(at), np.nan) for name in list(RAW_SAMPLES)[2:]}
    for column, times, values in series:
        rows = np.searchsorted(at, times)
        samples[column][rows] = np.where(np.isnan(values), samples[column][rows], values)
    samples["speed_m_per_s"] /= KM_H_PER_M_S
    return samples


def _quantities(exercise: Json) -> Iterator[tuple[str, list[tuple[object, object]]]]:
    """Yield (column, times and values) for each list of samples; the barometer's altitude comes after the route's."""
    lists = exercise.get("samples")
    lists = lists if isinstance(lists, dict) else {}
    route = [point for point in _list(lists, "recordedRoute") if isinstance(point, dict)]
    for key, column in ROUTE.items():
        yield column, [(point.get("dateTime"), point.get(key)) for point in route]
    for key, column in SAMPLE_LISTS.items():
        values = [one for one in _list(lists, key) if isinstance(one, dict)]
        yield column, [(one.get("dateTime"), one.get("value")) for one in values]


def _series(
    pairs: Sequence[tuple[object, object]], offset: timedelta
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the times and the numbers of the pairs that have a time."""
    found = [
        (at.replace(tzinfo=None), float(value) if isinstance(value, int | float) else math.nan)
        for time, value in pairs
        if (at := _instant(time, offset)) is not None
    ]
    times = np.array([at for at, _ in found], dtype="datetime64[us]")
    values = np.array([value for _, value in found], dtype=np.float64)
    values[np.isinf(values)] = np.nan
    return times, values


def _instant(text: object, offset: timedelta | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text))
        return at.astimezone(UTC) if at.tzinfo else (at - (offset or timedelta())).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _offset(told: Json) -> timedelta | None:
    for key in ("timezoneOffset", "timezoneOffsetMinutes", "timeZoneOffset"):
        minutes = told.get(key)
        if isinstance(minutes, int | float) and abs(minutes) <= 14 * 60:
            return timedelta(minutes=minutes)
    return None


def _seconds(duration: object) -> float | None:
    """Return a duration such as PT1H2M3.5S in seconds."""
    found = _DURATION.fullmatch(str(duration))
    if not found or not any(found.groups()):
        return None
    hours, minutes, seconds = (float(part or 0) if part != "." else 0.0 for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _list(told: object, key: str) -> list[Any]:
    found = told.get(key) if isinstance(told, dict) else None
    return found if isinstance(found, list) else []


def _number(told: Json, key: str) -> float | None:
    value = told.get(key)
    return float(value) if isinstance(value, int | float) and 0 <= value < math.inf else None


def _text(told: Json, key: str) -> str | None:
    return words(told.get(key))
