"""Recording to activities: one per session, with totals, the athlete's day and samples on one time axis."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.clean import ONE_FOOT_BELOW_SPM, clean, finding
from ingest.duplicates import Outline, outline_of
from ingest.errors import IngestError
from ingest.recording import Columns, Recording, Session, frame_of
from ingest.totals import agree, last_known, totals_of
from ingest.track import held, standing, way_m

STANDING_BELOW_M_PER_S = 0.5
PAUSE_FROM_S = 30
"""A gap this long without advance is a pause; smart recording leaves shorter ones, also while one waits."""
INDOOR_SUB_SPORTS = {
    "treadmill",
    "indoor_running",
    "indoor_track",
    "virtual_activity",
    "indoor_cycling",
    "spin",
    "lap_swimming",
}
GUESSED_RUN_M_PER_S = (2.0, 4.5)
"""8:20 to 3:42 per kilometre: slower is walking, faster may be a bicycle."""
GUESSED_RUN_WITH_CADENCE_M_PER_S = (1.6, 6.0)
GUESSED_RUN_STRIDES = (70, 105)
EARLIEST = datetime(1990, 1, 2, tzinfo=UTC)
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Activity:
    """
    One activity, ready for the store.

    Attributes:
        row: Columns of table `activities` (all but those that follow from other activities or from decisions).
        samples: Columns of the samples files but activity_id.
        laps: Columns of table `laps` but activity_id.
        outline: Where one was when, in a few words.
    """

    row: dict[str, object]
    samples: pl.DataFrame
    laps: pl.DataFrame
    outline: Outline


def activities_of(
    recording: Recording, *, athlete: str, export_id: str, zone: ZoneInfo, now: datetime
) -> list[Activity]:
    """
    Return the activities in a recording; a session that cannot be believed is left out beside ones that can.

    Raises:
        IngestError: If none of its sessions has a start and a duration one could believe.
    """
    found: list[Activity] = []
    refusals: list[IngestError] = []
    for place, samples in enumerate(_by_session(recording)):
        try:
            found.append(_activity(recording, place, samples, athlete, export_id, zone, now))
        except IngestError as refusal:
            refusals.append(refusal)
    if not found:
        raise refusals[0]
    return found


def activity_id_of(athlete: str, export_id: str, place: int) -> str:
    """Return the stable id of a session: whose, from which bytes, at which place."""
    return hashlib.sha256(f"{athlete}|{export_id}|{place}".encode()).hexdigest()


def _by_session(recording: Recording) -> Iterator[Columns]:
    """Return the samples of each session, as arrays of their own."""
    session = recording.samples["session"]
    for place in range(len(recording.sessions)):
        mask = session == place
        yield {name: values[mask] for name, values in recording.samples.items() if name != "session"}


def _activity(
    recording: Recording,
    place: int,
    samples: Columns,
    athlete: str,
    export_id: str,
    zone: ZoneInfo,
    now: datetime,
) -> Activity:
    told = recording.sessions[place]
    counted_m = last_known(samples["distance_m"])
    cleaned = clean(samples, told)
    samples = cleaned.samples
    if told.distance_m and agree(told.distance_m, counted_m):  # the summary has counted what was wrong, too
        told = replace(told, distance_m=max(told.distance_m + cleaned.added_m, 0.0))
    started_at = _started_at(told, samples)
    if started_at is None:
        raise IngestError("The file does not say when it was recorded.")
    if not EARLIEST < started_at < now + timedelta(days=2):
        raise IngestError(
            f"The recording starts on {started_at:%Y-%m-%d}, which cannot be: the clock was wrong."
        )
    _put_on_time_axis(samples, started_at, recording.pauses)
    drift = _fill_in_distance(samples)
    sport, sport_findings = _sport(told, samples)
    _count_both_feet(samples, is_run=sport == "running")
    laps = _laps(recording, place)
    totals, total_findings = totals_of(
        told, samples, laps, is_whole=not recording.missing, has_timer_events=bool(recording.pauses)
    )
    offset_s = _utc_offset_s(recording, samples, started_at, zone)
    row = {
        "activity_id": activity_id_of(athlete, export_id, place),
        "athlete": athlete,
        "export_id": export_id,
        "sport": sport or "unknown",
        "sub_sport": told.sub_sport,
        "is_run": sport == "running",
        "is_indoor": told.sub_sport in INDOOR_SUB_SPORTS,
        "started_at": started_at,
        "local_date": (started_at + timedelta(seconds=offset_s)).date(),
        "utc_offset_s": offset_s,
        **totals,
        "rpe": told.rpe,
        "feel": told.feel,
        "title": told.title,
        "description": told.description,
        "gear": told.gear,
        "device": recording.device,
        "quality": [
            *recording.findings,
            *cleaned.findings,
            *filter(None, [drift]),
            *sport_findings,
            *total_findings,
            *([recording.missing] if recording.missing else []),
        ],
        "repaired_share": _repaired_share(samples, cleaned.is_repaired, cleaned.dropped),
    }
    return Activity(row, frame_of(samples), laps, outline_of(samples))


def _started_at(told: Session, samples: Columns) -> datetime | None:
    first: datetime | None = samples["at"][0].item().replace(tzinfo=UTC) if len(samples["at"]) else None
    if told.started_at is None or first is None:
        return told.started_at or first
    return min(told.started_at, first)


def _repaired_share(samples: Columns, is_repaired: NDArray[np.bool_], dropped: int) -> float:
    """Return the share of the time: a sample stands for the time since the one before it, at most a pause's."""
    count = len(is_repaired)
    if count + dropped == 0:
        return 0.0
    weights = np.ones(count)
    weights[1:] = np.clip(np.diff(samples["elapsed_s"]), 0, PAUSE_FROM_S)
    usual = float(np.median(weights)) if count else 1.0
    whole = float(weights.sum()) + dropped * usual
    return (float(weights[is_repaired].sum()) + dropped * usual) / whole if whole else 0.0


# The athlete's day ---------------------------------------------------------------------------------------


def _utc_offset_s(recording: Recording, samples: Columns, started_at: datetime, zone: ZoneInfo) -> int:
    """Return the offset of local time: as the file says, else where it began, else where the athlete lives."""
    if recording.utc_offset_s is not None:
        return recording.utc_offset_s
    offset = started_at.astimezone(_zone_at_start(samples) or zone).utcoffset()
    return int((offset or timedelta()).total_seconds())


def _zone_at_start(samples: Columns) -> ZoneInfo | None:
    known = np.flatnonzero(~np.isnan(samples["lat_deg"]))
    if not len(known):
        return None
    from tzfpy import get_tz  # loads its map of the world; most files say their offset themselves

    name = get_tz(float(samples["lon_deg"][known[0]]), float(samples["lat_deg"][known[0]]))
    try:
        return ZoneInfo(name) if name else None
    except ZoneInfoNotFoundError:
        return None


# Sport ---------------------------------------------------------------------------------------------------


def _sport(told: Session, samples: Columns) -> tuple[str | None, list[str]]:
    """Return the sport; where the file does not name it, running if pace (and cadence, if there is any) are a runner's."""
    if told.sport not in (None, "unknown"):
        return told.sport, []
    metres, seconds = last_known(samples["distance_m"]), last_known(samples["timer_s"])
    speed = metres / seconds if metres and seconds else 0.0
    cadence = _usual_cadence(samples)
    slow, fast = GUESSED_RUN_M_PER_S if cadence is None else GUESSED_RUN_WITH_CADENCE_M_PER_S
    if slow <= speed <= fast and (cadence is None or _is_of_a_runner(cadence)):
        return "running", ["sport not named in the file, taken for running by its pace"]
    return None, ["sport not named in the file"]


def _is_of_a_runner(cadence: float) -> bool:
    few, many = GUESSED_RUN_STRIDES
    return few <= cadence <= many or 2 * few <= cadence <= 2 * many


def _usual_cadence(samples: Columns) -> float | None:
    turning = samples["cadence_spm"][samples["cadence_spm"] > 0]
    return float(np.median(turning)) if len(turning) else None


def _count_both_feet(samples: Columns, *, is_run: bool) -> None:
    usual = _usual_cadence(samples)
    if is_run and usual is not None and usual < ONE_FOOT_BELOW_SPM:
        samples["cadence_spm"] *= 2


# Time and distance ---------------------------------------------------------------------------------------


def _put_on_time_axis(
    samples: Columns, started_at: datetime, pauses: Sequence[tuple[datetime, datetime]]
) -> None:
    """Add elapsed_s and timer_s; without timer events a long gap without advance is a pause."""
    start = np.datetime64(started_at.replace(tzinfo=None), "us")
    elapsed_s = (samples["at"] - start) / np.timedelta64(1, "s")
    spans = [
        (max((stop - started_at).total_seconds(), 0.0), (again - started_at).total_seconds())
        for stop, again in pauses
        if again > started_at  # those before it belong to the session before it
    ]
    if not pauses:
        spans = _standing_gaps(elapsed_s, samples)
    timer_s = elapsed_s.copy()
    for stop_s, again_s in spans:
        timer_s -= np.clip(elapsed_s, stop_s, again_s) - stop_s
    samples["elapsed_s"], samples["timer_s"] = elapsed_s, timer_s


def _standing_gaps(elapsed_s: Numbers, samples: Columns) -> list[tuple[float, float]]:
    metres = _steps_m(samples)
    if metres is None:
        return []
    gap_s = np.diff(elapsed_s)
    is_pause = (gap_s >= PAUSE_FROM_S) & (np.nan_to_num(metres) < STANDING_BELOW_M_PER_S * gap_s)
    return [(float(elapsed_s[i]), float(elapsed_s[i + 1])) for i in np.flatnonzero(is_pause)]


def _steps_m(samples: Columns) -> Numbers | None:
    """Return the metres between neighbouring samples: the device's own, else along the surface of the earth."""
    distance_m = samples["distance_m"]
    if not np.isnan(distance_m).all():
        return np.diff(np.nan_to_num(held(distance_m)))
    return way_m(samples)


def _fill_in_distance(samples: Columns) -> str:
    """
    Fill in the distance where the file has positions only, and return what was found.

    What passes in a pause counts for nothing, nor does the drift of positions while one stands.
    """
    if len(samples["at"]) < 2 or not np.isnan(samples["distance_m"]).all():
        return ""
    steps_m = way_m(samples)
    if steps_m is None:
        return ""
    steps_m = np.where(np.diff(samples["timer_s"]) > 0, steps_m, 0.0)
    is_drift = standing(samples) & (steps_m > 0)
    drift_m = float(steps_m[is_drift].sum())
    steps_m[is_drift] = 0.0
    samples["distance_m"] = np.concatenate([[0.0], np.cumsum(steps_m)])
    return finding("position drifted while standing", int(np.count_nonzero(is_drift)), -drift_m)


def _laps(recording: Recording, place: int) -> pl.DataFrame:
    """Return the laps that started within this session: those before the next one's start."""
    starts = [session.started_at for session in recording.sessions]
    laps = recording.laps
    if place > 0 and starts[place] is not None:
        laps = laps.filter(pl.col("started_at") >= starts[place])
    if place + 1 < len(starts) and starts[place + 1] is not None:
        laps = laps.filter(pl.col("started_at") < starts[place + 1])
    return laps.sort("started_at", maintain_order=True, nulls_last=True).with_row_index("lap_index")
