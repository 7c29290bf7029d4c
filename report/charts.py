"""The charts: frames in; inline SVG out for reports and letters, specifications for the web pages; colours left to the page."""

import json
import re
import struct
import zlib
from collections.abc import Sequence
from html import escape
from statistics import median
from typing import Any

import altair as alt
import polars as pl

from report.format import Units, current_locale, day, score, short_day

# Each colour is drawn as itself and then handed to the page as a CSS variable, so that a dark page can change it.
COLOURS = {
    "ink": "#1e2530",
    "muted": "#616b7a",
    "rule": "#e4e6ea",
    "card": "#ffffff",
    "run": "#a9c1da",
    "run-now": "#2f6c9f",
    "plan": "#aab2be",
    "pain": "#c0322b",
    "spike": "#a85b00",
    "band": "#dde8f2",
}
FONT = "sans-serif"
VEGA_LITE = "_".join(alt.SCHEMA_VERSION.split(".")[:2])
"""As vl-convert names the version that Altair writes."""
PHONE_WIDTH_PX = 352
DESK_WIDTH_PX = 680
ROW_HEIGHT_PX = 30
MAX_PAIN = 10
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
DATE_EVERY_WEEKS = 4
WHOLE = ",d"
"""Numbers at an axis; what sets their thousands apart is the locale's."""

WEEK_SCHEMA = pl.Schema(
    {
        "week_start": pl.Date,
        "is_in_plan": pl.Boolean,
        "is_this_week": pl.Boolean,
        "plan_week": pl.Int64,
        "distance_m": pl.Float64,
        "planned_distance_m": pl.Float64,
        "worst_pain": pl.Float64,
        "spike_ratio": pl.Float64,
    }
)
UPCOMING_SCHEMA = pl.Schema(
    {
        "local_date": pl.Date,
        "session": pl.String,
        "planned_distance_m": pl.Float64,
        "longest_30d_m": pl.Float64,
        "spike_bin": pl.String,
    }
)
PACE_SCHEMA = pl.Schema({"week_start": pl.Date, "easy_pace_s_per_km": pl.Float64})
LOAD_SCHEMA = pl.Schema(
    {
        "week_start": pl.Date,
        "is_this_week": pl.Boolean,
        "plan_week": pl.Int64,
        "load": pl.Float64,
        "planned": pl.Float64,
        "worst_pain": pl.Float64,
        "spike_ratio": pl.Float64,
    }
)
CURVES = {
    "pace": ("run-now", "min/{unit}"),
    "heart_rate": ("spike", "bpm"),
    "altitude": ("run-now", "m"),
    "cadence": ("ink", "steps/min"),
}
"""Colour and unit of each curve over distance."""
SLOWEST_SHOWN = 1.6
"""Paces above so many times the median are cut off, so that a walk does not flatten the run."""

Chart = alt.LayerChart | alt.FacetChart | alt.VConcatChart


def weeks_chart(weeks: pl.DataFrame, units: Units, *, width_px: int = PHONE_WIDTH_PX) -> str:
    """
    Draw the distance of each week as a bar, the plan as an outline, worst knee pain as points on a scale of its own.

    A week without a pain report gets no point: not reported is not 0. Without any report there is no pain scale.

    Args:
        weeks: One row a week, in order: the columns of WEEK_SCHEMA.
        units: What the distance axis counts in.
        width_px: Width it is designed for; it scales to the width of the page.
    """
    rows = [_week_row(index, row, units) for index, row in enumerate(weeks.iter_rows(named=True))]
    top = max([row["distance"] or 0 for row in rows] + [row["planned"] or 0 for row in rows] + [10]) * 1.12
    scales = [alt.layer(*_distance_layers(rows, top, units.symbol))]
    if any(row["pain"] is not None for row in rows):
        scales.append(alt.layer(*_pain_layers(rows)))
    layers = alt.layer(*scales, data=alt.InlineData(values=rows))
    chart = layers.resolve_scale(y="independent").properties(
        width=width_px - 64, height=width_px * 0.32 + 110
    )
    return _svg(
        chart, title="Distance, plan and knee pain by week", description=_weeks_in_words(weeks, units)
    )


def pace_chart(
    paces: pl.DataFrame,
    units: Units,
    *,
    slope: tuple[float, float, float] | None,
    width_px: int = PHONE_WIDTH_PX,
) -> str:
    """
    Draw the easy pace of each week, faster higher up, with the trend and its 95 % interval.

    Args:
        paces: One row a week, in order: week_start, easy_pace_s_per_km (null when unknown); at least one known.
        units: What the pace axis counts in.
        slope: Theil-Sen slope with the low and high end of its interval, s/km per week; None for no line.
        width_px: Width it is designed for; it scales to the width of the page.
    """
    points: list[dict[str, Any]] = [
        {"week": index, "label": short_day(start), "pace_s": units.pace_s(pace_s_per_km)}
        for index, (start, pace_s_per_km) in enumerate(
            paces.select("week_start", "easy_pace_s_per_km").iter_rows()
        )
    ]
    known = [(point["week"], point["pace_s"]) for point in points if point["pace_s"] is not None]
    ends = _trend_ends(known, slope, units)
    lows = [pace_s for _, pace_s in known] + [end["low"] for end in ends] + [end["high"] for end in ends]
    axis, scale = _pace_axis(lows, units)
    chart = alt.layer(*_trend_layers(ends, axis, scale), *_pace_points(points, axis, scale)).properties(
        width=width_px - 48, height=width_px * 0.15 + 120
    )
    return _svg(chart, title="Easy pace by week", description=_paces_in_words(paces, units))


def upcoming_chart(runs: pl.DataFrame, units: Units) -> dict[str, Any]:
    """
    Draw each planned run as a bar beside a line at the longest of the 30 days before it, for a page to draw itself.

    Args:
        runs: One row a run, in order: the columns of UPCOMING_SCHEMA.
        units: What the distance axis counts in.
    """
    rows = [
        {
            "run": f"{day(run['local_date'])}, {run['session']}",
            "planned": _in_units(run["planned_distance_m"], units),
            "longest": _in_units(run["longest_30d_m"], units),
            "is_spike": run["spike_bin"] in ("small", "moderate", "large"),
        }
        for run in runs.iter_rows(named=True)
    ]
    y = alt.Y("run:N", sort=None, axis=alt.Axis(title=None, ticks=False, labelLimit=140, labelPadding=6))
    axis = alt.Axis(title=units.symbol, titleColor=COLOURS["muted"], tickCount=5, format=WHOLE)
    colour = alt.condition("datum.is_spike", alt.value(COLOURS["spike"]), alt.value(COLOURS["run-now"]))
    planned = (
        alt.Chart()
        .mark_bar(height=alt.RelativeBandSize(0.5))
        .encode(y=y, x=alt.X("planned:Q", axis=axis), color=colour)
    )
    longest = (
        alt.Chart().mark_tick(color=COLOURS["ink"], thickness=2).encode(y=y, x=alt.X("longest:Q", axis=axis))
    )
    layers = alt.layer(planned, longest, data=alt.InlineData(values=rows))
    return specification(layers.properties(height=ROW_HEIGHT_PX * len(rows)))


def load_chart(weeks: pl.DataFrame, unit: str) -> dict[str, Any]:
    """
    Draw the load of each week as a bar with the plan as an outline, and under each the worst pain, for a page to draw itself.

    A week without a pain report gets a dot and no number: not reported is not 0.

    Args:
        weeks: One row a week, in order: the columns of LOAD_SCHEMA; load and plan in `unit`.
        unit: What stands at the axis.
    """
    rows = [
        {
            "week": index,
            "label": str(row["plan_week"] or ""),
            "date": short_day(row["week_start"]) if index % DATE_EVERY_WEEKS == 0 else "",
            "distance": row["load"],
            "planned": row["planned"],
            "pain_label": "·" if row["worst_pain"] is None else score(row["worst_pain"]),
            "has_pain": bool(row["worst_pain"]),
            "is_spike": row["spike_ratio"] is not None,
            "is_this_week": row["is_this_week"],
        }
        for index, row in enumerate(weeks.iter_rows(named=True))
    ]
    top = (weeks.select(pl.max_horizontal("load", "planned").max()).item() or 10) * 1.12
    floor = alt.Y("floor:Q", axis=None, scale=alt.Scale(domain=[0, 1]))
    pain = (
        alt.Chart()
        .mark_text(fontSize=13, baseline="middle", dy=14)
        .transform_calculate(floor="0")
        .encode(
            x=_week_axis(rows, padding_px=24),
            y=floor,
            text="pain_label:N",
            color=alt.condition("datum.has_pain", alt.value(COLOURS["pain"]), alt.value(COLOURS["muted"])),
        )
    )
    bars = alt.layer(*_distance_layers(rows, top, unit, padding_px=24))
    layers = alt.layer(bars, pain, data=alt.InlineData(values=rows)).resolve_scale(y="independent")
    return specification(layers.properties(height=230))


def curve_chart(points: Sequence[tuple[float, float | None]], name: str, units: Units) -> dict[str, Any]:
    """
    Draw what was measured over distance, for a page to draw itself; the line breaks where nothing was.

    Args:
        points: Metres from the start with the value there, in order.
        name: One of CURVES; pace comes in seconds per kilometre and is drawn upside down, faster is higher.
        units: Of distance and pace.
    """
    colour, unit = CURVES[name]
    is_pace = name == "pace"
    rows = [
        {"at": round(at_m / units.metres, 3), "value": units.pace_s(value) if is_pace else value}
        for at_m, value in points
    ]
    known = [row["value"] for row in rows if row["value"] is not None]
    if is_pace:
        axis, scale = _pace_axis([min(known), min(max(known), SLOWEST_SHOWN * median(known))], units)
    else:
        title = unit.format(unit=units.symbol)
        axis = alt.Axis(title=title, tickCount=4, format=WHOLE, **_title_on_top(x=-34))
        scale = alt.Scale(zero=False, nice=True)
    x = alt.X(
        "at:Q",
        axis=alt.Axis(title=None, grid=False, tickCount=6, labelExpr=f"datum.label + ' {units.symbol}'"),
        scale=alt.Scale(domain=[0, points[-1][0] / units.metres], nice=False),
    )
    y = alt.Y("value:Q", axis=axis, scale=scale)
    line = alt.Chart().mark_line(color=COLOURS[colour], strokeWidth=1.5, clip=True).encode(x=x, y=y)
    return specification(alt.layer(line, data=alt.InlineData(values=rows)).properties(height=150))


def specification(chart: Chart) -> dict[str, Any]:
    """
    Return a chart as Vega-Lite, as wide as its place in the page, with the colours as the page's CSS variables.

    Only numbers, dates and our own words may be in it.
    """
    wide = chart.properties(width="container", autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    told = json.dumps(_as_vega_lite(wide))
    for name, colour in COLOURS.items():
        told = told.replace(f'"{colour}"', f'"var(--{name}, {colour})"')
    found: dict[str, Any] = json.loads(told)
    return found


def knee_timeline(days: pl.DataFrame, units: Units) -> dict[str, Any]:
    """
    Draw what knee_chart draws in one picture, for a page to draw itself: pain at the right axis, distance at the left.

    Args:
        days: As for knee_chart.
        units: What the distance axis counts in.
    """
    rows = [
        {
            "date": one["local_date"].isoformat(),
            "pain": one["pain"],
            "distance": _in_units(one["distance_m"], units),
            "is_spike": bool(one["is_spike"]),
        }
        for one in days.iter_rows(named=True)
    ]
    day_format = "%b %-d" if current_locale().is_month_first else "%-d %b"
    dates = alt.Axis(title=None, grid=False, format=day_format, labelOverlap=True, tickCount=6)
    x = alt.X("date:T", axis=dates)
    metres = alt.Axis(title=units.symbol, tickCount=4, format=WHOLE, **_title_on_top(x=-20))
    y = alt.Y("distance:Q", axis=metres)
    pain_axis = alt.Axis(
        title="pain 0–10",
        values=[0, 2, 5, 10],
        orient="right",
        grid=False,
        labelColor=COLOURS["pain"],
        **_title_on_top(x=20, colour=COLOURS["pain"], align="right"),
    )
    bars = alt.Chart().mark_bar(size=4, color=COLOURS["run"]).encode(x=x, y=y)
    spikes = (
        alt.Chart()
        .mark_point(shape="triangle-up", filled=True, color=COLOURS["spike"], opacity=1, size=50, yOffset=-8)
        .encode(x=x, y=y)
        .transform_filter("datum.is_spike")
    )
    pain = (
        alt.Chart()
        .mark_point(filled=True, size=60, color=COLOURS["pain"], opacity=1)
        .encode(x=x, y=alt.Y("pain:Q", axis=pain_axis, scale=alt.Scale(domain=[0, MAX_PAIN])))
        .transform_filter("isValid(datum.pain)")
    )
    layers = alt.layer(alt.layer(bars, spikes), pain, data=alt.InlineData(values=rows))
    return specification(layers.resolve_scale(y="independent").properties(height=200))


def knee_chart(days: pl.DataFrame, units: Units, *, width_px: int = DESK_WIDTH_PX) -> str:
    """
    Draw the worst pain of one knee day by day above the distance run on each, runs that were a load spike marked.

    A day without a score gets no point: not reported is not 0.

    Args:
        days: One row a day without gaps: local_date, pain (0 to 10, null when not reported), distance_m, is_spike.
        units: What the distance axis counts in.
        width_px: Width it is designed for; it scales to the width of the page.
    """
    rows = [
        {
            "day": index,
            "pain": row["pain"],
            "pain_label": score(row["pain"]),
            "distance": _in_units(row["distance_m"], units),
            "is_spike": bool(row["is_spike"]),
        }
        for index, row in enumerate(days.iter_rows(named=True))
    ]
    labels = [short_day(one) for one in days["local_date"]]
    every = 7 * -(-len(rows) // 63)  # more than nine dates run into one another
    scale = alt.Scale(domain=[-0.8, len(rows) - 0.2], nice=False, zero=False)
    dates = alt.Axis(
        title=None,
        grid=False,
        values=list(range(0, len(rows), every)),
        labelExpr=f"{_js_list(labels)}[datum.value]",
        labelOverlap=False,
        ticks=False,
        domainColor=COLOURS["plan"],
    )
    top = max([row["distance"] or 0 for row in rows] + [5]) * 1.15
    y = alt.Y(
        "distance:Q",
        axis=alt.Axis(title=units.symbol, tickCount=4, format=WHOLE, **_title_on_top(x=-26)),
        scale=alt.Scale(domain=[0, top], nice=False),
    )
    x = alt.X("day:Q", axis=dates, scale=scale)
    bars = alt.Chart().mark_bar(size=width_px / len(rows) * 0.55, color=COLOURS["run"]).encode(x=x, y=y)
    spikes = (
        alt.Chart()
        .mark_point(shape="triangle-up", filled=True, color=COLOURS["spike"], opacity=1, size=50, yOffset=-8)
        .encode(x=x, y=y)
        .transform_filter("datum.is_spike")
    )
    pain_y = alt.Y(
        "pain:Q",
        axis=alt.Axis(
            title="pain 0–10",
            values=[0, 2, 5, 10],
            labelColor=COLOURS["pain"],
            **_title_on_top(x=-26, colour=COLOURS["pain"]),
        ),
        scale=alt.Scale(domain=[-0.6, MAX_PAIN * 1.1], nice=False),
    )
    reported = (
        alt.Chart()
        .transform_filter("isValid(datum.pain)")
        .encode(x=alt.X("day:Q", axis=None, scale=scale), y=pain_y)
    )
    points = reported.mark_point(filled=True, size=60, color=COLOURS["pain"], opacity=1)
    scores = reported.mark_text(dy=-11, fontSize=11, fontWeight="bold", color=COLOURS["pain"]).encode(
        text="pain_label:N"
    )
    size = {"width": width_px - 48}
    chart = alt.vconcat(
        alt.layer(points, scores).properties(height=90, **size),
        alt.layer(bars, spikes).properties(height=84, **size),
        data=alt.InlineData(values=rows),
        spacing=18,
    )
    return _svg(chart, title="Knee pain and distance by day", description=_days_in_words(days, units))


def way_map(way: pl.DataFrame, units: Units, *, width_px: int = PHONE_WIDTH_PX) -> str:
    """
    Draw a way with north at the top and a ruler of one kilometre or mile below it: no place, no time, no background.

    Args:
        way: piece, x_m, y_m in order; at least one row.
        units: What the ruler is one of.
        width_px: Width it is designed for; a long way north is drawn as high as that at most.
    """
    rows = way.with_row_index("order").to_dicts()
    left, right, low, high = (
        float(value)
        for value in way.select(
            pl.col("x_m").min(),
            pl.col("x_m").max().alias("right"),
            pl.col("y_m").min(),
            pl.col("y_m").max().alias("high"),
        ).row(0)
    )
    span_m = max(right - left, high - low, units.metres) * 1.04
    middle_x, middle_y = (left + right) / 2, (low + high) / 2
    height_px = max(width_px * min((high - low) * 1.08 / span_m, 1), 60)

    def scale(middle: float, length_m: float) -> alt.Scale:
        return alt.Scale(domain=[middle - length_m / 2, middle + length_m / 2], nice=False, zero=False)

    x = alt.X("x_m:Q", axis=None, scale=scale(middle_x, span_m))
    y = alt.Y("y_m:Q", axis=None, scale=scale(middle_y, span_m * height_px / width_px))
    line = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(color=COLOURS["run-now"], strokeWidth=2.5, strokeJoin="round", strokeCap="round")
        .encode(x=x, y=y, detail="piece:N", order="order:Q")
    )
    foot_m = middle_y - span_m * height_px / width_px / 2
    ruler = [
        {
            "x_m": middle_x - span_m / 2,
            "end": middle_x - span_m / 2 + units.metres,
            "y_m": foot_m,
            "label": f"1 {units.symbol}",
        }
    ]
    ruled = alt.Chart(alt.InlineData(values=ruler))
    rule = ruled.mark_rule(color=COLOURS["muted"], strokeWidth=2).encode(x=x, x2="end:Q", y=y)
    name = ruled.mark_text(color=COLOURS["muted"], align="left", dy=-8, fontSize=12).encode(
        x=x, y=y, text="label:N"
    )
    chart = alt.layer(line, rule, name).properties(width=width_px, height=height_px)
    return _svg(
        chart,
        title="The way of the run",
        description=f"North is at the top. What lies near where runs begin is left out; {way['piece'].n_unique()} piece(s) are drawn.",
    )


def png(svg: str, *, scale: float = 2.0) -> bytes:
    """Return a chart as a picture on white, for letters: many programs for mail show no SVG and know no variables."""
    import vl_convert

    size = re.search(r'viewBox="[0-9.-]+ [0-9.-]+ ([0-9.]+) ([0-9.]+)"', svg)
    assert size is not None
    fixed = svg.replace('width="100%"', f'width="{size.group(1)}" height="{size.group(2)}"', 1)
    coloured = re.sub(r"var\(--[a-z-]+, (#[0-9a-f]{6})\)", r"\1", fixed)
    on_white = coloured.replace("</desc>", '</desc><rect width="100%" height="100%" fill="#ffffff"/>', 1)
    return _packed(vl_convert.svg_to_png(on_white, scale=scale))


def _packed(picture: bytes) -> bytes:
    """Return the same PNG in a ninth of the bytes: vl-convert hardly compresses, and the outbox keeps each."""
    chunks, at = [], len(PNG_SIGNATURE)
    while at < len(picture):
        length, kind = struct.unpack_from(">I4s", picture, at)
        chunks.append((kind, picture[at + 8 : at + 8 + length]))
        at += length + 12
    pixels = zlib.compress(zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT")), 9)
    (head, *_), last = [one for one in chunks if one[0] == b"IHDR"], (b"IEND", b"")
    return PNG_SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (head, (b"IDAT", pixels), last)
    )


def _week_row(index: int, row: dict[str, Any], units: Units) -> dict[str, Any]:
    """Turn one week into what the marks need: numbers in the runner's units and the label below the bar."""
    return {
        "week": index,
        "label": str(row["plan_week"] or "") if row["is_in_plan"] else "",
        "date": short_day(row["week_start"]) if index % DATE_EVERY_WEEKS == 0 else "",
        "distance": _in_units(row["distance_m"], units),
        "planned": _in_units(row["planned_distance_m"], units),
        "pain": row["worst_pain"],
        "pain_label": score(row["worst_pain"]),
        "is_spike": row["spike_ratio"] is not None,
        "is_this_week": row["is_this_week"],
    }


def _in_units(distance_m: float | None, units: Units) -> float | None:
    return None if distance_m is None else distance_m / units.metres


def _distance_layers(
    rows: Sequence[dict[str, Any]], top: float, unit: str, *, padding_px: float = 5
) -> list[alt.Chart]:
    """The bars, the outline of the plan behind them and a mark on weeks with a spike."""
    x = _week_axis(rows, padding_px=padding_px)
    scale = alt.Scale(domain=[0, top], nice=False)
    axis = alt.Axis(title=unit, tickCount=5, format=WHOLE, **_title_on_top(x=-22))
    done = (
        alt.Chart()
        .mark_bar(width=alt.RelativeBandSize(0.58))
        .encode(
            x=x,
            y=alt.Y("distance:Q", axis=axis, scale=scale),
            color=alt.condition(
                "datum.is_this_week", alt.value(COLOURS["run-now"]), alt.value(COLOURS["run"])
            ),
        )
    )
    planned = (
        alt.Chart()
        .mark_bar(
            width=alt.RelativeBandSize(0.86),
            filled=False,
            stroke=COLOURS["plan"],
            strokeWidth=1,
        )
        .encode(x=x, y=alt.Y("planned:Q", axis=axis, scale=scale))
    )
    spikes = (
        alt.Chart()
        .mark_point(shape="triangle-up", filled=True, color=COLOURS["spike"], opacity=1, size=44, yOffset=-8)
        .encode(x=x, y=alt.Y("distance:Q", axis=axis, scale=scale))
        .transform_filter("datum.is_spike")
    )
    return [planned, done, spikes]


def _week_axis(rows: Sequence[dict[str, Any]], *, padding_px: float = 5) -> alt.X:
    """Number of the plan week below each bar, the date of every fourth week below that."""
    # A line that is empty is left out by Vega, and the date would stand between the numbers.
    labels = [[row["label"] or "\N{NO-BREAK SPACE}", row["date"]] for row in rows]
    axis = alt.Axis(
        title=None,
        labelAngle=0,
        labelOverlap=False,
        labelExpr=f"{_js_list(labels)}[datum.value]",
        labelLineHeight=14,
        ticks=False,
        labelPadding=padding_px,
        domainColor=COLOURS["plan"],
    )
    return alt.X(
        "week:O", axis=axis, scale=alt.Scale(domain=list(range(len(rows))), paddingInner=0, paddingOuter=0.1)
    )


def _js_list(labels: Sequence[object]) -> str:
    """Labels as a Vega expression; they are made of digits and names of months only."""
    return repr(list(labels))


def _pain_layers(rows: Sequence[dict[str, Any]]) -> list[alt.Chart]:
    """Red points with their score beside them, on a scale from 0 to 10 on the right."""
    x = _week_axis(rows)
    axis = alt.Axis(
        title="pain 0–10",
        orient="right",
        values=[0, 2, 4, 6, 8, 10],
        grid=False,
        labelColor=COLOURS["pain"],
        **_title_on_top(x=20, colour=COLOURS["pain"], align="right"),
    )
    y = alt.Y("pain:Q", axis=axis, scale=alt.Scale(domain=[0, MAX_PAIN * 1.08], nice=False))
    base = alt.Chart().transform_filter("isValid(datum.pain)").encode(x=x, y=y)
    points = base.mark_point(
        filled=True,
        shape="circle",
        size=72,
        color=COLOURS["pain"],
        opacity=1,
        stroke=COLOURS["card"],
        strokeWidth=1.5,
    )
    halo = base.mark_text(
        dy=-12, fontSize=12, fontWeight="bold", stroke=COLOURS["card"], strokeWidth=3.5, strokeJoin="round"
    ).encode(text="pain_label:N")
    label = base.mark_text(dy=-12, fontSize=12, fontWeight="bold", color=COLOURS["pain"]).encode(
        text="pain_label:N"
    )
    return [points, halo, label]


def _title_on_top(*, x: float, colour: str = COLOURS["muted"], align: str = "left") -> dict[str, Any]:
    """Axis titles lie flat above their axis: turned by 90 degrees nobody reads them on a phone."""
    return {
        "titleAngle": 0,
        "titleAlign": align,
        "titleAnchor": "end",
        "titleX": x,
        "titleY": -14,
        "titleColor": colour,
    }


def _trend_ends(
    known: Sequence[tuple[float, float]], slope: tuple[float, float, float] | None, units: Units
) -> list[dict[str, float]]:
    """
    Where the trend and the two ends of its interval lie in the first and the last week with a pace.

    All three lines go through the median week and pace, as Theil and Sen put it.
    """
    if slope is None or len(known) < 2:
        return []
    middle_week = median(week for week, _ in known)
    middle_s = median(pace_s for _, pace_s in known)
    per_week = [s_per_km * units.metres / 1000 for s_per_km in slope]
    names = ("trend", "low", "high")
    return [
        {"week": week}
        | {name: middle_s + (week - middle_week) * s for name, s in zip(names, per_week, strict=True)}
        for week in (known[0][0], middle_week, known[-1][0])
    ]


def _pace_axis(paces_s: Sequence[float], units: Units) -> tuple[alt.Axis, alt.Scale]:
    """Minutes and seconds, on round values, upside down: faster is higher."""
    low, high = min(paces_s), max(paces_s)
    step = next((step for step in (5, 10, 15, 20, 30, 60) if (high - low) / step <= 5), 120)
    first, last = int(low // step) * step, int(-(-high // step)) * step
    axis = alt.Axis(
        title=f"min/{units.symbol}",
        values=list(range(first, last + 1, step)),
        labelExpr="floor(datum.value / 60) + ':' + format(datum.value % 60, '02d')",
        **_title_on_top(x=-34),
    )
    scale = alt.Scale(domain=[first, max(last, first + step)], reverse=True, nice=False, zero=False)
    return axis, scale


def _trend_layers(ends: Sequence[dict[str, float]], y_axis: alt.Axis, scale: alt.Scale) -> list[alt.Chart]:
    if not ends:
        return []
    base = alt.Chart(alt.InlineData(values=list(ends))).encode(x=alt.X("week:Q"))
    band = base.mark_area(color=COLOURS["band"], opacity=1).encode(
        y=alt.Y("low:Q", axis=y_axis, scale=scale), y2="high:Q"
    )
    line = base.mark_line(color=COLOURS["run-now"], strokeWidth=2, strokeDash=[5, 4]).encode(
        y=alt.Y("trend:Q", axis=y_axis, scale=scale)
    )
    return [band, line]


def _pace_points(points: Sequence[dict[str, Any]], y_axis: alt.Axis, scale: alt.Scale) -> list[alt.Chart]:
    labels = [point["label"] for point in points]
    axis = alt.Axis(
        title=None,
        grid=False,
        values=list(range(0, len(points), DATE_EVERY_WEEKS)),
        labelExpr=f"{_js_list(labels)}[datum.value]",
        labelOverlap=False,
        labelFlush=False,
        ticks=False,
        labelPadding=6,
    )
    x = alt.X(
        "week:Q", axis=axis, scale=alt.Scale(domain=[-0.7, max(len(points) - 0.3, 1)], nice=False, zero=False)
    )
    known = alt.InlineData(values=[point for point in points if point["pace_s"] is not None])
    marks = alt.Chart(known).mark_point(
        filled=True, shape="circle", size=56, color=COLOURS["run-now"], opacity=1, stroke=COLOURS["card"]
    )
    y = alt.Y("pace_s:Q", axis=y_axis, scale=scale)
    return [marks.encode(x=x, y=y)]


def _weeks_in_words(weeks: pl.DataFrame, units: Units) -> str:
    """What the chart says, for those who hear it."""
    sentences = []
    for row in weeks.iter_rows(named=True):
        if row["distance_m"] is None:
            continue
        planned = (
            f" of {units.distance(row['planned_distance_m'])} planned" if row["planned_distance_m"] else ""
        )
        knee = "not reported" if row["worst_pain"] is None else f"{score(row['worst_pain'])}/10"
        sentences.append(
            f"Week of {day(row['week_start'])}: {units.distance(row['distance_m'])}{planned}, knee pain {knee}."
        )
    return " ".join(sentences) or "No week has a run yet."


def _days_in_words(days: pl.DataFrame, units: Units) -> str:
    told = [
        f"{day(row['local_date'])}: {'not run' if row['distance_m'] is None else units.distance(row['distance_m'])},"
        f" knee pain {'not reported' if row['pain'] is None else score(row['pain']) + '/10'}."
        for row in days.iter_rows(named=True)
        if row["distance_m"] is not None or row["pain"] is not None
    ]
    return " ".join(told) or "No run and no report in these weeks."


def _paces_in_words(paces: pl.DataFrame, units: Units) -> str:
    known = paces.drop_nulls("easy_pace_s_per_km").select("week_start", "easy_pace_s_per_km")
    return " ".join(
        f"Week of {day(start)}: {units.pace(pace_s_per_km)}." for start, pace_s_per_km in known.iter_rows()
    )


def _svg(chart: Chart, *, title: str, description: str) -> str:
    """Render to SVG that scales to its place and says what it shows."""
    import vl_convert

    drawn = vl_convert.vegalite_to_svg(_as_vega_lite(chart), vl_version=VEGA_LITE)
    return _for_the_page(drawn, title, description)


def _as_vega_lite(chart: Chart) -> dict[str, Any]:
    """Return the chart in the style of all of them, not checked against the schema: that takes as long as to draw it."""
    styled = chart.copy(deep=False)
    styled.config = alt.Config(
        aria=False,
        locale=alt.Locale(number=_number_locale()),
        background="transparent",
        font=FONT,
        padding={"left": 2, "right": 2, "top": 4, "bottom": 2},
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            labelColor=COLOURS["muted"],
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            gridColor=COLOURS["rule"],
            domain=False,
            ticks=False,
        ),
    )
    described: dict[str, Any] = styled.to_dict(validate=False)
    return described


def _number_locale() -> alt.NumberLocale:
    locale = current_locale()
    return alt.NumberLocale(
        decimal=locale.decimal,
        thousands=locale.thousands if locale.groups_from_digits <= 4 else "",  # no axis goes to five digits
        grouping=[3],
        currency=["", ""],
    )


def _for_the_page(svg: str, title: str, description: str) -> str:
    """Swap the fixed size for a role, a title and a description, and the colours for the page's own."""
    size = re.search(r'viewBox="([^"]+)"', svg)
    assert size is not None
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size.group(1)}" width="100%" role="img"'
        f' aria-label="{escape(title)}"><title>{escape(title)}</title><desc>{escape(description)}</desc>'
    )
    svg = re.sub(r"^<svg[^>]*>", head, svg, count=1)
    for name, colour in COLOURS.items():
        svg = svg.replace(f'"{colour}"', f'"var(--{name}, {colour})"')
    return svg
