"""The command `kneewatch`: what there is, and how errors become one line and an exit code."""

import errno
import os
import sys
from typing import Annotated

import typer

from kneewatch.commands import knee, log, look, plan, service, settings, web, work
from kneewatch.options import HomeOption
from store.errors import KneewatchError, WrongUseError

HELP = (
    "Watch exports in, weekly load and pace beside the plan, and an alert when a load spike meets knee pain."
)
REFUSED, WRONG_USE = 1, 2
MAKE_ROOM = "Make room and do it again; nothing is lost."
TROUBLE_WITH_THE_DISK = {
    errno.ENOSPC: MAKE_ROOM,
    errno.EDQUOT: MAKE_ROOM,
    errno.EROFS: "Questions are answered; nothing can be taken in or written down until this can be written again.",
    errno.EACCES: "`kneewatch doctor` says what must be allowed.",
    errno.EPERM: "`kneewatch doctor` says what must be allowed.",
    errno.EIO: "The disk fails: make a backup elsewhere, then look after the disk.",
}

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from report.versions import versions

        print(f"kneewatch {versions()}")
        raise typer.Exit


@app.callback()
def _program(
    home: HomeOption = None,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the versions of program, formulas and schema.",
        ),
    ] = False,
) -> None:
    pass


for commands in (work, look, plan, log, knee, settings, web, service):
    commands.add_to(app)


def main() -> None:
    """Run the program; what a person can mend is a line on stderr and an exit code, not a traceback."""
    os.umask(0o077)  # whatever it writes is somebody's health
    try:
        app()
    except KneewatchError as error:
        print(f"kneewatch: {error}", file=sys.stderr)
        sys.exit(WRONG_USE if isinstance(error, WrongUseError) else REFUSED)
    except OSError as error:
        remedy = TROUBLE_WITH_THE_DISK.get(error.errno or 0)
        if remedy is None:
            raise
        print(f"kneewatch: {error.filename or 'the home'}: {error.strerror}. {remedy}", file=sys.stderr)
        sys.exit(REFUSED)
