"""The read copy: kneewatch.duckdb, which anybody may open at any time, put in place in one stroke."""

from __future__ import annotations

import os

import duckdb

from store.database import copy_store
from store.files import sync_folder
from store.home import Home


def publish_copy(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Copy the store to `kneewatch.duckdb` by way of a temporary file; who holds the old copy open keeps it."""
    temporary = home.state / f".published-{os.getpid()}.tmp"
    temporary.unlink(missing_ok=True)
    try:
        copy_store(con, temporary)
        temporary.replace(home.published)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(home.root)
