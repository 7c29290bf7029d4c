"""The coach's page: every athlete of the home, first who needs a call, and why."""

from __future__ import annotations

from datetime import date

import polars as pl
from fastapi import APIRouter
from fastapi.responses import Response

from analytics.coach import ATHLETES, call_order
from flows.refresh import names_of
from kneewatch.web.asked import Asked, AskedFor
from kneewatch.web.reading import Reading
from report.coach_words import call_sentence
from report.questions import Row

TITLE, ADDRESS = "Coach", "/coach"
CALL_WORDS = {
    "medical": "Look at it now",
    "alert": "Open alert",
    "pain_rising": "Pain higher than before",
    "not_reported": "Not reported after a spike",
    "missed": "Missed runs",
    "quiet": "Quiet",
    "none": "No call asked for",
}

router = APIRouter()


@router.get(ADDRESS)
def coach(asked: AskedFor) -> Response:
    """Show all athletes of the settings."""
    with asked.web.published.reading() as reading:
        day = asked.today(reading)
        known_to = tuple(asked.settings.athletes)
        rows = reading.kept(
            ("coach", day, asked.writing, known_to), lambda: _in_order(asked, reading, day, known_to)
        )
        return asked.page(
            reading,
            "coach.html.j2",
            rows=rows,
            names=names_of(list(known_to), asked.settings),
            call_words=CALL_WORDS,
        )


def _in_order(asked: Asked, reading: Reading, day: date, known_to: tuple[str, ...]) -> list[Row]:
    """Return the rows of the question coach with call, silent_days and why, for everybody in the settings."""
    found = {row["athlete"]: row for row in reading.ask("coach", athlete=asked.athlete, today=day)}
    # Of whom nothing came yet the database knows nothing.
    nothing = (
        dict.fromkeys(ATHLETES)
        | {name: None for row in found.values() for name in row}
        | {"missed_runs": 0, "planned_runs": 0}
    )
    everybody = [found.get(athlete, nothing | {"athlete": athlete}) for athlete in known_to]
    frame = pl.DataFrame([{name: row[name] for name in ATHLETES} for row in everybody], schema=ATHLETES)
    by_key = {row["athlete"]: row for row in everybody}
    ordered = [by_key[row["athlete"]] | row for row in call_order(frame, today=day).iter_rows(named=True)]
    return [row | {"why": call_sentence(row, asked.units)} for row in ordered]
