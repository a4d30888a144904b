"""Events on their way to receivers that fail, hang or are gone, and processes that stop in between."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.domain.call import Call, CallStatus
from services.domain.client import PAGE, Scope
from services.domain.errors import Forbidden, JournalError
from services.journal import Delivery, DeliveryState, Endpoint, EventKind, Journal
from services.webhooks_out.deliveries import GIVE_UP, PAUSES_S, Deliveries
from services.webhooks_out.endpoints import Endpoints
from tests.journal.conftest import execute
from tests.journals import open_journal
from tests.webhooks_out.receiver import Receiver, eventually, receiving, sender

AT = datetime(2026, 9, 1, 10, tzinfo=UTC)


async def body(event: Delivery) -> str:
    return json.dumps({"type": event.kind, "data": {"id": event.call_id}})


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = await open_journal(tmp_path / "journal.sqlite")
    yield journal
    await journal.aclose()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


async def added(journal: Journal, receiver: Receiver, *kinds: EventKind) -> Endpoint:
    endpoint = await Endpoints(journal.outbox, sender()).add(receiver.url, kinds, PAGE)
    receiver.secret = endpoint.secret
    return endpoint


@asynccontextmanager
async def delivering(
    journal: Journal, pauses_s: tuple[float, ...] = (0.0,), body: Callable[[Delivery], Awaitable[str]] = body, **sends: Any
) -> AsyncIterator[Deliveries]:
    deliveries = Deliveries(journal.outbox, body=body, sender=sender(**sends), pauses_s=pauses_s)
    deliveries.start()
    try:
        yield deliveries
    finally:
        await deliveries.aclose()


async def live(journal: Journal, *call_ids: str) -> None:
    """Calls from their beginning to their end."""
    for status in (CallStatus.QUEUED, CallStatus.RINGING, CallStatus.IN_PROGRESS, CallStatus.ENDED):
        for call_id in call_ids:
            await journal.save(Call(id=call_id, status=status, to="+14155552671", created_at=AT))


LIFE = ["call.created", "call.status", "call.status", "call.ended"]


async def state(journal: Journal, endpoint: Endpoint) -> list[DeliveryState]:
    return [sent.state for sent in await journal.outbox.deliveries(endpoint.id)]


@pytest.mark.slow
async def test_each_event_comes_once_in_order_and_signed(journal: Journal, receiver: Receiver) -> None:
    endpoint = await added(journal, receiver)
    await live(journal, "one", "two")
    async with delivering(journal):
        await eventually(lambda: state(journal, endpoint), [DeliveryState.DELIVERED] * 8)
    assert receiver.of_calls() == {"one": LIFE, "two": LIFE}
    assert len(receiver.requests) == 8


async def test_an_endpoint_gets_the_events_that_it_asked_for(journal: Journal, receiver: Receiver) -> None:
    endpoint = await added(journal, receiver, EventKind.ENDED)
    await live(journal, "one")
    async with delivering(journal):
        await eventually(lambda: state(journal, endpoint), [DeliveryState.DELIVERED])
    assert receiver.of_calls() == {"one": ["call.ended"]}


@pytest.mark.slow
async def test_what_fails_is_sent_again_and_holds_up_only_its_own_call(journal: Journal, receiver: Receiver) -> None:
    endpoint = await added(journal, receiver)
    failures = iter([500, 302, None, 429])
    receiver.status = lambda event: next(failures, 200) if event["data"]["id"] == "one" else 200
    await live(journal, "one", "two")
    async with delivering(journal, patience_s=0.2):
        await eventually(lambda: state(journal, endpoint), [DeliveryState.DELIVERED] * 8)
    assert receiver.of_calls() == {"one": LIFE, "two": LIFE}
    first_of_one = next(id_ for id_, event in receiver.requests if event["data"]["id"] == "one")
    assert [id_ for id_, _ in receiver.requests].count(first_of_one) == 5  # the same id each time


async def test_a_pause_is_kept_and_said(journal: Journal, receiver: Receiver) -> None:
    endpoint = await added(journal, receiver)
    receiver.status = 503
    await journal.save(Call(id="one", status=CallStatus.QUEUED, created_at=AT))
    async with delivering(journal, PAUSES_S):
        await receiver.until(lambda: len(receiver.requests) == 1)
        await eventually(lambda: attempts(journal, endpoint), [1])
    sent = (await journal.outbox.deliveries(endpoint.id))[0]
    assert (sent.state, sent.status, sent.attempts) == (DeliveryState.WAITING, 503, 1)
    assert sent.next_at
    assert (sent.next_at - sent.since).total_seconds() >= 3.9


async def test_an_unforeseen_error_of_sending_is_an_attempt_that_failed(
    journal: Journal, receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> int:
        raise AssertionError(receiver.url)

    endpoint = await added(journal, receiver)
    await journal.save(Call(id="one", status=CallStatus.QUEUED, created_at=AT))
    async with delivering(journal, PAUSES_S) as deliveries:
        monkeypatch.setattr(deliveries._sender, "post", fail)
        await eventually(lambda: attempts(journal, endpoint), [1])
    sent = (await journal.outbox.deliveries(endpoint.id))[0]
    assert (sent.state, sent.problem) == (DeliveryState.WAITING, "unreachable")
    assert "could not be sent (AssertionError)" in caplog.text
    assert receiver.url not in caplog.text


@pytest.mark.slow
async def test_an_event_whose_body_cannot_be_made_fails_and_holds_up_nothing(
    journal: Journal, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(event: Delivery) -> str:
        if event.kind is EventKind.STATUS:
            raise ValueError("odd")
        return await body(event)

    endpoint = await added(journal, receiver)
    await live(journal, "one", "two")
    async with delivering(journal, body=broken):
        await eventually(lambda: waiting(journal, endpoint), 0)
    assert receiver.of_calls() == {"one": ["call.created", "call.ended"], "two": ["call.created", "call.ended"]}
    failed = [sent for sent in await journal.outbox.deliveries(endpoint.id) if sent.state is DeliveryState.FAILED]
    assert [(sent.kind, sent.problem) for sent in failed] == [(EventKind.STATUS, "no_body")] * 4
    assert caplog.text.count("ValueError: odd") == 4


@pytest.mark.slow
async def test_an_event_waits_while_the_journal_cannot_be_read_for_it(journal: Journal, receiver: Receiver) -> None:
    outages = iter([True])

    async def unread(event: Delivery) -> str:
        if event.call_id == "one" and next(outages, False):
            raise JournalError("The database is gone.")
        return await body(event)

    endpoint = await added(journal, receiver)
    await live(journal, "one", "two")
    async with delivering(journal, body=unread):
        await eventually(lambda: waiting(journal, endpoint), 0)
    assert receiver.of_calls() == {"one": LIFE, "two": LIFE}
    assert len(receiver.requests) == 8


async def waiting(journal: Journal, endpoint: Endpoint) -> int:
    return next(known.waiting for known in await journal.outbox.endpoints() if known.id == endpoint.id)


async def attempts(journal: Journal, endpoint: Endpoint) -> list[int]:
    return [sent.attempts for sent in await journal.outbox.deliveries(endpoint.id)]


@pytest.mark.slow
async def test_after_a_day_the_next_failure_is_the_last_and_what_follows_goes_on(
    journal: Journal, receiver: Receiver, tmp_path: Path
) -> None:
    endpoint = await added(journal, receiver)
    receiver.status = lambda event: 500 if event["type"] == "call.created" else 200
    await live(journal, "one")
    day_ms = int(GIVE_UP.total_seconds() * 1000)
    older = f"UPDATE earshot_outbox SET since = since - {day_ms} WHERE kind = 'call.created'"  # noqa: S608
    await execute(f"sqlite:///{tmp_path}/journal.sqlite", older)
    async with delivering(journal):
        await eventually(lambda: state(journal, endpoint), [*[DeliveryState.DELIVERED] * 3, DeliveryState.FAILED])
    assert receiver.of_calls() == {"one": LIFE[1:]}
    receiver.status = 200
    failed = (await journal.outbox.deliveries(endpoint.id))[-1]
    await Endpoints(journal.outbox, sender()).again(endpoint.id, failed.id, PAGE)
    async with delivering(journal):
        await eventually(lambda: state(journal, endpoint), [DeliveryState.DELIVERED] * 4)
    assert receiver.taken[-1][1]["type"] == "call.created"
    assert [row.action for row in await journal.audit()] == ["send-again", "add-webhook"]


@pytest.mark.slow
async def test_after_a_day_of_outage_each_event_has_attempts_of_its_own(journal: Journal, receiver: Receiver, tmp_path: Path) -> None:
    """What waited behind the first event of its call for a day is not lost to the next fault."""
    endpoint = await added(journal, receiver)
    faults = iter([500, 500, 500, 500])
    receiver.status = lambda event: 500 if event["type"] == "call.created" else next(faults, 200)
    await live(journal, "one")
    day_ms = int(GIVE_UP.total_seconds() * 1000)
    await execute(f"sqlite:///{tmp_path}/journal.sqlite", f"UPDATE earshot_outbox SET since = since - {day_ms}")  # noqa: S608
    async with delivering(journal):
        await eventually(lambda: state(journal, endpoint), [*[DeliveryState.DELIVERED] * 3, DeliveryState.FAILED])
    assert receiver.of_calls() == {"one": LIFE[1:]}
    assert await attempts(journal, endpoint) == [1, 1, 5, 1]


async def test_who_may_not_manage_webhooks_changes_none(journal: Journal, receiver: Receiver) -> None:
    endpoint, endpoints = await added(journal, receiver), Endpoints(journal.outbox, sender())
    reader = replace(PAGE, name="reader", scopes=frozenset({Scope.READ}))
    blind = replace(PAGE, name="blind", scopes=frozenset({Scope.MANAGE}))
    for refused in (
        *(endpoints.add(receiver.url, (), client) for client in (reader, blind)),
        *(endpoints.choose(endpoint.id, (), client) for client in (reader, blind)),
        *(change(endpoint.id, reader) for change in (endpoints.remove, endpoints.enable, endpoints.disable)),
        endpoints.again(endpoint.id, 1, reader),
    ):
        with pytest.raises(Forbidden):
            await refused
    assert [known.id for known in await endpoints.all()] == [endpoint.id]


@pytest.mark.slow
async def test_410_disables_an_endpoint_until_it_is_enabled_again(journal: Journal, receiver: Receiver) -> None:
    endpoint = await added(journal, receiver)
    receiver.status = 410
    await live(journal, "one")
    endpoints = Endpoints(journal.outbox, sender())

    async def disabled() -> bool:
        return (await endpoints.get(endpoint.id)).disabled_at is not None

    async with delivering(journal):
        await eventually(disabled, True)
        receiver.status = 200
        await live(journal, "two")
        assert len(receiver.requests) == 1
        await endpoints.enable(endpoint.id, PAGE)
        await eventually(lambda: state(journal, endpoint), [DeliveryState.DELIVERED] * 4)
    assert receiver.of_calls() == {"one": LIFE}


@pytest.mark.slow
async def test_a_process_that_stops_in_between_loses_nothing(journal: Journal, receiver: Receiver, tmp_path: Path) -> None:
    endpoint = await added(journal, receiver)
    receiver.status = None
    await live(journal, "one")
    async with delivering(journal):
        await receiver.until(lambda: len(receiver.requests) == 1)
    receiver.status = 200
    other = await open_journal(tmp_path / "journal.sqlite")
    async with delivering(other):
        await eventually(lambda: state(journal, endpoint), [DeliveryState.DELIVERED] * 4)
    await other.aclose()
    assert receiver.of_calls() == {"one": LIFE}
