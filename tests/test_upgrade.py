"""
A store of any earlier schema is brought up to date: no fact is lost, and what is derived is what a new store would have.

tests/data/upgrades holds what stores looked like (`make stored-schema`), as SQL. Those of earlier steps are made from the first
of them: the schema by its migrations, which the file proves to be the same to the byte, the rows as far as that schema had them.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import sys
import textwrap
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from flows import steps
from flows.steps import Clock
from store.database import migrations, opened_store, transaction
from store.home import Home
from store.settings import read_settings

DATA = Path(__file__).parent / "data" / "upgrades"
STORED = sorted(int(path.name.partition(".")[0]) for path in DATA.glob("*.sql.gz"))
FIRST = STORED[0]
FACTS = [
    "exports",
    "activities",
    "laps",
    "outlines",
    "activity_decisions",
    "pain_reports",
    "pain_history",
    "pain_questions",
    "strength_sessions",
    "plan_choices",
    "plan_changes",
    "imported_plans",
    "plan_adjustments",
    "alerts",
    "deliveries",
    "flow_log",
]
LAST_DAY = Clock(datetime(2026, 10, 3, 18, tzinfo=UTC), date(2026, 10, 3))
NOT_COMPARED = {"flow_log", "schema_migrations"}
WITH_SAMPLES = (1, 13, FIRST)
"""Earlier steps whose derived tables are compared as well: before there were outlines, in between, and the first that was stored."""

Rows = dict[str, list[dict[str, object]]]


def stored(number: int) -> str:
    """Return the SQL of a store as it was."""
    return gzip.decompress((DATA / f"{number:04}.sql.gz").read_bytes()).decode()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The stored stores, as databases."""
    folder = tmp_path_factory.mktemp("stored")
    found = {number: folder / f"{number}.duckdb" for number in STORED}
    for number, path in found.items():
        with duckdb.connect(str(path)) as con, transaction(con):
            con.execute("set timezone = 'UTC'")
            con.execute(stored(number))
    return found


def make_store(path: Path, schema: int, kept: dict[int, Path], *, only_facts: bool = False) -> None:
    """Make a store with the schema of so many migrations, and in it what the stored one of that time, or the first, says."""
    later = kept[max(number for number in STORED if number <= max(schema, FIRST))]
    if schema in STORED and not only_facts:
        shutil.copy(later, path)
        return
    with duckdb.connect(str(path)) as con:
        con.execute("set timezone = 'UTC'")
        con.execute(f"attach '{later}' as later (read_only)")
        with transaction(con):
            con.execute("create table schema_migrations (name varchar primary key, sha256 varchar not null)")
            for name, sql in list(migrations().items())[:schema]:
                con.execute(sql)
                con.execute("insert into schema_migrations values (?, ?)", [name, hash_of(sql)])
            there = tables_of(con, "later")
            for table in (one for one in tables_of(con) if one in there):
                if table != "schema_migrations" and (table in FACTS or not only_facts):
                    known = ", ".join(sorted(columns(con, table) & columns(con, f"later.{table}")))
                    con.execute(f"insert into {table} ({known}) select {known} from later.{table}")


def tables_of(con: duckdb.DuckDBPyConnection, database: str | None = None) -> list[str]:
    asked = "select table_name from duckdb_tables() where database_name = coalesce(?, current_database()) and not internal"
    return [str(row[0]) for row in con.execute(asked, [database]).fetchall()]


def columns(con: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    return {str(row[0]) for row in con.execute(f"describe {table}").fetchall()}


def hash_of(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()


def rows_of(con: duckdb.DuckDBPyConnection) -> Rows:
    """Return what is in each table, as text."""
    found: Rows = {}
    for table in tables_of(con):
        asked = con.execute(f"select columns(*)::varchar from {table} order by all")
        names = [column[0] for column in asked.description or ()]
        found[table] = [dict(zip(names, row, strict=True)) for row in asked.fetchall()]
    return found


def contents(path: Path) -> Rows:
    with duckdb.connect(str(path), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        return rows_of(con)


def lost(before: Rows, after: Rows) -> list[str]:
    """Return the tables in which a row is not what it was; what has come since does not matter."""
    return [
        table
        for table, rows in before.items()
        if rows
        and table != "schema_migrations"
        and sorted(str({name: row[name] for name in rows[0]}) for row in after[table])
        != sorted(map(str, rows))
    ]


@pytest.mark.parametrize("number", STORED)
def test_what_was_released_is_not_edited(number: int, kept: dict[int, Path]) -> None:
    """The migrations of a stored schema are the same to the byte."""
    applied = {str(row["name"]): row["sha256"] for row in contents(kept[number])["schema_migrations"]}

    assert applied == {name: hash_of(sql) for name, sql in list(migrations().items())[:number]}


def test_something_of_everything_is_stored() -> None:
    """An empty table would prove nothing; these have no row in the stored one, and are empty for that reason alone."""
    text = stored(FIRST)

    empty = {table for table in FACTS if f"insert into {table} " not in text}
    assert empty == {"pain_questions", "plan_changes", "imported_plans", "plan_adjustments", "deliveries"}


@pytest.mark.parametrize("schema", sorted({*range(1, len(migrations()) + 1, 4), *STORED}))
def test_no_row_is_lost_from_any_earlier_schema(schema: int, home: Home, kept: dict[int, Path]) -> None:
    """Neither facts nor what was derived; and the store as it was is kept beside it."""
    make_store(home.store, schema, kept)
    before = contents(home.store)

    with opened_store(home) as con:
        after = rows_of(con)

    assert [row["name"] for row in after["schema_migrations"]] == list(migrations())
    assert lost(before, after) == []
    aside = sorted(home.state.glob("store.*.old.duckdb"))
    if schema == len(migrations()):
        assert aside == []
    else:
        assert [path.name for path in aside] == [f"store.{list(migrations())[schema - 1][:-4]}.old.duckdb"]
        assert contents(aside[0]) == before
        assert aside[0].stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("schema", sorted({*WITH_SAMPLES, *STORED}))
def test_what_is_derived_is_what_a_new_store_would_have(
    schema: int, kept: dict[int, Path], sample_home: Home, tmp_path: Path
) -> None:
    """The next refresh sees to it, whatever the earlier program had computed."""
    upgraded, fresh = (Home(tmp_path / name).prepare() for name in ("upgraded", "fresh"))
    make_store(upgraded.store, schema, kept)
    if schema not in STORED:
        with duckdb.connect(str(upgraded.store)) as con:  # an earlier program had earlier formulas
            con.execute("update run_metrics set inputs_key = 'earlier'")
    make_store(fresh.store, schema, kept, only_facts=True)

    found = {home.root.name: refreshed(home, sample_home) for home in (upgraded, fresh)}

    compared = found["fresh"].keys() - NOT_COMPARED
    assert [table for table in sorted(compared) if found["upgraded"][table] != found["fresh"][table]] == []
    assert len(found["upgraded"]["run_metrics"]) > 8


def refreshed(home: Home, sample_home: Home) -> Rows:
    """Bring a home with these samples up to date on the last day of the sample data, and return what is in its store."""
    shutil.copy(sample_home.settings_file, home.settings_file)
    shutil.copytree(sample_home.samples, home.samples, dirs_exist_ok=True)
    settings = read_settings(home)
    with steps.in_one_go(home, "upgrade"):
        steps.refresh(home, settings, LAST_DAY)
        steps.raise_alerts(home, settings, LAST_DAY)
    return contents(home.store)


def test_an_upgrade_that_was_killed_goes_on(home: Home, kept: dict[int, Path]) -> None:
    """In the middle of a migration, without a word to the database; the store as it was before stays beside it."""
    make_store(home.store, 5, kept)
    before = contents(home.store)
    killed = """
        import os, sys
        import store.database as database
        from store.home import at
        whole = database.migrations()
        names = list(whole)[:9]
        half = whole[names[-1]].partition(";")[0]
        database.migrations = lambda: {name: whole[name] for name in names[:-1]}
        with database.opened_store(at(sys.argv[1])) as con:
            con.execute("begin transaction")
            con.execute(half)
            os._exit(9)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(killed), str(home.root)], check=False)

    with opened_store(home) as con:
        after = rows_of(con)

    assert done.returncode == 9
    assert [row["name"] for row in after["schema_migrations"]] == list(migrations())
    assert lost(before, after) == []
    [first, *_] = sorted(home.state.glob("store.*.old.duckdb"))
    assert contents(first) == before
