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

READER_VERSION = "1"

READERS: dict[str, Callable[[bytes], Recording]] = {"fit": read_fit, "gpx": read_gpx}

NOT_YET = {
    "tcx": "This is a TCX file, which this version does not read yet; export the activity as FIT or GPX.",
    "zip": "This is an archive inside an archive inside an archive; unpack it and drop what is inside.",
}

_FEW = 8
"""Below this many files a second process costs more than it saves."""


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
    if len(files) < _FEW or workers == 1:
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
