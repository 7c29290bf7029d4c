"""Letters to real channels on loopback: delivered once, tried again until the channel says yes."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from typer.testing import CliRunner

from flows import steps
from flows.alerting import take_letter
from flows.steps import Clock
from kneewatch.cli import app
from store import home as homes
from store.database import opened_published, opened_store, scalar
from store.home import Home
from store.lock import writing
from store.settings import read_settings
from tests.json_server import JsonServer

pytestmark = pytest.mark.homes

TODAY = date(2026, 8, 28)


class Channel(JsonServer):
    """Takes letters, and can be told to fail or to take its time."""

    def __init__(self) -> None:
        self.letters: list[dict[str, str]] = []
        self.tries = 0
        self.fails = False
        self.is_asked, self.hold = threading.Event(), threading.Event()
        self.hold.set()
        super().__init__()
        self.url = f"json://{self.address}/"

    def answer(self, handler: BaseHTTPRequestHandler, letter: dict[str, str]) -> int:
        self.tries += 1
        self.is_asked.set()
        self.hold.wait(30)
        if self.fails:
            return 500
        self.letters.append(letter)
        return 200


@pytest.fixture
def channel() -> Iterator[Channel]:
    """A channel that listens."""
    channel = Channel()
    yield channel
    channel.close()


@pytest.fixture
def own_home(sample_home: Home, tmp_path: Path) -> Home:
    """A copy of Mara's home that a test may change."""
    return homes.at(shutil.copytree(sample_home.root, tmp_path / "copy"))


def review(home: Home, day: date = TODAY, *, minute: int = 0) -> None:
    """Review at 20:00 of the day, or so many minutes after."""
    steps.review(home, read_settings(home), clock_at(minute, day))


def notify(home: Home, *, minute: int) -> None:
    """Send what is due so many minutes after 20:00 of the day."""
    steps.notify(home, read_settings(home), clock_at(minute))


def clock_at(minute: int, day: date = TODAY) -> Clock:
    return Clock(datetime(day.year, day.month, day.day, 20, tzinfo=UTC) + timedelta(minutes=minute), day)


def next_try(home: Home) -> int:
    """Return the minute after 20:00 at which the one letter that waits is tried again."""
    with opened_published(home) as con:
        at: datetime = scalar(con, "select next_attempt_at from deliveries where delivered_at is null")
    return int((at - clock_at(0).now).total_seconds() / 60)


def deliveries(home: Home) -> list[tuple[object, ...]]:
    with opened_published(home) as con:
        return con.execute(
            "select a.severity, d.channel, d.attempts, d.delivered_at is not null, d.last_error "
            "from deliveries d join alerts a using (alert_id) order by a.local_date"
        ).fetchall()


def add_channel(home: Home, name: str, url: str, more: str = "") -> None:
    with home.settings_file.open("a") as file:
        file.write(f'\n[channels.{name}]\nurl = "{url}"\n{more}\n')


def test_open_alerts_of_the_last_days_are_delivered_once(own_home: Home, channel: Channel) -> None:
    """Three days back and no further; the next review repeats nothing."""
    add_channel(own_home, "phone", channel.url)

    review(own_home)
    review(own_home)

    assert deliveries(own_home) == [("warning", "phone", 1, True, None), ("stop", "phone", 1, True, None)]
    assert [letter["title"] for letter in channel.letters] == ["Kneewatch: warning", "Kneewatch: stop"]
    assert "18.4 km" in channel.letters[1]["message"]
    assert "Seek medical advice soon." in channel.letters[1]["message"]


def test_a_channel_that_is_down_gets_its_letters_when_it_is_back(own_home: Home, channel: Channel) -> None:
    """The outbox keeps them, and counts the tries; the second of the episode is medical and waits for no other."""
    add_channel(own_home, "phone", channel.url)
    channel.fails = True

    review(own_home)
    down = deliveries(own_home)
    channel.fails = False
    review(own_home, minute=3)

    assert [(row[2], row[3]) for row in down] == [(1, False), (1, False)]
    assert [(row[2], row[3]) for row in deliveries(own_home)] == [(2, True), (2, True)]
    assert len(channel.letters) == 2


def test_an_intake_that_brings_nothing_tries_the_letters_that_wait(own_home: Home, channel: Channel) -> None:
    """Nothing runs more often; while Prefect's server is away as well."""
    add_channel(own_home, "phone", channel.url)
    channel.fails = True
    review(own_home)
    channel.fails = False

    counts = steps.take_in_and_review(own_home, read_settings(own_home), clock_at(3))

    assert counts["delivered"] == 2
    assert len(channel.letters) == 2


def test_a_channel_down_for_a_day_is_tried_less_and_less_often(own_home: Home, channel: Channel) -> None:
    """After 2, 4, 8 ... minutes, then every hour, and never a moment earlier; once it is back, once and no more."""
    add_channel(own_home, "phone", channel.url, 'min_severity = "stop"')
    channel.fails = True
    review(own_home)
    tried_at = [0]
    while tried_at[-1] < 24 * 60:
        due = next_try(own_home)
        notify(own_home, minute=due - 1)
        assert channel.tries == len(tried_at)
        notify(own_home, minute=due)
        assert channel.tries == len(tried_at) + 1
        tried_at.append(due)
    channel.fails = False
    for minute in (60, 61, 120, 1000):
        notify(own_home, minute=tried_at[-1] + minute)

    assert tried_at[:9] == [0, 2, 6, 14, 30, 62, 122, 182, 242]
    assert {later - earlier for earlier, later in pairwise(tried_at[6:])} == {60}
    assert len(channel.letters) == 1
    assert deliveries(own_home) == [("stop", "phone", len(tried_at) + 1, True, None)]


def test_a_slow_channel_keeps_no_writer_waiting(own_home: Home, channel: Channel) -> None:
    """While a letter is on its way the store is free, and nobody else sends the same letter."""
    add_channel(own_home, "phone", channel.url, 'min_severity = "stop"')
    channel.hold.clear()
    sending = threading.Thread(target=review, args=(own_home,))
    sending.start()
    assert channel.is_asked.wait(30)

    with writing(own_home, "test", patience_s=0):
        pass
    notify(own_home, minute=1)
    channel.hold.set()
    sending.join()

    assert channel.tries == 1
    assert deliveries(own_home) == [("stop", "phone", 1, True, None)]


def test_a_letter_whose_sender_was_killed_is_sent_by_the_next(own_home: Home, channel: Channel) -> None:
    """Ten minutes later, when nobody can still be sending it."""
    add_channel(own_home, "phone", channel.url, 'min_severity = "stop"')
    settings = read_settings(own_home)
    steps.bring_up_to_date(own_home, settings, clock_at(0))
    with opened_store(own_home) as con:
        assert take_letter(con, settings, now=clock_at(0).now) is not None

    notify(own_home, minute=9)
    early = channel.tries
    notify(own_home, minute=10)

    assert early == 0
    assert deliveries(own_home) == [("stop", "phone", 2, True, None)]


def test_a_letter_on_its_way_is_not_sent_again_by_a_test_of_the_channel(
    own_home: Home, channel: Channel
) -> None:
    """It has not failed yet."""
    add_channel(own_home, "phone", channel.url, 'min_severity = "stop"')
    settings = read_settings(own_home)
    steps.bring_up_to_date(own_home, settings, clock_at(0))
    with opened_store(own_home) as con:
        assert take_letter(con, settings, now=clock_at(0).now) is not None

    counts = steps.deliver_waiting(own_home, settings, clock_at(1), ["phone"])

    assert counts == {"tried": 0, "delivered": 0}
    assert channel.tries == 0


def test_what_waits_for_a_channel_goes_out_once_it_works_again(own_home: Home, channel: Channel) -> None:
    """`alerts test` is what one does after mending a channel; its letters wait no longer."""
    add_channel(own_home, "phone", channel.url, 'min_severity = "stop"')
    channel.fails = True
    review(own_home)
    channel.fails = False

    found = CliRunner().invoke(app, ["alerts", "test", "--home", str(own_home.root)])

    assert "phone: delivered" in found.stdout
    assert "Letters that had been waiting: 1 delivered." in found.stdout
    assert [letter["title"] for letter in channel.letters] == ["Kneewatch: test", "Kneewatch: stop"]
    assert deliveries(own_home) == [("stop", "phone", 2, True, None)]


def test_a_clock_put_back_does_not_hold_a_letter(own_home: Home, channel: Channel) -> None:
    """A try due by a clock that was a year ahead is due at once."""
    add_channel(own_home, "phone", channel.url, 'min_severity = "stop"')
    review(own_home)
    with opened_store(own_home) as con:
        con.execute(
            "update deliveries set attempts = 3, delivered_at = null, next_attempt_at = '2027-08-28 20:00:00+00'"
        )

    review(own_home, minute=1)

    assert deliveries(own_home) == [("stop", "phone", 4, True, None)]


def test_a_dead_channel_does_not_hold_up_a_live_one(own_home: Home, channel: Channel) -> None:
    """One letter per destination, each with its own fate; its address stands in no error."""
    add_channel(own_home, "dead", "json://127.0.0.1:9/secret-token")
    add_channel(own_home, "phone", channel.url, 'min_severity = "stop"')

    review(own_home)

    found = {(row[0], row[1]): row[3] for row in deliveries(own_home)}
    assert found == {("warning", "dead"): False, ("stop", "dead"): False, ("stop", "phone"): True}
    assert "secret-token" not in str(deliveries(own_home))


def test_importing_a_history_sends_nothing(own_home: Home, channel: Channel) -> None:
    """Alerts of days long past are stored and not sent."""
    add_channel(own_home, "phone", channel.url)

    review(own_home, date(2026, 8, 31))  # still open, the youngest four days old

    assert channel.letters == []
    assert deliveries(own_home) == []


def test_mail_goes_out_by_a_real_server(own_home: Home) -> None:
    """The message arrives as a mail with the severity in its subject."""
    received: list[bytes] = []

    class Handler:
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
            assert isinstance(envelope.content, bytes)
            received.append(envelope.content)
            return "250 taken"

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(Handler(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        add_channel(
            own_home,
            "mail",
            f"mailto://127.0.0.1:{port}?from=kneewatch@localhost.test&to=mara@localhost.test",
            'min_severity = "stop"',
        )
        review(own_home)
    finally:
        controller.stop()

    assert deliveries(own_home) == [("stop", "mail", 1, True, None)]
    assert b"Kneewatch: stop" in received[0]


def test_what_is_missing_is_asked_once_a_day_by_the_channels_that_want_it(
    own_home: Home, channel: Channel
) -> None:
    """One that takes alerts only is left in peace; while nothing is missing nobody is asked, as before the knee ever hurt."""
    quiet = Channel()
    add_channel(own_home, "phone", channel.url, "reminders = true")
    add_channel(own_home, "physio", quiet.url)
    day = date(2026, 8, 25)
    with opened_store(own_home) as con:
        con.execute("update pain_reports set after_60min = null where local_date = '2026-08-25'")
    settings = read_settings(own_home)
    steps.bring_up_to_date(own_home, settings, clock_at(0, day))

    sent = [steps.remind(own_home, settings, clock_at(minute, day))["sent"] for minute in (0, 10)]
    later = steps.remind(own_home, settings, clock_at(0, date(2026, 6, 20)))

    quiet.close()
    assert sent == [1, 0]
    assert later == {"missing": 0, "sent": 0}
    assert quiet.letters == []
    (letter,) = channel.letters
    assert letter["title"] == "Kneewatch: how is the knee?"
    assert "an hour after the run" in letter["message"]


def test_a_reminder_that_did_not_go_out_is_tried_again(own_home: Home, channel: Channel) -> None:
    """The next flow of the day does it; only what was sent counts."""
    add_channel(own_home, "phone", channel.url, "reminders = true")
    day = date(2026, 8, 25)
    with opened_store(own_home) as con:
        con.execute("update pain_reports set after_60min = null where local_date = '2026-08-25'")
    settings = read_settings(own_home)
    steps.bring_up_to_date(own_home, settings, clock_at(0, day))

    channel.fails = True
    first = steps.remind(own_home, settings, clock_at(0, day))["sent"]
    channel.fails = False
    second = steps.remind(own_home, settings, clock_at(10, day))["sent"]

    assert (first, second, len(channel.letters)) == (0, 1, 1)
