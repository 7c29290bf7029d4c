"""The wheel, installed as people install it: it works from any folder, with the locked versions, and goes without a trace."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.install

ROOT = Path(__file__).parent.parent
INSTALLERS = ROOT / ".venv" / "installers" / "bin"
ENOUGH_S = 1200  # of a machine that is busy with other work
KEPT_BY_INSTALLERS = {".cache", ".config", ".local", "venv"}


@dataclass(frozen=True, slots=True)
class Account:
    """
    Somebody's account on a machine that has never heard of Kneewatch.

    Attributes:
        folder: Their own folder.
        elsewhere: The folder that they work in.
        dist: What `make dist` made.
    """

    folder: Path
    elsewhere: Path
    dist: Path

    @property
    def wheel(self) -> Path:
        [wheel] = self.dist.glob("*.whl")
        return wheel

    def run(self, *words: str | Path, exit_code: int = 0) -> str:
        """Run a command there and return what it prints; of this world it sees where packages come from."""
        world = {
            key: value for key, value in os.environ.items() if key.startswith(("PIP_", "UV_", "SSL_", "HTTP"))
        }
        world |= {"HOME": str(self.folder), "PATH": os.defpath, "PIPX_DEFAULT_BACKEND": "pip"}
        world = {"PIP_CACHE_DIR": str(Path("~/.cache/pip").expanduser())} | world
        done = subprocess.run(
            [str(word) for word in words],
            cwd=self.elsewhere,
            env=world,
            capture_output=True,
            text=True,
            timeout=ENOUGH_S,
            check=False,
        )
        assert done.returncode == exit_code, f"{words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        assert "Traceback" not in done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel and what stands beside it."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(["make", "-s", "dist", f"DIST={folder}"], cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture
def account(dist: Path, tmp_path: Path) -> Account:
    found = Account(tmp_path / "runner", tmp_path / "some where else", dist)
    found.folder.mkdir()
    found.elsewhere.mkdir()
    return found


def by_pip(account: Account) -> Iterator[Path]:
    """With hashes, into an environment of its own."""
    account.run(sys.executable, "-m", "venv", account.folder / "venv")
    pip = account.folder / "venv" / "bin" / "pip"
    account.run(pip, "install", "--no-deps", "--require-hashes", "-r", account.dist / "runtime.lock")
    account.run(pip, "install", "--no-deps", account.wheel)
    yield pip.with_name("kneewatch")
    account.run(pip, "uninstall", "--yes", "kneewatch")


def by_uv(account: Account) -> Iterator[Path]:
    """As a tool, with the lock as constraints."""
    uv = INSTALLERS / "uv"
    account.run(
        uv,
        "tool",
        "install",
        "--python",
        sys.executable,
        "-c",
        account.dist / "constraints.txt",
        account.wheel,
    )
    yield account.folder / ".local" / "bin" / "kneewatch"
    account.run(uv, "tool", "uninstall", "kneewatch")


def by_pipx(account: Account) -> Iterator[Path]:
    """As an application, with the lock as constraints."""
    pipx = INSTALLERS / "pipx"
    account.run(pipx, "install", "--pip-args", f"-c {account.dist / 'constraints.txt'}", account.wheel)
    yield account.folder / ".local" / "bin" / "kneewatch"
    account.run(pipx, "uninstall", "kneewatch")


@pytest.mark.parametrize("installed", [by_pip, by_uv, by_pipx], ids=["pip", "uv", "pipx"])
def test_it_is_installed_does_its_work_and_goes(
    installed: Callable[[Account], Iterator[Path]], account: Account
) -> None:
    """The versions are the locked ones, every file that it needs is there, and what it made for the runner stays."""
    steps = installed(account)
    kneewatch = next(steps)
    home = account.folder / "kneewatch"

    assert account.run(kneewatch, "--version").startswith("kneewatch 0.1.0")
    account.run(kneewatch, "init")
    account.run(kneewatch, "doctor")
    if installed is by_uv:  # through Prefect's server; once is enough
        assert "Report:" in account.run(kneewatch, "demo", "try it")
    found = json.loads(account.run(kneewatch, "doctor", "--json"))
    versions = {one["what"]: one["detail"] for one in found}["versions"]
    locked = set((account.dist / "constraints.txt").read_text().splitlines())
    assert {pair.replace(" ", "==") for pair in versions.split(", ")[1:]} <= locked

    assert next(steps, None) is None
    assert not kneewatch.exists()
    left = [
        path
        for path in account.folder.rglob("*")
        if path.name in {"kneewatch", "ingest", "sample_data"}
        and account.folder / ".cache" not in path.parents
    ]
    assert left == [home]
    assert (home / "kneewatch.toml").exists()
    assert {path.name for path in account.folder.iterdir()} <= {"kneewatch", *KEPT_BY_INSTALLERS}
