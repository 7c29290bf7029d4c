"""
Measure what it costs to compute what is derived from years of runs: `make bench-analytics`.

Prints a table and writes benchmarks/out/analytics.json: the metrics of a run of 3,600 samples, a rebuild of ten years from
their samples, one run added to them with trends and alerts, and how the rebuild grows with the number of runs.
KNEEWATCH_BENCH_FULL=1 goes on to 30,000 runs, KNEEWATCH_BENCH_RUNS ends earlier, --profile says where the time of the
added run goes. Computing is measured as time of the processor, of all processes; a rebuild also by the clock on the wall.
"""

import cProfile
import json
import os
import pstats
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import duckdb
import numpy as np

from analytics.cadence import SPEED_CENTRES_M_PER_S, cadence_by_speed
from analytics.form import form_by_speed, strides_of
from analytics.load import HeartRateProfile
from analytics.pace import best_efforts, seconds_of
from analytics.parameters import heart_rate_marks
from analytics.run_metrics import AthleteValues, metrics_of_run
from analytics.zones import zone_times
from flows.alerting import raise_for_athlete
from flows.refresh import refresh_athlete
from sample_data.history import made_up_samples, write_activity
from store import home as homes
from store.database import insert_rows, opened_store, transaction
from store.home import Home
from store.settings import Settings

OUT = Path(__file__).parent / "out" / "analytics.json"
TEN_YEARS = 3000
LONGER = (10_000, 30_000) if os.environ.get("KNEEWATCH_BENCH_FULL") else ()
MOST = int(os.environ.get("KNEEWATCH_BENCH_RUNS", "30000"))
COUNTS = [count for count in (300, 1000, TEN_YEARS, *LONGER) if count <= MOST] or [MOST]
FIRST_DAY = datetime(2016, 1, 1, 6, tzinfo=UTC)
EVERY = timedelta(hours=29)  # 3,000 runs in ten years
RUN_S = 3600
PAIN_EVERY = 40  # runs; a knee that comes back now and then
SETTINGS = Settings.model_validate(
    {"default_athlete": "me", "athletes": {"me": {"sex": "female", "birth_year": 1988}}}
)
VALUES = AthleteValues(
    heart_rate=HeartRateProfile(sex="female", resting_bpm=52, max_bpm=186, threshold_bpm=166),
    threshold_pace_s_per_km=300,
)
TIMES = 5
SHOWN_FUNCTIONS = 25


def main() -> None:
    """Measure and write down; with --profile say also where the time goes."""
    found: dict[str, Any] = {"run_metrics_ms": run_metrics_ms(), "by_runs": {}}
    print(f"metrics of a run of {RUN_S} samples  {found['run_metrics_ms']:.1f} ms")
    print(f"{'runs':>7}  {'rebuild':>9}  {'computing':>9}  {'a run':>8}  {'one more':>9}")
    with (
        tempfile.TemporaryDirectory() as folder,
        opened_store(home := homes.at(Path(folder)).prepare()) as con,
    ):
        written = 0
        for count in COUNTS:
            with transaction(con):
                for place in range(written, count):
                    write_run(con, home, place)
            found["by_runs"][count] = one = costs(con, home, count)
            written = count + TIMES
            print(
                f"{count:>7}  {one['rebuild_s']:7.1f} s  {one['rebuild_cpu_s']:7.1f} s  "
                f"{1000 * one['rebuild_cpu_s'] / count:5.1f} ms  {one['add_one_ms']:6.0f} ms"
            )
    of_ten_years = found["by_runs"].get(TEN_YEARS, found["by_runs"][COUNTS[-1]])
    found |= {name: of_ten_years[name] for name in ("rebuild_s", "add_one_ms")}
    found["growth_exponent"] = growth_exponent(
        [*found["by_runs"]], [one["rebuild_cpu_s"] for one in found["by_runs"].values()]
    )
    print(f"a rebuild grows with the number of runs to the power of {found['growth_exponent']}")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(found, indent=2))
    print(OUT)


def run_metrics_ms() -> float:
    """Return what everything costs that is computed from the samples of one run."""
    samples = made_up_samples(FIRST_DAY, seconds=RUN_S - 1, speed_m_per_s=2.8, hr_bpm=145)
    usual_spm = np.full(len(SPEED_CENTRES_M_PER_S), 170.0)
    took_s = []
    for _ in range(50):
        began_s = computing_s()
        seconds = seconds_of(samples)
        assert seconds is not None
        strides = strides_of(samples, seconds)
        metrics_of_run(
            samples,
            seconds,
            strides,
            timer_s=RUN_S,
            distance_m=10_000,
            rpe=5,
            values=VALUES,
            usual_cadence_spm=usual_spm,
        )
        zone_times(samples, seconds, values=VALUES)
        form_by_speed(strides)
        best_efforts(samples)
        heart_rate_marks(samples)
        cadence_by_speed(seconds)
        took_s.append(computing_s() - began_s)
    return 1000 * median(took_s)


def costs(con: duckdb.DuckDBPyConnection, home: Home, count: int) -> dict[str, float]:
    """Return what a rebuild costs, and one more run after it; five more are written."""
    refresh(con, home, day_of(count), rebuild=False)
    began_s, began_cpu_s = perf_counter(), computing_s()
    refresh(con, home, day_of(count), rebuild=True)
    found = {"rebuild_s": perf_counter() - began_s, "rebuild_cpu_s": computing_s() - began_cpu_s}
    took_s = []
    for place in range(count, count + TIMES):
        write_run(con, home, place)
        with profiled("--profile" in sys.argv and place == count + TIMES - 1):
            began_s = computing_s()
            refresh(con, home, day_of(place), rebuild=False)
            took_s.append(computing_s() - began_s)
    return found | {"add_one_ms": 1000 * median(took_s)}


def refresh(con: duckdb.DuckDBPyConnection, home: Home, today: date, *, rebuild: bool) -> None:
    """Compute what is derived, and the alerts."""
    refresh_athlete(con, home, SETTINGS, "me", today=today, rebuild=rebuild)
    raise_for_athlete(con, SETTINGS, "me", today=today, now=FIRST_DAY)


def write_run(con: duckdb.DuckDBPyConnection, home: Home, place: int) -> None:
    """Write one of ten years' runs: mostly easy, every fifth harder, a strap in nine of ten; the knee hurts now and then."""
    started_at = FIRST_DAY + place * EVERY
    is_hard = place % 5 == 4
    samples = made_up_samples(
        started_at,
        seconds=RUN_S,
        speed_m_per_s=3.2 if is_hard else 2.6,
        hr_bpm=None if place % 10 == 0 else 168 if is_hard else 142,
        seed=place,
    )
    write_activity(con, home, samples, started_at=started_at, activity_id=f"{place:064d}")
    if place % PAIN_EVERY == 0:
        known = {"report_id": str(place), "athlete": "me", "side": "left", "flags": [], "source": "benchmark"}
        reported_at = started_at + timedelta(hours=3)
        row = known | {
            "reported_at": reported_at,
            "local_date": reported_at.date(),
            "during": place // PAIN_EVERY % 6,
        }
        insert_rows(con, "pain_reports", [row])


def day_of(place: int) -> date:
    """Return the day of a run."""
    return (FIRST_DAY + place * EVERY).date()


def computing_s() -> float:
    """Return the time of the processor so far, with that of processes that have ended."""
    of_all = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in of_all)


def growth_exponent(counts: list[int], took_s: list[float]) -> float | None:
    """Return the slope of the logarithms: 1 is linear, 2 quadratic; None with one count."""
    if len(counts) < 2:
        return None
    return round(float(np.polyfit(np.log(counts), np.log(took_s), 1)[0]), 3)


@contextmanager
def profiled(wanted: bool) -> Iterator[None]:
    """Print where the time goes."""
    if not wanted:
        yield
        return
    with cProfile.Profile() as profile:
        yield
    pstats.Stats(profile).sort_stats("cumulative").print_stats(SHOWN_FUNCTIONS)


if __name__ == "__main__":
    main()
