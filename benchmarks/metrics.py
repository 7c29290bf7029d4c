"""
Measure how long it takes to compute everything again that is derived from ten years of runs: `make bench-metrics`.

Prints a table and writes benchmarks/out/metrics.json: seconds for the first time, for all metrics again after a change of
formula, for a refresh in which nothing changed, and for one new run; all over about 2,500 made-up runs of an hour, a
sample a second. KNEEWATCH_BENCH_RUNS says how many runs, for a quick look.
"""

import cProfile
import json
import os
import pstats
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import duckdb

from flows.refresh import refresh_athlete
from sample_data.history import made_up_samples, write_activity
from store import home as homes
from store.database import opened_store, transaction
from store.home import Home
from store.settings import Settings

OUT = Path(__file__).parent / "out" / "metrics.json"
RUNS = int(os.environ.get("KNEEWATCH_BENCH_RUNS", "2500"))
FIRST_DAY = datetime(2016, 1, 1, 6, tzinfo=UTC)
EVERY = timedelta(hours=35)  # 2,500 runs in ten years
RUN_S = 3600
SETTINGS = Settings.model_validate(
    {"default_athlete": "me", "athletes": {"me": {"sex": "female", "birth_year": 1988}}}
)
NOTHING_CHANGED_WITHIN_S = 5.0
SHOWN_FUNCTIONS = 25


def main() -> None:
    """Measure and write down; with --profile say also where the time goes."""
    with (
        tempfile.TemporaryDirectory() as folder,
        opened_store(home := homes.at(Path(folder)).prepare()) as con,
    ):
        with transaction(con):
            for place in range(RUNS):
                write_run(con, home, place)
        seconds = {
            "first_time": timed(con, home),
            "formula_changed": formula_changed_s(con, home),
            "nothing_changed": timed(con, home),
        }
        write_run(con, home, RUNS)
        seconds["one_new_run"] = timed(con, home)
        seconds["everything_from_samples"] = timed(con, home, rebuild=True)
    for what, took_s in seconds.items():
        print(f"{what.replace('_', ' '):<24} {took_s:8.2f} s   {1000 * took_s / RUNS:6.2f} ms a run")
    assert RUNS < 1000 or seconds["nothing_changed"] < NOTHING_CHANGED_WITHIN_S, seconds
    OUT.parent.mkdir(parents=True, exist_ok=True)
    ratios = {"formula_changed_ms_a_run": 1000 * seconds["formula_changed"] / RUNS}
    OUT.write_text(json.dumps({"runs": RUNS, "seconds": seconds, "ratios": ratios}, indent=2))
    print(OUT)


def write_run(con: duckdb.DuckDBPyConnection, home: Home, place: int) -> None:
    """Write one of ten years' runs: mostly easy, every fifth harder, a strap in nine of ten."""
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


def formula_changed_s(con: duckdb.DuckDBPyConnection, home: Home) -> float:
    """Forget what the metrics of the runs were computed from, as a new version of a formula does."""
    con.execute("update run_metrics set inputs_key = 'another formula'")
    with profiled("--profile" in sys.argv):
        return timed(con, home)


def timed(con: duckdb.DuckDBPyConnection, home: Home, *, rebuild: bool = False) -> float:
    """Return the seconds that a refresh takes."""
    today = (FIRST_DAY + RUNS * EVERY).date()
    started = perf_counter()
    refresh_athlete(con, home, SETTINGS, "me", today=today, rebuild=rebuild)
    return perf_counter() - started


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
