"""`GET /health`: whether calls can be placed. `GET /health/live`: whether the process answers at all."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.desk.desk import CallDesk
from services.domain.errors import EarshotError, JournalError, NotConfigured
from services.journal import Condition
from services.support.rfc3339 import rfc3339
from services.web.problems import PROBLEMS, problem_of


def health_router(*, desk: CallDesk, mode: str, version: str) -> APIRouter:
    """The routes. They need no client."""
    router = APIRouter()

    @router.get("/health", responses=PROBLEMS, summary="Whether calls can be placed")
    async def health() -> JSONResponse:
        """200 if calls can be placed, which is proven by a write to the journal; else 503 with what is wrong and since when.

        200 also while dialling is stopped: that is no fault.
        """
        facts = {"mode": mode, "version": version}
        try:
            if desk.missing:
                missing = NotConfigured(f"Set {' and '.join(desk.missing)}, in the environment or in .env, and start again.")
                return problem_of(missing, missing=list(desk.missing), **facts)
            desk.check_open()
        except EarshotError as error:
            return problem_of(error, **facts)
        found = await desk.journal.condition()
        if trouble := _trouble(found, desk.limits.at_once):
            return problem_of(JournalError(trouble), **facts, **_details(found))
        return JSONResponse({"status": "ok", **facts})

    @router.get("/health/live", summary="Whether the process answers")
    async def live() -> JSONResponse:
        """200 as long as the process answers. Restart it if it does not; a broken journal is not mended by a restart."""
        return JSONResponse({"status": "ok", "version": version})

    return router


def _trouble(found: Condition, at_once: int | None) -> str | None:
    if found.trouble:
        return found.trouble
    if at_once and found.abandoned >= at_once:
        return (
            f"All {at_once} slots (EARSHOT_CONCURRENT_CALLS) are held by dials of unknown outcome that nobody searches for any more, so no"
            " call can be placed. Look at Vapi's dashboard whether these calls run, and free the slots of those that do not."
        )
    return None


def _details(found: Condition) -> dict[str, Any]:
    return {
        "since": found.since and rfc3339(found.since),
        "waiting": {
            "facts": found.waiting,
            "since": found.waiting_since and rfc3339(found.waiting_since),
            "rejected": found.rejected,
        },
        "slots": {"taken": found.taken, "abandoned": found.abandoned},
    }
