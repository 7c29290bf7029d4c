"""From the history to the athlete's values and on to load: estimated, dated, and recomputed from the day of a change."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from flows import steps
from flows.steps import Clock
from sample_data.history import made_up_samples, write_activity
from store.database import frame, insert_rows, opened_store
from store.home import Home
from store.settings import Settings

FIRST = datetime(2026, 3, 2, 7, tzinfo=UTC)
TODAY = Clock(datetime(2026, 4, 1, 18, tzinfo=UTC), date(2026, 4, 1))
RUNS = 8
EVERY = timedelta(days=2)


def settings_with(**values: Any) -> Settings:
    """The settings of a woman who says so much of herself."""
    return Settings.model_validate({"default_athlete": "me", "athletes": {"me": {"sex": "female"} | values}})


@pytest.fixture
def history(home: Home) -> Home:
    """Eight runs of twenty minutes, each five beats higher than the one before, the third without a heart rate; and a walk."""
    with opened_store(home) as con:
        for i in range(RUNS):
            started_at = FIRST + i * EVERY
            samples = made_up_samples(started_at, seconds=1200, speed_m_per_s=3.0, hr_bpm=None, seed=i)
            if i != 2:
                samples = samples.with_columns(hr_bpm=pl.lit(150.0 + 5 * i))
            write_activity(con, home, samples, started_at=started_at, activity_id=f"run{i}")
        started_at = FIRST + timedelta(hours=12)
        walk = made_up_samples(started_at, seconds=1200, speed_m_per_s=1.2, hr_bpm=None)
        walk = walk.with_columns(hr_bpm=pl.lit(60.0))
        write_activity(
            con, home, walk, started_at=started_at, activity_id="walk", is_run=False, sport="walking"
        )
    return home


def asked(home: Home, question: str) -> list[tuple[Any, ...]]:
    with opened_store(home) as con:
        return con.execute(question).fetchall()


def test_the_history_gives_what_the_settings_do_not(history: Home) -> None:
    """Rest from the walk, maximum from the runs; load follows, also for the runs before the first estimate."""
    steps.refresh(history, settings_with(), TODAY)

    found = {
        (name, value): (valid_from, is_estimated, json.loads(evidence))
        for name, value, valid_from, is_estimated, evidence in asked(
            history, "select parameter, value, valid_from, is_estimated, evidence from athlete_parameters"
        )
    }
    assert ("resting_hr_bpm", 60.0) in found
    assert found["resting_hr_bpm", 60.0][2]["activity_id"] == "walk"
    maxima = sorted((found[key][0], key[1]) for key in found if key[0] == "max_hr_bpm" and key[1] > 170)
    assert found["max_hr_bpm", 170.0][0] is None
    assert maxima == [(date(2026, 3, 14), 175.0), (date(2026, 3, 16), 180.0)]
    assert all(is_estimated for _, is_estimated, _ in found.values())
    loads = dict(asked(history, "select activity_id, hrss from run_metrics"))
    assert {run for run, load in loads.items() if load is None} == {"run2"}
    assert asked(history, "select hrss from cross_training") == [(0.0,)]


def test_what_is_set_wins(history: Home) -> None:
    """No estimate stands beside a value that counts always."""
    steps.refresh(history, settings_with(resting_hr_bpm=52, max_hr_bpm=186), TODAY)

    found = asked(
        history,
        "select parameter, value, valid_from, evidence from athlete_parameters where not is_estimated",
    )
    assert sorted(found) == [
        ("max_hr_bpm", 186.0, None, '{"method": "set in kneewatch.toml"}'),
        ("resting_hr_bpm", 52.0, None, '{"method": "set in kneewatch.toml"}'),
    ]
    assert asked(history, "select value from athlete_parameters where parameter = 'threshold_hr_bpm'") == [
        (pytest.approx(52 + 0.85 * 134),)
    ]


def test_a_change_recomputes_what_follows_it_and_nothing_before(history: Home) -> None:
    """A new maximum from the 8th on: four runs have another load, the others are not even looked at."""
    given = {"resting_hr_bpm": 52, "max_hr_bpm": 186, "threshold_hr_bpm": 166}
    changed = given | {"since": {"2026-03-09": {"max_hr_bpm": 180}}}
    steps.refresh(history, settings_with(**given), TODAY)
    before = dict(asked(history, "select activity_id, trimp_banister from run_metrics"))

    counts = steps.refresh(history, settings_with(**changed), TODAY)

    after = dict(asked(history, "select activity_id, trimp_banister from run_metrics"))
    assert counts["metrics_computed"] == 4
    assert {run for run in before if before[run] != after[run]} == {"run4", "run5", "run6", "run7"}
    assert steps.refresh(history, settings_with(**changed), TODAY)["metrics_computed"] == 0


def test_everything_from_nothing_is_what_came_step_by_step(history: Home) -> None:
    """Marks, values and loads are the same after a rebuild."""
    tables = ("activity_marks", "athlete_parameters", "run_metrics", "cross_training", "daily_load")

    def everything() -> list[pl.DataFrame]:
        with opened_store(history) as con:
            return [frame(con, f"select * from {table} order by all") for table in tables]

    steps.refresh(history, settings_with(), TODAY)
    before = everything()
    steps.refresh(history, settings_with(), TODAY, rebuild=True)

    assert all(now.equals(then) for now, then in zip(everything(), before, strict=True))


def test_zones_follow_the_values_and_the_runs(history: Home) -> None:
    """A week holds the zones of its runs; a lower maximum makes them harder; a run that no longer counts leaves none."""
    first_week = "select easy_share, known_share from weekly_zones where kind = 'heart_rate' order by week_start limit 1"
    steps.refresh(history, settings_with(max_hr_bpm=200), TODAY)
    before = asked(history, first_week)
    steps.refresh(history, settings_with(max_hr_bpm=180), TODAY)
    after = asked(history, first_week)
    steps.decide(history, settings_with(), TODAY, kind="exclude", activity_id="run0")

    steps.refresh(history, settings_with(max_hr_bpm=180), TODAY)

    assert before == [
        (pytest.approx(2 / 3), pytest.approx(3 / 4))
    ]  # 150, 155 and 165 of 200; run2 has no strap
    assert after == [(pytest.approx(0), pytest.approx(3 / 4))]
    assert asked(history, "select count(*) from zone_times where activity_id = 'run0'") == [(0,)]
    assert asked(
        history, "select sum(time_s) from zone_times where activity_id = 'run3' and kind = 'heart_rate'"
    ) == [(pytest.approx(1200),)]


def test_the_usual_cadence_is_that_of_the_days_before(history: Home) -> None:
    """A run of more steps than the ones before is less load on the knee; without those before it counts plainly."""
    started_at = FIRST + RUNS * EVERY
    samples = made_up_samples(started_at, seconds=1200, speed_m_per_s=3.0, hr_bpm=None, seed=1)
    with opened_store(history) as con:
        for name, spm in (("same", 1.0), ("quick", 1.05)):
            stepped = samples.with_columns(pl.col("cadence_spm") * spm)
            write_activity(con, history, stepped, started_at=started_at, activity_id=name)
    steps.refresh(history, settings_with(), TODAY)
    loads = dict(asked(history, "select activity_id, knee_load_klu from run_metrics"))
    with opened_store(history) as con:
        con.execute("update activities set is_excluded = true where activity_id like 'run%'")

    steps.refresh(history, settings_with(), TODAY)

    alone = dict(asked(history, "select activity_id, knee_load_klu from run_metrics"))
    assert loads["quick"] == pytest.approx(0.95 * loads["same"], rel=0.01)
    assert alone["quick"] == pytest.approx(alone["same"], rel=1e-9)
    assert asked(
        history, "select steps from weekly_trends where runs > 0 order by week_start desc limit 1"
    ) == [(pytest.approx(20 * 168 * 2.05, rel=0.02),)]


def test_strength_enters_by_exertion_and_time_and_never_twice(history: Home) -> None:
    """The diary's product; where a watch recorded the session, its time and the diary's exertion, once."""
    with opened_store(history) as con:
        for day, duration_s, rpe in ((3, 2400.0, 6.0), (4, None, 6.0), (5, 2400.0, 5.0)):
            on = date(2026, 3, day)
            row = {"session_id": str(day), "athlete": "me", "local_date": on, "exercises": [], "rpe": rpe}
            insert_rows(con, "strength_sessions", [row | {"duration_s": duration_s}])
        started_at = datetime(2026, 3, 5, 18, tzinfo=UTC)
        samples = made_up_samples(started_at, seconds=1800, speed_m_per_s=0.0, hr_bpm=100.0)
        told = {"is_run": False, "sport": "training", "sub_sport": "strength_training", "distance_m": None}
        write_activity(con, history, samples, started_at=started_at, activity_id="gym", **told)

    steps.refresh(history, settings_with(), TODAY)

    found = asked(
        history,
        "select day(local_date), srpe, distance_m, hrss > 0 from daily_load where local_date between '2026-03-03' and '2026-03-05'",
    )
    assert found == [(3, 240.0, 0.0, False), (4, None, found[1][2], True), (5, 150.0, 0.0, True)]


def test_an_activity_that_no_longer_counts_leaves_no_mark(history: Home) -> None:
    """Excluded, it says nothing about its athlete any more."""
    steps.refresh(history, settings_with(), TODAY)
    steps.decide(history, settings_with(), TODAY, kind="exclude", activity_id="walk")

    steps.refresh(history, settings_with(), TODAY)

    assert asked(history, "select count(*) from activity_marks where activity_id = 'walk'") == [(0,)]
    assert asked(history, "select value from athlete_parameters where parameter = 'resting_hr_bpm'") == [
        (65.0,)
    ]
