"""One listener of a call: its sound in real time, and as text who speaks and what they say."""

import asyncio

from aiohttp import web

from services.demo_line.calls import DemoCall
from services.demo_line.conversation import SAMPLE_RATE

_START = {"type": "start", "encoding": "linear16", "container": "raw", "sampleRate": SAMPLE_RATE, "channels": 2}
# Within which a listener has to answer a close frame; then the connection is cut.
_CLOSE_SECONDS = 0.25


async def listen(call: DemoCall, request: web.Request) -> web.WebSocketResponse:
    """Serves the socket until the call is over or the listener has gone; it joins the conversation where it is by then."""
    socket = web.WebSocketResponse(compress=False, timeout=_CLOSE_SECONDS, max_msg_size=65_536)
    await socket.prepare(request)
    playing = asyncio.create_task(_play(call, socket, request))
    leaving = asyncio.create_task(_until_gone(socket))
    telling = asyncio.create_task(_tell(call, socket))
    try:
        await asyncio.wait((playing, leaving, telling, call.over), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (playing, leaving, telling):
            task.cancel()
        endings = await asyncio.gather(playing, leaving, telling, return_exceptions=True)
        if call.over.done():
            # Not drained: somebody who has stopped reading must not hold the call's socket for ever.
            await socket.close(code=call.over.result(), drain=False)
            _cut(request)
    for ending in endings:
        if isinstance(ending, Exception) and not isinstance(ending, ConnectionError):
            raise ending
    return socket


async def _play(call: DemoCall, socket: web.WebSocketResponse, request: web.Request) -> None:
    if not call.behaviour.unannounced_48k:
        await socket.send_json(_START)
    conversation = await asyncio.shield(call.answered)
    for frame in range(call.position(), conversation.frame_count):
        await asyncio.sleep(call.seconds_until(frame))
        if call.drops_before(frame):
            _cut(request)
            return
        muted = call.controls.muted
        await socket.send_bytes(_without_assistant(conversation.frame(frame)) if muted else conversation.frame(frame))
        for event in conversation.events_at(frame):
            if not (muted and event["role"] == "assistant"):
                await socket.send_json(event)
    await asyncio.shield(call.over)


async def _tell(call: DemoCall, socket: web.WebSocketResponse) -> None:
    """What is said beyond the conversation, because the call was told to."""
    with call.controls.heard() as events:
        while True:
            await socket.send_json(await events.get())


def _without_assistant(frame: bytes) -> bytes:
    """Interleaved s16le with silence on the right."""
    silenced = bytearray(frame)
    silenced[2::4] = silenced[3::4] = bytes(len(frame) // 4)
    return bytes(silenced)


async def _until_gone(socket: web.WebSocketResponse) -> None:
    """What a listener sends does nothing; it is read for the sake of pings and of the close frame."""
    async for _ in socket:
        pass


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
