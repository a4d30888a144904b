"""Makes an order from a request: one call to one number or SIP address, within this installation's limits."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.dialling.reach import Reach
from services.domain.call import CallOrder
from services.domain.errors import FieldError, NotConfigured, RequestError
from services.domain.sip_uri import is_sip
from services.domain.voicemail import Voicemail
from services.vapi.inline_assistant import check_inline_assistant


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Makes orders, with defaults for what a request leaves out.

    `max_call_seconds` is the maximum duration that a request may ask for, and the default. `missing` names the credentials that are not
    set; `reach` says which numbers may be called at all.
    """

    assistant_id: str
    phone_number_id: str
    max_call_seconds: int
    missing: Sequence[str]
    reach: Reach

    def make(
        self,
        to: str,
        *,
        assistant_id: str | None = None,
        assistant_version: str | None = None,
        assistant: Mapping[str, Any] | None = None,
        squad_id: str | None = None,
        phone_number_id: str | None = None,
        name: str | None = None,
        customer_name: str | None = None,
        external_id: str | None = None,
        first_message: str | None = None,
        variable_values: Mapping[str, Any] | None = None,
        voicemail: Voicemail | None = None,
        voicemail_message: str | None = None,
        max_duration_seconds: int | None = None,
        earliest_at: datetime | None = None,
        latest_at: datetime | None = None,
        recording_agreed: bool | None = None,
        confirm_unlikely_number: bool = False,
    ) -> CallOrder:
        """The order. Raises NumberError (`number_unlikely` unless confirmed), RequestError, Forbidden (a SIP host), NotConfigured."""
        called = self.reach.called(to, unlikely=confirm_unlikely_number)
        if self.missing:
            raise NotConfigured.without(self.missing)
        if max_duration_seconds is not None and max_duration_seconds > self.max_call_seconds:
            raise _wrong("maxDurationSeconds", f"At most {self.max_call_seconds} seconds (EARSHOT_MAX_CALL_SECONDS).")
        _check_who_speaks(assistant_id, assistant_version, assistant, squad_id, first_message)
        _check_voicemail(voicemail, voicemail_message)
        return CallOrder(
            to=called.rings,
            region=called.number.region if called.number else None,
            sip_uri=called.address if is_sip(called.address) else None,
            assistant_id="" if squad_id or assistant is not None else assistant_id or self.assistant_id,
            assistant_version=assistant_version,
            assistant=assistant,
            squad_id=squad_id,
            phone_number_id=phone_number_id or self.phone_number_id,
            tag=secrets.token_hex(8),
            name=name,
            customer_name=customer_name,
            external_id=external_id,
            first_message=first_message,
            variable_values=variable_values or {},
            voicemail=voicemail,
            voicemail_message=voicemail_message,
            max_duration_seconds=max_duration_seconds or self.max_call_seconds,
            earliest_at=earliest_at,
            latest_at=latest_at,
            recording_agreed=recording_agreed,
        )

    def moved(self, order: CallOrder, *, tag: str, earliest_at: datetime, latest_at: datetime | None) -> CallOrder:
        """An earlier order for another time, by the rules of now: it may have been made under others. Raises Forbidden (a SIP host),
        RequestError."""
        if order.sip_uri:
            self.reach.called(order.sip_uri)
        if order.assistant is not None:
            check_inline_assistant(order.assistant)
        longest = min(order.max_duration_seconds or self.max_call_seconds, self.max_call_seconds)
        return replace(order, tag=tag, max_duration_seconds=longest, earliest_at=earliest_at, latest_at=latest_at)


def _check_who_speaks(
    assistant_id: str | None, version: str | None, assistant: Mapping[str, Any] | None, squad_id: str | None, first_message: str | None
) -> None:
    given = [name for name, value in (("assistantId", assistant_id), ("assistant", assistant), ("squadId", squad_id)) if value is not None]
    if len(given) > 1:
        raise _wrong(given[1], f"Send {given[0]} or {given[1]}, not both: only one can speak.")
    if version is not None and (assistant is not None or squad_id is not None):
        raise _wrong("assistantVersion", "Only an assistant that is named by assistantId has versions.")
    if squad_id is not None and first_message is not None:
        raise _wrong("firstMessage", "A squad can't have one: Vapi would have each of its assistants say it.")
    if assistant is not None:
        check_inline_assistant(assistant)


def _check_voicemail(voicemail: Voicemail | None, message: str | None) -> None:
    if voicemail is Voicemail.LEAVE_MESSAGE:
        if not message or not message.strip():
            raise _wrong("voicemailMessage", "Write the message to leave.")
    elif message is not None:
        raise _wrong("voicemailMessage", f"Send it with voicemail: {Voicemail.LEAVE_MESSAGE} only.")


def _wrong(field: str, detail: str) -> RequestError:
    return RequestError(f"{field}: {detail}", errors=[FieldError(field, detail)])
