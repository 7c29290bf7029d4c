"""Which run stands for which planned session: the cheapest pairs of a whole week, found at once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import numpy as np

from analytics.load import Floats

MOVED_TOLERANCE_SHARE = 0.50  # a run further off stands for no session of another day
# What a pair costs, in shares of the planned distance, ours. A session without a run costs 1, so that no pair is made
# that costs more; a run of the session's own day costs less whatever its length.
UNMATCHED_COST = 1.0
SAME_DAY_MOST = 0.95
ANOTHER_DAY_COST = 0.45  # beyond what still counts as done: a run that did its own day's session stays there
DAY_APART_COST = 0.005
NOT_YET_DUE_COST = 0.4  # a run stands for what was missed before it does for what is to come
IMPOSSIBLE = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One session of the plan; number tells it from an equal one."""

    number: int
    local_date: date
    week: int
    session: str
    distance_m: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One run or strength session that took place; week is the week of the plan, None outside it."""

    number: int
    local_date: date
    week: int | None
    activity_id: str | None
    distance_m: float | None


Session = TypeVar("Session", Planned, Done)


def matches_of_weeks(
    planned: Iterable[Planned], done: Iterable[Done], *, start: date, today: date
) -> dict[Planned, Done]:
    """
    Match the sessions of each plan week with what was done in it, all at once.

    What a pair costs is the difference in distance over the planned one; more for another day, and more again for a
    session that is not due yet. The pairs with the lowest sum win, sessions left over included: a run gives its place
    to another where both together come closer to the plan.

    Args:
        planned: Sessions of one kind, runs or strength.
        done: What was done of that kind.
        start: First day of the first week.
        today: The athlete's day; earlier sessions are due.
    """
    planned_in, done_in = _by_week(planned, start), _by_week(done, start)
    matches: dict[Planned, Done] = {}
    for week, sessions in planned_in.items():
        matches |= _cheapest(sessions, done_in.get(week, []), today)
    return matches


def matches_of_day(planned: Iterable[Planned], done: Iterable[Done], *, day: date) -> dict[Planned, Done]:
    """Match the sessions of one day with what was done on it, as `matches_of_weeks` does."""
    return _cheapest(
        [one for one in planned if one.local_date == day],
        [other for other in done if other.local_date == day],
        day,
    )


def assignment(costs: Floats) -> list[int]:
    """
    Return the column of each row so that no two share one and the sum of costs is the lowest.

    The Hungarian method with potentials (Kuhn 1955, Munkres 1957), one row at a time; there must be at least as many
    columns as rows.
    """
    rows, columns = costs.shape
    row_potential, column_potential = np.zeros(rows + 1), np.zeros(columns + 1)
    row_of = np.full(columns + 1, rows)  # the row that a column serves; `rows` is none
    for row in range(rows):
        row_of[columns] = row
        column = columns  # an extra column that the new row starts from
        least, came_from = np.full(columns, np.inf), np.full(columns, columns)
        visited = np.zeros(columns + 1, dtype=bool)
        while row_of[column] != rows:
            visited[column] = True
            at = row_of[column]
            reduced = costs[at] - row_potential[at] - column_potential[:columns]
            is_nearer = (reduced < least) & ~visited[:columns]
            least[is_nearer], came_from[is_nearer] = reduced[is_nearer], column
            nearest = int(np.argmin(np.where(visited[:columns], np.inf, least)))
            step = least[nearest]
            row_potential[row_of[visited]] += step
            column_potential[visited] -= step
            least[~visited[:columns]] -= step
            column = nearest
        while column != columns:
            row_of[column], column = row_of[came_from[column]], int(came_from[column])
    column_of = np.zeros(rows + 1, dtype=np.intp)
    column_of[row_of[:columns]] = np.arange(columns)
    return [int(column) for column in column_of[:rows]]


def _by_week(sessions: Iterable[Session], start: date) -> dict[int, list[Session]]:
    """Place by its day, because a session may have been put into another week than the plan had it in."""
    weeks = defaultdict(list)
    for one in sessions:
        weeks[(one.local_date - start).days // 7].append(one)
    return weeks


def _cheapest(planned: Sequence[Planned], done: Sequence[Done], today: date) -> dict[Planned, Done]:
    if not planned or not done:
        return {}
    if len(planned) == len(done) == 1:  # as on most days, and a history has many
        return {planned[0]: done[0]} if _cost(planned[0], done[0], today) <= UNMATCHED_COST else {}
    costs = np.array([[_cost(one, other, today) for other in done] for one in planned])
    # a column for each session to be left in, or each would need a run
    left_over = np.full((len(planned), len(planned)), UNMATCHED_COST)
    columns = assignment(np.hstack([costs, left_over]))
    return {one: done[column] for one, column in zip(planned, columns, strict=True) if column < len(done)}


def _cost(one: Planned, other: Done, today: date) -> float:
    off_share = _off_share(one, other)
    days_apart = abs((one.local_date - other.local_date).days)
    if days_apart == 0:
        return min(off_share, SAME_DAY_MOST)
    if off_share > MOVED_TOLERANCE_SHARE:
        return IMPOSSIBLE
    not_yet_due = NOT_YET_DUE_COST if one.local_date >= today else 0.0
    return off_share + ANOTHER_DAY_COST + DAY_APART_COST * days_apart + not_yet_due


def _off_share(one: Planned, other: Done) -> float:
    """How far the distance is from the planned one; beyond any limit where one of them is unknown."""
    if one.distance_m is None or other.distance_m is None:
        return np.inf
    gap_m = abs(one.distance_m - other.distance_m)
    return gap_m / one.distance_m if one.distance_m else np.inf if gap_m else 0.0
