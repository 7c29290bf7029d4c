"""Strength work for the knee and the warm-up before a run: what, how, and when not."""

from typing import NamedTuple

from report.words import words

_STRENGTH = words()["strength"]

WARM_UP: str = _STRENGTH["warm_up"]
"""Before each run. Static stretching comes after it or at another time; what it does for injuries is not proven."""


class Exercise(NamedTuple):
    """
    One exercise.

    Attributes:
        name: What it is called in the plans.
        session: A, B or both.
        dose: Sets and repetitions.
        how: How to do it.
        when_not: When to leave it out or make it easier, beside the rules that hold for all.
    """

    name: str
    session: str
    dose: str
    how: str
    when_not: str


EXERCISES = tuple(Exercise(**exercise) for exercise in _STRENGTH["exercises"])

RULES: tuple[str, ...] = tuple(_STRENGTH["rules"])
"""What holds for all of them."""
