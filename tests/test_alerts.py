"""Alerts of a history: the table, the windows, the episodes and what they say."""

import importlib.util
import json
import random
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from analytics.alerts import decide, find_alerts
from analytics.pain import Pain

HERE = Path(__file__).parent
PLANS = HERE.parent / "plans"
VECTORS = json.loads((HERE / "data" / "alert_vectors.json").read_text())
SPEC = importlib.util.spec_from_file_location("naive_alerts", HERE / "naive_alerts.py")
naive = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(naive)
History, Note, Run = naive.History, naive.Note, naive.Run
alerts_of, as_row, days_of = naive.alerts_of, naive.as_row, naive.days_of

STEADY = tuple(Run(day, 7.5, 10_000) for day in range(42) if day % 7 in (0, 2, 4))
SPIKE = Run(42, 7.5, 16_000)  # +60 % after six steady weeks
SMALL, LARGE = replace(SPIKE, metres=12_000), replace(SPIKE, metres=21_000)
FLAT = tuple(replace(run, down_m=0) for run in STEADY)
# Kilometres and days of the week of the four weeks before each plan, as its entry asks.
ENTRY_KM = {
    "half_marathon_beginner": {1: 4.2, 3: 4.5, 5: 3.5, 6: 7.8},
    "half_marathon_intermediate": {1: 6.0, 2: 4.5, 3: 6.0, 5: 3.5, 6: 10.0},
}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def note(day, during=None, *, hour=20.0, side="right", **noted):
    return Note(day, hour, side, during=during, **noted)


def alerts_after(*notes, runs=(*STEADY, SPIKE), today=120):
    """Alerts of six steady weeks, a long run on day 42 and what was noted."""
    return alerts_of(History(tuple(runs), notes, today))


def knees(alerts):
    """Day and severity of the alerts of a knee."""
    return [(days_of(alert), alert.severity) for alert in alerts if alert.side]


# The table -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "vector",
    [vector for vector in VECTORS if vector["kind"] == "decision"],
    ids=lambda v: f"L{v['load_level']} {v['pain_level']} {v['expected']}{' medical' if v['medical'] else ''}",
)
def test_the_table_decides_as_agreed(vector):
    """Severity, whether to seek advice, and how soon."""
    pain = Pain(
        level=vector["pain_level"],
        is_rising=vector.get("rising", False),
        is_settled=True,
        days_at_p2_or_more=vector.get("days_at_p2_or_more", 0),
    )

    decision = decide(vector["load_level"], pain, vector.get("flags", ()))

    assert decision.severity == (None if vector["expected"] == "none" else vector["expected"])
    assert (decision.is_medical, decision.urgency) == (vector["medical"], vector["urgency"])


@pytest.mark.parametrize(
    ("flags", "urgency"),
    [
        (("cannot_bear_weight",), "same_day"),
        (("locking",), "same_day"),
        (("deformity",), "same_day"),
        (("hot_red_fever",), "same_day"),
        (("trauma_pop", "swelling"), "same_day"),
        (("trauma_pop",), "soon"),
        (("swelling",), "soon"),
        (("giving_way",), "soon"),
        (("night_or_rest_pain",), "soon"),
        (("numbness",), "soon"),
        (("numbness", "locking"), "same_day"),
    ],
)
def test_some_red_flags_want_a_look_the_same_day(flags, urgency):
    """A blow with swelling is one of them, either alone is not."""
    pain = Pain(level="R", is_rising=False, is_settled=True, days_at_p2_or_more=0)

    assert decide(0, pain, flags).urgency == urgency


def test_unknown_load_counts_as_none():
    """Without history pain alone speaks."""
    for level in ("P0", "P1", "P2", "P3", "R"):
        pain = Pain(level=level, is_rising=False, is_settled=True, days_at_p2_or_more=0)

        assert decide(None, pain) == decide(0, pain)


# Who follows the plan --------------------------------------------------------------------------------------


def plan_runs(name, *, lowest=1.0, highest=1.0, seed=0, race_m=21_097.5):
    """Four weeks as the plan's entry asks, then its runs, each distance times something from lowest to highest."""
    km = [(7 * week + day, entry_km) for week in range(4) for day, entry_km in ENTRY_KM[name].items()]
    plan = pl.read_csv(PLANS / f"{name}.csv").filter(pl.col("distance_km") > 0)
    for week, day, session, planned_km in plan.select("week", "day", "session", "distance_km").iter_rows():
        at = 7 * (week + 3) + DAYS.index(day)
        km.append((at, race_m / 1000 if session == "race" else planned_km))
    chance = random.Random(seed)
    return tuple(Run(day, 7.5, run_km * 1000 * chance.uniform(lowest, highest), 0) for day, run_km in km)


@pytest.mark.parametrize(
    "noise",
    [
        {},
        {"lowest": 1.004, "highest": 1.004},
        *({"lowest": 0.996, "highest": 1.004, "seed": s} for s in range(6)),
    ],
    ids=["exact", "GPS +0.4 %", *(f"GPS within 0.4 %, {seed}" for seed in range(6))],
)
@pytest.mark.parametrize("name", ENTRY_KM)
def test_who_follows_a_plan_without_pain_is_left_alone(name, noise):
    """No alert, not even an info, in twenty weeks up to the race; with reports of no pain and with none."""
    runs = plan_runs(name, **noise)
    race_day = max(run.day for run in runs)
    painless = tuple(note(run.day, 0, after=0, morning=0, side="both", gait=False) for run in runs)

    assert race_day == 20 * 7 - 1
    assert alerts_of(History(runs, (), race_day + 7)) == []
    assert alerts_of(History(runs, painless, race_day + 7)) == []


@pytest.mark.parametrize("name", ENTRY_KM)
def test_a_watch_that_reads_21_4_km_at_the_race_raises_nothing(name):
    """Courses are measured along the shortest line."""
    assert alerts_of(History(plan_runs(name, race_m=21_400), (), 140)) == []


@pytest.mark.parametrize("name", ENTRY_KM)
def test_who_starts_a_plan_from_half_its_entry_is_told_in_week_1(name):
    """Every alert is of load alone, and none of the weeks before."""
    runs = tuple(replace(run, metres=run.metres / 2) if run.day < 28 else run for run in plan_runs(name))

    alerts = alerts_of(History(runs, (), 34))

    assert {alert.rule for alert in alerts} == {"load_spike"}
    assert {days_of(alert) for alert in alerts} <= set(range(28, 35))


# A short history -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "load_level"), [(13, None), (14, 0), (27, 0), (28, 0)])
def test_in_the_first_two_weeks_the_load_is_unknown(day, load_level):
    """Pain alone speaks, and the evidence says what is missing."""
    (alert,) = alerts_of(History((Run(0, 7.5, 10_000), Run(10, 7.5, 10_000)), (note(day, 4),), day))

    assert (alert.severity, alert.load_level, alert.rule) == ("caution", load_level, "knee_pain")
    assert ("running_before" in alert.evidence["missing"]) == (load_level is None)


@pytest.mark.parametrize(("day", "expected"), [(13, []), (14, ["info"]), (27, ["info"]), (28, ["info"])])
def test_a_long_run_speaks_from_day_14_on(day, expected):
    """Thirteen days of history do not make a longest run."""
    runs = (Run(0, 7.5, 10_000), Run(7, 7.5, 10_000), Run(day, 7.5, 16_000))

    alerts = alerts_of(History(runs, (), day))

    assert [alert.severity for alert in alerts] == expected
    assert [alert.evidence["spikes"][0]["is_provisional"] for alert in alerts] == [day < 28] * len(expected)


def test_before_four_weeks_only_the_single_session_speaks():
    """A ramp and much downhill say nothing on day 27."""
    runs = [Run(day, 7.5, 5_000, 5) for day in (0, 2, 4, 7, 9, 11, 14, 16, 18)]
    much = [Run(day, 7.5, 5_000, 100) for day in (21, 22, 23, 24, 25, 26, 27)]

    assert alerts_of(History((*runs, *much), (), 27)) == []


def test_without_any_run_pain_speaks():
    """Somebody who only logs pain is heard."""
    (alert,) = alerts_of(History((), (note(3, 7),), 5))

    assert as_row(alert) == (3, "right", "warning", None, "P3", False, None)


def test_after_thirty_days_without_a_run_there_is_nothing_to_compare_with():
    """The long run of that day is no spike, and with pain the load is unknown."""
    comeback = Run(39 + 31, 7.5, 20_000)

    (alert,) = alerts_after(note(70, 4), runs=(*STEADY, comeback))

    assert (alert.severity, alert.load_level, alert.evidence["spikes"]) == ("caution", None, [])


def test_nothing_at_all_raises_nothing():
    """No runs and no reports."""
    assert alerts_of(History((), (), 5)) == []


# Load alone ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "severity", "level"), [(SMALL, "info", 1), (SPIKE, "info", 2), (LARGE, "caution", 3)]
)
def test_a_spike_without_a_report_says_so(run, severity, level):
    """Load alone is a weak sign: an info, or a caution at most."""
    (alert,) = alerts_after(runs=(*STEADY, run))

    assert as_row(alert) == (42, None, severity, level, None, False, None)
    assert alert.rule == "load_spike"
    assert alert.evidence["missing"] == ["knees"]


@pytest.mark.parametrize(
    ("notes", "missing"),
    [
        ((note(42, 0, side="both"),), []),
        ((note(42, 0, side="right"),), ["left_knee"]),
        ((note(41, 0, side="both"),), ["knees"]),
    ],
)
def test_a_report_of_no_pain_on_the_day_is_not_missing(notes, missing):
    """No pain was noted is another thing than nothing was noted."""
    (alert,) = alerts_after(*notes)

    assert alert.evidence["missing"] == missing
    assert [one["side"] for one in alert.evidence["painless"]] == [n.side for n in notes if n.day == 42]


def test_the_alert_of_a_knee_takes_the_place_of_that_of_load_alone():
    """A report of the same evening names the spike; one of the next day leaves both."""
    assert [(days_of(a), a.rule) for a in alerts_after(note(42, 1))] == [(42, "spike_and_pain")]
    assert [(days_of(a), a.rule) for a in alerts_after(note(43, 1))] == [
        (42, "load_spike"),
        (43, "spike_and_pain"),
    ]


@pytest.mark.parametrize(
    ("run", "through", "cleared"),
    [(SPIKE, 56, None), (SPIKE, 57, 57), (LARGE, 63, None), (LARGE, 64, 64)],
    ids=["14 days", "15 days", "also a ramp, 21 days", "also a ramp, 22 days"],
)
def test_load_alone_clears_when_its_window_ends(run, through, cleared):
    """The day after the last on which it counts."""
    (alert,) = alerts_after(runs=(*STEADY, run), today=through)

    assert alert.cleared_on == (naive.date_of(cleared) if cleared else None)


def test_a_small_spike_with_a_ramp_is_moderate():
    """With P3 that makes a stop, where either alone makes a warning."""
    week = tuple(Run(44 + day, 7.5, 10_000) for day in (0, 1, 2, 3))

    small = alerts_after(note(47, 6), runs=(*STEADY, SMALL))
    ramp = alerts_after(note(47, 6), runs=(*STEADY, replace(SMALL, metres=10_000), *week))
    both = alerts_after(note(47, 6), runs=(*STEADY, SMALL, *week))

    assert knees(small) == [(47, "warning")]
    assert knees(ramp) == [(47, "warning")]
    assert knees(both) == [(47, "stop")]


def test_a_small_spike_with_much_downhill_is_moderate():
    """The two may be of different days."""
    down = Run(44, 7.5, 10_000, 150)

    assert knees(alerts_after(note(47, 6), runs=(*FLAT, down))) == [(47, "warning")]
    assert knees(alerts_after(note(47, 6), runs=(*FLAT, SMALL, down))) == [(47, "stop")]


# Windows and order -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (42, (42, "right", "warning", 2, "P2", False, None)),
        (56, (56, "right", "warning", 2, "P2", False, None)),
        (57, (57, "right", "caution", 0, "P2", False, None)),
    ],
)
def test_a_spike_meets_pain_up_to_day_fourteen(day, expected):
    """On the fifteenth day the pain stands alone."""
    alert = alerts_after(note(day, 4))[-1]

    assert as_row(alert) == expected
    assert alert.rule == ("spike_and_pain" if day < 57 else "knee_pain")
    assert alert.order_of_events == ("pain after spike" if day < 57 else None)


@pytest.mark.parametrize(("days", "severity"), [(21, "warning"), (22, "caution")])
def test_a_ramp_meets_pain_up_to_day_twenty_one(days, severity):
    """Three weeks, as in the study of the half-marathon."""
    week = tuple(Run(42 + day, 7.5, 10_000) for day in (0, 1, 2, 4))
    ramp_day = days_of(alerts_after(runs=(*STEADY, *week))[0])

    assert knees(alerts_after(note(ramp_day + days, 4), runs=(*STEADY, *week))) == [
        (ramp_day + days, severity)
    ]


@pytest.mark.parametrize(("day", "is_sore"), [(35, True), (34, False)])
def test_a_spike_on_a_knee_that_was_sore_within_a_week_is_an_alert_at_once(day, is_sore):
    """Seven days before yes, eight no; the run itself raises it."""
    alerts = alerts_after(note(day, 1))

    assert [(days_of(a), a.rule, a.order_of_events) for a in alerts] == [
        (42, "spike_and_pain", "spike on a sore knee") if is_sore else (42, "load_spike", None)
    ]


def test_a_knee_that_was_sore_and_no_longer_is_counts_as_not_sore():
    """The newest report decides."""
    assert [alert.rule for alert in alerts_after(note(38, 2), note(40, 0))] == ["load_spike"]


def test_sore_muscles_do_not_hide_a_sore_knee():
    """A report that says nothing of knee pain is neither pain nor relief."""
    assert [alert.rule for alert in alerts_after(note(38, 2), note(40))] == ["spike_and_pain"]


def test_a_sore_knee_stays_so_in_the_telling():
    """Pain noted after a spike on a sore knee is still told as such."""
    alerts = alerts_after(note(40, 1), note(44, 4))

    assert [alert.order_of_events for alert in alerts] == ["spike on a sore knee"] * 2
    assert knees(alerts) == [(42, "caution"), (44, "warning")]


@pytest.mark.parametrize(
    ("hour", "order"),
    [(7.0, "spike on a sore knee"), (7.5, "pain after spike"), (20.0, "pain after spike")],
    ids=["before the run", "with the run", "after the run"],
)
def test_on_the_day_of_the_spike_the_hour_decides_what_came_first(hour, order):
    """A report of the very moment the run began is a report of the run."""
    alert = alerts_after(note(42, 2, hour=hour))[0]

    assert (days_of(alert), alert.order_of_events) == (42, order)


def test_a_report_of_both_knees_is_one_of_each():
    """Two alerts with ids and episodes of their own."""
    left, right = alerts_after(note(43, 4, side="both"))[1:]

    assert (left.side, right.side) == ("left", "right")
    assert as_row(left)[2:] == as_row(right)[2:]
    assert left.alert_id != right.alert_id
    assert left.episode_id != right.episode_id


def test_the_other_knee_is_not_concerned():
    """Pain on the right says nothing of the left."""
    assert {alert.side for alert in alerts_after(note(43, 4))} == {None, "right"}


def test_days_to_come_are_not_looked_at():
    """Neither a spike nor a report after today counts."""
    assert alerts_after(note(43, 4), today=41) == []


# Episodes --------------------------------------------------------------------------------------------------


def test_within_an_episode_only_a_higher_level_speaks():
    """A caution, a warning, then silence; both share the episode of the spike."""
    peaks = (1, 1, 2.5, 2.5, 1, 2.5)

    alerts = alerts_after(*(note(day, peak) for day, peak in enumerate(peaks, 43)))

    assert knees(alerts) == [(43, "caution"), (45, "warning")]
    assert len({alert.episode_id for alert in alerts if alert.side}) == 1


def test_after_a_week_a_new_report_speaks_again():
    """On the seventh day, also when it is earlier in the day; not before, and not without a report."""
    first = note(43, 4)

    assert knees(alerts_after(first)) == [(43, "warning")]
    assert knees(alerts_after(first, note(49, 4, hour=23.0))) == [(43, "warning")]
    assert knees(alerts_after(first, note(50, 4, hour=6.0))) == [(43, "warning"), (50, "warning")]


def test_a_new_spike_speaks_again():
    """The knee is sore, so the second long run is an alert at once."""
    second = Run(46, 7.5, 18_000)

    alerts = alerts_after(note(43, 4), note(47, 4), runs=(*STEADY, SPIKE, second))

    assert knees(alerts) == [(43, "warning"), (46, "warning")]
    assert len({alert.episode_id for alert in alerts if alert.side}) == 1


def test_an_older_ramp_that_outlives_a_newer_spike_is_not_new():
    """The ramp counts for three weeks, the long run of the day after for two."""
    week = tuple(Run(42 + day, 7.5, 10_000) for day in (0, 1, 2))
    runs = (*STEADY, *week, Run(45, 7.5, 12_000))

    alerts = alerts_after(note(56, 4), note(59, 4), note(60, 4), runs=runs)

    assert [len(alert.evidence["spikes"]) for alert in alerts if alert.side] == [2]
    assert knees(alerts) == [(56, "warning")]


def test_what_was_louder_long_ago_does_not_silence_today():
    """After a stop, a caution five weeks later is the last word, and a stop is higher than that."""
    between = tuple(Run(day, 7.5, 10_000) for day in range(43, 77) if day % 7 in (0, 2, 4))
    second = Run(77, 7.5, 16_000)

    alerts = alerts_after(
        note(43, 6), note(78, 1), note(79, 1, gait=True), runs=(*STEADY, SPIKE, *between, second)
    )

    assert knees(alerts) == [(43, "stop"), (78, "caution"), (79, "stop")]
    assert not any(alert.is_medical for alert in alerts)


def test_pain_alone_and_pain_with_a_spike_are_two_episodes():
    """A spike that joins begins an episode of its own."""
    alone, joined = alerts_after(note(36, 4), note(43, 4))

    assert [(a.rule, days_of(a)) for a in (alone, joined)] == [("knee_pain", 36), ("spike_and_pain", 42)]
    assert alone.episode_id != joined.episode_id


@pytest.mark.parametrize(
    ("hours", "expected"), [(23.0, 1), (24.0, 2), (30.0, 2)], ids=["23 hours", "24 hours", "30 hours"]
)
def test_a_medical_alert_comes_again_after_a_day(hours, expected):
    """Within twenty-four hours it is not repeated, after them it is never suppressed."""
    again = Note(43 + int(8 + hours) // 24, (8 + hours) % 24, "right", flags=("swelling",))

    alerts = alerts_after(note(43, flags=("swelling",), hour=8.0), again)

    assert [alert.is_medical for alert in alerts if alert.side] == [True] * expected


def test_what_wants_a_look_today_does_not_wait_for_tomorrow():
    """Locking an hour after swelling is urgent news; swelling again is not."""
    alerts = alerts_after(
        note(43, hour=8.0, flags=("swelling",)),
        note(43, hour=9.0, flags=("locking",)),
        note(43, hour=10.0, flags=("locking",)),
        note(43, hour=11.0, flags=("swelling",)),
    )

    assert [alert.urgency for alert in alerts if alert.side] == ["soon", "same_day"]


def test_a_medical_alert_below_the_last_severity_is_not_repeated_within_a_day():
    """A warning that is not medical, then pain that lasts two weeks, noted twice on one day."""
    lasting = (note(20, 3), note(27, gait=True), note(34, 3, hour=8.0), note(34, 3, hour=12.0))

    alerts = alerts_after(*lasting, runs=STEADY)

    assert [(days_of(a), a.severity, a.is_medical) for a in alerts] == [
        (20, "caution", False),
        (27, "warning", False),
        (34, "caution", True),
    ]


def test_rising_pain_is_medical_without_any_spike():
    """1, 2, 4: a warning by itself."""
    alert = alerts_after(note(30, 1), note(32, 2), note(34, 4), runs=STEADY)[-1]

    assert as_row(alert) == (34, "right", "warning", 0, "P3", True, "soon")
    assert alert.rule == "pain_rising"


def test_pain_that_lasts_two_weeks_is_medical():
    """P2 and nothing below it for fourteen days of reports."""
    alerts = alerts_after(*(note(day, 3) for day in (20, 25, 30, 34)), runs=STEADY)

    assert [(days_of(a), a.is_medical) for a in alerts] == [(20, False), (30, False), (34, True)]


def test_a_red_flag_stops_whatever_the_load():
    """Also when the score is 0 and nothing was run."""
    alert = alerts_after(note(20, 0, flags=("locking",)), runs=STEADY)[0]

    assert as_row(alert) == (20, "right", "stop", 0, "R", True, "same_day")
    assert alert.rule == "medical"


def test_urgency_is_part_of_what_an_alert_says():
    """A corrected report that turns soon into today is another alert, so that it is sent again."""
    soon, today = (
        alerts_after(note(20, 1, flags=(flag,)), runs=STEADY)[0] for flag in ("swelling", "locking")
    )

    assert soon.alert_id != today.alert_id
    assert soon.episode_id == today.episode_id


# Clearing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("notes", "cleared"),
    [
        ([note(21, 1), note(28, 0)], 28),
        ([note(21, 1), note(24, 1), note(29, 1)], 29),
        ([note(21, 1), note(27, 0)], None),
        ([note(21, 0)], None),
        ([note(21, 1), note(24, 2), note(28, 1)], None),
        ([note(21, 1), note(24, 2), note(28, 1), note(35, 1)], 35),
        ([note(21, 0), note(28, 1, after=1)], None),
        ([note(21, 0), note(24, gait=True), note(28, 0)], None),
        ([note(21, 0), note(24, 0, flags=("giving_way",)), note(28, 0)], None),
        ([note(21, 0), note(24), note(28, 0)], 28),
        ([note(20, 0, hour=23.0), note(27, 0)], None),
    ],
    ids=[
        "two over a week",
        "three over eight days",
        "six days",
        "one",
        "a 2 between",
        "a week after the 2",
        "not settled",
        "another gait between",
        "a red flag between",
        "sore muscles between",
        "the day of the alert itself",
    ],
)
def test_an_episode_clears_after_a_week_of_calm_reports(notes, cleared):
    """Pain of at most 1 on two reports or more over seven days, and nothing that would raise an alert between."""
    alerts = alerts_after(note(20, 4), *notes, runs=STEADY[:18], today=41)

    assert alerts[0].cleared_on == (naive.date_of(cleared) if cleared else None)


def test_an_episode_does_not_clear_while_a_spike_is_active():
    """Calm on days 45 and 52, but the spike counts up to day 56."""
    calm = (note(43, 2), note(45, 0), note(52, 0))

    assert alerts_after(*calm, today=56)[-1].cleared_on is None
    assert alerts_after(*calm, today=57)[-1].cleared_on == naive.date_of(57)


def test_pain_while_the_spike_is_still_active_keeps_the_episode_open():
    """Two calm reports do not outlast the pain noted after them."""
    alerts = alerts_after(note(43, 4), note(45, 0), note(52, 0), note(55, 2), today=70)

    assert [alert.cleared_on for alert in alerts if alert.side] == [None] * len(knees(alerts))


def test_after_clearing_a_new_episode_begins():
    """The same level speaks at once, two days after the calm."""
    alerts = alerts_after(note(14, 4), note(15, 0), note(22, 0), note(24, 4), runs=STEADY)

    assert [(days_of(a), a.cleared_on) for a in alerts] == [(14, naive.date_of(22)), (24, None)]
    assert alerts[0].episode_id != alerts[1].episode_id


# What an alert rests on ------------------------------------------------------------------------------------


def test_the_evidence_holds_both_halves():
    """The run and the longest before it, the scores, the earlier reports, the thresholds and the sources."""
    alert = alerts_after(note(40, 0), note(43, 3, before=0, after=1))[-1]
    (spike,) = alert.evidence["spikes"]
    pain = alert.evidence["pain"]

    assert (spike["distance_m"], spike["longest_30d_m"], spike["days_before"], spike["window_days"]) == (
        16_000,
        10_000,
        1,
        14,
    )
    assert (pain["before"], pain["during"], pain["after_60min"], pain["next_morning"]) == (0, 3, 1, None)
    assert [(one["local_date"], one["peak"]) for one in pain["earlier"]] == [
        (naive.date_of(40).isoformat(), 0)
    ]
    assert alert.evidence["missing"] == ["next_morning"]
    assert alert.evidence["thresholds"]["windows_days"] == [14, 21]
    assert "Schuster Brandt Frandsen" in alert.evidence["source"]
    assert "Esculier" in pain["source"]


def test_the_source_is_that_of_the_signal():
    """A ramp and much downhill do not borrow the study of the single session."""
    week = tuple(Run(42 + day, 7.5, 10_000, 0) for day in (0, 1, 2, 4))

    ramp = alerts_after(runs=(*STEADY, *week))[0]
    downhill = alerts_after(runs=(*FLAT, Run(42, 7.5, 10_000, 150)))[0]

    assert ramp.evidence["source"].startswith("Damsted")
    assert downhill.evidence["source"].startswith("Van Hooren")


def test_years_of_reports_take_seconds():
    """Twelve hundred reports of a knee that is never quite well; with a cube of their number it would be minutes."""
    runs, daily = naive.frames_of(STEADY, 42)
    reports = naive.reports_of([note(3 * place, (3, 3, 4, 2, 3)[place % 5]) for place in range(1200)])

    alerts = find_alerts(runs, daily, reports, athlete="me", today=naive.date_of(3600))

    assert len(alerts) > 300
