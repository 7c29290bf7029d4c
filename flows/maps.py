"""The way of a run as it may be handed on: what the map of a shared file is drawn from."""

from __future__ import annotations

import duckdb
import polars as pl

from analytics.privacy import in_metres, shareable_track, usual_start
from store.database import frame
from store.home import Home
from store.samples import read_samples
from store.secret import secret_of
from store.settings import Athlete, Settings

# Where runs begin: the first of the moments by which the same session from another file is known.
STARTS = """
select lat_deg[1] as lat_deg, lon_deg[1] as lon_deg
from runs join outlines using (activity_id)
where athlete = $athlete and not is_indoor
order by started_at
"""


def shared_way(
    con: duckdb.DuckDBPyConnection, home: Home, settings: Settings, activity_id: str
) -> pl.DataFrame:
    """
    Return the way of an activity without what lies in the athlete's privacy zone: piece, x_m, y_m.

    It is empty where no position was recorded, or where the whole of it lies in the zone.
    """
    (activity,) = frame(
        con, "select athlete, started_at from activities where activity_id = $this", this=activity_id
    ).to_dicts()
    athlete = activity["athlete"]
    samples = read_samples(home, athlete=athlete, year=activity["started_at"].year, activity_id=activity_id)
    return in_metres(
        shareable_track(
            samples,
            home=usual_start(frame(con, STARTS, athlete=athlete)),
            radius_m=settings.athletes.get(athlete, Athlete()).privacy_radius_m,
            secret=secret_of(home),
            name=activity_id,
        )
    )
