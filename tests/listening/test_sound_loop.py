"""The loop of the sound keeps the interpreter while it has something to do, and its sockets are like any others."""

import asyncio
import random
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.listening import sound_loop
from services.listening.sound_loop import SoundLoop
from tests.patience import HANG_S

T = TypeVar("T")
SOUND = random.Random(3).randbytes(3_000_000)  # noqa: S311
SMALL = 65536  # bytes in a buffer of a socket: by default it may grow until it holds all of SOUND


class Echo(asyncio.Protocol):
    """Sends back what it receives, a round of the loop later, as the relay does, and then appends it to `heard`."""

    def __init__(self, heard: list[bytes] | None = None) -> None:
        self._heard = [] if heard is None else heard
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._loop.call_soon(self._answer, data)

    def _answer(self, data: bytes) -> None:
        self._transport.write(data)
        self._heard.append(data)


@contextmanager
def in_a_thread() -> Iterator[SoundLoop]:
    loop = SoundLoop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        on(loop, close_all(loop))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(HANG_S)
        loop.close()


async def close_all(loop: SoundLoop) -> None:
    open_ = loop._transports  # type: ignore[attr-defined]
    for transport in list(open_.values()):
        transport.abort()
    for _ in range(3):
        await asyncio.sleep(0)


def on(loop: SoundLoop, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, loop).result(HANG_S)


async def serve(loop: SoundLoop, tls: ssl.SSLContext | None) -> asyncio.Server:
    return await loop.create_server(Echo, "127.0.0.1", 0, ssl=tls)


@pytest.mark.slow
def test_what_has_come_is_passed_on_without_giving_way_to_another_thread() -> None:
    heard: list[bytes] = []
    seen = {0}
    pairs = [socket.socketpair() for _ in range(40)]
    usual = sys.getswitchinterval()
    with in_a_thread() as loop:
        for _, theirs in pairs:
            theirs.setblocking(False)
            on(loop, loop.connect_accepted_socket(lambda: Echo(heard), theirs))
        asked, blocked = threading.Event(), threading.Event()

        def wait() -> None:
            asked.set()
            blocked.wait(HANG_S)  # until something has come on every socket

        loop.call_soon_threadsafe(wait)
        asked.wait(HANG_S)
        for ours, _ in pairs:
            ours.sendall(b"sound")
        give_up = time.monotonic() + HANG_S
        sys.setswitchinterval(1.0)  # which whoever has given way waits for
        try:
            blocked.set()
            while len(heard) < len(pairs) and time.monotonic() < give_up:
                seen.add(len(heard))
        finally:
            sys.setswitchinterval(usual)
        assert [ours.recv(100) for ours, _ in pairs] == [b"sound"] * len(pairs)
        for ours, _ in pairs:
            ours.close()
    assert seen <= {0, len(pairs)}


def test_loops_do_not_mix_up_what_they_receive(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = sound_loop._checked
    pairs = [socket.socketpair() for _ in range(2)]
    with in_a_thread() as one, in_a_thread() as other:
        for loop, (ours, theirs) in zip((one, other), pairs, strict=True):
            ours.settimeout(HANG_S)
            theirs.setblocking(False)
            on(loop, loop.connect_accepted_socket(Echo, theirs))

        def let_the_other_receive(size: int) -> int:
            """Called when `one` has received and not yet taken what came."""
            monkeypatch.setattr(sound_loop, "_checked", checked)
            pairs[1][0].sendall(b"other")
            assert pairs[1][0].recv(100) == b"other"
            return checked(size)

        monkeypatch.setattr(sound_loop, "_checked", let_the_other_receive)
        pairs[0][0].sendall(b"sound")
        assert pairs[0][0].recv(100) == b"sound"
        for ours, _ in pairs:
            ours.close()


def test_other_threads_make_way_quickly_only_while_sound_waits_for_them() -> None:
    usual = sys.getswitchinterval()
    with in_a_thread() as loop:
        assert sys.getswitchinterval() == usual
        loop.hurry(True)

        async def working() -> float:
            await asyncio.sleep(0)
            return sys.getswitchinterval()

        assert on(loop, working()) == usual
        wait_until(lambda: sys.getswitchinterval() < usual)
        loop.hurry(False)
        on(loop, working())
        wait_until(lambda: sys.getswitchinterval() == usual)


def wait_until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + HANG_S
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.001)


def test_work_that_never_ends_does_not_keep_the_loop_from_its_sockets() -> None:
    ours, theirs = socket.socketpair()
    with in_a_thread() as loop:
        on(loop, loop.connect_accepted_socket(Echo, theirs))
        turning = True

        def turn() -> None:
            if turning:
                loop.call_soon(turn)

        loop.call_soon_threadsafe(turn)
        ours.settimeout(HANG_S)
        ours.sendall(b"sound")
        assert ours.recv(100) == b"sound"
        turning = False
        ours.close()


@pytest.mark.slow
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_what_a_slow_reader_takes_late_arrives_whole(tmp_path: Path, secure: bool) -> None:
    serving, trusting = _contexts(tmp_path) if secure else (None, None)

    async def send_all_and_then_read(port: int) -> bytes:
        """In one thread: a TLS socket that one thread reads while another writes may report an end that has not come."""
        async with asyncio.timeout(HANG_S):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
            reader, writer = await asyncio.open_connection(sock=sock, ssl=trusting, server_hostname="localhost" if trusting else None)
            try:
                writer.write(SOUND)
                await writer.drain()  # meanwhile the reader takes only what its buffers hold, and the rest waits at the other side
                return await reader.readexactly(len(SOUND))
            finally:
                writer.transport.abort()

    with in_a_thread() as loop:
        server = on(loop, serve(loop, serving))
        server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)  # which its connections have too
        try:
            assert asyncio.run(send_all_and_then_read(server.sockets[0].getsockname()[1])) == SOUND
        finally:
            loop.call_soon_threadsafe(server.close)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_stream_reads_to_its_end(tmp_path: Path, secure: bool) -> None:
    serving, trusting = _contexts(tmp_path) if secure else (None, None)

    async def send_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytearray(SOUND))
        if writer.can_write_eof():
            writer.write_eof()
            await reader.read()  # until the other side has read to the end, and closed
        writer.close()
        await writer.wait_closed()

    async def read() -> bytes:
        server = await asyncio.start_server(send_and_close, "127.0.0.1", 0, ssl=serving)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="localhost" if trusting else None)
        whole = await reader.read()
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()
        return whole

    with in_a_thread() as loop:
        assert on(loop, read()) == SOUND


def test_a_connection_that_is_reset_is_lost_with_its_error() -> None:
    lost: asyncio.Queue[Exception | None] = asyncio.Queue()

    class Listener(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:
            lost.put_nowait(exc)

    async def reset() -> Exception | None:
        server = await asyncio.get_running_loop().create_server(Listener, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # closing resets
        writer.transport.abort()
        server.close()
        return await lost.get()

    with in_a_thread() as loop:
        assert isinstance(on(loop, reset()), ConnectionResetError)


def _contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate of its own for `localhost`, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
    certificate = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False).sign(key, SHA256())
    (folder / "pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(folder / "pem")
    return serving, ssl.create_default_context(cafile=folder / "pem")
