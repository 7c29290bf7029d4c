"""One computation over many activities, on all cores where that pays."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

MANY = 250  # starting the processes takes as long as computing about a hundred runs
AT_ONCE = 25


def on_all_cores(
    compute: Callable[[Job], Result], jobs: Sequence[Job], *, many: int = MANY
) -> Iterator[Result]:
    """
    Yield what is computed of each job, in the order given.

    From `many` jobs on that is done in processes of their own, to which jobs and results are sent. They import the script
    that Python was started with, so it has to leave what it does behind `if __name__ == "__main__"`.
    """
    if len(jobs) < many:
        yield from map(compute, jobs)
        return
    # not forked: Polars and DuckDB have threads, and a copy of a process has none of them
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=_leave_room) as processes:
        yield from processes.map(compute, jobs, chunksize=AT_ONCE)


def _leave_room() -> None:
    """Let Polars, which is not imported yet, take one thread: the other processes have the other cores."""
    os.environ["POLARS_MAX_THREADS"] = "1"
