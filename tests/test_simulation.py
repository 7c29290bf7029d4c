"""The simulated runners: whom nothing befalls hears nothing, and luck is the same in both lives."""

import pytest

from analytics.plan import dated
from benchmarks.simulation import (
    PLANS,
    RACE,
    announce,
    entry_of,
    lived,
    luck_of,
    measured,
    no_luck_needed,
    numbers_of,
)
from ingest.plans import read_plan


@pytest.mark.parametrize("follows", [False, True])
@pytest.mark.parametrize("name", sorted(PLANS))
def test_who_follows_the_plan_without_pain_hears_nothing_in_sixteen_weeks(name, follows):
    """No alert, nothing announced, nothing changed, and ready for the race."""
    plan = dated(read_plan(name), name=name, race_date=RACE)

    life = lived(plan, entry_of(name), no_luck_needed(), follows=follows)
    numbers = numbers_of(life)

    assert numbers["alerts_per_fortnight"] == 0
    assert numbers["spikes_per_runner"] == 0
    assert life.announced == set()
    assert life.missed == []
    assert numbers["ready"]
    planned_m = plan["distance_m"].sum() - 21_097.5
    assert numbers["km_per_week"] == pytest.approx(planned_m / 16_000)


def test_a_runner_lives_the_same_life_again():
    """Seeded: the numbers in docs/plan.md can be had again."""
    assert measured(3, follows=True) == measured(3, follows=True)
    assert (luck_of(3).missed == luck_of(3).missed).all()
    assert (luck_of(3).missed != luck_of(4).missed).any()


def test_a_spike_ahead_is_announced_on_monday():
    """With a longest run of 5 km the long run of the first week is called a spike."""
    name = "half_marathon_beginner"
    plan = dated(read_plan(name), name=name, race_date=RACE)
    start = plan["local_date"].min()
    life = lived(plan.clear(), [(start, 5_000.0)], no_luck_needed(), follows=False)

    announce(life, plan, start)

    assert len(life.announced) >= 1
