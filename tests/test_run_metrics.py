"""Metrics of one run from its samples, complete, sparse or missing."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.cadence import SPEED_CENTRES_M_PER_S
from analytics.form import MEASURES, strides_of
from analytics.load import HeartRateProfile
from analytics.pace import seconds_of
from analytics.run_metrics import FORMULA_VERSION, AthleteValues, metrics_of_run
from store.database import migrate

FORMULAS = json.loads((Path(__file__).parent / "data" / "formulas.json").read_text())
NOT_FROM_SAMPLES = {
    "activity_id",
    "spike_ratio",
    "spike_bin",
    "longest_30d_m",
    "longest_30d_activity_id",
    "inputs_key",
}
SENSORS = (
    "lat_deg",
    "lon_deg",
    "distance_m",
    "speed_m_per_s",
    "altitude_m",
    "hr_bpm",
    "cadence_spm",
    "power_w",
    "temperature_c",
    "stance_time_ms",
    "stance_balance_pct",
    "vertical_oscillation_mm",
    "step_length_mm",
)
FORM = (*MEASURES, *MEASURES.values())
VALUES = AthleteValues(
    heart_rate=HeartRateProfile(
        sex="male", resting_bpm=55, max_bpm=190, threshold_bpm=170, vt1_bpm=140, vt2_bpm=165
    ),
    threshold_pace_s_per_km=270,
)
UNKNOWN = AthleteValues(heart_rate=HeartRateProfile(), threshold_pace_s_per_km=None)


def samples_of(timer_s: object, **sensors: object) -> pl.DataFrame:
    """Samples at the given seconds of the timer; a sensor is an array, one value for all, or missing."""
    seconds = np.array(timer_s, dtype=float)
    start = datetime(2026, 10, 4, 8, tzinfo=UTC)
    columns = {name: sensors.get(name, np.nan) for name in SENSORS}
    values = {"elapsed_s": sensors.get("elapsed_s", seconds), "timer_s": seconds} | columns
    at = pl.Series([start + timedelta(seconds=s) for s in seconds], dtype=pl.Datetime("us", "UTC"))
    return pl.DataFrame({"at": at}).with_columns(
        pl.Series(name, np.array(np.broadcast_to(value, len(seconds)), dtype=float)).fill_nan(None)
        for name, value in values.items()
    )


def hour(**sensors: object) -> pl.DataFrame:
    """An hour at 5:00 per kilometre on the flat, every second, all sensors on."""
    timer_s = np.arange(3601.0)
    all_on = {
        "distance_m": timer_s * 1000 / 300,
        "altitude_m": 20.0,
        "hr_bpm": 145.0,
        "cadence_spm": 172.0,
        "stance_time_ms": 240.0,
        "stance_balance_pct": 50.4,
        "vertical_oscillation_mm": 81.0,
        "temperature_c": 18.0,
    }
    return samples_of(timer_s, **(all_on | sensors))


def metrics(
    samples: pl.DataFrame,
    *,
    timer_s: float = 3600,
    distance_m: float | None = 12_000,
    rpe: float | None = 5,
    values: AthleteValues = VALUES,
    usual_cadence_spm: np.ndarray | None = None,
) -> dict[str, float | None]:
    """Metrics with the hour's totals unless others are given."""
    seconds = seconds_of(samples)
    return metrics_of_run(
        samples,
        seconds,
        strides_of(samples, seconds),
        timer_s=timer_s,
        distance_m=distance_m,
        rpe=rpe,
        values=values,
        usual_cadence_spm=usual_cadence_spm,
    )


def test_every_column_of_the_table_is_delivered():
    """The keys are those of run_metrics but for the spike and the key of the inputs."""
    with duckdb.connect() as con:
        migrate(con)
        columns = {str(row[0]) for row in con.execute("describe run_metrics").fetchall()}

    assert set(metrics(hour())) == columns - NOT_FROM_SAMPLES
    assert set(metrics(samples_of([]))) == columns - NOT_FROM_SAMPLES
    assert FORMULA_VERSION


def test_an_even_hour_has_the_published_values():
    """Each metric of a flat hour at 5:00 and 145 beats."""
    found = metrics(hour())

    assert found == {
        "trimp_banister": pytest.approx(60 * 2 / 3 * 0.64 * np.exp(1.92 * 2 / 3)),
        "trimp_edwards": pytest.approx(60 * 3),
        "trimp_lucia": pytest.approx(60 * 2),
        "cadence_steps": pytest.approx(60 * 172),
        "hrss": pytest.approx(FORMULAS["hrtss_trimp_m_60min_145_rest55_max190_lthr170"], rel=5e-4),
        "rtss": pytest.approx(2 * FORMULAS["rtss_30min_ngp300_thr270"], rel=5e-4),
        "srpe": FORMULAS["srpe_60_5"],
        "ngp_m_per_s": pytest.approx(1000 / 300),
        "efficiency_m_per_min_per_bpm": pytest.approx(200 / 145),
        "decoupling_pct": pytest.approx(0, abs=1e-9),
        "knee_load_klu": pytest.approx(1.2 * FORMULAS["klu_10km_flat_300"], rel=5e-4),
        "easy_pace_s_per_km": pytest.approx(300),
        "easy_pace_s": 3000.0,
        "gap_s_per_km": pytest.approx(300),
        "gap_minetti_s_per_km": pytest.approx(300),
        "steep_descent_m": 0.0,
        "stance_time_ms": pytest.approx(240),
        "stance_balance_pct": pytest.approx(50.4),
        "vertical_oscillation_mm": pytest.approx(81),
        "step_length_mm": pytest.approx(200_000 / 172),
        "cadence_spm": pytest.approx(172),
        "temperature_c": pytest.approx(18),
        **dict.fromkeys(MEASURES.values(), pytest.approx(0, abs=1e-6)),
    }


def test_a_run_without_samples_keeps_what_was_asked():
    """Exertion times minutes needs no samples; everything else is unknown, nothing is 0."""
    found = metrics(samples_of([]))

    assert found.pop("srpe") == 300
    assert set(found.values()) == {None}
    assert metrics(samples_of([0.0], hr_bpm=150.0, distance_m=0.0)) == metrics(samples_of([]))


@pytest.mark.parametrize("sensor", SENSORS)
def test_any_sensor_may_be_missing(sensor):
    """The metrics that need it are None, no other changes its kind."""
    found, complete = metrics(hour(**{sensor: np.nan})), metrics(hour())

    lost = {name for name, value in found.items() if value is None and complete[name] is not None}
    assert lost == {
        "distance_m": set(complete)
        - {"trimp_banister", "trimp_edwards", "trimp_lucia", "hrss", "srpe", "cadence_steps", "temperature_c"}
        - (set(MEASURES) - {"step_length_mm"}),
        "altitude_m": {"steep_descent_m"},
        "hr_bpm": {
            "trimp_banister",
            "trimp_edwards",
            "trimp_lucia",
            "hrss",
            "efficiency_m_per_min_per_bpm",
            "decoupling_pct",
            "easy_pace_s_per_km",
        },
        "cadence_spm": {
            "cadence_spm",
            "cadence_drift_spm",
            "cadence_steps",
            "step_length_mm",
            "step_length_drift_mm",
        },
    }.get(sensor, {sensor, MEASURES.get(sensor)} & set(complete) - {"step_length_mm", "step_length_drift_mm"})


def test_unknown_values_of_the_athlete_leave_their_metrics_out():
    """Without rest, maximum, sex and threshold there is still pace, efficiency and knee load."""
    found = metrics(hour(), values=UNKNOWN, rpe=None)

    assert {name for name, value in found.items() if value is None} == {
        "trimp_banister",
        "trimp_edwards",
        "trimp_lucia",
        "hrss",
        "rtss",
        "srpe",
        "easy_pace_s_per_km",
    }


@pytest.mark.parametrize("every_s", [2, 5, 10])
def test_smart_recording_gives_the_same_metrics(every_s):
    """Sampling every 2 to 10 seconds changes nothing on an even run."""
    sparse = hour().gather_every(every_s)

    assert metrics(sparse) == pytest.approx(metrics(hour()), rel=1e-6, abs=1e-9)


def test_doubled_seconds_change_nothing():
    """Some watches write two records in one second."""
    doubled = pl.concat([hour(), hour()]).sort("timer_s", maintain_order=True)

    assert metrics(doubled) == pytest.approx(metrics(hour()), abs=1e-9)


def test_a_pause_adds_no_load():
    """The timer stands still in a pause, so its heart rate counts nothing."""
    timer_s = np.concatenate((np.arange(1801.0), np.full(600, 1800.0), np.arange(1801.0, 3601)))
    paused = samples_of(
        timer_s,
        elapsed_s=np.arange(float(len(timer_s))),
        distance_m=timer_s * 1000 / 300,
        altitude_m=20.0,
        hr_bpm=np.where(np.diff(timer_s, append=3601) == 0, 100.0, 145.0),
    )

    found, whole = metrics(paused), metrics(hour())

    for name in ("trimp_edwards", "hrss", "rtss", "ngp_m_per_s", "knee_load_klu", "gap_s_per_km"):
        assert found[name] == pytest.approx(whole[name], rel=1e-3)


def test_a_lost_signal_counts_ten_seconds():
    """One sample speaks for ten seconds at most, not for the half hour that is missing."""
    timer_s = np.concatenate((np.arange(601.0), np.arange(2400.0, 3001)))

    found = metrics(samples_of(timer_s, distance_m=timer_s * 3, hr_bpm=145.0))

    assert found["trimp_edwards"] == pytest.approx((600 + 10 + 600) / 60 * 3)
    assert found["ngp_m_per_s"] == pytest.approx(3)


def test_steep_descent_is_counted_from_three_percent():
    """Down 100 m at 10 %, down 100 m at 2 %, and up again: only the steep metres count."""
    along_m = np.arange(0, 9001, 3.0)
    altitude_m = np.interp(along_m, [0, 1000, 2000, 7000, 8000, 9000], [300, 300, 200, 100, 100, 200])

    found = metrics(samples_of(along_m / 3, distance_m=along_m, altitude_m=altitude_m), distance_m=9000)

    assert found["steep_descent_m"] == pytest.approx(100, abs=3)


def test_downhill_is_easier_on_the_pace_and_harder_on_the_knee():
    """A slope of -5 %: grade-adjusted pace is slower than pace, and knee load above that of the flat."""
    timer_s = np.arange(3601.0)
    down = hour(altitude_m=900 - timer_s * 1000 / 300 * 0.05)

    found, flat = metrics(down), metrics(hour())

    assert found["gap_s_per_km"] == pytest.approx(300 / FORMULAS["strava_like_factor(-0.05)"], rel=1e-3)
    assert found["gap_minetti_s_per_km"] == pytest.approx(300 / FORMULAS["minetti_C(-0.05)"][1], rel=1e-3)
    assert found["knee_load_klu"] / flat["knee_load_klu"] == pytest.approx(1 + 1.5 * 0.05 + 5 * 0.05**2)
    assert found["steep_descent_m"] == pytest.approx(600)


def test_more_steps_than_usual_are_less_load_on_the_knee():
    """Five percent above the usual cadence at that speed; at a speed without a usual one cadence does not count."""
    usual_spm = np.where(np.abs(SPEED_CENTRES_M_PER_S - 1000 / 300) < 0.3, 172 / 1.05, np.nan)

    found = metrics(hour(), usual_cadence_spm=usual_spm)["knee_load_klu"]
    walking = metrics(hour(distance_m=np.arange(3601.0) * 1.2), usual_cadence_spm=usual_spm)["knee_load_klu"]

    assert found == pytest.approx(0.95 * metrics(hour())["knee_load_klu"], rel=1e-3)
    assert walking == pytest.approx(metrics(hour(distance_m=np.arange(3601.0) * 1.2))["knee_load_klu"])


def test_positions_that_jump_do_not_hide_the_usual_cadence():
    """Fast one second and slow the next: the speed of half a minute counts for what is usual."""
    usual_spm = np.where(np.abs(SPEED_CENTRES_M_PER_S - 1000 / 300) < 0.3, 172 / 1.05, np.nan)
    jumpy = hour(distance_m=np.cumsum(np.where(np.arange(3601) % 2, 1000 / 300 + 1, 1000 / 300 - 1)))

    found = metrics(jumpy, usual_cadence_spm=usual_spm)["knee_load_klu"]

    assert found == pytest.approx(0.95 * metrics(jumpy)["knee_load_klu"], rel=1e-3)


def test_grade_adjusted_pace_rests_on_the_devices_distance():
    """On the flat it equals pace, whatever the samples sum up to."""
    assert metrics(hour(), distance_m=11_800)["gap_s_per_km"] == pytest.approx(3600 / 11.8)
    assert metrics(hour(), distance_m=None)["gap_s_per_km"] == pytest.approx(300)


def test_form_is_measured_while_running():
    """Standing and walking to a halt do not lower cadence; samples count by their time."""
    timer_s = np.array([0, 1, 2, 3, 13, 14, 15], dtype=float)
    distance_m = np.array([0, 3, 6, 9, 39, 39, 39.2])

    found = metrics(samples_of(timer_s, distance_m=distance_m, cadence_spm=[0, 170, 170, 0, 180, 60, 40]))

    assert found["cadence_spm"] == pytest.approx((170 * 2 + 180 * 10) / 12)


def test_frost_is_a_temperature_and_each_sample_counts_by_its_time() -> None:
    """0 and below are measurements, unlike those of a heart-rate strap."""
    found = metrics(samples_of([0, 1, 2, 10], distance_m=[0, 3, 6, 30], temperature_c=[5, 0, -4, np.nan]))

    assert found["temperature_c"] == pytest.approx(-2)


ragged = st.lists(
    st.tuples(
        st.integers(0, 15),
        st.none() | st.floats(0, 60),
        st.none() | st.floats(-100, 3000),
        st.none() | st.floats(0, 230),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(ragged)
def test_any_samples_give_finite_numbers_or_none(rows):
    """Gaps, repeats, jumps and missing values never end in NaN, infinity or an exception."""
    table = np.array([[np.nan if value is None else value for value in row] for row in rows])
    step_s, step_m, altitude_m, hr_bpm = table.reshape(-1, 4).T
    distance_m = np.nancumsum(step_m) + np.where(np.isnan(step_m), np.nan, 0)
    samples = samples_of(np.cumsum(step_s), distance_m=distance_m, altitude_m=altitude_m, hr_bpm=hr_bpm)

    found = metrics(samples, distance_m=None)

    assert all(value is None or np.isfinite(value) for value in found.values())
