"""From the history to the athlete's values and on to load: estimated, dated, and recomputed from the day of a change."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from flows.refresh import refresh_athlete
from sample_data.history import made_up_samples, write_activity
from store import home as homes
from store.database import frame, insert_rows, opened_store
from store.home import Home
from store.settings import Settings

FIRST = datetime(2026, 3, 2, 7, tzinfo=UTC)
TODAY = date(2026, 4, 1)
RUNS = 8
DERIVED = (
    *("activity_marks", "athlete_parameters", "run_metrics", "cross_training", "daily_load", "weekly_trends"),
    *("zone_times", "weekly_zones", "best_efforts", "run_form"),
)
EVERY = timedelta(days=2)


@dataclass(frozen=True)
class History:
    """A home with its open store."""

    home: Home
    con: duckdb.DuckDBPyConnection

    def write(self, activity_id: str, started_at: datetime, samples: pl.DataFrame, **known: Any) -> None:
        write_activity(self.con, self.home, samples, started_at=started_at, activity_id=activity_id, **known)

    def refresh(self, today: date = TODAY, *, rebuild: bool = False, **values: Any) -> dict[str, int]:
        """Compute what is derived, for a woman who says so much of herself."""
        told = {"default_athlete": "me", "athletes": {"me": {"sex": "female"} | values}}
        settings = Settings.model_validate(told)
        return refresh_athlete(self.con, self.home, settings, "me", today=today, rebuild=rebuild)

    def asked(self, question: str) -> list[tuple[Any, ...]]:
        return self.con.execute(question).fetchall()

    def derived(self) -> list[pl.DataFrame]:
        """All that is derived from samples and values, in an order that does not depend on when it was written."""
        return [frame(self.con, f"select * from {table} order by all") for table in DERIVED]


@pytest.fixture
def nothing(home: Home) -> Iterator[History]:
    """An empty home."""
    with opened_store(home) as con:
        yield History(home, con)


@pytest.fixture
def history(nothing: History) -> History:
    """Eight runs and a walk."""
    write_history(nothing)
    return nothing


def write_history(history: History, order: Iterable[int] = range(RUNS)) -> None:
    """Runs of twenty minutes, each five beats higher than the one before, the third without a heart rate; and a walk."""
    for i in order:
        started_at = FIRST + i * EVERY
        samples = made_up_samples(started_at, seconds=1200, speed_m_per_s=3.0, hr_bpm=None, seed=i)
        if i != 2:
            samples = samples.with_columns(hr_bpm=pl.lit(150.0 + 5 * i))
        history.write(f"run{i}", started_at, samples)
    started_at = FIRST + timedelta(hours=12)
    walk = made_up_samples(started_at, seconds=1200, speed_m_per_s=1.2, hr_bpm=None)
    history.write("walk", started_at, walk.with_columns(hr_bpm=pl.lit(60.0)), is_run=False, sport="walking")


def test_the_history_gives_what_the_settings_do_not(history: History) -> None:
    """Rest from the walk, maximum from the runs; load follows, also for the runs before the first estimate."""
    history.refresh()

    found = {
        (name, value): (valid_from, is_estimated, json.loads(evidence))
        for name, value, valid_from, is_estimated, evidence in history.asked(
            "select parameter, value, valid_from, is_estimated, evidence from athlete_parameters"
        )
    }
    assert ("resting_hr_bpm", 60.0) in found
    assert found["resting_hr_bpm", 60.0][2]["activity_id"] == "walk"
    maxima = sorted((found[key][0], key[1]) for key in found if key[0] == "max_hr_bpm" and key[1] > 170)
    assert found["max_hr_bpm", 170.0][0] is None
    assert maxima == [(date(2026, 3, 14), 175.0), (date(2026, 3, 16), 180.0)]
    assert all(is_estimated for _, is_estimated, _ in found.values())
    loads = dict(history.asked("select activity_id, hrss from run_metrics"))
    assert {run for run, load in loads.items() if load is None} == {"run2"}
    assert history.asked("select hrss from cross_training") == [(0.0,)]


def test_what_is_set_wins(history: History) -> None:
    """No estimate stands beside a value that counts always."""
    history.refresh(resting_hr_bpm=52, max_hr_bpm=186)

    found = history.asked(
        "select parameter, value, valid_from, evidence from athlete_parameters where not is_estimated",
    )
    assert sorted(found) == [
        ("max_hr_bpm", 186.0, None, '{"method": "set in kneewatch.toml"}'),
        ("resting_hr_bpm", 52.0, None, '{"method": "set in kneewatch.toml"}'),
    ]
    assert history.asked("select value from athlete_parameters where parameter = 'threshold_hr_bpm'") == [
        (pytest.approx(52 + 0.85 * 134),)
    ]


def test_a_change_recomputes_what_follows_it_and_nothing_before(history: History) -> None:
    """A new maximum from the 8th on: four runs have another load, the others are not even looked at."""
    given = {"resting_hr_bpm": 52, "max_hr_bpm": 186, "threshold_hr_bpm": 166}
    changed = given | {"since": {"2026-03-09": {"max_hr_bpm": 180}}}
    history.refresh(**given)
    before = dict(history.asked("select activity_id, trimp_banister from run_metrics"))

    counts = history.refresh(**changed)

    after = dict(history.asked("select activity_id, trimp_banister from run_metrics"))
    assert counts["metrics_computed"] == 4
    assert {run for run in before if before[run] != after[run]} == {"run4", "run5", "run6", "run7"}
    assert history.refresh(**changed)["metrics_computed"] == 0


def assert_same(one: list[pl.DataFrame], other: list[pl.DataFrame]) -> None:
    for now, then in zip(one, other, strict=True):
        assert_frame_equal(now, then)


def test_a_walk_that_turns_out_to_be_a_run_is_one_throughout(history: History) -> None:
    """It gets best efforts, a cadence and a pace for an hour, as if it had always been a run."""
    history.refresh()
    history.con.execute("update activities set is_run = true, sport = 'running' where activity_id = 'walk'")
    history.refresh()
    found = history.derived()

    history.refresh(rebuild=True)

    assert history.asked("select count(*) from best_efforts where activity_id = 'walk'") == [(3,)]
    assert_same(found, history.derived())


def test_everything_from_nothing_is_what_came_step_by_step(history: History) -> None:
    """Marks, values, loads and zones are the same after a rebuild."""
    history.refresh()
    before = history.derived()
    history.refresh(rebuild=True)

    assert_same(history.derived(), before)


def test_the_order_of_intake_does_not_matter(history: History, tmp_path: Path) -> None:
    """The first runs taken in last, with a refresh in between: the same values, loads and zones."""
    history.refresh()
    late_home = homes.at(tmp_path / "late").prepare()
    with opened_store(late_home) as con:
        late = History(late_home, con)
        for some in ((5, 7, 3, 6), (2, 4), (1, 0)):
            con.execute("delete from activities where activity_id = 'walk'")
            write_history(late, some)
            late.refresh()

        assert_same(late.derived(), history.derived())


def test_an_empty_history_and_one_of_a_single_run_work(nothing: History) -> None:
    """Nothing is known, and nothing is 0 that is not known."""
    nothing.refresh()
    assert [len(table) for table in nothing.derived()] == [0] * len(DERIVED)

    write_history(nothing, (2,))
    nothing.refresh()

    assert nothing.asked("select count(*) from athlete_parameters") == [(0,)]
    assert nothing.asked("select hrss, rtss, trimp_edwards, trimp_lucia from run_metrics") == [(None,) * 4]
    assert nothing.asked("select load_unit, ctl, knee_load_klu > 3 from daily_load where runs > 0") == [
        (None, None, True)
    ]


def test_a_gap_of_a_year_works(history: History) -> None:
    """The values are those from before it, fitness has gone, and a ratio without a past is unknown."""
    started_at = FIRST + timedelta(days=400)
    samples = made_up_samples(started_at, seconds=1200, speed_m_per_s=3.0, hr_bpm=150.0)
    history.write("again", started_at, samples)

    history.refresh(date(2027, 5, 5))

    assert history.asked(
        "select value from athlete_parameters where parameter = 'max_hr_bpm' and valid_from is not null",
    ) == [
        (175.0,),
        (180.0,),
    ]
    assert history.asked(
        "select ctl > 0, ctl < 5, acwr_uncoupled, is_warming_up from daily_load where distance_m > 0 order by local_date desc limit 1",
    ) == [(True, True, None, False)]


def test_zones_follow_the_values_and_the_runs(history: History) -> None:
    """A week holds the zones of its runs; a lower maximum makes them harder; a run that no longer counts leaves none."""
    first_week = "select easy_share, known_share from weekly_zones where kind = 'heart_rate' order by week_start limit 1"
    history.refresh(max_hr_bpm=200)
    before = history.asked(first_week)
    history.refresh(max_hr_bpm=180)
    after = history.asked(first_week)
    history.con.execute("update activities set is_excluded = true where activity_id = 'run0'")

    history.refresh(max_hr_bpm=180)

    assert before == [
        (pytest.approx(2 / 3), pytest.approx(3 / 4))
    ]  # 150, 155 and 165 of 200; run2 has no strap
    assert after == [(pytest.approx(0), pytest.approx(3 / 4))]
    assert history.asked("select count(*) from zone_times where activity_id = 'run0'") == [(0,)]
    assert history.asked(
        "select sum(time_s) from zone_times where activity_id = 'run3' and kind = 'heart_rate'"
    ) == [(pytest.approx(1200),)]


def test_the_usual_cadence_is_that_of_the_days_before(history: History) -> None:
    """A run of more steps than the ones before is less load on the knee; without those before it counts plainly."""
    given = {"resting_hr_bpm": 52, "max_hr_bpm": 186, "threshold_hr_bpm": 166, "threshold_pace": "5:20"}
    started_at = FIRST + RUNS * EVERY
    samples = made_up_samples(started_at, seconds=1200, speed_m_per_s=3.0, hr_bpm=None, seed=1)
    for name, spm in (("same", 1.0), ("quick", 1.05)):
        history.write(name, started_at, samples.with_columns(pl.col("cadence_spm") * spm))
    history.refresh(**given)
    loads = dict(history.asked("select activity_id, knee_load_klu from run_metrics"))
    history.con.execute("update activities set is_excluded = true where activity_id like 'run%'")

    history.refresh(**given)

    alone = dict(history.asked("select activity_id, knee_load_klu from run_metrics"))
    assert loads["quick"] == pytest.approx(0.95 * loads["same"], rel=0.01)
    assert alone["quick"] == pytest.approx(alone["same"], rel=1e-9)
    assert history.asked(
        "select steps from weekly_trends where runs > 0 order by week_start desc limit 1"
    ) == [(pytest.approx(20 * 168 * 2.05, rel=0.02),)]


def test_strength_enters_by_exertion_and_time_and_never_twice(history: History) -> None:
    """The diary's product; where a watch recorded the session, its time and the diary's exertion, once."""
    for day, duration_s, rpe in ((3, 2400.0, 6.0), (4, None, 6.0), (5, 2400.0, 5.0)):
        on = date(2026, 3, day)
        row = {"session_id": str(day), "athlete": "me", "local_date": on, "exercises": [], "rpe": rpe}
        insert_rows(history.con, "strength_sessions", [row | {"duration_s": duration_s}])
    started_at = datetime(2026, 3, 5, 18, tzinfo=UTC)
    samples = made_up_samples(started_at, seconds=1800, speed_m_per_s=0.0, hr_bpm=100.0)
    told = {"is_run": False, "sport": "training", "sub_sport": "strength_training", "distance_m": None}
    history.write("gym", started_at, samples, **told)

    history.refresh()

    found = history.asked(
        "select day(local_date), srpe, distance_m, hrss > 0 from daily_load where local_date between '2026-03-03' and '2026-03-05'",
    )
    assert found == [(3, 240.0, 0.0, False), (4, None, found[1][2], True), (5, 150.0, 0.0, True)]


def test_an_activity_that_no_longer_counts_leaves_no_mark(history: History) -> None:
    """Excluded, it says nothing about its athlete any more."""
    history.refresh()
    history.con.execute("update activities set is_excluded = true where activity_id = 'walk'")

    history.refresh()

    assert history.asked("select count(*) from activity_marks where activity_id = 'walk'") == [(0,)]
    assert history.asked("select value from athlete_parameters where parameter = 'resting_hr_bpm'") == [
        (65.0,)
    ]
