"""Knee: how each one stands and has stood beside the load, its questionnaires, and two pages for a physio."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

import polars as pl
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from analytics.alerts import KNEES
from flows import steps
from flows.refresh import rules_of
from flows.reports import physio_html
from ingest.logs import LogError
from ingest.questionnaires import KOOS_ITEMS, OSTRC_ITEMS, QuestionnaireKind, questionnaire
from kneewatch.web.asked import PATIENCE_S, Asked, AskedFor
from kneewatch.web.reading import Reading
from report import knee_words
from report.knee import knee_statuses
from store.lock import BusyError

TITLE, ADDRESS = "Knee", "/knee"
SHOWN = timedelta(weeks=16)
ITEMS: dict[QuestionnaireKind, tuple[str, ...]] = {"ostrc_o2": OSTRC_ITEMS, "koos_pf": KOOS_ITEMS}

Side = Literal["left", "right"]
Kind = Annotated[QuestionnaireKind, Path()]

router = APIRouter()


@router.get(ADDRESS)
def knee(asked: AskedFor) -> Response:
    """Show both knees."""
    return _page(asked)


@router.get("/charts/knee-{side}.json")
def timeline(asked: AskedFor, side: Side) -> Response:
    """Return the chart of a knee's pain beside the runs, for the page to draw."""
    with asked.web.published.reading() as reading:
        day = asked.today(reading)
        key = ("knee", side, asked.athlete, day, asked.writing)
        return JSONResponse(reading.kept(key, lambda: _timeline(asked, reading, side, day)))


@router.get("/knee/physio.html")
def physio(asked: AskedFor, side: Annotated[Side, Query()]) -> HTMLResponse:
    """Return the report on one knee for a physio, without notes, as a file to keep, print or hand on."""
    with asked.web.published.reading() as reading:
        page = physio_html(
            reading.con,
            asked.home,
            asked.settings,
            athlete=asked.athlete,
            side=side,
            weeks=SHOWN.days // 7,
            today=asked.today(reading),
        )
    return HTMLResponse(page, headers={"content-disposition": f'attachment; filename="knee-{side}.html"'})


@router.post("/knee/{kind}/{side}")
async def answer(asked: AskedFor, request: Request, kind: Kind, side: Side) -> Response:
    """Keep the answers to a questionnaire of today; those of the same day are replaced."""
    form = await request.form()
    return await run_in_threadpool(
        _keep, asked, kind, side, {name: str(form.get(name, "")) for name in ITEMS[kind]}
    )


def _keep(asked: Asked, kind: QuestionnaireKind, side: Side, answers: dict[str, str]) -> Response:
    try:
        answered = questionnaire(
            athlete=asked.athlete,
            side=side,
            kind=kind,
            on=asked.clock.today,
            answers=answers,
            source="web",
            latest=asked.clock.today,
        )
        with steps.waiting_at_most(PATIENCE_S):
            steps.log_questionnaire(asked.home, asked.settings, asked.clock, answered)
    except LogError as error:
        return _page(asked, 400, entered=(kind, side, answers), trouble=f"Not noted: {error}")
    except BusyError as error:
        trouble = f"Not noted yet: {error} What you entered still stands below."
        return _page(asked, 503, entered=(kind, side, answers), trouble=trouble)
    return asked.back_to(ADDRESS, said="pain")


def _page(
    asked: Asked,
    status_code: int = 200,
    *,
    entered: tuple[str, str, dict[str, str]] = ("", "", {}),
    trouble: str = "",
) -> Response:
    with asked.web.published.reading() as reading:
        day = asked.today(reading)
        since = day - SHOWN + timedelta(days=1)
        return asked.page(
            reading,
            "knee.html.j2",
            status_code=status_code,
            knees=knee_statuses(
                reading.con, athlete=asked.athlete, today=day, rules=rules_of(asked.settings)
            ),
            days={side: _worth_a_line(_days(asked, reading, side, since, day)) for side in KNEES},
            scored=reading.ask("questionnaires", athlete=asked.athlete, today=day),
            knee_words=knee_words,
            koos_items=KOOS_ITEMS,
            entered=entered,
            trouble=trouble,
        )


def _days(asked: Asked, reading: Reading, side: str, since: date, day: date) -> pl.DataFrame:
    from report.physio import knee_days

    key = ("knee days", side, asked.athlete, day)
    days: pl.DataFrame = reading.kept(
        key, lambda: knee_days(reading.con, athlete=asked.athlete, side=side, since=since, today=day)
    )
    return days


def _worth_a_line(days: pl.DataFrame) -> list[dict[str, Any]]:
    """Days with a report or a spike, the newest first: the table beside the chart."""
    return days.filter(pl.col("pain").is_not_null() | pl.col("is_spike")).reverse().to_dicts()


def _timeline(asked: Asked, reading: Reading, side: str, day: date) -> dict[str, Any]:
    from report.charts import knee_timeline

    return knee_timeline(_days(asked, reading, side, day - SHOWN + timedelta(days=1), day), asked.units)
