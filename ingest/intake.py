"""One batch of files from the inbox to the store: known? archived, unpacked, decoded, recorded, and only then gone."""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from ingest.containers import NO_WORDS, Inventory, Member, inventory_of, members_of
from ingest.errors import IngestError, NotAnActivityError
from ingest.inbox import Dropped, given_files, is_still_the_same
from ingest.jobs import READER_VERSION, Job, Read, Ready, Tables
from ingest.log_json import read_log_json
from ingest.logs import (
    Exercise,
    LogError,
    LogResult,
    PainReport,
    StrengthSession,
    decode_text,
    read_pain_csv,
    read_strength_csv,
    together,
)
from ingest.pain_log import keep_notes, save_pain_reports
from ingest.platforms import Words
from ingest.recording import NOTHING_TOLD, Told
from ingest.settle import settle
from ingest.unpack import ZIP_MAGIC, format_of, unpack
from ingest.workers import limits_of, read_all, read_words
from store.archive import archive_file, archive_original, quarantine_original, sha256_of
from store.database import frame, insert_rows, scalar, transaction
from store.files import sync_folder
from store.home import Home
from store.samples import write_samples
from store.settings import Settings

LOG_FORMATS = ("pain_csv", "strength_csv", "log_json")
KNOWN_OUTCOMES = ("ingested", "partly_ingested", "ignored")
SAME_START_S = (0, 1, -1, 2, -2)
UNKNOWN_KIND = "Not a watch export, a pain log or a strength log that Kneewatch knows."
MOST_REFUSED = 250
"""Exports of one archive: garbage by the ten thousand would take hours and fill the quarantine."""
GAVE_UP = f"After {MOST_REFUSED} refused exports nothing more of it was looked at; drop the good ones apart from it."
MOST_LOG_BYTES = 2**20
"""Ten years of two reports a day; logs are read beside the store, and each wrong line is a sentence."""
LOG_TOO_LARGE = f"This log is larger than {MOST_LOG_BYTES // 2**20} MiB; split it."
MOST_SENTENCES = 20
"""About the lines of one log."""
MOST_NAMES_LETTERS = 1_000
FILES_PER_WRITE = 64
WRITE_EVERY_S = 1.0
"""A transaction costs as much as reading a file, so that several files share one; nobody waits long for it."""

_Key = tuple[str, str]
"""Athlete and hash of the bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of one file; the fields are columns of table `exports`."""

    parent_id: str | None = None
    file_name: str
    athlete: str
    export_id: str
    format: str | None
    size_bytes: int
    outcome: str
    reason: str | None = None
    activities: int = 0


@dataclass(frozen=True, slots=True)
class _Pending:
    """A file that is archived and waits for its reader."""

    dropped: Dropped
    taken: Taken
    path: Path
    told: Told = NOTHING_TOLD
    told_at: Mapping[int, Told] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a file, to be written: its row of `exports`, what was in it, and where it lies if it was refused."""

    dropped: Dropped
    taken: Taken
    refused: Path | None = None
    activities: Sequence[Ready] = ()
    log: Sequence[PainReport | StrengthSession] = ()


@dataclass(frozen=True, slots=True)
class _Archive:
    """A zip archive whose members have been looked at, and what cannot be had of it, in sentences."""

    dropped: Dropped
    taken: Taken
    inventory: Inventory
    missing: list[str]


def take_in(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    settings: Settings,
    dropped: Sequence[Dropped],
    *,
    now: datetime,
    reads_notes: bool = True,
) -> Iterator[Taken]:
    """
    Take the files in, some dozens in a transaction, and yield what became of each.

    A file leaves the inbox only after the store has it, and only if it is still the file that was read. One
    that is refused is set aside with its reason and stops nobody else. Doing it again changes nothing. `reads_notes`
    says whether to look for pain in titles and notes.
    """
    intake = _Intake(con, home, settings, now, reads_notes=reads_notes)
    for job, result in read_all(intake.jobs(dropped), limits_of(settings)):
        intake.keep(job, result)
        if intake.has_enough():
            yield from intake.write()
    yield from intake.write()
    for archive in intake.archives:
        intake.close_archive(archive)
    yield from intake.write()


def read_again(con: duckdb.DuckDBPyConnection, home: Home, settings: Settings) -> list[Taken]:
    """
    Read every archived original again, each as of the time when it was first seen, and return what became of it.

    Logs of pain and strength, and notes of pain, are left as they are: what they say may have been corrected since.
    """
    seen = frame(
        con,
        "select * from exports where parent_id is null and outcome in ('ingested', 'partly_ingested', 'ignored') "
        "and (format is null or not list_contains($logs, format)) order by seen_at, file_name",
        logs=list(LOG_FORMATS),
    ).to_dicts()
    batches: dict[datetime, list[Dropped]] = {}
    for row in seen:
        for path in (home.archive / row["export_id"][:2]).glob(f"{row['export_id']}.*"):
            (given,) = given_files([path], default_athlete=row["athlete"])
            batches.setdefault(row["seen_at"], []).append(replace(given, file_name=row["file_name"]))
            _forget(con, row["athlete"], row["export_id"])
    if not seen:
        return []
    taken: list[Taken] = []
    for seen_at, dropped in batches.items():
        taken += take_in(con, home, settings, dropped, now=seen_at, reads_notes=False)
    # The archive holds a .gz unpacked; how large it was when it was dropped is only known from before.
    con.executemany(
        "update exports set size_bytes = ? where athlete = ? and export_id = ? and file_name = ?",
        [[row["size_bytes"], row["athlete"], row["export_id"], row["file_name"]] for row in seen],
    )
    return taken


def _forget(con: duckdb.DuckDBPyConnection, athlete: str, export_id: str) -> None:
    """Take out what came of an export, and of its members; decisions about its activities are kept by their ids."""
    exports = "select export_id from exports where athlete = ? and (export_id = ? or parent_id = ?) and outcome <> 'duplicate'"
    ids = [row[0] for row in con.execute(exports, [athlete, export_id, export_id]).fetchall()]
    with transaction(con):
        for table in ("laps", "outlines"):
            con.execute(
                f"delete from {table} where activity_id in (select activity_id from activities "
                "where athlete = ? and list_contains(?, export_id))",
                [athlete, ids],
            )
        con.execute(
            "delete from activities where athlete = ? and list_contains(?, export_id)", [athlete, ids]
        )
        con.execute(
            "delete from exports where athlete = ? and list_contains(?, export_id) and outcome <> 'duplicate'",
            [athlete, ids],
        )


class _Intake:
    """One batch: the open store, the home, the settings, the time, and what is known of the files so far."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        home: Home,
        settings: Settings,
        now: datetime,
        *,
        reads_notes: bool,
    ) -> None:
        self.con = con
        self.home = home
        self.settings = settings
        self.now = now
        self.reads_notes = reads_notes
        self.archives: list[_Archive] = []
        self.max_bytes = settings.limits.max_file_mib * 2**20
        self._unwritten: list[_Outcome] = []
        self._unwritten_since = 0.0
        self._vain_of: Counter[str | None] = Counter()
        """How many exports of an archive were refused, or wait behind one with the same bytes that is being read."""
        self._waiting: dict[_Key, list[_Pending]] = {}
        """Files that are being read, each with those of the same athlete that have the same bytes."""
        self._known: dict[_Key, str] = {}
        """Names of the files of this batch that need not be looked at twice, by athlete and bytes."""

    def jobs(self, dropped: Sequence[Dropped]) -> Iterator[Job]:
        """Yield the files that must be read; of all others note what becomes of them."""
        for ready in chain.from_iterable(map(self.look_at, dropped)):
            key = ready.taken.athlete, ready.taken.export_id
            if key in self._waiting:
                self._waiting[key].append(ready)
                self._vain_of[ready.taken.parent_id] += 1
            elif athlete := self.settings.athletes.get(ready.taken.athlete):
                self._waiting[key] = [ready]
                yield Job(
                    path=ready.path,
                    format=str(ready.taken.format),
                    athlete=ready.taken.athlete,
                    export_id=ready.taken.export_id,
                    time_zone=athlete.time_zone,
                    now=self.now,
                    told=ready.told,
                )
            else:
                nobody = f"There is no athlete {ready.taken.athlete} in kneewatch.toml."
                self._refuse(ready.dropped, ready.taken, ready.path, nobody)

    # From the inbox to the archive ---------------------------------------------------------------------

    def look_at(self, dropped: Dropped) -> Iterator[_Pending]:
        """Yield the file, or what is in it, archived and ready to be read; if it need not be, note what became of it."""
        try:
            yield from self._look_at(dropped)
        except FileNotFoundError as error:
            if error.filename != str(dropped.path):
                raise
            # It vanished while we looked: nothing was lost, and there is nothing to say.

    def _look_at(self, dropped: Dropped) -> Iterator[_Pending]:
        if _read(dropped.path, len(ZIP_MAGIC)) == ZIP_MAGIC:
            yield from self._look_into(dropped)
            return
        content = _read(dropped.path, self.max_bytes + 1)
        if content is None or not is_still_the_same(dropped):
            return  # it changed or vanished: the next batch will see to it
        try:
            unpacked = unpack(content, dropped.file_name, max_bytes=self.max_bytes)
        except IngestError as refusal:
            taken = _taken(dropped, sha256_of(dropped.path), None)
            self._refuse(dropped, taken, dropped.path, str(refusal))
            return
        export_id = hashlib.sha256(unpacked.content).hexdigest()
        taken = _taken(dropped, export_id, format_of(unpacked.content, unpacked.name))
        if ready := self._judge(dropped, taken, unpacked.content, unpacked.name):
            yield ready

    def _look_into(self, dropped: Dropped) -> Iterator[_Pending]:
        """Yield the exports in a zip archive; the archive itself waits for their outcomes."""
        taken = _taken(dropped, sha256_of(dropped.path), "zip")
        if known_as := self._known_as(taken):
            self._repeat(dropped, taken, known_as)
            return
        path = archive_file(self.home, dropped.path, export_id=taken.export_id, suffix=".zip")
        try:
            with path.open("rb") as file:
                archive = _Archive(dropped, taken, inventory_of(file, self.settings.limits), [])
                words = self._words(path, archive) if archive.inventory.has_tables else NO_WORDS
                for member in members_of(file, self.settings.limits, words):
                    if ready := self._look_at_member(dropped, taken, member):
                        yield ready
                    del member  # or its content would be held while the next one is read
                    if self._vain_of[taken.export_id] >= MOST_REFUSED:
                        archive.missing.append(GAVE_UP)
                        break
        except IngestError as refusal:
            self._refuse(dropped, taken, path, str(refusal))
        else:
            self.archives.append(archive)

    def _words(self, path: Path, archive: _Archive) -> Words:
        """Return what the platform's tables say; why they cannot be read is noted with the archive."""
        tables = Tables(path, self.settings.limits.max_archive_entries)
        words = read_words(tables, limits_of(self.settings))
        if isinstance(words, IngestError):
            archive.missing.append(f"What the platform's table says could not be read: {words}")
            return NO_WORDS
        return words

    def _look_at_member(self, dropped: Dropped, archive: Taken, member: Member) -> _Pending | None:
        inside = replace(dropped, file_name=f"{dropped.file_name}/{member.name}", is_inbox=False)
        if isinstance(member.content, str):
            no_bytes = hashlib.sha256(f"{archive.export_id}/{member.name}".encode()).hexdigest()
            taken = replace(
                _taken(inside, no_bytes, None), parent_id=archive.export_id, reason=member.content
            )
            self._vain_of[archive.export_id] += 1
            self._note(_Outcome(inside, taken))
            return None
        taken = replace(_taken(inside, "", None), parent_id=archive.export_id, size_bytes=len(member.content))
        try:
            unpacked = unpack(member.content, member.name, max_bytes=self.max_bytes)
        except IngestError as refusal:
            export_id = hashlib.sha256(member.content).hexdigest()
            path = archive_original(self.home, member.content, export_id=export_id, suffix=".gz")
            self._refuse(inside, replace(taken, export_id=export_id), path, str(refusal))
            return None
        taken = replace(
            taken,
            export_id=hashlib.sha256(unpacked.content).hexdigest(),
            format=format_of(unpacked.content, unpacked.name),
        )
        ready = self._judge(inside, taken, unpacked.content, unpacked.name)
        return replace(ready, told=member.told, told_at=member.told_at) if ready else None

    def _judge(self, dropped: Dropped, taken: Taken, content: bytes, name: str) -> _Pending | None:
        if known_as := self._known_as(taken):
            self._repeat(dropped, taken, known_as)
            return None
        suffix = Path(name).suffix.lower()[:16]
        if taken.format is None and not dropped.is_inbox:
            self._ignore(dropped, taken, UNKNOWN_KIND)
            return None
        path = archive_original(self.home, content, export_id=taken.export_id, suffix=suffix)
        if taken.format is None:
            self._ignore(dropped, taken, UNKNOWN_KIND)
        elif taken.format in LOG_FORMATS and len(content) > MOST_LOG_BYTES:
            self._refuse(dropped, taken, path, LOG_TOO_LARGE)
        elif taken.format in LOG_FORMATS:
            self._keep_log(dropped, taken, path, decode_text(content))
        else:
            return _Pending(dropped, taken, path)
        return None

    def _known_as(self, taken: Taken) -> str | None:
        """Return the name under which these bytes were taken in or ignored before."""
        if name := self._known.get((taken.athlete, taken.export_id)):
            return name
        told: str | None = scalar(
            self.con,
            "select file_name from exports where athlete = $athlete and export_id = $export_id "
            "and list_contains($outcomes, outcome) order by seen_at limit 1",
            athlete=taken.athlete,
            export_id=taken.export_id,
            outcomes=list(KNOWN_OUTCOMES),
        )
        return told

    # What becomes of it --------------------------------------------------------------------------------

    def keep(self, job: Job, result: Read | IngestError) -> None:
        """Note what a reader made of an archived file, and of those that have the same bytes."""
        first, *others = self._waiting.pop((job.athlete, job.export_id))
        self._keep(first, result)
        for other in others:
            if known_as := self._known_as(other.taken):
                self._repeat(other.dropped, other.taken, known_as)
            else:
                self._keep(other, result)

    def _keep(self, ready: _Pending, result: Read | IngestError) -> None:
        if isinstance(result, NotAnActivityError):
            self._ignore(ready.dropped, ready.taken, str(result))
        elif isinstance(result, IngestError):
            self._refuse(ready.dropped, ready.taken, ready.path, str(result))
        else:
            taken = replace(
                ready.taken,
                outcome="partly_ingested" if result.missing else "ingested",
                reason=result.missing,
                activities=len(result.activities),
            )
            for activity in result.activities:
                _add_words(activity.row, ready.told_at)
            self._note(_Outcome(ready.dropped, taken, activities=result.activities))

    def _keep_log(self, dropped: Dropped, taken: Taken, path: Path, text: str) -> None:
        """Take in a pain or strength log: wrong lines are named, the right ones kept."""
        try:
            result = self._read_log(taken, text)
        except LogError as refusal:
            self._refuse(dropped, taken, path, str(refusal))
            return
        problems = [str(problem) for problem in result.problems]
        if result.unknown_columns:
            problems.append(f"Ignored columns: {', '.join(result.unknown_columns)[:MOST_NAMES_LETTERS]}.")
        if result.problems and not result.rows:
            self._refuse(dropped, taken, path, _some_of(problems))
            return
        outcome = "partly_ingested" if result.problems else "ingested"
        taken = replace(
            taken, outcome=outcome, reason=_some_of(problems) or None, activities=len(result.rows)
        )
        self._note(_Outcome(dropped, taken, log=result.rows))

    def _read_log(self, taken: Taken, text: str) -> LogResult[Any]:
        athletes = self.settings.athletes
        latest = self.now.date() + timedelta(days=1)
        if taken.format == "strength_csv":
            return read_strength_csv(
                text, default_athlete=taken.athlete, known_athletes=frozenset(athletes), latest=latest
            )
        read = read_log_json if taken.format == "log_json" else read_pain_csv
        return read(
            text,
            source=taken.file_name,
            default_athlete=taken.athlete,
            zone_of=lambda athlete: ZoneInfo(athletes[athlete].time_zone),
            known_athletes=frozenset(athletes),
            latest=latest,
        )

    def close_archive(self, archive: _Archive) -> None:
        """Note what became of an archive as a whole, now that its members' outcomes are written."""
        outcomes = frame(
            self.con,
            "select outcome, sum(activities)::integer as activities, count(*)::integer as files from exports "
            "where athlete = $athlete and parent_id = $export_id group by outcome",
            athlete=archive.taken.athlete,
            export_id=archive.taken.export_id,
        )
        files = dict(outcomes.select("outcome", "files").iter_rows())
        total, refused = sum(files.values()), files.get("quarantined", 0)
        counts = (
            f"{total} exports, {refused} of them refused; {archive.inventory.others} other files left alone."
        )
        reason = " ".join([counts, *archive.missing])
        outcome = "partly_ingested" if refused or archive.missing else "ingested" if total else "ignored"
        taken = replace(
            archive.taken, outcome=outcome, reason=reason, activities=int(outcomes["activities"].sum())
        )
        self._note(_Outcome(archive.dropped, taken))

    def _repeat(self, dropped: Dropped, taken: Taken, known_as: str) -> None:
        same_name = known_as == taken.file_name
        reason = (
            "The same bytes were taken in before."
            if same_name
            else f"The same bytes were taken in before as {known_as}."
        )
        self._note(_Outcome(dropped, replace(taken, outcome="duplicate", reason=reason)))

    def _ignore(self, dropped: Dropped, taken: Taken, reason: str) -> None:
        self._note(_Outcome(dropped, replace(taken, outcome="ignored", reason=reason)))

    def _refuse(self, dropped: Dropped, taken: Taken, original: Path, reason: str) -> None:
        why = {
            "error": "refused",
            "reason": reason,
            "when": self.now.isoformat(),
            "version": READER_VERSION,
            "athlete": taken.athlete,
            "file_name": taken.file_name,
            "export_id": taken.export_id,
        }
        quarantine_original(
            self.home, original, file_name=taken.file_name, export_id=taken.export_id, reason=why
        )
        taken = replace(taken, outcome="quarantined", reason=reason)
        self._vain_of[taken.parent_id] += 1
        self._note(_Outcome(dropped, taken, refused=original if original != dropped.path else None))

    # Into the store ------------------------------------------------------------------------------------

    def _note(self, outcome: _Outcome) -> None:
        if not self._unwritten:
            self._unwritten_since = time.monotonic()
        self._unwritten.append(outcome)
        if outcome.taken.outcome in KNOWN_OUTCOMES:
            key = outcome.taken.athlete, outcome.taken.export_id
            self._known.setdefault(key, outcome.taken.file_name)

    def has_enough(self) -> bool:
        """Tell whether so much is unwritten, or for so long, that it is time to write it."""
        waited_s = time.monotonic() - self._unwritten_since
        return len(self._unwritten) >= FILES_PER_WRITE or (
            bool(self._unwritten) and waited_s >= WRITE_EVERY_S
        )

    def write(self) -> list[Taken]:
        """Write what was noted, samples first, then everything else at once; only then the files leave the inbox."""
        outcomes, self._unwritten = self._unwritten, []
        if not outcomes:
            return []
        found = [ready for outcome in outcomes for ready in outcome.activities]
        for ready in found:
            write_samples(
                self.home,
                ready.samples,
                athlete=str(ready.row["athlete"]),
                year=ready.year,
                activity_id=str(ready.row["activity_id"]),
            )
        with transaction(self.con):
            self._record([outcome.taken for outcome in outcomes])
            insert_rows(self.con, "activities", [ready.row for ready in found])
            insert_rows(self.con, "laps", [lap for ready in found for lap in ready.laps])
            insert_rows(self.con, "outlines", [ready.outline for ready in found])
            logged = list(chain.from_iterable(outcome.log for outcome in outcomes))
            save_pain_reports(self.con, [row for row in logged if isinstance(row, PainReport)], now=self.now)
            self._keep_notes(outcomes)
            save_strength(self.con, [row for row in logged if isinstance(row, StrengthSession)])
            self._settle(found)
        sync_folder(self.home.state)  # the log that DuckDB commits to may be a new file
        for outcome in outcomes:
            if outcome.refused is not None:
                self._tidy_archive(outcome.taken.export_id, outcome.refused)
            self._let_go(outcome.dropped)
        return [outcome.taken for outcome in outcomes]

    def _keep_notes(self, outcomes: Sequence[_Outcome]) -> None:
        """Look for pain in the words of the new activities."""
        if self.reads_notes:
            zones = {key: athlete.zone for key, athlete in self.settings.athletes.items()}
            noted = ((one.taken.file_name, ready.row) for one in outcomes for ready in one.activities)
            keep_notes(self.con, noted, zones=zones, now=self.now)

    def _settle(self, found: Sequence[Ready]) -> None:
        """Judge the new activities beside those around them."""
        days: dict[str, set[date]] = {}
        for ready in found:
            days.setdefault(str(ready.row["athlete"]), set()).add(ready.row["local_date"])  # type: ignore[arg-type]
        for athlete in days:
            settle(self.con, athlete, days=days[athlete])

    def _record(self, taken: Sequence[Taken]) -> None:
        """Write the rows of `exports`; a file of this name and content that was refused before is judged anew."""
        rows = [{**asdict(one), "seen_at": self.now, "reader_version": READER_VERSION} for one in taken]
        self.con.executemany(
            "delete from exports where athlete = ? and export_id = ? and file_name = ? and outcome = 'quarantined'",
            [[one.athlete, one.export_id, one.file_name] for one in taken],
        )
        insert_rows(self.con, "exports", rows, or_ignore=True)

    def _let_go(self, dropped: Dropped) -> None:
        """Take the file out of the inbox, unless somebody put another one in its place meanwhile."""
        if dropped.is_inbox and is_still_the_same(dropped):
            dropped.path.unlink(missing_ok=True)
            sync_folder(dropped.path.parent)

    def _tidy_archive(self, export_id: str, original: Path) -> None:
        """Take a refused original out of the archive, unless its bytes were taken in for somebody or are being read."""
        query = (
            "select count(*) from exports where export_id = $export_id and list_contains($outcomes, outcome)"
        )
        is_waiting = any(waiting == export_id for _, waiting in self._waiting)
        if not is_waiting and not scalar(self.con, query, export_id=export_id, outcomes=list(KNOWN_OUTCOMES)):
            original.unlink(missing_ok=True)


def add_strength(con: duckdb.DuckDBPyConnection, session: StrengthSession) -> StrengthSession:
    """Add to the strength session of that day what was done beside it, and return it as it is now."""
    earlier = frame(
        con,
        "select * from strength_sessions where session_id = $session_id",
        session_id=session.session_id,
    )
    for row in earlier.iter_rows(named=True):
        exercises = tuple(Exercise(**exercise) for exercise in row["exercises"])
        session = together(StrengthSession(**{**row, "exercises": exercises}), session)
    save_strength(con, [session])
    return session


def save_strength(con: duckdb.DuckDBPyConnection, sessions: Sequence[StrengthSession]) -> None:
    """Write strength sessions; the one of the same athlete and day gives way to a later one."""
    if not sessions:
        return
    last = {session.session_id: session for session in sessions}
    con.execute("delete from strength_sessions where session_id in (select unnest($ids))", {"ids": [*last]})
    rows = [
        {**asdict(session), "exercises": [asdict(exercise) for exercise in session.exercises]}
        for session in last.values()
    ]
    insert_rows(con, "strength_sessions", rows)


def _some_of(sentences: Sequence[str]) -> str:
    """Return the first sentences, and how many more there are."""
    more = len(sentences) - MOST_SENTENCES
    return " ".join([*sentences[:MOST_SENTENCES], *([f"And {more:,} more."] if more > 0 else [])])


def _add_words(row: dict[str, object], told_at: Mapping[int, Told]) -> None:
    """Add what an archive's table says of the activity that starts at that time, give or take a few seconds."""
    started_at = row["started_at"]
    assert isinstance(started_at, datetime)
    second = int(started_at.timestamp())
    nearest = (told_at[second + off] for off in SAME_START_S if second + off in told_at)
    if told := next(nearest, None):
        row["title"], row["description"] = row["title"] or told.title, row["description"] or told.description


def _taken(dropped: Dropped, export_id: str, format_name: str | None) -> Taken:
    return Taken(
        file_name=dropped.file_name,
        athlete=dropped.athlete,
        export_id=export_id,
        format=format_name,
        size_bytes=dropped.fingerprint[2],
        outcome="quarantined",
    )


def _read(path: Path, most_bytes: int) -> bytes | None:
    """Return the file's first bytes, so many at most; None when it cannot be read. Never follows a link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(most_bytes)
    except OSError:
        return None
