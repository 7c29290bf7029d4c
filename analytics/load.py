"""Load of a run and of a history of days: heart rate, pace and effort scores, their means, and spikes."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SpikeBin = Literal["reference", "small", "moderate", "large", "no_baseline"]

HOUR_S = 3600.0

DEFAULT_THRESHOLD_SHARE = 0.85  # of the heart-rate reserve; Elevate's default
BANISTER_WEIGHTS = {"male": (0.64, 1.92), "female": (0.86, 1.67)}  # a, b of a·exp(b·x); Banister 1991
LOWEST_ZONE_TENTH = 5  # zone 1 begins at 50 % of maximum, and each further one 10 % higher; Edwards 1993
HIGHEST_ZONE = 5
LUCIA_WEIGHTS = (1.0, 2.0, 3.0)  # below, between and above the ventilatory thresholds; Lucia 2003

FITNESS_DAYS = 42  # Coggan's chronic training load
FATIGUE_DAYS = 7
ACUTE_DAYS = 7
CHRONIC_DAYS = 28  # of which the uncoupled ratio leaves out the acute seven
CHRONIC_WEEKS_UNCOUPLED = 3

SPIKE_WINDOW = "30d"  # Frandsen et al., BJSM 2025: longest run of the 30 days before
SMALL_SPIKE_RATIO = 0.10  # distance over the longest, minus 1; same source
MODERATE_SPIKE_RATIO = 0.30
LARGE_SPIKE_RATIO = 1.00
DEAD_BAND_M = 200.0  # beyond +10 %, ours: GPS distance is not better than this
DEAD_BAND_SHARE = 0.01  # of the longest run
ROUNDING = 1e-9  # 15.6 / 12.0 - 1 is 0.30000000000000004

SPIKES = pl.Schema(
    {
        "activity_id": pl.String,
        "spike_ratio": pl.Float64,
        "spike_bin": pl.String,
        "longest_30d_m": pl.Float64,
        "longest_30d_activity_id": pl.String,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartRateProfile:
    """
    What heart-rate load needs to know of an athlete; None is unknown.

    Attributes:
        sex: Chooses Banister's weights.
        resting_bpm: Resting heart rate.
        max_bpm: Maximum heart rate.
        threshold_bpm: Heart rate that can be held for an hour, where the athlete knows it.
        vt1_bpm: Heart rate at the first ventilatory threshold, from a laboratory.
        vt2_bpm: Heart rate at the second.
    """

    sex: Literal["female", "male"] | None = None
    resting_bpm: float | None = None
    max_bpm: float | None = None
    threshold_bpm: float | None = None
    vt1_bpm: float | None = None
    vt2_bpm: float | None = None

    @property
    def threshold_or_default_bpm(self) -> float | None:
        """The athlete's own threshold, else 85 % of the reserve above rest."""
        if self.threshold_bpm is not None or self.resting_bpm is None or self.max_bpm is None:
            return self.threshold_bpm
        return self.resting_bpm + DEFAULT_THRESHOLD_SHARE * (self.max_bpm - self.resting_bpm)


def trimp_banister(hr_bpm: Floats, dt_s: Floats, profile: HeartRateProfile) -> float | None:
    """Sum minutes times reserve times a·exp(b·reserve) over samples; None without heart rate or profile."""
    if profile.sex is None or profile.resting_bpm is None or profile.max_bpm is None:
        return None
    beats = is_measured(hr_bpm, dt_s)
    reserve_bpm = profile.max_bpm - profile.resting_bpm
    if reserve_bpm <= 0 or not beats.any():
        return None
    a, b = BANISTER_WEIGHTS[profile.sex]
    reserve = np.clip((hr_bpm[beats] - profile.resting_bpm) / reserve_bpm, 0.0, 1.0)
    return float(np.sum(dt_s[beats] / 60 * reserve * a * np.exp(b * reserve)))


def trimp_edwards(hr_bpm: Floats, dt_s: Floats, profile: HeartRateProfile) -> float | None:
    """Sum minutes times 1 to 5 for each tenth of maximum heart rate from 50 % on; None where unknown."""
    beats = is_measured(hr_bpm, dt_s)
    if profile.max_bpm is None or profile.max_bpm <= 0 or not beats.any():
        return None
    return float(np.sum(dt_s[beats] / 60 * heart_rate_zone(hr_bpm[beats], profile.max_bpm)))


def heart_rate_zone(hr_bpm: Floats, max_bpm: float) -> Floats:
    """Return the zone of each heart rate: 1 from 50 % of maximum to 5 from 90 % on, 0 below."""
    tenths = np.floor(hr_bpm / max_bpm * 10 + ROUNDING)
    return np.asarray(np.clip(tenths - LOWEST_ZONE_TENTH + 1, 0, HIGHEST_ZONE), dtype=np.float64)


def trimp_lucia(hr_bpm: Floats, dt_s: Floats, profile: HeartRateProfile) -> float | None:
    """Sum minutes times 1 below the first ventilatory threshold, 2 up to the second, 3 above; None without both."""
    beats = is_measured(hr_bpm, dt_s)
    if profile.vt1_bpm is None or profile.vt2_bpm is None or not beats.any():
        return None
    above = (hr_bpm[beats] >= profile.vt1_bpm).astype(np.intp) + (hr_bpm[beats] > profile.vt2_bpm)
    return float(np.sum(dt_s[beats] / 60 * np.array(LUCIA_WEIGHTS)[above]))


def hrss(trimp: float | None, profile: HeartRateProfile) -> float | None:
    """Give Banister TRIMP as a percentage of an hour at threshold heart rate."""
    threshold_bpm = profile.threshold_or_default_bpm
    if trimp is None or threshold_bpm is None:
        return None
    hour = trimp_banister(np.array([threshold_bpm]), np.array([HOUR_S]), profile)
    return 100 * trimp / hour if hour else None


def rtss(duration_s: float, ngp_m_per_s: float | None, threshold_pace_s_per_km: float | None) -> float | None:
    """Score a run by normalised graded speed over threshold speed, squared; an hour at threshold is 100."""
    if ngp_m_per_s is None or threshold_pace_s_per_km is None:
        return None
    intensity = ngp_m_per_s * threshold_pace_s_per_km / 1000
    return 100 * duration_s / HOUR_S * intensity**2


def srpe(rpe: float | None, duration_s: float | None) -> float | None:
    """Perceived exertion (0 to 10) times minutes; Foster 2001."""
    if rpe is None or duration_s is None:
        return None
    return rpe * duration_s / 60


def is_measured(hr_bpm: Floats, dt_s: Floats) -> NDArray[np.bool_]:
    """Tell which samples have a heart rate and stand for some time."""
    return (hr_bpm > 0) & (dt_s > 0)


def ctl_atl_tsb(daily: Floats, *, seed: float = 0.0) -> tuple[Floats, Floats, Floats]:
    """
    Exponential means of 42 and 7 days with alpha = 1 - exp(-1/N), and yesterday's difference of the two.

    Args:
        daily: Load of each day without gaps, rest days 0.
        seed: Both means on the day before the first.
    """
    with_seed = np.concatenate(([seed], daily))
    ctl = _exponential_mean(with_seed, 1 - math.exp(-1 / FITNESS_DAYS))
    atl = _exponential_mean(with_seed, 1 - math.exp(-1 / FATIGUE_DAYS))
    return ctl[1:], atl[1:], (ctl - atl)[:-1]


def acwr_uncoupled(daily: Floats) -> Floats:
    """Load of 7 days over the weekly mean of the 21 before; NaN in the first 27 days and after no load."""
    ratios = np.full(len(daily), np.nan)
    if len(daily) < CHRONIC_DAYS:
        return ratios
    # windows, not differences of running sums: those leave dust where 21 days of rest must sum to 0
    windows = np.lib.stride_tricks.sliding_window_view(daily, CHRONIC_DAYS)
    chronic = windows[:, :-ACUTE_DAYS].sum(axis=1) / CHRONIC_WEEKS_UNCOUPLED
    ratios[CHRONIC_DAYS - 1 :] = _ratio(windows[:, -ACUTE_DAYS:].sum(axis=1), chronic)
    return ratios


def acwr_ewma(daily: Floats) -> Floats:
    """Exponential mean of 7 days over that of 28, lambda = 2/(N+1), seeded with the first day; Williams 2017."""
    acute = _exponential_mean(daily, 2 / (ACUTE_DAYS + 1))
    return _ratio(acute, _exponential_mean(daily, 2 / (CHRONIC_DAYS + 1)))


def monotony(daily: Floats) -> Floats:
    """Mean load of the days (the last axis) over its sample standard deviation; NaN when the days do not differ."""
    if daily.shape[-1] < 2:
        return np.full(daily.shape[:-1], np.nan)
    mean, deviation = np.mean(daily, axis=-1), np.std(daily, axis=-1, ddof=1)
    differ = deviation > ROUNDING * np.abs(mean)
    return np.asarray(np.divide(mean, deviation, out=np.full(mean.shape, np.nan), where=differ))


def strain(daily: Floats) -> Floats:
    """Sum of the days' load (the last axis) times monotony; Foster 1998."""
    return np.asarray(np.sum(daily, axis=-1) * monotony(daily))


def spike_bin(distance_m: float, longest_m: float | None) -> SpikeBin:
    """Place a distance against the longest run of the 30 days before, dead-band for GPS error included."""
    if longest_m is None or longest_m <= 0:
        return "no_baseline"
    ratio = distance_m / longest_m - 1
    if ratio > LARGE_SPIKE_RATIO + ROUNDING:
        return "large"
    if ratio > MODERATE_SPIKE_RATIO + ROUNDING:
        return "moderate"
    beyond = ratio - SMALL_SPIKE_RATIO + ROUNDING
    dead_band = max(DEAD_BAND_M / longest_m, DEAD_BAND_SHARE)
    return "small" if beyond >= dead_band else "reference"


def with_spikes(runs: pl.DataFrame) -> pl.DataFrame:
    """
    Compare each run of one athlete with the longest that started in the 30 days before its start.

    Args:
        runs: activity_id, started_at (UTC), distance_m (null where unknown).

    Returns:
        One row a run in order of time: activity_id, spike_ratio, spike_bin, longest_30d_m,
        longest_30d_activity_id; ratio and bin are null where the run's distance is.
    """
    if runs.is_empty():
        return SPIKES.to_frame()
    ranked = _ranked_by_distance(runs)
    # the largest rank stands for the run itself, so one rolling maximum gives both its distance and its id
    longest = ranked.select(
        pl.col("rank").alias("longest_rank"),
        pl.col("distance_m").alias("longest_30d_m"),
        pl.col("activity_id").alias("longest_30d_activity_id"),
    ).filter(pl.col("longest_30d_m") > 0)
    longest_rank = pl.col("rank").rolling_max_by("started_at", SPIKE_WINDOW, closed="left")
    compared = (
        ranked.with_columns(longest_rank=longest_rank)
        .join(longest, on="longest_rank", how="left")
        .with_columns(spike_ratio=pl.col("distance_m") / pl.col("longest_30d_m") - 1)
        .sort("started_at", "activity_id")
    )
    bins = [
        None if distance_m is None else spike_bin(distance_m, longest_m)
        for distance_m, longest_m in compared.select("distance_m", "longest_30d_m").iter_rows()
    ]
    return compared.with_columns(pl.Series("spike_bin", bins, pl.String)).select(SPIKES.names())


def _exponential_mean(loads: Floats, alpha: float) -> Floats:
    """Mean of each entry with all before it, the first entry being the start."""
    means = pl.Series(loads, dtype=pl.Float64).ewm_mean(alpha=alpha, adjust=False)
    return np.array(means, dtype=np.float64)


def _ratio(acute: Floats, chronic: Floats) -> Floats:
    ratios = np.full(len(acute), np.nan)
    np.divide(acute, chronic, out=ratios, where=chronic > 0)
    return ratios


def _ranked_by_distance(runs: pl.DataFrame) -> pl.DataFrame:
    """Number the runs by distance from 1, the later higher among equals; unknown distances get 0."""
    return (
        runs.select("activity_id", "started_at", pl.col("distance_m").cast(pl.Float64).fill_nan(None))
        .sort("distance_m", "started_at", "activity_id", nulls_last=False)
        .with_row_index("rank", offset=1)
        .with_columns(rank=pl.when(pl.col("distance_m").is_null()).then(0).otherwise("rank").cast(pl.Int64))
    )
