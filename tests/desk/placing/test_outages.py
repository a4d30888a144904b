"""Dials during an outage of the journal: their outcomes are in the journal afterwards, and no slot and no key is leaked."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from services.desk.placing import placing
from services.journal import Dial, Journal
from services.journal.database import sqlite
from services.vapi.gateway import Gateway
from tests.desks import desk_at
from tests.patience import HANG_S
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER, Client, client_of

CAP = 3


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    monkeypatch.setattr(sqlite, "PATIENCE_S", 0.2)
    monkeypatch.setattr(placing, "_GONE_EVERY", 0.05)
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), concurrent_calls=CAP) as made:
        yield made


async def post(client: Client, key: int) -> tuple[int, dict[str, Any]]:
    headers = {"Idempotency-Key": f"key-{key}"}
    status, answer, _ = await client.ask("POST", "/api/vapi_call", json={"to": NUMBER, "allowDuplicate": True}, headers=headers)
    return status, answer


async def until_written(client: Client) -> None:
    async with asyncio.timeout(60):
        while client.desk.journal.waiting:  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.01)


async def dials_in_an_outage(vapi: StandIn, client: Client, journal: Path, *, after: Any = None) -> list[tuple[int, dict[str, Any]]]:
    """As many dials as there are slots. The journal is locked after Vapi was asked and before it answers."""
    reached, answered = asyncio.Event(), asyncio.Event()
    asked = 0
    create_call = client.desk._gateway.create_call

    async def create_in_outage(order: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == CAP:
            reached.set()
        await answered.wait()
        return await create_call(order)

    client.desk._placing._gateway.create_call = create_in_outage  # type: ignore[method-assign]
    try:
        posting = [asyncio.create_task(post(client, key)) for key in range(CAP)]
        async with asyncio.timeout(HANG_S):
            await reached.wait()
        with closing(sqlite3.connect(journal, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            answered.set()
            answers = await asyncio.gather(*posting)
            if after:
                await after(answers)
        return answers
    finally:
        client.desk._placing._gateway.create_call = create_call  # type: ignore[method-assign]


@pytest.mark.slow
async def test_calls_that_were_placed_and_ended_in_an_outage_are_known_afterwards(vapi: StandIn, client: Client, tmp_path: Path) -> None:
    async def end(answers: list[tuple[int, dict[str, Any]]]) -> None:
        for _, call in answers:
            assert (await client.ask("POST", call["links"]["self"] + "/end"))[0] == 200
        assert (await post(client, CAP))[1]["code"] == "journal_unavailable"

    answers = await dials_in_an_outage(vapi, client, tmp_path / "journal.sqlite", after=end)
    assert [status for status, _ in answers] == [201] * CAP
    await until_written(client)
    for key in range(CAP):
        status, again = await post(client, key)
        assert (status, again["id"]) == (201, answers[key][1]["id"])
    calls = await client.desk.journal.calls()
    assert {call.id: call.status for call in calls} == {answer["id"]: "ended" for _, answer in answers}
    for call in calls:
        assert {row.action for row in await client.desk.journal.audit(call_id=call.id)} == {"dial", "end"}
    assert vapi.dials == CAP
    assert [(await post(client, CAP + key))[0] for key in range(CAP)] == [201] * CAP, "all slots are free"


@pytest.mark.slow
async def test_a_refusal_in_an_outage_frees_the_slot_and_the_key(vapi: StandIn, client: Client, tmp_path: Path) -> None:
    vapi.answer = 400, {"message": "no"}
    answers = await dials_in_an_outage(vapi, client, tmp_path / "journal.sqlite")
    assert [(status, answer["code"]) for status, answer in answers] == [(502, "vapi_refused")] * CAP
    await until_written(client)
    vapi.answer = "created"
    assert [(await post(client, key))[0] for key in range(CAP)] == [201] * CAP


async def test_unfinished_dials_are_looked_for_again_after_any_error(
    vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.support.tasks._AGAIN_S", 0)
    errors, again = [SystemError("odd")], asyncio.Event()

    async def unsettled(*_: object) -> list[Dial]:
        if errors:
            raise errors.pop()
        again.set()
        return []

    monkeypatch.setattr(Journal, "unsettled", unsettled)
    async with desk_at(vapi.url, tmp_path), asyncio.timeout(HANG_S):
        await again.wait()
