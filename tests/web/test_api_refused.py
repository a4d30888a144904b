"""Requests over REST that are refused, by field and code. All to one Earshot: none of them leaves anything behind."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.vapi.gateway import Gateway
from tests.stand_in import StandIn, stand_in
from tests.web.test_api import DEEP, DEEP_BEHIND_QUOTES, NUMBER, Client, client_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def vapi() -> AsyncIterator[StandIn]:
    async with stand_in() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(vapi: StandIn, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    async with client_of(tmp_path_factory.mktemp("refused"), Gateway(api_key="private", base_url=vapi.url)) as made:
        yield made


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "to"),
        ({"to": None}, "to"),
        ({"to": 14155552671}, "to"),
        ({"to": [NUMBER]}, "to"),
        ({"to": NUMBER, "number": "+442079460958"}, "number"),
        ({"to": NUMBER, "monitor": {}}, "monitor"),
        ({"to": NUMBER, "name": "x" * 41}, "name"),
        ({"to": NUMBER, "maxDurationSeconds": 5}, "maxDurationSeconds"),
        ({"to": NUMBER, "maxDurationSeconds": True}, "maxDurationSeconds"),
        ({"to": NUMBER, "earliestAt": "2999-01-05T10:00:00"}, "earliestAt"),
        ({"to": NUMBER, "earliestAt": "2999-01-05T10:00:00Z"}, "earliestAt"),
        ({"to": NUMBER, "earliestAt": "9999-12-31T23:59:59-23:59"}, "earliestAt"),
        ({"to": NUMBER, "dryRun": "yes"}, "dryRun"),
        ({"to": ""}, "to"),
        ({"to": "911"}, "to"),
        ({"to": "+1 900 555 1234"}, "to"),
        ({"to": "+15550100002"}, "to"),
        ({"to": "x" * 1000}, "to"),
    ],
)
async def test_errors_name_their_field_and_nothing_is_placed(vapi: StandIn, client: Client, body: dict[str, Any], field: str) -> None:
    status, problem = await client.place(**body)
    assert status == 422
    assert field in [error["field"] for error in problem["errors"]]
    assert vapi.dials == 0


@pytest.mark.parametrize(
    ("data", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed_json"),
        (b"", "application/json", 422, "invalid_request"),
        (b"[]", "application/json", 422, "invalid_request"),
        (b'"+14155552671"', "application/json", 422, "invalid_request"),
        (b"\xff\xfe", "application/json", 400, "malformed_json"),
        (b"[" * 16_000, "application/json", 422, "invalid_request"),
        (DEEP, "application/json", 422, "invalid_request"),
        (DEEP_BEHIND_QUOTES, "application/json", 422, "invalid_request"),
        ('{"to": "+14155552671"}'.encode("utf-16"), "application/json", 400, "malformed_json"),
        (b'{"to": "+14155552671", "name": "a\\u0000b"}', "application/json", 422, "invalid_request"),
        (b'{"to": "+14155552671", "variableValues": {"a": ["\\\\\\u0000"]}}', "application/json", 422, "invalid_request"),
        (b'{"to": "+14155552671"}', "text/plain", 415, "not_json"),
        (b"to=%2B14155552671", "application/x-www-form-urlencoded", 415, "not_json"),
    ],
)
async def test_a_body_that_is_no_request(vapi: StandIn, client: Client, data: bytes, content_type: str, status: int, code: str) -> None:
    found, problem, _ = await client.ask("POST", "/api/vapi_call", data=data, headers={"Content-Type": content_type})
    assert (found, problem["code"]) == (status, code)
    assert vapi.dials == 0


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "not_found"),
        ("GET", "/api/vapi_call", 405, "method_not_allowed"),
        ("GET", "/api/calls/no-such-call", 404, "call_not_found"),
        ("POST", "/api/calls/no-such-call/end", 404, "call_not_found"),
        ("GET", "/api/calls/..%2Fassistant", 404, "not_found"),
        ("GET", "/api/calls?limit=0", 422, "invalid_request"),
        ("GET", "/api/calls?limit=9999", 422, "invalid_request"),
        ("GET", "/api/calls?status=asleep", 422, "invalid_request"),
        ("GET", "/api/calls?cursor=%00", 422, "invalid_request"),
        ("GET", "/api/calls?from=yesterday", 422, "invalid_request"),
        ("GET", "/api/calls?from=9999-12-31T23:59:59-23:59", 422, "invalid_request"),
        ("GET", "/api/calls?to=0001-01-01T00:00:00%2B23:59", 422, "invalid_request"),
        ("GET", "/api/calls/%00", 404, "not_found"),
        ("GET", "/api/calls/a%0Ab/transcript", 404, "not_found"),
        ("POST", "/api/calls/%7F/end", 404, "not_found"),
        ("GET", "/api/calls?search=%00", 422, "invalid_request"),
        ("GET", "/api/calls?search=a%1Bb", 422, "invalid_request"),
        ("GET", "/api/calls.csv?search=%00", 422, "invalid_request"),
        ("GET", "/api/calls?other%00=1", 422, "invalid_request"),
    ],
)
async def test_wrong_addresses_and_queries(client: Client, method: str, path: str, status: int, code: str) -> None:
    found, problem, _ = await client.ask(method, path)
    assert (found, problem["code"]) == (status, code)
