"""No number of requests at once gets past a limit."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.domain.call import CallStatus
from services.domain.caps import Window
from services.domain.errors import DuplicateCall, DuplicateRunningCall, LimitReached
from services.domain.limits import Limits
from services.journal import Begun, Journal
from tests.journal.conftest import Clock, Open, an_order, execute
from tests.journal.tables.test_dials import a_call


@pytest.mark.parametrize(
    ("limits", "code"), [(Limits(per_hour=10, per_day=99), "rate_limited"), (Limits(per_day=10), "daily_limit_exceeded")]
)
async def test_64_requests_at_once_stay_within_the_limit(journal: Journal, clock: Clock, limits: Limits, code: str) -> None:
    outcomes = await asyncio.gather(*(journal.begin(an_order(), client="shop", limits=limits) for _ in range(64)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, LimitReached)]
    assert sum(isinstance(outcome, Begun) for outcome in outcomes) == 10
    assert len(refused) == 54
    assert {refusal.code for refusal in refused} == {code}
    assert len(await journal.dialled_since(clock.now - timedelta(hours=1))) == 10


async def test_there_is_room_when_the_oldest_dial_leaves_the_hour(journal: Journal, clock: Clock) -> None:
    limits = Limits(per_hour=2)
    for minutes in (0, 10):
        clock.pass_(timedelta(minutes=minutes))
        await journal.begin(an_order(), client="shop", limits=limits)
    clock.pass_(timedelta(minutes=20))
    with pytest.raises(LimitReached) as caught:
        await journal.begin(an_order(), client="other", limits=limits)
    assert caught.value.retry_after == 30 * 60
    clock.pass_(timedelta(minutes=30))
    await journal.begin(an_order(), client="other", limits=limits)
    assert len(await journal.dialled_since(clock.now - timedelta(hours=24))) == 3
    with pytest.raises(LimitReached) as caught:
        await journal.begin(an_order(), client="other", limits=limits)
    assert caught.value.retry_after == 10 * 60


async def test_a_limit_of_none_lets_nothing_through(journal: Journal) -> None:
    with pytest.raises(LimitReached) as caught:
        await journal.begin(an_order(), client="shop", limits=Limits(per_hour=0))
    assert caught.value.retry_after == 3600


async def test_refused_dials_do_not_count_and_unknown_ones_do(journal: Journal) -> None:
    limits = Limits(per_hour=1)
    order = an_order()
    await journal.begin(order, client="shop", limits=limits)
    await journal.settle(order.tag, call=None, state="refused")
    order = an_order()
    await journal.begin(order, client="shop", limits=limits)
    await journal.settle(order.tag, call=None, state="unknown")
    with pytest.raises(LimitReached):
        await journal.begin(an_order(), client="shop", limits=limits)


async def test_a_replay_is_not_counted(journal: Journal) -> None:
    limits = Limits(per_hour=1, duplicate_window=timedelta(seconds=30))
    order = an_order()
    await journal.begin(order, client="shop", key="key", limits=limits)
    await journal.settle(order.tag, call=a_call(order), state="placed")
    assert (await journal.begin(an_order(), client="shop", key="key", limits=limits)).replay == a_call(order)


async def test_a_number_is_not_dialled_again_by_the_same_client_within_30_seconds(journal: Journal, clock: Clock) -> None:
    limits = Limits(duplicate_window=timedelta(seconds=30))
    first = an_order()
    await journal.begin(first, client="shop", limits=limits)
    clock.pass_(timedelta(seconds=29))
    with pytest.raises(DuplicateCall) as caught:
        await journal.begin(an_order(), client="shop", limits=limits)
    assert caught.value.call_id == f"unknown-{first.tag}"
    await journal.begin(an_order(to="+14155552672"), client="shop", limits=limits)
    await journal.begin(an_order(), client="other", limits=limits)
    clock.pass_(timedelta(seconds=1))
    await journal.begin(an_order(), client="shop", limits=limits)


async def test_of_64_dials_of_one_number_at_once_one_is_begun(journal: Journal) -> None:
    limits = Limits(duplicate_window=timedelta(seconds=30))
    outcomes = await asyncio.gather(*(journal.begin(an_order(), client="shop", limits=limits) for _ in range(64)), return_exceptions=True)
    assert sum(isinstance(outcome, Begun) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, DuplicateCall) for outcome in outcomes) == 63


async def test_a_number_with_a_running_call_is_not_dialled_by_anybody(journal: Journal, open_journal: Open, clock: Clock) -> None:
    limits = Limits(one_per_number=True)
    first = an_order()
    await journal.begin(first, client="shop", key="first", limits=limits)
    other = await open_journal(now=clock)
    clock.pass_(timedelta(hours=1))
    with pytest.raises(DuplicateRunningCall) as caught:
        await other.begin(an_order(), client="robot", key="second", limits=limits)
    assert caught.value.call_id == f"unknown-{first.tag}"
    await other.begin(an_order(earliest_at=clock.now + timedelta(days=1)), client="robot", limits=Limits())
    await journal.settle(first.tag, call=replace(a_call(first), status=CallStatus.ENDED), state="placed")
    await other.begin(an_order(), client="robot", key="second", limits=limits)


async def test_of_64_dials_of_one_number_at_once_by_as_many_clients_one_is_begun(journal: Journal) -> None:
    dials = (journal.begin(an_order(), client=f"client-{n}", limits=Limits(one_per_number=True)) for n in range(64))
    outcomes = await asyncio.gather(*dials, return_exceptions=True)
    assert sum(isinstance(outcome, Begun) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, DuplicateRunningCall) for outcome in outcomes) == 63


async def test_a_refused_dial_is_no_duplicate(journal: Journal) -> None:
    limits = Limits(duplicate_window=timedelta(seconds=30))
    order = an_order()
    await journal.begin(order, client="shop", limits=limits)
    await journal.settle(order.tag, call=None, state="refused")
    await journal.begin(an_order(), client="shop", limits=limits)


async def test_a_transfer_counts_as_a_dial_but_takes_no_slot(journal: Journal, open_journal: Open, clock: Clock) -> None:
    limits = Limits(per_hour=3, at_once=1)
    order = an_order()
    await journal.begin(order, client="shop", limits=limits)
    await journal.settle(order.tag, call=None, state="unknown")
    for _ in range(2):
        assert await journal.count_transfer(an_order("+12125550100"), client="shop", call_id="call", limits=limits) == clock.now
    with pytest.raises(LimitReached) as caught:
        await journal.count_transfer(an_order("+12125550100"), client="shop", call_id="call", limits=limits)
    assert caught.value.code == "rate_limited"
    await journal.aclose()
    later = await open_journal(now=clock)
    clock.pass_(timedelta(seconds=21))  # by when the process before this one counts as gone
    assert [dial.order.tag for dial in await later.unsettled()] == [order.tag]  # of the transfers nobody looks for a call
    assert len(await later.dialled_since(clock.now - timedelta(hours=1))) == 3
    with pytest.raises(LimitReached) as caught:
        await later.begin(an_order(), client="shop", limits=Limits(at_once=1))
    await later.begin(an_order(), client="shop", limits=Limits(at_once=2))


async def test_a_limit_of_one_has_room_when_its_dial_leaves_the_hour(journal: Journal, clock: Clock) -> None:
    await journal.begin(an_order(), client="shop", limits=Limits(per_hour=1))
    clock.pass_(timedelta(minutes=20))
    with pytest.raises(LimitReached) as caught:
        await journal.begin(an_order(), client="shop", limits=Limits(per_hour=1))
    assert caught.value.retry_after == 40 * 60


async def test_rows_of_an_earlier_version_count_as_those_of_whoever_had_the_name(journal: Journal, url: str) -> None:
    """They have names only: of the person who dialled, or who confirmed an assistant's dial."""
    hour = Window(timedelta(hours=1), "in an hour", "own_hourly_limit")
    ana = Limits(own=((hour, 3),), person="a1", person_name="Ana")
    for client in ("Ana", "bot", "bot"):
        await journal.begin(an_order(), client=client)
    rows = await execute(url, "SELECT tag FROM earshot_dials ORDER BY client DESC")
    await execute(url, f"UPDATE earshot_dials SET confirmed_by = 'Ana' WHERE tag = '{rows[0][0]}'")  # noqa: S608
    await journal.begin(an_order(), client="bot", limits=replace(ana, person="b2"))
    await journal.weigh(an_order(), client="Ana", limits=replace(ana, own=((hour, 1),)))  # a row that has an id has no name that counts
    await execute(url, "UPDATE earshot_dials SET person = NULL WHERE person = ''")
    await journal.begin(an_order(), client="bot", limits=ana)
    for client in ("bot", "Ana"):
        with pytest.raises(LimitReached):
            await journal.begin(an_order(), client=client, limits=ana)
    await journal.begin(an_order(), client="bot", limits=replace(ana, person="c3", person_name="Cem"))
