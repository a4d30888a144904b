"""The demo line, tested only through its sockets, as a customer of Vapi would use it."""

import ast
import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from aiohttp import ClientConnectionError, ClientSession, WSMsgType, WSServerHandshakeError
from websockets.asyncio.client import connect

from services.demo_line import DemoLine
from services.demo_line.conversation import ConversationFile
from services.demo_line.numbers import EXAMPLE_NUMBER
from tests.demo_line.conftest import (
    ANSWER_LOST,
    BUSY,
    DEMO_CALL,
    DROPS,
    FRAME,
    INVALID_KEY,
    NO_ANSWER,
    REFUSES_EARLY,
    ROOT,
    STALLS,
    VOICEMAIL,
    WIDE,
    Body,
    Customer,
    Heard,
    answered,
    listen,
    source,
)
from tests.patience import HANG_S


@pytest.fixture
def unhurried(line: DemoLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue and a ring so long that one who looks every 0.01 s sees them also on a busy machine."""
    monkeypatch.setattr("services.demo_line.call._QUEUE_SECONDS", 1.0)
    monkeypatch.setattr(line, "_ring_seconds", 1.0)


@pytest.mark.usefixtures("unhurried")
@pytest.mark.slow
async def test_a_call_goes_through_its_states_and_plays_its_conversation(short_call: Path) -> None:
    async with DemoLine(ring_seconds=0.4, conversation=short_call) as line, ClientSession() as http:
        customer = Customer(line, http)
        overrides = {"metadata": {"tag": "t-1"}, "variableValues": {"first": "Dana"}}
        placed = await customer.place(name="Lead 42", assistantOverrides=overrides)
        heard = Heard()
        watching = asyncio.create_task(customer.watch(placed))
        await listen(placed, heard)
        assert (await customer.get(placed))["status"] == "ended"
        states = await watching

    assert UUID(placed["id"]).version == 7
    assert placed["subscriptionLimits"] == {"concurrencyBlocked": False, "concurrencyLimit": 10, "remainingConcurrentCalls": 9}
    assert placed["monitor"] == {
        "listenUrl": f"{line.base_url.replace('http:', 'ws:')}/{placed['id']}/listen",
        "controlUrl": f"{line.base_url}/{placed['id']}/control",
    }
    assert [state["status"] for state in states] == ["queued", "ringing", "in-progress", "ended"]
    updates = [state["updatedAt"] for state in states]
    assert updates == sorted(set(updates))
    assert placed["createdAt"] == placed["updatedAt"]
    assert placed["createdAt"].endswith("Z")
    assert [("startedAt" in state, "endedAt" in state) for state in states] == [(False, False)] * 2 + [(True, False), (True, True)]
    for state in states:
        assert (state["name"], state["assistantOverrides"], state["customer"]) == ("Lead 42", overrides, {"number": EXAMPLE_NUMBER})
    assert "subscriptionLimits" not in states[1]

    ended = states[-1]
    assert ended["endedReason"] == "customer-ended-call"
    assert ended["artifact"]["transcript"] == "AI: Riley here.\nUser: Bye.\n"
    assert [(message["role"], message["secondsFromStart"]) for message in ended["artifact"]["messages"]] == [("bot", 0.1), ("user", 0.3)]
    assert ended["analysis"]["summary"]
    assert ended["cost"] == ended["costBreakdown"]["total"] == pytest.approx(sum(part["cost"] for part in ended["costs"]))
    assert ended["cost"] > 0

    assert heard.code == 1000
    assert heard.texts[0] == {"type": "start", "encoding": "linear16", "container": "raw", "sampleRate": 16000, "channels": 2}
    assert heard.transcript == [("assistant", "Riley here."), ("user", "Bye.")]
    assert heard.sizes == {FRAME}
    assert heard.sound.startswith(source(short_call))
    assert not any(heard.sound[len(source(short_call)) :])


@pytest.mark.slow
async def test_listeners_join_the_conversation_at_its_current_position(customer: Customer) -> None:
    call = await customer.place()
    early, second, late = Heard(), Heard(), Heard()
    async with connect(call["monitor"]["listenUrl"]) as leaving:
        await leaving.recv()
    listeners = [asyncio.create_task(listen(call, early)), asyncio.create_task(listen(call, second))]
    await early.wait_until(lambda heard: len(heard.texts) == 1)
    assert (await customer.get(call))["status"] in ("queued", "ringing")
    assert not early.sound
    await early.wait_until(lambda heard: len(heard.sound) >= 100 * FRAME)
    async with connect(call["monitor"]["listenUrl"]) as leaving:
        await leaving.recv()
    assert leaving.close_code == 1000
    joined_after = len(early.sound)
    listeners.append(asyncio.create_task(listen(call, late)))
    await late.wait_until(lambda heard: len(heard.sound) >= 50 * FRAME)
    assert (await customer.control(call, type="end-call"))[0] == 200
    await asyncio.gather(*listeners)

    whole = source()
    assert bytes(early.sound) == whole[: len(early.sound)]
    assert bytes(second.sound) == whole[: len(second.sound)]
    offset = whole.find(late.sound)
    assert offset % FRAME == 0
    assert joined_after <= offset <= len(early.sound)
    assert early.transcript == [("user", "Hello?")]
    assert late.texts[0]["type"] == "start"
    assert late.transcript == []
    assert {early.code, second.code, late.code} == {1000}
    assert (await customer.get(call))["artifact"]["transcript"] == "User: Hello?\n"


@pytest.mark.slow
async def test_numbers_with_a_troubled_stream(customer: Customer) -> None:
    whole = source()

    async def drops() -> None:
        call = await customer.place(DROPS)
        first, again = Heard(), Heard()
        await listen(call, first)
        assert first.code == 1006
        assert bytes(first.sound) == whole[: 250 * FRAME]
        assert (await customer.get(call))["status"] == "in-progress"
        coming_back = asyncio.create_task(listen(call, again))
        await again.wait_until(lambda heard: len(heard.sound) >= 60 * FRAME)
        await customer.control(call, type="end-call")
        await coming_back
        assert whole.find(again.sound) >= 250 * FRAME
        assert again.code == 1000

    async def stalls() -> None:
        # An undisturbed call serves as the clock for the stalled one.
        usual, call = await customer.place(), await customer.place(STALLS)
        steady, heard, joined = Heard(), Heard(), Heard()
        listeners = [asyncio.create_task(listen(usual, steady)), asyncio.create_task(listen(call, heard))]
        await steady.wait_until(lambda heard: len(heard.sound) >= 280 * FRAME)
        listeners.append(asyncio.create_task(listen(call, joined)))
        await steady.wait_until(lambda heard: len(heard.sound) >= 320 * FRAME)
        assert (len(heard.sound), len(joined.texts), len(joined.sound)) == (250 * FRAME, 1, 0)
        await heard.wait_until(lambda heard: len(heard.sound) >= 350 * FRAME and len(steady.sound) - len(heard.sound) < 50 * FRAME)
        assert len(steady.sound) < len(whole) / 2  # not only once the undisturbed call has ended
        await asyncio.gather(customer.control(usual, type="end-call"), customer.control(call, type="end-call"))
        await asyncio.gather(*listeners)
        assert bytes(heard.sound) == whole[: len(heard.sound)]
        assert whole.find(joined.sound) in range(275 * FRAME, 320 * FRAME, FRAME)

    async def wide() -> None:
        call = await customer.place(WIDE)
        heard = Heard()
        listener = asyncio.create_task(listen(call, heard))
        await heard.wait_until(lambda heard: len(heard.sound) >= 100 * 3840)
        await customer.control(call, type="end-call")
        await listener
        assert heard.sizes == {3840}
        assert heard.texts
        assert "start" not in [text["type"] for text in heard.texts]
        fine = np.frombuffer(heard.sound, "<i2").reshape(-1, 2)
        coarse = np.frombuffer(whole, "<i2").reshape(-1, 2)[: len(fine) // 3]
        assert np.array_equal(fine[::3], coarse)
        spectrum = np.abs(np.fft.rfft(fine[:96_000, 0] * np.hanning(96_000))) ** 2
        images = spectrum[np.fft.rfftfreq(96_000, 1 / 48_000) > 8_600].sum() / spectrum.sum()
        assert images < 1e-6

    await asyncio.gather(drops(), stalls(), wide())


@pytest.mark.slow
async def test_numbers_that_are_busy_unanswered_or_voicemail(customer: Customer) -> None:
    async def course(number: str) -> tuple[list[str], Body]:
        states = await customer.watch(await customer.place(number))
        return [state["status"] for state in states], states[-1]

    busy, no_answer, voicemail = await asyncio.gather(course(BUSY), course(NO_ANSWER), course(VOICEMAIL))
    assert (busy[0], busy[1]["endedReason"]) == (["queued", "ringing", "ended"], "customer-busy")
    assert (no_answer[0], no_answer[1]["endedReason"]) == (["queued", "ringing", "ended"], "customer-did-not-answer")
    assert (voicemail[0], voicemail[1]["endedReason"]) == (["queued", "ringing", "in-progress", "ended"], "voicemail")
    assert (busy[1]["cost"], "startedAt" in busy[1]) == (0, False)


@pytest.mark.slow
@pytest.mark.usefixtures("unhurried")
async def test_a_call_whose_response_was_lost_can_be_found(customer: Customer) -> None:
    status, body = await customer.ask("POST", "/call", customer.order(ANSWER_LOST, name="tag-7"))
    assert (status, body["statusCode"]) == (500, 500)
    _, found = await customer.ask("GET", "/call", assistantId=customer.line.assistant_id)
    assert [call["name"] for call in found] == ["tag-7"]
    assert [state["status"] for state in await customer.watch(found[0], "in-progress")] == ["queued", "ringing", "in-progress"]


async def test_a_stream_may_be_refused_before_the_answer(customer: Customer) -> None:
    call = await customer.place(REFUSES_EARLY)
    with pytest.raises(WSServerHandshakeError) as refused:
        await customer.http.ws_connect(call["monitor"]["listenUrl"])
    assert refused.value.status == 409
    await customer.watch(call, "in-progress")
    async with customer.http.ws_connect(call["monitor"]["listenUrl"]) as socket:
        assert (await socket.receive_json())["type"] == "start"
        assert (await socket.receive()).type is WSMsgType.BINARY


NOWHERE = "4532c25a-2360-449b-98fc-c66390e2d613"
NOT_E164 = "customer.number must be a valid phone number in the E.164 format. Hot tip, you may be missing the country code (Eg. US: +1)."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"monitor": {}, "metadata": {}}, ["property monitor should not exist", "property metadata should not exist"]),
        ({"customer": {"number": "2025550123"}}, [NOT_E164]),
        ({"customer": {"number": "+1202555012"}}, [NOT_E164]),
        ({"customer": {"number": "+44٢٠٧٩٤٦٠٠٠٠"}}, [NOT_E164]),
        ({"customer": {"number": "+442079460000", "shoe": 9}}, ["customer.property shoe should not exist"]),
        ({"phoneNumberId": "main"}, ["phoneNumberId must be a UUID"]),
        ({"assistantId": 7}, ["assistantId must be a UUID"]),
        ({"name": "n" * 41}, ["name must be shorter than or equal to 40 characters"]),
        ({"schedulePlan": {"earliestAt": "soon"}}, ["schedulePlan.earliestAt must be a valid ISO 8601 date string"]),
        ({"assistantId": NOWHERE}, f"Couldn't Get Assistant. `assistantId` {NOWHERE} Does Not Exist."),
        ({"phoneNumberId": NOWHERE}, f"Couldn't Get Phone Number. `phoneNumberId` {NOWHERE} Does Not Exist."),
        ({"assistantId": None}, "Couldn't Start Call. Need Either `assistant`, `assistantId`, `squad`, Or `squadId`."),
    ],
)
async def test_an_invalid_order_is_refused(customer: Customer, change: Body, message: str | list[str]) -> None:
    status, body = await customer.ask("POST", "/call", customer.order() | change)
    assert (status, body) == (400, {"message": message, "error": "Bad Request", "statusCode": 400})
    assert (await customer.ask("GET", "/call"))[1] == []


async def test_numbers_outside_e164_are_accepted_when_the_check_is_off(customer: Customer) -> None:
    call = await customer.place(customer={"number": "desk12", "numberE164CheckEnabled": False})
    assert call["customer"]["number"] == "desk12"


async def test_all_errors_have_the_same_shape(customer: Customer) -> None:
    answers = [
        await customer.ask("POST", "/call", b"{"),
        await customer.ask("POST", "/call", []),
        await customer.ask("GET", "/call", limit="1001", createdAtGe="yesterday", page="2"),
        await customer.ask("GET", f"/call/{NOWHERE}"),
        await customer.ask("DELETE", f"/call/{NOWHERE}"),
        await customer.ask("GET", "/squads"),
        await customer.ask("GET", f"/{NOWHERE}/listen"),
        await customer.ask("POST", f"/{NOWHERE}/control", {"type": "end-call"}),
    ]
    assert [status for status, _ in answers] == [400, 400, 400, 404, 404, 404, 404, 404]
    for status, body in answers:
        assert set(body) == {"message", "error", "statusCode"}
        assert body["statusCode"] == status
    assert len(answers[2][1]["message"]) == 3
    assert answers[5][1]["message"] == "Cannot GET /squads"


async def test_the_key_is_required(customer: Customer) -> None:
    for key, message in ((None, "Missing Authorization Header."), (customer.line.public_key, INVALID_KEY)):
        customer.key = key
        for method, path in (
            ("POST", "/call"),
            ("GET", "/call"),
            ("GET", f"/call/{NOWHERE}"),
            ("GET", "/assistant"),
            ("GET", "/phone-number"),
        ):
            assert await customer.ask(method, path) == (401, {"message": message, "error": "Unauthorized", "statusCode": 401})


async def test_a_monitor_plan_is_followed(customer: Customer) -> None:
    plan: Body = {"listenEnabled": False, "controlAuthenticationEnabled": True}
    call = await customer.place(assistantOverrides={"monitorPlan": plan})
    assert set(call["monitor"]) == {"controlUrl"}
    assert (await customer.control(call, type="end-call"))[0] == 401
    assert (await customer.ask("GET", call["monitor"]["controlUrl"].replace("control", "listen")))[0] == 404
    customer.key = customer.line.public_key
    assert (await customer.control(call, type="end-call"))[0] == 200


@pytest.mark.slow
async def test_lists_are_filtered_and_limited(customer: Customer) -> None:
    line = customer.line
    calls = [await customer.place(name=name) for name in ("a", "b", "c")]
    other = (await customer.ask("GET", "/assistant"))[1][1]
    calls.append(await customer.place(name="d", assistantId=other["id"]))

    async def names(**query: str) -> str:
        status, found = await customer.ask("GET", "/call", **query)
        assert status == 200
        return "".join(call["name"] for call in found)

    assert await names() == "dcba"
    assert await names(limit="2") == "dc"
    assert await names(limit="0") == ""
    assert await names(assistantId=line.assistant_id) == "cba"
    assert await names(phoneNumberId=line.phone_number_id, id=calls[1]["id"]) == "b"
    assert await names(createdAtLt=calls[0]["createdAt"]) == ""
    assert await names(createdAtGe=calls[0]["createdAt"].replace("Z", "+00:00")) == "dcba"
    assert await names(updatedAtGt=(datetime.now(UTC) + timedelta(hours=1)).isoformat()) == ""
    for call in reversed(calls):  # none goes on after the first has ended
        await customer.control(call, type="end-call")
        await customer.watch(call)
    assert await names(updatedAtGe=(await customer.get(calls[0]))["updatedAt"]) == "a"

    _, assistants = await customer.ask("GET", "/assistant")
    _, numbers = await customer.ask("GET", "/phone-number")
    assert (assistants[0]["name"], assistants[0]["id"], len(assistants)) == ("Riley", line.assistant_id, 2)
    assert (numbers[0]["name"], numbers[0]["id"], numbers[0]["provider"], len(numbers)) == ("Main line", line.phone_number_id, "twilio", 2)
    assert len((await customer.ask("GET", "/assistant", limit="1"))[1]) == 1


async def test_the_eleventh_concurrent_call_waits_for_a_line(customer: Customer) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await customer.place(schedulePlan={"earliestAt": later})
    calls = [await customer.place() for _ in range(10)]
    assert [call["subscriptionLimits"]["remainingConcurrentCalls"] for call in calls] == list(range(9, -1, -1))
    assert not any(call["subscriptionLimits"]["concurrencyBlocked"] for call in calls)
    waiting, given_up, last = [await customer.place() for _ in range(3)]
    for call in (waiting, given_up, last):
        assert call["subscriptionLimits"] == {"concurrencyBlocked": True, "concurrencyLimit": 10, "remainingConcurrentCalls": 0}
        assert (await customer.get(call))["status"] == "queued"
    await customer.control(given_up, type="end-call")
    await customer.control(calls[4], type="end-call")
    await customer.watch(waiting, "in-progress")  # it may ring for a shorter time than passes between two looks
    assert (await customer.get(last))["status"] == "queued"
    await customer.control(waiting, type="end-call")
    await customer.watch(last, "in-progress")


@pytest.mark.slow
@pytest.mark.usefixtures("unhurried")
async def test_a_scheduled_call_waits_for_its_time(customer: Customer) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=0.3)).isoformat()
    states = await customer.watch(await customer.place(schedulePlan={"earliestAt": soon}), "ringing")
    assert [state["status"] for state in states] == ["scheduled", "queued", "ringing"]
    assert datetime.fromisoformat(states[1]["updatedAt"]) >= datetime.fromisoformat(soon) - timedelta(milliseconds=1)


@pytest.mark.slow
async def test_end_call_ends_a_call_in_any_state() -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    async with DemoLine(ring_seconds=0.3) as line, ClientSession() as http:
        customer = Customer(line, http)

        async def end(state: str, **more: Any) -> Body:
            call = await customer.place(**more)
            await customer.watch(call, state)
            heard = Heard()
            listener = asyncio.create_task(listen(call, heard))
            await heard.wait_until(lambda heard: bool(heard.texts))
            assert await customer.control(call, type="end-call") == (200, {"status": "ok"})
            await listener
            ended = await customer.get(call)
            assert heard.code == 1000
            assert (ended["status"], ended["endedReason"]) == ("ended", "manually-canceled")
            assert ("startedAt" in ended) is (state == "in-progress")
            assert ended["monitor"] == {**ended["monitor"], **call["monitor"]}
            assert (await customer.control(call, type="end-call"))[0] == 404
            with pytest.raises(WSServerHandshakeError) as refused:
                await http.ws_connect(call["monitor"]["listenUrl"])
            assert refused.value.status == 404
            return ended

        scheduled = end("scheduled", schedulePlan={"earliestAt": later})
        ended = await asyncio.gather(scheduled, end("queued"), end("ringing"), end("in-progress"))
        await customer.watch(await customer.place(), "in-progress")
        for call in ended:
            assert await customer.get(call) == call


async def test_a_call_ends_after_its_maximum_duration(customer: Customer) -> None:
    call = await customer.place(assistantOverrides={"maxDurationSeconds": 0.2})
    assert (await customer.watch(call))[-1]["endedReason"] == "exceeded-max-duration"


async def test_valid_controls_are_accepted_and_recorded(customer: Customer) -> None:
    call = await customer.place()
    accepted: list[Body] = [
        {"type": "say", "content": "One moment please."},
        {"type": "add-message", "message": {"role": "system", "content": "Offer 10% off."}},
        {"type": "control", "control": "mute-assistant"},
        {"type": "transfer", "destination": {"type": "number", "number": "+12025550123"}},
    ]
    for control in accepted:
        assert (await customer.control(call, **control))[0] == 200
    for control in ({"type": "sing"}, {"type": ["say"]}, {"type": "say"}, {"type": "control", "control": "louder"}, {}):
        status, body = await customer.control(call, **control)
        assert (status, body["error"], len(body["message"])) == (400, "Bad Request", 1)
    assert customer.line.controls(call["id"]) == accepted
    assert (await customer.get(call))["status"] != "ended"


@pytest.mark.slow
async def test_the_assistant_speaks_on_command_and_ends_the_call_after_it(customer: Customer) -> None:
    heard = Heard()
    call, listening = await answered(customer, heard, assistantOverrides={"firstMessage": "Hi."})
    await customer.control(call, type="control", control="say-first-message")
    await customer.control(call, type="add-message", message={"role": "system", "content": "Hurry."})
    await customer.control(call, type="say", content="One moment, please, and bye.", endCallAfterSpoken=True)
    await listening
    assert [text for role, text in heard.transcript if role == "assistant"] == ["Hi.", "Of course.", "One moment, please, and bye."]
    ended = await customer.get(call)
    assert ended["endedReason"] == "assistant-ended-call-after-message-spoken"
    assert "AI: One moment, please, and bye.\n" in ended["artifact"]["transcript"]


@pytest.mark.slow
async def test_speech_and_partial_transcripts_are_sent(customer: Customer) -> None:
    heard = Heard()
    call, listening = await answered(customer, heard)
    await heard.wait_until(lambda heard: any(text.get("transcriptType") == "partial" for text in heard.texts))
    await customer.control(call, type="end-call")
    await listening
    events = [(text["role"], text.get("status") or text["transcriptType"], text.get("transcript")) for text in heard.texts[1:5]]
    assert events == [
        ("user", "started", None),
        ("user", "final", "Hello?"),
        ("user", "stopped", None),
        ("assistant", "started", None),
    ]
    partial = heard.texts[5]["transcript"]
    assert "Hi, this is Riley".startswith(partial)


@pytest.mark.slow
async def test_a_muted_assistant_is_silent(customer: Customer) -> None:
    heard = Heard()
    call, listening = await answered(customer, heard)
    await customer.control(call, type="control", control="mute-assistant")
    before = len(heard.sound)
    await heard.wait_until(lambda heard: len(heard.sound) > before + 75 * FRAME)  # Riley begins 1.2 s after the answer
    silent = np.frombuffer(bytes(heard.sound[-10 * FRAME :]), "<i2").reshape(-1, 2)
    assert not silent[:, 1].any()
    await customer.control(call, type="control", control="unmute-assistant")
    before = len(heard.sound)
    await heard.wait_until(lambda heard: len(heard.sound) > before + 50 * FRAME)
    assert np.frombuffer(bytes(heard.sound[-25 * FRAME :]), "<i2").reshape(-1, 2)[:, 1].any()
    await customer.control(call, type="end-call")
    await listening


@pytest.mark.slow
async def test_a_transfer_is_announced_rings_somebody_and_that_somebody_talks(customer: Customer) -> None:
    heard = Heard()
    call, listening = await answered(customer, heard)
    await customer.control(call, type="transfer", destination={"type": "number", "number": "+12025550123"}, content="Bye.")
    states = await customer.watch(await customer.get(call))
    await listening
    assert [state["status"] for state in states][-2:] == ["forwarding", "ended"]
    assert states[-1]["endedReason"] == "assistant-forwarded-call"
    assert ("assistant", "Bye.") in heard.transcript
    somebody = np.frombuffer(source(DEMO_CALL.with_name("transfer.flac")), "<i2").reshape(-1, 2)
    ears = np.frombuffer(bytes(heard.sound), "<i2").reshape(-1, 2)
    assert somebody[:, 1].any()
    assert not somebody[:, 0].any()
    assert bytes(ears[-len(somebody) - 16_000 :].tobytes()).find(somebody[8000:24_000].tobytes()) >= 0


async def test_an_unreadable_conversation_ends_the_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with DemoLine(ring_seconds=0.05, conversation=tmp_path / "none.flac") as line, ClientSession() as http:
        customer = Customer(line, http)
        states = await customer.watch(await customer.place())
        assert states[-1]["endedReason"] == "call.in-progress.error-vapifault-worker-died"
    assert "call on the demo line failed" in caplog.text


async def test_a_call_that_ends_does_not_cancel_the_read_that_others_wait_for() -> None:
    file = ConversationFile(DEMO_CALL)
    first, second = asyncio.create_task(file.conversation()), asyncio.create_task(file.conversation())
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).sound.startswith(source())
    await file.close()


async def test_close_ends_all_tasks_and_sockets() -> None:
    before = asyncio.all_tasks()
    async with ClientSession() as http:
        line = DemoLine(ring_seconds=0.05)
        await line.start()
        customer = Customer(line, http)
        talking = await customer.place()
        line._ring_seconds = 60.0  # the second call still rings at the end, however busy the machine is
        ringing = await customer.place()
        heard, waiting = Heard(), Heard()
        listeners = [asyncio.create_task(listen(talking, heard)), asyncio.create_task(listen(ringing, waiting))]
        deaf = await http.ws_connect(talking["monitor"]["listenUrl"])
        await heard.wait_until(lambda heard: bool(heard.sound))
        async with asyncio.timeout(HANG_S / 3):  # aiohttp by itself would wait for the deaf one for a minute
            await line.close()
        await asyncio.gather(*listeners)
        assert (heard.code, waiting.code) == (1001, 1001)
        with pytest.raises(ClientConnectionError):
            await http.get(line.base_url)
        await deaf.close()
        await line.close()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_a_taken_port_is_an_error(line: DemoLine) -> None:
    second = DemoLine(port=int(line.base_url.rpartition(":")[2]))
    with pytest.raises(OSError, match="address already in use"):
        await second.start()


@pytest.mark.process
def test_the_demo_line_imports_nothing_else_of_ours_and_no_heavy_library() -> None:
    imported: set[str] = set()
    for path in (ROOT / "services" / "demo_line").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                imported.add(node.module or "")
    outside = {
        name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names and not name.startswith("services.demo_line")
    }
    assert outside == {"aiohttp", "yarl", "numpy", "soundfile"}
    code = "import sys, services.demo_line; sys.exit(any(name in sys.modules for name in ('numpy', 'soundfile', 'nicegui', 'fastapi')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
