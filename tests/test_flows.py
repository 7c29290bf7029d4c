"""The flows through Prefect's own harness: thin wrappers that end in the same tables."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, time
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
import yaml
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
PATIENCE_S = 240
NOBODYS_BLOCK = "00000000-0000-0000-0000-000000000000"
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

    with prefect_test_harness(server_startup_timeout=300):
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


@pytest.mark.homes
def test_each_flow_can_run_by_itself_and_twice(tmp_path: Path) -> None:
    """Intake alone, then review, then both again: nothing is doubled."""
    from flows.intake import intake
    from flows.review import review

    home = home_with_the_spike(tmp_path / "home")

    first = intake(str(home.root), TODAY, review_after=False)
    second = intake(str(home.root), TODAY, review_after=False)
    raised = review(str(home.root), TODAY)
    again = review(str(home.root), TODAY)

    assert first["ingested"] > 0
    assert second == {}
    assert raised["new"] > 0
    assert again["new"] == 0


@pytest.mark.homes
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


@pytest.mark.homes
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


@pytest.mark.homes
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


@pytest.mark.homes
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


@pytest.mark.homes
def test_an_intake_reviews_what_is_new_and_nothing_else(tmp_path: Path) -> None:
    """One flow run from the drop to the alert; the same files again change nothing."""
    from flows.intake import intake

    home = home_with_the_spike(tmp_path / "home")

    counts = intake(str(home.root), TODAY)
    for path in (ROOT / "sample_data" / "inbox").glob("2026-08-2*"):
        shutil.copy(path, home.inbox)
    again = intake(str(home.root), TODAY)

    assert counts["new"] > 0
    assert set(again) == {"duplicate"}


@pytest.mark.homes
def test_prefect_hears_of_files_without_their_names(tmp_path: Path) -> None:
    """What came in and what was refused and why, as a table and as events; the run is named after how many there were."""
    from prefect.artifacts import Artifact

    from flows.intake import intake

    home = home_with_the_spike(tmp_path / "home")
    for path in home.inbox.glob("2026-0*"):
        path.unlink()
    shutil.copy(sorted((ROOT / "sample_data" / "inbox").glob("*.fit"))[0], home.inbox)
    (home.inbox / "pain of Mara.csv").write_text("date,side,during\n2026-08-27,left,eleven\n")

    state = intake(str(home.root), TODAY, return_state=True)

    table = Artifact.get("kneewatch-intake")
    week, page = Artifact.get("kneewatch-week"), Artifact.get("kneewatch-page")
    run = within_patience(lambda: flow_run_of(state))
    assert None not in (table, week, page)
    assert run.name == "intake-4-files"
    assert '"why": "This FIT file is damaged' in table.data
    assert "kneewatch exports says why" in table.data
    assert "Runs: " in week.data
    assert "latest.html" in page.data
    told = within_patience(
        lambda: (
            {"kneewatch.file.ingested", "kneewatch.file.refused"} <= (events := events_told()).keys()
            and events
        )
    )
    for private in ("Mara", "mara", "eleven", "garbage", ".fit"):
        assert private not in table.data + week.data + str(told)


@pytest.mark.homes
def test_a_history_is_taken_in_by_many_processes_as_by_one(tmp_path: Path) -> None:
    """The same tables, also when it is started again; how far it is stands in an artifact."""
    from prefect.artifacts import Artifact

    from flows.backfill import backfill

    by_one, by_many = (homes.at(tmp_path / name).prepare() for name in ("one", "many"))
    for home in (by_one, by_many):
        shutil.copy(ROOT / "sample_data" / "kneewatch.toml", home.settings_file)
    history = tmp_path / "history"
    shutil.copytree(
        ROOT / "sample_data" / "inbox", history, ignore=lambda _, names: [n for n in names if "-08-" not in n]
    )

    backfill(str(by_one.root), [history], today=TODAY)
    counts = backfill(str(by_many.root), [history], runner="processes", today=TODAY)
    again = backfill(str(by_many.root), [history], runner="processes", today=TODAY)

    progress = Artifact.get("kneewatch-backfill")
    assert tables(by_many) == tables(by_one)
    assert counts["ingested"] == again["duplicate"] > 5
    assert again["metrics_computed"] == 0
    assert progress is not None
    assert float(progress.data) == 100.0


@pytest.mark.homes
@pytest.mark.parametrize(
    "file", sorted((ROOT / "docs" / "automations").glob("*.yaml")), ids=lambda file: file.stem
)
def test_the_automations_of_the_documents_are_taken_by_a_server(file: Path) -> None:
    """With a block of one's own in the place of nobody's."""
    from prefect.automations import Automation
    from prefect.blocks.notifications import SlackWebhook

    block = SlackWebhook(url="https://hooks.slack.com/services/T0/B0/x").save("kneewatch", overwrite=True)
    text = file.read_text()

    created = Automation.model_validate(yaml.safe_load(text.replace(NOBODYS_BLOCK, str(block)))).create()

    assert NOBODYS_BLOCK in text
    assert Automation.read(id=created.id).actions[0].block_document_id == block


def test_every_run_has_a_name_that_says_what_it_was_about() -> None:
    """Without one Prefect makes one up."""
    from flows.deployments import DEPLOYED

    assert [one.flow.name for one in DEPLOYED if one.flow.flow_run_name is None] == []


@pytest.mark.homes
def test_the_deployments_of_prefect_yaml_are_those_that_are_served(tmp_path: Path) -> None:
    """A server takes them all; schedules are those of a kneewatch.toml in which nothing is set."""
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL

    from flows.deployments import deployments

    home = homes.at(tmp_path / "home").prepare()
    environment = {
        **os.environ,
        "PREFECT_API_URL": PREFECT_API_URL.value() or "",
        "KNEEWATCH_HOME": str(home.root),
        "PREFECT_DEFAULT_WORK_POOL_NAME": "knee",
    }
    prefect = [sys.executable, "-m", "prefect", "--no-prompt"]

    for words in (["work-pool", "create", "--type", "process", "knee"], ["deploy", "--all"]):
        subprocess.run(
            [*prefect, *words], cwd=ROOT, env=environment, check=True, capture_output=True, timeout=PATIENCE_S
        )

    with get_client(sync_client=True) as client:
        found = {
            one.entrypoint.replace(":", "."): one
            for one in client.read_deployments()
            if one.work_pool_name == "knee"
        }
    served = {one.entrypoint: one for one in deployments(home, read_settings(home))}
    assert len(found) == len(served) == 7
    for entrypoint, one in served.items():
        deployed = found[entrypoint]
        assert (deployed.name, deployed.tags) == (one.name, one.tags)
        assert deployed.description
        assert deployed.parameters == one.parameters
        assert deployed.global_concurrency_limit.limit == one.concurrency_limit
        assert [each.schedule.cron for each in deployed.schedules] == [
            each.schedule.cron for each in one.schedules
        ]
        assert deployed.pull_steps == []


def within_patience(look: Callable[[], Any]) -> Any:
    """Return what is found when it is something: Prefect writes events down when it comes to it."""
    deadline = monotonic() + PATIENCE_S
    while not (found := look()):
        assert monotonic() < deadline, "it did not come"
        sleep(0.2)
    return found


def flow_run_of(state: Any) -> Any:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        return client.read_flow_run(state.state_details.flow_run_id)


def events_told() -> dict[str, Any]:
    """Return what the server knows of our own events, by their name."""
    from prefect.client.orchestration import get_client

    async def asked() -> Any:
        async with get_client() as client:
            answer = await client._client.post(
                "/events/filter", json={"filter": {"event": {"prefix": ["kneewatch."]}}}
            )
            return answer.json()["events"]

    return {event["event"]: event["payload"] for event in asyncio.run(asked())}


@pytest.mark.homes
def test_prefect_knows_all_that_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that it does not know would be passed over in silence."""
    from prefect.settings import Settings as PrefectSettings

    from flows.environment import SETTINGS

    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)

    known = PrefectSettings().to_environment_variables(exclude_unset=True)

    assert {*SETTINGS} - {"DO_NOT_TRACK"} <= {*known}


@pytest.mark.homes
def test_every_flow_is_a_deployment_with_its_schedule(home: Home) -> None:
    """Schedules come from the settings and run in the athlete's time zone, one run at a time."""
    from flows.deployments import deployments

    shutil.copy(ROOT / "sample_data" / "kneewatch.toml", home.settings_file)
    with home.settings_file.open("a") as file:
        file.write('[alerts]\ndigest = "sunday 18:05"\n')

    found = {one.flow_name: one for one in deployments(home, read_settings(home))}

    assert {"intake", "review", "daily", "digest", "remind", "log-knee-pain", "backfill"} == set(found)
    assert found["review"].schedules[0].schedule.timezone == "Europe/Berlin"
    assert found["review"].schedules[0].schedule.cron == "0 6 * * *"
    assert found["intake"].concurrency_limit == 1
    assert found["log-knee-pain"].schedules == []
    assert found["digest"].schedules[0].schedule.cron == "5 18 * * 0"


@pytest.mark.homes
def test_every_form_explains_what_it_asks_for_and_keeps_no_result(home: Home) -> None:
    """Descriptions come from the docstrings; what a flow returns stays with who called it."""
    from flows.deployments import DEPLOYED

    for flow in (one.flow for one in DEPLOYED):
        fields = flow.parameters.model_dump()["properties"]
        assert flow.description
        assert flow.persist_result is False
        assert [name for name, field in fields.items() if not field.get("description")] == []
        assert [
            name for name, field in fields.items() if not {"type", "anyOf", "enum", "$ref"} & field.keys()
        ] == []
