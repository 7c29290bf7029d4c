"""How closely a plan was kept, by session and by week."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.adherence import ADHERENCE, WEEKLY_ADHERENCE, session_adherence, weekly_adherence
from analytics.plan import PLAN_VS_ACTUAL, dated, plan_vs_actual

RACE = date(2026, 10, 11)
PLAN = dated(
    pl.read_csv(Path(__file__).parents[1] / "plans" / "half_marathon_beginner.csv"),
    name="beginner",
    race_date=RACE,
)
# Week 1: Tue easy 5 km in 35 min, Wed strength, Thu easy 5 in 35, Fri strength, Sat easy 4 in 28, Sun long 8.5 in 62
MON, TUE, WED, THU, FRI, SAT, SUN = (RACE - timedelta(days=111 - day) for day in range(7))
NEXT_MON = SUN + timedelta(days=1)
ZONES = {"activity_id": pl.String, "kind": pl.String, "zone": pl.Int32, "time_s": pl.Float64}


def kept(
    *rows: tuple[date, float, float],
    today: date = NEXT_MON,
    strength: tuple[date, ...] = (),
    zones: list[tuple[str, str, int, float]] | None = None,
    plan: pl.DataFrame = PLAN,
) -> pl.DataFrame:
    """Sessions with their adherence; runs are (day, km, minutes), the place in the list is the id."""
    runs = pl.DataFrame(
        [(str(i), day, km * 1000, minutes * 60) for i, (day, km, minutes) in enumerate(rows)],
        schema={
            "activity_id": pl.String,
            "local_date": pl.Date,
            "distance_m": pl.Float64,
            "timer_s": pl.Float64,
        },
        orient="row",
    )
    matched = plan_vs_actual(plan, runs, list(strength), today=today)
    return session_adherence(matched, plan, runs, pl.DataFrame(zones or [], schema=ZONES, orient="row"))


def week_1(*rows: tuple[date, float, float], **others: object) -> dict[str, object]:
    today = others.get("today", NEXT_MON)
    found = weekly_adherence(kept(*rows, **others), PLAN, today=today)  # type: ignore[arg-type]
    return found.row(0, named=True)


@pytest.mark.parametrize(
    ("km", "band"),
    [
        (2.4, "far less"), (2.5, "less"), (3.9, "less"), (4.0, "as planned"), (6.0, "as planned"), (6.1, "more"),
        (7.5, "more"), (7.6, "far more"),
    ],
)  # fmt: skip
def test_the_bands_are_those_that_a_coach_knows(km, band):
    """Within a fifth of the plan, within half of it, and beyond; the limits belong to the milder band."""
    session = kept((TUE, km, 35 * km / 5), today=WED).row(1, named=True)

    assert (session["distance_band"], session["time_band"]) == (band, band)


def test_a_session_without_a_run_has_no_band():
    """Missed, rest and strength: nothing was run, which is not none of the plan."""
    found = kept(strength=(WED,))

    assert found.schema == pl.Schema({**PLAN_VS_ACTUAL, **ADHERENCE})
    assert found["distance_band"].null_count() == len(found)
    assert found.row(1, named=True)["planned_timer_s"] == 35 * 60
    assert found.row(2, named=True)["planned_timer_s"] is None
    assert found.row(2, named=True)["zone"] is None


@pytest.mark.parametrize(
    ("above_s", "intensity"), [(0, "as planned"), (420, "as planned"), (421, "harder"), (2100, "harder")]
)
def test_more_than_a_fifth_above_the_zone_is_harder(above_s, intensity):
    """Tuesday is planned in zone 2; heart rate decides, whatever pace says."""
    zones = [
        ("0", "heart_rate", 1, 1680.0 - max(0, above_s - 420)),
        ("0", "heart_rate", 3, float(above_s)),
        ("0", "heart_rate", 2, float(420 - min(above_s, 420))),
        ("0", "pace", 5, 2100.0),
    ]

    session = kept((TUE, 5, 35), zones=zones, today=WED).row(1, named=True)

    assert session["zone"] == "Z2"
    assert session["above_zone_share"] == pytest.approx(above_s / 2100)
    assert session["intensity"] == intensity


def test_a_tempo_run_that_never_reached_its_zone_was_easier_and_an_easy_run_never_is():
    """Pace stands in where there is no heart rate; without either nothing is said."""
    tempo = PLAN.filter(pl.col("zone") == "Z4").row(0, named=True)
    zones = [("0", "pace", 1, 60.0), ("1", "pace", 3, 96.0), ("1", "pace", 4, 4.0)]

    found = kept((TUE, 5, 35), (tempo["local_date"], 6, 40), (THU, 5, 35), zones=zones, today=RACE)

    said = dict(found.drop_nulls("activity_id").select("activity_id", "intensity").rows())
    assert said == {"0": "as planned", "1": "easier", "2": None}


def test_two_equal_sessions_of_a_day_are_told_apart():
    """Morning and evening of the same length stay two rows."""
    twice = pl.concat([PLAN, PLAN.filter(pl.col("local_date") == TUE)])

    found = kept((TUE, 5, 35), (TUE, 5.1, 36), plan=twice)

    assert len(found) == len(twice)
    assert found.filter(pl.col("local_date") == TUE)["activity_id"].to_list() == ["0", "1"]


def test_a_week_puts_what_was_due_beside_what_was_done():
    """Two of three runs by Saturday, one of two strength sessions, and a run that nobody planned."""
    week = week_1((TUE, 5, 35), (THU, 4.5, 30), (FRI, 1, 7), today=SAT, strength=(WED,))

    assert (week["plan_week"], week["week_start"]) == (1, MON)
    assert (week["planned_distance_m"], week["distance_m"]) == (10_000, 10_500)
    assert (week["planned_timer_s"], week["timer_s"]) == (70 * 60, 72 * 60)
    assert week["distance_share"] == pytest.approx(1.05)
    assert (week["distance_band"], week["time_band"]) == ("as planned", "as planned")
    assert (week["planned_sessions"], week["done_sessions"], week["unplanned_runs"]) == (4, 3, 1)
    assert week["sessions_share"] == pytest.approx(0.75)


def test_a_week_in_which_nothing_was_due_yet_has_no_shares():
    """On Monday of the first week nothing was kept and nothing was missed."""
    week = week_1(today=MON)

    assert (week["planned_sessions"], week["distance_share"], week["distance_band"]) == (0, None, None)
    assert week["sessions_share"] is None


def test_a_missed_week_is_far_less_and_weeks_ahead_are_not_shown():
    """Nothing of 22.5 km."""
    found = weekly_adherence(kept(), PLAN, today=NEXT_MON)

    assert found.schema == WEEKLY_ADHERENCE
    assert found.select("plan_week", "distance_band", "sessions_share").rows() == [
        (1, "far less", 0.0),
        (2, None, None),
    ]


def test_without_a_plan_there_are_no_weeks():
    """No plan is no error."""
    nothing = PLAN.clear()

    assert weekly_adherence(kept(plan=nothing), nothing, today=MON).is_empty()


days_km_minutes = st.tuples(st.integers(0, 111), st.floats(0.5, 25), st.floats(5, 200)).map(
    lambda row: (MON + timedelta(days=row[0]), row[1], row[2])
)


@given(st.lists(days_km_minutes, max_size=12), st.integers(0, 120))
def test_no_metre_and_no_session_is_lost_or_counted_twice(rows, days):
    """The weeks hold what the plan's days and the runs hold, and done never adds to planned."""
    today = MON + timedelta(days=days)

    sessions = kept(*rows, today=today)
    weeks = weekly_adherence(sessions, PLAN, today=RACE)

    due = sessions.filter(pl.col("status") != "upcoming")
    assert len(sessions) >= len(PLAN)
    assert weeks["distance_m"].sum() == pytest.approx(sum(km for _, km, _ in rows) * 1000)
    assert weeks["planned_distance_m"].sum() == pytest.approx(due["planned_distance_m"].fill_null(0).sum())
    assert (weeks["done_sessions"] <= weeks["planned_sessions"]).all()
