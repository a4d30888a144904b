"""Compares our reading of every sample with the SDK's typed models. Only this file imports them, which takes many seconds."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from services.vapi.reading import read_call
from tests.vapi import samples
from tests.vapi.sdk import unbuilt

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sdk() -> SimpleNamespace:
    with unbuilt():
        from vapi.core.unchecked_base_model import construct_type
        from vapi.types.assistant_overrides import AssistantOverrides
        from vapi.types.call import Call
        from vapi.types.call_batch_response import CallBatchResponse
    AssistantOverrides.model_rebuild()  # else it is built for each sample

    return SimpleNamespace(construct=construct_type, Call=Call, CallBatchResponse=CallBatchResponse)


@pytest.mark.parametrize("name", samples.CALLS)
def test_both_read_the_same_values(sdk: SimpleNamespace, name: str) -> None:
    body: Any = samples.CALLS[name]
    if name == "batch":
        theirs = sdk.construct(type_=sdk.CallBatchResponse, object_=body).results[0]
    else:
        theirs = sdk.construct(type_=sdk.Call, object_=body)
    ours = read_call(body)
    assert ours is not None

    assert ours.id == theirs.id
    assert ours.status == (theirs.status or "queued")
    assert ours.to == (theirs.customer and theirs.customer.number)
    assert ours.sip_uri == (theirs.customer and theirs.customer.sip_uri)
    assert ours.extension == (theirs.customer and theirs.customer.extension)
    assert ours.customer_name == (theirs.customer and theirs.customer.name)
    assert ours.name == theirs.name
    assert ours.inbound == (theirs.type == "inboundPhoneCall")
    assert ours.assistant_id == theirs.assistant_id
    assert ours.phone_number_id == theirs.phone_number_id
    assert ours.caller_id == (theirs.phone_number and theirs.phone_number.twilio_phone_number)
    assert ours.ended_reason == theirs.ended_reason
    assert ours.ended_message == theirs.ended_message
    for field in ("created_at", "updated_at", "started_at", "ended_at"):
        time: datetime | None = getattr(theirs, field, None)
        assert getattr(ours, field) == time
    breakdown = theirs.cost_breakdown
    assert ours.cost == (breakdown.total if theirs.cost is None and breakdown else theirs.cost)
    if theirs.costs:
        assert [(item.kind, item.dollars) for item in ours.costs] == [
            (item.type, item.cost) for item in theirs.costs if getattr(item, "cost", None) is not None
        ]
    assert ours.summary == (theirs.analysis.summary if theirs.analysis else None)
    metadata = (theirs.assistant_overrides.metadata if theirs.assistant_overrides else None) or {}
    assert ours.tag == metadata.get("earshotTag")
