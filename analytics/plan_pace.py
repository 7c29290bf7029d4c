"""The pace of each planned run, from the goal or from what the runner can do at present."""

from typing import NamedTuple

import polars as pl

from analytics.load import HOUR_S
from analytics.parameters import RIEGEL_EXPONENT, hour_distance_m
from analytics.plan import RACE_SESSION
from analytics.race import HALF_MARATHON_M
from analytics.zones import PACE_LIMITS

SLOWEST_OF_ZONE_1, FASTEST_OF_ZONE_5 = 1.41, 0.94  # of threshold pace; as wide as the zones beside them, ours
BORDERS = (SLOWEST_OF_ZONE_1, *PACE_LIMITS, FASTEST_OF_ZONE_5)
ZONE_BANDS = {f"Z{zone}": (BORDERS[zone], BORDERS[zone - 1]) for zone in range(1, len(BORDERS))}
"""Pace over threshold pace at the quick and the slow end of each zone."""


class Threshold(NamedTuple):
    """Pace that can be held for an hour, and what it rests on: goal, threshold pace or best efforts."""

    pace_s_per_km: float
    rests_on: str


def threshold_of(
    *, goal_s: float | None, threshold_pace_s_per_km: float | None, half_s: float | None
) -> Threshold | None:
    """
    Return the threshold pace that a plan's paces follow from: the goal's, else the runner's own, else the efforts'.

    Args:
        goal_s: Goal time over the half marathon.
        threshold_pace_s_per_km: The runner's own, set or estimated.
        half_s: What the best efforts are worth over the half marathon.
    """
    if goal_s is not None:
        return Threshold(_hour_pace_s_per_km(goal_s), "goal")
    if threshold_pace_s_per_km is not None:
        return Threshold(threshold_pace_s_per_km, "threshold pace")
    return None if half_s is None else Threshold(_hour_pace_s_per_km(half_s), "best efforts")


def with_paces(sessions: pl.DataFrame, threshold: Threshold | None) -> pl.DataFrame:
    """
    Add planned_pace_s_per_km (the middle of the session's zone; of a race what the threshold pace is worth over it) and pace_from.

    Args:
        sessions: Columns of plan_sessions, zone Z1 to Z5 for runs.
        threshold: What the paces follow from; without it they are null.
    """
    if threshold is None:
        return sessions.with_columns(
            planned_pace_s_per_km=pl.lit(None, pl.Float64), pace_from=pl.lit(None, pl.String)
        )
    shares = {zone: sum(band) / 2 for zone, band in ZONE_BANDS.items()}
    by_zone = (
        pl.col("zone").replace_strict(shares, default=None, return_dtype=pl.Float64) * threshold.pace_s_per_km
    )
    hours = (pl.col("distance_m") / 1000 * threshold.pace_s_per_km / HOUR_S) ** RIEGEL_EXPONENT
    race_pace = 1000 * HOUR_S * hours / pl.col("distance_m")
    paced = sessions.with_columns(
        planned_pace_s_per_km=pl.when(pl.col("session") == RACE_SESSION).then(race_pace).otherwise(by_zone)
    )
    is_paced = pl.col("planned_pace_s_per_km").is_not_null()
    return paced.with_columns(pace_from=pl.when(is_paced).then(pl.lit(threshold.rests_on)))


def _hour_pace_s_per_km(half_s: float) -> float:
    return 1000 * HOUR_S / hour_distance_m(HALF_MARATHON_M, half_s)
