"""Delivery to real servers on loopback that refuse, hang, break off and come back: all arrives, in order, to whom it may."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import duckdb
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from click.testing import Result
from typer.testing import CliRunner

from flows import steps
from flows.alerting import note_try, put_out, raise_for_athlete, take_letter
from flows.steps import Clock
from ingest.logs import pain_report
from ingest.pain_log import save_pain_reports
from kneewatch.cli import app
from kneewatch.doctor import check
from report import notify
from report.notify import send_text
from store import home as homes
from store.database import insert_rows, opened_published, opened_store
from store.home import Home
from store.settings import Settings, read_settings
from tests.json_server import JsonServer

DAY = date(2026, 8, 24)
SECRETS = ("t0ken", "pa55")


class Endpoint(JsonServer):
    """Takes letters; `does` says what becomes of the next: taken, 500, hang, reset, or taken and hang."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        self.tries = 0
        self.does: Callable[[str], str] = lambda title: "taken"
        self.is_over = threading.Event()
        super().__init__()
        self.url = f"json://mara:pa55@{self.address}/t0ken?rto=15&cto=15"

    def answer(self, handler: BaseHTTPRequestHandler, letter: dict[str, str]) -> int | None:
        self.tries += 1
        what = self.does(letter["title"])
        if what.startswith("taken"):
            self.taken.append(letter)
        if what == "reset":
            handler.connection.shutdown(socket.SHUT_RDWR)
            return None
        if what.endswith("hang"):
            self.is_over.wait(30)
            return None
        return 500 if what == "500" else 200

    @property
    def titles(self) -> list[str]:
        return [letter["title"].removeprefix("Kneewatch: ") for letter in self.taken]

    def close(self) -> None:
        self.is_over.set()
        super().close()


class MailServer:
    """An SMTP server; `does` says what becomes of the next mails: taken, 451, 550, hang, or broken off."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.does = "taken"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.controller = Controller(self, hostname="127.0.0.1", port=port)
        self.controller.start()
        self.url = f"mailto://127.0.0.1:{port}?from=kneewatch@t0ken.test&to=pa55@localhost.test&cto=15"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.does == "hang":
            await asyncio.sleep(2)
        if self.does == "broken off":
            assert server.transport is not None
            server.transport.abort()
        if self.does != "taken":
            return f"{self.does if self.does.isdigit() else 451} not now, t0ken"
        assert isinstance(envelope.content, bytes)
        self.taken.append(envelope.content)
        return "250 taken"


@pytest.fixture
def home(bare_home: Home, tmp_path: Path) -> Home:
    """A home of one, with an empty store."""
    return homes.at(shutil.copytree(bare_home.root, tmp_path / "home"))


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """An endpoint that listens."""
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server that listens."""
    server = MailServer()
    yield server
    server.controller.stop()


def settings_with(home: Home, **urls: str) -> Settings:
    home.settings_file.write_text(
        "".join(f'[channels.{name}]\nurl = "{url}"\n' for name, url in urls.items())
    )
    return read_settings(home)


def impatient(url: str) -> str:
    """Return the URL with a time-out that a test can wait for; what is to be taken has all the time it needs."""
    return url.replace("to=15", "to=0.3")


def put_alert(
    home: Home,
    *channels: str,
    day: int,
    severity: str = "warning",
    episode: str = "left",
    is_medical: bool = False,
) -> str:
    """Put an alert of so many days after DAY into the outbox, and return its id."""
    alert_id = f"{episode}{day}"
    row = {
        "alert_id": alert_id,
        "athlete": "me",
        "side": "left",
        "episode_id": episode,
        "raised_at": at(0),
        "local_date": DAY + timedelta(days=day),
        "rule": "knee_pain",
        "severity": severity,
        "pain_level": "P2",
        "is_medical": is_medical,
        "message": f"Of {episode}, day {day}.",
        "action": "Consider a rest.",
        "evidence": "{}",
        "status": "open",
        "formula_version": "1",
    }
    with opened_store(home) as con:
        insert_rows(con, "alerts", [row])
        for channel in channels:
            put_out(con, alert_id, channel)
    return alert_id


def at(minute: int) -> datetime:
    return datetime(DAY.year, DAY.month, DAY.day, 20, tzinfo=UTC) + timedelta(minutes=minute)


def send(home: Home, settings: Settings, *, minute: int = 0) -> dict[str, int]:
    """Send what is due so many minutes after 20:00."""
    return steps.notify(home, settings, Clock(at(minute), DAY))


def outbox(
    home: Home, *, columns: str = "alert_id, channel, attempts, delivered_at is not null"
) -> list[tuple[object, ...]]:
    with opened_store(home) as con:
        return con.execute(f"select {columns} from deliveries order by alert_id, channel").fetchall()


# Servers that fail -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("500", "the channel refused it (500)"),
        ("hang", notify.NO_ANSWER),
        ("reset", notify.NOT_REACHED),
    ],
)
def test_an_endpoint_that_fails_gets_its_letter_once_when_it_is_back(
    does: str, said: str, home: Home, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """With the reason in our own words; neither they nor any log know its address."""
    caplog.set_level(logging.DEBUG)
    put_alert(home, "phone", day=0)
    endpoint.does = lambda title: does

    failed = send(
        home, settings_with(home, phone=impatient(endpoint.url) if does == "hang" else endpoint.url)
    )
    why = outbox(home, columns="last_error, delivered_at")
    endpoint.does = lambda title: "taken"
    settings = settings_with(home, phone=endpoint.url)
    back = [send(home, settings, minute=minute) for minute in (2, 600)]

    assert (failed, why) == ({"tried": 1, "delivered": 0}, [(said, None)])
    assert [one["delivered"] for one in back] == [1, 0]
    assert endpoint.titles == ["warning"]
    assert outbox(home) == [("left0", "phone", 2, True)]
    assert [secret for secret in SECRETS if secret in caplog.text + str(why)] == []


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("451", "the channel refused it (451)"),
        ("550", "the channel refused it (550)"),
        ("hang", notify.NO_ANSWER),
        ("broken off", notify.NOT_REACHED),
    ],
)
def test_a_mail_server_that_fails_gets_its_letter_once_when_it_is_back(
    does: str, said: str, home: Home, mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Also when it says that it will never take it: a server that is mended does."""
    caplog.set_level(logging.DEBUG)
    put_alert(home, "mail", day=0)
    mail_server.does = does

    failed = send(
        home, settings_with(home, mail=impatient(mail_server.url) if does == "hang" else mail_server.url)
    )
    why = outbox(home, columns="last_error, delivered_at")
    mail_server.does = "taken"
    settings = settings_with(home, mail=mail_server.url)
    back = [send(home, settings, minute=minute) for minute in (2, 600)]

    assert (failed, why) == ({"tried": 1, "delivered": 0}, [(said, None)])
    assert [one["delivered"] for one in back] == [1, 0]
    assert len(mail_server.taken) == 1
    assert b"Subject: Kneewatch: warning" in mail_server.taken[0]
    assert [secret for secret in SECRETS if secret in str(why)] == []


def test_a_server_that_takes_a_call_and_never_speaks_is_given_up(home: Home) -> None:
    """Mail and HTTP alike; so is one that speaks too slowly for any time-out of its own."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"

        assert send_text(f"mailto://{place}?from=a@b.test&to=c@d.test&cto=0.3", "t", "t") == notify.NO_ANSWER
        assert send_text(f"json://{place}?rto=0.3&cto=0.3", "t", "t") == notify.NO_ANSWER
        assert send_text(f"json://{place}?rto=3&cto=3", "t", "t", patience_s=0.1) == notify.NO_ANSWER


def test_a_letter_whose_answer_was_lost_comes_again(home: Home, endpoint: Endpoint) -> None:
    """At least once: nobody can tell whether it was taken."""
    put_alert(home, "phone", day=0)
    endpoint.does = lambda title: "taken and hang"
    send(home, settings_with(home, phone=impatient(endpoint.url)))
    settings = settings_with(home, phone=endpoint.url)
    endpoint.does = lambda title: "taken"
    send(home, settings, minute=2)
    send(home, settings, minute=60)

    assert endpoint.titles == ["warning", "warning"]


def test_a_channel_that_hangs_costs_the_others_one_time_out(home: Home, endpoint: Endpoint) -> None:
    """It is tried once, whatever waits for it, and all that the others have to get goes out."""
    hangs = Endpoint()
    settings = settings_with(home, a_hangs=impatient(hangs.url), phone=endpoint.url)
    for day, episode in ((0, "left"), (1, "left"), (2, "right")):
        put_alert(home, "a_hangs", "phone", day=day, episode=episode)
    hangs.does = lambda title: "hang"

    counts = send(home, settings)
    hangs.close()

    assert counts == {"tried": 4, "delivered": 3}
    assert hangs.tries == 1
    assert len(endpoint.taken) == 3


def test_a_day_without_the_channel_loses_and_doubles_nothing(home: Home, endpoint: Endpoint) -> None:
    """Three letters of an episode and one of another wait for 24 hours; then each comes once, in order."""
    settings = settings_with(home, phone=endpoint.url)
    for day, severity in enumerate(("caution", "warning", "stop")):
        put_alert(home, "phone", day=day, severity=severity)
    put_alert(home, "phone", day=1, severity="info", episode="right")
    endpoint.does = lambda title: "reset"
    for hour in range(0, 24, 6):
        assert send(home, settings, minute=hour * 60)["delivered"] == 0
    endpoint.does = lambda title: "taken"

    for hour in (24, 25, 26, 48):
        send(home, settings, minute=hour * 60)

    assert [title for title in endpoint.titles if title != "for information"] == [
        "caution",
        "warning",
        "stop",
    ]
    assert endpoint.titles.count("for information") == 1


def test_a_channel_can_be_tried_by_itself(home: Home, endpoint: Endpoint) -> None:
    """With its reason when it fails, and exit code 1; a name that is none is wrong use."""
    settings_with(home, phone=endpoint.url, dead="json://127.0.0.1:9/t0ken")

    def alerts_test(*words: str) -> Result:
        return CliRunner().invoke(app, ["alerts", "test", *words, "--home", str(home.root)])

    one, all_of_them, nobody = alerts_test("phone"), alerts_test("--json"), alerts_test("pager")

    assert (one.exit_code, one.stdout) == (0, "phone: delivered\n")
    assert all_of_them.exit_code == 1
    assert json.loads(all_of_them.stdout) == [
        {"channel": "phone", "is_delivered": True, "why_not": None},
        {"channel": "dead", "is_delivered": False, "why_not": notify.NOT_REACHED},
    ]
    assert "There is no channel 'pager'; there are dead, phone." in str(nobody.exception)
    assert endpoint.titles == ["test", "test"]


# The order of an episode -----------------------------------------------------------------------------------


def test_a_letter_overtakes_none_of_its_episode_unless_it_is_medical(home: Home, endpoint: Endpoint) -> None:
    """One that the channel never takes holds up its own episode and no other, until it is withdrawn."""
    settings = settings_with(home, phone=endpoint.url)
    first = put_alert(home, "phone", day=0, severity="caution")
    put_alert(home, "phone", day=1, severity="warning")
    put_alert(home, "phone", day=2, severity="stop", is_medical=True)
    put_alert(home, "phone", day=3, severity="info", episode="right")
    endpoint.does = lambda title: "500" if title.endswith("caution") else "taken"

    seen = []
    for minute in (0, 1, 2, 600):
        send(home, settings, minute=minute)
        seen.append(endpoint.titles)
    with opened_store(home) as con:
        con.execute("update alerts set status = 'superseded' where alert_id = ?", [first])
    send(home, settings, minute=601)

    assert seen == [
        ["stop"],
        ["stop", "for information"],
        ["stop", "for information"],
        ["stop", "for information"],
    ]
    assert endpoint.titles == ["stop", "for information", "warning"]


def test_whoever_else_sends_keeps_the_order_too(home: Home) -> None:
    """While the first letter is on its way, nobody gets the second."""
    settings = settings_with(home, phone="json://127.0.0.1:9")
    put_alert(home, "phone", day=0)
    put_alert(home, "phone", day=1)

    with opened_store(home) as con:
        first = take_letter(con, settings, now=at(0))
        meanwhile = take_letter(con, settings, now=at(1))
        assert first is not None
        note_try(con, first, None, now=at(1))
        after = take_letter(con, settings, now=at(1))

    assert (first.letter_id, meanwhile) == ("left0", None)
    assert after is not None
    assert after.letter_id == "left1"


def test_a_failure_that_comes_too_late_undoes_no_delivery(home: Home) -> None:
    """As of a machine that slept with a letter in its hand, which another has delivered since."""
    settings = settings_with(home, phone="json://127.0.0.1:9")
    put_alert(home, "phone", day=0)

    with opened_store(home) as con:
        sleeper = take_letter(con, settings, now=at(0))
        other = take_letter(con, settings, now=at(11))
        assert sleeper is not None
        assert other is not None
        note_try(con, other, None, now=at(11))
        note_try(con, sleeper, "the channel did not answer in time", now=at(12))

        assert take_letter(con, settings, now=at(600)) is None
    assert outbox(home) == [("left0", "phone", 2, True)]


# Who hears of whom -----------------------------------------------------------------------------------------

TWO_RUNNERS = """
default_athlete = "mara"
[athletes.mara]
name = "Mara"
share_with = ["physio"]
[athletes.zoe]
name = "Zoe"
[channels.phone]
url = "{phone}"
athletes = ["mara", "zoe"]
[channels.physio]
url = "{physio}"
role = "physio"
[channels.coach]
url = "{coach}"
role = "coach"
athletes = ["zoe"]
"""


@pytest.fixture
def endpoints() -> Iterator[dict[str, Endpoint]]:
    """An endpoint for each channel of TWO_RUNNERS."""
    found = {name: Endpoint() for name in ("phone", "physio", "coach")}
    yield found
    for endpoint in found.values():
        endpoint.close()


def two_runners(home: Home, endpoints: dict[str, Endpoint], *, consent: bool = True) -> Settings:
    text = TWO_RUNNERS.format(**{name: endpoint.url for name, endpoint in endpoints.items()})
    home.settings_file.write_text(text if consent else text.replace('share_with = ["physio"]', ""))
    return read_settings(home)


def report_and_raise(con: duckdb.DuckDBPyConnection, settings: Settings, athlete: str) -> None:
    """Report a sore knee, with a note, and raise what comes of it."""
    report = pain_report(
        athlete=athlete,
        zone=settings.athletes[athlete].zone,
        on=DAY,
        side="left",
        during=4,
        note="told nobody of the marathon",
        source="cli",
    )
    save_pain_reports(con, [report], now=at(0))
    raise_for_athlete(con, settings, athlete, today=DAY, now=at(0))


def test_a_second_recipient_hears_of_who_consents_and_of_nobody_else(
    home: Home, endpoints: dict[str, Endpoint]
) -> None:
    """Named, because it may be one of several, and without the runner's own notes."""
    settings = two_runners(home, endpoints)
    with opened_store(home) as con:
        for athlete in ("mara", "zoe"):
            report_and_raise(con, settings, athlete)
    send(home, settings)

    titles = {name: sorted(one["title"] for one in endpoint.taken) for name, endpoint in endpoints.items()}
    [shared] = endpoints["physio"].taken
    assert titles == {
        "phone": ["Kneewatch, Mara: caution", "Kneewatch, Zoe: caution"],
        "physio": ["Kneewatch, Mara: caution"],
        "coach": [],
    }
    assert shared["message"].startswith("Mara shares this with you; “you” in it means Mara.\n\nOn Monday")
    assert "marathon" not in str([endpoint.taken for endpoint in endpoints.values()])


def test_consent_that_is_withdrawn_holds_for_what_waits(home: Home, endpoints: dict[str, Endpoint]) -> None:
    """It leaves the outbox, and comes when consent does while it is news; the runner's own letter is none of this."""
    settings = two_runners(home, endpoints)
    for name in ("phone", "physio"):
        endpoints[name].does = lambda title: "500"
    with opened_store(home) as con:
        report_and_raise(con, settings, "mara")
    send(home, settings)
    for endpoint in endpoints.values():
        endpoint.does = lambda title: "taken"

    send(home, two_runners(home, endpoints, consent=False), minute=60)
    withdrawn = {name: len(endpoint.taken) for name, endpoint in endpoints.items()}
    left = [channel for _, channel, *_ in outbox(home)]
    send(home, settings, minute=120)
    unasked = len(endpoints["physio"].taken)
    with opened_store(home) as con:
        raise_for_athlete(con, settings, "mara", today=DAY, now=at(180))
    send(home, settings, minute=180)

    assert withdrawn == {"phone": 1, "physio": 0, "coach": 0}
    assert left == ["phone"]
    assert (unasked, len(endpoints["physio"].taken)) == (0, 1)


def test_a_withdrawn_letter_is_gone_for_readers_too(home: Home, endpoints: dict[str, Endpoint]) -> None:
    """Though no other letter went out, after which the copy is made anyhow."""
    settings = two_runners(home, endpoints)
    endpoints["physio"].does = lambda title: "500"
    with opened_store(home) as con:
        report_and_raise(con, settings, "mara")
    send(home, settings)

    send(home, two_runners(home, endpoints, consent=False), minute=60)

    with opened_published(home) as con:
        assert con.execute("select channel from deliveries").fetchall() == [("phone",)]


def test_doctor_says_who_hears_of_nobody(home: Home, endpoints: dict[str, Endpoint]) -> None:
    """A coach without consent, and a runner for whom there is no channel, each with its remedy."""
    two_runners(home, endpoints)
    [withheld] = [one for one in check(home) if one["what"] == "channels"]
    home.settings_file.write_text(
        'default_athlete = "mara"\n[athletes.mara]\n[athletes.zoe]\n[channels.phone]\nurl = "json://a"\n'
    )
    [unheard] = [one for one in check(home) if one["what"] == "channels"]

    assert withheld["state"] == unheard["state"] == "look"
    assert withheld["detail"] == "physio gets nothing of zoe, coach gets nothing of zoe: no consent"
    assert "share_with" in withheld["remedy"]
    assert unheard["detail"] == "alerts of zoe go to no channel"
