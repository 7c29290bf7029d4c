"""The way a session went: steps between positions, and what is wrong with positions and distances."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ingest.recording import Columns

EARTH_RADIUS_M = 6_371_008.8
FASTEST_M_PER_S = {"running": 12.0, "walking": 6.0, "hiking": 6.0, "swimming": 5.0, "cycling": 35.0}
"""Nobody is faster; the world record over 100 m is run at 12.4 m/s at its best."""
FASTEST_OF_ALL_M_PER_S = 100.0
FAR_FROM_USUAL = 4.0
POSITION_NOISE_M = 30.0
"""A step may be so much longer than the fastest one and still be noise of the receiver."""
AWAY_AT_MOST_S = 120
"""Positions that are somewhere else for no longer than this have jumped; for longer, the person has moved."""
MOST_JUMPS = 5_000
STALLED_FROM_S = 30
STALLED_WHILE_M_PER_S = 1.5
CAUGHT_UP_SHARE = 0.7
AROUND_STEP_S, BORNE_OUT_SHARE = 120, 0.92
STANDING_FOR_S = 30
STANDING_WITHIN_M = 8.0
STANDING_WAY_M_PER_S = 1.0
"""Standing: within 30 s nowhere further than 8 m, and not on a way there and back."""

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


def haversine_m(lat1: Numbers, lon1: Numbers, lat2: Numbers, lon2: Numbers) -> Numbers:
    """Return great-circle distances in metres between positions in radians."""
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0, 1))))


def way_m(samples: Columns) -> Numbers | None:
    """Return the metres between the positions of neighbouring samples; None without positions."""
    if np.isnan(samples["lat_deg"]).all():
        return None
    lat, lon = (np.radians(_held_both_ways(samples[name])) for name in ("lat_deg", "lon_deg"))
    return haversine_m(lat[:-1], lon[:-1], lat[1:], lon[1:])


def held(values: Numbers) -> Numbers:
    """Return the values with the last known one wherever none is known."""
    last_known = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(len(values))))
    return np.asarray(values[last_known])


def _held_both_ways(values: Numbers) -> Numbers:
    forward = held(values)
    return np.where(np.isnan(forward), values[np.flatnonzero(~np.isnan(values))[0]], forward)


def seconds_of(samples: Columns) -> Numbers:
    """Return the time of each sample in seconds since the first."""
    at = samples["at"]
    return np.asarray((at - at[0]) / np.timedelta64(1, "s")) if len(at) else np.empty(0)


def fastest_m_per_s(samples: Columns, sport: str | None) -> float:
    """Return what nobody exceeds in this sport; where it has no name, what is far from usual in this session."""
    if sport not in (None, "unknown"):
        return FASTEST_M_PER_S.get(sport or "", FASTEST_OF_ALL_M_PER_S)
    steps_m = way_m(samples) if len(samples["at"]) > 1 else None
    if steps_m is None:
        return FASTEST_OF_ALL_M_PER_S
    usual = float(np.median(steps_m / np.maximum(np.diff(seconds_of(samples)), 1e-3)))
    return min(max(FASTEST_M_PER_S["running"], FAR_FROM_USUAL * usual), FASTEST_OF_ALL_M_PER_S)


# Positions -----------------------------------------------------------------------------------------------


def jumped(samples: Columns, fastest: float) -> Flags:
    """
    Say which positions have jumped: nobody gets there from the ones before, and soon they are back.

    Args:
        samples: In order of time, one per instant.
        fastest: In m/s.
    """
    is_jump = np.zeros(len(samples["at"]), dtype=bool)
    known = np.flatnonzero(~np.isnan(samples["lat_deg"]))
    if len(known) < 3:
        return is_jump
    lat, lon = np.radians(samples["lat_deg"][known]), np.radians(samples["lon_deg"][known])
    seconds = seconds_of(samples)[known]
    allowed_m = fastest * np.diff(seconds) + POSITION_NOISE_M
    breaks = np.flatnonzero(haversine_m(lat[:-1], lon[:-1], lat[1:], lon[1:]) > allowed_m) + 1
    if not len(breaks) or len(breaks) > MOST_JUMPS:
        return is_jump
    for first, last in _elsewhere(np.append(breaks, len(known)), lat, lon, seconds, fastest):
        is_jump[known[first:last]] = True
    return is_jump


def _elsewhere(
    ends: NDArray[np.int64], lat: Numbers, lon: Numbers, seconds: Numbers, fastest: float
) -> Iterator[tuple[int, int]]:
    """Yield (first, behind the last) of the stretches between breaks that do not belong to the way."""
    stretches = list(zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True))
    lengths_s = [float(seconds[end - 1] - seconds[start]) for start, end in stretches]
    here = -1  # the last position that belongs to the way
    for place, (start, end) in enumerate(stretches):
        is_short = lengths_s[place] <= AWAY_AT_MOST_S
        if here < 0:
            belongs = not is_short or lengths_s[place] >= max(lengths_s[place + 1 : place + 2], default=0)
        else:
            one, other = slice(here, here + 1), slice(start, start + 1)
            step_m = float(haversine_m(lat[one], lon[one], lat[other], lon[other])[0])
            belongs = not is_short or step_m <= fastest * (seconds[start] - seconds[here]) + POSITION_NOISE_M
        if belongs:
            here = end - 1
        else:
            yield start, end


def standing(samples: Columns) -> Flags:
    """Say for each step between samples whether one stood there: positions drift, and add up to a walk."""
    steps_m = way_m(samples)
    if steps_m is None or len(steps_m) < 2:
        return np.zeros(max(len(samples["at"]) - 1, 0), dtype=bool)
    seconds = seconds_of(samples)
    lat, lon = (np.radians(_held_both_ways(samples[name])) for name in ("lat_deg", "lon_deg"))
    behind = np.minimum(np.searchsorted(seconds, seconds + STANDING_FOR_S), len(seconds) - 1)
    way = np.concatenate([[0.0], np.cumsum(steps_m)])
    span_s = seconds[behind] - seconds
    is_standing = (
        (span_s >= STANDING_FOR_S)
        & (haversine_m(lat, lon, lat[behind], lon[behind]) <= STANDING_WITHIN_M)
        & (way[behind] - way <= STANDING_WAY_M_PER_S * span_s)
    )
    begun = np.zeros(len(seconds) + 1, dtype=np.int64)
    np.add.at(begun, np.flatnonzero(is_standing), 1)
    np.add.at(begun, behind[is_standing], -1)
    return np.asarray(np.cumsum(begun)[: len(steps_m)] > 0)


# Distances -----------------------------------------------------------------------------------------------


def take_off_impossible_steps(samples: Columns, fastest: float) -> tuple[Flags, float]:
    """
    Take steps of the distance off that nobody can run; return which samples they led to, and the metres.

    A counter that stood still and catches up in one step is right in the end: the way along the positions bears it out.
    """
    distance_m = samples["distance_m"]
    is_impossible = np.zeros(len(distance_m), dtype=bool)
    known = np.flatnonzero(~np.isnan(distance_m))
    seconds = seconds_of(samples)[known]
    steps_m = np.diff(distance_m[known])
    wrong = steps_m > fastest * np.diff(seconds) + POSITION_NOISE_M
    if wrong.any() and (way_steps_m := way_m(samples)) is not None:
        way = np.concatenate([[0.0], np.cumsum(way_steps_m)])[known]
        first = np.searchsorted(seconds, seconds[1:] - AROUND_STEP_S)
        last = np.minimum(np.searchsorted(seconds, seconds[1:] + AROUND_STEP_S), len(known) - 1)
        counted_m = distance_m[known][last] - distance_m[known][first]
        wrong &= way[last] - way[first] < BORNE_OUT_SHARE * counted_m
    if not wrong.any():
        return is_impossible, 0.0
    kept_m = np.concatenate([[0.0], np.cumsum(np.where(wrong, 0.0, steps_m))])
    distance_m[known] = distance_m[known[0]] + kept_m
    is_impossible[known[1:][wrong]] = True
    return is_impossible, -float(steps_m[wrong].sum())


def go_on_where_stalled(samples: Columns, fastest: float) -> tuple[Flags, float]:
    """
    Let the distance go on along the positions where it stands still for long while they move; return the metres.

    Only between samples that have both, and only as fast as somebody can be.
    """
    distance_m = samples["distance_m"]
    is_stalled = np.zeros(len(distance_m), dtype=bool)
    steps_m = way_m(samples) if len(distance_m) > 2 else None
    if steps_m is None or np.isnan(distance_m).all():
        return is_stalled, 0.0
    counted_m = np.diff(np.nan_to_num(held(distance_m)))
    seconds, way = seconds_of(samples), np.concatenate([[0.0], np.cumsum(steps_m)])
    is_known = ~np.isnan(distance_m + samples["lat_deg"])
    is_still = (counted_m == 0) & is_known[1:] & is_known[:-1]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_still, [False]]).astype(np.int8)))
    added_m = np.zeros(len(steps_m))
    for first, last in edges.reshape(-1, 2).tolist():
        gone_m, gone_s = way[last] - way[first], seconds[last] - seconds[first]
        has_moved = gone_s >= STALLED_FROM_S and STALLED_WHILE_M_PER_S <= gone_m / gone_s <= fastest
        catches_up = last < len(counted_m) and counted_m[last] >= CAUGHT_UP_SHARE * gone_m
        if has_moved and not catches_up:
            added_m[first:last] = steps_m[first:last]
            is_stalled[first + 1 : last + 1] = True
    if is_stalled.any():
        distance_m += np.concatenate([[0.0], np.cumsum(added_m)])
    return is_stalled, float(added_m.sum())
