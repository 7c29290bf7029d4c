"""Plans that a person hands over: tables and calendars, right and wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar, Event

from analytics import plan as analytics_plan
from flows import plans
from ingest.logs import LogError
from ingest.plan_files import PlanFile, plan_of_calendar, plan_of_csv, read_plan_file, session_of_title
from ingest.plans import (
    DAYS,
    PLAN_COLUMNS,
    RUN_SESSIONS,
    PlanError,
    imported_names,
    plan_names,
    read_imported,
    read_plan,
)
from store.database import opened_store
from store.home import Home

PLANS = Path(__file__).parent.parent / "plans"


def calendar(*events: tuple[object, str], **more: str) -> bytes:
    """A calendar of whole-day or timed events, with further properties for each."""
    found = Calendar()
    found.add("prodid", "-//test//")
    found.add("version", "2.0")
    for start, title in events:
        event = Event()
        event.add("dtstart", start)
        event.add("summary", title)
        for name, value in more.items():
            event[name] = value
        found.add_component(event)
    return bytes(found.to_ical())


@pytest.mark.parametrize("name", plan_names())
def test_the_built_in_plans_can_be_imported(name: str) -> None:
    """What they say is what is read, value by value."""
    assert plan_of_csv((PLANS / f"{name}.csv").read_text()).plan.equals(read_plan(name))


def test_readers_and_analytics_name_the_same_days_and_sessions() -> None:
    """Neither may import the other."""
    assert DAYS == analytics_plan.DAYS
    assert set(RUN_SESSIONS) == analytics_plan.RUN_SESSIONS


def test_a_table_may_say_little_and_in_any_order() -> None:
    """What it does not say is unknown; zones follow from sessions, and weeks are put in order."""
    found = plan_of_csv("Day;session;week;shoes\nSunday;long;2;old\nMon;Rest;1;\nwed;strength;1;\n")

    assert found.plan.rows() == [
        (1, "mon", "rest", 0.0, None, None, "none", None),
        (1, "wed", "strength", 0.0, None, None, "none", None),
        (2, "sun", "long", None, None, None, "Z2", None),
    ]
    assert found.plan.schema == PLAN_COLUMNS
    assert found.remarks == ("Columns that no plan has were ignored: shoes.",)


def test_the_same_line_twice_is_two_sessions_and_said() -> None:
    """Two runs of a day may be alike, or a line was copied."""
    found = plan_of_csv("week,day,session,distance_km\n1,mon,easy,5\n1,mon,easy,5\n")

    assert found.plan.height == 2
    assert found.remarks == ("1 sessions say the same as another of their day; all were taken.",)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("0,mon,easy,5,,,,", "week is 0; allowed is a whole number from 1 to 104."),
        ("x,mon,easy,5,,,,", "week is 'x'; allowed is a whole number"),
        (",mon,easy,5,,,,", "week is empty; every line says week, day and session."),
        ("1,someday,easy,5,,,,", "day is 'som'; allowed are mon, tue"),
        ("1,mon,sprint,5,,,,", "session is 'sprint'; allowed are easy, steady"),
        ("1,mon,easy,-5,,,,", "distance_km is '-5'; allowed is a number of kilometres from 0 to 300."),
        ("1,mon,easy,301,,,,", "distance_km is 301; allowed is a number of kilometres from 0 to 300."),
        ("1,mon,easy,0,,,,", "easy has 0 kilometres; leave distance_km empty where it is not known."),
        ("1,mon,rest,5,,,,", "rest is no run and has kilometres"),
        ("1,mon,easy,5,,11,,", "rpe is 11; allowed is a number from 0 to 10."),
        ("1,mon,easy,5,,,Z6,", "zone is 'Z6'; allowed are none, Z1"),
    ],
)
def test_a_wrong_line_is_named_with_what_it_should_be(line: str, says: str) -> None:
    """With its number, the header being line 1; nothing is taken in half."""
    with pytest.raises(LogError) as refused:
        plan_of_csv(f"{','.join(PLAN_COLUMNS)}\n1,tue,easy,5,,,,\n{line}\n")

    assert str(refused.value).startswith(f"line 3: {says}")


def test_of_many_wrong_lines_the_first_twenty_are_named() -> None:
    """And how many there are besides."""
    lines = "".join(f"{week},mon,sprint\n" for week in range(1, 26))

    with pytest.raises(LogError) as refused:
        plan_of_csv(f"week,day,session\n{lines}")

    assert len(str(refused.value).splitlines()) == 21
    assert str(refused.value).endswith("and 5 more lines.")


@pytest.mark.parametrize(
    ("title", "session", "distance_km", "duration_min"),
    [
        ("Long run 14 km", "long", 14.0, None),
        ("6 mi easy", "easy", 9.6561, None),
        ("10-12 km long", "long", 12.0, None),
        ("Tempo: 8,5km", "tempo", 8.5, None),
        ("4 x 1 km, 7 km in all", "intervals", 7.0, None),
        ("6x400m", "intervals", None, None),
        ("5k", "easy", 5.0, None),
        ("Run 1h 15min", "easy", None, 75.0),
        ("Easy run 40 min", "easy", None, 40.0),
        ("Race day: half marathon", "race", 21.0975, None),
        ("10K race", "race", 10.0, None),
        ("8 km at half marathon pace", "tempo", 8.0, None),
        ("Strength A, 35 min", "strength", 0.0, 35.0),
        ("Yoga", "mobility", 0.0, None),
        ("Rest", "rest", 0.0, 0.0),
        ("Rest or easy 3 km", "easy", 3.0, None),
        ("Shake-out 2 km", "shakeout", 2.0, None),
    ],
)
def test_titles_say_what_to_run(
    title: str, session: str, distance_km: float | None, duration_min: float | None
) -> None:
    """Kilometres or miles; repeats are no distance of a session; unknown is unknown."""
    found = session_of_title(title)

    assert found is not None
    assert (found["session"], found["distance_km"], found["duration_min"]) == (
        session,
        distance_km,
        duration_min,
    )


@pytest.mark.parametrize("title", ["Dentist", "Team meeting 14:00", "Bike with Jo", ""])
def test_what_is_no_session_is_none(title: str) -> None:
    """A calendar holds a life besides."""
    assert session_of_title(title) is None


def test_a_calendar_becomes_weeks_and_days() -> None:
    """Counted from the Monday of the first session, timed or not; the race is its day."""
    found = plan_of_calendar(
        calendar(
            (date(2026, 9, 6), "Half marathon"),
            (datetime(2026, 8, 20, 18, tzinfo=UTC), "Easy 5 km"),
            (date(2026, 8, 21), "Dentist"),
            (date(2026, 8, 24), "Rest"),
        )
    )

    assert found.plan.select("week", "day", "session", "distance_km", "zone").rows() == [
        (1, "thu", "easy", 5.0, "Z2"),
        (2, "mon", "rest", 0.0, "none"),
        (3, "sun", "race", 21.0975, "Z4"),
    ]
    assert found.race_date == date(2026, 9, 6)
    assert found.remarks == ("No session of a plan, and left out: 'Dentist'.",)


def test_cancelled_events_are_left_out_and_repeated_ones_named() -> None:
    """Only the first day of a repeated one is taken."""
    cancelled = plan_of_calendar(calendar((date(2026, 9, 6), "Easy 5 km"), STATUS="CANCELLED"))
    repeated = plan_of_calendar(calendar((date(2026, 9, 6), "Easy 5 km"), RRULE="FREQ=WEEKLY"))

    assert cancelled.plan.is_empty()
    assert repeated.remarks == ("1 events repeat; only the first day of each was taken.",)


def test_a_calendar_of_ten_years_is_no_plan() -> None:
    """Both days stand in the sentence."""
    with pytest.raises(LogError, match="from 2016-09-06 to 2026-09-06"):
        plan_of_calendar(calendar((date(2016, 9, 6), "Easy 5 km"), (date(2026, 9, 6), "Easy 5 km")))


def test_an_event_without_a_day_that_can_be_read_is_left_out() -> None:
    """The others are taken."""
    data = calendar((date(2026, 9, 6), "Easy 5 km"), (date(2026, 9, 7), "Long 9 km"))

    found = plan_of_calendar(data.replace(b"20260906", b"2026O906"))

    assert found.plan["session"].to_list() == ["long"]


def test_a_calendar_of_many_lines_is_refused_at_once() -> None:
    """The library would take a quarter of a minute over it."""
    with pytest.raises(LogError, match="40000 lines"):
        plan_of_calendar(b"BEGIN:VCALENDAR\r\n" + b"X:1\r\n" * 200_000 + b"END:VCALENDAR\r\n")


@given(
    st.lists(
        st.tuples(st.integers(0, 10_000), st.integers(0, 12), st.binary(max_size=12)), min_size=1, max_size=4
    )
)
def test_a_damaged_calendar_is_read_or_refused(damage: list[tuple[int, int, bytes]]) -> None:
    """Whatever is cut out of it or put into it."""
    data = calendar(
        (date(2026, 9, 6), "Easy 5 km"),
        (datetime(2026, 9, 7, 18, tzinfo=UTC), "Long 9 km"),
        RRULE="FREQ=WEEKLY",
    )
    for place, cut, put in damage:
        place %= len(data)
        data = data[:place] + put + data[place + cut :]

    try:
        found = plan_of_calendar(data)
    except LogError:
        return
    assert found.plan.schema == PLAN_COLUMNS


@given(st.binary(max_size=300))
def test_any_bytes_are_a_calendar_or_refused(noise: bytes) -> None:
    """Nothing else comes of them."""
    try:
        found = plan_of_calendar(b"BEGIN:VCALENDAR\r\n" + noise + b"\r\nEND:VCALENDAR\r\n")
    except LogError:
        return
    assert isinstance(found, PlanFile)


@given(st.text(max_size=60))
def test_any_title_is_a_session_or_none(title: str) -> None:
    """Distances and times are above 0 where they are known, of runs."""
    found = session_of_title(title)

    if found and found["session"] in RUN_SESSIONS:
        assert found["distance_km"] is None or 0 < found["distance_km"] <= 300  # type: ignore[operator]


def test_a_file_is_told_by_how_it_begins(tmp_path: Path) -> None:
    """And what cannot be used is a sentence with its name."""
    ics, csv, empty = (tmp_path / name for name in ("a.txt", "b.txt", "empty.csv"))
    ics.write_bytes(calendar((date(2026, 9, 6), "Easy 5 km")))
    csv.write_text("week,day,session\n1,mon,easy\n")
    empty.write_text("week,day,session\n")

    assert read_plan_file(ics).plan["distance_km"].to_list() == [5.0]
    assert read_plan_file(csv).plan["session"].to_list() == ["easy"]
    with pytest.raises(PlanError, match=r"empty\.csv has no session"):
        read_plan_file(empty)
    csv.write_bytes(b" " * (1024 * 1024 + 1))
    with pytest.raises(PlanError, match=r"b\.txt is larger than 1 MiB"):
        read_plan_file(csv)


def test_an_imported_plan_is_kept_under_its_name(home: Home) -> None:
    """It comes back as it was, one of the same name takes its place, and built-in names are taken."""
    now = datetime(2026, 7, 1, tzinfo=UTC)
    plan = read_plan("half_marathon_beginner").with_columns(
        rpe=pl.when(pl.col("week") == 3).then(None).otherwise("rpe")
    )
    with opened_store(home) as con:
        plans.keep_imported(con, name="mine", plan=plan.head(3), now=now)
        plans.keep_imported(con, name="mine", plan=plan, now=now)

        assert imported_names(con) == ["mine"]
        assert read_imported(con, "mine").equals(plan)
        assert plans.plan_named(con, "mine").equals(plan)
        with pytest.raises(PlanError, match="built-in"):
            plans.keep_imported(con, name="half_marathon_beginner", plan=plan, now=now)
