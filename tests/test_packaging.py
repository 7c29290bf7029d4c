"""The packages that get imported are ours: their names are general enough for others to bear them, too."""

import importlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("kneewatch", "flows", "report", "analytics", "ingest", "store")


@pytest.mark.parametrize("name", PACKAGES)
def test_the_package_is_the_one_of_this_checkout(name: str) -> None:
    """Another distribution with a top-level package of this name would overwrite it without a word."""
    found = importlib.import_module(name).__file__

    assert found is not None
    assert Path(found).is_relative_to(ROOT)


def test_everything_that_is_needed_goes_into_the_wheel() -> None:
    """The packages, the plans and the sample data are named one by one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert [*PACKAGES, "plans", "sample_data"] == shipped


def test_no_module_of_flows_bears_the_name_of_a_package() -> None:
    """A script run from flows/ would import itself in the package's place."""
    assert not set(PACKAGES) & {path.stem for path in (ROOT / "flows").glob("*.py")}
