"""A dial is written down once, and a key has one answer."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.domain.call import CallOrder, CallStatus
from services.domain.errors import EarshotError, JournalError, KeyInProgress, KeyReused
from services.journal import Begun, DialState, Journal
from tests.journal.conftest import Clock, Open, an_order
from tests.journal.orders import a_call as a_call
from tests.journal.orders import an_order_of
from tests.patience import HANG_S


async def begin(journal: Journal, order: CallOrder, *, client: str = "shop", key: str | None = "key", fingerprint: str = "body") -> Begun:
    return await journal.begin(order, client=client, key=key, fingerprint=fingerprint)


async def test_a_repeated_key_gets_the_call_as_it_was_placed(journal: Journal) -> None:
    order = an_order()
    assert (await begin(journal, order)).replay is None
    await journal.settle(order.tag, call=a_call(order), state="placed")
    await journal.save(a_call(order, status=CallStatus.ENDED))
    again = await begin(journal, an_order())
    assert again.replay == a_call(order)
    assert again.dial.order == order
    assert again.dial.call_id == "call-1"


async def test_a_key_belongs_to_its_client(journal: Journal) -> None:
    await begin(journal, an_order())
    assert (await begin(journal, an_order(), client="other")).replay is None


async def test_another_body_under_a_key_is_refused_answered_or_not(journal: Journal) -> None:
    order = an_order()
    await begin(journal, order)
    with pytest.raises(KeyReused):
        await begin(journal, an_order(), fingerprint="other body")
    await journal.settle(order.tag, call=a_call(order), state="placed")
    with pytest.raises(KeyReused):
        await begin(journal, an_order(), fingerprint="other body")


async def test_a_key_is_in_progress_until_it_has_an_answer(journal: Journal) -> None:
    order = an_order()
    await begin(journal, order)
    with pytest.raises(KeyInProgress):
        await begin(journal, an_order())
    await journal.settle(order.tag, call=None, state="unknown")
    with pytest.raises(KeyInProgress):
        await begin(journal, an_order())


async def test_a_refusal_frees_the_key_and_stays_in_the_book(journal: Journal, clock: Clock) -> None:
    order = an_order()
    await begin(journal, order)
    await journal.settle(order.tag, call=None, state="refused")
    assert await journal.dialled_since(clock.now - timedelta(hours=1)) == []
    assert (await begin(journal, an_order(), fingerprint="other body")).replay is None
    assert await journal.dialled_since(clock.now - timedelta(hours=1)) == [clock.now]


async def test_a_key_keeps_the_first_answer_when_the_lost_call_is_found(journal: Journal) -> None:
    order = an_order()
    first = a_call(order, id_=f"unknown-{order.tag}", status=CallStatus.UNKNOWN)
    await begin(journal, order)
    await journal.settle(order.tag, call=first, state="unknown")
    await journal.settle(order.tag, call=a_call(order), state="placed")
    again = await begin(journal, an_order())
    assert again.replay == first
    assert (again.dial.state, again.dial.call_id) == (DialState.PLACED, "call-1")
    assert [call.id for call in await journal.calls()] == ["call-1"]
    assert (await journal.get(f"unknown-{order.tag}")) == (await journal.get("call-1"))


async def test_what_was_placed_stays_placed(journal: Journal) -> None:
    order = an_order()
    await begin(journal, order)
    await journal.settle(order.tag, call=a_call(order), state="placed")
    await journal.settle(order.tag, call=None, state="refused")
    await journal.settle(order.tag, call=None, state="unknown")
    again = await begin(journal, an_order())
    assert (again.dial.state, again.replay) == (DialState.PLACED, a_call(order))


async def test_a_key_is_kept_for_24_hours(journal: Journal, clock: Clock) -> None:
    order = an_order()
    await begin(journal, order)
    await journal.settle(order.tag, call=a_call(order), state="placed")
    clock.pass_(timedelta(hours=23, minutes=59))
    await journal.forget_old()
    assert (await begin(journal, an_order())).replay == a_call(order)
    clock.pass_(timedelta(minutes=1))
    assert (await begin(journal, an_order())).replay is None


async def test_a_key_that_is_being_answered_is_never_forgotten(journal: Journal, clock: Clock) -> None:
    await begin(journal, an_order())
    clock.pass_(timedelta(days=3))
    await journal.forget_old()
    with pytest.raises(KeyInProgress):
        await begin(journal, an_order())


async def test_of_64_requests_at_once_with_one_key_one_dials(journal: Journal) -> None:
    outcomes = await asyncio.gather(*(begin(journal, an_order()) for _ in range(64)), return_exceptions=True)
    assert sum(isinstance(outcome, Begun) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, KeyInProgress) for outcome in outcomes) == 63


async def test_an_order_is_dialled_once(journal: Journal) -> None:
    order = an_order()
    await begin(journal, order, key=None)
    with pytest.raises(KeyInProgress):
        await begin(journal, order, key=None)
    outcomes = await asyncio.gather(*(begin(journal, an_order_of("same"), key=None) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(outcome, Begun) for outcome in outcomes) == 1


async def test_an_order_comes_back_whole(open_journal: Open, journal: Journal) -> None:
    order = an_order(
        name="Ann \0 \U0001f600",
        first_message="Hello",
        variable_values={"a": {"b": [1, None, "ü"]}},
        max_duration_seconds=60,
        earliest_at=datetime(2026, 9, 2, 8, 30, tzinfo=UTC),
    )
    await begin(journal, order)
    await journal.aclose()
    (dial,) = await (await open_journal()).unsettled()
    assert dial.order == order


async def test_open_dials_of_the_living_are_their_own(open_journal: Open, journal: Journal, clock: Clock) -> None:
    orders = [an_order(), an_order()]
    for order in orders:
        await begin(journal, order, key=None)
        clock.pass_(timedelta(seconds=1))  # they are read oldest first
    await journal.settle(orders[1].tag, call=None, state="unknown")
    other = await open_journal()
    assert await other.unsettled() == []
    assert await journal.unsettled() == []
    await journal.aclose()
    assert [(dial.order.tag, dial.state) for dial in await other.unsettled()] == [
        (orders[0].tag, DialState.DIALLING),
        (orders[1].tag, DialState.UNKNOWN),
    ]
    assert await other.unsettled() == []
    assert await (await open_journal()).unsettled() == []


async def test_settled_and_lost_dials_are_not_looked_for(open_journal: Open, journal: Journal) -> None:
    for state in (DialState.PLACED, DialState.LOST, DialState.REFUSED):
        order = an_order()
        await begin(journal, order, key=None)
        await journal.settle(order.tag, call=None, state=state)
    await journal.aclose()
    assert await (await open_journal()).unsettled() == []


async def test_a_dial_whose_caller_left_is_taken_back(journal: Journal, clock: Clock) -> None:
    waiting = asyncio.ensure_future(begin(journal, an_order()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    outcome: Begun | None = None
    async with asyncio.timeout(HANG_S):
        while outcome is None:
            try:
                outcome = await begin(journal, an_order())
            except KeyInProgress:
                await asyncio.sleep(0.01)
    assert await journal.dialled_since(clock.now - timedelta(hours=1)) == [clock.now]


async def test_what_is_settled_is_written_though_the_caller_left(journal: Journal) -> None:
    order = an_order()
    await begin(journal, order)
    settling = asyncio.ensure_future(journal.settle(order.tag, call=a_call(order), state="placed"))
    await asyncio.sleep(0)
    settling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await settling
    assert (await begin(journal, an_order())).replay == a_call(order)


async def test_a_closed_journal_takes_nothing(journal: Journal) -> None:
    await journal.aclose()
    with pytest.raises(JournalError) as caught:
        await begin(journal, an_order())
    assert isinstance(caught.value, EarshotError)
    assert (caught.value.status, caught.value.code) == (503, "journal_unavailable")
