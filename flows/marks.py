"""What activities say about their athlete, and the athlete's values that follow from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import duckdb
import polars as pl

from analytics.cadence import cadence_by_speed
from analytics.pace import BEST_EFFORTS, Seconds, best_efforts, seconds_of
from analytics.parameters import (
    MARKS_VERSION,
    Parameter,
    ParameterName,
    heart_rate_marks,
    hour_pace_s_per_km,
    parameters_of,
)
from flows.cores import on_all_cores
from flows.run_samples import Sources, keys_of, samples_of_run
from store.database import frame, insert, replace
from store.home import Home
from store.settings import Athlete

MARKS: dict[str, pl.DataType] = {
    "activity_id": pl.String(),
    "peak_hr_bpm": pl.Float64(),
    "lowest_hr_bpm": pl.Float64(),
    "hour_hr_bpm": pl.Float64(),
    "hour_pace_s_per_km": pl.Float64(),
    "cadence_by_speed_spm": pl.List(pl.Float64),
    "time_by_speed_s": pl.List(pl.Float64),
    "inputs_key": pl.String(),
}
PARAMETERS = pl.Schema(
    {
        "parameter": pl.String,
        "valid_from": pl.Date,
        "value": pl.Float64,
        "is_estimated": pl.Boolean,
        "evidence": pl.String,
    }
)


def refresh_marks(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    athlete: str,
    activities: pl.DataFrame,
    sources: Sources,
    *,
    rebuild: bool,
) -> pl.DataFrame:
    """
    Compute the marks and best efforts of new and changed activities.

    Return the marks of all: activity_marks with local_date and is_run. `activities` are those that count: FACTS.
    """
    made_of = ((MARKS_VERSION, sources.key(activity_id)) for activity_id in activities["activity_id"])
    keys = keys_of(activities, ("is_run", "distance_m", "recorded_distance_m"), made_of)
    stored = con.execute(
        "select activity_id, m.inputs_key from activity_marks m join activities using (activity_id) where athlete = ?",
        [athlete],
    ).fetchall()
    known = set() if rebuild else {activity_id for activity_id, key in stored if keys.get(activity_id) == key}
    gone = [activity_id for activity_id, _ in stored if activity_id not in known]
    fresh = activities.filter(~pl.col("activity_id").is_in(list(known))).rows(named=True)
    told = [*on_all_cores(partial(_told, home, sources), fresh)]
    marks = [
        {**one, "inputs_key": keys[row["activity_id"]]} for row, (one, _) in zip(fresh, told, strict=True)
    ]
    efforts = [BEST_EFFORTS.to_frame(), *(some for _, some in told)]
    # A store of an early schema has best efforts and no marks yet: what is computed again goes, too.
    replaced = [*{*gone, *(row["activity_id"] for row in fresh)}]
    for table, rows in (
        ("activity_marks", pl.DataFrame(marks, schema=MARKS)),
        ("best_efforts", pl.concat(efforts, how="diagonal")),
    ):
        con.execute(f"delete from {table} where list_contains(?, activity_id)", [replaced])
        insert(con, table, rows)
    return frame(
        con,
        "select m.*, a.local_date, a.is_run from activity_marks m join activities a using (activity_id) "
        "where a.athlete = $athlete",
        athlete=athlete,
    )


def store_parameters(
    con: duckdb.DuckDBPyConnection, athlete: str, given: Athlete, marks: pl.DataFrame
) -> list[Parameter]:
    """Put together the athlete's values, store them, and return them."""
    parameters = parameters_of(marks, given_parameters(given), birth_year=given.birth_year)
    rows = [
        {
            "parameter": one.name,
            "valid_from": one.valid_from,
            "value": one.value,
            "is_estimated": one.is_estimated,
            "evidence": json.dumps(one.evidence),
        }
        for one in parameters
    ]
    replace(con, "athlete_parameters", pl.DataFrame(rows, schema=PARAMETERS), athlete=athlete)
    return parameters


def given_parameters(athlete: Athlete) -> list[Parameter]:
    """Return what the settings say of an athlete."""
    return [
        Parameter(
            name=cast(ParameterName, name),
            value=value,
            valid_from=day,
            evidence={"method": "set in kneewatch.toml"},
        )
        for name, value, day in athlete.values_given()
    ]


def _told(
    home: Home, sources: Sources, activity: Mapping[str, Any]
) -> tuple[dict[str, object], pl.DataFrame]:
    """Return the marks of an activity, and the best efforts of a run."""
    activity_id = activity["activity_id"]
    samples = samples_of_run(home, activity, sources)
    marks: dict[str, object] = {"activity_id": activity_id, **heart_rate_marks(samples)}
    if not activity["is_run"]:
        return marks, BEST_EFFORTS.to_frame()
    efforts = best_efforts(samples)
    cadences_spm, times_s = _cadences(seconds_of(samples))
    marks |= {
        "hour_pace_s_per_km": hour_pace_s_per_km(efforts),
        "cadence_by_speed_spm": cadences_spm,
        "time_by_speed_s": times_s,
    }
    return marks, efforts.with_columns(activity_id=pl.lit(activity_id))


def _cadences(seconds: Seconds | None) -> tuple[list[float], list[float]] | tuple[None, None]:
    if seconds is None:
        return None, None
    cadences_spm, times_s = cadence_by_speed(seconds)
    return (cadences_spm.tolist(), times_s.tolist()) if times_s.any() else (None, None)
