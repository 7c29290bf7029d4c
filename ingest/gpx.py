"""GPX: bytes to Recording."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ingest.errors import IngestError, NotAnActivityError
from ingest.point_table import breaks_between, timed_samples
from ingest.recording import Columns, Recording, Session
from ingest.sports import sport_named
from ingest.track import haversine_m
from ingest.xml_points import Document, Element, Vocabulary, read_xml

VOCABULARY = Vocabulary(
    point="trkpt",
    children={
        "": frozenset({"gpx"}),
        "gpx": frozenset({"metadata", "name", "desc", "rte", "trk"}),
        "metadata": frozenset({"name", "desc"}),
        "trk": frozenset({"name", "desc", "type", "trkseg"}),
        "trkseg": frozenset({"trkpt"}),
    },
    columns={
        "@lat": "lat_deg",
        "@lon": "lon_deg",
        "ele": "altitude_m",
        "time": "at",
        # Every maker has a schema of its own for the rest.
        "hr": "hr_bpm",
        "heartrate": "hr_bpm",
        "heart_rate": "hr_bpm",
        "heartratebpm/value": "hr_bpm",
        "cad": "cadence_spm",
        "cadence": "cadence_spm",
        "runcadence": "cadence_spm",
        "power": "power_w",
        "watts": "power_w",
        "powerinwatts": "power_w",
        "atemp": "temperature_c",
        "temp": "temperature_c",
        "temperature": "temperature_c",
        "speed": "speed_m_per_s",
    },
)
KM_H_PER_M_S = 3.6
KM_H_SLACK = 0.15
"""So far may speeds in km/h be off from 3.6 times what the positions say."""
MOVING_FROM_M_PER_S = 0.8
LONGEST_TITLE = 200


def read_gpx(content: bytes) -> Recording:
    """
    Decode a GPX file; each track is a session, a break between segments is a pause.

    A point that lacks a position or has an impossible one stays for its time; cleaning judges it.

    Raises:
        NotAnActivityError: For routes and waypoints, and for tracks without times.
        IngestError: If it cannot be read.
    """
    document = read_xml(content, VOCABULARY)
    if document.root is None:
        raise IngestError(f"This is no readable GPX file: {document.broken or 'nothing in it is GPX'}.")
    tracks = [track for track in document.root.all("trk") if track.rows.stop > track.rows.start]
    if not tracks:
        raise _no_track(document, document.root)
    lengths = [track.rows.stop - track.rows.start for track in tracks]
    points = _with_speeds_in_m_per_s(document.points, tracks)
    samples = timed_samples(points, np.repeat(np.arange(len(tracks)), lengths))
    if not len(samples["at"]):
        raise NotAnActivityError(
            "The points of this GPX file have no times, so it is a drawn route and not a recording."
        )
    return Recording(
        format="gpx",
        sessions=tuple(_session(track, document.root) for track in tracks),
        samples=samples,
        pauses=tuple(
            pause
            for track in tracks
            for pause in breaks_between([segment.rows for segment in track.all("trkseg")], points)
        ),
        device=document.root.attributes.get("creator", "").strip() or None,
        missing=document.what_is_missing(),
    )


def _no_track(document: Document, root: Element) -> IngestError:
    if document.broken:
        return IngestError(f"This GPX file is damaged and holds no points ({document.broken}).")
    what = "only a route" if root.all("rte") else "only waypoints or nothing"
    return NotAnActivityError(f"This GPX file holds no track ({what}), so nobody ran it yet.")


def _session(track: Element, root: Element) -> Session:
    sport, sub_sport = sport_named(track.text_of("type"))
    return Session(sport=sport, sub_sport=sub_sport, title=_title(track, root))


def _title(track: Element, root: Element) -> str | None:
    """Return the name, of the track before that of the file; a description stands in for it."""
    title = (
        track.text_of("name")
        or root.text_of("metadata", "name")
        or root.text_of("name")
        or track.text_of("desc")
        or root.text_of("metadata", "desc")
        or root.text_of("desc")
    )
    return title.splitlines()[0][:LONGEST_TITLE] if title else None


def _with_speeds_in_m_per_s(points: Columns, tracks: Sequence[Element]) -> Columns:
    """Divide the speeds of each track where they are km/h: 3.6 times what the positions say."""
    if not {"speed_m_per_s", "lat_deg", "lon_deg"} <= set(points):
        return points
    speeds = points["speed_m_per_s"].copy()
    for rows in (track.rows for track in tracks):
        told, gone = speeds[rows][1:], _speeds_of_positions({name: points[name][rows] for name in points})
        is_known = (gone >= MOVING_FROM_M_PER_S) & (told > 0)
        ratio = np.median(told[is_known] / gone[is_known]) if is_known.any() else 1.0
        if abs(ratio / KM_H_PER_M_S - 1) <= KM_H_SLACK:
            speeds[rows] /= KM_H_PER_M_S
    return {**points, "speed_m_per_s": speeds}


def _speeds_of_positions(points: Columns) -> NDArray[np.float64]:
    """Return the speed from each point to the next, in m/s; NaN where it is unknown."""
    lat, lon = np.radians(points["lat_deg"]), np.radians(points["lon_deg"])
    seconds = np.diff(points["at"]) / np.timedelta64(1, "s")
    metres = haversine_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
    return np.asarray(np.divide(metres, seconds, out=np.full(len(metres), np.nan), where=seconds > 0))
