"""A `kneewatch serve` as a process, and how tests look at it: its home, what it said, its Prefect server."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from flows.environment import password_file
from flows.prefect_server import is_healthy
from store.database import opened_published
from store.home import Home

KNEEWATCH = Path(sys.executable).with_name("kneewatch")
PATIENCE_S = 240
NEVER = "0 0 29 2 *"

Found = TypeVar("Found")


class Serving(NamedTuple):
    """A running `kneewatch serve` and its home."""

    process: subprocess.Popen[bytes]
    home: Home

    def said(self) -> str:
        return (self.home.state / "serve.log").read_text()

    def url(self) -> str:
        return within_patience(lambda: re.search(r"http://127\.0\.0\.1:\d+", self.said()))[0]

    def prefects_server(self) -> int:
        """Return the process of Prefect's server."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        children = [int(pid) for file in tasks.glob("*/children") for pid in file.read_text().split()]
        (found,) = [
            pid for pid in children if b"flows.prefect_server" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        return found

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)


def serve(home: Home, *, prefects_api: str | None = None, **schedules: str) -> Serving:
    """Serve a home; by a Prefect server elsewhere if one is given."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "KNEEWATCH_"))
    }
    if prefects_api:
        environment["PREFECT_API_URL"] = prefects_api
    environment["KNEEWATCH_LIMITS__MAX_READ_S"] = "120"  # a machine that runs tests is busy
    environment["KNEEWATCH_WEB__PORT"] = "0"  # several are served at a time
    for flow in ("intake", "review", "daily", "remind"):
        environment[f"KNEEWATCH_SCHEDULES__{flow.upper()}"] = schedules.get(flow, NEVER)
    command = [KNEEWATCH, "serve", "--home", home.root]
    with (home.state / "serve.log").open("w") as log:
        return Serving(subprocess.Popen(command, env=environment, stdout=log, stderr=log), home)


def within_patience(look: Callable[[], Found | None]) -> Found:
    """Return what is found when it is something."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.2)
    return found


def rows(home: Home, question: str) -> list[tuple[object, ...]]:
    if not home.published.exists():
        return []
    with opened_published(home) as con:
        return con.execute(question).fetchall()


def drop(home: Home, export: Path) -> None:
    """Drop a file, and wait until it has been taken in and has left the inbox."""
    shutil.copy(export, home.inbox)
    question = f"select outcome from exports where file_name = '{export.name}'"
    assert within_patience(lambda: rows(home, question)) == [("ingested",)]
    assert within_patience(lambda: not any(home.inbox.iterdir()))


def flow_runs(serving: Serving) -> list[dict[str, object]]:
    """Return Prefect's flow runs, the last one first, as soon as its server answers."""
    url = serving.url()
    within_patience(lambda: is_healthy(url))
    request = urllib.request.Request(
        f"{url}/api/flow_runs/filter",
        data=json.dumps({"sort": "EXPECTED_START_TIME_DESC"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    if (password := password_file(serving.home)).exists():
        request.add_header("Authorization", f"Basic {base64.b64encode(password.read_bytes()).decode()}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: list[dict[str, object]] = json.load(answer)
    return [run for run in found if run["state_type"] != "SCHEDULED"]
