"""The physio report: one knee over some weeks as two pages of paper, for somebody who knows knees and not the runner."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import duckdb
import polars as pl
from markupsafe import Markup

from report import charts
from report.format import Units, day, number, percent, score
from report.knee import knee_statuses
from report.knee_words import flag_words, questionnaire_sentence
from report.messages import SPIKE_BINS
from report.page import environment
from report.questions import read_query
from report.values import PARAMETER_WORDS
from report.words import said as sentence
from store.database import frame

SCORES = {
    "before": "before a run",
    "during": "during a run",
    "after_60min": "60 minutes after",
    "next_morning": "on the next morning",
}
SHOWN_REPORTS = 24  # more do not fit on two pages
SHOWN_SESSIONS = 6
SHOWN_REPORTS_WITH_MAP = 18  # for which a map takes the room of some
MAP_WIDTH_PX = 160
SPIKES = ("small", "moderate", "large")

REPORTS = """
select
    local_date, side, site, before, during, after_60min, next_morning, flags, changed_gait, note,
    greatest(before, during, after_60min, next_morning) as worst
from pain_reports
where athlete = $athlete and side in ($side, 'both') and local_date between $since and $today
order by local_date, reported_at
"""
RUNS = """
select local_date, distance_m, avg_hr_bpm, spike_bin
from runs
left join run_metrics using (activity_id)
where athlete = $athlete and local_date between $since and $today
order by started_at
"""
WEEKS = """
select week_start, runs, distance_m, planned_distance_m, longest_run_m, ramp_ratio, knee_load_klu, strength_sessions
from weekly_trends
where athlete = $athlete and week_start between $since - 6 and $today
order by week_start
"""
EPISODE = """
select episode_id, local_date, rule, severity, order_of_events, status, evidence
from alerts
where athlete = $athlete and local_date <= $today and status <> 'superseded'
and episode_id = (
    select episode_id
    from alerts
    where athlete = $athlete and side = $side and status <> 'superseded' and local_date <= $today
    and case when $episode is null then local_date >= $since else starts_with(episode_id, $episode) end
    order by local_date desc, alert_id
    limit 1
)
order by local_date, raised_at, alert_id
"""
STRENGTH = """
select local_date, [one.name for one in exercises] as exercises, pain_during
from strength_sessions
where athlete = $athlete and local_date between $from_date and $today
order by local_date
"""
ADJUSTED = """
select adjusted_on, json_array_length(changes) as sessions
from plan_adjustments
where athlete = $athlete and undone_at is null and adjusted_on between $from_date and $today
order by accepted_at
"""

Row = Mapping[str, Any]
Ways = Callable[[str], pl.DataFrame]
"""What of the way of an activity may be handed on: piece, x_m, y_m; empty where that is nothing."""


class Event(NamedTuple):
    """What happened on a day of an episode: a rise of load, a report of pain, or the alert that came of both."""

    local_date: date
    what: str
    words: str


def render_physio(
    con: duckdb.DuckDBPyConnection,
    *,
    athlete: str,
    athlete_name: str,
    side: str,
    weeks: int,
    today: date,
    units: Units,
    version: str,
    episode: str | None = None,
    with_notes: bool = False,
    ways: Ways | None = None,
) -> str:
    """
    Return the report on one knee as one HTML file of two pages, without script or anything to be fetched.

    Args:
        con: A connection to a database with the tables of store/migrations; only read.
        athlete: Key of the athlete.
        athlete_name: What the report calls the athlete.
        side: left or right.
        weeks: How many weeks up to `today` it covers.
        today: The day the report is for.
        units: Kilometres or miles.
        version: Version of Kneewatch.
        episode: Id of an episode of this knee, or how it begins; else the last one of these weeks.
        with_notes: Whether the runner's own words are in it.
        ways: Draws the way of the run that the episode begins with; None for a report without a map.
    """
    since = today - timedelta(days=7 * weeks - 1)
    known = {
        "athlete": athlete, "side": side, "since": since, "today": today, "episode": episode,
    }  # fmt: skip

    def ask(question: str, **more: object) -> list[dict[str, Any]]:
        params = {key: value for key, value in (known | more).items() if f"${key}" in question}
        return frame(con, question, **params).to_dicts()

    alerts = [alert | {"evidence": json.loads(alert["evidence"])} for alert in ask(EPISODE)]
    reports, runs = ask(REPORTS), ask(RUNS)
    events = events_of(alerts, units)
    begun = events[0].local_date if events else since
    begins_with = first_run_of(alerts)
    drawn = way_map(ways(begins_with["activity_id"]), units) if ways and begins_with else Markup()
    shown = SHOWN_REPORTS_WITH_MAP if drawn else SHOWN_REPORTS
    return (
        environment(units)
        .get_template("physio.html.j2")
        .render(
            athlete_name=athlete_name,
            side=side,
            since=since,
            today=today,
            version=version,
            units=units,
            red_flags=[report for report in reports if report["flags"]],
            flag_words=flag_words,
            medical=sentence("always.medical"),
            alerts=alerts,
            events=events,
            studies=studies_of(alerts),
            begins_with=begins_with if ways else None,
            way_map=drawn,
            reports=reports[-shown:],
            reports_more=max(len(reports) - shown, 0),
            notes=[report for report in reports if report["note"]] if with_notes else [],
            chart=Markup(knee_chart(reports, runs, since=since, today=today, units=units)),
            has_scores=any(report["worst"] is not None for report in reports),
            has_spikes=any(run["spike_bin"] in SPIKES for run in runs),
            weeks=ask(WEEKS),
            done=done_since(
                begun,
                runs=[run for run in runs if run["local_date"] > begun],
                strength=ask(STRENGTH, from_date=begun),
                adjusted=ask(ADJUSTED, from_date=begun),
                units=units,
            ),
            questionnaires=[
                questionnaire_sentence(row)
                for knee in knee_statuses(con, athlete=athlete, today=today)
                if knee.side == side
                for row in knee.questionnaires
            ],
            limits=limits_of(reports, runs, alerts, ask(read_query("athlete_values")), side=side),
        )
    )


def events_of(alerts: Sequence[Row], units: Units) -> list[Event]:
    """Return what the alerts of an episode rest on and the alerts themselves, each once, in the order of days."""
    found = [
        event
        for alert in alerts
        for event in (*_rises(alert["evidence"], units), *_pains(alert["evidence"]), _alert(alert))
    ]
    order = ("Load", "Pain", "Alert")
    return sorted(dict.fromkeys(found), key=lambda event: (event.local_date, order.index(event.what)))


def first_run_of(alerts: Sequence[Row]) -> Row | None:
    """Return the run that an episode begins with: activity_id and local_date; None when no run stands in its evidence."""
    runs = [spike for alert in alerts for spike in alert["evidence"].get("spikes") or []]
    first = min(
        (run for run in runs if run.get("activity_id")), key=lambda run: run["local_date"], default=None
    )
    return first and {
        "activity_id": first["activity_id"],
        "local_date": date.fromisoformat(first["local_date"]),
    }


def way_map(way: pl.DataFrame, units: Units) -> Markup:
    """Draw what is left of a way; nothing where nothing is left."""
    return Markup() if way.is_empty() else Markup(charts.way_map(way, units, width_px=MAP_WIDTH_PX))


def studies_of(alerts: Sequence[Row]) -> list[str]:
    """Return what studies say of such rises and such pain, each once."""
    evidence = [alert["evidence"] for alert in alerts]
    bins = dict.fromkeys(spike["spike_bin"] for one in evidence for spike in one.get("spikes") or [])
    said = [sentence(f"study.{name}") for name in bins if name in SPIKE_BINS]
    return said + ([sentence("study.pain")] if any(one.get("pain") for one in evidence) else [])


def done_since(
    begun: date, *, runs: Sequence[Row], strength: Sequence[Row], adjusted: Sequence[Row], units: Units
) -> list[str]:
    """
    Say what was done from a day on: changes of the plan, runs, strength work.

    Args:
        begun: First day of the episode, or of the report.
        runs: local_date and distance_m of the runs after it.
        strength: local_date, exercises and pain_during of the sessions.
        adjusted: adjusted_on and sessions of the adjustments of the plan that hold.
        units: Kilometres or miles.
    """
    plan = [
        f"The plan was adjusted on {day(one['adjusted_on'])}: {_counted(one['sessions'], 'session')} changed."
        for one in adjusted
    ] or [f"No adjustment of the plan was accepted since {day(begun)}."]
    if runs:
        longest = max(runs, key=lambda run: run["distance_m"] or 0)
        ran = (
            f"{_counted(len(runs), 'run')} after {day(begun)}, {units.distance(sum(run['distance_m'] or 0 for run in runs))}"
            f" in all, the longest {units.distance(longest['distance_m'])} on {day(longest['local_date'])}; the last on"
            f" {day(runs[-1]['local_date'])}."
        )
    else:
        ran = f"No run after {day(begun)}."
    return [*plan, ran, *_strength(begun, strength)]


def limits_of(
    reports: Sequence[Row], runs: Sequence[Row], alerts: Sequence[Row], values: Sequence[Row], *, side: str
) -> list[str]:
    """Say what the data cannot: what was not reported, not measured, estimated, and what the evidence is not."""
    reported = {report["local_date"] for report in reports}
    silent = sum(run["local_date"] not in reported for run in runs)
    said = [
        f"No report of the {side} knee for {silent} of {_counted(len(runs), 'run')}: not reported, which is not no pain."
        if silent
        else ""
    ]
    gaps = [
        f"{words} in {missing}"
        for name, words in SCORES.items()
        if (missing := sum(report[name] is None for report in reports))
    ]
    if gaps:
        said.append(f"Of {_counted(len(reports), 'report')} a score is missing {', '.join(gaps)}.")
    unmeasured = sum(run["avg_hr_bpm"] is None for run in runs)
    if unmeasured:
        said.append(
            f"No heart rate in {unmeasured} of {_counted(len(runs), 'run')}: how hard they were is not known from it."
        )
    estimated = [PARAMETER_WORDS[value["parameter"]].lower() for value in values if value["is_estimated"]]
    if estimated:
        said.append(f"Estimated from the history, not measured: {', '.join(estimated)}.")
    codes = dict.fromkeys(str(one) for alert in alerts for one in alert["evidence"].get("missing") or [])
    if codes:
        missed = ", ".join(sentence(f"missing.{code}") for code in codes)
        said.append(f"Missing when the alerts were raised: {missed}.")
    return [
        *(one for one in said if one),
        "Scores are the runner's own, and nobody examined the knee for this report. Knee load is a model and was never held"
        " against pain.",
        "The studies are observational: more injuries went with such rises, which does not show that the rise brought about"
        f" the pain. {sentence('always.no_diagnosis')}",
    ]


def knee_chart(reports: Sequence[Row], runs: Sequence[Row], *, since: date, today: date, units: Units) -> str:
    """Draw the worst score of each day that has one above the metres run on it."""
    return charts.knee_chart(_days(reports, runs, since=since, today=today), units)


def knee_days(
    con: duckdb.DuckDBPyConnection, *, athlete: str, side: str, since: date, today: date
) -> pl.DataFrame:
    """Return one row a day: local_date, pain (the knee's worst score, null when not reported), distance_m, is_spike."""
    known = {"athlete": athlete, "since": since, "today": today}
    reports = frame(con, REPORTS, side=side, **known).to_dicts()
    return _days(reports, frame(con, RUNS, **known).to_dicts(), since=since, today=today)


def _days(reports: Sequence[Row], runs: Sequence[Row], *, since: date, today: date) -> pl.DataFrame:
    spine = pl.DataFrame({"local_date": pl.date_range(since, today, eager=True)})
    pain = pl.DataFrame(
        [(report["local_date"], report["worst"]) for report in reports],
        schema={"local_date": pl.Date, "pain": pl.Float64},
        orient="row",
    )
    ran = pl.DataFrame(
        [(run["local_date"], run["distance_m"], run["spike_bin"] in SPIKES) for run in runs],
        schema={"local_date": pl.Date, "distance_m": pl.Float64, "is_spike": pl.Boolean},
        orient="row",
    )
    days = spine.join(
        pain.group_by("local_date").agg(pl.col("pain").max()), on="local_date", how="left"
    ).join(
        ran.group_by("local_date").agg(pl.col("distance_m").sum(), pl.col("is_spike").any()),
        on="local_date",
        how="left",
    )
    return days.sort("local_date")


def _rises(evidence: Row, units: Units) -> Iterator[Event]:
    for spike in evidence.get("spikes") or []:
        on = date.fromisoformat(spike["local_date"])
        if spike["spike_bin"] in SPIKES:
            longest_on = spike["longest_30d_date"]
            yield Event(
                on,
                "Load",
                f"Run of {units.distance(spike['distance_m'])}; the longest of the 30 days before was"
                f" {units.distance(spike['longest_30d_m'])}"
                f"{f' ({day(date.fromisoformat(longest_on))})' if longest_on else ''}:"
                f" {percent(spike['spike_ratio'], signed=True, digits=1)}.",
            )
        if spike["week_m"] is not None:
            rise = percent(spike["week_m"] / spike["week_before_m"] - 1, signed=True)
            yield Event(
                on,
                "Load",
                f"7 days up to it {units.distance(spike['week_m'])}, the 7 before {units.distance(spike['week_before_m'])}: {rise}.",
            )
        if spike["descent_7d_m"] is not None:
            yield Event(
                on,
                "Load",
                f"7 days up to it with {number(spike['descent_7d_m'])} m down steep grades, against"
                f" {number(spike['descent_mean_m'])} m a week in the three before.",
            )


def _pains(evidence: Row) -> Iterator[Event]:
    pain = evidence.get("pain")
    if pain is None:
        return
    told = [f"{score(pain[name])}/10 {words}" for name, words in SCORES.items() if pain[name] is not None]
    told += [flag_words(flag) for flag in pain["flags"]]
    if pain["changed_gait"]:
        told.append("it changed how the runner ran, or stopped the run")
    if pain["is_rising"]:
        told.append("rising over 14 days")
    yield Event(date.fromisoformat(pain["local_date"]), "Pain", f"Noted: {', '.join(told)}.")


def _alert(alert: Row) -> Event:
    order = f"; order: {alert['order_of_events']}" if alert["order_of_events"] else ""
    title = sentence(f"rule.{alert['rule']}")
    return Event(
        alert["local_date"],
        "Alert",
        f"{alert['severity'].capitalize()}: {title}{order}; {alert['status']}.",
    )


def _strength(begun: date, sessions: Sequence[Row]) -> list[str]:
    if not sessions:
        return [f"No strength session was noted since {day(begun)}."]
    shown = sessions[-SHOWN_SESSIONS:]
    which = "; ".join(
        f"{day(one['local_date'])}: {', '.join(one['exercises']) or 'exercises not noted'}"
        + ("" if one["pain_during"] is None else f", pain {score(one['pain_during'])}/10")
        for one in shown
    )
    last = "" if len(shown) == len(sessions) else f", the last {len(shown)}"
    return [f"{_counted(len(sessions), 'strength session')} since {day(begun)}{last}: {which}."]


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
