"""Commands that show things: week, digest, athlete, report, sql, query, and the groups alerts, activities, exports."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kneewatch.asking import SHOWN_ID, Rows, day_shown, day_viewed, rows_of, short_id, units_of, whole_id
from kneewatch.commands.activities import activities
from kneewatch.options import (
    AthleteOption,
    HomeOption,
    JsonOption,
    TodayOption,
    athlete_of,
    day_of,
    home_of,
    published,
    settings_of,
)
from kneewatch.show import Column, harmless, plain_columns, print_json, show, show_notices, text
from store.errors import KneewatchError, WrongUseError

if TYPE_CHECKING:
    import duckdb

    from report.format import Units
    from store.settings import Settings

alerts = typer.Typer(help="Alerts: list them, show one with its evidence, acknowledge one, try the channels.")
exports = typer.Typer(help="Every file seen, and what became of it.")


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(week)
    app.command()(digest)
    app.command()(athlete)
    app.command()(report)
    app.command()(sql)
    app.command()(query)
    for name, group in (("alerts", alerts), ("activities", activities), ("exports", exports)):
        app.add_typer(group, name=name)


def week(
    home: HomeOption = None,
    weeks: Annotated[int, typer.Option("--weeks", min=1, help="How many weeks, up to this one.")] = 6,
    athlete: AthleteOption = None,
    today: TodayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the last weeks: load and pace, with the plan beside them."""
    folder = home_of(home)
    settings = settings_of(folder)
    with published(folder, settings, day_of(today)) as con:
        rows = rows_of(
            con,
            "select w.*, z.easy_share from weekly_trends w left join weekly_zones z "
            "on z.athlete = w.athlete and z.week_start = w.week_start and z.kind = 'heart_rate' "
            "where w.athlete = $athlete and w.week_start <= $today order by w.week_start",
            athlete=athlete_of(settings, athlete),
            today=day_viewed(con, settings, today),
        )
    show(
        rows[-weeks:],
        _week_columns(units_of(settings)),
        as_json=as_json,
        empty="No week yet: nothing was taken in.",
    )


def digest(
    home: HomeOption = None,
    athlete: AthleteOption = None,
    send: Annotated[
        bool,
        typer.Option(
            "--send",
            help="Also send everybody's to the channels that may have it, unless it was sent for that week.",
        ),
    ] = False,
    today: TodayOption = None,
) -> None:
    """Show the digest of the week as it goes to the channels: that of which most is over."""
    from flows import steps
    from flows.digests import week_of
    from report.digest import digest_words, read_digest

    folder = home_of(home)
    settings = settings_of(folder)
    clock = steps.clock_of(settings, day_of(today))
    who = athlete_of(settings, athlete)
    if send:
        _need_a_channel(settings)
    counts = steps.digest(folder, settings, clock, day=clock.today) if send else {}
    with published(folder, settings, day_of(today)) as con:
        told = read_digest(con, who, week_start=week_of(settings, who, clock.today), today=clock.today)
    print(harmless(digest_words(told, units_of(settings))))
    if send:
        print(
            f"\nDigests written {counts['digests']}; letters tried {counts['tried']}, delivered {counts['delivered']}."
        )
    if counts.get("tried", 0) > counts.get("delivered", 0):
        raise typer.Exit(1)


def athlete(
    home: HomeOption = None,
    whose: AthleteOption = None,
    all_changes: Annotated[bool, typer.Option("--all", help="Also the values that counted before.")] = False,
    today: TodayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the athlete's own values: set or estimated, since when, and what they rest on."""
    from report.questions import read_query

    folder = home_of(home)
    settings = settings_of(folder)
    with published(folder, settings, day_of(today)) as con:
        day = day_viewed(con, settings, today)
        question = (
            "select * exclude (athlete) from athlete_parameters where athlete = $athlete "
            "and (valid_from is null or valid_from <= $today) order by parameter, valid_from nulls first"
            if all_changes
            else read_query("athlete_values")
        )
        rows = rows_of(con, question, athlete=athlete_of(settings, whose), today=day)
    show(
        [{**row, "evidence": json.loads(row["evidence"])} for row in rows]
        if as_json
        else _in_words(rows, units_of(settings)),
        [
            ("name", "Value", text),
            ("value", "Is", text),
            ("since", "Since", text),
            ("rests_on", "Rests on", text),
        ],
        as_json=as_json,
        empty="Nothing is known yet: set what you know in kneewatch.toml, or take in five runs with a heart rate.",
    )


def report(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; - is stdout.")
    ] = None,
    physio: Annotated[
        bool, typer.Option("--physio", help="Two pages on one knee instead, for a physio; needs --side.")
    ] = False,
    side: Annotated[str | None, typer.Option("--side", help="Which knee: left or right.")] = None,
    episode: Annotated[
        str | None, typer.Option("--episode", metavar="ID", help="Which episode (else the last one).")
    ] = None,
    weeks: Annotated[int, typer.Option("--weeks", min=1, max=16, help="How many weeks it covers.")] = 8,
    called: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="What to call the athlete, such as 'Runner 1'.")
    ] = None,
    with_notes: Annotated[
        bool, typer.Option("--with-notes", help="With the notes in your own words.")
    ] = False,
    with_map: Annotated[
        bool,
        typer.Option(
            "--map", help="With the way of the run the episode begins with, without your privacy zone."
        ),
    ] = False,
    home: HomeOption = None,
    athlete: AthleteOption = None,
    today: TodayOption = None,
) -> None:
    """Write the self-contained HTML report, or with --physio the one on a knee."""
    from flows.reports import physio_html, report_html
    from store.files import write_whole

    if physio and side not in ("left", "right"):
        raise WrongUseError("A physio report is about one knee: --physio --side left, or right.")
    if not physio and (side or episode or called or with_notes or with_map):
        raise WrongUseError(
            "--side, --episode, --as, --with-notes and --map are for the physio report: add --physio."
        )
    folder = home_of(home)
    settings = settings_of(folder)
    who = athlete_of(settings, athlete)
    with published(folder, settings, day_of(today)) as con:
        day = day_viewed(con, settings, today)
        if side is None:
            page = report_html(con, settings, athlete=who, today=day)
        else:
            if episode is not None:
                _check_episode(con, who, side, episode)
            page = physio_html(
                con,
                folder,
                settings,
                athlete=who,
                side=side,
                weeks=weeks,
                today=day,
                episode=episode,
                called=called,
                with_notes=with_notes,
                with_map=with_map,
            )
    if output == Path("-"):
        sys.stdout.write(page)
        return
    name = day.isoformat() if side is None else f"{day.isoformat()}-{side}-knee"
    path = output or folder.reports / f"{name}.html"
    write_whole(path.absolute(), page.encode())
    print(path)


def sql(
    question: Annotated[str, typer.Argument(metavar="SELECT", help="A question in DuckDB's SQL.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the published database; it can only be read."""
    folder = home_of(home)
    with published(folder, settings_of(folder), None) as con:
        rows = _asked(con, question, {})
    show(rows, plain_columns(list(rows[0]) if rows else []), as_json=as_json, empty="No rows.")


def query(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which of the questions.")] = None,
    list_names: Annotated[bool, typer.Option("--list", help="Show the questions there are.")] = False,
    home: HomeOption = None,
    athlete: AthleteOption = None,
    today: TodayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask one of the questions that come with Kneewatch."""
    from report.questions import query_names, read_query

    if name is None or list_names:
        rows = [
            {"name": one, "answers": read_query(one).splitlines()[0].lstrip("- ")} for one in query_names()
        ]
        show(rows, plain_columns(["name", "answers"]), as_json=as_json, empty="")
        return
    if name not in query_names():
        raise WrongUseError(f"There is no question {name!r}; there are {', '.join(query_names())}.")
    folder = home_of(home)
    settings = settings_of(folder)
    with published(folder, settings, day_of(today)) as con:
        known = {"athlete": athlete_of(settings, athlete), "today": day_viewed(con, settings, today)}
        rows = _asked(con, read_query(name), known)
    show(rows, plain_columns(list(rows[0]) if rows else []), as_json=as_json, empty="No rows.")


# alerts ----------------------------------------------------------------------------------------------------


@alerts.callback(invoke_without_command=True)
def alerts_or_check(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 if an alert is open.")] = False,
    home: HomeOption = None,
    today: TodayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the open alerts."""
    if context.invoked_subcommand is None:
        found = list_alerts(home=home, today=today, as_json=as_json)
        if check and any(alert["status"] == "open" for alert in found):
            raise typer.Exit(1)


@alerts.command("list")
def list_alerts(
    home: HomeOption = None,
    all_alerts: Annotated[
        bool, typer.Option("--all", help="Also those acknowledged, cleared and superseded.")
    ] = False,
    athlete: AthleteOption = None,
    today: TodayOption = None,
    as_json: JsonOption = False,
) -> Rows:
    """Show the open alerts, or all."""
    from report.words import said

    folder = home_of(home)
    settings = settings_of(folder)
    with published(folder, settings, day_of(today)) as con:
        rows = rows_of(
            con,
            "select * from alerts where athlete = $athlete and ($all_alerts or status = 'open') and local_date <= $today "
            "order by local_date, side, alert_id",
            athlete=athlete_of(settings, athlete),
            all_alerts=all_alerts,
            today=day_viewed(con, settings, today),
        )
    rows = [{**row, "evidence": json.loads(row["evidence"])} for row in rows]
    if as_json:
        print_json(rows)
    else:
        notices = ((row["severity"], _alert_title(row), row["message"], row["action"]) for row in rows)
        show_notices(notices, empty=said("nothing.open"))
    return rows


@alerts.command("show")
def alerts_show(
    alert_id: Annotated[str, typer.Argument(metavar="ID", help="The alert's id, or how it begins.")],
    as_sql: Annotated[
        bool, typer.Option("--sql", help="Also a query that returns its numbers; all else as comments.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an alert with the numbers it rests on, each with the row it came from."""
    from report.evidence import evidence_numbers, evidence_query

    folder = home_of(home)
    with published(folder, settings_of(folder), None) as con:
        this = whole_id(con, "alerts", "alert_id", alert_id)
        [alert] = rows_of(con, "select * from alerts where alert_id = $this", this=this)
    evidence = json.loads(alert["evidence"])
    query_of_it = {"sql": evidence_query(evidence)} if as_sql else {}
    if as_json:
        print_json({**alert, "evidence": evidence, **query_of_it})
        return
    lines = [_alert_title(alert), alert["message"], alert["action"]]
    lines += [f"{name} {value:g}  ({row_id})" for row_id, name, value in evidence_numbers(evidence)]
    said = harmless("\n".join(lines)).splitlines()
    print("\n".join(f"-- {line}" if as_sql else line for line in said))
    print(*query_of_it.values(), sep="", end="")


@alerts.command("ack")
def alerts_ack(
    alert_id: Annotated[str, typer.Argument(metavar="ID", help="The alert's id, or how it begins.")],
    home: HomeOption = None,
) -> None:
    """Acknowledge an alert: seen, no longer open."""
    from flows import steps

    folder = home_of(home)
    settings = settings_of(folder)
    with published(folder, settings, None) as con:
        this = whole_id(con, "alerts", "alert_id", alert_id)
    steps.acknowledge(folder, settings, steps.clock_of(settings), this)
    print(f"Acknowledged {this[:SHOWN_ID]}.")


@alerts.command("test")
def alerts_test(
    channel: Annotated[
        str | None, typer.Argument(metavar="[CHANNEL]", help="Only this one, by its name in kneewatch.toml.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a test message to every channel in kneewatch.toml, and by those that take it what was waiting for them."""
    from flows import steps
    from report.notify import send_text, title_of
    from report.words import said

    folder = home_of(home)
    settings = settings_of(folder)
    channels = settings.channels
    _need_a_channel(settings)
    if channel is not None and channel not in channels:
        raise WrongUseError(f"There is no channel {channel!r}; there are {', '.join(sorted(channels))}.")
    errors = {
        name: send_text(one.url.get_secret_value(), title_of("test"), said("letter.test"))
        for name, one in channels.items()
        if channel in (None, name)
    }
    working = [name for name, error in errors.items() if error is None]
    counts = steps.deliver_waiting(folder, settings, steps.clock_of(settings), working)
    rows = [
        {"channel": name, "is_delivered": error is None, "why_not": error} for name, error in errors.items()
    ]
    if as_json:
        print_json(rows)
    else:
        for name, error in errors.items():
            print(f"{name}: {error or 'delivered'}")
        if counts["delivered"]:
            print(f"Letters that had been waiting: {counts['delivered']} delivered.")
    if any(errors.values()):
        raise typer.Exit(1)


# exports ---------------------------------------------------------------------------------------------------


@exports.callback(invoke_without_command=True)
def exports_or_list(context: typer.Context, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show every file seen."""
    if context.invoked_subcommand is None:
        exports_list(home=home, as_json=as_json)


@exports.command("list")
def exports_list(
    home: HomeOption = None,
    outcome: Annotated[str | None, typer.Option("--outcome", help="Only those with this outcome.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show every file seen, and what became of it."""
    folder = home_of(home)
    with published(folder, settings_of(folder), None) as con:
        rows = rows_of(
            con,
            "select * from exports where $outcome is null or outcome = $outcome order by seen_at, athlete, file_name",
            outcome=outcome,
        )
    columns: list[Column] = [
        ("seen_at", "Seen", lambda at: f"{at:%Y-%m-%d %H:%M}"),
        ("athlete", "Athlete", text),
        ("file_name", "File", text),
        ("format", "Format", text),
        ("outcome", "Outcome", text),
        ("activities", "Activities", text),
        ("reason", "Reason", text),
    ]
    show(rows, columns, as_json=as_json, empty="No file was seen yet.")


@exports.command("retry")
def exports_retry(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Put every quarantined file before the readers again, after an upgrade for example."""
    from flows import steps
    from kneewatch.commands.work import show_taken

    folder = home_of(home)
    settings = settings_of(folder)
    clock = steps.clock_of(settings)
    taken = steps.retry(folder, settings, clock)
    steps.bring_up_to_date(folder, settings, clock)
    show_taken(taken, as_json=as_json)


# Helpers ---------------------------------------------------------------------------------------------------


def _check_episode(con: duckdb.DuckDBPyConnection, athlete: str, side: str, episode: str) -> None:
    found = rows_of(
        con,
        "select distinct episode_id from alerts where athlete = $athlete and side = $side "
        "and status <> 'superseded' and starts_with(episode_id, $episode)",
        athlete=athlete,
        side=side,
        episode=episode,
    )
    if len(found) != 1:
        what = "Several episodes" if found else "No episode"
        raise KneewatchError(
            f"{what} of the {side} knee begin{'' if found else 's'} with {episode!r}; "
            "kneewatch alerts list --all --json shows their episode_id."
        )


def _need_a_channel(settings: Settings) -> None:
    if not settings.channels:
        raise WrongUseError("There is no channel in kneewatch.toml; add a table [channels.NAME] with a url.")


def _asked(con: duckdb.DuckDBPyConnection, question: str, known: dict[str, object]) -> Rows:
    """Ask what a person wrote; only parameters that it names, because DuckDB refuses others."""
    import duckdb

    try:
        return rows_of(con, question, **{key: value for key, value in known.items() if f"${key}" in question})
    except duckdb.Error as error:
        raise WrongUseError(str(error).strip()) from None


def _in_words(rows: Rows, units: Units) -> Rows:
    from report.values import in_words

    return [in_words(row, units) for row in rows]


def _week_columns(units: Units) -> list[Column]:
    from report.format import duration, number, pain, percent

    return [
        ("week_start", "Week", day_shown),
        ("plan_week", "Plan", text),
        ("runs", "Runs", text),
        ("distance_m", "Run", units.distance),
        ("planned_distance_m", "Planned", units.distance),
        ("done_share", "Done", percent),
        ("longest_run_m", "Longest", units.distance),
        ("timer_s", "Time", duration),
        ("load_hrss", "HRSS", number),
        ("easy_share", "Easy", percent),
        ("pace_s_per_km", "Pace", units.pace),
        ("easy_pace_s_per_km", "Easy pace", units.pace),
        ("worst_pain", "Worst pain", pain),
        ("strength_sessions", "Strength", text),
        ("alerts", "Alerts", text),
    ]


def _alert_title(alert: dict[str, Any]) -> str:
    from report.words import said

    is_of_load = alert["rule"] == "load_spike"
    subject = "load" if is_of_load else said(f"rule.{alert['rule']}")
    knee = f"{alert['side']} knee" if alert["side"] else subject
    parts = (
        alert["severity"].upper(),
        knee,
        day_shown(alert["local_date"]),
        alert["status"],
        short_id(alert["alert_id"]),
    )
    return "  ·  ".join(parts)
