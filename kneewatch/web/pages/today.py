"""Today: what is planned and what it would be for the knee, how the knees are, what is open, and a report with one tap."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Form
from fastapi.responses import JSONResponse, Response

from flows import steps
from ingest.logs import END_OF_DAY, FLAGS, SITES, LogError
from kneewatch.web.asked import PATIENCE_S, Asked, AskedFor
from kneewatch.web.pain_form import report_entered
from kneewatch.web.reading import Reading
from report.exercises import WARM_UP
from report.page import SITE_WORDS, by_episode, week_ahead_sentence
from report.questions import Row
from report.words import words
from store.database import NotPublishedError
from store.lock import BusyError

TITLE, ADDRESS = "Today", "/"
WHEN = {
    "during": "worst during today's run",
    "after_60min": "an hour after it",
    "before": "before it",
    "next_morning": "this morning, after yesterday's run",
}
"""What a score may speak of, in the order of the form."""

router = APIRouter()


@router.get(ADDRESS)
def today(asked: AskedFor) -> Response:
    """Show the day."""
    return _page(asked)


@router.get("/charts/upcoming.json")
def upcoming_chart(asked: AskedFor) -> Response:
    """Return the chart of the planned runs ahead, for the page to draw."""
    with asked.web.published.reading() as reading:
        day = asked.today(reading)
        key = ("upcoming", asked.athlete, day, asked.writing)
        return JSONResponse(reading.kept(key, lambda: _upcoming_chart(asked, reading, day)))


@router.post("/pain")
def report_pain(
    asked: AskedFor,
    side: Annotated[str, Form()] = "",
    when: Annotated[str, Form()] = "during",
    score: Annotated[str, Form()] = "",
    site: Annotated[str, Form()] = "",
    flag: Annotated[tuple[str, ...], Form()] = (),
    changed_gait: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Keep a report of a knee; a second one of the same day and side completes the first."""
    entered = {
        "side": side,
        "when": when,
        "score": score,
        "site": site,
        "flags": flag,
        "changed_gait": changed_gait,
        "note": note,
    }
    on = asked.clock.today - timedelta(days=when == "next_morning")
    try:
        earlier = _report_of(asked, on, side)
        report = report_entered(asked, entered, on=on, at=earlier.get("at"), flags=earlier.get("flags", ()))
        with steps.waiting_at_most(PATIENCE_S):
            steps.log_pain(asked.home, asked.settings, asked.clock, report)
    except LogError as error:
        return _page(asked, status_code=400, entered=entered, trouble=f"Not noted: {error}")
    except BusyError as error:
        trouble = f"Not noted yet: {error} What you entered still stands below."
        return _page(asked, status_code=503, entered=entered, trouble=trouble)
    return asked.back_to(ADDRESS, said="pain")


@router.post("/compute")
def compute(asked: AskedFor) -> Response:
    """Compute what follows from what is known, for the present day."""
    with steps.waiting_at_most(PATIENCE_S):
        steps.bring_up_to_date(asked.home, asked.settings, asked.clock)
    return asked.back_to(ADDRESS, said="computed")


def _page(
    asked: Asked,
    *,
    status_code: int = 200,
    entered: dict[str, Any] | None = None,
    trouble: str = "",
) -> Response:
    with asked.web.published.reading() as reading:
        about = {"athlete": asked.athlete, "today": asked.today(reading)}
        upcoming = reading.ask("upcoming", **about)
        return asked.page(
            reading,
            "today.html.j2",
            status_code=status_code,
            planned=reading.ask("planned_ahead", **about),
            upcoming=upcoming,
            week_ahead=week_ahead_sentence(upcoming, asked.units),
            knees=reading.ask("knee_today", **about),
            open_alerts=by_episode(reading.ask("open_alerts", **about), asked.units),
            warm_up=WARM_UP,
            when_words=WHEN,
            sites={site: SITE_WORDS[site] for site in SITES},
            flags={flag: words()["flags"][flag] for flag in FLAGS},
            entered=entered,
            trouble=trouble,
        )


def _report_of(asked: Asked, on: date, side: str) -> Row:
    """Return local time (None: none was given) and flags of the report that this one completes; nothing without one."""
    question = (
        "select reported_at, flags from pain_reports where athlete = ? and local_date = ? and side = ? "
        "order by reported_at desc limit 1"
    )
    try:
        with asked.web.published.reading() as reading:
            found = reading.con.execute(question, [asked.athlete, on, side]).fetchall()
    except NotPublishedError:  # the first thing that is said in a new home
        return {}
    if not found:
        return {}
    reported_at, flags = found[0]
    at = reported_at.astimezone(asked.settings.athletes[asked.athlete].zone).time()
    return {"at": None if at == END_OF_DAY else at, "flags": tuple(flags)}


def _upcoming_chart(asked: Asked, reading: Reading, day: date) -> dict[str, Any]:
    from report.charts import UPCOMING_SCHEMA
    from report.charts import upcoming_chart as drawn

    rows = reading.ask("upcoming", athlete=asked.athlete, today=day)
    runs = pl.DataFrame(
        [{name: row[name] for name in UPCOMING_SCHEMA} for row in rows], schema=UPCOMING_SCHEMA
    )
    return drawn(runs, asked.units)
