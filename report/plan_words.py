"""What `plan check` found, in words: one sentence a finding, and the plan in numbers."""

from collections.abc import Mapping
from typing import Any

from analytics.plan_check import PlanSummary
from report.format import UNKNOWN, Units, day, number, percent
from report.words import said

Finding = Mapping[str, Any]


def finding_sentence(finding: Finding, units: Units) -> str:
    """Return what one finding of `check_plan` means, with its numbers."""
    is_none = finding["rule"] == "entry_longest" and finding["value"] is None
    return said(
        f"plan_check.{finding['rule']}{'_none' if is_none else ''}",
        value=units.distance(finding["value"]),
        compared_with=units.distance(finding["compared_with"]),
        count=number(finding["value"]),
        rise=percent(finding["ratio"], signed=True, digits=1),
        spike=said(f"spike_bin.{finding['spike_bin']}") if finding["spike_bin"] else "",
    )


def summary_rows(summary: PlanSummary, units: Units) -> list[dict[str, str]]:
    """Return the plan in numbers as rows of what and value."""
    weeks_and_runs = said("plan_summary.weeks_and_runs_value", weeks=summary.weeks, runs=summary.runs)
    entry = said(
        "plan_summary.entry_value",
        longest=units.distance(summary.entry_longest_m),
        week=units.distance(summary.entry_week_m),
    )
    own = (
        said("plan_summary.own_unknown", unknown=UNKNOWN)
        if summary.own_week_m is None
        else said(
            "plan_summary.own_value",
            longest=units.distance(summary.own_longest_m),
            week=units.distance(summary.own_week_m),
        )
    )
    rows = {
        "weeks_and_runs": weeks_and_runs,
        "weeks": f"{units.distance(summary.first_week_m)}, {units.distance(summary.peak_week_m)}",
        "longest": units.distance(summary.longest_m),
        "step": percent(summary.worst_step_ratio, signed=True, digits=1),
        "steps_over": str(summary.steps_over_10_pct),
        "race": percent(summary.race_ratio, signed=True, digits=1),
        "week_step": percent(summary.worst_week_ratio, signed=True, digits=1),
        "entry": entry,
        "own": own,
    }
    return [{"what": said(f"plan_summary.{what}"), "value": value} for what, value in rows.items()]


def place(finding: Finding) -> str:
    """Return the week and day of a finding, and its session: week 5, Sun 2 Aug, long."""
    week = said("plan_check.place", week=finding["week"])
    return ", ".join(part for part in (week, day(finding["local_date"]), finding["session"]) if part)
