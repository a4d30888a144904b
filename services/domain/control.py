"""What can be done to a running call besides hanging up. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from services.domain.errors import FieldError, NumberError, RequestError
from services.domain.phone_number import PhoneNumber, parse_phone_number
from services.domain.sip_uri import number_of


class Action(StrEnum):
    """The actions on a running call."""

    SAY = "say"
    ADD_MESSAGE = "add-message"
    MUTE_ASSISTANT = "mute-assistant"
    UNMUTE_ASSISTANT = "unmute-assistant"
    SAY_FIRST_MESSAGE = "say-first-message"
    TRANSFER = "transfer"


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

    def called(self, *, also: Collection[str] = ()) -> PhoneNumber | None:
        """The number that a transfer dials, also by SIP; None for a SIP URI without a number. Raises RequestError, NumberError."""
        destination = self._needed("destination", self.destination)
        text = number_of(destination) if self.by_sip else destination
        try:
            return None if text is None else parse_phone_number(text, also=also)
        except NumberError as error:
            raise NumberError(error.detail, code=error.code, field="destination") from error

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
