"""Modelled load on the knee: it may explain, and never raises an alarm by itself."""

import numpy as np

from analytics.load import Floats

REFERENCE_SPEED_M_PER_S = 1000 / 360  # 6:00 per kilometre: one knee load unit a flat kilometre
SPEED_EXPONENT = -0.8  # four studies of load per kilometre imply -0.60 to -0.88
SPEED_RANGE_M_PER_S = (2.0, 5.0)  # what the studies cover
GRADE_TERMS = (5.0, -1.5, 1.0)  # powers 2 to 0; fit to Van Hooren 2024
MAX_GRADE = 0.105  # 6 degrees, the steepest measured
MAX_CADENCE_CHANGE = 0.10  # of the usual cadence, the largest measured


def knee_load_klu(
    distance_m: Floats,
    speed_m_per_s: Floats,
    grade: Floats,
    *,
    cadence_spm: Floats | None = None,
    reference_cadence_spm: Floats | float | None = None,
) -> float:
    """
    Sum knee load units: 1 is the modelled patellofemoral impulse of a flat kilometre at 6:00.

    Made from treadmill studies of 12 to 30 healthy runners, effects assumed to multiply; for one runner
    against herself only.

    Args:
        distance_m: Metres of each step in time.
        speed_m_per_s: Speed in each step.
        grade: Rise over run in each step.
        cadence_spm: Steps per minute of both feet; NaN or 0 where unknown.
        reference_cadence_spm: The runner's usual cadence at that speed, NaN where unknown; cadence counts only where
            both are known.
    """
    speed_ratio = np.clip(speed_m_per_s, *SPEED_RANGE_M_PER_S) / REFERENCE_SPEED_M_PER_S
    grade_factor = np.polyval(GRADE_TERMS, np.clip(grade, -MAX_GRADE, MAX_GRADE))
    cadence_factor = _cadence_factor(cadence_spm, reference_cadence_spm)
    return float(np.sum(distance_m / 1000 * speed_ratio**SPEED_EXPONENT * grade_factor * cadence_factor))


def _cadence_factor(cadence_spm: Floats | None, reference_cadence_spm: Floats | float | None) -> Floats:
    """1 less the relative rise over the usual cadence; 1 where either is unknown."""
    if cadence_spm is None or reference_cadence_spm is None:
        return np.ones(1)
    change = np.where(cadence_spm > 0, cadence_spm, np.nan) / reference_cadence_spm - 1
    return 1 - np.clip(np.nan_to_num(change), -MAX_CADENCE_CHANGE, MAX_CADENCE_CHANGE)
