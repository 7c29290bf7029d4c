"""
Faults: whatever cuts an intake short, the next one ends in the same tables as if nothing had happened.

The real command runs on real files in a process of its own, and is killed, or told that the disk is full. A short set runs
with the other tests; the long one with `make test-faults`, which needs Debian's strace for faults at chosen system calls.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from sample_data import damage, fit_writer
from sample_data.recording import record
from sample_data.story import Run
from store import home as homes
from store.database import opened_published
from store.home import Home

KNEEWATCH = Path(sys.executable).with_name("kneewatch")
DAY = date(2026, 7, 2)
SHORT_RUN = record(Run(day=DAY, km=0.3))
SETTINGS = (
    'default_athlete = "mara"\n[athletes.mara]\nresting_hr_bpm = 50\nmax_hr_bpm = 190\nsex = "female"\n'
)
PAIN = b"date,time,side,during\n2026-07-02,20:00,right,3\n2026-07-04,20:00,left,1\n"
TABLES = {
    "exports": "select * exclude (seen_at) from exports where outcome <> 'duplicate' order by all",
    "activities": "from activities order by all",
    "laps": "from laps order by all",
    "outlines": "select activity_id, samples from outlines order by all",
    "pain_reports": "from pain_reports order by all",
    "run_metrics": "from run_metrics order by all",
    "daily_load": "from daily_load order by all",
    "samples": "select activity_id, count(*), sum(distance_m) from samples group by all order by all",
}
STEPS = ("fsync", "rename", "unlink")
"""System calls after which something is on the disk that was not before."""


def files(count: int = 5) -> dict[str, bytes]:
    """Return what is dropped: runs, one file of garbage, one of a double, and a pain log."""
    runs = {f"{day}.fit": run_on(day) for day in range(count)}
    return {**runs, "again.fit": runs["0.fit"], "garbage.fit": damage.garbage_fit(), "pain.csv": PAIN}


@cache
def run_on(day: int) -> bytes:
    started_at = datetime(2026, 7, 2, 8, tzinfo=UTC) + timedelta(days=day)
    return fit_writer.encode(replace(SHORT_RUN, started_at=started_at))


def new_home(folder: Path, **dropped: bytes) -> Home:
    home = homes.at(folder).prepare()
    home.settings_file.write_text(SETTINGS)
    for name, content in (dropped or files()).items():
        (home.inbox / name).write_bytes(content)
        os.utime(home.inbox / name, (time.time() - 60,) * 2)
    return home


def command(home: Home, *before: str) -> list[str]:
    return [*before, str(KNEEWATCH), "ingest", "--home", str(home.root), "--today", "2026-07-20"]


def ingest(home: Home) -> None:
    """Take the inbox in; a refused file is no failure here."""
    done = subprocess.run(command(home), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr, done.stderr


def state_of(home: Home) -> dict[str, list[str]]:
    """Return every table as text, and the names of the files that hold originals."""
    with opened_published(home) as con:
        tables = {
            name: [repr(row) for row in con.execute(query).fetchall()] for name, query in TABLES.items()
        }
    originals = sorted(path.name for path in home.archive.rglob("*") if path.is_file())
    quarantined = sorted(path.name for path in home.quarantine.rglob("*") if path.is_file())
    return {**tables, "archive": originals, "quarantine": quarantined}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    home = new_home(tmp_path_factory.mktemp("undisturbed") / "home")
    ingest(home)
    state = state_of(home)
    assert len(state["activities"]) == 5
    assert len(state["quarantine"]) == 2
    return state


def check(home: Home, undisturbed: dict[str, list[str]]) -> None:
    """Nothing is lost, doubled or half there, and nothing is left lying about."""
    assert state_of(home) == undisturbed
    assert list(home.inbox.iterdir()) == []
    assert list(home.root.rglob("*.tmp")) == []


def kill_until_done(home: Home, rng: random.Random, most_s: float) -> int:
    """Start intakes and kill each at a random moment, later and later, until one is quicker; return how many were killed."""
    for killed in range(200):
        process = subprocess.Popen(
            command(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            process.wait(timeout=rng.uniform(0.1, most_s * (1 + killed / 10)))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        else:
            return killed
    return 200


def test_an_intake_that_is_killed_is_finished_by_the_next(
    undisturbed: dict[str, list[str]], tmp_path: Path
) -> None:
    """At a few random moments; the long set does it hundreds of times."""
    home = new_home(tmp_path / "home")

    killed = kill_until_done(home, random.Random(7), most_s=1.6)
    ingest(home)

    assert killed > 0
    check(home, undisturbed)


def test_two_intakes_at_once_wait_for_each_other(undisturbed: dict[str, list[str]], tmp_path: Path) -> None:
    """One writer at a time; the second finds nothing left to do."""
    home = new_home(tmp_path / "home")

    both = [subprocess.Popen(command(home), stdout=subprocess.DEVNULL) for _ in range(2)]

    assert {process.wait(timeout=120) for process in both} <= {0, 1}
    check(home, undisturbed)


# The long set ----------------------------------------------------------------------------------------------


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(10))
def test_killed_at_random_moments_nothing_is_lost(
    seed: int, undisturbed: dict[str, list[str]], tmp_path: Path
) -> None:
    """Fifty kills each."""
    rng, killed, home = random.Random(seed), 0, None
    while killed < 50:
        home = new_home(tmp_path / f"home{killed}")
        killed += max(kill_until_done(home, rng, most_s=1.3), 1)
        ingest(home)
        check(home, undisturbed)
    assert home is not None


@pytest.fixture(scope="module")
def strace() -> str:
    found = shutil.which("strace")
    if not found:
        pytest.skip("There is no strace here; on Debian: apt-get install strace.")
    if subprocess.run([found, "-o", "/dev/null", "true"], capture_output=True, check=False).returncode:
        pytest.skip("Nothing can be traced here.")
    return found


def calls_of(home: Home, strace: str, log: Path) -> int:
    """Return how many such system calls an undisturbed intake makes in its own process."""
    traced = command(home, strace, "-o", str(log), "-e", f"trace={','.join(STEPS)}")
    subprocess.run(traced, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120, check=False)
    return len(re.findall(rf"^(?:{'|'.join(STEPS)})\(", log.read_text(), re.MULTILINE))


def faults(home: Home, strace: str, effect: str, place: int) -> subprocess.CompletedProcess[str]:
    inject = f"inject={','.join(STEPS)}:{effect}:when={place}"
    traced = command(home, strace, "-o", "/dev/null", "-e", f"trace={','.join(STEPS)}", "-e", inject)
    return subprocess.run(traced, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.faults
@pytest.mark.parametrize("part", range(6))
def test_killed_at_every_step_nothing_is_lost(
    part: int, strace: str, undisturbed: dict[str, list[str]], tmp_path: Path
) -> None:
    """Before each call that brings something to the disk, takes it away or gives it its name."""
    calls = calls_of(new_home(tmp_path / "counted"), strace, tmp_path / "calls")
    assert calls > 40
    for place in range(1 + part, calls + 1, 6):
        home = new_home(tmp_path / f"home{place}")

        killed = faults(home, strace, "signal=KILL", place)
        ingest(home)

        assert killed.returncode != 0, f"not killed at call {place}"
        check(home, undisturbed)


@pytest.mark.faults
@pytest.mark.parametrize("part", range(4))
def test_a_full_disk_at_any_step_loses_nothing(
    part: int, strace: str, undisturbed: dict[str, list[str]], tmp_path: Path
) -> None:
    """The command fails or goes on; with room again, everything is there."""
    calls = calls_of(new_home(tmp_path / "counted"), strace, tmp_path / "calls")
    for place in range(1 + part, calls + 1, 12):
        home = new_home(tmp_path / f"home{place}")

        faults(home, strace, "error=ENOSPC", place)
        ingest(home)

        check(home, undisturbed)


@pytest.mark.faults
def test_a_small_disk_that_is_full_loses_nothing(undisturbed: dict[str, list[str]], tmp_path: Path) -> None:
    """A real one in memory: full at first, with room later."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("Nothing can be mounted here.")
    try:
        for filler_kib in (2_950, 2_800, 2_500, 2_000, 1_000):
            home = new_home(disk / f"home{filler_kib}")
            filler = disk / "filler"
            filler.write_bytes(b"x" * max(0, free_bytes(disk) - (3_000 - filler_kib) * 1024))
            subprocess.run(command(home), capture_output=True, timeout=120, check=False)
            filler.unlink()
            subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)

            ingest(home)

            check(home, undisturbed)
            shutil.rmtree(home.root)
            subprocess.run(["mount", "-o", "remount,size=3m", str(disk)], check=True)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


@pytest.mark.faults
def test_two_thousand_drops_with_two_writers_and_three_readers(tmp_path: Path) -> None:
    """All of them are there once, and no reader ever fails or waits."""
    home = new_home(tmp_path / "home", **{"pain.csv": PAIN})
    ingest(home)
    failures: list[str] = []
    is_over = threading.Event()
    readers = [threading.Thread(target=read_on, args=(home, is_over, failures)) for _ in range(3)]
    writers = [threading.Thread(target=write_on, args=(home, is_over, failures)) for _ in range(2)]
    for thread in (*readers, *writers):
        thread.start()

    for place, content in enumerate(many_runs(2_000)):
        aside = home.inbox / f".{place}.part"
        aside.write_bytes(content)
        aside.rename(home.inbox / f"{place}.fit")
    deadline = time.monotonic() + 300
    while any(home.inbox.iterdir()) and time.monotonic() < deadline and not failures:
        time.sleep(0.5)
    is_over.set()
    for thread in (*readers, *writers):
        thread.join()

    assert failures == []
    ingest(home)
    with opened_published(home) as con:
        counts = con.execute("select count(*), count(distinct activity_id) from runs").fetchall()
        samples = con.execute("select count(distinct activity_id) from samples").fetchall()
    assert (counts, samples) == ([(2_000, 2_000)], [(2_000,)])


def many_runs(count: int) -> Iterator[bytes]:
    """Yield the same run again and again, never whole quarters of an hour apart: those would be copies."""
    for place in range(count):
        started_at = datetime(2026, 7, 2, tzinfo=UTC) - place * timedelta(minutes=125.5)
        yield fit_writer.encode(replace(SHORT_RUN, started_at=started_at))


def read_on(home: Home, is_over: threading.Event, failures: list[str]) -> None:
    seen = 0
    while not is_over.is_set():
        started = time.monotonic()
        with opened_published(home) as con:
            (count,) = con.execute("select count(*) from runs").fetchall()[0]
        if count < seen or time.monotonic() - started > 5:
            failures.append(f"{count} runs after {seen}, {time.monotonic() - started:.1f} s")
        seen = count
        time.sleep(0.2)


def write_on(home: Home, is_over: threading.Event, failures: list[str]) -> None:
    while not is_over.is_set():
        done = subprocess.run(command(home), capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            failures.append(done.stderr or done.stdout)
