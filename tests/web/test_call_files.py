"""Vapi's log and packet capture of a call, through our routes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientResponse, web

from services.web.routes import call_files
from tests.patience import HANG_S
from tests.web.test_api import Client
from tests.web.test_vapi_recording import Vapi, knowing, serve

LINES = b'{"level": "info", "body": "Hello?"}\n'


@pytest.fixture
async def vapi() -> AsyncIterator[Vapi]:
    async with serve(Vapi()) as served:
        yield served


@pytest.fixture
async def client(vapi: Vapi, tmp_path: Path) -> AsyncIterator[Client]:
    async with knowing(tmp_path, vapi) as made:
        yield made


@pytest.mark.parametrize(("kind", "name"), [("call-logs", "call-one-log.jsonl"), ("pcap", "call-one-packets.pcap")])
@pytest.mark.parametrize(("content", "ending"), [(LINES, ""), (b"\x1f\x8b\x08packed", ".gz")])
async def test_a_file_is_fetched_with_the_key_and_followed_without(
    vapi: Vapi, client: Client, kind: str, name: str, content: bytes, ending: str
) -> None:
    vapi.answers[f"/call/one/{kind}"] = lambda _: web.Response(status=302, headers={"Location": f"/storage/{kind}?key=1"})
    vapi.answers[f"/storage/{kind}"] = lambda _: web.Response(body=content, content_type="application/octet-stream")
    async with client.session.get(f"{client.url}/api/calls/one/{kind}") as answer:
        assert (answer.status, await answer.read()) == (200, content)
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}{ending}"'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert (f"/call/one/{kind}", True) in vapi.asked
    assert (f"/storage/{kind}", False) in vapi.asked
    await client.desk.timeline("one")  # which waits for what is being written
    rows = await client.desk.journal.audit(call_id="one", limit=10)
    assert [row.action for row in rows] == ["download-log" if kind == "call-logs" else "download-packets"]


async def test_an_address_in_the_call_serves_where_the_api_has_none(vapi: Vapi, client: Client) -> None:
    vapi.artifact = {"logUrl": f"{vapi.url}/storage/log"}
    vapi.answers["/storage/log"] = lambda _: web.Response(body=LINES)
    async with client.session.get(f"{client.url}/api/calls/one/call-logs") as answer:
        assert (answer.status, await answer.read()) == (200, LINES)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["call-logs", "pcap"])
async def test_what_vapi_does_not_have_is_not_found(client: Client, kind: str) -> None:
    status, problem, _ = await client.ask("GET", f"/api/calls/one/{kind}")
    assert (status, problem["code"]) == (404, "recording_not_found")
    assert "recording" not in problem["detail"]


async def test_an_endless_file_is_not_passed_on(vapi: Vapi, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_files, "_LARGEST", 1000)
    vapi.answers["/call/one/pcap"] = lambda _: web.Response(body=b"x" * 5000)
    status, problem, _ = await client.ask("GET", "/api/calls/one/pcap")
    assert (status, problem["code"]) == (502, "vapi_unavailable")


@pytest.mark.slow
async def test_one_client_fetches_few_files_at_once_and_all_places_come_back(vapi: Vapi, client: Client) -> None:
    go = asyncio.Event()
    arrived: asyncio.Queue[None] = asyncio.Queue()

    async def slow(_: web.Request) -> web.Response:
        arrived.put_nowait(None)
        await go.wait()
        return web.Response(body=LINES)

    vapi.answers["/call/one/call-logs"] = slow
    address = f"{client.url}/api/calls/one/call-logs"
    async with asyncio.timeout(HANG_S):
        for _ in range(2):
            go.clear()
            fetching: list[asyncio.Future[ClientResponse]] = []
            while len(fetching) < 4:  # a place comes back a moment after its file has arrived
                one, arriving = asyncio.ensure_future(client.session.get(address)), asyncio.ensure_future(arrived.get())
                await asyncio.wait((one, arriving), return_when=asyncio.FIRST_COMPLETED)
                if arriving.done():
                    fetching.append(one)
                else:
                    arriving.cancel()
                    assert (await one).status == 429
            async with client.session.get(address) as fifth:
                assert fifth.status == 429
            go.set()
            answers = [await one for one in fetching]
            assert [(one.status, await one.read()) for one in answers] == [(200, LINES)] * 4


@pytest.mark.slow
async def test_a_file_whose_reader_goes_away_gives_its_place_back(vapi: Vapi, client: Client) -> None:
    vapi.answers["/call/one/pcap"] = lambda _: web.Response(body=b"x" * 20_000_000)
    address, fetched = f"{client.url}/api/calls/one/pcap", 0
    async with asyncio.timeout(HANG_S):
        while fetched < 6:  # more than one client may fetch at once
            answer = await client.session.get(address)
            answer.close()
            fetched += answer.status == 200
            await client.desk.page_of_calls()


async def test_what_nobody_waits_for_any_more_is_fetched_no_further(vapi: Vapi, client: Client) -> None:
    asked, dropped = asyncio.Event(), asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        asked.set()
        try:
            while True:
                await answer.write(b"x")
                await asyncio.sleep(0.02)  # the pace of a slow server
        except OSError:
            dropped.set()
            raise

    vapi.answers["/call/one/pcap"] = endless
    fetching = asyncio.ensure_future(client.session.get(f"{client.url}/api/calls/one/pcap"))
    async with asyncio.timeout(HANG_S):
        await asked.wait()
        fetching.cancel()
        await dropped.wait()
