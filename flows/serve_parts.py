"""What runs beside Prefect's server while a home is served: the watcher of its inbox, and the flows on their schedules."""

import asyncio
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from prefect import tags
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import State, StateType
from prefect.flows import Flow
from prefect.runner import Runner
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.states import Crashed

from flows import steps
from flows.daily import daily
from flows.deployments import NAME, deployments
from flows.intake import intake
from flows.prefect_server import is_healthy, wait_until_healthy
from flows.steps import Clock, Counts
from flows.supervision import Part
from ingest import workers
from ingest.watch import drops
from store.home import Home
from store.settings import Settings, read_settings

Steps = Callable[[Home, Settings, Clock], Counts]
IS_OVER = object()
LOOK_EVERY_S = 0.2
COMPLAIN_AT_THE_END = ("prefect.FlowRunCancellingObserver", "asyncio")
"""They print how a connection was lost long ago, if Prefect's server was slow to come again after a crash."""


def parts(home: Home, settings: Settings, url: str) -> tuple[Part, ...]:
    """Return the parts for a home and the Prefect server at this address."""
    return (
        Part("inbox", partial(_take_in_drops, home, settings, url)),
        Part("schedules", partial(_run_schedules, home, settings, url, datetime.now(UTC))),
    )


def _take_in_drops(home: Home, settings: Settings, url: str, stop: threading.Event) -> None:
    """
    Take in what was dropped while nobody served and review what was cut, then take in each drop.

    What comes meanwhile is told of afterwards. An intake that fails ends this part, which comes again after a while and
    begins with what lies there.
    """
    workers.start(workers.limits_of(settings))
    notices = drops(home, stop)
    if next(notices, IS_OVER) is not IS_OVER:
        _run_here(daily, steps.run_all, home, url)
    for _ in notices:
        _run_here(intake, steps.take_in_and_review, home, url)


def _run_here(flow: Flow[..., Counts], without_prefect: Steps, home: Home, url: str) -> None:
    """Run a flow in this process, where all is loaded; while Prefect's server is not there, its steps by themselves."""
    if is_healthy(url):
        # the end of a flow waits for its heartbeat, a second
        with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}), tags(NAME):
            flow(str(home.root))
    else:
        settings = read_settings(home)
        without_prefect(home, settings, steps.clock_of(settings))


def _run_schedules(
    home: Home, settings: Settings, url: str, began_at: datetime, stop: threading.Event
) -> None:
    """Run the deployments on their schedules, one at a time, each run in a process of its own."""
    wait_until_healthy(url, stop)
    if not stop.is_set():
        asyncio.run(_run_until(stop, home, settings, began_at))


async def _run_until(stop: threading.Event, home: Home, settings: Settings, began_at: datetime) -> None:
    await _note_what_was_cut(home, began_at)
    runner = Runner(name="kneewatch", limit=1)
    for deployment in deployments(home, settings):
        await runner.aadd_deployment(deployment)
    running = asyncio.create_task(runner.start())
    while not (stop.is_set() or running.done()):
        await asyncio.sleep(LOOK_EVERY_S)
    if not running.done():
        for name in COMPLAIN_AT_THE_END:
            logging.getLogger(name).disabled = True
        await runner.astop()
    await running


async def _note_what_was_cut(home: Home, before: datetime) -> None:
    """Mark as crashed what Prefect believes to run since a process that served this home was killed."""
    seems_to_run = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[NAME]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING])),
    )
    async with get_client() as client:
        for run in await client.read_flow_runs(flow_run_filter=seems_to_run):
            if run.created and run.created < before and run.parameters.get("home") == str(home.root):
                cut: State[None] = Crashed(message="The process that served the home ended before.")
                await client.set_flow_run_state(run.id, cut, force=True)
