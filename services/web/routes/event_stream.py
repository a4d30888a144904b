"""`GET /api/calls/{id}/events`: a call's events as they happen (server-sent events, WHATWG HTML, section 9.2)."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from services.domain.client import Client, Scope
from services.support.events import set_within
from services.support.tasks import Tasks
from services.web.access.current_client import client_of
from services.web.call_events import Answer, CallEvents, Calls, Event
from services.web.connected import until_disconnected
from services.web.problems import PROBLEMS

_PING = 15.0  # seconds of silence after which a comment shows proxies that the stream is alive
_SEND_TIMEOUT_S = 30.0  # a client that accepts nothing for so long is disconnected
_RETRY_MS = 2000  # after which a browser connects again

Listening = AbstractContextManager[object]


def events_router(
    *, desk: Calls, events: CallEvents, answer: Answer, listen: Callable[[str], Listening] = lambda _: nullcontext(), ping: float = _PING
) -> APIRouter:
    """The route. `answer` makes the JSON of a call. `listen` opens the call's live stream for as long as somebody follows the call, so
    that there is a transcript. `ping` is in seconds.
    """
    router = APIRouter()

    @router.get(
        "/api/calls/{call_id}/events",
        response_class=Response,
        responses={
            200: {
                "description": "Events `status` and `ended` with the whole call but its `listenUrl`, `transcript`, `alert`, "
                "and `measures` about once per second of sound; "
                "`Last-Event-ID` resumes after one of them, and the stream closes after `ended`",
                "content": {"text/event-stream": {}},
            },
            204: {"description": "The call has ended and nothing followed `Last-Event-ID`: do not reconnect"},
            **PROBLEMS,
        },
        summary="A call's events, as they happen",
    )
    async def follow(request: Request, call_id: str) -> Response:
        """Sends the remembered events of the call, then each new one, and closes once the call has ended."""
        client = client_of(request, Scope.READ)
        events.add(await desk.read(call_id, client))
        cursor = events.read_cursor(request.headers.get("last-event-id"))
        if events.over(call_id) and not events.since(call_id, cursor):
            return Response(status_code=204)
        answer_to = partial(Event.text, answer=answer, may_listen=Scope.LISTEN in client.scopes)
        return EventStream(events, call_id, client, cursor=cursor, text=answer_to, listen=listen, ping=ping)

    return router


class EventStream(Response):
    """One client that follows one call. It counts as a stream only while it is being served, so that none is ever left over."""

    media_type = "text/event-stream"

    def __init__(
        self,
        events: CallEvents,
        call_id: str,
        client: Client,
        *,
        cursor: int,
        text: Callable[[Event], str],
        listen: Callable[[str], Listening],
        ping: float,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._call_id = call_id
        self._client = client
        self._cursor = cursor
        self._text = text
        self._listen = listen
        self._ping = ping
        self._open = False

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        with self._events.following(self._call_id, self._client) as wake, self._listen(self._call_id):
            await self._serve(wake, receive, send)

    async def _serve(self, wake: asyncio.Event, receive: Receive, send: Send) -> None:
        tasks = Tasks()
        try:
            sending = tasks.start(self._send_events(wake, send), name="send events")
            disconnected = tasks.start(until_disconnected(receive), name="watch follower")
            await asyncio.wait({sending, disconnected}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await tasks.aclose()
            if self._open:
                with suppress(OSError):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_events(self, wake: asyncio.Event, send: Send) -> None:
        async def write(text: str, *, more: bool = True) -> None:
            async with asyncio.timeout(_SEND_TIMEOUT_S):
                await send({"type": "http.response.body", "body": text.encode(), "more_body": more})

        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            self._open = True
            await write(f"retry: {_RETRY_MS}\n\n")
            while not self._events.closed:
                wake.clear()
                for event in self._events.since(self._call_id, self._cursor):
                    await write(self._text(event))
                    self._cursor = event.number
                if not wake.is_set():
                    if self._events.over(self._call_id):
                        break
                    if not await set_within(wake, self._ping):
                        await write(": ping\n\n")
            self._open = False
            await write("", more=False)
        except (TimeoutError, OSError):
            self._open = False  # too slow or disconnected: the server drops the connection when this returns
