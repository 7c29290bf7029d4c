"""The replay of real people's knee reports: what is read from their files, and what comes of it."""

import json
from datetime import UTC, date, datetime

import pytest

from benchmarks import case_study as case

INJURIES = """effective_time_frame,injuries
2019-11-02T20:00:00.000Z,"{'left_foot': 'minor', 'right_knee': 'major'}"
2019-11-01T06:30:00.000Z,{}
"""
SESSIONS = """end_date_time,activity_names,perceived_exertion,duration_min
2019-11-01T08:00:00.000Z,"['individual', 'running']",7,60
"""
EXERCISE = [
    {"logId": 1, "startTime": "2019-11-01 07:00:00", "activityName": "Run", "distance": 9.5, "distanceUnit": "Kilometer"},
    {"logId": 2, "startTime": "2019-11-02 07:00:00", "activityName": "Run"},
    {"logId": 3, "startTime": "2019-11-03 07:00:00", "activityName": "Walk", "distance": 3.0, "distanceUnit": "Kilometer"},
]  # fmt: skip


@pytest.fixture
def person(tmp_path):
    """Somebody made up, in files like the real ones."""
    (tmp_path / "injury.csv").write_text(INJURIES)
    (tmp_path / "srpe.csv").write_text(SESSIONS)
    (tmp_path / "exercise.json").write_text(json.dumps(EXERCISE))
    return case.read_person(tmp_path)


def test_a_report_that_marks_no_knee_says_none_of_both_and_words_become_scores(person):
    """In order of time, a row a knee; a sore foot is no sore knee."""
    scores = [(r.reported_at, r.side, r.during) for r in case.reports_of(person, minor=2)]

    first, second = datetime(2019, 11, 1, 6, 30, tzinfo=UTC), datetime(2019, 11, 2, 20, tzinfo=UTC)
    assert scores == [(first, "left", 0), (first, "right", 0), (second, "left", 0), (second, "right", 6)]


def test_a_distance_is_known_only_where_the_watch_measured_one(person):
    """A walk is no run."""
    assert person.runs["watch"].select("activity_id", "distance_m").rows() == [("1", 9500.0), ("2", None)]


def test_session_rpe_is_told_in_kilometres_at_an_exertion_of_seven(person):
    """An hour at 7 is 420 and stands for ten kilometres, begun an hour before it ended."""
    (row,) = person.runs["session_rpe"].select("started_at", "distance_m", "srpe").rows()

    assert row == (datetime(2019, 11, 1, 7, tzinfo=UTC), 10_000.0, 420.0)


def test_a_replay_that_takes_an_alert_back_is_an_error(person, monkeypatch):
    """The case study would not be what the person had seen."""
    honest = case.alerts_on

    def forgetful(runs, reports, day):
        return honest(runs, reports, day) if day < date(2019, 11, 3) else []

    monkeypatch.setattr(case, "alerts_on", forgetful)
    reports = case.reports_of(person, minor=2)

    assert case.replay(person.runs["watch"], reports, date(2019, 11, 1), date(2019, 11, 2))
    with pytest.raises(AssertionError, match="taken back"):
        case.replay(person.runs["watch"], reports, date(2019, 11, 1), date(2019, 11, 3))


def test_two_weeks_hold_fourteen_days():
    """The fifteenth day is another fortnight."""
    days = [date(2020, 1, 1), date(2020, 1, 14), date(2020, 1, 15), date(2020, 1, 15)]

    assert case.most_within(days) == 3
    assert case.most_within([]) == 0


def test_the_real_case_hears_of_the_worst_day_on_the_day(corpus):
    """The knee that was reported first and most often, and what stands in docs/alerts.md of it."""
    if not (corpus / "pmdata").is_dir():
        pytest.skip(f"There are no real knee reports at {corpus / 'pmdata'}.")
    study = case.study(case.read_person(corpus / "pmdata" / "p12"), load="watch", minor=2)

    right = study["knees"]["right"]
    assert (right["first_report"], right["worst_report"]) == ("2019-11-15", "2020-02-01")
    assert (right["sore_reports"], right["on_the_worst_day"]) == (35, ["warning"])
    assert right["alerts_before_the_worst"] == 0
    assert (len(study["alerts"]), study["days"], study["alerts_per_28_days"]) == (5, 140, 1.0)
