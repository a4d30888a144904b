"""Saves each ended call's transcript in the journal: what was heard live, or Vapi's own transcript if that is longer."""

import asyncio
import logging
from collections import OrderedDict

from services.desk.transcripts import Transcripts
from services.domain.call import Call
from services.domain.errors import EarshotError
from services.domain.transcript import Line
from services.journal import Journal
from services.support.tasks import Tasks
from services.vapi.gateway import Gateway

log = logging.getLogger(__name__)

_LOOKS = (2.0, 5.0, 15.0, 40.0)  # seconds before each attempt to read Vapi's transcript, which appears some time after the end
_AT_ONCE = 4  # simultaneous requests to Vapi: many calls may end together
_REMEMBERED = 2000  # ended calls


class TranscriptArchive:
    """Saves the transcript of each call that ends, as `on_call` reports it, and reads it back."""

    def __init__(self, *, gateway: Gateway, journal: Journal, transcripts: Transcripts) -> None:
        self._gateway = gateway
        self._journal = journal
        self._transcripts = transcripts
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._looking = asyncio.Semaphore(_AT_ONCE)
        self._tasks = Tasks()

    def on_call(self, call: Call) -> None:
        """Starts saving the transcript if the call has just ended."""
        if call.running or call.id in self._ended:
            return
        self._ended[call.id] = None
        if len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)
        self._transcripts.close(call.id)
        self._tasks.start(self._keep(call), name="keep transcript")

    async def of(self, call: Call) -> tuple[Line, ...]:
        """What was said in a call. Raises JournalError."""
        heard = self._transcripts.of(call.id)
        if call.running:
            return heard
        lines = await self._journal.transcript(call.id) or heard
        if not lines and call.answered and call.id not in self._ended:
            # The call ended while no process was running, or Vapi's transcript came too late.
            lines = await self._ask(call.id)
            await self._write(call.id, lines)
        return lines

    async def aclose(self) -> None:
        await self._tasks.aclose()

    async def _keep(self, call: Call) -> None:
        await self._write(call.id, written := self._transcripts.of(call.id))
        if not call.answered:
            return
        for pause in _LOOKS:
            await asyncio.sleep(pause)
            # The last words may arrive after the end, and Vapi's transcript is whole even if nobody listened here from the start.
            heard, vapis = self._transcripts.of(call.id), await self._ask(call.id)
            whole = max(heard, vapis, key=_length)
            if whole != written:
                await self._write(call.id, written := whole)
                self._transcripts.rewritten.emit(call.id)
            if vapis:
                return

    async def _ask(self, call_id: str) -> tuple[Line, ...]:
        try:
            async with self._looking:
                return await self._gateway.transcript(call_id)
        except EarshotError as error:
            log.warning("could not read a call's transcript (%s)", error.code)
            return ()

    async def _write(self, call_id: str, lines: tuple[Line, ...]) -> None:
        if not lines:
            return
        try:
            await self._journal.save_transcript(call_id, lines)
        except EarshotError as error:
            log.error("could not save a transcript (%s)", error.code)


def _length(lines: tuple[Line, ...]) -> int:
    return sum(len(line.text) for line in lines)
