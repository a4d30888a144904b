"""A scheduled call is moved: cancelled for certain, then placed once, whoever asks, how often, and whatever fails in between."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.desk.desk import CallDesk
from services.desk.placing import rescheduling
from services.domain.call import CANCELLED, GONE, Call, CallStatus
from services.domain.client import LOCAL, PAGE
from services.domain.errors import (
    CallNotFound,
    CallNotScheduled,
    EarshotError,
    Forbidden,
    HangUpUnconfirmed,
    LimitReached,
    Stopped,
    VapiRefused,
    VapiUnavailable,
)
from services.support.rfc3339 import rfc3339
from tests.desk.test_desk import NUMBER, until
from tests.desks import desk_at, two_desks
from tests.stand_in import StandIn

NOW = datetime.now(UTC)
FIRST, SECOND, THIRD = (NOW + timedelta(days=days) for days in (2, 3, 4))


@pytest.fixture
async def desk(vapi: StandIn, tmp_path: Path) -> AsyncIterator[CallDesk]:
    async with desk_at(vapi.url, tmp_path, concurrent_calls=1) as desk:
        yield desk


async def scheduled(desk: CallDesk, at: datetime = FIRST, **options: Any) -> Call:
    return (await desk.place(desk.order(NUMBER, earliest_at=at, **options), LOCAL, allow_duplicate=True)).call


async def move(desk: CallDesk, call: Call, at: datetime = SECOND, *, latest: datetime | None = None, client: Any = PAGE) -> Call:
    return (await desk.reschedule(call.id, client, earliest_at=at, latest_at=latest)).call


@pytest.mark.slow
async def test_it_is_cancelled_and_placed_with_the_same_options(vapi: StandIn, desk: CallDesk) -> None:
    call = await scheduled(desk, name="Lead 42", first_message="Hello", variable_values={"dog": "Rex"})
    moved = await move(desk, call, latest=THIRD)
    assert (moved.status, moved.earliest_at, moved.latest_at) == (CallStatus.SCHEDULED, _ms(SECOND), _ms(THIRD))
    assert list(vapi.calls) == [moved.id] != [call.id]
    first, second = vapi.bodies
    assert first.pop("schedulePlan") == {"earliestAt": rfc3339(FIRST)}
    assert second.pop("schedulePlan") == {"earliestAt": rfc3339(SECOND), "latestAt": rfc3339(THIRD)}
    tags = [body["assistantOverrides"].pop("metadata") for body in (first, second)]
    assert tags[0] != tags[1]
    assert first == second
    old = desk.get(call.id)
    assert old
    assert old.ended_reason == CANCELLED
    rows = [(row.action, row.who, row.detail) for row in reversed(await desk.journal.audit(call_id=call.id)) if row.action != "dial"]
    assert rows == [("reschedule", "page", f"{rfc3339(SECOND)}/{rfc3339(THIRD)}"), ("end", "page", "")]
    assert desk.dials == {("placed", ""): 2}


@pytest.mark.slow
async def test_asking_again_places_no_other_and_another_time_is_refused(vapi: StandIn, desk: CallDesk) -> None:
    call = await scheduled(desk)
    moved = await move(desk, call)
    again = await desk.reschedule(call.id, LOCAL, earliest_at=SECOND)
    assert (again.call.id, again.replayed) == (moved.id, True)
    with pytest.raises(CallNotScheduled, match="took its place"):
        await move(desk, call, THIRD)
    assert vapi.dials == 2
    assert desk.dials == {("placed", ""): 2, ("refused", CallNotScheduled.code): 1}
    assert (await move(desk, moved, THIRD)).earliest_at == _ms(THIRD)
    assert len(vapi.calls) == 1


@pytest.mark.slow
async def test_two_processes_move_it_at_once(vapi: StandIn, tmp_path: Path) -> None:
    async with two_desks((vapi.url, vapi.url), tmp_path) as (one, other):
        call = await scheduled(one)
        await until(other, call.id, lambda call: call.status is CallStatus.SCHEDULED)
        requests = [(one, SECOND, PAGE), (other, SECOND, LOCAL), (one, THIRD, LOCAL), (other, THIRD, PAGE)]
        await asyncio.gather(*(move(desk, call, at, client=client) for desk, at, client in requests), return_exceptions=True)
        assert vapi.dials == 2
        assert len(vapi.calls) == 1
        assert vapi.erased_running == 0


@pytest.mark.slow
async def test_of_two_who_move_it_at_once_one_learns_that_the_other_does(vapi: StandIn, desk: CallDesk) -> None:
    call = await scheduled(desk)
    answers = await asyncio.gather(move(desk, call), move(desk, call, THIRD), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["Call", "KeyInProgress"]
    assert not any("not placed anew" in answer.detail for answer in answers if isinstance(answer, EarshotError))
    assert (vapi.dials, len(vapi.calls)) == (2, 1)


@pytest.mark.parametrize("status", ["queued", "ringing", "in-progress", "ended"])
async def test_a_call_that_has_begun_is_not_placed_again(vapi: StandIn, desk: CallDesk, status: str) -> None:
    call = await scheduled(desk)
    vapi.move(call.id, status)  # not seen here yet
    with pytest.raises(CallNotScheduled):
        await move(desk, call)
    assert vapi.dials == 1
    assert vapi.requests["DELETE /call/{id}"] == 0


async def test_a_call_that_may_begin_any_moment_is_not_moved(vapi: StandIn, desk: CallDesk) -> None:
    for earliest in (datetime.now(UTC) + timedelta(seconds=20), datetime.now(UTC) + timedelta(seconds=1)):
        call = await scheduled(desk, earliest)
        with pytest.raises(CallNotScheduled, match="any moment"):
            await move(desk, call)
        assert call.id in vapi.calls
        await desk.journal.free_slot(call.id)


async def test_a_cancellation_that_came_late_places_nothing(vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    call = await scheduled(desk)
    ended = desk._rescheduling._end

    async def slowly(*arguments: Any) -> Call:
        monkeypatch.setattr(rescheduling, "_MARGIN", timedelta(days=365))  # as if it were nearly the call's time by now
        return await ended(*arguments)

    monkeypatch.setattr(desk._rescheduling, "_end", slowly)
    with pytest.raises(CallNotScheduled, match="may have rung"):
        await move(desk, call)
    with pytest.raises(CallNotScheduled):
        await move(desk, call)
    assert (vapi.dials, vapi.calls) == (1, {})


@pytest.mark.slow
async def test_while_cancelling_is_not_proven_nothing_is_placed(vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.desk.ending.hang_ups._PATIENCE", 0.3)
    call = await scheduled(desk)
    vapi.down = True
    with pytest.raises(HangUpUnconfirmed):
        await move(desk, call)
    assert vapi.dials == 1
    vapi.down = False
    await until(desk, call.id, lambda call: not call.running)
    moved = await move(desk, call)
    assert (moved.earliest_at, vapi.dials, list(vapi.calls)) == (_ms(SECOND), 2, [moved.id])


async def test_a_read_beside_the_cancelling_does_not_take_it_for_somebody_elses(
    vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.desk.ending.hang_ups._PATIENCE", 0.1)
    call = await scheduled(desk)
    vapi.down = True
    with pytest.raises(HangUpUnconfirmed):
        await move(desk, call)
    desk._watcher._ended(call, GONE)  # as after a read that finds no call any more, before the cancelling has read so itself
    found = desk.get(call.id)
    assert found
    assert found.running
    vapi.down = False
    await until(desk, call.id, lambda call: not call.running)
    found = desk.get(call.id)
    assert found
    assert found.ended_reason == CANCELLED


@pytest.mark.slow
async def test_after_a_refusal_or_a_stop_the_same_request_goes_on(vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    call = await scheduled(desk)
    vapi.answer = 400, {"message": "No credits"}
    with pytest.raises(VapiRefused) as refused:
        await move(desk, call)
    assert refused.value.detail == "The call was cancelled, but not placed anew: No credits The same request places it."
    assert vapi.calls == {}
    with pytest.raises(CallNotScheduled):
        await move(desk, call, THIRD)  # was never asked for before the cancelling
    vapi.answer = "created"
    moved = await move(desk, call)
    assert (list(vapi.calls), (await move(desk, call)).id) == ([moved.id], moved.id)


@pytest.mark.slow
@pytest.mark.parametrize("reason", ["scheduled-call-deleted", "call-deleted", ""])
async def test_vapi_may_go_on_showing_a_call_that_was_cancelled(vapi: StandIn, desk: CallDesk, reason: str) -> None:
    vapi.shows_deleted = reason
    call = await scheduled(desk)
    vapi.answer = 400, {"message": "No credits"}
    with pytest.raises(VapiRefused):
        await move(desk, call)
    seen = await desk._gateway.get_call(call.id)
    desk._book.see(seen, ours=True)  # also a later read of the call changes nothing
    vapi.answer = "created"
    moved = await move(desk, call)
    old = desk.get(call.id)
    assert old
    assert (old.ended_reason, vapi.dials, set(vapi.calls)) == (CANCELLED, 3, {call.id, moved.id})


@pytest.mark.slow
async def test_the_answer_to_the_cancelling_may_be_lost(vapi: StandIn, desk: CallDesk) -> None:
    vapi.loses_deletions = True
    call = await scheduled(desk)
    moved = await move(desk, call)
    assert (list(vapi.calls), vapi.dials) == ([moved.id], 2)


@pytest.mark.slow
async def test_a_failed_cancelling_and_a_single_read_without_the_call_prove_nothing(
    vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = await scheduled(desk)
    deleting, reading = desk._gateway.delete_call, desk._gateway.get_call
    faults: list[EarshotError] = [VapiUnavailable("Down."), CallNotFound()]

    async def delete(call_id: str) -> None:
        if len(faults) == 2:
            raise faults.pop(0)
        await deleting(call_id)

    async def get(call_id: str) -> Call:
        if len(faults) == 1:
            raise faults.pop()
        return await reading(call_id)

    monkeypatch.setattr(desk._gateway, "delete_call", delete)
    monkeypatch.setattr(desk._gateway, "get_call", get)
    moved = await move(desk, call)
    assert (list(vapi.calls), faults) == ([moved.id], [])


async def test_a_call_that_ended_otherwise_while_it_was_deleted_is_not_placed_again(vapi: StandIn, desk: CallDesk) -> None:
    vapi.shows_deleted = "customer-did-not-answer"
    call = await scheduled(desk)
    with pytest.raises(CallNotScheduled):
        await move(desk, call)
    assert vapi.dials == 1


@pytest.mark.slow
async def test_a_lost_answer_is_searched_for_and_not_placed_again(vapi: StandIn, desk: CallDesk) -> None:
    call = await scheduled(desk)
    vapi.answer = "created then drop"
    moved = await move(desk, call)
    assert (list(vapi.calls), (await move(desk, call)).id, vapi.dials) == ([moved.id], moved.id, 2)


@pytest.mark.slow
async def test_after_a_crash_in_between_the_same_request_goes_on(vapi: StandIn, tmp_path: Path) -> None:
    async with desk_at(vapi.url, tmp_path) as desk:
        call = await scheduled(desk)

        async def killed(*_: Any, **__: Any) -> Any:
            raise EarshotError("killed")

        desk._placing.place = killed  # type: ignore[method-assign]
        with pytest.raises(EarshotError, match="killed"):
            await move(desk, call)
    async with desk_at(vapi.url, tmp_path) as desk:
        moved = await move(desk, call)
    assert (vapi.dials, list(vapi.calls)) == (2, [moved.id])


@pytest.mark.slow
async def test_what_may_not_be_dialled_is_not_cancelled_either(vapi: StandIn, desk: CallDesk) -> None:
    call = await scheduled(desk)
    await desk.switch.stop("owner", "")
    with pytest.raises(Stopped):
        await move(desk, call)
    await desk.switch.resume("owner")
    other = await desk.place(desk.order("+14155552672", earliest_at=SECOND + timedelta(days=3)), LOCAL)
    with pytest.raises(LimitReached):  # one call at once
        await move(desk, call, SECOND + timedelta(days=3))
    assert vapi.calls.keys() == {call.id, other.call.id}
    assert await move(desk, call, FIRST + timedelta(minutes=1)), "its own slot does not count against it"


@pytest.mark.slow
async def test_rules_that_were_changed_since_it_was_placed_hold_for_the_moved_call(vapi: StandIn, tmp_path: Path) -> None:
    async with desk_at(vapi.url, tmp_path, sip_hosts=frozenset({"pbx.example.com"}), max_call_seconds=1800) as desk:
        by_sip = (await desk.place(desk.order("sip:reception@pbx.example.com", earliest_at=FIRST), LOCAL)).call
        long = await scheduled(desk, max_duration_seconds=1800)
    async with desk_at(vapi.url, tmp_path, max_call_seconds=300) as desk:
        with pytest.raises(Forbidden, match="EARSHOT_SIP_HOSTS"):
            await move(desk, by_sip)
        assert by_sip.id in vapi.calls, "it was not cancelled either"
        assert vapi.dials == 2
        await move(desk, long)
    assert vapi.bodies[-1]["assistantOverrides"]["maxDurationSeconds"] == 300


async def test_a_call_of_the_dashboard_is_not_moved(vapi: StandIn, desk: CallDesk) -> None:
    call_id = vapi.schedule(NUMBER, created=datetime.now(UTC), earliest=FIRST)
    with pytest.raises(CallNotScheduled, match="did not schedule"):
        await desk.reschedule(call_id, PAGE, earliest_at=SECOND)
    assert call_id in vapi.calls


async def test_a_slot_is_booked_for_all_the_time_in_which_a_call_may_begin(vapi: StandIn, desk: CallDesk) -> None:
    await desk.place(desk.order(NUMBER, earliest_at=FIRST, latest_at=FIRST + timedelta(hours=20), max_duration_seconds=60), LOCAL)
    for hours, taken in ((-2, False), (-0.1, True), (10, True), (20.1, True), (22, False)):
        order = desk.order("+14155552672", earliest_at=FIRST + timedelta(hours=hours), max_duration_seconds=60)
        if taken:
            with pytest.raises(LimitReached):
                await desk.weigh(order, LOCAL)
        else:
            await desk.weigh(order, LOCAL)


def _ms(time: datetime) -> datetime:
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
