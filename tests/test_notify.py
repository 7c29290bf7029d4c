"""Letters to real channels on loopback: delivered once, tried again until the channel says yes."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from flows import steps
from flows.alerting import deliver
from flows.steps import Clock
from store import home as homes
from store.database import opened_published, opened_store
from store.home import Home
from store.publish import publish_copy
from store.settings import read_settings

TODAY = date(2026, 8, 28)


class Channel:
    """An HTTP endpoint that takes JSON, and can be told to fail."""

    def __init__(self) -> None:
        self.letters: list[dict[str, str]] = []
        self.tries = 0
        self.fails = False
        channel = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                channel.tries += 1
                if not channel.fails:
                    channel.letters.append(body)
                self.send_response(500 if channel.fails else 200)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"json://127.0.0.1:{self.server.server_address[1]}/"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


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
    now = datetime(day.year, day.month, day.day, 20, tzinfo=UTC) + timedelta(minutes=minute)
    steps.review(home, read_settings(home), Clock(now, day))


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
    """The outbox keeps them, and counts the tries."""
    add_channel(own_home, "phone", channel.url)
    channel.fails = True

    review(own_home)
    down = deliveries(own_home)
    channel.fails = False
    review(own_home, minute=3)

    assert [(row[2], row[3]) for row in down] == [(1, False), (1, False)]
    assert [(row[2], row[3]) for row in deliveries(own_home)] == [(2, True), (2, True)]
    assert len(channel.letters) == 2


def test_a_channel_that_stays_down_is_tried_less_and_less_often(own_home: Home, channel: Channel) -> None:
    """After 2, 4, 8 ... minutes, then every hour; what has been delivered meanwhile is not tried again."""
    add_channel(own_home, "phone", channel.url, 'min_severity = "stop"')
    channel.fails = True
    review(own_home)
    start = datetime(2026, 8, 28, 20, tzinfo=UTC)
    tried_at = []
    with opened_store(own_home) as con:
        for minute in range(1, 200):
            before = channel.tries
            deliver(con, read_settings(own_home), now=start + timedelta(minutes=minute))
            tried_at += [minute] if channel.tries > before else []
        channel.fails = False
        for minute in range(200, 300):
            deliver(con, read_settings(own_home), now=start + timedelta(minutes=minute))
        publish_copy(con, own_home)

    assert tried_at == [2, 6, 14, 30, 62, 122, 182]
    assert len(channel.letters) == 1
    assert deliveries(own_home) == [("stop", "phone", 9, True, None)]


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
