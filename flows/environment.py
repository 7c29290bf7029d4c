"""What Prefect has to be told before it is imported: where its database lies, and to keep to itself."""

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.errors import KneewatchError
from store.files import write_whole
from store.home import Home

START_WITHIN_S = 120
STOP_WITHIN_S = 20

SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_V2_ENABLED": "false",  # the new one calls an outside host even with analytics off
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # 20 s are too few on a busy machine
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_TASKS_RUNNER_THREAD_POOL_MAX_WORKERS": "4",
    "PREFECT_RUNNER_POLL_FREQUENCY": "2",
    "PREFECT_LOGGING_LEVEL": "WARNING",
}


def use_prefect_of(home: Home) -> None:
    """
    Keep Prefect's database in the home and its telemetry off; to be called before Prefect is imported.

    What the environment says already stays, PREFECT_API_URL of a server elsewhere in particular. A server of our own
    answers nobody without the password of this home.
    """
    home.prefect.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ["PREFECT_HOME"] = str(home.prefect)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    if "PREFECT_API_URL" not in os.environ:
        for name in ("PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"):
            os.environ.setdefault(name, _password_of(home))


def password_file(home: Home) -> Path:
    """Return where the password of this home's Prefect server lies."""
    return home.prefect / "password"


def _password_of(home: Home) -> str:
    file = password_file(home)
    if not file.exists():
        write_whole(file, f"kneewatch:{secrets.token_urlsafe(18)}".encode())
    return file.read_text()


@contextmanager
def running_server(home: Home) -> Iterator[str]:
    """
    Yield the address of a Prefect server whose database lies in the home; the one of PREFECT_API_URL if given.

    Raises:
        KneewatchError: If it does not come up.
    """
    use_prefect_of(home)
    if url := os.environ.get("PREFECT_API_URL"):
        yield url.removesuffix("/api")
        return
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    its_own = {
        "PREFECT_SERVER_UI_API_URL": f"{url}/api",  # or its pages look for it at the port that it has by default
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": url,  # no page of another site may ask it anything
    }
    log = home.state / "prefect-server.log"
    with log.open("ab") as output:
        server = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **its_own}
        )
    os.environ["PREFECT_API_URL"] = f"{url}/api"
    try:
        _wait_until_healthy(server, f"{url}/api/health", log)
        yield url
    finally:
        del os.environ["PREFECT_API_URL"]
        server.terminate()
        server.wait(STOP_WITHIN_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise KneewatchError(f"Prefect's server did not come up; {log} says why.")
