"""Polar's account export: local times, one list for each quantity, whatever else is in the file."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import IngestError, NotAnActivityError
from ingest.polar import read_polar
from ingest.recording import Recording
from ingest.unpack import format_of

START = "2026-07-01T18:00:00.000"


def at(second: float) -> str:
    return (datetime.fromisoformat(START) + timedelta(seconds=second)).isoformat(timespec="milliseconds")


def values(*pairs: tuple[float, float]) -> list[dict[str, Any]]:
    return [{"dateTime": at(second), "value": value} for second, value in pairs]


def exercise(**more: Any) -> dict[str, Any]:
    return {
        "startTime": START,
        "stopTime": at(3),
        "timezoneOffset": 120,
        "duration": "PT3S",
        "distance": 9.0,
        "sport": "RUNNING",
        "heartRate": {"min": 90, "avg": 141, "max": 143},
        "samples": {
            "heartRate": values((0, 140), (1, 141), (2, 142)),
            "speed": values((0, 10.8), (2, 10.8)),
            "distance": values((0, 0.0), (1, 3.0), (2, 6.0)),
            "recordedRoute": [
                {"dateTime": at(second), "latitude": 52 + second / 1e5, "longitude": 4.0, "altitude": 3.0}
                for second in (0, 1.5, 3)
            ],
        },
        **more,
    }


def session(*exercises: dict[str, Any], **more: Any) -> bytes:
    told = {"exportVersion": "1.6", "name": "Evening run", "startTime": START, "exercises": list(exercises)}
    return json.dumps({**told, **more}).encode()


def test_a_training_session_is_read() -> None:
    """Local times become UTC, km/h become m/s, and the quantities share one time axis."""
    recording = read_polar(session(exercise(), note="knee L 3/1/0"))

    (told,) = recording.sessions
    assert (told.sport, told.title, told.description) == ("running", "Evening run", "knee L 3/1/0")
    assert told.started_at == datetime(2026, 7, 1, 16, 0, tzinfo=UTC)
    assert (told.timer_s, told.distance_m, told.avg_hr_bpm, told.max_hr_bpm) == (3.0, 9.0, 141.0, 143.0)
    assert recording.utc_offset_s == 7200
    frame = recording.frame
    assert [(one - told.started_at).total_seconds() for one in frame["at"]] == [0, 1, 1.5, 2, 3]
    assert frame["hr_bpm"].to_list() == [140, 141, None, 142, None]
    assert frame["speed_m_per_s"].to_list() == pytest.approx([3.0, None, None, 3.0, None])
    assert frame["lat_deg"].to_list() == [52.0, None, 52.000015, None, 52.00003]


def test_two_exercises_are_two_sessions() -> None:
    """As after a change of the sport on the watch."""
    ride = exercise(sport="CYCLING", startTime=at(100), samples={"heartRate": values((100, 120))})

    recording = read_polar(session(exercise(), ride))

    assert [one.sport for one in recording.sessions] == ["running", "cycling"]
    assert recording.samples["session"].tolist() == [0] * 5 + [1]


def test_a_treadmill_run_has_no_route() -> None:
    """Totals without any sample are a recording as well."""
    recording = read_polar(session(exercise(sport="TREADMILL_RUNNING", samples={})))

    assert (recording.sessions[0].sport, recording.sessions[0].sub_sport) == ("running", "treadmill")
    assert len(recording.samples["at"]) == 0


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("PT4194.878S", 4194.878),
        ("PT1H2M3S", 3723.0),
        ("PT45M", 2700.0),
        ("PT", None),
        (None, None),
        ("x", None),
    ],
)
def test_durations_are_read(duration: str | None, seconds: float | None) -> None:
    """In any form of ISO 8601 without days."""
    assert read_polar(session(exercise(duration=duration))).sessions[0].timer_s == seconds


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"{", IngestError, "no readable JSON"),
        (b"[" * 100_000, IngestError, "no readable JSON"),
        (session(), NotAnActivityError, "no exercise"),
        (session(exercise(timezoneOffset=None)), IngestError, "timezoneOffset"),
        (session(*[exercise(samples={})] * 201), IngestError, "201 exercises"),
    ],
)
def test_what_is_none_is_refused_with_a_sentence(content: bytes, kind: type[IngestError], said: str) -> None:
    """Broken, empty, without a zone, or made to harm."""
    with pytest.raises(kind, match=said) as refusal:
        read_polar(content)

    assert str(refusal.value).endswith(".")


def test_the_offset_may_stand_at_the_session() -> None:
    """Newer exports call it by another name."""
    content = session(exercise(timezoneOffset=None), timezoneOffsetMinutes=-300)

    assert read_polar(content).sessions[0].started_at == datetime(2026, 7, 1, 23, 0, tzinfo=UTC)


def test_an_offset_of_nothing_is_one() -> None:
    """Whoever runs in Iceland is not far from UTC."""
    recording = read_polar(session(exercise(timezoneOffset=0)))

    assert recording.utc_offset_s == 0
    assert recording.sessions[0].started_at == datetime(2026, 7, 1, 18, 0, tzinfo=UTC)


def test_it_is_known_by_its_content() -> None:
    """Other JSON is none of ours."""
    assert format_of(session(exercise()), "training-session-1.json") == "polar"
    assert format_of(b'{"name": "settings"}', "settings.json") is None
    assert format_of(b"[1, 2]", "a.json") is None


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([START, at(1), "PT3S"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(exercise())), inner),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["exercises", "timezoneOffset", "name", "note"]), anything),
    anything,
    anything,
)
def test_any_json_is_a_recording_or_a_refusal(told: dict[str, Any], inner: Any, samples: Any) -> None:
    """Nothing else comes out, and no number that is none."""
    exercises = [exercise(samples={"heartRate": samples, "recordedRoute": inner}, duration=inner), inner]
    for content in (told, {"timezoneOffset": 60, "exercises": exercises}, inner):
        try:
            recording = read_polar(json.dumps(content).encode())
        except IngestError:
            continue
        assert isinstance(recording, Recording)
        assert len({len(column) for column in recording.samples.values()}) == 1
