"""What a reading process is asked, and what it answers; apart from the readers, which whoever asks need not load."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest.recording import NOTHING_TOLD, Told

READER_VERSION = "2"
"""Stored with every export; another one means that its bytes may be read otherwise now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """
    One archived file to be read.

    Attributes:
        format: Key of READERS.
        time_zone: The athlete's, for days that neither the file nor a position tells.
        told: What the archive that it came in says of it.
    """

    path: Path
    format: str
    athlete: str
    export_id: str
    time_zone: str
    now: datetime
    told: Told = NOTHING_TOLD


@dataclass(frozen=True, slots=True)
class Tables:
    """An archived archive in which a platform's tables are to be read, and how many entries it may have."""

    path: Path
    most_entries: int


@dataclass(frozen=True, slots=True)
class Ready:
    """
    One activity as it is stored.

    Attributes:
        row: Columns of table `activities` (all but those that follow from other activities or from decisions).
        laps: Columns of table `laps`.
        outline: Columns of table `outlines`.
        year: Of the start (UTC), part of where the samples lie.
        samples: Content of the samples file.
    """

    row: dict[str, object]
    laps: list[dict[str, object]]
    outline: dict[str, object]
    year: int
    samples: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """What a file holds, and the sentence on what is missing from it."""

    activities: tuple[Ready, ...]
    missing: str | None
