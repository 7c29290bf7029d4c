"""A pain report from a form: what may be tapped, and the report that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from ingest.logs import END_OF_DAY, LogError, PainReport, pain_report
from kneewatch.web.asked import Asked

SCORED = ("before", "during", "after_60min", "next_morning")
YES_NO = {"yes": True, "no": False, "": None}


def report_entered(
    asked: Asked, entered: Mapping[str, Any], *, on: date, at: time | None, flags: tuple[str, ...] = ()
) -> PainReport:
    """
    Return the report that a form makes.

    Args:
        asked: The request.
        entered: side, when (one of SCORED) and score; site, flags, changed_gait and note where the form asks for them.
        on: The day that it speaks of.
        at: Local time of the report; None for that of its day. With day and side it says which report this completes.
        flags: What that report had.

    Raises:
        LogError: A value is not allowed, or the report says nothing.
    """
    when = _one_of("when", entered["when"], {name: name for name in SCORED})
    scores = dict.fromkeys(SCORED) | {when: _number(entered["score"])}
    return pain_report(
        athlete=asked.athlete,
        zone=asked.settings.athletes[asked.athlete].zone,
        on=on,
        at=None if at == END_OF_DAY else at,
        side=entered["side"],
        site=entered.get("site") or None,
        flags=(*flags, *entered.get("flags", ())),
        changed_gait=_one_of("changed_gait", entered.get("changed_gait", ""), YES_NO),
        note=entered.get("note"),
        source="web",
        latest=asked.clock.today,
        **scores,
    )


def _number(text: str) -> float | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 2):
        raise LogError(f"score is {text[:20]!r}; a score is a number from 0 to 10.")
    return float(text)


def _one_of(name: str, text: str, allowed: Mapping[str, Any]) -> Any:
    if text not in allowed:
        raise LogError(f"{name} is {text[:20]!r}; allowed are {', '.join(filter(None, allowed))}.")
    return allowed[text]
