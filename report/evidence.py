"""The numbers an alert rests on, each with the row it came from, and a query that returns them from the database."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from store.database import quoted

RUN_NUMBERS = (
    *("distance_m", "longest_30d_m", "spike_ratio", "week_m", "week_before_m"),
    *("descent_7d_m", "descent_mean_m", "acwr_uncoupled"),
    *("planned_distance_m", "planned_7d_m", "ran_7d_m"),
)
REPORT_NUMBERS = ("before", "during", "after_60min", "next_morning", "peak")
PLANNED_NUMBERS = ("planned_distance_m", "longest_30d_m", "spike_ratio")


def evidence_numbers(evidence: Mapping[str, Any]) -> list[tuple[str, str, float]]:
    """Return (id of the run, report or session, name, value) of each number that stands in an alert's evidence."""
    return list(_numbers(evidence))


def evidence_query(evidence: Mapping[str, Any]) -> str:
    """
    Return a query to `kneewatch.duckdb`: one row a number, with id, name, in_alert and in_database.

    `in_database` is computed from the tables, so that a number that has changed since is seen.
    """
    rows = [f"('{quoted(i)}', '{name}', {value!r}::double)" for i, name, value in _numbers(evidence)]
    planned = evidence.get("planned") or {}
    filled_in = {
        "{numbers}": ",\n        ".join(rows),
        "{seen_on}": _literal(evidence.get("seen_on")),
        "{planned}": _literal(planned.get("session_id")),
        "{longest}": _literal(planned.get("longest_30d_id")),
    }
    query = (files("report") / "evidence.sql").read_text()
    for place, text in filled_in.items():
        query = query.replace(place, text)
    return query


def _numbers(evidence: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    for spike in evidence.get("spikes", ()):
        yield from _given(spike, spike["activity_id"], RUN_NUMBERS)
    if pain := evidence.get("pain"):
        yield pain["report_id"], "flag_count", float(len(pain["flags"]))
        for report in (pain, *pain["earlier"]):
            yield from _given(report, report["report_id"], REPORT_NUMBERS)
    if planned := evidence.get("planned"):
        yield from _given(planned, planned["session_id"], PLANNED_NUMBERS)
    if report := evidence.get("report"):
        yield from _given(report, report["report_id"], ("peak",))
    if last := evidence.get("last_report"):
        yield from _given(last, last["report_id"], ("days_ago",))
    if (strength := evidence.get("strength")) and strength["session_id"]:
        yield from _given(strength, strength["session_id"], ("days_ago",))


def _given(told: Mapping[str, Any], row_id: str, names: tuple[str, ...]) -> Iterator[tuple[str, str, float]]:
    for name in names:
        if told.get(name) is not None:
            yield row_id, name, float(told[name])


def _literal(value: str | None) -> str:
    return "null" if value is None else f"'{quoted(value)}'"
