"""The command line, run as a person runs it: a process of its own, with exit code, stdout and stderr."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from kneewatch.cli import app
from store.home import Home

ROOT = Path(__file__).parent.parent
KNEEWATCH = Path(sys.executable).with_name("kneewatch")


def kneewatch(*words: str, home: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("KNEEWATCH_")}
    if home is not None:
        clean["KNEEWATCH_HOME"] = str(home)
    return subprocess.run(
        [KNEEWATCH, *words], env=clean | environment, capture_output=True, text=True, timeout=120, check=False
    )


def commands() -> list[list[str]]:
    """Every command and subcommand."""
    found: list[list[str]] = []
    for name, command in sorted(get_command(app).commands.items()):  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        found += [[name, one] for one in sorted(below)] if below else [[name]]
    return found


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_says_what_it_does(command: list[str]) -> None:
    """Help is one sentence that ends in a period."""
    found = get_command(app)
    for name in command:
        found = found.commands[name]  # type: ignore[attr-defined]

    assert found.help
    assert found.help.strip().endswith(".")


def test_help_needs_none_of_the_heavy_packages() -> None:
    """The command line starts quickly because it imports what a command needs only when it runs."""
    heavy = {"prefect", "polars", "duckdb", "altair", "pydantic", "numpy", "fitparse", "gpxpy"}
    script = f"import sys, kneewatch.cli; print(*sorted({heavy!r} & set(sys.modules)))"

    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == ""


def test_init_makes_a_home_with_commented_settings(tmp_path: Path) -> None:
    """And leaves settings that are there as they are."""
    first = kneewatch("init", str(tmp_path / "home"))
    (tmp_path / "home" / "kneewatch.toml").write_text('units = "miles"\n')
    second = kneewatch("init", str(tmp_path / "home"))

    assert (first.returncode, second.returncode) == (0, 0)
    assert (tmp_path / "home" / "kneewatch.toml").read_text() == 'units = "miles"\n'
    assert (tmp_path / "home" / "inbox").is_dir()


def test_a_misspelt_setting_is_one_sentence_and_exit_2(tmp_path: Path) -> None:
    """It names the file, the key and what would be right."""
    (tmp_path / "kneewatch.toml").write_text("[alerts]\ndeliver_within_dayz = 3\n")

    found = kneewatch("run", home=tmp_path)

    assert found.returncode == 2
    assert found.stdout == ""
    assert len(found.stderr.strip().splitlines()) == 1
    assert "deliver_within_dayz" in found.stderr
    assert "deliver_within_days" in found.stderr


def test_nothing_published_yet_is_a_sentence(tmp_path: Path) -> None:
    """No traceback, and the command that mends it."""
    found = kneewatch("week", home=tmp_path)

    assert found.returncode == 1
    assert "kneewatch run" in found.stderr
    assert "Traceback" not in found.stderr


def test_the_week_table_is_drawn_and_is_json(sample_home: Home) -> None:
    """Sixteen weeks as a person reads them and as a program does."""
    drawn = kneewatch("week", "--weeks", "16", home=sample_home.root)
    told = kneewatch("week", "--weeks", "16", "--json", home=sample_home.root)

    weeks = json.loads(told.stdout)
    assert (drawn.returncode, drawn.stderr, told.returncode, told.stderr) == (0, "", 0, "")
    assert len(weeks) == 16
    assert "18.4 km" in drawn.stdout
    assert "not reported" in drawn.stdout
    assert "93 %" in drawn.stdout
    assert all(week["easy_share"] > 0.9 for week in weeks if week["runs"])
    assert {week["easy_share"] for week in weeks if not week["runs"]} == {None}


@pytest.mark.homes
def test_ingest_copies_given_files_and_tells_of_refusals(tmp_path: Path) -> None:
    """Exit 1 when something was refused; the original stays where it was."""
    good = shutil.copy(next((ROOT / "sample_data" / "inbox").glob("*.fit")), tmp_path)
    bad = shutil.copy(ROOT / "sample_data" / "broken" / "garbage.fit", tmp_path)

    found = kneewatch("ingest", str(good), str(bad), home=tmp_path / "home")
    again = kneewatch("ingest", str(good), "--json", home=tmp_path / "home")

    assert found.returncode == 1
    assert "1 ingested, 1 quarantined" in found.stdout
    assert Path(good).exists()
    assert [row["outcome"] for row in json.loads(again.stdout)] == ["duplicate"]
    assert again.returncode == 0


def test_a_path_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    """Exit 2, with the path."""
    found = kneewatch("ingest", str(tmp_path / "nowhere.fit"), home=tmp_path / "home")

    assert found.returncode == 2
    assert "nowhere.fit does not exist" in found.stderr


@pytest.mark.homes
def test_alerts_check_finds_open_ones(sample_home: Home) -> None:
    """Exit 1 on the day after the stop alert, 0 when all have cleared and no spike is planned."""
    then = kneewatch("alerts", "--check", "--today", "2026-08-28", "--json", home=sample_home.root)
    now = kneewatch("alerts", "--check", "--today", "2026-09-22", home=sample_home.root)

    assert (then.returncode, now.returncode) == (1, 0)
    assert [alert["severity"] for alert in json.loads(then.stdout)] == ["caution", "warning", "stop"]
    assert "No open alert" in now.stdout


@pytest.mark.homes
def test_a_plan_can_be_chosen_and_shown(tmp_path: Path) -> None:
    """Sixteen weeks end on race day; a plan that is not there is named beside those that are."""
    used = kneewatch("plan", "use", "half_marathon_beginner", "--race", "2027-04-04", home=tmp_path)
    sessions = json.loads(kneewatch("plan", "show", "--json", home=tmp_path).stdout)
    wrong = kneewatch("plan", "use", "couch", "--race", "2027-04-04", home=tmp_path)

    assert used.returncode == 0
    assert (sessions[-1]["session"], sessions[-1]["local_date"]) == ("race", "2027-04-04")
    assert wrong.returncode == 2
    assert "half_marathon_intermediate" in wrong.stderr


@pytest.mark.homes
def test_a_session_moved_beside_one_alike_is_shown_once(tmp_path: Path) -> None:
    """Each with what became of it."""
    kneewatch("plan", "use", "half_marathon_beginner", "--race", "2027-04-04", home=tmp_path)
    before = json.loads(kneewatch("plan", "show", "--json", home=tmp_path).stdout)
    first, second, *_ = [row["local_date"] for row in before if row["session"] == "easy"]

    moved = kneewatch("plan", "move", first, second, "--session", "easy", home=tmp_path)
    after = json.loads(kneewatch("plan", "show", "--json", home=tmp_path).stdout)

    assert moved.returncode == 0, moved.stderr
    assert len([row for row in after if (row["local_date"], row["session"]) == (second, "easy")]) == 2
    assert len(after) <= len(before)


@pytest.mark.homes
def test_a_plan_goes_out_and_is_checked(tmp_path: Path) -> None:
    """What was exported is a file to check; what was found is exit 1."""
    home, table = tmp_path / "home", tmp_path / "mine.csv"
    kneewatch("plan", "use", "half_marathon_beginner", "--race", "2027-04-04", "--goal", "1:55:00", home=home)
    written = kneewatch("plan", "export", "-o", str(table), home=home)
    table.write_text(table.read_text().replace("2,sun,long,9.3", "2,sun,long,19.3"))
    found = kneewatch("plan", "check", str(table), "--json", home=home)

    assert (written.returncode, found.returncode) == (0, 1)
    assert {"spike", "ramp"} <= {one["rule"] for one in json.loads(found.stdout)["findings"]}


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "use", "half_marathon_beginner", "--race", "2027-04-04", "--goal", "fast"),
        ("plan", "check", "nowhere.csv"),
        ("plan", "export", "--format", "fit"),
    ],
)
def test_wrong_use_of_the_plan_is_a_sentence(words: tuple[str, ...], tmp_path: Path) -> None:
    """Exit 2, and nothing on stdout."""
    refused = kneewatch(*words, home=tmp_path)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("kneewatch: ")


@pytest.mark.homes
def test_an_adjustment_needs_a_plan_and_one_wish_at_a_time(home: Home) -> None:
    """What is missing is named with its remedy."""
    kneewatch("run", home=home.root)

    shown = kneewatch("plan", "adjust", home=home.root)
    accepted = kneewatch("plan", "adjust", "--accept", home=home.root)
    both = kneewatch("plan", "adjust", "--accept", "--undo", home=home.root)

    assert shown.stdout.startswith("No plan: kneewatch plan use")
    assert (accepted.returncode, both.returncode) == (2, 2)
    assert "kneewatch plan use NAME --race YYYY-MM-DD" in accepted.stderr


def test_sql_answers_and_cannot_write(sample_home: Home, tmp_path: Path) -> None:
    """Questions about every table and the samples; no writing, no other file."""
    answer = kneewatch(
        "sql", 'select count(*) as n from samples where "at" is not null', "--json", home=sample_home.root
    )
    refused = [
        kneewatch("sql", question, home=sample_home.root)
        for question in (
            "delete from runs",
            f"copy runs to '{tmp_path / 'out.csv'}'",
            "select * from read_csv('/etc/passwd')",
            f"attach '{tmp_path / 'other.duckdb'}'",
            "install httpfs",
        )
    ]

    assert json.loads(answer.stdout)[0]["n"] > 100_000
    assert answer.stderr == ""
    assert [2] * len(refused) == [one.returncode for one in refused]
    assert list(tmp_path.iterdir()) == []


def test_every_named_question_has_an_answer(sample_home: Home) -> None:
    """The .sql files that come with Kneewatch all run; in this process, since there are many."""
    names = [row["name"] for row in json.loads(kneewatch("query", "--list", "--json").stdout)]
    home = ["--home", str(sample_home.root)]

    failed = [name for name in names if CliRunner().invoke(app, ["query", name, "--json", *home]).exit_code]

    assert len(names) > 5
    assert failed == []


def test_lists_show_what_is_there(sample_home: Home) -> None:
    """Activities, one activity with its laps, exports and their reasons."""
    activities = json.loads(kneewatch("activities", "--json", home=sample_home.root).stdout)
    one = json.loads(
        kneewatch("activities", "show", activities[-1]["activity_id"], "--json", home=sample_home.root).stdout
    )
    refused = kneewatch("exports", "list", "--outcome", "quarantined", home=sample_home.root)

    assert len(activities) == 30
    assert one["laps"]
    assert "garbage.fit" in refused.stdout


@pytest.mark.homes
def test_the_report_goes_where_it_is_told(sample_home: Home, tmp_path: Path) -> None:
    """A file, or stdout; a past day is replayed without touching the home."""
    written = kneewatch(
        "report", "-o", str(tmp_path / "page.html"), "--today", "2026-08-28", home=sample_home.root
    )
    printed = kneewatch("report", "-o", "-", home=sample_home.root)

    assert written.returncode == 0
    assert "pain is rising" in (tmp_path / "page.html").read_text()
    assert printed.stdout.startswith("<!doctype html>")


def test_doctor_finds_a_home_in_order_and_one_that_is_not_there(sample_home: Home, tmp_path: Path) -> None:
    """Each finding names its remedy; what is bad ends in exit 1."""
    good = kneewatch("doctor", "--json", home=sample_home.root)
    missing = kneewatch("doctor", home=tmp_path / "nowhere")

    findings = {finding["what"]: finding for finding in json.loads(good.stdout)}
    assert good.returncode == 0
    assert findings["prefect"]["state"] == "good"
    assert findings["quarantine"]["state"] == "look"
    assert findings["athletes"]["detail"] == "all values are set"
    assert missing.returncode == 1
    assert "kneewatch init" in missing.stdout
