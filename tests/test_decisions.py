"""What people decide about activities holds for good: split, exclude, correct, join; and what a run takes over from its doubles."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, permutations
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from flows import steps
from flows.run_samples import samples_of_run, sources_of
from flows.steps import Clock
from kneewatch.decisions import parts_to_join
from sample_data import fit_writer, gpx_writer
from sample_data.recording import Recording, record
from sample_data.story import Run
from store import home as homes
from store.database import frame, opened_store
from store.errors import WrongUseError
from store.home import Home
from store.settings import Settings

pytestmark = pytest.mark.homes

CLOCK = Clock(datetime(2026, 7, 20, 18, tzinfo=UTC), date(2026, 7, 20))
DAY = date(2026, 7, 2)
PULSE = rb"<[^<>]*:hr>[^<]*</[^<>]*:hr>"
SETTINGS = Settings.model_validate(
    {
        "default_athlete": "mara",
        "athletes": {
            "mara": {"sex": "female", "resting_hr_bpm": 50, "max_hr_bpm": 190, "threshold_hr_bpm": 170}
        },
    }
)


def recorded(hour: float = 8, km: float = 1.0, day: date = DAY, **more: Any) -> Recording:
    """Return a run of the made-up runner that starts at this hour (UTC)."""
    started_at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour)
    return replace(record(Run(day=DAY, km=km, **more)), started_at=started_at)


def taken(home: Home, **files: bytes) -> Home:
    """Take in files, whose names say their format (run_fit), and compute what follows."""
    for name, content in files.items():
        stem, _, suffix = name.rpartition("_")
        (home.inbox / f"{stem}.{suffix}").write_bytes(content)
    steps.take_in(home, SETTINGS, CLOCK)
    steps.refresh(home, SETTINGS, CLOCK)
    return home


def asked(home: Home, query: str) -> list[dict[str, Any]]:
    with opened_store(home) as con:
        return frame(con, query).to_dicts()


def the_id(home: Home, file_name: str) -> str:
    (row,) = asked(
        home,
        f"select activity_id from activities join exports using (export_id) where file_name = '{file_name}' and outcome = 'ingested'",
    )
    return str(row["activity_id"])


def decide(
    home: Home, kind: str, file_name: str, other: str | None = None, distance_m: float | None = None
) -> None:
    steps.decide(
        home,
        SETTINGS,
        CLOCK,
        kind=kind,
        activity_id=the_id(home, file_name),
        other_id=the_id(home, other) if other else None,
        distance_m=distance_m,
    )


def without_pulse(gpx: bytes) -> bytes:
    return re.sub(PULSE, b"", gpx)


def named(gpx: bytes, title: str) -> bytes:
    return re.sub(rb"<name>[^<]*</name>", f"<name>{title}</name>".encode(), gpx)


# Doubles -------------------------------------------------------------------------------------------------


def test_a_run_takes_over_what_only_its_double_knows(home: Home) -> None:
    """The FIT file has the pulse, the platform's copy the title; both are in the one run."""
    run = recorded()

    taken(home, watch_fit=fit_writer.encode(run), platform_gpx=named(gpx_writer.encode(run), "Morning loop"))

    (row,) = asked(home, "from runs")
    assert row["activity_id"] == the_id(home, "watch.fit")
    assert row["title"] == "Morning loop"
    (double,) = asked(home, "from activities where duplicate_of is not null")
    assert double["duplicate_reason"].startswith("same time (")


def test_the_record_with_a_pulse_is_the_one_that_counts(home: Home) -> None:
    """Load by heart rate needs every beat; what a watch without a strap recorded takes nothing away."""
    run = recorded(km=2)
    strapless = fit_writer.encode(replace(run, hr_bpm=run.hr_bpm * 0))
    taken(home, strap_gpx=gpx_writer.encode(run))
    (alone,) = asked(home, "select trimp_banister from run_metrics")

    taken(home, watch_fit=strapless)
    (together,) = asked(
        home, "select r.*, m.trimp_banister from runs r join run_metrics m using (activity_id)"
    )

    assert together["activity_id"] == the_id(home, "strap.gpx")
    assert together["avg_hr_bpm"] is not None
    assert together["trimp_banister"] == pytest.approx(alone["trimp_banister"], rel=0.05)


def test_a_later_better_file_takes_over_and_all_that_follows_with_it(home: Home) -> None:
    """First the phone's copy without a pulse, days later the watch."""
    run = recorded()
    taken(home, phone_gpx=without_pulse(gpx_writer.encode(run)))
    before = asked(home, "select activity_id from run_metrics")

    taken(home, watch_fit=fit_writer.encode(run))

    assert before == [{"activity_id": the_id(home, "phone.gpx")}]
    assert asked(home, "select activity_id from run_metrics") == [{"activity_id": the_id(home, "watch.fit")}]
    assert asked(home, "select runs from daily_load order by local_date limit 1") == [{"runs": 1}]


def test_two_people_running_side_by_side_both_count(home: Home) -> None:
    """One inbox each."""
    settings = Settings.model_validate({"default_athlete": "mara", "athletes": {"mara": {}, "tom": {}}})
    run = fit_writer.encode(recorded())
    for name in ("mara", "tom"):
        (home.inbox / name).mkdir()
        (home.inbox / name / "run.fit").write_bytes(run)

    steps.take_in(home, settings, CLOCK)

    assert asked(home, "select athlete from runs order by athlete") == [
        {"athlete": "mara"},
        {"athlete": "tom"},
    ]


def test_what_was_split_stays_split(home: Home) -> None:
    """Also when everything is computed again and another copy arrives."""
    run = recorded()
    taken(home, watch_fit=fit_writer.encode(run), phone_gpx=gpx_writer.encode(run))

    decide(home, "split", "phone.gpx", "watch.fit")

    assert len(asked(home, "from runs")) == 2
    taken(home, again_gpx=named(gpx_writer.encode(run), "again"))
    steps.refresh(home, SETTINGS, CLOCK, rebuild=True)
    doubles = asked(home, "select duplicate_of from activities where duplicate_of is not null")
    assert len(asked(home, "from runs")) == 2
    assert doubles == [{"duplicate_of": the_id(home, "watch.fit")}]


def test_copies_on_either_side_of_midnight_stay_one_run(home: Home) -> None:
    """The watch's record comes later and lies on the next day; a file of another day does not part them again."""
    run = recorded(hour=20)
    taken(home, platform_gpx=gpx_writer.encode(run))
    taken(home, watch_fit=fit_writer.encode(replace(run, started_at=run.started_at + timedelta(hours=5))))
    days = asked(home, "select local_date from activities order by local_date")
    assert [row["local_date"] for row in days] == [DAY, DAY + timedelta(days=1)]

    taken(home, earlier_fit=fit_writer.encode(recorded(km=2.0, day=DAY - timedelta(days=2))))

    runs = asked(home, "select activity_id from runs order by local_date")
    assert [row["activity_id"] for row in runs] == [the_id(home, "earlier.fit"), the_id(home, "watch.fit")]


# Left out, corrected ---------------------------------------------------------------------------------------


def test_what_was_left_out_stays_out_until_it_is_let_in(home: Home) -> None:
    """The last word counts."""
    taken(home, run_fit=fit_writer.encode(recorded()))

    decide(home, "exclude", "run.fit")
    steps.refresh(home, SETTINGS, CLOCK, rebuild=True)
    out = asked(home, "from runs")
    decide(home, "include", "run.fit")

    assert out == []
    assert len(asked(home, "from runs")) == 1


def test_the_last_word_counts_also_when_the_clock_was_put_back(home: Home) -> None:
    """What was said while the clock was a year ahead does not win for a year."""
    taken(home, run_fit=fit_writer.encode(recorded()))
    decide(home, "exclude", "run.fit")
    with opened_store(home) as con:
        con.execute("update activity_decisions set decided_at = decided_at + interval 1 year")

    decide(home, "include", "run.fit")

    assert len(asked(home, "from runs")) == 1


def test_a_corrected_distance_goes_through_everything(home: Home) -> None:
    """A treadmill run of a kilometre that was 1.2: total, pace, best efforts, the week; and back again."""
    taken(home, mill_fit=fit_writer.encode(recorded(is_treadmill=True)))
    before = asked(home, "select distance_m, pace_s_per_km from runs")

    decide(home, "correct", "mill.fit", distance_m=1200.0)
    steps.refresh(home, SETTINGS, CLOCK, rebuild=True)

    (row,) = asked(home, "from runs")
    assert (row["distance_m"], row["recorded_distance_m"]) == (1200.0, 1000.0)
    assert row["pace_s_per_km"] == pytest.approx(before[0]["pace_s_per_km"] / 1.2)
    assert asked(home, "select max(distance_m) as m from best_efforts") == [{"m": 1000.0}]
    assert asked(home, "select distance_m from daily_load where runs > 0") == [{"distance_m": 1200.0}]
    decide(home, "correct", "mill.fit", distance_m=1300.0)
    assert asked(home, "select distance_m, recorded_distance_m from activities") == [
        {"distance_m": 1300.0, "recorded_distance_m": 1000.0}
    ]
    decide(home, "correct", "mill.fit", distance_m=None)
    assert asked(home, "select distance_m, pace_s_per_km from runs") == [pytest.approx(before[0])]
    assert asked(home, "select recorded_distance_m from activities") == [{"recorded_distance_m": None}]


# Joined ----------------------------------------------------------------------------------------------------


def two_runs(minutes_apart: float = 5.0) -> tuple[Recording, Recording]:
    first = recorded(hour=8, km=1.0)
    length_h = (len(first.elapsed_s) - 1) / 3600
    return first, recorded(hour=8 + length_h + minutes_apart / 60, km=2.0)


def in_two(minutes_apart: float = 5.0) -> dict[str, bytes]:
    first, second = map(fit_writer.encode, two_runs(minutes_apart))
    return {"first_fit": first, "second_fit": second}


def in_one(*pieces: Recording) -> bytes:
    """Return what a phone recorded that ran through both pieces."""
    first, second = (gpx_writer.encode(run) for run in pieces or two_runs())
    (segment,) = re.findall(rb"<trkseg>.*</trkseg>", second, re.DOTALL)
    return first.replace(b"</trkseg>", b"</trkseg>" + segment, 1)


def joined_samples(home: Home) -> pl.DataFrame:
    """Join the two pieces, and return the samples of the run that they are."""
    decide(home, "join", "second.fit", "first.fit")
    (run,) = asked(home, "from runs")
    assert run["activity_id"] == the_id(home, "first.fit")
    with opened_store(home) as con:
        return samples_of_run(home, run, sources_of(con, "mara"))


def test_a_pulse_is_lent_for_the_moments_at_which_it_was_taken(home: Home) -> None:
    """The phone had the strap, which made no contact for the first hundred seconds."""
    strapless = [fit_writer.encode(replace(run, hr_bpm=run.hr_bpm * 0)) for run in two_runs()]
    phone = re.sub(PULSE, b"", in_one(), count=100)
    taken(home, phone_gpx=phone, first_fit=strapless[0], second_fit=strapless[1])

    hr_bpm = joined_samples(home)["hr_bpm"]

    assert hr_bpm[:85].null_count() == 85
    assert hr_bpm[100:].null_count() == 0


def test_a_run_with_a_pulse_of_its_own_borrows_none(home: Home) -> None:
    """The phone's strap says something else."""
    first, second = two_runs()
    slower = [replace(run, hr_bpm=run.hr_bpm - 30) for run in (first, second)]
    taken(home, phone_gpx=in_one(*slower), **in_two())

    hr_bpm = joined_samples(home)["hr_bpm"]

    assert hr_bpm.mean() == pytest.approx(
        pl.concat(map(pl.Series, (first.hr_bpm, second.hr_bpm))).mean(), abs=1
    )


def test_a_run_in_two_pieces_is_offered_for_joining(home: Home) -> None:
    """The watch was restarted within a quarter of an hour; after that it is another run."""
    from report.questions import read_query

    taken(home, **in_two())
    (offer,) = asked(home, read_query("joinable"))

    assert offer["first_id"] == the_id(home, "first.fit")
    assert offer["second_id"] == the_id(home, "second.fit")
    assert offer["gap_s"] == pytest.approx(300, abs=5)
    other = taken(homes.at(home.root / "other").prepare(), **in_two(20))
    assert asked(other, read_query("joinable")) == []


def test_a_run_that_goes_on_elsewhere_is_not_offered(home: Home) -> None:
    """Somebody drove to the next town within five minutes."""
    from report.questions import read_query

    first, second = two_runs()
    assert second.position is not None
    north = replace(second.position, lat_semicircles=second.position.lat_semicircles + 240_000)  # some 2 km
    elsewhere = replace(second, position=north)
    taken(home, first_fit=fit_writer.encode(first), second_fit=fit_writer.encode(elsewhere))

    assert asked(home, read_query("joinable")) == []


def test_joined_runs_are_one_run_of_both_lengths(home: Home) -> None:
    """The time between them is elapsed and not run; samples go on where the first piece ended, on every axis."""
    taken(home, **in_two())
    apart = asked(home, "select sum(distance_m) as m, sum(timer_s) as s, sum(ascent_m) as up from runs")

    decide(home, "join", "second.fit", "first.fit")

    (row,) = asked(home, "from runs")
    assert row["activity_id"] == the_id(home, "first.fit")
    assert (row["distance_m"], row["timer_s"]) == (pytest.approx(apart[0]["m"]), pytest.approx(apart[0]["s"]))
    assert row["elapsed_s"] == pytest.approx(row["timer_s"] + 300, abs=5)
    assert row["pace_s_per_km"] == pytest.approx(row["timer_s"] / row["distance_m"] * 1000)
    with opened_store(home) as con:
        samples = samples_of_run(home, row, sources_of(con, "mara"))
    for axis in ("timer_s", "distance_m", "elapsed_s"):
        assert samples[axis].is_sorted()
        assert samples[axis].max() == pytest.approx(row[axis], rel=0.01)
    assert asked(home, "select longest_run_m from weekly_trends where runs > 0") == [
        {"longest_run_m": pytest.approx(apart[0]["m"])}
    ]
    steps.refresh(home, SETTINGS, CLOCK, rebuild=True)
    assert len(asked(home, "from runs")) == 1
    assert len(asked(home, "from run_metrics")) == 1


def test_a_phone_that_ran_through_doubles_the_joined_run(home: Home) -> None:
    """It has both pieces in one file; before they are joined nobody can know."""
    taken(home, phone_gpx=without_pulse(in_one()), **in_two())

    decide(home, "join", "second.fit", "first.fit")

    assert [row["activity_id"] for row in asked(home, "select activity_id from runs")] == [
        the_id(home, "first.fit")
    ]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"athlete": "tom"}, "of one athlete"),
        ({"is_run": False}, "Only runs"),
        ({"duplicate_of": "c" * 64}, "is the same session as cccccccccccc: join that one."),
    ],
)
def test_what_does_not_belong_together_is_not_joined(changed: dict[str, object], says: str) -> None:
    """Each with the reason."""
    one = {"activity_id": "a" * 64, "athlete": "mara", "is_run": True, "duplicate_of": None, "part_of": None}

    with pytest.raises(WrongUseError, match=re.escape(says)):
        parts_to_join([one, {**one, "activity_id": "b" * 64, **changed}])


# Other sports ----------------------------------------------------------------------------------------------


def test_a_ride_adds_to_heart_rate_load_and_to_nothing_else(home: Home) -> None:
    """Neither to distance nor to runs."""
    run, ride = recorded(), gpx_writer.encode(recorded(hour=17, km=3))
    ride = re.sub(rb"<type>[^<]*</type>", b"<type>cycling</type>", ride)
    taken(home, run_fit=fit_writer.encode(run))
    (alone,) = asked(home, "from daily_load where runs > 0")

    taken(home, ride_gpx=ride)

    (both,) = asked(home, "from daily_load where runs > 0")
    (cross,) = asked(home, "from cross_training")
    assert cross["hrss"] > 0
    assert both["hrss"] == pytest.approx(alone["hrss"] + cross["hrss"])
    assert [both[name] for name in ("runs", "distance_m", "timer_s", "rtss", "knee_load_klu")] == [
        alone[name] for name in ("runs", "distance_m", "timer_s", "rtss", "knee_load_klu")
    ]
    assert asked(home, "select load_hrss from weekly_trends where runs > 0") == [
        {"load_hrss": pytest.approx(both["hrss"])}
    ]
    decide(home, "exclude", "ride.gpx")
    assert asked(home, "select hrss from daily_load where runs > 0") == [
        {"hrss": pytest.approx(alone["hrss"])}
    ]


# Any order -------------------------------------------------------------------------------------------------

RUN, LATER = recorded(), recorded(hour=12, km=0.5)
FILES = {
    "watch.fit": fit_writer.encode(RUN),
    "platform.gpx": named(gpx_writer.encode(RUN), "Morning loop"),
    "phone.gpx": re.sub(rb"<name>[^<]*</name>", b"", without_pulse(gpx_writer.encode(RUN))),
    "later.fit": fit_writer.encode(LATER),
    "next.fit": fit_writer.encode(recorded(day=DAY + timedelta(days=1))),
    "garbage.fit": b"\x0e\x10 no fit",
}
TABLES = {
    "activities": "select * exclude (gap_s_per_km) from activities order by activity_id",
    "runs": "select * exclude (gap_s_per_km) from runs order by activity_id",
    "laps": "from laps order by all",
    "outlines": "select activity_id, samples from outlines order by all",
    "metrics": "from run_metrics order by activity_id",
    "days": "from daily_load order by all",
    "bests": "from personal_bests order by all",
    "equivalents": "from race_equivalents order by all",
    "form": "from form_trends order by all",
    "paces": "from weekly_pace order by all",
    "exports": "select distinct export_id, outcome from exports where outcome <> 'duplicate' order by all",
}


@pytest.fixture(scope="module")
def homes_of_orders(tmp_path_factory: pytest.TempPathFactory) -> Any:
    counter = iter(range(10_000))
    return lambda: homes.at(tmp_path_factory.mktemp(f"order{next(counter)}") / "home").prepare()


@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_order_and_any_repeats_end_in_the_same_tables(homes_of_orders: Any, data: st.DataObject) -> None:
    """In batches of any size, each file at least once."""
    order = data.draw(st.permutations(list(FILES)))
    again = data.draw(st.lists(st.sampled_from(sorted(FILES)), max_size=4))
    sequence = [*order, *again]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(sequence) - 1), max_size=3)))

    assert tables_after(homes_of_orders(), split_at(sequence, cuts)) == tables_after(
        homes_of_orders(), [list(FILES)]
    )


def split_at(sequence: list[str], cuts: list[int]) -> list[list[str]]:
    edges = [0, *cuts, len(sequence)]
    return [sequence[first:last] for first, last in pairwise(edges)]


def tables_after(home: Home, batches: list[list[str]]) -> dict[str, list[dict[str, Any]]]:
    for batch in batches:
        for place, name in enumerate(batch):
            (home.inbox / f"{place}-{name}").write_bytes(FILES[name])
        steps.take_in(home, SETTINGS, CLOCK)
    steps.refresh(home, SETTINGS, CLOCK)
    return {name: asked(home, query) for name, query in TABLES.items()}


@pytest.mark.parametrize(
    "order", list(permutations(["watch.fit", "platform.gpx", "phone.gpx"])), ids="-".join
)
def test_three_records_of_one_run_are_one_run_in_every_order(order: tuple[str, ...], home: Home) -> None:
    """One file a batch."""
    found = tables_after(home, [[name] for name in order])

    assert len(found["runs"]) == 1
    assert found["runs"][0]["title"] == "Morning loop"
