"""Sessions end, and guessing is slowed down."""

import asyncio

from services.web.access.sessions import Attempts, Sessions


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_session_lasts_while_it_is_used_and_seven_days_at_most() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    session = sessions.begin()
    assert sessions.check(session)
    assert not sessions.check(session + "x")
    for _ in range(13):
        clock.now += 11 * 3600
        assert sessions.check(session)
    for _ in range(3):
        clock.now += 11 * 3600
    assert not sessions.check(session)
    other = sessions.begin()
    clock.now += 12 * 3600
    assert not sessions.check(other)


def test_a_session_that_was_ended_is_over_and_ids_are_kept_as_hashes() -> None:
    sessions = Sessions()
    session = sessions.begin()
    assert session.encode() not in sessions._sessions
    sessions.end(session)
    assert not sessions.check(session)


def test_there_are_never_more_than_a_thousand_sessions() -> None:
    sessions = Sessions()
    first = sessions.begin()
    for _ in range(1000):
        sessions.begin()
    assert len(sessions._sessions) == 1000
    assert not sessions.check(first)


def test_guessing_waits_longer_each_time_and_a_right_password_ends_it() -> None:
    clock = Clock()
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
    clock = Clock()
    attempts = Attempts(clock)
    for last in range(200):
        attempts.failed(f"2001:db8::{last:x}")
    assert attempts.wait("2001:db8::ffff") > 8
    clock.now += 3600
    attempts.failed("2001:db8::1")
    assert attempts.wait("2001:db8::1") == 0


async def test_a_logout_is_told_to_who_waits_for_it() -> None:
    sessions = Sessions()
    session = sessions.begin()
    waiting = asyncio.create_task(sessions.over(session))
    await asyncio.sleep(0)
    assert not waiting.done()
    sessions.end(session)
    await waiting


def test_many_addresses_are_slowed_down_together_in_bounded_memory() -> None:
    attempts = Attempts(Clock())
    for number in range(2000):
        attempts.failed(str(number))
    assert 0 < attempts.wait("another") <= 8
    assert len(attempts._failures) <= 1000
