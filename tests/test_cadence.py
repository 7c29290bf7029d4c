"""The usual cadence at each speed, and the steps of a run."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.cadence import (
    SPEED_CENTRES_M_PER_S,
    cadence_by_speed,
    cadence_history,
    steps_of,
    usual_cadence_at,
    usual_cadence_on,
    usual_cadence_spm,
)
from analytics.pace import Seconds

DAY = date(2026, 9, 1)
SPEEDS = len(SPEED_CENTRES_M_PER_S)
MARKS = pl.Schema(
    {
        "activity_id": pl.String,
        "local_date": pl.Date,
        "inputs_key": pl.String,
        "cadence_by_speed_spm": pl.List(pl.Float64),
        "time_by_speed_s": pl.List(pl.Float64),
    }
)


def run_at(*parts: tuple[int, float, float]) -> Seconds:
    """Seconds of a flat run from triples of seconds, speed and cadence."""
    speed, cadence = (
        np.concatenate([np.full(part[0], part[place], float) for part in parts]) for place in (1, 2)
    )
    nothing = np.zeros_like(speed)
    return Seconds(
        speed_m_per_s=speed,
        grade=nothing,
        graded_m_per_s=speed,
        hr_bpm=nothing * np.nan,
        cadence_spm=cadence,
        has_altitude=False,
    )


def marks_of(*runs: tuple[int, list[float], list[float]]) -> pl.DataFrame:
    """Marks of runs from triples of days after the first, cadences and seconds at the lowest speeds."""
    rows = [
        (str(i), DAY + timedelta(day), f"key{i}", padded(spm, np.nan), padded(times_s, 0.0))
        for i, (day, spm, times_s) in enumerate(runs)
    ]
    return pl.DataFrame(rows, schema=MARKS, orient="row")


def padded(values: list[float], rest: float) -> list[float]:
    return [*map(float, values), *[rest] * (SPEEDS - len(values))]


def test_cadence_is_the_median_at_each_speed():
    """Ten minutes easy, ten fast; standing and a watch without a cadence say nothing."""
    cadences, times_s = cadence_by_speed(
        run_at((600, 2.6, 164), (600, 3.6, 172), (100, 0.0, 0), (200, 3.6, np.nan))
    )

    known = {
        round(c, 3): (cadence, time)
        for c, cadence, time in zip(SPEED_CENTRES_M_PER_S, cadences, times_s, strict=True)
        if time > 100
    }
    assert {speed: cadence for speed, (cadence, _) in known.items()} == {2.625: 164, 3.625: 172}
    assert np.isnan(cadences[times_s == 0]).all()
    assert 1150 < times_s.sum() <= 1200


def test_the_usual_cadence_weighs_runs_by_their_time():
    """Half of the time was spent at or below it; less than five minutes at a speed are no habit."""
    cadences = np.array([padded([160, 170], np.nan), padded([164, 172], np.nan), padded([168], np.nan)])
    times_s = np.array([padded([100, 100], 0), padded([600, 100], 0), padded([300], 0)])

    usual = usual_cadence_spm(cadences, times_s)

    assert usual[0] == 164
    assert np.isnan(usual[1:]).all()


@given(st.lists(st.tuples(st.integers(150, 190), st.integers(1, 40)), min_size=1, max_size=12))
def test_the_usual_cadence_equals_a_median_of_seconds(rows):
    """Written out second by second, the lower median is the same."""
    spm, minutes = np.array(rows, dtype=float).T
    cadences = np.array([padded([one], np.nan) for one in spm])

    usual = usual_cadence_spm(cadences, np.array([padded([60 * m], 0) for m in minutes]))[0]

    seconds = np.sort(np.repeat(spm, (60 * minutes).astype(int)))
    expected = seconds[(len(seconds) - 1) // 2] if len(seconds) >= 300 else np.nan
    assert usual == pytest.approx(expected, nan_ok=True)


def test_between_known_speeds_it_is_a_line_and_beyond_them_unknown():
    """Nobody's cadence at a sprint is guessed from a jog."""
    usual = np.full(SPEEDS, np.nan)
    usual[[2, 4]] = 164, 168

    at = usual_cadence_at(np.append(SPEED_CENTRES_M_PER_S[[1, 2, 3, 4, 5]], np.nan), usual)

    assert at == pytest.approx([np.nan, 164, 166, 168, np.nan, np.nan], nan_ok=True)
    assert np.isnan(usual_cadence_at(np.array([3.0]), np.full(SPEEDS, np.nan))).all()


def test_usual_is_what_the_28_days_before_were():
    """Not the day itself, not the day 29 days before; none is unknown."""
    history = cadence_history(marks_of((0, [160], [400]), (28, [170], [400]), (29, [180], [400])))

    assert usual_cadence_on(history, DAY) is None
    assert usual_cadence_on(history, DAY + timedelta(28))[0] == 160
    assert usual_cadence_on(history, DAY + timedelta(29))[0] == 170
    keys = [history.key(DAY + timedelta(day)) for day in (0, 28, 29, 30)]
    assert len({*keys}) == 4  # none, the first, the second, the second and third
    assert history.key(DAY + timedelta(-5)) == keys[0]
    assert history.key(DAY + timedelta(35)) == keys[3]


def test_runs_without_a_cadence_leave_no_trace():
    """Null in the marks, and an empty history works."""
    marks = pl.concat(
        [
            marks_of((0, [160], [400])),
            marks_of((1, [1], [1])).with_columns(
                pl.lit(None, pl.List(pl.Float64)).alias("cadence_by_speed_spm")
            ),
        ]
    )

    assert usual_cadence_on(cadence_history(marks), DAY + timedelta(2))[0] == 160
    assert usual_cadence_on(cadence_history(marks_of()), DAY) is None


def test_steps_are_summed_from_cadence():
    """An hour at 170 is 10,200 steps of both feet; below half of the time they are unknown."""
    dt_s = np.ones(3600)

    assert steps_of(np.full(3600, 170.0), dt_s) == pytest.approx(10_200)
    assert steps_of(np.where(np.arange(3600) < 1800, 170.0, np.nan), dt_s) == pytest.approx(5_100)
    assert steps_of(np.where(np.arange(3600) < 1799, 170.0, np.nan), dt_s) is None
    assert steps_of(np.array([]), np.array([])) is None
