"""What doctor finds, each with what mends it: values that are not known, clocks, folders, schedules, steps, parts."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from flows import steps
from flows.steps import Clock
from kneewatch.doctor import check
from sample_data.history import made_up_samples, write_activity
from store.database import insert_rows, opened_store
from store.home import Home
from store.lock import serving
from store.settings import read_settings

FIRST = datetime(2026, 3, 2, 7, tzinfo=UTC)
ALL_SET = (
    "sex = 'female'\nresting_hr_bpm = 52\nmax_hr_bpm = 186\nthreshold_hr_bpm = 166\nthreshold_pace = '5:20'\n"
)


@pytest.fixture
def findings(home: Home) -> Callable[[str, int], dict[str, dict[str, str]]]:
    """What doctor finds in a home with such an athlete and so many published runs."""

    def found(athlete: str, runs: int) -> dict[str, dict[str, str]]:
        home.settings_file.write_text(f"[athletes.me]\n{athlete}")
        with opened_store(home) as con:
            for day in range(runs):
                started_at = FIRST + timedelta(days=day)
                samples = made_up_samples(started_at, seconds=300, speed_m_per_s=3.0, hr_bpm=160.0)
                write_activity(con, home, samples, started_at=started_at, activity_id=f"run{day}")
        clock = Clock(FIRST, FIRST.date() + timedelta(days=runs))
        steps.refresh(home, read_settings(home), clock)
        return {finding["what"]: finding for finding in check(home)}

    return found


@pytest.mark.parametrize(
    ("athlete", "runs", "what", "state", "words"),
    [
        ("", 1, "settings", "look", "no sex for me: no heart-rate load"),
        ("sex = 'female'", 1, "athletes", "look", "no maximum heart rate of me: no heart-rate load"),
        ("sex = 'female'", 0, "athletes", "good", "nothing to look at"),
        ("sex = 'female'", 5, "athletes", "good", "some values of me are estimates"),
        (ALL_SET, 1, "athletes", "good", "all values are set"),
    ],
)
def test_doctor_says_what_is_not_known_of_an_athlete(
    findings: Callable[[str, int], dict[str, dict[str, str]]],
    athlete: str,
    runs: int,
    what: str,
    state: str,
    words: str,
) -> None:
    """Each with its remedy where there is something to do."""
    finding = findings(athlete, runs)[what]

    assert finding["state"] == state
    assert finding["detail"].startswith(words)
    assert bool(finding["remedy"]) == (state == "look")


def test_doctor_reads_a_copy_that_was_published_before_there_were_such_values(
    findings: Callable[[str, int], dict[str, dict[str, str]]], home: Home
) -> None:
    """After an upgrade the first run of kneewatch makes it good again; until then doctor does not fail."""
    findings("", 1)
    with opened_store(home) as con:
        con.execute("drop table athlete_parameters")
    home.published.write_bytes(home.store.read_bytes())

    (finding,) = (one for one in check(home) if one["what"] == "athletes")

    assert (finding["state"], finding["remedy"]) == ("look", "kneewatch run")


def log(home: Home, step: str, outcome: str, *, ago: timedelta) -> None:
    """Write into the log that a step ended so long ago, and publish it."""
    at = datetime.now(UTC) - ago
    row = {"started_at": at, "ended_at": at, "step": step, "outcome": outcome, "counts": "{}"}
    with opened_store(home) as con:
        insert_rows(con, "flow_log", [row])
    with steps.in_one_go(home, "test"):
        pass


def finding(home: Home, what: str) -> tuple[str, str, str]:
    """Return state, detail and remedy of one finding."""
    return next((one["state"], one["detail"], one["remedy"]) for one in check(home) if one["what"] == what)


@pytest.mark.parametrize(
    ("taken_in", "reviewed", "detail"),
    [
        (timedelta(minutes=1), timedelta(minutes=1), "nobody serves; what was due was done"),
        (timedelta(minutes=1), timedelta(days=3), "nobody serves; review was due at "),
        (timedelta(hours=2), timedelta(minutes=1), "nobody serves; intake was due at "),
    ],
)
def test_doctor_names_a_schedule_that_was_missed(
    taken_in: timedelta, reviewed: timedelta, detail: str, home: Home
) -> None:
    """By what was done, whoever did it."""
    log(home, "take_in", "ok", ago=taken_in)
    log(home, "refresh", "ok", ago=reviewed)

    state, said, remedy = finding(home, "schedules")

    assert said.startswith(detail)
    assert (state, remedy) == (("good", "") if "was done" in detail else ("look", "kneewatch serve"))


def test_doctor_says_who_serves(home: Home) -> None:
    """Where somebody does, serving is no remedy."""
    log(home, "take_in", "ok", ago=timedelta(hours=2))

    with serving(home):
        state, said, remedy = finding(home, "schedules")

    assert said.startswith(f"served by process {os.getpid()}; intake was due at ")
    assert (state, remedy) == ("look", "kneewatch run, then look at what kneewatch serve says")


def test_doctor_names_a_step_that_failed_until_it_works_again(home: Home) -> None:
    """An error of last week that went by is none."""
    log(home, "refresh", "failed", ago=timedelta(hours=2))
    failed = finding(home, "last runs")
    log(home, "refresh", "ok", ago=timedelta(hours=1))

    assert failed[0] == "look"
    assert failed[1].startswith("refresh failed at ")
    assert failed[2] == "kneewatch run says why"
    assert finding(home, "last runs")[0] == "good"


def test_doctor_counts_the_crashes_of_a_day(home: Home) -> None:
    """Those before are forgotten."""
    for ago in (timedelta(hours=1), timedelta(hours=2), timedelta(hours=25)):
        log(home, "restart Prefect's server", "ok", ago=ago)

    state, said, remedy = finding(home, "parts")

    assert (state, said) == ("look", "came again after a crash since yesterday: Prefect's server 2 times")
    assert remedy == f"less {home.state}/prefect-server.log"


def test_doctor_notices_a_clock_that_was_put_back(home: Home) -> None:
    """Something has been done tomorrow already."""
    assert finding(home, "clock")[0] == "good"

    log(home, "take_in", "ok", ago=-timedelta(days=1))

    state, said, remedy = finding(home, "clock")
    assert (state, remedy) == ("bad", "timedatectl set-ntp true")
    assert "was done at" in said


def test_doctor_notices_an_inbox_that_cannot_be_reached(home: Home) -> None:
    """As when a share is not mounted."""
    home.inbox.rmdir()

    assert finding(home, "inbox") == (
        "bad",
        f"{home.inbox} cannot be reached",
        f"mkdir -p {home.inbox}, or mount it",
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="Nothing is closed to root.")
def test_doctor_names_the_folders_that_are_closed(home: Home) -> None:
    """With the command that opens them."""
    home.archive.chmod(0o500)
    home.samples.chmod(0o500)

    state, said, remedy = finding(home, "home")

    home.archive.chmod(0o700)
    home.samples.chmod(0o700)
    assert state == "bad"
    assert said == f"{home.archive} {home.samples} cannot be read and written"
    assert remedy == f"chmod u+rwx {home.archive} {home.samples}"


def test_a_new_home_is_nothing_bad(home: Home) -> None:
    """Nothing has been taken in yet; a store whose published copy is gone is another matter."""
    fresh = {finding["what"]: finding for finding in check(home)}
    with opened_store(home):
        pass
    without_a_copy = {finding["what"]: finding for finding in check(home)}

    assert "bad" not in {finding["state"] for finding in fresh.values()}
    assert fresh["published copy"]["remedy"] == "kneewatch run"
    assert without_a_copy["published copy"]["state"] == "bad"
