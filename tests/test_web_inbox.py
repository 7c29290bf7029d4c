"""Files from the browser: what becomes of them, and the names, sizes and forms that must do no harm."""

from __future__ import annotations

import fcntl
import io
import os
import re
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from flows import steps
from flows.steps import Clock
from ingest.inbox import is_temporary, waiting_files
from kneewatch.web import security
from kneewatch.web.app import create_app
from kneewatch.web.uploads import label_of
from store.database import opened_published
from store.home import Home
from store.settings import read_settings
from tests.conftest import ROOT

HOST = "127.0.0.1:8765"
HERE = f"http://{HOST}"
CLOCK = Clock(datetime(2026, 7, 2, 18, tzinfo=UTC), date(2026, 7, 2))
PAIN = b"date,side,during\n2026-07-01,left,3\n"
GARBAGE = (ROOT / "sample_data" / "broken" / "garbage.fit").read_bytes()
PATIENCE_S = 120
OURS = {"origin": HERE, "sec-fetch-site": "same-origin"}


@pytest.fixture
def client(home: Home) -> TestClient:
    """A browser before a new home."""
    app = create_app(home, allowed_hosts=[HOST], clock=lambda _: CLOCK)
    return TestClient(app, base_url=HERE, follow_redirects=False)


def token_of(client: TestClient) -> str:
    found = re.search(rf'name="{security.FORM_FIELD}" value="([0-9a-f]+)"', client.get("/login").text)
    assert found
    return found[1]


def send(client: TestClient, *files: tuple[str, bytes], token: str | None = None) -> Any:
    fields = {security.FORM_FIELD: token_of(client) if token is None else token}
    parts = [("file", (name, content)) for name, content in files]
    return client.post("/inbox/upload", data=fields, files=parts, headers=OURS)


def settled(client: TestClient) -> str:
    """Return the page once nothing is being taken in any more."""
    deadline_s = time.monotonic() + PATIENCE_S
    while client.get("/inbox/waiting.json").json()["is_busy"]:
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    return client.get("/inbox").text


@pytest.fixture
def computed(home: Home) -> None:
    """There are pages to show."""
    steps.bring_up_to_date(home, read_settings(home), CLOCK)


def in_inbox(home: Home) -> list[Path]:
    return [path for path in home.inbox.rglob("*") if path.is_file()]


@pytest.fixture
def held(home: Home, client: TestClient) -> Iterator[None]:
    """Somebody else writes, so that what comes in stays in the inbox for so long."""
    with home.lock.open("a+") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        yield
        for path in in_inbox(home):
            path.unlink()
    settled(client)


@pytest.mark.homes
@pytest.mark.usefixtures("computed")
def test_files_are_taken_in_and_what_became_of_each_is_shown(home: Home, client: TestClient) -> None:
    """A good one and garbage in one go; the garbage is refused with its reason, and stays so when it is tried again."""
    answer = send(client, ("pain.csv", PAIN), ("garbage.fit", GARBAGE), ("run.exe", b"MZ\x90"))

    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox?said=uploaded")
    page = settled(client)
    with opened_published(home) as con:
        outcomes = con.execute("select file_name, outcome from exports order by 1").fetchall()
        reports = con.execute("select side, during from pain_reports").fetchall()
    assert outcomes == [
        ("garbage.fit", "quarantined"),
        ("pain.csv", "ingested"),
        ("run.exe", "ignored"),
    ]
    assert reports == [("left", 3)]
    assert "Nothing waits." in page
    assert "Not a watch export" in page
    assert "This FIT file is damaged" in page
    assert in_inbox(home) == []
    again = client.post("/inbox/retry", data={security.FORM_FIELD: token_of(client)}, headers=OURS)
    assert again.headers["location"] == "/inbox?said=retried"
    assert "This FIT file is damaged" in settled(client)


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ("run.fit", "run.fit"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/etc/shadow", "shadow"),
        ("C:\\fakepath\\run.fit", "run.fit"),
        ("..", "upload"),
        ("", "upload"),
        ("a\x00b.fit", "a_b.fit"),
        ("a\nb\r\x1b[2J.fit", "a_b___2J.fit"),
        ("CON", "_CON"),
        ("nul.fit", "_nul.fit"),
        ("LPT1.gpx", "_LPT1.gpx"),
        (".hidden.fit", "hidden.fit"),
        (".bashrc", "bashrc"),
        ("half.fit.part", "upload half.fit.part_"),
        ("~lock.fit", "_lock.fit"),
        ("#run#", "_run_"),
        ("Thumbs.db", "upload Thumbs.db_"),
        ("run.exe", "run.exe"),
        ("run.fit.", "run.fit"),
        ("<script>alert(1)<script>.fit", "_script_alert(1)_script_.fit"),
        ("a'\";$(rm -rf ~).fit", "a____(rm -rf _).fit"),
        ("Läufe im März.fit", "Läufe im März.fit"),
        ("\u202etif.exe", "_tif.exe"),
        ("x" * 5000 + ".fit", "x" * 46 + ".fit"),
        ("." * 300 + "fit", "fit"),
        ("a." + "y" * 300, "a." + "y" * 16),
        ("走" * 300 + ".fit", "走" * 46 + ".fit"),
    ],
)
def test_of_a_name_only_harmless_letters_are_kept(given: str, label: str) -> None:
    """Never a path, never a name the inbox passes over, never longer than names may be."""
    assert label_of(given) == label


@given(st.text(max_size=300))
def test_whatever_a_file_is_called_its_label_is_one_name_in_the_inbox(given: str) -> None:
    """One part of a path, not hidden, not temporary, and the same when it is given again."""
    label = label_of(given)

    assert Path(label).name == label
    assert label not in ("", ".", "..")
    assert not is_temporary(label)
    assert label.isprintable()
    assert len(label.encode()) < 240


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize(
    "name", ["../../../evil.fit", "..%2f..%2fevil.fit", "a/../../evil.fit", ".evil", "CON"]
)
def test_a_file_lies_in_its_athletes_folder_whatever_it_is_called(
    home: Home, client: TestClient, name: str
) -> None:
    """Nowhere else in the home or above it."""
    outside = {path for path in home.root.parent.rglob("*") if home.inbox not in path.parents}

    send(client, (name, b"x"))

    [path] = in_inbox(home)
    assert path.parent == home.inbox / "me"
    assert {path for path in home.root.parent.rglob("*") if home.inbox not in path.parents} == outside


@pytest.mark.usefixtures("computed", "held")
def test_the_limits_of_the_inbox_hold_while_a_file_comes(home: Home, client: TestClient) -> None:
    """A file that is too large is named and not kept, nor half of it; the others are; an archive has a limit of its own."""
    home.settings_file.write_text("[limits]\nmax_file_mib = 1\n")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("big.bin", bytes(2 * 2**20))

    answer = send(
        client, ("big.fit", bytes(2**20 + 1)), ("good.fit", b"x" * 2**20), ("export.zip", packed.getvalue())
    )

    assert answer.status_code == 413
    assert "big.fit is larger than 1 MiB (limits.max_file_mib) and was not kept." in answer.text
    assert sorted(path.name for path in in_inbox(home)) == ["export.zip", "good.fit"]


@pytest.mark.usefixtures("computed", "held")
def test_two_files_of_one_name_lie_beside_each_other(home: Home, client: TestClient) -> None:
    """What waits under the same name stays, and the page shows both."""
    send(client, ("run.fit", b"first"), ("run.fit", b"second"))

    contents = {path.name: path.read_bytes() for path in in_inbox(home)}
    assert contents["run.fit"] == b"first"
    assert sorted(contents.values()) == [b"first", b"second"]
    page = client.get("/inbox").text
    assert page.count('<li class="file">me/run') == 2
    assert "Being taken in" in page


@pytest.mark.parametrize("token", ["", "0" * 64, "x" * 5000])
def test_without_the_forms_token_nothing_is_received(home: Home, client: TestClient, token: str) -> None:
    """Not even under a temporary name."""
    answer = send(client, ("run.fit", b"x"), token=token)

    assert answer.status_code == 403
    assert in_inbox(home) == []


@pytest.mark.parametrize(
    ("content_type", "body", "status_code"),
    [
        ("multipart/form-data", b"", 403),
        ("multipart/form-data; boundary=" + "b" * 200, b"", 403),
        ("application/x-www-form-urlencoded", b"form_token={token}&file=x", 403),
        ("multipart/form-data; boundary=b", b"garbage", 400),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.fit"\r\n\r\nx\r\n--b\r\n'
            b'Content-Disposition: form-data; name="form_token"\r\n\r\n{token}\r\n--b--\r\n',
            403,
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n{token}\r\n--b\r\n'
            b'Content-Disposition: form-data; name="file"; filename="a.fit"\r\n\r\nhalf of',
            400,
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n{token}\r\n--b\r\n'
            b"X: " + b"y" * 100_000 + b"\r\n\r\nx\r\n--b--\r\n",
            400,
        ),
    ],
    ids=[
        "empty",
        "long boundary",
        "no files",
        "garbage",
        "file before the token",
        "broken off",
        "long header",
    ],
)
def test_a_form_that_is_none_leaves_nothing_behind(
    home: Home, client: TestClient, content_type: str, body: bytes, status_code: int
) -> None:
    """Refused in a sentence, and no half file stays in the inbox."""
    body = body.replace(b"{token}", token_of(client).encode())

    answer = client.post("/inbox/upload", content=body, headers=OURS | {"content-type": content_type})

    assert answer.status_code == status_code
    assert in_inbox(home) == []


def test_no_file_chosen_is_said(client: TestClient) -> None:
    """A browser then sends a file without a name."""
    assert send(client, ("", b"")).headers["location"] == "/inbox?said=nothing_uploaded"


@pytest.mark.usefixtures("held")
def test_what_a_killed_process_left_half_received_goes_with_the_next_file(
    home: Home, client: TestClient
) -> None:
    """A day later; what is younger may still be on its way."""
    folder = home.inbox / "me"
    folder.mkdir()
    for name, age in (("old", timedelta(days=2)), ("young", timedelta(0))):
        path = folder / f".upload-{name}.tmp"
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age.total_seconds(),) * 2)

    send(client, ("run.fit", b"x"))

    assert sorted(path.name for path in folder.iterdir()) == [".upload-young.tmp", "run.fit"]
    assert [path.name for path in waiting_files(home)] == ["run.fit"]
