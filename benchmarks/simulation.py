"""
Let a thousand made-up runners live through sixteen weeks, following and ignoring the advice: `make bench-simulation`.

Prints a table and writes benchmarks/out/simulation.json: alerts per runner and fortnight, spikes, how many of them were
announced on the Monday before, and how ready for the race they are. Each runner lives twice with the same luck: illness,
missed runs, runs that became longer, and knees. How knees respond is made up from published rate ratios, so the numbers say
what the rules do to a plan, not how many injuries they prevent. KNEEWATCH_BENCH_RUNNERS says how many runners.
"""

import json
import math
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from statistics import mean

import numpy as np
import polars as pl

from analytics.adjust import Situation, knee_level, proposed, with_changes
from analytics.alerts import find_alerts
from analytics.load import Floats, acwr_uncoupled, spike_bin, with_spikes
from analytics.pain import Report
from analytics.plan import RACE_SESSION, RUN_SESSIONS, dated, upcoming_spikes
from ingest.plans import read_plan

OUT = Path(__file__).parent / "out" / "simulation.json"
RUNNERS = int(os.environ.get("KNEEWATCH_BENCH_RUNNERS", "1000"))
WORKERS = 2
SEED = 20261011
RACE = date(2026, 10, 11)
START = RACE - timedelta(days=111)
DAYS = 112
FORTNIGHTS = DAYS / 14
# Plan, and the runs of each of the four weeks before it: what the plan asks for to begin with.
PLANS = {"half_marathon_beginner": (5, 5, 4, 8), "half_marathon_intermediate": (7, 8, 6, 10.5)}

# Luck, made up.
MISSED = 0.08  # of the runs
ILL = 0.008  # a day, for three to ten days
LONGER, LONGER_BY = 0.04, 1.25  # of the runs: a nice day
NOISE = 0.03  # standard deviation of a run's length over the plan
# Knees. The rate ratios are those of Frandsen et al. 2025; all else is made up.
ONSET = 0.012  # of the runs that are no spike
RATE_RATIOS = {"reference": 1.0, "no_baseline": 1.0, "small": 1.64, "moderate": 1.52, "large": 2.28}
WORSE, BETTER_RUNNING, BETTER_RESTING = 0.30, 0.25, 0.25  # a point up or down, a run or a day without one
HARMLESS_SHARE = 0.6  # of the longest run of 30 days: up to that a sore knee does not get worse
GIVES_UP_AT = 6  # of 10: nobody runs with that, advice or none
REPORTED = 0.8  # of the runs with pain, and with the first ones after it


@dataclass(frozen=True, slots=True)
class Luck:
    """What befalls a runner on each day, whatever they do: shares of 1, and how long a run becomes."""

    missed: Floats
    ill: Floats
    onset: Floats
    change: Floats
    reported: Floats
    length: Floats


@dataclass(slots=True)
class Life:
    """What a runner did and felt so far."""

    runs: list[tuple[date, float]]
    strength: list[date] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    missed: list[date] = field(default_factory=list)
    announced: set[date] = field(default_factory=set)
    pain: int = 0
    had_pain: bool = False


def main() -> None:
    """Simulate, print and write down."""
    found = {}
    with ProcessPoolExecutor(WORKERS) as pool:
        for name, follows in (("ignoring", False), ("following", True)):
            lives = list(pool.map(partial(measured, follows=follows), range(RUNNERS), chunksize=10))
            found[name] = {what: round(mean(float(life[what]) for life in lives), 3) for what in lives[0]}
    print(f"{RUNNERS} runners{'':<23} {'ignoring':>10} {'following':>10}")
    for what in found["ignoring"]:
        print(
            f"{what.replace('_', ' '):<32} {found['ignoring'][what]:10.3f} {found['following'][what]:10.3f}"
        )
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"runners": RUNNERS, "seed": SEED, **found}, indent=2) + "\n")


def measured(number: int, *, follows: bool) -> dict[str, float]:
    """Live one life and return its numbers."""
    name = sorted(PLANS)[number % len(PLANS)]
    plan = dated(read_plan(name), name=name, race_date=RACE)
    life = lived(plan, entry_of(name), luck_of(number), follows=follows)
    return numbers_of(life)


def luck_of(number: int) -> Luck:
    """Draw what befalls the runner of a number; the same each time."""
    random = np.random.default_rng([SEED, number])
    missed, ill, onset, change, reported, longer = random.random((6, DAYS))
    length = random.normal(1.0, NOISE, DAYS) * np.where(longer < LONGER, LONGER_BY, 1.0)
    days_ill = random.integers(3, 11, DAYS)
    is_ill = np.zeros(DAYS)
    for day in np.flatnonzero(ill < ILL):
        is_ill[day : day + days_ill[day]] = 1.0
    return Luck(missed, is_ill, onset, change, reported, length)


def no_luck_needed() -> Luck:
    """Return the days of a runner whom nothing befalls: every run as planned, and no pain."""
    never, always = np.ones(DAYS), np.zeros(DAYS)
    return Luck(missed=never, ill=always, onset=never, change=never, reported=never, length=np.ones(DAYS))


def entry_of(name: str) -> list[tuple[date, float]]:
    """Four weeks of running before the plan."""
    return [
        (START - timedelta(days=7 * week - day), km * 1000.0)
        for week in (4, 3, 2, 1)
        for day, km in zip((1, 3, 5, 6), PLANS[name], strict=True)
    ]


def lived(plan: pl.DataFrame, entry: list[tuple[date, float]], luck: Luck, *, follows: bool) -> Life:
    """Go through the days up to the race; who follows looks at the advice on Mondays and after each report."""
    life = Life(runs=list(entry))
    adjusted, sessions = plan, by_day(plan)
    for number in range(DAYS - 1):  # up to the eve of the race
        today = START + timedelta(days=number)
        has_news = bool(life.reports) and (today - life.reports[-1].local_date).days == 1
        if today.weekday() == 0:
            announce(life, adjusted, today)
        if follows and (today.weekday() == 0 or has_news):
            adjusted = with_changes(plan, proposed(plan, situation_on(life, today)))
            sessions = by_day(adjusted)
        planned = sessions.get(today, [])
        life.strength += [today for session, _ in planned if session == "strength" and not luck.ill[number]]
        runs = [metres for session, metres in planned if session in RUN_SESSIONS and session != RACE_SESSION]
        live_through(life, today, runs[0] if runs else None, luck, number)
    return life


def by_day(plan: pl.DataFrame) -> dict[date, list[tuple[str, float]]]:
    days: dict[date, list[tuple[str, float]]] = {}
    for day, session, metres in plan.select("local_date", "session", "distance_m").iter_rows():
        days.setdefault(day, []).append((session, metres))
    return days


def announce(life: Life, plan: pl.DataFrame, today: date) -> None:
    """Note which runs of the coming week are called a spike."""
    coming = upcoming_spikes(plan, frame_of(life.runs), today=today, days=7)
    spikes = coming.filter(pl.col("spike_bin").is_in(["small", "moderate", "large"]))
    life.announced |= set(spikes["local_date"])


def situation_on(life: Life, today: date) -> Situation:
    return Situation(
        today=today,
        level=knee_level(life.reports, today=today),
        missed_runs=sum((today - day).days <= 14 for day in life.missed),
        runs=[run for run in life.runs if (today - run[0]).days <= 42],
        strength_dates=life.strength[-1:],
    )


def live_through(life: Life, today: date, planned_m: float | None, luck: Luck, number: int) -> None:
    """Run or not, and let the knee answer."""
    rests = luck.ill[number] or life.pain >= GIVES_UP_AT
    if planned_m and (rests or luck.missed[number] < MISSED):
        life.missed.append(today)
        planned_m = None
    if not planned_m:
        life.pain -= life.pain > 0 and luck.change[number] < BETTER_RESTING
        return
    metres = planned_m * luck.length[number]
    longest_m = max((m for day, m in life.runs if 0 < (today - day).days <= 30), default=None)
    if life.pain:
        is_harmless = longest_m is not None and metres <= HARMLESS_SHARE * longest_m
        worse = 0.0 if is_harmless else WORSE
        change = luck.change[number]
        life.pain += 1 if change < worse else -1 if change > 1 - BETTER_RUNNING else 0
    elif luck.onset[number] < ONSET * RATE_RATIOS[spike_bin(metres, longest_m)]:
        life.pain = 1 + int(luck.change[number] * 4)
    life.runs.append((today, metres))
    if (life.pain or life.had_pain) and luck.reported[number] < REPORTED:
        life.reports.append(report_of(today, life.pain))
        life.had_pain = life.pain > 0


def report_of(today: date, pain: int) -> Report:
    return Report(
        report_id=today.isoformat(),
        reported_at=datetime.combine(today, time(12), UTC),
        local_date=today,
        side="right",
        during=float(pain),
        after_60min=0.0,
        next_morning=0.0,
    )


def frame_of(runs: list[tuple[date, float]]) -> pl.DataFrame:
    """Runs as the analytics take them."""
    return pl.DataFrame(
        {
            "activity_id": [f"{day}" for day, _ in runs],
            "local_date": [day for day, _ in runs],
            "started_at": [datetime.combine(day, time(9), UTC) for day, _ in runs],
            "distance_m": [metres for _, metres in runs],
        }
    )


def days_of(runs: list[tuple[date, float]]) -> pl.DataFrame:
    """Metres of each day without gaps."""
    first = runs[0][0]
    metres = np.zeros((RACE - first).days)
    for day, distance_m in runs:
        metres[(day - first).days] += distance_m
    return pl.DataFrame(
        {
            "local_date": pl.date_range(first, RACE - timedelta(days=1), "1d", eager=True),
            "distance_m": metres,
            "steep_descent_m": pl.Series([None] * len(metres), dtype=pl.Float64),
            "acwr_uncoupled": pl.Series(acwr_uncoupled(metres)).fill_nan(None),
        }
    )


def numbers_of(life: Life) -> dict[str, float]:
    """Count alerts and spikes of the sixteen weeks, and say how ready the runner is on the eve of the race."""
    runs = frame_of(life.runs)
    spikes = with_spikes(runs)
    runs = runs.join(spikes, on="activity_id")
    eve = RACE - timedelta(days=1)
    alerts = [
        alert
        for alert in find_alerts(runs, days_of(life.runs), life.reports, athlete="me", today=eve)
        if alert.local_date >= START
    ]
    run_spikes = list(spike_days(runs))
    longest_m = max((metres for day, metres in life.runs if (RACE - day).days <= 30), default=math.inf)
    is_no_spike = spike_bin(21_097.5, longest_m) == "reference"
    return {
        "alerts_per_fortnight": len(alerts) / FORTNIGHTS,
        "alerts_of_load_alone_per_fortnight": sum(a.rule == "load_spike" for a in alerts) / FORTNIGHTS,
        "warnings_and_stops_per_fortnight": sum(a.severity in ("warning", "stop") for a in alerts)
        / FORTNIGHTS,
        "spikes_per_runner": len(run_spikes),
        "of_them_announced": sum(day in life.announced for day in run_spikes),
        "days_with_pain_reported": len({r.local_date for r in life.reports if r.peak}),
        "km_per_week": sum(metres for day, metres in life.runs if day >= START) / 16_000,
        "race_over_the_longest_run": 21_097.5 / longest_m - 1,
        "race_is_no_spike": is_no_spike,
        "knee_is_quiet_before_the_race": life.pain <= 2,
        "ready": is_no_spike and life.pain <= 2,
    }


def spike_days(runs: pl.DataFrame) -> Iterator[date]:
    """Days of the runs of the plan that were a spike."""
    is_spike = pl.col("spike_bin").is_in(["small", "moderate", "large"])
    yield from runs.filter(is_spike, pl.col("local_date") >= START)["local_date"]


if __name__ == "__main__":
    main()
