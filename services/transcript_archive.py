"""Transcripts over the end of a call and over restarts: what was heard, or else Vapi's own account, goes into the journal."""

import asyncio
import logging

from services.call import Call
from services.errors import EarshotError
from services.journal import Journal
from services.tasks import Tasks
from services.transcript import Line
from services.transcripts import Transcripts
from services.vapi.gateway import Gateway

log = logging.getLogger(__name__)

_LOOKS = (1.0, 5.0, 15.0, 40.0)  # seconds before each look for Vapi's account, which comes some time after the end
_AT_ONCE = 4  # looks at Vapi: many calls may end together


class TranscriptArchive:
    """Writes the transcript of each call that ends, told by `on_call`, and finds it again."""

    def __init__(self, *, gateway: Gateway, journal: Journal, transcripts: Transcripts) -> None:
        self._gateway = gateway
        self._journal = journal
        self._transcripts = transcripts
        self._begun: set[str] = set()
        self._looking = asyncio.Semaphore(_AT_ONCE)
        self._tasks = Tasks()

    def on_call(self, call: Call) -> None:
        """Takes in what became of a call."""
        if call.running:
            self._begun.add(call.id)
        elif call.id in self._begun:
            # Seen to run and to end here: one that had ended before was written by who saw it.
            self._begun.discard(call.id)
            self._transcripts.fall_silent(call.id)
            self._tasks.start(self._keep(call), name="keep transcript")

    async def of(self, call_id: str) -> tuple[Line, ...]:
        """What was said in a call. Raises JournalError."""
        heard = self._transcripts.of(call_id)
        if heard and call_id in self._begun:
            return heard
        return await self._journal.transcript(call_id) or heard

    async def aclose(self) -> None:
        await self._tasks.aclose()

    async def _keep(self, call: Call) -> None:
        heard = await self._write(call.id, ())
        if not call.answered:
            return
        for pause in _LOOKS:
            await asyncio.sleep(pause)
            try:
                async with self._looking:
                    told = await self._gateway.transcript(call.id)
            except EarshotError as error:
                log.warning("a call's transcript could not be read (%s)", error.code)
                continue
            if told:
                if _length(told) > _length(heard):
                    # Nobody listened, or not from the beginning: Vapi heard it all.
                    await self._write(call.id, told)
                return

    async def _write(self, call_id: str, told: tuple[Line, ...]) -> tuple[Line, ...]:
        lines = told or self._transcripts.of(call_id)
        if lines:
            try:
                await self._journal.save_transcript(call_id, lines)
            except EarshotError as error:
                log.error("a transcript could not be written (%s)", error.code)
        return lines


def _length(lines: tuple[Line, ...]) -> int:
    return sum(len(line.text) for line in lines)
