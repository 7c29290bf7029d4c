"""What lies in the inbox and may be taken in, and whose it is."""

import os
import threading
import time
from pathlib import Path

import pytest

from ingest import inbox
from ingest.inbox import (
    LOOK_AGAIN_S,
    Dropped,
    dropped_files,
    given_files,
    is_still_the_same,
    is_temporary,
    left_alone,
)
from store.errors import WrongUseError
from store.home import Home

A_MINUTE_AGO = time.time() - 60


def drop(home: Home, name: str, content: bytes = b"content") -> Path:
    """Put a settled file into the inbox."""
    path = home.inbox / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (A_MINUTE_AGO, A_MINUTE_AGO))
    return path


def dropped(home: Home, athletes: tuple[str, ...] = ("mara", "tom")) -> list[Dropped]:
    return dropped_files(home, athletes=frozenset(athletes), default_athlete="mara")


def names(found: list[Dropped]) -> list[str]:
    return [one.file_name for one in found]


def test_files_come_in_the_order_of_their_names(home: Home) -> None:
    """And leave the inbox when they are taken in."""
    for name in ("b.fit", "a.gpx", "c.csv"):
        drop(home, name)

    found = dropped(home)

    assert names(found) == ["a.gpx", "b.fit", "c.csv"]
    assert all(one.is_inbox and one.athlete == "mara" for one in found)


def test_an_empty_inbox_is_empty(home: Home) -> None:
    """Nothing to do."""
    assert dropped(home) == []


@pytest.mark.parametrize(
    "name",
    [
        ".DS_Store",
        "._run.fit",
        ".hidden/run.fit",
        ".stversions/run.fit",
        ".@__thumb/run.fit",
        "~syncthing~run.fit.tmp",
        "#recycle/run.fit",
        "run.fit.part",
        "run.fit.partial",
        "run.fit.CRDOWNLOAD",
        "run.fit.download",
        "run.fit.filepart",
        "run.tmp",
        "Thumbs.db",
        "desktop.ini",
        "@eaDir/run.fit",
        "__MACOSX/run.fit",
        "$RECYCLE.BIN/run.fit",
    ],
)
def test_temporary_and_hidden_files_are_left_alone(name: str, home: Home) -> None:
    """Half-copied, hidden and junk; the file beside them is seen."""
    path = drop(home, name)
    drop(home, "run.fit")

    assert names(dropped(home)) == ["run.fit"]
    assert path.exists()


@pytest.mark.parametrize(
    "name", ["run.fit", "partial run.fit", "tmp.gpx", "2026-07-01 18.08.fit", "läuft.fit"]
)
def test_good_names_are_not_taken_for_temporary_ones(name: str) -> None:
    """An ignore pattern must not swallow everything."""
    assert not is_temporary(name)


def test_a_folder_named_for_an_athlete_is_that_athletes(home: Home) -> None:
    """Also with folders in it; any other folder is the default athlete's."""
    for name in ("tom/run.fit", "tom/2026/long.fit", "garmin/run.fit", "run.fit", "garmin/tom/run.fit"):
        drop(home, name)

    found = {(one.athlete, one.file_name) for one in dropped(home)}

    assert found == {
        ("tom", "run.fit"),
        ("tom", "2026/long.fit"),
        ("mara", "garmin/run.fit"),
        ("mara", "run.fit"),
        ("mara", "garmin/tom/run.fit"),
    }


def test_a_file_named_like_an_athlete_is_a_file(home: Home) -> None:
    """Only folders make somebody else's."""
    drop(home, "tom")

    assert [(one.athlete, one.file_name) for one in dropped(home)] == [("mara", "tom")]


def test_links_are_not_followed(home: Home, tmp_path: Path) -> None:
    """Neither to files nor to folders nor to nothing: a link could point at anything."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.fit").write_bytes(b"secret")
    (home.inbox / "link.fit").symlink_to(outside / "secret.fit")
    (home.inbox / "folder").symlink_to(outside, target_is_directory=True)
    (home.inbox / "nowhere.fit").symlink_to(tmp_path / "nowhere")

    assert dropped(home) == []


def test_a_pipe_is_refused_without_waiting_for_it(home: Home) -> None:
    """Opening one would wait for a writer for ever."""
    os.mkfifo(home.inbox / "pipe.fit")

    assert dropped(home) == []


def test_a_fresh_file_that_does_not_grow_is_taken(home: Home) -> None:
    """It is looked at twice."""
    (home.inbox / "run.fit").write_bytes(b"content")

    assert names(dropped(home)) == ["run.fit"]


def test_a_file_that_is_still_growing_waits(home: Home) -> None:
    """The settled one beside it is taken."""
    drop(home, "settled.fit")
    growing = home.inbox / "growing.fit"
    growing.write_bytes(b"start")
    stop = threading.Event()
    writer = threading.Thread(target=keep_appending, args=(growing, stop))
    writer.start()

    try:
        found = dropped(home)
    finally:
        stop.set()
        writer.join()

    assert names(found) == ["settled.fit"]


def test_a_file_that_vanishes_meanwhile_is_not_missed(home: Home) -> None:
    """Somebody took it away while we looked twice."""
    vanishing = home.inbox / "vanishing.fit"
    vanishing.write_bytes(b"content")
    timer = threading.Timer(0.1, vanishing.unlink)
    timer.start()

    found = dropped(home)

    timer.join()
    assert found == []


def test_on_a_network_share_old_files_are_looked_at_twice_as_well(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other machine's clock may be slow: what grows there can look old."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nnas:/runs {home.inbox} nfs4 rw 0 0\n")
    monkeypatch.setattr(inbox, "MOUNTS", mounts)
    drop(home, "whole.fit")
    drop(home, "growing.fit", b"1")
    writer = threading.Timer(0.5, drop, (home, "growing.fit", b"12"))
    writer.start()

    found = dropped(home)

    writer.join()
    assert names(found) == ["whole.fit"]


def test_settled_files_are_not_waited_for(home: Home) -> None:
    """Only fresh ones are looked at twice."""
    drop(home, "run.fit")
    started = time.monotonic()

    dropped(home)

    assert time.monotonic() - started < LOOK_AGAIN_S


def test_a_replaced_file_is_not_the_same(home: Home) -> None:
    """Nor one that was written to, also when size and time agree."""
    path = drop(home, "run.fit", b"one")
    [found] = dropped(home)
    assert is_still_the_same(found)

    newcomer = drop(home, "newcomer", b"two")
    newcomer.replace(path)

    assert not is_still_the_same(found)


def test_a_vanished_file_is_not_the_same(home: Home) -> None:
    """There is nothing left to let go."""
    path = drop(home, "run.fit")
    [found] = dropped(home)

    path.unlink()

    assert not is_still_the_same(found)


def test_names_that_are_no_text_can_be_written_down(home: Home) -> None:
    """Old programs wrote names in other encodings; the database and the screen take only text."""
    raw = os.fsencode(home.inbox) + b"/l\xe4uft.fit"
    with open(raw, "wb") as file:  # noqa: PTH123 - a Path takes no bytes
        file.write(b"content")

    [found] = dropped(home)

    assert found.path.read_bytes() == b"content"
    assert found.file_name.encode() == b"l?uft.fit"


def test_given_files_are_only_copied(tmp_path: Path) -> None:
    """A file by its name, a folder by what is below it."""
    folder = tmp_path / "export"
    (folder / "more").mkdir(parents=True)
    for name in ("a.fit", "more/b.fit", ".hidden"):
        (folder / name).write_bytes(b"content")

    found = given_files([folder, folder / "a.fit"], default_athlete="tom")

    assert names(found) == ["a.fit", "more/b.fit", "a.fit"]
    assert all(not one.is_inbox and one.athlete == "tom" for one in found)


def test_a_given_link_is_followed(tmp_path: Path) -> None:
    """Who names it means what it points to."""
    (tmp_path / "run.fit").write_bytes(b"content")
    link = tmp_path / "latest.fit"
    link.symlink_to(tmp_path / "run.fit")

    [found] = given_files([link], default_athlete="mara")

    assert (found.file_name, found.path.is_symlink()) == ("latest.fit", False)


def test_a_given_path_that_is_not_there_is_said(tmp_path: Path) -> None:
    """In one sentence that names it."""
    with pytest.raises(WrongUseError, match=r"nowhere\.fit does not exist\.$"):
        given_files([tmp_path / "nowhere.fit"], default_athlete="mara")


def keep_appending(path: Path, stop: threading.Event) -> None:
    while not stop.wait(0.02):
        with path.open("ab") as file:
            file.write(b"more")


def test_what_is_no_file_is_left_alone_and_named(home: Home, tmp_path: Path) -> None:
    """A link may lead anywhere, a pipe has no end; both stay where they are."""
    outside = tmp_path / "outside.fit"
    outside.write_bytes(b"x")
    (home.inbox / "link.fit").symlink_to(outside)
    (home.inbox / "folder").symlink_to(tmp_path)
    os.mkfifo(home.inbox / "pipe.fit")
    (home.inbox / ".hidden").symlink_to(outside)
    (home.inbox / "run.fit").write_bytes(b"x")

    found = left_alone(home)

    assert [name for name, _ in found] == ["folder", "link.fit", "pipe.fit"]
    assert "link" in found[0][1]
    assert "link" in found[1][1]
    assert "no file" in found[2][1]
    dropped = dropped_files(home, athletes=frozenset(), default_athlete="me")
    assert [one.file_name for one in dropped] == ["run.fit"]
