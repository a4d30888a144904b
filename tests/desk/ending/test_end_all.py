"""Ending all calls, with each kind of journal: also those in flight, here and in another process, those that just began, and scheduled
ones."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.desk.calls import watcher
from services.desk.desk import CallDesk
from services.desk.ending import cancel, late_hang_ups
from services.desk.ending.end_all import end_all
from services.domain.call import CANCELLED, CallStatus
from services.domain.client import LOCAL, PAGE
from services.domain.errors import HangUpUnconfirmed, JournalError
from services.journal import Dial
from tests.desks import two_desks
from tests.patience import HANG_S
from tests.stand_in import StandIn

NUMBER, OTHER = "+14155552671", "+14155552672"


@pytest.fixture
def vapi(vapi: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Read only on request, so that the desk knows nothing by chance."""
    for name in ("IDLE", "CALM", "SOON"):
        monkeypatch.setattr(watcher, name, 600)
    monkeypatch.setattr(cancel, "_PAUSE", 0.01)
    return vapi


@pytest.fixture
async def desks(vapi: StandIn, tmp_path: Path, url: str) -> AsyncIterator[tuple[CallDesk, CallDesk]]:
    async with two_desks((vapi.url, vapi.url), tmp_path, journal_at=url) as made:
        for desk in made:
            await desk.caught_up()
        yield made


async def place(desk: CallDesk, number: str = NUMBER, in_: timedelta | None = None) -> str:
    placed = await desk.place(desk.order(number, earliest_at=datetime.now(UTC) + in_ if in_ else None), LOCAL)
    return placed.call.id


def running(vapi: StandIn) -> list[str]:
    return [call_id for call_id, call in vapi.calls.items() if call["status"] != "ended"]


async def until_silent(vapi: StandIn) -> None:
    async with asyncio.timeout(HANG_S):
        while running(vapi):  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.01)


@pytest.mark.slow
async def test_a_call_that_somebody_just_made_and_one_of_another_process_are_ended(vapi: StandIn, desks: tuple[CallDesk, CallDesk]) -> None:
    one, other = desks
    ids = {await place(other), vapi.ring_in(OTHER)}
    outcome = await end_all(one, one.switch, PAGE)
    assert {call.id for call in outcome.ended} == ids
    assert outcome.unconfirmed == ()
    assert running(vapi) == []
    assert desks[0].switch.state


@pytest.mark.slow
@pytest.mark.parametrize("where", [0, 1])
async def test_a_dial_in_flight_is_unconfirmed_and_hung_up_as_soon_as_it_is_known(
    vapi: StandIn, desks: tuple[CallDesk, CallDesk], where: int
) -> None:
    vapi.answer = "held, created"
    dialling = asyncio.create_task(place(desks[where]))
    await vapi.heard.wait()
    outcome = await end_all(desks[0], desks[0].switch, PAGE)
    assert outcome.ended == ()
    [(call, why)] = outcome.unconfirmed
    assert (call.to, call.status) == (NUMBER, CallStatus.UNKNOWN)
    assert "hangs up as soon as" in why
    vapi.let_go.set()
    await dialling
    await until_silent(vapi)
    assert vapi.dials == 1
    async with asyncio.timeout(HANG_S):
        while await desks[0].journal.wanted_hang_ups():  # noqa: ASYNC110 - the journal is not to be waited for
            await asyncio.sleep(0.01)
    await desks[0].timeline(next(iter(vapi.calls)))  # which waits for what is being written
    hung_up = [(row.who, row.action) for row in await desks[0].journal.audit() if row.action == "end"]
    assert (PAGE.name, "end") in hung_up


@pytest.mark.slow
async def test_a_hang_up_that_is_wanted_outlives_the_process_that_was_asked(
    vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.desk.ending.late_hang_ups._IDLE", 0.05)  # read once a desk starts
    async with two_desks((vapi.url, vapi.url), tmp_path) as (asked, other):
        vapi.answer = "held, created"
        dialling = asyncio.create_task(place(other))
        await vapi.heard.wait()
        await end_all(asked, asked.switch, PAGE)
        await asked.aclose()
        vapi.let_go.set()
        await dialling
        await until_silent(vapi)


@pytest.mark.slow
async def test_a_hang_up_that_the_journal_could_not_take_is_wanted_later_also_for_dials_that_were_open_then(
    vapi: StandIn, desks: tuple[CallDesk, CallDesk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.support.tasks._AGAIN_S", 0)
    monkeypatch.setattr(late_hang_ups, "_AGAIN", 0.01)
    works = asyncio.Event()
    errors: list[Exception] = [SystemError("odd"), JournalError("The disk is full.")]
    want = desks[0].journal.want_hang_ups

    async def fail_twice(client: str, **asked: Any) -> Sequence[Dial]:
        if errors:
            raise errors.pop()
        await works.wait()
        return await want(client, **asked)

    monkeypatch.setattr(desks[0].journal, "want_hang_ups", fail_twice)
    vapi.answer = "held, created"
    dialling = asyncio.create_task(place(desks[0]))
    await vapi.heard.wait()
    await end_all(desks[0], desks[0].switch, PAGE)
    vapi.let_go.set()
    await dialling
    assert running(vapi)
    works.set()
    await until_silent(vapi)
    assert not errors


async def test_a_dial_that_was_refused_leaves_nothing_to_hang_up(vapi: StandIn, desks: tuple[CallDesk, CallDesk]) -> None:
    outcome = await end_all(desks[0], desks[0].switch, PAGE)
    assert (outcome.ended, outcome.unconfirmed) == ((), ())
    assert await desks[0].journal.wanted_hang_ups() == []


@pytest.mark.slow
async def test_a_scheduled_call_is_cancelled_by_deleting_it(vapi: StandIn, desks: tuple[CallDesk, CallDesk]) -> None:
    call_id = await place(desks[0], in_=timedelta(days=3))
    ended = await desks[0].end(call_id, PAGE)
    assert (ended.status, ended.ended_reason) == (CallStatus.ENDED, CANCELLED)
    assert vapi.calls == {}
    assert vapi.controls == []
    [listed] = await desks[0].page_of_calls()
    assert listed.ended_reason == CANCELLED


@pytest.mark.slow
async def test_a_call_that_has_begun_is_hung_up_and_never_deleted(vapi: StandIn, desks: tuple[CallDesk, CallDesk]) -> None:
    call_id = await place(desks[0], in_=timedelta(days=3))
    vapi.move(call_id, "in-progress")
    ended = await desks[0].end(call_id, PAGE)
    assert ended.ended_reason == "manually-canceled"
    assert vapi.requests["DELETE /call/{id}"] == 0


@pytest.mark.slow
async def test_a_call_that_may_begin_at_any_moment_is_left_to_begin(
    vapi: StandIn, desks: tuple[CallDesk, CallDesk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancel, "_ROUNDS", 5)
    call_id = await place(desks[0], in_=timedelta(seconds=3))
    with pytest.raises(HangUpUnconfirmed):
        await desks[0].end(call_id, PAGE)
    vapi.move(call_id, "ringing")
    await desks[0].end(call_id, PAGE)
    assert (vapi.requests["DELETE /call/{id}"], running(vapi)) == (0, [])


@pytest.mark.slow
async def test_ending_all_cancels_what_is_scheduled(vapi: StandIn, desks: tuple[CallDesk, CallDesk]) -> None:
    await place(desks[1], in_=timedelta(hours=1))
    outcome = await end_all(desks[0], desks[0].switch, PAGE)
    assert [call.ended_reason for call in outcome.ended] == [CANCELLED]
    assert vapi.erased_running == 0
