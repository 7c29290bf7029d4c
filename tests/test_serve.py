"""Schedules for real: Prefect's server starts with what is locked, creates a scheduled run, and the run happens."""

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
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from flows.environment import password_file
from store.database import opened_published
from store.home import Home

ROOT = Path(__file__).parent.parent
PATIENCE_S = 240
NEVER = "0 0 29 2 *"

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]


def test_schedules_run_and_drops_are_noticed(home: Home) -> None:
    """`kneewatch serve` reviews each minute; a file that is dropped is taken in at once, as no schedule would."""
    export = sorted((ROOT / "sample_data" / "inbox").glob("*.fit"))[0]
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "KNEEWATCH_"))},
        "KNEEWATCH_HOME": str(home.root),
        "KNEEWATCH_SCHEDULES__INTAKE": NEVER,
        "KNEEWATCH_SCHEDULES__DAILY": NEVER,
        "KNEEWATCH_SCHEDULES__REVIEW": "* * * * *",
    }
    with (home.state / "serve.log").open("w") as log:
        serving = subprocess.Popen(
            [Path(sys.executable).with_name("kneewatch"), "serve"], env=environment, stdout=log, stderr=log
        )
    try:
        reviews = _rows_within(home, "select outcome from flow_log where step = 'refresh'")
        answers, pages_ask = _answers(home)
        shutil.copy(export, home.inbox)
        rows = _rows_within(home, "select file_name, outcome, activities from exports")
    finally:
        serving.send_signal(signal.SIGTERM)
        serving.wait(30)

    said = (home.state / "serve.log").read_text()
    assert ("ok",) in reviews, said
    assert answers == (401, 200)
    assert pages_ask
    assert [(export.name, "ingested", 1)] == rows, said
    assert list(home.inbox.iterdir()) == []


def _answers(home: Home) -> tuple[tuple[int, int], bool]:
    """
    Return what Prefect's server says to who asks for flow runs without its password, and with it.

    And whether its pages ask the right server.
    """
    said = (home.state / "serve.log").read_text()
    found = re.search(r"http://127\.0\.0\.1:\d+", said)
    assert found, said
    url = found[0]
    request = f"{url}/api/flow_runs/filter"
    password = base64.b64encode(password_file(home).read_bytes()).decode()
    answers = _status_of(request, {}), _status_of(request, {"Authorization": f"Basic {password}"})
    with urllib.request.urlopen(f"{url}/ui-settings", timeout=30) as settings:
        return answers, json.load(settings)["api_url"] == f"{url}/api"


def _status_of(url: str, headers: dict[str, str]) -> int:
    request = urllib.request.Request(url, data=b"{}", headers={"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def _rows_within(home: Home, question: str) -> list[tuple[object, ...]]:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if home.published.exists():
            with opened_published(home) as con:
                rows = con.execute(question).fetchall()
            if rows:
                return rows
        time.sleep(1)
    return []
