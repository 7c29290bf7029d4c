"""The command `kneewatch`: what there is, and how errors become one line and an exit code."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from kneewatch.commands import log, look, work
from kneewatch.options import HomeOption
from store.errors import KneewatchError, WrongUseError

HELP = (
    "Watch exports in, weekly load and pace beside the plan, and an alert when a load spike meets knee pain."
)
REFUSED, WRONG_USE = 1, 2

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"kneewatch {version('kneewatch')}")
        raise typer.Exit


@app.callback()
def _program(
    home: HomeOption = None,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


for commands in (work, look, log):
    commands.add_to(app)


def main() -> None:
    """Run the program; what a person can mend is a line on stderr and an exit code, not a traceback."""
    try:
        app()
    except KneewatchError as error:
        print(f"kneewatch: {error}", file=sys.stderr)
        sys.exit(WRONG_USE if isinstance(error, WrongUseError) else REFUSED)
