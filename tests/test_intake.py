"""From the inbox to the store: every file ends with an outcome, nothing is lost, nothing counts twice."""

import gzip
import hashlib
import json
import os
import re
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.steps import Clock, retry, take_in
from ingest import intake
from ingest.inbox import dropped_files
from ingest.intake import Taken
from ingest.logs import PainReport
from ingest.pain_log import save_pain_reports
from sample_data import damage, fit_writer, gpx_writer
from sample_data.recording import Recording, record
from sample_data.story import Run
from store.database import frame, opened_store
from store.home import Home
from store.samples import SAMPLES_SCHEMA
from store.settings import Settings, read_settings

CLOCK = Clock(datetime(2026, 10, 3, 18, tzinfo=UTC), date(2026, 10, 3))
DAY = date(2026, 7, 2)
A_MINUTE_AGO = time.time() - 60
TABLES = ("exports", "activities", "laps", "pain_reports", "strength_sessions")
TOML = """
default_athlete = "mara"
[athletes.mara]
time_zone = "Europe/Berlin"
[athletes.tom]
time_zone = "America/New_York"
[limits]
max_file_mib = 1
"""
GARBAGE = damage.garbage_fit()
PAIN = b"date,time,side,during\n2026-07-02,20:00,right,3\n"
STRENGTH = b"date,exercise,sets,reps,load_kg,rpe\n2026-07-01,squats,3,8,40,6\n2026-07-01,calf raises,3,15,,\n"


@pytest.fixture
def settings(home: Home) -> Settings:
    """Two athletes, files of one MiB at most."""
    home.settings_file.write_text(TOML)
    return read_settings(home)


@cache
def recorded(day: date = DAY, hour: int = 8) -> Recording:
    """Return a run of 300 m at this full hour (UTC)."""
    started_at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    return replace(record(Run(day=DAY, km=0.3)), started_at=started_at)


def fit(day: date = DAY, hour: int = 8) -> bytes:
    return fit_writer.encode(recorded(day, hour))


def gpx(day: date = DAY, hour: int = 8) -> bytes:
    """Return the platform's copy, which starts a second later."""
    return gpx_writer.encode(recorded(day, hour), first_sample=1)


def without_positions(content: bytes) -> bytes:
    return re.sub(rb' lat="[^"]*" lon="[^"]*"', b"", content)


def drop(home: Home, name: str, content: bytes) -> Path:
    """Put a settled file into the inbox."""
    path = home.inbox / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (A_MINUTE_AGO, A_MINUTE_AGO))
    return path


def take(home: Home, settings: Settings, *paths: Path, clock: Clock = CLOCK) -> list[Taken]:
    return take_in(home, settings, clock, paths)


def the_one(taken: list[Taken]) -> Taken:
    [only] = taken
    return only


def rows(home: Home, query: str) -> list[dict[str, Any]]:
    with opened_store(home) as con:
        return frame(con, query).to_dicts()


def facts(home: Home) -> dict[str, list[str]]:
    """Return the content of every table of facts."""
    return {table: sorted(str(row) for row in rows(home, f"select * from {table}")) for table in TABLES}


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# Taken in ------------------------------------------------------------------------------------------------


def test_a_run_is_taken_in_and_leaves_the_inbox(home: Home, settings: Settings) -> None:
    """A row in exports, an activity with its laps and samples, the original in the archive."""
    drop(home, "morning.fit", fit())

    taken = the_one(take(home, settings))

    assert (taken.outcome, taken.reason, taken.activities) == ("ingested", None, 1)
    assert rows(home, "from exports") == [
        {
            "export_id": sha256(fit()),
            "parent_id": None,
            "athlete": "mara",
            "file_name": "morning.fit",
            "format": "fit",
            "size_bytes": len(fit()),
            "outcome": "ingested",
            "reason": None,
            "activities": 1,
            "seen_at": CLOCK.now,
            "reader_version": "2",
        }
    ]
    [activity] = rows(home, "from runs")
    assert (activity["export_id"], activity["distance_m"]) == (sha256(fit()), 300.0)
    assert activity["local_date"] == DAY
    assert len(rows(home, "from laps")) == 1
    assert files_in(home.archive) == [f"{sha256(fit())[:2]}/{sha256(fit())}.fit"]
    assert (home.archive / sha256(fit())[:2] / f"{sha256(fit())}.fit").read_bytes() == fit()
    assert files_in(home.inbox) == files_in(home.quarantine) == []


def test_samples_are_a_parquet_file_of_the_columns_of_the_store(home: Home, settings: Settings) -> None:
    """One file an activity, below its athlete and year, and seen in the view."""
    drop(home, "morning.fit", fit())
    take(home, settings)

    [activity] = rows(home, "from activities")

    path = home.samples / "athlete=mara" / "year=2026" / f"{activity['activity_id']}.parquet"
    samples = pl.read_parquet(path, hive_partitioning=False)
    assert dict(samples.schema) == SAMPLES_SCHEMA
    assert samples.height == len(recorded().elapsed_s)
    assert samples["at"].is_sorted()
    assert rows(home, "select athlete, year, count(*) as n from samples group by all") == [
        {"athlete": "mara", "year": 2026, "n": samples.height}
    ]


@pytest.mark.parametrize(
    ("name", "content", "outcome", "kind", "activities"),
    [
        ("run.fit", fit(), "ingested", "fit", 1),
        ("run.FIT.gz", gzip.compress(fit()), "ingested", "fit", 1),
        ("run.gpx", gpx(), "ingested", "gpx", 1),
        ("run.gpx.gz", gzip.compress(gpx()), "ingested", "gpx", 1),
        ("part.fit", fit()[: len(fit()) * 6 // 10], "partly_ingested", "fit", 1),
        ("pain.csv", PAIN, "ingested", "pain_csv", 1),
        ("knees of 2026.csv.gz", gzip.compress(PAIN), "ingested", "pain_csv", 1),
        ("strength.csv", STRENGTH, "ingested", "strength_csv", 1),
        ("photo.jpg", b"\xff\xd8\xff\xe0 a photo", "ignored", None, 0),
        ("notes.csv", b"a,b\n1,2\n", "ignored", None, 0),
        ("nothing", b"", "ignored", None, 0),
        ("route.gpx", b"<gpx><rte></rte></gpx>", "ignored", "gpx", 0),
        ("zero.fit", b"", "quarantined", "fit", 0),
        ("garbage.fit", GARBAGE, "quarantined", "fit", 0),
        ("cut.gpx", gpx()[:400], "quarantined", "gpx", 0),
        ("cut.fit.gz", gzip.compress(fit())[:-20], "quarantined", None, 0),
        ("large.fit", fit() + bytes(2**20), "quarantined", None, 0),
        ("bomb.fit.gz", gzip.compress(bytes(2**21)), "quarantined", None, 0),
        ("pain.csv", b"date,side,during\n2026-07-02,middle,3\n", "quarantined", "pain_csv", 0),
    ],
    # A .gz holds the time it was made; as a part of the test's name that would change from run to run.
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_every_file_ends_with_an_outcome(
    name: str,
    content: bytes,
    outcome: str,
    kind: str | None,
    activities: int,
    home: Home,
    settings: Settings,
) -> None:
    """Told, written down, out of the inbox, and with a reason in a sentence unless all is well."""
    drop(home, name, content)

    taken = the_one(take(home, settings))

    [row] = rows(home, "from exports")
    told = (taken.outcome, taken.format, taken.activities, taken.reason)
    assert told[:3] == (outcome, kind, activities)
    assert told == (row["outcome"], row["format"], row["activities"], row["reason"])
    assert (row["file_name"], row["size_bytes"]) == (name, len(content))
    assert (taken.reason is None) == (outcome == "ingested")
    assert taken.reason is None or (len(taken.reason) >= 20 and taken.reason.endswith("."))
    assert files_in(home.inbox) == []
    assert bool(files_in(home.quarantine)) == (outcome == "quarantined")
    assert bool(files_in(home.archive)) != (outcome == "quarantined")


def test_the_archive_holds_a_packed_file_unpacked(home: Home, settings: Settings) -> None:
    """Under the hash of what counts."""
    drop(home, "run.fit.gz", gzip.compress(fit()))

    take(home, settings)

    assert files_in(home.archive) == [f"{sha256(fit())[:2]}/{sha256(fit())}.fit"]
    assert rows(home, "select export_id from exports") == [{"export_id": sha256(fit())}]


def test_a_file_that_broke_off_says_so_in_its_activity(home: Home, settings: Settings) -> None:
    """Beside the outcome of the file."""
    drop(home, "part.fit", fit()[: len(fit()) * 6 // 10])

    taken = the_one(take(home, settings))

    [activity] = rows(home, "from activities")
    assert activity["quality"][-1] == taken.reason
    assert 0 < activity["distance_m"] < 300


def test_athletes_have_folders_of_their_own(home: Home, settings: Settings) -> None:
    """The day is that of the athlete's zone where neither the file nor a position says anything."""
    drop(home, "tom/run.gpx", without_positions(gpx(date(2026, 7, 5))))
    drop(home, "unknown/run.gpx", without_positions(gpx(date(2026, 7, 4))))

    take(home, settings)

    found = rows(home, "select athlete, local_date, utc_offset_s from activities order by athlete")
    assert found == [
        {"athlete": "mara", "local_date": date(2026, 7, 4), "utc_offset_s": 7200},
        {"athlete": "tom", "local_date": date(2026, 7, 5), "utc_offset_s": -14400},
    ]
    assert rows(home, "select file_name from exports order by all") == [
        {"file_name": "run.gpx"},
        {"file_name": "unknown/run.gpx"},
    ]


def test_given_files_are_copied_and_not_moved(home: Home, settings: Settings, tmp_path: Path) -> None:
    """Good ones, refused ones and what is none of ours; the inbox is not looked at."""
    folder = tmp_path / "export"
    folder.mkdir()
    for name, content in {"run.fit": fit(), "garbage.fit": GARBAGE, "photo.jpg": b"\xff\xd8"}.items():
        (folder / name).write_bytes(content)
    drop(home, "waiting.fit", fit(DAY + timedelta(days=2)))

    outcomes = {one.file_name: one.outcome for one in take(home, settings, folder)}

    assert outcomes == {"run.fit": "ingested", "garbage.fit": "quarantined", "photo.jpg": "ignored"}
    assert files_in(folder) == ["garbage.fit", "photo.jpg", "run.fit"]
    assert files_in(home.inbox) == ["waiting.fit"]
    assert files_in(home.quarantine) == ["garbage.fit", "garbage.fit.reason.json"]
    assert files_in(home.archive) == [f"{sha256(fit())[:2]}/{sha256(fit())}.fit"]


@pytest.mark.parametrize("files_per_write", [1, 3, 64])
def test_how_many_files_share_a_transaction_makes_no_difference(
    files_per_write: int, home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each comes under its own name."""
    monkeypatch.setattr(intake, "FILES_PER_WRITE", files_per_write)
    days = [DAY + timedelta(days=place) for place in range(9)]
    for day in days:
        drop(home, f"{day}.fit", fit(day))
    drop(home, "garbage.fit", GARBAGE)

    outcomes = {one.file_name: one.outcome for one in take(home, settings)}

    assert outcomes == {**{f"{day}.fit": "ingested" for day in days}, "garbage.fit": "quarantined"}
    found = rows(home, "select file_name, local_date from activities join exports using (export_id)")
    assert {row["file_name"]: f"{row['local_date']}.fit" for row in found} == {
        f"{day}.fit": f"{day}.fit" for day in days
    }


# The same again ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("run.fit", "run.fit"),
        ("run.fit", "copy of run.fit"),
        ("run.fit", "run.fit.gz"),
        ("run.fit.gz", "run.fit"),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_the_same_bytes_are_one_activity(
    first: str, second: str, home: Home, settings: Settings, *, at_once: bool
) -> None:
    """Under whatever name, packed or not, in one batch or in two; the second says what it doubles."""
    packed = {name: gzip.compress(fit()) if name.endswith(".gz") else fit() for name in (first, second)}
    names = sorted({first, second}) if at_once else [first, second]

    taken = []
    for name in names:
        drop(home, name, packed[name])
        if not at_once:
            taken += take(home, settings)
    taken += take(home, settings)

    assert [one.outcome for one in taken] == ["ingested", *["duplicate"] * (len(names) - 1)]
    assert len(rows(home, "from activities")) == 1
    assert len(rows(home, "from exports")) == len({first, second})
    assert files_in(home.inbox) == []
    assert all(
        one.reason and one.reason.startswith("The same bytes were taken in before") for one in taken[1:]
    )


def test_doing_it_all_twice_changes_nothing(home: Home, settings: Settings) -> None:
    """No table, no samples, no archive, no quarantine but the time of the refusal."""
    contents = {
        "run.fit": fit(),
        "run.gpx.gz": gzip.compress(gpx()),
        "tom/run.fit": fit(),
        "pain.csv": PAIN,
        "strength.csv": STRENGTH,
        "garbage.fit": GARBAGE,
        "photo.jpg": b"\xff\xd8",
    }
    folders = (home.archive, home.samples, home.quarantine)

    states = []
    for _ in range(2):
        for name, content in contents.items():
            drop(home, name, content)
        take(home, settings)
        kept = {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}
        states.append((facts(home), kept))

    assert states[0] == states[1]
    assert len(states[0][0]["exports"]) == len(contents)


def test_both_athletes_keep_their_copy_of_one_file(home: Home, settings: Settings) -> None:
    """They ran side by side, or one lent the other the watch: neither is a duplicate."""
    drop(home, "tom/run.fit", fit())
    drop(home, "run.fit", fit())

    outcomes = [one.outcome for one in take(home, settings)]

    assert outcomes == ["ingested", "ingested"]
    found = rows(home, "select athlete, activity_id, duplicate_of from activities order by athlete")
    assert [row["athlete"] for row in found] == ["mara", "tom"]
    assert [row["duplicate_of"] for row in found] == [None, None]
    assert len({row["activity_id"] for row in found}) == 2


@pytest.mark.parametrize("names", [("a.fit", "b.gpx"), ("b.fit", "a.gpx")])
@pytest.mark.parametrize("at_once", [True, False])
def test_fit_and_gpx_of_one_run_are_one_canonical_record(
    names: tuple[str, str], home: Home, settings: Settings, *, at_once: bool
) -> None:
    """The FIT file knows more, in whatever order they come."""
    for name in sorted(names):
        drop(home, name, fit() if name.endswith(".fit") else gpx())
        if not at_once:
            take(home, settings)
    take(home, settings)

    [run] = rows(home, "select format, activity_id from runs join exports using (export_id)")
    doubles = rows(home, "select duplicate_of from activities where duplicate_of is not null")
    assert run["format"] == "fit"
    assert doubles == [{"duplicate_of": run["activity_id"]}]


@pytest.mark.parametrize(("zone", "hour", "days"), [("Pacific/Honolulu", 8, -1), ("Pacific/Auckland", 20, 1)])
def test_a_late_file_does_not_part_a_pair_over_two_days(
    zone: str, hour: int, days: int, home: Home, settings: Settings
) -> None:
    """On a treadmill abroad, the FIT file has the local day and the GPX that of home; a run of days before or after comes late."""
    home.settings_file.write_text(TOML.replace("Europe/Berlin", zone))
    settings = read_settings(home)
    drop(home, "pair.fit", fit(DAY, hour))
    drop(home, "pair.gpx", without_positions(gpx(DAY, hour)))
    take(home, settings)
    pair = (
        "select local_date, duplicate_of is null as counts from activities join exports using (export_id) "
        "where file_name like 'pair%' order by counts"
    )
    before = rows(home, pair)

    drop(home, "late.fit", fit(DAY + 3 * timedelta(days=days), hour))
    take(home, settings)

    assert before == [
        {"local_date": DAY + timedelta(days=days), "counts": False},
        {"local_date": DAY, "counts": True},
    ]
    assert rows(home, pair) == before


# Refused -------------------------------------------------------------------------------------------------


def test_a_refused_file_is_set_aside_with_its_reason(home: Home, settings: Settings) -> None:
    """Byte for byte, and it does not stay in the archive."""
    drop(home, "2026/garbage.fit", GARBAGE)

    taken = the_one(take(home, settings))

    assert (home.quarantine / "2026" / "garbage.fit").read_bytes() == GARBAGE
    assert json.loads((home.quarantine / "2026" / "garbage.fit.reason.json").read_text()) == {
        "error": "refused",
        "reason": taken.reason,
        "when": CLOCK.now.isoformat(),
        "version": "2",
        "athlete": "mara",
        "file_name": "2026/garbage.fit",
        "export_id": sha256(GARBAGE),
    }
    assert files_in(home.archive) == []


def test_a_broken_file_stops_nobody(home: Home, settings: Settings) -> None:
    """Those before and behind it are taken in."""
    drop(home, "a.fit", fit())
    drop(home, "b.fit", GARBAGE)
    drop(home, "c.gpx", b"<gpx")
    drop(home, "d.fit.gz", b"\x1f\x8b broken")
    drop(home, "e.fit", fit(DAY + timedelta(days=2)))

    outcomes = {one.file_name: one.outcome for one in take(home, settings)}

    assert outcomes == {
        "a.fit": "ingested",
        "b.fit": "quarantined",
        "c.gpx": "quarantined",
        "d.fit.gz": "quarantined",
        "e.fit": "ingested",
    }
    assert files_in(home.inbox) == []


def test_a_namesake_in_quarantine_is_not_overwritten(home: Home, settings: Settings) -> None:
    """Each keeps its content and its reason; the same file twice is there once."""
    contents = [GARBAGE, GARBAGE[:5000], GARBAGE[:6000], GARBAGE]

    for content in contents:
        drop(home, "garbage.fit", content)
        take(home, settings)

    kept = [home.quarantine / name for name in files_in(home.quarantine)]
    originals = [path for path in kept if path.suffix == ".fit"]
    assert {path.read_bytes() for path in originals} == set(contents)
    assert len(originals) == 3
    assert all(path.with_name(f"{path.name}.reason.json") in kept for path in originals)


def test_the_same_broken_bytes_under_two_names_are_both_refused(home: Home, settings: Settings) -> None:
    """Also in one batch: no file stays behind without a word."""
    drop(home, "a.fit", GARBAGE)
    drop(home, "b.fit", GARBAGE)

    taken = take(home, settings)

    assert [(one.file_name, one.outcome) for one in taken] == [
        ("a.fit", "quarantined"),
        ("b.fit", "quarantined"),
    ]
    assert len(rows(home, "from exports")) == 2
    assert files_in(home.inbox) == files_in(home.archive) == []


def test_many_empty_files_are_all_refused(home: Home, settings: Settings) -> None:
    """As a bad card leaves them; the same bytes are read once."""
    for place in range(40):
        drop(home, f"{place}.fit", b"")
    drop(home, "tom/run.fit", fit())

    outcomes = [one.outcome for one in take(home, settings)]

    assert sorted(outcomes) == ["ingested", *["quarantined"] * 40]
    assert files_in(home.inbox) == []


def test_the_same_broken_bytes_of_two_athletes_are_both_refused(home: Home, settings: Settings) -> None:
    """Neither takes the other's original away."""
    drop(home, "a.fit", GARBAGE)
    drop(home, "tom/b.fit", GARBAGE)

    taken = take(home, settings)

    assert [(one.athlete, one.outcome) for one in taken] == [
        ("mara", "quarantined"),
        ("tom", "quarantined"),
    ]
    assert files_in(home.inbox) == files_in(home.archive) == []


def test_a_file_that_is_too_large_is_kept_whole(home: Home, settings: Settings) -> None:
    """Not only the part that was looked at."""
    large = fit() + bytes(2**20) + b"the end"
    drop(home, "large.fit", large)

    taken = the_one(take(home, settings))

    assert taken.reason == "This file is larger than 1 MiB (limits.max_file_mib)."
    assert (home.quarantine / "large.fit").read_bytes() == large
    assert taken.export_id == sha256(large)
    assert files_in(home.inbox) == []


def test_a_damaged_gz_is_kept_as_it_came(home: Home, settings: Settings) -> None:
    """Somebody may know how to mend it."""
    damaged = gzip.compress(fit())[:-20]
    drop(home, "run.fit.gz", damaged)

    take(home, settings)

    assert (home.quarantine / "run.fit.gz").read_bytes() == damaged


@pytest.mark.parametrize("name", ["n" * 251 + ".fit", "ü" * 125 + ".fit", "a." + "b" * 240])
def test_a_name_as_long_as_can_be_stops_nobody(name: str, home: Home, settings: Settings) -> None:
    """There is room for the reason beside it."""
    drop(home, name, fit_writer.header(100))
    drop(home, "run.fit", fit())

    outcomes = {one.file_name: one.outcome for one in take(home, settings)}

    assert outcomes == {name: "quarantined", "run.fit": "ingested"}
    assert len(files_in(home.quarantine)) == 2


def test_a_name_that_is_no_text_stops_nobody(home: Home, settings: Settings) -> None:
    """It is written down with question marks."""
    drop(home, os.fsdecode(b"gar\xffbage.fit"), GARBAGE)
    drop(home, os.fsdecode(b"r\xfcn.fit"), fit())

    outcomes = {one.file_name: one.outcome for one in take(home, settings)}

    assert outcomes == {"gar?bage.fit": "quarantined", "r?n.fit": "ingested"}
    assert files_in(home.inbox) == []


def test_a_refusal_leaves_the_archive_of_others_alone(home: Home, settings: Settings) -> None:
    """The coach's log was taken in while Tom had an account; later the same bytes are refused."""
    log = b"date,athlete,side,during\n2026-07-02,tom,right,3\n"
    drop(home, "pain.csv", log)
    take(home, settings)
    home.settings_file.write_text(TOML.replace("athletes.tom", "athletes.ann"))
    drop(home, "ann/pain.csv", log)

    taken = the_one(take(home, read_settings(home)))

    assert (taken.athlete, taken.outcome) == ("ann", "quarantined")
    assert files_in(home.archive) == [f"{sha256(log)[:2]}/{sha256(log)}.csv"]


# While it is being done ----------------------------------------------------------------------------------


def test_a_file_replaced_before_it_is_read_waits(home: Home, settings: Settings) -> None:
    """It may still be growing; the next batch takes it in."""
    drop(home, "run.fit", fit())
    athletes = frozenset(settings.athletes)
    dropped = dropped_files(home, athletes=athletes, default_athlete="mara")
    newcomer = fit(DAY + timedelta(days=2))
    drop(home, "newcomer.tmp", newcomer).replace(home.inbox / "run.fit")

    with opened_store(home) as con:
        taken = list(intake.take_in(con, home, settings, dropped, now=CLOCK.now))

    assert taken == []
    assert (home.inbox / "run.fit").read_bytes() == newcomer
    assert rows(home, "from exports") == []


def test_a_file_replaced_after_it_was_read_stays(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read is taken in, what came instead is taken in next time."""
    monkeypatch.setattr(intake, "FILES_PER_WRITE", 1)
    first, second, newcomer = (fit(DAY + timedelta(days=days)) for days in (0, 2, 4))
    drop(home, "a.fit", first)
    drop(home, "b.fit", second)
    athletes = frozenset(settings.athletes)
    dropped = dropped_files(home, athletes=athletes, default_athlete="mara")

    with opened_store(home) as con:
        batch = intake.take_in(con, home, settings, dropped, now=CLOCK.now)
        next(batch)
        drop(home, "newcomer.tmp", newcomer).replace(home.inbox / "b.fit")
        list(batch)

    assert (home.inbox / "b.fit").read_bytes() == newcomer
    assert {row["export_id"] for row in rows(home, "from exports")} == {sha256(first), sha256(second)}
    assert the_one(take(home, settings)).outcome == "ingested"
    assert files_in(home.inbox) == []


def test_a_batch_cut_short_is_finished_by_the_next(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written is done, what was not is still in the inbox."""
    monkeypatch.setattr(intake, "FILES_PER_WRITE", 1)
    for place in range(3):
        drop(home, f"{place}.fit", fit(DAY + timedelta(days=place * 2)))
    athletes = frozenset(settings.athletes)
    dropped = dropped_files(home, athletes=athletes, default_athlete="mara")

    with opened_store(home) as con:
        batch = intake.take_in(con, home, settings, dropped, now=CLOCK.now)
        next(batch)
    left = files_in(home.inbox)
    outcomes = [one.outcome for one in take(home, settings)]

    assert left == ["1.fit", "2.fit"]
    assert outcomes == ["ingested", "ingested"]
    assert len(rows(home, "from runs")) == 3


# Logs ----------------------------------------------------------------------------------------------------


def test_wrong_lines_of_a_log_are_named_and_the_right_ones_kept(home: Home, settings: Settings) -> None:
    """Partly taken in; columns nobody knows are named as well."""
    log = b"date,side,during,mood\n2026-07-01,left,3,fine\n2026-07-02,left,12,\n2026-07-03,middle,1,\n2026-07-04,right,0,\n"
    drop(home, "pain.csv", log)

    taken = the_one(take(home, settings))

    assert (taken.outcome, taken.activities) == ("partly_ingested", 2)
    assert taken.reason is not None
    assert taken.reason.startswith("line 3: during is 12;")
    assert "line 4: side is 'middle';" in taken.reason
    assert taken.reason.endswith("Ignored columns: mood.")
    found = rows(home, "select local_date, side, during, source from pain_reports order by local_date")
    assert found == [
        {"local_date": date(2026, 7, 1), "side": "left", "during": 3.0, "source": "pain.csv"},
        {"local_date": date(2026, 7, 4), "side": "right", "during": 0.0, "source": "pain.csv"},
    ]


def test_a_later_log_completes_and_corrects_an_earlier_report(home: Home, settings: Settings) -> None:
    """What it leaves open stays; other reports are not touched."""
    drop(
        home,
        "pain.csv",
        b"date,time,side,during,note\n2026-07-02,20:00,right,3,stairs\n2026-07-02,20:00,left,1,\n",
    )
    take(home, settings)
    drop(
        home,
        "pain.csv",
        b"date,time,side,during,next_morning,flags\n2026-07-02,20:00,right,4,2,swelling\n",
    )

    taken = the_one(take(home, settings))

    assert taken.outcome == "ingested"
    found = rows(home, "select side, during, next_morning, flags, note from pain_reports order by side")
    assert found == [
        {"side": "left", "during": 1.0, "next_morning": None, "flags": [], "note": None},
        {"side": "right", "during": 4.0, "next_morning": 2.0, "flags": ["swelling"], "note": "stairs"},
    ]


def test_a_log_may_speak_of_several_athletes(home: Home, settings: Settings) -> None:
    """Each report is made in its athlete's zone; nobody else's is taken."""
    log = b"date,time,athlete,side,during\n2026-07-02,20:00,tom,left,3\n2026-07-02,20:00,,left,2\n2026-07-02,20:00,eve,left,1\n"
    drop(home, "pain.csv", log)

    taken = the_one(take(home, settings))

    assert taken.outcome == "partly_ingested"
    assert rows(home, "select athlete, reported_at from pain_reports order by athlete") == [
        {"athlete": "mara", "reported_at": datetime(2026, 7, 2, 18, tzinfo=UTC)},
        {"athlete": "tom", "reported_at": datetime(2026, 7, 3, 0, tzinfo=UTC)},
    ]


def test_pain_of_a_day_to_come_is_refused(home: Home, settings: Settings) -> None:
    """Nobody knows it yet."""
    drop(home, "pain.csv", b"date,side,during\n2026-10-06,left,3\n")

    assert the_one(take(home, settings)).outcome == "quarantined"


def test_a_strength_log_gives_a_session_a_day(home: Home, settings: Settings) -> None:
    """With all its exercises; a corrected one takes the place of the earlier."""
    drop(home, "strength.csv", STRENGTH)
    take(home, settings)
    drop(home, "strength.csv", STRENGTH.replace(b"40", b"45"))

    take(home, settings)

    [session] = rows(home, "from strength_sessions")
    assert (session["athlete"], session["local_date"], session["rpe"]) == ("mara", date(2026, 7, 1), 6.0)
    assert session["exercises"] == [
        {"name": "squats", "sets": 3, "reps": 8, "load_kg": 45.0},
        {"name": "calf raises", "sets": 3, "reps": 15, "load_kg": None},
    ]


# Once more -----------------------------------------------------------------------------------------------


def test_what_is_readable_now_leaves_the_quarantine(home: Home, settings: Settings) -> None:
    """A run of a year to come is refused until that year is there; then one row says that it was taken in."""
    future = date(2030, 7, 4)
    drop(home, "tom/run.fit", fit(future))
    refused = the_one(take(home, settings))
    later = Clock(datetime(2030, 7, 5, tzinfo=UTC), date(2030, 7, 5))

    taken = the_one(retry(home, settings, later))

    assert (refused.outcome, taken.outcome) == ("quarantined", "ingested")
    assert files_in(home.quarantine) == []
    assert rows(home, "select athlete, file_name, outcome from exports") == [
        {"athlete": "tom", "file_name": "run.fit", "outcome": "ingested"}
    ]
    assert rows(home, "select local_date from runs") == [{"local_date": future}]


def test_what_is_still_unreadable_stays_in_quarantine(home: Home, settings: Settings) -> None:
    """Namesakes as well, each with its reason, and in one row each."""
    for content in (GARBAGE, GARBAGE[:5000]):
        drop(home, "garbage.fit", content)
        take(home, settings)
    before, kept = facts(home), files_in(home.quarantine)

    taken = retry(home, settings, CLOCK)

    assert [one.outcome for one in taken] == ["quarantined", "quarantined"]
    assert files_in(home.quarantine) == kept
    assert facts(home) == before


def test_a_packed_log_can_be_retried(home: Home, settings: Settings) -> None:
    """It is set aside unpacked under its packed name, and is still a log."""
    drop(home, "pain.csv.gz", gzip.compress(b"date,athlete,side,during\n2026-07-02,ann,left,3\n"))
    take(home, settings)
    home.settings_file.write_text(TOML.replace("athletes.tom", "athletes.ann"))

    taken = the_one(retry(home, read_settings(home), CLOCK))

    assert taken.outcome == "ingested"
    assert rows(home, "select athlete from pain_reports") == [{"athlete": "ann"}]
    assert files_in(home.quarantine) == []


def test_what_belongs_to_nobody_any_more_stays_in_quarantine(home: Home, settings: Settings) -> None:
    """Tom was taken out of the settings; the files of others are retried all the same."""
    future = date(2030, 7, 4)
    drop(home, "tom/run.fit", fit(future))
    drop(home, "zoe.fit", fit(future))
    take(home, settings)
    home.settings_file.write_text(TOML.replace("athletes.tom", "athletes.ann"))
    later = Clock(datetime(2030, 7, 5, tzinfo=UTC), date(2030, 7, 5))

    taken = {one.athlete: one for one in retry(home, read_settings(home), later)}

    assert {name: one.outcome for name, one in taken.items()} == {"tom": "quarantined", "mara": "ingested"}
    assert taken["tom"].reason == "There is no athlete tom in kneewatch.toml."


def test_an_empty_quarantine_has_nothing_to_retry(home: Home, settings: Settings) -> None:
    """No file, no outcome."""
    assert retry(home, settings, CLOCK) == []


def test_a_report_given_by_hand_is_written_once(home: Home) -> None:
    """The same report saved twice is one; what the second leaves open stays."""
    from_hand = PainReport(
        report_id="r" * 64,
        athlete="mara",
        reported_at=CLOCK.now,
        local_date=CLOCK.today,
        side="left",
        before=1.0,
        source="cli",
    )

    with opened_store(home) as con:
        save_pain_reports(con, [from_hand], now=CLOCK.now)
        save_pain_reports(con, [replace(from_hand, before=None, during=2.0)], now=CLOCK.now)

    [report] = rows(home, "from pain_reports")
    assert (report["before"], report["during"], report["flags"]) == (1.0, 2.0, [])
