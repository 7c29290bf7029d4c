"""What to ask a runner: scores that became known since, runs in a spike with no report, questionnaires that are due."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import polars as pl

from analytics.pain import Report
from analytics.questionnaires import Kind
from analytics.spikes import Spike

ASKED_FOR_DAYS = 2
AN_HOUR = timedelta(minutes=60)
AGAIN_AFTER_DAYS: Mapping[Kind, int] = {"ostrc_o2": 7, "koos_pf": 28}
SORE_DAYS = 28
"""So long after the last report of pain a knee is asked about, so that its going is seen as well (our choice)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """
    One thing to ask.

    `report_id` and `side` are those of the report to complete, None where there is none; a questionnaire has a side alone.
    `asks` is words where those of an export leave open what they say of a knee: `question_id` and `words` are theirs.
    """

    asks: Literal["after_60min", "next_morning", "report", "words"] | Kind
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


def due_questionnaires(
    reports: Sequence[Report], scored: pl.DataFrame, open_sides: Collection[str], *, today: date
) -> list[Reminder]:
    """
    Return the questionnaires to ask for on `today`: of a knee that hurt in the last four weeks or has an open episode.

    `reports` are those of both knees, `scored` has side, kind and local_date of the questionnaires that count, and
    `open_sides` names the knees with an open episode. Everything belongs to one athlete.
    """
    since = today - timedelta(days=SORE_DAYS)
    sore = {one.side for one in reports if since <= one.local_date <= today and _hurt(one)}
    answered = {*scored.select("side", "kind", "local_date").iter_rows()}
    return [
        Reminder(asks=kind, local_date=today, side=side)
        for side in ("left", "right")
        if side in open_sides or not sore.isdisjoint((side, "both"))
        for kind, again_after_days in AGAIN_AFTER_DAYS.items()
        if not any((side, kind, today - timedelta(days=ago)) in answered for ago in range(again_after_days))
    ]


def _hurt(report: Report) -> bool:
    return bool(report.peak or report.flags or report.changed_gait)


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
