"""Half an hour of a call through the relay, on a real socket, faster than life, with drops and stalls: bit for bit, and in its time."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from websockets.asyncio.server import ServerConnection

from services.domain.call import CallStatus
from services.domain.client import PAGE
from services.journal import Journal
from services.listening.listener import Listener
from services.recording.recordings import Recordings
from tests.desks import anybody_may
from tests.listening.stand_in import START, Line, StandIn, eventually, within

RATE = 16_000
STEP = 0.256  # seconds in four frames
FRAME = 4096  # bytes
MINUTES = 30
DROPS = {5: 3.0, 12: 40.0, 21: 0.7}  # minute -> seconds without a line
STALLS = {3: 2.048, 17: 0.768}  # minute -> seconds after which what was due comes at once


class Call:
    """The sending side, and the time of day, which passes as it sends."""

    def __init__(self, stand_in: StandIn, listener: Listener) -> None:
        self.now = 1000.0
        self.sent: list[bytes] = []
        self._stand_in = stand_in
        self._listener = listener
        self._heard = 0
        self._random = np.random.default_rng(5)

    async def connect(self) -> None:
        self._connection: ServerConnection = await self._stand_in.connection()
        await self._connection.send(START)

    async def step(self) -> None:
        """Four frames, which have arrived when this returns."""
        for _ in range(4):
            self.sent.append(self._random.bytes(FRAME))
            await self._connection.send(self.sent[-1])
        while self._heard < FRAME * len(self.sent):
            item = await within(anext(self._listener))
            self._heard += len(item) if isinstance(item, bytes) else 0

    async def play(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            await self.step()
            self.now += STEP

    async def drop(self, seconds: float) -> None:
        await self._connection.close(1011)
        await self.connect()
        self.now += seconds

    async def stall(self, seconds: float) -> None:
        self.now += seconds
        for _ in range(round(seconds / STEP)):
            await self.step()

    async def end(self) -> None:
        await self._connection.close()


@pytest.mark.slow
async def test_half_an_hour_is_kept_bit_for_bit_with_its_drops_and_stalls_marked(stand_in: StandIn, line: Line, tmp_path: Path) -> None:
    with line.relay.listen("c1") as listener:
        call = Call(stand_in, listener)
        journal = await Journal.open(tmp_path / "journal" / "journal.db")
        recordings = Recordings(
            tmp_path,
            journal=journal.recordings,
            relay=line.relay,
            find=line.calls.get,
            note=lambda *_: None,
            check=anybody_may,
            limit=10**9,
            free_floor=0,
            clock=lambda: call.now,
        )
        await recordings.open()
        await recordings.start("c1", PAGE)
        await call.connect()
        for minute in range(MINUTES):
            await call.play(60)
            if minute in DROPS:
                await call.drop(DROPS[minute])
            if minute in STALLS:
                await call.stall(STALLS[minute])
        await call.end()
        line.becomes(CallStatus.ENDED)
    await eventually(lambda: recordings.has("c1"))
    info = json.loads(await recordings.text("c1", "recording"))
    await recordings.aclose()
    await journal.aclose()

    part = info["parts"][0]
    kept, _ = soundfile.read(tmp_path / "c1" / "1.flac", dtype="int16", always_2d=True)
    pieces = [kept[piece["sample"] :][: piece["samples"]] for piece in part["pieces"]]
    assert np.array_equal(np.concatenate(pieces), np.frombuffer(b"".join(call.sent), "<i2").reshape(-1, 2))
    assert len(pieces) == 1 + len(DROPS)
    assert sum(len(piece) for piece in pieces) + round(RATE * sum(DROPS.values())) == len(kept)
    marks = [(mark["kind"], round(mark["seconds"] - STEP, 3)) for mark in part["marks"]]
    assert marks == [("stall", 2.048), ("gap", 3.0), ("gap", 40.0), ("stall", 0.768), ("gap", 0.7)]
