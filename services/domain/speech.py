"""Who says what in a call, and who is speaking now, as events. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """Words of one speaker: "customer", "assistant", or another name that is never shown as a line.

    While `final` is false, more of the same utterance follows. `time` is in milliseconds and only tells two deliveries of one message from
    two messages with the same words.
    """

    speaker: str
    text: str
    final: bool = True
    time: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechChange:
    """A speaker started or stopped speaking."""

    speaker: str
    started: bool


SpeechEvent = Utterance | SpeechChange
