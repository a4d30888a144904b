"""A customer of the demo line, who knows nothing but its sockets, and what a listener hears."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from aiohttp import ClientSession
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from services.demo_line import DemoLine
from services.demo_line.numbers import DEMO_NUMBERS, EXAMPLE_NUMBER
from tests.patience import HANG_S

ROOT = Path(__file__).parents[2]
DEMO_CALL = ROOT / "assets" / "demo_call" / "demo_call.flac"
FRAME = 1280
BUSY, NO_ANSWER, VOICEMAIL, DROPS, STALLS, ANSWER_LOST, REFUSES_EARLY, WIDE = (row.number for row in DEMO_NUMBERS)
INVALID_KEY = "Invalid Key. Hot tip, you may be using the private key instead of the public key, or vice versa."
Body = dict[str, Any]


class Customer:
    """A client with the account's key."""

    def __init__(self, line: DemoLine, http: ClientSession) -> None:
        self.line, self.http = line, http
        self.key: str | None = line.api_key

    async def ask(self, method: str, url: str, body: Any = None, **query: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        url = url if url.startswith("http") else self.line.base_url + url
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        async with self.http.request(method, url, data=data, params=query, headers=headers) as reply:
            return reply.status, await reply.json()

    def order(self, number: str = EXAMPLE_NUMBER, **more: Any) -> Body:
        return {"assistantId": self.line.assistant_id, "phoneNumberId": self.line.phone_number_id, "customer": {"number": number}} | more

    async def place(self, number: str = EXAMPLE_NUMBER, **more: Any) -> Body:
        status, call = await self.ask("POST", "/call", self.order(number, **more))
        assert status == 201, call
        assert isinstance(call, dict)
        return call

    async def get(self, call: Body) -> Body:
        status, seen = await self.ask("GET", f"/call/{call['id']}")
        assert status == 200
        assert isinstance(seen, dict)
        return seen

    async def control(self, call: Body, **body: Any) -> tuple[int, Any]:
        return await self.ask("POST", call["monitor"]["controlUrl"], body)

    async def watch(self, call: Body, until: str = "ended") -> list[Body]:
        """The call in each of its states, beginning with the response that placed it."""
        seen = [call]
        async with asyncio.timeout(HANG_S):
            while seen[-1]["status"] != until:
                await asyncio.sleep(0.01)
                if (now := await self.get(call))["status"] != seen[-1]["status"]:
                    seen.append(now)
        return seen


class Heard:
    """What one listener received: sound, text frames, sizes of binary frames, and the close code."""

    def __init__(self) -> None:
        self.sound = bytearray()
        self.texts: list[Body] = []
        self.sizes: set[int] = set()
        self.code = 0
        self.received = asyncio.Event()

    async def wait_until(self, reached: Callable[["Heard"], bool]) -> None:
        async with asyncio.timeout(HANG_S):
            while not reached(self):
                self.received.clear()
                await self.received.wait()

    @property
    def transcript(self) -> list[tuple[str, str]]:
        """The final transcripts."""
        return [(text["role"], text["transcript"]) for text in self.texts if text.get("transcriptType") == "final"]


async def listen(call: Body, heard: Heard) -> None:
    async with connect(call["monitor"]["listenUrl"], open_timeout=HANG_S) as socket:
        assert not socket.protocol.extensions
        try:
            while True:
                message = await socket.recv()
                if isinstance(message, str):
                    heard.texts.append(json.loads(message))
                else:
                    heard.sound += message
                    heard.sizes.add(len(message))
                heard.received.set()
        except ConnectionClosed as closed:
            heard.code = closed.rcvd.code if closed.rcvd else 1006


def source(path: Path = DEMO_CALL) -> bytes:
    samples, _ = soundfile.read(path, dtype="int16")
    return bytes(samples.tobytes())


@pytest.fixture
async def line() -> AsyncIterator[DemoLine]:
    async with DemoLine(ring_seconds=0.05) as line:
        yield line


@pytest.fixture
async def customer(line: DemoLine) -> AsyncIterator[Customer]:
    async with ClientSession() as http:
        yield Customer(line, http)


@pytest.fixture
def short_call(tmp_path: Path) -> Path:
    """A conversation of a little more than half a second, which does not fill its last frame."""
    samples = np.random.default_rng(7).integers(-9000, 9000, (8100, 2), dtype=np.int16)
    soundfile.write(tmp_path / "short.flac", samples, 16_000, subtype="PCM_16")
    turns = [
        {"role": "assistant", "text": "Riley here.", "start": 0.1, "end": 0.25},
        {"role": "customer", "text": "Bye.", "start": 0.3, "end": 0.5},
    ]
    (tmp_path / "short.json").write_text(json.dumps({"turns": turns}))
    return tmp_path / "short.flac"


async def answered(customer: Customer, heard: Heard, **more: Any) -> tuple[Body, asyncio.Task[None]]:
    """An answered call and the task that listens to it."""
    call = await customer.place(**more)
    listening = asyncio.create_task(listen(call, heard))
    await heard.wait_until(lambda heard: bool(heard.sound))
    return call, listening
