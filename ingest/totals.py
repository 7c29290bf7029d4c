"""Totals of a session: what the summary says, held against its samples, its laps and its way."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.clean import LONGEST_ACTIVITY_S
from ingest.errors import IngestError
from ingest.recording import Columns, Session
from ingest.track import way_m

MOVING_FROM_M_PER_S, MOVING_WITHIN_S = 0.8, 30
"""Moving: at walking pace or faster over half a minute, so that a step aside is not half a stop."""
CLIMB_SMOOTHING, CLIMB_FROM_M = 9, 3.0
"""Samples over which altitude is averaged, and metres from which a rise is a climb; raw noise would add up to a hill."""
NOISY_ALTITUDE_M, NOISY_CLIMB_SMOOTHING = 0.5, 31
"""A barometer flutters by less than this from sample to sample, a satellite receiver by more: it is smoothed harder."""
AGREES_SHARE, AGREES_S_OR_M = 0.02, 2
"""Two totals agree when they differ by no more than this share of the larger one, or by this much."""
AGREES_WITH_POSITIONS_SHARE = 0.1
"""The way along positions is longer than the one run by their noise, shorter by the corners it cuts."""

Numbers = NDArray[np.float64]


def totals_of(
    told: Session, samples: Columns, laps: pl.DataFrame, *, is_whole: bool, has_timer_events: bool
) -> tuple[dict[str, object], list[str]]:
    """Return the totals, and where the file contradicts itself; heart rate is that of the samples."""
    reached_s, ran_s = last_known(samples["elapsed_s"]), last_known(samples["timer_s"])
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
    is_as_long_as_its_way = told_m is not None and agree(
        told_m, _length_of_way_m(samples), AGREES_WITH_POSITIONS_SHARE
    )
    distance_m, distance_findings = _believed(
        "distance",
        "m",
        told_m,
        told_m if is_as_long_as_its_way else last_known(samples["distance_m"]),
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
    if any(agree(told, one) for one in (samples, laps)):
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
    return told.timer_s >= ran_s or agree(reached_s, told.elapsed_s)


def agree(one: float, other: float | None, share: float = AGREES_SHARE) -> bool:
    """Tell whether two totals, in seconds or metres, are the same; one that is unknown is not."""
    return other is not None and abs(one - other) <= max(AGREES_S_OR_M, share * max(one, other))


def _sum(column: pl.Series) -> float | None:
    """Return the sum if there are values and all are known."""
    return float(column.sum()) if len(column) and not column.null_count() else None


def _length_of_way_m(samples: Columns) -> float | None:
    steps_m = way_m(samples)
    if steps_m is None:
        return None
    return float(steps_m[np.diff(samples["timer_s"]) > 0].sum())


def last_known(values: Numbers) -> float | None:
    """Return the last value that is known."""
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
