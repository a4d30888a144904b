"""What endpoints are to be sent, and who sends it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy.dialects import sqlite

from services.domain.alert import Alert
from services.domain.call import Call, CallStatus, CostItem, Erasure
from services.domain.rule import Effect, Rule, RuleKind
from services.domain.transcript import Line
from services.journal import AuditRow, DeliveryState, Endpoint, EventKind, Journal
from services.journal.outbox import MOST, Attempt
from services.journal.tables import endpoints, turns
from tests.journal.conftest import Open, execute

AT = datetime(2026, 9, 1, 10, tzinfo=UTC)
ROW = AuditRow(at=AT, who="page", action="add-webhook", outcome="done")
CALL = Call(id="one", status=CallStatus.QUEUED, to="+14155552671", customer_name="Dana", tag="tag", created_at=AT)
LINES = [Line(key=1, speaker="customer", text="Hello?", at=AT, final=True)]


async def add(journal: Journal, id_: str = "crm", *kinds: EventKind) -> bool:
    return await journal.outbox.add(Endpoint(id=id_, url="https://crm.example/", secret="s", kinds=kinds, made_at=AT, made_by="page"), ROW)


async def events(journal: Journal, endpoint: str = "crm") -> list[tuple[str, str]]:
    """The kinds of the events, and the calls that they are about."""
    return [(sent.kind.value, sent.call_id) for sent in reversed(await journal.outbox.deliveries(endpoint))]


async def test_each_change_of_a_call_is_an_event_once(journal: Journal) -> None:
    await journal.save(replace(CALL, id="before", tag="before"))  # when there was no endpoint
    await add(journal)
    ended = replace(CALL, status=CallStatus.ENDED, ended_reason="customer-ended-call")
    priced = replace(ended, cost=0.1, costs=(CostItem(kind="vapi", dollars=0.1),))
    for call in (
        CALL,
        CALL,
        replace(CALL, status=CallStatus.RINGING),
        replace(CALL, status=CallStatus.RINGING),
        ended,
        ended,
        priced,
        priced,
    ):
        await journal.save(call)
    for _ in range(2):
        await journal.save_transcript("one", LINES)
        await journal.recordings.keep("one", began_ms=1)
    await journal.recordings.keep("one", began_ms=1, stored=True)
    await journal.recordings.keep("one", began_ms=2)
    await journal.save_transcript("one", [*LINES, replace(LINES[0], key=2)])
    assert [kind for kind, _ in await events(journal)] == [
        *("call.created", "call.status", "call.ended", "call.updated", "call.transcript", "call.recording", "call.recording"),
        "call.transcript",
    ]
    first = (await journal.outbox.deliveries("crm"))[-1]
    assert (first.call, first.state) == (CALL, DeliveryState.WAITING)


async def test_a_call_that_is_first_seen_ended_has_both_events(journal: Journal) -> None:
    await add(journal)
    await journal.save(replace(CALL, status=CallStatus.ENDED))
    assert await events(journal) == [("call.created", "one"), ("call.ended", "one")]


async def test_a_call_that_is_found_goes_on_with_the_events_of_the_unknown_one(journal: Journal) -> None:
    await add(journal)
    await journal.save(replace(CALL, id="unknown-tag", status=CallStatus.UNKNOWN))
    assert await events(journal) == [("call.created", "unknown-tag")]
    await journal.save(CALL)
    assert await events(journal) == [("call.created", "one"), ("call.status", "one")]


async def test_each_endpoint_gets_the_kinds_that_it_wants_and_none_while_it_is_disabled(journal: Journal, url: str) -> None:
    await add(journal)
    await add(journal, "ends", EventKind.ENDED, EventKind.ERASED)
    await add(journal, "gone")
    await execute(url, "UPDATE earshot_endpoints SET disabled_at = 1 WHERE id = 'gone'")
    await journal.save(replace(CALL, status=CallStatus.ENDED))
    assert [len(await events(journal, name)) for name in ("crm", "ends", "gone")] == [2, 1, 0]
    assert [endpoint.waiting for endpoint in await journal.outbox.endpoints()] == [2, 1, 0]


async def test_there_are_not_endlessly_many(journal: Journal) -> None:
    assert [await add(journal, f"{number}") for number in range(MOST + 1)] == [True] * MOST + [False]


async def test_what_is_erased_of_a_call_is_erased_of_its_events(journal: Journal) -> None:
    await add(journal)
    await journal.save(replace(CALL, status=CallStatus.ENDED))
    note = AuditRow(at=AT, who="page", action="delete-data", call_id="one", outcome="asked")
    await journal.erasures.begin(replace(CALL, status=CallStatus.ENDED), Erasure(asked_at=AT, by="page"), note)
    sent = await journal.outbox.deliveries("crm")
    assert [event.kind.value for event in sent] == ["call.erased", "call.ended", "call.created"]
    assert {(event.call.to, event.call.customer_name) for event in sent if event.call} == {(None, None)}


async def test_an_alert_is_an_event_once_and_is_gone_with_the_data_of_its_call(journal: Journal) -> None:
    await add(journal)
    await journal.save(CALL)
    loud, quiet = (Rule(id=name, kind=RuleKind.COST, effects=frozenset(effects)) for name, effects in (("a", [Effect.WEBHOOK]), ("b", [])))
    for rule in (loud, quiet, loud):
        await journal.alerts.add(Alert(call_id="one", rule=rule, at=AT, amount=0.2))
    [alert] = [event for event in await journal.outbox.deliveries("crm") if event.kind is EventKind.ALERT]
    assert (alert.call, alert.alert) == (None, Alert(call_id="one", rule=loud, at=AT, amount=0.2))
    await journal.outbox.hold("crm")
    [created] = (await journal.outbox.next_events("crm", 8))[1]
    await journal.save(replace(CALL, status=CallStatus.ENDED))
    await journal.outbox.settle(Attempt(delivery_id=created.id, endpoint="crm", state=DeliveryState.DELIVERED, status=200))
    assert (await journal.outbox.next_events("crm", 8))[1][0].alert == alert.alert
    note = AuditRow(at=AT, who="page", action="delete-data", call_id="one", outcome="asked")
    await journal.erasures.begin(replace(CALL, status=CallStatus.ENDED), Erasure(asked_at=AT, by="page"), note)
    assert [kind for kind, _ in await events(journal)] == ["call.created", "call.ended", "call.erased"]
    assert [event.kind.value for event in (await journal.outbox.next_events("crm", 8))[1]] == ["call.ended"], "it is its turn now"


async def test_one_process_at_a_time_sends_to_an_endpoint(open_journal: Open, url: str) -> None:
    one, other = await open_journal(), await open_journal()
    await add(one)
    await one.save(CALL)
    assert await other.outbox.due() == ["crm"]
    assert await one.outbox.hold("crm")
    assert (await other.outbox.due(), await other.outbox.hold("crm")) == ([], False)
    assert await other.outbox.next_events("crm", 8) == (None, [])
    await execute(url, "UPDATE earshot_endpoints SET renewed_at = renewed_at - 10001")  # the holder is gone
    assert (await other.outbox.due(), await other.outbox.hold("crm")) == (["crm"], True)
    _, found = await other.outbox.next_events("crm", 8)
    late = Attempt(delivery_id=found[0].id, endpoint="crm", state=DeliveryState.DELIVERED, status=200)
    await one.outbox.settle(late)  # whose outcome no longer counts
    assert len((await other.outbox.next_events("crm", 8))[1]) == 1
    await other.outbox.settle(late)
    assert (await other.outbox.next_events("crm", 8))[1] == []
    await other.outbox.release("crm")
    assert await one.outbox.hold("crm")


async def test_of_each_call_the_oldest_event_comes_first(journal: Journal) -> None:
    await add(journal)
    for id_ in ("one", "two"):
        await journal.save(replace(CALL, id=id_, tag=id_, status=CallStatus.ENDED))
    await journal.outbox.hold("crm")
    _, found = await journal.outbox.next_events("crm", 8)
    assert [(event.kind, event.call_id) for event in found] == [(EventKind.CREATED, "one"), (EventKind.CREATED, "two")]
    await journal.outbox.settle(Attempt(delivery_id=found[0].id, endpoint="crm", state=DeliveryState.DELIVERED, status=200))
    waits = Attempt(delivery_id=found[1].id, endpoint="crm", state=DeliveryState.WAITING, status=500, again_ms=60_000)
    await journal.outbox.settle(waits)
    _, found = await journal.outbox.next_events("crm", 8)
    assert [(event.kind, event.call_id) for event in found] == [(EventKind.ENDED, "one")]


async def test_an_endpoint_is_not_due_while_each_of_its_calls_waits_for_its_next_attempt(journal: Journal, url: str) -> None:
    await add(journal)
    await journal.save(replace(CALL, status=CallStatus.ENDED))
    await journal.outbox.hold("crm")
    _, found = await journal.outbox.next_events("crm", 8)
    later = Attempt(delivery_id=found[0].id, endpoint="crm", state=DeliveryState.WAITING, status=500, again_ms=60_000)
    await journal.outbox.settle(later)
    assert await journal.outbox.due() == []
    await execute(url, "UPDATE earshot_outbox SET next_at = 0")
    assert await journal.outbox.due() == ["crm"]


async def test_the_events_of_an_unknown_call_follow_it_also_while_their_endpoint_is_disabled(journal: Journal, url: str) -> None:
    await add(journal)
    await journal.save(replace(CALL, id="unknown-tag", status=CallStatus.UNKNOWN))
    await execute(url, "UPDATE earshot_endpoints SET disabled_at = 1")
    await journal.save(CALL)
    assert await events(journal) == [("call.created", "one")]


async def test_an_endpoint_goes_with_its_events(journal: Journal) -> None:
    await add(journal)
    await journal.save(CALL)
    assert [await journal.outbox.remove("crm", ROW) for _ in range(2)] == [True, False]
    assert (await journal.outbox.endpoints(), await events(journal)) == ([], [])


async def test_an_event_that_is_sent_again_comes_before_the_later_ones_of_its_call(journal: Journal) -> None:
    await add(journal)
    await journal.save(CALL)
    await journal.outbox.hold("crm")
    [created] = (await journal.outbox.next_events("crm", 8))[1]
    await journal.outbox.settle(Attempt(delivery_id=created.id, endpoint="crm", state=DeliveryState.DELIVERED, status=200))
    await journal.save(replace(CALL, status=CallStatus.ENDED))
    await journal.outbox.again("crm", created.id, ROW)
    assert [event.kind for event in (await journal.outbox.next_events("crm", 8))[1]] == [EventKind.CREATED]
    assert [sent.next_at is None for sent in await journal.outbox.deliveries("crm")] == [True, False]
    await journal.outbox.settle(Attempt(delivery_id=created.id, endpoint="crm", state=DeliveryState.FAILED, status=500))
    assert [event.kind for event in (await journal.outbox.next_events("crm", 8))[1]] == [EventKind.ENDED]


async def test_events_that_an_older_process_wrote_are_lined_up(journal: Journal, url: str) -> None:
    await add(journal)
    await journal.save(replace(CALL, status=CallStatus.ENDED))
    await execute(url, "UPDATE earshot_outbox SET next_at = 1")
    await journal.forget_old()
    await journal.outbox.hold("crm")
    assert [event.kind for event in (await journal.outbox.next_events("crm", 8))[1]] == [EventKind.CREATED]


@pytest.mark.slow
async def test_a_receiver_that_never_answers_does_not_fill_the_disk(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(turns, "MOST_EVENTS", 3)
    monkeypatch.setattr(turns, "_BATCH", 2)
    journal = await open_journal()
    for name in ("crm", "other"):
        await add(journal, name)
    for number in range(4):
        await journal.save(replace(CALL, id=f"{number}", tag=None, status=CallStatus.ENDED))
    await journal.outbox.hold("other")
    for _ in range(2):
        for event in (await journal.outbox.next_events("other", 8))[1]:
            await journal.outbox.settle(Attempt(delivery_id=event.id, endpoint="other", state=DeliveryState.DELIVERED, status=200))
    await journal.forget_old()
    for name in ("crm", "other"):
        assert await events(journal, name) == [("call.ended", "2"), ("call.created", "3"), ("call.ended", "3")]
    assert [endpoint.waiting for endpoint in await journal.outbox.endpoints()] == [3, 0]
    await journal.outbox.hold("crm")
    assert len((await journal.outbox.next_events("crm", 8))[1]) == 2  # the end of a call whose beginning was deleted has its turn
    assert [record.getMessage() for record in caplog.records] == ["a webhook had more than 3 events; deleted 5 that were not sent yet"]


async def test_no_search_for_what_is_due_passes_over_what_waits_behind_it(journal: Journal, url: str) -> None:
    """100,000 events that wait are no more work than one."""
    if url.startswith("postgresql"):  # which plans by the number of rows
        assert await execute(url, "SELECT indexname FROM pg_indexes WHERE indexname = 'earshot_outbox_due'")
        return
    query = endpoints._ready("crm", 5, 8).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    plan = [row[3] for row in await execute(url, f"EXPLAIN QUERY PLAN {query}")]
    assert plan == ["SEARCH earshot_outbox USING INDEX earshot_outbox_due (endpoint=? AND next_at<?)"]  # and no sorting


async def test_live_figures_pile_up_for_no_receiver(journal: Journal) -> None:
    """One event is enough: it is sent with the latest figures."""
    await add(journal)
    await add(journal, "live", EventKind.MEASURES_LIVE)
    await journal.save(CALL)
    for _ in range(3):
        await journal.measures.save("one", "all", brief="{}")
    assert (await events(journal), await events(journal, "live")) == ([("call.created", "one")], [("call.measures.live", "one")])
    await journal.save(replace(CALL, status=CallStatus.ENDED))
    await journal.measures.save("one", "all", brief="{}", over=True)  # its event waits already
    assert (await events(journal))[1:] == [("call.ended", "one"), ("call.measures", "one")]
