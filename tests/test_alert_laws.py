"""Alerts held to laws, and to a second reading of the rules, over random histories."""

import json
import random
from collections import Counter
from dataclasses import asdict, replace
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.alerts import RULES, SEVERITIES, find_alerts
from flows.alerting import raise_for_athlete
from store import home as homes
from store.database import insert_rows, opened_store
from store.settings import read_settings
from tests import naive_alerts as naive
from tests.naive_alerts import RED, History, alerts_of, as_row, days_of

AT_ONCE = 100
BY_DEFAULT = 2_000
ALL = 100_000
A_TEST = 500

histories = st.integers(0, 2**32 - 1).map(naive.random_history)


def law(examples=40):
    return settings(deadline=None, max_examples=examples)


def said(alert, *, days=0):
    """What an alert says without its ids, as if `days` earlier."""
    cleared = alert.cleared_on and alert.cleared_on - timedelta(days=days)
    return (days_of(alert) - days, *as_row(alert)[1:], alert.rule, alert.order_of_events, cleared)


def worst(alerts):
    return max((SEVERITIES.index(alert.severity) for alert in alerts), default=-1)


# Against a second reading of the rules ---------------------------------------------------------------------


def differing(seeds):
    """The seeds of the histories in which the two readings find different alerts."""
    told = [naive.random_history(seed) for seed in seeds]
    found = rows_of_engine(told)
    return [
        seed
        for seed, history, rows in zip(seeds, told, found, strict=True)
        if rows != naive.find_naively(history)
    ]


def rows_of_engine(told):
    """Yield the rows of each history, one moved behind the other and its days counted from its own first."""
    for place, (history, runs, daily) in enumerate(naive.one_after_another(told)):
        today = naive.date_of(history.today)
        alerts = find_alerts(runs, daily, naive.reports_of(history.notes), athlete="me", today=today)
        rows = [(day - place * naive.APART_DAYS, *rest) for day, *rest in map(as_row, alerts)]
        yield sorted(rows, key=str)


@pytest.mark.parametrize("first", range(0, BY_DEFAULT, AT_ONCE))
def test_two_readings_of_the_rules_agree(first):
    """The engine and the day-by-day reading of the text find the same alerts in random histories."""
    assert differing(range(first, first + AT_ONCE)) == []


@pytest.mark.histories
@pytest.mark.parametrize("first", range(BY_DEFAULT, ALL, A_TEST))
def test_two_readings_of_the_rules_agree_in_a_hundred_thousand_histories(first):
    """With those above; `make test-alerts`."""
    for part in range(first, min(first + A_TEST, ALL), AT_ONCE):
        assert differing(range(part, part + AT_ONCE)) == []


def test_histories_taken_apart_again_have_the_alerts_that_each_has_alone():
    """Computing the frames of many at once does not let one runner's weeks into another's."""
    told = [naive.random_history(seed) for seed in range(40)]

    assert list(rows_of_engine(told)) == [sorted(map(as_row, alerts_of(one)), key=str) for one in told]


def test_the_random_histories_reach_every_cell_of_the_table():
    """Else agreeing would mean little."""
    cells = Counter()
    for seed in range(150):
        for _, side, _, load_level, pain_level, is_medical, _ in naive.find_naively(
            naive.random_history(seed)
        ):
            cells[side is None, load_level, pain_level] += 1
            cells["medical"] += is_medical

    assert {(True, 1, None), (True, 2, None), (True, 3, None)} <= set(cells)
    assert {(False, load, pain) for load in (None, 0, 1, 2) for pain in ("P2", "P3", "R")} <= set(cells)
    assert {(False, 1, "P1"), (False, 2, "P1"), (False, 3, "P1")} <= set(cells)
    assert cells["medical"] > 100


# Laws ------------------------------------------------------------------------------------------------------


def worse(note, what, chance):
    """More of one thing that a note says; `before` is not among them, for a higher one settles what comes after."""
    if what == "gait":
        return True
    if what == "flags":
        return (*note.flags, chance.choice(RED))
    return max(getattr(note, what) or 0, chance.randint(0, 10))


@law()
@given(
    histories,
    st.randoms(use_true_random=False),
    st.sampled_from(("during", "after", "morning", "gait", "flags")),
)
def test_more_pain_never_lowers_the_alert_of_the_day(history, chance, what):
    """The only report of a knee's day, with a score raised, a red flag more, or a changed gait."""
    if not history.notes:
        return
    one = chance.choice(history.notes)
    others = tuple(other for other in history.notes if other.day != one.day)
    more = replace(one, **{what: worse(one, what, chance)})

    before, after = (
        [a for a in alerts_of(replace(history, notes=(*others, n))) if days_of(a) == one.day]
        for n in (one, more)
    )

    assert worst(after) >= worst(before)
    for side in ("left", "right"):
        assert worst([a for a in after if a.side == side]) >= worst([a for a in before if a.side == side])


@law()
@given(histories, st.floats(1, 3))
def test_a_longer_last_run_never_lowers_the_severity_from_its_day_on(history, factor):
    """The longest spike, the loudest alert; for both knees together and for each."""
    if not history.runs:
        return
    last = max(history.runs, key=lambda run: run.at)
    longer = replace(last, metres=None if last.metres is None else last.metres * factor)
    runs = tuple(longer if run is last else run for run in history.runs)

    before, after = (
        [a for a in alerts_of(replace(history, runs=r)) if days_of(a) >= last.day]
        for r in (history.runs, runs)
    )

    assert worst(after) >= worst(before)
    for side in ("left", "right"):
        assert worst([a for a in after if a.side == side]) >= worst([a for a in before if a.side == side])


@law()
@given(histories, st.integers(-3000, 3000))
def test_the_same_history_at_another_time_has_the_same_alerts(history, days):
    """Shifted by n days, nothing else differs."""
    shifted = alerts_of(naive.shifted(history, days))

    assert Counter(said(alert, days=days) for alert in shifted) == Counter(map(said, alerts_of(history)))


@law()
@given(histories)
def test_the_knees_are_alike(history):
    """Left told as right gives right for left."""
    other = {"left": "right", "right": "left", "both": "both", None: None}
    swapped = replace(history, notes=tuple(replace(n, side=other[n.side]) for n in history.notes))

    expected = Counter((other[s[1]], *s[:1], *s[2:]) for s in map(said, alerts_of(history)))

    assert Counter((s[1], *s[:1], *s[2:]) for s in map(said, alerts_of(swapped))) == expected


@law(20)
@given(histories, histories)
def test_athletes_do_not_know_of_one_another(history, other):
    """Asked again, with somebody else in between, the same comes out; somebody else has other ids."""
    first = alerts_of(history)
    of_other = alerts_of(other, athlete="somebody else")

    assert alerts_of(history) == first
    assert not {alert.alert_id for alert in first} & {alert.alert_id for alert in of_other}


@law(20)
@given(histories, st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter(history, seed):
    """Runs, days and reports come out of a database in any order."""
    runs, daily = naive.frames_of(history.runs, history.today)
    reports = naive.reports_of(history.notes)
    today = naive.date_of(history.today)
    expected = find_alerts(runs, daily, reports, athlete="me", today=today)

    random.Random(seed).shuffle(reports)
    mixed = (frame.sample(fraction=1, shuffle=True, seed=seed) for frame in (runs, daily))

    assert find_alerts(*mixed, reports, athlete="me", today=today) == expected


@law()
@given(histories, st.floats(0, 1))
def test_the_past_does_not_depend_on_the_future(history, share):
    """What is found on a day is what was known then, and later days take nothing of it back."""
    day = round(history.today * share)
    then = History(
        tuple(run for run in history.runs if run.day <= day),
        tuple(told for told in history.notes if told.day <= day),
        day,
    )

    on_the_day = alerts_of(history, today=day)

    assert on_the_day == alerts_of(then)
    assert [replace(a, cleared_on=None) for a in alerts_of(history) if days_of(a) <= day] == [
        replace(a, cleared_on=None) for a in on_the_day
    ]


@law(30)
@given(histories)
def test_every_alert_keeps_to_its_columns(history):
    """Ids are unique, evidence is JSON, load alone never says more than caution, and urgency goes with medical."""
    alerts = alerts_of(history)

    assert len({alert.alert_id for alert in alerts}) == len(alerts)
    assert [alert.local_date for alert in alerts] == sorted(alert.local_date for alert in alerts)
    for alert in alerts:
        json.dumps(alert.evidence, allow_nan=False)
        assert alert.rule in RULES
        assert (alert.rule == "load_spike") == (alert.side is None) == (alert.pain_level is None)
        assert alert.side or alert.severity in ("info", "caution")
        assert (alert.urgency is not None) == alert.is_medical
        assert (alert.order_of_events is not None) == (
            alert.side is not None and bool(alert.evidence["spikes"])
        )
        assert alert.cleared_on is None or alert.local_date < alert.cleared_on <= naive.date_of(history.today)


# In a store ------------------------------------------------------------------------------------------------


def write(con, athlete, history):
    """Write what the alerts of one athlete rest on."""
    runs, daily = naive.frames_of(history.runs, history.today)
    names = {name: f"{athlete}: {name}" for name in runs["activity_id"]}
    known = {"athlete": athlete, "sport": "running", "is_run": True, "is_indoor": False, "utc_offset_s": 0}
    known |= {"elapsed_s": 1800, "timer_s": 1800}
    activities, metrics = [], []
    for run in runs.iter_rows(named=True):
        ids = {"activity_id": names[run["activity_id"]]}
        told = {key: run[key] for key in ("started_at", "local_date", "distance_m")}
        activities.append(known | ids | told | {"export_id": ids["activity_id"]})
        ids["longest_30d_activity_id"] = names.get(run["longest_30d_activity_id"])
        metrics.append(ids | {key: run[key] for key in ("spike_ratio", "spike_bin", "longest_30d_m")})
    insert_rows(con, "activities", activities)
    insert_rows(con, "run_metrics", [row | {"inputs_key": ""} for row in metrics])
    insert_rows(con, "daily_load", list(daily.with_columns(athlete=pl.lit(athlete)).iter_rows(named=True)))
    for number, report in enumerate(naive.reports_of(history.notes)):
        row = asdict(report) | {"report_id": f"{athlete} {number}", "athlete": athlete, "source": "test"}
        insert_rows(con, "pain_reports", [row | {"flags": list(report.flags)}])


def stored(con, home, history, athletes):
    """The alerts and letters of `me` once those of all athletes were raised."""
    now = naive.MIDNIGHT + timedelta(days=history.today, hours=22)
    (home.root / "kneewatch.toml").write_text('[channels.phone]\nurl = "json://localhost"\n')
    for athlete in athletes:
        raise_for_athlete(con, read_settings(home), athlete, today=naive.date_of(history.today), now=now)
    return [
        con.execute(f"select * from alerts {joined} where athlete = 'me' order by alert_id").fetchall()
        for joined in ("", "join deliveries using (alert_id)")
    ]


@pytest.mark.parametrize("seed", range(3))
def test_an_unrelated_athlete_in_the_store_changes_nothing(tmp_path, seed):
    """With the same days, runs and sore knees, raised before, after and again."""
    mine, other = naive.random_history(seed), naive.random_history(seed + 100)
    shared = tuple({run.at: run for run in (*other.runs, *mine.runs)}.values())
    alone, among = (homes.at(tmp_path / name).prepare() for name in ("alone", "among"))

    with opened_store(alone) as con:
        write(con, "me", mine)
        expected = stored(con, alone, mine, ["me"])
    with opened_store(among) as con:
        write(con, "somebody else", replace(other, runs=shared, notes=(*other.notes, *mine.notes)))
        write(con, "me", mine)
        found = stored(con, among, mine, ["somebody else", "me", "somebody else"])
        of_other = con.execute("select count(*) from alerts where athlete <> 'me'").fetchone()

    assert expected[0]
    assert of_other > (0,)
    assert found == expected
