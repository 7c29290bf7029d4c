"""Commands that take down what a person reports: pain, and what is asked about it; and what strength work there is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from kneewatch.asking import day_shown, rows_of, short_id, whole_id
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
from kneewatch.show import Column, harmless, show, text
from store.errors import WrongUseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from store.home import Home
    from store.settings import Settings

pain = typer.Typer(
    help="Knee pain: report it, correct it, look at the reports and at what is asked.", no_args_is_help=True
)
strength = typer.Typer(help="Strength work: note it, look at it, and how it is done.", no_args_is_help=True)

SCORE_HELP = "0 to 10"
REPORT_ID_HELP = "The report's id, or how it begins."


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.add_typer(pain, name="pain")
    app.add_typer(strength, name="strength")
    app.command()(remind)


def remind(
    athlete: AthleteOption = None,
    home: HomeOption = None,
    today: TodayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for what is missing: scores an hour after and next morning, reports while a spike is active, and what words leave open."""
    from dataclasses import asdict

    from flows import steps
    from flows.reminding import reminders
    from report.messages import leaving_words, reminder_words

    folder = home_of(home)
    settings = settings_of(folder)
    clock = steps.clock_of(settings, day_of(today))
    with published(folder, settings, day_of(today)) as con:
        asked = reminders(con, settings, athlete_of(settings, athlete), today=clock.today, now=clock.now)
    rows = [
        {
            **asdict(one),
            **dict(zip(("question", "answer"), reminder_words(one), strict=True)),
            "leave": leaving_words(one),
        }
        for one in asked
    ]
    if as_json or not rows:
        show(rows, (), as_json=as_json, empty="Nothing to ask. That is no promise that nothing hurts.")
    for row in () if as_json else rows:
        print(harmless(f"{row['question']}\n  {row['answer']}"))
        if row["leave"]:
            print(f"  or, to leave it open: {row['leave']}")


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
    _print_alerts(raised)


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
        rows = rows_of(
            con,
            "select * from pain_reports where athlete = $athlete order by reported_at, side",
            athlete=athlete_of(settings, athlete),
        )
    show(rows, _columns(), as_json=as_json, empty="Not reported.")


@strength.command("add")
def strength_add(
    exercise: Annotated[str, typer.Argument(metavar="EXERCISE", help='Such as "leg curl".')],
    sets: Annotated[int | None, typer.Option("--sets", help="How many sets.")] = None,
    reps: Annotated[int | None, typer.Option("--reps", help="Repetitions of a set.")] = None,
    load_kg: Annotated[float | None, typer.Option("--load-kg", help="Weight, kilograms.")] = None,
    duration_min: Annotated[
        float | None, typer.Option("--duration-min", help="How long all of the day's work took, minutes.")
    ] = None,
    rpe: Annotated[float | None, typer.Option("--rpe", help=f"How hard it was, {SCORE_HELP}.")] = None,
    pain_during: Annotated[
        float | None, typer.Option("--pain-during", help=f"Knee pain while doing it, {SCORE_HELP}.")
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="Free text; stays in your database.")] = None,
    day: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], metavar="DATE", help="Which day.")
    ] = None,
    athlete: AthleteOption = None,
    home: HomeOption = None,
    today: TodayOption = None,
) -> None:
    """Note an exercise; all of one day are one session."""
    from flows import steps
    from ingest.logs import Exercise, strength_session

    folder = home_of(home)
    settings = settings_of(folder)
    clock = steps.clock_of(settings, day_of(today))
    session = strength_session(
        athlete=athlete_of(settings, athlete),
        on=day.date() if day else clock.today,
        exercises=[Exercise(name=exercise, sets=sets, reps=reps, load_kg=load_kg)],
        duration_min=duration_min,
        rpe=rpe,
        pain_during=pain_during,
        note=note,
        latest=clock.today,
    )
    whole = steps.log_strength(folder, settings, clock, session)
    print(f"Noted for {whole.local_date.isoformat()}: {', '.join(one.name for one in whole.exercises)}.")


@strength.command("list")
def strength_list(
    home: HomeOption = None, athlete: AthleteOption = None, as_json: JsonOption = False
) -> None:
    """Show the strength sessions."""
    from report.format import score

    folder = home_of(home)
    settings = settings_of(folder)
    with published(folder, settings, None) as con:
        rows = rows_of(
            con,
            "select * from strength_sessions where athlete = $athlete order by local_date",
            athlete=athlete_of(settings, athlete),
        )
    columns: list[Column] = [
        ("local_date", "Day", day_shown),
        ("exercises", "Exercises", lambda all_of_them: ", ".join(one["name"] for one in all_of_them)),
        ("duration_s", "Minutes", lambda duration_s: text(duration_s and round(duration_s / 60))),
        ("rpe", "RPE", text),
        ("pain_during", "Pain during", score),
    ]
    show(rows, columns, as_json=as_json, empty="No strength session yet.")


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


@pain.command("edit")
def pain_edit(
    report_id: Annotated[str, typer.Argument(metavar="ID", help=REPORT_ID_HELP)],
    before: Annotated[float | None, typer.Option("--before", help=SCORE_HELP)] = None,
    during: Annotated[float | None, typer.Option("--during", help=SCORE_HELP)] = None,
    after_60min: Annotated[float | None, typer.Option("--after-60min", help=SCORE_HELP)] = None,
    next_morning: Annotated[float | None, typer.Option("--next-morning", help=SCORE_HELP)] = None,
    site: Annotated[str | None, typer.Option("--site", help="As in pain add.")] = None,
    flags: Annotated[
        list[str] | None, typer.Option("--flag", help="Those there are now; may be repeated.")
    ] = None,
    changed_gait: Annotated[
        bool | None, typer.Option("--changed-gait/--same-gait", help="Whether it changed how you ran.")
    ] = None,
    muscle_soreness: Annotated[float | None, typer.Option("--muscle-soreness", help=SCORE_HELP)] = None,
    note: Annotated[str | None, typer.Option("--note", help="Free text.")] = None,
    unknown: Annotated[
        list[str] | None,
        typer.Option(
            "--unknown", metavar="WHAT", help="Not known after all: during, flags, …; may be repeated."
        ),
    ] = None,
    home: HomeOption = None,
    today: TodayOption = None,
) -> None:
    """Correct a report; what it was is kept, and alerts that no longer hold are withdrawn."""
    from flows import steps
    from ingest.logs import EDITABLE

    folder = home_of(home)
    settings = settings_of(folder)
    values = (site, before, during, after_60min, next_morning, flags, changed_gait, muscle_soreness, note)
    given = {name: value for name, value in zip(EDITABLE, values, strict=True) if value is not None}
    changes = _with_unknown(given, [name.replace("-", "_") for name in unknown or ()], EDITABLE)
    raised = steps.edit_pain(
        folder,
        settings,
        steps.clock_of(settings, day_of(today)),
        _report_id(folder, settings, report_id),
        changes,
    )
    print("Corrected; what it was is kept.")
    _print_alerts(raised)


@pain.command("delete")
def pain_delete(
    report_id: Annotated[str, typer.Argument(metavar="ID", help=REPORT_ID_HELP)],
    home: HomeOption = None,
    today: TodayOption = None,
) -> None:
    """Take a report out; what it was is kept, and alerts that rest on it are withdrawn."""
    from flows import steps

    folder = home_of(home)
    settings = settings_of(folder)
    clock = steps.clock_of(settings, day_of(today))
    report = steps.delete_pain(folder, settings, clock, _report_id(folder, settings, report_id))
    print(
        f"Taken out: {report.local_date.isoformat()}, {report.side} knee. That day is not reported, unless there is another."
    )


@pain.command("questions")
def pain_questions(
    home: HomeOption = None,
    athlete: AthleteOption = None,
    all_questions: Annotated[bool, typer.Option("--all", help="Also those answered and dismissed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show words of your exports about a knee that can be read in more than one way."""
    folder = home_of(home)
    settings = settings_of(folder)
    with published(folder, settings, None) as con:
        rows = rows_of(
            con,
            "select * from pain_questions where athlete = $athlete and ($all_questions or status = 'open') "
            "order by local_date, question_id",
            athlete=athlete_of(settings, athlete),
            all_questions=all_questions,
        )
    columns: list[Column] = [
        ("local_date", "Day", day_shown),
        ("words", "You wrote", text),
        ("status", "Status", text),
        ("question_id", "ID", short_id),
    ]
    show(rows, columns, as_json=as_json, empty="Nothing is open.")
    if rows and not as_json:
        print("Answer: kneewatch pain add --date DAY --side … ; or leave it: kneewatch pain dismiss ID")


@pain.command("dismiss")
def pain_dismiss(
    question_id: Annotated[str, typer.Argument(metavar="ID", help="The question's id, or how it begins.")],
    home: HomeOption = None,
) -> None:
    """Leave a question unanswered for good; nothing is made of the words."""
    from flows import steps

    folder = home_of(home)
    settings = settings_of(folder)
    with published(folder, settings, None) as con:
        this = whole_id(con, "pain_questions", "question_id", question_id, listed_by="pain questions")
    steps.dismiss_question(folder, settings, steps.clock_of(settings), this)
    print(f"Left unanswered: {short_id(this)}.")


def _report_id(folder: Home, settings: Settings, beginning: str) -> str:
    with published(folder, settings, None) as con:
        return whole_id(con, "pain_reports", "report_id", beginning, listed_by="pain list")


def _with_unknown(
    given: Mapping[str, object], unknown: Sequence[str], editable: Sequence[str]
) -> dict[str, object]:
    """
    Return the changes, with what is not known after all.

    Raises:
        WrongUseError: There is no change, one is given and unknown at once, or cannot be changed.
    """
    if wrong := [name for name in unknown if name not in editable or name in given]:
        raise WrongUseError(
            f"--unknown {wrong[0]}: allowed are {', '.join(editable)}, each unless it is given a value."
        )
    if not given and not unknown:
        raise WrongUseError("There is nothing to correct; give a score, or --unknown WHAT.")
    return {**given} | {name: () if name == "flags" else None for name in unknown}


def _print_alerts(raised: Sequence[dict[str, object]]) -> None:
    for alert in raised:
        print(f"\n{str(alert['severity']).upper()}: {alert['message']}\n{alert['action']}")


def _columns() -> list[Column]:
    from report.format import score

    return [
        ("local_date", "Day", day_shown),
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
        ("report_id", "ID", short_id),
    ]
