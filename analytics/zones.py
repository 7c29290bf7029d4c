"""Time in zones of heart rate and of pace, by run and by week, and how much of it was easy."""

import numpy as np
import polars as pl

from analytics.calendar import start_of_week
from analytics.load import HIGHEST_ZONE, ROUNDING, Floats, heart_rate_zone, is_measured
from analytics.pace import MOVING_M_PER_S, Seconds, column, durations_s, half_minute_mean
from analytics.run_metrics import AthleteValues

PACE_LIMITS = (1.29, 1.14, 1.06, 1.00)  # pace over threshold pace at which zones 2 to 5 begin; Friel
EASY_ZONES = {"heart_rate": 3, "pace": 2}  # the highest that is easy: plans ask for effort from zone 4 on
ZONES = range(HIGHEST_ZONE + 1)

ZONE_TIMES = pl.Schema({"kind": pl.String, "zone": pl.Int32, "time_s": pl.Float64})
WEEKLY_ZONES = pl.Schema(
    {
        "week_start": pl.Date,
        "kind": pl.String,
        **{f"zone_{zone}_s": pl.Float64 for zone in ZONES},
        "easy_share": pl.Float64,
        "hard_share": pl.Float64,
        "known_share": pl.Float64,
    }
)


def zone_times(samples: pl.DataFrame, seconds: Seconds | None, *, values: AthleteValues) -> pl.DataFrame:
    """
    Sum the time of a run in each zone of heart rate and of pace.

    Args:
        samples: Columns of the view samples with timer_s, in order of time; any may be all null.
        seconds: What pace.seconds_of makes of them.
        values: The athlete's own values; without maximum heart rate or threshold pace there are no such zones.

    Returns:
        One row a kind and zone, zones without time included: kind, zone, time_s; no rows of a kind that is unknown, and no
        zone 0 of pace.
    """
    by_kind = {
        "heart_rate": _heart_rate_times(samples, values.heart_rate.max_bpm),
        "pace": _pace_times(seconds, values.threshold_pace_s_per_km),
    }
    rows = [
        (kind, zone, float(times_s[zone]))
        for kind, times_s in by_kind.items()
        if times_s is not None
        for zone in ZONES[kind == "pace" :]
    ]
    return pl.DataFrame(rows, schema=ZONE_TIMES, orient="row")


def weekly_zones(times: pl.DataFrame, runs: pl.DataFrame, *, week_starts_on: int) -> pl.DataFrame:
    """
    Sum the zones of one athlete's weeks.

    Args:
        times: What zone_times returns of each run, with its activity_id.
        runs: activity_id, local_date, timer_s.
        week_starts_on: 0 for Monday to 6 for Sunday.

    Returns:
        One row a week and kind with any time in it: the columns of table weekly_zones without athlete.
    """
    runs = runs.select("activity_id", "timer_s", start_of_week(week_starts_on))
    run_s = runs.group_by("week_start").agg(run_s=pl.col("timer_s").sum())
    in_zones = [
        pl.col("time_s").filter(pl.col("zone") == zone).sum().alias(f"zone_{zone}_s") for zone in ZONES
    ]
    is_easy = pl.col("zone") <= pl.col("kind").replace_strict(EASY_ZONES, return_dtype=pl.Int32)
    weeks = (
        times.join(runs.drop("timer_s"), on="activity_id")
        .group_by("week_start", "kind")
        .agg(*in_zones, all_s=pl.col("time_s").sum(), easy_s=pl.col("time_s").filter(is_easy).sum())
        .filter(pl.col("all_s") > 0)
        .join(run_s, on="week_start")
    )
    easy_share = pl.col("easy_s") / pl.col("all_s")
    return (
        weeks.with_columns(
            easy_share=easy_share,
            hard_share=1 - easy_share,
            known_share=pl.when(pl.col("run_s") > 0).then((pl.col("all_s") / pl.col("run_s")).clip(0, 1)),
        )
        .sort("week_start", "kind")
        .select(WEEKLY_ZONES.names())
        .cast(WEEKLY_ZONES)
    )


def pace_zone(speed_m_per_s: Floats, threshold_pace_s_per_km: float) -> Floats:
    """Return the zone of each graded speed, from 1 to 5."""
    share = speed_m_per_s * threshold_pace_s_per_km / 1000
    limits = 1 / np.array(PACE_LIMITS) - ROUNDING
    return np.searchsorted(limits, share, side="right").astype(np.float64) + 1


def _heart_rate_times(samples: pl.DataFrame, max_bpm: float | None) -> Floats | None:
    hr_bpm, dt_s = column(samples, "hr_bpm"), durations_s(samples)
    beats = is_measured(hr_bpm, dt_s)
    if not max_bpm or not beats.any():
        return None
    return _summed(heart_rate_zone(hr_bpm[beats], max_bpm), dt_s[beats])


def _pace_times(seconds: Seconds | None, threshold_pace_s_per_km: float | None) -> Floats | None:
    """Half a minute's mean counts for each second, because positions jump more than runners do; standing is in no zone."""
    if seconds is None or not threshold_pace_s_per_km:
        return None
    speed_m_per_s = half_minute_mean(seconds.graded_m_per_s)
    speed_m_per_s = speed_m_per_s[speed_m_per_s >= MOVING_M_PER_S]
    return _summed(pace_zone(speed_m_per_s, threshold_pace_s_per_km), np.ones_like(speed_m_per_s))


def _summed(zones: Floats, time_s: Floats) -> Floats:
    times_s = np.bincount(zones.astype(np.intp), weights=time_s, minlength=len(ZONES))
    return np.asarray(times_s, dtype=np.float64)
