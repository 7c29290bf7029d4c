"""Everything that is derived from the facts, computed again: metrics, load, weeks, plan."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import duckdb
import polars as pl

from analytics.calendar import daily_load, weekly_trends
from analytics.form import RUN_FORM, form_by_speed, form_trends
from analytics.load import HeartRateProfile, with_spikes
from analytics.pace import BEST_EFFORTS, best_efforts
from analytics.pace_context import weekly_pace, zone_pace
from analytics.plan import dated, plan_vs_actual, upcoming_spikes
from analytics.race import race_equivalents
from analytics.run_metrics import FORMULA_VERSION, AthleteValues, cross_training_load, metrics_of_run
from flows.run_samples import Sources, samples_of_run, sources_of
from ingest.plans import read_plan
from store.database import frame, insert, insert_rows, replace, transaction
from store.home import Home
from store.settings import Athlete, Settings

WEEK_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
OF_STRETCHES = ("best_efforts", "run_form")
"""Tables with several rows a run, computed from its samples."""


def refresh_athlete(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    settings: Settings,
    athlete: str,
    *,
    today: date,
    rebuild: bool,
) -> dict[str, int]:
    """
    Bring the derived tables of one athlete up to date and return what was done, in numbers.

    Metrics of a run are computed again only when what they rest on changed; everything else always is.
    What lies after `today` does not count, so that a past day can be replayed.
    """
    values = values_of(settings.athletes.get(athlete, Athlete()))
    with transaction(con):
        computed = _refresh_run_metrics(con, home, athlete, values, rebuild=rebuild)
        _link_pain_to_runs(con, athlete)
        runs = _runs_with_metrics(con, athlete, today)
        strength = _strength(con, athlete, today)
        pain = frame(
            con,
            "select * from pain_reports where athlete = $athlete and local_date <= $today",
            athlete=athlete,
            today=today,
        )
        sessions = _plan_sessions(con, settings, athlete)
        cross = _cross_training(con, home, athlete, values, today=today, rebuild=rebuild)
        daily = daily_load(runs, strength, cross, through=today)
        weeks = weekly_trends(
            daily,
            runs,
            sessions,
            pain,
            strength,
            cross,
            today=today,
            week_starts_on=_week_start(settings, athlete),
        )
        replace(con, "plan_sessions", sessions, athlete=athlete)
        replace(con, "daily_load", daily, athlete=athlete)
        replace(con, "weekly_trends", weeks, athlete=athlete)
        matched = plan_vs_actual(sessions, runs, strength["local_date"].to_list(), today=today)
        replace(con, "plan_vs_actual", matched, athlete=athlete)
        replace(con, "upcoming_spikes", upcoming_spikes(sessions, runs, today=today), athlete=athlete)
        begun = weeks.filter(pl.col("week_start") <= today)
        starts = begun.get_column("week_start")
        of_weeks = {
            "weekly_pace": weekly_pace(begun, runs, max_hr_bpm=values.heart_rate.max_bpm),
            "zone_pace": zone_pace(sessions, matched, runs, starts),
            "form_trends": form_trends(_form(con, athlete, today), starts),
            "race_equivalents": race_equivalents(
                _efforts(con, athlete, today), starts, goal_s=_goal_s(settings, athlete)
            ),
        }
        for table, rows in of_weeks.items():
            replace(con, table, rows, athlete=athlete)
    return {"runs": runs.height, "metrics_computed": computed, "days": daily.height, "weeks": weeks.height}


def athletes_of(con: duckdb.DuckDBPyConnection, settings: Settings) -> list[str]:
    """Return everybody there is something to say about: those in the settings and those with data."""
    rows = con.execute(
        "select athlete from activities union select athlete from pain_reports "
        "union select athlete from strength_sessions union select athlete from exports"
    ).fetchall()
    return sorted({*settings.athletes, *(str(row[0]) for row in rows)})


def values_of(athlete: Athlete) -> AthleteValues:
    """Return the athlete's own values for analytics; what is not set is unknown."""
    return AthleteValues(
        heart_rate=HeartRateProfile(
            sex=athlete.sex,
            resting_bpm=athlete.resting_hr_bpm,
            max_bpm=athlete.max_hr_bpm,
            threshold_bpm=athlete.threshold_hr_bpm,
        ),
        threshold_pace_s_per_km=athlete.threshold_pace_s_per_km,
    )


def plan_choice(con: duckdb.DuckDBPyConnection, settings: Settings, athlete: str) -> tuple[str, date] | None:
    """Return (plan, race date): what `kneewatch plan use` chose last, else what the settings say."""
    rows = con.execute(
        "select plan, race_date from plan_choices where athlete = ? order by chosen_at desc limit 1",
        [athlete],
    ).fetchall()
    if rows:
        return str(rows[0][0]), rows[0][1]
    plan = settings.athletes[athlete].plan if athlete in settings.athletes else None
    return (plan.name, plan.race_date) if plan else None


def choose_plan(
    con: duckdb.DuckDBPyConnection, *, athlete: str, plan: str, race_date: date, now: datetime
) -> None:
    """Remember a choice of plan; the last one counts."""
    with transaction(con):
        con.execute("insert into plan_choices values (?, ?, ?, ?)", [athlete, plan, race_date, now])


def _refresh_run_metrics(
    con: duckdb.DuckDBPyConnection, home: Home, athlete: str, values: AthleteValues, *, rebuild: bool
) -> int:
    """Compute metrics of new and changed runs, and each run's spike from the history; return how many were computed."""
    runs = frame(con, "select * from runs where athlete = $athlete order by started_at", athlete=athlete)
    sources = sources_of(con, athlete)
    keys = {row["activity_id"]: _inputs_key(row, values, sources) for row in runs.iter_rows(named=True)}
    kept = _still_valid(con, athlete, {} if rebuild else keys)
    stale = runs.filter(~pl.col("activity_id").is_in(kept["activity_id"].implode()))
    metrics, of_stretches = _compute(home, stale.iter_rows(named=True), values, sources, keys)
    derived = pl.concat([kept, metrics], how="diagonal_relaxed") if metrics.height else kept
    spikes = with_spikes(runs.select("activity_id", "started_at", "distance_m"))
    rows = derived.drop([c for c in spikes.columns if c != "activity_id" and c in derived.columns]).join(
        spikes, on="activity_id", how="inner"
    )
    of_athlete = "activity_id in (select activity_id from activities where athlete = ?)"
    con.execute(f"delete from run_metrics where {of_athlete}", [athlete])
    insert(con, "run_metrics", rows)
    gone = [*stale["activity_id"], *_without_run(con, athlete)]
    for table in OF_STRETCHES:
        con.execute(f"delete from {table} where list_contains(?, activity_id)", [gone])
        insert(con, table, of_stretches[table])
    con.execute(
        "update activities set gap_s_per_km = m.gap_s_per_km from run_metrics m "
        "where activities.activity_id = m.activity_id and activities.gap_s_per_km is distinct from m.gap_s_per_km"
    )
    return stale.height


def _still_valid(con: duckdb.DuckDBPyConnection, athlete: str, keys: Mapping[str, str]) -> pl.DataFrame:
    stored = frame(
        con,
        "select m.* from run_metrics m join activities a using (activity_id) where a.athlete = $athlete",
        athlete=athlete,
    )
    return stored.filter(pl.col("inputs_key").is_in(list(keys.values())))


def _without_run(con: duckdb.DuckDBPyConnection, athlete: str) -> list[str]:
    """Return the activities that do not, or no longer, count as runs."""
    rows = con.execute(
        "select activity_id from activities where athlete = ? and activity_id not in (select activity_id from runs)",
        [athlete],
    ).fetchall()
    return [str(row[0]) for row in rows]


def _compute(
    home: Home,
    runs: Iterable[dict[str, Any]],
    values: AthleteValues,
    sources: Sources,
    keys: Mapping[str, str],
) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """Compute the rows of run_metrics, and those of each of OF_STRETCHES."""
    metrics: list[dict[str, object]] = []
    efforts, form = [BEST_EFFORTS.to_frame()], [RUN_FORM.to_frame()]
    for run in runs:
        activity_id = run["activity_id"]
        samples = samples_of_run(home, run, sources)
        told = metrics_of_run(
            samples, timer_s=run["timer_s"], distance_m=run["distance_m"], rpe=run["rpe"], values=values
        )
        metrics.append({"activity_id": activity_id, "inputs_key": keys[activity_id], **told})
        for found, rows in ((efforts, best_efforts(samples)), (form, form_by_speed(samples))):
            found.append(rows.with_columns(activity_id=pl.lit(activity_id)))
    frames = {"best_efforts": efforts, "run_form": form}
    return pl.DataFrame(metrics, infer_schema_length=None), {
        table: pl.concat(rows, how="diagonal") for table, rows in frames.items()
    }


def _inputs_key(run: Mapping[str, Any], values: AthleteValues, sources: Sources) -> str:
    made_of = sources.key(run["activity_id"])
    totals = (run["timer_s"], run["distance_m"], run["recorded_distance_m"], run["rpe"])
    parts = (run["activity_id"], *totals, made_of, values, FORMULA_VERSION)
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


def _runs_with_metrics(con: duckdb.DuckDBPyConnection, athlete: str, today: date) -> pl.DataFrame:
    return frame(
        con,
        "select r.* exclude (gap_s_per_km), m.* exclude (activity_id) from runs r join run_metrics m using (activity_id) "
        "where r.athlete = $athlete and r.local_date <= $today order by r.started_at",
        athlete=athlete,
        today=today,
    )


def _efforts(con: duckdb.DuckDBPyConnection, athlete: str, today: date) -> pl.DataFrame:
    return frame(
        con,
        "select activity_id, r.local_date, b.distance_m, b.time_s from best_efforts b join runs r using (activity_id) "
        "where r.athlete = $athlete and r.local_date <= $today",
        athlete=athlete,
        today=today,
    )


def _form(con: duckdb.DuckDBPyConnection, athlete: str, today: date) -> pl.DataFrame:
    return frame(
        con,
        "select f.*, r.local_date from run_form f join runs r using (activity_id) "
        "where r.athlete = $athlete and r.local_date <= $today",
        athlete=athlete,
        today=today,
    )


def _strength(con: duckdb.DuckDBPyConnection, athlete: str, today: date) -> pl.DataFrame:
    """Return the days of strength sessions; their session-RPE is unknown, because nobody logs how long they took."""
    return frame(
        con,
        "select local_date, null::double as srpe from strength_sessions "
        "where athlete = $athlete and local_date <= $today",
        athlete=athlete,
        today=today,
    )


def _cross_training(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    athlete: str,
    values: AthleteValues,
    *,
    today: date,
    rebuild: bool,
) -> pl.DataFrame:
    """Compute the load of new and changed activities that are no runs, and return that of all: local_date, srpe, hrss."""
    others = frame(
        con,
        "select * from activities where athlete = $athlete and not is_run and duplicate_of is null "
        "and part_of is null and not is_excluded and sport <> 'transition' order by started_at",
        athlete=athlete,
    )
    keys = {row["activity_id"]: _inputs_key(row, values, Sources()) for row in others.iter_rows(named=True)}
    stored = con.execute("select activity_id, inputs_key from cross_training").fetchall()
    known = set() if rebuild else {activity_id for activity_id, key in stored if keys.get(activity_id) == key}
    stale = [row for row in others.iter_rows(named=True) if row["activity_id"] not in known]
    gone = "activity_id in (select activity_id from activities where athlete = ?) and not list_contains(?, activity_id)"
    con.execute(f"delete from cross_training where {gone}", [athlete, list(known)])
    loads = [
        {
            "activity_id": row["activity_id"],
            **cross_training_load(
                samples_of_run(home, row, Sources()), timer_s=row["timer_s"], rpe=row["rpe"], values=values
            ),
            "inputs_key": keys[row["activity_id"]],
        }
        for row in stale
    ]
    insert_rows(con, "cross_training", loads)
    return frame(
        con,
        "select a.local_date, c.srpe, c.hrss from cross_training c join activities a using (activity_id) "
        "where a.athlete = $athlete and a.local_date <= $today",
        athlete=athlete,
        today=today,
    )


def _plan_sessions(con: duckdb.DuckDBPyConnection, settings: Settings, athlete: str) -> pl.DataFrame:
    choice = plan_choice(con, settings, athlete)
    if choice is None:
        return frame(con, "select * exclude (athlete) from plan_sessions limit 0")
    name, race_date = choice
    return dated(read_plan(name), name=name, race_date=race_date)


def _link_pain_to_runs(con: duckdb.DuckDBPyConnection, athlete: str) -> None:
    """Point each report to the last run of its day that had started by then."""
    con.execute(
        """
        update pain_reports
        set activity_id = (
            select arg_max(r.activity_id, r.started_at)
            from runs r
            where r.athlete = pain_reports.athlete
              and r.local_date = pain_reports.local_date
              and r.started_at <= pain_reports.reported_at
        )
        where athlete = ?
        """,
        [athlete],
    )


def _goal_s(settings: Settings, athlete: str) -> float | None:
    plan = settings.athletes.get(athlete, Athlete()).plan
    return plan.goal_s if plan else None


def _week_start(settings: Settings, athlete: str) -> int:
    chosen = settings.athletes.get(athlete, Athlete()).week_start
    return WEEK_DAYS.index(chosen)


def runs_and_days(
    con: duckdb.DuckDBPyConnection, athlete: str, today: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (runs with their spikes, daily load) up to `today`, as the alerts need them."""
    daily = frame(
        con, "select * from daily_load where athlete = $athlete order by local_date", athlete=athlete
    )
    return _runs_with_metrics(con, athlete, today), daily


def names_of(athletes: Sequence[str], settings: Settings) -> dict[str, str]:
    """Return what to call each athlete in front of people."""
    return {key: settings.athletes.get(key, Athlete()).name or key for key in athletes}
