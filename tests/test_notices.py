"""Alerts that look ahead or ask: what raises them, what ends them, and who is left alone."""

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.alerts import SEVERITIES, find_alerts
from analytics.notices import RULES, StrengthDone, find_notices
from analytics.plan import PLAN_SESSIONS, dated
from analytics.rules import PUBLISHED, Rules
from analytics.spikes import find_spikes
from ingest.plans import read_plan
from tests import naive_alerts as naive
from tests.naive_alerts import History, Note, Run

STEADY = tuple(Run(day, 7.5, 10_000, 0) for day in range(56) if day % 7 in (0, 2, 4))
RACE_DAY = 139
PLANS = ("half_marathon_beginner", "half_marathon_intermediate")
histories = st.integers(0, 2**32 - 1).map(naive.random_history)


def note(day, during=None, *, hour=20.0, side="right", **noted):
    return Note(day, hour, side, during=during, **noted)


def sessions_on(*planned):
    """A plan of (day, session, metres)."""
    rows = [
        {
            "plan": "own",
            "week": 1 + day // 7,
            "local_date": naive.date_of(day),
            "session": session,
            "distance_m": metres,
        }
        for day, session, metres in planned
    ]
    return pl.DataFrame(rows, schema={name: PLAN_SESSIONS[name] for name in rows[0]}) if rows else NO_PLAN


NO_PLAN = PLAN_SESSIONS.to_frame()


def notices_of(history, *, plan=(), strength=(), today=None, since=None, rules=PUBLISHED, athlete="me"):
    """What is found of a history, a plan of (day, session, metres) and days of strength work."""
    runs, daily = naive.frames_of(history.runs, history.today)
    reports = naive.reports_of(history.notes)
    today = naive.date_of(history.today if today is None else today)
    return find_notices(
        runs,
        find_spikes(runs, daily, rules),
        reports,
        find_alerts(runs, daily, reports, athlete=athlete, today=today, rules=rules),
        sessions=plan if isinstance(plan, pl.DataFrame) else sessions_on(*plan),
        planned_since=None if since is None else naive.date_of(since),
        strength=[StrengthDone(naive.date_of(day), f"strength of day {day}") for day in strength],
        athlete=athlete,
        today=today,
        rules=rules,
    )


def told(alerts, rule):
    """Day, severity, knee, and the day on which it ended, of the alerts of a rule."""
    return [
        (naive_day(a.local_date), a.severity, a.side, a.cleared_on and naive_day(a.cleared_on))
        for a in alerts
        if a.rule == rule
    ]


def naive_day(day):
    return (day - naive.DAY_0).days


# A spike that the plan holds -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metres", "notes", "expected"),
    [
        (11_000, (), []),
        (12_000, (), [(57, "info", None, None)]),
        (14_000, (), [(57, "caution", None, None)]),
        (21_000, (), [(57, "caution", None, None)]),
        (11_000, (note(55, 2),), []),
        (12_000, (note(55, 1),), [(57, "caution", "right", None)]),
        (14_000, (note(55, 1),), [(57, "warning", "right", None)]),
        (21_000, (note(55, 7, flags=("locking",)),), [(57, "warning", "right", None)]),
        (12_000, (note(55, 0),), [(57, "info", None, None)]),
        (12_000, (note(50, 1),), [(57, "caution", "right", None)]),
        (12_000, (note(49, 1),), [(57, "info", None, None)]),
        (12_000, (note(53, 1), note(54, 3, side="left")), [(57, "caution", "left", None)]),
        (12_000, (note(53, 2), note(56, 0)), [(57, "info", None, None)]),
        # a knee that gets sore while the run lies ahead makes it graver, and ends what was said before
        (12_000, (note(58, 2),), [(57, "info", None, 58), (58, "caution", "right", None)]),
    ],
)
def test_a_planned_spike_is_told_three_days_before(metres, notes, expected):
    """Graver for a longer run and for a sore knee, and never above a warning."""
    history = History(STEADY, notes, 59)

    assert told(notices_of(history, plan=[(60, "long", metres)]), "planned_spike_ahead") == expected


@pytest.mark.parametrize(
    ("today", "more_runs", "plan", "expected"),
    [
        (56, (), [(60, "long", 12_000)], []),
        (57, (), [(60, "long", 12_000)], [(57, "info", None, None)]),
        (60, (), [(60, "long", 12_000)], [(57, "info", None, None)]),
        (60, (Run(60, 7.5, 12_000, 0),), [(60, "long", 12_000)], [(57, "info", None, 60)]),
        (61, (), [(60, "long", 12_000)], [(57, "info", None, 61)]),
        (59, (Run(59, 7.5, 11_500, 0),), [(60, "long", 12_000)], [(57, "info", None, 59)]),
        (59, (), [(60, "long", 11_000)], []),
        (59, (), [(62, "long", 12_000)], [(59, "info", None, None)]),
        (59, (), [(60, "rest", 0.0), (60, "strength", None)], []),
        # what is planned on the days between counts as run by then
        (57, (), [(58, "easy", 11_000), (60, "long", 12_000)], []),
    ],
)
def test_a_planned_spike_ends_when_it_is_run_changed_or_past(today, more_runs, plan, expected):
    """What the plan no longer holds is not found any more, and so is withdrawn."""
    history = History((*STEADY, *more_runs), (), 61)

    assert told(notices_of(history, plan=plan, today=today), "planned_spike_ahead") == expected


def test_a_planned_spike_needs_two_weeks_of_history_and_a_plan_that_counts():
    """A plan chosen today says nothing of the days before, nor has the first fortnight anything to compare with."""
    short = History(STEADY[:3], (), 9)

    assert notices_of(short, plan=[(10, "long", 20_000)]) == []
    found = notices_of(History(STEADY, (), 59), plan=[(60, "long", 12_000)], since=59)
    assert told(found, "planned_spike_ahead") == [(59, "info", None, None)]


def test_how_far_ahead_is_looked_can_be_set():
    """A week."""
    found = notices_of(
        History(STEADY, (), 59), plan=[(60, "long", 12_000)], rules=Rules(planned_ahead_days=7)
    )

    assert told(found, "planned_spike_ahead") == [(53, "info", None, None)]


def plan_runs(name, share):
    """Four weeks as the plan's entry asks, and its runs as planned times a share."""
    entry = {"half_marathon_beginner": (4_200, 4_500, 3_500, 7_800)}.get(name, (6_000, 6_000, 3_500, 10_000))
    before = [Run(7 * week + day, 7.5, m * share, 0) for week in range(4) for day, m in zip((1, 3, 5, 6), entry, strict=True)]  # fmt: skip
    sessions = dated(read_plan(name), name=name, race_date=naive.date_of(RACE_DAY))
    rows = sessions.filter(pl.col("distance_m") > 0).select("local_date", "distance_m").iter_rows()
    return sessions, (*before, *(Run(naive_day(day), 7.5, m * share, 0) for day, m in rows))


@pytest.mark.parametrize("share", [1.0, 1.004, 0.996])
@pytest.mark.parametrize("name", PLANS)
def test_who_follows_a_plan_without_pain_is_left_alone(name, share):
    """No notice on any day up to a week after the race: with strength work as planned, with none, and with reports of no pain."""
    sessions, runs = plan_runs(name, share)
    painless = tuple(note(run.day, 0, after=0, morning=0, side="both") for run in runs)
    strength = [naive_day(day) for day in sessions.filter(pl.col("session") == "strength")["local_date"]]

    for notes in ((), painless):
        for days in ((), strength, strength[:9]):
            history = History(runs, notes, RACE_DAY + 7)
            assert notices_of(history, plan=sessions, strength=days) == []
    for today in range(28, RACE_DAY + 1, 9):  # with runs ahead that are not done yet
        so_far = History(tuple(run for run in runs if run.day <= today), (), today)
        assert notices_of(so_far, plan=sessions, strength=strength) == []


# A gap in strength work ------------------------------------------------------------------------------------

SPIKE = Run(58, 7.5, 12_000, 0)
PLANNED = ((20, "strength", None), (27, "strength", None))


@pytest.mark.parametrize(
    ("strength", "runs", "notes", "plan", "expected"),
    [
        ((10, 40), STEADY, (note(50, 1),), (), [(54, "info", None, None)]),
        ((10, 41), STEADY, (note(50, 1),), (), [(55, "info", None, None)]),
        ((46,), STEADY, (note(50, 1),), (), [(60, "info", None, None)]),
        ((47,), STEADY, (note(50, 1),), (), []),
        ((40,), STEADY, (), (), []),
        ((40,), STEADY, (note(50, 0),), (), []),
        ((30,), STEADY, (note(28, 1),), (), [(44, "info", None, 57)]),
        ((40,), (*STEADY, SPIKE), (), (), [(58, "info", None, None)]),
        ((40, 59), (*STEADY, SPIKE), (), (), [(58, "info", None, 59)]),
        # never any: only of a sore knee, and only where the plan holds it
        ((), (*STEADY, SPIKE), (), PLANNED, []),
        ((), STEADY, (note(50, 1),), PLANNED, [(50, "info", None, None)]),
        ((), STEADY, (note(50, 1),), (), []),
        # where training stops the advice is another
        ((40,), STEADY, (note(50, 7),), (), []),
        ((40,), STEADY, (note(50, 1, flags=("swelling",)),), (), []),
        ((40,), STEADY, (note(50, 1), note(57, 8)), (), [(54, "info", None, 57)]),
        # nor in race week
        ((40,), STEADY, (note(50, 1),), ((60, "race", 10_000.0),), []),
    ],
)
def test_a_gap_in_strength_work_is_told_once(strength, runs, notes, plan, expected):
    """Where the knee was a subject or the load rose, and by who does such work or plans to."""
    found = notices_of(History(tuple(runs), notes, 60), strength=strength, plan=plan)

    assert told(found, "strength_gap") == expected


def test_what_counts_as_a_gap_can_be_set():
    """Three weeks."""
    history = History(STEADY, (note(50, 1),), 60)

    found = notices_of(history, strength=(30,), rules=Rules(strength_gap_days=21))

    assert told(found, "strength_gap") == [(51, "info", None, None)]


# A spike without a report ----------------------------------------------------------------------------------

RISE = Run(56, 7.5, 12_000, 0)
AGAIN = Run(58, 7.5, 14_000, 0)


@pytest.mark.parametrize(
    ("notes", "more_runs", "expected"),
    [
        ((), (), []),
        ((note(54, 0),), (), [(59, "info", None, None)]),
        ((note(54, 0), note(56, 0)), (), []),
        ((note(54, 0), note(59, 0)), (), []),
        ((note(54, 0), note(62, 0)), (), [(59, "info", None, 62)]),
        ((note(54, None, flags=("hyperextension",)),), (), []),
        # one question, until there is an answer
        ((note(54, 0),), (AGAIN,), [(59, "info", None, None)]),
        ((note(54, 0), note(60, 0)), (Run(61, 7.5, 16_000, 0),), [(59, "info", None, 60), (64, "info", None, None)]),
    ],
)  # fmt: skip
def test_a_spike_without_a_report_is_asked_about_once(notes, more_runs, expected):
    """By who is used to reporting; nobody who never reports is asked."""
    found = notices_of(History((*STEADY, RISE, *more_runs), notes, 66))

    assert told(found, "not_reported") == expected


@pytest.mark.parametrize(("day", "is_asked"), [(-5, False), (-4, True)])
def test_who_reported_within_sixty_days_is_asked(day, is_asked):
    """Counted from the spike."""
    found = notices_of(History((*STEADY, RISE), (note(day, 0),), 60))

    assert bool(told(found, "not_reported")) == is_asked


def test_an_open_episode_is_reason_enough_to_ask():
    """However long ago its report was."""
    runs = (*STEADY, *(replace(run, day=run.day + 56) for run in STEADY), Run(112, 7.5, 12_000, 0))

    assert told(notices_of(History(runs, (note(40, 4),), 116)), "not_reported") == [(115, "info", None, None)]
    assert told(notices_of(History(runs, (note(40, 2),), 116)), "not_reported") == []


def test_the_question_ends_with_the_window_of_the_spike():
    """After two weeks no report could be read together with it any more."""
    found = notices_of(History((*STEADY, RISE), (note(54, 0),), 71))

    assert told(found, "not_reported") == [(59, "info", None, 71)]


# Laws, and a second reading --------------------------------------------------------------------------------


def planned_and_done(seed):
    """A plan of long runs and days of strength work, from a number."""
    chance = naive.random.Random(seed)
    plan = [
        (day, chance.choice(("long", "easy", "race")), chance.choice((6_000.0, 12_000.0, 18_000.0)))
        for day in sorted(chance.sample(range(160), 40))
    ]
    return sessions_on(*plan), sorted(chance.sample(range(160), chance.randint(0, 12)))


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_two_readings_of_the_question_agree(first):
    """The engine and the day-by-day reading of the text ask on the same days."""
    asked = Counter()
    for seed in range(first, first + 100):
        history = naive.random_history(seed)
        found = [row[0] for row in told(notices_of(history), "not_reported")]
        assert (seed, found) == (seed, naive.asked_naively(history))
        asked[bool(found)] += 1
    assert min(asked[True], asked[False]) > 10


@settings(deadline=None, max_examples=25)
@given(histories, st.integers(0, 1000), st.floats(0, 1))
def test_the_past_does_not_depend_on_the_future(history, seed, share):
    """Every notice of a day was found on that day, and later days take none back."""
    plan, strength = planned_and_done(seed)
    day = round(history.today * share)

    then = notices_of(history, plan=plan, strength=strength, today=day)
    now = notices_of(history, plan=plan, strength=strength)

    def known(alerts):
        return [replace(a, cleared_on=None) for a in alerts if naive_day(a.local_date) <= day]

    assert known(now) == known(then)


@settings(deadline=None, max_examples=25)
@given(histories, st.integers(0, 1000), st.integers(-2000, 2000))
def test_the_same_history_at_another_time_has_the_same_notices(history, seed, days):
    """Shifted by n days, nothing else differs."""
    plan, strength = planned_and_done(seed)
    later = plan.with_columns(pl.col("local_date") + timedelta(days=days))

    first = notices_of(history, plan=plan, strength=strength)
    shifted = notices_of(naive.shifted(history, days), plan=later, strength=[day + days for day in strength])

    def said(alerts, by):
        return sorted(
            (a.rule, naive_day(a.local_date) - by, a.severity, a.side or "", str(a.cleared_on and naive_day(a.cleared_on) - by))
            for a in alerts
        )  # fmt: skip

    assert said(shifted, days) == said(first, 0)


@settings(deadline=None, max_examples=25)
@given(histories, st.integers(0, 1000))
def test_every_notice_keeps_to_its_columns(history, seed):
    """Unique ids, plain evidence, nothing medical; one that ended did so later than it began."""
    plan, strength = planned_and_done(seed)
    notices = notices_of(history, plan=plan, strength=strength)

    assert len({one.alert_id for one in notices}) == len(notices)
    for one in notices:
        json.dumps(one.evidence, allow_nan=False)
        assert one.rule in RULES
        assert SEVERITIES.index(one.severity) <= SEVERITIES.index("warning")
        assert one.rule == "planned_spike_ahead" or one.severity == "info"
        assert (one.is_medical, one.urgency) == (False, None)
        assert one.evidence["source"]
        assert one.evidence["seen_on"] == one.local_date.isoformat()
        assert one.cleared_on is None or one.local_date < one.cleared_on <= naive.date_of(history.today)
