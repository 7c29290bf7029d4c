"""
Measure what raising alerts costs: `make bench-alerts`.

Prints and writes benchmarks/out/alerts.json: milliseconds for sixteen weeks of one athlete, by `find_alerts` alone and
with the store around it (the sample runner, everything new and nothing new), and seconds for the last day of 10,000
athletes with sixteen weeks each, on two processes, their runs and days at hand. It fails beyond 50 ms and 10 s.
"""

import cProfile
import os
import pstats
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from json import dumps
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import polars as pl

from analytics.alerts import find_alerts
from analytics.calendar import daily_load
from analytics.load import with_spikes
from analytics.pain import Report
from flows.alerting import raise_for_athlete
from flows.steps import Clock, run_all
from sample_data.make import HERE as SAMPLE
from store import home as homes
from store.database import opened_store
from store.settings import read_settings

OUT = Path(__file__).parent / "out" / "alerts.json"
ATHLETES = int(os.environ.get("KNEEWATCH_BENCH_ATHLETES", "10000"))
PROCESSES = 2
KINDS = 50
"""So many different histories; the athletes share their runs, and each has reports of its own."""
DAYS = 16 * 7
TRIES = 40
ONE_WITHIN_MS, ALL_WITHIN_S = 50.0, 10.0
FIRST_DAY = datetime(2026, 6, 1, 6, tzinfo=UTC)
TODAY = (FIRST_DAY + timedelta(days=DAYS - 1)).date()
SAMPLE_RUNNER = Clock(datetime(2026, 10, 3, 18, tzinfo=UTC), date(2026, 10, 3))
NOT_KNOWN = ("timer_s", "descent_m", "steps", "srpe", "hrss", "rtss", "knee_load_klu")


def main() -> None:
    """Measure and write down; with --profile say also where the time goes."""
    if "--profile" in sys.argv:
        with cProfile.Profile() as profile:
            last_days(range(10 * KINDS))
        pstats.Stats(profile).sort_stats("cumulative").print_stats(25)
        return
    frames = made_up_frames(0)
    alone_ms = median_ms(lambda: raise_alerts(0, frames))
    with_store_ms = sample_runner_ms()
    all_s, alerts = everybody_s()
    print(f"one athlete, sixteen weeks: {alone_ms:.1f} ms to find the alerts")
    for what, ms in with_store_ms.items():
        print(f"the sample runner with the store, {what.replace('_', ' ')}: {ms:.1f} ms")
    print(f"{ATHLETES:,} athletes, {alerts:,} alerts of their last day: {all_s:.2f} s")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    result = {
        "one_athlete_ms": alone_ms,
        "sample_runner_ms": with_store_ms,
        "athletes": ATHLETES,
        "all_s": all_s,
    }
    OUT.write_text(dumps(result, indent=2))
    print(OUT)
    assert max(alone_ms, *with_store_ms.values()) < ONE_WITHIN_MS, result
    assert all_s < ALL_WITHIN_S, result


# One athlete -----------------------------------------------------------------------------------------------


def raise_alerts(place: int, frames: tuple[pl.DataFrame, pl.DataFrame]) -> int:
    """Return how many alerts the athlete's last day has."""
    alerts = find_alerts(*frames, made_up_reports(place), athlete=f"athlete {place}", today=TODAY)
    return sum(alert.local_date == TODAY for alert in alerts)


def sample_runner_ms() -> dict[str, float]:
    """Return the median time to raise the sample runner's alerts in a store: when all are new, and when none is."""
    with tempfile.TemporaryDirectory() as folder:
        home = homes.at(Path(folder)).prepare()
        shutil.copytree(SAMPLE / "inbox", home.inbox, dirs_exist_ok=True)
        shutil.copy(SAMPLE / "kneewatch.toml", home.settings_file)
        settings = read_settings(home)
        run_all(home, settings, SAMPLE_RUNNER)
        with opened_store(home) as con:
            athlete, count = con.execute("select any_value(athlete), count(*) from alerts").fetchone() or (
                "",
                0,
            )
            assert count > 0

            def again() -> None:
                raise_for_athlete(con, settings, athlete, today=SAMPLE_RUNNER.today, now=SAMPLE_RUNNER.now)

            def forget() -> None:
                con.execute("delete from deliveries")
                con.execute("delete from alerts")

            return {"everything_new": median_ms(again, before=forget), "nothing_new": median_ms(again)}


def median_ms(measured: Callable[[], object], *, before: Callable[[], object] = lambda: None) -> float:
    times = []
    for _ in range(TRIES):
        before()
        started = perf_counter()
        measured()
        times.append(perf_counter() - started)
    return 1000 * statistics.median(times)


# Everybody -------------------------------------------------------------------------------------------------


def everybody_s() -> tuple[float, int]:
    """Return the seconds that the last day of all athletes takes, and how many alerts it has."""
    os.environ["POLARS_MAX_THREADS"] = "1"  # the processes share the cores, and their frames are small
    shares = [range(first, ATHLETES, PROCESSES) for first in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(last_days, shares))
    return max(took_s for took_s, _ in found), sum(alerts for _, alerts in found)


def last_days(places: range) -> tuple[float, int]:
    """Return the seconds it took, without making the histories up, and the alerts."""
    frames = [made_up_frames(kind) for kind in range(KINDS)]
    took_s, alerts = 0.0, 0
    for place in places:
        reports = made_up_reports(place)
        started = perf_counter()
        found = find_alerts(*frames[place % KINDS], reports, athlete=f"athlete {place}", today=TODAY)
        took_s += perf_counter() - started
        alerts += sum(alert.local_date == TODAY for alert in found)
    return took_s, alerts


def made_up_frames(kind: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the runs and days of sixteen weeks: four runs a week, now and then much longer than before."""
    chance = random.Random(kind)
    days = [day for day in range(DAYS) if day % 7 in (0, 2, 4, 6)]
    runs = pl.DataFrame(
        {
            "activity_id": [f"{kind} {day}" for day in days],
            "started_at": [FIRST_DAY + timedelta(days=day) for day in days],
            "local_date": [(FIRST_DAY + timedelta(days=day)).date() for day in days],
            "distance_m": [1000.0 * chance.choice((6, 7, 7, 8, 8, 8, 9, 9, 10, 14)) for _ in days],
            "steep_descent_m": [10.0 * chance.choice((0, 1, 2, 9)) for _ in days],
        },
        schema_overrides={"started_at": pl.Datetime("us", "UTC")},
    )
    compared = runs.join(with_spikes(runs), on="activity_id", how="left", maintain_order="left")
    loads = compared.with_columns(**{name: pl.lit(None, pl.Float64) for name in NOT_KNOWN})
    strength = pl.DataFrame(schema={"local_date": pl.Date, "srpe": pl.Float64})
    return compared, daily_load(loads, strength, through=TODAY)


def made_up_reports(place: int) -> list[Report]:
    """Return a report after every run: a third of the athletes never has pain, a third a little, a third is sore half of the time."""
    chance = random.Random(place)
    scores = ((0,), (0, 0, 0, 1), (0, 0, 1, 2, 3, 5))[place % 3]
    told_at = [FIRST_DAY + timedelta(days=day, hours=13) for day in range(DAYS) if day % 7 in (0, 2, 4, 6)]
    return [
        Report(
            report_id=f"{place} {number}",
            reported_at=at,
            local_date=at.date(),
            side=chance.choice(("left", "right", "right")),
            during=chance.choice(scores),
            after_60min=chance.choice((None, 0)),
        )
        for number, at in enumerate(told_at)
    ]


if __name__ == "__main__":
    main()
