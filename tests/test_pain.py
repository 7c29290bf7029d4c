"""Reports of knee pain: levels, what is rising, what has settled, and how long it lasts."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.pain import RED_FLAGS, Report, pains_of, says_something
from analytics.rules import PUBLISHED, Rules
from ingest.logs import FLAGS

VECTORS = json.loads((Path(__file__).parent / "data" / "alert_vectors.json").read_text())
START = datetime(2026, 8, 3, 19, tzinfo=UTC)
LEVELS = ("P0", "P1", "P2", "P3", "R")

scores = st.one_of(st.none(), st.integers(0, 10))


def report(day, during=None, **noted):
    """The report of the evening of a day counted from the first."""
    at = START + timedelta(days=day)
    return Report(
        report_id=f"day {day}", reported_at=at, local_date=at.date(), side="right", during=during, **noted
    )


def pain_of(reports, rules=PUBLISHED):
    """What the newest report says."""
    return pains_of(reports, rules)[-1]


def a_day_apart(*peaks):
    return [report(day, peak) for day, peak in enumerate(peaks)]


@st.composite
def histories(draw):
    """One to ten reports on different days, scores or flags or neither."""
    days = sorted(draw(st.sets(st.integers(0, 60), min_size=1, max_size=10)))
    return [
        report(
            day,
            draw(scores),
            before=draw(scores),
            after_60min=draw(scores),
            next_morning=draw(scores),
            flags=tuple(draw(st.sets(st.sampled_from(FLAGS), max_size=1))),
            changed_gait=draw(st.sampled_from((None, False, False, True))),
        )
        for day in days
    ]


@pytest.mark.parametrize(
    "vector",
    [vector for vector in VECTORS if vector["kind"] == "pain_level"],
    ids=lambda v: "-".join(str(r["during"]) for r in v["reports_oldest_first"]) + " " + v["expected"],
)
def test_reports_get_the_agreed_level(vector):
    """Levels and rising of the shared cases, a report a day."""
    reports = [
        report(
            day,
            told["during"],
            after_60min=told.get("after60"),
            next_morning=told.get("next_morning"),
            flags=tuple(told.get("flags", ())),
            changed_gait=told.get("changed_gait"),
        )
        for day, told in enumerate(vector["reports_oldest_first"])
    ]

    pain = pain_of(reports)

    assert (pain.level, pain.is_rising) == (vector["expected"], vector["rising"])


@pytest.mark.parametrize(
    ("peak", "level"),
    [(0, "P0"), (0.5, "P1"), (2, "P1"), (2.5, "P2"), (3, "P2"), (5, "P2"), (5.5, "P3"), (10, "P3")],
)
def test_the_highest_score_sets_the_level(peak, level):
    """Up to 2, up to 5, above; halves belong to the level above the edge."""
    assert pain_of([report(0, peak)]).level == level


@pytest.mark.parametrize("time", ["before", "during", "after_60min", "next_morning"])
def test_the_highest_score_counts_whenever_it_was(time):
    """A 6 is P3 before, during and after a run."""
    assert pain_of([report(0, **{time: 6})]).level == "P3"


@pytest.mark.parametrize(
    ("noted", "level"),
    [
        ({"during": 1, "after_60min": 1}, "P2"),
        ({"during": 1, "next_morning": 1}, "P2"),
        ({"before": 1, "during": 2, "after_60min": 1, "next_morning": 1}, "P1"),
        ({"before": 1, "during": 2, "after_60min": 2}, "P2"),
        ({"before": 0, "during": 2, "after_60min": 0, "next_morning": 0}, "P1"),
    ],
)
def test_pain_that_has_not_settled_to_where_it_was_is_p2(noted, level):
    """After an hour and on the next morning it may be what it was before the run; before not noted counts as 0."""
    assert pain_of([report(0, **noted)]).level == level


@pytest.mark.parametrize("flag", sorted(RED_FLAGS))
def test_any_red_flag_is_r_whatever_the_score(flag):
    """Also without any score."""
    assert pain_of([report(0, 0, flags=(flag,))]).level == "R"
    assert pain_of([report(0, flags=(flag,))]).level == "R"


def test_hyperextension_is_noted_and_no_red_flag():
    """The log takes one flag more than there are red ones."""
    assert set(FLAGS) - RED_FLAGS == {"hyperextension"}
    assert pain_of([report(0, 1, flags=("hyperextension",))]).level == "P1"


def test_a_changed_gait_is_p3_at_any_score():
    """Also without a score."""
    assert pain_of([report(0, 0, changed_gait=True)]).level == "P3"
    assert pain_of([report(0, changed_gait=True)]).level == "P3"


@pytest.mark.parametrize(
    ("peaks", "is_rising"),
    [
        ((1, 2, 3), True),
        ((0, 1, 2), True),
        ((1, 2, 2), False),
        ((2, 2, 3), False),
        ((3, 1, 2), False),
        ((1, 3), False),
        ((2, 2, 4), True),
        ((2, 2, 3.5), False),
        ((1, 5, 5), True),
        ((1, 3, 4, 3), False),
        ((5, 1, 1, 3), True),
    ],
)
def test_pain_rises_by_three_steps_or_by_two_points_above_the_median(peaks, is_rising):
    """Two reports alone never rise."""
    assert pain_of(a_day_apart(*peaks)).is_rising == is_rising


@pytest.mark.parametrize(("days_before", "is_rising"), [(14, True), (15, False)])
def test_only_reports_of_fourteen_days_show_a_rise(days_before, is_rising):
    """The first of three steps may be fourteen days old."""
    assert pain_of([report(0, 1), report(10, 2), report(days_before, 3)]).is_rising == is_rising


def test_a_report_without_a_score_is_no_step():
    """A flag between two scores neither makes nor breaks a rise."""
    reports = [report(0, 1), report(1, 2), report(2, changed_gait=True), report(3, 3)]

    assert pain_of(reports).is_rising


@pytest.mark.parametrize(
    ("reports", "days"),
    [
        ([report(0, 3)], 0),
        ([report(0, 3), report(7, 3), report(14, 3)], 14),
        ([report(0, 3), report(14, 3), report(28, 3)], 28),
        ([report(0, 3), report(15, 3)], 0),
        ([report(0, 3), report(7, 1), report(14, 3)], 0),
        ([report(0, 3), report(7, 1, after_60min=1), report(14, 6)], 14),
        ([report(0, 3), report(14, 1)], 0),
    ],
    ids=[
        "one",
        "two weeks",
        "four weeks",
        "a gap of 15 days",
        "a P1 between",
        "unsettled, then P3",
        "now P1",
    ],
)
def test_lasting_pain_is_counted_over_unbroken_reports(reports, days):
    """From the newest report back to the last one below P2, or to a gap of more than fourteen days."""
    assert pain_of(reports).days_at_p2_or_more == days


@pytest.mark.parametrize(
    "nothing", [report(1), report(1, changed_gait=False), report(1, flags=("hyperextension",))]
)
def test_a_report_that_says_nothing_of_pain_has_no_level(nothing):
    """Sore muscles alone are not knee pain, and not no pain either."""
    assert not says_something(nothing)
    assert pain_of([report(0, 3), nothing]) is None


def test_no_reports_no_level():
    """Nothing said is not no pain."""
    assert pains_of([]) == []


def test_the_edges_of_the_levels_can_be_set():
    """A physio may want 1 and 3."""
    rules = Rules(pain_p1_max=1, pain_p2_max=3)

    assert [pain_of([report(0, peak)], rules).level for peak in (1, 2, 3, 4)] == ["P1", "P2", "P2", "P3"]


@settings(deadline=None, max_examples=300)
@given(histories(), st.sampled_from(("during", "after_60min", "next_morning")), st.integers(0, 10))
def test_more_pain_is_never_a_lower_level(reports, time, more):
    """Raising a score of the newest report raises its level, or leaves it."""
    newest = reports[-1]
    worse = report(
        (newest.local_date - START.date()).days,
        **{
            "before": newest.before,
            "during": newest.during,
            "after_60min": newest.after_60min,
            "next_morning": newest.next_morning,
            "flags": newest.flags,
            "changed_gait": newest.changed_gait,
            time: max(getattr(newest, time) or 0, more),
        },
    )
    before, after = pain_of(reports), pain_of([*reports[:-1], worse])

    assert before is None or LEVELS.index(after.level) >= LEVELS.index(before.level)


@settings(deadline=None, max_examples=100)
@given(histories())
def test_what_was_said_later_does_not_change_what_was_said_before(reports):
    """The pain of a day depends on the reports up to it alone; saying nothing in between changes nothing."""
    silent = report(-1)

    for place in range(1, len(reports)):
        assert pain_of(reports[:place]) == pain_of([silent, *reports[:place]])
