"""Where each setting comes from: in the program, on the command line and on the page; and the test of a channel."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from flows import steps
from flows.steps import Clock
from kneewatch.cli import app as program
from kneewatch.web import security
from kneewatch.web.app import create_app
from store.home import Home
from store.settings import origins, read_settings

HOST = "127.0.0.1:8765"
CLOCK = Clock(datetime(2026, 7, 2, 18, tzinfo=UTC), date(2026, 7, 2))
SECRET = "a-topic-nobody-guesses"
SETTINGS = f"""# mine
default_athlete = "me"

[alerts] # how
min_severity = "warning"

[athletes.me]
name = "<b>Me</b>"
"time_zone" = "Europe/Berlin"
plan = {{ name = "half_marathon_beginner", race_date = 2026-10-04 }}
since.2026-06-01.resting_hr_bpm = 50

[athletes.other]

[web]
names = [
  # the one
  "knee.local",
]
[channels.phone]
url = "ntfys://ntfy.sh/{SECRET}"
"""


def test_each_value_says_where_it_comes_from(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line of the file on which it begins, the variable, or the default."""
    home.settings_file.write_text(SETTINGS)
    monkeypatch.setenv("KNEEWATCH_UNITS", "miles")
    monkeypatch.setenv("KNEEWATCH_ALERTS__REMIND_AFTER_DAYS", "3")

    found = {one.name: (one.value, one.origin) for one in origins(home, read_settings(home))}

    assert {name: found[name] for name in found if found[name][1] != "default"} == {
        "default_athlete": ('"me"', "kneewatch.toml, line 2"),
        "units": ('"miles"', "KNEEWATCH_UNITS"),
        "alerts.min_severity": ('"warning"', "kneewatch.toml, line 5"),
        "alerts.remind_after_days": ("3", "KNEEWATCH_ALERTS__REMIND_AFTER_DAYS"),
        "athletes.me.name": ('"<b>Me</b>"', "kneewatch.toml, line 8"),
        "athletes.me.time_zone": ('"Europe/Berlin"', "kneewatch.toml, line 9"),
        "athletes.me.plan.name": ('"half_marathon_beginner"', "kneewatch.toml, line 10"),
        "athletes.me.plan.race_date": ("2026-10-04", "kneewatch.toml, line 10"),
        "athletes.me.since.2026-06-01.resting_hr_bpm": ("50", "kneewatch.toml, line 11"),
        "web.names": ('["knee.local"]', "kneewatch.toml, line 16"),
        "channels.phone.url": ("ntfys://…", "kneewatch.toml, line 21"),
    }
    assert found["limits.max_file_mib"] == ("256", "default")
    assert found["athletes.me.max_hr_bpm"] == ("", "default")


def test_a_home_without_a_file_has_defaults_alone(home: Home) -> None:
    """The time zone is that of the machine."""
    assert {one.origin for one in origins(home, read_settings(home))} == {"default"}


def test_the_command_shows_them_and_no_secret(home: Home) -> None:
    """As a table and as JSON."""
    home.settings_file.write_text(SETTINGS)

    table = CliRunner().invoke(program, ["settings", "--home", str(home.root)]).output
    rows = json.loads(CliRunner().invoke(program, ["settings", "--json", "--home", str(home.root)]).output)

    assert re.search(r'alerts\.min_severity +"warning" +kneewatch\.toml, line 5', table)
    [row] = [row for row in rows if row["name"] == "alerts.min_severity"]
    assert (row["variable"], row["origin"]) == ("KNEEWATCH_ALERTS__MIN_SEVERITY", "kneewatch.toml, line 5")
    assert SECRET not in table + json.dumps(rows)


def client_of(home: Home) -> TestClient:
    steps.bring_up_to_date(home, read_settings(home), CLOCK)
    app = create_app(home, allowed_hosts=[HOST], clock=lambda _: CLOCK)
    return TestClient(app, base_url=f"http://{HOST}", follow_redirects=False)


def sent_to(client: TestClient, name: str) -> Any:
    found = re.search(rf'name="{security.FORM_FIELD}" value="([0-9a-f]+)"', client.get("/login").text)
    assert found
    return client.post(f"/settings/channels/{name}/test", data={security.FORM_FIELD: found[1]})


def test_the_page_shows_them_for_the_athlete_and_no_secret(home: Home) -> None:
    """Another athlete's are on that one's page; what is not set is said to be so."""
    home.settings_file.write_text(SETTINGS)

    client = client_of(home)
    page = client.get("/settings").text

    assert "kneewatch.toml, line 5" in page
    assert "athletes.me.name" in page
    assert "athletes.other.name" not in page
    assert "<b>Me" not in page
    assert SECRET not in page
    assert "ntfys://…" in page
    assert "Nothing was sent yet." in page
    assert "Resting heart rate" in page
    assert "the history is too short to estimate" in client.get("/settings?athlete=other").text


@pytest.fixture
def service() -> Iterator[tuple[str, list[bytes]]]:
    """A service on this machine that takes JSON; its address, and what came."""
    came: list[bytes] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Taking)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"json://127.0.0.1:{server.server_port}/{SECRET}", came
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_channel_is_tested_by_its_button(home: Home, service: tuple[str, list[bytes]]) -> None:
    """It gets the message of `kneewatch alerts test`; one that fails is told of without its address."""
    url, came = service
    home.settings_file.write_text(
        f'[channels.good]\nurl = "{url}"\n[channels.bad]\nurl = "json://127.0.0.1:9/{SECRET}"\n'
    )
    client = client_of(home)

    good, bad, unknown = (sent_to(client, name) for name in ("good", "bad", "other"))

    assert (good.status_code, good.headers["location"]) == (303, "/settings?said=delivered")
    assert len(came) == 1
    assert b"Alerts will come this way." in came[0]
    assert bad.status_code == 502
    assert "bad: the channel could not be reached, or broke off." in bad.text
    assert SECRET not in bad.text
    assert unknown.status_code == 404


def test_what_is_changed_counts_from_the_next_page_on(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the file, with a variable, and when the file is gone, without starting anything anew."""
    steps.bring_up_to_date(home, read_settings(home), CLOCK)
    client = TestClient(
        create_app(home, allowed_hosts=[HOST], clock=lambda _: CLOCK), base_url=f"http://{HOST}"
    )

    def name() -> str:
        found = re.search(r'<p class="when">(.*?)</p>', client.get("/settings").text)
        assert found
        return found[1]

    assert name() == "me"
    home.settings_file.write_text('[athletes.me]\nname = "Ada"\n')
    assert name() == "Ada"
    home.settings_file.write_text('[athletes.me]\nname = "Eve"\n')
    assert name() == "Eve"
    monkeypatch.setenv("KNEEWATCH_ATHLETES__ME__NAME", "Kim")
    assert name() == "Kim"
    monkeypatch.delenv("KNEEWATCH_ATHLETES__ME__NAME")
    home.settings_file.unlink()
    assert name() == "me"
