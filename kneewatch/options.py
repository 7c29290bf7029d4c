"""The options that many commands share, and what they become: home, settings, clock, athlete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from store.errors import WrongUseError
from store.home import Home, at

if TYPE_CHECKING:
    import duckdb

    from store.settings import Settings

HOME_HELP = "Folder that holds it all (else $KNEEWATCH_HOME, else ~/kneewatch)."

HomeOption = Annotated[Path | None, typer.Option("--home", metavar="DIR", help=HOME_HELP)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
TodayOption = Annotated[
    datetime | None,
    typer.Option(
        "--today", formats=["%Y-%m-%d"], metavar="DATE", help="Replay this day instead of the present one."
    ),
]
AthleteOption = Annotated[
    str | None, typer.Option("--athlete", metavar="KEY", help="Whose data (else the default athlete's).")
]


def home_of(given: Path | None) -> Home:
    """Return the home: the command's --home, else the program's, else $KNEEWATCH_HOME, else ~/kneewatch."""
    import click

    context = click.get_current_context(silent=True)
    of_program = context.find_root().params.get("home") if context else None
    return at(given or of_program or os.environ.get("KNEEWATCH_HOME") or "~/kneewatch")


def settings_of(home: Home) -> Settings:
    """Return the home's settings; what the command shows is written as they say from now on."""
    from report.format import use_locale
    from store.settings import read_settings

    settings = read_settings(home)
    use_locale(settings.locale)
    return settings


def day_of(today: datetime | None) -> date | None:
    """Return the day that --today names."""
    return today.date() if today else None


def athlete_of(settings: Settings, given: str | None) -> str:
    """
    Return whose data is asked for.

    Raises:
        WrongUseError: If nobody of that name is in the settings.
    """
    if given is not None and given not in settings.athletes:
        known = ", ".join(sorted(settings.athletes))
        raise WrongUseError(f"There is no athlete {given!r} in kneewatch.toml; there are {known}.")
    return given or settings.default_athlete


@contextmanager
def published(home: Home, settings: Settings, today: date | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """
    Open the published copy to read from; with `today`, a copy in memory in which that day is replayed.

    Raises:
        StoreError: If nothing has been published yet.
    """
    from store.database import opened_copy, opened_published

    if today is None:
        with opened_published(home) as con:
            yield con
    else:
        from flows.steps import clock_of, replay

        with opened_copy(home) as con:
            replay(con, home, settings, clock_of(settings, today))
            yield con
