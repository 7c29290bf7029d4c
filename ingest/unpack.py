"""What a dropped file is, judged by its content, and what lies inside it when it is packed."""

import gzip
import io
import re
import zlib
from dataclasses import dataclass
from typing import IO, Literal

from ingest import summary
from ingest.errors import IngestError
from ingest.log_json import is_log_json
from ingest.logs import decode_text, kind_of_csv

Format = Literal["fit", "gpx", "tcx", "polar", "summary", "zip", "pain_csv", "strength_csv", "log_json"]

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = b"PK\x03\x04"
MOST_GZIP_MEMBERS = 10_000
"""A .gz may be many one behind the other, each of which costs its own beginning; tools write one for 64 KiB at least."""
_GZIP_BEGINNING = GZIP_MAGIC + b"\x08"
_PIECE_BYTES = 2**16
_HEAD_BYTES = 4096
_CSV_HEAD_BYTES = 400_000
"""Holds the longest header that a log may have (ingest/logs.py), four bytes a letter."""
_ROOT = re.compile(r"<(?:[a-z_][\w.-]*:)?([a-z]\w*)")
_XML_ROOTS: dict[str, Format] = {"gpx": "gpx", "trainingcenterdatabase": "tcx"}


@dataclass(frozen=True, slots=True)
class Unpacked:
    """
    The bytes that count.

    Attributes:
        content: Of a .gz decompressed, otherwise as dropped.
        name: File name without a trailing .gz.
    """

    content: bytes
    name: str


def unpack(content: bytes, name: str, *, max_bytes: int) -> Unpacked:
    """
    Decompress a .gz; everything else stays as it is, also what only bears the name of one.

    Raises:
        IngestError: If the file is larger than `max_bytes`, packed or not, or the .gz is damaged.
    """
    if len(content) > max_bytes:
        raise IngestError(f"This file is larger than {max_bytes // 2**20} MiB (limits.max_file_mib).")
    inner_name = name[:-3] if name.lower().endswith(".gz") else name
    if not content.startswith(GZIP_MAGIC):
        return Unpacked(content, inner_name)
    if content.count(_GZIP_BEGINNING) > MOST_GZIP_MEMBERS:
        raise IngestError(
            f"This .gz file is made of more than {MOST_GZIP_MEMBERS:,} pieces, as no honest one is; it was not opened."
        )
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            inner = read_up_to(stream, max_bytes)
    except (OSError, EOFError, zlib.error) as error:
        raise IngestError(
            f"This .gz file is damaged and cannot be decompressed ({error}). Export it again."
        ) from error
    if inner is None:
        raise IngestError(
            f"Decompressed, this file is larger than {max_bytes // 2**20} MiB (limits.max_file_mib)."
        )
    return Unpacked(inner, inner_name)


def read_up_to(stream: IO[bytes] | gzip.GzipFile, most_bytes: int) -> bytes | None:
    """Return what is left in the stream, in no more memory than it takes; None when it is more than so much."""
    found = io.BytesIO()
    while piece := stream.read(_PIECE_BYTES):
        if found.tell() + len(piece) > most_bytes:
            return None
        found.write(piece)
    return found.getvalue()


def format_of(content: bytes, name: str) -> Format | None:
    """Return what the content is: by its first bytes, and by the name only where they say nothing."""
    if content[8:12] == b".FIT" or name.lower().endswith(".fit"):
        return "zip" if content.startswith(ZIP_MAGIC) else "fit"
    if content.startswith(ZIP_MAGIC):
        return "zip"
    if content.startswith(summary.BEGINNING):
        return "summary"
    if content[:_HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        if is_log_json(decode_text(content[:_HEAD_BYTES]).lstrip("\ufeff"), name):
            return "log_json"
        return "polar" if b'"exercises"' in content and b'"startTime"' in content else None
    head = decode_text(content[:_HEAD_BYTES]).lower()
    if head.lstrip().startswith("<"):
        return _xml_format(head, name)
    if name.lower().endswith((".gpx", ".tcx")):
        return "gpx" if name.lower().endswith(".gpx") else "tcx"
    return kind_of_csv(decode_text(_csv_head(content))) if name.lower().endswith(".csv") else None


def _csv_head(content: bytes) -> bytes:
    """Return what holds the header; whole lines, because half a letter would change how the rest is read."""
    return (
        content
        if len(content) <= _CSV_HEAD_BYTES
        else content[: content.rfind(b"\n", 0, _CSV_HEAD_BYTES) + 1]
    )


def _xml_format(head: str, name: str) -> Format | None:
    """Judge by the first element, whatever its prefix; schemas of other formats may be named in it."""
    root = _ROOT.search(head)
    if root and root[1] in _XML_ROOTS:
        return _XML_ROOTS[root[1]]
    suffixes: dict[str, Format] = {".gpx": "gpx", ".tcx": "tcx"}
    return suffixes.get(name.lower()[-4:])
