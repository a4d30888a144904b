"""A stand-in of Vapi for faults that the demo line can't show: each answer to a dial can be scripted, and every request is counted."""

import asyncio
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aiohttp import WSMsgType, web

from tests.serving import closed

Body = dict[str, Any]
Answer = str | tuple[int, Any]


class StandIn:
    """Vapi with one scripted way of answering `POST /call`, named by `answer`:

    `created`, `held, created` (once `let_go` is set), `created then 500`, `created then hang`, `created then drop`,
    `created, no monitor`, `created, not JSON`, `hang`, `drop`, or a pair of status and body; or a function that says it anew each time.
    """

    def __init__(self) -> None:
        self.answer: Answer | Callable[[], Answer] = "created"
        self.calls: dict[str, Body] = {}
        self.requests: Counter[str] = Counter()
        self.listeners: defaultdict[str, set[web.WebSocketResponse]] = defaultdict(set)
        self.bodies: list[Body] = []
        self.headers: list[list[str]] = []
        """The names of each dial's headers."""
        self.controls: list[Body] = []
        self.controlled: list[str] = []
        """The id of the call that each of these was sent to."""
        self.events: list[Body] = []
        """What the listen socket tells each who opens it."""
        self.account: dict[str, list[Body]] = {"assistant": [], "phone-number": [], "squad": []}
        """What the account has, by the path of its list; a list that is missing is refused."""
        self.control_status = 200
        self.end_call_works = True
        self.down = False
        self.hidden = 0
        self.erased_running = 0
        self.loses_deletions = False
        """A call is deleted, but the answer is lost."""
        self.shows_deleted: str | None = None
        """The ended reason of a call that was deleted, which is then still shown; None: it is no longer known."""
        self.url = ""
        self.heard = asyncio.Event()
        """Set by each dial and control message that arrives."""
        self.let_go = asyncio.Event()

    @property
    def dials(self) -> int:
        return self.requests["POST /call"]

    def move(self, call_id: str, status: str, **more: Any) -> None:
        """Puts a call into another state."""
        self.calls[call_id] |= {"status": status, "updatedAt": _now(), **more}

    def schedule(self, number: str, *, created: datetime, earliest: datetime) -> str:
        """A call that somebody scheduled at `created`; its id."""
        call = self._call({"customer": {"number": number}, "schedulePlan": {"earliestAt": earliest.isoformat()}})
        made = created.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.calls[call["id"]] |= {"createdAt": made, "updatedAt": made}
        return str(call["id"])

    def ring_in(self, number: str, **more: Any) -> str:
        """A call that somebody makes to one of the account's numbers; its id."""
        call = self._call({"customer": {"number": number}})
        self.calls[call["id"]] |= {"type": "inboundPhoneCall", "status": "in-progress", "startedAt": _now(), **more}
        return str(call["id"])

    async def create(self, request: web.Request) -> web.StreamResponse:
        self.requests["POST /call"] += 1
        self.heard.set()
        body = await request.json()
        self.bodies.append(body)
        self.headers.append([name.lower() for name in request.headers])
        way = self.answer() if callable(self.answer) else self.answer
        if isinstance(way, tuple):
            status, answer = way
            return (
                web.Response(status=status, text=answer, content_type="text/html")
                if isinstance(answer, str)
                else web.json_response(answer, status=status)
            )
        if "held" in way:
            await self.let_go.wait()
        if "created" in way:
            call = self._call(body)
        if "hang" in way:
            await asyncio.sleep(60)
        if "drop" in way:
            if request.transport:  # else the client is gone already
                request.transport.abort()
            return web.Response()
        if "500" in way:
            return web.json_response({"message": "Internal server error", "statusCode": 500}, status=500)
        if "not JSON" in way:
            return web.Response(status=201, text="<html>created</html>")
        if "no monitor" in way:
            del call["monitor"]
        return web.json_response(call, status=201)

    async def list(self, request: web.Request) -> web.Response:
        self.requests["GET /call"] += 1
        if self.down:
            return web.Response(status=502, text="<html>Bad gateway</html>", content_type="text/html")
        if self.hidden > 0:
            self.hidden -= 1
            return web.json_response([])
        since = request.query.get("updatedAtGe", ""), request.query.get("createdAtGe", "")
        until = request.query.get("createdAtLe", "~")
        found = [call for call in self.calls.values() if call["updatedAt"] >= since[0] and since[1] <= call["createdAt"] <= until]
        return web.json_response(
            sorted(found, key=lambda call: str(call["createdAt"]), reverse=True)[: int(request.query.get("limit", 100))]
        )

    async def get(self, request: web.Request) -> web.Response:
        self.requests["GET /call/{id}"] += 1
        call = self.calls.get(request.match_info["id"])
        if self.down:
            return web.Response(status=502, text="<html>Bad gateway</html>", content_type="text/html")
        return web.json_response(call) if call else web.json_response({"message": "Not Found", "statusCode": 404}, status=404)

    async def delete(self, request: web.Request) -> web.Response:
        """Erases a call. It does not hang up: a running one goes on unseen, which `erased_running` counts."""
        self.requests["DELETE /call/{id}"] += 1
        if self.down:
            return web.Response(status=503)
        call = self.calls.pop(request.match_info["id"], None)
        if call is None:
            return web.json_response({"message": "Not Found", "statusCode": 404}, status=404)
        self.erased_running += call["status"] not in ("scheduled", "ended")
        if self.shows_deleted is not None:
            self.calls[call["id"]] = call | {"status": "ended", "updatedAt": _now(), "endedReason": self.shows_deleted or None}
        if self.loses_deletions and request.transport:
            request.transport.abort()
        return web.json_response(call)

    async def listed(self, request: web.Request) -> web.Response:
        self.requests[f"GET {request.path}"] += 1
        found = self.account.get(request.path.removeprefix("/"))
        if found is None:
            return web.json_response({"message": "Forbidden", "statusCode": 403}, status=403)
        return web.json_response(found)

    async def assistant(self, request: web.Request) -> web.Response:
        found = next((one for one in self.account["assistant"] if one["id"] == request.match_info["id"]), None)
        return web.json_response(found) if found else web.json_response({"message": "Not Found", "statusCode": 404}, status=404)

    async def control(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.controls.append(body)
        self.controlled.append(request.match_info["id"])
        self.heard.set()
        if self.control_status == 200 and self.end_call_works and body == {"type": "end-call"}:
            self.move(request.match_info["id"], "ended", endedAt=_now(), endedReason="manually-canceled")
        return web.json_response({"message": "no"} if self.control_status >= 400 else {}, status=self.control_status)

    async def listen(self, request: web.Request) -> web.WebSocketResponse:
        self.requests["WS listen"] += 1
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "start", "encoding": "linear16", "container": "raw", "sampleRate": 16000, "channels": 2})
        for event in self.events:
            await socket.send_json(event)
        self.listeners[request.match_info["id"]].add(socket)
        async for message in socket:
            assert message.type is not WSMsgType.BINARY
        self.listeners[request.match_info["id"]].discard(socket)
        return socket

    async def tell(self, call_id: str, *events: Body) -> None:
        """Sends these to all who listen to a call, as soon as there is one."""
        while not self.listeners[call_id]:  # noqa: ASYNC110 - aiohttp tells it in no other way
            await asyncio.sleep(0.01)
        for event in events:
            for socket in self.listeners[call_id]:
                await socket.send_json(event)

    def _call(self, body: Body) -> Body:
        call_id = str(uuid.uuid4())
        call = body | {
            "id": call_id,
            "status": "scheduled" if "schedulePlan" in body else "queued",
            "type": "outboundPhoneCall",
            "createdAt": _now(),
            "updatedAt": _now(),
            "monitor": {
                "listenUrl": f"{self.url.replace('http', 'ws', 1)}/{call_id}/listen",
                "controlUrl": f"{self.url}/{call_id}/control",
            },
        }
        self.calls[call_id] = call
        return dict(call)


@asynccontextmanager
async def stand_in(vapi: StandIn | None = None) -> AsyncIterator[StandIn]:
    """A stand-in that serves on a loopback port: `vapi`, else a new one."""
    vapi = vapi or StandIn()
    app = web.Application()
    app.router.add_post("/call", vapi.create)
    app.router.add_get("/call", vapi.list)
    app.router.add_get("/call/{id}", vapi.get)
    app.router.add_delete("/call/{id}", vapi.delete)
    app.router.add_post("/{id}/control", vapi.control)
    app.router.add_get("/{id}/listen", vapi.listen)
    app.router.add_get("/assistant/{id}", vapi.assistant)
    for path in ("/assistant", "/phone-number", "/squad"):
        app.router.add_get(path, vapi.listed)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    vapi.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield vapi
    finally:
        await closed(runner)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
