"""Time in zones: where they begin, that nothing is lost, and what a week makes of them."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.load import HeartRateProfile, trimp_edwards
from analytics.pace import durations_s, seconds_of
from analytics.run_metrics import AthleteValues
from analytics.zones import WEEKLY_ZONES, ZONE_TIMES, pace_zone, weekly_zones
from analytics.zones import zone_times as times_of

MON = date(2026, 9, 28)
VALUES = AthleteValues(heart_rate=HeartRateProfile(max_bpm=200), threshold_pace_s_per_km=300)
RUNS = pl.Schema({"activity_id": pl.String, "local_date": pl.Date, "timer_s": pl.Float64})
TIMES = pl.Schema({"activity_id": pl.String} | dict(ZONE_TIMES))


def samples_of(timer_s: object, **sensors: object) -> pl.DataFrame:
    """Samples of a flat run at these seconds of the timer; a sensor is an array, one value, or missing."""
    seconds = np.array(timer_s, dtype=float)
    columns = {
        name: np.broadcast_to(np.array(sensors.get(name, np.nan), dtype=float), len(seconds))
        for name in ("distance_m", "speed_m_per_s", "altitude_m", "hr_bpm", "cadence_spm")
    }
    at = [datetime(2026, 9, 28, 7, tzinfo=UTC) + timedelta(seconds=s) for s in seconds]
    return pl.DataFrame({"at": at, "timer_s": seconds, "elapsed_s": seconds}).with_columns(
        pl.Series(name, values).fill_nan(None) for name, values in columns.items()
    )


def zone_times(samples: pl.DataFrame, *, values: AthleteValues) -> pl.DataFrame:
    """Times in zones of samples."""
    return times_of(samples, seconds_of(samples), values=values)


def minutes(times: pl.DataFrame, kind: str) -> list[float]:
    """Minutes in the zones of a kind, in order."""
    return [time_s / 60 for time_s in times.filter(kind=kind).sort("zone")["time_s"]]


def test_heart_rate_zones_are_those_of_edwards():
    """Ten minutes in each, and ten below."""
    hr_bpm = np.repeat([95.0, 105, 125, 145, 165, 185], 600)

    times = zone_times(samples_of(np.arange(3600.0), hr_bpm=hr_bpm), values=VALUES)

    assert times.schema == ZONE_TIMES
    assert minutes(times, "heart_rate") == pytest.approx([10, 10, 10, 10, 10, 10], abs=0.02)
    assert minutes(times, "pace") == []


@pytest.mark.parametrize(
    ("pace", "zone"), [(390, 1), (387, 2), (343, 2), (342, 3), (318, 4), (301, 4), (300, 5), (250, 5)]
)
def test_a_zone_of_pace_begins_at_its_share_of_threshold(pace, zone):
    """129, 114, 106 and 100 % of 5:00; the edge belongs to the faster one."""
    assert pace_zone(np.array([1000 / pace]), 300).tolist() == [zone]


@given(st.integers(150, 700), st.sampled_from([(1.29, 2), (1.14, 3), (1.06, 4), (1.0, 5)]))
def test_the_edge_of_a_zone_of_pace_holds_for_any_threshold(threshold_s_per_km, edge):
    """Whatever the rounding."""
    share, zone = edge

    assert pace_zone(np.array([1000 / (share * threshold_s_per_km)]), threshold_s_per_km).tolist() == [zone]


def test_pace_zones_are_those_of_the_pace_on_the_flat():
    """Half an hour at 6:20 and half an hour at 4:50; uphill the same speed is a harder zone."""
    timer_s = np.arange(3601.0)
    distance_m = np.cumsum(np.where(timer_s < 1800, 1000 / 380, 1000 / 290))

    flat = zone_times(samples_of(timer_s, distance_m=distance_m, altitude_m=20.0), values=VALUES)
    up = zone_times(samples_of(timer_s, distance_m=distance_m, altitude_m=distance_m * 0.08), values=VALUES)

    assert minutes(flat, "pace") == pytest.approx([0, 30, 0, 0, 30], abs=0.5)
    assert minutes(up, "pace")[-1] == pytest.approx(60, abs=0.5)


def test_what_is_unknown_has_no_zones():
    """No heart rate, no maximum, no distance, no threshold: no rows, not zeros."""
    hour = samples_of(np.arange(3601.0), distance_m=np.arange(3601) * 3.0, hr_bpm=150.0)
    nobody = AthleteValues(heart_rate=HeartRateProfile(), threshold_pace_s_per_km=None)

    assert zone_times(hour, values=nobody).is_empty()
    assert zone_times(samples_of(np.arange(3601.0)), values=VALUES).is_empty()
    assert zone_times(samples_of([]), values=VALUES).schema == ZONE_TIMES
    assert set(zone_times(hour, values=VALUES)["kind"]) == {"heart_rate", "pace"}


def test_standing_is_in_no_zone_of_pace():
    """A quarter of an hour at a crossing is not easy running; the heart rate of it counts."""
    timer_s = np.arange(3601.0)
    distance_m = np.minimum(timer_s, 2700) * 3.0

    times = zone_times(samples_of(timer_s, distance_m=distance_m, hr_bpm=110.0), values=VALUES)

    assert sum(minutes(times, "pace")) == pytest.approx(45, abs=0.5)
    assert sum(minutes(times, "heart_rate")) == pytest.approx(60)


@given(
    st.lists(
        st.tuples(st.integers(0, 15), st.none() | st.floats(0, 60), st.none() | st.floats(0, 230)),
        max_size=60,
    )
)
def test_all_measured_time_is_in_a_zone_and_edwards_weighs_it(rows):
    """Zones lose nothing: their sum is the measured time, and weighted by their number it is Edwards' impulse."""
    table = np.array([[np.nan if value is None else value for value in row] for row in rows]).reshape(-1, 3)
    step_s, step_m, hr_bpm = table.T
    samples = samples_of(np.cumsum(step_s), distance_m=np.nancumsum(step_m), hr_bpm=hr_bpm)

    times = zone_times(samples, values=VALUES)

    dt_s = durations_s(samples)
    by_heart = times.filter(kind="heart_rate")
    assert by_heart["time_s"].sum() == pytest.approx(float(np.sum(dt_s[hr_bpm > 0])))
    weighted = float((by_heart["zone"] * by_heart["time_s"]).sum()) / 60
    assert weighted == pytest.approx(trimp_edwards(hr_bpm, dt_s, VALUES.heart_rate) or 0)
    assert (times["time_s"] >= 0).all()


def weeks_of(*runs: tuple[int, float, dict[str, list[float]]], week_starts_on: int = 0) -> pl.DataFrame:
    """Weeks of runs given as days after the Monday, minutes, and minutes in the zones by kind."""
    frame = pl.DataFrame(
        [(str(i), MON + timedelta(day), 60 * run_min) for i, (day, run_min, _) in enumerate(runs)],
        schema=RUNS,
        orient="row",
    )
    times = [
        (str(i), kind, zone, 60 * zone_min)
        for i, (_, _, kinds) in enumerate(runs)
        for kind, in_zones in kinds.items()
        for zone, zone_min in enumerate(in_zones)
    ]
    return weekly_zones(pl.DataFrame(times, schema=TIMES, orient="row"), frame, week_starts_on=week_starts_on)


def test_a_week_sums_its_runs_and_says_how_much_was_easy():
    """Below 80 % of maximum, or slower than 114 % of threshold pace, is easy; a run without a strap lowers what is known."""
    weeks = weeks_of(
        (0, 40, {"heart_rate": [0, 5, 10, 15, 6, 4], "pace": [0, 10, 20, 5, 5, 0]}),
        (2, 20, {"pace": [0, 10, 10, 0, 0, 0]}),
        (7, 30, {"heart_rate": [0, 0, 0, 30, 0, 0]}),
    )

    assert weeks.schema == WEEKLY_ZONES
    first_hr, first_pace, second = weeks.iter_rows(named=True)
    assert (first_hr["week_start"], first_hr["kind"], first_hr["zone_3_s"]) == (MON, "heart_rate", 900)
    assert (first_hr["easy_share"], first_hr["hard_share"]) == (pytest.approx(0.75), pytest.approx(0.25))
    assert first_hr["known_share"] == pytest.approx(40 / 60)
    assert (first_pace["easy_share"], first_pace["known_share"]) == (pytest.approx(50 / 60), 1)
    assert (second["week_start"], second["easy_share"]) == (MON + timedelta(7), 1)


def test_weeks_without_anything_measured_are_not_there():
    """No strap is not a week without effort; and no run at all is no week."""
    assert weeks_of((0, 40, {})).is_empty()
    assert weeks_of((0, 40, {"heart_rate": [0.0] * 6})).is_empty()
    assert weeks_of().schema == WEEKLY_ZONES


@given(
    st.lists(
        st.tuples(st.integers(-400, 400), st.lists(st.floats(0, 60), min_size=6, max_size=6)), max_size=20
    ),
    st.integers(0, 6),
)
def test_weeks_lose_no_time_and_shares_are_free_of_scale(rows, week_starts_on):
    """All zones of all weeks are those of the runs; twice as long in each changes no share."""
    runs, doubled = (
        [(day, 500.0, {"heart_rate": [times * m for m in zones]}) for day, zones in rows] for times in (1, 2)
    )

    weeks, twice = (weeks_of(*some, week_starts_on=week_starts_on) for some in (runs, doubled))

    summed = [weeks[f"zone_{zone}_s"].sum() / 60 for zone in range(6)]
    assert summed == pytest.approx([sum(zones[zone] for _, zones in rows) for zone in range(6)])
    assert weeks["easy_share"].to_list() == pytest.approx(twice["easy_share"].to_list())
    assert (weeks["easy_share"] + weeks["hard_share"]).to_list() == pytest.approx([1] * len(weeks))
