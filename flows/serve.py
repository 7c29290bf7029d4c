"""The flows as deployments with schedules from the settings, and a process that runs them."""

import sys
import threading
from typing import Any

from prefect import serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments import run_deployment
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import Flow
from prefect.schedules import Cron

from flows.daily import daily
from flows.digest import digest
from flows.intake import intake
from flows.log_knee_pain import log_knee_pain
from flows.review import review
from ingest.watch import drops
from store.home import Home
from store.settings import Settings

DEPLOYMENT = "kneewatch"
LONGEST_RUN_S = 600


def deployments(home: Home, settings: Settings) -> list[RunnerDeployment]:
    """
    Return one deployment a flow, scheduled in the default athlete's time zone; one run at a time each.

    `log-knee-pain` has no schedule: it is there for its form.
    """
    zone = settings.athletes[settings.default_athlete].time_zone
    schedules: list[tuple[Flow[..., Any], str | None]] = [
        (intake, settings.schedules.intake),
        (review, settings.schedules.review),
        (daily, settings.schedules.daily),
        (digest, settings.alerts.digest_cron),
        (log_knee_pain, None),
    ]
    return [
        RunnerDeployment.from_flow(
            flow,
            name=DEPLOYMENT,
            schedule=Cron(cron, timezone=zone) if cron else None,
            parameters={"home": str(home.root)},
            concurrency_limit=ConcurrencyLimitConfig(limit=1),
            tags=["kneewatch"],
        )
        for flow, cron in schedules
    ]


def serve_flows(home: Home, settings: Settings) -> None:
    """Run the deployments on their schedules, and `daily` whenever something is dropped, until stopped."""
    stop = threading.Event()
    watcher = threading.Thread(target=_run_on_drops, args=(home, stop), name="inbox", daemon=True)
    watcher.start()
    try:
        serve(*deployments(home, settings), limit=1)
    finally:
        stop.set()  # it may still be waiting for a flow run that will not end any more: nobody waits for it


def _run_on_drops(home: Home, stop: threading.Event) -> None:
    """
    Start a flow run for each drop, one after the other; what is dropped meanwhile is told of afterwards.

    The schedule is the net under it: nothing depends on a drop's being noticed, and no trouble here ends the serving.
    """
    for _ in drops(home, stop):
        try:
            run_deployment(f"daily/{DEPLOYMENT}", timeout=LONGEST_RUN_S, poll_interval=1)
        except Exception as error:  # noqa: BLE001 - Prefect may be starting, busy or down
            print(f"A drop waits for the schedule: {type(error).__name__}.", file=sys.stderr)
