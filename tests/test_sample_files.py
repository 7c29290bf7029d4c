"""The sample exports: the same every time, readable, within their limits, and true to Mara's story."""

import csv
import gzip
import io
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

import fitparse
import gpxpy
import pytest

from sample_data import fit_profile, fit_writer, make
from sample_data.story import (
    BROKEN_OFF_RUN,
    LOCAL_ZONE,
    PAIN_REPORTS,
    PLAN_START_DATE,
    RACE_DATE,
    RUNS,
    SPIKE_DATE,
    Run,
    recorded_runs,
)

FOLDER = Path(make.__file__).parent
PLAN = Path(__file__).parent.parent / "plans" / "half_marathon_beginner.csv"
MAX_TOTAL_BYTES = 7 * 2**20
MAX_FILE_BYTES = 1.5 * 2**20
SPIKE_RATIO, SPIKE_DEAD_BAND_KM = 1.10, 0.2
RAMP_RATIO, RAMP_KM, RAMP_BASE_KM = 1.3, 5, 10
GPS_ERROR = 0.004
READ_WITH_FITPARSE = ["2026-05-28", "2026-06-20", "2026-07-16", "2026-07-19", "2026-09-07"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder the exports were written to once more."""
    folder = tmp_path_factory.mktemp("sample_data")
    make.write(folder)
    return folder


def test_written_again_the_files_are_the_same(made: Path) -> None:
    """Names and bytes agree; packed files are compared unpacked, since packers differ from machine to machine."""
    again = {path.relative_to(made): unpacked(path) for path in made.rglob("*") if path.is_file()}

    kept = {path.relative_to(FOLDER): unpacked(path) for path in exports(FOLDER)}

    assert again.keys() == kept.keys()
    assert [str(name) for name in kept if kept[name] != again[name]] == []


def test_written_twice_in_a_row_they_are_the_same_to_the_byte(made: Path, tmp_path: Path) -> None:
    """No clock and no chance: also the packed files."""
    make.write(tmp_path)

    differing = [
        path
        for path in made.rglob("*.*")
        if path.read_bytes() != (tmp_path / path.relative_to(made)).read_bytes()
    ]

    assert differing == []


def test_packed_files_carry_no_time() -> None:
    """Bytes 4 to 8 of a gzip file are its time."""
    packed = [path for path in exports(FOLDER) if path.suffix == ".gz"]

    assert packed
    assert {path.read_bytes()[4:8] for path in packed} == {b"\0\0\0\0"}


def test_the_files_stay_small() -> None:
    """They live in the repository."""
    sizes = [path.stat().st_size for path in exports(FOLDER)]

    assert sum(sizes) <= MAX_TOTAL_BYTES
    assert max(sizes) <= MAX_FILE_BYTES


@pytest.mark.parametrize("day", READ_WITH_FITPARSE)
def test_fitparse_reads_them(day: str) -> None:
    """A second decoder agrees with the story: checksum, one sample a second, totals, both cadence halves."""
    run = next(run for run in RUNS if run.day.isoformat() == day)
    [path] = (FOLDER / "inbox").glob(f"{day}_*.fit*")

    messages = list(fitparse.FitFile(io.BytesIO(unpacked(path)), check_crc=True).get_messages())
    session = next(message.get_values() for message in messages if message.name == "session")
    samples = [message.get_values() for message in messages if message.name == "record"]
    activity = next(message.get_values() for message in messages if message.name == "activity")

    assert session["sport"] == "running"
    assert session["sub_sport"] == ("treadmill" if run.is_treadmill else "generic")
    assert session["total_distance"] == pytest.approx(run.km * 1000, rel=0.001)
    assert session["total_timer_time"] == len(samples) - 1
    assert session["total_elapsed_time"] - session["total_timer_time"] == sum(
        p.duration_s for p in run.pauses
    )
    assert session["unknown_193"] == (None if run.rpe is None else run.rpe * 10)
    assert all(50 <= sample["heart_rate"] <= 186 for sample in samples)
    assert all(56 <= sample["cadence"] + sample["fractional_cadence"] <= 86 for sample in samples)
    assert all(("position_lat" in sample) != run.is_treadmill for sample in samples)
    assert all(("stance_time" in sample) == (run.kind == "long") for sample in samples)
    assert activity["local_timestamp"] - activity["timestamp"] == timedelta(hours=2)


def test_every_fit_file_is_whole_and_as_long_as_the_story_says() -> None:
    """Header, size, checksum, and the distance of the session in every file of the inbox."""
    runs = {run.day: run for run in RUNS if run.export.startswith("fit")}

    found = {day_of(path): unpacked(path) for path in (FOLDER / "inbox").glob("*.fit*")}

    assert found.keys() == runs.keys()
    for day, content in found.items():
        assert content[:14] == fit_writer.header(len(content) - 16)
        assert fit_writer.crc16(content) == 0
        assert session_distance_m(content) == pytest.approx(runs[day].km * 1000, rel=0.02)


def test_every_gpx_file_is_as_long_as_the_story_says() -> None:
    """Measured point by point, with heart rate and cadence at each."""
    runs = {run.day: run for run in RUNS if run.export.startswith("gpx") or run.is_exported_twice}

    found = {day_of(path): gpxpy.parse(unpacked(path).decode()) for path in (FOLDER / "inbox").glob("*.gpx*")}

    assert found.keys() == runs.keys()
    for day, gpx in found.items():
        assert gpx.length_2d() == pytest.approx(runs[day].km * 1000, rel=0.02)
        assert gpx.tracks[0].type == "running"
        assert all(len(point.extensions[0]) == 2 for point in gpx.walk(only_points=True))


def test_one_run_is_there_twice_and_one_in_two_parts() -> None:
    """The platform's copy starts a second later; a long stop makes two segments."""
    platform = [path for path in exports(FOLDER) if "_platform" in path.name]
    twice = next(run for run in RUNS if run.is_exported_twice)
    [in_parts] = (FOLDER / "inbox").glob("2026-07-21_*.gpx.gz")

    start = gpxpy.parse(unpacked(platform[0]).decode()).get_time_bounds().start_time

    assert len(platform) == 1
    assert start == twice.started_at + timedelta(seconds=1)
    assert len(gpxpy.parse(unpacked(in_parts).decode()).tracks[0].segments) == 2


def test_the_broken_files_are_broken() -> None:
    """The first keeps about 2.4 km, the others nothing."""
    [broken_off] = (FOLDER / "broken").glob("*_broken-off.fit")
    garbage = (FOLDER / "broken" / "garbage.fit").read_bytes()

    kept_m, is_broken = distances_until_the_break(broken_off.read_bytes())

    assert is_broken
    assert kept_m[-1] == pytest.approx(BROKEN_OFF_RUN.km * 600, rel=0.02)
    assert distances_until_the_break(garbage) == ([], True)
    with pytest.raises(gpxpy.gpx.GPXException):
        gpxpy.parse((FOLDER / "broken" / "no-point.gpx").read_text(encoding="utf-8"))


def test_until_the_holiday_she_keeps_to_the_plan() -> None:
    """Weeks 1 to 7: every planned run on its day, within 2 %; weeks 8 and 9: none."""
    planned = {day: km for day, km in planned_runs() if day < PLAN_START_DATE + timedelta(weeks=7)}
    run = {run.day: run.km for run in RUNS if 1 <= run.plan_week <= 7}

    assert run.keys() == planned.keys()
    assert all(run[day] == pytest.approx(planned[day], rel=0.02) for day in planned)
    assert [run.day for run in RUNS if run.plan_week in (8, 9)] == []


def test_the_long_run_of_23_august_is_the_only_spike() -> None:
    """Also when GPS is 0.4 % off for the run, and whatever becomes of the broken file."""
    for runs in (RUNS, recorded_runs(), in_order((*RUNS, BROKEN_OFF_RUN))):
        assert [run.day for run in runs if is_spike(run, runs)] == [SPIKE_DATE]
        ratio = next(run.km / longest_before_km(run, runs) for run in runs if run.day == SPIKE_DATE)
        assert ratio == pytest.approx(1.415, abs=0.01)


def test_no_week_is_a_ramp() -> None:
    """No seven days are 30 % and 5 km above the seven before, on any day from the first run to race day."""
    for runs in (RUNS, recorded_runs(), in_order((*RUNS, BROKEN_OFF_RUN))):
        days = [runs[0].day + timedelta(days=n) for n in range((RACE_DATE - runs[0].day).days + 1)]

        assert [day for day in days if is_ramp(day, runs)] == []


def test_pain_is_written_down_after_the_run_and_begins_with_the_spike() -> None:
    """Nothing above 0 before 23 August; the right knee only."""
    rows = list(csv.DictReader((FOLDER / "inbox" / "pain.csv").read_text(encoding="utf-8").splitlines()))
    ends = {run.day: run.started_at + timedelta(minutes=6 * run.km) for run in RUNS}

    hurting = [row for row in rows if int(row["during"]) > 0]

    assert len(rows) == len(PAIN_REPORTS)
    assert min(row["date"] for row in hurting) == SPIKE_DATE.isoformat()
    assert {row["side"] for row in hurting} == {"right"}
    assert all(row["flags"] == "" for row in rows)
    assert all(
        ends[date.fromisoformat(r["date"])].astimezone(LOCAL_ZONE).strftime("%H:%M") < r["time"] for r in rows
    )


def test_the_readme_tells_the_same_weeks() -> None:
    """Its table has a row for each week with the kilometres planned, run, and the longest."""
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    planned = Counter[int]()
    for day, km in planned_runs():
        planned[(day - PLAN_START_DATE).days // 7 + 1] += km

    for week in range(1, 17):
        distances = [run.km for run in RUNS if run.plan_week == week]
        longest = f"{max(distances):.1f}" if distances else "–"
        assert (
            f"| {week} | {planned[week]:.1f} | {len(distances)} | {sum(distances):.1f} | {longest} |"
            in readme
        )


def exports(folder: Path) -> list[Path]:
    """Every file in inbox/ and broken/."""
    return sorted([*(folder / "inbox").iterdir(), *(folder / "broken").iterdir()])


def unpacked(path: Path) -> bytes:
    """The content, of a .gz decompressed."""
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def day_of(path: Path) -> date:
    """The day in the name."""
    return date.fromisoformat(path.name[:10])


def session_distance_m(content: bytes) -> float:
    """Distance of the session message, found by its definition."""
    start = content.index(fit_profile.SESSION.definition()) + len(fit_profile.SESSION.definition())
    size = fit_profile.SESSION.dtype.itemsize
    offset = fit_profile.SESSION.dtype.fields["total_distance"][1]
    return float(struct.unpack_from("<I", content[start : start + size], offset)[0]) / 100


def distances_until_the_break(content: bytes) -> tuple[list[float], bool]:
    """Distance of each sample that can be read, in metres, and whether reading failed."""
    distances_m = []
    try:
        for message in fitparse.FitFile(io.BytesIO(content), check_crc=False).get_messages("record"):
            distances_m.append(message.get_value("distance"))
    except fitparse.FitParseError:
        return distances_m, True
    return distances_m, False


def planned_runs() -> Iterator[tuple[date, float]]:
    """Day and kilometres of each planned run, the race left out."""
    weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    for row in csv.DictReader(PLAN.read_text(encoding="utf-8").splitlines()):
        if float(row["distance_km"]) > 0 and row["session"] != "race":
            days = 7 * (int(row["week"]) - 1) + weekdays.index(row["day"])
            yield PLAN_START_DATE + timedelta(days=days), float(row["distance_km"])


def in_order(runs: Iterable[Run]) -> tuple[Run, ...]:
    """The runs by start."""
    return tuple(sorted(runs, key=lambda run: run.started_at))


def longest_before_km(run: Run, runs: Iterable[Run]) -> float:
    """Longest run of the 30 days before; 0 when there is none."""
    since = run.started_at - timedelta(days=30)
    return max((other.km for other in runs if since <= other.started_at < run.started_at), default=0.0)


def is_spike(run: Run, runs: Iterable[Run]) -> bool:
    """More than 10 % beyond the longest of the 30 days before, and by more than GPS errs."""
    base_km = longest_before_km(run, runs)
    return base_km > 0 and run.km * (1 + GPS_ERROR) - SPIKE_RATIO * base_km >= max(
        SPIKE_DEAD_BAND_KM, 0.01 * base_km
    )


def is_ramp(day: date, runs: Iterable[Run]) -> bool:
    """Seven days up to this one far above the seven before."""
    ago = Counter[int]()
    for run in runs:
        ago[(day - run.day).days // 7] += run.km
    return ago[1] >= RAMP_BASE_KM and ago[0] > RAMP_RATIO * ago[1] and ago[0] - ago[1] >= RAMP_KM
