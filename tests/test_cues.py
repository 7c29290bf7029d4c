"""Cues: each cell of the table with what fits and what does not, red flags before everything, and never a diagnosis."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import cues as table
from analytics.cues import PATTERNS, Cue, KneeCues, Row, knee_cues
from analytics.pain import RED_FLAGS, Report
from ingest.logs import FLAGS, ONSETS, PROVOCATIONS, SITES
from report import knee_words
from report.knee_words import (
    advice_sentence,
    cue_words,
    event_sentence,
    level_sentence,
    newest_sentence,
    red_flags_sentence,
)
from report.words import words as sentences

MEDICAL = sentences()["always"]["medical"]

TODAY = date(2026, 7, 31)


def report(days_ago: int = 0, **said: Any) -> Report:
    """A report of the right knee so many days ago."""
    day = TODAY - timedelta(days=days_ago)
    known = {
        "report_id": f"{said.get('side', 'right')} {days_ago}",
        "reported_at": datetime(day.year, day.month, day.day, 18, tzinfo=UTC),
        "local_date": day,
        "side": "right",
    }
    return Report(**(known | said))


def found(*reports: Report, side: str = "right") -> KneeCues:
    return knee_cues(reports, side, today=TODAY)


def cue(pattern: str, *reports: Report) -> Cue:
    return next(one for one in found(*reports).cues if one.pattern == pattern)


def words(said: Any) -> list[tuple[str, str]]:
    return [(one.aspect, one.word) for one in said]


# The table -------------------------------------------------------------------------------------------------

LINGERS = {"before": 0, "during": 3, "after_60min": 2}
NEXT_DAY_WORSE = {"before": 0, "during": 1, "after_60min": 0, "next_morning": 1}
SETTLES = {"before": 0, "during": 3, "after_60min": 0}

# Pattern, aspect, what is reported, whether it fits, and in which word.
CELLS: list[tuple[str, str, dict[str, Any], bool, str]] = [
    ("kneecap", "onset", {"onset": "gradual"}, True, "gradual"),
    ("kneecap", "onset", {"onset": "sudden"}, False, "sudden"),
    ("kneecap", "onset", {"onset": "hours_later"}, False, "hours_later"),
    ("kneecap", "onset", {"flags": ("hyperextension",)}, False, "hyperextension"),
    ("kneecap", "site", {"site": "kneecap"}, True, "kneecap"),
    ("kneecap", "site", {"site": "outer"}, False, "outer"),
    *(
        ("kneecap", "provoked_by", {"provoked_by": (one,)}, True, one)
        for one in ("stairs", "squat", "sitting", "downhill")
    ),
    ("kneecap", "provoked_by", {"provoked_by": ("stretching",)}, False, "stretching"),
    ("kneecap", "course", LINGERS, True, "lingers"),
    ("kneecap", "course", NEXT_DAY_WORSE, True, "lingers"),
    ("kneecap", "course", SETTLES, False, "settles"),
    ("kneecap", "swelling", {"flags": ("swelling",)}, False, "swelling"),
    ("outer_side", "onset", {"onset": "gradual"}, True, "gradual"),
    ("outer_side", "onset", {"onset": "later_in_run"}, True, "later_in_run"),
    ("outer_side", "onset", {"onset": "at_start"}, False, "at_start"),
    ("outer_side", "site", {"site": "outer"}, True, "outer"),
    ("outer_side", "site", {"site": "inner"}, False, "inner"),
    ("outer_side", "provoked_by", {"provoked_by": ("downhill",)}, True, "downhill"),
    ("outer_side", "provoked_by", {"provoked_by": ("long_runs",)}, True, "long_runs"),
    ("outer_side", "provoked_by", {"provoked_by": ("jumping",)}, False, "jumping"),
    ("outer_side", "course", SETTLES, True, "settles"),
    ("outer_side", "course", LINGERS, False, "lingers"),
    ("outer_side", "swelling", {"flags": ("swelling",)}, False, "swelling"),
    ("below_kneecap", "onset", {"onset": "at_start"}, True, "at_start"),
    ("below_kneecap", "onset", {"onset": "gradual"}, False, "gradual"),
    ("below_kneecap", "site", {"site": "below_kneecap"}, True, "below_kneecap"),
    ("below_kneecap", "site", {"site": "kneecap"}, False, "kneecap"),
    ("below_kneecap", "provoked_by", {"provoked_by": ("jumping",)}, True, "jumping"),
    ("below_kneecap", "provoked_by", {"provoked_by": ("squat",)}, True, "squat"),
    ("below_kneecap", "provoked_by", {"provoked_by": ("sitting",)}, False, "sitting"),
    ("below_kneecap", "course", {"before": 1, "during": 3}, True, "worse_in_run"),
    ("below_kneecap", "course", {"before": 3, "during": 3}, False, "not_worse_in_run"),
    ("below_kneecap", "swelling", {"flags": ("swelling",)}, False, "swelling"),
    ("hyperextension", "onset", {"onset": "sudden"}, True, "sudden"),
    ("hyperextension", "onset", {"flags": ("hyperextension",)}, True, "hyperextension"),
    ("hyperextension", "onset", {"onset": "gradual"}, False, "gradual"),
    ("hyperextension", "site", {"site": "back"}, True, "back"),
    ("hyperextension", "site", {"site": "kneecap"}, True, "kneecap"),
    ("hyperextension", "site", {"site": "outer"}, False, "outer"),
    ("hyperextension", "provoked_by", {"provoked_by": ("straightening",)}, True, "straightening"),
    ("hyperextension", "provoked_by", {"provoked_by": ("long_runs",)}, False, "long_runs"),
    ("hyperextension", "swelling", {"flags": ("swelling",)}, True, "swelling"),
    ("sore_muscles", "onset", {"onset": "hours_later"}, True, "hours_later"),
    ("sore_muscles", "onset", {"onset": "later_in_run"}, False, "later_in_run"),
    ("sore_muscles", "site", {"muscle_soreness": 4}, True, "muscles"),
    ("sore_muscles", "site", {"muscle_soreness": 0, "during": 2}, False, "no_sore_muscles"),
    ("sore_muscles", "site", {"site": "kneecap"}, False, "kneecap"),
    ("sore_muscles", "both_legs", {"side": "both", "muscle_soreness": 4}, True, "both_legs"),
    ("sore_muscles", "provoked_by", {"provoked_by": ("stretching",)}, True, "stretching"),
    ("sore_muscles", "provoked_by", {"provoked_by": ("sitting",)}, False, "sitting"),
    (
        "sore_muscles",
        "course",
        {"during": 0, "after_60min": 0, "next_morning": 2},
        True,
        "worst_next_morning",
    ),
    ("sore_muscles", "course", {"during": 2}, False, "in_the_run"),
    ("sore_muscles", "swelling", {"flags": ("swelling",)}, False, "swelling"),
]


@pytest.mark.parametrize(("pattern", "aspect", "said", "fits", "word"), CELLS)
def test_each_cell_of_the_table(
    pattern: str, aspect: str, said: dict[str, Any], fits: bool, word: str
) -> None:
    """What was noted stands on the one side or on the other, with the report that says so."""
    one = cue(pattern, report(**said))

    side = one.fits if fits else one.does_not_fit
    assert (aspect, word) in words(side)
    assert (aspect, word) not in words(one.does_not_fit if fits else one.fits)
    assert aspect not in one.not_known
    assert all(noted.report_ids for noted in side)


def test_every_cell_has_its_case() -> None:
    """Each aspect of each pattern is tried, on both sides wherever it has two."""
    tried = {(pattern, aspect, fits) for pattern, aspect, _, fits, _ in CELLS}

    in_table = {
        (pattern, aspect, fits)
        for pattern, rows in PATTERNS.items()
        for aspect, row in rows.items()
        for fits, there in ((True, row.fits), (False, row.does_not_fit))
        if there
    }
    assert in_table - tried == {("sore_muscles", "both_legs", False)}  # takes two knees: below


def test_words_of_the_table_are_those_that_a_report_may_say() -> None:
    """Both halves of the program know the same ones, and each has words for people."""
    assert set(ONSETS) == table.ONSETS
    assert set(SITES) == table.SITES
    assert set(PROVOCATIONS) == table.PROVOCATIONS
    said = {
        word for rows in PATTERNS.values() for row in rows.values() for word in row.fits | row.does_not_fit
    }
    assert said <= set(sentences()["noted"])
    assert set(sentences()["pattern"]) == set(PATTERNS)
    assert {aspect for rows in PATTERNS.values() for aspect in rows} == set(sentences()["aspect"])


def test_warming_up_is_no_cue() -> None:
    """Sources contradict each other: a report that begins sore and settles in the run tells no pattern from another by it."""
    easing = cue("below_kneecap", report(before=3, during=1, after_60min=1))

    assert "worse_in_run" not in {word for _, word in words(easing.fits)}
    assert "settles" not in {
        word for one in found(report(before=3, during=1)).cues for _, word in words(one.fits)
    }


def test_what_contradicts_itself_stands_on_both_sides() -> None:
    """Two reports at the kneecap and one on the outer side: nothing is averaged away."""
    one = cue("kneecap", report(6, site="kneecap"), report(4, site="outer"), report(2, site="kneecap"))

    assert [(said.word, said.report_ids) for said in one.fits] == [("kneecap", ("right 6", "right 2"))]
    assert [(said.word, said.report_ids) for said in one.does_not_fit] == [("outer", ("right 4",))]


def test_what_was_not_said_is_not_known() -> None:
    """An empty list of flags is no word about swelling; an hour after that nobody noted has not settled anything."""
    one = cue("outer_side", report(during=3))

    assert (one.fits, one.does_not_fit) == ((), ())
    assert one.not_known == ("onset", "site", "provoked_by", "course", "swelling")


def test_no_report_is_no_cue() -> None:
    """Nor is one older than four weeks, one to come, or one of the other knee."""
    for one in (
        found(),
        found(report(29, site="kneecap")),
        found(report(-1, site="kneecap")),
        found(report(side="left")),
    ):
        assert (one.report_ids, one.cues, one.red_flags, one.is_medical) == ((), (), (), False)
    assert found(report(28, site="kneecap")).cues


@pytest.mark.parametrize(
    ("other_leg", "days_apart", "word"),
    [
        (3, 0, "both_legs"),
        (3, 1, "both_legs"),
        (0, 1, "one_leg"),
        (0, 2, None),
        (3, 2, None),
        (None, 0, None),
    ],
)
def test_both_legs_are_sore_when_both_were_said_to_be(
    other_leg: float | None, days_apart: int, word: str | None
) -> None:
    """Within a day; what was not said of the other leg is not known."""
    one = cue(
        "sore_muscles",
        report(3, muscle_soreness=4),
        report(3 - days_apart, side="left", during=0, muscle_soreness=other_leg),
    )

    told = [said for aspect, said in (*words(one.fits), *words(one.does_not_fit)) if aspect == "both_legs"]
    assert told == ([word] if word else [])
    assert ("both_legs" in one.not_known) is (word is None)


@pytest.mark.parametrize(
    ("soreness", "fits", "does_not_fit"),
    [
        ({10: 3, 9: 5, 8: 2}, {"peaks_within_3_days"}, set()),
        ({10: 5, 7: 0}, {"peaks_within_3_days", "gone_within_7_days"}, set()),
        ({12: 2, 8: 5, 7: 3}, set(), {"peaks_later"}),
        ({20: 3, 14: 3, 9: 3}, set(), {"lasts_over_7_days"}),
        ({20: 3, 12: 0}, set(), set()),
        ({20: 3, 10: 2}, set(), set()),
        ({10: 3}, set(), set()),
        ({10: 0, 9: 0}, set(), set()),
    ],
)
def test_sore_muscles_are_followed_over_the_days(
    soreness: dict[int, float], fits: set[str], does_not_fit: set[str]
) -> None:
    """When they were worst and when gone, as far as the notes of one ache tell."""
    one = cue("sore_muscles", *(report(ago, muscle_soreness=level) for ago, level in soreness.items()))

    assert {word for aspect, word in words(one.fits) if aspect == "course"} == fits
    assert {word for aspect, word in words(one.does_not_fit) if aspect == "course"} == does_not_fit


# Red flags and events --------------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", sorted(RED_FLAGS))
def test_every_red_flag_comes_first_and_asks_for_medical_advice(flag: str) -> None:
    """However little it hurts, and also when a calm report followed."""
    one = found(report(3, during=0, flags=(flag,)), report(1, during=0))

    assert [(red.flag, red.report_ids) for red in one.red_flags] == [(flag, ("right 3",))]
    assert one.is_medical
    assert red_flags_sentence(one).startswith(f"You noted {sentences()['flags'][flag]} (28 Jul).")
    assert "before everything else" in red_flags_sentence(one)
    assert "eek medical advice" in advice_sentence(one).replace(MEDICAL, "")


@pytest.mark.parametrize(
    ("flags", "urgency"),
    [(("locking",), "same_day"), (("swelling",), "soon"), (("trauma_pop", "swelling"), "same_day")],
)
def test_how_soon_is_that_of_the_newest_red_flag(flags: tuple[str, ...], urgency: str) -> None:
    """As alerts have it."""
    one = found(report(9, flags=("cannot_bear_weight",)), report(2, flags=flags), report(1, during=0))

    assert one.urgency == urgency


def test_hyperextension_is_an_event_of_its_own() -> None:
    """With swelling on that day or later it asks for medical advice; swelling before it is another matter."""
    alone = found(report(5, flags=("hyperextension",)))
    swollen = found(report(5, flags=("hyperextension",)), report(4, flags=("swelling",)))
    before = found(report(6, flags=("swelling",)), report(5, flags=("hyperextension",)))

    assert [(e.report_id, e.has_swelling) for e in alone.events] == [("right 5", False)]
    assert not alone.is_medical
    assert [e.has_swelling for e in swollen.events] == [True]
    assert swollen.is_medical
    assert [e.has_swelling for e in before.events] == [False]
    assert "seek medical advice" in event_sentence(alone.events[0])
    assert "with swelling on that day or since" in event_sentence(swollen.events[0])


def test_rising_and_lasting_pain_ask_for_medical_advice() -> None:
    """As the alerts do."""
    rising = found(report(6, during=1), report(3, during=2), report(1, during=3))
    lasting = found(*(report(ago, during=4) for ago in (15, 8, 1)))
    steady = found(report(3, during=3), report(1, during=3))

    assert rising.is_medical
    assert "rising" in level_sentence(rising.pain)
    assert lasting.is_medical
    assert (steady.is_medical, steady.urgency) == (False, None)
    assert advice_sentence(steady) == MEDICAL


def test_newest_report_is_told_without_what_is_unknown() -> None:
    """Scores that were not given do not stand there, least of all as 0."""
    newest = {
        "local_date": TODAY, "before": None, "during": 4, "after_60min": None, "next_morning": 1,
        "site": "kneecap", "flags": ["swelling"], "changed_gait": True,
    }  # fmt: skip

    assert newest_sentence(newest) == (
        "Newest report 31 Jul: 4/10 during, 1/10 next morning, at the kneecap, swelling, it changed how you ran."
    )


# Laws ------------------------------------------------------------------------------------------------------

SCORES = st.none() | st.integers(0, 10)
FEW = settings(max_examples=40)


@st.composite
def histories(draw: st.DrawFn, sides: tuple[str, ...] = ("left", "right", "both")) -> list[Report]:
    """Up to six reports of six weeks."""
    days = draw(st.lists(st.integers(0, 42), max_size=6, unique=True))
    return [
        report(
            days_ago,
            report_id=f"{'/'.join(sides)} {days_ago}",
            side=draw(st.sampled_from(sides)),
            before=draw(SCORES),
            during=draw(SCORES),
            after_60min=draw(SCORES),
            next_morning=draw(SCORES),
            muscle_soreness=draw(SCORES),
            flags=tuple(draw(st.sets(st.sampled_from(FLAGS), max_size=2))),
            site=draw(st.none() | st.sampled_from(SITES)),
            onset=draw(st.none() | st.sampled_from(ONSETS)),
            provoked_by=tuple(draw(st.sets(st.sampled_from(PROVOCATIONS), max_size=2))),
        )
        for days_ago in days
    ]


@FEW
@given(histories())
def test_a_red_flag_always_asks_for_medical_advice(reports: list[Report]) -> None:
    """So does pain that rises; and the advice when to seek it stands there always."""
    one = found(*reports)

    noted = {
        flag
        for report in reports
        if report.side != "left" and report.local_date >= TODAY - timedelta(days=28)
        for flag in RED_FLAGS.intersection(report.flags)
    }
    assert {red.flag for red in one.red_flags} == noted
    assert one.is_medical or not (noted or (one.pain and one.pain.is_rising))
    assert (one.urgency is not None) is one.is_medical
    assert MEDICAL in advice_sentence(one)
    assert ("eek medical advice" in advice_sentence(one).replace(MEDICAL, "")) is one.is_medical


@FEW
@given(histories(), histories(sides=("left",)))
def test_the_other_knee_changes_nothing(reports: list[Report], unrelated: list[Report]) -> None:
    """As long as it says nothing of muscles, which are both legs' matter."""
    others = [replace(one, muscle_soreness=None) for one in unrelated]

    assert found(*reports, *others) == found(*reports)


@FEW
@given(histories())
def test_every_pattern_stands_there_in_the_same_order_with_both_sides(reports: list[Report]) -> None:
    """No ranking: each aspect is known, on whichever side, or not known, and each word rests on reports of this knee."""
    one = found(*reports)

    assert [cue.pattern for cue in one.cues] == (list(PATTERNS) if one.report_ids else [])
    for cue in one.cues:
        known = {said.aspect for said in (*cue.fits, *cue.does_not_fit)}
        assert known | set(cue.not_known) == set(PATTERNS[cue.pattern])
        assert known.isdisjoint(cue.not_known)
        assert all(set(said.report_ids) <= set(one.report_ids) for said in (*cue.fits, *cue.does_not_fit))


@FEW
@given(histories())
def test_the_order_of_the_reports_does_not_matter(reports: list[Report]) -> None:
    """Only when they were made."""
    assert found(*reports) == found(*reversed(reports))


# Words -----------------------------------------------------------------------------------------------------

DIAGNOSES = (
    "you have", "injury risk", "risk of", "safe", "runner's knee", "jumper's knee", "syndrome", "tendin", "patellofemoral",
    "iliotibial", "itb", "pfp", "doms", "chondro", "arthr", "menis", "ligament", "likely", "probabl", "%", "suggest",
)  # fmt: skip


@FEW
@given(histories())
def test_no_word_is_a_diagnosis_or_a_promise(reports: list[Report]) -> None:
    """Whatever was reported."""
    one = found(*reports)

    said = " ".join(
        [
            red_flags_sentence(one), advice_sentence(one), level_sentence(one.pain), *map(event_sentence, one.events),
            *(word for cue in one.cues for word in cue_words(cue)), knee_words.WHAT_CUES_ARE, knee_words.NOT_REPORTED,
        ]
    ).lower()  # fmt: skip
    assert [word for word in DIAGNOSES if word in said] == []


def test_every_level_and_row_is_complete() -> None:
    """Nothing that is said lacks words, and no word stands on both sides of a cell."""
    from analytics.pain import PainLevel

    assert set(sentences()["pain_level"]) == set(get_args(PainLevel))
    rows: list[Row] = [row for rows in PATTERNS.values() for row in rows.values()]
    assert all(row.fits.isdisjoint(row.does_not_fit) for row in rows)
