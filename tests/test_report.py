"""The report page: what it says, what it must never say, and that it stands on its own."""

# A test function outlives the interpreter's last clean-up once Hypothesis has run; with DuckDB's type in its
# annotations DuckDB would then complain of leaks. As text they hold nothing.
from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any

import duckdb
import polars as pl
import pytest
import vl_convert

from report.charts import PACE_SCHEMA, WEEK_SCHEMA, curve_chart, pace_chart, weeks_chart
from report.exercises import WARM_UP
from report.format import Units, written_as_in
from report.page import (
    asymmetry_sentence,
    confounder_sentence,
    evidence_rows,
    race_sentence,
    render_page,
    trend_sentence,
    week_ahead_sentence,
)
from report.questions import query_names, read_query
from store.database import migrate

KM = Units("km")
TODAY = date(2026, 8, 21)  # a Friday in the twelfth week of the plan
PLAN_START = date(2026, 6, 1)
WEEKLY_KM = (20.4, 22.1, 23.8, 18.2, 25.9, 27.6, 24.6, 21.7, 30.3, 34.2, 30.8, 13.2)
WEEKLY_PAIN = (None, None, 0.0, None, None, None, None, 1.0, 2.0, 3.0, 4.0, 3.0)
# Day of the week, session, planned km, run km, status, pace in s/km.
THIS_WEEK = (
    (0, "rest", 0, None, "rest kept", None),
    (1, "easy", 7.0, 7.1, "done", 352.0),
    (2, "strength", 0, None, "done", None),
    (3, "steady", 8.0, 6.1, "short", 341.0),
    (4, "strength", 0, None, "upcoming", None),
    (5, "easy", 5.5, None, "upcoming", None),
    (6, "long", 17.6, None, "upcoming", None),
)
EVIDENCE = {
    "run": {"local_date": "2026-08-09", "distance_m": 15600, "longest_30d_m": 12000.0, "spike_ratio": 0.3},
    "pain": {"report_ids": ["a" * 64], "during": 3, "after_60min": 2, "next_morning": None},
    "rate_ratio": 1.64,
    "source": "BJSM 2025;59:1203",
}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the real tables and nothing in them."""
    connection = duckdb.connect(":memory:")
    connection.execute("set timezone = 'UTC'")
    migrate(connection)
    yield connection
    connection.close()


@pytest.fixture
def season(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Twelve weeks into a plan: a sore right knee, a spike, a long run ahead, two files refused."""
    insert_weeks(con)
    insert_this_week(con)
    insert_plan_ahead(con)
    insert_spike(con)
    insert_knee(con)
    insert_alerts(con)
    insert_refused(con)
    return con


def insert_load(con: duckdb.DuckDBPyConnection) -> None:
    """A day's load, the zones of the week, and runs with and without a heart rate."""
    insert(
        con,
        "daily_load",
        athlete="me",
        local_date=TODAY,
        runs=0,
        distance_m=0.0,
        timer_s=0.0,
        ctl=31.4,
        atl=45.2,
        tsb=-8.6,
        acwr_uncoupled=1.234,
        acwr_ewma=1.05,
        is_warming_up=True,
        load_unit="hrss",
    )
    for run, hrss, avg_hr_bpm in (("run 1", 48.0, 141.0), ("run 3", None, None)):
        insert(con, "run_metrics", activity_id=run, hrss=hrss, inputs_key="test")
        con.execute("update activities set avg_hr_bpm = ? where activity_id = ?", [avg_hr_bpm, run])
    zones = {f"zone_{zone}_s": 600.0 * zone for zone in range(6)}
    for kind, easy_share in (("heart_rate", 0.4), ("pace", 0.8)):
        insert(
            con,
            "weekly_zones",
            athlete="me",
            week_start=PLAN_START + timedelta(weeks=11),
            kind=kind,
            **zones,
            easy_share=easy_share,
            hard_share=1 - easy_share,
            known_share=0.5,
        )
    con.execute(
        "update weekly_trends set knee_load_klu = 12.34, steps = 13000, steep_descent_m = 85, ramp_ratio = 0.1, "
        "two_week_ramp_ratio = -0.05, monotony = 1.26, strain = 38 "
    )


def insert_values(con: duckdb.DuckDBPyConnection) -> None:
    """A set value that was estimated before, and one that is still to come."""
    evidence = {"method": "second highest 30 s of a year", "peak_hr_bpm": 181.0, "local_date": "2026-05-02"}
    for value, valid_from, is_estimated, told in (
        (181.0, None, True, evidence | {"activity_id": "a", "activities": 12}),
        (186.0, date(2026, 8, 1), False, {"method": "set in kneewatch.toml"}),
        (190.0, date(2026, 9, 1), False, {"method": "set in kneewatch.toml"}),
    ):
        insert(
            con,
            "athlete_parameters",
            athlete="me",
            parameter="max_hr_bpm",
            valid_from=valid_from,
            value=value,
            is_estimated=is_estimated,
            evidence=json.dumps(told),
        )


class Page(HTMLParser):
    """What a browser would make of a page: its text, its tags, and whatever it would fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.skipping: str | None = None
        self.feed(html)
        self.text = re.sub(r"\s+", " ", " ".join(self.pieces))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.skipping = "style" if tag == "style" else self.skipping

    def handle_endtag(self, tag: str) -> None:
        self.skipping = None if tag == self.skipping else self.skipping

    def handle_data(self, data: str) -> None:
        if self.skipping is None:
            self.pieces.append(data)

    def with_role(self, role: str) -> int:
        return sum(attrs.get("role") == role for _, attrs in self.tags)


def insert(con: duckdb.DuckDBPyConnection, table: str, **values: Any) -> None:
    columns = ", ".join(values)
    con.execute(
        f"insert into {table} ({columns}) values ({', '.join('?' * len(values))})", list(values.values())
    )


def insert_run(con: duckdb.DuckDBPyConnection, activity_id: str, day: date, **values: Any) -> None:
    known = {
        "activity_id": activity_id,
        "athlete": "me",
        "export_id": f"export of {activity_id}",
        "sport": "running",
        "is_run": True,
        "is_indoor": False,
        "started_at": f"{day}T06:00:00Z",
        "local_date": day,
        "utc_offset_s": 7200,
        "elapsed_s": 3000.0,
        "timer_s": 2900.0,
    }
    insert(con, "activities", **(known | values))


def insert_weeks(con: duckdb.DuckDBPyConnection, *, athlete: str = "me", **same: Any) -> None:
    for index, (km, pain) in enumerate(zip(WEEKLY_KM, WEEKLY_PAIN, strict=True)):
        week = {
            "athlete": athlete,
            "week_start": PLAN_START + timedelta(weeks=index),
            "plan_week": index + 1,
            "runs": 4 if index < 11 else 2,
            "distance_m": km * 1000,
            "timer_s": km * 348,
            "longest_run_m": km * 420,
            "planned_distance_m": (22 + 1.3 * index) * 1000,
            "load_hrss": km * 9.6,
            "pace_s_per_km": 348.0,
            "easy_pace_s_per_km": None if index == 3 else 372 - 2.4 * index + (-1) ** index * 2.5,
            "pace_trend_s_per_km_per_week": -2.4,
            "pace_trend_low": -3.1,
            "pace_trend_high": -1.6,
            "pace_trend": "faster",
            "worst_pain": pain,
            "pain_reports": 0 if pain is None else 2,
            "strength_sessions": 2,
            "alerts": 1 if pain and pain > 2 else 0,
        }
        insert(con, "weekly_trends", **(week | same))


def insert_this_week(con: duckdb.DuckDBPyConnection) -> None:
    for index, session, planned_km, run_km, status, pace in THIS_WEEK:
        day = PLAN_START + timedelta(weeks=11, days=index)
        run = f"run {index}" if run_km else None
        if run:
            insert_run(con, run, day, distance_m=run_km * 1000, pace_s_per_km=pace, title="Morning Run")
        insert(
            con,
            "plan_vs_actual",
            athlete="me",
            local_date=day,
            plan_week=12,
            session=session,
            planned_distance_m=planned_km * 1000,
            activity_id=run,
            distance_m=run_km and run_km * 1000,
            status=status,
        )


def insert_plan_ahead(con: duckdb.DuckDBPyConnection) -> None:
    for week in range(16):
        for day, session, km in (
            (1, "easy", 7.0),
            (3, "steady", 8.0),
            (6, "long", 6.6 + week),
        ):
            insert(
                con,
                "plan_sessions",
                athlete="me",
                plan="half_marathon_beginner",
                week=week + 1,
                local_date=PLAN_START + timedelta(weeks=week, days=day),
                session=session,
                distance_m=km * 1000,
            )
    for day, session, km, longest, limit, bin_, reason in (
        (22, "easy", 5.5, 15.6, 17.1, "reference", "within 10 %"),
        (23, "long", 17.6, 15.6, 17.1, "small", "17.6 km is more than 10 % over 15.6 km (9 Aug)."),
        (25, "easy", 7.0, 17.6, 19.3, "reference", "within 10 %"),
        (30, "long", 18.6, 17.6, 19.3, "reference", "within 10 %"),
    ):
        insert(
            con,
            "upcoming_spikes",
            athlete="me",
            local_date=date(2026, 8, day),
            session=session,
            planned_distance_m=km * 1000,
            longest_30d_m=longest * 1000,
            spike_ratio=km / longest - 1,
            spike_bin=bin_,
            longest_safe_m=limit * 1000,
            reason=reason,
        )


def insert_spike(con: duckdb.DuckDBPyConnection) -> None:
    insert_run(con, "spike", date(2026, 8, 9), distance_m=15600.0, pace_s_per_km=355.0)
    insert(con, "run_metrics", activity_id="spike", spike_ratio=0.3, spike_bin="moderate", inputs_key="test")


def insert_knee(con: duckdb.DuckDBPyConnection) -> None:
    for day, side, scores, flags, changed_gait in (
        (9, "right", (0, 3, 2, None), [], False),
        (11, "right", (1, 3, 1, 1), [], None),
        (16, "right", (1, 4, 2, 2), ["swelling", "night_or_rest_pain"], True),
        (20, "both", (None, 3, None, None), [], None),
    ):
        insert(
            con,
            "pain_reports",
            report_id=f"report {day}",
            athlete="me",
            reported_at=f"2026-08-{day:02d}T18:00:00Z",
            local_date=date(2026, 8, day),
            side=side,
            site="below_kneecap",
            **dict(zip(("before", "during", "after_60min", "next_morning"), scores, strict=True)),
            flags=flags,
            changed_gait=changed_gait,
            note="private <script>note</script>",
            source="cli",
        )


def insert_alert(con: duckdb.DuckDBPyConnection, alert_id: str, **values: Any) -> None:
    known = {
        "alert_id": alert_id,
        "athlete": "me",
        "side": "right",
        "episode_id": "episode",
        "raised_at": "2026-08-11T18:00:00Z",
        "local_date": date(2026, 8, 11),
        "rule": "spike_and_pain",
        "severity": "warning",
        "load_level": 2,
        "pain_level": "P2",
        "order_of_events": "pain after spike",
        "is_medical": False,
        "message": "Sunday's run was 15.6 km. Your longest in the 30 days before was 12.0 km (26 Jul), so +30 %."
        " On Sunday you noted right-knee pain 3/10, still 2/10 after an hour. If pain is increasing or the knee"
        " swells, seek medical advice.",
        "action": "Consider no run above 12.0 km, shorter and more often, no downhill; stop above 2/10.",
        "evidence": json.dumps(EVIDENCE),
        "status": "open",
        "formula_version": "1",
    }
    insert(con, "alerts", **(known | values))


def insert_alerts(con: duckdb.DuckDBPyConnection) -> None:
    insert_alert(con, "load and pain")
    insert_alert(
        con,
        "swelling",
        episode_id="another episode",
        local_date=date(2026, 8, 16),
        rule="medical",
        severity="stop",
        load_level=None,
        pain_level="R",
        order_of_events=None,
        is_medical=True,
        urgency="soon",
        message="On Sunday you noted swelling of the right knee and pain 4/10, after 3/10 on Tuesday.",
        action="Seek medical advice soon. Consider no running until the knee has been looked at.",
    )
    insert_alert(con, "earlier", side=None, rule="load_spike", severity="caution", status="cleared")
    insert_alert(con, "withdrawn", status="superseded", message="This one no longer holds.")


def insert_refused(con: duckdb.DuckDBPyConnection) -> None:
    for name, outcome, reason in (
        ("2026-08-20-06-12.fit", "quarantined", "The file ends in the middle of a record; copy it again."),
        (
            "<script>alert(1)</script>.gpx",
            "partly_ingested",
            "Line 7: side is 'up', expected left, right, both.",
        ),
        ("good.fit", "ingested", None),
    ):
        insert(
            con,
            "exports",
            export_id=f"hash of {name}",
            athlete="me",
            file_name=name,
            size_bytes=1000,
            outcome=outcome,
            reason=reason,
            seen_at="2026-08-20T18:00:00Z",
            reader_version="1",
        )


def render(con: duckdb.DuckDBPyConnection, *, units: Units = KM, today: date = TODAY) -> str:
    return render_page(con, athlete="me", athlete_name="Robin", today=today, units=units, version="0.1.0")


def insert_race(con: duckdb.DuckDBPyConnection, **values: Any) -> None:
    """10 km in 50:00 within a run, a kilometre in 4:40 within another, and what they are worth."""
    for name, day, distance_m, time_s in (
        ("ten", date(2026, 8, 2), 10000.0, 3000.0),
        ("one", date(2026, 8, 20), 1000.0, 280.0),
        ("long ago", date(2026, 3, 1), 1000.0, 270.0),
        ("slow mile", date(2026, 3, 2), 1609.344, 520.0),
        ("fast mile", date(2026, 8, 19), 1609.344, 500.0),
    ):
        insert_run(con, name, day, distance_m=12000.0)
        insert(
            con,
            "best_efforts",
            activity_id=name,
            distance_m=distance_m,
            time_s=time_s,
            started_at_elapsed_s=0.0,
        )
    known = {
        "athlete": "me",
        "week_start": date(2026, 8, 17),
        "critical_speed_m_per_s": 1000 / 290,
        "d_prime_m": 120.0,
        "critical_speed_efforts": 3,
        "from_activity_id": "ten",
        "from_date": date(2026, 8, 2),
        "from_distance_m": 10000.0,
        "from_time_s": 3000.0,
        "half_riegel_s": 6619.2,
        "vdot": 40.01,
        "half_vdot_s": 6652.2,
        "goal_s": 6900.0,
    }
    insert(con, "race_equivalents", **(known | values))


def insert_form(con: duckdb.DuckDBPyConnection) -> None:
    """Contact time that rose, a balance known of two runs, and cadence of too few."""
    for measure, value, change, trend in (
        ("stance_time_ms", 251.4, (4.0, 1.5, 6.5), "higher"),
        ("stance_balance_pct", 50.9, (0.1, -0.2, 0.4), "no clear change"),
        ("cadence_spm", 171.2, (None, None, None), "too few runs"),
    ):
        insert(
            con,
            "form_trends",
            athlete="me",
            week_start=date(2026, 8, 17),
            measure=measure,
            value=value,
            runs=5,
            runs_before=6,
            **dict(zip(("change", "change_low", "change_high"), change, strict=True)),
            trend=trend,
        )
    for day, balance, drift in ((9, 50.8, 0.6), (13, 51.0, None)):
        insert_run(con, f"form {day}", date(2026, 8, day), distance_m=9000.0)
        insert(
            con,
            "run_metrics",
            activity_id=f"form {day}",
            inputs_key="test",
            stance_balance_pct=balance,
            stance_balance_drift_pct=drift,
        )


def text_of(con: duckdb.DuckDBPyConnection, *, units: Units = KM) -> str:
    return Page(render(con, units=units)).text


def test_alerts_show_both_numbers_the_dates_and_what_to_do(season: duckdb.DuckDBPyConnection) -> None:
    """An open alert carries message, action, knee, severity in words and its evidence."""
    page = Page(render(season))

    assert page.with_role("alert") == 2
    assert "15.6 km" in page.text
    assert "12.0 km (26 Jul)" in page.text
    assert "Consider no run above 12.0 km" in page.text
    assert "Right knee Tue 11 Aug" in page.text
    assert "Seek medical advice soon." in page.text
    assert "Run · longest 30 days 12.0 km" in page.text
    assert "Run · spike ratio +30.0 %" in page.text
    assert "Rate ratio 1.64" in page.text


def test_load_is_shown_with_what_it_rests_on_and_what_is_missing(season: duckdb.DuckDBPyConnection) -> None:
    """Fitness says its unit and that it warms up, a run without a heart rate is named, knee load comes with its limits."""
    insert_load(season)

    text = text_of(season)

    for words in (
        "Fitness 31 mean of 42 days, heart-rate load",
        "Form −9",
        "Distance against last week +10 % −5 % against two weeks ago",
        "7 days over 21 before 1.23 smoothed 1.05; context only",
        "Monotony last week 1.3 strain 38",
        "Knee load (KLU) 12.3 last week 12.3",
        "Steep downhill 85 m 6500 steps on each knee",
        "Load (HRSS) 127 of 1 of 2 runs",
        "Fitness and fatigue are warming up until 1 Oct",
        "1 of 2 runs of this week has a heart-rate load: heart rate was not recorded.",
        "2 runs of the last 42 days have no heart-rate load",
        "Heart rate 50 % of the time 10:00 20:00 30:00 40:00 50:00 40 % 60 %",
        "never held against pain",
    ):
        assert words in text


def test_zones_that_rest_on_an_estimate_say_so(season: duckdb.DuckDBPyConnection) -> None:
    """A maximum nobody ran to makes zones too high; a set one is not doubted."""
    insert_load(season)
    insert_values(season)

    is_set = Page(render(season)).text
    season.execute("delete from athlete_parameters where not is_estimated")
    is_estimated = Page(render(season)).text

    assert "Heart rate 50 % of the time maximum estimated" in is_estimated
    assert "An estimate is too low for who never runs hard" in is_estimated
    assert "maximum estimated" not in is_set
    assert "An estimate is too low" not in is_set


def test_without_any_load_the_page_says_how_to_get_one(con: duckdb.DuckDBPyConnection) -> None:
    """Nothing is 0 that is not known."""
    assert "No load yet" in text_of(con)
    assert "Your heart rates and threshold pace are not known." in text_of(con)


def test_the_athletes_values_are_those_of_the_day(season: duckdb.DuckDBPyConnection) -> None:
    """The one that counts today, with its day; on an earlier day the estimate, called one."""
    insert_values(season)

    today = Page(render(season)).text
    earlier = Page(render(season, today=date(2026, 7, 20))).text

    assert "Maximum heart rate 186 bpm 1 Aug 2026 set in kneewatch.toml" in today
    assert "181 bpm" not in today
    assert "Maximum heart rate 181 bpm from the beginning estimated: second highest 30 s of a year" in earlier
    assert "190 bpm" not in today + earlier


def test_alerts_come_most_severe_first_and_withdrawn_ones_not_at_all(
    season: duckdb.DuckDBPyConnection,
) -> None:
    """stop before warning; cleared below; superseded nowhere."""
    text = text_of(season)

    assert text.index("Stop Right knee") < text.index("Warning Right knee") < text.index("Earlier alerts")
    assert "Caution · Load spike · Tue 11 Aug, cleared" in text
    assert "no longer holds" not in text


def test_the_alerts_of_one_episode_are_one_card(con: duckdb.DuckDBPyConnection) -> None:
    """The most severe leads; what came before it is folded below."""
    insert_alert(con, "first", severity="caution", message="The first words.")
    insert_alert(con, "second", severity="warning", message="The second words.")

    page = Page(render(con))

    assert page.with_role("alert") == 1
    assert page.text.index("The second words.") < page.text.index("Before it in the same episode: 1")
    assert page.text.index("Before it in the same episode: 1") < page.text.index("The first words.")


def test_no_open_alert_is_no_promise(con: duckdb.DuckDBPyConnection) -> None:
    """Silence is said to be silence, on an empty database and whenever nothing is open."""
    text = text_of(con)

    assert "No open alert. That is no promise: a quiet day is never proof that all is well." in text


@pytest.mark.parametrize("fixture", ["con", "season"])
def test_page_never_calls_anything_safe(fixture: str, request: pytest.FixtureRequest) -> None:
    """The word is for nobody to use, whatever the day looks like."""
    assert not re.search(r"\bsafe", render(request.getfixturevalue(fixture)), re.IGNORECASE)


def test_week_stands_beside_the_plan(season: duckdb.DuckDBPyConnection) -> None:
    """Each day with planned and done, and the totals of the days so far."""
    text = text_of(season)

    assert "Mon 17 Aug to Sun 23 Aug" in text
    assert "Tue 18 Aug Easy 7.0 km 7.1 km 5:52 /km done" in text
    assert "Thu 20 Aug Steady 8.0 km 6.1 km 5:41 /km shorter" in text
    assert "Sun 23 Aug Long 17.6 km – to come" in text
    assert "13.2 km of 15.0 km planned so far" in text
    assert "week 12 of the plan" in text


def test_the_week_says_how_closely_the_plan_was_kept(season: duckdb.DuckDBPyConnection) -> None:
    """Sessions, distance with its band, time and intensity; nothing of it in a week that is not there."""
    assert "Sessions kept" not in Page(render(season)).text
    insert(
        season,
        "weekly_adherence",
        athlete="me",
        plan_week=12,
        week_start=date(2026, 8, 17),
        planned_distance_m=15000.0,
        distance_m=13200.0,
        distance_share=0.88,
        distance_band="as planned",
        planned_timer_s=6000.0,
        timer_s=4500.0,
        time_share=0.75,
        time_band="less",
        planned_sessions=4,
        done_sessions=3,
        sessions_share=0.75,
        unplanned_runs=0,
        known_intensities=2,
        intensities_as_planned=1,
    )

    text = Page(render(season)).text

    assert "Sessions kept 3 of 4 due in plan week 12" in text
    assert "88 % as planned, time 75 %" in text
    assert "Intensity as planned 1 of 2 runs" in text


def test_what_is_proposed_is_hinted_at_with_where_the_course_leads(season: duckdb.DuckDBPyConnection) -> None:
    """The command is named; without a proposal nothing is said of it."""
    assert "plan adjust" not in Page(render(season)).text
    change = {
        "athlete": "me",
        "week": 12,
        "local_date": date(2026, 8, 23),
        "new_session": "easy",
        "reason": "sore",
    }
    insert(season, "plan_proposal", **change)
    insert(
        season,
        "plan_outlook",
        athlete="me",
        missed_runs=1,
        race_spike_bin="moderate",
        advice="Race day will be a +31 % spike.",
    )

    text = Page(render(season)).text

    assert "1 change of these 14 days is proposed: kneewatch plan adjust" in text
    assert "Race day will be a +31 % spike." in text


def test_the_steepest_week_ahead_is_told_with_both_parts(season: duckdb.DuckDBPyConnection) -> None:
    """What was run and what is planned stand apart; a rise over nothing is not told."""
    assert "seven days end" not in Page(render(season)).text
    season.execute(
        "update upcoming_spikes set week_done_m = 13200, week_planned_m = 23100, week_before_m = 24000, "
        "week_ramp_ratio = 0.5125, week_is_ramp = true where local_date = date '2026-08-23'"
    )

    text = Page(render(season)).text

    assert (
        "The steepest seven days end on Sun 23 Aug: 13.2 km run and 23.1 km planned, "
        "after 24.0 km in the seven days before, +51 %: a steep rise."
    ) in text


@pytest.mark.parametrize(
    ("ratio", "is_ramp", "verdict"),
    [(0.2, False, "no steep rise"), (2.8, False, "to count as a steep rise"), (0.4, True, ": a steep rise")],
)
def test_a_rise_over_next_to_nothing_is_not_called_none(ratio: float, is_ramp: bool, verdict: str) -> None:
    """280 % over a week of 3 km is much, and still no steep rise by the rules."""
    run = {"week_ramp_ratio": ratio, "week_is_ramp": is_ramp, "local_date": TODAY}
    metres = {"week_done_m": 0.0, "week_planned_m": 12_000.0, "week_before_m": 3_000.0}

    assert week_ahead_sentence([run | metres], KM).endswith(f"{verdict}.")
    assert week_ahead_sentence([run | metres | {"week_ramp_ratio": None}], KM) == ""


def test_moved_and_unplanned_runs_say_so(season: duckdb.DuckDBPyConnection) -> None:
    """A moved run names its day; a run that was not planned shows its title, escaped."""
    season.execute("update plan_vs_actual set status = 'moved' where activity_id = 'run 3'")
    season.execute("update activities set local_date = '2026-08-21' where activity_id = 'run 3'")
    insert_run(season, "extra", TODAY, distance_m=3000.0, title="<script>alert('x')</script>")
    insert(
        season,
        "plan_vs_actual",
        athlete="me",
        local_date=TODAY,
        activity_id="extra",
        distance_m=3000.0,
        status="unplanned",
    )

    page = render(season)

    assert "moved to Fri 21 Aug" in Page(page).text
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in page
    assert "3.0 km not planned" in Page(page).text


def test_what_is_coming_names_the_limit_and_the_spike(season: duckdb.DuckDBPyConnection) -> None:
    """Planned, longest of 30 days, the distance that is no spike, and the excess in percent and words."""
    text = text_of(season)

    assert "Sun 23 Aug Long 17.6 15.6 17.1 +12.8 % small spike" in text
    assert "17.6 km is more than 10 % over 15.6 km (9 Aug)." in text
    assert "Sun 30 Aug Long 18.6 17.6 19.3 +6 % no spike" in text
    assert WARM_UP in text


def test_weeks_table_covers_the_whole_plan(season: duckdb.DuckDBPyConnection) -> None:
    """Sixteen weeks from the first of the plan, those to come with nothing but their plan."""
    rows = season.execute(read_query("weeks"), {"athlete": "me", "today": TODAY}).fetchall()

    assert [rows[0][0], rows[-1][0]] == [date(2026, 6, 1), date(2026, 9, 14)]
    assert len(rows) == 16
    assert "3 Aug 34.2 33.7 14.4 3:18:22 5:48 328 +30 % 3 1" in text_of(season)
    assert "14 Sep – 36.6 – – – –" in text_of(season)


def test_weeks_without_a_plan_are_the_last_sixteen(con: duckdb.DuckDBPyConnection) -> None:
    """No plan, or one that is over: sixteen weeks that end with this one."""
    rows = con.execute(read_query("weeks"), {"athlete": "me", "today": TODAY}).fetchall()

    assert [rows[0][0], rows[-1][0], len(rows)] == [date(2026, 5, 4), date(2026, 8, 17), 16]


def test_knee_reports_leave_the_note_at_home(season: duckdb.DuckDBPyConnection) -> None:
    """Scores, side, site and flags are shown; the free text never leaves the database."""
    page = render(season)
    text = Page(page).text

    assert "Sun 16 Aug right, below kneecap 1 4 2 2 swelling, night or rest pain" in text
    assert "Thu 20 Aug both, below kneecap – 3 – –" in text
    assert "private" not in page


def test_refused_files_are_named_with_their_reason(season: duckdb.DuckDBPyConnection) -> None:
    """What was refused or taken in partly, and only that."""
    text = text_of(season)

    assert "2026-08-20-06-12.fit The file ends in the middle of a record; copy it again." in text
    assert "Partly taken in on Thu 20 Aug." in text
    assert "good.fit" not in text


def test_hostile_file_name_stays_text(season: duckdb.DuckDBPyConnection) -> None:
    """Nothing that came from a file becomes markup, and there is no script at all."""
    page = render(season)

    assert "<script" not in page.lower()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;.gpx" in page


@pytest.mark.parametrize("fixture", ["con", "season"])
def test_page_fetches_nothing(fixture: str, request: pytest.FixtureRequest) -> None:
    """No address anywhere but in names of XML dialects: the page works, and tells nobody, offline."""
    page = render(request.getfixturevalue(fixture))

    without_dialects = re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)
    assert not re.search(r"https?://|@import|url\((?!#)", without_dialects)
    fetched = [attrs.get(name) for _, attrs in Page(page).tags for name in ("src", "href") if name in attrs]
    assert fetched == ["data:,"]


def test_charts_are_inline_and_described(season: duckdb.DuckDBPyConnection) -> None:
    """Two charts, each for phone and desk, that scale and say in words what they show."""
    page = render(season)

    drawings = [attrs for tag, attrs in Page(page).tags if tag == "svg"]
    assert len(drawings) == 4
    assert all(drawing["role"] == "img" and drawing["width"] == "100%" for drawing in drawings)
    assert all("viewbox" in drawing and "height" not in drawing for drawing in drawings)
    assert "Week of Mon 10 Aug: 30.8 km of 35.0 km planned, knee pain 4/10." in page
    assert "Week of Mon 1 Jun: 20.4 km of 22.0 km planned, knee pain not reported." in page


def test_pain_that_was_not_reported_is_not_drawn() -> None:
    """Only weeks with a report get a point, 0 included."""
    weeks = pl.DataFrame(
        [
            {"week_start": PLAN_START + timedelta(weeks=index), "distance_m": 20000.0, "worst_pain": pain}
            for index, pain in enumerate((None, 0.0, 3.0, None))
        ],
        schema={name: WEEK_SCHEMA[name] for name in ("week_start", "distance_m", "worst_pain")},
    )
    missing = [
        pl.lit(None, kind).alias(name) for name, kind in WEEK_SCHEMA.items() if name not in weeks.columns
    ]

    drawing = weeks_chart(weeks.with_columns(missing), KM)

    symbols = re.search(r'<g class="mark-symbol role-mark layer_1_layer_0_marks"[^>]*>(.*?)</g>', drawing)
    assert symbols is not None
    assert symbols.group(1).count("<path") == 2


def test_pace_chart_is_drawn_from_a_single_week() -> None:
    """One known week makes a chart without a line, and no error."""
    paces = pl.DataFrame([{"week_start": PLAN_START, "easy_pace_s_per_km": 360.0}], schema=PACE_SCHEMA)

    drawing = pace_chart(paces, KM, slope=None)

    assert "6:00" in drawing
    assert "mark-line" not in drawing


@pytest.mark.parametrize(
    ("locale", "height", "distance"),
    [
        ("en", "1200", "0.5 km"),
        ("de", "1.200", "0,5 km"),
        ("en-US", "1,200", "0.5 km"),
        ("es", "1200", "0,5 km"),
    ],
)
def test_axes_count_as_the_locale_does(locale: str, height: str, distance: str) -> None:
    """Decimal sign and thousands, as Vega draws them from the specification."""
    with written_as_in(locale):
        drawing = vl_convert.vegalite_to_svg(
            curve_chart([(0.0, 1000.0), (1000.0, 1200.0), (2500.0, 1400.0)], "altitude", KM)
        )

    assert f">{height}</text>" in drawing
    assert f">{distance}</text>" in drawing


def test_empty_database_renders(con: duckdb.DuckDBPyConnection) -> None:
    """Every section says what is missing and what would fill it."""
    text = text_of(con)

    assert "No plan is chosen." in text
    assert "Worst knee pain not reported" in text
    assert "No run yet." in text
    assert "Too few weeks." in text
    assert "Knee pain was not reported in the last sixteen weeks. That does not mean there was none" in text
    assert "No run has 400 m without a pause yet." in text
    assert "Nothing was refused." in text
    assert "0 pain" not in text


def without(con: duckdb.DuckDBPyConnection, **nothing: str | None) -> None:
    """Twelve weeks of runs in which some columns are not known, and no plan."""
    insert_weeks(con, **({"planned_distance_m": None, "plan_week": None} | nothing))


def planned(con: duckdb.DuckDBPyConnection) -> None:
    insert_plan_ahead(con)


def planned_and_run(con: duckdb.DuckDBPyConnection) -> None:
    insert_weeks(con)
    insert_this_week(con)
    insert_plan_ahead(con)


@pytest.mark.parametrize(
    ("build", "today", "sentences"),
    [
        pytest.param(
            lambda con: None,
            TODAY,
            (
                "No run yet.",
                "No plan is chosen.",
                "No load yet",
                "Knee pain was not reported in the last sixteen weeks.",
            ),
            id="no data",
        ),
        pytest.param(
            without,
            TODAY,
            ("no plan this week", "No plan is chosen.", "Without a plan there is nothing to look ahead at."),
            id="no plan",
        ),
        pytest.param(
            lambda con: without(con, load_hrss=None, easy_pace_s_per_km=None, pace_trend="too few weeks"),
            TODAY,
            ("Load (HRSS) no heart rate", "of the last sixteen, none has that"),
            id="no heart rate",
        ),
        pytest.param(
            lambda con: without(con, worst_pain=None),
            TODAY,
            (
                "Worst knee pain not reported",
                "Knee pain was not reported in these weeks.",
                "That does not mean there was none",
            ),
            id="no pain reports",
        ),
        pytest.param(
            planned_and_run,
            TODAY + timedelta(days=9),
            (
                "Nothing was taken in since Thu 20 Aug, 10 days ago. What was done since then is not in this report.",
            ),
            id="stale",
        ),
        pytest.param(
            insert_refused,
            TODAY,
            (
                "The file ends in the middle of a record; copy it again. Refused on Thu 20 Aug.",
                "Partly taken in on",
            ),
            id="quarantined files",
        ),
        pytest.param(
            planned,
            PLAN_START - timedelta(days=40),
            ("The plan has nothing in this week.", "The plan has no run in the next 14 days."),
            id="race far ahead",
        ),
        pytest.param(
            planned_and_run,
            PLAN_START + timedelta(weeks=18),
            ("The plan has nothing in this week: it ended on Sun 20 Sep", "The last sixteen weeks"),
            id="after the race",
        ),
    ],
)
def test_every_state_says_what_is_missing_and_promises_nothing(
    build: Callable[[duckdb.DuckDBPyConnection], None],
    today: date,
    sentences: tuple[str, ...],
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Empty, partial and late: never a zero for what is not known, never a quiet day that means well."""
    build(con)
    page = Page(render(con, today=today))

    for sentence in sentences:
        assert sentence in page.text
    assert "That is no promise" in page.text
    assert "safe" not in page.text.lower()
    assert "nan" not in page.text.lower().split()
    assert "None" not in page.text.replace("None of", "")


def test_a_page_says_of_yesterday_that_it_is_up_to_date_by_silence(season: duckdb.DuckDBPyConnection) -> None:
    """Only what lies more than a week back is called old."""
    assert "Nothing was taken in since" not in text_of(season)


def test_a_page_is_made_for_paper_as_well(season: duckdb.DuckDBPyConnection) -> None:
    """Light, numbered, and what must not be cut is not."""
    html = render(season)
    rules = html[html.index("@page") : html.index("</style>")]

    assert "counter(page)" in rules
    assert re.search(r"--card: #ffffff;.*--stop-back: #ffffff", rules, re.DOTALL)
    assert re.search(r"\.chart, svg, tr.*break-inside: avoid", rules)
    assert "details:not([open]) { display: none; }" in rules


def test_runs_without_heart_rate_plan_or_pain_render(con: duckdb.DuckDBPyConnection) -> None:
    """Runs alone make a page; what nobody measured is named, not set to 0."""
    nothing = dict.fromkeys(
        ("load_hrss", "easy_pace_s_per_km", "planned_distance_m", "worst_pain", "plan_week")
    )
    insert_weeks(con, **nothing, pace_trend="too few weeks", pain_reports=0)

    text = text_of(con)

    assert "Load (HRSS) no heart rate" in text
    assert "Worst knee pain not reported" in text
    assert "of the last sixteen, none has that" in text
    assert "The last sixteen weeks" in text


def test_another_athlete_stays_out(con: duckdb.DuckDBPyConnection) -> None:
    """A page is about one person."""
    insert_weeks(con, athlete="someone else")

    assert "No run yet." in text_of(con)


def test_what_lies_after_today_stays_out(season: duckdb.DuckDBPyConnection) -> None:
    """A past day can be replayed: later alerts and reports are not yet there."""
    text = Page(render(season, today=date(2026, 8, 12))).text

    assert "Warning Right knee" in text
    assert "swelling of the right knee" not in text
    assert "You noted swelling" not in text
    assert "Sun 16 Aug right" not in text


def test_miles_turn_every_number_of_the_page(season: duckdb.DuckDBPyConnection) -> None:
    """Distances, paces and the trend are in miles; only the alert's own stored sentence keeps its words."""
    text = text_of(season, units=Units("miles"))

    assert "8.2 mi of 9.3 mi planned so far" in text
    assert "Tue 18 Aug Easy 4.3 mi 4.4 mi 9:26 /mi done" in text
    assert "Sun 23 Aug Long 10.9 9.7 10.6 +12.8 %" in text
    assert "Faster by 3.9 s/mi per week (95 % interval 2.6 to 5.0)." in text
    assert " /km" not in text


def test_best_efforts_stand_beside_the_goal(season: duckdb.DuckDBPyConnection) -> None:
    """The best ever and of twelve weeks, what they are worth by two models, and the speed with its label."""
    insert_race(season)

    text = text_of(season)

    assert "1 km 4:40 4:30 4:30 1 Mar 2026" in text
    assert "1 mile 8:20 8:20 new, 8:40 before 5:11 19 Aug 2026" in text
    assert "10 km 50:00 50:00 5:00 2 Aug 2026" in text
    assert "Half marathon, Riegel 1:50:19 Half marathon, VDOT 1:50:52 VDOT 40.0" in text
    assert "Critical speed 4:50 /km lower bound; D′ 120 m" in text
    assert "Goal 1:55:00 5:27 /km" in text
    assert "Worked out from 10 km in 50:00 (Sun 2 Aug): what that effort is worth, not a promise." in text
    assert "4:40 4:30 7:15 1 Mar" in text_of(season, units=Units("miles"))


@pytest.mark.parametrize(
    ("goal_s", "own_s", "said"),
    [
        (6900.0, None, "The goal is 4:08 slower: this effort bears it out."),
        (6500.0, None, "The goal is 1:59 faster: no effort so far bears it out."),
        (6630.0, None, "The goal lies among these times."),
        (6900.0, 7000.0, "The goal lies among these times."),
        (None, None, "not a promise."),
    ],
)
def test_a_goal_is_held_against_every_model(goal_s: float | None, own_s: float | None, said: str) -> None:
    """Nothing is borne out that one of the models denies."""
    race = {
        "from_distance_m": 10000.0,
        "from_time_s": 3000.0,
        "from_date": date(2026, 8, 2),
        "half_riegel_s": 6619.2,
        "half_own_s": own_s,
        "half_vdot_s": 6652.2,
        "goal_s": goal_s,
    }

    assert race_sentence(race).endswith(said)


def test_without_five_kilometres_no_half_marathon_is_worked_out(con: duckdb.DuckDBPyConnection) -> None:
    """What is missing is named, and how a goal is set."""
    nothing = dict.fromkeys(("half_riegel_s", "half_vdot_s", "critical_speed_m_per_s", "goal_s"))
    insert_race(con, **nothing)

    text = text_of(con)

    assert "no 5 km yet" in text
    assert "needs 5 km or more without a pause in the last twelve weeks" in text
    assert "Critical speed not known needs efforts of 2 to 20 min that differ" in text
    assert "Goal not set goal_time in kneewatch.toml" in text


def test_form_is_shown_with_what_it_does_not_show(season: duckdb.DuckDBPyConnection) -> None:
    """Value, change with its interval, change within a run; left and right beside the knee as no more than that."""
    insert_form(season)

    text = text_of(season)

    assert "Ground contact time 251 ms +4.0 higher +1.5 to +6.5 –" in text
    assert "Left foot's share of it 50.9 % +0.10 no clear change −0.20 to +0.40 +0.60" in text
    assert "Cadence 171 steps/min – too few runs –" in text
    assert "Sun 9 Aug 9.0 km 50.8 % +0.6 – 3" in text
    assert "Thu 13 Aug 9.0 km 51.0 % – – –" in text
    assert "A watch does not see the pelvis" in text
    assert "it does not show that one brings about the other" in text


def test_without_form_the_page_says_where_it_would_come_from(con: duckdb.DuckDBPyConnection) -> None:
    """No empty table, and no word on left and right."""
    text = text_of(con)

    assert "No cadence or running dynamics in the last four weeks." in text
    assert "Left and right beside the knee" not in text


def test_asymmetry_counts_the_sides_and_claims_nothing() -> None:
    """Pain below 1 and pain that was not reported do not count; no run, no sentence."""
    runs = [
        {"stance_balance_pct": 51.0, "left_pain": 0.0, "right_pain": 3.0},
        {"stance_balance_pct": 50.0, "left_pain": None, "right_pain": 1.0},
        {"stance_balance_pct": 50.5, "left_pain": None, "right_pain": None},
    ]

    said = asymmetry_sentence(runs)

    assert "Over these 3 runs the left foot had 50.5 % of the ground contact." in said
    assert "for none of them on the left and for 2 on the right" in said
    assert not re.search("cause|because|due to", said)
    assert asymmetry_sentence([]) == ""


@pytest.mark.parametrize(
    ("confounders", "said"),
    [
        (["heat"], "Your warmer weeks were slower (8 to 21 °C at the watch): part of the trend may be heat."),
        (
            ["heat", "hills"],
            "Your hillier weeks were slower (4 to 19 m of climb per km): part of the trend may be hills.",
        ),
        (
            [],
            "No sign of heat in it (8 to 21 °C at the watch). No sign of hills in it (4 to 19 m of climb per km).",
        ),
    ],
)
def test_heat_and_hills_are_named_where_they_show(confounders: list[str], said: str) -> None:
    """With their span, and as a possibility."""
    context = {
        "trend_p": 0.0635,
        "confounders": confounders,
        "coolest_c": 8.2,
        "warmest_c": 21.4,
        "flattest_m_per_km": 4.0,
        "hilliest_m_per_km": 19.0,
    }

    sentence = confounder_sentence(context)

    assert sentence.startswith("Mann–Kendall test of the same weeks: p = 0.064.")
    assert said in sentence
    nothing_known = context | {"coolest_c": None, "warmest_c": None, "confounders": []}
    assert "Whether heat had a part is unknown." in confounder_sentence(nothing_known)
    assert "p < 0.001." in confounder_sentence(context | {"trend_p": 0.0004})
    assert confounder_sentence(context | {"trend_p": None}) == ""


def test_the_weeks_pace_stands_beside_the_plans(season: duckdb.DuckDBPyConnection) -> None:
    """By zone, and how sure the trend is below its sentence."""
    for week, zone, gap_s_per_km, pace in (
        (date(2026, 8, 17), "Z2", 390.0, "faster than planned"),
        (date(2026, 8, 10), "Z4", 300.0, "as planned"),
    ):
        insert(
            season,
            "zone_pace",
            athlete="me",
            week_start=week,
            zone=zone,
            runs=2,
            distance_m=13200.0,
            planned_pace_s_per_km=420.0,
            gap_s_per_km=gap_s_per_km,
            pace=pace,
        )
    insert(
        season,
        "weekly_pace",
        athlete="me",
        week_start=date(2026, 8, 17),
        trend_tau=-0.9,
        trend_p=0.001,
        confounders=["hills"],
        climb_m_per_km=12.0,
    )

    text = text_of(season)

    assert "Z2 13.2 km 7:00 /km 6:30 /km faster than planned" in text
    assert "Z4" not in text
    assert (
        "p = 0.001. Whether heat had a part is unknown. Your hillier weeks were slower (12 to 12 m of climb per km)"
        in text
    )


@pytest.mark.parametrize(
    ("trend", "slope", "sentence"),
    [
        ("faster", (-2.4, -3.1, -1.6), "Faster by 2.4 s/km per week (95 % interval 1.6 to 3.1)."),
        ("slower", (1.2, 0.3, 2.0), "Slower by 1.2 s/km per week (95 % interval 0.3 to 2.0)."),
        (
            "no clear trend",
            (-0.8, -2.6, 1.0),
            "No clear trend: −0.8 s/km per week, and the 95 % interval (−2.6 to +1.0) includes no change.",
        ),
        ("too few weeks", (None, None, None), "Too few weeks."),
        (None, (None, None, None), "Too few weeks."),
    ],
)
def test_trend_is_said_with_its_interval(
    trend: str | None, slope: tuple[float | None, ...], sentence: str
) -> None:
    """The sentence claims no more than the interval shows."""
    names = ("pace_trend_s_per_km_per_week", "pace_trend_low", "pace_trend_high")
    week = {"pace_trend": trend} | dict(zip(names, slope, strict=True))

    assert trend_sentence(week, weeks_known=3, units=KM).startswith(sentence)


def test_evidence_of_any_shape_becomes_a_table() -> None:
    """Nested, listed, unknown and plain values all find words."""
    evidence = {
        "runs": [{"distance_m": 5000}, {"pace_s_per_km": 330.0}],
        "flags": [],
        "on": True,
        "why": None,
    }

    assert evidence_rows(evidence, KM) == [
        ("Runs · 1 · distance", "5.0 km"),
        ("Runs · 2 · pace", "5:30 /km"),
        ("Flags", "–"),
        ("On", "yes"),
        ("Why", "not known"),
    ]


@pytest.mark.parametrize("name", query_names())
def test_every_question_says_what_it_answers(name: str, season: duckdb.DuckDBPyConnection) -> None:
    """A comment on top, and no parameter but the athlete and the day, for those who ask it by hand."""
    sql = read_query(name)

    assert sql.startswith("-- ")
    assert set(re.findall(r"\$(\w+)", sql)) <= {"athlete", "today"}
