"""What Prefect learns of a run: artifacts with numbers, and events for files and alerts. Neither scores nor notes nor names."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.events import emit_event

from flows.steps import Clock, Counts, alerts_raised_at, week_in_numbers
from ingest.intake import Taken
from store.home import Home
from store.settings import Settings

TOLD_OF_ALERTS = ("alert_id", "local_date", "rule", "severity", "is_medical")
SHOWN_ID = 12
MOST_FILES = 100
"""Of one run, in its table and as events: a history of ten years is told of in numbers."""
OPENINGS = ("This ", "Not a watch export", "Reading this file ", "Decompressed, this file ")
"""Sentences on refused files that begin so are about the kind of file; others may name people or say what they wrote."""
ASK = "kneewatch exports says why"


def tell_of_intake(taken: Sequence[Taken]) -> None:
    """Leave a table of what came in, what was refused and why, and emit an event for each file."""
    if not taken:
        return
    create_table_artifact(
        key="kneewatch-intake",
        table=[_row(one) for one in _most_telling(taken)],
        description=", ".join(f"{count} {outcome}" for outcome, count in _outcomes(taken).items()),
    )
    for one in _most_telling(taken):
        emit_event(
            event=f"kneewatch.file.{'refused' if one.outcome == 'quarantined' else one.outcome}",
            resource={"prefect.resource.id": f"kneewatch.export.{one.export_id[:SHOWN_ID]}"},
            payload=_row(one),
        )


def tell_of_review(home: Home, settings: Settings, clock: Clock, counts: Counts) -> None:
    """Leave the counts, the week and the newly raised alerts, and emit `kneewatch.alert.raised` for each of these."""
    create_table_artifact(
        key="kneewatch-review", table=[{"what": what, "count": n} for what, n in counts.items()]
    )
    create_markdown_artifact(key="kneewatch-week", markdown=_week(home, settings, clock.today))
    create_link_artifact(
        key="kneewatch-page", link=(home.reports / "latest.html").as_uri(), link_text="The report"
    )
    tell_of_alerts(home, clock)


def tell_of_alerts(home: Home, clock: Clock) -> None:
    """Leave a table of the alerts raised just now, if any, and emit `kneewatch.alert.raised` for each."""
    raised = [{key: str(alert[key]) for key in TOLD_OF_ALERTS} for alert in alerts_raised_at(home, clock.now)]
    if raised:
        create_table_artifact(key="kneewatch-alerts", table=raised)
    for alert in raised:
        emit_event(
            event="kneewatch.alert.raised",
            resource={"prefect.resource.id": f"kneewatch.alert.{alert['alert_id'][:16]}"},
            payload=alert,
        )


def why_refused(reason: str | None) -> str:
    """Return the beginning of the sentence on a refused file, as far as it speaks of nothing but the kind of file."""
    if not reason or not reason.startswith(OPENINGS):
        return ASK
    return re.split(r"[(:;,.'\"]| [0-9]", reason, maxsplit=1)[0]


def _outcomes(taken: Sequence[Taken]) -> Counter[str]:
    return Counter(one.outcome for one in taken)


def _most_telling(taken: Sequence[Taken]) -> list[Taken]:
    """Return as many files as are told of one by one, the refused ones first."""
    return sorted(taken, key=lambda one: one.outcome != "quarantined")[:MOST_FILES]


def _row(one: Taken) -> dict[str, object]:
    return {
        "export": one.export_id[:SHOWN_ID],
        "format": one.format or "unknown",
        "outcome": one.outcome,
        "activities": one.activities,
        "why": why_refused(one.reason) if one.outcome == "quarantined" else "",
    }


def _week(home: Home, settings: Settings, today: date) -> str:
    """Return the default athlete's week as Markdown: runs and the plan's share, no distance, score or name."""
    week = week_in_numbers(home, settings, today)
    if week is None:
        return "No week yet: nothing was taken in."
    planned = "no plan" if week.planned_runs is None else f"{week.planned_runs} planned"
    share = "" if week.done_share is None else f"; {week.done_share:.0%} of the planned distance"
    return (
        f"## Week of {week.week_start}\n\n- Runs: {week.runs} ({planned}{share})\n- Alerts: {week.alerts}\n"
        f"- Knee reports: {week.pain_reports or 'not reported'}\n"
    )
