"""A process that records is killed at a random moment: what it had heard until a second before is there after the next start."""

import asyncio
import json
import random
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from services.domain.call import Call, CallStatus, ListenTarget
from services.domain.client import PAGE
from services.journal import Journal
from services.listening.relay import Relay
from services.recording.folder import RecordingFolder
from services.recording.recordings import Recordings
from tests.desks import anybody_may
from tests.listening.stand_in import START, StandIn, pcm

FRAME = 0.02
ROOT = Path(__file__).parents[2]


@pytest.mark.process
@pytest.mark.parametrize("seed", range(3))
async def test_at_most_the_last_second_is_missing(tmp_path: Path, seed: int) -> None:
    moment = random.Random(seed).uniform(1.5, 4.5)  # noqa: S311 - a time, not a secret
    sent = 0
    async with StandIn() as vapi:
        command = (sys.executable, "-m", "tests.recording.test_killed", vapi.url, str(tmp_path))
        recorder = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
        try:
            connection = await vapi.connection()
            await connection.send(START)
            began = time.monotonic()
            while time.monotonic() < began + moment:
                await connection.send(pcm(320 * sent, 320))
                sent += 1
                await asyncio.sleep(began + FRAME * sent - time.monotonic())
        finally:
            recorder.kill()
            await recorder.wait()
    assert RecordingFolder(tmp_path).finish("c1")
    kept, _ = soundfile.read(tmp_path / "c1" / "1.flac", dtype="int16")
    everything = np.frombuffer(b"".join(pcm(320 * frame, 320) for frame in range(sent)), "<i2").reshape(-1, 2)
    assert len(everything) - len(kept) <= 16_000
    assert np.array_equal(kept, everything[: len(kept)])
    assert json.loads(RecordingFolder(tmp_path).text("c1", "recording"))["parts"][0]["end"] == "crash"


async def record(url: str, folder: str) -> None:
    """Records until it is killed."""
    call = Call(id="c1", status=CallStatus.IN_PROGRESS)

    async def target(_call_id: str) -> ListenTarget:
        return ListenTarget(url=url)

    relay = Relay(target=target, find={"c1": call}.get, hint=lambda _: None)
    journal = await Journal.open(Path(folder) / "journal.db")
    recordings = Recordings(
        Path(folder), journal=journal.recordings, relay=relay, find={"c1": call}.get, note=lambda *_: None, check=anybody_may, limit=10**9
    )
    await recordings.open()
    await recordings.start("c1", PAGE)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(record(*sys.argv[1:]))
