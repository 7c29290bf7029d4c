"""Originals: kept by content in archive/, or set aside with the reason in quarantine/. Nothing is ever deleted."""

import json
from collections.abc import Mapping
from pathlib import Path

from store.files import write_whole
from store.home import Home


def archived_file(home: Home, export_id: str, suffix: str) -> Path:
    """Return where an original lies: archive/ab/<sha256><suffix>."""
    return home.archive / export_id[:2] / f"{export_id}{suffix}"


def archive_original(home: Home, content: bytes, *, export_id: str, suffix: str) -> Path:
    """Keep the bytes by their hash; what is there already stays as it is."""
    path = archived_file(home, export_id, suffix)
    if not path.exists() or path.stat().st_size != len(content):
        write_whole(path, content)
    return path


def quarantine_original(
    home: Home, content: bytes, *, file_name: str, export_id: str, reason: Mapping[str, object]
) -> Path:
    """
    Set a refused original aside under its name, with `<name>.reason.json` beside it.

    A namesake with other content stays; the newcomer then carries the start of its hash in its name.
    """
    path = _free_name(home.quarantine / file_name, content, export_id)
    write_whole(path, content)
    note = json.dumps(reason, indent=2, ensure_ascii=False, default=str)
    write_whole(path.with_name(f"{path.name}.reason.json"), note.encode())
    return path


def _free_name(path: Path, content: bytes, export_id: str) -> Path:
    if not path.exists() or (path.stat().st_size == len(content) and path.read_bytes() == content):
        return path
    return path.with_name(f"{path.stem}-{export_id[:12]}{path.suffix}")
