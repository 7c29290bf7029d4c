"""Commands that take down what a person reports: pain; and what strength work there is."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

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
from kneewatch.show import Column, show, text

pain = typer.Typer(help="Knee pain: report it, look at the reports.", no_args_is_help=True)
strength = typer.Typer(help="Strength work: the exercises.", no_args_is_help=True)

SCORE_HELP = "0 to 10"


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.add_typer(pain, name="pain")
    app.add_typer(strength, name="strength")


@pain.command("add")
def pain_add(
    side: Annotated[str, typer.Option("--side", help="left, right or both.")],
    during: Annotated[
        float | None, typer.Option("--during", help=f"Worst pain during the run, {SCORE_HELP}.")
    ] = None,
    before: Annotated[float | None, typer.Option("--before", help=f"Before the run, {SCORE_HELP}.")] = None,
    after_60min: Annotated[
        float | None, typer.Option("--after-60min", help=f"An hour after, {SCORE_HELP}.")
    ] = None,
    next_morning: Annotated[
        float | None,
        typer.Option("--next-morning", help=f"On the next morning, {SCORE_HELP}; --date is the day before."),
    ] = None,
    site: Annotated[
        str | None, typer.Option("--site", help="kneecap, below_kneecap, outer, inner, back or whole.")
    ] = None,
    flags: Annotated[
        list[str] | None, typer.Option("--flag", help="swelling, locking, giving_way, …; may be repeated.")
    ] = None,
    changed_gait: Annotated[
        bool | None, typer.Option("--changed-gait/--same-gait", help="Whether it changed how you ran.")
    ] = None,
    muscle_soreness: Annotated[
        float | None, typer.Option("--muscle-soreness", help=f"Of muscles, {SCORE_HELP}.")
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="Free text; stays in your database.")] = None,
    day: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], metavar="DATE", help="Day of the run.")
    ] = None,
    at: Annotated[
        datetime | None,
        typer.Option("--time", formats=["%H:%M"], metavar="HH:MM", help="Time of the report."),
    ] = None,
    athlete: AthleteOption = None,
    home: HomeOption = None,
    today: TodayOption = None,
) -> None:
    """Report how a knee feels; a second report of the same day, time and side completes the first."""
    from flows import steps
    from ingest.logs import pain_report

    folder = home_of(home)
    settings = settings_of(folder)
    clock = steps.clock_of(settings, day_of(today))
    key = athlete_of(settings, athlete)
    report = pain_report(
        athlete=key,
        zone=settings.athletes[key].zone,
        on=day.date() if day else clock.today,
        at=at.time() if at else None,
        side=side,
        site=site,
        before=before,
        during=during,
        after_60min=after_60min,
        next_morning=next_morning,
        flags=flags or (),
        changed_gait=changed_gait,
        muscle_soreness=muscle_soreness,
        note=note,
        source="cli",
        latest=clock.today,
    )
    raised = steps.log_pain(folder, settings, clock, report)
    print(f"Noted for {report.local_date.isoformat()}, {report.side} knee.")
    for alert in raised:
        print(f"\n{str(alert['severity']).upper()}: {alert['message']}\n{alert['action']}")


@pain.command("list")
def pain_list(
    home: HomeOption = None,
    athlete: AthleteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the reports of knee pain; a day without one is not reported, never without pain."""
    folder = home_of(home)
    settings = settings_of(folder)
    with published(folder, settings, None) as con:
        cursor = con.execute(
            "select * from pain_reports where athlete = ? order by reported_at, side",
            [athlete_of(settings, athlete)],
        )
        names = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    show(rows, _columns(), as_json=as_json, empty="Not reported.")


@strength.command("exercises")
def strength_exercises(as_json: JsonOption = False) -> None:
    """Show the exercises for the knee, how to do them and when not, and the warm-up before a run."""
    from report.exercises import EXERCISES, RULES, WARM_UP

    columns: list[Column] = [
        ("name", "Exercise", text),
        ("session", "Session", text),
        ("dose", "Sets", text),
        ("how", "How", text),
        ("when_not", "When not", text),
    ]
    show([one._asdict() for one in EXERCISES], columns, as_json=as_json, empty="")
    if not as_json:
        print("\n".join([*RULES, f"{WARM_UP}."]))


def _columns() -> list[Column]:
    from report.format import day, score

    def _day(value: date) -> str:
        return day(value)

    return [
        ("local_date", "Day", _day),
        ("side", "Knee", text),
        ("site", "Site", text),
        ("before", "Before", score),
        ("during", "During", score),
        ("after_60min", "After 60 min", score),
        ("next_morning", "Next morning", score),
        ("flags", "Flags", ", ".join),
        ("changed_gait", "Changed gait", lambda value: {True: "yes", False: "no"}.get(value, "")),
        ("muscle_soreness", "Muscles", score),
        ("note", "Note", text),
    ]
