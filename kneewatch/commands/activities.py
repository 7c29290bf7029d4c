"""The group `activities`: list them, look at one, and overrule what was made of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kneewatch.asking import Rows, day_shown, rows_of, short_id, units_of, whole_id
from kneewatch.decisions import SAME_SESSION, metres_of, parts_to_join
from kneewatch.options import (
    AthleteOption,
    HomeOption,
    JsonOption,
    athlete_of,
    home_of,
    published,
    settings_of,
)
from kneewatch.show import Column, plain_columns, print_json, show, text
from store.errors import KneewatchError

if TYPE_CHECKING:
    import duckdb

    from report.format import Units
    from store.home import Home
    from store.settings import Settings

activities = typer.Typer(help="Activities: list them, look at one, and overrule what was made of it.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The activity's id, or how it begins.")]


@activities.callback(invoke_without_command=True)
def activities_or_list(context: typer.Context, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show the activities."""
    if context.invoked_subcommand is None:
        activities_list(home=home, as_json=as_json)


@activities.command("list")
def activities_list(
    home: HomeOption = None,
    athlete: AthleteOption = None,
    last: Annotated[int, typer.Option("--last", min=1, help="How many, the newest.")] = 30,
    as_json: JsonOption = False,
) -> None:
    """Show the newest activities, those included that do not count."""
    folder = home_of(home)
    settings = settings_of(folder)
    who = athlete_of(settings, athlete)
    with published(folder, settings, None) as con:
        found = rows_of(
            con,
            "select * from (select * from activities where athlete = $athlete order by started_at desc limit $last) "
            "order by started_at",
            athlete=who,
            last=last,
        )
        offers = [offer for offer in _joinable(con) if offer["athlete"] == who]
    show(found, _columns(units_of(settings)), as_json=as_json, empty="No activity yet: nothing was taken in.")
    shown = {row["activity_id"] for row in found}
    if not as_json:
        for offer in offers:
            if offer["second_id"] in shown:
                print(_offer(offer))


@activities.command("show")
def activities_show(
    activity_id: IdArgument,
    map_file: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="Draw its way as SVG instead, without your privacy zone."),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show everything known of one activity, and which other records are the same session and why; or draw its way."""
    folder = home_of(home)
    settings = settings_of(folder)
    with published(folder, settings, None) as con:
        this = whole_id(con, "activities", "activity_id", activity_id)
        if map_file is not None:
            _draw_way(con, folder, settings, this, map_file)
            return
        (activity,) = rows_of(
            con,
            "select a.*, e.file_name, m.* exclude (activity_id, gap_s_per_km, inputs_key) from activities a "
            "left join (select export_id, athlete, min(file_name) as file_name from exports "
            "where outcome <> 'duplicate' group by all) e using (export_id, athlete) "
            "left join run_metrics m using (activity_id) where a.activity_id = $this",
            this=this,
        )
        records = rows_of(con, SAME_SESSION, this=this)
        laps = rows_of(con, "select * from laps where activity_id = $this order by lap_index", this=this)
        decisions = rows_of(
            con,
            "select decided_at, kind, other_id, distance_m from activity_decisions "
            "where activity_id = $this or other_id = $this order by decided_at",
            this=this,
        )
        offers = [offer for offer in _joinable(con) if this in (offer["first_id"], offer["second_id"])]
    if as_json:
        print_json(
            {**activity, "laps": laps, "same_session": records, "decisions": decisions, "joinable": offers}
        )
        return
    facts = [{"what": key, "value": value} for key, value in activity.items() if value is not None]
    show(facts, [("what", "What", text), ("value", "Value", _value)], as_json=False, empty="")
    if records:
        show(records, SAME_SESSION_COLUMNS, as_json=False, empty="")
    if decisions:
        show(
            decisions,
            plain_columns(["decided_at", "kind", "other_id", "distance_m"]),
            as_json=False,
            empty="",
        )
    lap_columns = plain_columns(["lap_index", "timer_s", "distance_m", "avg_hr_bpm"])
    show(laps, lap_columns, as_json=False, empty="No laps.")
    for offer in offers:
        print(_offer(offer))


def _draw_way(
    con: duckdb.DuckDBPyConnection, folder: Home, settings: Settings, this: str, path: Path
) -> None:
    from flows.maps import shared_way
    from report.charts import DESK_WIDTH_PX, way_map
    from store.files import write_whole

    way = shared_way(con, folder, settings, this)
    if way.is_empty():
        raise KneewatchError(
            f"There is nothing of {short_id(this)} to draw: no position was recorded, or all of it lies in the privacy zone "
            "(privacy_radius_m in kneewatch.toml)."
        )
    write_whole(path.absolute(), way_map(way, units_of(settings), width_px=DESK_WIDTH_PX).encode())
    print(path)


@activities.command("exclude")
def activities_exclude(
    activity_id: IdArgument,
    undo: Annotated[bool, typer.Option("--undo", help="Let it count again.")] = False,
    home: HomeOption = None,
) -> None:
    """Leave an activity out of all sums, or let it count again."""
    this = _decide(home, "include" if undo else "exclude", activity_id)
    print(f"{short_id(this)} {'counts again' if undo else 'no longer counts'}.")


@activities.command("split")
def activities_split(
    activity_id: IdArgument,
    other_id: Annotated[
        str | None,
        typer.Argument(metavar="[OTHER]", help="The one it is not; else the one it was taken for."),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Tell two records apart that were judged to be the same session: both count from now on."""
    folder = home_of(home)
    with published(folder, settings_of(folder), None) as con:
        this = whole_id(con, "activities", "activity_id", activity_id)
        (row,) = rows_of(con, "select duplicate_of from activities where activity_id = $this", this=this)
        other = row["duplicate_of"]
        if other_id is not None:
            other = whole_id(con, "activities", "activity_id", other_id)
    if other is None or other == this:
        raise KneewatchError(
            f"{short_id(this)} was not judged to be the same session as another; say from which one to split it."
        )
    _decide(home, "split", this, other_id=other)
    print(f"{short_id(this)} and {short_id(other)} are two sessions.")


@activities.command("correct")
def activities_correct(
    activity_id: IdArgument,
    distance: Annotated[
        str, typer.Option("--distance", help="Such as 10.2km, 6.3mi or 10200m; 'recorded' takes it back.")
    ],
    home: HomeOption = None,
) -> None:
    """Set the distance of an activity, as a treadmill showed it for example."""
    folder = home_of(home)
    units = units_of(settings_of(folder))
    metres = None if distance == "recorded" else metres_of(distance)
    this = _decide(home, "correct", activity_id, distance_m=metres)
    print(
        f"{short_id(this)} has {'its recorded distance' if metres is None else units.distance(metres)} from now on."
    )


@activities.command("join")
def activities_join(
    first: Annotated[str, typer.Argument(metavar="A", help="An activity's id, or how it begins.")],
    others: Annotated[list[str], typer.Argument(metavar="B…", help="What belongs to it.")],
    undo: Annotated[bool, typer.Option("--undo", help="Take them apart again.")] = False,
    home: HomeOption = None,
) -> None:
    """Let activities count as one, when a watch was restarted on the way."""
    from flows import steps

    folder = home_of(home)
    settings = settings_of(folder)
    with published(folder, settings, None) as con:
        ids = [whole_id(con, "activities", "activity_id", one) for one in dict.fromkeys([first, *others])]
        found = rows_of(
            con,
            "select * from activities where list_contains($ids, activity_id) order by started_at",
            ids=ids,
        )
    root, *parts = parts_to_join(found)
    for part in parts:
        steps.decide(
            folder,
            settings,
            steps.clock_of(settings),
            kind="join",
            activity_id=part,
            other_id=None if undo else root,
        )
    names = ", ".join(map(short_id, parts))
    print(f"{names} {'stand for themselves again' if undo else f'are a part of {short_id(root)}'}.")


def _decide(
    home: HomeOption,
    kind: str,
    activity_id: str,
    *,
    other_id: str | None = None,
    distance_m: float | None = None,
) -> str:
    from flows import steps

    folder = home_of(home)
    settings = settings_of(folder)
    with published(folder, settings, None) as con:
        this = whole_id(con, "activities", "activity_id", activity_id)
    steps.decide(
        folder,
        settings,
        steps.clock_of(settings),
        kind=kind,
        activity_id=this,
        other_id=other_id,
        distance_m=distance_m,
    )
    return this


SAME_SESSION_COLUMNS: list[Column] = [
    ("activity_id", "Same session", short_id),
    ("file_name", "File", text),
    ("device", "Device", text),
    ("why", "Why", text),
]


def _joinable(con: duckdb.DuckDBPyConnection) -> Rows:
    from report.questions import read_query

    return rows_of(con, read_query("joinable"))


def _offer(offer: dict[str, object]) -> str:
    first, second = short_id(str(offer["first_id"])), short_id(str(offer["second_id"]))
    return (
        f"{second} began {offer['gap_s']:.0f} s after the end of {first}, in the same place. "
        f"If the watch was restarted: kneewatch activities join {first} {second}"
    )


def _columns(units: Units) -> list[Column]:
    from report.format import duration, number

    return [
        ("activity_id", "Id", short_id),
        ("local_date", "Day", day_shown),
        ("sport", "Sport", text),
        ("distance_m", "Distance", units.distance),
        ("timer_s", "Time", duration),
        ("pace_s_per_km", "Pace", units.pace),
        ("avg_hr_bpm", "HR", number),
        ("device", "Device", text),
        ("duplicate_of", "Doubles", short_id),
        ("part_of", "Part of", short_id),
        ("is_excluded", "Left out", lambda out: "yes" if out else ""),
    ]


def _value(value: object) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else text(value)
