"""The plan for other programs: a table, a calendar, and workouts for a watch."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from fit_tool.fit_file_builder import FitFileBuilder
from fit_tool.profile.messages.file_id_message import FileIdMessage
from fit_tool.profile.messages.workout_message import WorkoutMessage
from fit_tool.profile.messages.workout_step_message import WorkoutStepMessage
from fit_tool.profile.profile_type import (
    FileType,
    Intensity,
    Manufacturer,
    Sport,
    WorkoutStepDuration,
    WorkoutStepTarget,
)
from icalendar import Calendar, Event

from analytics.plan import DAYS
from analytics.plan_pace import ZONE_BANDS
from analytics.workout import Step, workout_of
from report.exercises import WARM_UP
from report.format import Units

Session = Mapping[str, Any]
"""One row of plan_sessions."""

CSV_COLUMNS = ("week", "day", "session", "distance_km", "duration_min", "rpe", "zone", "notes")
STRUCTURED_SESSIONS = ("steady", "tempo", "intervals")
WARM_UP_S = 600.0
HALF_MARATHON_M = 21097.5


def plan_csv(sessions: Iterable[Session]) -> str:
    """Return the sessions as the table that `plan import` reads; weeks are those of the calendar from the first session on."""
    sessions = list(sessions)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(CSV_COLUMNS)
    for session in sessions:
        table.writerow(_csv_row(session, sessions[0]))
    return text.getvalue()


def plan_ics(sessions: Iterable[Session], *, athlete: str, units: Units, now: datetime) -> bytes:
    """
    Return the sessions as a calendar of whole-day events that `plan import` reads, too.

    A session keeps its UID when it is moved or the race is, so that a calendar that subscribes moves it as well.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Kneewatch//plan//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "Training plan")
    for session in sessions:
        event = Event()
        event.add("uid", f"{session['session_key']}.{session['plan']}.{athlete}@kneewatch")
        event.add("dtstamp", now)
        event.add("dtstart", session["local_date"])
        event.add("dtend", session["local_date"] + timedelta(days=1))
        event.add("summary", title_of(session, units))
        event.add("description", _description(session, units))
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def plan_workouts(sessions: Iterable[Session]) -> dict[str, bytes]:
    """
    Return one FIT workout file for each structured session, by file name.

    Ten minutes of warm-up, the work with its recovery, and a cool-down that is ended by hand. The work aims at the
    pace of the session's zone, or at its heart rate where no pace is known.
    """
    return {
        f"{session['local_date']}_{session['session']}.fit": workout_fit(session)
        for session in sessions
        if session["session"] in STRUCTURED_SESSIONS and workout_of(session["notes"])
    }


def title_of(session: Session, units: Units) -> str:
    """Return what a calendar shows: Long 14 km, Half marathon, Strength, Rest."""
    metres = session["distance_m"]
    if session["session"] == "race" and metres == HALF_MARATHON_M:
        return "Half marathon"
    amount = f" {round(metres / units.metres, 2):g} {units.symbol}" if metres else ""
    return str(session["session"]).capitalize() + amount


def workout_fit(session: Session) -> bytes:
    """
    Return a structured session as a FIT workout.

    Raises:
        ValueError: If its notes name no structure.
    """
    workout = workout_of(session["notes"])
    if workout is None:
        raise ValueError(f"not structured: {session['notes']!r}")
    steps = [
        _step("Warm-up", Intensity.WARMUP, Step(duration_s=WARM_UP_S)),
        _aimed(_step("Work", Intensity.ACTIVE, workout.work), session),
    ]
    if workout.recovery:
        steps.append(_step("Jog", Intensity.REST, workout.recovery))
    if workout.repeats > 1:
        steps.append(_repeat(from_step=1, times=workout.repeats))
    steps.append(_step("Cool-down", Intensity.COOLDOWN, None))
    file = FitFileBuilder(auto_define=True)
    file.add(_file_id(session["local_date"]))
    file.add(_head(session, len(steps)))
    for index, step in enumerate(steps):
        step.message_index = index
        file.add(step)
    return bytes(file.build().to_bytes())


def _csv_row(session: Session, first: Session) -> list[object]:
    monday = first["local_date"] - timedelta(days=first["local_date"].weekday())
    days = (session["local_date"] - monday).days
    return [
        first["week"] + days // len(DAYS),
        DAYS[days % len(DAYS)],
        session["session"],
        _number(session["distance_m"], 1000),
        _number(session["duration_s"], 60),
        _number(session["rpe"], 1),
        session["zone"],
        session["notes"],
    ]


def _number(value: float | None, unit: float) -> str:
    return "" if value is None else f"{round(value / unit, 6):.10g}"


def _description(session: Session, units: Units) -> str:
    pace = session["planned_pace_s_per_km"]
    notes = session["notes"] or ""
    is_warmed_up = bool(session["distance_m"]) and "Warm-up" not in notes
    parts = (notes, f"Pace {units.pace(pace)}" if pace else "", WARM_UP if is_warmed_up else "")
    return ". ".join(part.rstrip(".") for part in parts if part)


def _file_id(day: date) -> FileIdMessage:
    message = FileIdMessage()
    message.type = FileType.WORKOUT
    message.manufacturer = Manufacturer.DEVELOPMENT.value
    message.product = 0
    message.serial_number = day.toordinal()  # a watch takes two files with the same number and time for one
    message.time_created = round(datetime.combine(day, time(), UTC).timestamp() * 1000)
    return message


def _head(session: Session, steps: int) -> WorkoutMessage:
    message = WorkoutMessage()
    message.workout_name = f"{session['session'].capitalize()} {session['local_date']:%d.%m.}"
    message.sport = Sport.RUNNING
    message.num_valid_steps = steps
    return message


def _step(name: str, intensity: Intensity, lasts: Step | None) -> WorkoutStepMessage:
    message = WorkoutStepMessage()
    message.workout_step_name = name
    message.intensity = intensity
    message.target_type = WorkoutStepTarget.OPEN
    if lasts is None:
        message.duration_type = WorkoutStepDuration.OPEN
    elif lasts.duration_s is not None:
        message.duration_type = WorkoutStepDuration.TIME
        message.duration_time = lasts.duration_s
    else:
        message.duration_type = WorkoutStepDuration.DISTANCE
        message.duration_distance = lasts.distance_m
    return message


def _aimed(step: WorkoutStepMessage, session: Session) -> WorkoutStepMessage:
    pace, zone = session["planned_pace_s_per_km"], session["zone"]
    if zone not in ZONE_BANDS:
        return step
    if pace is None:
        step.target_type = WorkoutStepTarget.HEART_RATE
        step.target_hr_zone = int(zone[1:])
        return step
    quick, slow = ZONE_BANDS[zone]
    threshold_s_per_km = pace / ((quick + slow) / 2)
    step.target_type = WorkoutStepTarget.SPEED
    step.target_value = 0
    step.custom_target_speed_low = 1000 / (slow * threshold_s_per_km)
    step.custom_target_speed_high = 1000 / (quick * threshold_s_per_km)
    return step


def _repeat(*, from_step: int, times: int) -> WorkoutStepMessage:
    message = WorkoutStepMessage()
    message.duration_type = WorkoutStepDuration.REPEAT_UNTIL_STEPS_CMPLT
    message.duration_step = from_step
    message.target_type = WorkoutStepTarget.OPEN
    message.target_repeat_steps = times
    return message
