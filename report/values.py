"""The athlete's own values in words: what each is called, how much it is, and what it rests on."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from report.format import Units, number, short_day

PARAMETER_WORDS = {
    "resting_hr_bpm": "Resting heart rate",
    "max_hr_bpm": "Maximum heart rate",
    "threshold_hr_bpm": "Threshold heart rate",
    "vt1_hr_bpm": "First ventilatory threshold",
    "vt2_hr_bpm": "Second ventilatory threshold",
    "threshold_pace_s_per_km": "Threshold pace",
}
SEEN = ("lowest_hr_bpm", "peak_hr_bpm", "hour_hr_bpm")


def in_words(row: Mapping[str, Any], units: Units) -> dict[str, str]:
    """Return name, value, since and rests_on of a row of athlete_parameters."""
    return {
        "name": PARAMETER_WORDS[row["parameter"]],
        "value": value_shown(row["parameter"], row["value"], units),
        "since": since_shown(row["valid_from"]),
        "rests_on": evidence_sentence(row),
    }


def value_shown(parameter: str, value: float, units: Units) -> str:
    """Return 184 bpm, or 5:20 /km."""
    return units.pace(value) if parameter.endswith("_s_per_km") else f"{number(value)} bpm"


def since_shown(valid_from: date | None) -> str:
    """Return the day from which a value counts."""
    return "from the beginning" if valid_from is None else f"{short_day(valid_from)} {valid_from.year}"


def evidence_sentence(row: Mapping[str, Any]) -> str:
    """
    Say what a value rests on: "estimated: second highest 30 s of a year (184 bpm on 12 Aug 2026, of 41 activities)".

    Args:
        row: Of table athlete_parameters.
    """
    evidence = json.loads(row["evidence"])
    method = evidence["method"]
    if not row["is_estimated"]:
        return str(method)
    return f"estimated: {method}{_what_was_seen(evidence)}"


def _what_was_seen(evidence: Mapping[str, Any]) -> str:
    if "local_date" not in evidence:
        return ""
    seen = next((f"{number(evidence[mark])} bpm on " for mark in SEEN if mark in evidence), "")
    day = date.fromisoformat(evidence["local_date"])
    return f" ({seen}{short_day(day)} {day.year}, of {evidence['activities']} activities)"
