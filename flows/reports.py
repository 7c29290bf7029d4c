"""The report pages: drawn from the database, and written into the home when they would show something else than before."""

from __future__ import annotations

import time
from datetime import date
from functools import partial
from pathlib import Path

import duckdb

from flows.maps import shared_way
from flows.news import hashed, sums_by_athlete
from flows.refresh import athletes_of, names_of, rules_of
from report.format import Units, written_as_in
from report.versions import versions
from store.files import write_whole
from store.home import Home
from store.settings import Settings

MADE_OF = "\n<!-- made of {} -->\n"
"""The last line of a page in the home; drawing one takes seconds, and a coach has hundreds."""


def write_reports(
    con: duckdb.DuckDBPyConnection, home: Home, settings: Settings, *, today: date, for_s: float
) -> tuple[int, int]:
    """
    Write latest.html and the dated page of each athlete of whom they would show something new, one at least if there is any.

    After `for_s` seconds the others are left for another time. Returns of how many athletes pages were written, and of how
    many are left. Athletes other than the default one have their key in the names.
    """
    until = time.monotonic() + for_s
    stale = {
        athlete: mark
        for athlete, mark in made_of(con, settings, today).items()
        if any(_last_line(path) != mark for path in _pages_of(athlete, home, settings, today))
    }
    written = 0
    for athlete, mark in stale.items():
        page = report_html(con, settings, athlete=athlete, today=today) + mark
        for path in _pages_of(athlete, home, settings, today):
            write_whole(path, page.encode())
        written += 1
        if time.monotonic() > until:
            break
    return written, len(stale) - written


def _pages_of(athlete: str, home: Home, settings: Settings, today: date) -> list[Path]:
    suffix = "" if athlete == settings.default_athlete else f"-{athlete}"
    return [home.reports / f"{day}{suffix}.html" for day in ("latest", today.isoformat())]


def report_html(con: duckdb.DuckDBPyConnection, settings: Settings, *, athlete: str, today: date) -> str:
    """Return the report page of one athlete."""
    from report.page import render_page  # with Altair, which an intake has no use for

    with written_as_in(settings.locale):
        return render_page(
            con,
            athlete=athlete,
            athlete_name=names_of([athlete], settings)[athlete],
            today=today,
            rules=rules_of(settings),
            units=Units(settings.units),
            version=versions(),
        )


def physio_html(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    settings: Settings,
    *,
    athlete: str,
    side: str,
    weeks: int,
    today: date,
    episode: str | None = None,
    called: str | None = None,
    with_notes: bool = False,
    with_map: bool = False,
) -> str:
    """
    Return the report on one knee for a physio; `called` stands in it instead of the athlete's name.

    A map is one that may be handed on: without the athlete's privacy zone.
    """
    from report.physio import render_physio

    with written_as_in(settings.locale):
        return render_physio(
            con,
            athlete=athlete,
            athlete_name=called or names_of([athlete], settings)[athlete],
            side=side,
            weeks=weeks,
            today=today,
            units=Units(settings.units),
            version=versions(),
            episode=episode,
            with_notes=with_notes,
            ways=partial(shared_way, con, home, settings) if with_map else None,
        )


def made_of(con: duckdb.DuckDBPyConnection, settings: Settings, today: date) -> dict[str, str]:
    """Return by athlete the last line of the page, which becomes another when anything does that the page can show."""
    names = names_of(athletes_of(con, settings), settings)
    written_in = (settings.units, settings.locale, rules_of(settings), versions(), today)
    sums = sums_by_athlete(con)
    return {
        athlete: MADE_OF.format(hashed(name, written_in, sums[athlete])) for athlete, name in names.items()
    }


def _last_line(path: Path) -> str:
    length = len(MADE_OF.format("0" * 64))
    try:
        with path.open("rb") as file:
            file.seek(-length, 2)
            return file.read().decode(errors="replace")
    except OSError:
        return ""
