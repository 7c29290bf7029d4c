"""Running form: like is compared with like, within a run and over weeks."""

import json
import random
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.form import (
    FORM_TRENDS,
    MEASURES,
    RUN_FORM,
    form_by_speed,
    form_of_run,
    form_trends,
    strides_of,
)
from analytics.pace import mean_speed_m_per_s, seconds_of
from store.database import frame, opened_published
from store.home import Home

FORMULAS = json.loads((Path(__file__).parent / "data" / "formulas.json").read_text())
MON = date(2026, 6, 1)
FORM = pl.Schema({"activity_id": pl.String, "local_date": pl.Date, **RUN_FORM})


def run_of(speed_m_per_s: np.ndarray, /, **columns: object) -> pl.DataFrame:
    """Samples every second, distance from the speed; sensors are arrays or one value for all, or missing."""
    count = len(speed_m_per_s) + 1
    values = {
        "timer_s": np.arange(float(count)),
        "distance_m": np.concatenate(([0.0], np.cumsum(speed_m_per_s))),
        **dict.fromkeys(("speed_m_per_s", "altitude_m", "hr_bpm", *MEASURES), np.nan),
        **columns,
    }
    return pl.DataFrame(
        {
            name: pl.Series(np.array(np.broadcast_to(value, count), dtype=float)).fill_nan(None)
            for name, value in values.items()
        }
    )


def form(samples: pl.DataFrame) -> dict[str, float | None]:
    seconds = seconds_of(samples)
    return form_of_run(samples, seconds, strides_of(samples, seconds))


def by_speed(samples: pl.DataFrame) -> pl.DataFrame:
    return form_by_speed(strides_of(samples, seconds_of(samples)))


def weeks(count: int) -> pl.Series:
    return pl.Series([MON + timedelta(weeks=week) for week in range(count)], dtype=pl.Date)


def runs_of(*rows: tuple[int, float, float, float]) -> pl.DataFrame:
    """One row a run and band from days after the Monday, speed, milliseconds of contact and seconds."""
    return pl.DataFrame(
        [
            (f"run {days}", MON + timedelta(days=days), "stance_time_ms", speed, value, seconds)
            for days, speed, value, seconds in rows
        ],
        schema=FORM,
        orient="row",
    )


@pytest.mark.parametrize(("cadence_spm", "pace_s_per_km"), [(170, 360), (160, 420), (180, 300)])
def test_step_length_follows_from_speed_and_cadence(cadence_spm: float, pace_s_per_km: float) -> None:
    """A kilometre over its steps, where the watch has no step length of its own."""
    steps = FORMULAS[f"steps_per_km_{cadence_spm}_{pace_s_per_km}"]

    found = form(run_of(np.full(600, 1000 / pace_s_per_km), cadence_spm=cadence_spm))

    assert found["step_length_mm"] == pytest.approx(1_000_000 / steps, rel=1e-3)
    if steps == FORMULAS["steps_per_km_170_360"]:
        assert found["step_length_mm"] == pytest.approx(FORMULAS["step_length_m_170_360"] * 1000, rel=1e-3)


def test_a_recorded_step_length_is_believed() -> None:
    """The watch's own counts where there is one."""
    found = form(run_of(np.full(600, 3.0), cadence_spm=170, step_length_mm=1010))

    assert found["step_length_mm"] == pytest.approx(1010)


def test_the_watchs_own_speed_decides_where_there_is_one() -> None:
    """Its step length comes from it; satellites that wander say nothing of form."""
    rng = np.random.default_rng(3)
    way = 2.7 + np.repeat(rng.normal(0, 0.5, 180), 20)
    told = 2.7 + 0.09 * np.sin(np.arange(3601) / 40)

    samples = run_of(way, speed_m_per_s=told, cadence_spm=168, step_length_mm=told * 60_000 / 168)

    assert form(samples)["step_length_drift_mm"] == pytest.approx(0, abs=0.01)
    bands = by_speed(samples)
    assert bands["speed_from_m_per_s"].unique().to_list() == [pytest.approx(2.6)]
    without = samples.with_columns(step_length_mm=None)
    assert form(without)["step_length_mm"] == pytest.approx(2.7 * 60_000 / 168, rel=1e-3)
    assert len(by_speed(samples.with_columns(speed_m_per_s=None))) > len(bands)


def test_form_by_speed_has_a_row_a_band_with_a_minute() -> None:
    """Ten minutes at 2.5 m/s, five at 3.1, half a minute at 4.1; walking is no running."""
    speed = np.repeat([2.5, 3.1, 4.1, 1.2], [600, 300, 30, 300])
    milliseconds = np.concatenate(([250.0], np.repeat([250.0, 230.0, 200.0, 400.0], [600, 300, 30, 300])))

    found = by_speed(run_of(speed, stance_time_ms=milliseconds)).filter(measure="stance_time_ms")

    assert found["speed_from_m_per_s"].to_list() == pytest.approx([2.4, 3.0])
    assert found["value"].to_list() == pytest.approx([250, 230], abs=2)
    assert found["seconds"].to_list() == pytest.approx([600, 300], abs=11)


def test_hills_are_no_place_to_compare_form() -> None:
    """On a slope of 5 % nothing is counted, on 2 % everything is."""
    speed = np.full(1800, 3.0)

    for slope, rows in ((0.05, 0), (0.02, 1)):
        altitude_m = 100 + np.arange(1801.0) * 3 * slope
        assert len(by_speed(run_of(speed, stance_time_ms=240, altitude_m=altitude_m))) == rows


def test_fatigue_is_the_last_fifth_against_the_first() -> None:
    """What happens in between does not count."""
    fifths = np.repeat([240.0, 300.0, 200.0, 280.0, 252.0], 720)

    found = form(run_of(np.full(3600, 2.9), stance_time_ms=np.append(fifths, 252.0)))

    assert found["stance_time_drift_ms"] == pytest.approx(12, abs=0.1)
    assert form(run_of(np.full(1799, 2.9), stance_time_ms=240))["stance_time_drift_ms"] is None


@given(st.floats(2.4, 3.4), st.floats(-0.3, 0.3), st.floats(-60, 60), st.floats(-5, 5))
@settings(max_examples=30)
def test_running_slower_at_the_end_is_no_fatigue(
    start: float, slowing: float, per_m_per_s: float, tired: float
) -> None:
    """A measure that follows speed alone does not drift when speed does; what comes on top is found."""
    rng = np.random.default_rng(7)
    speed = (
        start
        - slowing * np.linspace(-0.5, 0.5, 3600)
        + np.convolve(rng.normal(0, 1, 3629), np.ones(30) / 30)[29:3629] * 0.8
    )
    around = mean_speed_m_per_s(speed)
    contact_ms = 250 - per_m_per_s * (around - 2.8) + tired * (np.arange(3600) >= 2880)

    found = form(run_of(speed, stance_time_ms=np.append(contact_ms[0], contact_ms)))["stance_time_drift_ms"]

    assert found == pytest.approx(tired, abs=0.1 + 0.15 * abs(tired))


@pytest.mark.parametrize("per_m_per_s", [-60.0, 60.0])
def test_speed_is_told_from_form_within_a_band_as_well(per_m_per_s: float) -> None:
    """From 2.42 to 2.58 m/s, all in one band: what follows speed has not drifted, though its mean has."""
    speed = np.linspace(2.42, 2.58, 3600)
    contact_ms = 250 + per_m_per_s * (speed - 2.5)

    found = form(run_of(speed, stance_time_ms=np.append(contact_ms[0], contact_ms)))

    assert found["stance_time_drift_ms"] == pytest.approx(0, abs=0.05)


def test_speeds_that_do_not_meet_are_not_compared() -> None:
    """A run that begins at 6:40 and ends at 5:00 says nothing of fatigue."""
    speed = np.repeat([2.5, 3.3], 1800)

    assert form(run_of(speed, cadence_spm=170))["cadence_drift_spm"] is None


def test_four_weeks_are_held_against_the_four_before() -> None:
    """Three runs on each side at one speed: the median difference, its interval and its word."""
    before = [(2, 2.6, 250, 600), (9, 2.6, 251, 600), (16, 2.6, 249, 600)]
    now = [(30, 2.6, 256, 600), (37, 2.6, 255, 600), (44, 2.6, 258, 600)]

    found = form_trends(runs_of(*before, *now), weeks(8)).filter(week_start=MON + timedelta(weeks=7))

    (row,) = found.to_dicts()
    assert (row["runs"], row["runs_before"], row["trend"]) == (3, 3, "higher")
    assert (row["change"], row["change_low"], row["change_high"]) == (6, 4, 9)
    assert row["value"] == pytest.approx((256 + 255 + 258) / 3)


def test_a_change_of_speed_is_no_change_of_form() -> None:
    """Faster runs have shorter contact; band by band nothing changed."""
    slow, fast = (2.4, 260), (2.8, 240)
    before = [(day, *slow, 1200) for day in (1, 8, 15)] + [(day, *fast, 300) for day in (1, 8, 15)]
    now = [(day, *slow, 300) for day in (29, 36, 43)] + [(day, *fast, 1200) for day in (29, 36, 43)]

    found = form_trends(runs_of(*before, *now), weeks(8))[-1].to_dicts()[0]

    assert found["value"] == pytest.approx(244)
    assert (found["change"], found["trend"]) == (pytest.approx(0), "no clear change")


@pytest.mark.parametrize(
    ("rows", "runs"),
    [
        ([(29, 2.6, 250, 600)] * 1, (0, 0)),
        ([(1, 2.6, 250, 600), (8, 2.6, 250, 600), (29, 2.6, 250, 600), (36, 2.6, 250, 600)], (2, 2)),
        ([(d, 2.4, 250, 600) for d in (1, 2, 3)] + [(d, 3.0, 230, 600) for d in (29, 30, 31)], (0, 0)),
    ],
    ids=["nothing before", "two and two", "no speed in common"],
)
def test_too_few_runs_are_called_that(
    rows: list[tuple[int, float, float, float]], runs: tuple[int, int]
) -> None:
    """The value stands alone."""
    found = form_trends(runs_of(*rows), weeks(8))[-1].to_dicts()[0]

    assert (found["runs"], found["runs_before"]) == runs
    assert (found["trend"], found["change"], found["change_low"]) == ("too few runs", None, None)
    assert found["value"] > 0


values = st.lists(st.integers(200, 300), min_size=3, max_size=9, unique=True)


@given(values, values)
def test_the_change_is_that_of_hodges_and_lehmann(before: list[int], now: list[int]) -> None:
    """Median of all pairwise differences, with the interval of SciPy's slope over a yes and no."""
    rows = [(day, 2.6, value, 600) for day, value in enumerate(before)]
    rows += [(28 + day, 2.6, value, 600) for day, value in enumerate(now)]

    found = form_trends(runs_of(*rows), weeks(8))[-1].to_dicts()[0]

    differences = np.subtract.outer(np.array(now), np.array(before))
    assert found["change"] == pytest.approx(np.median(differences))
    is_now = np.repeat([0.0, 1.0], [len(before), len(now)])
    expected = stats.theilslopes(np.array([*before, *now], dtype=float), is_now, 0.95)
    assert (found["change_low"], found["change_high"]) == pytest.approx(
        (expected.low_slope, expected.high_slope)
    )


def test_no_form_is_no_row() -> None:
    """Neither without runs nor without weeks; a year without a run ends the trend and starts another."""
    a_year_apart = runs_of((0, 2.6, 250, 600), (371, 2.6, 250, 600))

    assert form_trends(FORM.to_frame(), weeks(4)).schema == FORM_TRENDS
    assert form_trends(FORM.to_frame(), weeks(0)).is_empty()
    told = form_trends(a_year_apart, weeks(54))
    assert told["week_start"].to_list() == [MON + timedelta(weeks=week) for week in (0, 1, 2, 3, 53)]
    assert by_speed(run_of(np.array([]))).is_empty()
    assert by_speed(run_of(np.full(600, 2.6))).schema == RUN_FORM


@given(
    st.lists(
        st.tuples(st.integers(0, 80), st.sampled_from([2.4, 2.6, 2.8]), st.integers(200, 300)), max_size=40
    ),
    st.randoms(),
)
def test_the_order_of_runs_does_not_matter(
    rows: list[tuple[int, float, int]], shuffled: random.Random
) -> None:
    """Whichever file came first."""
    runs = list({(day, speed): (day, speed, value, 600) for day, speed, value in rows}.values())
    in_order = form_trends(runs_of(*runs), weeks(12))
    shuffled.shuffle(runs)

    assert form_trends(runs_of(*runs), weeks(12)).equals(in_order)


def test_the_long_run_that_was_too_long_shows_in_the_left_foot(sample_home: Home) -> None:
    """Late on 23 August Mara spares the right leg, and on no other day; form of other measures stays as it was."""
    with opened_published(sample_home) as con:
        drifts = frame(
            con,
            "select local_date, stance_balance_drift_pct as drift_pct from runs join run_metrics using (activity_id) "
            "where drift_pct is not null",
        )
        clear = frame(con, "select distinct trend from form_trends")["trend"].to_list()
        counted = frame(con, "select count(*) as n from run_form where measure = 'cadence_spm'")["n"].item()

    spared = drifts.filter(local_date=date(2026, 8, 23))["drift_pct"].item()
    others = drifts.filter(pl.col("local_date") != date(2026, 8, 23))["drift_pct"]
    assert spared > 0.8
    assert others.abs().max() < 0.3  # type: ignore[operator]
    assert {"too few runs", "no clear change"} <= set(clear)
    assert counted > 50
