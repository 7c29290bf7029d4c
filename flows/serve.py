"""The flows as deployments with schedules from the settings, and a process that runs them."""

from typing import Any

from prefect import serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import Flow
from prefect.schedules import Cron

from flows.daily import daily
from flows.intake import intake
from flows.review import review
from store.home import Home
from store.settings import Settings


def deployments(home: Home, settings: Settings) -> list[RunnerDeployment]:
    """Return one deployment a flow, scheduled in the default athlete's time zone; one run at a time each."""
    zone = settings.athletes[settings.default_athlete].time_zone
    schedules: list[tuple[Flow[..., Any], str]] = [
        (intake, settings.schedules.intake),
        (review, settings.schedules.review),
        (daily, settings.schedules.daily),
    ]
    return [
        RunnerDeployment.from_flow(
            flow,
            name="kneewatch",
            schedule=Cron(cron, timezone=zone),
            parameters={"home": str(home.root)},
            concurrency_limit=ConcurrencyLimitConfig(limit=1),
            tags=["kneewatch"],
        )
        for flow, cron in schedules
    ]


def serve_flows(home: Home, settings: Settings) -> None:
    """Run the deployments on their schedules until stopped."""
    serve(*deployments(home, settings), limit=1)
