"""Answered questionnaires about a knee, from a table or one at a time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from ingest.logs import (
    LATEST_DATE,
    Cells,
    LogError,
    LogResult,
    athlete_in,
    check_day,
    day_in,
    hash_of,
    header_of,
    one_of,
    read_lines,
    shown,
)

QuestionnaireKind = Literal["ostrc_o2", "koos_pf"]
KINDS: tuple[QuestionnaireKind, ...] = get_args(QuestionnaireKind)
KNEES = ("left", "right")

OSTRC_ITEMS = ("participation", "volume", "performance", "pain")
OSTRC_VALUES = (0, 8, 17, 25)
KOOS_ITEMS = tuple(f"koos_pf_{number}" for number in range(1, 12))
KOOS_VALUES = range(5)
KOOS_FEWEST = 6
"""Half of the items and more, or there is no score (KOOS scoring 2012)."""
QUESTIONNAIRE_COLUMNS: Mapping[QuestionnaireKind, tuple[str, ...]] = {
    "ostrc_o2": ("date", "athlete", "side", *OSTRC_ITEMS),
    "koos_pf": ("date", "athlete", "side", *KOOS_ITEMS),
}

# By the value itself, by its place on the form, or by a letter: no two of them can be taken for each other.
_OSTRC_ANSWERS = {
    word: value
    for place, value in enumerate(OSTRC_VALUES)
    for word in (str(value), str(place + 1), "abcd"[place])
}
_OSTRC_ALLOWED = "allowed are 1 to 4 or a to d as on the form, or the values 0, 8, 17, 25"
_KOOS_ALLOWED = "allowed are 0 (none) to 4 (extreme)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Questionnaire:
    """The answers of one athlete about one knee on one day; `answers` holds the value of each item that was answered."""

    questionnaire_id: str
    athlete: str
    side: str
    kind: QuestionnaireKind
    local_date: date
    answers: Mapping[str, int]
    source: str


def kind_of_questionnaire(text: str) -> QuestionnaireKind | None:
    """Tell by its header which questionnaire's answers a text holds, if any."""
    for kind, columns in QUESTIONNAIRE_COLUMNS.items():
        if {*columns} - {"athlete"} <= {*header_of(text, columns)}:
            return kind
    return None


def read_questionnaire_csv(
    text: str,
    *,
    source: str,
    default_athlete: str,
    known_athletes: frozenset[str] | None = None,
    latest: date = LATEST_DATE,
) -> LogResult[Questionnaire]:
    """
    Read answered questionnaires, one a line; of the same knee and day the later line counts.

    Raises:
        LogError: The header is that of neither.
    """
    kind = kind_of_questionnaire(text)
    if kind is None:
        raise LogError(
            "This is no questionnaire: its header needs date, side and all of "
            f"{', '.join(OSTRC_ITEMS)}, or all of {KOOS_ITEMS[0]} to {KOOS_ITEMS[-1]}."
        )

    def questionnaire_of(cells: Cells) -> Questionnaire:
        return questionnaire(
            athlete=athlete_in(cells, default_athlete, known_athletes),
            side=cells.get("side", ""),
            kind=kind,
            on=day_in(cells),
            answers=cells,
            source=source,
            latest=latest,
        )

    return read_lines(text, QUESTIONNAIRE_COLUMNS[kind], questionnaire_of)


def questionnaire(
    *,
    athlete: str,
    side: str,
    kind: QuestionnaireKind,
    on: date,
    answers: Mapping[str, str],
    source: str,
    latest: date = LATEST_DATE,
) -> Questionnaire:
    """
    Make an answered questionnaire of the day `on`; `answers` as a person writes them, by item, empty where left out.

    Raises:
        LogError: An answer is not allowed, or too few are given for a score.
    """
    check_day(on, latest)
    knee = one_of("side", side, KNEES)
    values = _ostrc_values(answers) if kind == "ostrc_o2" else _koos_values(answers)
    return Questionnaire(
        questionnaire_id=hash_of(athlete, knee, kind, on.isoformat(), json.dumps(values)),
        athlete=athlete,
        side=knee,
        kind=kind,
        local_date=on,
        answers=values,
        source=source,
    )


def _ostrc_values(answers: Mapping[str, str]) -> dict[str, int]:
    return {item: _value(answers, item, _OSTRC_ANSWERS, _OSTRC_ALLOWED) for item in OSTRC_ITEMS}


def _koos_values(answers: Mapping[str, str]) -> dict[str, int]:
    known = {str(value): value for value in KOOS_VALUES}
    given = [item for item in KOOS_ITEMS if answers.get(item, "").strip() not in ("", "-")]
    if len(given) < KOOS_FEWEST:
        raise LogError(
            f"{len(given)} of the {len(KOOS_ITEMS)} items are answered; a score needs at least {KOOS_FEWEST}."
        )
    return {item: _value(answers, item, known, _KOOS_ALLOWED) for item in given}


def _value(answers: Mapping[str, str], item: str, known: Mapping[str, int], allowed: str) -> int:
    word = answers.get(item, "").strip().lower()
    if word not in known:
        raise LogError(f"{item} is {shown(word)}; {allowed}.")
    return known[word]
