"""Flow `intake`: what lies in the inbox goes into the store."""

from collections import Counter
from datetime import date

from prefect import flow

from flows import tasks
from flows.discretion import discreet
from flows.steps import Counts, clock_of
from store.home import at
from store.settings import read_settings


@flow(name="intake", persist_result=False)
@discreet
def intake(home: str, today: date | None = None) -> Counts:
    """
    Take in the inbox of a home, try the letters that wait once more, and return how many files had which outcome.

    Args:
        home: Path of the home folder.
        today: The athlete's day; the present one when not given.
    """
    folder = at(home)
    settings = read_settings(folder)
    clock = clock_of(settings, today)
    taken = tasks.take_in(folder, settings, clock)
    # No flow runs more often: what waits for a channel goes with it.
    tasks.notify(folder, settings, clock)
    return dict(Counter(one.outcome for one in taken))
