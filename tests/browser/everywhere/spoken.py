"""A call whose sound says where in the call it is: every 40 ms of it, in either ear, are found again in what was recorded."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from tests.browser.everywhere.sound_server import RATE
from tests.browser.plain_page.hearing import Sound, find

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
_CLOSE = RATE // 200  # where the sound goes on after the part before, nearly always: looked at first
_NEAR = RATE // 4
_BLOCK = 8192  # samples of the call that a part is looked for in at once, everywhere


@cache
def call() -> NDArray[np.int16]:
    """Noise, other in each ear, with pauses: samples x (customer, assistant)."""
    rng = np.random.default_rng(20261126)
    noise = np.fft.rfft(rng.normal(size=(SECONDS * RATE, 2)), axis=0)
    pitch = np.fft.rfftfreq(SECONDS * RATE, 1 / RATE)
    noise[(pitch < _VOICE_HZ[0]) | (pitch > _VOICE_HZ[1])] = 0
    sound = np.fft.irfft(noise, axis=0)
    sound *= _RMS / sound.std()
    sound[np.arange(len(sound)) / RATE % _TURN_S >= LOUD * _TURN_S] = 0
    whole: NDArray[np.int16] = np.rint(sound * 32767).astype(np.int16)
    whole.setflags(write=False)
    return whole


@cache
def _said() -> Sound:
    return call() / 32768


@cache
def _spectra() -> NDArray[np.complex64]:
    """Of blocks of the call that overlap by a part, both ears in one complex sound: the real part of what it is multiplied by itself holds
    the sum of both."""
    said = _in_one(_said())
    blocks = np.lib.stride_tricks.sliding_window_view(np.pad(said, (0, _BLOCK)), _BLOCK)[:: _BLOCK - _PART]
    return np.fft.fft(blocks).astype(np.complex64, copy=False)


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
    said = _said()
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
    for reach in (_CLOSE, _NEAR):
        first = min(max(0, expected - reach), len(said) - len(part) - 1)
        at, like = find(part, said[first : first + len(part) + 2 * reach])
        if like >= _ALIKE and (0 < at < 2 * reach or reach == _NEAR):  # at the edge, it may be the slope of a place beyond
            return first + at
    return None


def _anywhere(part: Sound, said: Sound) -> int | None:
    match = np.fft.ifft(_spectra() * np.fft.fft(_in_one(part), _BLOCK).conj()).real[:, : _BLOCK - _PART]
    at = int(match.argmax())
    if at > len(said) - len(part):
        return None
    return at if _likeness(part, said[at : at + len(part)]) >= _ALIKE else None


def _in_one(sound: Sound) -> NDArray[np.complex64]:
    return (sound[:, 0] + 1j * sound[:, 1]).astype(np.complex64)


def _likeness(one: Sound, other: Sound) -> float:
    return float((one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum() + 1e-12))
