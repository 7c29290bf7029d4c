"""`kneewatch serve` for real: schedules, drops with and without Prefect's server, crashes, and how it ends."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.environment import password_file
from flows.prefect_server import is_healthy
from store import home as homes
from store.home import Home
from store.lock import server, writing
from tests.serving import KNEEWATCH, PATIENCE_S, Serving, drop, flow_runs, rows, serve, within_patience

ROOT = Path(__file__).parent.parent
EXPORTS = sorted((ROOT / "sample_data" / "inbox").glob("*.fit"))

pytestmark = [pytest.mark.serve, pytest.mark.prefect, pytest.mark.xdist_group("prefect")]


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One that reviews each minute and else waits for drops; a file was dropped before it began."""
    if not Path("/proc/self/task").exists():
        pytest.skip("Processes are looked up in /proc.")
    home = homes.at(tmp_path_factory.mktemp("serving") / "home").prepare()
    shutil.copy(EXPORTS[0], home.inbox)
    serving = serve(home, review="* * * * *")
    yield serving
    serving.process.kill()
    serving.process.wait()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[str]:
    """Yield the address of a Prefect server that is not ours."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    environment |= {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_HOME": str(tmp_path / "own")}
    server = subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    within_patience(lambda: is_healthy(url))
    yield url
    server.terminate()
    server.wait(PATIENCE_S)


def test_what_was_dropped_before_it_began_is_taken_in(serving: Serving) -> None:
    """It does not wait for Prefect's server, let alone for a schedule."""
    found = within_patience(lambda: rows(serving.home, "select file_name, outcome, activities from exports"))

    assert found == [(EXPORTS[0].name, "ingested", 1)]


def test_prefects_server_answers_with_the_password_only(serving: Serving) -> None:
    """And its pages ask the right server."""
    url = serving.url()
    within_patience(lambda: is_healthy(url))
    password = base64.b64encode(password_file(serving.home).read_bytes()).decode()

    assert _status(f"{url}/api/flow_runs/filter", {}) == 401
    assert _status(f"{url}/api/flow_runs/filter", {"Authorization": f"Basic {password}"}) == 200
    with urllib.request.urlopen(f"{url}/ui-settings", timeout=30) as settings:
        assert json.load(settings)["api_url"] == f"{url}/api"


def test_a_drop_is_taken_in_and_reviewed_by_a_flow_run_with_a_name(serving: Serving) -> None:
    """At once, as no schedule would; Prefect's list says how many files it was about."""
    url = serving.url()
    within_patience(lambda: is_healthy(url))

    drop(serving.home, EXPORTS[1])

    named = within_patience(lambda: [run for run in flow_runs(serving) if run["name"] == "intake-1-file"])
    assert within_patience(lambda: flow_runs(serving)[0]["state_type"] == "COMPLETED" or None)
    assert named[0]["parameters"]["home"] == str(serving.home.root)
    assert rows(serving.home, "select count(*) from runs join run_metrics using (activity_id)") == [(2,)]


def test_schedules_run(serving: Serving) -> None:
    """A review each minute, in a process of its own."""
    scheduled = within_patience(
        lambda: [
            run
            for run in flow_runs(serving)
            if run["deployment_id"] and run["state_type"] == "COMPLETED" and run["name"].startswith("review-")
        ]
    )

    assert {"kneewatch", "alerts"} <= set(scheduled[0]["tags"])


def test_the_pages_are_served_beside_it(serving: Serving) -> None:
    """On a port of their own, with the answer that whoever watches over it asks for."""
    pages = within_patience(lambda: re.search(r"Pages: (http://127\.0\.0\.1:\d+/)", serving.said()))[1]

    with urllib.request.urlopen(f"{pages}metrics", timeout=30) as answer:
        told = answer.read().decode()

    assert 'kneewatch_exports{outcome="ingested"}' in told


def test_one_home_is_served_once(serving: Serving) -> None:
    """Who comes second is told by whom."""
    second = subprocess.run(
        [KNEEWATCH, "serve", "--home", serving.home.root],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )

    assert second.returncode == 1
    assert f"is served already, by process {serving.process.pid}." in second.stderr


def test_prefects_server_comes_again_after_a_crash_and_drops_do_not_wait_for_it(serving: Serving) -> None:
    """That is said on stderr and kept in flow_log."""
    crashed = serving.prefects_server()

    os.kill(crashed, signal.SIGKILL)
    drop(serving.home, EXPORTS[2])

    assert within_patience(
        lambda: rows(serving.home, "select 1 from flow_log where step = 'restart Prefect''s server'")
    )
    within_patience(lambda: is_healthy(serving.url()))
    assert serving.prefects_server() != crashed
    assert "kneewatch: Prefect's server stopped (KneewatchError: Prefect's server ended" in serving.said()


def test_it_ends_clean(serving: Serving) -> None:
    """Told by SIGTERM, with exit code 0, without a traceback and without leaving Prefect's server behind."""
    url = serving.url()
    within_patience(lambda: is_healthy(url))
    before = serving.said()

    code = serving.end(signal.SIGTERM)

    assert code == 0, serving.said()
    assert serving.said().removeprefix(before) == ""
    assert not is_healthy(url)
    assert server(serving.home) is None


def test_a_prefect_server_of_ones_own_is_used_and_left_running(home: Home, own_server: str) -> None:
    """It is told all that one of ours would be; nobody is sent to a password that it does not know."""
    serving = serve(home, prefects_api=f"{own_server}/api")
    within_patience(lambda: {run["state_type"] for run in flow_runs(serving)} == {"COMPLETED"})  # a start's

    drop(home, EXPORTS[0])

    names = within_patience(
        lambda: (found := {run["name"] for run in flow_runs(serving)}) and "intake-1-file" in found and found
    )
    assert any(name.startswith("daily-") for name in names)
    assert serving.end(signal.SIGTERM) == 0
    assert is_healthy(own_server)
    assert f"Prefect's server: {own_server}/api" in serving.said()
    assert "password" not in serving.said()


def test_ctrl_c_while_it_starts_ends_it_clean(home: Home) -> None:
    """Prefect's server is not there yet; nothing waits for it."""
    serving = serve(home)
    serving.url()

    code = serving.end(signal.SIGINT)

    assert code == 0, serving.said()
    assert "Traceback" not in serving.said()


def test_prefects_server_ends_with_whoever_started_it(home: Home) -> None:
    """Also when that one is killed; what is dropped is taken in by the next."""
    serving = serve(home)
    serving.url()
    left_behind = within_patience(serving.prefects_server)

    serving.end(signal.SIGKILL)
    within_patience(lambda: not Path(f"/proc/{left_behind}").exists())
    shutil.copy(EXPORTS[0], home.inbox)
    again = serve(home)

    assert within_patience(lambda: rows(home, "select outcome from exports")) == [("ingested",)]
    assert again.end(signal.SIGTERM) == 0


def test_a_run_that_a_kill_cut_off_is_known_as_crashed(home: Home) -> None:
    """From the next start on; until then Prefect believes that it runs. What it was about is done then."""
    serving = serve(home)
    within_patience(lambda: is_healthy(serving.url()) and rows(home, "from flow_log where step = 'publish'"))
    with writing(home, "a test"):  # which the flow waits for
        shutil.copy(EXPORTS[0], home.inbox)
        [cut] = within_patience(lambda: [run for run in flow_runs(serving) if run["state_type"] == "RUNNING"])
        serving.end(signal.SIGKILL)
    again = serve(home)

    states = within_patience(
        lambda: [
            run["state_type"]
            for run in flow_runs(again)
            if run["id"] == cut["id"] and run["state_type"] != "RUNNING"
        ]
    )

    assert states == ["CRASHED"]
    assert within_patience(lambda: rows(home, "select outcome from exports")) == [("ingested",)]
    assert again.end(signal.SIGTERM) == 0


def _status(url: str, headers: dict[str, str]) -> int:
    request = urllib.request.Request(url, data=b"{}", headers={"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
