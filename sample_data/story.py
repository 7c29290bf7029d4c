"""What Mara does each day: sixteen weeks of a made-up runner, and what goes wrong, as data.

Distances are those her exports say, in kilometres; days and times are Berlin's (summer time throughout).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Literal

LOCAL_ZONE = timezone(timedelta(hours=2), "CEST")  # from the first run to the last, 17 May to 3 October
PLAN_START_DATE = date(2026, 6, 15)  # Monday of plan week 1
RACE_DATE = date(2026, 10, 4)
SPIKE_DATE = date(2026, 8, 23)
LAST_DAY = date(2026, 10, 3)

RESTING_HR_BPM = 52
REFERENCE_HR_BPM = 139.5  # 75 % of her maximum of 186

Kind = Literal["easy", "long", "steady", "walk_jog"]
Export = Literal["fit", "fit.gz", "gpx", "gpx.gz"]

# Seconds per kilometre on the flat at the reference heart rate, by plan week; 0 and below is before the plan.
REFERENCE_PACE_S_PER_KM = {
    -4: 418.5, -3: 418.0, -2: 418.5, -1: 417.5, 0: 417.0,
    1: 416.0, 2: 413.0, 3: 411.0, 4: 408.5, 5: 405.5, 6: 403.5, 7: 400.5,
    10: 413.5, 11: 413.0, 13: 411.5, 14: 409.5, 15: 407.5, 16: 406.0,
}  # fmt: skip

START_TIMES = {
    0: "19:12",
    1: "18:08",
    2: "18:31",
    3: "18:22",
    5: "08:41",
    6: "09:04",
}  # by weekday, Monday is 0
TITLES = {"easy": "Easy run", "long": "Long run", "steady": "Steady run", "walk_jog": "Walk and jog"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A stop of the timer."""

    at_share: float
    """Where it happens, as a share of the distance."""
    duration_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run, and how it is exported."""

    day: date
    km: float
    kind: Kind = "easy"
    export: Export = "fit"
    rpe: int | None = None
    feel: int | None = None
    pauses: tuple[Pause, ...] = ()
    steady_km: float = 0.0
    is_treadmill: bool = False
    is_exported_twice: bool = False
    """Also as GPX of the platform."""
    is_cut_short: bool = False

    @property
    def plan_week(self) -> int:
        """Week of the plan; 0 and below is before it."""
        return (self.day - PLAN_START_DATE).days // 7 + 1

    @property
    def seed(self) -> int:
        """Seed of this run's noise: its date as a number."""
        return int(self.day.strftime("%Y%m%d"))

    @property
    def started_at(self) -> datetime:
        """Start of the recording (UTC): the hour of the weekday, a few minutes off."""
        usual = datetime.combine(self.day, time.fromisoformat(START_TIMES[self.day.weekday()]), LOCAL_ZONE)
        return (usual + timedelta(seconds=self.seed * 7919 % 900)).astimezone(UTC)

    @property
    def title(self) -> str:
        """Title the platform gives it."""
        return TITLES[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class PainReport:
    """One line of pain.csv; its time follows from the run of that day."""

    day: date
    side: Literal["left", "right", "both"] = "right"
    site: str = ""
    before: int = 0
    during: int = 0
    after_60min: int = 0
    next_morning: int = 0
    muscle_soreness: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """One exercise of a strength session."""

    name: str
    sets: int
    reps: int | None
    load_kg: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrengthSession:
    """One strength session: its exercises, how hard it was."""

    day: date
    exercises: tuple[Exercise, ...]
    rpe: int
    note: str = ""


def _day(month: int, day: int) -> date:
    return date(2026, month, day)


LIGHTS = (Pause(at_share=0.31, duration_s=34),)
TWO_LIGHTS = (Pause(at_share=0.22, duration_s=27), Pause(at_share=0.71, duration_s=52))

BEFORE_THE_PLAN = (
    Run(day=_day(5, 17), km=8.00, kind="long", export="fit.gz", rpe=4),
    Run(day=_day(5, 19), km=6.02, export="fit.gz", rpe=3, feel=75),
    Run(day=_day(5, 21), km=5.48, export="gpx.gz"),
    Run(day=_day(5, 24), km=7.03, kind="long", export="fit.gz", rpe=3, feel=75),
    Run(day=_day(5, 26), km=5.51, export="fit.gz"),
    Run(day=_day(5, 28), km=6.04, export="fit.gz", rpe=3, feel=75, pauses=LIGHTS),
    Run(day=_day(5, 31), km=7.52, kind="long", export="fit.gz", rpe=3, feel=100),
    Run(day=_day(6, 2), km=6.01, export="fit.gz", rpe=3, feel=75),
    Run(day=_day(6, 4), km=5.97, export="gpx.gz", pauses=LIGHTS),
    Run(day=_day(6, 7), km=8.00, kind="long", export="fit.gz", rpe=4, feel=75),
    Run(day=_day(6, 9), km=6.05, export="fit.gz", rpe=3, feel=75),
    Run(day=_day(6, 11), km=5.50, export="fit.gz", rpe=3, feel=50, pauses=TWO_LIGHTS),
    Run(day=_day(6, 13), km=3.02, export="fit.gz", rpe=2, feel=75),
    Run(day=_day(6, 14), km=7.98, kind="long", export="fit.gz", rpe=3, feel=75),
)

ON_PLAN = (
    Run(day=_day(6, 16), km=5.03, rpe=3, feel=75),
    Run(day=_day(6, 18), km=4.98, rpe=3, feel=75, pauses=LIGHTS),
    Run(day=_day(6, 20), km=4.02, rpe=2, feel=75),
    Run(day=_day(6, 21), km=8.51, kind="long", rpe=3, feel=75),
    Run(day=_day(6, 23), km=5.46, rpe=3, feel=75),
    Run(day=_day(6, 25), km=5.54, export="gpx.gz"),
    Run(day=_day(6, 27), km=4.17, rpe=2, feel=100),
    Run(day=_day(6, 28), km=9.30, kind="long", rpe=3, feel=75, pauses=LIGHTS),
    Run(day=_day(6, 30), km=6.04, rpe=3, feel=75),
    Run(day=_day(7, 2), km=6.17, rpe=4, feel=75, pauses=TWO_LIGHTS),
    Run(day=_day(7, 4), km=4.43, rpe=2, feel=75),
    Run(day=_day(7, 5), km=10.10, kind="long", rpe=3, feel=75),
    Run(day=_day(7, 7), km=5.53, rpe=3, feel=75),
    Run(day=_day(7, 9), km=5.22, rpe=3, feel=75, is_exported_twice=True),
    Run(day=_day(7, 11), km=3.98, export="gpx"),
    Run(day=_day(7, 12), km=8.03, kind="long", rpe=3, feel=100),
    Run(day=_day(7, 14), km=5.47, rpe=3, feel=75, pauses=LIGHTS),
    Run(day=_day(7, 16), km=5.50, rpe=4, feel=50, is_treadmill=True),
    Run(day=_day(7, 18), km=4.05, rpe=2, feel=75),
    Run(day=_day(7, 19), km=10.99, kind="long", rpe=3, feel=75, pauses=TWO_LIGHTS),
    Run(day=_day(7, 21), km=6.12, export="gpx.gz", pauses=(Pause(at_share=0.48, duration_s=213),)),
    Run(day=_day(7, 23), km=6.28, kind="steady", steady_km=2.0, rpe=5, feel=75),
    Run(day=_day(7, 25), km=4.24, rpe=2, feel=75),
    Run(day=_day(7, 26), km=11.90, kind="long", rpe=4, feel=75),
    Run(day=_day(7, 28), km=6.83, rpe=3, feel=50, pauses=LIGHTS),
    Run(day=_day(7, 30), km=6.76, kind="steady", steady_km=3.0, rpe=5, feel=75),
    Run(day=_day(8, 1), km=4.46),
    Run(day=_day(8, 2), km=13.00, kind="long", rpe=4, feel=100),
)

# Weeks 8 and 9: a holiday with a cold, no run. Then too much at once.
TOO_MUCH = (
    Run(day=_day(8, 18), km=4.02, rpe=4, feel=50),
    Run(day=_day(8, 20), km=5.01, rpe=4, feel=50, pauses=LIGHTS),
    Run(day=SPIKE_DATE, km=18.40, kind="long", rpe=7, feel=50, pauses=TWO_LIGHTS),
    Run(day=_day(8, 25), km=5.02, rpe=5, feel=25),
    Run(day=_day(8, 27), km=6.01, rpe=6, feel=0, is_cut_short=True),
)

# No run until the fifteenth day after the long run, when it no longer counts as recent.
BACK_AGAIN = (
    Run(day=_day(9, 7), km=3.02, kind="walk_jog", rpe=2, feel=50),
    Run(day=_day(9, 9), km=4.01, rpe=3, feel=75),
    Run(day=_day(9, 12), km=5.03, rpe=3, feel=75),
    Run(day=_day(9, 15), km=4.03, rpe=3, feel=75),
    Run(day=_day(9, 17), km=4.02, export="gpx.gz"),
    Run(day=_day(9, 20), km=8.01, kind="long", rpe=3, feel=75),
    Run(day=_day(9, 22), km=4.51, rpe=3, feel=75, pauses=LIGHTS),
    Run(day=_day(9, 24), km=4.48, rpe=3, feel=75),
    Run(day=_day(9, 27), km=8.60, kind="long", rpe=3, feel=100),
    Run(day=_day(9, 29), km=5.02, rpe=3, feel=75),
    Run(day=_day(10, 1), km=3.01, rpe=3, feel=100),
    Run(day=_day(10, 3), km=2.02, rpe=2, feel=100),
)

RUNS = BEFORE_THE_PLAN + ON_PLAN + TOO_MUCH + BACK_AGAIN

# A jog on a rest day whose file breaks off: what is left of it, about 2.4 km, is a run all the same.
BROKEN_OFF_RUN = Run(day=_day(6, 29), km=4.00, rpe=2)
BROKEN_OFF_SHARE = 0.6

# The reports of weeks 1 to 6 end four weeks before the first pain, so that they are no base line for it.
PAIN_REPORTS = (
    PainReport(day=_day(6, 21), side="both"),
    PainReport(day=_day(7, 5), side="both"),
    PainReport(day=_day(7, 12)),
    PainReport(day=_day(7, 26), side="both", muscle_soreness=4, note="Thighs sore on both sides, knees fine"),
    PainReport(day=SPIKE_DATE, site="kneecap", during=1, note="Felt it from km 15 on"),
    PainReport(day=_day(8, 25), site="kneecap", during=3, after_60min=1, next_morning=1, note="Stairs too"),
    PainReport(
        day=_day(8, 27),
        site="kneecap",
        before=1,
        during=5,
        after_60min=4,
        next_morning=3,
        note="Went home early",
    ),
    PainReport(day=_day(9, 7), site="kneecap", during=1, note="Walk and jog, flat"),
    PainReport(day=_day(9, 9), site="kneecap", during=1),
    PainReport(day=_day(9, 12)),
    PainReport(day=_day(9, 15)),
    PainReport(day=_day(9, 20), note="First long run again, nothing"),
    PainReport(day=_day(9, 24)),
    PainReport(day=_day(9, 27)),
    PainReport(day=_day(10, 3), note="Ready to start, not to race"),
)


def _session_a(day: date, squat_kg: float, curl_kg: float) -> StrengthSession:
    return StrengthSession(
        day=day,
        rpe=6,
        exercises=(
            Exercise(name="leg curl", sets=3, reps=10, load_kg=curl_kg),
            Exercise(name="Bulgarian split squat", sets=3, reps=8, load_kg=squat_kg, note="a side"),
            Exercise(name="side-lying hip abduction", sets=3, reps=12, note="a side"),
            Exercise(name="glute bridge", sets=3, reps=10),
        ),
    )


def _session_b(day: date, squat_kg: float, curl_kg: float) -> StrengthSession:
    return StrengthSession(
        day=day,
        rpe=5,
        exercises=(
            Exercise(name="Bulgarian split squat", sets=2, reps=8, load_kg=squat_kg, note="a side"),
            Exercise(name="leg curl", sets=2, reps=10, load_kg=curl_kg),
            Exercise(name="side plank", sets=2, reps=None, note="30 s a side"),
            Exercise(name="calf raise", sets=2, reps=12),
            Exercise(name="step-down", sets=2, reps=8, note="a side"),
        ),
    )


def _session_light(day: date, note: str = "") -> StrengthSession:
    return StrengthSession(
        day=day,
        rpe=4,
        note=note,
        exercises=(
            Exercise(name="side-lying hip abduction", sets=2, reps=12, note="a side"),
            Exercise(name="glute bridge", sets=2, reps=10),
        ),
    )


STRENGTH_SESSIONS = (
    _session_a(_day(6, 17), 0, 10),
    _session_b(_day(6, 19), 0, 10),
    _session_a(_day(6, 24), 0, 10),
    _session_b(_day(6, 26), 0, 10),
    _session_a(_day(7, 1), 4, 12.5),
    _session_b(_day(7, 3), 2, 12.5),
    _session_light(_day(7, 8), note="cut-back week"),
    _session_a(_day(7, 15), 4, 12.5),
    _session_a(_day(7, 22), 6, 15),
    _session_b(_day(7, 24), 4, 15),
    _session_a(_day(7, 29), 6, 15),
    _session_b(_day(7, 31), 4, 15),
    _session_light(_day(8, 19), note="first one after the holiday"),
    _session_light(_day(9, 2), note="instead of running"),
    _session_light(_day(9, 4), note="instead of running"),
    _session_a(_day(9, 10), 0, 10),
    _session_a(_day(9, 16), 0, 10),
    _session_b(_day(9, 18), 0, 10),
    _session_light(_day(9, 23), note="taper"),
)


def recorded_runs() -> tuple[Run, ...]:
    """All runs in order of time, the one whose file breaks off with what is left of it."""
    cut_km = round(BROKEN_OFF_RUN.km * BROKEN_OFF_SHARE, 2)
    left = Run(day=BROKEN_OFF_RUN.day, km=cut_km, rpe=BROKEN_OFF_RUN.rpe)
    return tuple(sorted((*RUNS, left), key=lambda run: run.started_at))
