"""What is computed on all cores is the same, in the same order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.cores import memory_mib, on_all_cores, processes_for


def process_of(job: int) -> tuple[int, int]:
    return job, os.getpid()


@pytest.mark.parametrize("count", [0, 1, 60])
def test_many_jobs_are_done_elsewhere_and_come_back_in_order(count: int) -> None:
    """Few are done at once, many in processes of their own."""
    here = [*on_all_cores(process_of, range(count), many=count + 1)]
    elsewhere = [*on_all_cores(process_of, range(count), many=count)]

    assert [job for job, _ in here] == [job for job, _ in elsewhere] == list(range(count))
    assert {process for _, process in here} <= {os.getpid()}
    assert os.getpid() not in {process for _, process in elsewhere}


def test_what_goes_wrong_elsewhere_is_raised_here() -> None:
    """A bug in one run must not pass for a run without metrics."""
    with pytest.raises(FileNotFoundError):
        list(on_all_cores(Path.read_text, [Path(f"/nowhere/{i}") for i in range(3)], many=1))


@pytest.mark.parametrize(
    ("cores", "memory_mib", "processes"),
    [(1, 24_000, 1), (4, 24_000, 4), (4, 1024, 2), (4, 900, 2), (4, 512, 1), (4, 300, 1), (64, 4096, 10)],
)
def test_a_small_machine_computes_in_fewer_processes(cores: int, memory_mib: float, processes: int) -> None:
    """So that a Raspberry Pi of four cores and a gigabyte does not run out of memory."""
    assert processes_for(cores=cores, memory_mib=memory_mib) == processes


def test_a_container_has_what_its_limit_leaves(tmp_path: Path) -> None:
    """And the whole machine where none is set or there is no such file."""
    limit = tmp_path / "memory.max"
    whole = memory_mib(limit)

    limit.write_text("max\n")
    unlimited = memory_mib(limit)
    limit.write_text(f"{64 * 2**20}\n")

    assert whole == unlimited > 64
    assert memory_mib(limit) == 64
