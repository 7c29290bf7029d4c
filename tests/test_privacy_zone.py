"""Maps that are handed on: nobody finds a home by them, nor by two hundred of them."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from typer.testing import CliRunner

from analytics.privacy import (
    CIRCLE_SHARE,
    METRES_PER_DEGREE,
    Position,
    circles,
    in_metres,
    shareable_track,
    usual_start,
)
from flows.maps import STARTS
from kneewatch.cli import app
from store.database import frame, opened_published, scalar
from store.home import Home
from store.samples import read_samples
from store.secret import secret_of

HOME = (53.2, 9.95)
RADIUS_M = 400.0
SECRET = b"a secret of thirty-two bytes ...."
Floats = NDArray[np.float64]


def positions(x_m: Floats, y_m: Floats, around: Position = HOME) -> pl.DataFrame:
    """Return a track given by metres east and north of a place."""
    per_degree = METRES_PER_DEGREE * math.cos(math.radians(around[0]))
    return pl.DataFrame(
        {"lat_deg": around[0] + y_m / METRES_PER_DEGREE, "lon_deg": around[1] + x_m / per_degree}
    )


def metres(track: pl.DataFrame, around: Position = HOME) -> tuple[Floats, Floats]:
    """Return metres east and north of a place."""
    per_degree = METRES_PER_DEGREE * math.cos(math.radians(around[0]))
    x = (track["lon_deg"] - around[1]).to_numpy() * per_degree
    return x, (track["lat_deg"] - around[0]).to_numpy() * METRES_PER_DEGREE


def loop(bearing: float, *, length_m: float = 8000.0, step_m: float = 3.0, seed: int = 0) -> pl.DataFrame:
    """Return a run out of the door in one direction, with a bend, and back along another street."""
    out = np.arange(0, length_m / 2, step_m)
    wiggle = 40 * np.sin(out / (150 + 40 * (seed % 5)))
    ahead = np.concatenate([out, out[::-1]])
    aside = np.concatenate([wiggle, wiggle[::-1] + 120 * np.sin(out[::-1] / out[-1] * math.pi)])
    x = ahead * math.sin(bearing) + aside * math.cos(bearing)
    y = ahead * math.cos(bearing) - aside * math.sin(bearing)
    return positions(x, y)


def shared(track: pl.DataFrame, name: str = "run", home: Position | None = HOME) -> pl.DataFrame:
    return shareable_track(track, home=home, radius_m=RADIUS_M, secret=SECRET, name=name)


def nearest_m(track: pl.DataFrame, place: Position = HOME) -> float:
    """Return how near the lines of a track come to a place."""
    nearest = math.inf
    for (_,), piece in track.group_by("piece"):
        x, y = metres(piece, place)
        for share in np.linspace(0, 1, 9):
            between_x, between_y = x[:-1] + share * np.diff(x), y[:-1] + share * np.diff(y)
            nearest = min(nearest, *np.hypot(between_x, between_y), *np.hypot(x, y))
    return nearest


corners = st.lists(
    st.tuples(st.floats(-3000, 3000), st.floats(-3000, 3000)), min_size=2, max_size=8, unique=True
)
secrets = st.binary(min_size=32, max_size=32)


def walked(points: list[tuple[float, float]], step_m: float) -> pl.DataFrame:
    """Return the way from corner to corner, a sample each so many metres."""
    corner_x, corner_y = np.array(points).T
    along = np.concatenate([[0], np.cumsum(np.hypot(np.diff(corner_x), np.diff(corner_y)))])
    at = np.linspace(0, along[-1], max(int(along[-1] / step_m), 2))
    return positions(np.interp(at, along, corner_x), np.interp(at, along, corner_y))


@settings(max_examples=60)
@given(points=corners, secret=secrets, step_m=st.sampled_from([3.0, 40.0, 900.0]), knows_home=st.booleans())
def test_nothing_within_the_zone_survives(
    points: list[tuple[float, float]], secret: bytes, step_m: float, knows_home: bool
) -> None:
    """Of the home and of both ends: neither a point nor a line, however rarely the watch wrote one."""
    track = walked(points, step_m)
    home = HOME if knows_home else None
    left = shareable_track(track, home=home, radius_m=RADIUS_M, secret=secret, name="run")

    ends = [(float(track["lat_deg"][index]), float(track["lon_deg"][index])) for index in (0, -1)]
    away = [end for end in ends if home is None or math.dist(metres_of(end), (0, 0)) > RADIUS_M / 2]
    for place in ([HOME] if knows_home else []) + away:
        assert nearest_m(left, place) > RADIUS_M * 0.99


def metres_of(place: Position, around: Position = HOME) -> tuple[float, float]:
    x, y = metres(pl.DataFrame({"lat_deg": [place[0]], "lon_deg": [place[1]]}), around)
    return float(x[0]), float(y[0])


@settings(max_examples=40)
@given(points=corners, secret=secrets)
def test_it_is_the_same_from_whichever_side_one_comes(
    points: list[tuple[float, float]], secret: bytes
) -> None:
    """The track the other way round leaves the same points."""
    track = walked(points, 7.0)
    left = shareable_track(track, home=HOME, radius_m=RADIUS_M, secret=secret, name="run")
    back = shareable_track(track.reverse(), home=HOME, radius_m=RADIUS_M, secret=secret, name="run")

    assert left.drop("piece").equals(back.drop("piece").reverse())


def test_the_middle_of_two_hundred_maps_is_not_the_home() -> None:
    """A circle fitted to where the tracks end leads elsewhere; without an offset it would lead to the door."""
    ends_x, ends_y, plain_x, plain_y = [], [], [], []
    for index in range(200):
        track = loop(index * 2.399963, seed=index)
        x, y = metres(shared(track, f"run {index}"))
        ends_x += [x[0], x[-1]]
        ends_y += [y[0], y[-1]]
        x, y = metres(track)
        outside = np.flatnonzero(np.hypot(x, y) > RADIUS_M * CIRCLE_SHARE)
        plain_x += [x[outside[0]], x[outside[-1]]]
        plain_y += [y[outside[0]], y[outside[-1]]]

    assert math.hypot(*middle_of_circle(plain_x, plain_y)) < 10
    assert math.hypot(*middle_of_circle(ends_x, ends_y)) > 120
    assert math.hypot(float(np.mean(ends_x)), float(np.mean(ends_y))) > 60


def middle_of_circle(x: list[float], y: list[float]) -> tuple[float, float]:
    """Return the middle of the circle that lies nearest to the points (least squares, after Kåsa)."""
    equations = np.stack([x, y, np.ones(len(x))], axis=1)
    solved = np.linalg.lstsq(equations, np.square(x) + np.square(y), rcond=None)[0]
    return float(solved[0] / 2), float(solved[1] / 2)


@given(secrets)
def test_the_circle_hides_how_far_its_middle_is_from_the_home(secret: bytes) -> None:
    """It is as large whatever the secret, holds the whole zone, and its middle keeps away from the home."""
    (circle,) = circles([HOME], home=HOME, radius_m=RADIUS_M, secret=secret)
    far_m = math.dist(metres_of((circle.lat_deg, circle.lon_deg)), (0, 0))

    assert circle.radius_m == CIRCLE_SHARE * RADIUS_M
    assert 0.99 * 0.4 * RADIUS_M <= far_m <= circle.radius_m - RADIUS_M + 1


def test_the_same_secret_cuts_the_same_and_another_one_does_not() -> None:
    """Else the mean of many cuts would tell what each hides."""
    track = loop(0.3)

    assert shared(track).equals(shared(track))
    other = shareable_track(track, home=HOME, radius_m=RADIUS_M, secret=b"x" * 32, name="run")
    assert not shared(track).equals(other)
    assert shared(track, "another run").height != shared(track).height


def test_a_run_that_comes_by_the_home_is_two_pieces() -> None:
    """The middle is cut out as the ends are, and no line is drawn over it."""
    x = np.arange(-6000.0, 6000.0, 5.0)
    left = shared(positions(x, np.full_like(x, 20.0)))

    assert left["piece"].unique().sort().to_list() == [0, 1]
    assert nearest_m(left) > RADIUS_M


def test_no_line_is_drawn_through_the_zone_where_nothing_was_recorded() -> None:
    """A watch that was silent there leaves two points far apart, and the straight line between them goes by the home."""
    x = np.concatenate([np.arange(-6000.0, -3000.0, 5.0), np.arange(3000.0, 6000.0, 5.0)])

    near, far = (shared(positions(x, np.full_like(x, off_m))) for off_m in (100.0, 2500.0))

    assert near["piece"].unique().sort().to_list() == [0, 1]
    assert far["piece"].unique().to_list() == [0]


def test_a_run_that_never_leaves_the_zone_is_not_drawn_at_all() -> None:
    """Neither is one without positions."""
    turn = np.linspace(0, 40, 500)

    assert shared(positions(250 * np.cos(turn), 250 * np.sin(turn))).is_empty()
    assert shared(pl.DataFrame({"lat_deg": [None, math.nan], "lon_deg": [9.9, 9.9]})).is_empty()
    assert in_metres(shared(positions(turn, turn))).is_empty()


def test_without_a_radius_everything_is_drawn() -> None:
    """Somebody may want that; unknown positions are left out."""
    track = loop(1.0)
    left = shareable_track(track, home=HOME, radius_m=0, secret=SECRET, name="run")

    assert left.select("lat_deg", "lon_deg").equals(track)
    assert left["piece"].unique().to_list() == [0]


def test_the_usual_start_is_where_most_runs_begin() -> None:
    """Doors apart count as one place; elsewhere, the unknown and a race abroad do not move it."""
    rng = np.random.default_rng(7)
    x, y = rng.normal(0, 15, (2, 60))
    work_x, work_y = rng.normal(4000, 15, (2, 25))
    starts = pl.concat(
        [
            positions(x, y),
            positions(work_x, work_y),
            pl.DataFrame({"lat_deg": [-33.9, None, math.nan], "lon_deg": [18.4, 9.9, 9.9]}),
        ]
    )
    found = usual_start(starts.sample(fraction=1, shuffle=True, seed=3))

    assert found is not None
    assert math.dist(metres_of(found), (0, 0)) < 10


def test_a_doorstep_on_the_border_of_a_cell_is_found_whole() -> None:
    """Whichever run came first and with it the grid."""
    for shift in np.linspace(0, 300, 13):
        x = np.concatenate([[5000.0], np.linspace(-30, 30, 21) + shift])
        found = usual_start(positions(x, np.zeros_like(x)))
        assert found is not None
        assert abs(metres_of(found)[0] - shift) < 5


def test_two_starts_are_no_habit() -> None:
    """Nor are three in three places; the ends of a run are hidden all the same."""
    assert usual_start(positions(np.array([0.0, 3.0]), np.zeros(2))) is None
    assert usual_start(positions(np.array([0.0, 900.0, 1800.0]), np.zeros(3))) is None
    assert nearest_m(shared(loop(2.0), home=None)) > RADIUS_M


def test_a_map_holds_no_place_on_earth() -> None:
    """The same run elsewhere is the same drawing, but for the metre that degrees are not exact to."""
    x, y = np.linspace(0, 6000, 900), np.sin(np.linspace(0, 20, 900)) * 300
    here, there = (
        in_metres(shareable_track(positions(x, y, place), home=None, radius_m=0, secret=SECRET, name="run"))
        for place in (HOME, (-41.3, 179.99))
    )

    assert np.abs(here["x_m"].to_numpy() - there["x_m"].to_numpy()).max() < 25
    assert abs(here["x_m"].max() + here["x_m"].min()) < 1  # type: ignore[operator]


def test_the_command_draws_the_way_without_the_zone(
    sample_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mara's loops are so small that a wide zone leaves nothing of them; then no file is written."""
    with opened_published(sample_home) as con:
        run = scalar(con, "select activity_id from runs where distance_m > 15000 order by started_at limit 1")
        lat_deg, lon_deg = con.execute(
            "select lat_deg[1], lon_deg[1] from outlines where activity_id = ?", [run]
        ).fetchall()[0]
    path = tmp_path / "way.svg"
    words = ["activities", "show", run[:12], "--home", str(sample_home.root), "--map", str(path)]

    monkeypatch.setenv("KNEEWATCH_ATHLETES__MARA__PRIVACY_RADIUS_M", "2000")
    nothing = CliRunner().invoke(app, words)
    assert "all of it lies in the privacy zone" in str(nothing.exception)
    assert not path.exists()

    monkeypatch.setenv("KNEEWATCH_ATHLETES__MARA__PRIVACY_RADIUS_M", "200")
    drawn = CliRunner().invoke(app, words)
    svg = path.read_text()
    assert drawn.exit_code == 0, drawn.output
    assert svg.startswith("<svg")
    assert "1 km" in svg
    assert [place for place in (f"{lat_deg:.4f}", f"{lon_deg:.4f}") if place in svg + drawn.output] == []


def test_a_physio_report_has_a_map_only_when_asked_and_nothing_of_the_zone_in_it(
    sample_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lines, laid over the recording again, stay out of the circles that were cut; and no degrees are in it."""
    monkeypatch.setenv("KNEEWATCH_ATHLETES__MARA__PRIVACY_RADIUS_M", "200")
    path = tmp_path / "knee.html"
    words = ["report", "--physio", "--side", "right", "--home", str(sample_home.root), "-o", str(path)]

    assert CliRunner().invoke(app, words).exit_code == 0
    assert "The way of the run" not in path.read_text()
    assert "<figure" not in path.read_text()

    assert CliRunner().invoke(app, [*words, "--map"]).exit_code == 0
    html = path.read_text()
    with opened_published(sample_home) as con:
        run = scalar(con, "select activity_id from runs where local_date = date '2026-08-23'")
        usual = usual_start(frame(con, STARTS, athlete="mara"))
    assert usual is not None
    samples = read_samples(sample_home, athlete="mara", year=2026, activity_id=run)
    track = samples.drop_nulls(["lat_deg", "lon_deg"])
    ends = [track.select("lat_deg", "lon_deg").row(at) for at in (0, -1)]
    drawn = laid_over(html, np.stack(metres(track, usual), axis=1))
    cut = circles(ends, home=usual, radius_m=200, secret=secret_of(sample_home))
    assert len(drawn) > 100
    for circle in cut:
        middle = metres_of((circle.lat_deg, circle.lon_deg), around=usual)
        assert np.hypot(*(drawn - middle).T).min() > circle.radius_m - 1
    assert [degrees for place in (usual, *ends) for degrees in place if f"{degrees:.3f}" in html] == []


def test_a_run_without_a_way_to_show_is_named_and_not_drawn(
    sample_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it lies within a wide zone."""
    monkeypatch.setenv("KNEEWATCH_ATHLETES__MARA__PRIVACY_RADIUS_M", "2000")
    path = tmp_path / "knee.html"
    words = [
        "report",
        "--physio",
        "--side",
        "right",
        "--map",
        "--home",
        str(sample_home.root),
        "-o",
        str(path),
    ]

    assert CliRunner().invoke(app, words).exit_code == 0

    assert "The run of Sun 23 Aug is not drawn" in path.read_text()
    assert "The way of the run" not in path.read_text()


def laid_over(html: str, track_m: Floats) -> Floats:
    """Return the points of the map in metres, put where the first piece of it lies along the recording."""
    drawing = html.partition("The way of the run")[2].partition("</svg>")[0]
    (ruler_px,) = re.findall(r'<line [^>]*x2="([\d.]+)"', drawing)
    scale = 1000 / float(ruler_px) * np.array([1, -1])
    pieces = [
        np.array(re.findall(r"(-?[\d.]+),(-?[\d.]+)", d), dtype=float) * scale
        for d in re.findall(r'<g class="mark-line[^>]*><path d="([^"]*)"', drawing)
    ]
    first = pieces[0]
    windows = np.lib.stride_tricks.sliding_window_view(track_m, len(first), axis=0).transpose(0, 2, 1)
    apart_m = np.abs((windows - windows[:, :1]) - (first - first[0])).max(axis=(1, 2))
    at = int(apart_m.argmin())
    assert apart_m[at] < 3
    return np.concatenate(pieces) - first[0] + windows[at, 0]
