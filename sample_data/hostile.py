"""Files made to harm, as bytes: bombs, lies about sizes, names that lead elsewhere. Watches write nothing of the kind."""

import gzip
import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from itertools import pairwise

from sample_data import fit_writer

SCRIPT = "<script>alert('Robert'); drop table activities; --</script>"
"""A name that is HTML and SQL at once."""
GPX_POINT = '<trkpt lat="{lat}" lon="{lon}"><ele>20</ele><time>{time}</time></trkpt>'
_ENTRY = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_END = struct.Struct("<4s4H2IH")
_BOMB_PIECE = bytes(2**20)

# Archives --------------------------------------------------------------------------------------------------


def zipped(members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive; names are written as they are."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo("x", (2026, 1, 1, 0, 0, 0))
            info.filename = name
            archive.writestr(info, content, compression)
    return file.getvalue()


def zip_bomb(name: str, mib: int) -> bytes:
    """Return an archive of one member that grows by a thousand."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as member:
        for _ in range(mib):
            member.write(_BOMB_PIECE)
    return file.getvalue()


def gzip_bomb(mib: int) -> bytes:
    """Return zeros that grow by a thousand."""
    return gzip.compress(bytes(mib * 2**20), 9)


def nested(levels: int, content: bytes) -> bytes:
    """Return an archive in an archive, so many levels deep, with a FIT file at the bottom."""
    archive = zipped({"run.fit": content})
    for level in range(levels - 1):
        archive = zipped({f"level{level}.zip": archive}, zipfile.ZIP_STORED)
    return archive


def zip_that_holds_itself() -> bytes:
    """Return an archive whose only member, another archive, is the rest of this one, with the directory that lists it."""
    name = b"self.zip"
    size = _ENTRY.size + len(name) + _END.size
    local = _LOCAL.pack(b"PK\3\4", 20, 0, 0, 0, 0, 0, size, size, len(name), 0) + name
    entry = _entry(name, size, offset=0)
    return local + entry + _END.pack(b"PK\5\6", 0, 0, 1, 1, len(entry), len(local), 0)


def overlapping_zip(content: bytes) -> bytes:
    """Return an archive in which many names stand for the same bytes."""
    local = _LOCAL.pack(b"PK\3\4", 20, 0, 0, 0, 0, 0, len(content), len(content), 1, 0) + b"0" + content
    directory = b"".join(_entry(b"%d.fit" % n, len(content), offset=0) for n in range(1_000))
    return local + directory + _END.pack(b"PK\5\6", 0, 0, 1_000, 1_000, len(directory), len(local), 0)


def zip_of_entries(count: int, *, told: int | None = None) -> bytes:
    """Return an archive with so many empty entries; its end may tell another number."""
    local = _LOCAL.pack(b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"0"
    directory = b"".join(_entry(b"%d" % n, 0, offset=0) for n in range(count))
    said = min(count, 0xFFFF) if told is None else told
    return local + directory + _END.pack(b"PK\5\6", 0, 0, said, said, len(directory), len(local), 0)


def _entry(name: bytes, size: int, *, offset: int) -> bytes:
    return _ENTRY.pack(b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, size, size, len(name), 0, 0, 0, 0, 0, offset) + name


def encrypted_zip(content: bytes) -> bytes:
    """Return an archive whose only member says that it is encrypted."""
    raw = bytearray(zipped({"secret.fit": content}))
    struct.pack_into("<H", raw, 6, 1)
    struct.pack_into("<H", raw, raw.index(b"PK\1\2") + 8, 1)
    return bytes(raw)


# FIT -------------------------------------------------------------------------------------------------------


def with_told_size(content: bytes, told_bytes: int) -> bytes:
    """Return a FIT file whose header tells another size of what follows; its checksum agrees."""
    head = struct.pack("<BBHI4s", 14, 0x20, 2132, told_bytes, b".FIT")
    return head + struct.pack("<H", fit_writer.crc16(head)) + content[14:]


def fit_of(*messages: bytes) -> bytes:
    """Return a FIT file of these messages."""
    body = b"".join(messages)
    content = fit_writer.header(len(body)) + body
    return content + struct.pack("<H", fit_writer.crc16(content))


def definition(number: int, fields: Sequence[tuple[int, int, int]], *, local: int = 0) -> bytes:
    """Return a definition message of (field, bytes, base type)."""
    return struct.pack("<BBBHB", 0x40 | local, 0, 0, number, len(fields)) + bytes(
        byte for field in fields for byte in field
    )


def gigantic_definitions() -> bytes:
    """Return a file of messages that have 255 fields of 255 bytes each."""
    kind = definition(20, [(n, 255, 13) for n in range(255)])
    return fit_of(kind, (b"\0" + bytes(255 * 255)) * 20)


def endless_definitions(count: int) -> bytes:
    """Return a file that defines one kind of message after the other and has a short one of each."""
    return fit_of(*(definition(1_000 + n, [(n % 250, 1, 2), (253, 4, 134)]) + bytes(6) for n in range(count)))


def records(stamps: Sequence[int]) -> bytes:
    """Return a FIT activity with a record at each of these seconds of FIT's time, and nothing else."""
    file_id = definition(0, [(0, 1, 0)], local=1) + b"\1\4"
    kind = definition(20, [(253, 4, 134), (5, 4, 134)])
    told = (struct.pack("<BII", 0, stamp, 300 * n) for n, stamp in enumerate(stamps))
    return fit_of(file_id, kind, *told)


# GPX -------------------------------------------------------------------------------------------------------


def gpx(points: Sequence[Mapping[str, str]], *, name: str = "A run", declaration: str = "") -> bytes:
    """Return a track of points with `lat`, `lon` and `time` as they are given."""
    inside = "".join(GPX_POINT.format(**point) for point in points)
    return f"{declaration}<gpx><trk><name>{name}</name><type>running</type><trkseg>{inside}</trkseg></trk></gpx>".encode()


def way(day: str, count: int = 600, *, start: int = 0) -> list[dict[str, str]]:
    """Return points of a run north, one a second, 2.8 m apart."""
    return [
        {
            "lat": f"{52 + (start + n) * 2.5e-5:.6f}",
            "lon": "10.0",
            "time": f"{day}T{16 + n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z",
        }
        for n in range(count)
    ]


def laughs() -> str:
    """Return a document type whose last entity is a thousand million letters."""
    names = "abcdefghij"
    entities = "".join(f"<!ENTITY {after} '{f'&{before};' * 10}'>" for before, after in pairwise(names))
    return f"<!DOCTYPE gpx [<!ENTITY a 'ha'>{entities}]>"
