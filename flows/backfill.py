"""Flow `backfill`: a whole history at once, read in parallel on this machine or on a cluster."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import date
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.task_runners import TaskRunner

from flows import steps
from flows.discretion import StepError, discreet
from flows.review import reviewed
from flows.run_names import name_by_day
from flows.runners import TASK_RUNNERS, RunnerName, missing_runner
from flows.signals import tell_of_intake
from flows.steps import Counts, clock_of, counts_of
from flows.tasks import OPTIONS
from ingest.errors import IngestError
from ingest.intake import Taken
from ingest.jobs import Job, Read
from ingest.workers import Limits, read_all
from store.home import at
from store.settings import read_settings

Answers = list[tuple[Job, Read | IngestError]]

FILES_PER_TASK = 25
"""A task costs Prefect some 10 ms or more, and reading a file as much."""
BATCHES_AHEAD = 2 * (os.cpu_count() or 1)
TELL_EVERY_S = 2.0


@flow(name="backfill", flow_run_name=partial(name_by_day, "backfill"), persist_result=False)
@discreet
def backfill(home: str, paths: list[Path], runner: RunnerName = "local", today: date | None = None) -> Counts:
    """
    Take in a whole history and review it once; what was taken in before stays as it is, so that it can be started again.

    Args:
        home: Path of the home folder.
        paths: Files, folders and archives; they are copied and never moved.
        runner: Who reads the files: local (beside the store's work), processes (all cores), dask or ray (a cluster that sees the home).
        today: The athlete's day; a past one replays it.
    """
    folder = at(home)
    settings = read_settings(folder)
    clock = clock_of(settings, today)
    with ExitStack() as running:
        read = (
            read_all
            if runner == "local"
            else partial(_read_by_tasks, running.enter_context(runner_of(runner)))
        )
        taken = steps.take_in(folder, settings, clock, paths, on_file=_progress(), read=read)
    tell_of_intake(taken)
    return counts_of(taken) | reviewed(folder, settings, clock)


def runner_of(name: RunnerName) -> TaskRunner[Any]:
    """
    Return one of Prefect's task runners.

    Raises:
        StepError: If it is not installed.
    """
    if missing := missing_runner(name):
        raise StepError(missing)
    where = TASK_RUNNERS[name]
    found: TaskRunner[Any] = getattr(import_module(where.module), where.name)()
    return found


@task(name="read-files", **OPTIONS)
@discreet
def read_files(jobs: list[Job], limits: Limits) -> Answers:
    """Read some archived files, one after the other, each within its limits; where this runs must see the home."""
    return list(read_all(jobs, limits, at_once=1))


def _read_by_tasks(
    runner: TaskRunner[Any], jobs: Iterable[Job], limits: Limits
) -> Iterator[tuple[Job, Read | IngestError]]:
    """Yield for each file what it holds or why not, in the order given; as `read_all`, by tasks of many files each."""
    waiting: deque[Any] = deque()
    left = iter(jobs)
    while batch := list(islice(left, FILES_PER_TASK)):
        waiting.append(runner.submit(read_files, {"jobs": batch, "limits": limits}))
        if len(waiting) == BATCHES_AHEAD:
            yield from waiting.popleft().result()
    while waiting:
        yield from waiting.popleft().result()


def _progress() -> Callable[[Taken, int], None]:
    """Return what to call after each file: Prefect's pages show how far it is, and are told every other second."""
    artifact = create_progress_artifact(progress=0.0, key="kneewatch-backfill", description="Files taken in")
    told_at = time.monotonic()
    done = 0

    def on_file(taken: Taken, total: int) -> None:
        nonlocal told_at, done
        done += taken.parent_id is None  # what is in an archive belongs to it
        if done == total or time.monotonic() - told_at > TELL_EVERY_S:
            told_at = time.monotonic()
            update_progress_artifact(artifact, progress=100.0 * done / max(total, 1))  # type: ignore[arg-type]

    return on_file
