"""What is measured of the sound as it comes through the relay: the same as of the sound at rest. What is lost on the way is left out."""

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from services.domain.call import CallStatus
from services.domain.stream_format import StreamFormat
from services.listening.measurer import Measurer
from services.listening.sound_thread import SoundThread
from services.measures.measured import Measured
from services.measures.measures import Measures
from services.recording.recorder import Recorder
from tests.listening.stand_in import SOUND_IN, START, Line, StandIn, sound_in, within
from tests.measures.test_measures import FORM, demo_call, measured

FRAME = FORM.bytes_per_second // 50


class Published:
    """What a measurer has published, in order."""

    def __init__(self, sound: SoundThread | None) -> None:
        self.all: list[tuple[Measured | None, bool]] = []
        self.news: asyncio.Queue[None] = asyncio.Queue()
        self.publish = sound.on_main(self._take) if sound else self._take

    def _take(self, figures: Measured | None, over: bool) -> None:
        self.all.append((figures, over))
        self.news.put_nowait(None)

    async def last(self) -> Measured | None:
        while not self.all or not self.all[-1][1]:
            await within(self.news.get())
        return self.all[-1][0]

    async def until(self, seconds: float) -> Measured:
        """The figures, once so much sound is measured. They come once per second of it."""
        while True:
            figures = self.all[-1][0] if self.all else None
            if figures and figures.figures.conversation.until >= seconds:
                return figures
            await within(self.news.get())


@pytest.fixture(autouse=True, params=SOUND_IN)
async def sound(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SoundThread | None]:
    async with sound_in(request.param, monkeypatch) as thread:
        yield thread


@pytest.fixture
async def line(stand_in: StandIn, sound: SoundThread | None) -> AsyncIterator[Line]:
    line = Line(stand_in)
    yield line
    await line.relay.aclose()


def measure(line: Line, sound: SoundThread | None, before: Measured | None = None) -> Published:
    published = Published(sound)
    line.relay.join("c1", partial(Measurer, publish=published.publish, before=before))
    return published


async def play(connection: ServerConnection, pcm: bytes, start: str = START, frame: int = FRAME) -> None:
    await connection.send(start)
    for at in range(0, len(pcm), frame):
        await connection.send(pcm[at : at + frame])


async def ended(line: Line, connection: ServerConnection, published: Published) -> Measured | None:
    await connection.close()
    line.becomes(CallStatus.ENDED)
    return await published.last()


@pytest.mark.parametrize("frame", [FRAME, 777, FORM.bytes_per_second * 8])
@pytest.mark.slow
async def test_live_figures_are_those_of_the_sound_at_rest(stand_in: StandIn, line: Line, sound: SoundThread | None, frame: int) -> None:
    published = measure(line, sound)
    pcm = demo_call()[0]
    connection = await stand_in.connection()
    await play(connection, pcm, frame=frame)
    figures = await ended(line, connection, published)
    assert figures
    assert figures.figures == measured(pcm)
    assert Measured.load(figures.dump()) == figures, "and so after a restart"
    assert json.loads(json.dumps(figures.json()))["turns"] == measured(pcm).json()["turns"]


@pytest.mark.slow
async def test_who_speaks_and_how_long_nobody_has_is_known_while_the_call_runs(
    stand_in: StandIn, line: Line, sound: SoundThread | None
) -> None:
    published = measure(line, sound)
    connection = await stand_in.connection()
    pcm = demo_call()[0]
    await play(connection, pcm[: 4 * FORM.bytes_per_second])
    figures = (await published.until(2.7)).figures
    assert figures.speaking == {"assistant"}, "from 1.2 to 9 s"
    assert figures.silent_s == 0
    await connection.send(bytes(7 * FORM.bytes_per_second))
    figures = (await published.until(9.7)).figures
    assert figures.speaking == frozenset()
    assert figures.silent_s == pytest.approx(figures.conversation.until - 4, abs=0.5)
    assert [turn.channel for turn in figures.conversation.turns] == [0, 1]
    assert len(published.all) >= 7, "every second"


@pytest.mark.slow
async def test_what_was_lost_is_missing_and_no_silence_or_slow_answer(stand_in: StandIn, line: Line, sound: SoundThread | None) -> None:
    published = Published(sound)
    now = [100.0]
    line.relay.join("c1", partial(Measurer, publish=published.publish, clock=lambda: now[0]))
    connection = await stand_in.connection()
    pcm = demo_call()[0]
    await play(connection, pcm[: 10 * FORM.bytes_per_second])
    await published.until(8.7)
    now[0] += 25
    await connection.close(1011)
    again = await stand_in.connection()
    await play(again, pcm[10 * FORM.bytes_per_second : 20 * FORM.bytes_per_second])
    figures = await ended(line, again, published)
    assert figures
    assert [(lost.start, lost.end) for lost in figures.figures.missing] == [(10.0, 25.0)]
    whole = [turn for turn in measured(pcm[: 20 * FORM.bytes_per_second]).conversation.turns if turn.start > 12.5]
    later = [turn for turn in figures.figures.conversation.turns if turn.start > 27.5]
    assert [round(turn.start - 15, 1) for turn in later] == [round(turn.start, 1) for turn in whole]
    assert [turn.response_s for turn in figures.figures.conversation.turns if 25 <= turn.start < 27.5] == [None], "who spoke before it?"
    assert figures.figures.conversation.silences == ()


@pytest.mark.slow
async def test_an_earlier_process_is_continued(stand_in: StandIn, line: Line, sound: SoundThread | None) -> None:
    pcm = demo_call()[0]
    early = measured(pcm[: 10 * FORM.bytes_per_second])
    published = measure(line, sound, before=Measured.load(Measured(1_000.0, early).dump()))
    connection = await stand_in.connection()
    await play(connection, pcm[10 * FORM.bytes_per_second : 20 * FORM.bytes_per_second])
    figures = await ended(line, connection, published)
    assert figures
    assert figures.started_at == 1_000.0
    assert figures.figures.conversation.turns[: len(early.conversation.turns)] == early.conversation.turns
    lost = figures.figures.missing[-1]
    assert lost.start == early.conversation.until
    assert lost.end > 1_000_000, "since then"
    assert all(turn.start > lost.end for turn in figures.figures.conversation.turns[len(early.conversation.turns) :])


@pytest.mark.parametrize(
    "start",
    [
        pytest.param("", id="not announced"),
        pytest.param(StreamFormat(sample_rate=16_000, channels=1).start_frame(), id="one channel"),
    ],
)
async def test_sound_without_a_channel_for_each_speaker_is_not_measured(
    stand_in: StandIn, line: Line, sound: SoundThread | None, start: str
) -> None:
    published = measure(line, sound)
    connection = await stand_in.connection()
    if start:
        await connection.send(start)
    await connection.send(demo_call()[0][:640_000])
    assert await ended(line, connection, published) is None


@pytest.mark.slow
async def test_an_error_in_measuring_costs_nobody_the_sound(
    stand_in: StandIn, sound: SoundThread | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    feed = Measures.feed

    def fail(measures: Measures, pcm: bytes) -> bool:
        if measures.seconds >= 5:
            raise FloatingPointError
        return feed(measures, pcm)

    monkeypatch.setattr(Measures, "feed", fail)
    line = Line(stand_in)
    try:
        pcm = demo_call()[0][: 10 * FORM.bytes_per_second]
        published = measure(line, sound)
        recorder = line.relay.join("c1", partial(Recorder, call_id="c1", folder=tmp_path))
        connection = await stand_in.connection()
        await play(connection, pcm)
        latest = await ended(line, connection, published)
        assert latest
        assert 3 < latest.figures.conversation.until <= 5
        assert b"".join(item for _, item in recorder.take() if isinstance(item, bytes)) == pcm
    finally:
        await line.relay.aclose()


async def test_a_call_is_measured_although_its_relay_stops(stand_in: StandIn, line: Line, sound: SoundThread | None) -> None:
    published = measure(line, sound)
    connection = await stand_in.connection()
    await play(connection, demo_call()[0][: 5 * FORM.bytes_per_second])
    await published.until(3.7)
    await line.relay.aclose()
    figures = await published.last()
    assert figures
    assert [turn.channel for turn in figures.figures.conversation.turns] == [0, 1]
