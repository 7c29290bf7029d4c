"""Flow `review`: trends, plan, alerts, report, published copy and letters."""

from datetime import date
from functools import partial

from prefect import flow

from flows import steps, tasks
from flows.discretion import discreet
from flows.run_names import name_by_day
from flows.signals import tell_of_review
from flows.steps import Clock, Counts, clock_of
from store.home import Home, at
from store.settings import Settings, read_settings


@flow(name="review", flow_run_name=partial(name_by_day, "review"), persist_result=False)
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
    return reviewed(folder, settings, clock_of(settings, today))


def reviewed(home: Home, settings: Settings, clock: Clock) -> Counts:
    """Do the tasks of a review within the flow that runs, and tell Prefect of it."""
    with steps.in_one_go(home, "review"):
        counts = tasks.refresh(home, settings, clock)
        counts |= tasks.raise_alerts(home, settings, clock)
        counts |= tasks.write_digests(home, settings, clock)
    counts |= tasks.notify(
        home, settings, clock
    )  # before the report: drawing it takes seconds the first time
    tasks.publish(home, settings, clock)
    tell_of_review(home, settings, clock, counts)
    return counts
