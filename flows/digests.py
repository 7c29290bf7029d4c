"""The digest of the week: when it is due, and into the outbox once for each athlete, week and channel."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import duckdb

from flows.alerting import put_out
from flows.refresh import WEEK_DAYS
from report.digest import digest_words, read_digest
from report.digest_mail import digest_chart
from report.format import Units
from report.notify import takes_pictures
from store.database import insert_rows, transaction
from store.settings import Athlete, Settings, parse_weekly


def week_told_on(day: date, week_starts_on: int) -> date:
    """Return the first day of the week that a digest of this day speaks of: the one of which most is over."""
    three_days_before = day - timedelta(days=3)
    return three_days_before - timedelta(days=(three_days_before.weekday() - week_starts_on) % 7)


def week_of(settings: Settings, athlete: str, day: date) -> date:
    """Return the first day of the athlete's week that a digest of this day speaks of."""
    return week_told_on(day, WEEK_DAYS.index(settings.athletes.get(athlete, Athlete()).week_start))


def last_due(weekly: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the last instant before or at `now` that is, say, a "sunday 18:00" in this zone."""
    weekday, at = parse_weekly(weekly)
    local = now.astimezone(zone)
    due = datetime.combine(local.date() - timedelta(days=(local.weekday() - weekday) % 7), at, zone)
    return due if due <= now else datetime.combine(due.date() - timedelta(days=7), at, zone)


def due_day(settings: Settings, *, today: date, now: datetime) -> date | None:
    """
    Return the day whose digest is due; None where none is wanted, or the last is as long past as no letter may be.

    `today` in the past is replayed as it was at its end.
    """
    if settings.alerts.digest is None:
        return None
    zone = settings.athletes[settings.default_athlete].zone
    if now.astimezone(zone).date() != today:
        now = datetime.combine(today, time.max, zone)
    day = last_due(settings.alerts.digest, now, zone).date()
    return day if (today - day).days <= settings.alerts.deliver_within_days else None


def write_digest(
    con: duckdb.DuckDBPyConnection, settings: Settings, athlete: str, *, day: date, today: date, now: datetime
) -> int:
    """
    Put the athlete's digest of that day into the outbox, and return how many were written: 1, or 0.

    Whatever was written of a week stays as it is: running it again, by whom and when you like, sends nothing twice.
    """
    channels = [
        name
        for name, channel in settings.channels.items()
        if channel.digest and settings.may_hear_of(name, athlete)
    ]
    if not channels:
        return 0
    week_start = week_of(settings, athlete, day)
    digest_id = hashlib.sha256(f"digest|{athlete}|{week_start.isoformat()}".encode()).hexdigest()
    is_new = not con.execute("select 1 from digests where digest_id = ?", [digest_id]).fetchall()
    units = Units(settings.units)
    with transaction(con):
        if is_new:
            digest = read_digest(con, athlete, week_start=week_start, today=today)
            row = {
                "digest_id": digest_id,
                "athlete": athlete,
                "week_start": week_start,
                "written_at": now,
                "message": digest_words(digest, units),
                "chart_png": _chart(con, settings, athlete, channels, today=today),
            }
            insert_rows(con, "digests", [row])
        for channel in channels:
            put_out(con, digest_id, channel)
    return int(is_new)


def _chart(
    con: duckdb.DuckDBPyConnection, settings: Settings, athlete: str, channels: Sequence[str], *, today: date
) -> bytes | None:
    """Draw the chart where a mail will have it in it; no other channel can show one."""
    if not any(takes_pictures(settings.channels[name]) for name in channels):
        return None
    return digest_chart(con, athlete, today=today, units=Units(settings.units))
