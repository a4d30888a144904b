"""What was sent to a call stands in its timeline, and why nothing can be sent is said."""

from pathlib import Path

import pytest

from services.desk.desk import CallDesk
from services.desk.steering import Obstacle
from services.domain.call import Call, CallStatus
from services.domain.client import LOCAL
from services.domain.control import Action, Control
from services.domain.errors import VapiRefused, VapiUnavailable
from services.vapi.gateway import Gateway
from tests.desk.test_desk import place, until
from tests.desks import desk_in
from tests.stand_in import StandIn


async def answered(vapi: StandIn, desk: CallDesk) -> Call:
    call = await place(desk)
    vapi.move(call.id, "in-progress")
    return await until(desk, call.id, lambda call: call.answered)


async def test_what_was_sent_stands_in_the_timeline_with_who_and_how_it_went(vapi: StandIn, desk: CallDesk) -> None:
    call = await answered(vapi, desk)
    told: list[str] = []
    desk.timelines.changed.subscribe(told.append)
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
    assert told == [call.id] * 3


async def test_what_was_sent_is_known_after_a_restart(vapi: StandIn, desk: CallDesk, tmp_path: Path) -> None:
    call = await answered(vapi, desk)
    await desk.control(call.id, Control(action=Action.MUTE_ASSISTANT), LOCAL)
    await desk.end(call.id, LOCAL)
    live = await desk.timeline(call.id)
    await desk.page_of_calls()  # once all is written down
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with desk_in(tmp_path, gateway) as anew:
        found = await anew.timeline(call.id)
    await gateway.aclose()
    assert [(entry.action, entry.who, entry.outcome) for entry in found] == [(entry.action, entry.who, entry.outcome) for entry in live]
    assert [entry.action for entry in found] == ["mute-assistant", "end"]


async def test_muted_is_what_vapi_took_last(vapi: StandIn, desk: CallDesk) -> None:
    call = await answered(vapi, desk)
    assert not desk.muted(call.id)
    await desk.control(call.id, Control(action=Action.MUTE_ASSISTANT), LOCAL)
    assert desk.muted(call.id)
    vapi.control_status = 500
    with pytest.raises(VapiUnavailable):
        await desk.control(call.id, Control(action=Action.UNMUTE_ASSISTANT), LOCAL)
    assert desk.muted(call.id)
    vapi.control_status = 200
    await desk.control(call.id, Control(action=Action.UNMUTE_ASSISTANT), LOCAL)
    assert not desk.muted(call.id)


async def test_why_a_call_can_t_be_told_anything(vapi: StandIn, desk: CallDesk) -> None:
    call = await place(desk)
    assert desk.can_control(call) is Obstacle.NOT_ANSWERED
    vapi.move(call.id, "in-progress")
    call = await until(desk, call.id, lambda call: call.answered)
    assert desk.can_control(call) is None
    vapi.move(call.id, "ended")
    assert desk.can_control(await until(desk, call.id, lambda call: not call.running)) is Obstacle.ENDED
    assert desk.can_control(Call(id="unknown-1", status=CallStatus.UNKNOWN)) is Obstacle.UNKNOWN


async def test_an_assistant_that_lets_nobody_steer_is_told_apart(vapi: StandIn, desk: CallDesk) -> None:
    vapi.answer = "created, no monitor"
    call = await place(desk)
    del vapi.calls[call.id]["monitor"]["controlUrl"]
    vapi.move(call.id, "in-progress")
    call = await until(desk, call.id, lambda call: call.answered)
    assert desk.can_control(call) is Obstacle.NO_CONTROL
