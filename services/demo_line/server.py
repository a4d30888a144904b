"""The demo line: Vapi's API, listen sockets and control URLs on a loopback port."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from aiohttp import web
from yarl import URL

from services.demo_line import responses
from services.demo_line.account import Account
from services.demo_line.call import DemoCall
from services.demo_line.json_body import read_json
from services.demo_line.lines import Lines
from services.demo_line.listen_socket import listen
from services.demo_line.recording import DemoRecordings
from services.demo_line.responses import Body, Refusal
from services.demo_line.sounds import FOLDER, Sounds
from services.demo_line.validation import batch_of, check_changes, check_control, check_order, select

DEMO_CALL = FOLDER / "demo_call.flac"
LINES = 10

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_ID = "{id:[0-9a-f-]{36}}"
# Running requests have this long to finish after close().
_SHUTDOWN_SECONDS = 0.5


class DemoLine:
    """A server that behaves like Vapi, for one account with two assistants, a squad and two caller IDs.

    `host`, `port`: address to listen on; port 0 chooses a free one.
    `ring_seconds`: how long a call rings.
    `conversation`: FLAC at 16 kHz, customer left and assistant right, with a JSON of the same name beside it; read at the first call.
    `lines`: how many calls the account may have at once; others wait.

    `requests` has the method and path of every request received. `start` raises OSError if the port is taken.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, ring_seconds: float = 3.0, conversation: Path = DEMO_CALL, lines: int = LINES
    ) -> None:
        self.api_key = str(uuid4())
        self.public_key = str(uuid4())
        self.base_url = ""
        self.requests: list[tuple[str, str]] = []
        self._lines = Lines(lines)
        self._host, self._port, self._ring_seconds = host, port, ring_seconds
        self._org_id = str(uuid4())
        self._account = Account(self._org_id)
        self.assistant_id: str = self._account.assistants[0]["id"]
        self.phone_number_id: str = self._account.phone_numbers[0]["id"]
        self.squad_id: str = self._account.squads[0]["id"]
        self._calls: dict[str, DemoCall] = {}
        self._erased: set[str] = set()
        self._sounds = Sounds(conversation)
        self._recordings = DemoRecordings()
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._refusals_to_responses])
        app.add_routes(
            [
                web.post("/call", self._with_api_key(self._place)),
                web.get("/call", self._with_api_key(self._list_calls)),
                web.get("/call/{id}", self._with_api_key(self._get_call)),
                web.patch("/call/{id}", self._with_api_key(self._change_call)),
                web.delete("/call/{id}", self._with_api_key(self._delete_call)),
                web.get("/call/{id}/{kind:stereo|mono}-recording", self._with_api_key(self._recording)),
                web.get("/storage/{id}/{kind:stereo|mono}.wav", self._stored_recording),
                web.get("/v2/phone-number", self._with_api_key(self._account.phone_numbers_page)),
                web.post(f"/{_ID}/control", self._control),
                web.get(f"/{_ID}/listen", self._listen),
            ]
        )
        for path, kind in self._account.resources.items():
            one = f"{path}/{{id}}"
            app.add_routes(
                [
                    web.get(path, self._with_api_key(kind.listed)),
                    web.post(path, self._with_api_key(kind.create)),
                    web.get(one, self._with_api_key(kind.one)),
                    web.patch(one, self._with_api_key(kind.change)),
                    web.delete(one, self._with_api_key(kind.delete)),
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
        await self._sounds.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def controls(self, call_id: str) -> list[Body]:
        """The messages that a call's control URL accepted, oldest first."""
        return list(self._calls[call_id].controls_received)

    async def _place(self, request: web.Request) -> web.Response:
        order = check_order(await read_json(request))
        self._account.require(order)
        if "customers" in order:
            orders, errors = batch_of(order)
            calls = [self._begin(order) for order in orders]
            limits = responses.subscription_limits(self._lines, blocked=any(call.blocked for call in calls))
            return web.json_response({"subscriptionLimits": limits, "results": [call.body for call in calls], "errors": errors}, status=201)
        call = self._begin(order)
        if call.behaviour.answer_lost:
            raise Refusal(500, "Internal server error")
        limits = responses.subscription_limits(self._lines, blocked=call.blocked)
        return web.json_response({"subscriptionLimits": limits} | call.body, status=201)

    def _begin(self, order: Body) -> DemoCall:
        call = DemoCall(
            order,
            org_id=self._org_id,
            base_url=self.base_url,
            ring_seconds=self._ring_seconds,
            sounds=self._sounds,
            lines=self._lines,
            assistants=self._account.speakers(order),
        )
        self._calls[call.id] = call
        return call

    async def _list_calls(self, request: web.Request) -> web.Response:
        newest_first = (call.body for call in reversed(self._calls.values()) if call.id not in self._erased)
        return web.json_response(select(newest_first, request.query, by=("id", "assistantId", "phoneNumberId")))

    async def _get_call(self, request: web.Request) -> web.Response:
        call = self._find(request)
        signed = self._recordings.presigned(self.base_url, call)
        artifact = {"artifact": {**call.body["artifact"], **signed}} if signed else {}
        return web.json_response(call.body | artifact)

    async def _change_call(self, request: web.Request) -> web.Response:
        call = self._find(request)
        call.body |= check_changes(await read_json(request))
        return web.json_response(call.body)

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

    async def _control(self, request: web.Request) -> web.Response:
        call = self._running(request, "control")
        control = check_control(await read_json(request))
        takes_over = self._account.assistant(control["destination"]) if control["type"] == "handoff" else None
        call.receive(control, takes_over)
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


def _require_key(request: web.Request, key: str) -> None:
    header = request.headers.get("Authorization")
    if header is None:
        raise Refusal(401, responses.MISSING_AUTHORIZATION)
    if header != f"Bearer {key}":
        raise Refusal(401, responses.INVALID_KEY)


def _error_response(refusal: Refusal) -> web.Response:
    return web.json_response(refusal.body, status=refusal.status)
