"""
Measure FIT readers against each other: whole file to columns, the same files for all, in one process.

Each file is read by every reader in turn, and for each reader its best time of a few counts, so that what else the
machine does falls on all alike. Ours checks the checksum, as the others do where they can. The rate is the records
of all files by the seconds for all files. Needs the other readers: `python -m pip install fitdecode garmin-fit-sdk
fitfast`; one that is not installed is left out and named.
"""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ingest.fit import read_fit
from ingest.fit_messages import read_messages

RECORD, SESSION, LAP = 20, 18, 19
RECORD_FIELDS = (
    ("timestamp",),
    ("position_lat",),
    ("position_long",),
    ("distance",),
    ("enhanced_speed", "speed"),
    ("enhanced_altitude", "altitude"),
    ("heart_rate",),
    ("cadence",),
    ("power",),
)
TOTALS = ("start_time", "total_elapsed_time", "total_timer_time", "total_distance", "avg_heart_rate")
COLUMNS = tuple(names[0] for names in RECORD_FIELDS)

Reader = Callable[[Path], int]


def to_columns(path: Path) -> int:
    """Our block decoder: columns of the records, and the totals of sessions and laps. Return the records."""
    messages = read_messages(path.read_bytes())
    records = messages.table(RECORD)
    for names in RECORD_FIELDS:
        records.numbers(*names)
    for number in (SESSION, LAP):
        for name in TOTALS:
            messages.table(number).values(name)
    return len(records)


def to_recording(path: Path) -> int:
    """Our reader to its end: a Recording with its samples in Polars."""
    return len(read_fit(path.read_bytes()).samples["at"])


def with_fitparse(path: Path) -> int:
    """fitparse as its documentation shows it."""
    fitparse = import_module("fitparse")
    columns: dict[str, list[object]] = {name: [] for name in COLUMNS}
    for message in fitparse.FitFile(str(path)).get_messages(["record", "session", "lap"]):
        values = message.get_values()
        if message.name == "record":
            for name, column in columns.items():
                column.append(values.get(name))
    return len(columns["timestamp"])


def with_fitdecode(path: Path) -> int:
    """fitdecode with its default checks."""
    fitdecode = import_module("fitdecode")
    columns: dict[str, list[object]] = {name: [] for name in COLUMNS}
    with fitdecode.FitReader(str(path)) as reader:
        for frame in reader:
            if isinstance(frame, fitdecode.FitDataMessage) and frame.name == "record":
                for name, column in columns.items():
                    column.append(frame.get_value(name, fallback=None))
    return len(columns["timestamp"])


def with_garmin_sdk(path: Path) -> int:
    """Garmin's own reader with its default options."""
    sdk = import_module("garmin_fit_sdk")
    messages, errors = sdk.Decoder(sdk.Stream.from_file(str(path))).read()
    records = messages.get("record_mesgs", [])
    if errors and not records:
        raise ValueError(errors[0])
    columns = {name: [record.get(name) for record in records] for name in COLUMNS}
    return len(columns["timestamp"])


def with_fitfast(path: Path) -> int:
    """fitfast, compiled: columns of the same three kinds of messages, which is one call each."""
    content, fitfast = path.read_bytes(), import_module("fitfast")
    for kind in ("session", "lap"):
        fitfast.records(content, kind)
    return _length(fitfast.records(content))


def with_fitfast_records(path: Path) -> int:
    """fitfast's quickest: sessions and laps left out."""
    return _length(import_module("fitfast").records(str(path)))


def _length(columns: Mapping[str, Sequence[float]]) -> int:
    return max((len(column) for column in columns.values()), default=0)


def to_record_columns(path: Path) -> int:
    """Our block decoder without sessions and laps."""
    records = read_messages(path.read_bytes()).table(RECORD)
    for names in RECORD_FIELDS:
        records.numbers(*names)
    return len(records)


OURS: Mapping[str, Reader] = {
    "to_columns": to_columns,
    "to_recording": to_recording,
    "to_record_columns": to_record_columns,
}
PEERS: Mapping[str, Reader] = {
    "fitparse": with_fitparse,
    "fitdecode": with_fitdecode,
    "garmin-fit-sdk": with_garmin_sdk,
    "fitfast": with_fitfast,
    "fitfast_records": with_fitfast_records,
}
MODULES = {"garmin-fit-sdk": "garmin_fit_sdk", "fitfast_records": "fitfast"}
QUICK = {"to_columns": 5, "to_recording": 5, "to_record_columns": 5, "fitfast": 5, "fitfast_records": 5}
LARGEST = 12
"""Files of which the memory is measured; small ones are lost in what a process takes anyway."""
"""How often a file is read by the quick readers; the slow ones read it once."""


@dataclass(slots=True)
class Tally:
    """What a peer did on the files it could read, and what our reader took for the same files."""

    files: int = 0
    records: int = 0
    seconds: float = 0.0
    ours_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(OURS, 0.0))
    ours_records: int = 0
    failed: list[str] = field(default_factory=list)


def measure(corpus: Path, box_s: float = 90) -> dict[str, Any]:
    """Read files of the corpus with all readers until the time is over, print a table and return the numbers."""
    peers = {name: read for name, read in PEERS.items() if find_spec(MODULES.get(name, name))}
    print("left out, not installed:", ", ".join(sorted(PEERS.keys() - peers.keys())) or "none")
    tallies = {name: Tally() for name in peers}
    files = fit_files(corpus)
    used = []
    end = time.monotonic() + box_s
    for path in files:
        if time.monotonic() > end:
            break
        used.append(path.relative_to(corpus).as_posix())
        _read_with_all(path, used[-1], peers, tallies)
    print(f"{len(used)} of {len(files)} files, in an order that the names decide")
    return {"files": used, **_summary(tallies)}


def fit_files(corpus: Path) -> list[Path]:
    """Return all FIT files mixed by the hash of their names, so that any first part of them is a fair sample."""
    files = (path for path in corpus.rglob("*") if path.suffix.lower() == ".fit")
    return sorted(files, key=lambda path: hashlib.sha256(path.name.encode()).digest())


def _read_with_all(path: Path, name: str, peers: Mapping[str, Reader], tallies: Mapping[str, Tally]) -> None:
    path.read_bytes()  # so that the first reader does not pay for the disk
    ours_s: dict[str, float] = {}
    records = 0
    for reader, read in OURS.items():
        ours_s[reader], count = _best_s(read, path, QUICK[reader])
        records = max(records, count or 0)
    for peer, read in peers.items():
        seconds, count = _best_s(read, path, QUICK.get(peer, 1))
        tally = tallies[peer]
        if count is None:
            tally.failed.append(name)
            continue
        tally.files += 1
        tally.records += count
        tally.ours_records += records
        tally.seconds += seconds
        for reader, value in ours_s.items():
            tally.ours_s[reader] += value


def _best_s(read: Reader, path: Path, times: int) -> tuple[float, int | None]:
    """Return the best time of a few and the number of records; None when the reader gives up on the file."""
    best = float("inf")
    count: int | None = None
    for _ in range(times):
        start = time.perf_counter()
        try:
            count = read(path)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 - other people's readers fail in ways of their own, by panic too
            count = None
        best = min(best, time.perf_counter() - start)
    return best, count


def _summary(tallies: Mapping[str, Tally]) -> dict[str, float]:
    print(
        f"{'':16}{'files':>6}{'records':>9}{'records/s':>11}{'ours/s':>11}{'x':>8}{'x Recording':>12}  gives up on"
    )
    ratios: dict[str, float] = {}
    for peer, tally in tallies.items():
        if not tally.seconds:
            continue
        ours_s = tally.ours_s["to_record_columns" if peer == "fitfast_records" else "to_columns"]
        ratio, whole = tally.seconds / ours_s, tally.seconds / tally.ours_s["to_recording"]
        ratios[f"fit_vs_{peer}"], ratios[f"recording_vs_{peer}"] = ratio, whole
        print(
            f"{peer:16}{tally.files:6}{tally.records:9}{tally.records / tally.seconds:11,.0f}"
            f"{tally.ours_records / ours_s:11,.0f}{ratio:8.1f}{whole:12.1f}  {len(tally.failed)} files"
        )
    return ratios


def measure_cold(path: Path) -> dict[str, float]:
    """Return milliseconds of import and of the first file in a new process, for ours and for fitparse."""
    programs = {
        "ours": "from ingest.fit import read_fit as read",
        "fitparse": "import fitparse; read = lambda content: [m.get_values() for m in fitparse.FitFile(content).get_messages('record')]",
    }
    found: dict[str, float] = {}
    for name, load in programs.items():
        runs = [json.loads(_in_new_process(COLD.format(load=load), path)) for _ in range(3)]
        found[f"cold_{name}_import_ms"], found[f"cold_{name}_file_ms"] = (
            min(part) for part in zip(*runs, strict=True)
        )
    print("cold,", path.name, {name: round(value, 1) for name, value in found.items()})
    return found


COLD = """
import json, sys, time
content = open(sys.argv[1], "rb").read()
start = time.perf_counter()
{load}
loaded = time.perf_counter()
read(content)
print(json.dumps([(loaded - start) * 1e3, (time.perf_counter() - loaded) * 1e3]))
"""


def measure_memory(corpus: Path) -> dict[str, float]:
    """Print and return the most by which the peak of a new process grows, by the size of the file, for large files."""
    largest = sorted(fit_files(corpus), key=lambda path: path.stat().st_size)[-LARGEST:]
    grown = {path: float(_in_new_process(PEAK, path)) / path.stat().st_size for path in largest}
    path = max(grown, key=grown.__getitem__)
    print(
        f"fit, the {LARGEST} largest: peak up to {grown[path]:.1f} × the file ({path.name}, {path.stat().st_size:,} bytes)"
    )
    return {"fit_peak_per_byte": grown[path]}


PEAK = """
import resource, sys
from ingest.errors import IngestError
from ingest.fit import read_fit
content = open(sys.argv[1], "rb").read()
def read(part):
    try:
        read_fit(part)
    except IngestError:
        pass
read(content[: len(content) // 20])  # what the first file of a process loads is no matter of its size
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
read(content)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def _in_new_process(program: str, path: Path) -> str:
    command = [sys.executable, "-c", program, str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    measure(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 90)
