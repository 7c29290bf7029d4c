"""Fewer points: what must never be lost, whatever the run was like."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.thinning import corners, lows_and_highs

VALUES = st.lists(
    st.one_of(st.none(), st.floats(-1000, 1000, allow_nan=False)), min_size=1, max_size=300
).map(lambda values: np.array([np.nan if value is None else value for value in values]))
WAYS = st.lists(st.tuples(st.floats(-5000, 5000), st.floats(-5000, 5000)), min_size=1, max_size=200)


def test_a_spike_of_one_second_stays() -> None:
    """Of an hour in ten stretches, lowest and highest of each are kept, and both ends."""
    along_m = np.arange(3600.0)
    values = np.full(3600, 150.0)
    values[1234], values[2345] = 190.0, 60.0

    at_m, kept = lows_and_highs(along_m, values, stretches=10)

    assert len(at_m) <= 22
    assert (1234.0, 190.0) in zip(at_m, kept, strict=True)
    assert (2345.0, 60.0) in zip(at_m, kept, strict=True)
    assert (at_m[0], at_m[-1]) == (0.0, 3599.0)


def test_a_line_breaks_where_nothing_was_measured() -> None:
    """One NaN for each silent stretch; a hole within a stretch is none."""
    along_m = np.arange(100.0)
    values = np.ones(100)
    values[30:50] = np.nan
    values[75] = np.nan

    at_m, kept = lows_and_highs(along_m, values, stretches=10)

    assert at_m[np.isnan(kept)].tolist() == [30.0, 40.0]


@given(values=VALUES, stretches=st.integers(1, 50))
def test_lows_and_highs_hold_for_any_curve(values: np.ndarray, stretches: int) -> None:
    """No more points than promised, in order, each one measured; the extremes of the whole are among them."""
    along_m = np.cumsum(np.abs(np.nan_to_num(values)))

    at_m, kept = lows_and_highs(along_m, values, stretches=stretches)

    known = values[np.isfinite(values)]
    assert len(at_m) <= 2 * stretches + 2
    assert (np.diff(at_m) >= 0).all()
    if len(known):
        assert np.nanmin(kept) == known.min()
        assert np.nanmax(kept) == known.max()
    else:
        assert len(kept) == 0


def test_the_corner_of_an_out_and_back_stays() -> None:
    """Straight out, a turn, and the same way back: start, turn and end are all that matter."""
    out = np.arange(0.0, 1000.0, 10.0)
    x_m, y_m = np.concatenate((out, out[::-1])), np.zeros(200)

    kept = corners(x_m, y_m, stretches=1)

    assert x_m[kept].tolist() == [0.0, 990.0, 0.0]


def test_standing_is_one_point() -> None:
    """A quarter of an hour at the lights takes none of the points that the way needs."""
    x_m = np.concatenate((np.arange(50.0), np.full(900, 49.0), np.arange(49.0, 100.0)))

    assert len(corners(x_m, np.zeros(len(x_m)), stretches=10)) <= 21


@given(way=WAYS, stretches=st.integers(1, 40))
def test_a_thinned_way_is_nowhere_far_from_the_whole(way: list[tuple[float, float]], stretches: int) -> None:
    """Both ends stay, in order, no more points than promised, and each point has a kept one within the length of a stretch."""
    x_m, y_m = np.array(way).T

    kept = corners(x_m, y_m, stretches=stretches)

    assert kept[0] == 0
    assert kept[-1] == len(way) - 1
    assert (np.diff(kept) > 0).all()
    assert len(kept) <= 2 * stretches + 1
    total_m = np.hypot(np.diff(x_m), np.diff(y_m)).sum()
    apart_m = np.hypot(np.subtract.outer(x_m, x_m[kept]), np.subtract.outer(y_m, y_m[kept])).min(axis=1)
    assert apart_m.max() <= total_m / stretches + 1e-6


def test_no_point_is_no_way() -> None:
    """And one point is itself."""
    assert corners(np.empty(0), np.empty(0), stretches=5).tolist() == []
    assert corners(np.zeros(1), np.zeros(1), stretches=5).tolist() == [0]


def test_bends_stay_where_they_are() -> None:
    """Of a square of 4 km in eight stretches all corners are kept."""
    side = np.arange(0.0, 1000.0)
    x_m = np.concatenate((side, np.full(1000, 1000.0), 1000.0 - side, np.zeros(1001)))
    y_m = np.concatenate((np.zeros(1000), side, np.full(1000, 1000.0), 1000.0 - np.arange(1001.0)))

    kept = corners(x_m, y_m, stretches=7)

    found = set(zip(x_m[kept], y_m[kept], strict=True))
    assert {(0.0, 0.0), (1000.0, 0.0), (1000.0, 1000.0), (0.0, 1000.0)} <= found
    assert len(kept) == pytest.approx(15, abs=1)
