"""Sessions end, and guessing is slowed down."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest

from services.desk.lists.people import STATE, People
from services.domain.caps import Caps
from services.domain.client import PAGE, Scope
from services.domain.errors import JournalError, Unauthorized
from services.domain.person import Person, Role
from services.journal import Journal, Session
from services.web.access import sessions as module
from services.web.access.sessions import Attempts, Sessions
from tests.journal.conftest import Clock, execute
from tests.journals import open_journal
from tests.patience import HANG_S

PASSWORD = "correct horse"


class Monotonic:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def journal(url: str) -> AsyncIterator[Journal]:
    journal = await open_journal(url, now=Clock())  # by its own clock it would delete these sessions as too old
    yield journal
    await journal.aclose()


def no_note(*_: object, **__: object) -> "asyncio.Task[None]":
    return asyncio.create_task(asyncio.sleep(0))


async def people_of(journal: Journal, now: Callable[[], datetime] | None = None) -> People:
    """The people in the journal, followed as a desk does."""
    people = People(journal, no_note, now=now or Clock())
    await journal.follow(lambda news: people.follow(*news.states[STATE]) if STATE in news.states else None)
    await people.load()
    return people


async def opened(
    journal: Journal, now: Callable[[], datetime] | None = None, password: str = PASSWORD, people: People | None = None
) -> Sessions:
    sessions = Sessions(journal, password=password, people=people or People(journal, no_note), now=now or Clock())
    await sessions.load()
    return sessions


async def test_a_session_lasts_while_it_is_used_and_seven_days_at_most(journal: Journal) -> None:
    clock = Clock()
    sessions = await opened(journal, clock)
    session = await sessions.begin()
    assert await sessions.check(session)
    assert not await sessions.check(session + "x")
    for _ in range(13):
        clock.now += timedelta(hours=11)
        assert await sessions.check(session)
    for _ in range(3):
        clock.now += timedelta(hours=11)
    assert not await sessions.check(session)
    other = await sessions.begin()
    clock.now += timedelta(hours=12)
    assert not await sessions.check(other)
    await sessions.aclose()


async def test_a_session_holds_after_a_restart_and_its_id_is_not_stored(journal: Journal, url: str) -> None:
    session = await (await opened(journal)).begin()
    again = await opened(journal)
    assert await again.check(session)
    [stored] = await execute(url, "SELECT * FROM earshot_sessions")
    assert session not in str(stored)
    await again.end(session)
    assert not await again.check(session)
    assert not await (await opened(journal)).check(session)


async def test_a_new_password_ends_all_sessions(journal: Journal) -> None:
    session = await (await opened(journal)).begin()
    assert not await (await opened(journal, password="another")).check(session)


async def test_there_are_never_more_than_a_thousand_sessions(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 3)
    sessions = await opened(journal)
    begun = [await sessions.begin() for _ in range(4)]
    assert [bool(await sessions.check(session)) for session in begun] == [False, True, True, True]


class Broken:
    """A journal that can't be written while `broken`."""

    def __init__(self, journal: Journal) -> None:
        self.broken = False
        self.follow, self.sessions, self.session = journal.follow, journal.sessions, journal.session
        self._save = journal.save_session

    async def save_session(self, session: Session) -> None:
        if self.broken:
            raise JournalError("The disk is full.")
        await self._save(session)


async def test_a_logout_holds_at_once_and_is_written_as_soon_as_it_can_be(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(module, "_RETRY_S", 0.01)
    broken = Broken(journal)
    sessions = await opened(broken)  # type: ignore[arg-type]
    session = await sessions.begin()
    broken.broken = True
    await sessions.end(session)
    assert not await sessions.check(session)
    assert await (await opened(journal)).check(session)
    broken.broken = False
    await sessions._tasks.settled()
    assert not await (await opened(journal)).check(session)


def test_guessing_waits_longer_each_time_and_a_right_password_ends_it() -> None:
    clock = Monotonic()
    attempts = Attempts(clock)
    for _ in range(4):
        attempts.failed("one")
    assert attempts.wait("one") == 0
    waits = []
    for _ in range(12):
        attempts.failed("one")
        waits.append(attempts.wait("one"))
    assert waits[:4] == [1, 2, 4, 8]
    assert max(waits) == 900
    assert attempts.wait("two") == 0
    clock.now += 900
    assert attempts.wait("one") == 0
    attempts.succeeded("one")
    attempts.failed("one")
    assert attempts.wait("one") == 0


def test_quiet_forgets_and_a_network_counts_as_one() -> None:
    clock = Monotonic()
    attempts = Attempts(clock)
    for last in range(200):
        attempts.failed(f"2001:db8::{last:x}")
    assert attempts.wait("2001:db8::ffff") > 8
    clock.now += 3600
    attempts.failed("2001:db8::1")
    assert attempts.wait("2001:db8::1") == 0


async def test_a_logout_releases_those_who_wait_for_it(journal: Journal) -> None:
    clock = lambda: datetime.now(UTC)  # noqa: E731
    one, other = await opened(journal, clock), await opened(journal, clock)
    session = await one.begin()
    key = await other.check(session)
    assert key
    waiting = asyncio.create_task(one.over(key))
    await asyncio.sleep(0)
    assert not waiting.done()
    await one.end(session)
    await waiting


def test_many_addresses_are_slowed_down_together_in_bounded_memory() -> None:
    attempts = Attempts(Monotonic())
    for number in range(2000):
        attempts.failed(str(number))
    assert 0 < attempts.wait("another") <= 8
    assert len(attempts._failures) <= 1000


async def joined(people: People, name: str, role: Role) -> Person:
    _, code = await people.invite(name, role, Caps(), PAGE)
    return await people.join(code, "$hash")


async def test_a_persons_session_says_who_they_are_until_their_role_changes(journal: Journal) -> None:
    people = await people_of(journal)
    ana, ben = await joined(people, "Ana", Role.LISTENER), await joined(people, "Ben", Role.OWNER)
    sessions = await opened(journal, people=people)
    anas, bens = await sessions.check(await sessions.begin(ana.login)), await sessions.check(await sessions.begin(ben.login))
    assert anas
    assert bens
    assert (sessions.client_of(anas).name, sessions.client_of(anas).scopes) == ("Ana", frozenset({Scope.READ, Scope.LISTEN}))
    over = asyncio.create_task(sessions.over(anas))
    await people.change(ana.id, sessions.client_of(bens), role=Role.OWNER)
    with pytest.raises(Unauthorized):
        sessions.client_of(anas)  # at once: the page may still be open
    await asyncio.wait_for(over, HANG_S)
    assert not await sessions.lives(anas)
    assert await sessions.lives(bens)
    await sessions.aclose()


@pytest.mark.parametrize("end", ["disable", "remove", "role", "password"])
async def test_a_persons_sessions_end_in_every_process(url: str, end: str) -> None:
    journals = [await open_journal(url, now=Clock()) for _ in range(2)]
    here, there = [await people_of(journal) for journal in journals]
    ana = await joined(here, "Ana", Role.CALLER)
    await joined(here, "Ben", Role.OWNER)
    sessions = [await opened(journal, people=people) for journal, people in zip(journals, (here, there), strict=True)]
    session = await sessions[0].begin(ana.login)
    key = await sessions[1].check(session)  # the other process may not have read that Ana was added
    assert key
    over = asyncio.create_task(sessions[1].over(key))
    match end:
        case "disable":
            await here.change(ana.id, PAGE, disabled=True)
        case "remove":
            await here.remove(ana.id, PAGE)
        case "role":
            await here.change(ana.id, PAGE, role=Role.VIEWER)
        case "password":
            await here.join(await here.invite_again(ana.id, PAGE), "$other")
    await asyncio.wait_for(over, HANG_S)
    assert not await sessions[1].check(session)
    for each in sessions:
        await each.aclose()
    for journal in journals:
        await journal.aclose()


async def test_without_a_password_nobody_keeps_the_session_of_whoever_knew_it(journal: Journal) -> None:
    session = await (await opened(journal, password="")).begin()
    assert not await (await opened(journal, password="")).check(session)
