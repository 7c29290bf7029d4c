"""What a plan does to the knee by itself: built-in, published and broken plans."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.load import spike_bin
from analytics.plan import DAYS, PLAN_SESSIONS, RUN_SESSIONS, dated
from analytics.plan_check import FINDINGS, RULES, PlanSummary, check_plan
from ingest.plans import read_plan
from report.format import METRES_PER_MILE, Units
from report.plan_words import finding_sentence, place, summary_rows
from report.words import words

RACE = date(2026, 10, 11)
START = RACE - timedelta(days=111)
NO_RUNS = pl.DataFrame(schema={"local_date": pl.Date, "distance_m": pl.Float64})
PUBLISHED = pl.read_csv(Path(__file__).parent / "data" / "published_plans.csv")

# Numbers of science/report.md, table 6.1, which another program computed: km of the first week and the highest, longest
# run, highest step of a run in percent, runs more than 10 % over, highest step of a week in percent.
TABLE = {"runhers": (20.9, 38.6, 17.7, 25, 6, 14), "popsugar": (9.7, 18.5, 8.0, 50, 5, 21)}


def sessions(*rows: tuple[int, str, str, float | None]) -> pl.DataFrame:
    """Sessions from week, day, kind and kilometres; Monday of week 1 is START."""
    found = [
        {
            "plan": "mine",
            "week": week,
            "local_date": START + timedelta(days=7 * (week - 1) + DAYS.index(day)),
            "session": kind,
            "distance_m": None if km is None else km * 1000,
        }
        for week, day, kind, km in rows
    ]
    return pl.DataFrame(found, schema=PLAN_SESSIONS)


def runs_before(*kilometres: float) -> pl.DataFrame:
    """One run in each of the weeks before START, the last one first."""
    return pl.DataFrame(
        [(START - timedelta(days=7 * number + 1), km * 1000) for number, km in enumerate(kilometres)],
        schema=NO_RUNS.schema,
        orient="row",
    )


def checked(plan: pl.DataFrame, runs: pl.DataFrame = NO_RUNS) -> tuple[PlanSummary, list[dict[str, Any]]]:
    summary, findings = check_plan(plan, runs, today=START - timedelta(days=1))
    assert findings.schema == FINDINGS
    return summary, findings.to_dicts()


def rules(plan: pl.DataFrame, runs: pl.DataFrame = NO_RUNS) -> list[str]:
    return [finding["rule"] for finding in checked(plan, runs)[1]]


def published(name: str) -> pl.DataFrame:
    rows = PUBLISHED.filter(pl.col("plan") == name)
    return sessions(
        *((week, day, kind, miles * METRES_PER_MILE / 1000) for _, week, day, kind, miles in rows.iter_rows())
    )


@pytest.mark.parametrize(
    ("name", "race_pct", "entry_km"), [("beginner", 7.6, 7.8), ("intermediate", 0.5, 10.0)]
)
def test_nothing_is_found_in_the_built_in_plans(name: str, race_pct: float, entry_km: float) -> None:
    """And what they ask for at the start is what science/report.md 6.2 says."""
    plan = dated(read_plan(f"half_marathon_{name}"), name=name, race_date=RACE)

    summary, findings = checked(plan)

    assert findings == []
    assert summary.race_ratio == pytest.approx(race_pct / 100, abs=0.0005)
    assert summary.entry_longest_m == pytest.approx(entry_km * 1000, abs=50)


@pytest.mark.parametrize("name", TABLE)
def test_published_plans_are_as_another_program_found_them(name: str) -> None:
    """Entered from their numbers: every step beyond 10 % stands in the table of science/report.md 6.1."""
    first, peak, longest, step, over, week = TABLE[name]

    summary, findings = checked(published(name))

    assert summary.first_week_m == pytest.approx(first * 1000, abs=50)
    assert summary.peak_week_m == pytest.approx(peak * 1000, abs=50)
    assert summary.longest_m == pytest.approx(longest * 1000, abs=60)
    assert summary.worst_step_ratio == pytest.approx(step / 100, abs=0.005)
    assert summary.steps_over_10_pct == over
    assert summary.worst_week_ratio == pytest.approx(week / 100, abs=0.005)
    assert summary.race_ratio is None
    assert {"spike", "no_cut_back"} <= {finding["rule"] for finding in findings}
    assert ("strength_too_close" in {finding["rule"] for finding in findings}) == (name == "popsugar")


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([(1, "sun", "long", 10), (2, "sun", "long", 11.19)], []),
        ([(1, "sun", "long", 10), (2, "sun", "long", 11.2)], ["spike"]),
        ([(1, "sun", "long", 10), (2, "sun", "race", 21.0975)], ["race_spike"]),
        ([(1, "sun", "long", 10), (1, "mon", "easy", 5), (2, "sun", "long", 10)], []),
        ([(1, "tue", "long", 10), (2, "tue", "easy", 3), (2, "sun", "long", 10)], []),
        ([(1, "tue", "long", 10), (2, "tue", "easy", 3.1), (2, "sun", "long", 10)], ["ramp"]),
        ([(1, "sun", "long", 10), (2, "tue", "easy", None), (2, "sun", "long", 14)], ["spike"]),
        ([(week, "sun", "long", 10) for week in (1, 2, 3)], []),
        ([(week, "sun", "long", 10) for week in (1, 2, 3, 4)], ["no_cut_back"]),
        ([(week, "sun", "long", 9 if week == 4 else 10) for week in range(1, 8)], []),
        ([(week, "sun", "long", 9.1 if week == 4 else 10) for week in range(1, 8)], ["no_cut_back"]),
        ([(1, "sat", "strength", 0), (1, "sun", "long", 10)], ["strength_before_long"]),
        ([(1, "sun", "strength", 0), (1, "sun", "long", 10)], ["strength_before_long"]),
        ([(1, "fri", "strength", 0), (1, "sun", "long", 10)], []),
        ([(1, "sat", "strength", 0), (1, "sun", "race", 10)], ["strength_before_long"]),
        ([(1, "mon", "strength", 0), (1, "tue", "strength", 0)], ["strength_too_close"]),
        ([(1, "mon", "strength", 0), (1, "wed", "strength", 0)], []),
    ],
)
def test_each_rule_finds_what_it_should(
    rows: list[tuple[int, str, str, float | None]], found: list[str]
) -> None:
    """On both sides of each limit; less than 200 m beyond 10 % is no spike, an unknown distance to no sum."""
    assert rules(sessions(*rows)) == found


def test_the_longest_of_thirty_days_counts_and_no_older_one() -> None:
    """The thirtieth day before still does."""
    for days, found in ((30, []), (31, ["spike"])):
        plan = sessions((1, "mon", "long", 12), (2, "mon", "long", 10), (9, "mon", "long", 12)).with_columns(
            local_date=pl.Series([START, START + timedelta(days=20), START + timedelta(days=days)])
        )
        assert rules(plan) == found


def test_the_first_week_is_held_against_what_the_runner_did() -> None:
    """A run of 7.8 km and 20 km a week are enough for the beginner plan; less is named with both numbers."""
    plan = dated(read_plan("half_marathon_beginner"), name="beginner", race_date=RACE)

    assert rules(plan, runs_before(20, 20, 20, 20)) == []
    assert rules(plan, runs_before(7, 7, 7, 7)) == ["entry_longest", "entry_week"]
    assert rules(plan, runs_before(0.1, 0.1, 0.1, 0.1, 0.1, 20)) == ["entry_longest", "entry_week"]
    assert rules(plan, NO_RUNS) == []
    summary, findings = checked(plan, runs_before(7, 7, 7, 7))
    assert summary.own_longest_m == 7000
    assert summary.own_week_m == 7000
    assert findings[0]["spike_bin"] == "small"


def test_a_plan_that_begins_later_asks_for_the_last_thirty_days_until_today() -> None:
    """Not for those before its first day, which nobody has run yet."""
    plan = dated(read_plan("half_marathon_beginner"), name="beginner", race_date=RACE + timedelta(days=70))

    assert rules(plan, runs_before(20, 20, 20, 20)) == []


@pytest.mark.parametrize("late_days", range(1, 14))
def test_a_start_in_the_middle_of_a_week_makes_no_ramp_of_the_next(late_days: int) -> None:
    """What is left of the first week is no week to compare with; the entry asks for its longest run alone."""
    first = START + timedelta(days=35 + late_days)
    plan = dated(read_plan("half_marathon_beginner"), name="beginner", race_date=RACE)
    left = plan.filter(pl.col("local_date") >= first)

    summary, findings = checked(left)

    assert findings == []
    assert (summary.first_week_m is None) == (first.weekday() != 0)
    assert (summary.entry_week_m is None) == (first.weekday() != 0)


plans = st.lists(
    st.tuples(
        st.integers(1, 9),
        st.sampled_from(DAYS),
        st.sampled_from(["easy", "long"]),
        st.integers(1, 25).map(float),
    ),
    min_size=1,
    max_size=30,
)


@given(plans)
def test_spikes_are_those_that_a_walk_over_days_finds(rows: list[tuple[int, str, str, float]]) -> None:
    """A second implementation: kilometres by day, the highest of the thirty before."""
    plan = sessions(*rows)
    first = plan["local_date"].min()
    by_day: dict[date, float] = {}
    for day, metres in plan.select("local_date", "distance_m").rows():
        by_day[day] = max(metres, by_day.get(day, 0.0))
    expected = []
    for day, metres in sorted(plan.select("local_date", "distance_m").rows()):
        before = [by_day.get(day - timedelta(days=back), 0.0) for back in range(1, 31)]
        found = spike_bin(metres, max(before) or None)
        if day - first >= timedelta(days=7) and found in ("small", "moderate", "large"):  # type: ignore[operator]
            expected.append((day, metres, found))

    spikes = [
        (one["local_date"], one["value"], one["spike_bin"])
        for one in checked(plan)[1]
        if one["rule"] == "spike"
    ]

    assert sorted(spikes) == expected


@given(plans, st.floats(0.5, 2))
def test_steps_do_not_depend_on_how_far_the_runner_goes(
    rows: list[tuple[int, str, str, float]], factor: float
) -> None:
    """Twice the plan has the same ratios."""
    once = checked(sessions(*rows))[0]
    more = checked(sessions(*((week, day, kind, km * factor) for week, day, kind, km in rows)))[0]

    assert more.worst_step_ratio == pytest.approx(once.worst_step_ratio)
    assert more.worst_week_ratio == pytest.approx(once.worst_week_ratio)


def test_every_rule_has_words_with_its_numbers() -> None:
    """In the units of the settings."""
    assert set(RULES) <= set(words()["plan_check"])
    spike = checked(sessions((1, "sun", "long", 10), (2, "sun", "long", 13.1)))[1][0]

    assert place(spike) == "week 2, Sun 5 Jul, long"
    assert finding_sentence(spike, Units("km")) == (
        "13.1 km after 10.0 km as the longest of the 30 days before: +31.0 %, a moderate spike."
    )
    assert "8.1 mi after 6.2 mi" in finding_sentence(spike, Units("miles"))
    for finding in checked(published("popsugar"), runs_before(1))[1]:
        assert finding_sentence(finding, Units()).endswith(".")


def test_the_numbers_of_a_plan_say_what_is_not_known() -> None:
    """No run is no nought."""
    summary, _ = checked(published("runhers"))

    shown = {row["what"]: row["value"] for row in summary_rows(summary, Units())}

    assert shown["The race"] == "–"
    assert shown["You ran"] == "– (no run is known)"
    assert shown["Weeks and runs"] == "13 and 52"
    assert json.dumps(summary._asdict())


def test_every_run_session_is_looked_at() -> None:
    """A spike is one whatever the session is called."""
    for kind in sorted(RUN_SESSIONS - {"race"}):
        assert rules(sessions((1, "sun", kind, 10), (2, "sun", kind, 12))) == ["spike"]
