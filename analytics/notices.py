"""What to say before a run and what to ask after it: spikes that the plan holds, gaps in strength work, spikes without a report."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby, pairwise
from typing import NamedTuple

import polars as pl

from analytics.alerts import (
    KNEES,
    SEVERITIES,
    SORE_KNEE_DAYS,
    SPIKE_SOURCE,
    Alert,
    Severity,
    Told,
    digest,
    pain_evidence,
    spike_evidence,
    told_of,
)
from analytics.load import SMALL_SPIKE_RATIO, spike_bin
from analytics.matching import Planned
from analytics.pain import Report
from analytics.plan import RACE_SESSION, STRENGTH_SESSION, SeenAhead, seen_ahead
from analytics.rules import PUBLISHED, Rules
from analytics.spikes import ALL_SIGNALS_FROM_DAYS, LEVEL_OF_BIN, LOAD_KNOWN_FROM_DAYS, Spike, load_level_of

RULES = ("planned_spike_ahead", "strength_gap", "not_reported")

SEVERITY_AHEAD: Mapping[str, Severity] = {"small": "info", "moderate": "caution", "large": "caution"}
"""Of a planned run by its bin on a quiet knee; one step higher on a sore one."""
PAIN_LEVELS = ("P0", "P1", "P2", "P3", "R")
NO_TRAINING_AT = ("P3", "R")  # the advice is medical then, or to stop, and no exercise
PAIN_IS_RECENT_DAYS = 28  # ours
REPORTS_ARE_USUAL_DAYS = 60  # ours
RACE_WEEK_DAYS = 7

STRENGTH_SOURCE = (
    "Ferber et al. 2015, J Athl Train 50:366-377; Esculier et al. 2018, BJSM 52:659-666 "
    "(strength supports a sore knee; that it prevents one is not shown; the limit of days is ours)"
)


class StrengthDone(NamedTuple):
    """One strength session, from the diary or from a watch."""

    local_date: date
    session_id: str


def find_notices(
    runs: pl.DataFrame,
    spikes: Sequence[Spike],
    reports: Sequence[Report],
    of_knees: Sequence[Alert],
    *,
    sessions: pl.DataFrame,
    planned_since: date | None,
    strength: Sequence[StrengthDone],
    athlete: str,
    today: date,
    rules: Rules = PUBLISHED,
) -> list[Alert]:
    """
    Return the alerts of one athlete's history up to `today` that look ahead or ask, oldest first.

    Like those of `find_alerts` they depend on the arguments alone; the plan is looked at as it is now.

    Args:
        runs: activity_id, local_date, distance_m.
        spikes: What `find_spikes` returns.
        reports: What was reported of the knees.
        of_knees: What `find_alerts` returns, for the episodes that are open.
        sessions: Columns of plan_sessions.
        planned_since: Day from which the plan counts; None for its own first day.
        strength: Strength sessions that were done.
        athlete: Key of the athlete.
        today: The athlete's day; what lies after it is not looked at.
        rules: Thresholds.
    """
    done = runs.filter(pl.col("local_date") <= today)
    reports = sorted(
        (r for r in reports if r.local_date <= today), key=lambda r: (r.reported_at, r.report_id)
    )
    knees = {
        knee: sorted(told_of(reports, knee, rules), key=lambda told: told.report.local_date) for knee in KNEES
    }
    spikes = [spike for spike in spikes if spike.local_date <= today]
    strength = sorted(one for one in strength if one.local_date <= today)
    seen = seen_ahead(sessions, done, since=planned_since, today=today, days=rules.planned_ahead_days + 1)
    first_run: date | None = done["local_date"].min()  # type: ignore[assignment]
    notices = [
        *_planned_spikes(seen, first_run, knees, athlete, today, rules),
        *_strength_gaps(strength, sessions, spikes, knees, athlete, today, rules),
        *_unreported_spikes(spikes, knees, of_knees, athlete, today, rules),
    ]
    return sorted(notices, key=lambda notice: (notice.local_date, notice.rule, notice.alert_id))


# A spike that the plan holds -------------------------------------------------------------------------------


class _Ahead(NamedTuple):
    """A planned run that would be a spike, as it was seen on a day."""

    seen: SeenAhead
    bin: str
    severity: Severity
    sore: tuple[str, Sequence[Told]] | None
    is_reported: bool


def _planned_spikes(
    seen: Sequence[SeenAhead],
    first_run: date | None,
    knees: Mapping[str, Sequence[Told]],
    athlete: str,
    today: date,
    rules: Rules,
) -> Iterator[Alert]:
    """Yield one alert a planned run, and another where a later day makes it graver; the first ends there."""
    by_session = sorted(seen, key=lambda one: (one.session.number, one.seen_on))
    for session, days in groupby(by_session, key=lambda one: one.session):
        if first_run is None or (session.local_date - first_run).days < LOAD_KNOWN_FROM_DAYS:
            continue
        spikes = [spike for one in days if (spike := _as_spike(one, knees)) is not None]
        if not spikes:
            continue
        graver = [spikes[0]]
        for spike in spikes[1:]:
            if SEVERITIES.index(spike.severity) > SEVERITIES.index(graver[-1].severity):
                graver.append(spike)
        over_on = spikes[-1].seen.seen_on + timedelta(days=1)
        ends = [*(later.seen.seen_on for later in graver[1:]), over_on if over_on <= today else None]
        is_provisional = (session.local_date - first_run).days < ALL_SIGNALS_FROM_DAYS
        for spike, cleared_on in zip(graver, ends, strict=True):
            yield _alert_of_plan(spike, athlete, is_provisional, cleared_on, rules)


def _as_spike(seen: SeenAhead, knees: Mapping[str, Sequence[Told]]) -> _Ahead | None:
    bin_name = spike_bin(seen.session.distance_m or 0.0, seen.longest.distance_m if seen.longest else None)
    if bin_name not in SEVERITY_AHEAD:
        return None
    known = {knee: _known_on(told, seen.seen_on, SORE_KNEE_DAYS) for knee, told in knees.items()}
    severity, sore = SEVERITY_AHEAD[bin_name], _sorest_knee(known)
    if sore:
        severity = SEVERITIES[SEVERITIES.index(severity) + 1]
    return _Ahead(seen, bin_name, severity, sore, is_reported=any(known.values()))


def _sorest_knee(known: Mapping[str, Sequence[Told]]) -> tuple[str, Sequence[Told]] | None:
    """Return the knee whose newest report is the worst, with its reports; None if none says P1 or more."""
    sore = [(knee, told) for knee, told in known.items() if told and told[-1].pain.level != "P0"]
    return max(sore, key=lambda one: PAIN_LEVELS.index(one[1][-1].pain.level), default=None)


def _alert_of_plan(
    spike: _Ahead, athlete: str, is_provisional: bool, cleared_on: date | None, rules: Rules
) -> Alert:
    seen_on, session, longest = spike.seen
    assert longest is not None
    assert longest.distance_m
    assert session.distance_m
    knee, told = spike.sore or (None, [])
    of_session = (athlete, "planned_spike_ahead", session.local_date, session.session, session.distance_m)
    is_planned = isinstance(longest, Planned)
    return Alert(
        alert_id=digest(*of_session, spike.severity),
        athlete=athlete,
        side=knee,
        episode_id=digest(*of_session),
        local_date=seen_on,
        rule="planned_spike_ahead",
        severity=spike.severity,
        load_level=LEVEL_OF_BIN[spike.bin],
        pain_level=told[-1].pain.level if told else None,
        order_of_events=None,
        is_medical=False,
        urgency=None,
        evidence={
            "seen_on": seen_on.isoformat(),
            "planned": {
                "session_id": _session_id(athlete, session),
                "local_date": session.local_date.isoformat(),
                "session": session.session,
                "planned_distance_m": session.distance_m,
                "longest_30d_m": longest.distance_m,
                "longest_30d_date": longest.local_date.isoformat(),
                "longest_30d_is_planned": is_planned,
                "longest_30d_id": _session_id(athlete, longest)
                if isinstance(longest, Planned)
                else longest.activity_id,
                "spike_ratio": session.distance_m / longest.distance_m - 1,
                "spike_bin": spike.bin,
                "longest_without_spike_m": longest.distance_m * (1 + SMALL_SPIKE_RATIO),
                "is_provisional": is_provisional,
            },
            "pain": pain_evidence(told) if told else None,
            "thresholds": {
                "spike_bins": [0.10, 0.30, 1.00],
                "ahead_days": rules.planned_ahead_days,
                "sore_knee_days": SORE_KNEE_DAYS,
                "pain_p1_max": rules.pain_p1_max,
                "pain_p2_max": rules.pain_p2_max,
            },
            "source": SPIKE_SOURCE,
            "missing": [] if spike.is_reported else ["knees_of_the_week"],
        },
        cleared_on=cleared_on,
    )


def _session_id(athlete: str, session: Planned) -> str:
    """Name a planned session as report/evidence.sql does; the plan has no other name for it."""
    return f"{athlete} {session.local_date.isoformat()} {session.session}"


# A gap in strength work ------------------------------------------------------------------------------------


class _Gap(NamedTuple):
    """A time without strength work: from the last session, or from the first that the plan held, up to the next."""

    since: date
    last: StrengthDone | None
    until: date


def _strength_gaps(
    strength: Sequence[StrengthDone],
    sessions: pl.DataFrame,
    spikes: Sequence[Spike],
    knees: Mapping[str, Sequence[Told]],
    athlete: str,
    today: date,
    rules: Rules,
) -> Iterator[Alert]:
    """Yield one alert a gap, on its first day on which the knee was a subject or the load rose."""
    races = sessions.filter(pl.col("session") == RACE_SESSION)["local_date"].to_list()
    for gap in _gaps(strength, sessions, today, rules):
        days = (gap.since + timedelta(days=n) for n in range((gap.until - gap.since).days))
        due = (day for day in days if _is_strength_due(gap, day, spikes, knees, races, rules))
        if (raised_on := next(due, None)) is None:
            continue
        day = raised_on
        while (day := day + timedelta(days=1)) < gap.until:
            if not _is_strength_due(gap, day, spikes, knees, races, rules):
                break
        yield _alert_of_gap(gap, raised_on, spikes, knees, athlete, day if day <= today else None, rules)


def _gaps(
    strength: Sequence[StrengthDone], sessions: pl.DataFrame, today: date, rules: Rules
) -> Iterator[_Gap]:
    tomorrow = today + timedelta(days=1)
    planned = sessions.filter(pl.col("session") == STRENGTH_SESSION)["local_date"]
    first_planned: date | None = planned.min()  # type: ignore[assignment]
    first_done = strength[0].local_date if strength else tomorrow
    gaps = [_Gap(first_planned, None, first_done)] if first_planned and first_planned < first_done else []
    gaps += [_Gap(one.local_date, one, after.local_date) for one, after in pairwise(strength)]
    gaps += [_Gap(strength[-1].local_date, strength[-1], tomorrow)] if strength else []
    return (gap for gap in gaps if (gap.until - gap.since).days > rules.strength_gap_days)


def _is_strength_due(
    gap: _Gap,
    day: date,
    spikes: Sequence[Spike],
    knees: Mapping[str, Sequence[Told]],
    races: Iterable[date],
    rules: Rules,
) -> bool:
    """Who never did any is told only of a sore knee; nobody is in race week, nor where training stops."""
    if (day - gap.since).days < rules.strength_gap_days:
        return False
    if any(0 <= (race - day).days < RACE_WEEK_DAYS for race in races):
        return False
    known = [_known_on(told, day, PAIN_IS_RECENT_DAYS) for told in knees.values()]
    if any(told and told[-1].pain.level in NO_TRAINING_AT for told in known):
        return False
    is_rising = gap.last is not None and any(spike.is_active_on(day) for spike in spikes)
    return is_rising or _worst_pain(knees, day) is not None


def _worst_pain(knees: Mapping[str, Sequence[Told]], day: date) -> Told | None:
    """Return the report with the highest pain of the last 28 days, the newest of those alike; None without any pain."""
    told = [one for of_knee in knees.values() for one in of_knee]
    recent = [one for one in told if 0 <= (day - one.report.local_date).days <= PAIN_IS_RECENT_DAYS]
    sore = [one for one in recent if one.pain.level != "P0"]
    return max(sore, key=lambda one: (one.report.peak or 0.0, one.report.reported_at), default=None)


def _alert_of_gap(
    gap: _Gap,
    raised_on: date,
    spikes: Sequence[Spike],
    knees: Mapping[str, Sequence[Told]],
    athlete: str,
    cleared_on: date | None,
    rules: Rules,
) -> Alert:
    active = [spike for spike in spikes if spike.is_active_on(raised_on)] if gap.last else []
    worst = _worst_pain(knees, raised_on)
    last_id = gap.last.session_id if gap.last else None
    evidence = spike_evidence(active, raised_on, rules)
    return Alert(
        alert_id=digest(athlete, "strength_gap", gap.since, last_id),
        athlete=athlete,
        side=None,
        episode_id=digest(athlete, "strength_gap", gap.since, last_id),
        local_date=raised_on,
        rule="strength_gap",
        severity="info",
        load_level=load_level_of(active, raised_on, rules),
        pain_level=worst.pain.level if worst else None,
        order_of_events=None,
        is_medical=False,
        urgency=None,
        evidence={
            "seen_on": raised_on.isoformat(),
            "strength": {
                "session_id": last_id,
                "local_date": gap.since.isoformat(),
                "days_ago": (raised_on - gap.since).days,
            },
            "report": {
                "report_id": worst.report.report_id,
                "local_date": worst.report.local_date.isoformat(),
                "peak": worst.report.peak,
            }
            if worst
            else None,
            **evidence,
            "thresholds": {"gap_days": rules.strength_gap_days, "pain_days": PAIN_IS_RECENT_DAYS},
            "source": "; ".join(filter(None, [STRENGTH_SOURCE, str(evidence["source"] or "")])),
            "missing": ["strength_not_noted"],
        },
        cleared_on=cleared_on,
    )


# A spike without a report ----------------------------------------------------------------------------------


def _unreported_spikes(
    spikes: Sequence[Spike],
    knees: Mapping[str, Sequence[Told]],
    of_knees: Sequence[Alert],
    athlete: str,
    today: date,
    rules: Rules,
) -> Iterator[Alert]:
    """Yield one question a spike of somebody who reports; after one without an answer none until there is a report."""
    reports = {told.report.report_id: told.report for of_knee in knees.values() for told in of_knee}
    told = sorted(reports.values(), key=lambda report: (report.local_date, report.reported_at))
    days = [report.local_date for report in told]
    asked_on: date | None = None
    for spike in spikes:
        ask_on = spike.local_date + timedelta(days=rules.not_reported_days)
        before, by_then = bisect_right(days, spike.local_date - timedelta(days=1)), bisect_right(days, ask_on)
        if ask_on > today or not spike.is_active_on(ask_on) or by_then > before or not before:
            continue
        last = told[before - 1]
        is_usual = (spike.local_date - last.local_date).days <= REPORTS_ARE_USUAL_DAYS
        if not is_usual and not _has_open_episode(of_knees, ask_on):
            continue
        if asked_on and not any(asked_on < day <= ask_on for day in days):
            continue
        asked_on = ask_on
        over_on = spike.local_date + timedelta(days=spike.window_days + 1)
        answered_on = days[by_then] if by_then < len(days) else over_on
        cleared_on = min(over_on, answered_on)
        yield _question(spike, last, ask_on, athlete, cleared_on if cleared_on <= today else None, rules)


def _has_open_episode(of_knees: Sequence[Alert], day: date) -> bool:
    return any(
        alert.side is not None
        and alert.local_date <= day
        and (alert.cleared_on is None or alert.cleared_on > day)
        for alert in of_knees
    )


def _question(
    spike: Spike, last: Report, ask_on: date, athlete: str, cleared_on: date | None, rules: Rules
) -> Alert:
    evidence = spike_evidence([spike], ask_on, rules)
    return Alert(
        alert_id=digest(athlete, "not_reported", spike.activity_id),
        athlete=athlete,
        side=None,
        episode_id=digest(athlete, "not_reported", spike.activity_id),
        local_date=ask_on,
        rule="not_reported",
        severity="info",
        load_level=load_level_of([spike], ask_on, rules),
        pain_level=None,
        order_of_events=None,
        is_medical=False,
        urgency=None,
        evidence={
            "seen_on": ask_on.isoformat(),
            **evidence,
            "days_without_report": rules.not_reported_days,
            "last_report": {
                "report_id": last.report_id,
                "local_date": last.local_date.isoformat(),
                "days_ago": (ask_on - last.local_date).days,
            },
            "missing": ["knees"],
        },
        cleared_on=cleared_on,
    )


# Helpers ---------------------------------------------------------------------------------------------------


def _known_on(told: Sequence[Told], day: date, within_days: int) -> Sequence[Told]:
    """Return one knee's reports up to a day, in order of days; none if the newest is older than so many days."""
    known = told[: bisect_right(told, day, key=lambda one: one.report.local_date)]
    is_recent = bool(known) and (day - known[-1].report.local_date).days <= within_days
    return known if is_recent else []
