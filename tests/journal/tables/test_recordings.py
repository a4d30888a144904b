"""One process records a call and another takes over when it is gone; all of them know what is recorded, kept and deleted."""

import asyncio

import pytest

from services.journal import Lease, RecordingState
from services.journal.recordings import RecordingsJournal
from tests.journal.conftest import Open, an_order, execute
from tests.journal.processes.test_processes import let_20_seconds_pass
from tests.patience import HANG_S


async def journals(open_journal: Open) -> tuple[RecordingsJournal, RecordingsJournal]:
    return (await open_journal()).recordings, (await open_journal()).recordings


async def grow_old(url: str) -> None:
    """As if nobody had renewed anything for 6 seconds."""
    await execute(url, "UPDATE earshot_recordings SET renewed_at = renewed_at - 6001")


async def state_of(journal: RecordingsJournal, call_id: str = "call") -> RecordingState | None:
    return next((state for state in await journal.known() if state.call_id == call_id), None)


async def test_a_lease_has_one_holder_until_it_is_released(open_journal: Open) -> None:
    one, other = await journals(open_journal)
    assert await one.take_lease("call") == Lease()
    assert await one.take_lease("call") == Lease()
    assert await other.take_lease("call") is None
    await other.release_lease("call")
    assert await other.take_lease("call") is None
    await one.release_lease("call")
    assert await other.take_lease("call") == Lease()


async def test_a_lease_that_nobody_renews_is_taken_over_and_its_holder_learns_of_it(open_journal: Open, url: str) -> None:
    one, other = await journals(open_journal)
    for call_id in ("kept", "lost"):
        assert await one.take_lease(call_id)
    await grow_old(url)
    assert await one.renew_leases({"kept": None}) == set()
    assert await other.stale_leases() == ["lost"]
    assert await other.take_lease("lost")
    assert await other.stale_leases() == []
    assert await one.renew_leases({"kept": None, "lost": None}) == {"lost"}


async def test_who_takes_over_learns_since_when_there_was_sound(open_journal: Open, url: str) -> None:
    one, other = await journals(open_journal)
    await one.take_lease("call")
    await one.renew_leases({"call": None})
    await one.renew_leases({"call": 1_764_000_000_000})
    await one.renew_leases({"call": 1_764_000_009_999})
    await grow_old(url)
    assert await other.take_lease("call") == Lease(missing_from_ms=1_764_000_000_000)
    await other.release_lease("call")
    assert await one.take_lease("call") == Lease(), "whoever stops and starts again has a new recording, with nothing missing from it"


async def test_the_process_that_placed_a_call_may_record_it_first_while_it_lives(open_journal: Open, url: str) -> None:
    placer, other = await open_journal(), await open_journal()
    order = an_order()
    await placer.begin(order, client="shop")
    assert await other.recordings.take_lease("one", unasked=True, leave_to_placer_of=order.tag) is None
    assert await placer.recordings.take_lease("one", unasked=True, leave_to_placer_of=order.tag) == Lease()
    await placer.recordings.release_lease("one")
    assert await other.recordings.take_lease("one", unasked=True, leave_to_placer_of=order.tag) == Lease(), "it has had its turn"
    assert await other.recordings.take_lease("two", leave_to_placer_of="of nobody") == Lease()
    assert await other.recordings.take_lease("three", leave_to_placer_of=order.tag) is None
    await placer.aclose()
    await let_20_seconds_pass(url)
    assert await other.recordings.take_lease("three", leave_to_placer_of=order.tag) == Lease()


async def test_a_process_that_stops_hands_its_leases_over_at_once(open_journal: Open) -> None:
    one, other = await journals(open_journal)
    assert await one.take_lease("call")
    await one.hand_over_leases()
    assert await other.stale_leases() == ["call"]
    assert await other.take_lease("call")


async def test_a_recording_that_somebody_stopped_is_started_again_only_when_asked_for(open_journal: Open, url: str) -> None:
    one, other = await journals(open_journal)
    await one.take_lease("call")
    await other.switch_off("call")
    state = await state_of(one)
    assert state is not None
    assert (state.recorder, state.switched_off) == (one.instance, True)
    await grow_old(url)  # its process died before it heard of that
    assert await other.take_lease("call", unasked=True) is None
    assert await other.stale_leases() == []
    assert await other.take_lease("call") == Lease()
    state = await state_of(other)
    assert state is not None
    assert (state.recorder, state.switched_off) == (other.instance, False)


async def test_a_part_that_is_reported_after_its_deletion_is_not_kept(open_journal: Open) -> None:
    one, other = await journals(open_journal)
    await one.keep("call", began_ms=1_000, stored=True)
    await other.delete("call", at_ms=5_000)
    await one.keep("call", began_ms=4_999, stored=True)
    state = await state_of(one)
    assert state is not None
    assert (state.stored, state.deleted_at_ms, state.swept) == (False, 5_000, False)
    await other.sweep("call", at_ms=4_000)
    assert await state_of(one) == state
    await other.sweep("call", at_ms=5_000)
    assert await state_of(one) is None
    await one.keep("call", began_ms=5_000, stored=True)
    state = await state_of(other)
    assert state is not None
    assert (state.stored, state.swept) == (True, True)


async def test_what_was_recorded_is_unstored_until_it_is_stored_or_deleted(open_journal: Open) -> None:
    one, other = await journals(open_journal)
    assert not (await other.state("call")).unstored
    await one.take_lease("call")
    await one.keep("call", began_ms=1_000)
    assert not (await other.state("call")).unstored, "it is being recorded"
    await one.release_lease("call")
    assert not (await other.state("call")).unstored, "the recording that ended had no sound"
    await one.keep("call", began_ms=1_000)
    assert (await other.state("call")).unstored
    await one.keep("call", began_ms=1_000, stored=True)
    assert not (await other.state("call")).unstored
    await other.delete("call", at_ms=5_000)
    assert not (await other.state("call")).unstored
    await one.keep("call", began_ms=6_000)
    assert (await other.state("call")).unstored


@pytest.mark.slow
async def test_what_one_process_does_to_a_recording_the_other_hears(open_journal: Open) -> None:
    one, other = await journals(open_journal)
    heard: asyncio.Queue[RecordingState] = asyncio.Queue()
    await other.follow(heard.put_nowait)

    async def next_state() -> RecordingState:
        async with asyncio.timeout(HANG_S):
            return await heard.get()

    await one.take_lease("call")
    assert (await next_state()).recorder == one.instance
    await one.renew_leases({"call": 5})
    assert (await next_state()).heard_from_ms == 5
    await one.renew_leases({"call": 5})
    await one.switch_off("call")
    assert (await next_state()).switched_off, "a renewal without news is nothing to hear of"
    await one.release_lease("call")
    assert (await next_state()).recorder == ""
    await one.keep("call", began_ms=1, stored=False)
    assert not (await next_state()).stored
    await one.keep("call", began_ms=1, stored=True)
    assert (await next_state()).stored
    await one.deleted("call", at_ms=2)
    assert (await next_state()).deleted_at_ms == 2
