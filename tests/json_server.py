"""A server on loopback that takes letters as JSON, for the tests of delivery; each says what becomes of a letter."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class JsonServer:
    """Serves until `close`; `answer` gets each letter and returns the status, or None when nothing more is to be said."""

    def __init__(self) -> None:
        answer = self.answer

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                status = answer(self, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                if status is not None:
                    self.send_response(status)
                    self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def answer(self, handler: BaseHTTPRequestHandler, letter: dict[str, str]) -> int | None:
        """Say what becomes of a letter."""
        raise NotImplementedError

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
