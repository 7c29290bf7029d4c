"""The web pages on a port: a server that starts, says where it is, and stops when it is told to."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn

from flows.steps import Clock, clock_of
from kneewatch.web.app import create_app
from kneewatch.web.security import LOOPBACK, read_token
from store.errors import KneewatchError, WrongUseError
from store.home import Home
from store.settings import Settings

WILDCARDS = ("0.0.0.0", "::")
STOP_WITHIN_S = 5


@dataclass(frozen=True)
class WebServer:
    """
    A server that has its port already and answers as soon as `run` is called, in whichever thread.

    Attributes:
        url: Where it is reached.
    """

    url: str
    _server: uvicorn.Server
    _socket: socket.socket

    def run(self) -> None:
        """Serve until `stop` is called; in the main thread also until SIGINT or SIGTERM comes."""
        with self._socket:
            self._server.run(sockets=[self._socket])

    def close(self) -> None:
        """Give the port back without having served."""
        self._socket.close()

    def stop(self) -> None:
        """Let `run` come to its end: what is being answered is answered, within a few seconds."""
        self._server.should_exit = True


def web_server(
    home: Home,
    settings: Settings,
    *,
    host: str | None = None,
    port: int | None = None,
    clock: Callable[[Settings], Clock] = clock_of,
) -> WebServer:
    """
    Return a server of the pages, on the settings' host and port unless others are given; port 0 is any that is free.

    Raises:
        WrongUseError: If others could reach it and there is no token, or it has no name to be reached by.
        KneewatchError: If the port cannot be had.
    """
    host = host or settings.web.host
    is_alone = _is_loopback(host)
    token = None if is_alone else read_token(home)
    if not is_alone and token is None:
        raise WrongUseError(
            f"Others can reach {host}, so the pages need a token: `kneewatch web --new-token` makes one."
        )
    if host in WILDCARDS and not settings.web.names:
        raise WrongUseError(
            f"{host} is every address and no name: give the one under which a browser reaches this machine, "
            "or list names in [web] of kneewatch.toml."
        )
    listener = _listening(host, settings.web.port if port is None else port)
    chosen = listener.getsockname()[1]
    names = [*(LOOPBACK if is_alone else [_in_url(host)]), *map(_in_url, settings.web.names)]
    app = create_app(home, token=token, allowed_hosts=[f"{name}:{chosen}" for name in names], clock=clock)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # addresses name athletes
        proxy_headers=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )
    shown = settings.web.names[0] if host in WILDCARDS else host
    return WebServer(f"http://{_in_url(shown)}:{chosen}/", uvicorn.Server(config), listener)


def serve_in_thread(server: WebServer) -> threading.Thread:
    """Run the server beside whatever else this process does; `server.stop()` ends the thread."""
    thread = threading.Thread(target=server.run, name="web", daemon=True)
    thread.start()
    return thread


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise KneewatchError(
            f"{host}, port {port}, cannot be had: {error.strerror}. Another one: kneewatch web --port N."
        ) from error


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
