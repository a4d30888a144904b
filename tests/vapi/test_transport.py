"""Connections are released on every path, and proxies of the environment are used where possible."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from services.domain.call import CallOrder
from services.domain.errors import OutcomeUnknown, VapiUnavailable
from services.vapi.gateway import Gateway
from tests.ports import free_port
from tests.vapi import samples
from tests.vapi.conftest import MakeGateway
from tests.vapi.stand_in import Reply, StandIn, reply, trickle


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    """Connections that only garbage collection would close count as left open."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_garbage_collection")
@pytest.mark.parametrize("fault", [pytest.param(reply(201, b" " * 9_000_000), id="too large"), trickle])
async def test_a_partly_read_response_releases_its_connection(
    vapi: StandIn, make_gateway: MakeGateway, order: CallOrder, fault: Reply
) -> None:
    vapi.on("POST", "/call", fault)
    with pytest.raises(OutcomeUnknown):
        await make_gateway(timeout=0.5).create_call(order)
    assert await vapi.all_let_go()


@pytest.mark.usefixtures("no_garbage_collection")
async def test_a_cancelled_request_releases_its_connection(vapi: StandIn, gateway: Gateway, order: CallOrder) -> None:
    dialled = asyncio.Event()

    async def answer_slowly(writer: asyncio.StreamWriter) -> None:
        dialled.set()
        await trickle(writer)

    vapi.on("POST", "/call", answer_slowly)
    dialling = asyncio.create_task(gateway.create_call(order))
    await dialled.wait()
    dialling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dialling
    assert await vapi.all_let_go()


async def test_connections_are_reused_and_closed_at_the_end(vapi: StandIn, make_gateway: MakeGateway) -> None:
    vapi.on("GET", "/assistant", reply(200, []))
    gateway = make_gateway()
    for _ in range(5):
        await gateway.list_assistants()
    assert vapi.connections == 1
    await gateway.aclose()
    assert await vapi.all_let_go()


async def test_a_proxy_is_used_except_for_loopback(
    vapi: StandIn, make_gateway: MakeGateway, order: CallOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    vapi.on("POST", "/call", reply(201, samples.QUEUED))
    vapi.on("POST", "http://vapi.example/call", reply(201, samples.QUEUED))
    monkeypatch.setenv("HTTP_PROXY", vapi.url)
    await make_gateway(base_url="http://vapi.example").create_call(order)
    assert vapi.requests[-1].target == "http://vapi.example/call"
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    await make_gateway().create_call(order)
    assert vapi.requests[-1].target == "/call"
    with pytest.raises(VapiUnavailable):
        await make_gateway(base_url="http://vapi.example").create_call(order)
