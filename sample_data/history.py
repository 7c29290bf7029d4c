"""A made-up history of any length, written straight into a store: for benchmarks and tests of what is computed from it."""

from __future__ import annotations

from datetime import datetime, timedelta

import duckdb
import numpy as np
import polars as pl

from store.database import insert_rows
from store.home import Home
from store.samples import encode_samples, write_samples

WARM_UP_S = 300.0


def made_up_samples(
    started_at: datetime, *, seconds: int, speed_m_per_s: float, hr_bpm: float | None, seed: int = 0
) -> pl.DataFrame:
    """
    Return a run in rolling country, a sample a second: columns of the view samples but activity_id.

    Speed and heart rate wander around the given ones; the heart needs a few minutes to get there; None is no strap.
    """
    rng = np.random.default_rng(seed)
    at_s = np.arange(seconds + 1.0)
    drift = np.sin(at_s / 400 + rng.uniform(0, 6)) * 0.05
    speed = speed_m_per_s * (1 + drift + rng.normal(0, 0.02, len(at_s)))
    distance_m = np.cumsum(speed) - speed[0]
    beats = None if hr_bpm is None else hr_bpm * (1 + drift - 0.3 * np.exp(-at_s / WARM_UP_S))
    values = {
        "elapsed_s": at_s,
        "timer_s": at_s,
        "lat_deg": 52 + distance_m / 111_000,
        "lon_deg": 10 + 0.001 * np.sin(distance_m / 900),
        "distance_m": distance_m,
        "speed_m_per_s": speed,
        "altitude_m": 60 + 12 * np.sin(distance_m / 700),
        "hr_bpm": None if beats is None else np.round(beats),
        "cadence_spm": np.round(168 + 30 * drift + rng.normal(0, 1.5, len(at_s))),
        "power_w": None,
        "temperature_c": 14.0,
        "stance_time_ms": 245 + 60 * drift,
        "stance_balance_pct": 50.2 + drift,
        "vertical_oscillation_mm": 84 + 20 * drift,
        "step_length_mm": 1000 * speed / (168 / 60),
    }
    at = pl.Series([started_at]).dt.cast_time_unit("us") + pl.Series(at_s * 1e6).cast(pl.Duration("us"))
    return pl.DataFrame({"at": at}).with_columns(
        pl.lit(value, dtype=pl.Float64).alias(name)
        if value is None or isinstance(value, float)
        else pl.Series(name, value)
        for name, value in values.items()
    )


def write_activity(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    samples: pl.DataFrame,
    *,
    started_at: datetime,
    activity_id: str,
    athlete: str = "me",
    **known: object,
) -> None:
    """Write an activity with its samples as an intake does, a run unless `known` says otherwise."""
    content = encode_samples(samples, activity_id=activity_id)
    write_samples(home, content, athlete=athlete, year=started_at.year, activity_id=activity_id)
    lasted_s, distance_m = samples["timer_s"].max(), samples["distance_m"].max()
    row = {
        "activity_id": activity_id,
        "athlete": athlete,
        "export_id": activity_id,
        "sport": "running",
        "is_run": True,
        "is_indoor": False,
        "started_at": started_at,
        "local_date": (started_at + timedelta(seconds=known.get("utc_offset_s", 0))).date(),  # type: ignore[arg-type]
        "utc_offset_s": 0,
        "elapsed_s": lasted_s,
        "timer_s": lasted_s,
        "distance_m": distance_m,
        "avg_hr_bpm": samples["hr_bpm"].mean(),
    }
    insert_rows(con, "activities", [row | known])
