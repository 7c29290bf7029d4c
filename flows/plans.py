"""The athlete's plan: which one counts on a day, what was changed about it, and its sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import duckdb
import polars as pl

from analytics.adjust import with_changes
from analytics.plan import PLAN_SESSIONS, RACE_SESSION
from analytics.plan_changes import REST_SESSION, Change, arranged
from flows.adjusting import accepted_changes
from ingest.plans import PlanError, imported_names, plan_names, read_imported, read_plan, save_plan
from store.database import frame, insert_rows, scalar
from store.settings import Athlete, Settings

NO_PLAN = "There is no plan yet: kneewatch plan use NAME --race YYYY-MM-DD chooses one."
HOW_CHANGES_READ = "kneewatch plan show lists the days"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChoice:
    """
    Which plan an athlete trains by.

    Attributes:
        plan: Its name.
        race_date: Race day as it was chosen.
        start_date: First day that counts, None for the plan's own.
        goal_s: Goal time over the half marathon.
        chosen_at: When it was chosen; None when the settings name it.
        counts_from: The athlete's day on which it was chosen; None when the settings name it.
    """

    plan: str
    race_date: date
    start_date: date | None = None
    goal_s: float | None = None
    chosen_at: datetime | None = None
    counts_from: date | None = None


def plan_choice(
    con: duckdb.DuckDBPyConnection, settings: Settings, athlete: str, *, today: date
) -> PlanChoice | None:
    """
    Return the plan that counts on a day: the one chosen last by then, else the first one, else that of the settings.

    A choice without a goal has that of the settings.
    """
    given = settings.athletes.get(athlete, Athlete()).plan
    goal_s = given.goal_s if given else None
    rows = con.execute(
        """
        select plan, race_date, start_date, coalesce(goal_s, $goal_s), chosen_at,
            coalesce(counts_from, cast(chosen_at as date))
        from plan_choices
        where athlete = $athlete
        order by
            coalesce(counts_from, cast(chosen_at as date)) <= $today desc,
            abs($today - coalesce(counts_from, cast(chosen_at as date))),
            chosen_at desc
        limit 1
        """,
        {"athlete": athlete, "today": today, "goal_s": goal_s},
    ).fetchall()
    if rows:
        plan, race_date, start_date, goal_s, chosen_at, counts_from = rows[0]
        return PlanChoice(
            plan=plan,
            race_date=race_date,
            start_date=start_date,
            goal_s=goal_s,
            chosen_at=chosen_at,
            counts_from=counts_from,
        )
    return PlanChoice(plan=given.name, race_date=given.race_date, goal_s=goal_s) if given else None


def sessions_of(con: duckdb.DuckDBPyConnection, athlete: str, choice: PlanChoice | None) -> pl.DataFrame:
    """Return the sessions of a choice with all that was changed about it: the columns of `arranged`."""
    if choice is None:
        return PLAN_SESSIONS.to_frame()
    return _arranged(con, choice, _changes(con, athlete, choice))


def adjusted(
    con: duckdb.DuckDBPyConnection,
    athlete: str,
    choice: PlanChoice | None,
    sessions: pl.DataFrame,
    *,
    today: date,
) -> pl.DataFrame:
    """Put into the sessions what `plan adjust` changed up to today."""
    if choice is None:
        return sessions
    changes = accepted_changes(
        con, athlete=athlete, plan=choice.plan, race_date=choice.race_date, today=today
    )
    return with_changes(sessions, changes)


def plan_named(con: duckdb.DuckDBPyConnection, name: str) -> pl.DataFrame:
    """
    Return a built-in or imported plan: columns of PLAN_COLUMNS.

    Raises:
        PlanError: If there is none of that name.
    """
    if name in plan_names():
        return read_plan(name)
    if name in (imported := imported_names(con)):
        return read_imported(con, name)
    known = ", ".join([*plan_names(), *imported])
    raise PlanError(f"There is no plan {name!r}; there are {known}. kneewatch plan import takes in another.")


# Changes: each is made within a transaction of the caller's, and says what was done -----------------------


def use(
    con: duckdb.DuckDBPyConnection,
    *,
    athlete: str,
    choice: PlanChoice,
    today: date,
    now: datetime,
) -> pl.DataFrame:
    """
    Let the athlete train by a plan from today on, and return its sessions.

    Raises:
        PlanError: If there is none of that name, or nothing of it is left.
    """
    sessions = _arranged(con, choice, [])
    if sessions.is_empty():
        raise PlanError(f"Nothing of {choice.plan} lies between {choice.start_date} and {choice.race_date}.")
    row = {
        "athlete": athlete,
        "plan": choice.plan,
        "race_date": choice.race_date,
        "chosen_at": now,
        "start_date": choice.start_date,
        "goal_s": choice.goal_s,
        "counts_from": today,
    }
    insert_rows(con, "plan_choices", [row])
    return sessions


def keep_imported(con: duckdb.DuckDBPyConnection, *, name: str, plan: pl.DataFrame, now: datetime) -> None:
    """
    Keep a plan that was imported under its name; an earlier one of that name goes.

    Raises:
        PlanError: If a built-in plan is called so.
    """
    if name in plan_names():
        raise PlanError(f"{name} is the name of a built-in plan; --name gives this one another.")
    save_plan(con, name, plan, now=now)


def move(
    con: duckdb.DuckDBPyConnection,
    *,
    athlete: str,
    choice: PlanChoice | None,
    day: date,
    to_day: date,
    session: str | None = None,
    now: datetime,
) -> list[str]:
    """
    Move what is planned on a day, or one session of it, to another day, and return what was moved.

    Raises:
        PlanError: If nothing is planned then, if it is the race, or if the other day lies outside the plan.
    """
    choice, sessions = _before_holidays(con, athlete, choice)
    found = sessions.filter(
        (pl.col("local_date") == day)
        & (pl.col("session") != REST_SESSION)
        & ((pl.col("session") == session) if session else pl.lit(True))
    )
    if found.is_empty():
        what = f"No {session} is" if session else "Nothing is"
        raise PlanError(f"{what} planned for {day}; {HOW_CHANGES_READ}.")
    return _move_all(con, athlete, choice, sessions, found, (to_day - day).days, now)


def move_week(
    con: duckdb.DuckDBPyConnection,
    *,
    athlete: str,
    choice: PlanChoice | None,
    week: int,
    days: int,
    now: datetime,
) -> list[str]:
    """
    Move every session of a plan week by some days, the race apart, and return what was moved.

    Raises:
        PlanError: If the plan has no such week, or the sessions would leave the plan.
    """
    choice, sessions = _before_holidays(con, athlete, choice)
    found = sessions.filter((pl.col("week") == week) & ~pl.col("session").is_in([REST_SESSION, RACE_SESSION]))
    if found.is_empty():
        raise PlanError(f"Week {week} of the plan has nothing to move; {HOW_CHANGES_READ} and weeks.")
    return _move_all(con, athlete, choice, sessions, found, days, now)


def holiday(
    con: duckdb.DuckDBPyConnection,
    *,
    athlete: str,
    choice: PlanChoice | None,
    from_date: date,
    to_date: date,
    now: datetime,
) -> list[str]:
    """
    Plan no training from one day to another, and return what is left out.

    Raises:
        PlanError: If there is no plan, the days are the wrong way round, or the race is among them.
    """
    choice, sessions = _before_holidays(con, athlete, choice)
    if to_date < from_date:
        raise PlanError(f"The holiday ends on {to_date}, before it begins on {from_date}.")
    found = sessions.filter(
        pl.col("local_date").is_between(from_date, to_date) & (pl.col("session") != REST_SESSION)
    )
    if RACE_SESSION in found["session"]:
        raise PlanError("The race lies in these days; kneewatch plan race DATE moves it first.")
    _remember(con, athlete, choice, [Change(kind="holiday", from_date=from_date, to_date=to_date)], now=now)
    return _in_words(found)


def race_on(
    con: duckdb.DuckDBPyConnection,
    *,
    athlete: str,
    choice: PlanChoice | None,
    race_date: date,
    now: datetime,
) -> None:
    """
    Move the race, and the plan with it.

    Raises:
        PlanError: If there is no plan.
    """
    choice, _ = _before_holidays(con, athlete, choice)
    _remember(con, athlete, choice, [Change(kind="race", to_date=race_date)], now=now)


def undo(con: duckdb.DuckDBPyConnection, *, athlete: str, choice: PlanChoice | None, now: datetime) -> str:
    """
    Undo the last change that still holds, and return its kind.

    Raises:
        PlanError: If nothing was changed since the plan was chosen.
    """
    choice, _ = _before_holidays(con, athlete, choice)
    of_choice = {"athlete": athlete, "plan": choice.plan, "chosen_at": choice.chosen_at}
    still_held = "athlete = $athlete and plan = $plan and chosen_at is not distinct from $chosen_at and undone_at is null"
    last = scalar(con, f"select max(changed_at) from plan_changes where {still_held}", **of_choice)
    if last is None:
        raise PlanError("Nothing was changed since this plan was chosen; kneewatch plan use chooses another.")
    kind = scalar(
        con,
        f"select kind from plan_changes where {still_held} and changed_at = $last",
        **of_choice,
        last=last,
    )
    con.execute(
        f"update plan_changes set undone_at = $now where {still_held} and changed_at = $last",
        {**of_choice, "last": last, "now": now},
    )
    return str(kind)


# Helpers ---------------------------------------------------------------------------------------------------


def _arranged(con: duckdb.DuckDBPyConnection, choice: PlanChoice, changes: Sequence[Change]) -> pl.DataFrame:
    return arranged(
        plan_named(con, choice.plan),
        name=choice.plan,
        race_date=choice.race_date,
        start_date=choice.start_date,
        changes=changes,
    )


def _changes(con: duckdb.DuckDBPyConnection, athlete: str, choice: PlanChoice) -> list[Change]:
    rows = frame(
        con,
        """
        select kind, session_key, days, from_date, to_date
        from plan_changes
        where athlete = $athlete and plan = $plan and chosen_at is not distinct from $chosen_at
          and undone_at is null
        order by changed_at
        """,
        athlete=athlete,
        plan=choice.plan,
        chosen_at=choice.chosen_at,
    )
    return [Change(**row) for row in rows.iter_rows(named=True)]


def _before_holidays(
    con: duckdb.DuckDBPyConnection, athlete: str, choice: PlanChoice | None
) -> tuple[PlanChoice, pl.DataFrame]:
    """Return the choice and its sessions as if there were no holiday: what lies in one can still be moved out of it."""
    if choice is None:
        raise PlanError(NO_PLAN)
    changes = [change for change in _changes(con, athlete, choice) if change.kind != "holiday"]
    return choice, _arranged(con, choice, changes)


def _move_all(
    con: duckdb.DuckDBPyConnection,
    athlete: str,
    choice: PlanChoice,
    sessions: pl.DataFrame,
    found: pl.DataFrame,
    days: int,
    now: datetime,
) -> list[str]:
    if RACE_SESSION in found["session"]:
        raise PlanError(
            "The race is no session to move; kneewatch plan race DATE moves it and the plan with it."
        )
    first, last = sessions["local_date"][0], sessions["local_date"][-1]
    later = found.with_columns(pl.col("local_date") + timedelta(days=days))
    if not later["local_date"].is_between(first, last).all():
        raise PlanError(f"That lies outside the plan, which goes from {first} to {last}.")
    changes = [Change(kind="move", session_key=key, days=days) for key in found["session_key"]]
    _remember(con, athlete, choice, changes, now=now)
    return _in_words(later)


def _remember(
    con: duckdb.DuckDBPyConnection,
    athlete: str,
    choice: PlanChoice,
    changes: Sequence[Change],
    *,
    now: datetime,
) -> None:
    of_choice = {"athlete": athlete, "plan": choice.plan, "chosen_at": choice.chosen_at, "changed_at": now}
    rows = [
        of_choice
        | {
            "kind": change.kind,
            "session_key": change.session_key,
            "days": change.days,
            "from_date": change.from_date,
            "to_date": change.to_date,
        }
        for change in changes
    ]
    insert_rows(con, "plan_changes", rows)


def _in_words(sessions: pl.DataFrame) -> list[str]:
    return [f"{day} {session}" for day, session in sessions.select("local_date", "session").iter_rows()]
