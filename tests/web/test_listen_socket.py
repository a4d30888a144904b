"""The listener's WebSocket, through a real server, with `websockets` as the browser."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from services.domain.call import Call, CallStatus
from services.domain.errors import VapiUnavailable
from services.listening.sound_thread import SoundThread
from services.web.access.tickets import Tickets
from services.web.routes import listen_socket
from services.web.routes.listen_socket import listen_router
from tests.listening.stand_in import SOUND_IN, START, Line, StandIn, eventually, pcm, placeless, sound_in, web_server, whole, within
from tests.patience import HANG_S


class Site:
    """The app around a line, as a client sees it."""

    def __init__(self, line: Line, *, heartbeat: float = HANG_S) -> None:
        self.tickets = Tickets()
        self.line = line
        self.app = FastAPI()
        self.app.include_router(listen_router(relay=line.relay, tickets=self.tickets, find=line.calls.get, heartbeat=heartbeat))
        self.address = ""
        self.server: uvicorn.Server

    def url(self, call_id: str = "c1", ticket: str | None = None) -> str:
        return f"{self.address}/api/calls/{call_id}/listen?ticket={self.tickets.issue(call_id) if ticket is None else ticket}"


@pytest.fixture(autouse=True, params=SOUND_IN)
async def sound(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SoundThread | None]:
    async with sound_in(request.param, monkeypatch) as thread:
        yield thread


@pytest.fixture
async def line(stand_in: StandIn, sound: SoundThread | None) -> AsyncIterator[Line]:
    """Closed before the thread is."""
    line = Line(stand_in)
    yield line
    await line.relay.aclose()


@pytest.fixture
async def site(line: Line) -> AsyncIterator[Site]:
    site = Site(line)
    async with web_server(site.app) as (site.address, site.server):
        yield site
        assert at_work() == []


def at_work() -> list[str]:
    return [name for name in map(asyncio.Task.get_name, asyncio.all_tasks()) if name in ("send sound", "watch listener")]


async def rest_of(client: ClientConnection) -> list[str | bytes]:
    """Everything that the server still sends before it closes."""
    rest: list[str | bytes] = []
    try:
        while True:
            rest.append(await within(client.recv()))
    except ConnectionClosed:
        return rest


async def closing(client: ClientConnection) -> int | None:
    """The code with which the server closes."""
    await rest_of(client)
    return client.close_code


async def test_a_browser_hears_the_call_from_before_the_answer_to_the_end(stand_in: StandIn, site: Site) -> None:
    site.line.becomes(CallStatus.RINGING)
    stand_in.refusals.append((404, {}))
    async with connect(site.url()) as client:
        await within(stand_in.knocked.wait())
        site.line.becomes(CallStatus.IN_PROGRESS)
        vapi = await stand_in.connection()
        await vapi.send(START)
        await vapi.send(b"1234")
        await vapi.send('{"type":"hang"}')
        await vapi.send(b"5678")
        heard = [placeless(await within(client.recv())) for _ in range(5)]
        assert heard == ['{"type":"stream","state":"connected"}', START, b"1234", '{"type":"hang"}', b"5678"]
        site.line.becomes(CallStatus.ENDED)
        await vapi.close()
        assert await closing(client) == 1000
        assert client.close_reason == "call ended"
    await eventually(lambda: site.line.relay.listeners == 0)


@pytest.mark.parametrize(
    ("call_id", "ticket", "code"),
    [
        ("c1", "", 4401),
        ("c1", "nonsense", 4401),
        ("c9", "", 4401),
        ("c9", None, 4404),
        ("over", None, 4409),
        ("c1", "x" * 2000, 4401),
    ],
)
async def test_a_refused_listener_learns_why(stand_in: StandIn, site: Site, call_id: str, ticket: str | None, code: int) -> None:
    site.line.calls["over"] = Call(id="over", status=CallStatus.ENDED)
    async with connect(site.url(call_id, ticket)) as client:
        assert await closing(client) == code
        assert client.close_reason
    assert stand_in.requests == []


async def test_a_ticket_of_another_call_or_an_expired_one_is_refused(site: Site) -> None:
    expired = Tickets(b"secret", ttl=-1)
    for ticket in (site.tickets.issue("c2"), expired.issue("c1")):
        async with connect(site.url(ticket=ticket)) as client:
            assert await closing(client) == 4401


async def test_a_lookup_may_be_asynchronous_and_may_fail(line: Line) -> None:
    async def find(call_id: str) -> Call | None:
        await asyncio.sleep(0)
        if call_id == "busy":
            raise VapiUnavailable("no answer")
        return line.calls.get(call_id)

    app, tickets = FastAPI(), Tickets()
    app.include_router(listen_router(relay=line.relay, tickets=tickets, find=find))
    async with web_server(app) as (address, _):
        for call_id, code in (("c9", 4404), ("busy", 4502)):
            async with connect(f"{address}/api/calls/{call_id}/listen?ticket={tickets.issue(call_id)}") as client:
                assert await closing(client) == code


@pytest.mark.parametrize("abruptly", [False, True])
async def test_a_client_that_leaves_is_released_at_once_even_in_silence(stand_in: StandIn, site: Site, abruptly: bool) -> None:
    client = await connect(site.url())
    vapi = await stand_in.connection()
    await within(client.recv())
    if abruptly:
        client.transport.abort()
    else:
        await client.close()
    await within(vapi.wait_closed())
    await eventually(lambda: (site.line.relay.upstreams, site.line.relay.listeners) == (0, 0))
    await client.wait_closed()


async def test_a_client_may_send_a_little_and_it_is_ignored(stand_in: StandIn, site: Site) -> None:
    async with connect(site.url()) as client:
        vapi = await stand_in.connection()
        for nonsense in ("hello", b"\0" * 1000, '{"type":"start"}', ""):
            await client.send(nonsense)
        await within(client.recv())
        await vapi.send('{"type":"hang"}')
        assert await within(client.recv()) == '{"type":"hang"}'
        await client.send(b"\0" * 70_000)
        assert await closing(client) == 1008
    await eventually(lambda: site.line.relay.upstreams == 0)


async def test_a_frame_of_which_another_thread_or_process_reads_the_second_half_is_understood(line: Line) -> None:
    may_move = asyncio.Event()

    async def find(call_id: str) -> Call | None:
        await may_move.wait()
        return line.calls.get(call_id)

    app, tickets = FastAPI(), Tickets()
    app.include_router(listen_router(relay=line.relay, tickets=tickets, find=find))
    frame = b"\x81\x8a\0\0\0\0two pieces"
    async with web_server(app) as (address, _), connect(f"{address}/api/calls/c1/listen?ticket={tickets.issue('c1')}") as client:
        client.transport.write(frame[:9])
        await asyncio.sleep(0.05)  # until it is read; nothing shows when
        may_move.set()
        await within(client.recv())
        client.transport.write(frame[9:])
        await client.send(b"\0" * 70_000)
        assert await closing(client) == 1008


@pytest.mark.slow
async def test_silence_has_a_heartbeat_and_sound_has_none(stand_in: StandIn, line: Line) -> None:
    site = Site(line, heartbeat=0.3)
    async with web_server(site.app) as (site.address, site.server), connect(site.url()) as client:
        vapi = await stand_in.connection()
        silent = [await within(client.recv()) for _ in range(4)]
        assert silent[1:] == ['{"type":"ping"}'] * 3
        await vapi.send(START)
        for _ in range(40):
            await vapi.send(bytes(640))
            await asyncio.sleep(0.01)
        await vapi.send(b"last")
        heard: list[str | bytes] = []
        while b"last" not in heard:
            heard.append(placeless(await within(client.recv())))
        assert heard[heard.index(START) + 1 :] == [bytes(640)] * 40 + [b"last"]
        assert await within(client.recv()) == '{"type":"ping"}'


@pytest.mark.slow
async def test_a_stalled_client_loses_the_oldest_sound_while_another_hears_all(stand_in: StandIn) -> None:
    line = Line(stand_in, buffer_seconds=0.5)  # 32,000 bytes
    site = Site(line)
    async with web_server(site.app, send_buffer=8192) as (site.address, site.server):
        slow_socket = socket.socket()
        slow_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow_socket.setblocking(False)
        await asyncio.get_running_loop().sock_connect(slow_socket, ("127.0.0.1", int(site.address.rpartition(":")[2])))
        async with (
            connect(site.url(), sock=slow_socket, compression=None, max_queue=1) as slow,
            connect(site.url(), compression=None, max_queue=None) as fast,
        ):
            vapi = await stand_in.connection()
            await vapi.send(START)
            for client in (slow, fast):
                while placeless(await within(client.recv())) != START:
                    pass
            sound = pcm(0, 320 * 600)
            heard: list[str | bytes] = []
            for n in range(600):
                await vapi.send(sound[n * 1280 : (n + 1) * 1280])
                await vapi.send(json.dumps({"type": "transcript", "transcript": str(n)}))
                while not (heard and isinstance(heard[-1], str) and f'"{n}"' in heard[-1]):
                    heard.append(await within(fast.recv()))
            assert b"".join(item for item in heard if isinstance(item, bytes)) == sound
            line.becomes(CallStatus.ENDED)
            await vapi.close()
            late = await rest_of(slow)
            assert slow.close_code == 1000
            kept = [item for item in late if isinstance(item, bytes)]
            assert whole(b"".join(kept))
            assert 0 < sum(map(len, kept)) < len(sound) - 200_000
            assert sound.endswith(b"".join(kept[-20:]))
            assert [str(n) for n in range(600)] == [
                json.loads(item)["transcript"] for item in late if isinstance(item, str) and "transcript" in item
            ]
    await line.relay.aclose()


async def test_a_client_that_takes_nothing_for_long_is_given_up(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listen_socket, "_SEND_TIMEOUT_S", 0.2)
    line = Line(stand_in)
    site = Site(line)
    async with web_server(site.app, send_buffer=8192) as (site.address, site.server):
        async with connect(site.url(), compression=None, max_queue=1) as client:
            vapi = await stand_in.connection()
            for _ in range(8):
                await vapi.send(bytes(1_000_000))
            await eventually(lambda: line.relay.listeners == 0)
            client.transport.abort()
        await eventually(lambda: site.server.server_state.tasks == set())
    await line.relay.aclose()


async def test_a_client_that_answers_no_ping_is_closed(stand_in: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    line = Line(stand_in, ping_seconds=0.1)
    site = Site(line)
    async with web_server(site.app, send_buffer=4096, ping_seconds=0.1) as (site.address, site.server):
        client = await connect(site.url(), compression=None)
        vapi = await stand_in.connection()
        await within(client.recv())
        client.transport.pause_reading()
        while line.relay.listeners:
            await vapi.send(bytes(1280))
            await asyncio.sleep(0.001)
        client.transport.abort()
        await eventually(lambda: site.server.server_state.tasks == set())
    await line.relay.aclose()
    assert [record.message for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


async def test_when_the_relay_ends_the_sockets_close_as_for_a_restart(stand_in: StandIn, site: Site) -> None:
    async with connect(site.url()) as client, connect(site.url()) as other:
        await stand_in.connection()
        await within(client.recv())
        await site.line.relay.aclose()
        assert await closing(client) == 1012
        assert await closing(other) == 1012
        async with connect(site.url()) as late:
            assert await closing(late) == 1012


async def test_a_stopping_server_closes_all_sockets(stand_in: StandIn, line: Line) -> None:
    site = Site(line)
    async with web_server(site.app) as (site.address, site.server):
        client = await connect(site.url())
        await stand_in.connection()
        await within(client.recv())
    assert await closing(client) == 1012
    await eventually(lambda: (line.relay.upstreams, line.relay.listeners) == (0, 0))
    assert site.server.server_state.tasks == set()


@pytest.mark.slow
async def test_when_the_server_stops_a_stalled_client_holds_nothing(stand_in: StandIn, line: Line) -> None:
    site = Site(line)
    async with web_server(site.app, send_buffer=8192) as (site.address, site.server):
        client = await connect(site.url(), compression=None, max_queue=1)
        vapi = await stand_in.connection()
        for _ in range(8):
            await vapi.send(bytes(1_000_000))
    assert at_work() == []
    await eventually(lambda: (line.relay.upstreams, line.relay.listeners) == (0, 0))
    client.transport.abort()
    await client.wait_closed()


@pytest.mark.slow
async def test_two_hundred_listeners_come_and_go_and_leave_nothing(stand_in: StandIn, site: Site) -> None:
    before = asyncio.all_tasks()
    url = site.url()
    for _ in range(10):
        clients = await asyncio.gather(*(connect(url) for _ in range(20)))
        await eventually(lambda: (site.line.relay.listeners, site.line.relay.upstreams) == (20, 1))
        for n, client in enumerate(clients):
            if n % 2:
                client.transport.abort()
        await asyncio.gather(*(client.close() for client in clients))
        await eventually(lambda: site.line.relay.upstreams == 0)
    await eventually(lambda: stand_in.open_connections == 0 and asyncio.all_tasks() <= before)
