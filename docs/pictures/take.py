"""Take the pictures of the documents: sample data up to a day, the real pages in Chromium; `make pictures` runs it."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from flows import steps
from flows.reports import physio_html, report_html
from flows.steps import Clock
from kneewatch.web.pages import PAGES
from kneewatch.web.serving import serve_in_thread, web_server
from store import home as homes
from store.database import opened_published, scalar
from store.home import Home
from store.settings import read_settings
from tests.chromium import chromium

HERE = Path(__file__).parent
SAMPLES = HERE.parent.parent / "sample_data"
PAIN_IS_OPEN = date(2026, 8, 28)
"""The day after the knee hurt most."""
PAIN_IS_OVER = date(2026, 9, 20)
DESK: dict[str, Any] = {"viewport": {"width": 1160, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}
REPORT: dict[str, Any] = {"viewport": {"width": 860, "height": 900}}
PAPER: dict[str, Any] = {"viewport": {"width": 700, "height": 900}}
DARK: dict[str, Any] = {"color_scheme": "dark"}
MOST_HIGH_PX = 1200
"""What is further down a page is of the same kind."""


def main() -> None:
    """Write every picture beside this file."""
    with fresh_folder() as folder, chromium() as browser:
        home = home_on(PAIN_IS_OPEN, folder / "kneewatch")
        with served(home, PAIN_IS_OPEN) as url:
            for name, address in addresses(home).items():
                take(browser, url + address, name, DESK)
            for name in ("today", "knee"):
                take(browser, url + addresses(home)[name], f"{name}-phone", PHONE)
                take(browser, url + addresses(home)[name], f"{name}-dark", PHONE | DARK)
        settings = read_settings(home)
        with opened_published(home) as con:
            page = report_html(con, settings, athlete="mara", today=PAIN_IS_OPEN)
        take(browser, written(page, folder / "report.html"), "report", REPORT, most_high_px=2260)

        home = home_on(PAIN_IS_OVER, folder / "over")
        with opened_published(home) as con:
            page = physio_html(
                con,
                home,
                settings,
                athlete="mara",
                side="right",
                weeks=8,
                today=PAIN_IS_OVER,
                called="Runner 1",
            )
        take(browser, written(page, folder / "physio.html"), "physio", PAPER)


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """Give a folder that is called the same each time: the page of settings shows where it is."""
    folder = Path(tempfile.gettempdir(), "pictures")
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def home_on(day: date, folder: Path) -> Home:
    """Return the made-up runner's home as it was on the evening of a day."""
    home = homes.at(folder).prepare()
    shutil.copy(SAMPLES / "kneewatch.toml", home.settings_file)
    for path in [*(SAMPLES / "inbox").iterdir(), *(SAMPLES / "broken").iterdir()]:
        if path.suffix == ".csv":
            copy_until(day, path, home.inbox / path.name)
        elif path.name[:10] <= day.isoformat() or not path.name[0].isdigit():
            shutil.copy(path, home.inbox)
    clock = Clock(datetime(day.year, day.month, day.day, 18, tzinfo=UTC), day)
    steps.run_all(home, read_settings(home), clock)
    return home


def copy_until(day: date, path: Path, copy: Path) -> None:
    """Copy the lines of a log that were written by a day."""
    with path.open(newline="") as lines, copy.open("w", newline="") as kept:
        rows = csv.DictReader(lines)
        writer = csv.DictWriter(kept, rows.fieldnames or [])
        writer.writeheader()
        writer.writerows(row for row in rows if row["date"] <= day.isoformat())


def addresses(home: Home) -> dict[str, str]:
    """Return the address of every page by the name of its picture, and that of the run with the largest spike."""
    with opened_published(home) as con:
        run = scalar(con, "select activity_id from run_metrics order by spike_ratio desc nulls last limit 1")
    return {page.TITLE.lower(): page.ADDRESS[1:] for page in PAGES} | {"run": f"runs/{run}"}


@contextmanager
def served(home: Home, day: date) -> Iterator[str]:
    """Serve the pages of a home on a day, and give their address."""
    clock = Clock(datetime(day.year, day.month, day.day, 18, tzinfo=UTC), day)
    server = web_server(home, read_settings(home), port=0, clock=lambda _: clock)
    thread = serve_in_thread(server)
    yield server.url
    server.stop()
    thread.join()


def written(page: str, path: Path) -> str:
    """Write a page and return its address."""
    path.write_text(page)
    return path.as_uri()


def take(
    browser: Browser, url: str, name: str, look: dict[str, Any], *, most_high_px: int = MOST_HIGH_PX
) -> None:
    """Take the picture of a page when its charts are drawn."""
    page = browser.new_context(**look).new_page()
    page.goto(url)
    page.wait_for_load_state("networkidle")
    for chart in page.locator("[data-chart]").all():
        chart.locator("svg").wait_for(state="attached")
    high_px = page.evaluate("document.documentElement.scrollHeight")
    page.screenshot(
        path=HERE / f"{name}.png",
        clip={"x": 0, "y": 0, "width": look["viewport"]["width"], "height": min(high_px, most_high_px)},
        full_page=True,
    )
    page.context.close()
    print(f"{name}.png", flush=True)


if __name__ == "__main__":
    main()
