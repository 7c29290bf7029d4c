"""The digest of the week: when it is due, what it says, and that it goes out once whatever happens."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from flows import steps
from flows.digests import due_day, last_due, week_told_on
from flows.steps import Clock
from kneewatch.cli import app
from report.digest import Digest, digest_words
from report.format import Units
from report.words import said as sentence
from store import home as homes
from store.home import Home
from store.settings import Settings, read_settings
from tests.json_server import JsonServer

BERLIN = ZoneInfo("Europe/Berlin")
SUNDAY = date(2026, 8, 23)
SETTINGS = """
default_athlete = "mara"
[athletes.mara]
name = "Mara"
time_zone = "Europe/Berlin"
share_with = ["physio"]
[alerts]
digest = "sunday 18:00"
[channels.phone]
url = "{url}/phone?rto=15&cto=15"
[channels.physio]
url = "{url}/physio?rto=15&cto=15"
role = "physio"
[channels.coach]
url = "{url}/coach?rto=15&cto=15"
role = "coach"
[channels.quiet]
url = "{url}/quiet?rto=15&cto=15"
digest = false
"""


# When it is due --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "week_starts_on", "week_start"),
    [
        (SUNDAY, 0, date(2026, 8, 17)),
        (date(2026, 8, 24), 0, date(2026, 8, 17)),
        (date(2026, 8, 26), 0, date(2026, 8, 17)),
        (date(2026, 8, 27), 0, date(2026, 8, 24)),
        (SUNDAY, 6, date(2026, 8, 16)),
        (date(2026, 8, 22), 6, date(2026, 8, 16)),
    ],
)
def test_it_speaks_of_the_week_of_which_most_is_over(
    day: date, week_starts_on: int, week_start: date
) -> None:
    """On a Sunday evening the one that ends, on a Monday morning the one that has ended."""
    assert week_told_on(day, week_starts_on) == week_start


@given(
    st.integers(0, 3 * 366 * 24 * 60),
    st.sampled_from(["sunday 18:00", "monday 02:30"]),
)
def test_the_last_time_is_at_most_a_week_ago(minutes: int, weekly: str) -> None:
    """By the clock on the wall, also where it is put on or back."""
    now = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)

    due = last_due(weekly, now, BERLIN)

    assert due <= now
    assert due.astimezone(UTC) + timedelta(days=7, hours=1) > now
    assert f"{due:%A %H:%M}".lower() == weekly


def test_the_day_is_that_of_the_athlete() -> None:
    """Half past midnight on a Monday in Berlin is still Sunday by UTC."""
    now = datetime(2026, 8, 23, 22, 45, tzinfo=UTC)

    assert last_due("monday 00:30", now, BERLIN) == datetime(2026, 8, 24, 0, 30, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 8, 23, 15, 59, tzinfo=UTC), None),
        (datetime(2026, 8, 23, 16, 0, tzinfo=UTC), SUNDAY),
        (datetime(2026, 8, 26, 20, 0, tzinfo=UTC), SUNDAY),
        (datetime(2026, 8, 27, 20, 0, tzinfo=UTC), None),
    ],
)
def test_it_is_due_from_its_time_on_for_as_long_as_letters_are_news(
    now: datetime, due: date | None, home: Home
) -> None:
    """A machine that was off on Sunday evening sends it on Monday; one switched on a week later does not."""
    settings = settings_of(home, "json://127.0.0.1:9")

    assert due_day(settings, today=now.astimezone(BERLIN).date(), now=now) == due


# What it says ----------------------------------------------------------------------------------------------

QUIET = Digest(week_start=date(2026, 8, 17), week=None, knees=[], alerts=[], planned=[], ahead=[])


def test_a_week_without_anything_says_what_is_not_known() -> None:
    """No report is never no pain, and no alert no promise."""
    said = digest_words(QUIET, Units())

    assert said.splitlines() == [
        "The week from Mon 17 Aug to Sun 23 Aug.",
        "",
        "Run: 0 runs, 0.0 km; no plan.",
        "Strength: none noted.",
        sentence("digest.not_reported"),
        "No open alert. That is no promise: a quiet week never proves that all is well.",
        "",
        "No run is planned until Sun 30 Aug.",
        "",
        "If pain is increasing or the knee swells, seek medical advice.",
    ]


def test_all_that_there_is_stands_in_it_in_the_runners_units() -> None:
    """With the spike ahead and what would be none."""
    run = {"local_date": date(2026, 8, 30), "planned_distance_m": 16093.44, "longest_30d_m": 8046.72}
    digest = replace(
        QUIET,
        week={
            "plan_week": 10,
            "runs": 1,
            "distance_m": 8046.72,
            "planned_runs": 4,
            "planned_distance_m": 32186.88,
            "strength_sessions": 2,
        },
        knees=[
            {"side": "both", "reports": 1, "worst": None, "flags": ["swelling"]},
            {"side": "left", "reports": 2, "worst": 0.0, "flags": []},
        ],
        alerts=[{"severity": "stop", "side": None, "local_date": SUNDAY}],
        planned=[{"local_date": date(2026, 8, 30), "session": "long", "distance_m": 16093.44}],
        ahead=[{**run, "spike_bin": "moderate", "spike_ratio": 1.0, "longest_without_spike_m": 8851.392}],
    )

    said = digest_words(digest, Units("miles"))

    for line in (
        "The week from Mon 17 Aug to Sun 23 Aug, week 10 of the plan.",
        "Run: 1 run, 5.0 mi; planned: 4 runs, 20.0 mi.",
        "Strength: 2 sessions.",
        "Knee pain, both knees: 1 report, worst not given. Noted as well: swelling.",
        "Knee pain, left knee: 2 reports, worst 0/10.",
        "  STOP, load, Sun 23 Aug",
        "Planned runs until Sun 30 Aug:",
        "  Sun 30 Aug: long, 10.0 mi",
        "Sun 30 Aug would be a moderate load spike: 10.0 mi is +100 % against the longest of the 30 days before "
        "(5.0 mi). Consider no more than 5.5 mi.",
    ):
        assert line in said.splitlines()
    assert sentence("digest.no_spike") not in said


def test_the_command_shows_the_made_up_runners_week(sample_home: Home) -> None:
    """As it was on the Sunday of the spike."""
    done = CliRunner().invoke(app, ["digest", "--today", "2026-08-23", "--home", str(sample_home.root)])

    assert done.exit_code == 0, done.output
    assert "Run: 3 runs, 27.4 km; planned: 4 runs, 33.0 km." in done.stdout
    assert "Knee pain, right knee: 1 report, worst 1/10." in done.stdout
    assert "  CAUTION, right knee, Sun 23 Aug" in done.stdout
    assert "  Sun 30 Aug: long, 16.7 km" in done.stdout


# That it goes out once -------------------------------------------------------------------------------------


class Endpoint(JsonServer):
    """Takes letters by the channel's name, or refuses all."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.refuses = False
        super().__init__()
        self.url = f"json://{self.address}"

    def answer(self, handler: BaseHTTPRequestHandler, letter: dict[str, str]) -> int:
        if self.refuses:
            return 500
        self.taken.append((handler.path.partition("?")[0].strip("/"), letter["title"]))
        return 200


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """An endpoint that listens."""
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture
def own_home(bare_home: Home, tmp_path: Path) -> Home:
    """A copy of it that a test may change."""
    return homes.at(shutil.copytree(bare_home.root, tmp_path / "own"))


def settings_of(home: Home, url: str) -> Settings:
    home.settings_file.write_text(SETTINGS.format(url=url))
    return read_settings(home)


def clock(day: date, hour: int = 18) -> Clock:
    return Clock(datetime(day.year, day.month, day.day, hour, tzinfo=BERLIN).astimezone(UTC), day)


def write_and_send(home: Home, settings: Settings, at: Clock) -> None:
    steps.write_digests(home, settings, at)
    steps.notify(home, settings, at)


def test_it_goes_once_a_week_to_those_who_may_have_it(own_home: Home, endpoint: Endpoint) -> None:
    """Twice in an hour, next morning, with the clock put back; a physio with consent, no coach without, no quiet channel."""
    settings = settings_of(own_home, endpoint.url)
    to_both = [("phone", "Kneewatch: the week"), ("physio", "Kneewatch, Mara: the week")]

    write_and_send(own_home, settings, clock(SUNDAY, 17))
    early = list(endpoint.taken)
    for at in (clock(SUNDAY), clock(SUNDAY, 19), clock(SUNDAY + timedelta(days=1), 6), clock(SUNDAY, 18)):
        write_and_send(own_home, settings, at)
    first_week = list(endpoint.taken)
    write_and_send(own_home, settings, clock(SUNDAY + timedelta(days=7)))

    assert early == []
    assert first_week == to_both
    assert endpoint.taken == to_both * 2


def test_a_digest_that_waits_for_its_channel_is_not_written_anew(own_home: Home, endpoint: Endpoint) -> None:
    """It goes by the same outbox as an alert, and leaves it when consent is withdrawn."""
    settings = settings_of(own_home, endpoint.url)
    endpoint.refuses = True
    write_and_send(own_home, settings, clock(SUNDAY))
    endpoint.refuses = False
    own_home.settings_file.write_text(
        own_home.settings_file.read_text().replace('share_with = ["physio"]', "")
    )

    write_and_send(own_home, read_settings(own_home), clock(SUNDAY, 20))

    assert endpoint.taken == [("phone", "Kneewatch: the week")]


def test_two_at_once_write_it_once(own_home: Home, endpoint: Endpoint) -> None:
    """Whoever comes second finds it there."""
    settings = settings_of(own_home, endpoint.url)
    both = [
        threading.Thread(target=write_and_send, args=(own_home, settings, clock(SUNDAY))) for _ in range(2)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()

    assert sorted(endpoint.taken) == [
        ("phone", "Kneewatch: the week"),
        ("physio", "Kneewatch, Mara: the week"),
    ]


def test_the_command_sends_it_by_hand_once(own_home: Home, endpoint: Endpoint) -> None:
    """Whatever the settings say of when; a second time it is shown and stays."""
    settings_of(own_home, endpoint.url)
    words = ["digest", "--send", "--today", "2026-08-21", "--home", str(own_home.root)]

    first, second = CliRunner().invoke(app, words), CliRunner().invoke(app, words)

    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert "Digests written 1; letters tried 2, delivered 2." in first.stdout
    assert "Digests written 0; letters tried 0, delivered 0." in second.stdout
    assert len(endpoint.taken) == 2
