"""What a runner changed about a plan, laid on the calendar: moved sessions, holidays, another race day."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

from analytics.plan import RACE_SESSION, dated

REST_SESSION = "rest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    One change of a plan.

    Attributes:
        kind: move, holiday or race.
        session_key: The session that is moved.
        days: By how many days it is moved.
        from_date: First day of a holiday.
        to_date: Last day of a holiday, or the new race day.
    """

    kind: str
    session_key: str | None = None
    days: int | None = None
    from_date: date | None = None
    to_date: date | None = None


def arranged(
    plan: pl.DataFrame,
    *,
    name: str,
    race_date: date,
    start_date: date | None = None,
    changes: Iterable[Change] = (),
) -> pl.DataFrame:
    """
    Lay a plan on the calendar with all that was changed about it.

    Moves add up and go along with the race day. A day of rest on which something else is planned is none. On a
    holiday there is rest and nothing else, but the race stays.

    Args:
        plan: week, day (mon to sun), session, distance_km, duration_min, rpe, zone, notes.
        name: Name of the plan.
        race_date: Day of the race as it was chosen.
        start_date: First day that counts; what lies before it is left out.
        changes: In the order in which they were made.

    Returns:
        One row a planned session in order of days, with the columns of `dated`.
    """
    changes = list(changes)
    races = [change.to_date for change in changes if change.kind == "race" and change.to_date]
    sessions = dated(plan, name=name, race_date=[race_date, *races][-1], moves=_moves(changes))
    sessions = _without_needless_rest(sessions) if changes else sessions
    for change in changes:
        if change.kind == "holiday":
            is_free = pl.col("local_date").is_between(change.from_date, change.to_date)
            sessions = _with_rest(sessions, is_free & (pl.col("session") != RACE_SESSION))
    return sessions.filter(pl.col("local_date") >= start_date) if start_date else sessions


def _moves(changes: Iterable[Change]) -> dict[str, int]:
    days: Counter[str] = Counter()
    for change in changes:
        if change.kind == "move" and change.session_key:
            days[change.session_key] += change.days or 0
    return dict(days)


def _without_needless_rest(sessions: pl.DataFrame) -> pl.DataFrame:
    is_rest = pl.col("session") == REST_SESSION
    return sessions.filter(~is_rest | is_rest.all().over("local_date"))


def _with_rest(sessions: pl.DataFrame, is_free: pl.Expr) -> pl.DataFrame:
    """Leave one day of rest of all that is planned on each free day."""
    rest = {
        "session": pl.lit(REST_SESSION),
        "distance_m": pl.lit(0.0),
        "duration_s": pl.lit(0.0),
        "rpe": pl.lit(0.0),
        "zone": pl.lit("none"),
        "notes": pl.lit("Holiday"),
    }
    changed = sessions.with_columns(
        pl.when(is_free).then(to).otherwise(name).alias(name) for name, to in rest.items()
    )
    is_first = pl.int_range(pl.len()).over("local_date") == 0
    return changed.filter((pl.col("notes") != "Holiday").fill_null(True) | is_first)
