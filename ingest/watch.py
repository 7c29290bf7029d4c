"""When something is dropped: by the system's own notice where it gives one, by looking again and again where it does not."""

import threading
from collections.abc import Iterator
from pathlib import Path

from watchfiles import Change, watch

from ingest.inbox import is_silent, is_temporary
from store.home import Home

LOOK_EVERY_MS = 2_000
REST_MS = 400
"""So long must nothing change before a drop is told of; a copy that takes longer is told of several times."""


def drops(home: Home, stop: threading.Event, *, looking: bool | None = None) -> Iterator[None]:
    """
    Yield once when watching has begun, then each time something in the inbox is new or has changed, until told to stop.

    What is temporary says nothing. Whoever looks at the inbox at the first notice misses no drop.

    Args:
        home: Whose inbox.
        stop: Ends it, within a second.
        looking: Look every two seconds instead of waiting for the system's notice; by default where that is needed.
    """
    polls = is_silent(home.inbox) if looking is None else looking
    has_begun = False
    for changes in watch(
        home.inbox,
        watch_filter=_is_news,
        step=REST_MS,
        rust_timeout=1_000,
        yield_on_timeout=True,
        stop_event=stop,
        force_polling=polls,
        poll_delay_ms=LOOK_EVERY_MS,
        raise_interrupt=False,
        ignore_permission_denied=True,
    ):
        if changes or not has_begun:
            yield
        has_begun = True


def _is_news(change: Change, path: str) -> bool:
    if change is Change.deleted or is_temporary(Path(path).name):
        return False
    return (
        change is Change.added or not Path(path).is_dir()
    )  # a folder changes with all that comes and goes in it
