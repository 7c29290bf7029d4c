"""What lies in the inbox and may be taken in: settled files, not temporary ones, and whose they are."""

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from store.errors import WrongUseError
from store.home import Home

TEMPORARY_SUFFIXES = (
    ".part",
    ".partial",
    ".crdownload",
    ".download",
    ".tmp",
    ".filepart",
    ".opdownload",
    ".lock",
)
TEMPORARY_PREFIXES = (".", "~", "#")
JUNK_NAMES = {"thumbs.db", "desktop.ini", "@eadir", "__macosx", "$recycle.bin"}
FRESH_NS = 2_000_000_000
LOOK_AGAIN_S = 0.3
LOOK_AGAIN_AFAR_S = 2.0
MOUNTS = Path("/proc/self/mounts")
SILENT_FILE_SYSTEMS = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "fuse",
    "vboxsf",
    "vmhgfs",
    "afs",
    "ceph",
    "virtiofs",
    "prl_fs",
)
"""Kinds that say nothing of what another machine puts there."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """
    One file to take in.

    Attributes:
        path: Where it is; no link.
        athlete: Whose it is.
        file_name: Its name for `exports`, relative to the athlete's folder.
        is_inbox: Whether it lies in the inbox and leaves it when taken in; other files are only copied.
        fingerprint: Device, inode, size and mtime in ns: the same when it is still the same file.
    """

    path: Path
    athlete: str
    file_name: str
    is_inbox: bool
    fingerprint: tuple[int, int, int, int]


def dropped_files(home: Home, *, athletes: frozenset[str], default_athlete: str) -> list[Dropped]:
    """
    Return the settled files of the inbox in the order of their names; inbox/<athlete>/ is that athlete's.

    A file that changed just now is looked at twice. On a network share all are: times there are another machine's.
    """
    first_look = list(_files_below(home.inbox))
    before = {path: _fingerprint(path) for path in first_look}
    fresh_from_ns = time.time_ns() - FRESH_NS
    is_afar = bool(before) and is_silent(home.inbox)
    if is_afar or any(found is not None and found[3] > fresh_from_ns for found in before.values()):
        time.sleep(LOOK_AGAIN_AFAR_S if is_afar else LOOK_AGAIN_S)
        first_look = [
            path for path in first_look if (now := _fingerprint(path)) is not None and now == before[path]
        ]
    return [
        dropped
        for path in first_look
        if (dropped := _dropped(path, home.inbox, athletes, default_athlete, is_inbox=True)) is not None
    ]


def waiting_files(home: Home) -> Iterator[Path]:
    """Yield what lies in the inbox and has no temporary name, settled or not."""
    return _files_below(home.inbox)


def left_alone(home: Home) -> list[tuple[str, str]]:
    """Return what lies in the inbox and cannot be taken in, and why; temporary and hidden names are passed over."""
    found: list[tuple[str, str]] = []
    for root, folders, names in os.walk(home.inbox):
        folders[:] = sorted(name for name in folders if not is_temporary(name))
        for name in sorted(name for name in (*names, *folders) if not is_temporary(name)):
            path = Path(root, name)
            if why := _why_left_alone(path):
                found.append((str(path.relative_to(home.inbox)), why))
    return found


def _why_left_alone(path: Path) -> str | None:
    try:
        kind = path.lstat().st_mode
    except OSError:
        return None
    if stat.S_ISLNK(kind):
        return "is a link, which may lead anywhere; drop the file itself"
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        return "is no file; take it away"
    if not os.access(path, os.R_OK):
        return "cannot be read; it is tried again each time (chmod u+r)"
    return None


def given_files(paths: list[Path], *, default_athlete: str) -> list[Dropped]:
    """
    Return the files a person named, those of folders included.

    Raises:
        WrongUseError: If a path does not exist.
    """
    found: list[Dropped] = []
    for path in paths:
        if not path.exists():
            raise WrongUseError(f"{path} does not exist.")
        below = _files_below(path) if path.is_dir() else iter([path])
        root = path if path.is_dir() else path.parent
        found += [
            dropped
            for file in below
            if (dropped := _dropped(file, root, frozenset(), default_athlete, is_inbox=False)) is not None
        ]
    return found


def is_still_the_same(dropped: Dropped) -> bool:
    """Tell whether the file is the one that was read: only then may it go."""
    return _fingerprint(dropped.path) == dropped.fingerprint


def is_silent(folder: Path, mounts: Path | None = None) -> bool:
    """Tell whether a folder lies on a network share or the like, where changes by others are not told of (Linux)."""
    try:
        lines = (mounts or MOUNTS).read_text().splitlines()
    except OSError:
        return False
    folder = folder.resolve()
    found = [line.split(" ")[1:3] for line in lines if len(line.split(" ")) > 2]
    above = [(Path(_unescaped(at)), kind) for at, kind in found if folder.is_relative_to(_unescaped(at))]
    _, kind = max(above, key=lambda mount: len(mount[0].parts), default=(None, ""))
    return kind.startswith(SILENT_FILE_SYSTEMS)


def _unescaped(path: str) -> str:
    """Return a path of the list of mounts as it is: blanks and the like stand there in octal."""
    return path.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")


def is_temporary(name: str) -> bool:
    """Tell whether a name belongs to a half-copied, hidden or junk file."""
    lower = name.lower()
    return lower.startswith(TEMPORARY_PREFIXES) or lower.endswith(TEMPORARY_SUFFIXES) or lower in JUNK_NAMES


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield regular files; links, pipes and temporary names stay where they are."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_temporary(name))
        for name in sorted(names):
            path = Path(root, name)
            if not is_temporary(name) and not path.is_symlink() and path.is_file():
                yield path


def _dropped(
    path: Path, root: Path, athletes: frozenset[str], default_athlete: str, *, is_inbox: bool
) -> Dropped | None:
    fingerprint = _fingerprint(path)
    if fingerprint is None:
        return None
    # Names in other encodings hold surrogates, which neither the database nor a screen takes.
    parts = [part.encode(errors="replace").decode() for part in path.relative_to(root).parts]
    path = path if is_inbox else path.resolve()
    if len(parts) > 1 and parts[0] in athletes:
        return Dropped(path, parts[0], "/".join(parts[1:]), is_inbox, fingerprint)
    return Dropped(path, default_athlete, "/".join(parts), is_inbox, fingerprint)


def _fingerprint(path: Path) -> tuple[int, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
