"""Real files of many watches and people: each ends as it should, and says what others' tests say of it."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.steps import Clock, refresh, take_in
from store import home as homes
from store.database import frame, opened_store
from store.home import Home
from store.settings import Settings

pytestmark = pytest.mark.xdist_group("corpus")  # so that its home is made once

CLOCK = Clock(datetime(2026, 11, 22, 12, tzinfo=UTC), date(2026, 11, 22))
SMALL_BYTES = {"fit": 20_000, "gpx": 4_000}
"""Of the many files in these folders only the small ones are taken, for time's sake."""
LEAST_SMALL_FILES = 30
SAME_RUN_TWICE = {"FR735XT-with-performance-condition.fit", "Fenix-3-with-runscribe-v1-38.fit"}
TRACE_OF_A_BUG = re.compile(r"Traceback|Error\b|Exception|<class|0x[0-9a-f]{6}|\bNone\b|\.py\b")

# What a number may be off by where the case itself does not say.
TOLERANCES = {"timer_s": 1, "elapsed_s": 1, "moving_s": 1, "avg_hr_bpm": 1, "max_hr_bpm": 0.5}
GAP_TOLERANCES = {"elevate": 0.01, "strava": 0.05}
"""Shares. Elevate's own tests allow 1 %; what Strava shows of the same files is up to 4.5 % away from Elevate's."""
COLUMNS = {"distance_km": ("distance_m", 1000)}

# Where we differ on purpose; docs/metrics.md says why. The list is exact: what holds after all is struck out here.
ON_PURPOSE = {
    "Half a minute on a few metres is no moving, as the case counts it.": {"standard.gpx moving_s"},
}


@pytest.fixture(scope="module")
def corpus_home(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home that took in the traps, the sixteen weeks and the small ones of the rest."""
    home = homes.at(tmp_path_factory.mktemp("corpus") / "home").prepare()
    settings = Settings.model_validate({"athletes": {"me": {"time_zone": "Europe/Berlin"}}})
    take_in(home, settings, CLOCK, list(chosen(corpus)))
    refresh(home, settings, CLOCK)
    return home


def chosen(corpus: Path) -> Iterator[Path]:
    for folder in ("traps", "sixteen_weeks"):
        yield from sorted((corpus / folder).iterdir())
    for folder, most_bytes in SMALL_BYTES.items():
        yield from (path for path in sorted((corpus / folder).iterdir()) if path.stat().st_size <= most_bytes)


def rows(home: Home, query: str) -> list[dict[str, Any]]:
    with opened_store(home) as con:
        return frame(con, query).to_dicts()


def test_every_file_ends_with_an_outcome(corpus: Path, corpus_home: Home) -> None:
    """One row for each file that was given, and for each export in an archive."""
    files = list(chosen(corpus))

    exports = rows(corpus_home, "from exports where parent_id is null")

    small = [path for path in files if path.parent.name in SMALL_BYTES]
    assert len(small) >= LEAST_SMALL_FILES
    assert sorted(row["file_name"] for row in exports) == sorted(path.name for path in files)
    assert {row["outcome"] for row in exports} <= {
        "ingested",
        "partly_ingested",
        "duplicate",
        "ignored",
        "quarantined",
    }


def test_whatever_is_not_simply_taken_in_has_a_reason(corpus_home: Home) -> None:
    """A sentence for a runner, without a word of the machine's."""
    exports = rows(corpus_home, "from exports")

    reasons = {row["file_name"]: row["reason"] or "" for row in exports if row["outcome"] != "ingested"}
    assert {name: why for name, why in reasons.items() if len(why) < 20 or not why.endswith(".")} == {}
    assert {name: why for name, why in reasons.items() if TRACE_OF_A_BUG.search(why)} == {}
    files = [row for row in exports if row["format"] != "zip"]  # an archive says what was in it
    assert all((row["reason"] is None) == (row["outcome"] == "ingested") for row in files)


def test_what_was_refused_lies_in_quarantine_and_the_rest_in_the_archive(corpus_home: Home) -> None:
    """Nothing is lost: the originals stay where they were, too, since they were given and not dropped."""
    refused = rows(corpus_home, "select file_name from exports where outcome = 'quarantined'")
    kept = rows(corpus_home, "select distinct export_id from exports where activities > 0")

    assert refused
    assert all((corpus_home.quarantine / row["file_name"]).exists() for row in refused)
    assert all((corpus_home.quarantine / f"{row['file_name']}.reason.json").exists() for row in refused)
    archived = {path.stem for path in corpus_home.archive.rglob("*") if path.is_file()}
    assert {row["export_id"] for row in kept} <= archived


def test_the_numbers_are_possible(corpus_home: Home) -> None:
    """In every activity and every sample of these files."""
    impossible = rows(
        corpus_home,
        """
        select activity_id from activities
        where not (elapsed_s >= timer_s and timer_s > 0 and isfinite(elapsed_s))
           or distance_m < 0 or not isfinite(distance_m) or moving_s > timer_s
           or not avg_hr_bpm between 25 and 240 or max_hr_bpm < avg_hr_bpm
           or is_run and distance_m / timer_s > 12
           or repaired_share not between 0 and 1 or local_date not between '1990-01-01' and '2026-11-23'
        union all
        select activity_id from samples
        where hr_bpm not between 25 and 240 or abs(lat_deg) > 90 or abs(lon_deg) > 180 or distance_m < 0
           or timer_s < 0 or timer_s > elapsed_s
        """,
    )

    assert impossible == []


def test_sixteen_weeks_of_one_person_hold_no_run_twice(corpus: Path, corpus_home: Home) -> None:
    """Seventy activities, some of them back to back on one day: all of them count, running or not."""
    folder = corpus / "sixteen_weeks"

    found = rows(
        corpus_home,
        "select file_name, is_run, duplicate_of from activities join exports using (export_id) "
        f"where starts_with(file_name, '{common_start(folder)}')",
    )

    assert len(found) == len(list(folder.iterdir()))
    assert [row["file_name"] for row in found if row["duplicate_of"]] == []
    assert {row["file_name"] for row in found if row["is_run"]} == {
        path.name for path in folder.iterdir() if "unning" in path.name
    }


def test_two_watches_on_one_run_are_one_run(corpus_home: Home) -> None:
    """Starts a second apart, 10,194 and 10,299 m: the only pair among the traps that this version can see."""
    pairs = rows(
        corpus_home,
        "select mine.file_name as name, its.file_name as double_of from activities a "
        "join exports mine on mine.export_id = a.export_id "
        "join activities b on b.activity_id = a.duplicate_of join exports its on its.export_id = b.export_id",
    )

    traps = [{pair["name"], pair["double_of"]} for pair in pairs if pair["name"] in SAME_RUN_TWICE]
    assert traps == [SAME_RUN_TWICE]


def test_what_others_assert_of_the_traps_holds(corpus: Path, corpus_home: Home) -> None:
    """All of it but what stands in ON_PURPOSE, and that does not hold."""
    cases = json.loads((corpus / "cases.json").read_text())

    failing = {f"{Path(case['file']).name} {name}" for case in cases for name in unmet(case, corpus_home)}

    assert failing == set().union(*ON_PURPOSE.values())


def unmet(case: dict[str, Any], home: Home) -> Iterator[str]:
    """Yield the names of the expectations of a case that do not hold."""
    found = rows(
        home,
        "select a.*, other.file_name as other_file from activities a join exports e using (export_id) "
        "left join activities b on b.activity_id = a.duplicate_of "
        "left join exports other on other.export_id = b.export_id "
        f"where e.file_name = '{Path(case['file']).name}' order by a.started_at",
    )
    expect = dict(case.get("expect", {}))
    if "duplicate_of" in case:
        expect["duplicate_of"] = case["duplicate_of"]
    for name, wanted in expect.items():
        if not holds(name, wanted, found, case, home):
            yield name


def holds(name: str, wanted: Any, found: list[dict[str, Any]], case: dict[str, Any], home: Home) -> bool:
    if name == "outcome":
        query = f"select outcome from exports where file_name = '{Path(case['file']).name}'"
        return rows(home, query) == [{"outcome": wanted}]
    if name in ("ingested", "refused"):  # of an archive's members, one of which is in another archive as well
        outcomes = {"ingested": ("ingested", "duplicate"), "refused": ("quarantined", "ignored")}[name]
        query = f"select * from exports where file_name like '{Path(case['file']).name}/%' and outcome in {outcomes}"
        return len(rows(home, query)) == wanted
    if name == "run":
        (run,) = [row for row in found if row["is_run"]]
        return all(agrees(column, one, run) for column, one in wanted.items())
    if name == "activities":
        return len(found) == wanted
    if name == "duplicate_of":
        return are_one(Path(case["file"]).name, Path(wanted).name, home)
    if name == "pauses_at_timer_s_for_s":
        return len(found) == 1 and pauses_agree(wanted, pauses_of(found[0], home))
    if name == "quality_mentions":
        return len(found) == 1 and wanted in " ".join(found[0]["quality"])
    each = wanted if "activities" in case.get("expect", {}) else [wanted]
    return len(found) == len(each) and all(
        agrees(name, one, row) for one, row in zip(each, found, strict=True)
    )


def agrees(name: str, wanted: Any, row: dict[str, Any]) -> bool:
    column, per_unit = COLUMNS.get(name, (name, 1))
    value = row.get(column)
    if wanted is None or isinstance(wanted, bool) or value is None:
        return value is wanted
    if isinstance(wanted, dict):
        return all(abs(value - one) <= GAP_TOLERANCES[peer] * one for peer, one in wanted.items())
    number, tolerance = wanted if isinstance(wanted, list) else (wanted, TOLERANCES[name])
    return abs(value / per_unit - number) <= tolerance


def are_one(name: str, other: str, home: Home) -> bool:
    """Tell whether one of two files points to the other."""
    found = rows(
        home,
        "select activity_id, duplicate_of from activities join exports using (export_id) "
        f"where file_name in ('{name}', '{other}')",
    )
    ids = {row["activity_id"] for row in found}
    return any(row["duplicate_of"] in ids for row in found)


def pauses_of(activity: dict[str, Any], home: Home) -> list[tuple[float, float]]:
    """Return (elapsed seconds at its start, seconds) of each time the timer stood; those that touch are one."""
    stood = "elapsed_s - timer_s"
    query = (
        f"with stops as (select elapsed_s, timer_s, {stood} - lag({stood}) over (order by elapsed_s) as stood_s "
        f"from samples where activity_id = '{activity['activity_id']}' qualify stood_s > 1) "
        "select min(elapsed_s - stood_s) as from_s, sum(stood_s) as stood_s from stops group by round(timer_s) order by 1"
    )
    return [(row["from_s"], row["stood_s"]) for row in rows(home, query)]


def pauses_agree(wanted: list[list[float]], found: list[tuple[float, float]]) -> bool:
    """Tell whether these are the same pauses; the cases give the time since the start, whatever the name says."""
    return len(wanted) == len(found) and all(
        abs(from_s - at_s) <= 6 and abs(stood_s - for_s) <= max(2, for_s / 100)
        for (from_s, stood_s), (at_s, for_s) in zip(found, wanted, strict=True)
    )


def common_start(folder: Path) -> str:
    return next(folder.iterdir()).name.partition("_")[0]
