"""How exactly Earshot measures conversations, beside silero-vad and webrtcvad, and what it costs.

All three find speech in the same sounds, and the same rules make turns of it, so the table compares detectors. The baselines need
`pip install --no-deps -r benchmarks/requirements-measures.txt`. The voices are those of the demo call; those of flite and espeak-ng, which
no threshold was set on, are added where these are installed.
"""

import argparse
import importlib.util
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from services.domain.stream_format import StreamFormat
from services.measures.measures import Measures
from services.measures.turns import Stretch, Turn, taken
from tests.measures.accuracy import Accuracy
from tests.measures.conversations import Conversation, conversation
from tests.measures.sounds import RATE, Sound, Voice, demo_voices, mhm, resampled, trimmed

FORM = StreamFormat(sample_rate=RATE, channels=2)
NOISES = ("white", "pink", "line")
CONDITIONS: dict[str, dict[str, Any]] = {
    "clean": {},
    "20 dB": {"snr_db": 20},
    "20 dB, mu-law, echo -20 dB": {"snr_db": 20, "mulaw": True, "echo_db": -20},
    "10 dB": {"snr_db": 10},
    "10 dB, mu-law": {"snr_db": 10, "mulaw": True},
    "5 dB, mu-law": {"snr_db": 5, "mulaw": True},
}
SENTENCES = (
    "Good afternoon, this is the service desk. How may I help you today?",
    "I would like to change the delivery address of my order, please.",
    "Could you give me the number? It is on the top right of the invoice.",
    "Let me see. It says four, seven, one, nine, and then a letter, K as in kilo.",
    "Thank you. I have found it, and the new address is saved.",
    "That is very kind. When will the parcel arrive?",
    "Between Monday and Wednesday. You will get a message on the day before.",
)
PAUSE_S = 0.25  # joins what a baseline finds, as for Earshot's own runs

Detector = Callable[[Conversation], list[Turn]]


def earshot(one: Conversation) -> list[Turn]:
    measures = Measures(FORM)
    measures.feed(one.pcm())
    measures.finish()
    return list(measures.figures().conversation.turns)


def by_stretches(found: Callable[[Sound], Iterable[tuple[float, float]]]) -> Detector:
    def detect(one: Conversation) -> list[Turn]:
        channels = [list(joined(found(np.ascontiguousarray(one.sound[:, channel])))) for channel in (0, 1)]
        return list(taken((channels[0], channels[1])).turns)

    return detect


def joined(found: Iterable[tuple[float, float]]) -> Iterator[Stretch]:
    begun: tuple[float, float] | None = None
    for start, end in found:
        if begun and start - begun[1] <= PAUSE_S:
            begun = (begun[0], end)
        else:
            if begun:
                yield Stretch(*begun)
            begun = (start, end)
    if begun:
        yield Stretch(*begun)


def silero() -> Detector:
    """Its own defaults for thresholds, without padding, which is meant for cutting sound out."""
    import onnxruntime

    spec = importlib.util.find_spec("silero_vad")
    assert spec
    assert spec.origin
    session = onnxruntime.InferenceSession(str(Path(spec.origin).parent / "data" / "silero_vad.onnx"), providers=["CPUExecutionProvider"])

    def found(sound: Sound) -> Iterator[tuple[float, float]]:
        state, context = np.zeros((2, 1, 128), "f4"), np.zeros((1, 64), "f4")
        frames = sound[: len(sound) // 512 * 512].astype("f4").reshape(-1, 1, 512)
        probabilities = []
        for frame in frames:
            joint = np.concatenate((context, frame), axis=1)
            out, state = session.run(None, {"input": joint, "state": state, "sr": np.array(RATE, dtype="i8")})
            context = frame[:, -64:]
            probabilities.append(float(out[0, 0]))
        begun, silent = -1, 0
        for number, probability in enumerate((*probabilities, 0.0, 0.0, 0.0, 0.0)):
            if begun < 0 and probability >= 0.5:
                begun = number
            silent = silent + 1 if probability < 0.35 else 0
            if begun >= 0 and silent >= 4:  # 100 ms, its default
                if number - silent + 1 - begun >= 8:  # 250 ms, its default
                    yield begun * 0.032, (number - silent + 1) * 0.032
                begun = -1

    return by_stretches(found)


def webrtc() -> Detector:
    import webrtcvad

    def found(sound: Sound) -> Iterator[tuple[float, float]]:
        vad = webrtcvad.Vad(3)
        pcm = np.clip(np.rint(sound * 32768), -32768, 32767).astype("<i2")
        speech = [vad.is_speech(pcm[at : at + 160].tobytes(), RATE) for at in range(0, len(pcm) - 159, 160)]
        edges = np.flatnonzero(np.diff(np.array([False, *speech, False]).astype(int)))
        yield from ((start / 100, end / 100) for start, end in zip(edges[::2], edges[1::2], strict=True))

    return by_stretches(found)


def other_voices() -> Iterator[tuple[str, tuple[Voice, Voice]]]:
    if shutil.which("flite"):
        yield "flite awb and rms", (spoken("flite", "-voice", "awb", pitch=110), spoken("flite", "-voice", "rms", pitch=100))
    if shutil.which("espeak-ng"):
        yield "espeak-ng", (spoken("espeak-ng", "-v", "en-gb", pitch=120), spoken("espeak-ng", "-v", "en-us+f3", pitch=200))


def spoken(program: str, *options: str, pitch: float) -> Voice:
    said = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        for text in (*SENTENCES, "Yes.", "Right."):
            arguments = [*options, "-t", text, "-o", str(path)] if program == "flite" else [*options, "-w", str(path), text]
            subprocess.run([program, *arguments], check=True, capture_output=True, timeout=60)
            samples, rate = soundfile.read(path, dtype="float64")
            said.append(trimmed(resampled(samples, RATE / rate)))
    return Voice(tuple(said[:-2]), (*said[-2:], mhm(pitch)))


def cost() -> float:
    """Milliseconds of CPU for a second of a call."""
    pcm = b"".join(conversation(seed).pcm() for seed in range(4))
    measures = Measures(FORM)
    frame = FORM.bytes_per_second // 50
    begun = time.process_time()
    for at in range(0, len(pcm), frame):
        measures.feed(pcm[at : at + frame])
        if at % FORM.bytes_per_second == 0:
            measures.figures().json()
    return 1000 * (time.process_time() - begun) / (len(pcm) / FORM.bytes_per_second)


def slowest_block_ms() -> float:
    pcm = conversation(1, turns=60).pcm()
    measures = Measures(FORM)
    times = [0.0]
    for at in range(0, len(pcm), FORM.bytes_per_second // 4):
        times.append(time.thread_time())
        measures.feed(pcm[at : at + FORM.bytes_per_second // 4])
        measures.figures().json()
    return 1000 * max(after - before for before, after in pairwise(times[1:]))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, default=10)
    arguments.add_argument("--other-seeds", type=int, default=3, help="of other voices")
    options = arguments.parse_args()
    detectors: dict[str, Detector] = {"Earshot": earshot}
    for name, package, build in (("silero-vad", "silero_vad", silero), ("webrtcvad", "webrtcvad", webrtc)):
        if importlib.util.find_spec(package):
            detectors[name] = build()
        else:
            print(f"{name} is not installed")
    print(f"{cost():.2f} ms of CPU for a second of a call, at most {slowest_block_ms():.1f} ms for 250 ms of it")
    for voices_name, voices in (("demo call", demo_voices()), *other_voices()):
        seeds = options.seeds if voices_name == "demo call" else options.other_seeds
        for condition, settings in CONDITIONS.items():
            print(f"{voices_name}, {condition}")
            ones = [conversation(seed, voices=voices, noise_kind=NOISES[seed % 3], **settings) for seed in range(seeds)]
            for name, detect in detectors.items():
                accuracy = Accuracy()
                for one in ones:
                    accuracy.add(one, detect(one))
                print(f"  {name:<11} {accuracy.row()}", flush=True)


if __name__ == "__main__":
    main()
