"""The relay in a thread of its own, while the main loop does nothing but wait."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from fastapi import FastAPI
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from services.domain.call import Call, CallStatus, ListenTarget
from services.listening.relay import Relay
from services.listening.sound_thread import SoundThread
from services.web.access.tickets import Tickets
from services.web.routes.listen_socket import listen_router
from tests.listening.stand_in import START, eventually, placeless, web_server
from tests.patience import HANG_S

CALL = Call(id="c1", status=CallStatus.IN_PROGRESS)


@pytest.fixture
async def sound() -> AsyncIterator[SoundThread]:
    thread = SoundThread()
    yield thread
    await thread.aclose()


class Vapi:
    """A listen socket in a thread of its own, which sends a start frame and then `sound`, as soon as `play` is set."""

    def __init__(self, sound: bytes) -> None:
        self.play = threading.Event()
        self._sound = sound
        self._server = serve(self._serve, "127.0.0.1", 0, compression=None)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/listen"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.play.set()
        self._server.shutdown()

    def _serve(self, connection: ServerConnection) -> None:
        connection.send(START)
        self.play.wait(HANG_S)
        connection.send(self._sound)
        for _ in connection:
            pass


async def test_threads_take_turns_quickly_only_while_there_is_sound(sound: SoundThread) -> None:
    vapi, usual = Vapi(b""), sys.getswitchinterval()

    async def target(_call_id: str) -> ListenTarget:
        return ListenTarget(url=vapi.url)

    relay = Relay(
        target=sound.ask_main(target), find={"c1": CALL}.get, hint=sound.on_main(print), loop=sound.loop, playing=sound.loop.hurry
    )
    listener = relay.listen("c1")
    await eventually(lambda: relay.upstreams == 1 and sys.getswitchinterval() < usual)
    listener.close()
    await eventually(lambda: relay.upstreams == 0 and sys.getswitchinterval() == usual)
    await relay.aclose()
    vapi.close()


async def test_sound_passes_while_the_main_loop_is_blocked(sound: SoundThread) -> None:
    vapi = Vapi(b"1234" * 320)

    async def target(_call_id: str) -> ListenTarget:
        return ListenTarget(url=vapi.url)

    relay = Relay(target=sound.ask_main(target), find={"c1": CALL}.get, hint=sound.on_main(print), loop=sound.loop)
    tickets, app, heard = Tickets(), FastAPI(), threading.Event()
    started = threading.Event()
    app.include_router(listen_router(relay=relay, tickets=tickets, find={"c1": CALL}.get))

    def listen(url: str) -> None:
        with suppress(ConnectionClosed), connect(url, compression=None) as client:
            for item in client:
                if placeless(item) == START:
                    started.set()
                if item == b"1234" * 320:
                    heard.set()

    async with web_server(app) as (address, _):
        url = f"{address}/api/calls/c1/listen?ticket={tickets.issue('c1')}"
        listener = threading.Thread(target=listen, args=(url,), daemon=True)
        listener.start()
        await eventually(started.is_set)
        vapi.play.set()
        assert heard.wait(HANG_S)  # blocks the main loop, and all of its tasks
        await relay.aclose()
        await asyncio.to_thread(listener.join)
    vapi.close()


async def test_a_listener_without_sound_is_used_on_the_main_loop(sound: SoundThread) -> None:
    vapi, asked = Vapi(b""), asyncio.Event()

    async def target(_call_id: str) -> ListenTarget:
        asked.set()
        return ListenTarget(url=vapi.url)

    relay = Relay(target=sound.ask_main(target), find={"c1": CALL}.get, hint=sound.on_main(print), loop=sound.loop)
    with relay.listen("c1", sound=False, events=False) as listener:
        await asyncio.wait_for(asked.wait(), HANG_S)
        await relay.aclose()
        async with asyncio.timeout(HANG_S):
            assert [item async for item in listener] == []
        assert listener.end == "shutdown"
    with relay.listen("c1", sound=False, events=False) as late:
        await eventually(lambda: late.end == "shutdown")
    vapi.close()
