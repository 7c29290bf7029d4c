"""
Measure what Kneewatch takes on a small machine: `make bench-small`.

Each command runs in a control group of 1 GiB where one may be made (as root), and is watched through /proc. Prints a table
and writes benchmarks/out/small_machine.json: seconds, and at the peak the MiB of all processes of the command together
(shared pages counted once) and of the largest of them. A command that the limit kills ends the measurement.

KNEEWATCH_BENCH_RUNS says how many runs the history has (2,000), KNEEWATCH_BENCH_SERVE_S how long the flows are served (180).
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sample_data import fit_writer
from sample_data.recording import Recording, record
from sample_data.story import Run
from store import home as homes
from store.home import Home

OUT = Path(__file__).parent / "out" / "small_machine.json"
KNEEWATCH = Path(sys.executable).with_name("kneewatch")
LIMIT_MIB = 1024
RUNS = int(os.environ.get("KNEEWATCH_BENCH_RUNS", "2000"))
SERVE_S = int(os.environ.get("KNEEWATCH_BENCH_SERVE_S", "180"))
DROP_EVERY_S = 15
LOOK_EVERY_S = 0.2
FIRST_DAY = date(2019, 1, 1)
EVERY_DAYS = 1.4  # five runs a week
KINDS = [Run(day=date(2026, 7, 6), km=km, kind="long" if km > 12 else "easy") for km in (5, 6, 8, 10, 7, 16)]
V1, V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")


def main() -> None:
    """Measure, print and write down."""
    figures: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder, small_machine() as group:
        print(
            f"{'':<34} {'seconds':>8} {'MiB':>6} {'largest':>8}  (limit: {LIMIT_MIB if group else 'none'} MiB)"
        )
        home = homes.at(Path(folder) / "home").prepare()
        drops = list(exports(RUNS + 2 * SERVE_S // DROP_EVERY_S))
        for name, content in drops[:RUNS]:
            (home.inbox / name).write_bytes(content)
        last = FIRST_DAY + timedelta(days=RUNS * EVERY_DAYS)
        parts: dict[str, list[str]] = {
            "demo": ["demo", f"{folder}/demo"],
            f"run, {RUNS:,} exports in the inbox": ["run", "--home", f"{home.root}", "--today", f"{last}"],
            "run, nothing new": ["run", "--home", f"{home.root}", "--today", f"{last}"],
            f"run --rebuild, {RUNS:,} runs": ["run", "--rebuild", "--home", f"{home.root}", "--today", f"{last}"],
            "report": ["report", "--home", f"{home.root}", "-o", f"{folder}/report.html", "--today", f"{last}"],
            "backup": ["backup", "--home", f"{home.root}", f"{folder}/backup"],
            "doctor": ["doctor", "--home", f"{home.root}"],
        }  # fmt: skip
        for what, words in parts.items():
            figures[what] = show(what, watched(words, group))
        what = f"serve, {SERVE_S} s with a drop every {DROP_EVERY_S} s"
        figures[what] = show(
            what, watched(["serve", "--home", str(home.root)], group, dropping(home, drops[RUNS:]))
        )
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"limit_mib": LIMIT_MIB if group else None, "parts": figures}, indent=2))
    print(OUT)


def exports(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield FIT files, name and content: a few recordings, again and again on later days."""
    recordings = [record(run) for run in KINDS]
    for place in range(count):
        day = FIRST_DAY + timedelta(days=int(place * EVERY_DAYS))
        yield f"{place:05}.fit", fit_writer.encode(on_day(recordings[place % len(recordings)], day))


def on_day(recording: Recording, day: date) -> Recording:
    """Return the recording as if it had been made on another day."""
    return replace(recording, started_at=datetime.combine(day, recording.started_at.timetz()))


@contextmanager
def small_machine() -> Iterator[Path | None]:
    """Yield a new control group with the limit of memory, or None where this user may make none."""
    version_1 = V1.is_dir()
    group = (V1 if version_1 else V2) / f"kneewatch-{os.getpid()}"
    try:
        group.mkdir()
        limit = group / ("memory.limit_in_bytes" if version_1 else "memory.max")
        limit.write_text(str(LIMIT_MIB * 2**20))
    except OSError as error:
        print(f"No control group may be made here ({error}): measured without a limit.", file=sys.stderr)
        yield None
        return
    try:
        yield group
    finally:
        group.rmdir()


def watched(
    words: list[str], group: Path | None, meanwhile: Callable[[float], bool] = lambda _: True
) -> dict[str, Any]:
    """Run the command in the group, and return what it took; stop it once `meanwhile`, told the seconds, says False."""
    enter = f"echo $$ > {group}/cgroup.procs && " if group else ""
    command = ["sh", "-c", f'{enter}exec "$@"', "sh", str(KNEEWATCH), *words]
    world = {key: value for key, value in os.environ.items() if not key.startswith("KNEEWATCH_")}
    began = time.monotonic()
    with subprocess.Popen(
        command, env=world, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        peak = largest = 0.0
        while process.poll() is None:
            sizes = [pss_mib(pid) for pid in tree(process.pid)]
            peak, largest = max(peak, sum(sizes)), max(largest, *sizes, 0.0)
            if not meanwhile(time.monotonic() - began):
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=60)
            time.sleep(LOOK_EVERY_S)
        complaints = process.stderr.read() if process.stderr else ""
    if process.returncode not in (0, -signal.SIGTERM):
        raise SystemExit(f"kneewatch {words[0]} ended with {process.returncode}: {complaints[-2000:]}")
    return {
        "seconds": time.monotonic() - began,
        "mib": peak,
        "largest_mib": largest,
        "exit_code": process.returncode,
        "killed_by_the_limit": killed(group),
    }


def dropping(home: Home, drops: list[tuple[str, bytes]]) -> Callable[[float], bool]:
    """Return what drops one export after the other into the inbox, until the time is over."""
    left = iter(drops)

    def at(seconds: float, state: dict[str, float] = {"next": 40.0}) -> bool:  # noqa: B006
        if seconds >= state["next"]:
            name, content = next(left)
            (home.inbox / name).write_bytes(content)
            state["next"] += DROP_EVERY_S
        return seconds < SERVE_S

    return at


def tree(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def pss_mib(pid: int) -> float:
    """Return the memory of a process, what it shares with others by its share; 0 once it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def killed(group: Path | None) -> int:
    """Return how many processes the limit has ended so far."""
    for name in ("memory.oom_control", "memory.events"):
        if group and (events := group / name).exists():
            return next(
                int(line.split()[1])
                for line in events.read_text().splitlines()
                if line.startswith("oom_kill ")
            )
    return 0


def show(what: str, figure: dict[str, Any]) -> dict[str, Any]:
    """Print one line of the table, and hand the figures on."""
    ended = "" if figure["exit_code"] == 0 else f"  exit code {figure['exit_code']}"
    if figure["killed_by_the_limit"]:
        ended += f"  {figure['killed_by_the_limit']} killed by the limit"
    print(
        f"{what:<34} {figure['seconds']:8.1f} {figure['mib']:6.0f} {figure['largest_mib']:8.0f}{ended}",
        flush=True,
    )
    return figure


if __name__ == "__main__":
    main()
