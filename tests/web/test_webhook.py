"""Vapi's server messages: who may send them, and that they are only hints."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.vapi.gateway import Gateway
from tests.desk.test_desk import NUMBER, place, until
from tests.patience import HANG_S
from tests.stand_in import StandIn
from tests.web.test_api import Client, client_of
from tests.web.test_authentication import earshot

SECRET = {"X-Vapi-Secret": "s3cret"}


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), webhook_secret="s3cret") as made:
        yield made


async def send(client: Client, call_id: str, headers: dict[str, str] | None = None, **message: Any) -> tuple[int, dict[str, Any]]:
    body = {"message": {"call": {"id": call_id, "monitor": {"listenUrl": "wss://secret"}}, **message}}
    status, answer, _ = await client.ask("POST", "/api/vapi_events", json=body, headers=SECRET if headers is None else headers)
    return status, answer


async def test_the_secret_is_asked_for(client: Client) -> None:
    for headers in (SECRET, {"Authorization": "Bearer s3cret"}):
        assert (await send(client, "one", headers, type="hang"))[0] == 200, headers
    for headers in ({}, {"X-Vapi-Secret": "wrong"}, {"X-Vapi-Secret": "säcret"}, {"Authorization": "Basic s3cret"}):
        assert (await send(client, "one", headers, type="hang"))[0] == 401, headers


async def test_without_a_secret_of_our_own_nothing_is_taken(vapi: StandIn, tmp_path: Path) -> None:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url)) as client:
        for headers in ({}, {"X-Vapi-Secret": ""}, SECRET):
            status, problem = await send(client, "one", headers, type="hang")
            assert (status, problem["code"]) == (503, "not_configured")
            assert "EARSHOT_WEBHOOK_SECRET" in problem["detail"]


async def test_a_webhook_needs_no_session_and_no_token(vapi: StandIn, tmp_path: Path) -> None:
    tokens = f"robot:read:{'0' * 64}"
    async with (
        earshot(tmp_path, vapi, password="page", api_tokens=tokens, webhook_secret="s3cret") as url,
        aiohttp.ClientSession() as session,
    ):
        for headers in (SECRET, {"Authorization": "Bearer s3cret"}):
            async with session.post(f"{url}/api/vapi_events", json={"message": {"type": "hang"}}, headers=headers) as answer:
                assert answer.status == 200
        async with session.get(f"{url}/api/calls") as answer:
            assert answer.status == 401


@pytest.mark.slow
async def test_a_hint_makes_the_watcher_look_and_is_not_believed(vapi: StandIn, client: Client) -> None:
    call = await place(client.desk)
    vapi.move(call.id, "in-progress")
    await send(client, call.id, type="status-update", status="ended", endedReason="customer-ended-call")
    seen = await until(client.desk, call.id, lambda call: call.answered)
    assert seen.running


async def test_a_call_that_is_not_known_is_read_from_vapi(vapi: StandIn, client: Client) -> None:
    await client.desk.caught_up()
    call_id = vapi.ring_in(NUMBER, status="ended", endedReason="call.start.error-get-transport")
    await send(client, call_id, type="end-of-call-report")
    call = await until(client.desk, call_id, lambda call: not call.running)
    assert call.inbound


async def test_the_transcript_comes_line_by_line(client: Client) -> None:
    call = await place(client.desk)
    await send(client, call.id, type="transcript", role="user", transcriptType="partial", transcript="Hel", timestamp=1)
    await send(client, call.id, type='transcript[transcriptType="final"]', role="user", transcript="Hello?", timestamp=2)
    await send(client, call.id, type="speech-update", role="assistant", status="started")
    assert client.desk.transcripts.speaking(call.id) == {"assistant"}
    _, answer, _ = await client.ask("GET", f"/api/calls/{call.id}/transcript")
    line = answer["lines"][0]
    assert (len(answer["lines"]), line["key"], line["speaker"], line["text"], line["final"]) == (1, 1, "customer", "Hello?", True)
    async with asyncio.timeout(HANG_S), client.session.get(f"{client.url}/api/calls/{call.id}/events") as events:
        while b"event: transcript" not in (read := await events.content.readuntil(b"\n\n")):
            pass
    assert b'"text":"Hello?"' in read


async def test_a_malformed_report_is_an_error(client: Client) -> None:
    headers = {"Content-Type": "application/json", **SECRET}
    for body in (b"[]", b"{", b'{"message": 3}', b"[" * 100_000):
        assert (await client.ask("POST", "/api/vapi_events", data=body, headers=headers))[0] == 422, body[:20]


@pytest.mark.parametrize(("size", "expected"), [(1_000_000, 200), (3_000_000, 413)])
async def test_a_report_may_be_long_but_is_limited(client: Client, size: int, expected: int) -> None:
    body = io.BytesIO(b'{"message": {"type": "end-of-call-report", "filler": "%s"}}' % (b"x" * size))
    headers = {"Content-Type": "application/json", **SECRET}
    assert (await client.ask("POST", "/api/vapi_events", data=body, headers=headers))[0] == expected
