"""Repairs of samples: each is named, counted and done in one place."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.recording import Columns, Session

MIN_HR_BPM, MAX_HR_BPM = 25, 240
"""Outside this no heart of a runner beats; a sensor does."""
MIN_ALTITUDE_M, MAX_ALTITUDE_M = -500, 9000
LONGEST_ACTIVITY_S = 7 * 24 * 3600
CLOCK_SLACK_S = 3600
"""How far samples may lie outside of what the session says before it is the clock that jumped."""

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """
    Samples after repair.

    Attributes:
        samples: The columns that came in, in order of time, one row per instant.
        findings: What was done, in words with a count.
        is_repaired: Which of the samples a repair touched.
        dropped: How many samples are gone.
    """

    samples: Columns
    findings: tuple[str, ...]
    is_repaired: Flags
    dropped: int


def clean(samples: Columns, told: Session) -> Cleaned:
    """Return the samples of one session, repaired."""
    samples = _in_order_of_time(samples)
    samples, jumped = _without_clock_jumps(samples, told)
    samples, doubled = _without_doubled_instants(samples)
    counts = {"clock jumped, outside the session": jumped, "two samples in one instant": doubled}
    is_repaired = np.zeros(len(samples["at"]), dtype=bool)
    for name, column, is_wrong in VALUE_RULES:
        wrong = is_wrong(samples[column])
        counts[name] = int(np.count_nonzero(wrong))
        if counts[name]:
            samples[column][wrong] = np.nan
            is_repaired |= wrong
    for name, repair in REPAIRS:
        touched = repair(samples)
        counts[name] = int(np.count_nonzero(touched))
        is_repaired |= touched
    findings = tuple(f"{name}: {count} samples" for name, count in counts.items() if count)
    return Cleaned(samples, findings, is_repaired, jumped)


def _in_order_of_time(samples: Columns) -> Columns:
    at = samples["at"]
    if (at[1:] >= at[:-1]).all():
        return samples
    order = np.argsort(at, kind="stable")
    return {name: values[order] for name, values in samples.items()}


def _without_clock_jumps(samples: Columns, told: Session) -> tuple[Columns, int]:
    """Drop samples far outside the time that the session speaks of; return how many."""
    at = samples["at"]
    if not len(at) or told.started_at is None or not told.elapsed_s:
        return samples, 0
    started_at = np.datetime64(told.started_at.replace(tzinfo=None), "us")
    slack_s = min(told.elapsed_s, LONGEST_ACTIVITY_S) + CLOCK_SLACK_S
    elapsed_s = (at - started_at) / np.timedelta64(1, "s")
    is_within = (elapsed_s >= -CLOCK_SLACK_S) & (elapsed_s <= slack_s)
    if is_within.all() or not is_within.any():
        return samples, 0
    return {name: values[is_within] for name, values in samples.items()}, int(np.count_nonzero(~is_within))


def _without_doubled_instants(samples: Columns) -> tuple[Columns, int]:
    """Keep one sample an instant: for each column the last value that is there; return how many are too many."""
    at = samples["at"]
    is_first = np.ones(len(at), dtype=bool)
    is_first[1:] = at[1:] != at[:-1]
    doubled = len(at) - int(np.count_nonzero(is_first))
    if not doubled:
        return samples, 0
    starts = np.flatnonzero(is_first)
    rows = np.arange(len(at))

    def merged(values: NDArray[np.generic]) -> NDArray[np.generic]:
        if values.dtype.kind != "f":
            return values[starts]
        last_known = np.maximum.reduceat(np.where(np.isnan(values), -1, rows), starts)
        return np.where(last_known < 0, np.nan, values[last_known])

    return {name: merged(values) for name, values in samples.items()}, doubled


# Values that cannot be -----------------------------------------------------------------------------------

VALUE_RULES: tuple[tuple[str, str, Callable[[Numbers], Flags]], ...] = (
    ("heart rate of zero, no sensor", "hr_bpm", lambda hr: hr == 0),
    ("heart rate out of range", "hr_bpm", lambda hr: (hr < MIN_HR_BPM) | (hr > MAX_HR_BPM)),
    ("latitude out of range", "lat_deg", lambda lat: np.abs(lat) > 90),
    ("longitude out of range", "lon_deg", lambda lon: np.abs(lon) > 180),
    ("altitude out of range", "altitude_m", lambda m: (m < MIN_ALTITUDE_M) | (m > MAX_ALTITUDE_M)),
    ("distance is no number", "distance_m", lambda m: (m < 0) | np.isinf(m)),
    ("speed is no number", "speed_m_per_s", lambda v: (v < 0) | np.isinf(v)),
)
"""Each with the column in which a value is blanked; comparisons with what is unknown are false."""


# What only shows beside other values ---------------------------------------------------------------------


def _blank_broken_positions(samples: Columns) -> Flags:
    """Blank positions of which half is missing, and those at 0°, 0°, where a receiver without a fix puts one."""
    lat, lon = samples["lat_deg"], samples["lon_deg"]
    is_wrong: Flags = (np.isnan(lat) != np.isnan(lon)) | ((lat == 0) & (lon == 0))
    lat[is_wrong] = lon[is_wrong] = np.nan
    return is_wrong


def _hold_falling_distance(samples: Columns) -> Flags:
    """Hold the distance where it would fall."""
    distance_m = samples["distance_m"]
    highest_m = np.fmax.accumulate(distance_m)
    is_falling: Flags = distance_m < highest_m
    distance_m[is_falling] = highest_m[is_falling]
    return is_falling


REPAIRS: tuple[tuple[str, Callable[[Columns], Flags]], ...] = (
    ("position incomplete or at 0°, 0°", _blank_broken_positions),
    ("distance went backwards", _hold_falling_distance),
)
"""Each changes the samples in place and returns which ones."""
