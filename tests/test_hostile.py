"""
Hostile files: each is dropped into a real home beside a good run, and costs itself only.

All of them lie in one inbox and go through one real intake. What the readers do with XML, FIT and archives made to harm is
tested where they are; here is what becomes of the file, the store and the folders around the home. The long set
(`make test-faults`) watches the system calls of the real command.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import pytest

from flows import plans, steps
from flows.steps import Clock
from ingest.intake import Taken
from sample_data import damage, fit_writer, hostile
from sample_data.hostile import SCRIPT, gpx, way, zipped
from sample_data.recording import record
from sample_data.story import Run
from store import home as homes
from store.database import opened_published
from store.home import Home
from store.settings import read_settings

KNEEWATCH = Path(sys.executable).with_name("kneewatch")
CLOCK = Clock(datetime(2026, 7, 20, 18, tzinfo=UTC), date(2026, 7, 20))
MOST_S = 10
SETTINGS = "[limits]\nmax_file_mib = 16\nmax_read_mib = 224\n"
"""A sixteenth and a quarter of what is usual, so that the bombs may be as much smaller."""
CANARY = "canary-that-nobody-may-read"
RUN = record(Run(day=date(2026, 7, 2), km=0.6))
GARBAGE = damage.garbage_fit()
FIT_EPOCH_S = int(fit_writer.FIT_EPOCH.timestamp())
JULY_S = int(datetime(2026, 7, 9, 6, tzinfo=UTC).timestamp()) - FIT_EPOCH_S


def run_on(day: int, *, hour: int = 6) -> bytes:
    """Return a good run on a day of July 2026."""
    return fit_writer.encode(replace(RUN, started_at=datetime(2026, 7, day, hour, 12, tzinfo=UTC)))


def garbage(mark: str) -> bytes:
    """Return a FIT file that is refused, like no other."""
    return GARBAGE[:14] + mark.encode() + GARBAGE[14 + len(mark.encode()) :]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A hostile file, and what must come of it; `says` is looked for in the reason."""

    name: str
    content: bytes
    outcome: str
    says: str | None = None


def cases(around: Path) -> list[Case]:
    """Return everything that is dropped; `around` holds what nobody may read or write."""
    return [*archives(around), *packed(), *xml_files(around), *fit_files(), *words(), *names()]


def archives(around: Path) -> Iterator[Case]:
    leading_away = (
        "../../../../around/up.fit",
        "..\\..\\back.fit",
        "C:\\drive.fit",
        f"{around}/absolute.fit",
        "a/../../../../dots.fit",
    )
    yield Case(
        name="names that lead away.zip",
        content=zipped({name: garbage(name) for name in leading_away}),
        outcome="partly_ingested",
        says=r"^5 exports, 5 of them refused; 0 other files left alone\.$",
    )
    odd = (
        "nul\0.fit",
        "new\nline.fit",
        "\u202etif.run.fit",
        "🏃" * 60 + ".fit",
        "n" * 251 + ".fit",
        "a/" * 300 + "deep.fit",
    )
    yield Case(
        name="odd names.zip",
        content=zipped({name: garbage(name[:20]) for name in odd}),
        outcome="partly_ingested",
        # zipfile ends a name at NUL, and what is then called "nul" is no export.
        says=r"^5 exports, 5 of them refused; 1 other files left alone\.$",
    )
    yield Case(
        name="five levels.zip",
        content=hostile.nested(5, run_on(3)),
        outcome="ignored",
        says=r"^0 exports, 0 of them refused; 1 other files left alone\.$",
    )
    yield Case(
        name="three levels called runs.zip",
        content=zipped({"a.zip": zipped({"b.fit": zipped({"c.fit": run_on(3)})})}),
        outcome="partly_ingested",
        says="1 exports, 1 of them refused",
    )
    yield Case(
        name="itself.zip",
        content=hostile.zip_that_holds_itself(),
        outcome="partly_ingested",
        says="1 exports, 1 of them refused",
    )
    yield Case(
        name="overlap.zip", content=hostile.overlapping_zip(run_on(3)), outcome="quarantined", says="overlap"
    )
    yield Case(
        name="bomb.zip",
        content=hostile.zip_bomb("bomb.fit", 17),
        outcome="partly_ingested",
        says="1 exports, 1 of them refused",
    )
    yield Case(
        name="entries.zip",
        content=hostile.zip_of_entries(100_001),
        outcome="quarantined",
        says=r"^This zip archive holds more than 100,000 entries \(limits\.max_archive_entries\)\.$",
    )
    yield Case(
        name="many entries.zip",
        content=hostile.zip_of_entries(20_000),
        outcome="ignored",
        says="20000 other files left alone",
    )
    yield Case(
        name="claims.zip",
        content=hostile.zip_of_entries(1, told=65_535),
        outcome="ignored",
        says="1 other files left alone",
    )
    yield Case(
        name="encrypted.zip",
        content=hostile.encrypted_zip(run_on(3)),
        outcome="partly_ingested",
        says="1 exports, 1 of them refused",
    )
    yield Case(
        name="strava.zip",
        content=zipped({"activities.csv": b"\n" * 8_000_000, "activities/1.fit": run_on(4)}),
        outcome="partly_ingested",
        says=r"took more than 224 MiB of memory \(limits\.max_read_mib\)\.$",
    )
    laughing = f"{hostile.laughs()}<HealthData><Workout workoutActivityType='&j;'/></HealthData>"
    yield Case(
        name="apple.zip",
        content=zipped({"apple_health_export/export.xml": laughing.encode()}),
        outcome="ignored",
        says="1 other files left alone",
    )


def packed() -> Iterator[Case]:
    yield Case(
        name="bomb.gpx.gz",
        content=hostile.gzip_bomb(17),
        outcome="quarantined",
        says=r"^Decompressed, this file is larger than 16 MiB \(limits\.max_file_mib\)\.$",
    )
    yield Case(
        name="twice.fit.gz",
        content=gzip.compress(gzip.compress(run_on(3))),
        outcome="quarantined",
        says="damaged",
    )
    yield Case(
        name="pieces.gpx.gz",
        content=gzip.compress(b"") * 10_001,
        outcome="quarantined",
        says="made of more than 10,000 pieces",
    )
    yield Case(
        name="archive.gz",
        content=gzip.compress(zipped({"run.fit": run_on(3)})),
        outcome="quarantined",
        says="archive inside an archive",
    )
    yield Case(name="large.fit", content=bytes(17 * 2**20), outcome="quarantined", says="larger than 16 MiB")


def xml_files(around: Path) -> Iterator[Case]:
    refused = {
        "laughs.gpx": hostile.laughs(),
        "file.gpx": f'<!DOCTYPE gpx [<!ENTITY j SYSTEM "file://{around}/canary.txt">]>',
        "network.gpx": '<!DOCTYPE gpx SYSTEM "http://127.0.0.1:9/gpx.dtd">',
    }
    for name, declaration in refused.items():
        content = gpx(way("2026-07-05"), name="&j;", declaration=declaration)
        yield Case(name=name, content=content, outcome="quarantined", says="declares a document type")
    yield Case(
        name="depth.gpx",
        content=b"<gpx><trk><trkseg>" + b"<trkpt>" * 500_000,
        outcome="quarantined",
        says=r"\.$",
    )
    for year in (1970, 2106):
        yield Case(
            name=f"{year}.gpx",
            content=gpx(way(f"{year}-02-07")),
            outcome="quarantined",
            says=f"starts on {year}-02-07, which cannot be",
        )
    points = way("2026-07-06")
    for place, odd in enumerate(("NaN", "inf", "-inf", "91", "1e308", "-90.001", "", "52,1", "0x34")):
        points[50 + 40 * place] |= {"lat": odd}
    for place, odd in enumerate(("NaN", "181", "-181", "1e999", "360")):
        points[70 + 40 * place] |= {"lon": odd}
    for place, odd in enumerate(
        ("1970-01-01T00:00:00Z", "2106-02-07T06:28:15Z", "9999-12-31T23:59:59Z", "0000-00-00T00:00:00Z")
    ):
        points[60 + 40 * place] |= {"time": odd}
    yield Case(name="impossible points.gpx", content=gpx(points), outcome="ingested")
    poles = [point | {"lat": "91", "lon": "181"} for point in way("2026-07-07")]
    yield Case(name="nowhere on earth.gpx", content=gpx(poles), outcome="ingested")


def fit_files() -> Iterator[Case]:
    yield Case(
        name="claims 4 GiB.fit",
        content=hostile.with_told_size(run_on(8), 0xFFFFFFF0),
        outcome="partly_ingested",
        says="The file breaks off",
    )
    yield Case(
        name="claims 200 bytes.fit", content=hostile.with_told_size(run_on(10), 200), outcome="ingested"
    )
    yield Case(
        name="gigantic.fit", content=hostile.gigantic_definitions(), outcome="quarantined", says=r"\.$"
    )
    yield Case(
        name="endless.fit",
        content=hostile.endless_definitions(5_000),
        outcome="quarantined",
        says="more kinds of messages",
    )
    for what, first in {"power-on": 0, "2106": 0xFFFFFFFF - 400, "nothing": 0xFFFFFFFF}.items():
        stamps = [min(first + n, 0xFFFFFFFF) for n in range(300)]
        yield Case(
            name=f"clock says {what}.fit",
            content=hostile.records(stamps),
            outcome="quarantined",
            says="starts on 2126-02-06, which cannot be" if what == "2106" else "clock was not set",
        )
    leaps = {100: 0, 150: 1, 200: 0xFFFFFFFE, 201: 0xFFFFFFFF, 250: 0x10000000}
    yield Case(
        name="clock that leaps.fit",
        content=hostile.records([leaps.get(n, JULY_S + n) for n in range(600)]),
        outcome="partly_ingested",
        says="has no summary",
    )


def words() -> Iterator[Case]:
    escaped = SCRIPT.replace("<", "&lt;").replace(">", "&gt;")
    yield Case(name="title.gpx", content=gpx(way("2026-07-20"), name=escaped), outcome="ingested")
    yield Case(
        name="pain.csv",
        content=f'date,side,during,note\n2026-07-20,left,2,"{SCRIPT}"\n2026-07-20,{SCRIPT},2,\n'.encode(),
        outcome="partly_ingested",
        says=r"^line 3: side is .*script",
    )
    yield Case(
        name="wrong lines.csv",
        content=b"date,side,during\n" + b"x\n" * 30_000,
        outcome="quarantined",
        says=r"And 29,980 more\.$",
    )
    yield Case(
        name="long.csv",
        content=b"date,side,during\n" + b"2026-07-20,left,2\n" * 60_000,
        outcome="quarantined",
        says=r"^This log is larger than 1 MiB; split it\.$",
    )
    session = {
        "name": "half a letter \ud83d",
        "exercises": [
            {
                "startTime": "2026-07-11T06:00:00",
                "timezoneOffset": 0,
                "duration": "PT600S",
                "sport": "RUNNING",
            }
        ],
    }
    yield Case(name="half.json", content=json.dumps(session).encode(), outcome="ingested")


def names() -> Iterator[Case]:
    for name in (
        f"{SCRIPT.replace('/', '')}.fit",
        "new\nline.fit",
        "\u202etif.run.fit",
        "🏃🏽‍♀️.fit",
        "n" * 251 + ".fit",
        "refused.fit.reason.json.fit",
        "-rf.fit",
    ):
        yield Case(name=name, content=garbage(name[:20]), outcome="quarantined", says=r"damaged .*\.$")


@dataclass(frozen=True)
class Story:
    """What was dropped, what came of it, when each was told, and what lay around the home before."""

    home: Home
    around: Path
    cases: list[Case]
    before: dict[str, bytes]
    taken: dict[str, Taken]
    told_at_s: list[float]


def files_below(folder: Path, *, but: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_relative_to(but)
    }


def new_home(folder: Path) -> tuple[Home, Path, list[Case]]:
    """Return a home whose inbox holds all hostile files and two good runs, and a folder beside it that is none of ours."""
    home, around = homes.at(folder / "users" / "mara" / "home").prepare(), folder / "users" / "around"
    around.mkdir()
    (around / "canary.txt").write_text(CANARY)
    home.settings_file.write_text(SETTINGS)
    dropped = cases(around)
    for case in dropped:
        (home.inbox / case.name).write_bytes(case.content)
    for name, day in (("a good run.fit", 1), ("z good run.fit", 2)):
        (home.inbox / name).write_bytes(run_on(day))
    (home.inbox / "link.fit").symlink_to(around / "canary.txt")
    return home, around, dropped


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("hostile")
    home, around, dropped = new_home(folder)
    before = files_below(folder, but=home.root)
    settings = read_settings(home)
    told_at_s = [perf_counter()]

    taken = steps.take_in(home, settings, CLOCK, on_file=lambda *_: told_at_s.append(perf_counter()))

    told_at_s.append(perf_counter())
    # Of a run that no plan asked for, the page shows the title.
    choice = plans.PlanChoice(plan="half_marathon_beginner", race_date=date(2026, 10, 4))
    use = partial(plans.use, athlete="me", choice=choice, today=CLOCK.today, now=CLOCK.now)
    steps.change_plan(home, settings, CLOCK, use)
    return Story(home, around, dropped, before, {one.file_name: one for one in taken}, told_at_s)


def ask(story: Story, question: str) -> list[tuple[object, ...]]:
    with opened_published(story.home) as con:
        return con.execute(question).fetchall()


def test_each_ends_as_it_should_with_a_sentence(story: Story) -> None:
    """Quarantined, ignored or taken in as far as it is sound; and it has left the inbox."""
    otherwise = {}
    for case in story.cases:
        taken = story.taken[case.name]
        says_so = re.search(case.says, taken.reason or "") if case.says else taken.reason is None
        if taken.outcome != case.outcome or not says_so or (story.home.inbox / case.name).exists():
            otherwise[case.name] = taken

    assert otherwise == {}
    assert len(story.cases) > 40


def test_the_good_runs_beside_them_are_in(story: Story) -> None:
    """The first and the last by name, and what was good inside of archives."""
    for name in ("a good run.fit", "z good run.fit", "strava.zip/activities/1.fit"):
        assert story.taken[name].outcome == "ingested"
    assert ask(
        story, "select count(*) from runs where local_date in ('2026-07-01', '2026-07-02', '2026-07-04')"
    ) == [(3,)]


def test_no_file_takes_ten_seconds(story: Story) -> None:
    """From one outcome to the next, between which each file was read whole."""
    assert max(after - before for before, after in pairwise(story.told_at_s)) < MOST_S


def test_nothing_impossible_is_in_the_database(story: Story) -> None:
    """Times, places and distances that no run has; the views of what is derived hold no more than what was taken in."""
    impossible = {
        "activities": "started_at not between '2026-07-01' and '2026-07-21' or distance_m > 5000 or distance_m < 0 "
        "or isnan(distance_m) or elapsed_s > 3600 or elapsed_s <= 0 or timer_s > elapsed_s or moving_s > elapsed_s",
        "samples": "\"at\" not between '2026-07-01' and '2026-07-21' or abs(lat_deg) > 90 or abs(lon_deg) > 180 "
        "or isnan(lat_deg) or isnan(lon_deg) or lat_deg not between 51 and 54 or distance_m < 0 or isnan(distance_m) "
        "or elapsed_s < 0 or elapsed_s > 3600",
        "laps": "started_at not between '2026-07-01' and '2026-07-21' or timer_s < 0 or distance_m < 0",
        "daily_load": "isnan(distance_m) or distance_m < 0 or distance_m > 10000",
    }
    for table, condition in impossible.items():
        assert ask(story, f"select * from {table} where {condition}") == []
    assert ask(story, "select count(*) from activities") == [(10,)]


def test_nothing_around_the_home_was_touched(story: Story) -> None:
    """No file more, none less, none changed; and what is refused lies in the quarantine."""
    users = story.around.parent.parent
    assert files_below(users, but=story.home.root) == story.before
    refused = [one for one in story.taken.values() if one.outcome == "quarantined"]
    reasons = list(story.home.quarantine.rglob("*.reason.json"))
    # Three refused members have no bytes that could be kept: too large, encrypted, or in an archive that is none.
    assert len(reasons) == len(refused) - 3


def test_what_lies_outside_was_not_read(story: Story) -> None:
    """Neither by an entity nor by a link, which stays where it is."""
    for path in story.home.root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert CANARY.encode() not in path.read_bytes(), path
    assert (story.home.inbox / "link.fit").is_symlink()


def test_html_and_sql_in_words_are_whole_in_the_database(story: Story) -> None:
    """Titles, notes and names of files are kept as they were written, and no more than text."""
    assert ask(story, "select title from activities where title like '%script%'") == [(SCRIPT,)]
    assert ask(story, "select note from pain_reports") == [(SCRIPT,)]
    named = f"{SCRIPT.replace('/', '')}.fit"
    assert ask(story, "select count(*) from exports where file_name like '%script%'") == [(1,)]
    assert story.taken[named].file_name == named
    assert ask(story, "select title from activities where title like 'half%'") == [("half a letter ?",)]


def test_html_in_words_is_text_in_the_report(story: Story) -> None:
    """Escaped wherever it stands: as the title of a run, and as the name of a refused file."""
    page = (story.home.reports / "latest.html").read_text()

    escaped = "&lt;script&gt;alert(&#39;Robert&#39;)"
    assert "<script" not in page
    assert f'title">{escaped}' in page
    assert f'file">{escaped}' in page


def on_a_terminal(command: list[str]) -> tuple[int, str]:
    """Run a command before a person, and return its exit code and all that reached the terminal."""
    ours, its = pty.openpty()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=its, stderr=its)
    os.close(its)
    shown = b""
    with contextlib.suppress(OSError):  # that is how a terminal ends
        while piece := os.read(ours, 2**16):
            shown += piece
    os.close(ours)
    return process.wait(timeout=60), shown.decode(errors="replace")


def test_names_do_not_command_the_terminal(tmp_path: Path) -> None:
    """Neither by the letters that terminals obey nor by those that Rich does; what they are called is still to be read."""
    home = homes.at(tmp_path / "home").prepare()
    odd = ("[/bold]back.fit", "\x1b]0;title\x07.fit", "\x9b2Jc1.fit", "\u202etif.run.fit")
    (home.inbox / "odd.zip").write_bytes(zipped({name: garbage(name) for name in odd}))

    code, shown = on_a_terminal([str(KNEEWATCH), "ingest", "--home", str(home.root), "--today", "2026-07-20"])

    assert code == 1, shown
    assert "Traceback" not in shown
    assert re.search(r"\x1b\]|\x07|\x9b|\u202e", shown) is None
    assert "[/bold]back" in shown.replace("\r\n", "")


# The long set ----------------------------------------------------------------------------------------------

WRITING_CALLS = (
    "creat",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "link",
    "symlink",
)
CALL = re.compile(r"^\d+ +(\w+)\((.*)")
PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')
OPENED = re.compile(r"= \d+<([^>]*)>$")
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")


@dataclass(frozen=True)
class Call:
    """One system call: the paths that it names, where what it opened really lies, and its arguments as text."""

    name: str
    arguments: str
    paths: tuple[str, ...]
    opened: str | None

    def writes(self) -> bool:
        return self.name in WRITING_CALLS or bool(
            self.name.startswith("open") and WRITES.search(self.arguments)
        )


def calls_in(log: Path) -> list[Call]:
    found = []
    for line in log.read_text(errors="replace").splitlines():
        if match := CALL.match(line):
            name, arguments = match.groups()
            paths = tuple(os.path.normpath(os.path.join(*pair)) for pair in PATH.findall(arguments))  # noqa: PTH118
            opened = OPENED.search(arguments)
            found.append(Call(name, arguments, paths, opened[1] if opened else None))
    return found


@pytest.mark.faults
def test_the_real_command_writes_reads_and_connects_nowhere_else(strace: str, tmp_path: Path) -> None:
    """By its system calls, and those of the processes that read the files for it."""
    home, around, dropped = new_home(tmp_path)
    temporary, elsewhere, log = tmp_path / "temporary", tmp_path / "elsewhere", tmp_path / "calls"
    temporary.mkdir()
    elsewhere.mkdir()
    traced = ("openat", "open", *WRITING_CALLS, "socket", "connect", "bind")
    command = [str(KNEEWATCH), "ingest", "--home", str(home.root), "--today", "2026-07-20"]

    done = subprocess.run(
        [strace, "-f", "-y", "-s", "4096", "-o", str(log), "-e", f"trace={','.join(traced)}", *command],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=elsewhere,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"},
    )

    assert done.returncode == 1, done.stderr  # some were refused
    assert "Traceback" not in done.stderr
    calls = calls_in(log)
    allowed = (f"{home.root}/", str(home.root), f"{temporary}", "/dev/null")
    written = [path for call in calls if call.writes() for path in call.paths]
    assert [path for path in written if not path.startswith(allowed)] == []
    assert len(written) > 2 * len(dropped)
    seen = [path for call in calls for path in (*call.paths, call.opened) if path]
    assert [path for path in seen if path.startswith(str(around))] == []
    assert f"{home.inbox}/title.gpx" in seen
    assert {call.arguments.split(",")[0] for call in calls if call.name == "socket"} <= {"AF_UNIX"}
    assert [call for call in calls if call.name in ("connect", "bind")] == []
    assert list(elsewhere.iterdir()) == list(temporary.iterdir()) == []


@pytest.fixture
def strace() -> str:
    found = shutil.which("strace")
    if not found:
        pytest.skip("There is no strace here; on Debian: apt-get install strace.")
    if subprocess.run([found, "-o", "/dev/null", "true"], capture_output=True, check=False).returncode:
        pytest.skip("Nothing can be traced here.")
    return found
