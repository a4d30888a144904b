"""One process records a call, and another takes over when it is gone."""

from tests.journal.conftest import Open, execute


async def grow_old(url: str) -> None:
    """As if nobody had renewed anything for 6 seconds."""
    await execute(url, "UPDATE earshot_leases SET renewed_at = renewed_at - 6001")


async def test_a_lease_has_one_holder_until_it_is_released(open_journal: Open) -> None:
    one, other = await open_journal(), await open_journal()
    assert await one.take_lease("call")
    assert await one.take_lease("call")
    assert not await other.take_lease("call")
    await other.release_lease("call")
    assert not await other.take_lease("call")
    await one.release_lease("call")
    assert await other.take_lease("call")


async def test_a_lease_that_nobody_renews_is_taken_over_and_its_holder_learns_of_it(open_journal: Open, url: str) -> None:
    one, other = await open_journal(), await open_journal()
    for call_id in ("kept", "lost"):
        assert await one.take_lease(call_id)
    await grow_old(url)
    assert await one.renew_leases(["kept"]) == set()
    assert await other.stale_leases() == ["lost"]
    assert await other.take_lease("lost")
    assert await other.stale_leases() == []
    assert await one.renew_leases(["kept", "lost"]) == {"lost"}


async def test_a_process_that_stops_hands_its_leases_over_at_once(open_journal: Open) -> None:
    one, other = await open_journal(), await open_journal()
    assert await one.take_lease("call")
    await one.hand_over_leases()
    assert await other.stale_leases() == ["call"]
    assert await other.take_lease("call")
