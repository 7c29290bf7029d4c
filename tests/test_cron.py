"""When a schedule was last due, looking back from a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kneewatch.cron import last_due

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 28, 21, 7, tzinfo=BERLIN)  # a Saturday


@pytest.mark.parametrize(
    ("cron", "due"),
    [
        ("*/15 * * * *", "2026-11-28 21:00"),
        ("7 21 * * *", "2026-11-28 21:07"),
        ("8 21 * * *", "2026-11-27 21:08"),
        ("0 6 * * mon", "2026-11-23 06:00"),
        ("0 6 * * 7", "2026-11-22 06:00"),
        ("30 18 1 * fri", "2026-11-27 18:30"),
        ("30 18 1 * *", "2026-11-01 18:30"),
        ("0 8-20/4 * jan-oct *", "2026-10-31 20:00"),
        ("5,50 22 * * 1-5", "2026-11-27 22:50"),
        ("0 0 29 2 *", "2024-02-29 00:00"),
        ("0 0 1 * */1", "2026-11-28 00:00"),
    ],
)
def test_a_schedule_was_last_due(cron: str, due: str) -> None:
    """In the time zone of the moment from which one looks back."""
    found = last_due(cron, NOW)

    assert found == datetime.fromisoformat(due).replace(tzinfo=BERLIN)


def test_a_day_that_never_comes_was_never_due() -> None:
    """Which the settings cannot know."""
    assert last_due("0 0 31 2 *", NOW) is None


def field(low: int, high: int) -> st.SearchStrategy[str]:
    """All, one, a step, a range, or two of them."""
    one = st.integers(low, high)
    span = st.tuples(one, one).filter(lambda ends: ends[0] < ends[1]).map(lambda ends: f"{ends[0]}-{ends[1]}")
    step = st.integers(1, 20).map(lambda by: f"*/{by}")
    return st.one_of(
        st.just("*"), one.map(str), span, step, st.tuples(one, span).map(lambda two: f"{two[0]},{two[1]}")
    )


crons = st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6)).map(" ".join)
moments = st.integers(0, 2 * 366 * 24 * 60).map(
    lambda minutes: NOW.astimezone(UTC) - timedelta(minutes=minutes)
)


@given(crons, moments)
def test_prefect_reads_schedules_as_we_do(cron: str, moment: datetime) -> None:
    """Its scheduler is the one that they are for."""
    from prefect._vendor.croniter import croniter

    expected = croniter(cron, moment + timedelta(seconds=1)).get_prev(datetime)

    assert last_due(cron, moment) == expected
