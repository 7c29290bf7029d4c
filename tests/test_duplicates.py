"""One run from several files counts once; two runs count twice."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.duplicates import (
    CHOSEN,
    MOMENTS,
    Candidate,
    Outline,
    find_duplicates,
    outline_of,
    why_same,
)
from ingest.recording import no_samples

START = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)


def candidate(
    name: str,
    *,
    start_s: float = 0,
    elapsed_s: float = 3600,
    distance_m: float | None = 10_000,
    is_run: bool | None = True,
    richness: tuple[float, ...] = (1, 1, 1, 1),
    **more: Any,
) -> Candidate:
    return Candidate(
        activity_id=name,
        is_run=is_run,
        started_at=START + timedelta(seconds=start_s),
        elapsed_s=elapsed_s,
        distance_m=distance_m,
        richness=richness,
        **more,
    )


def doubled(candidates: Iterable[Candidate], **more: Any) -> dict[str, str | None]:
    """Return for each record the one that it doubles."""
    return {name: verdict.canonical_id for name, verdict in find_duplicates(candidates, **more).items()}


def way(
    *,
    east_m: float = 0.0,
    speed_up: float = 0.0,
    first: float = 0.0,
    last: float = 1.0,
    length_m: float = 10_000,
) -> Outline:
    """Return the outline of a winding way, or a stretch of it, shifted to the east, with another split of its time."""
    time = np.linspace(first, last, MOMENTS)
    share = time + speed_up * np.sin(np.pi * time) / 10
    lat_deg = 52 + length_m * share / 111_195
    lon_deg = 4 + (200 * np.sin(9 * share) + east_m) / 68_460
    return Outline(lat_deg, lon_deg, length_m * (share - share[0]))


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
    assert why_same(candidate("a"), other)
    assert why_same(other, candidate("a"))


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
    assert not why_same(candidate("a"), other)
    assert not why_same(other, candidate("a"))


def test_two_records_of_no_duration_are_not_the_same() -> None:
    """Nothing can be shared where there is nothing."""
    assert not why_same(candidate("a", elapsed_s=0), candidate("b", elapsed_s=0))


def test_the_record_that_knows_more_is_canonical() -> None:
    """Whatever came first."""
    rich, poor = candidate("a", richness=(1, 1)), candidate("b", richness=(1, 0))

    assert doubled([poor, rich]) == {"a": None, "b": "a"}


def test_of_equals_one_is_chosen_for_good() -> None:
    """By the id, so that it is the same one every time."""
    one, other = candidate("a"), candidate("b")

    assert doubled([one, other]) == doubled([other, one]) == {"a": "b", "b": None}


def test_back_to_back_runs_stay_two() -> None:
    """Warm-up, race and the way home."""
    runs = [
        candidate("warm-up", start_s=-1300, elapsed_s=1200, distance_m=3_000),
        candidate("race", elapsed_s=3600),
        candidate("home", start_s=3610, elapsed_s=1200, distance_m=3_000),
    ]

    assert set(doubled(runs).values()) == {None}


def test_three_records_of_one_run_point_to_one() -> None:
    """Nobody points to a record that points elsewhere."""
    records = [candidate("a", richness=(3,)), candidate("b", richness=(2,)), candidate("c", richness=(1,))]

    assert doubled(records) == {"a": None, "b": "a", "c": "a"}


def test_nothing_has_no_duplicates() -> None:
    """An athlete's first run."""
    assert doubled([]) == {}


# The way ---------------------------------------------------------------------------------------------------


def test_the_way_tells_apart_who_ran_at_the_same_time() -> None:
    """A run of another person in the same folder, as long and at the same time, in another part of the town."""
    one, other = candidate("a", outline=way()), candidate("b", outline=way(east_m=3_000))

    assert why_same(one, other) is None


def test_the_same_way_bears_out_a_length_that_differs() -> None:
    """A foot pod that counts a tenth too much; without positions it could be anything."""
    one, other = candidate("a", outline=way()), candidate("b", distance_m=11_000, outline=way(east_m=20))

    assert (
        why_same(one, other) == "same time (100% of it shared), 10,000 m and 11,000 m, 20 m apart on the way"
    )
    assert why_same(candidate("a"), candidate("b", distance_m=11_000)) is None


def test_a_watch_that_somebody_forgot_to_stop_recorded_the_same_run() -> None:
    """Its time is much longer, its length is not."""
    forgotten = candidate("b", elapsed_s=9_000, distance_m=10_200)

    assert why_same(candidate("a"), forgotten)


def test_laps_as_files_of_their_own_are_not_the_whole() -> None:
    """Nor the same as each other: all of them stay."""
    laps = [
        candidate(
            f"lap {n}",
            start_s=360 * n,
            elapsed_s=360,
            distance_m=1_000,
            outline=way(first=n / 10, last=(n + 1) / 10),
        )
        for n in range(10)
    ]

    assert set(doubled([*laps, candidate("whole", outline=way())]).values()) == {None}


@pytest.mark.parametrize("hours", [-12, -5.5, 0.25, 1, 2, 5.75, 14])
def test_a_copy_with_a_clock_of_another_zone_is_known_by_its_way(hours: float) -> None:
    """Saved again by another program, a second off."""
    copy = candidate("b", start_s=hours * 3600 - 1, elapsed_s=3601, distance_m=9_998, outline=way(east_m=3))

    assert (
        why_same(candidate("a", outline=way()), copy)
        == f"a copy, {(abs(hours * 3600 - 1)) / 3600:.4g} h off, 10,000 m and 9,998 m"
    )


@pytest.mark.parametrize(
    "other",
    [
        candidate("b", start_s=12 * 3600, outline=way(speed_up=0.3)),
        candidate("b", start_s=12 * 3600, elapsed_s=3630, outline=way()),
        candidate("b", start_s=12 * 3600 + 400, outline=way()),
        candidate("b", start_s=24 * 3600, outline=way()),
        candidate("b", start_s=2 * 3600, outline=way(east_m=60)),
        candidate("b", start_s=2 * 3600),
    ],
)
def test_the_same_loop_again_is_another_run(other: Candidate) -> None:
    """In the evening, at another pace or moment, on the next day, over the road, or nobody knows where."""
    assert why_same(candidate("a", outline=way()), other) is None


def test_a_copy_from_a_treadmill_has_the_same_pulse_and_progress() -> None:
    """There is no way to compare."""
    progress = way().distance_m
    indoors = Outline(np.full(MOMENTS, np.nan), np.full(MOMENTS, np.nan), progress)
    one = candidate("a", outline=indoors, avg_hr_bpm=141.2)

    assert why_same(one, candidate("b", start_s=7_200, outline=indoors, avg_hr_bpm=141.3))
    assert why_same(one, candidate("b", start_s=7_200, outline=indoors, avg_hr_bpm=143.0)) is None
    assert why_same(one, candidate("b", start_s=7_200, outline=indoors)) is None


def test_a_record_of_no_known_sport_may_be_the_same() -> None:
    """Phones do not always say."""
    assert why_same(candidate("a"), candidate("b", is_run=None))


# What people decided ---------------------------------------------------------------------------------------


def test_what_somebody_told_apart_stays_apart() -> None:
    """The third still finds one of them."""
    records = [candidate("a", richness=(3,)), candidate("b", richness=(2,)), candidate("c", richness=(1,))]

    assert doubled(records, never=[frozenset("ab")]) == {"a": None, "b": None, "c": "a"}
    assert doubled(records, never=[frozenset("ab"), frozenset("ac")]) == {"a": None, "b": None, "c": "b"}


def test_a_record_of_the_whole_doubles_what_was_joined() -> None:
    """The watch was restarted, the phone was not."""
    first = candidate("first", elapsed_s=1_700, distance_m=5_000, richness=CHOSEN)
    second = candidate("second", start_s=1_900, elapsed_s=1_700, distance_m=5_000, richness=CHOSEN)
    whole = candidate("first", elapsed_s=3_600, distance_m=10_000, richness=CHOSEN)
    phone, copy = candidate("phone"), candidate("copy", start_s=1_900, elapsed_s=1_700, distance_m=5_010)

    found = doubled([first, second, phone, copy], joined=[whole])

    assert found == {"first": None, "second": None, "phone": "first", "copy": "second"}


def test_an_outline_says_where_one_was_when() -> None:
    """Over gaps and the date line; without samples, nothing."""
    samples = no_samples() | {
        "elapsed_s": np.array([0.0, 30.0, 60.0]),
        "lat_deg": np.array([1.0, np.nan, 3.0]),
        "lon_deg": np.array([179.9, np.nan, -179.9]),
        "distance_m": np.full(3, np.nan),
    }

    found = outline_of(samples)

    assert found.lat_deg[[0, 30, 60]].tolist() == pytest.approx([1, 2, 3])
    assert found.lon_deg[[0, 30, 60]].tolist() == pytest.approx([179.9, 180.0, 180.1])
    assert np.isnan(found.distance_m).all()
    assert not outline_of(no_samples() | {"elapsed_s": np.empty(0)}).has_way()


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

    judged = doubled(found)

    canonical = [by_id[name] for name, to in judged.items() if to is None]
    assert judged.keys() == by_id.keys()
    assert all(judged[to] is None and why_same(by_id[name], by_id[to]) for name, to in judged.items() if to)
    assert not any(why_same(a, b) for a in canonical for b in canonical if a is not b)
