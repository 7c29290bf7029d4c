"""One writer at a time, and one that serves: locks on files, which say who holds them."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.database import StoreError
from store.files import sweep
from store.home import Home

PATIENCE_S = 600.0
LOOK_AGAIN_S = 0.05


class BusyError(StoreError):
    """Another process holds the home's writer lock; what was to be done can be done later."""


@contextmanager
def writing(home: Home, what: str, *, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """
    Hold the home's writer lock, waiting for our turn; the operating system frees it when a process dies.

    Raises:
        BusyError: If another process still holds it after `patience_s` seconds, naming that process.
    """
    home.prepare()
    with home.lock.open("a+") as file:
        _wait_for(file.fileno(), home, patience_s)
        file.seek(0)
        if file.read():  # who held it last was killed or lost its power, perhaps in the middle of a file
            for folder in (home.archive, home.quarantine, home.samples, home.reports, home.state):
                sweep(folder)
        file.seek(0)
        file.truncate()
        file.write(f"{what} (process {os.getpid()})")
        file.flush()
        os.fsync(file.fileno())
        try:
            yield
        finally:
            file.seek(0)
            file.truncate()
            file.flush()
            fcntl.flock(file.fileno(), fcntl.LOCK_UN)


@contextmanager
def serving(home: Home) -> Iterator[None]:
    """
    Be the one process that serves this home.

    Raises:
        StoreError: If there is one already, naming it.
    """
    home.prepare()
    with home.serving.open("a+") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                f"{home.root} is served already, by {server(home) or 'another process'}."
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        yield


def holder(home: Home) -> str | None:
    """Return who holds the writer lock, or None; what a killed process left in the file says nothing."""
    return _holder(home.lock)


def server(home: Home) -> str | None:
    """Return who serves this home, or None."""
    return _holder(home.serving)


def _holder(lock: Path) -> str | None:
    try:
        with lock.open() as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return lock.read_text().strip() or None
    return None


def _wait_for(descriptor: int, home: Home, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                who = holder(home) or "another process"
                raise BusyError(f"{home.root} is in use by {who}; try again when it is done.") from None
            time.sleep(LOOK_AGAIN_S)
        else:
            return
