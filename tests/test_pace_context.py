"""What stands beside weekly pace: how sure its trend is, heat and hills, and the plan's pace by zone."""

import random
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.pace_context import WEEKLY_PACE, ZONE_PACE, weekly_pace, zone_pace
from analytics.plan import PLAN_SESSIONS, PLAN_VS_ACTUAL
from store.database import frame, opened_published
from store.home import Home

MON = date(2026, 6, 1)
WEEKS = pl.Schema({"week_start": pl.Date, "easy_pace_s_per_km": pl.Float64})
RUNS = pl.Schema(
    {
        "activity_id": pl.String,
        "local_date": pl.Date,
        **dict.fromkeys(
            ("distance_m", "ascent_m", "easy_pace_s", "temperature_c", "gap_s_per_km", "avg_hr_bpm"),
            pl.Float64,
        ),
    }
)
EASY_WEEKS = (372.0, 370, 371, 366, 365, 380, 360, 358)  # the worked example: p is 0.06349
RISING = (360.0, 362, 364, 366, 368, 370, 372, 374)


def weeks_of(*paces: float | None) -> pl.DataFrame:
    rows = [(MON + timedelta(weeks=week), pace) for week, pace in enumerate(paces)]
    return pl.DataFrame(rows, schema=WEEKS, orient="row")


def starts(count: int) -> pl.Series:
    return weeks_of(*[None] * count).get_column("week_start")


def run(days: int, **values: object) -> dict[str, object]:
    """A run of 10 km with a quarter of an hour of easy pace, so many days after the Monday."""
    known = {"activity_id": f"run {days}", "local_date": MON + timedelta(days=days)}
    return known | {"distance_m": 10_000.0, "easy_pace_s": 900.0} | values


def runs_of(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=RUNS)


def one_a_week(name: str, *values: float | None) -> pl.DataFrame:
    return runs_of(*(run(7 * week, **{name: value}) for week, value in enumerate(values)))


def test_the_trend_of_eight_weeks_is_that_of_the_worked_example() -> None:
    """Nothing below six weeks, then p and tau of the weeks so far; missing weeks are left out."""
    told = weekly_pace(weeks_of(*EASY_WEEKS), RUNS.to_frame())

    assert told["trend_p"].to_list()[:5] == [None] * 5
    assert told["confounders"].to_list()[4:6] == [None, []]
    last = told.row(-1, named=True)
    assert (last["trend_p"], last["trend_tau"]) == pytest.approx((0.06349, -0.5714), rel=5e-4)
    gaps = [pace for known in EASY_WEEKS for pace in (known, None)]
    assert weekly_pace(weeks_of(*gaps), RUNS.to_frame())["trend_p"][-1] == pytest.approx(last["trend_p"])


def test_the_trend_looks_back_sixteen_weeks() -> None:
    """What was before them has no say."""
    told = weekly_pace(weeks_of(*[500.0] * 10, *[360.0] * 16), RUNS.to_frame())

    assert told["trend_p"][-1] == 1
    assert told["trend_tau"][-1] is None  # all alike: no rank is above another
    assert told["trend_p"][-2] < 1


def test_circumstances_are_those_of_easy_running() -> None:
    """Temperature by the seconds of easy pace, climb over distance; a race of intervals has no part in it."""
    runs = runs_of(
        run(0, temperature_c=10.0, ascent_m=50.0),
        run(2, temperature_c=20.0, ascent_m=250.0, easy_pace_s=300.0),
        run(3, temperature_c=None, ascent_m=None),
        run(4, temperature_c=35.0, ascent_m=900.0, easy_pace_s=0.0),
        run(8),
    )

    told = weekly_pace(weeks_of(360, 362), runs)

    assert told["temperature_c"].to_list() == [pytest.approx(12.5), None]
    assert told["climb_m_per_km"].to_list() == [pytest.approx(15), None]


def test_the_line_through_the_runs_of_a_week_is_a_second_opinion() -> None:
    """Read at 75 % of the maximum; unknown without it, below three runs, and where no run was that hard."""
    points = [(130, 2.60), (140, 2.80), (150, 3.00), (155, 3.12)]
    runs = runs_of(
        *(
            run(day + 7 * week, avg_hr_bpm=hr_bpm + harder, gap_s_per_km=1000 / speed)
            for week, (count, harder) in enumerate([(4, 0), (2, 0), (4, 20)])
            for day, (hr_bpm, speed) in enumerate(points[:count])
        ),
        run(6, avg_hr_bpm=150.0),
    )

    told = weekly_pace(weeks_of(None, None, None), runs, max_hr_bpm=145 / 0.75)

    assert told["line_pace_s_per_km"].to_list() == [pytest.approx(344.14, abs=0.005), None, None]
    assert weekly_pace(weeks_of(None), runs)["line_pace_s_per_km"].to_list() == [None]


@pytest.mark.parametrize(
    ("column", "per_unit", "word"), [("temperature_c", 1.0, "heat"), ("ascent_m", 10.0, "hills")]
)
@pytest.mark.parametrize(
    ("values", "is_named"),
    [
        ((8, 10, 11, 12, 14, 15, 17, 20), True),
        ((20, 17, 15, 14, 12, 11, 10, 8), False),
        ((8, 8.5, 9, 9.5, 10, 10.5, 11, 11.5), False),
        ((14, 8, 20, 11, 17, 10, 12, 15), False),
        ((8, 10, 11, None, None, None, 17, 20), False),
    ],
    ids=["slower when higher", "faster when higher", "hardly any range", "no connection", "five weeks known"],
)
def test_a_confounder_is_named_when_the_data_show_it(
    column: str, per_unit: float, word: str, values: tuple[float | None, ...], is_named: bool
) -> None:
    """Slower the higher it was, over a range that matters, in six weeks or more."""
    runs = one_a_week(column, *(None if value is None else value * per_unit for value in values))

    told = weekly_pace(weeks_of(*RISING), runs)

    assert told["confounders"][-1].to_list() == ([word] if is_named else [])


def test_no_weeks_no_runs_and_a_year_between_two() -> None:
    """Empty and thin histories are no trouble."""
    assert weekly_pace(weeks_of(), RUNS.to_frame()).schema == WEEKLY_PACE
    assert weekly_pace(weeks_of(360.0), runs_of(run(0)))["trend_p"].to_list() == [None]
    year = weekly_pace(weeks_of(360.0, *[None] * 52, 355.0), runs_of(run(0), run(371, temperature_c=9.0)))
    assert (len(year), year["temperature_c"][-1], year["trend_p"].null_count()) == (54, 9, 54)


def sessions_of(*rows: tuple[int, str, str, float, float]) -> pl.DataFrame:
    """Planned sessions from days after the Monday, session, zone, kilometres and minutes."""
    return pl.DataFrame(
        [
            {
                "local_date": MON + timedelta(days=days),
                "session": session,
                "zone": zone,
                "distance_m": km * 1000,
                "duration_s": minutes * 60,
            }
            for days, session, zone, km, minutes in rows
        ],
        schema=PLAN_SESSIONS,
    )


def matched_of(*rows: tuple[int, str, float, str | None]) -> pl.DataFrame:
    """Sessions with the run that stands for each."""
    return pl.DataFrame(
        [
            {
                "local_date": MON + timedelta(days=days),
                "session": session,
                "planned_distance_m": km * 1000,
                "activity_id": activity_id,
            }
            for days, session, km, activity_id in rows
        ],
        schema=PLAN_VS_ACTUAL,
    )


def test_pace_by_zone_is_that_of_the_sessions_that_were_run() -> None:
    """Two easy runs count by their length, one that was missed and one that was not planned do not."""
    sessions = sessions_of(
        (1, "easy", "Z2", 6, 42),
        (3, "easy", "Z2", 6, 42),
        (5, "tempo", "Z4", 5, 30),
        (6, "long", "Z2", 12, 90),
        (6, "strength", "none", 0, 30),
    )
    matched = matched_of(
        (1, "easy", 6, "run 1"),
        (3, "easy", 6, None),
        (5, "tempo", 5, "run 5"),
        (6, "long", 12, "run 6"),
        (6, "strength", 0, None),
    )
    runs = runs_of(
        run(1, distance_m=5000.0, gap_s_per_km=400.0),
        run(2, gap_s_per_km=300.0),
        run(5, distance_m=5000.0, gap_s_per_km=361.0),
        run(6, distance_m=10_000.0, gap_s_per_km=430.0),
    )

    told = zone_pace(sessions, matched, runs, starts(1)).to_dicts()

    assert [(row["zone"], row["runs"], row["distance_m"]) for row in told] == [
        ("Z2", 2, 15_000),
        ("Z4", 1, 5000),
    ]
    assert [row["planned_pace_s_per_km"] for row in told] == [pytest.approx(132 * 60 / 18), 360]
    assert [row["gap_s_per_km"] for row in told] == [pytest.approx(420), 361]


@pytest.mark.parametrize(
    ("gap_s_per_km", "word"),
    [
        (398.9, "faster than planned"),
        (399.1, "as planned"),
        (440.9, "as planned"),
        (441.1, "slower than planned"),
    ],
)
def test_within_five_percent_is_as_planned(gap_s_per_km: float, word: str) -> None:
    """7:00 planned."""
    told = zone_pace(
        sessions_of((1, "easy", "Z2", 6, 42)),
        matched_of((1, "easy", 6, "run 1")),
        runs_of(run(1, gap_s_per_km=gap_s_per_km)),
        starts(1),
    )

    assert told["pace"].to_list() == [word]


def test_two_sessions_alike_on_one_day_count_once_each() -> None:
    """As when one was moved to the day of the other."""
    sessions = sessions_of((1, "easy", "Z2", 6, 42), (1, "easy", "Z2", 4, 30))
    matched = matched_of((1, "easy", 4, "short"), (1, "easy", 6, "long"))
    runs = runs_of(
        run(1, activity_id="long", distance_m=6000.0, gap_s_per_km=420.0),
        run(1, activity_id="short", distance_m=4000.0, gap_s_per_km=450.0),
    )

    (told,) = zone_pace(sessions, matched, runs, starts(1)).to_dicts()

    assert (told["runs"], told["distance_m"]) == (2, 10_000)
    assert told["planned_pace_s_per_km"] == pytest.approx(432)


def test_a_run_without_pace_and_no_plan_have_no_zones() -> None:
    """Nothing is made up."""
    sessions, matched = sessions_of((1, "easy", "Z2", 6, 42)), matched_of((1, "easy", 6, "run 1"))

    assert zone_pace(sessions, matched, runs_of(run(1)), starts(1)).is_empty()
    nothing = zone_pace(PLAN_SESSIONS.to_frame(), PLAN_VS_ACTUAL.to_frame(), RUNS.to_frame(), starts(0))
    assert nothing.schema == ZONE_PACE


@given(
    st.lists(
        st.tuples(st.integers(0, 70), st.none() | st.integers(-5, 35)),
        max_size=25,
        unique_by=lambda row: row[0],
    ),
    st.randoms(),
)
def test_the_order_of_runs_does_not_matter(
    rows: list[tuple[int, float | None]], shuffled: random.Random
) -> None:
    """Whichever file came first."""
    runs = [run(days, temperature_c=degrees) for days, degrees in rows]
    weeks = weeks_of(*EASY_WEEKS, 371, 359)
    in_order = weekly_pace(weeks, runs_of(*runs))
    shuffled.shuffle(runs)

    assert weekly_pace(weeks, runs_of(*runs)).equals(in_order)


def test_the_whole_way_fills_both_tables(sample_home: Home) -> None:
    """Mara's weeks have a row each, and her easy runs are near the plan's pace until she gets faster."""
    with opened_published(sample_home) as con:
        weeks = frame(con, "select week_start from weekly_trends where week_start <= '2026-10-03' order by 1")
        beside = frame(con, "from weekly_pace order by week_start")
        zones = frame(con, "from zone_pace order by week_start, zone")

    assert beside["week_start"].equals(weeks["week_start"])
    assert beside["trend_p"].drop_nulls().is_between(0, 1).all()
    assert zones.filter(zone="Z2")["pace"].to_list()[:3] == ["as planned"] * 3
    assert "faster than planned" in zones.filter(zone="Z2")["pace"].to_list()
