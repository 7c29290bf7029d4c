"""What activities say about their athlete, and the athlete's values that follow from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

import duckdb
import polars as pl

from analytics.pace import best_efforts
from analytics.parameters import (
    MARKS_VERSION,
    Parameter,
    ParameterName,
    heart_rate_marks,
    hour_pace_s_per_km,
    parameters_of,
)
from flows.run_samples import Sources, others_of, runs_of, samples_of_run
from store.database import frame, insert, replace
from store.home import Home
from store.settings import Athlete

MARKS = pl.Schema(
    {
        "activity_id": pl.String,
        **dict.fromkeys(("peak_hr_bpm", "lowest_hr_bpm", "hour_hr_bpm", "hour_pace_s_per_km"), pl.Float64),
        "inputs_key": pl.String,
    }
)
PARAMETERS = pl.Schema(
    {
        "parameter": pl.String,
        "valid_from": pl.Date,
        "value": pl.Float64,
        "is_estimated": pl.Boolean,
        "evidence": pl.String,
    }
)


def refresh_parameters(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    athlete: str,
    given: Athlete,
    sources: Sources,
    *,
    rebuild: bool,
) -> list[Parameter]:
    """Compute the marks of new and changed activities, store the athlete's values, and return them."""
    _refresh_marks(con, home, athlete, sources, rebuild=rebuild)
    marks = frame(
        con,
        "select m.*, a.local_date, a.is_run from activity_marks m join activities a using (activity_id) "
        "where a.athlete = $athlete",
        athlete=athlete,
    )
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


def _refresh_marks(
    con: duckdb.DuckDBPyConnection, home: Home, athlete: str, sources: Sources, *, rebuild: bool
) -> None:
    counting = [
        row for some in (runs_of(con, athlete), others_of(con, athlete)) for row in some.iter_rows(named=True)
    ]
    keys = {row["activity_id"]: _inputs_key(row, sources) for row in counting}
    stored = con.execute(
        "select activity_id, m.inputs_key from activity_marks m join activities using (activity_id) where athlete = ?",
        [athlete],
    ).fetchall()
    known = set() if rebuild else {activity_id for activity_id, key in stored if keys.get(activity_id) == key}
    con.execute(
        "delete from activity_marks where list_contains(?, activity_id)",
        [[activity_id for activity_id, _ in stored if activity_id not in known]],
    )
    fresh = [
        {
            "activity_id": row["activity_id"],
            **_marks(home, row, sources),
            "inputs_key": keys[row["activity_id"]],
        }
        for row in counting
        if row["activity_id"] not in known
    ]
    insert(con, "activity_marks", pl.DataFrame(fresh, schema=MARKS))


def _marks(home: Home, activity: Mapping[str, Any], sources: Sources) -> dict[str, float | None]:
    samples = samples_of_run(home, activity, sources)
    pace = hour_pace_s_per_km(best_efforts(samples)) if activity["is_run"] else None
    return heart_rate_marks(samples) | {"hour_pace_s_per_km": pace}


def _inputs_key(activity: Mapping[str, Any], sources: Sources) -> str:
    made_of = sources.key(activity["activity_id"])
    parts = (
        activity["activity_id"],
        activity["distance_m"],
        activity["recorded_distance_m"],
        made_of,
        MARKS_VERSION,
    )
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()
