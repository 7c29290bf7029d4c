"""The plan for other programs: what is written is read back by others."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import fitdecode
import fitparse
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from analytics.plan import dated
from analytics.plan_changes import Change, arranged
from analytics.plan_pace import Threshold, with_paces
from analytics.workout import Step, Workout, workout_of
from ingest.plan_files import plan_of_calendar, plan_of_csv
from ingest.plans import plan_names, read_plan
from report.format import Units
from report.plan_export import plan_csv, plan_ics, plan_workouts, title_of, workout_fit

RACE = date(2026, 10, 11)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
THRESHOLD = Threshold(315.0, "goal")


def rows_of(
    name: str, *changes: Change, race_date: date = RACE, threshold: Threshold | None = THRESHOLD
) -> Any:
    sessions = arranged(read_plan(name), name=name, race_date=race_date, changes=changes)
    return with_paces(sessions, threshold).to_dicts()


def calendar_of(rows: Any, units: Units | None = None) -> bytes:
    return plan_ics(rows, athlete="me", units=units or Units(), now=NOW)


@pytest.mark.parametrize("name", plan_names())
def test_a_table_comes_back_value_by_value(name: str) -> None:
    """What is exported unchanged is the plan itself."""
    assert plan_of_csv(plan_csv(rows_of(name))).plan.equals(read_plan(name))


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 111), st.integers(-6, 6)), max_size=5),
    st.integers(0, 100),
    st.integers(0, 6),
)
def test_a_changed_plan_comes_back_on_the_same_days(
    moves: list[tuple[int, int]], holiday: int, weekday: int
) -> None:
    """Moved sessions, a holiday, a race on any day of the week; weeks are those of the calendar then."""
    name, race_date = "half_marathon_beginner", RACE + timedelta(days=weekday)
    keys = dated(read_plan(name), name=name, race_date=RACE).filter(pl.col("session") != "race")[
        "session_key"
    ]
    first = RACE - timedelta(days=111 - holiday)
    changes = [
        *(Change(kind="move", session_key=keys[number % len(keys)], days=days) for number, days in moves),
        Change(kind="holiday", from_date=first, to_date=first + timedelta(days=3)),
    ]
    rows = rows_of(name, *changes, race_date=race_date)
    assume(rows[0]["week"] >= 1)  # nothing can be moved before the first week

    again = dated(plan_of_csv(plan_csv(rows)).plan, name=name, race_date=race_date)

    columns = ["local_date", "session", "distance_m", "duration_s", "rpe", "zone", "notes"]
    before = pl.DataFrame(rows).select(columns)
    assert again.select(columns).sort(columns).equals(before.sort(columns))


@pytest.mark.parametrize("name", plan_names())
def test_a_calendar_comes_back_on_the_same_days(name: str) -> None:
    """Sessions and distances as their titles say, to ten metres."""
    rows = rows_of(name)

    found = plan_of_calendar(calendar_of(rows))

    again = dated(found.plan, name=name, race_date=RACE)
    assert found.race_date == RACE
    assert again["local_date"].to_list() == [row["local_date"] for row in rows]
    assert again["session"].to_list() == [row["session"] for row in rows]
    assert again["distance_m"].to_list() == pytest.approx([row["distance_m"] for row in rows], abs=10)


def test_a_moved_session_keeps_its_uid() -> None:
    """A calendar that subscribes moves it instead of adding another; no two are alike."""

    def days_of(rows: Any) -> dict[str, date]:
        events = Calendar.from_ical(calendar_of(rows)).walk("VEVENT")
        return {str(event["UID"]): event["DTSTART"].dt for event in events}

    before = days_of(rows_of("half_marathon_intermediate"))
    moved = Change(kind="move", session_key="1-wed-strength", days=1)
    after = days_of(rows_of("half_marathon_intermediate", moved))

    assert len(before) == len(read_plan("half_marathon_intermediate"))
    changed = {uid for uid in before if after.get(uid, before[uid]) != before[uid]}
    assert changed == {"1-wed-strength.half_marathon_intermediate.me@kneewatch"}


def test_each_event_says_pace_and_warm_up_in_the_units_of_the_settings() -> None:
    """Once, and not for what is no run."""
    events = Calendar.from_ical(calendar_of(rows_of("half_marathon_beginner"), Units("miles"))).walk("VEVENT")
    said = {str(event["UID"]).split(".")[0]: str(event["DESCRIPTION"]) for event in events}

    assert all("Pace 10:16 /mi" in said[key] for key in ("1-tue-easy", "1-sun-long"))
    assert all(
        said[key].count("Warm-up") == 1 for key in said if key.endswith(("easy", "long", "tempo", "race"))
    )
    assert "Warm-up" not in said["1-mon-rest"]
    race = rows_of("half_marathon_beginner")[-1]
    assert title_of(race, Units()) == "Half marathon"
    assert title_of(race | {"distance_m": 10000.0}, Units("miles")) == "Race 6.21 mi"


@pytest.mark.parametrize(
    ("notes", "workout"),
    [
        ("6 x 1 min brisk / 2 min jog", Workout(repeats=6, work=Step(duration_s=60), recovery=Step(duration_s=120))),
        ("4 x 1.2 km at 10 km effort / 2.5 min jog. Warm-up 5 x 1 min", Workout(repeats=4, work=Step(distance_m=1200), recovery=Step(duration_s=150))),
        ("6 x 800 m at 5-10 km effort / 90 s jog", Workout(repeats=6, work=Step(distance_m=800), recovery=Step(duration_s=90))),
        ("taper: 3 km at half-marathon effort", Workout(repeats=1, work=Step(distance_m=3000))),
        ("15 min continuous tempo", Workout(repeats=1, work=Step(duration_s=900))),
        ("conversational. Warm-up 8-10 min walk/jog", None),
        ("", None),
        (None, None),
    ],
)  # fmt: skip
def test_notes_tell_the_structure(notes: str | None, workout: Workout | None) -> None:
    """Times and distances of the work, and the jogging between; the warm-up is none of it."""
    assert workout_of(notes) == workout


@pytest.mark.parametrize("name", plan_names())
def test_every_session_of_quality_has_a_workout(name: str) -> None:
    """Tempo, intervals and steady runs of the built-in plans, one file each."""
    rows = rows_of(name)
    quality = [row for row in rows if row["session"] in ("steady", "tempo", "intervals")]

    assert list(plan_workouts(rows)) == [f"{row['local_date']}_{row['session']}.fit" for row in quality]


def with_fitparse(data: bytes) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for message in fitparse.FitFile(io.BytesIO(data), check_crc=True).get_messages():
        found.setdefault(message.name, []).append(message.get_values())
    return found


def with_fitdecode(data: bytes) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    with fitdecode.FitReader(io.BytesIO(data), check_crc=fitdecode.CrcCheck.RAISE) as frames:
        for frame in frames:
            if frame.frame_type == fitdecode.FIT_FRAME_DATA:
                found.setdefault(frame.name, []).append({field.name: field.value for field in frame.fields})
    return found


@pytest.mark.parametrize("read", [with_fitparse, with_fitdecode])
@pytest.mark.parametrize("name", plan_names())
def test_two_readers_find_what_the_notes_say(name: str, read: Any) -> None:
    """Warm-up, work at the pace of its zone, recovery, repeats and cool-down, in every file."""
    for row in rows_of(name):
        workout = workout_of(row["notes"])
        if row["session"] not in ("steady", "tempo", "intervals") or workout is None:
            continue
        found = read(workout_fit(row))

        assert found["file_id"][0]["type"] == "workout"
        steps = found["workout_step"]
        assert found["workout"][0]["sport"] == "running"
        assert found["workout"][0]["num_valid_steps"] == len(steps)
        assert [step["message_index"] for step in steps] == list(range(len(steps)))
        assert (steps[0]["intensity"], steps[0]["duration_time"]) == ("warmup", 600)
        work = steps[1]
        assert work.get("duration_time") == workout.work.duration_s
        assert work.get("duration_distance") == workout.work.distance_m
        quick, slow = (1000 / work[f"custom_target_speed_{end}"] for end in ("high", "low"))
        assert (quick + slow) / 2 == pytest.approx(row["planned_pace_s_per_km"], abs=0.3)
        repeats = [
            step["repeat_steps"] for step in steps if step["duration_type"] == "repeat_until_steps_cmplt"
        ]
        assert repeats == ([workout.repeats] if workout.repeats > 1 else [])
        jogs = [step["duration_time"] for step in steps if step.get("intensity") == "rest"]
        assert jogs == ([workout.recovery.duration_s] if workout.recovery else [])
        assert (steps[-1]["intensity"], steps[-1]["duration_type"]) == ("cooldown", "open")


@pytest.mark.parametrize("read", [with_fitparse, with_fitdecode])
def test_without_a_pace_the_work_aims_at_the_heart_rate(read: Any) -> None:
    """At the zone of the plan."""
    row = next(row for row in rows_of("half_marathon_intermediate", threshold=None) if row["zone"] == "Z4")

    work = read(workout_fit(row))["workout_step"][1]

    assert (work["target_type"], work["target_hr_zone"]) == ("heart_rate", 4)


def test_a_session_without_structure_is_no_workout() -> None:
    """It is refused by name."""
    with pytest.raises(ValueError, match="conversational"):
        workout_fit({"notes": "conversational", "session": "easy"})
