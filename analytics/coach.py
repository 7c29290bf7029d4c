"""Whom a coach should call first: one reason for each athlete, and the order of their rows."""

from datetime import date

import polars as pl

CALLS = ("medical", "alert", "pain_rising", "not_reported", "missed", "quiet", "none")
"""Reasons to call, the most pressing first; an athlete has the first that holds."""
QUIET_AFTER_DAYS = 7
ALERT_WEIGHTS = {"stop": 3, "warning": 2, "caution": 1}
"""What is for information asks for no call."""

ATHLETES = pl.Schema(
    {
        "athlete": pl.String,
        "severity": pl.String,
        "is_medical": pl.Boolean,
        "urgency": pl.String,
        "peak": pl.Float64,
        "earlier_peak": pl.Float64,
        "last_report_date": pl.Date,
        "last_run_date": pl.Date,
        "spike_date": pl.Date,
        "spike_ratio": pl.Float64,
        "missed_runs": pl.Int64,
    }
)


def call_order(athletes: pl.DataFrame, *, today: date) -> pl.DataFrame:
    """
    Return athletes in the order in which somebody should call them.

    A medical alert or one of severity stop comes first, then other open alerts, then knee pain higher than the time
    before, then a load spike without a report since, then missed runs, then those of whom nothing came for a week. What
    weighs more within a reason comes first, then who was silent longer. The order is ours.

    Args:
        athletes: Columns of ATHLETES, one row each: the open alert that weighs most, the last two scores of 14 days, the
            last report and run, the last spike of 14 days, the missed runs of 14 days. Unknown is null.
        today: The day.

    Returns:
        One row each: athlete, call (one of CALLS), silent_days (since the last run or report; null: never any).
    """
    alert_weight = (
        pl.col("severity").replace_strict(ALERT_WEIGHTS, default=0, return_dtype=pl.Float64).fill_null(0)
    )
    last_sign = pl.max_horizontal("last_report_date", "last_run_date")
    is_unreported = pl.col("spike_date").is_not_null() & (
        pl.col("last_report_date").is_null() | (pl.col("last_report_date") < pl.col("spike_date"))
    )
    reasons = {
        "medical": (
            pl.col("is_medical").fill_null(False) | (pl.col("severity") == "stop"),
            (pl.col("urgency") == "same_day").fill_null(False).cast(pl.Float64) * 10 + alert_weight,
        ),
        "alert": (alert_weight > 0, alert_weight),
        "pain_rising": (pl.col("peak") > pl.col("earlier_peak"), pl.col("peak")),
        "not_reported": (is_unreported, pl.col("spike_ratio")),
        "missed": (pl.col("missed_runs") > 0, pl.col("missed_runs").cast(pl.Float64)),
        "quiet": (
            (today - last_sign).dt.total_days().fill_null(QUIET_AFTER_DAYS) >= QUIET_AFTER_DAYS,
            pl.lit(0.0),
        ),
    }
    call, weight = pl.lit(CALLS[-1]), pl.lit(0.0)
    for reason in reversed(CALLS[:-1]):
        holds, weighs = reasons[reason]
        call = pl.when(holds).then(pl.lit(reason)).otherwise(call)
        weight = pl.when(holds).then(weighs).otherwise(weight)
    return (
        athletes.with_columns(
            call=call, weight=weight, last_sign=last_sign, silent_days=(today - last_sign).dt.total_days()
        )
        .sort(
            pl.col("call").replace_strict(CALLS, range(len(CALLS)), return_dtype=pl.Int8),
            pl.col("weight"),
            pl.col("last_sign"),
            pl.col("athlete"),
            descending=[False, True, False, False],
            nulls_last=[False, True, False, False],
        )
        .select("athlete", "call", "silent_days")
    )
