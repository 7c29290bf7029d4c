"""When a load spike and reported knee pain meet: signals, pain levels, the decision table and the alerts of a history."""

import hashlib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

import polars as pl

from analytics.pain import (
    LASTING_PAIN_DAYS,
    RISING_DAYS,
    Pain,
    PainLevel,
    Report,
    pains_of,
)
from analytics.rules import PUBLISHED, Rules
from analytics.spikes import LEVEL_OF_BIN, LOAD_KNOWN_FROM_DAYS, Spike, find_spikes, load_level_of

FORMULA_VERSION = "1"

Severity = Literal["info", "caution", "warning", "stop"]
Urgency = Literal["same_day", "soon"]

SEVERITIES: tuple[Severity, ...] = ("info", "caution", "warning", "stop")
KNEES = ("left", "right")
RULES = ("spike_and_pain", "load_spike", "knee_pain", "pain_rising", "medical")

# The decision: severity by load level (0 to 3) for each pain level. A red flag stops whatever the load.
DECISIONS: Mapping[str, tuple[Severity | None, ...]] = {
    "P0": (None, "info", "info", "caution"),
    "P1": (None, "caution", "caution", "warning"),
    "P2": ("caution", "warning", "warning", "warning"),
    "P3": ("warning", "warning", "stop", "stop"),
    "R": ("stop", "stop", "stop", "stop"),
}
SAME_DAY_FLAGS = frozenset({"cannot_bear_weight", "locking", "deformity", "hot_red_fever"})

SORE_KNEE_DAYS = 7
CLEAR_AFTER_DAYS = 7
CALM_MAX = 1
MEDICAL_AGAIN_AFTER = timedelta(hours=24)

SPIKE_SOURCE = "Schuster Brandt Frandsen et al. 2025, BJSM 59:1203-1210, doi 10.1136/bjsports-2024-109380"
RAMP_SOURCE = "Damsted et al. 2019, JOSPT 49:230-238 (half-marathon runners; the limits are ours)"
DOWNHILL_SOURCE = "Van Hooren et al. 2024, SJMSS 34:e14570 (knee load by grade; the limits are ours)"
PAIN_SOURCE = "Esculier et al. 2018, BJSM 52:659-666 (pain-guided running; the limit of 5 is that of Silbernagel et al. 2007, AJSM 35:897-906)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the table says; `severity` None means nothing to raise."""

    severity: Severity | None
    is_medical: bool
    urgency: Urgency | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert, without its words; the fields are the columns of table `alerts`."""

    alert_id: str
    athlete: str
    side: str | None
    episode_id: str
    local_date: date
    rule: str
    severity: Severity
    load_level: int | None
    pain_level: PainLevel | None
    order_of_events: str | None
    is_medical: bool
    urgency: Urgency | None
    evidence: Mapping[str, object]
    cleared_on: date | None


# The rules, one by one -------------------------------------------------------------------------------------


def decide(load_level: int | None, pain: Pain, flags: Sequence[str] = ()) -> Decision:
    """Return what the table says; an unknown load counts as none, so that pain alone still speaks."""
    severity = DECISIONS[pain.level][load_level or 0]
    lasts = pain.days_at_p2_or_more >= LASTING_PAIN_DAYS
    is_medical = pain.level == "R" or pain.is_rising or lasts
    return Decision(
        severity=severity, is_medical=is_medical, urgency=urgency_of(flags) if is_medical else None
    )


def urgency_of(flags: Sequence[str]) -> Urgency:
    """Return how soon somebody should look at a knee of which this was noted."""
    has_burst = {"trauma_pop", "swelling"} <= set(flags)
    return "same_day" if has_burst or SAME_DAY_FLAGS & set(flags) else "soon"


# The history -----------------------------------------------------------------------------------------------


def find_alerts(
    runs: pl.DataFrame,
    daily: pl.DataFrame,
    reports: Sequence[Report],
    *,
    athlete: str,
    today: date,
    rules: Rules = PUBLISHED,
) -> list[Alert]:
    """
    Return every alert of one athlete's history up to and including `today`, oldest first.

    Columns of `runs` and `daily` as in `find_spikes`. The result depends on its arguments alone, so a late
    file or a corrected report gives what would have been raised had it been there from the start.
    """
    spikes = [spike for spike in find_spikes(runs, daily, rules) if spike.local_date <= today]
    told = sorted((r for r in reports if r.local_date <= today), key=lambda r: (r.reported_at, r.report_id))
    first_day: date | None = runs["local_date"].min() if runs.height else None  # type: ignore[assignment]
    unknown_days = _days_without_baseline(runs)
    knees = [
        _alerts_of_knee(
            _Knee(athlete, knee, spikes, told_of(told, knee, rules), first_day, unknown_days, today, rules)
        )
        for knee in KNEES
    ]
    load_only = _alerts_of_load(athlete, spikes, [*knees[0], *knees[1]], told, today, rules)
    return sorted([*knees[0], *knees[1], *load_only], key=lambda a: (a.local_date, a.side or ""))


class Told(NamedTuple):
    """One report of a knee and what it says, seen with those before it."""

    report: Report
    pain: Pain


@dataclass(frozen=True, slots=True)
class _Knee:
    """Everything the alerts of one knee depend on."""

    athlete: str
    side: str
    spikes: list[Spike]
    told: list[Told]
    first_day: date | None
    unknown_days: frozenset[date]
    today: date
    rules: Rules

    def load_level_on(self, day: date, active: Sequence[Spike]) -> int | None:
        if active:
            return load_level_of(active, day, self.rules)
        if (
            self.first_day is None
            or (day - self.first_day).days < LOAD_KNOWN_FROM_DAYS
            or day in self.unknown_days
        ):
            return None
        return 0


@dataclass(slots=True)
class _Episode:
    """The alerts of one knee that belong together, while they are being found."""

    episode_id: str
    has_spike: bool
    alerts: list[Alert] = field(default_factory=list)
    last_medical_at: datetime | None = None
    last_urgency: Urgency | None = None
    last_spike_at: datetime | None = None


def _alerts_of_knee(knee: _Knee) -> list[Alert]:
    """Walk through the knee's reports and the spikes in order of time."""
    events: list[tuple[datetime, int, Report | Spike]] = [(s.started_at, 0, s) for s in knee.spikes]
    events += [(told.report.reported_at, place, told.report) for place, told in enumerate(knee.told, 1)]
    episodes: list[_Episode] = []
    for at, place, event in sorted(events, key=lambda e: (e[0], e[1])):
        known = knee.told[:place] if place else _before(knee.told, at)
        if isinstance(event, Spike) and not _is_sore(known, event.local_date):
            continue
        if known[-1].pain.level != "P0":
            _raise_if_due(knee, episodes, at, event, known)
    return [alert for episode in episodes for alert in _with_clearing(knee, episode)]


def _raise_if_due(
    knee: _Knee,
    episodes: list[_Episode],
    at: datetime,
    event: Report | Spike,
    known: Sequence[Told],
) -> None:
    day = event.local_date
    active = [s for s in knee.spikes if s.is_active_on(day) and s.started_at <= at]
    load_level = knee.load_level_on(day, active)
    decision = decide(load_level, known[-1].pain, known[-1].report.flags)
    if decision.severity is None:
        return
    episode = _episode_for(knee, episodes, active, known, day)
    if not _is_due(episode, decision, day, at, active, knee.rules):
        return
    episode.alerts.append(_alert_of_knee(knee, episode, event, known, active, load_level, decision))
    if decision.is_medical:
        episode.last_medical_at, episode.last_urgency = at, decision.urgency
    if active:
        episode.last_spike_at = active[-1].started_at


def _episode_for(
    knee: _Knee, episodes: list[_Episode], active: Sequence[Spike], known: Sequence[Told], day: date
) -> _Episode:
    """Return the open episode, or a new one: after clearing, and when a spike joins what was pain alone."""
    current = episodes[-1] if episodes else None
    is_over = current is not None and _cleared_on(knee, current, known, by=day) is not None
    if current is None or is_over or (active and not current.has_spike):
        start = active[0].activity_id if active else known[-1].report.report_id
        current = _Episode(digest(knee.athlete, knee.side, start), has_spike=bool(active))
        episodes.append(current)
    return current


def _is_due(
    episode: _Episode,
    decision: Decision,
    day: date,
    at: datetime,
    active: Sequence[Spike],
    rules: Rules,
) -> bool:
    """A higher level than the last alert's, a new spike, or a report after a week; medical ones again after a day."""
    if not episode.alerts:
        return True
    last = episode.alerts[-1]
    last_medical_at, last_spike_at = episode.last_medical_at, episode.last_spike_at
    if decision.is_medical and (last_medical_at is None or at - last_medical_at >= MEDICAL_AGAIN_AFTER):
        return True
    assert decision.severity is not None
    return (
        SEVERITIES.index(decision.severity) > SEVERITIES.index(last.severity)
        or (decision.urgency == "same_day" and episode.last_urgency != "same_day")
        or (bool(active) and (last_spike_at is None or active[-1].started_at > last_spike_at))
        or (day - last.local_date).days >= rules.remind_after_days
    )


def _alert_of_knee(
    knee: _Knee,
    episode: _Episode,
    event: Report | Spike,
    known: Sequence[Told],
    active: Sequence[Spike],
    load_level: int | None,
    decision: Decision,
) -> Alert:
    newest, pain = known[-1]
    assert decision.severity is not None
    trigger = event.report_id if isinstance(event, Report) else event.activity_id
    rule = _rule(pain, active)
    order = _order_of_events(active, known) if active else None
    return Alert(
        alert_id=digest(
            knee.athlete,
            knee.side,
            episode.episode_id,
            rule,
            trigger,
            load_level,
            pain.level,
            decision.is_medical,
            decision.urgency,
        ),
        athlete=knee.athlete,
        side=knee.side,
        episode_id=episode.episode_id,
        local_date=event.local_date,
        rule=rule,
        severity=decision.severity,
        load_level=load_level,
        pain_level=pain.level,
        order_of_events=order,
        is_medical=decision.is_medical,
        urgency=decision.urgency,
        evidence={
            **spike_evidence(active, event.local_date, knee.rules),
            "pain": pain_evidence(known),
            "missing": _missing(newest, load_level),
        },
        cleared_on=None,
    )


def _rule(pain: Pain, active: Sequence[Spike]) -> str:
    if pain.level == "R":
        return "medical"
    if active:
        return "spike_and_pain"
    return "pain_rising" if pain.is_rising else "knee_pain"


def _order_of_events(active: Sequence[Spike], known: Sequence[Told]) -> str:
    """Say what came first; a knee that was sore before the spike stays so in the telling."""
    is_sore = _is_sore(_before(known, active[0].started_at), active[0].local_date)
    return "spike on a sore knee" if is_sore else "pain after spike"


def _before(told: Sequence[Told], at: datetime) -> Sequence[Told]:
    return told[: bisect_left(told, at, key=lambda one: one.report.reported_at)]


def _is_sore(told: Sequence[Told], day: date) -> bool:
    """Tell whether the newest report, not older than a week, says P1 or more."""
    if not told or (day - told[-1].report.local_date).days > SORE_KNEE_DAYS:
        return False
    return told[-1].pain.level != "P0"


def _with_clearing(knee: _Knee, episode: _Episode) -> list[Alert]:
    cleared_on = _cleared_on(knee, episode, knee.told, by=knee.today)
    if cleared_on is None:
        return episode.alerts
    return [replace(alert, cleared_on=cleared_on) for alert in episode.alerts]


def _cleared_on(knee: _Knee, episode: _Episode, known: Sequence[Told], *, by: date) -> date | None:
    """Return the first day on which the newest reports, two or more over a week, are calm and no spike is active."""
    if not episode.alerts:
        return None
    since = episode.alerts[-1].local_date
    calm_since: date | None = None
    for place, told in enumerate(known, 1):
        day = told.report.local_date
        if not since < day <= by:
            continue
        calm_since = (calm_since or day) if _is_calm(told) else None
        if calm_since is not None and (day - calm_since).days >= CLEAR_AFTER_DAYS:
            until_next = known[place].report.local_date - timedelta(days=1) if place < len(known) else by
            cleared_on = _first_day_without_spike(knee.spikes, day, min(until_next, by))
            if cleared_on is not None:
                return cleared_on
    return None


def _is_calm(told: Told) -> bool:
    """Tell whether a report has pain of at most 1 and nothing that would raise an alert by itself."""
    peak = told.report.peak
    return peak is not None and peak <= CALM_MAX and told.pain.level in ("P0", "P1")


def _first_day_without_spike(spikes: Sequence[Spike], day: date, by: date) -> date | None:
    while day <= by:
        if not any(spike.is_active_on(day) for spike in spikes):
            return day
        day += timedelta(days=1)
    return None


def _alerts_of_load(
    athlete: str,
    spikes: Sequence[Spike],
    of_knees: Sequence[Alert],
    reports: Sequence[Report],
    today: date,
    rules: Rules,
) -> list[Alert]:
    """Return the alerts of load alone: a spike with no pain reported, unless a knee's alert of that day names it."""
    spoken_for = {(alert.local_date, run) for alert in of_knees for run in _runs_in(alert)}
    alerts = []
    for place, spike in enumerate(spikes):
        if (spike.local_date, spike.activity_id) in spoken_for:
            continue
        active = [s for s in spikes[: place + 1] if s.is_active_on(spike.local_date)]
        painless = [r for r in reports if r.local_date == spike.local_date and r.peak == 0]
        alerts.append(_alert_of_load(athlete, spike, active, painless, today, rules))
    return alerts


def _alert_of_load(
    athlete: str,
    spike: Spike,
    active: Sequence[Spike],
    painless: Sequence[Report],
    today: date,
    rules: Rules,
) -> Alert:
    load_level = load_level_of(active, spike.local_date, rules)
    severity = DECISIONS["P0"][load_level]
    assert severity is not None
    ends_on = spike.local_date + timedelta(days=spike.window_days + 1)
    return Alert(
        alert_id=digest(athlete, "load", spike.activity_id, load_level),
        athlete=athlete,
        side=None,
        episode_id=digest(athlete, "load", active[0].activity_id),
        local_date=spike.local_date,
        rule="load_spike",
        severity=severity,
        load_level=load_level,
        pain_level=None,
        order_of_events=None,
        is_medical=False,
        urgency=None,
        evidence={
            **spike_evidence(active, spike.local_date, rules),
            "painless": [{"report_id": report.report_id, "side": report.side} for report in painless],
            "missing": _missing_of_load(painless),
        },
        cleared_on=ends_on if ends_on <= today else None,
    )


# Helpers ---------------------------------------------------------------------------------------------------


def _days_without_baseline(runs: pl.DataFrame) -> frozenset[date]:
    """Return the days of runs that had no run in the 30 days before: there the load level is unknown."""
    if runs.is_empty():
        return frozenset()
    days_and_bins = zip(runs["local_date"], runs["spike_bin"], strict=True)
    return frozenset(day for day, name in days_and_bins if name == "no_baseline")


def told_of(reports: Sequence[Report], knee: str, rules: Rules) -> list[Told]:
    of_knee = [report for report in reports if report.side in (knee, "both")]
    pains = pains_of(of_knee, rules)
    return [Told(report, pain) for report, pain in zip(of_knee, pains, strict=True) if pain is not None]


def _runs_in(alert: Alert) -> set[str]:
    spikes = alert.evidence["spikes"]
    assert isinstance(spikes, list)
    return {str(spike["activity_id"]) for spike in spikes}


def spike_evidence(active: Sequence[Spike], day: date, rules: Rules) -> dict[str, object]:
    return {
        "spikes": [
            {**spike.numbers, "days_before": (day - spike.local_date).days, "window_days": spike.window_days}
            for spike in active
        ],
        "thresholds": {
            "spike_bins": [0.10, 0.30, 1.00],
            "ramp": [rules.ramp_over, rules.ramp_by_m, rules.ramp_from_m],
            "downhill": [rules.downhill_over, rules.downhill_from_m],
            "windows_days": [rules.spike_window_days, rules.ramp_window_days],
            "pain_p1_max": rules.pain_p1_max,
            "pain_p2_max": rules.pain_p2_max,
        },
        "source": "; ".join(_sources(active)) or None,
    }


def _sources(active: Sequence[Spike]) -> list[str]:
    """Return where the rules that fired come from."""
    has_bin = any(spike.bin in LEVEL_OF_BIN for spike in active)
    is_ramp = any(spike.is_ramp for spike in active)
    is_downhill = any(spike.is_downhill for spike in active)
    fired = ((has_bin, SPIKE_SOURCE), (is_ramp, RAMP_SOURCE), (is_downhill, DOWNHILL_SOURCE))
    return [source for fires, source in fired if fires]


def pain_evidence(known: Sequence[Told]) -> dict[str, object]:
    newest, pain = known[-1]
    earlier = [r for r, _ in known[:-1] if (newest.local_date - r.local_date).days <= RISING_DAYS]
    return {
        "report_id": newest.report_id,
        "local_date": newest.local_date.isoformat(),
        "before": newest.before,
        "during": newest.during,
        "after_60min": newest.after_60min,
        "next_morning": newest.next_morning,
        "peak": newest.peak,
        "flags": list(newest.flags),
        "changed_gait": newest.changed_gait,
        "is_settled": pain.is_settled,
        "is_rising": pain.is_rising,
        "days_at_p2_or_more": pain.days_at_p2_or_more,
        "source": PAIN_SOURCE,
        "earlier": [
            {"report_id": r.report_id, "local_date": r.local_date.isoformat(), "peak": r.peak}
            for r in earlier
        ],
    }


def _missing(newest: Report, load_level: int | None) -> list[str]:
    missing = []
    if newest.after_60min is None:
        missing.append("after_60min")
    if newest.next_morning is None:
        missing.append("next_morning")
    if load_level is None:
        missing.append("running_before")
    return missing


def _missing_of_load(painless: Sequence[Report]) -> list[str]:
    told = {knee for report in painless for knee in KNEES if report.side in (knee, "both")}
    if not told:
        return ["knees"]
    return [f"{knee}_knee" for knee in KNEES if knee not in told]


def digest(*parts: object) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()
