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
    MUTE_CUSTOMER = "mute-customer"
    UNMUTE_CUSTOMER = "unmute-customer"
    SAY_FIRST_MESSAGE = "say-first-message"
    TRANSFER = "transfer"
    HANDOFF = "handoff"

    @property
    def scope(self) -> Scope:
        """The scope that a client needs for it.

        An instruction by `add-message` can make the assistant use its own transfer tool, and an assistant that takes over can bring one.
        Earshot does not know which tools an assistant has, so both need the same scope as a transfer.
        """
        return Scope.TRANSFER if self in (Action.TRANSFER, Action.ADD_MESSAGE, Action.HANDOFF) else Scope.CONTROL


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One action with its arguments.

    `content` is the text to say, or the instruction for `add-message`. `destination` is an E.164 number or a SIP URI, `assistant_id` the
    assistant that takes over by `handoff`.

    `interrupt`: what is to be said replaces what the assistant is saying. `interruptible`: whether the customer may interrupt it; None
    leaves that to Vapi. `silent`: the assistant keeps the instruction in mind, but does not answer to it.
    """

    action: Action
    content: str | None = None
    destination: str | None = None
    assistant_id: str | None = None
    end_call_after_spoken: bool = False
    interrupt: bool = False
    interruptible: bool | None = None
    silent: bool = False

    @property
    def by_sip(self) -> bool:
        return bool(self.destination and self.destination.startswith("sip:"))

    def check(self) -> None:
        """Raises RequestError if `content`, `destination` or the assistant is missing."""
        if self.action in (Action.SAY, Action.ADD_MESSAGE):
            self._needed("content", self.content)
        if self.action is Action.TRANSFER:
            self._needed("destination", self.destination)
        if self.action is Action.HANDOFF:
            self._needed("assistantId", self.assistant_id)

    def _needed(self, name: str, value: str | None) -> str:
        if not value or not value.strip():
            raise RequestError(f"{name} is missing for {self.action}.", errors=[FieldError(name, f"Required for {self.action}.")])
        return value
