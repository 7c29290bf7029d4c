"""The parts of a process that serves: each runs in a thread, comes again after a crash, and ends when it is told to."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
IS_WELL_AFTER_S = 300.0
"""A part that has run so long starts its waits anew."""


class Part(NamedTuple):
    """One part: `run` works until the event that it is given is set; if it ends before, it has crashed."""

    name: str
    run: Callable[[threading.Event], None]


class Crash(NamedTuple):
    """A part ended that should not have: the kind of error, how often in a row, and after how long it comes again."""

    part: str
    error: BaseException | None
    times: int
    wait_s: float


Report = Callable[[Crash], None]


@contextmanager
def kept_running(
    part: Part,
    stop: threading.Event,
    report: Report,
    *,
    patience_s: float,
    first_wait_s: float = FIRST_WAIT_S,
) -> Iterator[threading.Thread]:
    """
    Keep the part running while the block lasts; each crash is reported, and waits twice as long as the one before.

    Yields the thread that keeps it. At the end `stop` is set, and the part has `patience_s` from then on; one that takes
    longer dies with the process.
    """
    keeper = threading.Thread(
        target=_keep, args=(part, stop, report, first_wait_s), name=part.name, daemon=True
    )
    keeper.start()
    try:
        yield keeper
    finally:
        stop.set()
        keeper.join(patience_s)


def _keep(part: Part, stop: threading.Event, report: Report, first_wait_s: float) -> None:
    crashes = 0
    while not stop.is_set():
        began = time.monotonic()
        error = _error_of(part, stop)
        if stop.is_set():
            return
        crashes = 1 if time.monotonic() - began > IS_WELL_AFTER_S else crashes + 1
        wait_s = min(first_wait_s * 2 ** min(crashes - 1, 10), LONGEST_WAIT_S)
        report(Crash(part.name, error, crashes, wait_s))
        stop.wait(wait_s)


def _error_of(part: Part, stop: threading.Event) -> BaseException | None:
    try:
        part.run(stop)
    except BaseException as error:  # noqa: BLE001 - whichever it is, the part comes again and the others go on
        return error
    return None
