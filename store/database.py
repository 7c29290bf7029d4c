"""The DuckDB file: open it, bring its tables up to date, read frames from it and write frames to it."""

# With DuckDB's types held by evaluated annotations, Python ends in a page of "nanobind: leaked" on stderr.
from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from store.errors import KneewatchError
from store.files import sync_folder
from store.home import Home
from store.samples import SAMPLES_SCHEMA, write_empty_samples

COMMENTS_OF_SAMPLES = {
    "activity_id": "The activity.",
    "athlete": "Key of the athlete in kneewatch.toml.",
    "at": "When (UTC).",
    "elapsed_s": "Seconds since the start, pauses included.",
    "timer_s": "Seconds since the start with the timer running; stands still in a pause.",
    "lat_deg": "Latitude, degrees.",
    "lon_deg": "Longitude, degrees.",
    "distance_m": "Metres since the start.",
    "speed_m_per_s": "Speed as the device says, metres per second.",
    "altitude_m": "Altitude, metres.",
    "hr_bpm": "Heart rate, beats per minute.",
    "cadence_spm": "Steps per minute of both feet (runs); revolutions per minute otherwise.",
    "power_w": "Power, watts.",
    "temperature_c": "Temperature at the device, degrees Celsius.",
    "stance_time_ms": "Ground contact time, milliseconds.",
    "stance_balance_pct": "Share of ground contact on the left, percent.",
    "vertical_oscillation_mm": "Vertical oscillation, millimetres.",
    "step_length_mm": "Step length, millimetres.",
    "year": "Year of the start (UTC); the folder the samples lie in.",
}


ROWS_PER_STATEMENT = 50
BLOCK_SIZE = 16384
"""Bytes; with DuckDB's own 256 KiB two dozen small tables take 6 MB instead of half of one."""

DISK_ERRORS = {
    **{os.strerror(code): code for code in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)},
    "fsync failed": errno.EIO,
}
"""What DuckDB's messages hold when the disk is the trouble, and the system's number for it."""

Row = Mapping[str, object]


class StoreError(KneewatchError):
    """Something about the store that a person has to know or mend; the text is a sentence for them."""


class NotPublishedError(StoreError):
    """Nothing has been published in this home yet."""


class ArrowStream:
    """
    Hand a frame or a relation over by Arrow's C stream and by nothing else.

    DuckDB takes a Polars frame only with pyarrow installed (170 MB) unless it looks like this; and Polars
    given a bare relation leaves DuckDB objects alive that complain on stderr when Python ends.
    """

    def __init__(self, source: Any) -> None:
        self._source = source

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._source.__arrow_c_stream__(requested_schema)


@contextmanager
def opened_store(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """
    Open the writer's database, made and migrated as needed; one process at a time (see `store.lock`).

    Raises:
        StoreError: If it is damaged, or was written by a newer Kneewatch.
        OSError: If the disk is full, read-only or failing, whatever was being done in the store.
    """
    home.prepare()
    with _disk_named(home.store):
        _create_aside(home.store)
        con = _connect(home.store)
        try:
            con.execute("set timezone = 'UTC'")
            _keep_before_upgrade(con, home)
            migrate(con)
            define_samples_view(con, home)
            yield con
        finally:
            con.close()


@contextmanager
def opened_published(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """
    Open the published copy for questions: read-only, no file but the samples, no network, no extension.

    Raises:
        StoreError: If nothing has been published yet.
    """
    con = connect_to_published(home)
    try:
        yield con
    finally:
        con.close()


def connect_to_published(home: Home) -> duckdb.DuckDBPyConnection:
    """
    Connect as `opened_published` does, for who closes the connection himself.

    It stays with the copy that is there now, also when another takes its place.

    Raises:
        StoreError: If nothing has been published yet.
    """
    if not home.published.exists():
        raise NotPublishedError(f"There is no {home.published} yet: run `kneewatch run` first.")
    # Attached and not opened: DuckDB gives all connections of a process to one path the same instance, with the locked
    # configuration of the first and the file that was there then.
    con = duckdb.connect()
    try:
        con.execute(
            "set global timezone = 'UTC'"
        )  # for cursors as well; a session's own they would not take over
        con.execute(f"attach '{quoted(home.published)}' as published (read_only)")
        con.execute("use published")
        con.execute("set autoinstall_known_extensions = false")
        con.execute("set autoload_known_extensions = false")
        folders = ", ".join(f"'{quoted(folder)}'" for folder in (home.samples, _as_pattern(home.samples)))
        con.execute(f"set allowed_directories = [{folders}]")
        con.execute("set enable_external_access = false")
        con.execute("set lock_configuration = true")
    except BaseException:
        con.close()
        raise
    return con


@contextmanager
def opened_copy(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """
    Open a copy of the published database in memory, to try things out that change nothing.

    Raises:
        StoreError: If nothing has been published yet.
    """
    if not home.published.exists():
        raise NotPublishedError(f"There is no {home.published} yet: run `kneewatch run` first.")
    con = duckdb.connect()
    try:
        con.execute("set timezone = 'UTC'")
        con.execute(f"attach '{quoted(home.published)}' as published (read_only)")
        con.execute("copy from database published to memory")
        con.execute("detach published")
        migrate(con)  # an earlier Kneewatch may have published it
        yield con
    finally:
        con.close()


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """
    Commit what the block does, or nothing of it.

    The one place that begins and ends transactions: DuckDB accepts a COMMIT after a caught error and rolls
    back without a word, so an error must never be caught inside the block.
    """
    con.execute("begin transaction")
    try:
        yield
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")


def migrate(con: duckdb.DuckDBPyConnection) -> None:
    """
    Apply the migrations that this database has not seen, each with its record in one transaction.

    Raises:
        StoreError: If the database was written by a newer Kneewatch.
    """
    con.execute(
        "create table if not exists schema_migrations (name varchar primary key, sha256 varchar not null)"
    )
    applied, known = _applied(con), migrations()
    if unknown := sorted(applied - known.keys()):
        raise StoreError(
            f"This database was written by a newer Kneewatch (it knows {unknown[-1]}, this one does not). "
            "Upgrade Kneewatch; nothing was changed."
        )
    for name, sql in known.items():
        if name in applied:
            continue
        with transaction(con):
            con.execute(sql)
            digest = hashlib.sha256(sql.encode()).hexdigest()
            con.execute("insert into schema_migrations values (?, ?)", [name, digest])


def _applied(con: duckdb.DuckDBPyConnection) -> set[str]:
    return {str(row[0]) for row in con.execute("select name from schema_migrations").fetchall()}


def _keep_before_upgrade(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Copy a store that an earlier Kneewatch wrote before it is changed, so that one can go back to it with that one."""
    if not scalar(con, "select count(*) from duckdb_tables() where table_name = 'schema_migrations'"):
        return
    applied, known = _applied(con), migrations().keys()
    if not applied or not applied < known:
        return
    temporary = home.state / ".before-upgrade.tmp"
    temporary.unlink(missing_ok=True)
    copy_store(con, temporary)
    temporary.replace(home.state / f"store.{max(applied).removesuffix('.sql')}.old.duckdb")
    sync_folder(home.state)


def copy_store(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Copy everything in the open store into a new database file, which is its owner's alone and on the disk afterwards."""
    # No log: who is killed leaves a file that nobody takes for a copy, and writing all twice takes a third longer.
    con.execute(f"attach '{quoted(path)}' as copied (block_size {BLOCK_SIZE}, recovery_mode no_wal_writes)")
    try:
        con.execute("copy from database store to copied")
    finally:
        con.execute("detach copied")
    path.chmod(0o600)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def migrations() -> dict[str, str]:
    """Return the migrations by name, in the order in which they are applied."""
    folder = files("store") / "migrations"
    texts = {entry.name: entry.read_text() for entry in folder.iterdir() if entry.name.endswith(".sql")}
    return dict(sorted(texts.items()))


def define_samples_view(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Point the view `samples` at the Parquet files of this home; it works while there is none, too."""
    write_empty_samples(home)
    columns = ", ".join(f'"{name}"' for name in SAMPLES_SCHEMA)  # "at" is a word of DuckDB's own
    con.execute(
        f"create or replace view samples as select {columns}, athlete, year from read_parquet("
        f"'{quoted(_as_pattern(home.samples))}/*/*/*.parquet', hive_partitioning = true, "
        "hive_types = {'athlete': varchar, 'year': integer})"
    )
    con.execute("comment on view samples is 'One row per sample, read from the Parquet files in samples/.'")
    for column, comment in COMMENTS_OF_SAMPLES.items():
        con.execute(f"comment on column samples.{column} is '{quoted(comment)}'")


def frame(con: duckdb.DuckDBPyConnection, query: str, **params: object) -> pl.DataFrame:
    """Return what the query selects as a frame; timestamps in UTC."""
    relation = con.sql(query, params=params) if params else con.sql(query)
    result = pl.DataFrame(ArrowStream(relation))
    instants = [name for name, kind in result.schema.items() if isinstance(kind, pl.Datetime)]
    return result.with_columns(pl.col(instants).dt.convert_time_zone("UTC"))


def scalar(con: duckdb.DuckDBPyConnection, query: str, **params: object) -> Any:
    """Return the first column of the first row, or None."""
    # Read to the end: DuckDB takes no next question while a result is unfinished.
    rows = con.execute(query, params).fetchall() if params else con.execute(query).fetchall()
    return rows[0][0] if rows else None


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: pl.DataFrame) -> None:
    """Append the rows to the table, matched by column name."""
    if rows.is_empty():
        return
    con.register("incoming", ArrowStream(rows))
    try:
        con.execute(f"insert into {_identifier(table)} by name select * from incoming")
    finally:
        con.unregister("incoming")


def insert_rows(
    con: duckdb.DuckDBPyConnection,
    table: str,
    rows: Sequence[Row],
    *,
    or_ignore: bool = False,
) -> None:
    """Append a few plain rows, all with the same keys; `or_ignore` leaves out those that are there."""
    if not rows:
        return
    names = list(rows[0])
    verb = "insert or ignore" if or_ignore else "insert"
    for some in _batched(rows, ROWS_PER_STATEMENT):  # a statement costs far more than a row of it
        places = ", ".join(["(" + ", ".join("?" * len(names)) + ")"] * len(some))
        statement = f"{verb} into {_identifier(table)} ({', '.join(names)}) values {places}"
        con.execute(statement, [row[name] for row in some for name in names])


def replace(
    con: duckdb.DuckDBPyConnection,
    table: str,
    rows: pl.DataFrame,
    *,
    athlete: str,
    since: tuple[str, date] | None = None,
) -> None:
    """
    Put the rows in the place of everything this athlete has in the (derived) table.

    With `since`, a column and a day, what lies before that day stays.
    """
    later = f" and {_identifier(since[0])} >= ?" if since else ""
    days = [since[1]] if since else []
    con.execute(f"delete from {_identifier(table)} where athlete = ?{later}", [athlete, *days])
    insert(con, table, rows.with_columns(pl.lit(athlete).alias("athlete")))


def update(con: duckdb.DuckDBPyConnection, table: str, rows: pl.DataFrame, *, key: str) -> None:
    """Set the other columns of the rows in those rows of the table that have the same key."""
    if rows.is_empty():
        return
    columns = ", ".join(
        f"{_identifier(name)} = incoming.{_identifier(name)}" for name in rows.columns if name != key
    )
    same = f"{_identifier(table)}.{_identifier(key)} = incoming.{_identifier(key)}"
    con.register("incoming", ArrowStream(rows))
    try:
        con.execute(f"update {_identifier(table)} set {columns} from incoming where {same}")
    finally:
        con.unregister("incoming")


def _batched(rows: Sequence[Row], count: int) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), count):
        yield rows[start : start + count]


def _create_aside(path: Path) -> None:
    """Make a new database under another name first: one cut off while being created cannot be opened."""
    if path.exists():
        return
    aside = path.with_suffix(".new")
    aside.unlink(missing_ok=True)
    duckdb.connect(str(aside), config={"default_block_size": str(BLOCK_SIZE)}).close()
    aside.replace(path)
    sync_folder(path.parent)


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path))
    except duckdb.Error as error:
        if _disk_error_in(error):
            raise
        raise StoreError(
            f"{path} cannot be opened ({str(error).partition(chr(10))[0]}). If no other program has it open it is "
            "damaged: `kneewatch rebuild` makes it again from the published copy."
        ) from error


@contextmanager
def _disk_named(path: Path) -> Iterator[None]:
    """Raise what the disk does to DuckDB as the system's own error, which names the path."""
    try:
        yield
    except duckdb.Error as error:
        if code := _disk_error_in(error):
            raise OSError(code, os.strerror(code), str(path)) from error
        raise


def _disk_error_in(error: duckdb.Error) -> int | None:
    return next((code for words, code in DISK_ERRORS.items() if words in str(error)), None)


def _identifier(name: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        raise ValueError(f"not a table name: {name!r}")
    return name


def _as_pattern(path: Path) -> str:
    """Return the glob pattern that is met by this path alone."""
    return re.sub(r"([\[*?])", r"[\1]", str(path))


def quoted(value: object) -> str:
    """Escape for a SQL string literal, where DuckDB takes no parameter."""
    return str(value).replace("'", "''")
