"""Whom a coach should call first: the reasons, the order, and the page of many athletes."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from analytics.coach import ATHLETES, CALLS, call_order
from flows import steps
from flows.steps import Clock
from ingest.logs import pain_report
from kneewatch.web.app import create_app
from report.coach_words import call_sentence
from report.format import Units
from store.home import Home
from store.settings import read_settings

TODAY = date(2026, 7, 2)
CLOCK = Clock(datetime(2026, 7, 2, 18, tzinfo=UTC), TODAY)
HOST = "127.0.0.1:8765"


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def person(athlete: str = "me", **known: Any) -> dict[str, Any]:
    """Somebody who ran and reported yesterday, and of whom nothing else is known."""
    seen = {"last_run_date": ago(1), "last_report_date": ago(1), "missed_runs": 0}
    return dict.fromkeys(ATHLETES) | seen | {"athlete": athlete} | known


def ordered(*people: dict[str, Any]) -> list[tuple[str, str]]:
    found = call_order(pl.DataFrame(list(people), schema=ATHLETES), today=TODAY)
    return found.select("athlete", "call").rows()


def spike(days: int, ratio: float = 0.2) -> dict[str, Any]:
    return {"spike_date": ago(days), "spike_ratio": ratio}


@pytest.mark.parametrize(
    ("known", "call"),
    [
        ({}, "none"),
        ({"severity": "stop", "is_medical": False}, "medical"),
        ({"severity": "warning", "is_medical": True}, "medical"),
        ({"severity": "warning", "is_medical": False, "peak": 4.0, "earlier_peak": 2.0}, "alert"),
        ({"severity": "caution", "is_medical": False}, "alert"),
        ({"severity": "info", "is_medical": False}, "none"),
        ({"peak": 2.0, "earlier_peak": 1.0}, "pain_rising"),
        ({"peak": 2.0, "earlier_peak": 2.0}, "none"),
        ({"peak": 2.0, "earlier_peak": None}, "none"),
        (spike(3) | {"last_report_date": ago(4)}, "not_reported"),
        (spike(3) | {"last_report_date": None}, "not_reported"),
        (spike(3) | {"last_report_date": ago(3)}, "none"),
        (spike(3) | {"last_report_date": ago(4), "missed_runs": 3}, "not_reported"),
        ({"missed_runs": 1}, "missed"),
        ({"last_run_date": ago(7), "last_report_date": ago(9)}, "quiet"),
        ({"last_run_date": ago(6), "last_report_date": None}, "none"),
        ({"last_run_date": None, "last_report_date": ago(6)}, "none"),
        ({"last_run_date": None, "last_report_date": None}, "quiet"),
    ],
)
def test_each_athlete_has_the_first_reason_that_holds(known: dict[str, Any], call: str) -> None:
    """What is unknown is no reason, but silence is one."""
    assert ordered(person(**known)) == [("me", call)]


def test_what_weighs_more_comes_first_within_a_reason() -> None:
    """The same day before soon, stop before warning, the higher score, the more missed; then who was silent longer."""
    medical = {"severity": "stop", "is_medical": True}
    people = [
        person("medical today", **medical, urgency="same_day"),
        person("medical soon", **medical, urgency="soon"),
        person("medical warning", severity="warning", is_medical=True, urgency="soon"),
        person("warning", severity="warning", is_medical=False),
        person("caution", severity="caution", is_medical=False),
        person("rising to 5", peak=5.0, earlier_peak=4.0),
        person("rising to 3", peak=3.0, earlier_peak=0.0),
        person("large spike", **spike(2, 1.2), last_report_date=None),
        person("small spike", **spike(2, 0.2), last_report_date=None),
        person("missed 3", missed_runs=3),
        person("missed 1", missed_runs=1),
        person("never seen", last_run_date=None, last_report_date=None),
        person("quiet for 20 days", last_run_date=ago(20), last_report_date=None),
        person("quiet for 8 days", last_run_date=ago(8), last_report_date=None),
        person("seen yesterday"),
        person("seen today", last_run_date=TODAY),
    ]
    shuffled = random.Random(1).sample(people, len(people))

    assert [athlete for athlete, _ in ordered(*shuffled)] == [one["athlete"] for one in people]


maybe = st.none
days = st.one_of(maybe(), st.integers(0, 40).map(ago))
scores = st.one_of(maybe(), st.integers(0, 10).map(float))
people_of = st.lists(
    st.fixed_dictionaries(
        {
            "severity": st.sampled_from([None, "stop", "warning", "caution", "info"]),
            "is_medical": st.sampled_from([None, True, False]),
            "urgency": st.sampled_from([None, "same_day", "soon"]),
            "peak": scores,
            "earlier_peak": scores,
            "last_report_date": days,
            "last_run_date": days,
            "spike_date": days,
            "spike_ratio": st.one_of(maybe(), st.floats(0.1, 3)),
            "missed_runs": st.integers(0, 9),
        }
    ),
    min_size=1,
    max_size=8,
)


@given(people_of, st.randoms(use_true_random=False))
def test_everybody_stands_there_once_in_an_order_that_does_not_depend_on_where_they_stood(
    known: list[dict[str, Any]], chance: random.Random
) -> None:
    """Nobody is lost, reasons come in their order, and who is unknown in everything is not last without a reason."""
    people = [person(f"a{number}", **one) for number, one in enumerate(known)]
    found = ordered(*people)
    places = [CALLS.index(call) for _, call in found]

    assert sorted(athlete for athlete, _ in found) == [one["athlete"] for one in people]
    assert places == sorted(places)
    assert ordered(*chance.sample(people, len(people))) == found


@given(people_of)
def test_an_alert_to_look_at_today_brings_anybody_to_the_front(known: list[dict[str, Any]]) -> None:
    """Whatever else is known; only another such alert may stand before it."""
    people = [person(f"a{number}", **one) for number, one in enumerate(known)]
    urgent = {"severity": "stop", "is_medical": True, "urgency": "same_day"}
    for one in people[:-1]:
        one["urgency"] = None

    assert ordered(*people[:-1], people[-1] | urgent)[0][0] == people[-1]["athlete"]


@pytest.mark.homes
def test_everybody_in_the_settings_stands_on_the_page_with_why(home: Home) -> None:
    """One reported swelling, one nothing ever; the names are escaped, and no report is never no pain."""
    home.settings_file.write_text(
        'default_athlete = "calm"\n[athletes.calm]\n[athletes.sore]\nname = "<b>Sore</b>"\n[athletes.silent]\n'
    )
    settings = read_settings(home)
    for athlete, score, flags in (("calm", 0, []), ("sore", 3, ["swelling"])):
        report = pain_report(
            athlete=athlete,
            zone=settings.athletes[athlete].zone,
            on=TODAY,
            side="left",
            during=score,
            flags=flags,
            source="cli",
            latest=TODAY,
        )
        steps.log_pain(home, settings, CLOCK, report)
    app = create_app(home, allowed_hosts=[HOST], clock=lambda _: CLOCK)

    page = TestClient(app, base_url=f"http://{HOST}").get("/coach").text

    table = page[page.index("<tbody>") :]
    places = [table.index(f"?athlete={athlete}") for athlete in ("sore", "silent", "calm")]
    assert places == sorted(places)
    assert "Seek medical advice, left knee: 3/10 on 2 Jul; swelling on 2 Jul." in table
    assert "No run and no report yet." in table
    assert "never reported" in table
    assert "That is no promise that all is well." in table
    assert "<b>" not in page
    assert "no pain" not in table


SPIKE = {
    "spike_date": ago(3),
    "spike_distance_m": 12_000.0,
    "spike_longest_30d_m": 10_000.0,
    "spike_ratio": 0.2,
}


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        (
            {
                "call": "medical",
                "rule": "spike_and_pain",
                "side": "right",
                "alert_peak": 5.0,
                "alert_pain_date": ago(1),
                "alert_spike_ratio": 0.415,
                "alert_distance_m": 18_400.0,
                "alert_longest_30d_m": 13_000.0,
                "alert_spike_date": ago(4),
            },
            "Load spike and knee pain, right knee: 5/10 on 1 Jul; 18.4 km on 28 Jun against 13.0 km as the longest of the "
            "30 days before, +42 %.",
        ),
        (
            {
                "call": "alert",
                "rule": "load_spike",
                "alert_week_m": 30_000.0,
                "alert_week_before_m": 20_000.0,
                "alert_spike_date": ago(2),
            },
            "Load spike: 30.0 km in the 7 days up to 30 Jun against 20.0 km in the 7 before.",
        ),
        ({"call": "alert", "rule": "medical", "side": "left"}, "Seek medical advice, left knee."),
        (
            {
                "call": "pain_rising",
                "peak": 3.0,
                "peak_date": ago(0),
                "earlier_peak": 2.0,
                "earlier_peak_date": ago(2),
            },
            "Knee pain 3/10 on 2 Jul, after 2/10 on 30 Jun.",
        ),
        (
            {"call": "not_reported", **SPIKE},
            "A run of 12.0 km on 29 Jun against 10.0 km as the longest of the 30 days before, +20 %; no report since, which "
            "is not taken for no pain.",
        ),
        (
            {"call": "missed", "missed_runs": 2, "planned_runs": 8, "last_missed_date": ago(1)},
            "Missed 2 of 8 planned runs of 14 days, the last on 1 Jul.",
        ),
        ({"call": "quiet", "silent_days": 9}, "No run and no report for 9 days; why is not known."),
        ({"call": "quiet"}, "No run and no report yet."),
    ],
)
def test_why_is_one_sentence_with_its_numbers(known: dict[str, Any], sentence: str) -> None:
    """Both numbers of what is compared, each with its day."""
    row: defaultdict[str, Any] = defaultdict(lambda: None, known)

    assert call_sentence(row, Units("km")) == sentence
