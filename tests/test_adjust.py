"""A changed fortnight: what each rule does, and what no proposal may ever hold."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from analytics.adjust import (
    CHANGES,
    LEVELS,
    Situation,
    adjustment,
    knee_level,
    merged,
    outlook,
    proposed,
    situation,
    with_changes,
)
from analytics.pain import Report
from analytics.plan import PLAN_SESSIONS, RUN_SESSIONS, dated, plan_vs_actual, upcoming_spikes

RACE = date(2026, 10, 11)
START = RACE - timedelta(days=111)
PLANS = {
    name: dated(
        pl.read_csv(Path(__file__).parents[1] / "plans" / f"half_marathon_{name}.csv"),
        name=name,
        race_date=RACE,
    )
    for name in ("beginner", "intermediate")
}
BEGINNER = PLANS["beginner"]
ENTRY_KM = {"beginner": (4, 4, 4, 7.8), "intermediate": (6, 7, 7, 10.0)}
WEEK_6 = START + timedelta(
    weeks=5
)  # Tue easy 6.1, Wed strength, Thu steady 6.3, Fri strength, Sat 4.2, Sun long 11.9


def as_planned(name: str = "beginner", *, until: date, gps: float = 1.0) -> list[tuple[date, float]]:
    """Day and metres of four weeks of entry and of every run of the plan before a day."""
    entry = [
        (START - timedelta(days=7 * week - day), km * 1000)
        for week in range(1, 5)
        for day, km in zip((1, 3, 5, 6), ENTRY_KM[name], strict=True)
    ]
    runs = PLANS[name].filter(pl.col("session").is_in(list(RUN_SESSIONS)), pl.col("local_date") < until)
    return [*entry, *((day, metres * gps) for day, metres in runs.select("local_date", "distance_m").rows())]


def strength_as_planned(name: str = "beginner", *, until: date) -> list[date]:
    sessions = PLANS[name].filter(pl.col("session") == "strength", pl.col("local_date") < until)
    return sessions["local_date"].to_list()


def on(
    today: date,
    *,
    level: str | None = None,
    missed: int = 0,
    runs: list[tuple[date, float]] | None = None,
    strength: list[date] | None = None,
) -> Situation:
    """A runner who did all as planned, but for what is said."""
    return Situation(
        today=today,
        level=level,  # type: ignore[arg-type]
        missed_runs=missed,
        runs=[run for run in (as_planned(until=today) if runs is None else runs) if run[0] <= today],
        strength_dates=strength_as_planned(until=today) if strength is None else strength,
    )


def in_short(changes: pl.DataFrame) -> list[tuple[int, str | None, float | None, str, float]]:
    """Day from the first, session and km before, session and km after."""
    return [
        (
            (row["local_date"] - WEEK_6).days,
            row["session"],
            None if row["distance_m"] is None else row["distance_m"] / 1000,
            row["new_session"],
            row["new_distance_m"] / 1000,
        )
        for row in changes.iter_rows(named=True)
    ]


def report(day: date, during: float, side: str = "right", **others: object) -> Report:
    return Report(
        report_id=f"{day}{side}",
        reported_at=datetime.combine(day, time(18), UTC),
        local_date=day,
        side=side,
        during=during,
        **others,  # type: ignore[arg-type]
    )


# The rules, one by one ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("gps", [0.99, 1.0, 1.004])
def test_who_follows_the_plan_without_pain_is_proposed_nothing(name, gps):
    """Seen from any day of sixteen weeks; GPS may read a little long or short."""
    for days in range(112):
        today = START + timedelta(days=days)
        now = on(
            today,
            runs=as_planned(name, until=today, gps=gps),
            strength=strength_as_planned(name, until=today),
        )
        assert proposed(PLANS[name], now).is_empty(), today
        assert proposed(PLANS[name], now).schema == CHANGES


def test_one_missed_run_changes_nothing_that_is_no_spike():
    """What was missed is not made up for, and the rest of the plan stands."""
    runs = [run for run in as_planned(until=WEEK_6) if run[0] != WEEK_6 - timedelta(days=5)]

    assert proposed(BEGINNER, on(WEEK_6, runs=runs, missed=1)).is_empty()


def test_after_a_fortnight_without_runs_the_weeks_grow_step_by_step():
    """80 % of the fullest week (26.7 km) first: the short runs give way before the long one is cut."""
    runs = as_planned(until=WEEK_6 - timedelta(days=14))

    changes = proposed(BEGINNER, on(WEEK_6, runs=runs, missed=8))

    # Sunday's limit is 11.1, 10 % over 10.1; 21.36 - 11.1 are left for the 16.6 of the others, 61.8 % of each
    assert in_short(changes)[:4] == [
        (1, "easy", 6.1, "easy", 3.7),
        (3, "steady", 6.3, "steady", 3.8),
        (5, "easy", 4.2, "easy", 2.5),
        (6, "long", 11.9, "long", 11.1),
    ]
    assert changes["reason"][0] == (
        "Back step by step: 21.4 km at most in seven days, after 0.0 km in the seven before."
    )


def test_without_a_run_for_a_month_the_first_is_short():
    """Three kilometres at most, ten in the week, and no step up within it."""
    changes = proposed(BEGINNER, on(WEEK_6, runs=[], missed=8))

    assert in_short(changes)[:4] == [
        (1, "easy", 6.1, "easy", 3.0),
        (3, "steady", 6.3, "steady", 2.3),
        (5, "easy", 4.2, "easy", 2.3),
        (6, "long", 11.9, "long", 2.3),
    ]
    alone = proposed(BEGINNER, on(WEEK_6, runs=[]))
    assert in_short(alone)[:2] == [(1, "easy", 6.1, "easy", 3.0), (3, "steady", 6.3, "steady", 3.0)]
    assert alone["reason"][0] == "There is no run in the 30 days before: a short one to begin with."


def test_a_run_beyond_ten_percent_is_cut_to_what_is_no_spike():
    """The longest so far is 9 km: Sunday's 11.9 become 9.9, and a week later one more step is due."""
    runs = [(day, min(metres, 9_000.0)) for day, metres in as_planned(until=WEEK_6)]

    changes = proposed(BEGINNER, on(WEEK_6, runs=runs))

    assert in_short(changes) == [(6, "long", 11.9, "long", 9.9), (13, "long", 13.0, "long", 10.8)]
    assert changes["new_duration_s"][0] == pytest.approx(changes["duration_s"][0] * 9.9 / 11.9)
    assert changes["reason"][0] == (
        "11.9 km would be +32 % of the longest of the 30 days before, 9.0 km; up to 9.9 km is no spike."
    )


def test_at_p1_no_run_is_longer_than_the_longest():
    """11 km was the longest before; the next week repeats it as well."""
    changes = proposed(BEGINNER, on(WEEK_6, level="P1"))

    assert in_short(changes) == [(6, "long", 11.9, "long", 11.0), (13, "long", 13.0, "long", 11.0)]
    assert "no further than that" in changes["reason"][0]


def test_at_p2_runs_are_halved_and_more_frequent_easy_and_flat():
    """Sunday's long run becomes two, one of them on Wednesday as far as the week allows; nothing is fast."""
    changes = proposed(BEGINNER, on(WEEK_6, level="P2"))

    assert in_short(changes)[:6] == [
        (1, "easy", 6.1, "easy", 5.5),
        (2, None, None, "easy", 3.5),
        (3, "steady", 6.3, "easy", 5.5),
        (5, "easy", 4.2, "easy", 4.2),
        (6, "long", 11.9, "easy", 5.5),
        (8, "easy", 6.8, "easy", 5.5),
    ]
    runs = changes.filter(pl.col("new_session") == "easy")
    assert runs["new_notes"].str.starts_with("Flat, no downhill").all()
    assert set(runs["new_zone"]) == {"Z2"}


@pytest.mark.parametrize(("level", "instead"), [("P3", "walk"), ("R", "rest")])
def test_at_p3_and_r_nobody_runs(level, instead):
    """Every run is a walk or rest, and strength is left out."""
    changes = proposed(BEGINNER, on(WEEK_6, level=level))

    after = with_changes(BEGINNER, changes).filter(
        pl.col("local_date").is_between(WEEK_6, WEEK_6 + timedelta(days=13))
    )
    assert set(after["session"]) <= {instead, "rest", "mobility"}
    assert after["distance_m"].sum() == 0


def test_strength_too_close_to_the_last_one_is_dropped():
    """Tuesday's own session leaves less than 48 hours to Wednesday's; Friday's stays."""
    tuesday = WEEK_6 + timedelta(days=1)

    changes = proposed(
        BEGINNER, on(tuesday, strength=[tuesday], runs=[*as_planned(until=tuesday), (tuesday, 6100.0)])
    )

    assert in_short(changes) == [(2, "strength", 0.0, "rest", 0.0)]
    assert "48 hours" in changes["reason"][0]


def test_a_race_that_would_be_a_spike_becomes_a_run_that_is_none():
    """It is said plainly, and nothing changes until it is accepted."""
    today = RACE - timedelta(days=6)
    runs = [(day, min(metres, 15_000.0)) for day, metres in as_planned(until=today)]

    race = proposed(BEGINNER, on(today, runs=runs)).row(-1, named=True)

    assert (race["session"], race["new_session"], race["new_distance_m"]) == ("race", "easy", 16_500.0)
    assert race["reason"].endswith("Consider another goal, or a later race.")


# Where it leads ----------------------------------------------------------------------------------------------


def test_on_course_race_day_is_no_spike():
    """The plan itself leads there."""
    found = outlook(BEGINNER, on(WEEK_6))

    assert (found.race_on, found.race_spike_bin, found.rejoins_on) == (RACE, "reference", None)
    assert found.advice == "No session up to the race needs to change. Race day will be no spike."


def test_after_missed_weeks_the_plan_is_rejoined_on_a_day():
    """A fortnight without runs in week 4 and 5 is caught up with long before the race."""
    runs = as_planned(until=WEEK_6 - timedelta(days=14))

    found = outlook(BEGINNER, on(WEEK_6, runs=runs, missed=8))

    assert found.rejoins_on is not None
    assert WEEK_6 + timedelta(days=7) < found.rejoins_on < RACE
    assert found.advice.startswith("Step by step you are back on the plan on ")


def test_a_race_out_of_reach_is_called_a_spike():
    """Five weeks before the race with 8 km as the longest run, 10 % a week leads to 11.7."""
    today = RACE - timedelta(days=34)
    runs = [(day, min(metres, 8_000.0)) for day, metres in as_planned(until=today)]

    found = outlook(BEGINNER, on(today, runs=runs))

    assert found.race_longest_30d_m is not None
    assert found.race_longest_30d_m < 21_097.5 / 1.3
    assert found.race_spike_bin in ("moderate", "large")
    assert "consider another goal" in found.advice
    assert f"{100 * (21097.5 / found.race_longest_30d_m - 1):+.0f} % spike" in found.advice


def test_without_a_race_ahead_there_is_no_outlook():
    """After the race, or without a plan, nothing is promised."""
    assert outlook(BEGINNER, on(RACE + timedelta(days=1))).race_on is None
    assert outlook(BEGINNER.clear(), on(WEEK_6)).advice == ""


# What it goes by ---------------------------------------------------------------------------------------------


def test_the_worse_knee_counts_for_a_fortnight():
    """The newest report of each knee; one of both is one of each."""
    reports = [report(WEEK_6, 1), report(WEEK_6 - timedelta(days=3), 4, side="left")]

    assert knee_level(reports, today=WEEK_6) == "P2"
    assert knee_level(reports, today=WEEK_6 + timedelta(days=12)) == "P1"
    assert knee_level(reports, today=WEEK_6 + timedelta(days=15)) is None
    assert knee_level([*reports, report(WEEK_6, 0, side="both")], today=WEEK_6) in ("P0", "P1")
    assert knee_level(reports, today=WEEK_6 - timedelta(days=1)) == "P2"


def test_missed_runs_of_the_last_fortnight_are_counted():
    """Not those before, and no missed strength or rest."""
    runs = pl.DataFrame(
        [(str(i), *run) for i, run in enumerate(as_planned(until=WEEK_6 - timedelta(days=8)))],
        schema={"activity_id": pl.String, "local_date": pl.Date, "distance_m": pl.Float64},
        orient="row",
    )
    matched = plan_vs_actual(BEGINNER, runs, [], today=WEEK_6)

    now = situation(matched, runs, [], [], today=WEEK_6)

    assert now.missed_runs == 5  # Sunday's of week 4, and the four of week 5
    assert min(day for day, _ in now.runs) >= WEEK_6 - timedelta(days=42)


# Taking it over ----------------------------------------------------------------------------------------------


def test_changes_of_sessions_that_are_gone_are_left_out_and_nothing_is_added_then():
    """A plan that was moved meanwhile is never given more than it had."""
    changes = proposed(BEGINNER, on(WEEK_6, level="P2"))
    later = BEGINNER.with_columns(pl.col("local_date") + timedelta(days=1))

    found = with_changes(later, changes)

    assert len(found) == len(BEGINNER)
    assert found["distance_m"].sum() <= BEGINNER["distance_m"].sum()


def test_no_changes_leave_the_plan_as_it_is():
    """And so does an empty plan."""
    nothing = CHANGES.to_frame()

    assert with_changes(BEGINNER, nothing).equals(BEGINNER)
    assert with_changes(BEGINNER.clear(), nothing).is_empty()


def test_what_was_accepted_is_proposed_no_more_and_given_back_when_the_knee_is_quiet():
    """Walks at P3, taken over; the same knee has nothing new, a quiet one gets its runs back."""
    sore, quiet = on(WEEK_6, level="P3"), on(WEEK_6, level="P0")
    first = adjustment(BEGINNER, BEGINNER, sore)
    active = with_changes(BEGINNER, merged([(WEEK_6, first)]))

    assert first.equals(proposed(BEGINNER, sore))
    assert adjustment(BEGINNER, active, sore).is_empty()
    back = adjustment(BEGINNER, active, quiet)
    assert set(back["reason"]) == {"The plan holds again as it is."}
    assert len(back) == len(first)
    assert with_changes(BEGINNER, merged([(WEEK_6, first), (WEEK_6, back)])).equals(BEGINNER)


def test_a_later_adjustment_replaces_the_earlier_one_from_its_day_on():
    """Thursday's leaves what was changed on Tuesday, and says all of Thursday and after."""
    thursday = WEEK_6 + timedelta(days=3)
    first = proposed(BEGINNER, on(WEEK_6, level="P3"))
    second = proposed(BEGINNER, on(thursday, level="P1"))

    changes = merged([(WEEK_6, first), (thursday, second)])

    assert changes.filter(pl.col("local_date") < thursday).equals(
        first.filter(pl.col("local_date") < thursday)
    )
    assert changes.filter(pl.col("local_date") >= thursday).equals(second)


# What no proposal may hold -----------------------------------------------------------------------------------

histories = st.tuples(
    st.sampled_from(sorted(PLANS)),
    st.integers(0, 111),
    st.sampled_from([None, *LEVELS]),
    st.lists(st.integers(0, 20), max_size=40),  # tenths of each run, the newest first; below 3 it was missed
    st.lists(st.integers(-30, 111), max_size=6),  # extra strength sessions
)


@hypothesis_settings(max_examples=150)
@given(histories)
def test_no_proposal_holds_a_spike_strength_too_close_or_more_than_the_plan(history):
    """Over random runs, misses and pain; and asked again after it was accepted, there is nothing left to change."""
    name, days, level, shares, extra = history
    plan, today = PLANS[name], START + timedelta(days=days)
    newest_first = sorted(as_planned(name, until=today), reverse=True)
    tenths_of = [*shares, *[10] * len(newest_first)]
    runs = [
        (day, metres * tenths / 10)
        for (day, metres), tenths in zip(newest_first, tenths_of, strict=False)
        if tenths >= 3
    ]
    strength = sorted({START + timedelta(days=day) for day in extra if day <= days})
    now = on(today, level=level, missed=sum(tenths < 3 for tenths in shares), runs=runs, strength=strength)

    changes = proposed(plan, now)
    after = with_changes(plan, changes)

    assert after.schema == PLAN_SESSIONS
    ahead = pl.col("local_date").is_between(today, today + timedelta(days=13))
    frame = pl.DataFrame(
        [(str(i), *run) for i, run in enumerate(runs)],
        schema={"activity_id": pl.String, "local_date": pl.Date, "distance_m": pl.Float64},
        orient="row",
    )
    coming = upcoming_spikes(after, frame, today=today)
    assert set(coming["spike_bin"]) <= {"reference", "no_baseline"}
    if level in ("P1", "P2") or now.missed_runs:
        every = [*runs, *((run["local_date"], run["planned_distance_m"]) for run in coming.to_dicts())]
        for run in coming.filter(pl.col("session") != "race", "week_is_ramp").to_dicts():
            weeks_before = [run["local_date"] - timedelta(days=back) for back in range(7, 36)]
            used_to_m = max(
                sum(m for day, m in every if last - timedelta(days=7) < day <= last) for last in weeks_before
            )
            assert run["week_done_m"] + run["week_planned_m"] <= 0.8 * used_to_m + 1e-6
    planned_strength = after.filter(ahead, pl.col("session") == "strength")["local_date"].to_list()
    lifted = sorted([*strength[-1:], *planned_strength])
    assert all((later - earlier).days >= 2 for earlier, later in pairwise(lifted) if later > today)
    for block in range(2):
        in_block = pl.col("local_date").is_between(
            today + timedelta(days=7 * block), today + timedelta(days=7 * block + 6)
        )
        for measure in (pl.col("distance_m"), pl.col("duration_s"), pl.col("duration_s") * pl.col("rpe")):
            asked, given = (p.filter(in_block).select(measure.sum()).item() for p in (plan, after))
            assert given <= asked + 1e-6
    assert after.filter(~ahead).equals(plan.filter(~ahead))
    assert adjustment(plan, after, now).is_empty()
    assert with_changes(plan, merged([(today, adjustment(plan, plan, now))])).equals(after)
    assert proposed(after, now).is_empty()
