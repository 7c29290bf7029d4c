"""Originals and other files that are there whole or not at all."""

import hashlib
import io
import json
import os
from pathlib import Path

import pytest

from store import home as homes
from store.archive import archive_original, archived_file, quarantine_original, sha256_of
from store.files import make_folder, write_whole
from store.home import Home

CONTENT = b"the original"
EXPORT = hashlib.sha256(CONTENT).hexdigest()


class BreaksOff(io.BytesIO):
    """A source that fails after its first bytes, as a disk does that is full or gone."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError("input/output error")
        return super().read(4)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def set_aside(home: Home, content: bytes, name: str = "run.fit") -> Path:
    source = home.inbox / "source"
    source.write_bytes(content)
    export_id = hashlib.sha256(content).hexdigest()
    return quarantine_original(
        home, source, file_name=name, export_id=export_id, reason={"reason": "Läuft nicht."}
    )


def test_an_original_lies_under_its_hash(home: Home) -> None:
    """In a folder of the first two letters, with the ending it had."""
    path = archive_original(home, CONTENT, export_id=EXPORT, suffix=".fit")

    assert path == archived_file(home, EXPORT, ".fit") == home.archive / EXPORT[:2] / f"{EXPORT}.fit"
    assert path.read_bytes() == CONTENT
    assert names(home.archive) == [f"{EXPORT[:2]}/{EXPORT}.fit"]


def test_an_original_that_is_there_stays(home: Home) -> None:
    """It is not even written again."""
    before = archive_original(home, CONTENT, export_id=EXPORT, suffix=".fit").stat()

    after = archive_original(home, CONTENT, export_id=EXPORT, suffix=".fit").stat()

    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_an_original_that_is_not_whole_is_written_again(home: Home) -> None:
    """A disk may have lost the end of it."""
    path = archive_original(home, CONTENT, export_id=EXPORT, suffix=".fit")
    path.write_bytes(CONTENT[:3])

    archive_original(home, CONTENT, export_id=EXPORT, suffix=".fit")

    assert path.read_bytes() == CONTENT


def test_what_is_refused_has_its_reason_beside_it(home: Home) -> None:
    """In letters that a person can read; the source stays where it is."""
    path = set_aside(home, CONTENT, "tom/run.fit")

    assert path == home.quarantine / "tom" / "run.fit"
    assert path.read_bytes() == CONTENT
    text = path.with_name("run.fit.reason.json").read_text()
    assert json.loads(text) == {"reason": "Läuft nicht."}
    assert "Läuft" in text
    assert (home.inbox / "source").exists()


def test_namesakes_stay_and_the_same_bytes_are_there_once(home: Home) -> None:
    """A newcomer with other content carries the start of its hash."""
    other = b"another original"
    tag = hashlib.sha256(other).hexdigest()[:12]

    for content in (CONTENT, other, CONTENT, other):
        set_aside(home, content)

    assert names(home.quarantine) == [
        f"run-{tag}.fit",
        f"run-{tag}.fit.reason.json",
        "run.fit",
        "run.fit.reason.json",
    ]
    assert (home.quarantine / "run.fit").read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["n" * 255, "ü" * 127, "n" * 100 + "." + "x" * 150])
def test_long_names_leave_room_for_the_reason(name: str, home: Home) -> None:
    """File systems take 255 bytes."""
    for content in (CONTENT, b"another original"):
        path = set_aside(home, content, name)

        assert path.read_bytes() == content
        assert path.with_name(f"{path.name}.reason.json").exists()


HOSTILE_NAMES = [
    "../../run.fit",
    "/etc/run.fit",
    "a.zip/../../../run.fit",
    "..\\..\\run.fit",
    "C:\\run.fit",
    "..",
    "/",
    "",
    "a/./b//run.fit",
    "nul\0byte/run.fit",
    "new\nline.fit",
    "\u202etif.nur",
    "🏃" * 100 + ".fit",
    "/".join(["folder" * 50] * 3) + "/run.fit",
    "a/" * 5_000 + "run.fit",
    "half\ud83d.fit",
    "run.fit.reason.json",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_whatever_it_is_called_it_stays_in_the_quarantine(name: str, home: Home) -> None:
    """A name out of an archive may be anything; another file of that name changes nothing."""
    before = names(home.root.parent)

    paths = [set_aside(home, content, name) for content in (CONTENT, b"another original", CONTENT)]

    assert paths[0] == paths[2] != paths[1]
    assert [path.read_bytes() for path in paths[:2]] == [CONTENT, b"another original"]
    written = set(names(home.root.parent)) - set(before) - {"home/inbox/source"}
    assert len(written) == 4
    assert all(path.startswith("home/quarantine/") for path in written)
    assert all(ord(letter) >= 32 for path in written for letter in path)


def test_a_folder_and_a_file_of_one_name_are_both_kept(home: Home) -> None:
    """An archive that is refused lies where its members would have a folder, and the other way round."""
    others = [b"1", b"2", b"3"]

    archive, member, again = (
        set_aside(home, content, name)
        for content, name in zip(others, ("a.zip", "a.zip/run.fit", "b.zip/run.fit"), strict=True)
    )
    late = set_aside(home, b"4", "b.zip")

    assert [path.read_bytes() for path in (archive, member, again, late)] == [*others, b"4"]
    assert (archive.name, again.parent.name) == ("a.zip", "b.zip")


def test_what_is_called_like_a_reason_takes_no_reason_away(home: Home) -> None:
    """In either order."""
    for name in ("run.fit", "run.fit.reason.json", "run.fit.reason.json.reason.json"):
        set_aside(home, name.encode(), name)
    for name in ("ride.fit.reason.json", "ride.fit"):
        set_aside(home, name.encode(), name)

    contents = [path.read_bytes() for path in home.quarantine.iterdir()]
    assert len(contents) == 10
    assert contents.count(b"run.fit") == contents.count(b"ride.fit.reason.json") == 1


def test_a_file_that_lies_in_quarantine_may_be_set_aside_again(home: Home) -> None:
    """Tried once more and refused once more: it is its own source."""
    path = set_aside(home, CONTENT)

    again = quarantine_original(
        home, path, file_name="run.fit", export_id=EXPORT, reason={"reason": "Still."}
    )

    assert again == path
    assert path.read_bytes() == CONTENT
    assert len(names(home.quarantine)) == 2


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    """Of any size."""
    path = tmp_path / "large"
    path.write_bytes(bytes(3_000_000))

    assert sha256_of(path) == hashlib.sha256(bytes(3_000_000)).hexdigest()


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """What was there before stays, and no half file lies about."""
    path = tmp_path / "file"
    write_whole(path, CONTENT)

    with pytest.raises(OSError, match="input/output error"):
        write_whole(path, BreaksOff(b"something new"))

    assert path.read_bytes() == CONTENT
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208 - hidden ones as well


def test_folders_are_made_for_the_owner_alone(tmp_path: Path) -> None:
    """All that are missing; those that are there are left alone."""
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")

    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b")] == [0o700, 0o700]


def test_a_home_is_made_and_made_again(tmp_path: Path) -> None:
    """Every folder, readable by nobody else; what is there stays."""
    home = homes.at(tmp_path / "new" / "home").prepare()
    (home.inbox / "run.fit").write_bytes(CONTENT)
    home.inbox.chmod(0o770)

    home.prepare()

    assert sorted(path.name for path in home.root.iterdir()) == [
        ".state",
        "archive",
        "inbox",
        "quarantine",
        "reports",
        "samples",
    ]
    assert home.archive.stat().st_mode & 0o777 == 0o700
    assert home.inbox.stat().st_mode & 0o777 == 0o770
    assert (home.inbox / "run.fit").read_bytes() == CONTENT


def test_a_home_is_an_absolute_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Wherever one goes afterwards; ~ is one's own folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert homes.at("here").root == tmp_path / "here"
    assert homes.at("~/there").root == tmp_path / "there"
