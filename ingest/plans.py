"""Training plans: the CSV files that come with Kneewatch."""

import io
from importlib.resources import files

import polars as pl

from store.errors import WrongUseError

PLAN_COLUMNS: dict[str, pl.DataType] = {
    "week": pl.Int64(),
    "day": pl.String(),
    "session": pl.String(),
    "distance_km": pl.Float64(),
    "duration_min": pl.Float64(),
    "rpe": pl.Float64(),
    "zone": pl.String(),
    "notes": pl.String(),
}


class PlanError(WrongUseError):
    """A plan cannot be used; the text is a sentence that names it and what there is."""


def plan_names() -> list[str]:
    """Return the names of the built-in plans."""
    return sorted(
        entry.name.removesuffix(".csv") for entry in files("plans").iterdir() if entry.name.endswith(".csv")
    )


def read_plan(name: str) -> pl.DataFrame:
    """
    Return a built-in plan: columns of PLAN_COLUMNS, one row a session.

    Raises:
        PlanError: If there is none of that name.
    """
    if name not in plan_names():
        raise PlanError(f"There is no plan {name!r}; there are {', '.join(plan_names())}.")
    text = (files("plans") / f"{name}.csv").read_bytes()
    return pl.read_csv(io.BytesIO(text), schema=PLAN_COLUMNS)
