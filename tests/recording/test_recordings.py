"""Recording through the relay, on real sockets: switched on and off, bounded, deleted, and the routes to all of it."""

import asyncio
import json
import resource
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
import soundfile
from fastapi import FastAPI, Request
from numpy.typing import NDArray
from starlette.middleware.base import RequestResponseEndpoint
from starlette.responses import Response
from websockets.asyncio.server import ServerConnection

from services.domain.call import Call, CallStatus, Erasure
from services.domain.client import PAGE, Client, Scope
from services.domain.errors import CallNotFound, CallNotRunning, CantRecord, NotConfigured, RecordingNotFound, RecordingUnfinished
from services.journal import AuditRow, Journal, Lease
from services.journal.recordings import RecordingsJournal
from services.listening.sound_thread import SoundThread
from services.recording.disk import RecordingDisk
from services.recording.recorder import Recorder
from services.recording.recordings import Recordings
from services.web.problems import install_problems
from services.web.routes.clips import ClipAnswers
from services.web.routes.recordings import recording_router, replay_router
from tests.desks import anybody_may
from tests.journal.conftest import an_order
from tests.journals import open_journal
from tests.listening.stand_in import SOUND_IN, START, Line, StandIn, eventually, pcm, sound_in, within
from tests.patience import HANG_S
from tests.serving import serving

SECOND = [pcm(n * 320, 320) for n in range(50)]
ROBOT = Client(name="robot")


class Site:
    """Recordings of one call, `c1`, with its sound at `stand_in`."""

    def __init__(self, folder: Path, stand_in: StandIn, line: Line, journal: Journal, **options: Any) -> None:
        self.folder = folder
        self.stand_in = stand_in
        self.line = line
        self.audit: list[tuple[str, str, str]] = []
        self.news: asyncio.Queue[str] = asyncio.Queue()
        self.recordings = Recordings(
            folder,
            journal=journal.recordings,
            relay=line.relay,
            find=line.calls.get,
            note=lambda client, action, call: self.audit.append((client.name, action, call.id)),
            check=anybody_may,
            **{"limit": 10_000_000, "free_floor": 0, **options},
        )
        self.recordings.changed.subscribe(self.news.put_nowait)

    async def until(self, true: Callable[[], bool]) -> None:
        while not true():
            await within(self.news.get())

    async def record(self, frames: list[bytes]) -> ServerConnection:
        """Switches recording on and plays `frames`."""
        await self.recordings.start("c1", PAGE)
        await self.line.relay.counted()  # so that the relay knows of it, wherever that runs
        connection = await self.stand_in.connection()
        await connection.send(START)
        for frame in frames:
            await connection.send(frame)
        return connection

    async def kept(self, frames: list[bytes], call_id: str = "c1") -> None:
        """A whole recording of `frames`."""
        if call_id not in self.line.calls:
            self.line.calls[call_id] = Call(id=call_id, status=CallStatus.IN_PROGRESS)
        before = self.stand_in.open_connections
        await self.recordings.start(call_id, PAGE)
        await self.line.relay.counted()  # so that the relay knows of it, wherever that runs
        connection = await self.stand_in.connection()
        await connection.send(START)
        for frame in frames:
            await connection.send(frame)
        await self.end(connection, call_id)
        await self.until(lambda: self.recordings.has(call_id))
        await eventually(lambda: self.stand_in.open_connections <= before)
        self.stand_in.forget()

    async def end(self, connection: ServerConnection, call_id: str = "c1") -> None:
        """The call ends as at Vapi: the socket closes, and the state follows."""
        await connection.close()
        self.line.becomes(CallStatus.ENDED, call_id)

    def samples(self, part: int = 1, call_id: str = "c1") -> NDArray[np.int16]:
        samples: NDArray[np.int16] = soundfile.read(self.folder / call_id / f"{part}.flac", dtype="int16", always_2d=True)[0]
        return samples


@asynccontextmanager
async def site_in(folder: Path, *, journal_in: Path | None = None, **options: Any) -> AsyncIterator[Site]:
    async with StandIn() as stand_in:
        line = Line(stand_in)
        journal = await open_journal((journal_in or folder.parent) / "journal" / "journal.db")
        site = Site(folder, stand_in, line, journal, **options)
        await site.recordings.open()
        try:
            yield site
        finally:
            await site.recordings.aclose()
            await line.relay.aclose()
            await journal.aclose()


@pytest.fixture(autouse=True, params=SOUND_IN)
async def sound(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SoundThread | None]:
    async with sound_in(request.param, monkeypatch) as thread:
        yield thread


@pytest.fixture
async def site(tmp_path: Path, sound: SoundThread | None) -> AsyncIterator[Site]:
    async with site_in(tmp_path / "recordings") as made:
        yield made


def as_samples(frames: list[bytes]) -> NDArray[np.int16]:
    return np.frombuffer(b"".join(frames), "<i2").reshape(-1, 2)


async def test_a_call_is_recorded_until_it_ends(site: Site) -> None:
    connection = await site.record(SECOND)
    assert site.recordings.recording("c1")
    assert not site.recordings.has("c1")
    said = {"type": "transcript", "role": "assistant", "transcriptType": "final", "transcript": "Hello"}
    await connection.send(json.dumps(said | {"transcriptType": "partial", "transcript": "Hel"}))
    await connection.send(json.dumps(said))
    await site.end(connection)
    await site.until(lambda: site.recordings.has("c1"))
    assert not site.recordings.recording("c1")
    assert np.array_equal(site.samples(), as_samples(SECOND))
    assert list(await site.recordings.sounds("c1")) == [1]
    assert json.loads(await site.recordings.text("c1", "recording"))["seconds"] == 1.0
    lines = json.loads(await site.recordings.text("c1", "transcript"))["lines"]
    assert [(line["speaker"], line["text"]) for line in lines] == [("assistant", "Hello")]
    assert site.audit == [("page", "record", "c1")]
    assert site.line.relay.upstreams == 0


@pytest.mark.slow
async def test_a_drop_is_marked_and_what_comes_after_it_is_kept(site: Site) -> None:
    connection = await site.record(SECOND)
    await connection.close(1011)
    again = await site.stand_in.connection()
    await again.send(START)
    for frame in SECOND:
        await again.send(frame)
    await site.end(again)
    await site.until(lambda: site.recordings.has("c1"))
    part = json.loads(await site.recordings.text("c1", "recording"))["parts"][0]
    kept = [site.samples()[piece["sample"] :][: piece["samples"]] for piece in part["pieces"]]
    assert np.array_equal(np.concatenate(kept), as_samples(SECOND + SECOND))
    assert [mark["kind"] for mark in part["marks"]] == ["gap"]


@pytest.mark.slow
async def test_switched_off_and_on_again_there_are_two_parts(site: Site) -> None:
    with site.line.relay.listen("c1"):  # so that the line stays the same one
        connection = await site.record(SECOND)
        await hold_until_written(site, 64_000)
        await site.recordings.stop("c1", ROBOT)
        assert not site.recordings.recording("c1")
        await site.recordings.start("c1", ROBOT)
        await site.line.relay.counted()
        for frame in SECOND[:25]:
            await connection.send(frame)
        await site.end(connection)
    await site.until(lambda: not site.recordings.recording("c1") and (site.folder / "c1" / "2.flac").exists())
    assert np.array_equal(site.samples(1), as_samples(SECOND))
    assert np.array_equal(site.samples(2), as_samples(SECOND[:25]))
    assert [action for _, action, _ in site.audit] == ["record", "stop-recording", "record"]


async def hold_until_written(site: Site, size: int) -> None:
    raw = site.folder / "c1" / "1.pcm"
    async with asyncio.timeout(HANG_S):
        while not raw.exists() or raw.stat().st_size < size:  # noqa: ASYNC110 - the disk tells nobody
            await asyncio.sleep(0.01)


async def test_by_default_nothing_is_recorded_and_with_the_default_on_every_call(site: Site) -> None:
    scheduled = replace(site.line.calls["c1"], status=CallStatus.SCHEDULED)
    site.recordings.on_call(site.line.calls["c1"])
    assert not site.recordings.recording("c1")
    site.recordings.default = True
    site.recordings.on_call(scheduled)
    assert not site.recordings.recording("c1")
    site.recordings.on_call(replace(scheduled, status=CallStatus.RINGING))
    await site.until(lambda: site.recordings.recording("c1"))
    assert site.audit == [("earshot", "record", "c1")]
    await site.recordings.stop("c1", PAGE)
    site.recordings.on_call(site.line.calls["c1"])
    site.line.calls["c2"] = Call(id="c2", status=CallStatus.IN_PROGRESS)
    site.recordings.on_call(site.line.calls["c2"])
    await site.until(lambda: site.recordings.recording("c2"))
    assert not site.recordings.recording("c1"), "whoever switched it off meant it"


async def test_a_call_is_left_to_the_process_that_placed_it_only_at_first(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.recording.recordings._PLACER_S", 0.0)
    placer = await open_journal(tmp_path / "journal" / "journal.db")
    order = an_order()
    await placer.begin(order, client="shop")
    asked: list[tuple[str | None, Lease | None]] = []
    take = RecordingsJournal.take_lease

    async def watched(self: RecordingsJournal, call_id: str, **how: Any) -> Lease | None:
        lease = await take(self, call_id, **how)
        asked.append((how["leave_to_placer_of"], lease))
        return lease

    monkeypatch.setattr(RecordingsJournal, "take_lease", watched)
    site.recordings.default = True
    site.line.calls["c2"] = Call(id="c2", status=CallStatus.IN_PROGRESS, tag=order.tag)
    for _ in range(2):
        site.recordings.on_call(site.line.calls["c2"])
    await site.until(lambda: site.recordings.recording("c2"))
    assert asked == [(order.tag, None), (None, Lease())]
    await placer.aclose()


async def test_only_a_running_call_can_be_recorded(site: Site) -> None:
    with pytest.raises(CallNotFound):
        await site.recordings.start("nobody", PAGE)
    site.line.becomes(CallStatus.ENDED)
    with pytest.raises(CallNotRunning):
        await site.recordings.start("c1", PAGE)


@pytest.mark.slow
async def test_a_stop_of_the_app_loses_nothing_and_the_next_start_finishes(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    async with site_in(folder) as site:
        await site.record(SECOND)
        await hold_until_written(site, 1)
    assert [file.name for file in folder.glob("c1/*.flac")] == []
    async with site_in(folder) as site:
        await site.until(lambda: site.recordings.has("c1"))
        sent = as_samples(SECOND)
        assert np.array_equal(site.samples(), sent[: len(site.samples())])
        assert json.loads(await site.recordings.text("c1", "recording"))["parts"][0]["end"] == "shutdown"


@pytest.mark.slow
async def test_the_oldest_recordings_make_room_but_never_the_one_being_written(tmp_path: Path) -> None:
    loud = [np.random.default_rng(n).bytes(1280) for n in range(100)]
    async with site_in(tmp_path / "recordings", limit=400_000) as site:
        for call_id in ("old", "newer"):
            await site.kept(loud, call_id)
        await site.record([])
        assert site.recordings.has("old")
        site.recordings._disk.limit = 200_000
        site.line.calls["c2"] = Call(id="c2", status=CallStatus.IN_PROGRESS)
        await site.recordings.start("c2", PAGE)
        assert not site.recordings.has("old")
        assert site.recordings.has("newer")
        assert site.recordings.recording("c1")
        assert ("earshot", "delete-recording", "old") in site.audit


@pytest.mark.slow
async def test_where_nothing_is_left_to_delete_recording_stops_and_says_so(tmp_path: Path) -> None:
    async with site_in(tmp_path / "recordings", limit=100_000) as site:
        await site.record(SECOND)
        await site.until(lambda: site.recordings.problem("c1") is not None)
        assert site.recordings.problem("c1") == "limit"
        assert not site.recordings.recording("c1")


async def test_on_a_full_disk_nothing_is_recorded_and_it_says_so(tmp_path: Path) -> None:
    floor = 2 * shutil.disk_usage(tmp_path).total
    async with site_in(tmp_path / "recordings", free_floor=floor) as site:
        with pytest.raises(CantRecord, match="disk is nearly full") as error:
            await site.recordings.start("c1", PAGE)
        assert error.value.code == site.recordings.problem("c1") == "disk_full"


async def test_what_a_disk_took_before_it_failed_is_kept(site: Site) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, limits[1]))
    try:
        await site.record(SECOND)
        await site.until(lambda: site.recordings.problem("c1") == "disk")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    await site.until(lambda: site.recordings.has("c1"))
    assert not site.recordings.recording("c1")
    assert np.array_equal(site.samples(), as_samples(SECOND)[:10_000])


async def test_a_fault_at_the_end_of_one_recording_ends_no_other(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a fault of ours")

    await site.record([])
    recorders = site.recordings._recorders
    monkeypatch.setattr(recorders._recorders["c1"].writer, "close", fail)
    recorders.end("c1")
    await site.until(lambda: "c1" not in recorders)
    await site.kept(SECOND, "c2")


async def test_a_fault_of_one_recording_is_reported_and_ends_no_other(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a fault of ours")

    connection = await site.record([])
    monkeypatch.setattr(site.recordings._recorders._recorders["c1"].writer, "_sound", fail)
    await connection.send(SECOND[0])
    await site.until(lambda: site.recordings.problem("c1") == "disk")
    await site.kept(SECOND, "c2")


def test_sound_beyond_what_memory_is_kept_for_it_is_lost_and_marked(tmp_path: Path) -> None:
    recorder = Recorder(lambda _: None, call_id="c1", folder=tmp_path / "c1", most_unsaved=5 * 1280)
    for frame in SECOND:
        recorder.play(frame, at_most=0)
    items = [item for _, item in recorder.take()]
    assert items == [*SECOND[:5], None]
    assert recorder.lost_bytes == 45 * 1280
    recorder.play(SECOND[0], at_most=0)
    assert [item for _, item in recorder.take()] == [SECOND[0]]


async def test_a_folder_that_can_t_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("a file, not a folder")
    async with site_in(tmp_path / "recordings") as site:
        with pytest.raises(CantRecord) as error:
            await site.recordings.start("c1", PAGE)
        assert error.value.code == "disk"


async def test_a_call_whose_sound_is_refused_is_told_until_there_is_sound(site: Site) -> None:
    site.line.faults.append(NotConfigured("No key."))
    await site.recordings.start("c1", PAGE)
    await site.until(lambda: site.recordings.problem("c1") == "no_sound")
    site.line.becomes(CallStatus.FORWARDING)  # any change of the call makes another try worth it
    connection = await site.stand_in.connection()
    await connection.send(START)
    await connection.send(SECOND[0])
    await site.until(lambda: site.recordings.problem("c1") is None)


@pytest.mark.parametrize("name", ["", ".", "..", "../c1", "a/b", "a\\b", "-x", "x" * 65, "c1\n", "ü"])
async def test_no_name_leaves_the_folder(site: Site, name: str) -> None:
    (site.folder.parent / "recording.json").write_text("{}")
    with pytest.raises(RecordingNotFound):
        await site.recordings.sounds(name)
    with pytest.raises(RecordingNotFound):
        await site.recordings.delete(name, PAGE)


class Api:
    """The routes as a program sees them that has `scopes`."""

    def __init__(self, site: Site, session: aiohttp.ClientSession) -> None:
        self.site = site
        self.session = session
        self.url = ""
        self.scopes = frozenset(Scope)

    async def ask(self, method: str, path: str = "", **more: Any) -> tuple[int, Any, Any]:
        async with self.session.request(method, f"{self.url}/api/calls/c1/recording{path}", **more) as answer:
            body = await answer.read()
            if answer.status >= 400:
                assert answer.content_type == "application/problem+json"
                assert json.loads(body)["status"] == answer.status
            return answer.status, json.loads(body) if answer.content_type.endswith("json") else body, answer.headers


@pytest.fixture
async def api(site: Site) -> AsyncIterator[Api]:
    app = FastAPI()
    install_problems(app)
    clips = ClipAnswers(site.recordings)
    app.include_router(recording_router(site.recordings, clips))
    app.include_router(replay_router(site.recordings, clips))

    @app.middleware("http")
    async def name(request: Request, go_on: RequestResponseEndpoint) -> Response:
        request.state.client = Client(name="robot", scopes=made.scopes)
        return await go_on(request)

    async with serving(app) as url, aiohttp.ClientSession() as session:
        made = Api(site, session)
        made.url = url
        yield made


@pytest.mark.slow
async def test_the_routes_switch_fetch_and_delete(api: Api) -> None:
    site = api.site
    assert (await api.ask("GET"))[1]["code"] == "recording_not_found"
    on = {"id": "c1", "on": True, "problem": None, "detail": None}
    assert (await api.ask("POST", json={"on": True}))[:2] == (200, on)
    connection = await site.stand_in.connection()
    await connection.send(START)
    for frame in SECOND:
        await connection.send(frame)
    await hold_until_written(site, 64_000)
    status, problem, _ = await api.ask("GET")
    assert (status, problem["code"], problem["retryable"]) == (409, "recording_in_progress", True)
    assert (await api.ask("DELETE"))[1]["code"] == "recording_in_progress"
    assert (await api.ask("POST", json={"on": False}))[1] == on | {"on": False}
    await site.until(lambda: site.recordings.has("c1"))
    status, flac, headers = await api.ask("GET")
    assert (status, headers["Content-Type"]) == (200, "audio/flac")
    assert headers["Content-Disposition"] == 'attachment; filename="call-c1.flac"'
    assert flac == (site.folder / "c1" / "1.flac").read_bytes()
    assert (await api.ask("GET", "/peaks"))[1]["parts"][0]["peaksPerSecond"] == 20
    assert (await api.ask("GET", "/transcript"))[1]["lines"] == []
    assert (await api.ask("GET", "/info"))[1]["consent"]
    assert (await api.ask("GET", "?part=2"))[1]["code"] == "recording_not_found"
    assert (await api.ask("DELETE"))[:2] == (204, b"")
    assert not (site.folder / "c1").exists()
    assert (await api.ask("DELETE"))[1]["code"] == "recording_not_found"
    assert [action for _, action, _ in site.audit] == ["record", "stop-recording", "download-recording", "delete-recording"]


@pytest.mark.parametrize(
    ("asked", "status", "length"),
    [("bytes=0-", 206, None), ("bytes=10-19", 206, 10), ("bytes=-7", 206, 7), ("bytes=9-3", 200, None), ("lines=1-2", 200, None)],
)
async def test_a_player_may_ask_for_a_part_of_the_file(api: Api, asked: str, status: int, length: int | None) -> None:
    await api.site.kept(SECOND)
    answer, flac, _ = await api.ask("GET", headers={"Range": asked})
    assert (answer, len(flac)) == (status, length or (api.site.folder / "c1" / "1.flac").stat().st_size)


async def test_a_range_beyond_the_end_is_a_problem_like_any_other(api: Api) -> None:
    await api.site.kept(SECOND)
    status, problem, headers = await api.ask("GET", headers={"Range": "bytes=99999999-"})
    assert (status, problem["code"]) == (416, "range_not_satisfiable")
    assert headers["Content-Range"].startswith("bytes */")


async def test_another_method_is_told_which_there_are(api: Api) -> None:
    status, problem, headers = await api.ask("PUT")
    assert (status, problem["code"], headers["Allow"]) == (405, "method_not_allowed", "GET, POST, DELETE")


@pytest.mark.slow
async def test_the_routes_ask_for_their_scopes(api: Api) -> None:
    await api.site.kept(SECOND)
    needed = {("GET", ""): Scope.LISTEN, ("GET", "/peaks"): Scope.READ, ("DELETE", ""): Scope.MANAGE, ("POST", ""): Scope.CONTROL}
    for (method, path), scope in needed.items():
        api.scopes = frozenset(Scope) - {scope}
        body = {"json": {"on": False}} if method == "POST" else {}
        assert (await api.ask(method, path, **body))[1]["code"] == "forbidden_scope"
        api.scopes = frozenset({scope})
        if method != "DELETE":
            assert (await api.ask(method, path, **body))[0] == 200


@pytest.mark.slow
async def test_the_page_gets_its_replay_from_routes_of_its_own(api: Api) -> None:
    await api.site.kept(SECOND)
    async with api.session.get(f"{api.url}/recordings/c1/1.flac", headers={"Range": "bytes=0-"}) as answer:
        assert (answer.status, answer.headers["Content-Disposition"][:6]) == (206, "inline")
    async with api.session.get(f"{api.url}/recordings/c1/peaks.json") as answer:
        assert (await answer.json())["callId"] == "c1"
    async with api.session.get(f"{api.url}/recordings/c2/peaks.json") as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (404, "recording_not_found")
    assert api.site.audit[-1] == ("robot", "replay-recording", "c1")


async def test_a_recording_that_is_being_written_can_not_be_deleted(site: Site) -> None:
    await site.record(SECOND)
    await hold_until_written(site, 64_000)
    with pytest.raises(RecordingUnfinished):
        await site.recordings.delete("c1", PAGE)
    assert site.recordings.recording("c1")


@pytest.mark.slow
async def test_the_recording_of_a_call_goes_with_its_data(site: Site) -> None:
    connection = await site.record(SECOND)
    await hold_until_written(site, 64_000)
    await site.end(connection)
    erased = replace(site.line.calls["c1"], erasure=Erasure(asked_at=datetime.now(UTC), by="page"))
    site.recordings.on_call(erased)  # while it is being finished, perhaps
    async with asyncio.timeout(HANG_S):
        while any(site.folder.glob("c1/*.*")) or site.recordings.has("c1"):  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.01)
    assert not site.recordings.has("c1")
    with pytest.raises(RecordingNotFound):
        await site.recordings.text("c1", "transcript")


async def test_recordings_that_are_old_enough_are_deleted_and_the_audit_says_so(site: Site) -> None:
    await site.kept(SECOND)
    began = datetime.now(UTC)
    assert await site.recordings.delete_older(began - timedelta(hours=1)) == 0
    assert site.recordings.has("c1")
    assert await site.recordings.delete_older(began) == 1
    assert not site.recordings.has("c1")
    assert site.audit[-1] == ("earshot", "delete-recording", "c1")
    assert await site.recordings.delete_older(began) == 0


@pytest.mark.slow
async def test_a_recording_that_the_disk_keeps_holds_up_no_other_and_is_tried_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for call_id in ("c1", "c2"):
        await site.kept(SECOND, call_id)
    delete = RecordingDisk.delete

    async def failing(disk: RecordingDisk, call_id: str) -> bool:
        if call_id == "c1":
            raise PermissionError(call_id)
        return await delete(disk, call_id)

    with monkeypatch.context() as failed:
        failed.setattr(RecordingDisk, "delete", failing)
        failed.setattr("services.recording.erasing._AGAIN_S", 0.01)
        assert await site.recordings.delete_older(datetime.now(UTC)) == 1
        assert (site.recordings.has("c1"), site.recordings.has("c2")) == (True, False)
        erasure = Erasure(asked_at=datetime.now(UTC), by="page")
        site.recordings.on_call(Call(id="c1", status=CallStatus.ENDED, erasure=erasure))
        await asyncio.sleep(0.05)
    await site.until(lambda: not site.recordings.has("c1"))


@pytest.mark.slow
async def test_a_recording_that_was_left_when_its_calls_data_was_deleted_goes_at_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    async with site_in(folder) as site:
        await site.kept(SECOND)
    journal = await Journal.open(tmp_path / "journal" / "journal.db")
    note = AuditRow(at=datetime.now(UTC), who="page", action="delete-data", outcome="asked", call_id="c1")
    call = Call(id="c1", status=CallStatus.ENDED)
    await journal.erasures.begin(call, Erasure(asked_at=datetime.now(UTC), by="page"), note)
    await journal.aclose()
    async with site_in(folder) as site, asyncio.timeout(HANG_S):
        while (folder / "c1" / "1.flac").exists():  # noqa: ASYNC110 - whenever it is
            await asyncio.sleep(0.01)
        await site.until(lambda: not site.recordings.has("c1"))


async def test_a_data_folder_that_is_made_for_recordings_is_its_owners_alone(tmp_path: Path) -> None:
    async with site_in(tmp_path / "data" / "recordings", journal_in=tmp_path) as site:
        await site.kept(SECOND)
        assert {path.stat().st_mode & 0o777 for path in (site.folder.parent, site.folder, site.folder / "c1")} == {0o700}
