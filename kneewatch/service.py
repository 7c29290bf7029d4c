"""`kneewatch serve` as a service of the person who runs it, for systemd and for launchd: the files, and what to type."""

import os
import plistlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from store.errors import KneewatchError
from store.files import sync_folder, write_whole
from store.home import Home

UNIT = "kneewatch.service"
LABEL = "kneewatch.serve"
MARK = "Written by `kneewatch service install`"
STOP_WITHIN_S = 30
AGAIN_AFTER_S = 10


@dataclass(frozen=True, slots=True)
class Service:
    """
    What a service manager is told.

    Attributes:
        path: Where the file belongs.
        content: What is in it.
        start: What to type for it to begin, line by line.
        stop: What to type for it to end.
        look: What shows how it goes.
    """

    path: Path
    content: str
    start: tuple[str, ...]
    stop: str
    look: str


def service_of(home: Home, manager: str) -> Service:
    """
    Return the service of a home for `systemd` or `launchd`.

    Raises:
        KneewatchError: If the command `kneewatch` itself is not found.
    """
    program = _program()
    return _systemd(home, program) if manager == "systemd" else _launchd(home, program)


def manager_here() -> str:
    """Return which of the two this system has."""
    return "launchd" if sys.platform == "darwin" else "systemd"


def install(service: Service) -> None:
    """
    Write the file; one of an earlier version is replaced.

    Raises:
        KneewatchError: If there is one that somebody else wrote; it stays as it is.
    """
    if service.path.exists() and MARK not in service.path.read_text(errors="replace"):
        raise KneewatchError(
            f"{service.path} was not written by Kneewatch and stays as it is; move it away, or take over what "
            "`kneewatch service show` prints."
        )
    write_whole(service.path, service.content.encode())


def remove(service: Service) -> bool:
    """Delete the file if Kneewatch wrote it, and return whether it was there."""
    if not service.path.exists() or MARK not in service.path.read_text(errors="replace"):
        return False
    service.path.unlink()
    sync_folder(service.path.parent)
    return True


def _program() -> Path:
    """Return the command of this installation, by a path that an upgrade by uv, pipx or pip keeps."""
    beside = Path(sys.executable).with_name("kneewatch")
    if beside.exists():
        return beside
    if found := shutil.which("kneewatch"):
        return Path(found).absolute()
    raise KneewatchError(
        f"The command kneewatch is neither beside {sys.executable} nor on the PATH, so a service could not start it; "
        "install it by uv, pipx or pip."
    )


def _systemd(home: Home, program: Path) -> Service:
    configuration = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    content = f"""\
# {MARK}, which replaces it; what you add belongs into `systemctl --user edit {UNIT}`.
[Unit]
Description=Kneewatch: running exports, weekly load and knee pain
StartLimitIntervalSec=10min
StartLimitBurst=5

[Service]
Type=exec
ExecStart={_word(program, is_program=True)} serve --home {_word(home.root)}
Restart=on-failure
RestartSec={AGAIN_AFTER_S}
# Only serve itself is told to stop: it ends its parts in order. What is left after this time is killed.
KillMode=mixed
KillSignal=SIGTERM
TimeoutStopSec={STOP_WITHIN_S}
UMask=0077
# What needs no namespace, so that it holds for an ordinary user everywhere.
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Install]
WantedBy=default.target
"""
    return Service(
        configuration / "systemd" / "user" / UNIT,
        content,
        start=(
            "systemctl --user daemon-reload",
            f"systemctl --user enable --now {UNIT}",
            "loginctl enable-linger    # so that it also runs while you are not logged in",
        ),
        stop=f"systemctl --user disable --now {UNIT}",
        look=f"journalctl --user --unit {UNIT} --follow",
    )


def _word(path: Path, *, is_program: bool = False) -> str:
    """Quote a path for ExecStart, where % and, in arguments, $ have a meaning of their own."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped if is_program else escaped.replace("$", "$$")}"'


def _launchd(home: Home, program: Path) -> Service:
    path = Path("~/Library/LaunchAgents").expanduser() / f"{LABEL}.plist"
    log = str(home.state / "serve.log")
    told = {
        "Label": LABEL,
        "Comment": f"{MARK}, which replaces it.",
        "ProgramArguments": [str(program), "serve", "--home", str(home.root)],
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": AGAIN_AFTER_S,
        "ExitTimeOut": STOP_WITHIN_S,
        "ProcessType": "Background",
        "Umask": 0o077,
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    return Service(
        path,
        plistlib.dumps(told, sort_keys=False).decode(),
        start=(f"launchctl bootstrap gui/$(id -u) '{path}'",),
        stop=f"launchctl bootout gui/$(id -u)/{LABEL}",
        look=f"tail -f '{log}'",
    )
