"""Repairs of samples: each is named, counted and done in one place."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest import track
from ingest.recording import Columns, Session

MIN_HR_BPM, MAX_HR_BPM = 25, 240
"""Outside this no heart of a runner beats; a sensor does."""
MIN_ALTITUDE_M, MAX_ALTITUDE_M = -500, 9000
LONGEST_ACTIVITY_S = 7 * 24 * 3600
CLOCK_SLACK_S = 3600
"""How far samples may lie outside of what the session says before it is the clock that jumped."""
CLOCK_AGREES_S, AGREES_SHARE = 60, 0.02
HR_FALL_BPM, HR_DROPOUT_BPM, HR_DROPOUT_S = 30, 40, 60
"""A dropout falls at once, and for no longer than a minute lies far below what is usual around it."""
HR_AROUND, ALTITUDE_AROUND = 61, 7
"""Samples that say what is usual around one."""
STUCK_FROM_S = 600
LOCK_FROM_S, LOCK_BPM, LOCK_SHARE, LOCK_ENTRY_S, LOCK_ENTRY_BPM = 180, 2, 0.9, 20, 15
"""A sensor that counts steps: within 2 of the cadence for three minutes, after a leap of 15 beats within 20 s."""
ALTITUDE_LEAP_M, ALTITUDE_OFF_M = 15, 30
NO_SENSOR = "zeros of a sensor that was not there"
"""A finding, but no repair: nothing was wrong for any time."""
ONE_FOOT_BELOW_SPM = 120
"""Running cadence with a median below this counts one leg."""

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]
Repair = Callable[[Columns, Session], tuple[Flags, float]]
"""Changes the samples in place; returns which ones, and the metres by which the session became longer."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """
    Samples after repair.

    Attributes:
        samples: The columns that came in, in order of time, one row per instant.
        findings: What was done, in words with a count, and with the metres where the distance changed.
        is_repaired: Which of the samples a repair touched.
        dropped: How many samples are gone.
        added_m: Metres by which repairs made the session longer; negative when shorter.
    """

    samples: Columns
    findings: tuple[str, ...]
    is_repaired: Flags
    dropped: int
    added_m: float = 0.0


def clean(samples: Columns, told: Session) -> Cleaned:
    """Return the samples of one session, repaired."""
    samples, moved, dropped = _with_one_clock(samples, told)
    samples, doubled = _without_doubled_instants(samples)
    findings = [
        finding("clock jumped, moved back", moved),
        finding("clock jumped, outside the session", dropped),
        finding("two samples in one instant", doubled),
    ]
    is_repaired = np.zeros(len(samples["at"]), dtype=bool)
    all_added_m = 0.0
    for name, repair in REPAIRS:
        touched, added_m = repair(samples, told)
        findings.append(finding(name, int(np.count_nonzero(touched)), added_m))
        is_repaired |= touched & (name != NO_SENSOR)
        all_added_m += added_m
    return Cleaned(samples, tuple(filter(None, findings)), is_repaired, dropped, all_added_m)


def finding(name: str, count: int, added_m: float = 0.0) -> str:
    """Return a finding in words; nothing when nothing was found."""
    metres = f", {added_m:+,.0f} m" if round(added_m) else ""
    return f"{name}: {count:,} samples{metres}" if count else ""


# The clock -----------------------------------------------------------------------------------------------


def _with_one_clock(samples: Columns, told: Session) -> tuple[Columns, int, int]:
    """
    Return the samples in order of time, how many were moved back and how many are dropped.

    Where the clock leapt in between and the rest goes on as if nothing had been, the rest is moved; what lies far outside
    the time that the session speaks of, and is no such rest, goes. Without a session, what lies a week from the middle
    goes.
    """
    moved = _moved_back(samples, told)
    if moved:
        return samples, moved, 0
    order = np.argsort(samples["at"], kind="stable")
    if (np.diff(order) < 0).any():
        samples = {name: values[order] for name, values in samples.items()}
    is_within = _within_session(samples["at"], told)
    if is_within.all() or not is_within.any():
        return samples, 0, 0
    dropped = int(np.count_nonzero(~is_within))
    return {name: values[is_within] for name, values in samples.items()}, 0, dropped


def _moved_back(samples: Columns, told: Session) -> int:
    """Close the leap of the clock if there is a single one and the session's length bears it out; return how many moved."""
    at = samples["at"]
    if len(at) < 3 or not told.elapsed_s:
        return 0
    steps_s = np.diff(at) / np.timedelta64(1, "s")
    leaps = np.flatnonzero((steps_s > CLOCK_SLACK_S) | (steps_s < -CLOCK_AGREES_S))
    if len(leaps) != 1 or _within_session(at, told).all():
        return 0
    leap = int(leaps[0])
    usual_s = float(np.median(steps_s))
    length_s = float(steps_s.sum() - steps_s[leap] + usual_s)
    if abs(length_s - told.elapsed_s) > max(CLOCK_AGREES_S, AGREES_SHARE * told.elapsed_s):
        return 0
    at[leap + 1 :] -= np.timedelta64(round((steps_s[leap] - usual_s) * 1e6), "us")
    return len(at) - leap - 1


def _within_session(at: NDArray[np.datetime64], told: Session) -> Flags:
    if told.started_at is None or not told.elapsed_s:
        middle = np.sort(at)[len(at) // 2 : len(at) // 2 + 1]
        return np.asarray(np.abs(at - middle) <= np.timedelta64(LONGEST_ACTIVITY_S, "s"))
    started_at = np.datetime64(told.started_at.replace(tzinfo=None), "us")
    elapsed_s = (at - started_at) / np.timedelta64(1, "s")
    longest_s = min(told.elapsed_s, LONGEST_ACTIVITY_S) + CLOCK_SLACK_S
    return np.asarray((elapsed_s >= -CLOCK_SLACK_S) & (elapsed_s <= longest_s))


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


def _blank(column: str, is_wrong: Callable[[Numbers], Flags]) -> Repair:
    """Return the repair that blanks such values; comparisons with what is unknown are false."""

    def repair(samples: Columns, _: Session) -> tuple[Flags, float]:
        wrong = is_wrong(samples[column])
        samples[column][wrong] = np.nan
        return wrong, 0.0

    return repair


def _blank_broken_positions(samples: Columns, _: Session) -> tuple[Flags, float]:
    """Blank positions of which half is missing, and those at 0°, 0°, where a receiver without a fix puts one."""
    lat, lon = samples["lat_deg"], samples["lon_deg"]
    is_wrong: Flags = (np.isnan(lat) != np.isnan(lon)) | ((lat == 0) & (lon == 0))
    lat[is_wrong] = lon[is_wrong] = np.nan
    return is_wrong, 0.0


def _blank_dead_sensors(samples: Columns, _: Session) -> tuple[Flags, float]:
    """Blank columns that are zero from beginning to end although one moved: nothing measured them."""
    is_dead = np.zeros(len(samples["at"]), dtype=bool)
    distance_m = samples["distance_m"][~np.isnan(samples["distance_m"])]
    has_moved = len(distance_m) > 1 and distance_m[-1] > distance_m[0]
    for column in ("altitude_m", "cadence_spm", "power_w", "speed_m_per_s"):
        values = samples[column]
        is_zero = values == 0
        if has_moved and is_zero.any() and (is_zero | np.isnan(values)).all():
            values[is_zero] = np.nan
            is_dead |= is_zero
    return is_dead, 0.0


# The way and its length ----------------------------------------------------------------------------------


def _blank_jumps(samples: Columns, told: Session) -> tuple[Flags, float]:
    is_jump = track.jumped(samples, track.fastest_m_per_s(samples, told.sport))
    samples["lat_deg"][is_jump] = samples["lon_deg"][is_jump] = np.nan
    return is_jump, 0.0


def _hold_falling_distance(samples: Columns, _: Session) -> tuple[Flags, float]:
    """Hold the distance where it would fall."""
    distance_m = samples["distance_m"]
    highest_m = np.fmax.accumulate(distance_m)
    is_falling: Flags = distance_m < highest_m
    last_m = distance_m[~np.isnan(distance_m)][-1:].sum()
    distance_m[is_falling] = highest_m[is_falling]
    return is_falling, float(distance_m[~np.isnan(distance_m)][-1:].sum() - last_m)


def _take_off_impossible_steps(samples: Columns, told: Session) -> tuple[Flags, float]:
    return track.take_off_impossible_steps(samples, track.fastest_m_per_s(samples, told.sport))


def _go_on_where_stalled(samples: Columns, told: Session) -> tuple[Flags, float]:
    """Let the distance go on where it stalled, unless the watch's own summary says that it did not miss anything."""
    known = samples["distance_m"][~np.isnan(samples["distance_m"])]
    if told.distance_m and len(known) and abs(known[-1] - told.distance_m) <= AGREES_SHARE * told.distance_m:
        return np.zeros(len(samples["at"]), dtype=bool), 0.0
    return track.go_on_where_stalled(samples, track.fastest_m_per_s(samples, told.sport))


def _blank_impossible_speeds(samples: Columns, told: Session) -> tuple[Flags, float]:
    wrong: Flags = samples["speed_m_per_s"] > track.fastest_m_per_s(samples, told.sport)
    samples["speed_m_per_s"][wrong] = np.nan
    return wrong, 0.0


def _blank_altitude_leaps(samples: Columns, _: Session) -> tuple[Flags, float]:
    """Blank altitudes far from those around them."""
    altitude_m = samples["altitude_m"]
    wrong = _far_from_usual(
        altitude_m, ALTITUDE_AROUND, ALTITUDE_LEAP_M, lambda off: np.abs(off) > ALTITUDE_OFF_M
    )
    altitude_m[wrong] = np.nan
    return wrong, 0.0


# Heart rate ----------------------------------------------------------------------------------------------


def _blank_hr_dropouts(samples: Columns, _: Session) -> tuple[Flags, float]:
    """Blank beats far below those around them, after a fall that no heart makes, and only for a short while."""
    hr, seconds = samples["hr_bpm"], track.seconds_of(samples)
    wrong = _far_from_usual(hr, HR_AROUND, HR_FALL_BPM, lambda off: off < -HR_DROPOUT_BPM)
    for first, last in _runs(wrong):
        before = hr[:first][~np.isnan(hr[:first])][-1:]
        has_fallen = len(before) and before[0] - hr[first] >= HR_FALL_BPM
        if not has_fallen or seconds[last] - seconds[first] > HR_DROPOUT_S:
            wrong[first : last + 1] = False
    hr[wrong] = np.nan
    return wrong, 0.0


def _blank_stuck_hr(samples: Columns, _: Session) -> tuple[Flags, float]:
    """Blank a heart rate that does not change for ten minutes."""
    hr, seconds = samples["hr_bpm"], track.seconds_of(samples)
    is_same = np.zeros(len(hr), dtype=bool)
    is_same[1:] = hr[1:] == hr[:-1]
    wrong = np.zeros(len(hr), dtype=bool)
    for first, last in _runs(is_same):
        if seconds[last] - seconds[first - 1] >= STUCK_FROM_S:
            wrong[first - 1 : last + 1] = True
    hr[wrong] = np.nan
    return wrong, 0.0


def _blank_cadence_lock(samples: Columns, told: Session) -> tuple[Flags, float]:
    """Blank a heart rate that leapt onto the cadence and stayed there: an optical sensor that counts steps."""
    hr, steps_spm = samples["hr_bpm"], samples["cadence_spm"]
    wrong = np.zeros(len(hr), dtype=bool)
    turning = steps_spm[steps_spm > 0]
    if told.sport not in (None, "running") or not len(turning) or len(hr) < 2:
        return wrong, 0.0
    if np.median(turning) < ONE_FOOT_BELOW_SPM:
        steps_spm = steps_spm * 2
    seconds = track.seconds_of(samples)
    is_close = np.abs(hr - steps_spm) <= LOCK_BPM
    if np.count_nonzero(is_close) < LOCK_SHARE * LOCK_FROM_S / max(float(np.median(np.diff(seconds))), 1):
        return wrong, 0.0
    for first, last in _runs(_mostly(is_close, seconds)):
        before = hr[(seconds >= seconds[first] - 2 * LOCK_ENTRY_S) & (seconds < seconds[first])]
        after = hr[first : last + 1][seconds[first : last + 1] <= seconds[first] + LOCK_ENTRY_S]
        leap_bpm = np.nanmedian(after) - np.nanmin(before) if (~np.isnan(before)).any() else 0.0
        if leap_bpm >= LOCK_ENTRY_BPM:
            wrong[first : last + 1] = is_close[first : last + 1]
    hr[wrong] = np.nan
    return wrong, 0.0


def _mostly(flags: Flags, seconds: Numbers) -> Flags:
    """Say which samples belong to a stretch of LOCK_FROM_S in which nearly all are flagged."""
    count = np.concatenate([[0], np.cumsum(flags)])
    behind = np.searchsorted(seconds, seconds + LOCK_FROM_S)
    is_start = (seconds[-1] - seconds >= LOCK_FROM_S) & flags
    is_start &= count[behind] - count[:-1] >= LOCK_SHARE * (behind - np.arange(len(flags)))
    edges = np.zeros(len(flags) + 1, dtype=np.int64)
    np.add.at(edges, np.flatnonzero(is_start), 1)
    np.add.at(edges, behind[is_start], -1)
    return np.asarray(np.cumsum(edges)[:-1] > 0)


def _far_from_usual(values: Numbers, around: int, leap: float, is_far: Callable[[Numbers], Flags]) -> Flags:
    """Say which values are far from the median of so many around them; without a leap between neighbours none is."""
    known = np.flatnonzero(~np.isnan(values))
    wrong = np.zeros(len(values), dtype=bool)
    if len(known) < around or not (np.abs(np.diff(values[known])) > leap).any():
        return wrong
    usual = pl.Series(values[known]).rolling_median(around, min_samples=1, center=True).to_numpy()
    wrong[known] = is_far(values[known] - usual)
    return wrong


def _runs(flags: Flags) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of each stretch of flagged samples."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    for first, behind in edges.reshape(-1, 2).tolist():
        yield first, behind - 1


REPAIRS: tuple[tuple[str, Repair], ...] = (
    ("heart rate of zero, no sensor", _blank("hr_bpm", lambda hr: hr == 0)),
    ("heart rate out of range", _blank("hr_bpm", lambda hr: (hr < MIN_HR_BPM) | (hr > MAX_HR_BPM))),
    ("heart rate dropped out", _blank_hr_dropouts),
    ("heart rate stuck", _blank_stuck_hr),
    ("heart rate was the cadence", _blank_cadence_lock),
    ("latitude out of range", _blank("lat_deg", lambda lat: np.abs(lat) > 90)),
    ("longitude out of range", _blank("lon_deg", lambda lon: np.abs(lon) > 180)),
    ("position incomplete or at 0°, 0°", _blank_broken_positions),
    ("position jumped", _blank_jumps),
    ("altitude out of range", _blank("altitude_m", lambda m: (m < MIN_ALTITUDE_M) | (m > MAX_ALTITUDE_M))),
    ("altitude jumped", _blank_altitude_leaps),
    ("distance is no number", _blank("distance_m", lambda m: (m < 0) | np.isinf(m))),
    ("distance went backwards", _hold_falling_distance),
    ("distance faster than anybody", _take_off_impossible_steps),
    ("distance stood still on the way", _go_on_where_stalled),
    ("speed is no number", _blank("speed_m_per_s", lambda v: (v < 0) | np.isinf(v))),
    ("speed faster than anybody", _blank_impossible_speeds),
    (NO_SENSOR, _blank_dead_sensors),
)
"""In this order: what is judged by other values comes after those have been judged."""
