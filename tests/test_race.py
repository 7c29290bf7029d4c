"""What best efforts are worth: critical speed, Riegel, VDOT, and the weeks they speak for."""

import json
import random
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.race import (
    EFFORTS,
    HALF_MARATHON_M,
    RACE_EQUIVALENTS,
    critical_speed,
    race_equivalents,
    riegel_exponent,
    riegel_s,
    vdot,
    vdot_time_s,
)
from store.database import frame, insert_rows, opened_published, opened_store
from store.home import Home

FORMULAS = json.loads((Path(__file__).parent / "data" / "formulas.json").read_text())
MON = date(2026, 6, 1)


def efforts_of(*rows: tuple[str, int, float, float]) -> pl.DataFrame:
    """Efforts from run, days after the Monday, metres and seconds."""
    return pl.DataFrame(
        [(run, MON + timedelta(days=days), metres, seconds) for run, days, metres, seconds in rows],
        schema=EFFORTS,
        orient="row",
    )


def weeks(count: int) -> pl.Series:
    """First days of so many weeks from the Monday on."""
    return pl.Series([MON + timedelta(weeks=week) for week in range(count)], dtype=pl.Date)


def test_critical_speed_of_the_worked_example() -> None:
    """Three efforts: slope, height and fit of the line, and the 5 km it foretells."""
    line = critical_speed(np.array([1200.0, 2400, 3600]), np.array([240.0, 510, 790]))

    assert line is not None
    assert line[:3] == pytest.approx(FORMULAS["cs_fit"], rel=2e-5)
    assert 1000 / line.speed_m_per_s == pytest.approx(FORMULAS["cs_pace_s_per_km"], abs=0.05)
    foretold_s = (5000 - line.d_prime_m) / line.speed_m_per_s
    assert foretold_s == pytest.approx(FORMULAS["cs_pred_5000m_s"], abs=0.05)


def test_critical_speed_of_two_efforts_is_their_line() -> None:
    """Two are enough when they are far enough apart."""
    line = critical_speed(np.array([1200.0, 3600]), np.array([240.0, 790]))

    assert line is not None
    assert line[:2] == pytest.approx(FORMULAS["cs_2pt"], rel=2e-5)
    assert (line.r2, line.efforts) == (pytest.approx(1), 2)


@pytest.mark.parametrize(
    ("metres", "seconds"),
    [
        ([], []),
        ([1000], [240]),
        ([400, 5000], [119, 1201]),
        ([800, 1000], [200, 260]),
        ([800, 1609], [240, 482]),
    ],
    ids=["none", "one", "too short and too long", "close together", "the longer was faster"],
)
def test_critical_speed_is_unknown_where_no_line_can_be_trusted(
    metres: list[float], seconds: list[float]
) -> None:
    """Two to twenty minutes, the longest at least twice the shortest, and slower."""
    assert critical_speed(np.array(metres, dtype=float), np.array(seconds, dtype=float)) is None


@given(st.floats(2, 6), st.floats(0, 300), st.lists(st.integers(120, 1200), min_size=2, unique=True))
def test_critical_speed_finds_the_line_it_was_made_from(
    speed: float, d_prime_m: float, seconds: list[int]
) -> None:
    """On the line it is the line; near or even efforts may have none."""
    time_s = np.array(seconds, dtype=float)

    line = critical_speed(d_prime_m + speed * time_s, time_s)

    if time_s.max() >= 2 * time_s.min():
        assert line is not None
        assert line[:2] == pytest.approx((speed, d_prime_m), rel=1e-6, abs=1e-5)
    else:
        assert line is None


@given(st.lists(st.tuples(st.floats(400, 5000), st.floats(120, 1200)), min_size=2, max_size=7))
def test_critical_speed_is_the_least_squares_line(rows: list[tuple[float, float]]) -> None:
    """Against SciPy's, on points that lie anywhere."""
    metres, seconds = np.array(rows).T

    line = critical_speed(metres, seconds)

    if line is not None:
        expected = stats.linregress(seconds, metres)
        assert (line.speed_m_per_s, line.d_prime_m) == pytest.approx(
            (expected.slope, max(expected.intercept, 0)), rel=1e-6, abs=1e-5
        )
        assert line.r2 == pytest.approx(expected.rvalue**2, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "metres", "seconds"),
    [
        ("riegel_10k_3000s_HM", 10000, 3000),
        ("riegel_5k_1500s_HM", 5000, 1500),
        ("riegel_10k_2640_HM(44:00)", 10000, 2640),
    ],
)
def test_riegel_of_the_worked_examples(name: str, metres: float, seconds: float) -> None:
    """Over the half marathon, by the exponent of 1981."""
    assert riegel_s(metres, seconds, HALF_MARATHON_M) == pytest.approx(FORMULAS[name], abs=0.05)


def test_an_own_exponent_takes_the_place_of_riegels() -> None:
    """25:00 over 5 km and 52:30 over 10 km."""
    exponent = riegel_exponent(5000, 1500, 10000, 3150)

    assert exponent == pytest.approx(FORMULAS["personal_exponent_5k1500_10k3150"], abs=5e-5)
    own_s = riegel_s(10000, 3150, HALF_MARATHON_M, exponent=exponent)
    assert own_s == pytest.approx(FORMULAS["riegel_personal_10k3150_HM"], abs=0.01)


@pytest.mark.parametrize(
    ("name", "metres", "minutes"),
    [
        ("vdot_5000_25min", 5000, 25),
        ("vdot_10000_50min", 10000, 50),
        ("vdot_21097.5_110min", 21097.5, 110),
        ("vdot_21097.5_120min", 21097.5, 120),
    ],
)
def test_vdot_of_the_worked_examples(name: str, metres: float, minutes: float) -> None:
    """Time goes into it in minutes, not seconds as one page has it."""
    assert vdot(metres, minutes * 60) == pytest.approx(FORMULAS[name], abs=5e-4)


def test_vdot_is_uptake_over_the_share_that_can_be_held() -> None:
    """200 m/min for 50 minutes: both halves of the fraction."""
    uptake, share = FORMULAS["vo2_at_200_m_min"], FORMULAS["pct_at_50min"]

    assert vdot(10000, 3000) == pytest.approx(uptake / share, abs=5e-4)


@pytest.mark.parametrize(
    ("name", "metres", "seconds"),
    [("vdot_HM_equiv_of_10k_50min_s", 10000, 3000), ("vdot_HM_equiv_of_5k_25min_s", 5000, 1500)],
)
def test_equal_vdot_over_the_half_marathon(name: str, metres: float, seconds: float) -> None:
    """The time whose VDOT is the same."""
    assert vdot_time_s(vdot(metres, seconds), HALF_MARATHON_M) == pytest.approx(FORMULAS[name], abs=0.05)


def test_vdot_83_over_5_km_is_as_published() -> None:
    """In minutes, to the fourth decimal."""
    assert vdot_time_s(83, 5000) / 60 == pytest.approx(FORMULAS["vdot83_5000m_min"], abs=5e-5)


@given(st.floats(1500, 42195), st.floats(2.0, 6.0))
def test_the_time_of_a_vdot_has_that_vdot(metres: float, speed: float) -> None:
    """There and back again."""
    seconds = metres / speed

    assert vdot_time_s(vdot(metres, seconds), metres) == pytest.approx(seconds, abs=2e-3)


def test_a_week_is_told_by_the_effort_that_is_worth_most() -> None:
    """10 km in 50:00 is worth more than 5 km in 25:00; a kilometre says nothing of a half marathon."""
    efforts = efforts_of(("a", 0, 5000, 1500), ("b", 2, 10000, 3000), ("c", 3, 1000, 215))

    (week,) = race_equivalents(efforts, weeks(1), goal_s=6900).to_dicts()

    assert (week["from_activity_id"], week["from_date"]) == ("b", MON + timedelta(days=2))
    assert (week["from_distance_m"], week["from_time_s"], week["goal_s"]) == (10000, 3000, 6900)
    assert week["half_riegel_s"] == pytest.approx(FORMULAS["riegel_10k_3000s_HM"], abs=0.05)
    assert week["half_vdot_s"] == pytest.approx(FORMULAS["vdot_HM_equiv_of_10k_50min_s"], abs=0.05)
    assert week["vdot"] == pytest.approx(FORMULAS["vdot_10000_50min"], abs=5e-4)
    assert (week["own_exponent"], week["critical_speed_m_per_s"]) == (None, None)  # as fast over 10 as over 5


def test_an_own_exponent_needs_two_runs() -> None:
    """5 km within the run of the 10 km were no effort of their own."""
    two = efforts_of(("a", 0, 5000, 1500), ("b", 2, 10000, 3150))
    one = two.with_columns(activity_id=pl.lit("a"))

    exponents = [race_equivalents(of, weeks(1))["own_exponent"].item() for of in (two, one)]

    assert exponents == [pytest.approx(1.0704, abs=5e-5), None]
    assert race_equivalents(two, weeks(1))["half_own_s"].item() == pytest.approx(
        1500 * 4.2195**1.070389, rel=1e-5
    )


def test_an_effort_counts_for_twelve_weeks() -> None:
    """Its own and the eleven after it; a slower one within them changes nothing, a faster one does."""
    efforts = efforts_of(("a", 6, 5000, 1500), ("b", 8, 5000, 1600), ("c", 21, 5000, 1400))

    told = race_equivalents(efforts, weeks(20))["from_activity_id"].to_list()

    assert told == ["a"] * 3 + ["c"] * 12 + [None] * 5


def test_nothing_run_is_nothing_known() -> None:
    """No weeks, no efforts, and a year between two runs."""
    a_year_apart = efforts_of(("a", 0, 5000, 1500), ("b", 370, 5000, 1500))

    assert race_equivalents(EFFORTS.to_frame(), weeks(0)).schema == RACE_EQUIVALENTS
    assert race_equivalents(EFFORTS.to_frame(), weeks(3))["vdot"].to_list() == [None] * 3
    told = race_equivalents(a_year_apart, weeks(54))["from_activity_id"].to_list()
    assert told == ["a"] * 12 + [None] * 40 + ["b"] * 2


@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.sampled_from([400.0, 1000.0, 5000.0, 10000.0]), st.floats(2.5, 5)),
        max_size=40,
    ),
    st.randoms(),
)
def test_the_order_of_efforts_does_not_matter(
    rows: list[tuple[int, float, float]], shuffled: random.Random
) -> None:
    """Whichever file came first."""
    efforts = [(f"run {days}", days, metres, metres / speed) for days, metres, speed in rows]
    in_order = race_equivalents(efforts_of(*efforts), weeks(30))
    shuffled.shuffle(efforts)

    assert race_equivalents(efforts_of(*efforts), weeks(30)).equals(in_order)


@given(st.lists(st.tuples(st.integers(0, 200), st.floats(2.5, 5)), min_size=1, max_size=20))
def test_a_further_effort_never_makes_a_week_slower(rows: list[tuple[int, float]]) -> None:
    """The half marathon of every week is at least as fast with the last effort as without it."""
    efforts = [(f"run {i}", days, 5000.0, 5000 / speed) for i, (days, speed) in enumerate(rows)]

    without, all_of_them = (
        race_equivalents(efforts_of(*some), weeks(30))["half_riegel_s"].fill_null(np.inf)
        for some in (efforts[:-1], efforts)
    )

    assert (all_of_them <= without).all()


def test_personal_bests_are_runs_faster_than_all_before(home: Home) -> None:
    """In order of the runs and not of intake; equal is not faster; athletes and distances apart."""
    runs = [("c", 9, 1000, 240), ("a", 1, 1000, 300), ("b", 5, 1000, 310), ("d", 12, 1000, 240)]
    runs += [("a", 1, 400, 100), ("d", 12, 400, 90)]
    started = {name: MON + timedelta(days=days) for name, days, _, _ in runs}
    with opened_store(home) as con:
        insert_rows(con, "activities", [activity(name, day) for name, day in started.items()])
        insert_rows(con, "activities", [activity("his", MON, athlete="tom")])
        insert_rows(con, "best_efforts", [effort(name, metres, s) for name, _, metres, s in runs])
        insert_rows(con, "best_efforts", [effort("his", 1000, 200)])
        found = frame(con, "from personal_bests order by athlete, distance_m, local_date").rows()

    assert found == [
        ("mara", 400, started["a"], "a", 100, None),
        ("mara", 400, started["d"], "d", 90, 100),
        ("mara", 1000, started["a"], "a", 300, None),
        ("mara", 1000, started["c"], "c", 240, 300),
        ("tom", 1000, MON, "his", 200, None),
    ]


def test_the_whole_way_tells_every_week_of_a_history(sample_home: Home) -> None:
    """From Mara's files: each week has its row, with the goal, from a run that is hers and lies in the window."""
    with opened_published(sample_home) as con:
        weeks = frame(con, "select week_start from weekly_trends where week_start <= '2026-10-03' order by 1")
        told = frame(
            con,
            "select e.*, r.local_date as run_on, b.time_s from race_equivalents e "
            "left join runs r on r.activity_id = from_activity_id "
            "left join best_efforts b on b.activity_id = from_activity_id and b.distance_m = from_distance_m "
            "order by week_start",
        )

    assert told["week_start"].equals(weeks["week_start"])
    assert set(told["goal_s"]) == {7500.0}
    known = told.filter(pl.col("half_riegel_s").is_not_null())
    assert len(known) >= len(weeks) - 1
    assert known.filter(
        pl.col("run_on") == pl.col("from_date"), pl.col("time_s") == pl.col("from_time_s")
    ).equals(known)
    assert (known["from_date"] > known["week_start"] - timedelta(weeks=11, days=1)).all()


def activity(name: str, day: date, *, athlete: str = "mara") -> dict[str, object]:
    return {
        "activity_id": name,
        "athlete": athlete,
        "export_id": name,
        "sport": "running",
        "is_run": True,
        "is_indoor": False,
        "started_at": f"{day}T06:00:00Z",
        "local_date": day,
        "utc_offset_s": 7200,
        "elapsed_s": 3000.0,
        "timer_s": 3000.0,
    }


def effort(name: str, metres: float, seconds: float) -> dict[str, object]:
    return {"activity_id": name, "distance_m": metres, "time_s": seconds, "started_at_elapsed_s": 0.0}
