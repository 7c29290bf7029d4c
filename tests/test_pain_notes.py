"""Pain in the words of an export: clear ones are reports, doubtful ones questions, all others nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.logs import FLAGS, SIDES
from ingest.pain_notes import MOST_LETTERS, MOST_QUOTED, Noted, NotedPain, PainQuestion, read_note

CLEAR = {
    "knee L 4/2/1 swelling": [
        NotedPain(side="left", during=4, after_60min=2, next_morning=1, flags=("swelling",))
    ],
    "left knee 4/10": [NotedPain(side="left", during=4)],
    "LEFT KNEE: 4 / 10": [NotedPain(side="left", during=4)],
    "right knee pain 3": [NotedPain(side="right", during=3)],
    "both knees 2/10 after": [NotedPain(side="both", after_60min=2)],
    "left and right knee 3 out of 10": [NotedPain(side="both", during=3)],
    "R knee 10/0/0": [NotedPain(side="right", during=10, after_60min=0, next_morning=0)],
    "knee r 4/-/-": [NotedPain(side="right", during=4)],
    "knee r -/-/2": [NotedPain(side="right", next_morning=2)],
    "my left knee hurt 4.5/10": [NotedPain(side="left", during=4.5)],
    "pain in the left knee 3": [NotedPain(side="left", during=3)],
    "left knee 2 before, 4 during, 3 after, 1 next morning": [
        NotedPain(side="left", before=2, during=4, after_60min=3, next_morning=1)
    ],
    "left knee: before 2, during 4/10": [NotedPain(side="left", before=2, during=4)],
    "left knee 4/10 during and 2/10 an hour after": [NotedPain(side="left", during=4, after_60min=2)],
    "left knee 4/10, right 2/10": [NotedPain(side="left", during=4), NotedPain(side="right", during=2)],
    "left knee 4/10. Right knee 2/10!": [NotedPain(side="left", during=4), NotedPain(side="right", during=2)],
    "left knee 4/10; left knee 2/10 after": [NotedPain(side="left", during=4, after_60min=2)],
    "left kneecap 3/10": [NotedPain(side="left", site="kneecap", during=3)],
    "left knee, below the kneecap, 3/10": [NotedPain(side="left", site="below_kneecap", during=3)],
    "right knee outer side 3/10": [NotedPain(side="right", site="outer", during=3)],
    "back of right knee 2/10": [NotedPain(side="right", site="back", during=2)],
    "left knee swollen": [NotedPain(side="left", flags=("swelling",))],
    "left knee 4/10, locking and swelling": [
        NotedPain(side="left", during=4, flags=("swelling", "locking"))
    ],
    "left knee can't bear weight": [NotedPain(side="left", flags=("cannot_bear_weight",))],
    "left knee 4/10, no swelling": [NotedPain(side="left", during=4)],
    "left knee 5/10, limping": [NotedPain(side="left", during=5, changed_gait=True)],
    "no pain in the left knee": [NotedPain(side="left", during=0)],
    "Morning Run. Left knee (4/10). Sunny!": [NotedPain(side="left", during=4)],
    "Easy 10k | left knee - 3/10 - legs tired": [NotedPain(side="left", during=3)],
    "pace 5:30, right knee 2/10, 10 km in 55 min, 150 bpm": [NotedPain(side="right", during=2)],
    "left knee 4/10, 10 km easy, then coffee": [NotedPain(side="left", during=4)],
    "high knees and strides; left knee 1/10": [NotedPain(side="left", during=1)],
}  # fmt: skip
DOUBTFUL = {
    "knee felt weird 3 km in": None,
    "knee 4/10": None,
    "knees 3/10": None,
    "knee swollen": None,
    "left knee felt fine": "left",
    "left knee 4/10?": "left",
    "left knee 4-5/10": "left",
    "left knee ~4/10": "left",
    "left knee 4,5/10": "left",
    "left knee 4 or 5": "left",
    "left knee 4/2": "left",
    "left knee 11/10": "left",
    "left knee 12": "left",
    "knee L 4/2/11": "left",
    "left knee 4/10 at 8 km": "left",
    "left knee pain at 8": "left",
    "left knee 4/10 after 3 km": "left",
    "left knee 4/10 km done": "left",
    "left knee 4/10 yesterday": "left",
    "not left knee 4/10": "left",
    "no left knee pain until 5 km": "left",
    "left knee 3 in": "left",
    "left knee 5:30/km": "left",
    "left knee 4 right knee 2": None,
    "both knees 2, left knee 4": None,
    "left knee 4/10, 5/10": "left",
    "left knee 4/10, swelling later on": "left",
    "left knee 4/10, 2 the day after": "left",
    "left knee swelling 0/10": "left",
    "left knee 2/10, 4/2/1": "left",
    "left knee, no swelling": "left",
    "left knee outer": "left",
    "4/10, left knee": "left",
    "below the kneecap, left knee 3": "left",
    "left knee 4,500 m done": "left",
}
SILENT = (
    "",
    "Morning Run",
    "4/10 km done",
    "10 km in 55:12, 5:31/km, 152 bpm",
    "3x10 knee raises, knee-high socks",
    "left hamstring 4/10",
    "swelling crowds at the start",
    "Interval 4/2/1 min",
    "🏃",
)


@pytest.mark.parametrize("text", CLEAR)
def test_clear_words_are_reports(text: str) -> None:
    """What each sentence says, and nothing else."""
    assert read_note(text) == Noted(tuple(CLEAR[text]))


@pytest.mark.parametrize("text", DOUBTFUL)
def test_doubtful_words_are_asked_about(text: str) -> None:
    """Never guessed: no report, and the words as they were written, but for the mark at the end."""
    question = PainQuestion(words=text.rstrip("?"), side=DOUBTFUL[text])  # type: ignore[arg-type]

    assert read_note(text) == Noted(questions=(question,))


@pytest.mark.parametrize("text", SILENT)
def test_words_of_other_things_say_nothing_of_knees(text: str) -> None:
    """Numbers of pace, distance and exercises are no pain."""
    assert read_note(text) == Noted()


def test_a_second_sentence_that_says_otherwise_is_a_question() -> None:
    """The first stays; which of the two counts is asked."""
    noted = read_note("Left knee 4/10\nleft knee 5/10")

    assert noted.reports == (NotedPain(side="left", during=4),)
    assert noted.questions == (PainQuestion(words="left knee 5/10", side="left"),)


@pytest.mark.parametrize("flag", FLAGS)
def test_every_flag_can_be_written_out(flag: str) -> None:
    """Its name in words."""
    assert read_note(f"right knee 3/10 {flag.replace('_', ' ')}").reports[0].flags == (flag,)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """Reports, questions or nothing, and never an error; nothing without a knee."""
    noted = read_note(text)

    assert noted == Noted() or "knee" in text.lower()


WORDS = (
    "left", "right", "both", "knee", "knees", "kneecap", "L", "4/10", "4/2/1", "3", "12", "before", "after", "during", "next",
    "morning", "no", "pain", "swelling", "locking", "km", "5:30/km", "and", ",", ".", "?", "-", "weird", "\n", "outer", "limping",
)  # fmt: skip


@given(st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_words_of_the_grammar_are_read_within_its_limits(text: str) -> None:
    """One report a knee, scores from 0 to 10, and something said in each."""
    noted = read_note(text)

    sides = [report.side for report in noted.reports]
    assert len(sides) == len(set(sides))
    assert set(sides) <= set(SIDES)
    assert "both" not in sides or len(sides) == 1
    for one in noted.reports:
        scores = (one.before, one.during, one.after_60min, one.next_morning)
        assert all(score is None or 0 <= score <= 10 for score in scores)
        assert one.flags or one.changed_gait or any(score is not None for score in scores)


@given(
    st.sampled_from(["left", "right"]),
    st.integers(0, 10),
    st.integers(0, 10),
    st.integers(0, 10),
    st.booleans(),
)
def test_short_and_long_words_say_the_same(
    side: str, during: int, after: int, morning: int, is_turned: bool
) -> None:
    """knee L 4/2/1 is the left knee during, an hour after and on the next morning, whichever order they stand in."""
    long = [f"{during}/10 during", f"{after} after", f"{morning} out of 10 next morning"]
    if is_turned:
        long.reverse()

    short = read_note(f"knee {side[0].upper()} {during}/{after}/{morning}")

    assert short == read_note(f"{side} knee {', '.join(long)}")
    assert short.reports[0].next_morning == morning


def test_an_endless_text_is_read_as_far_as_it_makes_sense() -> None:
    """And quoted no longer than a person reads."""
    noted = read_note("left knee " + "weird " * MOST_LETTERS)

    assert [len(question.words) for question in noted.questions] == [MOST_QUOTED]
