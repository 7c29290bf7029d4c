"""
Prefect's server in a process of its own, which ends when the one that started it does, however that ends.

It waits for the end of its standard input: a pipe whose other end closes even if its owner is killed.
"""

import base64
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from flows.environment import use_prefect_of
from flows.supervision import Part, Report, kept_running
from store.errors import KneewatchError
from store.home import Home

START_WITHIN_S = 120
STOP_WITHIN_S = 1.5
USUAL_PORT = 4200
MOST_LOG_BYTES = 5 * 2**20


@contextmanager
def running_server(home: Home, stop: threading.Event, report: Report) -> Iterator[str]:
    """
    Keep a Prefect server running whose database lies in the home, and yield its address; the one of PREFECT_API_URL if given.

    It may take a while to answer: see `wait_until_healthy`.
    """
    use_prefect_of(home)
    if given := os.environ.get("PREFECT_API_URL"):
        yield given.removesuffix("/api")
        return
    with ExitStack() as claims:
        port = _free_port(claims)
        url = f"http://127.0.0.1:{port}"
        os.environ["PREFECT_API_URL"] = f"{url}/api"
        part = Part("Prefect's server", partial(_run, home, port))
        try:
            with kept_running(part, stop, report, patience_s=STOP_WITHIN_S + 1):
                yield url
        finally:
            del os.environ["PREFECT_API_URL"]


def wait_until_healthy(url: str, stop: threading.Event) -> None:
    """
    Return when the server at this address answers, or when told to stop.

    Raises:
        KneewatchError: If it does not within two minutes.
    """
    deadline = time.monotonic() + START_WITHIN_S
    while not is_healthy(url) and not stop.wait(0.2):
        if time.monotonic() > deadline:
            raise KneewatchError(f"Prefect's server at {url} does not answer.")


def is_healthy(url: str) -> bool:
    """
    Tell whether a Prefect server answers at this address, and answers us.

    Who we are says PREFECT_API_AUTH_STRING, if it is set, and to Prefect Cloud PREFECT_API_KEY.
    """
    is_cloud = "/workspaces/" in url
    request = urllib.request.Request(f"{url}/health" if is_cloud else f"{url}/api/health")
    if is_cloud:
        request.add_header("Authorization", f"Bearer {os.environ.get('PREFECT_API_KEY', '')}")
    elif password := os.environ.get("PREFECT_API_AUTH_STRING"):
        # Its health a server tells everybody, that of another home at the same port as well.
        request = urllib.request.Request(f"{url}/api/admin/version")
        request.add_header("Authorization", f"Basic {base64.b64encode(password.encode()).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=2):
            return True
    except (OSError, ValueError):
        return False


def _run(home: Home, port: int, stop: threading.Event) -> None:
    url = f"http://127.0.0.1:{port}"
    its_own = {
        "PREFECT_SERVER_UI_API_URL": f"{url}/api",  # or its pages look for it at the port that it has by default
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": url,  # no page of another site may ask it anything
    }
    log = home.state / "prefect-server.log"
    with _opened(log) as output:
        server = subprocess.Popen(
            [sys.executable, "-m", __name__, str(port)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **its_own},
            start_new_session=True,  # Ctrl-C is for us: who uses the server ends before it
        )
    try:
        while server.poll() is None:
            if stop.wait(0.2):
                return
    finally:
        _end(server)
    raise KneewatchError(f"Prefect's server ended; {log} says why.")


@contextmanager
def _opened(log: Path) -> Iterator[int]:
    """Open the log to write at its end; one that has grown large makes room for a new one."""
    with suppress(FileNotFoundError):
        if log.stat().st_size > MOST_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:  # its database survives that
        server.kill()
        server.wait()
    if server.stdin:
        server.stdin.close()


def _free_port(claims: ExitStack) -> int:
    """Return the port that Prefect's pages usually have, or one that is free when somebody else has it or is about to."""
    for port in (USUAL_PORT, 0):
        with socket.socket() as probe, suppress(OSError):
            # Ours listens there in some seconds only. Until then who starts beside us sees by UDP's port of that number
            # that it is taken, which goes with this process and which the server does not need.
            claim = claims.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            claim.bind(("127.0.0.1", port))
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise KneewatchError("No port is free on 127.0.0.1.")


# In the process itself -----------------------------------------------------------------------------------


def main(port: int) -> None:
    """Serve until told to stop, or until the process that asked for it is gone."""
    threading.Thread(target=_end_with_who_asked, daemon=True).start()
    sys.argv = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    runpy.run_module("prefect", run_name="__main__")


def _end_with_who_asked() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(int(sys.argv[1]))
