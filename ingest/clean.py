"""Repairs of samples: each is named, counted and done in one place."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from ingest.recording import Recording

MIN_HR_BPM, MAX_HR_BPM = 25, 240
"""Outside this no heart of a runner beats; a sensor does."""
MIN_ALTITUDE_M, MAX_ALTITUDE_M = -500, 9000
LONGEST_ACTIVITY_S = 7 * 24 * 3600
CLOCK_SLACK_S = 3600
"""How far samples may lie outside of what the session says before it is the clock that jumped."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """
    Samples after repair.

    Attributes:
        samples: Columns of RAW_SAMPLES, in order of time, one per instant.
        findings: What was done, in words with a count.
        repaired: Number of samples that a repair touched.
    """

    samples: pl.DataFrame
    findings: tuple[str, ...]
    repaired: int


def clean(recording: Recording, session: int) -> Cleaned:
    """Return the samples of one session, repaired."""
    samples = recording.samples.filter(pl.col("session") == session).sort("at", maintain_order=True)
    samples, findings, repaired = _without_clock_jumps(samples, recording, session)
    samples, doubled = _without_doubled_instants(samples)
    findings += doubled
    for name, column, is_wrong in VALUE_RULES:
        count = samples.select(is_wrong(pl.col(column)).fill_null(False).sum()).item()
        if count:
            samples = samples.with_columns(
                pl.when(is_wrong(pl.col(column))).then(None).otherwise(pl.col(column)).alias(column)
            )
            findings.append(f"{name}: {count} samples")
            repaired += count
    for name, repair in FRAME_RULES:
        samples, count = repair(samples)
        if count:
            findings.append(f"{name}: {count} samples")
            repaired += count
    return Cleaned(samples, tuple(findings), min(repaired, samples.height))


VALUE_RULES: tuple[tuple[str, str, Callable[[pl.Expr], pl.Expr]], ...] = (
    ("heart rate of zero, no sensor", "hr_bpm", lambda hr: hr == 0),
    ("heart rate out of range", "hr_bpm", lambda hr: (hr < MIN_HR_BPM) | (hr > MAX_HR_BPM) | hr.is_nan()),
    ("latitude out of range", "lat_deg", lambda lat: (lat.abs() > 90) | lat.is_nan()),
    ("longitude out of range", "lon_deg", lambda lon: (lon.abs() > 180) | lon.is_nan()),
    (
        "altitude out of range",
        "altitude_m",
        lambda m: (m < MIN_ALTITUDE_M) | (m > MAX_ALTITUDE_M) | m.is_nan(),
    ),
    ("distance is no number", "distance_m", lambda m: (m < 0) | ~m.is_finite()),
    ("speed is no number", "speed_m_per_s", lambda v: (v < 0) | ~v.is_finite()),
)


def _without_clock_jumps(
    samples: pl.DataFrame, recording: Recording, session: int
) -> tuple[pl.DataFrame, list[str], int]:
    """Drop samples far outside the time that the session speaks of."""
    told = recording.sessions[session]
    if samples.is_empty() or told.started_at is None or not told.elapsed_s:
        return samples, [], 0
    elapsed_s = (pl.col("at") - told.started_at).dt.total_milliseconds() / 1000
    slack_s = min(told.elapsed_s, LONGEST_ACTIVITY_S) + CLOCK_SLACK_S
    kept = samples.filter(elapsed_s.is_between(-CLOCK_SLACK_S, slack_s))
    dropped = samples.height - kept.height
    if not dropped or kept.is_empty():
        return samples, [], 0
    return kept, [f"clock jumped, outside the session: {dropped} samples"], dropped


def _without_doubled_instants(samples: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Keep one sample an instant: for each column the last value that is there."""
    count = samples.height - samples["at"].n_unique()
    if not count:
        return samples, []
    merged = samples.group_by("at", maintain_order=True).agg(pl.all().exclude("at").drop_nulls().last())
    return merged.select(samples.columns), [f"two samples in one instant: {count} samples"]


def _with_whole_positions(samples: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Blank positions of which half is missing, and those at 0°, 0°, where a receiver without a fix puts one."""
    lat, lon = pl.col("lat_deg"), pl.col("lon_deg")
    is_wrong = (lat.is_null() != lon.is_null()) | ((lat == 0) & (lon == 0)).fill_null(False)
    count = int(samples.select(is_wrong.sum()).item())
    blank = [
        pl.when(is_wrong).then(None).otherwise(pl.col(name)).alias(name) for name in ("lat_deg", "lon_deg")
    ]
    return samples.with_columns(blank), count


def _with_rising_distance(samples: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Hold the distance where it would fall."""
    highest = pl.col("distance_m").cum_max()
    count = int(samples.select((pl.col("distance_m") < highest).fill_null(False).sum()).item())
    return samples.with_columns(
        distance_m=pl.when(pl.col("distance_m").is_null()).then(None).otherwise(highest)
    ), count


FRAME_RULES: tuple[tuple[str, Callable[[pl.DataFrame], tuple[pl.DataFrame, int]]], ...] = (
    ("position incomplete or at 0°, 0°", _with_whole_positions),
    ("distance went backwards", _with_rising_distance),
)
