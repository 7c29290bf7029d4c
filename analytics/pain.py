"""Reports of knee pain: what the newest one says, seen with those before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile
from statistics import median
from typing import Literal

from analytics.rules import PUBLISHED, Rules

PainLevel = Literal["P0", "P1", "P2", "P3", "R"]

RED_FLAGS = frozenset(
    {"swelling", "locking", "giving_way", "cannot_bear_weight", "deformity", "hot_red_fever",
     "night_or_rest_pain", "trauma_pop", "numbness"}
)  # fmt: skip
"""Signs that need a person who can look at the knee, whatever the score."""
RISING_DAYS = 14
RISING_BY = 2
LASTING_PAIN_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report of knee pain; scores 0 to 10, None where not given. `side` is left, right or both."""

    report_id: str
    reported_at: datetime
    local_date: date
    side: str
    before: float | None = None
    during: float | None = None
    after_60min: float | None = None
    next_morning: float | None = None
    flags: tuple[str, ...] = ()
    changed_gait: bool | None = None

    @property
    def peak(self) -> float | None:
        """The highest score, or None when none was given."""
        scores = (self.before, self.during, self.after_60min, self.next_morning)
        return max((score for score in scores if score is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pain:
    """What the newest report says, seen with those before it."""

    level: PainLevel
    is_rising: bool
    is_settled: bool
    days_at_p2_or_more: int


def pain_of(reports: Sequence[Report], rules: Rules = PUBLISHED) -> Pain | None:
    """
    Return the pain level of the newest of one knee's reports (oldest first); None when it says nothing of pain.

    P0 none · P1 peak up to 2 and settled · P2 peak 3 to 5 or not settled · P3 above 5, changed gait or rising ·
    R any red flag.
    """
    known = [report for report in reports if says_something(report)]
    if not known or known[-1] is not reports[-1]:
        return None
    return Pain(
        level=_level(known, rules),
        is_rising=is_rising(known),
        is_settled=_is_settled(known[-1]),
        days_at_p2_or_more=_days_at_p2_or_more(known, rules),
    )


def is_rising(reports: Sequence[Report]) -> bool:
    """Tell whether pain rises: three reports strictly up, or 2 points above the median of two or more, in 14 days."""
    newest = reports[-1]
    if newest.peak is None:
        return False
    # from the newest back, so that years of reports cost no more than weeks of them
    recent = takewhile(
        lambda report: (newest.local_date - report.local_date).days <= RISING_DAYS, reversed(reports[:-1])
    )
    earlier = [report.peak for report in recent if report.peak is not None]
    if len(earlier) < 2:
        return False
    return earlier[1] < earlier[0] < newest.peak or newest.peak - median(earlier) >= RISING_BY


def says_something(report: Report) -> bool:
    """Tell whether a report is about knee pain at all; one of sore muscles alone is not."""
    return report.peak is not None or bool(RED_FLAGS & set(report.flags)) or report.changed_gait is True


def _level(reports: Sequence[Report], rules: Rules) -> PainLevel:
    newest = reports[-1]
    peak = newest.peak or 0.0
    if RED_FLAGS & set(newest.flags):
        return "R"
    if peak > rules.pain_p2_max or newest.changed_gait or is_rising(reports):
        return "P3"
    if peak > rules.pain_p1_max or not _is_settled(newest):
        return "P2"
    return "P1" if peak > 0 else "P0"


def _is_settled(report: Report) -> bool:
    """Back to where it was before the run, after an hour and on the next morning, as far as was said."""
    baseline = report.before or 0.0
    return (report.after_60min or 0.0) <= baseline and (report.next_morning or 0.0) <= baseline


def _days_at_p2_or_more(reports: Sequence[Report], rules: Rules) -> int:
    """Return over how many days the newest unbroken row of reports at P2 or more reaches."""
    newest = first = reports[-1].local_date
    for place in reversed(range(len(reports))):
        day = reports[place].local_date
        if (first - day).days > LASTING_PAIN_DAYS or _level(reports[: place + 1], rules) in ("P0", "P1"):
            break
        first = day
    return (newest - first).days
