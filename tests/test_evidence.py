"""Every alert can be re-derived: its numbers, and a query that returns them from the published database."""

from __future__ import annotations

import json
import math
from datetime import date
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from flows.refresh import runs_and_days
from kneewatch.cli import app
from report.evidence import evidence_numbers, evidence_query
from store.database import opened_published
from store.home import Home

NUMBERS_OF = {
    "spike_and_pain": {"distance_m", "longest_30d_m", "spike_ratio", "acwr_uncoupled", "during", "peak"},
    "planned_spike_ahead": {"planned_distance_m", "longest_30d_m", "spike_ratio"},
}


def kneewatch(home: Home, *words: str) -> str:
    done = CliRunner().invoke(app, [*words, "--home", str(home.root)])
    assert done.exit_code == 0, done.output
    return done.stdout


def alert_ids(home: Home) -> list[str]:
    with opened_published(home) as con:
        return [
            str(row[0])
            for row in con.execute(
                "select alert_id from alerts order by rule = 'planned_spike_ahead', local_date"
            ).fetchall()
        ]


def answers(home: Home, query: str) -> list[tuple[Any, ...]]:
    with opened_published(home) as con:
        return con.execute(query).fetchall()


def test_the_query_of_every_alert_returns_its_numbers(sample_home: Home) -> None:
    """Each number of its evidence, once, as it follows from the tables."""
    ids = alert_ids(sample_home)
    for alert_id in ids:
        told = json.loads(kneewatch(sample_home, "alerts", "show", alert_id, "--sql", "--json"))

        found = answers(sample_home, told["sql"])

        numbers = {(row_id, name): value for row_id, name, value in evidence_numbers(told["evidence"])}
        assert {(row[0], row[1]): row[2] for row in found} == numbers
        assert [
            row for row in found if row[3] is None or not math.isclose(row[2], row[3], rel_tol=1e-9)
        ] == []
        assert NUMBERS_OF[told["rule"]] <= {row[1] for row in found}
    assert len(ids) == 6


def test_the_sums_of_weeks_are_those_of_the_signals() -> None:
    """On days with known numbers: 7 days, the 7 before, metres downhill, and a third of the 21 before."""
    spike = {"activity_id": "r", "week_m": 28.0, "week_before_m": 77.0, "descent_7d_m": 7.0}
    spike |= {"descent_mean_m": 14.0, "distance_m": 5.0}
    spike |= {"planned_distance_m": 2.0, "planned_7d_m": 6.0, "ran_7d_m": 28.0}
    with duckdb.connect() as con:
        con.execute(
            "create table runs as select 'r' as activity_id, 'a' as athlete, date '2026-07-28' as local_date, 5.0 as distance_m"
        )
        con.execute(
            "create table run_metrics as select 'r' as activity_id, 4.0 as longest_30d_m, 1.25 as spike_ratio"
        )
        # A week of 4 m a day after one of 11 m; 1 m downhill a day in the last week, 2 m before that.
        con.execute(
            "create table daily_load as select 'a' as athlete, date '2026-06-30' + d::integer as local_date, "
            "case when d > 21 then 4.0 when d > 14 then 11.0 else 100.0 end as distance_m, "
            "case when d > 21 then 1.0 else 2.0 end as steep_descent_m, 1.1 as acwr_uncoupled from range(-9, 29) t(d)"
        )
        con.execute(
            "create table pain_reports as select 'p' as report_id, 1.0 as before, null::double as during, 3.0 as after_60min, null::double as next_morning, ['swelling'] as flags"
        )
        con.execute("alter table pain_reports add column local_date date")
        con.execute(
            "create table plan_sessions (athlete varchar, local_date date, session varchar, distance_m double)"
        )
        # Of three planned sessions one was the run; the first is a day too old for its week.
        con.execute(
            "create table plan_vs_actual as from (values ('a', date '2026-07-21', null, 9.0), "
            "('a', date '2026-07-22', null, 4.0), ('a', date '2026-07-28', 'r', 2.0)) "
            "t(athlete, local_date, activity_id, planned_distance_m)"
        )
        con.execute("create table strength_sessions (session_id varchar, local_date date)")
        con.execute("create table activities (activity_id varchar, local_date date, is_run boolean)")
        pain = {
            "report_id": "p",
            "before": 1.0,
            "after_60min": 3.0,
            "peak": 3.0,
            "flags": ["swelling"],
            "earlier": [],
        }

        found = con.execute(evidence_query({"spikes": [spike], "pain": pain})).fetchall()

    assert len(found) == 12
    assert [row for row in found if row[2] != row[3]] == []


def test_a_sign_without_any_score_can_be_derived_as_well(home: Home) -> None:
    """As the alert of a swollen knee, with no run at all."""
    kneewatch(home, "init")
    kneewatch(home, "pain", "add", "--side", "left", "--flag", "swelling")
    [this] = alert_ids(home)

    [found] = answers(home, kneewatch(home, "alerts", "show", this, "--sql"))

    assert found[1:] == ("flag_count", 1.0, 1.0)


@pytest.mark.homes
def test_a_gap_in_strength_work_can_be_derived_as_well(home: Home) -> None:
    """The days since the session, and the pain that made the knee a subject."""
    kneewatch(home, "init")
    kneewatch(home, "strength", "add", "leg curl", "--date", "2026-08-01", "--today", "2026-08-20")
    kneewatch(home, "pain", "add", "--side", "left", "--during", "2", "--date", "2026-08-10", "--today", "2026-08-20")  # fmt: skip
    with opened_published(home) as con:
        [(this, day)] = con.execute("select alert_id, local_date from alerts where rule = 'strength_gap'").fetchall()  # fmt: skip

    found = answers(home, kneewatch(home, "alerts", "show", this, "--sql"))

    assert day.isoformat() == "2026-08-15"
    assert sorted(row[1:] for row in found) == [("days_ago", 14.0, 14.0), ("peak", 2.0, 2.0)]


def test_a_number_that_changed_since_is_seen(sample_home: Home) -> None:
    """The alert's stands beside that of the database."""
    told = json.loads(kneewatch(sample_home, "alerts", "show", alert_ids(sample_home)[0], "--json"))
    told["evidence"]["pain"]["peak"] = 9.0
    told["evidence"]["spikes"][0]["activity_id"] = "it's gone"

    found = answers(sample_home, evidence_query(told["evidence"]))

    assert [(row[2], row[3]) for row in found if row[1] == "peak"] == [(9.0, 1.0)]
    assert {row[3] for row in found if row[0] == "it's gone"} == {None}


def test_what_is_printed_is_a_query_as_a_whole(sample_home: Home) -> None:
    """Words and numbers are comments of it, so that it can be handed on; without --sql there are none."""
    this = alert_ids(sample_home)[2]

    printed = kneewatch(sample_home, "alerts", "show", this[:10], "--sql")
    plain = kneewatch(sample_home, "alerts", "show", this[:10])

    assert "-- distance_m 18" in printed
    assert answers(sample_home, printed)
    assert "distance_m 18" in plain
    assert "select" not in plain


def test_what_was_planned_beside_each_run_is_what_the_query_finds(sample_home: Home) -> None:
    """The frame that spikes are found in, and the plan's own table: of the session, and of the seven days up to it."""
    with opened_published(sample_home) as con:
        runs, _ = runs_and_days(con, "mara", date(2026, 10, 3))
        told = con.execute(
            "select r.activity_id, (select max(planned_distance_m) from plan_vs_actual p where p.activity_id = r.activity_id), "
            "(select coalesce(sum(planned_distance_m), 0) from plan_vs_actual p where p.athlete = r.athlete "
            "and p.local_date between r.local_date - 6 and r.local_date) from runs r where r.athlete = 'mara' order by 1"
        ).fetchall()

    found = runs.select("activity_id", "planned_distance_m", "planned_7d_m").sort("activity_id")
    assert found.rows() == [pytest.approx(row) for row in told]
    assert found["planned_distance_m"].null_count() < len(told) / 2
