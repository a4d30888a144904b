"""A desk shows what another process did as soon as the journal has it, whatever Vapi says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from services.desk.calls.book import Book
from services.desk.desk import CallDesk
from services.domain.call import Call, CallStatus
from services.domain.client import LOCAL
from services.domain.control import Action, Control
from tests.desks import two_desks
from tests.patience import HANG_S
from tests.stand_in import StandIn, stand_in

NUMBER = "+14155552671"


@pytest.fixture
async def desks(vapi: StandIn, tmp_path: Path) -> AsyncIterator[tuple[CallDesk, CallDesk]]:
    """The second desk never learns anything from Vapi: its stand-in has no calls."""
    async with stand_in() as silent, two_desks((vapi.url, silent.url), tmp_path) as made:
        yield made


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANG_S):
        while not true():  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.01)


def status(desk: CallDesk, call_id: str) -> CallStatus | None:
    call = desk.get(call_id)
    return call.status if call else None


@pytest.mark.slow
async def test_a_call_of_another_process_is_followed_from_the_dial_to_the_end(vapi: StandIn, desks: tuple[CallDesk, CallDesk]) -> None:
    one, other = desks
    call_id = (await one.place(one.order(NUMBER), LOCAL)).call.id
    await until(lambda: status(other, call_id) is CallStatus.QUEUED)
    assert other.running == 1
    vapi.move(call_id, "in-progress")
    await until(lambda: status(other, call_id) is CallStatus.IN_PROGRESS)
    other.timelines.of(call_id)
    await one.control(call_id, Control(action=Action.SAY, content="Hello"), LOCAL)
    await until(lambda: [entry.detail for entry in other.timelines.of(call_id)] == ["Hello"])
    vapi.move(call_id, "ended", endedReason="customer-ended-call")
    await until(lambda: status(other, call_id) is CallStatus.ENDED)
    assert other.running == 0


@pytest.mark.slow
async def test_a_call_of_unknown_outcome_is_one_call_everywhere_once_it_is_found(vapi: StandIn, desks: tuple[CallDesk, CallDesk]) -> None:
    one, other = desks
    vapi.answer, vapi.hidden = "created then drop", 10**6
    placing = asyncio.create_task(one.place(one.order(NUMBER), LOCAL))
    await until(lambda: other.running == 1)
    unknown = next(call for call in other.calls() if call.running)
    assert unknown.status is CallStatus.UNKNOWN
    vapi.hidden = 0
    call_id = (await placing).call.id
    await until(lambda: status(other, unknown.id) not in (None, CallStatus.UNKNOWN))
    assert [call.id for call in other.calls()] == [call_id]
    assert other.running == 1


def test_late_news_of_a_call_that_was_found_since_do_not_bring_it_back() -> None:
    book = Book(save=lambda call: None)
    lost = Call(id="unknown-tag", status=CallStatus.UNKNOWN, tag="tag")
    book.see(lost, ours=True)
    book.rename(lost.id, "found")
    book.see(Call(id="found", status=CallStatus.QUEUED, tag="tag"), ours=True)
    book.follow(lost)
    assert [call.id for call in book.calls()] == ["found"]
