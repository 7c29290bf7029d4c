"""Adjustments of the plan: accepted, undone, and read back in the order in which they hold."""

from __future__ import annotations

import io
import json
import uuid
from datetime import date, datetime

import duckdb
import polars as pl

from analytics.adjust import CHANGES, merged
from store.database import frame, insert_rows, transaction


def accepted_changes(
    con: duckdb.DuckDBPyConnection, *, athlete: str, plan: str, race_date: date, today: date
) -> pl.DataFrame:
    """Return the changes that hold for the dated plan, of adjustments up to today; columns of CHANGES."""
    rows = con.execute(
        "select adjusted_on, changes from plan_adjustments where athlete = ? and plan = ? and race_date = ? and adjusted_on <= ? "
        "and undone_at is null order by accepted_at, adjustment_id",
        [athlete, plan, race_date, today],
    ).fetchall()
    return merged(
        (day, pl.read_json(io.BytesIO(str(changes).encode()), schema=CHANGES)) for day, changes in rows
    )


def accept_proposal(
    con: duckdb.DuckDBPyConnection, *, athlete: str, plan: str, race_date: date, today: date, now: datetime
) -> int:
    """Keep what is proposed as an adjustment of the plan, and return how many sessions it changes."""
    changes = frame(
        con,
        "select * exclude (athlete) from plan_proposal where athlete = $athlete order by local_date, session, distance_m",
        athlete=athlete,
    )
    if changes.is_empty():
        return 0
    row = {
        "adjustment_id": uuid.uuid4().hex,
        "athlete": athlete,
        "plan": plan,
        "race_date": race_date,
        "adjusted_on": today,
        "accepted_at": now,
        "changes": json.dumps(changes.to_dicts(), default=date.isoformat),
    }
    with transaction(con):
        insert_rows(con, "plan_adjustments", [row])
    return len(changes)


def undo_last(
    con: duckdb.DuckDBPyConnection, *, athlete: str, plan: str, race_date: date, now: datetime
) -> date | None:
    """Undo the last adjustment that holds for the dated plan, and return the day it is of; None without one."""
    with transaction(con):
        rows = con.execute(
            "update plan_adjustments set undone_at = ? where adjustment_id = ("
            "select adjustment_id from plan_adjustments where athlete = ? and plan = ? and race_date = ? "
            "and undone_at is null order by accepted_at desc, adjustment_id desc limit 1) returning adjusted_on",
            [now, athlete, plan, race_date],
        ).fetchall()
    return rows[0][0] if rows else None
