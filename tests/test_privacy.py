"""Health data stays where it belongs: neither Prefect's records nor logs nor the screen hold names, notes, places, passwords."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import traceback
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.discretion import StepError, discreet
from sample_data import fit_writer
from sample_data.recording import record
from sample_data.story import Run
from store.home import Home
from store.settings import read_settings

KNEEWATCH = Path(sys.executable).with_name("kneewatch")
DAY = date(2026, 7, 2)
SETTINGS = """
default_athlete = "zaphod"
[athletes.zaphod]
name = "Zaphod Beeblebrox"
resting_hr_bpm = 50
max_hr_bpm = 190
[channels.phone]
url = "json://trillian:pa55-of-trillian@127.0.0.1:9/t0ken"
min_severity = "info"
"""
PAIN = (
    "date,time,side,during,next_morning,flags,note\n"
    "2026-07-02,20:00,right,8,7,swelling,after dinner at the heart of gold\n"
)
OSTRC = "date,side,participation,volume,performance,pain\n2026-07-02,right,17,17,17,17\n2026-07-02,right,swelling,8,8,8\n"
PRIVATE = {
    "name of the athlete": "beeblebrox",
    "key of the athlete": "zaphod",
    "name of a file": "milliways",
    "note": "heart of gold",
    "password": "pa55-of",
    "token": "t0ken",
    "latitude": "53.17",
    "longitude": "9.939",
    "flag": "swelling",
}


@pytest.fixture
def private_home(home: Home) -> Home:
    """A home with a run, a file that is refused, a medical pain report, and a channel that is down."""
    home.settings_file.write_text(SETTINGS)
    run = fit_writer.encode(record(Run(day=DAY, km=0.3)))
    (home.inbox / "run from milliways.fit").write_bytes(run)
    (home.inbox / "broken at milliways.fit").write_bytes(run[:30])
    (home.inbox / "pain.csv").write_text(PAIN)
    (home.inbox / "week at milliways.csv").write_text(OSTRC)
    for path in home.inbox.iterdir():
        os.utime(path, (datetime.now(UTC).timestamp() - 60,) * 2)
    return home


def kneewatch(home: Home, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [KNEEWATCH, *words, "--home", home.root],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=plain_environment(),
    )


def plain_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "KNEEWATCH_"))}


def found_in(text: str, *allowed: str) -> list[str]:
    """Return what of the private things is in a text; the home's own path, where a runner's name may be, left aside."""
    return [what for what, words in PRIVATE.items() if what not in allowed and words in text.lower()]


def records_of(home: Home) -> str:
    """Return all that Prefect keeps: every cell of its database, and every other file in its folder."""
    parts = []
    with sqlite3.connect(home.prefect / "prefect.db") as con:
        tables = [row[0] for row in con.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            parts += [str(row) for row in con.execute(f'select * from "{table}"')]
    parts += [path.read_text(errors="replace") for path in home.state.rglob("*.log")]
    return "\n".join(parts)


@pytest.mark.homes
@pytest.mark.prefect
@pytest.mark.xdist_group("prefect")
def test_prefects_records_and_the_screen_hold_nothing_private(private_home: Home) -> None:
    """A flow that takes in, refuses, raises a medical alert and fails to deliver it."""
    done = kneewatch(private_home, "run", "--prefect", "--today", "2026-07-02")

    records = records_of(private_home)
    assert done.returncode == 0, done.stderr
    assert "kneewatch-alerts" in records
    assert found_in(records) == []
    assert found_in(done.stdout + done.stderr) == []


@pytest.mark.homes
@pytest.mark.prefect
@pytest.mark.xdist_group("prefect")
def test_of_an_error_prefect_hears_the_kind_alone(private_home: Home) -> None:
    """Whatever its text holds: here the value of a setting that is none."""
    private_home.settings_file.write_text(SETTINGS.replace("190", '"milliways"'))
    program = (
        "import sys; from store.home import at; from flows.environment import use_prefect_of; "
        "use_prefect_of(at(sys.argv[1])); from flows.daily import daily; daily(sys.argv[1])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, private_home.root],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=plain_environment(),
    )

    records = records_of(private_home)
    assert done.returncode == 1
    assert "daily failed (SettingsError); the same on the command line says why." in records
    assert found_in(records + done.stdout + done.stderr) == []


@pytest.mark.homes
@pytest.mark.prefect
@pytest.mark.xdist_group("prefect")
def test_of_a_report_by_its_form_prefect_keeps_what_was_entered_and_no_more(private_home: Home) -> None:
    """Parameters are kept: the key of the athlete and the flag are among them; the note and what it raised are not."""
    kneewatch(private_home, "run", "--today", "2026-07-02")
    program = (
        "import sys; from datetime import date, time; from store.home import at; "
        "from flows.environment import use_prefect_of; use_prefect_of(at(sys.argv[1])); "
        "from flows.log_knee_pain import log_knee_pain; log_knee_pain(sys.argv[1], 'right', during=9, flags=['swelling'], "
        "day=date(2026, 7, 2), at=time(20), athlete='zaphod', today=date(2026, 7, 2))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, private_home.root],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=plain_environment(),
    )

    records = records_of(private_home)
    assert done.returncode == 0, done.stderr
    assert "log-knee-pain" in records
    assert found_in(records) == ["key of the athlete", "flag"]
    assert found_in(done.stdout + done.stderr) == []


@pytest.mark.prefect
@pytest.mark.xdist_group("prefect")
def test_every_step_and_flow_is_discreet() -> None:
    """Each is wrapped: of an error within, its kind is told, and where it came from is not."""
    from flows import backfill, daily, digest, intake, log_knee_pain, remind, review, tasks

    def fail() -> None:
        raise ValueError("Zaphod at 53.17, 9.939")

    with pytest.raises(StepError) as raised:
        discreet(fail)()

    wrapped = [tasks.take_in, tasks.refresh, tasks.raise_alerts, tasks.publish, tasks.notify, tasks.log_pain]
    wrapped += [daily.daily, intake.intake, review.review, log_knee_pain.log_knee_pain, remind.remind]
    wrapped += [tasks.remind, backfill.read_files, backfill.backfill, tasks.write_digests, digest.digest]
    assert str(raised.value) == "fail failed (ValueError); the same on the command line says why."
    assert "Zaphod" not in "".join(traceback.format_exception(raised.value))
    assert [one.name for one in wrapped if not hasattr(one.fn, "__wrapped__")] == []


@pytest.mark.homes
def test_no_command_prints_a_password(private_home: Home) -> None:
    """Neither when a channel fails, nor when its URL is none, nor when all that there is gets printed."""
    said = ""
    for words in (
        ["run", "--today", "2026-07-02"],
        ["alerts", "test"],
        ["doctor", "--json"],
        ["alerts", "--json"],
    ):
        done = kneewatch(private_home, *words)
        said += done.stdout + done.stderr
    private_home.settings_file.write_text(SETTINGS.replace("json://trillian", "json:trillian"))
    refused = kneewatch(private_home, "run")

    assert "the channel could not be reached" in said
    assert refused.returncode == 2
    assert "channels.phone.url" in refused.stderr
    assert "pa55-of" not in said + refused.stdout + refused.stderr
    assert "t0ken" not in said + refused.stdout + refused.stderr
    assert files_that_hold(private_home, b"pa55-of") == [private_home.settings_file]


def test_settings_do_not_show_a_password(private_home: Home) -> None:
    """Also not in a traceback that prints them."""
    settings = read_settings(private_home)

    assert "pa55-of" not in repr(settings) + str(settings.channels) + str(settings.model_dump())
    assert "pa55-of" in settings.channels["phone"].url.get_secret_value()


@pytest.mark.homes
def test_everything_in_a_home_is_its_owners_alone(private_home: Home) -> None:
    """The settings as well, whichever way an editor left them."""
    private_home.settings_file.chmod(0o644)

    kneewatch(private_home, "run", "--today", "2026-07-02")

    dropped = {private_home.inbox}
    open_to_others = [
        path
        for path in (private_home.root, *private_home.root.rglob("*"))
        if stat.S_IMODE(path.stat().st_mode) & 0o077 and not dropped & {path, *path.parents}
    ]
    assert open_to_others == []


def files_that_hold(home: Home, secret: bytes) -> list[Path]:
    return [path for path in home.root.rglob("*") if path.is_file() and secret in path.read_bytes()]
