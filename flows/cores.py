"""One computation over many activities, on all cores where that pays and there is the memory for it."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

MANY = 250  # starting the processes takes as long as computing about a hundred runs
AT_ONCE = 25
MIB_EACH = (
    400  # a process takes about 150; the rest is for the one that started them and for Prefect's server
)
LIMIT_OF_CONTAINER = Path("/sys/fs/cgroup/memory.max")


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
    count = processes_for(cores=os.cpu_count() or 1, memory_mib=memory_mib())
    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_leave_room) as processes:
        yield from processes.map(compute, jobs, chunksize=AT_ONCE)


def processes_for(*, cores: int, memory_mib: float) -> int:
    """Return how many processes are to compute: one a core, fewer where there is little memory, one at least."""
    return max(1, min(cores, int(memory_mib / MIB_EACH)))


def memory_mib(limit: Path = LIMIT_OF_CONTAINER) -> float:
    """Return the memory of this machine, or of the container if that has less, in MiB."""
    found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20
    with suppress(OSError, ValueError):  # "max" where there is no limit
        return min(found, int(limit.read_text()) / 2**20)
    return found


def _leave_room() -> None:
    """Let Polars, which is not imported yet, take one thread: the other processes have the other cores."""
    os.environ["POLARS_MAX_THREADS"] = "1"
