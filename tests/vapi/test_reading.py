"""Lenient reading: all fields are read, and nothing in a body raises."""

import json
import random
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from services.domain.call import Analysis, Call, CallStatus, CallType, CostItem
from services.vapi.monitor import MonitorBook
from services.vapi.reading import read_assistant, read_call, read_caller_id, read_each
from services.vapi.values import time as read_time
from tests.vapi import samples
from tests.vapi.odd_bodies import ODDITIES, mutated


def read(**changes: object) -> Call:
    call = read_call({**samples.MINIMAL, **changes})
    assert call is not None
    return call


def test_a_full_call() -> None:
    call = read_call(samples.ENDED)
    assert call == Call(
        id=samples.QUEUED["id"],
        status=CallStatus.ENDED,
        to="+15550100002",
        caller_id="+15550100001",
        assistant_id=samples.QUEUED["assistantId"],
        phone_number_id=samples.QUEUED["phoneNumberId"],
        name="Lead 42",
        tag=samples.TAG,
        created_at=datetime(2026, 9, 1, 10, tzinfo=UTC),
        updated_at=datetime(2026, 9, 1, 10, 0, 5, 300_000, tzinfo=UTC),
        started_at=datetime(2026, 9, 1, 10, 0, 5, 250_000, tzinfo=UTC),
        ended_at=datetime(2026, 9, 1, 10, 1, 17, 750_000, tzinfo=UTC),
        ended_reason="customer-ended-call",
        ended_message="Hung up.",
        cost=0.0712,
        costs=tuple(
            CostItem(kind=kind, dollars=dollars)
            for kind, dollars in [("transport", 0.01), ("transcriber", 0.01), ("model", 0.002), ("voice", 0.02), ("vapi", 0.03)]
        ),
        summary="They agreed to meet.",
        analysis=Analysis(success="true"),
        recording_url="https://storage.vapi.ai/made-up-mono.wav",
    )


def test_older_locations_of_a_value() -> None:
    call = read(
        summary="Top.", costBreakdown={"transport": 0, "llm": 0.5, "total": 0.5, "llmPromptTokens": 9}, phoneNumber={"number": "+1"}
    )
    assert (call.summary, call.cost, call.caller_id) == ("Top.", 0.5, "+1")
    assert call.costs == (CostItem(kind="transport", dollars=0), CostItem(kind="llm", dollars=0.5))


@pytest.mark.parametrize(("kind", "inbound"), [("inboundPhoneCall", True), ("outboundPhoneCall", False), ("webCall", False), (None, False)])
def test_direction(kind: str | None, inbound: bool) -> None:
    assert read(type=kind).inbound is inbound


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("inboundPhoneCall", CallType.INBOUND),
        ("outboundPhoneCall", CallType.OUTBOUND),
        ("webCall", CallType.WEB),
        ("vapi.websocketCall", CallType.WEB),
        (None, CallType.OUTBOUND),
        (["webCall"], CallType.OUTBOUND),
    ],
)
def test_the_type_of_a_call(kind: object, type_: CallType) -> None:
    assert read(type=kind).type is type_


def test_the_customer() -> None:
    call = read(customer={"number": "+15550100002", "name": "Dana", "extension": "12"})
    assert (call.to, call.sip_uri, call.extension, call.customer_name) == ("+15550100002", None, "12", "Dana")
    call = read(customer={"sipUri": "sip:dana@pbx.example", "number": None, "extension": 12})
    assert (call.to, call.sip_uri, call.extension, call.customer_name) == (None, "sip:dana@pbx.example", None, None)


@pytest.mark.parametrize("status", [status for status in CallStatus if status is not CallStatus.UNKNOWN])
def test_vapis_own_status_words(status: CallStatus) -> None:
    assert read(status=status.value).status is status


@pytest.mark.parametrize("word", ["not-found", "deletion-failed"])
def test_a_call_whose_data_was_to_be_deleted_is_over(word: str) -> None:
    assert read(status=word).status is CallStatus.ENDED
    assert read(status=word, startedAt="2026-09-01T10:00:00Z").status is CallStatus.ENDED


@pytest.mark.parametrize("word", ["a-new-word", "unknown", "", None, 7, ["ended"], {}])
def test_an_unknown_status_is_inferred_from_the_times(word: object) -> None:
    assert read(status=word).status is CallStatus.QUEUED
    assert read(status=word, startedAt="2026-09-01T10:00:00Z").status is CallStatus.IN_PROGRESS
    assert read(status=word, startedAt="2026-09-01T10:00:00Z", endedAt="2026-09-01T10:01:00Z").status is CallStatus.ENDED
    assert read(status=word, endedReason="worker-shutdown").status is CallStatus.ENDED


def test_an_unknown_status_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        read(status="never-heard-of")
    assert caplog.text.count("never-heard-of") == 1


@pytest.mark.parametrize(
    ("name", "tag"),
    [(f"earshot {samples.TAG}", samples.TAG), ("earshot", None), ("Lead 42", None), ("earshot a b", None), ("my earshot a", None)],
)
def test_the_tag_in_a_name(name: str, tag: str | None) -> None:
    assert read(name=name).tag == tag
    assert read(name=name, assistantOverrides={"metadata": {"earshotTag": "other"}}).tag == "other"


NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "time"),
    [
        ("2026-09-01T12:00:00Z", NOON),
        ("2026-09-01T12:00:00.250Z", NOON + timedelta(seconds=0.25)),
        ("2026-09-01T14:00:00+02:00", NOON),
        ("2026-09-01T12:00:00", NOON),
        (1788264000000, NOON),
        (1788264000500.0, NOON + timedelta(seconds=0.5)),
        ("yesterday", None),
        ("", None),
        ("0001-01-01T00:00:00+14:00", None),
        (10**400, None),
        (1e300, None),
        ("9999-12-31T23:59:59Z", None),
        ("0001-01-02T00:00:00Z", None),
        (float("nan"), None),
        (True, None),
        (None, None),
        ({}, None),
    ],
)
def test_times(value: object, time: datetime | None) -> None:
    assert read_time(value) == time


@pytest.mark.parametrize("value", [None, "", " ", "a b", "a\nb", "é", "\ud800", 7, True, [], {}, "x" * 201])
def test_without_a_usable_id_there_is_no_entry(value: object) -> None:
    for reader in (read_call, read_assistant, read_caller_id):
        assert reader({"id": value}) is None
        assert read_each([{"id": value}, {"id": "ok"}, value], reader) == [reader({"id": "ok"})]


def test_text_that_can_not_be_encoded_is_repaired() -> None:
    call = read(name="cut \ud83d", summary="a\0b", endedMessage="  ")
    assert (call.name, call.summary, call.ended_message) == ("cut", "ab", None)


@pytest.mark.slow
def test_no_body_makes_reading_raise() -> None:
    dice = random.Random(20260901)  # noqa: S311 (the same bodies at every run)
    book = MonitorBook(size=10)
    bodies = [*samples.CALLS.values(), samples.ASSISTANT, samples.PHONE_NUMBER]
    for body in [*ODDITIES, *(mutated(dice.choice(bodies), dice) for _ in range(5000))]:
        for entry in read_each([body, *(body if isinstance(body, list) else ())], read_call):
            book.remember(entry.id, body)
            assert isinstance(entry.status, CallStatus)
            fields = asdict(entry)
            for time in [value for name, value in fields.items() if name.endswith("_at") and value is not None]:
                assert time.tzinfo is UTC
            json.dumps(fields, default=datetime.isoformat, allow_nan=False, ensure_ascii=False).encode()
        read_assistant(body)
        read_caller_id(body)
