"""Idempotency keys, duplicates and limits on the API: no call is placed twice by mistake."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.desk.desk import CallDesk
from services.desk.placing.placing import Placed
from services.domain.client import LOCAL
from services.domain.errors import DuplicateCall, DuplicateRunningCall
from services.vapi.gateway import Gateway
from tests.desks import two_desks
from tests.patience import HANG_S
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER, Client, client_of

OTHER = "+442079460958"
Answer = tuple[int, dict[str, Any], Mapping[str, str]]


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url)) as made:
        yield made


async def post(client: Client, key: str | None = None, **body: Any) -> Answer:
    headers = {"Idempotency-Key": key} if key is not None else {}
    status, answer, response = await client.ask("POST", "/api/vapi_call", json={"to": NUMBER, **body}, headers=headers)
    return status, answer, response.headers


@pytest.mark.slow
async def test_a_repeated_key_gets_the_one_answer_and_dials_nothing(vapi: StandIn, client: Client) -> None:
    status, first, headers = await post(client, "one")
    assert (status, "Idempotency-Replayed" in headers) == (201, False)
    for form in ("one", '"one"'):
        again, answer, headers = await post(client, form)
        assert (again, headers["Idempotency-Replayed"], headers["Location"]) == (201, "true", first["links"]["self"])
        assert answer | {"listenUrl": None} == first | {"listenUrl": None}
        assert answer["listenUrl"]
    assert vapi.dials == 1


@pytest.mark.slow
async def test_two_that_agree_at_once_to_call_somebody_again_place_one_call(vapi: StandIn, tmp_path: Path) -> None:
    async with two_desks((vapi.url, vapi.url), tmp_path) as desks:
        first = (await desks[0].place(desks[0].order(NUMBER), LOCAL)).call
        vapi.move(first.id, "ended")
        desks[0].look(first.id)
        async with asyncio.timeout(HANG_S):
            while await rings(desks[1]):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        both = (desk.place(desk.order(NUMBER), LOCAL, allow_recent=True) for desk in desks)
        outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert Counter(type(outcome) for outcome in outcomes) == {Placed: 1, DuplicateRunningCall: 1}
    assert vapi.dials == 2


async def rings(desk: CallDesk) -> bool:
    """True if the number has a running call, as far as the desk and its journal know."""
    try:
        await desk.weigh(desk.order(NUMBER), LOCAL, allow_duplicate=False)
    except DuplicateCall as error:
        return isinstance(error, DuplicateRunningCall)
    return False


@pytest.mark.slow
async def test_a_key_with_another_request_is_refused(vapi: StandIn, client: Client) -> None:
    await post(client, "one")
    status, problem, _ = await post(client, "one", to=OTHER)
    assert (status, problem["code"]) == (422, "idempotency_key_reused")
    assert (await post(client, "one", number=NUMBER))[0] == 422  # says the same in other words: only an equal request is a repetition
    assert vapi.dials == 1


async def test_a_key_whose_first_request_is_running_is_409(vapi: StandIn, client: Client) -> None:
    vapi.answer = "held, created"
    first = asyncio.create_task(post(client, "one"))
    await vapi.heard.wait()
    status, problem, headers = await post(client, "one")
    assert (status, problem["code"], problem["retryable"]) == (409, "idempotency_in_progress", True)
    assert headers["Retry-After"]
    vapi.let_go.set()
    assert (await first)[0] == 201
    assert vapi.dials == 1


@pytest.mark.slow
async def test_sixty_four_at_once_with_one_key_are_one_call(vapi: StandIn, client: Client) -> None:
    answers = await asyncio.gather(*(post(client, "one") for _ in range(64)))
    assert vapi.dials == 1
    assert {status for status, _, _ in answers} <= {201, 409}
    assert len({answer["id"] for status, answer, _ in answers if status == 201}) == 1


async def test_a_refusal_is_not_kept_for_its_key(vapi: StandIn, client: Client) -> None:
    vapi.answer = 400, {"message": "no"}
    assert (await post(client, "one"))[0] == 502
    vapi.answer = "created"
    assert (await post(client, "one"))[0] == 201
    assert vapi.dials == 2


async def test_an_unknown_outcome_is_the_keys_answer_and_is_not_dialled_again(
    vapi: StandIn, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.desk.placing.placing._SEARCH_PATIENCE", 0.1)
    vapi.answer = "drop"
    status, first, _ = await post(client, "one")
    assert (status, first["status"]) == (202, "unknown")
    again, answer, headers = await post(client, "one")
    assert (again, answer["id"], headers["Idempotency-Replayed"]) == (202, first["id"], "true")
    assert vapi.dials == 1


@pytest.mark.slow
async def test_keys_hold_over_a_restart(vapi: StandIn, tmp_path: Path) -> None:
    ids = []
    for _ in range(2):
        async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url)) as client:
            ids.append((await post(client, "one"))[1]["id"])
    assert ids[0] == ids[1]
    assert vapi.dials == 1


async def test_a_key_that_cannot_be_used_is_refused(vapi: StandIn, client: Client) -> None:
    for key in ("", '""', "x" * 256, '"unclosed', "caf\u00e9"):
        status, problem, _ = await post(client, key)
        assert (status, problem["errors"][0]["field"]) == (422, "Idempotency-Key"), key
    assert vapi.dials == 0


@pytest.mark.slow
async def test_the_same_number_a_moment_later_is_asked_about(vapi: StandIn, client: Client) -> None:
    _, first, _ = await post(client)
    status, problem, _ = await post(client)
    assert (status, problem["code"], problem["links"]["first"]) == (409, "duplicate_running_call", first["links"]["self"])
    await client.ask("POST", first["links"]["self"] + "/end")
    status, problem, _ = await post(client)
    assert (status, problem["code"], problem["links"]["first"]) == (409, "duplicate_recent_call", first["links"]["self"])
    assert (await post(client, to=OTHER))[0] == 201
    assert (await post(client, allowDuplicate=True))[0] == 201
    assert vapi.dials == 3


@pytest.mark.slow
async def test_two_keys_mean_two_calls_but_not_at_once_unless_asked_for(vapi: StandIn, client: Client) -> None:
    _, first, _ = await post(client, "one")
    status, problem, _ = await post(client, "two")
    assert (status, problem["code"], problem["links"]["first"]) == (409, "duplicate_running_call", first["links"]["self"])
    assert (await post(client, "one"))[1]["id"] == first["id"]
    assert (await post(client, "two", allowDuplicate=True))[0] == 201
    assert vapi.dials == 2


async def test_a_number_that_is_calling_in_is_not_dialled_without_asking(vapi: StandIn, client: Client) -> None:
    call_id = vapi.ring_in(NUMBER)
    client.desk.look(call_id)
    async with asyncio.timeout(HANG_S):
        while client.desk.get(call_id) is None:  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.01)
    status, problem, _ = await post(client)
    assert (status, problem["code"], problem["links"]["first"]) == (409, "duplicate_running_call", f"/api/calls/{call_id}")
    assert (await post(client, allowDuplicate=True))[0] == 201


async def test_a_call_that_is_scheduled_for_later_is_no_running_call(vapi: StandIn, client: Client) -> None:
    assert (await post(client, "later", earliestAt=(datetime.now(UTC) + timedelta(days=20)).isoformat()))[0] == 202
    assert (await post(client, "now"))[0] == 201


@pytest.mark.slow
async def test_the_hourly_limit_is_reported_and_not_exceeded(vapi: StandIn, tmp_path: Path) -> None:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), calls_per_hour=3, calls_per_day=100) as client:
        answers = await asyncio.gather(*(post(client, allowDuplicate=True) for _ in range(10)))
        refused = [(answer["code"], headers) for status, answer, headers in answers if status == 429]
        assert vapi.dials == 3
        assert [code for code, _ in refused] == ["rate_limited"] * 7
        assert 3500 < int(refused[0][1]["Retry-After"]) <= 3600
        assert '"hour";r=0' in refused[0][1]["RateLimit"]
        assert refused[0][1]["RateLimit-Policy"] == '"hour";q=3;w=3600, "day";q=100;w=86400'


@pytest.mark.slow
async def test_as_many_calls_at_once_as_are_allowed_and_a_slot_is_free_on_proof(vapi: StandIn, tmp_path: Path) -> None:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), concurrent_calls=2) as client:
        answers = await asyncio.gather(*(post(client, allowDuplicate=True) for _ in range(8)))
        placed = [answer for status, answer, _ in answers if status == 201]
        assert (len(placed), vapi.dials) == (2, 2)
        assert {answer["code"] for status, answer, _ in answers if status == 429} == {"concurrency_limit_exceeded"}
        await client.ask("POST", placed[0]["links"]["self"] + "/end")
        assert (await post(client, allowDuplicate=True))[0] == 201


@pytest.mark.slow
async def test_the_switch_stops_all_dialling_and_a_key_still_gets_its_answer(vapi: StandIn, client: Client) -> None:
    _, first, _ = await post(client, "one")
    assert (await client.ask("POST", "/api/dialling/stop"))[1]["allowed"] is False
    assert (await post(client, to=OTHER))[1]["code"] == "stopped"
    assert vapi.dials == 1
    assert (await post(client, "one"))[1]["id"] == first["id"]
    await client.ask("POST", "/api/dialling/resume")
    assert (await post(client, to=OTHER))[0] == 201


@pytest.mark.slow
async def test_a_stop_while_a_dial_is_being_written_down_still_stops_it(vapi: StandIn, client: Client, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as slow_disk:
        slow_disk.execute("BEGIN IMMEDIATE")
        asking = asyncio.create_task(post(client))
        for _ in range(3):  # the other request is answered in turn
            await client.ask("GET", "/health")
        await client.ask("POST", "/api/dialling/stop")
    assert (await asking)[1]["code"] == "stopped"
    assert vapi.dials == 0


@pytest.mark.slow
async def test_a_dry_run_knows_what_the_block_list_and_the_limits_say_now(vapi: StandIn, tmp_path: Path) -> None:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), calls_per_hour=1) as client:
        assert (await post(client, dryRun=True))[0] == 200
        await client.desk.blocked.add(NUMBER)
        assert (await post(client, dryRun=True))[1]["code"] == "number_blocked"
        assert (await post(client, to=OTHER))[0] == 201
        assert (await post(client, to=OTHER, dryRun=True))[1]["code"] == "rate_limited"
        assert vapi.dials == 1


@pytest.mark.slow
async def test_who_may_be_called(vapi: StandIn, tmp_path: Path) -> None:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), allowed_regions=frozenset({"US"})) as client:
        await client.desk.blocked.add("+1415555267*")
        assert (await post(client))[1]["code"] == "number_blocked"
        assert (await post(client, to="+18765550100"))[1]["code"] == "destination_not_allowed"  # +1, but Jamaica
        assert (await post(client, to="+12125550100"))[0] == 201


async def test_a_call_is_given_the_longest_time_it_may_last(vapi: StandIn, tmp_path: Path) -> None:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), max_call_seconds=120) as client:
        await post(client)
        assert (await post(client, to=OTHER, maxDurationSeconds=121))[0] == 422
        assert vapi.bodies[0]["assistantOverrides"]["maxDurationSeconds"] == 120


@pytest.mark.slow
async def test_the_audit_says_who_did_what(vapi: StandIn, client: Client) -> None:
    _, call, _ = await post(client)
    await client.ask("POST", call["links"]["self"] + "/end")
    await client.desk.timeline(call["id"])  # which waits for what is being written
    rows = await client.desk.journal.audit(call_id=call["id"])
    assert [(row.who, row.action, row.to) for row in rows] == [("local", "end", NUMBER), ("local", "dial", NUMBER)]
