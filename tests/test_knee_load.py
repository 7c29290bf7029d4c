"""Knee load units: the worked values, and what moves them."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.knee_load import knee_load_klu

FORMULAS = json.loads((Path(__file__).parent / "data" / "formulas.json").read_text())


def klu(*parts: tuple[float, float, float], **cadence: float) -> float:
    """Knee load of parts given as kilometres, seconds per kilometre and grade."""
    km, pace, grade = np.array(parts, dtype=float).T
    return knee_load_klu(km * 1000, 1000 / pace, grade, **cadence)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("klu_10km_flat_360", [(10, 360, 0)]),
        ("klu_10km_flat_300", [(10, 300, 0)]),
        ("klu_10km_flat_420", [(10, 420, 0)]),
        ("klu_6flat_2down5_2up5_360", [(6, 360, 0), (2, 360, -0.05), (2, 360, 0.05)]),
        ("klu_5km_down_-8%_330", [(5, 330, -0.08)]),
        ("klu_out_of_range_walk_1.2mps_1km", [(1, 1000 / 1.2, 0)]),
    ],
)
def test_the_worked_examples_come_out(name, parts):
    """Faster is less per kilometre, downhill is more, and a walk is clipped to what was measured."""
    assert klu(*parts) == pytest.approx(FORMULAS[name], rel=5e-4)


@pytest.mark.parametrize("degrees", [-6, -3, 0, 3, 6])
def test_grade_follows_the_fit_to_the_treadmill_study(degrees):
    """One flat kilometre at 6:00 is one unit; hills scale it."""
    assert klu((1, 360, np.tan(np.radians(degrees)))) == pytest.approx(
        FORMULAS["fg_rounded_vs_data"][str(degrees)][0], rel=1e-3
    )


@pytest.mark.parametrize("km_per_h", [8, 10, 12, 14, 16])
def test_speed_follows_the_exponent(km_per_h):
    """A kilometre costs less when it is run faster, trap 6 of the report."""
    assert klu((1, 3600 / km_per_h, 0)) == pytest.approx(FORMULAS["fv_vs_hagen"][str(km_per_h)][0], rel=1e-3)


def test_cadence_counts_only_against_the_runners_own():
    """Five percent more steps are five percent less load; no reference or no cadence, no effect."""
    flat = [(10, 360, 0)]

    faster_steps = klu(*flat, cadence_spm=np.array([178.5]), reference_cadence_spm=170)

    assert faster_steps == pytest.approx(FORMULAS["klu_10km_360_cad+5%"])
    assert klu(*flat, cadence_spm=np.array([200.0])) == pytest.approx(10)
    assert klu(*flat, cadence_spm=np.array([np.nan]), reference_cadence_spm=170) == pytest.approx(10)
    assert klu(*flat, cadence_spm=np.array([300.0]), reference_cadence_spm=170) == pytest.approx(9)


def test_no_steps_are_no_load():
    """An empty run sums to 0."""
    assert knee_load_klu(np.array([]), np.array([]), np.array([])) == 0


@given(st.floats(0.1, 40), st.floats(200, 600), st.floats(-0.4, 0.4))
def test_load_is_positive_and_grows_with_the_distance(km, pace, grade):
    """Twice as far is twice the load, anywhere in or out of the measured range."""
    assert klu((km, pace, grade)) > 0
    assert klu((2 * km, pace, grade)) == pytest.approx(2 * klu((km, pace, grade)))
