"""Questions to the published database that several commands ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kneewatch.show import text
from store.errors import KneewatchError

if TYPE_CHECKING:
    from datetime import date, datetime

    import duckdb

    from report.format import Units
    from store.settings import Settings

Rows = list[dict[str, Any]]

SHOWN_ID = 12
"""Characters of an id that a table shows; any unambiguous beginning of it can be given back."""


def rows_of(con: duckdb.DuckDBPyConnection, question: str, **params: object) -> Rows:
    """Return the answer as rows."""
    cursor = con.execute(question, params)
    columns = [column[0] for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def whole_id(
    con: duckdb.DuckDBPyConnection, table: str, column: str, beginning: str, *, listed_by: str | None = None
) -> str:
    """
    Return the id that begins so; `listed_by` is the command that shows them, when it is not that of the table.

    Raises:
        KneewatchError: If there is none, or several.
    """
    found = rows_of(
        con,
        f"select {column} as id from {table} where starts_with({column}, $beginning) limit 2",
        beginning=beginning,
    )
    if len(found) != 1:
        what = "begin" if found else "none begins"
        raise KneewatchError(
            f"Of the {table.replace('_', ' ')}, {'several ' if found else ''}{what} with {beginning!r}; "
            f"kneewatch {listed_by or f'{table} list'} shows them."
        )
    return str(found[0]["id"])


def units_of(settings: Settings) -> Units:
    """Return the units that the settings ask for."""
    from report.format import Units

    return Units(settings.units)


def day_shown(value: date) -> str:
    """Return a day as people write it."""
    from report.format import day

    return day(value)


def short_id(value: str | None) -> str:
    """Return what a table shows of an id."""
    return text(value)[:SHOWN_ID]


def day_viewed(con: duckdb.DuckDBPyConnection, settings: Settings, today: datetime | None) -> date:
    """Return the day a view is for: --today, else the later of the present day and none before the last replay."""
    if today is not None:
        return today.date()
    from flows.steps import published_day

    return published_day(con, settings)
