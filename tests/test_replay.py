"""Sixteen weeks on the schedules of the deployments, across changes of summer time: each action on its day, none twice, none missed."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from flows import steps
from flows.steps import Clock
from report.notify import title_of
from store import home as homes
from store.home import Home
from store.settings import Settings, read_settings
from tests.conftest import ROOT
from tests.json_server import JsonServer

BERLIN = ZoneInfo("Europe/Berlin")
INBOX = ROOT / "sample_data" / "inbox"
FIRST_DAY = date(2026, 7, 6)
WEEKS = 16
TWO_DAYS = timedelta(days=2)
DAYS = [FIRST_DAY + timedelta(days=number) for number in range(7 * WEEKS)]
SCHEDULES = """
[schedules]
intake = "0 9,21 * * *"
daily = "30 6 * * mon"
[alerts]
digest = "sunday 18:00"
[channels.phone]
url = "json://{address}/?rto=60&cto=60"
reminders = true
"""
pytestmark = pytest.mark.xdist_group("prefect")


def intake(home: Home, settings: Settings, clock: Clock) -> None:
    """What the flow does."""
    is_new = steps.changed_something(steps.take_in(home, settings, clock))
    (review if is_new else steps.notify)(home, settings, clock)


def review(home: Home, settings: Settings, clock: Clock) -> None:
    """What the flow does but for the page, which takes most of its time, and at which nobody looks here."""
    steps.digest(home, settings, clock)


def daily(home: Home, settings: Settings, clock: Clock) -> None:
    """What the flow does but for the page."""
    steps.take_in(home, settings, clock)
    review(home, settings, clock)


DONE_BY: dict[str, Callable[[Home, Settings, Clock], object]] = {
    "intake": intake,
    "review": review,
    "daily": daily,
    "digest": steps.digest,
    "remind": steps.remind,
}
"""By the steps: a run of Prefect's for each would make half an hour of it."""


class Letter(NamedTuple):
    """What arrived, and when by the athlete's clock."""

    at: datetime
    title: str
    text: str


class Phone(JsonServer):
    """Takes every letter, with the time that it is in the replay."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.now = datetime.combine(FIRST_DAY, time(), BERLIN)
        super().__init__()

    def answer(self, handler: BaseHTTPRequestHandler, letter: dict[str, str]) -> int:
        self.letters.append(Letter(self.now, letter["title"], letter["message"]))
        return 200


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Sydney"])
@pytest.mark.parametrize("first_day", [date(2026, 7, 20), date(2027, 2, 1)])
def test_schedules_hold_to_the_clock_on_the_wall(home: Home, zone: str, first_day: date) -> None:
    """Before and after each change of summer time, in either direction: once a day, at the hour that was set."""
    home.settings_file.write_text(f'[athletes.me]\ntime_zone = "{zone}"\n[alerts]\ndigest = "sunday 18:00"\n')
    days = [first_day + timedelta(days=number) for number in range(WEEKS * 7)]
    local = ZoneInfo(zone)
    [change] = [later for day, later in pairwise(days) if _offset(day, local) != _offset(later, local)]

    due = {name: list(_due(home, name, days, local)) for name in ("review", "daily", "remind", "digest")}
    around = [change + timedelta(days=number) for number in range(-2, 3)]
    intakes = [moment.astimezone(UTC) for moment in _due(home, "intake", around, local)]

    assert due["review"] == [datetime.combine(day, time(6), local) for day in days]
    assert due["daily"] == [datetime.combine(day, time(6, 30), local) for day in days]
    assert due["remind"] == [datetime.combine(day, time(7, 30), local) for day in days]
    assert due["digest"] == [datetime.combine(day, time(18), local) for day in days if day.weekday() == 6]
    # In autumn Prefect passes over the hour that comes again; what is dropped then is noticed by the watcher.
    minutes = {(later - earlier).total_seconds() / 60 for earlier, later in pairwise(intakes)}
    assert minutes == ({15, 75} if _offset(change, local) < _offset(days[0], local) else {15})


def _offset(day: date, zone: ZoneInfo) -> timedelta:
    return datetime.combine(day, time(12), zone).utcoffset() or timedelta()


def _due(home: Home, flow: str, days: list[date], zone: ZoneInfo) -> Iterator[datetime]:
    """Yield when a deployment is due on these days, as Prefect's scheduler reckons."""
    from prefect.server.schemas.schedules import CronSchedule

    from flows.deployments import deployments

    [deployment] = [one for one in deployments(home, read_settings(home)) if one.flow_name == flow]
    [schedule] = deployment.schedules or []
    reckoned = CronSchedule.model_validate(schedule.schedule.model_dump())
    start = datetime.combine(days[0], time(), zone).astimezone(UTC)
    end = datetime.combine(days[-1] + timedelta(days=1), time(), zone).astimezone(UTC) - timedelta(seconds=1)
    for moment in asyncio.run(reckoned.get_dates(n=20_000, start=start, end=end)):
        yield moment.astimezone(zone)


# A runner's sixteen weeks ----------------------------------------------------------------------------------


@pytest.fixture
def phone() -> Iterator[Phone]:
    phone = Phone()
    yield phone
    phone.close()


@pytest.mark.serve
@pytest.mark.prefect
def test_sixteen_weeks_by_themselves(tmp_path: Path, phone: Phone) -> None:
    """
    Mara's exports and diaries come in on their days; Prefect's own server says what is due, with a clock that is ours.

    From 6 July past the end of summer time, three weeks after her race.
    """
    from prefect.testing.utilities import prefect_test_harness

    home = homes.at(tmp_path / "home").prepare()
    made = (ROOT / "sample_data" / "kneewatch.toml").read_text()
    home.settings_file.write_text(made + SCHEDULES.format(address=phone.address))
    drops = sorted(_drops(), key=lambda drop: drop[0])

    with prefect_test_harness(server_startup_timeout=300):
        done = asyncio.run(_live_through(home, drops, phone))

    assert drops == []
    assert not any(home.inbox.iterdir())
    assert _days_of(done, "review", time(6)) == _days_of(done, "remind", time(7, 30)) == DAYS
    assert _days_of(done, "daily", time(6, 30)) == [day for day in DAYS if day.weekday() == 0]
    assert _days_of(done, "digest", time(18)) == [day for day in DAYS if day.weekday() == 6]
    assert _days_of(done, "intake", time(9)) == _days_of(done, "intake", time(21)) == DAYS
    assert len(done) == len({*done}) == 4 * len(DAYS) + 2 * WEEKS
    assert len(phone.letters) == len({*phone.letters})
    first_review = datetime.combine(
        FIRST_DAY, time(6), BERLIN
    )  # the letter of the evening before is late then
    assert _arrived(phone, "digest") == [
        first_review,
        *(datetime.combine(day, time(18), BERLIN) for day in DAYS if day.weekday() == 6),
    ]
    assert {at.time() for at in _arrived(phone, "reminder")} == {time(7, 30)}
    assert {row["date"] for row in _rows("pain.csv")} & {f"{day}" for day in DAYS} <= {
        f"{at.date() - timedelta(days=1)}" for at in _arrived(phone, "reminder")
    }
    assert [
        (severity, at.date())
        for severity in ("caution", "warning", "stop")
        for at in _arrived(phone, severity)
    ] == [
        ("caution", date(2026, 8, 23)),
        ("caution", date(2026, 9, 24)),
        ("caution", date(2026, 10, 1)),
        ("warning", date(2026, 8, 25)),
        ("stop", date(2026, 8, 27)),
    ]


def _arrived(phone: Phone, kind: str) -> list[datetime]:
    """Return when letters of this kind arrived, by the clock on the wall."""
    return [letter.at for letter in phone.letters if letter.title == title_of(kind)]


def _days_of(done: list[tuple[str, datetime]], flow: str, hour: time) -> list[date]:
    """Return on which days the flow ran at this hour by the clock on the wall."""
    return [at.date() for name, at in done if name == flow and at.time() == hour]


async def _live_through(
    home: Home, drops: list[tuple[datetime, str, bytes]], phone: Phone
) -> list[tuple[str, datetime]]:
    """Let Prefect schedule day after day, do what is due in its order, and return what was done and when."""
    from prefect.client.orchestration import get_client
    from prefect.states import Completed

    from flows.deployments import deployments

    settings = read_settings(home)
    done = []
    async with get_client() as client:
        flows = {await one.aapply(): one.flow_name for one in deployments(home, settings)}
        for day in DAYS:
            ends_at = datetime.combine(day + timedelta(days=1), time(), BERLIN) - timedelta(seconds=1)
            # From the day before on: what was scheduled already must not be scheduled again.
            starts_at = max(ends_at - TWO_DAYS, datetime.combine(FIRST_DAY, time(), BERLIN))
            window = {"start_time": f"{starts_at}", "end_time": f"{ends_at}"}
            window |= {"min_time": TWO_DAYS.total_seconds()}
            for deployment in flows:
                await client.request("POST", f"/deployments/{deployment}/schedule", json=window)  # type: ignore[arg-type]
            due = await client.get_scheduled_flow_runs_for_deployments([*flows], ends_at)
            for run in sorted(due, key=lambda run: run.next_scheduled_start_time):
                now = datetime.fromtimestamp(run.next_scheduled_start_time.timestamp(), BERLIN)
                while drops and drops[0][0] <= now:
                    _, name, content = drops.pop(0)
                    (home.inbox / name).write_bytes(content)
                phone.now = now
                flow = flows[run.deployment_id]
                DONE_BY[flow](home, settings, Clock(now.astimezone(UTC), now.date()))
                done.append((flow, now))
                await client.set_flow_run_state(run.id, Completed(), force=True)
    return done


def _drops() -> Iterator[tuple[datetime, str, bytes]]:
    """Yield when which file is dropped: runs two hours after they began, diaries in pieces, scores of the morning then."""
    for path in INBOX.glob("2026-*"):
        began_at = datetime.strptime(path.name[:17], "%Y-%m-%d_%H%M%S").replace(tzinfo=BERLIN)
        yield began_at + timedelta(hours=2), path.name, path.read_bytes()
    for row in _rows("pain.csv"):
        at = datetime.fromisoformat(f"{row['date']} {row['time']}").replace(tzinfo=BERLIN)
        yield at, f"knee-{row['date']}.csv", _csv(row | {"next_morning": ""})
        yield _morning_after(at), f"knee-{row['date']}-morning.csv", _csv(row)
    for number, row in enumerate(_rows("strength.csv")):
        at = datetime.fromisoformat(f"{row['date']} 20:00").replace(tzinfo=BERLIN)
        yield at, f"strength-{row['date']}-{number}.csv", _csv(row)


def _morning_after(at: datetime) -> datetime:
    return datetime.combine(at.date() + timedelta(days=1), time(8), BERLIN)


def _rows(name: str) -> Iterator[dict[str, Any]]:
    yield from csv.DictReader(io.StringIO((INBOX / name).read_text()))


def _csv(row: dict[str, Any]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, row)
    writer.writeheader()
    writer.writerow(row)
    return text.getvalue().encode()
