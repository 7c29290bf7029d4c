"""Report pages in the home: written when they would show something else, and left alone when not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from math import inf
from typing import Any
from zoneinfo import ZoneInfo

import altair as alt
import duckdb
import pytest
from starlette.testclient import TestClient

from flows import steps
from flows.news import TABLES
from flows.reports import made_of, physio_html, report_html, write_reports
from ingest.logs import pain_report
from ingest.pain_log import save_pain_reports
from kneewatch.web.app import create_app
from report import charts
from store.database import opened_copy
from store.home import Home
from store.lock import holder, writing
from store.settings import Athlete, Settings
from tests.conftest import DAY_AFTER_THE_LAST_RUN

TODAY = DAY_AFTER_THE_LAST_RUN.today
MARA = Settings(default_athlete="mara", athletes={"mara": Athlete(name="Mara"), "tom": Athlete(name="Tom")})
ALL = ["2026-10-03-tom.html", "2026-10-03.html", "latest-tom.html", "latest.html"]


@pytest.fixture(scope="module")
def known(sample_home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """What is known of Mara, in memory; each test takes back what it does to it."""
    with opened_copy(sample_home) as con:
        yield con


@pytest.fixture
def con(known: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    known.execute("begin")
    yield known
    known.execute("rollback")


def written(con: duckdb.DuckDBPyConnection, home: Home) -> list[str]:
    """Write the reports and return the names of the files that were."""
    before = {path: path.stat().st_ino for path in home.reports.glob("*.html")}
    count, left = write_reports(con, home, MARA, today=TODAY, for_s=inf)
    assert left == 0
    names = sorted(p.name for p in home.reports.glob("*.html") if p.stat().st_ino != before.get(p))
    assert len(names) == 2 * count
    return names


def test_pages_that_would_show_the_same_are_left_alone(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    """One that is gone is written again, beside its twin."""
    assert written(con, home) == ALL
    assert written(con, home) == []
    (home.reports / "2026-10-03.html").unlink()
    assert written(con, home) == ["2026-10-03.html", "latest.html"]
    assert (
        (home.reports / "latest.html")
        .read_text()
        .startswith(report_html(con, MARA, athlete="mara", today=TODAY))
    )


def test_what_takes_too_long_is_left_for_the_next_time(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    """One page at least, so that it comes to an end."""
    turns = [write_reports(con, home, MARA, today=TODAY, for_s=0) for _ in range(3)]

    assert turns == [(1, 1), (1, 0), (0, 0)]


def test_who_wants_to_write_meanwhile_does_not_wait_for_all_pages(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a coach's runners take minutes each morning, and drops come when they come."""
    monkeypatch.setattr(steps, "DRAWING_TURN_S", 0.0)
    many = Settings(default_athlete="a", athletes={key: Athlete() for key in "abcd"})
    drawing = threading.Thread(target=steps.publish, args=(home, many, DAY_AFTER_THE_LAST_RUN))

    drawing.start()
    while not (holder(home) or "").startswith("publish"):
        assert drawing.is_alive()
    with writing(home, "a drop"):
        drawn = len(list(home.reports.glob("latest*.html")))
    drawing.join()

    assert 1 <= drawn < len(many.athletes)
    assert len(list(home.reports.glob("latest*.html"))) == len(many.athletes)


def test_what_is_new_of_one_is_no_news_of_another(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    written(con, home)
    now = DAY_AFTER_THE_LAST_RUN.now
    report = pain_report(athlete="tom", zone=ZoneInfo("UTC"), on=TODAY, side="left", during=2, source="cli")

    save_pain_reports(con, [report], now=now)

    assert written(con, home) == ["2026-10-03-tom.html", "latest-tom.html"]


def test_another_day_unit_language_rule_or_name_is_another_page(con: duckdb.DuckDBPyConnection) -> None:
    """Of both, but for the name."""
    renamed = MARA.athletes | {"tom": Athlete(name="Thomas")}
    stricter = MARA.alerts.model_copy(update={"pain_p1_max": 1.0})
    before = made_of(con, MARA, TODAY)

    def others(settings: Settings = MARA, today: date = TODAY) -> list[str]:
        after = made_of(con, settings, today)
        return [who for who in after if after[who] != before[who]]

    assert others() == []
    assert others(today=TODAY + timedelta(days=1)) == ["mara", "tom"]
    for change in ({"units": "miles"}, {"locale": "de"}, {"alerts": stricter}):
        assert others(MARA.model_copy(update=change)) == ["mara", "tom"], change
    assert others(MARA.model_copy(update={"athletes": renamed})) == ["tom"]


def test_whatever_changes_in_any_table_is_seen(con: duckdb.DuckDBPyConnection) -> None:
    """A row less of hers is a new page of hers, and hers alone."""
    filled = [
        name for name, *_ in con.execute(TABLES).fetchall() if con.execute(f"from {name} limit 1").fetchall()
    ]
    assert {"pain_reports", "run_metrics", "laps", "alerts", "exports", "weekly_trends"} <= {*filled}
    filled.sort(key=lambda name: name == "activities")  # by which others are hers
    before = made_of(con, MARA, TODAY)
    for table in filled:
        con.execute(f"delete from {table} where rowid = (select min(rowid) from {table})")
        after = made_of(con, MARA, TODAY)
        assert [who for who in before if before[who] != after[who]] == ["mara"], table
        before = after


def test_no_other_table_is_in_a_page(con: duckdb.DuckDBPyConnection) -> None:
    """So that what is looked at is all that can change it."""
    page = report_html(con, MARA, athlete="mara", today=TODAY)
    looked_at = {name for name, *_ in con.execute(TABLES).fetchall()}
    others = {
        name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()
    } - looked_at
    assert others
    for table in others:
        con.execute(f"delete from {table}")
    assert report_html(con, MARA, athlete="mara", today=TODAY) == page


def test_every_chart_is_what_the_schema_allows(
    sample_home: Home, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawing does not check it, which would take as long again: those of reports and pages are checked here."""
    described: list[dict[str, Any]] = []
    as_drawn = charts._as_vega_lite

    def noted(chart: charts.Chart) -> dict[str, Any]:
        described.append(as_drawn(chart))
        return described[-1]

    monkeypatch.setattr(charts, "_as_vega_lite", noted)
    of_a_knee = {"side": "right", "weeks": 16, "with_map": True}
    report_html(con, MARA, athlete="mara", today=TODAY)
    # Whether a short way is on the map depends on the home's secret, but for a zone of nothing.
    everywhere = MARA.model_copy(update={"athletes": {"mara": Athlete(privacy_radius_m=0)}})
    physio_html(con, sample_home, everywhere, athlete="mara", today=TODAY, **of_a_knee)
    app = create_app(sample_home, allowed_hosts=["here"], clock=lambda _: DAY_AFTER_THE_LAST_RUN)
    client = TestClient(app, base_url="http://here")
    (run,) = con.execute(
        "select max(activity_id) from runs where athlete = 'mara' and avg_hr_bpm is not null and ascent_m > 0"
    ).fetchall()[0]
    for chart in (
        *("charts/upcoming", "charts/weeks", "charts/knee-right"),
        *(f"runs/{run}/{name}" for name in ("pace", "heart_rate", "altitude", "cadence")),
    ):
        drawn = client.get(f"/{chart}.json")
        assert drawn.status_code == 200, chart
        described.append(drawn.json())

    assert len(described) == 4 + 2 + 2 * 7
    for one in described:
        alt.Chart.from_dict(one)  # raises where it is not
