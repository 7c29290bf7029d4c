"""Write the sample exports: `python -m sample_data.make [FOLDER]`. The same every time, to the byte."""

import argparse
import gzip
import io
from pathlib import Path

from sample_data import damage, fit_writer, gpx_writer, logs
from sample_data.recording import Recording, record
from sample_data.story import BROKEN_OFF_RUN, LOCAL_ZONE, RUNS

HERE = Path(__file__).parent


def main() -> None:
    """Write the exports into the folder named on the command line, or beside this module."""
    parser = argparse.ArgumentParser(
        description="Write the sample exports; the same every time, to the byte."
    )
    parser.add_argument("folder", nargs="?", type=Path, default=HERE, help="where inbox/ and broken/ go")
    write(parser.parse_args().folder)


def write(folder: Path) -> None:
    """Write inbox/ and broken/ below this folder; what else is there stays."""
    for name, content in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def files() -> dict[str, bytes]:
    """Return all files: path below sample_data/ → bytes."""
    recordings = [record(run) for run in RUNS]
    made = {
        f"inbox/{name}": content for recording in recordings for name, content in _exports(recording).items()
    }
    made["inbox/pain.csv"] = logs.pain_csv(recordings)
    made["inbox/strength.csv"] = logs.strength_csv()
    jog = record(BROKEN_OFF_RUN)
    made[f"broken/{_stem(jog)}_broken-off.fit"] = damage.broken_off_fit(jog)
    made["broken/garbage.fit"] = damage.garbage_fit()
    made["broken/no-point.gpx"] = damage.broken_off_gpx(jog)
    return made


def _exports(recording: Recording) -> dict[str, bytes]:
    """Return the files this run was exported as, by name."""
    kind, _, packing = recording.run.export.partition(".")
    content = fit_writer.encode(recording) if kind == "fit" else gpx_writer.encode(recording)
    exports = {f"{_stem(recording)}.{recording.run.export}": _packed(content) if packing else content}
    if recording.run.is_exported_twice:
        exports[f"{_stem(recording)}_platform.gpx.gz"] = _packed(gpx_writer.encode(recording, first_sample=1))
    return exports


def _stem(recording: Recording) -> str:
    return recording.started_at.astimezone(LOCAL_ZONE).strftime("%Y-%m-%d_%H%M%S")


def _packed(content: bytes) -> bytes:
    """Return it gzipped, without name and time."""
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as stream:
        stream.write(content)
    return packed.getvalue()


if __name__ == "__main__":
    main()
