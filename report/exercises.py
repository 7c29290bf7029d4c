"""Strength work for the knee and the warm-up before a run: what, how, and when not."""

from typing import NamedTuple

WARM_UP = (
    "Warm-up, 8 to 10 minutes: walk or jog for 5, then leg swings, walking lunges and high knees; "
    "before quick running 2 to 4 strides"
)
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


EXERCISES = (
    Exercise(
        "Leg curl",
        "A and B",
        "A 3 × 10, B 2 × 10",
        "On your back with both heels on a slider, a ball or a machine's roll: hips up, draw the heels in, let them out slowly.",
        "Cramp or pain at the back of the knee or thigh: smaller range, or a glute bridge instead.",
    ),
    Exercise(
        "Bulgarian split squat",
        "A and B",
        "A 3 × 8 a side, B 2 × 8 lighter",
        "Back foot on a chair, front foot far enough ahead that the knee stays over it: down slowly, up without a bounce.",
        "Pain at the kneecap above 2/10: less deep, back foot on the floor, or leave it out today.",
    ),
    Exercise(
        "Side-lying hip abduction",
        "A",
        "3 × 12 a side",
        "On your side, lower leg bent, upper leg straight in line with the body: lift it, toes forward, lower slowly.",
        "Pain at the outside of the hip when lying on it: do it standing at a wall.",
    ),
    Exercise(
        "Glute bridge",
        "A",
        "3 × 10",
        "On your back, feet flat: push the hips up until the body is straight, hold a breath, down slowly.",
        "Pain in the lower back: lift less high, ribs down.",
    ),
    Exercise(
        "Side plank",
        "B",
        "2 × 30 s a side",
        "On forearm and feet, or on the knees: hips up and the body in one line, breathe.",
        "Pain in the shoulder or on the inside of the knee: on the knees, or against a wall.",
    ),
    Exercise(
        "Step-down",
        "B",
        "2 × 8 a side",
        "On a low step, one leg: lower the other heel to the floor slowly, pelvis level, knee over the foot.",
        "Pain at the kneecap above 2/10 going downstairs: a lower step, or leave it out today.",
    ),
    Exercise(
        "Calf raise",
        "B",
        "2 × 12",
        "On the balls of the feet at the edge of a step: up, hold a breath, heels down slowly.",
        "Pain in the Achilles tendon that is worse on the next morning: on the flat, both feet.",
    ),
)

RULES = (
    "Two or three times a week with 48 hours between; 60 to 120 seconds of rest between sets.",
    "Bodyweight first, then weights; stop with 2 to 4 repetitions in reserve (RPE 5 to 7), never at failure.",
    "One step at a time: once 3 × 12 is easy, 5 to 10 % more load or 2 more repetitions a week.",
    "Knee pain of at most 2/10 while doing it, and settled on the next morning; else less, or not that exercise.",
    "Not on the day of the long run nor within 48 hours before it; half in cut-back weeks and the taper, none in race week.",
    "A session that was missed is dropped, not added to the next.",
    "Not with a red flag (swelling, locking, giving way, a knee that cannot bear weight): have it looked at first.",
    "Expect 6 to 12 weeks. Stronger hips and thighs support a sore knee; that they prevent one is not shown.",
)
"""What holds for all of them."""
