"""
How fast and how frugal the readers of GPX and TCX are, beside gpxpy and python-tcxparser.

`python -m benchmarks.readers_xml [corpus]` from the root of the checkout, with an interpreter that has gpxpy,
lxml and python-tcxparser beside numpy and polars. The readers go through the same files in turn, round
after round, and deliver the same: every point with time, position, altitude, heart rate and cadence. The best
time of each file counts.
"""

import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).parent.parent
CORPUS = Path(os.environ.get("KNEEWATCH_CORPUS") or ROOT.parent / "shared" / "corpus")
ROUNDS = 5
LARGE_BYTES = 200 * 2**20


def measure(corpus: Path = CORPUS, *, rounds: int = ROUNDS) -> dict[str, float]:
    """Print the table; return the ratios, each above 1 when ours is the better one."""
    results: dict[str, float] = {}
    for peer in PEERS:
        found = _in_child("speed", peer, str(corpus), str(rounds))
        results[f"{peer}_points_per_s"], results[f"{peer}_ours_per_s"] = found["peer"], found["ours"]
        print(
            f"{peer:<22}{found['peer']:>12,.0f} points/s   ours {found['ours']:>12,.0f}   "
            f"× {found['ours'] / found['peer']:.1f}   ({found['points']:,.0f} points, {found['files']} files)"
        )
    for peer, name in PEERS.items():
        ratio = results[f"{peer}_ours_per_s"] / results[f"{peer}_points_per_s"]
        results[name] = min(ratio, results.get(name, ratio))
    return results | measure_memory()


def measure_memory(size_bytes: int = LARGE_BYTES) -> dict[str, float]:
    """Print and return the highest resident memory while one large file of each format is read."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for format_name, write in (("gpx", _write_gpx), ("tcx", _write_tcx)):
            path = Path(folder) / f"large.{format_name}"
            write(path, size_bytes)
            found = _in_child("memory", format_name, str(path))
            ratio = found["peak_bytes"] / path.stat().st_size
            results[f"{format_name}_peak_mib"] = found["peak_bytes"] / 2**20
            results[f"{format_name}_peak_per_byte"] = ratio
            print(
                f"{format_name} of {path.stat().st_size / 2**20:.0f} MiB: peak {found['peak_bytes'] / 2**20:.0f} MiB"
                f" ({ratio:.2f} × the file), {found['points']:,.0f} points in {found['seconds']:.1f} s"
            )
    return results


def _in_child(*arguments: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.readers_xml", *arguments]
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


# The peers -----------------------------------------------------------------------------------------------


def _gpxpy() -> Callable[[Path], int]:
    gpxpy = import_module("gpxpy")

    def read(path: Path) -> int:
        rows = [
            (point.time, point.latitude, point.longitude, point.elevation, *_extensions(point))
            for track in gpxpy.parse(path.read_bytes()).tracks
            for segment in track.segments
            for point in segment.points
        ]
        return len(rows)

    return read


def _extensions(point: Any) -> tuple[float | None, float | None]:
    found = {
        str(element.tag).rpartition("}")[2]: element.text
        for extension in point.extensions
        for element in extension.iter()
    }
    hr, cadence = found.get("hr"), found.get("cad")
    return float(hr) if hr else None, float(cadence) if cadence else None


def _gpxpy_without_lxml() -> Callable[[Path], int]:
    sys.modules["lxml"] = None  # type: ignore[assignment]  # gpxpy takes the standard library then
    return _gpxpy()


def _tcxparser() -> Callable[[Path], int]:
    parser = import_module("tcxparser").TCXParser

    def read(path: Path) -> int:
        tcx = parser(str(path))
        return max(map(len, _columns_of_tcx(tcx)))

    return read


def _columns_of_tcx(tcx: Any) -> tuple[list[Any], ...]:
    return (
        tcx.time_objects(),
        tcx.position_values(),
        tcx.altitude_points(),
        [float(one) for one in tcx.distance_values()],
        tcx.hr_values(),
        tcx.cadence_values(),
    )


def _tcxparser_all() -> Callable[[Path], int]:
    """The columns, power and every total that it offers, as a program does that shows an activity."""
    parser = import_module("tcxparser").TCXParser
    totals = [name for name, value in vars(parser).items() if isinstance(value, property)]

    def read(path: Path) -> int:
        tcx = parser(str(path))
        columns = (*_columns_of_tcx(tcx), tcx.power_values(), tcx.steps_values())
        for name in totals:
            with suppress(Exception):  # some need heart rates, some cadences
                getattr(tcx, name)
        return max(map(len, columns))

    return read


def _lxml_parse() -> Callable[[Path], int]:
    """What python-tcxparser begins with: the tree alone, nothing taken out of it."""
    objectify = import_module("lxml.objectify")
    return lambda path: 1 if objectify.parse(str(path)) is not None else 0


PEERS = {
    "gpxpy with lxml": "gpx_vs_gpxpy",
    "gpxpy without lxml": "gpx_vs_gpxpy",
    "python-tcxparser": "tcx_vs_tcxparser",
    "python-tcxparser, all": "tcx_vs_tcxparser_all",
    "lxml's tree alone": "tcx_vs_lxml_parse",
}
_READS = {
    "gpxpy with lxml": ("gpx", _gpxpy),
    "gpxpy without lxml": ("gpx", _gpxpy_without_lxml),
    "python-tcxparser": ("tcx", _tcxparser),
    "python-tcxparser, all": ("tcx", _tcxparser_all),
    "lxml's tree alone": ("tcx", _lxml_parse),
}


# In a child ----------------------------------------------------------------------------------------------


def _ours(format_name: str) -> Callable[[Path], int]:
    module = import_module(f"ingest.{format_name}")
    read_bytes = getattr(module, f"read_{format_name}")

    def read(path: Path) -> int:
        return len(read_bytes(path.read_bytes()).samples["at"])

    return read


def _speed(peer: str, corpus: str, rounds: str) -> dict[str, float]:
    format_name, load = _READS[peer]
    readers = {"peer": load(), "ours": _ours(format_name)}
    files = [path for path in sorted(Path(corpus).rglob(f"*.{format_name}")) if _can_all(readers, path)]
    best_s = {name: dict.fromkeys(files, float("inf")) for name in readers}
    for _ in range(int(rounds)):
        for name, read in readers.items():
            gc.collect()  # nobody pays for the garbage of the one before
            for path in files:
                started = perf_counter()
                read(path)
                best_s[name][path] = min(best_s[name][path], perf_counter() - started)
    points = sum(readers["ours"](path) for path in files)
    speeds = {name: points / sum(seconds.values()) for name, seconds in best_s.items()}
    return {"points": points, "files": len(files), **speeds}


def _can_all(readers: dict[str, Callable[[Path], int]], path: Path) -> bool:
    """Tell whether every reader finds points in the file; what one refuses says nothing about speed."""
    try:
        return all(read(path) > 0 for read in readers.values())
    except Exception:  # noqa: BLE001  # peers raise whatever they like
        return False


def _memory(format_name: str, path: str) -> dict[str, float]:
    """Read the file as the pipeline does, and tell the high-water mark of the process."""
    import resource

    read = _ours(format_name)
    started = perf_counter()
    points = read(Path(path))
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"points": points, "seconds": perf_counter() - started, "peak_bytes": peak_kib * 1024}


def _write_gpx(path: Path, size_bytes: int) -> None:
    head = (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<gpx creator="Garmin Connect" version="1.1" '
        b'xmlns="http://www.topografix.com/GPX/1/1"><trk><name>Long</name><type>running</type><trkseg>\n'
    )
    point = (
        '<trkpt lat="%.7f" lon="%.7f">\n<ele>%.1f</ele>\n<time>2026-%02d-%02dT%02d:%02d:%02d.000Z</time>\n'
        "<extensions>\n<ns3:TrackPointExtension>\n<ns3:atemp>21.0</ns3:atemp>\n<ns3:hr>%d</ns3:hr>\n"
        "<ns3:cad>%d</ns3:cad>\n</ns3:TrackPointExtension>\n</extensions>\n</trkpt>\n"
    )
    _write(path, size_bytes, head, point, b"</trkseg></trk></gpx>")


def _write_tcx(path: Path, size_bytes: int) -> None:
    head = (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<TrainingCenterDatabase><Activities><Activity Sport="Running">'
        b'<Lap StartTime="2026-01-01T00:00:00Z"><TotalTimeSeconds>1000</TotalTimeSeconds><Track>\n'
    )
    point = (
        "<Trackpoint>\n<Position>\n<LatitudeDegrees>%.7f</LatitudeDegrees>\n<LongitudeDegrees>%.7f"
        "</LongitudeDegrees>\n</Position>\n<AltitudeMeters>%.1f</AltitudeMeters>\n"
        "<Time>2026-%02d-%02dT%02d:%02d:%02d.000Z</Time>\n<HeartRateBpm>\n<Value>%d</Value>\n</HeartRateBpm>\n"
        "<Extensions>\n<ns3:TPX>\n<ns3:RunCadence>%d</ns3:RunCadence>\n</ns3:TPX>\n</Extensions>\n</Trackpoint>\n"
    )
    _write(path, size_bytes, head, point, b"</Track></Lap></Activity></Activities></TrainingCenterDatabase>")


def _write(path: Path, size_bytes: int, head: bytes, point: str, tail: bytes) -> None:
    with path.open("wb") as file:
        file.write(head)
        for i in range(size_bytes):
            file.write((point % _values(i)).encode())
            if file.tell() > size_bytes - len(tail):
                break
        file.write(tail)


def _values(i: int) -> tuple[float, ...]:
    """Return position, altitude, time (one a second from New Year on), heart rate and cadence of point `i`."""
    day, second = divmod(i, 86400)
    time = (1 + day // 28, 1 + day % 28, second // 3600, second // 60 % 60, second % 60)
    return (52 + i % 9973 / 1e5, 4 + i % 9967 / 1e5, i % 331 / 10, *time, 120 + i % 61, 80 + i % 13)


def main(arguments: Sequence[str]) -> None:
    if arguments[:1] == ["speed"]:
        print(json.dumps(_speed(*arguments[1:])))
    elif arguments[:1] == ["memory"]:
        print(json.dumps(_memory(*arguments[1:])))
    else:
        measure(Path(arguments[0]) if arguments else CORPUS)


if __name__ == "__main__":
    main(sys.argv[1:])
