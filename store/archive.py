"""Originals: kept by content in archive/, or set aside with the reason in quarantine/. Nothing is ever deleted."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from store.files import write_whole
from store.home import Home

REASON_SUFFIX = ".reason.json"
LONGEST_STEM_BYTES, LONGEST_SUFFIX_BYTES = 200, 16
"""File systems take 255; the rest is for what we add."""
MOST_FOLDERS = 8


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

    A name out of an archive may be anything: whatever it is, the place lies below the quarantine. A namesake with
    other content stays; the newcomer then carries the start of its hash in its name.
    """
    path = _free_place(home.quarantine, file_name, export_id)
    with original.open("rb") as stream:
        write_whole(path, stream)
    note = json.dumps(reason, indent=2, ensure_ascii=False, default=str)
    write_whole(path.with_name(path.name + REASON_SUFFIX), note.encode(errors="replace"))
    return path


def sha256_of(path: Path) -> str:
    """Return the hash of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _free_place(quarantine: Path, file_name: str, export_id: str) -> Path:
    """Return where a file of that name may lie: nothing else is there, and no file where a folder must be."""
    *folders, name = [_plain(part) for part in file_name.split("/") if part] or [export_id]
    named = quarantine.joinpath(*folders[:MOST_FOLDERS], name)
    tagged = named.with_name(f"{named.stem}-{export_id[:12]}{named.suffix}")
    free = (place for place in (named, tagged) if _is_free(place, quarantine, export_id))
    return next(free, quarantine / f"{export_id}{named.suffix}")


def _plain(part: str) -> str:
    """Return a part of a name as any file system takes it; it neither leads upwards nor hides."""
    part = "".join(letter if letter.isprintable() else "_" for letter in part)
    path = Path(f"_{part}" if part.startswith(".") else part)
    name = _cut(path.stem, LONGEST_STEM_BYTES) + _cut(path.suffix, LONGEST_SUFFIX_BYTES)
    return f"{name}_" if name.lower().endswith(REASON_SUFFIX) else name


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore")


def _is_free(place: Path, quarantine: Path, export_id: str) -> bool:
    folders = place.relative_to(quarantine).parents
    if any((quarantine / folder).is_file() for folder in folders):
        return False
    return not place.exists() or (place.is_file() and sha256_of(place) == export_id)
