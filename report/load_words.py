"""What the load section says beside its numbers: what is missing, what still warms up, and what none of it means."""

from collections.abc import Mapping
from typing import Any

from report.format import short_day

UNIT_WORDS = {"hrss": "heart-rate load", "rtss": "pace load", "srpe": "session-RPE"}


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
    return f"Fitness and fatigue are warming up until {short_day(load['warming_up_until'])}: their start still weighs in them."


def _without_heart_rate(load: Mapping[str, Any]) -> str:
    without, runs = load["week_runs_without_hrss"], load["week_runs"]
    if not without:
        return ""
    which = "No run" if without == runs else f"{runs - without} of {runs} runs"
    have = "have" if runs - without > 1 else "has"
    return f"{which} of this week {have} a heart-rate load: {_why(load)}."


def _why(load: Mapping[str, Any]) -> str:
    unmeasured = load["week_runs_without_heart_rate"]
    unweighed = load["week_runs_without_hrss"] - unmeasured
    reasons = [
        "heart rate was not recorded" if unmeasured else "",
        "your sex is not in kneewatch.toml, or too little is known of your heart rates"
        if unweighed > 0
        else "",
    ]
    return "; ".join(reason for reason in reasons if reason)


def _counted_as_rest(load: Mapping[str, Any]) -> str:
    without = load["runs_42d_without_load"]
    if load["load_unit"] is None or not without:
        return ""
    count = "1 run" if without == 1 else f"{without} runs"
    return (
        f"{count} of the last 42 days {'has' if without == 1 else 'have'} no {UNIT_WORDS[load['load_unit']]}"
        f" and {'counts' if without == 1 else 'count'} nothing in fitness and fatigue."
    )
