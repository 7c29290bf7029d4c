"""Reading in processes of their own: limits hold, and what breaks one costs one file."""

import os
import signal
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ingest import workers
from ingest.errors import IngestError
from ingest.jobs import Job, Read, Tables
from ingest.platforms import Words
from ingest.recording import Told
from ingest.workers import Limits, read_all, read_words
from sample_data import fit_writer
from sample_data.recording import record
from sample_data.story import Run

FIT = fit_writer.encode(record(Run(day=date(2026, 7, 1), km=0.3)))
ROOMY = Limits(seconds=30, mib=512)


def job(path: Path) -> Job:
    return Job(
        path=path,
        format="fit",
        athlete="mara",
        export_id="e" * 64,
        time_zone="Europe/Berlin",
        now=datetime(2026, 10, 3, tzinfo=UTC),
    )


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.fit"
    path.write_bytes(FIT)
    return path


def outcomes(paths: list[Path], limits: Limits = ROOMY) -> list[str]:
    """Return for each file `read`, or why not."""
    return [
        "read" if isinstance(result, Read) else str(result) for _, result in read_all(map(job, paths), limits)
    ]


def test_files_come_back_in_the_order_given(tmp_path: Path, good: Path) -> None:
    """Each with the job that asked for it."""
    broken = tmp_path / "broken.fit"
    broken.write_bytes(b"no FIT at all")
    jobs = [job(path) for path in (good, broken, good)]

    answers = list(read_all(jobs, ROOMY))

    assert [asked for asked, _ in answers] == jobs
    assert [type(result) for _, result in answers] == [Read, IngestError, Read]


def test_a_file_that_takes_too_much_memory_costs_itself_only(tmp_path: Path, good: Path) -> None:
    """The limit is that of the process as a whole, with all it has loaded."""
    large = tmp_path / "large.fit"
    with large.open("wb") as file:
        file.truncate(150 * 2**20)

    first, refused, last = outcomes([good, large, good], Limits(seconds=30, mib=200))

    assert (first, last) == ("read", "read")
    assert refused == "Reading this file took more than 200 MiB of memory (limits.max_read_mib)."


def test_a_file_that_takes_too_long_is_given_up(good: Path) -> None:
    """And the process with it."""
    refused = outcomes([good], Limits(seconds=0, mib=512))

    assert refused == ["Reading this file took longer than 0 s (limits.max_read_s); it was given up."]


def test_what_a_reader_has_to_load_does_not_count(good: Path) -> None:
    """On a busy machine it takes longer than reading may."""
    busy = workers.Worker(Limits(seconds=5, mib=512))
    os.kill(busy._process.pid, signal.SIGSTOP)
    busy.ask(job(good))
    threading.Timer(6, os.kill, (busy._process.pid, signal.SIGCONT)).start()

    answer = busy.answer()

    busy.stop()
    assert isinstance(answer, Read)


def archive(folder: Path, table: bytes) -> Tables:
    """Return a question for what Strava's table in an archive says."""
    path = folder / "archive.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("activities.csv", table)
    return Tables(path, most_entries=10)


def test_a_platforms_table_is_read_like_a_file(tmp_path: Path) -> None:
    """In the same process as the files."""
    table = b"ID,Date,Activity Name,Type,Text,Filename\n1,x,Evening loop,Run,,activities/1.fit\n"

    assert read_words(archive(tmp_path, table), ROOMY) == Words(
        of={"activities/1.fit": Told(title="Evening loop")}
    )


@pytest.mark.parametrize(
    "table", [b"\n" * 20_000_000, b"," * 20_000_000, b"\xf0\x9f\x98\x80" + b"x" * 20_000_000]
)
def test_a_table_that_takes_too_much_memory_is_given_up(table: bytes, tmp_path: Path) -> None:
    """Millions of empty lines or cells are small files, and so is text of which one letter makes every other larger."""
    answer = read_words(archive(tmp_path, table), Limits(seconds=30, mib=200))

    assert str(answer) == "Reading this file took more than 200 MiB of memory (limits.max_read_mib)."


def test_a_process_that_dies_is_replaced(good: Path) -> None:
    """As when the system runs out of memory and takes it."""

    def jobs() -> Iterator[Job]:
        yield job(good)
        (worker,) = held
        os.kill(worker._process.pid, signal.SIGKILL)
        yield job(good)

    workers.start(ROOMY)
    held = [workers._idle[-1]]

    first, second = (result for _, result in read_all(jobs(), ROOMY))

    assert isinstance(first, IngestError)
    assert isinstance(second, Read)


def test_who_stops_listening_leaves_no_process_behind(good: Path) -> None:
    """One that is still reading is ended."""
    workers.start(ROOMY)
    worker = workers._idle[-1]
    answers = read_all(map(job, [good] * 20), ROOMY)
    next(answers)

    answers.close()

    assert not worker.is_alive() or worker in workers._idle
