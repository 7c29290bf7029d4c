"""The page on which somebody elsewhere gives the token; the browser gets a cookie in its place."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from kneewatch.web.asked import rendered
from kneewatch.web.security import LOGGED_IN, LOGIN, LOGIN_LASTS_S, Keys, cookie
from report.format import Units

router = APIRouter()


@router.get(LOGIN)
def ask(request: Request) -> Response:
    """Ask for the token."""
    return _page(request, 200)


@router.post(LOGIN)
def log_in(request: Request, token: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Let in who knows the token."""
    keys: Keys = request.state.keys
    if not keys.is_token(token):
        return _page(request, 401)
    response = RedirectResponse("/", 303)
    response.headers.append("set-cookie", cookie(LOGGED_IN, keys.login(time.time()), max_age_s=LOGIN_LASTS_S))
    return response


def _page(request: Request, status_code: int) -> Response:
    is_wrong = status_code != 200
    return rendered(
        request, request.app.state.web, "login.html.j2", Units(), status_code=status_code, is_wrong=is_wrong
    )
