"""The whole way through a served home: real files and pain in, an alert at a channel, pages in a browser, a restart; as by hand."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page

from flows.environment import password_file
from flows.prefect_server import is_healthy
from sample_data import fit_writer
from sample_data.recording import record
from sample_data.story import Run
from store import home as homes
from store.database import opened_published
from store.home import Home
from tests.chromium import PATIENCE_MS
from tests.conftest import CORPUS, ROOT
from tests.json_server import JsonServer
from tests.serving import KNEEWATCH, PATIENCE_S, Serving, drop, flow_runs, rows, serve, within_patience

pytestmark = [pytest.mark.serve, pytest.mark.prefect, pytest.mark.xdist_group("prefect")]

SAMPLES = ROOT / "sample_data"
ONE_BY_ONE = ("fit/garmin-fenix-5-run.fit", "gpx/1604656524801.gpx", "tcx/activity_5039744860.tcx")
IN_BULK = (
    "fit/2015-10-13-08-43-15.fit",
    "fit/garmin-fenix-5-walk.fit",
    "gpx/1604529992723.gpx",
    "tcx/activity_217470507.tcx",
)
WINTER = 8  # files of the sixteen weeks
MADE_UP = ("2026-07-11_085429.gpx", "2026-07-12_091428.fit", "2026-07-14_181226.fit", "2026-07-16_183524.fit")
KM_BY_DAYS_AGO = {20: 3.0, 13: 3.0, 6: 3.0, 0: 5.0}  # the last is a spike of two thirds
SETTINGS = """\
[athletes.me]
time_zone = "{zone}"
[channels.phone]
url = "json://{address}/?rto=60&cto=60"
"""
BOOKKEEPING = {"flow_log", "schema_migrations", "duckdb_logs"}
WHEN_COMPUTED = {"seen_at", "raised_at", "delivered_at", "next_attempt_at", "asked_at"}


class Phone(JsonServer):
    """Takes every letter."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, str]] = []
        super().__init__()

    def answer(self, handler: BaseHTTPRequestHandler, letter: dict[str, str]) -> int:
        self.letters.append((letter["title"], letter["message"]))
        return 200


@pytest.fixture
def phones() -> Iterator[tuple[Phone, Phone]]:
    """One for the home that is served, one for that in which all is done by hand."""
    both = Phone(), Phone()
    yield both
    for phone in both:
        phone.close()


def test_it_runs_by_itself_and_comes_to_what_is_done_by_hand(
    tmp_path: Path, browser: Browser, phones: tuple[Phone, Phone]
) -> None:
    """Each letter once, the same pages before and after a restart, and every row as `ingest` and `run` would have it."""
    zone = _where_it_is_noon()
    served, by_hand = (_home(tmp_path / name, zone, phone) for name, phone in zip("ab", phones, strict=True))
    singly, in_bulk = _files(tmp_path / "files", datetime.now(ZoneInfo(zone)))
    report = tmp_path / "knee.csv"
    report.write_text(f"date,time,side,during\n{datetime.now(ZoneInfo(zone)).date()},11:30,right,4\n")

    serving = serve(served)
    try:
        within_patience(lambda: is_healthy(serving.url()))
        for file in singly:
            drop(served, file)
        for file in in_bulk:
            shutil.copy(file, served.inbox)
        within_patience(lambda: _is_idle(serving, exports=len(singly) + len(in_bulk)))
        _report_swelling(served)
        drop(served, report)
        within_patience(lambda: _is_idle(serving, exports=len(singly) + len(in_bulk) + 1))

        assert sorted(rows(served, "select rule, side from alerts where status = 'open'")) == [
            ("medical", "left"),
            ("spike_and_pain", "right"),
        ]
        assert all(times == 1 for times in Counter(phones[0].letters).values())
        assert rows(served, "select count(delivered_at) from deliveries") == [(len(phones[0].letters),)]
        _look_at_pages(browser, serving, served)
        _look_at_prefects_pages(browser, serving)

        assert serving.end(signal.SIGTERM) == 0
        before, letters = _tables(served), list(phones[0].letters)
        assert list(served.inbox.iterdir()) == []
        assert not list(served.root.rglob("*.tmp"))
        assert rows(served, "select step from flow_log where outcome <> 'ok'") == []

        again_at = datetime.now(UTC)
        serving = serve(served)
        within_patience(lambda: is_healthy(serving.url()) and _was_reviewed_since(served, again_at))
        assert serving.end(signal.SIGTERM) == 0
    finally:
        serving.process.kill()
        serving.process.wait()

    assert phones[0].letters == letters
    assert _different(_tables(served), before) == []

    _kneewatch("ingest", *singly, *in_bulk, home=by_hand, code=1)  # one was refused
    _report_swelling(by_hand)
    _kneewatch("ingest", report, home=by_hand)
    _kneewatch("run", home=by_hand)
    assert _different(_tables(by_hand), before) == []
    assert sorted(phones[1].letters) == sorted(letters)


# What is dropped ------------------------------------------------------------------------------------------


def _where_it_is_noon() -> str:
    """Return a zone in which no midnight is near: what is computed for a day shall not change under the test."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"  # the sign of these is the other way round


def _home(folder: Path, zone: str, phone: Phone) -> Home:
    home = homes.at(folder).prepare()
    home.settings_file.write_text(SETTINGS.format(zone=zone, address=phone.address))
    return home


def _files(folder: Path, now: datetime) -> tuple[list[Path], list[Path]]:
    """Return what is dropped one by one, and what all at once: real files, a spike of today, a duplicate, a broken one."""
    folder.mkdir()
    if CORPUS.is_dir():
        singly = [CORPUS / name for name in ONE_BY_ONE]
        in_bulk = [CORPUS / name for name in IN_BULK]
        in_bulk += sorted((CORPUS / "sixteen_weeks").iterdir())[:WINTER]
    else:
        singly, in_bulk = (
            [SAMPLES / "inbox" / name for name in names] for names in (MADE_UP[:2], MADE_UP[2:])
        )
    for days_ago, km in KM_BY_DAYS_AGO.items():
        started_at = (now - timedelta(days=days_ago, hours=2)).astimezone(UTC)
        recording = replace(record(Run(day=date(2026, 7, 1), km=km)), started_at=started_at)
        in_bulk.append(folder / f"{days_ago}-days-ago.fit")
        in_bulk[-1].write_bytes(fit_writer.encode(recording))
    in_bulk.append(folder / f"again{singly[0].suffix}")
    shutil.copy(singly[0], in_bulk[-1])
    return singly, [*in_bulk, SAMPLES / "broken" / "garbage.fit"]


def _report_swelling(home: Home) -> None:
    _kneewatch(
        *("pain", "add", "--side", "left", "--during", "2", "--flag", "swelling", "--time", "11:00"),
        home=home,
    )


def _kneewatch(*words: str | Path, home: Home, code: int = 0) -> None:
    done = subprocess.run(
        [KNEEWATCH, *words, "--home", home.root],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == code, done.stdout + done.stderr


# What comes of it -----------------------------------------------------------------------------------------


def _is_idle(serving: Serving, *, exports: int) -> bool:
    """Tell whether so many files were seen, the last one was reviewed to the end, and no flow is running."""
    last = (
        "select max(started_at) filter (step = 'publish') > max(started_at) filter (step = 'take_in' and "
        "coalesce(counts ->> 'ingested', counts ->> 'partly_ingested', counts ->> 'quarantined') is not null) "
        "from flow_log"
    )
    return (
        rows(serving.home, "select count(*) from exports") == [(exports,)]
        and rows(serving.home, last) == [(True,)]
        and not any(serving.home.inbox.iterdir())
        and {run["state_type"] for run in flow_runs(serving)} <= {"COMPLETED"}
    )


def _was_reviewed_since(home: Home, moment: datetime) -> bool:
    """Tell whether all that a start does has been done again."""
    return rows(
        home, f"select count(*) from flow_log where step = 'publish' and started_at > '{moment}'"
    ) == [(1,)]


def _tables(home: Home) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of every table and view in words, so that NaN is NaN, without what says when they were computed."""
    with opened_published(home) as con:
        names = con.execute(
            "select table_name from information_schema.tables where table_schema = 'main' order by all"
        ).fetchall()
        wanted = [name for (name,) in names if name not in BOOKKEEPING]
        columns = f"columns(lambda name: name not in {tuple(sorted(WHEN_COMPUTED))})::varchar"
        return {name: con.execute(f"select {columns} from {name} order by all").fetchall() for name in wanted}


def _different(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    return [name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)]


def _look_at_pages(browser: Browser, serving: Serving, home: Home) -> None:
    url = within_patience(lambda: re.search(r"Pages: (http://127\.0\.0\.1:\d+)/", serving.said()))[1]
    page, asked = _opened(browser, f"{url}/")
    assert page.get_by_role("region", name="Open alerts").get_by_role("alert").count() == 2

    page.get_by_role("navigation").get_by_role("link", name="Inbox").click()
    page.get_by_text("garbage.fit").first.wait_for()
    page.get_by_role("navigation").get_by_role("link", name="Alerts").click()
    for side in ("left", "right"):
        page.get_by_role("alert").filter(has_text=f"{side} knee").wait_for()
    assert {urlsplit(one).hostname for one in asked} - {None} == {"127.0.0.1"}  # blob: and data: have no host


def _look_at_prefects_pages(browser: Browser, serving: Serving) -> None:
    """Without the password they show nothing; with it, each run under a name that says what it was about."""
    page, asked = _opened(browser, f"{serving.url()}/runs")
    page.get_by_placeholder("admin:pass").fill(password_file(serving.home).read_text())
    named = page.get_by_text(re.compile(r"intake-\d+-file"))
    assert named.count() == 0
    page.get_by_role("button", name="Login").click()

    named.first.wait_for()
    assert {urlsplit(one).hostname for one in asked} - {None} == {"127.0.0.1"}  # blob: and data: have no host


def _opened(browser: Browser, url: str) -> tuple[Page, Sequence[str]]:
    """Open a page, and return it with what it asks for from now on."""
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE_MS)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    return page, asked
