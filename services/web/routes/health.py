"""`GET /health`: whether calls can be placed."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.desk.desk import CallDesk
from services.domain.errors import EarshotError, NotConfigured
from services.web.problems import PROBLEMS, problem_of


def health_router(*, desk: CallDesk, mode: str, version: str) -> APIRouter:
    """The route. Needs no client."""
    router = APIRouter()

    @router.get("/health", responses=PROBLEMS, summary="Whether calls can be placed")
    async def health() -> JSONResponse:
        """200 if calls can be placed, else 503 with what is missing. 200 also while dialling is stopped: that is no fault."""
        facts = {"mode": mode, "version": version}
        if desk.missing:
            missing = NotConfigured(f"Set {' and '.join(desk.missing)}, in the environment or in .env, and start again.")
            return problem_of(missing, missing=list(desk.missing), **facts)
        try:
            desk.check_open()
            await desk.journal.ready()
        except EarshotError as error:
            return problem_of(error, **facts)
        return JSONResponse({"status": "ok", **facts})

    return router
