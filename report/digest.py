"""The digest of a week, as a letter: what was run beside the plan, what the knees were noted as, and what is coming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb

from report.format import Units, day, pain, percent
from report.messages import FLAG_WORDS, MEDICAL
from report.questions import read_query
from store.database import frame

HEAD = "The week from {first} to {last}{plan_week}."
RUN = "Run: {runs}, {distance}; planned: {planned_runs}, {planned}."
RUN_WITHOUT_PLAN = "Run: {runs}, {distance}; no plan."
KNEE = "Knee pain, {knee}: {reports}, worst {worst}.{flags}"
WORST_UNKNOWN = "not given"
FLAGS = " Noted as well: {flags}."
NOT_REPORTED = "Knee pain: not reported. That is never taken for no pain."
STRENGTH = "Strength: {sessions}."
NO_STRENGTH = "Strength: none noted."
ALERTS = "Open alerts:"
ALERT = "  {severity}, {about}, {day}"
NO_ALERT = "No open alert. That is no promise: a quiet week never proves that all is well."
AHEAD = "Planned runs until {last}:"
AHEAD_RUN = "  {day}  {session}, {distance}"
NOTHING_AHEAD = "No run is planned until {last}."
SPIKE = (
    "{day} would be a {bin} load spike: {distance} is {ratio} against the longest of the 30 days before ({longest}). "
    "Consider no more than {longest_safe}."
)
NO_BASELINE = "{day}: there is no run in the 30 days before to compare {distance} with."
NO_SPIKE = "By distance none of them would be a load spike, which says nothing of a sore knee."
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
    return "\n".join(
        [*_week(digest, units), *_knees(digest), *_alerts(digest), "", *_ahead(digest, units), "", MEDICAL]
    )


def _week(digest: Digest, units: Units) -> list[str]:
    week = digest.week or {"runs": 0, "distance_m": 0.0, "plan_week": None, "planned_distance_m": None}
    last = digest.week_start + timedelta(days=6)
    plan_week = f", week {week['plan_week']} of the plan" if week["plan_week"] else ""
    words = RUN_WITHOUT_PLAN if week["planned_distance_m"] is None else RUN
    run = words.format(
        runs=_counted(week["runs"], "run"),
        distance=units.distance(week["distance_m"]),
        planned_runs=_counted(week.get("planned_runs") or 0, "run"),
        planned=units.distance(week["planned_distance_m"]),
    )
    sessions = week.get("strength_sessions")
    strength = STRENGTH.format(sessions=_counted(sessions, "session")) if sessions else NO_STRENGTH
    head = HEAD.format(first=day(digest.week_start), last=day(last), plan_week=plan_week)
    return [head, "", run, strength]


def _knees(digest: Digest) -> list[str]:
    return [
        KNEE.format(
            knee="both knees" if knee["side"] == "both" else f"{knee['side']} knee",
            reports=_counted(knee["reports"], "report"),
            worst=WORST_UNKNOWN if knee["worst"] is None else pain(knee["worst"]),
            flags=FLAGS.format(flags=", ".join(FLAG_WORDS.get(flag, flag) for flag in knee["flags"]))
            if knee["flags"]
            else "",
        )
        for knee in digest.knees
    ] or [NOT_REPORTED]


def _alerts(digest: Digest) -> list[str]:
    if not digest.alerts:
        return [NO_ALERT]
    told = (
        ALERT.format(
            severity=alert["severity"].upper(),
            about=f"{alert['side']} knee" if alert["side"] else "load",
            day=day(alert["local_date"]),
        )
        for alert in digest.alerts
    )
    return [ALERTS, *told]


def _ahead(digest: Digest, units: Units) -> list[str]:
    last = day(digest.last_ahead)
    if not digest.planned:
        return [NOTHING_AHEAD.format(last=last)]
    runs = (
        AHEAD_RUN.format(
            day=day(run["local_date"]), session=run["session"], distance=units.distance(run["distance_m"])
        )
        for run in digest.planned
    )
    return [AHEAD.format(last=last), *runs, *_spikes(digest.ahead, units)]


def _spikes(ahead: Sequence[Row], units: Units) -> list[str]:
    """Say which planned runs would be spikes; nothing where none was compared."""
    words = {"no_baseline": NO_BASELINE} | dict.fromkeys(SPIKES, SPIKE)
    told = [
        words[run["spike_bin"]].format(
            day=day(run["local_date"]),
            bin=run["spike_bin"],
            distance=units.distance(run["planned_distance_m"]),
            ratio=percent(run["spike_ratio"], signed=True),
            longest=units.distance(run["longest_30d_m"]),
            longest_safe=units.distance(run["longest_without_spike_m"]),
        )
        for run in ahead
        if run["spike_bin"] in words
    ]
    return told or ([NO_SPIKE] if ahead else [])


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
