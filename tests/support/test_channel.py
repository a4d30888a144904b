"""Messages and descriptors between two ends of a channel, here in one process."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.support.channel import Channel
from tests.patience import HANG_S


class End:
    """One end, and what came there."""

    def __init__(self, sock: socket.socket) -> None:
        self.came: asyncio.Queue[tuple[tuple[Any, ...], int | None]] = asyncio.Queue()
        self.over = asyncio.Event()
        self.overs = 0
        self.sock = sock
        self.channel = Channel(sock, received=self._receive, ended=self._end)

    async def next(self) -> tuple[tuple[Any, ...], int | None]:
        async with asyncio.timeout(HANG_S):
            return await self.came.get()

    def _receive(self, message: tuple[Any, ...], descriptor: int | None) -> None:
        self.came.put_nowait((message, descriptor))
        if message == ("fail",):
            raise ValueError("a failing receiver")

    def _end(self) -> None:
        self.overs += 1
        self.over.set()


@pytest.fixture
async def ends() -> AsyncIterator[tuple[End, End]]:
    here, there = map(End, socket.socketpair())
    yield here, there
    here.channel.close()
    there.channel.close()


async def test_messages_of_all_sizes_arrive_whole_and_in_order(ends: tuple[End, End]) -> None:
    here, there = ends
    for number in range(200):
        here.channel.send(number, bytes(number % 7 * 40_000))
        there.channel.send("back", number)
    for number in range(200):
        assert await there.next() == ((number, bytes(number % 7 * 40_000)), None)
        assert await here.next() == (("back", number), None)
    assert here.channel.waiting_bytes == there.channel.waiting_bytes == 0


async def test_each_descriptor_comes_with_its_message(ends: tuple[End, End]) -> None:
    here, there = ends
    pairs = [socket.socketpair() for _ in range(20)]
    for number, (own, given) in enumerate(pairs):
        own.sendall(b"%d" % number)
        here.channel.send("before", bytes(100_000 if number % 3 == 0 else 1))
        here.channel.send(number, descriptor=given.detach())
    for number in range(20):
        await there.next()
        (found,), descriptor = await there.next()
        assert descriptor is not None
        with socket.socket(fileno=descriptor) as given:
            assert (found, given.recv(10)) == (number, b"%d" % number)
            assert not os.get_inheritable(descriptor)
    for own, _ in pairs:
        with own:
            assert own.recv(1) == b"", "nobody has kept the other end"


async def test_a_message_whose_descriptor_was_lost_does_not_get_the_next_one(ends: tuple[End, End]) -> None:
    here, there = ends
    one, other = socket.socketpair()
    with one:
        here.channel.send("first", descriptor=os.open(os.devnull, os.O_RDONLY))
        here.channel.send("second", descriptor=other.detach())
        there.channel._descriptors.append(os.dup(one.fileno()))  # as if the first had been lost, and another was next in line
        assert await there.next() == (("first",), None)


async def test_a_failing_receiver_does_not_stop_the_rest(ends: tuple[End, End], caplog: pytest.LogCaptureFixture) -> None:
    here, there = ends
    here.channel.send("fail")
    here.channel.send("next", "secret")
    assert [(await there.next())[0][0] for _ in range(2)] == ["fail", "next"]
    assert "failed: fail" in caplog.text
    assert "secret" not in caplog.text


async def test_the_end_is_told_once_and_what_was_sent_before_it_arrives(ends: tuple[End, End]) -> None:
    here, there = ends
    here.channel.send("last")
    here.channel.close()
    here.channel.close()
    here.channel.send("never")
    assert await there.next() == (("last",), None)
    async with asyncio.timeout(HANG_S):
        await there.over.wait()
    there.channel.send("into the void")
    await asyncio.sleep(0)
    assert (there.overs, here.overs) == (1, 0)


async def test_a_descriptor_for_a_channel_that_has_ended_is_closed(ends: tuple[End, End]) -> None:
    here, _ = ends
    here.channel.close()
    own, given = socket.socketpair()
    here.channel.send("too late", descriptor=given.detach())
    with own:
        assert own.recv(1) == b""
