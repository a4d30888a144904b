"""Applies the owner's rules on recording: to an order before it is dialled, and to a call that somebody wants to record."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace

from babel.languages import get_official_languages

from services.desk.placing.directory import Directory
from services.dialling.journal_states import FollowedState, States
from services.domain.call import Assistant, Call, CallOrder
from services.domain.client import Client, Scope
from services.domain.consent import Consent, MayRecord, RecordingMode, RecordingRules, parse
from services.domain.errors import ConsentNeeded
from services.domain.permissions import require
from services.domain.phone_number import region_of, regions_sharing
from services.journal import Dial

STATE = "recording-rules"
"""The name of the state in the journal."""


class Consents(FollowedState):
    """`rules` are common to all processes; `changed` is emitted when any process changes them. `note` writes the audit, and `dial` reads
    the dial of a tag."""

    def __init__(
        self,
        journal: States,
        directory: Directory,
        note: Callable[..., "asyncio.Task[None]"],
        dial: Callable[[str], Awaitable[Dial | None]],
    ) -> None:
        super().__init__(journal, STATE)
        self.rules = RecordingRules()
        self._directory = directory
        self._note = note
        self._dial = dial

    def _read(self, value: str) -> None:
        self.rules = parse(value)

    async def change(self, rules: RecordingRules, client: Client) -> None:
        """Replaces the rules in all processes. They bind the next dial. Raises Forbidden, JournalError."""
        await self.alter(lambda _: rules, client)

    async def alter(self, change: Callable[[RecordingRules], RecordingRules], client: Client) -> None:
        """Changes the rules in all processes. Raises Forbidden, JournalError, and what `change` raises."""
        require(client, Scope.MANAGE)
        value = await self._change_state(lambda known: change(parse(known)).dump())
        self._note(client, "recording-rules", outcome="done", detail=value)

    def mode(self, order: CallOrder) -> RecordingMode:
        """The rule for the number that is called; for a SIP address without a number, the default."""
        return self.rules.mode(_regions(order.to, order.region) if order.number else ())

    def applied(self, order: CallOrder) -> CallOrder:
        """The order with what the rules mean for it. Raises ConsentNeeded if somebody has to say first whether recording is agreed."""
        mode, agreed = self.mode(order), order.recording_agreed
        known = self._directory.assistants.get(order.assistant_id)
        order = replace(order, opening=None, artifacts=known.artifacts if known else {})
        if mode is RecordingMode.OFF:
            return replace(order, consent=Consent.FORBIDDEN)
        if agreed is False:
            return replace(order, consent=Consent.NOT_AGREED)
        if mode is RecordingMode.ANNOUNCE:
            if order.squad_id is None:
                return replace(order, consent=Consent.ANNOUNCED, opening=self._opening(order))
            # A squad can't be given a first message: each of its assistants would say it.
            return replace(order, consent=Consent.AGREED if agreed else Consent.NOT_AGREED)
        if mode is RecordingMode.ASK and agreed is None:
            raise ConsentNeeded("Calls to this country are recorded only if that is agreed. Send recordingAgreed: true or false.")
        return replace(order, consent=Consent.AGREED if agreed else None)

    def may_record(self, call: Call) -> MayRecord:
        """By what was agreed when it was placed, else by the rule for the customer's number."""
        match call.consent:
            case Consent.AGREED | Consent.ANNOUNCED:
                return MayRecord.YES
            case Consent.NOT_AGREED:
                return MayRecord.IF_AGREED
            case Consent.FORBIDDEN:
                return MayRecord.NO
        match self.rules.mode(_regions(call.to, region_of(call.to)) if call.to else ()):
            case RecordingMode.ALLOWED:
                return MayRecord.YES
            case RecordingMode.OFF:
                return MayRecord.NO
        return MayRecord.IF_AGREED

    async def may_start(self, call: Call) -> MayRecord:
        """As `may_record`, for a recording that is about to start. Vapi may show a call before this process knows how it was placed: while
        the request is under way, or from another process. Raises JournalError."""
        if call.tag and call.placed_by is None and (dial := await self._dial(call.tag)):
            call = replace(call, consent=dial.order.consent)
        return self.may_record(call)

    def _opening(self, order: CallOrder) -> str:
        """The announcement, then what the assistant would have begun with."""
        known = self._directory.assistants.get(order.assistant_id) if order.assistant_id and not order.assistant_version else None
        own = order.own_opening
        if own is None and known:
            own = known.opening
        return f"{self.rules.sentence(_languages(order, known))} {own or ''}".strip()


def _regions(number: str, region: str | None) -> Iterable[str]:
    """The countries that the number may belong to."""
    return (region,) if region else regions_sharing(number)


def _languages(order: CallOrder, assistant: Assistant | None) -> list[str]:
    """That of the assistant, then those of the country that is called."""
    found = assistant.language if assistant else None
    if order.assistant is not None:
        transcriber = order.assistant.get("transcriber")
        language = transcriber.get("language") if isinstance(transcriber, Mapping) else None
        found = language if isinstance(language, str) else None
    own = [found.partition("-")[0].lower()] if found else []
    return [*own, *(get_official_languages(order.region, regional=True, de_facto=True) if order.region else ())]
