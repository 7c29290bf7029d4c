"""Runs: all of them, year by year, those included that were left out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from kneewatch.asking import rows_of
from kneewatch.web.asked import AskedFor
from kneewatch.web.pages import run

TITLE, ADDRESS = "Runs", run.ADDRESS
ON_A_PAGE = 50

YEARS = """
    select year(local_date) as year, count(*) as runs from activities
    where athlete = $athlete and is_run and duplicate_of is null and part_of is null
    group by all order by year desc
"""
RUNS = """
    with page as (
        select activity_id from activities
        where athlete = $athlete and is_run and duplicate_of is null and part_of is null
        and ($year is null or year(local_date) = $year)
        order by started_at desc limit $on_a_page offset $before
    ),
    pain as (
        select activity_id, max(greatest(before, during, after_60min, next_morning)) as worst_pain
        from pain_reports where athlete = $athlete group by activity_id
    )
    select a.activity_id, a.local_date, coalesce(r.title, a.title) as title, a.is_indoor, a.is_excluded,
        coalesce(r.distance_m, a.distance_m) as distance_m, coalesce(r.timer_s, a.timer_s) as timer_s,
        coalesce(r.pace_s_per_km, a.pace_s_per_km) as pace_s_per_km, m.spike_bin, p.worst_pain
    from page
    join activities a using (activity_id)
    left join runs r using (activity_id)
    left join run_metrics m using (activity_id)
    left join pain p using (activity_id)
    order by a.started_at desc
"""

router = APIRouter()
router.include_router(run.router)


@router.get(ADDRESS)
def runs(
    asked: AskedFor,
    year: Annotated[int | None, Query(ge=1970, le=2100)] = None,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """Show the runs, the newest first, fifty on a page."""
    with asked.web.published.reading() as reading:
        years = rows_of(reading.con, YEARS, athlete=asked.athlete)
        counted = sum(one["runs"] for one in years if year in (None, one["year"]))
        found = rows_of(
            reading.con,
            RUNS,
            athlete=asked.athlete,
            year=year,
            on_a_page=ON_A_PAGE,
            before=ON_A_PAGE * (page - 1),
        )

        def to(number: int, of_year: int | None = year) -> str:
            wanted = {"year": of_year, "page": None if number == 1 else number}
            return asked.address(
                ADDRESS, **{name: str(value) for name, value in wanted.items() if value is not None}
            )

        return asked.page(
            reading,
            "runs.html.j2",
            runs=found,
            counted=counted,
            year=year,
            years=[(one["year"], one["runs"], to(1, one["year"])) for one in years],
            every_year=to(1, None),
            page_number=page,
            pages_in_all=max(-(-counted // ON_A_PAGE), 1),
            newer=to(page - 1) if page > 1 else "",
            older=to(page + 1) if page * ON_A_PAGE < counted else "",
        )
