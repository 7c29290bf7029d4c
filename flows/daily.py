"""Flow `daily`: everything once."""

from datetime import date

from prefect import flow

from flows.discretion import discreet
from flows.intake import intake
from flows.review import review
from flows.steps import Counts


@flow(name="daily", persist_result=False)
@discreet
def daily(home: str, today: date | None = None) -> Counts:
    """
    Take in the inbox, then review: the flow to schedule when one is enough.

    Args:
        home: Path of the home folder.
        today: The athlete's day; a past one replays it.
    """
    return intake(home, today) | review(home, today)
