"""Originals: kept by content in archive/, or set aside with the reason in quarantine/. Nothing is ever deleted."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from store.files import write_whole
from store.home import Home

LONGEST_NAME_BYTES = 200
"""File systems take 255; the rest is for what we add."""


def archived_file(home: Home, export_id: str, suffix: str) -> Path:
    """Return where an original lies: archive/ab/<sha256><suffix>."""
    return home.archive / export_id[:2] / f"{export_id}{suffix}"


def archive_original(home: Home, content: bytes, *, export_id: str, suffix: str) -> Path:
    """Keep the bytes by their hash; what is there already stays as it is."""
    path = archived_file(home, export_id, suffix)
    if not path.exists() or path.stat().st_size != len(content):
        write_whole(path, content)
    return path


def archive_file(home: Home, original: Path, *, export_id: str, suffix: str) -> Path:
    """Keep a file of any size by its hash, like `archive_original`."""
    path = archived_file(home, export_id, suffix)
    if not path.exists() or path.stat().st_size != original.stat().st_size:
        with original.open("rb") as stream:
            write_whole(path, stream)
    return path


def quarantine_original(
    home: Home, original: Path, *, file_name: str, export_id: str, reason: Mapping[str, object]
) -> Path:
    """
    Set a refused original aside under its name, with `<name>.reason.json` beside it.

    A namesake with other content stays; the newcomer then carries the start of its hash in its name.
    """
    path = _free_name(home.quarantine / file_name, export_id)
    with original.open("rb") as stream:
        write_whole(path, stream)
    note = json.dumps(reason, indent=2, ensure_ascii=False, default=str)
    write_whole(path.with_name(f"{path.name}.reason.json"), note.encode())
    return path


def sha256_of(path: Path) -> str:
    """Return the hash of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _free_name(path: Path, export_id: str) -> Path:
    stem = path.stem.encode()[:LONGEST_NAME_BYTES].decode(errors="ignore")
    path = path.with_name(f"{stem}{path.suffix[:16]}")
    if not path.exists() or sha256_of(path) == export_id:
        return path
    return path.with_name(f"{stem}-{export_id[:12]}{path.suffix}")
