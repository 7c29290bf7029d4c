"""The structure of a session, read from its notes: so many times so much, with so much jogging between."""

import re
from dataclasses import dataclass

UNITS = {"min": 60.0, "s": 1.0, "km": 1000.0, "m": 1.0}
NUMBER = r"(\d+(?:\.\d+)?)"
REPEATS = re.compile(rf"(\d+) x {NUMBER} (min|s|km|m)\b")
BLOCK = re.compile(rf"(?:^|: |; )(?:middle |last )?{NUMBER} (min|km) (?:continuous|steady|tempo|at )")
RECOVERY = re.compile(rf"{NUMBER} (min|s) jog")
WARM_UP_NOTE = "Warm-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A part of a session, of a time or a distance."""

    duration_s: float | None = None
    distance_m: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workout:
    """
    What lies between warm-up and cool-down of a structured session.

    Attributes:
        repeats: How often the work is done.
        work: One of them.
        recovery: What lies between them; None where nothing does.
    """

    repeats: int
    work: Step
    recovery: Step | None = None


def workout_of(notes: str | None) -> Workout | None:
    """Return the structure that the notes of a session name, None where they name none."""
    told = (notes or "").split(WARM_UP_NOTE)[0]
    jog = RECOVERY.search(told)
    recovery = _step(jog[1], jog[2]) if jog else None
    if repeats := REPEATS.search(told):
        return Workout(repeats=int(repeats[1]), work=_step(repeats[2], repeats[3]), recovery=recovery)
    block = BLOCK.search(told)
    return Workout(repeats=1, work=_step(block[1], block[2])) if block else None


def _step(number: str, unit: str) -> Step:
    amount = float(number) * UNITS[unit]
    return Step(duration_s=amount) if unit in ("min", "s") else Step(distance_m=amount)
