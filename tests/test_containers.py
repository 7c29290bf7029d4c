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

from ingest.containers import Inventory, Member, Told, inventory_of, members_of, words_of
from ingest.errors import IngestError
from ingest.platforms import Words
from store.settings import Limits

LIMITS = Limits(max_file_mib=1)


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer


def contents(file: io.BytesIO) -> dict[str, bytes | str]:
    return {member.name: member.content for member in members_of(file, LIMITS)}


def with_words(file: io.BytesIO, folder: Path) -> list[Member]:
    """Return the members with what the tables say of them, as an intake puts the two together."""
    return list(members_of(file, LIMITS, words(file, folder)))


def words(file: io.BytesIO, folder: Path) -> Words:
    path = folder / "archive.zip"
    path.write_bytes(file.getvalue())
    return words_of(path, most_entries=100)


def test_exports_are_found_in_folders_and_gzipped() -> None:
    """FIT, GPX and TCX in any case, with or without .gz."""
    file = zipped({"a/RUN.FIT": b"1", "b.gpx": b"2", "c.tcx.gz": b"3", "photo.jpg": b"4", "readme": b"5"})

    assert contents(file) == {"a/RUN.FIT": b"1", "b.gpx": b"2", "c.tcx.gz": b"3"}
    assert inventory_of(file, LIMITS) == Inventory(exports=3, others=2)


def test_junk_beside_the_exports_is_left_alone() -> None:
    """What systems put into archives is no export."""
    file = zipped({"__MACOSX/._run.fit": b"x", ".hidden/run.fit": b"x", "ok.fit": b"1"})

    assert contents(file) == {"ok.fit": b"1"}


def test_archives_in_an_archive_are_opened_one_level_down() -> None:
    """As Garmin hands them out; a third level stays closed."""
    third = zipped({"deep.fit": b"3"}).getvalue()
    second = zipped({"email_1.fit": b"2", "third.zip": third}).getvalue()

    assert contents(zipped({"Uploaded/Part1.zip": second})) == {"Uploaded/Part1.zip/email_1.fit": b"2"}


def test_strava_tells_title_words_exertion_and_gear(tmp_path: Path) -> None:
    """By the headers in English."""
    table = (
        "Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Perceived Exertion,"
        "Activity Private Note,Activity Gear,Filename\n"
        '1,"Aug 2, 2026","Long, slow run",Run,"two\nlines",6,knee L 2/1/0,Blue shoes,activities/1.fit.gz\n'
        "2,x,Swim,Swim,,,,,\n"
    )
    file = zipped({"activities.csv": table.encode(), "activities/1.fit.gz": gzip.compress(b"run")})

    (member,) = with_words(file, tmp_path)

    assert member.told == Told(
        title="Long, slow run", description="two\nlines\nknee L 2/1/0", rpe=6, gear="Blue shoes"
    )


def test_strava_in_another_language_still_tells_title_and_words(tmp_path: Path) -> None:
    """Headers are translated, the order of the columns is not."""
    table = (
        "ID,Datum,Name der Aktivität,Typ,Beschreibung,Dateiname\n1,heute,Lauf,Run,schön,activities/1.gpx\n"
    )
    file = zipped({"export_1/activities.csv": table.encode("utf-8-sig"), "export_1/activities/1.gpx": b"x"})

    (member,) = with_words(file, tmp_path)

    assert member.told == Told(title="Lauf", description="schön")


def test_apple_tells_the_sport_of_a_route(tmp_path: Path) -> None:
    """By the workout that refers to it; the declared document type of its export is no hindrance."""
    table = b"""<?xml version="1.0"?><!DOCTYPE HealthData [<!ELEMENT HealthData (Workout*)>]>
    <HealthData><Record type="x"/><Workout workoutActivityType="HKWorkoutActivityTypeRunning"><WorkoutRoute>
    <FileReference path="/workout-routes/route_1.gpx"/></WorkoutRoute></Workout>
    <Workout workoutActivityType="HKWorkoutActivityTypeCrossCountrySkiing"><WorkoutRoute>
    <FileReference path="/workout-routes/route_2.gpx"/></WorkoutRoute></Workout></HealthData>"""
    routes = {f"apple_health_export/workout-routes/route_{n}.gpx": b"x" for n in (1, 2)}
    file = zipped({"apple_health_export/export.xml": table} | routes)

    sports = {member.name[-11:]: member.told.sport for member in with_words(file, tmp_path)}

    assert sports == {"route_1.gpx": "running", "route_2.gpx": "cross_country_skiing"}


def test_entities_in_apples_table_end_the_telling_and_not_the_intake(tmp_path: Path) -> None:
    """A bomb costs the sports, not the runs."""
    table = b'<!DOCTYPE a [<!ENTITY b "bbbb">]><HealthData><Workout workoutActivityType="&b;"/></HealthData>'
    file = zipped({"apple_health_export/export.xml": table, "apple_health_export/route.gpx": b"x"})

    (member,) = with_words(file, tmp_path)

    assert (member.content, member.told) == (b"x", Told())


def test_a_member_that_grows_beyond_the_limit_is_refused_alone() -> None:
    """A bomb is read to the limit and no further; its neighbours are taken."""
    found = contents(zipped({"bomb.fit": b"\0" * 2_000_000, "ok.fit": b"1"}))

    assert found["ok.fit"] == b"1"
    assert found["bomb.fit"] == "This member of the archive is larger than 1 MiB (limits.max_file_mib)."


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


def refusal(file: io.BytesIO, limits: Limits) -> str:
    """Return why an archive is refused, which must be before anything in it is read."""
    with pytest.raises(IngestError) as refused:
        next(members_of(file, limits))
    return str(refused.value)


def test_too_many_entries_are_refused() -> None:
    """Before any of them is opened."""
    file = zipped({f"{n}.fit": b"" for n in range(4)})

    assert refusal(file, Limits(max_archive_entries=3)) == (
        "This zip archive holds more than 3 entries (limits.max_archive_entries)."
    )


def test_entries_by_the_thousand_are_counted_before_any_is_looked_at() -> None:
    """Else zipfile would have met the damaged one first."""
    raw = bytearray(zipped({f"{n}.fit": b"" for n in range(3_000)}, zipfile.ZIP_STORED).getvalue())
    raw[raw.rindex(b"PK\x01\x02")] ^= 1

    assert refusal(io.BytesIO(bytes(raw)), Limits(max_archive_entries=2_998)) == (
        "This zip archive holds more than 2,998 entries (limits.max_archive_entries)."
    )


def test_a_directory_of_unheard_of_size_is_not_read() -> None:
    """Few entries whose names and notes are as long as they can be."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for n in range(4):
            info = zipfile.ZipInfo(f"{n}.fit")
            info.comment = b"x" * 65_000
            archive.writestr(info, b"")

    assert refusal(file, Limits(max_archive_entries=4)) == (
        "The directory of this zip archive is larger than 128 KiB, which names of 4 entries never take "
        "(limits.max_archive_entries)."
    )


def test_the_entries_of_archives_in_it_count_with_those_of_an_archive() -> None:
    """The nested one that is too much is refused, and what comes before it stays."""
    part = zipped({"a.fit": b"A", "b.fit": b"B"}).getvalue()
    file = zipped({"first.zip": part, "second.zip": part})

    found = {
        member.name: member.content
        for member in members_of(file, Limits(max_archive_entries=5, max_file_mib=1))
    }

    assert found == {
        "first.zip/a.fit": b"A",
        "first.zip/b.fit": b"B",
        "second.zip": "This nested archive cannot be opened: This zip archive holds more than 5 entries "
        "(limits.max_archive_entries).",
    }


def with_claims(names: list[str], claimed_bytes: int) -> io.BytesIO:
    """Return an archive of empty members that all claim to hold so much."""
    raw = bytearray(zipped(dict.fromkeys(names, b"")).getvalue())
    at = -1
    for _ in names:
        at = raw.index(b"PK\x01\x02", at + 1)
        struct.pack_into("<I", raw, at + 24, claimed_bytes)
    return io.BytesIO(bytes(raw))


@pytest.mark.parametrize("ending", ["fit", "zip"])
def test_more_content_than_an_archive_may_have_is_refused(ending: str) -> None:
    """By what it claims, because no more than that is ever unpacked."""
    file = with_claims([f"a.{ending}", f"b.{ending}"], 600 * 2**20)

    assert refusal(file, Limits(max_archive_gib=1)) == (
        "This zip archive holds more than 1 GiB of exports (limits.max_archive_gib)."
    )


def test_archives_by_the_thousand_are_refused() -> None:
    """Each would be unpacked on the disk."""
    file = zipped({f"{n}.zip": b"" for n in range(1_001)}, zipfile.ZIP_STORED)

    assert refusal(file, LIMITS) == "This zip archive holds more than 1,000 archives; split it."


@pytest.mark.parametrize(
    "name", ["../../run.fit", "/etc/run.fit", "..\\..\\run.fit", "C:\\run.fit", "a/../run.fit"]
)
def test_a_name_that_leads_elsewhere_is_only_a_name(name: str) -> None:
    """What is in it is an export like any other; where it is kept is not for the name to say."""
    assert contents(zipped({name: b"run"})) == {name: b"run"}


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
        list(members_of(io.BytesIO(bytes(raw[: data.draw(st.integers(0, len(raw)))])), LIMITS))


def test_a_real_archive_with_a_broken_file_gives_both(corpus: Path) -> None:
    """FitTrackee's test archive: what is wrong inside is the reader's to say."""
    with (corpus / "traps" / "gpx_test_incorrect.zip").open("rb") as file:
        found = list(members_of(file, LIMITS))

    assert len(found) == 2
    assert all(isinstance(member.content, bytes) for member in found)
