"""Recordings in an S3-compatible store: uploaded once they are finished, played and deleted from there by any process, and never lost."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from fastapi import FastAPI, Request
from starlette.middleware.base import RequestResponseEndpoint
from starlette.responses import Response

from services.domain.call import Call, CallStatus
from services.domain.client import PAGE, Client, Scope
from services.domain.errors import RecordingNotFound, RecordingUnfinished, StoreError
from services.recording.store import StoredSound
from services.web.problems import install_problems
from services.web.routes.clips import ClipAnswers
from services.web.routes.recordings import recording_router
from tests.journal.conftest import execute
from tests.patience import HANG_S
from tests.recording.s3 import S3, gate_to
from tests.recording.test_recordings import SECOND, Site, hold_until_written, site_in
from tests.serving import serving

pytestmark = pytest.mark.process


def loud() -> list[bytes]:
    """Six minutes of noise, which FLAC can't make smaller: an upload of several parts."""
    return [np.random.default_rng(n).bytes(1280) for n in range(6 * 50 * 60)]


@asynccontextmanager
async def stored_site(folder: Path, s3: S3, prefix: str, **options: Any) -> AsyncIterator[Site]:
    store = s3.store(prefix, **{name: options.pop(name) for name in ("url", "secret_key", "bucket") if name in options})
    async with site_in(folder, store=store, pauses_s=[0.05], **options) as site:
        yield site


async def until_stored(site: Site, call_id: str = "c1") -> None:
    async with asyncio.timeout(HANG_S):
        while (site.folder / call_id).exists():  # noqa: ASYNC110 - the disk tells nobody
            await asyncio.sleep(0.01)


async def until_objects(s3: S3, prefix: str, count: int) -> None:
    async with asyncio.timeout(HANG_S):
        while len(s3.objects(prefix)) != count:  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.05)


async def until_swept(folder: Path) -> None:
    async with asyncio.timeout(HANG_S):
        while not (await execute(f"sqlite:///{folder / 'journal' / 'journal.db'}", "SELECT swept FROM earshot_recordings"))[0][0]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def sound_of(site: Site, number: int = 1) -> bytes:
    sound = (await site.recordings.sounds("c1"))[number]
    assert isinstance(sound, StoredSound)
    return b"".join([chunk async for chunk in await sound.opened(0, sound.size)])


async def test_a_finished_recording_moves_to_the_store_and_is_played_from_there(tmp_path: Path, s3: S3, prefix: str) -> None:
    async with stored_site(tmp_path / "one", s3, prefix) as site:
        await site.kept(SECOND)
        assert site.recordings.has("c1")
        await until_stored(site)
        assert site.recordings.has("c1")
        flac, facts = sorted(s3.objects(prefix))
        assert flac.startswith("c1/")
        assert (flac.removesuffix(".flac"), facts.removesuffix(".json")) == (facts.removesuffix(".json"), flac.removesuffix(".flac"))
        info = json.loads(await site.recordings.text("c1", "recording"))
        assert (info["seconds"], [part["file"] for part in info["parts"]]) == (1.0, ["1.flac"])
        assert json.loads(await site.recordings.text("c1", "peaks"))["parts"][0]["peaksPerSecond"] == 20
        (tmp_path / "1.flac").write_bytes(await sound_of(site))
    async with stored_site(tmp_path / "one", s3, prefix) as site:
        assert site.recordings.has("c1"), "after a restart it is known without asking the store"
    import soundfile

    kept = soundfile.read(tmp_path / "1.flac", dtype="int16")[0]
    assert np.array_equal(kept, np.frombuffer(b"".join(SECOND), "<i2").reshape(-1, 2))


async def test_a_long_recording_is_uploaded_in_several_parts(tmp_path: Path, s3: S3, prefix: str) -> None:
    async with stored_site(tmp_path / "one", s3, prefix) as site:
        await site.kept(loud())
        made = (site.folder / "c1" / "1.flac").read_bytes() if (site.folder / "c1" / "1.flac").exists() else None
        await until_stored(site)
        stored = await sound_of(site)
        assert len(stored) > 5 * 1024 * 1024
        assert stored == (made or stored)
        assert max(s3.objects(prefix).values()) == len(stored)


async def test_recorded_again_there_are_two_parts_in_order(tmp_path: Path, s3: S3, prefix: str) -> None:
    async with stored_site(tmp_path / "one", s3, prefix) as site:
        with site.line.relay.listen("c1"):
            connection = await site.record(SECOND)
            await hold_until_written(site, 64_000)
            await site.recordings.stop("c1", PAGE)
            await until_stored(site)
            await site.recordings.start("c1", PAGE)
            for frame in SECOND[:25]:
                await connection.send(frame)
            await site.end(connection)
        await site.until(lambda: not site.recordings.recording("c1"))
        await until_objects(s3, prefix, 4)
        await until_stored(site)
        info = json.loads(await site.recordings.text("c1", "recording"))
        assert [part["seconds"] for part in info["parts"]] == [1.0, 0.5]
        assert [part["part"] for part in info["parts"]] == [1, 2]
        assert info["parts"][1]["at"] >= 1.0
        assert len(await sound_of(site, 2)) < len(await sound_of(site, 1))


async def test_while_the_store_is_down_the_file_stays_is_played_and_is_uploaded_later(tmp_path: Path, s3: S3, prefix: str) -> None:
    async with gate_to(s3.url) as gate:
        gate.shut = True
        async with stored_site(tmp_path / "one", s3, prefix, url=gate.url) as site:
            await site.kept(SECOND)
            await site.until(lambda: site.recordings.problem("c1") == "store_unavailable")
            assert isinstance((await site.recordings.sounds("c1"))[1], Path)
            assert json.loads(await site.recordings.text("c1", "recording"))["seconds"] == 1.0
        async with stored_site(tmp_path / "one", s3, prefix, url=gate.url) as site:  # and over a restart
            await site.until(lambda: site.recordings.problem("c1") == "store_unavailable")
            gate.shut = False
            await until_stored(site)
            await site.until(lambda: site.recordings.problem("c1") is None)
            assert len(await sound_of(site)) > 0
            gate.shut = True
            with pytest.raises(StoreError) as error:
                await site.recordings.text("c1", "recording")
            assert error.value.code == "store_unavailable"


@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        ({"secret_key": "a-wrong-secret"}, "store_refused", "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ({"bucket": "no-such-bucket"}, "store_absent", "Check EARSHOT_RECORDINGS"),
    ],
)
async def test_wrong_settings_are_told_plainly_lose_nothing_and_reveal_no_secret(
    tmp_path: Path, s3: S3, prefix: str, wrong: dict[str, str], code: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with stored_site(tmp_path / "one", s3, prefix, **wrong) as site:
            await site.kept(SECOND)
            await site.until(lambda: site.recordings.problem("c1") == code)
            assert (site.folder / "c1" / "1.flac").exists()
            assert isinstance((await site.recordings.sounds("c1"))[1], Path)
    assert words in caplog.text
    assert "recordings can't be stored" in caplog.text, "at the start, before anything was recorded"
    for secret in (s3.key_id, s3.secret_key, "a-wrong-secret"):
        assert secret not in caplog.text
        assert secret not in repr(s3.credentials())
    async with stored_site(tmp_path / "one", s3, prefix) as site:
        await until_stored(site)


async def test_a_deletion_reaches_the_store_however_long_it_is_down(tmp_path: Path, s3: S3, prefix: str) -> None:
    async with gate_to(s3.url) as gate:
        async with stored_site(tmp_path / "one", s3, prefix, url=gate.url) as site:
            await site.kept(SECOND)
            await until_stored(site)
            gate.shut = True
            await site.recordings.delete("c1", PAGE)
            assert not site.recordings.has("c1")
            with pytest.raises(RecordingNotFound):
                await site.recordings.text("c1", "recording")
            with pytest.raises(RecordingNotFound):
                await site.recordings.delete("c1", PAGE)
        assert s3.objects(prefix)
        async with stored_site(tmp_path / "one", s3, prefix, url=gate.url) as site:
            assert not site.recordings.has("c1")
            gate.shut = False
            await until_objects(s3, prefix, 0)


async def test_a_deletion_by_another_process_takes_what_waits_to_be_uploaded_too(tmp_path: Path, s3: S3, prefix: str) -> None:
    async with (
        gate_to(s3.url) as gate,
        stored_site(tmp_path / "one", s3, prefix, url=gate.url) as one,
        stored_site(tmp_path / "two", s3, prefix) as two,
    ):
        await one.kept(SECOND)
        await until_stored(one)
        await two.until(lambda: two.recordings.has("c1"))
        gate.shut = True
        one.line.calls["c1"] = Call(id="c1", status=CallStatus.IN_PROGRESS)
        await one.kept(SECOND)
        await one.until(lambda: one.recordings.problem("c1") == "store_unavailable")
        await two.recordings.delete("c1", PAGE)
        await one.until(lambda: not one.recordings.has("c1"))
        gate.shut = False
        await until_stored(one)
        await until_objects(s3, prefix, 0)
        assert not one.recordings.has("c1")
        assert not two.recordings.has("c1")


async def test_another_process_says_that_a_recording_is_not_in_the_store_yet_and_can_delete_it(tmp_path: Path, s3: S3, prefix: str) -> None:
    async with (
        gate_to(s3.url) as gate,
        stored_site(tmp_path / "one", s3, prefix, url=gate.url) as one,
        stored_site(tmp_path / "two", s3, prefix) as two,
    ):
        gate.shut = True
        with pytest.raises(RecordingNotFound):
            await two.recordings.text("c1", "recording")
        await one.kept(SECOND)
        await one.until(lambda: one.recordings.problem("c1") == "store_unavailable")
        for ask in (two.recordings.text("c1", "recording"), two.recordings.part("c1", 1, PAGE, action="download")):
            with pytest.raises(RecordingUnfinished, match="not in the store yet"):
                await ask
        await two.recordings.delete("c1", PAGE)
        await one.until(lambda: not one.recordings.has("c1"))
        for site in (one, two):
            with pytest.raises(RecordingNotFound):
                await site.recordings.text("c1", "recording")


async def test_what_was_deleted_while_its_process_was_not_running_is_not_uploaded(tmp_path: Path, s3: S3, prefix: str) -> None:
    async with gate_to(s3.url) as gate, stored_site(tmp_path / "one", s3, prefix, url=gate.url) as one:
        gate.shut = True
        await one.kept(SECOND)
    async with stored_site(tmp_path / "two", s3, prefix) as two:
        await two.recordings.delete("c1", PAGE)
        await until_swept(tmp_path)
    async with stored_site(tmp_path / "one", s3, prefix) as one:
        await until_stored(one)
        await one.until(lambda: not one.recordings.has("c1"))  # known a moment after its folder is gone
        assert s3.objects(prefix) == {}


async def test_what_waits_to_be_uploaded_is_never_deleted_to_make_room(tmp_path: Path, s3: S3, prefix: str) -> None:
    async with gate_to(s3.url) as gate:
        gate.shut = True
        async with stored_site(tmp_path / "one", s3, prefix, url=gate.url, limit=1_000) as site:
            site.recordings._disk.limit = 10_000_000
            await site.kept(SECOND)
            site.recordings._disk.limit = 1_000
            assert await site.recordings._make_room() == "limit"
            assert (site.folder / "c1" / "1.flac").exists()


class Api:
    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def get(self, **headers: str) -> tuple[int, bytes, Any]:
        async with self._session.get(f"{self._url}/api/calls/c1/recording", headers=headers) as answer:
            return answer.status, await answer.read(), answer.headers


@asynccontextmanager
async def api_of(site: Site) -> AsyncIterator[Api]:
    app = FastAPI()
    install_problems(app)
    app.include_router(recording_router(site.recordings, ClipAnswers(site.recordings)))

    @app.middleware("http")
    async def name(request: Request, go_on: RequestResponseEndpoint) -> Response:
        request.state.client = Client(name="robot", scopes=frozenset(Scope))
        return await go_on(request)

    async with serving(app) as url, aiohttp.ClientSession() as session:
        yield Api(url, session)


async def test_a_player_may_ask_the_store_for_a_part_of_the_file(tmp_path: Path, s3: S3, prefix: str) -> None:
    async with gate_to(s3.url) as gate, stored_site(tmp_path / "one", s3, prefix, url=gate.url) as site, api_of(site) as api:
        await site.kept([np.random.default_rng(n).bytes(1280) for n in range(1_500)])  # more than is read at once
        await until_stored(site)
        status, whole, headers = await api.get()
        assert (status, headers["Content-Type"], headers["Accept-Ranges"]) == (200, "audio/flac", "bytes")
        assert headers["Content-Disposition"] == 'attachment; filename="call-c1.flac"'
        assert whole[:4] == b"fLaC"
        assert len(whole) == int(headers["Content-Length"]) > 1024 * 1024
        for asked, expected in {
            "bytes=0-": whole,
            "bytes=10-19": whole[10:20],
            "bytes=-7": whole[-7:],
            "bytes=1048570-1048585": whole[1_048_570:1_048_586],
            "bytes=100-99999999": whole[100:],
        }.items():
            status, got, ranged = await api.get(Range=asked)
            assert (status, got == expected) == (206, True), asked
            first = len(whole) - len(expected) if asked in ("bytes=0-", "bytes=-7", "bytes=100-99999999") else int(asked[6:].split("-")[0])
            assert ranged["Content-Range"] == f"bytes {first}-{first + len(expected) - 1}/{len(whole)}"
        assert (await api.get(Range="bytes=9-3"))[:2] == (200, whole)
        assert (await api.get(Range="bytes=0-9", **{"If-Range": '"another"'}))[:2] == (200, whole)
        assert (await api.get(Range="bytes=0-9", **{"If-Range": headers["ETag"]}))[:2] == (206, whole[:10])
        status, problem, ranged = await api.get(Range="bytes=99999999-")
        assert (status, json.loads(problem)["code"], ranged["Content-Range"]) == (416, "range_not_satisfiable", f"bytes */{len(whole)}")
        gate.shut = True
        status, problem, _ = await api.get()
        assert (status, json.loads(problem)["code"], json.loads(problem)["retryable"]) == (503, "store_unavailable", True)
