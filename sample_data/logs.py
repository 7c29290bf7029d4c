"""Write what Mara types in herself: pain.csv and strength.csv."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime, timedelta

from sample_data.recording import Recording
from sample_data.story import (
    LOCAL_ZONE,
    PAIN_REPORTS,
    STRENGTH_SESSIONS,
    Exercise,
    PainReport,
    StrengthSession,
)

PAIN_COLUMNS = ["date", "time", "side", "site", "before", "during", "after_60min", "next_morning"]
PAIN_COLUMNS += ["flags", "changed_gait", "muscle_soreness", "note"]
STRENGTH_COLUMNS = ["date", "exercise", "sets", "reps", "load_kg", "rpe", "pain_during", "note"]
REPORT_AFTER_RUN = timedelta(minutes=65)  # so that she knows how the knee is an hour later
REPORT_STEP_S = 300

Cell = str | int | None


def pain_csv(recordings: Iterable[Recording]) -> bytes:
    """Return pain.csv; each report is made a little over an hour after the run of its day."""
    ends = {recording.run.day: _end(recording) for recording in recordings}
    return _csv(PAIN_COLUMNS, [_pain_row(report, ends[report.day]) for report in PAIN_REPORTS])


def strength_csv() -> bytes:
    """Return strength.csv, one line an exercise."""
    rows = [
        _exercise_row(session, exercise) for session in STRENGTH_SESSIONS for exercise in session.exercises
    ]
    return _csv(STRENGTH_COLUMNS, rows)


def _end(recording: Recording) -> datetime:
    return (recording.started_at + timedelta(seconds=int(recording.elapsed_s[-1]))).astimezone(LOCAL_ZONE)


def _pain_row(report: PainReport, run_end: datetime) -> list[Cell]:
    at = run_end + REPORT_AFTER_RUN
    at += timedelta(seconds=-(at.minute * 60 + at.second) % REPORT_STEP_S)
    scores: list[Cell] = [report.before, report.during, report.after_60min, report.next_morning]
    head: list[Cell] = [report.day.isoformat(), at.strftime("%H:%M"), report.side, report.site]
    return [*head, *scores, "", "no", report.muscle_soreness, report.note]


def _exercise_row(session: StrengthSession, exercise: Exercise) -> list[Cell]:
    note = "; ".join(part for part in (exercise.note, session.note) if part)
    what: list[Cell] = [session.day.isoformat(), exercise.name, exercise.sets, exercise.reps]
    return [*what, f"{exercise.load_kg:g}", session.rpe, 0, note]


def _csv(columns: list[str], rows: list[list[Cell]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()
