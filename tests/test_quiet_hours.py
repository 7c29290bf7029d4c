"""Letters wait while the athlete sleeps, medical ones apart."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from flows.alerting import is_quiet, take_letter
from store.database import insert_rows, opened_store
from store.home import Home
from store.settings import Settings, SettingsError, read_settings

NIGHT = 'quiet_from = "21:30"\nquiet_until = "06:30"'
ALERT = {
    "episode_id": "e", "raised_at": datetime(2026, 8, 28, 18, tzinfo=UTC), "local_date": date(2026, 8, 28),
    "rule": "spike_and_pain", "message": "m", "action": "a", "evidence": "{}", "status": "open", "formula_version": "1",
}  # fmt: skip


def settings_with(home: Home, quiet: str, zone: str = "Europe/Berlin") -> Settings:
    home.settings_file.write_text(
        f'default_athlete = "mara"\n[athletes.mara]\ntime_zone = "{zone}"\n[athletes.kai]\ntime_zone = "Asia/Tokyo"\n'
        f'[alerts]\n{quiet}\n[channels.phone]\nurl = "json://localhost"\nathletes = ["mara", "kai"]\n'
    )
    return read_settings(home)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "quiet"),
    [
        ("2026-08-28T19:29+00:00", False),
        ("2026-08-28T19:30+00:00", True),
        ("2026-08-28T22:00+00:00", True),
        ("2026-08-29T04:29+00:00", True),
        ("2026-08-29T04:30+00:00", False),
        # in winter the same hours of the wall clock are an hour later
        ("2026-12-28T19:30+00:00", False),
        ("2026-12-28T20:30+00:00", True),
        ("2026-12-29T05:29+00:00", True),
        ("2026-12-29T05:30+00:00", False),
        # the nights in which the clock is put back and on
        ("2026-10-25T04:30+00:00", True),
        ("2026-10-25T05:30+00:00", False),
        ("2026-03-29T04:29+00:00", True),
        ("2026-03-29T04:30+00:00", False),
    ],
)
def test_the_night_is_that_of_the_clock_on_the_wall(home: Home, now: str, quiet: bool) -> None:
    """From half past nine to half past six where the athlete is, across midnight and the change of the clock."""
    assert is_quiet(settings_with(home, NIGHT), "mara", at(now)) is quiet


@pytest.mark.parametrize(("hour", "quiet"), [(11, True), (12, False), (9, False)])
def test_hours_within_a_day_can_be_quiet_as_well(home: Home, hour: int, quiet: bool) -> None:
    """As for who sleeps by day."""
    settings = settings_with(home, 'quiet_from = "12:00"\nquiet_until = "14:00"')

    assert is_quiet(settings, "mara", datetime(2026, 8, 28, hour, tzinfo=UTC)) is quiet


def test_nothing_is_quiet_unless_it_was_set(home: Home) -> None:
    """An alert that waits may come too late for the run of the early morning."""
    settings = settings_with(home, "")

    assert not any(is_quiet(settings, "mara", datetime(2026, 8, 28, hour, tzinfo=UTC)) for hour in range(24))


def test_letters_wait_for_the_morning_and_medical_ones_do_not(home: Home) -> None:
    """Each by the clock of its own athlete; what waited goes out once, and nothing is lost."""
    settings = settings_with(home, NIGHT)
    rows = [
        {"alert_id": "sore", "athlete": "mara", "severity": "warning", "is_medical": False},
        {"alert_id": "swollen", "athlete": "mara", "severity": "stop", "is_medical": True, "urgency": "soon"},
        {"alert_id": "in Tokyo", "athlete": "kai", "severity": "warning", "is_medical": False},
    ]
    with opened_store(home) as con:
        insert_rows(con, "alerts", [ALERT | {"episode_id": row["alert_id"]} | row for row in rows])
        insert_rows(
            con,
            "deliveries",
            [{"alert_id": row["alert_id"], "channel": "phone", "attempts": 0} for row in rows],
        )

        def taken(now: str) -> set[str]:
            return {
                letter.letter_id for letter in iter(lambda: take_letter(con, settings, now=at(now)), None)
            }

        assert taken("2026-08-28T23:00+00:00") == {"swollen", "in Tokyo"}
        con.execute("update deliveries set delivered_at = now() where attempts > 0")
        assert taken("2026-08-29T04:00+00:00") == set()
        assert taken("2026-08-29T04:30+00:00") == {"sore"}


@pytest.mark.parametrize(
    ("quiet", "says"),
    [
        ('quiet_from = "21:30"', "alerts.quiet_from goes with quiet_until"),
        ('quiet_until = "06:30"', "alerts.quiet_until goes with quiet_from"),
        ('quiet_from = "24:30"\nquiet_until = "06:30"', "alerts.quiet_from is '24:30'; allowed is hours"),
        ('quiet_from = "half past nine"\nquiet_until = "06:30"', "alerts.quiet_from is 'half past nine'"),
        ("quiet_from = 21\nquiet_until = 6", "alerts.quiet_from is 21"),
    ],
)
def test_hours_that_are_none_are_refused(home: Home, quiet: str, says: str) -> None:
    """With the key and what is allowed."""
    with pytest.raises(SettingsError, match=says):
        settings_with(home, quiet)
