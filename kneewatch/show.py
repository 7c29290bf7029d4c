"""Rows to a person or a program: tables drawn with Rich, or JSON."""

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

Row = Mapping[str, Any]
Column = tuple[str, str, Callable[[Any], str]]
"""(key in the row, title, how to write the value)"""

WIDE = 160
"""Columns of a table that goes to a file or a pipe, where nobody's window sets a width."""
PAGE = 100
"""Columns of running text that goes to a file or a pipe."""
_COMMANDING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line feed, and those that turn the direction of reading."""
SEVERITY_STYLES = {"stop": "bold red", "warning": "dark_orange", "caution": "yellow", "info": "blue"}


def show(rows: Iterable[Row], columns: Sequence[Column], *, as_json: bool, empty: str) -> None:
    """Write the rows to stdout: all their values as JSON, or the columns as a table; `empty` when there are none."""
    rows = list(rows)
    if as_json:
        print_json(rows)
    elif not rows:
        print(empty)
    else:
        _draw(rows, columns)


def show_notices(notices: Iterable[tuple[str, str, str, str]], *, empty: str) -> None:
    """Write (severity, title, message, action) one below the other, in colour where there is a terminal."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else PAGE)
    notices = list(notices)
    if not notices:
        print(empty)
    for severity, title, message, action in notices:
        console.print(Text(title, style=SEVERITY_STYLES[severity]))
        console.print(Padding(Text(message), (0, 0, 0, 2)))
        console.print(Padding(Text(action, style="bold"), (0, 0, 1, 2)))


def print_json(value: object) -> None:
    """Write a value as JSON; dates and instants in ISO format, and null for what is no number."""
    print(
        json.dumps(_with_numbers_only(value), indent=2, ensure_ascii=False, default=_plain, allow_nan=False)
    )


def text(value: object) -> str:
    """Write a value as it is; nothing for None."""
    return "" if value is None else str(value)


def harmless(text: str) -> str:
    """Return text that commands no terminal: names of files, and words of platforms, are written by anybody."""
    return _COMMANDING.sub("�", text)


def plain_columns(names: Sequence[str]) -> list[Column]:
    """Return columns that show every value as it is, under its own name."""
    return [(name, name, text) for name in names]


def _draw(rows: Sequence[Row], columns: Sequence[Column]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for key, title, _ in columns:
        table.add_column(title, justify="right" if _is_number(rows, key) else "left")
    for row in rows:
        table.add_row(*(Text(harmless(write(row.get(key)))) for key, _, write in columns))
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)


def _is_number(rows: Sequence[Row], key: str) -> bool:
    return any(isinstance(row.get(key), int | float) and not isinstance(row.get(key), bool) for row in rows)


def _with_numbers_only(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _with_numbers_only(one) for key, one in value.items()}
    return [_with_numbers_only(one) for one in value] if isinstance(value, list) else value


def _plain(value: object) -> object:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)
