"""A whole conversation from its sound: what is measured, and that it does not depend on how the sound arrives."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import soundfile

from services.domain.stream_format import StreamFormat
from services.measures.figures import Figures
from services.measures.measures import Measures
from services.measures.turns import Stretch
from tests.measures.accuracy import Accuracy
from tests.measures.conversations import SPEAKERS, conversation
from tests.measures.sounds import DEMO_CALL, RATE, Sound, audible, demo_voices, dtmf, echo, hold_music, level, noise, tone
from tests.patience import HANG_S
from tests.process import ROOT

FORM = StreamFormat(sample_rate=RATE, channels=2)


def pcm_of(sound: Sound) -> bytes:
    return np.clip(np.rint(sound * 32768), -32768, 32767).astype("<i2").tobytes()


def measured(pcm: bytes, form: StreamFormat = FORM, piece: int = 1 << 20) -> Figures:
    measures = Measures(form)
    for at in range(0, len(pcm), piece * form.block_size):
        measures.feed(pcm[at : at + piece * form.block_size])
    measures.finish()
    return measures.figures()


def demo_call() -> tuple[bytes, list[dict[str, float | str]]]:
    samples, _ = soundfile.read(DEMO_CALL, dtype="int16")
    return samples.astype("<i2").tobytes(), json.loads(DEMO_CALL.with_suffix(".json").read_text())["turns"]


@cache
def quiet_line(seconds: float) -> Sound:
    return 0.0005 * noise("pink", seconds, np.random.default_rng(7))


def on_a_line(sound: Sound, seed: int = 1) -> bytes:
    """The sound as the customer's, after and before two seconds of a quiet line; the assistant is silent."""
    quiet = np.zeros(2 * RATE)
    whole = np.concatenate((quiet, sound, quiet))
    whole = whole + 0.0005 * noise("pink", len(whole) / RATE, np.random.default_rng(seed))
    return pcm_of(np.stack((whole, np.zeros_like(whole)), axis=1))


@pytest.mark.slow
def test_the_demo_call_is_measured_as_it_was_written() -> None:
    pcm, script = demo_call()

    figures = measured(pcm).json()

    assert [turn["speaker"] for turn in figures["turns"]] == [turn["role"] for turn in script]
    for turn, written in zip(figures["turns"], script, strict=True):
        assert turn["start"] == pytest.approx(written["start"], abs=0.04)
        assert turn["end"] == pytest.approx(written["end"], abs=0.04)
    assert [number for number, turn in enumerate(figures["turns"]) if turn["interrupts"]] == [8]
    assert figures["interruptions"] == {"byCustomer": 1, "byAssistant": 0}
    assert figures["responseTime"]["assistant"]["median"] == pytest.approx(0.5, abs=0.06)
    assert figures["responseTime"]["assistant"]["count"] == 6
    assert figures["responseTime"]["customer"]["count"] == 5  # the first has nobody to answer, the interruption is none
    assert figures["overlapSeconds"] == pytest.approx(0.3, abs=0.3)
    assert figures["talkShare"]["customer"] + figures["talkShare"]["assistant"] == pytest.approx(1)
    assert figures["talkShare"]["customer"] == pytest.approx(0.32, abs=0.04)
    assert figures["silences"] == figures["missing"] == []


@dataclass
class Line:
    """What a line does to a conversation, and how far the turns that are found may be off then: seconds, and shares of interruptions."""

    settings: dict[str, Any]
    median_s: float
    p95_s: float
    response_s: float
    interruptions: float


LINES = {
    "20 dB": Line({"snr_db": 20}, 0.04, 0.1, 0.06, 0.95),
    "20 dB, mu-law": Line({"snr_db": 20, "mulaw": True}, 0.04, 0.1, 0.06, 0.95),
    "20 dB, mu-law, echo": Line({"snr_db": 20, "mulaw": True, "echo_db": -20}, 0.04, 0.1, 0.06, 0.95),
    "10 dB, mu-law": Line({"snr_db": 10, "mulaw": True}, 0.04, 0.3, 0.3, 0.9),
}


@pytest.mark.slow
def test_turns_of_known_truth_are_found() -> None:
    found = {name: Accuracy() for name in LINES}
    for seed in range(6):  # each kind of noise twice
        for name, line in LINES.items():  # the same conversation each time, which takes longer to make than to measure
            truth = conversation(seed, noise_kind=("white", "pink", "line")[seed % 3], **line.settings)
            found[name].add(truth, measured(truth.pcm()).conversation.turns)

    for name, line in LINES.items():
        accuracy = found[name]
        assert accuracy.boundaries(50) <= line.median_s, (name, accuracy.row())
        assert accuracy.boundaries(95) <= line.p95_s, (name, accuracy.row())
        assert accuracy.response(95) <= line.response_s, (name, accuracy.row())
        assert accuracy.precision >= line.interruptions, (name, accuracy.row())
        assert accuracy.recall >= line.interruptions, (name, accuracy.row())
        assert accuracy.missed_turns == 0, name
        assert accuracy.extra_turns <= 0.03 * len(accuracy.starts), name


@pytest.mark.parametrize(
    "sound",  # made in the test: what is left out needs none
    [
        pytest.param(lambda: dtmf("0123456789*#") * 0.1, id="DTMF"),
        pytest.param(lambda: dtmf("4711", on=0.25, off=0.06) * 0.03, id="slow DTMF"),
        pytest.param(lambda: tone((1000.0,), 0.3) * 0.1, id="beep"),
        pytest.param(lambda: np.concatenate([np.concatenate((tone((440.0, 480.0), 2) * 0.05, np.zeros(4 * RATE)))] * 3), id="ringback"),
        pytest.param(lambda: hold_music(20, np.random.default_rng(3)) * 0.05, id="hold music"),
        pytest.param(lambda: noise("pink", 6, np.random.default_rng(4)) * 0.01, id="comfort noise"),
        pytest.param(lambda: noise("line", 6, np.random.default_rng(5)) * 0.03, id="line noise"),
        pytest.param(lambda: np.clip(noise("white", 4, np.random.default_rng(6)), -0.5, 0.5) * 2, id="clipped noise"),
        pytest.param(lambda: np.where(np.arange(RATE) % (RATE // 4) < 40, 0.5, 0.0), id="clicks"),
    ],
)
def test_what_is_no_speech_is_no_turn(sound: Callable[[], Sound]) -> None:
    figures = measured(on_a_line(sound())).json()

    assert figures["turns"] == figures["backchannels"] == []
    assert figures["talkShare"] == {"customer": None, "assistant": None}


@pytest.mark.slow
def test_a_word_lasts_as_long_as_its_last_hiss() -> None:
    """An "s" has its power where a telephone line ends, and hardly any in the bands of a voice."""
    random = np.random.default_rng(8)
    word = demo_voices()[0].utterances[0]
    word = 0.1 * word / level(word)
    hiss = np.fft.rfft(noise("white", 0.15, random))
    hiss[np.abs(np.fft.rfftfreq(round(0.15 * RATE), 1 / RATE) - 3650) > 200] = 0
    spoken = np.concatenate((word, 0.12 * np.fft.irfft(hiss)))  # 8 dB over the noise, all frequencies counted
    quiet = np.zeros(2 * RATE)
    line = np.concatenate((quiet, spoken, quiet))
    line += 0.01 * noise("white", len(line) / RATE, random)

    (turn,) = measured(pcm_of(np.stack((line, np.zeros_like(line)), axis=1))).conversation.turns

    assert turn.start == pytest.approx(2, abs=0.04)
    assert turn.end == pytest.approx(2 + len(spoken) / RATE, abs=0.04)


@pytest.mark.slow
@pytest.mark.parametrize("decibels", [-15, -20, -30])
@pytest.mark.parametrize("seconds", [0.02, 0.12, 0.28])
def test_an_echo_is_no_speech(decibels: float, seconds: float) -> None:
    pcm, _ = demo_call()
    assistant = np.frombuffer(pcm, "<i2").reshape(-1, 2)[:, 1] / 32768
    returned = echo(assistant, decibels=decibels, seconds=seconds) + quiet_line(len(assistant) / RATE)

    figures = measured(pcm_of(np.stack((returned, assistant), axis=1))).json()

    assert {turn["speaker"] for turn in figures["turns"]} == {"assistant"}
    assert figures["talkShare"]["customer"] == 0


@pytest.mark.slow
def test_clipping_is_counted_apart() -> None:
    truth = conversation(1)
    loud = np.clip(truth.sound * [10 ** (35 / 20), 1], -1, 1)

    figures = measured(pcm_of(loud)).json()

    assert figures["clippedSeconds"]["customer"] > 1
    assert figures["clippedSeconds"]["assistant"] == 0
    assert len(figures["turns"]) == len(truth.turns)


@pytest.mark.slow
def test_when_the_sound_arrives_changes_nothing() -> None:
    pcm = conversation(2, snr_db=20).pcm()
    whole = measured(pcm)
    chance = np.random.default_rng(1)

    measures = Measures(FORM)
    at = 0
    while at < len(pcm):
        piece = 4 * int(chance.choice([1, 7, 160, 320, 4000, 50_000]))
        measures.feed(pcm[at : at + piece])
        measures.figures()  # as the page asks
        at += piece
    measures.finish()

    assert measures.figures() == whole
    assert measured(pcm, piece=160) == whole


@pytest.mark.slow
def test_what_was_measured_never_changes_by_more_sound() -> None:
    """Only the last turns of a conversation that goes on are open."""
    pcm = conversation(3, snr_db=20, turns=40).pcm()
    whole = measured(pcm).conversation.turns

    measures = Measures(FORM)
    for at in range(0, len(pcm), FORM.bytes_per_second):
        measures.feed(pcm[at : at + FORM.bytes_per_second])
        settled = [turn for turn in measures.figures().conversation.turns if turn.end < at / FORM.bytes_per_second - 3]
        assert list(whole[: len(settled)]) == settled


@pytest.mark.slow
def test_lost_sound_is_left_out() -> None:
    pcm, _ = demo_call()
    at = 12 * FORM.bytes_per_second  # between two turns
    measures = Measures(FORM, since=2.0)
    measures.feed(pcm[:at])
    measures.gap(1.5)
    measures.feed(pcm[at + FORM.bytes_per_second // 2 :])
    measures.finish()

    figures, whole = measures.figures(), measured(pcm)

    assert figures.missing == (Stretch(0, 2), Stretch(14, 15.5))
    assert figures.json()["missing"] == [{"start": 0.0, "end": 2.0}, {"start": 14.0, "end": 15.5}]
    assert [turn.response_s is None for turn in figures.conversation.turns].index(True, 1) == 3
    for found, expected in zip(figures.conversation.turns[4:], whole.conversation.turns[4:], strict=True):
        assert found.start == pytest.approx(expected.start + 3, abs=0.011)
        assert found.response_s == pytest.approx(expected.response_s, abs=0.02) if expected.response_s else found.response_s is None


@pytest.mark.slow
def test_a_stream_that_returns_in_another_format_is_one_conversation() -> None:
    samples = np.frombuffer(demo_call()[0], "<i2").reshape(-1, 2)
    measures = Measures(FORM)
    at = round(12.4 * RATE)
    measures.feed(samples[:at].tobytes())
    measures.gap(0, StreamFormat(sample_rate=RATE // 2, channels=2))
    measures.feed(((samples[at::2].astype(int) + samples[at + 1 :: 2]) // 2).astype("<i2").tobytes())
    measures.finish()

    turns, expected = measures.figures().conversation.turns, measured(samples.tobytes()).conversation.turns

    assert len(turns) == len(expected)
    for one, other in zip(turns, expected, strict=True):
        assert one.start == pytest.approx(other.start, abs=0.03)
        assert one.end == pytest.approx(other.end, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "encoding"), [(8_000, "s16le"), (8_000, "mulaw"), (48_000, "s16le"), (44_100, "s16le")])
def test_every_format_gives_the_same_turns(rate: int, encoding: str) -> None:
    samples = np.frombuffer(demo_call()[0], "<i2").reshape(-1, 2) / 32768
    seconds = math.ceil(len(samples) / RATE)  # a whole number, for quick Fourier transforms
    samples = np.pad(samples, ((0, seconds * RATE - len(samples)), (0, 0)))
    count = seconds * rate
    kept = np.zeros((count // 2 + 1, 2), complex)
    spectrum = np.fft.rfft(samples, axis=0)[: len(kept)]
    kept[: len(spectrum)] = spectrum
    changed = np.fft.irfft(kept, count, axis=0) * rate / RATE
    pcm = mulaw(changed) if encoding == "mulaw" else pcm_of(changed)

    figures = measured(pcm, StreamFormat(sample_rate=rate, channels=2, encoding=encoding))  # type: ignore[arg-type]

    heard = demo_turns_in_band()
    assert [SPEAKERS[turn.channel] for turn in figures.conversation.turns] == [speaker for speaker, _, _ in heard]
    for turn, (_, start, end), written in zip(figures.conversation.turns, heard, demo_call()[1], strict=True):
        # In a call as quiet as this one, what is softer than the truth of the telephone band may be heard too, but nothing unwritten.
        assert float(written["start"]) - 0.05 <= turn.start <= start + 0.05
        assert end - 0.05 <= turn.end <= float(written["end"]) + 0.05


@cache
def demo_turns_in_band() -> list[tuple[str, float, float]]:
    """Who speaks from when until when, by what a telephone passes on: a stream of 8 kHz has nothing else."""
    pcm, script = demo_call()
    samples = np.frombuffer(pcm, "<i2").reshape(-1, 2) / 32768
    heard = []
    for turn in script:
        first = round(float(turn["start"]) * RATE)
        start, end = audible(samples[first : round(float(turn["end"]) * RATE), SPEAKERS.index(str(turn["role"]))])
        heard.append((str(turn["role"]), (first + start) / RATE, (first + end) / RATE))
    return heard


def mulaw(sound: Sound) -> bytes:
    """ITU-T G.711."""
    size = np.minimum(np.abs(np.rint(sound * 32768)), 32635).astype(int) + 132
    exponent = np.floor(np.log2(size)).astype(int) - 7
    mantissa = (size >> (exponent + 3)) & 15
    coded = ~(np.where(sound < 0, 0x80, 0) | exponent << 4 | mantissa) & 255
    return bytes(coded.astype("u1"))


def test_one_channel_cannot_be_measured() -> None:
    with pytest.raises(ValueError, match="channel"):
        Measures(StreamFormat(sample_rate=8_000, channels=1))


WARM = """
import asyncio, socket, sys
from services.listening.sound_thread import SoundThread
from services.web.server.sound_process import run_sound
async def run_thread():
    await SoundThread().aclose()
assert "numpy.fft" not in sys.modules
if sys.argv[1] == "thread":
    asyncio.run(run_thread())
else:
    here, there = socket.socketpair()
    here.close()
    run_sound(there)
known = set(sys.modules)
from services.domain.stream_format import StreamFormat
from services.measures.measures import Measures
measures = Measures(StreamFormat(sample_rate=8000, channels=2))
measures.feed(bytes(range(256)) * 1000)
measures.finish()
print(sorted(set(sys.modules) - known))
"""


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("where", ["process", "thread"])
def test_nothing_is_imported_when_the_first_call_is_measured(where: str) -> None:
    imported = subprocess.run([sys.executable, "-c", WARM, where], cwd=ROOT, capture_output=True, text=True, timeout=HANG_S, check=True)
    assert imported.stdout == "[]\n"
