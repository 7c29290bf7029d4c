"""The samples of a run as it counts: with the parts joined to it, a heart rate that another record has, a corrected length."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb
import polars as pl

from store.database import frame
from store.home import Home
from store.samples import read_samples

SAME_MOMENT = "10s"
"""So far apart may the samples of two records be for one to lend the other its heart rate."""

IS_STRENGTH = "coalesce(regexp_matches(concat_ws(' ', a.sport, a.sub_sport), 'strength|weight'), false)"
"""Whether an activity `a` is strength work: watches and platforms have several names for it."""


FACTS = (
    *("activity_id", "athlete", "started_at", "local_date", "is_run"),
    *("timer_s", "distance_m", "recorded_distance_m", "rpe"),
)
"""What is looked at of every activity, to find those that have to be computed again."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record's samples file."""

    activity_id: str
    athlete: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Sources:
    """
    What the runs of one athlete are made of beside their own records.

    Attributes:
        parts: Records joined to a run, by its activity_id and in order of time.
        pulses: The record that knows the heart rate, for runs that do not.
    """

    parts: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    pulses: Mapping[str, Record] = field(default_factory=dict)

    def key(self, activity_id: str) -> str:
        """Return what changes when a run is made of something else."""
        pulse = self.pulses.get(activity_id)
        ids = [part.activity_id for part in self.parts.get(activity_id, ())]
        return "+".join([*ids, pulse.activity_id if pulse else ""])


def runs_of(con: duckdb.DuckDBPyConnection, athlete: str) -> pl.DataFrame:
    """Return the runs that count, in order of time: FACTS."""
    query = f"select {', '.join(FACTS)} from runs where athlete = $athlete order by started_at"
    return frame(con, query, athlete=athlete)


def others_of(con: duckdb.DuckDBPyConnection, athlete: str) -> pl.DataFrame:
    """
    Return the activities that count and are no runs, in order of time: FACTS.

    A recorded strength session without exertion takes that of the diary's of its day.
    """
    return frame(
        con,
        f"select {', '.join(f'a.{name}' for name in FACTS[:-1])}, "
        f"case when {IS_STRENGTH} then coalesce(a.rpe, s.rpe) else a.rpe end as rpe "
        "from activities a left join strength_sessions s using (athlete, local_date) "
        "where a.athlete = $athlete and not a.is_run and a.duplicate_of is null "
        "and a.part_of is null and not a.is_excluded and a.sport <> 'transition' order by a.started_at",
        athlete=athlete,
    )


def keys_of(
    activities: pl.DataFrame, names: Sequence[str], also: Iterable[Sequence[object]]
) -> dict[str, str]:
    """
    Return for each activity what becomes another when one of its named columns does, or what it rests on beside them.

    Args:
        activities: Columns activity_id and `names`.
        names: The columns that count.
        also: For each activity what else counts.
    """
    columns = pl.concat_str(pl.col("activity_id", *names).cast(pl.String).fill_null(""), separator="|")
    texts = activities.select("activity_id", columns.alias("text")).iter_rows()
    return {
        activity_id: hashlib.sha256("|".join([text, *map(str, rest)]).encode()).hexdigest()
        for (activity_id, text), rest in zip(texts, also, strict=True)
    }


def sources_of(con: duckdb.DuckDBPyConnection, athlete: str) -> Sources:
    """Find out what the runs of an athlete are made of."""
    parts: dict[str, tuple[Record, ...]] = {}
    joined = frame(
        con,
        "select part_of, activity_id, athlete, started_at from activities "
        "where athlete = $athlete and part_of is not null and duplicate_of is null and not is_excluded order by started_at",
        athlete=athlete,
    )
    for row in joined.iter_rows(named=True):
        run = row.pop("part_of")
        parts[run] = (*parts.get(run, ()), Record(**row))
    lent = frame(
        con,
        "select run.activity_id as run_id, other.activity_id, other.athlete, other.started_at "
        "from activities run join activities other on other.duplicate_of = run.activity_id "
        "where run.athlete = $athlete and run.avg_hr_bpm is null and other.avg_hr_bpm is not null "
        "order by other.activity_id desc",
        athlete=athlete,
    )
    pulses = {row.pop("run_id"): Record(**row) for row in lent.iter_rows(named=True)}
    return Sources(parts, pulses)


def samples_of_run(home: Home, run: Mapping[str, Any], sources: Sources) -> pl.DataFrame:
    """Return the samples of a row of `runs`: columns of the view samples with timer_s, on one time axis."""
    own = Record(run["activity_id"], run["athlete"], run["started_at"])
    samples = _read(home, own)
    for part in sources.parts.get(own.activity_id, ()):
        samples = _joined(
            samples, _read(home, part), gap_s=(part.started_at - own.started_at).total_seconds()
        )
    if pulse := sources.pulses.get(own.activity_id):
        samples = _with_pulse(samples, _read(home, pulse))
    if run["recorded_distance_m"]:
        share = run["distance_m"] / run["recorded_distance_m"]
        samples = samples.with_columns(pl.col("distance_m", "speed_m_per_s") * share)
    return samples


def _read(home: Home, record: Record) -> pl.DataFrame:
    return read_samples(
        home, athlete=record.athlete, year=record.started_at.year, activity_id=record.activity_id
    )


def _joined(samples: pl.DataFrame, part: pl.DataFrame, *, gap_s: float) -> pl.DataFrame:
    """Put a part behind the samples so far; between the two the timer stood."""
    ran_s, went_m = (samples[name].drop_nulls().tail(1) for name in ("timer_s", "distance_m"))
    return pl.concat(
        [
            samples,
            part.with_columns(
                pl.col("elapsed_s") + gap_s,
                pl.col("timer_s") + (ran_s.item() if len(ran_s) else 0.0),
                pl.col("distance_m") + (went_m.item() if len(went_m) else 0.0),
            ),
        ]
    )


def _with_pulse(samples: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Take the heart rate over from another record of the same session, moment by moment."""
    pulse = other.select("at", "hr_bpm").drop_nulls().sort("at")
    return (
        samples.drop("hr_bpm")
        .sort("at")
        .join_asof(pulse, on="at", strategy="nearest", tolerance=SAME_MOMENT)
        .select(samples.columns)
    )
