"""Cuts PCM into frames of 10 ms and gives the power of each in the bands of telephone speech, whatever the sample rate."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.domain.stream_format import StreamFormat

BLOCK_FRAMES = 25
"""Frames are handled 250 ms at a time: a call of numpy costs as much as its arithmetic on this many."""

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

_EDGES_HZ = np.array([150, 250, 350, 450, 550, 700, 850, 1000, 1200, 1450, 1700, 2000, 2400, 2900, 3400, 3900])
BAND_SHARES = (np.diff(_EDGES_HZ) / 4000).astype("f4")
"""How white noise spreads over the bands; what is missing to 1 lies outside of them."""

_SUM = np.ones(len(BAND_SHARES), dtype="f4")
"""The sum over the bands is a product with this: numpy's own takes longer for so few of them."""

_LOWEST_RATE = 8000
_CLIPPED = 32_000  # of 32,768: in mu-law the loudest step
_EXPONENTS = (~np.arange(256) >> 4) & 7
_MU_LAW = (np.where(np.arange(256) < 128, -1, 1) * (((((~np.arange(256) & 15) << 3) + 132) << _EXPONENTS) - 132)).astype("i2")

_BEEP_HZ = (400, 3400)
_DTMF_LOW_HZ, _DTMF_HIGH_HZ = (650, 1000), (1150, 1700)
_TONE_SHARE, _DTMF_SHARE, _DTMF_SOFTER = 0.9, 0.85, 0.06


@dataclass(frozen=True, slots=True)
class Block:
    """Frames of two channels. `powers`: channels x frames x bands, a sine of full scale has 0.5. `tones`: nothing but a beep or a key's
    two tones, channels x frames. `clipped`: samples at full scale, by channel."""

    powers: Floats
    tones: Flags
    clipped: tuple[int, int]


class Bands:
    """The blocks of the first two channels. Frame `i` is weighted around `i * frame_s`, 10 ms to both sides."""

    def __init__(self, form: StreamFormat) -> None:
        self._form = form
        # Speech needs no more than 8 kHz. The mean of neighbours lets some of what lies above through, which is speech as well.
        self._factor = max(1, form.sample_rate // _LOWEST_RATE)
        self._hop = round(form.sample_rate / self._factor / 100)
        self.frame_s = self._hop * self._factor / form.sample_rate
        self._size = BLOCK_FRAMES * self._hop * self._factor * form.block_size
        window = np.hanning(2 * self._hop + 1)[:-1]
        scale = 32768 * self._factor * np.sqrt(np.square(window).sum() * self._hop)
        self._window = (window / scale).astype("f4")
        self._edges = self._bins(_EDGES_HZ)
        bins = np.arange(self._edges[-1])[:, None]
        self._bands = ((bins >= self._edges[:-1]) & (bins < self._edges[1:])).astype("f4")
        self._beep, self._low, self._high = (slice(*self._bins(np.array(hz))) for hz in (_BEEP_HZ, _DTMF_LOW_HZ, _DTMF_HIGH_HZ))
        self._hold(b"")
        self._before = np.zeros((2, 1, self._hop), dtype="f4")

    def feed(self, pcm: bytes) -> list[Block]:
        """The blocks that are whole now."""
        self._waiting.append(pcm)
        self._held += len(pcm)
        if self._held < self._size:
            return []
        data = b"".join(self._waiting)
        whole = len(data) - len(data) % self._size
        self._hold(data[whole:])
        return [self._analysed(data[begin : begin + self._size]) for begin in range(0, whole, self._size)]

    def finish(self) -> tuple[Block, int]:
        """The last block, filled up with silence, and how many of its frames are sound. The next sound begins anew."""
        rest = b"".join(self._waiting)
        self._hold(b"")
        block = self._analysed(rest.ljust(self._size, b"\xff" if self._form.encoding == "mulaw" else b"\x00"))
        self._before = np.zeros_like(self._before)
        return block, len(rest) * BLOCK_FRAMES // self._size

    def _hold(self, rest: bytes) -> None:
        """Keeps the beginning of the next block. Frames of 20 ms are only joined once they are a block."""
        self._waiting = [rest]
        self._held = len(rest)

    def _bins(self, hz: npt.NDArray[np.int_]) -> npt.NDArray[np.int_]:
        return np.rint(hz * 2 * self._hop * self._factor / self._form.sample_rate).astype(int)

    def _analysed(self, pcm: bytes) -> Block:
        samples, clipped = self._decoded(pcm)
        halves = np.concatenate((self._before, samples.reshape(2, BLOCK_FRAMES, self._hop)), axis=1)
        self._before = halves[:, -1:]
        frames = np.concatenate((halves[:, :-1], halves[:, 1:]), axis=2)
        frames *= self._window
        spectrum = np.fft.rfft(frames)[..., : self._edges[-1]]
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        powers = power @ self._bands  # a quarter of the time of np.add.reduceat
        return Block(powers, self._tones(power, powers @ _SUM), clipped)

    def _tones(self, power: Floats, total: Floats) -> Flags:
        # The frames are the last axis: a maximum over neighbours takes numpy twice as long.
        turned = np.ascontiguousarray(power.reshape(-1, power.shape[-1]).T)
        peaks = turned[:-2] + turned[1:-1]
        peaks += turned[2:]
        low, high, beep = (np.maximum.reduce(peaks[bins]).reshape(total.shape) for bins in (self._low, self._high, self._beep))
        keys = (low + high > _DTMF_SHARE * total) & (np.minimum(low, high) > _DTMF_SOFTER * total)
        flags: Flags = keys | (beep > _TONE_SHARE * total)
        return flags

    def _decoded(self, pcm: bytes) -> tuple[Floats, tuple[int, int]]:
        """Samples by channel at the lower rate, at the scale of 16 bits times the factor, and how many were clipped."""
        form = self._form
        coded = np.frombuffer(pcm, dtype="u1" if form.encoding == "mulaw" else "<i2")
        whole = _MU_LAW[coded] if form.encoding == "mulaw" else coded
        clipped = (0, 0)
        if np.maximum.reduce(whole) >= _CLIPPED or np.minimum.reduce(whole) <= -_CLIPPED:
            left, right = np.count_nonzero(np.abs(whole.reshape(-1, form.channels)[:, :2].astype(int)) >= _CLIPPED, axis=0)
            clipped = (int(left), int(right))
        # Column after column: numpy is slow where the last axis has two elements.
        columns = whole.astype("f4").reshape(-1, self._factor * form.channels)
        samples = np.empty((2, len(columns)), dtype="f4")
        for channel in (0, 1):
            own = columns[:, channel :: form.channels]
            samples[channel] = own[:, 0] if self._factor == 1 else own[:, 0] + own[:, 1]
            for number in range(2, self._factor):
                samples[channel] += own[:, number]
        return samples, clipped
