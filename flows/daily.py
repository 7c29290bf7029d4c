"""Flow `daily`: everything once."""

from datetime import date
from functools import partial

from prefect import flow

from flows import tasks
from flows.discretion import discreet
from flows.review import reviewed
from flows.run_names import name_by_day
from flows.signals import tell_of_intake
from flows.steps import Counts, clock_of, counts_of
from store.home import at
from store.settings import read_settings


@flow(name="daily", flow_run_name=partial(name_by_day, "daily"), persist_result=False)
@discreet
def daily(home: str, today: date | None = None) -> Counts:
    """
    Take in the inbox, then review: the flow to schedule when one is enough.

    Args:
        home: Path of the home folder.
        today: The athlete's day; a past one replays it.
    """
    folder = at(home)
    settings = read_settings(folder)
    clock = clock_of(settings, today)
    taken = tasks.take_in(folder, settings, clock)
    tell_of_intake(taken)
    return counts_of(taken) | reviewed(folder, settings, clock)
