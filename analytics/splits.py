"""A run kilometre by kilometre, or mile by mile."""

import math

import numpy as np
import polars as pl

from analytics.load import Floats
from analytics.pace import ROUNDING, Seconds, is_moving

LEAST_REST_M = 10.0
"""What is left behind the last whole kilometre is a split of its own from here on, and a part of the last one below; ours."""

SPLITS = pl.Schema(
    {
        "split": pl.Int64,
        "end_m": pl.Float64,
        "distance_m": pl.Float64,
        "time_s": pl.Float64,
        "pace_s_per_km": pl.Float64,
        "gap_s_per_km": pl.Float64,
        "hr_bpm": pl.Float64,
        "cadence_spm": pl.Float64,
        "rise_m": pl.Float64,
    }
)


def splits(seconds: Seconds, *, length_m: float) -> pl.DataFrame:
    """
    Cut a run into splits of one length; together they are the whole run, in distance and in time.

    A split ends where its last metre is reached: standing there belongs to the next. Between two seconds the runner goes on
    evenly.

    Args:
        seconds: The run.
        length_m: Length of a split; the last one is what is left.

    Returns:
        One row a split in order, columns of SPLITS: split from 1; end_m from the start; time_s of the timer and the pace
        that it makes; grade-adjusted pace with standing left out, as of the whole run, and net rise, null without altitude;
        mean heart rate and cadence of the seconds that have one, null where none has.
    """
    speed_m_per_s = seconds.speed_m_per_s
    along_m = _summed(speed_m_per_s)
    total_m = float(along_m[-1])
    if total_m <= 0:
        return SPLITS.to_frame()
    pieces = 1 + max(math.floor((total_m - LEAST_REST_M) / length_m + ROUNDING), 0)
    starts_m = length_m * np.arange(pieces, dtype=np.float64)
    ends_m = np.append(starts_m[1:], total_m)
    at_s = np.append(_reached_s(along_m, starts_m), float(len(speed_m_per_s)))

    def between(by_second: Floats) -> Floats:
        return np.diff(np.interp(at_s, np.arange(len(along_m)), _summed(by_second)))

    def mean(by_second: Floats) -> Floats:
        known = by_second > 0
        return _over(between(np.where(known, by_second, 0.0)), between(known.astype(np.float64)))

    moving = is_moving(speed_m_per_s)
    distance_m, time_s = ends_m - starts_m, np.diff(at_s)
    gap_s_per_km = 1000 * _over(between(moving.astype(np.float64)), between(seconds.graded_m_per_s * moving))
    rise_m = between(seconds.grade * speed_m_per_s)
    unknown = np.full(len(time_s), np.nan)
    columns = {
        "split": np.arange(1, len(time_s) + 1),
        "end_m": ends_m,
        "distance_m": distance_m,
        "time_s": time_s,
        "pace_s_per_km": 1000 * time_s / distance_m,
        "gap_s_per_km": gap_s_per_km if seconds.has_altitude else unknown,
        "hr_bpm": mean(seconds.hr_bpm),
        "cadence_spm": mean(seconds.cadence_spm),
        "rise_m": rise_m if seconds.has_altitude else unknown,
    }
    return pl.DataFrame(columns, schema=SPLITS).fill_nan(None)


def _summed(by_second: Floats) -> Floats:
    return np.concatenate(([0.0], np.cumsum(by_second)))


def _reached_s(along_m: Floats, places_m: Floats) -> Floats:
    """When each place was first reached, in seconds from the start, which is where the first one is."""
    second = np.maximum(np.searchsorted(along_m, places_m, side="left"), 1)
    back_s = (along_m[second] - places_m) / np.maximum(along_m[second] - along_m[second - 1], ROUNDING)
    reached_s = second - np.clip(back_s, 0.0, 1.0)
    reached_s[0] = 0.0
    return np.asarray(reached_s, dtype=np.float64)


def _over(sums: Floats, counts: Floats) -> Floats:
    """The quotient; NaN where nothing counts."""
    quotient: Floats = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return quotient
