"""Splits: against the laps of real watches, a vector worked by hand, and laws that hold for any run."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.pace import Seconds, gap_s_per_km, grade_factor, seconds_of
from analytics.splits import LEAST_REST_M, splits
from ingest.activity import activities_of
from ingest.fit import read_fit


def seconds(speed_m_per_s, *, grade=None, hr_bpm=None, has_altitude=True) -> Seconds:
    """A run by its speeds."""
    speed = np.asarray(speed_m_per_s, dtype=np.float64)
    grades = np.zeros(len(speed)) if grade is None else np.asarray(grade, dtype=np.float64)
    unknown = np.full(len(speed), np.nan)
    return Seconds(
        speed_m_per_s=speed,
        grade=grades,
        graded_m_per_s=speed * grade_factor(grades),
        hr_bpm=unknown if hr_bpm is None else np.asarray(hr_bpm, dtype=np.float64),
        cadence_spm=unknown,
        has_altitude=has_altitude,
    )


@pytest.mark.parametrize(
    "name", ["FR735XT-with-performance-condition.fit", "10kUNLP2014-Garmin15.fit", "3386684871.fit"]
)
def test_splits_are_the_laps_that_a_watch_cut_every_kilometre(corpus: Path, name: str) -> None:
    """Each kilometre within 1.5 s: the first second of a recording has no distance yet, and laps are rounded."""
    content = (corpus / "traps" / name).read_bytes()
    (activity,) = activities_of(
        read_fit(content),
        athlete="me",
        export_id="x",
        zone=ZoneInfo("UTC"),
        now=datetime(2026, 11, 22, tzinfo=UTC),
    )
    run = seconds_of(activity.samples)
    assert run

    found = splits(run, length_m=1000.0)

    laps = activity.laps.filter(activity.laps["distance_m"] >= LEAST_REST_M)
    assert found["distance_m"].to_list() == pytest.approx(laps["distance_m"].to_list(), abs=2.0)
    assert found["time_s"].to_list() == pytest.approx(laps["timer_s"].to_list(), abs=1.5)


def test_splits_worked_by_hand() -> None:
    """100 m at 4 m/s, ten seconds of standing, 100 m at 5 m/s, and 50 m at 5 m/s up a slope of 10 %."""
    strap_lost = [np.nan] * 5 + [0.0] * 5  # a watch says nothing, or 0
    run = seconds(
        [4.0] * 25 + [0.0] * 10 + [5.0] * 20 + [5.0] * 10,
        grade=[0.0] * 55 + [0.1] * 10,
        hr_bpm=[120.0] * 25 + strap_lost + [150.0] * 20 + [160.0] * 10,
    )

    found = splits(run, length_m=100.0)

    assert found["split"].to_list() == [1, 2, 3]
    assert found["distance_m"].to_list() == pytest.approx([100, 100, 50])
    assert found["end_m"].to_list() == pytest.approx([100, 200, 250])
    assert found["time_s"].to_list() == pytest.approx([25, 30, 10])
    assert found["pace_s_per_km"].to_list() == pytest.approx([250, 300, 200])
    assert found["hr_bpm"].to_list() == pytest.approx([120, 150, 160])
    assert found["rise_m"].to_list() == pytest.approx([0, 0, 5])
    assert found["gap_s_per_km"][2] == pytest.approx(200 / grade_factor(np.array([0.1]))[0])
    assert found["cadence_spm"].to_list() == [None] * 3


def test_a_split_ends_within_a_second_where_its_metre_is_reached() -> None:
    """At 3 m/s 100 m take 33 1/3 s."""
    assert splits(seconds([3.0] * 100), length_m=100.0)["time_s"].to_list() == pytest.approx([100 / 3] * 3)


@pytest.mark.parametrize(
    ("length_m", "rest_m", "lengths_m"),
    [(100.0, 9.0, [100, 109]), (100.0, 10.0, [100, 100, 10]), (1000.0, 9.0, [209])],
)
def test_a_rest_that_is_hardly_any_belongs_to_the_last_split(length_m, rest_m, lengths_m) -> None:
    """Nobody reads a split of nine metres."""
    run = seconds([1.0] * (200 + int(rest_m)))

    assert splits(run, length_m=length_m)["distance_m"].to_list() == pytest.approx(lengths_m)


def test_what_was_not_measured_is_null() -> None:
    """Without altitude no grade-adjusted pace and no rise; a run that goes nowhere has no splits."""
    found = splits(seconds([3.0] * 60, has_altitude=False), length_m=1000.0)

    assert found.select("gap_s_per_km", "rise_m", "hr_bpm").rows() == [(None, None, None)]
    assert splits(seconds([0.0] * 60), length_m=1000.0).is_empty()


SPEEDS = st.lists(st.sampled_from([0.0, 0.3, 1.0, 2.5, 3.1, 6.0]), min_size=1, max_size=400)


@given(speeds=SPEEDS, length_m=st.sampled_from([50.0, 100.0, 161.0]))
def test_splits_together_are_the_run(speeds: list[float], length_m: float) -> None:
    """In distance and time; one split is as the whole run, its grade-adjusted pace included."""
    run = seconds(speeds, grade=[0.02] * len(speeds))
    found = splits(run, length_m=length_m)
    whole = splits(run, length_m=1e6)

    if sum(speeds) == 0:
        assert found.is_empty()
        return
    assert found["distance_m"].sum() == pytest.approx(sum(speeds))
    assert found["time_s"].sum() == pytest.approx(len(speeds))
    assert (found["distance_m"] > 0).all()
    assert (found["time_s"] > 0).all()
    gap = gap_s_per_km(run)
    assert whole["gap_s_per_km"][0] == (None if gap is None else pytest.approx(gap))
