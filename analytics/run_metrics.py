"""What the samples of one run say: heart-rate, pace and knee load, efficiency, easy pace, running form."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.cadence import steps_of, usual_cadence_at
from analytics.form import Strides, form_of_run
from analytics.knee_load import knee_load_klu
from analytics.load import (
    Floats,
    HeartRateProfile,
    hrss,
    rtss,
    srpe,
    trimp_banister,
    trimp_edwards,
    trimp_lucia,
)
from analytics.pace import (
    ROUNDING,
    Seconds,
    column,
    decoupling_pct,
    durations_s,
    easy_pace,
    efficiency_m_per_min_per_bpm,
    gap_s_per_km,
    half_minute_mean,
    ngp_m_per_s,
    weighted_mean,
)

FORMULA_VERSION = "6"  # a change recomputes every run

STEEP_GRADE = -0.03  # rise over run; descents of this and steeper load the knee

PACE_METRICS = (
    "ngp_m_per_s",
    "rtss",
    "efficiency_m_per_min_per_bpm",
    "decoupling_pct",
    "knee_load_klu",
    "easy_pace_s_per_km",
    "easy_pace_s",
    "gap_s_per_km",
    "gap_minetti_s_per_km",
    "steep_descent_m",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AthleteValues:
    """
    The athlete's own values that metrics of a run rest on; None is unknown.

    Attributes:
        heart_rate: Sex, resting, maximum and threshold heart rate.
        threshold_pace_s_per_km: Pace that can be held for an hour.
    """

    heart_rate: HeartRateProfile
    threshold_pace_s_per_km: float | None


def metrics_of_run(
    samples: pl.DataFrame,
    seconds: Seconds | None,
    strides: Strides,
    *,
    timer_s: float,
    distance_m: float | None,
    rpe: float | None,
    values: AthleteValues,
    usual_cadence_spm: Floats | None = None,
) -> dict[str, float | None]:
    """
    Compute what table run_metrics holds of one run, but for its spike and the key of its inputs.

    Args:
        samples: Columns of the view samples with timer_s, in order of time; any may be all null.
        seconds: What pace.seconds_of makes of them.
        strides: What form.strides_of makes of both.
        timer_s: Duration of the run.
        distance_m: Its distance as the device has it.
        rpe: Perceived exertion, 0 to 10.
        values: The athlete's own values.
        usual_cadence_spm: What cadence.usual_cadence_spm returns of the 28 days before; without it cadence does not
            count in knee load.
    """
    dt_s = durations_s(samples)
    hr_bpm = column(samples, "hr_bpm")
    trimp = trimp_banister(hr_bpm, dt_s, values.heart_rate)
    return {
        "trimp_banister": trimp,
        "trimp_edwards": trimp_edwards(hr_bpm, dt_s, values.heart_rate),
        "trimp_lucia": trimp_lucia(hr_bpm, dt_s, values.heart_rate),
        "hrss": hrss(trimp, values.heart_rate),
        "srpe": srpe(rpe, timer_s),
        "cadence_steps": steps_of(column(samples, "cadence_spm"), dt_s),
        **_pace_metrics(seconds, timer_s, distance_m, values, usual_cadence_spm),
        **form_of_run(samples, seconds, strides),
        "temperature_c": weighted_mean(column(samples, "temperature_c"), dt_s),
    }


def cross_training_load(
    samples: pl.DataFrame, *, timer_s: float, rpe: float | None, values: AthleteValues
) -> dict[str, float | None]:
    """Compute what table cross_training holds of an activity that is no run, but for the key of its inputs."""
    trimp = trimp_banister(column(samples, "hr_bpm"), durations_s(samples), values.heart_rate)
    return {
        "trimp_banister": trimp,
        "hrss": hrss(trimp, values.heart_rate),
        "srpe": srpe(rpe, timer_s),
    }


def _pace_metrics(
    seconds: Seconds | None,
    timer_s: float,
    distance_m: float | None,
    values: AthleteValues,
    usual_cadence_spm: Floats | None,
) -> dict[str, float | None]:
    if seconds is None:
        return dict.fromkeys(PACE_METRICS)
    ngp = ngp_m_per_s(seconds.graded_m_per_s)
    easy_pace_s_per_km, easy_pace_s = easy_pace(seconds, values.heart_rate.max_bpm)
    return {
        "ngp_m_per_s": ngp,
        "rtss": rtss(timer_s, ngp, values.threshold_pace_s_per_km),
        "efficiency_m_per_min_per_bpm": efficiency_m_per_min_per_bpm(seconds.graded_m_per_s, seconds.hr_bpm),
        "decoupling_pct": decoupling_pct(seconds),
        "knee_load_klu": _knee_load(seconds, usual_cadence_spm),
        "easy_pace_s_per_km": easy_pace_s_per_km,
        "easy_pace_s": easy_pace_s,
        "gap_s_per_km": gap_s_per_km(seconds, distance_m=distance_m),
        "gap_minetti_s_per_km": gap_s_per_km(seconds, distance_m=distance_m, model="minetti"),
        "steep_descent_m": _steep_descent_m(seconds),
    }


def _knee_load(seconds: Seconds, usual_cadence_spm: Floats | None) -> float:
    speed_m_per_s = seconds.speed_m_per_s
    reference_spm = (
        None
        if usual_cadence_spm is None
        else usual_cadence_at(half_minute_mean(speed_m_per_s), usual_cadence_spm)
    )
    return knee_load_klu(
        speed_m_per_s,
        speed_m_per_s,
        seconds.grade,
        cadence_spm=seconds.cadence_spm,
        reference_cadence_spm=reference_spm,
    )


def _steep_descent_m(seconds: Seconds) -> float | None:
    if not seconds.has_altitude:
        return None
    steep = seconds.grade <= STEEP_GRADE + ROUNDING
    return float(np.sum(-seconds.grade[steep] * seconds.speed_m_per_s[steep]))
