"""The database: its tables and what they mean, one writer at a time, and a read copy that anybody may open."""

# With DuckDB's types held by evaluated annotations, Python ends in a page of "nanobind: leaked" on stderr.
from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from store import home as homes
from store.database import (
    StoreError,
    frame,
    insert,
    insert_rows,
    migrate,
    migrations,
    opened_copy,
    opened_published,
    opened_store,
    replace,
    scalar,
    transaction,
)
from store.home import Home
from store.lock import holder, writing
from store.publish import publish_copy
from store.samples import SAMPLES_SCHEMA, encode_samples, read_samples, samples_file, write_samples

# What the public contract promises (design, 2.2); it may grow.
CONTRACT = {
    "exports": "export_id parent_id athlete file_name format size_bytes outcome reason activities seen_at reader_version",
    "activities": "activity_id athlete export_id sport sub_sport is_run is_indoor started_at local_date utc_offset_s "
    "elapsed_s timer_s moving_s distance_m ascent_m descent_m avg_hr_bpm max_hr_bpm avg_cadence_spm pace_s_per_km "
    "gap_s_per_km steps rpe feel title device duplicate_of quality repaired_share",
    "runs": "activity_id athlete export_id sport sub_sport is_run is_indoor started_at local_date utc_offset_s "
    "elapsed_s timer_s moving_s distance_m ascent_m descent_m avg_hr_bpm max_hr_bpm avg_cadence_spm pace_s_per_km "
    "gap_s_per_km steps rpe feel title device duplicate_of quality repaired_share",
    "laps": "activity_id lap_index started_at timer_s distance_m avg_hr_bpm",
    "samples": "activity_id athlete at elapsed_s lat_deg lon_deg distance_m speed_m_per_s altitude_m hr_bpm cadence_spm "
    "power_w temperature_c stance_time_ms stance_balance_pct vertical_oscillation_mm step_length_mm",
    "run_metrics": "activity_id trimp_banister trimp_edwards hrss rtss srpe ngp_m_per_s efficiency_m_per_min_per_bpm "
    "decoupling_pct knee_load_klu easy_pace_s_per_km stance_time_ms stance_balance_pct vertical_oscillation_mm "
    "cadence_spm spike_ratio spike_bin longest_30d_m",
    "best_efforts": "activity_id distance_m time_s started_at_elapsed_s",
    "athlete_parameters": "athlete parameter valid_from value is_estimated evidence",
    "activity_marks": "activity_id peak_hr_bpm lowest_hr_bpm hour_hr_bpm hour_pace_s_per_km",
    "zone_times": "activity_id kind zone time_s",
    "weekly_zones": "athlete week_start kind zone_0_s zone_1_s zone_2_s zone_3_s zone_4_s zone_5_s easy_share hard_share "
    "known_share",
    "personal_bests": "athlete distance_m local_date activity_id time_s previous_s",
    "race_equivalents": "athlete week_start critical_speed_m_per_s d_prime_m critical_speed_r2 critical_speed_efforts "
    "from_activity_id from_date from_distance_m from_time_s half_riegel_s own_exponent half_own_s vdot half_vdot_s goal_s",
    "run_form": "activity_id measure speed_from_m_per_s value seconds",
    "form_trends": "athlete week_start measure value runs runs_before change change_low change_high trend",
    "weekly_pace": "athlete week_start line_pace_s_per_km temperature_c climb_m_per_km trend_tau trend_p confounders",
    "zone_pace": "athlete week_start zone runs distance_m planned_pace_s_per_km gap_s_per_km pace",
    "daily_load": "athlete local_date distance_m timer_s srpe hrss rtss knee_load_klu descent_m ctl atl tsb "
    "acwr_uncoupled acwr_ewma is_warming_up load_unit",
    "weekly_trends": "athlete week_start plan_week runs distance_m timer_s longest_run_m planned_distance_m planned_runs "
    "planned_timer_s planned_load_srpe planned_pace_s_per_km done_share load_hrss load_rtss load_srpe knee_load_klu "
    "ramp_ratio monotony strain acwr_uncoupled pace_s_per_km gap_s_per_km easy_pace_s_per_km "
    "efficiency_m_per_min_per_bpm pace_trend_s_per_km_per_week pace_trend_low pace_trend_high pace_trend worst_pain "
    "pain_reports strength_sessions alerts",
    "plan_sessions": "athlete plan week local_date session distance_m duration_s rpe zone notes session_key "
    "planned_pace_s_per_km pace_from",
    "plan_vs_actual": "athlete local_date plan_week session planned_distance_m activity_id distance_m status "
    "planned_timer_s timer_s distance_band time_band zone above_zone_share intensity",
    "plan_adjustments": "adjustment_id athlete plan race_date adjusted_on accepted_at undone_at changes",
    "plan_proposal": "athlete week local_date session distance_m duration_s new_session new_distance_m new_duration_s "
    "new_rpe new_zone new_notes reason",
    "plan_outlook": "athlete pain_level missed_runs last_strength_on strength_gap_days next_strength_from race_on "
    "race_longest_30d_m race_spike_ratio race_spike_bin rejoins_on advice",
    "weekly_adherence": "athlete plan_week week_start planned_distance_m distance_m distance_share distance_band "
    "planned_timer_s timer_s time_share time_band planned_sessions done_sessions sessions_share unplanned_runs "
    "known_intensities intensities_as_planned",
    "upcoming_spikes": "athlete local_date session planned_distance_m longest_30d_m spike_ratio spike_bin longest_safe_m "
    "reason week_done_m week_planned_m week_before_m week_ramp_ratio week_is_ramp",
    "pain_reports": "report_id athlete reported_at local_date activity_id side site before during after_60min "
    "next_morning flags changed_gait muscle_soreness note source",
    "pain_questions": "question_id athlete local_date activity_id side words asked_at status closed_at",
    "pain_history": "report_id athlete local_date side changed_at how was",
    "strength_sessions": "athlete local_date exercises rpe pain_during note",
    "alerts": "alert_id athlete side episode_id raised_at local_date rule severity load_level pain_level "
    "order_of_events is_medical urgency message action evidence status formula_version",
    "deliveries": "alert_id channel attempts delivered_at last_error next_attempt_at",
    "digests": "digest_id athlete week_start written_at message",
    "flow_log": "started_at ended_at step outcome counts",
}
NOT_OURS = "'schema_migrations'"
LAP: dict[str, object] = {"activity_id": "a", "lap_index": 0, "started_at": None, "timer_s": 60.0}
STARTED_AT = datetime(2026, 7, 1, 16, tzinfo=UTC)


@pytest.fixture
def con(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with opened_store(home) as connection:
        yield connection


@pytest.fixture
def published(home: Home) -> Home:
    """A home with one activity's samples and one lap, published."""
    with opened_store(home) as con:
        insert_rows(con, "laps", [LAP])
        save_samples(home)
        publish_copy(con, home)
    return home


def save_samples(home: Home, activity_id: str = "a") -> pl.DataFrame:
    samples = pl.DataFrame(
        [{"at": STARTED_AT, "elapsed_s": 0.0, "timer_s": 0.0, "hr_bpm": 150}],
        schema={name: kind for name, kind in SAMPLES_SCHEMA.items() if name != "activity_id"},
        strict=False,
    )
    content = encode_samples(samples, activity_id=activity_id)
    write_samples(home, content, athlete="mara", year=2026, activity_id=activity_id)
    return samples


def insert_in_one_transaction(
    con: duckdb.DuckDBPyConnection, *laps: dict[str, object], fails: bool = False
) -> None:
    with transaction(con):
        for lap in laps:
            insert_rows(con, "laps", [lap])
        if fails:
            raise ZeroDivisionError


def columns(con: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    found = con.execute("select table_name, column_name from duckdb_columns() where not internal").fetchall()
    return {table: {column for name, column in found if name == table} for table, _ in found}


def python(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a process of its own that runs this script."""
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def said_by(process: subprocess.Popen[str]) -> str:
    """Wait for the end of a process that has nothing to complain about, and return what it printed."""
    out, err = process.communicate(timeout=60)
    assert (err, process.returncode) == ("", 0)
    return out.strip()


# Tables --------------------------------------------------------------------------------------------------


def test_every_table_and_column_of_the_contract_is_there(con: duckdb.DuckDBPyConnection) -> None:
    """Also those that hold nothing yet."""
    found = columns(con)

    missing = {table: set(names.split()) - found.get(table, set()) for table, names in CONTRACT.items()}
    assert {table: names for table, names in missing.items() if names} == {}


def test_the_published_copy_keeps_the_contract_as_well(published: Home) -> None:
    """It is the one that people open."""
    with opened_published(published) as con:
        found = columns(con)

    assert all(set(names.split()) <= found[table] for table, names in CONTRACT.items())


def test_everything_carries_a_comment(published: Home) -> None:
    """Each table, each view, each column of a table and of `samples`; in the store and in the published copy."""
    silent = f"""
        select 'table ' || table_name from duckdb_tables() where not internal and comment is null
        union all
        select 'view ' || view_name from duckdb_views() where not internal and comment is null
        union all
        select table_name || '.' || column_name from duckdb_columns()
        where not internal and comment is null and table_name not in ('runs', {NOT_OURS})
    """
    with opened_store(published) as con:
        in_store = {row[0] for row in con.execute(silent).fetchall()}
    with opened_published(published) as con:
        in_copy = {row[0] for row in con.execute(silent).fetchall()}

    assert in_store - {"table schema_migrations"} == set()
    assert in_copy - {"table schema_migrations"} == set()


@pytest.mark.parametrize(
    ("statement", "column"),
    [
        ("insert into activities (activity_id) values ('a')", "athlete"),
        (
            "insert into pain_reports (report_id, athlete, reported_at, local_date, side, during, source) "
            "values ('r', 'mara', now(), '2026-07-01', 'left', 11, 'cli')",
            "during",
        ),
        (
            "insert into exports (export_id, athlete, file_name, size_bytes, outcome, seen_at, reader_version) "
            "values ('e', 'mara', 'f', 1, 'lost', now(), '1')",
            "outcome",
        ),
    ],
)
def test_what_cannot_be_is_not_stored(statement: str, column: str, con: duckdb.DuckDBPyConnection) -> None:
    """The tables themselves refuse it."""
    with pytest.raises(duckdb.ConstraintException, match=column):
        con.execute(statement)


def test_runs_are_those_that_count(con: duckdb.DuckDBPyConnection) -> None:
    """Running, canonical, not excluded by hand."""
    common = {
        "athlete": "mara",
        "export_id": "e",
        "sport": "running",
        "is_indoor": False,
        "started_at": STARTED_AT,
        "local_date": date(2026, 7, 1),
        "utc_offset_s": 7200,
        "elapsed_s": 60.0,
        "timer_s": 60.0,
    }
    rows = [
        {"activity_id": "counts", "is_run": True, "duplicate_of": None, "is_excluded": False},
        {"activity_id": "ride", "is_run": False, "duplicate_of": None, "is_excluded": False},
        {"activity_id": "double", "is_run": True, "duplicate_of": "counts", "is_excluded": False},
        {"activity_id": "excluded", "is_run": True, "duplicate_of": None, "is_excluded": True},
    ]

    insert_rows(con, "activities", [{**common, **row} for row in rows])

    assert frame(con, "select activity_id from runs").to_series().to_list() == ["counts"]


# Migrations ----------------------------------------------------------------------------------------------


def test_migrations_make_everything_from_nothing_and_only_once() -> None:
    """Each leaves its record; applied again they change nothing."""
    with duckdb.connect() as con:
        migrate(con)
        made = columns(con)
        insert_rows(con, "laps", [LAP])

        migrate(con)

        assert columns(con) == made
        assert scalar(con, "select count(*) from laps") == 1
        applied = con.execute("select name, sha256 from schema_migrations order by name").fetchall()
    assert applied == [(name, hashlib.sha256(sql.encode()).hexdigest()) for name, sql in migrations().items()]


def test_migrations_are_numbered_in_order() -> None:
    """One after the other without a gap."""
    numbers = [int(name.partition("_")[0]) for name in migrations()]

    assert numbers == list(range(1, len(numbers) + 1))


def test_a_store_is_made_once_and_opened_again(home: Home) -> None:
    """What was written is there the next time."""
    with opened_store(home) as con:
        insert_rows(con, "laps", [LAP])

    with opened_store(home) as con:
        kept = scalar(con, "select count(*) from laps")

    assert kept == 1
    assert sorted(path.name for path in home.state.iterdir()) == ["store.duckdb"]


def test_a_database_of_a_newer_kneewatch_is_refused_untouched(home: Home) -> None:
    """Nothing is made, changed or thrown away in it."""
    with duckdb.connect(str(home.store)) as con:
        con.execute("create table schema_migrations (name varchar primary key, sha256 varchar not null)")
        con.execute("insert into schema_migrations values ('9999_future.sql', 'x')")
        con.execute("create table of_the_future as select 42 as answer")

    with pytest.raises(StoreError, match=r"newer Kneewatch \(it knows 9999_future\.sql"), opened_store(home):
        pass

    with duckdb.connect(str(home.store), read_only=True) as con:
        tables = con.execute("select table_name from duckdb_tables() order by all").fetchall()
        assert scalar(con, "select answer from of_the_future") == 42
    assert tables == [("of_the_future",), ("schema_migrations",)]


def test_a_migration_that_fails_leaves_nothing_behind(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its first half nor its record."""
    good = migrations()
    broken = {"0009_broken.sql": "create table half (x integer); select * from nowhere"}
    monkeypatch.setattr("store.database.migrations", lambda: good | broken)

    with pytest.raises(duckdb.CatalogException), opened_store(home):
        pass

    with duckdb.connect(str(home.store)) as con:
        assert "half" not in columns(con)
        assert scalar(con, "select count(*) from schema_migrations") == len(good)


def test_a_copy_to_try_things_out_is_brought_up_to_date(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an upgrade a past day can be replayed at once, on what an earlier Kneewatch published."""
    known = migrations()
    monkeypatch.setattr("store.database.migrations", lambda: dict(list(known.items())[:-1]))
    with opened_store(home) as con:
        publish_copy(con, home)
    monkeypatch.undo()

    with opened_copy(home) as con:
        applied = scalar(con, "select count(*) from schema_migrations")

    assert applied == len(known)


# Reading and writing -------------------------------------------------------------------------------------


def test_a_transaction_is_done_or_not_done(con: duckdb.DuckDBPyConnection) -> None:
    """An error rolls back and goes on; the next transaction works."""
    with pytest.raises(ZeroDivisionError):
        insert_in_one_transaction(con, LAP, fails=True)
    after_error = scalar(con, "select count(*) from laps")

    insert_in_one_transaction(con, LAP)

    assert after_error == 0
    assert scalar(con, "select count(*) from laps") == 1


def test_a_transaction_that_the_database_refuses_is_rolled_back(con: duckdb.DuckDBPyConnection) -> None:
    """The rows before the bad one, too."""
    with pytest.raises(duckdb.ConstraintException):
        insert_in_one_transaction(con, LAP, {**LAP, "activity_id": None})

    assert scalar(con, "select count(*) from laps") == 0


def test_frames_go_in_by_name_and_come_out_in_utc(con: duckdb.DuckDBPyConnection) -> None:
    """Whatever the order of columns; instants keep their zone."""
    rows = pl.DataFrame({"lap_index": [0, 1], "activity_id": ["a", "a"], "started_at": [STARTED_AT, None]})

    insert(con, "laps", rows)

    found = frame(con, "select activity_id, lap_index, started_at from laps where lap_index = $lap", lap=0)
    assert found.row(0) == ("a", 0, STARTED_AT)
    assert found.schema["started_at"] == pl.Datetime("us", "UTC")


def test_no_rows_are_no_trouble(con: duckdb.DuckDBPyConnection) -> None:
    """An empty frame of any shape, an empty list, an empty answer."""
    insert(con, "laps", pl.DataFrame())
    insert_rows(con, "laps", [])

    found = frame(con, "select * from laps")

    assert (found.height, "timer_s" in found.columns) == (0, True)
    assert scalar(con, "select timer_s from laps") is None


def test_replacing_touches_only_one_athlete(con: duckdb.DuckDBPyConnection) -> None:
    """Derived tables are thrown away and written again, one athlete at a time."""
    day = {"local_date": [date(2026, 7, 1)], "status": ["done"]}
    for athlete in ("mara", "tom"):
        replace(con, "plan_vs_actual", pl.DataFrame(day), athlete=athlete)

    replace(con, "plan_vs_actual", pl.DataFrame(day | {"status": ["missed"]}), athlete="tom")

    found = frame(con, "select athlete, status from plan_vs_actual order by athlete").rows()
    assert found == [("mara", "done"), ("tom", "missed")]


@pytest.mark.parametrize("name", ["laps; drop table laps", "Laps", "", "laps--"])
def test_names_of_tables_are_names(name: str, con: duckdb.DuckDBPyConnection) -> None:
    """No value ends in a statement."""
    with pytest.raises(ValueError, match="not a table name"):
        insert(con, name, pl.DataFrame({"x": [1]}))


# Samples -------------------------------------------------------------------------------------------------


def test_the_view_samples_works_in_an_empty_home(con: duckdb.DuckDBPyConnection) -> None:
    """With all its columns and no row."""
    found = frame(con, "select * from samples")

    assert found.height == 0
    assert set(found.columns) == {*SAMPLES_SCHEMA, "athlete", "year"}


@pytest.mark.parametrize("name", ["it's mine", "läufe 2026", "[runs] *new*", "a;b--c"])
def test_a_home_may_have_any_name(name: str, tmp_path: Path) -> None:
    """Quotes, brackets and stars are letters like others."""
    home = homes.at(tmp_path / name).prepare()
    save_samples(home)

    with opened_store(home) as con:
        publish_copy(con, home)
        in_store = scalar(con, "select count(*) from samples")
    with opened_published(home) as con:
        in_copy = scalar(con, "select hr_bpm from samples where athlete = 'mara' and year = 2026")

    assert (in_store, in_copy) == (1, 150.0)
    assert read_samples(home, athlete="mara", year=2026, activity_id="a").height == 1


def test_samples_are_written_with_their_id(home: Home) -> None:
    """All columns in the order and type of the schema."""
    written = save_samples(home, "abc")

    found = read_samples(home, athlete="mara", year=2026, activity_id="abc")

    assert dict(found.schema) == SAMPLES_SCHEMA
    assert found["activity_id"].to_list() == ["abc"]
    assert found["hr_bpm"].to_list() == written["hr_bpm"].to_list()
    path = samples_file(home, athlete="mara", year=2026, activity_id="abc")
    assert [one.name for one in path.parent.iterdir()] == ["abc.parquet"]


# The published copy --------------------------------------------------------------------------------------


def test_another_process_reads_the_copy_while_the_writer_writes(published: Home) -> None:
    """With any DuckDB client and nothing of ours; the samples as well."""
    script = """
        import sys, duckdb
        con = duckdb.connect(sys.argv[1], read_only=True)
        print(con.execute("select count(*) from laps").fetchone()[0])
        print(con.execute("select hr_bpm from samples").fetchone()[0])
    """

    with opened_store(published) as con:
        con.execute("begin transaction")
        insert_rows(con, "laps", [LAP])
        out = said_by(python(script, published.published))
        con.execute("rollback")

    assert out.split() == ["1", "150.0"]


def test_publishing_disturbs_nobody_who_reads(published: Home) -> None:
    """Who holds the old copy open keeps it; who opens it anew has the new one."""
    script = """
        import sys, duckdb
        con = duckdb.connect(sys.argv[1], read_only=True)
        print(con.execute("select count(*) from laps").fetchone()[0], flush=True)
        sys.stdin.readline()
        print(con.execute("select count(*) from laps").fetchone()[0], flush=True)
    """
    reader = python(script, published.published)
    assert reader.stdout is not None
    first = reader.stdout.readline().strip()

    with opened_store(published) as con:
        insert_rows(con, "laps", [LAP])
        publish_copy(con, published)
    second, complaints = reader.communicate("\n", timeout=60)
    with opened_published(published) as con:
        anew = scalar(con, "select count(*) from laps")

    assert (first, second.strip(), anew, complaints) == ("1", "1", 2, "")


def test_the_published_copy_is_nobody_elses_to_read(published: Home) -> None:
    """It holds health data; and nothing is left lying beside it."""
    assert published.published.stat().st_mode & 0o777 == 0o600
    assert published.root.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in published.state.iterdir()) == ["store.duckdb"]


def test_without_a_copy_one_is_told_what_to_do(home: Home) -> None:
    """In a sentence."""
    with pytest.raises(StoreError, match=r"run `kneewatch run` first\.$"), opened_published(home):
        pass


@pytest.mark.parametrize(
    "statement",
    [
        "insert into laps (activity_id, lap_index) values ('b', 1)",
        "delete from laps",
        "create table mine (x integer)",
        "drop table laps",
        "attach '{outside}/other.duckdb' as other",
        "attach '{home}/.state/store.duckdb' as store",
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('{outside}/secret.txt')",
        "select * from glob('{outside}/*')",
        "select * from '{outside}/secret.csv'",
        "select * from read_parquet('{home}/samples/../secret.parquet')",
        "select * from read_csv('http://127.0.0.1:9/x.csv')",
        "copy laps to '{outside}/laps.csv'",
        "copy laps to '{home}/laps.csv'",
        "export database '{outside}/all'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set allowed_directories = ['/']",
        "set lock_configuration = false",
        "create secret (type s3, key_id 'a', secret 'b')",
    ],
)
def test_a_question_reads_the_copy_and_nothing_else(statement: str, published: Home, tmp_path: Path) -> None:
    """It writes nothing, opens no other file, reaches no network and cannot loosen its own bounds."""
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "secret.csv").write_text("secret\n1\n")
    before = sorted(path.name for path in tmp_path.iterdir())

    with opened_published(published) as con:
        with pytest.raises(duckdb.Error):
            con.execute(statement.format(outside=tmp_path, home=published.root)).fetchall()

        assert scalar(con, "select count(*) from laps") == 1
        assert scalar(con, "select hr_bpm from samples") == 150.0
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert not (published.root / "laps.csv").exists()


# One writer at a time ------------------------------------------------------------------------------------

HOLD_THE_LOCK = """
    import sys
    from store import home
    from store.lock import writing
    with writing(home.at(sys.argv[1]), "take_in"):
        print("held", flush=True)
        sys.stdin.readline()
"""


def test_a_second_process_is_told_who_holds_the_lock(home: Home) -> None:
    """What it is doing and which process it is."""
    other = python(HOLD_THE_LOCK, home.root)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"

    with (
        pytest.raises(StoreError, match=rf"is in use by take_in \(process {other.pid}\); try again"),
        writing(home, "review", patience_s=0.1),
    ):
        pass

    assert holder(home) == f"take_in (process {other.pid})"
    other.communicate("\n", timeout=60)
    assert holder(home) is None


def test_a_second_process_waits_for_its_turn(home: Home) -> None:
    """It goes on as soon as the first is done."""
    script = """
        import sys
        from store import home
        from store.lock import writing
        print("waiting", flush=True)
        with writing(home.at(sys.argv[1]), "review"):
            print("done", flush=True)
    """
    with writing(home, "take_in"):
        other = python(script, home.root)
        assert other.stdout is not None
        assert other.stdout.readline() == "waiting\n"
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(timeout=0.3)

    assert said_by(other) == "done"


def test_the_lock_of_a_process_that_was_killed_is_free(home: Home) -> None:
    """And nobody is said to hold it, though its name still stands in the file."""
    other = python(HOLD_THE_LOCK, home.root)
    assert other.stdout is not None
    other.stdout.readline()
    other.kill()
    other.communicate(timeout=60)

    assert holder(home) is None
    with writing(home, "review", patience_s=0):
        assert (holder(home) or "").startswith("review (process ")


def test_an_error_frees_the_lock(home: Home) -> None:
    """Whoever waits goes on."""
    with pytest.raises(ZeroDivisionError), writing(home, "take_in"):
        raise ZeroDivisionError

    assert holder(home) is None


def test_nobody_holds_the_lock_of_a_new_home(home: Home) -> None:
    """There is no such file yet."""
    assert holder(home) is None


def test_a_process_that_used_the_store_ends_in_silence(home: Home) -> None:
    """DuckDB's types held by annotations make Python complain about leaks when it ends."""
    script = """
        import json, sys
        import ingest.intake, store.publish
        from store import home
        from store.database import frame, opened_store
        with opened_store(home.at(sys.argv[1])) as con:
            print(json.dumps(frame(con, "select count(*) as n from activities").to_dicts()))
    """

    assert json.loads(said_by(python(script, home.root))) == [{"n": 0}]


def test_many_may_ask_at_once_and_each_sees_the_newest_copy(home: Home) -> None:
    """In one process too, while an older copy is still open: as a web page does."""
    with opened_store(home) as con:
        publish_copy(con, home)
        with opened_published(home) as old:
            con.execute(
                "insert into plan_choices (athlete, plan, race_date, chosen_at) "
                "values ('mara', 'mine', '2026-10-04', '2026-06-01T12:00:00Z')"
            )
            publish_copy(con, home)
            with opened_published(home) as new, opened_published(home) as another:
                counts = [scalar(one, "select count(*) from plan_choices") for one in (old, new, another)]

    assert counts == [0, 1, 1]
