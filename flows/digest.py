"""Flow `digest`: the letter about the week."""

from datetime import date
from functools import partial

from prefect import flow

from flows import steps, tasks
from flows.discretion import discreet
from flows.run_names import name_by_day
from flows.steps import Counts, clock_of
from store.home import at
from store.settings import read_settings


@flow(name="digest", flow_run_name=partial(name_by_day, "digest"), persist_result=False)
@discreet
def digest(home: str, today: date | None = None) -> Counts:
    """
    Send the digest of the week where it is due and was not sent yet, and return what was done, in numbers.

    Args:
        home: Path of the home folder.
        today: The athlete's day; a past one replays it.
    """
    folder = at(home)
    settings = read_settings(folder)
    clock = clock_of(settings, today)
    with steps.in_one_go(folder, "digest"):
        counts = tasks.refresh(folder, settings, clock)
        counts |= tasks.raise_alerts(folder, settings, clock)
        counts |= tasks.write_digests(folder, settings, clock)
    return counts | tasks.notify(folder, settings, clock)
