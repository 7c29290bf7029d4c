"""What is computed on all cores is the same, in the same order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.cores import on_all_cores


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
