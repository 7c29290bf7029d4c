"""
Measure what each web page costs the server: `make bench-web`.

Prints a table and writes benchmarks/out/web.json: median and 99th percentile of the time from request to answer, for one
runner's ten years and for 200 athletes, alone and while another process keeps writing and publishing; and the page's bytes.
KNEEWATCH_BENCH_RUNS and KNEEWATCH_BENCH_ATHLETES make it smaller, KNEEWATCH_BENCH_REQUESTS longer.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.analytics import FIRST_DAY, TEN_YEARS, day_of, write_run
from flows import steps
from flows.steps import Clock
from ingest.logs import pain_report
from kneewatch.web.app import create_app
from kneewatch.web.pages import PAGES
from sample_data.history import made_up_samples, write_activity
from store import home as homes
from store.database import opened_published, opened_store, transaction
from store.home import Home
from store.settings import read_settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message

OUT = Path(__file__).parent / "out" / "web.json"
RUNS = int(os.environ.pop("KNEEWATCH_BENCH_RUNS", TEN_YEARS))
ATHLETES = int(os.environ.pop("KNEEWATCH_BENCH_ATHLETES", "200"))
REQUESTS = int(os.environ.pop("KNEEWATCH_BENCH_REQUESTS", "300"))
RUNS_OF_EACH = 12
HOST = "127.0.0.1:8765"
A_RUN = "/runs/…"
"""Stands for the runs of the athlete one after the other, so that each is read for the first time."""
ADDRESSES = [*(page.ADDRESS for page in PAGES), A_RUN]
PLAN = '[athletes.me.plan]\nname = "half_marathon_beginner"\nrace_date = {race}\n'
WRITE = "--write"


def main() -> None:
    """Measure and write down; with --write HOME keep writing into that home until killed."""
    if WRITE in sys.argv:
        keep_writing(homes.at(sys.argv[-1]))
    found: dict[str, Any] = {}
    print(f"{'home':<14} {'page':<12} {'':<9} {'median':>9} {'p99':>9} {'bytes':>9}")
    for name, make in HOMES.items():
        with tempfile.TemporaryDirectory() as folder:
            home = homes.at(Path(folder)).prepare()
            make(home)
            for how, beside in (("alone", nullcontext()), ("writing", another_writes(home))):
                with beside:
                    for address in ADDRESSES:
                        one = asyncio.run(costs(home, address))
                        found[f"{name} {address} {how}"] = one
                        print(
                            f"{name:<14} {address:<12} {how:<9} {one['median_ms']:6.1f} ms {one['p99_ms']:6.1f} ms {one['bytes']:>9}"
                        )
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(found, indent=2))
    print(OUT)


def ten_years(home: Home) -> None:
    """One runner's runs of ten years, in the middle of a plan, with a knee that comes back now and then."""
    race = clock().today + timedelta(days=56)
    home.settings_file.write_text("[athletes.me]\n" + PLAN.format(race=race.isoformat()))
    with opened_store(home) as con, transaction(con):
        for place in range(RUNS):
            write_run(con, home, place)
    steps.bring_up_to_date(home, read_settings(home), clock())


def many_athletes(home: Home) -> None:
    """A coach's athletes with the runs of two weeks each."""
    keys = [f"runner-{number}" for number in range(ATHLETES)]
    tables = "".join(f"[athletes.{key}]\n" for key in keys)
    home.settings_file.write_text(f'default_athlete = "{keys[0]}"\n{tables}')
    with opened_store(home) as con, transaction(con):
        for number, key in enumerate(keys):
            for place in range(RUNS_OF_EACH):
                started_at = clock().now - timedelta(hours=29 * place + 10)
                samples = made_up_samples(started_at, seconds=600, speed_m_per_s=2.7, hr_bpm=None, seed=place)
                name = f"{number * RUNS_OF_EACH + place:064d}"
                write_activity(con, home, samples, started_at=started_at, activity_id=name, athlete=key)
    settings = read_settings(home)
    with steps.in_one_go(home, "benchmark"):
        steps.refresh(home, settings, clock())
        steps.raise_alerts(home, settings, clock())


HOMES: dict[str, Callable[[Home], None]] = {"ten years": ten_years, f"{ATHLETES} athletes": many_athletes}


def clock() -> Clock:
    """Return the evening after the last run."""
    today = day_of(RUNS - 1)
    return Clock(datetime.combine(today, time(20), UTC), today)


async def costs(home: Home, address: str) -> dict[str, float]:
    """
    Return what a page costs, asked for again and again; the first time does not count, when templates are compiled.

    A_RUN is another run each time.
    """
    app = create_app(home, allowed_hosts=[HOST], clock=lambda _: clock())
    addresses = [address]
    if address == A_RUN:
        with opened_published(home) as con:
            ids = con.execute(
                "select activity_id from runs where athlete = ? order by started_at desc limit ?",
                [read_settings(home).default_athlete, REQUESTS + 1],
            ).fetchall()
        addresses = [f"/runs/{activity_id}" for (activity_id,) in ids]
    await answer(app, addresses[-1])
    took_ms, size = [], 0
    for number in range(REQUESTS):
        began_s = perf_counter()
        size = await answer(app, addresses[number % len(addresses)])
        took_ms.append(1000 * (perf_counter() - began_s))
    return {
        "median_ms": round(float(np.median(took_ms)), 1),
        "p99_ms": round(float(np.quantile(took_ms, 0.99)), 1),
        "bytes": size,
    }


async def answer(app: ASGIApp, address: str) -> int:
    """Ask for a page as the server does, and return its bytes."""
    size, status = 0, 0

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal size, status
        status = message.get("status", status)
        size += len(message.get("body", b""))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": address,
        "raw_path": address.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", HOST.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8765),
    }
    await app(scope, receive, send)
    if status != 200:
        raise RuntimeError(f"{address} answered {status}")
    return size


@contextmanager
def another_writes(home: Home) -> Iterator[None]:
    """Let another process take down facts and publish meanwhile, as an intake does."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.web", WRITE, str(home.root)])
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def keep_writing(home: Home) -> None:
    """Report pain, compute and publish without end."""
    settings = read_settings(home)
    key = settings.default_athlete
    minute = 0
    while True:
        at = time(minute // 60 % 24, minute % 60)
        report = pain_report(
            athlete=key, zone=UTC, on=FIRST_DAY.date(), at=at, side="left", during=1, source="benchmark"
        )
        steps.log_pain(home, settings, clock(), report)
        minute += 1


if __name__ == "__main__":
    main()
