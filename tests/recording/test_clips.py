"""Clips of a recording: the samples between two moments, the lines in them, and what is refused."""

import asyncio
import errno
import io
import json
import threading
from typing import Any

import numpy as np
import pytest
import soundfile

from services.domain.client import Scope
from services.recording import clips
from tests.listening.stand_in import START
from tests.patience import HANG_S
from tests.recording.test_recordings import SECOND, Api, api, as_samples, hold_until_written, site, sound  # noqa: F401 - fixtures

SAID = {"type": "transcript", "role": "customer", "transcriptType": "final", "transcript": "The price, please"}


async def recorded(api: Api) -> None:  # noqa: F811
    """A second of sound, in the middle of which somebody spoke."""
    await api.ask("POST", json={"on": True})
    connection = await api.site.stand_in.connection()
    await connection.send(START)
    for frame in SECOND[:25]:
        await connection.send(frame)
    await connection.send(json.dumps(SAID))
    for frame in SECOND[25:]:
        await connection.send(frame)
    await hold_until_written(api.site, 64_000)
    await api.ask("POST", json={"on": False})
    await api.site.until(lambda: api.site.recordings.has("c1"))


@pytest.mark.parametrize("form", ["flac", "wav"])
async def test_a_clip_is_the_samples_between_two_moments(api: Api, form: str) -> None:  # noqa: F811
    await recorded(api)
    status, body, headers = await api.ask("GET", f"/clip?from=0.25&to=0.75&format={form}")
    assert (status, headers["Content-Type"], headers["Content-Length"]) == (200, f"audio/{form}", str(len(body)))
    assert headers["Content-Disposition"] == f'attachment; filename="call-c1-0.25-0.75.{form}"'
    with soundfile.SoundFile(io.BytesIO(body)) as clip:
        assert (clip.format, clip.samplerate) == (form.upper(), 16_000)
        assert "customer: The price, please" in clip.comment
        assert np.array_equal(clip.read(dtype="int16"), as_samples(SECOND)[4000:12_000])
    assert ("robot", "download-clip", "c1") in api.site.audit


async def test_its_lines_have_times_from_its_beginning(api: Api) -> None:  # noqa: F811
    await recorded(api)
    (said,) = (await api.ask("GET", "/transcript"))[1]["lines"]
    status, found, _ = await api.ask("GET", "/clip?from=0.25&to=0.75&format=json")
    assert (status, found["lines"][0]["text"]) == (200, "The price, please")
    assert found["lines"][0]["until"] == pytest.approx(said["until"] - 0.25)
    assert (await api.ask("GET", "/clip?from=0.9&format=json"))[1]["lines"] == []


async def test_one_that_goes_on_past_the_end_stops_there(api: Api) -> None:  # noqa: F811
    await recorded(api)
    _, body, _ = await api.ask("GET", "/clip?from=0.5")
    assert np.array_equal(soundfile.read(io.BytesIO(body), dtype="int16")[0], as_samples(SECOND)[8000:])


@pytest.mark.parametrize("query", ["from=0.5&to=0.5", "from=0.5&to=0.2", "from=0&to=600.5", "from=2&to=3", "from=nan", "from=-1"])
async def test_what_is_no_clip_is_refused(api: Api, query: str) -> None:  # noqa: F811
    await recorded(api)
    assert (await api.ask("GET", f"/clip?{query}"))[1]["code"] == "invalid_request"


async def test_who_may_not_listen_gets_neither_sound_nor_lines(api: Api) -> None:  # noqa: F811
    await recorded(api)
    api.scopes = frozenset(Scope) - {Scope.LISTEN}
    for form in ("flac", "json"):
        assert (await api.ask("GET", f"/clip?to=1&format={form}"))[1]["code"] == "forbidden_scope"
    api.scopes = frozenset({Scope.LISTEN})
    assert (await api.ask("GET", "/clip?to=1&format=json"))[1]["code"] == "forbidden_scope"
    _, body, _ = await api.ask("GET", "/clip?to=1")
    with soundfile.SoundFile(io.BytesIO(body)) as clip:
        assert "price" not in clip.comment


async def test_a_call_without_a_recording_has_no_clip(api: Api) -> None:  # noqa: F811
    assert (await api.ask("GET", "/clip"))[1]["code"] == "recording_not_found"


@pytest.mark.slow
async def test_only_some_wait_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    await recorded(api)
    monkeypatch.setattr(clips, "_WAITING", 0)
    status, problem, headers = await api.ask("GET", "/clip")
    assert (status, problem["retryable"], headers["Retry-After"]) == (429, True, "5")
    monkeypatch.undo()
    assert [answer[0] for answer in await asyncio.gather(*(api.ask("GET", "/clip") for _ in range(4)))] == [200] * 4


@pytest.mark.slow
async def test_a_client_has_few_clips_at_once_and_all_places_come_back(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    await recorded(api)
    go, copy = threading.Event(), clips._copy

    def slow(*arguments: Any) -> Any:
        assert go.wait(HANG_S)
        return copy(*arguments)

    monkeypatch.setattr(clips, "_copy", slow)
    async with asyncio.timeout(HANG_S):
        asking = [asyncio.ensure_future(api.ask("GET", "/clip")) for _ in range(5)]
        done, _pending = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        assert [first.result()[0] for first in done] == [429]
        go.set()
        assert [(await one)[0] for one in asking if one not in done] == [200] * 4
        while (await api.ask("GET", "/clip"))[0] != 200:  # noqa: ASYNC110 - a place comes back a moment after the answer
            await asyncio.sleep(0.02)


class Full(io.BytesIO):
    """A file on a disk that has room for `SIZE` bytes."""

    SIZE = 0

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > self.SIZE:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, 20_000])
async def test_a_full_disk_is_said(api: Api, monkeypatch: pytest.MonkeyPatch, size: int) -> None:  # noqa: F811
    await recorded(api)
    monkeypatch.setattr(Full, "SIZE", size)
    monkeypatch.setattr(clips, "TemporaryFile", Full)
    status, problem, _ = await api.ask("GET", "/clip?format=wav")
    assert (status, problem["code"]) == (507, "disk")
    monkeypatch.undo()
    assert (await api.ask("GET", "/clip"))[0] == 200


@pytest.mark.slow
async def test_the_page_fetches_clips_with_its_own_authentication(api: Api) -> None:  # noqa: F811
    await recorded(api)
    async with api.session.get(f"{api.url}/recordings/c1/clip.wav?from=0.25&to=0.75") as answer:
        assert (answer.status, answer.content_type) == (200, "audio/wav")
        body = await answer.read()
    assert np.array_equal(soundfile.read(io.BytesIO(body), dtype="int16")[0], as_samples(SECOND)[4000:12_000])
    async with api.session.get(f"{api.url}/recordings/c1/1.flac") as answer:
        assert answer.status == 200
