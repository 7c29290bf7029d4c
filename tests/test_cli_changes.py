"""Commands that change a home, run as a person runs them: what follows from each, and how it is taken back."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import duckdb
import pytest

from store.home import Home
from tests.conftest import ROOT
from tests.test_cli import kneewatch

pytestmark = pytest.mark.homes


@pytest.fixture
def own_home(sample_home: Home, tmp_path: Path) -> Path:
    """A copy of Mara's home that a test may change."""
    return Path(shutil.copytree(sample_home.root, tmp_path / "copy"))


def test_miles_turn_every_number_for_people(own_home: Path) -> None:
    """Distances and paces in tables and reports; the database stays in metres."""
    drawn = kneewatch("week", "--weeks", "16", home=own_home, KNEEWATCH_UNITS="miles")

    assert "11.4 mi" in drawn.stdout
    assert "km" not in drawn.stdout


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
