"""The web pages as one application: pages, log-in, static files, and the guard around them."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

import duckdb
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from flows.steps import Clock, clock_of
from kneewatch.web import login, machines, static
from kneewatch.web.asked import Web, rendered
from kneewatch.web.pages import PAGES
from kneewatch.web.reading import Published
from kneewatch.web.security import FORM_BYTES, Guard, Keys, from_our_form, secret_of
from kneewatch.web.work import Work
from report.format import Units
from store.database import NotPublishedError
from store.errors import KneewatchError, WrongUseError
from store.home import Home
from store.lock import BusyError, holder
from store.rebuild import is_being_rebuilt
from store.settings import Settings, SettingsError

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def create_app(
    home: Home,
    *,
    token: str | None = None,
    allowed_hosts: Iterable[str],
    clock: Callable[[Settings], Clock] = clock_of,
) -> ASGIApp:
    """
    Return the application for one home.

    Args:
        home: Whose pages; its settings are read anew with each request.
        token: What a person must know to get in; None where nobody else can reach it.
        allowed_hosts: What may stand in the Host header, with the port: "127.0.0.1:8765".
        clock: The time, from the settings.
    """
    web = Web(
        home=home,
        published=Published(home),
        static=static.Static(home),
        clock=clock,
        work=Work(),
        pages=tuple((page.TITLE, page.ADDRESS) for page in PAGES),
    )

    @asynccontextmanager
    async def closing(_: FastAPI) -> AsyncIterator[None]:
        threading.Thread(target=web.static.prepare, name="chart library", daemon=True).start()
        yield
        web.published.close()

    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=closing,
        dependencies=[Depends(from_our_form)],
    )
    uploads = {path: most for page in PAGES for path, most in getattr(page, "BODY_LIMITS", {}).items()}
    app.state.web = web
    app.state.takes_files = frozenset(uploads)
    for part in (*PAGES, login, machines, static):
        app.include_router(part.router)
    app.add_exception_handler(KneewatchError, _told)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(duckdb.Error, _unreadable)
    return Guard(
        app,
        hosts=allowed_hosts,
        keys=Keys(secret_of(home.prepare()), token),
        body_limit=lambda path: uploads.get(path, FORM_BYTES),
    )


def _told(request: Request, error: Exception) -> HTMLResponse:
    """What a person can mend, in the words that the command line has for it."""
    if isinstance(error, WrongUseError) and not isinstance(error, SettingsError):
        return _message(request, 400, str(error))
    home: Home = request.app.state.web.home
    if isinstance(error, NotPublishedError):
        return _without_copy(request, home)
    if not isinstance(error, BusyError):
        return _message(request, 503, str(error), "Not now")
    if is_being_rebuilt(home):
        words = f"{error} What the database held is kept, and the pages show it meanwhile."
        return _message(request, 503, words, "The database is being made again")
    return _message(request, 503, str(error), "Kneewatch is busy")


def _without_copy(request: Request, home: Home) -> HTMLResponse:
    """There is nothing to read from: it is being made, or was lost, or there was never anything."""
    if who := holder(home):
        words = f"There is nothing to show yet: the database is in the hands of {who}. Look again when that is done."
        return _message(request, 503, words, "The database is being made")
    if home.store.exists():
        words = f"{home.published} is not there. It is a copy: nothing is lost, and it can be made again."
        return _message(request, 503, words, "The published copy is missing", compute="Make it again")
    return _message(
        request,
        200,
        "Nothing has been computed in this home yet. Drop exports into the inbox and run `kneewatch run`, "
        "or let `kneewatch serve` do it.",
        "Nothing yet",
        compute="Begin with what is there",
    )


def _refused(request: Request, error: Exception) -> HTMLResponse:
    assert isinstance(error, HTTPException)
    words = "There is no such page." if error.status_code == 404 else str(error.detail)
    return _message(request, error.status_code, words)


def _not_understood(request: Request, error: Exception) -> HTMLResponse:
    assert isinstance(error, RequestValidationError)
    names = ", ".join(sorted({str(one["loc"][-1]) for one in error.errors()}))
    return _message(request, 422, f"These could not be understood: {names}. Nothing was changed.")


def _unreadable(request: Request, error: Exception) -> HTMLResponse:
    return _message(
        request,
        503,
        "The published database cannot be read; `kneewatch doctor` says why and what to do.",
        compute="Make it again from the store" if request.app.state.web.home.store.exists() else "",
    )


def _message(
    request: Request, status_code: int, words: str, headline: str | None = None, *, compute: str = ""
) -> HTMLResponse:
    """Return a page of one message; `compute` is what the button for computing is called, where that helps."""
    return rendered(
        request,
        request.app.state.web,
        "message.html.j2",
        Units(),
        status_code=status_code,
        headline=headline or HTTPStatus(status_code).phrase,
        words=words,
        compute=compute,
    )
