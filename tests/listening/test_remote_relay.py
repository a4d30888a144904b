"""The relay in a process of its own, which is killed in the middle of a call."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from services.domain.call import Call, CallStatus
from services.domain.errors import CallNotFound, CallNotRunning, EarshotError
from services.listening import remote_counts
from services.listening.relay_host import RelayHost
from services.listening.remote_relay import RemoteRelay
from services.measures.measured import Measured
from services.recording.recorder import Recorder
from services.support import descriptors
from services.support.channel import Channel
from services.web.access.tickets import Tickets
from services.web.routes.listen_socket import listen_router
from tests.listening.stand_in import START, Line, StandIn, eventually, hear, pcm, placeless, web_server, within
from tests.measures.test_measures import FORM, demo_call
from tests.patience import HANG_S

pytestmark = [pytest.mark.process, pytest.mark.skipif(sys.platform != "linux", reason="Linux only")]

PCM = demo_call()[0]
INTERRUPTED = {"type": "stream", "state": "interrupted"}
CONNECTED = {"type": "stream", "state": "connected"}


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Line, "in_process", True)


@pytest.fixture
async def line(stand_in: StandIn, in_process: None) -> AsyncIterator[Line]:
    line = Line(stand_in)
    async with aclosing(line.relay):
        yield line


def remote(line: Line) -> RemoteRelay:
    assert isinstance(line.relay, RemoteRelay)
    return line.relay


async def kill(line: Line) -> None:
    await within(remote(line)._started.wait())
    os.kill(remote(line)._worker.pid, signal.SIGKILL)


async def test_a_listener_here_hears_everything_from_there(stand_in: StandIn, line: Line) -> None:
    with line.relay.listen("c1") as listener:
        vapi = await stand_in.connection()
        await vapi.send(START)
        await vapi.send(pcm(0, 320))
        heard = await hear(listener, 3)
        assert [item if isinstance(item, bytes) else item["type"] for item in heard] == ["stream", "start", pcm(0, 320)]
        line.becomes(CallStatus.ENDED)
        await vapi.close()
        assert [item async for item in listener] == []
        assert listener.end == "call ended"
    assert line.relay.listeners == 0
    await eventually(lambda: line.relay.upstreams == 0)


async def test_who_can_t_be_listened_to(line: Line) -> None:
    line.calls["over"] = Call(id="over", status=CallStatus.ENDED)
    for call_id, error in (("none", CallNotFound), ("over", CallNotRunning)):
        with pytest.raises(error):
            line.relay.listen(call_id)
        with pytest.raises(error):
            line.relay.measure(call_id, lambda *_: None)


async def test_why_there_is_no_sound_is_told(line: Line) -> None:
    line.faults.append(EarshotError("Set VAPI_PUBLIC_KEY.", retryable=False))
    with line.relay.listen("c1") as listener:
        assert await hear(listener, 1) == [{"type": "listen-problem", "detail": "Set VAPI_PUBLIC_KEY."}]


async def test_a_call_of_unknown_outcome_is_heard_under_whatever_id_it_gets(stand_in: StandIn, line: Line) -> None:
    line.calls["unknown-t"] = Call(id="unknown-t", status=CallStatus.UNKNOWN, tag="t")
    with line.relay.listen("unknown-t") as first:
        line.calls["unknown-t"] = line.calls["c7"] = Call(id="c7", status=CallStatus.IN_PROGRESS, tag="t")
        line.relay.on_call(line.calls["c7"])
        await stand_in.connection()
        assert await hear(first, 1) == [CONNECTED]
        with line.relay.listen("c7"):
            assert line.asked == ["c7"]
            assert line.relay.upstreams == 1


async def test_sinks_and_measuring_continue_after_its_death(stand_in: StandIn, line: Line, tmp_path: Path) -> None:
    figures: list[tuple[Measured | None, bool]] = []
    recorder = line.relay.join("c1", partial(Recorder, call_id="c1", folder=tmp_path))
    end_measuring = line.relay.measure("c1", lambda *latest: figures.append(latest))
    with line.relay.listen("c1", sound=False) as listener:
        await speak(await stand_in.connection(), PCM[: 10 * FORM.bytes_per_second])
        await eventually(lambda: until(figures) > 8.7 and recorder._unsaved > 10 * FORM.bytes_per_second)
        before = figures[-1][0]
        await kill(line)
        second = await stand_in.connection()
        assert [await one(listener) for _ in range(4)] == ["connected", "start", "interrupted", "connected"]
        await speak(second, PCM[10 * FORM.bytes_per_second : 20 * FORM.bytes_per_second])
        await eventually(lambda: until(figures) > 18.7 and recorder._unsaved > 20 * FORM.bytes_per_second)
        await end_measuring()
    recorder.close()
    assert before
    assert figures[-1][1], "the last figures are marked"
    after = figures[-1][0]
    assert after
    assert after.started_at == before.started_at
    turns = before.figures.conversation.turns
    assert after.figures.conversation.turns[: len(turns)] == turns
    assert len(after.figures.conversation.turns) > len(turns)
    items = [item for _, item in recorder.take()]
    sound = b"".join(item for item in items if isinstance(item, bytes))
    assert sound == PCM[: 20 * FORM.bytes_per_second]
    texts = [json.loads(item) for item in items if isinstance(item, str)]
    assert texts.count(INTERRUPTED) == 1
    assert line.relay.listeners == 0


async def speak(vapi: ServerConnection, sound: bytes) -> None:
    await vapi.send(START)
    for at in range(0, len(sound), 6400):
        await vapi.send(sound[at : at + 6400])


def until(figures: list[tuple[Measured | None, bool]]) -> float:
    latest = figures[-1][0] if figures else None
    return latest.figures.conversation.until if latest else 0.0


async def one(listener: object) -> str:
    (event,) = await hear(listener, 1)  # type: ignore[arg-type]
    return str(event.get("state") or event["type"])


async def test_a_call_that_ended_meanwhile_ends_for_all(stand_in: StandIn, line: Line) -> None:
    figures: list[tuple[Measured | None, bool]] = []
    line.relay.measure("c1", lambda *latest: figures.append(latest))
    with line.relay.listen("c1") as listener:
        await stand_in.connection()
        assert await hear(listener, 1) == [CONNECTED]
        await kill(line)
        line.becomes(CallStatus.ENDED)
        assert [json.loads(item) async for item in listener if isinstance(item, str)] == [INTERRUPTED]
        assert listener.end == "call ended"
    assert figures == [(None, True)]


async def test_a_client_reconnects_after_its_death(stand_in: StandIn, line: Line) -> None:
    tickets, app = Tickets(), FastAPI()
    app.include_router(listen_router(relay=line.relay, tickets=tickets, find=line.calls.get))
    async with web_server(app) as (address, _):
        url = f"{address}/api/calls/c1/listen?ticket={tickets.issue('c1')}"
        async with connect(url) as client:
            await stand_in.connection()
            assert json.loads(await within(client.recv())) == CONNECTED
            before = remote(line)._channel
            await kill(line)
            with pytest.raises(ConnectionClosed):
                await within(client.recv())
        await eventually(lambda: remote(line)._channel is not before)  # a socket given to the dead process would be closed again
        async with connect(url) as client:  # at once: it waits for the next process
            vapi = await stand_in.connection()
            await vapi.send(START)
            assert json.loads(await within(client.recv())) == CONNECTED
            assert placeless(await within(client.recv())) == START


async def test_the_end_of_measuring_waits_for_no_dead_process(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    figures: list[tuple[Measured | None, bool]] = []
    end = line.relay.measure("c1", lambda *latest: figures.append(latest))
    await kill(line)
    await within(end())
    assert figures == [(None, True)]


async def test_counts_do_not_fall_when_it_dies(stand_in: StandIn, line: Line) -> None:
    with line.relay.listen("c1"):
        for _ in range(2):
            await (await stand_in.connection()).close(1011)
        await stand_in.connection()
        async with asyncio.timeout(HANG_S):
            while (counts := await line.relay.counted()).interruptions < 2 or not dict(counts.lag):
                pass
        lags = sum(dict(counts.lag)["sound",].counts)
        await kill(line)
        await stand_in.connection()
        again = await line.relay.counted()
        assert again.interruptions == 2
        assert sum(dict(again.lag)["sound",].counts) >= lags


async def test_one_that_hangs_is_killed(stand_in: StandIn, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    with line.relay.listen("c1", sound=False) as listener:
        await stand_in.connection()
        assert await one(listener) == "connected"
        monkeypatch.setattr(remote_counts, "_ASKED_EVERY_S", 0.2)
        remote(line)._tasks.start(remote(line)._watch(), name="watch at once")
        os.kill(remote(line)._worker.pid, signal.SIGSTOP)
        await stand_in.connection()
        assert [await one(listener) for _ in range(2)] == ["interrupted", "connected"]


@pytest.mark.usefixtures("in_process")
async def test_what_is_said_and_ended_when_there_will_be_no_other(stand_in: StandIn) -> None:
    line = Line(stand_in)  # here, and not in a fixture: nothing can be heard of its process before the first `await`
    async with aclosing(line.relay):
        await see_what_is_said_and_ended(stand_in, line)


async def see_what_is_said_and_ended(stand_in: StandIn, line: Line) -> None:
    figures: list[tuple[Measured | None, bool]] = []
    assert remote(line)._channel is None
    states = [line.relay.state]
    line.relay.measure("c1", lambda *latest: figures.append(latest))
    with line.relay.listen("c1", sound=False) as listener:
        await stand_in.connection()
        assert await one(listener) == "connected"
        states.append(line.relay.state)
        os.kill(remote(line)._worker._supervisor, signal.SIGKILL)
        await kill(line)
        assert await one(listener) == "interrupted"
        await eventually(lambda: line.relay.state == "lost")
        tickets, app = Tickets(), FastAPI()
        app.include_router(listen_router(relay=line.relay, tickets=tickets, find=line.calls.get))
        async with web_server(app) as (address, _), connect(f"{address}/api/calls/c1/listen?ticket={tickets.issue('c1')}") as client:
            with pytest.raises(ConnectionClosed) as closed:
                await within(client.recv())
            assert closed.value.rcvd
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1013, "The process for sound has ended. Restart Earshot.")
        line.becomes(CallStatus.ENDED)
        assert listener.end == "call ended"
    assert states == ["starting", "ok"]
    assert figures == [(None, True)]
    assert line.relay.listeners == 0


async def test_a_logout_that_comes_with_the_socket_ends_it(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(descriptors, "_one_is_free", lambda: False)
    ended: list[tuple[int, str]] = []

    async def serve(_host: RelayHost, _descriptor: int, _call_id: str, _heartbeat: float, _unread: bytes, closing: Any) -> None:
        ended.append(await closing)

    here, there = socket.socketpair()
    host = RelayHost(serve=serve, stop=lambda: None, buffer_seconds=1.0)
    channel = Channel(here, received=lambda *_: None, ended=lambda: None)
    running = asyncio.create_task(host.run(Channel(there, received=host.received, ended=host.over.set)))
    await asyncio.sleep(0)
    host.received(("serve", 1, Call(id="c1", status=CallStatus.IN_PROGRESS), 1.0, b""), -1)
    host.received(("end", 1, 4401, "Logged out."), None)
    await eventually(lambda: ended == [(4401, "Logged out.")])
    await eventually(lambda: "file descriptors are in use" in caplog.text)  # listeners' sockets are in this process
    channel.close()
    await within(running)


async def test_what_nobody_uses_any_more_is_forgotten_there() -> None:
    async def serve(*_: object) -> None:
        raise AssertionError

    here, there = socket.socketpair()
    host = RelayHost(serve=serve, stop=lambda: None, buffer_seconds=1.0)
    came: asyncio.Queue[tuple[object, ...]] = asyncio.Queue()
    channel = Channel(here, received=lambda message, _: came.put_nowait(message), ended=lambda: None)
    running = asyncio.create_task(host.run(Channel(there, received=host.received, ended=host.over.set)))
    call = Call(id="unknown-t", status=CallStatus.UNKNOWN, tag="t")
    channel.send("join", 1, call, True, True)
    channel.send("measure", 2, call, None)
    channel.send("call", Call(id="c7", status=CallStatus.UNKNOWN, tag="t"))
    channel.send("call", Call(id="other", status=CallStatus.UNKNOWN))
    await eventually(lambda: set(host._calls) == {"unknown-t", "c7"})
    channel.send("leave", 1)
    channel.send("leave", 2)
    await eventually(lambda: not host._calls)
    channel.send("call", call)
    channel.send("count")
    async with asyncio.timeout(HANG_S):
        while (await came.get())[0] != "counts":
            pass
    assert not host._calls
    channel.close()
    await within(running)
