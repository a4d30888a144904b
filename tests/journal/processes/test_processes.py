"""The promise holds between processes, and through the death of one at any step."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing import Pipe
from pathlib import Path

import pytest

from services.domain.errors import KeyInProgress
from services.journal import DialState, Journal
from tests.forks import forked
from tests.journal import child
from tests.journal.child import KEYS, TAG
from tests.journal.conftest import Open, an_order, execute
from tests.journal.orders import a_call, an_order_of
from tests.journal.tables.test_dials import begin

pytestmark = pytest.mark.process


class Child:
    """A process of `tests.journal.child`."""

    def __init__(self, url: str, what: str) -> None:
        self._connection, theirs = Pipe()
        self._process = forked(child.run, url, what, theirs)
        theirs.close()

    async def says(self) -> str | None:
        """Its next line. None once it has ended."""
        try:
            return str(await asyncio.to_thread(self._connection.recv))
        except EOFError:
            return None

    def go_on(self) -> None:
        self._connection.send("go")

    async def ended(self) -> int | None:
        await asyncio.to_thread(self._process.join)
        return self._process.exitcode

    async def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()
        await self.ended()


@asynccontextmanager
async def started(url: str, what: str) -> AsyncIterator[Child]:
    process = Child(url, what)
    try:
        yield process
    finally:
        await process.kill()


async def killed_at(url: str, step: str) -> None:
    """A process that dials and is killed at that step: `kill -9`."""
    async with started(url, step) as process:
        assert await process.says() == "stopped"


async def let_20_seconds_pass(url: str) -> None:
    """On SQLite a dead process is known to be one at once."""
    if url.startswith("postgresql"):
        await execute(url, "UPDATE earshot_instances SET seen_at = seen_at - 20001")


async def test_killed_before_the_write_nothing_was_dialled(url: str, open_journal: Open) -> None:
    await killed_at(url, "before the write")
    await let_20_seconds_pass(url)
    journal = await open_journal()
    assert await journal.unsettled() == []
    assert (await begin(journal, an_order())).replay is None


@pytest.mark.parametrize("step", ["after the write", "after Vapi's answer", "before our answer is written"])
async def test_killed_between_the_writes_the_dial_is_looked_for_and_never_dialled_again(url: str, open_journal: Open, step: str) -> None:
    await killed_at(url, step)
    await let_20_seconds_pass(url)
    journal = await open_journal()
    with pytest.raises(KeyInProgress):
        await begin(journal, an_order())
    (dial,) = await journal.unsettled()
    assert (dial.order, dial.state, dial.client, dial.key, dial.call_id) == (an_order_of(TAG), DialState.DIALLING, "shop", "key", None)
    with pytest.raises(KeyInProgress):
        await begin(journal, an_order())
    await journal.settle(TAG, call=a_call(an_order_of(TAG)), state="unknown")
    assert (await begin(journal, an_order())).replay == a_call(an_order_of(TAG))


async def test_killed_after_the_writes_the_key_has_its_answer(url: str, open_journal: Open) -> None:
    await killed_at(url, "after all")
    await let_20_seconds_pass(url)
    journal = await open_journal()
    assert await journal.unsettled() == []
    assert (await begin(journal, an_order())).replay == a_call(an_order_of(TAG))
    assert [call.id for call in await journal.calls()] == ["call-1"]


async def test_who_takes_a_dial_over_and_is_killed_leaves_it_to_the_next(url: str, open_journal: Open) -> None:
    await killed_at(url, "after the write")
    await let_20_seconds_pass(url)
    first, second = await open_journal(), await open_journal()
    taken = await asyncio.gather(first.unsettled(), second.unsettled())
    assert sorted(map(len, taken)) == [0, 1]
    keeper, other = (first, second) if taken[0] else (second, first)
    await keeper.aclose()
    assert [dial.order.tag for dial in await other.unsettled()] == [TAG]


async def test_a_process_that_may_live_is_left_alone(url: str, open_journal: Open) -> None:
    async with started(url, "after the write") as process:
        assert await process.says() == "stopped"
        journal = await open_journal()
        assert await journal.unsettled() == []
        await process.kill()
        await let_20_seconds_pass(url)
        assert [dial.order.tag for dial in await journal.unsettled()] == [TAG]


async def race(url: str, what: str) -> Counter[str]:
    """What two processes that begin at the same moment, on a database that is not there yet, come to together."""
    came_to: Counter[str] = Counter()
    async with started(url, what) as one, started(url, what) as two:
        both = (one, two)
        for process in both:
            assert await process.says() == "ready"
        for process in both:
            process.go_on()
        for process in both:
            while line := await process.says():
                came_to[line] += 1
        assert [await process.ended() for process in both] == [0, 0]
    return came_to


async def test_of_two_processes_with_one_key_one_dials(url: str) -> None:
    came_to = await race(url, "each key twice")
    assert came_to == {**{f"dial key-{number}": 1 for number in range(KEYS)}, "idempotency_in_progress": 3 * KEYS}


async def test_two_processes_share_one_limit(url: str, open_journal: Open) -> None:
    assert await race(url, "more than the limit") == {"dial None": 10, "rate_limited": 2 * KEYS - 10}


async def test_two_processes_dial_a_number_once(url: str) -> None:
    assert await race(url, "one number") == {"dial None": 1, "duplicate_recent_call": 2 * KEYS - 1}


async def test_a_process_that_closes_leaves_no_trace_of_itself(url: str, tmp_path: Path) -> None:
    journal = await Journal.open(url)
    await journal.aclose()
    if url.startswith("sqlite"):
        assert list((tmp_path / "data").rglob("*.lock")) == []
    else:
        assert await execute(url, "SELECT id FROM earshot_instances") == []
