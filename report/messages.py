"""What alerts and reminders say about load and pain: which sentences of words.en.toml, and with which numbers."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from analytics.alerts import SORE_KNEE_DAYS, Alert
from analytics.pain import LASTING_PAIN_DAYS
from analytics.plan import RACE_SESSION
from analytics.reminders import Reminder
from report.format import DAYS, Units, number, percent, score, short_day
from report.words import said

SPIKE_BINS = ("small", "moderate", "large")
ID_LETTERS = 12

ANSWERS = {
    "after_60min": "kneewatch pain edit {id} --after-60min N",
    "next_morning": "kneewatch pain edit {id} --next-morning N",
    "report": "kneewatch pain add --date {date} --side SIDE --during N",
    "ostrc_o2": "kneewatch knee ostrc --date {date} --side {side} --participation N --volume N --performance N --pain N",
    "koos_pf": "kneewatch knee koos --date {date} --side {side} N N N N N N N N N N N",
    "words": "kneewatch pain add --date {date} --side {side} --during N",
}
LEAVE = "kneewatch pain dismiss {question_id}"


def reminder_words(reminder: Reminder) -> tuple[str, str]:
    """Return (question, command that answers it) of a reminder."""
    is_of_both = reminder.side == "both" and reminder.asks in ("after_60min", "next_morning")
    question = said(
        f"ask.{reminder.asks}{'_both' if is_of_both else ''}",
        side=_side(reminder.side) if reminder.side in ("left", "right") else "",
        day=_weekday_and_day(reminder.local_date),
        words=reminder.words,
    )
    answer = ANSWERS[reminder.asks].format(
        date=reminder.local_date.isoformat(),
        side=reminder.side or "SIDE",
        id=(reminder.report_id or "")[:ID_LETTERS],
    )
    return question, answer


def leaving_words(reminder: Reminder) -> str | None:
    """Return the command that leaves a question open for good; None where nobody has to."""
    return LEAVE.format(question_id=reminder.question_id[:ID_LETTERS]) if reminder.question_id else None


def open_questions_words(count: int, athlete: str | None) -> str:
    """Say how many questions are open; `athlete` is None for the one that commands speak of by themselves."""
    return said(
        "nothing.open_question" if count == 1 else "nothing.open_questions",
        count=count,
        whose=f" --athlete {athlete}" if athlete else "",
    )


def alert_words(alert: Alert, units: Units) -> tuple[str, str]:
    """Return (message, action) of an alert: both numbers, the dates, the order, the source and what is missing."""
    seen, action = WORDS_OF.get(alert.rule, (_what_was_seen, _what_to_consider))
    missing = [said(f"missing.{one}") for one in _missing(alert)]
    message = [
        *seen(alert, units),
        *([said("always.missing", missing=", ".join(missing))] if missing else []),
        said("always.no_diagnosis"),
        said("always.medical"),
    ]
    return " ".join(message), " ".join([*action(alert, units), said("always.medical")])


# A spike, a sore knee, or both -----------------------------------------------------------------------------


def _what_was_seen(alert: Alert, units: Units) -> list[str]:
    spikes, pain = _list(alert.evidence, "spikes"), _part(alert, "pain")
    sentences = _spikes(spikes, units)
    if pain is None:
        sentences += _no_pain(alert, spikes)
    else:
        sentences += _pain(pain, alert.side or "", _thresholds(alert)["pain_p1_max"])
        sentences += _order(alert, spikes, pain)
    return [*sentences, *_study(spikes), *_study_of_pain(alert)]


def _what_to_consider(alert: Alert, units: Units) -> list[str]:
    # the longest before the first of several spikes: what came before the load rose
    longest = [float(s["longest_30d_m"]) for s in _list(alert.evidence, "spikes") if s.get("longest_30d_m")]
    usual = units.distance(min(longest)) if longest else said("action.usual_distance")
    sentences = [said(f"action.{alert.severity}", longest=usual)]
    return [said(f"action.{alert.urgency}"), *sentences] if alert.is_medical else sentences


def _spikes(spikes: Sequence[Mapping[str, Any]], units: Units) -> list[str]:
    # two runs of one day have the same week behind them
    sentences = list(dict.fromkeys(sentence for spike in spikes for sentence in _spike(spike, units)))
    is_provisional = any(spike["is_provisional"] for spike in spikes)
    return [*sentences, said("load.provisional")] if is_provisional else sentences


def _spike(spike: Mapping[str, Any], units: Units) -> list[str]:
    on = date.fromisoformat(spike["local_date"])
    when = {"weekday": _weekday(on), "day": short_day(on)}
    sentences = []
    if spike["spike_bin"] in SPIKE_BINS:
        sentences.append(
            said(
                "load.single_session",
                **when,
                distance=units.distance(spike["distance_m"]),
                longest=units.distance(spike["longest_30d_m"]),
                longest_day=_short(spike["longest_30d_date"]),
                rise=percent(spike["spike_ratio"], signed=True, digits=1),
            )
        )
    if spike["week_m"] is not None:
        sentences.append(
            said(
                "load.ramp",
                **when,
                week=units.distance(spike["week_m"]),
                week_before=units.distance(spike["week_before_m"]),
                rise=percent(spike["week_m"] / spike["week_before_m"] - 1, signed=True),
            )
        )
    if spike["descent_7d_m"] is not None:
        sentences.append(
            said(
                "load.downhill",
                **when,
                descent_m=number(spike["descent_7d_m"]),
                descent_mean_m=number(spike["descent_mean_m"]),
            )
        )
    return [*sentences, *_context(spike, units)]


def _context(spike: Mapping[str, Any], units: Units) -> list[str]:
    """Say what went with it and raises nothing by itself: the plan, and the acute-to-chronic ratio."""
    day = short_day(date.fromisoformat(spike["local_date"]))
    context = []
    if spike["planned_distance_m"] is not None:
        planned = units.distance(spike["planned_distance_m"])
        context.append(said("load.off_plan", planned=planned, day=day))
    if spike["planned_7d_m"] is not None:
        ran, planned = units.distance(spike["ran_7d_m"]), units.distance(spike["planned_7d_m"])
        context.append(said("load.off_plan_week", ran=ran, planned=planned, day=day))
    if spike["acwr_is_high"]:
        context.append(said("load.acwr", ratio=number(spike["acwr_uncoupled"], digits=1), day=day))
    return context


def _no_pain(alert: Alert, spikes: Sequence[Mapping[str, Any]]) -> list[str]:
    painless = _list(alert.evidence, "painless")
    sides = (
        {"left", "right"}
        if any(one["side"] == "both" for one in painless)
        else {one["side"] for one in painless}
    )
    if not sides:
        noted = said("painless.nothing_noted")
    elif len(sides) == 1:
        noted = said("painless.one_knee", side=_side(min(sides)))
    else:
        noted = said("painless.both_knees")
    return [noted, said("painless.read_together", days=spikes[-1]["window_days"])]


def _pain(pain: Mapping[str, Any], side: str, p1_max: float) -> list[str]:
    day = date.fromisoformat(pain["local_date"])
    told = {"weekday": _weekday(day), "day": short_day(day), "side": _side(side)}
    scores, flags = _scores(pain), _flags(pain["flags"])
    sentences = [
        said("pain.scores", **told, scores=scores)
        if scores
        else said("pain.signs", **told, signs=flags or said("pain.gait"))
    ]
    if scores and flags:
        sentences.append(said("pain.also", signs=flags))
    if pain["changed_gait"] and (scores or flags):
        sentences.append(said("pain.changed_gait"))
    if not pain["is_settled"]:
        sentences.append(said("pain.not_settled"))
    if pain["is_rising"]:
        earlier = ", ".join(
            said("pain.earlier", score=score(one["peak"]), day=_short(one["local_date"]))
            for one in pain["earlier"]
            if one["peak"] is not None
        )
        sentences.append(said("pain.rising", earlier=earlier))
    if pain["days_at_p2_or_more"] >= LASTING_PAIN_DAYS:
        sentences.append(said("pain.lasting", days=pain["days_at_p2_or_more"], limit=score(p1_max)))
    return sentences


def _scores(pain: Mapping[str, Any]) -> str:
    return ", ".join(
        said(f"pain.{when}", score=score(pain[when]))
        for when in ("before", "during", "after_60min", "next_morning")
        if pain[when] is not None
    )


def _flags(flags: Sequence[str]) -> str:
    return ", ".join(said(f"flags.{flag}") for flag in flags)


def _order(alert: Alert, spikes: Sequence[Mapping[str, Any]], pain: Mapping[str, Any]) -> list[str]:
    """Say what came first and how far apart, and within which window it counts."""
    if not spikes:
        return _no_spike(alert)
    noted_on = date.fromisoformat(pain["local_date"])
    rose = [(date.fromisoformat(spike["local_date"]), spike["window_days"]) for spike in spikes]
    before = [(day, window_days) for day, window_days in rose if day <= noted_on]
    if not before:
        apart = _after(rose[-1][0], noted_on)
        return [said("order.spike_on_a_sore_knee", after=apart, window_days=SORE_KNEE_DAYS)]
    is_sore = alert.order_of_events == "spike on a sore knee"
    day, window_days = before[-1]
    noted = said(
        "order.sore_before_spike" if is_sore else "order.pain_after_spike",
        after=_after(noted_on, day),
        day=short_day(day),
        window_days=window_days,
    )
    again = [said("order.again", after=_after(rose[-1][0], noted_on))] if len(before) < len(rose) else []
    return [noted, *again]


def _no_spike(alert: Alert) -> list[str]:
    if alert.load_level is None:
        return []
    spike_days, ramp_days = _thresholds(alert)["windows_days"]
    return [said("order.no_spike", spike_days=spike_days, ramp_days=ramp_days)]


def _after(later: date, earlier: date) -> str:
    days = (later - earlier).days
    name = "same_day" if days == 0 else "next_day" if days == 1 else "days_after"
    return said(f"order.{name}", days=days)


def _study(spikes: Sequence[Mapping[str, Any]]) -> list[str]:
    bins = [spike["spike_bin"] for spike in spikes if spike["spike_bin"] in SPIKE_BINS]
    studies = [said(f"study.{bins[-1]}")] if bins else []
    if any(spike["week_m"] is not None for spike in spikes):
        studies.append(said("study.ramp"))
    if any(spike["descent_7d_m"] is not None for spike in spikes):
        studies.append(said("study.downhill"))
    return studies


def _study_of_pain(alert: Alert) -> list[str]:
    if alert.pain_level is None:
        return []
    return [said("study.flags" if alert.pain_level == "R" else "study.pain")]


# What lies ahead, and what is asked for --------------------------------------------------------------------


def _what_is_planned(alert: Alert, units: Units) -> list[str]:
    planned, pain = _part(alert, "planned") or {}, _part(alert, "pain")
    on = date.fromisoformat(planned["local_date"])
    sentences = [
        said(
            "planned.after_a_planned_run" if planned["longest_30d_is_planned"] else "planned.after_a_run",
            weekday=_weekday(on),
            day=short_day(on),
            session=said(f"session.{planned['session']}"),
            distance=units.distance(planned["planned_distance_m"]),
            longest=units.distance(planned["longest_30d_m"]),
            longest_day=_short(planned["longest_30d_date"]),
            rise=percent(planned["spike_ratio"], signed=True, digits=1),
            spike=said(f"spike_bin.{planned['spike_bin']}"),
        )
    ]
    if planned["is_provisional"]:
        sentences.append(said("load.provisional"))
    if pain is not None:
        sentences += _pain(pain, alert.side or "", _thresholds(alert)["pain_p1_max"])
        days = (on - date.fromisoformat(pain["local_date"])).days
        window_days = _thresholds(alert)["sore_knee_days"]
        sentences.append(said("planned.on_a_sore_knee", days=days, window_days=window_days))
    return [*sentences, said(f"study.{planned['spike_bin']}"), *_study_of_pain(alert)]


def _before_the_run(alert: Alert, units: Units) -> list[str]:
    planned = _part(alert, "planned") or {}
    if alert.pain_level in ("P3", "R"):
        return [said("action.stop")]
    name = "action.ahead_race" if planned["session"] == RACE_SESSION else "action.ahead"
    name = name if alert.pain_level is None else "action.ahead_on_a_sore_knee"
    longest_m, no_spike_m = planned["longest_30d_m"], planned["longest_without_spike_m"]
    return [said(name, longest=units.distance(longest_m), no_spike=units.distance(no_spike_m))]


def _gap_in_strength(alert: Alert, units: Units) -> list[str]:
    strength, report = _part(alert, "strength") or {}, _part(alert, "report")
    on = date.fromisoformat(strength["local_date"])
    sentences = [
        said(
            "strength_gap.since_the_last" if strength["session_id"] else "strength_gap.since_the_plan",
            weekday=_weekday(on),
            day=short_day(on),
            days=strength["days_ago"],
            limit=_thresholds(alert)["gap_days"],
        )
    ]
    if report is not None:
        sentences.append(
            said(
                "strength_gap.pain" if report["peak"] else "strength_gap.signs",
                window_days=_thresholds(alert)["pain_days"],
                score=score(report["peak"]),
                day=_short(report["local_date"]),
            )
        )
    spikes = _list(alert.evidence, "spikes")
    return [*sentences, *_spikes(spikes, units), said("study.strength"), *_study(spikes)]


def _strength_to_consider(alert: Alert, units: Units) -> list[str]:
    return [said("action.strength")]


def _no_report(alert: Alert, units: Units) -> list[str]:
    spikes, last = _list(alert.evidence, "spikes"), _part(alert, "last_report") or {}
    on = date.fromisoformat(last["local_date"])
    told = {"weekday": _weekday(on), "day": short_day(on), "days": last["days_ago"]}
    return [
        *_spikes(spikes, units),
        said("not_reported.since", days=alert.evidence["days_without_report"]),
        said("not_reported.last_report", **told),
        *_study(spikes),
    ]


def _question(alert: Alert, units: Units) -> list[str]:
    [spike] = _list(alert.evidence, "spikes")
    return [said("action.report", day=_weekday_and_day(date.fromisoformat(spike["local_date"])))]


Sentences = Callable[[Alert, Units], list[str]]
WORDS_OF: Mapping[str, tuple[Sentences, Sentences]] = {
    "planned_spike_ahead": (_what_is_planned, _before_the_run),
    "strength_gap": (_gap_in_strength, _strength_to_consider),
    "not_reported": (_no_report, _question),
}
"""What an alert of a rule says of what was seen, and what to consider; all others speak of spikes and pain."""


# Helpers ---------------------------------------------------------------------------------------------------


def _missing(alert: Alert) -> Sequence[str]:
    missing = alert.evidence["missing"]
    return [str(one) for one in missing] if isinstance(missing, list) else []


def _part(alert: Alert, name: str) -> Mapping[str, Any] | None:
    part = alert.evidence.get(name)
    return part if isinstance(part, Mapping) else None


def _thresholds(alert: Alert) -> Mapping[str, Any]:
    thresholds = alert.evidence["thresholds"]
    assert isinstance(thresholds, dict)
    return thresholds


def _list(evidence: Mapping[str, object], key: str) -> list[Mapping[str, Any]]:
    value = evidence[key]
    assert isinstance(value, list)
    return value


def _weekday_and_day(day: date) -> str:
    return said("calendar.weekday_and_day", weekday=_weekday(day), day=short_day(day))


def _weekday(day: date) -> str:
    return DAYS[day.weekday()]


def _short(iso: str | None) -> str:
    return short_day(date.fromisoformat(iso)) if iso else said("calendar.unknown_day")


def _side(side: str) -> str:
    return said(f"side.{side}")
