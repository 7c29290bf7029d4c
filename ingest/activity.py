"""Recording to activities: one per session, with totals, the athlete's day and samples on one time axis."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.clean import LONGEST_ACTIVITY_S, ONE_FOOT_BELOW_SPM, clean, finding
from ingest.duplicates import Outline, outline_of
from ingest.errors import IngestError
from ingest.recording import Columns, Recording, Session, frame_of
from ingest.track import held, standing, way_m

MOVING_FROM_M_PER_S, MOVING_WITHIN_S = 0.8, 30
"""Moving: at walking pace or faster over half a minute, so that a step aside is not half a stop."""
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
CLIMB_SMOOTHING, CLIMB_FROM_M = 9, 3.0
"""Samples over which altitude is averaged, and metres from which a rise is a climb; raw noise would add up to a hill."""
NOISY_ALTITUDE_M, NOISY_CLIMB_SMOOTHING = 0.5, 31
"""A barometer flutters by less than this from sample to sample, a satellite receiver by more: it is smoothed harder."""
EARLIEST = datetime(1990, 1, 2, tzinfo=UTC)
AGREES_SHARE, AGREES_S_OR_M = 0.02, 2
"""Two totals agree when they differ by no more than this share of the larger one, or by this much."""
AGREES_WITH_POSITIONS_SHARE = 0.1
"""The way along positions is longer than the one run by their noise, shorter by the corners it cuts."""

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
    counted_m = _last(samples["distance_m"])
    cleaned = clean(samples, told)
    samples = cleaned.samples
    if told.distance_m and _agree(told.distance_m, counted_m):  # the summary has counted what was wrong, too
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
    totals, total_findings = _totals(
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
    metres, seconds = _last(samples["distance_m"]), _last(samples["timer_s"])
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


# Totals --------------------------------------------------------------------------------------------------


def _totals(
    told: Session, samples: Columns, laps: pl.DataFrame, *, is_whole: bool, has_timer_events: bool
) -> tuple[dict[str, object], list[str]]:
    """Return the totals, and where the file contradicts itself; heart rate is that of the samples."""
    reached_s, ran_s = _last(samples["elapsed_s"]), _last(samples["timer_s"])
    if not has_timer_events and _may_know_of_pauses(told, ran_s, reached_s):
        ran_s = told.timer_s
    timer_s, time_findings = _believed(
        "time", "s", told.timer_s, ran_s, _sum(laps["timer_s"]), is_whole=is_whole
    )
    elapsed_s = max(told.elapsed_s or 0.0, reached_s or 0.0, timer_s or 0.0)
    timer_s = elapsed_s if timer_s is None else timer_s
    if not 0 < timer_s <= elapsed_s < LONGEST_ACTIVITY_S:
        raise IngestError(
            "The recording covers no time (one point, or an end before its start) or more than a week."
        )
    told_m = told.distance_m
    is_as_long_as_its_way = told_m is not None and _agree(
        told_m, _length_of_way_m(samples), AGREES_WITH_POSITIONS_SHARE
    )
    distance_m, distance_findings = _believed(
        "distance",
        "m",
        told_m,
        told_m if is_as_long_as_its_way else _last(samples["distance_m"]),
        _sum(laps["distance_m"]),
        is_whole=is_whole,
    )
    climbed_m, dropped_m = _climbs(samples["altitude_m"])
    avg_hr_bpm, max_hr_bpm = _heart_rate(told, samples["hr_bpm"])
    totals: dict[str, object] = {
        "elapsed_s": elapsed_s,
        "timer_s": timer_s,
        "moving_s": _moving_s(samples, timer_s),
        "distance_m": distance_m,
        "ascent_m": told.ascent_m if climbed_m is None else climbed_m,
        "descent_m": told.descent_m if dropped_m is None else dropped_m,
        "avg_hr_bpm": avg_hr_bpm,
        "max_hr_bpm": max_hr_bpm,
        "avg_cadence_spm": _mean(samples["cadence_spm"][samples["cadence_spm"] > 0]),
        "pace_s_per_km": timer_s / (distance_m / 1000) if distance_m else None,
        "steps": told.steps,
    }
    return totals, time_findings + distance_findings


def _believed(
    what: str, unit: str, told: float | None, samples: float | None, laps: float | None, *, is_whole: bool
) -> tuple[float | None, list[str]]:
    """
    Return the total to believe: the summary's if samples or laps bear it out, else that of the samples, then of the laps.

    Watches die before the last lap, count a later ride, or lose samples; two that agree outvote the third.
    """
    if told is None:
        return (samples if samples is not None else laps), []
    if any(_agree(told, one) for one in (samples, laps)):
        return told, []
    if samples and is_whole:
        believed, by = samples, "samples"
    elif laps and laps > told:
        believed, by = laps, "laps"
    else:
        return told, []
    return believed, [
        f"the summary gives {told:,.0f} {unit} of {what}, the {by} {believed:,.0f} {unit}: the {by} are believed"
    ]


def _may_know_of_pauses(told: Session, ran_s: float | None, reached_s: float | None) -> bool:
    """Tell whether the watch saw the whole session, so that its timer knows of pauses that samples do not show."""
    if told.timer_s is None or ran_s is None or reached_s is None or told.timer_s > reached_s:
        return False
    return told.timer_s >= ran_s or _agree(reached_s, told.elapsed_s)


def _agree(one: float, other: float | None, share: float = AGREES_SHARE) -> bool:
    return other is not None and abs(one - other) <= max(AGREES_S_OR_M, share * max(one, other))


def _sum(column: pl.Series) -> float | None:
    """Return the sum if there are values and all are known."""
    return float(column.sum()) if len(column) and not column.null_count() else None


def _length_of_way_m(samples: Columns) -> float | None:
    steps_m = way_m(samples)
    if steps_m is None:
        return None
    return float(steps_m[np.diff(samples["timer_s"]) > 0].sum())


def _last(values: Numbers) -> float | None:
    known = np.flatnonzero(~np.isnan(values))
    return float(values[known[-1]]) if len(known) else None


def _mean(values: Numbers) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _heart_rate(told: Session, hr_bpm: Numbers) -> tuple[float | None, float | None]:
    mean = _mean(hr_bpm)
    if mean is not None:
        return mean, float(np.nanmax(hr_bpm))
    return (None, None) if len(hr_bpm) else (told.avg_hr_bpm or None, told.max_hr_bpm or None)


def _moving_s(samples: Columns, timer_s: float) -> float | None:
    """Return the time with the timer running at walking pace or faster, the speed being that of half a minute around."""
    known = np.flatnonzero(~np.isnan(samples["distance_m"]))
    if len(samples["at"]) < 2 or not len(known):
        return None
    ran_s, distance_m = samples["timer_s"], samples["distance_m"][known]
    before, behind = (
        np.clip(ran_s + half_s, ran_s[0], ran_s[-1]) for half_s in (-MOVING_WITHIN_S / 2, MOVING_WITHIN_S / 2)
    )
    metres = np.interp(behind, ran_s[known], distance_m) - np.interp(before, ran_s[known], distance_m)
    is_moving = metres >= MOVING_FROM_M_PER_S * (behind - before)
    return min(float(np.diff(ran_s)[is_moving[1:]].sum()), timer_s)


def _climbs(altitude_m: Numbers) -> tuple[float | None, float | None]:
    """
    Return metres up and down.

    A climb ends when the smoothed altitude has fallen by a threshold from its highest, a descent the other way round, so
    that flutter adds nothing.
    """
    known = altitude_m[~np.isnan(altitude_m)]
    if len(known) < 2:
        return None, None
    flutter_m = np.median(np.abs(np.diff(known, 2))) / 0.6745 / np.sqrt(6) if len(known) > 2 else 0.0
    is_noisy = flutter_m >= NOISY_ALTITUDE_M
    smoothed = _smoothed(known, NOISY_CLIMB_SMOOTHING if is_noisy else CLIMB_SMOOTHING)
    up_m = down_m = 0.0
    low = high = base = float(smoothed[0])
    is_rising: bool | None = None
    for altitude in _turning_points(smoothed).tolist():
        high = max(high, altitude) if is_rising is not False else high
        low = min(low, altitude) if is_rising is not True else low
        if is_rising is not True and altitude - low >= CLIMB_FROM_M:
            down_m += base - low if is_rising is False else 0.0
            is_rising, base, high = True, low, altitude
        elif is_rising is not False and high - altitude >= CLIMB_FROM_M:
            up_m += high - base if is_rising else 0.0
            is_rising, base, low = False, high, altitude
    if is_rising is not None:
        up_m, down_m = (up_m + high - base, down_m) if is_rising else (up_m, down_m + base - low)
    return float(up_m), float(down_m)


def _turning_points(values: Numbers) -> Numbers:
    """Return the values at which a rise turns into a fall or the other way round, and the last one."""
    steps = np.diff(values)
    moving = np.flatnonzero(steps)
    turns = moving[1:][np.signbit(steps[moving[1:]]) != np.signbit(steps[moving[:-1]])]
    return np.append(values[turns], values[-1])


def _smoothed(values: Numbers, window: int) -> Numbers:
    """Return the mean of each value and its neighbours, as many as there are up to half the window on each side."""
    half, count = window // 2, len(values)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    first = np.maximum(np.arange(count) - half, 0)
    behind = np.minimum(np.arange(count) + half + 1, count)
    return np.asarray((sums[behind] - sums[first]) / (behind - first))


def _laps(recording: Recording, place: int) -> pl.DataFrame:
    """Return the laps that started within this session: those before the next one's start."""
    starts = [session.started_at for session in recording.sessions]
    laps = recording.laps
    if place > 0 and starts[place] is not None:
        laps = laps.filter(pl.col("started_at") >= starts[place])
    if place + 1 < len(starts) and starts[place + 1] is not None:
        laps = laps.filter(pl.col("started_at") < starts[place + 1])
    return laps.sort("started_at", maintain_order=True, nulls_last=True).with_row_index("lap_index")
