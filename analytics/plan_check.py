"""What a plan does to the knee by itself: spikes, ramps, missing cut-back weeks, strength at the wrong time, and its entry."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import polars as pl

from analytics.load import ROUNDING, SMALL_SPIKE_RATIO, spike_bin
from analytics.plan import DAYS, RACE_SESSION, RUN_SESSIONS, SPIKE_WINDOW_DAYS, STRENGTH_SESSION
from analytics.rules import Rules

RAMP_RATIO = Rules().ramp_over  # week over week, as a rise of seven days in alerts
CUT_BACK_SHARE = 0.90  # of the week before; a week of at most that much is one, ours
MOST_WEEKS_WITHOUT_CUT_BACK = 3
STRENGTH_APART_DAYS = 2  # 48 hours
ENTRY_STEP_RATIO = (
    0.095  # first week's longest over the runner's own: +10 % less half a percent for GPS, ours
)
ENTRY_WEEK_RATIO = 0.15  # first week over the runner's own, as from week to week in the built-in plans
ENTRY_WEEKS = 4
LONG_SESSIONS = ("long", RACE_SESSION)

RULES = (
    "spike",
    "race_spike",
    "ramp",
    "no_cut_back",
    "strength_before_long",
    "strength_too_close",
    "entry_longest",
    "entry_week",
)
FINDINGS = pl.Schema(
    {
        "rule": pl.String,
        "week": pl.Int32,
        "local_date": pl.Date,
        "session": pl.String,
        "value": pl.Float64,
        "compared_with": pl.Float64,
        "ratio": pl.Float64,
        "spike_bin": pl.String,
    }
)
Finding = dict[str, Any]


class Step(NamedTuple):
    """One run of the plan beside the longest of the 30 days before it; nothing to compare it with in the first week."""

    week: int
    local_date: date
    session: str
    distance_m: float
    longest_30d_m: float | None

    @property
    def ratio(self) -> float | None:
        """Return the distance over the longest, minus 1."""
        return self.distance_m / self.longest_30d_m - 1 if self.longest_30d_m else None


class Week(NamedTuple):
    """One week of the plan: its first day, and its metres without the race; None where a run has none, or a late start cut it short."""

    week: int
    local_date: date
    distance_m: float | None


class PlanSummary(NamedTuple):
    """
    A plan in numbers; None is unknown.

    Attributes:
        weeks: How many it has.
        runs: Its runs, the race included.
        first_week_m: Distance of its first week; as all weeks without the race.
        peak_week_m: Of its longest week.
        longest_m: Longest run but the race.
        worst_step_ratio: Highest run over the longest of the 30 days before, minus 1; the race apart.
        steps_over_10_pct: Runs more than 10 % over it, the race apart.
        race_ratio: The race over the longest of the 30 days before, minus 1.
        worst_week_ratio: Highest week over the week before, minus 1.
        entry_longest_m: Longest run of the last 30 days that the first week asks for.
        entry_week_m: Mean of the last four weeks that it asks for.
        own_longest_m: What the runner has of the former.
        own_week_m: And of the latter.
    """

    weeks: int
    runs: int
    first_week_m: float | None
    peak_week_m: float | None
    longest_m: float | None
    worst_step_ratio: float | None
    steps_over_10_pct: int
    race_ratio: float | None
    worst_week_ratio: float | None
    entry_longest_m: float | None
    entry_week_m: float | None
    own_longest_m: float | None
    own_week_m: float | None


def check_plan(
    sessions: pl.DataFrame, runs: pl.DataFrame, *, today: date
) -> tuple[PlanSummary, pl.DataFrame]:
    """
    Hold a plan against the rules for load and strength, and its first week against what the runner did before.

    The first seven days are held against the runner's own runs only: as an entry requirement.

    Args:
        sessions: Columns of plan_sessions: week, local_date, session, distance_m.
        runs: The runner's own: local_date, distance_m. Without any, the entry is not judged.
        today: The athlete's day.

    Returns:
        The plan in numbers, and one row a finding in order of days: rule (one of RULES), week, local_date, session,
        value and compared_with (metres; weeks of no_cut_back), ratio, spike_bin.
    """
    steps = _steps(sessions)
    weeks = _weeks(sessions)
    summary = _summary(sessions, steps, weeks, runs, today)
    findings = [
        *_spikes(steps),
        *_ramps(weeks),
        *_weeks_without_cut_back(weeks),
        *_strength(sessions),
        *(_entry(steps, summary, sessions) if len(runs) else ()),
    ]
    return summary, pl.DataFrame(findings, schema=FINDINGS).sort("local_date", maintain_order=True)


def _steps(sessions: pl.DataFrame) -> list[Step]:
    runs = (
        sessions.filter(pl.col("session").is_in(list(RUN_SESSIONS)) & (pl.col("distance_m") > 0))
        .select("week", "local_date", "session", "distance_m")
        .sort("local_date", maintain_order=True)
        .rows()
    )
    first = sessions["local_date"].min()
    return [
        Step(week, day, session, metres, _longest_before(runs, day) if (day - first).days >= 7 else None)
        for week, day, session, metres in runs
    ]


def _longest_before(runs: Sequence[tuple[Any, ...]], day: date) -> float | None:
    since = day - timedelta(days=SPIKE_WINDOW_DAYS)
    return max((metres for _, on, _, metres in runs if since <= on < day), default=None)


def _weeks(sessions: pl.DataFrame) -> list[Week]:
    is_run = pl.col("session").is_in(list(RUN_SESSIONS - {RACE_SESSION}))
    metres = pl.col("distance_m").filter(is_run)
    weeks = sessions.group_by("week").agg(
        pl.col("local_date").min(),
        pl.when(metres.null_count() == 0).then(metres.sum()).alias("distance_m"),
    )
    found = [Week(*row) for row in weeks.sort("week").rows()]
    is_cut_short = len(found) > 1 and (found[1].local_date - found[0].local_date).days < len(DAYS)
    return [found[0]._replace(distance_m=None), *found[1:]] if is_cut_short else found


def _spikes(steps: Sequence[Step]) -> Iterator[Finding]:
    for step in steps:
        bin_name = spike_bin(step.distance_m, step.longest_30d_m)
        if bin_name not in ("reference", "no_baseline"):
            yield {
                "rule": "race_spike" if step.session == RACE_SESSION else "spike",
                "week": step.week,
                "local_date": step.local_date,
                "session": step.session,
                "value": step.distance_m,
                "compared_with": step.longest_30d_m,
                "ratio": step.ratio,
                "spike_bin": bin_name,
            }


def _ramps(weeks: Sequence[Week]) -> Iterator[Finding]:
    for before, week in pairwise(weeks):
        ratio = _rise(before, week)
        if ratio is not None and ratio > RAMP_RATIO + ROUNDING:
            yield {
                "rule": "ramp",
                "week": week.week,
                "local_date": week.local_date,
                "value": week.distance_m,
                "compared_with": before.distance_m,
                "ratio": ratio,
            }


def _rise(before: Week, week: Week) -> float | None:
    """Return a week over the one before, minus 1; after a week without a run there is nothing to compare."""
    if not before.distance_m or week.distance_m is None:
        return None
    return week.distance_m / before.distance_m - 1


def _weeks_without_cut_back(weeks: Sequence[Week]) -> Iterator[Finding]:
    """Yield one finding for each stretch of more than three weeks in which none is easier than the one before."""
    stretches: list[list[Week]] = []
    for week in weeks:
        if stretches and _is_no_easier(week, stretches[-1][-1]):
            stretches[-1].append(week)
        else:
            stretches.append([week])
    for number, stretch in enumerate(stretches):
        without = len(stretch) - (number > 0)  # all but the first stretch begin with a cut-back week
        if without > MOST_WEEKS_WITHOUT_CUT_BACK:
            yield {
                "rule": "no_cut_back",
                "week": stretch[-1].week,
                "local_date": stretch[-1].local_date,
                "value": float(without),
                "compared_with": float(MOST_WEEKS_WITHOUT_CUT_BACK),
            }


def _is_no_easier(week: Week, before: Week) -> bool:
    if week.distance_m is None or before.distance_m is None:
        return False
    return week.distance_m > CUT_BACK_SHARE * before.distance_m + ROUNDING


def _strength(sessions: pl.DataFrame) -> Iterator[Finding]:
    of_kind = pl.col("session")
    strength = sessions.filter(of_kind == STRENGTH_SESSION).sort("local_date")
    long_days = set(sessions.filter(of_kind.is_in(LONG_SESSIONS))["local_date"])
    before: date | None = None
    for week, day in strength.select("week", "local_date").rows():
        found = {"week": week, "local_date": day, "session": STRENGTH_SESSION}
        if long_days & {day, day + timedelta(days=1)}:
            yield found | {"rule": "strength_before_long"}
        if before and (day - before).days < STRENGTH_APART_DAYS:
            yield found | {"rule": "strength_too_close"}
        before = day


def _entry(steps: Sequence[Step], summary: PlanSummary, sessions: pl.DataFrame) -> Iterator[Finding]:
    first: date = sessions["local_date"].min()  # type: ignore[assignment]
    longest_m = _longest_of_first_week(steps)
    own_m, own_week_m = summary.own_longest_m, summary.own_week_m
    place = {"week": sessions["week"].min(), "local_date": first}
    if longest_m and (own_m is None or spike_bin(longest_m, own_m) != "reference"):
        yield place | {
            "rule": "entry_longest",
            "value": own_m,
            "compared_with": summary.entry_longest_m,
            "ratio": longest_m / own_m - 1 if own_m else None,
            "spike_bin": spike_bin(longest_m, own_m),
        }
    if summary.entry_week_m and summary.first_week_m and (own_week_m or 0.0) < summary.entry_week_m:
        yield place | {
            "rule": "entry_week",
            "value": own_week_m,
            "compared_with": summary.entry_week_m,
            "ratio": summary.first_week_m / own_week_m - 1 if own_week_m else None,
        }


def _longest_of_first_week(steps: Sequence[Step]) -> float | None:
    return max((step.distance_m for step in steps if step.longest_30d_m is None), default=None)


def _summary(
    sessions: pl.DataFrame,
    steps: Sequence[Step],
    weeks: Sequence[Week],
    runs: pl.DataFrame,
    today: date,
) -> PlanSummary:
    totals = [week.distance_m for week in weeks]
    rises = [rise for before, week in pairwise(weeks) if (rise := _rise(before, week)) is not None]
    trained = [step for step in steps if step.session != RACE_SESSION]
    ratios = [step.ratio for step in trained if step.ratio is not None]
    races = [step.ratio for step in steps if step.session == RACE_SESSION]
    longest_m = _longest_of_first_week(steps)
    first: date = sessions["local_date"].min()  # type: ignore[assignment]
    own_longest_m, own_week_m = _own(runs, until=min(first, today + timedelta(days=1)))
    return PlanSummary(
        weeks=len(weeks),
        runs=len(steps),
        first_week_m=totals[0],
        peak_week_m=max((metres for metres in totals if metres is not None), default=None),
        longest_m=max((step.distance_m for step in trained), default=None),
        worst_step_ratio=max(ratios, default=None),
        steps_over_10_pct=sum(ratio > SMALL_SPIKE_RATIO + ROUNDING for ratio in ratios),
        race_ratio=races[-1] if races else None,
        worst_week_ratio=max(rises, default=None),
        entry_longest_m=longest_m / (1 + ENTRY_STEP_RATIO) if longest_m else None,
        entry_week_m=totals[0] / (1 + ENTRY_WEEK_RATIO) if totals[0] else None,
        own_longest_m=own_longest_m,
        own_week_m=own_week_m,
    )


def _own(runs: pl.DataFrame, *, until: date) -> tuple[float | None, float | None]:
    """Return the longest run of the 30 days before a day, and the mean of the four weeks before it."""
    days = (pl.lit(until) - pl.col("local_date")).dt.total_days()
    longest_m = runs.filter(days.is_between(1, SPIKE_WINDOW_DAYS))["distance_m"].max()
    lately_m = runs.filter(days.is_between(1, 7 * ENTRY_WEEKS))["distance_m"].sum()
    return (
        None if longest_m is None else float(longest_m),  # type: ignore[arg-type]
        float(lately_m) / ENTRY_WEEKS if len(runs) else None,
    )
