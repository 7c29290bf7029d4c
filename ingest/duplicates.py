"""The same session from several files: one record is canonical, the others point to it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

SHARED_TIME = 0.8
"""Time two records have in common, over the time of both together."""
DISTANCE_TOLERANCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """
    What tells two records apart; all of one athlete.

    Attributes:
        richness: How much the record knows, comparable; the highest is kept.
    """

    activity_id: str
    is_run: bool
    started_at: datetime
    elapsed_s: float
    distance_m: float | None
    richness: tuple[float, ...]


def find_duplicates(candidates: list[Candidate]) -> dict[str, str | None]:
    """
    Return for each activity_id the canonical one it doubles, or None when it is canonical itself.

    The richest come first, so the order in which files arrived does not matter.
    """
    canonical: list[Candidate] = []
    found: dict[str, str | None] = {}
    for one in sorted(candidates, key=lambda c: (c.richness, c.activity_id), reverse=True):
        same = next((other for other in canonical if is_same_session(one, other)), None)
        found[one.activity_id] = same.activity_id if same else None
        if same is None:
            canonical.append(one)
    return found


def is_same_session(one: Candidate, other: Candidate) -> bool:
    """Tell whether two records of one athlete are the same session: by the time they share and their length."""
    if one.is_run != other.is_run or _shared_time(one, other) < SHARED_TIME:
        return False
    if not one.distance_m or not other.distance_m:
        return True
    return abs(one.distance_m - other.distance_m) <= DISTANCE_TOLERANCE * max(
        one.distance_m, other.distance_m
    )


def _shared_time(one: Candidate, other: Candidate) -> float:
    one_end, other_end = (
        one.started_at + timedelta(seconds=one.elapsed_s),
        other.started_at + timedelta(seconds=other.elapsed_s),
    )
    shared_s = (min(one_end, other_end) - max(one.started_at, other.started_at)).total_seconds()
    together_s = (max(one_end, other_end) - min(one.started_at, other.started_at)).total_seconds()
    return shared_s / together_s if together_s > 0 else 0.0
