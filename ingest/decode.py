"""The readers, one per format, and all that becomes of one archived file before the store: bytes to activities."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl

from ingest.activity import Activity, activities_of
from ingest.errors import IngestError
from ingest.fit import read_fit
from ingest.gpx import read_gpx
from ingest.jobs import Job, Read, Ready
from ingest.polar import read_polar
from ingest.recording import NOTHING_TOLD, Recording, Told
from ingest.summary import read_summary
from ingest.tcx import read_tcx
from store.samples import encode_samples

READERS: dict[str, Callable[[bytes], Recording]] = {
    "fit": read_fit,
    "gpx": read_gpx,
    "tcx": read_tcx,
    "polar": read_polar,
    "summary": read_summary,
}

TELLING_COLUMNS = ("lat_deg", "distance_m", "altitude_m", "hr_bpm", "cadence_spm", "stance_time_ms")

NOT_YET = {
    "zip": "This is an archive inside an archive inside an archive; unpack it and drop what is inside.",
}


def read(job: Job) -> Read:
    """
    Return the activities in a file.

    Raises:
        IngestError: With a sentence for the runner.
    """
    recording = _with_told(decode(job.format, job.path.read_bytes()), job.told)
    found = activities_of(
        recording,
        athlete=job.athlete,
        export_id=job.export_id,
        zone=ZoneInfo(job.time_zone),
        now=job.now,
    )
    return Read(tuple(map(_ready, found)), recording.missing)


def decode(format_name: str, content: bytes) -> Recording:
    """
    Return what the file holds.

    Raises:
        IngestError: With a sentence for the runner.
    """
    reader = READERS.get(format_name)
    if reader is None:
        raise IngestError(NOT_YET[format_name])
    return reader(content)


def _with_told(recording: Recording, told: Told) -> Recording:
    """Add what the archive says about an export where the export itself says nothing."""
    if told == NOTHING_TOLD:
        return recording
    sessions = tuple(
        replace(
            session,
            title=session.title or told.title,
            description=session.description or told.description,
            sport=told.sport if session.sport in (None, "unknown") and told.sport else session.sport,
            rpe=told.rpe if session.rpe is None else session.rpe,
            gear=session.gear or told.gear,
        )
        for session in recording.sessions
    )
    return replace(recording, sessions=sessions)


def _ready(activity: Activity) -> Ready:
    activity_id, started_at = activity.row["activity_id"], activity.row["started_at"]
    assert isinstance(started_at, datetime)
    return Ready(
        activity.row,
        [{"activity_id": activity_id, **lap} for lap in activity.laps.to_dicts()],
        {
            "activity_id": activity_id,
            "lat_deg": activity.outline.lat_deg.tolist(),
            "lon_deg": activity.outline.lon_deg.tolist(),
            "distance_m": activity.outline.distance_m.tolist(),
            "known_columns": _known_columns(activity.samples),
            "samples": activity.samples.height,
        },
        started_at.astimezone(UTC).year,
        encode_samples(activity.samples, activity_id=str(activity_id)),
    )


def _known_columns(samples: pl.DataFrame) -> int:
    """Return how many of the columns that matter the samples have."""
    counts = samples.select(pl.col(name).count() for name in TELLING_COLUMNS).row(0)
    return sum(count > 0 for count in counts)
