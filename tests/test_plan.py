"""The plan on the calendar, what became of it, and the spikes that lie ahead."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.load import with_spikes
from analytics.plan import (
    PLAN_SESSIONS,
    PLAN_VS_ACTUAL,
    RUN_SESSIONS,
    UPCOMING_SPIKES,
    dated,
    plan_vs_actual,
    seen_ahead,
    upcoming_spikes,
)

PLANS = {
    name: pl.read_csv(Path(__file__).parents[1] / "plans" / f"half_marathon_{name}.csv")
    for name in ("beginner", "intermediate")
}
ENTRY_KM = {"beginner": 7.8, "intermediate": 10.0}  # longest run of the last 30 days that each plan asks for
RACE = date(2026, 10, 11)
START = RACE - timedelta(days=111)
RUNS = {"activity_id": pl.String, "local_date": pl.Date, "distance_m": pl.Float64}

# Week 1 of the beginner plan: Mon rest, Tue easy 5, Wed strength, Thu easy 5, Fri strength, Sat easy 4, Sun long 8.5
BEGINNER = dated(PLANS["beginner"], name="beginner", race_date=RACE)
MON, TUE, WED, THU, FRI, SAT, SUN = (START + timedelta(days=days) for days in range(7))
WEEK = timedelta(days=7)
NEXT_MON = START + WEEK


def runs_of(*rows: tuple[date, float | None]) -> pl.DataFrame:
    """Runs from pairs of day and kilometres; the place in the list is the id."""
    return pl.DataFrame(
        [(str(i), day, None if km is None else km * 1000) for i, (day, km) in enumerate(rows)],
        schema=RUNS,
        orient="row",
    )


def outcomes(
    *rows: tuple[date, float | None], today: date = NEXT_MON, strength: list[date] | None = None
) -> list[tuple[str, str | None, str]]:
    """Session, matched run and status of the beginner's first week, and of what was not planned."""
    found = plan_vs_actual(BEGINNER, runs_of(*rows), strength or [], today=today)
    return found.filter(pl.col("local_date") < NEXT_MON).select("session", "activity_id", "status").rows()


def test_the_race_falls_on_race_day_and_the_rest_is_counted_back():
    """Sixteen weeks to the day, distances in metres, durations in seconds."""
    assert BEGINNER.schema == PLAN_SESSIONS
    assert BEGINNER["local_date"].min() == START
    race = BEGINNER.row(-1, named=True)
    assert (race["session"], race["week"], race["local_date"]) == ("race", 16, RACE)
    assert (race["distance_m"], race["duration_s"], race["rpe"]) == (21097.5, 142 * 60, 8)
    assert BEGINNER.row(1, named=True)["distance_m"] == 5000
    assert set(BEGINNER["plan"]) == {"beginner"}


def test_a_race_need_not_be_on_a_sunday():
    """Every session keeps its distance in days from the race."""
    saturday = dated(PLANS["intermediate"], name="i", race_date=date(2027, 1, 2))

    assert saturday["local_date"].max() == date(2027, 1, 2)
    assert saturday["local_date"].min() == date(2027, 1, 2) - timedelta(days=111)
    assert len(saturday) == len(PLANS["intermediate"])


def test_the_race_is_the_anchor_also_when_the_plan_goes_on_after_it():
    """A Saturday race followed by a rest day is run on the race date."""
    after = (
        PLANS["beginner"].filter(pl.col("session") == "rest").head(1).with_columns(week=pl.lit(17, pl.Int64))
    )

    plan = dated(pl.concat([PLANS["beginner"], after]), name="b", race_date=RACE)

    assert plan.filter(pl.col("session") == "race")["local_date"].to_list() == [RACE]
    assert plan["local_date"].max() == RACE + timedelta(days=1)


def test_an_empty_plan_gives_empty_frames():
    """No plan is no error anywhere."""
    nothing = dated(PLANS["beginner"].clear(), name="b", race_date=RACE)

    assert nothing.schema == PLAN_SESSIONS
    assert plan_vs_actual(nothing, runs_of((TUE, 5)), [TUE], today=WED).schema == PLAN_VS_ACTUAL
    assert upcoming_spikes(nothing, runs_of((TUE, 5)), today=WED).schema == UPCOMING_SPIKES


def test_a_week_without_any_run_is_missed():
    """What lies before today is missed or kept, from today on it is upcoming."""
    assert outcomes(today=SAT) == [
        ("rest", None, "rest kept"),
        ("easy", None, "missed"),
        ("strength", None, "missed"),
        ("easy", None, "missed"),
        ("strength", None, "missed"),
        ("easy", None, "upcoming"),
        ("long", None, "upcoming"),
    ]


def test_a_week_as_planned_is_done():
    """Each run is matched to its day; strength goes by its dates."""
    assert outcomes((TUE, 5.1), (THU, 4.9), (SAT, 4), (SUN, 8.5), strength=[WED, FRI]) == [
        ("rest", None, "rest kept"),
        ("easy", "0", "done"),
        ("strength", None, "done"),
        ("easy", "1", "done"),
        ("strength", None, "done"),
        ("easy", "2", "done"),
        ("long", "3", "done"),
    ]


@pytest.mark.parametrize(
    ("km", "status"), [(3.99, "short"), (4.0, "done"), (6.0, "done"), (6.01, "long"), (None, "done")]
)
def test_done_is_within_a_fifth_of_the_plan(km, status):
    """Both edges belong to done; a run of unknown distance was at least done."""
    assert outcomes((TUE, km))[1] == ("easy", "0", status)


def test_a_run_of_another_day_is_the_missed_one_moved():
    """The closest distance of the plan week decides; what fits nothing is not planned."""
    found = outcomes((MON, 4.2), (WED, 8), (FRI, 25))

    assert found[:3] == [("rest", None, "missed"), ("easy", None, "missed"), ("strength", None, "missed")]
    assert ("easy", "0", "moved") in found
    assert ("long", "1", "moved") in found
    assert (None, "2", "unplanned") in found


def test_a_run_stands_for_a_session_that_was_due_before_one_ahead():
    """Wednesday's run is Tuesday's that was missed, and leaves Thursday's to come."""
    found = outcomes((WED, 5), today=WED)

    assert found[1] == ("easy", "0", "moved")
    assert found[3] == ("easy", None, "upcoming")


def test_runs_move_within_their_plan_week_only():
    """Sunday's long run done on Monday belongs to the next week."""
    found = plan_vs_actual(BEGINNER, runs_of((NEXT_MON, 8.5)), [], today=NEXT_MON + timedelta(days=7))

    assert found.filter(pl.col("activity_id") == "0")["plan_week"].to_list() == [2]
    assert found.row(6, named=True)["status"] == "missed"


def test_two_runs_of_one_day_are_told_apart_by_distance():
    """The closer one is the session, the other is not planned."""
    found = outcomes((TUE, 1.5), (TUE, 5.2))

    assert found[1:3] == [("easy", "1", "done"), (None, "0", "unplanned")]


def test_strength_may_move_too():
    """A strength session of the day after counts for the week."""
    assert outcomes(strength=[THU])[2] == ("strength", None, "moved")
    assert outcomes(strength=[WED, WED])[2] == ("strength", None, "done")


def test_runs_before_the_plan_are_no_part_of_it_and_those_after_it_are_not_planned():
    """The list begins with the plan's first day and has no end."""
    found = plan_vs_actual(
        BEGINNER,
        runs_of((START - timedelta(days=1), 5), (RACE + timedelta(days=9), 5)),
        [],
        today=RACE + timedelta(days=30),
    )

    assert len(found) == len(BEGINNER) + 1
    assert found.row(-1, named=True) == {
        "local_date": RACE + timedelta(days=9),
        "plan_week": None,
        "session": None,
        "planned_distance_m": None,
        "activity_id": "1",
        "distance_m": 5000.0,
        "status": "unplanned",
    }


def test_a_rest_day_is_not_kept_before_it_is_over():
    """Today's rest is upcoming until tomorrow, or missed at once."""
    assert outcomes(today=MON)[0] == ("rest", None, "upcoming")
    assert outcomes((MON, 9), today=MON)[0] == ("rest", None, "missed")


history = st.lists(
    st.tuples(st.integers(-10, 130), st.none() | st.floats(0.5, 25)).map(
        lambda pair: (START + timedelta(days=pair[0]), pair[1])
    ),
    max_size=40,
)


@settings(deadline=None)
@given(history, st.integers(-10, 130), st.randoms(use_true_random=False))
def test_every_run_and_every_session_is_listed_once_in_any_order(rows, days, random):
    """Nothing is lost, nothing is matched twice, and the order of rows does not matter."""
    today, runs = START + timedelta(days=days), runs_of(*rows)
    order, session_order = list(range(len(runs))), list(range(len(BEGINNER)))
    random.shuffle(order)
    random.shuffle(session_order)

    found = plan_vs_actual(BEGINNER, runs, [], today=today)

    assert found.schema == PLAN_VS_ACTUAL
    since = runs.filter(pl.col("local_date") >= START)
    assert sorted(found["activity_id"].drop_nulls()) == sorted(since["activity_id"])
    assert found["session"].drop_nulls().len() == len(BEGINNER)
    assert found["status"].null_count() == 0
    assert plan_vs_actual(BEGINNER[session_order], runs[order], [], today=today).equals(found)


def test_upcoming_runs_are_held_against_what_will_lie_before_them():
    """Done runs count first, then the plan's own; both numbers stand in the sentence."""
    found = upcoming_spikes(BEGINNER, runs_of((START - timedelta(days=5), 6)), today=START)

    assert found.schema == UPCOMING_SPIKES
    assert found["local_date"].max() == START + timedelta(days=13)
    long_runs = found.filter(pl.col("session") == "long").to_dicts()
    assert [run["spike_bin"] for run in long_runs] == ["moderate", "reference"]
    assert [run["longest_30d_m"] for run in long_runs] == [6000, 8500]
    assert long_runs[0]["spike_ratio"] == pytest.approx(8.5 / 6 - 1)
    assert long_runs[0]["longest_safe_m"] == pytest.approx(6600)
    assert long_runs[0]["reason"] == (
        "8.5 km planned for 28 June; the longest of the 30 days before is 6.0 km, run on 17 June: "
        "+41.7 %, a moderate spike; 6.6 km would be none."
    )
    assert long_runs[1]["reason"] == (
        "9.3 km planned for 5 July; the longest of the 30 days before is 8.5 km, planned for 28 June: "
        "+9.4 %, no spike."
    )


def test_without_any_run_the_first_one_ahead_has_no_baseline():
    """The second is held against the first."""
    first, second = upcoming_spikes(BEGINNER, runs_of(), today=START).head(2).to_dicts()

    assert (first["spike_bin"], first["spike_ratio"], first["longest_safe_m"]) == ("no_baseline", None, None)
    assert (
        first["reason"]
        == "5.0 km planned for 23 June; there is no run in the 30 days before to compare it with. Consider beginning again short and easy."
    )
    assert second["longest_30d_m"] == 5000


def test_a_planned_run_that_is_done_today_is_no_longer_ahead():
    """The run itself becomes a baseline for the rest."""
    before = upcoming_spikes(BEGINNER, runs_of((MON, 5)), today=TUE)
    after = upcoming_spikes(BEGINNER, runs_of((MON, 5), (TUE, 5.6)), today=TUE)

    assert before["local_date"].to_list()[0] == TUE
    assert after["local_date"].to_list()[0] == THU
    assert after["longest_30d_m"].to_list()[0] == 5600


def test_runs_of_more_than_thirty_days_ago_are_no_baseline():
    """The thirtieth day before still counts."""
    near = upcoming_spikes(BEGINNER, runs_of((TUE - timedelta(days=30), 9)), today=TUE)
    far = upcoming_spikes(BEGINNER, runs_of((TUE - timedelta(days=31), 9)), today=TUE)

    assert near["longest_30d_m"].to_list()[0] == 9000
    assert far["spike_bin"].to_list()[0] == "no_baseline"


def test_the_rise_of_the_week_counts_what_was_run_and_what_is_planned_apart():
    """Sunday's seven days hold Tuesday's run and three planned ones, against 12 km of the seven days before."""
    runs = runs_of((MON - timedelta(days=8), 99), (MON - timedelta(days=3), 12), (TUE, 6))

    found = upcoming_spikes(BEGINNER, runs, today=WED)

    assert found.select("local_date", "week_done_m", "week_planned_m", "week_before_m").rows()[:7] == [
        (THU, 18_000.0, 5_000.0, 99_000.0),
        (SAT, 6_000.0, 9_000.0, 111_000.0),
        (SUN, 6_000.0, 17_500.0, 12_000.0),
        (TUE + WEEK, 0.0, 23_000.0, 18_000.0),
        (THU + WEEK, 0.0, 23_500.0, 23_000.0),
        (SAT + WEEK, 0.0, 23_700.0, 15_000.0),
        (SUN + WEEK, 0.0, 24_500.0, 23_500.0),
    ]
    assert found["week_ramp_ratio"].to_list()[2] == pytest.approx(23.5 / 12 - 1)
    assert found["week_is_ramp"].to_list()[:3] == [False, False, True]


def test_a_week_after_nothing_has_no_ratio():
    """A rise over nothing is unknown, and no steep one."""
    first = upcoming_spikes(BEGINNER, runs_of(), today=START).row(0, named=True)

    assert (first["week_before_m"], first["week_ramp_ratio"], first["week_is_ramp"]) == (0.0, None, False)


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("gps_error", [1.0, 1.004])
def test_a_runner_faithful_to_the_plan_never_meets_a_spike(name, gps_error):
    """Four weeks of entry, then every run as planned: all are reference, also when GPS reads a little long."""
    plan = dated(PLANS[name], name=name, race_date=RACE).filter(pl.col("session").is_in(list(RUN_SESSIONS)))
    entry = [(START - timedelta(days=days), ENTRY_KM[name]) for days in (28, 21, 14, 7)]
    days = [day for day, _ in entry] + plan["local_date"].to_list()
    metres = [km * 1000 for _, km in entry] + [m * gps_error for m in plan["distance_m"]]
    runs = pl.DataFrame(
        {
            "activity_id": [str(i) for i in range(len(days))],
            "started_at": [datetime.combine(day, time(9), UTC) for day in days],
            "distance_m": metres,
        }
    )

    spikes = with_spikes(runs)

    assert set(spikes["spike_bin"].to_list()[1:]) == {"reference"}
    assert len(spikes) == len(entry) + len(plan)


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_has_no_spike_ahead_for_who_follows_it(name):
    """Seen from any day of the plan, each of the next fortnight's runs is reference."""
    plan = dated(PLANS[name], name=name, race_date=RACE)
    sessions = plan.filter(pl.col("session").is_in(list(RUN_SESSIONS)))
    entry = [(START - timedelta(days=days), ENTRY_KM[name]) for days in (28, 21, 14, 7)]
    rows = [
        *entry,
        *((day, metres / 1000) for day, metres in sessions.select("local_date", "distance_m").rows()),
    ]

    for days in range(112):
        today = START + timedelta(days=days)
        found = upcoming_spikes(plan, runs_of(*(row for row in rows if row[0] < today)), today=today)
        assert set(found["spike_bin"]) == {"reference"}
        assert found["local_date"].is_between(today, today + timedelta(days=13)).all()


def test_what_was_seen_ahead_is_what_was_held_against_the_longest_on_each_day() -> None:
    """Every evening of the first weeks, with a run missed and one done early."""
    planned = BEGINNER.filter(pl.col("distance_m") > 0).select("local_date", "distance_m").head(20).rows()
    runs = runs_of(*((day, metres / 1000) for number, (day, metres) in enumerate(planned) if number != 4))
    last = planned[-1][0]

    seen = seen_ahead(BEGINNER, runs, since=None, today=last, days=4)

    assert {one.seen_on for one in seen} == {
        START + timedelta(days=n) for n in range(-2, (last - START).days + 1)
    }
    for day in {one.seen_on for one in seen}:
        so_far = runs.filter(pl.col("local_date") <= day)
        rows = (
            upcoming_spikes(BEGINNER, so_far, today=day, days=4)
            .select("local_date", "session", "longest_30d_m")
            .rows()
        )
        told = [
            (o.session.local_date, o.session.session, o.longest and o.longest.distance_m)
            for o in seen
            if o.seen_on == day
        ]
        assert told == rows
