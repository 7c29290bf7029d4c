"""Logs in JSON: the same as CSV, entry by entry, and whatever is wrong costs that entry alone."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.log_json import read_log_json
from ingest.logs import PAIN_COLUMNS, STRENGTH_COLUMNS, LogError, LogResult, read_pain_csv, read_strength_csv
from ingest.unpack import format_of

BERLIN = ZoneInfo("Europe/Berlin")
HOW: dict[str, Any] = {"default_athlete": "mara", "known_athletes": frozenset({"mara", "zoe"})}
PAIN = {"date": "2026-07-01", "side": "left", "during": 3}
WORK = {"date": "2026-07-02", "exercise": "leg curl", "sets": 3}


def read(told: object) -> LogResult[Any]:
    text = told if isinstance(told, str) else json.dumps(told)
    return read_log_json(text, source="pain.json", zone_of=lambda athlete: BERLIN, **HOW)


def said(told: object) -> list[str]:
    return [str(problem) for problem in read(told).problems]


def test_an_object_with_both_logs_gives_what_their_csv_would() -> None:
    """Reports complete each other, exercises of a day are one session, an unknown key is named."""
    pain = [
        {**PAIN, "time": "18:30", "flags": ["swelling", "numbness"], "changed_gait": True, "note": "süß"},
        {"date": "2026-07-01", "side": "Left", "time": "18:30", "next_morning": 1.5, "mood": "good"},
        {"date": "2026-07-03", "side": "both", "before": None, "during": 0, "athlete": "zoe"},
    ]
    work = [WORK, {**WORK, "exercise": "bridge", "load_kg": 12.5}]
    of_pain = (
        "date,side,time,during,flags,changed_gait,note,next_morning,athlete\n"
        "2026-07-01,left,18:30,3,swelling;numbness,yes,süß,,\n2026-07-01,left,18:30,,,,,1.5,\n"
        "2026-07-03,both,,0,,,,,zoe\n"
    )
    of_work = "date,exercise,sets,load_kg\n2026-07-02,leg curl,3,\n2026-07-02,bridge,3,12.5\n"

    found = read({"pain_reports": pain, "strength_sessions": work, "version": 1})

    expected = [
        *read_pain_csv(of_pain, source="pain.json", zone_of=lambda athlete: BERLIN, **HOW).rows,
        *read_strength_csv(of_work, **HOW).rows,
    ]
    assert [*found.rows] == expected
    assert (found.problems, found.unknown_columns) == ((), ("mood",))


def test_a_list_may_hold_both() -> None:
    """What an entry is, its keys say."""
    assert read([PAIN, WORK]).rows == read({"pain_reports": [PAIN], "strength_sessions": [WORK]}).rows


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (
            '{"date": "2026-07-01", "side": "left", "during": 12}',
            "during is 12; a score is a number from 0 to 10.",
        ),
        ('{"date": "2026-07-01", "side": "left", "during": NaN}', "during is 'NaN'; a score is"),
        ('{"date": "2026-07-01", "side": "left", "during": 1e999}', "during is '1e999'; a score is"),
        ('{"date": "2026-07-01", "side": "left", "during": -1}', "during is '-1'; a score is"),
        ('{"date": "2026-07-01", "side": "left", "during": true}', "during is 'true'; a score is"),
        (
            '{"date": "2026-07-01", "side": "left", "during": [3]}',
            "'during' is a list; allowed is a single value.",
        ),
        (
            '{"date": "2026-07-01", "side": "left", "flags": [{}]}',
            "'flags' is a list; allowed is a single value.",
        ),
        (
            '{"date": "2026-07-01", "side": "left", "note": {"a": 1}}',
            "'note' is an object; allowed is a single value.",
        ),
        (
            '{"date": "2026-07-01", "side": "left", "during": 1, "During": 2}',
            "'during' is given twice; one value",
        ),
        (f'{{"date": "2026-07-01", "side": "left", "during": {"9" * 100_000}}}', "during is '9999"),
        ('{"date": "2026-07-01"}', "An entry needs date and side"),
        ("7", "it is a single value; an entry needs date and side"),
        ("[]", "it is a list; an entry needs date and side"),
        ('{"date": 20260701, "side": "left", "during": 1}', "date is '20260701'; allowed is a day"),
        (
            '{"date": "2026-07-01", "side": "left", "during": 1, "athlete": "tom"}',
            "athlete is 'tom'; allowed are mara, zoe.",
        ),
    ],
)
def test_a_wrong_entry_is_named_by_its_place_and_key(entry: str, sentence: str) -> None:
    """And the others are kept."""
    good = json.dumps(PAIN)

    found = read(f"[{good}, {entry}]")

    assert len(found.rows) == 1
    assert str(found.problems[0]).startswith(f"[1]: {sentence}")
    assert len(str(found.problems[0])) < 300


def test_an_entry_of_a_named_list_is_named_with_it() -> None:
    """Each list counts for itself, from 0 as JSON does."""
    told = {"strength_sessions": [WORK], "pain_reports": [PAIN, {**PAIN, "side": "middle"}]}

    assert said(told) == ["pain_reports[1]: side is 'middle'; allowed are left, right, both."]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[" * 100_000, "This JSON is nested too deeply to be a log."),
        ('{"pain_reports":' * 100_000, "This JSON is nested too deeply to be a log."),
        ('[{"date": "2026-07-01",', "This is no readable JSON: line 1, column 24:"),
        ('{"pain_reports": {}}', "pain_reports is no list of entries."),
        ('{"reports": []}', "This is no pain or strength log"),
        ('"pain"', "This is no pain or strength log"),
    ],
)
def test_what_is_no_log_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    """Nothing of it is guessed, and nothing fails."""
    with pytest.raises(LogError) as refused:
        read(text)
    assert str(refused.value).startswith(sentence)


def test_half_a_letter_can_be_stored() -> None:
    """JSON may hold it, no database does."""
    [report] = read('[{"date": "2026-07-01", "side": "left", "during": 1, "note": "a\\ud800b"}]').rows

    assert report.note == "a?b"


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["date", "side", "x"]), inner)
    ),
    max_leaves=6,
)


@given(
    st.lists(st.dictionaries(st.sampled_from([*PAIN_COLUMNS, *STRENGTH_COLUMNS]), JSON) | JSON, max_size=4)
)
def test_each_entry_is_kept_or_named(entries: list[object]) -> None:
    """Whatever it is: nothing is lost without a word, and nothing stops the rest."""
    found = read([PAIN, *entries])

    kept = len(entries) - len(found.problems)
    assert {problem.entry for problem in found.problems} <= {
        f"[{place + 1}]" for place in range(len(entries))
    }
    assert 1 <= len(found.rows) <= 1 + kept
    assert date(2026, 7, 1) in {row.local_date for row in found.rows}


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b'{"pain_reports": []}', "any.json", "log_json"),
        (b'\xef\xbb\xbf [ {"date": "2026-07-01", "side": "left"}]', "any.json", "log_json"),
        (b'[{"exercise": "bridge"}]', "any", "log_json"),
        (b"[[[[", "inbox/Pain-2026.json", "log_json"),
        (b"{}", "strength.json", "log_json"),
        (b"{}", "other.json", None),
        (b'[{"a": 1}]', "other.json", None),
        (b'{"startTime": "2026", "exercises": []}', "training-session.json", "polar"),
    ],
)
def test_a_log_is_known_by_its_content_or_else_by_its_name(
    content: bytes, name: str, kind: str | None
) -> None:
    """So that a broken pain.json is answered, and other JSON is left alone."""
    assert format_of(content, name) == kind
