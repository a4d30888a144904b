"""What is heard in an answered call, frame by frame: a conversation, and after a transfer somebody else."""

from collections.abc import Sequence
from dataclasses import replace

from services.demo_line.conversation import FRAME_SECONDS, Conversation, Happening
from services.demo_line.speech import Body, Turn

_RINGBACK_HZ = (440, 480)  # as a caller hears it in North America: two seconds on, four off
_RINGBACK_ON_S, _RINGBACK_CYCLE_S = 2.0, 6.0
_RINGBACK_LEVEL = 1500  # of 32768, each tone


class Playing:
    """Plays `conversation` until `switch`."""

    def __init__(self, conversation: Conversation) -> None:
        self._parts: list[tuple[int, Conversation]] = [(0, conversation)]

    @property
    def sample_rate(self) -> int:
        return self._parts[0][1].sample_rate

    @property
    def frame_count(self) -> int:
        begins, last = self._parts[-1]
        return begins + last.frame_count

    def switch(self, frame: int, conversation: Conversation) -> None:
        """From `frame` on, plays `conversation` from its beginning."""
        self._parts.append((frame, conversation))

    def frame(self, index: int) -> bytes:
        begins, conversation = self._part(index)
        return conversation.frame(index - begins)

    def events_at(self, index: int) -> Sequence[Body]:
        """The events that follow a frame."""
        begins, conversation = self._part(index)
        return conversation.events_at(index - begins)

    def turns(self, seconds: float) -> list[Turn]:
        """The turns that have ended `seconds` after the answer."""
        until = self._until(seconds)
        return [
            replace(turn, start=turn.start + began, end=turn.end + began)
            for (began, conversation), end in until
            for turn in conversation.spoken(end - began)
        ]

    def happenings(self, seconds: float) -> list[Happening]:
        """What else has happened `seconds` after the answer."""
        return [
            replace(one, at=one.at + began)
            for (began, conversation), end in self._until(seconds)
            for one in conversation.happenings
            if one.at + began <= end
        ]

    def complete(self, seconds: float) -> bool:
        """True if everything was said that the first conversation has to say."""
        return len(self._parts[0][1].spoken(self._until(seconds)[0][1])) == len(self._parts[0][1].turns)

    def sound(self, seconds: float) -> bytes:
        """What was heard from the answer on."""
        frames = min(self.frame_count, round(seconds / FRAME_SECONDS))
        return b"".join(self.frame(index) for index in range(frames))

    def _part(self, index: int) -> tuple[int, Conversation]:
        return next((begins, conversation) for begins, conversation in reversed(self._parts) if index >= begins)

    def _until(self, seconds: float) -> list[tuple[tuple[float, Conversation], float]]:
        """Each part with its beginning and its end, in seconds from the answer."""
        begins = [frame * FRAME_SECONDS for frame, _ in self._parts]
        ends = [min(seconds, end) for end in (*begins[1:], seconds)]
        return [((began, part), end) for began, (_, part), end in zip(begins, self._parts, ends, strict=True)]


def after_ringing(conversation: Conversation, seconds: float) -> Conversation:
    """`conversation`, which has no turns, after `seconds` in which the other phone rings on the right channel."""
    import numpy as np

    rate = conversation.sample_rate
    times = np.arange(round(seconds / FRAME_SECONDS) * round(rate * FRAME_SECONDS)) / rate
    tones = sum(np.sin(2 * np.pi * hz * times) for hz in _RINGBACK_HZ) * _RINGBACK_LEVEL
    ringing = np.zeros((len(times), 2), "<i2")
    ringing[:, 1] = np.where(times % _RINGBACK_CYCLE_S < _RINGBACK_ON_S, tones, 0)
    return replace(conversation, sound=ringing.tobytes() + conversation.sound)
