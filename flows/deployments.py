"""The flows as deployments: for `kneewatch serve`, and by prefect.yaml for a work pool of one's own."""

from typing import Any, NamedTuple

from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments.runner import EntrypointType, RunnerDeployment
from prefect.flows import Flow
from prefect.schedules import Cron

from flows.backfill import backfill
from flows.daily import daily
from flows.intake import intake
from flows.log_knee_pain import log_knee_pain
from flows.remind import remind
from flows.review import review
from store.home import Home
from store.settings import Settings

NAME = "kneewatch"


class Deployed(NamedTuple):
    """One flow as a deployment; `schedule` is the key of its schedule in the settings, None for one that people start."""

    flow: Flow[..., Any]
    schedule: str | None
    tags: tuple[str, ...]


DEPLOYED = (
    Deployed(intake, "intake", ("kneewatch", "files")),
    Deployed(review, "review", ("kneewatch", "alerts")),
    Deployed(daily, "daily", ("kneewatch", "files", "alerts")),
    Deployed(remind, "remind", ("kneewatch", "knee")),
    Deployed(log_knee_pain, None, ("kneewatch", "knee")),
    Deployed(backfill, None, ("kneewatch", "files")),
)
"""`log-knee-pain` is there for its form, `backfill` for whoever has a history to take in."""


def deployments(home: Home, settings: Settings) -> list[RunnerDeployment]:
    """Return the deployments, scheduled in the default athlete's time zone; one run at a time each, as the store is written."""
    zone = settings.athletes[settings.default_athlete].time_zone
    return [
        RunnerDeployment.from_flow(
            one.flow,
            name=NAME,
            schedule=Cron(getattr(settings.schedules, one.schedule), timezone=zone) if one.schedule else None,
            parameters={"home": str(home.root)},
            concurrency_limit=ConcurrencyLimitConfig(limit=1),
            tags=list(one.tags),
            entrypoint_type=EntrypointType.MODULE_PATH,  # wherever it is started from
        )
        for one in DEPLOYED
    ]
