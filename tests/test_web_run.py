"""The pages Weeks, Runs and Run over HTTP: what they show of every kind of run, and what their forms decide."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from starlette.testclient import TestClient

from flows import steps
from flows.steps import Clock
from kneewatch.web import security
from kneewatch.web.app import create_app
from kneewatch.web.pages.run import efforts_beside
from report.format import Units
from report.track import METRES_PER_DEGREE, track_of
from sample_data.history import made_up_samples, write_activity
from store import home as homes
from store.database import insert_rows, opened_published, opened_store, transaction
from store.home import Home
from store.settings import read_settings

HOST = "127.0.0.1:8765"
CLOCK = Clock(datetime(2026, 7, 5, 20, tzinfo=UTC), date(2026, 7, 5))
HOSTILE = "<script>alert(1)</script>"
SETTINGS = f'default_athlete = "mara"\n[athletes.mara]\nname = "{HOSTILE}"\nmax_hr_bpm = 190\n[athletes.jo]\n'
UNKNOWN = "f" * 64
KM_10_S = 3700


def id_of(name: str) -> str:
    """An activity's id that says which run it is."""
    return name.encode().hex().ljust(64, "0")


def blank(samples: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return samples.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in columns)


def samples_of(started_at: datetime, seconds: int = KM_10_S, hr_bpm: float | None = 145.0) -> pl.DataFrame:
    return made_up_samples(started_at, seconds=seconds, speed_m_per_s=2.7, hr_bpm=hr_bpm)


WHOLE = samples_of(datetime(2026, 6, 1, 7, tzinfo=UTC))
RUNS: dict[str, tuple[pl.DataFrame, dict[str, Any]]] = {
    "whole": (WHOLE, {"title": HOSTILE}),
    "no positions": (blank(WHOLE, "lat_deg", "lon_deg"), {}),
    "no heart rate": (blank(WHOLE, "hr_bpm"), {"avg_hr_bpm": None}),
    "no altitude": (blank(WHOLE, "altitude_m"), {}),
    "treadmill": (blank(WHOLE, "lat_deg", "lon_deg", "altitude_m"), {"is_indoor": True}),
    "no distance": (blank(WHOLE, "distance_m", "speed_m_per_s", "lat_deg", "lon_deg"), {"distance_m": None}),
    "one sample": (WHOLE[:1], {"distance_m": None, "elapsed_s": 0.0, "timer_s": 0.0}),
    "no sample": (WHOLE[:0], {"distance_m": 10_000.0, "elapsed_s": 3700.0, "timer_s": 3700.0}),
    "ultra-long": (samples_of(datetime(2026, 6, 1, 7, tzinfo=UTC), seconds=24 * 3600), {}),
    "repaired": (WHOLE, {"quality": ["heart rate dropped out: 12 samples"], "repaired_share": 0.012}),
    "excluded": (WHOLE, {"is_excluded": True}),
    "duplicate": (WHOLE, {"duplicate_of": id_of("whole"), "duplicate_reason": "it is the same time and way"}),
    "a ride": (WHOLE, {"is_run": False, "sport": "cycling"}),
    "of another athlete": (WHOLE, {"athlete": "jo"}),
}
DAYS = {name: datetime(2026, 6, 1, 7, tzinfo=UTC) + timedelta(days=day) for day, name in enumerate(RUNS)}
SHOWS: dict[str, list[str]] = {
    "whole": [
        'class="map"',
        "pace.json",
        "altitude.json",
        "10.0",
        "Time in zones",
        "1 mile",
        "Best so far",
    ],
    "no positions": ["No map: positions were not recorded.", "pace.json"],
    "no heart rate": ['class="map"', "altitude.json"],
    "no altitude": ['class="map"', "heart_rate.json"],
    "treadmill": ["indoors", "No map", "pace.json"],
    "no distance": ["No splits: no distance was recorded along the way."],
    "one sample": ["No splits", 'class="map"'],
    "no sample": ["No splits", "No map"],
    "ultra-long": ['class="map"', '<th scope="row">233</th>', "Large spike"],
    "repaired": ["Heart rate dropped out: 12 samples", "1.2 % of the time was repaired."],
    "excluded": ["Left out by you", "Let it count again"],
    "duplicate": ["The same session as", "it is the same time and way"],
    "a ride": ["No run: it adds to heart-rate load"],
}
HIDES: dict[str, list[str]] = {
    "no positions": ['class="map"'],
    "no heart rate": ["heart_rate.json"],
    "no altitude": ["altitude.json"],
    "no distance": [".json"],
    "one sample": [".json"],
    "no sample": [".json", 'class="map"'],
    "excluded": ["Leave it out of all sums"],
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a run of each kind, one a day; only to be read."""
    return filled(homes.at(tmp_path_factory.mktemp("runs") / "home").prepare(), list(RUNS))


def filled(home: Home, names: list[str]) -> Home:
    home.settings_file.write_text(SETTINGS)
    with opened_store(home) as con, transaction(con):
        for name in names:
            samples, known = RUNS[name]
            started_at = DAYS[name]
            moved = samples.with_columns(pl.lit(started_at).cast(pl.Datetime("us", "UTC")).alias("at"))
            about = {"athlete": "mara", **known}
            write_activity(con, home, moved, started_at=started_at, activity_id=id_of(name), **about)
        decided = [name for name in names if RUNS[name][1].get("is_excluded")]
        for name in decided:
            row = {"decided_at": CLOCK.now, "athlete": "mara", "kind": "exclude", "activity_id": id_of(name)}
            insert_rows(con, "activity_decisions", [row])
    with pytest.MonkeyPatch.context() as environment:
        for name in ("KNEEWATCH_UNITS", "KNEEWATCH_HOME"):
            environment.delenv(name, raising=False)
        settings = read_settings(home)
        with steps.in_one_go(home, "test"):
            steps.refresh(home, settings, CLOCK)
    return home


@pytest.fixture
def changed(home: Home) -> Home:
    """A home with two runs, to be changed."""
    return filled(home, ["whole", "no positions"])


def client_of(home: Home, clock: Clock = CLOCK) -> TestClient:
    app = create_app(home, allowed_hosts=[HOST], clock=lambda _: clock)
    return TestClient(app, base_url=f"http://{HOST}", follow_redirects=False)


@pytest.fixture
def client(kept: Home) -> TestClient:
    return client_of(kept)


def post(client: TestClient, path: str, **form: str) -> Any:
    found = re.search(rf'name="{security.FORM_FIELD}" value="([0-9a-f]+)"', client.get("/login").text)
    assert found
    return client.post(path, data={security.FORM_FIELD: found[1], **form})


def asked(home: Home, question: str) -> list[Any]:
    with opened_published(home) as con:
        return con.execute(question).fetchall()


def numbers_in(specification: Any) -> Iterator[dict[str, Any]]:
    for rows in specification["datasets"].values():
        yield from rows


# Run -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHOWS)
def test_every_kind_of_run_shows_what_is_known_of_it(client: TestClient, name: str) -> None:
    """And says what is not; nothing unknown is a 0, and every curve that is named can be had."""
    answer = client.get(f"/runs/{id_of(name)}")

    assert answer.status_code == 200
    for words in SHOWS[name]:
        assert words in answer.text
    for words in HIDES.get(name, []):
        assert words not in answer.text
    for address in re.findall(r'data-chart="([^"]+)"', answer.text):
        points = list(numbers_in(client.get(address).json()))
        assert 2 <= len(points) <= 500
    assert not re.search(r"\b(nan|None|inf)\b", answer.text)
    assert HOSTILE not in answer.text
    assert "injury risk" not in answer.text.lower()
    assert len(answer.content) < 300_000


def test_a_title_that_wants_to_be_a_script_is_text(client: TestClient) -> None:
    """As the name is."""
    assert "<h1>&lt;script&gt;alert(1)&lt;/script&gt;</h1>" in client.get(f"/runs/{id_of('whole')}").text


@pytest.mark.parametrize(
    ("path", "status_code"),
    [
        (f"/runs/{UNKNOWN}", 404),
        (f"/runs/{UNKNOWN}/pace.json", 404),
        (f"/runs/{id_of('of another athlete')}", 404),
        (f"/runs/{id_of('of another athlete')}/pace.json", 404),
        (f"/runs/{id_of('whole')}?athlete=jo", 404),
        (f"/runs/{id_of('of another athlete')}?athlete=jo", 200),
        (f"/runs/{id_of('no heart rate')}/heart_rate.json", 404),
        (f"/runs/{id_of('whole')}/lat_deg.json", 422),
        ("/runs/..%2f..%2fetc%2fpasswd", 404),
        (f"/runs/{id_of('whole')[:12]}", 422),
        ("/runs?page=0", 422),
        ("/weeks?until=yesterday", 422),
        ("/weeks?measure=pain", 422),
    ],
)
def test_what_is_not_there_is_not_shown(client: TestClient, path: str, status_code: int) -> None:
    """An unknown run, one of somebody else, a quantity that was not measured, an address that is none."""
    assert client.get(path).status_code == status_code


def test_a_run_says_both_numbers_of_its_spike(client: TestClient) -> None:
    """With the run it is compared to."""
    page = client.get(f"/runs/{id_of('ultra-long')}").text

    assert re.search(r"233\.\d\skm against 10\.0\skm, the longest of the 30 days before", page)
    assert re.search(r"before \(<span class=\"nowrap\"><a href=\"/runs/[0-9a-f]{64}\">", page)


def test_a_missing_samples_file_is_told_of(changed: Home) -> None:
    """The rest of the page stands."""
    for file in changed.samples.rglob(f"{id_of('whole')}.parquet"):
        file.unlink()

    page = client_of(changed).get(f"/runs/{id_of('whole')}")

    assert page.status_code == 200
    assert "The file with the samples is missing or cannot be read." in page.text


def test_miles_are_cut_where_they_are_set(kept: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten kilometres are six miles and a bit."""
    monkeypatch.setenv("KNEEWATCH_UNITS", "miles")

    page = client_of(kept).get(f"/runs/{id_of('whole')}").text

    splits = page.split("<h2>Splits</h2>")[1].split("</table>")[0]
    assert re.findall(r'<th scope="row">([\d.]+)</th>', splits) == ["1", "2", "3", "4", "5", "6", "6.1"]
    assert "min/mi" in page


# What people decide ----------------------------------------------------------------------------------------

WHOLE_RUN, OTHER_RUN = id_of("whole"), id_of("no positions")
DECISIONS: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "left out and back": (
        {"kind": "exclude"},
        {"kind": "include"},
        f"select is_excluded from activities where activity_id = '{WHOLE_RUN}'",
    ),
    "corrected and back": (
        {"kind": "correct", "distance": "9.5"},
        {"kind": "recorded"},
        f"select round(distance_m) from runs where activity_id = '{WHOLE_RUN}'",
    ),
}


@pytest.mark.homes
@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_is_kept_and_can_be_taken_back(changed: Home, name: str) -> None:
    """Both stand on the page, and what follows is computed."""
    decide, undo, question = DECISIONS[name]
    client, address = client_of(changed), f"/runs/{WHOLE_RUN}"
    before = asked(changed, question)

    done = post(client, f"{address}/decide", **decide)
    between = asked(changed, question)
    shown = client.get(done.headers["location"])
    undone = post(client, f"{address}/decide", **undo)

    assert (done.status_code, undone.status_code) == (303, 303)
    assert between != before
    assert 'role="status"' in shown.text
    assert "Decided so far" in shown.text
    assert asked(changed, question) == before


@pytest.mark.homes
def test_two_runs_are_joined_and_taken_apart(changed: Home) -> None:
    """The first one stands for both; its page offers to take them apart."""
    with opened_store(changed) as con, transaction(con):
        later = DAYS["whole"] + timedelta(hours=2)
        con.execute(
            "update activities set started_at = ?, local_date = ? where activity_id = ?",
            [later, later.date(), OTHER_RUN],
        )
    client = client_of(changed)
    steps.bring_up_to_date(changed, read_settings(changed), CLOCK)
    assert "Join: the watch was restarted" in client.get(f"/runs/{OTHER_RUN}").text

    joined = post(client, f"/runs/{OTHER_RUN}/decide", kind="join", other=WHOLE_RUN)
    page = client.get(f"/runs/{WHOLE_RUN}").text
    count = asked(changed, "select count(*) from runs")
    apart = post(client, f"/runs/{OTHER_RUN}/decide", kind="apart")

    assert joined.headers["location"] == f"/runs/{WHOLE_RUN}?said=join"
    assert "Take apart" in page
    assert re.search(r"<dt>Distance</dt><dd>(19|20)\.\d km", page)
    assert count == [(1,)]
    assert apart.status_code == 303
    assert asked(changed, "select count(*) from runs") == [(2,)]


@pytest.mark.parametrize(
    ("form", "status_code", "says"),
    [
        ({"kind": "correct", "distance": "far"}, 400, "is no distance"),
        ({"kind": "correct", "distance": "0"}, 400, "is no distance"),
        ({"kind": "split"}, 400, "not judged to be the same session"),
        ({"kind": "join"}, 400, "name two activities or more"),
        ({"kind": "join", "other": UNKNOWN}, 404, "no such page"),
        ({"kind": "join", "other": "../etc"}, 422, "Nothing was changed."),
        ({"kind": "delete"}, 422, "Nothing was changed."),
    ],
)
def test_what_cannot_be_decided_is_named(
    kept: Home, client: TestClient, form: dict[str, str], status_code: int, says: str
) -> None:
    """One sentence, and nothing is written."""
    before = kept.published.stat().st_mtime_ns

    answer = post(client, f"/runs/{WHOLE_RUN}/decide", **form)

    assert answer.status_code == status_code
    assert says in answer.text
    assert kept.published.stat().st_mtime_ns == before


def test_nobody_decides_about_somebody_elses_run(kept: Home, client: TestClient) -> None:
    """Neither about it nor with it."""
    other = id_of("of another athlete")

    assert post(client, f"/runs/{other}/decide", kind="exclude").status_code == 404
    assert post(client, f"/runs/{WHOLE_RUN}/decide", kind="split", other=other).status_code == 404
    assert post(client, f"/runs/{other}/pain", side="left", score="3").status_code == 404


@pytest.mark.homes
def test_pain_is_noted_with_its_run_by_one_tap(changed: Home) -> None:
    """A second tap completes the report; the page shows it, and the weeks too."""
    client, address = client_of(changed), f"/runs/{WHOLE_RUN}"
    assert "Not reported with this run. That does not mean there was no pain." in client.get(address).text

    for when, score in (("during", "4"), ("next_morning", "2")):
        assert post(client, f"{address}/pain", side="left", when=when, score=score).status_code == 303
    wrong = post(client, f"{address}/pain", side="left", score="11")

    assert asked(changed, "select activity_id, local_date, during, next_morning from pain_reports") == [
        (WHOLE_RUN, date(2026, 6, 1), 4, 2)
    ]
    assert "during <strong>4/10</strong>, next morning <strong>2/10</strong>" in client.get(address).text
    assert (wrong.status_code, "during is 11" in wrong.text) == (400, True)
    assert '<span class="pain">4/10</span>' in client.get("/weeks").text


@pytest.mark.homes
def test_pain_with_the_first_of_two_runs_stays_with_it(changed: Home) -> None:
    """Without a time it would be that of the later one."""
    with opened_store(changed) as con, transaction(con):
        later = DAYS["whole"] + timedelta(hours=10)
        con.execute(
            "update activities set started_at = ?, local_date = ? where activity_id = ?",
            [later, later.date(), OTHER_RUN],
        )
    steps.bring_up_to_date(changed, read_settings(changed), CLOCK)
    client = client_of(changed)

    for run, score in ((WHOLE_RUN, "4"), (OTHER_RUN, "1"), (WHOLE_RUN, "5")):
        post(client, f"/runs/{run}/pain", side="left", score=score)

    question = "select activity_id, during from pain_reports order by reported_at"
    assert asked(changed, question) == [(WHOLE_RUN, 5), (OTHER_RUN, 1)]


# Weeks and runs --------------------------------------------------------------------------------------------


def test_the_sample_runners_weeks_stand_beside_her_plan(sample_home: Home) -> None:
    """Sixteen weeks with what was due, done and reported; each leads to its runs."""
    page = client_of(sample_home, Clock(datetime(2026, 10, 3, 18, tzinfo=UTC), date(2026, 10, 3))).get(
        "/weeks"
    )

    assert page.text.count("<h3 id=") == 16
    assert page.text.count('href="#week-') == 16
    assert "week 16 of the plan" in page.text
    assert "No clear trend: " in page.text
    assert "95 % interval" in page.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "not reported" in page.text
    for run in set(re.findall(r"/runs/[0-9a-f]{64}", page.text)):
        assert client_of(sample_home).get(run).status_code in (200, 404)


@pytest.mark.parametrize("measure", ["distance", "time", "knee_load"])
def test_weeks_show_any_measure_and_silence_as_such(sample_home: Home, measure: str) -> None:
    """A week without a report has a dot and no number; the chart has the plan where a plan knows the measure."""
    client = client_of(sample_home, Clock(datetime(2026, 10, 3, 18, tzinfo=UTC), date(2026, 10, 3)))

    rows = list(numbers_in(client.get(f"/charts/weeks.json?measure={measure}").json()))

    known = asked(
        sample_home,
        "select worst_pain is null from weekly_trends where athlete = 'mara' and week_start <= '2026-10-03' "
        "order by week_start desc limit 16",
    )
    assert [row["pain_label"] == "·" for row in reversed(rows)] == [silent for (silent,) in known]
    assert any(row["planned"] is not None for row in rows) == (measure != "knee_load")
    assert client.get(f"/weeks?measure={measure}").status_code == 200


def test_older_weeks_are_reached_step_by_step(sample_home: Home) -> None:
    """Back to the first week and no further, and forward to the present again."""
    client = client_of(sample_home, Clock(datetime(2026, 10, 3, 18, tzinfo=UTC), date(2026, 10, 3)))
    addresses, at = [], "/weeks"
    while found := re.search(r'href="([^"]+)">Sixteen weeks before', client.get(at).text):
        at = found[1].replace("&amp;", "&")
        addresses.append(at)
        assert len(addresses) < 10

    assert addresses[0] == "/weeks?until=2026-06-13"
    assert "Sixteen weeks after" in client.get(addresses[-1]).text
    assert "there was no run before this day" in client.get("/weeks?until=1990-01-01").text


def test_runs_are_listed_by_page_and_year(sample_home: Home) -> None:
    """Fifty at a time, each once, the newest first."""
    client = client_of(sample_home, Clock(datetime(2026, 10, 3, 18, tzinfo=UTC), date(2026, 10, 3)))
    counted = asked(
        sample_home,
        "select count(*) from activities where athlete = 'mara' and is_run and duplicate_of is null and part_of is null",
    )[0][0]

    pages = [client.get(f"/runs?page={number}").text for number in (1, 2)]
    listed = [one for page in pages for one in re.findall(r'href="/runs/([0-9a-f]{64})"', page)]

    assert len(listed) == len(set(listed)) == counted
    assert "Older" in pages[0]
    assert "Older" not in pages[1]
    assert "No run here." in client.get("/runs?year=2001").text


def test_runs_that_were_left_out_are_listed_as_such(client: TestClient) -> None:
    """Else nobody could let them count again; doubles stand on the page of the run that counts."""
    page = client.get("/runs").text

    assert id_of("excluded") in page
    assert "left out" in page
    assert id_of("duplicate") not in page
    assert id_of("of another athlete") not in page


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("first", (None, True, date(2026, 6, 3))),
        ("slower", (300.0, False, date(2026, 6, 3))),
        ("best", (300.0, True, None)),
        ("last", (290.0, False, None)),
    ],
)
def test_an_effort_stands_beside_those_before_and_after_it(run: str, expected: tuple[Any, ...]) -> None:
    """The best before it, whether it was the best then, and when a later run was faster."""
    times_s = {"first": 300.0, "slower": 310.0, "best": 290.0, "last": 305.0}
    known = pl.DataFrame(
        [
            {"activity_id": name, "distance_m": 1000.0, "time_s": time_s, "local_date": date(2026, 6, day)}
            for day, (name, time_s) in enumerate(times_s.items(), 1)
        ]
    ).with_columns(started_at=pl.col("local_date").cast(pl.Datetime("us", "UTC")))

    (effort,) = efforts_beside(known, run)

    assert (effort["previous_s"], effort["was_best"], effort["beaten_on"]) == expected
    assert effort["pace_s_per_km"] == times_s[run]


def test_kilometres_are_marked_where_they_end() -> None:
    """Due east: one below no other, from left to right, a kilometre apart."""
    along_deg = pl.col("distance_m") / (METRES_PER_DEGREE * math.cos(math.radians(53)))
    east = WHOLE.with_columns(lat_deg=pl.lit(53.0), lon_deg=10 + along_deg)

    way = track_of(east, Units()).map

    assert way is not None
    assert [mark.words for mark in way.marks] == [str(km) for km in range(1, 10)]
    assert {mark.y for mark in way.marks} == {way.height / 2}
    per_km = (way.end.x - way.start.x) / (east["distance_m"].max() / 1000)
    assert [mark.x for mark in way.marks] == pytest.approx(
        [way.start.x + km * per_km for km in range(1, 10)], abs=0.2
    )
