"""The questions that come with Kneewatch, as .sql files anybody can ask the published database."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from typing import Any

import duckdb

Row = dict[str, Any]


def answer(con: duckdb.DuckDBPyConnection, name: str, *, athlete: str, today: date) -> list[Row]:
    """Ask a named question about an athlete on a day, and return its rows."""
    sql = read_query(name)
    known = {"athlete": athlete, "today": today}
    # DuckDB refuses parameters that the statement does not name.
    cursor = con.execute(sql, {key: value for key, value in known.items() if f"${key}" in sql})
    columns = [column[0] for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def read_query(name: str) -> str:
    """Return the SQL of a named question; its first line is a comment that says what it answers."""
    return files("report").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")


def query_names() -> list[str]:
    """Return the names of the questions that come with Kneewatch."""
    folder = files("report").joinpath("queries")
    return sorted(file.name.removesuffix(".sql") for file in folder.iterdir() if file.name.endswith(".sql"))
