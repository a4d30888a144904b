"""Deleting everything about one number over REST."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.vapi.gateway import Gateway
from tests.desk.test_desk import until
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER, Client, client_of

ERASE = "/api/numbers/erase"
NOTHING = {"number": "…2671", "dryRun": False, "calls": 0, "running": 0, "failed": 0, "pending": 0, "blocked": False}


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url)) as made:
        yield made


@pytest.mark.slow
async def test_it_says_what_it_would_delete_and_deletes_it(vapi: StandIn, client: Client) -> None:
    _, call = await client.place(to=NUMBER)
    body = {"number": "+1 (415) 555-2671"}
    assert (await client.ask("POST", ERASE, json=body | {"dryRun": True}))[:2] == (200, NOTHING | {"dryRun": True, "running": 1})
    status, problem, _ = await client.ask("POST", ERASE, json=body)
    assert (status, problem["code"]) == (409, "number_has_calls")
    vapi.move(call["id"], "ended", endedReason="customer-ended-call")
    await until(client.desk, call["id"], lambda call: not call.running)
    assert (await client.ask("POST", ERASE, json=body | {"dryRun": True}))[1] == NOTHING | {"dryRun": True, "calls": 1}
    assert (await client.ask("POST", ERASE, json=body))[:2] == (200, NOTHING | {"calls": 1})
    assert vapi.calls == {}
    assert (await client.ask("POST", ERASE, json=body))[1] == NOTHING
    assert NUMBER not in str(await client.desk.journal.audit())


@pytest.mark.parametrize("number", ["+1415*", "4155552671", "", "+1" + 70 * "0"])
async def test_a_number_has_its_country_code_and_is_no_prefix(client: Client, number: str) -> None:
    status, problem, _ = await client.ask("POST", ERASE, json={"number": number})
    assert (status, problem["errors"][0]["field"]) == (422, "number")
