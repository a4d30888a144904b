"""The figures of a call are those of its recording, to the sample, whatever befell the stream. What was lost is left out and listed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile

from services.domain.stream_format import StreamFormat
from services.listening.measurer import Measurer
from services.measures.figures import Figures
from services.measures.measured import Measured
from services.measures.measures import Measures
from services.recording.folder import RecordingFolder
from services.recording.recorder import Recorder
from tests.measures.test_measures import FORM, demo_call

PCM = demo_call()[0]
SECOND = FORM.bytes_per_second
FRAME = SECOND // 50
MU_LAW = StreamFormat(sample_rate=8_000, channels=2, encoding="mulaw")


@dataclass
class Line:
    """A call's sound on its way to a recorder and a measurer, by a clock of its own."""

    folder: Path
    form: StreamFormat = FORM
    now: float = 100.0
    published: list[tuple[Measured | None, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        folder = self.folder / "call"
        self.recorder = Recorder(lambda _: None, call_id="call", folder=folder, clock=lambda: self.now)
        self.measurer = Measurer(lambda _: None, publish=lambda *news: self.published.append(news), clock=lambda: self.now)
        self.tell(self.form.start_frame())

    def tell(self, event: str) -> None:
        for sink in (self.recorder, self.measurer):
            sink.tell(event)

    def play(self, pcm: bytes, *, late_s: Iterator[float] | None = None, pace: float = 1.0) -> None:
        """Frames of 20 ms at their pace, or all of them at once with a pace of 0."""
        size = self.form.bytes_per_second // 50
        for at in range(0, len(pcm), size):
            late = next(late_s) if late_s else 0.0
            self.now += late
            for sink in (self.recorder, self.measurer):
                sink.play(pcm[at : at + size], at_most=0)
            self.now += max(0.0, 0.02 * pace - late)

    def lose(self, seconds: float) -> None:
        self.tell('{"type":"stream","state":"interrupted"}')
        self.now += seconds

    def end(self) -> tuple[Figures, Figures]:
        """What was measured live, and what the recording says."""
        for sink in (self.recorder, self.measurer):
            sink.finish("call ended", drain=True)
        self.recorder.writer.write(self.recorder.take())
        self.recorder.writer.close("call ended", self.now)
        assert RecordingFolder(self.folder).finish("call")
        last, over = self.published[-1]
        assert last
        assert over
        return last.figures, of_recording(self.folder / "call")


def of_recording(folder: Path) -> Figures:
    """The figures of the FLAC: its pieces are sound, and what lies between them is missing."""
    (part,) = json.loads((folder / "recording.json").read_text())["parts"]
    samples, rate = soundfile.read(folder / part["file"], dtype="int16", always_2d=True)
    measures = Measures(StreamFormat(sample_rate=rate, channels=2))
    end = 0
    for piece in part["pieces"]:
        if piece["sample"] > end:
            measures.gap((piece["sample"] - end) / rate)
        end = piece["sample"] + piece["samples"]
        measures.feed(samples[piece["sample"] : end].astype("<i2").tobytes())
    measures.finish()
    return measures.figures()


def in_samples(figures: Figures, rate: int) -> object:
    """Figures without the rounding errors of sums."""

    def place(seconds: float | None) -> int | None:
        return None if seconds is None else round(seconds * rate * 4)

    one = figures.conversation
    turns = [(turn.channel, place(turn.start), place(turn.end), place(turn.response_s), turn.interrupts) for turn in one.turns]
    others = [(turn.channel, place(turn.start), place(turn.end)) for turn in one.backchannels]
    spans = [[(place(span.start), place(span.end)) for span in spans] for spans in (one.silences, figures.missing)]
    sums = [place(seconds) for seconds in (one.until, one.overlap_s, *one.talk_s, *figures.clipped_s)]
    return turns, others, spans, sums


def jitter() -> Iterator[float]:
    chance = np.random.default_rng(3)
    while True:
        yield float(chance.exponential(0.015))


def steady(line: Line) -> None:
    line.play(PCM)


def jittering(line: Line) -> None:
    line.play(PCM, late_s=jitter())


def stalling(line: Line) -> None:
    line.play(PCM[: 10 * SECOND])
    line.now += 3.0  # nothing comes for so long, then all of it at once
    line.play(PCM[10 * SECOND : 13 * SECOND], pace=0)
    line.play(PCM[13 * SECOND :])


def dropping(line: Line) -> None:
    line.play(PCM[: 10 * SECOND])
    line.lose(4.123456)
    line.play(PCM[14 * SECOND : 30 * SECOND + 3 * FRAME])
    line.lose(0.37)
    line.play(PCM[31 * SECOND :])


def catching_up(line: Line) -> None:
    """The connection breaks in the middle of a word, and what comes then comes faster than it is spoken."""
    line.play(PCM[: 3 * SECOND])
    line.lose(1.5)
    line.play(PCM[3 * SECOND : 9 * SECOND], pace=0.5)
    line.play(PCM[9 * SECOND :])


def breaking_after_a_burst(line: Line) -> None:
    """The connection breaks while more has come than can have been spoken."""
    line.play(PCM[: 5 * SECOND], pace=0)
    line.lose(1.5)
    line.play(PCM[5 * SECOND :])


@pytest.mark.parametrize("befalls", [steady, jittering, stalling, dropping, catching_up, breaking_after_a_burst])
@pytest.mark.slow
async def test_live_figures_are_those_of_the_recording_to_the_sample(tmp_path: Path, befalls: Callable[[Line], None]) -> None:
    line = Line(tmp_path)
    befalls(line)
    live, recorded = line.end()
    assert len(live.conversation.turns) > 5
    assert in_samples(live, FORM.sample_rate) == in_samples(recorded, FORM.sample_rate)


async def test_mu_law_too(tmp_path: Path) -> None:
    line = Line(tmp_path, MU_LAW)
    codes = np.random.default_rng(5).integers(0, 256, (4 * 8000, 2), dtype="u1")
    line.play(codes.tobytes())
    line.lose(2.5)
    line.play(codes.tobytes())
    live, recorded = line.end()
    assert in_samples(live, 8000) == in_samples(recorded, 8000)
    assert live.clipped_s > (0.01, 0.01)


@pytest.mark.slow
async def test_gaps_are_left_out_and_listed(tmp_path: Path) -> None:
    line = Line(tmp_path)
    dropping(line)
    live, _ = line.end()
    lost = [(round(gap.start, 4), round(gap.end, 4)) for gap in live.missing]
    assert lost == [(10.0, 14.1235), (30.1835, 30.5535)]
    assert not any(gap.start < turn.start < gap.end for turn in live.conversation.turns for gap in live.missing)


@pytest.mark.slow
async def test_a_break_without_a_loss_cuts_no_word(tmp_path: Path) -> None:
    line, whole = Line(tmp_path / "broken"), Line(tmp_path / "whole")
    breaking_after_a_burst(line)
    steady(whole)
    live = line.end()[0]
    assert live.missing == ()
    assert in_samples(live, FORM.sample_rate) == in_samples(whole.end()[0], FORM.sample_rate)
