"""The published copy, kept open to read from: connecting costs more than a page, so it is done once a copy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, TypeVar

import duckdb

from report.questions import Row, answer
from store.database import NotPublishedError, connect_to_published
from store.home import Home

READERS = 4
KEPT = 512
MISSING: Any = object()
T = TypeVar("T")
Stamp = tuple[int, int, int]


class Published:
    """
    The published copy of a home; any number of threads may read from it, a few at a time.

    A publication puts a new file in the old one's place. Whoever is reading goes on with the old copy, which is closed
    after its last reader; the next reader gets the new one.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._copy: _Copy | None = None

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """
        Yield what questions can be put to.

        Raises:
            StoreError: If nothing has been published yet.
        """
        copy = self._enter()
        try:
            con = copy.connections.get()
            try:
                yield Reading(con, copy)
            finally:
                copy.connections.put(con)
        finally:
            self._leave(copy)

    def close(self) -> None:
        """Close the copy, once nobody reads from it."""
        with self._lock:
            copy, self._copy = self._copy, None
            if copy is not None and copy.readers == 0:
                copy.close()

    def _enter(self) -> _Copy:
        with self._lock:
            stamp = _stamp(self._home)
            if self._copy is None or self._copy.stamp != stamp:
                fresh = _Copy(stamp, connect_to_published(self._home))
                if self._copy is not None and self._copy.readers == 0:
                    self._copy.close()
                self._copy = fresh
            self._copy.readers += 1
            return self._copy

    def _leave(self, copy: _Copy) -> None:
        with self._lock:
            copy.readers -= 1
            if copy.readers == 0 and copy is not self._copy:
                copy.close()


class Reading:
    """One reader's connection to one published copy."""

    def __init__(self, con: duckdb.DuckDBPyConnection, copy: _Copy) -> None:
        self.con = con
        self._copy = copy

    def ask(self, question: str, **known: Any) -> Sequence[Row]:
        """
        Return the answer to a named question (report/queries) about `athlete` on `today`; it is kept, and only to be read.

        Most of what a page costs is DuckDB's reading of its questions, and a copy's answers stay as they are.
        """
        return self.kept((question, *sorted(known.items())), lambda: answer(self.con, question, **known))

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """
        Return what `make` returns, kept as long as this copy is the published one: for what costs much.

        Two readers at once may both make it, and what was made first goes once `KEPT` newer ones are there.
        """
        kept = self._copy.kept
        with self._copy.lock:
            found: T = kept.get(key, MISSING)
        if found is not MISSING:
            return found
        found = make()
        with self._copy.lock:
            if len(kept) >= KEPT:
                del kept[next(iter(kept))]
            kept[key] = found
        return found


@dataclass
class _Copy:
    stamp: Stamp
    con: duckdb.DuckDBPyConnection
    readers: int = 0
    connections: SimpleQueue[duckdb.DuckDBPyConnection] = field(default_factory=SimpleQueue)
    lock: threading.Lock = field(default_factory=threading.Lock)
    kept: dict[Hashable, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for _ in range(READERS):
            con = self.con.cursor()
            con.execute("use published")  # a cursor begins where a fresh connection does
            self.connections.put(con)

    def close(self) -> None:
        while not self.connections.empty():
            self.connections.get().close()
        self.con.close()


def _stamp(home: Home) -> Stamp:
    try:
        found = home.published.stat()
    except FileNotFoundError:
        raise NotPublishedError(f"There is no {home.published} yet: run `kneewatch run` first.") from None
    return found.st_ino, found.st_mtime_ns, found.st_size
