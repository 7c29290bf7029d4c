"""What the samples of one run show: splits, a map without tiles, and curves over distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from analytics.load import Floats
from analytics.pace import Seconds, column, is_moving, mean_speed_m_per_s, seconds_of
from analytics.splits import splits
from analytics.thinning import corners, lows_and_highs
from report.format import Units
from report.questions import Row

STRETCHES = 249
"""Two points of each, and the two ends: 500 points at most."""
PACE_CLASSES = 5
MAP_WIDTH, MAP_HIGHEST, MAP_LOWEST, MAP_MARGIN = 360.0, 340.0, 120.0, 14.0
"""Of the drawing, in units that are pixels on a phone."""
MOST_MARKS = 14
MARK_EVERY = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
METRES_PER_DEGREE = 111_195.0


class Place(NamedTuple):
    """A place on the map, with what stands there."""

    x: float
    y: float
    words: str = ""


class Piece(NamedTuple):
    """A piece of the way: 1 is the slowest fifth of it, 5 the fastest; and its path for SVG."""

    pace_class: int
    path: str


class Curve(NamedTuple):
    """Values by second, NaN where unknown, and how many metres from the start each was measured."""

    along_m: Floats
    values: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackMap:
    """
    The way as a drawing of its own, north up.

    Attributes:
        width: Of the drawing.
        height: Of the drawing.
        pieces: The way in pieces of one pace class.
        start: Where it begins.
        end: Where it ends.
        marks: Whole kilometres or miles, or every second, fifth, … of them.
        slowest_s_per_km: Pace at which each class begins, slowest first; the first one begins where the runner stands.
    """

    width: float
    height: float
    pieces: tuple[Piece, ...]
    start: Place
    end: Place
    marks: tuple[Place, ...]
    slowest_s_per_km: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """
    What a page shows of the samples of a run.

    Attributes:
        splits: Rows of analytics.splits, one a kilometre or mile.
        curves: By name (pace, heart_rate, altitude, cadence), what was measured; curve_points() thins one.
        map: The way; None without positions.
    """

    splits: list[Row]
    curves: dict[str, Curve]
    map: TrackMap | None


def track_of(samples: pl.DataFrame, units: Units) -> Track:
    """
    Work out what a page shows of a run.

    Args:
        samples: Columns of the view samples with timer_s, in order of time; any may be all null.
        units: Of the splits and of the marks on the map.
    """
    seconds = seconds_of(samples) if len(samples) else None
    return Track(
        splits=[] if seconds is None else splits(seconds, length_m=units.metres).to_dicts(),
        curves={} if seconds is None else _curves(seconds),
        map=_map(samples, units),
    )


def curve_points(curve: Curve) -> list[tuple[float, float | None]]:
    """Thin a curve for a screen: metres from the start with the value there, None where the line breaks."""
    at_m, values = lows_and_highs(curve.along_m, curve.values, stretches=STRETCHES)
    return [
        (round(at, 1), None if np.isnan(value) else round(value, 2))
        for at, value in zip(at_m.tolist(), values.tolist(), strict=True)
    ]


def _curves(seconds: Seconds) -> dict[str, Curve]:
    speed_m_per_s = mean_speed_m_per_s(seconds.speed_m_per_s)
    moving = is_moving(seconds.speed_m_per_s)
    unknown = np.full(len(speed_m_per_s), np.nan)
    by_name = {
        "pace": np.divide(1000.0, speed_m_per_s, out=unknown.copy(), where=moving),
        "heart_rate": np.where(seconds.hr_bpm > 0, seconds.hr_bpm, np.nan),
        "altitude": unknown if seconds.altitude_m is None else seconds.altitude_m,
        "cadence": np.where(seconds.cadence_spm > 0, seconds.cadence_spm, np.nan),
    }
    along_m = np.cumsum(seconds.speed_m_per_s)
    return {name: Curve(along_m, values) for name, values in by_name.items() if np.isfinite(values).any()}


def _map(samples: pl.DataFrame, units: Units) -> TrackMap | None:
    known = samples.filter(pl.all_horizontal(pl.col("lat_deg", "lon_deg", "timer_s").is_finite()))
    if known.is_empty():
        return None
    east_m, north_m = _flat(column(known, "lat_deg"), column(known, "lon_deg"))
    kept = corners(east_m, north_m, stretches=STRETCHES)
    stepped_m = np.hypot(np.diff(east_m, prepend=east_m[:1]), np.diff(north_m, prepend=north_m[:1]))
    way_m = np.cumsum(stepped_m)
    measured_m = np.fmax.accumulate(np.concatenate(([0.0], column(known, "distance_m"))))[1:]
    along_m = measured_m if measured_m[-1] > 0 else way_m
    x, y, height = _placed(east_m, north_m)
    classes, limits_m_per_s = _pace_classes(along_m[kept], column(known, "timer_s")[kept])
    return TrackMap(
        width=MAP_WIDTH,
        height=height,
        pieces=_pieces(x[kept], y[kept], classes),
        start=Place(float(x[0]), float(y[0])),
        end=Place(float(x[-1]), float(y[-1])),
        marks=_marks(along_m, x, y, units),
        slowest_s_per_km=tuple(None if limit <= 0 else 1000 / limit for limit in limits_m_per_s),
    )


def _flat(lat_deg: Floats, lon_deg: Floats) -> tuple[Floats, Floats]:
    """Metres east and north of the first point; across the 180th meridian as well."""
    lon_deg = np.unwrap(lon_deg, period=360)
    per_lon_m = METRES_PER_DEGREE * np.cos(np.radians((lat_deg.min() + lat_deg.max()) / 2))
    return (lon_deg - lon_deg[0]) * per_lon_m, (lat_deg - lat_deg[0]) * METRES_PER_DEGREE


def _placed(east_m: Floats, north_m: Floats) -> tuple[Floats, Floats, float]:
    """Where each point lies in the drawing, and how high that is; one scale for both directions."""
    wide_m, high_m = float(np.ptp(east_m)), float(np.ptp(north_m))
    room_x, room_y = MAP_WIDTH - 2 * MAP_MARGIN, MAP_HIGHEST - 2 * MAP_MARGIN
    per_m = min(room_x / max(wide_m, 1.0), room_y / max(high_m, 1.0))
    height = max(high_m * per_m + 2 * MAP_MARGIN, MAP_LOWEST)
    x = MAP_WIDTH / 2 + (east_m - (east_m.min() + east_m.max()) / 2) * per_m
    y = height / 2 - (north_m - (north_m.min() + north_m.max()) / 2) * per_m
    return x, y, round(height, 1)


def _pace_classes(along_m: Floats, timer_s: Floats) -> tuple[Floats, list[float]]:
    """The fifth of the way, by speed, that each step between kept points belongs to, and the speeds at which they begin."""
    metres, times_s = np.diff(along_m), np.diff(timer_s)
    if not len(metres):
        return np.empty(0), [0.0] * PACE_CLASSES
    speed_m_per_s = np.divide(metres, times_s, out=np.zeros(len(metres)), where=times_s > 0)
    limits = np.quantile(speed_m_per_s, np.arange(1, PACE_CLASSES) / PACE_CLASSES)
    classes = np.asarray(1.0 + np.searchsorted(limits, speed_m_per_s, side="right"), dtype=np.float64)
    return classes, [0.0, *limits.tolist()]


def _pieces(x: Floats, y: Floats, classes: Floats) -> tuple[Piece, ...]:
    points = [f"{at_x:.1f} {at_y:.1f}" for at_x, at_y in zip(x.tolist(), y.tolist(), strict=True)]
    if not len(classes):
        return ()
    begins = [0, *(np.flatnonzero(np.diff(classes)) + 1).tolist()]
    ends = [*begins[1:], len(classes)]
    return tuple(
        Piece(int(classes[begin]), "M" + "L".join(points[begin : end + 1]))
        for begin, end in zip(begins, ends, strict=True)
    )


def _marks(along_m: Floats, x: Floats, y: Floats, units: Units) -> tuple[Place, ...]:
    whole = int(along_m[-1] // units.metres)
    every = next((every for every in MARK_EVERY if whole // every <= MOST_MARKS), MARK_EVERY[-1])
    numbers = np.arange(every, whole + 1, every)
    at = np.searchsorted(along_m, numbers * units.metres, side="left")
    return tuple(
        Place(round(float(x[place]), 1), round(float(y[place]), 1), str(number))
        for place, number in zip(at.tolist(), numbers.tolist(), strict=True)
    )
