"""The command line, run as a person runs it: a process of its own, with exit code, stdout and stderr."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
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


@pytest.fixture
def own_home(sample_home: Home, tmp_path: Path) -> Path:
    """A copy of Mara's home that a test may change."""
    return Path(shutil.copytree(sample_home.root, tmp_path / "copy"))


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


def test_miles_turn_every_number_for_people(own_home: Path) -> None:
    """Distances and paces in tables and reports; the database stays in metres."""
    drawn = kneewatch("week", "--weeks", "16", home=own_home, KNEEWATCH_UNITS="miles")

    assert "11.4 mi" in drawn.stdout
    assert "km" not in drawn.stdout


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


def test_alerts_check_finds_open_ones(sample_home: Home) -> None:
    """Exit 1 on the day after the stop alert, 0 when all have cleared and no spike is planned."""
    then = kneewatch("alerts", "--check", "--today", "2026-08-28", "--json", home=sample_home.root)
    now = kneewatch("alerts", "--check", "--today", "2026-09-22", home=sample_home.root)

    assert (then.returncode, now.returncode) == (1, 0)
    assert [alert["severity"] for alert in json.loads(then.stdout)] == ["caution", "warning", "stop"]
    assert "No open alert" in now.stdout


def test_an_alert_can_be_acknowledged_by_the_start_of_its_id(own_home: Path) -> None:
    """It is no longer open, and stays acknowledged through the next review."""
    kneewatch("run", "--today", "2026-08-28", home=own_home)
    first = json.loads(kneewatch("alerts", "list", "--json", home=own_home).stdout)[0]

    done = kneewatch("alerts", "ack", first["alert_id"][:10], home=own_home)
    kneewatch("run", "--today", "2026-08-28", home=own_home)

    left = json.loads(kneewatch("alerts", "list", "--json", home=own_home).stdout)
    assert done.returncode == 0
    assert first["alert_id"] not in [alert["alert_id"] for alert in left]
    assert len(left) == 2


def test_pain_is_reported_in_one_line_and_answered(own_home: Path) -> None:
    """The alert it raises is printed at once."""
    found = kneewatch(
        "pain",
        "add",
        "--side",
        "left",
        "--during",
        "4",
        "--date",
        "2026-08-24",
        "--today",
        "2026-08-24",
        home=own_home,
    )
    reports = json.loads(kneewatch("pain", "list", "--json", home=own_home).stdout)

    assert found.returncode == 0
    assert "WARNING: Sunday's run (23 Aug) was 18.4 km." in found.stdout
    assert ("left", 4.0) in [(report["side"], report["during"]) for report in reports]


def test_strength_work_is_noted_exercise_by_exercise(own_home: Path) -> None:
    """All of one day are one session, to which each is added; the log that was dropped before counts as well."""
    before = len(json.loads(kneewatch("strength", "list", "--json", home=own_home).stdout))
    first = ("strength", "add", "leg curl", "--sets", "3", "--reps", "10", "--rpe", "5")
    second = (
        "strength",
        "add",
        "Bulgarian split squat",
        "--rpe",
        "6",
        "--duration-min",
        "25",
        "--note",
        "slow",
    )
    day = ("--date", "2026-09-30", "--today", "2026-10-03")

    for words in (first, second):
        said = kneewatch(*words, *day, home=own_home)
    listed = kneewatch("strength", "list", home=own_home).stdout
    sessions = json.loads(kneewatch("strength", "list", "--json", home=own_home).stdout)

    assert said.stdout == "Noted for 2026-09-30: leg curl, Bulgarian split squat.\n"
    assert len(sessions) == before + 1
    (new,) = [one for one in sessions if one["local_date"] == "2026-09-30"]
    assert (new["rpe"], new["duration_s"], new["note"]) == (6, 1500, "slow")
    assert new["exercises"][0] == {"name": "leg curl", "sets": 3, "reps": 10, "load_kg": None}
    assert "leg curl, Bulgarian split squat" in " ".join(listed.split())
    assert kneewatch("strength", "add", "leg curl", "--rpe", "11", home=own_home).returncode == 2


def test_a_wrong_score_is_refused_with_what_is_allowed(own_home: Path) -> None:
    """Exit 2, and nothing is kept."""
    found = kneewatch("pain", "add", "--side", "left", "--during", "12", home=own_home)

    assert found.returncode == 2
    assert "0 to 10" in found.stderr


def test_a_plan_can_be_chosen_and_shown(tmp_path: Path) -> None:
    """Sixteen weeks end on race day; a plan that is not there is named beside those that are."""
    used = kneewatch("plan", "use", "half_marathon_beginner", "--race", "2027-04-04", home=tmp_path)
    sessions = json.loads(kneewatch("plan", "show", "--json", home=tmp_path).stdout)
    wrong = kneewatch("plan", "use", "couch", "--race", "2027-04-04", home=tmp_path)

    assert used.returncode == 0
    assert (sessions[-1]["session"], sessions[-1]["local_date"]) == ("race", "2027-04-04")
    assert wrong.returncode == 2
    assert "half_marathon_intermediate" in wrong.stderr


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


def test_a_sore_knee_changes_the_fortnight_only_when_told_and_can_be_undone(own_home: Path) -> None:
    """The day after the third alert: walks instead of runs, shown, taken over, taken back."""

    def sessions() -> list[tuple[str, str]]:
        rows = json.loads(kneewatch("plan", "show", "--json", home=own_home).stdout)
        return [(row["local_date"], row["session"]) for row in rows]

    before = sessions()
    day = ("--today", "2026-08-28")

    shown = kneewatch("plan", "adjust", *day, home=own_home)
    told = json.loads(kneewatch("plan", "adjust", "--json", *day, home=own_home).stdout)
    assert shown.returncode == 0
    assert "Nothing is changed yet" in shown.stdout
    assert "consider another goal" in shown.stdout
    assert {row["new_session"] for row in told["changes"]} == {"walk", "rest"}
    assert told["outlook"]["pain_level"] == "P3"
    assert sessions() == before

    accepted = kneewatch("plan", "adjust", "--accept", *day, home=own_home)
    assert accepted.stdout.startswith(f"Changed: {len(told['changes'])} sessions")
    assert ("2026-08-30", "walk") in sessions()
    again = json.loads(kneewatch("plan", "adjust", "--json", *day, home=own_home).stdout)
    assert again["changes"] == []
    assert kneewatch("plan", "adjust", "--accept", *day, home=own_home).stdout.startswith("Nothing to change")

    undone = kneewatch("plan", "adjust", "--undo", *day, home=own_home)
    assert undone.stdout == "Undone: the adjustment of Fri 28 Aug.\n"
    assert sessions() == before
    assert kneewatch("plan", "adjust", "--undo", home=own_home).stdout.startswith("There is no adjustment")


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


def test_an_activity_can_be_left_out_and_counts_again(own_home: Path) -> None:
    """Without the long run there is no spike and no alert of one."""
    runs = json.loads(
        kneewatch(
            "sql", "select activity_id from runs order by distance_m desc limit 1", "--json", home=own_home
        ).stdout
    )
    longest = runs[0]["activity_id"]

    kneewatch("activities", "exclude", longest[:12], home=own_home)
    without = json.loads(kneewatch("alerts", "list", "--all", "--json", home=own_home).stdout)
    kneewatch("activities", "exclude", longest[:12], "--undo", home=own_home)
    again = json.loads(kneewatch("alerts", "list", "--all", "--json", home=own_home).stdout)

    assert {"superseded"} == {alert["status"] for alert in without if alert["rule"] == "spike_and_pain"}
    assert [alert["status"] for alert in again if alert["rule"] == "spike_and_pain"] == ["cleared"] * 3


def ids_of_runs(home: Path) -> list[str]:
    query = "select activity_id from runs order by started_at desc"
    return [row["activity_id"] for row in json.loads(kneewatch("sql", query, "--json", home=home).stdout)]


def test_a_distance_can_be_corrected_and_taken_back(own_home: Path) -> None:
    """In any unit; what is no distance is wrong use."""
    run = ids_of_runs(own_home)[0]
    query = f"select round(distance_m) as m from runs where activity_id = '{run}'"
    recorded = kneewatch("sql", query, "--json", home=own_home).stdout

    wrong = kneewatch("activities", "correct", run[:12], "--distance", "far", home=own_home)
    done = kneewatch("activities", "correct", run[:12], "--distance", "10.2km", home=own_home)
    corrected = json.loads(kneewatch("sql", query, "--json", home=own_home).stdout)
    kneewatch("activities", "correct", run[:12], "--distance", "recorded", home=own_home)

    assert (wrong.returncode, "10.2km" in wrong.stderr) == (2, True)
    assert "10.2 km from now on" in done.stdout
    assert corrected == [{"m": 10200}]
    assert kneewatch("sql", query, "--json", home=own_home).stdout == recorded


def test_activities_can_be_joined_and_taken_apart(own_home: Path) -> None:
    """Two count as one until they are taken apart."""
    second, first, *_ = before = ids_of_runs(own_home)

    joined = kneewatch("activities", "join", second[:12], first[:12], home=own_home)
    together = ids_of_runs(own_home)
    shown = json.loads(kneewatch("activities", "show", second[:12], "--json", home=own_home).stdout)
    kneewatch("activities", "join", first[:12], second[:12], "--undo", home=own_home)

    assert joined.returncode == 0, joined.stderr
    assert together == before[1:]
    assert shown["part_of"] == first
    assert [decision["kind"] for decision in shown["decisions"]] == ["join"]
    assert ids_of_runs(own_home) == before
    assert kneewatch("activities", "join", first[:12], first[:12], home=own_home).returncode == 2


def test_what_was_taken_for_one_session_can_be_split(own_home: Path) -> None:
    """The reason is shown before; one that doubles nothing has nothing to be split from."""
    query = "select activity_id, duplicate_of from activities where duplicate_of is not null limit 1"
    (double,) = json.loads(kneewatch("sql", query, "--json", home=own_home).stdout)
    before = ids_of_runs(own_home)

    shown = kneewatch("activities", "show", double["activity_id"], home=own_home)
    split = kneewatch("activities", "split", double["activity_id"], home=own_home)
    alone = kneewatch("activities", "split", double["activity_id"], home=own_home)

    assert "same time (" in shown.stdout
    assert "two sessions" in split.stdout
    assert alone.returncode == 1
    assert set(ids_of_runs(own_home)) == {*before, double["activity_id"]}


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


def test_the_report_goes_where_it_is_told(sample_home: Home, tmp_path: Path) -> None:
    """A file, or stdout; a past day is replayed without touching the home."""
    written = kneewatch(
        "report", "-o", str(tmp_path / "page.html"), "--today", "2026-08-28", home=sample_home.root
    )
    printed = kneewatch("report", "-o", "-", home=sample_home.root)

    assert written.returncode == 0
    assert "pain is rising" in (tmp_path / "page.html").read_text()
    assert printed.stdout.startswith("<!doctype html>")


def test_the_athletes_values_are_shown_with_what_they_rest_on(sample_home: Home, own_home: Path) -> None:
    """What is set says so; without it the history speaks, and doctor calls it an estimate."""
    settings = own_home / "kneewatch.toml"
    settings.write_text(re.sub(r"(?m)^(resting|max|threshold)_.*\n", "", settings.read_text()))

    is_set = kneewatch("athlete", home=sample_home.root)
    rows = json.loads(kneewatch("athlete", "--today", "2026-09-30", "--json", home=own_home).stdout)
    kneewatch("run", home=own_home)
    findings = {
        finding["what"]: finding
        for finding in json.loads(kneewatch("doctor", "--json", home=own_home).stdout)
    }

    assert re.search(r"Maximum heart rate +186 bpm +from the beginning +set in kneewatch.toml", is_set.stdout)
    assert [(row["parameter"], row["is_estimated"]) for row in rows] == [
        ("resting_hr_bpm", True),
        ("max_hr_bpm", True),
        ("threshold_hr_bpm", True),
        ("threshold_pace_s_per_km", True),
    ]
    assert rows[1]["evidence"]["method"] == "by age, as nobody ran that hard"
    assert findings["athletes"]["detail"].startswith("some values of mara are estimates")


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


def test_a_home_of_a_newer_kneewatch_is_left_alone(own_home: Path) -> None:
    """Whoever would write is told to upgrade, and doctor says it as well; questions are answered."""
    for name in (".state/store.duckdb", "kneewatch.duckdb"):
        with duckdb.connect(str(own_home / name)) as con:
            con.execute("insert into schema_migrations values ('9999_to_come.sql', 'x')")
    before = (own_home / ".state" / "store.duckdb").read_bytes()

    refused = [
        kneewatch(*words, home=own_home)
        for words in (["run"], ["ingest"], ["pain", "add", "--side", "left", "--during", "1"])
    ]
    found = kneewatch("doctor", home=own_home)
    asked = kneewatch("week", home=own_home)

    assert [one.returncode for one in refused] == [1, 1, 1]
    assert {one.stderr.partition(" (it knows")[0] for one in refused} == {
        "kneewatch: This database was written by a newer Kneewatch"
    }
    assert "newer Kneewatch (9999_to_come.sql)" in " ".join(found.stdout.split())
    assert found.returncode == 1
    assert asked.returncode == 0
    assert (own_home / ".state" / "store.duckdb").read_bytes() == before


def test_no_coordinate_and_no_note_reaches_the_output_of_a_run(own_home: Path) -> None:
    """What the commands say can be pasted into a bug report."""
    shutil.copy(ROOT / "sample_data" / "inbox" / "pain.csv", own_home / "inbox")

    found = kneewatch("run", home=own_home)

    assert "53.1" not in found.stdout + found.stderr
    assert "9.9" not in found.stdout + found.stderr
    assert found.stderr == ""
