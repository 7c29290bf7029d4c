"""The way and its length: jumps, drift, and counters that stall or leap."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import track
from ingest.recording import Columns, no_samples

METRES_PER_DEGREE = track.EARTH_RADIUS_M * math.pi / 180


def going(metres: Any, seconds: Any = None, **columns: Any) -> Columns:
    """Return samples on a way to the north, so many metres from its beginning, one a second unless told."""
    metres = np.asarray(metres, dtype=float)
    seconds = np.arange(len(metres)) if seconds is None else np.asarray(seconds)
    samples = {name: np.full(len(metres), np.nan) for name in no_samples() if name not in ("at", "session")}
    at = np.datetime64("2026-07-01T16:00:00", "us") + (seconds * 1e6).astype("timedelta64[us]")
    samples |= {"at": at, "lat_deg": 52 + metres / METRES_PER_DEGREE, "lon_deg": np.full(len(metres), 4.0)}
    return samples | {name: np.array(values, dtype=float) for name, values in columns.items()}


RUN = 3.0 * np.arange(600)


def test_a_good_way_has_no_jumps() -> None:
    """Also where smart recording leaves gaps."""
    assert not track.jumped(going(RUN), 12.0).any()
    assert not track.jumped(going(RUN[::20], np.arange(0, 600, 20)), 12.0).any()


@pytest.mark.parametrize(("first", "count"), [(300, 1), (300, 40), (0, 5), (590, 10)])
def test_positions_that_go_away_and_come_back_have_jumped(first: int, count: int) -> None:
    """One or many of them, at the beginning and at the end as well."""
    metres = RUN.copy()
    metres[first : first + count] += 5_000

    found = track.jumped(going(metres), 12.0)

    assert np.flatnonzero(found).tolist() == list(range(first, first + count))


def test_who_stays_elsewhere_has_moved() -> None:
    """As after a ride by train with the watch asleep: both halves are real."""
    metres = np.where(np.arange(600) < 300, RUN, RUN + 5_000)

    assert not track.jumped(going(metres), 12.0).any()


def test_drift_while_standing_is_found() -> None:
    """Positions that wander a metre a second within a few metres."""
    wander = 2 * np.sin(np.arange(120) / 3)
    metres = np.concatenate([RUN[:100], RUN[100] + wander, RUN[100] + 3 * np.arange(100)])

    found = track.standing(going(metres))

    assert found[110:210].all()
    assert not found[:95].any()
    assert not found[235:].any()


def test_turning_round_is_no_standing() -> None:
    """Back where one was half a minute ago, but by a way of ninety metres."""
    metres = np.concatenate([RUN[:100], RUN[100:0:-1]])

    assert not track.standing(going(metres)).any()


def test_a_leap_of_the_counter_is_taken_off() -> None:
    """With the metres that it took off; what comes after goes on."""
    counted = RUN + np.where(np.arange(600) >= 300, 150.0, 0.0)
    samples = going(RUN, distance_m=counted)

    touched, added_m = track.take_off_impossible_steps(samples, 12.0)

    assert np.flatnonzero(touched).tolist() == [300]
    assert added_m == pytest.approx(-153)
    assert samples["distance_m"][-1] == pytest.approx(counted[-1] - 153)


def test_a_counter_that_catches_up_is_right_in_the_end() -> None:
    """It stood still for a minute and then made it good at once; the positions say so."""
    counted = np.where((np.arange(600) >= 240) & (np.arange(600) < 300), RUN[240], RUN)
    samples = going(RUN, distance_m=counted)

    assert track.take_off_impossible_steps(samples, 12.0)[1] == 0.0
    assert track.go_on_where_stalled(samples, 12.0)[1] == 0.0


def test_a_counter_that_stalls_goes_on_along_the_positions() -> None:
    """With the metres that it added."""
    counted = np.where(np.arange(600) < 240, RUN, np.maximum(RUN - 180, RUN[240]))
    samples = going(RUN, distance_m=counted)

    touched, added_m = track.go_on_where_stalled(samples, 12.0)

    assert touched.sum() == pytest.approx(60, abs=2)
    assert added_m == pytest.approx(180, abs=7)
    assert samples["distance_m"][-1] == pytest.approx(RUN[-1], abs=7)


def test_standing_still_is_no_stall() -> None:
    """Neither the counter nor the positions move."""
    metres = np.concatenate([RUN[:100], np.full(100, RUN[100]), RUN[100:200]])

    assert track.go_on_where_stalled(going(metres, distance_m=metres), 12.0)[1] == 0.0


values = st.floats(-1e7, 1e7) | st.just(math.nan)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(1, 100), values, st.floats(0, 1e5)), max_size=30))
def test_whatever_comes_distances_rise_and_change_by_what_is_named(
    rows: list[tuple[int, float, float]],
) -> None:
    """Any positions, any counter that rises."""
    seconds = np.cumsum([gap for gap, _, _ in rows]) if rows else np.empty(0)
    counted = np.cumsum([metres for _, _, metres in rows]) if rows else np.empty(0)
    samples = going([where for _, where, _ in rows], seconds, distance_m=counted)
    samples["lon_deg"][np.isnan(samples["lat_deg"])] = np.nan

    flags = track.jumped(samples, 12.0)
    _, taken_m = track.take_off_impossible_steps(samples, 12.0)
    _, added_m = track.go_on_where_stalled(samples, 12.0)

    assert len(flags) == len(rows)
    assert (np.diff(samples["distance_m"]) >= 0).all()
    if rows:
        assert samples["distance_m"][-1] == pytest.approx(counted[-1] + taken_m + added_m, rel=1e-9, abs=1e-6)
    assert taken_m <= 0 <= added_m
