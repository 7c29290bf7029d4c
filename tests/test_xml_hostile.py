"""XML made to harm, and XML in every encoding: both readers stay quick, small and polite."""

import re
import subprocess
import sys
from collections.abc import Callable
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import xml_points
from ingest.errors import IngestError
from ingest.gpx import read_gpx
from ingest.recording import Recording
from ingest.tcx import read_tcx

GPX_POINT = '<trkpt lat="52.0{i}" lon="4.0"><ele>12</ele><time>2026-07-01T16:00:{i:02}Z</time><extensions><hr>1{i:02}</hr></extensions></trkpt>\n'
TCX_POINT = (
    "<Trackpoint><Time>2026-07-01T16:00:{i:02}Z</Time><Position><LatitudeDegrees>52.0{i}</LatitudeDegrees>"
    "<LongitudeDegrees>4.0</LongitudeDegrees></Position><HeartRateBpm><Value>1{i:02}</Value></HeartRateBpm>"
    "</Trackpoint>\n"
)
GPX = "<gpx{gpx}><trk><name>{name}</name><trkseg>{points}</trkseg></trk></gpx>"
TCX = (
    "<TrainingCenterDatabase{gpx}><Activities><Activity><Notes>{name}</Notes>"
    '<Lap StartTime="2026-07-01T16:00:00Z"><Track>{points}</Track></Lap></Activity></Activities></TrainingCenterDatabase>'
)
FORMATS: dict[str, tuple[Callable[[bytes], Recording], str, str]] = {
    "gpx": (read_gpx, GPX, GPX_POINT),
    "tcx": (read_tcx, TCX, TCX_POINT),
}
MOST_S = 10
"""Far more than any of it takes, and far less than what it did to others."""

both = pytest.mark.parametrize("format_name", FORMATS)


def file(
    format_name: str, *, name: str = "A run", more: str = "", attributes: str = "", points: int = 5
) -> str:
    """Return a file with so many points; `more` stands among them, `attributes` in the first tag."""
    _, whole, point = FORMATS[format_name]
    inside = [point.format(i=i) for i in range(points)]
    return whole.format(gpx=attributes, name=name, points="".join([*inside[:2], more, *inside[2:]]))


def outcome(format_name: str, content: bytes | str) -> Recording | IngestError:
    """Return what comes out, which must be soon."""
    started = perf_counter()
    try:
        result: Recording | IngestError = FORMATS[format_name][0](
            content if isinstance(content, bytes) else content.encode()
        )
    except IngestError as refusal:
        result = refusal
    assert isinstance(result, Recording) or re.fullmatch(r".+\.", str(result))
    assert perf_counter() - started < MOST_S
    return result


LAUGHS = "<!DOCTYPE gpx [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {after} '{f'&{before};' * 10}'>" for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@both
@pytest.mark.parametrize(
    "declaration",
    [
        LAUGHS + "]>",
        f"<!DOCTYPE gpx [<!ENTITY a '{'x' * 50000}'>]>",
        '<!DOCTYPE gpx [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE gpx [<!ENTITY b SYSTEM "http://127.0.0.1:9/">]>',
        '<!DOCTYPE gpx SYSTEM "http://127.0.0.1:9/gpx.dtd">',
        '<!DOCTYPE gpx [<!ENTITY % b SYSTEM "file:///etc/passwd"> %b;]>',
        '<!DOCTYPE gpx [<!ATTLIST trkpt lat CDATA "1">]>',
        "<!DOCTYPE gpx>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused(format_name: str, declaration: str, encoding: str) -> None:
    """Entities are how small files become large or read others; no watch writes them."""
    refusal = outcome(format_name, (declaration + file(format_name, name="&b;" * 100)).encode(encoding))

    assert isinstance(refusal, IngestError)
    assert "declares a document type" in str(refusal)


@both
@pytest.mark.parametrize(
    "more",
    [
        "<a>" * 1_000_000 + "</a>" * 1_000_000,
        "<trkpt>" * 100_000,
        "<Trackpoint>" * 100_000,
        "<a " + " ".join(f"b{i}='1'" for i in range(100_000)) + "/>",
        "<a " + " ".join(f"xmlns:b{i}='c{i}'" for i in range(50_000)) + "/>",
        f"<{'a' * 3_000_000}/>",
        f"<!--{'a' * 3_000_000}-->",
        f"<?a {'a' * 3_000_000}?>",
        f'<a b="{"c" * 3_000_000}"/>',
        "<a" * 500_000,
        "<a b='" * 200_000,
        "<!--" * 500_000,
        "<![CDATA[" * 300_000,
    ],
    ids=lambda more: more[:12],
)
def test_what_is_too_much_of_something_is_refused_or_broken(format_name: str, more: str) -> None:
    """Depth, attributes, names: the points before it may stay, nothing takes long."""
    result = outcome(format_name, file(format_name, more=more))

    assert isinstance(result, IngestError) or result.missing is not None


@both
@pytest.mark.parametrize(
    "more",
    [
        " xmlns" * 70_000,
        "</trkseg><trkseg>" * 100_000,
        "</Track></Lap><Lap><Track>" * 60_000,
        "<trkpt/>" * 300_000,
        "<Trackpoint/>" * 200_000,
        "<!-- -->" * 200_000,
        "<?a?>" * 300_000,
        "<b/>" * 500_000,
        "&#65;" * 300_000,
        "x" * 3_000_000,
        f"<![CDATA[{'<trkpt>' * 300_000}]]>",
        "".join(f'<trkpt lat="1" lon="2"><x{i}>3</x{i}></trkpt>' for i in range(30_000)),
        f'<trkpt lat="1" lon="2"><time>{"9" * 3_000_000}</time></trkpt>',
        "<trkpt lat='1' lon='2'>" + "<hr>1</hr>" * 100_000 + "</trkpt>",
        "".join(f'<trkpt lat="1" lon="2">{"<x>1</x>" * n}</trkpt>' for n in range(60, 0, -1)) * 20,
        f"<trkpt lat='1' lon='2'>{'<hr>1</hr>' * 40}</trkpt><trkpt lat='1' lon='2'>{'<hr>1</hr>' * 20}<",
    ],
    ids=lambda more: more[:12],
)
def test_much_of_something_harmless_takes_no_long_time(format_name: str, more: str) -> None:
    """Whatever comes out of it."""
    outcome(format_name, file(format_name, more=more))


@both
def test_names_in_the_first_tag_take_no_long_time(format_name: str) -> None:
    """A regular expression of others took a minute for it."""
    outcome(format_name, file(format_name, attributes=" xmlns" * 70_000))
    outcome(format_name, f"<!-- {' xmlns' * 70_000} -->" + file(format_name))


@both
def test_a_file_full_of_tiny_points_takes_little_memory(format_name: str) -> None:
    """Six times the file at most, above what Python and its libraries take anyway."""
    point = '<trkpt lat="1" lon="2"/>' if format_name == "gpx" else "<Trackpoint/>"
    script = (
        "import resource, sys\n"
        f"from ingest.{format_name} import read_{format_name} as read\n"
        "from ingest.errors import IngestError\n"
        "content = sys.stdin.buffer.read()\n"
        "read(content[:2000].split(b'MORE')[0] + content[-500:].split(b'MORE')[-1])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: read(content)\n"
        "except IngestError: pass\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / len(content))\n"
    )
    content = file(format_name, more="MORE" + point * (8_000_000 // len(point)) + "MORE").encode()

    done = subprocess.run([sys.executable, "-c", script], input=content, capture_output=True, check=True)

    assert float(done.stdout) < 6


@both
@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8", "iso-8859-1"),
        ("utf-8", "utf-16"),
        ("utf-8", "no-such-encoding"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16"),
        ("utf-16-be", "utf-16"),
        ("iso-8859-1", "iso-8859-1"),
        ("iso-8859-1", "UTF-8"),
        ("cp1252", "windows-1252"),
        ("iso-8859-15", "ISO-8859-15"),
    ],
)
def test_encodings(format_name: str, encoding: str, declared: str) -> None:
    """As declared, and as they are where the declaration is wrong."""
    content = f"<?xml version='1.0' encoding='{declared}'?>" + file(format_name, name="Übung é")

    result = outcome(format_name, content.encode(encoding))

    assert isinstance(result, Recording)
    assert (result.sessions[0].title, result.frame.height, result.missing) == ("Übung é", 5, None)


@both
@pytest.mark.parametrize(
    "declared", ["utf-7", "unicode_escape", "idna", "hex", "punycode", "iso-8859-99", "cp037"]
)
def test_encodings_that_nobody_writes_are_not_used(format_name: str, declared: str) -> None:
    """Some of Python's decoders are slow, or no decoders of text."""
    content = f"<?xml version='1.0' encoding='{declared}'?>".encode() + file(
        format_name, name="Übung"
    ).encode("cp1252")

    result = outcome(format_name, content)

    assert isinstance(result, Recording)


@both
@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e400", "91", "1e300", "north", ""])
def test_numbers_that_are_none_are_unknown(format_name: str, number: str) -> None:
    """A wrong number costs itself; what is a number but no latitude is judged by cleaning."""
    result = outcome(format_name, file(format_name).replace("52.01", number))

    assert isinstance(result, Recording)
    assert result.frame.height == 5
    expected = {"91": 91.0, "1e300": 1e300}.get(number)
    assert result.frame["lat_deg"].to_list()[:3] == [52.0, expected, 52.02]


@both
@pytest.mark.parametrize(
    "more",
    [
        "<!-- <trkpt lat='1' lon='1'/><Trackpoint/> -->",
        "<![CDATA[ <trkpt lat='1' lon='1'/><Trackpoint/> ]]>",
        "<?a <trkpt lat='1' lon='1'/><Trackpoint/> ?>",
        "<a b='&lt;trkpt>&lt;Trackpoint>'/>",
        "<!--><trkpt/><Trackpoint/>-->",
        "<a><trkpt lat='1' lon='1'><time>2026-07-01T16:00:00Z</time></trkpt></a>",
        "<a><trkpt/><Trackpoint/></a>",
        "<a><Trackpoint><Time>2026-07-01T16:00:00Z</Time></Trackpoint></a>",
    ],
)
def test_what_only_looks_like_a_point_is_none(format_name: str, more: str) -> None:
    """In comments, CDATA, instructions, attributes and elements that are not ours."""
    result = outcome(format_name, file(format_name, more=more, points=20))

    assert isinstance(result, Recording)
    assert result.frame.height == 20
    assert result.missing is None


@both
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("4.0<", "<x/>4.0<"),
        ("4.0<", "4.0<x/><"),
        ("4.0<", "<Trackpoint/>4.0<"),
        ("<hr>", "<hr>9</hr><hr>"),
        ("<hr>", "<hr></hr><hr>"),
        ("<hr>", "<b:hr>9</b:hr><hr>"),
        ("<hr>", "<c><hr>"),
        ('lat="', "lat='1' x=\""),
        ("52.01", "52.01 "),
        ("52.01", "5&#50;.01"),
        ("</trkpt>", "</trkpt >"),
        ("</trkpt>", "</trkpt>&"),  # found by fuzzing, as was <Trackpoint/>4.0
        ("</trkpt>", "</trkpt>]]"),
        ("</Trackpoint>", "</Trackpoint>x"),
        ("</Trackpoint>", "</Trackpoint>&#"),
        ("<Value>", "<Value a='1'>"),
        ("<Value>", "<Value/><Value>"),
        ("<Value>", "<!-- --><Value>"),
    ],
)
def test_both_ways_through_odd_points_tell_the_same(
    format_name: str, old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the odd point stands: a shape is learned from it, or from those before it."""
    whole = file(format_name, points=6)
    places = [match.start() for match in re.finditer(re.escape(old), whole)]
    contents = [whole[:place] + new + whole[place + len(old) :] for place in places]
    short = [told(outcome(format_name, content)) for content in contents]
    monkeypatch.setattr(xml_points, "MAX_SHAPES", 0)

    assert short == [told(outcome(format_name, content)) for content in contents]


PIECES = (
    *("<", ">", "/", "&", '"', "'", "]]>", "<!--", "-->", "<![CDATA[", "<?a", "?>", "\0", "é", " ", "&#49;"),
    *("nan", "1e400", "-", "<trkseg>", "</trkseg>", "</Track><Track>", "</Lap>", "<trkpt>", "</trkpt>"),
    *("<Trackpoint/>", "</Trackpoint>", "<hr>7</hr>", "<ele>1</ele>", "+02:00", ".5", "<Value>3</Value>"),
)


@both
@settings(deadline=None, max_examples=300)
@given(
    cuts=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 60)), max_size=4),
    inserts=st.lists(st.tuples(st.integers(0, 3000), st.sampled_from(PIECES)), max_size=6),
    points=st.integers(0, 20),
)
def test_both_ways_through_damaged_files_tell_the_same(
    format_name: str, cuts: list[tuple[int, int]], inserts: list[tuple[int, str]], points: int
) -> None:
    """The short way for points of one shape is as right as expat alone."""
    text = file(format_name, points=points)
    for place, length in cuts:
        text = text[:place] + text[place + length :]
    for place, piece in inserts:
        text = text[:place] + piece + text[place:]

    short = told(outcome(format_name, text))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml_points, "MAX_SHAPES", 0)
        by_expat = told(outcome(format_name, text))

    assert short == by_expat


def told(result: Recording | IngestError) -> tuple[object, ...]:
    if isinstance(result, IngestError):
        return type(result), str(result)
    rows = (result.frame.rows(), result.laps.rows())
    return result.sessions, result.pauses, result.missing, result.device, *rows


@both
@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_recording_or_a_refusal(format_name: str, content: bytes) -> None:
    """Alone and among points."""
    outcome(format_name, content)
    outcome(format_name, file(format_name, more="MORE").encode().replace(b"MORE", content))
