"""Commands that do things: init, demo, ingest, run, backfill, serve, doctor."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.runners import RunnerName, missing_runner
from kneewatch.options import (
    AthleteOption,
    HomeOption,
    JsonOption,
    TodayOption,
    athlete_of,
    day_of,
    home_of,
    settings_of,
)
from kneewatch.show import Column, harmless, print_json, show, text
from store.errors import WrongUseError
from store.home import Home, at

if TYPE_CHECKING:
    from ingest.intake import Taken
    from store.settings import Settings

OUTCOME_COLUMNS: list[Column] = [
    ("file_name", "File", text),
    ("outcome", "Outcome", text),
    ("activities", "Activities", text),
    ("reason", "Reason", text),
]
DEMO_HOME = Path("kneewatch-demo")


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (init, demo, ingest, run, backfill, serve, backup, restore, rebuild, doctor):
        app.command()(command)


def init(
    directory: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Where; else as --home says.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Make a home with a commented kneewatch.toml."""
    folder = home_of(directory or home).prepare()
    if folder.settings_file.exists():
        print(f"{folder.settings_file} is there already and stays as it is.")
    else:
        _write_settings(folder)
        print(
            f"Made {folder.root}. Next: tell {folder.settings_file} who you are, drop exports into {folder.inbox}."
        )


def demo(
    directory: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Where the demo's home goes.")
    ] = None,
    open_report: Annotated[bool, typer.Option("--open", help="Open the report in a browser.")] = False,
) -> None:
    """Take a made-up runner's sixteen weeks through the real flows, and show what comes of them."""
    from kneewatch.commands import look
    from kneewatch.demo import make_demo_home

    folder = at(directory or DEMO_HOME)
    today = make_demo_home(folder)
    print(f"Sixteen weeks of a made-up runner in {folder.root}; Prefect's flows are starting …", flush=True)
    counts = _run_by_prefect(folder, today)
    print(
        ", ".join(f"{what.replace('_', ' ')} {number}" for what, number in counts.items() if number),
        end="\n\n",
    )
    look.week(home=folder.root, weeks=16)
    look.list_alerts(home=folder.root, all_alerts=True)
    report = folder.reports / "latest.html"
    print(
        f"Report:    {report}\nDatabase:  {folder.published}\nQuestions: kneewatch sql --home {folder.root} 'from runs'"
    )
    if open_report:
        typer.launch(report.as_uri())


def ingest(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]…", help="Files and folders; else the inbox.")
    ] = None,
    home: HomeOption = None,
    athlete: AthleteOption = None,
    today: TodayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in the inbox, or the given files and folders (copied, never moved), and publish; the report waits for `run`."""
    folder = home_of(home)
    settings = settings_of(folder)
    _get_ready_to_read(settings)
    from flows import steps

    clock = steps.clock_of(settings, day_of(today))
    with steps.in_one_go(folder, "ingest"):
        with _progress("Taking in") as on_file:
            taken = steps.take_in(
                folder, settings, clock, paths or (), athlete=athlete_of(settings, athlete), on_file=on_file
            )
        steps.refresh(folder, settings, clock)
        steps.raise_alerts(folder, settings, clock)
    if not paths:
        _say_what_is_left_alone(folder)
    try:
        show_taken(taken, as_json=as_json)
    finally:
        if not as_json:
            _say_what_is_asked(folder, settings)


def _say_what_is_left_alone(folder: Home) -> None:
    from ingest.inbox import left_alone

    for name, why in left_alone(folder):
        print(f"kneewatch: {name!r} in the inbox {why}.", file=sys.stderr)


def _say_what_is_asked(folder: Home, settings: Settings) -> None:
    """Print how many questions are open about the words of exports, if any."""
    from flows.reminding import open_questions
    from report.messages import open_questions_words
    from store.database import opened_published

    with opened_published(folder) as con:
        for athlete, count in open_questions(con).items():
            print(open_questions_words(count, None if athlete == settings.default_athlete else athlete))


def _get_ready_to_read(settings: Settings) -> None:
    """Let the process that reads files start while this one is still loading what it needs itself."""
    from ingest import workers

    workers.start(workers.limits_of(settings))


def show_taken(taken: list[Taken], *, as_json: bool) -> None:
    """Print what became of the files; refusals end the command with exit code 1."""
    from dataclasses import asdict

    rows = [asdict(one) for one in taken]
    worth_a_line = rows if as_json else [row for row in rows if row["outcome"] != "ingested"]
    show(worth_a_line, OUTCOME_COLUMNS, as_json=as_json, empty="")
    counts = Counter(one.outcome for one in taken)
    if not as_json:
        print(
            ", ".join(f"{number} {outcome.replace('_', ' ')}" for outcome, number in sorted(counts.items()))
            or "Nothing to take in."
        )
    if counts["quarantined"]:
        raise typer.Exit(1)


def run(
    home: HomeOption = None,
    today: TodayOption = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Compute again also what has not changed.")
    ] = False,
    prefect: Annotated[bool, typer.Option("--prefect", help="As a Prefect flow run.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Do everything once: intake, trends, alerts, report, publish."""
    folder = home_of(home).prepare()
    settings = settings_of(folder)
    if not prefect:
        _get_ready_to_read(settings)
    from flows import steps

    clock = steps.clock_of(settings, day_of(today))
    if prefect:
        counts = _run_by_prefect(folder, day_of(today))
    else:
        counts = dict(steps.run_all(folder, settings, clock, rebuild=rebuild))
    _show_counts(counts, folder, as_json=as_json)
    if not as_json:
        _say_what_is_asked(folder, settings)


def backfill(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files, folders and archives.")],
    runner: Annotated[
        RunnerName,
        typer.Option("--runner", help="Who reads the files: this machine, or a cluster that sees the home."),
    ] = "local",
    home: HomeOption = None,
    today: TodayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in a whole history in parallel, as a Prefect flow run, and review it once; it can be started again at any time."""
    from flows.environment import use_prefect_of

    folder = home_of(home).prepare()
    for path in paths:
        if not path.exists():
            raise WrongUseError(f"{path} does not exist.")
    if missing := missing_runner(runner):
        raise WrongUseError(missing)
    use_prefect_of(folder)
    from flows.backfill import backfill as flow

    counts = flow(str(folder.root), [path.absolute() for path in paths], runner, day_of(today))
    _show_counts(counts, folder, as_json=as_json)


def serve(home: HomeOption = None) -> None:
    """Run everything by itself until stopped: drops at once, the flows on their schedules, Prefect's server and pages."""
    from flows import serve
    from kneewatch.web.part import web_pages

    folder = home_of(home).prepare()
    settings = settings_of(folder)
    serve.serve(folder, settings, [web_pages(folder, settings)])


def doctor(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Say what is installed and where, what is stale, locked or failing, and what to do about it."""
    from kneewatch.doctor import check

    findings = check(home_of(home))
    columns: list[Column] = [
        ("what", "What", text),
        ("state", "State", text),
        ("detail", "Detail", text),
        ("remedy", "Remedy", text),
    ]
    show(findings, columns, as_json=as_json, empty="")
    if any(finding["state"] == "bad" for finding in findings):
        raise typer.Exit(1)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where it goes; nothing is overwritten.")],
    home: HomeOption = None,
) -> None:
    """Write everything that cannot be computed again into one file, also while flows run."""
    from store.backup import write_backup

    count = write_backup(home_of(home), file)
    print(f"{file}: {count} files, {file.stat().st_size / 2**20:,.1f} MiB.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `backup` wrote.")],
    home: HomeOption = None,
) -> None:
    """Lay out a backup in a home that is empty; the report follows with the next run."""
    from store.backup import restore_backup

    folder = home_of(home)
    count = restore_backup(file, folder)
    print(f"{folder.root}: {count} files. Next: kneewatch run --home {folder.root}")


def rebuild(
    home: HomeOption = None,
    from_archive: Annotated[
        bool, typer.Option("--from-archive", help="Read every original again, as after an upgrade.")
    ] = False,
) -> None:
    """Make a damaged store again from the published copy, and compute everything anew."""
    from flows import steps

    folder = home_of(home)
    settings = settings_of(folder)
    aside = steps.rebuild(folder, settings, steps.clock_of(settings), from_archive=from_archive)
    print(f"Made {folder.store} again." + (f" The old one lies in {aside}." if aside else ""))


def _show_counts(counts: dict[str, int], folder: Home, *, as_json: bool) -> None:
    if as_json:
        print_json(counts)
    else:
        print(", ".join(f"{what.replace('_', ' ')} {number}" for what, number in counts.items()))
        print(f"Report: {folder.reports / 'latest.html'}")


def _write_settings(folder: Home) -> None:
    from store.files import write_whole
    from store.settings import template

    write_whole(folder.settings_file, template().encode())


def _run_by_prefect(folder: Home, today: date | None) -> dict[str, int]:
    from flows.environment import use_prefect_of

    use_prefect_of(folder)
    from flows.daily import daily

    return daily(str(folder.root), today)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[Taken, int], None] | None]:
    """Yield what to call after each file: a progress bar moves on when there is a person to see it."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda taken, total: bar.update(
            task, advance=1, total=total, description=f"{what} {escape(harmless(taken.file_name[-40:]))}"
        )
