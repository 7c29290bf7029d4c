"""Write a recording as the GPX a platform exports: a point a second, heart rate and cadence as extensions."""

from collections.abc import Iterator
from datetime import UTC, timedelta
from xml.sax.saxutils import escape

from sample_data.recording import BAROMETER_STEP_M, SEMICIRCLES_PER_DEG, Position, Recording

SEGMENT_BREAK_S = 120  # shorter pauses are gaps within a segment

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="Sample platform" xmlns="http://www.topografix.com/GPX/1/1" \
xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v1">
 <metadata><time>{time}</time></metadata>
 <trk>
  <name>{name}</name>
  <type>running</type>
"""
_POINT = (
    '   <trkpt lat="{lat_deg:.7f}" lon="{lon_deg:.7f}"><ele>{altitude_m:.1f}</ele><time>{time}</time>'
    "<extensions><gpxtpx:TrackPointExtension><gpxtpx:hr>{hr_bpm}</gpxtpx:hr><gpxtpx:cad>{cadence_rpm}</gpxtpx:cad>"
    "</gpxtpx:TrackPointExtension></extensions></trkpt>\n"
)


def encode(recording: Recording, *, first_sample: int = 0) -> bytes:
    """Return the recording as the bytes of a GPX file, from this sample on."""
    if recording.position is None:
        raise ValueError("a run without positions cannot be a GPX file")
    return "".join(_parts(recording, recording.position, first_sample)).encode()


def _parts(recording: Recording, position: Position, first_sample: int) -> Iterator[str]:
    yield _HEAD.format(time=_time(recording, first_sample), name=escape(recording.run.title))
    count = len(recording.elapsed_s)
    breaks = [index + 1 for index, duration_s in recording.pauses if duration_s >= SEGMENT_BREAK_S]
    for first, end in zip([first_sample, *breaks], [*breaks, count], strict=True):
        yield "  <trkseg>\n"
        for index in range(first, end):
            yield _point(recording, position, index)
        yield "  </trkseg>\n"
    yield " </trk>\n</gpx>\n"


def _point(recording: Recording, position: Position, index: int) -> str:
    steps = 0 if recording.altitude_steps is None else int(recording.altitude_steps[index])
    return _POINT.format(
        lat_deg=int(position.lat_semicircles[index]) / SEMICIRCLES_PER_DEG,
        lon_deg=int(position.lon_semicircles[index]) / SEMICIRCLES_PER_DEG,
        altitude_m=steps * BAROMETER_STEP_M,
        time=_time(recording, index),
        hr_bpm=int(recording.hr_bpm[index]),
        cadence_rpm=int(recording.cadence_spm[index]) // 2,  # of one leg
    )


def _time(recording: Recording, index: int) -> str:
    at = recording.started_at + timedelta(seconds=int(recording.elapsed_s[index]))
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
