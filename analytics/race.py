"""What best efforts are worth: critical speed, and what they would be over the half marathon."""

from datetime import date
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from analytics.load import Floats

HALF_MARATHON_M = 21097.5

CRITICAL_SPEED_RANGE_S = (120.0, 1200.0)  # efforts of 2 to 20 minutes fit the line; Smyth 2020, Kordi 2019
CRITICAL_SPEED_MIN_SPREAD = 2.0  # longest over shortest effort; nearer ones are mostly noise, ours
ROUNDING = 1e-6  # an even run has a D' of 0, more or less

RIEGEL_EXPONENT = 1.06  # Riegel 1981
RIEGEL_RANGE_S = (210.0, 13800.0)  # 3.5 to 230 minutes, what his law was fitted to
OWN_EXPONENT_RANGE = (1.01, 1.2)  # beyond it one of the two was no effort, ours
SHORT_M, LONG_M = 5000.0, 10000.0  # an athlete's own exponent lies between these

VO2_TERMS = (0.000104, 0.182258, -4.60)  # ml/kg/min over m/min, powers 2 to 0; Daniels & Gilbert 1979
SHARE_TERMS = ((0.1894393, -0.012778), (0.2989558, -0.1932605))  # of the highest uptake; time in minutes
LOWEST_SHARE = 0.8
SLOWEST_M_PER_S, FASTEST_M_PER_S = 0.5, 12.0

EFFORT_WEEKS = 12  # what was run before says little of today, ours

EFFORTS = pl.Schema(
    {"activity_id": pl.String, "local_date": pl.Date, "distance_m": pl.Float64, "time_s": pl.Float64}
)
RACE_EQUIVALENTS = pl.Schema(
    {
        "week_start": pl.Date,
        "critical_speed_m_per_s": pl.Float64,
        "d_prime_m": pl.Float64,
        "critical_speed_r2": pl.Float64,
        "critical_speed_efforts": pl.Int32,
        "from_activity_id": pl.String,
        "from_date": pl.Date,
        "from_distance_m": pl.Float64,
        "from_time_s": pl.Float64,
        "half_riegel_s": pl.Float64,
        "own_exponent": pl.Float64,
        "half_own_s": pl.Float64,
        "vdot": pl.Float64,
        "half_vdot_s": pl.Float64,
        "goal_s": pl.Float64,
    }
)


Effort = dict[str, Any]


class CriticalSpeed(NamedTuple):
    """Line of distance on time: its slope in m/s, its height in m, how well it fits, and on how many efforts."""

    speed_m_per_s: float
    d_prime_m: float
    r2: float
    efforts: int


def critical_speed(distance_m: Floats, time_s: Floats) -> CriticalSpeed | None:
    """
    Fit D = D' + CS·t to efforts of 2 to 20 minutes; a lower bound where they were not all-out.

    None below two of them, where they lie close together, and where they contradict each other.
    """
    shortest_s, longest_s = CRITICAL_SPEED_RANGE_S
    fits = (time_s >= shortest_s) & (time_s <= longest_s)
    distance_m, time_s = distance_m[fits], time_s[fits]
    if len(time_s) < 2 or time_s.max() < CRITICAL_SPEED_MIN_SPREAD * time_s.min():
        return None
    time_off_s, distance_off_m = time_s - time_s.mean(), distance_m - distance_m.mean()
    speed = float(np.sum(time_off_s * distance_off_m) / np.sum(time_off_s**2))
    d_prime_m = float(distance_m.mean() - speed * time_s.mean())
    if speed <= 0 or d_prime_m < -ROUNDING:
        return None
    left_m2 = float(np.sum((distance_off_m - speed * time_off_s) ** 2))
    return CriticalSpeed(
        speed, max(d_prime_m, 0.0), 1 - left_m2 / float(np.sum(distance_off_m**2)), len(time_s)
    )


def riegel_s(distance_m: float, time_s: float, to_m: float, *, exponent: float = RIEGEL_EXPONENT) -> float:
    """Return the time over another distance that is worth as much: T · (D2/D1)^1.06."""
    return float(time_s * (to_m / distance_m) ** exponent)


def riegel_exponent(short_m: float, short_s: float, long_m: float, long_s: float) -> float:
    """Return how much slower an athlete gets with distance, from two efforts."""
    return float(np.log(long_s / short_s) / np.log(long_m / short_m))


def vdot(distance_m: float, time_s: float) -> float:
    """Return the oxygen uptake of a race over the share of the highest that can be held that long, ml/kg/min."""
    minutes = time_s / 60
    uptake = float(np.polyval(VO2_TERMS, distance_m / minutes))
    share = LOWEST_SHARE + sum(factor * np.exp(rate * minutes) for factor, rate in SHARE_TERMS)
    return float(uptake / share)


def vdot_time_s(value: float, distance_m: float) -> float:
    """Return the time over a distance that is worth this VDOT, to a millisecond."""
    fast_s, slow_s = distance_m / FASTEST_M_PER_S, distance_m / SLOWEST_M_PER_S
    while slow_s - fast_s > 1e-3:
        middle_s = (fast_s + slow_s) / 2
        if vdot(distance_m, middle_s) > value:
            fast_s = middle_s
        else:
            slow_s = middle_s
    return (fast_s + slow_s) / 2


def race_equivalents(
    efforts: pl.DataFrame, week_starts: pl.Series, *, goal_s: float | None = None
) -> pl.DataFrame:
    """
    Say for each week what the best efforts of its twelve weeks are worth.

    Of the efforts over 5 km and more the one that is worth most speaks: hardly any was all-out.

    Args:
        efforts: Columns of EFFORTS, in any order.
        week_starts: First days of weeks without gaps, in order.
        goal_s: Goal time over the half marathon.

    Returns:
        One row a week: the columns of table race_equivalents without athlete.
    """
    by_week: dict[date, list[Effort]] = {week: [] for week in week_starts}
    for effort in _bests(efforts, week_starts).iter_rows(named=True):
        by_week[effort["week_start"]].append(effort)
    rows = [{"week_start": week, "goal_s": goal_s} | _worth(bests) for week, bests in by_week.items()]
    return pl.DataFrame(rows, schema=RACE_EQUIVALENTS)


def _bests(efforts: pl.DataFrame, week_starts: pl.Series) -> pl.DataFrame:
    """Fastest effort over each distance in each week and the eleven before; of equal ones the earlier."""
    weeks = pl.DataFrame({"week_start": week_starts.cast(pl.Date)})
    run_in = efforts.sort("local_date").join_asof(
        weeks.sort("week_start"), left_on="local_date", right_on="week_start", strategy="backward"
    )
    in_order = ("time_s", "local_date", "activity_id")
    of_weeks = run_in.sort(in_order).unique(["week_start", "distance_m"], keep="first", maintain_order=True)
    windows = of_weeks.join(pl.DataFrame({"later": range(EFFORT_WEEKS)}), how="cross").with_columns(
        week_start=pl.col("week_start") + pl.duration(weeks=pl.col("later"))
    )
    windows = windows.join(weeks, on="week_start", how="semi")
    return windows.sort(in_order).unique(["week_start", "distance_m"], keep="first", maintain_order=True)


def _worth(bests: list[Effort]) -> dict[str, object]:
    """Turn the fastest efforts of a window, one a distance, into the columns of its week."""
    distance_m, time_s = (np.array([effort[name] for effort in bests]) for name in ("distance_m", "time_s"))
    line = critical_speed(distance_m, time_s)
    shortest_s, longest_s = RIEGEL_RANGE_S
    races = [
        effort
        for effort in bests
        if effort["distance_m"] >= SHORT_M and shortest_s <= effort["time_s"] <= longest_s
    ]
    return (_as_columns(line) if line else {}) | (_over_the_half(races) if races else {})


def _as_columns(line: CriticalSpeed) -> dict[str, object]:
    return {
        "critical_speed_m_per_s": line.speed_m_per_s,
        "d_prime_m": line.d_prime_m,
        "critical_speed_r2": line.r2,
        "critical_speed_efforts": line.efforts,
    }


def _over_the_half(races: list[Effort]) -> dict[str, object]:
    best = min(races, key=lambda race: _to_half_s(race, RIEGEL_EXPONENT))
    own = _own_exponent({race["distance_m"]: race for race in races})
    value = vdot(best["distance_m"], best["time_s"])
    return {
        **{f"from_{name}": best[name] for name in ("activity_id", "distance_m", "time_s")},
        "from_date": best["local_date"],
        "half_riegel_s": _to_half_s(best, RIEGEL_EXPONENT),
        "own_exponent": own,
        "half_own_s": _to_half_s(best, own) if own else None,
        "vdot": value,
        "half_vdot_s": vdot_time_s(value, HALF_MARATHON_M),
    }


def _to_half_s(race: Effort, exponent: float) -> float:
    return riegel_s(race["distance_m"], race["time_s"], HALF_MARATHON_M, exponent=exponent)


def _own_exponent(races: dict[float, Effort]) -> float | None:
    """Exponent between 5 and 10 km of different runs; within one run the shorter was no effort of its own."""
    if SHORT_M not in races or LONG_M not in races:
        return None
    short, long = races[SHORT_M], races[LONG_M]
    if short["activity_id"] == long["activity_id"]:
        return None
    exponent = riegel_exponent(SHORT_M, short["time_s"], LONG_M, long["time_s"])
    least, most = OWN_EXPONENT_RANGE
    return exponent if least <= exponent <= most else None
