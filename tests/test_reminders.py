"""What is asked: only what can be known by now, and nothing is assumed."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from analytics.reminders import Reminder, find_reminders
from analytics.spikes import Spike
from kneewatch.cli import app
from report.messages import reminder_words
from store.home import Home

TODAY = date(2026, 7, 4)
ENDED_AT = datetime(2026, 7, 4, 9, tzinfo=UTC)
NOW = datetime(2026, 7, 4, 18, tzinfo=UTC)
REPORTS_SCHEMA = {
    "report_id": pl.String,
    "local_date": pl.Date,
    "side": pl.String,
    "after_60min": pl.Float64,
    "next_morning": pl.Float64,
    "activity_id": pl.String,
    "ended_at": pl.Datetime("us", "UTC"),
}
RUNS_SCHEMA = {"activity_id": pl.String, "started_at": pl.Datetime("us", "UTC"), "local_date": pl.Date}


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def report(days: int, **values: Any) -> dict[str, Any]:
    """A report so many days ago, of a run that ended at nine, with neither of the two scores."""
    told = {
        "report_id": f"report {days}",
        "local_date": days_ago(days),
        "side": "left",
        "after_60min": None,
        "next_morning": None,
        "activity_id": f"run {days}",
        "ended_at": ENDED_AT - timedelta(days=days),
    }
    return told | values


def run(days: int) -> dict[str, Any]:
    return {
        "activity_id": f"run {days}",
        "started_at": ENDED_AT - timedelta(days=days, hours=1),
        "local_date": days_ago(days),
    }


def spike(days: int, window_days: int = 14) -> Spike:
    return Spike(
        activity_id=f"run {days}",
        started_at=ENDED_AT - timedelta(days=days, hours=1),
        local_date=days_ago(days),
        bin="small",
        is_ramp=False,
        is_downhill=False,
        is_provisional=False,
        window_days=window_days,
        numbers={},
    )


def asked(
    reports: list[dict[str, Any]],
    runs: Sequence[dict[str, Any]] = (),
    spikes: Sequence[Spike] = (),
    now: datetime = NOW,
) -> list[tuple[str, date]]:
    found = find_reminders(
        pl.DataFrame(reports, schema=REPORTS_SCHEMA),
        pl.DataFrame(runs, schema=RUNS_SCHEMA),
        spikes,
        today=TODAY,
        now=now,
    )
    return [(one.asks, one.local_date) for one in found]


def test_both_scores_are_asked_for_on_the_day_after() -> None:
    """Of the report of yesterday, and of nothing more than two days ago."""
    assert asked([report(1), report(3)]) == [("after_60min", days_ago(1)), ("next_morning", days_ago(1))]
    assert asked([report(2)]) == [("after_60min", days_ago(2)), ("next_morning", days_ago(2))]


@pytest.mark.parametrize(("minutes", "is_asked"), [(59, False), (60, True)])
def test_the_hour_after_is_asked_for_once_it_is_over(minutes: int, is_asked: bool) -> None:
    """And the next morning not before it has come."""
    found = asked([report(0)], now=ENDED_AT + timedelta(minutes=minutes))

    assert found == ([("after_60min", TODAY)] if is_asked else [])


def test_what_was_given_is_not_asked_for_again() -> None:
    """Nor is an hour after no run; 0 is an answer."""
    assert asked([report(1, after_60min=0.0)]) == [("next_morning", days_ago(1))]
    assert asked([report(1, next_morning=0.0)]) == [("after_60min", days_ago(1))]
    assert asked([report(1, activity_id=None, ended_at=None)]) == [("next_morning", days_ago(1))]
    assert asked([report(1, after_60min=1.0, next_morning=2.0)]) == []


def test_a_run_without_a_report_is_asked_about_while_a_spike_is_active() -> None:
    """The spike itself, and runs after it until its window ends; not those before it, nor on a reported day."""
    told = report(1, after_60min=0.0, next_morning=0.0)

    assert asked([], [run(0)], [spike(0)]) == [("report", TODAY)]
    assert asked([], [run(2), run(1), run(0)], [spike(1)]) == [("report", days_ago(1)), ("report", TODAY)]
    assert asked([], [run(0)], [spike(14)]) == [("report", TODAY)]
    assert asked([], [run(0)], [spike(15)]) == []
    assert asked([], [run(0)]) == []
    assert asked([], [run(3)], [spike(3)]) == []
    assert asked([told], [run(1)], [spike(1)]) == []


@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.just(0.0), st.none() | st.just(0.0))))
def test_each_answer_takes_one_question_away(
    given_scores: list[tuple[int, float | None, float | None]],
) -> None:
    """As many are asked as are missing within two days."""
    reports = [
        report(days, report_id=str(place), after_60min=after, next_morning=morning)
        for place, (days, after, morning) in enumerate(given_scores)
    ]

    missing = sum((a is None) + (m is None and d > 0) for d, a, m in given_scores if d <= 2)
    assert len(asked(reports)) == missing


def test_both_knees_are_asked_about_as_two() -> None:
    """And the command that answers names the report."""
    one = Reminder(asks="next_morning", local_date=date(2026, 7, 3), side="both", report_id="ab" * 32)

    assert reminder_words(one) == (
        "How were both knees on the morning after Friday (3 Jul), 0 to 10?",
        "kneewatch pain edit abababababab --next-morning N",
    )


@pytest.mark.homes
def test_the_command_asks_and_its_answers_are_taken(sample_home: Home, tmp_path: Path) -> None:
    """On the day after the spike; each command that it shows takes its question away."""
    home = shutil.copytree(sample_home.root, tmp_path / "copy")

    def kneewatch(*words: str) -> str:
        done = CliRunner().invoke(app, [*words, "--home", str(home)])
        assert done.exit_code == 0, done.output
        return done.stdout

    ids = {one["local_date"]: one["report_id"] for one in json.loads(kneewatch("pain", "list", "--json"))}
    kneewatch("pain", "delete", ids["2026-08-23"])
    kneewatch("pain", "edit", ids["2026-08-25"], "--unknown", "after-60min", "--unknown", "next-morning")

    first = json.loads(kneewatch("remind", "--today", "2026-08-25", "--json"))
    as_text = kneewatch("remind", "--today", "2026-08-25")
    for one in first:
        kneewatch(*shlex.split(one["answer"].replace(" N", " 2").replace("SIDE", "right"))[1:])

    assert [(one["asks"], one["local_date"]) for one in first] == [
        ("report", "2026-08-23"),
        ("after_60min", "2026-08-25"),
        ("ostrc_o2", "2026-08-25"),
        ("koos_pf", "2026-08-25"),
    ]
    assert all(one["question"] in as_text and one["answer"] in as_text for one in first)
    left = json.loads(kneewatch("remind", "--today", "2026-08-25", "--json"))
    assert [(one["asks"], one["local_date"]) for one in left] == [
        ("after_60min", "2026-08-23"),
        ("next_morning", "2026-08-23"),
    ]
    assert kneewatch("remind", "--today", "2026-10-08").startswith("Nothing to ask.")
