"""What proves that a call is over when Vapi never shows its end, and how many requests watching scheduled calls takes."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.desk.calls import watcher
from services.desk.calls.proof import over, stuck
from services.desk.desk import CallDesk
from services.domain.call import GONE, TOO_OLD, Call, CallStatus
from services.domain.client import LOCAL
from tests.desks import desk_at
from tests.patience import HANG_S
from tests.stand_in import StandIn

NUMBER = "+14155552671"
NOW = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def a_call(status: CallStatus = CallStatus.IN_PROGRESS, **fields: object) -> Call:
    return Call(id="call", status=status, **{"created_at": NOW, "max_duration_seconds": 60} | fields)  # type: ignore[arg-type]


SCHEDULED = CallStatus.SCHEDULED


@pytest.mark.parametrize(
    ("call", "after", "gone", "reason"),
    [
        (a_call(), 12.9 * HOUR, False, None),
        (a_call(), 13.1 * HOUR, False, TOO_OLD),
        (a_call(), 20 * MINUTE, True, None),  # it may have begun late
        (a_call(), 32 * MINUTE, True, GONE),
        (a_call(started_at=NOW), 1.5 * MINUTE, True, None),
        (a_call(started_at=NOW), 3 * MINUTE, True, GONE),
        (a_call(started_at=NOW), 3 * MINUTE, False, None),
        (a_call(CallStatus.FORWARDING, started_at=NOW), HOUR, True, None),
        (a_call(max_duration_seconds=None), HOUR, True, None),
        (a_call(CallStatus.ENDED), 14 * HOUR, True, None),
        (a_call(SCHEDULED, earliest_at=NOW + 72 * HOUR), 14 * HOUR, False, None),
        (a_call(SCHEDULED, earliest_at=NOW + 72 * HOUR), 14 * HOUR, True, GONE),
        (a_call(SCHEDULED, earliest_at=NOW + HOUR), 61 * MINUTE, True, None),  # it may have begun in the meantime
        (a_call(SCHEDULED, earliest_at=NOW + 72 * HOUR), 86 * HOUR, False, TOO_OLD),
        (a_call(SCHEDULED), 14 * HOUR, False, None),
    ],
)
def test_what_proves_that_a_call_is_over(call: Call, after: timedelta, gone: bool, reason: str | None) -> None:
    assert over(call, NOW + after, gone=gone) == reason


def test_what_an_owner_may_want_to_free() -> None:
    assert not stuck(a_call(started_at=NOW), NOW + MINUTE)
    assert stuck(a_call(started_at=NOW), NOW + 3 * MINUTE)
    assert [stuck(a_call(CallStatus.UNKNOWN), NOW + minutes * MINUTE) for minutes in (9, 11)] == [False, True]
    assert not stuck(a_call(SCHEDULED, earliest_at=NOW), NOW + HOUR)
    assert not stuck(a_call(CallStatus.ENDED), NOW + HOUR)


@pytest.fixture
def vapi(vapi: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    for name, seconds in (("IDLE", 0.05), ("CALM", 0.05), ("SOON", 0.05), ("_NEVER_FASTER", 0.01), ("_REST", 0), ("_WIDE_EVERY", 0.1)):
        monkeypatch.setattr(watcher, name, seconds)
    return vapi


async def until_ended(desk: CallDesk, call_id: str) -> Call:
    async with asyncio.timeout(HANG_S):
        while (call := desk.get(call_id)) is None or call.running:  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.01)
    return call


@pytest.mark.slow
async def test_a_scheduled_call_that_was_deleted_at_vapi_vanishes(vapi: StandIn, tmp_path: Path, url: str) -> None:
    async with desk_at(vapi.url, tmp_path, journal_at=url, concurrent_calls=1) as desk:
        placed = await desk.place(desk.order(NUMBER, earliest_at=datetime.now(UTC) + timedelta(days=3)), LOCAL)
        assert placed.call.status is SCHEDULED
        del vapi.calls[placed.call.id]
        assert (await until_ended(desk, placed.call.id)).ended_reason == GONE
        assert await desk.page_of_calls(statuses=[SCHEDULED]) == []


@pytest.mark.slow
async def test_a_call_that_vapi_no_longer_knows_frees_its_slot_when_its_own_time_is_over(vapi: StandIn, tmp_path: Path, url: str) -> None:
    async with desk_at(vapi.url, tmp_path, journal_at=url, concurrent_calls=1) as desk:
        first = (await desk.place(desk.order(NUMBER, max_duration_seconds=60), LOCAL)).call
        vapi.move(first.id, "in-progress", startedAt=(datetime.now(UTC) - 3 * MINUTE).isoformat())
        async with asyncio.timeout(HANG_S):
            while not ((seen := desk.get(first.id)) and seen.answered):  # noqa: ASYNC110 - whenever it is
                await asyncio.sleep(0.01)
        del vapi.calls[first.id]
        await until_ended(desk, first.id)
        await desk.place(desk.order("+14155552672"), LOCAL)


async def test_a_call_of_yesterday_does_not_stay_in_memory(vapi: StandIn, tmp_path: Path) -> None:
    call_id = vapi.ring_in(NUMBER, createdAt=(datetime.now(UTC) - 14 * HOUR).isoformat(timespec="milliseconds").replace("+00:00", "Z"))
    async with desk_at(vapi.url, tmp_path, concurrent_calls=1) as desk:
        assert (await until_ended(desk, call_id)).ended_reason == TOO_OLD
        assert desk.running == 0


@pytest.mark.slow
async def test_a_scheduled_call_of_five_days_ago_is_not_watched_through_the_whole_list(vapi: StandIn, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    for minutes in range(600):
        call_id = vapi.schedule(NUMBER, created=now - timedelta(days=4, minutes=minutes), earliest=now)
        vapi.move(call_id, "ended", endedReason="customer-ended-call", updatedAt=vapi.calls[call_id]["createdAt"])
    old = vapi.schedule(NUMBER, created=now - timedelta(days=5), earliest=now + timedelta(days=1))
    async with desk_at(vapi.url, tmp_path, concurrent_calls=1) as desk:
        await desk.caught_up()
        desk.look(old)
        async with asyncio.timeout(HANG_S):
            while desk.get(old) is None:  # noqa: ASYNC110 - whenever it is
                await asyncio.sleep(0.01)
        vapi.requests.clear()
        async with asyncio.timeout(HANG_S):
            while vapi.requests["GET /call/{id}"] < 3:  # noqa: ASYNC110 - three wide reads, however long they take
                await asyncio.sleep(0.01)
        pages = vapi.requests["GET /call"]
        wide = vapi.requests["GET /call/{id}"]
        assert pages <= 3 * (wide + 1) + 3  # one page a tick, at most three ticks to a wide read; reading it all takes 25 pages
