"""What a request is about: whose data, which day, which words; and how a page is made of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from flows.refresh import names_of
from flows.steps import Clock, published_day
from kneewatch.options import athlete_of
from kneewatch.web.reading import Published, Reading
from kneewatch.web.security import FORM_FIELD
from kneewatch.web.static import Static
from kneewatch.web.work import Work
from report.format import Units, use_locale
from report.page import environment
from store.home import Home
from store.rebuild import is_being_rebuilt
from store.settings import PREFIX, Settings, read_settings

STALE_AFTER = timedelta(days=1)
PATIENCE_S = 5.0
"""How long a change waits for its turn before the page says that Kneewatch is busy."""
FIELD = Markup('<input type="hidden" name="{}" value="{}">')
SAID = {
    "pain": "Noted. Thank you.",
    "acknowledged": "Acknowledged: seen, no longer open.",
    "computed": "Everything was computed anew.",
    "exclude": "Left out of all sums.",
    "include": "It counts again.",
    "correct": "Its distance is corrected; pace, efforts and weeks follow.",
    "recorded": "It has its recorded distance again.",
    "split": "Two sessions from now on; both count.",
    "join": "Joined: they count as one run.",
    "apart": "It stands for itself again.",
    "uploaded": "In the inbox. What becomes of it stands below as soon as it is taken in.",
    "nothing_uploaded": "No file was chosen.",
    "delivered": "The channel took the test message.",
    "retried": "They are put before the readers again; what becomes of them stands below.",
    "plan": "The plan is changed; what it does to the knee stands below, and a button takes it back.",
    "undone": "Undone.",
    "nothing_to_undo": "There was nothing to undo.",
    "adjusted": "The plan is adjusted; a button takes it back.",
    "nothing_to_adjust": "By what is known now there is nothing to adjust.",
}
"""What a page says after a change; the address holds the key and never a text."""


@dataclass(frozen=True)
class Web:
    """
    What all requests share.

    Attributes:
        home: Whose pages these are.
        published: Its published copy, to read from.
        static: Style, script and chart library.
        clock: The time; of the default athlete, as for the flows.
        work: What is done beside the pages.
        pages: (title, address) of the pages in the navigation.
    """

    home: Home
    published: Published
    static: Static
    clock: Callable[[Settings], Clock]
    work: Work
    pages: tuple[tuple[str, str], ...] = field(default=())


@dataclass(frozen=True)
class Asked:
    """
    A request for the page of one athlete.

    Attributes:
        request: The request itself.
        web: What all requests share.
        settings: The settings as they are now.
        clock: The time as it is now.
        athlete: Key of the athlete; one of those in the settings.
    """

    request: Request
    web: Web
    settings: Settings
    clock: Clock
    athlete: str

    @property
    def home(self) -> Home:
        """The home."""
        return self.web.home

    @property
    def units(self) -> Units:
        """Kilometres or miles."""
        return Units(self.settings.units)

    @property
    def writing(self) -> tuple[str, str]:
        """How numbers and days are written, in the key of whatever is kept with some in it."""
        return self.settings.units, self.settings.locale

    def today(self, reading: Reading) -> date:
        """Return the day that is shown: the present one, or a later one that was computed ahead."""
        return max(self.clock.today, self.computed_for(reading))

    def computed_for(self, reading: Reading) -> date:
        """Return the day that the published copy was computed for."""
        return reading.kept("computed for", lambda: published_day(reading.con, self.settings))

    def address(self, path: str, **query: str) -> str:
        """Return the address of a page for this athlete; the default one is not named."""
        named = {} if self.athlete == self.settings.default_athlete else {"athlete": self.athlete}
        asked = "&".join(f"{name}={value}" for name, value in (named | query).items())
        return f"{path}?{asked}" if asked else path

    def page(
        self, reading: Reading, template: str, *, status_code: int = 200, **values: object
    ) -> HTMLResponse:
        """Return a page made of its template, which extends base.html.j2, and the values it needs."""
        computed_for = self.computed_for(reading)
        names = names_of(list(self.settings.athletes), self.settings)
        about = {
            "day": self.today(reading),
            "computed_for": computed_for,
            "is_rebuilding": is_being_rebuilt(self.home),
            "is_stale": self.clock.today - computed_for > STALE_AFTER,
            "athlete_names": names if len(names) > 1 else {},
            "athlete_name": names[self.athlete],
            "said": SAID.get(self.request.query_params.get("said", "")),
        }
        return self.plain_page(template, status_code=status_code, **about, **values)

    def plain_page(self, template: str, *, status_code: int = 200, **values: object) -> HTMLResponse:
        """Return a page that needs nothing from the database."""
        values = {"asked": self, **values}
        return rendered(self.request, self.web, template, self.units, status_code=status_code, **values)

    def back_to(self, path: str, *, said: str) -> RedirectResponse:
        """Return the way back to a page after a change, so that loading it again changes nothing."""
        return RedirectResponse(self.address(path, said=said), 303)


def _settings_now(home: Home) -> Settings:
    """Read the settings again when something of them has changed: with hundreds of athletes that costs more than a page."""
    try:
        found = home.settings_file.stat()
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
    except FileNotFoundError:
        stamp = None
    variables = sorted(one for one in os.environ.items() if one[0].upper().startswith(PREFIX))
    return _settings_of(home, stamp, tuple(variables))


@lru_cache(maxsize=1)
def _settings_of(home: Home, *_of: object) -> Settings:
    return read_settings(home)


async def asked_of(request: Request, athlete: Annotated[str | None, Query(max_length=40)] = None) -> Asked:
    """
    Return what a request is about; `?athlete=` must name one of the settings.

    What answers it is written as the settings say. Not in a thread: the locale would be that thread's and not the answer's.
    """
    web: Web = request.app.state.web
    settings = await run_in_threadpool(_settings_now, web.home)
    use_locale(settings.locale)
    return Asked(request, web, settings, web.clock(settings), athlete_of(settings, athlete))


AskedFor = Annotated[Asked, Depends(asked_of)]
"""The parameter by which a page gets what it was asked for."""


def rendered(
    request: Request, web: Web, template: str, units: Units, *, status_code: int = 200, **values: object
) -> HTMLResponse:
    """Return a rendered template with what every page has."""
    shared: Mapping[str, Any] = {
        "form_field": lambda: FIELD.format(FORM_FIELD, request.state.form_token),
        "path": request.url.path,
        "static": web.static,
        "pages": web.pages,
        "units": units,
        "version": _version(),
        "asked": None,
    }
    text = _environment(units).get_template(template).render({**shared, **values})
    return HTMLResponse(text, status_code)


@cache
def _environment(units: Units) -> Environment:
    return environment(units, PackageLoader("kneewatch.web", "templates"))


@cache
def _version() -> str:
    return version("kneewatch")
