"""The words of alerts: what every message says, and what none may ever say."""

import importlib.util
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.alerts import find_alerts
from analytics.pain import LASTING_PAIN_DAYS
from analytics.rules import PUBLISHED, Rules
from ingest.logs import FLAGS
from report.format import Units, number, percent, score, short_day
from report.messages import alert_words
from report.words import said, words

HERE = Path(__file__).parent
SPEC = importlib.util.spec_from_file_location("naive_alerts", HERE / "naive_alerts.py")
naive = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(naive)
Note, Run = naive.Note, naive.Run

MEDICAL, NO_DIAGNOSIS = said("always.medical"), said("always.no_diagnosis")
KM, MILES = Units("km"), Units("miles")
STEADY = tuple(Run(day, 7.5, 12_000, 0) for day in range(42) if day % 7 in (0, 2, 4))
SPIKE = Run(44, 7.5, 13_500, 0)  # +12.5 %
RAMP = tuple(Run(day, 7.5, 12_000, 0) for day in (42, 43, 44, 46))
HILLS = Run(44, 7.5, 12_000, 150)
NEVER = re.compile(
    r"\byou have\b|\binjury risk\b|\brisk\b|\bsafe|\bdiagnos|\bunsafe\b|None|nan\b|[{}\[\]]|  |\.\.|–/10| –[ ,.]",
    re.IGNORECASE,
)
SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z])")

histories = st.integers(0, 2**32 - 1).map(naive.random_history)


def alerts_of(history, rules=PUBLISHED):
    runs, daily = naive.frames_of(history.runs, history.today)
    reports = naive.reports_of(history.notes)
    return find_alerts(runs, daily, reports, athlete="me", today=naive.date_of(history.today), rules=rules)


def words_after(*notes, runs=(*STEADY, SPIKE), units=KM, rules=PUBLISHED):
    """Message and action of the last alert of six steady weeks, what came after them and what was noted."""
    return alert_words(alerts_of(naive.History(tuple(runs), notes, 80), rules)[-1], units)


def note(day, during=None, *, hour=20.0, side="right", **noted):
    return Note(day, hour, side, during=during, **noted)


def short(iso):
    return short_day(date.fromisoformat(iso))


def wanted_of_load(spike, units):
    """Both numbers, the dates and the source of what one spike rests on."""
    wanted = []
    if spike["spike_bin"] in ("small", "moderate", "large"):
        wanted += [units.distance(spike["distance_m"]), units.distance(spike["longest_30d_m"])]
        wanted += [short(spike["local_date"]), short(spike["longest_30d_date"]), "30 days before"]
        wanted += [
            percent(spike["spike_ratio"], signed=True, digits=1),
            "Schuster Brandt Frandsen 2025",
            "rate ratio",
        ]
    if spike["week_m"] is not None:
        wanted += [units.distance(spike["week_m"]), units.distance(spike["week_before_m"])]
        wanted += ["The 7 days up to", short(spike["local_date"]), "Damsted 2019"]
    if spike["descent_7d_m"] is not None:
        wanted += [f"{number(spike['descent_7d_m'])} m", f"{number(spike['descent_mean_m'])} m a week"]
        wanted += ["The 7 days up to", short(spike["local_date"]), "Van Hooren 2024"]
    return wanted


def wanted_of_pain(alert):
    """The scores, the day and the source of a report, and why it is more than its score."""
    pain = alert.evidence["pain"]
    wanted = [
        short(pain["local_date"]),
        f"{alert.side}",
        "NHS" if alert.pain_level == "R" else "Esculier 2018",
    ]
    for key in ("before", "during", "after_60min", "next_morning"):
        wanted += [f"{score(pain[key])}/10"] if pain[key] is not None else []
    wanted += [said(f"flags.{flag}") for flag in pain["flags"]]
    wanted += ["changed how you ran"] if pain["changed_gait"] else []
    wanted += ["had not settled"] if not pain["is_settled"] else []
    wanted += ["the pain is rising"] if pain["is_rising"] else []
    days = pain["days_at_p2_or_more"]
    return wanted + ([f"For {days} days"] if days >= LASTING_PAIN_DAYS else [])


def wanted_of_order(alert):
    """What came first, and the window in which it counts."""
    spikes = alert.evidence["spikes"]
    if alert.side is None:
        return [f"in the {spikes[-1]['window_days']} days after"]
    if not spikes:
        return [] if alert.load_level is None else ["In the 14 days before it (21 for the weekly distance)"]
    order = {"pain after spike": "This was noted", "spike on a sore knee": "sore"}[alert.order_of_events]
    return [order, "load rose", "days looked at"]


@settings(deadline=None, max_examples=80)
@given(histories, st.sampled_from((KM, MILES)))
def test_every_message_keeps_the_rules(history, units):
    """Both numbers, dates, window, order, source and what is missing; the line on medical advice; in one unit."""
    for alert in alerts_of(history):
        message, action = alert_words(alert, units)
        missing = [said(f"missing.{one}") for one in alert.evidence["missing"]]
        wanted = [NO_DIAGNOSIS, *missing, *wanted_of_order(alert)]
        for spike in alert.evidence["spikes"]:
            wanted += wanted_of_load(spike, units)
        wanted += wanted_of_pain(alert) if alert.side else ["a missing report is not a report of no pain"]
        if alert.side is None and alert.evidence["painless"]:
            wanted[-1] = "You noted no pain in"

        assert [words for words in wanted if words not in message] == []
        assert message.endswith(MEDICAL)
        assert action.endswith(MEDICAL)


@settings(deadline=None, max_examples=80)
@given(histories, st.sampled_from((KM, MILES)))
def test_no_message_says_what_must_not_be_said(history, units):
    """No verdict, no risk, nothing safe, no leftovers of the program; the other unit does not slip in."""
    other = re.compile(r"\d (mi|min/mi)\b" if units is KM else r"\d (km|min/km)\b")
    for alert in alerts_of(history):
        for text in alert_words(alert, units):
            assert NEVER.findall(text) == []
            assert other.findall(text) == []
            assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in SENTENCE.split(text))
            assert len(set(SENTENCE.split(text))) == len(SENTENCE.split(text))


@settings(deadline=None, max_examples=40)
@given(histories)
def test_medical_alerts_ask_to_seek_advice_and_how_soon(history):
    """Today or soon, before anything else."""
    first = {
        "same_day": "What you noted should be looked at today",
        "soon": "Seek medical advice soon.",
        None: "Consider",
    }
    for alert in alerts_of(history):
        assert alert_words(alert, KM)[1].startswith(first[alert.urgency])


def test_a_small_spike_and_pain_read_like_this():
    """The sentence that the rules were written for."""
    message, action = words_after(note(46, 3, after=2, morning=0))

    assert message == (
        "Wednesday's run (18 Feb) was 13.5 km. Your longest in the 30 days before was 12.0 km (13 Feb), so +12.5 %. "
        "On Friday (20 Feb) you noted right-knee pain 3/10 during the run, 2/10 after an hour, 0/10 on the next morning. "
        "It had not settled to where it was before the run. "
        "This was noted 2 days after the load rose (18 Feb), within the 14 days looked at. "
        "In a study of 5,205 runners (Schuster Brandt Frandsen 2025) runs more than 10 % and up to 30 % beyond the "
        "30-day longest went with more overuse injuries (rate ratio 1.64, 1.31–2.05). "
        "The limit of 2/10, settled after an hour and on the next morning, is that of Esculier 2018 for runners' knees. "
        "This does not show what is wrong with the knee. "
        "If pain is increasing or the knee swells, seek medical advice."
    )
    assert action == (
        "Consider no run above 12.0 km; rather shorter and more often, no downhill. Stop when pain goes above 2/10, and "
        "look again after 60 minutes and tomorrow morning. If pain is increasing or the knee swells, seek medical advice."
    )


def test_the_same_in_miles():
    """All distances, and no others."""
    message, action = words_after(note(46, 3), units=MILES)

    assert "was 8.4 mi. Your longest in the 30 days before was 7.5 mi (13 Feb), so +12.5 %." in message
    assert "no run above 7.5 mi" in action


def test_a_ramp_alone_reads_like_this():
    """Two weeks, their distance, the study of half-marathon runners, and three weeks to watch."""
    message, _ = words_after(runs=(*STEADY, *RAMP))

    assert message == (
        "The 7 days up to Tuesday 17 Feb came to 48.0 km, the 7 days before to 36.0 km, so +33 %. "
        "No knee pain was noted that day; a missing report is not a report of no pain. "
        "A report of pain in the 21 days after it will be read together with it. "
        "In a study of 261 runners before a half-marathon (Damsted 2019), a week 20 to 60 % above the one before went "
        "with more injuries after three weeks, and no longer after eight. "
        "Missing: a report on how the knees felt. "
        "This does not show what is wrong with the knee. "
        "If pain is increasing or the knee swells, seek medical advice."
    )


def test_much_downhill_reads_like_this():
    """Metres of the week and of the weeks before, and whose limit it is."""
    message, _ = words_after(runs=(*STEADY, HILLS))

    assert message.startswith(
        "The 7 days up to Wednesday 18 Feb held 150 m down steep grades, against 0 m a week in the three weeks before."
    )
    assert "Van Hooren 2024, 19 runners); the limit of half as much again is our own." in message
    assert "A report of pain in the 14 days after it will be read together with it." in message


@pytest.mark.parametrize(
    ("sides", "sentence"),
    [
        ((), "No knee pain was noted that day; a missing report is not a report of no pain."),
        (("left",), "You noted no pain in the left knee that day."),
        (("both",), "You noted no pain in either knee that day."),
        (("left", "right"), "You noted no pain in either knee that day."),
    ],
)
def test_no_pain_noted_is_told_from_nothing_noted(sides, sentence):
    """Silence is never taken for no pain, and no pain is not called missing."""
    message, _ = words_after(*(note(44, 0, side=side) for side in sides))

    assert sentence in message
    assert ("the left knee felt" in message or "the knees felt" in message) == (not sides)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ([note(46, 3)], "This was noted 2 days after the load rose (18 Feb), within the 14 days looked at."),
        (
            [note(44, 3)],
            "This was noted on the same day as the load rose (18 Feb), within the 14 days looked at.",
        ),
        ([note(45, 3)], "This was noted a day after the load rose (18 Feb), within the 14 days looked at."),
        (
            [note(41, 1)],
            "The load rose 3 days after this report, on a sore knee, within the 7 days looked at.",
        ),
        (
            [note(41, 1), note(47, 2, after=1)],
            "The knee was sore before the load rose; this was noted 3 days after the load rose (18 Feb), "
            "within the 14 days looked at.",
        ),
        (
            [note(41, 1), note(59, 6)],
            "In the 14 days before it (21 for the weekly distance) no rise in load stood out.",
        ),
    ],
)
def test_what_came_first_is_told_with_the_days_between(told, sentence):
    """In both orders, and when there was no rise in load."""
    assert sentence in words_after(*told)[0]


def test_a_second_rise_is_told_apart_from_the_first():
    """The pain came between two long runs: after the one and before the other."""
    message, action = words_after(note(46, 3), runs=(*STEADY, SPIKE, Run(49, 7.5, 16_000, 0)))

    assert "This was noted 2 days after the load rose (18 Feb), within the 14 days looked at." in message
    assert "The load rose again 3 days after this report." in message
    assert "no run above 12.0 km" in action  # the longest before the load rose, not that of the first spike


def test_rising_pain_is_told_with_the_scores_before():
    """Each with its day."""
    message, action = words_after(note(30, 1), note(33, 2), note(36, 4), runs=STEADY)

    assert "In the 14 days before it was 1/10 on 4 Feb, 2/10 on 7 Feb: the pain is rising." in message
    assert action.startswith("Seek medical advice soon. Consider no run above your usual distance;")


def test_lasting_pain_is_told_with_its_days():
    """Against the limit that was set."""
    told = [note(day, 3) for day in (20, 27, 34)]

    assert (
        "For 14 days no report has had it back at 2/10 or less and settled."
        in words_after(*told, runs=STEADY)[0]
    )
    assert (
        "For 14 days no report has had it back at 1/10 or less and settled."
        in words_after(*told, runs=STEADY, rules=Rules(pain_p1_max=1))[0]
    )


def test_the_windows_that_were_set_are_told():
    """Ten days and twelve."""
    rules = Rules(spike_window_days=10, ramp_window_days=12)

    assert "within the 10 days looked at" in words_after(note(46, 3), rules=rules)[0]
    assert (
        "In the 10 days before it (12 for the weekly distance) no rise"
        in words_after(note(55, 3), rules=rules)[0]
    )


@pytest.mark.parametrize(
    ("told", "sentences"),
    [
        (note(30, flags=("locking",)), "On Wednesday (4 Feb) you noted of the right knee: locking."),
        (
            note(30, 2, flags=("swelling", "trauma_pop")),
            "On Wednesday (4 Feb) you noted right-knee pain 2/10 during the run. You also noted: swelling, a blow or a pop.",
        ),
        (
            note(30, gait=True),
            "On Wednesday (4 Feb) you noted of the right knee: pain that changed how you ran or stopped the run.",
        ),
        (
            note(30, 2.5, gait=True),
            "On Wednesday (4 Feb) you noted right-knee pain 2.5/10 during the run. It changed how you ran or stopped the run.",
        ),
    ],
)
def test_reports_are_told_as_they_were_noted(told, sentences):
    """Scores, flags and gait, alone and together."""
    assert sentences in words_after(told, runs=STEADY)[0]


def test_a_short_history_is_called_provisional():
    """Between two and four weeks, once."""
    message, _ = words_after(runs=(*STEADY[:8], Run(18, 7.5, 14_000, 0)))

    assert message.count("The running history is shorter than four weeks, so this is provisional.") == 1


def test_unknown_load_is_called_missing():
    """Pain in the first two weeks."""
    message, _ = words_after(note(5, 4), runs=STEADY[:2])

    assert (
        "Missing: the score an hour after, the score on the next morning, enough running in the weeks before"
        in message
    )


def test_every_flag_has_words():
    """Those that the log takes are those that messages can say."""
    assert set(words()["flags"]) == set(FLAGS)
