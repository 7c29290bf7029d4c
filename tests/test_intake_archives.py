"""Archives in the inbox: what is in them is taken in, each with its own outcome below the archive's."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows import steps
from flows.steps import Clock
from ingest import intake
from ingest.fit import read_fit
from ingest.workers import MOST_WORKERS
from store.database import opened_published
from store.home import Home
from store.settings import Settings

ROOT = Path(__file__).parent.parent
CLOCK = Clock(datetime(2026, 10, 3, 20, tzinfo=UTC), date(2026, 10, 3))
RUNS = sorted((ROOT / "sample_data" / "inbox").glob("*.fit"))
GARBAGE = (ROOT / "sample_data" / "broken" / "garbage.fit").read_bytes()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


def ask(home: Home, question: str) -> list[tuple[object, ...]]:
    with opened_published(home) as con:
        return con.execute(question).fetchall()


STRAVA = zipped(
    {
        "activities.csv": b"Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Filename\n"
        b"1,x,Evening loop,Run,knee was fine,activities/1.fit.gz\n",
        "activities/1.fit.gz": gzip.compress(RUNS[0].read_bytes()),
        "activities/2.fit": RUNS[1].read_bytes(),
        "activities/3.fit": GARBAGE,
        "profile.csv": b"a,b\n",
        "media/photo.jpg": b"x",
    }
)


def test_a_platforms_archive_is_taken_in_member_by_member(home: Home, settings: Settings) -> None:
    """Titles and words come from its table; a broken member stops nobody; the rest is counted."""
    (home.inbox / "export.zip").write_bytes(STRAVA)

    steps.take_in(home, settings, CLOCK)

    exports = ask(
        home, "select file_name, outcome, activities, parent_id is null from exports order by file_name"
    )
    assert exports == [
        ("export.zip", "partly_ingested", 2, True),
        ("export.zip/activities/1.fit.gz", "ingested", 1, False),
        ("export.zip/activities/2.fit", "ingested", 1, False),
        ("export.zip/activities/3.fit", "quarantined", 0, False),
    ]
    assert ask(home, "select reason from exports where parent_id is null") == [
        ("3 exports, 1 of them refused; 3 other files left alone.",)
    ]
    assert ("Evening loop", "knee was fine") in ask(home, "select title, description from activities")
    assert list(home.inbox.iterdir()) == []


def test_garmins_and_apples_archives_give_names_and_workouts(home: Home, settings: Settings) -> None:
    """A FIT file in a part archive gets its name by its start; a treadmill run that is only in Apple's table is taken in."""
    recorded = RUNS[0].read_bytes()
    (started_at,) = (one.started_at for one in read_fit(recorded).sessions)
    assert started_at is not None
    rows = [{"name": "Tempo in the park", "beginTimestamp": started_at.timestamp() * 1000 + 900}]
    table = json.dumps([{"summarizedActivitiesExport": rows}]).encode()
    garmin = {
        "DI_CONNECT/DI-Connect-Uploaded-Files/UploadedFiles_0-_Part1.zip": zipped({"mara_1.fit": recorded}),
        "DI_CONNECT/DI-Connect-Fitness/mara_0_summarizedActivities.json": table,
    }
    workout = (
        '<HealthData><Workout workoutActivityType="HKWorkoutActivityTypeRunning" duration="30" durationUnit="min" '
        'totalDistance="5" totalDistanceUnit="km" startDate="2026-07-01 18:00:00 +0200"/></HealthData>'
    )
    (home.inbox / "garmin.zip").write_bytes(zipped(garmin))
    (home.inbox / "apple.zip").write_bytes(zipped({"apple_health_export/export.xml": workout.encode()}))

    steps.take_in(home, settings, CLOCK)

    assert ask(
        home, "select title, distance_m from runs where title is not null or distance_m = 5000 order by all"
    ) == [
        ("Tempo in the park", ask(home, "select distance_m from runs where title is not null")[0][0]),
        (None, 5000.0),
    ]
    assert len(list(home.archive.rglob("*.json"))) == 1


def test_the_same_archive_again_and_its_members_apart_change_nothing(home: Home, settings: Settings) -> None:
    """By content: a member that was dropped on its own is known."""
    (home.inbox / RUNS[0].name).write_bytes(RUNS[0].read_bytes())
    steps.take_in(home, settings, CLOCK)
    before = ask(home, "select activity_id from activities")

    (home.inbox / "first.zip").write_bytes(zipped({"run.fit": RUNS[0].read_bytes()}))
    first = steps.take_in(home, settings, CLOCK)
    (home.inbox / "second.zip").write_bytes(zipped({"run.fit": RUNS[0].read_bytes()}))
    second = steps.take_in(home, settings, CLOCK)

    assert ask(home, "select activity_id from activities") == before
    assert [(one.file_name, one.outcome) for one in first] == [
        ("first.zip/run.fit", "duplicate"),
        ("first.zip", "ingested"),
    ]
    assert [(one.file_name, one.outcome) for one in second] == [("second.zip", "duplicate")]


def test_a_zip_that_bears_the_name_of_a_fit_file_is_opened(home: Home, settings: Settings) -> None:
    """Some platforms hand them out so."""
    (home.inbox / "activity.fit").write_bytes(zipped({"123_ACTIVITY.fit": RUNS[0].read_bytes()}))

    taken = steps.take_in(home, settings, CLOCK)

    assert [(one.file_name, one.outcome) for one in taken] == [
        ("activity.fit/123_ACTIVITY.fit", "ingested"),
        ("activity.fit", "ingested"),
    ]


def test_an_archive_without_exports_is_ignored_and_kept(home: Home, settings: Settings) -> None:
    """It lies in the archive folder, by its hash."""
    (home.inbox / "photos.zip").write_bytes(zipped({"a.jpg": b"x"}))

    (taken,) = steps.take_in(home, settings, CLOCK)

    assert (taken.outcome, taken.reason) == (
        "ignored",
        "0 exports, 0 of them refused; 1 other files left alone.",
    )
    assert list(home.archive.rglob("*.zip"))


def test_a_table_that_cannot_be_read_costs_its_words_only(home: Home, settings: Settings) -> None:
    """The exports are taken in, and the archive says what is missing."""
    table = b"ID,Date,Activity Name\n" + b"x" * (33 * 2**20)
    (home.inbox / "export.zip").write_bytes(zipped({"activities.csv": table, "1.fit": RUNS[0].read_bytes()}))

    member, archive = steps.take_in(home, settings, CLOCK)

    assert (member.outcome, archive.outcome) == ("ingested", "partly_ingested")
    assert archive.reason == (
        "1 exports, 0 of them refused; 1 other files left alone. What the platform's table says could not be read: "
        "It is larger than 32 MiB, as no platform's is."
    )


def test_an_archive_of_garbage_is_given_up(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was good until then stays."""
    monkeypatch.setattr(intake, "MOST_REFUSED", 3)
    garbage = {f"{n}.fit": b"garbage %d" % n for n in range(50)}
    (home.inbox / "export.zip").write_bytes(zipped({"run.fit": RUNS[0].read_bytes(), **garbage}))

    *members, archive = steps.take_in(home, settings, CLOCK)

    assert 3 <= len([one for one in members if one.outcome == "quarantined"]) <= 3 + MOST_WORKERS
    assert members[0].outcome == "ingested"
    assert archive.outcome == "partly_ingested"
    assert str(archive.reason).endswith("nothing more of it was looked at; drop the good ones apart from it.")


def test_an_archive_of_copies_of_garbage_is_given_up(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the first of them is being read, the others wait for it."""
    monkeypatch.setattr(intake, "MOST_REFUSED", 3)
    (home.inbox / "export.zip").write_bytes(zipped({f"{n}.fit": GARBAGE for n in range(50)}))

    *members, archive = steps.take_in(home, settings, CLOCK)

    assert len(members) == 4
    assert "nothing more of it was looked at" in str(archive.reason)


def test_a_broken_archive_is_quarantined(home: Home, settings: Settings) -> None:
    """With its reason."""
    (home.inbox / "broken.zip").write_bytes(STRAVA[:200])

    (taken,) = steps.take_in(home, settings, CLOCK)

    assert taken.outcome == "quarantined"
    assert (home.quarantine / "broken.zip").exists()
