"""Days and weeks of one athlete: computed from the first week on that anything changed in, and kept before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb
import polars as pl

from analytics.calendar import TREND_WEEKS, start_of_week, with_pace_trends
from analytics.changes import first_change, week_keys
from analytics.form import form_trends
from analytics.pace_context import weekly_pace
from analytics.parameters import MARKS_VERSION
from analytics.race import race_equivalents
from analytics.run_metrics import FORMULA_VERSION
from analytics.zones import weekly_zones
from store.database import frame, replace

LOOK_BACK_WEEKS = TREND_WEEKS - 1
"""No week looks further back: trends take sixteen weeks, best efforts twelve, running form eight."""
FACTS_OF_RUNS = ("activity_id", "local_date", "inputs_key", "ascent_m", "avg_hr_bpm")
"""What weeks rest on of a run, beside the totals of its day; metrics, efforts and form follow from its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weeks:
    """
    What the weeks of an athlete rest on.

    Attributes:
        runs: The runs up to today with their metrics.
        daily: What calendar.daily_load returns.
        totals: What calendar.weekly_totals returns.
        today: The athlete's day.
        week_starts_on: 0 for Monday to 6 for Sunday.
        max_hr_bpm: Maximum heart rate of today; None is unknown.
        goal_s: Goal time over the half marathon; None without one.
    """

    runs: pl.DataFrame
    daily: pl.DataFrame
    totals: pl.DataFrame
    today: date
    week_starts_on: int
    max_hr_bpm: float | None
    goal_s: float | None

    def keys(self) -> pl.DataFrame:
        """Return the key of each week; see week_keys."""
        of_week = start_of_week(self.week_starts_on)
        has_begun = (pl.col("week_start") <= self.today).alias("has_begun")
        facts = (
            self.runs.select(of_week, *FACTS_OF_RUNS),
            self.daily.with_columns(of_week),
            self.totals.with_columns(has_begun),
        )
        everywhere = (self.week_starts_on, self.max_hr_bpm, self.goal_s, FORMULA_VERSION, MARKS_VERSION)
        return week_keys(facts, seed="|".join(map(str, everywhere)))


def refresh_weeks(con: duckdb.DuckDBPyConnection, athlete: str, weeks: Weeks, *, rebuild: bool) -> int:
    """Bring the tables with a row a day or week up to date; return how many weeks were computed."""
    keys = weeks.keys()
    stored = frame(
        con, "select week_start, inputs_key from week_keys where athlete = $athlete", athlete=athlete
    )
    since = date.min if rebuild else first_change(stored, keys)
    if since == date.max:
        return 0
    later = keys.filter(pl.col("week_start") >= since)
    replace(con, "week_keys", later, athlete=athlete, since=("week_start", since))
    days = weeks.daily.filter(pl.col("local_date") >= since)
    replace(con, "daily_load", days, athlete=athlete, since=("local_date", since))
    for table, rows in _of_weeks(con, athlete, weeks, since).items():
        wanted = rows.filter(pl.col("week_start") >= since)
        replace(con, table, wanted, athlete=athlete, since=("week_start", since))
    return later.height


def _of_weeks(
    con: duckdb.DuckDBPyConnection, athlete: str, weeks: Weeks, since: date
) -> dict[str, pl.DataFrame]:
    """Compute the tables with rows by week, from `since` on; weeks before it may be among them."""
    begun = weeks.totals.filter(pl.col("week_start") <= weeks.today)
    first = int((begun.get_column("week_start") < since).sum())
    begun = begun[max(0, first - LOOK_BACK_WEEKS) :]
    starts = begun.get_column("week_start")
    seen_from: date = starts[0] if len(starts) else since
    runs = weeks.runs.filter(pl.col("local_date") >= seen_from)
    seen = {"athlete": athlete, "since": seen_from, "today": weeks.today}
    form, efforts, zones = (
        frame(
            con,
            f"select t.*, r.local_date from {table} t join runs r using (activity_id) "
            "where r.athlete = $athlete and r.local_date between $since and $today",
            **seen,
        )
        for table in ("run_form", "best_efforts", "zone_times")
    )
    return {
        "weekly_trends": with_pace_trends(weeks.totals, today=weeks.today, since=since),
        "weekly_zones": weekly_zones(zones, runs, week_starts_on=weeks.week_starts_on),
        "weekly_pace": weekly_pace(begun, runs, max_hr_bpm=weeks.max_hr_bpm),
        "form_trends": form_trends(form, starts),
        "race_equivalents": race_equivalents(efforts, starts, goal_s=weeks.goal_s),
    }
