"""What takes longer than a page may: done beside the pages, one job after another."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from store.errors import KneewatchError


class Work:
    """
    Jobs that wait for their turn; one that waits already is not put in line again.

    Attributes:
        trouble: Why the last job failed, in a sentence for people; empty when it did not.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, Callable[[], object]] = {}
        self._is_running = False
        self.trouble = ""

    @property
    def is_busy(self) -> bool:
        """Whether a job is being done or waits."""
        return self._is_running

    def begin(self, name: str, job: Callable[[], object]) -> None:
        """Do a job soon. It may be broken off at any time, as all of the pipeline may: the thread ends with the process."""
        with self._lock:
            self._jobs[name] = job
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="work", daemon=True).start()

    def _run(self) -> None:
        while job := self._next():
            try:
                job()
                self.trouble = ""
            except KneewatchError as error:
                self.trouble = str(error)
            except Exception as error:  # noqa: BLE001 - what it holds may be private, and the next job is none the worse
                self.trouble = "Something went wrong; `kneewatch doctor` says more."
                print(f"kneewatch web: {type(error).__name__} beside the pages", file=sys.stderr)

    def _next(self) -> Callable[[], object] | None:
        with self._lock:
            for name in self._jobs:
                return self._jobs.pop(name)
            self._is_running = False
            return None
