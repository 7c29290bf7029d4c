"""
Feed broken bytes to the readers of GPX and TCX: only a Recording or an IngestError may come out, and soon.

`python -m benchmarks.fuzz_xml [libFuzzer options] [folder of finds]` from the root of the checkout, with an
interpreter that has atheris beside numpy and polars. Every fourth input is read a second time without the
short way for points of one shape; both must tell the same.
"""

import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports(
    include=["ingest.xml_points", "ingest.point_shapes", "ingest.point_table", "ingest.gpx", "ingest.tcx"]
):
    from ingest import xml_points
    from ingest.errors import IngestError
    from ingest.gpx import read_gpx
    from ingest.recording import Recording
    from ingest.tcx import read_tcx

SHAPES = xml_points.MAX_SHAPES

_EXTENSION = b"<extensions><a:b><a:hr>%d</a:hr><cad>80</cad><speed>3.%d</speed></a:b></extensions>"
_TRKPT = (
    b'<trkpt lat="52.%d" lon="4"><ele>1</ele><time>2026-07-01T16:0%d:00Z</time>' + _EXTENSION + b"</trkpt>"
)
_TRACKPOINT = (
    b"<Trackpoint><Time>2026-07-01T16:0%d:00Z</Time><Position><LatitudeDegrees>52.%d</LatitudeDegrees>"
    b"<LongitudeDegrees>4</LongitudeDegrees></Position><DistanceMeters>%d</DistanceMeters>"
    b"<HeartRateBpm><Value>1%d</Value></HeartRateBpm></Trackpoint>\n"
)
_GPX = (
    b'<?xml version="1.0" encoding="UTF-8"?><gpx creator="a"><trk><name>b</name><trkseg>',
    b"".join(_TRKPT % (i, i, 120 + i, i) for i in range(4)),
    b"</trkseg></trk></gpx>",
)
_TCX = (
    b'<TrainingCenterDatabase><Activities><Activity Sport="Running"><Lap StartTime="2026-07-01T16:00:00Z">'
    b"<TotalTimeSeconds>240</TotalTimeSeconds><DistanceMeters>500</DistanceMeters><Track>",
    b"".join(_TRACKPOINT % (i, i, i * 9, i) for i in range(4)),
    b"</Track></Lap></Activity></Activities></TrainingCenterDatabase>",
)
_PIECES = (
    *(
        b"<",
        b">",
        b"/",
        b"&",
        b'"',
        b"'",
        b"]]>",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"<?a",
        b"?>",
        b"\0",
        b"\xff",
    ),
    *(
        b"nan",
        b"1e400",
        b"-",
        b"91",
        b"<trkseg>",
        b"</trkseg>",
        b"</Track><Track>",
        b"</Lap>",
        b"&#49;",
        b" ",
    ),
    *(b"<trkpt>", b"</trkpt>", b"<Trackpoint/>", b"<hr>7</hr>", b"+02:00", b".5", b"2026-02-30", b"\xc3\xa9"),
)


def check(data: bytes) -> None:
    """Damage a small sound file as the bytes say, or take them as they are, and read it."""
    if len(data) < 4:
        return
    head, points, tail = (_GPX, _TCX)[data[0] & 1]
    read = (read_gpx, read_tcx)[data[0] & 1]
    content = data[1:] if data[0] & 2 else _damaged(head, points, tail, data[1:])
    told = _told(read, content)
    if data[0] & 12 == 0:
        xml_points.MAX_SHAPES = 0
        try:
            assert told == _told(read, content), content
        finally:
            xml_points.MAX_SHAPES = SHAPES


def _damaged(head: bytes, points: bytes, tail: bytes, changes: bytes) -> bytes:
    """Cut, repeat or insert at up to eight places; three bytes tell where and what."""
    content = head + points * (1 + changes[0] % 3) + tail
    for i in range(1, min(len(changes) - 2, 25), 3):
        place = (changes[i] * 256 + changes[i + 1]) % (len(content) + 1)
        what = changes[i + 2]
        if what < 64:
            content = content[:place] + content[place + what + 1 :]
        elif what < 72:
            content = content[:place] + points + content[place:]
        elif what < 80:
            content = content[:place]
        else:
            content = content[:place] + _PIECES[what % len(_PIECES)] + content[place:]
    return content


def _told(read: Callable[[bytes], Recording], content: bytes) -> tuple[object, ...]:
    try:
        recording = read(content)
    except IngestError as refusal:
        sentence = str(refusal)
        assert sentence.endswith("."), content
        assert "\n" not in sentence, content
        return (type(refusal), sentence)
    assert isinstance(recording, Recording), content
    assert recording.sessions, content
    rows = recording.frame.rows()
    assert not any(isinstance(value, float) and abs(value) > 1.7e308 for row in rows for value in row), (
        content
    )
    return (recording.sessions, recording.pauses, recording.missing, recording.laps.rows(), rows)


def main() -> None:
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
