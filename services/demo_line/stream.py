"""One listener of a call: its sound in real time, and a line of text as each turn ends."""

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
    try:
        await asyncio.wait((playing, leaving, call.over), return_when=asyncio.FIRST_COMPLETED)
    finally:
        playing.cancel()
        leaving.cancel()
        endings = await asyncio.gather(playing, leaving, return_exceptions=True)
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
        await socket.send_bytes(conversation.frame(frame))
        for turn in conversation.turns_ending_in(frame):
            await socket.send_json({"type": "transcript", "role": turn.role, "transcriptType": "final", "transcript": turn.text})
    await asyncio.shield(call.over)


async def _until_gone(socket: web.WebSocketResponse) -> None:
    """What a listener sends does nothing; it is read for the sake of pings and of the close frame."""
    async for _ in socket:
        pass


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
