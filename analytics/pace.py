"""Pace made comparable: grade, normalised graded speed, best efforts, and the trend of easy pace."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, NamedTuple, TypedDict

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analytics.load import Floats

GradeModel = Literal["heart_rate", "minetti"]
TrendWord = Literal["faster", "slower", "no clear trend", "too few weeks"]

GRADE_SPAN_M = 50.0  # shortest distance a grade is taken over, ours
MAX_GRADE = 0.30  # rise over run; steeper is a glitch or no running
STANDING_M_PER_S = 0.5  # below this the altitude wanders and the distance does not
MOVING_M_PER_S = 0.8
ROUNDING = 1e-9
SPEED_WITHIN_S = 5  # to each side: a slow step is no stop, and a stop of ten seconds is one; ours
MIN_KNOWN_SHARE = 0.5  # of the samples, for altitude and for heart rate to speak for the run
MAX_SAMPLE_GAP_S = 10.0  # a sample speaks for at most this long
LONGEST_RECORDING_S = 7 * 86400  # a broken clock must not fill the memory

MINETTI = (155.4, -30.4, -43.3, 46.3, 19.5, 3.6)  # J/kg/m, powers 5 to 0 of the grade; Minetti 2002
MINETTI_LIMIT = 0.45  # steepest grade measured
HEART_RATE = (2.5906, 5.1832, 17.16, 2.8489, 1.0)  # powers 4 to 0; fit to Strava's equal-heart-rate model
HEART_RATE_LIMIT = 0.20  # steepest grade fitted

NGP_WINDOW_S = 30

WARM_UP_S = 600
DECOUPLING_MIN_S = 2400.0  # 40 minutes, ours
DECOUPLING_MAX_MEAN_GRADE = 0.02  # mean of |grade|, ours
DECOUPLING_MAX_VARIABILITY = 1.05  # normalised over mean speed; above it the run had intervals, ours

EASY_HR_SHARE = 0.75  # of maximum heart rate
EASY_HR_BAND_BPM = 3.0
EASY_MAX_GRADE = 0.03
EASY_MIN_S = 180
LINE_MIN_POINTS = 3

BEST_EFFORT_DISTANCES_M = (400.0, 800.0, 1000.0, 1609.344, 5000.0, 10000.0, 21097.5)
MAX_RUNNING_SPEED_M_PER_S = 7.0  # over 400 m and more; faster is a glitch or a vehicle
LONGEST_BRIDGED_PAUSE_S = 5.0

TREND_CONFIDENCE = 0.95
TREND_MIN_WEEKS = 6

BEST_EFFORTS = pl.Schema({"distance_m": pl.Float64, "time_s": pl.Float64, "started_at_elapsed_s": pl.Float64})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """
    A run second by second of timer time; entry i is what happened between second i and i + 1.

    Attributes:
        speed_m_per_s: Distance covered in the second.
        grade: Rise over run; 0 where altitude is unknown or the runner stands.
        graded_m_per_s: Speed on the flat that would be as hard.
        hr_bpm: Heart rate; NaN where no sample is near.
        cadence_spm: Steps a minute; NaN where no sample is near.
        has_altitude: Whether the grade was measured.
        starts_at_s: Timer time at which the first second begins.
        altitude_m: Height at the end of the second; None where the grade was not measured.
    """

    speed_m_per_s: Floats
    grade: Floats
    graded_m_per_s: Floats
    hr_bpm: Floats
    cadence_spm: Floats
    has_altitude: bool
    starts_at_s: float = 0.0
    altitude_m: Floats | None = None


class TheilSen(NamedTuple):
    """Median of all pairwise slopes, and its 95 % interval."""

    slope: float
    low: float
    high: float


class MannKendall(NamedTuple):
    """Whether a series rises or falls: score, its variance, z with continuity, two-sided p, Kendall's tau-b."""

    s: float
    variance: float
    z: float
    p: float
    tau: float


class PaceTrend(TypedDict):
    """The four trend columns of weekly_trends."""

    pace_trend_s_per_km_per_week: float | None
    pace_trend_low: float | None
    pace_trend_high: float | None
    pace_trend: TrendWord


def column(samples: pl.DataFrame, name: str) -> Floats:
    """Read a column of samples as floats, NaN where unknown."""
    return np.asarray(samples.get_column(name), dtype=np.float64)


def seconds_of(samples: pl.DataFrame, *, model: GradeModel = "heart_rate") -> Seconds | None:
    """Resample a run to seconds of timer time; None without distance, speed or a whole second."""
    samples = _where_known(samples, "timer_s")
    timer_s = np.maximum.accumulate(column(samples, "timer_s"))
    distance_m = _distance_along(samples, timer_s)
    if distance_m is None:
        return None
    whole_s = min(math.floor(timer_s[-1] - timer_s[0]), LONGEST_RECORDING_S)
    if whole_s < 1:
        return None
    ticks_s = timer_s[0] + np.arange(whole_s + 1)
    along_m = _interpolated(ticks_s, timer_s, distance_m)
    speed_m_per_s = np.diff(along_m)
    altitude_m = column(samples, "altitude_m")
    has_altitude = bool(np.mean(np.isfinite(altitude_m)) >= MIN_KNOWN_SHARE)
    altitude_at_ticks_m = (
        _interpolated(ticks_s, timer_s, altitude_m) if has_altitude else np.zeros_like(ticks_s)
    )
    grade = _grade_by_second(along_m, altitude_at_ticks_m)
    return Seconds(
        speed_m_per_s=speed_m_per_s,
        grade=grade,
        graded_m_per_s=speed_m_per_s * grade_factor(grade, model),
        hr_bpm=_next_sample(ticks_s[1:], timer_s, column(samples, "hr_bpm")),
        cadence_spm=_next_sample(ticks_s[1:], timer_s, column(samples, "cadence_spm")),
        has_altitude=has_altitude,
        starts_at_s=float(timer_s[0]),
        altitude_m=altitude_at_ticks_m[1:] if has_altitude else None,
    )


def smoothed_grade(distance_m: Floats, altitude_m: Floats) -> Floats:
    """
    Rise over run at each sample: mean altitude of the 50 m ahead less that of the 50 m behind, over 50 m.

    Near the ends the nearest full window counts; a track shorter than 50 m is flat.
    """
    advances = np.diff(distance_m, prepend=-np.inf) > 0
    along_m, heights_m = distance_m[advances], altitude_m[advances]
    if len(along_m) < 2 or along_m[-1] - along_m[0] < GRADE_SPAN_M:
        return np.zeros(len(distance_m))
    reach_m = min(GRADE_SPAN_M, float(along_m[-1] - along_m[0]) / 2)
    centre_m = np.clip(distance_m, along_m[0] + reach_m, along_m[-1] - reach_m)
    ahead, here, behind = (
        _area_below(along_m, heights_m, centre_m + shift_m) for shift_m in (reach_m, 0.0, -reach_m)
    )
    return np.clip((ahead - 2 * here + behind) / reach_m**2, -MAX_GRADE, MAX_GRADE)


def grade_factor(grade: Floats, model: GradeModel = "heart_rate") -> Floats:
    """Speed on the flat that is as hard, over speed on the grade."""
    powers, limit = (MINETTI, MINETTI_LIMIT) if model == "minetti" else (HEART_RATE, HEART_RATE_LIMIT)
    cost = np.polyval(powers, np.clip(grade, -limit, limit))
    return np.asarray(cost / powers[-1], dtype=np.float64)


def durations_s(samples: pl.DataFrame) -> Floats:
    """Return the timer seconds each sample speaks for: those since the one before, 10 at most."""
    timer_s = column(samples, "timer_s")
    return np.clip(np.nan_to_num(np.diff(timer_s, prepend=timer_s[:1])), 0.0, MAX_SAMPLE_GAP_S)


def weighted_mean(values: Floats, weights_s: Floats) -> float | None:
    """Return the mean of the values that are known and have a weight; None where none is."""
    counts = np.isfinite(values) & (weights_s > 0)
    return float(np.average(values[counts], weights=weights_s[counts])) if counts.any() else None


def mean_speed_m_per_s(speed_m_per_s: Floats) -> Floats:
    """Return the mean speed of the eleven seconds around each second, of fewer at the ends."""
    along_m = np.concatenate(([0.0], np.cumsum(speed_m_per_s)))
    second = np.arange(len(speed_m_per_s))
    begin = np.maximum(second - SPEED_WITHIN_S, 0)
    end = np.minimum(second + SPEED_WITHIN_S + 1, len(speed_m_per_s))
    return np.asarray((along_m[end] - along_m[begin]) / (end - begin))


def is_moving(speed_m_per_s: Floats) -> NDArray[np.bool_]:
    """Tell for each second whether the runner is under way: at 0.8 m/s or faster over the eleven seconds around it."""
    return np.asarray(mean_speed_m_per_s(speed_m_per_s) >= MOVING_M_PER_S - ROUNDING)


def gap_s_per_km(
    seconds: Seconds, *, distance_m: float | None = None, model: GradeModel = "heart_rate"
) -> float | None:
    """
    Return the pace that would have been as hard on the flat, standing left out, seconds per kilometre.

    Args:
        seconds: The run.
        distance_m: Its distance as the device has it; None for that of the samples.
        model: "heart_rate" for equal heart rate, "minetti" for equal energy.
    """
    moving = is_moving(seconds.speed_m_per_s)
    graded_m = float(np.sum((seconds.speed_m_per_s * grade_factor(seconds.grade, model))[moving]))
    along_m = float(np.sum(seconds.speed_m_per_s))
    if graded_m <= 0:
        return None
    return float(np.sum(moving)) / graded_m * 1000 * along_m / (distance_m or along_m)


def ngp_m_per_s(graded_m_per_s: Floats) -> float | None:
    """Fourth-power mean of 30-second trailing means of graded speed, the first 29 seconds left out."""
    if len(graded_m_per_s) < NGP_WINDOW_S:
        return None
    sums_m = np.concatenate(([0.0], np.cumsum(graded_m_per_s)))
    means = (sums_m[NGP_WINDOW_S:] - sums_m[:-NGP_WINDOW_S]) / NGP_WINDOW_S
    return float(np.mean(means**4) ** 0.25)


def half_minute_mean(by_second: Floats) -> Floats:
    """Mean of the last 30 seconds up to each, of fewer at the start."""
    sums = np.concatenate(([0.0], np.cumsum(by_second)))
    ends = np.arange(1, len(sums))
    starts = np.maximum(ends - NGP_WINDOW_S, 0)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts), dtype=np.float64)


def efficiency_m_per_min_per_bpm(graded_m_per_s: Floats, hr_bpm: Floats) -> float | None:
    """Normalised graded speed over mean heart rate; None with heart rate for less than half of the time."""
    ngp = ngp_m_per_s(graded_m_per_s)
    beats = hr_bpm[hr_bpm > 0]
    if ngp is None or len(beats) < MIN_KNOWN_SHARE * len(hr_bpm):
        return None
    return ngp * 60 / float(np.mean(beats))


def decoupling_pct(seconds: Seconds) -> float | None:
    """Loss of efficiency from the first to the second half after the warm-up; None below 40 minutes or hilly."""
    moving = seconds.speed_m_per_s >= MOVING_M_PER_S
    if np.sum(moving) < DECOUPLING_MIN_S or not _is_steady(seconds.graded_m_per_s, seconds.grade, moving):
        return None
    moving[:WARM_UP_S] = False
    graded_m_per_s, hr_bpm = seconds.graded_m_per_s[moving], seconds.hr_bpm[moving]
    half = len(graded_m_per_s) // 2
    first = efficiency_m_per_min_per_bpm(graded_m_per_s[:half], hr_bpm[:half])
    second = efficiency_m_per_min_per_bpm(graded_m_per_s[half:], hr_bpm[half:])
    if not first or second is None:
        return None
    return (first - second) / first * 100


def easy_pace(seconds: Seconds, max_bpm: float | None) -> tuple[float | None, float]:
    """
    Graded pace at 75 % of maximum heart rate, and the seconds it rests on.

    The median over all seconds after the warm-up, on grades up to 3 %, within 3 beats of the reference;
    (None, 0) below three minutes of them.
    """
    if max_bpm is None:
        return None, 0.0
    fits = (np.abs(seconds.hr_bpm - EASY_HR_SHARE * max_bpm) <= EASY_HR_BAND_BPM) & (
        np.abs(seconds.grade) <= EASY_MAX_GRADE
    )
    fits &= seconds.speed_m_per_s >= MOVING_M_PER_S
    fits[:WARM_UP_S] = False
    if np.sum(fits) < EASY_MIN_S:
        return None, 0.0
    return 1000 / float(np.median(seconds.graded_m_per_s[fits])), float(np.sum(fits))


def speed_at_hr_m_per_s(hr_bpm: Floats, speed_m_per_s: Floats, at_bpm: float) -> float | None:
    """Read the least-squares line of speed over heart rate; None below three points and beyond their heart rates."""
    if len(hr_bpm) < LINE_MIN_POINTS or not hr_bpm.min() < at_bpm < hr_bpm.max():
        return None
    off_bpm = hr_bpm - hr_bpm.mean()
    slope = float(np.sum(off_bpm * speed_m_per_s) / np.sum(off_bpm**2))
    return float(np.mean(speed_m_per_s)) + slope * (at_bpm - float(np.mean(hr_bpm)))


def best_efforts(samples: pl.DataFrame) -> pl.DataFrame:
    """
    Find the fastest stretch of each standard distance that spans no pause.

    Returns:
        One row a distance that was run: distance_m, time_s, started_at_elapsed_s.
    """
    samples = _where_known(samples, "timer_s", "elapsed_s")
    timer_s = np.maximum.accumulate(column(samples, "timer_s"))
    elapsed_s = np.maximum.accumulate(column(samples, "elapsed_s"))
    distance_m = _distance_along(samples, timer_s)
    if distance_m is None:
        return BEST_EFFORTS.to_frame()
    pauses = np.flatnonzero(np.diff(elapsed_s) - np.diff(timer_s) > LONGEST_BRIDGED_PAUSE_S) + 1
    known = np.isfinite(distance_m)
    stretches = [
        (elapsed_s[part][known[part]], distance_m[part][known[part]])
        for part in np.split(np.arange(len(elapsed_s)), pauses)
    ]
    efforts = [(length_m, *_fastest(stretches, length_m)) for length_m in BEST_EFFORT_DISTANCES_M]
    found = [effort for effort in efforts if math.isfinite(effort[1])]
    return pl.DataFrame(found, schema=BEST_EFFORTS, orient="row")


def theil_sen(x: Floats, y: Floats) -> TheilSen:
    """Fit a line by the median of pairwise slopes, with Sen's 95 % interval; NaN below two distinct x."""
    run, rise = np.subtract.outer(x, x), np.subtract.outer(y, y)
    slopes = np.sort(rise[run > 0] / run[run > 0])
    if not len(slopes):
        return TheilSen(math.nan, math.nan, math.nan)
    sigma = math.sqrt(max(_kendall_variance(len(y), x, y), 0.0))
    half_width = NormalDist().inv_cdf((1 + TREND_CONFIDENCE) / 2) * sigma
    high = min(round((len(slopes) + half_width) / 2), len(slopes) - 1)
    low = max(round((len(slopes) - half_width) / 2) - 1, 0)
    return TheilSen(float(np.median(slopes)), float(slopes[low]), float(slopes[high]))


def mann_kendall(y: Floats) -> MannKendall:
    """Test a series in order of time for a trend."""
    return kendall(np.arange(len(y), dtype=np.float64), y)


def kendall(x: Floats, y: Floats) -> MannKendall:
    """Test whether one series is higher where the other is, by ranks alone."""
    signs_x, signs_y = (np.sign(np.subtract.outer(values, values)) for values in (x, y))
    s = float(np.sum(np.tril(signs_x * signs_y)))
    variance = max(_kendall_variance(len(y), x, y), 0.0)
    z = (s - np.sign(s)) / math.sqrt(variance) if variance > 0 else 0.0
    untied = [float(np.sum(signs != 0)) / 2 for signs in (signs_x, signs_y)]
    tau = s / math.sqrt(math.prod(untied)) if all(untied) else math.nan
    return MannKendall(s, variance, float(z), 2 * NormalDist().cdf(-abs(z)), tau)


def pace_trend(values: Floats) -> PaceTrend:
    """Judge weekly easy paces, one a week in order, NaN where a week has none."""
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < TREND_MIN_WEEKS:
        return _trend(None, "too few weeks")
    fit = theil_sen(known.astype(np.float64), values[known])
    if fit.high < 0:
        return _trend(fit, "faster")
    return _trend(fit, "slower" if fit.low > 0 else "no clear trend")


def _where_known(samples: pl.DataFrame, *names: str) -> pl.DataFrame:
    """Leave out samples without one of the columns; most runs have none, and a copy of the rest costs more than looking."""
    known = np.logical_and.reduce([np.isfinite(column(samples, name)) for name in names])
    return samples if known.all() else samples.filter(pl.Series(known))


def _distance_along(samples: pl.DataFrame, timer_s: Floats) -> Floats | None:
    """Distance from the start, never falling, NaN where unknown: as recorded, else summed up from speed."""
    for metres in (column(samples, "distance_m"), _distance_from_speed(samples, timer_s)):
        along_m = np.where(np.isfinite(metres), np.fmax.accumulate(metres), np.nan)
        known_m = along_m[np.isfinite(along_m)]
        if len(known_m) > 1 and known_m[-1] > known_m[0]:
            return along_m
    return None


def _distance_from_speed(samples: pl.DataFrame, timer_s: Floats) -> Floats:
    speed_m_per_s = np.nan_to_num(column(samples, "speed_m_per_s"))
    return np.cumsum(np.maximum(speed_m_per_s, 0.0) * np.minimum(_steps(timer_s), MAX_SAMPLE_GAP_S))


def _grade_by_second(along_m: Floats, altitude_m: Floats) -> Floats:
    """Mean grade between each two ticks; none while standing."""
    grade = smoothed_grade(along_m, altitude_m)
    return np.where(np.diff(along_m) < STANDING_M_PER_S, 0.0, (grade[1:] + grade[:-1]) / 2)


def _steps(along: Floats) -> Floats:
    return np.diff(along, prepend=along[:1])


def _interpolated(ticks_s: Floats, timer_s: Floats, values: Floats) -> Floats:
    """Values at the ticks, linear between known ones; of several at one instant the last counts."""
    known = np.isfinite(values)
    at_s, known_values = timer_s[known], values[known]
    lasts = np.diff(at_s, append=np.inf) > 0
    return np.interp(ticks_s, at_s[lasts], known_values[lasts])


def _next_sample(ticks_s: Floats, timer_s: Floats, values: Floats) -> Floats:
    """Value of the first sample at or after each tick, as far as that sample speaks for it."""
    following = np.minimum(np.searchsorted(timer_s, ticks_s, side="left"), len(timer_s) - 1)
    return np.where(timer_s[following] - ticks_s < MAX_SAMPLE_GAP_S, values[following], np.nan)


def _area_below(along_m: Floats, heights_m: Floats, at_m: Floats) -> Floats:
    """Integral of the altitude profile from its start to each place."""
    widths_m, rises_m = np.diff(along_m), np.diff(heights_m)
    areas = np.concatenate(([0.0], np.cumsum((heights_m[:-1] + rises_m / 2) * widths_m)))
    left = np.clip(np.searchsorted(along_m, at_m, side="right") - 1, 0, len(widths_m) - 1)
    beyond_m = at_m - along_m[left]
    return areas[left] + beyond_m * (heights_m[left] + rises_m[left] / widths_m[left] * beyond_m / 2)


def _is_steady(graded_m_per_s: Floats, grade: Floats, moving: NDArray[np.bool_]) -> bool:
    """Whether the moving seconds are flat enough and free of intervals."""
    speed_m_per_s = graded_m_per_s[moving]
    ngp = ngp_m_per_s(speed_m_per_s)
    return (
        ngp is not None
        and float(np.mean(np.abs(grade[moving]))) <= DECOUPLING_MAX_MEAN_GRADE
        and ngp <= DECOUPLING_MAX_VARIABILITY * float(np.mean(speed_m_per_s))
    )


def _fastest(stretches: list[tuple[Floats, Floats]], length_m: float) -> tuple[float, float]:
    """Time and start of the fastest window of the length; the time is infinite when there is none."""
    return min((_fastest_within(*stretch, length_m) for stretch in stretches), default=(math.inf, math.nan))


def _fastest_within(elapsed_s: Floats, along_m: Floats, length_m: float) -> tuple[float, float]:
    """Fastest window of an unbroken stretch: it starts or ends at a sample, because speed is constant between."""
    if len(along_m) < 2 or along_m[-1] - along_m[0] < length_m:
        return math.inf, math.nan
    from_samples = along_m <= along_m[-1] - length_m
    to_samples = along_m >= along_m[0] + length_m
    starts_s = np.concatenate(
        (elapsed_s[from_samples], _left_at(elapsed_s, along_m, along_m[to_samples] - length_m))
    )
    times_s = np.concatenate(
        (_reached_at(elapsed_s, along_m, along_m[from_samples] + length_m), elapsed_s[to_samples])
    )
    times_s -= starts_s
    times_s[times_s < length_m / MAX_RUNNING_SPEED_M_PER_S] = np.inf
    best = int(np.argmin(times_s))
    return float(times_s[best]), float(starts_s[best])


def _reached_at(elapsed_s: Floats, along_m: Floats, places_m: Floats) -> Floats:
    """When each place was first reached."""
    places_m = np.clip(places_m, along_m[0], along_m[-1])  # rounding may put it just outside
    right = np.clip(np.searchsorted(along_m, places_m, side="left"), 1, len(along_m) - 1)
    return _time_between(elapsed_s, along_m, right - 1, places_m)


def _left_at(elapsed_s: Floats, along_m: Floats, places_m: Floats) -> Floats:
    """When each place was last left: standing at the start does not count."""
    places_m = np.clip(places_m, along_m[0], along_m[-1])
    left = np.clip(np.searchsorted(along_m, places_m, side="right") - 1, 0, len(along_m) - 2)
    return _time_between(elapsed_s, along_m, left, places_m)


def _time_between(elapsed_s: Floats, along_m: Floats, left: NDArray[np.intp], places_m: Floats) -> Floats:
    share = (places_m - along_m[left]) / (along_m[left + 1] - along_m[left])
    return elapsed_s[left] + share * (elapsed_s[left + 1] - elapsed_s[left])


def _kendall_variance(n: int, *tied: Floats) -> float:
    """Variance of Kendall's score, less what ties in each of the series take from it."""
    counts = np.concatenate([np.unique(series, return_counts=True)[1] for series in tied])
    lost = float(np.sum(counts * (counts - 1) * (2 * counts + 5)))
    return (n * (n - 1) * (2 * n + 5) - lost) / 18


def _trend(fit: TheilSen | None, word: TrendWord) -> PaceTrend:
    return {
        "pace_trend_s_per_km_per_week": fit.slope if fit else None,
        "pace_trend_low": fit.low if fit else None,
        "pace_trend_high": fit.high if fit else None,
        "pace_trend": word,
    }
