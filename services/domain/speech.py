"""What is said and done in a call, and who is speaking now, as events. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Speaker = Literal["customer", "assistant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """Words of one speaker: "customer", "assistant", or another name that is never shown as a line.

    While `final` is false, more of the same utterance follows. `time` is in milliseconds and orders messages that came the same way; two
    messages with the same words and the same time are one. `name` is the assistant's own, where a squad has several.
    """

    speaker: str
    text: str
    final: bool = True
    time: float | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechChange:
    """A speaker started or stopped speaking."""

    speaker: str
    started: bool


class Kind(StrEnum):
    """What a line of a transcript is."""

    SPEECH = "speech"
    TOOL = "tool"
    """The assistant used a tool."""
    ASSISTANT = "assistant"
    """Another assistant took over."""
    NODE = "node"
    """A workflow moved to another node."""
    INTERRUPTION = "interruption"
    """The customer interrupted the assistant, as Vapi noticed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """What happened between words. `name` is the tool's, the assistant's or the node's.

    Of a tool: `text` is its arguments as JSON, `result` what it returned, None until it has. `id` is the tool call's own, and finds the
    call when its result comes.
    """

    kind: Kind
    name: str = ""
    text: str = ""
    result: str | None = None
    id: str = ""


SpeechEvent = Utterance | SpeechChange | Occurrence
