"""The steps as Prefect tasks: one task a step and batch, never one a file or sample."""

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows import steps

# Nothing is cached and no result is kept: Prefect's records are no place for health data.
OPTIONS: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}

take_in = task(name="take-in", **OPTIONS)(steps.take_in)
refresh = task(name="refresh", **OPTIONS)(steps.refresh)
raise_alerts = task(name="raise-alerts", **OPTIONS)(steps.raise_alerts)
publish = task(name="publish", **OPTIONS)(steps.publish)
notify = task(name="notify", **OPTIONS)(steps.notify)
