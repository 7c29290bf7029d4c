"""Questionnaires about a knee: what they score, the ways in, how a score changed, and when the next one is asked for."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from analytics import questionnaires as scoring
from analytics.pain import Report
from analytics.questionnaires import (
    KOOS_ITEMS,
    KOOS_MDC,
    KOOS_MIC,
    OSTRC_ITEMS,
    SCORING_VERSION,
    Answered,
    is_substantial,
    koos_score,
    ostrc_score,
    scores,
)
from analytics.reminders import due_questionnaires
from flows import steps
from flows.steps import Clock
from ingest import questionnaires as reading
from ingest.logs import LogError
from ingest.questionnaires import (
    KINDS,
    OSTRC_VALUES,
    kind_of_questionnaire,
    questionnaire,
    read_questionnaire_csv,
)
from kneewatch.cli import app
from report.knee_words import OSTRC_LABELS, questionnaire_sentence
from report.messages import reminder_words
from report.words import words
from store.database import frame, opened_store
from store.home import Home
from store.settings import read_settings

TODAY = date(2026, 7, 31)
CLOCK = Clock(datetime(2026, 7, 31, 18, tzinfo=UTC), TODAY)
KNEEWATCH = Path(sys.executable).with_name("kneewatch")


def ostrc(*values: int) -> dict[str, int]:
    return dict(zip(OSTRC_ITEMS, values, strict=True))


def koos(*values: int) -> dict[str, int]:
    return dict(zip(KOOS_ITEMS, values, strict=False))


def answered(day: int, kind: Any = "koos_pf", side: str = "right", **said: Any) -> Answered:
    known = {"questionnaire_id": f"{kind} {side} {day}", "answers": koos(*[2] * 11)}
    return Answered(kind=kind, side=side, local_date=date(2026, 7, day), **(known | said))


# Scores ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "score", "substantial"),
    [
        ((8, 17, 8, 17), 50, True),
        ((8, 8, 8, 8), 32, False),
        ((0, 0, 0, 0), 0, False),
        ((25, 25, 25, 25), 100, True),
        ((17, 8, 8, 25), 58, False),
        ((25, 0, 0, 0), 25, True),
        ((0, 17, 0, 0), 17, True),
        ((0, 0, 17, 0), 17, True),
        ((0, 25, 8, 0), 33, True),
    ],
)
def test_ostrc_is_the_sum_and_substantial_by_what_training_lost(
    values: tuple[int, ...], score: float, substantial: bool
) -> None:
    """Pain alone, or taking part less, does not make it so; not taking part does."""
    assert ostrc_score(ostrc(*values)) == score
    assert is_substantial(ostrc(*values)) is substantial


@pytest.mark.parametrize(
    ("values", "score"),
    [
        ((2, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1), 68.18),  # 14 in all
        ((0,) * 11, 100.0),
        ((4,) * 11, 0.0),
        ((1, 1, 1, 1, 1, 1), 75.0),
        ((2, 0, 0, 0, 0, 1), 87.5),
    ],
)
def test_koos_is_the_mean_of_what_was_answered(values: tuple[int, ...], score: float) -> None:
    """Half of the items and more are enough; those left out are not taken for none."""
    assert koos_score(koos(*values)) == pytest.approx(score, abs=0.005)


def test_five_items_give_no_score() -> None:
    """Fewer than half."""
    with pytest.raises(ValueError, match="needs 6 of its 11 items, not 5"):
        koos_score(koos(0, 0, 0, 0, 0))


@given(st.lists(st.sampled_from(OSTRC_VALUES), min_size=4, max_size=4), st.integers(0, 3))
def test_a_worse_answer_never_scores_better(values: list[int], place: int) -> None:
    """Nor does it make a substantial problem none."""
    worse = [*values]
    worse[place] = 25

    assert ostrc_score(ostrc(*worse)) >= ostrc_score(ostrc(*values))
    assert is_substantial(ostrc(*worse)) >= is_substantial(ostrc(*values))


@pytest.mark.parametrize(
    ("first", "second", "change", "beyond_mdc", "beyond_mic"),
    [
        (44, 0, 100.0, True, True),
        (14, 7, 15.91, False, False),
        (22, 14, 18.18, True, True),
        (14, 22, -18.18, True, True),
        (14, 14, 0.0, False, False),
    ],
)
def test_a_change_is_held_against_what_measuring_twice_gives(
    first: int, second: int, change: float, beyond_mdc: bool, beyond_mic: bool
) -> None:
    """And against what people call a change."""
    both = [answered(day, answers=spread(total)) for day, total in ((1, first), (29, second))]

    before, after = scores(both).to_dicts()
    assert (before["change"], before["is_beyond_mdc"], before["is_beyond_mic"]) == (None, None, None)
    assert after["change"] == pytest.approx(change, abs=0.005)
    assert (after["is_beyond_mdc"], after["is_beyond_mic"]) == (beyond_mdc, beyond_mic)


def spread(total: int) -> dict[str, int]:
    """Eleven answers that come to this total."""
    return koos(*(min(4, max(0, total - 4 * place)) for place in range(11)))


def test_between_the_two_limits_a_change_is_one_and_not_the_other() -> None:
    """Ten items with 11 in all, then eleven with 5: 16.14 points."""
    [_, after] = scores(
        [answered(1, answers=koos(*[1] * 9, 2)), answered(29, answers=koos(*[1] * 5, *[0] * 6))]
    ).to_dicts()

    assert KOOS_MDC < after["change"] < KOOS_MIC
    assert (after["is_beyond_mdc"], after["is_beyond_mic"]) == (True, False)


def test_knees_and_kinds_do_not_mix_and_the_last_of_a_day_counts() -> None:
    """A change is against the same knee and kind; of one day what was taken down last."""
    told = scores(
        [
            answered(1),
            answered(1, "ostrc_o2", answers=ostrc(8, 8, 8, 8)),
            answered(2, side="left", answers=koos(*[0] * 11)),
            answered(8, "ostrc_o2", answers=ostrc(0, 0, 0, 0), questionnaire_id="wrong"),
            answered(8, "ostrc_o2", answers=ostrc(8, 17, 8, 17)),
        ]
    )

    rows = [(r["local_date"].day, r["side"], r["kind"], r["score"], r["change"]) for r in told.to_dicts()]
    assert rows == [
        (1, "right", "koos_pf", 50.0, None),
        (1, "right", "ostrc_o2", 32.0, None),
        (2, "left", "koos_pf", 100.0, None),
        (8, "right", "ostrc_o2", 50.0, 18.0),
    ]
    assert told["scoring_version"].to_list() == [SCORING_VERSION[row[2]] for row in rows]  # type: ignore[index]
    assert told["is_substantial"].to_list() == [None, False, None, True]
    assert "wrong" not in told["questionnaire_id"]


def test_nothing_answered_is_an_empty_table() -> None:
    """With its columns."""
    assert scores([]).columns == list(scoring.SCORES_SCHEMA)


def test_reading_and_scoring_know_the_same_items() -> None:
    """The two halves of the program do not import each other."""
    assert reading.OSTRC_ITEMS == scoring.OSTRC_ITEMS == tuple(OSTRC_LABELS)
    assert reading.KOOS_ITEMS == scoring.KOOS_ITEMS
    assert reading.KOOS_FEWEST == scoring.KOOS_FEWEST
    assert set(KINDS) == set(SCORING_VERSION) <= set(words()["questionnaire"])
    assert max(OSTRC_VALUES) == scoring.OSTRC_MAX


# Answers ---------------------------------------------------------------------------------------------------


def made(kind: Any = "ostrc_o2", side: str = "left", on: date = TODAY, **answers: str) -> Any:
    return questionnaire(
        athlete="mara", side=side, kind=kind, on=on, answers=answers, source="cli", latest=TODAY
    )


@pytest.mark.parametrize("words", [("0", "8", "17", "25"), ("1", "2", "3", "4"), ("a", "B", "c", " D ")])
def test_an_answer_is_its_place_its_letter_or_its_value(words: tuple[str, ...]) -> None:
    """None of them can be taken for another."""
    told = made(**dict(zip(OSTRC_ITEMS, words, strict=True)))

    assert told.answers == ostrc(0, 8, 17, 25)
    assert (
        told.questionnaire_id
        == made(**dict(zip(OSTRC_ITEMS, ("0", "8", "17", "25"), strict=True))).questionnaire_id
    )


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"pain": "5"}, "pain is '5'; allowed are 1 to 4 or a to d"),
        ({"pain": ""}, "pain is empty"),
        ({"volume": "13"}, "volume is '13'"),  # the version of 2013
        ({"side": "both"}, "side is 'both'; allowed are left, right."),
        ({"on": TODAY + timedelta(days=1)}, "date is 2026-08-01"),
        ({"kind": "koos_pf"}, "0 of the 11 items are answered; a score needs at least 6."),
        ({"kind": "koos_pf", **dict.fromkeys(KOOS_ITEMS, "5")}, "koos_pf_1 is '5'; allowed are 0"),
        ({"kind": "koos_pf", **dict.fromkeys(KOOS_ITEMS[:5], "0"), "koos_pf_6": "-"}, "5 of the 11 items"),
    ],
)
def test_what_is_not_allowed_is_named(said: dict[str, Any], sentence: str) -> None:
    """With what is."""
    good = {"participation": "1", "volume": "1", "performance": "1", "pain": "1"}

    with pytest.raises(LogError) as refused:
        made(**(good | said))

    assert sentence in str(refused.value)


OSTRC_CSV = (
    "date,side,participation,volume,performance,pain\n2026-07-24,right,8,c,2,17\n2026-07-31,right,8,8,8,9\n"
)
KOOS_CSV = (
    f"date;side;{';'.join(KOOS_ITEMS)}\n2026-07-24;left;2;1;1;1;2;1;1;1;2;1;1\n2026-07-25;left;;;;;;;;;;;1\n"
)


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        (OSTRC_CSV, "ostrc_o2", "line 3: pain is '9'"),
        (KOOS_CSV, "koos_pf", "line 3: 1 of the 11 items are answered"),
    ],
)
def test_a_table_is_read_line_by_line(text: str, kind: str, sentence: str) -> None:
    """A wrong line is named, the right ones are kept."""
    told = read_questionnaire_csv(text, source="knee.csv", default_athlete="mara")

    [row] = told.rows
    assert (row.kind, row.local_date, row.athlete, row.source) == (
        kind,
        date(2026, 7, 24),
        "mara",
        "knee.csv",
    )
    assert [str(problem).startswith(sentence) for problem in told.problems] == [True]
    assert kind_of_questionnaire(text) == kind


def test_another_table_is_none() -> None:
    """Half a header as well."""
    assert kind_of_questionnaire("date,side,participation,volume,performance\n") is None
    assert kind_of_questionnaire("date,side,during,note\n") is None
    with pytest.raises(LogError, match="its header needs date, side and all of"):
        read_questionnaire_csv("date,side\n", source="x", default_athlete="mara")


# The store -------------------------------------------------------------------------------------------------


def rows(home: Home, query: str) -> list[dict[str, Any]]:
    with opened_store(home) as con:
        return frame(con, query).to_dicts()


def test_a_dropped_table_is_scored_and_a_later_one_corrects_it(home: Home, tmp_path: Path) -> None:
    """What was said first stays in the table; what was taken down last counts."""
    settings = read_settings(home)
    for minute, name, pain in ((0, "a.csv", 17), (1, "b.csv", 8), (2, "c.csv", 17)):
        path = tmp_path / name
        path.write_text(
            f"date,side,participation,volume,performance,pain\n2026-07-24,right,8,17,8,{pain}\n#{name},,,,,\n"
        )
        clock = Clock(CLOCK.now + timedelta(minutes=minute), TODAY)
        [taken] = steps.take_in(home, settings, clock, [path])
        steps.refresh(home, settings, clock)
        [scored] = rows(home, "from questionnaire_scores")
        assert (taken.format, taken.outcome, taken.activities) == ("questionnaire_csv", "partly_ingested", 1)
        assert scored["score"] == 33 + pain

    kept = rows(home, "from questionnaires order by answered_at")
    assert [(json.loads(row["answers"])["pain"], row["source"]) for row in kept] == [
        (8, "b.csv"),
        (17, "c.csv"),
    ]


def test_somebody_who_only_answered_is_an_athlete_as_well(home: Home, tmp_path: Path) -> None:
    """Also when the settings do not name them any more; and what lies after the day is not scored."""
    nobody = read_settings(home)
    home.settings_file.write_text('default_athlete = "runner"\n[athletes.ann]\n[athletes.runner]\n')
    path = tmp_path / "ann.csv"
    path.write_text(f"athlete,{OSTRC_CSV.splitlines()[0]}\nann,2026-07-24,right,8,8,8,8\n")
    steps.take_in(home, read_settings(home), CLOCK, [path])
    with opened_store(home) as con:
        con.execute("delete from exports")

    steps.refresh(home, nobody, Clock(CLOCK.now, date(2026, 7, 23)))
    before = rows(home, "from questionnaire_scores")
    steps.refresh(home, nobody, CLOCK)

    assert before == []
    assert [(row["athlete"], row["score"]) for row in rows(home, "from questionnaire_scores")] == [
        ("ann", 32.0)
    ]


# The commands ----------------------------------------------------------------------------------------------


def kneewatch(home: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["knee", *words, "--home", str(home)])


@pytest.fixture
def own_home(sample_home: Home, tmp_path: Path) -> Path:
    """A copy of Mara's home that a test may change."""
    return Path(shutil.copytree(sample_home.root, tmp_path / "copy"))


@pytest.mark.homes
def test_questionnaires_are_answered_listed_and_taken_out(own_home: Path) -> None:
    """The score is said at once, with the change since the one before."""
    day = ("--today", "2026-09-25")
    first = kneewatch(own_home, "koos", "--side", "right", *"21112111211", "--date", "2026-08-28", *day)
    second = kneewatch(own_home, "koos", "--side", "right", *"0001-111011", *day)
    weekly = ("--participation", "8", "--volume", "3", "--performance", "b", "--pain", "17")
    third = kneewatch(own_home, "ostrc", "--side", "right", *weekly, *day)
    listed = json.loads(kneewatch(own_home, "list", "--json", *day).stdout)
    [status] = [
        one for one in json.loads(kneewatch(own_home, "--json", *day).stdout) if one["side"] == "right"
    ]
    kneewatch(own_home, "delete", listed[0]["questionnaire_id"][:8])

    assert first.stdout == "Right knee: KOOS-PF 68.2 of 100 on 28 Aug (100 is no problem); the first.\n"
    assert second.stdout == (
        "Right knee: KOOS-PF 85 of 100 on 25 Sep (100 is no problem); 16.8 more than on 28 Aug, "
        "as much as people call a change (16.4).\n"
    )
    assert (
        third.stdout
        == "Right knee: OSTRC-O2 50 of 100 on 25 Sep, substantial (0 is no problem); the first.\n"
    )
    assert [(row["kind"], row["score"]) for row in status["questionnaires"]] == [
        ("ostrc_o2", 50.0),
        ("koos_pf", 85.0),
    ]
    left = json.loads(kneewatch(own_home, "list", "--json", *day).stdout)
    assert len(left) == len(listed) - 1 == 2


@pytest.mark.homes
def test_the_knees_are_shown_red_flags_first(own_home: Path) -> None:
    """The worst day of the sample with a swelling: flag, advice, newest report, episode, cues with both sides."""
    CliRunner().invoke(
        app,
        [
            *("pain", "add", "--side", "right", "--during", "5", "--flag", "swelling", "--onset", "gradual"),
            *(
                "--provoked-by",
                "stairs",
                "--provoked-by",
                "downhill",
                "--date",
                "2026-08-27",
                "--time",
                "20:20",
            ),
            *("--today", "2026-08-28", "--home", str(own_home)),
        ],
    )

    shown = kneewatch(own_home, "--today", "2026-08-28")
    told = json.loads(kneewatch(own_home, "--today", "2026-08-28", "--json").stdout)

    left, right = shown.stdout.split("\nRIGHT KNEE\n")
    lines = [line.strip() for line in right.splitlines()]
    assert "Nothing was reported in the last four weeks, which is not taken for no pain." in left
    assert lines[0].startswith("You noted swelling (27 Aug). This comes before everything else")
    assert lines[1].startswith("Seek medical advice soon.")
    assert lines[2].startswith("Newest report 27 Aug: 1/10 before, 5/10 during,")
    assert lines[3].startswith("An episode is open since 23 Aug, last with STOP")
    assert lines[6:8] == [
        "fits          began gradually, at the kneecap (3×), stairs, downhill, "
        "not settled an hour after or on the next morning (2×)",
        "does not fit  settled an hour after, swelling",
    ]
    assert [cue["pattern"] for cue in told[1]["cues"]["cues"]] == list(words()["pattern"])
    assert told[1]["episode"]["severity"] == "stop"
    assert "note" not in told[1]["newest"]


@pytest.mark.homes
def test_a_person_is_asked_one_by_one(own_home: Path) -> None:
    """At a terminal; nobody there is wrong use, and says what to give."""
    command = [KNEEWATCH, "knee", "ostrc", "--side", "left", "--home", own_home, "--today", "2026-09-25"]
    ours, theirs = pty.openpty()
    asked = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.close(theirs)
    os.write(ours, b"1\n2\n1\n2\n")
    said, complained = asked.communicate(timeout=300)
    os.close(ours)
    nobody = kneewatch(own_home, "ostrc", "--side", "left")

    assert asked.returncode == 0, complained
    assert said.count("? 1 ") == 4
    assert said.endswith("Left knee: OSTRC-O2 16 of 100 on 25 Sep (0 is no problem); the first.\n")
    assert "nobody to ask; give --participation" in str(nobody.exception)


def test_ten_answers_are_one_too_few() -> None:
    """Nobody can tell which one is missing."""
    refused = kneewatch(Path("nowhere"), "koos", "--side", "left", *"0000000000")

    assert "KOOS-PF has 11 items and not 10; give - for one left out." in str(refused.exception)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"change": None}, "; the first."),
        ({"change": 0.0}, "; no other than on 1 Jul."),
        ({"change": -3.4}, "; 3.4 less than on 1 Jul, no more than measuring twice gives (16)."),
        (
            {"change": 16.2, "is_beyond_mdc": True},
            "; 16.2 more than on 1 Jul, more than measuring twice gives (16).",
        ),
        (
            {"change": 16.4, "is_beyond_mdc": True, "is_beyond_mic": True},
            "; 16.4 more than on 1 Jul, as much as people call a change (16.4).",
        ),
    ],
)
def test_a_change_says_no_more_than_it_shows(changes: dict[str, Any], said: str) -> None:
    """In words."""
    row = {
        "kind": "koos_pf", "score": 68.18, "local_date": date(2026, 7, 29), "previous_date": date(2026, 7, 1),
        "is_substantial": None, "is_beyond_mdc": False, "is_beyond_mic": False,
    }  # fmt: skip

    assert questionnaire_sentence(row | changes) == f"KOOS-PF 68.2 of 100 on 29 Jul (100 is no problem){said}"


# What is asked ---------------------------------------------------------------------------------------------


def due(
    reports: list[Report], scored: list[tuple[str, str, int]] = (), open_sides: tuple[str, ...] = ()
) -> list[tuple[str, str | None]]:  # type: ignore[assignment]
    """Return (kind, side) of what is asked for; `scored` are (side, kind, days ago)."""
    table = pl.DataFrame(
        [(side, kind, TODAY - timedelta(days=ago)) for side, kind, ago in scored],
        schema={"side": pl.String, "kind": pl.String, "local_date": pl.Date},
        orient="row",
    )
    return [(one.asks, one.side) for one in due_questionnaires(reports, table, open_sides, today=TODAY)]


def pain(days_ago: int, **said: Any) -> Report:
    day = TODAY - timedelta(days=days_ago)
    known = {
        "report_id": str(days_ago),
        "reported_at": datetime(day.year, day.month, day.day, tzinfo=UTC),
        "side": "right",
    }
    return Report(local_date=day, **(known | said))


BOTH_KINDS = [("ostrc_o2", "right"), ("koos_pf", "right")]


@pytest.mark.parametrize(
    ("reports", "asked"),
    [
        ([], []),
        ([pain(3, during=0)], []),
        ([pain(3, muscle_soreness=5)], []),
        ([pain(3, during=1)], BOTH_KINDS),
        ([pain(28, during=1)], BOTH_KINDS),
        ([pain(29, during=1)], []),
        ([pain(-1, during=1)], []),
        ([pain(3, flags=("swelling",))], BOTH_KINDS),
        ([pain(3, changed_gait=True)], BOTH_KINDS),
        ([pain(3, during=1, side="both")], [("ostrc_o2", "left"), ("koos_pf", "left"), *BOTH_KINDS]),
    ],
)
def test_only_a_knee_that_hurt_lately_is_asked_about(
    reports: list[Report], asked: list[tuple[str, str]]
) -> None:
    """Somebody whose knee never was a subject hears nothing."""
    assert due(reports) == asked


@pytest.mark.parametrize(
    ("kind", "days_ago", "is_asked"),
    [("ostrc_o2", 6, False), ("ostrc_o2", 7, True), ("koos_pf", 27, False), ("koos_pf", 28, True)],
)
def test_it_is_asked_again_after_a_week_and_after_four(kind: str, days_ago: int, is_asked: bool) -> None:
    """An answer about the other knee is none about this one."""
    sore = [pain(1, during=2)]

    assert ((kind, "right") in due(sore, [("right", kind, days_ago)])) is is_asked
    assert (kind, "right") in due(sore, [("left", kind, days_ago)])


def test_an_open_episode_is_reason_enough() -> None:
    """However long ago it was reported; and each question comes with the command that answers it."""
    asked = due_questionnaires([], scores([]), {"left"}, today=TODAY)

    assert [(one.asks, one.side) for one in asked] == [("ostrc_o2", "left"), ("koos_pf", "left")]
    assert [reminder_words(one)[1] for one in asked] == [
        "kneewatch knee ostrc --date 2026-07-31 --side left --participation N --volume N --performance N --pain N",
        "kneewatch knee koos --date 2026-07-31 --side left N N N N N N N N N N N",
    ]
