"""What is deleted of a call is nowhere in the database afterwards, and comes back by no late fact."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.domain.alert import Alert
from services.domain.annotation import Annotations, Label, Note
from services.domain.call import Analysis, Call, CallStatus, CostItem, Erasure
from services.domain.errors import CallNotFound
from services.domain.rule import Rule, RuleKind
from services.domain.transcript import Line
from services.journal import AuditRow, Endpoint, Journal
from services.journal.records import Counted
from services.journal.tables.pruning import KEPT
from tests.journal.conftest import Clock, an_order, execute

SECRETS = (
    *("Dana", "Rex the dog", "Lead forty-two", "storage.vapi", "Hello Dana", "Fridays", "Rex bites", "has a dog"),
    *("whole figures", "figures in brief", "A ferocious dog", "777000"),
)
TABLES = ("dials", "calls", "transcripts", "measures", "audit", "states", "recordings", "erasures", "notes", "labels", "outbox", "alerts")
ORDER = an_order(name="Lead forty-two", first_message="Hello Dana", variable_values={"dog": "Rex the dog"})
CALL = Call(
    id="one",
    status=CallStatus.ENDED,
    to=ORDER.to,
    tag=ORDER.tag,
    name=ORDER.name,
    customer_name="Dana",
    created_at=datetime(2026, 9, 1, 10, tzinfo=UTC),
    ended_reason="customer-ended-call",
    summary="Dana moved it to Fridays.",
    analysis=Analysis(data={"dog": "Rex the dog"}),
    recording_url="https://storage.vapi.ai/one.wav",
)
AT = datetime(2026, 9, 1, 10, tzinfo=UTC)
LINES = [Line(key=1, speaker="customer", text="Fridays, for Rex the dog", at=AT, final=True)]


ALERT = Alert(call_id="one", rule=Rule(id="dogs", kind=RuleKind.KEYWORD, phrase="dog", since=AT), at=AT, said="A ferocious dog")


def note(outcome: str, at: datetime) -> AuditRow:
    return AuditRow(at=at, who="page", action="delete-data", call_id="one", outcome=outcome)


async def stored(journal: Journal) -> None:
    made = AuditRow(at=AT, who="page", action="add-webhook", outcome="done")
    await journal.outbox.add(Endpoint(id="crm", url="https://crm.example/", secret="", kinds=(), made_at=AT, made_by="page"), made)
    await journal.begin(ORDER, client="shop", key="key", fingerprint="body")
    await journal.settle(ORDER.tag, call=CALL, state="placed")
    await journal.save(CALL)
    await journal.save_transcript("one", LINES)
    row = AuditRow(at=AT, who="page", action="note", call_id="one", outcome="done")
    await journal.annotations.add_note(CALL, Note(id=0, at=AT, by="page", text="Rex bites"), row)
    await journal.annotations.add_tag(CALL, Label(text="has a dog", by="page", at=AT), row)
    await journal.measures.save("one", "whole figures", brief="figures in brief", counted=Counted(response_ms=777_000), over=True)
    await journal.alerts.add(ALERT)


async def erased(journal: Journal, clock: Clock) -> Call:
    return await journal.erasures.begin(CALL, Erasure(asked_at=clock.now, by="page"), note("asked", clock.now))


async def everything(url: str) -> str:
    return "\n".join([str(row) for table in TABLES for row in await execute(url, f"SELECT * FROM earshot_{table}")])  # noqa: S608


@pytest.mark.slow
async def test_what_is_deleted_is_in_no_table(journal: Journal, url: str, clock: Clock) -> None:
    await stored(journal)
    before = await everything(url)
    assert [secret for secret in SECRETS if secret not in before] == []
    left = await erased(journal, clock)
    after = await everything(url)
    assert [secret for secret in SECRETS if secret in after] == []
    assert (
        left
        == await journal.get("one")
        == Call(
            id="one",
            status=CallStatus.ENDED,
            tag=ORDER.tag,
            created_at=CALL.created_at,
            ended_reason="customer-ended-call",
            erasure=Erasure(asked_at=clock.now, by="page"),
        )
    )
    for search in ("Fridays", "Dana", "bites", ORDER.to):
        assert await journal.calls(search=search) == [], search
    assert await journal.transcript("one") == ()
    assert [row.action for row in await journal.audit(call_id="one")] == ["delete-data", "note", "note"]


@pytest.mark.slow
async def test_late_facts_bring_nothing_back_but_what_it_cost(journal: Journal, url: str, clock: Clock) -> None:
    await stored(journal)
    await erased(journal, clock)
    await journal.save_transcript("one", LINES)
    await journal.measures.save("one", "whole figures", brief="figures in brief", over=True)
    await journal.alerts.add(ALERT)
    await journal.save(replace(CALL, cost=0.07, costs=(CostItem(kind="voice", dollars=0.07),)))
    await journal.settle(ORDER.tag, call=CALL, state="placed")
    assert [secret for secret in SECRETS if secret in await everything(url)] == []
    call = await journal.get("one")
    assert call
    assert (call.cost, call.to, call.summary) == (0.07, None, None)
    assert await journal.transcript("one") == ()
    with pytest.raises(CallNotFound):
        await journal.annotations.add_note(CALL, Note(id=0, at=AT, by="page", text="Rex bites"), note("asked", AT))
    assert await journal.annotations.of("one") == Annotations()


async def test_a_call_that_only_vapi_knew_is_kept_as_deleted(journal: Journal, clock: Clock) -> None:
    left = await erased(journal, clock)
    assert (left.to, left.erasure) == (None, Erasure(asked_at=clock.now, by="page"))
    assert await journal.get("one") == left


@pytest.mark.slow
async def test_a_key_is_still_answered_and_never_dialled_again(journal: Journal, clock: Clock) -> None:
    await stored(journal)
    left = await erased(journal, clock)
    again = await journal.begin(an_order(), client="shop", key="key", fingerprint="body")
    assert again.replay == left


@pytest.mark.slow
async def test_a_deletion_waits_for_vapi_and_is_confirmed_once(journal: Journal, clock: Clock) -> None:
    await stored(journal)
    left = await erased(journal, clock)
    assert await journal.erasures.pending() == [("one", Erasure(asked_at=clock.now, by="page"))]
    later = clock.now + timedelta(minutes=5)
    assert await erased(journal, clock) == left, "a second one changes nothing"
    confirmed = await journal.erasures.confirm("one", note("deleted", later))
    assert confirmed == replace(left, erasure=Erasure(asked_at=clock.now, by="page", confirmed_at=later))
    assert await journal.erasures.confirm("one", note("deleted", later + timedelta(hours=1))) == confirmed
    assert await journal.erasures.pending() == []
    assert [row.outcome for row in await journal.audit(call_id="one")][:2] == ["deleted", "asked"]


@pytest.mark.slow
async def test_it_is_remembered_until_vapi_confirms_however_long_that_takes(journal: Journal, url: str, clock: Clock) -> None:
    await erased(journal, clock)
    clock.pass_(2 * KEPT)
    await journal.forget_old()
    assert len(await journal.erasures.pending()) == 1
    await journal.erasures.confirm("one", note("deleted", clock.now))
    clock.pass_(KEPT)
    await journal.forget_old()
    assert await execute(url, "SELECT call_id FROM earshot_erasures") == []
    assert await journal.recordings.erased_among({"one"}) == set()
