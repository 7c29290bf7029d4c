"""The plan on the calendar, what became of each session, and which sessions ahead would be spikes."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import date, timedelta
from operator import attrgetter
from typing import NamedTuple

import polars as pl

from analytics.load import SMALL_SPIKE_RATIO, spike_bin
from analytics.matching import Done, Planned, Session, matches_of_day, matches_of_weeks
from analytics.rules import PUBLISHED, Rules
from analytics.spikes import is_ramp

RUN_SESSIONS = frozenset({"easy", "steady", "tempo", "intervals", "long", "shakeout", "race"})
STRENGTH_SESSION = "strength"
RACE_SESSION = "race"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

DONE_TOLERANCE_SHARE = 0.20  # of the planned distance
ROUNDING = 1e-9
SPIKE_WINDOW_DAYS = 30
WEEK_DAYS = 7

BY_DAY, BY_LENGTH = attrgetter("local_date"), attrgetter("distance_m")
WeekOfDay = Callable[[date], int | None]

PLAN_SESSIONS = pl.Schema(
    {
        "plan": pl.String,
        "week": pl.Int32,
        "local_date": pl.Date,
        "session": pl.String,
        "distance_m": pl.Float64,
        "duration_s": pl.Float64,
        "rpe": pl.Float64,
        "zone": pl.String,
        "notes": pl.String,
        "session_key": pl.String,
    }
)
PLAN_VS_ACTUAL = pl.Schema(
    {
        "local_date": pl.Date,
        "plan_week": pl.Int32,
        "session": pl.String,
        "planned_distance_m": pl.Float64,
        "activity_id": pl.String,
        "distance_m": pl.Float64,
        "status": pl.String,
    }
)
UPCOMING_SPIKES = pl.Schema(
    {
        "local_date": pl.Date,
        "session": pl.String,
        "planned_distance_m": pl.Float64,
        "longest_30d_m": pl.Float64,
        "spike_ratio": pl.Float64,
        "spike_bin": pl.String,
        "longest_safe_m": pl.Float64,
        "reason": pl.String,
        "week_done_m": pl.Float64,
        "week_planned_m": pl.Float64,
        "week_before_m": pl.Float64,
        "week_ramp_ratio": pl.Float64,
        "week_is_ramp": pl.Boolean,
    }
)


class SeenAhead(NamedTuple):
    """A planned run as it lay ahead on the evening of a day, beside the longest of the 30 days before it, done or planned."""

    seen_on: date
    session: Planned
    longest: Planned | Done | None


def dated(
    plan: pl.DataFrame, *, name: str, race_date: date, moves: Mapping[str, int] | None = None
) -> pl.DataFrame:
    """
    Lay a plan on the calendar so that its last race, or else its last day, falls on the race date.

    Args:
        plan: week, day (mon to sun), session, distance_km, duration_min, rpe, zone, notes.
        name: Name of the plan.
        race_date: Day of the race.
        moves: Days by which sessions are moved, by session_key; they end in the week they are moved to.

    Returns:
        One row a planned session in order of days: plan, week, local_date, session, distance_m,
        duration_s, rpe, zone, notes, session_key (week-day-session as the plan was written).
    """
    if plan.is_empty():
        return PLAN_SESSIONS.to_frame()
    day = pl.col("day").str.to_lowercase().replace_strict(DAYS, range(len(DAYS)), return_dtype=pl.Int64)
    numbered = _with_keys(plan).with_columns(day_number=pl.col("week").cast(pl.Int64) * len(DAYS) + day)
    races = numbered.filter(pl.col("session") == RACE_SESSION)
    last_day = (numbered if races.is_empty() else races).get_column("day_number").max()
    if moves:
        days = pl.col("session_key").replace_strict(moves, default=0, return_dtype=pl.Int64)
        numbered = numbered.with_columns(day_number=pl.col("day_number") + days)
    return (
        numbered.sort("day_number", maintain_order=True)
        .with_columns(
            plan=pl.lit(name),
            week=pl.col("day_number") // len(DAYS),
            local_date=pl.lit(race_date) + pl.duration(days=pl.col("day_number") - last_day),
            # 21.0975 km times 1000 is not quite 21097.5
            distance_m=(pl.col("distance_km").cast(pl.Float64) * 1000).round(3),
            duration_s=pl.col("duration_min").cast(pl.Float64) * 60,
        )
        .select(PLAN_SESSIONS.names())
        .cast(PLAN_SESSIONS)
    )


def plan_vs_actual(
    sessions: pl.DataFrame, runs: pl.DataFrame, strength_dates: list[date], *, today: date
) -> pl.DataFrame:
    """
    Say what became of each planned session, and list the runs since the plan's start that were not planned.

    All sessions and runs of a plan week are matched at once, by distance and by day (see `analytics.matching`).

    Args:
        sessions: Columns of plan_sessions.
        runs: activity_id, local_date, distance_m.
        strength_dates: Day of each strength session.
        today: The athlete's day.

    Returns:
        One row a planned session or unplanned run, in order of days: local_date, plan_week, session,
        planned_distance_m, activity_id, distance_m, status.
    """
    if sessions.is_empty():
        return PLAN_VS_ACTUAL.to_frame()
    planned = _planned(sessions)
    start, week_of = _start(planned), _week_of_day(planned)
    done_runs = _done_runs(runs.filter(pl.col("local_date") >= start), week_of)
    run_days = {run.local_date for run in done_runs}
    of_runs = [one for one in planned if one.session in RUN_SESSIONS]
    of_strength = [one for one in planned if one.session == STRENGTH_SESSION]
    matches = matches_of_weeks(of_runs, done_runs, start=start, today=today)
    matches |= matches_of_weeks(
        of_strength, _done_strength(strength_dates, week_of), start=start, today=today
    )
    matched = set(matches.values())
    rows = [_row(one, matches.get(one), _status(one, matches.get(one), run_days, today)) for one in planned]
    rows += [_row(None, run, "unplanned") for run in done_runs if run not in matched]
    return pl.DataFrame(rows, schema=PLAN_VS_ACTUAL, orient="row").sort("local_date", maintain_order=True)


def upcoming_spikes(
    sessions: pl.DataFrame, runs: pl.DataFrame, *, today: date, days: int = 14, rules: Rules = PUBLISHED
) -> pl.DataFrame:
    """
    Hold each planned run ahead against the longest of the 30 days before it, done or planned until then.

    Beside it stands the rise of the seven days that end with its day: what was run in them, what is planned in them,
    and what the seven days before hold.

    Args:
        sessions: Columns of plan_sessions.
        runs: activity_id, local_date, distance_m.
        today: The athlete's day; its planned runs that are already done are left out.
        days: How far ahead to look, today included.
        rules: What counts as a ramp.

    Returns:
        One row a planned run in order of days: the columns of UPCOMING_SPIKES. Ratios are null where nothing was run.
    """
    if sessions.is_empty():
        return UPCOMING_SPIKES.to_frame()
    planned = _planned(sessions)
    since = today - timedelta(days=SPIKE_WINDOW_DAYS)
    done_runs = _done_runs(runs.filter(pl.col("local_date") >= since), _week_of_day(planned))
    ahead = _ahead(planned, done_runs, today, days)
    rows = [
        _outlook(one, _longest_before(one, done_runs, ahead)) + _week_of_run(one, done_runs, ahead, rules)
        for one in ahead
    ]
    return pl.DataFrame(rows, schema=UPCOMING_SPIKES, orient="row")


def seen_ahead(
    sessions: pl.DataFrame, runs: pl.DataFrame, *, since: date | None, today: date, days: int
) -> list[SeenAhead]:
    """
    Return what `upcoming_spikes` compared on every evening up to today, in order of days.

    Args:
        sessions: Columns of plan_sessions, as they are now.
        runs: activity_id, local_date, distance_m.
        since: First day to look from; None is the first on which something was ahead.
        today: The athlete's day.
        days: How far ahead each day looks, that day included.
    """
    if sessions.is_empty():
        return []
    all_planned = _planned(sessions)
    planned = [one for one in all_planned if _is_distance_run(one)]
    done_runs = _done_runs(runs, _week_of_day(all_planned))
    if not planned:
        return []
    first = planned[0].local_date - timedelta(days=days - 1)
    day, seen = max(first, since or first), []
    while day <= min(today, planned[-1].local_date):
        oldest = day - timedelta(days=SPIKE_WINDOW_DAYS)
        known = _between(done_runs, oldest, day)
        ahead = _ahead(_between(planned, day, day + timedelta(days=days - 1)), known, day, days)
        seen += [SeenAhead(day, one, _longest_before(one, known, ahead)) for one in ahead]
        day += timedelta(days=1)
    return seen


def _with_keys(plan: pl.DataFrame) -> pl.DataFrame:
    """Name each session by its place in the plan; equal ones of a day are counted."""
    place = pl.concat_str("week", pl.col("day").str.to_lowercase(), "session", separator="-")
    count = pl.int_range(pl.len()).over(place)
    again = pl.when(count > 0).then(pl.format("-{}", count + 1)).otherwise(pl.lit(""))
    return plan.with_columns(session_key=place + again)


def start_of_plan(sessions: pl.DataFrame) -> date:
    """Return the first day of the first plan week, also when nothing is planned on it; there must be a session."""
    return _start(_planned(sessions))


def km(distance_m: float) -> str:
    """Write a distance as sentences about the plan have it."""
    return f"{distance_m / 1000:.1f} km"


def day_and_month(day: date) -> str:
    """Write a day as sentences about the plan have it."""
    return f"{day.day} {day:%B}"


def _planned(sessions: pl.DataFrame) -> list[Planned]:
    columns = ("local_date", "week", "session", "distance_m")
    rows = sessions.select(columns).sort("local_date", "session", "distance_m").iter_rows(named=True)
    return [Planned(number=number, **row) for number, row in enumerate(rows)]


def _start(planned: Sequence[Planned]) -> date:
    """First day of the first plan week, also when nothing is planned on it."""
    return min(one.local_date - timedelta(weeks=one.week - 1) for one in planned)


def _week_of_day(planned: Sequence[Planned]) -> WeekOfDay:
    """Give the plan week of any day, also of days on which nothing is planned."""
    start, weeks = _start(planned), max(one.week for one in planned)

    def week_of(day: date) -> int | None:
        week = (day - start).days // 7 + 1
        return week if 1 <= week <= weeks else None

    return week_of


def _done_runs(runs: pl.DataFrame, week_of: WeekOfDay) -> list[Done]:
    columns = ("activity_id", "local_date", "distance_m")
    rows = runs.select(columns).sort("local_date", "activity_id").iter_rows(named=True)
    return [Done(number=number, week=week_of(row["local_date"]), **row) for number, row in enumerate(rows)]


def _done_strength(dates: Iterable[date], week_of: WeekOfDay) -> list[Done]:
    return [
        Done(number=number, local_date=day, week=week_of(day), activity_id=None, distance_m=0.0)
        for number, day in enumerate(sorted(dates))
    ]


def _status(one: Planned, match: Done | None, run_days: Container[date], today: date) -> str:
    if one.session not in RUN_SESSIONS | {STRENGTH_SESSION}:
        return _rest_status(one.local_date, run_days, today)
    if match is None:
        return "missed" if one.local_date < today else "upcoming"
    if match.local_date != one.local_date:
        return "moved"
    return _length_status(one.distance_m, match.distance_m)


def _rest_status(day: date, run_days: Container[date], today: date) -> str:
    if day in run_days:
        return "missed"
    return "rest kept" if day < today else "upcoming"


def _length_status(planned_m: float | None, run_m: float | None) -> str:
    if not planned_m or run_m is None:
        return "done"
    ratio = run_m / planned_m - 1
    if abs(ratio) <= DONE_TOLERANCE_SHARE + ROUNDING:
        return "done"
    return "short" if ratio < 0 else "long"


def _row(one: Planned | None, other: Done | None, status: str) -> tuple[object, ...]:
    """One row of PLAN_VS_ACTUAL; strength has no distance to show."""
    is_run = other is not None and other.activity_id is not None
    place = one or other
    return (
        place.local_date if place else None,
        place.week if place else None,
        one.session if one else None,
        one.distance_m if one else None,
        other.activity_id if other else None,
        other.distance_m if other and is_run else None,
        status,
    )


def _is_distance_run(one: Planned) -> bool:
    return one.session in RUN_SESSIONS and bool(one.distance_m)


def _ahead(planned: Iterable[Planned], done_runs: Sequence[Done], today: date, days: int) -> list[Planned]:
    """Planned runs of the next days, today included, but for those of today that are done."""
    until = today + timedelta(days=days)
    ahead = [one for one in planned if _is_distance_run(one) and today <= one.local_date < until]
    done_today = matches_of_day(ahead, done_runs, day=today)
    return [one for one in ahead if one not in done_today]


def _between(ordered: Sequence[Session], first: date, last: date) -> Sequence[Session]:
    """Those of some days, out of a long row in order of days."""
    return ordered[bisect_left(ordered, first, key=BY_DAY) : bisect_right(ordered, last, key=BY_DAY)]


def _longest_before(
    one: Planned, done_runs: Sequence[Done], ahead: Sequence[Planned]
) -> Planned | Done | None:
    """Longest run of the 30 days before the session; one done on its very day came before it."""
    since = one.local_date - timedelta(days=SPIKE_WINDOW_DAYS)
    before: tuple[Planned | Done, ...] = (
        *_between(done_runs, since, one.local_date),
        *_between(ahead, since, one.local_date - timedelta(days=1)),
    )
    return max([run for run in before if run.distance_m], key=BY_LENGTH, default=None)


def _outlook(one: Planned, longest: Planned | Done | None) -> tuple[object, ...]:
    """The run itself in a row of UPCOMING_SPIKES."""
    planned_m = one.distance_m or 0.0
    lead = f"{km(planned_m)} planned for {day_and_month(one.local_date)}"
    if longest is None or not longest.distance_m:
        reason = f"{lead}; there is no run in the 30 days before to compare it with. Consider beginning again short and easy."
        return (one.local_date, one.session, planned_m, None, None, "no_baseline", None, reason)
    longest_m, ratio = longest.distance_m, planned_m / longest.distance_m - 1
    bin_name, longest_safe_m = spike_bin(planned_m, longest_m), longest_m * (1 + SMALL_SPIKE_RATIO)
    origin = "planned for" if isinstance(longest, Planned) else "run on"
    verdict = (
        "no spike" if bin_name == "reference" else f"a {bin_name} spike; {km(longest_safe_m)} would be none"
    )
    reason = (
        f"{lead}; the longest of the 30 days before is {km(longest_m)}, {origin} "
        f"{day_and_month(longest.local_date)}: {100 * ratio:+.1f} %, {verdict}."
    )
    return (one.local_date, one.session, planned_m, longest_m, ratio, bin_name, longest_safe_m, reason)


def _week_of_run(
    one: Planned, done_runs: Sequence[Done], ahead: Sequence[Planned], rules: Rules
) -> tuple[object, ...]:
    """The seven days up to the run in a row of UPCOMING_SPIKES."""
    day, before = one.local_date, one.local_date - timedelta(days=WEEK_DAYS)
    done_m, planned_m = _metres_to(done_runs, day), _metres_to(ahead, day)
    before_m = _metres_to(done_runs, before) + _metres_to(ahead, before)
    ratio = (done_m + planned_m) / before_m - 1 if before_m else None
    return done_m, planned_m, before_m, ratio, is_ramp(done_m + planned_m, before_m, rules)


def _metres_to(runs: Iterable[Planned | Done], day: date) -> float:
    """Metres of the seven days that end with this one."""
    return sum(run.distance_m or 0.0 for run in runs if 0 <= (day - run.local_date).days < WEEK_DAYS)
