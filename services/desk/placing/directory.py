"""The names of assistants, squads and caller IDs, from Vapi's lists."""

import asyncio
import logging
import time

from services.domain.call import Assistant, Call, CallerId, CallOrder, Squad
from services.domain.errors import NotConfigured, VapiError
from services.domain.phone_number import international, region_of
from services.support.events import set_within
from services.support.signals import Signal
from services.vapi.gateway import Gateway

log = logging.getLogger(__name__)

_PATIENCE = 3.0  # seconds for which a dial waits for the caller ID's country
_FRESH_S = 60.0
"""Seconds after which the lists are read again when the page is opened, so that it shows an assistant just made at Vapi."""


class Directory:
    """Assistants, squads and caller IDs by id, as last loaded. `failed`: the last load failed."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.changed: Signal[None] = Signal()
        self._known = asyncio.Event()
        self._loaded_at: float | None = None
        self.failed = False
        self.assistants: dict[str, Assistant] = {}
        self.squads: dict[str, Squad] = {}
        self.caller_ids: dict[str, CallerId] = {}

    async def load(self) -> None:
        """Reads the lists from Vapi. A failure is only logged, because calls work without names."""
        self._loaded_at = time.monotonic()
        try:
            self.assistants = {item.id: item for item in await self._gateway.list_assistants()}
            self.caller_ids = {item.id: item for item in await self._gateway.list_phone_numbers()}
            self.squads = await self._squads()
            self.failed = False
        except NotConfigured:
            return
        except VapiError as error:
            log.warning("could not read assistants and caller IDs (%s)", error.code)
            self.failed = True
        finally:
            self._known.set()
        self.changed.emit(None)

    async def freshen(self) -> None:
        """Loads the lists again if they are old."""
        if self._loaded_at is not None and time.monotonic() - self._loaded_at >= _FRESH_S:
            await self.load()

    async def known(self) -> None:
        """Returns once loading succeeded or failed, at the latest after a few seconds."""
        await set_within(self._known, _PATIENCE)

    def region(self, phone_number_id: str) -> str | None:
        """The ISO 3166 code of a caller ID's country, if known."""
        caller_id = self.caller_ids.get(phone_number_id)
        return region_of(caller_id.number) if caller_id and caller_id.number else None

    def assistant_name(self, assistant_id: str | None) -> str:
        """`Riley`, or an empty string."""
        assistant = self.assistants.get(assistant_id or "")
        return (assistant.name or "") if assistant else ""

    def speaker_name(self, call: Call | CallOrder) -> str:
        """The name of the squad or the assistant that speaks in a call, or an empty string."""
        if squad := self.squads.get(call.squad_id or ""):
            return squad.name or ""
        if isinstance(call, CallOrder) and call.assistant is not None:
            return str(call.assistant.get("name") or "")
        return self.assistant_name(call.assistant_id)

    def name_of(self, speaker_id: str) -> str:
        """The name of this assistant or squad, or an empty string."""
        squad = self.squads.get(speaker_id)
        return (squad.name or "") if squad else self.assistant_name(speaker_id)

    def variables(self, *, assistant_id: str = "", squad_id: str = "") -> tuple[str, ...]:
        """The names that the texts of an assistant, or of all assistants of a squad, ask for."""
        squad = self.squads.get(squad_id)
        asked = [self.assistants[one] for one in (squad.members if squad else (assistant_id,)) if one in self.assistants]
        found = [name for one in asked for name in one.variables]
        return tuple(dict.fromkeys([*found, *(squad.variables if squad else ())]))

    def caller_id_name(self, phone_number_id: str | None) -> str:
        """`Main line`, else the number itself, else an empty string."""
        caller_id = self.caller_ids.get(phone_number_id or "")
        return (caller_id.name or international(caller_id.number or "")) if caller_id else ""

    def parties(self, call: Call) -> tuple[str | None, str | None]:
        """The E.164 numbers of the caller and the called party, as far as they are known."""
        caller_id = self.caller_ids.get(call.phone_number_id or "")
        ours = call.caller_id or (caller_id.number if caller_id else None)
        return (call.to, ours) if call.inbound else (ours, call.to)

    async def _squads(self) -> dict[str, Squad]:
        """Those known before if they can't be read: without them everything else works, and not every account or key has them."""
        try:
            return {item.id: item for item in await self._gateway.list_squads()}
        except VapiError as error:
            log.warning("could not read squads (%s)", error.code)
            return self.squads
