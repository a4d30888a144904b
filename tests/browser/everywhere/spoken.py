"""A call whose sound says where in the call it is: every 40 ms of it, in either ear, are found again in what was recorded."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from tests.browser.everywhere.sound_server import RATE
from tests.browser.plain_page.hearing import Sound, find, place

SECONDS = 54
PART_S = 0.04
LOUD = 0.8
"""The share of the call in which somebody speaks."""
AUDIBLE = 0.01
"""Between a player's dither and any voice."""

_TURN_S = 2.0  # speech, and a pause in which a player may catch up
_VOICE_HZ = (300, 3400)  # what every resampler on the way leaves alone
_RMS = 0.12
_PART = round(PART_S * RATE)
_ALIKE = 0.7  # noise in another place of the call is less than 0.3 alike
_NEAR = RATE // 4


def call() -> NDArray[np.int16]:
    """Noise, other in each ear, with pauses: samples x (customer, assistant)."""
    rng = np.random.default_rng(20261126)
    noise = np.fft.rfft(rng.normal(size=(SECONDS * RATE, 2)), axis=0)
    pitch = np.fft.rfftfreq(SECONDS * RATE, 1 / RATE)
    noise[(pitch < _VOICE_HZ[0]) | (pitch > _VOICE_HZ[1])] = 0
    sound = np.fft.irfft(noise, axis=0)
    sound *= _RMS / sound.std()
    sound[np.arange(len(sound)) / RATE % _TURN_S >= LOUD * _TURN_S] = 0
    return np.rint(sound * 32767).astype(np.int16)


def write(folder: Path) -> Path:
    """The call as the demo line reads it."""
    file = folder / "noise.flac"
    soundfile.write(file, call(), RATE)
    turns = [{"role": role, "text": "Noise.", "start": 0.0, "end": float(SECONDS - 1)} for role in ("customer", "assistant")]
    file.with_suffix(".json").write_text(json.dumps({"turns": turns}))
    return file


@dataclass(frozen=True, slots=True)
class Spot:
    """40 ms of a recording that are part of the call."""

    at: float  # seconds of the recording
    said: float  # seconds of the call
    ears: tuple[float, float]  # how like each ear's own side it is, 1 the same
    swapped: float  # how like the other's


def spots(heard: Sound) -> list[Spot]:
    """Where in the call each loud 40 ms of a recording were said, but for those that a splice or a dropout is in."""
    said = call() / 32768
    found: list[Spot] = []
    ahead: int | None = None  # the call's time less the recording's, in samples
    strange = 0
    for begin in range(0, len(heard) - _PART, _PART):
        part = heard[begin : begin + _PART]
        if min(np.abs(part[: _PART // 2]).max(), np.abs(part[_PART // 2 :]).max()) < AUDIBLE:
            continue
        at = None if ahead is None else _near(part, said, begin + ahead)
        if at is None and strange % 4 == 0:  # looking everywhere is slow
            at = _anywhere(part, said)
        if at is None:
            strange += 1
            continue
        strange, ahead = 0, at - begin
        there = said[at : at + _PART]
        ears = (_likeness(part[:, 0], there[:, 0]), _likeness(part[:, 1], there[:, 1]))
        found.append(Spot(begin / RATE, at / RATE, ears, _likeness(part[:, ::-1], there)))
    return found


def _near(part: Sound, said: Sound, expected: int) -> int | None:
    first = min(max(0, expected - _NEAR), len(said) - len(part) - 1)
    at, like = find(part, said[first : first + len(part) + 2 * _NEAR])
    return first + at if like >= _ALIKE else None


def _anywhere(part: Sound, said: Sound) -> int | None:
    at = place(part, said)
    if not 0 <= at <= len(said) - len(part):
        return None
    return at if _likeness(part, said[at : at + len(part)]) >= _ALIKE else None


def _likeness(one: Sound, other: Sound) -> float:
    return float((one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum() + 1e-12))
