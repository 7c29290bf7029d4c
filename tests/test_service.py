"""The service of `kneewatch serve`: its files say what is meant, also of odd paths, and nobody's own file is touched."""

import os
import plistlib
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kneewatch import service as services
from store import home as homes
from store.errors import KneewatchError
from store.home import Home

KNEEWATCH = Path(sys.executable).with_name("kneewatch")
ODD = 'we ird $HOME 100% "q" \\ ü'
needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze, which checks units, is not installed"
)


@pytest.fixture(autouse=True)
def _account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is written goes into an account of its own."""
    monkeypatch.setenv("HOME", str(tmp_path / "account"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


def kneewatch(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [KNEEWATCH, *words], capture_output=True, text=True, check=False, timeout=120, env={**os.environ}
    )


def command_of(service: services.Service) -> list[str]:
    """Return the command in a service's file, as its manager reads it."""
    if service.path.suffix == ".plist":
        words: list[str] = plistlib.loads(service.content.encode())["ProgramArguments"]
        return words
    [line] = re.findall(r"^ExecStart=(.*)$", service.content, flags=re.MULTILINE)
    return [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line)]


@pytest.mark.parametrize("manager", ["systemd", "launchd"])
@pytest.mark.parametrize("name", ["kneewatch", ODD])
def test_the_service_serves_this_home(manager: str, name: str, tmp_path: Path) -> None:
    """With the command of this installation, whatever the home is called; the command knows these words."""
    home = homes.at(tmp_path / name)

    command = command_of(services.service_of(home, manager))

    assert command == [str(KNEEWATCH), "serve", "--home", str(home.root)]
    assert kneewatch(*command[1:], "--help").returncode == 0


@needs_systemd
@pytest.mark.parametrize("name", ["kneewatch", ODD])
def test_systemd_takes_the_unit(name: str, tmp_path: Path) -> None:
    """Without a word; and it would say so if a line were wrong."""
    unit = services.service_of(homes.at(tmp_path / name), "systemd")

    assert verified(tmp_path, unit.content) == (0, "")
    assert "at-times" in verified(tmp_path, unit.content.replace("Restart=on-failure", "Restart=at-times"))[1]


def verified(folder: Path, content: str) -> tuple[int, str]:
    """Return what systemd says of a user's unit."""
    path = folder / services.UNIT
    path.write_text(content)
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", path],
        env={**os.environ, "XDG_RUNTIME_DIR": str(runtime)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize("manager", ["systemd", "launchd"])
def test_what_the_command_writes_can_be_removed_again(manager: str, home: Home) -> None:
    """It says what to type next, and an earlier one is replaced."""
    service = services.service_of(home, manager)

    for _ in range(2):
        done = kneewatch("service", "install", "--for", manager, "--home", home.root)
        assert (done.returncode, done.stderr) == (0, "")
    shown = kneewatch("service", "show", "--for", manager, "--home", home.root).stdout

    assert service.path.read_text() == service.content == shown
    assert all(line in done.stdout for line in (*service.start, service.stop, service.look))
    assert services.remove(service)
    assert not service.path.exists()
    assert not services.remove(service)


@pytest.mark.parametrize("manager", ["systemd", "launchd"])
def test_a_file_of_somebody_else_stays(manager: str, home: Home) -> None:
    """It is neither replaced nor removed."""
    service = services.service_of(home, manager)
    service.path.parent.mkdir(parents=True)
    service.path.write_text("mine")

    with pytest.raises(KneewatchError, match="stays as it is"):
        services.install(service)

    assert not services.remove(service)
    assert service.path.read_text() == "mine"


def test_wrong_settings_are_said_before_anything_is_written(home: Home) -> None:
    """Not by a service that fails again and again."""
    home.settings_file.write_text("unitz = 'km'")

    done = kneewatch("service", "install", "--home", home.root)

    assert done.returncode != 0
    assert "unitz" in done.stderr
    assert not services.service_of(home, services.manager_here()).path.exists()
