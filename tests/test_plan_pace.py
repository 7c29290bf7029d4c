"""The pace of each planned run, from the goal or from what the runner can do."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.parameters import hour_pace_s_per_km
from analytics.plan import dated
from analytics.plan_pace import ZONE_BANDS, threshold_of, with_paces
from analytics.race import HALF_MARATHON_M
from analytics.zones import pace_zone
from ingest.plans import read_plan

SESSIONS = dated(
    read_plan("half_marathon_intermediate"), name="half_marathon_intermediate", race_date=date(2026, 10, 4)
)
KNOWN = {"goal_s": 6900.0, "threshold_pace_s_per_km": 320.0, "half_s": 7200.0}


def test_the_goal_comes_before_the_threshold_and_this_before_the_efforts() -> None:
    """1:55:00 is 5:27 /km over the half and 5:15 /km for an hour by Riegel; without anything there is none."""
    goal = threshold_of(**KNOWN)
    own = threshold_of(**KNOWN | {"goal_s": None})
    efforts = threshold_of(**KNOWN | {"goal_s": None, "threshold_pace_s_per_km": None})

    assert goal is not None
    assert goal.rests_on == "goal"
    # 3600 s over 21.0975 km × (3600 / 6900)^(1 / 1.06) = 11.422 km
    assert goal.pace_s_per_km == pytest.approx(315.2, abs=0.1)
    assert own == (320.0, "threshold pace")
    assert efforts is not None
    assert efforts.rests_on == "best efforts"
    assert threshold_of(goal_s=None, threshold_pace_s_per_km=None, half_s=None) is None


def test_each_run_has_the_pace_of_its_zone_and_the_race_that_of_the_goal() -> None:
    """What is no run has none."""
    paced = with_paces(SESSIONS, threshold_of(**KNOWN))

    race = paced.filter(pl.col("session") == "race").row(0, named=True)
    assert race["planned_pace_s_per_km"] == pytest.approx(6900 / 21.0975)
    easy = paced.filter(pl.col("session") == "easy")["planned_pace_s_per_km"]
    assert easy.unique().to_list() == pytest.approx([315.2 * (1.14 + 1.29) / 2], abs=0.2)
    no_run = paced.filter(pl.col("zone") == "none")
    assert no_run["planned_pace_s_per_km"].null_count() == no_run["pace_from"].null_count() == len(no_run)


def test_without_goal_and_fitness_there_are_no_paces() -> None:
    """Unknown is null."""
    paced = with_paces(SESSIONS, None)

    assert paced["planned_pace_s_per_km"].null_count() == paced["pace_from"].null_count() == len(SESSIONS)


@given(st.floats(150, 600))
def test_paces_lie_in_the_zones_that_runs_are_counted_in(threshold_s_per_km: float) -> None:
    """The middle of each band is in the zone of that number, whatever the runner can do."""
    for zone, (quick, slow) in ZONE_BANDS.items():
        middle = (quick + slow) / 2 * threshold_s_per_km
        found = pace_zone(pl.Series([1000 / middle]).to_numpy(), threshold_s_per_km)
        assert found.tolist() == [int(zone[1])]


@given(st.floats(3000, 21600))
def test_a_goal_and_an_effort_over_the_half_are_worth_the_same(half_s: float) -> None:
    """One formula, seen from both sides."""
    goal = threshold_of(goal_s=half_s, threshold_pace_s_per_km=None, half_s=None)
    effort = pl.DataFrame({"distance_m": [HALF_MARATHON_M], "time_s": [half_s]})

    assert goal is not None
    assert goal.pace_s_per_km == pytest.approx(hour_pace_s_per_km(effort))
