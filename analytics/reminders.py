"""What to ask a runner about the last days: scores that became known since, and runs in a spike with no report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import polars as pl

from analytics.spikes import Spike

ASKED_FOR_DAYS = 2
AN_HOUR = timedelta(minutes=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """
    One thing to ask; `report_id` and `side` are those of the report to complete, None where there is none.

    `asks` is words where those of an export leave open what they say of a knee: `question_id` and `words` are theirs.
    """

    asks: Literal["after_60min", "next_morning", "report", "words"]
    local_date: date
    side: str | None = None
    report_id: str | None = None
    activity_id: str | None = None
    question_id: str | None = None
    words: str | None = None


def find_reminders(
    reports: pl.DataFrame, runs: pl.DataFrame, spikes: Sequence[Spike], *, today: date, now: datetime
) -> list[Reminder]:
    """
    Return what to ask about `today` and the two days before, oldest first; only what can be known at `now`.

    `reports` has report_id, local_date, side, after_60min, next_morning, activity_id and ended_at (of its run, UTC; None
    without one); `runs` has activity_id, started_at and local_date. Both belong to one athlete.
    """
    recent = pl.col("local_date").is_between(today - timedelta(days=ASKED_FOR_DAYS), today)
    reported_days = set(reports["local_date"])
    asked = [
        Reminder(
            asks=asks,
            local_date=row["local_date"],
            side=row["side"],
            report_id=row["report_id"],
            activity_id=row["activity_id"],
        )
        for row in reports.filter(recent).iter_rows(named=True)
        for asks in _missing(
            row["after_60min"], row["next_morning"], row["ended_at"], row["local_date"], today, now
        )
    ]
    asked += [
        Reminder(asks="report", local_date=row["local_date"], activity_id=row["activity_id"])
        for row in runs.filter(recent).iter_rows(named=True)
        if row["local_date"] not in reported_days
        and any(
            spike.started_at <= row["started_at"] and spike.is_active_on(row["local_date"])
            for spike in spikes
        )
    ]
    return sorted(asked, key=lambda one: (one.local_date, one.side or "", one.asks, one.activity_id or ""))


def _missing(
    after_60min: float | None,
    next_morning: float | None,
    ended_at: datetime | None,
    day: date,
    today: date,
    now: datetime,
) -> list[Literal["after_60min", "next_morning"]]:
    """Return which of the two scores is missing and can be known: without a run there is no hour after it."""
    missing: list[Literal["after_60min", "next_morning"]] = []
    if after_60min is None and ended_at is not None and ended_at + AN_HOUR <= now:
        missing.append("after_60min")
    if next_morning is None and day < today:
        missing.append("next_morning")
    return missing
