"""How closely a plan was kept: by session and by week, in distance, time, sessions and intensity."""

from datetime import date

import polars as pl

from analytics.load import ROUNDING
from analytics.plan import RUN_SESSIONS, STRENGTH_SESSION, start_of_plan

# Limits of the bands, shares of what was planned, as coaches count; from far less to far more.
BAND_LIMITS = (0.5, 0.8, 1.2, 1.5)
BANDS = ("far less", "less", "as planned", "more", "far more")
HARDER_SHARE = 0.20  # of the time above the zone, ours: a hill and a traffic light are no other session
EASIER_SHARE = 0.05  # of the time in the zone or above it, ours: even short repeats are longer
HARD_ZONES_FROM = 3  # nobody keeps an easy run too easy

ADHERENCE = pl.Schema(
    {
        "planned_timer_s": pl.Float64,
        "timer_s": pl.Float64,
        "distance_band": pl.String,
        "time_band": pl.String,
        "zone": pl.String,
        "above_zone_share": pl.Float64,
        "intensity": pl.String,
    }
)
WEEKLY_ADHERENCE = pl.Schema(
    {
        "plan_week": pl.Int32,
        "week_start": pl.Date,
        "planned_distance_m": pl.Float64,
        "distance_m": pl.Float64,
        "distance_share": pl.Float64,
        "distance_band": pl.String,
        "planned_timer_s": pl.Float64,
        "timer_s": pl.Float64,
        "time_share": pl.Float64,
        "time_band": pl.String,
        "planned_sessions": pl.Int32,
        "done_sessions": pl.Int32,
        "sessions_share": pl.Float64,
        "unplanned_runs": pl.Int32,
        "known_intensities": pl.Int32,
        "intensities_as_planned": pl.Int32,
    }
)
KEY = ("local_date", "session", "planned_distance_m")
IS_DUE = pl.col("status") != "upcoming"
IS_TRAINING = pl.col("session").is_in([*RUN_SESSIONS, STRENGTH_SESSION])


def session_adherence(
    matched: pl.DataFrame, sessions: pl.DataFrame, runs: pl.DataFrame, zone_times: pl.DataFrame
) -> pl.DataFrame:
    """
    Add to each planned session how closely it was kept.

    Intensity is that of heart rate where it is known and of pace else: `harder` with more than a fifth of the time above
    the planned zone, `easier` when a session of zone 3 or more hardly reached its zone.

    Args:
        matched: What plan_vs_actual returns.
        sessions: Columns of plan_sessions: local_date, session, distance_m, duration_s, zone.
        runs: activity_id, timer_s.
        zone_times: activity_id, kind, zone, time_s.

    Returns:
        The rows of `matched` with the columns of ADHERENCE; null where it is unknown or there is no run.
    """
    planned = sessions.select(
        *("local_date", "session", "zone"),
        planned_distance_m=pl.col("distance_m"),
        planned_timer_s=pl.when(pl.col("session").is_in(list(RUN_SESSIONS))).then("duration_s"),
    )
    zone = pl.when(pl.col("zone") != "none").then("zone")
    told = (
        # two sessions of a day may be alike, and so are numbered
        _numbered(matched)
        .join(_numbered(planned), on=[*KEY, "nth"], how="left", nulls_equal=True, maintain_order="left")
        .join(runs.select("activity_id", "timer_s"), on="activity_id", how="left", maintain_order="left")
        .with_columns(zone=zone, planned_zone=zone.str.extract(r"(\d)\D*$").cast(pl.Int32))
    )
    shares = _zone_shares(told.select("activity_id", "planned_zone"), zone_times)
    return (
        told.join(shares, on="activity_id", how="left", maintain_order="left")
        .with_columns(
            distance_band=_band(pl.col("distance_m") / pl.col("planned_distance_m")),
            time_band=_band(pl.col("timer_s") / pl.col("planned_timer_s")),
            intensity=_intensity(),
        )
        .select(*matched.columns, *ADHERENCE.names())
        .cast(pl.Schema({**matched.schema, **ADHERENCE}))
    )


def weekly_adherence(kept: pl.DataFrame, sessions: pl.DataFrame, *, today: date) -> pl.DataFrame:
    """
    Sum each plan week that has begun: what was due of it beside what was done.

    Runs that were not planned count in what was done, because the knee bore them; nothing that is still to come counts
    in what was due.

    Args:
        kept: What session_adherence returns.
        sessions: Columns of plan_sessions.
        today: The athlete's day.

    Returns:
        One row a plan week: the columns of WEEKLY_ADHERENCE. Shares are null where nothing was due.
    """
    if sessions.is_empty():
        return WEEKLY_ADHERENCE.to_frame()
    is_run_due = IS_DUE & pl.col("session").is_in(list(RUN_SESSIONS))
    is_due = IS_DUE & IS_TRAINING
    weeks = (
        kept.filter(pl.col("plan_week").is_not_null())
        .group_by("plan_week")
        .agg(
            planned_distance_m=pl.col("planned_distance_m").filter(is_run_due).sum(),
            distance_m=pl.col("distance_m").sum(),
            planned_timer_s=pl.col("planned_timer_s").filter(is_run_due).sum(),
            timer_s=pl.col("timer_s").sum(),
            planned_sessions=is_due.sum(),
            done_sessions=(is_due & (pl.col("status") != "missed")).sum(),
            unplanned_runs=(pl.col("status") == "unplanned").sum(),
            known_intensities=pl.col("intensity").count(),
            intensities_as_planned=(pl.col("intensity") == "as planned").sum(),
        )
    )
    first = pl.lit(start_of_plan(sessions)) + pl.duration(days=7 * (pl.col("plan_week").cast(pl.Int64) - 1))
    shares = {
        "distance_share": _share("distance_m", "planned_distance_m"),
        "time_share": _share("timer_s", "planned_timer_s"),
        "sessions_share": _share("done_sessions", "planned_sessions"),
    }
    return (
        weeks.with_columns(week_start=first, **shares)
        .filter(pl.col("week_start") <= today)
        .with_columns(distance_band=_band(pl.col("distance_share")), time_band=_band(pl.col("time_share")))
        .sort("plan_week")
        .select(WEEKLY_ADHERENCE.names())
        .cast(WEEKLY_ADHERENCE)
    )


def _numbered(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(nth=pl.int_range(pl.len()).over(KEY))


def _zone_shares(of_sessions: pl.DataFrame, zone_times: pl.DataFrame) -> pl.DataFrame:
    """Shares of each run's time above its planned zone and in it or above; heart rate before pace."""
    above, reached = pl.col("zone") > pl.col("planned_zone"), pl.col("zone") >= pl.col("planned_zone")
    return (
        of_sessions.drop_nulls()
        .join(zone_times, on="activity_id")
        .group_by("activity_id", "kind")
        .agg(
            all_s=pl.col("time_s").sum(),
            above_s=pl.col("time_s").filter(above).sum(),
            reached_s=pl.col("time_s").filter(reached).sum(),
        )
        .filter(pl.col("all_s") > 0)
        .sort("activity_id", "kind")  # heart_rate, pace
        .unique("activity_id", keep="first", maintain_order=True)
        .select(
            "activity_id",
            above_zone_share=pl.col("above_s") / pl.col("all_s"),
            reached_share=pl.col("reached_s") / pl.col("all_s"),
        )
    )


def _intensity() -> pl.Expr:
    is_too_easy = (pl.col("planned_zone") >= HARD_ZONES_FROM) & (pl.col("reached_share") < EASIER_SHARE)
    return (
        pl.when(pl.col("above_zone_share").is_null())
        .then(None)
        .when(pl.col("above_zone_share") > HARDER_SHARE + ROUNDING)
        .then(pl.lit("harder"))
        .when(is_too_easy)
        .then(pl.lit("easier"))
        .otherwise(pl.lit("as planned"))
    )


def _share(done: str, planned: str) -> pl.Expr:
    return pl.when(pl.col(planned) > 0).then(pl.col(done) / pl.col(planned))


def _band(share: pl.Expr) -> pl.Expr:
    """Name the band of a share; the limits themselves belong to the band nearer to the plan."""
    lowest, low, high, highest = BAND_LIMITS
    return (
        pl.when(share.is_null() | share.is_nan() | share.is_infinite())
        .then(None)
        .when(share < lowest - ROUNDING)
        .then(pl.lit(BANDS[0]))
        .when(share < low - ROUNDING)
        .then(pl.lit(BANDS[1]))
        .when(share <= high + ROUNDING)
        .then(pl.lit(BANDS[2]))
        .when(share <= highest + ROUNDING)
        .then(pl.lit(BANDS[3]))
        .otherwise(pl.lit(BANDS[4]))
    )
