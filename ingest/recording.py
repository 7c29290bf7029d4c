"""What a reader makes of a file's bytes, before anything is repaired or summed up."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

LONGEST_TEXT = 10_000
"""Of a title, a note or a name; what is longer is cut."""

Columns = dict[str, NDArray[Any]]
"""A row for each sample: times (UTC, NaT where unknown) and numbers (NaN where unknown)."""

RAW_SAMPLES: dict[str, pl.DataType] = {
    "at": pl.Datetime("us", "UTC"),
    "session": pl.Int64(),
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

RAW_LAPS: dict[str, pl.DataType] = {
    "started_at": pl.Datetime("us", "UTC"),
    "timer_s": pl.Float64(),
    "distance_m": pl.Float64(),
    "avg_hr_bpm": pl.Float64(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """
    One session of one sport as the file tells it; None where the file does not.

    Attributes:
        started_at: Start (UTC), or None when only the samples know.
        steps: Steps of both feet.
        rpe: Perceived exertion, 0 to 10.
        feel: 0 (weak) to 100 (strong).
    """

    sport: str | None = None
    sub_sport: str | None = None
    started_at: datetime | None = None
    elapsed_s: float | None = None
    timer_s: float | None = None
    distance_m: float | None = None
    ascent_m: float | None = None
    descent_m: float | None = None
    avg_hr_bpm: float | None = None
    max_hr_bpm: float | None = None
    steps: int | None = None
    rpe: float | None = None
    feel: float | None = None
    title: str | None = None
    description: str | None = None
    gear: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an archive says about one of its exports; None where it does not."""

    title: str | None = None
    description: str | None = None
    sport: str | None = None
    rpe: float | None = None
    gear: str | None = None


NOTHING_TOLD = Told()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """
    One file's content in SI units and UTC.

    Attributes:
        sessions: In order of time; at least one.
        samples: All of RAW_SAMPLES; `session` is the place in `sessions`. Cadence as stored in the file.
        laps: Columns of RAW_LAPS.
        pauses: (stop, start again) of the timer.
        utc_offset_s: Offset of local time, when the file says so.
        missing: Sentence on what is missing, when the file breaks off.
        findings: What the reader noticed and the runner may want to know.
    """

    format: str
    sessions: tuple[Session, ...]
    samples: Columns
    laps: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=RAW_LAPS))
    pauses: tuple[tuple[datetime, datetime], ...] = ()
    device: str | None = None
    utc_offset_s: int | None = None
    missing: str | None = None
    findings: tuple[str, ...] = ()

    @property
    def frame(self) -> pl.DataFrame:
        """The samples as a frame of RAW_SAMPLES; what is unknown is null."""
        return frame_of(self.samples)


def words(value: object) -> str | None:
    """Return what somebody wrote, as a database can keep it; None when it is no text or empty."""
    if not isinstance(value, str):
        return None
    # JSON may hold halves of letters (\\ud83d alone), which no encoding takes.
    return value.encode(errors="replace").decode().replace("\0", "").strip()[:LONGEST_TEXT] or None


def no_samples() -> Columns:
    """Return the columns of a recording that holds nothing but totals."""
    return columns_of(pl.DataFrame(schema=RAW_SAMPLES))


def columns_of(samples: pl.DataFrame) -> Columns:
    """Return samples as arrays of their own; what is unknown is NaN."""
    at = samples["at"].to_physical().to_numpy(writable=True).view("datetime64[us]")
    return {"at": at} | {
        name: samples[name].to_numpy(writable=True) for name in samples.columns if name != "at"
    }


def frame_of(columns: Columns) -> pl.DataFrame:
    """Return arrays as a frame; what is NaN is unknown."""
    numbers = [pl.Series(name, values, nan_to_null=True) for name, values in columns.items() if name != "at"]
    at = pl.Series("at", columns["at"].view(np.int64)).cast(RAW_SAMPLES["at"])
    return pl.DataFrame([at, *numbers])
