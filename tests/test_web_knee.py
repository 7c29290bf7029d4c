"""The page of the knees: how each stands, its questionnaires, the chart, and the report for a physio."""

from __future__ import annotations

from datetime import date

import pytest
from starlette.testclient import TestClient

from flows import steps
from flows.steps import Clock
from kneewatch.web.app import create_app
from store.database import opened_published
from store.home import Home
from store.settings import read_settings
from tests.test_web import CLOCK, HERE, HOST, client_of, post

OSTRC = {"participation": "2", "volume": "3", "performance": "2", "pain": "3"}


@pytest.fixture
def client(home: Home) -> TestClient:
    """A browser on this machine, and a home in which nothing is noted of a knee."""
    steps.bring_up_to_date(home, read_settings(home), CLOCK)
    return client_of(home)


def test_of_a_knee_that_was_never_reported_nothing_is_claimed(client: TestClient) -> None:
    """Not reported, which is not no pain; and the way to note it."""
    page = client.get("/knee").text

    assert page.count("not taken for no pain") == 2
    assert page.count("does not mean there was no pain") == 2
    assert 'href="/"' in page


def test_answers_are_kept_scored_and_shown(home: Home, client: TestClient) -> None:
    """By the same rules as on the command line; a later answer of the same day takes the place of the first."""
    first = post(client, "/knee/ostrc_o2/right", **OSTRC)
    again = post(client, "/knee/ostrc_o2/right", **OSTRC | {"volume": "2"})

    with opened_published(home) as con:
        scored = con.execute("select side, kind, score, is_substantial from questionnaire_scores").fetchall()
    assert (first.status_code, again.headers["location"]) == (303, "/knee?said=pain")
    assert scored == [("right", "ostrc_o2", 41.0, False)]
    assert "OSTRC-O2 41 of 100" in client.get("/knee").text


def test_what_is_missing_in_an_answer_is_named_and_the_rest_still_stands(client: TestClient) -> None:
    """Nothing is kept; five of the eleven items of KOOS-PF are no score."""
    few = post(client, "/knee/koos_pf/left", **{f"koos_pf_{number}": "3" for number in range(1, 6)})
    none = post(client, "/knee/ostrc_o2/left", participation="2")

    assert few.status_code == none.status_code == 400
    assert "5 of the 11 items are answered" in few.text
    assert few.text.count('<option value="3" selected>') == 5
    assert "Not noted: volume is empty" in none.text


@pytest.mark.parametrize("path", ["/knee/ostrc_o2/both", "/knee/another/left", "/knee/../../etc/left"])
def test_other_knees_and_questionnaires_are_none(client: TestClient, path: str) -> None:
    """Only two of each are known."""
    assert post(client, path, **OSTRC).status_code in (404, 422)


def test_the_chart_and_the_report_for_a_physio_are_of_the_knee_that_is_asked_for(sample_home: Home) -> None:
    """Mara's right knee hurt in sixteen weeks; a day without a report has no point."""
    clock = Clock(CLOCK.now.replace(month=10, day=3), date(2026, 10, 3))
    client = TestClient(create_app(sample_home, allowed_hosts=[HOST], clock=lambda _: clock), base_url=HERE)

    left, right = (client.get(f"/charts/knee-{side}.json").json() for side in ("left", "right"))
    physio = client.get("/knee/physio.html", params={"side": "right"})

    days = [
        next(iter(one["datasets"].values())) if "datasets" in one else one["data"]["values"]
        for one in (left, right)
    ]
    assert [len(one) for one in days] == [112, 112]
    assert any(day["pain"] is None for day in days[1])
    assert max(day["pain"] or 0 for day in days[1]) > max(day["pain"] or 0 for day in days[0])
    assert physio.headers["content-disposition"] == 'attachment; filename="knee-right.html"'
    assert "right knee" in physio.text.lower()
    assert client.get("/knee/physio.html", params={"side": "both"}).status_code == 422
