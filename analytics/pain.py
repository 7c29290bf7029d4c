"""Reports of knee pain: what the newest one says, seen with those before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import islice, takewhile
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


@dataclass(frozen=True, kw_only=True)
class Report:
    """One report of knee pain; scores 0 to 10, None where not given, and nothing said is empty. `side` is left, right or both."""

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
    site: str | None = None
    onset: str | None = None
    provoked_by: tuple[str, ...] = ()
    muscle_soreness: float | None = None

    @cached_property
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


def pains_of(reports: Sequence[Report], rules: Rules = PUBLISHED) -> list[Pain | None]:
    """
    Return what each of one knee's reports (oldest first) says; None for one that says nothing of pain.

    P0 none · P1 peak up to 2 and settled · P2 peak 3 to 5 or not settled · P3 above 5, changed gait or rising ·
    R any red flag.
    """
    known: list[Report] = []
    pains: list[Pain | None] = []
    sore_since: date | None = None
    for report in reports:
        if not says_something(report):
            pains.append(None)
            continue
        known.append(report)
        rising = is_rising(known)
        level = _level(report, rising, rules)
        sore_since = _sore_since(sore_since, known) if level not in ("P0", "P1") else None
        pains.append(
            Pain(
                level=level,
                is_rising=rising,
                is_settled=is_settled(report),
                days_at_p2_or_more=(report.local_date - (sore_since or report.local_date)).days,
            )
        )
    return pains


def is_rising(reports: Sequence[Report]) -> bool:
    """Tell whether pain rises: three reports strictly up, or 2 points above the median of two or more, in 14 days."""
    newest = reports[-1]
    if not newest.peak:  # none cannot be more than before, and is what most reports say
        return False
    # from the newest back, so that years of reports cost no more than weeks of them
    earlier_first = newest.local_date - timedelta(days=RISING_DAYS)
    recent = takewhile(lambda report: report.local_date >= earlier_first, islice(reversed(reports), 1, None))
    earlier = [report.peak for report in recent if report.peak is not None]
    if len(earlier) < 2:
        return False
    return earlier[1] < earlier[0] < newest.peak or newest.peak - median(earlier) >= RISING_BY


def is_settled(report: Report) -> bool:
    """Back to where it was before the run, after an hour and on the next morning, as far as was said."""
    baseline = report.before or 0.0
    return (report.after_60min or 0.0) <= baseline and (report.next_morning or 0.0) <= baseline


def says_something(report: Report) -> bool:
    """Tell whether a report is about knee pain at all; one of sore muscles alone is not."""
    return report.peak is not None or not RED_FLAGS.isdisjoint(report.flags) or report.changed_gait is True


def _level(report: Report, rising: bool, rules: Rules) -> PainLevel:
    peak = report.peak or 0.0
    if not RED_FLAGS.isdisjoint(report.flags):
        return "R"
    if peak > rules.pain_p2_max or report.changed_gait or rising:
        return "P3"
    if peak > rules.pain_p1_max or not is_settled(report):
        return "P2"
    return "P1" if peak > 0 else "P0"


def _sore_since(since: date | None, known: Sequence[Report]) -> date:
    """Return the first day of the unbroken row of reports at P2 or more that the newest one continues or begins."""
    newest = known[-1].local_date
    if since is None or (newest - known[-2].local_date).days > LASTING_PAIN_DAYS:
        return newest
    return since
