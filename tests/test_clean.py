"""Repairs of samples: each is named and counted, and what is good stays as it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ingest.clean import clean
from ingest.recording import RAW_SAMPLES, Session, columns_of, frame_of

START = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)
GOOD = {
    "lat_deg": 52.0,
    "lon_deg": 4.0,
    "altitude_m": 12.0,
    "hr_bpm": 150.0,
    "speed_m_per_s": 3.0,
    "cadence_spm": 85.0,
}


@dataclass
class Result:
    """What `clean` returns, as a frame and numbers."""

    samples: pl.DataFrame
    findings: tuple[str, ...]
    repaired: int
    added_m: float


def cleaned(*samples: dict[str, Any], told: Session | None = None) -> Result:
    """Clean a session of these samples; where they say no `second` they are one second apart."""
    rows = [
        {
            "at": START + timedelta(seconds=sample.get("second", place)),
            "session": 0,
            **{name: value for name, value in sample.items() if name != "second"},
        }
        for place, sample in enumerate(samples)
    ]
    return result_of(pl.DataFrame(rows, schema=RAW_SAMPLES), told or Session())


def result_of(samples: pl.DataFrame, told: Session) -> Result:
    found = clean(columns_of(samples), told)
    return Result(
        frame_of(found.samples), found.findings, int(found.is_repaired.sum()) + found.dropped, found.added_m
    )


def test_good_samples_stay_as_they_are() -> None:
    """No finding, no change."""
    samples = [{**GOOD, "distance_m": 3.0 * second} for second in range(5)]

    result = cleaned(*samples)

    assert (result.findings, result.repaired) == ((), 0)
    assert [sample["distance_m"] for sample in samples] == result.samples["distance_m"].to_list()
    assert dict(result.samples.schema) == RAW_SAMPLES


def test_no_samples_are_no_trouble() -> None:
    """A file may hold nothing but totals."""
    result = cleaned(told=Session(started_at=START, elapsed_s=60.0))

    assert result.samples.is_empty()
    assert (result.findings, result.repaired) == ((), 0)


@pytest.mark.parametrize(
    ("column", "value", "finding"),
    [
        ("hr_bpm", 0.0, "heart rate of zero, no sensor"),
        ("hr_bpm", 24.0, "heart rate out of range"),
        ("hr_bpm", 241.0, "heart rate out of range"),
        ("hr_bpm", float("inf"), "heart rate out of range"),
        ("altitude_m", -501.0, "altitude out of range"),
        ("altitude_m", 9001.0, "altitude out of range"),
        ("altitude_m", float("inf"), "altitude out of range"),
        ("distance_m", -1.0, "distance is no number"),
        ("distance_m", float("inf"), "distance is no number"),
        ("speed_m_per_s", -0.1, "speed is no number"),
        ("speed_m_per_s", float("inf"), "speed is no number"),
    ],
)
def test_values_that_cannot_be_are_blanked(column: str, value: float, finding: str) -> None:
    """Only the value goes, not the sample; the finding says how many."""
    result = cleaned(GOOD, {**GOOD, column: value}, {**GOOD, column: value}, GOOD)

    assert result.findings == (f"{finding}: 2 samples",)
    assert result.repaired == 2
    assert result.samples.height == 4
    assert result.samples[column].to_list()[1:3] == [None, None]


@pytest.mark.parametrize("column", ["hr_bpm"])
@pytest.mark.parametrize("value", [25.0, 240.0])
def test_the_bounds_themselves_are_good(column: str, value: float) -> None:
    """Hearts of runners beat from 25 to 240 times a minute."""
    result = cleaned({**GOOD, column: value})

    assert result.findings == ()
    assert result.samples[column].to_list() == [value]


@pytest.mark.parametrize(
    "position",
    [
        {"lat_deg": 0.0, "lon_deg": 0.0},
        {"lat_deg": 52.0, "lon_deg": None},
        {"lat_deg": None, "lon_deg": 4.0},
    ],
)
def test_half_positions_and_the_origin_are_no_positions(position: dict[str, float | None]) -> None:
    """A receiver without a fix says 0°, 0°; both halves go together, and it counts as repaired."""
    result = cleaned(GOOD, {**GOOD, **position}, GOOD)

    assert result.findings == ("position incomplete or at 0°, 0°: 1 samples",)
    assert result.repaired == 1
    assert result.samples.select("lat_deg", "lon_deg").row(1) == (None, None)


@pytest.mark.parametrize(
    ("column", "value", "name"),
    [
        ("lat_deg", 90.5, "latitude"),
        ("lat_deg", float("-inf"), "latitude"),
        ("lon_deg", -180.5, "longitude"),
        ("lon_deg", float("inf"), "longitude"),
    ],
)
def test_positions_off_the_globe_are_no_positions(column: str, value: float, name: str) -> None:
    """One wrong half takes the other with it."""
    result = cleaned(GOOD, {**GOOD, column: value})

    assert result.findings[0] == f"{name} out of range: 1 samples"
    assert result.samples.select("lat_deg", "lon_deg").row(1) == (None, None)


def test_the_equator_and_the_meridian_are_places() -> None:
    """Only both zeros at once are suspicious."""
    result = cleaned({**GOOD, "lat_deg": 0.0}, {**GOOD, "lon_deg": 0.0})

    assert result.findings == ()
    assert result.samples["lat_deg"].to_list() == [0.0, 52.0]


def test_distance_never_goes_backwards() -> None:
    """It is held where it would fall; an unknown one stays unknown."""
    distances = [0.0, 3.0, None, 2.0, 1.0, 6.0]

    result = cleaned(*({**GOOD, "distance_m": metres} for metres in distances))

    assert result.samples["distance_m"].to_list() == [0.0, 3.0, None, 3.0, 3.0, 6.0]
    assert result.findings == ("distance went backwards: 2 samples",)
    assert result.repaired == 2


def test_two_samples_in_one_instant_become_one() -> None:
    """For each column the last value that is there."""
    result = cleaned(
        {"second": 0, "hr_bpm": 140.0, "distance_m": 1.0},
        {"second": 0, "hr_bpm": 141.0, "distance_m": None},
        {"second": 1, "hr_bpm": 142.0, "distance_m": 4.0},
    )

    assert result.findings == ("two samples in one instant: 1 samples",)
    assert result.samples.select("hr_bpm", "distance_m").rows() == [(141.0, 1.0), (142.0, 4.0)]


def test_a_clock_that_jumps_takes_its_samples_along() -> None:
    """Twenty days later is not within an hour's run; the hour around it is."""
    told = Session(started_at=START, elapsed_s=60.0)
    twenty_days = 20 * 24 * 3600

    result = cleaned(GOOD, GOOD, {**GOOD, "second": twenty_days}, {**GOOD, "second": -twenty_days}, told=told)

    assert result.findings == ("clock jumped, outside the session: 2 samples",)
    assert (result.samples.height, result.repaired) == (2, 2)


@pytest.mark.parametrize("far_s", [-(10**9), -8 * 24 * 3600, 8 * 24 * 3600, 3 * 10**9])
def test_without_a_session_a_clock_that_jumps_takes_its_samples_along_as_well(far_s: int) -> None:
    """What lies more than a week from the middle is of another recording, or of none."""
    result = cleaned(*[GOOD] * 5, {**GOOD, "second": far_s})

    assert result.findings == ("clock jumped, outside the session: 1 samples",)
    assert result.samples["at"].to_list() == [START + timedelta(seconds=second) for second in range(5)]


def test_samples_that_agree_with_each_other_but_not_with_the_session_are_kept() -> None:
    """If all of them are outside of what the session says, it is the session that lies."""
    told = Session(started_at=START - timedelta(days=20), elapsed_s=60.0)

    result = cleaned(GOOD, GOOD, told=told)

    assert (result.samples.height, result.findings) == (2, ())


def test_samples_come_out_in_order_of_time() -> None:
    """A clock may step back a second."""
    result = cleaned({**GOOD, "second": 2}, {**GOOD, "second": 1}, {**GOOD, "second": 3})

    assert result.samples["at"].is_sorted()


def test_several_repairs_are_all_named() -> None:
    """In one sample or in several."""
    result = cleaned({**GOOD, "hr_bpm": 0.0, "altitude_m": -9999.0}, {**GOOD, "hr_bpm": 255.0})

    assert set(result.findings) == {
        "heart rate of zero, no sensor: 1 samples",
        "heart rate out of range: 1 samples",
        "altitude out of range: 1 samples",
    }
    assert result.repaired == 2


# Heart rate ------------------------------------------------------------------------------------------------


def beating(beats: Sequence[float], **columns: Sequence[float]) -> Result:
    """Clean a run with this heart rate, a sample a second."""
    rows = [
        {"hr_bpm": hr, "distance_m": 3.0 * place} | {name: values[place] for name, values in columns.items()}
        for place, hr in enumerate(beats)
    ]
    return cleaned(*rows, told=Session(sport="running"))


def varied(hr: float, count: int) -> list[float]:
    return [hr + place % 3 for place in range(count)]


def test_a_dropout_is_blanked() -> None:
    """A fall that no heart makes, and back again within a minute."""
    result = beating([*varied(150, 200), *varied(90, 20), *varied(150, 200)])

    assert result.findings == ("heart rate dropped out: 20 samples",)
    assert result.samples["hr_bpm"].null_count() == 20


def test_a_slow_start_and_a_long_rest_are_no_dropouts() -> None:
    """The heart begins low, and a rest lasts longer than a minute."""
    assert beating([80.0 + second / 4 for second in range(280)]).findings == ()
    assert beating([*varied(150, 200), *varied(100, 200), *varied(150, 200)]).findings == ()


def test_a_heart_rate_that_never_changes_is_no_heart_rate() -> None:
    """Ten minutes of the same beat; nine are left alone."""
    assert beating([150.0] * 601).findings == ("heart rate stuck: 601 samples",)
    assert beating([150.0] * 540).findings == ()


def test_a_sensor_that_counts_steps_is_found_out() -> None:
    """It leaps onto the cadence and stays with it; one foot or both."""
    steps = [168.0 + place % 5 for place in range(800)]
    beats = [*varied(140, 300), *steps[300:700], *varied(145, 100)]

    both_feet = beating(beats, cadence_spm=steps)
    one_foot = beating(beats, cadence_spm=[one / 2 for one in steps])

    assert both_feet.findings == ("heart rate was the cadence: 400 samples",)
    assert one_foot.samples["hr_bpm"].null_count() == 400


def test_a_heart_that_rises_to_the_cadence_is_a_heart() -> None:
    """Hard work at 170 steps a minute may well be 170 beats."""
    steps = [170.0 + place % 3 for place in range(900)]
    beats = [min(120.0 + place / 8, 170.0 + place % 3) for place in range(900)]

    assert beating(beats, cadence_spm=steps).findings == ()


# The way, the clock, the sensors ---------------------------------------------------------------------------


def on_the_way(count: int, **changed: dict[int, float]) -> Result:
    """Clean a run to the north at 3 m/s with some values changed."""
    rows = [
        {"lat_deg": 52 + place * 3 / 111_195, "lon_deg": 4.0, "distance_m": 3.0 * place, "altitude_m": 12.0}
        for place in range(count)
    ]
    for column, values in changed.items():
        for place, value in values.items():
            rows[place][column] = value
    return cleaned(*rows, told=Session(sport="running"))


def test_a_position_that_jumps_is_blanked() -> None:
    """Both halves of it, and nothing else."""
    result = on_the_way(100, lat_deg={50: 53.0})

    assert result.findings == ("position jumped: 1 samples",)
    assert result.samples.select("lat_deg", "lon_deg").row(50) == (None, None)


def test_an_altitude_that_jumps_is_blanked() -> None:
    """A hundred metres in a second, and back."""
    result = on_the_way(100, altitude_m={50: 112.0})

    assert result.findings == ("altitude jumped: 1 samples",)


def test_speeds_that_nobody_runs_are_blanked() -> None:
    """Thirty metres a second."""
    assert on_the_way(10, speed_m_per_s={5: 30.0}).findings == ("speed faster than anybody: 1 samples",)


def test_zeros_all_the_way_are_no_sensor() -> None:
    """A finding, but nothing was repaired."""
    result = on_the_way(10, power_w=dict.fromkeys(range(10), 0.0))

    assert result.findings == ("zeros of a sensor that was not there: 10 samples",)
    assert result.samples["power_w"].null_count() == 10
    assert result.repaired == 0


def test_a_leap_of_the_counter_is_named_with_its_metres() -> None:
    """And the run is shorter by them."""
    distance_m = {place: 3.0 * place + 200 for place in range(50, 100)}

    result = on_the_way(100, distance_m=distance_m)

    assert result.findings == ("distance faster than anybody: 1 samples, -203 m",)
    assert result.added_m == -203
    assert result.samples["distance_m"][-1] == pytest.approx(99 * 3 - 3)


def test_a_summary_that_bears_the_counter_out_forbids_to_lengthen_it() -> None:
    """A watch that knows of a tunnel has not missed anything."""
    rows = [
        {"lat_deg": 52 + place * 3 / 111_195, "lon_deg": 4.0, "distance_m": min(3.0 * place, 300.0)}
        for place in range(300)
    ]

    without = cleaned(*rows, told=Session(sport="running"))
    borne_out = cleaned(*rows, told=Session(sport="running", distance_m=300.0))

    assert without.added_m == pytest.approx(597, abs=5)
    assert (borne_out.added_m, borne_out.findings) == (0.0, ())


@pytest.mark.parametrize("leap_s", [20 * 24 * 3600, -20 * 24 * 3600])
def test_a_clock_that_leaps_once_is_set_right(leap_s: int) -> None:
    """Where the length of the session bears it out, the rest goes on as if nothing had been."""
    seconds = [*range(100), *range(leap_s + 100, leap_s + 200)]
    told = Session(started_at=START, elapsed_s=200.0)

    result = cleaned(*({**GOOD, "second": second} for second in seconds), told=told)

    assert result.findings == ("clock jumped, moved back: 100 samples",)
    assert result.samples["at"].to_list() == [START + timedelta(seconds=second) for second in range(200)]


any_number = st.one_of(st.none(), st.floats(), st.floats(0, 10_000))
any_sample = st.fixed_dictionaries(
    {
        "second": st.integers(0, 600),
        "distance_m": any_number,
        "lat_deg": any_number,
        "lon_deg": any_number,
        "hr_bpm": any_number,
        "speed_m_per_s": any_number,
        "altitude_m": any_number,
    }
)


@settings(max_examples=150)
@given(st.lists(any_sample, max_size=20))
def test_no_repair_lengthens_a_run_by_more_than_it_names(samples: list[dict[str, Any]]) -> None:
    """What comes out never falls and is a number, and its end is where it was but for the metres that are named."""
    known = [sample["distance_m"] for sample in samples if is_metres(sample["distance_m"])]

    result = cleaned(*samples)

    distances = result.samples["distance_m"].drop_nulls()
    assert distances.is_sorted()
    longest = max(known, default=0.0) + max(result.added_m, 0.0)
    assert max(distances, default=0.0) <= longest * (1 + 1e-12)


@settings(max_examples=150)
@given(st.data(), st.lists(any_sample, max_size=12, unique_by=lambda sample: sample["second"]))
def test_the_order_in_the_file_does_not_matter(data: st.DataObject, samples: list[dict[str, Any]]) -> None:
    """Samples are put in order of time first."""
    shuffled = data.draw(st.permutations(samples))

    one, other = cleaned(*samples), cleaned(*shuffled)

    assert_frame_equal(one.samples, other.samples)
    assert (one.findings, one.repaired) == (other.findings, other.repaired)


@settings(max_examples=150)
@given(st.lists(any_sample, max_size=12))
def test_cleaning_twice_is_cleaning_once(samples: list[dict[str, Any]]) -> None:
    """There is nothing left to repair."""
    once = cleaned(*samples)

    again = result_of(once.samples, Session())

    assert_frame_equal(once.samples, again.samples)
    assert again.findings == ()


def is_metres(value: float | None) -> bool:
    return value is not None and 0 <= value < float("inf")
