"""Files that are broken on purpose, as they come out of a drained watch, a bad card or a lost connection."""

import numpy as np

from sample_data import fit_writer, gpx_writer
from sample_data.recording import Recording
from sample_data.story import BROKEN_OFF_SHARE

GARBAGE_BYTES = 24_000
GARBAGE_SEED = 20260708


def broken_off_fit(recording: Recording) -> bytes:
    """Return the first part of a good FIT file: the watch died on the way home."""
    whole = fit_writer.encode(recording)
    return whole[: int(len(whole) * BROKEN_OFF_SHARE)]


def garbage_fit() -> bytes:
    """Return a good FIT header with noise behind it."""
    return fit_writer.header(GARBAGE_BYTES) + np.random.RandomState(GARBAGE_SEED).bytes(GARBAGE_BYTES + 2)


def broken_off_gpx(recording: Recording) -> bytes:
    """Return a GPX file that ends within its first point."""
    whole = gpx_writer.encode(recording)
    return whole[: whole.index(b'lon="') + 7]
