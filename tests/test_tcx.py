"""TCX files: laps, tracks and points as Garmin and Polar write them, and totals that are not to be believed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from ingest import xml_points
from ingest.activity import Activity, activities_of
from ingest.decode import decode
from ingest.errors import IngestError, NotAnActivityError
from ingest.recording import RAW_LAPS, RAW_SAMPLES, Recording
from ingest.tcx import read_tcx

START = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)


def tcx(inside: str, *, names: str = "") -> bytes:
    """Return a TCX file; `names` declares further namespaces."""
    schema = "http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"
    return f'<?xml version="1.0"?>\n<TrainingCenterDatabase xmlns="{schema}" {names}>{inside}</TrainingCenterDatabase>'.encode()


def activity(*laps: str, sport: str = "Running", more: str = "") -> str:
    return (
        f'<Activity Sport="{sport}"><Id>{at(0)}</Id>{"".join(laps)}'
        f"{more}<Creator><Name>A watch</Name></Creator></Activity>"
    )


def activities(*inside: str) -> bytes:
    return tcx(f"<Activities>{''.join(inside)}</Activities>")


def lap(
    *tracks: str, start_s: float = 0, timer_s: object = 10, distance_m: object = 30, more: str = ""
) -> str:
    totals = (
        f"<TotalTimeSeconds>{timer_s}</TotalTimeSeconds><DistanceMeters>{distance_m}</DistanceMeters>{more}"
    )
    inside = "".join(f"<Track>{track}</Track>" for track in tracks)
    return f'<Lap StartTime="{at(start_s)}">{totals}{inside}</Lap>'


def point(
    second: float, distance_m: float | None = None, more: str = "", *, has_position: bool = True
) -> str:
    position = (
        f"<Position><LatitudeDegrees>{52 + second / 40000}</LatitudeDegrees>"
        "<LongitudeDegrees>4.0</LongitudeDegrees></Position><AltitudeMeters>12.5</AltitudeMeters>"
    )
    distance = "" if distance_m is None else f"<DistanceMeters>{distance_m}</DistanceMeters>"
    return f"<Trackpoint><Time>{at(second)}</Time>{position if has_position else ''}{distance}{more}</Trackpoint>"


def at(second: float) -> str:
    return (START + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")


def found_in(recording: Recording) -> list[Activity]:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    return activities_of(recording, athlete="me", export_id="x", zone=ZoneInfo("UTC"), now=now)


def test_a_run_is_read() -> None:
    """Every column of the points, the laps, the device, the sport and the notes."""
    body = "<HeartRateBpm><Value>151</Value></HeartRateBpm><Cadence>83</Cadence>"
    extension = "<Extensions><TPX><Speed>3.1</Speed><Watts>250</Watts></TPX></Extensions>"
    told = "<AverageHeartRateBpm><Value>150</Value></AverageHeartRateBpm>"
    content = activities(
        activity(
            lap(point(0, 0) + point(10, 30, body + extension), more=told), more="<Notes>Easy\nrun</Notes>"
        )
    )

    recording = read_tcx(content)

    assert dict(recording.frame.schema) == RAW_SAMPLES
    assert dict(recording.laps.schema) == RAW_LAPS
    columns = (
        *("at", "lat_deg", "lon_deg", "altitude_m", "distance_m", "hr_bpm", "cadence_spm"),
        *("speed_m_per_s", "power_w"),
    )
    assert recording.frame.select(columns).rows() == [
        (START, 52.0, 4.0, 12.5, 0.0, None, None, None, None),
        (START + timedelta(seconds=10), 52.00025, 4.0, 12.5, 30.0, 151.0, 83.0, 3.1, 250.0),
    ]
    assert recording.laps.rows() == [(START, 10.0, 30.0, 150.0)]
    [session] = recording.sessions
    assert (session.sport, session.sub_sport, session.title) == ("running", None, "Easy")
    assert (session.started_at, session.timer_s, session.distance_m) == (START, 10.0, None)
    assert (recording.format, recording.device, recording.missing) == ("tcx", "A watch", None)


@pytest.mark.parametrize(
    "extension",
    [
        '<TPX xmlns="http://www.garmin.com/xmlschemas/ActivityExtension/v2"><RunCadence>83</RunCadence><Watts>9</Watts></TPX>',
        "<ns3:TPX><ns3:RunCadence>83</ns3:RunCadence><ns3:Watts>9</ns3:Watts></ns3:TPX>",
        "<x:TPX><x:Deep><x:RunCadence> 83 </x:RunCadence></x:Deep><x:Watts>9</x:Watts></x:TPX>",
    ],
)
def test_extensions_come_from_any_namespace(extension: str) -> None:
    """Declared or not: the local names say enough."""
    content = activities(activity(lap(point(0, 0, f"<Extensions>{extension}</Extensions>"))))

    assert read_tcx(content).frame.select("cadence_spm", "power_w").row(0) == (83.0, 9.0)


def test_a_break_between_the_tracks_of_a_lap_is_a_pause() -> None:
    """A new lap is none."""
    content = activities(
        activity(
            lap(point(0, 0) + point(10, 30), point(100, 30) + point(110, 60), timer_s=20),
            lap(point(120, 90), start_s=112),
        )
    )

    assert read_tcx(content).pauses == ((START + timedelta(seconds=10), START + timedelta(seconds=100)),)


def test_every_activity_is_a_session() -> None:
    """Also those within a multisport session; its transitions count for nothing."""
    content = activities(
        "<MultiSportSession><FirstSport>" + activity(lap(point(0, 0) + point(10, 30))) + "</FirstSport>"
        f"<NextSport><Transition StartTime='{at(10)}'><Track>{point(12, 2)}</Track></Transition>"
        + activity(lap(point(20, 0) + point(30, 90), start_s=20, distance_m=90), sport="Biking")
        + "</NextSport></MultiSportSession>",
        activity(lap(point(50, 0) + point(60, 30), start_s=50)),
    )

    recording = read_tcx(content)

    assert [session.sport for session in recording.sessions] == ["running", "cycling", "running"]
    assert recording.frame["session"].to_list() == [0, 0, 1, 1, 2, 2]
    assert [one.row["distance_m"] for one in found_in(recording)] == [30.0, 90.0, 30.0]


def test_totals_of_laps_that_reach_beyond_the_samples_are_not_believed() -> None:
    """The duration and the distance come from the samples then, and the lap has none."""
    content = activities(
        activity(lap(point(0) + point(10) + point(20), timer_s=3312, distance_m=18743.8, start_s=0))
    )

    recording = read_tcx(content)

    assert recording.laps.rows() == [(START, None, None, None)]
    [one] = found_in(recording)
    assert one.row["timer_s"] == 20
    assert one.row["distance_m"] == pytest.approx(55.6, abs=0.1)


def test_totals_of_laps_are_believed_where_the_samples_say_nothing() -> None:
    """An activity typed in by hand has laps and no points."""
    told = "<AverageHeartRateBpm><Value>150</Value></AverageHeartRateBpm><MaximumHeartRateBpm><Value>171</Value></MaximumHeartRateBpm>"
    content = activities(
        activity(lap(timer_s=600, distance_m=2000, more=told), lap(start_s=600, timer_s=300, distance_m=1000))
    )

    recording = read_tcx(content)

    [session] = recording.sessions
    assert (session.timer_s, session.distance_m) == (900.0, 3000.0)
    assert (session.avg_hr_bpm, session.max_hr_bpm) == (150.0, 171.0)
    assert found_in(recording)[0].row["avg_hr_bpm"] == 150.0


@pytest.mark.parametrize("total", ["nan", "inf", "-5", "1e400", "", "many"])
def test_totals_that_are_no_number_are_unknown(total: str) -> None:
    """The samples have their own."""
    recording = read_tcx(
        activities(activity(lap(point(0, 0) + point(10, 30), timer_s=total, distance_m=total)))
    )

    assert recording.laps.select("timer_s", "distance_m").row(0) == (None, None)
    assert found_in(recording)[0].row["timer_s"] == 10


@pytest.mark.parametrize(
    ("sport", "expected"),
    [("Running", "treadmill"), ("Biking", "indoor_cycling"), ("Other", None)],
)
def test_a_distance_without_a_position_is_indoors(sport: str, expected: str | None) -> None:
    """A treadmill or a trainer; one position is enough to be outside."""
    inside = point(0, 0, has_position=False) + point(10, 30, has_position=False)

    [indoors] = read_tcx(activities(activity(lap(inside), sport=sport))).sessions
    [outside] = read_tcx(activities(activity(lap(inside + point(11, 33)), sport=sport))).sessions

    assert (indoors.sub_sport, outside.sub_sport) == (expected, None)


def test_a_distance_that_begins_anew_with_each_lap_goes_on() -> None:
    """Some converters write it so."""
    content = activities(
        activity(
            lap(point(0, 0) + point(10, 30)),
            lap(point(11, 2) + point(20, 29), start_s=10),
            lap(point(21, 1), start_s=20),
        )
    )

    assert read_tcx(content).frame["distance_m"].to_list() == [0, 30, 32, 59, 60]


def test_points_without_a_time_are_left_out() -> None:
    """Those beside them stay, and belong to their activity."""
    bare = "<Trackpoint><DistanceMeters>3</DistanceMeters></Trackpoint>"
    content = activities(
        activity(lap(bare + point(0, 0) + bare + point(10, 30))),
        activity(lap(point(50, 0) + bare + point(60, 30), start_s=50)),
    )

    assert read_tcx(content).frame["session"].to_list() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        (f"<Courses><Course><Name>A</Name><Track>{point(0)}</Track></Course></Courses>", "only a course"),
        ("<Workouts><Workout/></Workouts>", "only a workout"),
        ("<Activities/>", "empty"),
        ("", "empty"),
    ],
)
def test_what_nobody_ran_is_no_activity(inside: str, said: str) -> None:
    """Courses and workouts are plans."""
    with pytest.raises(NotAnActivityError, match=said):
        read_tcx(tcx(inside))


@pytest.mark.parametrize("content", [b"", b"<", b"no XML", b"<gpx/>", activities(activity())[:90]])
def test_what_cannot_be_read_is_refused(content: bytes) -> None:
    """In one sentence for the runner."""
    with pytest.raises(IngestError, match=r"^This .*TCX file.*\.$"):
        read_tcx(content)


def test_a_file_that_breaks_off_keeps_what_came_before() -> None:
    """And says how much; the lap's total is not believed any more."""
    whole = activities(
        activity(lap("".join(point(i, i * 3) for i in range(600)), timer_s=600, distance_m=1800))
    )

    recording = read_tcx(whole[: len(whole) // 2])

    assert 290 < recording.frame.height < 305
    assert recording.missing is not None
    assert f"after {recording.frame.height} points" in recording.missing
    assert recording.sessions[0].timer_s is None


REAL = {
    # file: sport, timer_s, distance_m of each activity; cases.json and the totals of the lap headers
    "traps/First-point-empty.tcx": [("cycling", 142, 601)],
    "traps/Multisport.tcx": [("cycling", 494, 2355), ("running", 3571, 11460), ("cycling", 420, 2352)],
    "traps/Treadmill-doubled-cadence.tcx": [("running", 261, 498)],
    "traps/sloatsburg.tcx": [("running", 4989, 14000)],
    "traps/10kUNLP2014-Garmin15.tcx": [("running", 2224, 10011)],
    "traps/activity_165850259_multi-session.tcx": [
        ("running", 3602, 7651),
        ("cycling", 2767, 0),
        ("running", 3624, 9405),
        ("cycling", 2597, 0),
    ],
    "tcx/3173437224.tcx": [("running", 3510, 4508)],
    "tcx/no_hr.tcx": [("running", 1993, 4686)],
    "tcx/sample.tcx": [("cycling", 8187, 64670)],
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_have_the_totals_that_others_found(corpus: Path, name: str) -> None:
    """Within 1 %; a file that is not there is skipped."""
    path = corpus / name
    if not path.exists():
        pytest.skip(f"{name} is not in the corpus.")

    found = [one.row for one in found_in(decode("tcx", path.read_bytes()))]

    assert [row["sport"] for row in found] == [sport for sport, _, _ in REAL[name]]
    assert [row["timer_s"] for row in found] == [pytest.approx(s, rel=0.01) for _, s, _ in REAL[name]]
    assert [row["distance_m"] for row in found] == [pytest.approx(m, rel=0.01) for _, _, m in REAL[name]]


def test_the_treadmill_of_the_corpus_is_indoors(corpus: Path) -> None:
    """Its cadence counts both feet already."""
    path = corpus / "traps" / "Treadmill-doubled-cadence.tcx"

    [one] = found_in(read_tcx(path.read_bytes()))

    assert (one.row["is_run"], one.row["is_indoor"]) == (True, True)
    assert one.samples["cadence_spm"].max() == pytest.approx(178, abs=12)


def test_both_ways_through_a_file_tell_the_same(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Expat alone, and expat with the short way for points of one shape."""
    files = [path.read_bytes() for path in sorted(corpus.rglob("*.tcx"))]
    short = [read_tcx(content) for content in files]
    monkeypatch.setattr(xml_points, "MAX_SHAPES", 0)

    for content, told in zip(files, short, strict=True):
        again = read_tcx(content)

        assert told.frame.equals(again.frame)
        assert told.laps.equals(again.laps)
        assert (told.sessions, told.pauses, told.missing) == (again.sessions, again.pauses, again.missing)


def test_the_fit_and_the_tcx_of_one_run_agree(corpus: Path) -> None:
    """As far as both have the same instants."""
    pairs = [corpus / "traps" / f"sloatsburg.{suffix}" for suffix in ("fit", "tcx")]
    if not all(path.exists() for path in pairs):
        pytest.skip("The pair is not in the corpus.")
    fit, read = (decode(path.suffix[1:], path.read_bytes()).frame for path in pairs)

    both = fit.unique("at").join(read.unique("at"), on="at")

    assert both.height > 4900
    for column, most in (("hr_bpm", 0), ("distance_m", 0.02), ("lat_deg", 1e-6), ("lon_deg", 1e-6)):
        difference = both.select((pl.col(column) - pl.col(f"{column}_right")).abs().max()).item()
        assert difference <= most, column
