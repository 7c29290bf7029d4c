"""
Measure the readers against their peers and the whole intake, in one run: `make bench-readers`.

Prints tables and writes benchmarks/out/readers.json: `ratios` (ours over the peer, above 1 is faster), `activities_per_s`
(from an empty home to the published database, on the corpus's sixteen weeks) and the figures they come from.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import readers_fit, readers_xml
from benchmarks.readers_xml import CORPUS, ROOT

OUT = ROOT / "benchmarks" / "out" / "readers.json"
FIT_BOX_S = 90.0
INTAKES = 3


def main() -> None:
    """Measure everything and write it down."""
    if not CORPUS.is_dir():
        sys.exit(f"There are no real activity files at {CORPUS}; KNEEWATCH_CORPUS says where they are.")
    fit = readers_fit.measure(CORPUS, FIT_BOX_S)
    cold = readers_fit.measure_cold(readers_fit.fit_files(CORPUS)[0])
    memory = readers_fit.measure_memory(CORPUS)
    xml = readers_xml.measure()
    rate = activities_per_s(CORPUS / "sixteen_weeks")
    found = {**fit, **memory, **xml}
    ratios = {
        name: found[name]
        for name in ("fit_vs_fitparse", "fit_vs_fitfast", "gpx_vs_gpxpy", "tcx_vs_tcxparser")
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(
        json.dumps({"ratios": ratios, "activities_per_s": rate, "cold": cold, **found}, indent=2, default=str)
    )
    print(f"intake: {rate:.1f} activities/s\n{OUT}")


def activities_per_s(folder: Path) -> float:
    """Return the best rate of a few intakes by the command line, each into an empty home."""
    files = sum(1 for path in folder.iterdir() if path.is_file())
    best_s = float("inf")
    for _ in range(INTAKES):
        with tempfile.TemporaryDirectory() as home:
            command = [
                Path(sys.executable).with_name("kneewatch"),
                "ingest",
                folder,
                "--home",
                Path(home) / "home",
            ]
            started_at = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            best_s = min(best_s, time.perf_counter() - started_at)
    return files / best_s


if __name__ == "__main__":
    main()
