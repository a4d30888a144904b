"""The API with tokens that were made on the page, on real sockets."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from services.domain.client import PAGE
from services.vapi.gateway import Gateway
from tests.patience import HANG_S
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER, Client, client_of
from tests.web.test_tokens import entry


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url)) as made:
        yield made


async def test_it_opens_what_its_scopes_say_and_nothing_once_it_is_revoked(client: Client) -> None:
    token = await client.desk.tokens.make("crm", ["read"], 30, PAGE)
    assert (await client.ask("GET", "/api/calls", headers=bearer(token)))[0] == 200
    assert (await client.ask("GET", "/api/dialling", headers=bearer(token)))[0] == 200
    status, body, _ = await client.ask("POST", "/api/dialling/stop", headers=bearer(token))
    assert (status, body["code"]) == (403, "forbidden_scope")
    [made] = client.desk.tokens.all()
    other = await client.desk.tokens.make("ops", ["read"], 30, PAGE)
    await client.desk.tokens.revoke(made.id, PAGE)
    assert (await client.ask("GET", "/api/calls", headers=bearer(token)))[0] == 401
    assert (await client.ask("GET", "/api/calls", headers=bearer(other)))[0] == 200


async def test_from_the_first_one_on_the_api_needs_a_token(client: Client) -> None:
    assert (await client.ask("GET", "/api/calls"))[0] == 200
    await client.desk.tokens.make("crm", ["read"], 30, PAGE)
    assert (await client.ask("GET", "/api/calls"))[0] == 401
    assert (await client.ask("GET", "/api/calls", headers=bearer("guessed")))[0] == 401


async def test_it_stands_beside_the_tokens_of_the_settings(vapi: StandIn, tmp_path: Path) -> None:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with client_of(tmp_path, gateway, api_tokens=entry("boss", "*", "boss")) as client:
        token = await client.desk.tokens.make("crm", ["read"], 30, PAGE)
        for known in (token, "boss"):
            assert (await client.ask("GET", "/api/calls", headers=bearer(known)))[0] == 200


@pytest.mark.slow
async def test_what_is_open_with_it_closes_when_it_is_revoked(vapi: StandIn, client: Client) -> None:
    token = await client.desk.tokens.make("crm", ["read", "listen", "call"], 30, PAGE)
    await client.desk.tokens.make("ops", ["read"], 30, PAGE)
    _, call, _ = await client.ask("POST", "/api/vapi_call", json={"to": NUMBER}, headers=bearer(token))
    [made] = [one for one in client.desk.tokens.all() if one.name == "crm"]
    events = f"{client.url}/api/calls/{call['id']}/events"
    async with (
        asyncio.timeout(HANG_S),
        client.session.get(events, headers=bearer(token)) as stream,
        client.session.ws_connect(call["listenUrl"]) as socket,
    ):
        await stream.content.readline()
        await client.desk.tokens.revoke(made.id, PAGE)
        await stream.content.read()
        while (message := await socket.receive()).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
            pass
        assert message.data == 4401
    async with asyncio.timeout(HANG_S), client.session.ws_connect(call["listenUrl"]) as socket:
        while (message := await socket.receive()).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
            pass
        assert message.data == 4401
