"""The container's files: what they name is there, and what they promise stands in them; no engine is needed."""

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from kneewatch.cli import app
from kneewatch.web.security import new_token
from kneewatch.web.serving import serve_in_thread, web_server
from store.home import Home
from store.settings import Web, read_settings

ROOT = Path(__file__).parent.parent
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, each with its words in one line."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines if line.strip()]


@pytest.fixture(scope="module")
def service() -> dict[str, object]:
    """The one service of compose.yaml."""
    found: dict[str, object] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["kneewatch"]
    return found


def of_the_image(instructions: list[tuple[str, str]]) -> dict[str, str]:
    """Return the last of each instruction."""
    return dict(instructions)


def test_the_image_runs_commands_that_there_are(instructions: list[tuple[str, str]]) -> None:
    """As somebody who is not root, in the form that gets its signals."""
    last = of_the_image(instructions)
    health = json.loads(last["HEALTHCHECK"].partition("CMD ")[2])

    assert json.loads(last["ENTRYPOINT"]) == ["kneewatch"]
    assert set(json.loads(last["CMD"])) <= set(COMMANDS)
    assert health[0] == "kneewatch"
    assert health[1] in COMMANDS
    assert last["USER"] == "10001"


def test_everything_that_is_installed_is_locked_with_hashes(instructions: list[tuple[str, str]]) -> None:
    """By pip, from the locks; the wheel itself is built there."""
    installs = [
        one
        for name, words in instructions
        if name == "RUN"
        for one in words.split("&&")
        if re.search(r"pip\b.* install ", one)
    ]

    assert len(installs) == 3
    assert all("--no-deps" in one for one in installs)
    assert all("--require-hashes" in one or "/wheel/" in one for one in installs)


def test_what_builds_the_wheel_is_found_in_the_lock(
    instructions: list[tuple[str, str]], tmp_path: Path
) -> None:
    """The words of the Dockerfile itself, run here: hatchling and all that it needs, with their hashes."""
    [run] = [words for name, words in instructions if name == "RUN" and "awk" in words]
    (tmp_path / "requirements.lock").write_text((ROOT / "requirements.lock").read_text())

    subprocess.run(["sh", "-ec", run.partition("&&")[0]], cwd=tmp_path, check=True)

    lock = (tmp_path / "build.lock").read_text()
    names = set(re.findall(r"^([a-z0-9-]+)==", lock, flags=re.MULTILINE))
    needed = subprocess.run(
        [sys.executable, "-c", "import importlib.metadata as m; print(*m.requires('hatchling'), sep='\\n')"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    here = {re.split(r"[^a-z0-9-]", one)[0] for one in needed if "python_version <" not in one}
    assert names == {"hatchling", *here}
    assert lock.count("--hash=sha256:") >= len(names)


def test_what_is_copied_is_there_and_gets_through_the_ignored(instructions: list[tuple[str, str]]) -> None:
    """The builder sees what the wheel is built from, and neither a home nor the tests."""
    let_through = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), flags=re.MULTILINE)
    shipped = re.findall(r"^packages = \[(.*)\]$", (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE)[
        0
    ]

    assert all((ROOT / name).exists() for name in let_through)
    assert set(re.findall(r'"([a-z_]+)"', shipped)) == {
        name for name in let_through if (ROOT / name).is_dir()
    }
    copied = [words.split()[:-1] for name, words in instructions if name == "COPY" and "--from" not in words]
    assert {name for names in copied for name in names if name != "."} <= set(let_through)


def test_the_container_may_write_its_home_and_nothing_else(
    instructions: list[tuple[str, str]], service: dict[str, object]
) -> None:
    """Within a gigabyte, without privileges, and back after a restart."""
    mounted = {str(one).partition(":")[2] for one in service["volumes"]}  # type: ignore[attr-defined]

    assert mounted == set(json.loads(of_the_image(instructions)["VOLUME"]))
    assert service["read_only"] is True
    assert service["mem_limit"] == "1g"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert service["init"] is True


def test_the_pages_are_published_for_this_machine_alone(service: dict[str, object]) -> None:
    """Under the same port as within: a browser sends it along with the name, and both have to be right."""
    assert service["ports"] == [f"127.0.0.1:{Web().port}:{Web().port}"]


def test_a_browser_outside_reaches_the_pages_and_is_asked_for_the_token(
    service: dict[str, object], home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what compose sets; by the name that it would call the published port."""
    for name, value in service["environment"].items():  # type: ignore[attr-defined]
        if name.startswith("KNEEWATCH_"):
            monkeypatch.setenv(name, str(value))
    new_token(home)

    server = web_server(home, read_settings(home), port=0)
    thread = serve_in_thread(server)
    try:
        with urllib.request.urlopen(server.url, timeout=60) as answer:
            arrived_at, page = answer.url, answer.read().decode()
    finally:
        server.stop()
        thread.join(60)

    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/login", arrived_at)
    assert 'name="token"' in page
