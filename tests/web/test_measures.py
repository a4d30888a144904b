"""The figures of a conversation over REST: in the call, as a list of turns, and live as events."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.domain.client import LOCAL
from services.domain.errors import JournalError
from services.vapi.gateway import Gateway
from tests.desk.judging.test_measuring import PCM, end, heard_s, speak, until
from tests.desk.test_desk import place
from tests.measures.test_measures import FORM, measured
from tests.patience import HANG_S
from tests.stand_in import StandIn
from tests.web.test_api import Client, client_of


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), measured=True) as made:
        yield made


@pytest.mark.slow
async def test_a_call_is_answered_with_its_figures_and_its_turns(vapi: StandIn, client: Client) -> None:
    call = await place(client.desk)
    path = f"/api/calls/{call.id}"
    status, problem, _ = await client.ask("GET", f"{path}/measures")
    assert (status, problem["code"]) == (404, "not_measured")
    assert (await client.ask("GET", path))[1]["measures"] is None
    vapi.move(call.id, "in-progress")
    await speak(vapi, call.id, PCM)
    await until(lambda: heard_s(client.desk, call) > 40)
    await end(client.desk, call)
    expected = json.loads(json.dumps(measured(PCM).json()))
    _, answer, _ = await client.ask("GET", f"{path}/measures")
    assert {name: answer[name] for name in expected} == expected
    assert answer["startedAt"].endswith("Z")
    assert [turn["speaker"] for turn in answer["turns"]][:2] == ["customer", "assistant"]
    brief = (await client.ask("GET", path))[1]["measures"]
    assert brief == {name: answer[name] for name in brief}
    assert (await client.ask("GET", "/api/calls"))[1]["calls"][0]["measures"] == brief
    await client.desk.measurements.settled()  # what came after the call's end is written soon, not at once
    client.desk.measurements._live.clear()  # as after a restart
    assert (await client.ask("GET", "/api/calls"))[1]["calls"][0]["measures"] == brief
    assert (await client.ask("GET", f"{path}/measures"))[1] == answer
    await client.desk.erase(call.id, LOCAL)
    assert (await client.ask("GET", path))[1]["measures"] is None
    assert (await client.ask("GET", f"{path}/measures"))[1]["code"] == "not_measured"


@pytest.mark.slow
async def test_figures_come_as_events_and_only_the_latest_are_remembered(vapi: StandIn, client: Client) -> None:
    call = await place(client.desk)
    vapi.move(call.id, "in-progress")
    async with asyncio.timeout(HANG_S), client.session.get(f"{client.url}/api/calls/{call.id}/events") as events:
        await until(lambda: client.relay.listeners == 2)  # this stream, and what measures, which may join later
        await speak(vapi, call.id, PCM[: 10 * FORM.bytes_per_second])
        while b"event: measures" not in (event := await events.content.readuntil(b"\n\n")):
            pass
    figures = json.loads(event.partition(b"data: ")[2])
    assert figures.keys() == (await client.ask("GET", f"/api/calls/{call.id}"))[1]["measures"].keys()
    await until(lambda: heard_s(client.desk, call) > 8.7)
    await client.desk.end(call.id, LOCAL)
    async with asyncio.timeout(HANG_S), client.session.get(f"{client.url}/api/calls/{call.id}/events") as events:
        assert (await events.text()).count("event: measures") == 1


async def test_an_outage_of_the_journal_costs_a_running_call_nothing_but_its_figures(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = await place(client.desk)

    async def fail(_: object) -> dict[str, str]:
        raise JournalError("The database does not answer.")

    monkeypatch.setattr(client.desk.journal.measures, "briefs", fail)
    status, answer, _ = await client.ask("GET", f"/api/calls/{call.id}")
    assert (status, answer["measures"]) == (200, None)
