"""The settings to read: every value in force, where it comes from and how to change it; and a test of each channel."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from fastapi.responses import Response

from flows import steps
from flows.plans import plan_choice
from kneewatch.web.asked import PATIENCE_S, Asked, AskedFor
from report.notify import send_text
from report.values import in_words
from report.words import said
from store.lock import BusyError
from store.settings import KEY_PATTERN, Origin, origins

TITLE, ADDRESS = "Settings", "/settings"
GROUPS = {
    "athletes": "You",
    "": "All",
    "alerts": "Alerts",
    "channels": "Channels",
    "schedules": "Schedules",
    "limits": "Limits",
    "web": "Web pages",
}
"""The tables of kneewatch.toml, in the order of the page; what stands in none is in the one without a name."""

router = APIRouter()


@router.get(ADDRESS)
def settings(asked: AskedFor) -> Response:
    """Show every value."""
    return _page(asked)


@router.post(ADDRESS + "/channels/{name}/test")
def test_channel(asked: AskedFor, name: Annotated[str, Path(pattern=KEY_PATTERN)]) -> Response:
    """Send a test message to a channel and, if it takes that, what was waiting for it."""
    channel = asked.settings.channels.get(name)
    if channel is None:
        raise HTTPException(404)
    error = send_text(channel.url.get_secret_value(), said("title.test"), said("letter.test"))
    if error:
        return _page(asked, status_code=502, trouble=f"{name}: {error}.")
    # Whoever is writing now delivers what waits as well.
    with suppress(BusyError), steps.waiting_at_most(PATIENCE_S):
        steps.deliver_waiting(asked.home, asked.settings, asked.clock, [name])
    return asked.back_to(ADDRESS, said="delivered")


def _page(asked: Asked, *, status_code: int = 200, trouble: str = "") -> Response:
    with asked.web.published.reading() as reading:
        day = asked.today(reading)
        own = asked.settings.athletes[asked.athlete]
        shown = asked.settings.model_copy(update={"athletes": {asked.athlete: own}})
        grouped: dict[str, list[Origin]] = {group: [] for group in GROUPS}
        for origin in origins(asked.home, shown):
            grouped[origin.place[0] if len(origin.place) > 1 else ""].append(origin)
        known = reading.ask("athlete_values", athlete=asked.athlete, today=day)
        return asked.page(
            reading,
            "settings.html.j2",
            status_code=status_code,
            groups=[(title, grouped[group]) for group, title in GROUPS.items()],
            values=[in_words(row, asked.units) for row in known],
            choice=plan_choice(reading.con, asked.settings, asked.athlete, today=day),
            channels=asked.settings.channels,
            went={row["channel"]: row for row in reading.ask("channels", athlete=asked.athlete, today=day)},
            zone=own.zone,
            file=str(asked.home.settings_file),
            trouble=trouble,
        )
