"""Runs and the sessions they stand for: the whole week at once, against a second implementation."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from analytics.matching import Done, Planned, assignment, matches_of_weeks

MONDAY = date(2026, 6, 22)
SUNDAY = MONDAY + timedelta(days=6)
AFTERWARDS = MONDAY + timedelta(days=7)


def matched(
    planned: list[tuple[int, float | None]],
    done: list[tuple[int, float | None]],
    *,
    today: date = AFTERWARDS,
) -> dict[int, int]:
    """Place of the run that stands for each session; both are given as (day of the week, km)."""
    sessions = [
        Planned(
            number=i, local_date=MONDAY + timedelta(days=day), week=1, session="easy", distance_m=metres(km)
        )
        for i, (day, km) in enumerate(planned)
    ]
    runs = [
        Done(
            number=i,
            local_date=MONDAY + timedelta(days=day),
            week=1,
            activity_id=str(i),
            distance_m=metres(km),
        )
        for i, (day, km) in enumerate(done)
    ]
    found = matches_of_weeks(sessions, runs, start=MONDAY, today=today)
    return {one.number: other.number for one, other in sorted(found.items(), key=lambda pair: pair[0].number)}


def metres(km: float | None) -> float | None:
    return None if km is None else km * 1000


cost_tables = st.tuples(st.integers(1, 7), st.integers(0, 6)).flatmap(
    lambda shape: st.lists(
        st.lists(st.floats(-5, 1e6), min_size=shape[0] + shape[1], max_size=shape[0] + shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


@given(cost_tables)
def test_the_assignment_costs_what_another_implementation_finds(table):
    """Each row has a column of its own, and the sum is that of SciPy's."""
    costs = np.array(table)

    columns = assignment(costs)

    rows, theirs = linear_sum_assignment(costs)
    assert len(set(columns)) == len(columns) == len(costs)
    assert costs[np.arange(len(costs)), columns].sum() == pytest.approx(costs[rows, theirs].sum(), abs=1e-6)


def test_the_closest_pair_does_not_take_a_run_that_another_session_needs():
    """6.5 km is closest to Tuesday's 6, but only it can stand for Thursday's 8: together both come out."""
    # one by one, 6.5 goes to 6 (8 %), and 3.9 is too far from 8
    assert matched([(1, 6), (3, 8)], [(0, 6.5), (2, 3.9)]) == {0: 1, 1: 0}


def test_two_days_that_were_swapped_are_both_moved():
    """The long run on Saturday and the short one on Sunday: neither is short nor long."""
    assert matched([(5, 4), (6, 8.5)], [(5, 8.5), (6, 4)]) == {0: 1, 1: 0}


def test_a_run_that_did_its_own_day_stays_there():
    """Within a fifth of the plan nothing moves for the sake of a closer distance."""
    assert matched([(1, 5), (3, 6)], [(1, 6), (3, 5)]) == {0: 0, 1: 1}


def test_no_chain_of_moves_is_made_to_use_up_an_extra_run():
    """Monday's 7.4 could be Tuesday's 5, and Tuesday's run Thursday's 4; it is an extra run, and Thursday was missed."""
    assert matched([(1, 5), (3, 4)], [(0, 7.4), (1, 5)]) == {0: 1}


@pytest.mark.parametrize(("km", "found"), [(7.5, {0: 0}), (7.6, {}), (2.5, {0: 0}), (2.4, {}), (None, {})])
def test_a_run_more_than_half_off_is_no_session_of_another_day(km, found):
    """Both edges still count; a run of unknown distance is that of its own day or of none."""
    assert matched([(1, 5)], [(2, km)]) == found


@pytest.mark.parametrize("km", [0.1, 50, None])
def test_a_run_of_the_day_is_the_session_whatever_its_length(km):
    """Short and long are said of it, not that it was missed."""
    assert matched([(1, 5)], [(1, km)]) == {0: 0}


def test_a_session_to_come_is_taken_as_done_only_where_the_distance_says_so():
    """Sunday's 8.5 on Friday is Sunday's, 6 km on Friday are not."""
    friday = MONDAY + timedelta(days=4)

    assert matched([(6, 8.5)], [(4, 8.4)], today=friday) == {0: 0}
    assert matched([(6, 8.5)], [(4, 6.0)], today=friday) == {}
    assert matched([(6, 8.5)], [(4, 6.0)]) == {0: 0}


days_and_km = st.tuples(st.integers(0, 6), st.integers(1, 200).map(lambda tenths: tenths / 10))


@given(st.lists(days_and_km, max_size=6), st.lists(days_and_km, max_size=8))
def test_one_more_run_never_takes_a_session_away(planned, done):
    """With the last run left out no more sessions are matched than with it."""
    assert len(matched(planned, done[:-1])) <= len(matched(planned, done))
