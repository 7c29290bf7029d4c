"""Files that a browser sends: read as they come, under a name the inbox passes over, and then put into it whole."""

from __future__ import annotations

import errno
import os
import re
import secrets
import time
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from fastapi import HTTPException, Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from ingest.inbox import is_temporary
from ingest.unpack import ZIP_MAGIC
from store.errors import KneewatchError
from store.files import make_folder, sync_folder
from store.home import Home
from store.settings import Limits

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MOST_FIELD_BYTES = 1024
MOST_BOUNDARY_LETTERS = 70  # RFC 2046
BROKEN_OFF = "This broke off, or is no form with files. Files that were whole by then are in the inbox."
MOST_NAME_LETTERS = 50  # of four bytes each at most, where a name may have 255
NAMELESS = "upload"
TEMPORARY = ".upload-{}.tmp"
FORGOTTEN_AFTER_S = 24 * 3600
"""What a process that was killed left half received."""
NOT_HARMLESS = re.compile(r"[^\w .()+-]")
DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
"""Names that are no files on Windows, where the inbox may be a shared folder."""


class UploadError(KneewatchError):
    """A file cannot be taken; its text says why, and nothing of it was kept."""


class Part(NamedTuple):
    """
    One part of what a form sends.

    Attributes:
        name: Name of the field.
        file_name: What the browser calls the file; empty for a field that is none.
    """

    name: str
    file_name: str


async def parts_of(request: Request) -> AsyncIterator[Part | bytes]:
    """
    Yield each part of a multipart form, then its content in pieces as they come over the network, then an empty piece.

    What is no such form has no parts.

    Raises:
        HTTPException: If it breaks off.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= MOST_BOUNDARY_LETTERS:
        return
    events: list[Part | bytes] = []
    ends: list[bool] = []
    parser = MultipartParser(boundary, _callbacks(events, ends))
    try:
        async for piece in request.stream():
            parser.write(piece)
            for event in events:
                yield event
            events.clear()
    except FormParserError:
        raise HTTPException(400, BROKEN_OFF) from None
    if not ends:
        raise HTTPException(400, BROKEN_OFF)


async def first_field(parts: AsyncIterator[Part | bytes], name: str) -> str | None:
    """Return the first field of a form if it is called so; a longer one than a field of ours is none."""
    content = b""
    first = await anext(parts, None)
    if not isinstance(first, Part) or first.name != name:
        return None
    async for event in parts:
        if isinstance(event, Part) or len(content) > MOST_FIELD_BYTES:
            return None
        if event == b"":
            return content.decode("latin-1")
        content += event
    return None


async def keep_files(
    home: Home, athlete: str, parts: AsyncIterator[Part | bytes], limits: Limits
) -> tuple[list[str], list[str]]:
    """
    Put every file of a form into the athlete's folder of the inbox.

    Args:
        home: Whose inbox.
        athlete: One of the settings.
        parts: The rest of the form; fields that are no files, and files without a name or content, are passed over.
        limits: What is larger than they allow is not kept; the others are.

    Returns:
        The names under which they lie there, and a sentence for each that was too large.
    """
    folder = home.inbox / athlete
    make_folder(folder)
    _forget_half_files(folder)
    kept: list[str] = []
    refused: list[str] = []
    arriving: _Arriving | None = None
    try:
        async for event in parts:
            if isinstance(event, Part):
                arriving = _Arriving(folder, event.file_name, limits) if event.file_name else None
            elif arriving is None:
                continue
            elif event:
                await run_in_threadpool(arriving.write, event)
            else:
                name = await run_in_threadpool(arriving.settle)
                kept += [name] if name else []
                refused += [arriving.too_large] if arriving.is_too_large else []
                arriving = None
    finally:
        if arriving is not None:  # the browser went away, or the disk is full
            arriving.close()
    return kept, refused


def label_of(file_name: str) -> str:
    """Return what a file is called in the inbox: of what the browser says only the base name, and of it harmless letters."""
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", file_name))[-1]
    name = NOT_HARMLESS.sub("_", base).lstrip(". ").rstrip(". ")
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, dot + ending[:16]) if stem else (name, "")
    name = stem[: MOST_NAME_LETTERS - len(ending)] + ending
    if not name.strip("_. "):
        return NAMELESS
    if DEVICES.match(name):
        name = f"_{name}"
    # What the inbox would pass over for ever is none of the browser's half files: those have another name.
    return name if not is_temporary(name) else f"{NAMELESS} {name}_"


class _Arriving:
    """A file on its way: it has a temporary name until it is there as a whole."""

    def __init__(self, folder: Path, file_name: str, limits: Limits) -> None:
        self._folder = folder
        self._label = label_of(file_name)
        self._limits = limits
        self._beginning = b""
        self._bytes = 0
        self._path = folder / TEMPORARY.format(secrets.token_hex(8))
        self._file: BinaryIO | None = None

    @property
    def is_too_large(self) -> bool:
        return self._bytes > self._most_bytes

    @property
    def too_large(self) -> str:
        limit = "limits.max_archive_gib" if self._is_archive else "limits.max_file_mib"
        return f"{self._label} is larger than {self._most_bytes // 2**20:,} MiB ({limit}) and was not kept."

    @property
    def _is_archive(self) -> bool:
        return self._beginning == ZIP_MAGIC

    @property
    def _most_bytes(self) -> int:
        return self._limits.max_archive_gib * 2**30 if self._is_archive else self._limits.max_file_mib * 2**20

    def write(self, piece: bytes) -> None:
        self._beginning = (self._beginning + piece)[: len(ZIP_MAGIC)]
        self._bytes += len(piece)
        if self.is_too_large:
            self.close()
            return
        try:
            if self._file is None:
                self._file = self._path.open("xb")
            self._file.write(piece)
        except OSError as error:
            raise UploadError(
                f"{self._label} cannot be kept: {error.strerror}. Nothing of it was."
            ) from error

    def settle(self) -> str | None:
        """Bring the file to the disk and give it its name; None if nothing came, or too much."""
        if self._file is None or self.is_too_large:
            return None
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            name = self._named()
            sync_folder(self._folder)
        except OSError as error:
            raise UploadError(
                f"{self._label} cannot be kept: {error.strerror}. Nothing of it was."
            ) from error
        finally:
            self.close()
        return name

    def close(self) -> None:
        """Forget what came so far."""
        if self._file is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)

    def _named(self) -> str:
        """Give the file its name, or one beside it: what waits in the inbox under the same name stays."""
        stem, dot, ending = self._label.rpartition(".")
        beside = f" {secrets.token_hex(4)}"
        for name in (self._label, f"{stem}{beside}.{ending}" if dot else f"{self._label}{beside}"):
            try:
                os.link(self._path, self._folder / name)
            except OSError:  # the name is taken, or this file system has no hard links
                if (self._folder / name).exists():
                    continue
                self._path.rename(self._folder / name)
            return name
        raise FileExistsError(errno.EEXIST, "there are files of that name already")


def _forget_half_files(folder: Path) -> None:
    before_s = time.time() - FORGOTTEN_AFTER_S
    for path in folder.glob(TEMPORARY.format("*")):
        if path.stat().st_mtime < before_s:
            path.unlink(missing_ok=True)


def _callbacks(events: list[Part | bytes], ends: list[bool]) -> MultipartCallbacks:
    header: dict[str, bytes] = {}
    headers: dict[str, bytes] = {}

    def begin() -> None:
        headers.clear()
        header.update(name=b"", value=b"")

    def field(data: bytes, start: int, end: int) -> None:
        header["name"] += data[start:end]

    def value(data: bytes, start: int, end: int) -> None:
        header["value"] += data[start:end]

    def header_end() -> None:
        headers[header["name"].decode("latin-1").lower()] = header["value"]
        header.update(name=b"", value=b"")

    def headers_finished() -> None:
        _, options = parse_options_header(headers.get("content-disposition", b""))
        name, file_name = options.get(b"name", b""), options.get(b"filename", b"")
        events.append(Part(name.decode(errors="replace"), file_name.decode(errors="replace")))

    def content(data: bytes, start: int, end: int) -> None:
        if end > start:
            events.append(bytes(data[start:end]))

    return {
        "on_part_begin": begin,
        "on_header_field": field,
        "on_header_value": value,
        "on_header_end": header_end,
        "on_headers_finished": headers_finished,
        "on_part_data": content,
        "on_part_end": lambda: events.append(b""),
        "on_end": lambda: ends.append(True),
    }


def _not_a_form() -> HTTPException:
    return HTTPException(
        400, "This is no form with files, or it broke off. Whole files that came before are kept."
    )
