"""What a running call can be told, as Vapi's control URL takes it (docs.vapi.ai, "Live call control"). Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.domain.errors import FieldError, NumberError, RequestError
from services.domain.phone_number import PhoneNumber, parse_phone_number
from services.domain.sip_uri import number_of


class Action(StrEnum):
    """What may be asked of a running call."""

    SAY = "say"
    ADD_MESSAGE = "add-message"
    MUTE_ASSISTANT = "mute-assistant"
    UNMUTE_ASSISTANT = "unmute-assistant"
    SAY_FIRST_MESSAGE = "say-first-message"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One thing to tell. `content` is what is said or, for `add-message`, what the assistant is told; `destination` E.164 or a SIP URI."""

    action: Action
    content: str | None = None
    destination: str | None = None
    end_call_after_spoken: bool = False

    @property
    def by_sip(self) -> bool:
        return bool(self.destination and self.destination.startswith("sip:"))

    def called(self, *, also: Collection[str] = ()) -> PhoneNumber | None:
        """The number to which a transfer leads, also by SIP; None for a place without one. Raises RequestError, NumberError."""
        destination = self._needed("destination", self.destination)
        text = number_of(destination) if self.by_sip else destination
        try:
            return None if text is None else parse_phone_number(text, also=also)
        except NumberError as error:
            raise NumberError(error.detail, code=error.code, field="destination") from error

    def message(self) -> Mapping[str, Any]:
        """Vapi's message. Raises RequestError where `content` or `destination` is missing."""
        match self.action:
            case Action.SAY:
                said = self._needed("content", self.content)
                return {"type": "say", "content": said, "endCallAfterSpoken": self.end_call_after_spoken}
            case Action.ADD_MESSAGE:
                told = self._needed("content", self.content)
                return {"type": "add-message", "message": {"role": "system", "content": told}, "triggerResponseEnabled": True}
            case Action.TRANSFER:
                to = self._needed("destination", self.destination)
                destination = {"type": "sip", "sipUri": to} if self.by_sip else {"type": "number", "number": to}
                content = {"content": self.content} if self.content else {}
                return {"type": "transfer", "destination": destination, **content}
            case _:
                return {"type": "control", "control": self.action.value}

    def _needed(self, name: str, value: str | None) -> str:
        if not value or not value.strip():
            raise RequestError(f"{name} is missing for {self.action}.", errors=[FieldError(name, f"Needed for {self.action}.")])
        return value
