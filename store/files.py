"""Files that are there whole or not at all, also after a power cut."""

import io
import os
import shutil
import threading
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, content: bytes | BinaryIO) -> None:
    """Write `content` to `path` by way of a temporary file beside it: write, fsync, rename, fsync the folder."""
    make_folder(path.parent)
    # Not named after the file, whose name may be as long as names can be.
    temporary = path.with_name(f".{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with temporary.open("wb") as file:
            shutil.copyfileobj(io.BytesIO(content) if isinstance(content, bytes) else content, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename is None:
            error.filename = str(path)  # the system does not say which disk is full
        raise
    sync_folder(path.parent)


def sweep(folder: Path) -> None:
    """Remove what `write_whole` left below a folder when it was killed; only while nobody else writes there."""
    for temporary in folder.rglob(".*.tmp"):
        temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder and what is missing above it, each known to the disk before anything lies in it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True, mode=0o700)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Bring the folder's entries to the disk: without this a rename is lost in a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
