"""Recording to activities: one per session, with totals, the athlete's day and samples on one time axis."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.clean import LONGEST_ACTIVITY_S, clean
from ingest.errors import IngestError
from ingest.recording import Recording, Session

EARTH_RADIUS_M = 6_371_008.8
MOVING_FROM_M_PER_S = 0.8
STANDING_BELOW_M_PER_S = 0.5
PAUSE_FROM_S = 15
"""A gap this long without advance is a pause; smart recording leaves gaps of 2 to 10 s that are none."""
ONE_FOOT_BELOW_SPM = 120
"""Running cadence with a median below this counts one leg: doubled."""
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
CLIMB_SMOOTHING = 15
"""Samples over which altitude is averaged before climbs are summed; raw noise would add up to a hill."""
EARLIEST = datetime(1990, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Activity:
    """
    One activity, ready for the store.

    Attributes:
        row: Columns of table `activities` (all but duplicate_of and is_excluded).
        samples: Columns of the samples files but activity_id.
        laps: Columns of table `laps` but activity_id.
    """

    row: dict[str, object]
    samples: pl.DataFrame
    laps: pl.DataFrame


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
    for place in range(len(recording.sessions)):
        try:
            found.append(_activity(recording, place, athlete, export_id, zone, now))
        except IngestError as refusal:
            refusals.append(refusal)
    if not found:
        raise refusals[0]
    return found


def activity_id_of(athlete: str, export_id: str, place: int) -> str:
    """Return the stable id of a session: whose, from which bytes, at which place."""
    return hashlib.sha256(f"{athlete}|{export_id}|{place}".encode()).hexdigest()


def _activity(
    recording: Recording, place: int, athlete: str, export_id: str, zone: ZoneInfo, now: datetime
) -> Activity:
    told, cleaned = recording.sessions[place], clean(recording, place)
    started_at = _started_at(told, cleaned.samples)
    if started_at is None:
        raise IngestError("The file does not say when it was recorded.")
    if not EARLIEST < started_at < now + timedelta(days=2):
        raise IngestError(
            f"The recording starts on {started_at:%Y-%m-%d}, which cannot be: the clock was wrong."
        )
    samples = _with_distance(_on_time_axis(cleaned.samples, started_at, recording.pauses))
    sport, findings = _sport(told, samples)
    samples = _with_both_feet(samples, is_run=sport == "running")
    totals = _totals(told, samples)
    offset_s = recording.utc_offset_s
    if offset_s is None:
        offset_s = int((started_at.astimezone(zone).utcoffset() or timedelta()).total_seconds())
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
        "device": recording.device,
        "quality": [
            *recording.findings,
            *cleaned.findings,
            *findings,
            *([recording.missing] if recording.missing else []),
        ],
        "repaired_share": cleaned.repaired / max(samples.height, 1),
    }
    return Activity(row, samples, _laps(recording, place))


def _started_at(told: Session, samples: pl.DataFrame) -> datetime | None:
    first: datetime | None = samples["at"].min() if samples.height else None  # type: ignore[assignment]
    if told.started_at is None or first is None:
        return told.started_at or first
    return min(told.started_at, first)


def _sport(told: Session, samples: pl.DataFrame) -> tuple[str | None, list[str]]:
    """Return the sport; where the file does not name it, running if pace (and cadence, if there is any) are a runner's."""
    if told.sport not in (None, "unknown"):
        return told.sport, []
    metres, seconds = _last(samples, "distance_m"), _last(samples, "timer_s")
    speed = metres / seconds if metres and seconds else 0.0
    cadence = samples["cadence_spm"].filter(samples["cadence_spm"] > 0).median()
    slow, fast = GUESSED_RUN_M_PER_S if cadence is None else GUESSED_RUN_WITH_CADENCE_M_PER_S
    if slow <= speed <= fast and (cadence is None or _is_of_a_runner(cadence)):
        return "running", ["sport not named in the file, taken for running by its pace"]
    return None, ["sport not named in the file"]


def _is_of_a_runner(cadence: object) -> bool:
    few, many = GUESSED_RUN_STRIDES
    return isinstance(cadence, float) and (few <= cadence <= many or 2 * few <= cadence <= 2 * many)


def _on_time_axis(
    samples: pl.DataFrame, started_at: datetime, pauses: tuple[tuple[datetime, datetime], ...]
) -> pl.DataFrame:
    """Add elapsed_s and timer_s; without timer events a long gap without advance is a pause."""
    elapsed_s = ((samples["at"] - started_at).dt.total_microseconds() / 1e6).to_numpy()
    spans = [
        (max((stop - started_at).total_seconds(), 0.0), (start - started_at).total_seconds())
        for stop, start in pauses
        if start > started_at  # those before it belong to the session before it
    ]
    if not pauses:
        spans = _standing_gaps(elapsed_s, samples)
    timer_s = elapsed_s.copy()
    for stop_s, start_s in spans:
        timer_s -= np.clip(elapsed_s, stop_s, start_s) - stop_s
    return samples.with_columns(elapsed_s=pl.Series(elapsed_s), timer_s=pl.Series(timer_s)).drop("session")


def _standing_gaps(elapsed_s: NDArray[np.float64], samples: pl.DataFrame) -> list[tuple[float, float]]:
    if len(elapsed_s) < 2:
        return []
    gap_s = np.diff(elapsed_s)
    metres = _steps_m(samples)
    if metres is None:
        return []
    is_pause = (gap_s >= PAUSE_FROM_S) & (np.nan_to_num(metres) < STANDING_BELOW_M_PER_S * gap_s)
    return [(float(elapsed_s[i]), float(elapsed_s[i + 1])) for i in np.flatnonzero(is_pause)]


def _steps_m(samples: pl.DataFrame) -> NDArray[np.float64] | None:
    """Return the metres between neighbouring samples: the device's own, else along the surface of the earth."""
    if samples["distance_m"].null_count() < samples.height:
        return np.diff(samples["distance_m"].forward_fill().fill_null(0).to_numpy())
    if samples["lat_deg"].null_count() == samples.height:
        return None
    lat = np.radians(samples["lat_deg"].forward_fill().backward_fill().to_numpy())
    lon = np.radians(samples["lon_deg"].forward_fill().backward_fill().to_numpy())
    return haversine_m(lat[:-1], lon[:-1], lat[1:], lon[1:])


def haversine_m(
    lat1: NDArray[np.float64], lon1: NDArray[np.float64], lat2: NDArray[np.float64], lon2: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return great-circle distances in metres between positions in radians."""
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0, 1))))


def _with_both_feet(samples: pl.DataFrame, *, is_run: bool) -> pl.DataFrame:
    median = samples["cadence_spm"].filter(samples["cadence_spm"] > 0).median()
    if is_run and isinstance(median, float) and median < ONE_FOOT_BELOW_SPM:
        return samples.with_columns(pl.col("cadence_spm") * 2)
    return samples


def _with_distance(samples: pl.DataFrame) -> pl.DataFrame:
    """Fill in the distance where the file has positions only; what passes in a pause counts for nothing."""
    if samples.height < 2 or samples["distance_m"].null_count() < samples.height:
        return samples
    steps_m = _steps_m(samples)
    if steps_m is None:
        return samples
    is_running = np.diff(samples["timer_s"].to_numpy()) > 0
    distance_m = np.concatenate([[0.0], np.cumsum(np.where(is_running, steps_m, 0.0))])
    return samples.with_columns(distance_m=pl.Series(distance_m))


def _totals(told: Session, samples: pl.DataFrame) -> dict[str, object]:
    """Return the totals; heart rate comes from the samples, because session messages lie about it."""
    elapsed_s = told.elapsed_s or _last(samples, "elapsed_s") or told.timer_s or 0.0
    timer_s = told.timer_s or _last(samples, "timer_s")
    timer_s = elapsed_s if timer_s is None else timer_s
    if not 0 < timer_s <= max(elapsed_s, timer_s) < LONGEST_ACTIVITY_S:
        raise IngestError(
            "The recording covers no time (one point, or an end before its start) or more than a week."
        )
    distance_m = told.distance_m if told.distance_m is not None else _last(samples, "distance_m")
    climbed_m, dropped_m = _climbs(samples)
    avg_hr_bpm, max_hr_bpm = _heart_rate(told, samples)
    cadence = samples["cadence_spm"].filter(samples["cadence_spm"] > 0).mean()
    return {
        "elapsed_s": max(elapsed_s, timer_s),
        "timer_s": timer_s,
        "moving_s": _moving_s(samples, timer_s),
        "distance_m": distance_m,
        "ascent_m": told.ascent_m if told.ascent_m is not None else climbed_m,
        "descent_m": told.descent_m if told.descent_m is not None else dropped_m,
        "avg_hr_bpm": avg_hr_bpm,
        "max_hr_bpm": max_hr_bpm,
        "avg_cadence_spm": cadence,
        "pace_s_per_km": timer_s / (distance_m / 1000) if distance_m else None,
        "steps": told.steps,
    }


def _last(samples: pl.DataFrame, column: str) -> float | None:
    known = samples[column].drop_nulls()
    return float(known[-1]) if len(known) else None


def _heart_rate(told: Session, samples: pl.DataFrame) -> tuple[float | None, float | None]:
    if samples["hr_bpm"].null_count() < samples.height:
        mean, highest = samples.select(pl.col("hr_bpm").mean(), pl.col("hr_bpm").max().alias("max")).row(0)
        return mean, highest
    return (None, None) if samples.height else (told.avg_hr_bpm or None, told.max_hr_bpm or None)


def _moving_s(samples: pl.DataFrame, timer_s: float) -> float | None:
    if samples.height < 2 or samples["distance_m"].null_count() == samples.height:
        return None
    seconds = np.diff(samples["timer_s"].to_numpy())
    metres = np.diff(
        samples["distance_m"]
        .interpolate()
        .fill_null(strategy="backward")
        .fill_null(strategy="forward")
        .to_numpy()
    )
    is_moving = metres >= MOVING_FROM_M_PER_S * seconds
    return min(float(seconds[is_moving].sum()), timer_s)


def _climbs(samples: pl.DataFrame) -> tuple[float | None, float | None]:
    altitude_m = samples["altitude_m"].drop_nulls().rolling_mean(CLIMB_SMOOTHING, min_samples=1, center=True)
    if len(altitude_m) < 2:
        return None, None
    steps_m = np.diff(altitude_m.to_numpy())
    return float(steps_m[steps_m > 0].sum()), float(-steps_m[steps_m < 0].sum())


def _laps(recording: Recording, place: int) -> pl.DataFrame:
    """Return the laps that started within this session: those before the next one's start."""
    starts = [session.started_at for session in recording.sessions]
    laps = recording.laps
    if place > 0 and starts[place] is not None:
        laps = laps.filter(pl.col("started_at") >= starts[place])
    if place + 1 < len(starts) and starts[place + 1] is not None:
        laps = laps.filter(pl.col("started_at") < starts[place + 1])
    return laps.sort("started_at", maintain_order=True, nulls_last=True).with_row_index("lap_index")
