"""The plan: its weeks on a calendar with what became of each session, ways to change it, and what is proposed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal

import duckdb
from fastapi import APIRouter, Form, Query
from fastapi.responses import Response

from analytics.plan import RACE_SESSION, WEEK_DAYS
from analytics.plan_changes import REST_SESSION
from analytics.plan_check import check_plan
from flows import plans, steps
from flows.plans import PlanChoice
from ingest.plans import PlanError, imported_names, plan_names
from kneewatch.web.asked import PATIENCE_S, Asked, AskedFor
from kneewatch.web.reading import Reading
from report.plan_export import plan_csv, plan_ics
from report.plan_words import finding_sentence, place, summary_rows
from report.questions import Row
from store.database import frame
from store.lock import BusyError
from store.settings import parse_goal

TITLE, ADDRESS = "Plan", "/plan"
MOVABLE_AFTER_DAYS = 7
"""A session that was missed can be moved so long after its day."""
FURTHEST_DAYS = 6
FIRST_YEAR, LAST_YEAR = 1990, 2100
PlanChange = Callable[[duckdb.DuckDBPyConnection, PlanChoice | None], None]
FIELDS = (
    *("session", "to_day", "week", "days", "from_day", "until_day", "race_day"),
    *("name", "race", "goal", "start"),
)
Field = Annotated[str, Form(max_length=100)]

router = APIRouter()


@router.get(ADDRESS)
def plan(asked: AskedFor, move: Annotated[str, Query(max_length=60)] = "") -> Response:
    """Show the plan; `move` names the session that the form for moving begins with."""
    return _page(asked, entered={"session": move} if move else {})


@router.get(ADDRESS + "/plan.{kind}")
def export(asked: AskedFor, kind: Literal["csv", "ics"]) -> Response:
    """Return the active plan with its changes as a table or a calendar."""
    with asked.web.published.reading() as reading:
        sessions = [row for row in _calendar(asked, reading) if row["session"] is not None]
    if not sessions:
        raise PlanError(plans.NO_PLAN)
    if kind == "csv":
        content: str | bytes = plan_csv(sessions)
    else:
        content = plan_ics(sessions, athlete=asked.athlete, units=asked.units, now=asked.clock.now)
    headers = {"content-disposition": f'attachment; filename="plan.{kind}"'}
    return Response(content, media_type="text/csv" if kind == "csv" else "text/calendar", headers=headers)


@router.post(ADDRESS + "/use")
def use(asked: AskedFor, name: Field = "", race: Field = "", goal: Field = "", start: Field = "") -> Response:
    """Train by a plan from today on."""

    def change(con: duckdb.DuckDBPyConnection, _: PlanChoice | None) -> None:
        choice = PlanChoice(
            plan=name,
            race_date=_day("race", race),
            start_date=_day("start", start) if start else None,
            goal_s=_goal_s(goal),
        )
        plans.use(con, athlete=asked.athlete, choice=choice, today=asked.clock.today, now=asked.clock.now)

    return _changed(asked, change, {"name": name, "race": race, "goal": goal, "start": start})


@router.post(ADDRESS + "/move")
def move(asked: AskedFor, session: Field = "", to_day: Field = "") -> Response:
    """Move a session, named by its day and what it is ("2026-08-13 tempo"), to another day."""

    def change(con: duckdb.DuckDBPyConnection, choice: PlanChoice | None) -> None:
        from_day, _, what = session.partition(" ")
        plans.move(
            con,
            athlete=asked.athlete,
            choice=choice,
            day=_day("session", from_day),
            to_day=_day("to_day", to_day),
            session=what or None,
            now=asked.clock.now,
        )

    return _changed(asked, change, {"session": session, "to_day": to_day})


@router.post(ADDRESS + "/move-week")
def move_week(asked: AskedFor, week: Field = "", days: Field = "") -> Response:
    """Move every session of a week by some days, the race apart."""

    def change(con: duckdb.DuckDBPyConnection, choice: PlanChoice | None) -> None:
        plans.move_week(
            con,
            athlete=asked.athlete,
            choice=choice,
            week=_whole("week", week, 1, 99),
            days=_whole("days", days, -FURTHEST_DAYS, FURTHEST_DAYS),
            now=asked.clock.now,
        )

    return _changed(asked, change, {"week": week, "days": days})


@router.post(ADDRESS + "/holiday")
def holiday(asked: AskedFor, from_day: Field = "", until_day: Field = "") -> Response:
    """Plan no training on these days."""

    def change(con: duckdb.DuckDBPyConnection, choice: PlanChoice | None) -> None:
        plans.holiday(
            con,
            athlete=asked.athlete,
            choice=choice,
            from_date=_day("from_day", from_day),
            to_date=_day("until_day", until_day),
            now=asked.clock.now,
        )

    return _changed(asked, change, {"from_day": from_day, "until_day": until_day})


@router.post(ADDRESS + "/race")
def race(asked: AskedFor, race_day: Field = "") -> Response:
    """Move the race, and the plan with it."""

    def change(con: duckdb.DuckDBPyConnection, choice: PlanChoice | None) -> None:
        on = _day("race_day", race_day)
        plans.race_on(con, athlete=asked.athlete, choice=choice, race_date=on, now=asked.clock.now)

    return _changed(asked, change, {"race_day": race_day})


@router.post(ADDRESS + "/undo")
def undo(asked: AskedFor) -> Response:
    """Take back the last change that holds."""

    def change(con: duckdb.DuckDBPyConnection, choice: PlanChoice | None) -> None:
        plans.undo(con, athlete=asked.athlete, choice=choice, now=asked.clock.now)

    return _changed(asked, change, said="undone")


@router.post(ADDRESS + "/adjust")
def accept(asked: AskedFor) -> Response:
    """Take over what is proposed, as it follows from what is known now."""
    with steps.waiting_at_most(PATIENCE_S):
        changed = steps.accept_adjustment(asked.home, asked.settings, asked.clock, athlete=asked.athlete)
    return asked.back_to(ADDRESS, said="adjusted" if changed else "nothing_to_adjust")


@router.post(ADDRESS + "/adjust/undo")
def undo_adjustment(asked: AskedFor) -> Response:
    """Undo the last adjustment."""
    with steps.waiting_at_most(PATIENCE_S):
        day = steps.undo_adjustment(asked.home, asked.settings, asked.clock, athlete=asked.athlete)
    return asked.back_to(ADDRESS, said="undone" if day else "nothing_to_undo")


# Helpers ---------------------------------------------------------------------------------------------------


def _changed(
    asked: Asked, change: PlanChange, entered: dict[str, str] | None = None, *, said: str = "plan"
) -> Response:
    """Make a change as the command line does; where it cannot be made the page says why, with what was entered."""
    try:
        with steps.waiting_at_most(PATIENCE_S):
            steps.change_active_plan(
                asked.home,
                asked.settings,
                asked.clock,
                change,
                athlete=asked.athlete,
            )
    except PlanError as error:
        return _page(asked, status_code=400, entered=entered, trouble=f"Nothing was changed: {error}")
    except BusyError as error:
        return _page(asked, status_code=503, entered=entered, trouble=f"Not changed yet: {error}")
    return asked.back_to(ADDRESS, said=said)


def _page(
    asked: Asked, *, status_code: int = 200, entered: Mapping[str, str] | None = None, trouble: str = ""
) -> Response:
    with asked.web.published.reading() as reading:
        day = asked.today(reading)
        about = {"athlete": asked.athlete, "today": day}
        rows = [row | {"is_movable": _is_movable(row, day)} for row in _calendar(asked, reading)]
        weeks = weeks_of(rows)
        adjusted, changed = _held(reading, asked.athlete)
        sessions = [row for row in rows if row["session"] is not None]
        race = next((row["local_date"] for row in reversed(sessions) if row["session"] == RACE_SESSION), None)
        return asked.page(
            reading,
            "plan.html.j2",
            status_code=status_code,
            plan_name=sessions[0]["plan"] if sessions else None,
            race=race,
            weeks=weeks,
            this_week=next((week["week"] for week in weeks if day in week["dates"]), None),
            movable=[row for row in sessions if row["is_movable"]],
            proposal=reading.ask("adjust", **about),
            outlook=next(iter(reading.ask("outlook", **about)), None),
            is_adjusted=adjusted,
            is_changed=changed,
            check=reading.kept(
                ("plan check", asked.athlete, day, asked.writing), lambda: _check(asked, reading, day)
            ),
            names=[*plan_names(), *imported_names(reading.con)],
            furthest_days=FURTHEST_DAYS,
            entered=dict.fromkeys(FIELDS, "") | dict(entered or {}),
            trouble=trouble,
        )


def weeks_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """
    Lay the rows of the question plan_calendar on weeks of seven days, without gaps.

    Returns:
        One dict a week: week (its number), dates (of its days), days (of each the rows).
    """
    planned = [row for row in rows if row["session"] is not None]
    if not planned:
        return []
    first_of_week_0 = min(row["local_date"] - timedelta(weeks=row["week"]) for row in planned)
    of_day: dict[date, list[Row]] = {}
    for row in rows:
        of_day.setdefault(row["local_date"], []).append(row)
    weeks = []
    for week in range(min(row["week"] for row in planned), max(row["week"] for row in planned) + 1):
        dates = [first_of_week_0 + timedelta(weeks=week, days=number) for number in range(WEEK_DAYS)]
        weeks.append({"week": week, "dates": dates, "days": [of_day.get(one, []) for one in dates]})
    return weeks


def _calendar(asked: Asked, reading: Reading) -> Sequence[Row]:
    return reading.ask("plan_calendar", athlete=asked.athlete, today=asked.clock.today)


def _is_movable(row: Row, day: date) -> bool:
    is_open = row["status"] in ("upcoming", "missed") and row["session"] not in (REST_SESSION, RACE_SESSION)
    return is_open and row["local_date"] >= day - timedelta(days=MOVABLE_AFTER_DAYS)


def _held(reading: Reading, athlete: str) -> tuple[bool, bool]:
    """Tell whether an adjustment, and a change of the plan, hold and can be undone."""
    [held] = reading.con.execute(
        "select exists(from plan_adjustments where athlete = $athlete and undone_at is null), "
        "exists(from plan_changes where athlete = $athlete and undone_at is null)",
        {"athlete": athlete},
    ).fetchall()
    return held


def _check(asked: Asked, reading: Reading, day: date) -> dict[str, Any] | None:
    """Return what `kneewatch plan check` says of the active plan: rows of summary, and sentences with their places."""
    of_athlete = {"athlete": asked.athlete}
    sessions = frame(reading.con, "select * from plan_sessions where athlete = $athlete", **of_athlete)
    if sessions.is_empty():
        return None
    runs = frame(
        reading.con,
        "select local_date, distance_m from runs where athlete = $athlete and local_date <= $today",
        **of_athlete,
        today=day,
    )
    summary, found = check_plan(sessions, runs, today=day)
    findings = [(place(row), finding_sentence(row, asked.units)) for row in found.to_dicts()]
    return {"summary": summary_rows(summary, asked.units), "findings": findings}


def _day(name: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise PlanError(f"{name} is {text[:20]!r}; a day is written as 2026-10-04.") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise PlanError(f"{name} is {day}; allowed is a day from {FIRST_YEAR} to {LAST_YEAR}.")
    return day


def _whole(name: str, text: str, low: int, high: int) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 2 and low <= int(text) <= high):
        raise PlanError(f"{name} is {text[:20]!r}; allowed is a whole number from {low} to {high}.")
    return int(text)


def _goal_s(text: str) -> float | None:
    try:
        return parse_goal(text) if text else None
    except ValueError:
        raise PlanError(
            f"goal is {text[:20]!r}; allowed are hours, minutes and seconds from 0:50:00 to 6:00:00, such as 1:55:00."
        ) from None
