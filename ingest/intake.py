"""One batch of files from the inbox to the store: known? archived, unpacked, decoded, recorded, and only then gone."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from ingest.activity import Activity, activities_of
from ingest.containers import NOTHING_TOLD, Member, Told, inventory_of, members_of
from ingest.decode import READER_VERSION, decode_files
from ingest.duplicates import Candidate, find_duplicates
from ingest.errors import IngestError, NotAnActivityError
from ingest.inbox import Dropped, is_still_the_same
from ingest.logs import (
    LogError,
    LogResult,
    PainReport,
    StrengthSession,
    completed,
    decode_text,
    read_pain_csv,
    read_strength_csv,
)
from ingest.recording import Recording
from ingest.unpack import ZIP_MAGIC, format_of, unpack
from store.archive import archive_file, archive_original, quarantine_original, sha256_of
from store.database import frame, insert, insert_rows, scalar, transaction
from store.files import sync_folder
from store.home import Home
from store.samples import write_samples
from store.settings import Settings

LOG_FORMATS = ("pain_csv", "strength_csv")
KNOWN_OUTCOMES = ("ingested", "partly_ingested", "ignored")
NEIGHBOURS = timedelta(days=2)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """A file that is archived and waits for its reader."""

    dropped: Dropped
    taken: Taken
    path: Path
    told: Told = NOTHING_TOLD


@dataclass(frozen=True, slots=True)
class _Archive:
    """A zip archive whose members have been looked at; `others` counts the files in it that are no exports."""

    dropped: Dropped
    taken: Taken
    others: int


def take_in(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    settings: Settings,
    dropped: Sequence[Dropped],
    *,
    now: datetime,
) -> Iterator[Taken]:
    """
    Take the files in, each in a transaction of its own, and yield what became of it.

    A file leaves the inbox only after the store has it, and only if it is still the file that was read. One
    that is refused is set aside with its reason and stops nobody else. Doing it again changes nothing.
    """
    intake = _Intake(con, home, settings, now)
    pending: dict[tuple[str, str], list[_Pending]] = {}  # the same bytes are read once
    for ready in chain.from_iterable(map(intake.look_at, dropped)):
        if isinstance(ready, Taken):
            yield ready
        else:
            pending.setdefault((str(ready.taken.format), ready.taken.export_id), []).append(ready)
    files = [(format_name, same[0].path) for (format_name, _), same in pending.items()]
    for same, result in zip(pending.values(), decode_files(files), strict=True):
        for ready in same:
            yield intake.keep(ready, result)
        intake.tidy_archive(same[0].taken.export_id, [ready.path for ready in same])
    yield from map(intake.close_archive, intake.archives)


class _Intake:
    """What every step of one batch needs: the open store, the home, the settings and the time."""

    def __init__(self, con: duckdb.DuckDBPyConnection, home: Home, settings: Settings, now: datetime) -> None:
        self.con = con
        self.home = home
        self.settings = settings
        self.now = now
        self.archives: list[_Archive] = []
        self.max_bytes = settings.limits.max_file_mib * 2**20

    # From the inbox to the archive ---------------------------------------------------------------------

    def look_at(self, dropped: Dropped) -> Iterator[Taken | _Pending]:
        """Yield what became of the file, or it (or what is in it) archived and ready to be decoded."""
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
            yield self._refuse(dropped, taken, dropped.path, str(refusal))
            return
        export_id = hashlib.sha256(unpacked.content).hexdigest()
        taken = _taken(dropped, export_id, format_of(unpacked.content, unpacked.name))
        yield self._judge(dropped, taken, unpacked.content, unpacked.name)

    def _look_into(self, dropped: Dropped) -> Iterator[Taken | _Pending]:
        """Yield what becomes of the exports in a zip archive; the archive itself waits for their outcomes."""
        taken = _taken(dropped, sha256_of(dropped.path), "zip")
        if known_as := self._known_as(taken):
            yield self._repeat(dropped, taken, known_as)
            return
        path = archive_file(self.home, dropped.path, export_id=taken.export_id, suffix=".zip")
        try:
            with path.open("rb") as file:
                others = inventory_of(file).others
                for member in members_of(file, max_bytes=self.max_bytes):
                    yield self._look_at_member(dropped, taken, member)
        except IngestError as refusal:
            yield self._refuse_log(dropped, taken, path, str(refusal))
        else:
            self.archives.append(_Archive(dropped, taken, others))

    def _look_at_member(self, dropped: Dropped, archive: Taken, member: Member) -> Taken | _Pending:
        inside = replace(dropped, file_name=f"{dropped.file_name}/{member.name}", is_inbox=False)
        if isinstance(member.content, str):
            no_bytes = hashlib.sha256(f"{archive.export_id}/{member.name}".encode()).hexdigest()
            taken = replace(
                _taken(inside, no_bytes, None), parent_id=archive.export_id, reason=member.content
            )
            with transaction(self.con):
                self._record(taken)
            return taken
        taken = replace(_taken(inside, "", None), parent_id=archive.export_id, size_bytes=len(member.content))
        try:
            unpacked = unpack(member.content, member.name, max_bytes=self.max_bytes)
        except IngestError as refusal:
            export_id = hashlib.sha256(member.content).hexdigest()
            path = archive_original(self.home, member.content, export_id=export_id, suffix=".gz")
            return self._refuse_log(inside, replace(taken, export_id=export_id), path, str(refusal))
        taken = replace(
            taken,
            export_id=hashlib.sha256(unpacked.content).hexdigest(),
            format=format_of(unpacked.content, unpacked.name),
        )
        ready = self._judge(inside, taken, unpacked.content, unpacked.name)
        return replace(ready, told=member.told) if isinstance(ready, _Pending) else ready

    def _judge(self, dropped: Dropped, taken: Taken, content: bytes, name: str) -> Taken | _Pending:
        if known_as := self._known_as(taken):
            return self._repeat(dropped, taken, known_as)
        suffix = Path(name).suffix.lower()[:16]
        if taken.format is None:
            if dropped.is_inbox:
                archive_original(self.home, content, export_id=taken.export_id, suffix=suffix)
            return self._ignore(
                dropped, taken, "Not a watch export, a pain log or a strength log that Kneewatch knows."
            )
        path = archive_original(self.home, content, export_id=taken.export_id, suffix=suffix)
        if taken.format in LOG_FORMATS:
            return self._keep_log(dropped, taken, path, decode_text(content))
        return _Pending(dropped=dropped, taken=taken, path=path)

    def _known_as(self, taken: Taken) -> str | None:
        name: str | None = scalar(
            self.con,
            "select file_name from exports where athlete = $athlete and export_id = $export_id "
            "and list_contains($outcomes, outcome) order by seen_at limit 1",
            athlete=taken.athlete,
            export_id=taken.export_id,
            outcomes=list(KNOWN_OUTCOMES),
        )
        return name

    # What becomes of it --------------------------------------------------------------------------------

    def keep(self, ready: _Pending, result: Recording | IngestError) -> Taken:
        """Write what a reader made of an archived file; samples first, then everything else at once."""
        dropped, taken = ready.dropped, ready.taken
        if known_as := self._known_as(taken):
            return self._repeat(dropped, taken, known_as)
        if isinstance(result, NotAnActivityError):
            return self._ignore(dropped, taken, str(result))
        if isinstance(result, IngestError):
            return self._refuse(dropped, taken, ready.path, str(result))
        athlete = self.settings.athletes.get(taken.athlete)
        if athlete is None:
            return self._refuse(
                dropped, taken, ready.path, f"There is no athlete {taken.athlete} in kneewatch.toml."
            )
        zone = ZoneInfo(athlete.time_zone)
        result = _with_told(result, ready.told)
        try:
            found = activities_of(
                result, athlete=taken.athlete, export_id=taken.export_id, zone=zone, now=self.now
            )
        except IngestError as refusal:
            return self._refuse(dropped, taken, ready.path, str(refusal))
        outcome = "partly_ingested" if result.missing else "ingested"
        taken = replace(taken, outcome=outcome, reason=result.missing, activities=len(found))
        for activity in found:
            _write_samples(self.home, activity)
        with transaction(self.con):
            self._record(taken)
            for activity in found:
                _insert_activity(self.con, activity)
            _point_to_canonical(self.con, taken.athlete, found)
        self._let_go(dropped)
        return taken

    def _keep_log(self, dropped: Dropped, taken: Taken, path: Path, text: str) -> Taken:
        """Take in a pain or strength log: wrong lines are named, the right ones kept."""
        try:
            result = self._read_log(taken, text)
        except LogError as refusal:
            return self._refuse_log(dropped, taken, path, str(refusal))
        problems = [f"line {problem.line}: {problem.sentence}" for problem in result.problems]
        if result.unknown_columns:
            problems.append(f"Ignored columns: {', '.join(result.unknown_columns)}.")
        if result.problems and not result.rows:
            return self._refuse_log(dropped, taken, path, " ".join(problems))
        outcome = "partly_ingested" if result.problems else "ingested"
        taken = replace(
            taken, outcome=outcome, reason=" ".join(problems) or None, activities=len(result.rows)
        )
        with transaction(self.con):
            self._record(taken)
            for row in result.rows:
                save_pain_report(self.con, row) if isinstance(row, PainReport) else save_strength(
                    self.con, row
                )
        self._let_go(dropped)
        return taken

    def _read_log(self, taken: Taken, text: str) -> LogResult[PainReport] | LogResult[StrengthSession]:
        athletes = self.settings.athletes
        latest = self.now.date() + timedelta(days=1)
        if taken.format == "strength_csv":
            return read_strength_csv(
                text, default_athlete=taken.athlete, known_athletes=frozenset(athletes), latest=latest
            )
        return read_pain_csv(
            text,
            source=taken.file_name,
            default_athlete=taken.athlete,
            zone_of=lambda athlete: ZoneInfo(athletes[athlete].time_zone),
            known_athletes=frozenset(athletes),
            latest=latest,
        )

    def close_archive(self, archive: _Archive) -> Taken:
        """Write what became of an archive as a whole, now that its members have their outcomes."""
        outcomes = frame(
            self.con,
            "select outcome, sum(activities)::integer as activities, count(*)::integer as files from exports "
            "where athlete = $athlete and parent_id = $export_id group by outcome",
            athlete=archive.taken.athlete,
            export_id=archive.taken.export_id,
        )
        files = dict(outcomes.select("outcome", "files").iter_rows())
        total, refused = sum(files.values()), files.get("quarantined", 0)
        reason = f"{total} exports, {refused} of them refused; {archive.others} other files left alone."
        outcome = "partly_ingested" if refused else "ingested" if total else "ignored"
        taken = replace(
            archive.taken, outcome=outcome, reason=reason, activities=int(outcomes["activities"].sum())
        )
        with transaction(self.con):
            self._record(taken)
        self._let_go(archive.dropped)
        return taken

    def _repeat(self, dropped: Dropped, taken: Taken, known_as: str) -> Taken:
        same_name = known_as == taken.file_name
        reason = (
            "The same bytes were taken in before."
            if same_name
            else f"The same bytes were taken in before as {known_as}."
        )
        taken = replace(taken, outcome="duplicate", reason=reason)
        with transaction(self.con):
            self._record(taken)
        self._let_go(dropped)
        return taken

    def _ignore(self, dropped: Dropped, taken: Taken, reason: str) -> Taken:
        taken = replace(taken, outcome="ignored", reason=reason)
        with transaction(self.con):
            self._record(taken)
        self._let_go(dropped)
        return taken

    def tidy_archive(self, export_id: str, paths: Sequence[Path]) -> None:
        """Take a refused original out of the archive, unless these bytes were taken in for somebody."""
        query = (
            "select count(*) from exports where export_id = $export_id and list_contains($outcomes, outcome)"
        )
        if scalar(self.con, query, export_id=export_id, outcomes=list(KNOWN_OUTCOMES)) == 0:
            for path in paths:
                path.unlink(missing_ok=True)

    def _refuse_log(self, dropped: Dropped, taken: Taken, path: Path, reason: str) -> Taken:
        taken = self._refuse(dropped, taken, path, reason)
        self.tidy_archive(taken.export_id, [path])
        return taken

    def _refuse(self, dropped: Dropped, taken: Taken, original: Path, reason: str) -> Taken:
        taken = replace(taken, outcome="quarantined", reason=reason)
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
        with transaction(self.con):
            self._record(taken)
        self._let_go(dropped)
        return taken

    def _record(self, taken: Taken) -> None:
        """Write the row of `exports`; a file of this name and content that was refused before is judged anew."""
        self.con.execute(
            "delete from exports where athlete = ? and export_id = ? and file_name = ? and outcome = 'quarantined'",
            [taken.athlete, taken.export_id, taken.file_name],
        )
        row = {**asdict(taken), "seen_at": self.now, "reader_version": READER_VERSION}
        places = ", ".join(f"${name}" for name in row)
        self.con.execute(f"insert or ignore into exports ({', '.join(row)}) values ({places})", row)

    def _let_go(self, dropped: Dropped) -> None:
        """Take the file out of the inbox, unless somebody put another one in its place meanwhile."""
        if dropped.is_inbox and is_still_the_same(dropped):
            dropped.path.unlink(missing_ok=True)
            sync_folder(dropped.path.parent)


def save_pain_report(con: duckdb.DuckDBPyConnection, report: PainReport) -> None:
    """Write a report; one with the same athlete, date, time and side is completed or corrected by it."""
    earlier = frame(
        con, "select * from pain_reports where report_id = $report_id", report_id=report.report_id
    )
    if earlier.height:
        told = {key: value for key, value in earlier.row(0, named=True).items() if key != "activity_id"}
        report = completed(PainReport(**{**told, "flags": tuple(told["flags"])}), report)
    con.execute("delete from pain_reports where report_id = ?", [report.report_id])
    insert_rows(con, "pain_reports", [{**asdict(report), "flags": list(report.flags)}])


def save_strength(con: duckdb.DuckDBPyConnection, session: StrengthSession) -> None:
    """Write a strength session; the one of the same athlete and day gives way to it."""
    con.execute("delete from strength_sessions where session_id = ?", [session.session_id])
    row = {**asdict(session), "exercises": [asdict(exercise) for exercise in session.exercises]}
    insert_rows(con, "strength_sessions", [row])


def _with_told(recording: Recording, told: Told) -> Recording:
    """Add what the archive says about an export where the export itself says nothing."""
    if told == NOTHING_TOLD:
        return recording
    sessions = tuple(
        replace(
            session,
            title=session.title or told.title,
            description=session.description or told.description,
            sport=told.sport if session.sport in (None, "unknown") and told.sport else session.sport,
            rpe=told.rpe if session.rpe is None else session.rpe,
        )
        for session in recording.sessions
    )
    return replace(recording, sessions=sessions)


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


def _write_samples(home: Home, activity: Activity) -> None:
    started_at = activity.row["started_at"]
    assert isinstance(started_at, datetime)
    write_samples(
        home,
        activity.samples,
        athlete=str(activity.row["athlete"]),
        year=started_at.astimezone(UTC).year,
        activity_id=str(activity.row["activity_id"]),
    )


def _insert_activity(con: duckdb.DuckDBPyConnection, activity: Activity) -> None:
    insert_rows(con, "activities", [activity.row])
    insert(con, "laps", activity.laps.with_columns(activity_id=pl.lit(str(activity.row["activity_id"]))))


def _point_to_canonical(con: duckdb.DuckDBPyConnection, athlete: str, found: Sequence[Activity]) -> None:
    """Judge the new activities and their neighbours in time again, and write who doubles whom."""
    days: list[date] = [activity.row["local_date"] for activity in found]  # type: ignore[misc]
    first, last = min(days) - NEIGHBOURS, max(days) + NEIGHBOURS
    # Whoever is judged must be seen with all of its own neighbours, so one looks further than one judges.
    neighbours = frame(
        con,
        "select a.*, e.format from activities a join exports e using (export_id, athlete) "
        "where a.athlete = $athlete and a.local_date between $first and $last "
        "and e.outcome in ('ingested', 'partly_ingested')",
        athlete=athlete,
        first=first - NEIGHBOURS,
        last=last + NEIGHBOURS,
    )
    candidates = [_candidate(row) for row in neighbours.iter_rows(named=True)]
    judged = neighbours.filter(pl.col("local_date").is_between(first, last))
    before = dict(judged.select("activity_id", "duplicate_of").iter_rows())
    for activity_id, canonical in find_duplicates(candidates).items():
        if activity_id in before and before[activity_id] != canonical:
            con.execute(
                "update activities set duplicate_of = ? where activity_id = ?", [canonical, activity_id]
            )


def _candidate(row: dict[str, object]) -> Candidate:
    knows: Callable[[str], float] = lambda column: float(row[column] is not None)  # noqa: E731
    return Candidate(
        activity_id=str(row["activity_id"]),
        is_run=bool(row["is_run"]),
        started_at=row["started_at"],  # type: ignore[arg-type]
        elapsed_s=float(row["elapsed_s"]),  # type: ignore[arg-type]
        distance_m=None if row["distance_m"] is None else float(row["distance_m"]),  # type: ignore[arg-type]
        richness=(
            knows("avg_hr_bpm"),
            knows("avg_cadence_spm"),
            float(row["format"] == "fit"),
            knows("ascent_m"),
        ),
    )
