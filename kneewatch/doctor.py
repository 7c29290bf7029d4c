"""What is installed and where, what is stale, locked or failing, and what to do about it."""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

import duckdb

from ingest.inbox import left_alone
from store.database import migrations, opened_published, scalar
from store.errors import KneewatchError
from store.home import Home
from store.lock import holder
from store.rebuild import damage_of
from store.settings import read_settings

Finding = dict[str, str]

PACKAGES = ("kneewatch", "prefect", "fastapi", "sqlalchemy", "duckdb", "polars", "fitparse", "gpxpy")
STALE_AFTER = timedelta(hours=36)
LITTLE_SPACE_BYTES = 500 * 2**20


def check(home: Home) -> list[Finding]:
    """Return one finding per check: what, state (good, look, bad), detail, remedy."""
    found = [_versions(), _prefect_fits()]
    if not home.root.exists():
        return [*found, _finding("home", "bad", f"{home.root} does not exist", "kneewatch init")]
    checks: tuple[Callable[[Home], Finding], ...] = (
        _home,
        _settings,
        _channels,
        _disk,
        _lock,
        _store,
        _published,
        _values,
        _inbox,
        _quarantine,
        _letters,
    )
    return [*found, *(one(home) for one in checks)]


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
    if home.root.stat().st_mode & 0o077:
        return _finding(
            "home",
            "look",
            f"{home.root} can be read by others; it holds health data",
            f"chmod 700 {home.root}",
        )
    return _finding("home", "good", str(home.root))


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
