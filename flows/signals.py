"""What Prefect learns of a review: an artifact with the counts and the new alerts, an event for each alert."""

from prefect.artifacts import create_table_artifact
from prefect.events import emit_event

from flows.steps import Clock, Counts, alerts_raised_at
from store.home import Home

# Prefect's records are no place for health data: neither scores nor notes nor names go there.
TOLD_OF_ALERTS = ("alert_id", "local_date", "rule", "severity", "is_medical")


def tell_prefect(home: Home, clock: Clock, counts: Counts) -> None:
    """Leave the counts and the newly raised alerts with Prefect, and emit `kneewatch.alert.raised` for each."""
    raised = [{key: str(alert[key]) for key in TOLD_OF_ALERTS} for alert in alerts_raised_at(home, clock.now)]
    create_table_artifact(
        key="kneewatch-review", table=[{"what": what, "count": n} for what, n in counts.items()]
    )
    if raised:
        create_table_artifact(key="kneewatch-alerts", table=raised)
    for alert in raised:
        emit_event(
            event="kneewatch.alert.raised",
            resource={"prefect.resource.id": f"kneewatch.alert.{alert['alert_id'][:16]}"},
            payload=alert,
        )
