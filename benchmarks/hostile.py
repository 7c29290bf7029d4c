"""
Measure what the worst hostile files cost: `make bench-hostile`.

Each is taken in by a process of its own into a home of its own, beside a good run, with the settings of somebody who set
nothing. Prints a table and writes benchmarks/out/hostile.json: seconds of the intake beyond that of the good run alone, and
the peak of memory (MiB) of the process that writes the store and of the largest that read for it.
"""

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from flows import steps
from flows.steps import Clock
from ingest import workers
from sample_data import fit_writer, hostile
from sample_data.recording import record
from sample_data.story import Run
from store import home as homes
from store.settings import read_settings

OUT = Path(__file__).parent / "out" / "hostile.json"
CLOCK = Clock(datetime(2026, 7, 20, tzinfo=UTC), date(2026, 7, 20))
RUN = fit_writer.encode(record(Run(day=date(2026, 7, 2), km=1)))
OTHER_RUN = fit_writer.encode(record(Run(day=date(2026, 7, 5), km=1)))
ENTITIES = f"{hostile.laughs()}<HealthData><Workout workoutActivityType='&j;'/></HealthData>"
APPLE = "apple_health_export/export.xml"


def main() -> None:
    """Measure each in a process of its own, and write down."""
    figures: dict[str, dict[str, Any]] = {}
    for what in FILES:
        figure = figures[what] = _measured(what)
        figure["beyond_s"] = max(figure["seconds"] - next(iter(figures.values()))["seconds"], 0.0)
        print(
            f"{what:<42} {figure['beyond_s']:6.1f} s  {figure['writer_mib']:5.0f} MiB  {figure['reader_mib']:5.0f} MiB"
            f"  {figure['outcome']}"
        )
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2))
    print(OUT)


def _measured(what: str) -> dict[str, Any]:
    """Let one process make the file, so that what a bomb takes to make is not taken for its cost, and another take it in."""
    with tempfile.TemporaryDirectory() as folder:
        dropped = Path(folder) / FILES[what][0]
        again = [sys.executable, "-m", "benchmarks.hostile"]
        subprocess.run([*again, "make", what, str(dropped)], check=True)
        done = subprocess.run([*again, "take", str(dropped)], capture_output=True, text=True, check=True)
    figure: dict[str, Any] = json.loads(done.stdout)
    return figure


def take(dropped: Path) -> None:
    """Take a file in, and print what it cost as JSON."""
    home = homes.at(dropped.parent / "home").prepare()
    dropped.rename(home.inbox / dropped.name)
    (home.inbox / "z good run.fit").write_bytes(RUN)
    settings = read_settings(home)
    workers.start(
        workers.limits_of(settings)
    )  # as the command does; later it would count what this process holds
    started = perf_counter()
    taken = steps.take_in(home, settings, CLOCK)
    seconds = perf_counter() - started
    workers._stop_all()  # only of those that have ended the system says what they took
    by_name = {one.file_name: one for one in taken}
    assert by_name["z good run.fit"].outcome == "ingested"
    figure = {
        "seconds": seconds,
        "writer_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "reader_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        "outcome": by_name[dropped.name].outcome,
        "reason": by_name[dropped.name].reason,
    }
    print(json.dumps(figure))


# The files -------------------------------------------------------------------------------------------------


def _repeated(begin: bytes, piece: bytes, mib: int) -> bytes:
    return begin + piece * ((mib * 2**20 - len(begin)) // len(piece))


def _zipped(name: str, piece: bytes, mib: int, *, begin: bytes = b"") -> bytes:
    return hostile.zipped({name: _repeated(begin, piece, mib), "run.fit": OTHER_RUN})


def _apple_of_names(mib: int) -> bytes:
    count = mib * 2**20 // 14
    names = b"".join(b"<a%07d x=''/>" % n for n in range(min(count, 9_999_999)))
    return hostile.zipped({APPLE: b"<HealthData><Workout x=''/>" + names})


def _a_million_points() -> bytes:
    return hostile.gpx(hostile.way("2026-07-05", 20_000) * 50)


def _one_byte_messages(mib: int) -> bytes:
    return hostile.fit_of(hostile.definition(20, []) + b"\0" * (mib * 2**20 - 100))


def _zip_of_bombs(count: int, mib: int) -> bytes:
    return hostile.zipped({f"{n}.gpx": b"%d" % n + bytes(mib * 2**20) for n in range(count)})


def _zip_of_archives(count: int) -> bytes:
    inner = hostile.zipped({f"{n}.fit": b"" for n in range(90)})
    return hostile.zipped({f"{n}.zip": inner for n in range(count)})


def _zip_of_garbage(count: int) -> bytes:
    return hostile.zipped({f"{n}.fit": b"garbage %d" % n for n in range(count)})


def _log() -> bytes:
    lines = (
        b"%d-%02d-%02d,%02d:00,left,3\n" % (2000 + n // 8064, n // 672 % 12 + 1, n // 24 % 28 + 1, n % 24)
        for n in range(40_000)
    )
    return b"date,time,side,during\n" + b"".join(lines)


FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "nothing but a good run": ("none.txt", lambda: b""),
    "256 MiB of zeros, as .gz": ("bomb.gpx.gz", lambda: hostile.gzip_bomb(256)),
    "256 MiB of empty points": ("points.gpx", lambda: _repeated(b"<gpx><trk><trkseg>", b"<trkpt/>", 256)),
    "256 MiB of names": ("names.gpx", lambda: _repeated(b"<gpx><trk><trkseg>", b"<a b='c'/>", 256)),
    "a million points, all of one shape": ("track.gpx", _a_million_points),
    "256 MiB of one-byte messages": ("records.fit", lambda: _one_byte_messages(256)),
    "gigantic definitions": ("gigantic.fit", hostile.gigantic_definitions),
    "256 MiB of JSON lists": (
        "lists.json",
        lambda: _repeated(b'{"exercises":"startTime",' + b'"a":[', b"[],", 256),
    ),
    "100,000 entries": ("entries.zip", lambda: hostile.zip_of_entries(100_000)),
    "a million entries": ("million.zip", lambda: hostile.zip_of_entries(1_000_000)),
    "20 exports of 255 MiB": ("exports.zip", lambda: _zip_of_bombs(20, 255)),
    "an archive of 1 GiB in an archive": ("nested.zip", lambda: hostile.zip_bomb("inner.zip", 1023)),
    "1,000 archives in an archive": ("archives.zip", lambda: _zip_of_archives(1_000)),
    "10,000 exports of garbage": ("garbage.zip", lambda: _zip_of_garbage(10_000)),
    "32 MiB of empty lines in Strava's table": ("strava.zip", lambda: _zipped("activities.csv", b"\n", 32)),
    "32 MiB of lists in Garmin's table": (
        "garmin.zip",
        lambda: _zipped("a/mara_0_summarizedActivities.json", b"[],", 32, begin=b"["),
    ),
    "1 GiB of records in Apple's table": ("records.zip", lambda: hostile.zip_bomb(APPLE, 1024)),
    "256 MiB of names in Apple's table": ("apple.zip", lambda: _apple_of_names(256)),
    "entities in Apple's table": ("laughs.zip", lambda: hostile.zipped({APPLE: ENTITIES.encode()})),
    "1 MiB of wrong lines in a log": ("pain.csv", lambda: _repeated(b"date,side,during\n", b"x\n", 1)),
    "1 MiB of reports in a log": ("pain.csv", _log),
}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", what, path]:
            Path(path).write_bytes(FILES[what][1]())
        case ["take", path]:
            take(Path(path))
        case _:
            main()
