"""GPX files: positions, times and whatever the maker put into the extensions."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

import gpxpy
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import xml_points
from ingest.activity import activities_of
from ingest.decode import decode
from ingest.errors import IngestError, NotAnActivityError
from ingest.gpx import read_gpx
from ingest.recording import RAW_SAMPLES
from sample_data import gpx_writer
from sample_data.recording import record
from sample_data.story import Pause, Run

START = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)
RUN = record(Run(day=date(2026, 7, 1), km=0.1))
SMALL_RUN = gpx_writer.encode(RUN)
GARMIN_V1 = "http://www.garmin.com/xmlschemas/TrackPointExtension/v1"
GARMIN_V2 = "http://www.garmin.com/xmlschemas/TrackPointExtension/v2"
CLUETRUST = "http://www.cluetrust.com/XML/GPXDATA/1/0"


def gpx(inside: str, *, names: str = "") -> bytes:
    """Return a GPX file; `names` declares further namespaces."""
    head = f'<gpx version="1.1" creator="A watch" xmlns="http://www.topografix.com/GPX/1/1" {names}>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{inside}</gpx>'.encode()


def track(*segments: str, name: str = "", kind: str = "") -> str:
    named = f"<name>{name}</name>" if name else ""
    typed = f"<type>{kind}</type>" if kind else ""
    return f"<trk>{named}{typed}{''.join(f'<trkseg>{segment}</trkseg>' for segment in segments)}</trk>"


def point(second: float, extensions: str = "", *, time: str | None = None) -> str:
    at = time or f"{(START + timedelta(seconds=second)).isoformat().replace('+00:00', 'Z')}"
    inside = f"<extensions>{extensions}</extensions>" if extensions else ""
    return f'<trkpt lat="52.0" lon="4.0"><ele>12.5</ele><time>{at}</time>{inside}</trkpt>'


def test_a_whole_run_is_read_as_it_was_written() -> None:
    """Position, height, heart rate and cadence of every point; the title; no session totals, for GPX has none."""
    recording = read_gpx(SMALL_RUN)

    samples = recording.frame
    assert RUN.position is not None
    assert dict(samples.schema) == RAW_SAMPLES
    assert (RUN.position.lat_semicircles * 180 / 2**31).tolist() == pytest.approx(
        samples["lat_deg"].to_list(), abs=1e-7
    )
    assert RUN.hr_bpm.tolist() == samples["hr_bpm"].to_list()
    assert (RUN.cadence_spm // 2).tolist() == samples["cadence_spm"].to_list()
    assert samples["distance_m"].null_count() == samples.height
    [told] = recording.sessions
    assert (told.sport, told.title, told.timer_s, told.distance_m) == ("running", "Easy run", None, None)
    assert (recording.device, recording.utc_offset_s, recording.missing) == ("Sample platform", None, None)


@pytest.mark.parametrize(
    ("names", "extensions"),
    [
        (
            f'xmlns:gpxtpx="{GARMIN_V1}"',
            "<gpxtpx:TrackPointExtension><gpxtpx:hr>151</gpxtpx:hr><gpxtpx:cad>83</gpxtpx:cad></gpxtpx:TrackPointExtension>",
        ),
        (
            f'xmlns:ns3="{GARMIN_V2}"',
            "<ns3:TrackPointExtension><ns3:hr>151</ns3:hr><ns3:cad>83</ns3:cad></ns3:TrackPointExtension>",
        ),
        (
            f'xmlns:gpxdata="{CLUETRUST}"',
            "<gpxdata:hr>151</gpxdata:hr><gpxdata:cadence>83</gpxdata:cadence>",
        ),
        ("", "<heartrate>151</heartrate><cadence>83</cadence>"),
        ("", "<Heartrate>151</Heartrate><RunCadence>83</RunCadence>"),
    ],
)
def test_heart_rate_and_cadence_come_from_any_namespace(names: str, extensions: str) -> None:
    """Every maker has a schema of its own; the local names say enough."""
    samples = read_gpx(gpx(track(point(0, extensions), point(1)), names=names)).frame

    assert samples["hr_bpm"].to_list() == [151.0, None]
    assert samples["cadence_spm"].to_list() == [83.0, None]


def test_other_extensions_are_read_where_they_are() -> None:
    """Power, temperature and speed; what is no number is unknown."""
    samples = read_gpx(
        gpx(
            track(
                point(0, "<power>250</power><atemp>21.5</atemp><speed>3.2</speed>"),
                point(1, "<power>much</power><atemp/><hr>nan</hr><cad>inf</cad>"),
            )
        )
    ).frame

    columns = ("power_w", "temperature_c", "speed_m_per_s", "hr_bpm", "cadence_spm")
    assert samples.select(columns).row(0) == (250.0, 21.5, 3.2, None, None)
    assert samples.select(columns).row(1) == (None, None, None, None, None)


def test_a_break_between_segments_is_a_pause() -> None:
    """From the last point before it to the first behind it; segments that touch have none."""
    content = gpx(track(point(0) + point(10), point(130) + point(140), point(140) + point(150)))

    recording = read_gpx(content)

    assert ((START + timedelta(seconds=10), START + timedelta(seconds=130)),) == recording.pauses


def test_the_sample_encoders_segments_are_found_again() -> None:
    """A pause of two minutes and more breaks the segment."""
    run = record(Run(day=date(2026, 7, 1), km=0.3, pauses=(Pause(at_share=0.5, duration_s=200),)))

    [(stop, start)] = read_gpx(gpx_writer.encode(run)).pauses

    assert (start - stop).total_seconds() == 201


def test_empty_segments_are_no_pause() -> None:
    """Some programs write one at the end."""
    recording = read_gpx(gpx(track("", point(0) + point(10), "")))

    assert (recording.frame.height, recording.pauses) == (2, ())


def test_every_track_is_a_session() -> None:
    """With its own name and sport; empty tracks are none."""
    content = gpx(
        track(point(0) + point(10), name="Out", kind="running")
        + track("")
        + track(point(3600) + point(3610), name="Home", kind="cycling")
    )

    recording = read_gpx(content)

    assert [(one.title, one.sport) for one in recording.sessions] == [
        ("Out", "running"),
        ("Home", "cycling"),
    ]
    assert recording.frame["session"].to_list() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("kind", "sport", "sub_sport"),
    [
        ("running", "running", None),
        ("Run", "running", None),
        ("9", "running", None),
        ("trail_running", "running", "trail"),
        ("Trail Running", "running", "trail"),
        ("treadmill_running", "running", "treadmill"),
        ("Ride", "cycling", None),
        ("walking", "walking", None),
        ("kite surfing", "kite_surfing", None),
        ("Running", "running", None),
        ("Trail Run", "running", "trail"),
        ("VirtualRun", "running", "virtual_activity"),
        ("Indoor Run", "running", "treadmill"),
        ("street_running", "running", "street"),
        ("Outdoor Walk", "walking", None),
        ("unknown", None, None),
        ("", None, None),
    ],
)
def test_sports_have_one_name(kind: str, sport: str | None, sub_sport: str | None) -> None:
    """Platforms write words and numbers; unknown ones are kept, and a missing one stays unknown."""
    [told] = read_gpx(gpx(track(point(0), kind=kind))).sessions

    assert (sport, sub_sport) == (told.sport, told.sub_sport)


@pytest.mark.parametrize(
    "time",
    [
        "2026-07-01T16:00:00Z",
        "2026-07-01T16:00:00",
        "2026-07-01T18:00:00+02:00",
        "2026-07-01T16:00:00.000Z",
        "2026-07-01T12:30:00-03:30",
        " 2026-07-01T16:00:00.000000Z ",
        "2026-07-01 16:00:00",
        "2026-07-01T18:00:00.0+0200",
        "20260701T160000Z",
    ],
)
def test_times_are_utc(time: str) -> None:
    """A time without a zone is UTC by the standard."""
    samples = read_gpx(gpx(track(point(0, time=time)))).frame

    assert samples["at"].to_list() == [START]


@pytest.mark.parametrize(
    "time",
    ["2026-02-30T16:00:00Z", "2026-07-01T25:00:00Z", "now", "NaT", "0000-01-01T00:00:00Z", "२०२६-07-01", "-"],
)
def test_a_time_that_is_none_costs_its_point(time: str) -> None:
    """Those beside it stay, whatever way they are written in."""
    times = [
        f"2026-07-01T16:00:0{i}{end}"
        for i, end in enumerate(("Z", ".5Z", ".25+00:00", ".123456Z", ".1234567Z"))
    ]
    points = [point(0, time=one) for one in (*times[:2], time, *times[2:])]

    found = read_gpx(gpx(track("".join(points)))).frame["at"].to_list()

    microseconds = [at.microsecond for at in found]
    assert microseconds == [0, 500_000, 250_000, 123_456, 123_456]
    assert [at.second for at in found] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "time",
    [
        "0000-00-00T00:00:00Z",
        "2026-00-10T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-07-32T00:00:00Z",
        "2026-06-31T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-07-01T24:00:01Z",
        "2026-07-01T16:60:00Z",
        "2026-07-01T16:00:60Z",
    ],
)
def test_a_time_that_is_none_costs_its_point_among_thousands(time: str) -> None:
    """NumPy ended the process when one of more than five hundred texts was no day."""
    points = [point(second) for second in range(2_000)]
    points[1_200] = point(0, time=time)

    found = read_gpx(gpx(track("".join(points)))).frame["at"]

    assert len(found) == 1_999
    assert (found[0], found[-1]) == (START, START + timedelta(seconds=1_999))


def test_the_end_of_february_is_a_day() -> None:
    """In a leap year, among days like all others."""
    times = ["2028-02-28T23:59:59Z", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"]

    found = read_gpx(gpx(track("".join(point(0, time=time) for time in times)))).frame["at"]

    assert [at.isoformat() for at in found] == [time.replace("Z", "+00:00") for time in times]


def test_points_without_a_time_are_left_out() -> None:
    """Those beside them stay."""
    content = gpx(track(point(0) + '<trkpt lat="52.1" lon="4.1"/>' + point(2)))

    assert read_gpx(content).frame.height == 2


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ('<rte><rtept lat="52.0" lon="4.0"/></rte>', "holds no track"),
        ('<wpt lat="52.0" lon="4.0"><name>Home</name></wpt>', "holds no track"),
        ("", "holds no track"),
        (track(""), "holds no track"),
        (track('<trkpt lat="52.0" lon="4.0"/><trkpt lat="52.1" lon="4.0"/>'), "have no times"),
    ],
)
def test_what_nobody_ran_is_no_activity(inside: str, said: str) -> None:
    """Routes, waypoints and tracks that somebody drew."""
    with pytest.raises(NotAnActivityError, match=said):
        read_gpx(gpx(inside))


@pytest.mark.parametrize(
    "markup",
    [
        '<!DOCTYPE gpx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE gpx SYSTEM "http://localhost/gpx.dtd">',
        '<!DOCTYPE gpx [<!ENTITY secret SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_a_document_type_is_refused_unopened(markup: str) -> None:
    """No watch writes one, and entities are how small files become large or read others."""
    content = gpx(track(point(0), name="&b;")).replace(b"<gpx", markup.encode() + b"<gpx", 1)

    with pytest.raises(IngestError, match="declares a document type"):
        read_gpx(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<gpx",
        SMALL_RUN[:300],
        b"no XML at all",
        b"<kml/>",
        b"<!doctype gpx><gpx/>",
        b"<gpx><trk><trkseg/></trk>",
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(content: bytes) -> None:
    """The reason is a sentence for the runner."""
    with pytest.raises(IngestError, match=r"^This .*GPX file.*\.$") as refusal:
        read_gpx(content)

    assert len(str(refusal.value)) >= 20
    assert "\n" not in str(refusal.value)


def test_a_file_that_breaks_off_keeps_what_came_before() -> None:
    """And says how much that is."""
    recording = read_gpx(SMALL_RUN[: len(SMALL_RUN) * 3 // 4])

    count = recording.frame.height
    assert count > RUN.hr_bpm.size / 2
    assert recording.frame["hr_bpm"].to_list() == RUN.hr_bpm.tolist()[:count]
    assert recording.missing is not None
    assert recording.missing.startswith(
        f"The file breaks off or is damaged after {count} points (it ends too soon)"
    )


def test_a_file_damaged_in_the_middle_says_where() -> None:
    """Everything before it stays."""
    middle = SMALL_RUN.index(b"<ele>", len(SMALL_RUN) // 2)

    recording = read_gpx(SMALL_RUN[:middle] + b"</ele>" + SMALL_RUN[middle:])

    assert recording.missing is not None
    assert f"after {recording.frame.height} points (at 5" in recording.missing
    assert recording.frame.equals(read_gpx(SMALL_RUN).frame.head(recording.frame.height))


def test_what_stands_behind_the_end_does_not_matter() -> None:
    """Zeros that a broken disk left, for one."""
    recording = read_gpx(SMALL_RUN + b"\0" * 1000)

    assert recording.missing is None
    assert recording.frame.equals(read_gpx(SMALL_RUN).frame)


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (('lat="52.0"', 'lat="north"'), (None, 4.0)),
        (('lat="52.0" ', ""), (None, 4.0)),
        (('lat="52.0"', 'lat="nan"'), (None, 4.0)),
        (('lat="52.0" lon="4.0"', ""), (None, None)),
        (('lat="52.0"', 'lat="91"'), (91.0, 4.0)),
    ],
)
def test_a_bad_point_costs_its_position_and_not_the_file(
    bad: tuple[str, str], expected: tuple[float | None, float | None]
) -> None:
    """Its time still counts; a latitude that cannot be is found by cleaning."""
    samples = read_gpx(gpx(track(point(0) + point(1).replace(*bad) + point(2)))).frame

    assert samples.select("lat_deg", "lon_deg").rows() == [(52.0, 4.0), expected, (52.0, 4.0)]
    assert samples["at"].null_count() == 0


@pytest.mark.parametrize(("factor", "divided_by"), [(1.0, 1.0), (3.6, 3.6), (2.0, 1.0)])
def test_speeds_in_km_h_are_found_out_by_the_positions(factor: float, divided_by: float) -> None:
    """Where they are 3.6 times what the positions say; any other disagreement is left alone."""
    steps = "".join(
        point(i, f"<speed>{3.0 * factor}</speed>").replace("52.0", str(52 + 3.0 * i / 111_195))
        for i in range(30)
    )
    standing = "".join(point(100 + i, "<speed>7.2</speed>") for i in range(5))

    recording = read_gpx(gpx(track(steps) + track(standing)))

    speeds = recording.frame["speed_m_per_s"].to_list()
    assert speeds[:30] == pytest.approx([3.0 * factor / divided_by] * 30)
    assert speeds[30:] == [7.2] * 5


@pytest.mark.parametrize(
    ("inside", "title"),
    [
        ("<metadata><name>File</name></metadata><trk><desc>Far</desc>", "File"),
        ("<trk><desc>Far away\nand back</desc>", "Far away"),
        ("<metadata><author><name>Me</name></author></metadata><desc>All</desc><trk>", "All"),
        ("<trk><name><![CDATA[A & B]]></name><desc>Far</desc>", "A & B"),
        ("<trk><name>A &amp; B</name>", "A & B"),
        ("<trk><link><text>Link</text></link>", None),
    ],
)
def test_titles(inside: str, title: str | None) -> None:
    """The track's name, the file's, and a description where there is neither."""
    content = gpx(f"{inside}<trkseg>{point(0)}</trkseg></trk>")

    assert read_gpx(content).sessions[0].title == title


@pytest.mark.parametrize(
    ("names", "extensions", "column", "value"),
    [
        ("", "<speed>2.5</speed><course>91</course><hAcc>3</hAcc>", "speed_m_per_s", 2.5),  # Apple
        (
            "",
            "<gpxtpx:TrackPointExtension><gpxtpx:speed>2.5</gpxtpx:speed></gpxtpx:TrackPointExtension>",
            "speed_m_per_s",
            2.5,
        ),
        ("", "<pwr:PowerInWatts>210</pwr:PowerInWatts>", "power_w", 210.0),  # OpenTracks
        ('xmlns:g="x"', "<g:temp>21</g:temp><g:hr>1</g:hr>", "temperature_c", 21.0),  # Suunto
        ("", "<heartrate> 140 </heartrate>", "hr_bpm", 140.0),
    ],
)
def test_extensions_of_other_makers(names: str, extensions: str, column: str, value: float) -> None:
    """Prefixes need not even be declared."""
    assert read_gpx(gpx(track(point(0, extensions)), names=names)).frame[column].to_list() == [value]


EXCEPTIONS = {"traps/standard.gpx": "gpxpy refuses the file because of one point without a position"}


def test_gpxpy_finds_the_same_in_real_files(corpus: Path) -> None:
    """Position, height, time, heart rate and cadence of every point that has a time, to the bit."""
    files = sorted(corpus.rglob("*.gpx"))
    compared = 0
    for path in files:
        if str(path.relative_to(corpus)) in EXCEPTIONS:
            continue
        content = path.read_bytes()
        expected = list(rows_of_gpxpy(content))
        columns = ("at", "lat_deg", "lon_deg", "altitude_m", "hr_bpm", "cadence_spm")

        try:
            found = read_gpx(content).frame.select(columns).rows()
        except NotAnActivityError:
            found = []

        assert found == expected, path.name
        compared += len(found)
    assert not files or compared > 30_000


def rows_of_gpxpy(content: bytes) -> Iterator[tuple[object, ...]]:
    for each in gpxpy.parse(content).tracks:
        for one in (one for segment in each.segments for one in segment.points if one.time):
            elements = [element for extension in one.extensions for element in extension.iter()]
            found = {
                element.tag.rpartition("}")[2].lower(): float(element.text)
                for element in elements
                if is_leaf(element)
            }
            at = one.time.astimezone(UTC) if one.time.tzinfo else one.time.replace(tzinfo=UTC)
            hr, cadence = found.get("hr", found.get("heartrate")), found.get("cad", found.get("cadence"))
            yield at, one.latitude, one.longitude, one.elevation, hr, cadence


def is_leaf(element: Element) -> bool:
    return element.tag.rpartition("}")[2].lower() in ("hr", "heartrate", "cad", "cadence")


def test_both_ways_through_real_files_tell_the_same(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Expat alone, and expat with the short way for points of one shape."""
    contents = [path.read_bytes() for path in sorted(corpus.rglob("*.gpx"))]
    short = [told(content) for content in contents]
    monkeypatch.setattr(xml_points, "MAX_SHAPES", 0)

    for content, expected in zip(contents, short, strict=True):
        assert told(content) == expected


def told(content: bytes) -> tuple[object, ...]:
    try:
        recording = read_gpx(content)
    except NotAnActivityError as refusal:
        return (str(refusal),)
    return recording.sessions, recording.pauses, recording.missing, recording.frame.rows()


def test_the_real_files_that_others_stumbled_over_have_their_totals(corpus: Path) -> None:
    """Runalyze's: a point without a position, and an hour's break between two segments."""
    zone, now = ZoneInfo("UTC"), datetime(2026, 11, 1, tzinfo=UTC)
    rows = {}
    for name in ("standard", "break-between-trkseg"):
        recording = read_gpx((corpus / "traps" / f"{name}.gpx").read_bytes())
        [found] = activities_of(recording, athlete="me", export_id="x", zone=zone, now=now)
        rows[name] = found.row

    assert rows["standard"]["elapsed_s"] == 2306
    assert rows["standard"]["distance_m"] == pytest.approx(5993, abs=100)
    assert rows["break-between-trkseg"]["timer_s"] == pytest.approx(19041, abs=10)
    assert any(
        (start - stop).total_seconds() == pytest.approx(3780, abs=10) for stop, start in recording.pauses
    )


def test_a_file_without_namespace_or_creator_is_read() -> None:
    """Old programs left both out."""
    content = f"<gpx version='1.0'>{track(point(0) + point(1))}</gpx>".encode()

    recording = read_gpx(content)

    assert (recording.frame.height, recording.device) == (2, None)


def test_letters_of_all_languages_are_kept() -> None:
    """Also behind a byte order mark."""
    content = b"\xef\xbb\xbf" + gpx(track(point(0), name="Škofja Loka 走る"))

    assert read_gpx(content).sessions[0].title == "Škofja Loka 走る"


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.binary(max_size=400), st.text(max_size=300).map(str.encode)))
def test_any_bytes_are_a_recording_or_a_refusal(content: bytes) -> None:
    """Nothing else comes out of the reader, with or without something that looks like GPX around it."""
    assert is_recording_or_refusal(content)
    assert is_recording_or_refusal(b"<gpx><trk><trkseg>" + content + b"</trkseg></trk></gpx>")


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 1400), st.integers(0, 255)), min_size=1, max_size=8),
    st.integers(0, 1400),
    st.sampled_from(["", "<trkpt>", "</trkseg>", 'lat="nan"', "-", "e999", "\0", "&", "<time>"]),
)
def test_a_damaged_run_is_a_recording_or_a_refusal(
    changes: list[tuple[int, int]], place: int, inserted: str
) -> None:
    """Flipped bytes and stray markup in a good file."""
    damaged = bytearray(SMALL_RUN)
    for position, value in changes:
        damaged[position] = value

    assert is_recording_or_refusal(bytes(damaged[:place]) + inserted.encode() + bytes(damaged[place:]))


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e400", "91", "1e300"])
@pytest.mark.parametrize("place", ["52.0", "4.0", "12.5"])
def test_strange_numbers_do_not_stop_the_reader(number: str, place: str) -> None:
    """Positions and heights are judged by cleaning."""
    assert is_recording_or_refusal(gpx(track(point(0).replace(place, number) + point(1))))


def is_recording_or_refusal(content: bytes) -> bool:
    try:
        recording = decode("gpx", content)
    except IngestError as refusal:
        return str(refusal).endswith(".") and "\n" not in str(refusal)
    numbers = recording.frame.select("hr_bpm", "cadence_spm", "power_w", "temperature_c")
    are_finite = numbers.select(pl.all().is_finite().fill_null(value=True).all()).row(0)
    return len(recording.sessions) > 0 and all(are_finite)
