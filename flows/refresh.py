"""Everything that is derived from the facts, computed again: metrics, load, weeks, plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from functools import cache, partial
from typing import Any

import duckdb
import polars as pl

from analytics.adherence import session_adherence, weekly_adherence
from analytics.adjust import Situation, adjustment, outlook, situation, strength_gap
from analytics.cadence import CadenceHistory, cadence_history, usual_cadence_on
from analytics.calendar import daily_load, weekly_totals
from analytics.form import RUN_FORM, form_by_speed, strides_of
from analytics.load import SPIKES, Floats, srpe, with_spikes
from analytics.pace import seconds_of
from analytics.pace_context import zone_pace
from analytics.parameters import values_over_time
from analytics.plan import plan_vs_actual, upcoming_spikes
from analytics.plan_pace import threshold_of, with_paces
from analytics.questionnaires import Answered, scores
from analytics.rules import Rules
from analytics.run_metrics import FORMULA_VERSION, AthleteValues, cross_training_load, metrics_of_run
from analytics.zones import ZONE_TIMES, zone_times
from flows.cores import on_all_cores
from flows.marks import refresh_marks, store_parameters
from flows.plans import PlanChoice, adjusted, plan_choice, sessions_of
from flows.run_samples import (
    IS_STRENGTH,
    Sources,
    keys_of,
    others_of,
    runs_of,
    samples_of_run,
    sources_of,
)
from flows.weeks import Weeks, refresh_weeks
from report.knee import reports_of
from store.database import frame, insert, insert_rows, replace, scalar, transaction, update
from store.home import Home
from store.settings import Athlete, Settings

WEEK_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
OF_RUNS = "activity_id, r.started_at, r.local_date, r.distance_m, r.timer_s, r.ascent_m, r.descent_m, r.avg_hr_bpm, r.pace_s_per_km"
OF_METRICS = (
    "m.inputs_key, m.hrss, m.rtss, m.srpe, m.knee_load_klu, m.steep_descent_m, m.gap_s_per_km, m.easy_pace_s_per_km, "
    "m.easy_pace_s, m.efficiency_m_per_min_per_bpm, m.temperature_c, "
    "m.spike_ratio, m.spike_bin, m.longest_30d_m, m.longest_30d_activity_id"
)
"""What days, weeks and plan look at of every run."""
OF_SPIKES = (
    "activity_id, r.started_at, r.local_date, r.distance_m, "
    "m.spike_ratio, m.spike_bin, m.longest_30d_m, m.longest_30d_activity_id"
)
"""What alerts look at of every run."""
ValuesOn = Callable[[date], AthleteValues]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestsOn:
    """
    What the metrics of a run rest on beside its own totals.

    Attributes:
        sources: The records it is made of.
        values: The athlete's own values on a day.
        cadences: The cadences of the runs before it.
    """

    sources: Sources
    values: ValuesOn
    cadences: CadenceHistory

    def keys(self, activities: pl.DataFrame) -> dict[str, str]:
        """Return for each activity what changes when its metrics have to be computed again."""
        names = ("timer_s", "distance_m", "recorded_distance_m", "rpe")
        return keys_of(activities, names, map(self._key, *activities["activity_id", "local_date", "is_run"]))

    def _key(self, activity_id: str, day: date, is_run: bool) -> tuple[str, ...]:
        cadences = self.cadences.key(day) if is_run else ""
        return FORMULA_VERSION, self.sources.key(activity_id), _words(self.values(day)), cadences


@cache
def _words(values: AthleteValues) -> str:
    return str(values)


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
    given = settings.athletes.get(athlete, Athlete())
    with transaction(con):
        sources, those_of_runs, others = (
            sources_of(con, athlete),
            runs_of(con, athlete),
            others_of(con, athlete),
        )
        activities = pl.concat([those_of_runs, others])
        marks = refresh_marks(con, home, athlete, activities, sources, rebuild=rebuild)
        values = values_over_time(store_parameters(con, athlete, given, marks), sex=given.sex)
        rests_on = RestsOn(sources=sources, values=values, cadences=cadence_history(marks))
        computed = _refresh_run_metrics(con, home, athlete, those_of_runs, rests_on, rebuild=rebuild)
        _link_pain_to_runs(con, athlete)
        replace(con, "questionnaire_scores", scores(_answered(con, athlete, today)), athlete=athlete)
        runs = _runs_with_metrics(
            con,
            f"{OF_RUNS}, coalesce(r.steps, m.cadence_steps) as steps, {OF_METRICS}",
            athlete=athlete,
            today=today,
        )
        pain = frame(
            con,
            "select * from pain_reports where athlete = $athlete and local_date <= $today",
            athlete=athlete,
            today=today,
        )
        week_starts_on = WEEK_DAYS.index(given.week_start)
        choice = plan_choice(con, settings, athlete, today=today)
        as_made = sessions_of(con, athlete, choice)
        sessions = adjusted(con, athlete, choice, as_made, today=today)
        cross = _cross_training(con, home, athlete, others, rests_on, today=today, rebuild=rebuild)
        strength = _strength(con, athlete, today)
        daily = daily_load(runs, strength, cross, through=today)
        totals = weekly_totals(
            daily,
            runs,
            sessions,
            pain,
            strength,
            cross,
            today=today,
            week_starts_on=week_starts_on,
        )
        strength_dates = strength["local_date"].to_list()
        matched = plan_vs_actual(sessions, runs, strength_dates, today=today)
        kept = session_adherence(matched, sessions, runs, _zone_times(con, athlete, sessions))
        replace(con, "plan_vs_actual", kept, athlete=athlete)
        replace(con, "weekly_adherence", weekly_adherence(kept, sessions, today=today), athlete=athlete)
        rules = rules_of(settings)
        ahead = upcoming_spikes(sessions, runs, today=today, rules=rules)
        replace(con, "upcoming_spikes", ahead, athlete=athlete)
        now = situation(matched, runs, strength_dates, reports_of(con, athlete), today=today, rules=rules)
        _refresh_proposal(con, athlete, as_made, sessions, now, rules)
        starts = totals.get_column("week_start")
        paces = zone_pace(sessions, matched, runs, starts.filter(starts <= today))
        replace(con, "zone_pace", paces, athlete=athlete)
        weeks = Weeks(
            runs=runs,
            daily=daily,
            totals=totals,
            today=today,
            week_starts_on=week_starts_on,
            max_hr_bpm=values(today).heart_rate.max_bpm,
            goal_s=choice.goal_s if choice else None,
        )
        weeks_computed = refresh_weeks(con, athlete, weeks, rebuild=rebuild)
        replace(
            con, "plan_sessions", _with_paces(con, athlete, sessions, choice, values(today)), athlete=athlete
        )
    return {
        "runs": runs.height,
        "metrics_computed": computed,
        "days": daily.height,
        "weeks": totals.height,
        "weeks_computed": weeks_computed,
    }


def athletes_of(con: duckdb.DuckDBPyConnection, settings: Settings) -> list[str]:
    """Return everybody there is something to say about: those in the settings and those with data."""
    rows = con.execute(
        "select athlete from activities union select athlete from pain_reports "
        "union select athlete from strength_sessions union select athlete from questionnaires union select athlete from exports"
    ).fetchall()
    return sorted({*settings.athletes, *(str(row[0]) for row in rows)})


def _refresh_run_metrics(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    athlete: str,
    runs: pl.DataFrame,
    rests_on: RestsOn,
    *,
    rebuild: bool,
) -> int:
    """Compute metrics of new and changed runs, and each run's spike from the history; return how many were computed."""
    keys = rests_on.keys(runs)
    stored = frame(
        con,
        f"select m.inputs_key, {', '.join(f'm.{name}' for name in SPIKES)} "
        "from run_metrics m join activities a using (activity_id) "
        "where a.athlete = $athlete",
        athlete=athlete,
    )
    is_valid = [not rebuild and keys.get(activity_id) == key for key, activity_id, *_ in stored.iter_rows()]
    kept, gone = stored.filter(is_valid), stored.filter([not one for one in is_valid])
    stale = runs.join(kept, on="activity_id", how="anti", maintain_order="left")
    metrics, of_stretches = _compute(home, stale, rests_on, keys)
    spikes = with_spikes(runs.select("activity_id", "started_at", "distance_m"))
    tables = of_stretches | {
        "run_metrics": metrics.join(spikes, on="activity_id") if len(metrics) else metrics
    }
    for table, rows in tables.items():
        con.execute(
            f"delete from {table} where list_contains(?, activity_id)", [gone["activity_id"].to_list()]
        )
        insert(con, table, rows)
    same = kept.select(spikes.columns)
    update(
        con,
        "run_metrics",
        spikes.join(same, on="activity_id", how="semi").join(
            same, on=spikes.columns, how="anti", nulls_equal=True
        ),
        key="activity_id",
    )
    con.execute(
        "update activities set gap_s_per_km = m.gap_s_per_km from run_metrics m "
        "where activities.activity_id = m.activity_id and activities.gap_s_per_km is distinct from m.gap_s_per_km"
    )
    return stale.height


def _compute(
    home: Home, runs: pl.DataFrame, rests_on: RestsOn, keys: Mapping[str, str]
) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """Compute the rows of run_metrics, and those of the tables with several rows a run."""
    jobs = [
        (run, rests_on.values(run["local_date"]), usual_cadence_on(rests_on.cadences, run["local_date"]))
        for run in runs.iter_rows(named=True)
    ]
    told = [*on_all_cores(partial(_of_samples, home, rests_on.sources), jobs)]
    metrics = [
        {"activity_id": (key := run["activity_id"]), "inputs_key": keys[key], **numbers}
        for (run, *_), (numbers, *_) in zip(jobs, told, strict=True)
    ]
    told_metrics = pl.DataFrame(metrics, infer_schema_length=None)
    return told_metrics.cast({pl.Null: pl.Float64}), {
        "zone_times": pl.concat([ZONE_TIMES.to_frame(), *(zones for _, zones, _ in told)], how="diagonal"),
        "run_form": pl.concat([RUN_FORM.to_frame(), *(form for *_, form in told)], how="diagonal"),
    }


def _of_samples(
    home: Home, sources: Sources, job: tuple[Mapping[str, Any], AthleteValues, Floats | None]
) -> tuple[dict[str, float | None], pl.DataFrame, pl.DataFrame]:
    """Return what is computed from the samples of a run: its metrics, zone times and form by speed."""
    run, values, usual_cadence_spm = job
    samples = samples_of_run(home, run, sources)
    seconds = seconds_of(samples)
    strides = strides_of(samples, seconds)
    metrics = metrics_of_run(
        samples,
        seconds,
        strides,
        timer_s=run["timer_s"],
        distance_m=run["distance_m"],
        rpe=run["rpe"],
        values=values,
        usual_cadence_spm=usual_cadence_spm,
    )
    activity_id = pl.lit(run["activity_id"]).alias("activity_id")
    zones, form = zone_times(samples, seconds, values=values), form_by_speed(strides)
    return metrics, zones.with_columns(activity_id), form.with_columns(activity_id)


def _runs_with_metrics(
    con: duckdb.DuckDBPyConnection, columns: str, *, athlete: str, today: date
) -> pl.DataFrame:
    return frame(
        con,
        f"select {columns} from runs r join run_metrics m using (activity_id) "
        "where r.athlete = $athlete and r.local_date <= $today order by r.started_at",
        athlete=athlete,
        today=today,
    )


def _planned_beside(
    con: duckdb.DuckDBPyConnection, athlete: str, daily: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (activity_id, planned_distance_m of the session that a run was) and (local_date, planned_7d_m up to it)."""
    planned = frame(
        con,
        "select local_date, activity_id, planned_distance_m from plan_vs_actual "
        "where athlete = $athlete and planned_distance_m is not null",
        athlete=athlete,
    )
    of_runs = (
        planned.drop_nulls("activity_id").group_by("activity_id").agg(pl.col("planned_distance_m").max())
    )
    by_day = planned.group_by("local_date").agg(pl.col("planned_distance_m").sum())
    of_days = daily.select("local_date").join(by_day, on="local_date", how="left", maintain_order="left")
    week = pl.col("planned_distance_m").fill_null(0.0).rolling_sum(7, min_samples=1)
    return of_runs, of_days.select("local_date", planned_7d_m=week)


def _strength(con: duckdb.DuckDBPyConnection, athlete: str, today: date) -> pl.DataFrame:
    """
    Return the days of strength sessions with their session-RPE; null where nobody said how long or how hard.

    Of a session that a watch recorded as well only the record counts, or it would count twice.
    """
    diary = frame(
        con,
        "select s.local_date, s.rpe, s.duration_s, exists ("
        "from cross_training c join activities a using (activity_id) where a.athlete = s.athlete "
        f"and a.local_date = s.local_date and {IS_STRENGTH} and c.srpe is not null) as is_recorded "
        "from strength_sessions s where s.athlete = $athlete and s.local_date <= $today",
        athlete=athlete,
        today=today,
    )
    loads = [
        None if is_recorded else srpe(rpe, duration_s)
        for rpe, duration_s, is_recorded in diary.select("rpe", "duration_s", "is_recorded").iter_rows()
    ]
    return diary.select("local_date", pl.Series("srpe", loads, pl.Float64))


def _cross_training(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    athlete: str,
    others: pl.DataFrame,
    rests_on: RestsOn,
    *,
    today: date,
    rebuild: bool,
) -> pl.DataFrame:
    """Compute the load of new and changed activities that are no runs, and return that of all: local_date, srpe, hrss."""
    keys = rests_on.keys(others)
    stored = con.execute("select activity_id, inputs_key from cross_training").fetchall()
    known = set() if rebuild else {activity_id for activity_id, key in stored if keys.get(activity_id) == key}
    stale = [row for row in others.iter_rows(named=True) if row["activity_id"] not in known]
    gone = "activity_id in (select activity_id from activities where athlete = ?) and not list_contains(?, activity_id)"
    con.execute(f"delete from cross_training where {gone}", [athlete, list(known)])
    loads = [
        {
            "activity_id": row["activity_id"],
            **cross_training_load(
                samples_of_run(home, row, Sources()),
                timer_s=row["timer_s"],
                rpe=row["rpe"],
                values=rests_on.values(row["local_date"]),
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


def _answered(con: duckdb.DuckDBPyConnection, athlete: str, today: date) -> list[Answered]:
    """Return the questionnaires up to `today`, in the order in which they were taken down."""
    rows = frame(
        con,
        "select questionnaire_id, side, kind, local_date, answers from questionnaires "
        "where athlete = $athlete and local_date <= $today order by answered_at, questionnaire_id",
        athlete=athlete,
        today=today,
    )
    return [Answered(**{**row, "answers": json.loads(row["answers"])}) for row in rows.iter_rows(named=True)]


def _zone_times(con: duckdb.DuckDBPyConnection, athlete: str, sessions: pl.DataFrame) -> pl.DataFrame:
    """Return the times in zones of the runs in the time of the plan."""
    return frame(
        con,
        "select z.* from zone_times z join runs r using (activity_id) "
        "where r.athlete = $athlete and r.local_date >= $since",
        athlete=athlete,
        since=sessions["local_date"].min(),
    )


def _with_paces(
    con: duckdb.DuckDBPyConnection,
    athlete: str,
    sessions: pl.DataFrame,
    choice: PlanChoice | None,
    values: AthleteValues,
) -> pl.DataFrame:
    half_s = scalar(
        con,
        "select half_riegel_s from race_equivalents where athlete = $athlete order by week_start desc limit 1",
        athlete=athlete,
    )
    threshold = threshold_of(
        goal_s=choice.goal_s if choice else None,
        threshold_pace_s_per_km=values.threshold_pace_s_per_km,
        half_s=half_s,
    )
    return with_paces(sessions, threshold)


def _refresh_proposal(
    con: duckdb.DuckDBPyConnection,
    athlete: str,
    as_made: pl.DataFrame,
    sessions: pl.DataFrame,
    now: Situation,
    rules: Rules,
) -> None:
    replace(con, "plan_proposal", adjustment(as_made, sessions, now, rules=rules), athlete=athlete)
    con.execute("delete from plan_outlook where athlete = ?", [athlete])
    if sessions.is_empty():
        return
    row = {
        "athlete": athlete,
        "pain_level": now.level,
        "missed_runs": now.missed_runs,
        **asdict(strength_gap(now)),
        **asdict(outlook(as_made, now, rules=rules)),
    }
    insert_rows(con, "plan_outlook", [row])


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


def runs_and_days(
    con: duckdb.DuckDBPyConnection, athlete: str, today: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (runs with their spikes and what was planned, daily load) up to `today`, as the alerts need them."""
    daily = frame(
        con,
        "select local_date, distance_m, steep_descent_m, acwr_uncoupled from daily_load "
        "where athlete = $athlete order by local_date",
        athlete=athlete,
    )
    runs = _runs_with_metrics(con, OF_SPIKES, athlete=athlete, today=today)
    of_runs, of_days = _planned_beside(con, athlete, daily)
    runs = runs.join(of_runs, on="activity_id", how="left", maintain_order="left")
    return runs.join(of_days, on="local_date", how="left", maintain_order="left"), daily


def rules_of(settings: Settings) -> Rules:
    """Return the thresholds that the settings name; they bear the same names there."""
    return Rules(**{field.name: getattr(settings.alerts, field.name) for field in fields(Rules)})


def names_of(athletes: Sequence[str], settings: Settings) -> dict[str, str]:
    """Return what to call each athlete in front of people."""
    known = settings.athletes
    return {key: (known[key].name if key in known else None) or key for key in athletes}
