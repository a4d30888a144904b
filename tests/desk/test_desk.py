"""The desk against a scripted Vapi on real sockets: placed once, never back in state, hung up for certain."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from services.desk.calls import watcher
from services.desk.desk import CallDesk
from services.domain.call import Call, CallStatus
from services.domain.client import LOCAL
from services.domain.errors import (
    CallNotFound,
    CallNotRunning,
    HangUpUnconfirmed,
    NotConfigured,
    NumberError,
    VapiRefused,
    VapiUnauthorized,
)
from services.vapi.ended_reasons import why_ended
from services.vapi.gateway import Gateway
from tests.desks import desk_in
from tests.patience import HANG_S
from tests.stand_in import StandIn

NUMBER = "+14155552671"
HANG, CREATED_THEN_HANG = (pytest.param(answer, 1.0, marks=pytest.mark.slow) for answer in ("hang", "created then hang"))
"""The desk waits until the gateway gives up: after 1 s."""


@pytest.fixture
async def desk(vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vapi_within_s: float) -> AsyncIterator[CallDesk]:
    """Reads twice to ten times as often as the app does."""
    for name in ("SOON", "CALM"):
        monkeypatch.setattr(watcher, name, 0.2)
    gateway = Gateway(api_key="private", base_url=vapi.url, timeout=vapi_within_s)
    async with desk_in(tmp_path, gateway) as desk:
        yield desk
    await gateway.aclose()


async def place(desk: CallDesk, number: str = NUMBER) -> Call:
    placed = await desk.place(desk.order(number), LOCAL, allow_duplicate=True)
    return placed.call


async def until(desk: CallDesk, call_id: str, true: Callable[[Call], bool]) -> Call:
    """The call once `true` returns True for it; only the desk's own watching may update it."""
    changed = asyncio.Event()
    stop = desk.changed.subscribe(lambda _: changed.set())
    try:
        async with asyncio.timeout(HANG_S):
            while not ((call := desk.get(call_id)) and true(call)):
                await changed.wait()
                changed.clear()
            return call
    finally:
        stop()


async def test_a_call_is_placed_once_and_followed_to_its_end(vapi: StandIn, desk: CallDesk) -> None:
    call = await place(desk)
    assert (call.status, call.to, vapi.dials) == (CallStatus.QUEUED, NUMBER, 1)
    for word, status in [("ringing", CallStatus.RINGING), ("in-progress", CallStatus.IN_PROGRESS), ("ended", CallStatus.ENDED)]:
        vapi.move(call.id, word)
        await until(desk, call.id, lambda call, status=status: call.status is status)  # type: ignore[misc]
    seen = desk.get(call.id)
    assert seen
    assert seen.ringing_at
    assert vapi.dials == 1


@pytest.mark.parametrize(
    ("answer", "vapi_within_s"),
    [("created then 500", 10.0), CREATED_THEN_HANG, ("created then drop", 10.0), ("created, not JSON", 10.0)],
)
async def test_a_call_whose_answer_was_lost_is_found_and_adopted_never_dialled_again(vapi: StandIn, desk: CallDesk, answer: str) -> None:
    vapi.answer = answer
    call = await place(desk)
    assert call.status is CallStatus.QUEUED
    assert [call.id] == list(vapi.calls) == [known.id for known in desk.calls()]
    assert vapi.dials == 1


async def test_a_lost_call_that_the_list_shows_late_is_unknown_until_then(
    vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.desk.placing.placing._SEARCH_PATIENCE", 0.2)
    vapi.answer, vapi.hidden = "created then 500", 3
    unknown = await place(desk)
    assert unknown.status is CallStatus.UNKNOWN
    with pytest.raises(CallNotRunning):
        await desk.end(unknown.id, LOCAL)
    found = await until(desk, unknown.id, lambda call: call.status is not CallStatus.UNKNOWN)
    assert found.id in vapi.calls
    assert len(desk.calls()) == 1
    assert vapi.dials == 1


@pytest.mark.parametrize(
    ("answer", "vapi_within_s"),
    [HANG, *((answer, 10.0) for answer in ("drop", (500, {"message": "no"}), (502, "<html>Bad gateway</html>"), (503, {}), (408, {})))],
)
async def test_an_unknown_outcome_without_a_call_stays_unknown(
    vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch, answer: str | tuple[int, object]
) -> None:
    monkeypatch.setattr("services.desk.placing.placing._SEARCH_PATIENCE", 0.2)
    vapi.answer = answer
    call = await place(desk)
    assert call.status is CallStatus.UNKNOWN
    assert call.to == NUMBER
    assert vapi.dials == 1


@pytest.mark.parametrize("status", [400, 402, 403, 404, 409, 422, 429])
async def test_a_refusal_has_vapis_own_words(vapi: StandIn, desk: CallDesk, status: int) -> None:
    vapi.answer = status, {"message": ["one thing", "another"], "error": "Bad Request", "statusCode": status}
    with pytest.raises(VapiRefused) as refused:
        await place(desk)
    assert refused.value.detail == "one thing; another"
    assert vapi.dials == 1
    assert desk.calls() == []


async def test_a_wrong_key_is_named(vapi: StandIn, desk: CallDesk) -> None:
    vapi.answer = 401, {"message": "Invalid Key.", "statusCode": 401}
    with pytest.raises(VapiUnauthorized, match="VAPI_API_KEY"):
        await place(desk)
    assert vapi.dials == 1


async def test_a_cancelled_request_does_not_lose_the_call(vapi: StandIn, desk: CallDesk) -> None:
    placing = asyncio.create_task(place(desk))
    await vapi.heard.wait()
    placing.cancel()
    call = await until_listed(desk)
    assert call.id in vapi.calls
    assert vapi.dials == 1


async def until_listed(desk: CallDesk) -> Call:
    changed = asyncio.Event()
    stop = desk.changed.subscribe(lambda _: changed.set())
    async with asyncio.timeout(HANG_S):
        while not desk.calls():
            await changed.wait()
            changed.clear()
    stop()
    return desk.calls()[0]


async def test_hanging_up_is_confirmed_by_reading(vapi: StandIn, desk: CallDesk) -> None:
    call = await place(desk)
    ended = await desk.end(call.id, LOCAL)
    assert ended.status is CallStatus.ENDED
    assert {"type": "end-call"} in vapi.controls
    reason = why_ended(ended)
    assert reason
    assert reason.title
    sent = len(vapi.controls)
    assert (await desk.end(call.id, LOCAL)).status is CallStatus.ENDED
    assert len(vapi.controls) == sent


@pytest.mark.slow
async def test_an_unconfirmed_hang_up_is_reported_and_retried(vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.desk.ending.hang_ups._PATIENCE", 0.3)
    vapi.end_call_works = False
    call = await place(desk)
    with pytest.raises(HangUpUnconfirmed):
        await desk.end(call.id, LOCAL)
    assert desk.ending(call.id)
    vapi.end_call_works = True
    await until(desk, call.id, lambda call: not call.running)
    assert vapi.controls.count({"type": "end-call"}) >= 2


@pytest.mark.slow
async def test_a_refused_hang_up_is_tried_again(vapi: StandIn, desk: CallDesk) -> None:
    call = await place(desk)
    vapi.control_status = 404
    vapi.heard.clear()
    ending = asyncio.create_task(desk.end(call.id, LOCAL))
    await vapi.heard.wait()
    vapi.control_status = 200
    assert (await ending).status is CallStatus.ENDED


async def test_two_who_hang_up_at_once_share_one_hang_up(vapi: StandIn, desk: CallDesk) -> None:
    call = await place(desk)
    first, second = await asyncio.gather(desk.end(call.id, LOCAL), desk.end(call.id, LOCAL))
    assert first == second
    assert vapi.controls == [{"type": "end-call"}]


async def test_no_monitor_in_the_answer_still_hangs_up(vapi: StandIn, desk: CallDesk) -> None:
    vapi.answer = "created, no monitor"
    call = await place(desk)
    assert (await desk.end(call.id, LOCAL)).status is CallStatus.ENDED


@pytest.mark.slow
async def test_calls_that_ran_before_a_restart_are_found_again(vapi: StandIn, desk: CallDesk, tmp_path: Path) -> None:
    running, over = await place(desk), await place(desk)
    vapi.move(over.id, "ended")
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with desk_in(tmp_path / "another", gateway) as anew:
        call = await until(anew, running.id, lambda call: call.running)
        assert call.to == NUMBER
        assert [known.id for known in anew.calls()] == [running.id]
        assert (await anew.end(running.id, LOCAL)).status is CallStatus.ENDED
    await gateway.aclose()


@pytest.mark.slow
async def test_many_running_calls_cost_one_request_a_tick(vapi: StandIn, desk: CallDesk) -> None:
    calls = [await place(desk) for _ in range(8)]
    vapi.requests.clear()
    for call in calls:
        vapi.move(call.id, "ringing")
    for call in calls:
        await until(desk, call.id, lambda call: call.status is CallStatus.RINGING)
    assert vapi.requests["GET /call"] <= 3
    assert vapi.requests["GET /call/{id}"] == 0


async def test_an_outage_of_vapi_is_reported_and_ends_no_call(vapi: StandIn, desk: CallDesk) -> None:
    call = await place(desk)
    troubles: list[str | None] = []
    changed = asyncio.Event()

    def hear(trouble: str | None) -> None:
        troubles.append(trouble)
        changed.set()

    desk.trouble_changed.subscribe(hear)
    vapi.down = True
    async with asyncio.timeout(HANG_S):
        await changed.wait()
    assert desk.trouble
    known = desk.get(call.id)
    assert known
    assert known.running
    vapi.down = False
    vapi.move(call.id, "ringing")
    await until(desk, call.id, lambda call: call.status is CallStatus.RINGING)
    assert desk.trouble is None
    assert troubles[-1] is None


async def test_a_fault_of_our_own_does_not_end_the_watching(
    vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    call = await place(desk)
    real, faults = Gateway.list_calls, iter([RuntimeError("a fault")])

    async def faulty(self: Gateway, **query: Any) -> list[Call]:
        for fault in faults:
            raise fault
        return await real(self, **query)

    monkeypatch.setattr(Gateway, "list_calls", faulty)
    vapi.move(call.id, "ringing")
    await until(desk, call.id, lambda call: call.status is CallStatus.RINGING)
    assert "a fault" in caplog.text


@pytest.mark.slow
async def test_an_unlikely_number_needs_a_confirmation(vapi: StandIn, desk: CallDesk) -> None:
    with pytest.raises(NumberError) as unlikely:
        desk.order("+15550100002")
    assert unlikely.value.code == "number_unlikely"
    await desk.place(desk.order("+15550100002", confirm_unlikely_number=True), LOCAL)
    assert vapi.dials == 1


async def test_without_credentials_nothing_is_placed(tmp_path: Path) -> None:
    async with desk_in(tmp_path, None, assistant_id="") as desk:
        with pytest.raises(NotConfigured, match="VAPI_ASSISTANT_ID is missing"):
            desk.order(NUMBER)
        with pytest.raises(CallNotFound):
            await desk.end("some-call", LOCAL)
