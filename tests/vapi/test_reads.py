"""Reading calls, assistants and numbers, and finding a call whose response was lost."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from services.domain.call import Assistant, CallerId, CallOrder, CallStatus
from services.domain.errors import CallNotFound, RecordingNotFound, VapiRefused, VapiUnauthorized, VapiUnavailable
from services.vapi.gateway import Gateway
from tests.ports import free_port
from tests.vapi import samples
from tests.vapi.conftest import MakeGateway
from tests.vapi.stand_in import Reply, Request, StandIn, cut_short, drop, hang, not_http, reply, reset, trickle

SINCE = datetime(2026, 9, 1, 10, tzinfo=UTC)


def query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.target).query).items()}


async def test_one_call(vapi: StandIn, gateway: Gateway) -> None:
    vapi.on("GET", f"/call/{samples.ENDED['id']}", reply(200, samples.ENDED))
    call = await gateway.get_call(samples.ENDED["id"])
    assert (call.status, call.ended_reason, call.cost) == (CallStatus.ENDED, "customer-ended-call", 0.0712)


@pytest.mark.parametrize("call_id", ["", ".", "..", "../assistant", "..\\assistant", "a/b", "%2e%2e", "x?limit=1", "x#y", "é\ud800", "a b"])
async def test_a_crafted_id_reaches_no_other_path(vapi: StandIn, gateway: Gateway, call_id: str) -> None:
    vapi.on("GET", "/assistant", reply(200, samples.MINIMAL))
    vapi.on("GET", "/", reply(200, samples.MINIMAL))
    vapi.on("GET", "/call", reply(200, samples.MINIMAL))
    vapi.on("GET", "/call/", reply(200, samples.MINIMAL))
    for attempt in (gateway.get_call(call_id), gateway.listen_target(call_id), gateway.end_call(call_id)):
        with pytest.raises(CallNotFound):
            await attempt
    with pytest.raises(CallNotFound):
        await gateway.delete_call(call_id)
    with pytest.raises((CallNotFound, RecordingNotFound)):
        await gateway.recording(call_id).__aenter__()
    for request in vapi.requests:
        assert request.target.startswith("/call/")
        assert request.target.removesuffix("/stereo-recording").removesuffix("/mono-recording").count("/") == 2
        assert "?" not in request.target


READ_FAULTS = [
    pytest.param(reply(500, {"message": "Internal server error"}), id="500"),
    pytest.param(reply(502, b"<html>"), id="502 with HTML"),
    pytest.param(reply(408, b""), id="408"),
    pytest.param(reply(302, b"", headers={"Location": "/assistant"}), id="redirect"),
    pytest.param(reply(200, b"<html>"), id="HTML"),
    pytest.param(reply(200, b""), id="empty"),
    pytest.param(reply(200, "text"), id="of another type"),
    pytest.param(reply(200, b" " * 9_000_000), id="too large"),
    pytest.param(drop, id="dropped"),
    pytest.param(reset, id="reset"),
    pytest.param(cut_short, id="cut short"),
    pytest.param(not_http, id="not HTTP"),
]


@pytest.mark.parametrize("fault", READ_FAULTS)
async def test_a_failed_read_means_vapi_is_unavailable(vapi: StandIn, gateway: Gateway, order: CallOrder, fault: Reply) -> None:
    for path in ("/call", "/call/call-1", "/assistant", "/phone-number"):
        vapi.on("GET", path, fault)
    for attempt in (
        gateway.get_call("call-1"),
        gateway.list_calls(),
        gateway.find_call(order, since=SINCE),
        gateway.list_assistants(),
        gateway.list_phone_numbers(),
    ):
        with pytest.raises(VapiUnavailable) as caught:
            await attempt
        assert caught.value.retryable


@pytest.mark.parametrize("fault", [hang, trickle])
async def test_reading_ends_at_the_deadline(vapi: StandIn, make_gateway: MakeGateway, fault: Reply) -> None:
    vapi.on("GET", "/call/call-1", fault)
    with pytest.raises(VapiUnavailable):
        await make_gateway(timeout=0.3).get_call("call-1")


async def test_nothing_listens(make_gateway: MakeGateway) -> None:
    with pytest.raises(VapiUnavailable, match="network"):
        await make_gateway(base_url=f"http://127.0.0.1:{free_port()}").get_call("call-1")


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, VapiUnauthorized), (404, CallNotFound), (400, VapiRefused), (403, VapiRefused), (429, VapiRefused)],
)
async def test_a_refused_read(vapi: StandIn, gateway: Gateway, status: int, error: type[Exception]) -> None:
    vapi.on("GET", "/call/call-1", reply(status, {"message": "No.", "statusCode": status}, headers={"Retry-After": "3"}))
    vapi.on("GET", "/assistant", reply(status, {"message": "No.", "statusCode": status}))
    with pytest.raises(error):
        await gateway.get_call("call-1")
    with pytest.raises(VapiRefused if status == 404 else error):
        await gateway.list_assistants()


async def test_a_call_without_an_id_is_unreadable(vapi: StandIn, gateway: Gateway) -> None:
    vapi.on("GET", "/call/call-1", reply(200, {"status": "queued"}))
    with pytest.raises(VapiUnavailable, match="can't be read"):
        await gateway.get_call("call-1")


async def test_pickers(vapi: StandIn, gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    vapi.on("GET", "/assistant", reply(200, [samples.ASSISTANT, {"id": "a2", "name": 7}, {"name": "no id"}, None, {"id": {}}]))
    vapi.on("GET", "/phone-number", reply(200, [samples.PHONE_NUMBER, {"id": "n2", "number": None}]))
    assert await gateway.list_assistants() == [Assistant(id=str(samples.ASSISTANT["id"]), name="Receptionist"), Assistant(id="a2")]
    assert "3 of 5" in caplog.text
    assert await gateway.list_phone_numbers() == [
        CallerId(id=samples.PHONE_NUMBER["id"], number="+15550100001", name="Front desk", provider="twilio"),
        CallerId(id="n2"),
    ]


def history(count: int, *, apart: timedelta = timedelta(minutes=1)) -> list[dict[str, Any]]:
    """Calls, newest first."""
    return [
        {"id": f"call-{number}", "createdAt": (SINCE - number * apart).isoformat(), "status": "ended", "assistantOverrides": {}}
        for number in range(count)
    ]


def serve(vapi: StandIn, calls: list[dict[str, Any]]) -> None:
    """Responds to GET /call as Vapi does: newest first, with `createdAtLe` and `limit`."""

    async def page(writer: Any) -> None:
        asked = query(vapi.requests[-1])
        last = datetime.fromisoformat(asked.get("createdAtLe", "9999-01-01T00:00:00Z"))
        found = [call for call in calls if datetime.fromisoformat(call["createdAt"]) <= last]
        await reply(200, found[: int(asked["limit"])])(writer)

    vapi.on("GET", "/call", page)


@pytest.mark.parametrize(
    ("count", "limit", "expected"), [(0, 100, 0), (3, 100, 3), (25, 100, 25), (60, 100, 60), (130, 100, 100), (60, 30, 30), (5, 0, 0)]
)
async def test_a_long_list_is_read_in_pages(vapi: StandIn, gateway: Gateway, count: int, limit: int, expected: int) -> None:
    serve(vapi, history(count))
    calls = await gateway.list_calls(limit=limit)
    assert [call.id for call in calls] == [f"call-{number}" for number in range(expected)]
    assert all(int(query(request)["limit"]) <= 26 for request in vapi.requests)


async def test_a_list_that_repeats_itself_ends(vapi: StandIn, gateway: Gateway) -> None:
    serve(vapi, history(60, apart=timedelta(0)))
    assert len(await gateway.list_calls()) == 26
    vapi.on("GET", "/call", reply(200, [{"status": "ended"}] * 25))
    assert await gateway.list_calls() == []


async def test_the_query_of_a_list(vapi: StandIn, gateway: Gateway) -> None:
    vapi.on("GET", "/call", reply(200, []))
    await gateway.list_calls(updated_since=SINCE, created_since=SINCE - timedelta(hours=2), limit=10)
    assert query(vapi.requests[0]) == {
        "updatedAtGe": "2026-09-01T10:00:00.000Z",
        "createdAtGe": "2026-09-01T08:00:00.000Z",
        "limit": "10",
    }


@pytest.mark.parametrize("place", [{"assistantOverrides": {"metadata": {"earshotTag": samples.TAG}}}, {"name": f"earshot {samples.TAG}"}])
@pytest.mark.parametrize("number", [0, 40])
async def test_a_lost_call_is_found_by_its_tag(
    vapi: StandIn, gateway: Gateway, order: CallOrder, place: dict[str, Any], number: int
) -> None:
    calls = history(60)
    calls[number] |= place
    serve(vapi, calls)
    call = await gateway.find_call(order, since=SINCE)
    assert call is not None
    assert call.id == f"call-{number}"
    asked = query(vapi.requests[0])
    assert (asked["assistantId"], asked["phoneNumberId"]) == (order.assistant_id, order.phone_number_id)
    assert datetime.fromisoformat(asked["createdAtGe"]) < SINCE


async def test_a_call_of_another_order_is_not_found(vapi: StandIn, gateway: Gateway, order: CallOrder) -> None:
    vapi.on(
        "GET", "/call", reply(200, [{**samples.QUEUED, "assistantOverrides": {"metadata": {"earshotTag": "another"}}}, samples.MINIMAL])
    )
    assert await gateway.find_call(order, since=SINCE) is None
