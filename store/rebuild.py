"""A store that cannot be opened any more is made again from the published copy, which is a second one of everything."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb

from store.database import BLOCK_SIZE, StoreError, quoted
from store.files import sync_folder
from store.home import Home
from store.lock import holder

REBUILD = "rebuild"
"""What holds the writer's lock meanwhile."""


def damage_of(path: Path) -> str | None:
    """Read a database from beginning to end; return what is wrong with it, or None when nothing is."""
    if not path.exists():
        return "it is not there"
    con = duckdb.connect()
    try:
        con.execute(f"attach '{quoted(path)}' as looked_at (read_only)")
        con.execute("copy from database looked_at to memory")
    except duckdb.Error as error:
        return str(error).partition("\n")[0]
    finally:
        con.close()
    return None


def is_being_rebuilt(home: Home) -> bool:
    """Tell whether some process makes the store again and computes anew what follows from it."""
    return (holder(home) or "").startswith(f"{REBUILD} ")


def rebuild_store(home: Home, *, now: datetime) -> Path | None:
    """
    Make the store again from the published copy, and return where the old one was put; None when there was none.

    Hold the writer's lock. The old store and its write-ahead log go aside together and are never deleted.

    Raises:
        StoreError: If the published copy is damaged as well.
    """
    if damage := damage_of(home.published):
        raise StoreError(
            f"{home.published} is damaged, too ({damage}); lay out a backup: kneewatch restore FILE --home NEW."
        )
    fresh = home.state / "store.rebuilt.duckdb"
    fresh.unlink(missing_ok=True)
    con = duckdb.connect()
    try:
        con.execute(f"attach '{quoted(home.published)}' as published (read_only)")
        con.execute(f"attach '{quoted(fresh)}' as fresh (block_size {BLOCK_SIZE})")
        con.execute("copy from database published to fresh")
    except duckdb.Error as error:
        raise StoreError(f"{home.published} cannot be copied: {error}") from error
    finally:
        con.close()
    aside = _put_aside(home, f"store.{now:%Y%m%dT%H%M%S}.old.duckdb")
    fresh.replace(home.store)
    sync_folder(home.state)
    return aside


def _put_aside(home: Home, name: str) -> Path | None:
    """Move the store and its write-ahead log: the one is nothing without the other, and must meet no other store."""
    log = home.store.with_name(f"{home.store.name}.wal")
    aside = home.state / name
    if log.exists():
        log.replace(aside.with_name(f"{aside.name}.wal"))
    if not home.store.exists():
        return None
    home.store.replace(aside)
    return aside
