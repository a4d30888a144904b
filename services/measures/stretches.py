"""Joins runs of one channel's speech over the pauses between sounds and words. Times in frames."""

from services.measures.turns import Stretch
from services.measures.voice import STRONG, Run

_PAUSE_FRAMES = 25  # the silence before a "t" or "k" and between most words
_WEAK_FRAMES = 15  # how near a weak run has to be
_LEAST_FRAMES = 8  # of all runs together
_LEAST_RUN_FRAMES = 6  # of the longest run: clicks are shorter, however many there are
_LEAST_EVIDENCE = 3.0


class Stretches:
    """Takes one channel's runs in order."""

    def __init__(self) -> None:
        self._start = self._end = self._frames = self._longest = 0
        self._strongest = 0.0

    def add(self, run: Run) -> Stretch | None:
        """Returns the stretch before it, if this run does not continue it."""
        pause = run.start - self._end
        weak = run.strongest < STRONG or self._strongest < STRONG
        if self._frames and pause <= (_WEAK_FRAMES if weak else _PAUSE_FRAMES):
            self._end = run.end
            self._frames += run.end - run.start
            self._strongest = max(self._strongest, run.strongest)
            self._longest = max(self._longest, run.end - run.start)
            return None
        if self._strongest >= STRONG > run.strongest and pause <= _PAUSE_FRAMES:
            return None  # too weak to count, and the next run may continue the stretch
        before = self.speech()
        self._start, self._end, self._strongest = run.start, run.end, run.strongest
        self._frames = self._longest = run.end - run.start
        return before

    def settle(self, frame: int) -> Stretch | None:
        """Returns the stretch that no run from `frame` on can continue."""
        return None if frame - self._end <= _PAUSE_FRAMES else self.end()

    def end(self) -> Stretch | None:
        """Returns the stretch so far; nothing continues it."""
        before = self.speech()
        self._frames, self._strongest = 0, 0.0
        return before

    def begun(self, frame: int) -> int:
        """The frame at which the stretch began that a run at `frame` may continue, or `frame`."""
        return self._start if self._frames else frame

    def speech(self) -> Stretch | None:
        """What was joined so far, if it is speech."""
        if self._frames < _LEAST_FRAMES or self._longest < _LEAST_RUN_FRAMES or self._strongest < _LEAST_EVIDENCE:
            return None
        return Stretch(self._start, self._end)
