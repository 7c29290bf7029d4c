"""Parts come again after a crash, are told of, and end when told to."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from flows.supervision import Crash, Part, kept_running

AT_ONCE_S = 0.001
PATIENCE_S = 20


def until_told(stop: threading.Event) -> None:
    stop.wait(PATIENCE_S)


def crashing(times: int, then: Callable[[threading.Event], None]) -> tuple[Part, threading.Event]:
    """A part that crashes so often, and what is set when it runs after that."""
    left = iter(range(times))
    is_well = threading.Event()

    def run(stop: threading.Event) -> None:
        if next(left, None) is not None:
            raise ValueError("broken")
        is_well.set()
        then(stop)

    return Part("fragile", run), is_well


def test_a_part_that_crashes_comes_again_after_growing_waits() -> None:
    """Each crash is told of with its kind and its number; when it runs again, nothing more is."""
    crashes: list[Crash] = []
    part, is_well = crashing(4, until_told)

    with kept_running(part, threading.Event(), crashes.append, patience_s=PATIENCE_S, first_wait_s=AT_ONCE_S):
        assert is_well.wait(PATIENCE_S)

    assert [(crash.part, type(crash.error), crash.times) for crash in crashes] == [
        ("fragile", ValueError, times) for times in (1, 2, 3, 4)
    ]
    assert [crash.wait_s for crash in crashes] == [AT_ONCE_S * times for times in (1, 2, 4, 8)]


def test_a_part_that_ends_without_being_told_has_crashed() -> None:
    """Silence is no good sign."""
    crashes: list[Crash] = []
    told = threading.Event()

    def report(crash: Crash) -> None:
        crashes.append(crash)
        told.set()

    with kept_running(Part("brief", lambda stop: None), threading.Event(), report, patience_s=PATIENCE_S):
        assert told.wait(PATIENCE_S)

    assert (crashes[0].error, crashes[0].times) == (None, 1)


def test_a_crash_of_one_part_does_not_touch_another() -> None:
    """Each has its own thread and its own waits."""
    crashes: list[Crash] = []
    stop = threading.Event()
    fragile, is_well = crashing(2, until_told)
    begun: list[None] = []

    def steady(stop: threading.Event) -> None:
        begun.append(None)
        until_told(stop)

    with (
        kept_running(Part("steady", steady), stop, crashes.append, patience_s=PATIENCE_S),
        kept_running(fragile, stop, crashes.append, patience_s=PATIENCE_S, first_wait_s=AT_ONCE_S),
    ):
        assert is_well.wait(PATIENCE_S)

    assert len(begun) == 1
    assert {crash.part for crash in crashes} == {"fragile"}


@pytest.mark.parametrize("ends_by", ["return", "error"])
def test_what_ends_after_being_told_to_has_not_crashed(ends_by: str) -> None:
    """Also when ending is what it complains of."""
    crashes: list[Crash] = []
    begun = threading.Event()

    def run(stop: threading.Event) -> None:
        begun.set()
        until_told(stop)
        if ends_by == "error":
            raise ConnectionError("cut off")

    with kept_running(Part("obedient", run), threading.Event(), crashes.append, patience_s=PATIENCE_S):
        assert begun.wait(PATIENCE_S)

    assert crashes == []
    assert "obedient" not in {thread.name for thread in threading.enumerate()}
