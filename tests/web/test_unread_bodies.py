"""The body of a client that may not send it is never read: the answer comes first."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.web.access.sessions import Attempts
from services.web.server import connections
from tests.patience import HANG_S
from tests.stand_in import StandIn
from tests.web.test_authentication import PASSWORD, TOKENS, earshot

LARGE = 2_000_000  # bytes, announced and never sent


@pytest.fixture
async def url(vapi: StandIn, tmp_path: Path) -> AsyncIterator[str]:
    async with earshot(tmp_path, vapi, password=PASSWORD, api_tokens=TOKENS, webhook_secret="s3cret") as address:
        yield address


async def answer_to(url: str, path: str, *headers: str, length: int = LARGE, method: str = "POST") -> str:
    """The server's answer to the headers of a POST whose body never comes, until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", f"Content-Length: {length}", *headers]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    async with asyncio.timeout(HANG_S):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.decode()


@pytest.mark.parametrize("header", ["X-Vapi-Secret: wrong", "Authorization: Bearer wrong", "Authorization: Bearer boss", "X-Other: s3cret"])
async def test_a_webhook_with_a_wrong_secret_is_refused_unread(url: str, header: str) -> None:
    answer = await answer_to(url, "/api/vapi_events", header)
    assert answer.startswith("HTTP/1.1 401")
    assert '"code":"unauthorized"' in answer


async def test_a_webhook_is_refused_unread_if_no_secret_is_set(vapi: StandIn, tmp_path: Path) -> None:
    async with earshot(tmp_path, vapi) as url:
        answer = await answer_to(url, "/api/vapi_events", "X-Vapi-Secret: ")
    assert answer.startswith("HTTP/1.1 503")
    assert '"code":"not_configured"' in answer


async def test_guessing_the_secret_is_slowed_down_unread(url: str) -> None:
    answers = [await answer_to(url, "/api/vapi_events", f"X-Vapi-Secret: {guess}") for guess in range(6)]
    assert [answer.split()[1] for answer in answers] == ["401"] * 5 + ["429"]
    assert "retry-after: " in answers[-1].lower()


def test_only_the_address_that_guesses_the_secret_waits() -> None:
    attempts = Attempts(longest_wait=60, shared=False)
    for _ in range(500):
        attempts.failed("203.0.113.9")
    assert 0 < attempts.wait("203.0.113.9") <= 60
    assert attempts.wait("198.51.100.1") == 0


@pytest.mark.parametrize("header", ["X-Other: 1", "Authorization: Bearer nobody"])
async def test_an_order_without_a_token_is_refused_unread(url: str, header: str) -> None:
    assert (await answer_to(url, "/api/vapi_call", header, "Connection: close")).startswith("HTTP/1.1 401")


async def test_an_order_with_a_token_that_may_only_read_is_refused_unread(url: str) -> None:
    answer = await answer_to(url, "/api/vapi_call", "Authorization: Bearer reader")
    assert answer.startswith("HTTP/1.1 403")
    assert '"code":"forbidden_scope"' in answer


async def test_a_login_during_its_waiting_time_is_refused_unread(url: str) -> None:
    wrong = b"password=wrong"
    for _ in range(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        writer.write(b"POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(wrong), wrong))
        assert (await reader.read()).startswith(b"HTTP/1.1 401")
        writer.close()
        await writer.wait_closed()
    assert (await answer_to(url, "/login?next=/x", length=4000)).startswith("HTTP/1.1 429")


@pytest.mark.parametrize("path", ["/api/vapi_events", "/api/vapi_call"])
async def test_who_sends_on_after_the_answer_can_read_it(url: str, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    writer.write(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {LARGE}\r\n\r\n".encode())
    async with asyncio.timeout(HANG_S):
        assert await reader.readline() == b"HTTP/1.1 401 Unauthorized\r\n"
        for _ in range(20):
            writer.write(bytes(LARGE // 20))
            await writer.drain()
            await asyncio.sleep(0.01)
        assert b'"code":"unauthorized"' in await reader.read()
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("limit", ["LINGER_S", "LINGER_LIMIT"])
async def test_who_never_stops_sending_is_dropped(url: str, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(connections, limit, 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    writer.write(f"POST /api/vapi_events HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LARGE}\r\n\r\n".encode())

    async def send_on() -> None:
        while True:
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with asyncio.timeout(HANG_S):
        assert b"unauthorized" in await reader.read()
        with pytest.raises(ConnectionError):
            await send_on()


async def test_another_method_is_refused_unread(url: str) -> None:
    answer = await answer_to(url, "/api/vapi_events", method="PUT")
    assert answer.startswith("HTTP/1.1 405")
    assert "allow: post" in answer.lower()
