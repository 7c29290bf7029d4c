"""
The same session from several files: one record is canonical, the others point to it.

Two records of one athlete are the same session when they share their time and their length, or their way. A start alone
says nothing: warm-up and race, and intervals cut into files, begin within minutes of each other. A copy whose clock is off
by whole quarters of an hour, as after a wrong time zone, is known by its way, moment by moment.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from ingest.recording import Columns
from ingest.track import haversine_m

MOMENTS = 61
"""Moments, equally apart in time from start to end, at which an outline says where one was."""
SHARED_TIME = 0.8
"""Time two records have in common, over the time of both together."""
CONTAINED = 0.95
"""Over the time of the shorter: one record ran on after the session had ended, but the length is the same."""
LENGTH_TOLERANCE = 0.05
SAME_WAY_M, OTHER_WAY_M = 100.0, 400.0
"""Median distance between two ways at the same moments; in between, the way says nothing."""
LEAST_MOMENTS = 5
LONGEST_SHIFT_S, SHIFT_STEP_S, SHIFT_SLACK_S = 14 * 3600 + 60, 900, 60
"""Time zones lie up to 14 hours from UTC, in steps of a quarter of an hour."""
COPY_LENGTH_TOLERANCE, COPY_TIME_S, COPY_TIME_SHARE = 0.01, 2, 0.005
COPY_WAY_M, COPY_HR_BPM, COPY_PROFILE = 30.0, 0.5, 0.005
"""A copy is nowhere further from its original than this; without positions its pulse and its progress are the same."""

CHOSEN = (float("inf"),)
"""Richness of what somebody has joined: it is canonical, whatever else there is."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """Where one was and how far one had come at MOMENTS moments; NaN where it is unknown."""

    lat_deg: Floats
    lon_deg: Floats
    distance_m: Floats

    def has_way(self) -> bool:
        return not np.isnan(self.lat_deg).all()


UNKNOWN = np.full(MOMENTS, np.nan)
NO_OUTLINE = Outline(UNKNOWN, UNKNOWN, UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """
    What tells two records apart; all of one athlete.

    Attributes:
        is_run: None when the sport is unknown.
        richness: How much the record knows, comparable; the highest is kept.
    """

    activity_id: str
    is_run: bool | None
    started_at: datetime
    elapsed_s: float
    distance_m: float | None
    avg_hr_bpm: float | None = None
    outline: Outline = field(default=NO_OUTLINE, compare=False, repr=False)
    richness: tuple[float, ...] = ()

    @property
    def start_s(self) -> float:
        return self.started_at.timestamp()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The canonical record that a record doubles and why, or None for one that is canonical itself."""

    canonical_id: str | None = None
    reason: str | None = None


def outline_of(samples: Columns) -> Outline:
    """Return the outline of a session from its samples (with elapsed_s)."""
    elapsed_s = samples["elapsed_s"]
    if not len(elapsed_s):
        return NO_OUTLINE
    moments = np.linspace(elapsed_s[0], elapsed_s[-1], MOMENTS)

    def at_moments(column: str, period: float = 0.0) -> Floats:
        known = ~np.isnan(samples[column])
        if not known.any():
            return UNKNOWN
        values = samples[column][known]
        return np.interp(moments, elapsed_s[known], np.unwrap(values, period=period) if period else values)

    return Outline(at_moments("lat_deg"), at_moments("lon_deg", 360), at_moments("distance_m"))


def find_duplicates(
    candidates: Iterable[Candidate],
    *,
    joined: Iterable[Candidate] = (),
    never: Iterable[frozenset[str]] = (),
) -> dict[str, Verdict]:
    """
    Return for each activity_id which canonical record it doubles, if any.

    The richest come first, so the order in which files arrived does not matter.

    Args:
        candidates: Records of one athlete.
        joined: The whole of each activity that somebody has put together from parts, under the id of its first part.
        never: Pairs that somebody has told apart.
    """
    ranked = sorted(candidates, key=_rank, reverse=True)
    wholes = list(joined)
    apart = set(never)
    window_s = max([LONGEST_SHIFT_S, *(one.elapsed_s for one in (*ranked, *wholes))])
    canonical = _Canonical(window_s)
    for whole in wholes:
        canonical.add(whole)
    found = {one.activity_id: Verdict() for one in ranked}
    roots = {whole.activity_id for whole in wholes}
    for one in ranked:
        if one.activity_id not in roots and one.richness != CHOSEN:
            found[one.activity_id] = _verdict(one, canonical.around(one), apart)
        if found[one.activity_id].canonical_id is None:
            canonical.add(one)
    return found


def _verdict(one: Candidate, others: Iterable[Candidate], apart: Collection[frozenset[str]]) -> Verdict:
    for other in others:
        if frozenset((one.activity_id, other.activity_id)) not in apart and (reason := why_same(one, other)):
            return Verdict(other.activity_id, reason)
    return Verdict()


def _rank(one: Candidate) -> tuple[tuple[float, ...], str]:
    return one.richness, one.activity_id


class _Canonical:
    """The canonical records so far, by their start, so that one need not be held against all of them."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._starts: list[tuple[float, int]] = []
        self._records: list[Candidate] = []

    def add(self, one: Candidate) -> None:
        insort(self._starts, (one.start_s, len(self._records)))
        self._records.append(one)

    def around(self, one: Candidate) -> list[Candidate]:
        """Return those that begin near enough to be the same, the richest first."""
        first = bisect_left(self._starts, (one.start_s - self._window_s, -1))
        last = bisect_right(self._starts, (one.start_s + self._window_s, len(self._records)))
        return sorted(
            (self._records[place] for _, place in self._starts[first:last]), key=_rank, reverse=True
        )


def why_same(one: Candidate, other: Candidate) -> str | None:
    """Say why two records of one athlete are the same session; None when they are not."""
    if one.is_run is not None and other.is_run is not None and one.is_run != other.is_run:
        return None
    shared_s = min(one.start_s + one.elapsed_s, other.start_s + other.elapsed_s) - max(
        one.start_s, other.start_s
    )
    return _why_at_once(one, other, shared_s) if shared_s > 0 else _why_shifted(one, other)


def _why_at_once(one: Candidate, other: Candidate, shared_s: float) -> str | None:
    together_s = one.elapsed_s + other.elapsed_s - shared_s
    shorter_s = min(one.elapsed_s, other.elapsed_s)
    if together_s <= 0 or shorter_s <= 0:
        return None
    is_same_time, is_contained = shared_s >= SHARED_TIME * together_s, shared_s >= CONTAINED * shorter_s
    if not (is_same_time or is_contained):
        return _why_shifted(one, other)
    length = _lengths_agree(one, other, LENGTH_TOLERANCE)
    apart_m = _apart_m(one, other)
    if apart_m is not None and apart_m > OTHER_WAY_M:
        return None
    is_same_way = apart_m is not None and apart_m <= SAME_WAY_M
    if not (length or (is_same_time and (length is None or is_same_way))):
        return None
    way = "" if apart_m is None else f", {apart_m:,.0f} m apart on the way"
    return f"same time ({shared_s / together_s:.0%} of it shared){_lengths(one, other)}{way}"


def _why_shifted(one: Candidate, other: Candidate) -> str | None:
    """Say why one is a copy of the other whose clock is off by a time zone."""
    shift_s = abs(one.start_s - other.start_s)
    off_s = abs(shift_s - round(shift_s / SHIFT_STEP_S) * SHIFT_STEP_S)
    longer_s = max(one.elapsed_s, other.elapsed_s)
    is_as_long = abs(one.elapsed_s - other.elapsed_s) <= max(COPY_TIME_S, COPY_TIME_SHARE * longer_s)
    if not (
        SHIFT_STEP_S - SHIFT_SLACK_S <= shift_s <= LONGEST_SHIFT_S and off_s <= SHIFT_SLACK_S and is_as_long
    ):
        return None
    if not _lengths_agree(one, other, COPY_LENGTH_TOLERANCE) or not _is_copy(one, other):
        return None
    return f"a copy, {shift_s / 3600:.4g} h off{_lengths(one, other)}"


def _is_copy(one: Candidate, other: Candidate) -> bool:
    """Tell whether two records go the same way at the same moments; indoors, with the same pulse and progress."""
    if one.outline.has_way() and other.outline.has_way():
        return float(_gaps_m(one.outline, other.outline).max()) <= COPY_WAY_M
    if one.avg_hr_bpm is None or other.avg_hr_bpm is None or not one.distance_m:
        return False
    progress = np.abs(one.outline.distance_m - other.outline.distance_m)
    is_same_pulse = abs(one.avg_hr_bpm - other.avg_hr_bpm) <= COPY_HR_BPM
    return is_same_pulse and bool((progress <= COPY_PROFILE * one.distance_m).all())


def _lengths_agree(one: Candidate, other: Candidate, tolerance: float) -> bool | None:
    """Tell whether the lengths are the same; None when one is unknown."""
    if not one.distance_m or not other.distance_m:
        return None
    longer_m = max(one.distance_m, other.distance_m)
    return abs(one.distance_m - other.distance_m) <= tolerance * longer_m


def _apart_m(one: Candidate, other: Candidate) -> float | None:
    """Return the median distance between two ways in the time they share; None when that cannot be said."""
    if not (one.outline.has_way() and other.outline.has_way()):
        return None
    moments = one.start_s + np.linspace(0, one.elapsed_s, MOMENTS)
    its_moments = other.start_s + np.linspace(0, other.elapsed_s, MOMENTS)
    is_shared = (moments >= its_moments[0]) & (moments <= its_moments[-1])
    if np.count_nonzero(is_shared) < LEAST_MOMENTS:
        return None
    its = Outline(
        np.interp(moments, its_moments, other.outline.lat_deg),
        np.interp(moments, its_moments, other.outline.lon_deg),
        other.outline.distance_m,
    )
    return float(np.median(_gaps_m(one.outline, its)[is_shared]))


def _gaps_m(one: Outline, other: Outline) -> Floats:
    lat, lon, its_lat, its_lon = (
        np.radians(values) for values in (one.lat_deg, one.lon_deg, other.lat_deg, other.lon_deg)
    )
    return haversine_m(lat, lon, its_lat, its_lon)


def _lengths(one: Candidate, other: Candidate) -> str:
    if not one.distance_m or not other.distance_m:
        return ""
    return f", {one.distance_m:,.0f} m and {other.distance_m:,.0f} m"
