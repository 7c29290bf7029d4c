"""The pipeline as plain functions: take_in, refresh, raise_alerts, publish. No Prefect here."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

import duckdb

from flows.adjusting import accept_proposal, undo_last
from flows.alerting import forget_waits, note_try, raise_for_athlete, take_letter, withdraw
from flows.digests import due_day, write_digest
from flows.news import note_raised, note_refreshed, with_news
from flows.plans import NO_PLAN, PlanChoice, plan_choice
from flows.refresh import athletes_of, names_of, refresh_athlete
from flows.reminding import reminders
from flows.reports import write_reports
from ingest import intake, pain_log, settle
from ingest.inbox import Dropped, dropped_files, given_files
from ingest.intake import ReadAll, Taken
from ingest.logs import PainReport, StrengthSession
from ingest.questionnaires import Questionnaire
from ingest.workers import read_all
from report.format import written_as_in
from report.messages import reminder_words
from report.notify import Letter, send, send_text, title_of
from store.database import frame, insert_rows, opened_published, opened_store, scalar, transaction
from store.errors import WrongUseError
from store.home import Home
from store.lock import LOOK_AGAIN_S, PATIENCE_S, writing
from store.publish import publish_copy
from store.rebuild import REBUILD, rebuild_store
from store.settings import Settings

Counts = dict[str, int]
T = TypeVar("T")

DRAWING_TURN_S = 5.0
"""So long does drawing reports keep another writer waiting, and the page that it is at."""


@dataclass(frozen=True, slots=True)
class Clock:
    """
    The time, as an argument.

    Attributes:
        now: The instant (UTC).
        today: The athlete's day; one in the past replays it.
    """

    now: datetime
    today: date


def clock_of(settings: Settings, today: date | None = None) -> Clock:
    """Return the clock: now, and today where the default athlete is unless a day is given."""
    now = datetime.now(UTC)
    return Clock(now, today or now.astimezone(settings.athletes[settings.default_athlete].zone).date())


def run_all(home: Home, settings: Settings, clock: Clock, *, rebuild: bool = False) -> Counts:
    """Do everything once: intake, trends, alerts, report, publish."""
    taken = take_in(home, settings, clock)
    return Counter(one.outcome for one in taken) | review(home, settings, clock, rebuild=rebuild)


def take_in_and_review(home: Home, settings: Settings, clock: Clock) -> Counts:
    """Take in the inbox, and review if anything new came in; without it, try the letters that wait."""
    taken = take_in(home, settings, clock)
    then = review if changed_something(taken) else notify
    return counts_of(taken) | then(home, settings, clock)


def review(home: Home, settings: Settings, clock: Clock, *, rebuild: bool = False) -> Counts:
    """Do everything that follows an intake: trends, alerts, letters, report."""
    counts: Counts = {}
    with in_one_go(home, "review"):
        counts |= refresh(home, settings, clock, rebuild=rebuild)
        counts |= raise_alerts(home, settings, clock)
        counts |= write_digests(home, settings, clock)
    counts |= notify(home, settings, clock)
    publish(home, settings, clock)
    return counts


def take_in(
    home: Home,
    settings: Settings,
    clock: Clock,
    paths: Sequence[Path] = (),
    *,
    athlete: str | None = None,
    on_file: Callable[[Taken, int], None] | None = None,
    read: ReadAll = read_all,
) -> list[Taken]:
    """
    Take in the inbox, or the given files and folders, and return what became of each.

    `on_file` is told after each file, with the number of files in all; `read` reads them.

    Raises:
        WrongUseError: If a given path does not exist.
    """
    with _step(home, "take_in", clock) as (con, counts):
        dropped = _dropped(home, settings, paths, athlete or settings.default_athlete)
        taken = []
        for one in intake.take_in(con, home, settings, dropped, now=clock.now, read=read):
            taken.append(one)
            if on_file:
                on_file(one, len(dropped))
        counts.update(Counter(one.outcome for one in taken))
    return taken


def counts_of(taken: Sequence[Taken]) -> Counts:
    """Return how many files had which outcome."""
    return dict(Counter(one.outcome for one in taken))


def changed_something(taken: Sequence[Taken]) -> bool:
    """Tell whether an intake brought anything that trends, alerts or the report speak of; refused files are among it."""
    return any(one.outcome not in ("duplicate", "ignored") for one in taken)


def retry(home: Home, settings: Settings, clock: Clock) -> list[Taken]:
    """Put every quarantined file before the readers again; one that is taken in leaves the quarantine."""
    with _step(home, "retry", clock) as (con, counts):
        refused = [
            found for path in sorted(home.quarantine.rglob("*.reason.json")) if (found := _refused(path))
        ]
        taken = list(intake.take_in(con, home, settings, refused, now=clock.now))
        for one in refused:
            if not one.path.exists():
                one.path.with_name(f"{one.path.name}.reason.json").unlink(missing_ok=True)
        counts.update(Counter(one.outcome for one in taken))
    return taken


def rebuild(home: Home, settings: Settings, clock: Clock, *, from_archive: bool) -> Path | None:
    """
    Make the store again from the published copy, and all that is derived; return where the old store was put.

    With `from_archive` every original is read again as well, as after an upgrade of the readers; what people said and
    decided stays.

    Raises:
        StoreError: If the published copy is damaged, too.
    """
    with writing(home, REBUILD):
        aside = rebuild_store(home, now=clock.now)
    with in_one_go(home, REBUILD):
        if from_archive:
            with _step(home, "read_again", clock) as (con, counts):
                taken = intake.read_again(con, home, settings)
                counts.update(Counter(one.outcome for one in taken))
        refresh(home, settings, clock, rebuild=True)
        raise_alerts(home, settings, clock)
        publish(home, settings, clock)
    return aside


def refresh(home: Home, settings: Settings, clock: Clock, *, rebuild: bool = False) -> Counts:
    """Compute everything that is derived of whom anything is new; `rebuild` computes also what has not changed."""
    with _step(home, "refresh", clock) as (con, counts):
        athletes = athletes_of(con, settings)
        if not rebuild:
            athletes = [*with_news(con, home, settings, today=clock.today)]
        for athlete in athletes:
            done = refresh_athlete(con, home, settings, athlete, today=clock.today, rebuild=rebuild)
            _add(counts, done)
        note_refreshed(con, home, settings, athletes, today=clock.today)
        counts["athletes"] = len(athletes)
    return counts


def raise_alerts(home: Home, settings: Settings, clock: Clock) -> Counts:
    """Store the alerts of whom anything is new, and put those that are due into the outbox."""
    with written_as_in(settings.locale), _step(home, "raise_alerts", clock) as (con, counts):
        news = with_news(con, home, settings, today=clock.today)
        for athlete in news:
            done = raise_for_athlete(con, settings, athlete, today=clock.today, now=clock.now)
            _add(counts, done)
        note_raised(con, home, settings, news, today=clock.today)
    return counts


def write_digests(home: Home, settings: Settings, clock: Clock, *, day: date | None = None) -> Counts:
    """Put everybody's digest of the week into the outbox if it is due, or that of a day; once a week, whoever does it."""
    day = day or due_day(settings, today=clock.today, now=clock.now)
    if day is None:
        return {}
    with written_as_in(settings.locale), _step(home, "write_digests", clock) as (con, counts):
        counts["digests"] = sum(
            write_digest(con, settings, athlete, day=day, today=clock.today, now=clock.now)
            for athlete in athletes_of(con, settings)
        )
    return counts


def digest(home: Home, settings: Settings, clock: Clock, *, day: date | None = None) -> Counts:
    """Bring up to date what digests speak of, and send those that are due, or those of a day; pages are not written."""
    with in_one_go(home, "digest"):
        counts = refresh(home, settings, clock)
        counts |= raise_alerts(home, settings, clock)
        counts |= write_digests(home, settings, clock, day=day)
    return counts | notify(home, settings, clock)


def publish(home: Home, settings: Settings, clock: Clock) -> None:
    """
    Write the reports; the read copy of the database follows every step by itself.

    Those of many athletes take minutes each morning: whoever else wants to write has a turn in between, unless this is
    part of one go.
    """
    left = 1
    while left:
        with _step(home, "publish", clock) as (con, counts):
            written, left = write_reports(con, home, settings, today=clock.today, for_s=DRAWING_TURN_S)
            counts["reports"] = written
        if left:
            time.sleep(2 * LOOK_AGAIN_S)


def notify(home: Home, settings: Settings, clock: Clock) -> Counts:
    """
    Send the letters in the outbox that are due, and return how many were tried and how many delivered.

    Nobody waits for a slow channel: the store is open only between letters, to note how the last one went and to take
    the next, so that a kill repeats one of them at most. Other letters of a channel that fails wait for the next time,
    so that a dead one costs the others its time-out and no more (twice where a medical letter waits). The read copy
    shows all of it at the end: making it after each would hold up the next.
    """
    done: Counts = {"tried": 0, "delivered": 0}
    failed: set[tuple[str, bool]] = set()
    with _step(home, "deliver", clock, is_published=False) as (con, _):
        is_changed = withdraw(con, settings)
        letter = take_letter(con, settings, now=clock.now)
    while letter is not None:
        error = send(letter, settings.channels.get(letter.channel), _name_on_letters(letter, settings))
        if error:
            failed.add((letter.channel, letter.is_medical))
        with _step(home, "deliver", clock, is_published=False) as (con, counts):
            note_try(con, letter, error, now=clock.now)
            counts.update(tried=1, delivered=int(error is None))
            letter = take_letter(con, settings, now=clock.now, failed=failed)
        _add(done, counts)
    if is_changed or done["tried"]:
        with in_one_go(home, "deliver"):
            pass  # the copy alone
    return done


def deliver_waiting(home: Home, settings: Settings, clock: Clock, channels: Sequence[str]) -> Counts:
    """Send now what failed before and waits for these channels, which work again."""
    with _step(home, "forget_waits", clock) as (con, _):
        forget_waits(con, channels)
    return notify(home, settings, clock)


def remind(home: Home, settings: Settings, clock: Clock) -> Counts:
    """
    Ask the default athlete for what is missing, by the channels that want it; return how much is, and how many letters went out.

    What went out once today does not go out again.
    """
    with opened_published(home) as con:
        missing = reminders(con, settings, settings.default_athlete, today=clock.today, now=clock.now)
        earlier = scalar(
            con,
            "select sum((counts ->> 'sent')::integer) from flow_log "
            "where step = 'remind' and counts ->> 'today' = $today",
            today=clock.today.isoformat(),
        )
    asked: Counts = {"missing": len(missing), "sent": 0}
    if missing and not earlier:
        text = "\n\n".join("\n".join(reminder_words(one)) for one in missing)
        wanted = [
            channel.url.get_secret_value()
            for name, channel in settings.channels.items()
            if channel.reminders and settings.may_hear_of(name, settings.default_athlete)
        ]
        asked["sent"] = sum(send_text(url, title_of("reminder"), text) is None for url in wanted)
        with _step(home, "remind", clock) as (_, counts):
            counts |= asked
    return asked


def note_restart(home: Home, clock: Clock, part: str, times: int) -> None:
    """Write into flow_log that a part of the process that serves has crashed, so often in a row, and comes again."""
    with _step(home, f"restart {part}", clock) as (_, counts):
        counts["times"] = times


def bring_up_to_date(home: Home, settings: Settings, clock: Clock) -> None:
    """Compute what follows from the facts, and publish; letters wait for the next review."""
    with in_one_go(home, "bring_up_to_date"):
        refresh(home, settings, clock)
        raise_alerts(home, settings, clock)
        publish(home, settings, clock)


def log_pain(home: Home, settings: Settings, clock: Clock, report: PainReport) -> list[dict[str, object]]:
    """Keep a report of knee pain, and return the alerts that it raises."""
    with _step(home, "log_pain", clock) as (con, _), transaction(con):
        pain_log.save_pain_reports(con, [report], now=clock.now)
    bring_up_to_date(home, settings, clock)
    return alerts_raised_at(home, clock.now)


def edit_pain(
    home: Home, settings: Settings, clock: Clock, report_id: str, changes: Mapping[str, object]
) -> list[dict[str, object]]:
    """
    Correct a report of knee pain, and return the alerts that it raises now; those that no longer hold are withdrawn.

    Raises:
        LogError: A value is not allowed, or the report would say nothing.
    """
    with _step(home, "edit_pain", clock) as (con, _), transaction(con):
        pain_log.edit_pain_report(con, report_id, changes, now=clock.now)
    bring_up_to_date(home, settings, clock)
    return alerts_raised_at(home, clock.now)


def delete_pain(home: Home, settings: Settings, clock: Clock, report_id: str) -> PainReport:
    """Take a report of knee pain out, withdraw the alerts that rest on it, and return what it was."""
    with _step(home, "delete_pain", clock) as (con, _), transaction(con):
        report = pain_log.delete_pain_report(con, report_id, now=clock.now)
    bring_up_to_date(home, settings, clock)
    return report


def dismiss_question(home: Home, settings: Settings, clock: Clock, question_id: str) -> None:
    """Note that words about a knee need no answer."""
    with _step(home, "dismiss_question", clock) as (con, _), transaction(con):
        pain_log.dismiss_question(con, question_id, now=clock.now)
    publish(home, settings, clock)


def log_strength(home: Home, settings: Settings, clock: Clock, session: StrengthSession) -> StrengthSession:
    """Keep strength work, compute what follows from it, and return the session of that day as it is now."""
    with _step(home, "log_strength", clock) as (con, _), transaction(con):
        whole = intake.add_strength(con, session)
    bring_up_to_date(home, settings, clock)
    return whole


def log_questionnaire(home: Home, settings: Settings, clock: Clock, answered: Questionnaire) -> None:
    """Keep an answered questionnaire, and compute what it scores."""
    with _step(home, "log_questionnaire", clock) as (con, _), transaction(con):
        intake.save_questionnaires(con, [answered], now=clock.now)
    bring_up_to_date(home, settings, clock)


def delete_questionnaire(home: Home, settings: Settings, clock: Clock, questionnaire_id: str) -> None:
    """Take an answered questionnaire out; one of the same knee, kind and day that it had replaced counts again."""
    with _step(home, "delete_questionnaire", clock) as (con, _), transaction(con):
        con.execute("delete from questionnaires where questionnaire_id = ?", [questionnaire_id])
    bring_up_to_date(home, settings, clock)


def change_plan(
    home: Home, settings: Settings, clock: Clock, change: Callable[[duckdb.DuckDBPyConnection], T]
) -> T:
    """
    Make a change to the plans, one of those in `flows.plans`, compute what follows from it, and return what it says.

    Raises:
        PlanError: If it cannot be made; nothing is changed then.
    """
    with _step(home, "change_plan", clock) as (con, _), transaction(con):
        said = change(con)
    bring_up_to_date(home, settings, clock)
    return said


def change_active_plan(
    home: Home,
    settings: Settings,
    clock: Clock,
    change: Callable[[duckdb.DuckDBPyConnection, PlanChoice | None], T],
    *,
    athlete: str,
) -> T:
    """As `change_plan`; the change is told the choice that counts today, None without one."""
    return change_plan(
        home,
        settings,
        clock,
        lambda con: change(con, plan_choice(con, settings, athlete, today=clock.today)),
    )


def accept_adjustment(home: Home, settings: Settings, clock: Clock, *, athlete: str) -> int:
    """
    Take over what is proposed for the fortnight, as it follows from what is known now; return how many sessions change.

    Raises:
        WrongUseError: If the athlete has no plan.
    """
    with in_one_go(home, "adjust_plan"):
        refresh(home, settings, clock)
        with _step(home, "adjust_plan", clock) as (con, counts):
            choice = _chosen(con, settings, athlete, clock.today)
            counts["changes"] = accept_proposal(
                con,
                athlete=athlete,
                plan=choice.plan,
                race_date=choice.race_date,
                today=clock.today,
                now=clock.now,
            )
    bring_up_to_date(home, settings, clock)
    return counts["changes"]


def undo_adjustment(home: Home, settings: Settings, clock: Clock, *, athlete: str) -> date | None:
    """
    Undo the last adjustment of the plan, and return the day on which it was accepted; None without one.

    Raises:
        WrongUseError: If the athlete has no plan.
    """
    with _step(home, "undo_adjustment", clock) as (con, _):
        choice = _chosen(con, settings, athlete, clock.today)
        undone = undo_last(con, athlete=athlete, plan=choice.plan, race_date=choice.race_date, now=clock.now)
    bring_up_to_date(home, settings, clock)
    return undone


def acknowledge(home: Home, settings: Settings, clock: Clock, alert_id: str) -> None:
    """Note that an open alert was seen."""
    with _step(home, "acknowledge", clock) as (con, _), transaction(con):
        con.execute(
            "update alerts set status = 'acknowledged' where alert_id = ? and status = 'open'", [alert_id]
        )
    publish(home, settings, clock)


def decide(
    home: Home,
    settings: Settings,
    clock: Clock,
    *,
    kind: str,
    activity_id: str,
    other_id: str | None = None,
    distance_m: float | None = None,
) -> None:
    """Keep a decision about an activity for good, and compute what follows from it; kinds as in activity_decisions."""
    with _step(home, kind, clock) as (con, _), transaction(con):
        athlete, day = con.execute(
            "select athlete, local_date from activities where activity_id = ?", [activity_id]
        ).fetchall()[0]
        settle.decide(
            con,
            athlete=athlete,
            kind=kind,
            activity_id=activity_id,
            other_id=other_id,
            distance_m=distance_m,
            now=datetime.now(UTC),
        )
        settle.settle(con, athlete, days=[day])
    bring_up_to_date(home, settings, clock)


def replay(con: duckdb.DuckDBPyConnection, home: Home, settings: Settings, clock: Clock) -> None:
    """Bring a copy of the database to the state of another day; the home is only read."""
    for athlete in athletes_of(con, settings):
        refresh_athlete(con, home, settings, athlete, today=clock.today, rebuild=False)
        raise_for_athlete(con, settings, athlete, today=clock.today, now=clock.now)


@contextmanager
def in_one_go(home: Home, name: str, *, is_published: bool = True) -> Iterator[None]:
    """Let the steps within share the lock and the open store; what they changed is published once, at the end."""
    with writing(home, name, patience_s=_patience_s.get()), opened_store(home) as con:
        token = _shared.set((home, con))
        try:
            yield
        finally:
            _shared.reset(token)
        if is_published:
            publish_copy(con, home)


@contextmanager
def waiting_at_most(patience_s: float) -> Iterator[None]:
    """Let the steps within wait so long for their turn and no longer: a person sits before a page."""
    token = _patience_s.set(patience_s)
    try:
        yield
    finally:
        _patience_s.reset(token)


_patience_s: ContextVar[float] = ContextVar("_patience_s", default=PATIENCE_S)
_shared: ContextVar[tuple[Home, duckdb.DuckDBPyConnection] | None] = ContextVar("_shared", default=None)


@contextmanager
def _step(
    home: Home, name: str, clock: Clock, *, is_published: bool = True
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Counts]]:
    """Do one step in the open store, alone or in one go with others, and write into flow_log what it did."""
    shared = _shared.get()
    if shared is None or shared[0] != home:
        with in_one_go(home, name, is_published=is_published), _step(home, name, clock) as step:
            yield step
        return
    con, counts = shared[1], Counts()
    started_at = datetime.now(UTC)
    outcome = "failed"
    try:
        yield con, counts
        outcome = "ok"
    finally:
        row = {
            "started_at": started_at,
            "ended_at": datetime.now(UTC),
            "step": name,
            "outcome": outcome,
            "counts": json.dumps({"today": clock.today.isoformat(), **counts}),
        }
        insert_rows(con, "flow_log", [row])


def _chosen(con: duckdb.DuckDBPyConnection, settings: Settings, athlete: str, today: date) -> PlanChoice:
    choice = plan_choice(con, settings, athlete, today=today)
    if choice is None:
        raise WrongUseError(NO_PLAN)
    return choice


def _name_on_letters(letter: Letter, settings: Settings) -> str | None:
    """Return what to call the athlete where a letter must say whose it is: to a second recipient, or in a home of several."""
    channel = settings.channels.get(letter.channel)
    is_plain = channel is None or (channel.role == "runner" and len(settings.athletes) == 1)
    return None if is_plain else names_of([letter.athlete], settings)[letter.athlete]


def _add(counts: Counts, more: Counts) -> None:
    for what, number in more.items():
        counts[what] = counts.get(what, 0) + number


def _dropped(home: Home, settings: Settings, paths: Sequence[Path], athlete: str) -> list[Dropped]:
    if paths:
        return given_files(list(paths), default_athlete=athlete)
    return dropped_files(home, athletes=frozenset(settings.athletes), default_athlete=athlete)


def _refused(reason_file: Path) -> Dropped | None:
    """Return the quarantined file that a reason belongs to, as it was dropped."""
    path = reason_file.with_name(reason_file.name.removesuffix(".reason.json"))
    if not path.is_file():
        return None
    told = json.loads(reason_file.read_text())
    (dropped,) = given_files([path], default_athlete=told["athlete"])
    return Dropped(path, told["athlete"], told["file_name"], is_inbox=True, fingerprint=dropped.fingerprint)


def published_day(con: duckdb.DuckDBPyConnection, settings: Settings) -> date:
    """Return the day that the database was computed for; the present one when it never was."""
    told = scalar(
        con, "select counts ->> 'today' from flow_log where step = 'refresh' order by ended_at desc limit 1"
    )
    return date.fromisoformat(told) if told else clock_of(settings).today


def alerts_raised_at(home: Home, now: datetime) -> list[dict[str, object]]:
    """Return the alerts that were first raised at this very instant."""
    with opened_published(home) as con:
        return list(frame(con, "select * from alerts where raised_at = $now", now=now).iter_rows(named=True))


class WeekInNumbers(NamedTuple):
    """The present week of the default athlete, in numbers that tell nothing of a body; None is unknown."""

    week_start: date
    runs: int
    planned_runs: int | None
    done_share: float | None
    alerts: int
    pain_reports: int


def week_in_numbers(home: Home, settings: Settings, today: date) -> WeekInNumbers | None:
    """Return the week of `today`, from the published copy; None before there is one."""
    with opened_published(home) as con:
        row = con.execute(
            f"select {', '.join(WeekInNumbers._fields)} from weekly_trends "
            "where athlete = ? and week_start between ? and ?",
            [settings.default_athlete, today - timedelta(days=6), today],
        ).fetchone()
    return WeekInNumbers(*row) if row else None
