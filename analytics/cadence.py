"""A runner's usual cadence at each speed: what knee load is held against."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

import numpy as np
import polars as pl

from analytics.load import Floats
from analytics.pace import Seconds, half_minute_mean

SPEED_EDGES_M_PER_S = np.arange(2.0, 5.01, 0.25)  # what the studies of knee load cover, in steps of a quarter
SPEED_CENTRES_M_PER_S = (SPEED_EDGES_M_PER_S[:-1] + SPEED_EDGES_M_PER_S[1:]) / 2
USUAL_DAYS = 28
USUAL_LEAST_S = 300.0  # at a speed, for its cadence to be a habit, ours
KNOWN_SHARE = 0.5  # of the time, for cadence to count the steps, ours


def cadence_by_speed(seconds: Seconds) -> tuple[Floats, Floats]:
    """
    Return the median cadence at each speed of SPEED_CENTRES_M_PER_S (NaN where it was not run), and for how many seconds.

    The speed is a half minute's mean, because positions jump more than runners do.
    """
    running = seconds.cadence_spm > 0
    places = np.searchsorted(SPEED_EDGES_M_PER_S, half_minute_mean(seconds.speed_m_per_s), side="right") - 1
    at_speed = [
        seconds.cadence_spm[running & (places == place)] for place in range(len(SPEED_CENTRES_M_PER_S))
    ]
    medians = [float(np.median(some)) if len(some) else np.nan for some in at_speed]
    return np.array(medians), np.array([float(len(some)) for some in at_speed])


@dataclass(frozen=True, slots=True, kw_only=True)
class CadenceHistory:
    """
    The cadences of one athlete's runs, in order of time.

    Attributes:
        days: Day of each run.
        sums: Running sums of what each run's entry was computed from, as numbers: the same runs in any order are the same.
        cadences_spm: What cadence_by_speed returns, a row a run.
        times_s: The seconds they rest on.
    """

    days: Sequence[date]
    sums: Sequence[int]
    cadences_spm: Floats
    times_s: Floats

    def before(self, day: date) -> slice:
        """Where the runs of the 28 days before a day lie."""
        first = bisect_left(self.days, day - timedelta(USUAL_DAYS))
        return slice(first, bisect_left(self.days, day))

    def key(self, day: date) -> str:
        """Return what changes when the usual cadence of a day rests on something else."""
        recent = self.before(day)
        return f"{recent.stop - recent.start}:{self.sums[recent.stop] - self.sums[recent.start]}"


def cadence_history(marks: pl.DataFrame) -> CadenceHistory:
    """Put together the runs that have a cadence; `marks` has local_date, inputs_key and the cadences of activity_marks."""
    known = marks.filter(pl.col("cadence_by_speed_spm").is_not_null()).sort("local_date", "activity_id")
    shape = (len(known), len(SPEED_CENTRES_M_PER_S))
    return CadenceHistory(
        days=known["local_date"].to_list(),
        sums=[0, *accumulate(int.from_bytes(key.encode()) for key in known["inputs_key"])],
        cadences_spm=known["cadence_by_speed_spm"].explode().cast(pl.Float64).to_numpy().reshape(shape),
        times_s=known["time_by_speed_s"].explode().cast(pl.Float64).to_numpy().reshape(shape),
    )


def usual_cadence_on(history: CadenceHistory, day: date) -> Floats | None:
    """Return the usual cadence at each speed over the 28 days before; None without a run in them."""
    recent = history.before(day)
    if recent.start == recent.stop:
        return None
    return usual_cadence_spm(history.cadences_spm[recent], history.times_s[recent])


def usual_cadence_spm(cadences_spm: Floats, times_s: Floats) -> Floats:
    """
    Return the cadence at each speed below and above which half of the time of several runs was spent.

    Both are what cadence_by_speed returns, a row a run; NaN at speeds with less than five minutes in all.
    """
    known_s = np.where(np.isfinite(cadences_spm), times_s, 0.0)
    order = np.argsort(cadences_spm, axis=0)  # NaN last, with no time
    sorted_s = np.take_along_axis(known_s, order, axis=0)
    all_s = sorted_s.sum(axis=0)
    middle = np.argmax(np.cumsum(sorted_s, axis=0) >= all_s / 2, axis=0)
    usual = np.take_along_axis(np.take_along_axis(cadences_spm, order, axis=0), middle[None, :], axis=0)[0]
    return np.where(all_s >= USUAL_LEAST_S, usual, np.nan)


def usual_cadence_at(speed_m_per_s: Floats, usual_spm: Floats) -> Floats:
    """Read the usual cadence at each speed, between the speeds that are known; NaN outside them."""
    known = np.isfinite(usual_spm)
    if not known.any():
        return np.full(len(speed_m_per_s), np.nan)
    centres = SPEED_CENTRES_M_PER_S[known]
    at_speed = np.interp(speed_m_per_s, centres, usual_spm[known])
    reach = (SPEED_EDGES_M_PER_S[1] - SPEED_EDGES_M_PER_S[0]) / 2
    within = (speed_m_per_s >= centres[0] - reach) & (speed_m_per_s <= centres[-1] + reach)
    return np.where(within, at_speed, np.nan)


def steps_of(cadence_spm: Floats, dt_s: Floats) -> float | None:
    """Sum the steps of both feet over samples; None with a cadence for less than half of the time."""
    known = np.isfinite(cadence_spm) & (dt_s > 0)
    if not known.any() or np.sum(dt_s[known]) < KNOWN_SHARE * np.sum(dt_s):
        return None
    return float(np.sum(cadence_spm[known] * dt_s[known] / 60))
