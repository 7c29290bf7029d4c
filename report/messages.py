"""What alerts say, in English: every sentence a runner gets about load and pain stands in this file."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from analytics.alerts import Alert
from report.format import DAYS, Units, number, percent, score, short_day

MEDICAL = "If pain is increasing or the knee swells, seek medical advice."
NO_DIAGNOSIS = "This does not show what is wrong with the knee."

# Rate ratios of Schuster Brandt Frandsen et al. 2025 (adjusted, against runs up to 10 % beyond the longest).
STUDY = {
    "small": "runs more than 10 % and up to 30 % beyond the 30-day longest went with more overuse injuries (rate ratio 1.64, 1.31–2.05)",
    "moderate": "runs more than 30 % and up to 100 % beyond the 30-day longest went with more overuse injuries (rate ratio 1.52, 1.16–2.00)",
    "large": "runs more than twice the 30-day longest went with more overuse injuries (rate ratio 2.28, 1.50–3.48)",
}
STUDY_NAME = "In a study of 5,205 runners (Schuster Brandt Frandsen 2025)"

ACTIONS = {
    "info": "Consider keeping the next runs no longer than {longest}, and note how the knee felt, also when nothing hurts.",
    "caution": "Consider repeating the last comfortable distance, on the flat, before going further.",
    "warning": (
        "Consider no run above {longest}; rather shorter and more often, no downhill. Stop when pain goes above 2/10, "
        "and look again after 60 minutes and tomorrow morning."
    ),
    "stop": "Consider not running until pain is at most 2/10 in daily life and somebody has looked at the knee.",
}
SAME_DAY = "What you noted should be looked at today: seek medical advice the same day."
SOON = "Seek medical advice soon."

FLAG_WORDS = {
    "swelling": "swelling",
    "locking": "locking",
    "giving_way": "giving way",
    "cannot_bear_weight": "that it cannot bear weight",
    "deformity": "a changed shape",
    "hot_red_fever": "a hot, red knee or fever",
    "night_or_rest_pain": "pain at night or at rest",
    "trauma_pop": "a blow or a pop",
    "numbness": "numbness",
    "hyperextension": "hyperextension",
}


def alert_words(alert: Alert, units: Units) -> tuple[str, str]:
    """Return (message, action) of an alert: both numbers, the dates, the order, the source and what is missing."""
    return _message(alert, units), _action(alert, units)


def _message(alert: Alert, units: Units) -> str:
    spikes = _list(alert.evidence, "spikes")
    sentences = [sentence for spike in spikes for sentence in _spike(spike, units)]
    pain: Mapping[str, Any] | None = alert.evidence.get("pain")  # type: ignore[assignment]
    if pain is None:
        sentences.append("No knee pain was reported; a missing report is not a report of no pain.")
    else:
        sentences += _pain(pain, alert.side or "")
    sentences += _order(alert, spikes)
    sentences += _study(spikes)
    if missing := _missing(alert):
        sentences.append(f"Missing: {', '.join(missing)}.")
    return " ".join([*sentences, NO_DIAGNOSIS, MEDICAL])


def _action(alert: Alert, units: Units) -> str:
    longest = [float(s["longest_30d_m"]) for s in _list(alert.evidence, "spikes") if s.get("longest_30d_m")]
    words = ACTIONS[alert.severity].format(
        longest=units.distance(max(longest)) if longest else "your usual distance"
    )
    if alert.is_medical:
        words = f"{SAME_DAY if alert.urgency == 'same_day' else SOON} {words}"
    return f"{words} {MEDICAL}"


def _spike(spike: Mapping[str, Any], units: Units) -> list[str]:
    sentences = []
    day = date.fromisoformat(spike["local_date"])
    if spike["spike_bin"] in STUDY:
        sentences.append(
            f"{_weekday(day)}'s run ({short_day(day)}) was {units.distance(spike['distance_m'])}. Your longest in the 30 days "
            f"before was {units.distance(spike['longest_30d_m'])} ({_short(spike['longest_30d_date'])}), so "
            f"{percent(spike['spike_ratio'], signed=True, digits=1)}."
        )
    if spike["week_m"] is not None:
        sentences.append(
            f"The 7 days up to {_weekday(day)} {short_day(day)} came to {units.distance(spike['week_m'])}, the 7 days before to "
            f"{units.distance(spike['week_before_m'])}, so {percent(spike['week_m'] / spike['week_before_m'] - 1, signed=True)}."
        )
    if spike["descent_7d_m"] is not None:
        sentences.append(
            f"Downhill on steep grades the 7 days up to {_weekday(day)} {short_day(day)} came to {number(spike['descent_7d_m'])} m, "
            f"against a weekly mean of {number(spike['descent_mean_m'])} m in the three weeks before."
        )
    if spike["is_provisional"]:
        sentences.append("The running history is shorter than four weeks, so this is provisional.")
    return sentences


def _pain(pain: Mapping[str, Any], side: str) -> list[str]:
    day = date.fromisoformat(pain["local_date"])
    noted = [words for words in (_scores(pain), _flags(pain["flags"])) if words]
    sentences = [
        f"On {_weekday(day)} ({short_day(day)}) you noted {side}-knee {' and '.join(noted) or 'pain that changed how you ran'}."
    ]
    if pain["changed_gait"] and noted:
        sentences.append("It changed how you ran, or stopped the run.")
    if pain["is_rising"]:
        earlier = ", ".join(
            f"{score(one['peak'])}/10 on {_short(one['local_date'])}"
            for one in pain["earlier"]
            if one["peak"] is not None
        )
        sentences.append(f"The scores before were {earlier}: pain is rising.")
    if pain["days_at_p2_or_more"] >= 14:
        sentences.append(f"It has not come down for {pain['days_at_p2_or_more']} days.")
    return sentences


def _scores(pain: Mapping[str, Any]) -> str:
    told = [
        f"{score(pain[key])}/10 {when}"
        for key, when in (
            ("before", "before"),
            ("during", "during the run"),
            ("after_60min", "after an hour"),
            ("next_morning", "on the next morning"),
        )
        if pain[key] is not None
    ]
    return f"pain {', '.join(told)}" if told else ""


def _flags(flags: Sequence[str]) -> str:
    return ", ".join(FLAG_WORDS.get(flag, flag) for flag in flags)


def _order(alert: Alert, spikes: Sequence[Mapping[str, Any]]) -> list[str]:
    if alert.order_of_events is None:
        return []
    newest = spikes[-1]
    if alert.order_of_events == "spike on a sore knee":
        return ["The knee was sore before the load rose."]
    days = int(newest["days_before"])
    when = "on the same day as" if days == 0 else "a day after" if days == 1 else f"{days} days after"
    return [f"The pain was noted {when} the load rose, within the {newest['window_days']} days looked at."]


def _study(spikes: Sequence[Mapping[str, Any]]) -> list[str]:
    bins = [spike["spike_bin"] for spike in spikes if spike["spike_bin"] in STUDY]
    return [f"{STUDY_NAME} {STUDY[bins[-1]]}."] if bins else []


def _missing(alert: Alert) -> Sequence[str]:
    missing = alert.evidence["missing"]
    return [str(one) for one in missing] if isinstance(missing, list) else []


def _list(evidence: Mapping[str, object], key: str) -> list[Mapping[str, Any]]:
    value = evidence[key]
    assert isinstance(value, list)
    return value


def _weekday(day: date) -> str:
    return DAYS[day.weekday()]


def _short(iso: str | None) -> str:
    return short_day(date.fromisoformat(iso)) if iso else "date unknown"
