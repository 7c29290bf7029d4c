"""The story from dropped files to the alert, on the made-up runner's sixteen weeks."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from flows import steps
from flows.steps import Clock
from ingest.logs import pain_report
from report.evidence import evidence_query
from sample_data import fit_writer
from sample_data.recording import record
from sample_data.story import Run
from store import home as homes
from store.database import opened_published
from store.home import Home
from store.settings import Settings, read_settings

LAST_DAY = date(2026, 10, 3)
DERIVED_AND_FACTS = (
    "exports", "activities", "laps", "pain_reports", "strength_sessions", "run_metrics", "best_efforts", "run_form", "daily_load",
    "weekly_trends", "plan_sessions", "plan_vs_actual", "upcoming_spikes", "alerts", "deliveries",
    "personal_bests", "race_equivalents", "form_trends", "weekly_pace", "zone_pace", "weekly_adherence",
    "plan_proposal", "plan_outlook", "questionnaires", "questionnaire_scores",
)  # fmt: skip

# What sample_data/README.md promises: day, knee, rule, severity, load level, pain level, medical, urgency.
PROMISED_ALERTS = [
    (date(2026, 8, 23), "right", "spike_and_pain", "caution", 2, "P1", False, None),
    (date(2026, 8, 25), "right", "spike_and_pain", "warning", 2, "P2", False, None),
    (date(2026, 8, 27), "right", "spike_and_pain", "stop", 2, "P3", True, "soon"),
]


def ask(home: Home, question: str) -> list[tuple[object, ...]]:
    with opened_published(home) as con:
        return con.execute(question).fetchall()


def everything(home: Home) -> dict[str, list[tuple[object, ...]]]:
    with opened_published(home) as con:
        return {
            table: con.execute(f"select * from {table} order by all").fetchall()
            for table in DERIVED_AND_FACTS
        }


def clock_on(day: date) -> Clock:
    return Clock(datetime(day.year, day.month, day.day, 20, tzinfo=UTC), day)


@pytest.fixture
def own_home(sample_home: Home, tmp_path: Path) -> tuple[Home, Settings]:
    """A copy of Mara's home that a test may change."""
    shutil.copytree(sample_home.root, tmp_path / "copy")
    home = homes.at(tmp_path / "copy")
    return home, read_settings(home)


def test_exactly_the_promised_alerts_come(sample_home: Home) -> None:
    """The spike, the pain after it and its rise are heard of, and what the plan held that would be a spike; nothing else is."""
    found = ask(
        sample_home,
        "select local_date, side, rule, severity, load_level, pain_level, is_medical, urgency from alerts "
        "where rule <> 'planned_spike_ahead' order by local_date",
    )
    ahead = ask(
        sample_home,
        "select local_date, severity, evidence ->> '$.planned.local_date', status from alerts "
        "where rule = 'planned_spike_ahead' order by local_date",
    )

    assert found == PROMISED_ALERTS
    assert ahead == [
        (date(2026, 8, 20), "info", "2026-08-23", "cleared"),
        (date(2026, 9, 24), "caution", "2026-09-27", "cleared"),
        (date(2026, 10, 1), "caution", "2026-10-04", "open"),
    ]


def test_the_evidence_holds_both_numbers_and_points_to_rows_that_are_there(sample_home: Home) -> None:
    """Every alert can be traced to the two runs and the report it rests on."""
    for (text,) in ask(sample_home, "select evidence from alerts where rule = 'spike_and_pain'"):
        evidence = json.loads(str(text))
        (spike,) = evidence["spikes"]
        ids = [spike["activity_id"], spike["longest_30d_activity_id"]]

        rows = ask(
            sample_home,
            f"select distance_m from runs where activity_id in ('{ids[0]}', '{ids[1]}') order by distance_m desc",
        )

        assert [(spike["distance_m"],), (spike["longest_30d_m"],)] == rows
        assert ask(
            sample_home,
            f"select count(*) from pain_reports where report_id = '{evidence['pain']['report_id']}'",
        ) == [(1,)]


def test_every_file_has_an_outcome(sample_home: Home) -> None:
    """Good ones are taken in, broken ones refused with a reason, the broken-off one kept as far as it goes."""
    outcomes = Counter(row[0] for row in ask(sample_home, "select outcome from exports"))

    assert outcomes == {"ingested": 62, "partly_ingested": 1, "quarantined": 2}
    assert list(sample_home.inbox.iterdir()) == []
    refused = ["garbage.fit", "garbage.fit.reason.json", "no-point.gpx", "no-point.gpx.reason.json"]
    assert refused == sorted(path.name for path in sample_home.quarantine.iterdir())


def test_the_run_that_was_exported_twice_counts_once(sample_home: Home) -> None:
    """The watch's FIT stays, the platform's GPX points to it."""
    found = ask(
        sample_home,
        "select e.format, c.format from activities a join exports e using (export_id) "
        "join activities k on k.activity_id = a.duplicate_of join exports c on c.export_id = k.export_id",
    )

    assert found == [("gpx", "fit")]


def test_the_weeks_stand_beside_the_plan(sample_home: Home) -> None:
    """Sixteen plan weeks, two of them without a run, and the week of the spike."""
    weeks = ask(
        sample_home,
        "select plan_week, runs, round(longest_run_m / 1000, 1), planned_runs, worst_pain, alerts "
        "from weekly_trends where plan_week in (7, 8, 9, 10, 11) order by week_start",
    )

    assert weeks == [
        (7, 4, 13.0, 4, None, 0),
        (8, 0, None, 4, None, 0),
        (9, 0, None, 4, None, 0),
        (10, 3, 18.4, 4, 1.0, 2),
        (11, 2, 6.0, 4, 5.0, 2),
    ]


def test_the_race_is_announced_as_the_spike_it_would_be(sample_home: Home) -> None:
    """What is planned is held against what was really run."""
    ((session, spike_bin, ratio),) = ask(
        sample_home, "select session, spike_bin, spike_ratio from upcoming_spikes"
    )

    assert (session, spike_bin) == ("race", "large")
    assert pytest.approx(float(str(ratio)), abs=0.01) == 1.45


def test_doing_it_all_again_changes_nothing(own_home: tuple[Home, Settings]) -> None:
    """Also when the same files are dropped again and everything is rebuilt."""
    home, settings = own_home
    before = everything(home)

    samples = Path(__file__).parent.parent / "sample_data"
    shutil.copy(samples / "inbox" / "pain.csv", home.inbox)
    for path in sorted((samples / "inbox").glob("*.fit"))[:3]:
        shutil.copy(path, home.inbox)
    steps.run_all(home, settings, clock_on(LAST_DAY), rebuild=True)

    assert before == everything(home)


def test_a_past_day_shows_what_was_known_then(own_home: tuple[Home, Settings]) -> None:
    """Replayed on the evening of the second report, two alerts are open and the third is not there yet."""
    home, settings = own_home
    with opened_published(home) as con:
        memory = duckdb.connect()
        memory.execute(f"attach '{home.published}' as published (read_only)")
        memory.execute("copy from database published to memory")
        memory.execute("set timezone = 'UTC'")
        con.close()

    steps.replay(memory, home, settings, clock_on(date(2026, 8, 26)))

    found = memory.execute(
        "select local_date, status from alerts where local_date <= date '2026-08-26' and side = 'right' order by local_date"
    ).fetchall()
    memory.close()
    assert [(date(2026, 8, 23), "open"), (date(2026, 8, 25), "open")] == found


def test_pain_reported_after_the_long_run_raises_the_alert_before_the_next_one(
    own_home: tuple[Home, Settings],
) -> None:
    """The answer to a report comes at once, not with the next review."""
    home, settings = own_home
    clock = clock_on(date(2026, 8, 24))
    report = pain_report(
        athlete="mara",
        zone=settings.athletes["mara"].zone,
        on=date(2026, 8, 24),
        side="left",
        during=4,
        source="cli",
    )

    raised = steps.log_pain(home, settings, clock, report)

    assert [(a["side"], a["severity"], a["pain_level"]) for a in raised] == [("left", "warning", "P2")]


def test_a_corrected_report_withdraws_its_alert_and_keeps_the_record(own_home: tuple[Home, Settings]) -> None:
    """What no longer holds becomes superseded; nothing is deleted. A spike without a report is asked about."""
    home, settings = own_home
    clock = clock_on(LAST_DAY)
    with steps._step(home, "test", clock) as (con, _):
        con.execute(
            "delete from pain_reports where local_date between date '2026-08-23' and date '2026-08-27'"
        )

    steps.review(home, settings, clock)

    found = ask(home, "select rule, severity, status from alerts order by local_date, rule")
    assert [status for rule, _, status in found if rule == "spike_and_pain"] == ["superseded"] * 3
    assert [row for row in found if row[0] in ("load_spike", "not_reported")] == [
        ("load_spike", "info", "cleared"),
        ("not_reported", "info", "cleared"),
    ]
    (told,) = ask(home, "select evidence from alerts where rule = 'not_reported'")
    numbers = ask(home, evidence_query(json.loads(str(told[0]))))
    assert {"distance_m", "longest_30d_m", "days_ago"} <= {row[1] for row in numbers}
    assert all(row[2] == pytest.approx(row[3]) for row in numbers)


def test_the_report_tells_the_story(own_home: tuple[Home, Settings]) -> None:
    """Open alerts with both numbers, the refused files, the race ahead."""
    home, settings = own_home

    steps.review(home, settings, clock_on(date(2026, 8, 28)))

    page = (home.reports / "latest.html").read_text()
    for words in ("18.4 km", "13.0 km", "+41.5", "pain is rising", "garbage.fit", "seek medical advice"):
        assert words in page
    assert "<script" not in page


def test_an_empty_home_works(home: Home, settings: Settings) -> None:
    """Everything runs and publishes with nothing there."""
    steps.run_all(home, settings, clock_on(LAST_DAY))

    assert ask(home, "select (select count(*) from samples), (select count(*) from weekly_trends)") == [
        (0, 0)
    ]
    assert "No open alert" in (home.reports / "latest.html").read_text()


def test_one_run_and_another_after_a_year(home: Home, settings: Settings) -> None:
    """A history of one run works, and a year without any is fifty-two weeks in which nothing is known."""
    first = replace(record(Run(day=date(2026, 6, 16), km=6)), started_at=datetime(2025, 9, 27, 8, tzinfo=UTC))
    later = replace(first, started_at=datetime(2026, 10, 2, 8, tzinfo=UTC))
    weekly = ("weekly_trends", "weekly_pace", "race_equivalents")

    (home.inbox / "first.fit").write_bytes(fit_writer.encode(first))
    steps.run_all(home, settings, clock_on(date(2025, 9, 27)))
    alone = [ask(home, f"select count(*) from {table}") for table in weekly]
    (home.inbox / "later.fit").write_bytes(fit_writer.encode(later))
    steps.run_all(home, settings, clock_on(LAST_DAY))

    assert alone == [[(1,)]] * 3
    assert [ask(home, f"select count(*) from {table}") for table in weekly] == [[(54,)]] * 3
    known = "select count(half_riegel_s), count(critical_speed_m_per_s) from race_equivalents"
    assert ask(home, known)[0][0] == 12 + 1
    assert ask(home, "select distinct trend_p from weekly_pace") == [(None,)]
    assert ask(home, "select distinct trend, change from form_trends") == [("too few runs", None)]
    assert ask(home, "select count(distinct local_date) from personal_bests") == [(1,)]
    assert "Too few weeks." in (home.reports / "latest.html").read_text()


def test_a_step_that_fails_is_written_down_as_failed(home: Home, settings: Settings) -> None:
    """The error goes on to whoever called; the log says that it happened."""
    with pytest.raises(RuntimeError), steps._step(home, "test", clock_on(LAST_DAY)):
        raise RuntimeError("cut")
    steps.take_in(home, settings, clock_on(LAST_DAY))

    assert ask(home, "select step, outcome from flow_log order by started_at") == [
        ("test", "failed"),
        ("take_in", "ok"),
    ]
