"""What Garmin's and Apple's tables say, and what only they know."""

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.containers import members_of, words_of
from ingest.errors import IngestError
from ingest.platforms import told_by_apple, told_by_garmin
from ingest.recording import Session, Told
from ingest.summary import read_summary, write_summary
from ingest.unpack import format_of
from store.settings import Limits

RUN = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)
MILLISECONDS = int(RUN.timestamp() * 1000)


def apple(workout: str) -> list[tuple[str, bytes]]:
    """Return the summaries of an export.xml with this in it."""
    text = f"<!DOCTYPE HealthData [<!ELEMENT HealthData ANY>]><HealthData>{workout}</HealthData>"
    return list(told_by_apple(io.BytesIO(text.encode()), "apple_health_export/export.xml").without_export)


INDOOR = """<Workout workoutActivityType="HKWorkoutActivityTypeRunning" duration="30" durationUnit="min" sourceName="Watch"
 startDate="2026-07-01 18:00:00 +0200" endDate="2026-07-01 18:31:00 +0200">
 <MetadataEntry key="HKIndoorWorkout" value="1"/>
 <WorkoutStatistics type="HKQuantityTypeIdentifierHeartRate" average="150.5" minimum="90" maximum="171" unit="count/min"/>
 <WorkoutStatistics type="HKQuantityTypeIdentifierDistanceWalkingRunning" sum="3.1" unit="mi"/></Workout>"""


def test_a_workout_of_apples_without_a_route_is_kept_as_a_summary() -> None:
    """A run on a treadmill is in no other file of the archive."""
    [(name, content)] = apple(INDOOR)

    recording = read_summary(content)

    assert name == "apple_health_export/export.xml/workout 2026-07-01 160000.json"
    assert format_of(content, name) == "summary"
    assert recording.device == "Watch"
    assert recording.sessions == (
        Session(
            sport="running",
            sub_sport="treadmill",
            started_at=RUN,
            elapsed_s=1860.0,
            timer_s=1800.0,
            distance_m=pytest.approx(3.1 * 1609.344),  # type: ignore[arg-type]
            avg_hr_bpm=150.5,
            max_hr_bpm=171.0,
        ),
    )


def test_older_exports_say_the_distance_of_the_workout_itself() -> None:
    """With its unit."""
    [(_, content)] = apple(
        '<Workout workoutActivityType="HKWorkoutActivityTypeRunning" duration="1800" durationUnit="s" '
        'totalDistance="5" totalDistanceUnit="km" startDate="2026-07-01 18:00:00 +0200"/>'
    )

    assert read_summary(content).sessions[0].distance_m == 5000


@pytest.mark.parametrize(
    "workout",
    [
        INDOOR.replace("</Workout>", '<WorkoutRoute><FileReference path="/r.gpx"/></WorkoutRoute></Workout>'),
        INDOOR.replace('startDate="2026-07-01 18:00:00 +0200"', 'startDate="soon"'),
        INDOOR.replace('duration="30"', 'duration="0"'),
        INDOOR.replace('durationUnit="min"', 'durationUnit="moons"'),
    ],
)
def test_a_workout_with_a_route_or_without_a_length_makes_no_summary(workout: str) -> None:
    """The one is in its route, of the other nothing is known."""
    assert apple(workout) == []


def test_garmin_tells_names_by_the_start() -> None:
    """In milliseconds, inside a list in a list."""
    rows = [
        {"activityId": 1, "name": " Tempo ", "description": "left knee 3/10", "beginTimestamp": MILLISECONDS},
        {"activityId": 2, "name": "no start"},
        "no activity",
    ]

    told = told_by_garmin(json.dumps([{"summarizedActivitiesExport": rows}, 3]).encode())

    assert told == {MILLISECONDS // 1000: Told(title="Tempo", description="left knee 3/10")}
    assert told_by_garmin(b"no json") == told_by_garmin(b"{}") == {}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("half \\ud83d letter", "half ? letter"),
        ("cut\\u0000off", "cutoff"),
        ("x" * 20_000, "x" * 10_000),
        ("<script>'; drop table activities; --", "<script>'; drop table activities; --"),
        (" ", None),
    ],
)
def test_a_name_is_kept_as_far_as_a_database_can(name: str, kept: str | None) -> None:
    """What no encoding takes is left out; what only looks dangerous stays."""
    table = f'[{{"summarizedActivitiesExport": [{{"name": "{name}", "beginTimestamp": {MILLISECONDS}}}]}}]'

    assert told_by_garmin(table.encode())[MILLISECONDS // 1000].title == kept


def test_what_stands_before_apples_first_workout_is_passed_over() -> None:
    """Wherever it begins within the pieces that are read; it may be gigabytes."""
    record = '<Record type="HKQuantityTypeIdentifierHeartRate" value="62"/>'
    for filler in range(0, 70_000, 9_999):
        assert len(apple(record + " " * filler + INDOOR)) == 1
    assert apple(record * 3) == []


def test_words_of_apples_without_end_are_cut() -> None:
    """Each is stored with its workout."""
    [(_, content)] = apple(INDOOR.replace('"Watch"', f'"{"W" * 50_000}"'))

    assert read_summary(content).device == "W" * 1_000


def test_garmins_names_go_with_every_member_of_the_archive(tmp_path: Path) -> None:
    """Those of the part archives, whose files have numbers for names."""
    part, whole = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(part, "w") as archive:
        archive.writestr("mara_1.fit", b"x")
    rows = [{"name": "Tempo", "beginTimestamp": MILLISECONDS}]
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("DI_CONNECT/DI-Connect-Uploaded-Files/UploadedFiles_0_Part1.zip", part.getvalue())
        name = "DI_CONNECT/DI-Connect-Fitness/mara_0_summarizedActivities.json"
        archive.writestr(name, json.dumps([{"summarizedActivitiesExport": rows}]))

    path = tmp_path / "whole.zip"
    path.write_bytes(whole.getvalue())

    (member,) = members_of(whole, Limits(), words_of(path, most_entries=10))

    assert member.told_at == {MILLISECONDS // 1000: Told(title="Tempo")}


numbers = st.floats(0, 1e6) | st.none()


@given(st.text(max_size=30), numbers, numbers, numbers, st.integers(1, 4_000_000_000))
def test_a_summary_comes_back_as_it_was_written(
    title: str, timer_s: float | None, distance_m: float | None, hr_bpm: float | None, second: int
) -> None:
    """What is unknown stays unknown."""
    session = Session(
        title=title or None,
        timer_s=timer_s,
        distance_m=distance_m,
        avg_hr_bpm=hr_bpm,
        started_at=datetime.fromtimestamp(second, UTC),
    )

    assert read_summary(write_summary(session, device=None)).sessions == (session,)


@pytest.mark.parametrize(
    "content",
    [
        b'{"kneewatch_summary": 1',
        b'{"kneewatch_summary": 1}',
        b'{"kneewatch_summary": 1, "started_at": "soon"}',
        b'{"kneewatch_summary": 1, "started_at": "2026-07-01T16:00:00"}',
        b'{"kneewatch_summary": 1, "started_at": "2026-07-01T16:00:00+00:00", "distance_m": -1}',
        b'{"kneewatch_summary": 1, "started_at": 3}',
        b'{"kneewatch_summary": 1, "started_at": "2026-07-01T16:00:00+00:00", "title": "\\ud83d"}',
        b"[1]",
    ],
)
def test_a_summary_that_somebody_changed_is_refused(content: bytes) -> None:
    """With a sentence."""
    with pytest.raises(IngestError, match=r"This summary is damaged.*\.$"):
        read_summary(content)
