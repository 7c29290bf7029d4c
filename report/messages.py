"""What alerts and reminders say about load and pain: which sentences of words.en.toml, and with which numbers."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from analytics.alerts import SORE_KNEE_DAYS, Alert
from analytics.pain import LASTING_PAIN_DAYS
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
        day=said(
            "calendar.weekday_and_day",
            weekday=_weekday(reminder.local_date),
            day=short_day(reminder.local_date),
        ),
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
    return _message(alert, units), _action(alert, units)


def _message(alert: Alert, units: Units) -> str:
    spikes = _list(alert.evidence, "spikes")
    sentences = [sentence for spike in spikes for sentence in _spike(spike, units)]
    if any(spike["is_provisional"] for spike in spikes):
        sentences.append(said("load.provisional"))
    pain: Mapping[str, Any] | None = alert.evidence.get("pain")  # type: ignore[assignment]
    if pain is None:
        sentences += _no_pain(alert, spikes)
    else:
        sentences += _pain(pain, alert.side or "", _thresholds(alert)["pain_p1_max"])
        sentences += _order(alert, spikes, pain)
    sentences += _study(spikes)
    if pain is not None:
        sentences.append(said("study.flags" if alert.pain_level == "R" else "study.pain"))
    if missing := _missing(alert):
        sentences.append(said("always.missing", missing=", ".join(missing)))
    return " ".join([*sentences, said("always.no_diagnosis"), said("always.medical")])


def _action(alert: Alert, units: Units) -> str:
    # the longest before the first of several spikes: what came before the load rose
    longest = [float(s["longest_30d_m"]) for s in _list(alert.evidence, "spikes") if s.get("longest_30d_m")]
    usual = units.distance(min(longest)) if longest else said("action.usual_distance")
    sentences = [said(f"action.{alert.severity}", longest=usual), said("always.medical")]
    if alert.is_medical:
        sentences.insert(0, said(f"action.{alert.urgency}"))
    return " ".join(sentences)


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
    return sentences


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
    apart = _after(rose[-1][0], noted_on)
    if not before:
        return [said("order.spike_on_a_sore_knee", after=apart, window_days=SORE_KNEE_DAYS)]
    is_sore = alert.order_of_events == "spike on a sore knee"
    day, window_days = before[-1]
    noted = said(
        "order.sore_before_spike" if is_sore else "order.pain_after_spike",
        after=_after(noted_on, day),
        day=short_day(day),
        window_days=window_days,
    )
    return [noted, said("order.again", after=apart)] if len(before) < len(rose) else [noted]


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


def _missing(alert: Alert) -> Sequence[str]:
    missing = alert.evidence["missing"]
    return [str(one) for one in missing] if isinstance(missing, list) else []


def _thresholds(alert: Alert) -> Mapping[str, Any]:
    thresholds = alert.evidence["thresholds"]
    assert isinstance(thresholds, dict)
    return thresholds


def _list(evidence: Mapping[str, object], key: str) -> list[Mapping[str, Any]]:
    value = evidence[key]
    assert isinstance(value, list)
    return value


def _weekday(day: date) -> str:
    return DAYS[day.weekday()]


def _short(iso: str | None) -> str:
    return short_day(date.fromisoformat(iso)) if iso else said("calendar.unknown_day")


def _side(side: str) -> str:
    return said(f"side.{side}")
