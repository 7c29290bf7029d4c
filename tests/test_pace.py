"""Pace: grade, graded speed, efficiency, best efforts and the trend of easy pace."""

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.pace import (
    BEST_EFFORTS,
    HEART_RATE,
    Seconds,
    best_efforts,
    decoupling_pct,
    easy_pace,
    efficiency_m_per_min_per_bpm,
    gap_s_per_km,
    grade_factor,
    is_moving,
    kendall,
    mann_kendall,
    ngp_m_per_s,
    pace_trend,
    seconds_of,
    smoothed_grade,
    speed_at_hr_m_per_s,
    theil_sen,
)

FORMULAS = json.loads((Path(__file__).parent / "data" / "formulas.json").read_text())
EASY_WEEKS = np.array([372.0, 370, 371, 366, 365, 380, 360, 358])


def samples_of(
    timer_s: list[float] | np.ndarray, running_m_per_s: float | np.ndarray = 3.0, **columns: object
) -> pl.DataFrame:
    """Samples at the given seconds, distance summed up from the speed unless given."""
    timer_s = np.array(timer_s, dtype=float)
    steps_m = np.diff(timer_s, prepend=timer_s[:1]) * running_m_per_s
    nothing = dict.fromkeys(("speed_m_per_s", "altitude_m", "hr_bpm", "cadence_spm"))
    values = {"elapsed_s": timer_s, "timer_s": timer_s, "distance_m": np.cumsum(steps_m)} | nothing | columns
    return pl.select(**{name: values_of(value, len(timer_s)) for name, value in values.items()})


def values_of(value: object, length: int) -> pl.Series:
    """One column of samples from an array or one value for all."""
    values = np.broadcast_to(np.nan if value is None else value, length)
    return pl.Series(np.array(values, dtype=float)).fill_nan(None)


def steady(length_s: int, speed_m_per_s: float = 3.0, grade: float = 0.0, hr_bpm: float = np.nan) -> Seconds:
    """Seconds that are all alike."""
    speed, grades = np.full(length_s, speed_m_per_s), np.full(length_s, grade)
    return Seconds(
        speed_m_per_s=speed,
        grade=grades,
        graded_m_per_s=speed * grade_factor(grades),
        hr_bpm=np.full(length_s, hr_bpm),
        cadence_spm=np.full(length_s, np.nan),
        has_altitude=True,
    )


def flat(speed_m_per_s: np.ndarray) -> Seconds:
    """A run on the flat without heart rate, by its speeds."""
    nothing = np.full(len(speed_m_per_s), np.nan)
    return Seconds(
        speed_m_per_s=speed_m_per_s,
        grade=np.zeros(len(speed_m_per_s)),
        graded_m_per_s=speed_m_per_s,
        hr_bpm=nothing,
        cadence_spm=nothing,
        has_altitude=True,
    )


def joined(*parts: Seconds) -> Seconds:
    """One run after the other."""
    names = ("speed_m_per_s", "grade", "graded_m_per_s", "hr_bpm", "cadence_spm")
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Seconds(**arrays, has_altitude=True)


@pytest.mark.parametrize("grade", ["-0.20", "-0.10", "-0.05", "+0.00", "+0.05", "+0.10", "+0.20"])
def test_minetti_cost_is_as_printed(grade):
    """Cost over cost on the flat, with +19.5 i and not -165 i."""
    cost, factor = FORMULAS[f"minetti_C({grade})"]

    assert grade_factor(np.array([float(grade)]), "minetti") == pytest.approx(factor, rel=5e-4)
    assert factor * 3.6 == pytest.approx(cost, rel=5e-4)


def test_minetti_is_lowest_at_18_percent_down():
    """The cheapest grade is where the report says."""
    grades = np.linspace(-0.45, 0.45, 9001)
    factors = grade_factor(grades, "minetti")
    at, _, lowest = FORMULAS["minetti_min"]

    assert grades[np.argmin(factors)] == pytest.approx(at, abs=2e-4)
    assert factors.min() == pytest.approx(lowest, rel=5e-4)


@pytest.mark.parametrize("grade", ["-0.20", "-0.10", "-0.05", "+0.05", "+0.10", "+0.20"])
def test_heart_rate_factor_is_the_default(grade):
    """Downhill earns less than Minetti gives."""
    expected = FORMULAS[f"strava_like_factor({grade})"]

    assert grade_factor(np.array([float(grade)])) == pytest.approx(expected, rel=5e-4)


def test_the_default_factor_fits_what_was_measured():
    """The coefficients themselves, the measured factors at 5 %, and the wider fit that was not taken."""
    assert HEART_RATE[3::-1] == pytest.approx(FORMULAS["strava_fit_deg4_lim20"])
    measured = FORMULAS["strava_table_interp_+5_-5"]
    assert grade_factor(np.array([0.05, -0.05])) == pytest.approx(measured, abs=0.0138)

    grades = np.linspace(-0.2, 0.2, 81)
    wider = 1 + sum(c * grades ** (n + 1) for n, c in enumerate(FORMULAS["strava_fit_deg4_lim30"]))
    assert np.abs(grade_factor(grades) - wider).max() < 0.0138 + 0.0319


@pytest.mark.parametrize("fit", ["tp_fit_deg4_lim20", "tp_fit_deg4_lim30"])
def test_trainingpeaks_factor_lies_between_the_two_models(fit):
    """As measured on its site: uphill and down, harder on a climb than ours and easier than Minetti's."""
    grades = np.array([-0.1, -0.05, 0.05, 0.1])
    theirs = 1 + sum(c * grades ** (n + 1) for n, c in enumerate(FORMULAS[fit]))

    ours, minetti = grade_factor(grades), grade_factor(grades, "minetti")

    assert (np.minimum(ours, minetti) < theirs).all()
    assert (theirs < np.maximum(ours, minetti)).all()


def test_grades_beyond_the_measured_are_clipped():
    """A cliff is no steeper than the model knows."""
    assert grade_factor(np.array([0.9, -0.9])) == pytest.approx(grade_factor(np.array([0.2, -0.2])))
    steepest = grade_factor(np.array([0.45]), "minetti")
    assert grade_factor(np.array([0.9]), "minetti") == pytest.approx(steepest)


@pytest.mark.parametrize(
    ("name", "model", "grade"),
    [
        ("gap_min_pace_360_grade_+5", "minetti", 0.05),
        ("gap_min_pace_360_grade_-5", "minetti", -0.05),
        ("gap_strava_like_360_+5", "heart_rate", 0.05),
        ("gap_strava_like_360_-5", "heart_rate", -0.05),
    ],
)
def test_grade_adjusted_pace_of_a_slope(name, model, grade):
    """6:00 up or down 5 %, through the whole way from samples."""
    timer_s = np.arange(1200.0)
    samples = samples_of(timer_s, 1000 / 360, altitude_m=100 + timer_s * 1000 / 360 * grade)

    seconds = seconds_of(samples)

    assert seconds is not None
    assert gap_s_per_km(seconds, model=model) == pytest.approx(FORMULAS[name], rel=5e-4)


def test_standing_is_no_part_of_grade_adjusted_pace():
    """A minute at a crossing with the timer running costs nothing, a slow step within a run is no stop."""
    speed = np.concatenate((np.full(600, 3.0), np.zeros(60), np.full(600, 3.0)))
    stumbling = np.where(np.arange(600) % 60 == 0, 0.0, 3.0)

    assert gap_s_per_km(flat(speed)) == pytest.approx(1000 / 3, rel=0.01)
    assert is_moving(speed).sum() == pytest.approx(1200, abs=10)
    assert is_moving(stumbling).all()
    assert gap_s_per_km(flat(stumbling)) == pytest.approx(1000 / 2.95)
    assert gap_s_per_km(flat(np.zeros(60))) is None


def test_grade_adjusted_pace_goes_by_the_devices_distance():
    """A run that the device calls 2 % longer was 2 % faster."""
    seconds = flat(np.full(600, 3.0))

    assert gap_s_per_km(seconds, distance_m=1800 * 1.02) == pytest.approx(1000 / 3 / 1.02)


@given(st.floats(-0.3, 0.3), st.floats(60, 5000), st.integers(3, 200))
def test_an_even_slope_has_one_grade(slope, length_m, points):
    """Wherever the samples lie, ends included."""
    rng = np.random.default_rng(points)
    along_m = np.concatenate(([0.0], np.sort(rng.uniform(0, length_m, points)), [length_m]))

    assert smoothed_grade(along_m, 40 + slope * along_m) == pytest.approx(slope, abs=1e-6)


def test_grade_is_taken_over_fifty_metres_at_least():
    """A single step of altitude is spread out; a track of less than 50 m is flat."""
    along_m = np.arange(0.0, 1000, 3)
    step_m = np.where(along_m < 500, 10.0, 11.0)

    grades = smoothed_grade(along_m, step_m)

    assert grades.max() <= 1 / 50 + 1e-9
    assert np.sum(grades) * 3 == pytest.approx(1, rel=0.01)
    assert not smoothed_grade(np.array([0.0, 20, 49]), np.array([0.0, 5, 9])).any()
    assert np.abs(smoothed_grade(along_m, 2 * along_m)) == pytest.approx(0.30)


def test_altitude_that_wanders_while_standing_is_no_hill():
    """A runner at a traffic light does not climb."""
    timer_s = np.arange(900.0)
    speed = np.where((timer_s > 300) & (timer_s < 600), 0.0, 3.0)
    altitude_m = 50 + np.where(speed == 0, np.sin(timer_s), 0.0)

    seconds = seconds_of(samples_of(timer_s, speed, altitude_m=altitude_m))

    assert seconds is not None
    assert np.abs(seconds.grade).max() < 0.03
    assert not seconds.grade[301:599].any()


def test_normalised_speed_of_two_halves():
    """600 s at 3 m/s and 600 s at 4 m/s come to more than their mean."""
    speed = np.repeat([3.0, 4.0], 600)

    ngp = ngp_m_per_s(speed)

    assert ngp == pytest.approx(FORMULAS["ngp_600s3_600s4_roll30"], rel=1e-4)
    assert 1000 / ngp == pytest.approx(FORMULAS["ngp_pace_s_per_km"], abs=0.01)
    assert speed.mean() == FORMULAS["mean_speed"]
    unsmoothed = np.mean(speed**4) ** 0.25
    assert unsmoothed == pytest.approx(FORMULAS["ngp_closed_form_no_smoothing"], abs=5e-5)
    assert speed.mean() < ngp < unsmoothed


@given(st.floats(0.5, 7), st.integers(30, 2000))
def test_an_even_speed_is_its_own_norm(speed, length_s):
    """Whatever the length, from half a minute on."""
    assert ngp_m_per_s(np.full(length_s, speed)) == pytest.approx(speed)


def test_half_a_minute_is_too_short_to_normalise():
    """The first 29 seconds are left out, so there must be 30."""
    assert ngp_m_per_s(np.full(29, 3.0)) is None
    assert ngp_m_per_s(np.array([])) is None


def test_resampling_bridges_gaps_and_repeats():
    """Smart recording and doubled seconds give the same speed as second by second."""
    timer_s = np.array([0, 1, 1, 2, 9, 9, 12, 20, 21, 60], dtype=float)
    samples = samples_of(timer_s, distance_m=3 * timer_s)

    seconds = seconds_of(samples)

    assert seconds is not None
    assert seconds.speed_m_per_s == pytest.approx(np.full(60, 3.0))
    assert not seconds.has_altitude


def test_speed_stands_in_for_a_missing_distance():
    """A treadmill without distance but with speed can still be graded; with neither it cannot."""
    timer_s = np.arange(100.0)

    seconds = seconds_of(samples_of(timer_s, distance_m=None, speed_m_per_s=2.5))

    assert seconds is not None
    assert seconds.speed_m_per_s == pytest.approx(np.full(99, 2.5))
    assert seconds_of(samples_of(timer_s, distance_m=None)) is None
    assert seconds_of(samples_of(timer_s, distance_m=0.0)) is None


@pytest.mark.parametrize("timer_s", [[], [0.0], [0.0, 0.4], [5.0, 5.0]])
def test_less_than_a_second_has_no_seconds(timer_s):
    """Empty files and single samples are no error."""
    assert seconds_of(samples_of(timer_s)) is None
    assert best_efforts(samples_of(timer_s)).is_empty()


def test_heart_rate_is_not_stretched_over_long_gaps():
    """A sample speaks for ten seconds at most."""
    samples = samples_of([0, 1, 2, 60, 61], hr_bpm=[140, 140, np.nan, 150, 150])

    seconds = seconds_of(samples)

    assert seconds is not None
    assert np.isfinite(seconds.hr_bpm).sum() == 1 + 10 + 1
    assert set(seconds.hr_bpm[np.isfinite(seconds.hr_bpm)]) == {140.0, 150.0}


def test_efficiency_is_metres_a_minute_per_beat():
    """5:00 at 150 beats; unknown when the strap worked less than half of the time."""
    speed = np.full(600, 1000 / 300)
    mostly_missing = np.where(np.arange(600) < 299, 150.0, np.nan)

    assert efficiency_m_per_min_per_bpm(speed, np.full(600, 150.0)) == pytest.approx(
        FORMULAS["ef_m_per_min_per_bpm_300_150"], rel=5e-4
    )
    in_yards = efficiency_m_per_min_per_bpm(speed, np.full(600, 150.0)) / 0.9144
    assert in_yards == pytest.approx(FORMULAS["ef_yards_300_150"], rel=5e-4)
    assert efficiency_m_per_min_per_bpm(speed, mostly_missing) is None
    assert efficiency_m_per_min_per_bpm(speed[:10], np.full(10, 150.0)) is None


def test_decoupling_compares_the_halves_after_the_warm_up():
    """300 s/km at 145, then 305 s/km at 150; the ten minutes before do not count."""
    first, second, lost_pct = FORMULAS["decoupling_300@145_305@150"]
    halves = steady(1500, 1000 / 300, hr_bpm=145), steady(1500, 1000 / 305, hr_bpm=150)

    run = joined(steady(600, 1000 / 310, hr_bpm=120), *halves)

    assert decoupling_pct(run) == pytest.approx(lost_pct, rel=5e-4)
    assert (first - second) / first * 100 == pytest.approx(lost_pct, rel=1e-3)


@pytest.mark.parametrize(
    "run",
    [
        steady(2399, hr_bpm=150),
        steady(3600, grade=0.05, hr_bpm=150),
        steady(3600),
        joined(*[steady(120, 4.2, hr_bpm=170), steady(120, 2.2, hr_bpm=140)] * 15),
        joined(steady(2300, hr_bpm=150), steady(1300, 0.0, hr_bpm=100)),
    ],
    ids=["short", "hilly", "no heart rate", "intervals", "stood still"],
)
def test_decoupling_is_unknown_where_it_would_mislead(run):
    """Too short, too hilly, without heart rate, with intervals or long stops."""
    assert decoupling_pct(run) is None


def test_easy_pace_is_the_median_at_the_reference_heart_rate():
    """After the warm-up, on the flat, within three beats of 75 %, and the seconds are told."""
    run = joined(
        steady(600, 2.0, hr_bpm=150),
        steady(300, 2.8, hr_bpm=152),
        steady(400, 3.0, hr_bpm=150),
        steady(500, 3.5, hr_bpm=154),
        steady(500, 1.5, grade=0.10, hr_bpm=150),
        steady(500, 0.0, hr_bpm=150),
    )

    assert easy_pace(run, 200) == (pytest.approx(1000 / 3.0), 700.0)


def test_easy_pace_needs_three_minutes_in_total():
    """They need not be in one piece."""
    piece = joined(steady(10, hr_bpm=150), steady(10, hr_bpm=165))
    warm_up = steady(600, hr_bpm=120)

    assert easy_pace(joined(warm_up, *[piece] * 18), 200) == (pytest.approx(1000 / 3.0), 180.0)
    assert easy_pace(joined(warm_up, *[piece] * 17), 200) == (None, 0.0)
    assert easy_pace(joined(warm_up, *[piece] * 18), None) == (None, 0.0)
    assert easy_pace(steady(3600), 200) == (None, 0.0)


def test_speed_is_read_from_the_line_over_heart_rate():
    """Four efforts and the speed at 145 beats; never beyond the heart rates that were run."""
    hr_bpm, speed = np.array([130.0, 140, 150, 155]), np.array([2.60, 2.80, 3.00, 3.12])

    at_145 = speed_at_hr_m_per_s(hr_bpm, speed, 145)

    assert at_145 is not None
    assert (at_145, 1000 / at_145) == pytest.approx(FORMULAS["speed_at_hr145"], rel=2e-5)
    assert at_145 == pytest.approx(np.polyval(np.polyfit(hr_bpm, speed, 1), 145))
    assert speed_at_hr_m_per_s(hr_bpm, speed, 129) is None
    assert speed_at_hr_m_per_s(hr_bpm[:2], speed[:2], 135) is None
    assert speed_at_hr_m_per_s(np.full(3, 140.0), speed[:3], 140) is None


def test_best_efforts_find_the_fast_kilometre():
    """The ends lie between samples, and distances that were not run are left out."""
    timer_s = np.arange(0.0, 1200, 7)
    speed = np.where((timer_s > 500) & (timer_s <= 850), 4.0, 3.0)

    efforts = best_efforts(samples_of(timer_s, speed))

    assert efforts.schema == BEST_EFFORTS
    assert efforts["distance_m"].to_list() == [400, 800, 1000, 1609.344]
    assert efforts["time_s"][2] == pytest.approx(250)
    assert efforts["time_s"][3] == pytest.approx(350 + (1609.344 - 1400) / 3)
    assert 490 <= efforts["started_at_elapsed_s"][2] <= 600


def test_an_even_run_takes_its_pace_over_every_distance():
    """A half marathon to the metre has all seven efforts."""
    times = best_efforts(samples_of(np.arange(0.0, 7034), 3.0))

    assert len(times) == 7
    assert times["time_s"].to_list() == pytest.approx((times["distance_m"] / 3).to_list())


def test_no_effort_spans_a_pause():
    """A stop of more than five seconds with the timer off cuts the run; a shorter one costs its seconds."""
    timer_s = np.arange(0.0, 601)
    paused = samples_of(timer_s, elapsed_s=timer_s + np.where(timer_s > 300, 6.0, 0.0))
    hardly = samples_of(timer_s, elapsed_s=timer_s + np.where(timer_s > 300, 5.0, 0.0))

    assert best_efforts(paused)["distance_m"].to_list() == [400, 800]
    assert best_efforts(hardly)["time_s"].to_list() == pytest.approx(
        [400 / 3, 800 / 3, 1000 / 3 + 5, 1609.344 / 3 + 5]
    )


def test_standing_at_the_start_costs_nothing():
    """The clock of an effort runs from the moment the runner leaves until the distance is first reached."""
    timer_s = np.arange(0.0, 400)
    speed = np.where((timer_s < 60) | (timer_s > 260), 0.0, 3.0)

    efforts = best_efforts(samples_of(timer_s, speed))

    assert efforts["time_s"][0] == pytest.approx(400 / 3)
    assert efforts["started_at_elapsed_s"][0] >= 59


def test_windows_faster_than_a_runner_are_rejected():
    """A stretch by car gives no best effort, the running beside it does."""
    timer_s = np.arange(0.0, 1000)
    speed = np.where((timer_s >= 400) & (timer_s < 600), 15.0, 3.0)

    efforts = best_efforts(samples_of(timer_s, speed))

    assert (efforts["distance_m"] / efforts["time_s"]).max() <= 7
    assert best_efforts(samples_of(timer_s, 15.0)).is_empty()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 9), st.just(0.0) | st.floats(1, 6)), min_size=20, max_size=200))
def test_best_efforts_equal_a_naive_search(parts):
    """No window from or to a sample is faster than the one that was found."""
    timer_s = np.cumsum([0.0, *(seconds for seconds, _ in parts)])
    along_m = np.cumsum([0.0, *(seconds * speed for seconds, speed in parts)])
    times_s = best_efforts(samples_of(timer_s, distance_m=along_m))["time_s"].to_list()

    fastest = min(
        min(naive_time_s(timer_s, along_m, start_m, 400.0) for start_m in (place_m, place_m - 400))
        for place_m in along_m
    )

    assert [*times_s, math.inf][0] == pytest.approx(fastest, abs=1e-6)


def naive_time_s(timer_s: np.ndarray, along_m: np.ndarray, start_m: float, length_m: float) -> float:
    """Time from when the start was last left to when the end was first reached; infinite outside."""
    if start_m < 0 or start_m + length_m > along_m[-1]:
        return math.inf
    left = reached = math.nan
    for (t0, d0), (t1, d1) in pairwise(zip(timer_s, along_m, strict=True)):
        if d0 <= start_m < d1:
            left = t0 + (start_m - d0) / (d1 - d0) * (t1 - t0)
        if d0 < start_m + length_m <= d1:
            reached = t0 + (start_m + length_m - d0) / (d1 - d0) * (t1 - t0)
    return reached - left if reached - left >= length_m / 7 else math.inf


def test_theil_sen_of_the_worked_example():
    """One bad week of eight leaves the slope alone, and widens the interval past 0."""
    fit = theil_sen(np.arange(8.0), EASY_WEEKS)

    slope, intercept = FORMULAS["theilsen_slope_intercept_separate"]
    assert fit.slope == pytest.approx(slope)
    assert (fit.low, fit.high) == pytest.approx(FORMULAS["theilsen_ci95"])
    assert np.median(EASY_WEEKS) - fit.slope * 3.5 == pytest.approx(intercept)
    joint = np.median(EASY_WEEKS - fit.slope * np.arange(8))
    assert joint == pytest.approx(FORMULAS["theilsen_intercept_joint"])


def test_one_bad_week_moves_the_least_squares_line_more():
    """Why the trend is Theil and Sen's: the mean line loses a quarter of its slope to a single week."""
    without = np.delete(np.arange(8.0), 5), np.delete(EASY_WEEKS, 5)

    least_squares = stats.linregress(np.arange(8), EASY_WEEKS).slope

    assert least_squares == pytest.approx(FORMULAS["ols_slope"], abs=5e-5)
    assert abs(theil_sen(np.arange(8.0), EASY_WEEKS).slope - theil_sen(*without).slope) < abs(
        least_squares - stats.linregress(*without).slope
    )


def test_mann_kendall_of_the_worked_example():
    """Score, variance, z with continuity correction, p and tau."""
    test = mann_kendall(EASY_WEEKS)

    assert (test.s, test.variance, test.z, test.p) == pytest.approx(FORMULAS["mk_S_var_z_p"], rel=5e-4)
    assert test.tau == pytest.approx(FORMULAS["kendall_tau_b"], rel=5e-4)


series = st.lists(st.integers(300, 420).map(float), min_size=2, max_size=20).map(np.array)


@settings(deadline=None)
@given(series, st.data())
def test_theil_sen_agrees_with_scipy(y, data):
    """Slope and both ends, with ties in y and weeks missing in x."""
    weeks = data.draw(st.lists(st.integers(0, 60), min_size=len(y), max_size=len(y), unique=True))
    x = np.sort(np.array(weeks, dtype=float))

    expected = stats.theilslopes(y, x, 0.95)

    assert theil_sen(x, y) == pytest.approx((expected.slope, expected.low_slope, expected.high_slope))


@settings(deadline=None)
@given(series.filter(lambda y: len(y) > 2))
def test_mann_kendall_agrees_with_scipy(y):
    """Tau-b is SciPy's, and so is p but for the continuity correction."""
    assume(len(np.unique(y)) > 1)

    test, expected = mann_kendall(y), stats.kendalltau(np.arange(len(y)), y, method="asymptotic")

    assert test.tau == pytest.approx(expected.statistic)
    without_correction = math.erfc(abs(test.s) / math.sqrt(2 * test.variance))
    assert without_correction == pytest.approx(expected.pvalue)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=20))
def test_ranks_of_two_series_agree_with_scipy(rows):
    """Tau-b with ties in both, and no more certain than SciPy is."""
    x, y = np.array(rows, dtype=float).T
    assume(len(np.unique(x)) > 1 and len(np.unique(y)) > 1)

    assert kendall(x, y).tau == pytest.approx(stats.kendalltau(x, y).statistic)
    assert kendall(x, y).s == -kendall(x, -y).s
    assert kendall(x, y)[2:] == pytest.approx(kendall(y, x)[2:])


def test_an_even_series_has_no_trend():
    """All alike: no score, p of 1, and tau undefined as in SciPy."""
    test = mann_kendall(np.full(8, 360.0))

    assert (test.s, test.z, test.p) == (0, 0, 1)
    assert math.isnan(test.tau)
    assert theil_sen(np.arange(8.0), np.full(8, 360.0)) == (0, 0, 0)
    assert all(math.isnan(value) for value in theil_sen(np.array([1.0]), np.array([1.0])))


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (EASY_WEEKS, "no clear trend"),
        (400 - 2.0 * np.arange(16), "faster"),
        (300 + 2.0 * np.arange(16), "slower"),
        (np.full(16, 360.0), "no clear trend"),
        (np.array([370.0, np.nan, 360, 350, np.nan, 340, 330]), "too few weeks"),
        (np.array([370.0, np.nan, 360, 350, np.nan, 340, 330, 320]), "faster"),
        (np.array([]), "too few weeks"),
    ],
)
def test_a_trend_is_named_only_when_its_interval_leaves_out_0(values, word):
    """Six weeks with easy running are needed; missing weeks stay missing."""
    assert pace_trend(values)["pace_trend"] == word


def test_too_few_weeks_have_no_numbers():
    """No slope is shown where none is trusted; otherwise all three are."""
    few, many = pace_trend(EASY_WEEKS[:5]), pace_trend(EASY_WEEKS)

    assert list(few.values()) == [None, None, None, "too few weeks"]
    assert list(many.values())[:3] == pytest.approx([-2.0, -2.6, 1.0])
