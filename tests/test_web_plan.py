"""The plan's page: the calendar, what a form changes, and what is proposed."""

from __future__ import annotations

import fcntl
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from flows import steps
from flows.steps import Clock
from kneewatch.web import security
from kneewatch.web.app import create_app
from kneewatch.web.pages import plan as plan_page
from kneewatch.web.pages.plan import weeks_of
from store.database import opened_published
from store.home import Home
from store.settings import read_settings

HOST = "127.0.0.1:8765"
TODAY = date(2026, 7, 2)
RACE = date(2026, 10, 4)
CLOCK = Clock(datetime(2026, 7, 2, 18, tzinfo=UTC), TODAY)
RACE_EVE = Clock(datetime(2026, 10, 3, 18, tzinfo=UTC), date(2026, 10, 3))
PLAN = f'[athletes.me.plan]\nname = "half_marathon_beginner"\nrace_date = {RACE}\n'
LONG_RUN = "2026-07-05 long"


def client_of(home: Home, clock: Clock = CLOCK) -> TestClient:
    app = create_app(home, allowed_hosts=[HOST], clock=lambda _: clock)
    return TestClient(app, base_url=f"http://{HOST}", follow_redirects=False)


def post(client: TestClient, path: str, **form: Any) -> Any:
    found = re.search(rf'name="{security.FORM_FIELD}" value="([0-9a-f]+)"', client.get("/login").text)
    assert found
    return client.post(path, data={security.FORM_FIELD: found[1], **form})


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home in week 3 of the beginners' plan in which nothing was run; what a test changes it takes back."""
    from store import home as homes

    home = homes.at(tmp_path_factory.mktemp("plan") / "home").prepare()
    home.settings_file.write_text(PLAN)
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("KNEEWATCH_HOME", raising=False)
        steps.bring_up_to_date(home, read_settings(home), CLOCK)
    return home


def days_of(home: Home, session_key: str) -> list[date]:
    with opened_published(home) as con:
        found = con.execute(
            "select local_date from plan_sessions where session_key = ? and session <> 'rest' order by 1",
            [session_key],
        )
        return [row[0] for row in found.fetchall()]


def cell(page: str, day: date) -> str:
    """Return the cell of a day as one line of text."""
    found = re.search(rf'<td role="cell" data-day="{day}".*?</td>', page, flags=re.DOTALL)
    assert found
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


def test_the_calendar_shows_what_was_planned_and_what_became_of_it(sample_home: Home) -> None:
    """Sixteen weeks of seven days, with distances run and the race as the spike that it is, in both numbers."""
    page = client_of(sample_home, RACE_EVE).get("/plan").text

    assert page.count('<td role="cell"') == 16 * 7
    assert "Sun 21 Jun Long 8.5 km done, 8.5 km" in cell(page, date(2026, 6, 21))
    assert re.search(r"Race 21.1 km large spike: \+\d+ % against 8.6 km", cell(page, date(2026, 10, 4)))
    assert "missed" in cell(page, date(2026, 8, 11))
    assert "race on Sunday 4 October 2026, in 1 day" in page


def test_weeks_have_no_gaps_whatever_is_planned() -> None:
    """A week without a session stands there with seven empty days, and a run that was not planned on its day."""
    monday = date(2026, 6, 15)
    rows = [
        {"week": 1, "local_date": monday + timedelta(days=1), "session": "easy"},
        {"week": None, "local_date": monday + timedelta(days=9), "session": None},
        {"week": 3, "local_date": monday + timedelta(days=14), "session": "long"},
    ]

    weeks = weeks_of(rows)

    assert [(week["week"], week["dates"][0]) for week in weeks] == [
        (number, monday + timedelta(weeks=number - 1)) for number in (1, 2, 3)
    ]
    assert [len(day) for day in weeks[1]["days"]] == [0, 0, 1, 0, 0, 0, 0]
    assert weeks_of([]) == []


@pytest.mark.homes
def test_a_home_without_a_plan_offers_one_and_takes_it(home: Home) -> None:
    """Name, race day and goal; the goal gives paces."""
    steps.bring_up_to_date(home, read_settings(home), CLOCK)
    client = client_of(home)

    assert "No plan is chosen." in client.get("/plan").text
    assert client.get("/plan/plan.csv").status_code == 400
    wrong = post(client, "/plan/use", name="half_marathon_beginner", race="soon", goal="2:05:00")
    done = post(client, "/plan/use", name="half_marathon_beginner", race=str(RACE), goal="2:05:00")

    assert (wrong.status_code, done.headers["location"]) == (400, "/plan?said=plan")
    assert "race is &#39;soon&#39;; a day is written as 2026-10-04." in wrong.text
    assert 'name="goal" inputmode="numeric" placeholder="2:05:00" maxlength="7" value="2:05:00"' in wrong.text
    with opened_published(home) as con:
        chosen = con.execute("select plan, race_date, goal_s from plan_choices").fetchall()
    assert chosen == [("half_marathon_beginner", RACE, 7500.0)]


@pytest.mark.homes
@pytest.mark.parametrize(
    ("path", "form", "session_key", "moved_to"),
    [
        ("/plan/move", {"session": LONG_RUN, "to_day": "2026-07-04"}, "3-sun-long", date(2026, 7, 4)),
        ("/plan/move-week", {"week": "5", "days": "-1"}, "5-sun-long", date(2026, 7, 18)),
        ("/plan/holiday", {"from_day": "2026-07-13", "until_day": "2026-07-19"}, "5-sun-long", None),
        ("/plan/race", {"race_day": "2026-10-11"}, "5-sun-long", date(2026, 7, 26)),
    ],
)
def test_a_change_is_made_and_taken_back(
    planned: Home, path: str, form: dict[str, str], session_key: str, moved_to: date | None
) -> None:
    """As `kneewatch plan` does it, and undone by the button."""
    client = client_of(planned)
    before = days_of(planned, session_key)

    assert post(client, path, **form).headers["location"] == "/plan?said=plan"
    assert days_of(planned, session_key) == ([moved_to] if moved_to else [])
    assert "Undo the last change" in client.get("/plan").text
    assert post(client, "/plan/undo").headers["location"] == "/plan?said=undone"
    assert days_of(planned, session_key) == before
    assert "Undo the last change" not in client.get("/plan").text


@pytest.mark.parametrize(
    ("path", "form", "says"),
    [
        ("/plan/move", {"session": LONG_RUN, "to_day": "2027-01-01"}, "That lies outside the plan"),
        ("/plan/move", {"session": LONG_RUN, "to_day": ""}, "to_day is &#39;&#39;"),
        (
            "/plan/move",
            {"session": "2026-07-05 <b>", "to_day": "2026-07-04"},
            "No &lt;b&gt; is planned for 2026-07-05",
        ),
        (
            "/plan/move",
            {"session": "2026-10-04 race", "to_day": "2026-10-03"},
            "The race is no session to move",
        ),
        ("/plan/move-week", {"week": "99", "days": "1"}, "Week 99 of the plan has nothing to move"),
        (
            "/plan/move-week",
            {"week": "5", "days": "7"},
            "days is &#39;7&#39;; allowed is a whole number from -6 to 6",
        ),
        ("/plan/move-week", {"week": "٣", "days": "1"}, "week is"),
        ("/plan/holiday", {"from_day": "2026-07-19", "until_day": "2026-07-13"}, "before it begins"),
        (
            "/plan/holiday",
            {"from_day": "2026-10-01", "until_day": "2026-10-05"},
            "The race lies in these days",
        ),
        ("/plan/race", {"race_day": "0000-00-00"}, "race_day is"),
        ("/plan/race", {"race_day": "9999-12-31"}, "allowed is a day from 1990 to 2100"),
        ("/plan/use", {"name": "../../etc/passwd", "race": str(RACE)}, "There is no plan"),
        ("/plan/use", {"name": "half_marathon_beginner", "race": str(RACE), "goal": "1:00"}, "goal is"),
        ("/plan/undo", {}, "Nothing was changed since this plan was chosen"),
    ],
)
def test_what_cannot_be_changed_is_said_on_the_page(
    planned: Home, path: str, form: dict[str, str], says: str
) -> None:
    """One sentence; the calendar stands below it, and nothing was changed."""
    client = client_of(planned)
    before = days_of(planned, "3-sun-long")

    answer = post(client, path, **form)

    assert answer.status_code == 400
    assert says in answer.text
    assert answer.text.count('<td role="cell"') == 16 * 7
    assert days_of(planned, "3-sun-long") == before


def test_while_others_write_the_form_keeps_what_was_entered(
    planned: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says so after a short wait."""
    monkeypatch.setattr(plan_page, "PATIENCE_S", 0.1)
    with planned.lock.open("a+") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        answer = post(client_of(planned), "/plan/move", session=LONG_RUN, to_day="2026-07-04")

    assert answer.status_code == 503
    assert "is in use by" in answer.text
    assert f'value="{LONG_RUN}" selected' in answer.text
    assert 'max="2026-10-04" value="2026-07-04"' in answer.text


@pytest.mark.homes
def test_a_proposal_is_shown_accepted_and_undone(planned: Home) -> None:
    """Before, after and why of each session; nothing changes until it is accepted."""
    client = client_of(planned)
    page = client.get("/plan").text
    with opened_published(planned) as con:
        changes = con.execute("select count(*), min(reason) from plan_proposal").fetchall()[0]
    assert changes[0] > 0
    assert page.count('data-head="Instead"') == changes[0]
    assert changes[1] in page.replace("\N{NO-BREAK SPACE}", " ")

    assert post(client, "/plan/adjust").headers["location"] == "/plan?said=adjusted"
    accepted = client.get("/plan").text
    assert post(client, "/plan/adjust/undo").headers["location"] == "/plan?said=undone"

    assert "Undo the last adjustment" in accepted
    assert "Undo the last adjustment" not in client.get("/plan").text
    assert post(client, "/plan/adjust/undo").headers["location"] == "/plan?said=nothing_to_undo"


def test_the_plan_comes_as_a_table_and_as_a_calendar(planned: Home) -> None:
    """As files to keep; no other kind, and no path."""
    client = client_of(planned)

    table, calendar = client.get("/plan/plan.csv"), client.get("/plan/plan.ics")

    assert table.headers["content-disposition"] == 'attachment; filename="plan.csv"'
    assert table.text.startswith("week,day,session")
    assert calendar.text.startswith("BEGIN:VCALENDAR")
    assert calendar.text.count("BEGIN:VEVENT") == table.text.count("\n") - 1
    assert client.get("/plan/plan.fit").status_code == 422
