"""The command that serves the web pages."""

from __future__ import annotations

from typing import Annotated

import typer

from kneewatch.options import HomeOption, TodayOption, day_of, home_of, settings_of


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(web)


def web(
    host: Annotated[
        str | None, typer.Option("--host", help="Address to serve on (else that of the settings: 127.0.0.1).")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Port (else that of the settings: 8765).")
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    new_token: Annotated[
        bool, typer.Option("--new-token", help="Make a new access token, which logs everybody out, and end.")
    ] = False,
    home: HomeOption = None,
    today: TodayOption = None,
) -> None:
    """Serve the web pages on this machine, until stopped."""
    folder = home_of(home).prepare()
    settings = settings_of(folder)
    if new_token:
        from kneewatch.web import security

        print(
            f"The new token lies in {security.new_token(folder)}; a page that runs takes it when it is started again."
        )
        return
    import signal
    import sys

    from flows.steps import clock_of
    from kneewatch.web.serving import web_server

    server = web_server(
        folder, settings, host=host, port=port, clock=lambda settings: clock_of(settings, day_of(today))
    )
    print(f"{server.url}  ·  stop with Ctrl-C", flush=True)
    if open_page:
        typer.launch(server.url)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the server ends first, then passes the signal on
    try:
        server.run()
    except KeyboardInterrupt:
        print("Stopped.")
