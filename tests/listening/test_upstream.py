"""When the upstream connects, tries again and stops, seen from a listener and from Vapi's side."""

import asyncio
import ssl
from dataclasses import replace
from itertools import islice

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus, InvalidURI
from websockets.http11 import Response

from services.domain.call import Call, CallStatus
from services.domain.errors import CallNotRunning, VapiRefused, VapiUnavailable
from services.listening import silence
from services.listening.upstream import _backoff, verdict
from tests.listening.stand_in import START, Line, StandIn, eventually, hear, placeless, within

CONNECTED = {"type": "stream", "state": "connected"}
INTERRUPTED = {"type": "stream", "state": "interrupted"}


@pytest.mark.slow
@pytest.mark.parametrize("status", [CallStatus.SCHEDULED, CallStatus.QUEUED, CallStatus.RINGING])
async def test_refused_before_the_answer_it_tries_again(stand_in: StandIn, line: Line, status: CallStatus) -> None:
    line.becomes(status)
    stand_in.refusals.extend([(403, {}), (404, {})])
    with line.relay.listen("c1") as listener:
        await stand_in.connection()
        assert len(stand_in.requests) == 3
        assert await hear(listener, 1) == [CONNECTED]


@pytest.mark.slow
async def test_the_answer_makes_it_try_at_once(stand_in: StandIn, line: Line) -> None:
    line.becomes(CallStatus.RINGING)
    stand_in.refusals.extend([(404, {})] * 1000)
    with line.relay.listen("c1"):
        await eventually(lambda: len(stand_in.requests) == 3)  # the next would come in 1.6 s at the earliest
        stand_in.refusals.clear()
        line.becomes(CallStatus.IN_PROGRESS)
        await within(stand_in.connection(), 1.0)


async def test_dropped_in_mid_call_it_opens_again_and_announces_the_sound_again(stand_in: StandIn, line: Line) -> None:
    with line.relay.listen("c1") as listener:
        first = await stand_in.connection()
        await first.send(START)
        await first.send(b"1234")
        assert [item if isinstance(item, bytes) else item["type"] for item in await hear(listener, 3)] == ["stream", "start", b"1234"]
        first.transport.abort()
        second = await stand_in.connection()
        assert await hear(listener, 2) == [INTERRUPTED, CONNECTED]
        await second.send(b"5678")
        start, sound = await hear(listener, 2)
        assert start["assumed"] is True
        assert sound == b"5678"


@pytest.mark.parametrize("code", [1000, 1001, 1011])
async def test_a_close_while_the_call_runs_is_hinted_and_tried_again_until_the_end(stand_in: StandIn, line: Line, code: int) -> None:
    with line.relay.listen("c1") as listener:
        await (await stand_in.connection()).close(code)
        assert await within(line.hints.get()) == "c1"
        again = await stand_in.connection()
        assert await hear(listener, 3) == [CONNECTED, INTERRUPTED, CONNECTED]
        line.becomes(CallStatus.ENDED)
        await again.close()
        await within(anext(listener, None))
        assert listener.end == "call ended"
    assert len(stand_in.requests) == 2
    assert line.hints.empty()


async def test_what_is_in_flight_at_the_end_still_arrives(stand_in: StandIn, line: Line) -> None:
    with line.relay.listen("c1") as listener:
        connection = await stand_in.connection()
        await hear(listener, 1)
        line.becomes(CallStatus.ENDED)
        line.relay.on_call(replace(line.calls["c1"], cost=0.07))  # again, as the bill comes later
        await connection.send(START)
        await connection.send(b"last")
        await connection.close()
        assert [placeless(item) async for item in listener] == [START, b"last"]
        assert listener.end == "call ended"


async def test_a_stream_that_continues_after_the_end_is_closed(stand_in: StandIn, line: Line) -> None:
    with line.relay.listen("c1") as listener:
        connection = await stand_in.connection()
        assert await hear(listener, 1) == [CONNECTED]
        line.becomes(CallStatus.ENDED)
        await connection.send(b"1234")
        await within(connection.wait_closed())
        assert [item async for item in listener][-1] == b"1234"
    assert line.relay.upstreams == 0


async def test_ended_while_it_waits_for_its_next_try(stand_in: StandIn, line: Line) -> None:
    line.becomes(CallStatus.RINGING)
    stand_in.refusals.extend([(404, {})] * 1000)
    with line.relay.listen("c1") as listener:
        await within(stand_in.knocked.wait())
        line.becomes(CallStatus.ENDED)
        assert [item async for item in listener] == []
    assert line.relay.upstreams == 0


async def test_a_redirect_is_not_followed(stand_in: StandIn, line: Line) -> None:
    line.headers = {"Authorization": "Bearer key"}
    async with StandIn() as another:
        stand_in.refusals.append((302, {"Location": another.url}))
        with line.relay.listen("c1") as listener:
            (problem,) = await hear(listener, 1)
            assert problem["type"] == "listen-problem"
            assert "another address" in problem["detail"]
        assert another.requests == []


@pytest.mark.slow
@pytest.mark.parametrize(("status", "headers"), [(401, {}), (403, {}), (401, {"Authorization": "Bearer wrong"})])
async def test_a_missing_or_wrong_key_is_reported_with_a_next_step(
    stand_in: StandIn, line: Line, status: int, headers: dict[str, str]
) -> None:
    line.headers = headers
    stand_in.refusals.append((status, {}))
    with line.relay.listen("c1") as listener:
        (problem,) = await hear(listener, 1)
        assert "VAPI_PUBLIC_KEY" in problem["detail"]
        assert ("rejects" in problem["detail"]) == bool(headers)
        with line.relay.listen("c1") as late:
            assert await hear(late, 1) == [problem]
        line.becomes(CallStatus.FORWARDING)
        await stand_in.connection()
        assert await hear(listener, 1) == [CONNECTED]
    assert stand_in.requests[0].headers.get("Authorization") == headers.get("Authorization")


async def test_a_call_that_has_just_ended_is_not_called_a_wrong_key(stand_in: StandIn, line: Line) -> None:
    stand_in.refusals.append((401, {}))
    line.headers = {"Authorization": "Bearer key"}
    with line.relay.listen("c1") as listener:
        assert await within(line.hints.get()) == "c1"  # the call is read again before anything is said
        line.becomes(CallStatus.ENDED)
        assert [item async for item in listener] == []
        assert listener.end == "call ended"


async def test_a_line_that_brings_nothing_is_told_and_the_call_is_read_again(
    stand_in: StandIn, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "SILENCE_S", 0.2)
    with line.relay.listen("c1") as listener:
        vapi = await stand_in.connection()
        await vapi.send(START)
        told = await hear(listener, 4)
        assert [event["type"] for event in told] == ["stream", "start", "stream", "stream"]
        assert [event["state"] for event in told[2:]] == ["silent", "silent"]
        assert await within(line.hints.get()) == "c1"
        line.becomes(CallStatus.ENDED)
        await vapi.close()


async def test_a_line_is_silent_before_the_answer_and_nobody_is_told(
    stand_in: StandIn, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "SILENCE_S", 0.05)
    line.becomes(CallStatus.RINGING)
    with line.relay.listen("c1") as listener:
        vapi = await stand_in.connection()
        await asyncio.sleep(0.3)
        await vapi.send(START)
        assert [event["type"] for event in await hear(listener, 2)] == ["stream", "start"]


async def test_a_refusal_just_after_the_answer_is_only_too_early(stand_in: StandIn, line: Line) -> None:
    line.becomes(CallStatus.RINGING)
    stand_in.refusals.extend([(403, {})] * 3)
    with line.relay.listen("c1") as listener:
        await within(stand_in.knocked.wait())
        line.becomes(CallStatus.IN_PROGRESS)
        await stand_in.connection()
        assert await hear(listener, 1) == [CONNECTED]


async def test_no_target_yet_is_waited_for_and_none_at_all_is_told(stand_in: StandIn, line: Line) -> None:
    line.faults.extend([VapiUnavailable("busy"), VapiRefused("Listening is switched off for this assistant.")])
    with line.relay.listen("c1") as listener:
        assert await hear(listener, 1) == [{"type": "listen-problem", "detail": "Listening is switched off for this assistant."}]
        assert stand_in.requests == []
        line.becomes(CallStatus.ENDED)
        assert [item async for item in listener] == []


@pytest.mark.slow
async def test_lasting_silence_is_reported_while_it_keeps_trying(stand_in: StandIn, line: Line) -> None:
    line.faults.extend([VapiUnavailable("Vapi gives no address.")] * 6)
    with line.relay.listen("c1") as listener:
        assert await hear(listener, 1) == [{"type": "listen-problem", "detail": "Vapi gives no address."}]
        line.faults.clear()
        assert await hear(listener, 1) == [CONNECTED]


async def test_a_call_of_unknown_outcome_is_waited_for_under_whatever_id_it_gets(stand_in: StandIn, line: Line) -> None:
    line.calls["ours"] = Call(id="ours", status=CallStatus.UNKNOWN)
    with line.relay.listen("ours"):
        for _ in range(3):
            await asyncio.sleep(0)
        line.calls["ours"] = line.calls["vapis"] = Call(id="vapis", status=CallStatus.QUEUED)
        line.relay.on_call(line.calls["vapis"])
        await stand_in.connection()
        with line.relay.listen("vapis"):
            assert line.relay.upstreams == 1
    assert line.asked == ["vapis"]


async def test_it_asks_with_the_headers_of_the_target_and_for_no_compression(stand_in: StandIn, line: Line) -> None:
    line.headers = {"Authorization": "Bearer key"}
    with line.relay.listen("c1"):
        await stand_in.connection()
    assert stand_in.requests[0].headers["Authorization"] == "Bearer key"
    assert "Sec-WebSocket-Extensions" not in stand_in.requests[0].headers


def test_a_certificate_an_address_and_a_bug_are_fatal_and_a_busy_line_is_not() -> None:
    def status(code: int) -> InvalidStatus:
        return InvalidStatus(Response(code, "", Headers()))

    fatal = [ssl.SSLCertVerificationError(), InvalidURI("x", "y"), CallNotRunning("x"), TypeError(), status(307), status(401)]
    transient = [ConnectionRefusedError(), TimeoutError(), ssl.SSLError(), VapiUnavailable("x"), status(404), status(429), status(502)]
    assert {verdict(error, settled=True) for error in fatal} == {"fatal"}
    assert {verdict(error, settled=True) for error in transient} == {"transient"}
    assert verdict(status(401), settled=False) == "transient"


def test_tries_come_in_ever_longer_intervals() -> None:
    talking = list(islice(_backoff(Call(id="c1", status=CallStatus.IN_PROGRESS)), 9))
    waiting = list(islice(_backoff(Call(id="c1", status=CallStatus.RINGING)), 9))
    assert talking[0] == 0
    assert 0.2 <= talking[1] <= 0.25
    assert 0.4 <= waiting[0] <= 0.5
    assert all(3.2 <= delay <= 4.0 for delay in (talking[-1], waiting[-1]))
