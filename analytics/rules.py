"""The thresholds of the alert rules, as the sources have them; a physio may want others for one runner."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """
    What counts as pain and as a spike, and for how long. The bins of a single session are the study's and fixed.

    Attributes:
        pain_p1_max: Highest knee score (0 to 10) that is still P1 when it settles.
        pain_p2_max: Highest knee score that is still P2.
        ramp_over: Rise of 7 days over the 7 before (0.3 is +30 %) above which it is a ramp.
        ramp_by_m: Metres by which it must have risen as well.
        ramp_from_m: Metres that the 7 days before must hold.
        downhill_over: Metres downhill of 7 days over the weekly mean of the 21 before.
        downhill_from_m: Metres downhill that 7 days must hold.
        spike_window_days: Days that a spike counts after its run.
        ramp_window_days: The same for a ramp alone.
        remind_after_days: Days after which a new report may raise an alert of the same level again.
        planned_ahead_days: Days before a planned run on which it may first be called a spike.
        strength_gap_days: Days without strength work after which there is a gap.
        not_reported_days: Days after a spike without a report on the knees after which to ask.
    """

    pain_p1_max: float = 2
    pain_p2_max: float = 5
    ramp_over: float = 0.30
    ramp_by_m: float = 5_000
    ramp_from_m: float = 10_000
    downhill_over: float = 1.5
    downhill_from_m: float = 100
    spike_window_days: int = 14
    ramp_window_days: int = 21
    remind_after_days: int = 7
    planned_ahead_days: int = 3
    strength_gap_days: int = 14
    not_reported_days: int = 3


PUBLISHED = Rules()
"""The thresholds of docs/alerts.md."""
