"""What one process writes, the others hear of: whole, once, and also after the database was away."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from services.domain.call import CallStatus
from services.domain.errors import JournalError
from services.journal import AuditRow, Journal, News
from services.journal.database.revisions import raised
from services.journal.processes.feed import Feed
from tests.journal.conftest import Open, an_order, execute
from tests.journal.tables.test_calls import call
from tests.patience import HANG_S

NOW = datetime(2026, 9, 1, 10, tzinfo=UTC)


class Follower:
    """What a follower of a journal received so far."""

    def __init__(self) -> None:
        self.news: list[News] = []
        self._more = asyncio.Event()

    def take(self, news: News) -> None:
        self.news.append(news)
        self._more.set()

    @property
    def calls(self) -> dict[str, CallStatus]:
        return {call.id: call.status for news in self.news for call in news.calls}

    @property
    def noted(self) -> set[str]:
        return {call_id for news in self.news for call_id in news.noted}

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(HANG_S):
            while not true():
                self._more.clear()
                await self._more.wait()


async def following(journal: Journal) -> Follower:
    follower = Follower()
    await journal.follow(follower.take)
    return follower


async def test_a_journal_reports_what_another_wrote(open_journal: Open) -> None:
    one, other = await open_journal(), await open_journal()
    await one.save(call(1))  # before the other follows: it is read, not reported
    follower = await following(other)
    await one.save(call(2))
    await one.save(call(2, CallStatus.ENDED))
    order = an_order()
    await one.begin(order, client="shop")
    placed = replace(call(3), tag=order.tag)
    note = AuditRow(at=NOW, who="shop", action="dial", call_id="call-3", to=order.to, outcome="queued")
    await one.settle(order.tag, call=placed, state="placed", note=note)
    await follower.until(lambda: "call-3" in follower.calls and "call-3" in follower.noted)
    assert follower.calls == {"call-2": CallStatus.ENDED, "call-3": CallStatus.QUEUED}
    assert follower.noted == {"call-3"}


@pytest.mark.slow
async def test_a_journal_does_not_report_its_own_writes(open_journal: Open) -> None:
    one, other = await open_journal(), await open_journal()
    own, follower = await following(one), await following(other)
    for number in range(20):
        await one.save(call(number))
    await follower.until(lambda: len(follower.calls) == 20)
    assert own.news == []
    await other.save(call(0, CallStatus.ENDED))
    await own.until(lambda: bool(own.news))
    assert own.calls["call-0"] is CallStatus.ENDED


async def test_a_write_whose_answer_comes_late_is_still_its_own(open_journal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = await open_journal(), await open_journal()
    own, follower = await following(one), await following(other)
    database = one._database._database
    write = database.write

    async def answered_late(work: Callable[[sa.Connection], object]) -> object:
        result = await write(work)
        await follower.until(lambda: bool(follower.news))
        await asyncio.sleep(0.5)  # in which the feed reads its revision
        return result

    with monkeypatch.context() as late:
        late.setattr(database, "write", answered_late)
        await one.save(call(1))
    await other.save(call(2))
    await own.until(lambda: "call-2" in own.calls)
    assert len(own.news) == 1


@pytest.mark.slow
async def test_two_that_write_at_once_both_know_everything_in_the_end(open_journal: Open) -> None:
    both = [await open_journal() for _ in range(2)]
    followers = [await following(journal) for journal in both]
    await asyncio.gather(*(both[number % 2].save(call(number)) for number in range(100)))
    for place, follower in enumerate(followers):
        theirs = {f"call-{number}" for number in range(100) if number % 2 != place}
        await follower.until(lambda follower=follower, theirs=theirs: theirs <= follower.calls.keys())  # type: ignore[misc]


async def test_a_rolled_back_write_is_not_reported(open_journal: Open, url: str) -> None:
    one, other = await open_journal(), await open_journal()
    follower = await following(other)
    before = (await execute(url, "SELECT number FROM earshot_revision"))[0][0]

    def failing(connection: object) -> None:
        raised(connection)  # type: ignore[arg-type]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await one._database.write(failing)
    await one.save(call(1))
    await follower.until(lambda: bool(follower.news))
    assert follower.calls.keys() == {"call-1"}
    assert (await execute(url, "SELECT number FROM earshot_revision"))[0][0] == before + 1


async def lose_connections(url: str) -> None:
    if url.startswith("postgresql"):
        await execute(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'earshot'")


async def test_a_lost_connection_is_made_anew_and_what_was_missed_is_read(open_journal: Open, url: str) -> None:
    one, other = await open_journal(), await open_journal()
    follower = await following(other)
    await one.save(call(1))
    await follower.until(lambda: "call-1" in follower.calls)
    await lose_connections(url)
    await until_written(lambda: one.save(call(2)))
    await follower.until(lambda: "call-2" in follower.calls)


async def until_written(write: Callable[[], Awaitable[None]]) -> None:
    """The first write on a connection that the server has closed may fail."""
    for _ in range(3):
        try:
            return await write()
        except JournalError:
            await asyncio.sleep(0.1)
    return await write()


async def test_a_dial_waits_for_what_another_process_changed_just_before(open_journal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Feed, "_run", asyncio.Event().wait)  # nothing is reported by itself
    one, other = await open_journal(), await open_journal()
    follower = await following(other)
    for number in range(3):
        await one.change_state("stop", lambda known: f"{known}!")
        await other.begin(an_order(), client="shop")
        assert follower.news[-1].states["stop"][0] == "!" * (number + 1)
    assert len(follower.news) == 3
    await other.begin(an_order(), client="shop")
    assert len(follower.news) == 3


async def test_changes_of_a_state_at_once_are_made_one_after_the_other(open_journal: Open) -> None:
    both = [await open_journal() for _ in range(2)]
    await asyncio.gather(*(both[number % 2].change_state("list", lambda known, line=number: f"{known}{line}\n") for number in range(20)))  # type: ignore[misc]
    text, revision = await both[0].state("list")
    assert sorted(map(int, text.splitlines())) == list(range(20))
    assert await both[1].change_state("list", lambda known: known) == (text, revision)
    assert await both[1].state("other") == ("", 0)


async def test_the_revision_of_a_rolled_back_write_is_free_for_another_process(open_journal: Open) -> None:
    one, other = [await open_journal() for _ in range(2)]
    follower = await following(one)

    def failing(connection: sa.Connection) -> None:
        raised(connection)
        raise JournalError("Rolled back.")

    with pytest.raises(JournalError):
        await one._database.write(failing)
    for _ in range(5):  # on whichever connection of the pool it was
        await one.hung_up("nobody")
    await other.save(call(1))
    await follower.until(lambda: "call-1" in follower.calls)
