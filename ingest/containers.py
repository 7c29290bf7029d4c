"""Zip archives: the exports in them, and what platforms say about those in files beside them."""

import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

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
from ingest.unpack import read_up_to

if TYPE_CHECKING:
    from store.settings import Limits  # with pydantic, which a process that reads has no use for

EXPORT_SUFFIXES = (".fit", ".gpx", ".tcx")
POLAR_SESSION = re.compile(r"(^|/)training-session-[^/]*\.json$")
MOST_ARCHIVES = 1_000
"""Archives in an archive; Garmin's has some dozens."""
MOST_TABLE_BYTES = 32 * 2**20
"""Of a platform's tables together but Apple's, which is streamed; ten thousand activities take some 10 MiB."""
DIRECTORY_BYTES_PER_ENTRY = 640
"""What an entry's names and notes may take at the most, on the average of all entries."""
_ENTRY_BEGINNING = b"PK\x01\x02"
_CHUNK_BYTES = 2**16
_SMALL_BYTES = 2 * _CHUNK_BYTES
"""Members are read in smaller pieces than this, and so is the longest comment that an archive ends with."""

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
    """How many exports an archive holds, how many other files, and whether a platform's tables are among these."""

    exports: int
    others: int
    has_tables: bool = False


NO_WORDS = Words()


def members_of(file: IO[bytes], limits: "Limits", words: Words = NO_WORDS) -> Iterator[Member]:
    """
    Yield the exports of a zip archive and of the archives in it, one level down.

    Args:
        file: The archive, open for reading and seekable.
        limits: What a single export, the archive and those in it may hold.
        words: What the platform's tables in the archive say, from `words_of`.

    Raises:
        IngestError: If it is no sound zip archive, or holds more than an archive may.
    """
    allowance = _Allowance(limits)
    with _opened(file, allowance.entries) as archive:
        for info in allowance.take(archive):
            name = info.filename
            if _is_export(name):
                yield Member(
                    name=name,
                    content=_content(archive, info, allowance.file_bytes),
                    told=words.of.get(name, NOTHING_TOLD),
                    told_at=words.at,
                )
            elif _is_archive(name):
                for member in _members_of_nested(archive, info, allowance):
                    yield replace(member, told_at=words.at)
        for name, summary in words.without_export:
            yield Member(name=name, content=summary, told=NOTHING_TOLD)


def inventory_of(file: IO[bytes], limits: "Limits") -> Inventory:
    """
    Count what an archive holds, without looking into nested ones.

    Raises:
        IngestError: As `members_of`.
    """
    allowance = _Allowance(limits)
    with _opened(file, allowance.entries) as archive:
        entries = allowance.take(archive)
    exports = sum(_is_export(info.filename) for info in entries)
    has_tables = any(_is_table(info.filename) for info in entries)
    return Inventory(exports=exports, others=len(entries) - exports, has_tables=has_tables)


class _Allowance:
    """What an archive may hold; the archives in it share what is left."""

    def __init__(self, limits: "Limits") -> None:
        self.limits = limits
        self.file_bytes = limits.max_file_mib * 2**20
        self.nested_bytes = limits.max_nested_gib * 2**30
        self.entries = limits.max_archive_entries
        self.content_bytes = limits.max_archive_gib * 2**30

    def take(self, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
        """
        Return the files of an archive, junk and hidden ones apart, and note what it takes.

        Raises:
            IngestError: If it takes more than is left, or is made to harm.
        """
        infos = archive.infolist()
        if len(infos) > self.entries:
            raise _too_many_entries(self.limits.max_archive_entries)
        _refuse_overlaps(infos)
        if sum(_is_archive(info.filename) for info in infos) > MOST_ARCHIVES:
            raise IngestError(f"This zip archive holds more than {MOST_ARCHIVES:,} archives; split it.")
        content_bytes = sum(info.file_size for info in infos if _is_looked_into(info.filename))
        if content_bytes > self.content_bytes:
            raise IngestError(
                f"This zip archive holds more than {self.limits.max_archive_gib} GiB of exports (limits.max_archive_gib)."
            )
        self.entries -= len(infos)
        self.content_bytes -= content_bytes
        return [info for info in infos if not info.is_dir() and not _is_junk(info.filename)]


def _opened(file: IO[bytes], most_entries: int) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(_Guarded(file, most_entries))
    except ZIP_FAILURES as error:
        raise IngestError(
            f"This zip archive is damaged and cannot be opened ({error}). Download it again."
        ) from error


class _Guarded:
    """
    An archive's file as zipfile reads it, which takes the whole directory at once and makes an object of every entry.

    How large a directory is and how many entries it has are claims. Here they are seen before they cost anything;
    nothing but a directory is read in pieces that large.
    """

    def __init__(self, file: IO[bytes], most_entries: int) -> None:
        self.file = file
        self.most_entries = most_entries
        self.most_bytes = max(most_entries * DIRECTORY_BYTES_PER_ENTRY, _SMALL_BYTES)
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        content = self.file.read(self.most_bytes + 1 if size < 0 else min(size, self.most_bytes + 1))
        if len(content) > self.most_bytes:
            raise IngestError(
                f"The directory of this zip archive is larger than {self.most_bytes // 2**10:,} KiB, which names of "
                f"{self.most_entries:,} entries never take (limits.max_archive_entries)."
            )
        if len(content) > _SMALL_BYTES and content.count(_ENTRY_BEGINNING) > self.most_entries:
            raise _too_many_entries(self.most_entries)
        return content


def _too_many_entries(most: int) -> IngestError:
    return IngestError(f"This zip archive holds more than {most:,} entries (limits.max_archive_entries).")


def _refuse_overlaps(infos: list[zipfile.ZipInfo]) -> None:
    ends = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < ends:
            raise IngestError(
                "The members of this zip archive overlap, as no honest archive's do; it was not opened."
            )
        ends = info.header_offset + info.compress_size


def _is_junk(name: str) -> bool:
    """Tell whether it is what systems put into archives; ".." is no hidden folder, and a name is only a name here."""
    return any(is_temporary(part) for part in re.split(r"[/\\]", name) if part not in ("", "..", "."))


def _is_archive(name: str) -> bool:
    return name.lower().endswith(".zip")


def _is_looked_into(name: str) -> bool:
    return _is_export(name) or _is_archive(name)


def _is_export(name: str) -> bool:
    name = name.lower()
    return name.removesuffix(".gz").endswith(EXPORT_SUFFIXES) or bool(POLAR_SESSION.search(name))


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, max_bytes: int) -> bytes | str:
    """Return a member's bytes, or why they cannot be had; sizes in a zip are claims, so the reading is what is limited."""
    if info.flag_bits & 1:
        return "This member of the archive is encrypted; unpack it with its password and drop what is inside."
    try:
        with archive.open(info) as stream:
            content = read_up_to(stream, max_bytes)
    except ZIP_FAILURES as error:
        return f"This member of the archive is damaged and cannot be decompressed ({error})."
    if content is None:
        return f"This member of the archive is larger than {max_bytes // 2**20} MiB (limits.max_file_mib)."
    return content


def _members_of_nested(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, allowance: _Allowance
) -> Iterator[Member]:
    try:
        with tempfile.TemporaryFile() as file:
            _copy(archive, info, file, allowance)
            with _opened(file, allowance.entries) as nested:
                for inner in allowance.take(nested):
                    if _is_export(inner.filename):
                        yield Member(
                            name=f"{info.filename}/{inner.filename}",
                            content=_content(nested, inner, allowance.file_bytes),
                            told=NOTHING_TOLD,
                        )
    except (IngestError, *ZIP_FAILURES) as error:
        yield Member(
            name=info.filename, content=f"This nested archive cannot be opened: {error}", told=Told()
        )


def _copy(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: IO[bytes], allowance: _Allowance) -> None:
    copied = 0
    with archive.open(info) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            copied += len(chunk)
            if copied > allowance.nested_bytes:
                raise IngestError(
                    f"it is larger than {allowance.limits.max_nested_gib} GiB (limits.max_nested_gib)."
                )
            file.write(chunk)


# What platforms say beside the exports --------------------------------------------------------------------


def words_of(path: Path, *, most_entries: int) -> Words:
    """
    Return what the tables of Strava's, Garmin's and Apple's archives say; without one, nothing.

    Raises:
        IngestError: If a table is larger than any platform's, or cannot be unpacked.
    """
    with path.open("rb") as file, _opened(file, most_entries) as archive:
        starts: dict[int, Told] = {}
        left_bytes = MOST_TABLE_BYTES
        for info in archive.infolist():
            name = info.filename
            if PurePosixPath(name).name == STRAVA_TABLE:
                return Words(of=told_by_strava(decode_text(_table(archive, info, left_bytes)), name))
            if APPLE_TABLE.search(name):
                return _from_apples_table(archive, info)
            if GARMIN_TABLE.search(name.lower()):
                table = _table(archive, info, left_bytes)
                left_bytes -= len(table)
                starts |= told_by_garmin(table)
    return Words(at=starts)


def _is_table(name: str) -> bool:
    return (
        PurePosixPath(name).name == STRAVA_TABLE
        or bool(APPLE_TABLE.search(name))
        or bool(GARMIN_TABLE.search(name.lower()))
    )


def _table(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most_bytes: int) -> bytes:
    if info.file_size > most_bytes:  # a claim, but more than that is never handed out
        raise IngestError(f"It is larger than {MOST_TABLE_BYTES // 2**20} MiB, as no platform's is.")
    content = _content(archive, info, most_bytes)
    if isinstance(content, str):
        raise IngestError(content)
    return content


def _from_apples_table(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Words:
    try:
        with archive.open(info) as stream:
            return told_by_apple(stream, info.filename)
    except ZIP_FAILURES:
        return Words()
