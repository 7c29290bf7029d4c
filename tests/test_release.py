"""Everything that names the version names the same one; and with `make release-check`, what has to hold before one is given out."""

import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest

from report.versions import versions
from store.database import migrations
from store.home import Home

ROOT = Path(__file__).parent.parent
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def sections() -> dict[str, str]:
    """Return the sections of the changelog, heading to text, the newest first."""
    parts = re.split(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_the_program_and_its_page_say_which_versions_they_are(sample_home: Home) -> None:
    """Program, formulas, rules for alerts and schema, in the same words."""
    said = versions()
    command = Path(sys.executable).with_name("kneewatch")

    printed = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout

    schema = max(migrations()).partition("_")[0]
    assert re.fullmatch(rf"{re.escape(VERSION)} \(formulas \d+, alert rules \d+, schema {schema}\)", said)
    assert printed == f"kneewatch {said}\n"
    assert f"by Kneewatch {said}." in (sample_home.reports / "latest.html").read_text()


def test_every_release_in_the_changelog_has_its_day() -> None:
    """Newest first, after what is not released yet; under headings that Keep a Changelog knows."""
    headings = list(sections())

    assert headings[0] == "Unreleased"
    days = [date.fromisoformat(re.fullmatch(r"\d+\.\d+\.\d+ \((\S+)\)", one)[1]) for one in headings[1:]]  # type: ignore[index]
    assert days == sorted(days, reverse=True)
    found = set(re.findall(r"^### (.+)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE))
    assert found <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


@pytest.mark.release
def test_this_version_is_the_newest_in_the_changelog() -> None:
    """And nothing is left that belongs to no release."""
    unreleased, newest = list(sections().items())[:2]

    assert newest[0].startswith(f"{VERSION} (")
    assert newest[1].strip()
    assert not unreleased[1].strip()


@pytest.mark.release
def test_the_schema_of_this_version_is_stored() -> None:
    """So that every later version is tested to take it over."""
    newest = max(migrations()).partition("_")[0]

    assert (ROOT / "tests" / "data" / "upgrades" / f"{newest}.sql.gz").exists()


@pytest.mark.release
def test_nothing_is_left_uncommitted() -> None:
    """What is built is what is in the history."""
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert changed.stdout == ""
