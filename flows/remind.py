"""Flow `remind`: what is still missing of the last days is asked once a day, by the channels that want it."""

from datetime import date
from functools import partial

from prefect import flow

from flows import tasks
from flows.discretion import discreet
from flows.run_names import name_by_day
from flows.steps import Counts, clock_of
from store.home import at
from store.settings import read_settings


@flow(name="remind", flow_run_name=partial(name_by_day, "remind"), persist_result=False)
@discreet
def remind(home: str, today: date | None = None) -> Counts:
    """
    Ask the default athlete for the scores and reports that are missing, once a day, and return how many letters went out.

    Args:
        home: Path of the home folder.
        today: The athlete's day; a past one replays it.
    """
    folder = at(home)
    settings = read_settings(folder)
    return tasks.remind(folder, settings, clock_of(settings, today))
