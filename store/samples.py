"""Samples as Parquet files beside the database: one immutable file per activity."""

import io
from pathlib import Path

import polars as pl

from store.files import write_whole
from store.home import Home

SAMPLES_SCHEMA: dict[str, pl.DataType] = {
    "activity_id": pl.String(),
    "at": pl.Datetime("us", "UTC"),
    "elapsed_s": pl.Float64(),
    "timer_s": pl.Float64(),
    "lat_deg": pl.Float64(),
    "lon_deg": pl.Float64(),
    "distance_m": pl.Float64(),
    "speed_m_per_s": pl.Float64(),
    "altitude_m": pl.Float64(),
    "hr_bpm": pl.Float64(),
    "cadence_spm": pl.Float64(),
    "power_w": pl.Float64(),
    "temperature_c": pl.Float64(),
    "stance_time_ms": pl.Float64(),
    "stance_balance_pct": pl.Float64(),
    "vertical_oscillation_mm": pl.Float64(),
    "step_length_mm": pl.Float64(),
}


def samples_file(home: Home, *, athlete: str, year: int, activity_id: str) -> Path:
    """Return where the samples of an activity lie."""
    return home.samples / f"athlete={athlete}" / f"year={year}" / f"{activity_id}.parquet"


def encode_samples(samples: pl.DataFrame, *, activity_id: str) -> bytes:
    """Return samples (columns of SAMPLES_SCHEMA but activity_id) as the content of their file."""
    rows = samples.with_columns(pl.lit(activity_id).alias("activity_id")).select(
        pl.col(name).cast(kind) for name, kind in SAMPLES_SCHEMA.items()
    )
    buffer = io.BytesIO()
    rows.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def write_samples(home: Home, content: bytes, *, athlete: str, year: int, activity_id: str) -> None:
    """Write the samples file of one activity, whole or not at all."""
    write_whole(samples_file(home, athlete=athlete, year=year, activity_id=activity_id), content)


def read_samples(home: Home, *, athlete: str, year: int, activity_id: str) -> pl.DataFrame:
    """Return the samples of one activity in the order of time."""
    path = samples_file(home, athlete=athlete, year=year, activity_id=activity_id)
    return pl.read_parquet(path, hive_partitioning=False, glob=False)


def write_empty_samples(home: Home) -> None:
    """Leave a file without rows, so that the view over `samples/` has its columns in an empty home as well."""
    path = home.samples / "athlete=_" / "year=0" / "none.parquet"
    if path.exists():
        return
    buffer = io.BytesIO()
    pl.DataFrame(schema=SAMPLES_SCHEMA).write_parquet(buffer)
    write_whole(path, buffer.getvalue())
