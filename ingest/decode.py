"""The readers, one per format, and how a batch of files goes through them on all cores."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from ingest.errors import IngestError
from ingest.fit import read_fit
from ingest.gpx import read_gpx
from ingest.recording import Recording
from ingest.tcx import read_tcx

READER_VERSION = "1"

READERS: dict[str, Callable[[bytes], Recording]] = {"fit": read_fit, "gpx": read_gpx, "tcx": read_tcx}

NOT_YET = {
    "zip": "This is an archive inside an archive inside an archive; unpack it and drop what is inside.",
}

_MUCH_BYTES = 40 * 2**20
"""Below this a second process costs more than it saves."""


def decode(format_name: str, content: bytes) -> Recording:
    """
    Return what the file holds.

    Raises:
        IngestError: With a sentence for the runner.
    """
    reader = READERS.get(format_name)
    if reader is None:
        raise IngestError(NOT_YET[format_name])
    return reader(content)


def decode_files(files: Sequence[tuple[str, Path]]) -> Iterator[Recording | IngestError]:
    """Yield for each (format, path) what it holds or why not, in the order given."""
    workers = min(os.cpu_count() or 1, 4)
    if workers == 1 or sum(path.stat().st_size for _, path in files) < _MUCH_BYTES:
        yield from map(_decode_file, files)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(_decode_file, files)


def _decode_file(file: tuple[str, Path]) -> Recording | IngestError:
    format_name, path = file
    try:
        return decode(format_name, path.read_bytes())
    except IngestError as refusal:
        return refusal
