"""
Measure how long it takes to find the duplicates of a long history, and what a new file costs: `make bench-duplicates`.

Prints a table and writes benchmarks/out/duplicates.json: seconds for 10,000 activities at once, and milliseconds for one
new activity in a store with 100, 1,000 and 10,000 others, with the ratio of the last to the first.
"""

import json
import statistics
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter

import numpy as np

from ingest.duplicates import MOMENTS, Candidate, Outline, find_duplicates
from ingest.settle import settle
from store import home as homes
from store.database import insert_rows, opened_store, transaction
from store.home import Home

OUT = Path(__file__).parent / "out" / "duplicates.json"
HISTORIES = (100, 1_000, 10_000)
NEW_FILES = 30
FIRST_DAY = datetime(2016, 1, 1, 6, tzinfo=UTC)
EVERY = timedelta(hours=12)
COPIES = 4
"""One in so many runs comes a second time, as a platform's copy."""


def main() -> None:
    """Measure and write down."""
    candidates = [made_up(place) for place in range(HISTORIES[-1])]
    started = perf_counter()
    found = find_duplicates(candidates)
    all_s = perf_counter() - started
    doubled = sum(verdict.canonical_id is not None for verdict in found.values())
    assert doubled == HISTORIES[-1] // COPIES, doubled
    print(f"{len(candidates):,} activities, {doubled:,} of them duplicates: found in {all_s:.2f} s")
    per_file_ms = {}
    for history in HISTORIES:
        with tempfile.TemporaryDirectory() as folder:
            per_file_ms[history] = new_file_ms(homes.at(folder).prepare(), history)
        print(f"one new file beside {history:>6,} others: {per_file_ms[history]:.1f} ms to judge")
    growth = per_file_ms[HISTORIES[-1]] / per_file_ms[HISTORIES[0]]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(
        json.dumps(
            {"find_10000_s": all_s, "new_file_ms": per_file_ms, "ratios": {"growth": growth}}, indent=2
        )
    )
    print(f"growth from {HISTORIES[0]:,} to {HISTORIES[-1]:,}: × {growth:.2f}\n{OUT}")


def made_up(place: int) -> Candidate:
    """Return a run of a history: two a day on ways of their own, and every fourth a copy of the one before."""
    is_copy = place % COPIES == COPIES - 1
    run = place - is_copy
    rng = np.random.default_rng(run)
    turns = np.cumsum(rng.normal(0, 0.002, (2, MOMENTS)), axis=1)
    distance_m = float(rng.uniform(4_000, 20_000))
    return Candidate(
        activity_id=f"{place:064d}",
        is_run=True,
        started_at=FIRST_DAY + run * EVERY + timedelta(seconds=3 * is_copy),
        elapsed_s=distance_m / 2.8,
        distance_m=distance_m + is_copy,
        avg_hr_bpm=150.0,
        outline=Outline(52 + turns[0], 4 + turns[1], np.linspace(0, distance_m, MOMENTS)),
        richness=(float(not is_copy), 0.0),
    )


def new_file_ms(home: Home, history: int) -> float:
    """Return the median time to judge one new activity in a store with so many others."""
    times = []
    with opened_store(home) as con:
        with transaction(con):
            for place in range(history):
                store(con, made_up(place))
            settle(con, "me")
        for place in range(history, history + NEW_FILES):
            one = made_up(place)
            with transaction(con):
                store(con, one)
                started = perf_counter()
                settle(con, "me", days=[one.started_at.date()])
                times.append(perf_counter() - started)
    return 1000 * statistics.median(times)


def store(con: object, one: Candidate) -> None:
    """Write an activity and its outline as an intake does."""
    day: date = one.started_at.date()
    row = {
        "activity_id": one.activity_id,
        "athlete": "me",
        "export_id": one.activity_id,
        "sport": "running",
        "is_run": True,
        "is_indoor": False,
        "started_at": one.started_at,
        "local_date": day,
        "utc_offset_s": 0,
        "elapsed_s": one.elapsed_s,
        "timer_s": one.elapsed_s,
        "distance_m": one.distance_m,
        "avg_hr_bpm": one.avg_hr_bpm,
        "device": "watch" if one.richness[0] else None,
    }
    insert_rows(con, "activities", [row])  # type: ignore[arg-type]
    outline = {
        "activity_id": one.activity_id,
        "lat_deg": one.outline.lat_deg.tolist(),
        "lon_deg": one.outline.lon_deg.tolist(),
        "distance_m": one.outline.distance_m.tolist(),
        "known_columns": 4,
        "samples": 3600,
    }
    insert_rows(con, "outlines", [outline])  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
