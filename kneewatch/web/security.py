"""Who may ask for a page and who may change something: hosts, origins, the token, forms; and what the browser is told."""

from __future__ import annotations

import hmac
import re
import secrets
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import HTTPException, Request
from starlette.responses import PlainTextResponse, RedirectResponse

from kneewatch.web.uploads import first_field, parts_of
from store.files import write_whole
from store.home import Home

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
FORM_BYTES = 64 * 1024
"""The largest body of a form; a page that takes files says otherwise."""
LOGIN = "/login"
OPEN_TO_ALL = ("/static/", LOGIN)
VISIT, LOGGED_IN = "kneewatch_visit", "kneewatch_login"
LOGIN_LASTS_S = 30 * 24 * 3600
FORM_FIELD = "form_token"
VISIT_PATTERN = re.compile(r"[0-9a-f]{32}")
TOKEN_LETTERS = (
    "abcdefghijkmnpqrstuvwxyz23456789"  # none that is taken for another when it is typed on a phone
)
TOKEN_PARTS = 5

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    # Not no-referrer: with it a browser sends `Origin: null` with our own forms. Nothing goes to other origins either way.
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}


class TooLargeError(HTTPException):
    """More came than a form may hold."""

    def __init__(self) -> None:
        super().__init__(413, "That is more than may be sent here.")


@dataclass(frozen=True, slots=True)
class Keys:
    """
    What a browser is recognised by.

    Attributes:
        secret: Of this home; forms and log-ins are signed with it.
        token: What a person must know; None where only this machine can ask.
    """

    secret: bytes
    token: str | None = None

    def form_token(self, visit: str) -> str:
        """Return what a form of this visit must carry."""
        return self._signed(f"form {visit}")

    def login(self, now_s: float) -> str:
        """Return what the browser of somebody who knows the token is given."""
        until_s = int(now_s) + LOGIN_LASTS_S
        return f"{until_s}.{self._signed(f'login {self.token} {until_s}')}"

    def is_login(self, cookie: str, now_s: float) -> bool:
        """Tell whether this was given to somebody who knew the present token, not too long ago."""
        until_s, _, signature = cookie.partition(".")
        is_ours = _same(signature, self._signed(f"login {self.token} {until_s}"))
        return is_ours and now_s < int(until_s)

    def is_token(self, given: str) -> bool:
        """Tell whether this is the token, in a time that says nothing about it."""
        return self.token is not None and _same(given.strip(), self.token)

    def _signed(self, text: str) -> str:
        return hmac.new(self.secret, text.encode(), sha256).hexdigest()


class Guard:
    """
    The outermost layer: nothing behind it is asked by a wrong host, another site's page or somebody without the token.

    It decides by the raw headers alone, adds what the browser must hold to, and lets no traceback out.
    """

    def __init__(
        self, app: ASGIApp, *, hosts: Iterable[str], keys: Keys, body_limit: Callable[[str], int]
    ) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(
            f"{scheme}://{host}" for host in self._hosts for scheme in ("http", "https")
        )
        self._keys = keys
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on to the pages."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cookies, is_bearer = _cookies(scope), self._is_bearer(scope)
        visit = cookies.get(VISIT, "")
        added = dict(HEADERS)
        if not VISIT_PATTERN.fullmatch(visit):
            visit = secrets.token_hex(16)
            added[b"set-cookie"] = cookie(VISIT, visit).encode()
        scope.setdefault("state", {}).update(
            keys=self._keys, form_token=self._keys.form_token(visit), is_bearer=is_bearer
        )
        answer = self._refusal(scope) or self._ask_for_token(scope, cookies, is_bearer)
        sending = _Sending(send, added)
        try:
            await (answer or self._app)(scope, _limited(receive, self._body_limit(scope["path"])), sending)
        except Exception as error:  # noqa: BLE001 - what it holds may be private: neither client nor log gets it
            _tell(error)
            if not sending.has_begun:
                await PlainTextResponse("Something went wrong here.", 500)(scope, receive, sending)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        """Return why this is refused whoever asks: host, verb, origin or size; None if it is not."""
        if _only(scope, b"host") not in self._hosts:
            return PlainTextResponse("This is not reached under that name.", 421)
        if scope["method"] in ("GET", "HEAD"):
            return None
        if scope["method"] != "POST":
            return PlainTextResponse("Only GET and POST are answered.", 405, {"allow": "GET, POST"})
        origins, sites = _all(scope, b"origin"), _all(scope, b"sec-fetch-site")
        if any(origin not in self._origins for origin in origins) or any(
            site != "same-origin" for site in sites
        ):
            return PlainTextResponse("Changes are made from Kneewatch's own pages only.", 403)
        length = _only(scope, b"content-length") or "0"
        if not length.isdecimal() or int(length) > self._body_limit(scope["path"]):
            return PlainTextResponse(TooLargeError().detail, 413)
        return None

    def _ask_for_token(
        self, scope: Scope, cookies: dict[str, str], is_bearer: bool
    ) -> PlainTextResponse | RedirectResponse | None:
        """Return where somebody without the token is sent; None for who may pass."""
        may_pass = self._keys.token is None or is_bearer or scope["path"].startswith(OPEN_TO_ALL)
        if may_pass or self._keys.is_login(cookies.get(LOGGED_IN, ""), time.time()):
            return None
        if scope["method"] == "POST" or _all(scope, b"authorization"):
            return PlainTextResponse("This needs the token.", 401, {"www-authenticate": "Bearer"})
        return RedirectResponse(LOGIN, 303)

    def _is_bearer(self, scope: Scope) -> bool:
        kind, _, given = (_only(scope, b"authorization") or "").partition(" ")
        return kind.lower() == "bearer" and self._keys.is_token(given)


class _Sending:
    """Sends on, with the headers added that the answer does not have itself."""

    def __init__(self, send: Send, added: dict[bytes, bytes]) -> None:
        self._send = send
        self._added = added
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            given = {name for name, _ in message["headers"] if name != b"set-cookie"}
            missing = [(name, value) for name, value in self._added.items() if name not in given]
            message = {**message, "headers": [*message["headers"], *missing]}
        await self._send(message)


async def from_our_form(request: Request) -> None:
    """
    Let a change through only with the token of a form that this browser was given; every route depends on it.

    Who sends the access token in a header needs none: no other site's page can do that.

    Raises:
        HTTPException: If it is missing or wrong.
    """
    takes_files = request.url.path in request.app.state.takes_files
    if takes_files:
        request.state.parts = parts_of(request)
    if request.method != "POST" or request.state.is_bearer:
        return
    # Of a form with files only the first field is read here: they are not received before it is known whose they are.
    given = (
        await first_field(request.state.parts, FORM_FIELD)
        if takes_files
        else (await request.form()).get(FORM_FIELD)
    )
    if not isinstance(given, str) or not _same(given, request.state.form_token):
        raise HTTPException(
            403, "This form is too old or not ours: load the page again. Nothing was changed."
        )


def cookie(name: str, value: str, *, max_age_s: int | None = None) -> str:
    """Return a Set-Cookie header: out of reach for scripts and for other sites' pages."""
    age = "" if max_age_s is None else f"; Max-Age={max_age_s}"
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Strict{age}"


def secret_of(home: Home) -> bytes:
    """Return the secret that forms and log-ins of this home are signed with, made when there is none."""
    file = _folder(home) / "secret"
    if not file.exists():
        _write_private(file, secrets.token_bytes(32))
    return file.read_bytes()


def token_file(home: Home) -> Path:
    """Return where the access token of this home lies."""
    return _folder(home) / "token"


def read_token(home: Home) -> str | None:
    """Return the access token; None if none was made."""
    file = token_file(home)
    return file.read_text().strip() or None if file.exists() else None


def new_token(home: Home) -> Path:
    """Make a new access token, which logs everybody out, and return the file in which it lies."""
    letters = [secrets.choice(TOKEN_LETTERS) for _ in range(5 * TOKEN_PARTS)]
    parts = ("".join(letters[start : start + 5]) for start in range(0, len(letters), 5))
    _write_private(token_file(home), "-".join(parts).encode())
    return token_file(home)


def _folder(home: Home) -> Path:
    return home.state / "web"


def _write_private(file: Path, content: bytes) -> None:
    write_whole(file, content)
    file.chmod(0o600)


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogatepass"), wanted.encode())


def _all(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").lower() for key, value in scope["headers"] if key == name]


def _only(scope: Scope, name: bytes) -> str | None:
    """Return the header as it was sent, if it was sent exactly once; hosts in lower case."""
    values = [str(value, "latin-1") for key, value in scope["headers"] if key == name]
    if len(values) != 1:
        return None
    return values[0].lower() if name == b"host" else values[0]


def _cookies(scope: Scope) -> dict[str, str]:
    jar = SimpleCookie()
    try:
        for value in (value for key, value in scope["headers"] if key == b"cookie"):
            jar.load(value.decode("latin-1"))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def _limited(receive: Receive, most_bytes: int) -> Receive:
    """Count what comes: a body may be longer than was said, or sent without saying."""
    came_bytes = 0

    async def counted() -> Message:
        nonlocal came_bytes
        message = await receive()
        came_bytes += len(message.get("body", b""))
        if came_bytes > most_bytes:
            raise TooLargeError
        return message

    return counted


def _tell(error: Exception) -> None:
    """Say on stderr what kind of error it was and where; its text may hold names or notes."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    print(
        f"kneewatch web: {type(error).__name__} in {place.name}, line {place.lineno} of {place.filename}",
        file=sys.stderr,
    )
