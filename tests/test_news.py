"""Who is computed again: whoever has anything new, nobody else, and never less than a rebuild would."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from flows import plans, steps
from flows.steps import Clock
from ingest.logs import Exercise, PainReport, pain_report, strength_session
from ingest.plans import save_plan
from sample_data import fit_writer
from sample_data.recording import record
from sample_data.story import Run
from store import home as homes
from store.database import opened_published, opened_store
from store.home import Home
from store.settings import Settings, read_settings
from tests.conftest import DAY_AFTER_THE_LAST_RUN

CLOCK = DAY_AFTER_THE_LAST_RUN
OTHERS = """
[athletes.tom]
time_zone = "UTC"
[athletes.ann]
time_zone = "UTC"
"""
NOT_COMPARED = ("flow_log", "schema_migrations", "samples", "duckdb_logs")


@pytest.fixture(scope="module")
def of_three(sample_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Mara's home, in which Tom and Ann have a run each, and all is computed."""
    home = homes.at(shutil.copytree(sample_home.root, tmp_path_factory.mktemp("three") / "home"))
    with home.settings_file.open("a") as file:
        file.write(OTHERS)
    for athlete in ("tom", "ann"):
        drop(home, athlete, days_ago=2)
    steps.run_all(home, read_settings(home), CLOCK)
    return home


@pytest.fixture
def own(of_three: Home, tmp_path: Path) -> Home:
    """A copy that a test may change."""
    return homes.at(shutil.copytree(of_three.root, tmp_path / "copy"))


def drop(home: Home, athlete: str, *, days_ago: int) -> None:
    started_at = CLOCK.now - timedelta(days=days_ago)
    recording = replace(record(Run(day=date(2026, 7, 1), km=3)), started_at=started_at)
    (home.inbox / athlete).mkdir(exist_ok=True)
    (home.inbox / athlete / f"{days_ago}.fit").write_bytes(fit_writer.encode(recording))


def report_of(athlete: str) -> PainReport:
    return pain_report(
        athlete=athlete,
        zone=ZoneInfo("UTC"),
        on=CLOCK.today,
        side="left",
        during=6,
        flags=["swelling"],
        source="cli",
    )


def computed(home: Home, settings: Settings | None = None, clock: Clock = CLOCK) -> int:
    """Return for how many athletes trends are computed now."""
    with steps.in_one_go(home, "a test"):
        counts = steps.refresh(home, settings or read_settings(home), clock)
        steps.raise_alerts(home, settings or read_settings(home), clock)
    return counts["athletes"]


def tables(home: Home) -> dict[str, list[tuple[object, ...]]]:
    """Return every row in words, so that NaN is NaN."""
    with opened_published(home) as con:
        names = con.execute("select table_name from duckdb_tables() order by all").fetchall()
        return {
            name: con.execute(f"select columns(*)::varchar from {name} order by all").fetchall()
            for (name,) in names
            if name not in NOT_COMPARED
        }


def take_in_a_run(home: Home) -> None:
    drop(home, "tom", days_ago=1)
    steps.take_in_and_review(home, read_settings(home), CLOCK)


def log_pain(home: Home) -> None:
    steps.log_pain(home, read_settings(home), CLOCK, report_of("tom"))


def log_strength(home: Home) -> None:
    leg_curl = Exercise(name="leg_curl", sets=3, reps=10)
    session = strength_session(athlete="ann", on=CLOCK.today, exercises=[leg_curl], rpe=5, duration_min=30)
    steps.log_strength(home, read_settings(home), CLOCK, session)


def choose_a_plan(home: Home) -> None:
    choice = plans.PlanChoice(plan="half_marathon_beginner", race_date=CLOCK.today + timedelta(days=40))
    steps.change_plan(
        home,
        read_settings(home),
        CLOCK,
        lambda con: plans.use(con, athlete="ann", choice=choice, today=CLOCK.today, now=CLOCK.now),
    )


def leave_out_a_run(home: Home) -> None:
    with opened_published(home) as con:
        ((run,),) = con.execute("select activity_id from runs where athlete = 'tom'").fetchall()
    steps.decide(home, read_settings(home), CLOCK, kind="exclude", activity_id=run)


def tighten_the_rules(home: Home) -> None:
    with home.settings_file.open("a") as file:
        file.write("[alerts]\npain_p1_max = 1.0\n")
    steps.review(home, read_settings(home), CLOCK)


@pytest.mark.homes
@pytest.mark.parametrize(
    "something",
    [take_in_a_run, log_pain, log_strength, choose_a_plan, leave_out_a_run, tighten_the_rules],
    ids=lambda one: one.__name__,
)
def test_whatever_happens_all_is_as_a_rebuild_makes_it(something: Callable[[Home], None], own: Home) -> None:
    """Of all athletes, in every table."""
    something(own)
    found = tables(own)

    steps.run_all(own, read_settings(own), CLOCK, rebuild=True)

    assert found == tables(own)


def test_a_drop_of_one_computes_one(own: Home) -> None:
    """And nobody where nothing happened."""
    settings = read_settings(own)
    assert computed(own) == 0
    drop(own, "tom", days_ago=1)
    steps.take_in(own, settings, CLOCK)

    assert computed(own) == 1
    assert computed(own) == 0


def test_on_another_day_with_other_settings_or_plans_everybody_is_computed(own: Home) -> None:
    settings = read_settings(own)
    stricter = settings.model_copy(update={"alerts": settings.alerts.model_copy(update={"pain_p1_max": 1.0})})
    tomorrow = Clock(CLOCK.now + timedelta(days=1), CLOCK.today + timedelta(days=1))

    assert computed(own, clock=tomorrow) == 3
    assert computed(own, clock=tomorrow) == 0
    assert computed(own, stricter, clock=tomorrow) == 3
    assert computed(own, stricter, clock=tomorrow) == 0
    with opened_store(own) as con:
        save_plan(con, "mine", plans.plan_named(con, "half_marathon_beginner"), now=CLOCK.now)
    assert computed(own, stricter, clock=tomorrow) == 3


def test_what_comes_in_between_trends_and_alerts_is_computed_next(own: Home) -> None:
    """Two steps are two turns of the lock, where nobody holds it for both."""
    settings = read_settings(own)
    steps.refresh(own, settings, CLOCK)
    drop(own, "tom", days_ago=1)
    steps.take_in(own, settings, CLOCK)
    steps.raise_alerts(own, settings, CLOCK)

    assert computed(own) == 1


@pytest.mark.parametrize("told", ["", "[1]", "{", '{"tom": 3}'])
def test_a_damaged_note_costs_computing_once_more(told: str, own: Home) -> None:
    (own.state / "derived.json").write_text(told)

    assert computed(own) == 3
    assert computed(own) == 0


def test_a_row_that_is_gone_comes_back(own: Home) -> None:
    """Whoever took it out: what was made is looked at as well as what it was made of."""
    before = tables(own)
    with opened_store(own) as con:
        con.execute("delete from athlete_parameters where athlete = 'mara'")

    assert computed(own) == 1
    assert tables(own) == before
