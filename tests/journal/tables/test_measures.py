"""One process measures a call; another continues when that one is gone; what was measured can be read by all of them."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from services.domain.call import Call, CallStatus
from services.journal import Journal
from tests.journal.conftest import Open, an_order, execute
from tests.journal.processes.test_processes import let_20_seconds_pass
from tests.patience import HANG_S

ONE = Call(id="one", status=CallStatus.IN_PROGRESS)
"""What belongs to no call is deleted."""


async def test_what_was_measured_is_read_back(journal: Journal) -> None:
    await journal.save(ONE)
    assert await journal.measures.take("one") == ""
    assert await journal.measures.of("one") == ""
    assert await journal.measures.briefs(["one", "two"]) == {}
    await journal.measures.save("one", "first", brief="1")
    await journal.measures.save("one", "second", brief="2")
    assert await journal.measures.of("one") == "second"
    assert await journal.measures.briefs(["one", "two"]) == {"one": "2"}


async def test_one_process_measures_a_call_and_the_next_continues_what_it_has(open_journal: Open) -> None:
    first, second = await open_journal(), await open_journal()
    one, other = first.measures, second.measures
    await first.save(ONE)
    assert await one.take("one") == ""
    assert await other.take("one") is None
    await one.save("one", "half", brief="1")
    assert await one.take("one") == "half", "its own"
    assert await other.take("one") is None
    await one.save("one", "more", brief="2", over=True)
    assert await other.take("one") == "more"
    await one.save("one", "late", brief="3")
    assert await other.of("one") == "more", "the other one measures it now"


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_call_that_another_process_measures_is_left_without_a_write(open_journal: Open, url: str) -> None:
    one, other = await open_journal(), await open_journal()
    await one.save(ONE)
    await one.measures.take("one")
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(HANG_S):
            assert await other.measures.take("one") is None
        writer.execute("ROLLBACK")


async def test_the_process_that_placed_a_call_comes_first_while_it_lives(open_journal: Open, url: str) -> None:
    placer, other = await open_journal(), await open_journal()
    order = an_order()
    await placer.begin(order, client="shop")
    for call_id in ("one", "two"):
        await placer.save(Call(id=call_id, status=CallStatus.IN_PROGRESS))
    assert await other.measures.take("one", leave_to_placer_of=order.tag) is None
    assert await placer.measures.take("one", leave_to_placer_of=order.tag) == ""
    await placer.measures.save("one", "half", brief="1", over=True)
    assert await other.measures.take("one", leave_to_placer_of=order.tag) == "half", "it has had its turn"
    assert await other.measures.take("two", leave_to_placer_of=order.tag) is None
    await placer.aclose()
    await let_20_seconds_pass(url)
    assert await other.measures.take("two", leave_to_placer_of=order.tag) == ""


async def test_a_call_whose_placer_does_not_measure_can_be_taken(open_journal: Open) -> None:
    placer, other = await open_journal(), await open_journal()
    order = an_order()
    await placer.begin(order, client="shop")
    await placer.save(ONE)
    assert await other.measures.take("one") == ""
    assert await placer.measures.take("one", leave_to_placer_of=order.tag) is None


async def test_a_call_whose_process_is_gone_is_taken_over(open_journal: Open, url: str) -> None:
    gone, other = await open_journal(), await open_journal()
    await gone.save(ONE)
    await gone.measures.take("one")
    await gone.measures.save("one", "half", brief="1")
    await gone.aclose()
    await let_20_seconds_pass(url)
    assert await other.measures.take("one") == "half"


async def test_what_could_not_be_taken_down_before_is_saved_all_the_same(journal: Journal, url: str) -> None:
    await journal.save(ONE)
    await journal.measures.save("one", "all", brief="1", over=True)
    assert [tuple(row) for row in await execute(url, "SELECT call_id, measurer, data, brief FROM earshot_measures")] == [
        ("one", "", "all", "1")
    ]
