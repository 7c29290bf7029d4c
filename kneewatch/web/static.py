"""Style, script and chart library: served from the installed packages, under names that change with what they hold."""

from __future__ import annotations

import gzip
import threading
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from store.files import write_whole
from store.home import Home

STYLE, VEGA = "kneewatch.css", "vega.js"
SCRIPT = "text/javascript; charset=utf-8"
OWN = {STYLE: "text/css; charset=utf-8", "charts.js": SCRIPT, "plan.js": SCRIPT, "inbox.js": SCRIPT}
SNIPPET = "window.vegaEmbed = vegaEmbed;"
FOR_GOOD = "private, max-age=31536000, immutable"

router = APIRouter()


class Static:
    """
    The files that pages refer to.

    Vega, Vega-Lite and vega-embed come as one script out of vl-convert, which takes seconds to put it together: that is
    done once and kept in the home. It depends on vl-convert's version alone and is named after that.
    """

    def __init__(self, home: Home) -> None:
        self._files = {name: (files("kneewatch.web") / "assets" / name).read_bytes() for name in OWN}
        self._files[STYLE] = (files("report") / "page.css").read_bytes() + self._files[STYLE]
        self._kinds = OWN | {VEGA: SCRIPT}
        self._hashes = {name: _hash(content) for name, content in self._files.items()}
        self._hashes[VEGA] = _hash(f"vl-convert {version('vl-convert-python')} {SNIPPET}".encode())
        self._vega_file = home.state / "web" / f"vega-{self._hashes[VEGA]}.js.gz"
        self._vega_lock = threading.Lock()

    def address(self, name: str) -> str:
        """Return the address of a file, such as /static/vega-0123456789abcdef.js."""
        stem, _, ending = name.rpartition(".")
        return f"/static/{stem}-{self._hashes[name]}.{ending}"

    def prepare(self) -> None:
        """Put the chart library together if this home has none yet."""
        with self._vega_lock:
            if not self._vega_file.exists():
                import vl_convert

                write_whole(
                    self._vega_file,
                    gzip.compress(vl_convert.javascript_bundle(SNIPPET).encode(), 6, mtime=0),
                )

    def response(self, file_name: str, *, takes_gzip: bool) -> Response:
        """
        Return a file.

        Raises:
            HTTPException: If there is none of that name.
        """
        name = next((name for name in self._kinds if self.address(name) == f"/static/{file_name}"), None)
        if name is None:
            raise HTTPException(404, "There is no such file.")
        headers = {"cache-control": FOR_GOOD}
        content = self._files.get(name)
        if content is None:
            self.prepare()
            content = self._vega_file.read_bytes()
            headers |= {"vary": "accept-encoding"}
            if takes_gzip:
                headers |= {"content-encoding": "gzip"}
            else:
                content = gzip.decompress(content)
        return Response(content, media_type=self._kinds[name], headers=headers)


@router.get("/static/{file_name}")
def static_file(request: Request, file_name: str) -> Response:
    """Return a file that pages refer to; the name is looked up and never becomes a path."""
    static: Static = request.app.state.web.static
    return static.response(file_name, takes_gzip="gzip" in request.headers.get("accept-encoding", ""))


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()[:16]
