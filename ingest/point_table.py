"""The table of points: text as XML holds it, block by block to times and numbers, and to samples in the end."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.recording import RAW_SAMPLES, Columns

BLOCK_POINTS = 2**14
"""So many points wait as text before they become numbers."""


class PointTable:
    """Columns of text that become numbers and times block by block."""

    def __init__(self) -> None:
        self.count = 0
        self._waiting = 0
        self._texts: dict[str, list[str | None]] = {}
        self._blocks: list[Columns] = []

    def add(self, columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> None:
        for column, values in zip(columns, zip(*rows, strict=True), strict=False):
            texts = self._texts.setdefault(column, [])
            texts.extend([None] * (self._waiting - len(texts)))
            texts.extend(values)
        self.count += len(rows)
        self._waiting += len(rows)
        if self._waiting >= BLOCK_POINTS:
            self._close_block()

    def only_row(self) -> dict[str, str]:
        """Return the row if it is the only one."""
        return {column: texts[0] or "" for column, texts in self._texts.items()} if self.count == 1 else {}

    def columns(self) -> Columns:
        """Return every column that any point has, and `at` always."""
        self._close_block()
        if len(self._blocks) == 1:
            return self._blocks[0]
        names = {name for block in self._blocks for name in block}
        return {name: np.concatenate([_of_block(block, name) for block in self._blocks]) for name in names}

    def _close_block(self) -> None:
        texts: dict[str, list[str | None]] = {"at": [], **self._texts}
        for values in texts.values():
            values.extend([None] * (self._waiting - len(values)))
        self._blocks.append(
            {name: _instants(values) if name == "at" else _numbers(values) for name, values in texts.items()}
        )
        self._texts = {}
        self._waiting = 0


def _of_block(block: Columns, name: str) -> NDArray[Any]:
    return block[name] if name in block else np.full(len(block["at"]), np.nan)


def _numbers(texts: list[str | None]) -> NDArray[np.float64]:
    """Return the numbers; what is none, or not finite, is NaN."""
    numbers = pl.Series(texts, dtype=pl.String).cast(pl.Float64, strict=False).to_numpy(writable=True)
    numbers[np.isinf(numbers)] = np.nan
    return numbers


_TIME_SHAPE = np.frombuffer(b"0000-00-00T00:00:00.000000Z", dtype=np.uint8)
_WHOLE_SECONDS, _MICROSECONDS = len("0000-00-00T00:00:00Z"), len(_TIME_SHAPE)


def _instants(texts: Sequence[str | None]) -> NDArray[np.datetime64]:
    """Return the instants in UTC; what is no time is NaT. Those of one length at once if they look alike."""
    if None not in texts and len(lengths_there := set(map(len, cast("Sequence[str]", texts)))) == 1:
        alike = _instants_alike("".join(cast("Sequence[str]", texts)), lengths_there.pop())
        if alike is not None:
            return alike
    lengths = np.array([len(text or "") for text in texts])
    at = np.full(len(texts), np.datetime64("NaT"), dtype="datetime64[us]")
    for length in set(lengths.tolist()) - {0}:
        places = np.flatnonzero(lengths == length)
        same = [text for text in texts if text and len(text) == length]
        alike = _instants_alike("".join(same), length)
        at[places] = [_naive(text) for text in same] if alike is None else alike
    return at


def _instants_alike(joined: str, width: int) -> NDArray[np.datetime64] | None:
    """Return the instants of texts of one width if all are written like 2026-07-01T16:00:00.000Z."""
    if not joined.isascii() or not _WHOLE_SECONDS <= width <= _MICROSECONDS or width == _WHOLE_SECONDS + 1:
        return None
    shape = np.append(_TIME_SHAPE[: width - 1], _TIME_SHAPE[-1])
    letters = np.frombuffer(joined.encode(), dtype=np.uint8).reshape(-1, width)
    is_digit = shape == ord("0")
    if (letters[:, ~is_digit] != shape[~is_digit]).any() or (letters[:, is_digit] - ord("0") > 9).any():
        return None
    if not _are_days_and_times(letters):
        return None
    return letters[:, :-1].copy().view(f"S{width - 1}").ravel().astype("datetime64[us]")


def _are_days_and_times(letters: NDArray[np.uint8]) -> bool:
    """
    Tell whether times of this shape are such without a doubt: the year 0 and the end of February are in doubt.

    NumPy must not be asked: when one of more than five hundred texts is no day, it ends the whole process.
    """
    year = letters[:, 0] | letters[:, 1] | letters[:, 2] | letters[:, 3]
    month, day, hour, minute, second = (_two_digits(letters, place) for place in (5, 8, 11, 14, 17))
    in_order = (year > ord("0")) & (month <= 12) & (hour < 24) & (minute < 60) & (second < 60)
    in_order &= (day >= 1) & (day <= _SAFE_DAYS[np.minimum(month, 12)])
    return bool(in_order.all())


def _two_digits(letters: NDArray[np.uint8], place: int) -> NDArray[np.uint8]:
    number: NDArray[np.uint8] = (letters[:, place] - np.uint8(ord("0"))) * np.uint8(10)
    return number + (letters[:, place + 1] - np.uint8(ord("0")))


_SAFE_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.uint8)


def _naive(text: str | None) -> datetime | None:
    at = instant_of(text) if text else None
    return at.replace(tzinfo=None) if at else None


def instant_of(text: str | None) -> datetime | None:
    """Return the instant of a time in any form of ISO 8601; one without a zone is UTC. None if it is no time."""
    try:
        time = datetime.fromisoformat((text or "").strip())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# As samples ----------------------------------------------------------------------------------------------


def timed_samples(points: Columns, sessions: NDArray[np.int64]) -> Columns:
    """Return the points that have a time as RAW_SAMPLES, given the session of each."""
    is_timed = ~np.isnat(points["at"])
    count = int(np.count_nonzero(is_timed))
    rows: slice | NDArray[np.bool_] = slice(None) if count == len(is_timed) else is_timed
    unknown = np.full(count, np.nan)  # one for all columns that no point has
    return {"at": points["at"][rows], "session": sessions[rows]} | {
        name: points[name][rows] if name in points else unknown for name in list(RAW_SAMPLES)[2:]
    }


def breaks_between(parts: Sequence[slice], points: Columns) -> Iterator[tuple[datetime, datetime]]:
    """Yield the times from the last point of one part of the rows to the first of the next one that has any."""
    timed = [at[~np.isnat(at)] for at in (points["at"][rows] for rows in parts)]
    for before, behind in pairwise(at for at in timed if len(at)):
        if behind[0] > before[-1]:
            yield as_datetime(before[-1]), as_datetime(behind[0])


def as_datetime(at: np.datetime64) -> datetime:
    return cast("datetime", at.item()).replace(tzinfo=UTC)
