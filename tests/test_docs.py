"""Documents that cannot rot: what the program has stands in them."""

import re
from pathlib import Path

import duckdb
import pytest
from typer.main import get_command

from analytics.alerts import RULES
from analytics.cues import PATTERNS
from analytics.notices import RULES as NOTICE_RULES
from analytics.plan_check import RULES as PLAN_RULES
from analytics.plan_pace import ZONE_BANDS
from kneewatch.cli import app
from report.exercises import EXERCISES, WARM_UP
from report.exercises import RULES as STRENGTH_RULES
from store.database import migrate

ROOT = Path(__file__).parent.parent


def text(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("command", sorted(get_command(app).commands))  # type: ignore[attr-defined]
def test_every_command_stands_in_the_readme(command: str) -> None:
    """Nobody has to guess what there is."""
    assert re.search(rf"(kneewatch {command}\b|`{command}[` ])", text("README.md"))


def test_every_alert_rule_stands_in_its_document() -> None:
    """The rules in the code and those in docs/alerts.md are the same."""
    in_code = {*RULES, *NOTICE_RULES}

    assert set(re.findall(r"^\| `([a-z_]+)` \|", text("docs/alerts.md"), flags=re.MULTILINE)) == in_code


def test_every_cue_stands_in_its_document() -> None:
    """The words of each cell of the table in the code, pattern by pattern, where they are words of a report."""
    section = text("docs/pain.md").split("## How a knee stands")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    cells = {cell[0].strip(): dict(zip(PATTERNS, cell[1:], strict=True)) for cell in rows}

    assert [re.findall(r"`([a-z_]+)`", cell)[0] for cell in rows[0][1:]] == list(PATTERNS)
    for name, aspect in (
        ("how it began", "onset"),
        ("where it is", "site"),
        ("what brings it on", "provoked_by"),
    ):
        for pattern, expected in PATTERNS.items():
            named = set(re.findall(r"`([a-z_]+)`", cells[name][pattern].split("; against")[0]))
            assert named - {"muscle_soreness"} == expected[aspect].fits - {"muscles"}


def test_every_rule_for_plans_stands_in_its_document() -> None:
    """The rules of plan check are those that docs/plan.md explains."""
    section = text("docs/plan.md").split("## What a plan does to the knee")[1].split("\n## ")[0]

    assert tuple(re.findall(r"^\| `([a-z_]+)` \|", section, flags=re.MULTILINE)) == PLAN_RULES


def test_every_command_of_the_plan_stands_in_its_document() -> None:
    """Each is shown in use."""
    group = get_command(app).commands["plan"]  # type: ignore[attr-defined]

    assert set(group.commands) <= set(re.findall(r"kneewatch plan ([a-z-]+)", text("docs/plan.md")))


def test_every_exercise_stands_in_its_document_with_when_not() -> None:
    """The page and the command say the same."""
    document = text("docs/plan.md")

    for exercise in EXERCISES:
        assert f"| {' | '.join(exercise)} |" in document
    for rule in (*STRENGTH_RULES, WARM_UP):
        assert rule in document


def test_the_shares_of_threshold_pace_stand_in_their_document() -> None:
    """Zone by zone, quick end first."""
    for zone, (quick, slow) in ZONE_BANDS.items():
        assert f"| {zone} | {quick:.2f} to {slow:.2f} |" in text("docs/plan.md")


@pytest.mark.parametrize(
    ("table", "needs_no_words"),
    [
        ("run_metrics", {"activity_id", "inputs_key", "longest_30d_activity_id"}),
        ("athlete_parameters", {"athlete"}),
        ("zone_times", {"activity_id"}),
        ("weekly_zones", {"athlete", "week_start", *(f"zone_{zone}_s" for zone in range(6))}),
    ],
)
def test_every_metric_stands_in_its_document(table: str, needs_no_words: set[str]) -> None:
    """Each column is explained with its source."""
    with duckdb.connect() as con:
        migrate(con)
        columns = {str(row[0]) for row in con.execute(f"describe {table}").fetchall()}

    assert columns - set(re.findall(r"`([a-z_0-9]+)`", text("docs/metrics.md"))) == needs_no_words


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
