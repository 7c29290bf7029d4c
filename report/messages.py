"""What alerts and reminders say, in English: every sentence a runner gets about load and pain stands in this file."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from analytics.alerts import SORE_KNEE_DAYS, Alert
from analytics.pain import LASTING_PAIN_DAYS
from analytics.reminders import Reminder
from report.format import DAYS, Units, number, percent, score, short_day

MEDICAL = "If pain is increasing or the knee swells, seek medical advice."
ID_LETTERS = 12
NO_DIAGNOSIS = "This does not show what is wrong with the knee."

# Rate ratios of Schuster Brandt Frandsen et al. 2025 (adjusted, against runs up to 10 % beyond the longest).
STUDY = {
    "small": "runs more than 10 % and up to 30 % beyond the 30-day longest went with more overuse injuries (rate ratio 1.64, 1.31–2.05)",
    "moderate": "runs more than 30 % and up to 100 % beyond the 30-day longest went with more overuse injuries (rate ratio 1.52, 1.16–2.00)",
    "large": "runs more than twice the 30-day longest went with more overuse injuries (rate ratio 2.28, 1.50–3.48)",
}
STUDY_NAME = "In a study of 5,205 runners (Schuster Brandt Frandsen 2025)"
RAMP_STUDY = (
    "In a study of 261 runners before a half-marathon (Damsted 2019), a week 20 to 60 % above the one before went with "
    "more injuries after three weeks, and no longer after eight."
)
DOWNHILL_STUDY = (
    "On a treadmill the load on the kneecap was higher downhill than on the flat (Van Hooren 2024, 19 runners); the "
    "limit of half as much again is our own."
)
PAIN_STUDY = "The limit of 2/10, settled after an hour and on the next morning, is that of Esculier 2018 for runners' knees."
FLAG_SOURCE = "Health services (NHS) ask to have such signs looked at, whatever the score."

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
    "cannot_bear_weight": "not being able to put weight on it",
    "deformity": "a changed shape",
    "hot_red_fever": "heat, redness or fever",
    "night_or_rest_pain": "pain at night or at rest",
    "trauma_pop": "a blow or a pop",
    "numbness": "numbness",
    "hyperextension": "hyperextension",
}


ASKED = {
    "after_60min": "How was the {side} knee an hour after the run of {day}, 0 to 10?",
    "next_morning": "How was the {side} knee on the morning after {day}, 0 to 10?",
    "report": "How were the knees on the run of {day}? A load spike is active and there is no report; that is not taken for no pain.",
    "words": "Of {day} you wrote “{words}”, which can be read in more than one way: which knee, and how much, 0 to 10?",
}
ANSWERS = {
    "after_60min": "kneewatch pain edit {id} --after-60min N",
    "next_morning": "kneewatch pain edit {id} --next-morning N",
    "report": "kneewatch pain add --date {date} --side SIDE --during N",
    "words": "kneewatch pain add --date {date} --side {known_side} --during N",
}
LEAVE = "kneewatch pain dismiss {question_id}"
OPEN_QUESTIONS = "{count} open: kneewatch pain questions{whose}"
BOTH_KNEES_ASKED = {
    "after_60min": "How were both knees an hour after the run of {day}, 0 to 10?",
    "next_morning": "How were both knees on the morning after {day}, 0 to 10?",
}


def reminder_words(reminder: Reminder) -> tuple[str, str]:
    """Return (question, command that answers it) of a reminder."""
    is_of_both = reminder.side == "both" and reminder.asks in BOTH_KNEES_ASKED
    asked = (BOTH_KNEES_ASKED if is_of_both else ASKED)[reminder.asks]
    told = {
        "side": reminder.side,
        "known_side": reminder.side or "SIDE",
        "day": f"{DAYS[reminder.local_date.weekday()]} ({short_day(reminder.local_date)})",
        "date": reminder.local_date.isoformat(),
        "id": (reminder.report_id or "")[:ID_LETTERS],
        "words": reminder.words,
    }
    return asked.format(**told), ANSWERS[reminder.asks].format(**told)


def leaving_words(reminder: Reminder) -> str | None:
    """Return the command that leaves a question open for good; None where nobody has to."""
    return LEAVE.format(question_id=reminder.question_id[:ID_LETTERS]) if reminder.question_id else None


def open_questions_words(count: int, athlete: str | None) -> str:
    """Say how many questions are open; `athlete` is None for the one that commands speak of by themselves."""
    questions = f"{count} question{'' if count == 1 else 's'}"
    return OPEN_QUESTIONS.format(count=questions, whose=f" --athlete {athlete}" if athlete else "")


def alert_words(alert: Alert, units: Units) -> tuple[str, str]:
    """Return (message, action) of an alert: both numbers, the dates, the order, the source and what is missing."""
    return _message(alert, units), _action(alert, units)


def _message(alert: Alert, units: Units) -> str:
    spikes = _list(alert.evidence, "spikes")
    sentences = [sentence for spike in spikes for sentence in _spike(spike, units)]
    if any(spike["is_provisional"] for spike in spikes):
        sentences.append("The running history is shorter than four weeks, so this is provisional.")
    pain: Mapping[str, Any] | None = alert.evidence.get("pain")  # type: ignore[assignment]
    if pain is None:
        sentences += _no_pain(alert, spikes)
    else:
        sentences += _pain(pain, alert.side or "", _thresholds(alert)["pain_p1_max"])
        sentences += _order(alert, spikes, pain)
    sentences += _study(spikes)
    if pain is not None:
        sentences.append(FLAG_SOURCE if alert.pain_level == "R" else PAIN_STUDY)
    if missing := _missing(alert):
        sentences.append(f"Missing: {', '.join(missing)}.")
    return " ".join([*sentences, NO_DIAGNOSIS, MEDICAL])


def _action(alert: Alert, units: Units) -> str:
    # the longest before the first of several spikes: what came before the load rose
    longest = [float(s["longest_30d_m"]) for s in _list(alert.evidence, "spikes") if s.get("longest_30d_m")]
    words = ACTIONS[alert.severity].format(
        longest=units.distance(min(longest)) if longest else "your usual distance"
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
            f"The 7 days up to {_weekday(day)} {short_day(day)} held {number(spike['descent_7d_m'])} m down steep grades, "
            f"against {number(spike['descent_mean_m'])} m a week in the three weeks before."
        )
    return sentences


def _no_pain(alert: Alert, spikes: Sequence[Mapping[str, Any]]) -> list[str]:
    painless = _list(alert.evidence, "painless")
    sides = (
        {"left", "right"}
        if any(one["side"] == "both" for one in painless)
        else {one["side"] for one in painless}
    )
    noted = {
        0: "No knee pain was noted that day; a missing report is not a report of no pain.",
        1: f"You noted no pain in the {min(sides, default='')} knee that day.",
        2: "You noted no pain in either knee that day.",
    }
    days = spikes[-1]["window_days"]
    return [noted[len(sides)], f"A report of pain in the {days} days after it will be read together with it."]


def _pain(pain: Mapping[str, Any], side: str, p1_max: float) -> list[str]:
    day = date.fromisoformat(pain["local_date"])
    scores, flags = _scores(pain), _flags(pain["flags"])
    gait = "pain that changed how you ran or stopped the run"
    sentences = [
        f"On {_weekday(day)} ({short_day(day)}) you noted {side}-knee {scores}."
        if scores
        else f"On {_weekday(day)} ({short_day(day)}) you noted of the {side} knee: {flags or gait}."
    ]
    if scores and flags:
        sentences.append(f"You also noted: {flags}.")
    if pain["changed_gait"] and (scores or flags):
        sentences.append("It changed how you ran or stopped the run.")
    if not pain["is_settled"]:
        sentences.append("It had not settled to where it was before the run.")
    if pain["is_rising"]:
        earlier = ", ".join(
            f"{score(one['peak'])}/10 on {_short(one['local_date'])}"
            for one in pain["earlier"]
            if one["peak"] is not None
        )
        sentences.append(f"In the 14 days before it was {earlier}: the pain is rising.")
    if pain["days_at_p2_or_more"] >= LASTING_PAIN_DAYS:
        sentences.append(
            f"For {pain['days_at_p2_or_more']} days no report has had it back at {score(p1_max)}/10 or less and settled."
        )
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


def _order(alert: Alert, spikes: Sequence[Mapping[str, Any]], pain: Mapping[str, Any]) -> list[str]:
    """Say what came first and how far apart, and within which window it counts."""
    if not spikes:
        return _no_spike(alert)
    noted_on = date.fromisoformat(pain["local_date"])
    rose = [(date.fromisoformat(spike["local_date"]), spike["window_days"]) for spike in spikes]
    before = [(day, window_days) for day, window_days in rose if day <= noted_on]
    apart = _after(rose[-1][0], noted_on)
    if not before:
        return [
            f"The load rose {apart} this report, on a sore knee, within the {SORE_KNEE_DAYS} days looked at."
        ]
    is_sore = alert.order_of_events == "spike on a sore knee"
    first = "The knee was sore before the load rose; this" if is_sore else "This"
    day, window_days = before[-1]
    after = f"{_after(noted_on, day)} the load rose ({short_day(day)})"
    again = [f"The load rose again {apart} this report."] if len(before) < len(rose) else []
    return [f"{first} was noted {after}, within the {window_days} days looked at.", *again]


def _no_spike(alert: Alert) -> list[str]:
    if alert.load_level is None:
        return []
    spike_days, ramp_days = _thresholds(alert)["windows_days"]
    return [
        f"In the {spike_days} days before it ({ramp_days} for the weekly distance) no rise in load stood out."
    ]


def _after(later: date, earlier: date) -> str:
    days = (later - earlier).days
    return "on the same day as" if days == 0 else "a day after" if days == 1 else f"{days} days after"


def _study(spikes: Sequence[Mapping[str, Any]]) -> list[str]:
    bins = [spike["spike_bin"] for spike in spikes if spike["spike_bin"] in STUDY]
    studies = [f"{STUDY_NAME} {STUDY[bins[-1]]}."] if bins else []
    if any(spike["week_m"] is not None for spike in spikes):
        studies.append(RAMP_STUDY)
    if any(spike["descent_7d_m"] is not None for spike in spikes):
        studies.append(DOWNHILL_STUDY)
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
    return short_day(date.fromisoformat(iso)) if iso else "date unknown"
