"""Whatever Vapi says, by whichever door, no route answers 500 and the page can show it."""

import io
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.vapi.gateway import Gateway
from tests.desks import desk_in
from tests.vapi import samples
from tests.vapi.odd_bodies import ANALYSED, LONG, TEXTS, is_clean, mutated
from tests.vapi.stand_in import StandIn, reply
from tests.web.doors import BODIES, Doors
from tests.web.test_api import Client, client_of

_LISTED = 100_000  # bytes of a call in a list, which has a limit of its own
SECRET = {"Content-Type": "application/json", "X-Vapi-Secret": "s3cret"}


@pytest.mark.slow
@pytest.mark.parametrize("door", BODIES)
async def test_odd_bodies_come_through_every_door(door: str, tmp_path: Path) -> None:
    dice = random.Random(f"{door} 1")  # noqa: S311 (the same bodies at every run)
    async with desk_in(tmp_path, None) as desk:
        take = Doors(desk).all[door]
        for _ in range(400):
            text = json.dumps(mutated(dice.choice(BODIES[door]), dice))
            take(text)


@pytest.fixture
async def vapi() -> AsyncIterator[StandIn]:
    async with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    dice = random.Random(2)  # noqa: S311 (the same bodies at every run)
    calls = []
    for number in range(30):
        call = mutated(dice.choice([samples.QUEUED, samples.IN_PROGRESS, samples.ENDED, samples.INBOUND, ANALYSED]), dice)
        if isinstance(call, dict) and len(json.dumps(call)) < _LISTED:
            calls.append({"createdAt": "2026-09-01T10:00:00Z", **call, "id": f"call-{number}"})
    for text in (text[:1000] for text in TEXTS):
        filled = {"name": text, "status": text, "endedReason": text, "customer": {"number": text}, "analysis": {"summary": text}}
        artifact = {"messages": [{"role": "user", "message": text}]}
        calls.append({**samples.ENDED, **filled, "artifact": artifact, "id": f"text-{len(calls)}"})
    calls.append({**samples.ENDED, "id": "long", "summary": LONG, "name": LONG, "artifact": {"transcript": LONG}})
    vapi.on("GET", "/call", reply(200, calls))
    for call in calls:
        vapi.on("GET", f"/call/{call['id']}", reply(200, call))
    vapi.on("GET", "/assistant", reply(200, [{"id": f"a{number}", "name": text} for number, text in enumerate(TEXTS)]))
    vapi.on("GET", "/phone-number", reply(200, [{"id": f"p{number}", "name": text, "number": text} for number, text in enumerate(TEXTS)]))
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), webhook_secret="s3cret") as made:
        made.call_ids = [call["id"] for call in calls]  # type: ignore[attr-defined]
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("path", ["", "/transcript", "/timeline"])
async def test_every_route_of_a_call_answers(client: Client, path: str) -> None:
    for call_id in client.call_ids:  # type: ignore[attr-defined]
        status, body, _ = await client.ask("GET", f"/api/calls/{call_id}{path}")
        assert status == 200, (call_id, path, body)
        assert is_clean(json.dumps(body, ensure_ascii=False))


@pytest.mark.slow
async def test_the_lists_of_calls_answer(client: Client) -> None:
    await client.desk.caught_up()
    status, page, _ = await client.ask("GET", "/api/calls?limit=200")
    assert status == 200
    assert page["calls"]
    async with client.session.get(f"{client.url}/api/calls.csv") as answer:
        assert answer.status == 200
        (await answer.read()).decode()


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:20])
async def test_odd_words_of_a_live_call(client: Client, text: str) -> None:
    call = {"id": "live", "status": "in-progress"}
    for kind, role in (("partial", "user"), ("final", "user"), ("final", text)):
        message = {"type": "transcript", "transcriptType": kind, "role": role, "transcript": f"Hi {text}", "call": call}
        data = io.BytesIO(json.dumps({"message": message}).encode())
        status, body, _ = await client.ask("POST", "/api/vapi_events", data=data, headers=SECRET)
        assert status == 200, body
    assert all(is_clean(line.text) for line in client.desk.transcripts.of("live"))


@pytest.mark.slow
async def test_a_message_whose_type_is_no_name_is_ignored(client: Client) -> None:
    kinds: list[object] = [[], {}, ["hang"], 7, None, True, "\ud800"]
    for kind in kinds:
        body = {"message": {"type": kind, "call": {"id": "live"}}}
        status, answer, _ = await client.ask("POST", "/api/vapi_events", json=body, headers=SECRET)
        assert (status, answer) == (200, {}), kind
