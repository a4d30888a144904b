"""The WebSocket on which clients hear a call: start frames and events as text frames, sound as binary frames."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from services.desk.calls.audience import Audience
from services.domain.call import Call
from services.domain.errors import CallNotFound, CallNotRunning, EarshotError
from services.listening.listener import End, Listener
from services.listening.live_sound import LiveSound
from services.listening.relay import Relay
from services.listening.remote_relay import RemoteRelay
from services.support.durations import Durations
from services.support.tasks import Tasks
from services.web.access.logins import Logins
from services.web.access.tickets import Tickets
from services.web.server.sockets import give_away, move

Close = tuple[int, str] | None
"""A close code and its reason; None if the client is gone."""

Closing = Callable[[], Coroutine[Any, Any, tuple[int, str]]]
"""Returns when a client is to be disconnected, and how."""

_CODES: dict[End, int] = {"call ended": 1000, "left": 1000, "shutdown": 1012, "too slow": 1008, "failed": 1011}
HEARTBEAT_S = 1.0
"""A client that was sent nothing for so long is sent `PING`, so that it can tell silence from a connection that drops its bytes."""

PING = '{"type":"ping"}'

_SEND_TIMEOUT_S = 30.0  # a client that accepts nothing for so long is disconnected
_GONE = (WebSocketDisconnect, TimeoutError, RuntimeError)  # the last from uvicorn, once it closed by itself after unanswered pings
_MOST_LISTENERS = 1000  # sockets at once, in all
_MOST_RECEIVED = 64 * 1024  # bytes: nothing is expected from a listener, and a keep-alive of its own is small


def listen_router(
    *,
    relay: LiveSound,
    tickets: Tickets,
    find: Callable[[str], Call | Awaitable[Call | None] | None],
    on_listen: Callable[[str, str], None] = lambda _client, _call_id: None,
    logins: Logins | None = None,
    audience: Audience | None = None,
    heartbeat: float = HEARTBEAT_S,
) -> APIRouter:
    """`WS /api/calls/{call_id}/listen?ticket=`, which may be opened before the call is answered.

    Closes with 1000 when the call ends and 1012 when the server stops. Else with 4000 + the status that REST would answer: 4401 for a bad
    ticket or after a logout, 4404 for no such call, 4409 for one that has ended. `on_listen` is called with the client's name and the
    call's id. `audience` knows who listens. A client that was sent nothing for `heartbeat` seconds is sent `PING`.
    """
    router = APIRouter()

    async def check(call_id: str) -> None:
        call = find(call_id)
        if isawaitable(call):
            call = await call
        if call is None:
            raise CallNotFound()
        if not call.running:
            raise CallNotRunning("This call has ended.")

    @router.websocket("/api/calls/{call_id}/listen")
    async def listen(socket: WebSocket, call_id: str, ticket: str = "") -> None:
        await socket.accept()
        close = (4401, "Invalid or expired ticket.")
        holder = tickets.check(ticket, call_id)
        session = holder.session if holder and logins else ""
        if logins and session and not await logins.lives(session):
            holder = None
        if holder is not None and relay.listeners >= _MOST_LISTENERS:
            close = (1013, "Too many listeners. Try again later.")
        elif holder is not None:
            try:
                await check(call_id)
                on_listen(holder.client, call_id)
                logout = partial(_logged_out, logins, session) if logins and session else None
                with audience.listening(call_id, holder.client) if audience else nullcontext():
                    return await _hand_over(relay, socket, call_id, logout, heartbeat)
            except WebSocketDisconnect:
                return None
            except EarshotError as error:
                close = (4000 + error.status, error.title)
        return await _close(socket, *close)

    return router


async def _hand_over(relay: LiveSound, socket: WebSocket, call_id: str, logout: Closing | None, heartbeat: float) -> None:
    """Serves a client where the relay is: in another process, on the loop of another thread, or here."""
    if isinstance(relay, RemoteRelay):
        if close := await relay.serve(call_id, partial(give_away, socket), heartbeat=heartbeat, closing=logout):
            await _close(socket, *close)
        return None
    if relay.loop:
        logout = logout and _on(asyncio.get_running_loop(), logout)
        socket = await move(socket, relay.loop)
    return await relay.run(serve_here(relay, socket, call_id, logout, heartbeat))


def _on(loop: asyncio.AbstractEventLoop, closing: Closing) -> Closing:
    """`closing` on its own loop, for use on any other."""

    async def wait_there() -> tuple[int, str]:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(closing(), loop))

    return wait_there


async def serve_here(relay: Relay, socket: WebSocket, call_id: str, closing: Closing | None, heartbeat: float) -> None:
    """Serves one client until the call or the client ends. Runs on the relay's loop."""
    close: Close
    try:
        with relay.listen(call_id) as listener:
            try:
                close = await _serve(socket, listener, closing, heartbeat, relay.counts.delays)
            finally:
                relay.counts.dropped_bytes += listener.dropped_bytes
    except EarshotError as error:
        close = (4000 + error.status, error.title)
    if close:
        await _close(socket, *close)


@dataclass(slots=True)
class _Progress:
    """When one client last accepted a frame (seconds of the loop's clock); `waiting` while a frame is being sent."""

    at: float
    waiting: bool = False


async def _serve(socket: WebSocket, listener: Listener, closing: Closing | None, heartbeat: float, delays: Durations) -> Close:
    tasks = Tasks()
    clock = asyncio.get_running_loop().time
    progress = _Progress(clock())
    try:
        sending = tasks.start(_send(socket, listener, progress, clock, delays), name="send sound")
        watching = tasks.start(_until_disconnected(socket), name="watch listener")
        ends = {sending, watching}
        if closing:
            ends.add(tasks.start(closing(), name="wait for logout"))
        while True:
            idle = clock() - progress.at
            if progress.waiting and idle >= _SEND_TIMEOUT_S:
                return None
            if not progress.waiting and idle >= heartbeat:
                listener.tell(PING)
            # Checking now and then costs less than a timer for each of the 50 frames a second.
            wait = heartbeat - idle if idle < heartbeat else heartbeat
            done, _ = await asyncio.wait(ends, timeout=min(wait, _SEND_TIMEOUT_S), return_when=asyncio.FIRST_COMPLETED)
            if done:
                return done.pop().result()
    finally:
        await tasks.aclose()


async def _logged_out(logins: Logins, session: str) -> tuple[int, str]:
    await logins.over(session)
    return 4401, "Logged out."


async def _send(socket: WebSocket, listener: Listener, progress: _Progress, clock: Callable[[], float], delays: Durations) -> Close:
    try:
        async for item in listener:
            progress.waiting = True
            await (socket.send_text(item) if isinstance(item, str) else socket.send_bytes(item))
            progress.waiting = False
            progress.at = clock()
            if not isinstance(item, str):
                delays.add(progress.at - listener.came_at)
    except _GONE:
        return None
    end = listener.end or "failed"
    return _CODES[end], end


async def _until_disconnected(socket: WebSocket) -> Close:
    """Reads to notice at once that the client has disconnected, even during silence."""
    received = 0
    while received < _MOST_RECEIVED:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        received += 1 + len(message.get("text") or message.get("bytes") or "")
    return 1008, "This socket is for listening only."


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    try:
        async with asyncio.timeout(_SEND_TIMEOUT_S):
            await socket.close(code, reason)
    except _GONE:
        pass  # the server drops the connection when this returns
