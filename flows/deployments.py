"""The flows as deployments: for `kneewatch serve`, and by prefect.yaml for a work pool of one's own."""

from operator import attrgetter
from typing import Any, NamedTuple

from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import Flow
from prefect.schedules import Cron, Schedule
from prefect.types.entrypoint import EntrypointType

from flows.backfill import backfill
from flows.daily import daily
from flows.digest import digest
from flows.intake import intake
from flows.log_knee_pain import log_knee_pain
from flows.remind import remind
from flows.review import review
from store.home import Home
from store.settings import Settings

NAME = "kneewatch"


class Deployed(NamedTuple):
    """One flow as a deployment; `schedule` is where its schedule stands in the settings, None for one that people start."""

    flow: Flow[..., Any]
    schedule: str | None
    tags: tuple[str, ...]


DEPLOYED = (
    Deployed(intake, "schedules.intake", ("kneewatch", "files")),
    Deployed(review, "schedules.review", ("kneewatch", "alerts")),
    Deployed(daily, "schedules.daily", ("kneewatch", "files", "alerts")),
    Deployed(digest, "alerts.digest_cron", ("kneewatch", "alerts")),
    Deployed(remind, "schedules.remind", ("kneewatch", "knee")),
    Deployed(log_knee_pain, None, ("kneewatch", "knee")),
    Deployed(backfill, None, ("kneewatch", "files")),
)
"""`log-knee-pain` is there for its form, `backfill` for whoever has a history to take in."""


def deployments(home: Home, settings: Settings) -> list[RunnerDeployment]:
    """Return the deployments, scheduled in the default athlete's time zone; one run at a time each, as the store is written."""
    return [
        RunnerDeployment.from_flow(
            one.flow,
            name=NAME,
            schedule=_schedule(settings, one),
            parameters={"home": str(home.root)},
            concurrency_limit=ConcurrencyLimitConfig(limit=1),
            tags=list(one.tags),
            entrypoint_type=EntrypointType.MODULE_PATH,  # wherever it is started from
        )
        for one in DEPLOYED
    ]


def _schedule(settings: Settings, one: Deployed) -> Schedule | None:
    cron = attrgetter(one.schedule)(settings) if one.schedule else None
    return Cron(cron, timezone=settings.athletes[settings.default_athlete].time_zone) if cron else None
