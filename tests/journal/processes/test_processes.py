"""The promise holds between processes, and through the death of one at any step."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.domain.errors import KeyInProgress
from services.journal import DialState, Journal
from tests.journal.child import KEYS, TAG
from tests.journal.conftest import Open, an_order, execute
from tests.journal.tables.test_dials import a_call, an_order_of, begin

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def child(url: str, what: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.journal.child", url, what),
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "error"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def killed_at(url: str, step: str) -> None:
    """A process that dials and is killed at that step: `kill -9`."""
    async with child(url, step) as process:
        assert process.stdout
        assert await process.stdout.readline() == b"stopped\n"


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
    async with child(url, "after the write") as process:
        assert process.stdout
        await process.stdout.readline()
        journal = await open_journal()
        assert await journal.unsettled() == []
        process.kill()
        await process.wait()
        await let_20_seconds_pass(url)
        assert [dial.order.tag for dial in await journal.unsettled()] == [TAG]


async def race(url: str, what: str) -> Counter[str]:
    """What two processes that begin at the same moment, on a database that is not there yet, come to together."""
    async with child(url, what) as one, child(url, what) as two:
        both = (one, two)
        for process in both:
            assert process.stdout
            await process.stdout.readline()
        outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in both))
        assert [process.returncode for process in both] == [0, 0]
    return Counter(line for output, _ in outputs for line in output.decode().splitlines())


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
