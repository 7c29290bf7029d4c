"""Everything that is derived from the facts, computed again: metrics, load, weeks, plan."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from functools import partial
from typing import Any

import duckdb
import polars as pl

from analytics.adherence import session_adherence, weekly_adherence
from analytics.adjust import Situation, adjustment, outlook, situation, strength_gap
from analytics.cadence import CadenceHistory, cadence_history, usual_cadence_on
from analytics.calendar import daily_load, weekly_trends
from analytics.form import RUN_FORM, form_by_speed, form_trends, strides_of
from analytics.load import Floats, srpe, with_spikes
from analytics.pace import seconds_of
from analytics.pace_context import weekly_pace, zone_pace
from analytics.pain import Report
from analytics.parameters import values_on
from analytics.plan import plan_vs_actual, upcoming_spikes
from analytics.plan_pace import threshold_of, with_paces
from analytics.race import race_equivalents
from analytics.rules import Rules
from analytics.run_metrics import FORMULA_VERSION, AthleteValues, cross_training_load, metrics_of_run
from analytics.zones import ZONE_TIMES, weekly_zones, zone_times
from flows.cores import on_all_cores
from flows.marks import refresh_marks, store_parameters
from flows.plans import PlanChoice, adjusted, plan_choice, sessions_of
from flows.run_samples import IS_STRENGTH, Sources, others_of, runs_of, samples_of_run, sources_of
from store.database import frame, insert, insert_rows, replace, transaction
from store.home import Home
from store.settings import Athlete, Settings

WEEK_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
OF_STRETCHES = ("zone_times", "run_form")
"""Tables with several rows a run, computed from its samples."""
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

    def key(self, activity: Mapping[str, Any]) -> str:
        """Return what changes when the metrics have to be computed again."""
        day, activity_id = activity["local_date"], activity["activity_id"]
        totals = [activity[name] for name in ("timer_s", "distance_m", "recorded_distance_m", "rpe")]
        cadences = self.cadences.key(day) if activity["is_run"] else ""
        parts = (
            activity_id,
            *totals,
            self.sources.key(activity_id),
            self.values(day),
            cadences,
            FORMULA_VERSION,
        )
        return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


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
        sources = sources_of(con, athlete)
        marks = refresh_marks(con, home, athlete, sources, rebuild=rebuild)
        values = partial(values_on, store_parameters(con, athlete, given, marks), sex=given.sex)
        rests_on = RestsOn(sources=sources, values=values, cadences=cadence_history(marks))
        computed = _refresh_run_metrics(con, home, athlete, rests_on, rebuild=rebuild)
        _link_pain_to_runs(con, athlete)
        runs = _runs_with_metrics(con, athlete, today)
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
        cross = _cross_training(con, home, athlete, rests_on, today=today, rebuild=rebuild)
        strength = _strength(con, athlete, today)
        daily = daily_load(runs, strength, cross, through=today)
        weeks = weekly_trends(
            daily,
            runs,
            sessions,
            pain,
            strength,
            cross,
            today=today,
            week_starts_on=week_starts_on,
        )
        in_zones = _zone_times(con, athlete)
        zones = weekly_zones(in_zones, runs, week_starts_on=week_starts_on)
        replace(con, "weekly_zones", zones, athlete=athlete)
        replace(con, "daily_load", daily, athlete=athlete)
        replace(con, "weekly_trends", weeks, athlete=athlete)
        strength_dates = strength["local_date"].to_list()
        matched = plan_vs_actual(sessions, runs, strength_dates, today=today)
        kept = session_adherence(matched, sessions, runs, in_zones)
        replace(con, "plan_vs_actual", kept, athlete=athlete)
        replace(con, "weekly_adherence", weekly_adherence(kept, sessions, today=today), athlete=athlete)
        ahead = upcoming_spikes(sessions, runs, today=today, rules=rules_of(settings))
        replace(con, "upcoming_spikes", ahead, athlete=athlete)
        now = situation(
            matched, runs, strength_dates, reports_of(con, athlete), today=today, rules=rules_of(settings)
        )
        _refresh_proposal(con, athlete, as_made, sessions, now, rules_of(settings))
        begun = weeks.filter(pl.col("week_start") <= today)
        starts = begun.get_column("week_start")
        of_weeks = {
            "weekly_pace": weekly_pace(begun, runs, max_hr_bpm=values(today).heart_rate.max_bpm),
            "zone_pace": zone_pace(sessions, matched, runs, starts),
            "form_trends": form_trends(_form(con, athlete, today), starts),
            "race_equivalents": race_equivalents(
                _efforts(con, athlete, today), starts, goal_s=choice.goal_s if choice else None
            ),
        }
        paced = _with_paces(sessions, choice, values(today), of_weeks["race_equivalents"])
        replace(con, "plan_sessions", paced, athlete=athlete)
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


def _refresh_run_metrics(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    athlete: str,
    rests_on: RestsOn,
    *,
    rebuild: bool,
) -> int:
    """Compute metrics of new and changed runs, and each run's spike from the history; return how many were computed."""
    runs = runs_of(con, athlete)
    keys = {row["activity_id"]: rests_on.key(row) for row in runs.iter_rows(named=True)}
    kept = _still_valid(con, athlete, {} if rebuild else keys)
    stale = runs.filter(~pl.col("activity_id").is_in(kept["activity_id"].implode()))
    metrics, of_stretches = _compute(home, stale, rests_on, keys)
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
    home: Home, runs: pl.DataFrame, rests_on: RestsOn, keys: Mapping[str, str]
) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """Compute the rows of run_metrics, and those of each of OF_STRETCHES."""
    jobs = [
        (run, rests_on.values(run["local_date"]), usual_cadence_on(rests_on.cadences, run["local_date"]))
        for run in runs.iter_rows(named=True)
    ]
    told = [*on_all_cores(partial(_of_samples, home, rests_on.sources), jobs)]
    metrics = [
        {"activity_id": (key := run["activity_id"]), "inputs_key": keys[key], **numbers}
        for (run, *_), (numbers, *_) in zip(jobs, told, strict=True)
    ]
    return pl.DataFrame(metrics, infer_schema_length=None), {
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


def _runs_with_metrics(con: duckdb.DuckDBPyConnection, athlete: str, today: date) -> pl.DataFrame:
    return frame(
        con,
        "select r.* exclude (gap_s_per_km) replace (coalesce(r.steps, m.cadence_steps) as steps), "
        "m.* exclude (activity_id) from runs r join run_metrics m using (activity_id) "
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
    rests_on: RestsOn,
    *,
    today: date,
    rebuild: bool,
) -> pl.DataFrame:
    """Compute the load of new and changed activities that are no runs, and return that of all: local_date, srpe, hrss."""
    others = others_of(con, athlete)
    keys = {row["activity_id"]: rests_on.key(row) for row in others.iter_rows(named=True)}
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


def _zone_times(con: duckdb.DuckDBPyConnection, athlete: str) -> pl.DataFrame:
    return frame(
        con,
        "select z.* from zone_times z join runs using (activity_id) where athlete = $athlete",
        athlete=athlete,
    )


def _with_paces(
    sessions: pl.DataFrame, choice: PlanChoice | None, values: AthleteValues, equivalents: pl.DataFrame
) -> pl.DataFrame:
    halves = equivalents.get_column("half_riegel_s").tail(1).to_list()
    threshold = threshold_of(
        goal_s=choice.goal_s if choice else None,
        threshold_pace_s_per_km=values.threshold_pace_s_per_km,
        half_s=halves[0] if halves else None,
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
    """Return (runs with their spikes, daily load) up to `today`, as the alerts need them."""
    daily = frame(
        con, "select * from daily_load where athlete = $athlete order by local_date", athlete=athlete
    )
    return _runs_with_metrics(con, athlete, today), daily


def rules_of(settings: Settings) -> Rules:
    """Return the thresholds that the settings name; they bear the same names there."""
    return Rules(**{field.name: getattr(settings.alerts, field.name) for field in fields(Rules)})


def reports_of(con: duckdb.DuckDBPyConnection, athlete: str) -> list[Report]:
    """Return everything the athlete reported of the knees."""
    rows = frame(
        con,
        "select report_id, reported_at, local_date, side, before, during, after_60min, next_morning, flags, changed_gait "
        "from pain_reports where athlete = $athlete",
        athlete=athlete,
    )
    return [Report(**{**row, "flags": tuple(row["flags"])}) for row in rows.iter_rows(named=True)]


def names_of(athletes: Sequence[str], settings: Settings) -> dict[str, str]:
    """Return what to call each athlete in front of people."""
    return {key: settings.athletes.get(key, Athlete()).name or key for key in athletes}
