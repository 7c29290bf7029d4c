"""From a recording to activities: totals one can believe, the athlete's day, one time axis."""

import json
import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.activity import Activity, activities_of, activity_id_of
from ingest.decode import decode
from ingest.errors import IngestError
from ingest.recording import RAW_LAPS, RAW_SAMPLES, Recording, Session, columns_of, no_samples
from ingest.track import haversine_m
from sample_data import fit_writer, gpx_writer
from sample_data.recording import record
from sample_data.story import Pause, Run
from store.samples import SAMPLES_SCHEMA

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)
NOW = datetime(2026, 10, 3, 18, tzinfo=UTC)
EXPORT = "e" * 64
METRES_PER_DEGREE = 6_371_008.8 * math.pi / 180
ONE_PAUSE = record(Run(day=date(2026, 7, 1), km=0.3, pauses=(Pause(at_share=0.5, duration_s=200),)))
SMALL_FIT = fit_writer.encode(ONE_PAUSE)


def recorded(*samples: dict[str, Any], told: Session | None = None, **more: Any) -> Recording:
    """Return a recording of these samples; where they say no `second` they are one second apart."""
    rows = [
        {
            "at": at(sample.get("second", place)),
            "session": 0,
            **{k: v for k, v in sample.items() if k != "second"},
        }
        for place, sample in enumerate(samples)
    ]
    return Recording(
        format="fit",
        sessions=(told or Session(sport="running"),),
        samples=columns_of(pl.DataFrame(rows, schema=RAW_SAMPLES)),
        **more,
    )


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def activities(recording: Recording, *, zone: ZoneInfo = BERLIN) -> list[Activity]:
    return activities_of(recording, athlete="mara", export_id=EXPORT, zone=zone, now=NOW)


def the_one(recording: Recording, *, zone: ZoneInfo = BERLIN) -> Activity:
    [activity] = activities(recording, zone=zone)
    return activity


def steady(count: int, **values: Any) -> list[dict[str, Any]]:
    """Return samples a second apart at 3 m/s."""
    return [{"distance_m": 3.0 * second, **values} for second in range(count)]


def test_a_run_has_its_totals() -> None:
    """Those of the session where it tells them, heart rate and cadence of the samples."""
    told = Session(
        sport="running",
        started_at=START,
        elapsed_s=70.0,
        timer_s=60.0,
        distance_m=180.0,
        ascent_m=3.0,
        descent_m=2.0,
        avg_hr_bpm=99.0,
        max_hr_bpm=99.0,
        steps=170,
        rpe=6.0,
        feel=75.0,
        title="Easy run",
    )

    row = the_one(recorded(*steady(61, hr_bpm=150.0, cadence_spm=85.0), told=told, device="a watch")).row

    assert row == {
        "activity_id": activity_id_of("mara", EXPORT, 0),
        "athlete": "mara",
        "export_id": EXPORT,
        "sport": "running",
        "sub_sport": None,
        "is_run": True,
        "is_indoor": False,
        "started_at": START,
        "local_date": date(2026, 7, 1),
        "utc_offset_s": 7200,
        "elapsed_s": 70.0,
        "timer_s": 60.0,
        "moving_s": 60.0,
        "distance_m": 180.0,
        "ascent_m": 3.0,
        "descent_m": 2.0,
        "avg_hr_bpm": 150.0,
        "max_hr_bpm": 150.0,
        "avg_cadence_spm": 170.0,
        "pace_s_per_km": pytest.approx(1000 / 3),
        "steps": 170,
        "rpe": 6.0,
        "feel": 75.0,
        "title": "Easy run",
        "description": None,
        "gear": None,
        "device": "a watch",
        "quality": [],
        "repaired_share": 0.0,
    }


def test_without_a_session_the_samples_give_the_totals() -> None:
    """As in a GPX file or one that broke off; what nobody measured is unknown."""
    row = the_one(recorded(*steady(61))).row

    assert (row["elapsed_s"], row["timer_s"], row["distance_m"]) == (60.0, 60.0, 180.0)
    unknown = ("ascent_m", "descent_m", "avg_hr_bpm", "max_hr_bpm", "avg_cadence_spm", "steps", "rpe", "feel")
    assert [row[name] for name in unknown] == [None] * len(unknown)


def test_without_samples_the_session_gives_the_totals() -> None:
    """Old watches keep nothing else."""
    told = Session(
        sport="running",
        started_at=START,
        elapsed_s=1800.0,
        timer_s=1700.0,
        distance_m=5000.0,
        avg_hr_bpm=150.0,
    )

    activity = the_one(recorded(told=told))

    assert (activity.row["timer_s"], activity.row["distance_m"], activity.row["avg_hr_bpm"]) == (
        1700.0,
        5000.0,
        150.0,
    )
    assert activity.row["moving_s"] is None
    assert activity.samples.is_empty()


def test_samples_have_the_columns_of_the_store() -> None:
    """All but the id, which the store adds."""
    samples = the_one(recorded(*steady(3))).samples

    assert set(samples.columns) == SAMPLES_SCHEMA.keys() - {"activity_id"}


# The athlete's day ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("started_at", "offset_s", "zone", "day", "kept_offset_s"),
    [
        (datetime(2026, 7, 1, 22, 30, tzinfo=UTC), None, BERLIN, date(2026, 7, 2), 7200),
        (datetime(2026, 7, 1, 21, 59, 59, tzinfo=UTC), None, BERLIN, date(2026, 7, 1), 7200),
        (datetime(2026, 7, 2, 2, 0, tzinfo=UTC), None, NEW_YORK, date(2026, 7, 1), -14400),
        (datetime(2026, 7, 1, 22, 30, tzinfo=UTC), -14400, BERLIN, date(2026, 7, 1), -14400),
        (datetime(2026, 7, 1, 16, 0, tzinfo=UTC), 32400, BERLIN, date(2026, 7, 2), 32400),
        (datetime(2026, 7, 1, 22, 30, tzinfo=UTC), 0, BERLIN, date(2026, 7, 1), 0),
        # Berlin: summer time from 29 March 2026 01:00 UTC to 25 October 2025 01:00 UTC.
        (datetime(2026, 3, 28, 22, 30, tzinfo=UTC), None, BERLIN, date(2026, 3, 28), 3600),
        (datetime(2026, 3, 28, 23, 30, tzinfo=UTC), None, BERLIN, date(2026, 3, 29), 3600),
        (datetime(2026, 3, 29, 22, 30, tzinfo=UTC), None, BERLIN, date(2026, 3, 30), 7200),
        (datetime(2025, 10, 25, 22, 30, tzinfo=UTC), None, BERLIN, date(2025, 10, 26), 7200),
        (datetime(2025, 10, 26, 22, 30, tzinfo=UTC), None, BERLIN, date(2025, 10, 26), 3600),
    ],
)
def test_the_day_is_where_the_athlete_was(
    started_at: datetime, offset_s: int | None, zone: ZoneInfo, day: date, kept_offset_s: int
) -> None:
    """By the file's own offset, else by the athlete's zone on that day; across midnight and summer time."""
    told = Session(sport="running", started_at=started_at, elapsed_s=3600.0)

    row = the_one(recorded(told=told, utc_offset_s=offset_s), zone=zone).row

    assert (row["local_date"], row["utc_offset_s"]) == (day, kept_offset_s)


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg", "offset_s", "day"),
    [
        (52.0, 4.0, 7200, date(2026, 7, 1)),
        (35.7, 139.7, 32400, date(2026, 7, 2)),
        (27.7, 85.3, 20700, date(2026, 7, 1)),  # Nepal
        (None, None, 7200, date(2026, 7, 1)),
    ],
)
def test_where_the_file_says_no_zone_the_position_does(
    lat_deg: float | None, lon_deg: float | None, offset_s: int, day: date
) -> None:
    """A GPX file has no zone; the athlete's own is the last resort."""
    samples = [{"lat_deg": lat_deg, "lon_deg": lon_deg, **one} for one in steady(5)]

    row = the_one(recorded(*samples), zone=BERLIN).row
    from_file = the_one(recorded(*samples, utc_offset_s=0)).row

    assert (row["utc_offset_s"], row["local_date"]) == (offset_s, day)
    assert from_file["utc_offset_s"] == 0


def test_a_run_over_midnight_belongs_to_the_day_it_began() -> None:
    """One run, one day."""
    told = Session(sport="running", started_at=datetime(2026, 7, 1, 21, 50, tzinfo=UTC), elapsed_s=3600.0)

    assert the_one(recorded(told=told)).row["local_date"] == date(2026, 7, 1)


# Distance ------------------------------------------------------------------------------------------------


def test_haversine_is_that_of_the_formulas() -> None:
    """130.579 m from 52.0, 4.0 to 52.001, 4.001."""
    lat1, lon1, lat2, lon2 = (np.radians([degrees]) for degrees in (52.0, 4.0, 52.001, 4.001))

    [metres] = haversine_m(lat1, lon1, lat2, lon2)

    assert metres == pytest.approx(130.579, abs=0.001)


def test_haversine_agrees_with_the_value_handed_down() -> None:
    """Where the formulas lie beside the checkout they say the same."""
    formulas = Path(__file__).parent.parent.parent / "shared" / "science" / "formulas.json"
    if not formulas.exists():
        pytest.skip(f"There are no formulas at {formulas}.")

    assert '"haversine_52.0_4.0_to_52.001_4.001_m": {\n  "value": 130.579' in formulas.read_text()
    assert json.loads(formulas.read_text())


def test_the_devices_own_distance_comes_first() -> None:
    """Foot pods and treadmills know better than positions."""
    samples = [{**one, "lat_deg": 52.0, "lon_deg": 4.0} for one in steady(11)]

    assert the_one(recorded(*samples)).row["distance_m"] == 30.0


def test_without_a_distance_positions_give_one() -> None:
    """Along the surface of the earth, over positions that are missing as well."""
    step_deg = 3 / METRES_PER_DEGREE
    lats = [52 + step_deg * second for second in range(11)]
    samples = [{"lat_deg": lat, "lon_deg": 4.0} for lat in lats]
    samples[4] = {"lat_deg": None, "lon_deg": None}

    activity = the_one(recorded(*samples))

    assert activity.row["distance_m"] == pytest.approx(30.0, abs=1e-6)
    assert activity.samples["distance_m"].is_sorted()
    assert activity.samples["distance_m"].null_count() == 0


def test_what_passes_in_a_pause_is_not_run() -> None:
    """A hundred metres by bus between two segments count for nothing."""
    north_deg = 1 / METRES_PER_DEGREE
    metres = [*range(0, 31, 3), *range(130, 161, 3)]
    seconds = [*range(11), *range(100, 111)]
    samples = [
        {"second": second, "lat_deg": 52 + north_deg * metre, "lon_deg": 4.0}
        for second, metre in zip(seconds, metres, strict=True)
    ]

    activity = the_one(recorded(*samples, pauses=((at(10), at(100)),)))

    assert activity.row["distance_m"] == pytest.approx(60.0, abs=1e-6)
    assert (activity.row["elapsed_s"], activity.row["timer_s"]) == (110.0, 20.0)


def test_a_treadmill_has_a_distance_and_no_way() -> None:
    """The run of 16 July, as the sample watch writes it: indoors, distance from the device, no position."""
    run = record(Run(day=date(2026, 7, 16), km=0.5, is_treadmill=True))

    activity = the_one(decode("fit", fit_writer.encode(run)))

    assert (activity.row["is_indoor"], activity.row["is_run"], activity.row["sub_sport"]) == (
        True,
        True,
        "treadmill",
    )
    assert activity.row["distance_m"] == 500.0
    assert activity.samples["lat_deg"].null_count() == activity.samples.height


def test_neither_distance_nor_position_is_an_unknown_distance() -> None:
    """Not a run of 0 metres."""
    row = the_one(recorded(*({"hr_bpm": 150.0} for _ in range(60)))).row

    assert (row["distance_m"], row["pace_s_per_km"], row["moving_s"]) == (None, None, None)


def lapped(*laps: tuple[float, float]) -> pl.DataFrame:
    """Return laps of (seconds, metres)."""
    rows = [{"started_at": START, "timer_s": seconds, "distance_m": metres} for seconds, metres in laps]
    return pl.DataFrame(rows, schema=RAW_LAPS)


@pytest.mark.parametrize(
    ("told_m", "laps", "distance_m", "by"),
    [
        (183.0, lapped(), 183.0, None),  # as the samples' 180 m, nearly
        (5000.0, lapped(), 180.0, "samples"),  # counts a later ride
        (90.0, lapped((30, 90), (30, 90)), 180.0, "samples"),  # without the last lap
        (5000.0, lapped((60, 4990)), 5000.0, None),  # samples were lost
        (90.0, lapped((30, 100), (30, 40)), 180.0, "samples"),
    ],
)
def test_of_three_totals_two_outvote_the_third(
    told_m: float, laps: pl.DataFrame, distance_m: float, by: str | None
) -> None:
    """A contradiction is named, with both numbers."""
    told = Session(sport="running", started_at=START, timer_s=60.0, elapsed_s=60.0, distance_m=told_m)

    row = the_one(recorded(*steady(61), told=told, laps=laps)).row

    assert row["distance_m"] == distance_m
    assert row["quality"] == (
        [f"the summary gives {told_m:,.0f} m of distance, the {by} 180 m: the {by} are believed"]
        if by
        else []
    )


def test_a_summary_short_of_its_laps_gives_way_to_them() -> None:
    """Where there are no samples to ask."""
    told = Session(sport="running", started_at=START, timer_s=1800.0, distance_m=5000.0)

    row = the_one(recorded(told=told, laps=lapped((1800, 5000), (1200, 3000)))).row

    assert (row["timer_s"], row["distance_m"]) == (3000.0, 8000.0)
    assert len(row["quality"]) == 2  # type: ignore[arg-type]


def test_the_way_along_positions_bears_the_summary_out() -> None:
    """Where the counter of the samples has stopped."""
    north_deg = 3 / METRES_PER_DEGREE
    samples = [
        {"lat_deg": 52 + north_deg * second, "lon_deg": 4.0, "distance_m": 10.0} for second in range(61)
    ]
    told = Session(sport="running", started_at=START, timer_s=60.0, distance_m=181.0)

    assert the_one(recorded(*samples, told=told)).row["distance_m"] == 181.0


def test_a_file_that_broke_off_keeps_the_distance_of_its_summary() -> None:
    """Its samples end too soon to contradict it."""
    told = Session(sport="running", started_at=START, timer_s=600.0, elapsed_s=600.0, distance_m=1800.0)

    row = the_one(recorded(*steady(61), told=told, missing="The file breaks off.")).row

    assert (row["timer_s"], row["distance_m"]) == (600.0, 1800.0)


def test_the_watch_may_know_of_pauses_that_samples_do_not_show() -> None:
    """Its timer lies between the time run on and the time gone by."""
    told = Session(sport="running", started_at=START, timer_s=45.0, elapsed_s=60.0)

    assert the_one(recorded(*steady(61), told=told)).row["timer_s"] == 45.0


# Heart rate and cadence ----------------------------------------------------------------------------------


def test_heart_rate_comes_from_the_samples() -> None:
    """Session messages lie about it."""
    told = Session(sport="running", started_at=START, avg_hr_bpm=88.0, max_hr_bpm=250.0)
    beats = [140.0, 150.0, None, 160.0]

    row = the_one(recorded(*({"hr_bpm": one} for one in beats), told=told)).row

    assert (row["avg_hr_bpm"], row["max_hr_bpm"]) == (150.0, 160.0)


def test_zeros_are_no_heart_rate() -> None:
    """No sensor was worn: unknown, also where the session says something, and named."""
    told = Session(sport="running", started_at=START, avg_hr_bpm=0.0, max_hr_bpm=90.0)

    row = the_one(recorded(*({"hr_bpm": 0.0} for _ in range(5)), told=told)).row

    assert (row["avg_hr_bpm"], row["max_hr_bpm"]) == (None, None)
    assert row["quality"] == ["heart rate of zero, no sensor: 5 samples"]
    assert row["repaired_share"] == 1.0


@pytest.mark.parametrize(
    ("sport", "stored", "cadence_spm"),
    [("running", 85.0, 170.0), ("running", 170.0, 170.0), ("cycling", 85.0, 85.0), ("running", 56.0, 112.0)],
)
def test_running_cadence_is_that_of_both_feet(sport: str, stored: float, cadence_spm: float) -> None:
    """One leg is doubled, both feet and other sports are not; standing is not in the mean."""
    samples = [{"cadence_spm": one} for one in (0.0, stored, stored, None, stored)]

    activity = the_one(recorded(*samples, told=Session(sport=sport)))

    assert activity.row["avg_cadence_spm"] == cadence_spm
    assert activity.samples["cadence_spm"].to_list() == [0.0, cadence_spm, cadence_spm, None, cadence_spm]


# Time ----------------------------------------------------------------------------------------------------


def test_the_timer_stands_still_in_a_pause() -> None:
    """Elapsed time does not."""
    samples = [{"second": second} for second in (0, 10, 40, 50)]

    activity = the_one(recorded(*samples, pauses=((at(10), at(40)),)))

    assert activity.samples["elapsed_s"].to_list() == [0.0, 10.0, 40.0, 50.0]
    assert activity.samples["timer_s"].to_list() == [0.0, 10.0, 10.0, 20.0]


def test_without_timer_events_a_gap_without_advance_is_a_pause() -> None:
    """At a crossing; smart recording leaves shorter gaps, and gaps in which one ran on."""
    seconds = [0, 10, 24, 60, 100]
    metres = [0.0, 30.0, 31.0, 32.0, 150.0]
    samples = [{"second": s, "distance_m": m} for s, m in zip(seconds, metres, strict=True)]

    activity = the_one(recorded(*samples))

    assert activity.samples["timer_s"].to_list() == [0.0, 10.0, 24.0, 24.0, 64.0]
    assert (activity.row["elapsed_s"], activity.row["timer_s"]) == (100.0, 64.0)


def test_the_pause_between_two_sessions_belongs_to_neither() -> None:
    """Each session begins at 0 on its own time axis and keeps its own pauses."""
    seconds = [0, 60, 1000, 1010, 1040, 1060]
    samples = pl.DataFrame(
        [
            {"at": at(second), "session": int(second >= 1000), "distance_m": 3.0 * second}
            for second in seconds
        ],
        schema=RAW_SAMPLES,
    )
    recording = Recording(
        format="gpx",
        sessions=(Session(sport="running"), Session(sport="running")),
        samples=columns_of(samples),
        pauses=((at(20), at(30)), (at(60), at(1000)), (at(1010), at(1040))),
    )

    first, second = activities(recording)

    assert first.samples["timer_s"].to_list() == [0.0, 50.0]
    assert second.samples["timer_s"].to_list() == [0.0, 10.0, 10.0, 30.0]
    assert (first.row["timer_s"], second.row["timer_s"]) == (50.0, 30.0)


def test_the_sample_encoders_pause_is_in_elapsed_and_not_in_timer() -> None:
    """FIT and GPX of one run agree to a few seconds."""
    fit = the_one(decode("fit", SMALL_FIT)).row
    gpx = the_one(decode("gpx", gpx_writer.encode(ONE_PAUSE))).row

    running_s = len(ONE_PAUSE.elapsed_s) - 1
    assert (fit["elapsed_s"], fit["timer_s"]) == (running_s + 200, running_s)
    assert (gpx["elapsed_s"], gpx["timer_s"]) == (running_s + 200, pytest.approx(running_s, abs=2))
    assert gpx["distance_m"] == pytest.approx(fit["distance_m"], rel=0.05)


def test_standing_around_is_not_moving() -> None:
    """Moving time counts from walking pace on, over half a minute; the timer counts all."""
    metres = [min(3.0 * second, 300.0) + max(0.0, 3.0 * (second - 300)) for second in range(401)]

    row = the_one(recorded(*({"distance_m": one} for one in metres))).row

    assert row["timer_s"] == 400.0
    assert row["moving_s"] == pytest.approx(200.0, abs=25)


def test_climbs_are_summed_after_smoothing() -> None:
    """A barometer that flutters by a step climbs no hill."""
    flutter = [{"altitude_m": 100 + 0.2 * (second % 2)} for second in range(600)]
    hill = [{"altitude_m": 100 + min(second, 600 - second) / 10} for second in range(601)]

    flat, hilly = the_one(recorded(*flutter)).row, the_one(recorded(*hill)).row

    assert flat["ascent_m"] < 9
    assert (hilly["ascent_m"], hilly["descent_m"]) == (
        pytest.approx(30, rel=0.05),
        pytest.approx(30, rel=0.05),
    )


# Sport, laps, findings -----------------------------------------------------------------------------------


def test_a_damaged_files_sport_is_guessed_and_said() -> None:
    """From a runner's pace, and from a runner's cadence where there is one."""

    def moving(speed_m_per_s: float, **values: float) -> dict[str, object]:
        samples = [{"distance_m": speed_m_per_s * second, **values} for second in range(60)]
        return the_one(recorded(*samples, told=Session())).row

    by_pace, walking = moving(3.0), moving(1.4)
    running, riding = moving(3.0, cadence_spm=85.0), moving(8.0, cadence_spm=85.0)

    assert (running["sport"], running["is_run"]) == ("running", True)
    assert running["quality"] == ["sport not named in the file, taken for running by its pace"]
    assert (by_pace["sport"], walking["sport"]) == ("running", "unknown")
    assert (riding["sport"], riding["is_run"]) == ("unknown", False)
    assert riding["quality"] == ["sport not named in the file"]


def test_walking_is_not_running() -> None:
    """Nor is anything else that has a name of its own."""
    told = Session(sport="walking")

    assert the_one(recorded(*steady(60, cadence_spm=85.0), told=told)).row["is_run"] is False


def test_laps_go_with_their_session() -> None:
    """By their start, counted anew in each."""
    laps = pl.DataFrame(
        [{"started_at": at(second), "distance_m": 100.0} for second in (0, 30, 1000)], schema=RAW_LAPS
    )
    told = tuple(Session(sport="running", started_at=at(second), elapsed_s=60.0) for second in (0, 1000))
    recording = Recording(format="fit", sessions=told, samples=no_samples(), laps=laps)

    first, second = activities(recording)

    assert first.laps.select("lap_index", "started_at").rows() == [(0, at(0)), (1, at(30))]
    assert second.laps.select("lap_index", "started_at").rows() == [(0, at(1000))]


def test_what_is_missing_is_a_finding() -> None:
    """The activity of a file that broke off says so itself."""
    row = the_one(recorded(*steady(5), missing="The file breaks off.")).row

    assert row["quality"] == ["The file breaks off."]


def test_ids_are_those_of_athlete_bytes_and_place() -> None:
    """The same file gives the same ids; somebody else's has others."""
    ids = {
        activity_id_of(athlete, export, place)
        for athlete in ("mara", "tom")
        for export in ("a", "b")
        for place in (0, 1)
    }

    assert len(ids) == 8
    assert activity_id_of("mara", "a", 0) in ids


# What cannot be believed ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (Session(sport="running"), "does not say when"),
        (Session(started_at=datetime(1989, 12, 31, 12, tzinfo=UTC), elapsed_s=60.0), "starts on 1989-12-31"),
        (Session(started_at=NOW + timedelta(days=3), elapsed_s=60.0), "the clock was wrong"),
        (Session(started_at=START), "covers no time"),
        (Session(started_at=START, elapsed_s=8 * 24 * 3600.0), "more than a week"),
        (Session(started_at=START, elapsed_s=60.0, timer_s=8 * 24 * 3600.0), "more than a week"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(told: Session, said: str) -> None:
    """No start, no duration, or one that no run has."""
    with pytest.raises(IngestError, match=said) as refusal:
        activities(recorded(told=told))

    assert str(refusal.value).endswith(".")


def test_one_point_is_no_run() -> None:
    """It covers no time."""
    with pytest.raises(IngestError, match="covers no time"):
        activities(recorded({"hr_bpm": 150.0}))


def test_a_session_that_cannot_be_believed_does_not_cost_the_others() -> None:
    """The good one is kept under its own place in the file."""
    told = (Session(sport="running"), Session(sport="running", started_at=START, elapsed_s=60.0))
    recording = Recording(format="fit", sessions=told, samples=no_samples())

    [kept] = activities(recording)

    assert kept.row["activity_id"] == activity_id_of("mara", EXPORT, 1)


places = st.one_of(
    st.integers(0, len(SMALL_FIT) - 1),
    st.integers(0, 300),
    st.integers(len(SMALL_FIT) - 420, len(SMALL_FIT) - 1),
)


@settings(max_examples=300)
@given(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=10))
def test_whatever_a_damaged_file_says_the_numbers_are_possible(changes: list[tuple[int, int]]) -> None:
    """Totals are numbers that the store takes, time runs forwards, distance never falls."""
    damaged = bytearray(SMALL_FIT)
    for place, value in changes:
        damaged[place] = value

    assert all(is_possible(activity) for activity in activities_in(bytes(damaged)))


def activities_in(content: bytes) -> list[Activity]:
    """Return what a FIT file holds; nothing when it is refused."""
    try:
        return activities(decode("fit", content))
    except IngestError:
        return []


def is_possible(activity: Activity) -> bool:
    row, samples = activity.row, activity.samples
    totals = [value for value in row.values() if isinstance(value, float)]
    numbers = samples.select(pl.col(pl.Float64).is_finite().fill_null(value=True).all())
    return (
        all(math.isfinite(total) and total >= 0 for total in totals)
        and row["elapsed_s"] >= row["timer_s"] > 0  # type: ignore[operator]
        and all(numbers.row(0))
        and samples["elapsed_s"].is_sorted()
        and samples["timer_s"].is_sorted()
        and samples["distance_m"].drop_nulls().is_sorted()
        and not (samples["timer_s"] < 0).any()
    )
