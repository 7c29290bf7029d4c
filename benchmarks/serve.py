"""
Measure `kneewatch serve` on a home with ten years of history: `make bench-serve`.

Prints a table and writes benchmarks/out/serve.json: from drop to row in kneewatch.duckdb, from drop to the alert at a channel on
loopback, how much of that is Prefect's, the processor's time while nothing happens, and memory over a day of drops
(simulated: KNEEWATCH_BENCH_DROPS of them, as fast as they are taken in). KNEEWATCH_BENCH_RUNS says how long the history is, KNEEWATCH_BENCH_TIMED how many drops are timed.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from flows import steps
from flows.prefect_server import is_healthy
from sample_data import fit_writer
from sample_data.history import made_up_samples, write_activity
from sample_data.recording import Recording, record
from sample_data.story import Run
from store import home as homes
from store.database import opened_published, opened_store, transaction
from store.home import Home
from store.settings import read_settings

OUT = Path(__file__).parent / "out" / "serve.json"
KNEEWATCH = Path(sys.executable).with_name("kneewatch")
# Out of the environment: kneewatch takes whatever begins so for a setting.
RUNS = int(os.environ.pop("KNEEWATCH_BENCH_RUNS", "3000"))
DROPS = int(os.environ.pop("KNEEWATCH_BENCH_DROPS", "288"))  # one every five minutes for a day
TIMED_DROPS = int(os.environ.pop("KNEEWATCH_BENCH_TIMED", "30"))
ALERTS = 5
IDLE_S = 60
RUN_S = 3600
EVERY = timedelta(hours=29)
LOOK_EVERY_S = 0.05
PATIENCE_S = 600
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20
NAMES = ("flows.prefect_server", "ingest.workers", "serve")
ATHLETES = ("me", *(f"other{place}" for place in range(ALERTS)))
SETTINGS = """\
default_athlete = "me"
[channels.here]
url = "json://127.0.0.1:{port}/"
athletes = {athletes}
[schedules]
intake = "*/15 * * * *"
review = "0 6 * * *"
daily = "30 6 * * *"
"""
SHORT_RUN = record(Run(day=date(2026, 7, 1), km=0.5))
RUN = record(Run(day=date(2026, 7, 1), km=6))
PAIN = "date,side,during,flags\n{day},left,6,swelling\n"


def main() -> None:
    """Measure and write down."""
    with tempfile.TemporaryDirectory() as folder, channel() as (port, letters):
        home = homes.at(folder).prepare()
        home.settings_file.write_text(
            SETTINGS.format(port=port, athletes=[*ATHLETES]) + "".join(map(athlete_table, ATHLETES))
        )
        write_history(home)
        found: dict[str, Any] = {"runs": RUNS, "drops_in_a_day": DROPS}
        with serving(home) as process:
            for what, value in measured(home, process, letters):
                print(f"{what:<28} {value:.2f}" if isinstance(value, float) else f"{what:<28} {value}")
                sys.stdout.flush()  # a day of drops takes half an hour
                found[what] = value
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(found, indent=1) + "\n")


def measured(home: Home, process: subprocess.Popen[bytes], letters: list[float]) -> Iterator[tuple[str, Any]]:
    """Yield what is measured, name with unit and figure, as soon as it is; the last one stops the process."""
    last = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)

    def dropped_s(name: str, started_at: datetime, recording: Recording = RUN) -> float:
        return drop(home, fit_writer.encode(replace(recording, started_at=started_at)), name)

    dropped_s("warm.fit", last - timedelta(hours=TIMED_DROPS + 2))
    rows_s = [dropped_s(f"{place}.fit", last - timedelta(hours=place + 2)) for place in range(TIMED_DROPS)]
    yield "drop_to_row_p50_s", median(rows_s)
    yield "drop_to_row_p95_s", quantiles(rows_s, n=20)[-1]
    yield "of_it_taking_in_p50_s", of_it_taking_in_s(home)
    yield "drop_to_alert_s", [round(seconds, 2) for seconds in alerts_s(home, letters)]
    before_s = cpu_s(process.pid)
    time.sleep(IDLE_S)
    idle = {name: 100 * (total_s - before_s[name]) / IDLE_S for name, total_s in cpu_s(process.pid).items()}
    yield "idle_cpu_percent", sum(idle.values())
    yield "of_it_percent", {name: round(percent, 2) for name, percent in idle.items()}
    for place in range(DROPS + 1):
        if place % max(DROPS // 6, 1) == 0:
            yield (
                f"resident_mib_after_{place}",
                {name: round(mib) for name, mib in resident_mib(process.pid).items()},
            )
        dropped_s(f"day{place}.fit", last - timedelta(days=3) + timedelta(minutes=5 * place), SHORT_RUN)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait()
    yield "stop_s", time.monotonic() - began


def athlete_table(key: str) -> str:
    return f'[athletes.{key}]\nsex = "female"\nbirth_year = 1988\ntime_zone = "UTC"\n'


def write_history(home: Home) -> None:
    """Write years of runs of an hour that end four days ago, and publish what follows from them."""
    last = datetime.now(UTC) - timedelta(days=4)
    samples = [
        made_up_samples(
            last, seconds=RUN_S, speed_m_per_s=2.6 + 0.1 * seed, hr_bpm=140.0 + 3 * seed, seed=seed
        )
        for seed in range(8)
    ]
    with opened_store(home) as con, transaction(con):
        for place in range(RUNS):
            started_at = last - EVERY * (RUNS - 1 - place)
            one = samples[place % len(samples)]
            shifted = one.with_columns(at=one["at"] + (started_at - last))
            write_activity(con, home, shifted, started_at=started_at, activity_id=f"run{place:05}")
    settings = read_settings(home)
    steps.review(home, settings, steps.clock_of(settings))


@contextmanager
def channel() -> Iterator[tuple[int, list[float]]]:
    """Yield the port of a channel on loopback, and when its letters came."""
    letters: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            letters.append(time.monotonic())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], letters
    server.shutdown()


@contextmanager
def serving(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a `kneewatch serve` whose Prefect server answers."""
    process = subprocess.Popen([KNEEWATCH, "serve", "--home", home.root], stdout=subprocess.PIPE)
    assert process.stdout
    url = process.stdout.readline().split()[2].decode()
    try:
        wait_until(lambda: is_healthy(url))
        time.sleep(10)  # the deployments are registered
        yield process
    finally:
        process.kill()


def drop(home: Home, content: bytes, name: str) -> float:
    """Drop a file, wait until its row is published and the flow is through, and return after how long the row was there."""
    aside = home.inbox / f".{name}.part"
    aside.write_bytes(content)
    began = time.monotonic()
    aside.rename(home.inbox / name)
    wait_until(lambda: is_published(home, name))
    took_s = time.monotonic() - began
    wait_until(lambda: is_idle(home))
    return took_s


def is_published(home: Home, name: str) -> bool:
    with opened_published(home) as con:
        return bool(con.execute("select 1 from exports where file_name = ?", [name]).fetchall())


def is_idle(home: Home) -> bool:
    """Tell whether the last intake that brought something has been followed by a review to its end."""
    with opened_published(home) as con:
        rows = con.execute(
            "select max(started_at) filter (step = 'publish') > max(started_at) filter (step = 'take_in' and "
            "coalesce(counts ->> 'ingested', counts ->> 'partly_ingested', counts ->> 'quarantined') is not null) "
            "from flow_log"
        ).fetchall()
    return bool(rows[0][0])


def of_it_taking_in_s(home: Home) -> float:
    with opened_published(home) as con:
        rows = con.execute(
            "select epoch(ended_at - started_at) from flow_log where step = 'take_in' and counts ->> 'ingested' = '1'"
        ).fetchall()
    return float(median(row[0] for row in rows))


def alerts_s(home: Home, letters: list[float]) -> Iterator[float]:
    """Drop a report with a red flag of one athlete after the other, and yield after how long its letter was there."""
    for athlete in ATHLETES[1:]:
        folder = home.inbox / athlete
        folder.mkdir(exist_ok=True)
        count = len(letters)
        began = time.monotonic()
        (folder / "pain.csv").write_text(PAIN.format(day=datetime.now(UTC).date()))
        wait_until(lambda count=count: len(letters) > count)  # type: ignore[misc]
        yield letters[count] - began
        wait_until(lambda: is_idle(home))
        shutil.rmtree(folder)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come")
        time.sleep(LOOK_EVERY_S)


def cpu_s(serve: int) -> dict[str, float]:
    """Return the processor's time that each process has taken, by what it is."""
    return by_name(serve, lambda process: sum(map(int, fields_of(process)[11:13])) / TICKS_PER_S)


def resident_mib(serve: int) -> dict[str, float]:
    """Return the memory of each process, by what it is."""
    return by_name(serve, lambda process: int(fields_of(process)[21]) * PAGE_MIB)


def by_name(serve: int, figure: Callable[[Path], float]) -> dict[str, float]:
    """Return a figure of the process and of those below it, by what they are."""
    found: dict[str, float] = {}
    for pid in family_of(serve):
        process = Path(f"/proc/{pid}")
        words = (process / "cmdline").read_bytes().decode().split("\0")
        name = next((word for word in words if word in NAMES), "other")
        found[name] = found.get(name, 0) + figure(process)
    return found


def fields_of(process: Path) -> list[str]:
    return (process / "stat").read_text().rpartition(")")[2].split()


def family_of(pid: int) -> list[int]:
    children = [
        int(child)
        for file in Path(f"/proc/{pid}/task").glob("*/children")
        for child in file.read_text().split()
    ]
    return [pid, *(below for child in children for below in family_of(child))]


if __name__ == "__main__":
    main()
