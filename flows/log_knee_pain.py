"""Flow `log-knee-pain`: a pain report, so that Prefect's own pages show a form for it."""

from datetime import date, time
from functools import partial
from typing import Annotated

from prefect import flow
from pydantic import Field

from flows import tasks
from flows.discretion import discreet
from flows.run_names import name_by_day
from flows.signals import tell_of_alerts
from flows.steps import Counts, clock_of
from ingest.logs import Flag, Onset, Provocation, Side, Site, pain_report
from store.home import at as home_at
from store.settings import read_settings

Score = Annotated[int, Field(ge=0, le=10)]


# Prefect keeps the parameters of every run: so there is no note among them, and nobody's name.
@flow(name="log-knee-pain", flow_run_name=partial(name_by_day, "log-knee-pain"), persist_result=False)
@discreet
def log_knee_pain(
    home: str,
    side: Side,
    during: Score | None = None,
    after_60min: Score | None = None,
    next_morning: Score | None = None,
    before: Score | None = None,
    site: Site | None = None,
    flags: list[Flag] | None = None,
    changed_gait: bool | None = None,
    onset: Onset | None = None,
    provoked_by: list[Provocation] | None = None,
    muscle_soreness: Score | None = None,
    day: date | None = None,
    at: time | None = None,
    athlete: str | None = None,
    today: date | None = None,
) -> Counts:
    """
    Keep a report of knee pain and return how many alerts it raised; of the same day, time and side it completes the earlier.

    Args:
        home: Path of the home folder.
        side: Which knee.
        during: Worst pain during the run, 0 to 10.
        after_60min: Pain an hour after, 0 to 10.
        next_morning: Pain on the morning after the day of the run, 0 to 10.
        before: Pain before the run, 0 to 10.
        site: Where in the knee.
        flags: Signs that need a person who can look at the knee.
        changed_gait: Whether it changed how you ran.
        onset: How it began.
        provoked_by: What brings it on.
        muscle_soreness: Of muscles, kept apart from the knee, 0 to 10.
        day: Day of the run; today when not given.
        at: Local time of the report; the end of the day when not given.
        athlete: Key of the athlete in kneewatch.toml; the default one when not given.
        today: The athlete's day; a past one replays it.
    """
    folder = home_at(home)
    settings = read_settings(folder)
    clock = clock_of(settings, today)
    key = athlete or settings.default_athlete
    report = pain_report(
        athlete=key,
        zone=settings.athletes[key].zone,
        on=day or clock.today,
        at=at,
        side=side,
        site=site,
        before=before,
        during=during,
        after_60min=after_60min,
        next_morning=next_morning,
        flags=flags or (),
        changed_gait=changed_gait,
        onset=onset,
        provoked_by=provoked_by or (),
        muscle_soreness=muscle_soreness,
        source="form",
        latest=clock.today,
    )
    counts = {"reports": 1, "new": len(tasks.log_pain(folder, settings, clock, report))}
    tell_of_alerts(folder, clock)
    return counts
