"""Each knee on a day, as data: red flags, newest report, open episode, cues and questionnaires."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from analytics.alerts import KNEES
from analytics.cues import KneeCues, knee_cues
from analytics.pain import Report
from analytics.rules import PUBLISHED, Rules
from report.questions import read_query
from store.database import frame

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class KneeStatus:
    """
    One knee on a day.

    Attributes:
        cues: Red flags first, then the five patterns, from the reports of four weeks.
        newest: The newest report of this knee however old it is, with the names of its columns but without the note.
        episode: The open episode: since when, and severity of its newest alert; None when none is open.
        questionnaires: The newest of each kind, as the question `questionnaires` returns them.
    """

    side: str
    cues: KneeCues
    newest: Row | None
    episode: Row | None
    questionnaires: Sequence[Row]


def knee_statuses(
    con: duckdb.DuckDBPyConnection, *, athlete: str, today: date, rules: Rules = PUBLISHED
) -> list[KneeStatus]:
    """Return how the athlete's left and right knee stand on `today`, from a database with the tables of store/migrations."""
    reports = [report for report in reports_of(con, athlete) if report.local_date <= today]
    scored = _ask(con, "questionnaires", athlete, today)
    episodes = _ask(con, "open_episodes", athlete, today)
    return [
        KneeStatus(
            side=side,
            cues=knee_cues(reports, side, today=today, rules=rules),
            newest=_newest(reports, side),
            episode=next((row for row in episodes if row["side"] == side), None),
            questionnaires=_newest_of_each_kind(scored, side),
        )
        for side in KNEES
    ]


def reports_of(con: duckdb.DuckDBPyConnection, athlete: str) -> list[Report]:
    """Return everything the athlete reported of the knees."""
    rows = frame(
        con,
        "select report_id, reported_at, local_date, side, before, during, after_60min, next_morning, flags, changed_gait, "
        "site, onset, provoked_by, muscle_soreness from pain_reports where athlete = $athlete",
        athlete=athlete,
    )
    return [
        Report(**{**row, "flags": tuple(row["flags"]), "provoked_by": tuple(row["provoked_by"])})
        for row in rows.iter_rows(named=True)
    ]


def _newest(reports: Sequence[Report], side: str) -> Row | None:
    of_knee = [report for report in reports if report.side in (side, "both")]
    if not of_knee:
        return None
    newest = max(of_knee, key=lambda report: (report.reported_at, report.report_id))
    names = (
        *("report_id", "local_date", "side", "site", "before", "during", "after_60min", "next_morning"),
        *("flags", "changed_gait", "onset", "provoked_by", "muscle_soreness"),
    )
    return {name: getattr(newest, name) for name in names}


def _newest_of_each_kind(scored: Sequence[Row], side: str) -> list[Row]:
    newest: dict[str, Row] = {}
    for row in scored:
        if row["side"] == side:
            newest.setdefault(row["kind"], row)
    return list(newest.values())


def _ask(con: duckdb.DuckDBPyConnection, name: str, athlete: str, today: date) -> list[Row]:
    return list(frame(con, read_query(name), athlete=athlete, today=today).iter_rows(named=True))
