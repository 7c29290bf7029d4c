"""Zip archives: exports are found, junk is not, and nothing an archive claims is believed."""

import contextlib
import gzip
import io
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import containers
from ingest.containers import Inventory, Told, inventory_of, members_of
from ingest.errors import IngestError

MAX_BYTES = 10_000


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer


def contents(file: io.BytesIO) -> dict[str, bytes | str]:
    return {member.name: member.content for member in members_of(file, max_bytes=MAX_BYTES)}


def test_exports_are_found_in_folders_and_gzipped() -> None:
    """FIT, GPX and TCX in any case, with or without .gz."""
    file = zipped({"a/RUN.FIT": b"1", "b.gpx": b"2", "c.tcx.gz": b"3", "photo.jpg": b"4", "readme": b"5"})

    assert contents(file) == {"a/RUN.FIT": b"1", "b.gpx": b"2", "c.tcx.gz": b"3"}
    assert inventory_of(file) == Inventory(exports=3, others=2)


def test_junk_beside_the_exports_is_left_alone() -> None:
    """What systems put into archives is no export."""
    file = zipped({"__MACOSX/._run.fit": b"x", ".hidden/run.fit": b"x", "ok.fit": b"1"})

    assert contents(file) == {"ok.fit": b"1"}


def test_archives_in_an_archive_are_opened_one_level_down() -> None:
    """As Garmin hands them out; a third level stays closed."""
    third = zipped({"deep.fit": b"3"}).getvalue()
    second = zipped({"email_1.fit": b"2", "third.zip": third}).getvalue()

    assert contents(zipped({"Uploaded/Part1.zip": second})) == {"Uploaded/Part1.zip/email_1.fit": b"2"}


def test_strava_tells_title_words_exertion_and_gear() -> None:
    """By the headers in English."""
    table = (
        "Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Perceived Exertion,"
        "Activity Private Note,Activity Gear,Filename\n"
        '1,"Aug 2, 2026","Long, slow run",Run,"two\nlines",6,knee L 2/1/0,Blue shoes,activities/1.fit.gz\n'
        "2,x,Swim,Swim,,,,,\n"
    )
    file = zipped({"activities.csv": table.encode(), "activities/1.fit.gz": gzip.compress(b"run")})

    (member,) = members_of(file, max_bytes=MAX_BYTES)

    assert member.told == Told(
        title="Long, slow run", description="two\nlines\nknee L 2/1/0", rpe=6, gear="Blue shoes"
    )


def test_strava_in_another_language_still_tells_title_and_words() -> None:
    """Headers are translated, the order of the columns is not."""
    table = (
        "ID,Datum,Name der Aktivität,Typ,Beschreibung,Dateiname\n1,heute,Lauf,Run,schön,activities/1.gpx\n"
    )
    file = zipped({"export_1/activities.csv": table.encode("utf-8-sig"), "export_1/activities/1.gpx": b"x"})

    (member,) = members_of(file, max_bytes=MAX_BYTES)

    assert member.told == Told(title="Lauf", description="schön")


def test_apple_tells_the_sport_of_a_route() -> None:
    """By the workout that refers to it; the declared document type of its export is no hindrance."""
    table = b"""<?xml version="1.0"?><!DOCTYPE HealthData [<!ELEMENT HealthData (Workout*)>]>
    <HealthData><Record type="x"/><Workout workoutActivityType="HKWorkoutActivityTypeRunning"><WorkoutRoute>
    <FileReference path="/workout-routes/route_1.gpx"/></WorkoutRoute></Workout>
    <Workout workoutActivityType="HKWorkoutActivityTypeCrossCountrySkiing"><WorkoutRoute>
    <FileReference path="/workout-routes/route_2.gpx"/></WorkoutRoute></Workout></HealthData>"""
    routes = {f"apple_health_export/workout-routes/route_{n}.gpx": b"x" for n in (1, 2)}
    file = zipped({"apple_health_export/export.xml": table} | routes)

    sports = {member.name[-11:]: member.told.sport for member in members_of(file, max_bytes=MAX_BYTES)}

    assert sports == {"route_1.gpx": "running", "route_2.gpx": "cross_country_skiing"}


def test_entities_in_apples_table_end_the_telling_and_not_the_intake() -> None:
    """A bomb costs the sports, not the runs."""
    table = b'<!DOCTYPE a [<!ENTITY b "bbbb">]><HealthData><Workout workoutActivityType="&b;"/></HealthData>'
    file = zipped({"apple_health_export/export.xml": table, "apple_health_export/route.gpx": b"x"})

    (member,) = members_of(file, max_bytes=MAX_BYTES)

    assert (member.content, member.told) == (b"x", Told())


def test_a_member_that_grows_beyond_the_limit_is_refused_alone() -> None:
    """A bomb is read to the limit and no further; its neighbours are taken."""
    found = contents(zipped({"bomb.fit": b"\0" * 1_000_000, "ok.fit": b"1"}))

    assert found["ok.fit"] == b"1"
    assert "larger than" in str(found["bomb.fit"])


def test_an_encrypted_member_is_refused_with_what_to_do() -> None:
    """The flag in its header is enough."""
    raw = bytearray(zipped({"run.fit": b"secret"}).getvalue())
    central = raw.index(b"PK\x01\x02")
    struct.pack_into("<H", raw, central + 8, 1)

    assert "password" in str(contents(io.BytesIO(bytes(raw)))["run.fit"])


def test_a_damaged_member_is_refused_alone() -> None:
    """A wrong checksum stops nobody else."""
    raw = (
        zipped({"bad.fit": b"A" * 50, "ok.fit": b"1"}, zipfile.ZIP_STORED)
        .getvalue()
        .replace(b"A" * 50, b"B" * 50)
    )

    found = contents(io.BytesIO(raw))

    assert found["ok.fit"] == b"1"
    assert "damaged" in str(found["bad.fit"])


def test_too_many_entries_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any of them is opened."""
    monkeypatch.setattr(containers, "MOST_ENTRIES", 3)

    with pytest.raises(IngestError, match="at most 3"):
        contents(zipped({f"{n}.fit": b"" for n in range(4)}))


def test_overlapping_members_are_refused() -> None:
    """Two names for the same bytes are how a small archive becomes a large one."""
    raw = bytearray(zipped({"a.fit": b"A" * 100, "b.fit": b"B" * 100}, zipfile.ZIP_STORED).getvalue())
    second = raw.index(b"PK\x01\x02", raw.index(b"PK\x01\x02") + 4)
    struct.pack_into("<I", raw, second + 42, 10)

    with pytest.raises(IngestError, match="overlap"):
        contents(io.BytesIO(bytes(raw)))


def test_what_is_no_archive_is_said_so() -> None:
    """A sentence and not a traceback."""
    with pytest.raises(IngestError, match="damaged"):
        contents(io.BytesIO(b"PK\x03\x04 and nothing more"))


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_any_damage_gives_members_or_a_refusal(data: st.DataObject) -> None:
    """Nothing else is ever raised."""
    raw = bytearray(
        zipped(
            {"a.fit": b"A" * 40, "b.zip": zipped({"c.gpx": b"C"}).getvalue(), "activities.csv": b"a,b\n"}
        ).getvalue()
    )
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(IngestError):
        list(members_of(io.BytesIO(bytes(raw[: data.draw(st.integers(0, len(raw)))])), max_bytes=MAX_BYTES))


def test_a_real_archive_with_a_broken_file_gives_both(corpus: Path) -> None:
    """FitTrackee's test archive: what is wrong inside is the reader's to say."""
    with (corpus / "traps" / "gpx_test_incorrect.zip").open("rb") as file:
        found = list(members_of(file, max_bytes=10**7))

    assert len(found) == 2
    assert all(isinstance(member.content, bytes) for member in found)
