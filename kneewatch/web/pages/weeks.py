"""Weeks: sixteen of them, load beside the plan with the pain under it, how closely the plan was kept, and the runs of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal

import polars as pl
from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from kneewatch.web.asked import Asked, AskedFor
from kneewatch.web.reading import Reading
from report.format import Units, duration, number
from report.page import trend_sentence
from report.questions import Row

TITLE, ADDRESS = "Weeks", "/weeks"
SHOWN = timedelta(weeks=16)
EARLIEST, LATEST = date(1970, 1, 1), date(2100, 1, 1)

Until = Annotated[date | None, Query(ge=EARLIEST, le=LATEST)]
MeasureName = Literal["distance", "time", "knee_load"]


@dataclass(frozen=True, slots=True)
class Measure:
    """
    What the bars may show.

    Attributes:
        title: What the choice is called.
        load: Column of a week.
        planned: Column of its plan; None where a plan knows nothing of it.
        in_unit: A value as the axis counts it.
        unit: What stands at the axis.
        shown: A value for people.
    """

    title: str
    load: str
    planned: str | None
    in_unit: Callable[[Units, float], float]
    unit: Callable[[Units], str]
    shown: Callable[[Units, float | None], str]


MEASURES: Mapping[str, Measure] = {
    "distance": Measure(
        "Distance",
        "distance_m",
        "planned_distance_m",
        lambda units, metres: metres / units.metres,
        lambda units: units.symbol,
        lambda units, metres: units.distance(metres),
    ),
    "time": Measure(
        "Time",
        "timer_s",
        "planned_timer_s",
        lambda _, seconds: seconds / 3600,
        lambda _: "hours",
        lambda _, seconds: duration(seconds),
    ),
    "knee_load": Measure(
        "Knee load",
        "knee_load_klu",
        None,
        lambda _, units_of_load: units_of_load,
        lambda _: "KLU",
        lambda _, units_of_load: number(units_of_load, digits=1),
    ),
}

router = APIRouter()


@router.get(ADDRESS)
def weeks(asked: AskedFor, until: Until = None, measure: MeasureName = "distance") -> Response:
    """Show the sixteen weeks up to a day."""
    with asked.web.published.reading() as reading:
        today = asked.today(reading)
        day = min(until or today, today)
        about = {"athlete": asked.athlete, "today": day}
        found = reading.ask("weeks_until", **about)
        chosen = {} if measure == "distance" else {"measure": measure}

        def to(last: date) -> str:
            return asked.address(ADDRESS, **chosen, **({} if last >= today else {"until": last.isoformat()}))

        years = [
            year
            for (year,) in reading.con.execute(
                "select distinct year(week_start) from weekly_trends where athlete = ? and week_start <= ? order by 1",
                [asked.athlete, today],
            ).fetchall()
        ]
        has_older = bool(years) and bool(found) and found[0]["week_start"] > _first_week(asked, reading)
        return asked.page(
            reading,
            "weeks.html.j2",
            weeks=found,
            last=found[-1] if found else None,
            runs=_by_week(reading.ask("runs_until", **about)),
            until=day,
            is_now=day == today,
            measure=MEASURES[measure],
            measure_name=measure,
            measures={
                name: (one.title, asked.address(ADDRESS, **_given(until, today), **_not_default(name)))
                for name, one in MEASURES.items()
            },
            shown=lambda value: MEASURES[measure].shown(asked.units, value),
            trend=_trend(found, asked.units),
            chart=asked.address("/charts/weeks.json", measure=measure, **_given(until, today)),
            older=to(day - SHOWN) if has_older else "",
            newer=to(day + SHOWN) if day < today else "",
            years=[(year, to(date(year, 12, 31))) for year in reversed(years)],
        )


@router.get("/charts/weeks.json")
def weeks_chart(asked: AskedFor, until: Until = None, measure: MeasureName = "distance") -> Response:
    """Return the chart of sixteen weeks, for the page to draw."""
    with asked.web.published.reading() as reading:
        today = asked.today(reading)
        day = min(until or today, today)
        key = ("weeks", asked.athlete, day, today, measure, asked.writing)
        return JSONResponse(reading.kept(key, lambda: _chart(asked, reading, day, today, measure)))


def _chart(asked: Asked, reading: Reading, day: date, today: date, measure: str) -> dict[str, Any]:
    from report.charts import LOAD_SCHEMA, load_chart

    how = MEASURES[measure]

    def in_unit(row: Row, column: str | None) -> float | None:
        value = row[column] if column else None
        return None if value is None else how.in_unit(asked.units, value)

    rows = [
        {
            **{name: row[name] for name in ("week_start", "plan_week", "worst_pain", "spike_ratio")},
            "is_this_week": day == today and row["is_last"],
            "load": in_unit(row, how.load),
            "planned": in_unit(row, how.planned),
        }
        for row in reading.ask("weeks_until", athlete=asked.athlete, today=day)
    ]
    return load_chart(pl.DataFrame(rows, schema=LOAD_SCHEMA), how.unit(asked.units))


def _trend(weeks: Sequence[Row], units: Units) -> str:
    if not weeks:
        return ""
    known = sum(week["easy_pace_s_per_km"] is not None for week in weeks)
    return trend_sentence(weeks[-1], weeks_known=known, units=units)


def _by_week(runs: Sequence[Row]) -> dict[date, list[Row]]:
    found: dict[date, list[Row]] = {}
    for run in runs:
        found.setdefault(run["week_start"], []).append(run)
    return found


def _first_week(asked: Asked, reading: Reading) -> date:
    found = reading.con.execute(
        "select min(week_start) from weekly_trends where athlete = ?", [asked.athlete]
    ).fetchall()
    return found[0][0] or EARLIEST


def _given(until: date | None, today: date) -> dict[str, str]:
    return {} if until is None or until >= today else {"until": until.isoformat()}


def _not_default(measure: str) -> dict[str, str]:
    return {} if measure == "distance" else {"measure": measure}
