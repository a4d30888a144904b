"""One listener's socket: the call's sound in real time as binary frames, speech and transcript events as text frames."""

import asyncio
from collections.abc import Collection

from aiohttp import web

from services.demo_line.call import DemoCall
from services.demo_line.conversation import SAMPLE_RATE

_START = {"type": "start", "encoding": "linear16", "container": "raw", "sampleRate": SAMPLE_RATE, "channels": 2}
# A listener has this long to answer a close frame before its connection is cut.
_CLOSE_SECONDS = 0.25


async def listen(call: DemoCall, request: web.Request) -> web.WebSocketResponse:
    """Serves the socket until the call ends or the listener leaves. The listener joins the conversation at its current position."""
    socket = web.WebSocketResponse(compress=False, timeout=_CLOSE_SECONDS, max_msg_size=65_536)
    await socket.prepare(request)
    playing = asyncio.create_task(_play(call, socket, request))
    disconnected = asyncio.create_task(_until_disconnected(socket))
    sending_events = asyncio.create_task(_send_events(call, socket))
    try:
        await asyncio.wait((playing, disconnected, sending_events, call.close_code), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (playing, disconnected, sending_events):
            task.cancel()
        results = await asyncio.gather(playing, disconnected, sending_events, return_exceptions=True)
        if call.close_code.done():
            # Not drained: a listener that has stopped reading would keep the socket open for ever.
            await socket.close(code=call.close_code.result(), drain=False)
            _cut(request)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, ConnectionError):
            raise result
    return socket


async def _play(call: DemoCall, socket: web.WebSocketResponse, request: web.Request) -> None:
    if not call.behaviour.unannounced_48k:
        await socket.send_json(_START)
    playing = await asyncio.shield(call.answered)
    frame = call.position() - 1
    while (frame := frame + 1) < playing.frame_count:
        await asyncio.sleep(call.seconds_until(frame))
        if call.breaks_before(frame):
            _cut(request)
            return
        silent = call.controls.silent_roles
        await socket.send_bytes(_without(silent, playing.frame(frame)))
        for event in playing.events_at(frame):
            if event.get("role") not in silent:
                await socket.send_json(event)
    await asyncio.shield(call.close_code)


async def _send_events(call: DemoCall, socket: web.WebSocketResponse) -> None:
    """Sends the events of turns that control messages caused."""
    with call.controls.subscribe() as events:
        while True:
            await socket.send_json(await events.get())


def _without(silent: Collection[str], frame: bytes) -> bytes:
    """The interleaved s16le frame, customer left and assistant right, without those who are silent."""
    if not silent:
        return frame
    muted = bytearray(frame)
    for role, low in (("user", 0), ("assistant", 2)):
        if role in silent:
            muted[low::4] = muted[low + 1 :: 4] = bytes(len(frame) // 4)
    return bytes(muted)


async def _until_disconnected(socket: web.WebSocketResponse) -> None:
    """Reads until the listener disconnects. Its messages are ignored; reading handles pings and the close frame."""
    async for _ in socket:
        pass


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
