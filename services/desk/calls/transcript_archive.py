"""Saves each ended call's transcript in the journal: Vapi's own once Vapi has written it, until then what was heard live."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from services.desk.calls.transcripts import Transcripts
from services.domain.call import Call
from services.domain.errors import EarshotError
from services.domain.transcript import Line, final_account
from services.journal import Journal
from services.support.log_lines import about
from services.support.recent import remember
from services.support.signals import Signal
from services.support.tasks import Tasks
from services.vapi.gateway import Gateway

log = logging.getLogger(__name__)

_LOOKS = (2.0, 5.0, 15.0, 40.0, 120.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0)
"""Seconds before each attempt to read Vapi's transcript: mostly it appears within a minute after the end, at times hours later."""
_AT_ONCE = 4  # simultaneous requests to Vapi: many calls may end together
_REMEMBERED = 2000  # calls
_ASK_AGAIN_S = 20.0  # between two requests to Vapi for a call whose transcript somebody wants to see
_MAY_COME = timedelta(days=1)  # after the end, within which Vapi may still write a transcript where something was heard live


class TranscriptArchive:
    """Saves the transcript of each call that ends, as `on_call` reports it, and reads it back. For calls older than `keep` it
    returns none and does not ask Vapi.

    `read` emits the id of an ended call and its lines as they are stored, whenever Vapi's transcript of it was read."""

    def __init__(self, *, gateway: Gateway, journal: Journal, transcripts: Transcripts, keep: timedelta | None = None) -> None:
        self.read: Signal[tuple[str, tuple[Line, ...]]] = Signal()
        self._gateway = gateway
        self._journal = journal
        self._transcripts = transcripts
        self._kept_for = keep
        self._ended: dict[str, None] = {}
        self._complete: dict[str, None] = {}
        """The calls whose stored transcript is Vapi's."""
        self._asked_at: dict[str, float] = {}
        self._looking = asyncio.Semaphore(_AT_ONCE)
        self._tasks = Tasks()

    def on_call(self, call: Call) -> None:
        """Starts saving the transcript if the call has just ended."""
        if call.running or call.erasure or call.id in self._ended:
            return
        remember(self._ended, call.id, None, most=_REMEMBERED)
        self._transcripts.close(call.id)
        self._tasks.start(self._keep(call), name="keep transcript")

    async def of(self, call: Call) -> tuple[Line, ...]:
        """What was said in a call. Asks Vapi if it may have a transcript that is not stored. Raises JournalError."""
        if call.erasure or self._too_old(call):
            return ()
        heard = self._transcripts.of(call.id)
        if call.running:
            return heard
        stored = await self._journal.transcript(call.id) or heard
        if not self._may_ask(call, stored):
            return stored
        vapis = await self._ask(call.id)
        whole = final_account(vapis, stored)
        if whole != stored:
            await self._write(call.id, whole)
            whole = await self._journal.transcript(call.id) or whole  # the journal leaves out what was erased since
            if heard:
                self._transcripts.rewritten.emit(call.id)
        if vapis:
            self.read.emit((call.id, whole))
        if vapis and (whole == stored or call.id not in self._ended):
            remember(self._complete, call.id, None, most=_REMEMBERED)
        return whole

    async def aclose(self) -> None:
        await self._tasks.aclose()

    def _too_old(self, call: Call) -> bool:
        return self._kept_for is not None and call.created_at is not None and datetime.now(UTC) - call.created_at >= self._kept_for

    def _may_ask(self, call: Call, stored: tuple[Line, ...]) -> bool:
        """True if the call was answered and Vapi may have more to say of it than is stored."""
        if not call.answered or call.id in self._complete:
            return False
        if stored and call.ended_at and datetime.now(UTC) - call.ended_at > _MAY_COME:
            return False
        now = asyncio.get_running_loop().time()
        if now - self._asked_at.get(call.id, float("-inf")) < _ASK_AGAIN_S:
            return False
        remember(self._asked_at, call.id, now, most=_REMEMBERED)
        return True

    async def _keep(self, call: Call) -> None:
        await self._write(call.id, written := self._transcripts.of(call.id))
        if not call.answered:
            return
        before: tuple[Line, ...] = ()
        for pause in _LOOKS:
            await asyncio.sleep(pause)
            vapis = await self._ask(call.id)
            # What was heard is read anew: the last words may arrive after the end.
            whole = final_account(vapis, self._transcripts.of(call.id) or written)
            if whole != written:
                await self._write(call.id, written := whole)
                self._transcripts.rewritten.emit(call.id)
            if vapis:
                await self._announce(call.id)
            if vapis and vapis == before:  # read twice, because Vapi may have been writing it
                remember(self._complete, call.id, None, most=_REMEMBERED)
                return
            before = vapis

    async def _announce(self, call_id: str) -> None:
        """Emits what is stored, which leaves out what was erased."""
        try:
            lines = await self._journal.transcript(call_id)
        except EarshotError as error:
            log.warning("could not read a transcript back (%s)", error.code, extra=about(call_id))
        else:
            self.read.emit((call_id, lines))

    async def _ask(self, call_id: str) -> tuple[Line, ...]:
        try:
            async with self._looking:
                return await self._gateway.transcript(call_id)
        except EarshotError as error:
            log.warning("could not read a call's transcript (%s)", error.code, extra=about(call_id))
            return ()

    async def _write(self, call_id: str, lines: tuple[Line, ...]) -> None:
        if not lines:
            return
        try:
            await self._journal.save_transcript(call_id, lines)
        except EarshotError as error:
            log.error("could not save a transcript (%s)", error.code, extra=about(call_id))
