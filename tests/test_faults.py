"""
Faults: whatever cuts an intake short, the next one ends in the same tables as if nothing had happened.

The real command runs on real files in a process of its own, and is killed, or told that the disk is full. A short set runs
with the other tests; the long one with `make test-faults`, which needs Debian's strace for faults at chosen system calls.
"""

from __future__ import annotations

import fcntl
import os
import random
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.prefect_server import running_server, wait_until_healthy
from flows.steps import Clock, retry, take_in
from sample_data import damage, fit_writer
from sample_data.recording import record
from sample_data.story import Run
from store import home as homes
from store.database import opened_published
from store.home import Home
from store.settings import read_settings

KNEEWATCH = Path(sys.executable).with_name("kneewatch")
DAY = date(2026, 7, 2)
SHORT_RUN = record(Run(day=DAY, km=0.3))
LONG_RUN = record(Run(day=DAY, km=0.9))
SETTINGS = """
default_athlete = "mara"
[athletes.mara]
resting_hr_bpm = 50
max_hr_bpm = 190
sex = "female"
[channels.phone]
url = "json://127.0.0.1:9/"
"""
PAIN = b"date,time,side,during\n2026-07-02,20:00,right,3\n2026-07-04,20:00,left,1\n2026-07-08,20:00,right,5\n"
TODAY = "2026-07-09"
SILENT: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
Mount = Callable[..., Path]
LEFT_OUT = {
    "exports": "where outcome <> 'duplicate'",  # a file that is offered again after a kill is one
    "flow_log": "where false",
    "samples": "where false",  # compared by what is in each file
}
TOLD_BY_CIRCUMSTANCES = ("seen_at", "raised_at", "attempts", "last_error", "next_attempt_at")
STEPS = ("fsync", "fdatasync", "rename", "unlink")
"""System calls after which something is on the disk that was not before, or is there for good."""


def files(count: int = 5) -> dict[str, bytes]:
    """Return what is dropped: runs, one file of garbage, one of a double, and a pain log."""
    days = (-30, *range(1, count))  # the first long before, or there is nothing to measure a spike by
    runs = {f"{place}.fit": run_on(day) for place, day in enumerate(days)}
    spike = fit_writer.encode(replace(LONG_RUN, started_at=datetime(2026, 7, 8, 8, tzinfo=UTC)))
    return {
        **runs,
        "spike.fit": spike,
        "again.fit": runs["0.fit"],
        "garbage.fit": damage.garbage_fit(),
        "pain.csv": PAIN,
    }


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


def command(home: Home, *before: str, do: str = "ingest") -> list[str]:
    return [*before, str(KNEEWATCH), *do.split(), "--home", str(home.root), "--today", TODAY]


def ingest(home: Home, **variables: str) -> None:
    """Take the inbox in; a refused file is no failure here."""
    done = subprocess.run(
        command(home),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **variables},
    )
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr, done.stderr


def state_of(home: Home) -> dict[str, list[str]]:
    """Return every table and view as text, what is in each samples file, and the names of the files that hold originals."""
    with opened_published(home) as con:
        columns = con.execute(
            "select table_name, list(column_name order by ordinal_position) from information_schema.columns "
            "where table_catalog = 'published' group by all order by all"
        ).fetchall()
        tables = {table: rows_of(con, table, names) for table, names in columns}
        samples = "select activity_id, athlete, year, count(*), sum(hash(samples)) from samples group by all order by all"
        tables["samples"] = [repr(row) for row in con.execute(samples).fetchall()]
    originals = sorted(path.name for path in home.archive.rglob("*") if path.is_file())
    quarantined = sorted(path.name for path in home.quarantine.rglob("*") if path.is_file())
    return {**tables, "archive": originals, "quarantine": quarantined}


def rows_of(con: duckdb.DuckDBPyConnection, table: str, columns: list[str]) -> list[str]:
    kept = ", ".join(f'"{name}"' for name in columns if name not in TOLD_BY_CIRCUMSTANCES)
    rows = con.execute(f"select {kept} from {table} {LEFT_OUT.get(table, '')} order by all").fetchall()
    return [repr(row) for row in rows]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    home = new_home(tmp_path_factory.mktemp("undisturbed") / "home")
    ingest(home)
    state = state_of(home)
    assert len(state["activities"]) == len(state["samples"]) == 6
    assert len(state["quarantine"]) == 2
    assert any("spike_and_pain" in alert for alert in state["alerts"])
    assert len(state["deliveries"]) > 0
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


def test_without_prefect_an_intake_works_as_ever(undisturbed: dict[str, list[str]], tmp_path: Path) -> None:
    """Its server is down, and its database is locked by somebody else."""
    home = new_home(tmp_path / "home")
    home.prefect.mkdir()
    database = sqlite3.connect(home.prefect / "prefect.db", isolation_level=None)
    database.execute("begin exclusive")

    ingest(home, PREFECT_API_URL="http://127.0.0.1:9/api")

    database.close()
    check(home, undisturbed)


def test_a_clock_that_jumps_loses_nothing(undisturbed: dict[str, list[str]], tmp_path: Path) -> None:
    """Six years back, files of the future are refused and kept; ten ahead all is old; set right, all is there."""
    some = dict(list(files().items())[::2])
    home = new_home(tmp_path / "home", **some)
    settings = read_settings(home)
    take_in(home, settings, Clock(datetime(2020, 1, 1, tzinfo=UTC), date(2020, 1, 1)))
    refused = len(list(home.quarantine.glob("*.reason.json")))
    for name, content in files().items():
        if name not in some:
            (home.inbox / name).write_bytes(content)
    take_in(home, settings, Clock(datetime(2036, 1, 1, tzinfo=UTC), date(2036, 1, 1)))
    retry(home, settings, Clock(datetime(2026, 7, 9, 12, tzinfo=UTC), date(2026, 7, 9)))

    ingest(home)

    assert refused == len(some)
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


def steps_of(home: Home, strace: str, log: Path) -> dict[str, list[int]]:
    """
    Return the places of an undisturbed intake's system calls in its own process, by the name of the step.

    A name is the call, the folder and whether it is the folder itself: "rename archive", "fsync archive/".
    """
    traced = command(home, strace, "-y", "-o", str(log), "-e", f"trace={','.join(STEPS)}")
    subprocess.run(traced, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120, check=False)
    call = re.compile(rf"^({'|'.join(STEPS)})\([^/]*{re.escape(str(home.root))}/?([^>\"]*)")
    steps: dict[str, list[int]] = {}
    counts = dict.fromkeys(STEPS, 0)
    for line in log.read_text().splitlines():
        name = line.partition("(")[0]
        if name in counts:
            counts[name] += 1  # strace counts each call by itself
        if found := call.match(line):
            steps.setdefault(step_named(found[1], found[2]), []).append(counts[name])
    return steps


def step_named(call: str, path: str) -> str:
    folder, _, rest = path.partition("/")
    if folder == ".state":
        return f"{call} {re.sub(r'[0-9]+', 'N', rest) or '.state/'}"
    is_file = "." in Path(rest).name
    return f"{call} {folder or 'home'}{'' if is_file else '/'}"


def faults(home: Home, strace: str, call: str, effect: str, place: int) -> subprocess.CompletedProcess[str]:
    """Let the intake's call of that place, among those of its name, kill it or fail."""
    inject = f"inject={call}:{effect}:when={place}"
    traced = command(home, strace, "-o", "/dev/null", "-e", f"trace={call}", "-e", inject)
    return subprocess.run(traced, capture_output=True, text=True, timeout=120, check=False)


NAMED_STEPS = {
    "the original is written": "fsync archive",
    "it gets its name": "rename archive",
    "its folder knows it": "fsync archive/",
    "a refused original is set aside": "rename quarantine",
    "its folder knows that": "fsync quarantine/",
    "the samples are written": "fsync samples",
    "they get their name": "rename samples",
    "their folder knows them": "fsync samples/",
    "the store commits": "fdatasync store.duckdb.wal",
    "a refused original leaves the archive": "unlink archive",
    "the file leaves the inbox": "unlink inbox",
    "the inbox knows that": "fsync inbox/",
    "the copy is written": "fsync .published-N.tmp",
    "it is published": "rename .published-N.tmp",
    "the home knows that": "fsync home/",
}
"""Every step of the walk of a file that brings something to the disk, by the call that does it."""
WORDS_FOR = {
    "error=ENOSPC": "No space left on device. Make room",
    "error=EIO": "Input/output error. The disk fails",
}


@pytest.mark.faults
@pytest.mark.parametrize("step", NAMED_STEPS)
def test_cut_at_a_named_step_nothing_is_lost(
    step: str, strace: str, undisturbed: dict[str, list[str]], tmp_path: Path
) -> None:
    """Killed before it, the first time and the last; told in between that the disk is full, or that it fails."""
    steps = steps_of(new_home(tmp_path / "counted"), strace, tmp_path / "calls")
    assert NAMED_STEPS[step] in steps, sorted(steps)
    places, call = steps[NAMED_STEPS[step]], NAMED_STEPS[step].split()[0]
    first, middle, last = places[0], places[len(places) // 2], places[-1]
    if call == "fdatasync":
        last = middle  # the later ones DuckDB makes in one thread or another
    cuts = [("signal=KILL", first), ("signal=KILL", last), ("error=ENOSPC", middle), ("error=EIO", middle)]
    for effect, place in dict.fromkeys(cuts):
        home = new_home(tmp_path / f"home{effect}{place}")

        cut = faults(home, strace, call, effect, place)
        ingest(home)

        said = "" if effect == "signal=KILL" else WORDS_FOR[effect]
        assert cut.returncode == (-signal.SIGKILL if not said else 1)
        assert cut.stderr.count("\n") == bool(said), cut.stderr
        assert said in cut.stderr
        check(home, undisturbed)


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Mount]:
    """What mounts a file system on a folder of the test's own, for as long as it runs."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*options: str) -> Path:
        done = subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip("Nothing can be mounted here.")
        return folder

    yield mount
    while subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False).returncode == 0:
        pass


@pytest.mark.faults
def test_a_small_disk_that_is_full_loses_nothing(undisturbed: dict[str, list[str]], mounted: Mount) -> None:
    """A real one in memory: full at first, with room later; what could not be done is said in a sentence."""
    disk = mounted("-t", "tmpfs", "-o", "size=3m", "tmpfs")
    for free_kib in (10, 40, 150, 300, 500):
        home = new_home(disk / f"home{free_kib}")
        filler = disk / "filler"
        filler.write_bytes(b"x" * max(0, shutil.disk_usage(disk).free - free_kib * 1024))
        full = subprocess.run(command(home), capture_output=True, text=True, timeout=120, check=False)
        filler.unlink()
        mounted("-o", "remount,size=64m")

        ingest(home)

        assert full.stderr.endswith("No space left on device. Make room and do it again; nothing is lost.\n")
        assert full.stderr.count("\n") == 1
        check(home, undisturbed)
        shutil.rmtree(home.root)
        mounted("-o", "remount,size=3m")


@pytest.mark.faults
def test_a_home_that_cannot_be_written_answers_questions(
    undisturbed: dict[str, list[str]], mounted: Mount
) -> None:
    """Mounted read-only: what changes something says so and changes nothing; with the disk back it is done."""
    disk = mounted("-t", "tmpfs", "-o", "size=64m", "tmpfs")
    home = new_home(disk / "home", **{name: files()[name] for name in ("0.fit", "1.fit")})
    ingest(home)
    for name, content in files().items():
        (home.inbox / name).write_bytes(content)
    mounted("-o", "remount,ro")

    refused = [
        subprocess.run(command(home, do=do), capture_output=True, text=True, check=False)
        for do in ("ingest", "run")
    ]
    asked = subprocess.run(command(home, do="week"), capture_output=True, text=True, check=True)
    mounted("-o", "remount,rw")
    ingest(home)

    for one in refused:
        assert one.returncode == 1
        assert one.stderr.count("\n") == 1
        assert "Read-only file system. Questions are answered" in one.stderr
    assert "0.3 km" in asked.stdout
    check(home, undisturbed)


# Power cuts ------------------------------------------------------------------------------------------------

CUT_POWER = 0x8004587D
"""EXT4_IOC_SHUTDOWN; with the number 2 the file system forgets at once all that it has not yet brought to the disk."""
NAIVE = """
import os, pathlib, sys
home = pathlib.Path(sys.argv[1])
for path in sorted((home / "inbox").iterdir()):
    (home / "archive" / path.name).write_bytes(path.read_bytes())
    path.unlink()
with (home / "store").open("wb") as file:
    os.fsync(file.fileno())
"""


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(4))
def test_power_cuts_lose_nothing(
    seed: int, undisturbed: dict[str, list[str]], mounted: Mount, tmp_path: Path
) -> None:
    """The power goes at random moments, again and again until an intake is quicker, with what was not synced gone."""
    image, rng, cuts = new_image(tmp_path), random.Random(seed), 0
    while cuts < 25:
        disk = mounted("-o", "loop", str(image))
        home = new_home(disk / f"home{cuts}")
        os.sync()
        moment = 0.2
        while True:
            process = subprocess.Popen(command(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(timeout=rng.uniform(0.2, 0.8 + moment))
            except subprocess.TimeoutExpired:
                cut_power(disk)
                process.kill()
                process.wait()
                cuts, moment = cuts + 1, moment + 0.1
                subprocess.run(["umount", str(disk)], check=True)
                mounted("-o", "loop", str(image))
            else:
                break
        ingest(home)
        check(home, undisturbed)
        shutil.rmtree(home.root)
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.faults
def test_a_power_cut_is_one(mounted: Mount, tmp_path: Path) -> None:
    """The control: whoever syncs the store alone, and not the files it tells of, loses them."""
    image = new_image(tmp_path)
    disk = mounted("-o", "loop", str(image))
    home = new_home(disk / "home")
    os.sync()

    subprocess.run([sys.executable, "-c", NAIVE, str(home.root)], check=True)
    time.sleep(0.1)
    cut_power(disk)
    subprocess.run(["umount", str(disk)], check=True)
    mounted("-o", "loop", str(image))

    kept = [path for path in (*home.inbox.iterdir(), *home.archive.iterdir()) if path.read_bytes()]
    assert len(kept) < len(files())


def new_image(folder: Path) -> Path:
    image = folder / "image"
    with image.open("wb") as file:
        file.truncate(96 * 2**20)
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("There is no mkfs.ext4 here; on Debian: apt-get install e2fsprogs.")
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    return image


def cut_power(disk: Path) -> None:
    descriptor = os.open(disk, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, CUT_POWER, struct.pack("I", 2))
    except OSError:
        pytest.skip("This file system cannot be cut off here.")
    finally:
        os.close(descriptor)


# Prefect ---------------------------------------------------------------------------------------------------


@pytest.mark.faults
def test_two_flows_at_once_end_like_one(undisturbed: dict[str, list[str]], tmp_path: Path) -> None:
    """Both do all there is to do; whatever Prefect makes of it, the tables are those of one."""
    home = new_home(tmp_path / "home")

    both = [subprocess.Popen(command(home, do="run --prefect"), **SILENT) for _ in range(2)]
    for process in both:
        process.wait(timeout=300)
    state = state_of(home)

    assert state == undisturbed
    ingest(home)
    check(home, undisturbed)


@pytest.mark.faults
def test_prefects_server_may_die_in_mid_flow(undisturbed: dict[str, list[str]], tmp_path: Path) -> None:
    """What the flow has begun is finished by the next intake, which needs no server."""
    home = new_home(tmp_path / "home")
    with running_server(home, threading.Event(), print) as url:
        wait_until_healthy(url, threading.Event())
        flow = subprocess.Popen(command(home, do="run --prefect"), start_new_session=True, **SILENT)
        deadline = time.monotonic() + 120
        while not any(home.archive.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
    began = any(home.archive.iterdir())
    try:
        flow.wait(timeout=20)  # it may try for minutes to reach its server
    except subprocess.TimeoutExpired:
        os.killpg(flow.pid, signal.SIGKILL)
        flow.wait()

    ingest(home)

    assert began
    check(home, undisturbed)


@pytest.mark.faults
def test_two_thousand_drops_with_two_flows_and_three_readers(tmp_path: Path) -> None:
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
        done = subprocess.run(
            command(home, do="run --prefect"), capture_output=True, text=True, timeout=300, check=False
        )
        if done.returncode != 0:
            failures.append(done.stderr or done.stdout)
