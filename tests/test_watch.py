"""Drops are noticed: by the system's notice, by looking where there is none, and temporary files not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.inbox import is_silent
from ingest.watch import drops
from store.home import Home

MOUNTS = """\
/dev/sda1 / ext4 rw,relatime 0 0
nas:/volume1 /mnt/nas nfs4 rw,vers=4.1 0 0
//nas/runs /mnt/my\\040runs cifs rw 0 0
tmpfs /mnt/nas/fast tmpfs rw 0 0
sshfs#pi: /home/mara/pi fuse.sshfs rw 0 0
broken line
"""


class Watcher:
    """What counts the drops of a home's inbox in a thread of its own."""

    def __init__(self, home: Home, *, looking: bool) -> None:
        self.seen = 0
        self.stop = threading.Event()
        self._home, self._looking = home, looking
        self._has_begun = threading.Event()
        self.thread = threading.Thread(target=self._count)
        self.thread.start()
        assert self._has_begun.wait(20)

    def _count(self) -> None:
        notices = drops(self._home, self.stop, looking=self._looking)
        next(notices)
        self._has_begun.set()
        for _ in notices:
            self.seen += 1

    def has_seen(self, number: int, *, within_s: float) -> bool:
        deadline = time.monotonic() + within_s
        while self.seen < number and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.seen >= number


@pytest.fixture(params=[False, True], ids=["told", "looking"])
def watcher(request: pytest.FixtureRequest, home: Home) -> Iterator[Watcher]:
    watcher = Watcher(home, looking=request.param)
    yield watcher
    watcher.stop.set()
    watcher.thread.join(10)
    assert not watcher.thread.is_alive()


def test_a_drop_is_noticed(watcher: Watcher, home: Home) -> None:
    """Also in a folder that is made with it, and a file renamed when its copy is whole."""
    (home.inbox / "1.fit").write_bytes(b"1")
    assert watcher.has_seen(1, within_s=20)

    (home.inbox / "mara").mkdir()
    (home.inbox / "mara" / ".2.part").write_bytes(b"2")
    (home.inbox / "mara" / ".2.part").rename(home.inbox / "mara" / "2.fit")
    assert watcher.has_seen(2, within_s=20)


def test_what_is_temporary_or_taken_away_is_no_drop(watcher: Watcher, home: Home) -> None:
    """A copy under way has a name of its own, and what leaves the inbox was taken in."""
    old = home.inbox / "old.fit"
    old.write_bytes(b"1")
    watcher.has_seen(1, within_s=20)
    time.sleep(3)
    before = watcher.seen

    for name in (".1.fit.part", "2.fit.crdownload", ".DS_Store", "~syncthing~3.fit.tmp"):
        (home.inbox / name).write_bytes(b"1")
    old.unlink()

    assert not watcher.has_seen(before + 1, within_s=4)


@pytest.mark.parametrize(
    ("folder", "silent"),
    [
        ("/home/mara/kneewatch/inbox", False),
        ("/mnt/nas/kneewatch/inbox", True),
        ("/mnt/nas/fast/inbox", False),
        ("/mnt/nas2/inbox", False),
        ("/mnt/my runs/inbox", True),
        ("/home/mara/pi/inbox", True),
    ],
)
def test_network_shares_are_known_by_their_mount(folder: str, silent: bool, tmp_path: Path) -> None:
    """The nearest mount above a folder counts."""
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)

    assert is_silent(Path(folder), mounts) is silent


def test_where_no_mounts_are_listed_the_system_is_trusted(tmp_path: Path) -> None:
    """As on macOS and Windows."""
    assert not is_silent(tmp_path, tmp_path / "none")
