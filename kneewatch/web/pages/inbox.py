"""The inbox: what came in and what became of it, what was refused and why, and files from the browser."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from flows import steps
from ingest.inbox import left_alone, waiting_files
from kneewatch.web.asked import Asked, AskedFor
from kneewatch.web.uploads import keep_files
from store.lock import holder

TITLE, ADDRESS = "Inbox", "/inbox"
UPLOAD = ADDRESS + "/upload"
BODY_LIMITS = {UPLOAD: 64 * 2**30}
"""Room for several whole archives of platforms; each file has its own limit in the settings."""
SHOWN_WAITING = SHOWN_REFUSED = 50
OUTCOME_WORDS = {
    "ingested": "taken in",
    "partly_ingested": "partly taken in",
    "duplicate": "known already",
    "quarantined": "refused",
    "ignored": "nothing in it to take in",
}

router = APIRouter()


@router.get(ADDRESS)
def inbox(asked: AskedFor) -> Response:
    """Show what came in, what was refused and what waits."""
    return _page(asked)


@router.get(ADDRESS + "/waiting.json")
def waiting(asked: AskedFor) -> Response:
    """Return how many files wait, and whether anything is being taken in."""
    return JSONResponse({"waiting": len(_waiting(asked)), "is_busy": asked.web.work.is_busy})


@router.post(UPLOAD)
async def upload(asked: AskedFor, request: Request) -> Response:
    """Put files into the inbox as they come, and have them taken in."""
    kept, refused = await keep_files(asked.home, asked.athlete, request.state.parts, asked.settings.limits)
    if kept:
        asked.web.work.begin(
            "take in", lambda: steps.take_in_and_review(asked.home, asked.settings, asked.clock)
        )
    if refused:
        also = f" In the inbox: {', '.join(kept)}." if kept else ""
        return await run_in_threadpool(_page, asked, status_code=413, trouble=" ".join(refused) + also)
    return asked.back_to(ADDRESS, said="uploaded" if kept else "nothing_uploaded")


@router.post(ADDRESS + "/retry")
def retry(asked: AskedFor) -> Response:
    """Put what was refused before the readers again, as `kneewatch exports retry` does."""

    def again() -> None:
        steps.retry(asked.home, asked.settings, asked.clock)
        steps.bring_up_to_date(asked.home, asked.settings, asked.clock)

    asked.web.work.begin("retry", again)
    return asked.back_to(ADDRESS, said="retried")


def _page(asked: Asked, *, status_code: int = 200, trouble: str = "") -> Response:
    with asked.web.published.reading() as reading:
        about = {"athlete": asked.athlete, "today": asked.today(reading)}
        refused = reading.ask("refused", **about)
        waits = _waiting(asked)
        return asked.page(
            reading,
            "inbox.html.j2",
            status_code=status_code,
            files=reading.ask("inbox", **about),
            refused=refused[:SHOWN_REFUSED],
            refused_more=max(len(refused) - SHOWN_REFUSED, 0),
            is_quarantined=any(row["outcome"] == "quarantined" for row in refused),
            waiting=waits[:SHOWN_WAITING],
            waiting_more=max(len(waits) - SHOWN_WAITING, 0),
            left_alone=[
                (_shown(asked.home.inbox / name, asked), why)
                for name, why in left_alone(asked.home)
                if _whose(asked.home.inbox / name, asked) == asked.athlete
            ],
            is_busy=asked.web.work.is_busy,
            held_by=holder(asked.home),
            work_trouble=asked.web.work.trouble,
            outcome_words=OUTCOME_WORDS,
            zone=asked.settings.athletes[asked.athlete].zone,
            limits=asked.settings.limits,
            trouble=trouble,
        )


def _waiting(asked: Asked) -> list[str]:
    """Return the names of the athlete's files that lie in the inbox."""
    return [_shown(path, asked) for path in waiting_files(asked.home) if _whose(path, asked) == asked.athlete]


def _whose(path: Path, asked: Asked) -> str:
    folder, *below = path.relative_to(asked.home.inbox).parts
    return folder if below and folder in asked.settings.athletes else asked.settings.default_athlete


def _shown(path: Path, asked: Asked) -> str:
    return str(path.relative_to(asked.home.inbox)).encode(errors="replace").decode()
