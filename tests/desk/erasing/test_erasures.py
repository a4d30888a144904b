"""Deleting a call's data: here at once, at Vapi as soon as Vapi lets it, and never that of a call that may still be running."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.desk.desk import CallDesk
from services.domain.call import Call, CallStatus
from services.domain.client import LOCAL, PAGE
from services.domain.errors import CallRunning, NotConfigured
from services.domain.speech import Utterance
from services.vapi.gateway import Gateway
from tests.desk.test_desk import place, until
from tests.desks import desk_at, desk_in, two_desks
from tests.patience import HANG_S
from tests.stand_in import StandIn

SAID = Utterance(speaker="customer", text="Fridays only", final=True)


@pytest.fixture
async def desk(vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CallDesk]:
    monkeypatch.setattr("services.desk.erasing.erasures._AGAIN_S", 0.05)
    monkeypatch.setattr("services.desk.erasing.erasures._PATIENCE_S", 0.5)
    monkeypatch.setattr("services.desk.calls.watcher.CALM", 0.2)
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with desk_in(tmp_path, gateway) as desk:
        yield desk
    await gateway.aclose()


async def ended(vapi: StandIn, desk: CallDesk) -> Call:
    """An answered call that has ended, in which something was said."""
    call = await place(desk)
    vapi.move(call.id, "in-progress", startedAt="2026-09-01T10:00:00.000Z")
    await until(desk, call.id, lambda call: call.answered)
    desk.transcripts.take(call.id, SAID)
    vapi.move(call.id, "ended", endedAt="2026-09-01T10:01:00.000Z", endedReason="customer-ended-call", cost=0.07, summary="Fridays.")
    return await until(desk, call.id, lambda call: not call.running and call.cost is not None)


@pytest.mark.slow
async def test_the_data_goes_here_and_at_vapi_and_what_it_cost_stays(vapi: StandIn, desk: CallDesk) -> None:
    call = await ended(vapi, desk)
    left = await desk.erase(call.id, PAGE)
    assert left.erasure
    assert left.erasure.confirmed_at
    assert (left.to, left.summary, left.cost, left.ended_reason) == (None, None, 0.07, "customer-ended-call")
    assert left == desk.get(call.id) == await desk.journal.get(call.id)
    assert vapi.calls == {}
    assert (vapi.requests["DELETE /call/{id}"], vapi.erased_running) == (1, 0)
    assert desk.transcripts.of(call.id) == await desk.transcript(call.id) == await desk.journal.transcript(call.id) == ()
    rows = [row for row in await desk.journal.audit(call_id=call.id) if row.action == "delete-data"]
    assert [(row.who, row.outcome) for row in rows] == [("page", "deleted"), ("page", "asked")]
    assert await desk.erase(call.id, LOCAL) == left, "a second time is no second time"
    assert vapi.requests["DELETE /call/{id}"] == 1


@pytest.mark.slow
async def test_what_is_heard_of_it_later_does_not_come_back(vapi: StandIn, desk: CallDesk) -> None:
    call = await ended(vapi, desk)
    left = await desk.erase(call.id, PAGE)
    desk.transcripts.take(call.id, SAID, way="webhook")
    await desk.journal.save(call)
    desk._book.see(replace(call, cost=0.09), ours=True)
    await desk._notes.settled()
    assert desk.transcripts.of(call.id) == ()
    assert desk.get(call.id) == replace(left, cost=0.09) == await desk.journal.get(call.id)


@pytest.mark.parametrize("status", ["scheduled", "queued", "ringing", "in-progress", "forwarding"])
async def test_a_running_call_is_never_deleted(vapi: StandIn, desk: CallDesk, status: str) -> None:
    call = await place(desk)
    vapi.move(call.id, status)
    with pytest.raises(CallRunning, match="does not hang up"):
        await desk.erase(call.id, PAGE)
    assert vapi.requests["DELETE /call/{id}"] == 0
    known = await desk.journal.get(call.id)
    assert known
    assert known.to


async def test_a_call_that_runs_at_vapi_is_not_deleted_whatever_is_known_here(vapi: StandIn, desk: CallDesk) -> None:
    call = await place(desk)
    await desk.journal.save(replace(call, status=CallStatus.ENDED))
    desk._book.see(replace(call, status=CallStatus.ENDED), ours=True)
    with pytest.raises(CallRunning, match="Vapi says"):
        await desk.erase(call.id, PAGE)
    assert (vapi.requests["DELETE /call/{id}"], vapi.erased_running) == (0, 0)


@pytest.mark.slow
async def test_an_outage_leaves_it_asked_for_until_vapi_confirms(vapi: StandIn, desk: CallDesk) -> None:
    call = await ended(vapi, desk)
    vapi.down = True
    left = await desk.erase(call.id, PAGE)
    assert left.erasure
    assert left.erasure.confirmed_at is None
    assert left.to is None
    assert call.id in vapi.calls
    vapi.down = False
    confirmed = await until(desk, call.id, lambda call: bool(call.erasure and call.erasure.confirmed_at))
    assert confirmed == await desk.journal.get(call.id)
    assert vapi.calls == {}


@pytest.mark.slow
async def test_one_that_fails_unforeseen_holds_up_no_other(vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await ended(vapi, desk), await ended(vapi, desk)
    vapi.down = True
    for call in (first, second):
        await desk.erase(call.id, PAGE)
    delete = desk._gateway.delete_call

    async def fail_first(call_id: str) -> None:
        if call_id == first.id:
            raise SystemError("odd")
        await delete(call_id)

    monkeypatch.setattr(desk._gateway, "delete_call", fail_first)
    vapi.down = False
    await until(desk, second.id, lambda call: bool(call.erasure and call.erasure.confirmed_at))
    assert set(vapi.calls) == {first.id}


@pytest.mark.slow
async def test_vapi_is_asked_again_after_a_restart(vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.desk.erasing.erasures._AGAIN_S", 0.05)
    monkeypatch.setattr("services.desk.erasing.erasures._PATIENCE_S", 0.1)
    async with desk_at(vapi.url, tmp_path) as desk:
        call = await ended(vapi, desk)
        vapi.down = True
        await desk.erase(call.id, PAGE)
    vapi.down = False
    async with desk_at(vapi.url, tmp_path) as desk, asyncio.timeout(HANG_S):
        while await desk.journal.erasures.pending():  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.01)
        found = await desk.read(call.id, PAGE)
    assert vapi.calls == {}
    assert found.erasure
    assert found.erasure.confirmed_at
    assert (found.to, found.cost) == (None, 0.07)


@pytest.mark.slow
async def test_while_it_waits_a_call_that_turns_out_to_run_is_left_alone(vapi: StandIn, desk: CallDesk) -> None:
    call = await ended(vapi, desk)
    vapi.down = True
    await desk.erase(call.id, PAGE)
    vapi.move(call.id, "in-progress")
    reads = vapi.requests["GET /call/{id}"]
    vapi.down = False
    async with asyncio.timeout(HANG_S):
        while vapi.requests["GET /call/{id}"] < reads + 3:  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.01)
        assert vapi.requests["DELETE /call/{id}"] == 0
        vapi.move(call.id, "ended")
        while vapi.calls:  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.01)
    assert vapi.erased_running == 0


@pytest.mark.slow
async def test_two_who_ask_at_once_delete_it_once(vapi: StandIn, desk: CallDesk) -> None:
    call = await ended(vapi, desk)
    first, second = await asyncio.gather(desk.erase(call.id, PAGE), desk.erase(call.id, LOCAL))
    assert first == second
    assert vapi.requests["DELETE /call/{id}"] == 1
    assert len([row for row in await desk.journal.audit(call_id=call.id) if row.action == "delete-data"]) == 2


@pytest.mark.slow
async def test_every_process_forgets_it(vapi: StandIn, tmp_path: Path) -> None:
    async with two_desks((vapi.url, vapi.url), tmp_path) as (one, other):
        call = await ended(vapi, one)
        await until(other, call.id, lambda call: not call.running)
        other.transcripts.take(call.id, SAID)
        await one.erase(call.id, PAGE)
        there = await until(other, call.id, lambda call: bool(call.erasure and call.erasure.confirmed_at))
        assert there == one.get(call.id)
        assert other.transcripts.of(call.id) == ()


async def test_without_credentials_nothing_is_deleted(tmp_path: Path) -> None:
    async with desk_in(tmp_path, None) as desk:
        await desk.journal.save(Call(id="past", status=CallStatus.ENDED, to="+14155552671"))
        with pytest.raises(NotConfigured):
            await desk.erase("past", PAGE)
        assert (await desk.read("past", PAGE)).to
