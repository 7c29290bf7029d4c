"""Which records count: what people have decided, and which records are the same session."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta

import duckdb
import numpy as np
import polars as pl

from ingest.duplicates import CHOSEN, NO_OUTLINE, Candidate, Outline, Verdict, find_duplicates
from store.database import frame, insert_rows, scalar

NEIGHBOURS = timedelta(days=2)
FORMAT_RANK = {"fit": 3, "tcx": 2, "polar": 2, "gpx": 1}


def settle(con: duckdb.DuckDBPyConnection, athlete: str, *, days: Collection[date] | None = None) -> None:
    """
    Bring what counts up to date: decisions first, then which record doubles which.

    Args:
        con: Inside a transaction.
        days: Days with something new; only what lies around them is judged. None judges everything.
    """
    apply_decisions(con, athlete)
    _point_to_canonical(con, athlete, days)


def decide(
    con: duckdb.DuckDBPyConnection,
    *,
    athlete: str,
    kind: str,
    activity_id: str,
    now: datetime,
    other_id: str | None = None,
    distance_m: float | None = None,
) -> None:
    """Keep a decision about an activity (see table activity_decisions); `settle` puts it into effect."""
    latest = scalar(
        con, "select max(decided_at) from activity_decisions where athlete = $athlete", athlete=athlete
    )
    row = {
        # The last word counts, also after the clock was put back.
        "decided_at": max(now, latest + timedelta(microseconds=1)) if latest else now,
        "athlete": athlete,
        "kind": kind,
        "activity_id": activity_id,
        "other_id": other_id,
        "distance_m": distance_m,
    }
    insert_rows(con, "activity_decisions", [row])


def apply_decisions(con: duckdb.DuckDBPyConnection, athlete: str) -> None:
    """Put the last decision about each thing into effect; doing so twice changes nothing."""
    if not scalar(con, "select count(*) from activity_decisions where athlete = $athlete", athlete=athlete):
        return
    for statement in _DECISIONS.values():
        con.execute(statement, {"athlete": athlete})


_DECISIONS = {
    "exclude": """
        update activities set is_excluded = d.kind = 'exclude'
        from (
            select activity_id, arg_max(kind, decided_at) as kind from activity_decisions
            where kind in ('exclude', 'include') and athlete = $athlete group by activity_id
        ) d
        where activities.activity_id = d.activity_id and is_excluded <> (d.kind = 'exclude')
    """,
    "correct": """
        update activities
        set recorded_distance_m = case when d.distance_m is not null then coalesce(recorded_distance_m, activities.distance_m) end,
            distance_m = coalesce(d.distance_m, recorded_distance_m, activities.distance_m),
            pace_s_per_km = timer_s / nullif(coalesce(d.distance_m, recorded_distance_m, activities.distance_m), 0) * 1000
        from (
            select activity_id, arg_max_null(distance_m, decided_at) as distance_m from activity_decisions
            where kind = 'correct' and athlete = $athlete group by activity_id
        ) d
        where activities.activity_id = d.activity_id
          and (activities.distance_m is distinct from d.distance_m or d.distance_m is null)
    """,
    "join": """
        update activities set part_of = d.other_id
        from (
            select activity_id, arg_max_null(other_id, decided_at) as other_id from activity_decisions
            where kind = 'join' and athlete = $athlete group by activity_id
        ) d
        where activities.activity_id = d.activity_id and part_of is distinct from d.other_id
    """,
}


def _point_to_canonical(con: duckdb.DuckDBPyConnection, athlete: str, days: Collection[date] | None) -> None:
    """Judge the activities around these days again, and write who doubles whom and why."""
    records = _records(con, athlete, days)
    if records.is_empty():
        return
    split = con.execute(
        "select activity_id, other_id from activity_decisions where kind = 'split' and athlete = ?", [athlete]
    ).fetchall()
    rows = records.to_dicts()
    found = find_duplicates(
        map(_candidate, rows), joined=_joined(rows), never=[frozenset(pair) for pair in split]
    )
    judged = set(days) if days is not None else None
    for row in rows:
        verdict = found[row["activity_id"]]
        is_near = judged is None or any(abs(row["local_date"] - day) <= NEIGHBOURS for day in judged)
        if is_near and verdict != Verdict(row["duplicate_of"], row["duplicate_reason"]):
            con.execute(
                "update activities set duplicate_of = ?, duplicate_reason = ? where activity_id = ?",
                [verdict.canonical_id, verdict.reason, row["activity_id"]],
            )


def _records(con: duckdb.DuckDBPyConnection, athlete: str, days: Collection[date] | None) -> pl.DataFrame:
    """Return the records to look at: whoever is judged must be seen with all of its own neighbours."""
    query = """
        select a.*, o.* exclude (activity_id, distance_m), o.distance_m as outline_m, e.format
        from activities a
        left join outlines o using (activity_id)
        left join (
            select export_id, any_value(format) as format from exports
            where athlete = $athlete and outcome in ('ingested', 'partly_ingested') group by export_id
        ) e using (export_id)
        where a.athlete = $athlete
    """
    if days is None:
        return frame(con, query, athlete=athlete)
    reach = 2 * NEIGHBOURS.days
    around = sorted({day + timedelta(days=off) for day in days for off in range(-reach, reach + 1)})
    return frame(con, query + " and list_contains($around, a.local_date)", athlete=athlete, around=around)


def _candidate(row: Mapping[str, object]) -> Candidate:
    is_joined = row["part_of"] is not None
    return Candidate(
        activity_id=str(row["activity_id"]),
        is_run=None if row["sport"] == "unknown" else bool(row["is_run"]),
        started_at=row["started_at"],  # type: ignore[arg-type]
        elapsed_s=_number(row["elapsed_s"]) or 0.0,
        # As recorded: a correction makes no other session of it.
        distance_m=_number(row["recorded_distance_m"]) or _number(row["distance_m"]),
        avg_hr_bpm=_number(row["avg_hr_bpm"]),
        outline=_outline(row),
        richness=CHOSEN
        if is_joined
        else (
            float(row["avg_hr_bpm"] is not None),
            _number(row["known_columns"]) or 0.0,
            float(row["device"] is not None),
            FORMAT_RANK.get(str(row["format"]), 0),
            _number(row["samples"]) or 0.0,
        ),
    )


def _joined(rows: Collection[Mapping[str, object]]) -> Iterator[Candidate]:
    """Yield for each activity with parts the whole of it, so that a record of all of it is known for the same."""
    by_root: dict[str, list[Mapping[str, object]]] = {}
    for row in rows:
        if row["part_of"] is not None:
            by_root.setdefault(str(row["part_of"]), []).append(row)
    for root in rows:
        parts = by_root.get(str(root["activity_id"]))
        if not parts:
            continue
        pieces = [_candidate(one) for one in (root, *parts)]
        start = min(pieces, key=lambda one: one.started_at)
        end_s = max(one.start_s + one.elapsed_s for one in pieces)
        lengths = [one.distance_m for one in pieces]
        yield Candidate(
            activity_id=str(root["activity_id"]),
            is_run=pieces[0].is_run,
            started_at=start.started_at,
            elapsed_s=end_s - start.start_s,
            distance_m=sum(one for one in lengths if one is not None) if all(lengths) else None,
            richness=CHOSEN,
        )


def _outline(row: Mapping[str, object]) -> Outline:
    columns = [row["lat_deg"], row["lon_deg"], row["outline_m"]]
    if any(column is None for column in columns):
        return NO_OUTLINE
    return Outline(*(np.asarray(column, dtype=np.float64) for column in columns))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
