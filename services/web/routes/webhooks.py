"""The routes of webhooks: where Earshot sends its events, what came of each, and sending one again."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from services.domain.client import Scope
from services.journal import Delivery, DeliveryState, Endpoint, EventKind
from services.support.rfc3339 import rfc3339
from services.web.access.current_client import client_of
from services.web.problems import PROBLEMS, allow_only
from services.webhooks_out.endpoints import LONGEST_URL, Endpoints

_EVENTS = "Which events it gets; empty: all but `call.measures.live`"


class WebhookRequest(BaseModel):
    """`{"url": "https://crm.example/earshot"}`."""

    model_config = ConfigDict(extra="forbid")

    url: StrictStr = Field(
        min_length=1, max_length=LONGEST_URL, description="Gets each event by POST. https, unless EARSHOT_WEBHOOK_NETWORKS names it"
    )
    events: list[EventKind] = Field(default=[], max_length=len(EventKind), description=_EVENTS)


class EventsRequest(BaseModel):
    """`{"events": ["call.ended"]}`."""

    model_config = ConfigDict(extra="forbid")

    events: list[EventKind] = Field(max_length=len(EventKind), description=_EVENTS)


class WebhookAnswer(BaseModel):
    id: str
    host: str = Field(description="The host of the address, which itself may hold secrets")
    events: list[EventKind] = Field(description=_EVENTS)
    createdAt: datetime
    createdBy: str
    disabledAt: datetime | None = Field(description="When it answered 410 or was disabled, and so gets no more events")
    waiting: int = Field(description="Events that are still to be sent")
    waitingSince: datetime | None = Field(description="When the oldest of them happened; null if none waits")


class NewWebhookAnswer(WebhookAnswer):
    secret: str = Field(description="Checks the signatures, by the libraries of Standard Webhooks. It is shown only now")


class WebhooksAnswer(BaseModel):
    webhooks: list[WebhookAnswer]


class DeliveryAnswer(BaseModel):
    """An event, and what came of it."""

    id: int
    event: EventKind
    callId: str
    at: datetime
    state: DeliveryState
    attempts: int
    nextAttemptAt: datetime | None = Field(description="null unless it waits, and while an earlier event of its call waits")
    status: int | None = Field(description="The HTTP status of the last attempt")
    problem: str = Field(
        description="Why the last attempt got no answer: `no_answer`, `unreachable`, `private_address`, or `no_body` if Earshot could not "
        "make the event; else empty"
    )


class DeliveriesAnswer(BaseModel):
    """The newest events first."""

    deliveries: list[DeliveryAnswer]


Count = Annotated[int, Query(ge=1, le=200)]
DeliveryId = Annotated[int, Path(ge=1, le=2**53)]


def webhooks_router(endpoints: Endpoints) -> APIRouter:
    """`/api/webhooks`."""
    return _WebhookRoutes(endpoints).router()


class _WebhookRoutes:
    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    def router(self) -> APIRouter:
        router = APIRouter(responses=PROBLEMS)
        base = "/api/webhooks"
        one = f"{base}/{{webhook_id}}"
        made: dict[int | str, dict[str, Any]] = {201: {"model": NewWebhookAnswer, "description": "The webhook, with its secret"}}
        add = router.add_api_route
        add(base, self.all, response_model=WebhooksAnswer, summary="The webhooks")
        add(base, self.add, methods=["POST"], status_code=201, responses=made, summary="Add a webhook")
        add(one, self.remove, methods=["DELETE"], status_code=204, summary="Delete a webhook")
        add(f"{one}/enable", self.enable, methods=["POST"], response_model=WebhookAnswer, summary="Enable a webhook again")
        add(f"{one}/disable", self.disable, methods=["POST"], response_model=WebhookAnswer, summary="Disable a webhook")
        add(f"{one}/events", self.choose, methods=["POST"], response_model=WebhookAnswer, summary="Choose what a webhook gets")
        add(f"{one}/deliveries", self.deliveries, response_model=DeliveriesAnswer, summary="What a webhook was sent")
        again = f"{one}/deliveries/{{delivery_id}}/again"
        add(again, self.again, methods=["POST"], response_model=DeliveryAnswer, summary="Send an event again")
        allow_only(router, base, "GET", "POST")
        return router

    async def all(self, request: Request) -> JSONResponse:
        """Where Earshot sends its events, oldest first."""
        client_of(request, Scope.MANAGE)
        return JSONResponse({"webhooks": [_webhook(endpoint) for endpoint in await self._endpoints.all()]})

    async def add(self, request: Request, body: WebhookRequest) -> JSONResponse:
        """From now on this address gets events, signed as Standard Webhooks says. What it does not accept is sent again for 24 hours. If it
        answers 410, it is disabled. Needs the scope `read` too, since events have what it shows."""
        client_of(request, Scope.READ)
        endpoint = await self._endpoints.add(body.url, body.events, client_of(request, Scope.MANAGE))
        return JSONResponse(_webhook(endpoint) | {"secret": endpoint.secret}, 201)

    async def remove(self, request: Request, webhook_id: str) -> Response:
        """With its log, and with what is still to be sent."""
        await self._endpoints.remove(webhook_id, client_of(request, Scope.MANAGE))
        return Response(status_code=204)

    async def enable(self, request: Request, webhook_id: str) -> JSONResponse:
        """Sends it events again, first those that wait. Nothing changes if it was not disabled."""
        return JSONResponse(_webhook(await self._endpoints.enable(webhook_id, client_of(request, Scope.MANAGE))))

    async def disable(self, request: Request, webhook_id: str) -> JSONResponse:
        """Sends it no more events. What happens until it is enabled again is not sent to it; what waits already is kept."""
        return JSONResponse(_webhook(await self._endpoints.disable(webhook_id, client_of(request, Scope.MANAGE))))

    async def choose(self, request: Request, webhook_id: str, body: EventsRequest) -> JSONResponse:
        """From now on it gets these events. Needs the scope `read` too."""
        client_of(request, Scope.READ)
        return JSONResponse(_webhook(await self._endpoints.choose(webhook_id, body.events, client_of(request, Scope.MANAGE))))

    async def deliveries(self, request: Request, webhook_id: str, limit: Count = 50) -> JSONResponse:
        """The newest first. They are kept for 30 days."""
        client_of(request, Scope.MANAGE)
        return JSONResponse({"deliveries": [_delivery(sent) for sent in await self._endpoints.deliveries(webhook_id, limit)]})

    async def again(self, request: Request, webhook_id: str, delivery_id: DeliveryId) -> JSONResponse:
        """With the same `webhook-id`, so that a receiver that has it can tell."""
        return JSONResponse(_delivery(await self._endpoints.again(webhook_id, delivery_id, client_of(request, Scope.MANAGE))))


def _webhook(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "host": urlsplit(endpoint.url).hostname or "",
        "events": [kind.value for kind in endpoint.kinds],
        "createdAt": rfc3339(endpoint.made_at),
        "createdBy": endpoint.made_by,
        "disabledAt": rfc3339(endpoint.disabled_at),
        "waiting": endpoint.waiting,
        "waitingSince": rfc3339(endpoint.waiting_since),
    }


def _delivery(sent: Delivery) -> dict[str, Any]:
    return {
        "id": sent.id,
        "event": sent.kind.value,
        "callId": sent.call_id,
        "at": rfc3339(sent.at),
        "state": sent.state.value,
        "attempts": sent.attempts,
        "nextAttemptAt": rfc3339(sent.next_at) if sent.state is DeliveryState.WAITING else None,
        "status": sent.status,
        "problem": sent.problem,
    }
