"""What `plan check` found, in words: one sentence a finding, and the plan in numbers."""

from collections.abc import Callable, Mapping
from typing import Any

from analytics.plan_check import PlanSummary
from report.format import UNKNOWN, Units, day, number, percent

Finding = Mapping[str, Any]


def finding_sentence(finding: Finding, units: Units) -> str:
    """Return what one finding of `check_plan` means, with its numbers."""
    return SENTENCES[finding["rule"]](finding, units)


def summary_rows(summary: PlanSummary, units: Units) -> list[dict[str, str]]:
    """Return the plan in numbers as rows of what and value."""
    entry = (
        f"longest run of 30 days {units.distance(summary.entry_longest_m)}, "
        f"{units.distance(summary.entry_week_m)} a week for four weeks"
    )
    own = f"{units.distance(summary.own_longest_m)}, {units.distance(summary.own_week_m)} a week"
    rows = {
        "Weeks and runs": f"{summary.weeks} and {summary.runs}",
        "Week, first and highest": f"{units.distance(summary.first_week_m)}, {units.distance(summary.peak_week_m)}",
        "Longest run before the race": units.distance(summary.longest_m),
        "Highest step of a run": percent(summary.worst_step_ratio, signed=True, digits=1),
        "Runs more than 10 % over": str(summary.steps_over_10_pct),
        "The race": percent(summary.race_ratio, signed=True, digits=1),
        "Highest step of a week": percent(summary.worst_week_ratio, signed=True, digits=1),
        "It asks for": entry,
        "You have": own if summary.own_week_m is not None else f"{UNKNOWN} (no run is known)",
    }
    return [{"what": what, "value": value} for what, value in rows.items()]


def _spike(finding: Finding, units: Units) -> str:
    return (
        f"{units.distance(finding['value'])} after {units.distance(finding['compared_with'])} as the longest of the "
        f"30 days before: {_rise(finding)}, a {finding['spike_bin']} spike."
    )


def _race_spike(finding: Finding, units: Units) -> str:
    return (
        f"Race day is a {finding['spike_bin']} spike: {_rise(finding)} over the longest of the 30 days before, "
        f"{units.distance(finding['compared_with'])}."
    )


def _ramp(finding: Finding, units: Units) -> str:
    return (
        f"The week rises by {_rise(finding)}, from {units.distance(finding['compared_with'])} "
        f"to {units.distance(finding['value'])}."
    )


def _no_cut_back(finding: Finding, units: Units) -> str:
    return (
        f"{number(finding['value'])} weeks without one that is at least 10 % easier; every fourth should be."
    )


def _strength_before_long(finding: Finding, units: Units) -> str:
    return "Strength on the day of the long run or the day before; two days before it is better."


def _strength_too_close(finding: Finding, units: Units) -> str:
    return "Strength on the day after strength; 48 hours should lie between."


def _entry_longest(finding: Finding, units: Units) -> str:
    own = (
        f"the longest was {units.distance(finding['value'])}"
        if finding["value"] is not None
        else "there was none"
    )
    return f"The first week asks for a run of {units.distance(finding['compared_with'])} in the 30 days before; {own}."


def _entry_week(finding: Finding, units: Units) -> str:
    return (
        f"The first week asks for {units.distance(finding['compared_with'])} a week in the four weeks before; "
        f"you ran {units.distance(finding['value'])}."
    )


def _rise(finding: Finding) -> str:
    return percent(finding["ratio"], signed=True, digits=1)


SENTENCES: dict[str, Callable[[Finding, Units], str]] = {
    "spike": _spike,
    "race_spike": _race_spike,
    "ramp": _ramp,
    "no_cut_back": _no_cut_back,
    "strength_before_long": _strength_before_long,
    "strength_too_close": _strength_too_close,
    "entry_longest": _entry_longest,
    "entry_week": _entry_week,
}


def place(finding: Finding) -> str:
    """Return the week and day of a finding, and its session: week 5, Sun 2 Aug, long."""
    parts = [f"week {finding['week']}", day(finding["local_date"]), finding["session"]]
    return ", ".join(part for part in parts if part)
