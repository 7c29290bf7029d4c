"""The command settings: every value in force, and where it comes from."""

from __future__ import annotations

from dataclasses import asdict

import typer

from kneewatch.options import HomeOption, JsonOption, home_of
from kneewatch.show import Column, show, text


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(settings)


def settings(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show every setting in force and where it comes from: a default, a line of kneewatch.toml or a variable."""
    from store.settings import origins, read_settings

    where = home_of(home)
    rows = [{"name": one.name, **asdict(one)} for one in origins(where, read_settings(where))]
    columns: list[Column] = [
        ("name", "Setting", text),
        ("value", "Value", lambda value: value or "not set"),
        ("origin", "From", text),
    ]
    show(rows, columns, as_json=as_json, empty="")
