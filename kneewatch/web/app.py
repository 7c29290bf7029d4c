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
from store.lock import BusyError
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
    if isinstance(error, NotPublishedError):
        return _message(
            request, 200, "Nothing has been computed in this home yet.", "Nothing yet", is_new=True
        )
    headline = "Kneewatch is busy" if isinstance(error, BusyError) else "Not now"
    return _message(request, 503, str(error), headline)


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
        request, 503, "The published database cannot be read; `kneewatch doctor` says why and what to do."
    )


def _message(
    request: Request, status_code: int, words: str, headline: str | None = None, *, is_new: bool = False
) -> HTMLResponse:
    return rendered(
        request,
        request.app.state.web,
        "message.html.j2",
        Units(),
        status_code=status_code,
        headline=headline or HTTPStatus(status_code).phrase,
        words=words,
        is_new=is_new,
    )
