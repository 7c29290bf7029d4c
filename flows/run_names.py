"""Names of flow runs, so that Prefect's list says what each was about: numbers and days, and nobody's name."""

from datetime import date
from typing import Any

from prefect.runtime import flow_run

from ingest.inbox import waiting_files
from store.home import at


def name_of_intake() -> str:
    """Return the name of an intake by how many files wait in the inbox when it begins, such as intake-3-files."""
    count = sum(1 for _ in waiting_files(at(_parameters()["home"])))
    return f"intake-{count}-file{'' if count == 1 else 's'}"


def name_by_day(flow: str) -> str:
    """Return the name of a run that is about a day, such as review-2026-10-04."""
    return f"{flow}-{_parameters().get('today') or date.today().isoformat()}"  # noqa: DTZ011 - a name, nothing computed


def _parameters() -> dict[str, Any]:
    found: dict[str, Any] = flow_run.parameters
    return found
