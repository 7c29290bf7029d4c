"""
Write down what a store looks like today, for the tests of upgrades: `make stored-schema`, before each release.

A home is made from the last weeks of the sample data by the program as it is, with something of everything that people
say and decide, and its store is written as SQL to data/upgrades/NNNN.sql.gz, NNNN being the newest migration. What has been
released is never written again.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from flows import plans, steps
from flows.steps import Clock
from ingest import pain_log, settle
from store import home as homes
from store.database import frame, migrations, opened_store, quoted, scalar, transaction
from store.home import Home
from store.settings import read_settings

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "sample_data"
FOLDER = HERE / "data" / "upgrades"
CLOCK = Clock(datetime(2026, 10, 3, 18, tzinfo=UTC), date(2026, 10, 3))
MARA = "mara"
WORDS = 'it\'s "sharp";\n[only] on {stairs}, naïve, \\ 4/10'
OURS = "database_name = 'store' and not internal"


def main() -> None:
    """Write the newest schema down."""
    with tempfile.TemporaryDirectory() as folder:
        home = lived_in(homes.at(folder).prepare())
        with opened_store(home) as con:
            name = max(migrations()).partition("_")[0]
            text = "\n".join(as_sql(con))
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.sql.gz"
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{path}: {path.stat().st_size / 1024:.0f} KiB")


def lived_in(home: Home) -> Home:
    """Return the home after the last weeks of the sample data, and a few words of its owner."""
    shutil.copy(SAMPLES / "kneewatch.toml", home.settings_file)
    for name in ("pain.csv", "strength.csv"):
        shutil.copy(SAMPLES / "inbox" / name, home.inbox)
    for path in [*(SAMPLES / "inbox").glob("2026-08-[23]*"), *(SAMPLES / "inbox").glob("2026-09-*")]:
        shutil.copy(path, home.inbox)
    shutil.copy(SAMPLES / "broken" / "garbage.fit", home.inbox)
    settings = read_settings(home)
    steps.take_in(home, settings, CLOCK)
    steps.refresh(home, settings, CLOCK)
    steps.raise_alerts(home, settings, CLOCK)
    with opened_store(home) as con, transaction(con):
        report = scalar(
            con, "select report_id from pain_reports where local_date >= '2026-08-23' order by all"
        )
        runs = frame(con, "select activity_id, local_date from runs order by started_at").to_dicts()
        pain_log.edit_pain_report(con, report, {"note": WORDS}, now=CLOCK.now)
        con.execute("update alerts set status = 'acknowledged' where status = 'open'")
        for kind, run, distance_m in (("correct", runs[0], 6543.21), ("exclude", runs[1], None)):
            settle.decide(
                con,
                athlete=MARA,
                kind=kind,
                activity_id=run["activity_id"],
                other_id=None,
                distance_m=distance_m,
                now=CLOCK.now,
            )
            settle.settle(con, MARA, days=[run["local_date"]])
        chosen = plans.PlanChoice(plan="half_marathon_beginner", race_date=date(2026, 10, 4))
        plans.use(con, athlete=MARA, choice=chosen, today=CLOCK.today, now=CLOCK.now)
    steps.refresh(home, settings, CLOCK)
    steps.raise_alerts(home, settings, CLOCK)
    return home


def as_sql(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield the statements that make this store again, without the view of its samples; the other views ask `runs`."""
    tables = con.execute(
        f"select table_name, sql from duckdb_tables() where {OURS} order by table_name"
    ).fetchall()
    for table, statement in tables:
        yield statement
        names = [row[0] for row in con.execute(f"describe {table}").fetchall()]
        rows = con.execute(f"select columns(*)::varchar from {table} order by all").fetchall()
        if rows:
            yield f"insert into {table} ({', '.join(names)}) values"
            yield ",\n".join(f"({', '.join(_literal(value) for value in row)})" for row in rows) + ";"
    views = con.execute(
        f"select sql from duckdb_views() where {OURS} and view_name <> 'samples' order by view_name <> 'runs', view_name"
    ).fetchall()
    yield from (statement for (statement,) in views)


def _literal(value: str | None) -> str:
    return "null" if value is None else f"'{quoted(value)}'"


if __name__ == "__main__":
    main()
