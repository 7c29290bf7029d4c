"""What the load section says beside its numbers: what is missing, what still warms up, and what none of it means."""

from collections.abc import Mapping
from typing import Any

from report.format import short_day
from report.words import said


def load_notes(load: Mapping[str, Any]) -> list[str]:
    """Say what a reader must know of the numbers, from the row of the query load."""
    notes = [
        _warming_up(load),
        _without_heart_rate(load),
        _counted_as_rest(load),
    ]
    return [note for note in notes if note]


def _warming_up(load: Mapping[str, Any]) -> str:
    if load["ctl"] is None or not load["is_warming_up"]:
        return ""
    return said("load_note.warming_up", day=short_day(load["warming_up_until"]))


def _without_heart_rate(load: Mapping[str, Any]) -> str:
    without, runs = load["week_runs_without_hrss"], load["week_runs"]
    if not without:
        return ""
    with_load = runs - without
    name = "no_run_has" if with_load == 0 else "one_run_has" if with_load == 1 else "some_runs_have"
    return said(f"load_note.{name}", with_load=with_load, runs=runs, why=_why(load))


def _why(load: Mapping[str, Any]) -> str:
    unmeasured = load["week_runs_without_heart_rate"]
    unweighed = load["week_runs_without_hrss"] - unmeasured
    reasons = [
        said("load_note.not_recorded") if unmeasured else "",
        said("load_note.not_weighed") if unweighed > 0 else "",
    ]
    return "; ".join(reason for reason in reasons if reason)


def _counted_as_rest(load: Mapping[str, Any]) -> str:
    without = load["runs_42d_without_load"]
    if load["load_unit"] is None or not without:
        return ""
    name = "one_run_is_rest" if without == 1 else "runs_are_rest"
    return said(f"load_note.{name}", runs=without, unit=said(f"load_unit.{load['load_unit']}"))
