"""A backup: everything in a home that cannot be computed again, as one file, consistent also while flows run."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from store.database import StoreError, copy_store, opened_store
from store.files import make_folder, sync_folder
from store.home import Home
from store.lock import writing
from store.publish import publish_copy

MANIFEST = "manifest.json"
STORE = ".state/store.duckdb"
FORMAT = 1


def write_backup(home: Home, path: Path) -> int:
    """
    Write a backup to `path`, whole or not at all, and return how many files are in it.

    The writer's lock is held only while the database is copied and the files are listed: originals and samples are
    never changed afterwards, so that flows may go on while they are read.

    Raises:
        StoreError: If there is such a file already, or no home.
    """
    if path.exists():
        raise StoreError(f"{path} is there already; name another file, nothing is overwritten.")
    if not home.store.exists():
        raise StoreError(f"There is nothing to back up in {home.root}: nothing was taken in yet.")
    temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}.tmp")
    try:
        with tempfile.TemporaryDirectory(dir=home.state) as folder:
            store = Path(folder) / "store.duckdb"
            with writing(home, "backup"), opened_store(home) as con:
                copy_store(con, store)
                files = {STORE: store} | {str(one.relative_to(home.root)): one for one in _kept_files(home)}
            count = _write(temporary, files)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.absolute().parent)
    return count


def restore_backup(path: Path, home: Home) -> int:
    """
    Lay out a backup in an empty home, publish its database, and return how many files there were.

    Raises:
        StoreError: If there is something in the home, or the backup is none or damaged; then nothing is left behind.
    """
    if home.root.exists() and any(home.root.iterdir()):
        raise StoreError(
            f"{home.root} is not empty and stays as it is; restore into a new folder (--home) and look at it first."
        )
    make_folder(home.root.parent)
    with tempfile.TemporaryDirectory(dir=home.root.parent, prefix=".restore-") as folder:
        aside = Home(Path(folder) / "home").prepare()
        count = _lay_out(path, aside)
        if home.root.exists():
            home.root.rmdir()
        aside.root.rename(home.root)
    sync_folder(home.root.parent)
    with writing(home, "restore"), opened_store(home) as con:
        publish_copy(con, home)
    return count


def _kept_files(home: Home) -> Iterator[Path]:
    """Yield what is a fact: settings, the secret, what waits, originals, what was refused, and samples."""
    yield from (one for one in (home.settings_file, home.secret) if one.exists())
    for folder in (home.inbox, home.archive, home.quarantine, home.samples):
        yield from sorted(one for one in folder.rglob("*") if one.is_file() and not one.is_symlink())


def _write(path: Path, files: dict[str, Path]) -> int:
    """Write the files and, last, the manifest with their hashes; what left the inbox meanwhile is in the archive."""
    hashes: dict[str, str] = {}
    descriptor = os.open(
        path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600
    )  # settings hold the channels' addresses
    with os.fdopen(descriptor, "wb") as stream:
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name, source in files.items():
                try:
                    content = source.open("rb")
                except FileNotFoundError:
                    continue
                with content:
                    info = tarfile.TarInfo(name)
                    info.size = os.fstat(content.fileno()).st_size
                    info.mode = 0o600
                    hashed = _Hashed(content)
                    archive.addfile(info, hashed)
                    hashes[name] = hashed.hexdigest()
            told = {
                "format": FORMAT,
                "kneewatch": version("kneewatch"),
                "written_at": datetime.now(UTC).isoformat(),
                "sha256": hashes,
            }
            manifest = json.dumps(told, indent=1).encode()
            info = tarfile.TarInfo(MANIFEST)
            info.size = len(manifest)
            archive.addfile(info, io.BytesIO(manifest))
        stream.flush()
        os.fsync(stream.fileno())
    return len(hashes)


class _Hashed:
    """A stream that is hashed while it is read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self._hash.update(content)
        return content

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def _lay_out(path: Path, home: Home) -> int:
    hashes: dict[str, str] = {}
    manifest: dict[str, object] = {}
    try:
        with tarfile.open(path, mode="r|") as archive:
            for info in archive:
                content = archive.extractfile(info) if info.isfile() else None
                if content is None:
                    continue
                if info.name == MANIFEST:
                    manifest = json.loads(content.read())
                    continue
                hashed = _Hashed(content)  # type: ignore[arg-type]
                _write_out(home.root / _safe(info.name), hashed)
                hashes[info.name] = hashed.hexdigest()
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise StoreError(f"{path} is no backup of Kneewatch's, or is damaged ({error}).") from error
    if not manifest or manifest.get("sha256") != hashes:
        raise StoreError(
            f"{path} is no backup of Kneewatch's, or is damaged: what is in it is not what was written."
        )
    return len(hashes)


def _safe(name: str) -> PurePosixPath:
    """Return a name that stays within the home."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"a name that leads out of the home: {name!r}")
    return path


def _write_out(path: Path, content: _Hashed) -> None:
    make_folder(path.parent)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        while chunk := content.read(2**20):
            stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())
