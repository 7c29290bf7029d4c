"""Alerts to the runner's own channels, by Apprise: the outbox goes out one destination at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TITLES = {
    "info": "Kneewatch: for information",
    "caution": "Kneewatch: caution",
    "warning": "Kneewatch: warning",
    "stop": "Kneewatch: stop",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One alert for one channel, as it stands in the outbox."""

    alert_id: str
    channel: str
    severity: str
    text: str


def send(letters: Sequence[Letter], urls: Mapping[str, str]) -> dict[tuple[str, str], str | None]:
    """Send each letter to its channel; return for (alert_id, channel) None when it was taken, else why not."""
    return {
        (letter.alert_id, letter.channel): _send_one(letter, urls.get(letter.channel)) for letter in letters
    }


def send_text(url: str, title: str, text: str) -> str | None:
    """Send one text to one Apprise URL; return None when it was taken, else why not. Never prints the URL."""
    import apprise  # slow, and most runs send nothing

    destination = apprise.Apprise()
    if not destination.add(url):
        return "the channel's url is not one that Apprise knows"
    if destination.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT):
        return None
    return "the channel did not take it"


def _send_one(letter: Letter, url: str | None) -> str | None:
    if url is None:
        return "the channel is no longer in kneewatch.toml"
    return send_text(url, TITLES[letter.severity], letter.text)
