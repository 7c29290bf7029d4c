"""Flow `intake`: what lies in the inbox goes into the store, and what is new is reviewed at once."""

from datetime import date

from prefect import flow

from flows import tasks
from flows.discretion import discreet
from flows.review import reviewed
from flows.run_names import name_of_intake
from flows.signals import tell_of_intake
from flows.steps import Counts, changed_something, clock_of, counts_of
from store.home import at
from store.settings import read_settings


@flow(name="intake", flow_run_name=name_of_intake, persist_result=False)
@discreet
def intake(home: str, today: date | None = None, review_after: bool = True) -> Counts:
    """
    Take in the inbox, review if anything new came in, try the letters that wait, and return what was done, in numbers.

    Args:
        home: Path of the home folder.
        today: The athlete's day; the present one when not given.
        review_after: Whether trends, alerts and the report follow when something new came in.
    """
    folder = at(home)
    settings = read_settings(folder)
    clock = clock_of(settings, today)
    taken = tasks.take_in(folder, settings, clock)
    tell_of_intake(taken)
    counts = counts_of(taken)
    if review_after and changed_something(taken):
        return counts | reviewed(folder, settings, clock)
    # No flow runs more often: what waits for a channel goes with it.
    tasks.notify(folder, settings, clock)
    return counts
