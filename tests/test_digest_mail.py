"""The digest as a mail: by a real server, the text first, the chart within it, nothing to fetch."""

from __future__ import annotations

import json
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from flows import steps
from flows.steps import Clock
from report.digest_mail import CHART, digest_html
from report.notify import Picture, send_text
from store import home as homes
from store.database import opened_store
from store.home import Home
from store.settings import read_settings

SUNDAY_EVENING = Clock(datetime(2026, 8, 23, 18, tzinfo=UTC), date(2026, 8, 23))
SETTINGS = """
[alerts]
digest = "sunday 18:00"
min_severity = "stop"
[channels.mail]
url = "mailto://127.0.0.1:{port}?from=kneewatch@localhost.test&to=mara@localhost.test"
[channels.plain]
url = "mailto://127.0.0.1:{port}?from=kneewatch@localhost.test&to=plain@localhost.test&format=text"
"""
TEXT = "The week from <Mon> to Sun.\n\nRun: 3 runs, 27.4 km.\nPlanned runs until Sun 30 Aug:\n  Tue  easy, 5 km\n  Thu  long, 9 km\n\nSeek advice."
PNG_HEAD = b"\x89PNG\r\n\x1a\n"


class Server:
    """A mail server on loopback that keeps what it takes."""

    def __init__(self) -> None:
        self.mails: dict[str, EmailMessage] = {}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        server = self

        class Handler:
            async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
                assert isinstance(envelope.content, bytes)
                mail = message_from_bytes(envelope.content, policy=policy.default)
                server.mails[envelope.rcpt_tos[0]] = mail
                return "250 taken"

        self.controller = Controller(Handler(), hostname="127.0.0.1", port=self.port)
        self.controller.start()


@pytest.fixture
def server() -> Iterator[Server]:
    """A mail server that listens."""
    server = Server()
    yield server
    server.controller.stop()


@pytest.fixture
def own_home(sample_home: Home, tmp_path: Path) -> Home:
    """A copy of Mara's home that a test may change."""
    return homes.at(shutil.copytree(sample_home.root, tmp_path / "copy"))


def kinds(mail: EmailMessage) -> list[str]:
    return [part.get_content_type() for part in mail.walk()]


def part_of(mail: EmailMessage, kind: str) -> EmailMessage:
    (part,) = [part for part in mail.walk() if part.get_content_type() == kind]
    assert isinstance(part, EmailMessage)
    return part


def test_the_digest_is_a_mail_with_the_chart_in_it(own_home: Home, server: Server) -> None:
    """Text before HTML, the picture where the HTML says, nothing from elsewhere; a plain mail has the text alone."""
    with own_home.settings_file.open("a") as file:
        file.write(SETTINGS.format(port=server.port))
    with opened_store(own_home) as con:
        con.execute("delete from deliveries")

    steps.digest(own_home, read_settings(own_home), SUNDAY_EVENING)

    mail, plain = server.mails["mara@localhost.test"], server.mails["plain@localhost.test"]
    assert kinds(mail) == [
        "multipart/related",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "image/png",
    ]
    html, text = (part_of(mail, kind).get_content() for kind in ("text/html", "text/plain"))
    picture = part_of(mail, "image/png")
    assert picture["Content-ID"] == f"<{CHART}>"
    assert picture.get_content_disposition() == "inline"
    content = picture.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert content.startswith(PNG_HEAD)
    assert len(content) < 100_000
    assert f'src="cid:{CHART}"' in html
    assert re.findall(r"https?://|<script|<link|url\(", html) == []
    for words in ("3 runs, 27.4 km", "If pain is increasing or the knee swells, seek medical advice."):
        assert words in html
        assert words in text
    assert kinds(plain) == ["text/plain"]
    assert "3 runs, 27.4 km" in plain.get_content()


def test_what_is_in_a_digest_stays_text() -> None:
    """Names of sessions come out of files; lines with two spaces before them are a list."""
    html = digest_html(TEXT, title="a < b", chart=None)

    assert "<title>a &lt; b</title>" in html
    assert "&lt;Mon&gt;" in html
    assert html.count("<ul") == 1
    assert html.count("<li>") == 2
    assert "<img" not in html


def test_other_services_get_the_text_alone() -> None:
    """Most would show the tags, and none the picture."""
    taken: list[dict[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as service:
        thread = threading.Thread(target=service.serve_forever)
        thread.start()
        url = f"json://127.0.0.1:{service.server_address[1]}/?rto=15&cto=15"
        html = digest_html(TEXT, title="The week", chart=CHART)
        error = send_text(url, "The week", TEXT, html=html, pictures=[Picture(CHART, PNG_HEAD)])
        service.shutdown()
        thread.join()

    assert error is None
    assert [(one["message"], one["attachments"]) for one in taken] == [(TEXT, [])]
