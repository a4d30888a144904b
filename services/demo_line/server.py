"""The demo line: Vapi's API, listen sockets and control URLs on a loopback port."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from aiohttp import web
from yarl import URL

from services.demo_line import answers
from services.demo_line.answers import Body, Refusal
from services.demo_line.calls import DemoCall
from services.demo_line.checks import check_control, check_order, select
from services.demo_line.conversation import Tape
from services.demo_line.stream import listen

DEMO_CALL = Path(__file__).parents[2] / "assets" / "demo_call" / "demo_call.flac"
LINES = 10

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_ID = "{id:[0-9a-f-]{36}}"
# Within which requests that are still running at close() have to finish.
_SHUTDOWN_SECONDS = 0.5


class DemoLine:
    """A server that behaves like Vapi, for one account with as many lines as `lines` says, two assistants and two caller IDs.

    `host` and `port` are where it listens (port 0: any that is free), `ring_seconds` how long a call rings, `conversation` a FLAC of
    16 kHz with the customer left and the assistant right, and a JSON of the same name beside it. Nothing is read before the first call.
    `requests` holds the method and path of everything received. `start` raises OSError when the port is taken.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, ring_seconds: float = 3.0, conversation: Path = DEMO_CALL, lines: int = LINES
    ) -> None:
        self.api_key = str(uuid4())
        self.public_key = str(uuid4())
        self.base_url = ""
        self.requests: list[tuple[str, str]] = []
        self._lines = lines
        self._host, self._port, self._ring_seconds = host, port, ring_seconds
        self._org_id = str(uuid4())
        self._assistants = answers.assistants(self._org_id, datetime.now(UTC))
        self._phone_numbers = answers.phone_numbers(self._org_id, datetime.now(UTC))
        self.assistant_id: str = self._assistants[0]["id"]
        self.phone_number_id: str = self._phone_numbers[0]["id"]
        self._calls: dict[str, DemoCall] = {}
        self._tape = Tape(conversation)
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._answer_refusals])
        app.add_routes(
            [
                web.post("/call", self._private(self._place)),
                web.get("/call", self._private(self._list_calls)),
                web.get("/call/{id}", self._private(self._get_call)),
                web.get("/assistant", self._private(self._list_assistants)),
                web.get("/phone-number", self._private(self._list_phone_numbers)),
                web.post(f"/{_ID}/control", self._control),
                web.get(f"/{_ID}/listen", self._listen),
            ]
        )
        return app

    async def start(self) -> None:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except BaseException:
            await self._runner.cleanup()
            raise
        self.base_url = str(URL.build(scheme="http", host=self._host, port=self._runner.addresses[0][1]))

    async def close(self) -> None:
        """Drops what is running: calls stop where they are, their sockets close with 1001. Takes less than a second."""
        for call in self._calls.values():
            await call.close()
        await self._runner.cleanup()
        await self._tape.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def controls(self, call_id: str) -> list[Body]:
        """What was sent to a call's control URL and accepted, oldest first."""
        return list(self._calls[call_id].taken)

    async def _place(self, request: web.Request) -> web.Response:
        order = check_order(await _json(request))
        self._require(order, "assistantId", "Assistant", self._assistants)
        self._require(order, "phoneNumberId", "Phone Number", self._phone_numbers)
        if self._busy >= self._lines:
            raise Refusal(400, answers.OVER_CONCURRENCY)
        call = DemoCall(order, org_id=self._org_id, base_url=self.base_url, ring_seconds=self._ring_seconds, tape=self._tape)
        self._calls[call.id] = call
        if call.behaviour.answer_lost:
            raise Refusal(500, "Internal server error")
        limits = answers.subscription_limits(self._lines, self._busy)
        return web.json_response({"subscriptionLimits": limits} | call.body, status=201)

    @property
    def _busy(self) -> int:
        return sum(call.busy for call in self._calls.values())

    def _require(self, order: Body, field: str, kind: str, known: list[Body]) -> None:
        wanted = order.get(field)
        if wanted is not None and all(body["id"] != wanted for body in known):
            raise Refusal(400, f"Couldn't Get {kind}. `{field}` {wanted} Does Not Exist.")

    async def _list_calls(self, request: web.Request) -> web.Response:
        newest_first = (call.body for call in reversed(self._calls.values()))
        return web.json_response(select(newest_first, request.query, by=("id", "assistantId", "phoneNumberId")))

    async def _get_call(self, request: web.Request) -> web.Response:
        return web.json_response(self._known(request).body)

    async def _list_assistants(self, request: web.Request) -> web.Response:
        return web.json_response(select(self._assistants, request.query))

    async def _list_phone_numbers(self, request: web.Request) -> web.Response:
        return web.json_response(select(self._phone_numbers, request.query))

    async def _control(self, request: web.Request) -> web.Response:
        call = self._running(request, "control")
        control = check_control(await _json(request))
        call.obey(control)
        return web.json_response({"status": "ok"})

    async def _listen(self, request: web.Request) -> web.WebSocketResponse:
        call = self._running(request, "listen")
        if call.behaviour.refuses_early and not call.answered.done():
            raise Refusal(409, "Call Is Not In Progress Yet.")
        return await listen(call, request)

    def _known(self, request: web.Request) -> DemoCall:
        call = self._calls.get(request.match_info["id"])
        if call is None:
            raise Refusal(404, "Call Not Found.")
        return call

    def _running(self, request: web.Request, monitor: str) -> DemoCall:
        """The call that a listen or control URL is of. The URL is all it takes, unless the call's monitorPlan asks for the public key."""
        call = self._known(request)
        if call.monitor_plan.get(f"{monitor}AuthenticationEnabled"):
            _require_key(request, self.public_key)
        if call.ended or f"{monitor}Url" not in call.body["monitor"]:
            raise Refusal(404, "Call Not Found.")
        return call

    def _private(self, handler: _Handler) -> _Handler:
        async def authorized(request: web.Request) -> web.StreamResponse:
            _require_key(request, self.api_key)
            return await handler(request)

        return authorized

    @web.middleware
    async def _answer_refusals(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        self.requests.append((request.method, request.path))
        try:
            return await handler(request)
        except Refusal as refusal:
            return _refused(refusal)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            return _refused(Refusal(404, f"Cannot {request.method} {request.path}"))
        except web.HTTPClientError as error:
            return _refused(Refusal(error.status, error.text or error.reason))


def _require_key(request: web.Request, key: str) -> None:
    header = request.headers.get("Authorization")
    if header is None:
        raise Refusal(401, answers.MISSING_AUTHORIZATION)
    if header != f"Bearer {key}":
        raise Refusal(401, answers.INVALID_KEY)


def _refused(refusal: Refusal) -> web.Response:
    return web.json_response(refusal.body, status=refusal.status)


async def _json(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except ValueError as error:
        raise Refusal(400, str(error)) from error
