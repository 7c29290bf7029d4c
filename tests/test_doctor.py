"""What doctor says of the athletes: whose values are not known, which are estimates, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from flows import steps
from flows.steps import Clock
from kneewatch.doctor import check
from sample_data.history import made_up_samples, write_activity
from store.database import opened_store
from store.home import Home
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


def test_a_new_home_is_nothing_bad(home: Home) -> None:
    """Nothing has been taken in yet; a store whose published copy is gone is another matter."""
    fresh = {finding["what"]: finding for finding in check(home)}
    with opened_store(home):
        pass
    without_a_copy = {finding["what"]: finding for finding in check(home)}

    assert "bad" not in {finding["state"] for finding in fresh.values()}
    assert fresh["published copy"]["remedy"] == "kneewatch run"
    assert without_a_copy["published copy"]["state"] == "bad"
