"""Conversations of known truth: who speaks when, who interrupts whom, and what is only a backchannel."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tests.measures.sounds import RATE, Sound, Voice, demo_voices, echo, level, noise, powers, resampled, through_mulaw

SPEAKERS = ("customer", "assistant")


@dataclass(frozen=True)
class Turn:
    """`interrupts`: it began over the other's turn, which ended because of it."""

    speaker: str
    start: float
    end: float
    interrupts: bool = False
    response: float | None = None


@dataclass(frozen=True)
class Conversation:
    """`sound` has a column for each speaker, customer first."""

    sound: Sound
    turns: Sequence[Turn]
    backchannels: Sequence[Turn]

    def pcm(self) -> bytes:
        return np.clip(np.rint(self.sound * 32768), -32768, 32767).astype("<i2").tobytes()


@dataclass
class _Script:
    placed: list[tuple[int, float, Sound]] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    backchannels: list[Turn] = field(default_factory=list)

    def say(self, channel: int, at: float, sound: Sound) -> float:
        self.placed.append((channel, at, sound))
        return at + len(sound) / RATE


def conversation(
    seed: int,
    *,
    voices: tuple[Voice, Voice] | None = None,
    turns: int = 14,
    noise_kind: str = "line",
    snr_db: float | None = None,
    mulaw: bool = False,
    echo_db: float | None = None,
) -> Conversation:
    """A conversation of `turns` turns. `snr_db` is the voice's level over that of noise on both channels; `echo_db` is what comes back of
    each channel in the other."""
    said = _said(seed, turns, noise_kind) if voices is None else _drawn(seed, voices, turns, noise_kind)
    sound = said.sound.copy()
    if echo_db is not None:
        echoes = [echo(said.sound[:, 1 - channel], decibels=echo_db, seconds=said.delays[channel]) for channel in (0, 1)]
        sound += np.stack(echoes, 1)
    floor = 10 ** (-66 / 20) if snr_db is None else 0.0
    for channel in (0, 1):
        amplitude = floor or said.levels[channel] * 10 ** (-(snr_db or 0.0) / 20)
        sound[:, channel] += amplitude * said.noises[channel]
        if mulaw:
            sound[:, channel] = through_mulaw(sound[:, channel])
    return Conversation(np.clip(sound, -1, 1), said.script.turns, said.script.backchannels)


@dataclass(frozen=True)
class _Said:
    """A conversation before a line has spoiled it, and what spoils it: for each channel its level, its noise, and the delay of its echo."""

    script: _Script
    sound: Sound
    levels: Sequence[float]
    noises: Sequence[Sound]
    delays: Sequence[float]


@lru_cache(maxsize=1)  # for those who hear the same conversation on several lines
def _said(seed: int, turns: int, noise_kind: str) -> _Said:
    return _drawn(seed, demo_voices(), turns, noise_kind)


def _drawn(seed: int, voices: tuple[Voice, Voice], turns: int, noise_kind: str) -> _Said:
    random = np.random.default_rng(seed)
    script = _written(random, voices, turns)
    seconds = math.ceil(max(at + len(sound) / RATE for _, at, sound in script.placed) + 1)  # a whole number, for quick Fourier transforms
    sound = np.zeros((seconds * RATE, 2))
    for channel, at, said in script.placed:
        begin = round(at * RATE)
        sound[begin : begin + len(said), channel] += said
    levels = [10 ** (random.uniform(-26, -16) / 20) for _ in SPEAKERS]
    noises = [noise(noise_kind, seconds, random) for _ in SPEAKERS]
    return _Said(script, sound * levels, levels, noises, random.uniform(0.03, 0.25, 2).tolist())


def _written(random: np.random.Generator, voices: tuple[Voice, Voice], turns: int) -> _Script:
    script = _Script()
    speeds = random.uniform(0.9, 1.12, 2)
    at, channel, before, overlapped = 0.4, int(random.integers(2)), None, False
    for number in range(turns):
        voice = voices[channel]
        said = voice.utterances[int(random.integers(len(voice.utterances)))]
        said = resampled(said / level(said), speeds[channel])
        least = 2.6 if overlapped else 1.6  # whoever interrupts is not interrupted before the other is silent
        kind = random.choice(["plain", "interrupted", "backchannel"], p=[0.4, 0.3, 0.3])
        if number == turns - 1 or len(said) / RATE < least + 0.6:
            kind = "plain"
        overlap = 0.0
        if kind == "interrupted":
            said, overlap = _cut_short(said, least, random)
        end = script.say(channel, at, said)
        response = None if overlapped or before is None else at - before
        script.turns.append(Turn(SPEAKERS[channel], at, end, interrupts=overlapped, response=response))
        if kind == "backchannel":
            other = voices[1 - channel]
            short = other.short[int(random.integers(len(other.short)))]
            short = short / level(short) * 10 ** (-4 / 20)
            first = 1.2 if overlapped else 0.5
            choices = _speaking(powers(said), round(first * 100), len(said) // 160 - 50 - len(short) // 160)
            begins = at + float(random.choice(choices)) / 100
            ended = script.say(1 - channel, begins, short)
            script.backchannels.append(Turn(SPEAKERS[1 - channel], begins, ended))
        overlapped, before = overlap > 0, end
        at = end - overlap if overlapped else end + random.uniform(0.25, 1.6)
        channel = 1 - channel
    return script


def _speaking(powers_said: Sound, first: int, last: int) -> npt.NDArray[np.int_]:
    """The 10 ms from `first` to `last` in which somebody speaks for the next 200 ms, by the powers of what is said: whoever begins in a
    pause speaks over nobody.
    """
    loud = powers_said > 0.03
    quiet = np.convolve(~loud, np.ones(20), "full")[19:]
    return np.flatnonzero(quiet[first:last] < 8) + first


def _cut_short(said: Sound, least: float, random: np.random.Generator) -> tuple[Sound, float]:
    """`said` until somebody is silent who was interrupted, and for how long the other spoke over it before, in seconds."""
    powers_said = powers(said)
    choices = _speaking(powers_said, round((least - 0.5) * 100), len(said) // 160 - 60)
    begins = int(random.choice(choices))
    loud = np.flatnonzero(powers_said > 0.1)
    later = loud[loud > begins + 35]
    last = int(later[min(round(random.uniform(0, 20)), len(later) - 1)]) + 1
    cut = said[: last * 160].copy()
    cut[-320:] *= np.linspace(1, 0, 320)
    return cut, (last - begins) / 100
