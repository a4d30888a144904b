"""Transcripts, from the listen socket to the journal, and back after a restart."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.desk.calls.transcripts import Transcripts
from services.desk.desk import CallDesk
from services.domain.call import Call, CallStatus
from services.domain.speech import Kind, Occurrence, SpeechChange, Utterance
from services.domain.transcript import Line
from services.listening.relay import Relay
from services.vapi.gateway import Gateway
from tests.desk.test_desk import place, until
from tests.desks import desk_in
from tests.patience import HANG_S
from tests.stand_in import StandIn
from tests.web.test_api import client_of

HELLO = {"type": "transcript", "role": "user", "transcriptType": "final", "transcript": "Hello?"}
SAID = Utterance(speaker="customer", text="Hello?")
MESSAGES = [
    {"role": "system", "message": "You are Riley."},
    {"role": "bot", "message": "Hi, this is Riley.", "time": 1788256801200.5, "secondsFromStart": 1.2},
    {"role": "user", "message": "Hello?", "secondsFromStart": 4.1},
    {"role": "bot", "message": None},
    "nonsense",
]


async def said(desk: CallDesk, call: Call, count: int) -> list[str]:
    """The texts of the call's transcript, once it has `count` of them."""
    async with asyncio.timeout(HANG_S):
        while len(lines := await desk.transcript(call.id)) < count:  # noqa: ASYNC110 - the journal tells nobody
            await asyncio.sleep(0.02)
    return [line.text for line in lines]


async def test_events_of_the_listen_socket_come_once_however_many_listen(vapi: StandIn, desk: CallDesk) -> None:
    vapi.events = [HELLO, {"type": "speech-update", "role": "assistant", "status": "started"}]
    call = await place(desk)
    relay = Relay(target=desk.listen_target, find=desk.get, hint=desk.look, heard=desk.transcripts.take)
    lines: list[tuple[str, Line]] = []
    speech = asyncio.Event()
    desk.transcripts.changed.subscribe(lines.append)
    desk.transcripts.speech_changed.subscribe(lambda _: speech.set())
    async with asyncio.timeout(HANG_S):
        with relay.listen(call.id, sound=False), relay.listen(call.id, sound=False, events=False):
            await speech.wait()
    assert [(call_id, line.text) for call_id, line in lines] == [(call.id, "Hello?")]
    assert desk.transcripts.speaking(call.id) == {"assistant"}
    await relay.aclose()


async def test_followers_get_the_transcript_though_nobody_listens(vapi: StandIn, tmp_path: Path) -> None:
    vapi.events = [HELLO]
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url)) as client:
        call = await place(client.desk)
        async with asyncio.timeout(HANG_S), client.session.get(f"{client.url}/api/calls/{call.id}/events") as events:
            while b"event: transcript" not in (event := await events.content.readuntil(b"\n\n")):
                pass
    assert b'"speaker":"customer","text":"Hello?"' in event


@pytest.mark.slow
async def test_tools_and_interruptions_are_lines_over_rest_by_both_ways(vapi: StandIn, tmp_path: Path) -> None:
    tool = {"id": "t1", "function": {"name": "book", "arguments": {"day": "Mon"}}}
    events: list[dict[str, Any]] = [
        {"type": "tool-calls", "toolCallList": [tool]},
        {"type": "tool-calls-result", "toolCallResult": {"toolCallId": "t1", "name": "book", "result": "Booked."}},
        {"type": "user-interrupted"},
    ]
    vapi.events = events
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), webhook_secret="s3cret") as client:
        call = await place(client.desk)
        for event in events:
            message = {"message": event | {"call": {"id": call.id}}}
            status, _, _ = await client.ask("POST", "/api/vapi_events", json=message, headers={"X-Vapi-Secret": "s3cret"})
            assert status == (501 if event["type"] == "tool-calls" else 200)  # there is no server here that could answer it
        async with asyncio.timeout(HANG_S), client.session.get(f"{client.url}/api/calls/{call.id}/events") as answer:
            while b'"kind":"interruption"' not in await answer.content.readuntil(b"\n\n"):
                pass
        _, body, _ = await client.ask("GET", f"/api/calls/{call.id}/transcript")
    told = [(line["kind"], line["name"], line["text"], line["result"], line["final"]) for line in body["lines"]]
    assert told == [("tool", "book", '{"day":"Mon"}', "Booked.", True), ("interruption", "", "", None, True)]


@pytest.mark.slow
async def test_the_transcript_survives_a_restart(vapi: StandIn, gateway: Gateway, tmp_path: Path) -> None:
    async with desk_in(tmp_path, gateway) as desk:
        call = await place(desk)
        desk.transcripts.take(call.id, SAID)
        vapi.move(call.id, "ended")
        await until(desk, call.id, lambda call: not call.running)
        assert await said(desk, call, 1) == ["Hello?"]
    async with desk_in(tmp_path, gateway) as anew:
        assert await said(anew, call, 1) == ["Hello?"]
        assert [found.id for found in await anew.page_of_calls(search="HELLO?")] == [call.id]
        assert await anew.page_of_calls(search="goodbye") == []


@pytest.mark.parametrize("heard", [False, True])
async def test_vapis_own_transcript_replaces_ours_where_it_has_more(
    vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch, *, heard: bool
) -> None:
    monkeypatch.setattr("services.desk.calls.transcript_archive._LOOKS", (0.0, 0.05))
    call = await place(desk)
    if heard:
        desk.transcripts.take(call.id, SAID)
    vapi.move(call.id, "ended", startedAt="2026-09-01T10:00:00Z", artifact={"messages": MESSAGES})
    await until(desk, call.id, lambda call: not call.running)
    assert await said(desk, call, 2) == ["Hi, this is Riley.", "Hello?"]
    lines = await desk.transcript(call.id)
    assert [line.speaker for line in lines] == ["assistant", "customer"]
    assert lines[1].at.isoformat() == "2026-09-01T10:00:04.100000+00:00"


async def test_vapis_text_wins_over_a_longer_one_that_was_heard(vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.desk.calls.transcript_archive._LOOKS", (0.0, 0.05))
    call = await place(desk)
    desk.transcripts.take(call.id, Utterance(speaker="customer", text="What a long sentence nobody said, " * 20))
    desk.transcripts.take(call.id, Occurrence(kind=Kind.INTERRUPTION))
    vapi.move(call.id, "ended", startedAt="2026-09-01T10:00:00Z", artifact={"messages": MESSAGES})
    await until(desk, call.id, lambda call: not call.running)
    assert await said(desk, call, 3) == ["Hi, this is Riley.", "Hello?", ""]


@pytest.mark.slow
async def test_a_transcript_that_comes_late_is_read_when_somebody_asks(
    vapi: StandIn, gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.desk.calls.transcript_archive._ASK_AGAIN_S", 0.0)
    async with desk_in(tmp_path, gateway) as desk:
        call = await place(desk)
        desk.transcripts.take(call.id, SAID)
        now = datetime.now(UTC).isoformat()
        vapi.move(call.id, "ended", startedAt=now, endedAt=now)
        await until(desk, call.id, lambda call: not call.running)
        assert [line.text for line in await desk.transcript(call.id)] == ["Hello?"]
        vapi.move(call.id, "ended", artifact={"transcript": "AI: Hi, this is Riley.\nUser: Hello?\n"})
        assert [line.text for line in await desk.transcript(call.id)] == ["Hi, this is Riley.", "Hello?"]
        assert len(await desk.journal.transcript(call.id)) == 2
    async with desk_in(tmp_path, gateway) as anew:
        assert len(await anew.transcript(call.id)) == 2
        asked = vapi.requests["GET /call/{id}"]
        assert len(await anew.transcript(call.id)) == 2
        assert vapi.requests["GET /call/{id}"] == asked


@pytest.mark.slow
async def test_a_transcript_is_looked_for_until_it_comes(vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.desk.calls.transcript_archive._LOOKS", (0.01,) * 1000)
    call = await place(desk)
    vapi.move(call.id, "ended", startedAt="2026-09-01T10:00:00Z")
    await until(desk, call.id, lambda call: not call.running)
    asked = asyncio.Event()
    desk.transcripts.rewritten.subscribe(lambda _: asked.set())
    async with asyncio.timeout(HANG_S):
        while vapi.requests["GET /call/{id}"] < 12:  # noqa: ASYNC110 - the stand-in tells it in no other way
            await asyncio.sleep(0.01)
        vapi.move(call.id, "ended", artifact={"messages": MESSAGES})
        await asked.wait()
    assert [line.text for line in await desk.journal.transcript(call.id)] == ["Hi, this is Riley.", "Hello?"]


@pytest.mark.slow
async def test_the_transcript_of_a_call_that_ended_unwatched_is_read_from_vapi(vapi: StandIn, gateway: Gateway, tmp_path: Path) -> None:
    async with desk_in(tmp_path, gateway) as desk:
        call = await place(desk)
        vapi.move(call.id, "ended", startedAt="2026-09-01T10:00:00Z")
        await until(desk, call.id, lambda call: not call.running)
    vapi.move(call.id, "ended", artifact={"messages": MESSAGES})
    async with desk_in(tmp_path, gateway) as anew:
        assert await said(anew, call, 2) == ["Hi, this is Riley.", "Hello?"]
        assert len(await anew.journal.transcript(call.id)) == 2


async def test_last_words_after_the_end_are_written_too(vapi: StandIn, desk: CallDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.desk.calls.transcript_archive._LOOKS", (0.2,))
    call = await place(desk)
    vapi.move(call.id, "ended", startedAt="2026-09-01T10:00:00Z")
    await until(desk, call.id, lambda call: not call.running)
    desk.transcripts.take(call.id, SAID)
    async with asyncio.timeout(HANG_S):
        while not await desk.journal.transcript(call.id):  # noqa: ASYNC110 - the journal tells nobody
            await asyncio.sleep(0.02)


async def test_nobody_speaks_in_a_call_that_has_ended(vapi: StandIn, desk: CallDesk) -> None:
    call = await place(desk)
    desk.transcripts.take(call.id, SpeechChange(speaker="customer", started=True))
    desk.transcripts.take(call.id, Utterance(speaker="customer", text="But I", final=False))
    assert desk.transcripts.speaking(call.id) == {"customer"}
    lines: list[tuple[str, Line]] = []
    desk.transcripts.changed.subscribe(lines.append)
    vapi.move(call.id, "ended")
    await until(desk, call.id, lambda call: not call.running)
    assert desk.transcripts.speaking(call.id) == frozenset()
    assert [(line.text, line.final) for _, line in lines] == [("But I", True)]


def test_a_call_that_was_found_keeps_its_lines() -> None:
    names: dict[str, str] = {}
    transcripts = Transcripts(lambda call_id: names.get(call_id, call_id))
    transcripts.take("unknown-1", SAID)
    names["unknown-1"] = "found"
    transcripts.rename("unknown-1", "found")
    assert [line.text for line in transcripts.of("unknown-1")] == [line.text for line in transcripts.of("found")] == ["Hello?"]


async def test_calls_of_others_are_found_while_none_of_ours_runs(
    vapi: StandIn, gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.desk.calls.watcher.IDLE", 0.1)
    async with desk_in(tmp_path, gateway) as desk:
        await desk.caught_up()
        known = vapi.ring_in("+14155550123")
        call = await until(desk, known, lambda call: call.status is CallStatus.IN_PROGRESS)
        assert call.inbound
        assert call.to == "+14155550123"
