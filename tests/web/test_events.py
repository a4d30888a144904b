"""Server-sent events on real sockets: content, resumption, the end, and no leftovers. Also the RateLimit headers."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import aiohttp
import pytest
from fastapi import FastAPI

from services.desk.lists.made_tokens import MadeTokens
from services.domain.call import Call, CallStatus, Erasure
from services.domain.client import Client
from services.domain.errors import CallNotFound, LimitReached
from services.support.signals import Signal
from services.web import call_events
from services.web.access.authentication import Authentication
from services.web.access.tokens import read_tokens
from services.web.call_events import CallEvents, Figures, Transcript
from services.web.problems import install_problems
from services.web.rate_limits import Quota, hour_and_day, rate_limit_headers
from services.web.routes import event_stream
from services.web.routes.event_stream import events_router
from tests.journals import open_journal
from tests.patience import HANG_S
from tests.serving import serving

CALL = Call(id="one", status=CallStatus.QUEUED, to="+14155552671")
PAST = {"past": replace(CALL, id="past", status=CallStatus.ENDED)}


class Desk:
    """Calls that the test changes by itself: nobody places them."""

    def __init__(self) -> None:
        self.changed: Signal[Call] = Signal()
        self._calls: dict[str, Call] = {}
        self._renamed: dict[str, str] = {}

    def calls(self) -> list[Call]:
        return list(self._calls.values())

    def get(self, call_id: str) -> Call | None:
        return self._calls.get(self._renamed.get(call_id, call_id))

    async def read(self, call_id: str, client: Client) -> Call:
        if call := self.get(call_id) or PAST.get(call_id):
            return call
        raise CallNotFound("There is no call with this id.")

    def tell(self, call: Call, *, found: str = "") -> None:
        if found:
            self._renamed[found] = call.id
            self._calls.pop(found)
        self._calls[call.id] = call
        self.changed.emit(call)

    def end_call(self, call: Call) -> None:
        self.tell(replace(call, status=CallStatus.ENDED, ended_reason="customer-ended-call"))


def answer(call: Call, may_listen: bool) -> dict[str, Any]:
    secret = {"recordingUrl": "https://secret"} if may_listen else {}
    return {"id": call.id, "status": call.status, "to": call.to, "listenUrl": "wss://secret", "reason": call.ended_reason, **secret}


class Follower:
    """A client that reads one stream."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def block(self) -> str:
        async with asyncio.timeout(HANG_S):
            return (await self.answer.content.readuntil(b"\n\n")).decode().strip()

    async def next(self) -> tuple[str, str, dict[str, Any]]:
        """Id, kind and data of the next event."""
        block = await self.block()
        while block.startswith((":", "retry:")):
            block = await self.block()
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        return fields["id"], fields["event"], json.loads(fields["data"])

    async def closed(self) -> bool:
        async with asyncio.timeout(HANG_S):
            return not await self.answer.content.read()


class Served:
    def __init__(self, desk: Desk, events: CallEvents, transcripts: Signal[Transcript], url: str, session: aiohttp.ClientSession) -> None:
        self.desk = desk
        self.events = events
        self.transcripts = transcripts
        self.url = url
        self.session = session

    @asynccontextmanager
    async def follow(self, call_id: str, last: str | None = None) -> AsyncIterator[Follower]:
        headers = {"Last-Event-ID": last} if last is not None else {}
        async with self.session.get(f"{self.url}/api/calls/{call_id}/events", headers=headers) as answer:
            yield Follower(answer)

    async def nobody_left(self) -> None:
        async with asyncio.timeout(HANG_S):
            while len(self.events):  # noqa: ASYNC110 - the server notices it in its own time
                await asyncio.sleep(0.01)


@pytest.fixture
def ping() -> float:
    return 15


@pytest.fixture
async def served(ping: float, tmp_path: Path) -> AsyncIterator[Served]:
    desk = Desk()
    journal = await open_journal(tmp_path / "journal.sqlite")
    transcripts: Signal[Transcript] = Signal()
    events = CallEvents(desk, transcripts)
    app = FastAPI()
    install_problems(app)
    app.include_router(events_router(desk=desk, events=events, ping=ping, answer=answer))
    made = MadeTokens(journal, note=Mock())
    doors = Authentication(app, sessions=None, tokens=read_tokens(""), made=made)
    async with serving(doors) as url, aiohttp.ClientSession() as session:
        yield Served(desk, events, transcripts, url, session)
        events.close()
        await served_nothing(events)
    await journal.aclose()
    assert len(desk.changed) == 0
    assert len(transcripts) == 0


async def served_nothing(events: CallEvents) -> None:
    async with asyncio.timeout(HANG_S):
        while len(events):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_call_is_reported_from_its_beginning_to_its_end(served: Served) -> None:
    served.desk.tell(CALL)
    async with served.follow("one") as follower:
        assert follower.answer.content_type == "text/event-stream"
        assert follower.answer.headers["Cache-Control"] == "no-store"
        assert follower.answer.headers["X-Accel-Buffering"] == "no"
        first, kind, call = await follower.next()
        assert (kind, call["status"], call["to"]) == ("status", "queued", CALL.to)
        assert "listenUrl" not in call
        served.desk.tell(replace(CALL, status=CallStatus.RINGING))
        second, kind, call = await follower.next()
        assert (kind, call["status"]) == ("status", "ringing")
        served.desk.tell(replace(CALL, status=CallStatus.RINGING))
        served.transcripts.emit(Transcript(call_id="one", body={"role": "user", "text": "Grüße\nzwei"}))
        third, kind, said = await follower.next()
        assert (kind, said["text"]) == ("transcript", "Grüße\nzwei")
        served.desk.end_call(CALL)
        fourth, kind, call = await follower.next()
        assert (kind, call["status"]) == ("status", "ended")
        fifth, kind, call = await follower.next()
        assert (kind, call["reason"]) == ("ended", "customer-ended-call")
        assert await follower.closed()
        ids = [int(number) for number in (first, second, third, fourth, fifth)]
        assert ids == sorted(set(ids))
    await served.nobody_left()


async def test_last_event_id_resumes_the_stream(served: Served) -> None:
    served.desk.tell(CALL)
    served.desk.tell(replace(CALL, status=CallStatus.RINGING))
    async with served.follow("one") as follower:
        first = (await follower.next())[0]
    async with served.follow("one", first) as follower:
        assert (await follower.next())[2]["status"] == "ringing"
    for unknown in ("", "nonsense", "-1", "0", "9" * 19, "9" * 400, "٣"):
        async with served.follow("one", unknown.encode().decode("latin-1")) as follower:
            assert (await follower.next())[0] == first
    served.desk.end_call(CALL)
    async with served.follow("one") as follower:
        kinds = [(await follower.next())[:2] for _ in range(4)]
        assert [kind for _, kind in kinds] == ["status", "status", "status", "ended"]
    async with served.follow("one", kinds[-1][0]) as follower:
        assert follower.answer.status == 204


@pytest.mark.slow
async def test_what_is_remembered_is_bounded(served: Served) -> None:
    served.desk.tell(CALL)
    for number in range(600):
        served.transcripts.emit(Transcript(call_id="one", body={"number": number}))
    remembered = served.events.since("one", -1)
    assert len(remembered) == 500
    async with served.follow("one", str(remembered[0].number - 50)) as follower:
        assert (await follower.next())[2] == {"number": 100}
    for number in range(1100):
        served.desk.end_call(replace(CALL, id=f"call {number}"))
    assert not served.events.since("call 0", -1)
    assert served.events.since("call 1099", -1)
    assert len(served.events.since("one", -1)) == 500


async def test_a_call_of_unknown_outcome_continues_under_its_own_id_once_found(served: Served) -> None:
    unknown = replace(CALL, id="unknown-1", status=CallStatus.UNKNOWN)
    served.desk.tell(unknown)
    async with served.follow("unknown-1") as follower:
        assert (await follower.next())[2]["status"] == "unknown"
        served.desk.tell(replace(CALL, status=CallStatus.RINGING), found="unknown-1")
        assert (await follower.next())[2]["id"] == "one"
        served.desk.end_call(CALL)
        assert [(await follower.next())[1] for _ in range(2)] == ["status", "ended"]
        assert await follower.closed()


async def test_the_stream_of_a_past_call_reports_its_end_and_closes(served: Served) -> None:
    async with served.follow("past") as follower:
        kinds = [(await follower.next())[:2] for _ in range(2)]
        assert [kind for _, kind in kinds] == ["status", "ended"]
        assert await follower.closed()
    async with served.follow("past", kinds[-1][0]) as follower:
        assert follower.answer.status == 204


async def test_an_unknown_call_is_404_before_the_stream_begins(served: Served) -> None:
    async with served.follow("none") as follower:
        assert (follower.answer.status, follower.answer.content_type) == (404, "application/problem+json")
        assert (await follower.answer.json(content_type=None))["code"] == "call_not_found"
    assert len(served.events) == 0


@pytest.mark.parametrize("ping", [0.05])
async def test_silence_is_broken_by_comments(served: Served) -> None:
    served.desk.tell(CALL)
    async with served.follow("one") as follower:
        assert (await follower.block()).startswith("retry: ")
        await follower.next()
        assert [await follower.block() for _ in range(2)] == [": ping", ": ping"]


async def test_a_follower_that_disconnects_is_forgotten(served: Served) -> None:
    served.desk.tell(CALL)
    async with served.follow("one") as follower:
        await follower.next()
        assert len(served.events) == 1
        follower.answer.close()
        await served.nobody_left()


async def test_a_follower_that_takes_nothing_is_dropped(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "_SEND_TIMEOUT_S", 0.2)
    served.desk.tell(CALL)
    host, port = served.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1)
    writer.write(b"GET /api/calls/one/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await reader.readexactly(12)).endswith(b"200")
    for _ in range(20):
        served.transcripts.emit(Transcript(call_id="one", body={"text": "x" * 1_000_000}))
    await served.nobody_left()
    writer.close()


def test_a_growing_line_and_its_figures_are_each_remembered_once() -> None:
    desk, transcripts, figures = Desk(), Signal[Transcript](), Signal[Figures]()
    events = CallEvents(desk, transcripts, figures)
    desk.tell(CALL)
    for words in range(1, 1000):
        transcripts.emit(Transcript(call_id="one", body={"key": 1, "text": "word " * words}))
        figures.emit(Figures(call_id="one", body={"seconds": words}))
    remembered = events.since("one", -1)
    assert [event.kind for event in remembered] == ["status", "transcript", "measures"]
    assert (remembered[1].content, remembered[2].content) == ({"key": 1, "text": "word " * 999}, {"seconds": 999})
    assert events.since("one", remembered[1].number) == remembered[2:]
    desk.tell(replace(CALL, status=CallStatus.ENDED, erasure=Erasure(asked_at=datetime.now(UTC), by="page")))
    assert [event.kind for event in events.since("one", -1)] == ["status", "ended"]


def test_one_client_does_not_take_all_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_events, "_STREAMS_OF_ONE", 2)
    events = CallEvents(Desk())
    one, other = Client(name="one"), Client(name="other")
    with events.following("a", one), events.following("b", one):
        with pytest.raises(LimitReached), events.following("c", one):
            pass
        with events.following("a", other):
            assert len(events) == 3
    with events.following("c", one), events.following("c", one):
        assert len(events) == 2


@pytest.mark.parametrize("most", ["_STREAMS", "_STREAMS_OF_ONE"])
async def test_streams_are_bounded(served: Served, monkeypatch: pytest.MonkeyPatch, most: str) -> None:
    monkeypatch.setattr(call_events, most, 2)
    served.desk.tell(CALL)
    async with served.follow("one") as one, served.follow("one") as other, served.follow("one") as third:
        await one.next()
        await other.next()
        assert third.answer.status == 429
        assert third.answer.headers["Retry-After"]
        assert (await third.answer.json(content_type=None))["code"] == "rate_limited"
        other.answer.close()
        async with asyncio.timeout(HANG_S):
            while len(served.events) > 1:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        async with served.follow("one") as fourth:
            assert (await fourth.next())[1] == "status"


async def test_a_server_that_stops_ends_its_streams(served: Served) -> None:
    served.desk.tell(CALL)
    async with served.follow("one") as follower:
        await follower.next()
        served.events.close()
        assert await follower.closed()


def times(*ago: float) -> Iterator[datetime]:
    return (NOW - timedelta(seconds=seconds) for seconds in ago)


NOW = datetime(2026, 9, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "hour", "day"),
    [
        ((), '"hour";r=10', '"day";r=100'),
        ((2400, 10, 5), '"hour";r=7;t=1200', '"day";r=97;t=84000'),
        ((3600, 3599.5), '"hour";r=9;t=1', '"day";r=98;t=82800'),
        ((86_400, 90_000), '"hour";r=10', '"day";r=100'),
        (range(100, 1300, 100), '"hour";r=0;t=2600', '"day";r=88;t=85200'),
    ],
)
def test_the_headers_say_what_is_left_and_when_there_is_more(ago: tuple[float, ...], hour: str, day: str) -> None:
    headers = rate_limit_headers(hour_and_day(per_hour=10, per_day=100), sorted(times(*ago)), NOW)
    assert headers == {"RateLimit": f"{hour}, {day}", "RateLimit-Policy": '"hour";q=10;w=3600, "day";q=100;w=86400'}


def test_without_limits_there_are_no_headers() -> None:
    assert rate_limit_headers(hour_and_day(per_hour=None, per_day=None), [NOW], NOW) == {}
    assert rate_limit_headers(hour_and_day(per_hour=None, per_day=1), [], NOW)["RateLimit"] == '"day";r=1'


def test_a_limit_of_zero_never_has_room() -> None:
    assert rate_limit_headers([Quota(name="hour", calls=0, seconds=3600)], [], NOW)["RateLimit"] == '"hour";r=0;t=3600'
