"""Whose Prefect server answers, and at which port; the server itself is in test_serve.py."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from flows.prefect_server import _free_port, is_healthy

OURS = "Basic a25lZXdhdGNoOm91cnM="  # kneewatch:ours
WORKSPACE = "/api/accounts/1/workspaces/2"


class Server(BaseHTTPRequestHandler):
    """As Prefect's: its health it tells everybody, anything else only who has the password; as its cloud for a workspace."""

    def do_GET(self) -> None:
        known = "Bearer ours" if self.path.startswith(WORKSPACE) else OURS
        is_let_in = self.path == "/api/health" or self.headers["Authorization"] == known
        self.send_response(200 if is_let_in else 401)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(("password", "expected"), [("kneewatch:ours", True), ("kneewatch:theirs", False)])
def test_the_server_of_another_home_is_not_ours(
    url: str, password: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a home whose port somebody else has would wait for that server to let it in."""
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", password)

    assert is_healthy(url) is expected


def test_where_no_password_is_known_health_says_enough(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So for a server of the runner's own."""
    monkeypatch.delenv("PREFECT_API_AUTH_STRING", raising=False)

    assert is_healthy(url)


@pytest.mark.parametrize(("key", "expected"), [("ours", True), ("theirs", False)])
def test_a_workspace_of_prefects_cloud_is_asked_with_the_key(
    url: str, key: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its address ends with the workspace; a home that took it for down would do without Prefect for ever."""
    monkeypatch.setenv("PREFECT_API_KEY", key)
    monkeypatch.delenv("PREFECT_API_AUTH_STRING", raising=False)

    assert is_healthy(url + WORKSPACE) is expected


def test_two_that_start_at_once_do_not_take_the_same_port() -> None:
    """Though neither listens yet: a server takes seconds to load."""
    with ExitStack() as first, ExitStack() as second:
        ports = {_free_port(first), _free_port(second)}

    assert len(ports) == 2
