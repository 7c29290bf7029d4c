"""What machines ask: /healthz for whoever restarts it, /metrics for Prometheus. Numbers, and nothing of anybody."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from kneewatch.health import CONTENT_TYPE, health, metrics
from kneewatch.web.asked import Web
from store.errors import KneewatchError

router = APIRouter()


@router.get("/healthz")
def healthz(request: Request) -> JSONResponse:
    """Say whether nothing is bad, by 200 or 503, and what doctor finds in a moment: what and state alone."""
    is_well, found = health(_web(request).home)
    told = {one["what"]: one["state"] for one in found}
    return JSONResponse({"is_well": is_well, "found": told}, 200 if is_well else 503)


@router.get("/metrics")
def numbers(request: Request) -> Response:
    """Return the numbers of the published copy in Prometheus' text format; 503 before there is one."""
    try:
        return Response(metrics(_web(request).home), media_type=CONTENT_TYPE)
    except KneewatchError as error:
        return Response(f"# {error}\n", 503, media_type=CONTENT_TYPE)


def _web(request: Request) -> Web:
    web: Web = request.app.state.web
    return web
