"""Load by day and trends by week: without gaps, nothing lost, unknown is null."""

from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.calendar import DAILY_LOAD, WEEKLY_TRENDS, daily_load, weekly_totals, with_pace_trends
from analytics.plan import PLAN_SESSIONS, RUN_SESSIONS, dated
from store.database import migrate

ROOT = Path(__file__).parents[1]
MON = date(2026, 9, 28)
RUNS = pl.Schema(
    {
        "activity_id": pl.String,
        "local_date": pl.Date,
        **dict.fromkeys(
            (
                "distance_m",
                "timer_s",
                "descent_m",
                "steep_descent_m",
                "steps",
                "srpe",
                "hrss",
                "rtss",
                "knee_load_klu",
                "pace_s_per_km",
                "gap_s_per_km",
                "easy_pace_s_per_km",
                "easy_pace_s",
                "efficiency_m_per_min_per_bpm",
            ),
            pl.Float64,
        ),
    }
)
STRENGTH = pl.Schema({"local_date": pl.Date, "srpe": pl.Float64})
PAIN = pl.Schema(
    {
        "local_date": pl.Date,
        **dict.fromkeys(("before", "during", "after_60min", "next_morning"), pl.Float64),
    }
)
NO_STRENGTH, NO_PAIN, NO_PLAN = STRENGTH.to_frame(), PAIN.to_frame(), PLAN_SESSIONS.to_frame()
BEGINNER = pl.read_csv(ROOT / "plans" / "half_marathon_beginner.csv")


def runs_of(*rows: dict[str, object]) -> pl.DataFrame:
    """Runs with the columns given, the others null; the place in the list is the id."""
    return pl.DataFrame([{"activity_id": str(i), **row} for i, row in enumerate(rows)], schema=RUNS)


def run(days: float, **values: object) -> dict[str, object]:
    """A run of 10 km in an hour, so many days after the Monday."""
    return {"local_date": MON + timedelta(days=days), "distance_m": 10_000.0, "timer_s": 3600.0} | values


def strength_of(*rows: tuple[int, float | None]) -> pl.DataFrame:
    """Strength sessions from pairs of days after the Monday and session-RPE."""
    return pl.DataFrame([(MON + timedelta(days=d), srpe) for d, srpe in rows], schema=STRENGTH, orient="row")


def weeks_of(
    runs: pl.DataFrame,
    *,
    today: date,
    plan: pl.DataFrame = NO_PLAN,
    pain: pl.DataFrame = NO_PAIN,
    strength: pl.DataFrame = NO_STRENGTH,
    week_starts_on: int = 0,
) -> pl.DataFrame:
    """Weekly trends over the daily load of the same runs."""
    daily = daily_load(runs, strength, through=today)
    totals = weekly_totals(daily, runs, plan, pain, strength, today=today, week_starts_on=week_starts_on)
    return with_pace_trends(totals, today=today)


@pytest.mark.parametrize(("table", "schema"), [("daily_load", DAILY_LOAD), ("weekly_trends", WEEKLY_TRENDS)])
def test_the_frames_have_the_columns_of_their_tables(table, schema):
    """All of them, without the athlete."""
    with duckdb.connect() as con:
        migrate(con)
        columns = {str(row[0]) for row in con.execute(f"describe {table}").fetchall()}

    assert {"athlete", *schema.names()} == columns


def test_no_sessions_are_no_days_and_no_weeks():
    """Empty in, empty out, with the columns."""
    daily = daily_load(runs_of(), NO_STRENGTH, through=MON)

    assert daily.schema == DAILY_LOAD
    assert daily.is_empty()
    weeks = weeks_of(runs_of(), today=MON)
    assert weeks.schema == WEEKLY_TRENDS
    assert weeks.is_empty()


def test_one_run_makes_its_day_and_the_days_since():
    """Rest days are 0, and what was not measured is null on the day of the run only."""
    daily = daily_load(runs_of(run(0, hrss=80.0)), NO_STRENGTH, through=MON + timedelta(days=2))

    assert daily.schema == DAILY_LOAD
    assert daily["local_date"].to_list() == [MON + timedelta(days=i) for i in range(3)]
    assert daily["runs"].to_list() == [1, 0, 0]
    assert daily["distance_m"].to_list() == [10_000, 0, 0]
    assert daily["hrss"].to_list() == [80, 0, 0]
    for name in ("srpe", "rtss", "knee_load_klu", "descent_m", "steep_descent_m"):
        assert daily[name].to_list() == [None, 0, 0]


def test_a_day_sums_what_is_known_of_its_runs():
    """Two runs, one without heart rate: the load of the other stands."""
    runs = runs_of(run(0, hrss=80.0, descent_m=50.0), run(0, descent_m=30.0, distance_m=None))

    day = daily_load(runs, NO_STRENGTH, through=MON).row(0, named=True)

    assert (day["runs"], day["distance_m"], day["timer_s"]) == (2, 10_000, 7200)
    assert (day["hrss"], day["descent_m"], day["rtss"]) == (80, 80, None)


def test_strength_counts_for_exertion_only():
    """It starts the calendar, adds its session-RPE, and is no run."""
    daily = daily_load(
        runs_of(run(2, srpe=300.0)),
        strength_of((0, 150.0), (1, None), (2, 100.0)),
        through=MON + timedelta(days=3),
    )

    assert daily["srpe"].to_list() == [150, None, 400, 0]
    assert daily["runs"].to_list() == [0, 0, 1, 0]
    assert daily["hrss"].to_list() == [0, 0, None, 0]


@pytest.mark.parametrize(
    ("runs", "strength", "load"),
    [
        (runs_of(run(0, hrss=80.0, rtss=90.0, srpe=300.0), run(1, rtss=90.0)), NO_STRENGTH, 80),
        (runs_of(run(0, rtss=90.0, srpe=300.0), run(1, srpe=90.0)), NO_STRENGTH, 90),
        (runs_of(run(0, srpe=300.0)), NO_STRENGTH, 300),
        (runs_of(run(0)), strength_of((0, 150.0)), 150),
        (runs_of(run(0, rtss=45.0, hrss=80.0), run(0, rtss=45.0), run(1)), NO_STRENGTH, 90),
        (runs_of(run(0, rtss=90.0), *[run(1) for _ in range(3)]), strength_of((0, 1.0), (0, 0.0)), 1),
        (runs_of(run(0)), NO_STRENGTH, None),
    ],
)
def test_fitness_rests_on_one_unit_for_the_whole_history(runs, strength, load):
    """Heart rate first, then pace, then exertion, each where half of the runs have it; units never mix."""
    daily = daily_load(runs, strength, through=MON + timedelta(days=1))

    if load is None:
        assert daily.select("ctl", "atl", "tsb", "load_unit").null_count().row(0) == (2, 2, 2, 2)
    else:
        assert daily["ctl"][0] == pytest.approx(load * 0.023528, rel=1e-4)
        assert daily["ctl"][1] < daily["ctl"][0]
        assert daily["tsb"][1] == pytest.approx(daily["ctl"][0] - daily["atl"][0])
        assert daily["load_unit"].to_list() == [{80: "hrss", 90: "rtss"}.get(load, "srpe")] * 2


def test_the_first_six_weeks_are_a_warm_up():
    """42 days, and ACWR is unknown for the first 27."""
    daily = daily_load(runs_of(*(run(d) for d in range(50))), NO_STRENGTH, through=MON + timedelta(days=49))

    assert daily["is_warming_up"].sum() == 42
    assert daily["acwr_uncoupled"].null_count() == 27
    assert daily["acwr_uncoupled"][27:].to_list() == pytest.approx([1.0] * 23)
    assert daily["acwr_ewma"].to_list() == pytest.approx([1.0] * 50)


def test_a_year_without_a_run_is_a_year_of_days_and_weeks():
    """No gap, no infinite ratio, and a new start is no ramp."""
    runs, today = runs_of(run(0), run(400)), MON + timedelta(days=400)

    daily, weeks = daily_load(runs, NO_STRENGTH, through=today), weeks_of(runs, today=today)

    assert len(daily) == 401
    assert daily["acwr_uncoupled"][-1] is None
    assert daily["distance_m"].sum() == 20_000
    assert len(weeks) == 58
    assert weeks["week_start"].diff().drop_nulls().unique().to_list() == [timedelta(days=7)]
    assert weeks["ramp_ratio"].to_list()[:3] == [None, -1, None]
    assert weeks["ramp_ratio"][-1] is None


def test_days_after_the_last_are_left_out():
    """A watch with its clock ahead makes no future."""
    daily = daily_load(runs_of(run(0), run(5)), NO_STRENGTH, through=MON + timedelta(days=2))

    assert daily["local_date"].max() == MON + timedelta(days=2)
    assert daily_load(runs_of(run(5)), NO_STRENGTH, through=MON).is_empty()
    assert weeks_of(runs_of(run(9)), today=MON).is_empty()


@pytest.mark.parametrize("week_starts_on", range(7))
def test_a_week_starts_on_the_day_that_was_set(week_starts_on):
    """Over a year with 53 weeks and its turn."""
    runs = runs_of(*(run(days) for days in range(0, 120, 3)))

    weeks = weeks_of(runs, today=MON + timedelta(days=120), week_starts_on=week_starts_on)

    assert set(weeks["week_start"].dt.weekday()) == {week_starts_on + 1}
    assert weeks["week_start"].diff().drop_nulls().unique().to_list() == [timedelta(days=7)]
    assert weeks["week_start"][0] <= MON < weeks["week_start"][0] + timedelta(days=7)
    assert weeks["runs"].sum() == 40


def test_a_week_sums_and_averages_its_runs():
    """Totals, the longest, paces weighted by distance and efficiency by time."""
    runs = runs_of(
        run(0, gap_s_per_km=350.0, efficiency_m_per_min_per_bpm=1.0, hrss=50.0, srpe=200.0),
        run(2, distance_m=5000.0, timer_s=1500.0, gap_s_per_km=290.0, efficiency_m_per_min_per_bpm=1.2),
        run(4, distance_m=None, timer_s=1500.0, knee_load_klu=4.0),
    )

    week = weeks_of(runs, today=MON + timedelta(days=6), strength=strength_of((1, 100.0), (3, None))).row(
        0, named=True
    )

    assert (week["runs"], week["distance_m"], week["timer_s"]) == (3, 15_000, 6600)
    assert (week["longest_run_m"], week["strength_sessions"], week["alerts"]) == (10_000, 2, 0)
    assert week["pace_s_per_km"] == pytest.approx(5100 / 15)
    assert week["gap_s_per_km"] == pytest.approx((350 * 2 + 290) / 3)
    assert week["efficiency_m_per_min_per_bpm"] == pytest.approx((3600 + 1.2 * 1500) / 5100)
    assert (week["load_hrss"], week["load_rtss"], week["load_srpe"], week["knee_load_klu"]) == (
        50,
        None,
        300,
        4,
    )
    assert (week["plan_week"], week["planned_distance_m"], week["done_share"]) == (None, None, None)


def test_two_weeks_are_held_against_each_other():
    """30 km, a week between, 40 km: the published third more; nothing two weeks before is no ratio."""
    runs = runs_of(*(run(7 * week, distance_m=km * 1000.0) for week, km in enumerate((30, 36, 40))))

    weeks = weeks_of(runs, today=MON + timedelta(days=21))

    assert weeks["two_week_ramp_ratio"].to_list() == [None, None, pytest.approx(1 / 3), -1]


def test_steps_and_steep_metres_are_summed_where_they_are_known():
    """A run without them does not make them 0, a week of rest does."""
    runs = runs_of(
        run(0, steps=8000.0, steep_descent_m=40.0), run(1, steps=6000.0), run(7), run(14, distance_m=None)
    )

    weeks = weeks_of(runs, today=MON + timedelta(days=27))

    assert weeks["steps"].to_list() == [14_000, None, None, 0]
    assert weeks["steep_descent_m"].to_list() == [40, None, None, 0]


def test_a_week_of_rest_is_zero_and_has_no_pace():
    """Loads are 0, what would divide by 0 is null."""
    rest = weeks_of(runs_of(run(0), run(14)), today=MON + timedelta(days=14)).row(1, named=True)

    assert (rest["runs"], rest["distance_m"], rest["load_hrss"], rest["load_srpe"]) == (0, 0, 0, 0)
    for name in (
        "longest_run_m",
        "pace_s_per_km",
        "gap_s_per_km",
        "easy_pace_s_per_km",
        "monotony",
        "worst_pain",
    ):
        assert rest[name] is None


def test_easy_pace_needs_a_quarter_of_an_hour():
    """Runs are weighted by the seconds they contribute."""
    runs = runs_of(
        run(0, easy_pace_s_per_km=360.0, easy_pace_s=600.0),
        run(1, easy_pace_s_per_km=390.0, easy_pace_s=300.0),
        run(2, easy_pace_s_per_km=None, easy_pace_s=0.0),
        run(7, easy_pace_s_per_km=360.0, easy_pace_s=899.0),
    )

    weeks = weeks_of(runs, today=MON + timedelta(days=13))

    assert weeks["easy_pace_s_per_km"].to_list() == [pytest.approx(370), None]


def test_monotony_needs_the_whole_week():
    """Seven days of history, in kilometres; the running week waits for its end."""
    km = [5, 0, 8, 0, 5, 0, 12]
    runs = runs_of(*(run(d, distance_m=km[d % 7] * 1000.0) for d in range(17) if km[d % 7]))

    weeks = weeks_of(runs, today=MON + timedelta(days=16))

    mean = 30 / 7
    deviation = (sum((x - mean) ** 2 for x in km) / 6) ** 0.5
    assert weeks["monotony"].to_list() == [pytest.approx(mean / deviation)] * 2 + [None]
    assert weeks["strain"].to_list() == [pytest.approx(30 * mean / deviation)] * 2 + [None]


def test_the_ratio_of_a_week_is_that_of_its_last_day_so_far():
    """As in daily_load."""
    runs, today = runs_of(*(run(d, distance_m=1000.0 * (d + 1)) for d in range(40))), MON + timedelta(days=39)

    weeks = weeks_of(runs, today=today)

    daily = daily_load(runs, NO_STRENGTH, through=today)["acwr_uncoupled"]
    assert weeks["acwr_uncoupled"].to_list() == [None, None, None, daily[27], daily[34], daily[39]]


def test_pace_gets_its_trend_from_six_weeks_on():
    """Two seconds a week, on the last sixteen weeks only."""
    paces = [300.0] * 10 + [400 - 2.0 * week for week in range(16)]
    runs = runs_of(*(run(7 * w, easy_pace_s_per_km=pace, easy_pace_s=1000.0) for w, pace in enumerate(paces)))

    weeks = weeks_of(runs, today=MON + timedelta(days=7 * 25))

    assert weeks["pace_trend"].to_list()[:6] == ["too few weeks"] * 5 + ["no clear trend"]
    last = weeks.row(-1, named=True)
    assert last["pace_trend"] == "faster"
    assert last["pace_trend_s_per_km_per_week"] == pytest.approx(-2)
    assert last["pace_trend_low"] == pytest.approx(-2)


def test_pain_is_the_worst_of_the_day_and_silence_is_not_no_pain():
    """Reports are counted; a week without any has null."""
    pain = pl.DataFrame(
        [(MON, 1.0, None, 2.0, 4.0), (MON + timedelta(days=2), 0.0, 3.0, None, None)],
        schema=PAIN,
        orient="row",
    )

    weeks = weeks_of(runs_of(run(0), run(7)), today=MON + timedelta(days=7), pain=pain)

    assert weeks["worst_pain"].to_list() == [4, None]
    assert weeks["pain_reports"].to_list() == [2, 0]


def test_plan_weeks_ahead_are_there_with_what_is_planned():
    """From the plan's start to its race, zeros for what has not been run."""
    plan = dated(BEGINNER, name="beginner", race_date=MON + timedelta(days=111))
    weeks = weeks_of(runs_of(run(1, distance_m=6000.0)), today=MON + timedelta(days=3), plan=plan)

    assert weeks["plan_week"].to_list() == list(range(1, 17))
    first, second = weeks.row(0, named=True), weeks.row(1, named=True)
    assert (first["planned_distance_m"], first["planned_runs"]) == (22_500, 4)
    assert first["planned_timer_s"] == (35 + 35 + 28 + 62) * 60
    assert first["planned_load_srpe"] == 35 * 3 + 35 * 3 + 28 * 2 + 62 * 3
    assert first["planned_pace_s_per_km"] == pytest.approx(9600 / 22.5)
    assert first["done_share"] == pytest.approx(0.6)
    assert (second["runs"], second["distance_m"], second["planned_distance_m"]) == (0, 0, 24_500)
    for name in ("done_share", "ramp_ratio", "pace_trend", "acwr_uncoupled"):
        assert second[name] is None
    assert weeks["planned_distance_m"][-1] == pytest.approx(31_097.5)


def test_nothing_planned_so_far_has_no_share():
    """Monday is a rest day."""
    plan = dated(BEGINNER, name="beginner", race_date=MON + timedelta(days=111))

    assert weeks_of(runs_of(run(-7)), today=MON, plan=plan)["done_share"].to_list()[:3] == [None] * 3


@pytest.mark.parametrize("shift", range(7))
@pytest.mark.parametrize("week_starts_on", [0, 6])
def test_a_plan_out_of_step_with_the_week_loses_nothing(shift, week_starts_on):
    """Whatever the weekday of the race: all planned metres, and the race week named."""
    plan = dated(BEGINNER, name="beginner", race_date=MON + timedelta(days=111 + shift))

    weeks = weeks_of(runs_of(), today=MON + timedelta(days=50), plan=plan, week_starts_on=week_starts_on)

    runs = plan.filter(pl.col("session").is_in(list(RUN_SESSIONS)))
    assert weeks["planned_distance_m"].sum() == pytest.approx(runs["distance_m"].sum())
    assert weeks["planned_runs"].sum() == len(runs)
    assert weeks["plan_week"].null_count() == 0
    assert weeks["plan_week"].is_sorted()
    assert weeks["plan_week"][-1] == 16


def test_a_history_before_the_plan_and_after_it_is_shown():
    """The spine runs from the first run to today, the plan fills its weeks."""
    plan = dated(BEGINNER, name="beginner", race_date=MON + timedelta(days=111))

    weeks = weeks_of(runs_of(run(-20), run(150)), today=MON + timedelta(days=150), plan=plan)

    assert len(weeks) == 3 + 16 + 6
    assert weeks["plan_week"].drop_nulls().to_list() == list(range(1, 17))


values = st.none() | st.just(0.0) | st.floats(1, 1000)
histories = st.lists(
    st.builds(
        lambda days, distance_m, hrss, srpe: run(days, distance_m=distance_m, hrss=hrss, srpe=srpe),
        st.integers(-500, 300),
        values,
        values,
        values,
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=50)
@given(histories, st.integers(0, 6))
def test_weeks_and_days_lose_nothing(rows, week_starts_on):
    """Runs, metres, time and known loads of all days and of all weeks are those of the runs."""
    runs, today = runs_of(*rows), MON + timedelta(days=300)

    daily = daily_load(runs, NO_STRENGTH, through=today)
    weeks = weeks_of(runs, today=today, week_starts_on=week_starts_on)

    for name, weekly in {
        "distance_m": "distance_m",
        "timer_s": "timer_s",
        "hrss": "load_hrss",
        "srpe": "load_srpe",
    }.items():
        assert daily[name].sum() == pytest.approx(runs[name].sum())
        assert weeks[weekly].sum() == pytest.approx(runs[name].sum())
    assert daily["runs"].sum() == weeks["runs"].sum() == len(rows)
    assert daily["local_date"].is_sorted()
    assert daily["local_date"].n_unique() == len(daily)


@settings(deadline=None, max_examples=30)
@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_runs_does_not_matter(rows, random):
    """Late exports arrive in any order."""
    mixed, today = list(rows), MON + timedelta(days=300)
    random.shuffle(mixed)

    daily, other = (daily_load(runs_of(*some), NO_STRENGTH, through=today) for some in (rows, mixed))

    assert other.drop("srpe", "hrss").to_dict(as_series=False) == {
        name: pytest.approx(column, nan_ok=True)
        for name, column in daily.drop("srpe", "hrss").to_dict(as_series=False).items()
    }


@settings(deadline=None, max_examples=30)
@given(histories)
def test_doubling_all_distances_changes_no_ratio(rows):
    """Ramp, monotony and both ratios are free of scale."""
    today = MON + timedelta(days=300)
    doubled = [row | {"distance_m": row["distance_m"] and row["distance_m"] * 2} for row in rows]

    weeks, twice = (weeks_of(runs_of(*some), today=today) for some in (rows, doubled))

    for name in ("ramp_ratio", "two_week_ramp_ratio", "monotony", "acwr_uncoupled"):
        assert (weeks[name] - twice[name]).abs().fill_null(0.0).max() in (None, pytest.approx(0, abs=1e-9))
        assert weeks[name].is_null().equals(twice[name].is_null())


def test_ten_years_take_no_time():
    """A long history is summed by expressions, not by loops over runs."""
    runs = runs_of(*(run(-days) for days in range(3650)))

    weeks = weeks_of(runs, today=MON)

    assert weeks["runs"].sum() == 3650
