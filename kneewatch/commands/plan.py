"""Commands of the group plan: choose one, look at it, change it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from kneewatch.asking import Rows, day_shown, rows_of, units_of
from kneewatch.commands import adjust
from kneewatch.options import (
    AthleteOption,
    HomeOption,
    JsonOption,
    TodayOption,
    athlete_of,
    day_of,
    home_of,
    published,
    settings_of,
)
from kneewatch.show import Column, harmless, print_json, show, text
from store.errors import WrongUseError

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from flows.plans import PlanChoice
    from flows.steps import Clock
    from store.home import Home
    from store.settings import Settings

plan = typer.Typer(help="The plan: choose one, look at it, change it.", no_args_is_help=True)

DAY = ["%Y-%m-%d"]
DayArgument = Annotated[datetime, typer.Argument(metavar="DATE", formats=DAY, help="The day.")]
ToDayArgument = Annotated[datetime, typer.Argument(metavar="TO_DATE", formats=DAY, help="The other day.")]
NO_PLAN = "No plan: kneewatch plan use half_marathon_beginner --race YYYY-MM-DD"


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    adjust.add_to(plan)
    app.add_typer(plan, name="plan")


@plan.command("show")
def plan_show(
    home: HomeOption = None,
    athlete: AthleteOption = None,
    today: TodayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the active plan, session by session, with what became of it."""
    from report.exercises import WARM_UP
    from report.questions import read_query

    folder = home_of(home)
    settings = settings_of(folder)
    units = units_of(settings)
    with published(folder, settings, day_of(today)) as con:
        found = rows_of(con, read_query("plan_calendar"), athlete=athlete_of(settings, athlete))
    rows = [row for row in found if row["session"] is not None]
    columns: list[Column] = [
        ("week", "Week", text),
        ("local_date", "Day", day_shown),
        ("session", "Session", text),
        ("distance_m", "Planned", lambda m: units.distance(m) if m else ""),
        ("zone", "Zone", lambda zone: "" if zone == "none" else text(zone)),
        ("planned_pace_s_per_km", "Pace", lambda pace: units.pace(pace) if pace else ""),
        ("done_m", "Done", lambda m: units.distance(m) if m else ""),
        ("status", "Status", text),
    ]
    show(rows, columns, as_json=as_json, empty=NO_PLAN)
    if not as_json and any(row["pace_from"] for row in rows):
        print(f"Paces from your {next(row['pace_from'] for row in rows if row['pace_from'])}.")
    if not as_json and rows:
        print(f"{WARM_UP}.")


@plan.command("list")
def plan_list(
    home: HomeOption = None,
    athlete: AthleteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the plans there are, built-in and imported, and the choices made of them."""
    from ingest.plans import plan_names

    folder = home_of(home)
    key = athlete_of(settings_of(folder), athlete)
    imported: list[str] = []
    chosen: Rows = []
    if folder.published.exists():
        imported, chosen = _imported_and_chosen(folder, key)
    rows: Rows = [
        {"plan": name, "origin": origin, "chosen": [one for one in chosen if one["plan"] == name]}
        for origin, names in (("built in", plan_names()), ("imported", imported))
        for name in names
    ]
    columns: list[Column] = [
        ("plan", "Plan", text),
        ("origin", "Origin", text),
        ("chosen", "Races", lambda choices: ", ".join(one["race_date"].isoformat() for one in choices)),
    ]
    show(rows, columns, as_json=as_json, empty="")


@plan.command("use")
def plan_use(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the plan.")],
    race: Annotated[datetime, typer.Option("--race", formats=DAY, metavar="DATE", help="Race day.")],
    goal: Annotated[
        str | None,
        typer.Option("--goal", metavar="H:MM:SS", help="Time you hope for over the half marathon."),
    ] = None,
    start: Annotated[
        datetime | None,
        typer.Option("--start", formats=DAY, metavar="DATE", help="Leave out what the plan has before."),
    ] = None,
    home: HomeOption = None,
    athlete: AthleteOption = None,
    today: TodayOption = None,
) -> None:
    """Train by a plan: its last week ends on the race day."""
    from flows import plans

    choice = plans.PlanChoice(
        plan=name,
        race_date=race.date(),
        start_date=day_of(start),
        goal_s=_goal_s(goal) if goal else None,
    )

    def change(con: duckdb.DuckDBPyConnection, key: str, clock: Clock, _: PlanChoice | None) -> date:
        sessions = plans.use(con, athlete=key, choice=choice, today=clock.today, now=clock.now)
        first: date = sessions["local_date"][0]
        return first

    first, clock = _change(home, athlete, today, change)
    print(f"{name}: from {_in_full(first)} to the race on {_in_full(race.date())}.")
    if first < clock.today:
        print(f"It began before today; --start {clock.today} leaves out what is gone.")


@plan.command("import")
def plan_import(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A .csv or an .ics.")
    ],
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="What to call it (else as the file is called)."),
    ] = None,
    home: HomeOption = None,
    today: TodayOption = None,
) -> None:
    """Take in a plan: a table of weeks and days, or a calendar with distances in its titles."""
    from flows import plans, steps
    from ingest.plan_files import read_plan_file

    folder = home_of(home)
    settings = settings_of(folder)
    clock = steps.clock_of(settings, day_of(today))
    found = read_plan_file(file)
    called = _plan_name(name or file.stem)
    steps.change_plan(
        folder, settings, clock, partial(plans.keep_imported, name=called, plan=found.plan, now=clock.now)
    )
    for remark in found.remarks:
        print(harmless(remark), file=sys.stderr)
    print(f"{called}: {found.plan['week'].n_unique()} weeks, {found.plan.height} sessions.")
    print(f"kneewatch plan use {called} --race {found.race_date or 'YYYY-MM-DD'} puts it on the calendar.")


@plan.command("check")
def plan_check(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME|FILE]", help="A plan or a file (else the active plan).")
    ] = None,
    home: HomeOption = None,
    athlete: AthleteOption = None,
    today: TodayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a plan does to the knee by itself, and whether your last weeks are enough to begin it; exit with 1 if it finds something."""
    from analytics.plan_check import check_plan
    from report.plan_words import finding_sentence, place, summary_rows

    folder = home_of(home)
    settings = settings_of(folder)
    units = units_of(settings)
    key = athlete_of(settings, athlete)
    sessions, runs, day = _to_check(folder, settings, key, name, day_of(today))
    summary, found = check_plan(sessions, runs, today=day)
    findings = [
        {**row, "place": place(row), "says": finding_sentence(row, units)} for row in found.to_dicts()
    ]
    if as_json:
        print_json({"summary": summary._asdict(), "findings": findings})
    else:
        show(
            summary_rows(summary, units),
            [("what", "The plan", text), ("value", "In numbers", text)],
            as_json=False,
            empty="",
        )
        show(
            findings,
            [("place", "Where", text), ("says", "What it does", text)],
            as_json=False,
            empty="Nothing found: no spike, no ramp, and cut-back weeks and strength where they should be.",
        )
    if findings:
        raise typer.Exit(1)


@plan.command("export")
def plan_export(
    kind: Annotated[
        Literal["csv", "ics", "fit"],
        typer.Option("--format", help="A table, a calendar, or workouts for a watch."),
    ] = "csv",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="File, or folder for fit; else stdout."),
    ] = None,
    home: HomeOption = None,
    athlete: AthleteOption = None,
    today: TodayOption = None,
) -> None:
    """Write the active plan with its changes: a table, a calendar, or one workout file for each structured session."""
    from datetime import UTC

    from report.plan_export import plan_csv, plan_ics, plan_workouts
    from store.files import write_whole

    if kind == "fit" and output is None:
        raise WrongUseError("Workouts are several files; -o FOLDER says where to.")
    folder = home_of(home)
    settings = settings_of(folder)
    key = athlete_of(settings, athlete)
    with published(folder, settings, day_of(today)) as con:
        sessions = rows_of(
            con,
            "select * from plan_sessions where athlete = $athlete order by local_date, session",
            athlete=key,
        )
    if not sessions:
        raise WrongUseError(NO_PLAN)
    if kind == "fit" and output is not None:
        output.mkdir(parents=True, exist_ok=True)
        workouts = plan_workouts(sessions)
        for name, data in workouts.items():
            write_whole(output.absolute() / name, data)
        print(f"{len(workouts)} workouts in {output}.")
        return
    text_of = {
        "csv": lambda: plan_csv(sessions).encode(),
        "ics": lambda: plan_ics(sessions, athlete=key, units=units_of(settings), now=datetime.now(UTC)),
    }[kind]()
    if output is None or output == Path("-"):
        sys.stdout.buffer.write(text_of)
        return
    write_whole(output.absolute(), text_of)
    print(output)


@plan.command("move")
def plan_move(
    day: DayArgument,
    to_day: ToDayArgument,
    session: Annotated[
        str | None, typer.Option("--session", help="Only this one: easy, long, strength, …")
    ] = None,
    home: HomeOption = None,
    athlete: AthleteOption = None,
    today: TodayOption = None,
) -> None:
    """Move what is planned on a day to another day."""
    from flows import plans

    _say_moved(
        _change_of_plan(
            home,
            athlete,
            today,
            partial(plans.move, day=day.date(), to_day=to_day.date(), session=session),
        )
    )


@plan.command("move-week")
def plan_move_week(
    week: Annotated[int, typer.Argument(metavar="WEEK", min=1, help="Week of the plan.")],
    days: Annotated[int, typer.Option("--days", min=-6, max=6, help="By how many days; earlier below 0.")],
    home: HomeOption = None,
    athlete: AthleteOption = None,
    today: TodayOption = None,
) -> None:
    """Move a whole week of the plan by some days; the race stays."""
    from flows import plans

    _say_moved(_change_of_plan(home, athlete, today, partial(plans.move_week, week=week, days=days)))


@plan.command("holiday")
def plan_holiday(
    from_day: Annotated[datetime, typer.Argument(metavar="FROM", formats=DAY, help="First day.")],
    to_day: Annotated[datetime, typer.Argument(metavar="TO", formats=DAY, help="Last day.")],
    home: HomeOption = None,
    athlete: AthleteOption = None,
    today: TodayOption = None,
) -> None:
    """Plan no training on these days."""
    from flows import plans

    left_out = _change_of_plan(
        home, athlete, today, partial(plans.holiday, from_date=from_day.date(), to_date=to_day.date())
    )
    print(f"Left out: {', '.join(left_out) or 'nothing was planned'}.")
    _say_what_next()


@plan.command("race")
def plan_race(
    day: DayArgument,
    home: HomeOption = None,
    athlete: AthleteOption = None,
    today: TodayOption = None,
) -> None:
    """Move the race to another day, and the plan with it."""
    from flows import plans

    _change_of_plan(home, athlete, today, partial(plans.race_on, race_date=day.date()))
    print(f"The race is on {_in_full(day.date())}, and the plan ends on it.")
    _say_what_next()


@plan.command("undo")
def plan_undo(home: HomeOption = None, athlete: AthleteOption = None, today: TodayOption = None) -> None:
    """Undo the last change of the plan that still holds: a move, a holiday or another race day."""
    from flows import plans

    print(f"Undone: {_change_of_plan(home, athlete, today, plans.undo)}.")


# Helpers ---------------------------------------------------------------------------------------------------


def _change_of_plan(
    home: Path | None, athlete: str | None, today: datetime | None, change: Callable[..., Any]
) -> Any:
    """Make one of the changes of `flows.plans` to the active plan, and return what it says."""

    def of_active(con: duckdb.DuckDBPyConnection, key: str, clock: Clock, choice: PlanChoice | None) -> Any:
        return change(con, athlete=key, choice=choice, now=clock.now)

    return _change(home, athlete, today, of_active)[0]


def _change(
    home: Path | None,
    athlete: str | None,
    today: datetime | None,
    change: Callable[[duckdb.DuckDBPyConnection, str, Clock, PlanChoice | None], Any],
) -> tuple[Any, Clock]:
    from flows import steps

    folder = home_of(home)
    settings = settings_of(folder)
    clock = steps.clock_of(settings, day_of(today))
    key = athlete_of(settings, athlete)
    said = steps.change_active_plan(
        folder, settings, clock, lambda con, choice: change(con, key, clock, choice), athlete=key
    )
    return said, clock


def _imported_and_chosen(folder: Home, athlete: str) -> tuple[list[str], Rows]:
    from ingest.plans import imported_names
    from store.database import opened_published

    with opened_published(folder) as con:
        return imported_names(con), rows_of(
            con,
            "select plan, race_date, start_date, goal_s, counts_from, chosen_at from plan_choices "
            "where athlete = $athlete order by chosen_at",
            athlete=athlete,
        )


def _to_check(
    folder: Home, settings: Settings, athlete: str, name: str | None, today: date | None
) -> tuple[pl.DataFrame, pl.DataFrame, date]:
    """
    Return the sessions to check, the athlete's own runs up to today, and today.

    A plan that is not the active one is laid on the calendar as if it began next Monday.
    """
    import polars as pl

    from analytics.plan import dated
    from flows.plans import NO_PLAN
    from flows.steps import clock_of
    from store.database import frame

    day = today or clock_of(settings).today
    runs, sessions = pl.DataFrame(schema={"local_date": pl.Date, "distance_m": pl.Float64}), None
    if folder.published.exists():
        with published(folder, settings, today) as con:
            runs = frame(
                con,
                "select local_date, distance_m from runs where athlete = $athlete and local_date <= $today",
                athlete=athlete,
                today=day,
            )
            sessions = frame(con, "select * from plan_sessions where athlete = $athlete", athlete=athlete)
    if name is None:
        if sessions is None or sessions.is_empty():
            raise WrongUseError(NO_PLAN)
        return sessions, runs, day
    plan = _plan_of(folder, name)
    as_written = dated(plan, name=name, race_date=day)
    first: date = as_written["local_date"][0]
    next_monday = day + timedelta(days=7 - day.weekday())
    return as_written.with_columns(pl.col("local_date") + (next_monday - first)), runs, day


def _plan_of(folder: Home, name: str) -> pl.DataFrame:
    """Return a plan by its name, or from a file."""
    if name.lower().endswith((".csv", ".ics")):
        from ingest.plan_files import read_plan_file

        if not Path(name).is_file():
            raise WrongUseError(f"There is no file {name}.")
        return read_plan_file(Path(name)).plan
    from flows.plans import plan_named
    from ingest.plans import plan_names, read_plan
    from store.database import opened_published

    if name in plan_names():
        return read_plan(name)
    with opened_published(folder) as con:
        return plan_named(con, name)


def _plan_name(given: str) -> str:
    """Return a name that can be typed: small letters, digits and underscores."""
    name = "_".join(re.findall(r"[a-z0-9]+", given.lower()))[:60]
    if not name:
        raise WrongUseError(f"{given!r} is no name for a plan; give letters or digits with --name.")
    return name


def _goal_s(text: str) -> float:
    from store.settings import parse_goal

    try:
        return parse_goal(text)
    except ValueError:
        raise WrongUseError(
            f"--goal is {text!r}; allowed are hours, minutes and seconds from 0:50:00 to 6:00:00, such as 1:55:00."
        ) from None


def _say_moved(moved: list[str]) -> None:
    print(f"Now planned: {', '.join(moved)}.")
    _say_what_next()


def _say_what_next() -> None:
    print("kneewatch plan check says what that does to the knee; kneewatch plan undo takes it back.")


def _in_full(day: date) -> str:
    return f"{day_shown(day)} {day.year}"
