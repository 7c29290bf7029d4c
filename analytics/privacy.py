"""Tracks that may be handed on: where somebody lives is cut out of them, and cannot be worked out from many of them."""

import hashlib
import hmac
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

EARTH_RADIUS_M = 6_371_008.8
METRES_PER_DEGREE = math.radians(EARTH_RADIUS_M)

# A circle round the home itself gives the home away: its rim is where tracks end, and three ends are enough to find the
# middle (Hassan et al. 2018, Mink et al. 2022). So the circle is larger, and its middle lies somewhere else: by a secret
# of this installation, the same for every track, for averages over circles would lead home again.
LEAST_OFFSET_SHARE = 0.4
MOST_OFFSET_SHARE = 0.7
CIRCLE_SHARE = 1 + MOST_OFFSET_SHARE  # the same whatever the offset, which it would tell otherwise
MOST_MORE_SHARE = 0.5  # of the radius, cut off along the way besides: another length for each track

SAME_PLACE_M = 150.0  # a watch finds its position within some doors of where it was switched on
FEWEST_STARTS = 3  # the third time somebody begins there it is no longer by chance
AT_HOME_SHARE = 0.5  # of the radius: who begins nearer than that began at home
CELL_SHARE = 0.25  # of the radius: ends nearer than that mostly share a circle

Position = tuple[float, float]
"""Latitude and longitude, degrees."""
TRACK_SCHEMA = pl.Schema({"piece": pl.Int64, "lat_deg": pl.Float64, "lon_deg": pl.Float64})
Floats = NDArray[np.float64]


class Circle(NamedTuple):
    """What is cut out: a middle that is nobody's home, and metres round it."""

    lat_deg: float
    lon_deg: float
    radius_m: float


def usual_start(starts: pl.DataFrame) -> Position | None:
    """
    Return where runs begin most often, in degrees; None before three of them began within 150 m of one another.

    Args:
        starts: One row a run: lat_deg, lon_deg, null or NaN where unknown.
    """
    known = _known(starts)
    if known.height < FEWEST_STARTS:
        return None
    lat, lon = _columns(known)
    cells = np.floor(np.stack(_metres(lat, lon, (float(lat[0]), float(lon[0])))) / SAME_PLACE_M)
    _, which, counts = np.unique(cells, axis=1, return_inverse=True, return_counts=True)
    is_there = which.reshape(-1) == np.argmax(counts)
    for _ in range(
        2
    ):  # from the fullest cell of a grid to all who began about there, whatever its borders cut in two
        middle = float(np.median(lat[is_there])), float(np.median(lon[is_there]))
        is_there = np.hypot(*_metres(lat, lon, middle)) <= SAME_PLACE_M
    return middle if int(is_there.sum()) >= FEWEST_STARTS else None


def shareable_track(
    track: pl.DataFrame, *, home: Position | None, radius_m: float, secret: bytes, name: str
) -> pl.DataFrame:
    """
    Return what of a track may be handed on: piece, lat_deg, lon_deg of the points left, without times.

    Nothing within `radius_m` of `home` is left, nor of where this track begins or ends when that is elsewhere; and no line
    between two points of one piece crosses such a place. The same track the other way round leaves the same points.

    Args:
        track: One row a sample, in order: lat_deg, lon_deg, null or NaN where unknown.
        home: Where runs begin most often; None when nobody knows.
        radius_m: Metres round each place of which nothing is left; 0 leaves everything.
        secret: Key of this installation; with it the places could be worked out.
        name: What tells this track from others, and stays the same.
    """
    known = _known(track)
    if known.is_empty():
        return pl.DataFrame(schema=TRACK_SCHEMA)
    lat, lon = _columns(known)
    is_hidden = np.zeros(known.height, dtype=bool)
    is_broken = np.zeros(known.height - 1, dtype=bool)
    if radius_m > 0:
        ends = [(float(lat[0]), float(lon[0])), (float(lat[-1]), float(lon[-1]))]
        for circle in circles(ends, home=home, radius_m=radius_m, secret=secret):
            x, y = _metres(lat, lon, (circle.lat_deg, circle.lon_deg))
            is_hidden |= np.hypot(x, y) <= circle.radius_m
            is_broken |= _nearest_on_legs(x, y) <= circle.radius_m
        more_m = _share_of(secret, f"more {name}") * MOST_MORE_SHARE * radius_m
        is_hidden = _widened(is_hidden, _lengths(lat, lon), more_m)
    is_broken |= is_hidden[:-1] | is_hidden[1:]
    pieces = np.concatenate([[0], np.cumsum(is_broken)])[~is_hidden]
    _, numbered = np.unique(pieces, return_inverse=True)
    return pl.DataFrame(
        {"piece": numbered.astype(np.int64), "lat_deg": lat[~is_hidden], "lon_deg": lon[~is_hidden]},
        schema=TRACK_SCHEMA,
    )


def circles(
    ends: Sequence[Position], *, home: Position | None, radius_m: float, secret: bytes
) -> list[Circle]:
    """
    Return what to cut out of a track: round the home, and round those of its ends that are not at home.

    Each holds all that is within `radius_m` of its place, and the place is never near its middle.
    """
    found = [] if home is None else [_circle(home, radius_m, secret, "home")]
    for end in ends:
        if home is None or _apart_m(end, home) > AT_HOME_SHARE * radius_m:
            # One circle for all that begins in a cell: one for each run would be many round one doorstep.
            middle, cell = _cell(end, CELL_SHARE * radius_m)
            found.append(_circle(middle, radius_m * (1 + CELL_SHARE), secret, cell))
    return found


def in_metres(track: pl.DataFrame) -> pl.DataFrame:
    """
    Return piece, x_m and y_m of a track: metres east and north of the middle of what is left, which is told to nobody.

    Args:
        track: piece, lat_deg and lon_deg.
    """
    if track.is_empty():
        return pl.DataFrame(schema={"piece": pl.Int64, "x_m": pl.Float64, "y_m": pl.Float64})
    lat, lon = _columns(track)
    middle = (float(lat.min() + lat.max()) / 2, float(lon.min() + lon.max()) / 2)
    x, y = _metres(lat, lon, middle)
    return pl.DataFrame({"piece": track["piece"], "x_m": x, "y_m": y})


def _circle(place: Position, radius_m: float, secret: bytes, what: str) -> Circle:
    turn = 2 * math.pi * _share_of(secret, f"turn {what}")
    share = LEAST_OFFSET_SHARE + (MOST_OFFSET_SHARE - LEAST_OFFSET_SHARE) * _share_of(secret, f"far {what}")
    north_m, east_m = share * radius_m * math.cos(turn), share * radius_m * math.sin(turn)
    lat_deg = place[0] + north_m / METRES_PER_DEGREE
    lon_deg = place[1] + east_m / (METRES_PER_DEGREE * _narrowing(place[0]))
    return Circle(lat_deg, lon_deg, CIRCLE_SHARE * radius_m)


def _cell(place: Position, side_m: float) -> tuple[Position, str]:
    """Return the middle of the cell of a grid over the earth that holds a place, and what the cell is called."""
    row = math.floor(place[0] * METRES_PER_DEGREE / side_m)
    lat_deg = (row + 0.5) * side_m / METRES_PER_DEGREE
    per_degree = METRES_PER_DEGREE * _narrowing(lat_deg)
    column = math.floor(place[1] * per_degree / side_m)
    return (lat_deg, (column + 0.5) * side_m / per_degree), f"{row} {column}"


def _share_of(secret: bytes, what: str) -> float:
    """Return a number from 0 to 1 that nobody can tell without the secret, and that stays the same with it."""
    digest = hmac.new(secret, what.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:7]) / 2**56


def _widened(is_hidden: NDArray[np.bool_], along_m: Floats, more_m: float) -> NDArray[np.bool_]:
    """Hide also what lies less than `more_m` along the way before or after a hidden point."""
    before = np.maximum.accumulate(np.where(is_hidden, along_m, -np.inf))
    after = np.minimum.accumulate(np.where(is_hidden, along_m, np.inf)[::-1])[::-1]
    return np.asarray((along_m - before < more_m) | (after - along_m < more_m) | is_hidden)


def _lengths(lat: Floats, lon: Floats) -> Floats:
    """Return the metres along the way from the first point to each."""
    north = np.diff(lat) * METRES_PER_DEGREE
    east = np.diff(lon) * METRES_PER_DEGREE * np.cos(np.radians((lat[1:] + lat[:-1]) / 2))
    return np.concatenate([[0.0], np.cumsum(np.hypot(north, east))])


def _nearest_on_legs(x: Floats, y: Floats) -> Floats:
    """Return how near each straight line from a point to the next comes to the origin, in metres."""
    step_x, step_y = np.diff(x), np.diff(y)
    length_2 = step_x**2 + step_y**2
    along = np.divide(
        -(x[:-1] * step_x + y[:-1] * step_y), length_2, out=np.zeros_like(step_x), where=length_2 > 0
    )
    along = np.clip(along, 0, 1)
    return np.asarray(np.hypot(x[:-1] + along * step_x, y[:-1] + along * step_y))


def _metres(lat: Floats, lon: Floats, origin: Position) -> tuple[Floats, Floats]:
    """Return metres east and north of the origin; good to a metre in a thousand over the length of a run."""
    turned = (lon - origin[1] + 180) % 360 - 180  # the shorter way round, also over the date line
    return turned * METRES_PER_DEGREE * _narrowing(origin[0]), (lat - origin[0]) * METRES_PER_DEGREE


def _apart_m(one: Position, other: Position) -> float:
    x, y = _metres(np.array([one[0]]), np.array([one[1]]), other)
    return float(np.hypot(x[0], y[0]))


def _narrowing(lat_deg: float) -> float:
    return max(math.cos(math.radians(lat_deg)), 0.01)


def _known(positions: pl.DataFrame) -> pl.DataFrame:
    return positions.select("lat_deg", "lon_deg").filter(pl.all_horizontal(pl.all().is_finite()))


def _columns(positions: pl.DataFrame) -> tuple[Floats, Floats]:
    return positions["lat_deg"].to_numpy(), positions["lon_deg"].to_numpy()
