"""Zip archives: the exports in them, and what platforms say about those in files beside them."""

import csv
import io
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO
from xml.parsers import expat

from ingest.errors import IngestError
from ingest.inbox import is_temporary
from ingest.logs import decode_text
from ingest.recording import NOTHING_TOLD, Told

EXPORT_SUFFIXES = (".fit", ".gpx", ".tcx")
MOST_ENTRIES = 100_000
MOST_BYTES = 16 * 2**30
"""Of all exports in one archive together, decompressed."""
MOST_NESTED_BYTES = 2 * 2**30
MOST_TABLE_BYTES = 64 * 2**20
_CHUNK_BYTES = 2**16

STRAVA_TABLE = "activities.csv"
APPLE_TABLE = re.compile(r"(^|/)apple_health_export/export[^/]*\.xml$")
# Position of the columns in Strava's table, for accounts in other languages: the headers are translated.
STRAVA_TITLE, STRAVA_DESCRIPTION = 2, 4
STRAVA_FILES = "activities/"

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
    """

    name: str
    content: bytes | str
    told: Told


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
        told = _what_is_told(archive)
        for info in _entries(archive):
            name = info.filename
            if _is_export(name):
                content = _content(archive, info, max_bytes)
                yield Member(name=name, content=content, told=told.get(name, NOTHING_TOLD))
            elif name.lower().endswith(".zip"):
                yield from _members_of_nested(archive, info, max_bytes)


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
    return name.lower().removesuffix(".gz").endswith(EXPORT_SUFFIXES)


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


def _what_is_told(archive: zipfile.ZipFile) -> Mapping[str, Told]:
    """Return by member what the tables of Strava's and Apple's archives say; without one, nothing."""
    for info in archive.infolist():
        name = info.filename
        if PurePosixPath(name).name == STRAVA_TABLE:
            table = _content(archive, info, MOST_TABLE_BYTES)
            return _told_by_strava(decode_text(table), name) if isinstance(table, bytes) else {}
        if APPLE_TABLE.search(name):
            return _told_by_apple(archive, info)
    return {}


def _told_by_strava(text: str, table_name: str) -> dict[str, Told]:
    """Read Strava's activities.csv, whose headers are in the account's language."""
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error:
        return {}
    if len(rows) < 2:
        return {}
    header = [title.strip().lower() for title in rows[0]]
    file_column = _column_of_files(rows[1:])
    folder = table_name.removesuffix(STRAVA_TABLE)
    columns = {
        "title": _column(header, "activity name", STRAVA_TITLE),
        "description": _column(header, "activity description", STRAVA_DESCRIPTION),
        "note": _column(header, "activity private note", None),
        "rpe": _column(header, "perceived exertion", None),
    }
    return {
        folder + row[file_column]: _strava_row(row, columns)
        for row in rows[1:]
        if file_column is not None and len(row) > file_column and row[file_column]
    }


def _column_of_files(rows: list[list[str]]) -> int | None:
    """Return the column whose values are names of files in activities/."""
    for row in rows:
        for place, value in enumerate(row):
            if value.startswith(STRAVA_FILES):
                return place
    return None


def _column(header: list[str], title: str, otherwise: int | None) -> int | None:
    return header.index(title) if title in header else otherwise


def _strava_row(row: list[str], columns: Mapping[str, int | None]) -> Told:
    def cell(name: str) -> str | None:
        place = columns[name]
        return row[place].strip() or None if place is not None and place < len(row) else None

    words = [text for text in (cell("description"), cell("note")) if text]
    return Told(title=cell("title"), description="\n".join(words) or None, rpe=_rpe(cell("rpe")))


def _rpe(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value <= 10 else None


def _told_by_apple(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> dict[str, Told]:
    """
    Stream Apple's export.xml, which can be gigabytes, for the sport of each workout that has a route.

    It declares its document type, as our readers refuse elsewhere; entities are refused here as well.
    """
    folder = info.filename.rpartition("/")[0]
    told: dict[str, Told] = {}
    sports: list[str | None] = [None]

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "Workout":
            sports[0] = _apple_sport(attributes.get("workoutActivityType", ""))
        elif name == "FileReference" and "path" in attributes:
            told[f"{folder}{attributes['path']}"] = Told(sport=sports[0])

    def end(name: str) -> None:
        if name == "Workout":
            sports[0] = None

    def refuse(*_: object) -> None:
        raise ValueError("entities are not allowed")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.EntityDeclHandler = start, end, refuse
    try:
        with archive.open(info) as stream:
            parser.ParseFile(stream)
    except (expat.ExpatError, *ZIP_FAILURES):
        return told
    return told


def _apple_sport(kind: str) -> str | None:
    """Return running for HKWorkoutActivityTypeRunning, cross_country_skiing for …CrossCountrySkiing."""
    words = re.findall(r"[A-Z][a-z]+", kind.removeprefix("HKWorkoutActivityType"))
    return "_".join(words).lower() or None
