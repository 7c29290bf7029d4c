"""Letters to channels, by Apprise: the outbox goes out one letter and one destination at a time."""

import logging
import queue
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from report.digest_mail import CHART, digest_html
from store.settings import Channel

TITLES = {
    "info": "for information",
    "caution": "caution",
    "warning": "warning",
    "stop": "stop",
    "digest": "the week",
}
TITLE = "Kneewatch: {what}"
TITLE_WITH_NAME = "Kneewatch, {name}: {what}"
SHARED = "{name} shares this with you; “you” in it means {name}.\n\n"

GONE = "the channel is no longer in kneewatch.toml"
NO_URL = "the channel's url is not one that Apprise knows"
NO_ANSWER = "the channel did not answer in time"
NOT_REACHED = "the channel could not be reached, or broke off"
REFUSED = "the channel refused it ({code})"
NOT_TAKEN = "the channel did not take it"
FAILED = "the channel failed ({kind})"

LONGEST_SEND_S = 20.0
"""Apprise waits 4 s for an answer by HTTP and 15 s by SMTP, but for each piece of it; this is for all of it."""
_BROKEN = re.compile(r"onnection (?:error|unexpectedly|lost|reset)")
_CODE = re.compile(r"error=([0-9]{3})\b|\(([0-9]{3}), b")


class Picture(NamedTuple):
    """A PNG that a mail shows where its HTML says `cid:` and this name."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """
    One alert or digest for one channel, as it stands in the outbox.

    Attributes:
        letter_id: Id of the alert or of the digest.
        attempts: Tries before this one.
        kind: Severity of the alert, or digest.
        is_medical: Whether it waits for no other letter.
        chart_png: The picture that a mail has in it; None without one.
    """

    letter_id: str
    channel: str
    attempts: int
    athlete: str
    kind: str
    is_medical: bool
    text: str
    chart_png: bytes | None = None


def send(letter: Letter, channel: Channel | None, name: str | None) -> str | None:
    """
    Send a letter to its channel; return None when it was taken, else why not.

    Args:
        letter: What to send.
        channel: Where to; None when there is no such channel any more.
        name: What to call the athlete, where whoever reads it may hear of several or is another.
    """
    if channel is None:
        return GONE
    title, text = addressed(letter, channel, name)
    html, pictures = (
        _as_mail(title, text, letter.chart_png)
        if letter.kind == "digest" and takes_pictures(channel)
        else (None, ())
    )
    return send_text(channel.url.get_secret_value(), title, text, html=html, pictures=pictures)


def takes_pictures(channel: Channel) -> bool:
    """Tell whether a channel is a mail by SMTP: of what Apprise knows, only these show a picture within the text."""
    return channel.url.get_secret_value().lower().startswith(("mailto:", "mailtos:"))


def addressed(letter: Letter, channel: Channel, name: str | None) -> tuple[str, str]:
    """Return (title, text) of a letter as this channel gets it; arguments as of `send`."""
    title = (TITLE if name is None else TITLE_WITH_NAME).format(name=name, what=TITLES[letter.kind])
    is_shared = channel.role != "runner" and letter.kind != "digest"  # a digest speaks to nobody
    return title, SHARED.format(name=name) + letter.text if is_shared else letter.text


def send_text(
    url: str,
    title: str,
    text: str,
    *,
    html: str | None = None,
    pictures: Sequence[Picture] = (),
    patience_s: float = LONGEST_SEND_S,
) -> str | None:
    """
    Send one text to one Apprise URL; return None when it was taken, else why not. Never tells the URL.

    Where the URL is that of mails, `html` with its pictures goes out, with a text made of it before it; elsewhere, and for
    mails that are to be plain (format=text), `text` alone.

    A channel that has not done with it after `patience_s` counts as failed, although it may take the text later.
    """
    answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    sending = threading.Thread(
        target=lambda: answers.put(_send_text(url, title, text, html, pictures)), daemon=True
    )
    sending.start()
    try:
        return answers.get(timeout=patience_s)
    except queue.Empty:
        return NO_ANSWER


def _send_text(url: str, title: str, text: str, html: str | None, pictures: Sequence[Picture]) -> str | None:
    try:
        import apprise  # slow, and most runs send nothing
        from apprise.attachment.memory import AttachMemory

        said = _listen_to_apprise()
        destination = apprise.Apprise()
        if not destination.add(url):
            return NO_URL
        if html is not None and all(_shows_html(mail) for mail in destination):
            for mail in destination:
                mail.inline = True  # type: ignore[attr-defined]  # the pictures stand where the HTML says, and not below it to be opened
            body, kind = html, apprise.NotifyFormat.HTML
            attached = [
                AttachMemory(content=one.content, name=one.name, mimetype="image/png")  # type: ignore[no-untyped-call]
                for one in pictures
            ]
        else:
            body, kind, attached = text, apprise.NotifyFormat.TEXT, []
        if destination.notify(body=body, title=title, body_format=kind, attach=attached or None):
            return None
    except Exception as error:  # noqa: BLE001 - a hundred services behind it, and no letter may stop the others
        return FAILED.format(kind=type(error).__name__)
    return _why("\n".join(said))


def _shows_html(destination: object) -> bool:
    from apprise import NotifyFormat
    from apprise.plugins.email import NotifyEmail

    return isinstance(destination, NotifyEmail) and destination.notify_format == NotifyFormat.HTML


def _as_mail(title: str, text: str, chart_png: bytes | None) -> tuple[str, list[Picture]]:
    pictures = [Picture(CHART, chart_png)] if chart_png else []
    return digest_html(text, title=title, chart=CHART if pictures else None), pictures


def _why(said: str) -> str:
    """Return why Apprise failed, in our own words: its own hold hosts, paths and answers, and so may hold passwords."""
    if code := _CODE.search(said):
        return REFUSED.format(code=code[1] or code[2])
    if "timed out" in said:
        return NO_ANSWER
    return NOT_REACHED if _BROKEN.search(said) else NOT_TAKEN


class _Listener(logging.Handler):
    """Keeps what Apprise says in a thread for that thread alone, and lets nobody else hear of it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        getattr(self.heard, "lines", []).append(record.getMessage())


_listener = _Listener()


def _listen_to_apprise() -> list[str]:
    """Return the list to which Apprise's own words go from now on, in this thread; no log gets them."""
    logger = logging.getLogger("apprise")
    logger.handlers, logger.propagate = [_listener], False
    logger.setLevel(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(
        logging.WARNING
    )  # below that it writes down the paths that it asks for
    _listener.heard.lines = []
    lines: list[str] = _listener.heard.lines
    return lines
