"""Every web page in a real browser: phone and desk, light and dark, with and without script, by keyboard, by its names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from flows import steps
from flows.steps import Clock
from kneewatch.web.pages import PAGES
from kneewatch.web.serving import WebServer, serve_in_thread, web_server
from store.database import opened_published
from store.home import Home
from store.settings import read_settings
from tests.chromium import PATIENCE_MS

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
CLOCK = Clock(datetime(2026, 10, 3, 18, tzinfo=UTC), date(2026, 10, 3))
MOST_TRANSFERRED_BYTES = 400_000
LOOKS: dict[str, dict[str, Any]] = {
    "phone, light": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "has_touch": True},
    "phone, dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    "desk, light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "desk, dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
}


def _an_alert(home: Home) -> str:
    with opened_published(home) as con:
        return f"/alerts/{con.execute('select min(alert_id) from alerts').fetchall()[0][0]}"


def _a_run(home: Home) -> str:
    """The run with the largest spike: with a map, every curve, zones, efforts and a report."""
    with opened_published(home) as con:
        found = con.execute(
            "select activity_id from runs join run_metrics using (activity_id) where athlete = 'mara' "
            "order by spike_ratio desc nulls last, activity_id limit 1"
        ).fetchall()
    return f"/runs/{found[0][0]}"


ADDRESSES: dict[str, Callable[[Home], str]] = {
    **{page.TITLE: lambda _, address=page.ADDRESS: address for page in PAGES},
    "weeks by knee load, long ago": lambda _: "/weeks?measure=knee_load&until=2026-08-30",
    "a run": _a_run,
    "an alert": _an_alert,
}
"""Every page; one that needs an id says how to find it in the sample home."""


@dataclass
class Seen:
    """What a page did while it was loaded."""

    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    transferred_bytes: int = 0


@pytest.fixture(scope="module")
def server(sample_home: Home) -> Iterator[WebServer]:
    """The sample runner's pages on the eve of her race."""
    server = web_server(sample_home, read_settings(sample_home), port=0, clock=lambda _: CLOCK)
    thread = serve_in_thread(server)
    yield server
    server.stop()
    thread.join(30)


def opened(browser: Browser, url: str, **look: Any) -> tuple[Page, Seen]:
    """Load a page and return it with what it did; a chart is waited for."""
    seen = Seen()
    page = browser.new_context(**look).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("console", lambda message: seen.said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: seen.said.append(str(error)))
    page.on("request", lambda request: seen.asked.append(request.url))
    page.on("requestfinished", lambda request: _count(request, seen))
    page.goto(url)
    page.wait_for_load_state("networkidle")
    if look.get("java_script_enabled", True):
        for figure in page.locator("figure").all():
            figure.locator(".chart svg").wait_for(state="attached")
    return page, seen


def _count(request: Any, seen: Seen) -> None:
    if "/static/vega-" not in request.url:
        sizes = request.sizes()
        seen.transferred_bytes += sizes["responseBodySize"] + sizes["responseHeadersSize"]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_is_as_it_should_be(
    browser: Browser, server: WebServer, sample_home: Home, name: str, look: str
) -> None:
    """No complaint on the console, no request elsewhere, nothing serious for axe, not wider than the screen, not heavy."""
    page, seen = opened(browser, server.url + ADDRESSES[name](sample_home)[1:], **LOOKS[look])

    page.evaluate(AXE)
    found = page.evaluate("axe.run()")
    grave = [
        (one["id"], [node["html"] for node in one["nodes"]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert grave == []
    assert seen.said == []
    assert [url for url in seen.asked if not url.startswith((server.url, "data:"))] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("figure .chart svg").count() == page.locator("figure").count()
    assert 0 < seen.transferred_bytes < MOST_TRANSFERRED_BYTES
    page.context.close()


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_is_reached_by_keyboard_alone(
    browser: Browser, server: WebServer, sample_home: Home, name: str
) -> None:
    """Tab goes to everything that can be used, in order, and what it is at is seen and has a name; the first skips to the page."""
    page, _ = opened(browser, server.url + ADDRESSES[name](sample_home)[1:], **LOOKS["desk, light"])
    usable = page.evaluate(
        "[...document.querySelectorAll('a[href], button:not([disabled]), select, textarea, input:not([type=hidden]), summary')]"
        ".filter((one) => one.checkVisibility() && (one.type !== 'radio' || one.checked)).length"
    )

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    reached = 1
    while reached < usable:
        page.keyboard.press("Tab")
        at = page.evaluate(
            "(() => { const one = document.activeElement; const style = getComputedStyle(one);"
            " return [one.tagName, style.outlineStyle, (one.innerText || one.ariaLabel || one.labels?.[0]?.innerText || '').trim()] })()"
        )
        assert at[0] != "BODY"
        assert at[1] != "none", at
        assert at[2], at
        reached += 1
    page.context.close()


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_can_be_read_without_script(
    browser: Browser, server: WebServer, sample_home: Home, name: str
) -> None:
    """The same text; beside each chart its table."""
    address = server.url + ADDRESSES[name](sample_home)[1:]
    with_script, _ = opened(browser, address)
    without, seen = opened(browser, address, java_script_enabled=False)

    assert without.locator("h1").inner_text() == with_script.locator("h1").inner_text()
    for place in without.locator("figure").all():
        place.locator("summary").click()
        assert place.locator("table").inner_text()
    assert [url for url in seen.asked if "/static/" in url and url.endswith(".js")] == []
    with_script.context.close()
    without.context.close()


def test_pain_is_noted_by_one_tap_without_script(browser: Browser, home: Home) -> None:
    """On a phone, by the button's name; Enter in the form notes nothing by itself."""
    server = web_server(home, read_settings(home), port=0, clock=lambda _: CLOCK)
    thread = serve_in_thread(server)
    try:
        page, _ = opened(browser, server.url, java_script_enabled=False, **LOOKS["phone, light"])
        page.get_by_role("button", name="Begin with what is there").click()
        page.get_by_role("radio", name="an hour after it").first.press("Enter")
        page.get_by_role("button", name="Left knee: 3 of 10").tap()
        page.wait_for_url("**/?said=pain")
        noted = page.get_by_role("status").inner_text()
        shown = page.locator("form.knee").first.inner_text()
        page.context.close()
    finally:
        server.stop()
        thread.join(30)

    with opened_published(home) as con:
        assert con.execute("select side, during, after_60min from pain_reports").fetchall() == [
            ("left", 3, None)
        ]
    assert noted == "Noted. Thank you."
    assert "during 3/10" in shown


SUMMER = Clock(datetime(2026, 7, 2, 18, tzinfo=UTC), date(2026, 7, 2))


@contextmanager
def served(home: Home) -> Iterator[WebServer]:
    """Serve a home on a summer's day after everything was computed."""
    settings = read_settings(home)
    steps.bring_up_to_date(home, settings, SUMMER)
    server = web_server(home, settings, port=0, clock=lambda _: SUMMER)
    thread = serve_in_thread(server)
    try:
        yield server
    finally:
        server.stop()
        thread.join(30)


def test_a_session_is_moved_by_dragging_it_and_by_arrow_keys(browser: Browser, home: Home) -> None:
    """To the day before by mouse, and back by keyboard; Escape moves nothing."""
    home.settings_file.write_text(
        '[athletes.me.plan]\nname = "half_marathon_beginner"\nrace_date = 2026-10-04\n'
    )
    with served(home) as server:
        page, seen = opened(browser, server.url + "plan", **LOOKS["desk, light"])
        on_sunday = page.get_by_role("link", name="Move long of Sun 5 Jul")
        on_saturday = page.get_by_role("link", name="Move long of Sat 4 Jul")
        on_sunday.drag_to(page.locator("td[data-day='2026-07-04']"))
        on_saturday.wait_for()
        said = page.get_by_role("status").inner_text()
        for key in ("ArrowRight", "Escape", "ArrowLeft", "ArrowRight", "ArrowRight"):
            on_saturday.press(key)
        announced = page.locator("#moving").inner_text()
        on_saturday.press("Enter")
        on_sunday.wait_for()
        page.context.close()

    assert said.startswith("The plan is changed")
    assert announced == "Long to Sun 5 Jul: Enter moves it, Escape does not."
    assert seen.said == []
    with opened_published(home) as con:
        [moves] = con.execute("select list(days order by changed_at) from plan_changes").fetchall()
    assert moves == ([-1, 1],)


PAIN = "date,side,during\n2026-07-01,left,3\n"


def test_a_file_comes_by_the_button_without_script_and_by_dropping_it(browser: Browser, home: Home) -> None:
    """Both are taken in; with script the page looks again by itself."""
    with served(home) as server:
        plain, _ = opened(browser, server.url + "inbox", java_script_enabled=False, **LOOKS["phone, light"])
        plain.locator("input[type=file]").set_input_files(
            {"name": "first.csv", "mimeType": "text/csv", "buffer": PAIN.encode()}
        )
        plain.get_by_role("button", name="Put into the inbox").click()
        plain.wait_for_url("**/inbox?said=uploaded")
        plain.context.close()
        page, seen = opened(browser, server.url + "inbox", **LOOKS["desk, light"])
        files = page.evaluate_handle(
            "(text) => { const files = new DataTransfer(); files.items.add(new File([text], 'second.csv')); return files; }",
            PAIN.replace("left", "right"),
        )
        page.dispatch_event("form.drop", "drop", {"dataTransfer": files})
        page.locator("tr:has-text('second.csv'):has-text('taken in')").wait_for()
        shown = page.locator("section:has-text('What came in') tbody").inner_text()
        page.context.close()

    assert "first.csv" in shown
    assert seen.said == []
    with opened_published(home) as con:
        assert con.execute("select list(side order by side) from pain_reports").fetchall() == [
            (["left", "right"],)
        ]
