"""Load: scores of a run, means over days, and spikes against the thirty days before."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.load import (
    SPIKES,
    HeartRateProfile,
    acwr_ewma,
    acwr_uncoupled,
    ctl_atl_tsb,
    hrss,
    monotony,
    rtss,
    spike_bin,
    srpe,
    strain,
    trimp_banister,
    trimp_edwards,
    trimp_lucia,
    with_spikes,
)

FORMULAS = json.loads((Path(__file__).parent / "data" / "formulas.json").read_text())
START = datetime(2026, 1, 1, 7, tzinfo=UTC)
MALE = HeartRateProfile(sex="male", resting_bpm=60, max_bpm=190)
FEMALE = HeartRateProfile(sex="female", resting_bpm=60, max_bpm=190)
LAB = HeartRateProfile(vt1_bpm=140, vt2_bpm=165)
FOSTER_WEEK = np.array([300.0, 0, 400, 0, 250, 600, 0])

loads = st.lists(st.just(0.0) | st.floats(1, 50_000), min_size=1, max_size=120).map(np.array)


def as_published(value: object) -> object:
    """The shared values are rounded to four digits."""
    return pytest.approx(value, rel=5e-4)


def runs_of(*rows: tuple[float, float | None]) -> pl.DataFrame:
    """Runs from pairs of days since the start and metres; the place in the list is the id."""
    return pl.DataFrame(
        [(str(i), START + timedelta(days=days), distance_m) for i, (days, distance_m) in enumerate(rows)],
        schema={
            "activity_id": pl.String,
            "started_at": pl.Datetime("us", "UTC"),
            "distance_m": pl.Float64,
        },
        orient="row",
    )


def minutes_at(*parts: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Heart rate and durations of a run from pairs of minutes and beats, one sample a second."""
    hr_bpm = np.concatenate([np.full(round(minutes * 60), bpm) for minutes, bpm in parts])
    return hr_bpm.astype(float), np.ones(len(hr_bpm))


@pytest.mark.parametrize(
    ("name", "profile", "parts"),
    [
        ("trimp_m_60_150_60_190", MALE, [(60, 150)]),
        ("trimp_f_60_150_60_190", FEMALE, [(60, 150)]),
        ("trimp_m_45_150_60_190", MALE, [(45, 150)]),
        ("trimp_m_persample_30x120_30x180", MALE, [(30, 120), (30, 180)]),
    ],
)
def test_banister_is_summed_over_samples(name, profile, parts):
    """The published values come out, and a varied run scores more than its mean would."""
    assert trimp_banister(*minutes_at(*parts), profile) == as_published(FORMULAS[name])


def test_edwards_weighs_the_five_zones():
    """Minutes in the zones of maximum heart rate count 1 to 5, those below nothing."""
    profile = HeartRateProfile(max_bpm=200)

    trimp = trimp_edwards(*minutes_at((10, 105), (20, 125), (15, 145), (10, 165), (5, 185), (7, 95)), profile)

    assert trimp == as_published(FORMULAS["edwards_10_20_15_10_5"])


@pytest.mark.parametrize(("share", "weight"), [(0.5, 1), (0.6, 2), (0.7, 3), (0.8, 4), (0.9, 5), (1.05, 5)])
def test_a_zone_begins_at_its_edge(share, weight):
    """60 % of maximum is zone 2 whatever the rounding."""
    assert trimp_edwards(np.array([190 * share]), np.array([60.0]), MALE) == weight


def test_lucia_weighs_by_the_ventilatory_thresholds():
    """40 minutes below the first, 15 between, 5 above; each threshold belongs to the middle."""
    trimp = trimp_lucia(*minutes_at((40, 130), (15, 150), (5, 170)), LAB)

    assert trimp == as_published(FORMULAS["lucia_40_15_5"])
    assert [trimp_lucia(*minutes_at((1, bpm)), LAB) for bpm in (139.9, 140, 165, 165.1)] == pytest.approx(
        [1, 2, 2, 3]
    )


@pytest.mark.parametrize("profile", [MALE, HeartRateProfile(vt1_bpm=140), HeartRateProfile(vt2_bpm=165)])
def test_lucia_needs_both_thresholds(profile):
    """They come from a laboratory; nothing is made up."""
    assert trimp_lucia(*minutes_at((60, 150)), profile) is None
    assert trimp_lucia(np.array([np.nan]), np.array([1.0]), LAB) is None


def test_samples_without_heart_rate_count_nothing():
    """A strap that fell off adds no load, and does not spoil the sum either."""
    hr_bpm, dt_s = minutes_at((60, 150))
    with_gaps = np.concatenate((hr_bpm, [np.nan] * 600, [0.0] * 600))

    trimp = trimp_banister(with_gaps, np.ones(len(with_gaps)), MALE)

    assert trimp == pytest.approx(trimp_banister(hr_bpm, dt_s, MALE))


@pytest.mark.parametrize(
    "profile",
    [
        HeartRateProfile(resting_bpm=60, max_bpm=190),
        HeartRateProfile(sex="male", max_bpm=190),
        HeartRateProfile(sex="male", resting_bpm=60),
        HeartRateProfile(sex="male", resting_bpm=190, max_bpm=190),
    ],
)
def test_banister_needs_the_whole_profile(profile):
    """Without sex, rest or maximum there is no load, not a load of 0."""
    assert trimp_banister(*minutes_at((60, 150)), profile) is None


@pytest.mark.parametrize("hr_bpm", [np.array([]), np.array([np.nan, np.nan]), np.array([0.0, 0.0])])
def test_a_run_without_heart_rate_has_no_heart_rate_load(hr_bpm):
    """Unknown is None, never 0."""
    dt_s = np.ones(len(hr_bpm))

    assert trimp_banister(hr_bpm, dt_s, MALE) is None
    assert trimp_edwards(hr_bpm, dt_s, MALE) is None


def test_the_threshold_is_85_percent_of_the_reserve_unless_known():
    """The athlete's own value wins; nothing is made up without rest and maximum."""
    known = HeartRateProfile(resting_bpm=55, max_bpm=190)

    assert known.threshold_or_default_bpm == as_published(FORMULAS["lthr_default_0.85"])
    assert HeartRateProfile(threshold_bpm=171, max_bpm=190).threshold_or_default_bpm == 171
    assert HeartRateProfile(max_bpm=190).threshold_or_default_bpm is None


@pytest.mark.parametrize(
    ("name", "sex"),
    [("hrtss_trimp_m_60min_145_rest55_max190_lthr170", "male"), ("hrtss_trimp_f_same", "female")],
)
def test_hrss_is_trimp_over_an_hour_at_threshold(name, sex):
    """The published values come out, and an hour at threshold is 100."""
    profile = HeartRateProfile(sex=sex, resting_bpm=55, max_bpm=190, threshold_bpm=170)

    assert hrss(trimp_banister(*minutes_at((60, 145)), profile), profile) == as_published(FORMULAS[name])
    assert hrss(trimp_banister(*minutes_at((60, 170)), profile), profile) == pytest.approx(100)


def test_hrss_is_unknown_without_trimp_or_threshold():
    """Neither half can be guessed, and a threshold at rest divides by nothing."""
    assert hrss(None, MALE) is None
    assert hrss(100.0, HeartRateProfile(sex="male")) is None
    assert hrss(100.0, HeartRateProfile(sex="male", resting_bpm=60, max_bpm=190, threshold_bpm=60)) is None


@pytest.mark.parametrize(
    ("name", "minutes", "pace", "threshold"),
    [("rtss_30min_ngp300_thr270", 30, 300, 270), ("rtss_75min_ngp330_thr285", 75, 330, 285)],
)
def test_rtss_squares_speed_over_threshold_speed(name, minutes, pace, threshold):
    """Speeds are compared, not paces."""
    assert rtss(minutes * 60, 1000 / pace, threshold) == as_published(FORMULAS[name])


def test_rtss_is_unknown_without_pace_or_threshold():
    """None in, None out."""
    assert rtss(1800, None, 270) is None
    assert rtss(1800, 3.0, None) is None


def test_session_rpe_is_exertion_times_minutes():
    """Foster's product; unknown when not asked."""
    assert srpe(5, 3600) == FORMULAS["srpe_60_5"]
    assert srpe(None, 3600) is None
    assert srpe(5, None) is None


def test_fitness_and_fatigue_rise_as_published():
    """A TSS of 100 a day from nothing, after 1, 7 and 42 days."""
    ctl, atl, _ = ctl_atl_tsb(np.full(43, 100.0))

    assert ctl[[0, 6, 41]] == as_published(FORMULAS["ctl_exp_day1_7_42"])
    assert atl[[0, 6, 41]] == as_published(FORMULAS["atl_exp_day1_7_42"])
    assert ctl_atl_tsb(np.full(43, 100.0))[2][42] == as_published(FORMULAS["tsb_exp_on_day43_from_day42"])


def test_fitness_and_fatigue_go_on_from_their_seed():
    """A week from 40, day by day, and the form of the day after."""
    week = np.array([0.0, 60, 0, 80, 50, 0, 120, 0])

    ctl, atl, tsb = ctl_atl_tsb(week, seed=40)

    assert ctl[:7] == as_published(FORMULAS["ctl_series_seed40"])
    assert atl[:7] == as_published(FORMULAS["atl_series_seed40"])
    assert tsb[7] == as_published(FORMULAS["tsb_day8_seed40"])
    assert tsb[0] == 0
    assert ctl[6] - 40 == as_published(FORMULAS["ctl_ramp_7d"])


@pytest.mark.parametrize(
    ("last_week", "name"), [(45, "acwr_uncoupled_30_30_30_45"), (60, "acwr_uncoupled_60")]
)
def test_uncoupled_ratio_leaves_the_acute_week_out_of_the_chronic(last_week, name):
    """Weeks of 30, 30, 30 and more."""
    daily = np.repeat([30, 30, 30, last_week], 7) / 7

    assert acwr_uncoupled(daily)[-1] == as_published(FORMULAS[name])


def test_uncoupled_ratio_of_runs_and_rest_days():
    """The series on which the three definitions differ."""
    daily = np.array([0, 5, 0, 6, 0, 4, 9] * 3 + [0, 6, 0, 8, 0, 5, 14], dtype=float)

    assert acwr_uncoupled(daily)[-1] == as_published(FORMULAS["ra_same_series_uncoupled"])
    acute, chronic, ratio = FORMULAS["ewma_3wk_0506049_then_0608_0_5_14"]
    assert acwr_ewma(daily)[-1] == as_published(ratio)
    assert acute / chronic == as_published(ratio)


def test_exponential_ratio_starts_from_the_first_day():
    """28 days of 10, then 30; lambda is 2/(N+1)."""
    assert acwr_ewma(np.array([10.0] * 28 + [30]))[-1] == as_published(FORMULAS["ewma_const10_then30"][2])
    after_one = (FORMULAS["ewma_lambda_acute"] / FORMULAS["ewma_lambda_chronic"]) * np.array([1.0])
    assert acwr_ewma(np.array([0.0, 1.0]))[1:] == as_published(after_one)


def test_ratios_are_undefined_without_a_past():
    """Fewer than 28 days, or 21 days of rest before, give NaN and no infinity."""
    assert np.isnan(acwr_uncoupled(np.ones(27))).all()
    assert np.isfinite(acwr_uncoupled(np.ones(28))[-1])
    assert np.isnan(acwr_uncoupled(np.array([10_123.4, 5_000.1] + [0.0] * 400 + [9_000.3]))[29:]).all()
    assert np.isnan(acwr_ewma(np.zeros(30))).all()
    assert len(acwr_uncoupled(np.array([]))) == len(acwr_ewma(np.array([]))) == 0


def test_monotony_and_strain_use_the_sample_deviation():
    """Foster's week and a flat one."""
    assert FOSTER_WEEK.sum() == FORMULAS["week_load"]
    assert monotony(FOSTER_WEEK) == as_published(FORMULAS["monotony_sample_sd"])
    assert strain(FOSTER_WEEK) == as_published(FORMULAS["strain_sample_sd"])
    flat = np.array([200.0, 220, 210, 200, 230, 220, 200])
    assert monotony(flat) == as_published(FORMULAS["monotony_sample_flat_week"])


@pytest.mark.parametrize("daily", [np.array([]), np.array([5.0]), np.zeros(7), np.full(7, 0.1)])
def test_monotony_is_undefined_when_the_days_do_not_differ(daily):
    """No infinity, also where 0.1 seven times has a deviation of rounding dust."""
    assert np.isnan(monotony(daily))
    assert np.isnan(strain(daily))


@settings(deadline=None)
@given(loads)
def test_doubling_all_loads_changes_no_ratio(daily):
    """Ratios are free of scale; means double."""
    np.testing.assert_allclose(acwr_uncoupled(2 * daily), acwr_uncoupled(daily))
    np.testing.assert_allclose(acwr_ewma(2 * daily), acwr_ewma(daily))
    np.testing.assert_allclose(ctl_atl_tsb(2 * daily), 2 * np.array(ctl_atl_tsb(daily)))
    if np.isfinite(monotony(daily)):
        assert monotony(2 * daily) == pytest.approx(monotony(daily))


@settings(deadline=None)
@given(loads)
def test_a_rest_day_never_raises_acute_load(daily):
    """Fatigue and fitness only fall on a day without load."""
    ctl, atl, _ = ctl_atl_tsb(np.append(daily, 0.0))

    assert atl[-1] <= atl[-2]
    assert ctl[-1] <= ctl[-2]


@pytest.mark.parametrize("km", ["12.0", "13.2", "15.6", "15.7", "24.0", "24.1"])
def test_spike_bins_are_those_of_the_study(km):
    """Each edge belongs to the lower bin, whatever the rounding."""
    ratio_pct, expected = FORMULAS[f"spike_{km}_vs_12"]

    assert spike_bin(float(km) * 1000, 12_000) == expected
    assert (float(km) / 12 - 1) * 100 == pytest.approx(ratio_pct, abs=1e-3)


@pytest.mark.parametrize(
    ("distance_m", "longest_m", "expected"),
    [
        (13_210, 12_000, "reference"),  # small by the study alone
        (13_300, 12_000, "reference"),
        (13_400, 12_000, "small"),
        (13_500, 12_000, "small"),
        (33_290, 30_000, "reference"),  # 1 % of the longest is more than 200 m
        (33_300, 30_000, "small"),
        (450, 300, "moderate"),
    ],
)
def test_small_spikes_lie_beyond_what_gps_can_tell(distance_m, longest_m, expected):
    """The dead-band is 200 m or 1 % beyond +10 %, and holds for small spikes only."""
    assert spike_bin(distance_m, longest_m) == expected


@pytest.mark.parametrize("longest_m", [None, 0.0])
def test_there_is_no_spike_without_a_baseline(longest_m):
    """Nothing to compare with is its own answer."""
    assert spike_bin(5000, longest_m) == "no_baseline"


@given(st.floats(100, 50_000), st.floats(100, 50_000), st.floats(0, 10_000))
def test_a_longer_run_is_never_a_smaller_spike(distance_m, longest_m, more_m):
    """Bins rise with the distance."""
    order = ["reference", "small", "moderate", "large"]

    assert order.index(spike_bin(distance_m, longest_m)) <= order.index(
        spike_bin(distance_m + more_m, longest_m)
    )


def test_each_run_is_held_against_the_thirty_days_before_it():
    """The run exactly 30 days ago still counts, the run itself and later ones do not."""
    spikes = with_spikes(runs_of((0, 10_000), (30, 12_000), (60.001, 30_000)))

    assert spikes.schema == SPIKES
    assert spikes.to_dicts() == [
        {
            "activity_id": "0",
            "spike_ratio": None,
            "spike_bin": "no_baseline",
            "longest_30d_m": None,
            "longest_30d_activity_id": None,
        },
        {
            "activity_id": "1",
            "spike_ratio": pytest.approx(0.2),
            "spike_bin": "small",
            "longest_30d_m": 10_000.0,
            "longest_30d_activity_id": "0",
        },
        {
            "activity_id": "2",
            "spike_ratio": None,
            "spike_bin": "no_baseline",
            "longest_30d_m": None,
            "longest_30d_activity_id": None,
        },
    ]


def test_a_run_of_unknown_distance_is_no_spike_and_no_baseline():
    """Null stays null, and does not hide the longest run of the others."""
    spikes = with_spikes(runs_of((0, 8_000), (1, None), (2, float("nan")), (3, 10_000), (4, 0)))

    assert spikes["spike_bin"].to_list() == ["no_baseline", None, None, "small", "reference"]
    assert spikes["spike_ratio"].to_list()[1:3] == [None, None]
    assert spikes["longest_30d_activity_id"].to_list()[1:] == ["0", "0", "0", "3"]


def test_no_runs_give_no_spikes():
    """Empty in, empty out, with the columns."""
    assert with_spikes(runs_of()).schema == SPIKES
    assert with_spikes(runs_of()).is_empty()


history = st.lists(
    st.tuples(
        st.integers(0, 2000).map(lambda hours: hours / 12), st.none() | st.integers(0, 40_000).map(float)
    ),
    max_size=60,
)


@settings(deadline=None)
@given(history)
def test_spikes_equal_a_naive_loop(rows):
    """The rolling maximum is the definition read aloud, also with runs at the same instant."""
    spikes = with_spikes(runs_of(*rows))

    for activity_id, _, bin_name, longest_m, longest_id in spikes.iter_rows():
        days, distance_m = rows[int(activity_id)]
        before = [
            other_m
            for other_days, other_m in rows
            if other_m and timedelta(days) - timedelta(30) <= timedelta(other_days) < timedelta(days)
        ]
        assert longest_m == max(before, default=None)
        assert longest_id is None or rows[int(longest_id)][1] == longest_m
        assert bin_name == (None if distance_m is None else spike_bin(distance_m, max(before, default=None)))
    assert len(spikes) == len(rows)


@settings(deadline=None)
@given(history, st.randoms(use_true_random=False))
def test_the_order_of_runs_does_not_matter(rows, random):
    """Late exports arrive in any order."""
    runs = runs_of(*rows)
    order = list(range(len(rows)))
    random.shuffle(order)

    assert with_spikes(runs[order]).equals(with_spikes(runs))


def test_thirty_thousand_runs_take_no_time():
    """A lifetime of runs is compared without a loop over pairs."""
    rng = np.random.default_rng(0)
    days, metres = np.sort(rng.uniform(0, 15_000, 30_000)), rng.uniform(1_000, 42_195, 30_000)

    spikes = with_spikes(runs_of(*zip(days, metres, strict=True)))

    assert len(spikes) == 30_000
    assert spikes["longest_30d_m"].max() == pytest.approx(metres.max())
