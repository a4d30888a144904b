"""A call that was lost and not found holds its slot until the clock proves that it is over, whatever restarts in between."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.desk.desk import CallDesk
from services.desk.placing import lost_call, placing
from services.domain.call import NEVER_FOUND, Call, CallStatus
from services.domain.client import LOCAL
from services.domain.errors import LimitReached
from services.vapi.ended_reasons import why_ended
from tests.desks import desk_at
from tests.stand_in import StandIn

NUMBER = "+14155552671"


@pytest.fixture
def vapi(vapi: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    monkeypatch.setattr(lost_call, "_PAUSES", (0.0,))
    monkeypatch.setattr(placing, "_SEARCH_PATIENCE", 0.1)
    vapi.answer = "drop"
    return vapi


async def place(desk: CallDesk, earliest_at: datetime | None = None) -> None:
    await desk.place(desk.order(NUMBER, earliest_at=earliest_at), LOCAL, allow_duplicate=True)


@pytest.mark.slow
async def test_it_is_held_over_a_restart(vapi: StandIn, tmp_path: Path, url: str) -> None:
    async with desk_at(vapi.url, tmp_path, journal_at=url, concurrent_calls=1) as desk:
        await place(desk)
        with pytest.raises(LimitReached):
            await place(desk)
    for _ in range(2):
        async with desk_at(vapi.url, tmp_path, journal_at=url, concurrent_calls=1) as desk:
            with pytest.raises(LimitReached):
                await place(desk)
    assert vapi.dials == 1


@pytest.mark.parametrize(("in_", "held"), [(None, False), (timedelta(days=2), True)])
async def test_it_is_free_when_the_call_must_be_over_and_not_before_it_begins(
    vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_: timedelta | None, held: bool
) -> None:
    """A call that is scheduled holds the slot of its own time."""
    monkeypatch.setattr(placing, "LATE", timedelta(seconds=-600))  # as if the longest that a call may last had passed
    async with desk_at(vapi.url, tmp_path, concurrent_calls=1) as desk:
        at = datetime.now(UTC) + in_ if in_ else None
        await place(desk, at)
        if held:
            with pytest.raises(LimitReached):
                await place(desk, at)
        else:
            await place(desk, at)
        assert vapi.dials == (1 if held else 2)


@pytest.mark.slow
async def test_a_lost_call_ends_as_never_found_once_its_longest_time_is_over(
    vapi: StandIn, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "LATE", timedelta(seconds=-600))
    async with desk_at(vapi.url, tmp_path, journal_at=url, concurrent_calls=1) as desk:
        changes: list[Call] = []
        desk.changed.subscribe(changes.append)
        await place(desk)
        assert [call.status for call in changes] == [CallStatus.UNKNOWN, CallStatus.ENDED]
        assert desk.running == 0
        reason = why_ended(changes[-1])
        assert reason
        assert reason.code == NEVER_FOUND
    async with desk_at(vapi.url, tmp_path, journal_at=url, concurrent_calls=1) as desk:
        [past] = await desk.page_of_calls(statuses=[CallStatus.ENDED])
        assert (past.id, past.ended_reason) == (changes[-1].id, NEVER_FOUND)
        assert await desk.page_of_calls(statuses=[CallStatus.UNKNOWN]) == []


async def test_it_is_held_for_as_long_as_its_own_order_may_last(vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "LATE", timedelta(seconds=-600))
    async with desk_at(vapi.url, tmp_path, concurrent_calls=1) as desk:
        longer = replace(desk.order(NUMBER), max_duration_seconds=1800)  # as before a restart with another EARSHOT_MAX_CALL_SECONDS
        await desk.place(longer, LOCAL)
        with pytest.raises(LimitReached):
            await place(desk)
