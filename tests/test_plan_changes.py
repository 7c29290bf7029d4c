"""What a runner changes about the plan: moves, holidays, another race day, another plan, and undoing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.plan import PLAN_SESSIONS, dated
from analytics.plan_changes import Change, arranged
from flows import plans, steps
from flows.plans import PlanChoice
from flows.steps import Clock
from ingest.plans import PlanError, read_plan
from store.database import frame, opened_published, opened_store, scalar, transaction
from store.home import Home
from store.settings import Settings, read_settings

NAME = "half_marathon_beginner"
BEGINNER = read_plan(NAME)
RACE = date(2026, 10, 11)
START = RACE - timedelta(days=111)
TODAY = date(2026, 7, 1)
days = st.integers(0, 110).map(lambda n: START + timedelta(days=n))
changes = st.lists(
    st.one_of(
        st.builds(
            lambda key, n: Change(kind="move", session_key=key, days=n),
            st.sampled_from(["1-tue-easy", "5-sun-long", "8-fri-mobility"]),
            st.integers(-6, 6),
        ),
        st.builds(
            lambda first, n: Change(kind="holiday", from_date=first, to_date=first + timedelta(days=n)),
            days,
            st.integers(0, 20),
        ),
        st.builds(lambda day: Change(kind="race", to_date=day + timedelta(days=100)), days),
    ),
    max_size=6,
)


def beginner(*changes: Change, start_date: date | None = None) -> pl.DataFrame:
    return arranged(BEGINNER, name=NAME, race_date=RACE, start_date=start_date, changes=changes)


def planned_on(sessions: pl.DataFrame, day: date) -> list[str]:
    return sessions.filter(pl.col("local_date") == day)["session"].to_list()


def test_a_plan_that_nobody_changed_is_as_it_was_written() -> None:
    """Each session is called by its place in the plan."""
    sessions = beginner()

    assert sessions.equals(dated(BEGINNER, name=NAME, race_date=RACE))
    assert sessions["session_key"][1] == "1-tue-easy"
    assert sessions["session_key"].is_unique().all()


def test_a_moved_session_keeps_its_name_and_belongs_to_its_new_week() -> None:
    """Sunday's long run on Monday is in week 6, and Monday is no day of rest any more."""
    sessions = beginner(Change(kind="move", session_key="5-sun-long", days=1))

    moved = sessions.row(by_predicate=pl.col("session_key") == "5-sun-long", named=True)
    assert (moved["week"], moved["local_date"]) == (6, START + timedelta(days=35))
    assert planned_on(sessions, moved["local_date"]) == ["long"]
    assert planned_on(sessions, START + timedelta(days=34)) == []


def test_moves_add_up_and_go_along_with_the_race() -> None:
    """There and back is nothing; a race a week later moves the moved session as well."""
    there, back = (Change(kind="move", session_key="5-sun-long", days=n) for n in (-2, 2))

    assert beginner(there, back).equals(beginner(Change(kind="race", to_date=RACE)))
    later = beginner(there, Change(kind="race", to_date=RACE + timedelta(days=7)))
    long = later.row(by_predicate=pl.col("session_key") == "5-sun-long", named=True)
    assert long["local_date"] == START + timedelta(days=34 - 2 + 7)


def test_a_holiday_is_rest_and_nothing_else() -> None:
    """One row a day, which says why; the days around it stay."""
    first, last = START + timedelta(days=1), START + timedelta(days=4)

    sessions = beginner(Change(kind="holiday", from_date=first, to_date=last))

    free = sessions.filter(pl.col("local_date").is_between(first, last))
    assert free.select("session", "distance_m", "notes").rows() == [("rest", 0.0, "Holiday")] * 4
    assert planned_on(sessions, last + timedelta(days=1)) == ["easy"]


def test_a_later_start_leaves_out_what_is_gone() -> None:
    """The first week that is left keeps its number."""
    sessions = beginner(start_date=START + timedelta(days=37))

    assert sessions["local_date"][0] == START + timedelta(days=37)
    assert sessions["week"][0] == 6
    assert sessions["session"][-1] == "race"


@given(changes)
def test_whatever_is_changed_the_race_stays_the_last_and_nothing_is_invented(changed: list[Change]) -> None:
    """Sessions are those of the plan or rest, days are in order, and rest never stands beside training."""
    sessions = beginner(*changed)

    assert sessions.schema == PLAN_SESSIONS
    assert sessions["session"][-1] == "race"
    assert sessions["local_date"].is_sorted()
    assert set(sessions["session_key"]) <= set(beginner()["session_key"])
    by_day = sessions.group_by("local_date").agg("session")
    assert all(row == ["rest"] or "rest" not in row for row in by_day["session"].to_list())


# Kept in the database -------------------------------------------------------------------------------------

instants = (datetime(2026, 7, 1, 12, tzinfo=UTC) + timedelta(minutes=n) for n in count())
Con = duckdb.DuckDBPyConnection


@pytest.fixture
def con(home: Home) -> Iterator[Con]:
    """The open store of an empty home."""
    with opened_store(home) as opened:
        yield opened


def do(con: Con, settings: Settings, change: Callable[..., Any], today: date = TODAY, **given: Any) -> Any:
    """Make a change to the plan that is active today."""
    choice = plans.plan_choice(con, settings, "me", today=today)
    with transaction(con):
        return change(con, athlete="me", now=next(instants), **({"choice": choice} | given))


def use(con: Con, settings: Settings, *, today: date = TODAY, plan: str = NAME, **given: Any) -> pl.DataFrame:
    choice = PlanChoice(plan=plan, **({"race_date": RACE} | given))
    found: pl.DataFrame = do(con, settings, partial(plans.use, today=today), today=today, choice=choice)
    return found


def planned(con: Con, settings: Settings) -> pl.DataFrame:
    return plans.sessions_of(con, "me", plans.plan_choice(con, settings, "me", today=TODAY))


def test_changes_are_kept_and_undone_one_after_the_other(con: Con, settings: Settings) -> None:
    """The last one first, and then the plan is as it was."""
    use(con, settings)
    before = planned(con, settings)

    moved = do(con, settings, plans.move, day=date(2026, 7, 5), to_day=date(2026, 7, 4))
    do(con, settings, plans.move_week, week=8, days=1)
    do(con, settings, plans.holiday, from_date=date(2026, 7, 20), to_date=date(2026, 7, 26))
    do(con, settings, plans.race_on, race_date=RACE + timedelta(days=6))
    changed = planned(con, settings)
    undone = [do(con, settings, plans.undo) for _ in range(4)]

    assert moved == ["2026-07-04 long"]
    assert not changed.equals(before)
    assert changed["local_date"].max() == RACE + timedelta(days=6)
    assert undone == ["race", "holiday", "move", "move"]
    assert planned(con, settings).equals(before)
    with pytest.raises(PlanError, match="Nothing was changed"):
        do(con, settings, plans.undo)


def test_of_two_sessions_of_a_day_one_can_be_moved(con: Con, settings: Settings) -> None:
    """The intermediate plan runs and lifts on Wednesday."""
    use(con, settings, plan="half_marathon_intermediate")

    moved = do(con, settings, plans.move, day=date(2026, 7, 1), to_day=date(2026, 7, 2), session="strength")

    assert moved == ["2026-07-02 strength"]
    assert planned(con, settings).filter(pl.col("local_date") == date(2026, 7, 1))["session"].to_list() == [
        "easy"
    ]


@pytest.mark.parametrize(
    ("change", "given", "says"),
    [
        (plans.move, {"day": date(2026, 6, 29), "to_day": date(2026, 6, 30)}, "Nothing is planned"),
        (plans.move, {"day": date(2026, 6, 30), "to_day": TODAY, "session": "long"}, "No long is planned"),
        (plans.move, {"day": RACE, "to_day": TODAY}, "kneewatch plan race"),
        (plans.move, {"day": date(2026, 7, 5), "to_day": date(2026, 12, 1)}, "outside the plan"),
        (plans.move_week, {"week": 17, "days": 1}, "Week 17"),
        (plans.move_week, {"week": 1, "days": -3}, "outside the plan"),
        (plans.holiday, {"from_date": date(2026, 7, 5), "to_date": date(2026, 7, 4)}, "before it begins"),
        (plans.holiday, {"from_date": date(2026, 10, 5), "to_date": RACE}, "race lies in these days"),
    ],
)
def test_what_cannot_be_changed_is_a_sentence_and_changes_nothing(
    change: Callable[..., Any], given: dict[str, Any], says: str, con: Con, settings: Settings
) -> None:
    """It says what to do instead."""
    use(con, settings)

    with pytest.raises(PlanError, match=says):
        do(con, settings, change, **given)

    assert scalar(con, "select count(*) from plan_changes") == 0


@pytest.mark.parametrize(
    "change",
    [
        partial(plans.move, day=TODAY, to_day=RACE),
        partial(plans.move_week, week=1, days=1),
        partial(plans.holiday, from_date=TODAY, to_date=TODAY),
        partial(plans.race_on, race_date=RACE),
        plans.undo,
    ],
)
def test_without_a_plan_nothing_can_be_changed(
    change: Callable[..., Any], con: Con, settings: Settings
) -> None:
    """The sentence names the command that chooses one."""
    with pytest.raises(PlanError, match="kneewatch plan use"):
        do(con, settings, change)


def test_on_each_day_the_plan_counts_that_was_chosen_last_by_then(con: Con, settings: Settings) -> None:
    """An earlier day is replayed with its own plan, and one before the first choice with the first."""
    use(con, settings, today=date(2026, 6, 22))
    use(
        con,
        settings,
        today=date(2026, 10, 20),
        plan="half_marathon_intermediate",
        race_date=date(2027, 4, 4),
    )

    days = (date(2026, 1, 1), date(2026, 6, 22), date(2026, 10, 19), date(2026, 10, 20))
    chosen = [plans.plan_choice(con, settings, "me", today=day) for day in days]

    assert [one and one.plan for one in chosen] == [NAME, NAME, NAME, "half_marathon_intermediate"]


def test_changes_belong_to_the_choice_they_were_made_under(con: Con, settings: Settings) -> None:
    """The same plan chosen again begins anew."""
    untouched = use(con, settings)
    do(con, settings, plans.move, day=date(2026, 7, 5), to_day=date(2026, 7, 4))

    use(con, settings)

    assert (
        planned(con, settings)["session_key"].to_list()
        == untouched.sort("local_date", "session")["session_key"].to_list()
    )


def test_the_plan_of_the_settings_can_be_changed_too(home: Home) -> None:
    """What follows is published at once; and the goal of the settings holds for a choice that names none."""
    home.settings_file.write_text(
        f'[athletes.me.plan]\nname = "{NAME}"\nrace_date = {RACE}\ngoal_time = "1:55:00"\n'
    )
    settings = read_settings(home)

    def move(con: Con) -> list[str]:
        choice = plans.plan_choice(con, settings, "me", today=TODAY)
        days = {"day": date(2026, 7, 5), "to_day": date(2026, 7, 4)}
        return plans.move(con, athlete="me", choice=choice, now=next(instants), **days)

    steps.change_plan(home, settings, Clock(next(instants), TODAY), move)

    with opened_published(home) as con:
        long = frame(con, "select * from plan_sessions where session_key = '2-sun-long'").row(0, named=True)
    assert (long["local_date"], long["pace_from"]) == (date(2026, 7, 4), "goal")
    with opened_store(home) as con:
        use(con, settings)
        chosen = plans.plan_choice(con, settings, "me", today=TODAY)
    assert chosen is not None
    assert chosen.goal_s == 6900


def test_a_start_after_the_race_leaves_nothing(con: Con, settings: Settings) -> None:
    """It is refused with both days."""
    with pytest.raises(PlanError, match="2026-10-12 and 2026-10-11"):
        use(con, settings, start_date=RACE + timedelta(days=1))


def test_a_plan_that_is_not_there_is_named_beside_those_that_are(con: Con, settings: Settings) -> None:
    """And how another comes in."""
    with pytest.raises(PlanError, match=r"half_marathon_intermediate.*plan import"):
        use(con, settings, plan="couch")
