"""Weeks before a change are kept, and the result is that of computing everything."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.changes import WEEK_KEYS, first_change, week_keys
from flows.alerting import raise_for_athlete
from flows.refresh import refresh_athlete
from sample_data.history import made_up_samples, write_activity
from store import home as homes
from store.database import frame, insert_rows, opened_store
from store.home import Home
from store.settings import Settings

MON = date(2026, 3, 2)
FIRST = datetime(2026, 3, 2, 7, tzinfo=UTC)
TODAY = date(2026, 6, 12)
RUNS = 34
EVERY = timedelta(days=3)
GIVEN = {
    "max_hr_bpm": 186,
    "resting_hr_bpm": 52,
    "plan": {"name": "half_marathon_beginner", "race_date": "2026-08-02"},
}
NOT_DERIVED = ("exports", "activities", "laps", "pain_reports", "strength_sessions", "flow_log")


class Diary:
    """One athlete's history in a store, and what may happen to it."""

    def __init__(self, con: Any, home: Home, rng: random.Random, runs: int = RUNS) -> None:
        self.con, self.home, self.rng = con, home, rng
        self.today, self.told, self.written = TODAY, GIVEN, 0
        for place in range(runs):
            self.run(FIRST + place * EVERY)

    def run(self, started_at: datetime | None = None) -> None:
        """A run of half an hour, on any day unless one is given."""
        started_at = started_at or FIRST + timedelta(
            days=self.rng.randrange(-10, 100), minutes=self.rng.randrange(600)
        )
        seed = self.written = self.written + 1
        samples = made_up_samples(
            started_at,
            seconds=1950,
            speed_m_per_s=2.6 + seed % 4 / 10,
            hr_bpm=132.0 + seed % 4 * 5,
            seed=seed,
        )
        samples = samples.with_columns(temperature_c=pl.lit(10.0 + seed % 13))
        write_activity(
            self.con,
            self.home,
            samples,
            started_at=started_at,
            activity_id=f"run{seed}",
            ascent_m=float(seed),
        )

    def exclude(self) -> None:
        self.con.execute(
            "update activities set is_excluded = not is_excluded where activity_id = ?", [self.any()]
        )

    def correct(self) -> None:
        change = (
            "recorded_distance_m = coalesce(recorded_distance_m, distance_m), distance_m = 1.1 * distance_m"
        )
        self.con.execute(f"update activities set {change} where activity_id = ?", [self.any()])

    def climb(self) -> None:
        self.con.execute("update activities set ascent_m = 300 where activity_id = ?", [self.any()])

    def report_pain(self) -> None:
        at = FIRST + timedelta(days=self.rng.randrange(100), hours=12)
        known = {
            "report_id": f"pain{at}",
            "athlete": "me",
            "reported_at": at,
            "local_date": at.date(),
            "side": "left",
        }
        row = known | {"during": 4, "source": "test", "flags": []}
        insert_rows(self.con, "pain_reports", [row], or_ignore=True)

    def lift(self) -> None:
        day = MON + timedelta(days=self.rng.randrange(100))
        row = {
            "session_id": f"lift{day}",
            "athlete": "me",
            "local_date": day,
            "rpe": 5,
            "duration_s": 1800,
            "exercises": [],
        }
        insert_rows(self.con, "strength_sessions", [row], or_ignore=True)

    def wait(self) -> None:
        self.today += timedelta(days=11)

    def look_back(self) -> None:
        self.today -= timedelta(days=9)

    def test_the_heart(self) -> None:
        self.told = self.told | {"max_hr_bpm": 181}

    def begin_weeks_on_sundays(self) -> None:
        self.told = self.told | {"week_start": "sunday", "since": {"2026-05-01": {"max_hr_bpm": 179}}}

    def any(self) -> str:
        return f"run{self.rng.randrange(1, self.written + 1)}"

    def refresh(self, *, rebuild: bool = False) -> dict[str, int]:
        settings = Settings.model_validate({"default_athlete": "me", "athletes": {"me": self.told}})
        counts = refresh_athlete(self.con, self.home, settings, "me", today=self.today, rebuild=rebuild)
        raise_for_athlete(self.con, settings, "me", today=self.today, now=FIRST)
        return counts

    def derived(self) -> dict[str, pl.DataFrame]:
        names = self.con.execute("select table_name from duckdb_tables() where not internal").fetchall()
        return {
            name: frame(self.con, f"from {name} order by all") for (name,) in names if name not in NOT_DERIVED
        }


@pytest.fixture
def diary(home: Home, request: pytest.FixtureRequest) -> Any:
    with opened_store(homes.at(home.root).prepare()) as con:
        yield Diary(con, home, random.Random(getattr(request, "param", 0)))


@pytest.mark.homes
@pytest.mark.parametrize("diary", [2], indirect=True)
def test_whatever_happens_in_whatever_order_is_as_if_computed_from_nothing(diary: Diary) -> None:
    """Late, excluded and corrected runs, reports, other settings, another day: every derived table is the same."""
    happens: list[Callable[[], None]] = [
        *(diary.run, diary.exclude, diary.correct, diary.climb),
        *(diary.report_pain, diary.lift, diary.wait, diary.look_back),
        *(diary.test_the_heart, diary.begin_weeks_on_sundays),
    ]
    diary.rng.shuffle(happens)
    diary.refresh()
    for event in happens:
        event()
        counts = diary.refresh()
        found = diary.derived()

        diary.refresh(rebuild=True)

        for table, rows in diary.derived().items():
            assert_frame_equal(found[table], rows, rel_tol=1e-9, abs_tol=1e-9), (table, event)
        assert counts["weeks_computed"] <= counts["weeks"]
    assert {"form_trends", "race_equivalents", "weekly_pace", "week_keys"} <= {
        table for table, rows in found.items() if len(rows) > 10
    }


def test_the_run_of_today_costs_the_weeks_from_its_own_on(diary: Diary) -> None:
    """Nothing new costs none; a late run costs its week and those after; a rebuild costs all."""
    every = diary.refresh()["weeks_computed"]

    assert diary.refresh()["weeks_computed"] == 0
    diary.run(datetime(2026, 6, 11, 7, tzinfo=UTC))
    assert diary.refresh()["weeks_computed"] == 8  # seven planned ones lie ahead
    diary.run(datetime(2026, 5, 27, 18, tzinfo=UTC))
    assert diary.refresh()["weeks_computed"] == 10
    assert diary.refresh(rebuild=True)["weeks_computed"] == every == 22  # the last of the plan's


def assert_as_from_nothing(diary: Diary) -> None:
    diary.refresh()
    found = diary.derived()
    diary.refresh(rebuild=True)
    for table, rows in diary.derived().items():
        assert_frame_equal(found[table], rows, rel_tol=1e-9, abs_tol=1e-9)


def test_a_maximum_of_today_goes_through_every_week(diary: Diary) -> None:
    """No run has it yet, but the second opinion on easy pace is read at 75 % of it."""
    diary.refresh()
    before = diary.derived()["weekly_pace"]["line_pace_s_per_km"].drop_nulls()
    diary.told = GIVEN | {"since": {TODAY.isoformat(): {"max_hr_bpm": 187}}}

    assert_as_from_nothing(diary)
    after = diary.derived()["weekly_pace"]["line_pace_s_per_km"].drop_nulls()
    assert after.to_list() != before.to_list()


def test_a_week_begins_without_a_run_as_well(home: Home) -> None:
    """With a plan alone there are no days; its weeks are judged from their first day on."""
    with opened_store(home) as con:
        diary = Diary(con, home, random.Random(), runs=0)
        for days in (2, 1, 1):  # Sunday, a Monday of rest, Tuesday
            diary.today += timedelta(days=days)
            assert_as_from_nothing(diary)
        assert len(diary.derived()["weekly_pace"]) == 10


facts = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3)), max_size=20)


def frame_of(rows: list[tuple[int, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        [(MON + timedelta(weeks=week), value) for week, value in rows],
        schema={"week_start": pl.Date, "value": pl.Int64},
        orient="row",
    )


@given(facts, facts, st.randoms())
def test_the_first_change_is_where_the_first_other_fact_is(
    before: list[tuple[int, int]], now: list[tuple[int, int]], shuffled: random.Random
) -> None:
    """As a comparison of the facts themselves says, in any order."""
    differ = [
        week
        for week in range(21)
        if sorted(r for r in before if r[0] == week) != sorted(r for r in now if r[0] == week)
    ]
    shuffled.shuffle(now)

    found = first_change(week_keys([frame_of(before)], seed=""), week_keys([frame_of(now)], seed=""))

    assert found == (MON + timedelta(weeks=differ[0]) if differ else date.max)


def test_what_every_week_rests_on_changes_the_first() -> None:
    """And every one after it."""
    rows = frame_of([(0, 1), (1, 1)])
    one, other = week_keys([rows], seed="a"), week_keys([rows], seed="b")

    assert one.schema == WEEK_KEYS
    assert first_change(one, other) == MON
    assert not set(one["inputs_key"]) & set(other["inputs_key"])
    assert len(set(one["inputs_key"])) == 2
