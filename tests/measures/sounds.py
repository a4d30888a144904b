"""Sounds of a telephone line: speech cut from the demo call, noise, tones, hold music, mu-law and echo. Mono, float, full scale 1."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

Sound = npt.NDArray[np.float64]

RATE = 16_000
DEMO_CALL = Path(__file__).parents[2] / "assets" / "demo_call" / "demo_call.flac"
AUDIBLE_DB = -25.0
"""Of an utterance's loudest 10 ms, by the energy in the telephone band (300 to 3,400 Hz). What is softer at its beginning and end is cut
off: noise 20 dB below the voice is about as loud, and nobody could say when something softer ends in it. The hiss of an "s" or "t" above
the band does not count, since a telephone line does not pass it on."""


@dataclass(frozen=True)
class Voice:
    """What somebody can say: whole utterances, and short ones for "mhm" and "yes". None begins or ends with silence."""

    utterances: tuple[Sound, ...]
    short: tuple[Sound, ...]


@cache
def demo_voices() -> tuple[Voice, Voice]:
    """The customer and the assistant of the demo call."""
    samples, rate = soundfile.read(DEMO_CALL, dtype="float64")
    assert rate == RATE
    turns = json.loads(DEMO_CALL.with_suffix(".json").read_text())["turns"]
    clips: list[list[Sound]] = [[], []]
    for turn in turns:
        channel = 0 if turn["role"] == "customer" else 1
        clips[channel].append(trimmed(samples[round(turn["start"] * RATE) : round(turn["end"] * RATE), channel]))
    hello, bye = clips[0][0], clips[0][-1]
    short = (hello, bye, mhm(115.0), mhm(95.0))
    return Voice(tuple(clips[0][1:-1]), short), Voice(
        tuple(clips[1]), (resampled(hello, 0.8), resampled(bye, 0.75), mhm(190.0), mhm(220.0))
    )


def level(sound: Sound) -> float:
    """The root mean square of the loud half, which is how loud a voice seems."""
    frames = np.square(sound[: len(sound) // 160 * 160].reshape(-1, 160)).mean(1)
    loud = frames[frames > frames.max() * 10 ** (-2.0)]
    return float(np.sqrt(loud.mean()))


def powers(sound: Sound) -> Sound:
    """The power of each 10 ms in the telephone band."""
    count = len(sound) // 160 * 160
    return np.asarray(np.square(in_band(sound)[:count].reshape(-1, 160)).mean(1))


def audible(sound: Sound) -> tuple[int, int]:
    """The samples between which a sound can be heard on a telephone line."""
    decibels = 10 * np.log10(powers(sound) + 1e-12)
    heard = np.flatnonzero(decibels > decibels.max() + AUDIBLE_DB)
    return int(heard[0]) * 160, int(heard[-1] + 1) * 160


def trimmed(sound: Sound) -> Sound:
    """Without the silence around it, and without what no telephone passes on there."""
    return sound[slice(*audible(sound))]


def in_band(sound: Sound) -> Sound:
    """What a telephone passes on: 300 to 3,400 Hz, with slopes of 120 and 500 Hz."""
    count = -(-len(sound) // 1600) * 1600  # of a length without large prime factors it takes a third of the time
    return np.asarray(np.fft.irfft(np.fft.rfft(sound, count) * _band(count), count)[: len(sound)])


def _band(count: int) -> Sound:
    frequencies = np.fft.rfftfreq(count, 1 / RATE)
    return np.asarray(np.clip((frequencies - 180) / 120, 0, 1) * np.clip((3900 - frequencies) / 500, 0, 1))


def resampled(sound: Sound, factor: float) -> Sound:
    """As if played `1 / factor` times as fast: longer and lower for a factor above 1."""
    at = np.arange(int((len(sound) - 1) * factor)) / factor
    return np.interp(at, np.arange(len(sound)), sound)


def mhm(pitch_hz: float, seconds: float = 0.42) -> Sound:
    """A hummed "mhm": harmonics below 500 Hz, softer in the middle, rising at the end."""
    times = np.arange(round(seconds * RATE)) / RATE
    pitch = pitch_hz * (1 - 0.15 * np.sin(2 * np.pi * times / seconds) + 0.2 * times)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    hummed = sum((np.sin(k * phase) / k**1.3 for k in range(1, 12)), np.zeros_like(times))
    shape = np.sin(np.pi * times / seconds) ** 0.4 * (1 - 0.75 * np.exp(-(((times - seconds * 0.45) / 0.04) ** 2)))
    return trimmed(0.2 * hummed * shape)


def noise(kind: str, seconds: float, random: np.random.Generator) -> Sound:
    """`white`, `pink`, `line` (pink, with mains hum), of level 1."""
    count = round(seconds * RATE)
    white = random.standard_normal(count)
    if kind == "white":
        return white
    spectrum = np.fft.rfft(white)
    frequencies = np.fft.rfftfreq(count, 1 / RATE)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(frequencies, 50)), count)
    pink /= pink.std()
    if kind == "line":
        times = np.arange(count) / RATE
        hum = sum((np.sin(2 * np.pi * 50 * k * times + k) / k for k in (1, 2, 3, 5, 7)), np.zeros(count))
        pink = pink + hum
    return np.asarray(pink / pink.std())


def tone(frequencies: tuple[float, ...], seconds: float) -> Sound:
    times = np.arange(round(seconds * RATE)) / RATE
    tones = sum((np.sin(2 * np.pi * hz * times) for hz in frequencies), np.zeros_like(times))
    return np.asarray(tones / np.sqrt(len(frequencies) / 2))


DTMF = {
    key: (low, high)
    for row, low in zip(("123A", "456B", "789C", "*0#D"), (697.0, 770.0, 852.0, 941.0), strict=True)
    for key, high in zip(row, (1209.0, 1336.0, 1477.0, 1633.0), strict=True)
}


def dtmf(keys: str, on: float = 0.1, off: float = 0.1) -> Sound:
    gap = np.zeros(round(off * RATE))
    return np.concatenate([part for key in keys for part in (tone(DTMF[key], on), gap)])


def hold_music(seconds: float, random: np.random.Generator) -> Sound:
    """Chords of a few harmonics each, a new one every half second, with a melody over them."""
    beat = round(0.5 * RATE)
    times = np.arange(beat) / RATE
    parts = []
    for number in range(int(seconds / 0.5) + 1):
        root = 130.8 * 2 ** (float((0, 5, 7, 9)[(number // 4) % 4]) / 12)
        notes = [root, root * 2 ** (4 / 12), root * 2 ** (7 / 12), root * 2 ** (float(random.choice([12, 14, 16, 19, 21])) / 12)]
        chord = sum((np.sin(2 * np.pi * note * k * times) / k for note in notes for k in (1, 2, 3, 4)), np.zeros(beat))
        parts.append(chord * (0.35 + 0.65 * np.exp(-times / 0.35)) * np.minimum(1, times / 0.01))
    music = np.concatenate(parts)[: round(seconds * RATE)]
    return np.asarray(music / music.std())


def through_mulaw(sound: Sound) -> Sound:
    """As a telephone passes it on: `in_band`, at 8 kHz, in 8 bits of mu-law."""
    count = len(sound) + len(sound) % 2
    narrow = np.clip(np.fft.irfft(np.fft.rfft(sound, count) * _band(count), count)[::2], -1, 1)
    coded = np.rint(np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256) * 127) / 127
    decoded = np.sign(coded) * (np.expm1(np.abs(coded) * np.log(256))) / 255
    spread = np.zeros(count)
    spread[::2] = 2 * decoded
    spectrum = np.fft.rfft(spread)
    spectrum[np.fft.rfftfreq(count, 1 / RATE) > 4000] = 0
    return np.asarray(np.fft.irfft(spectrum, count)[: len(sound)])


def echo(sound: Sound, *, decibels: float, seconds: float) -> Sound:
    delay = round(seconds * RATE)
    return np.concatenate([np.zeros(delay), sound[: len(sound) - delay]]) * 10 ** (decibels / 20)
