"""The packages that get imported are ours: their names are general enough for others to bear them, too."""

import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("kneewatch", "flows", "report", "analytics", "ingest", "store")
SHIPPED = (*PACKAGES, "plans", "sample_data")
NOT_SOURCE = shutil.ignore_patterns("__pycache__", "*.pyc")


@pytest.mark.parametrize("name", PACKAGES)
def test_the_package_is_the_one_of_this_checkout(name: str) -> None:
    """Another distribution with a top-level package of this name would overwrite it without a word."""
    found = importlib.import_module(name).__file__

    assert found is not None
    assert Path(found).is_relative_to(ROOT)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


def build(source: Path, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    return wheel


def pins(name: str) -> dict[str, set[str]]:
    """Return what a lock pins, name with version and marker, each with its hashes."""
    blocks = re.split(r"^(?=[a-z0-9])", (ROOT / name).read_text(), flags=re.MULTILINE)[1:]
    return {
        block.partition("\\")[0].strip(): set(re.findall(r"sha256:[0-9a-f]{64}", block)) for block in blocks
    }


def test_everything_that_is_needed_goes_into_the_wheel_and_nothing_else(wheel: Path) -> None:
    """Every file of the packages, whatever its kind; no test, benchmark or document."""
    needed = {
        path.relative_to(ROOT).as_posix()
        for name in SHIPPED
        for path in (ROOT / name).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }

    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert shipped == needed
    assert {
        "store/migrations/0001_first_tables.sql",
        "report/page.html.j2",
        "report/queries/race.sql",
    } < shipped


def test_the_wheel_is_the_same_to_the_byte(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Built from a copy, at another place, at another time, with other permissions."""
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, copy)
    for name in SHIPPED:
        shutil.copytree(ROOT / name, copy / name, ignore=NOT_SOURCE, copy_function=shutil.copyfile)
    for path in copy.rglob("*"):
        os.utime(path, (1e9, 1e9))
        path.chmod(0o700 if path.is_dir() else 0o600)
    monkeypatch.setenv("TZ", "Pacific/Auckland")

    again = build(copy, tmp_path / "again")

    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_what_is_installed_is_what_was_tested() -> None:
    """The lock without the tools pins the same versions with the same hashes, and no tool."""
    tested, installed = pins("requirements.lock"), pins("runtime.lock")

    assert installed.items() < tested.items()
    names = {pin.partition("==")[0] for pin in installed}
    assert {"prefect", "duckdb", "polars"} < names
    assert not {"pytest", "mypy", "ruff", "playwright", "hatchling"} & names


def test_every_dependency_is_locked() -> None:
    """Those that the project names, at least."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    named = {re.split(r"[^a-z0-9-]", one.lower())[0] for one in project["dependencies"]}
    assert named <= {pin.partition("==")[0] for pin in pins("runtime.lock")}


def test_no_module_of_flows_bears_the_name_of_a_package() -> None:
    """A script run from flows/ would import itself in the package's place."""
    assert not set(PACKAGES) & {path.stem for path in (ROOT / "flows").glob("*.py")}
