"""The timeline has what was sent to a call, and the desk says why nothing can be sent."""

import asyncio
from pathlib import Path

import pytest

from services.desk.call_control import Obstacle
from services.desk.desk import CallDesk
from services.domain.call import Call, CallStatus
from services.domain.client import LOCAL
from services.domain.control import Action, Control
from services.domain.errors import DuplicateCall, HangUpUnconfirmed, VapiRefused, VapiUnavailable
from services.vapi.gateway import Gateway
from tests.desk.test_desk import place, until
from tests.desks import desk_at, desk_in
from tests.patience import HANG_S
from tests.stand_in import Body, StandIn


async def answered(vapi: StandIn, desk: CallDesk) -> Call:
    call = await place(desk)
    vapi.move(call.id, "in-progress")
    return await until(desk, call.id, lambda call: call.answered)


@pytest.mark.slow
async def test_the_timeline_has_what_was_sent_by_whom_and_its_outcome(vapi: StandIn, desk: CallDesk) -> None:
    call = await answered(vapi, desk)
    changed: list[str] = []
    desk.timelines.changed.subscribe(changed.append)
    await desk.control(call.id, Control(action=Action.SAY, content="One moment."), LOCAL)
    vapi.control_status = 400
    with pytest.raises(VapiRefused):
        await desk.control(call.id, Control(action=Action.TRANSFER, destination="+14155550199"), LOCAL)
    vapi.control_status = 200
    await desk.end(call.id, LOCAL)
    entries = [(entry.action, entry.who, entry.detail, entry.outcome, entry.words) for entry in desk.timelines.of(call.id)]
    assert entries == [
        ("say", "local", "One moment.", "taken", ""),
        ("transfer", "local", "+14155550199", "refused", "no"),
        ("end", "local", "", "taken", ""),
    ]
    assert changed == [call.id] * 3


@pytest.mark.slow
async def test_page_and_rest_show_the_same_timeline_before_and_after_a_restart(vapi: StandIn, desk: CallDesk, tmp_path: Path) -> None:
    call = await answered(vapi, desk)
    await desk.control(call.id, Control(action=Action.SAY, content="One moment.\0"), LOCAL)
    await desk.control(call.id, Control(action=Action.MUTE_ASSISTANT), LOCAL)
    vapi.control_status = 400
    with pytest.raises(VapiRefused):
        await desk.control(call.id, Control(action=Action.TRANSFER, destination="+14155550199", content="Bye."), LOCAL)
    vapi.control_status = 200
    before = desk.timelines.of(call.id)
    assert await desk.timeline(call.id) == desk.timelines.of(call.id) == before
    assert [(entry.action, entry.detail, entry.outcome, entry.words) for entry in before] == [
        ("say", "One moment.", "taken", ""),
        ("mute-assistant", "", "taken", ""),
        ("transfer", "+14155550199 · Bye.", "refused", "no"),
    ]
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with desk_in(tmp_path, gateway) as anew:
        page_changed = asyncio.Event()
        anew.timelines.changed.subscribe(lambda _: page_changed.set())
        assert anew.timelines.of(call.id) == ()
        async with asyncio.timeout(HANG_S):
            await page_changed.wait()
        assert anew.timelines.of(call.id) == before
        assert await anew.timeline(call.id) == before
        assert anew.timelines.muted(call.id)
        await anew.end(call.id, LOCAL)
        assert [entry.action for entry in anew.timelines.of(call.id)] == ["say", "mute-assistant", "transfer", "end"]
        assert await anew.timeline(call.id) == anew.timelines.of(call.id)
    await gateway.aclose()


async def test_a_hang_up_cut_short_by_a_stop_is_in_the_timeline(vapi: StandIn, tmp_path: Path) -> None:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    vapi.control_status = 500
    async with desk_in(tmp_path, gateway) as desk:
        call = await answered(vapi, desk)
        ending = asyncio.create_task(desk.end(call.id, LOCAL))
        async with asyncio.timeout(HANG_S):
            while not desk.ending(call.id):  # noqa: ASYNC110 - the hang-up begins without a signal of its own
                await asyncio.sleep(0.01)
    with pytest.raises((asyncio.CancelledError, HangUpUnconfirmed)):
        await ending
    async with desk_in(tmp_path, gateway) as anew:
        [entry] = await anew.timeline(call.id)
    await gateway.aclose()
    assert (entry.action, entry.outcome, entry.words) == (
        "end",
        "refused",
        "Earshot was stopped before Vapi confirmed that the call ended.",
    )


async def test_muted_is_what_vapi_took_last(vapi: StandIn, desk: CallDesk) -> None:
    call = await answered(vapi, desk)
    assert not desk.timelines.muted(call.id)
    await desk.control(call.id, Control(action=Action.MUTE_ASSISTANT), LOCAL)
    assert desk.timelines.muted(call.id)
    vapi.control_status = 500
    with pytest.raises(VapiUnavailable):
        await desk.control(call.id, Control(action=Action.UNMUTE_ASSISTANT), LOCAL)
    assert desk.timelines.muted(call.id)
    vapi.control_status = 200
    await desk.control(call.id, Control(action=Action.UNMUTE_ASSISTANT), LOCAL)
    assert not desk.timelines.muted(call.id)


@pytest.mark.slow
async def test_why_a_call_can_t_be_controlled(vapi: StandIn, desk: CallDesk) -> None:
    call = await place(desk)
    assert desk.can_control(call) is Obstacle.NOT_ANSWERED
    vapi.move(call.id, "in-progress")
    call = await until(desk, call.id, lambda call: call.answered)
    assert desk.can_control(call) is None
    vapi.move(call.id, "ended")
    assert desk.can_control(await until(desk, call.id, lambda call: not call.running)) is Obstacle.ENDED
    assert desk.can_control(Call(id="unknown-1", status=CallStatus.UNKNOWN)) is Obstacle.UNKNOWN


async def test_an_assistant_with_control_disabled_is_recognised(vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = vapi._call

    def without_control(body: Body) -> Body:
        call = made(body)
        del call["monitor"]["controlUrl"]  # before the desk can read it
        return call

    monkeypatch.setattr(vapi, "_call", without_control)
    vapi.answer = "created, no monitor"
    call = await place(desk)
    vapi.move(call.id, "in-progress")
    call = await until(desk, call.id, lambda call: call.answered)
    assert desk.can_control(call) is Obstacle.NO_CONTROL


async def test_who_was_rung_by_a_transfer_is_not_called_by_mistake_at_another_port(vapi: StandIn, tmp_path: Path) -> None:
    async with desk_at(vapi.url, tmp_path, sip_hosts=frozenset({"pbx.example"})) as desk:
        call = await answered(vapi, desk)
        await desk.control(call.id, Control(action=Action.TRANSFER, destination="sip:reception@pbx.example:5061;transport=tls"), LOCAL)
        with pytest.raises(DuplicateCall):
            await desk.weigh(desk.order("sip:reception@pbx.example"), LOCAL, allow_duplicate=False)
