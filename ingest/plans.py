"""Training plans: the CSV files that come with Kneewatch, and those that were imported."""

from __future__ import annotations

import io
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING

import polars as pl

from store.database import frame, insert
from store.errors import WrongUseError

if TYPE_CHECKING:
    import duckdb

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
RUN_SESSIONS = ("easy", "steady", "tempo", "intervals", "long", "shakeout", "race")
SESSIONS = (*RUN_SESSIONS, "strength", "mobility", "rest")
ZONES = ("none", "Z1", "Z2", "Z3", "Z4", "Z5")

PLAN_COLUMNS: dict[str, pl.DataType] = {
    "week": pl.Int64(),
    "day": pl.String(),
    "session": pl.String(),
    "distance_km": pl.Float64(),
    "duration_min": pl.Float64(),
    "rpe": pl.Float64(),
    "zone": pl.String(),
    "notes": pl.String(),
}


class PlanError(WrongUseError):
    """A plan cannot be used; the text is a sentence that names it and what there is."""


def plan_names() -> list[str]:
    """Return the names of the built-in plans."""
    return sorted(
        entry.name.removesuffix(".csv") for entry in files("plans").iterdir() if entry.name.endswith(".csv")
    )


def read_plan(name: str) -> pl.DataFrame:
    """Return the built-in plan of that name: columns of PLAN_COLUMNS, one row a session."""
    text = (files("plans") / f"{name}.csv").read_bytes()
    return pl.read_csv(io.BytesIO(text), schema=PLAN_COLUMNS)


def imported_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of the imported plans."""
    return [
        str(row[0]) for row in con.execute("select distinct plan from imported_plans order by 1").fetchall()
    ]


def read_imported(con: duckdb.DuckDBPyConnection, name: str) -> pl.DataFrame:
    """Return the imported plan of that name: columns of PLAN_COLUMNS, one row a session."""
    rows = frame(con, "select * from imported_plans where plan = $name order by rowid", name=name)
    return rows.with_columns(
        # 6100 / 1000 is not quite 6.1
        distance_km=(pl.col("distance_m") / 1000).round(6),
        duration_min=(pl.col("duration_s") / 60).round(6),
    ).select(pl.col(column).cast(kind) for column, kind in PLAN_COLUMNS.items())


def save_plan(con: duckdb.DuckDBPyConnection, name: str, plan: pl.DataFrame, *, now: datetime) -> None:
    """Keep an imported plan (columns of PLAN_COLUMNS) in place of what has its name."""
    con.execute("delete from imported_plans where plan = ?", [name])
    rows = plan.select(
        "week",
        "day",
        "session",
        "rpe",
        "zone",
        "notes",
        plan=pl.lit(name),
        distance_m=(pl.col("distance_km") * 1000).round(3),
        duration_s=pl.col("duration_min") * 60,
        imported_at=pl.lit(now),
    )
    insert(con, "imported_plans", rows)
