"""The physio report: one knee on two pages, with what was noted and never more than that."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from kneewatch.cli import app
from report.format import Units, written_as_in
from report.physio import SHOWN_REPORTS, Ways, render_physio
from store.database import migrate
from store.home import Home

TODAY = date(2026, 9, 20)
SPIKE = {
    "activity_id": "spike",
    "local_date": "2026-08-23",
    "distance_m": 18400.0,
    "longest_30d_m": 13000.0,
    "longest_30d_date": "2026-08-02",
    "spike_ratio": 0.4153,
    "spike_bin": "moderate",
    "week_m": None,
    "week_before_m": None,
    "descent_7d_m": None,
    "descent_mean_m": None,
}
PAIN = {
    "local_date": "2026-08-25",
    "before": 0.0,
    "during": 3.0,
    "after_60min": 2.0,
    "next_morning": None,
    "flags": [],
    "changed_gait": False,
    "is_rising": True,
}
EVIDENCE = {"spikes": [SPIKE], "pain": PAIN, "missing": ["next_morning"]}
SQUARE = pl.DataFrame({"piece": [0] * 4, "x_m": [0.0, 3000, 3000, 0], "y_m": [0.0, 0, 3000, 3000]})
"""A way that takes as much room as any."""
NEVER = re.compile(r"\bno pain\b(?! in)|\bsafe\b|you have|injury risk", re.IGNORECASE)
CHROMIUM = shutil.which("chromium")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the real tables and nothing in them."""
    connection = duckdb.connect(":memory:")
    connection.execute("set timezone = 'UTC'")
    migrate(connection)
    yield connection
    connection.close()


@pytest.fixture
def sore(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A spike on 23 August, a right knee that hurt after it, strength work and two runs since."""
    for name, day, km, hr, bin_ in (
        ("spike", date(2026, 8, 23), 18.4, 150.0, "moderate"),
        ("short", date(2026, 8, 25), 5.0, None, "reference"),
        ("later", date(2026, 9, 12), 6.0, 141.0, "reference"),
    ):
        insert_run(con, name, day, km, hr)
        insert(con, "run_metrics", activity_id=name, spike_bin=bin_, inputs_key="test")
    insert_report(con, 25, during=3.0, after_60min=2.0, site="kneecap")
    insert_report(con, 27, during=5.0, flags=["swelling"], changed_gait=True, note="by <the> canal")
    insert_report(con, 27, side="left", during=9.0, site="back")
    insert_alert(con, "warning of it", evidence=json.dumps(EVIDENCE))
    insert(
        con,
        "strength_sessions",
        session_id="one",
        athlete="me",
        local_date=date(2026, 9, 2),
        exercises=[{"name": "leg curl", "sets": 3, "reps": 10, "load_kg": None}],
        pain_during=1.0,
    )
    return con


def insert(con: duckdb.DuckDBPyConnection, table: str, **values: Any) -> None:
    marks = ", ".join("?" * len(values))
    con.execute(f"insert into {table} ({', '.join(values)}) values ({marks})", list(values.values()))


def insert_run(
    con: duckdb.DuckDBPyConnection, name: str, day: date, km: float, hr_bpm: float | None = None
) -> None:
    insert(
        con,
        "activities",
        activity_id=name,
        athlete="me",
        export_id=name,
        sport="running",
        is_run=True,
        is_indoor=False,
        started_at=f"{day}T06:00:00Z",
        local_date=day,
        utc_offset_s=7200,
        elapsed_s=3000.0,
        timer_s=2900.0,
        distance_m=km * 1000,
        avg_hr_bpm=hr_bpm,
    )


def insert_report(con: duckdb.DuckDBPyConnection, day: int, side: str = "right", **values: Any) -> None:
    insert(
        con,
        "pain_reports",
        **{
            "report_id": f"{side} {day}",
            "athlete": "me",
            "reported_at": "2026-08-27T18:00:00Z",
            "local_date": date(2026, 8, 1) + timedelta(days=day - 1),
            "side": side,
            "source": "cli",
            **values,
        },
    )


def insert_alert(con: duckdb.DuckDBPyConnection, name: str, **values: Any) -> None:
    insert(
        con,
        "alerts",
        **{
            "alert_id": name,
            "athlete": "me",
            "side": "right",
            "episode_id": "the episode",
            "raised_at": "2026-08-25T18:00:00Z",
            "local_date": date(2026, 8, 25),
            "rule": "spike_and_pain",
            "severity": "warning",
            "order_of_events": "pain after spike",
            "is_medical": False,
            "message": "message",
            "action": "action",
            "status": "open",
            "formula_version": "1",
            **values,
        },
    )


def render(con: duckdb.DuckDBPyConnection, *, side: str = "right", weeks: int = 8, **more: Any) -> str:
    return render_physio(
        con,
        athlete="me",
        athlete_name=more.pop("athlete_name", "Robin"),
        side=side,
        weeks=weeks,
        today=TODAY,
        units=Units("km"),
        version="0.1.0",
        **more,
    )


def words(html: str) -> str:
    """Return what one reads: no style, no tags, breaks of lines as spaces."""
    html = re.sub(r"<(style|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def test_the_episode_stands_in_its_order_with_both_numbers(sore: duckdb.DuckDBPyConnection) -> None:
    """First the load, then the pain, then the alert of the same day; each with its day."""
    said = words(render(sore))
    events = (
        "Sun 23 Aug Load Run of 18.4 km; the longest of the 30 days before was 13.0 km (Sun 2 Aug): +41.5 %.",
        "Tue 25 Aug Pain Noted: 0/10 before a run, 3/10 during a run, 2/10 60 minutes after, rising over 14 days.",
        "Tue 25 Aug Alert Warning: Load spike and knee pain; order: pain after spike; open.",
    )
    places = [said.find(event) for event in events]

    assert -1 not in places
    assert places == sorted(places)
    assert "rate ratio 1.52, 1.16–2.00" in said


def test_red_flags_come_before_everything(sore: duckdb.DuckDBPyConnection) -> None:
    """Above the episode, with what to do."""
    said = words(render(sore))

    flags = said.index("Noted signs that should be looked at: Thu 27 Aug : swelling. If pain is increasing")
    assert flags < said.index("The episode")


def test_it_is_about_one_knee(sore: duckdb.DuckDBPyConnection) -> None:
    """The other one's scores and alerts are not in it; a report of both knees is in both."""
    insert_report(sore, 29, side="both", during=4.0)
    right, left = words(render(sore)), words(render(sore, side="left"))

    assert "back of" not in right
    assert "Thu 27 Aug back – 9 – –" in left
    assert "Thu 27 Aug – 5 – – swelling , changed gait or stopped" in right
    assert "Sat 29 Aug both knees – 4 – –" in right
    assert "Sat 29 Aug both knees – 4 – –" in left
    assert "No alert on this knee in these weeks. That is no promise" in left


def test_what_was_done_and_what_the_data_cannot_say_are_counted(sore: duckdb.DuckDBPyConnection) -> None:
    """Since the rise of the load; missing scores, runs without a report or a heart rate."""
    said = words(render(sore))

    for sentence in (
        "No adjustment of the plan was accepted since Sun 23 Aug.",
        "2 runs after Sun 23 Aug, 11.0 km in all, the longest 6.0 km on Sat 12 Sep; the last on Sat 12 Sep.",
        "1 strength session since Sun 23 Aug: Wed 2 Sep: leg curl, pain 1/10.",
        "No report of the right knee for 2 of 3 runs: not reported, which is not no pain.",
        "Of 2 reports a score is missing before a run in 2, 60 minutes after in 1, on the next morning in 2.",
        "No heart rate in 1 of 3 runs",
        "Missing when the alerts were raised: the score on the next morning.",
        "does not show that the rise brought about the pain",
    ):
        assert sentence in said


def test_notes_stay_at_home_unless_asked_for(sore: duckdb.DuckDBPyConnection) -> None:
    """And are text whatever is in them."""
    assert "canal" not in render(sore)
    assert "“by &lt;the&gt; canal”" in render(sore, with_notes=True)


def test_nothing_noted_is_never_called_no_pain(con: duckdb.DuckDBPyConnection) -> None:
    """An empty database has every section, each saying what is missing."""
    said = words(render(con))

    for sentence in (
        "what was not noted may have been there",
        "No score of this knee was reported in these weeks, which is not no pain.",
        "Nothing was reported of this knee. Not reported is not no pain.",
        "No run was taken in.",
        "No strength session was noted",
    ):
        assert sentence in said
    assert NEVER.findall(said.replace("not no pain", "")) == []


def test_it_fetches_nothing_and_runs_nothing(sore: duckdb.DuckDBPyConnection) -> None:
    """One file, without an address but those that name XML dialects."""
    html = render(sore, with_notes=True)

    assert "<script" not in html
    assert set(re.findall(r"https?://[^\"' ]+", html)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert re.findall(r"lat_deg|lon_deg|canal.*href", html) == []


def test_numbers_follow_the_locale(sore: duckdb.DuckDBPyConnection) -> None:
    """A physio in Hamburg reads 18,4 km."""
    with written_as_in("de"):
        assert "Run of 18,4 km" in words(render(sore))


def test_the_map_is_of_the_run_that_the_episode_begins_with(sore: duckdb.DuckDBPyConnection) -> None:
    """It is asked for by its id, once; without an episode there is none."""
    asked: list[str] = []

    def ways(activity_id: str) -> pl.DataFrame:
        asked.append(activity_id)
        return SQUARE

    page = render(sore, ways=ways)
    render(sore, side="left", ways=ways)

    assert asked == ["spike"]
    assert "Run of Sun 23 Aug, north up; what lies near where runs begin or end is left out" in words(page)
    assert page.count("<title>The way of the run</title>") == 1


def test_earlier_reports_that_are_left_out_are_counted(sore: duckdb.DuckDBPyConnection) -> None:
    """Two pages hold so many; the rest is said to be there."""
    for day in range(1, 25):
        insert_report(sore, day, during=1.0)

    assert f"{26 - SHOWN_REPORTS} earlier reports are left out" in words(render(sore))


def test_an_episode_can_be_named(sore: duckdb.DuckDBPyConnection) -> None:
    """Also an old one; without a name it is the last one of the weeks."""
    old = EVIDENCE | {"spikes": [], "pain": PAIN | {"local_date": "2026-03-02", "during": 6.0}}
    insert_alert(sore, "old", episode_id="another", local_date=date(2026, 3, 2), evidence=json.dumps(old))

    assert "6/10 during a run" not in words(render(sore))
    assert "Mon 2 Mar Pain Noted: 0/10 before a run, 6/10 during a run" in words(render(sore, episode="ano"))


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed.")
@pytest.mark.parametrize("ways", [None, lambda _: SQUARE], ids=["without a map", "with a map"])
def test_the_fullest_report_has_two_pages(
    sore: duckdb.DuckDBPyConnection, tmp_path: Path, ways: Ways | None
) -> None:
    """Sixteen weeks, as many reports as are shown, an episode of five alerts, on the smaller of the papers."""
    for day in range(1, 25):
        insert_report(sore, day, during=1.0, site="below_kneecap")
    for day in range(26, 30):
        pain = PAIN | {"local_date": f"2026-08-{day}"}
        insert_alert(
            sore,
            f"alert {day}",
            local_date=date(2026, 8, day),
            evidence=json.dumps(EVIDENCE | {"pain": pain}),
        )
    for week in range(16):
        insert(
            sore,
            "weekly_trends",
            athlete="me",
            week_start=TODAY - timedelta(days=6 + 7 * week),
            runs=4,
            distance_m=30000.0,
            timer_s=9000.0,
            pain_reports=0,
            strength_sessions=1,
            alerts=0,
        )

    assert pages_of(render(sore, weeks=16, ways=ways), tmp_path) == 2


def pages_of(html: str, folder: Path) -> int:
    """Print a page to PDF with the system's own Chromium and count its sheets."""
    (folder / "page.html").write_text(html)
    pdf = folder / "page.pdf"
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    )
    subprocess.run(
        [
            str(CHROMIUM),
            *flags.split(),
            "--disable-component-update",
            "--disable-sync",
            "--no-pdf-header-footer",
            f"--user-data-dir={folder / 'browser'}",
            f"--print-to-pdf={pdf}",
            (folder / "page.html").as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=240,
    )
    return len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes()))


def test_the_command_writes_it_beside_the_reports(sample_home: Home, tmp_path: Path) -> None:
    """With another name in it; a knee that is none, and an episode that is none, are answered with a sentence."""
    run = CliRunner().invoke
    path = tmp_path / "knee.html"
    common = ["report", "--home", str(sample_home.root), "--physio"]
    done = run(app, [*common, "--side", "right", "--as", "Runner 1", "-o", str(path)])

    assert done.exit_code == 0, done.output
    html = path.read_text()
    assert "Right knee of Runner 1" in html
    assert "Mara" not in html
    assert "is about one knee" in str(run(app, common).exception)
    assert "is about one knee" in str(run(app, [*common, "--side", "both"]).exception)
    page = run(app, ["report", "--home", str(sample_home.root), "--as", "Runner 1"])
    assert "are for the physio report: add --physio" in str(page.exception)
    none = run(app, [*common, "--side", "right", "--episode", "zzz"])
    assert "No episode of the right knee begins with 'zzz'" in str(none.exception)
