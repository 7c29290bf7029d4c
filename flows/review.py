"""Flow `review`: trends, plan, alerts, report, published copy and letters."""

from datetime import date

from prefect import flow

from flows import tasks
from flows.discretion import discreet
from flows.signals import tell_prefect
from flows.steps import Counts, clock_of
from store.home import at
from store.settings import read_settings


@flow(name="review", persist_result=False)
@discreet
def review(home: str, today: date | None = None) -> Counts:
    """
    Bring everything that is derived up to date, and return what was done, in numbers.

    Args:
        home: Path of the home folder.
        today: The athlete's day; a past one replays it.
    """
    folder = at(home)
    settings = read_settings(folder)
    clock = clock_of(settings, today)
    counts = tasks.refresh(folder, settings, clock)
    counts |= tasks.raise_alerts(folder, settings, clock)
    counts |= tasks.write_digests(folder, settings, clock)
    tasks.publish(folder, settings, clock)
    counts |= tasks.notify(folder, settings, clock)
    tell_prefect(folder, clock, counts)
    return counts
