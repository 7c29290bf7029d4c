"""Alerts of a history against those stored: raise what is new, withdraw what no longer holds, put letters out."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import duckdb

from analytics.alerts import FORMULA_VERSION, SEVERITIES, Alert, find_alerts
from analytics.notices import StrengthDone, find_notices
from analytics.spikes import find_spikes
from flows.plans import plan_choice
from flows.refresh import rules_of, runs_and_days
from flows.run_samples import IS_STRENGTH
from report.format import Units
from report.knee import reports_of
from report.messages import alert_words
from report.notify import Letter
from store.database import frame, insert_rows, transaction
from store.settings import Athlete, Settings

LONGEST_WAIT = timedelta(hours=1)  # a runner who has mended the channel still hears of it before the next run
LEASE = timedelta(minutes=10)  # longer than sending one letter takes (notify.LONGEST_SEND_S)


class Told(NamedTuple):
    """What may change of a stored alert: columns of table alerts."""

    message: str
    action: str
    evidence: str
    status: str
    formula_version: str


WAITING = """
with letters as (
    select
        alert_id as letter_id, athlete, severity as kind, is_medical,
        message || chr(10) || chr(10) || action as text,
        null as chart_png,
        episode_id,
        (local_date, raised_at, list_position(['info', 'caution', 'warning', 'stop'], severity), alert_id) as place
    from alerts
    where status = 'open'
    union all
    select digest_id, athlete, 'digest', false, message, chart_png, null, (week_start + 6, written_at, 0, digest_id)
    from digests
),
waiting as (
    select letters.*, channel, attempts, next_attempt_at
    from deliveries
    join letters on letter_id = alert_id
    where delivered_at is null
)
select letter_id, channel, attempts, athlete, kind, is_medical, text, chart_png
from waiting
where (next_attempt_at is null or next_attempt_at <= $now or next_attempt_at > $now + $longest)
and (
    is_medical
    or not exists (
        from waiting as earlier
        where earlier.channel = waiting.channel
        and earlier.episode_id = waiting.episode_id
        and earlier.place < waiting.place
    )
)
order by attempts, place, channel
"""
"""Letters that may go out now. Order counts within an episode and channel, whoever is sending the earlier one."""

UPDATE = f"update alerts set {', '.join(f'{name} = ?' for name in Told._fields)} where alert_id = ?"


def raise_for_athlete(
    con: duckdb.DuckDBPyConnection, settings: Settings, athlete: str, *, today: date, now: datetime
) -> dict[str, int]:
    """
    Store the athlete's alerts up to `today`, put those due into the outbox, and return the counts.

    Running it again changes nothing. An alert that no longer holds becomes superseded and is never deleted.
    """
    alerts = _find(con, settings, athlete, today)
    stored = _stored(con, athlete, today)
    units = Units(settings.units)
    with transaction(con):
        fresh = [_row(alert, units, now) for alert in alerts if alert.alert_id not in stored]
        insert_rows(con, "alerts", fresh)
        told = {
            alert.alert_id: _told(alert, stored[alert.alert_id], units)
            for alert in alerts
            if alert.alert_id in stored
        }
        for alert_id, words in told.items():
            if words != stored[alert_id]:
                con.execute(UPDATE, [*words, alert_id])
        gone = stored.keys() - {alert.alert_id for alert in alerts}
        if gone:
            con.execute(
                "update alerts set status = 'superseded' where list_contains(?, alert_id) and status <> 'superseded'",
                [sorted(gone)],
            )
        _put_out(con, settings, alerts, today)
        _count_by_week(con, athlete)
    return {
        "alerts": len(alerts),
        "new": len(fresh),
        "superseded": sum(stored[i].status != "superseded" for i in gone),
    }


def take_letter(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    *,
    now: datetime,
    failed: Collection[tuple[str, bool]] = (),
) -> Letter | None:
    """
    Return the next letter of the outbox that is due, and keep others from sending it meanwhile; None when none is.

    In the athlete's quiet hours only medical ones are due; the others wait in the outbox until these end. It is due
    again after `LEASE`, should whoever took it be killed. A due time further off than `LONGEST_WAIT` was
    set by a clock that has since been put back, and does not count.

    A letter waits for the earlier ones of its episode to the same channel, unless it is medical; letters with fewer
    tries come first, so that one that no channel takes holds up no other episode. `failed` names channels that failed
    just now, each with whether a medical letter did: only medical letters still go there, and after one of them none.
    """
    waiting = [
        Letter(**row)
        for row in frame(con, WAITING, now=now, longest=LONGEST_WAIT).iter_rows(named=True)
        if row["channel"] not in settings.channels or settings.may_hear_of(row["channel"], row["athlete"])
        if row["is_medical"] or not is_quiet(settings, row["athlete"], now)
    ]
    open_to = (one for one in waiting if not {(one.channel, True), (one.channel, one.is_medical)} & {*failed})
    letter = next(open_to, None)
    if letter is not None:
        with transaction(con):
            con.execute(
                "update deliveries set attempts = attempts + 1, next_attempt_at = ?, last_error = null "
                "where alert_id = ? and channel = ?",
                [now + LEASE, letter.letter_id, letter.channel],
            )
    return letter


def is_quiet(settings: Settings, athlete: str, now: datetime) -> bool:
    """Tell whether it is night where the athlete is, by the clock on the wall there: quiet_from to quiet_until."""
    start, end = settings.alerts.quiet_from, settings.alerts.quiet_until
    if start is None or end is None:
        return False
    on_the_wall = now.astimezone(settings.athletes.get(athlete, Athlete()).zone).time()
    if start <= end:
        return start <= on_the_wall < end
    return on_the_wall >= start or on_the_wall < end


def note_try(con: duckdb.DuckDBPyConnection, letter: Letter, error: str | None, *, now: datetime) -> None:
    """Write down how sending went; after a failed try the next is due in 2, 4, 8 ... minutes, an hour at most."""
    wait = min(timedelta(minutes=2 ** min(letter.attempts + 1, 10)), LONGEST_WAIT)
    # A failure comes too late where somebody else has delivered the letter since: the try outlived its lease.
    con.execute(
        "update deliveries set last_error = ?, delivered_at = ?, next_attempt_at = ? "
        "where alert_id = ? and channel = ? and delivered_at is null",
        [error, None if error else now, now + wait if error else None, letter.letter_id, letter.channel],
    )


def put_out(con: duckdb.DuckDBPyConnection, letter_id: str, channel: str) -> None:
    """Put an alert or a digest for a channel into the outbox, unless it is or was there."""
    con.execute(
        "insert or ignore into deliveries (alert_id, channel, attempts) values (?, ?, 0)",
        [letter_id, channel],
    )


def withdraw(con: duckdb.DuckDBPyConnection, settings: Settings) -> bool:
    """
    Take out of the outbox what a channel may not hear of any more, as when an athlete no longer consents; tell whether there was any.

    What is being sent cannot be called back. Letters for a channel that is not there stay: it may have been set in
    another program's environment.
    """
    waiting = con.execute(
        "select d.alert_id, d.channel, coalesce(a.athlete, g.athlete) from deliveries d "
        "left join alerts a using (alert_id) left join digests g on g.digest_id = d.alert_id "
        "where d.delivered_at is null and (d.attempts = 0 or d.last_error is not null)"
    ).fetchall()
    withdrawn = [
        (letter_id, channel)
        for letter_id, channel, athlete in waiting
        if channel in settings.channels and not settings.may_hear_of(channel, athlete)
    ]
    for letter in withdrawn:
        con.execute("delete from deliveries where alert_id = ? and channel = ?", letter)
    return bool(withdrawn)


def forget_waits(con: duckdb.DuckDBPyConnection, channels: Sequence[str]) -> None:
    """Make every letter due that failed and waits for one of these channels."""
    con.execute(
        "update deliveries set next_attempt_at = null "
        "where delivered_at is null and last_error is not null and list_contains(?, channel)",
        [list(channels)],
    )


def _find(con: duckdb.DuckDBPyConnection, settings: Settings, athlete: str, today: date) -> list[Alert]:
    """Return every alert of the athlete's history, of what happened and of what lies ahead or is asked for."""
    runs, daily = runs_and_days(con, athlete, today)
    reports, rules = reports_of(con, athlete), rules_of(settings)
    alerts = find_alerts(runs, daily, reports, athlete=athlete, today=today, rules=rules)
    choice = plan_choice(con, settings, athlete, today=today)
    notices = find_notices(
        runs,
        find_spikes(runs, daily, rules),
        reports,
        alerts,
        sessions=frame(con, "select * from plan_sessions where athlete = $athlete", athlete=athlete),
        planned_since=choice.counts_from if choice else None,
        strength=_strength_done(con, athlete),
        athlete=athlete,
        today=today,
        rules=rules,
    )
    return [*alerts, *notices]


def _strength_done(con: duckdb.DuckDBPyConnection, athlete: str) -> list[StrengthDone]:
    """Return the strength sessions of the diary and of watches; of a day with both, the diary's."""
    rows = con.execute(
        f"""
        select local_date, coalesce(min(session_id) filter (is_diary), min(session_id))
        from (
            select local_date, session_id, true as is_diary
            from strength_sessions
            where athlete = $athlete
            union all
            select a.local_date, a.activity_id, false
            from activities a
            where a.athlete = $athlete and a.duplicate_of is null and a.part_of is null
                and not a.is_excluded and {IS_STRENGTH}
        )
        group by local_date
        """,
        {"athlete": athlete},
    ).fetchall()
    return [StrengthDone(*row) for row in rows]


def _stored(con: duckdb.DuckDBPyConnection, athlete: str, today: date) -> dict[str, Told]:
    rows = con.execute(
        f"select alert_id, {', '.join(Told._fields)} from alerts where athlete = ? and local_date <= ?",
        [athlete, today],
    ).fetchall()
    return {str(alert_id): Told(*told) for alert_id, *told in rows}


def _row(alert: Alert, units: Units, now: datetime) -> dict[str, object]:
    message, action = alert_words(alert, units)
    return {
        "alert_id": alert.alert_id,
        "athlete": alert.athlete,
        "side": alert.side,
        "episode_id": alert.episode_id,
        "raised_at": now,
        "local_date": alert.local_date,
        "rule": alert.rule,
        "severity": alert.severity,
        "load_level": alert.load_level,
        "pain_level": alert.pain_level,
        "order_of_events": alert.order_of_events,
        "is_medical": alert.is_medical,
        "urgency": alert.urgency,
        "message": message,
        "action": action,
        "evidence": json.dumps(alert.evidence),
        "status": "cleared" if alert.cleared_on else "open",
        "formula_version": FORMULA_VERSION,
    }


def _told(alert: Alert, before: Told, units: Units) -> Told:
    """Bring words, evidence and status up to date; an acknowledged alert stays so until it is cleared."""
    message, action = alert_words(alert, units)
    status = "cleared" if alert.cleared_on else "acknowledged" if before.status == "acknowledged" else "open"
    return Told(message, action, json.dumps(alert.evidence), status, FORMULA_VERSION)


def _put_out(
    con: duckdb.DuckDBPyConnection, settings: Settings, alerts: Sequence[Alert], today: date
) -> None:
    """Put a letter for each channel that may hear of it into the outbox, once; days long past are stored and not sent."""
    since = today - timedelta(days=settings.alerts.deliver_within_days)
    for alert in alerts:
        if alert.local_date < since or alert.cleared_on:
            continue
        for name, channel in settings.channels.items():
            mildest = channel.min_severity or settings.alerts.min_severity
            is_severe = SEVERITIES.index(alert.severity) >= SEVERITIES.index(mildest)
            if is_severe and settings.may_hear_of(name, alert.athlete):
                put_out(con, alert.alert_id, name)


def _count_by_week(con: duckdb.DuckDBPyConnection, athlete: str) -> None:
    con.execute(
        """
        with counted as (
            select w.week_start, count(a.alert_id) as alerts
            from weekly_trends w
            left join alerts a
                on a.athlete = w.athlete
                and a.status <> 'superseded'
                and a.local_date between w.week_start and w.week_start + 6
            where w.athlete = $athlete
            group by w.week_start
        )
        update weekly_trends
        set alerts = counted.alerts
        from counted
        where weekly_trends.athlete = $athlete
          and weekly_trends.week_start = counted.week_start
          and weekly_trends.alerts <> counted.alerts
        """,
        {"athlete": athlete},
    )
