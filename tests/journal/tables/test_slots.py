"""Calls at once, over all processes of a journal: a slot is free only on proof."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.domain.call import Call, CallOrder, CallStatus
from services.domain.errors import LimitReached
from services.domain.limits import Limits
from services.journal import Begun, DialState, Journal
from services.journal.writing import proof
from tests.journal.conftest import Clock, Open, an_order

ONE = Limits(at_once=1)


async def begin(journal: Journal, order: CallOrder | None = None) -> CallOrder:
    order = order or an_order()
    await journal.begin(order, client="shop", limits=ONE)
    return order


async def is_full(journal: Journal) -> bool:
    try:
        await journal.weigh(an_order(), client="shop", limits=ONE)
    except LimitReached as error:
        return error.code == "concurrency_limit_exceeded"
    return False


def call_of(order: CallOrder, clock: Clock, status: CallStatus = CallStatus.QUEUED) -> Call:
    return Call(id=f"call-{order.tag}", status=status, to=order.to, tag=order.tag, created_at=clock.now)


async def test_of_64_dials_at_once_in_two_processes_as_many_begin_as_may(open_journal: Open) -> None:
    journals = [await open_journal(), await open_journal()]
    outcomes = await asyncio.gather(
        *(journal.begin(an_order(), client="shop", limits=Limits(at_once=5)) for _ in range(32) for journal in journals),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, Begun) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, LimitReached) for outcome in outcomes) == 59


async def test_a_process_that_asks_with_an_earlier_time_counts_the_dials_of_later_ones(open_journal: Open, clock: Clock) -> None:
    await begin(await open_journal(now=clock))
    slow = await open_journal(now=lambda: clock.now - timedelta(seconds=5))
    with pytest.raises(LimitReached):
        await begin(slow)


@pytest.mark.parametrize("status", [status for status in CallStatus if status is not CallStatus.UNKNOWN])
async def test_a_call_holds_its_slot_until_it_is_known_to_have_ended(journal: Journal, clock: Clock, status: CallStatus) -> None:
    order = await begin(journal)
    assert await is_full(journal)
    await journal.settle(order.tag, call=call_of(order, clock, status), state="placed")
    ended = status is CallStatus.ENDED
    assert await is_full(journal) is not ended
    assert [call.id for call in await journal.running()] == ([] if ended else [f"call-{order.tag}"])
    await journal.save(call_of(order, clock, CallStatus.ENDED))
    assert not await is_full(journal)


@pytest.mark.parametrize(("state", "full"), [(DialState.UNKNOWN, True), (DialState.LOST, False), (DialState.REFUSED, False)])
async def test_a_dial_holds_its_slot_while_nobody_knows_what_came_of_it(journal: Journal, state: DialState, full: bool) -> None:
    order = await begin(journal)
    await journal.settle(order.tag, call=None, state=state)
    assert await is_full(journal) is full
    assert await journal.running() == []


async def test_a_call_that_was_found_a_moment_ago_counts_once(journal: Journal, clock: Clock) -> None:
    order = await begin(journal)
    await journal.save(call_of(order, clock))
    with pytest.raises(LimitReached):
        await journal.begin(an_order(), client="shop", limits=ONE)
    await journal.begin(an_order(), client="shop", limits=Limits(at_once=2))


async def test_nothing_lasts_longer_than_vapi_lets_it(journal: Journal, clock: Clock) -> None:
    order = await begin(journal)
    await journal.settle(order.tag, call=call_of(order, clock), state="placed")
    clock.pass_(timedelta(hours=12, minutes=59))
    assert await is_full(journal)
    clock.pass_(timedelta(minutes=1))
    assert not await is_full(journal)


async def test_a_scheduled_call_holds_its_slot_from_its_time_and_not_before(journal: Journal, clock: Clock) -> None:
    order = await begin(journal, an_order(earliest_at=clock.now + timedelta(days=3)))
    scheduled = call_of(order, clock, CallStatus.SCHEDULED)
    assert not await is_full(journal)
    await journal.settle(order.tag, call=scheduled, state="placed")
    clock.pass_(timedelta(days=2, hours=23, minutes=59))
    assert not await is_full(journal)
    assert [call.status for call in await journal.running()] == [CallStatus.SCHEDULED]
    clock.pass_(timedelta(minutes=2))
    assert await is_full(journal)
    await journal.save(replace(scheduled, status=CallStatus.IN_PROGRESS))
    assert await is_full(journal)
    assert [call.status for call in await journal.running()] == [CallStatus.IN_PROGRESS]
    clock.pass_(timedelta(hours=13))
    assert not await is_full(journal)


async def test_no_more_calls_are_scheduled_for_one_time_than_may_run(journal: Journal, clock: Clock) -> None:
    await begin(journal)  # it is over by then
    at = clock.now + timedelta(days=3)
    limits = Limits(at_once=2)
    orders = [an_order(earliest_at=at, max_duration_seconds=600) for _ in range(3)]
    outcomes = await asyncio.gather(*(journal.begin(order, client="shop", limits=limits) for order in orders), return_exceptions=True)
    assert [isinstance(outcome, LimitReached) for outcome in outcomes] == [False, False, True]
    await journal.begin(an_order(earliest_at=at + timedelta(hours=1), max_duration_seconds=600), client="shop", limits=limits)
    await journal.begin(an_order(), client="shop", limits=limits)


async def test_calls_of_other_systems_take_no_slot(journal: Journal, clock: Clock) -> None:
    await journal.save(Call(id="web", status=CallStatus.IN_PROGRESS, created_at=clock.now))
    await journal.save(Call(id="inbound", status=CallStatus.IN_PROGRESS, inbound=True, tag="elsewhere", created_at=clock.now))
    assert len(await journal.running()) == 2
    assert not await is_full(journal)


async def test_a_slot_is_freed_by_hand_once(journal: Journal, clock: Clock) -> None:
    order = await begin(journal)
    await journal.settle(order.tag, call=call_of(order, clock), state="placed")
    assert await journal.free_slot(f"call-{order.tag}")
    assert not await is_full(journal)
    assert not await journal.free_slot(f"call-{order.tag}")
    lost = await begin(journal)
    await journal.settle(lost.tag, call=None, state="unknown")
    assert await journal.free_slot(f"unknown-{lost.tag}")
    assert not await is_full(journal)


async def test_slots_of_dials_that_nobody_searches_for_any_more_are_counted_apart(
    journal: Journal, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "_FRESH_S", 0.0)

    async def counted() -> tuple[int, int]:
        condition = await journal.condition()
        return condition.taken, condition.abandoned

    lost, found = [await journal.begin(an_order(), client="shop") for _ in range(2)]
    await journal.settle(found.dial.order.tag, call=call_of(found.dial.order, clock), state="placed")
    await journal.settle(lost.dial.order.tag, call=None, state=DialState.UNKNOWN)
    assert await counted() == (2, 0)
    clock.pass_(timedelta(minutes=16))
    assert await counted() == (2, 1)
    clock.pass_(timedelta(hours=13))
    assert await counted() == (0, 0)


async def test_a_call_that_ended_makes_room_for_a_dial_of_the_same_moment(journal: Journal, clock: Clock) -> None:
    order = await begin(journal)
    await journal.settle(order.tag, call=call_of(order, clock), state="placed")
    await asyncio.gather(begin(journal), journal.save(call_of(order, clock, CallStatus.ENDED)))


async def test_weighing_writes_nothing_and_says_what_beginning_would(journal: Journal, clock: Clock) -> None:
    limits = Limits(per_hour=1, at_once=5)
    await journal.weigh(an_order(), client="shop", limits=limits)
    assert await journal.dialled_since(clock.now - timedelta(days=1)) == []
    await journal.begin(an_order(), client="shop", limits=limits)
    with pytest.raises(LimitReached):
        await journal.weigh(an_order(), client="shop", limits=limits)
