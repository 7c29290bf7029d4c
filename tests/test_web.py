"""The web pages over HTTP: what they show, what a form does, and the attacks that must come to nothing."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from flows import steps
from flows.steps import Clock
from ingest.logs import pain_report
from kneewatch.web import reading as reading_module
from kneewatch.web import security
from kneewatch.web.app import create_app
from kneewatch.web.pages import PAGES
from kneewatch.web.pages import alerts as alerts_page
from kneewatch.web.pages import today as today_page
from kneewatch.web.reading import Published
from kneewatch.web.serving import serve_in_thread, web_server
from store import home as homes
from store.database import opened_published
from store.errors import KneewatchError, WrongUseError
from store.home import Home
from store.rebuild import is_being_rebuilt
from store.settings import read_settings

KNEEWATCH = Path(sys.executable).with_name("kneewatch")
HOST = "127.0.0.1:8765"
HERE = f"http://{HOST}"
CLOCK = Clock(datetime(2026, 7, 2, 18, tzinfo=UTC), date(2026, 7, 2))
RACE_EVE = Clock(datetime(2026, 10, 3, 18, tzinfo=UTC), date(2026, 10, 3))
HOSTILE = "<script>alert(1)</script>"
NOTE = "</textarea><img src=x onerror=alert(1)>"
SETTINGS = f"""
default_athlete = "mara"
[athletes.mara]
name = "{HOSTILE}"
time_zone = "Europe/Berlin"
[athletes.jo]
"""
TOKEN = "abcde-fghij"


def client_of(home: Home, *, token: str | None = None, clock: Clock = CLOCK) -> TestClient:
    app = create_app(home, token=token, allowed_hosts=[HOST], clock=lambda _: clock)
    return TestClient(app, base_url=HERE, follow_redirects=False)


def form_token(client: TestClient, path: str = "/login") -> str:
    found = re.search(rf'name="{security.FORM_FIELD}" value="([0-9a-f]+)"', client.get(path).text)
    assert found
    return found[1]


def post(client: TestClient, path: str, headers: dict[str, str] | None = None, **form: Any) -> Any:
    return client.post(path, data={security.FORM_FIELD: form_token(client), **form}, headers=headers)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home of two athletes, one with a name and a note that want to be HTML, and an open alert."""
    home = homes.at(tmp_path_factory.mktemp("web") / "home").prepare()
    home.settings_file.write_text(SETTINGS)
    settings = read_settings(home)
    report = pain_report(
        athlete="mara",
        zone=settings.athletes["mara"].zone,
        on=CLOCK.today - timedelta(days=1),
        side="right",
        during=3,
        flags=["swelling"],
        note=NOTE,
        source="cli",
        latest=CLOCK.today,
    )
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("KNEEWATCH_")]:
            environment.delenv(name)
        steps.log_pain(home, settings, CLOCK, report)
    return home


@pytest.fixture
def client(kept: Home) -> TestClient:
    """A browser on this machine."""
    return client_of(kept)


def reports_of(home: Home, question: str = "select side, during, flags from pain_reports") -> list[Any]:
    with opened_published(home) as con:
        return con.execute(question).fetchall()


def alert_id_of(home: Home) -> str:
    return str(reports_of(home, "select alert_id from alerts")[0][0])


# What is shown ---------------------------------------------------------------------------------------------


def test_the_sample_runner_sees_plan_knees_and_what_is_coming(sample_home: Home) -> None:
    """Mara on the day before her race: what it would be against her longest run, and each knee."""
    page = client_of(sample_home, clock=RACE_EVE).get("/").text

    assert "Saturday 3 October 2026 · week 16 of the plan" in page
    assert "<strong>Race</strong> 21.1 km" in page
    assert "Large spike</span>" in page
    assert "against 8.6\N{NO-BREAK SPACE}km, the longest of the 30 days before" in page
    assert "Not reported in the last 14 days. That does not mean there was no pain." in page


def test_miles_are_shown_where_they_are_set(sample_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number for a person is in the unit of the settings."""
    monkeypatch.setenv("KNEEWATCH_UNITS", "miles")

    page = client_of(sample_home, clock=RACE_EVE).get("/").text

    assert "<strong>Race</strong> 13.1 mi" in page
    assert " km" not in page


@pytest.mark.parametrize(
    ("locale", "day", "race", "longest"),
    [
        ("en", "Saturday 3 October 2026", "21.1 km", "8.6"),
        ("de", "Saturday 3 October 2026", "21,1 km", "8,6"),
        ("en-US", "Saturday, October 3, 2026", "21.1 km", "8.6"),
    ],
)
def test_days_and_numbers_follow_the_locale(
    sample_home: Home, monkeypatch: pytest.MonkeyPatch, locale: str, day: str, race: str, longest: str
) -> None:
    """As the report has them."""
    monkeypatch.setenv("KNEEWATCH_LOCALE", locale)

    page = client_of(sample_home, clock=RACE_EVE).get("/").text

    assert f"{day} · week 16 of the plan" in page
    assert f"<strong>Race</strong> {race}" in page
    assert f"against {longest}\N{NO-BREAK SPACE}km, the longest of the 30 days before" in page


@pytest.mark.parametrize("address", ["/weeks", "/runs", "/knee", "/coach"])
def test_no_page_mixes_two_locales(sample_home: Home, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Where the default has a point there is a comma and none left; alerts keep the words they were raised with."""
    client = client_of(sample_home, clock=RACE_EVE)
    fractions = re.compile(r"\d[.,]\d")
    shown = {}
    for locale in ("en", "de"):
        monkeypatch.setenv("KNEEWATCH_LOCALE", locale)
        text = re.sub(r"<[^>]+>", " ", client.get(address).text.partition("<footer>")[0])
        shown[locale] = fractions.findall(text)

    assert shown["en"]
    assert [one.replace(".", ",") for one in shown["en"]] == shown["de"]


def test_a_chart_that_was_kept_is_made_anew_for_another_locale(
    sample_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The axes count in it, and the days at them are in its order."""
    client = client_of(sample_home, clock=RACE_EVE)
    charts = {}
    for locale in ("en", "de", "en-US"):
        monkeypatch.setenv("KNEEWATCH_LOCALE", locale)
        charts[locale] = client.get("/charts/knee-right.json")

    decimals = {name: chart.json()["config"]["locale"]["number"]["decimal"] for name, chart in charts.items()}
    assert decimals == {"en": ".", "de": ",", "en-US": "."}
    assert "%-d %b" in charts["de"].text
    assert "%b %-d" in charts["en-US"].text


def test_forms_keep_what_machines_read_in_every_locale(
    sample_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dates of forms are ISO dates and numbers have no sign of any country."""
    monkeypatch.setenv("KNEEWATCH_LOCALE", "en-US")

    page = client_of(sample_home, clock=RACE_EVE).get("/plan").text

    assert re.search(r'type="date" name="to_day" required min="2026-\d\d-\d\d" max="2026-10-04"', page)
    assert re.search(r'type="number" name="days" min="-\d+" max="\d+"', page)


def test_an_alert_shows_its_numbers_with_the_rows_they_come_from(kept: Home, client: TestClient) -> None:
    """As `kneewatch alerts show` does."""
    alert_id = alert_id_of(kept)

    assert f"/alerts/{alert_id}" in client.get("/alerts").text
    page = client.get(f"/alerts/{alert_id}").text
    assert re.search(r"<code>during</code></th><td class=\"num\">3</td><td><code>[0-9a-f]{12}</code>", page)


@pytest.mark.parametrize("address", [page.ADDRESS for page in PAGES])
def test_names_and_notes_are_escaped_and_notes_stay_out(client: TestClient, address: str) -> None:
    """A name that wants to be a script is text; a note is not shown at all."""
    answer = client.get(address)

    assert answer.status_code == 200
    assert HOSTILE not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "onerror" not in answer.text


@pytest.mark.parametrize("address", [page.ADDRESS for page in PAGES])
def test_every_page_is_for_the_athlete_that_is_asked_for(client: TestClient, address: str) -> None:
    """The switcher names both; a stranger is told of in a sentence."""
    assert '<option value="jo" selected>' in client.get(f"{address}?athlete=jo").text
    stranger = client.get(f"{address}?athlete=zoe")
    assert stranger.status_code == 400
    assert "There is no athlete &#39;zoe&#39; in kneewatch.toml; there are jo, mara." in stranger.text


def test_what_is_old_says_so(kept: Home) -> None:
    """Two days after the last computing the page says for which day it was done, and offers to do it."""
    later = Clock(CLOCK.now + timedelta(days=2), CLOCK.today + timedelta(days=2))

    page = client_of(kept, clock=later).get("/").text

    assert "This was computed for Thursday 2 July 2026" in page
    assert 'action="/compute"' in page
    assert "This was computed" not in client_of(kept).get("/").text


def test_machines_hear_whether_all_is_well_and_numbers_alone(
    kept: Home, client: TestClient, home: Home
) -> None:
    """Prometheus' text format; nothing of anybody, and 503 where nothing was published yet."""
    well, told = client.get("/healthz"), client.get("/metrics")
    without = client_of(home).get("/metrics")

    assert set(well.json()) == {"is_well", "found"}
    assert well.status_code == (200 if well.json()["is_well"] else 503)
    assert set(well.json()["found"].values()) <= {"good", "look", "bad"}
    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "kneewatch_activities " in told.text
    assert "mara" not in (well.text + told.text).lower()
    assert (without.status_code, without.text[0]) == (503, "#")


def test_a_new_home_says_how_to_begin(home: Home) -> None:
    """Nothing is published yet: no error, and a button that begins."""
    client = client_of(home)

    first = client.get("/")
    began = post(client, "/compute")

    assert (first.status_code, began.status_code) == (200, 303)
    assert "Nothing has been computed in this home yet." in first.text
    assert "No plan is chosen" in client.get("/").text


def test_a_damaged_published_copy_is_told_of(home: Home) -> None:
    """With the command that says more, and without a traceback."""
    home.published.write_bytes(b"no database")

    answer, health = client_of(home).get("/"), client_of(home).get("/healthz")

    assert (answer.status_code, health.status_code) == (503, 503)
    assert "kneewatch doctor" in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.homes
def test_a_copy_that_is_missing_or_damaged_is_made_again_at_a_button(kept: Home, tmp_path: Path) -> None:
    """The store holds everything: one press, and the page is as it was."""
    home = Home(Path(shutil.copytree(kept.root, tmp_path / "copy")))
    client = client_of(home)

    home.published.unlink()
    missing, made = client.get("/"), post(client, "/compute")
    back = client.get("/")
    home.published.write_bytes(b"no database")
    damaged, made_again = client.get("/"), post(client, "/compute")

    assert (missing.status_code, made.status_code, back.status_code) == (503, 303, 200)
    assert "nothing is lost, and it can be made again" in missing.text
    assert (damaged.status_code, made_again.status_code, client.get("/").status_code) == (503, 303, 200)
    assert "Make it again from the store" in damaged.text


@pytest.fixture
def rebuilding(sample_home: Home, tmp_path: Path) -> Iterator[Home]:
    """A copy of Mara's home while `kneewatch rebuild` runs over it, stopped in the middle."""
    home = Home(Path(shutil.copytree(sample_home.root, tmp_path / "copy")))
    process = subprocess.Popen([KNEEWATCH, "rebuild", "--home", str(home.root)])
    try:
        while not _is_held(process, home):
            sleep(0.01)
        yield home
    finally:
        process.send_signal(signal.SIGCONT)
        assert process.wait(300) == 0


def _is_held(process: subprocess.Popen[bytes], home: Home) -> bool:
    """Stop a rebuild that has put the old store aside; False when it has not come so far, or is between two steps."""
    assert process.poll() is None, "it was over before it was seen"
    if not any(home.state.glob("store.*.old.duckdb")):
        return False
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    if is_being_rebuilt(home):
        return True
    process.send_signal(signal.SIGCONT)
    return False


@pytest.mark.homes
def test_while_the_database_is_made_again_pages_say_so_and_show_what_it_held(
    rebuilding: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every page is there; a change says why it has to wait, keeps what was entered, and changes nothing."""
    for module in (today_page, alerts_page):
        monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    client = client_of(rebuilding, clock=RACE_EVE)
    before = reports_of(rebuilding)
    alert = reports_of(rebuilding, "select alert_id from alerts where status = 'open'")[0][0]

    pages = [client.get(page.ADDRESS) for page in PAGES]
    note = post(client, "/pain", side="left", score="4")
    seen = post(client, f"/alerts/{alert}/ack")

    assert {page.status_code for page in pages} == {200}
    assert all("The database is being made again." in page.text for page in pages)
    assert "<strong>Race</strong> 21.1 km" in pages[0].text
    assert note.status_code == seen.status_code == 503
    assert "Not noted yet:" in note.text
    assert 'value="4" class="pressed"' in note.text
    assert "What the database held is kept" in seen.text
    assert reports_of(rebuilding) == before


@pytest.mark.homes
def test_without_a_copy_a_rebuild_is_waited_for(rebuilding: Home) -> None:
    """Nobody is told to begin in a home that is being made."""
    rebuilding.published.unlink()

    answer = client_of(rebuilding).get("/")

    assert answer.status_code == 503
    assert "The database is being made" in answer.text
    assert "rebuild (process " in answer.text
    assert 'action="/compute"' not in answer.text


def test_wrong_settings_are_told_of_as_on_the_command_line(kept: Home, client: TestClient) -> None:
    """The sentence names the file and the key."""
    kept.settings_file.write_text(SETTINGS + "speed = 3\n")
    try:
        answer = client.get("/")
    finally:
        kept.settings_file.write_text(SETTINGS)

    assert answer.status_code == 503
    assert "kneewatch.toml: athletes.jo.speed is not a setting" in answer.text


# What a form does ------------------------------------------------------------------------------------------


@pytest.mark.homes
def test_a_tap_notes_pain_and_a_second_one_completes_it(home: Home) -> None:
    """Score during the run, then an hour after with a flag; the report stays one, and the alert stands on the page."""
    client = client_of(home)

    taps = [
        post(client, "/pain", side="right", score="3"),
        post(client, "/pain", side="right", when="after_60min", score="2", flag=["swelling", "locking"]),
        post(client, "/pain", side="left", when="next_morning", score="0"),
    ]

    assert [(tap.status_code, tap.headers["location"]) for tap in taps] == [(303, "/?said=pain")] * 3
    kept = reports_of(
        home,
        "select local_date, side, during, after_60min, next_morning, flags, source from pain_reports order by side",
    )
    yesterday = CLOCK.today - timedelta(days=1)
    assert kept == [
        (yesterday, "left", None, None, 0, [], "web"),
        (CLOCK.today, "right", 3, 2, None, ["swelling", "locking"], "web"),
    ]
    page = client.get(taps[0].headers["location"]).text
    assert "Noted. Thank you." in page
    assert "Seek medical advice" in page


@pytest.mark.homes
def test_a_report_with_a_time_of_its_own_is_completed_too(home: Home) -> None:
    """What was dropped as a file for 20:00 is the report of that day; its flags stay."""
    settings = read_settings(home)
    zone = settings.athletes["me"].zone
    at = time(20)
    known = {"athlete": "me", "zone": zone, "on": CLOCK.today, "at": at, "side": "left", "source": "pain.csv"}
    steps.log_pain(home, settings, CLOCK, pain_report(**known, during=2, flags=["locking"]))

    post(client_of(home), "/pain", side="left", when="after_60min", score="1", flag="swelling")

    question = "select during, after_60min, list_sort(flags) from pain_reports"
    assert reports_of(home, question) == [(2, 1, ["locking", "swelling"])]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"side": "right", "score": "11"}, "during is 11; a score is a number from 0 to 10"),
        ({"side": "right", "score": "1e1"}, "score is &#39;1e1&#39;"),
        ({"side": "middle", "score": "1"}, "side is &#39;middle&#39;; allowed are left, right, both"),
        ({"side": "right", "when": "source", "score": "1"}, "when is &#39;source&#39;"),
        ({"side": "right", "score": "1", "flag": "broken"}, "broken"),
        ({"side": "right", "note": ""}, "Not noted"),
    ],
)
def test_what_cannot_be_noted_is_named(
    kept: Home, client: TestClient, form: dict[str, str], says: str
) -> None:
    """One sentence, and nothing is written."""
    before = reports_of(kept)

    answer = post(client, "/pain", **form)

    assert answer.status_code == 400
    assert says in answer.text
    assert reports_of(kept) == before


def test_while_others_write_what_was_entered_stays_in_the_form(
    kept: Home, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says so after a short wait; nothing is lost and nothing written."""
    monkeypatch.setattr(today_page, "PATIENCE_S", 0.1)
    with kept.lock.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        answer = post(client, "/pain", side="left", score="4", flag="numbness", note=NOTE, changed_gait="yes")

    assert answer.status_code == 503
    assert "is in use by" in answer.text
    assert 'value="4" class="pressed"' in answer.text
    assert 'value="numbness" checked' in answer.text
    assert "&lt;/textarea&gt;&lt;img src=x onerror=alert(1)&gt;</textarea>" in answer.text
    assert reports_of(kept) == [("right", 3, ["swelling"])]


@pytest.mark.homes
def test_an_alert_is_acknowledged_and_only_by_whose_it_is(kept: Home, client: TestClient) -> None:
    """The button leads back to where it was pressed."""
    address = f"/alerts/{alert_id_of(kept)}/ack"

    of_another = post(client, f"{address}?athlete=jo")
    elsewhere = post(client, address, back="//evil.example")
    done = post(client, address, back="/")

    assert (of_another.status_code, elsewhere.status_code) == (404, 422)
    assert (done.status_code, done.headers["location"]) == (303, "/?said=acknowledged")
    assert reports_of(kept, "select status from alerts") == [("acknowledged",)]


# Attacks ---------------------------------------------------------------------------------------------------

OURS = {"origin": HERE, "sec-fetch-site": "same-origin"}
ATTACKS: dict[str, tuple[str, str, dict[str, str], int]] = {
    "a name that leads here (rebinding)": ("GET", "/", {"host": "evil.example:8765"}, 421),
    "a name that ends like ours": ("GET", "/", {"host": f"evil.{HOST}"}, 421),
    "another port": ("GET", "/", {"host": "127.0.0.1:9"}, 421),
    "a user before the host": ("GET", "/", {"host": f"{HOST}@evil.example"}, 421),
    "a host behind a proxy that is none": (
        "GET",
        "/",
        {"host": "evil.example", "x-forwarded-host": HOST},
        421,
    ),
    "another site's form": ("POST", "/pain", {"origin": "https://evil.example"}, 403),
    "another port's form": ("POST", "/pain", {"origin": "http://127.0.0.1:3000"}, 403),
    "a form without an origin (sandbox)": ("POST", "/pain", {"origin": "null"}, 403),
    "another site, by what the browser says": ("POST", "/pain", {"sec-fetch-site": "cross-site"}, 403),
    "a page of a sister host": ("POST", "/pain", {"sec-fetch-site": "same-site"}, 403),
    "our origin without a form token": ("POST", "/pain", OURS, 403),
    "an acknowledgement without a form token": ("POST", f"/alerts/{'0' * 64}/ack", OURS, 403),
    "a decision without a form token": ("POST", f"/runs/{'0' * 64}/decide", OURS, 403),
    "a run that is a path": ("GET", "/runs/..%2f..%2fetc%2fpasswd", {}, 404),
    "a run that is none": ("GET", f"/runs/{'G' * 64}", {}, 422),
    "a page before time": ("GET", "/weeks?until=0001-01-01", {}, 422),
    "computing without a form token": ("POST", "/compute", OURS, 403),
    "PUT": ("PUT", "/pain", OURS, 405),
    "DELETE": ("DELETE", f"/alerts/{'0' * 64}", OURS, 405),
    "TRACE": ("TRACE", "/", {}, 405),
    "a change by GET": ("GET", "/pain?side=left&score=3", {}, 405),
    "an alert above the folder": ("GET", "/alerts/..%2f..%2fetc%2fpasswd", {}, 404),
    "an id that is a path": ("GET", "/alerts/%2fetc%2fpasswd", {}, 404),
    "an id that is none": ("GET", f"/alerts/{'G' * 64}", {}, 422),
    "an id of nothing": ("GET", f"/alerts/{'0' * 64}", {}, 404),
    "a file above the folder": ("GET", "/static/..%2f..%2fsecurity.py", {}, 404),
    "a file by its path": ("GET", "/static//etc/passwd", {}, 404),
    "the API's own description": ("GET", "/openapi.json", {}, 404),
    "its pages": ("GET", "/docs", {}, 404),
    "an athlete that is a path": ("GET", "/?athlete=../../etc", {}, 400),
    "more than a form holds": ("POST", "/pain", OURS | {"content-length": "999999"}, 413),
    "a length that is none": ("POST", "/pain", OURS | {"content-length": "-1"}, 413),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_comes_to_nothing(kept: Home, client: TestClient, attack: str) -> None:
    """Refused with a plain word; nothing changes, and the browser is told what it must hold to all the same."""
    method, path, headers, status_code = ATTACKS[attack]
    before = kept.published.stat().st_mtime_ns

    answer = client.request(method, path, headers=headers)

    assert answer.status_code == status_code
    assert "Traceback" not in answer.text
    assert "root:" not in answer.text
    assert answer.headers["content-security-policy"] == security.POLICY
    assert kept.published.stat().st_mtime_ns == before


def test_two_hosts_are_none(client: TestClient) -> None:
    """Which of them another layer would believe nobody knows."""
    assert client.get("/", headers=[("host", HOST), ("host", "evil.example")]).status_code == 421


@pytest.mark.parametrize("given", ["", "0" * 64, "ü", "another visit's"])
def test_a_form_of_another_visit_changes_nothing(kept: Home, client: TestClient, given: str) -> None:
    """The token belongs to the visit that it was given to."""
    form_token(client)
    token = form_token(client_of(kept)) if given == "another visit's" else given

    answer = client.post(
        "/pain", data={security.FORM_FIELD: token, "side": "left", "score": "3"}, headers=OURS
    )

    assert answer.status_code == 403
    assert "Nothing was changed." in answer.text


def test_a_body_that_is_longer_than_it_says_is_cut_off(client: TestClient) -> None:
    """Sent in pieces without a length; what is too much is not kept waiting for."""

    def pieces() -> Iterator[bytes]:
        yield f"{security.FORM_FIELD}={form}&note=".encode()
        for _ in range(20):
            yield b"x" * 8192

    form = form_token(client)
    headers = OURS | {"content-type": "application/x-www-form-urlencoded"}

    assert client.post("/pain", content=pieces(), headers=headers).status_code == 413


def test_no_route_changes_anything_without_a_form(client: TestClient) -> None:
    """Every route that takes POST, also one that is added later, refuses a form without its token."""
    addresses = [
        re.sub(r"\{\w+\}", "0" * 64, route.path)
        for page in PAGES
        for found in page.router.routes
        for route in getattr(found, "original_router", page.router).routes
        if isinstance(route, Route) and "POST" in (route.methods or ())
    ]

    assert {"/pain", "/compute", f"/runs/{'0' * 64}/decide"} <= set(addresses)
    assert {client.post(address, headers=OURS).status_code for address in addresses} == {403}


def test_what_browsers_are_told(kept: Home, client: TestClient) -> None:
    """Nothing is kept but static files, nothing sniffed, framed, or run that is not ours."""
    page = client.get("/")
    style = re.search(r'href="(/static/[^"]+\.css)"', page.text)
    assert style

    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "same-origin"
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert re.search(r"HttpOnly; SameSite=Strict", client_of(kept).get("/").headers["set-cookie"])
    assert "immutable" in client.get(style[1]).headers["cache-control"]
    assert " style=" not in page.text
    assert not re.search(r"<script(?! src=\"/static/)", page.text)


def test_an_error_of_ours_says_nothing_private(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither to the client nor in the log: its text may be a name or a note."""

    def fail(*_: object) -> None:
        raise RuntimeError("heart of gold")

    monkeypatch.setattr(today_page, "week_ahead_sentence", fail)

    answer = client.get("/")

    assert (answer.status_code, "heart of gold" in answer.text) == (500, False)
    said = capsys.readouterr()
    assert "RuntimeError in fail" in said.err
    assert "heart of gold" not in said.err + said.out


# The token -------------------------------------------------------------------------------------------------


def test_with_a_token_nobody_gets_in_without_it(kept: Home) -> None:
    """Pages lead to the log-in, changes are refused; what the log-in page looks like may be seen."""
    client = client_of(kept, token=TOKEN)

    assert [client.get(page.ADDRESS).headers["location"] for page in PAGES] == ["/login"] * len(PAGES)
    assert client.get("/charts/upcoming.json").status_code == 303
    assert post(client, "/pain", side="left", score="3").status_code == 401
    assert client.get("/?token=" + TOKEN).status_code == 303
    assert client.get("/login").status_code == 200


@pytest.mark.parametrize(
    "header", ["Bearer wrong", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer ", TOKEN, "Bearer ü"]
)
def test_a_wrong_token_in_the_header_is_refused(kept: Home, header: str) -> None:
    """Whatever is wrong with it."""
    answer = client_of(kept, token=TOKEN).get("/", headers={"authorization": header.encode()})

    assert answer.status_code == 401


def test_the_token_lets_in_by_header_and_by_log_in(kept: Home) -> None:
    """A program sends it with each request; a browser gets a cookie for it that a new token makes worthless."""
    program, browser = client_of(kept, token=TOKEN), client_of(kept, token=TOKEN)

    assert program.get("/", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert post(browser, "/login", token="wrong").status_code == 401
    assert browser.get("/").status_code == 303
    assert post(browser, "/login", token=TOKEN).status_code == 303
    assert browser.get("/").status_code == 200
    assert TOKEN not in "".join(cookie.value or "" for cookie in browser.cookies.jar)
    after = client_of(kept, token="another")
    after.cookies = browser.cookies
    assert after.get("/").status_code == 303


@pytest.mark.parametrize("cookie", ["", "x", "9999999999.", "9999999999.abc", "-1.é", "１.x"])
def test_a_log_in_that_we_did_not_give_is_none(cookie: str) -> None:
    """Made up, cut off, or not even text of ours; nor one that has run out."""
    keys = security.Keys(b"secret", TOKEN)

    assert not keys.is_login(cookie, 0)
    assert keys.is_login(keys.login(0), security.LOGIN_LASTS_S - 1)
    assert not keys.is_login(keys.login(0), security.LOGIN_LASTS_S)


def test_secret_and_token_are_for_their_owner_only(home: Home) -> None:
    """Mode 600; a new token is another one, long enough not to be guessed."""
    security.secret_of(home)
    tokens = {security.new_token(home).read_text() for _ in range(2)}

    modes = {stat.S_IMODE(file.stat().st_mode) for file in (home.state / "web").iterdir()}
    assert modes == {0o600}
    assert len(tokens) == 2
    assert all(re.fullmatch(r"([a-z2-9]{5}-){4}[a-z2-9]{5}", token) for token in tokens)


# Reading and serving ---------------------------------------------------------------------------------------


def test_a_publication_is_seen_at_once_and_disturbs_no_reader(home: Home) -> None:
    """Who reads goes on with the old copy; the next one gets the new; what was kept goes with its copy."""
    settings = read_settings(home)
    steps.bring_up_to_date(home, settings, CLOCK)
    published = Published(home)
    question = "select count(*) from flow_log"
    with published.reading() as old:
        before = old.con.execute(question).fetchall()
        assert (old.kept("x", lambda: 1), old.kept("x", lambda: 2)) == (1, 1)
        steps.publish(home, settings, CLOCK)
        with published.reading() as new:
            assert new.con.execute(question).fetchall() > before
            assert new.kept("x", lambda: 2) == 2
        assert old.con.execute(question).fetchall() == before
    published.close()


@dataclass(frozen=True)
class _Key:
    """Looking it up runs Python, so that another thread can come between."""

    number: int


def test_what_is_kept_is_found_by_many_readers_at_once(kept: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """However little fits, and however often they get into each other's way: each gets what belongs to its key."""
    monkeypatch.setattr(reading_module, "KEPT", 2)
    published = Published(kept)

    def wrong(first: int) -> list[_Key]:
        with published.reading() as reading:
            keys = [_Key(number % 5) for number in range(first, first + 5_000)]
            return [key for key in keys if reading.kept(key, lambda key=key: key) != key]

    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(3) as threads:
            assert list(threads.map(wrong, range(3))) == [[], [], []]
    finally:
        sys.setswitchinterval(usual_s)
    published.close()


def test_what_was_kept_first_goes_first(kept: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "KEPT", 2)
    made: list[str] = []
    published = Published(kept)
    with published.reading() as reading:
        for key in ("a", "b", "a", "c", "b", "a"):
            reading.kept(key, lambda key=key: made.append(key))
    published.close()
    assert made == ["a", "b", "c", "a"]


def test_readers_are_held_to_what_questions_may_do(kept: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of several at once: UTC, no file, no change of configuration, no writing."""
    published = Published(kept)
    with published.reading(), published.reading() as reading:
        assert reading.con.execute("select current_setting('timezone')").fetchall() == [("UTC",)]
        for question in (
            "select * from read_text('/etc/passwd')",
            "set enable_external_access = true",
            "delete from pain_reports",
            "attach '/tmp/x.duckdb'",
        ):
            with pytest.raises(Exception, match=r"disabled|locked|read-only"):
                reading.con.execute(question)
    published.close()


def test_a_server_that_others_can_reach_wants_a_token(home: Home) -> None:
    """And a name under which it is reached, when it listens on every address."""
    settings = read_settings(home)
    with pytest.raises(WrongUseError, match="--new-token"):
        web_server(home, settings, host="0.0.0.0", port=0)
    security.new_token(home)
    with pytest.raises(WrongUseError, match="every address and no name"):
        web_server(home, settings, host="0.0.0.0", port=0)


def test_a_server_beside_other_work_starts_and_stops(kept: Home) -> None:
    """As a part of something else: in a thread; its port is taken meanwhile, and free afterwards."""
    settings = read_settings(kept)
    server = web_server(kept, settings, port=0, clock=lambda _: CLOCK)
    port = int(server.url.rpartition(":")[2].rstrip("/"))
    thread = serve_in_thread(server)
    try:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            assert client.get("/alerts").status_code == 200
        with pytest.raises(KneewatchError, match="cannot be had"):
            web_server(kept, settings, port=port)
    finally:
        server.stop()
        thread.join(30)
    assert not thread.is_alive()
    web_server(kept, settings, port=port).close()


def test_the_command_serves_until_it_is_told_to_stop(kept: Home) -> None:
    """It says where, answers there, and ends with 0 at SIGTERM."""
    serving = subprocess.Popen(
        [Path(sys.executable).with_name("kneewatch"), "web", "--home", kept.root, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert serving.stdout
        url = serving.stdout.readline().split()[0]
        with httpx.Client(base_url=url, timeout=60) as client:
            answer = client.get("/login")
    finally:
        serving.terminate()
        said = serving.communicate(timeout=60)
    assert answer.status_code == 200
    assert serving.returncode == 0, said
    assert said[1] == ""
