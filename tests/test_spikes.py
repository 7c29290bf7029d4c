"""Spikes: which runs of a history raise the load, by how much, and for how long."""

import importlib.util
import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from analytics.load import spike_bin
from analytics.rules import Rules
from analytics.spikes import find_spikes, load_level_of

HERE = Path(__file__).parent
VECTORS = json.loads((HERE / "data" / "alert_vectors.json").read_text())
SPEC = importlib.util.spec_from_file_location("naive_alerts", HERE / "naive_alerts.py")
naive = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(naive)
Run = naive.Run
THREE_A_WEEK = [day for day in range(140) if day % 7 in (0, 2, 4)]


def steady(until, *, metres=10_000, down_m=None):
    """Three equal runs a week up to and without day `until`."""
    return [Run(day, 7.5, metres, down_m) for day in THREE_A_WEEK if day < until]


def spikes_of(*runs, through=150, rules=None):
    frames = naive.frames_of(runs, through)
    return find_spikes(*frames, rules) if rules else find_spikes(*frames)


def kinds(spikes):
    return [
        ((spike.local_date - naive.DAY_0).days, spike.bin, spike.is_ramp, spike.is_downhill)
        for spike in spikes
    ]


def level_after(spikes, days):
    """Load level so many days after the first of the spikes."""
    day = spikes[0].local_date + timedelta(days=days)
    return load_level_of([spike for spike in spikes if spike.is_active_on(day)], day)


@pytest.mark.parametrize(
    "vector",
    [vector for vector in VECTORS if vector["kind"] == "single_session_bin"],
    ids=lambda v: f"{v['run_km']} km",
)
def test_a_run_gets_the_published_bin(vector):
    """Distance against the longest of the 30 days before."""
    longest_m = max((km * 1000 for km in vector["runs_prior_30d_km"]), default=None)

    assert spike_bin(vector["run_km"] * 1000, longest_m) == vector["expected"]


def test_no_vector_is_left_out():
    """Each kind of shared vector is tested: bins here, pain levels and decisions beside the rules they belong to."""
    assert {v["kind"] for v in VECTORS} == {"single_session_bin", "pain_level", "decision"}


@pytest.mark.parametrize(
    ("metres", "expected"),
    [
        (11_000, None),
        (11_150, None),
        (11_200, "small"),
        (13_000, "small"),
        (13_050, "moderate"),
        (20_000, "moderate"),
        (20_050, "large"),
    ],
)
def test_a_long_run_is_a_spike_by_its_bin(metres, expected):
    """Beyond the dead-band of +10 %, +30 % and +100 % of the 10 km before; up to each edge it stays below."""
    spikes = spikes_of(*steady(42), Run(42, 7.5, metres))

    assert [spike.bin for spike in spikes] == ([expected] if expected else [])


def test_steady_running_has_no_spike():
    """The same three runs for five months."""
    assert spikes_of(*steady(140)) == []


def test_no_runs_no_spikes():
    """An empty history is one too."""
    assert spikes_of() == []


@pytest.mark.parametrize(
    ("day", "expected"), [(13, []), (14, [True]), (27, [True]), (28, [False]), (42, [False])]
)
def test_a_long_run_counts_from_two_weeks_of_history_and_is_provisional_up_to_four(day, expected):
    """13 days after the first run nothing is known; from day 28 on nothing is provisional."""
    spikes = spikes_of(*steady(day), Run(day, 18.0, 14_000))

    assert [spike.is_provisional for spike in spikes] == expected


@pytest.mark.parametrize(("hours_without", "expected"), [(30 * 24, ["moderate"]), (30 * 24 + 1, [])])
def test_a_run_after_more_than_thirty_days_without_has_nothing_to_be_compared_with(hours_without, expected):
    """The last run of 10 km before a pause counts 30 days to the hour."""
    last = max(steady(42), key=lambda run: run.at)
    comeback = Run(last.day + 30, last.hour + hours_without - 30 * 24, 14_000)

    assert [spike.bin for spike in spikes_of(*steady(42), comeback)] == expected


@pytest.mark.parametrize(
    ("ran_m", "planned_m", "is_off"),
    [
        (12_000, 10_000, False),
        (12_100, 10_000, True),
        (7_990, 6_000, False),
        (8_000, 6_000, True),
        (14_000, None, False),
    ],
    ids=["1.2 times", "over 1.2 times", "below 2 km", "2 km", "no plan"],
)
def test_what_the_plan_held_is_told_where_the_runner_went_well_beyond_it(ran_m, planned_m, is_off):
    """Of the session and of its week alike; a plan makes no spike and takes none away."""
    runs, daily = naive.frames_of([*steady(42, metres=5_000), Run(44, 7.5, ran_m)], 60)
    own = pl.when(pl.col("local_date") == naive.DAY_0 + timedelta(days=44)).then(
        pl.lit(planned_m, pl.Float64)
    )
    beside = runs.with_columns(planned_distance_m=own, planned_7d_m=own)

    (spike,) = find_spikes(beside, daily)
    (alone,) = find_spikes(runs, daily)

    assert spike.numbers["planned_distance_m"] == (planned_m if is_off else None)
    assert (spike.numbers["planned_7d_m"] is None) == (spike.numbers["ran_7d_m"] is None)
    assert alone.numbers["planned_distance_m"] is None
    assert (alone.bin, alone.is_ramp) == (spike.bin, spike.is_ramp)


@pytest.mark.parametrize(
    ("ratios", "runs_28d", "is_high"),
    [
        ([1.5], 12, False),
        ([1.51], 12, True),
        ([1.51, 1.3], 12, True),
        ([1.51, 1.29, 1.4], 12, False),
        ([1.4], 12, False),
        ([1.51, None, 1.4], 12, False),
        ([1.51], 7, False),
    ],
)
def test_the_acute_to_chronic_ratio_is_told_of_above_one_limit_until_below_another(ratios, runs_28d, is_high):
    """From eight days with a run in four weeks on; it makes no spike."""
    every = 28 // runs_28d
    runs, daily = naive.frames_of(
        [*(Run(day, 7.5, 6_000) for day in range(0, 56, every)), Run(56, 7.5, 20_000)], 56
    )
    told = [None] * (daily.height - len(ratios)) + ratios
    daily = daily.with_columns(acwr_uncoupled=pl.Series(told, dtype=pl.Float64))

    *_, spike = find_spikes(runs, daily)

    assert spike.numbers["acwr_is_high"] is is_high
    assert spike.numbers["acwr_uncoupled"] == ratios[-1]


@pytest.mark.parametrize(
    ("before_m", "week_m", "is_ramp"),
    [
        (20_000, 26_000, False),
        (20_000, 26_100, True),
        (16_000, 20_950, False),
        (16_000, 21_000, True),
        (9_990, 16_000, False),
        (10_000, 15_000, True),
        (30_000, 30_000, False),
    ],
    ids=["+30 %", "over +30 %", "below 5 km", "5 km", "from below 10 km", "from 10 km", "equal"],
)
def test_a_ramp_is_more_than_thirty_percent_and_five_km_over_a_week_of_ten(before_m, week_m, is_ramp):
    """One run a week, shorter than the longest of a month, so that only the weeks speak."""
    longest = [Run(0, 7.5, 40_000), Run(21, 7.5, 40_000)]

    spikes = spikes_of(*longest, Run(30, 7.5, before_m), Run(41, 7.5, week_m), through=41)

    assert kinds(spikes) == ([(41, "reference", True, False)] if is_ramp else [])


def test_a_ramp_needs_four_weeks_of_history():
    """The same two weeks are a ramp on day 28 and nothing on day 27."""
    weeks = [Run(day, 7.5, 5_000) for day in (14, 16, 18)] + [
        Run(day, 7.5, 5_000) for day in (21, 23, 25, 26)
    ]

    early = spikes_of(Run(0, 7.5, 8_000), *weeks, Run(27, 7.5, 5_000))
    late = spikes_of(Run(-1, 7.5, 8_000), *weeks, Run(27, 7.5, 5_000))

    assert kinds(early) == []
    assert kinds(late) == [(27, "reference", True, False)]


def test_a_ramp_that_goes_on_is_one_spike():
    """Five runs a week instead of three: the first run over the edge is the ramp, those after it are not."""
    more = [Run(42 + day, 7.5, 10_000) for day in (0, 1, 2, 3, 4, 5, 6)]

    assert kinds(spikes_of(*steady(42), *more)) == [(43, "reference", True, False)]


@pytest.mark.parametrize(
    ("week_before", "this_week", "is_downhill"),
    [(20, 99, False), (20, 100, True), (100, 150, False), (100, 151, True), (0, 100, True)],
    ids=["below 100 m", "100 m", "1.5 times", "over 1.5 times", "the first hills"],
)
def test_downhill_is_a_hundred_metres_and_more_than_one_and_a_half_times_before(
    week_before, this_week, is_downhill
):
    """Metres down steep grades of seven days against the weekly mean of the three weeks before."""
    hills = [Run(day, 7.5, 10_000, week_before if day % 7 == 0 else 0) for day in THREE_A_WEEK if day < 42]

    spikes = spikes_of(*hills, Run(44, 7.5, 10_000, this_week), through=44)

    assert kinds(spikes) == ([(44, "reference", False, True)] if is_downhill else [])


def test_without_altitude_before_downhill_is_unknown():
    """A first week with a barometer has nothing to be compared with."""
    assert spikes_of(*steady(42), Run(42, 7.5, 10_000, 400)) == []


def test_a_run_downhill_seven_days_on_is_the_same_signal_and_eight_days_on_a_new_one():
    """What was seen within seven days goes on."""
    flat = steady(42, down_m=0)

    again = [
        kinds(spikes_of(*flat, Run(42, 7.5, 10_000, 200), Run(42 + d, 7.5, 10_000, 900))) for d in (7, 8)
    ]

    assert [len(spikes) for spikes in again] == [1, 2]


def test_small_with_a_ramp_or_much_downhill_is_moderate():
    """Level 1 alone, level 2 together, also when they come from two runs."""
    small = Run(42, 7.5, 12_000)
    downhill = Run(44, 7.5, 9_000, 150)
    flat = steady(42, down_m=0)

    assert level_after(spikes_of(*flat, small), 2) == 1
    assert level_after(spikes_of(*flat, downhill), 0) == 1
    assert level_after(spikes_of(*flat, small, downhill), 2) == 2


@pytest.mark.parametrize(("metres", "level"), [(12_000, 1), (16_000, 2), (19_000, 2)])
def test_a_long_run_counts_for_fourteen_days(metres, level):
    """The fourteenth day yes, the fifteenth no."""
    spikes = spikes_of(*steady(42), Run(42, 7.5, metres))

    assert [level_after(spikes, days) for days in (0, 14, 15)] == [level, level, 0]


def test_a_ramp_counts_for_twenty_one_days():
    """The twenty-first day yes, the twenty-second no."""
    spikes = spikes_of(*steady(42), *(Run(42 + day, 7.5, 10_000) for day in (0, 1, 2, 4)))

    assert [level_after(spikes, days) for days in (0, 21, 22)] == [1, 1, 0]


def test_of_a_long_run_that_is_also_a_ramp_the_ramp_counts_to_the_end():
    """Longer must never count for less time: level 3 for two weeks, then level 1 for the third."""
    spikes = spikes_of(*steady(42), Run(42, 7.5, 25_000))

    assert kinds(spikes) == [(42, "large", True, False)]
    assert [level_after(spikes, days) for days in (14, 15, 21, 22)] == [3, 1, 1, 0]


def test_much_downhill_counts_for_fourteen_days():
    """The fourteenth day yes, the fifteenth no."""
    spikes = spikes_of(*steady(42, down_m=0), Run(42, 7.5, 10_000, 150))

    assert [level_after(spikes, days) for days in (14, 15)] == [1, 0]


def test_nothing_counts_before_it_happened():
    """The day before a spike knows nothing of it."""
    (spike,) = spikes_of(*steady(42), Run(42, 7.5, 14_000))

    assert not spike.is_active_on(naive.date_of(41))


def test_windows_and_limits_can_be_set():
    """A physio's own: ten days, and a ramp from +10 %."""
    rules = Rules(spike_window_days=10, ramp_over=0.1, ramp_by_m=2_000, ramp_window_days=12)

    spikes = spikes_of(*steady(42), Run(42, 7.5, 14_000), rules=rules)

    assert kinds(spikes) == [(42, "moderate", True, False)]
    assert [
        load_level_of(spikes, spikes[0].local_date + timedelta(days=days), rules) for days in (10, 11)
    ] == [2, 1]
    assert [spike.window_days for spike in spikes] == [12]


def test_a_spike_carries_what_it_rests_on():
    """Both distances, the day and the id of the longest run, the ratio, and no weeks where no week speaks."""
    (spike,) = spikes_of(*steady(42), Run(42, 7.5, 14_000))

    assert spike.numbers["distance_m"] == 14_000
    assert spike.numbers["longest_30d_m"] == 10_000
    assert spike.numbers["longest_30d_date"] == naive.date_of(39).isoformat()
    assert spike.numbers["spike_ratio"] == pytest.approx(0.4)
    assert spike.numbers["week_m"] is None
    assert spike.numbers["descent_7d_m"] is None


def test_a_ramp_carries_both_weeks():
    """Seven days and the seven before."""
    spikes = spikes_of(*steady(42), *(Run(42 + day, 7.5, 10_000) for day in (0, 1, 2, 4)))

    assert [(spike.numbers["week_m"], spike.numbers["week_before_m"]) for spike in spikes] == [
        (40_000, 30_000)
    ]


def test_rows_may_come_in_any_order():
    """Frames out of a database have none."""
    runs, daily = naive.frames_of([*steady(42), Run(42, 7.5, 14_000), Run(44, 7.5, 16_000)], 50)
    expected = find_spikes(runs, daily)

    mixed = find_spikes(
        runs.sample(fraction=1, shuffle=True, seed=4), daily.sample(fraction=1, shuffle=True, seed=5)
    )

    assert mixed == expected
    assert len(expected) == 2


def test_a_run_of_unknown_length_is_no_spike():
    """Its distance counts as nothing."""
    runs, daily = naive.frames_of([*steady(42), Run(42, 7.5, None)], 50)

    assert runs.filter(pl.col("spike_bin").is_null()).height == 1
    assert find_spikes(runs, daily) == []
