"""Commands of the service that runs `kneewatch serve`: show, install, remove."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kneewatch.options import HomeOption, home_of, settings_of

if TYPE_CHECKING:
    from kneewatch.service import Service

service = typer.Typer(
    help="Let systemd or launchd run `kneewatch serve` for you, without root.", no_args_is_help=True
)


ManagerOption = Annotated[
    Literal["systemd", "launchd"] | None,
    typer.Option("--for", help="Which service manager (else the one of this system)."),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.add_typer(service, name="service")


@service.command()
def show(manager: ManagerOption = None, home: HomeOption = None) -> None:
    """Print what `install` would write."""
    print(_service(manager, home).content, end="")


@service.command()
def install(manager: ManagerOption = None, home: HomeOption = None) -> None:
    """Write the service's file for this home, and say what to type next."""
    from kneewatch.service import install as write

    settings_of(home_of(home).prepare())  # what is wrong with them is better said now than into a log
    made = _service(manager, home)
    write(made)
    print(f"Wrote {made.path}. Next:", *(f"  {line}" for line in made.start), sep="\n")
    print(f"How it goes:  {made.look}\nTo stop it:   {made.stop}")


@service.command()
def remove(manager: ManagerOption = None, home: HomeOption = None) -> None:
    """Delete the service's file, and say how to stop it; the home stays."""
    from kneewatch.service import remove as delete

    made = _service(manager, home)
    if delete(made):
        print(f"Deleted {made.path}. If it still runs: {made.stop}")
    else:
        print(f"There is no {made.path} that Kneewatch wrote; nothing was changed.")


def _service(manager: str | None, home: Path | None) -> Service:
    from kneewatch.service import manager_here, service_of

    return service_of(home_of(home), manager or manager_here())
