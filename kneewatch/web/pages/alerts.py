"""Alerts: those that are open, those of the year before, and each with the numbers it rests on."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Form, HTTPException, Path
from fastapi.responses import Response

from flows import steps
from kneewatch.web.asked import PATIENCE_S, Asked, AskedFor
from kneewatch.web.reading import Reading
from report.evidence import evidence_numbers
from report.page import by_episode
from report.questions import Row

TITLE, ADDRESS = "Alerts", "/alerts"
AlertId = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]

router = APIRouter()


@router.get(ADDRESS)
def alerts(asked: AskedFor) -> Response:
    """Show the open alerts, and those of a year that are over."""
    with asked.web.published.reading() as reading:
        about = {"athlete": asked.athlete, "today": asked.today(reading)}
        return asked.page(
            reading,
            "alerts.html.j2",
            open_alerts=by_episode(reading.ask("open_alerts", **about), asked.units),
            over=[alert for alert in reading.ask("alerts_to_date", **about) if alert["status"] != "open"],
        )


@router.get(ADDRESS + "/{alert_id}")
def alert(asked: AskedFor, alert_id: AlertId) -> Response:
    """Show one alert with its numbers, each with the row it came from."""
    with asked.web.published.reading() as reading:
        found = _found(asked, reading, alert_id)
        return asked.page(
            reading,
            "alert_page.html.j2",
            alert=by_episode([found], asked.units)[0],
            numbers=evidence_numbers(json.loads(found["evidence"])),
        )


@router.post(ADDRESS + "/{alert_id}/ack")
def acknowledge(
    asked: AskedFor, alert_id: AlertId, back: Annotated[Literal["/", "/alerts"], Form()] = "/alerts"
) -> Response:
    """Note that an alert was seen."""
    with asked.web.published.reading() as reading:
        _found(asked, reading, alert_id)
    with steps.waiting_at_most(PATIENCE_S):
        steps.acknowledge(asked.home, asked.settings, asked.clock, alert_id)
    return asked.back_to(back, said="acknowledged")


def _found(asked: Asked, reading: Reading, alert_id: str) -> Row:
    rows = reading.ask("alerts_to_date", athlete=asked.athlete, today=asked.today(reading))
    found = next((row for row in rows if row["alert_id"] == alert_id), None)
    if found is None:
        raise HTTPException(404)
    return found
