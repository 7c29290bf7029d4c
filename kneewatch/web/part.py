"""The web pages as a part of `kneewatch serve`."""

from __future__ import annotations

import threading
from collections.abc import Callable

from flows.supervision import Part
from store.home import Home
from store.settings import Settings


def web_pages(home: Home, settings: Settings) -> Part:
    """Return the part that serves the pages on the settings' host and port."""

    def run(stop: threading.Event) -> None:
        from kneewatch.web.serving import web_server  # slow, and what else has to start does not wait for it

        server = web_server(home, settings)
        print(f"Pages: {server.url}", flush=True)
        threading.Thread(target=_stop_when, args=(stop, server.stop), daemon=True).start()
        server.run()

    return Part("web pages", run)


def _stop_when(event: threading.Event, stop: Callable[[], None]) -> None:
    event.wait()
    stop()
