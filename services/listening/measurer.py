"""A relay listener that measures the conversation from the call's sound."""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable

from services.domain.stream_format import StreamFormat
from services.listening.listener import End
from services.measures.figures import Figures
from services.measures.measured import Measured
from services.measures.measures import Measures

log = logging.getLogger(__name__)

Publish = Callable[[Measured | None, bool], None]
"""Takes the latest figures, and whether they are the last; see Measurer."""

EndMeasuring = Callable[[], Awaitable[None]]
"""Measures the sound received so far, publishes the last figures and stops."""

_AT_ONCE = 4  # blocks of 250 ms, 2 to 6 ms of CPU; the rest of what came at once is measured in the loop's next rounds
_LEAST_LOST = 0.5  # samples: less is a rounding error, and a reconnection that brought all that was missed loses nothing
_PUBLISHED_EVERY_S = 1.0  # of sound, if nothing happens


class Measurer:
    """Measures what the relay sends, on the relay's loop. `publish` is called there with the figures whenever a turn begins or ends, or
    somebody falls silent, at least once per second of sound. When nothing more comes it is called a last time, with True; with None if
    nothing was measured.

    Time is the position in the sound. Where sound was lost the time until it came again is missing, as in a recording. A stream that does
    not announce its format, or has one channel, is not measured. `before` is what an earlier process measured of this call.

    An error in measuring is logged and ends it: the others who hear the call must not lose its sound.
    """

    def __init__(
        self,
        leave: Callable[["Measurer"], None],
        *,
        publish: Publish,
        before: Measured | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.end: End | None = None
        self._leave = leave
        self._publish = publish
        self._clock = clock
        self._epoch = time.time() - clock()
        self._before = self._latest = before
        self._failed = False
        self._began = before.started_at - self._epoch if before else None
        self._measures: Measures | None = None
        self._form: StreamFormat | None = None
        self._measuring: StreamFormat | None = None
        self._anew = True
        self._waiting: deque[tuple[float, bytes, StreamFormat, bool]] = deque()
        self._scheduled = False
        self._state: object = None
        self._shown: object = None
        self._shown_at = 0.0

    def tell(self, event: str) -> None:
        if event.startswith('{"type":"start"'):
            start = json.loads(event)
            form = None if start.get("assumed") else StreamFormat.parse(start)
            self._form = form if form and form.channels > 1 else None
        elif event.startswith('{"type":"stream"') and '"state":"interrupted"' in event:
            self._anew = True

    def play(self, sound: bytes, *, at_most: int) -> None:
        """`at_most` limits live listeners: what is measured is never dropped."""
        if self.end or self._failed or self._form is None:
            return
        anew, self._anew = self._anew, False
        self._waiting.append((self._clock(), sound, self._form, anew))
        self._work()

    def finish(self, end: End, *, drain: bool) -> None:
        """Measures what has come, whatever `drain` says, and publishes the last figures."""
        if self.end is None:
            self.end = end
            self._work()

    def close(self) -> None:
        """Stops measuring. Call it on the relay's loop. May be called twice."""
        self.finish("left", drain=True)
        self._leave(self)

    def _work(self) -> None:
        """Measures at most a second of sound, and schedules the rest."""
        if self._scheduled:
            return
        try:
            left = float(_AT_ONCE)
            while self._waiting and left > 0:
                left -= self._measure_piece()
            if self.end and self._measures and not self._waiting:
                self._measures.finish()
                self._latest = self._measured(self._measures.figures())
        except Exception:
            log.exception("a call can't be measured any further")
            self._failed, self._measures = True, None
            self._waiting.clear()
        if self._waiting:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._go_on)
        elif self.end:
            self._publish(self._latest, True)

    def _go_on(self) -> None:
        self._scheduled = False
        self._work()

    def _measure_piece(self) -> float:
        """Measures the oldest sound, or a second of it. Returns how many blocks it had."""
        at, sound, form, anew = self._waiting.popleft()
        measures = self._at(at, form, anew=anew)
        block = form.bytes_per_second // 4
        most = _AT_ONCE * block // form.block_size * form.block_size
        if len(sound) > most:
            self._waiting.appendleft((at, sound[most:], form, False))
            sound = sound[:most]
        if measures.feed(sound):
            self._show(measures)
        return len(sound) / block

    def _at(self, at: float, form: StreamFormat, *, anew: bool) -> Measures:
        """The measures, at the time of the sound that came at `at`."""
        if self._began is None:
            self._began = at
        elapsed = at - self._began
        if self._measures is None:
            figures = self._before.figures if self._before else None
            self._measures = Measures(form, since=max(elapsed, figures.conversation.until) if figures else 0.0, before=figures)
            self._measuring = form
        elif anew or (form is not self._measuring and form != self._measuring):
            # Whole samples from a time rounded to four digits, as in the log of a recording, so that both give the same figures.
            lost_s = round(round(elapsed, 4) * form.sample_rate) / form.sample_rate - self._measures.seconds
            if form != self._measuring or lost_s * form.sample_rate > _LEAST_LOST:
                self._measures.gap(max(0.0, lost_s), form)
            self._measuring = form
        return self._measures

    def _show(self, measures: Measures) -> None:
        if measures.state == self._state and measures.seconds - self._shown_at < _PUBLISHED_EVERY_S:
            return
        self._state = measures.state
        figures = measures.figures()
        one = figures.conversation
        visible = (figures.speaking, len(one.turns), len(one.backchannels), len(figures.missing), figures.interruptions)
        if visible != self._shown or one.until - self._shown_at >= _PUBLISHED_EVERY_S:
            self._shown, self._shown_at = visible, one.until
            self._latest = self._measured(figures)
            self._publish(self._latest, False)

    def _measured(self, figures: Figures) -> Measured:
        assert self._began is not None  # noqa: S101 - set with the first sound
        return Measured(self._epoch + self._began if self._before is None else self._before.started_at, figures)
