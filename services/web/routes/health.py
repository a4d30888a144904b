"""`GET /health`: whether calls can be placed. `GET /health/live`: whether the process answers at all."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.desk.desk import CallDesk
from services.domain.errors import JournalError, NotConfigured
from services.journal import Condition
from services.listening.live_sound import LiveSound
from services.support.rfc3339 import rfc3339
from services.web.problems import PROBLEMS, problem_of
from services.web.readiness import readiness_of


def health_router(*, desk: CallDesk, relay: LiveSound, mode: str, version: str) -> APIRouter:
    """The routes. They need no client."""
    router = APIRouter()

    @router.get("/health", responses=PROBLEMS, summary="Whether calls can be placed")
    async def health() -> JSONResponse:
        """200 if calls can be placed, which is proven by a write to the journal; else 503 with what is wrong and since when.

        200 also while dialling is stopped: that is no fault. `sound` says whether calls can be heard, recorded and measured: `ok`;
        `starting` for some seconds, after an interruption; `lost` until Earshot is started again.
        """
        facts = {"mode": mode, "version": version, "sound": relay.state}
        found = await readiness_of(desk)
        if isinstance(found.obstacle, NotConfigured):
            return problem_of(found.obstacle, missing=list(desk.missing), **facts)
        if isinstance(found.obstacle, JournalError):
            return problem_of(found.obstacle, **facts, **_details(found.condition))
        return problem_of(found.obstacle, **facts) if found.obstacle else JSONResponse({"status": "ok", **facts})

    @router.get("/health/live", summary="Whether the process answers")
    async def live() -> JSONResponse:
        """200 as long as the process answers. Restart it if it does not; a broken journal is not mended by a restart."""
        return JSONResponse({"status": "ok", "version": version})

    return router


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
