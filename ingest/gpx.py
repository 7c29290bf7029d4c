"""GPX: bytes to Recording, by gpxpy."""

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import gpxpy
import polars as pl
from gpxpy.gpx import GPX, GPXException, GPXTrack, GPXTrackPoint

from ingest.errors import IngestError, NotAnActivityError
from ingest.recording import RAW_SAMPLES, Recording, Session

# Local names of extension elements, whatever namespace they come in.
EXTENSIONS = {
    "hr": "hr_bpm",
    "heartrate": "hr_bpm",
    "cad": "cadence_spm",
    "cadence": "cadence_spm",
    "runcadence": "cadence_spm",
    "power": "power_w",
    "watts": "power_w",
    "atemp": "temperature_c",
    "temp": "temperature_c",
    "speed": "speed_m_per_s",
}
# Platforms write names, and Strava its own numbers.
SPORTS = {
    "9": "running",
    "run": "running",
    "1": "cycling",
    "ride": "cycling",
    "biking": "cycling",
    "bike": "cycling",
    "10": "walking",
    "walk": "walking",
    "4": "hiking",
    "hike": "hiking",
    "swim": "swimming",
}
FORBIDDEN_MARKUP = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def read_gpx(content: bytes) -> Recording:
    """
    Decode a GPX file; each track is a session, a break between segments is a pause.

    Raises:
        NotAnActivityError: For routes and waypoints, and for tracks without times.
        IngestError: If it cannot be read.
    """
    gpx = _parse(content)
    tracks = [track for track in gpx.tracks if any(segment.points for segment in track.segments)]
    if not tracks:
        raise NotAnActivityError(
            "This GPX file holds no track (only a route, waypoints or nothing), so nobody ran it yet."
        )
    rows = [row for place, track in enumerate(tracks) for row in _rows(track, place)]
    if not rows:
        raise NotAnActivityError(
            "The points of this GPX file have no times, so it is a drawn route and not a recording."
        )
    return Recording(
        format="gpx",
        sessions=tuple(_session(track, gpx) for track in tracks),
        samples=pl.DataFrame(rows, schema=RAW_SAMPLES),
        pauses=tuple(pause for track in tracks for pause in _pauses(track)),
        device=gpx.creator,
    )


def _parse(content: bytes) -> GPX:
    if FORBIDDEN_MARKUP.search(content):
        raise IngestError(
            "This GPX file declares a document type or entities, which no watch writes; it was not opened."
        )
    try:
        return gpxpy.parse(content)
    except (GPXException, ValueError, TypeError, KeyError, AttributeError, LookupError) as error:
        raise IngestError(f"This is no readable GPX file: {_one_line(error)}.") from error


def _one_line(error: Exception) -> str:
    said = str(error).replace(
        " in None (got None)", " for every point"
    )  # gpxpy's words for a missing latitude
    return " ".join(said.split())[:200].rstrip(".") or type(error).__name__


def _rows(track: GPXTrack, place: int) -> Iterator[dict[str, Any]]:
    for segment in track.segments:
        for point in segment.points:
            if point.time is not None:
                yield _row(point, place)


def _row(point: GPXTrackPoint, place: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "at": _utc(point.time),
        "session": place,
        "lat_deg": point.latitude,
        "lon_deg": point.longitude,
        "altitude_m": point.elevation,
        "speed_m_per_s": point.speed,
    }
    for extension in point.extensions:
        for element in extension.iter():
            column = EXTENSIONS.get(_local_name(element.tag))
            if column and row.get(column) is None:
                row[column] = _number(element.text)
    return row


def _local_name(tag: object) -> str:
    return str(tag).rpartition("}")[2].rpartition(":")[2].lower()


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _utc(time: datetime | None) -> datetime | None:
    """Return the instant in UTC; GPX times without a zone are UTC by the standard."""
    if time is None:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _session(track: GPXTrack, gpx: GPX) -> Session:
    named: str | None = track.type
    kind = (named or "").strip().lower().replace(" ", "_")
    sport: str | None = SPORTS.get(kind, kind) if kind else None
    sub_sport = None
    if sport and "run" in sport and sport != "running":
        sport, sub_sport = "running", sport.replace("_running", "").replace("running_", "")
    return Session(sport=sport, sub_sport=sub_sport, title=track.name or gpx.name)


def _pauses(track: GPXTrack) -> Iterator[tuple[datetime, datetime]]:
    ends = [
        (_utc(timed[0].time), _utc(timed[-1].time))
        for segment in track.segments
        if (timed := [point for point in segment.points if point.time is not None])
    ]
    for (_, stop), (start, _) in pairwise(ends):
        if stop and start and start > stop:
            yield stop, start
