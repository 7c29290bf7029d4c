"""The logs a person writes: good lines kept, bad ones named."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.logs import (
    FLAGS,
    LATEST_DATE,
    PAIN_COLUMNS,
    SCORES,
    SIDES,
    SITES,
    STRENGTH_COLUMNS,
    Exercise,
    LineProblem,
    LogError,
    LogResult,
    PainReport,
    StrengthSession,
    completed,
    decode_text,
    is_pain_csv,
    is_strength_csv,
    kind_of_csv,
    pain_report,
    read_pain_csv,
    read_strength_csv,
    strength_session,
)

BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2026, 7, 1)


def read_pain(
    text: str, *, known: frozenset[str] | None = None, latest: date = LATEST_DATE
) -> LogResult[PainReport]:
    return read_pain_csv(
        text,
        source="pain.csv",
        default_athlete="mara",
        zone_of=lambda _: BERLIN,
        known_athletes=known,
        latest=latest,
    )


def read_strength(text: str) -> LogResult[StrengthSession]:
    return read_strength_csv(text, default_athlete="mara")


def a_report(**values: object) -> PainReport:
    given_values = {"athlete": "mara", "zone": BERLIN, "on": DAY, "side": "left", "source": "cli"} | values
    return pain_report(**given_values)  # type: ignore[arg-type]


def sentences(result: LogResult[PainReport] | LogResult[StrengthSession]) -> list[str]:
    return [str(problem) for problem in result.problems]


def test_a_full_line_becomes_a_report() -> None:
    """Every column finds its place, in any order and in any case."""
    text = (
        "Note, Side ,DATE,time,site,before,during,after_60min,next_morning,flags,changed_gait,muscle_soreness,athlete\n"
        '"down the stairs, mostly",Right,2026-07-01,18:05,below kneecap,1,3.5,2,0,"locking;swelling",YES,4,tom\n'
    )

    result = read_pain(text)

    assert result.problems == ()
    assert result.unknown_columns == ()
    assert result.rows == (
        PainReport(
            report_id=result.rows[0].report_id,
            athlete="tom",
            reported_at=datetime(2026, 7, 1, 16, 5, tzinfo=UTC),
            local_date=DAY,
            side="right",
            site="below_kneecap",
            before=1.0,
            during=3.5,
            after_60min=2.0,
            next_morning=0.0,
            flags=("swelling", "locking"),
            changed_gait=True,
            muscle_soreness=4.0,
            note="down the stairs, mostly",
            source="pain.csv",
        ),
    )


def test_what_is_empty_is_unknown() -> None:
    """An empty cell is None and never 0; a report without a time counts at the end of its day."""
    report = read_pain("date,side,before,during\n2026-07-01,left,,0\n").rows[0]

    assert (report.before, report.during) == (None, 0.0)
    assert (report.changed_gait, report.flags, report.note, report.athlete) == (None, (), None, "mara")
    assert report.reported_at == datetime(2026, 7, 1, 21, 59, tzinfo=UTC)


def test_bad_lines_are_named_and_good_ones_kept() -> None:
    """A wrong value costs its own line and no other."""
    text = "date,side,during\n2026-07-01,left,3\n\n2026-07-02,left,12\n2026-07-03,left,4\n"

    result = read_pain(text)

    assert [report.local_date.day for report in result.rows] == [1, 3]
    assert [(problem.line, str(problem)) for problem in result.problems] == [
        (4, "line 4: during is 12; a score is a number from 0 to 10.")
    ]


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    """A note over several lines does not shift the number of the next mistake."""
    text = 'date,side,during,note\r\n2026-07-01,left,3,"one\r\ntwo\r\nthree"\r\n2026-07-02,up,3,\r\n'

    result = read_pain(text)

    assert result.rows[0].note == "one\r\ntwo\r\nthree"
    assert sentences(result) == ["line 5: side is 'up'; allowed are left, right, both."]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("during", "a bit", "during is 'a bit'; a score is a number from 0 to 10."),
        ("before", "-1", "before is '-1'; a score is a number from 0 to 10."),
        ("next_morning", "nan", "next_morning is 'nan'; a score is a number from 0 to 10."),
        ("after_60min", "1e1", "after_60min is '1e1'; a score is a number from 0 to 10."),
        ("muscle_soreness", "10.5", "muscle_soreness is 10.5; a score is a number from 0 to 10."),
        ("date", "01.07.2026", "date is '01.07.2026'; allowed is a day such as 2026-10-04."),
        ("date", "2026-02-30", "date is '2026-02-30'; allowed is a day such as 2026-10-04."),
        ("date", "", "date is empty; allowed is a day such as 2026-10-04."),
        ("date", "1989-12-31", "date is 1989-12-31; allowed is a day from 1990-01-01 to 2026-12-31."),
        ("date", "2062-07-01", "date is 2062-07-01; allowed is a day from 1990-01-01 to 2026-12-31."),
        ("time", "6pm", "time is '6pm'; allowed is a local time such as 18:05."),
        ("time", "24:00", "time is '24:00'; allowed is a local time such as 18:05."),
        ("side", "", "side is empty; allowed are left, right, both."),
        ("site", "hip", f"site is 'hip'; allowed are {', '.join(SITES)}."),
        ("flags", "swelling;bad", f"flags is 'bad'; allowed are {', '.join(FLAGS)}."),
        ("changed_gait", "maybe", "changed_gait is 'maybe'; allowed are yes, no."),
        ("athlete", "tom", "athlete is 'tom'; allowed are jo, mara."),
    ],
)
def test_a_wrong_value_is_answered_with_what_is_allowed(column: str, value: str, said: str) -> None:
    """Each refusal names the line, the column, the value and what may stand there."""
    cells = {"date": "2026-07-01", "side": "left", "during": "3"} | {column: value}

    result = read_pain(
        f"{','.join(cells)}\n{','.join(cells.values())}\n",
        known=frozenset({"mara", "jo"}),
        latest=date(2026, 12, 31),
    )

    assert result.rows == ()
    assert sentences(result) == [f"line 2: {said}"]


def test_a_line_that_says_nothing_is_named() -> None:
    """A side and a note alone are no report: nothing in it can be weighed."""
    result = read_pain("date,side,during,note\n2026-07-01,left,,hm\n")

    assert sentences(result) == [
        "line 2: the report says nothing; give a score, a flag, changed_gait or muscle_soreness."
    ]


@pytest.mark.parametrize("column", ["flags", "changed_gait", "muscle_soreness"])
def test_a_report_may_come_without_a_score(column: str) -> None:
    """A flag, a changed gait or sore muscles are worth a report."""
    value = {"flags": "swelling", "changed_gait": "no", "muscle_soreness": "0"}[column]

    assert len(read_pain(f"date,side,during,{column}\n2026-07-01,left,,{value}\n").rows) == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_separator_is_read_from_the_header(delimiter: str) -> None:
    """Spreadsheets of half the world write semicolons; a note full of commas does not confuse."""
    text = "date,side,during,note\n2026-07-01,left,3,x".replace(",", delimiter)

    report = read_pain(f'{text}\n2026-07-02{delimiter}left{delimiter}4{delimiter}"a,b;c,\td"\n').rows[1]

    assert (report.during, report.note) == (4.0, "a,b;c,\td")


@pytest.mark.parametrize(
    ("text", "load_kg"), [("3,5", 3.5), ("12,25", 12.25), ("0,500", 0.5), ("1.500", 1.5)]
)
def test_a_decimal_comma_is_read_where_it_can_mean_one_thing(text: str, load_kg: float) -> None:
    """Two digits behind a comma are decimals everywhere."""
    result = read_strength(f"date;exercise;load_kg\n2026-07-01;squat;{text}\n")

    assert result.rows[0].exercises[0].load_kg == load_kg


def test_a_comma_before_three_digits_is_not_guessed_at() -> None:
    """1,500 is one and a half here and fifteen hundred there."""
    result = read_strength("date;exercise;load_kg\n2026-07-01;squat;1,500\n")

    assert sentences(result) == [
        "line 2: load_kg is '1,500', which can be read in two ways; write a decimal point."
    ]


def test_values_beyond_the_header_are_named() -> None:
    """A comma too many would shift every value behind it; nothing of such a line is believed."""
    result = read_pain("date,side,during,note,\n2026-07-01,left,3,ouch, really\n2026-07-02,left,3,,,,\n")

    assert len(result.rows) == 1
    assert sentences(result) == [
        "line 2: it has more values than the header has names; "
        "put a text or number that holds the separator in double quotes."
    ]


def test_a_quote_that_is_never_closed_is_named() -> None:
    """It would swallow the rest of the file in silence."""
    result = read_pain(
        'date,side,during,note\n2026-07-01,left,3,\n2026-07-02,left,3,"hm\n2026-07-03,left,3,\n'
    )

    assert len(result.rows) == 1
    assert sentences(result) == [
        "line 3: a double quote is opened and never closed, so nothing from here on was read."
    ]


def test_a_stray_quote_costs_its_line_only() -> None:
    """What follows a broken line is read again."""
    result = read_pain('date,side,during,note\n2026-07-01,left,3,"a"b\n2026-07-03,left,3,\n')

    assert [problem.line for problem in result.problems] == [2]
    assert [report.local_date.day for report in result.rows] == [3]


def test_unknown_columns_are_named_and_ignored() -> None:
    """A column of the runner's own does no harm."""
    result = read_pain("date,side,during,Weather,exercise\n2026-07-01,left,3,rain,\n")

    assert result.unknown_columns == ("Weather", "exercise")
    assert len(result.rows) == 1


def test_a_column_named_twice_is_refused() -> None:
    """Which of the two would count?"""
    with pytest.raises(LogError, match="names during twice"):
        read_pain("date,side,during,During\n2026-07-01,left,3,4\n")


@pytest.mark.parametrize(
    "text", ["", "\n\n", "date,during\n2026-07-01,3\n", "date,side\n", '"date,side,during\n', "\0"]
)
def test_what_is_no_log_is_refused(text: str) -> None:
    """A file without the columns is not read line by line into nonsense."""
    assert kind_of_csv(text) is None
    with pytest.raises(LogError, match="its header needs date, side"):
        read_pain(text)
    with pytest.raises(LogError, match="its header needs date and exercise"):
        read_strength(text)


def test_the_header_tells_the_kind() -> None:
    """Pain has a side and a score, strength an exercise; other files are neither."""
    assert kind_of_csv("\ufeff\nDate;SIDE;next_morning\n") == "pain_csv"
    assert kind_of_csv("exercise\tdate\n") == "strength_csv"
    assert kind_of_csv("week,date,session\n") is None
    assert is_pain_csv(["date", "side", "before"])
    assert not is_pain_csv(["date", "side", "muscle_soreness"])
    assert is_strength_csv([" Exercise", "DATE "])
    assert kind_of_csv(",".join(PAIN_COLUMNS)) == "pain_csv"
    assert kind_of_csv(",".join(STRENGTH_COLUMNS)) == "strength_csv"


@pytest.mark.parametrize(
    "data",
    [
        "Müde".encode(),
        "Müde".encode("utf-8-sig"),
        "Müde".encode("utf-16"),
        b"\xfe\xff" + "Müde".encode("utf-16-be"),
        "Müde".encode("cp1252"),
    ],
)
def test_text_is_decoded_as_spreadsheets_save_it(data: bytes) -> None:
    """With or without a mark, in Unicode or the old Windows way."""
    assert decode_text(data) == "Müde"


@given(st.binary(max_size=200))
def test_any_bytes_decode(data: bytes) -> None:
    """Decoding refuses nothing; what is no log shows by its header."""
    assert isinstance(decode_text(data), str)


def test_the_same_line_twice_is_one_report() -> None:
    """A report is known by athlete, date, time and side, however these are written."""
    text = "date,time,side,during\n2026-07-01,07:30,left,3\n2026-07-01,7:30:00,LEFT,3\n"

    result = read_pain(text)

    assert len(result.rows) == 1
    assert result.problems == ()


def test_a_later_line_completes_and_corrects_the_earlier() -> None:
    """The morning after, the runner adds the missing score; what was said before stays."""
    text = (
        "date,side,during,next_morning,flags,changed_gait\n"
        "2026-07-01,left,3,,swelling,yes\n"
        "2026-07-01,right,1,,,\n"
        "2026-07-01,left,2,0,,no\n"
    )

    left, right = read_pain(text).rows

    assert (left.during, left.next_morning, left.flags, left.changed_gait) == (2.0, 0.0, ("swelling",), False)
    assert (right.side, right.during, right.next_morning) == ("right", 1.0, None)


def test_completing_twice_is_completing_once() -> None:
    """The same correction may come again, from a file dropped twice."""
    earlier = a_report(during=3, flags=["locking"], note="hm")
    later = replace(a_report(next_morning=0, flags=["swelling"]), source="pain.csv")

    once = completed(earlier, later)

    assert once == completed(once, later)
    assert (once.during, once.next_morning, once.flags) == (3, 0, ("swelling",))
    assert (once.note, once.source) == ("hm", "pain.csv")


@pytest.mark.parametrize(
    "other", [{"side": "right"}, {"on": date(2026, 7, 2)}, {"at": time(23, 59)}, {"athlete": "tom"}]
)
def test_reports_differ_by_athlete_day_time_and_side(other: dict[str, object]) -> None:
    """Each of the four makes another report; a time given is not the same as none."""
    assert a_report(during=3).report_id != a_report(during=3, **other).report_id
    assert a_report(during=3).report_id == a_report(during=5, note="x", site="outer").report_id


@pytest.mark.parametrize("score", [-0.1, 10.1, float("nan"), float("inf")])
@pytest.mark.parametrize("name", [*SCORES, "muscle_soreness"])
def test_reports_given_one_at_a_time_are_checked_alike(name: str, score: float) -> None:
    """The command line has the limits of the file."""
    with pytest.raises(LogError, match=rf"^{name} is .*; a score is a number from 0 to 10\.$"):
        a_report(**{name: score})


def test_strength_lines_of_a_day_are_one_session() -> None:
    """One line an exercise, one session a day; the highest exertion and pain count."""
    text = (
        "date,exercise,sets,reps,load_kg,duration_min,rpe,pain_during,note\n"
        "2026-07-01,squat,3,10,20.5,35,6,,slow\n"
        "2026-07-01,plank,2,,,35,7,1,slow\n"
        "2026-07-03,squat,3,10,,,,,\n"
    )

    result = read_strength(text)

    assert result.problems == ()
    assert result.rows[0] == StrengthSession(
        session_id=result.rows[0].session_id,
        athlete="mara",
        local_date=DAY,
        exercises=(Exercise(name="squat", sets=3, reps=10, load_kg=20.5), Exercise(name="plank", sets=2)),
        duration_s=2100.0,
        rpe=7.0,
        pain_during=1.0,
        note="slow",
    )
    assert len(result.rows) == 2


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("exercise", "", "exercise is empty; name what was done."),
        ("sets", "0", "sets is 0; allowed is a whole number from 1 to 1000."),
        ("reps", "30s", "reps is '30s'; allowed is a whole number from 1 to 1000."),
        ("load_kg", "1001", "load_kg is 1001; a load is a number of kilograms from 0 to 1000."),
        (
            "duration_min",
            "601",
            "duration_min is 601; a duration is a number of minutes from 0 to 600.",
        ),
        ("rpe", "11", "rpe is 11; a score is a number from 0 to 10."),
        ("pain_during", "ouch", "pain_during is 'ouch'; a score is a number from 0 to 10."),
    ],
)
def test_a_wrong_strength_value_is_answered_with_what_is_allowed(column: str, value: str, said: str) -> None:
    """As with pain: line, column, value, and what may stand there."""
    cells = {"date": "2026-07-01", "exercise": "squat"} | {column: value}

    result = read_strength(f"{','.join(cells)}\n{','.join(cells.values())}\n")

    assert (result.rows, sentences(result)) == ((), [f"line 2: {said}"])


def test_a_session_without_exercises_is_refused() -> None:
    """A session is what was done in it."""
    with pytest.raises(LogError, match="there is no exercise"):
        strength_session(athlete="mara", on=DAY, exercises=[])


LOG_LIKE = st.lists(
    st.lists(
        st.one_of(
            st.sampled_from(
                [*PAIN_COLUMNS, *STRENGTH_COLUMNS, *SIDES, *FLAGS, "2026-07-01", "18:05", "3", "3,5", '"']
            ),
            st.text(max_size=8),
        ),
        max_size=8,
    ).map(",".join),
    max_size=6,
).map(lambda lines: "\n".join(["date,side,during,exercise,note,flags,time,rpe", *lines]))


def problems_or_refusal(read: Callable[[str], LogResult[Any]], text: str) -> tuple[LineProblem, ...]:
    try:
        return read(text).problems
    except LogError:
        return ()


@given(st.one_of(st.text(), st.text(st.characters()), LOG_LIKE))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text breaks the readers: rows and problems, or one refusal."""
    for read in (read_pain, read_strength):
        for problem in problems_or_refusal(read, text):
            assert problem.sentence.endswith(".")
            assert 2 <= problem.line <= len(text.splitlines())


@given(st.lists(st.integers(min_value=-30, max_value=30), max_size=20))
def test_each_line_is_a_report_or_a_problem(scores: list[int]) -> None:
    """Nothing is dropped in silence."""
    lines = [f"2026-07-{day:02},left,{score}" for day, score in enumerate(scores, 1)]

    result = read_pain("\n".join(["date,side,during", *lines]))

    assert [report.during for report in result.rows] == [score for score in scores if 0 <= score <= 10]
    assert [problem.line - 2 for problem in result.problems] == [
        place for place, score in enumerate(scores) if not 0 <= score <= 10
    ]


def test_a_field_beyond_the_limit_is_a_problem_not_a_crash() -> None:
    """Python's csv module refuses fields above 131 072 characters."""
    result = read_pain(f"date,side,during,note\n2026-07-01,left,3,{'x' * 200_000}\n2026-07-02,left,3,\n")

    assert [problem.line for problem in result.problems] == [2]
    assert len(result.rows) == 1
