"""Finds speech in the band powers of two channels, and tells it from noise, tones and music.

A band's noise is its smallest power of the last seconds (Martin 2001, minimum statistics). A frame's evidence is the mean log likelihood
ratio of its bands (Sohn 1999). Where the evidence exceeds a low threshold and somewhere in between a high one, there may be speech, from
the first such frame to the last, so a beginning is dated back and an end has no hangover. Speech also has to change its spectrum as fast as
syllables do, which neither steady noise nor a note does. What returns of the other channel as an echo counts as noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from services.measures.bands import BAND_SHARES, BLOCK_FRAMES, Block, Floats
from services.measures.echo import MOST_DELAY_FRAMES, Echo

_NOISE_BLOCKS = 10  # 2.5 s: longer than speech keeps any band busy
_NOISE_SMOOTHING = 5  # frames; the minimum of single frames would be far below the noise
_NOISE_BIAS = 1.7  # noise over the minimum of its smoothed power; measured on white noise
_NOISE_LEAST = (1e-7 * BAND_SHARES).astype("f4")  # -70 dBFS: below that nothing is heard on a telephone

_VOICE_BANDS = len(BAND_SHARES) - 1  # all but the hiss above 3,400 Hz
_EACH = np.full(len(BAND_SHARES), 1 / _VOICE_BANDS, dtype="f4")
"""The hiss adds to the evidence of the other bands: a mean over all would count a voice for less, which has no hiss."""
_MEAN = np.full(_VOICE_BANDS, 1 / _VOICE_BANDS, dtype="f4")
"""The mean over the bands is a product with this: numpy's own takes three times as long for so few of them."""

_MOST_EVIDENCE = 30.0  # per band, so that one loud band is no proof
_LOW, _WEAK = 1.0, 1.6  # of noise alone, one frame in a thousand exceeds 1.2
STRONG = 2.4
"""Evidence of speech by itself. Weaker runs belong to speech that is near, as the "t" at the end of a word."""

_DB = np.float32(10 / np.log(10))
_CHANGE_FRAMES = 10  # a syllable has other sounds 100 ms later
_KEPT_FRAMES = 150  # the longest part of a run that is judged at once, a block, and the delay of an echo
_MOST_CHANGE_DB = 8.0
_LEAST_CHANGE_DB = 2.4  # on average: steady noise 1.9, speech at 5 dB over noise at least 2.9
_HELD_DB, _HELD_SHARE = 1.3, 0.22  # notes are held: of music at least 0.28 of the frames change less, of speech at most 0.14
_JUDGED_FRAMES = 60  # a run as long as this is judged by its change, and so is each further part of it
_HELD_FRAMES = 30
_BEAT_FRAMES = 50  # what follows a held note as soon as this is the next note
_TRUE, _FALSE = b"\x01", b"\x00"  # a flag of numpy's as bytes
_TONE_SHARE = 0.4  # of a run's frames; the frames at the ends of a beep are no pure tone


@dataclass(frozen=True, slots=True)
class Run:
    """Speech of one channel without a pause, from frame `start` until frame `end`."""

    channel: int
    start: int
    end: int
    strongest: float


@dataclass(frozen=True, slots=True)
class _Frames:
    """Those of one channel that are decided with a block, as lists and bytes: for so few values numpy's calls take longer than Python's.

    `around` is the evidence of single frames, from the one before the `first` on."""

    first: int
    around: list[float]
    evidence: list[float]
    active: bytes
    tones: bytes
    change: list[float]
    held: bytes


@dataclass(slots=True)
class _Candidate:
    """Frames with evidence from `start` on, the next to be judged from `begun` on."""

    start: int
    begun: int
    strongest: float = 0.0
    tones: int = 0
    change: float = 0.0
    changes: int = 0
    held: int = 0
    judged: bool | None = None

    def add(self, frames: "_Frames", begin: int, end: int) -> None:
        self.strongest = max(self.strongest, *frames.evidence[begin:end])
        self.tones += frames.tones.count(_TRUE, begin, end)
        # The change from the noise before the run to its beginning says nothing.
        begin = max(begin, self.start + _CHANGE_FRAMES - frames.first)
        if begin < end:
            self.change += sum(frames.change[begin:end])
            self.changes += end - begin
            self.held += frames.held.count(_TRUE, begin, end)

    def speech(self, end: int) -> bool:
        """Whether the part until `end` is speech. What is too short to be judged is as the part before."""
        frames = end - self.begun
        if self.strongest < _WEAK or self.tones >= _TONE_SHARE * frames:
            return False
        if self.is_note(end):
            return False
        if frames < _JUDGED_FRAMES:
            return self.judged is not False
        return self.change >= _LEAST_CHANGE_DB * self.changes

    def is_note(self, end: int) -> bool:
        return end - self.begun >= _HELD_FRAMES and self.held > _HELD_SHARE * self.changes

    def next_part(self, begun: int) -> None:
        self.begun, self.tones, self.change, self.changes, self.held = begun, 0, 0.0, 0, 0


class VoiceDetector:
    """Takes block after block and returns the runs of speech that ended, or parts of long ones, in their order by channel."""

    def __init__(self) -> None:
        self.frames = 0
        """That were taken; the last one is decided with the next block, since it needs its neighbour."""
        self._minima = np.full((_NOISE_BLOCKS, 2, len(BAND_SHARES)), np.inf, dtype="f4")
        self._minimum = 0
        self._candidates: list[_Candidate | None] = [None, None]
        self._echoes = (Echo(), Echo())
        self._note_until = [0, 0]
        self._begin()

    def _begin(self) -> None:
        self._powers: Floats = np.empty((2, 0, len(BAND_SHARES)), dtype="f4")
        self._first_kept = 0
        self._evidence = np.zeros((2, 2), dtype="f4")
        self._tones = np.zeros((2, 1), dtype=bool)

    def open_since(self, channel: int) -> int | None:
        """The frame at which the speech began that goes on, if it is certain enough to be shown."""
        one = self._candidates[channel]
        if one is None or one.strongest < STRONG or self.frames - one.start < _CHANGE_FRAMES or not one.speech(self.frames):
            return None
        return one.begun if one.change >= _LEAST_CHANGE_DB * one.changes else None

    def begun(self, channel: int) -> int:
        """No run that is still to be returned begins before this frame."""
        one = self._candidates[channel]
        return one.begun if one else max(0, self.frames - 1)

    def add(self, block: Block, frames: int = BLOCK_FRAMES) -> list[Run]:
        """The first `frames` of the block are sound."""
        # What was before the first sound is not known. That it was silence would make noise of any level begin as speech.
        before = self._powers if self._powers.size else np.repeat(block.powers[:, 1:2], _KEPT_FRAMES, axis=1)
        powers = np.concatenate((before, block.powers), axis=1)
        noise = self._noise(powers[:, 1 - BLOCK_FRAMES - _NOISE_SMOOTHING :], frames)
        around = np.concatenate((self._evidence, _evidence_of(block.powers, self._expected(noise, powers))), axis=1)
        evidence = around[:, :-2] + around[:, 1:-1]
        evidence += around[:, 2:]
        evidence /= 3
        active = evidence[:, :frames] > _LOW
        tones = np.concatenate((self._tones, block.tones), axis=1)
        self._powers, self._evidence, self._tones = powers[:, -_KEPT_FRAMES:], around[:, -2:], tones[:, -1:]
        self._first_kept = self.frames + BLOCK_FRAMES - _KEPT_FRAMES
        runs: list[Run] = []
        speaking = [bool(self._candidates[channel]) or _TRUE in active[channel].tobytes() for channel in (0, 1)]
        if any(speaking):
            change = _change(powers[:, -BLOCK_FRAMES - _CHANGE_FRAMES - 3 :, :_VOICE_BANDS])
            held = change < _HELD_DB
            for channel in (0, 1):
                if speaking[channel]:
                    of_channel = _Frames(
                        first=self.frames - 1,
                        around=around[channel].tolist(),
                        evidence=evidence[channel].tolist(),
                        active=active[channel].tobytes(),
                        tones=tones[channel].tobytes(),
                        change=change[channel].tolist(),
                        held=held[channel].tobytes(),
                    )
                    runs.extend(self._runs(channel, of_channel))
        self.frames += frames
        return runs

    def finish(self) -> list[Run]:
        """Ends the runs that go on. The next sound begins anew, but for the noise, which is known."""
        runs = [run for channel in (0, 1) for run in self._end(channel, self.frames)]
        self._begin()
        return runs

    def _noise(self, powers: Floats, frames: int) -> Floats:
        pairs = powers[:, : frames + 2] + powers[:, 1 : frames + 3]
        smoothed = pairs[:, :-2] + pairs[:, 2:]
        smoothed += powers[:, _NOISE_SMOOTHING - 1 : frames + _NOISE_SMOOTHING - 1]
        least = np.minimum.reduce(smoothed, axis=1)
        least *= np.float32(_NOISE_BIAS / _NOISE_SMOOTHING)
        self._minima[self._minimum] = least
        self._minimum = (self._minimum + 1) % _NOISE_BLOCKS
        return np.asarray(np.minimum.reduce(self._minima) + _NOISE_LEAST)

    def _expected(self, noise: Floats, powers: Floats) -> Floats:
        """The powers without speech: noise, and what may return of the other channel."""
        if self._echoes[0].gain == self._echoes[1].gain == 0:
            return noise[:, None]
        expected = np.repeat(noise[:, None], BLOCK_FRAMES, axis=1)
        for channel, echo in enumerate(self._echoes):
            if echo.gain:
                expected[channel] += echo.of(powers[1 - channel], BLOCK_FRAMES)
        return expected

    def _runs(self, channel: int, frames: _Frames) -> Iterator[Run]:
        first, around, active = frames.first, frames.around, frames.active
        if self._candidates[channel] and not active.startswith(_TRUE):
            yield from self._end(channel, first - int(around[0] < _LOW))
        end = 0
        while (begin := active.find(_TRUE, end)) >= 0:
            end = active.find(_FALSE, begin)
            end = len(active) if end < 0 else end
            # The mean of three spreads strong evidence to a frame before and one after.
            start = first + begin + int(around[begin + 1] < _LOW)
            one = self._candidates[channel] = self._candidates[channel] or _Candidate(start, start)
            one.add(frames, begin, end)
            if end < len(active):
                yield from self._end(channel, first + end - int(around[end] < _LOW))
            elif first + end - one.begun >= _JUDGED_FRAMES:
                yield from self._judge(channel, one, first + end)

    def _end(self, channel: int, end: int) -> Iterator[Run]:
        one, self._candidates[channel] = self._candidates[channel], None
        if one and end > one.begun:
            yield from self._judge(channel, one, end)

    def _span(self, channel: int, start: int, end: int) -> Floats:
        """The powers from the longest delay before `start` until `end`."""
        first = start - MOST_DELAY_FRAMES - self._first_kept
        return self._powers[channel, max(0, first) : end - self._first_kept]

    def _judge(self, channel: int, one: _Candidate, end: int) -> Iterator[Run]:
        short = end - one.begun < _HELD_FRAMES
        if one.is_note(end) or (short and one.begun < self._note_until[channel]):
            self._note_until[channel] = end + _BEAT_FRAMES
            one.judged = False
        else:
            one.judged = one.speech(end)
        if one.judged and not self._echoes[channel].heard(self._span(channel, one.begun, end), self._span(1 - channel, one.begun, end)):
            yield Run(channel, one.begun, end, one.strongest)
        one.next_part(end)


def _evidence_of(powers: Floats, expected: Floats) -> Floats:
    """The mean log likelihood ratio, over the bands, of speech to what is expected without it."""
    ratio = powers / expected
    np.maximum(ratio, 1, out=ratio)
    ratio -= np.log(ratio)
    ratio -= 1
    np.minimum(ratio, _MOST_EVIDENCE, out=ratio)
    return np.asarray(ratio @ _EACH)


def _change(powers: Floats) -> Floats:
    """How much the shape of the spectrum differs from that of 100 ms before, as a mean over the bands in dB."""
    level = powers[:, :-2] + powers[:, 1:-1]
    level += powers[:, 2:]
    level += _NOISE_LEAST[:_VOICE_BANDS]
    np.log(level, out=level)  # of which numpy has a quick one, unlike log10
    level *= _DB
    difference = level[:, _CHANGE_FRAMES : _CHANGE_FRAMES + BLOCK_FRAMES] - level[:, :BLOCK_FRAMES]
    difference -= (difference @ _MEAN)[..., None]
    np.abs(difference, out=difference)
    return np.asarray(np.minimum(difference @ _MEAN, _MOST_CHANGE_DB))
