"""The flows through Prefect's own harness: thin wrappers that end in the same tables."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from flows import steps
from store import home as homes
from store.database import opened_published
from store.home import Home
from store.settings import read_settings

ROOT = Path(__file__).parent.parent
TODAY = date(2026, 8, 28)
TABLES = (
    "activities",
    "laps",
    "run_metrics",
    "daily_load",
    "weekly_trends",
    "plan_vs_actual",
    "pain_reports",
)

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]


@pytest.fixture(scope="module", autouse=True)
def prefect_server() -> Iterator[None]:
    """Prefect's test harness: a server of its own with a temporary database."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield


def home_with_the_spike(folder: Path) -> Home:
    """A home with a few weeks around the spike in its inbox."""
    home = homes.at(folder).prepare()
    shutil.copy(ROOT / "sample_data" / "kneewatch.toml", home.settings_file)
    for pattern in ("2026-07-[23]*", "2026-08-*", "pain.csv"):
        for path in (ROOT / "sample_data" / "inbox").glob(pattern):
            shutil.copy(path, home.inbox)
    shutil.copy(ROOT / "sample_data" / "broken" / "garbage.fit", home.inbox)
    return home


def tables(home: Home) -> dict[str, list[tuple[object, ...]]]:
    with opened_published(home) as con:
        found = {table: con.execute(f"select * from {table} order by all").fetchall() for table in TABLES}
        found["alerts"] = con.execute("select * exclude (raised_at) from alerts order by alert_id").fetchall()
        found["exports"] = con.execute("select * exclude (seen_at) from exports order by all").fetchall()
    return found


def test_the_daily_flow_ends_in_the_same_tables_as_the_plain_steps(tmp_path: Path) -> None:
    """Prefect orchestrates and adds nothing."""
    from flows.daily import daily

    by_prefect, by_hand = home_with_the_spike(tmp_path / "a"), home_with_the_spike(tmp_path / "b")

    counts = daily(str(by_prefect.root), TODAY)
    settings = read_settings(by_hand)
    steps.run_all(by_hand, settings, steps.clock_of(settings, TODAY))

    assert tables(by_hand) == tables(by_prefect)
    assert counts["quarantined"] == 1
    assert counts["new"] > 0


def test_each_flow_can_run_by_itself_and_twice(tmp_path: Path) -> None:
    """Intake, then review, then both again: nothing is doubled."""
    from flows.intake import intake
    from flows.review import review

    home = home_with_the_spike(tmp_path / "home")

    first = intake(str(home.root), TODAY)
    second = intake(str(home.root), TODAY)
    raised = review(str(home.root), TODAY)
    again = review(str(home.root), TODAY)

    assert first["ingested"] > 0
    assert second == {}
    assert raised["new"] > 0
    assert again["new"] == 0


def test_prefect_hears_of_alerts_without_names_or_scores(tmp_path: Path) -> None:
    """The artifact holds day, rule and severity, and nothing of the knee's story."""
    from prefect.artifacts import Artifact

    from flows.review import review

    home = home_with_the_spike(tmp_path / "home")
    from flows.intake import intake

    intake(str(home.root), TODAY)
    review(str(home.root), TODAY)

    artifact = Artifact.get("kneewatch-alerts")
    assert artifact is not None
    assert isinstance(artifact.data, str)
    assert "spike_and_pain" in artifact.data
    for private in ("Mara", "mara", "kneecap", "18.4", "/10"):
        assert private not in artifact.data


def test_every_flow_is_a_deployment_with_its_schedule(home: Home) -> None:
    """Schedules come from the settings and run in the athlete's time zone, one run at a time."""
    from flows.serve import deployments

    shutil.copy(ROOT / "sample_data" / "kneewatch.toml", home.settings_file)

    found = {one.flow_name: one for one in deployments(home, read_settings(home))}

    assert {"intake", "review", "daily"} == set(found)
    assert found["review"].schedules[0].schedule.timezone == "Europe/Berlin"
    assert found["review"].schedules[0].schedule.cron == "0 6 * * *"
    assert found["intake"].concurrency_limit == 1
