"""One run from several files counts once; two runs count twice."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.duplicates import Candidate, find_duplicates, is_same_session

START = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)


def candidate(
    name: str,
    *,
    start_s: float = 0,
    elapsed_s: float = 3600,
    distance_m: float | None = 10_000,
    is_run: bool = True,
    richness: tuple[float, ...] = (1, 1, 1, 1),
) -> Candidate:
    return Candidate(
        activity_id=name,
        is_run=is_run,
        started_at=START + timedelta(seconds=start_s),
        elapsed_s=elapsed_s,
        distance_m=distance_m,
        richness=richness,
    )


@pytest.mark.parametrize(
    "other",
    [
        candidate("b"),
        candidate("b", start_s=1, elapsed_s=3599, distance_m=9_998),
        candidate("b", start_s=1, distance_m=10_299),
        candidate("b", elapsed_s=2900, distance_m=9_600),
        candidate("b", distance_m=None),
        candidate("b", distance_m=0),
    ],
)
def test_records_that_share_their_time_and_length_are_one_session(other: Candidate) -> None:
    """A platform's copy starts a second later; two watches differ by a few percent; a length may be unknown."""
    assert is_same_session(candidate("a"), other)
    assert is_same_session(other, candidate("a"))


@pytest.mark.parametrize(
    "other",
    [
        candidate("b", start_s=3600),
        candidate("b", start_s=3601),
        candidate("b", start_s=-3600),
        candidate("b", start_s=1800),
        candidate("b", elapsed_s=600, distance_m=1_700),
        candidate("b", distance_m=10_600),
        candidate("b", is_run=False),
        candidate("b", start_s=24 * 3600),
        candidate("b", elapsed_s=0),
    ],
)
def test_other_sessions_are_not_the_same(other: Candidate) -> None:
    """Back to back, half an hour apart, a warm-up, another length, another sport, another day."""
    assert not is_same_session(candidate("a"), other)
    assert not is_same_session(other, candidate("a"))


def test_two_records_of_no_duration_are_not_the_same() -> None:
    """Nothing can be shared where there is nothing."""
    assert not is_same_session(candidate("a", elapsed_s=0), candidate("b", elapsed_s=0))


def test_the_record_that_knows_more_is_canonical() -> None:
    """Whatever came first."""
    rich, poor = candidate("a", richness=(1, 1)), candidate("b", richness=(1, 0))

    assert find_duplicates([poor, rich]) == {"a": None, "b": "a"}


def test_of_equals_one_is_chosen_for_good() -> None:
    """By the id, so that it is the same one every time."""
    one, other = candidate("a"), candidate("b")

    assert find_duplicates([one, other]) == find_duplicates([other, one]) == {"a": "b", "b": None}


def test_back_to_back_runs_stay_two() -> None:
    """Warm-up, race and the way home."""
    runs = [
        candidate("warm-up", start_s=-1300, elapsed_s=1200, distance_m=3_000),
        candidate("race", elapsed_s=3600),
        candidate("home", start_s=3610, elapsed_s=1200, distance_m=3_000),
    ]

    assert set(find_duplicates(runs).values()) == {None}


def test_three_records_of_one_run_point_to_one() -> None:
    """Nobody points to a record that points elsewhere."""
    records = [candidate("a", richness=(3,)), candidate("b", richness=(2,)), candidate("c", richness=(1,))]

    assert find_duplicates(records) == {"a": None, "b": "a", "c": "a"}


def test_nothing_has_no_duplicates() -> None:
    """An athlete's first run."""
    assert find_duplicates([]) == {}


records = st.lists(
    st.builds(
        candidate,
        st.uuids().map(str),
        start_s=st.integers(0, 4000),
        elapsed_s=st.integers(0, 5000),
        distance_m=st.one_of(st.none(), st.floats(0, 20_000)),
        is_run=st.booleans(),
        richness=st.tuples(st.integers(0, 1), st.integers(0, 1)),
    ),
    max_size=6,
    unique_by=lambda one: one.activity_id,
)


@given(st.data(), records)
def test_the_order_of_arrival_does_not_matter(data: st.DataObject, found: list[Candidate]) -> None:
    """Also with chains of records that share time with one another but not all with all."""
    arrived = data.draw(st.permutations(found))

    assert find_duplicates(arrived) == find_duplicates(found)


@given(records)
def test_whom_one_points_to_is_canonical_and_the_same_session(found: list[Candidate]) -> None:
    """Every record is judged; no canonical two are the same session."""
    by_id = {one.activity_id: one for one in found}

    judged = find_duplicates(found)

    canonical = [by_id[name] for name, to in judged.items() if to is None]
    assert judged.keys() == by_id.keys()
    assert all(
        judged[to] is None and is_same_session(by_id[name], by_id[to]) for name, to in judged.items() if to
    )
    assert not any(is_same_session(a, b) for a in canonical for b in canonical if a is not b)
