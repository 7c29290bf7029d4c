"""
A session of which only totals are known, as Kneewatch itself writes it down: JSON to Recording.

Platforms keep workouts without a recording in tables of theirs, a treadmill run of Apple's for one. What the table says is
kept as a small file of its own, so that it goes the way of every other export.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from ingest.errors import IngestError
from ingest.recording import LONGEST_TEXT, Recording, Session, no_samples, words

BEGINNING = b'{"kneewatch_summary": 1'
_NUMBERS = ("elapsed_s", "timer_s", "distance_m", "avg_hr_bpm", "max_hr_bpm")
_TEXTS = ("sport", "sub_sport", "title")


def write_summary(session: Session, *, device: str | None) -> bytes:
    """Return the content of a file that says what is known of the session."""
    told = {name: value for name, value in asdict(session).items() if value is not None}
    return json.dumps({"kneewatch_summary": 1, "device": device, **told}, default=str).encode()


def read_summary(content: bytes) -> Recording:
    """
    Decode what `write_summary` wrote.

    Raises:
        IngestError: If somebody changed it.
    """
    try:
        told = json.loads(content)
        session = Session(started_at=datetime.fromisoformat(told["started_at"]), **_known(told))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IngestError("This summary is damaged; take in the archive again that it came from.") from error
    if session.started_at is None or session.started_at.tzinfo is None:
        raise IngestError("This summary is damaged: its start has no zone.")
    return Recording(
        format="summary",
        sessions=(session,),
        samples=no_samples(),
        device=words(told.get("device")),
    )


def _text(value: object) -> str:
    text = str(value)[:LONGEST_TEXT]
    text.encode()  # halves of letters are no text: a ValueError
    return text


def _known(told: Mapping[str, Any]) -> dict[str, Any]:
    kinds: dict[str, Callable[[Any], Any]] = dict.fromkeys(_TEXTS, _text) | dict.fromkeys(_NUMBERS, float)
    names = {field.name for field in fields(Session)} & kinds.keys()
    found = {name: kinds[name](told[name]) for name in names if told.get(name) is not None}
    if any(isinstance(value, float) and not 0 <= value < float("inf") for value in found.values()):
        raise ValueError("a total that is none")
    return found
