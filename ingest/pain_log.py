"""Pain reports in the store: kept, completed, corrected, taken out, found in words; every change leaves a trace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from ingest.logs import LISTED, LogError, PainReport, completed, edited, pain_report
from ingest.pain_notes import PainQuestion, read_note
from store.database import frame, insert, insert_rows, scalar

Row = Mapping[str, Any]


def save_pain_reports(
    con: duckdb.DuckDBPyConnection, reports: Sequence[PainReport], *, now: datetime
) -> None:
    """
    Write reports; one with the same athlete, date, time and side is completed or corrected by a later one.

    What was asked about the words of that day and knee is answered by them.
    """
    if not reports:
        return
    known = _known(con, [report.report_id for report in reports])
    told = dict(known)
    for report in reports:
        earlier = told.get(report.report_id)
        told[report.report_id] = completed(earlier, report) if earlier else report
    changed = [known[i] for i, report in told.items() if i in known and _says_else(known[i], report)]
    _remember(con, changed, how="completed", now=now)
    _write(con, list(told.values()))
    for report in reports:
        _answer(con, report, now)


def edit_pain_report(
    con: duckdb.DuckDBPyConnection, report_id: str, changes: Mapping[str, object], *, now: datetime
) -> PainReport:
    """
    Correct a report and return it as it is now; None among the changes makes a value unknown again.

    Raises:
        LogError: A value is not allowed, or the report would say nothing.
    """
    earlier = _known(con, [report_id])[report_id]
    report = edited(earlier, changes)
    if report != earlier:
        _remember(con, [earlier], how="edited", now=now)
        _write(con, [report])
    return report


def delete_pain_report(con: duckdb.DuckDBPyConnection, report_id: str, *, now: datetime) -> PainReport:
    """Take a report out, and return what it was."""
    earlier = _known(con, [report_id])[report_id]
    _remember(con, [earlier], how="deleted", now=now)
    con.execute("delete from pain_reports where report_id = ?", [report_id])
    return earlier


def keep_notes(
    con: duckdb.DuckDBPyConnection,
    activities: Iterable[tuple[str, Row]],
    *,
    zones: Mapping[str, ZoneInfo],
    now: datetime,
) -> None:
    """
    Read the titles and notes of activities, each given with its file's name: clear words are reports, others questions.

    A note completes the report of its day and knee. It never says better than what a person has reported, edited or
    deleted: where it differs from the report it is asked about.
    """
    for file_name, row in sorted(activities, key=lambda one: one[1]["started_at"]):
        noted = read_note("\n".join(text for text in (row["title"], row["description"]) if text))
        doubts = list(noted.questions)
        for said in noted.reports:
            try:
                report = pain_report(
                    athlete=row["athlete"],
                    zone=zones[row["athlete"]],
                    on=row["local_date"],
                    **asdict(said),
                    source=f"note of {file_name}",
                )
            except LogError:  # the day of a clock that stood wrong
                continue
            if not _keep_noted(con, report, now):
                doubts.append(PainQuestion(words=_in_words(report), side=said.side))
        _ask(con, row, doubts, now)


def dismiss_question(con: duckdb.DuckDBPyConnection, question_id: str, *, now: datetime) -> None:
    """Note that words about a knee need no answer; what was answered stays so."""
    con.execute(
        "update pain_questions set status = 'dismissed', closed_at = ? where question_id = ? and status = 'open'",
        [now, question_id],
    )


# Helpers ---------------------------------------------------------------------------------------------------


def _keep_noted(con: duckdb.DuckDBPyConnection, report: PainReport, now: datetime) -> bool:
    """Keep what a note says unless it contradicts what is known; tell whether there is nothing to ask."""
    if scalar(
        con,
        "select count(*) from pain_history where report_id = $report_id and how in ('edited', 'deleted')",
        report_id=report.report_id,
    ):
        return True
    earlier = _known(con, [report.report_id]).get(report.report_id)
    if earlier is None:
        _write(con, [report])
        return True
    report = replace(report, source=earlier.source)
    if completed(report, earlier) != completed(earlier, report):
        return False
    if _says_else(earlier, completed(earlier, report)):
        _remember(con, [earlier], how="completed", now=now)
        _write(con, [completed(earlier, report)])
    return True


def _in_words(report: PainReport) -> str:
    """Say what a clear note said, when it contradicts what is known."""
    scores = {
        "before": report.before,
        "during": report.during,
        "after": report.after_60min,
        "next morning": report.next_morning,
    }
    said = [f"{score:g}/10 {when}" for when, score in scores.items() if score is not None]
    return f"{report.side} knee {', '.join([*said, *report.flags])}".strip()


def _ask(con: duckdb.DuckDBPyConnection, row: Row, questions: Sequence[PainQuestion], now: datetime) -> None:
    """Keep what has to be asked; the same words of the same day are asked about once."""
    rows = [
        {
            "question_id": _id_of(row["athlete"], row["local_date"], question.words),
            "athlete": row["athlete"],
            "local_date": row["local_date"],
            "activity_id": row["activity_id"],
            "side": question.side,
            "words": question.words,
            "asked_at": now,
            "status": "open",
        }
        for question in questions
    ]
    insert_rows(con, "pain_questions", rows, or_ignore=True)


def _id_of(athlete: str, day: date, words: str) -> str:
    return hashlib.sha256(f"{athlete}|{day.isoformat()}|{words}".encode(errors="surrogatepass")).hexdigest()


def _answer(con: duckdb.DuckDBPyConnection, report: PainReport, now: datetime) -> None:
    con.execute(
        "update pain_questions set status = 'answered', closed_at = ? where athlete = ? and local_date = ? "
        "and status = 'open' and (side is null or side = ? or ? = 'both')",
        [now, report.athlete, report.local_date, report.side, report.side],
    )


def _says_else(earlier: PainReport, later: PainReport) -> bool:
    return replace(later, source=earlier.source) != earlier


def _remember(
    con: duckdb.DuckDBPyConnection, reports: Sequence[PainReport], *, how: str, now: datetime
) -> None:
    rows = [
        {
            "report_id": report.report_id,
            "athlete": report.athlete,
            "local_date": report.local_date,
            "side": report.side,
            "changed_at": now,
            "how": how,
            "was": json.dumps(asdict(report), default=lambda value: value.isoformat()),
        }
        for report in reports
    ]
    insert_rows(con, "pain_history", rows)


def _known(con: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> dict[str, PainReport]:
    rows = frame(
        con,
        "select * exclude (activity_id) from pain_reports where report_id in (select unnest($ids))",
        ids=list(ids),
    )
    return {
        row["report_id"]: PainReport(**{**row, **{name: tuple(row[name]) for name in LISTED}})
        for row in rows.iter_rows(named=True)
    }


def _write(con: duckdb.DuckDBPyConnection, reports: Sequence[PainReport]) -> None:
    ids = [report.report_id for report in reports]
    con.execute("delete from pain_reports where report_id in (select unnest($ids))", {"ids": ids})
    columns = {one.name: [getattr(report, one.name) for report in reports] for one in fields(PainReport)}
    columns |= {name: [list(one) for one in columns[name]] for name in LISTED}
    told = pl.DataFrame(columns, schema_overrides=dict.fromkeys(LISTED, pl.List(pl.String)))
    # A column of nothing has no type to be written with; left out, it is NULL as well.
    insert(con, "pain_reports", told.select(one for one in told if one.null_count() < told.height))
