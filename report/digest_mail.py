"""The digest of a week as a mail: its text as HTML, and the chart of the weeks as a picture within it."""

from __future__ import annotations

from datetime import date
from html import escape
from itertools import groupby

import duckdb

from report.format import Units
from report.questions import read_query
from store.database import frame

CHART = "weeks.png"
PICTURE = (
    '<p><img src="cid:{name}" width="560" alt="Distance, plan and knee pain by week"'
    ' style="max-width:100%;height:auto;border:0"></p>'
)
MAIL = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    '<body style="margin:0;padding:16px;background:#ffffff;color:#1e2530;'
    'font:16px/1.5 system-ui,-apple-system,Segoe UI,Roboto,Arial,sans-serif">'
    '<div style="max-width:600px;margin:0 auto">{body}</div></body></html>'
)


def digest_html(text: str, *, title: str, chart: str | None = None) -> str:
    """
    Return the text of a digest as the HTML of a mail, which fetches nothing.

    Args:
        text: As `digest_words` writes it: its head, then a line for each thing; two spaces begin an item of a list.
        title: Title of the mail.
        chart: Name of the picture that comes with it and stands below the head; None without one.
    """
    head, *lines = text.splitlines()
    picture = [PICTURE.format(name=chart)] if chart else []
    parts = [f'<h1 style="font-size:20px;line-height:1.3;margin:0 0 8px">{escape(head)}</h1>', *picture]
    for is_item, block in groupby(filter(None, lines), key=lambda line: line.startswith("  ")):
        if is_item:
            items = "".join(f"<li>{escape(line.strip())}</li>" for line in block)
            parts.append(f'<ul style="margin:4px 0;padding-left:20px">{items}</ul>')
        else:
            parts += [f'<p style="margin:8px 0">{escape(line)}</p>' for line in block]
    return MAIL.format(title=escape(title), body="".join(parts))


def digest_chart(con: duckdb.DuckDBPyConnection, athlete: str, *, today: date, units: Units) -> bytes | None:
    """Return the chart of the weeks beside the plan as a PNG; None when there is nothing to draw."""
    from report import charts  # with Altair, which a letter to a phone has no use for
    from report.page import weeks_frame

    weeks = weeks_frame(frame(con, read_query("weeks"), athlete=athlete, today=today).to_dicts())
    return None if weeks is None else charts.png(charts.weeks_chart(weeks, units, width_px=560))
