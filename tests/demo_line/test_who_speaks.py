"""The demo line does what an order and the controls say about who speaks: it can be heard or read."""

import asyncio
from typing import Any

import numpy as np
import pytest

from tests.demo_line.conftest import FRAME, VOICEMAIL, Customer, Heard, answered, listen
from tests.patience import HANG_S


def said(heard: Heard, role: str = "assistant") -> list[str]:
    return [text for who, text in heard.transcript if who == role]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "texts", "reason"),
    [
        ({}, [], "voicemail"),
        ({"voicemailDetection": {"provider": "vapi"}, "voicemailMessage": ""}, [], "voicemail"),
        (
            {"voicemailMessage": "Hi {{customer.name}}, call {{who}}.", "variableValues": {"who": "us"}},
            ["Hi Dana, call us."],
            "voicemail",
        ),
        ({"voicemailDetection": "off"}, ["Hi, this is Riley from Wellness Partners."], "silence-timed-out"),
        ({"maxDurationSeconds": 1}, [], "exceeded-max-duration"),
    ],
)
async def test_what_happens_at_a_voicemail(customer: Customer, overrides: dict[str, Any], texts: list[str], reason: str) -> None:
    call = await customer.place(customer={"number": VOICEMAIL, "name": "Dana"}, assistantOverrides=overrides)
    heard = Heard()
    await listen(call, heard)
    ended = await customer.get(call)
    assert (said(heard), ended["endedReason"]) == (texts, reason)
    assert all(f"AI: {text}\n" in ended["artifact"]["transcript"] for text in texts)


@pytest.mark.parametrize(
    "wrong",
    [
        {"assistantOverrides": {"voicemailDetection": "on"}},
        {"assistantOverrides": {"voicemailDetection": {"provider": "me"}}},
        {"assistantOverrides": {"voicemailMessage": "x" * 1001}},
        {"squadOverrides": "all"},
        {"assistant": "Riley"},
    ],
)
async def test_wrong_overrides_are_refused(customer: Customer, wrong: dict[str, Any]) -> None:
    order = {"assistantId": customer.line.assistant_id, "phoneNumberId": customer.line.phone_number_id, "customer": {"number": VOICEMAIL}}
    assert (await customer.ask("POST", "/call", order | wrong))[0] == 400


@pytest.mark.slow
async def test_the_chosen_assistants_first_words_are_read_with_its_variables(customer: Customer) -> None:
    sam = (await customer.ask("GET", "/assistant"))[1][1]
    heard = Heard()
    call, listening = await answered(customer, heard, assistantId=sam["id"], assistantOverrides={"variableValues": {"name": "Dana"}})
    await heard.wait_until(lambda heard: bool(said(heard)))
    await customer.control(call, type="end-call")
    await listening
    assert said(heard) == ["Hi Dana, this is Sam. Do you have a minute to tell us how it went?"]
    assert f"AI: {said(heard)[0]}\n" in (await customer.get(call))["artifact"]["transcript"]


@pytest.mark.slow
async def test_a_muted_customer_is_neither_heard_nor_transcribed(customer: Customer) -> None:
    heard = Heard()
    call, listening = await answered(customer, heard)
    await customer.control(call, type="control", control="mute-customer")
    before = len(heard.sound)
    await heard.wait_until(lambda heard: len(heard.sound) > before + 30 * FRAME)  # "Hello?" is 0.3 s after the answer
    recent = np.frombuffer(bytes(heard.sound[before + 2 * FRAME :]), "<i2").reshape(-1, 2)
    assert not recent[:, 0].any()
    await customer.control(call, type="control", control="unmute-customer")
    await customer.control(call, type="end-call")
    await listening
    assert said(heard, "user") == []


@pytest.mark.slow
async def test_an_interrupting_line_cuts_short_what_is_said_and_drops_what_waits(customer: Customer) -> None:
    heard = Heard()
    call, listening = await answered(customer, heard)
    long = "This sentence is so long that it would take the assistant the better part of a whole minute. " * 8
    await customer.control(call, type="say", content=long)
    await customer.control(call, type="say", content="This one waits.")
    await heard.wait_until(
        lambda heard: any(text.get("transcriptType") == "partial" and "sentence" in text["transcript"] for text in heard.texts)
    )
    await customer.control(call, type="say", content="Stop.", interruptAssistantEnabled=True, endCallAfterSpoken=True)
    async with asyncio.timeout(HANG_S):
        await listening
    lines = said(heard)
    assert lines[-1] == "Stop."
    assert lines[-2] != long.strip()
    assert long.startswith(lines[-2])
    assert "This one waits." not in lines


async def test_a_silent_message_is_not_answered(customer: Customer) -> None:
    heard = Heard()
    call, listening = await answered(customer, heard)
    await customer.control(call, type="control", control="mute-assistant")  # so that only controls speak
    await customer.control(call, type="add-message", message={"role": "system", "content": "Dana."}, triggerResponseEnabled=False)
    await customer.control(call, type="say", content="Bye.", endCallAfterSpoken=True)
    await listening
    assert said(heard) == ["Bye."]


@pytest.mark.slow
async def test_another_assistant_takes_over_and_introduces_itself(customer: Customer) -> None:
    sam = (await customer.ask("GET", "/assistant"))[1][1]
    heard = Heard()
    call, listening = await answered(customer, heard)
    destination = {"type": "assistant", "assistantId": sam["id"]}
    await customer.control(call, type="handoff", destination=destination, content="One moment.")
    await heard.wait_until(lambda heard: any("this is Sam" in text for text in said(heard)))
    before = len(heard.sound)
    await heard.wait_until(lambda heard: len(heard.sound) > before + 75 * FRAME)
    assert not np.frombuffer(bytes(heard.sound[before:]), "<i2").reshape(-1, 2)[:, 1].any()
    await customer.control(call, type="end-call")
    await listening
    assert {"type": "assistant.started", "newAssistant": {"name": "Sam, feedback"}} in heard.texts
    assert (await customer.get(call))["artifact"]["assistantActivations"][-1] == {"assistantName": "Sam, feedback"}


@pytest.mark.parametrize(
    "destination", [{"type": "assistant"}, {"type": "assistant", "assistantId": "019f3a10-0000-7000-8000-00000000abcd"}]
)
async def test_nobody_takes_over_who_is_not_there(customer: Customer, destination: dict[str, str]) -> None:
    call, listening = await answered(customer, Heard())
    status, body = await customer.control(call, type="handoff", destination=destination)
    assert (status, "Does Not Exist" in body["message"]) == (400, True)
    await customer.control(call, type="end-call")
    await listening
