"""One request to an address that somebody typed, on real sockets."""

import asyncio
import os
import socket
import threading
from contextlib import suppress

import pytest

from services.webhooks_out.addresses import Addresses
from services.webhooks_out.sender import Sender, SendFailed
from tests.patience import HANG_S
from tests.ports import free_port
from tests.webhooks_out.receiver import receiving, sender, signed


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]"])
async def test_this_machine_is_not_reached_however_it_is_written(host: str) -> None:
    touched = []

    async def touch(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        touched.append(writer)
        writer.close()

    port = free_port()
    servers = [await asyncio.start_server(touch, address, port) for address in ("127.0.0.1", "::1")]
    for scheme in ("http", "https"):
        url = f"{scheme}://{host}:{port}/"
        for ask in (Sender(Addresses()).post(url, b"{}", {}), Sender(Addresses()).check(url)):
            with pytest.raises(SendFailed) as failed:
                await ask
            assert failed.value.problem in ("private_address", "unreachable")  # the latter for what is no name here
    assert not touched
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_a_name_that_leads_into_a_private_network_is_called_that() -> None:
    with pytest.raises(SendFailed, match="private_address"):
        await Sender(Addresses()).post("https://localhost/", b"{}", {})


async def test_a_name_is_checked_where_it_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may resolve to another address than a moment ago (DNS rebinding)."""
    port = free_port()
    answers = iter(["93.184.215.14", "127.0.0.1"])

    def resolve(*_arguments: object, **_more: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    sending = Sender(Addresses())
    await sending.check(f"https://rebinding.example:{port}/")
    with pytest.raises(SendFailed, match="private_address"):
        await sending.post(f"https://rebinding.example:{port}/", b"{}", {})


async def test_names_that_are_slow_to_resolve_hold_up_no_other_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    go, asked = threading.Event(), list[object]()
    others = min(32, (os.cpu_count() or 1) + 4)  # threads that the event loop has

    def resolve(host: object, *_arguments: object, **_more: object) -> list[tuple[object, ...]]:
        asked.append(host)
        assert go.wait(HANG_S)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    sending = Sender(Addresses(), patience_s=HANG_S)
    waiting = [asyncio.ensure_future(sending.post("http://slow.example/", b"{}", {})) for _ in range(40)]
    try:
        async with asyncio.timeout(HANG_S / 2):
            while len(asked) < others:  # noqa: ASYNC110 - it is asked in threads
                await asyncio.sleep(0.02)
            await asyncio.to_thread(threading.get_ident)
    finally:
        go.set()
    for failed in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(failed, SendFailed)


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async with receiving() as receiver:
        receiver.secret = "whsec_AAAA"
        receiver.status = 307
        assert await sender().post(receiver.url, b"{}", signed(receiver.secret, "{}")) == 307
        assert len(receiver.requests) == 1


async def test_who_does_not_answer_or_is_not_there_is_told_apart() -> None:
    async with receiving() as receiver:
        receiver.secret, receiver.status = "whsec_AAAA", None
        with pytest.raises(SendFailed, match="no_answer"):
            await sender(patience_s=0.2).post(receiver.url, b"{}", signed(receiver.secret, "{}"))
    with pytest.raises(SendFailed, match="unreachable"):
        await sender().post(f"http://127.0.0.1:{free_port()}/", b"{}", {})


@pytest.mark.parametrize(("interim", "expected"), [(2, 204), (100_000, None)])
async def test_a_few_interim_answers_may_come_first_but_not_a_flood(interim: int, expected: int | None) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        with suppress(ConnectionError):
            writer.write(b"HTTP/1.1 102 \r\n\r\n" * interim + b"HTTP/1.1 204 \r\n\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    if expected:
        assert await sender().post(url, b"{}", {}) == expected
    else:
        with pytest.raises(SendFailed, match="unreachable"):
            await sender().post(url, b"{}", {})
    server.close()
    await server.wait_closed()
