"""Whether all is well, for machines that ask: what /healthz and /metrics of the web page answer. Numbers, and nothing of anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kneewatch.doctor import Finding, quick_check

if TYPE_CHECKING:
    from store.home import Home

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
COUNTS = (
    (
        "kneewatch_exports",
        "Files seen, by outcome.",
        ("outcome",),
        "select outcome, count(*) from exports group by 1",
    ),
    (
        "kneewatch_activities",
        "Activities that count.",
        (),
        "select count(*) from activities where duplicate_of is null",
    ),
    (
        "kneewatch_alerts",
        "Alerts, by severity and status.",
        ("severity", "status"),
        "select severity, status, count(*) from alerts group by 1, 2",
    ),
    (
        "kneewatch_deliveries_waiting",
        "Letters that no channel has taken yet.",
        (),
        "select count(*) from deliveries where delivered_at is null",
    ),
    (
        "kneewatch_last_success_timestamp_seconds",
        "When each step last came to its end.",
        ("step",),
        "select step, epoch(max(ended_at)) from flow_log where outcome = 'ok' and not starts_with(step, 'restart ') group by 1",
    ),
    (
        "kneewatch_step_failures",
        "Steps that failed.",
        ("step",),
        "select step, count(*) from flow_log where outcome = 'failed' group by 1",
    ),
    (
        "kneewatch_part_restarts",
        "How often a part of `kneewatch serve` came again after a crash.",
        ("part",),
        "select substr(step, 9), count(*) from flow_log where starts_with(step, 'restart ') group by 1",
    ),
)
"""Name, help, labels and question of each gauge; each row of an answer is the labels and the value."""


def health(home: Home) -> tuple[bool, list[Finding]]:
    """Return whether nothing is bad, and what doctor finds in a moment: it does not read the store from beginning to end."""
    found = quick_check(home)
    return all(one["state"] != "bad" for one in found), found


def metrics(home: Home) -> bytes:
    """
    Return the numbers of the published copy in Prometheus' text format.

    Raises:
        StoreError: If nothing has been published yet.
    """
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    from store.database import opened_published

    registry = CollectorRegistry()
    with opened_published(home) as con:
        for name, what, labels, question in COUNTS:
            gauge = Gauge(name, what, labels, registry=registry)
            for *of, value in con.execute(question).fetchall():
                (gauge.labels(*of) if of else gauge).set(float(value))
    return generate_latest(registry)
