"""Questionnaires about one knee: what OSTRC-O2 and KOOS-PF score, and how a score changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

Kind = Literal["ostrc_o2", "koos_pf"]
Answers = Mapping[str, int]
"""Value of each answer by item; an item left out is not among them."""

OSTRC_ITEMS = ("participation", "volume", "performance", "pain")
OSTRC_MAX = 25
OSTRC_MODERATE = 17
KOOS_ITEMS = tuple(f"koos_pf_{number}" for number in range(1, 12))
KOOS_MAX = 4
KOOS_FEWEST = 6
"""Half of the items and more (KOOS scoring 2012, koos.nu, whose subscale KOOS-PF is)."""

SCORING_VERSION: Mapping[Kind, str] = {
    "ostrc_o2": "OSTRC-O2 2020 (0-8-17-25)",
    "koos_pf": "KOOS-PF 2018 (mean of 6 or more of 11)",
}
KOOS_MDC = 16.0
"""Smallest change of one person beyond measuring twice (Crossley 2018, BJSM 52:1130)."""
KOOS_MIC = 16.4
"""Smallest change that people call one (the same)."""

SCORES_SCHEMA = {
    "questionnaire_id": pl.String,
    "side": pl.String,
    "kind": pl.String,
    "local_date": pl.Date,
    "score": pl.Float64,
    "is_substantial": pl.Boolean,
    "change": pl.Float64,
    "is_beyond_mdc": pl.Boolean,
    "is_beyond_mic": pl.Boolean,
    "scoring_version": pl.String,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One answered questionnaire; `questionnaire_id` tells two of one day apart."""

    questionnaire_id: str
    side: str
    kind: Kind
    local_date: date
    answers: Answers


def ostrc_score(answers: Answers) -> float:
    """
    Return the severity of an OSTRC-O2 of the knee, 0 (no problem) to 100: the sum of its four values 0, 8, 17, 25.

    Source: Clarsen et al. 2020, BJSM 54:390. The version of 2013 has other values and cannot be scored by this.
    """
    return float(sum(answers[item] for item in OSTRC_ITEMS))


def is_substantial(answers: Answers) -> bool:
    """Tell whether an OSTRC-O2 counts as substantial: training or performance down moderately or more, or no participation."""
    return (
        answers["participation"] == OSTRC_MAX
        or max(answers["volume"], answers["performance"]) >= OSTRC_MODERATE
    )


def koos_score(answers: Answers) -> float:
    """
    Return the score of a KOOS-PF, 0 to 100 (no problem): 100 less 25 times the mean of the items answered, each 0 to 4.

    Source: Crossley et al. 2018, BJSM 52:1130.

    Raises:
        ValueError: Fewer than six items are answered.
    """
    given = [answers[item] for item in KOOS_ITEMS if item in answers]
    if len(given) < KOOS_FEWEST:
        raise ValueError(f"KOOS-PF needs {KOOS_FEWEST} of its {len(KOOS_ITEMS)} items, not {len(given)}")
    return 100 - 25 * sum(given) / len(given)


def scores(answered: Sequence[Answered]) -> pl.DataFrame:
    """
    Return what one athlete's questionnaires (in the order in which they were taken down) score.

    One row per knee, kind and day, by day: SCORES_SCHEMA. `change` is against the row of that knee and kind before.
    """
    last_of_day = {(one.side, one.kind, one.local_date): one for one in answered}
    rows: list[dict[str, object]] = []
    before: dict[tuple[str, Kind], float] = {}
    for one in sorted(last_of_day.values(), key=lambda one: (one.local_date, one.side, one.kind)):
        is_ostrc = one.kind == "ostrc_o2"
        score = ostrc_score(one.answers) if is_ostrc else koos_score(one.answers)
        earlier = before.get((one.side, one.kind))
        change = None if earlier is None else score - earlier
        rows.append(
            {
                "questionnaire_id": one.questionnaire_id,
                "side": one.side,
                "kind": one.kind,
                "local_date": one.local_date,
                "score": score,
                "is_substantial": is_substantial(one.answers) if is_ostrc else None,
                "change": change,
                "is_beyond_mdc": None if is_ostrc or change is None else abs(change) > KOOS_MDC,
                "is_beyond_mic": None if is_ostrc or change is None else abs(change) >= KOOS_MIC,
                "scoring_version": SCORING_VERSION[one.kind],
            }
        )
        before[one.side, one.kind] = score
    return pl.DataFrame(rows, schema=SCORES_SCHEMA)
