"""The request bodies of calls, validated by pydantic."""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from services.domain.call import LONGEST_CALL_SECONDS, SHORTEST_CALL_SECONDS
from services.domain.control import Action, Control
from services.domain.errors import FieldError, RequestError
from services.domain.schedule import moved, schedule
from services.domain.voicemail import LONGEST_MESSAGE, Voicemail
from services.vapi.inline_assistant import FIELDS, TOOLS

PLAIN = r"^[^\x00-\x1f\x7f]*$"
"""One line, without control characters: for values that are only compared with stored ones."""
_NAME = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"
"""One line, without controls of terminals and of the direction of writing: it is shown, logged and exported wherever calls are."""


class ControlRequest(BaseModel):
    """`{"action": "say", "content": "One moment please."}`."""

    model_config = ConfigDict(extra="forbid")

    action: Action
    content: StrictStr | None = Field(
        default=None, min_length=1, max_length=4000, description="For `say`, `add-message`, `transfer` and `handoff`"
    )
    destination: StrictStr | None = Field(default=None, max_length=256, description="For `transfer`: a phone number or a SIP URI")
    assistantId: StrictStr | None = Field(
        default=None, min_length=1, max_length=64, description="For `handoff`: the assistant that takes over, by Vapi's id"
    )
    endCallAfterSpoken: StrictBool = Field(default=False, description="For `say`")
    interruptAssistantEnabled: StrictBool = Field(
        default=False, description="For `say`: it replaces what the assistant is saying, instead of following it"
    )
    interruptionsEnabled: StrictBool | None = Field(default=None, description="For `say`: whether the customer may interrupt it")
    triggerResponseEnabled: StrictBool = Field(
        default=True, description="For `add-message`: `false` adds it to what the assistant knows, and it says nothing about it now"
    )

    def control(self) -> Control:
        return Control(
            action=self.action,
            content=self.content,
            destination=self.destination,
            assistant_id=self.assistantId,
            end_call_after_spoken=self.endCallAfterSpoken,
            interrupt=self.interruptAssistantEnabled,
            interruptible=self.interruptionsEnabled,
            silent=not self.triggerResponseEnabled,
        )


def _rfc3339(given: object) -> object:
    """Refuses seconds since 1970, which pydantic accepts but the API's description does not mention."""
    if not isinstance(given, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", given, re.ASCII):
        raise ValueError("Write the time as RFC 3339 with a time zone, like 2027-01-05T10:00:00Z.")
    return given


def _utc(time: datetime) -> datetime:
    """Refuses the first and last hours of the calendar, which have no UTC."""
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("This time can't be expressed in UTC.") from None


Time = Annotated[AwareDatetime, BeforeValidator(_rfc3339), AfterValidator(_utc)]


def _json(given: dict[str, Any]) -> dict[str, Any]:
    """Refuses NaN and infinite numbers, which Python reads (`NaN`, `1e400`) but JSON does not have."""
    try:
        json.dumps(given, allow_nan=False)
    except ValueError:
        raise ValueError("Contains a number that JSON can't represent.") from None
    return given


Json = Annotated[dict[str, Any], AfterValidator(_json)]


class CustomerRequest(BaseModel):
    """What is known of the customer besides the number. Vapi allows 40 characters in each (OpenAPI `CreateCustomerDTO`)."""

    model_config = ConfigDict(extra="forbid")

    name: StrictStr | None = Field(default=None, min_length=1, max_length=40, pattern=_NAME, description="In prompts: `{{customer.name}}`")
    externalId: StrictStr | None = Field(
        default=None, min_length=1, max_length=40, pattern=_NAME, description="Your own id of the customer"
    )


class CallRequest(BaseModel):
    """`{"to": "+14155552671"}` is enough."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"to": "+14155552671"}]})

    to: StrictStr | None = Field(
        default=None,
        max_length=256,
        description="The number to call, with + and the country code, or a SIP address on a host that is allowed",
    )
    number: StrictStr | None = Field(default=None, max_length=256, description="Another name for `to`")
    assistantId: StrictStr | None = Field(default=None, min_length=1, max_length=64, description="Who speaks: an assistant, by Vapi's id")
    assistantVersion: StrictStr | None = Field(
        default=None, min_length=1, max_length=64, description="A version of the assistant; without it the latest"
    )
    assistant: Json | None = Field(
        default=None,
        description="Who speaks: an assistant for this call alone, in Vapi's terms. It may talk and nothing else: "
        f"{', '.join(FIELDS)}; of tools only {' and '.join(TOOLS)}",
    )
    squadId: StrictStr | None = Field(default=None, min_length=1, max_length=64, description="Who speaks: a squad, by Vapi's id")
    phoneNumberId: StrictStr | None = Field(default=None, min_length=1, max_length=64, description="The caller ID, by Vapi's id")
    name: StrictStr | None = Field(default=None, min_length=1, max_length=40, pattern=_NAME)
    customer: CustomerRequest | None = Field(default=None, description="Who is called, for Vapi's records and for prompts")
    firstMessage: StrictStr | None = Field(default=None, max_length=4000, description="Not with a squad")
    variableValues: Json | None = Field(default=None, description="Values for the variables in the assistant's texts")
    voicemail: Voicemail | None = Field(
        default=None, description="What to do if a voicemail answers; without it, as the assistant is set up"
    )
    voicemailMessage: StrictStr | None = Field(
        default=None, min_length=1, max_length=LONGEST_MESSAGE, description="For `leave-message`: what to say after the tone"
    )
    maxDurationSeconds: Annotated[StrictInt, Field(ge=SHORTEST_CALL_SECONDS, le=LONGEST_CALL_SECONDS)] | None = None
    earliestAt: Time | None = Field(
        default=None, description="RFC 3339 with a time zone, at most 30 days ahead; the call is scheduled until then"
    )
    latestAt: Time | None = Field(default=None, description="By when the scheduled call has to begin; only with earliestAt")
    recordingAgreed: StrictBool | None = Field(
        default=None,
        description="Whether recording this call was agreed; needed where the owner's rules ask for it. `false`: it is not recorded",
    )
    dryRun: StrictBool = Field(default=False, description="Run all checks but place no call")
    allowDuplicate: StrictBool = Field(default=False, description="Call although the number has a running call or was called a moment ago")
    confirmUnlikelyNumber: StrictBool = Field(default=False, description="Call a number that is in no numbering plan")

    @property
    def destination(self) -> str:
        """The number as it was sent, under either name. Raises RequestError if there is none, or if both differ."""
        if self.to is not None and self.number is not None and self.to.strip() != self.number.strip():
            raise RequestError("to and number differ. Send only to.", errors=[FieldError("number", "Differs from `to`.")])
        number = self.to if self.to is not None else self.number
        if number is None:
            raise RequestError("to is missing: the number to call.", errors=[FieldError("to", "The number to call is missing.")])
        return number

    def order_fields(self) -> dict[str, Any]:
        """What the desk is asked for besides the number, by its own names. Raises RequestError."""
        times = schedule(self.earliestAt, self.latestAt, now=datetime.now(UTC))
        return {
            "assistant_id": self.assistantId,
            "assistant_version": self.assistantVersion,
            "assistant": self.assistant,
            "squad_id": self.squadId,
            "phone_number_id": self.phoneNumberId,
            "name": self.name,
            "first_message": self.firstMessage,
            "variable_values": self.variableValues,
            "customer_name": self.customer.name if self.customer else None,
            "external_id": self.customer.externalId if self.customer else None,
            "voicemail": self.voicemail,
            "voicemail_message": self.voicemailMessage,
            "max_duration_seconds": self.maxDurationSeconds,
            "earliest_at": times.earliest_at,
            "latest_at": times.latest_at,
            "recording_agreed": self.recordingAgreed,
            "confirm_unlikely_number": self.confirmUnlikelyNumber,
        }


class RescheduleRequest(BaseModel):
    """`{"earliestAt": "2027-01-05T10:00:00Z"}`."""

    model_config = ConfigDict(extra="forbid")

    earliestAt: Time = Field(description="RFC 3339 with a time zone, in the future, at most 30 days ahead")
    latestAt: Time | None = Field(default=None, description="By when the call has to begin")

    def times(self) -> tuple[datetime, datetime | None]:
        """The earliest and the latest time. Raises RequestError."""
        return moved(self.earliestAt, self.latestAt, now=datetime.now(UTC))
