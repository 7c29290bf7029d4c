"""The athlete's own values in words."""

import json
from datetime import date

import pytest

from report.format import Units
from report.values import PARAMETER_WORDS, evidence_sentence, since_shown, value_shown
from store.settings import Since

SEEN = {
    "method": "second highest 30 s of a year",
    "peak_hr_bpm": 183.6,
    "local_date": "2026-08-12",
    "activity_id": "a",
    "activities": 41,
}


def test_values_are_written_in_the_units_of_the_runner() -> None:
    """Beats are beats, paces follow the setting."""
    assert value_shown("max_hr_bpm", 183.6, Units("miles")) == "184 bpm"
    assert value_shown("threshold_pace_s_per_km", 320, Units("km")) == "5:20 /km"
    assert value_shown("threshold_pace_s_per_km", 320, Units("miles")) == "8:35 /mi"


def test_a_value_says_since_when_it_counts() -> None:
    """Without a day it always did."""
    assert since_shown(None) == "from the beginning"
    assert since_shown(date(2026, 8, 12)) == "12 Aug 2026"


@pytest.mark.parametrize(
    ("evidence", "is_estimated", "said"),
    [
        ({"method": "set in kneewatch.toml"}, False, "set in kneewatch.toml"),
        (SEEN, True, "estimated: second highest 30 s of a year (184 bpm on 12 Aug 2026, of 41 activities)"),
        (
            SEEN
            | {"method": "best effort of 90 days, as an hour", "peak_hr_bpm": None}
            | {"hour_pace_s_per_km": 320.0},
            True,
            "estimated: best effort of 90 days, as an hour (12 Aug 2026, of 41 activities)",
        ),
        ({"method": "85 % of the reserve", "max_hr_bpm": 186}, True, "estimated: 85 % of the reserve"),
    ],
)
def test_a_value_says_what_it_rests_on(evidence: dict[str, object], is_estimated: bool, said: str) -> None:
    """An estimate is called one, with the day it was seen on."""
    told = {key: value for key, value in evidence.items() if value is not None}

    assert evidence_sentence({"is_estimated": is_estimated, "evidence": json.dumps(told)}) == said


def test_every_value_that_can_be_set_has_a_name() -> None:
    """Nothing is shown by its column."""
    assert {name if name != "threshold_pace" else f"{name}_s_per_km" for name in Since.model_fields} == set(
        PARAMETER_WORDS
    )
