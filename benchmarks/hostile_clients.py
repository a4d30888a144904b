"""Hostile clients beside a working one: what they cost it, and what they leave behind.

    python -m benchmarks.hostile_clients [--seconds 20]

The working client dials through a stand-in for Vapi, reads calls, asks for `/health`, and listens to a call; first alone, then beside
400 connections that never read or never finish their request, and 200 requests a second that are refused. Stand-in, app, listener and
hostile clients are processes of their own, on the same cores.
"""

import argparse
import asyncio
import hashlib
import resource
import socket
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
import uvloop

from benchmarks.processes import Running, running
from benchmarks.relay import percentiles, process
from benchmarks.relay_ends import FRAME_SECONDS, SOUND, STAMP, Client
from tests.process import MAIN, vapi_environ
from tests.stand_in import Body, StandIn, stand_in

TOKEN = "working"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
ENVIRON = {
    "EARSHOT_API_TOKENS": f"crm:*:{hashlib.sha256(TOKEN.encode()).hexdigest()}",
    "EARSHOT_WEBHOOK_SECRET": "s3cret",
    "EARSHOT_PASSWORD": "correct horse battery",
    "EARSHOT_ALLOWED_REGIONS": "*",
    **dict.fromkeys(("EARSHOT_CALLS_PER_HOUR", "EARSHOT_CALLS_PER_DAY", "EARSHOT_CONCURRENT_CALLS"), "100000"),
}
DIALS, READS, HEALTH = 10, 20, 5
"""Requests of the working client per second."""
AIM = 2.0
BACK_WITHIN_S = 30.0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    options.add_argument("--seconds", type=float, default=20)
    chosen = options.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))  # the usual one
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder), chosen.seconds))


async def run(folder: Path, seconds: float) -> None:
    with process(stand_in_for_vapi) as (vapi_url, _):
        environ = vapi_environ(vapi_url) | ENVIRON | {"EARSHOT_DATA_DIR": str(folder)}
        app = await asyncio.to_thread(lambda: running(MAIN, ready="/health", environ=environ))
        served = await asyncio.to_thread(app.__enter__)
        try:
            await compare(served, seconds)
        finally:
            await asyncio.to_thread(app.__exit__, None, None, None)


async def compare(app: Running, seconds: float) -> None:
    async with aiohttp.ClientSession(headers=AUTHORIZED) as session:
        call = await dial(session, app.url, 0)
        listener = "/api" + call["listenUrl"].partition("/api")[2]
        events = call["links"]["events"]
        await work(session, app.url, listener, 5)  # warms up
        alone = await work(session, app.url, listener, seconds)
        before = app.rss_megabytes(), app.process.num_fds()
        with process(hostile, app.url, events, listener) as (connected, _):
            assert connected
            beside = await work(session, app.url, listener, seconds)
            during = app.rss_megabytes(), app.process.num_fds()
        await asyncio.sleep(BACK_WITHIN_S)
        after = app.rss_megabytes(), app.process.num_fds()
    for what, times in beside.items():
        [mine], [theirs] = percentiles(alone[what], 99), percentiles(times, 99)
        print(f"  {what:8} p99 {mine:6.1f} ms alone, {theirs:6.1f} ms beside them: {theirs / mine:.2f} x (aim: at most {AIM:.0f})")
    print(
        f"  memory {before[0]:.0f}, {during[0]:.0f} and {after[0]:.0f} MB; descriptors {before[1]}, {during[1]} and {after[1]}", flush=True
    )


async def work(session: aiohttp.ClientSession, url: str, listener: str, seconds: float) -> dict[str, list[float]]:
    """Response times in ms of each kind of request, and by how much each frame of sound was late."""
    times: dict[str, list[float]] = defaultdict(list)

    def heard(_number: int, sent: int, now: int) -> None:
        times["listen"].append((now - sent) / 1e6)

    async def timed(what: str, per_second: float, ask: Callable[[int], Awaitable[object]]) -> None:
        began, number = time.monotonic(), 0
        while (left := began + number / per_second - time.monotonic()) < seconds and number < seconds * per_second:
            await asyncio.sleep(max(0, left))
            asked = time.perf_counter()
            await ask(number)
            times[what].append(1000 * (time.perf_counter() - asked))
            number += 1

    async def read(number: int) -> None:
        async with session.get(url + ("/api/calls?limit=20" if number % 2 else "/api/calls?status=ended&limit=5")) as answer:
            assert answer.status == 200, await answer.text()
            await answer.read()

    async def health(_number: int) -> None:
        async with aiohttp.ClientSession() as new, new.get(url + "/health") as answer:
            assert answer.status == 200, await answer.text()

    transport, _ = await asyncio.get_running_loop().create_connection(
        lambda: Client(listener, heard), "127.0.0.1", int(url.rsplit(":", 1)[1])
    )
    await asyncio.gather(
        timed("dial", DIALS, lambda _: dial(session, url, time.monotonic_ns())), timed("read", READS, read), timed("health", HEALTH, health)
    )
    transport.close()
    assert len(times["listen"]) > 0.9 * (seconds - 2) / FRAME_SECONDS, "frames are missing"
    return times


async def dial(session: aiohttp.ClientSession, url: str, number: int) -> Body:
    body = {"to": f"+1415{2_000_000 + number % 7_000_000}", "allowDuplicate": True}  # below the exchange 976, which is refused
    async with session.post(url + "/api/vapi_call", json=body, headers={"Idempotency-Key": str(uuid.uuid4())}) as answer:
        assert answer.status == 201, await answer.text()
        return dict(await answer.json())


def stand_in_for_vapi(here: Connection) -> None:
    """The first call goes on and has sound; the others are over as soon as somebody looks."""

    async def run() -> None:
        async with stand_in() as vapi:
            first = answer(vapi)
            here.send(vapi.url)
            call_id, began, number = await first, time.monotonic(), 0
            while True:
                await asyncio.sleep(max(0, began + number * FRAME_SECONDS - time.monotonic()))
                for listener in list(vapi.listeners[call_id]):
                    with suppress(ConnectionError):
                        await listener.send_bytes(STAMP.pack(number, time.monotonic_ns()) + bytes(SOUND - STAMP.size))
                number += 1

    asyncio.run(run())


def answer(vapi: StandIn) -> "asyncio.Future[str]":
    """The id of the first call, once there is one."""
    make, first = vapi._call, asyncio.get_running_loop().create_future()

    def call(body: Body) -> Body:
        made = make(body)
        if first.done():
            vapi.move(made["id"], "ended", endedAt=made["createdAt"], endedReason="customer-busy")
            return dict(made)
        first.set_result(made["id"])
        vapi.move(made["id"], "in-progress")
        return vapi.calls[made["id"]]

    vapi._call = call  # type: ignore[method-assign]
    return first


HANDSHAKE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"


def hostile(here: Connection, url: str, events: str, listener: str) -> None:
    """Sends True once all connections are open, and goes on until it is terminated."""
    port = int(url.rsplit(":", 1)[1])
    host = "Host: 127.0.0.1\r\n"
    token = f"Authorization: Bearer {TOKEN}\r\n"
    deaf = {
        f"GET /api/calls.csv HTTP/1.1\r\n{host}{token}\r\n": 80,
        f"GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\n{host}{token}\r\n": 80,
        f"GET {events} HTTP/1.1\r\n{host}{token}\r\n": 40,
        f"GET {listener} HTTP/1.1\r\n{host}{HANDSHAKE}\r\n": 20,
        "": 60,
        f"GET / HTTP/1.1\r\n{host}X: ": 60,
        f"POST /api/vapi_call HTTP/1.1\r\n{host}{token}Content-Type: application/json\r\nContent-Length: 9999\r\n\r\n{{": 60,
    }

    def connected(text: str) -> socket.socket:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.sendall(text.encode())
        return client

    def refused() -> Iterator[bytes]:
        """One of each kind of request that is refused, as long as anybody asks."""
        large = b'{"to": "' + b"1" * 1_000_000 + b'"}'
        post = f"HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Length: "
        while True:
            yield f"POST /api/vapi_events {post}{len(large)}\r\nX-Vapi-Secret: wrong\r\n\r\n".encode() + large
            yield f"POST /api/vapi_call {post}{len(large)}\r\n{token}\r\n".encode() + large
            yield f"POST /api/vapi_call {post}{len(large)}\r\n\r\n".encode() + large
            yield f"GET /api/calls HTTP/1.1\r\n{host}Authorization: Bearer wrong\r\n\r\n".encode()
            yield f"GET /wp-login.php HTTP/1.1\r\n{host}\r\n".encode()
            yield f"GET / HTTP/1.1\r\n{host}{'X: y' * 20_000}\r\n\r\n".encode()
            yield b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"
            yield b"\x16\x03\x01\x02\x00"
            yield f"GET /api/calls/{uuid.uuid4()} HTTP/1.1\r\n{host}{token}\r\n".encode()
            yield b""

    async def go_on(kept: list[socket.socket]) -> None:
        requests, began, number = refused(), time.monotonic(), 0
        while True:
            await asyncio.sleep(max(0, began + number / 200 - time.monotonic()))
            number += 1
            with suppress(OSError):
                client = connected("")
                client.setblocking(False)
                client.send(next(requests))
                if number % 2:
                    client.shutdown(socket.SHUT_WR)  # half closed
                asyncio.get_running_loop().call_later(1.0, client.close)
            slow = kept[number % len(kept)]
            with suppress(OSError):
                slow.send(b"a", socket.MSG_DONTWAIT)  # to those that never finish

    kept = [connected(text) for text, times in deaf.items() for _ in range(times)]
    here.send(True)
    uvloop.run(go_on(kept))


if __name__ == "__main__":
    main()
