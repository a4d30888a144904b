"""`GET /metrics` for Prometheus: for its own token, or for this machine."""

import hmac

from fastapi import APIRouter, Request, Response

from services.domain.errors import Unauthorized
from services.web.access.loopback import from_this_machine
from services.web.metrics import Metrics
from services.web.problems import PROBLEMS

_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def metrics_router(metrics: Metrics, *, token: str, local: bool) -> APIRouter:
    """The route. `token` is EARSHOT_METRICS_TOKEN, if any. Without it only this machine may ask, and nobody if not `local`."""
    router = APIRouter()

    @router.get(
        "/metrics", response_class=Response, responses={200: {"content": {_TEXT: {}}}, **PROBLEMS}, summary="Metrics for Prometheus"
    )
    async def read(request: Request) -> Response:
        """Numbers of this process, and of the journal that it shares with others, in Prometheus' text format."""
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        with_token = bool(token) and scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode(), token.encode())
        if not with_token and not (local and not sent and from_this_machine(request)):
            raise Unauthorized("Send the token of EARSHOT_METRICS_TOKEN: Authorization: Bearer ...")
        return Response(await metrics.text(), media_type=_TEXT)

    return router
