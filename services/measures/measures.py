"""Measures a conversation from its sound, in one pass: live, or from a recording, with the same result."""

from services.domain.stream_format import StreamFormat
from services.measures.bands import BLOCK_FRAMES, Bands, Block
from services.measures.figures import SPEAKERS, Figures
from services.measures.floor import Floor
from services.measures.stretches import Stretches
from services.measures.turns import Stretch
from services.measures.voice import VoiceDetector


def warm_up() -> None:
    """Measures a moment of silence, so that the first sound of a process does not wait for what numpy imports and starts at its first use:
    up to 71 ms of CPU."""
    form = StreamFormat(sample_rate=8000, channels=2)
    measures = Measures(form)
    measures.feed(bytes(form.bytes_per_second // 4))
    measures.finish()


class Measures:
    """Feed it the sound of a call, in pieces of any size: time is the position in the sound, so it does not matter when they arrive.

    The customer is the left channel, the assistant the right. `since` is the time of the first sound, in seconds; what was before is
    missing. `before` are the figures until then, from an earlier process. Raises ValueError for a format of one channel, in which nobody
    knows who speaks.
    """

    def __init__(self, form: StreamFormat, *, since: float = 0.0, before: Figures | None = None) -> None:
        self._voice = VoiceDetector()
        self._stretches = (Stretches(), Stretches())
        self._floor = Floor.after(before.conversation, before.missing) if before else Floor()
        self._clipped_s = list(before.clipped_s) if before else [0.0, 0.0]
        self._found = 0  # stretches
        heard = before.conversation.until if before else 0.0
        self._begin(form, heard)
        self.gap(since - heard)

    def _begin(self, form: StreamFormat, since: float) -> None:
        if form.channels < 2:
            raise ValueError("Measures need a channel for each speaker.")
        self._form = form
        self._bands = Bands(form)
        self._since = since
        self._bytes = 0
        self._first_frame = self._voice.frames

    @property
    def seconds(self) -> float:
        """The time of the next sound."""
        return self._since + self._bytes / self._form.bytes_per_second

    @property
    def state(self) -> object:
        """Differs from an earlier one if who speaks has changed, or what was said: then figures may have changed by more than time."""
        return self._found, *(self._talking(channel) is not None for channel in (0, 1)), len(self._floor.missing)

    def feed(self, pcm: bytes) -> bool:
        """Returns True if figures may have changed. `pcm` has whole samples of all channels."""
        self._bytes += len(pcm)
        blocks = self._bands.feed(pcm)
        for block in blocks:
            self._add(block, BLOCK_FRAMES)
        return bool(blocks)

    def gap(self, seconds: float, form: StreamFormat | None = None) -> None:
        """Sound of this length was lost. `form` is the format of the next sound, if it is another one."""
        self.finish()
        now = self.seconds
        if seconds > 0:
            self._floor.missing.append(Stretch(now, now + seconds))
        self._begin(form or self._form, now + max(0.0, seconds))

    def finish(self) -> None:
        """Counts the sound that was not yet handled because it was no whole block. Nothing can be fed afterwards, except after a gap."""
        block, frames = self._bands.finish()
        if frames:
            self._add(block, frames)
        for run in self._voice.finish():
            self._keep(run.channel, self._stretches[run.channel].add(run))
        for channel in (0, 1):
            self._keep(channel, self._stretches[channel].end())

    def figures(self) -> Figures:
        """The figures until now."""
        talking = (self._talking(0), self._talking(1))
        clipped_s = (self._clipped_s[0], self._clipped_s[1])
        speaking = frozenset(SPEAKERS[channel] for channel in (0, 1) if talking[channel])
        return Figures(self._floor.conversation(self._time(self._voice.frames), talking), tuple(self._floor.missing), clipped_s, speaking)

    def _add(self, block: Block, frames: int) -> None:
        for channel in (0, 1):
            self._clipped_s[channel] += block.clipped[channel] / self._form.sample_rate
        for run in self._voice.add(block, frames):
            self._keep(run.channel, self._stretches[run.channel].add(run))
        began = [self._voice.frames - 1, self._voice.frames - 1]
        for channel in (0, 1):
            began[channel] = self._voice.begun(channel)
            self._keep(channel, self._stretches[channel].settle(began[channel]))
            began[channel] = self._stretches[channel].begun(began[channel])
        self._floor.settle(self._time(min(began)))

    def _keep(self, channel: int, stretch: Stretch | None) -> None:
        if stretch:
            self._found += 1
            self._floor.add(channel, self._in_seconds(stretch))

    def _talking(self, channel: int) -> Stretch | None:
        """What goes on: speech that was found and may be continued, or that is being found."""
        found, since = self._stretches[channel].speech(), self._voice.open_since(channel)
        if since is None:
            return self._in_seconds(found) if found else None
        return self._in_seconds(Stretch(found.start if found else since, self._voice.frames))

    def _in_seconds(self, stretch: Stretch) -> Stretch:
        return Stretch(self._time(stretch.start), self._time(stretch.end))

    def _time(self, frame: float) -> float:
        """When a frame begins, which is weighted around its own time, but never before the sound."""
        return self._since + max(0.0, frame - self._first_frame - 0.5) * self._bands.frame_s
