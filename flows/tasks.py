"""The steps as Prefect tasks: one task a step and batch, never one a file or sample."""

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows import steps
from flows.discretion import discreet

# Nothing is cached and no result is kept: Prefect's records are no place for health data.
OPTIONS: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}

take_in = task(name="take-in", **OPTIONS)(discreet(steps.take_in))
refresh = task(name="refresh", **OPTIONS)(discreet(steps.refresh))
raise_alerts = task(name="raise-alerts", **OPTIONS)(discreet(steps.raise_alerts))
write_digests = task(name="write-digests", **OPTIONS)(discreet(steps.write_digests))
publish = task(name="publish", **OPTIONS)(discreet(steps.publish))
notify = task(name="notify", **OPTIONS)(discreet(steps.notify))
log_pain = task(name="log-pain", **OPTIONS)(discreet(steps.log_pain))
remind = task(name="remind", **OPTIONS)(discreet(steps.remind))
