"""The athlete's own values: set ones win from their day on, before them the history speaks."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.load import HeartRateProfile
from analytics.parameters import (
    Parameter,
    heart_rate_marks,
    hour_pace_s_per_km,
    parameters_of,
    values_on,
)

DAY = date(2026, 3, 1)
MARKS = pl.Schema(
    {
        "activity_id": pl.String,
        "local_date": pl.Date,
        "is_run": pl.Boolean,
        **dict.fromkeys(("peak_hr_bpm", "lowest_hr_bpm", "hour_hr_bpm", "hour_pace_s_per_km"), pl.Float64),
    }
)


def marks_of(*rows: tuple[float, dict[str, object]]) -> pl.DataFrame:
    """Marks of runs from pairs of days after the first and what the run says; the place in the list is the id."""
    return pl.DataFrame(
        [
            {"activity_id": str(i), "local_date": DAY + timedelta(days), "is_run": True, **marks}
            for i, (days, marks) in enumerate(rows)
        ],
        schema=MARKS,
    )


def peaks(*bpm: float, every_days: int = 2) -> pl.DataFrame:
    """Runs with these highest rates."""
    return marks_of(*((every_days * i, {"peak_hr_bpm": peak}) for i, peak in enumerate(bpm)))


def of(name: str, parameters: list[Parameter]) -> list[tuple[float, date | None]]:
    """The values of one parameter with the days from which they count."""
    return [(one.value, one.valid_from) for one in parameters if one.name == name]


def samples_of(timer_s: object, hr_bpm: object) -> pl.DataFrame:
    timer = np.array(timer_s, dtype=float)
    return pl.DataFrame({"timer_s": timer, "hr_bpm": np.broadcast_to(np.array(hr_bpm, float), len(timer))})


def test_an_even_hour_marks_one_rate():
    """Highest half minute, lowest minute and hour are the same."""
    marks = heart_rate_marks(samples_of(np.arange(3601), 145))

    assert marks == pytest.approx({"peak_hr_bpm": 145, "lowest_hr_bpm": 145, "hour_hr_bpm": 145})


@pytest.mark.parametrize("every_s", [1, 2, 5, 10])
def test_a_peak_must_be_held_and_a_flicker_is_none(every_s):
    """30 seconds at 180 are a peak however they were sampled; 5 seconds at 230 raise it by their share only."""
    seconds = np.arange(0, 1801, every_s)
    held = np.where((seconds > 600) & (seconds <= 630), 180, 140)
    flicker = np.where((seconds > 600) & (seconds <= 605), 230, 140)

    assert heart_rate_marks(samples_of(seconds, held))["peak_hr_bpm"] == pytest.approx(180)
    assert heart_rate_marks(samples_of(seconds, flicker))["peak_hr_bpm"] <= 140 + 90 * 10 / 30


def test_what_was_not_measured_is_no_mark():
    """Short, empty or without a heart rate: null, not 0; zeros of a lost strap are not a resting rate."""
    unknown = {"peak_hr_bpm": None, "lowest_hr_bpm": None, "hour_hr_bpm": None}

    assert heart_rate_marks(samples_of([], 145)) == unknown
    assert heart_rate_marks(samples_of(np.arange(3601), np.nan)) == unknown
    assert heart_rate_marks(samples_of(np.arange(3601), 0)) == unknown
    assert heart_rate_marks(samples_of(np.arange(1801), 145))["hour_hr_bpm"] is None
    lost = np.where(np.arange(3601) < 1800, 150, 0)
    assert heart_rate_marks(samples_of(np.arange(3601), lost))["lowest_hr_bpm"] == pytest.approx(150)


@given(st.lists(st.tuples(st.integers(1, 12), st.floats(40, 220)), min_size=1, max_size=200))
def test_marks_lie_within_what_was_measured_and_equal_a_naive_search(rows):
    """Second by second, every window is looked at."""
    step_s, hr_bpm = np.array(rows).T
    by_second = np.concatenate([np.full(int(min(s, 10)), bpm) for s, bpm in zip(step_s, hr_bpm, strict=True)])
    timer_s = np.concatenate(([0.0], np.cumsum(step_s)))

    marks = heart_rate_marks(samples_of(timer_s, np.concatenate(([99.0], hr_bpm))))

    for name, length, pick in (("peak_hr_bpm", 30, max), ("lowest_hr_bpm", 60, min)):
        windows = [by_second[i : i + length].mean() for i in range(len(by_second) - length + 1)]
        assert marks[name] == (pytest.approx(pick(windows)) if windows else None)


def test_an_effort_stands_for_an_hour_by_riegel():
    """10 km in an hour is its own pace; a faster 5 km is worth a little less over the hour; shorter ones say nothing."""
    efforts = pl.DataFrame({"distance_m": [1000.0, 5000.0, 10_000.0], "time_s": [200.0, 1700.0, 3600.0]})

    assert hour_pace_s_per_km(efforts[2:]) == pytest.approx(360)
    assert hour_pace_s_per_km(efforts) == pytest.approx(
        1000 * 3600 / (5000 * (3600 / 1700) ** (1 / 1.06)), rel=1e-9
    )
    assert hour_pace_s_per_km(efforts[:1]) is None


def test_four_runs_say_nothing():
    """An estimate needs five activities; until then the values are unknown."""
    assert parameters_of(peaks(180, 181, 182, 183), []) == []


def test_the_first_estimate_counts_for_what_lies_before_it():
    """So the first runs have a load, too; the day it was made on is in the evidence."""
    (found,) = (one for one in parameters_of(peaks(180, 181, 182, 183, 184), []) if one.name == "max_hr_bpm")

    assert (found.value, found.valid_from, found.is_estimated) == (183, None, True)
    assert found.evidence == {
        "method": "second highest 30 s of a year",
        "peak_hr_bpm": 183.0,
        "local_date": "2026-03-07",
        "activity_id": "3",
        "activities": 5,
        "estimated_on": "2026-03-09",
    }


def test_one_sensor_gone_wild_is_no_maximum():
    """A single high peak does not count; a second one confirms it, and impossible ones are not looked at."""
    assert of("max_hr_bpm", parameters_of(peaks(170, 171, 172, 220, 173, 240), [])) == [(173, None)]
    assert of("max_hr_bpm", parameters_of(peaks(170, 171, 172, 190, 173, 191), [])) == [
        (173, None),
        (190, DAY + timedelta(10)),
    ]


def test_an_estimate_changes_on_the_day_the_history_does():
    """It rises with the run that shows more, and falls a year after; in between it stands."""
    marks = pl.concat([peaks(185, 185, 170, 170, 170), peaks(*[171.0] * 60, every_days=9)])

    found = of("max_hr_bpm", parameters_of(marks, []))

    (first, begin), (second, changed) = found
    assert (first, begin, second) == (185, None, 171)
    assert changed is not None
    assert timedelta(365) <= changed - DAY <= timedelta(365 + 9)


def test_a_gap_of_a_year_keeps_the_last_estimate():
    """What was known stays until five new activities say something else."""
    after = marks_of(*((500 + i, {"peak_hr_bpm": 160.0}) for i in range(5)))

    found = of("max_hr_bpm", parameters_of(pl.concat([peaks(*[180.0] * 5), after]), []))

    assert found == [(180, None), (160, DAY + timedelta(504))]


def test_a_maximum_is_not_taken_for_far_below_that_of_ones_age():
    """Who only jogs has no peak; the year of birth keeps zones and load from being nonsense."""
    jogging = peaks(150, 151, 152, 153, 154)

    (found,) = (one for one in parameters_of(jogging, [], birth_year=1986) if one.name == "max_hr_bpm")

    assert found.value == 208 - 0.7 * 40
    assert found.evidence["peak_hr_bpm"] == 153
    assert of("max_hr_bpm", parameters_of(peaks(*[170.0] * 5), [], birth_year=1986)) == [(170, None)]
    assert of("max_hr_bpm", parameters_of(peaks(*[169.9] * 5), [], birth_year=1986)) == [(180, None)]
    assert of("max_hr_bpm", parameters_of(jogging, [])) == [(153, None)]


def test_rest_is_the_lowest_minute_and_never_above_what_is_typical():
    """A stroll may hold it, a ride too; runs that start at 100 beats say nothing about rest."""
    low = marks_of(*((i, {"lowest_hr_bpm": bpm}) for i, bpm in enumerate((95.0, 58.0, 92.0, 90.0, 91.0))))
    ride = low.with_columns(is_run=pl.lit(value=False))
    high = marks_of(*((i, {"lowest_hr_bpm": 95.0}) for i in range(5)))

    assert of("resting_hr_bpm", parameters_of(low, [])) == [(58, None)]
    assert of("resting_hr_bpm", parameters_of(ride, [])) == [(58, None)]
    assert of("resting_hr_bpm", parameters_of(high, [])) == [(65, None)]


def test_threshold_is_the_default_until_an_hour_shows_more():
    """85 % of the reserve, as load has it; the highest hour of a year where that is higher, never above the maximum."""
    given = [Parameter(name="resting_hr_bpm", value=55), Parameter(name="max_hr_bpm", value=190)]
    hours = marks_of(
        *((i, {"hour_hr_bpm": bpm}) for i, bpm in enumerate((150.0, 151.0, 152.0, 150.0, 150.0, 175.2)))
    )

    found = of("threshold_hr_bpm", parameters_of(hours, given))

    assert found == [
        (HeartRateProfile(resting_bpm=55, max_bpm=190).threshold_or_default_bpm, None),
        (175, DAY + timedelta(5)),
    ]
    low_maximum = [Parameter(name="resting_hr_bpm", value=55), Parameter(name="max_hr_bpm", value=170)]
    assert of("threshold_hr_bpm", parameters_of(hours, low_maximum))[-1] == (170, DAY + timedelta(5))


def test_threshold_pace_is_the_best_of_a_season():
    """Fitness lost shows after ninety days."""
    fast = marks_of(*((i, {"hour_pace_s_per_km": 300.0 + i}) for i in range(5)))
    slow = marks_of(*((30 + 3 * i, {"hour_pace_s_per_km": 330.0}) for i in range(40)))

    found = of("threshold_pace_s_per_km", parameters_of(pl.concat([fast, slow]), []))

    assert found[0] == (300, None)
    assert found[-1][0] == 330
    assert DAY + timedelta(90) <= found[-1][1] <= DAY + timedelta(97)


def test_what_is_set_counts_from_its_day_on():
    """Estimates stand only before the first value that was set; one without a day leaves them no room."""
    marks = peaks(*[180.0] * 5, 186, 186, 190, 190)
    from_may = Parameter(name="max_hr_bpm", value=184, valid_from=date(2026, 3, 12))
    always = Parameter(name="max_hr_bpm", value=188)

    assert of("max_hr_bpm", parameters_of(marks, [from_may])) == [(180, None), (184, date(2026, 3, 12))]
    assert of("max_hr_bpm", parameters_of(marks, [from_may, always])) == [
        (188, None),
        (184, date(2026, 3, 12)),
    ]


def test_values_of_a_day_are_the_last_that_count():
    """Up to the day itself; what nothing is known of is unknown."""
    parameters = [
        Parameter(name="max_hr_bpm", value=186),
        Parameter(name="max_hr_bpm", value=180, valid_from=date(2026, 9, 1)),
        Parameter(name="vt1_hr_bpm", value=140, valid_from=date(2026, 9, 1)),
    ]

    before, after = (
        values_on(parameters, day, sex="female") for day in (date(2026, 8, 31), date(2026, 9, 1))
    )

    assert before.heart_rate == HeartRateProfile(sex="female", max_bpm=186)
    assert after.heart_rate == HeartRateProfile(sex="female", max_bpm=180, vt1_bpm=140)
    assert before.threshold_pace_s_per_km is None


histories = st.lists(
    st.tuples(
        st.integers(0, 900),
        st.fixed_dictionaries(
            {
                name: st.none() | st.floats(low, high)
                for name, low, high in (
                    ("peak_hr_bpm", 60, 240),
                    ("lowest_hr_bpm", 40, 160),
                    ("hour_hr_bpm", 60, 190),
                    ("hour_pace_s_per_km", 200, 600),
                )
            }
        ),
    ),
    max_size=40,
)


@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_activities_does_not_matter_and_each_change_is_one(rows, random):
    """Late exports arrive in any order; values differ from the one before, and days rise."""
    marks = marks_of(*rows)
    order = list(range(len(rows)))
    random.shuffle(order)

    found = parameters_of(marks, [])

    assert parameters_of(marks[order], []) == found
    for name in {one.name for one in found}:
        values, days = zip(*of(name, found), strict=True)
        assert all(a != b for a, b in pairwise(values))
        assert days[0] is None
        assert list(days[1:]) == sorted(set(days[1:]))


@given(histories, st.integers(0, 900))
def test_what_comes_later_changes_no_earlier_value(rows, cut):
    """A run of today recomputes today, not the past; but for the first estimate, which reaches back."""
    whole = parameters_of(marks_of(*rows), [])
    day = DAY + timedelta(cut)

    part = parameters_of(marks_of(*rows).filter(pl.col("local_date") <= day), [])

    for name in {one.name for one in part} - {"threshold_hr_bpm"}:
        upto = [value for value in of(name, whole) if value[1] is None or value[1] <= day]
        assert of(name, part) == upto
