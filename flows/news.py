"""Of which athletes anything is new since all that follows from it was computed; a coach has hundreds, and a drop is of one."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import date

import duckdb

from flows.refresh import athletes_of
from report.versions import versions
from store.files import write_whole
from store.home import Home
from store.settings import Settings

TABLES = """
    select table_name, bool_or(column_name = 'athlete') as is_athletes, bool_or(column_name = 'activity_id') as is_of_activities
    from duckdb_columns() join duckdb_tables() using (database_name, schema_name, table_name)
    where database_name = current_database() and schema_name = 'main'
    group by table_name having is_athletes or is_of_activities order by table_name
"""
REFRESHED = "refreshed, alerts still to come: "
ALONE = "not looked at"
"""The state of somebody whose home it is alone: looking costs as much as it saves, since a drop is always theirs."""


def sums_by_athlete(con: duckdb.DuckDBPyConnection) -> Mapping[str, list[tuple[str, int]]]:
    """Return by athlete a sum over all rows of theirs in each table: another one when anything in it is."""
    question = " union all ".join(
        f"select '{table}', {'t' if is_athletes else 'a'}.athlete, sum(hash(t)) from {table} t "
        f"{'' if is_athletes else 'join activities a using (activity_id)'} group by all"
        for table, is_athletes, _ in con.execute(TABLES).fetchall()
    )
    sums: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for table, athlete, content in con.execute(f"{question} order by 1, 2").fetchall():
        sums[athlete].append((table, content))
    return sums


def hashed(*things: object) -> str:
    """Return what is another text when any of these is another thing; by what they look like, not where they lie."""
    return hashlib.sha256(repr(things).encode()).hexdigest()


def with_news(
    con: duckdb.DuckDBPyConnection, home: Home, settings: Settings, *, today: date
) -> dict[str, str]:
    """
    Return the athletes for whom trends and alerts have to be computed, each with the state that all of theirs is in.

    That is everybody on another day, with other settings and in another version, and otherwise whoever has a row that was
    not there, or was another one, when `note_raised` was last told of them.
    """
    noted = _noted(home)
    states = _states(con, settings, today)
    return {
        athlete: state for athlete, state in states.items() if state == ALONE or noted.get(athlete) != state
    }


def note_refreshed(
    con: duckdb.DuckDBPyConnection, home: Home, settings: Settings, athletes: Collection[str], *, today: date
) -> None:
    """Note that all that is derived of these athletes was computed from what is there now; their alerts come next."""
    states = _states(con, settings, today) if athletes else {}
    _note(home, {athlete: REFRESHED + states[athlete] for athlete in athletes})


def note_raised(
    con: duckdb.DuckDBPyConnection, home: Home, settings: Settings, before: Mapping[str, str], *, today: date
) -> None:
    """
    Note that the alerts of these athletes were raised; `before` is what `with_news` said of them just before.

    Of whom anything came in between trends and alerts, nothing is noted: both have to be computed again.
    """
    noted = _noted(home)
    states = _states(con, settings, today) if before else {}
    _note(
        home,
        {
            athlete: states[athlete]
            for athlete, state in before.items()
            if noted.get(athlete) == REFRESHED + state
        },
    )


def _states(con: duckdb.DuckDBPyConnection, settings: Settings, today: date) -> dict[str, str]:
    """Return by athlete a sum over all that trends and alerts rest on, and over what was made of it."""
    athletes = athletes_of(con, settings)
    if len(athletes) == 1:
        return {athletes[0]: ALONE}
    sums = sums_by_athlete(con)
    plans = con.execute("select sum(hash(p)) from imported_plans p").fetchall()
    for_all = hashed(settings, versions(), today, plans)
    return {athlete: hashed(for_all, sums[athlete]) for athlete in athletes}


def _noted(home: Home) -> dict[str, str]:
    """Return what was noted; whatever is wrong with the file costs computing once more."""
    with suppress(OSError, ValueError):
        told = json.loads((home.state / "derived.json").read_text())
        if isinstance(told, dict):
            return told
    return {}


def _note(home: Home, states: Mapping[str, str]) -> None:
    if states:
        write_whole(home.state / "derived.json", json.dumps({**_noted(home), **states}).encode())
