"""One run: the way, curves, splits, zones, efforts, knee load, the pain with it, what was repaired, and what people decide."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated, Any, Literal

import polars as pl
from fastapi import APIRouter, Form, HTTPException, Path
from fastapi.responses import JSONResponse, Response

from flows import steps
from flows.run_samples import Sources, samples_of_run, sources_of
from kneewatch.asking import rows_of
from kneewatch.decisions import SAME_SESSION, metres_of, parts_to_join
from kneewatch.web.asked import PATIENCE_S, Asked, AskedFor
from kneewatch.web.pain_form import report_entered
from kneewatch.web.reading import Reading
from report.questions import Row
from report.track import Track, curve_points, track_of
from store.database import frame
from store.errors import KneewatchError, WrongUseError
from store.lock import BusyError

ActivityId = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
OtherId = Annotated[str, Form(pattern="^([0-9a-f]{64})?$")]
Kind = Literal["exclude", "include", "correct", "recorded", "split", "join", "apart"]
CURVE_TITLES = {"pace": "Pace", "heart_rate": "Heart rate", "altitude": "Altitude", "cadence": "Cadence"}
CurveName = Literal["pace", "heart_rate", "altitude", "cadence"]
NEAR = "12 hours"
"""Runs that begin within so long before or after are offered for joining."""
ADDRESS = "/runs"
WHEN = {
    "during": "worst during the run",
    "after_60min": "an hour after it",
    "before": "before it",
    "next_morning": "the morning after",
}
"""What a score may speak of, in the order of the form."""

ACTIVITY = """
    select a.*, e.file_name, false as counts from activities a
    left join (
        select export_id, athlete, min(file_name) as file_name from exports
        where outcome <> 'duplicate' group by all
    ) e using (export_id, athlete)
    where a.activity_id = $this and a.athlete = $athlete
"""
COUNTED = "select *, true as counts from runs where activity_id = $this and athlete = $athlete"
METRICS = """
    select m.*, l.local_date as longest_date from run_metrics m
    left join activities l on l.activity_id = m.longest_30d_activity_id
    where m.activity_id = $this
"""
ZONES = "select kind, list(time_s order by zone) as times_s, min(zone) as first_zone from zone_times where activity_id = $this group by kind order by kind"
EFFORTS = """
    select b.*, a.started_at, a.local_date from best_efforts b join activities a using (activity_id)
    where a.athlete = $athlete and a.is_run and a.duplicate_of is null and a.part_of is null and not a.is_excluded
"""
LAPS = "select *, timer_s / nullif(distance_m, 0) * 1000 as pace_s_per_km from laps where activity_id = $this order by lap_index"
PAIN = """
    select side, reported_at, site, before, during, after_60min, next_morning, flags, changed_gait from pain_reports
    where athlete = $athlete and (activity_id = $this or (activity_id is null and local_date = $day)) order by side, reported_at
"""
PARTS = "select activity_id, started_at, local_date, distance_m, timer_s from activities where part_of = $this order by started_at"
NEAR_BY = f"""
    select activity_id, started_at, local_date, distance_m, epoch(started_at - $started_at) as apart_s from activities
    where athlete = $athlete and activity_id <> $this and is_run = $is_run and duplicate_of is null and part_of is null
    and not is_excluded and started_at between $started_at - interval '{NEAR}' and $started_at + interval '{NEAR}'
    order by started_at
"""
DECISIONS = """
    select decided_at, kind, other_id, distance_m from activity_decisions
    where athlete = $athlete and (activity_id = $this or other_id = $this) order by decided_at desc
"""
INVOLVED = """
    select unnest([activity_id, duplicate_of, part_of]) from activities
    where athlete = $athlete and (duplicate_of is not null or part_of is not null or is_excluded)
    union select unnest([activity_id, other_id]) from activity_decisions where athlete = $athlete
"""
"""Whatever has to do with another record or with a decision; most runs have not, and need not be asked about it."""
router = APIRouter(prefix="/runs")


@router.get("/{activity_id}")
def run(asked: AskedFor, activity_id: ActivityId) -> Response:
    """Show one run, or another activity."""
    return _page(asked, activity_id)


@router.get("/{activity_id}/{name}.json")
def curve(asked: AskedFor, activity_id: ActivityId, name: CurveName) -> Response:
    """Return a curve over distance, for the page to draw."""
    from report.charts import curve_chart

    with asked.web.published.reading() as reading:
        track = _track(asked, reading, _found(asked, reading, activity_id))
        if track is None or name not in track.curves:
            raise HTTPException(404)
        return JSONResponse(curve_chart(curve_points(track.curves[name]), name, asked.units))


@router.post("/{activity_id}/decide")
def decide(
    asked: AskedFor,
    activity_id: ActivityId,
    kind: Annotated[Kind, Form()],
    other: OtherId = "",
    distance: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Keep a decision about a run for good, as `kneewatch activities` does."""
    with asked.web.published.reading() as reading:
        this = _found(asked, reading, activity_id)
        others = [_found(asked, reading, other)] if other else []
    try:
        decision = _decision(asked, kind, this, others, distance)
        with steps.waiting_at_most(PATIENCE_S):
            steps.decide(asked.home, asked.settings, asked.clock, **decision)
    except KneewatchError as error:
        return _not_done(asked, activity_id, error, {"distance": distance})
    root = decision["other_id"] if kind == "join" else None
    return asked.back_to(f"{ADDRESS}/{root or activity_id}", said=kind)


@router.post("/{activity_id}/pain")
def report_pain(
    asked: AskedFor,
    activity_id: ActivityId,
    side: Annotated[str, Form()] = "",
    when: Annotated[str, Form()] = "during",
    score: Annotated[str, Form()] = "",
) -> Response:
    """Keep a report of a knee with this run; a second one of the same knee completes the first."""
    with asked.web.published.reading() as reading:
        this = _found(asked, reading, activity_id)
        at, flags = _completes(asked, reading, this, side)
    entered = {"side": side, "when": when, "score": score}
    try:
        report = report_entered(asked, entered, on=this["local_date"], at=at, flags=flags)
        with steps.waiting_at_most(PATIENCE_S):
            steps.log_pain(asked.home, asked.settings, asked.clock, report)
    except KneewatchError as error:
        return _not_done(asked, activity_id, error, entered)
    return asked.back_to(f"{ADDRESS}/{activity_id}", said="pain")


def _page(
    asked: Asked,
    activity_id: str,
    *,
    status_code: int = 200,
    entered: dict[str, str] | None = None,
    trouble: str = "",
) -> Response:
    with asked.web.published.reading() as reading:
        this = _found(asked, reading, activity_id)
        about = {"this": activity_id, "athlete": asked.athlete}

        def ask(question: str, **known: object) -> list[Row]:
            named = about | {"day": this["local_date"], "started_at": this["started_at"]} | known
            return rows_of(
                reading.con,
                question,
                **{name: value for name, value in named.items() if f"${name}" in question},
            )

        track, is_involved = _track(asked, reading, this), _is_involved(asked, reading, activity_id)
        return asked.page(
            reading,
            "run.html.j2",
            status_code=status_code,
            run=this,
            track=track,
            curves=[(name, title) for name, title in CURVE_TITLES.items() if track and name in track.curves],
            metrics=next(iter(ask(METRICS)), None),
            zones=ask(ZONES),
            efforts=_efforts(asked, reading, activity_id) if this["counts"] else [],
            laps=ask(LAPS),
            pain=ask(PAIN),
            records=ask(SAME_SESSION) if is_involved else [],
            parts=ask(PARTS) if is_involved else [],
            near=ask(NEAR_BY, is_run=this["is_run"]) if this["counts"] else [],
            decisions=ask(DECISIONS) if is_involved else [],
            when_words=WHEN,
            entered=entered or {},
            trouble=trouble,
        )


def _not_done(asked: Asked, activity_id: str, error: KneewatchError, entered: dict[str, str]) -> Response:
    is_busy = isinstance(error, BusyError)
    trouble = f"Not noted{' yet' if is_busy else ''}: {error}"
    return _page(asked, activity_id, status_code=503 if is_busy else 400, entered=entered, trouble=trouble)


def _found(asked: Asked, reading: Reading, activity_id: str) -> Row:
    """Return the activity, as it counts if it does: with its parts and what other records of it know."""
    about = {"this": activity_id, "athlete": asked.athlete}
    found = rows_of(reading.con, ACTIVITY, **about)
    if not found:
        raise HTTPException(404)
    if not _is_involved(asked, reading, activity_id):
        return found[0] | {"counts": found[0]["is_run"]}
    return found[0] | next(iter(rows_of(reading.con, COUNTED, **about)), {})


def _is_involved(asked: Asked, reading: Reading, activity_id: str) -> bool:
    def made() -> frozenset[str]:
        return frozenset(
            row[0] for row in reading.con.execute(INVOLVED, {"athlete": asked.athlete}).fetchall()
        )

    return activity_id in reading.kept(("involved", asked.athlete), made)


def efforts_beside(known: pl.DataFrame, activity_id: str) -> list[Row]:
    """
    Return a run's best efforts with the best of all runs before it, and when a later one was faster first.

    Args:
        known: Every best effort of an athlete: activity_id, distance_m, time_s, started_at and local_date of the run.
        activity_id: The run.

    Returns:
        By distance, columns of `known` with pace_s_per_km, previous_s, was_best and beaten_on.
    """
    mine = known.filter(activity_id=activity_id)
    time_s, other_s = pl.col("time_s"), pl.col("time_s_other")
    is_later = pl.col("started_at_other") > pl.col("started_at")
    beside = (
        mine.join(known, on="distance_m", suffix="_other")
        .group_by("distance_m")
        .agg(
            other_s.filter(pl.col("started_at_other") < pl.col("started_at")).min().alias("previous_s"),
            pl.col("local_date_other").filter(is_later & (other_s < time_s)).min().alias("beaten_on"),
        )
    )
    return (
        mine.join(beside, on="distance_m")
        .sort("distance_m")
        .with_columns(
            (time_s / pl.col("distance_m") * 1000).alias("pace_s_per_km"),
            (time_s < pl.col("previous_s")).fill_null(True).alias("was_best"),
        )
        .to_dicts()
    )


def _efforts(asked: Asked, reading: Reading, activity_id: str) -> list[Row]:
    known = reading.kept(
        ("efforts", asked.athlete), lambda: frame(reading.con, EFFORTS, athlete=asked.athlete)
    )
    return efforts_beside(known, activity_id)


def _track(asked: Asked, reading: Reading, run: Row) -> Track | None:
    """Return what the samples show; None when their file cannot be read."""

    def made() -> Track | None:
        key = ("sources", asked.athlete)
        all_sources = reading.kept(key, lambda: sources_of(reading.con, asked.athlete))
        sources = all_sources if run["counts"] else Sources()
        try:
            return track_of(samples_of_run(asked.home, run, sources), asked.units)
        except (OSError, pl.exceptions.PolarsError):
            return None

    return reading.kept(("track", run["activity_id"], asked.units), made)


def _decision(asked: Asked, kind: Kind, this: Row, others: list[Row], distance: str) -> dict[str, Any]:
    """Return what steps.decide is to keep."""
    activity_id, other_id, metres = this["activity_id"], None, None
    if kind == "correct":
        has_unit = distance.strip()[-1:].isalpha()
        metres = metres_of(distance if has_unit else distance + asked.units.symbol)
    elif kind == "split":
        other_id = others[0]["activity_id"] if others else this["duplicate_of"]
        if other_id in (None, activity_id):
            raise WrongUseError("This was not judged to be the same session as another.")
    elif kind == "join":
        other_id, *parts = parts_to_join(sorted([this, *others], key=lambda one: one["started_at"]))
        activity_id = parts[0]
    stored = {"recorded": "correct", "apart": "join"}.get(kind, kind)
    return {"kind": stored, "activity_id": activity_id, "other_id": other_id, "distance_m": metres}


def _completes(asked: Asked, reading: Reading, run: Row, side: str) -> tuple[time | None, tuple[str, ...]]:
    """
    Return local time and flags of the report that one of this run completes.

    Without one, a report belongs to the last run of its day unless it has a time: that of the end, if there was a later run.
    """
    zone = asked.settings.athletes[asked.athlete].zone
    found = reading.con.execute(
        "select reported_at, flags from pain_reports where activity_id = ? and side = ? order by reported_at desc limit 1",
        [run["activity_id"], side],
    ).fetchall()
    if found:
        reported_at, flags = found[0]
        return reported_at.astimezone(zone).time(), tuple(flags)
    later = reading.con.execute(
        "select count(*) from runs where athlete = ? and local_date = ? and started_at > ?",
        [asked.athlete, run["local_date"], run["started_at"]],
    ).fetchall()[0][0]
    ended_at = (run["started_at"] + timedelta(seconds=run["elapsed_s"])).astimezone(zone)
    is_same_day = ended_at.date() == run["local_date"]
    return (ended_at.time().replace(microsecond=0) if later and is_same_day else None), ()
