"""The command plan adjust: a changed fortnight, shown, accepted or undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kneewatch.asking import Rows, day_shown, rows_of, units_of
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
from kneewatch.show import print_json, show, text
from store.errors import WrongUseError

if TYPE_CHECKING:
    from report.format import Units

NOTHING_TO_CHANGE = "Nothing to change in the next 14 days."


def add_to(plan: typer.Typer) -> None:
    """Add the command to the group."""
    plan.command("adjust")(plan_adjust)


def plan_adjust(
    accept: Annotated[bool, typer.Option("--accept", help="Take the proposal over into the plan.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Undo the last adjustment.")] = False,
    home: HomeOption = None,
    athlete: AthleteOption = None,
    today: TodayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose a changed fortnight when the knee hurts or runs were missed; the plan stays as it is until --accept."""
    from flows import steps

    if accept and undo:
        raise WrongUseError("--accept and --undo do not go together: give one of them.")
    folder = home_of(home)
    settings = settings_of(folder)
    clock = steps.clock_of(settings, day_of(today))
    whose = athlete_of(settings, athlete)
    if accept:
        changed = steps.accept_adjustment(folder, settings, clock, athlete=whose)
        told = f"Changed: {changed} {'session' if changed == 1 else 'sessions'}; kneewatch plan adjust --undo takes it back."
        print(told if changed else NOTHING_TO_CHANGE)
        return
    if undo:
        day = steps.undo_adjustment(folder, settings, clock, athlete=whose)
        print(f"Undone: the adjustment of {day_shown(day)}." if day else "There is no adjustment to undo.")
        return
    with published(folder, settings, day_of(today)) as con:
        changes = rows_of(
            con,
            "select * exclude (athlete) from plan_proposal where athlete = $athlete order by local_date, session nulls last",
            athlete=whose,
        )
        outlooks = rows_of(
            con, "select * exclude (athlete) from plan_outlook where athlete = $athlete", athlete=whose
        )
    if as_json:
        print_json({"changes": changes, "outlook": next(iter(outlooks), None)})
        return
    _show_changes(changes, outlooks, units_of(settings))


def _show_changes(changes: Rows, outlooks: Rows, units: Units) -> None:
    if not outlooks:
        print("No plan: kneewatch plan use half_marathon_beginner --race YYYY-MM-DD")
        return
    shown = [
        row
        | {
            "before": _in_words(row, "", units) if row["session"] else "–",
            "after": _in_words(row, "new_", units),
        }
        for row in changes
    ]
    show(
        shown,
        [
            ("local_date", "Day", day_shown),
            ("before", "Planned", text),
            ("after", "Instead", text),
            ("reason", "Why", text),
        ],
        as_json=False,
        empty=NOTHING_TO_CHANGE,
    )
    if outlooks[0]["advice"]:
        print(outlooks[0]["advice"])
    if changes:
        print("Nothing is changed yet: kneewatch plan adjust --accept takes it over.")


def _in_words(row: Mapping[str, Any], prefix: str, units: Units) -> str:
    session, distance_m = row[f"{prefix}session"], row[f"{prefix}distance_m"]
    return f"{session} {units.distance(distance_m)}" if distance_m else str(session)
