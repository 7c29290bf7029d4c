"""The process that serves: Prefect's server, the inbox watcher, the schedules, and whatever else has to run beside them."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from types import FrameType

import duckdb

from flows import steps
from flows.environment import password_file
from flows.prefect_server import running_server
from flows.supervision import Crash, Part, kept_running
from store.errors import KneewatchError
from store.home import Home
from store.lock import serving
from store.settings import Settings

STOP_WITHIN_S = 2.0
"""What a flow has not done by then, the next start does: any of its steps may be cut."""


def serve(home: Home, settings: Settings, others: Sequence[Part] = ()) -> None:
    """
    Serve the home until SIGTERM or SIGINT: drops at once, flows on their schedules, and `others` beside them.

    A part that crashes comes again, after growing waits; that is said on stderr and kept in flow_log.

    Raises:
        StoreError: If another process serves this home.
    """
    stop, server_stops = threading.Event(), threading.Event()
    keepers: list[threading.Thread] = []
    report = partial(_report, home, settings)
    given = os.environ.get("PREFECT_API_URL")
    with (
        serving(home),
        _set_by_signals(stop),
        running_server(home, server_stops, report) as url,
        ExitStack() as running,
    ):
        where = f"server: {given}" if given else f"pages: {url}  ·  password: {password_file(home)}"
        print(f"Prefect's {where}  ·  stop with Ctrl-C", flush=True)
        from flows.serve_parts import parts  # Prefect is imported when it has been told where its server is

        for part in (*parts(home, settings, url), *others):
            keeper = kept_running(part, stop, report, patience_s=STOP_WITHIN_S)
            keepers.append(running.enter_context(keeper))
        stop.wait()
    if any(keeper.is_alive() for keeper in keepers):
        sys.stdout.flush()
        # A step is cut as by a kill, which costs nothing; Python's own end would abort with a thread in the database.
        os._exit(0)


@contextmanager
def _set_by_signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT set `stop`."""

    def set_it(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, set_it) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(home: Home, settings: Settings, crash: Crash) -> None:
    kind = "it ended" if crash.error is None else type(crash.error).__name__
    why = f"{kind}: {crash.error}" if isinstance(crash.error, KneewatchError) else kind
    print(
        f"kneewatch: {crash.part} stopped ({why}); again in {crash.wait_s:g} s.", file=sys.stderr, flush=True
    )
    with suppress(
        KneewatchError, duckdb.Error, OSError
    ):  # a store in trouble keeps nothing from coming again
        steps.note_restart(home, steps.clock_of(settings), crash.part, crash.times)
