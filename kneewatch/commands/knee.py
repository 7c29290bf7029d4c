"""Commands about the knees themselves: how they stand, and the questionnaires about them."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kneewatch.asking import day_shown, day_viewed, rows_of, short_id, whole_id
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
from kneewatch.show import Column, print_json, show, text
from store.errors import WrongUseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ingest.questionnaires import QuestionnaireKind
    from report.knee import KneeStatus

knee = typer.Typer(
    help="The knees: how they stand, with cues and never a diagnosis, and questionnaires about them."
)

ANSWER_HELP = "1 to 4 or a to d as on the form, or 0, 8, 17, 25."

SideOption = Annotated[str, typer.Option("--side", help="left or right.")]
DateOption = Annotated[
    datetime | None,
    typer.Option("--date", formats=["%Y-%m-%d"], metavar="DATE", help="The day it was answered."),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.add_typer(knee, name="knee")


@knee.callback(invoke_without_command=True)
def knee_or_status(
    context: typer.Context,
    athlete: AthleteOption = None,
    home: HomeOption = None,
    today: TodayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how each knee stands: red flags first, the newest report, an open episode, cues, questionnaires."""
    if context.invoked_subcommand is not None:
        return
    from dataclasses import asdict

    from flows.refresh import rules_of
    from report.knee import knee_statuses

    folder = home_of(home)
    settings = settings_of(folder)
    with published(folder, settings, day_of(today)) as con:
        statuses = knee_statuses(
            con,
            athlete=athlete_of(settings, athlete),
            today=day_viewed(con, settings, today),
            rules=rules_of(settings),
        )
    if as_json:
        print_json([asdict(status) for status in statuses])
        return
    print("\n\n".join("\n".join(_told(status)) for status in statuses))


@knee.command("ostrc")
def knee_ostrc(
    side: SideOption,
    participation: Annotated[str | None, typer.Option("--participation", help=ANSWER_HELP)] = None,
    volume: Annotated[str | None, typer.Option("--volume", help=ANSWER_HELP)] = None,
    performance: Annotated[str | None, typer.Option("--performance", help=ANSWER_HELP)] = None,
    pain: Annotated[str | None, typer.Option("--pain", help=ANSWER_HELP)] = None,
    day: DateOption = None,
    athlete: AthleteOption = None,
    home: HomeOption = None,
    today: TodayOption = None,
) -> None:
    """Answer the weekly OSTRC-O2 about one knee; without answers it asks them one by one."""
    from report.knee_words import OF_THE_LAST_WEEK, OSTRC_LABELS

    given = {"participation": participation, "volume": volume, "performance": performance, "pain": pain}
    answers = {item: answer for item, answer in given.items() if answer is not None}
    if not answers:
        questions = (
            (item, f"{label}? 1 {first}, 2 {second}, 3 {third}, 4 {fourth}")
            for item, (label, (first, second, third, fourth)) in OSTRC_LABELS.items()
        )
        answers = _asked(
            OF_THE_LAST_WEEK, questions, or_give="--participation, --volume, --performance, --pain"
        )
    _keep("ostrc_o2", side, answers, day=day, athlete=athlete, home=home, today=today)


@knee.command("koos")
def knee_koos(
    side: SideOption,
    answers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ANSWER…", help="0 to 4 for each of the 11 items of the form; - for one left out."
        ),
    ] = None,
    day: DateOption = None,
    athlete: AthleteOption = None,
    home: HomeOption = None,
    today: TodayOption = None,
) -> None:
    """Answer the monthly KOOS-PF about one knee; without answers it asks them one by one."""
    from ingest.questionnaires import KOOS_ITEMS
    from report.knee_words import KOOS_ANSWERS, THE_FORM_AT_KOOS

    if not answers:
        questions = (
            (item, f"Item {place} of {len(KOOS_ITEMS)}? {KOOS_ANSWERS}")
            for place, item in enumerate(KOOS_ITEMS, 1)
        )
        told = _asked(THE_FORM_AT_KOOS, questions, or_give="eleven answers")
    elif len(answers) != len(KOOS_ITEMS):
        raise WrongUseError(
            f"KOOS-PF has {len(KOOS_ITEMS)} items and not {len(answers)}; give - for one left out."
        )
    else:
        told = dict(zip(KOOS_ITEMS, answers, strict=True))
    _keep("koos_pf", side, told, day=day, athlete=athlete, home=home, today=today)


@knee.command("list")
def knee_list(
    home: HomeOption = None,
    athlete: AthleteOption = None,
    today: TodayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the questionnaires scored, and the change since the one before."""
    from report.questions import read_query
    from report.words import words

    folder = home_of(home)
    settings = settings_of(folder)
    with published(folder, settings, day_of(today)) as con:
        rows = rows_of(
            con,
            read_query("questionnaires"),
            athlete=athlete_of(settings, athlete),
            today=day_viewed(con, settings, today),
        )
    columns: list[Column] = [
        ("local_date", "Day", day_shown),
        ("side", "Knee", text),
        ("kind", "Questionnaire", words()["questionnaire"].__getitem__),
        ("score", "Score", _number),
        ("change", "Change", _signed),
        ("is_substantial", "Substantial", _yes_no),
        ("is_beyond_mdc", "Beyond 16", _yes_no),
        ("is_beyond_mic", "Beyond 16.4", _yes_no),
        ("questionnaire_id", "ID", short_id),
    ]
    show(rows, columns, as_json=as_json, empty="No questionnaire yet.")


@knee.command("delete")
def knee_delete(
    questionnaire_id: Annotated[
        str, typer.Argument(metavar="ID", help="The questionnaire's id, or how it begins.")
    ],
    home: HomeOption = None,
) -> None:
    """Take an answered questionnaire out, of the wrong knee or day for example."""
    from flows import steps

    folder = home_of(home)
    settings = settings_of(folder)
    with published(folder, settings, None) as con:
        this = whole_id(con, "questionnaires", "questionnaire_id", questionnaire_id, listed_by="knee list")
    steps.delete_questionnaire(folder, settings, steps.clock_of(settings), this)
    print(f"Taken out: {short_id(this)}.")


def _keep(
    kind: QuestionnaireKind,
    side: str,
    answers: Mapping[str, str],
    *,
    day: datetime | None,
    athlete: str | None,
    home: Path | None,
    today: datetime | None,
) -> None:
    """Keep the answers, and print what they score."""
    from flows import steps
    from ingest.questionnaires import questionnaire
    from report.knee_words import questionnaire_sentence
    from report.questions import read_query

    folder = home_of(home)
    settings = settings_of(folder)
    clock = steps.clock_of(settings, day_of(today))
    answered = questionnaire(
        athlete=athlete_of(settings, athlete),
        side=side,
        kind=kind,
        on=day.date() if day else clock.today,
        answers=answers,
        source="cli",
        latest=clock.today,
    )
    steps.log_questionnaire(folder, settings, clock, answered)
    with published(folder, settings, None) as con:
        scored = rows_of(con, read_query("questionnaires"), athlete=answered.athlete, today=clock.today)
    print(
        f"{answered.side.capitalize()} knee:",
        *(
            questionnaire_sentence(row)
            for row in scored
            if row["questionnaire_id"] == answered.questionnaire_id
        ),
    )


def _asked(heading: str, questions: Iterable[tuple[str, str]], *, or_give: str) -> dict[str, str]:
    """
    Ask a person one question after the other.

    Raises:
        WrongUseError: Nobody sits there.
    """
    if not sys.stdin.isatty():
        raise WrongUseError(f"There are no answers and nobody to ask; give {or_give}.")
    print(heading)
    return {item: str(typer.prompt(question)) for item, question in questions}


def _told(status: KneeStatus) -> Iterator[str]:
    """Yield the lines about one knee: what a doctor should see comes first."""
    from report.knee_words import (
        NOT_REPORTED,
        WHAT_CUES_ARE,
        advice_sentence,
        cue_words,
        episode_sentence,
        event_sentence,
        level_sentence,
        newest_sentence,
        questionnaire_sentence,
        red_flags_sentence,
    )

    cues = status.cues
    yield f"{status.side.upper()} KNEE"
    if cues.red_flags:
        yield f"  {red_flags_sentence(cues)}"
    yield from (f"  {event_sentence(event)}" for event in cues.events)
    yield f"  {advice_sentence(cues)}"
    if not cues.report_ids:
        yield f"  {NOT_REPORTED}"
    if status.newest:
        yield f"  {newest_sentence(status.newest)} {level_sentence(cues.pain)}".rstrip()
    if status.episode:
        yield f"  {episode_sentence(status.episode)}"
    yield from (f"  {questionnaire_sentence(row)}" for row in status.questionnaires)
    if cues.cues:
        yield f"  {WHAT_CUES_ARE}"
    for pattern, fits, does_not_fit, not_known in map(cue_words, cues.cues):
        yield f"    {pattern}"
        yield f"      fits          {fits}"
        yield f"      does not fit  {does_not_fit}"
        yield f"      not known     {not_known}"


def _number(value: float) -> str:
    from report.format import score

    return score(value)


def _signed(value: float | None) -> str:
    from report.format import number

    return "" if value is None else number(value, digits=1, signed=True)


def _yes_no(value: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[value]
