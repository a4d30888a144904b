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

from services.demo_line import responses
from services.demo_line.call import DemoCall
from services.demo_line.conversation import ConversationFile
from services.demo_line.listen_socket import listen
from services.demo_line.recording import DemoRecordings
from services.demo_line.responses import Body, Refusal
from services.demo_line.validation import check_control, check_order, select

DEMO_CALL = Path(__file__).parents[2] / "assets" / "demo_call" / "demo_call.flac"
LINES = 10

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_ID = "{id:[0-9a-f-]{36}}"
# Running requests have this long to finish after close().
_SHUTDOWN_SECONDS = 0.5


class DemoLine:
    """A server that behaves like Vapi, for one account with two assistants and two caller IDs.

    `host`, `port`: address to listen on; port 0 chooses a free one.
    `ring_seconds`: how long a call rings.
    `conversation`: FLAC at 16 kHz, customer left and assistant right, with a JSON of the same name beside it; read at the first call.
    `lines`: how many calls the account may have at once.

    `requests` has the method and path of every request received. `start` raises OSError if the port is taken.
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
        self._assistants = responses.assistants(self._org_id, datetime.now(UTC))
        self._phone_numbers = responses.phone_numbers(self._org_id, datetime.now(UTC))
        self.assistant_id: str = self._assistants[0]["id"]
        self.phone_number_id: str = self._phone_numbers[0]["id"]
        self._calls: dict[str, DemoCall] = {}
        self._erased: set[str] = set()
        self._file = ConversationFile(conversation)
        self._recordings = DemoRecordings()
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._refusals_to_responses])
        app.add_routes(
            [
                web.post("/call", self._with_api_key(self._place)),
                web.get("/call", self._with_api_key(self._list_calls)),
                web.get("/call/{id}", self._with_api_key(self._get_call)),
                web.delete("/call/{id}", self._with_api_key(self._delete_call)),
                web.get("/call/{id}/{kind:stereo|mono}-recording", self._with_api_key(self._recording)),
                web.get("/storage/{id}/{kind:stereo|mono}.wav", self._stored_recording),
                web.get("/assistant", self._with_api_key(self._list_assistants)),
                web.get("/assistant/{id}", self._with_api_key(self._get_assistant)),
                web.get("/phone-number/{id}", self._with_api_key(self._get_phone_number)),
                web.get("/phone-number", self._with_api_key(self._list_phone_numbers)),
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
        """Stops all calls in the state they are in and closes their sockets with 1001. Takes less than a second."""
        for call in self._calls.values():
            await call.close()
        await self._runner.cleanup()
        await self._file.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def controls(self, call_id: str) -> list[Body]:
        """The messages that a call's control URL accepted, oldest first."""
        return list(self._calls[call_id].controls_received)

    async def _place(self, request: web.Request) -> web.Response:
        order = check_order(await _json(request))
        self._require(order, "assistantId", "Assistant", self._assistants)
        self._require(order, "phoneNumberId", "Phone Number", self._phone_numbers)
        if self._busy_lines >= self._lines:
            raise Refusal(400, responses.OVER_CONCURRENCY)
        call = DemoCall(order, org_id=self._org_id, base_url=self.base_url, ring_seconds=self._ring_seconds, file=self._file)
        self._calls[call.id] = call
        if call.behaviour.answer_lost:
            raise Refusal(500, "Internal server error")
        limits = responses.subscription_limits(self._lines, self._busy_lines)
        return web.json_response({"subscriptionLimits": limits} | call.body, status=201)

    @property
    def _busy_lines(self) -> int:
        return sum(call.busy for call in self._calls.values())

    def _require(self, order: Body, field: str, kind: str, known: list[Body]) -> None:
        chosen = order.get(field)
        if chosen is not None and all(body["id"] != chosen for body in known):
            raise Refusal(400, f"Couldn't Get {kind}. `{field}` {chosen} Does Not Exist.")

    async def _list_calls(self, request: web.Request) -> web.Response:
        newest_first = (call.body for call in reversed(self._calls.values()) if call.id not in self._erased)
        return web.json_response(select(newest_first, request.query, by=("id", "assistantId", "phoneNumberId")))

    async def _get_call(self, request: web.Request) -> web.Response:
        return web.json_response(self._find(request).body)

    async def _delete_call(self, request: web.Request) -> web.Response:
        """Erases a call's data. A scheduled call never begins; a running one goes on, as at Vapi."""
        call = self._find(request)
        if call.body["status"] == "scheduled":
            await call.close()
        self._erased.add(call.id)
        return web.json_response(call.body)

    async def _recording(self, request: web.Request) -> web.Response:
        """Redirects to the sound, as Vapi does since its storage became private."""
        address = self._recordings.address(self.base_url, self._find(request), request.match_info["kind"])
        return web.Response(status=302, headers={"Location": address})

    async def _stored_recording(self, request: web.Request) -> web.Response:
        return self._recordings.serve(self._find(request), request.match_info["kind"], request)

    async def _list_assistants(self, request: web.Request) -> web.Response:
        return web.json_response(select(self._assistants, request.query))

    async def _list_phone_numbers(self, request: web.Request) -> web.Response:
        return web.json_response(select(self._phone_numbers, request.query))

    async def _get_assistant(self, request: web.Request) -> web.Response:
        return web.json_response(_named(self._assistants, request, "Assistant"))

    async def _get_phone_number(self, request: web.Request) -> web.Response:
        return web.json_response(_named(self._phone_numbers, request, "Phone Number"))

    async def _control(self, request: web.Request) -> web.Response:
        call = self._running(request, "control")
        control = check_control(await _json(request))
        call.receive(control)
        return web.json_response({"status": "ok"})

    async def _listen(self, request: web.Request) -> web.WebSocketResponse:
        call = self._running(request, "listen")
        if call.behaviour.refuses_early and not call.answered.done():
            raise Refusal(409, "Call Is Not In Progress Yet.")
        return await listen(call, request)

    def _find(self, request: web.Request) -> DemoCall:
        call = self._calls.get(request.match_info["id"])
        if call is None or call.id in self._erased:
            raise Refusal(404, "Call Not Found.")
        return call

    def _running(self, request: web.Request, monitor: str) -> DemoCall:
        """The call of a listen or control URL. The URL alone gives access, unless the call's monitorPlan requires the public key."""
        call = self._find(request)
        if call.monitor_plan.get(f"{monitor}AuthenticationEnabled"):
            _require_key(request, self.public_key)
        if call.ended or f"{monitor}Url" not in call.body["monitor"]:
            raise Refusal(404, "Call Not Found.")
        return call

    def _with_api_key(self, handler: _Handler) -> _Handler:
        async def authorized(request: web.Request) -> web.StreamResponse:
            _require_key(request, self.api_key)
            return await handler(request)

        return authorized

    @web.middleware
    async def _refusals_to_responses(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        self.requests.append((request.method, request.path))
        try:
            return await handler(request)
        except Refusal as refusal:
            return _error_response(refusal)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            return _error_response(Refusal(404, f"Cannot {request.method} {request.path}"))
        except web.HTTPClientError as error:
            return _error_response(Refusal(error.status, error.text or error.reason))


def _named(bodies: list[Body], request: web.Request, kind: str) -> Body:
    """The body whose id is in the request's path."""
    found = next((body for body in bodies if body["id"] == request.match_info["id"]), None)
    if found is None:
        raise Refusal(404, f"{kind} Not Found.")
    return found


def _require_key(request: web.Request, key: str) -> None:
    header = request.headers.get("Authorization")
    if header is None:
        raise Refusal(401, responses.MISSING_AUTHORIZATION)
    if header != f"Bearer {key}":
        raise Refusal(401, responses.INVALID_KEY)


def _error_response(refusal: Refusal) -> web.Response:
    return web.json_response(refusal.body, status=refusal.status)


async def _json(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except ValueError as error:
        raise Refusal(400, str(error)) from error
