"""What a dropped file is, judged by its content."""

import gzip
import io
import zipfile

import pytest

from ingest.errors import IngestError
from ingest.unpack import format_of, unpack

MAX = 2**20
FIT = b"\x0e\x20\x54\x08\x00\x00\x00\x00.FIT\x00\x00"
GPX = b'<?xml version="1.0"?><gpx version="1.1"></gpx>'
TCX = b'<?xml version="1.0"?><TrainingCenterDatabase/>'
PAIN = b"date,side,during\n2026-07-01,left,3\n"
STRENGTH = b"date,exercise\n2026-07-01,squats\n"


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("run.fit", FIT)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (FIT, "run.fit", "fit"),
        (FIT, "RUN.FIT", "fit"),
        (FIT, "run.gpx", "fit"),
        (FIT, "run", "fit"),
        (b"", "run.fit", "fit"),
        (b"noise", "run.fit", "fit"),
        (zipped(), "run.fit", "zip"),
        (zipped(), "export.zip", "zip"),
        (GPX, "run.gpx", "gpx"),
        (GPX, "run.xml", "gpx"),
        (GPX, "run.tcx", "gpx"),
        (b"\xef\xbb\xbf" + GPX, "run.gpx", "gpx"),
        (GPX.decode().encode("utf-16"), "run.xml", "gpx"),
        (b"<!-- TrainingCenterDatabase --><gpx>", "run.xml", "gpx"),
        (b'<?xml version="1.0"?><x:gpx xmlns:x="http://www.topografix.com/GPX/1/1">', "run.xml", "gpx"),
        (b"\n  <gpx>", "run.xml", "gpx"),
        (b"", "run.gpx", "gpx"),
        (b"noise", "run.GPX", "gpx"),
        (b"<html></html>", "run.gpx", "gpx"),
        (TCX, "run.tcx", "tcx"),
        (TCX, "run.gpx", "tcx"),
        (b"   " + TCX, "run.tcx", "tcx"),
        (PAIN, "knee.csv", "pain_csv"),
        (PAIN.decode().encode("utf-16"), "knee.CSV", "pain_csv"),
        (STRENGTH, "gym.csv", "strength_csv"),
        (PAIN, "pain.txt", None),
        (b"a,b,c\n1,2,3\n", "numbers.csv", None),
        (b"<html></html>", "page.html", None),
        (b'{"runs": []}', "summary.json", None),
        (b"\xff\xd8\xff\xe0", "photo.jpg", None),
        (b"", "nothing", None),
        (b"", "nothing.csv", None),
    ],
)
def test_the_content_says_what_a_file_is(content: bytes, name: str, kind: str | None) -> None:
    """The name speaks only where the content does not."""
    assert format_of(content, name) == kind


def test_a_packed_file_is_what_is_in_it() -> None:
    """Under its name without .gz."""
    unpacked = unpack(gzip.compress(FIT), "Run.FIT.GZ", max_bytes=MAX)

    assert (unpacked.content, unpacked.name) == (FIT, "Run.FIT")


def test_what_is_not_packed_stays_as_it_is() -> None:
    """Nothing is copied or changed."""
    unpacked = unpack(FIT, "run.fit", max_bytes=MAX)

    assert (unpacked.content, unpacked.name) == (FIT, "run.fit")


def test_a_name_may_promise_packing_that_is_not_there() -> None:
    """Browsers unpack while they download and leave the name."""
    unpacked = unpack(PAIN, "pain.csv.gz", max_bytes=MAX)

    assert (unpacked.content, unpacked.name) == (PAIN, "pain.csv")


def test_packed_content_needs_no_name_that_says_so() -> None:
    """Its first bytes do."""
    unpacked = unpack(gzip.compress(FIT), "run.fit", max_bytes=MAX)

    assert (unpacked.content, unpacked.name) == (FIT, "run.fit")


def test_a_gz_of_several_pieces_is_all_of_them() -> None:
    """As some tools append to one; by the ten thousand they are made to harm."""
    pieces = b"".join(gzip.compress(piece) for piece in (GPX[:20], GPX[20:]))

    assert unpack(pieces, "run.gpx.gz", max_bytes=MAX).content == GPX
    with pytest.raises(IngestError, match="made of more than 10,000 pieces"):
        unpack(gzip.compress(b"") * 10_001, "run.gpx.gz", max_bytes=MAX)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_large_log_is_known_by_its_first_line(mark: str) -> None:
    """However large it is, and wherever in a letter the part that is looked at would end."""
    line = "2026-07-01,left,3,ü\n"

    for before in ("", "x"):
        log = f"{mark}date,side,during,note{before}\n" + line * 30_000
        assert format_of(log.encode(), "knee.csv") == "pain_csv"


@pytest.mark.parametrize(
    "damaged",
    [
        gzip.compress(GPX)[:-9],
        gzip.compress(GPX)[:12],
        b"\x1f\x8b",
        b"\x1f\x8b\x08\x00" + b"\xff" * 40,
        gzip.compress(GPX)[:-8] + b"\0\0\0\0\0\0\0\0",
    ],
    ids=["cut before its end", "cut in its data", "only begun", "garbage", "wrong checksum"],
)
def test_a_damaged_gz_is_refused(damaged: bytes) -> None:
    """With a sentence that says what to do."""
    with pytest.raises(IngestError, match=r"^This \.gz file is damaged .* Export it again\.$"):
        unpack(damaged, "run.gpx.gz", max_bytes=MAX)


def test_the_limit_is_allowed_and_one_byte_more_is_not() -> None:
    """Packed or not; what a small file unpacks to counts, and is never held whole."""
    assert len(unpack(bytes(MAX), "run.fit", max_bytes=MAX).content) == MAX
    assert len(unpack(gzip.compress(bytes(MAX)), "run.fit.gz", max_bytes=MAX).content) == MAX

    with pytest.raises(IngestError, match=r"^This file is larger than 1 MiB \(limits.max_file_mib\)\.$"):
        unpack(bytes(MAX + 1), "run.fit", max_bytes=MAX)
    with pytest.raises(IngestError, match=r"^Decompressed, this file is larger than 1 MiB"):
        unpack(gzip.compress(bytes(MAX + 1)), "run.fit.gz", max_bytes=MAX)
