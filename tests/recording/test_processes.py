"""Two whole apps, each with a data folder of its own, on one journal: what one records, the other knows, stops, continues and plays."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.journal.conftest import execute
from tests.journal.test_apps import Apps
from tests.patience import HANG_S
from tests.process import Process
from tests.recording.s3 import S3, gate_to

pytestmark = pytest.mark.process

ALL = {"EARSHOT_RECORD": "on"}
FRAME_S = 0.02


@asynccontextmanager
async def speaking(apps: Apps, call_id: str) -> AsyncIterator[None]:
    """Noise for whoever listens to the call, a frame each 20 ms."""

    async def speak() -> None:
        while True:
            for socket in list(apps.vapi.listeners[call_id]):
                try:
                    await socket.send_bytes(random.randbytes(1280))  # noqa: S311 - sound
                except ConnectionError:
                    apps.vapi.listeners[call_id].discard(socket)
            await asyncio.sleep(FRAME_S)

    task = asyncio.create_task(speak())
    try:
        yield
    finally:
        task.cancel()


async def running_call(apps: Apps, app: Process) -> str:
    _, call = await apps.place(app)
    apps.vapi.move(call["id"], "in-progress")
    return str(call["id"])


async def end(apps: Apps, app: Process, call_id: str) -> None:
    status, _ = await apps.ask(app, "POST", f"/api/calls/{call_id}/end")
    assert status == 200


async def switch(apps: Apps, app: Process, call_id: str, on: bool) -> dict[str, Any]:
    status, answer = await apps.ask(app, "POST", f"/api/calls/{call_id}/recording", json={"on": on})
    assert status == 200, answer
    return answer


async def document(apps: Apps, app: Process, call_id: str, name: str = "info", *, parts: int = 1) -> dict[str, Any]:
    """A document of the recording, once that has so many parts."""
    async with asyncio.timeout(HANG_S):
        while True:
            status, answer = await apps.ask(app, "GET", f"/api/calls/{call_id}/recording/{name}")
            if status == 200 and len(answer["parts"]) == parts:
                return answer
            assert status in (200, 404, 409), answer
            await asyncio.sleep(0.05)


async def sound(app: Process, call_id: str, part: int = 1) -> bytes:
    async with aiohttp.request("GET", f"{app.url}/api/calls/{call_id}/recording?part={part}") as answer:
        assert answer.status == 200
        return await answer.read()


async def written(folder: Path, call_id: str, number: int = 1) -> None:
    raw = folder / call_id / f"{number}.pcm"
    async with asyncio.timeout(HANG_S):
        while not raw.exists() or raw.stat().st_size < 32_000:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.05)


async def recorder_of(apps: Apps, call_id: str) -> str:
    rows = await execute(apps.url, f"SELECT recorder FROM earshot_recordings WHERE call_id = '{call_id}'")  # noqa: S608
    return str(rows[0][0]) if rows else ""


async def until_heard(apps: Apps) -> None:
    """Until the lease says since when there is sound."""
    async with asyncio.timeout(HANG_S):
        while not (await execute(apps.url, "SELECT heard_from FROM earshot_recordings"))[0][0]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def until_recorded_by_another(apps: Apps, call_id: str, than: str) -> None:
    async with asyncio.timeout(HANG_S):
        while await recorder_of(apps, call_id) in ("", than):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_one_app_stops_and_starts_what_another_records_and_both_play_it(apps: Apps, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    one, other = [await apps.start(**ALL, EARSHOT_RECORDINGS=str(shared)) for _ in range(2)]
    call_id = await running_call(apps, one)
    async with speaking(apps, call_id):
        await written(shared, call_id)
        first = await recorder_of(apps, call_id)
        assert (await switch(apps, other, call_id, True))["on"]
        assert await recorder_of(apps, call_id) == first, "it is being recorded: there is nothing to do"
        status, problem = await apps.ask(other, "DELETE", f"/api/calls/{call_id}/recording")
        assert (status, problem["code"]) == (409, "recording_in_progress")
        assert not (await switch(apps, other, call_id, False))["on"]
        assert await recorder_of(apps, call_id) == ""
        assert not (await switch(apps, one, call_id, False))["on"]
        assert (await switch(apps, other, call_id, True))["on"]
        assert await recorder_of(apps, call_id) not in ("", first)
        assert (await switch(apps, one, call_id, True))["on"]
        await written(shared, call_id, 2)
        await end(apps, one, call_id)
    for app in (one, other):
        info = await document(apps, app, call_id, parts=2)
        assert [mark for part in info["parts"] for mark in part["marks"] if mark["kind"] == "takeover"] == []
        assert (await sound(app, call_id, 2))[:4] == b"fLaC"
    async with aiohttp.request("DELETE", f"{other.url}/api/calls/{call_id}/recording") as answer:
        assert answer.status == 204
    async with asyncio.timeout(HANG_S):
        while (await apps.ask(one, "GET", f"/api/calls/{call_id}/recording/info"))[0] != 404:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_what_is_missing_after_a_takeover_is_marked(apps: Apps, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    one = await apps.start(**ALL, EARSHOT_RECORDINGS=str(shared))
    call_id = await running_call(apps, one)
    async with speaking(apps, call_id):
        await written(shared, call_id)
        other = await apps.start(**ALL, EARSHOT_RECORDINGS=str(shared))
        first = await recorder_of(apps, call_id)
        await until_heard(apps)
        one.kill()
        await until_recorded_by_another(apps, call_id, first)
        await written(shared, call_id, 2)
        await end(apps, other, call_id)
    peaks = await document(apps, other, call_id, "peaks", parts=2)
    [mark] = [mark for mark in peaks["marks"] if mark["kind"] == "takeover"]
    before, after = peaks["parts"]
    assert mark["at"] == after["at"]
    assert mark["seconds"] == pytest.approx(after["at"] - before["seconds"], abs=0.002)
    assert mark["seconds"] > 1.0
    info = await document(apps, other, call_id, parts=2)
    assert [part["end"] for part in info["parts"]] == ["crash", "call ended"]


async def test_a_recording_that_the_store_has_is_played_by_both_also_after_a_takeover(
    apps: Apps, tmp_path: Path, s3: S3, prefix: str
) -> None:
    """Each has a folder of its own. What the killed one had recorded is added when it starts again."""
    environ = ALL | s3.environ(prefix)
    one = await apps.start(**environ)
    call_id = await running_call(apps, one)
    async with speaking(apps, call_id):
        await written(tmp_path / "data-1" / "recordings", call_id)
        other = await apps.start(**environ)
        first = await recorder_of(apps, call_id)
        await until_heard(apps)
        one.kill()
        await until_recorded_by_another(apps, call_id, first)
        await written(tmp_path / "data-2" / "recordings", call_id)
        await end(apps, other, call_id)
    peaks = await document(apps, other, call_id, "peaks")
    [mark] = [mark for mark in peaks["marks"] if mark["kind"] == "takeover"]
    assert mark["seconds"] == mark["at"] == peaks["parts"][0]["at"] > 1.0, "all before it is missing, from 0.0 s on"
    again = await apps.start(**environ | {"EARSHOT_DATA_DIR": str(tmp_path / "data-1")})
    for app in (other, again):
        peaks = await document(apps, app, call_id, "peaks", parts=2)
        [mark] = [mark for mark in peaks["marks"] if mark["kind"] == "takeover"]
        assert 0 < mark["seconds"] < mark["at"], "what the other had recorded is no longer missing"
        assert (await sound(app, call_id))[:4] == (await sound(app, call_id, 2))[:4] == b"fLaC"
    assert len(s3.objects(prefix)) == 4
    assert await sound(other, call_id) == await sound(again, call_id)


async def test_an_app_that_is_killed_in_the_middle_of_an_upload_does_it_again(apps: Apps, tmp_path: Path, s3: S3, prefix: str) -> None:
    async with gate_to(s3.url) as gate:
        gate.most = 8_000
        environ = ALL | s3.environ(prefix, gate.url)
        one = await apps.start(**environ)
        call_id = await running_call(apps, one)
        async with speaking(apps, call_id):
            await written(tmp_path / "data-1" / "recordings", call_id)
            await end(apps, one, call_id)
        async with asyncio.timeout(HANG_S):
            await gate.held_back.wait()
        assert (await document(apps, one, call_id))["seconds"] > 0, "readable while it is uploaded"
        kept = await sound(one, call_id)
        one.kill()
        assert s3.objects(prefix) == {}
        gate.most = None
        again = await apps.start(**environ | {"EARSHOT_DATA_DIR": str(tmp_path / "data-1")})
        async with asyncio.timeout(HANG_S):
            while (tmp_path / "data-1" / "recordings" / call_id).exists():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await sound(again, call_id) == kept
        assert again.stop() == 0
        for secret in (s3.key_id, s3.secret_key):
            assert secret not in again.output
        assert sorted(name.rsplit(".", 1)[1] for name in s3.objects(prefix)) == ["flac", "json"]
