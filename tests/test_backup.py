"""A backup holds everything, a restored home says the same, and nothing is ever overwritten."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.steps import Clock, run_all, take_in
from store import home as homes
from store.backup import restore_backup, write_backup
from store.database import frame, opened_published
from store.errors import KneewatchError
from store.home import Home
from store.secret import secret_of
from store.settings import read_settings

pytestmark = pytest.mark.homes

CLOCK = Clock(datetime(2026, 10, 3, 18, tzinfo=UTC), date(2026, 10, 3))


def tables_of(home: Home) -> dict[str, list[dict[str, Any]]]:
    """Return every table and view with all rows, in an order of their own."""
    with opened_published(home) as con:
        names = [
            str(row[0])
            for row in con.execute(
                "select table_name from information_schema.tables where table_schema = 'main' order by all"
            ).fetchall()
        ]
        return {name: frame(con, f'from "{name}" order by all').to_dicts() for name in names}


def words_of(home: Home) -> dict[str, list[str]]:
    """Return every table as text: NaN is the same as NaN there."""
    return {name: [repr(row) for row in rows] for name, rows in tables_of(home).items()}


def files_of(home: Home) -> dict[str, bytes]:
    kept = (home.inbox, home.archive, home.quarantine, home.samples)
    return {
        str(path.relative_to(home.root)): path.read_bytes()
        for folder in kept
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def backup(sample_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backup") / "kneewatch.tar"
    write_backup(sample_home, path)
    return path


def test_a_restored_home_is_the_same_in_every_table_and_file(
    sample_home: Home, backup: Path, tmp_path: Path
) -> None:
    """Before anything is computed again, and after."""
    home = homes.at(tmp_path / "restored")

    restore_backup(backup, home)

    assert len(tables_of(sample_home)["runs"]) == 60
    assert words_of(home) == words_of(sample_home)
    assert files_of(home) == files_of(sample_home)
    assert home.settings_file.read_bytes() == sample_home.settings_file.read_bytes()
    before = words_of(home) | {"flow_log": []}
    run_all(home, read_settings(home), CLOCK)
    assert words_of(home) | {"flow_log": []} == before


def test_only_its_owner_can_read_a_backup(backup: Path) -> None:
    """Addresses of channels and health data are in it."""
    assert backup.stat().st_mode & 0o777 == 0o600


def test_nothing_is_overwritten(sample_home: Home, backup: Path, tmp_path: Path) -> None:
    """Neither a file by a backup nor a home by a restore."""
    occupied = homes.at(tmp_path / "home").prepare()
    (occupied.inbox / "waiting.fit").write_bytes(b"x")
    before = backup.read_bytes()

    with pytest.raises(KneewatchError, match="there already"):
        write_backup(sample_home, backup)
    with pytest.raises(KneewatchError, match="not empty"):
        restore_backup(backup, occupied)

    assert backup.read_bytes() == before
    assert (occupied.inbox / "waiting.fit").read_bytes() == b"x"


@pytest.mark.parametrize("damage", ["cut", "changed", "foreign", "empty", "leads out", "another file"])
def test_what_is_damaged_is_not_laid_out(damage: str, backup: Path, tmp_path: Path) -> None:
    """A sentence, and no half home."""
    path, home = tmp_path / "damaged.tar", homes.at(tmp_path / "home")
    content = bytearray(backup.read_bytes())
    if damage == "changed":
        content[len(content) // 2] ^= 1
    path.write_bytes(
        {"cut": content[: len(content) // 2], "empty": b"", "foreign": b"no tar at all" * 99}.get(
            damage, content
        )
    )
    if damage in ("leads out", "another file"):
        with tarfile.open(path, "a") as archive:
            archive.add(__file__, "../../outside" if damage == "leads out" else "archive/zz/new.fit")

    with pytest.raises(KneewatchError, match="damaged"):
        restore_backup(path, home)

    assert not home.root.exists()
    assert [one.name for one in tmp_path.iterdir()] == ["damaged.tar"]


def test_a_backup_can_be_written_while_files_come_in(sample_home: Home, tmp_path: Path) -> None:
    """What it holds is the state before or after a batch, and every activity in it has its samples and its original."""
    home = Home(Path(shutil.copytree(sample_home.root, tmp_path / "busy")))
    originals = sorted(home.archive.rglob("*.fit"))
    fresh = homes.at(tmp_path / "fresh").prepare()
    shutil.copy(home.settings_file, fresh.settings_file)
    for path in originals[:20]:
        shutil.copy(path, fresh.inbox / path.name)
    take_in(fresh, read_settings(fresh), CLOCK)
    for path in originals[20:]:
        shutil.copy(path, fresh.inbox / path.name)
    command = [Path(sys.executable).with_name("kneewatch"), "ingest", "--home", str(fresh.root)]
    flow = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    paths = []
    for count in range(5):
        paths.append(tmp_path / f"{count}.tar")
        write_backup(fresh, paths[-1])
    assert flow.wait(timeout=120) == 0

    for path in paths:
        restored = homes.at(tmp_path / path.stem)
        restore_backup(path, restored)
        found = tables_of(restored)
        files = files_of(restored)
        assert len(found["activities"]) >= 20
        assert {row["activity_id"] for row in found["activities"]} == {
            row["activity_id"] for row in found["outlines"]
        }
        assert all(any(row["activity_id"] in name for name in files) for row in found["activities"])
        assert all(any(row["export_id"] in name for name in files) for row in found["activities"])


def test_a_restored_home_cuts_its_maps_as_before(home: Home, tmp_path: Path) -> None:
    """With a new secret the same run, handed on again, would show what the first map hid."""
    run_all(home, read_settings(home), CLOCK)
    secret = secret_of(home)
    write_backup(home, tmp_path / "backup.tar")

    restored = homes.at(tmp_path / "restored")
    restore_backup(tmp_path / "backup.tar", restored)

    assert len(secret) == 32
    assert secret_of(home) == secret
    assert secret_of(restored) == secret
