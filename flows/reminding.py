"""What to ask an athlete, from the database."""

from __future__ import annotations

from datetime import date, datetime

import duckdb

from analytics.reminders import Reminder, find_reminders
from analytics.spikes import find_spikes
from flows.refresh import rules_of, runs_and_days
from store.database import frame
from store.settings import Settings


def reminders(
    con: duckdb.DuckDBPyConnection, settings: Settings, athlete: str, *, today: date, now: datetime
) -> list[Reminder]:
    """Return what to ask the athlete on `today`, oldest first; last what the words of exports leave open."""
    runs, daily = runs_and_days(con, athlete, today)
    reports = frame(
        con,
        "select p.report_id, p.local_date, p.side, p.after_60min, p.next_morning, p.activity_id, "
        "r.started_at + to_milliseconds((r.elapsed_s * 1000)::bigint) as ended_at "
        "from pain_reports p left join runs r using (activity_id) where p.athlete = $athlete",
        athlete=athlete,
    )
    spikes = find_spikes(runs, daily, rules_of(settings))
    return find_reminders(reports, runs, spikes, today=today, now=now) + _open_words(con, athlete, today)


def open_questions(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return how many questions are open about the words of exports, by athlete; who has none is not in it."""
    rows = con.execute(
        "select athlete, count(*) from pain_questions where status = 'open' group by athlete order by athlete"
    ).fetchall()
    return dict(rows)


def _open_words(con: duckdb.DuckDBPyConnection, athlete: str, today: date) -> list[Reminder]:
    rows = frame(
        con,
        "select local_date, side, activity_id, question_id, words from pain_questions "
        "where athlete = $athlete and status = 'open' and local_date <= $today order by local_date, question_id",
        athlete=athlete,
        today=today,
    )
    return [Reminder(asks="words", **row) for row in rows.iter_rows(named=True)]
