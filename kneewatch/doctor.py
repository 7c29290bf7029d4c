"""What is installed and where, what is stale, locked or failing, and what to do about it."""

import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from ingest.inbox import left_alone
from kneewatch.cron import last_due
from store.database import migrations, opened_published, scalar
from store.errors import KneewatchError
from store.home import Home
from store.lock import holder, server
from store.rebuild import damage_of
from store.settings import Settings, read_settings

Finding = dict[str, str]

PACKAGES = ("kneewatch", "prefect", "fastapi", "sqlalchemy", "duckdb", "polars", "fitparse", "gpxpy")
STALE_AFTER = timedelta(hours=36)
CLOCKS_APART = timedelta(minutes=5)
LATE_AFTER = timedelta(minutes=15)
"""A machine that slept, or a long flow before it."""
LITTLE_SPACE_BYTES = 500 * 2**20


def check(home: Home) -> list[Finding]:
    """Return one finding per check: what, state (good, look, bad), detail, remedy."""
    found = [_versions(), _prefect_fits()]
    if not home.root.exists():
        return [*found, _no_home(home)]
    checks = (_home, _clock, _settings, _channels, _disk, _lock, _store, _published, _values)
    more = (_inbox, _quarantine, _letters, _schedules, _steps, _parts)
    return [*found, *(one(home) for one in (*checks, *more))]


def quick_check(home: Home) -> list[Finding]:
    """Return the findings that take a moment and tell nothing of anybody."""
    if not home.root.exists():
        return [_no_home(home)]
    return [one(home) for one in (_home, _clock, _disk, _published, _letters, _schedules, _steps, _parts)]


def _no_home(home: Home) -> Finding:
    return _finding("home", "bad", f"{home.root} does not exist", "kneewatch init")


def _finding(what: str, state: str, detail: str, remedy: str = "") -> Finding:
    return {"what": what, "state": state, "detail": detail, "remedy": remedy}


def _versions() -> Finding:
    return _finding("versions", "good", ", ".join(f"{name} {version(name)}" for name in PACKAGES))


def _prefect_fits() -> Finding:
    """Prefect 3.8 starts with FastAPI below 0.151 and schedules with SQLAlchemy below 2.1 only."""
    fastapi, sqlalchemy = _numbers("fastapi"), _numbers("sqlalchemy")
    if _numbers("prefect") < (3, 9) and (fastapi >= (0, 151) or sqlalchemy >= (2, 1)):
        return _finding(
            "prefect", "bad", "its server does not work with this FastAPI or SQLAlchemy",
            'pip install "fastapi<0.151" "sqlalchemy<2.1"',
        )  # fmt: skip
    return _finding("prefect", "good", "its server and scheduler work with what is installed")


def _numbers(package: str) -> tuple[int, int]:
    major, minor = version(package).split(".")[:2]
    return int(major), int(minor)


def _home(home: Home) -> Finding:
    if os.statvfs(home.root).f_flag & os.ST_RDONLY:
        return _finding(
            "home", "bad", f"{home.root} is on a disk that is mounted read-only", "mount it for writing"
        )
    if not os.access(home.root, os.W_OK):
        return _finding("home", "bad", f"{home.root} cannot be written", f"chmod u+w {home.root}")
    folders = (home.inbox, home.archive, home.quarantine, home.samples, home.reports, home.state)
    if closed := [folder for folder in folders if folder.exists() and not _is_open(folder)]:
        names = " ".join(str(folder) for folder in closed)
        return _finding("home", "bad", f"{names} cannot be read and written", f"chmod u+rwx {names}")
    if home.root.stat().st_mode & 0o077:
        return _finding(
            "home",
            "look",
            f"{home.root} can be read by others; it holds health data",
            f"chmod 700 {home.root}",
        )
    return _finding("home", "good", str(home.root))


def _is_open(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def _clock(home: Home) -> Finding:
    """Hold the clock against what was written before, and against the one of the disk, which may be another machine's."""
    now = datetime.now(UTC)
    with (
        tempfile.TemporaryFile(dir=home.root)
        if os.access(home.root, os.W_OK)
        else tempfile.TemporaryFile() as file
    ):
        of_disk = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    if abs(of_disk - now) > CLOCKS_APART:
        return _finding(
            "clock", "look", f"the disk of {home.root} has {of_disk:%Y-%m-%d %H:%M} UTC, this machine {now:%Y-%m-%d %H:%M}",
            "timedatectl set-ntp true, here or on the machine with the disk",
        )  # fmt: skip
    last = _of_log(home, "select max(ended_at) from flow_log")
    if isinstance(last, datetime) and last > now + CLOCKS_APART:
        return _finding(
            "clock", "bad", f"it says {now:%Y-%m-%d %H:%M} UTC, and something was done at {last:%Y-%m-%d %H:%M} already",
            "timedatectl set-ntp true",
        )  # fmt: skip
    return _finding("clock", "good", f"{now:%Y-%m-%d %H:%M} UTC")


def _of_log(home: Home, question: str) -> object:
    """Return one value from the published copy; None where there is none, or one that cannot be read."""
    rows = _rows(home, question)
    return rows[0][0] if rows else None


def _rows(home: Home, question: str) -> list[tuple[Any, ...]]:
    if not home.published.exists():
        return []
    try:
        with opened_published(home) as con:
            return con.execute(question).fetchall()
    except (KneewatchError, duckdb.Error):  # the finding on the published copy says so
        return []


def _settings(home: Home) -> Finding:
    try:
        settings = read_settings(home)
    except KneewatchError as error:
        return _finding("settings", "bad", str(error), f"mend {home.settings_file}")
    if unknown := [key for key, athlete in settings.athletes.items() if athlete.sex is None]:
        return _finding(
            "settings", "look", f"no sex for {', '.join(unknown)}: no heart-rate load",
            f"set sex in {home.settings_file}",
        )  # fmt: skip
    return _finding(
        "settings", "good", f"{len(settings.athletes)} athletes, {len(settings.channels)} channels"
    )


def _settings_or_none(home: Home) -> Settings | None:
    try:
        return read_settings(home)
    except KneewatchError:  # the finding on the settings says so
        return None


def _channels(home: Home) -> Finding:
    """Say which channels hear of nobody, and whom a second recipient is meant to hear of who has not consented."""
    try:
        settings = read_settings(home)
    except KneewatchError:
        return _finding("channels", "good", "nothing to look at")
    withheld = [
        f"{name} gets nothing of {key}"
        for name, channel in settings.channels.items()
        if channel.role != "runner"
        for key in channel.athletes or settings.athletes
        if not settings.may_hear_of(name, key)
    ]
    heard_of = {
        key for name in settings.channels for key in settings.athletes if settings.may_hear_of(name, key)
    }
    if withheld:
        return _finding(
            "channels", "look", f"{', '.join(withheld)}: no consent",
            f"with their consent, name the channel in share_with of the athlete in {home.settings_file}",
        )  # fmt: skip
    if settings.channels and (unheard := sorted(settings.athletes.keys() - heard_of)):
        return _finding(
            "channels", "look", f"alerts of {', '.join(unheard)} go to no channel",
            f"name them in athletes of a channel in {home.settings_file}",
        )  # fmt: skip
    return _finding("channels", "good", f"{len(settings.channels)} channels")


def _disk(home: Home) -> Finding:
    free = shutil.disk_usage(home.root).free
    state = "good" if free > LITTLE_SPACE_BYTES else "bad"
    return _finding("disk", state, f"{free // 2**20} MiB free", "" if state == "good" else "make room")


def _lock(home: Home) -> Finding:
    who = holder(home)
    return _finding(
        "lock",
        "look" if who else "good",
        f"held by {who}" if who else "free",
        "wait, or stop it" if who else "",
    )


def _store(home: Home) -> Finding:
    """Read the store from beginning to end, unless somebody is writing it."""
    if not home.store.exists() or holder(home):
        return _finding("store", "good", "nothing to look at" if not home.store.exists() else "being written")
    if damage := damage_of(home.store):
        return _finding("store", "bad", f"{home.store} is damaged: {damage}", "kneewatch rebuild")
    return _finding("store", "good", "read from beginning to end")


def _published(home: Home) -> Finding:
    if not home.store.exists() and not home.published.exists():
        return _finding("published copy", "look", "nothing was taken in yet", "kneewatch run")
    try:
        with opened_published(home) as con:
            at: datetime | None = scalar(con, "select max(ended_at) from flow_log where step = 'refresh'")
            newer = {name for (name,) in con.execute("select name from schema_migrations").fetchall()} - {
                *migrations()
            }
    except KneewatchError as error:
        return _finding("published copy", "bad", str(error), "kneewatch run")
    except duckdb.Error as error:
        return _finding("published copy", "bad", str(error).splitlines()[0], "kneewatch run")
    if newer:
        return _finding(
            "published copy", "bad", f"written by a newer Kneewatch ({max(newer)})", "upgrade Kneewatch"
        )
    if at is None or datetime.now(UTC) - at > STALE_AFTER:
        return _finding(
            "published copy",
            "look",
            f"last review {at:%Y-%m-%d %H:%M} UTC" if at else "never reviewed",
            "kneewatch run",
        )
    return _finding("published copy", "good", f"last review {at:%Y-%m-%d %H:%M} UTC")


def _values(home: Home) -> Finding:
    """Say whose values are estimates, and whose heart rates are not known at all."""
    if not home.published.exists():
        return _finding("athletes", "good", "nothing to look at")
    keys = set(read_settings(home).athletes)
    try:
        with opened_published(home) as con:
            known = con.execute(
                "select athlete, parameter, bool_or(is_estimated) from athlete_parameters group by all"
            ).fetchall()
            active = {row[0] for row in con.execute("select distinct athlete from activities").fetchall()}
    except duckdb.Error as error:  # damaged, or published before there were such values
        return _finding("athletes", "look", str(error).splitlines()[0], "kneewatch run")
    maxima = {athlete for athlete, parameter, _ in known if parameter == "max_hr_bpm"}
    estimated = sorted({athlete for athlete, _, is_estimated in known if is_estimated} & keys)
    if unknown := sorted((active & keys) - maxima):
        return _finding(
            "athletes", "look", f"no maximum heart rate of {', '.join(unknown)}: no heart-rate load",
            f"set resting_hr_bpm and max_hr_bpm in {home.settings_file}, or take in five runs with a heart rate",
        )  # fmt: skip
    if estimated:
        return _finding(
            "athletes",
            "good",
            f"some values of {', '.join(estimated)} are estimates; kneewatch athlete shows them",
        )
    return _finding("athletes", "good", "all values are set" if active else "nothing to look at")


def _inbox(home: Home) -> Finding:
    if not home.inbox.is_dir():
        return _finding(
            "inbox", "bad", f"{home.inbox} cannot be reached", f"mkdir -p {home.inbox}, or mount it"
        )
    if alone := left_alone(home):
        name, why = alone[0]
        more = f", and {len(alone) - 1} more" if len(alone) > 1 else ""
        return _finding(
            "inbox", "look", f"{name} {why.partition(';')[0]}{more}", "kneewatch ingest says which"
        )
    waiting = sum(1 for path in home.inbox.rglob("*") if path.is_file())
    return _finding(
        "inbox", "look" if waiting else "good", f"{waiting} files wait", "kneewatch run" if waiting else ""
    )


def _quarantine(home: Home) -> Finding:
    refused = sum(1 for _ in home.quarantine.rglob("*.reason.json"))
    remedy = "kneewatch exports list --outcome quarantined" if refused else ""
    return _finding("quarantine", "look" if refused else "good", f"{refused} files refused", remedy)


def _letters(home: Home) -> Finding:
    if not home.published.exists():
        return _finding("letters", "good", "none waits")
    with opened_published(home) as con:
        waiting = scalar(con, "select count(*) from deliveries where delivered_at is null")
    return _finding(
        "letters",
        "look" if waiting else "good",
        f"{waiting} not delivered",
        "kneewatch alerts test" if waiting else "",
    )


def _schedules(home: Home) -> Finding:
    """Hold what was done against the schedules: a review or an intake that was due and did not come."""
    settings = _settings_or_none(home)
    if settings is None or not home.published.exists():
        return _finding("schedules", "good", "nothing to look at")
    who = server(home)
    serves = f"served by {who}" if who else "nobody serves"
    now = datetime.now(settings.athletes[settings.default_athlete].zone)
    for flow, step in (("intake", "take_in"), ("review", "refresh")):
        due = last_due(getattr(settings.schedules, flow), now - LATE_AFTER)
        last = _of_log(home, f"select max(ended_at) from flow_log where step = '{step}' and outcome = 'ok'")
        if due and isinstance(last, datetime) and last < due:
            return _finding(
                "schedules", "look", f"{serves}; {flow} was due at {due:%Y-%m-%d %H:%M} and last ended at {last.astimezone(now.tzinfo):%Y-%m-%d %H:%M}",
                "kneewatch run, then look at what kneewatch serve says" if who else "kneewatch serve",
            )  # fmt: skip
    return _finding("schedules", "good", f"{serves}; what was due was done")


def _steps(home: Home) -> Finding:
    """Name the steps that failed when they were last tried."""
    failed = _rows(
        home,
        "select step, max(ended_at) from flow_log group by step having arg_max(outcome, ended_at) = 'failed' order by 2",
    )
    if failed:
        step, at = failed[-1]
        return _finding(
            "last runs", "look", f"{step} failed at {at:%Y-%m-%d %H:%M} UTC", "kneewatch run says why"
        )
    last = _of_log(home, "select max(ended_at) from flow_log where outcome = 'ok'")
    return _finding(
        "last runs", "good", f"last success {last:%Y-%m-%d %H:%M} UTC" if last else "nothing ran yet"
    )


def _parts(home: Home) -> Finding:
    """Count how often a part of the process that serves had to come again since yesterday."""
    crashed = _rows(
        home,
        "select step, count(*) from flow_log where starts_with(step, 'restart ') "
        "and ended_at > now() - interval 1 day group by step order by step",
    )
    if crashed:
        said = ", ".join(f"{step.removeprefix('restart ')} {times} times" for step, times in crashed)
        return _finding(
            "parts",
            "look",
            f"came again after a crash since yesterday: {said}",
            f"less {home.state}/prefect-server.log",
        )
    return _finding("parts", "good", "none crashed since yesterday")
