"""A damaged store is found, and made again with the same result; what cannot be mended is left as it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kneewatch.doctor import check
from store.database import frame, opened_published, opened_store
from store.home import Home
from store.rebuild import damage_of

KNEEWATCH = Path(sys.executable).with_name("kneewatch")
NOT_THE_SAME = {"flow_log"}


@pytest.fixture
def home(sample_home: Home, tmp_path: Path) -> Home:
    """A copy of Mara's home that a test may damage."""
    return Home(Path(shutil.copytree(sample_home.root, tmp_path / "copy")))


def kneewatch(home: Home, *words: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("KNEEWATCH_")}
    return subprocess.run(
        [KNEEWATCH, *words, "--home", str(home.root)],
        env=clean,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def words_of(home: Home) -> dict[str, list[str]]:
    """Return every table as text."""
    with opened_published(home) as con:
        names = con.execute(
            "select table_name from duckdb_tables() where database_name = 'published'"
        ).fetchall()
        return {
            name: [repr(row) for row in frame(con, f'from "{name}" order by all').to_dicts()]
            for (name,) in names
            if name not in NOT_THE_SAME
        }


def damage(path: Path) -> None:
    """Overwrite the middle of a file."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40_000] = os.urandom(40_000)
    path.write_bytes(bytes(content))


@pytest.mark.homes
@pytest.mark.parametrize("options", [(), ("--from-archive",)])
def test_a_damaged_store_is_made_again_with_the_same_result(options: tuple[str, ...], home: Home) -> None:
    """On the day the tables were computed for; the old store is kept aside."""
    kneewatch(home, "run", "--today", "2026-10-03")
    before = words_of(home)
    damage(home.store)

    found = {one["what"]: one for one in check(home)}["store"]
    done = kneewatch(home, "rebuild", *options)
    kneewatch(home, "run", "--today", "2026-10-03")

    assert (found["state"], found["remedy"]) == ("bad", "kneewatch rebuild")
    assert done.returncode == 0, done.stderr
    assert len(before["activities"]) == 61
    after = words_of(home)
    # rebuilt on the present day, which may have alerts of the weeks since
    assert {*before.pop("alerts")} <= {*after.pop("alerts")}
    assert [name for name in before if after[name] != before[name]] == []
    assert {one["what"]: one for one in check(home)}["store"]["state"] == "good"
    assert len(list(home.state.glob("store.*.old.duckdb"))) == 1


@pytest.mark.homes
def test_what_a_killed_writer_left_in_the_log_goes_aside_with_its_store(home: Home) -> None:
    """The log belongs to the old store, and would be played into the new one."""
    killed = """
import duckdb, os, sys
con = duckdb.connect(sys.argv[1])
con.execute("create table half as select 1")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", killed, str(home.store)], check=True)
    log = home.store.with_name(f"{home.store.name}.wal")
    assert log.exists()
    damage(home.store)

    done = kneewatch(home, "rebuild")

    assert done.returncode == 0, done.stderr
    assert len(list(home.state.glob("store.*.old.duckdb.wal"))) == 1
    with opened_store(home) as con:
        assert con.execute("from duckdb_tables() where table_name = 'half'").fetchall() == []


def test_a_store_that_cannot_be_opened_is_a_sentence(home: Home) -> None:
    """With the command that mends it."""
    home.store.write_bytes(b"no database" * 1000)

    refused = kneewatch(home, "ingest")

    assert refused.returncode == 1
    assert "kneewatch rebuild" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_when_both_copies_are_damaged_nothing_is_touched(home: Home) -> None:
    """A backup is what is left then."""
    damage(home.store)
    damage(home.published)
    before = home.store.read_bytes()

    refused = kneewatch(home, "rebuild")

    assert refused.returncode == 1
    assert "kneewatch restore" in refused.stderr
    assert home.store.read_bytes() == before


@pytest.mark.homes
def test_reading_again_keeps_what_people_decided(home: Home) -> None:
    """By the ids of activities, which come from the bytes."""
    query = "select activity_id from runs order by distance_m desc limit 1"
    (run,) = json.loads(kneewatch(home, "sql", query, "--json").stdout)
    kneewatch(home, "activities", "correct", run["activity_id"], "--distance", "19km")

    kneewatch(home, "rebuild", "--from-archive")

    corrected = f"select distance_m from runs where activity_id = '{run['activity_id']}'"
    assert json.loads(kneewatch(home, "sql", corrected, "--json").stdout) == [{"distance_m": 19000}]


def test_a_sound_database_has_no_damage(home: Home, tmp_path: Path) -> None:
    """And one that is not there has."""
    assert damage_of(home.published) is None
    assert damage_of(tmp_path / "nowhere") == "it is not there"
