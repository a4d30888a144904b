"""What can be done to a running call besides hanging up. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from services.domain.client import Scope
from services.domain.errors import FieldError, RequestError


class Action(StrEnum):
    """The actions on a running call."""

    SAY = "say"
    ADD_MESSAGE = "add-message"
    MUTE_ASSISTANT = "mute-assistant"
    UNMUTE_ASSISTANT = "unmute-assistant"
    SAY_FIRST_MESSAGE = "say-first-message"
    TRANSFER = "transfer"

    @property
    def scope(self) -> Scope:
        """The scope that a client needs for it.

        An instruction by `add-message` can make the assistant use its own transfer tool, and Earshot does not know which tools an assistant
        has. So it needs the same scope as a transfer.
        """
        return Scope.TRANSFER if self in (Action.TRANSFER, Action.ADD_MESSAGE) else Scope.CONTROL


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One action with its arguments.

    `content` is the text to say, or the instruction for `add-message`. `destination` is an E.164 number or a SIP URI.
    """

    action: Action
    content: str | None = None
    destination: str | None = None
    end_call_after_spoken: bool = False

    @property
    def by_sip(self) -> bool:
        return bool(self.destination and self.destination.startswith("sip:"))

    def check(self) -> None:
        """Raises RequestError if `content` or `destination` is missing."""
        if self.action in (Action.SAY, Action.ADD_MESSAGE):
            self._needed("content", self.content)
        if self.action is Action.TRANSFER:
            self._needed("destination", self.destination)

    def _needed(self, name: str, value: str | None) -> str:
        if not value or not value.strip():
            raise RequestError(f"{name} is missing for {self.action}.", errors=[FieldError(name, f"Required for {self.action}.")])
        return value
