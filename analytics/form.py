"""
Running form as a watch or strap records it: per run, within the run, and over weeks at comparable speed.

Every measure follows speed, so like is compared with like: the same bands of speed, on the flat.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analytics.load import Floats
from analytics.pace import (
    EASY_MAX_GRADE,
    MIN_KNOWN_SHARE,
    MOVING_M_PER_S,
    ROUNDING,
    Seconds,
    column,
    durations_s,
    mean_speed_m_per_s,
    theil_sen,
    weighted_mean,
)

FormTrendWord = Literal["higher", "lower", "no clear change", "too few runs"]

# Each measure with the column of its change within a run.
MEASURES = {
    "stance_time_ms": "stance_time_drift_ms",
    "stance_balance_pct": "stance_balance_drift_pct",
    "vertical_oscillation_mm": "vertical_oscillation_drift_mm",
    "step_length_mm": "step_length_drift_mm",
    "cadence_spm": "cadence_drift_spm",
}
SPEED_BAND_M_PER_S = 0.2  # speeds within it are comparable: 6:40 and 6:10 are its ends at 2.5 m/s, ours
RUNNING_FROM_M_PER_S = 1.8  # slower than 9:15 per kilometre is mostly walking, ours
MIN_SPEED_SD_M_PER_S = 0.03  # with less there is no slope to be seen
MIN_BAND_S = 60.0  # less of a band says nothing, ours
DRIFT_MIN_S = 1800.0  # shorter runs hardly tire, ours
DRIFT_PARTS = 5  # the last fifth against the first

TREND_WEEKS = 4  # against as many before
TREND_MIN_RUNS = 3  # on each side; with fewer no interval leaves out 0

RUN_FORM = pl.Schema(
    {"measure": pl.String, "speed_from_m_per_s": pl.Float64, "value": pl.Float64, "seconds": pl.Float64}
)
FORM_TRENDS = pl.Schema(
    {
        "week_start": pl.Date,
        "measure": pl.String,
        "value": pl.Float64,
        "runs": pl.Int32,
        "runs_before": pl.Int32,
        "change": pl.Float64,
        "change_low": pl.Float64,
        "change_high": pl.Float64,
        "trend": pl.String,
    }
)


class Bands(NamedTuple):
    """Of each band of speed from 0 up: sum of value times seconds, and seconds."""

    totals: Floats
    seconds: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Strides:
    """
    The samples of a run in their bands of speed.

    Attributes:
        recorded: Each measure as it was recorded, NaN where unknown.
        second: Which second of the run a sample ends.
        band: Its band of speed; 0 where it does not count.
        dt_s: Seconds it speaks for; 0 where the runner stands or walks, and where it is not flat.
        values: Each measure as it would be in the middle of the band, by how it rises with speed over the run.
    """

    recorded: dict[str, Floats]
    second: NDArray[np.intp]
    band: NDArray[np.intp]
    dt_s: Floats
    values: dict[str, Floats]


def strides_of(samples: pl.DataFrame, seconds: Seconds | None) -> Strides:
    """
    Put the samples of a run into bands of speed; in none where the run has no distance.

    Args:
        samples: Columns of the view samples with timer_s, in order of time.
        seconds: What pace.seconds_of makes of them.
    """
    recorded = _measures(samples, seconds)
    if seconds is None:
        nowhere = np.zeros(len(samples), dtype=np.intp)
        return Strides(
            recorded=recorded, second=nowhere, band=nowhere, dt_s=np.zeros(len(samples)), values=recorded
        )
    second = _second_of(samples, seconds)
    speed_m_per_s = np.nan_to_num(_speed_m_per_s(samples, seconds))
    is_flat_running = (speed_m_per_s >= RUNNING_FROM_M_PER_S) & (
        np.abs(seconds.grade[second]) <= EASY_MAX_GRADE
    )
    number = np.floor(speed_m_per_s / SPEED_BAND_M_PER_S + ROUNDING).astype(np.intp)
    to_middle_m_per_s = (number + 0.5) * SPEED_BAND_M_PER_S - speed_m_per_s
    weights_s = np.where(is_flat_running, durations_s(samples), 0.0)
    return Strides(
        recorded=recorded,
        second=second,
        band=np.where(is_flat_running, number, 0),
        dt_s=weights_s,
        values={
            name: one + _slope(one, speed_m_per_s, weights_s) * to_middle_m_per_s
            for name, one in recorded.items()
        },
    )


def form_of_run(samples: pl.DataFrame, seconds: Seconds | None, strides: Strides) -> dict[str, float | None]:
    """
    Return the mean of each measure while running, and its change from the first to the last fifth.

    The change is at equal speed on the flat, of runs of half an hour and more.

    Args:
        samples: Columns of the view samples with timer_s, in order of time.
        seconds: The same run second by second; None where it has no distance.
        strides: What strides_of makes of both.
    """
    dt_s = durations_s(samples)
    running_s = np.where(_is_standing(samples, dt_s), 0.0, dt_s)
    means = {name: weighted_mean(strides.recorded[name], running_s) for name in MEASURES}
    return means | _drifts(strides, 0 if seconds is None else len(seconds.speed_m_per_s))


def form_by_speed(strides: Strides) -> pl.DataFrame:
    """
    Return the mean of each measure in each band of speed of a run, on the flat.

    Returns:
        One row a measure and band with a minute or more: measure, speed_from_m_per_s, value, seconds.
    """
    rows = [
        (
            name,
            number * SPEED_BAND_M_PER_S,
            bands.totals[number] / bands.seconds[number],
            bands.seconds[number],
        )
        for name, values in strides.values.items()
        for bands in [_in_bands(values, strides.band, strides.dt_s)]
        for number in np.flatnonzero(bands.seconds >= MIN_BAND_S)
    ]
    return pl.DataFrame(rows, schema=RUN_FORM, orient="row")


def form_trends(run_form: pl.DataFrame, week_starts: pl.Series) -> pl.DataFrame:
    """
    Compare the four weeks up to each week with the four before, run by run at equal speeds.

    Each run counts by how far it lies from what is usual in its bands of speed. The change is the median of all
    differences between a run of now and one of before (Hodges & Lehmann 1963), with its 95 % interval.

    Args:
        run_form: Of each run activity_id, local_date and the columns of RUN_FORM, in any order.
        week_starts: First days of weeks without gaps, in order.

    Returns:
        One row a week and measure that was recorded in its four weeks: the columns of table form_trends without
        athlete. The value is that of all speeds.
    """
    key, band = ("week_start", "measure"), "speed_from_m_per_s"
    windows = _windows(run_form, week_starts)
    values = windows.filter("is_now").group_by(key).agg(value=_by_time(pl.col("value")))
    comparable = windows.filter(pl.col("is_now").n_unique().over(*key, band) == 2)
    usual = _by_time(pl.col("value")).over(*key, band)
    runs = (
        comparable.with_columns(apart=pl.col("value") - usual)
        .group_by(*key, "activity_id", "is_now", maintain_order=True)
        .agg(apart=_by_time(pl.col("apart")))
        .group_by(key, maintain_order=True)
        .agg("is_now", "apart")
    )
    changes = [
        {"week_start": week_start, "measure": measure} | _change(np.array(is_now), np.array(apart))
        for week_start, measure, is_now, apart in runs.iter_rows()
    ]
    schema = {name: kind for name, kind in FORM_TRENDS.items() if name != "value"}
    told = values.join(pl.DataFrame(changes, schema=schema), on=key, how="left")
    return (
        told.with_columns(
            pl.col("runs", "runs_before").fill_null(0), pl.col("trend").fill_null("too few runs")
        )
        .select(FORM_TRENDS.names())
        .sort(key)
    )


def _measures(samples: pl.DataFrame, seconds: Seconds | None) -> dict[str, Floats]:
    """Each measure by sample, NaN where unknown; a sensor that has nothing to say sends 0."""
    columns = {name: column(samples, name) for name in MEASURES}
    values = {name: np.where(one > 0, one, np.nan) for name, one in columns.items()}
    if seconds is not None:
        from_cadence_mm = _speed_m_per_s(samples, seconds) * 60_000 / values["cadence_spm"]
        recorded_mm = values["step_length_mm"]
        values["step_length_mm"] = np.where(np.isfinite(recorded_mm), recorded_mm, from_cadence_mm)
    return values


def _speed_m_per_s(samples: pl.DataFrame, seconds: Seconds) -> Floats:
    """Speed of each sample: the watch's own, from which its step length comes, else that of its way."""
    told_m_per_s = column(samples, "speed_m_per_s")
    if np.mean(np.isfinite(told_m_per_s)) >= MIN_KNOWN_SHARE:
        return told_m_per_s
    return mean_speed_m_per_s(seconds.speed_m_per_s)[_second_of(samples, seconds)]


def _second_of(samples: pl.DataFrame, seconds: Seconds) -> NDArray[np.intp]:
    """Which second of the run each sample ends."""
    timer_s = np.nan_to_num(column(samples, "timer_s"))
    place = np.ceil(timer_s - seconds.starts_at_s).astype(np.intp) - 1
    return np.clip(place, 0, len(seconds.speed_m_per_s) - 1)


def _slope(values: Floats, speed_m_per_s: Floats, weights_s: Floats) -> float:
    """Rise of a measure with speed over the run, by least squares; 0 where speed hardly varies."""
    known = np.isfinite(values) & (weights_s > 0)
    values, speed_m_per_s, weights_s = values[known], speed_m_per_s[known], weights_s[known]
    if not len(values):
        return 0.0
    off_m_per_s = speed_m_per_s - np.average(speed_m_per_s, weights=weights_s)
    spread = float(np.average(off_m_per_s**2, weights=weights_s))
    if spread < MIN_SPEED_SD_M_PER_S**2:
        return 0.0
    return float(np.average(off_m_per_s * values, weights=weights_s)) / spread


def _in_bands(values: Floats, band: NDArray[np.intp], weights_s: Floats) -> Bands:
    known = np.isfinite(values) & (weights_s > 0)
    length = int(band.max(initial=0)) + 1
    totals, seconds = (
        np.bincount(band[known], weights=weights, minlength=length).astype(np.float64)
        for weights in (values[known] * weights_s[known], weights_s[known])
    )
    return Bands(totals, seconds)


def _drifts(strides: Strides, run_s: int) -> dict[str, float | None]:
    if run_s < DRIFT_MIN_S:
        return dict.fromkeys(MEASURES.values())
    part = strides.second * DRIFT_PARTS // run_s
    first_s, last_s = (np.where(part == number, strides.dt_s, 0.0) for number in (0, DRIFT_PARTS - 1))
    return {
        drift: _change_at_equal_speed(
            *(_in_bands(strides.values[name], strides.band, weights_s) for weights_s in (first_s, last_s))
        )
        for name, drift in MEASURES.items()
    }


def _change_at_equal_speed(first: Bands, last: Bands) -> float | None:
    """Mean difference of the bands that both have, by the seconds that both have; None below a minute."""
    shared_s = np.minimum(first.seconds, last.seconds)
    both = shared_s > 0
    if shared_s.sum() < MIN_BAND_S:
        return None
    changes = last.totals[both] / last.seconds[both] - first.totals[both] / first.seconds[both]
    return float(np.average(changes, weights=shared_s[both]))


def _windows(run_form: pl.DataFrame, week_starts: pl.Series) -> pl.DataFrame:
    """Put each row into the eight weeks it is looked at in: in the first four of them it is now, then it is before."""
    weeks = pl.DataFrame({"week_start": week_starts.cast(pl.Date)})
    placed = run_form.sort("local_date", "activity_id", "measure", "speed_from_m_per_s").join_asof(
        weeks, left_on="local_date", right_on="week_start", strategy="backward"
    )
    return (
        placed.join(pl.DataFrame({"later": range(2 * TREND_WEEKS)}), how="cross", maintain_order="left")
        .with_columns(
            week_start=pl.col("week_start") + pl.duration(weeks=pl.col("later")),
            is_now=pl.col("later") < TREND_WEEKS,
        )
        .join(weeks, on="week_start", how="semi", maintain_order="left")
    )


def _by_time(value: pl.Expr) -> pl.Expr:
    return (value * pl.col("seconds")).sum() / pl.col("seconds").sum()


def _change(is_now: NDArray[np.bool_], apart: Floats) -> dict[str, object]:
    """Judge the runs of one window by how far each lies from the usual."""
    runs = {"runs": int(is_now.sum()), "runs_before": int((~is_now).sum())}
    if min(runs.values()) < TREND_MIN_RUNS:
        return runs | {"trend": "too few runs"}
    fit = theil_sen(is_now.astype(np.float64), apart)
    word: FormTrendWord = "higher" if fit.low > 0 else "lower" if fit.high < 0 else "no clear change"
    return runs | {"change": fit.slope, "change_low": fit.low, "change_high": fit.high, "trend": word}


def _is_standing(samples: pl.DataFrame, dt_s: Floats) -> NDArray[np.bool_]:
    """Whether too little distance was covered since the sample before; no when it is unknown."""
    distance_m = column(samples, "distance_m")
    return np.diff(distance_m, prepend=distance_m[:1]) < MOVING_M_PER_S * dt_s
