"""Placing a call: what is sent, how often, and which error each outcome raises. Every fault is real, on a real socket."""

import inspect
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from services.domain.call import CallOrder, CallStatus
from services.domain.errors import OutcomeUnknown, RequestError, VapiError, VapiRefused, VapiUnauthorized, VapiUnavailable
from services.vapi.gateway import Gateway
from tests.ports import free_port
from tests.vapi import samples
from tests.vapi.conftest import MakeGateway
from tests.vapi.stand_in import Reply, StandIn, cut_short, drop, hang, not_http, reply, reset, trickle

HTML = b"<html><body>502 Bad Gateway</body></html>"


async def test_the_smallest_order(vapi: StandIn, gateway: Gateway, order: CallOrder) -> None:
    vapi.on("POST", "/call", reply(201, samples.QUEUED))
    call = await gateway.create_call(order)
    assert (call.id, call.status, call.tag, call.to) == (samples.QUEUED["id"], CallStatus.QUEUED, order.tag, order.to)
    (request,) = vapi.requests
    assert request.json == {
        "assistantId": order.assistant_id,
        "phoneNumberId": order.phone_number_id,
        "customer": {"number": "+15550100002"},
        "name": f"earshot {order.tag}",
        "assistantOverrides": {"metadata": {"earshotTag": order.tag}},
    }
    assert request.headers["authorization"] == f"Bearer {samples.API_KEY}"
    assert request.headers["content-type"] == "application/json"


@pytest.mark.slow
async def test_the_largest_order_has_no_field_unknown_to_the_sdk(vapi: StandIn, gateway: Gateway, order: CallOrder) -> None:
    vapi.on("POST", "/call", reply(201, samples.QUEUED))
    await gateway.create_call(
        replace(
            order,
            name="N" * 60,
            first_message="Good day.",
            variable_values={"first": "Zoë", "count": 3},
            max_duration_seconds=120,
            earliest_at=datetime(2027, 1, 5, 11, tzinfo=UTC),
        )
    )
    body = vapi.requests[0].json
    assert body["name"] == "N" * 40
    assert body["schedulePlan"] == {"earliestAt": "2027-01-05T11:00:00.000Z"}
    assert body["assistantOverrides"] == {
        "metadata": {"earshotTag": order.tag},
        "firstMessage": "Good day.",
        "variableValues": {"first": "Zoë", "count": 3},
        "maxDurationSeconds": 120,
    }
    from vapi.calls.raw_client import AsyncRawCallsClient

    known = {name.replace("_", "") for name in inspect.signature(AsyncRawCallsClient.create).parameters}
    assert {name.lower() for name in body} <= known


async def test_a_batch_answer_and_a_full_account(vapi: StandIn, gateway: Gateway, order: CallOrder) -> None:
    vapi.on("POST", "/call", reply(201, samples.BATCH))
    call = await gateway.create_call(order)
    assert call.id == samples.QUEUED["id"]
    assert call.concurrency_blocked


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(reply(201, {"status": "queued"}), id="201 without an id"),
        pytest.param(reply(201, {"id": 7}), id="201 with an id of another type"),
        pytest.param(reply(201, {"id": " "}), id="201 with a blank id"),
        pytest.param(reply(201, []), id="201 with a list"),
        pytest.param(reply(201, b""), id="201 without a body"),
        pytest.param(reply(200, HTML), id="200 with HTML"),
        pytest.param(reply(201, b"[" * 100_000), id="201 too deep"),
        pytest.param(reply(201, b" " * 9_000_000 + b'{"id": "call-1"}'), id="201 too large"),
        pytest.param(reply(408, {"message": "Request Timeout"}), id="408"),
        pytest.param(reply(500, {"message": "Internal server error"}), id="500"),
        pytest.param(reply(502, HTML), id="502 with HTML"),
        pytest.param(reply(503, {"message": "later"}, headers={"Retry-After": "1"}), id="503"),
        pytest.param(reply(504, b""), id="504"),
        pytest.param(reply(599, b""), id="599"),
        pytest.param(drop, id="dropped"),
        pytest.param(reset, id="reset"),
        pytest.param(cut_short, id="cut short"),
        pytest.param(not_http, id="not HTTP"),
    ],
)
async def test_an_unknown_outcome_is_sent_once_and_is_not_a_refusal(
    vapi: StandIn, gateway: Gateway, order: CallOrder, fault: Reply
) -> None:
    vapi.on("POST", "/call", fault)
    with pytest.raises(OutcomeUnknown, match="Don't dial again"):
        await gateway.create_call(order)
    assert len(vapi.asked("POST")) == 1


@pytest.mark.parametrize("fault", [hang, trickle])
async def test_silence_and_a_trickling_response_end_at_the_deadline(
    vapi: StandIn, make_gateway: MakeGateway, order: CallOrder, fault: Reply
) -> None:
    vapi.on("POST", "/call", fault)
    with pytest.raises(OutcomeUnknown):
        await make_gateway(timeout=0.5).create_call(order)
    assert len(vapi.asked("POST")) == 1


@pytest.mark.parametrize("end", [drop, reset])
async def test_a_dropped_keep_alive_connection_is_not_retried(vapi: StandIn, gateway: Gateway, order: CallOrder, end: Reply) -> None:
    vapi.on("GET", "/assistant", reply(200, []))
    vapi.on("POST", "/call", end)
    await gateway.list_assistants()
    with pytest.raises(OutcomeUnknown):
        await gateway.create_call(order)
    assert vapi.connections == 1, "the connection should have been used again, else this shows nothing"
    assert len(vapi.asked("POST")) == 1


async def test_a_keep_alive_connection_closed_between_requests(vapi: StandIn, gateway: Gateway, order: CallOrder) -> None:
    vapi.on("GET", "/assistant", reply(200, [], close=True))
    vapi.on("POST", "/call", reply(201, samples.QUEUED))
    for _ in range(20):  # whether the close is noticed before the POST is written is a race, and both outcomes are right
        vapi.requests.clear()
        await gateway.list_assistants()
        try:
            assert (await gateway.create_call(order)).id == samples.QUEUED["id"]
            assert len(vapi.asked("POST")) == 1
        except OutcomeUnknown:
            assert len(vapi.asked("POST")) == 0


@pytest.mark.parametrize("status", [400, 402, 403, 404, 405, 409, 413, 422, 429])
@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Couldn't start call.", "Couldn't start call."),
        (["customer.number must be valid", 7, "name is too long"], "customer.number must be valid; name is too long"),
    ],
)
async def test_a_refusal_has_vapis_own_message(
    vapi: StandIn, gateway: Gateway, order: CallOrder, status: int, message: Any, words: str
) -> None:
    vapi.on("POST", "/call", reply(status, {"message": message, "error": "Some Error", "statusCode": status}))
    with pytest.raises(VapiRefused) as caught:
        await gateway.create_call(order)
    assert caught.value.detail == words
    assert caught.value.retryable is (status == 429)
    assert len(vapi.asked("POST")) == 1


@pytest.mark.parametrize("status", [400, 402, 403, 404, 418, 429])
@pytest.mark.parametrize("body", [b"", HTML, b"null", b'{"message": ""}', b'{"message": {"a": 1}}', b"[" * 100_000], ids=range(6))
async def test_a_refusal_without_message_has_advice(vapi: StandIn, gateway: Gateway, order: CallOrder, status: int, body: bytes) -> None:
    vapi.on("POST", "/call", reply(status, body))
    with pytest.raises(VapiRefused, match=r"Check|Wait"):
        await gateway.create_call(order)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("soon", None, None),
        ("-1", None, None),
        ("nan", None, None),
    ],
)
async def test_retry_after(vapi: StandIn, gateway: Gateway, order: CallOrder, header: str, least: float | None, most: float | None) -> None:
    vapi.on("POST", "/call", reply(429, {"message": "Rate limit exceeded"}, headers={"Retry-After": header}))
    with pytest.raises(VapiRefused) as caught:
        await gateway.create_call(order)
    waiting = caught.value.retry_after
    assert waiting is None if least is None or most is None else waiting is not None and least <= waiting <= most


async def test_retry_after_may_be_a_date(vapi: StandIn, gateway: Gateway, order: CallOrder) -> None:
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    vapi.on("POST", "/call", reply(429, {"message": "Rate limit exceeded"}, headers={"Retry-After": in_an_hour}))
    with pytest.raises(VapiRefused) as caught:
        await gateway.create_call(order)
    assert caught.value.retry_after is not None
    assert 3000 <= caught.value.retry_after <= 3600


async def test_a_redirect_is_a_refusal_and_is_not_followed(vapi: StandIn, gateway: Gateway, order: CallOrder) -> None:
    vapi.on("POST", "/call", reply(307, b"", headers={"Location": f"{vapi.url}/elsewhere"}))
    with pytest.raises(VapiRefused):
        await gateway.create_call(order)
    assert len(vapi.requests) == 1


async def test_a_wrong_key_is_named(vapi: StandIn, gateway: Gateway, order: CallOrder) -> None:
    vapi.on("POST", "/call", reply(401, {"message": "Invalid Key.", "error": "Unauthorized", "statusCode": 401}))
    with pytest.raises(VapiUnauthorized, match=r"VAPI_API_KEY.*private"):
        await gateway.create_call(order)


@pytest.mark.parametrize("key", ["“quoted”", "two words", "line\nbreak", ""])
async def test_an_impossible_key_is_not_sent(vapi: StandIn, make_gateway: MakeGateway, order: CallOrder, key: str) -> None:
    with pytest.raises(VapiUnauthorized, match="VAPI_API_KEY"):
        await make_gateway(api_key=key).create_call(order)
    assert vapi.connections == 0


async def test_space_around_a_key_does_not_matter(vapi: StandIn, make_gateway: MakeGateway, order: CallOrder) -> None:
    vapi.on("POST", "/call", reply(201, samples.QUEUED))
    await make_gateway(api_key=f" {samples.API_KEY}\n").create_call(order)
    assert vapi.requests[0].headers["authorization"] == f"Bearer {samples.API_KEY}"


@pytest.mark.parametrize(("kind", "tries"), [("refused", 0), ("no such name", 0), ("no TLS", 2)])
async def test_a_connection_that_never_opened_is_retried_once(
    vapi: StandIn, make_gateway: MakeGateway, order: CallOrder, kind: str, tries: int
) -> None:
    url = {
        "refused": f"http://127.0.0.1:{free_port()}",
        "no such name": "http://nowhere.invalid",
        "no TLS": vapi.url.replace("http", "https"),
    }[kind]
    with pytest.raises(VapiUnavailable, match="no call was placed") as caught:
        await make_gateway(base_url=url).create_call(order)
    assert caught.value.retryable
    assert vapi.connections == tries
    assert vapi.requests == []


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}])
async def test_values_that_are_not_json_are_not_sent(vapi: StandIn, gateway: Gateway, order: CallOrder, value: object) -> None:
    with pytest.raises(RequestError):
        await gateway.create_call(replace(order, variable_values={"it": value}))
    assert vapi.connections == 0


@pytest.mark.parametrize("url", ["", "api.vapi.ai", "ftp://api.vapi.ai", "https://", "/call"])
def test_an_invalid_base_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        Gateway(api_key=samples.API_KEY, base_url=url)


async def test_a_base_url_may_have_a_path(vapi: StandIn, make_gateway: MakeGateway, order: CallOrder) -> None:
    vapi.on("POST", "/vapi/v1/call", reply(201, samples.QUEUED))
    assert (await make_gateway(base_url=f"{vapi.url}/vapi/v1/").create_call(order)).id == samples.QUEUED["id"]


async def test_every_error_is_an_earshot_error(vapi: StandIn, gateway: Gateway, order: CallOrder) -> None:
    for status in (*range(300, 309), *range(400, 432), *range(500, 512)):
        vapi.on("POST", "/call", reply(status, b""))
        with pytest.raises(VapiError):
            await gateway.create_call(order)
