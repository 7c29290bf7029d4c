"""Spikes: runs at which load rose, by their own length, by the week or downhill."""

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.rules import PUBLISHED, Rules

LEVEL_OF_BIN = {"small": 1, "moderate": 2, "large": 3}
LOAD_KNOWN_FROM_DAYS = 14
ALL_SIGNALS_FROM_DAYS = 28
ACWR_HIGH, ACWR_CALM = 1.5, 1.3
ACWR_FROM_RUNS, ACWR_FROM_M = 8, 5000.0
"""The acute-to-chronic ratio is told of above 1.5 until it is below 1.3, from so many days with a run and weekly metres on."""
OFF_PLAN_OVER, OFF_PLAN_BY_M = 1.2, 2000.0
OF_RUNS = (
    *("activity_id", "started_at", "local_date", "distance_m"),
    *("spike_ratio", "spike_bin", "longest_30d_m", "longest_30d_activity_id"),
)
OF_PLAN = ("planned_distance_m", "planned_7d_m")
NO_WEEK: Mapping[str, object] = dict.fromkeys(
    (
        "ran_7d_m",
        "week_before_m",
        "descent_7d_m",
        "descent_mean_m",
        "has_altitude",
        "acwr_uncoupled",
        "acwr_is_high",
    )
)
"""Of a run on a day that the daily frame does not have."""
SAME_SIGNAL_DAYS = 7
"""A ramp or much downhill seen again within this many days is the same one."""


Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """
    A run at which load rose: by its own length (`bin`), by the week (`is_ramp`) or downhill (`is_downhill`).

    Attributes:
        window_days: Days that some of it counts after its run; with a ramp that is the longer of two windows.
        numbers: What it rests on, for the evidence.
    """

    activity_id: str
    started_at: datetime
    local_date: date
    bin: str
    is_ramp: bool
    is_downhill: bool
    is_provisional: bool
    window_days: int
    numbers: Mapping[str, object]

    def is_active_on(self, day: date) -> bool:
        """Tell whether the spike still counts on `day`."""
        return 0 <= (day - self.local_date).days <= self.window_days


def load_level_of(spikes: Sequence[Spike], day: date, rules: Rules = PUBLISHED) -> int:
    """Return 0 to 3 for the spikes active on `day`: a small one with a ramp or much downhill is moderate."""
    if not spikes:
        return 0
    recent = [spike for spike in spikes if (day - spike.local_date).days <= rules.spike_window_days]
    ramps = [spike for spike in spikes if (day - spike.local_date).days <= rules.ramp_window_days]
    highest = max((LEVEL_OF_BIN.get(spike.bin, 0) for spike in recent), default=0)
    also = any(spike.is_downhill for spike in recent) or any(spike.is_ramp for spike in ramps)
    return max(highest, 2 if highest == 1 and also else 1)


def is_ramp(week_m: float, week_before_m: float, rules: Rules = PUBLISHED) -> bool:
    """Tell whether seven days hold so much more than the seven before that it is a steep rise."""
    if week_before_m <= 0 or week_before_m < rules.ramp_from_m:
        return False
    return week_m / week_before_m - 1 > rules.ramp_over + 1e-9 and week_m - week_before_m >= rules.ramp_by_m


def find_spikes(runs: pl.DataFrame, daily: pl.DataFrame, rules: Rules = PUBLISHED) -> list[Spike]:
    """
    Return one athlete's spikes in order of time.

    `runs` has activity_id, started_at, local_date, distance_m, spike_ratio, spike_bin, longest_30d_m and
    longest_30d_activity_id, and where there is a plan planned_distance_m (of the session it was) and planned_7d_m (of the
    7 days up to it); `daily` has local_date, distance_m, steep_descent_m and acwr_uncoupled, without gaps. The plan and
    the acute-to-chronic ratio are context in the numbers of a spike and make none.
    """
    if runs.is_empty() or daily.is_empty():
        return []
    # Plain columns instead of frames from here on: for the few rows of one athlete each question to a frame costs more than its answer.
    names = [name for name in (*OF_RUNS, *OF_PLAN) if name in runs.columns]
    values = zip(*(runs.get_column(name).to_list() for name in names), strict=True)
    rows = [dict(zip(names, row, strict=True)) for row in values]
    rows.sort(key=lambda row: (row["started_at"], row["activity_id"]))
    dates = {row["activity_id"]: row["local_date"] for row in rows}
    weeks = _rolling_weeks(daily, frozenset(dates.values()))
    first_day: date = rows[0]["local_date"]
    seen: dict[str, date] = {}
    found = (
        _spike({**row, **weeks.get(row["local_date"], NO_WEEK)}, first_day, dates, seen, rules)
        for row in rows
    )
    return [spike for spike in found if spike is not None]


def _rolling_weeks(daily: pl.DataFrame, asked: Container[date]) -> dict[date, dict[str, object]]:
    """
    Return for each day that is asked for: metres of 7 days and the 7 before, downhill metres of 7 days and the weekly
    mean of the 21 before, and the acute-to-chronic ratio with whether it is to be told of.
    """
    days = daily.get_column("local_date")
    order = np.argsort(days.to_numpy())
    distance_m, measured_descent_m, ratio = (
        daily.get_column(name).cast(pl.Float64).to_numpy()[order]  # NaN where it is null
        for name in ("distance_m", "steep_descent_m", "acwr_uncoupled")
    )
    distance_m, descent_m = np.nan_to_num(distance_m), np.nan_to_num(measured_descent_m)
    has_descent = (~np.isnan(measured_descent_m) & (distance_m > 0)).astype(np.float64)
    week_m, before_21d_m = _sum_of(7, distance_m), _shifted(_sum_of(21, distance_m))
    is_enough = (_sum_of(28, (distance_m > 0).astype(np.float64)) >= ACWR_FROM_RUNS) & (
        before_21d_m / 3 >= ACWR_FROM_M
    )
    columns: dict[str, list[object]] = {
        "ran_7d_m": week_m.tolist(),
        "week_before_m": _shifted(week_m).tolist(),
        "descent_7d_m": _sum_of(7, descent_m).tolist(),
        "descent_mean_m": (_shifted(_sum_of(21, descent_m)) / 3).tolist(),
        "has_altitude": (_shifted(_sum_of(21, has_descent)) > 0).tolist(),
        "acwr_uncoupled": [None if math.isnan(one) else one for one in ratio.tolist()],
        "acwr_is_high": _is_high(np.where(is_enough, ratio, np.nan)),
    }
    rows = zip(*columns.values(), strict=True)
    return {
        day: dict(zip(columns, row, strict=True))
        for day, row in zip(sorted(days.to_list()), rows, strict=True)
        if day in asked
    }


def _sum_of(days: int, values: Floats) -> Floats:
    """Sum of each day and those before it; of the first days, of what there is. Never by differences: rest must sum to 0."""
    return np.convolve(values, np.ones(days))[: len(values)]


def _shifted(values: Floats) -> Floats:
    """The values of a week before; NaN in the first week."""
    return np.concatenate((np.full(min(7, len(values)), np.nan), values[:-7]))


def _is_high(ratios: Floats) -> list[object]:
    """Whether the ratio rose above one limit and has not fallen below the other since."""
    is_high, high = False, []
    for ratio in ratios.tolist():
        is_high = ratio > ACWR_HIGH or (is_high and ratio >= ACWR_CALM)
        high.append(is_high)
    return high


def _spike(
    row: Mapping[str, object],
    first_day: date,
    dates: Mapping[str, date],
    seen: dict[str, date],
    rules: Rules,
) -> Spike | None:
    """Return the run as a spike if any signal fires; `seen` remembers when each lasting signal last did."""
    day = row["local_date"]
    started_at = row["started_at"]
    assert isinstance(day, date)
    assert isinstance(started_at, datetime)
    history_days = (day - first_day).days
    if history_days < LOAD_KNOWN_FROM_DAYS:
        return None
    bin_name = str(row["spike_bin"]) if row["spike_bin"] in LEVEL_OF_BIN else "reference"
    is_old = history_days >= ALL_SIGNALS_FROM_DAYS
    has_ramp = is_old and _is_new_signal("ramp", _is_ramp(row, rules), day, seen)
    is_downhill = is_old and _is_new_signal("downhill", _is_downhill(row, rules), day, seen)
    if bin_name == "reference" and not has_ramp and not is_downhill:
        return None
    longest_id = row["longest_30d_activity_id"]
    return Spike(
        activity_id=str(row["activity_id"]),
        started_at=started_at,
        local_date=day,
        bin=bin_name,
        is_ramp=has_ramp,
        is_downhill=is_downhill,
        is_provisional=not is_old,
        window_days=max(
            rules.ramp_window_days if has_ramp else 0,
            rules.spike_window_days if is_downhill or bin_name != "reference" else 0,
        ),
        numbers={
            "activity_id": row["activity_id"],
            "local_date": day.isoformat(),
            "distance_m": row["distance_m"],
            "longest_30d_m": row["longest_30d_m"],
            "longest_30d_activity_id": longest_id,
            "longest_30d_date": dates[str(longest_id)].isoformat() if longest_id in dates else None,
            "spike_ratio": row["spike_ratio"],
            "spike_bin": row["spike_bin"],
            "week_m": row["ran_7d_m"] if has_ramp else None,
            "week_before_m": row["week_before_m"] if has_ramp else None,
            "descent_7d_m": row["descent_7d_m"] if is_downhill else None,
            "descent_mean_m": row["descent_mean_m"] if is_downhill else None,
            "acwr_uncoupled": row["acwr_uncoupled"],
            "acwr_is_high": is_old and row["acwr_is_high"],
            **_off_plan(row),
            "is_provisional": not is_old,
        },
    )


def _off_plan(row: Mapping[str, object]) -> dict[str, float | None]:
    """Return what the plan held of the session and of the week, each only where the runner went well beyond it."""

    def beyond(ran: str, planned: str) -> float | None:
        ran_m, planned_m = _float(row[ran]), _float(row.get(planned))
        if ran_m is None or not planned_m:
            return None
        return planned_m if ran_m > OFF_PLAN_OVER * planned_m and ran_m - planned_m >= OFF_PLAN_BY_M else None

    week_planned_m = beyond("ran_7d_m", "planned_7d_m")
    return {
        "planned_distance_m": beyond("distance_m", "planned_distance_m"),
        "planned_7d_m": week_planned_m,
        "ran_7d_m": _float(row["ran_7d_m"]) if week_planned_m is not None else None,
    }


def _is_ramp(row: Mapping[str, object], rules: Rules) -> bool:
    week_m, before_m = _float(row["ran_7d_m"]), _float(row["week_before_m"])
    return week_m is not None and before_m is not None and is_ramp(week_m, before_m, rules)


def _is_downhill(row: Mapping[str, object], rules: Rules) -> bool:
    descent_m, mean_m = _float(row["descent_7d_m"]), _float(row["descent_mean_m"])
    if descent_m is None or mean_m is None or not row["has_altitude"]:
        return False
    return descent_m >= rules.downhill_from_m and descent_m > rules.downhill_over * mean_m


def _is_new_signal(name: str, fires: bool, day: date, seen: dict[str, date]) -> bool:
    """Tell whether the signal fires and is not just the one of a few days ago going on."""
    if not fires:
        return False
    last = seen.get(name)
    seen[name] = day
    return last is None or (day - last).days > SAME_SIGNAL_DAYS


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value == value else None  # NaN is unknown
