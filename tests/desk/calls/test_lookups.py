"""Ids that Earshot does not know: Vapi is not asked again at once, and each client's lookups are limited."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.desk.calls import lookups
from services.desk.calls.lookups import LONGEST_ID, MISS_S, PER_MINUTE, Lookups
from services.domain.call import Call, CallStatus
from services.domain.client import Client
from services.domain.errors import CallNotFound, LimitReached
from services.support.rfc3339 import rfc3339
from services.vapi.gateway import Gateway
from tests.stand_in import StandIn
from tests.web.test_api import client_of
from tests.web.test_tokens import entry

ONE, OTHER = Client(name="one"), Client(name="other")


class Vapi:
    """Knows no call, until `calls` has one."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked: list[str] = []
        self.calls: dict[str, Call] = {}
        self.lookups = Lookups(self.read, lambda: self.now)

    async def read(self, call_id: str) -> Call:
        self.asked.append(call_id)
        if call_id not in self.calls:
            raise CallNotFound("No such call.")
        return self.calls[call_id]


async def test_an_id_that_vapi_does_not_know_is_remembered_for_a_while() -> None:
    vapi = Vapi()
    for client in (ONE, OTHER, ONE):
        with pytest.raises(CallNotFound):
            await vapi.lookups.read("none", client)
    assert vapi.asked == ["none"]
    vapi.calls["none"] = Call(id="none", status=CallStatus.RINGING)
    vapi.now += MISS_S
    assert (await vapi.lookups.read("none", ONE)).id == "none"


async def test_vapi_is_not_asked_about_what_is_too_long_for_an_id() -> None:
    vapi = Vapi()
    for length in (LONGEST_ID, LONGEST_ID + 1, 100_000):
        with pytest.raises(CallNotFound):
            await vapi.lookups.read("x" * length, ONE)
    assert vapi.asked == ["x" * LONGEST_ID]


async def test_one_client_does_not_have_vapi_asked_without_end_nor_starve_another() -> None:
    vapi = Vapi()
    for number in range(PER_MINUTE):
        with pytest.raises(CallNotFound):
            await vapi.lookups.read(f"{number}", ONE)
    with pytest.raises(LimitReached) as refused:
        await vapi.lookups.read("one more", ONE)
    assert refused.value.retry_after == 60
    with pytest.raises(CallNotFound):
        await vapi.lookups.read("one more", OTHER)
    vapi.now += 60
    with pytest.raises(CallNotFound):
        await vapi.lookups.read("yet another", ONE)
    assert len(vapi.asked) == PER_MINUTE + 2


async def test_what_is_remembered_does_not_grow_without_end() -> None:
    vapi = Vapi()
    for number in range(2000):
        with pytest.raises(CallNotFound):
            await vapi.lookups.read(f"{number}", Client(name=f"{number}"))
    assert len(vapi.lookups._missed) == len(vapi.lookups._asked) == 1000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/events"),
        ("GET", "/transcript"),
        ("GET", "/timeline"),
        ("POST", "/end"),
        ("POST", "/control"),
        ("POST", "/free-slot"),
        ("POST", "/reschedule"),
        ("DELETE", "/data"),
        ("GET", "/call-logs"),
        ("GET", "/pcap"),
        ("GET", "/vapi-recording"),
    ],
)
async def test_every_route_of_a_call_is_limited_for_its_client(
    vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    monkeypatch.setattr(lookups, "PER_MINUTE", 3)
    tokens = ",".join(entry(name, "*", name) for name in ("one", "other"))
    earliest = rfc3339(datetime.now(UTC) + timedelta(days=1))
    body = {"/control": {"action": "mute-assistant"}, "/reschedule": {"earliestAt": earliest}}.get(path)
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), api_tokens=tokens) as client:
        for number, status in enumerate([404, 404, 404, 429]):
            headers = {"Authorization": "Bearer one"}
            assert (await client.ask(method, f"/api/calls/none-{number}{path}", json=body, headers=headers))[0] == status
        assert (await client.ask("GET", "/api/calls/none", headers={"Authorization": "Bearer other"}))[0] == 404
