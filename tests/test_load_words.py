"""What the report says beside the numbers of load."""

from datetime import date
from typing import Any

import pytest

from report.load_words import load_notes

NOTHING_TO_SAY: dict[str, Any] = {
    "ctl": 30.0,
    "is_warming_up": False,
    "warming_up_until": date(2026, 6, 27),
    "load_unit": "hrss",
    "week_runs": 4,
    "week_runs_without_heart_rate": 0,
    "week_runs_without_hrss": 0,
    "runs_42d": 20,
    "runs_42d_without_load": 0,
}
NO_VALUES = "your sex is not in kneewatch.toml, or too little is known of your heart rates"


@pytest.mark.parametrize(
    ("told", "notes"),
    [
        ({}, []),
        (
            {"is_warming_up": True},
            ["Fitness and fatigue are warming up until 27 Jun: their start still weighs in them."],
        ),
        ({"is_warming_up": True, "ctl": None}, []),
        (
            {"week_runs_without_heart_rate": 1, "week_runs_without_hrss": 1},
            ["3 of 4 runs of this week have a heart-rate load: heart rate was not recorded."],
        ),
        (
            {"week_runs": 2, "week_runs_without_heart_rate": 1, "week_runs_without_hrss": 1},
            ["1 of 2 runs of this week has a heart-rate load: heart rate was not recorded."],
        ),
        (
            {"week_runs_without_hrss": 4},
            [f"No run of this week has a heart-rate load: {NO_VALUES}."],
        ),
        (
            {"week_runs_without_heart_rate": 1, "week_runs_without_hrss": 4},
            [f"No run of this week has a heart-rate load: heart rate was not recorded; {NO_VALUES}."],
        ),
        (
            {"runs_42d_without_load": 3, "load_unit": "rtss"},
            ["3 runs of the last 42 days have no pace load and count nothing in fitness and fatigue."],
        ),
        (
            {"runs_42d_without_load": 1},
            ["1 run of the last 42 days has no heart-rate load and counts nothing in fitness and fatigue."],
        ),
        ({"runs_42d_without_load": 20, "load_unit": None, "ctl": None}, []),
    ],
)
def test_what_is_missing_is_said_and_why(told: dict[str, Any], notes: list[str]) -> None:
    """Nothing is said where nothing is missing."""
    assert load_notes(NOTHING_TO_SAY | told) == notes
