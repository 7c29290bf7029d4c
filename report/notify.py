"""Alerts to the runner's own channels, by Apprise: the outbox goes out one destination at a time."""

import logging
from dataclasses import dataclass

from report.words import said


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One alert for one channel, as it stands in the outbox; `attempts` counts the tries before this one."""

    alert_id: str
    channel: str
    attempts: int
    severity: str
    text: str


def send(letter: Letter, url: str | None) -> str | None:
    """Send a letter to its channel's URL, None when it has none any more; return None when it was taken, else why not."""
    if url is None:
        return "the channel is no longer in kneewatch.toml"
    return send_text(url, said(f"title.{letter.severity}"), letter.text)


def send_text(url: str, title: str, text: str) -> str | None:
    """Send one text to one Apprise URL; return None when it was taken, else why not. Never tells the URL."""
    import apprise  # slow, and most runs send nothing

    # What Apprise and the libraries below it log or raise may hold the URL, which is a password.
    logging.getLogger("apprise").disabled = True
    try:
        destination = apprise.Apprise()
        if not destination.add(url):
            return "the channel's url is not one that Apprise knows"
        if destination.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT):
            return None
    except Exception as error:  # noqa: BLE001 - a hundred services behind it, and no letter may stop the others
        return f"the channel failed ({type(error).__name__})"
    return "the channel did not take it"
