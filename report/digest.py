"""The digest of a week, as a letter: what was run beside the plan, what the knees were noted as, and what is coming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb

from report.format import Units, day, pain, percent
from report.knee_words import flag_words
from report.questions import read_query
from report.words import said
from store.database import frame

SPIKES = ("small", "moderate", "large")

WEEK = """
select plan_week, runs, distance_m, planned_runs, planned_distance_m, strength_sessions
from weekly_trends where athlete = $athlete and week_start = $week_start
"""
KNEES = """
select
    side,
    count(*) as reports,
    max(greatest(before, during, after_60min, next_morning)) as worst,
    list_sort(list_distinct(flatten(list(flags)))) as flags
from pain_reports
where athlete = $athlete and local_date between $week_start and $week_start + 6 and local_date <= $today
group by side
order by side
"""
PLANNED = """
select local_date, session, planned_distance_m as distance_m
from plan_vs_actual
where athlete = $athlete and planned_distance_m > 0 and status = 'upcoming'
and local_date between $today and $week_start + 13
order by local_date, planned_distance_m desc
"""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """
    What a digest says; notes are private and no part of it.

    Attributes:
        week_start: First day of the week.
        week: plan_week, runs, distance_m, planned_runs, planned_distance_m (None without a plan), strength_sessions;
            None before the first activity.
        knees: side, reports, worst (None where no score was given) and flags of each knee that was reported.
        alerts: severity, side and local_date of each open alert, the most severe first.
        planned: local_date, session and distance_m of each run still planned up to the end of the week after.
        ahead: Rows of the question upcoming for the same days.
    """

    week_start: date
    week: Row | None
    knees: Sequence[Row]
    alerts: Sequence[Row]
    planned: Sequence[Row]
    ahead: Sequence[Row]

    @property
    def last_ahead(self) -> date:
        """Last day of the week after."""
        return self.week_start + timedelta(days=13)


def read_digest(con: duckdb.DuckDBPyConnection, athlete: str, *, week_start: date, today: date) -> Digest:
    """Return what there is to say of the athlete's week on `today`, which lies in it or soon after."""
    known = {"athlete": athlete, "week_start": week_start, "today": today}

    def ask(question: str) -> Sequence[Row]:
        return frame(
            con, question, **{key: value for key, value in known.items() if f"${key}" in question}
        ).to_dicts()

    last_ahead = week_start + timedelta(days=13)
    return Digest(
        week_start=week_start,
        week=next(iter(ask(WEEK)), None),
        knees=ask(KNEES),
        alerts=ask(read_query("open_alerts")),
        planned=ask(PLANNED),
        ahead=[run for run in ask(read_query("upcoming")) if run["local_date"] <= last_ahead],
    )


def digest_words(digest: Digest, units: Units) -> str:
    """Return the digest as plain text, a line for each thing that there is to say."""
    lines = [*_week(digest, units), *_knees(digest), *_alerts(digest), "", *_ahead(digest, units)]
    return "\n".join([*lines, "", said("always.medical")])


def _week(digest: Digest, units: Units) -> list[str]:
    week = digest.week or {"runs": 0, "distance_m": 0.0, "plan_week": None, "planned_distance_m": None}
    plan_week, sessions = week["plan_week"], week.get("strength_sessions")
    return [
        said(
            "digest.head",
            first=day(digest.week_start),
            last=day(digest.week_start + timedelta(days=6)),
            plan_week=said("digest.plan_week", week=plan_week) if plan_week else "",
        ),
        "",
        said(
            "digest.run_without_plan" if week["planned_distance_m"] is None else "digest.run",
            runs=_counted(week["runs"], "run"),
            distance=units.distance(week["distance_m"]),
            planned_runs=_counted(week.get("planned_runs") or 0, "run"),
            planned=units.distance(week["planned_distance_m"]),
        ),
        said("digest.strength", sessions=_counted(sessions, "session"))
        if sessions
        else said("digest.no_strength"),
    ]


def _knees(digest: Digest) -> list[str]:
    return [
        said(
            "digest.knee",
            knee=said(f"knees.{knee['side']}"),
            reports=_counted(knee["reports"], "report"),
            worst=said("digest.worst_unknown") if knee["worst"] is None else pain(knee["worst"]),
            flags=said("digest.flags", flags=", ".join(map(flag_words, knee["flags"])))
            if knee["flags"]
            else "",
        )
        for knee in digest.knees
    ] or [said("digest.not_reported")]


def _alerts(digest: Digest) -> list[str]:
    if not digest.alerts:
        return [said("digest.no_alert")]
    told = (
        said(
            "digest.alert",
            severity=alert["severity"].upper(),
            about=said(f"knees.{alert['side']}") if alert["side"] else said("digest.alert_of_load"),
            day=day(alert["local_date"]),
        )
        for alert in digest.alerts
    )
    return [said("digest.alerts"), *(f"  {one}" for one in told)]


def _ahead(digest: Digest, units: Units) -> list[str]:
    last = day(digest.last_ahead)
    if not digest.planned:
        return [said("digest.nothing_ahead", last=last)]
    runs = (
        said(
            "digest.ahead_run",
            day=day(run["local_date"]),
            session=run["session"],
            distance=units.distance(run["distance_m"]),
        )
        for run in digest.planned
    )
    return [said("digest.ahead", last=last), *(f"  {run}" for run in runs), *_spikes(digest.ahead, units)]


def _spikes(ahead: Sequence[Row], units: Units) -> list[str]:
    """Say which planned runs would be spikes; nothing where none was compared."""
    told = [
        said(
            "digest.spike" if run["spike_bin"] in SPIKES else "digest.no_baseline",
            day=day(run["local_date"]),
            bin=run["spike_bin"],
            distance=units.distance(run["planned_distance_m"]),
            ratio=percent(run["spike_ratio"], signed=True),
            longest=units.distance(run["longest_30d_m"]),
            longest_safe=units.distance(run["longest_without_spike_m"]),
        )
        for run in ahead
        if run["spike_bin"] in (*SPIKES, "no_baseline")
    ]
    return told or ([said("digest.no_spike")] if ahead else [])


def _counted(count: int, what: str) -> str:
    return said(f"counted.{what}" if count == 1 else f"counted.{what}s", count=count)
