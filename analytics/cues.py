"""What a knee's reports have in common with five patterns of soreness and what they do not: both sides, never a verdict."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

from analytics.alerts import Urgency, urgency_of
from analytics.pain import LASTING_PAIN_DAYS, RED_FLAGS, Pain, Report, is_settled, pains_of
from analytics.rules import PUBLISHED, Rules

Pattern = Literal["kneecap", "outer_side", "below_kneecap", "hyperextension", "sore_muscles"]
Aspect = Literal["onset", "site", "both_legs", "provoked_by", "course", "swelling"]

LOOKED_AT_DAYS = 28
ACHE_DAYS = 7
"""Sore muscles are gone after five to seven days; notes further apart than that are of two aches."""
PEAK_DAYS = 3
NEXT_DAY = timedelta(days=1)

ONSETS = frozenset({"gradual", "sudden", "later_in_run", "at_start", "hours_later"})
SITES = frozenset({"kneecap", "below_kneecap", "outer", "inner", "back", "whole"})
PROVOCATIONS = frozenset(
    {"stairs", "squat", "sitting", "downhill", "jumping", "long_runs", "straightening", "stretching"}
)
EVENT = "hyperextension"


class Row(NamedTuple):
    """One cell of the table: what of the words noted fits, and what does not. Other words say nothing here."""

    fits: frozenset[str]
    does_not_fit: frozenset[str]


def _only(fits: Iterable[str], of: frozenset[str]) -> Row:
    return Row(frozenset(fits), of - frozenset(fits))


def _row(fits: Iterable[str], does_not_fit: Iterable[str]) -> Row:
    return Row(frozenset(fits), frozenset(does_not_fit))


_BEGAN = ONSETS | {EVENT}
_NO_SWELLING = _row((), {"swelling"})

# Whether it eases with warming up stands nowhere on purpose: sources contradict each other. Of stairs, squats and
# slopes muscle and joint complain alike, so that they say nothing about sore muscles.
PATTERNS: Mapping[Pattern, Mapping[Aspect, Row]] = {
    "kneecap": {
        "onset": _only({"gradual"}, of=_BEGAN),
        "site": _only({"kneecap"}, of=SITES),
        "provoked_by": _only({"stairs", "squat", "sitting", "downhill"}, of=PROVOCATIONS),
        "course": _row({"lingers"}, {"settles"}),
        "swelling": _NO_SWELLING,
    },
    "outer_side": {
        "onset": _only({"gradual", "later_in_run"}, of=_BEGAN),
        "site": _only({"outer"}, of=SITES),
        "provoked_by": _only({"downhill", "long_runs"}, of=PROVOCATIONS),
        "course": _row({"settles"}, {"lingers"}),
        "swelling": _NO_SWELLING,
    },
    "below_kneecap": {
        "onset": _only({"at_start"}, of=_BEGAN),
        "site": _only({"below_kneecap"}, of=SITES),
        "provoked_by": _only({"jumping", "squat"}, of=PROVOCATIONS),
        "course": _row({"worse_in_run"}, {"not_worse_in_run"}),
        "swelling": _NO_SWELLING,
    },
    "hyperextension": {
        "onset": _only({"sudden", EVENT}, of=_BEGAN),
        "site": _only({"back", "kneecap"}, of=SITES),
        "provoked_by": _only({"straightening"}, of=PROVOCATIONS),
        "swelling": _row({"swelling"}, ()),
    },
    "sore_muscles": {
        "onset": _only({"hours_later"}, of=_BEGAN),
        "site": _row({"muscles"}, SITES | {"no_sore_muscles"}),
        "both_legs": _row({"both_legs"}, {"one_leg"}),
        "provoked_by": _row({"stretching"}, {"sitting", "straightening"}),
        "course": _row(
            {"worst_next_morning", "peaks_within_3_days", "gone_within_7_days"},
            {"in_the_run", "peaks_later", "lasts_over_7_days"},
        ),
        "swelling": _NO_SWELLING,
    },
}
"""The five patterns of docs/pain.md, always in this order and always all of them: it is no ranking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing that was noted, in the words of the reports, with the ids of those that say so, oldest first."""

    aspect: Aspect
    word: str
    report_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One pattern beside what was noted: what fits, what does not, and of which aspects nothing is known."""

    pattern: Pattern
    fits: tuple[Said, ...]
    does_not_fit: tuple[Said, ...]
    not_known: tuple[Aspect, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedFlag:
    """A sign that needs a person who can look at the knee: when it was noted last, and by which reports."""

    flag: str
    local_date: date
    report_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcuteEvent:
    """The day on which the knee was bent back too far; with swelling it is for somebody who can look at it."""

    local_date: date
    report_id: str
    has_swelling: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KneeCues:
    """
    What the reports of one knee say over the last weeks; red flags come before everything else.

    Attributes:
        report_ids: The reports looked at, oldest first; none means not reported, never no pain.
        red_flags: The latest first.
        events: Hyperextension, the latest first.
        pain: What the newest report of pain among them says; None without one.
        is_medical: Whether to seek medical advice: a red flag, pain that rises or lasts, an event with swelling.
        urgency: How soon, None unless `is_medical`.
        cues: The five patterns, in the order of PATTERNS; empty without a report.
    """

    side: str
    report_ids: tuple[str, ...]
    red_flags: tuple[RedFlag, ...]
    events: tuple[AcuteEvent, ...]
    pain: Pain | None
    is_medical: bool
    urgency: Urgency | None
    cues: tuple[Cue, ...]


def knee_cues(reports: Sequence[Report], side: str, *, today: date, rules: Rules = PUBLISHED) -> KneeCues:
    """
    Return the cues of one knee (left or right) from an athlete's reports of the four weeks up to `today`.

    Reports of the other knee say one thing here: whether both legs were sore.
    """
    told = sorted((r for r in reports if r.local_date <= today), key=lambda r: (r.reported_at, r.report_id))
    of_knee = [report for report in told if report.side in (side, "both")]
    pains = {r.report_id: pain for r, pain in zip(of_knee, pains_of(of_knee, rules), strict=True)}
    since = today - timedelta(days=LOOKED_AT_DAYS)
    recent = [report for report in of_knee if report.local_date >= since]
    others = [report for report in told if report.side not in (side, "both")]
    flags = _red_flags(recent)
    events = _events(recent)
    pain = next((pains[r.report_id] for r in reversed(recent) if pains[r.report_id] is not None), None)
    is_medical = (
        bool(flags)
        or any(event.has_swelling for event in events)
        or (pain is not None and (pain.is_rising or pain.days_at_p2_or_more >= LASTING_PAIN_DAYS))
    )
    return KneeCues(
        side=side,
        report_ids=tuple(report.report_id for report in recent),
        red_flags=flags,
        events=events,
        pain=pain,
        is_medical=is_medical,
        urgency=_urgency(recent) if is_medical else None,
        cues=_beside_the_patterns(_noted(recent, others)) if recent else (),
    )


# Red flags and events --------------------------------------------------------------------------------------


def _red_flags(reports: Sequence[Report]) -> tuple[RedFlag, ...]:
    by_flag: dict[str, list[Report]] = {}
    for report in reports:
        for flag in RED_FLAGS.intersection(report.flags):
            by_flag.setdefault(flag, []).append(report)
    found = [
        RedFlag(
            flag=flag, local_date=those[-1].local_date, report_ids=tuple(report.report_id for report in those)
        )
        for flag, those in sorted(by_flag.items())
    ]
    return tuple(sorted(found, key=lambda one: one.local_date, reverse=True))


def _events(reports: Sequence[Report]) -> tuple[AcuteEvent, ...]:
    swollen = [report.local_date for report in reports if "swelling" in report.flags]
    return tuple(
        AcuteEvent(
            local_date=report.local_date,
            report_id=report.report_id,
            has_swelling=any(day >= report.local_date for day in swollen),
        )
        for report in reversed(reports)
        if EVENT in report.flags
    )


def _urgency(reports: Sequence[Report]) -> Urgency:
    """Return how soon: by the newest report that has a red flag."""
    flagged = (report.flags for report in reversed(reports) if RED_FLAGS.intersection(report.flags))
    return urgency_of(next(flagged, ()))


# Patterns --------------------------------------------------------------------------------------------------

Noted = Mapping[tuple[Aspect, str], tuple[str, ...]]
"""The reports that say a word about an aspect."""


def _beside_the_patterns(noted: Noted) -> tuple[Cue, ...]:
    return tuple(_cue(pattern, rows, noted) for pattern, rows in PATTERNS.items())


def _cue(pattern: Pattern, rows: Mapping[Aspect, Row], noted: Noted) -> Cue:
    told = [
        (word in row.fits, Said(aspect=aspect, word=word, report_ids=ids))
        for aspect, row in rows.items()
        for (of, word), ids in noted.items()
        if of == aspect and word in row.fits | row.does_not_fit
    ]
    known = {said.aspect for _, said in told}
    return Cue(
        pattern=pattern,
        fits=tuple(said for fits, said in told if fits),
        does_not_fit=tuple(said for fits, said in told if not fits),
        not_known=tuple(aspect for aspect in rows if aspect not in known),
    )


def _noted(reports: Sequence[Report], others: Sequence[Report]) -> Noted:
    noted: dict[tuple[Aspect, str], dict[str, None]] = {}
    for aspect, word, report_id in (
        *(said for report in reports for said in _words_of(report)),
        *_legs(reports, others),
        *_ache(reports),
    ):
        noted.setdefault((aspect, word), {})[report_id] = None
    return {said: tuple(ids) for said, ids in noted.items()}


def _words_of(report: Report) -> Iterator[tuple[Aspect, str, str]]:
    """Yield what one report says by itself. No flag is no word: it says that nothing was noted."""
    told: list[tuple[Aspect, str | None]] = [
        ("onset", report.onset),
        ("onset", EVENT if EVENT in report.flags else None),
        ("site", report.site),
        ("site", _muscles(report)),
        *(("provoked_by", one) for one in report.provoked_by),
        *(("course", one) for one in _course(report)),
        ("swelling", "swelling" if "swelling" in report.flags else None),
    ]
    return ((aspect, word, report.report_id) for aspect, word in told if word is not None)


def _muscles(report: Report) -> str | None:
    if report.muscle_soreness is None:
        return None
    if report.muscle_soreness > 0:
        return "muscles"
    return "no_sore_muscles" if report.peak else None


def _course(report: Report) -> Iterator[str]:
    """Yield how one report's scores run from before the run to the next morning."""
    during, before, after, morning = report.during, report.before, report.after_60min, report.next_morning
    if not is_settled(report):
        yield "lingers"
    elif after is not None and (during or 0) > (before or 0):
        yield "settles"
    if during is not None and before is not None and max(during, before) > 0:
        yield "worse_in_run" if during > before else "not_worse_in_run"
    if during:
        yield "in_the_run"
    if during is not None and morning is not None and morning > max(during, after or 0):
        yield "worst_next_morning"


def _legs(reports: Sequence[Report], others: Sequence[Report]) -> Iterator[tuple[Aspect, str, str]]:
    """Yield whether the other leg was sore as well, a day before or after at most; not said is not known."""
    for report in reports:
        if not report.muscle_soreness:
            continue
        beside = [
            other.muscle_soreness
            for other in others
            if other.muscle_soreness is not None and abs(other.local_date - report.local_date) <= NEXT_DAY
        ]
        if report.side == "both" or any(beside):
            yield "both_legs", "both_legs", report.report_id
        elif beside:
            yield "both_legs", "one_leg", report.report_id


def _ache(reports: Sequence[Report]) -> Iterator[tuple[Aspect, str, str]]:
    """Yield how sore muscles went on over the days: when they were worst, and when they were gone."""
    for ache in _aches([report for report in reports if report.muscle_soreness is not None]):
        began, worst, last = ache[0], max(ache, key=lambda r: r.muscle_soreness or 0), ache[-1]
        lasted_days = (last.local_date - began.local_date).days
        if (last.muscle_soreness or 0) < (worst.muscle_soreness or 0):
            is_early = (worst.local_date - began.local_date).days <= PEAK_DAYS
            yield "course", "peaks_within_3_days" if is_early else "peaks_later", worst.report_id
        if last.muscle_soreness and lasted_days > ACHE_DAYS:
            yield "course", "lasts_over_7_days", last.report_id
        if not last.muscle_soreness and lasted_days <= ACHE_DAYS:
            yield "course", "gone_within_7_days", last.report_id


def _aches(notes: Sequence[Report]) -> list[list[Report]]:
    """Return the aches among notes of muscles: each from its first sore note to the one that has it gone, or the last."""
    aches: list[list[Report]] = []
    is_on = False
    for note in notes:
        if is_on and (note.local_date - aches[-1][-1].local_date).days <= ACHE_DAYS:
            aches[-1].append(note)
        elif note.muscle_soreness:
            aches.append([note])
        is_on = bool(note.muscle_soreness)
    return aches
