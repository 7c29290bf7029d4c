"""The report page: questions to the database in, one self-contained HTML file out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import duckdb
import polars as pl
from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from analytics.rules import PUBLISHED, Rules
from report import charts, knee_words
from report.exercises import WARM_UP
from report.format import (
    UNKNOWN,
    Units,
    day,
    duration,
    figure,
    long_day,
    number,
    pain,
    percent,
    score,
    short_day,
)
from report.knee import knee_statuses
from report.load_words import load_notes
from report.questions import Row, answer
from report.values import in_words
from report.words import words

SITE_WORDS = {
    "kneecap": "kneecap",
    "below_kneecap": "below kneecap",
    "outer": "outer side",
    "inner": "inner side",
    "back": "back",
    "whole": "whole knee",
}
KIND_WORDS = {"heart_rate": "Heart rate", "pace": "Graded pace"}
EFFORT_WORDS = {
    400.0: "400 m",
    800.0: "800 m",
    1000.0: "1 km",
    1609.344: "1 mile",
    5000.0: "5 km",
    10000.0: "10 km",
    21097.5: "half marathon",
}
# Name, unit and digits of each measure of form.
FORM_WORDS = {
    "stance_time_ms": ("Ground contact time", "ms", 0),
    "stance_balance_pct": ("Left foot's share of it", "%", 1),
    "vertical_oscillation_mm": ("Vertical oscillation", "mm", 0),
    "step_length_mm": ("Step length", "mm", 0),
    "cadence_spm": ("Cadence", "steps/min", 0),
}
STATUS_WORDS = {"short": "shorter", "long": "longer", "unplanned": "not planned", "upcoming": "to come"}
UNIT_ENDINGS = re.compile(r"_(m|s|s_per_km|share|klu|pct|bpm)$")
NUMBER_AND_UNIT = re.compile(r"(\d) (?=(?:%|km|mi|m)\b|%)")
SHOWN_REFUSALS = 20
STALE_AFTER_DAYS = 7  # whoever follows a plan runs more often
SHOWN_ID_LENGTH = 12


def render_page(
    con: duckdb.DuckDBPyConnection,
    *,
    athlete: str,
    athlete_name: str,
    today: date,
    units: Units,
    version: str,
    rules: Rules = PUBLISHED,
) -> str:
    """
    Return the report of one athlete as one HTML file without script or anything to be fetched.

    Args:
        con: A connection to a database with the tables of store/migrations; only read.
        athlete: Key of the athlete.
        athlete_name: The athlete's name as people say it.
        today: The day the report is for; what lies after it is left out or counts as planned.
        units: Kilometres or miles.
        version: Which Kneewatch it is, with its formulas and schema, for the foot of the page.
        rules: What counts as pain.
    """

    def ask(name: str) -> list[Row]:
        return answer(con, name, athlete=athlete, today=today)

    week, load = ask("this_week")[0], ask("load")[0]
    weeks = ask("weeks")
    paces = ask("easy_pace")
    race = next(iter(ask("race")), None)
    form_runs = ask("form_and_knee")
    upcoming = ask("upcoming")
    refused = ask("refused")
    return (
        environment(units)
        .get_template("page.html.j2")
        .render(
            athlete_name=athlete_name,
            today=today,
            version=version,
            units=units,
            stale_after_days=STALE_AFTER_DAYS,
            warm_up=WARM_UP,
            knee_words=knee_words,
            week=week,
            days=_first_of_each_day(ask("week_days")),
            open_alerts=by_episode(ask("open_alerts"), units),
            earlier_alerts=ask("earlier_alerts"),
            upcoming=upcoming,
            week_ahead=week_ahead_sentence(upcoming, units),
            adherence=_of_this_week(ask("adherence"), today),
            proposal_count=len(ask("adjust")),
            outlook=next(iter(ask("outlook")), None),
            weeks=weeks,
            weeks_charts=_weeks_charts(weeks, units),
            pace_charts=_pace_charts(paces, week, units),
            confounders=confounder_sentence(ask("pace_context")[0]),
            zones=ask("zone_pace"),
            trend=trend_sentence(week, weeks_known=_known_weeks(paces), units=units),
            efforts=ask("personal_bests"),
            form=[_form_row(row) for row in ask("form")],
            form_runs=form_runs,
            asymmetry=asymmetry_sentence(form_runs),
            race=race,
            race_sentence=race_sentence(race) if race else "",
            knees=knee_statuses(con, athlete=athlete, today=today, rules=rules),
            knee_reports=ask("knee_reports"),
            load=load,
            load_notes=load_notes(load),
            time_in_zones=ask("zones"),
            values=[in_words(row, units) for row in ask("athlete_values")],
            refused=refused[:SHOWN_REFUSALS],
            refused_more=max(len(refused) - SHOWN_REFUSALS, 0),
        )
    )


def trend_sentence(week: Mapping[str, Any], *, weeks_known: int, units: Units) -> str:
    """
    Say what easy pace does, with its interval, and no more than it shows.

    Args:
        week: The row of weekly_trends that holds the trend: pace_trend and pace_trend_*, s/km per week.
        weeks_known: How many of the sixteen weeks have an easy pace.
        units: Seconds per kilometre or per mile.
    """
    slope = _slope(week)
    if slope is None:
        needed = "A trend needs six weeks with 15 minutes of running at your reference heart rate"
        return (
            f"Too few weeks. {needed}; of the last sixteen, {weeks_known or 'none'} {_has(weeks_known)} that."
        )
    per_week, low, high = (units.pace_s(s_per_km) for s_per_km in slope)
    unit = f"s/{units.symbol} per week"
    if week["pace_trend"] == "no clear trend":
        interval = f"{number(low, digits=1, signed=True)} to {number(high, digits=1, signed=True)}"
        return (
            f"No clear trend: {number(per_week, digits=1, signed=True)} {unit}, and the 95 % interval"
            f" ({interval}) includes no change."
        )
    near, far = sorted(abs(end or 0) for end in (low, high))
    return (
        f"{str(week['pace_trend']).capitalize()} by {number(abs(per_week or 0), digits=1)} {unit}"
        f" (95 % interval {number(near, digits=1)} to {number(far, digits=1)})."
    )


def week_ahead_sentence(upcoming: Sequence[Mapping[str, Any]], units: Units) -> str:
    """
    Say how steep the seven days to the steepest run ahead are; what is run and what is still planned stand apart.

    Args:
        upcoming: Rows of the question upcoming.
        units: Kilometres or miles.
    """
    known = [run for run in upcoming if run["week_ramp_ratio"] is not None]
    if not known:
        return ""
    steepest = max(known, key=lambda run: (run["week_is_ramp"], run["week_ramp_ratio"]))
    verdict = "no steep rise"
    if steepest["week_is_ramp"]:
        verdict = "a steep rise"
    elif steepest["week_ramp_ratio"] > PUBLISHED.ramp_over:
        verdict = "by too little, or after too little, to count as a steep rise"
    done = f"{units.distance(steepest['week_done_m'])} run and " if steepest["week_done_m"] else ""
    return (
        f"The steepest seven days end on {day(steepest['local_date'])}: {done}"
        f"{units.distance(steepest['week_planned_m'])} planned, after {units.distance(steepest['week_before_m'])} in the"
        f" seven days before, {percent(steepest['week_ramp_ratio'], signed=True)}: {verdict}."
    )


def confounder_sentence(context: Mapping[str, Any]) -> str:
    """
    Say how sure the trend is, and whether heat or hills may be behind it.

    Args:
        context: The row of the question pace_context.
    """
    if context["trend_p"] is None:
        return ""
    known = [
        (name, f"{number(low)} to {number(high)} {unit}", low is not None)
        for name, low, high, unit in (
            ("heat", context["coolest_c"], context["warmest_c"], "°C at the watch"),
            ("hills", context["flattest_m_per_km"], context["hilliest_m_per_km"], "m of climb per km"),
        )
    ]
    p = "< 0.001" if context["trend_p"] < 0.001 else f"= {number(context['trend_p'], digits=3)}"
    said = [f"Mann–Kendall test of the same weeks: p {p}."]
    for name, span, is_known in known:
        if name in context["confounders"]:
            word = "warmer" if name == "heat" else "hillier"
            said.append(f"Your {word} weeks were slower ({span}): part of the trend may be {name}.")
        elif is_known:
            said.append(f"No sign of {name} in it ({span}).")
        else:
            said.append(f"Whether {name} had a part is unknown.")
    return " ".join(said)


def race_sentence(race: Mapping[str, Any]) -> str:
    """
    Say from which effort the half marathon was worked out, and how far the goal is from it.

    Args:
        race: The row of race_equivalents.
    """
    if race["half_riegel_s"] is None:
        return "A time over the half marathon needs 5 km or more without a pause in the last twelve weeks."
    return (
        f"Worked out from {EFFORT_WORDS[race['from_distance_m']]} in {duration(race['from_time_s'])}"
        f" ({day(race['from_date'])}): what that effort is worth, not a promise.{_beside_the_goal(race)}"
    )


def asymmetry_sentence(runs: Sequence[Mapping[str, Any]]) -> str:
    """
    Put left and right of ground contact beside the sides on which pain was noted, and claim nothing more.

    Args:
        runs: Rows of the question form_and_knee.
    """
    if not runs:
        return ""
    mean = sum(run["stance_balance_pct"] for run in runs) / len(runs)
    left, right = (
        sum((run[f"{side}_pain"] or 0) >= 1 for run in runs) or "none" for side in ("left", "right")
    )
    return (
        f"Over these {len(runs)} runs the left foot had {number(mean, digits=1)} % of the ground contact. Knee pain of 1 or"
        f" more was noted for {left} of them on the left and for {right} on the right. That is an observation: it does not"
        " show that one brings about the other, nor in which order."
    )


def evidence_rows(evidence: object, units: Units) -> list[tuple[str, str]]:
    """Flatten an alert's evidence into (label, value) pairs for people, whatever its shape."""
    return [(_label(path), _value(path, value, units)) for path, value in _leaves(evidence, ())]


def by_episode(alerts: Sequence[Row], units: Units) -> list[Row]:
    """
    Return the first alert of each episode with its evidence for people, and the others of it as `earlier`; order is kept.

    Args:
        alerts: Rows of the question open_alerts, the most severe first.
        units: Kilometres or miles.
    """
    leads: dict[str, Row] = {}
    for alert in alerts:
        alert = alert | {"evidence": evidence_rows(json.loads(alert["evidence"]), units)}
        lead = leads.setdefault(alert["episode_id"], alert | {"earlier": []})
        if lead["alert_id"] != alert["alert_id"]:
            lead["earlier"].append(alert)
    return list(leads.values())


def _beside_the_goal(race: Mapping[str, Any]) -> str:
    if race["goal_s"] is None:
        return ""
    worth_s = [
        race[name] for name in ("half_riegel_s", "half_own_s", "half_vdot_s") if race[name] is not None
    ]
    if race["goal_s"] < min(worth_s):
        return (
            f" The goal is {duration(min(worth_s) - race['goal_s'])} faster: no effort so far bears it out."
        )
    if race["goal_s"] < max(worth_s):
        return " The goal lies among these times."
    return f" The goal is {duration(race['goal_s'] - max(worth_s))} slower: this effort bears it out."


def _form_row(row: Row) -> Row:
    """One measure of form in words: value, change with its interval, change within a run."""
    name, unit, digits = FORM_WORDS[row["measure"]]
    finer = digits + 1

    def signed(value: float | None) -> str:
        return number(value, digits=finer, signed=True)

    return row | {
        "name": name,
        "shown": f"{number(row['value'], digits=digits)} {unit}",
        "change_shown": signed(row["change"]),
        "interval": ""
        if row["change"] is None
        else f"{signed(row['change_low'])} to {signed(row['change_high'])}",
        "drift_shown": signed(row["drift"]),
    }


@cache
def environment(units: Units, *others: BaseLoader) -> Environment:
    """Return where templates are rendered: those of the report and of `others`, escaped, with numbers and words for people."""
    environment = Environment(
        loader=ChoiceLoader([*others, PackageLoader("report", ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "km": units.distance,
        "km_number": units.distance_number,
        "pace": units.pace,
        "pace_number": units.pace_number,
        "duration": duration,
        "percent": percent,
        "number": number,
        "figure": figure,
        "score": score,
        "pain": pain,
        "day": day,
        "short_day": short_day,
        "long_day": long_day,
        "unbroken": _unbroken,
        "rule_words": _words(words()["rule"]),
        "site_words": _words(SITE_WORDS),
        "bin_words": _words(words()["spike_bin"]),
        "status_words": _words(STATUS_WORDS),
        "kind_words": _words(KIND_WORDS),
        "unit_words": _words(words()["load_unit"]),
        "flag_words": _words({}),
        "effort_words": EFFORT_WORDS.__getitem__,
    }
    return environment


def _unbroken(text: str) -> str:
    """A filter that keeps a number and its unit on one line."""
    return NUMBER_AND_UNIT.sub("\\1\N{NO-BREAK SPACE}", text)


def _words(known: Mapping[str, str]) -> Callable[[str | None], str]:
    """A filter from a stored word to one for people; an unknown one loses its underscores."""

    def in_words_of_people(stored: str | None) -> str:
        return "" if stored is None else known.get(stored, stored.replace("_", " "))

    return in_words_of_people


def _first_of_each_day(days: Sequence[Row]) -> list[Row]:
    """Mark the first row of each day: only that one shows the date."""
    dates = [row["local_date"] for row in days]
    return [
        row | {"is_first": index == 0 or dates[index - 1] != dates[index]} for index, row in enumerate(days)
    ]


def _of_this_week(weeks: Sequence[Row], today: date) -> Row | None:
    return next((week for week in weeks if 0 <= (today - week["week_start"]).days < 7), None)


def weeks_frame(weeks: Sequence[Row]) -> pl.DataFrame | None:
    """Return what the chart of the weeks is drawn from, out of the question weeks; None when there is nothing to draw."""
    if not any(
        week["distance_m"] or week["planned_distance_m"] or week["worst_pain"] is not None for week in weeks
    ):
        return None
    columns = [{name: week[name] for name in charts.WEEK_SCHEMA} for week in weeks]
    return pl.DataFrame(columns, schema=charts.WEEK_SCHEMA)


def _weeks_charts(weeks: Sequence[Row], units: Units) -> dict[str, Markup] | None:
    """The chart for phones and the one for desks; None when there is nothing to draw."""
    frame = weeks_frame(weeks)
    if frame is None:
        return None
    return _for_both(lambda width_px: charts.weeks_chart(frame, units, width_px=width_px))


def _pace_charts(paces: Sequence[Row], week: Row, units: Units) -> dict[str, Markup] | None:
    if not _known_weeks(paces):
        return None
    frame = pl.DataFrame(paces, schema=charts.PACE_SCHEMA)
    slope = _slope(week)
    return _for_both(lambda width_px: charts.pace_chart(frame, units, slope=slope, width_px=width_px))


def _for_both(draw: Callable[[int], str]) -> dict[str, Markup]:
    # Markup: the charts hold numbers, dates and our own words, escaped where they are drawn.
    return {"phone": Markup(draw(charts.PHONE_WIDTH_PX)), "desk": Markup(draw(charts.DESK_WIDTH_PX))}


def _known_weeks(paces: Sequence[Row]) -> int:
    return sum(row["easy_pace_s_per_km"] is not None for row in paces)


def _slope(week: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """Slope, low and high in s/km per week; None below six weeks."""
    slope, low, high = (week[f"pace_trend_{name}"] for name in ("s_per_km_per_week", "low", "high"))
    if slope is None or low is None or high is None or week["pace_trend"] in (None, "too few weeks"):
        return None
    return slope, low, high


def _has(count: int) -> str:
    return "has" if count in (0, 1) else "have"


def _leaves(value: object, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], object]]:
    """Every value of nested evidence with the keys that lead to it; lists of plain values stay whole."""
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, (*path, str(key)))]
    if isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        return [leaf for index, inner in enumerate(value, 1) for leaf in _leaves(inner, (*path, str(index)))]
    return [(path, value)]


def _label(path: Sequence[str]) -> str:
    """Turn keys into words: ("spike", "longest_30d_m") is Spike · longest 30 days."""
    words = (
        " · ".join(UNIT_ENDINGS.sub("", key) for key in path).replace("local_date", "day").replace("_", " ")
    )
    words = re.sub(r"\b(\d+)d\b", r"\1 days", re.sub(r"\b(\d+)min\b", r"\1 min", words))
    return words[:1].upper() + words[1:]


def _value(path: Sequence[str], value: object, units: Units) -> str:
    """Write one value as its key says: metres, pace, seconds, ratio, day, id or as it is."""
    key = next((key for key in reversed(path) if not key.isdigit()), "")
    if isinstance(value, list):
        return ", ".join(_value(path, inner, units) for inner in value) or UNKNOWN
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _quantity(key, value, units)
    return _text(key, str(value))


def _quantity(key: str, value: float, units: Units) -> str:
    writers: dict[str, Callable[[float], str]] = {
        "_s_per_km": units.pace,
        "_m": units.distance,
        "_s": duration,
        "_share": percent,
        "spike_ratio": lambda ratio: percent(ratio, signed=True, digits=1),
        "ramp_ratio": lambda ratio: percent(ratio, signed=True, digits=1),
    }
    write = next((write for ending, write in writers.items() if key.endswith(ending)), None)
    return write(value) if write else figure(value)


def _text(key: str, value: str) -> str:
    if key.endswith(("_id", "_ids")):
        return value[:SHOWN_ID_LENGTH]
    if key == "missing":
        return str(words()["missing"].get(value, value))
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return day(date.fromisoformat(value))
    return value
