"""Runs on the calendar of one athlete: load by day, and load, pace, plan and pain by week, without gaps."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import chain

import polars as pl

from analytics.load import (
    FITNESS_DAYS,
    Floats,
    acwr_ewma,
    acwr_uncoupled,
    ctl_atl_tsb,
    monotony,
    strain,
)
from analytics.pace import pace_trend
from analytics.plan import RUN_SESSIONS

LOAD_UNITS = ("hrss", "rtss", "srpe")  # what fitness rests on, best first
RUN_LOADS = ("rtss", "knee_load_klu", "descent_m", "steep_descent_m", "steps")
PAIN_TIMES = ("before", "during", "after_60min", "next_morning")
WEEK_DAYS = 7
TREND_WEEKS = 16
MIN_EASY_PACE_S = 900.0  # 15 minutes in the week

DAILY_LOAD = pl.Schema(
    {
        "local_date": pl.Date,
        "runs": pl.Int32,
        "distance_m": pl.Float64,
        "timer_s": pl.Float64,
        "srpe": pl.Float64,
        "hrss": pl.Float64,
        "rtss": pl.Float64,
        "knee_load_klu": pl.Float64,
        "descent_m": pl.Float64,
        "steep_descent_m": pl.Float64,
        "ctl": pl.Float64,
        "atl": pl.Float64,
        "tsb": pl.Float64,
        "acwr_uncoupled": pl.Float64,
        "acwr_ewma": pl.Float64,
        "is_warming_up": pl.Boolean,
        "load_unit": pl.String,
    }
)
WEEKLY_TRENDS = pl.Schema(
    {
        "week_start": pl.Date,
        "plan_week": pl.Int32,
        "runs": pl.Int32,
        "distance_m": pl.Float64,
        "timer_s": pl.Float64,
        "longest_run_m": pl.Float64,
        "planned_distance_m": pl.Float64,
        "planned_runs": pl.Int32,
        "planned_timer_s": pl.Float64,
        "planned_load_srpe": pl.Float64,
        "planned_pace_s_per_km": pl.Float64,
        "done_share": pl.Float64,
        "load_hrss": pl.Float64,
        "load_rtss": pl.Float64,
        "load_srpe": pl.Float64,
        "knee_load_klu": pl.Float64,
        "steps": pl.Float64,
        "steep_descent_m": pl.Float64,
        "ramp_ratio": pl.Float64,
        "two_week_ramp_ratio": pl.Float64,
        "monotony": pl.Float64,
        "strain": pl.Float64,
        "acwr_uncoupled": pl.Float64,
        "pace_s_per_km": pl.Float64,
        "gap_s_per_km": pl.Float64,
        "easy_pace_s_per_km": pl.Float64,
        "efficiency_m_per_min_per_bpm": pl.Float64,
        "pace_trend_s_per_km_per_week": pl.Float64,
        "pace_trend_low": pl.Float64,
        "pace_trend_high": pl.Float64,
        "pace_trend": pl.String,
        "worst_pain": pl.Float64,
        "pain_reports": pl.Int32,
        "strength_sessions": pl.Int32,
        "alerts": pl.Int32,
    }
)
CROSS_TRAINING = pl.Schema({"local_date": pl.Date, "srpe": pl.Float64, "hrss": pl.Float64})
NO_CROSS_TRAINING = CROSS_TRAINING.to_frame()
PACE_TREND = pl.Schema(
    {name: dtype for name, dtype in WEEKLY_TRENDS.items() if name.startswith("pace_trend")}
)
WEEKLY_TOTALS = pl.Schema({name: dtype for name, dtype in WEEKLY_TRENDS.items() if name not in PACE_TREND})


def daily_load(
    runs: pl.DataFrame,
    strength: pl.DataFrame,
    cross_training: pl.DataFrame = NO_CROSS_TRAINING,
    *,
    through: date,
) -> pl.DataFrame:
    """
    Sum the load of each day of one athlete, rest days included, and add what the days before say.

    ctl and atl rest on one unit for the whole history (load_unit): hrss where half of the runs have it, else so with
    rtss and srpe, else what most sessions have; days without it count 0.

    Args:
        runs: activity_id, local_date, distance_m, timer_s, descent_m, steep_descent_m, steps, srpe, hrss, rtss,
            knee_load_klu.
        strength: local_date, srpe.
        cross_training: Activities that are no runs: local_date, srpe, hrss.
        through: Last day; what is later is left out.

    Returns:
        One row a day from the first session on: the columns of table daily_load without athlete.
    """
    first = _first_day(runs, strength, cross_training)
    if first is None or first > through:
        return DAILY_LOAD.to_frame()
    spine = pl.select(local_date=pl.date_range(first, through, "1d"))
    days = _with_totals(spine, runs, strength, cross_training)
    distance_m = days.get_column("distance_m").to_numpy()
    unit = _load_unit(runs, (runs, strength, cross_training))
    return (
        days.with_columns(_fitness(days, unit), load_unit=pl.lit(unit, pl.String))
        .with_columns(
            _column("acwr_uncoupled", acwr_uncoupled(distance_m)),
            _column("acwr_ewma", acwr_ewma(distance_m)),
            is_warming_up=pl.int_range(pl.len()) < FITNESS_DAYS,
        )
        .select(DAILY_LOAD.names())
        .cast(DAILY_LOAD)
    )


def weekly_totals(
    daily: pl.DataFrame,
    runs: pl.DataFrame,
    plan_sessions: pl.DataFrame,
    pain_reports: pl.DataFrame,
    strength: pl.DataFrame,
    cross_training: pl.DataFrame = NO_CROSS_TRAINING,
    *,
    today: date,
    week_starts_on: int,
) -> pl.DataFrame:
    """
    Sum each week of one athlete and put the plan beside it, also for plan weeks that lie ahead.

    Args:
        daily: What daily_load returns.
        runs: As for daily_load, with pace_s_per_km, gap_s_per_km, easy_pace_s_per_km, easy_pace_s and
            efficiency_m_per_min_per_bpm.
        plan_sessions: Columns of table plan_sessions; empty without a plan.
        pain_reports: local_date, before, during, after_60min, next_morning.
        strength: local_date, srpe.
        today: The athlete's day.
        week_starts_on: 0 for Monday to 6 for Sunday.

    Returns:
        One row a week from the first session, report or plan day to today or the plan's end: the columns
        of table weekly_trends without athlete and pace trend; alerts is 0.
    """
    first = _first_day(daily, plan_sessions, pain_reports, runs, strength, cross_training)
    last = max([today, *plan_sessions.get_column("local_date").to_list()])
    if first is None or first > last:
        return WEEKLY_TOTALS.to_frame()
    daily, runs, plan_sessions, pain_reports, strength, cross_training = (
        frame.with_columns(start_of_week(week_starts_on))
        for frame in (daily.sort("local_date"), runs, plan_sessions, pain_reports, strength, cross_training)
    )
    weeks = _with_totals(_weeks(first, last, week_starts_on), runs, strength, cross_training)
    for part in (
        _run_means(runs),
        _planned(plan_sessions, today),
        _shape_of_weeks(daily),
        _pain(pain_reports),
        strength.group_by("week_start").agg(strength_sessions=pl.len()),
    ):
        weeks = weeks.join(part, on="week_start", how="left", maintain_order="left")
    weeks = weeks.with_columns(
        pl.col("pain_reports", "strength_sessions").fill_null(0),
        *_ratios(today),
        alerts=pl.lit(0),
        load_hrss=pl.col("hrss"),
        load_rtss=pl.col("rtss"),
        load_srpe=pl.col("srpe"),
    )
    return weeks.select(WEEKLY_TOTALS.names()).cast(WEEKLY_TOTALS)


def with_pace_trends(weeks: pl.DataFrame, *, today: date, since: date = date.min) -> pl.DataFrame:
    """
    Add the trend of easy pace over the 16 weeks up to each; null for weeks ahead.

    Args:
        weeks: What weekly_totals returns.
        today: The athlete's day.
        since: First week that is wanted; those before are looked back on.

    Returns:
        One row a week from then on: the columns of table weekly_trends without athlete.
    """
    paces = weeks.get_column("easy_pace_s_per_km").to_numpy()
    starts = weeks.get_column("week_start")
    first, begun = int((starts < since).sum()), int((starts <= today).sum())
    trends = [pace_trend(paces[max(0, end - TREND_WEEKS) : end]) for end in range(first + 1, begun + 1)]
    ahead = [dict.fromkeys(PACE_TREND)] * (len(weeks) - max(first, begun))
    told = pl.DataFrame([*trends, *ahead], schema=PACE_TREND)
    return weeks[first:].hstack(told).select(WEEKLY_TRENDS.names())


def start_of_week(week_starts_on: int) -> pl.Expr:
    """First day (week_start) of the week that local_date lies in; weeks start on 0 for Monday to 6 for Sunday."""
    monday = pl.col("local_date").dt.offset_by(f"-{week_starts_on}d").dt.truncate("1w")
    return monday.dt.offset_by(f"{week_starts_on}d").alias("week_start")


def _first_day(*frames: pl.DataFrame) -> date | None:
    days = chain.from_iterable(frame.get_column("local_date").to_list() for frame in frames)
    return min(days, default=None)


def _with_totals(
    spine: pl.DataFrame, runs: pl.DataFrame, strength: pl.DataFrame, cross_training: pl.DataFrame
) -> pl.DataFrame:
    """
    Add to each day or week its runs and loads; cross-training counts by heart rate and exertion, never as distance.

    A load is null where there were sessions and none has it, and 0 where there were no sessions.
    """
    key = spine.columns[0]
    of_runs = runs.group_by(key).agg(
        pl.col("distance_m", "timer_s").sum(),
        *(_sum_of_known(name) for name in RUN_LOADS),
        runs=pl.len(),
    )
    of_hearts = _load_of(key, "hrss", runs, cross_training)
    of_efforts = _load_of(key, "srpe", runs, strength, cross_training)
    totals = spine.join(of_runs, on=key, how="left", maintain_order="left")
    run_columns = pl.col("runs", "distance_m", "timer_s", *RUN_LOADS)
    totals = totals.with_columns(pl.when(pl.col("runs").is_null()).then(0).otherwise(run_columns).name.keep())
    for name, load in (("hrss", of_hearts), ("srpe", of_efforts)):
        totals = totals.join(load, on=key, how="left", maintain_order="left").with_columns(
            pl.when(pl.col("sessions").is_null()).then(0.0).otherwise(name).alias(name)
        )
        totals = totals.drop("sessions")
    return totals


def _load_of(key: str, name: str, *sessions: pl.DataFrame) -> pl.DataFrame:
    together = pl.concat([frame.select(key, pl.col(name).cast(pl.Float64)) for frame in sessions])
    return together.group_by(key).agg(_sum_of_known(name), sessions=pl.len())


def _sum_of_known(name: str) -> pl.Expr:
    known = pl.col(name).cast(pl.Float64).drop_nulls()
    return pl.when(known.len() > 0).then(known.sum()).alias(name)


def _load_unit(runs: pl.DataFrame, sessions: Sequence[pl.DataFrame]) -> str | None:
    """The best unit that half of the runs have, so that one strap in a year does not leave the rest out."""
    of_runs = {unit: runs.get_column(unit).count() for unit in LOAD_UNITS}
    if half := [unit for unit in LOAD_UNITS if of_runs[unit] and 2 * of_runs[unit] >= len(runs)]:
        return half[0]
    of_all = {
        unit: sum(one.get_column(unit).count() for one in sessions if unit in one.columns)
        for unit in LOAD_UNITS
    }
    most = max(LOAD_UNITS, key=lambda unit: of_all[unit])
    return most if of_all[most] else None


def _fitness(days: pl.DataFrame, unit: str | None) -> list[pl.Series]:
    """ctl, atl and tsb of the days; null when no session has any load."""
    if unit is None:
        return [pl.Series(name, [None] * len(days), pl.Float64) for name in ("ctl", "atl", "tsb")]
    ctl, atl, tsb = ctl_atl_tsb(days.get_column(unit).fill_null(0.0).to_numpy())
    return [_column("ctl", ctl), _column("atl", atl), _column("tsb", tsb)]


def _column(name: str, values: Floats) -> pl.Series:
    return pl.Series(name, values).fill_nan(None)


def _weeks(first: date, last: date, week_starts_on: int) -> pl.DataFrame:
    """One row a week from that of the first day to that of the last."""
    days_in = timedelta(days=(first.weekday() - week_starts_on) % WEEK_DAYS)
    return pl.select(week_start=pl.date_range(first - days_in, last, "1w"))


def _run_means(runs: pl.DataFrame) -> pl.DataFrame:
    """Longest run and paces of each week with runs."""
    easy_s = pl.col("easy_pace_s").filter(pl.col("easy_pace_s_per_km").is_not_null()).sum()
    with_distance = pl.col("distance_m") > 0
    run_timer_s = pl.col("timer_s").filter(with_distance).sum()
    return runs.group_by("week_start").agg(
        longest_run_m=pl.col("distance_m").max(),
        pace_s_per_km=(run_timer_s / pl.col("distance_m").sum() * 1000).fill_nan(None),
        gap_s_per_km=_weighted_mean("gap_s_per_km", "distance_m"),
        easy_pace_s_per_km=pl.when(easy_s >= MIN_EASY_PACE_S).then(
            _weighted_mean("easy_pace_s_per_km", "easy_pace_s")
        ),
        efficiency_m_per_min_per_bpm=_weighted_mean("efficiency_m_per_min_per_bpm", "timer_s"),
    )


def _weighted_mean(name: str, weight: str) -> pl.Expr:
    value, weights = pl.col(name).cast(pl.Float64), pl.col(weight).cast(pl.Float64)
    known = value.is_not_null() & (weights > 0)
    # 0/0 where nothing is known
    return ((value * weights).filter(known).sum() / weights.filter(known).sum()).fill_nan(None)


def _planned(plan_sessions: pl.DataFrame, today: date) -> pl.DataFrame:
    """What the plan asks for in each week; the plan week is the one with most days in it."""
    is_run = pl.col("session").is_in(list(RUN_SESSIONS))
    is_due = pl.col("local_date") <= today
    plan_weeks = (
        plan_sessions.group_by("week_start", "week")
        .agg(days=pl.col("local_date").n_unique())
        .sort("week_start", "days", "week", descending=[False, True, False])
        .unique("week_start", keep="first", maintain_order=True)
        .select("week_start", plan_week="week")
    )
    runs = plan_sessions.group_by("week_start").agg(
        planned_distance_m=pl.col("distance_m").filter(is_run).sum(),
        planned_runs=is_run.sum(),
        planned_timer_s=pl.col("duration_s").filter(is_run).sum(),
        planned_load_srpe=(pl.col("rpe") * pl.col("duration_s") / 60).filter(is_run).sum(),
        due_distance_m=pl.col("distance_m").filter(is_run & is_due).sum(),
    )
    return runs.join(plan_weeks, on="week_start")


def _shape_of_weeks(daily: pl.DataFrame) -> pl.DataFrame:
    """Monotony and strain of each whole week, and the ratio of its last day so far."""
    by_week = daily.group_by("week_start", maintain_order=True).agg(
        pl.col("acwr_uncoupled").last(), pl.col("distance_m"), days=pl.len()
    )
    whole = by_week.filter(pl.col("days") == WEEK_DAYS)
    days_km = whole.get_column("distance_m").explode().to_numpy().reshape(-1, WEEK_DAYS) / 1000
    shapes = whole.select("week_start").with_columns(
        _column("monotony", monotony(days_km)), _column("strain", strain(days_km))
    )
    return by_week.select("week_start", "acwr_uncoupled").join(shapes, on="week_start", how="left")


def _pain(pain_reports: pl.DataFrame) -> pl.DataFrame:
    worst = pl.max_horizontal(pl.col(*PAIN_TIMES).cast(pl.Float64))
    return pain_reports.group_by("week_start").agg(worst_pain=worst.max(), pain_reports=pl.len())


def _ratios(today: date) -> list[pl.Expr]:
    """Columns that divide one total by another; null where that is 0."""
    before_m, two_weeks_before_m = pl.col("distance_m").shift(1), pl.col("distance_m").shift(2)
    has_begun = pl.col("week_start") <= today
    planned_m, due_m = pl.col("planned_distance_m"), pl.col("due_distance_m")
    planned_pace = pl.col("planned_timer_s") / planned_m * 1000
    return [
        pl.when(has_begun & (before_m > 0)).then(pl.col("distance_m") / before_m - 1).alias("ramp_ratio"),
        pl.when(has_begun & (two_weeks_before_m > 0))
        .then(pl.col("distance_m") / two_weeks_before_m - 1)
        .alias("two_week_ramp_ratio"),
        pl.when(due_m > 0).then(pl.col("distance_m") / due_m).alias("done_share"),
        pl.when(planned_m > 0).then(planned_pace).alias("planned_pace_s_per_km"),
    ]
