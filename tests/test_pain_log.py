"""Pain reports in the store: what words of exports become, what a change leaves behind, and what follows from it."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from flows import steps
from flows.steps import Clock
from ingest.logs import EDITABLE, SCORES, LogError, PainReport, edited
from ingest.pain_log import save_pain_reports
from kneewatch.cli import app
from sample_data import gpx_writer
from sample_data.recording import record
from sample_data.story import Run
from store.database import frame, opened_published, opened_store
from store.errors import WrongUseError
from store.home import Home
from store.settings import Settings, read_settings

pytestmark = pytest.mark.homes

DAY = date(2026, 7, 2)
CLOCK = Clock(datetime(2026, 7, 3, 18, tzinfo=UTC), date(2026, 7, 3))


def export(title: str, *, hour: int = 8, first_sample: int = 0) -> bytes:
    """A run of 300 m with these words as its title."""
    started_at = datetime(DAY.year, DAY.month, DAY.day, hour, tzinfo=UTC)
    gpx = gpx_writer.encode(
        replace(record(Run(day=DAY, km=0.3)), started_at=started_at), first_sample=first_sample
    )
    return re.sub(rb"<name>.*</name>", f"<name>{title}</name>".encode(), gpx)


def take(home: Home, tmp_path: Path, name: str, content: bytes, clock: Clock = CLOCK) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    settings = read_settings(home)
    steps.take_in(home, settings, clock, [path])


def take_words(home: Home, tmp_path: Path, words: str, *, hour: int = 8) -> None:
    take(home, tmp_path, f"{hour}.gpx", export(words, hour=hour))


def rows(home: Home, query: str) -> list[dict[str, Any]]:
    with opened_store(home) as con:
        return frame(con, query).to_dicts()


def reports(home: Home) -> list[tuple[Any, ...]]:
    found = rows(home, "from pain_reports order by side")
    return [(row["side"], *(row[score] for score in SCORES), row["flags"]) for row in found]


def questions(home: Home) -> list[tuple[str, str]]:
    return [(row["words"], row["status"]) for row in rows(home, "from pain_questions order by words")]


def kneewatch(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--home", str(home.root)])


def a_report(**said: Any) -> PainReport:
    given_values = {
        "report_id": "a" * 64,
        "athlete": "runner",
        "reported_at": datetime(2026, 7, 2, 20, tzinfo=UTC),
        "local_date": DAY,
        "side": "left",
        "source": "cli",
    }
    return PainReport(**(given_values | said))


# Words of exports ------------------------------------------------------------------------------------------


def test_clear_words_of_an_export_are_a_report_of_its_day(home: Home, tmp_path: Path) -> None:
    """With the file as its source; the run is the one it stood in."""
    take(home, tmp_path, "morning.gpx", export("Easy, knee L 4/2/1 swelling"))
    steps.review(home, read_settings(home), CLOCK)

    [report] = rows(home, "from pain_reports")
    [activity] = rows(home, "from activities")

    assert reports(home) == [("left", None, 4.0, 2.0, 1.0, ["swelling"])]
    assert report["source"] == "note of morning.gpx"
    assert (report["local_date"], report["activity_id"]) == (DAY, activity["activity_id"])
    assert questions(home) == []


def test_doubtful_words_are_kept_as_a_question(home: Home, tmp_path: Path) -> None:
    """And nothing is made of them."""
    take_words(home, tmp_path, "knee felt weird 3 km in")

    assert reports(home) == []
    assert questions(home) == [("knee felt weird 3 km in", "open")]


def test_open_questions_are_told_of_and_each_comes_with_its_answer(home: Home, tmp_path: Path) -> None:
    """After an intake, and by remind until it is answered or left open."""
    (tmp_path / "a.gpx").write_bytes(export("knee felt weird 3 km in"))
    (tmp_path / "b.gpx").write_bytes(export("left knee 4/10 at 8 km", hour=15))

    taken = kneewatch(
        home, "ingest", str(tmp_path / "a.gpx"), str(tmp_path / "b.gpx"), "--today", "2026-07-03"
    )
    asked = [row for row in json.loads(kneewatch(home, "remind", "--json").stdout) if row["asks"] == "words"]
    as_text = kneewatch(home, "remind").stdout
    for command in (asked[0]["answer"].replace("SIDE", "right").replace(" N", " 2"), asked[1]["leave"]):
        assert kneewatch(home, *command.split()[1:]).exit_code == 0, command

    assert taken.stdout.splitlines()[-1] == "2 questions open: kneewatch pain questions"
    assert sorted(row["words"] for row in asked) == ["knee felt weird 3 km in", "left knee 4/10 at 8 km"]
    assert all(row["question"] in as_text and row["leave"] in as_text for row in asked)
    assert "Of Thursday (2 Jul) you wrote “left knee 4/10 at 8 km”" in as_text
    assert "pain add --date 2026-07-02 --side left --during N" in as_text
    assert [
        row for row in json.loads(kneewatch(home, "remind", "--json").stdout) if row["asks"] == "words"
    ] == []


def test_a_log_in_json_goes_the_way_of_a_csv(home: Home, tmp_path: Path) -> None:
    """From the inbox into the same tables; a wrong entry is named, and reading the archive again changes nothing."""
    told = {
        "pain_reports": [
            {"date": "2026-07-02", "side": "left", "during": 4, "note": "half a letter \ud800 and a \x00"},
            {"date": "2026-07-02", "side": "left", "next_morning": 12},
        ],
        "strength_sessions": [{"date": "2026-07-02", "exercise": "bridge", "sets": 3}],
    }
    (home.inbox / "diary.json").write_text(json.dumps(told))
    (home.inbox / "pain.json").write_text("[" * 100_000)
    settings = read_settings(home)

    taken = {one.file_name: one for one in steps.take_in(home, settings, CLOCK)}
    again = steps.take_in(home, settings, CLOCK, [*home.archive.rglob("*.json")])

    assert (taken["diary.json"].outcome, taken["diary.json"].activities) == ("partly_ingested", 2)
    assert (
        taken["diary.json"].reason == "pain_reports[1]: next_morning is 12; a score is a number from 0 to 10."
    )
    assert (taken["pain.json"].outcome, taken["pain.json"].reason) == (
        "quarantined",
        "This JSON is nested too deeply to be a log.",
    )
    assert reports(home) == [("left", None, 4.0, None, None, [])]
    assert [row["exercises"][0]["name"] for row in rows(home, "from strength_sessions")] == ["bridge"]
    assert [one.outcome for one in again] == ["duplicate"]
    assert [path.name for path in home.inbox.iterdir()] == []


def test_the_same_words_from_two_records_of_a_run_count_once(home: Home, tmp_path: Path) -> None:
    """Whether they are clear or not."""
    words = "Left knee 4/10. Right knee odd"
    take(home, tmp_path, "a.gpx", export(words))
    take(home, tmp_path, "b.gpx", export(words, first_sample=1))

    assert reports(home) == [("left", None, 4.0, None, None, [])]
    assert questions(home) == [("Right knee odd", "open")]
    assert rows(home, "from pain_history") == []


def test_a_second_run_of_the_day_that_says_otherwise_is_asked_about(home: Home, tmp_path: Path) -> None:
    """The first report stays as it is; what only completes it is added, with a trace."""
    take_words(home, tmp_path, "left knee 4/10", hour=8)
    take_words(home, tmp_path, "left knee 2/10 after", hour=12)
    take_words(home, tmp_path, "left knee 6/10", hour=17)

    assert reports(home) == [("left", None, 4.0, 2.0, None, [])]
    assert questions(home) == [("left knee 6/10 during", "open")]
    assert [row["how"] for row in rows(home, "from pain_history")] == ["completed"]


def test_words_never_bring_back_what_a_person_has_taken_out(home: Home, tmp_path: Path) -> None:
    """Nor overrule what was corrected: the platform's copy of the run comes later."""
    settings = read_settings(home)
    take(home, tmp_path, "a.gpx", export("left knee 4/10, right knee 2/10"))
    ids = {row["side"]: row["report_id"] for row in rows(home, "from pain_reports")}
    steps.edit_pain(home, settings, CLOCK, ids["left"], {"during": 3.0})
    steps.delete_pain(home, settings, CLOCK, ids["right"])

    take(
        home,
        tmp_path,
        "b.gpx",
        export("left knee 4/10, right knee 2/10", first_sample=1),
    )

    assert reports(home) == [("left", None, 3.0, None, None, [])]
    assert questions(home) == []


def test_reading_the_archive_again_reads_no_words_again(home: Home, tmp_path: Path) -> None:
    """What they say may have been corrected since, by whatever way."""
    take_words(home, tmp_path, "left knee 4/10")
    steps.bring_up_to_date(home, read_settings(home), CLOCK)
    kneewatch(home, "pain", "add", "--side", "left", "--during", "5", "--date", "2026-07-02")

    steps.rebuild(home, read_settings(home), CLOCK, from_archive=True)

    assert reports(home) == [("left", None, 5.0, None, None, [])]
    assert questions(home) == []
    assert len(rows(home, "from activities")) == 1


@pytest.mark.parametrize(
    ("words", "side", "status"),
    [
        ("knee weird", "right", "answered"),
        ("left knee weird", "left", "answered"),
        ("left knee weird", "both", "answered"),
        ("left knee weird", "right", "open"),
    ],
)
def test_a_report_of_that_day_and_knee_answers(
    words: str, side: str, status: str, home: Home, tmp_path: Path
) -> None:
    """Whichever way it comes; one of the other knee leaves the question open."""
    take_words(home, tmp_path, words)

    take(home, tmp_path, "pain.csv", f"date,side,during\n2026-07-02,{side},3\n".encode())

    assert questions(home) == [(words, status)]


def test_questions_are_shown_and_can_be_dismissed(home: Home, tmp_path: Path) -> None:
    """By the start of their id; a dismissed one is not asked again."""
    take_words(home, tmp_path, "knee weird")
    steps.bring_up_to_date(home, read_settings(home), CLOCK)
    shown = kneewatch(home, "pain", "questions")
    [question] = json.loads(kneewatch(home, "pain", "questions", "--json").stdout)

    dismissed = kneewatch(home, "pain", "dismiss", question["question_id"][:8])
    take_words(home, tmp_path, "knee weird", hour=12)

    assert "knee weird" in shown.stdout
    assert "kneewatch pain add --date" in shown.stdout
    assert dismissed.exit_code == 0
    assert kneewatch(home, "pain", "questions").stdout == "Nothing is open.\n"
    [question] = json.loads(kneewatch(home, "pain", "questions", "--all", "--json").stdout)
    assert question["status"] == "dismissed"


def test_an_unknown_question_is_one_sentence(home: Home) -> None:
    """With the command that shows those there are."""
    steps.bring_up_to_date(home, read_settings(home), CLOCK)

    found = kneewatch(home, "pain", "dismiss", "zz")

    assert "kneewatch pain questions shows them" in str(found.exception)


# Corrections -----------------------------------------------------------------------------------------------


@pytest.fixture
def own_home(sample_home: Home, tmp_path: Path) -> Home:
    """A copy of Mara's home that a test may change."""
    return Home(Path(shutil.copytree(sample_home.root, tmp_path / "copy")))


def reported_on(home: Home, day: str) -> str:
    [row] = rows(home, f"select report_id from pain_reports where local_date = date '{day}'")
    return str(row["report_id"])


def statuses(home: Home) -> dict[str, str]:
    with opened_published(home) as con:
        found = con.execute(
            "select strftime(local_date, '%Y-%m-%d'), status from alerts where side is not null"
        )
        return dict(found.fetchall())


def test_a_corrected_report_withdraws_its_alert_and_leaves_a_trace(own_home: Home) -> None:
    """The history holds the whole report as it was."""
    this = reported_on(own_home, "2026-08-27")
    [before] = rows(own_home, f"from pain_reports where report_id = '{this}'")

    done = kneewatch(
        own_home,
        "pain",
        "edit",
        this[:10],
        "--during",
        "0",
        "--after-60min",
        "0",
        "--unknown",
        "next-morning",
    )

    [after] = rows(own_home, f"from pain_reports where report_id = '{this}'")
    [trace] = rows(own_home, "from pain_history")
    was = json.loads(trace["was"])
    assert done.exit_code == 0, done.output
    assert (after["during"], after["after_60min"], after["next_morning"]) == (0.0, 0.0, None)
    assert (trace["report_id"], trace["how"]) == (this, "edited")
    assert {name: was[name] for name in EDITABLE} == {name: before[name] for name in EDITABLE}
    assert statuses(own_home)["2026-08-27"] == "superseded"


def test_a_correction_upwards_raises_what_it_would_have_raised(own_home: Home) -> None:
    """And says so at once."""
    done = kneewatch(
        own_home,
        "pain",
        "edit",
        reported_on(own_home, "2026-08-23"),
        "--flag",
        "locking",
        "--today",
        "2026-08-23",
    )

    assert "STOP: " in done.stdout


def test_a_deleted_report_withdraws_its_alert_and_leaves_a_trace(own_home: Home) -> None:
    """The day is not reported any more; what was said is in the history alone."""
    this = reported_on(own_home, "2026-08-27")

    done = kneewatch(own_home, "pain", "delete", this[:10])

    assert done.exit_code == 0, done.output
    assert "2026-08-27, right knee" in done.stdout
    assert rows(own_home, f"from pain_reports where report_id = '{this}'") == []
    assert [(row["report_id"], row["how"]) for row in rows(own_home, "from pain_history")] == [
        (this, "deleted")
    ]
    assert statuses(own_home)["2026-08-27"] == "superseded"


def test_the_list_shows_the_ids_to_correct_by(own_home: Home) -> None:
    """As they begin."""
    shown = kneewatch(own_home, "pain", "list")

    assert reported_on(own_home, "2026-08-27")[:12] in shown.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--during", "12"], "during is 12; a score is a number from 0 to 10."),
        (["--site", "elbow"], "site is 'elbow'"),
        (["--unknown", "side"], "--unknown side: allowed are site, before"),
        (["--during", "3", "--unknown", "during"], "--unknown during"),
        ([], "nothing to correct"),
        (["--unknown", "during", "--unknown", "flags", "--unknown", "before"], "the report says nothing"),
    ],
)
def test_a_wrong_correction_is_refused_and_changes_nothing(words: list[str], says: str, home: Home) -> None:
    """One sentence, no trace."""
    with opened_store(home) as con:
        save_pain_reports(con, [a_report(during=4.0)], now=CLOCK.now)
    steps.bring_up_to_date(home, read_settings(home), CLOCK)

    found = kneewatch(home, "pain", "edit", "aaaa", *words)

    assert isinstance(found.exception, WrongUseError)
    assert says in str(found.exception)
    assert rows(home, "from pain_history") == []
    assert reports(home) == [("left", None, 4.0, None, None, [])]


def test_a_completed_report_leaves_a_trace_and_a_repeated_one_none(home: Home, settings: Settings) -> None:
    """What it was before, with the time of the change."""
    later = CLOCK.now + timedelta(hours=1)
    with opened_store(home) as con:
        save_pain_reports(con, [a_report(during=4.0)], now=CLOCK.now)
        save_pain_reports(con, [a_report(during=4.0, source="form")], now=later)
        save_pain_reports(con, [a_report(next_morning=1.0)], now=later)

    [trace] = rows(home, "from pain_history")
    assert (trace["how"], trace["changed_at"]) == ("completed", later)
    assert json.loads(trace["was"])["next_morning"] is None
    assert reports(home) == [("left", None, 4.0, None, 1.0, [])]


SCORE = st.none() | st.integers(0, 10).map(float)


@given(
    st.fixed_dictionaries(dict.fromkeys(SCORES, SCORE)),
    st.dictionaries(st.sampled_from(SCORES), SCORE),
)
def test_a_correction_changes_what_it_names_and_nothing_else(
    said: dict[str, float | None], changes: dict[str, float | None]
) -> None:
    """And can be taken back by another, unless nothing would be left."""
    report = a_report(**said)
    if all(score is None for score in (said | changes).values()):
        with pytest.raises(LogError, match="says nothing"):
            edited(report, changes)
        return

    corrected = edited(report, changes)

    assert {name: getattr(corrected, name) for name in SCORES} == said | changes
    assert replace(corrected, **said) == report
