"""What belongs beside weekly pace: whether its trend could be chance, heat or hills, and what the plan asked for."""

from typing import Literal

import numpy as np
import polars as pl

from analytics.calendar import TREND_WEEKS
from analytics.load import Floats
from analytics.pace import EASY_HR_SHARE, TREND_MIN_WEEKS, kendall, mann_kendall, speed_at_hr_m_per_s

ZonePaceWord = Literal["as planned", "faster than planned", "slower than planned"]

CHANCE = 0.05  # a connection that chance makes as often is not named
# What may lie behind slower weeks: its column, and how far it must range to matter, ours.
CONFOUNDERS = {"heat": ("temperature_c", 5.0), "hills": ("climb_m_per_km", 5.0)}
AS_PLANNED_SHARE = 0.05  # of the planned pace, ours

WEEKLY_PACE = pl.Schema(
    {
        "week_start": pl.Date(),
        "line_pace_s_per_km": pl.Float64(),
        "temperature_c": pl.Float64(),
        "climb_m_per_km": pl.Float64(),
        "trend_tau": pl.Float64(),
        "trend_p": pl.Float64(),
        "confounders": pl.List(pl.String()),
    }
)
ZONE_PACE = pl.Schema(
    {
        "week_start": pl.Date,
        "zone": pl.String,
        "runs": pl.Int32,
        "distance_m": pl.Float64,
        "planned_pace_s_per_km": pl.Float64,
        "gap_s_per_km": pl.Float64,
        "pace": pl.String,
    }
)


def weekly_pace(weeks: pl.DataFrame, runs: pl.DataFrame, *, max_hr_bpm: float | None = None) -> pl.DataFrame:
    """
    Say of the easy-pace trend of each week how sure it is, and what else could be behind it.

    A confounder is named when it ranged far enough over the sixteen weeks and easy pace was slower the higher it
    was, by Kendall's rank test. That does not show that it is the reason.

    Args:
        weeks: Weeks without gaps, in order: week_start, easy_pace_s_per_km.
        runs: local_date, distance_m, ascent_m, easy_pace_s, temperature_c, avg_hr_bpm, gap_s_per_km.
        max_hr_bpm: The athlete's maximum heart rate; None is unknown.

    Returns:
        One row a week: the columns of table weekly_pace without athlete. Temperature and climb are those of the runs
        that easy pace rests on.
    """
    around = weeks.join(_circumstances(weeks, runs), on="week_start", how="left", maintain_order="left")
    paces = around.get_column("easy_pace_s_per_km").cast(pl.Float64).to_numpy()
    others = {
        name: (around.get_column(column).to_numpy(), least) for name, (column, least) in CONFOUNDERS.items()
    }
    rows = [
        _judged(
            paces[start:end], {name: (values[start:end], least) for name, (values, least) in others.items()}
        )
        for end in range(1, len(paces) + 1)
        for start in [max(0, end - TREND_WEEKS)]
    ]
    told = pl.DataFrame(
        rows, schema={name: WEEKLY_PACE[name] for name in ("trend_tau", "trend_p", "confounders")}
    )
    lines = _line_paces(weeks, runs, max_hr_bpm)
    return (
        around.hstack(told)
        .join(lines, on="week_start", how="left", maintain_order="left")
        .select(WEEKLY_PACE.names())
    )


def zone_pace(
    sessions: pl.DataFrame, matched: pl.DataFrame, runs: pl.DataFrame, week_starts: pl.Series
) -> pl.DataFrame:
    """
    Hold the pace of the runs that stand for planned sessions against the plan's pace in that zone.

    Args:
        sessions: Columns of table plan_sessions: local_date, session, distance_m, duration_s, zone.
        matched: What plan_vs_actual returns.
        runs: activity_id, distance_m, gap_s_per_km.
        week_starts: First days of weeks without gaps, in order.

    Returns:
        One row a week and zone with a run: the columns of table zone_pace without athlete. Paces are planned time over
        planned distance of the sessions that were run, and grade-adjusted pace weighted by distance.
    """
    same = ("local_date", "session")  # of two alike on one day the shorter is the first in both frames
    planned = (
        sessions.filter(pl.col("distance_m") > 0)
        .select(*same, "zone", "duration_s", place=pl.col("distance_m").rank("ordinal").over(same))
        .filter(pl.col("duration_s") > 0)
    )
    known = runs.filter(pl.col("distance_m") > 0, pl.col("gap_s_per_km").is_not_null())
    done = (
        matched.filter(pl.col("planned_distance_m") > 0)
        .with_columns(place=pl.col("planned_distance_m").rank("ordinal").over(same))
        .select(*same, "place", "activity_id", "planned_distance_m")
        .join(planned, on=[*same, "place"])
        .join(known.select("activity_id", "distance_m", "gap_s_per_km"), on="activity_id")
    )
    zones = (
        _in_weeks(done, week_starts)
        .group_by("week_start", "zone")
        .agg(
            runs=pl.len(),
            planned_pace_s_per_km=pl.col("duration_s").sum() / pl.col("planned_distance_m").sum() * 1000,
            gap_s_per_km=(pl.col("gap_s_per_km") * pl.col("distance_m")).sum() / pl.col("distance_m").sum(),
            distance_m=pl.col("distance_m").sum(),
        )
    )
    return (
        zones.with_columns(pace=_word()).select(ZONE_PACE.names()).cast(ZONE_PACE).sort("week_start", "zone")
    )


def _circumstances(weeks: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Temperature by the seconds of easy running, and climb over distance, of the runs with easy pace in each week."""
    easy = runs.filter(pl.col("easy_pace_s") > 0)
    warm, climbed = pl.col("temperature_c").is_not_null(), pl.col("ascent_m").is_not_null()
    easy_s, km = pl.col("easy_pace_s"), pl.col("distance_m") / 1000
    by_week = _in_weeks(easy, weeks.get_column("week_start")).group_by("week_start")
    return by_week.agg(
        temperature_c=(pl.col("temperature_c") * easy_s).filter(warm).sum() / easy_s.filter(warm).sum(),
        climb_m_per_km=pl.col("ascent_m").filter(climbed).sum() / km.filter(climbed).sum(),
    ).with_columns(pl.col("temperature_c", "climb_m_per_km").cast(pl.Float64).fill_nan(None))


def _line_paces(weeks: pl.DataFrame, runs: pl.DataFrame, max_hr_bpm: float | None) -> pl.DataFrame:
    """Pace at the reference heart rate by the line through the runs of each week, where it has one."""
    schema = {name: WEEKLY_PACE[name] for name in ("week_start", "line_pace_s_per_km")}
    if max_hr_bpm is None:
        return pl.DataFrame(schema=schema)
    told = runs.filter(pl.col("avg_hr_bpm") > 0, pl.col("gap_s_per_km") > 0)
    by_week = (
        _in_weeks(told, weeks.get_column("week_start"))
        .group_by("week_start", maintain_order=True)
        .agg("avg_hr_bpm", "gap_s_per_km")
    )
    reference_bpm = EASY_HR_SHARE * max_hr_bpm
    speeds = [
        (week_start, speed_at_hr_m_per_s(np.array(hr_bpm), 1000 / np.array(pace_s_per_km), reference_bpm))
        for week_start, hr_bpm, pace_s_per_km in by_week.iter_rows()
    ]
    rows = [(week_start, 1000 / speed) for week_start, speed in speeds if speed and speed > 0]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _in_weeks(frame: pl.DataFrame, week_starts: pl.Series) -> pl.DataFrame:
    weeks = pl.DataFrame({"week_start": week_starts.cast(pl.Date)})
    return frame.sort("local_date").join_asof(
        weeks, left_on="local_date", right_on="week_start", strategy="backward"
    )


def _judged(paces: Floats, others: dict[str, tuple[Floats, float]]) -> dict[str, object]:
    """How sure the trend of sixteen weeks is and what is behind it; unknown below six weeks with an easy pace."""
    known = np.isfinite(paces)
    if known.sum() < TREND_MIN_WEEKS:
        return {"trend_tau": None, "trend_p": None, "confounders": None}
    test = mann_kendall(paces[known])
    named = [name for name, (values, least) in others.items() if _goes_with(paces, values, least)]
    return {
        "trend_tau": test.tau if np.isfinite(test.tau) else None,
        "trend_p": test.p,
        "confounders": named,
    }


def _goes_with(paces: Floats, values: Floats, least: float) -> bool:
    """Whether pace was slower the higher the values were."""
    both = np.isfinite(paces) & np.isfinite(values)
    if both.sum() < TREND_MIN_WEEKS or np.ptp(values[both]) < least:
        return False
    test = kendall(values[both], paces[both])
    return test.s > 0 and test.p < CHANCE


def _word() -> pl.Expr:
    ratio = pl.col("gap_s_per_km") / pl.col("planned_pace_s_per_km")
    return (
        pl.when(ratio < 1 - AS_PLANNED_SHARE)
        .then(pl.lit("faster than planned"))
        .when(ratio > 1 + AS_PLANNED_SHARE)
        .then(pl.lit("slower than planned"))
        .otherwise(pl.lit("as planned"))
    )
