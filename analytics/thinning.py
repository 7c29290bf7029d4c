"""Fewer points that look the same: a run has a sample a second, a screen has a few hundred columns."""

import numpy as np
from numpy.typing import NDArray

from analytics.load import Floats

Rows = NDArray[np.intp]


def lows_and_highs(along_m: Floats, values: Floats, *, stretches: int) -> tuple[Floats, Floats]:
    """
    Thin a curve to the lowest and the highest value of each stretch, so that no spike is lost.

    Args:
        along_m: Where each value was measured; never falling.
        values: The values; NaN where unknown.
        stretches: Into how many of equal length the way is cut.

    Returns:
        Places and values in order, twice as many as stretches at most and the two ends; a stretch of which no value is
        known is one NaN, so that a line breaks there.
    """
    stretch = _stretch_of(along_m, stretches)
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return np.empty(0), np.empty(0)
    by_height = known[np.lexsort((values[known], stretch[known]))]
    lows, highs = _ends_of_each(stretch[by_height])
    is_silent = ~np.isin(stretch, stretch[known])
    silent, _ = _ends_of_each(stretch[is_silent])
    kept = np.unique(
        np.concatenate((by_height[lows], by_height[highs], known[[0, -1]], np.flatnonzero(is_silent)[silent]))
    )
    return along_m[kept], values[kept]


def corners(x_m: Floats, y_m: Floats, *, stretches: int) -> Rows:
    """
    Thin a way to the first point of each stretch and to the one farthest from the straight line to the next stretch.

    Bends stay where they are; standing, however long, is one point.

    Args:
        x_m: Eastward position of each point.
        y_m: Northward position.
        stretches: Into how many of equal length the way is cut.

    Returns:
        Which points to keep, in order: twice as many as stretches at most, and the last.
    """
    if not len(x_m):
        return np.empty(0, dtype=np.intp)
    steps_m = np.hypot(np.diff(x_m, prepend=x_m[:1]), np.diff(y_m, prepend=y_m[:1]))
    stretch = _stretch_of(np.cumsum(steps_m), stretches)
    first, _ = _ends_of_each(stretch)
    following = np.append(first[1:], len(x_m) - 1)
    of_stretch = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(x_m))))
    dx_m, dy_m = x_m[following] - x_m[first], y_m[following] - y_m[first]
    from_x_m, from_y_m = x_m - x_m[first][of_stretch], y_m - y_m[first][of_stretch]
    chord_m = np.hypot(dx_m, dy_m)[of_stretch]
    off_line_m = np.abs(from_x_m * dy_m[of_stretch] - from_y_m * dx_m[of_stretch])
    # Back where it began there is no line: the farthest from the start is the turning point.
    off_m = np.where(
        chord_m > 0, off_line_m / np.where(chord_m > 0, chord_m, 1.0), np.hypot(from_x_m, from_y_m)
    )
    by_distance = np.lexsort((off_m, of_stretch))
    _, farthest = _ends_of_each(of_stretch[by_distance])
    return np.unique(np.concatenate((first, by_distance[farthest], [len(x_m) - 1])))


def _stretch_of(along_m: Floats, stretches: int) -> Rows:
    """Number of the stretch in which each place lies; all in the first one when there is no way."""
    if not len(along_m) or along_m[-1] <= along_m[0]:
        return np.zeros(len(along_m), dtype=np.intp)
    share = (along_m - along_m[0]) / (along_m[-1] - along_m[0])
    return np.asarray(np.minimum(share * stretches, stretches - 1), dtype=np.intp)


def _ends_of_each(groups: Rows) -> tuple[Rows, Rows]:
    """Where each group of equal neighbours begins and ends."""
    changes = np.flatnonzero(np.diff(groups)) + 1
    if not len(groups):
        return changes, changes
    return np.concatenate(([0], changes)), np.append(changes, len(groups)) - 1
