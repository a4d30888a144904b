"""Vapi's own recordings through our routes: from private storage to a player, in ranges, with a waveform, and with no key on the way."""

import asyncio
import gzip
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from aiohttp import web

from services.desk.calls.lookups import PER_MINUTE
from services.domain.call import Call, CallStatus
from services.domain.client import PAGE
from services.recording.vapi_recordings import VapiRecordings
from services.vapi.addresses import may_fetch
from services.vapi.gateway import Gateway
from tests.patience import HANG_S
from tests.serving import other_server
from tests.web.test_api import NUMBER, Client, client_of

RATE = 16_000
ROUTE = "/api/calls/one/vapi-recording"
API = "https://api.vapi.ai"
LOUD = {"customer": 0.25, "assistant": 0.5}


def sound(kind: str = "WAV", *, channels: int = 2, seconds: float = 2.0) -> bytes:
    """The customer speaks in the first half, the assistant in the second."""
    tone = np.sin(np.arange(int(RATE * seconds)) * 0.3)
    half = len(tone) // 2
    samples = np.stack([np.where(np.arange(len(tone)) < half, tone, 0) * 0.25, np.where(np.arange(len(tone)) < half, 0, tone) * 0.5], 1)
    file = io.BytesIO()
    soundfile.write(file, samples if channels == 2 else samples.sum(axis=1), RATE, format=kind)
    return file.getvalue()


Answer = Callable[[web.Request], web.StreamResponse | Awaitable[web.StreamResponse]]


def nothing(_request: web.Request) -> web.StreamResponse:
    return web.json_response({"message": "Not Found"}, status=404)


class Vapi:
    """Vapi's API and its storage. Tests set what each path answers; `asked` has each request's path and whether it carried a key."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, bool]] = []
        self.answers: dict[str, Answer] = {}
        self.artifact: dict[str, Any] = {}
        self.more: dict[str, Any] = {}
        self.stored(sound())

    def stored(self, content: bytes, kind: str = "stereo") -> None:
        self.answers[f"/call/one/{kind}-recording"] = lambda _: web.Response(status=302, headers={"Location": f"/storage/{kind}?key=1"})
        self.answers[f"/storage/{kind}"] = lambda _: web.Response(body=content, content_type="application/octet-stream")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith(("/call/", "/storage/")):  # the desk reads lists as well
            self.asked.append((request.path, "Authorization" in request.headers))
        if request.path == "/call/one":
            return web.json_response({"id": "one", "status": "ended", "artifact": self.artifact, **self.more})
        if request.path in ("/call", "/assistant", "/phone-number"):
            return web.json_response([])
        answer = self.answers.get(request.path, nothing)
        found = answer(request)
        return found if isinstance(found, web.StreamResponse) else await found

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@asynccontextmanager
async def serve(stand_in: Vapi) -> AsyncIterator[Vapi]:
    app = web.Application()
    app.router.add_get("/{path:.*}", stand_in.answer)
    async with other_server(app) as stand_in.url:
        yield stand_in


@pytest.fixture
async def vapi() -> AsyncIterator[Vapi]:
    async with serve(Vapi()) as served:
        yield served


@asynccontextmanager
async def knowing(folder: Path, vapi: Vapi, **more: Any) -> AsyncIterator[Client]:
    """An API that knows a call, `one`, which ended an hour ago unless `more` says otherwise."""
    at = datetime.now(UTC) - timedelta(hours=2)
    facts: dict[str, Any] = {"status": CallStatus.ENDED, "created_at": at, "started_at": at, "ended_at": at + timedelta(hours=1)} | more
    async with client_of(folder, Gateway(api_key="private", base_url=vapi.url)) as client:
        await client.desk.journal.save(Call(id="one", to=NUMBER, **facts))
        yield client


@pytest.fixture
async def client(vapi: Vapi, tmp_path: Path) -> AsyncIterator[Client]:
    async with knowing(tmp_path, vapi) as made:
        yield made


async def fetch(client: Client, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    async with client.session.get(client.url + ROUTE, headers=headers) as answer:
        return answer.status, await answer.read(), {name.lower(): value for name, value in answer.headers.items()}


async def refused(client: Client, path: str = ROUTE) -> tuple[int, str]:
    status, problem, _ = await client.ask("GET", path)
    return status, problem["code"]


async def test_it_comes_whole_from_private_storage_and_the_key_goes_to_the_api_alone(client: Client, vapi: Vapi) -> None:
    status, body, headers = await fetch(client)
    assert (status, body) == (200, sound())
    assert (headers["content-type"], headers["x-content-type-options"]) == ("audio/wav", "nosniff")
    assert headers["content-disposition"] == 'attachment; filename="call-one-vapi.wav"'
    assert vapi.asked == [("/call/one/stereo-recording", True), ("/storage/stereo", False)]


@pytest.mark.slow
async def test_ranges_are_those_of_the_whole_file(client: Client) -> None:
    parts = {
        "bytes=0-9": slice(0, 10),
        "bytes=44-": slice(44, None),
        "bytes=-100": slice(-100, None),
        "bytes=100-99999999": slice(100, None),
        "bytes=0-": slice(0, None),
    }
    whole, wrong = sound(), []
    for asked in [*parts, "bytes=9-2", "bytes=-", "lines=1-2"]:
        status, body, headers = await fetch(client, Range=asked)
        assert headers["accept-ranges"] == "bytes"
        if asked in parts:
            start, stop, _ = parts[asked].indices(len(whole))
            right = (status, body) == (206, whole[parts[asked]]) and headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole)}"
        else:
            right = (status, body) == (200, whole)
        if not right:
            wrong.append((asked, status, len(body), headers))
    assert wrong == []


async def test_a_range_beyond_the_end_is_told(client: Client) -> None:
    status, _, headers = await fetch(client, Range="bytes=9999999-")
    assert (status, headers["content-range"]) == (416, f"bytes */{len(sound())}")


@pytest.mark.slow
async def test_vapi_is_asked_once_however_often_a_player_seeks(client: Client, vapi: Vapi) -> None:
    await asyncio.gather(*(fetch(client, Range=f"bytes={first}-") for first in (0, 100, 5000, 0)))
    await client.ask("GET", f"{ROUTE}/peaks")
    assert vapi.paths == ["/call/one/stereo-recording", "/storage/stereo"]


@pytest.mark.slow
async def test_the_waveform_has_a_lane_for_each_speaker(client: Client) -> None:
    _, found, _ = await client.ask("GET", f"{ROUTE}/peaks")
    (part,) = found["parts"]
    assert (found["callId"], found["seconds"], part["seconds"], part["peaksPerSecond"]) == ("one", 2.0, 2.0, 20)
    customer, assistant = part["lanes"]
    assert len(customer) == len(assistant) == 40
    assert [max(customer[:20]), max(customer[20:])] == [round(LOUD["customer"] * 255), 0]
    assert [max(assistant[:20]), max(assistant[20:])] == [0, round(LOUD["assistant"] * 255)]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "media_type"), [("MP3", "audio/mpeg"), ("FLAC", "audio/flac"), ("WAV", "audio/wav")])
async def test_every_format_of_vapi_s_is_served_and_drawn(client: Client, vapi: Vapi, kind: str, media_type: str) -> None:
    vapi.stored(sound(kind))
    _, body, headers = await fetch(client)
    assert (headers["content-type"], body) == (media_type, sound(kind))
    _, found, _ = await client.ask("GET", f"{ROUTE}/peaks")
    assert len(found["parts"][0]["lanes"]) == 2
    assert found["seconds"] == pytest.approx(2.0, abs=0.15)


@pytest.mark.slow
async def test_mono_is_taken_where_there_is_no_stereo(client: Client, vapi: Vapi) -> None:
    del vapi.answers["/call/one/stereo-recording"]
    vapi.stored(sound(channels=1), "mono")
    assert (await fetch(client))[1] == sound(channels=1)
    _, found, _ = await client.ask("GET", f"{ROUTE}/peaks")
    assert len(found["parts"][0]["lanes"]) == 1


@pytest.mark.parametrize(("minutes", "expected"), [(5, 200), (-5, 404)])
async def test_an_address_in_the_call_is_taken_until_it_expires(client: Client, vapi: Vapi, minutes: int, expected: int) -> None:
    vapi.answers = {"/storage/presigned": lambda _: web.Response(body=sound())}
    expires = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    vapi.artifact = {"presignedStereoUrl": f"{vapi.url}/storage/presigned?key=1", "presignedUrlsExpiresAt": expires}
    assert (await fetch(client))[0] == expected
    assert ("/storage/presigned", False) in vapi.asked or expected == 404
    assert ("/storage/presigned", True) not in vapi.asked


@pytest.mark.parametrize("name", ["recordingUrl", "stereoRecordingUrl"])
async def test_an_address_beside_the_artifact_is_taken(client: Client, vapi: Vapi, name: str) -> None:
    vapi.answers = {"/storage/old": lambda _: web.Response(body=sound())}
    vapi.more = {name: f"{vapi.url}/storage/old"}
    assert (await fetch(client))[:2] == (200, sound())
    assert ("/storage/old", False) in vapi.asked


async def test_what_only_its_owner_may_read_is_no_recording(client: Client, vapi: Vapi) -> None:
    vapi.answers = {"/storage/raw": lambda _: web.Response(status=400, text="InvalidArgument: Authorization")}
    vapi.artifact = {"recording": {"stereoUrl": f"{vapi.url}/storage/raw"}}
    assert await refused(client) == (404, "recording_not_found")


@pytest.mark.parametrize(("minutes", "expected"), [(1, (409, "recording_not_ready")), (20, (404, "recording_not_found"))])
async def test_soon_after_the_call_it_may_still_come(vapi: Vapi, tmp_path: Path, minutes: int, expected: tuple[int, str]) -> None:
    answers, vapi.answers = vapi.answers, {}
    async with knowing(tmp_path, vapi, ended_at=datetime.now(UTC) - timedelta(minutes=minutes)) as client:
        status, problem, answer = await client.ask("GET", ROUTE)
        assert (status, problem["code"]) == expected
        assert ("Retry-After" in answer.headers, problem["retryable"]) == (status == 409, status == 409)
        vapi.answers = answers
        assert (await fetch(client))[0] == 200


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"status": CallStatus.IN_PROGRESS, "ended_at": None}, (409, "recording_not_ready")),
        ({"started_at": None}, (404, "recording_not_found")),
    ],
)
async def test_vapi_is_not_asked_for_what_it_can_t_have(
    vapi: Vapi, tmp_path: Path, facts: dict[str, Any], expected: tuple[int, str]
) -> None:
    async with knowing(tmp_path, vapi, **facts) as client:
        assert await refused(client) == expected
        assert not [path for path in vapi.paths if "recording" in path]


async def test_a_call_that_does_not_exist(client: Client) -> None:
    assert await refused(client, "/api/calls/nobody/vapi-recording") == (404, "call_not_found")


@pytest.mark.parametrize(
    ("status", "expected"), [(401, (502, "vapi_unauthorized")), (429, (502, "vapi_refused")), (500, (502, "vapi_unavailable"))]
)
async def test_vapi_s_refusals_are_told(client: Client, vapi: Vapi, status: int, expected: tuple[int, str]) -> None:
    vapi.answers["/call/one/stereo-recording"] = lambda _: web.Response(status=status)
    assert await refused(client) == expected
    vapi.stored(sound())
    assert (await fetch(client))[0] == 200


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"<html><script>alert(1)</script></html>", b"", b"RI", b'{"message": "soon"}'])
async def test_what_is_not_sound_is_never_served_from_here(client: Client, vapi: Vapi, content: bytes) -> None:
    vapi.stored(content)
    assert await refused(client) == (502, "vapi_unavailable")


async def test_damaged_sound_has_no_waveform(client: Client, vapi: Vapi) -> None:
    vapi.stored(b"RIFF" + b"nonsense" * 100)
    assert await refused(client, f"{ROUTE}/peaks") == (502, "vapi_unavailable")


@pytest.mark.parametrize(
    ("url", "base", "expected"),
    [
        ("https://bucket.r2.cloudflarestorage.example/one.wav?X-Amz-Signature=1", API, True),
        ("https://api.vapi.ai/x", API, True),
        ("http://127.0.0.1:9000/storage/x", "http://127.0.0.1:9000", True),
        ("http://bucket.example/one.wav", API, False),
        ("http://127.0.0.1:9001/x", "http://127.0.0.1:9000", False),
        ("https://127.0.0.1/x", API, False),
        ("https://169.254.169.254/latest/meta-data", API, False),
        ("https://10.0.0.1/x", API, False),
        ("https://[::1]/x", API, False),
        ("https://localhost/x", API, False),
        ("https://metadata.google.internal/x", API, False),
        ("https://intranet/x", API, False),
        ("https://user@bucket.example/x", API, False),
        ("https://bucket.example\\@evil.example/x", API, False),
        ("https://bucket.example/x\r\nHost: evil", API, False),
        ("ftp://bucket.example/x", API, False),
        ("file:///etc/passwd", API, False),
        ("https://", API, False),
        ("https://127.1/x", API, False),
        ("https://0x7f.0.0.1/x", API, False),
        ("https://192.168.1/x", API, False),
        ("https://localhost./x", API, False),
        ("https://224.0.0.1/x", API, False),
        ("https://[64:ff9b::7f00:1]/x", API, False),
        ("https://[2002:a00:1::]/x", API, False),
        ("https://[fec0::1]/x", API, False),
        ("https://192.0.0.192/opc/v1", API, False),
        ("https://168.63.129.16/machine", API, False),
        ("https://a..example/x", API, False),
        (f"https://{'a' * 64}.example/x", API, False),
        ("https://storage.3e.example/x", API, True),
    ],
)
def test_addresses_that_may_be_fetched(url: str, base: str, expected: bool) -> None:
    assert may_fetch(url, base_url=base) is expected


@pytest.mark.slow
@pytest.mark.parametrize(
    "location", ["http://localhost:1/x", "https://10.0.0.1/x", "file:///etc/passwd", "https://[", "//a]b/", "https://a..example/x"]
)
async def test_a_redirect_into_this_network_or_nowhere_is_not_followed(client: Client, vapi: Vapi, location: str) -> None:
    vapi.answers["/call/one/stereo-recording"] = lambda _: web.Response(status=302, headers={"Location": location})
    assert await refused(client) == (502, "vapi_unavailable")
    vapi.answers["/call/one/stereo-recording"] = lambda _: web.Response(status=302, headers={"Location": "/storage/stereo"})
    vapi.answers["/storage/stereo"] = lambda _: web.Response(status=302, headers={"Location": location})
    assert await refused(client) == (502, "vapi_unavailable")


async def test_a_redirect_in_circles_ends(client: Client, vapi: Vapi) -> None:
    vapi.answers["/storage/stereo"] = lambda _: web.Response(status=302, headers={"Location": "/storage/stereo"})
    assert await refused(client) == (502, "vapi_unavailable")
    assert vapi.paths == ["/call/one/stereo-recording", *["/storage/stereo"] * 3]


@pytest.mark.slow
async def test_it_plays_while_it_arrives(client: Client, vapi: Vapi) -> None:
    whole, rest = sound(seconds=60), asyncio.Event()

    async def slowly(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(whole))})
        await response.prepare(request)
        await response.write(whole[:1_000_000])
        await rest.wait()
        await response.write(whole[1_000_000:])
        return response

    vapi.answers["/storage/stereo"] = slowly
    async with asyncio.timeout(HANG_S):
        assert (await fetch(client, Range="bytes=0-499999"))[1] == whole[:500_000]
        late = asyncio.create_task(fetch(client))
        rest.set()
        assert (await late)[1] == whole


async def test_a_download_that_breaks_off_is_no_recording_and_begins_anew(client: Client, vapi: Vapi) -> None:
    async def breaks_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(sound()))})
        await response.prepare(request)
        await response.write(sound()[:1000])
        assert request.transport
        request.transport.close()
        return response

    vapi.answers["/storage/stereo"] = breaks_off
    assert await refused(client, f"{ROUTE}/peaks") == (502, "vapi_unavailable")
    vapi.stored(sound())
    assert (await fetch(client))[1] == sound()


@pytest.mark.slow
async def test_a_chunked_answer_is_served_with_its_length(client: Client, vapi: Vapi) -> None:
    async def chunked(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(sound())
        return response

    vapi.answers["/storage/stereo"] = chunked
    status, body, headers = await fetch(client)
    assert (status, body, headers["content-length"]) == (200, sound(), str(len(sound())))


async def test_who_hears_it_is_in_the_audit_once(client: Client) -> None:
    for first in (0, 100, 200):
        await fetch(client, Range=f"bytes={first}-")
    await client.desk.page_of_calls()  # waits for what is being written
    actions = [row.action for row in await client.desk.journal.audit(call_id="one", limit=10)]
    assert actions == ["download-vapi-recording"]


@pytest.mark.slow
async def test_vapi_is_not_flooded_with_questions_for_what_it_does_not_have(client: Client, vapi: Vapi) -> None:
    vapi.answers = {}
    answers = [await refused(client, f"/api/calls/one/{kind}") for kind in ("vapi-recording", "call-logs", "pcap") for _ in range(30)]
    assert answers == [(404, "recording_not_found")] * PER_MINUTE + [(429, "rate_limited")] * (90 - PER_MINUTE)
    vapi.stored(sound())
    assert await refused(client) == (429, "rate_limited")


@pytest.mark.slow
async def test_a_compressed_answer_is_served_as_what_it_contains(client: Client, vapi: Vapi) -> None:
    packed = gzip.compress(sound())
    vapi.answers["/storage/stereo"] = lambda _: web.Response(body=packed, headers={"Content-Encoding": "gzip"})
    assert (await fetch(client))[:2] == (200, sound())


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["bytes=1-", "bytes=9-2", "bytes=-999999", "bytes=100-200"])
async def test_who_leaves_out_the_beginning_is_in_the_audit_too(client: Client, asked: str) -> None:
    for _ in range(3):
        await fetch(client, Range=asked)
    await client.desk.page_of_calls()  # waits for what is being written
    actions = [row.action for row in await client.desk.journal.audit(call_id="one", limit=10)]
    assert {*actions} == {"download-vapi-recording"}
    assert len(actions) == (3 if asked == "bytes=9-2" else 1)  # an invalid range is the whole, each time


async def test_copies_make_room_for_each_other_and_none_is_left(vapi: Vapi, tmp_path: Path) -> None:
    folder, size = tmp_path / "copies", len(sound())
    dead = folder / "of-a-dead-process"
    dead.mkdir(parents=True)
    (dead / "1").write_bytes(b"private")
    for name in ("one", "two", "three"):
        vapi.answers[f"/call/{name}/stereo-recording"] = lambda _: web.Response(body=sound())
    async with client_of(tmp_path, gateway := Gateway(api_key="private", base_url=vapi.url)) as client:
        at = datetime.now(UTC) - timedelta(hours=1)
        for name in ("one", "two", "three"):
            call = Call(id=name, status=CallStatus.ENDED, to=NUMBER, created_at=at, started_at=at, ended_at=at)
            await client.desk.journal.save(call)
        desk = client.desk
        recordings = VapiRecordings(
            folder, fetch=gateway.recording, read=desk.read, count=desk.count_request, note=desk.note, limit=2 * size
        )
        for name in ("one", "two", "three", "three"):
            await (await recordings.open(name, PAGE, action=None)).complete()
        kept = [file.stat().st_size for file in folder.rglob("[0-9]")]
        assert kept == [size, size]
        assert not dead.exists()
        await recordings.aclose()
    assert not list(folder.iterdir())
