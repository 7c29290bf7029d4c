"""Documents that cannot rot: what the program has stands in them."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from analytics.alerts import RULES
from kneewatch.cli import app
from store.database import migrations

ROOT = Path(__file__).parent.parent


def text(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("command", sorted(get_command(app).commands))  # type: ignore[attr-defined]
def test_every_command_stands_in_the_readme(command: str) -> None:
    """Nobody has to guess what there is."""
    assert re.search(rf"(kneewatch {command}\b|`{command}[` ])", text("README.md"))


def test_every_alert_rule_stands_in_its_document() -> None:
    """The rules in the code and those in docs/alerts.md are the same."""
    in_code = set(RULES)

    assert set(re.findall(r"^\| `([a-z_]+)` \|", text("docs/alerts.md"), flags=re.MULTILINE)) == in_code


def test_every_metric_of_a_run_stands_in_its_document() -> None:
    """Each column of run_metrics is explained with its source."""
    table = "".join(migrations().values()).split("create table run_metrics (")[1].split(");")[0]
    columns = set(re.findall(r"^    ([a-z_0-9]+) ", table, flags=re.MULTILINE))
    later = re.findall(r"alter table run_metrics add column ([a-z_0-9]+) ", "".join(migrations().values()))
    columns |= set(later)

    missing = columns - set(re.findall(r"`([a-z_0-9]+)`", text("docs/metrics.md")))

    assert {"activity_id", "inputs_key", "longest_30d_activity_id"} == missing


def test_every_link_between_documents_leads_somewhere() -> None:
    """Files and pictures that the documents point to are there."""
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "sample_data" / "README.md"]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} points to {target}"


def test_the_lock_names_no_index_host_and_has_a_hash_for_everything() -> None:
    """Exact versions and hashes, from wherever they come."""
    lock = text("requirements.lock")
    packages = re.findall(r"^[a-z0-9][a-z0-9._-]*==", lock, flags=re.MULTILINE)

    assert "://" not in lock
    assert "--index" not in lock
    assert len(packages) > 100
    assert lock.count("--hash=sha256:") >= len(packages)
