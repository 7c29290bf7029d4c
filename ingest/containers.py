"""Zip archives: the exports in them, and what platforms say about those in files beside them."""

import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import IO

from ingest.errors import IngestError
from ingest.inbox import is_temporary
from ingest.logs import decode_text
from ingest.platforms import (
    APPLE_TABLE,
    GARMIN_TABLE,
    STRAVA_TABLE,
    Words,
    told_by_apple,
    told_by_garmin,
    told_by_strava,
)
from ingest.recording import NOTHING_TOLD, Told

EXPORT_SUFFIXES = (".fit", ".gpx", ".tcx")
POLAR_SESSION = re.compile(r"(^|/)training-session-[^/]*\.json$")
MOST_ENTRIES = 100_000
MOST_BYTES = 16 * 2**30
"""Of all exports in one archive together, decompressed."""
MOST_NESTED_BYTES = 2 * 2**30
MOST_TABLE_BYTES = 64 * 2**20
_CHUNK_BYTES = 2**16

# What zipfile raises on damaged members besides its own error.
ZIP_FAILURES = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """
    One export inside an archive.

    Attributes:
        name: Its path inside; of a nested archive `part.zip/path`.
        content: Its bytes, or the sentence that says why they cannot be had.
        told_at: What is said of the activities that start at a second since 1970, whichever export they are in.
    """

    name: str
    content: bytes | str
    told: Told
    told_at: Mapping[int, Told] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Inventory:
    """How many exports an archive holds, nested ones included, and how many other files."""

    exports: int
    others: int


def members_of(file: IO[bytes], *, max_bytes: int) -> Iterator[Member]:
    """
    Yield the exports of a zip archive and of the archives in it, one level down.

    Args:
        file: The archive, open for reading and seekable.
        max_bytes: Size from which a single export is refused.

    Raises:
        IngestError: If it is no sound zip archive, or holds more than an archive may.
    """
    with _opened(file) as archive:
        words = _what_is_told(archive)
        for info in _entries(archive):
            name = info.filename
            if _is_export(name):
                content = _content(archive, info, max_bytes)
                told = words.of.get(name, NOTHING_TOLD)
                yield Member(name=name, content=content, told=told, told_at=words.at)
            elif name.lower().endswith(".zip"):
                for member in _members_of_nested(archive, info, max_bytes):
                    yield replace(member, told_at=words.at)
        for name, summary in words.without_export:
            yield Member(name=name, content=summary, told=NOTHING_TOLD)


def inventory_of(file: IO[bytes]) -> Inventory:
    """Count what an archive holds, without looking into nested ones."""
    with _opened(file) as archive:
        entries = list(_entries(archive))
    exports = sum(_is_export(info.filename) for info in entries)
    return Inventory(exports=exports, others=len(entries) - exports)


def _opened(file: IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except ZIP_FAILURES as error:
        raise IngestError(
            f"This zip archive is damaged and cannot be opened ({error}). Download it again."
        ) from error


def _entries(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """Yield the files of an archive that keeps within the limits; junk and hidden files apart."""
    infos = archive.infolist()
    if len(infos) > MOST_ENTRIES:
        raise IngestError(
            f"This zip archive holds {len(infos):,} entries; at most {MOST_ENTRIES:,} are allowed."
        )
    ends = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < ends:
            raise IngestError(
                "The members of this zip archive overlap, as no honest archive's do; it was not opened."
            )
        ends = info.header_offset + info.compress_size
    if sum(info.file_size for info in infos if _is_export(info.filename)) > MOST_BYTES:
        raise IngestError(f"This zip archive holds more than {MOST_BYTES // 2**30} GiB of exports; split it.")
    for info in infos:
        if not info.is_dir() and not any(is_temporary(part) for part in PurePosixPath(info.filename).parts):
            yield info


def _is_export(name: str) -> bool:
    name = name.lower()
    return name.removesuffix(".gz").endswith(EXPORT_SUFFIXES) or bool(POLAR_SESSION.search(name))


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, max_bytes: int) -> bytes | str:
    """Return a member's bytes, or why they cannot be had; sizes in a zip are claims, so the reading is what is limited."""
    if info.flag_bits & 1:
        return "This member of the archive is encrypted; unpack it with its password and drop what is inside."
    try:
        with archive.open(info) as stream:
            content = stream.read(max_bytes + 1)
    except ZIP_FAILURES as error:
        return f"This member of the archive is damaged and cannot be decompressed ({error})."
    if len(content) > max_bytes:
        return f"This member of the archive is larger than {max_bytes // 2**20} MiB (limits.max_file_mib)."
    return content


def _members_of_nested(archive: zipfile.ZipFile, info: zipfile.ZipInfo, max_bytes: int) -> Iterator[Member]:
    try:
        with tempfile.TemporaryFile() as file:
            _copy(archive, info, file)
            with _opened(file) as nested:
                for inner in _entries(nested):
                    if _is_export(inner.filename):
                        content = _content(nested, inner, max_bytes)
                        yield Member(
                            name=f"{info.filename}/{inner.filename}", content=content, told=NOTHING_TOLD
                        )
    except (IngestError, *ZIP_FAILURES) as error:
        yield Member(
            name=info.filename, content=f"This nested archive cannot be opened: {error}", told=Told()
        )


def _copy(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: IO[bytes]) -> None:
    copied = 0
    with archive.open(info) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            copied += len(chunk)
            if copied > MOST_NESTED_BYTES:
                raise IngestError(f"it is larger than {MOST_NESTED_BYTES // 2**30} GiB.")
            file.write(chunk)


# What platforms say beside the exports --------------------------------------------------------------------


def _what_is_told(archive: zipfile.ZipFile) -> Words:
    """Return what the tables of Strava's, Garmin's and Apple's archives say; without one, nothing."""
    starts: dict[int, Told] = {}
    for info in archive.infolist():
        name = info.filename
        if PurePosixPath(name).name == STRAVA_TABLE:
            table = _content(archive, info, MOST_TABLE_BYTES)
            return Words(of=told_by_strava(decode_text(table), name)) if isinstance(table, bytes) else Words()
        if APPLE_TABLE.search(name):
            return _from_apples_table(archive, info)
        if GARMIN_TABLE.search(name.lower()):
            table = _content(archive, info, MOST_TABLE_BYTES)
            starts |= told_by_garmin(table) if isinstance(table, bytes) else {}
    return Words(at=starts)


def _from_apples_table(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Words:
    try:
        with archive.open(info) as stream:
            return told_by_apple(stream, info.filename)
    except ZIP_FAILURES:
        return Words()
