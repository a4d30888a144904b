"""What listeners hear, whoever they are and whenever they come."""

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest

from services.domain.call import CallStatus
from services.domain.errors import CallNotFound, CallNotRunning
from services.listening.listener import Listener
from tests.listening.stand_in import START, Line, StandIn, eventually, hear, pcm, whole, within

THEIRS = {"stream": "theirs", "position": float("nan"), "assumed": True}
"""Fields that only our own start frames may have."""
MONO = '{"type":"start","encoding":"mulaw","sampleRate":8000,"channels":1}'


async def sound_of(listener: Listener, size: int) -> bytes:
    """The next `size` bytes of sound; texts between are passed over."""
    sound = b""
    while len(sound) < size:
        item = await within(anext(listener))
        sound += item if isinstance(item, bytes) else b""
    return sound


async def test_the_format_is_passed_on_normalised(stand_in: StandIn, line: Line) -> None:
    with line.relay.listen("c1") as listener:
        connection = await stand_in.connection()
        await connection.send(
            json.dumps({"message": {"type": "start", "sample_rate": "48000", "channels": 2.0, "call": {"x": "wss://secret"}, **THEIRS}})
        )
        start = (await hear(listener, 2))[1]
        assert start == {
            "type": "start",
            "encoding": "linear16",
            "container": "raw",
            "sampleRate": 48000,
            "channels": 2,
            "stream": start["stream"],
            "position": 0,
        }
        assert start["stream"] != "theirs"
        await connection.send('{"type":"stream","state":"dropped","bytes":1e308}')
        await connection.send(START)
        assert (await hear(listener, 1))[0]["type"] == "start"


async def test_who_was_disconnected_can_count_the_bytes_that_they_missed(stand_in: StandIn, line: Line) -> None:
    with line.relay.listen("c1") as stays:
        connection = await stand_in.connection()
        await connection.send(START)
        with line.relay.listen("c1") as leaves:
            await connection.send(bytes(400))
            assert await sound_of(leaves, 400)
        await connection.send(bytes(1001))  # the last byte is no whole block yet
        await sound_of(stays, 1400)
        with line.relay.listen("c1") as again:
            start = (await hear(again, 1))[0]
            assert start["position"] == 1400
            await connection.send(b"123")
            assert await sound_of(again, 4) == b"\x00123"
        connection.transport.abort()
        await (await stand_in.connection()).send(bytes(4))
        other = (await hear(stays, 5))[-2]
        assert other["type"] == "start"
        assert other["stream"] != start["stream"], "what was missed between the two is not known"
        assert other["position"] == 0


async def test_sound_is_passed_on_as_it_is_to_everyone(stand_in: StandIn, line: Line) -> None:
    with line.relay.listen("c1") as one, line.relay.listen("c1") as other:
        connection = await stand_in.connection()
        await connection.send(START)
        frames = [pcm(n * 320, 320) for n in range(50)]
        for frame in frames:
            await connection.send(frame)
        heard, also = (await hear(one, 52))[2:], (await hear(other, 52))[2:]
        assert heard == frames
        assert all(left is right for left, right in zip(heard, also, strict=True)), "one copy for all"
        assert line.relay.upstreams == 1
        assert line.relay.listeners == 2


async def test_frames_of_odd_sizes_come_in_whole_blocks_and_lose_nothing(stand_in: StandIn, line: Line) -> None:
    sound = pcm(0, 1000)
    with line.relay.listen("c1") as listener:
        connection = await stand_in.connection()
        await connection.send(START)
        cuts = [0, 1, 2, 5, 6, 1287, 1290, 2569, 3999, 4000]
        for start, end in pairwise(cuts):
            await connection.send(sound[start:end])
        heard = b""
        while len(heard) < len(sound):
            item = await within(anext(listener))
            if isinstance(item, bytes):
                assert item
                assert whole(item)
                heard += item
        assert heard == sound


async def test_one_who_comes_late_gets_the_format_and_then_whole_blocks(stand_in: StandIn, line: Line) -> None:
    sound = pcm(0, 100)
    with line.relay.listen("c1") as early:
        connection = await stand_in.connection()
        await connection.send(START)
        await connection.send(sound[:201])
        await sound_of(early, 200)
        with line.relay.listen("c1") as late:
            await connection.send(sound[201:])
            start, heard = await hear(late, 2)
            assert start["type"] == "start"
            assert "assumed" not in start
            assert whole(heard)
            assert heard == sound[200:] == await sound_of(early, 200)


async def test_without_a_start_frame_the_format_is_assumed_until_one_comes(stand_in: StandIn, line: Line) -> None:
    with line.relay.listen("c1") as listener:
        connection = await stand_in.connection()
        await connection.send(b"12345")
        await connection.send(MONO)
        await connection.send(b"6")
        _, assumed, first, announced, second = await hear(listener, 5)
        assert assumed == json.loads(START) | {"assumed": True, "stream": assumed["stream"], "position": 0}
        assert (announced["stream"], announced["position"]) == (assumed["stream"], 4)
        assert first == b"1234"
        assert (announced["encoding"], announced["channels"]) == ("mulaw", 1)
        assert second == b"6", "what was left of the former format is no part of the new one"


async def test_a_format_once_announced_is_assumed_after_a_reconnect(stand_in: StandIn, line: Line) -> None:
    with line.relay.listen("c1") as listener:
        connection = await stand_in.connection()
        await connection.send(MONO)
        await connection.send(b"1")
        await hear(listener, 3)
        connection.transport.abort()
        await (await stand_in.connection()).send(b"2")
        start, sound = (await hear(listener, 4))[2:]
        assert start == json.loads(MONO) | {"container": "raw", "assumed": True, "stream": start["stream"], "position": 0}
        assert sound == b"2"


async def test_half_a_block_at_a_drop_does_not_shift_what_follows(stand_in: StandIn, line: Line) -> None:
    with line.relay.listen("c1") as listener:
        connection = await stand_in.connection()
        await connection.send(START)
        await connection.send(b"123456")
        await hear(listener, 3)
        await connection.close(1011)
        connection = await stand_in.connection()
        await connection.send(b"abcd")
        assert (await hear(listener, 4))[-1] == b"abcd"


async def test_one_who_comes_during_an_interruption_hears_of_it(stand_in: StandIn, line: Line) -> None:
    with line.relay.listen("c1") as early:
        connection = await stand_in.connection()
        await connection.send(START)
        stand_in.refusals.extend([(502, {})] * 2)
        await connection.close(1011)
        await hear(early, 3)
        with line.relay.listen("c1") as late:
            await stand_in.connection()
            assert [item["state"] for item in await hear(late, 2)] == ["interrupted", "connected"]


async def test_events_keep_their_place_in_the_sound_and_nonsense_has_none(stand_in: StandIn, line: Line) -> None:
    with line.relay.listen("c1") as listener:
        connection = await stand_in.connection()
        await connection.send(START)
        for n in range(3):
            await connection.send(b"1234")
            await connection.send("nonsense {")
            await connection.send('{"type":"model-output","output":"x"}')
            await connection.send(json.dumps({"type": "transcript", "role": "user", "transcript": str(n)}))
        heard = (await hear(listener, 8))[2:]
        assert heard[::2] == [b"1234"] * 3
        assert [event["transcript"] for event in heard[1::2]] == ["0", "1", "2"]


async def test_no_address_of_a_wrapped_event_is_passed_on(stand_in: StandIn, line: Line) -> None:
    with line.relay.listen("c1") as listener:
        connection = await stand_in.connection()
        monitor = {"listenUrl": stand_in.url, "controlUrl": "https://secret.vapi.ai/control"}
        message = {"type": "status-update", "status": "in-progress", "monitor": monitor, "call": {"monitor": monitor}}
        await connection.send(json.dumps({"message": message, "monitor": monitor}))
        await connection.send(json.dumps(message))
        for event in (await hear(listener, 3))[1:]:
            assert event == {"type": "status-update", "status": "in-progress"}


async def test_one_who_does_not_read_loses_the_oldest_sound_in_whole_blocks_and_no_event(stand_in: StandIn) -> None:
    line = Line(stand_in, buffer_seconds=0.1)  # 6400 bytes
    with line.relay.listen("c1") as slow, line.relay.listen("c1") as fast:
        connection = await stand_in.connection()
        await connection.send(START)
        sound = pcm(0, 320 * 40)
        cuts = [n * 1280 + (n % 4) for n in range(40)] + [len(sound)]
        heard_fast: list[Any] = []
        for n, (start, end) in enumerate(pairwise(cuts)):
            await connection.send(sound[start:end])
            await connection.send(json.dumps({"type": "transcript", "transcript": str(n)}))
            while not (heard_fast and isinstance(heard_fast[-1], dict) and heard_fast[-1].get("transcript") == str(n)):
                heard_fast += await hear(fast, 1)
        assert b"".join(item for item in heard_fast if isinstance(item, bytes)) == sound
        await connection.send('{"type":"hang"}')
        heard = await hear(slow, 42)
        while heard[-1] != {"type": "hang"}:
            heard += await hear(slow, 1)
        kept = b"".join(item for item in heard if isinstance(item, bytes))
        assert [int(item["transcript"]) for item in heard if isinstance(item, dict) and "transcript" in item] == list(range(40))
        assert sound.endswith(kept)
        assert 5000 < len(kept) <= 6400
        assert slow.dropped_bytes == len(sound) - len(kept)
        assert slow.dropped_bytes % 4 == 0
        told = [(at, item["bytes"]) for at, item in enumerate(heard) if isinstance(item, dict) and item.get("state") == "dropped"]
        assert told == [(heard.index(kept[:1280]) - 1, slow.dropped_bytes)], "right before what follows it"
        assert fast.dropped_bytes == 0
        assert heard.index({"type": "transcript", "transcript": "34"}) < heard.index(kept[:1280])
    await line.relay.aclose()


@pytest.mark.slow
async def test_one_with_a_mountain_of_unread_events_is_given_up(stand_in: StandIn, line: Line) -> None:
    with line.relay.listen("c1") as lost, line.relay.listen("c1") as fast:
        connection = await stand_in.connection()
        for _ in range(10_000):
            await connection.send('{"type":"hang"}')
            await within(anext(fast))
        await eventually(lambda: lost.end == "too slow")
        assert [item async for item in lost] == []
        assert fast.end is None


async def test_the_upstream_opens_with_the_first_and_closes_with_the_last(stand_in: StandIn, line: Line) -> None:
    assert stand_in.requests == []
    one, other = line.relay.listen("c1"), line.relay.listen("c1")
    connection = await stand_in.connection()
    await hear(one, 1)
    one.close()
    one.close()
    assert line.relay.upstreams == 1
    other.close()
    assert (line.relay.upstreams, line.relay.listeners) == (0, 0)
    await within(connection.wait_closed())
    assert connection.close_code == 1000
    async with line.relay.listen("c1"):
        await stand_in.connection()
        assert len(stand_in.requests) == 2


async def test_one_who_comes_while_the_former_upstream_still_closes_has_one_of_its_own(stand_in: StandIn, line: Line) -> None:
    with line.relay.listen("c1") as listener:
        former = await stand_in.connection()
        await hear(listener, 1)
    with line.relay.listen("c1") as listener:
        await within(former.wait_closed())
        await (await stand_in.connection()).send(b"1234")
        assert (await hear(listener, 3))[-1] == b"1234"
        assert line.relay.upstreams == 1
        with line.relay.listen("c1") as other:
            assert (await hear(other, 1))[0]["type"] == "start"
    assert len(stand_in.requests) == 2


async def test_calls_do_not_hear_each_other(stand_in: StandIn, line: Line) -> None:
    line.calls["c2"] = line.calls["c1"].__class__(id="c2", status=CallStatus.IN_PROGRESS)
    with line.relay.listen("c1") as one, line.relay.listen("c2") as two:
        connections = [await stand_in.connection(), await stand_in.connection()]
        for n, connection in enumerate(connections):
            await connection.send(bytes([n]) * 4)
        assert {await sound_of(one, 4), await sound_of(two, 4)} == {b"\0" * 4, b"\1" * 4}
        line.becomes(CallStatus.ENDED, "c2")
        await eventually(lambda: two.end == "call ended")
        assert one.end is None
        assert line.relay.upstreams == 1


async def test_who_can_t_be_listened_to(line: Line) -> None:
    with pytest.raises(CallNotFound):
        line.relay.listen("c9")
    line.becomes(CallStatus.ENDED)
    with pytest.raises(CallNotRunning):
        line.relay.listen("c1")


async def test_the_end_of_the_relay_is_the_end_of_all(stand_in: StandIn, line: Line) -> None:
    before = asyncio.all_tasks()
    listener = line.relay.listen("c1")
    connection = await stand_in.connection()
    await connection.send(b"1234")
    await hear(listener, 1)
    await line.relay.aclose()
    assert listener.end == "shutdown"
    assert [item async for item in listener] == []
    assert [item async for item in line.relay.listen("c1")] == []
    assert (line.relay.upstreams, line.relay.listeners) == (0, 0)
    await within(connection.wait_closed())
    await eventually(lambda: asyncio.all_tasks() <= before)


@pytest.mark.slow
async def test_two_hundred_who_come_and_go_leave_nothing(stand_in: StandIn, line: Line) -> None:
    before = asyncio.all_tasks()
    for _ in range(200):
        with line.relay.listen("c1"):
            await asyncio.sleep(0)
    listeners = [line.relay.listen("c1") for _ in range(200)]
    connection = await stand_in.connection()
    for listener in listeners:
        listener.close()
    assert (line.relay.upstreams, line.relay.listeners) == (0, 0)
    await within(connection.wait_closed())
    await eventually(lambda: asyncio.all_tasks() <= before and stand_in.open_connections == 0)
