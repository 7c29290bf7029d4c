"""The flows through Prefect's own harness: thin wrappers that end in the same tables."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows import steps
from ingest.logs import FLAGS, PAIN_COLUMNS, SCORES, SIDES, SITES
from kneewatch.cli import app
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


def test_a_report_by_prefects_form_ends_in_the_same_tables_as_one_by_command(tmp_path: Path) -> None:
    """All that the form asks for; only the source tells which way it came."""
    from flows.log_knee_pain import log_knee_pain

    by_form, by_command = home_with_the_spike(tmp_path / "a"), home_with_the_spike(tmp_path / "b")
    settings = read_settings(by_form)
    for home in (by_form, by_command):
        steps.run_all(home, settings, steps.clock_of(settings, TODAY))
    alerts_before = len(tables(by_form)["alerts"])

    counts = log_knee_pain(
        str(by_form.root),
        "right",
        during=7,
        after_60min=4,
        next_morning=0,
        before=1,
        site="kneecap",
        flags=["locking", "swelling"],
        changed_gait=False,
        muscle_soreness=3,
        day=date(2026, 8, 27),
        at=time(20, 15),
        athlete="mara",
        today=TODAY,
    )
    words = "pain add --side right --during 7 --after-60min 4 --next-morning 0 --before 1 --site kneecap --flag locking "
    words += "--flag swelling --same-gait --muscle-soreness 3 --date 2026-08-27 --time 20:15 --athlete mara --today 2026-08-28"
    done = CliRunner().invoke(app, [*words.split(), "--home", str(by_command.root)])

    found, expected = tables(by_form), tables(by_command)
    reported = [row for row in found["pain_reports"] if "form" in row]
    assert done.exit_code == 0, done.output
    assert counts == {"reports": 1, "new": len(found["alerts"]) - alerts_before}
    assert counts["new"] > 0
    assert len(reported) == 1
    assert ["cli" if cell == "form" else cell for cell in reported[0]] == list(
        next(row for row in expected["pain_reports"] if "cli" in row)
    )
    assert found | {"pain_reports": []} == expected | {"pain_reports": []}


@pytest.mark.parametrize(
    "wrong",
    [
        {"side": "middle"},
        {"side": "left", "during": 11},
        {"side": "left", "during": -1},
        {"side": "left", "flags": ["sad"]},
    ],
)
def test_the_form_takes_what_is_allowed_and_nothing_else(wrong: dict[str, Any], home: Home) -> None:
    """Prefect itself refuses the rest, before anything runs."""
    from prefect.exceptions import ParameterTypeError

    from flows.log_knee_pain import log_knee_pain

    with pytest.raises(ParameterTypeError):
        log_knee_pain(str(home.root), **wrong)


def test_the_form_offers_choices_and_asks_for_neither_notes_nor_names() -> None:
    """What Prefect's pages make the form of; they also keep what is entered."""
    from flows.log_knee_pain import log_knee_pain

    schema = log_knee_pain.parameters.model_dump()
    form = schema["properties"]

    def allowed(name: str) -> dict[str, Any]:
        return next(one for one in form[name]["anyOf"] if one.get("type") != "null")

    assert schema["required"] == ["home", "side"]
    assert form["side"]["enum"] == list(SIDES)
    assert allowed("site")["enum"] == list(SITES)
    assert allowed("flags")["items"]["enum"] == list(FLAGS)
    for score in (*SCORES, "muscle_soreness"):
        assert (allowed(score)["minimum"], allowed(score)["maximum"]) == (0, 10)
    assert set(PAIN_COLUMNS) - set(form) == {"date", "time", "note"}
    assert set(form) - set(PAIN_COLUMNS) == {"home", "day", "at", "today"}
    assert [name for name, field in form.items() if not field.get("description")] == []


def test_every_flow_is_a_deployment_with_its_schedule(home: Home) -> None:
    """Schedules come from the settings and run in the athlete's time zone, one run at a time."""
    from flows.serve import deployments

    shutil.copy(ROOT / "sample_data" / "kneewatch.toml", home.settings_file)
    with home.settings_file.open("a") as file:
        file.write('[alerts]\ndigest = "sunday 18:05"\n')

    found = {one.flow_name: one for one in deployments(home, read_settings(home))}

    assert {"intake", "review", "daily", "digest", "log-knee-pain"} == set(found)
    assert found["review"].schedules[0].schedule.timezone == "Europe/Berlin"
    assert found["review"].schedules[0].schedule.cron == "0 6 * * *"
    assert found["intake"].concurrency_limit == 1
    assert found["log-knee-pain"].schedules == []
    assert found["digest"].schedules[0].schedule.cron == "5 18 * * 0"
