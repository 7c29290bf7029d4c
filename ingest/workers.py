"""
Files are read in processes of their own: with a limit of time and memory, and beside the store's work.

A process (`python -m ingest.workers`) reads one file after the other and lives as long as the one that started it. One
that takes too long is killed, one that fails is replaced; either costs that file and no other.
"""

import atexit
import os
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from ingest.errors import IngestError

if TYPE_CHECKING:
    from ingest.jobs import Job, Read, Tables
    from ingest.platforms import Words
    from store.settings import Settings

MOST_WORKERS = 4
READY_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may take."""

    seconds: float
    mib: int


def limits_of(settings: "Settings") -> Limits:
    """Return what reading one file may take, as the settings say."""
    return Limits(settings.limits.max_read_s, settings.limits.max_read_mib)


class Worker:
    """A process that reads files, seen from the one that started it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._started_at = 0.0
        self._is_ready = False
        ours, its = socket.socketpair()
        with its:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(its.fileno()), str(limits.mib)],
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for whoever asked; this one ends when nobody asks any more
            )
        self._connection = Connection(ours.detach())

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, job: "Job | Tables") -> None:
        """Send a file to be read."""
        self._started_at = time.monotonic()
        self._connection.send(job)

    def answer(self) -> "Read | Words | IngestError":
        """Return what became of the file; a process that exceeds a limit is gone after that."""
        try:
            if not self._is_ready:  # what it has to load on a busy machine is no fault of the file
                self._is_ready = self._connection.poll(READY_WITHIN_S) and self._connection.recv()
                self._started_at = time.monotonic()
            if self._connection.poll(max(self._started_at + self.limits.seconds - time.monotonic(), 0)):
                answer: Read | Words | IngestError = self._connection.recv()
                return answer
        except (EOFError, ConnectionError):
            self.stop()
            return IngestError(
                f"Reading this file failed, or took more than {self.limits.mib} MiB of memory (limits.max_read_mib)."
            )
        self.stop()
        return IngestError(
            f"Reading this file took longer than {self.limits.seconds:g} s (limits.max_read_s); it was given up."
        )

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._connection.close()


_idle: list[Worker] = []
"""Ready for the next batch: starting a process costs a third of a second."""


def start(limits: Limits) -> None:
    """Let one worker get ready while the caller does something else."""
    _idle.append(_take(limits))


def read_all(
    jobs: Iterable["Job"], limits: Limits, *, at_once: int | None = None
) -> Iterator[tuple["Job", "Read | IngestError"]]:
    """
    Yield for each file what it holds or why not, in the order given.

    The next files are asked for, and read, while the caller deals with what it got: `at_once` of them, by default as many
    as there are cores beside the caller's.
    """
    workers = at_once or min(max((os.cpu_count() or 1) - 1, 1), MOST_WORKERS)
    busy: deque[tuple[Job, Worker]] = deque()
    try:
        for job in jobs:
            answered = None
            if len(busy) == workers:
                asked, busy_one = busy.popleft()
                answered = asked, _answer_of(busy_one)
            worker = _take(limits)
            worker.ask(job)
            busy.append((job, worker))
            if answered is not None:
                yield answered
        while busy:
            asked, busy_one = busy.popleft()
            yield asked, _answer_of(busy_one)
    finally:
        for _, worker in busy:  # nobody waits for their answers any more
            worker.stop()


def read_words(tables: "Tables", limits: Limits) -> "Words | IngestError":
    """Return what the platform's tables in an archive say, or why they cannot be read."""
    worker = _take(limits)
    worker.ask(tables)
    answer: Words | IngestError = _answer_of(worker)
    return answer


def _answer_of(worker: Worker) -> Any:
    """Return what the worker was asked for, and let it wait for the next file if it still lives."""
    answer = worker.answer()
    if worker.is_alive():
        _idle.append(worker)
    return answer


def _take(limits: Limits) -> Worker:
    """Return an idle worker with these limits, or a new one."""
    while _idle:
        worker = _idle.pop()
        if worker.limits == limits and worker.is_alive():
            return worker
        worker.stop()
    return Worker(limits)


@atexit.register
def _stop_all() -> None:
    while _idle:
        _idle.pop().stop()


# In the process itself -----------------------------------------------------------------------------------


def main(descriptor: int, mib: int) -> None:
    """Read what is asked for until nobody asks any more."""
    from ingest.containers import words_of
    from ingest.decode import read
    from ingest.jobs import Job

    _limit_memory(mib)
    connection = Connection(descriptor)
    connection.send(True)
    while True:
        try:
            job = connection.recv()
        except (EOFError, ConnectionError):  # reset when the one that asked was killed in mid-answer
            return
        try:
            answer: Read | Words | IngestError = (
                read(job) if isinstance(job, Job) else words_of(job.path, most_entries=job.most_entries)
            )
        except IngestError as refusal:
            answer = refusal
        except MemoryError:
            answer = IngestError(
                f"Reading this file took more than {mib} MiB of memory (limits.max_read_mib)."
            )
        try:
            connection.send(answer)
        except ConnectionError:
            return


def _limit_memory(mib: int) -> None:
    """Let the process grow to so much in all; what asks for more fails."""
    import resource

    import polars as pl

    pl.DataFrame({"warm": [1.0]}).select(pl.col("warm").sum())  # Polars' threads are there from now on
    if status := _memory_kib():
        # The system counts what is set aside, stacks of threads included, and not only what is used.
        most = (status["VmData"] - status["VmRSS"]) * 2**10 + mib * 2**20
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _memory_kib() -> dict[str, int]:
    """Return what Linux says of this process's memory; nothing elsewhere."""
    try:
        with open("/proc/self/status") as file:  # noqa: PTH123  # no path of ours
            told = (line.split() for line in file if line.startswith("Vm"))
            return {words[0].rstrip(":"): int(words[1]) for words in told}
    except OSError:
        return {}


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
