"""`python main.py --doctor`: says whether Earshot can work with this Vapi account, and, if asked to, places one call and reports what came
over the wire. Nothing else tells whether Earshot reads Vapi rightly before the first real call.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from services.desk.desk import CallDesk
from services.doctor.listener import note_sound
from services.doctor.webhook_probe import probe_webhook
from services.domain.call import Call, CallOrder
from services.domain.client import Client
from services.domain.errors import EarshotError, RecordingNotFound
from services.support.version import VERSION
from services.vapi.account_checks import Finding, assistant_findings, key_finding, number_findings, webhook_address, webhook_findings
from services.vapi.gateway import Gateway
from services.vapi.wire_notes import WireNotes

CONFIRMATION = "CALL"
_CALL_S = 60
_READ_EVERY_S = 0.5
_HEAD_BYTES = 48  # the header of a WAV, with its format
_RECORDING_S = 60.0  # within which Vapi should have stored the recording
_MARKS = {"ok": "ok      ", "note": "note    ", "problem": "PROBLEM "}
_DOCTOR = Client(name="doctor")


class Doctor:
    """`ask` reads a line that somebody types, empty at the end of the input; `say` prints one. `report` is the file for the report.

    `webhook_secret` is sent to the assistant's server URL if that is an Earshot's; `accepts_webhooks`: there is a secret or a key for them.
    """

    def __init__(
        self,
        *,
        gateway: Gateway,
        desk: CallDesk,
        webhook_secret: str,
        accepts_webhooks: bool,
        ask: Callable[[str], Awaitable[str]],
        say: Callable[[str], None],
        report: Path,
        max_call_seconds: int,
    ) -> None:
        self._gateway = gateway
        self._desk = desk
        self._webhook_secret = webhook_secret
        self._accepts_webhooks = accepts_webhooks
        self._ask = ask
        self._say = say
        self._report = report
        self._max_call_seconds = min(_CALL_S, max_call_seconds)
        self._findings: list[Finding] = []

    async def run(self) -> int:
        """Checks, then offers the call. Returns the exit code: 1 if there is a problem."""
        try:
            await self._check()
        except EarshotError as error:
            self._note(Finding(level="problem", text=error.detail))
        if not any(finding.level == "problem" for finding in self._findings):
            await self._offer_call()
        return int(any(finding.level == "problem" for finding in self._findings))

    async def _check(self) -> None:
        assistant = await self._gateway.inspect("assistant", self._desk.assistant_id)
        self._note(key := key_finding(assistant))
        if key.level == "problem":
            return
        number = await self._gateway.inspect("phone-number", self._desk.phone_number_id)
        for finding in (*assistant_findings(assistant), *number_findings(number)):
            self._note(finding)
        for finding in webhook_findings(assistant, accepted=self._accepts_webhooks):
            self._note(finding)
        address = webhook_address(assistant)
        if address and self._webhook_secret:
            self._note(await probe_webhook(address, self._webhook_secret))
        elif address and self._accepts_webhooks:
            self._note(Finding(level="note", text="Webhooks are signed; whether they arrive shows only when Vapi sends one."))
        limits = "Vapi's API tells no balance, and whether a line is free only when a call is placed. The dashboard has both."
        self._note(Finding(level="note", text=limits))

    def _note(self, finding: Finding) -> None:
        self._findings.append(finding)
        self._say(_MARKS[finding.level] + finding.text)

    async def _offer_call(self) -> None:
        self._say("\nThe rest shows only in a real call. It costs money, rings a phone, and lasts at most a minute.")
        number = await self._ask("Number to call, such as +14155552671; nothing: no call: ")
        if not number.strip():
            return
        try:
            order = self._desk.order(number, max_duration_seconds=self._max_call_seconds)
            await self._desk.weigh(order, _DOCTOR)
            if (await self._ask(f"{order.to} will ring now. Type {CONFIRMATION} to place the call: ")).strip() != CONFIRMATION:
                self._say("No call was placed.")
                return
            notes = await self._call(order)
        except EarshotError as error:
            self._note(Finding(level="problem", text=error.detail))
            return
        text = self._written(notes)
        await asyncio.to_thread(self._report.write_text, text, encoding="utf-8")
        self._say(f"\n{text}\nThis report is in {self._report}. It holds no number, name or word, so that you can paste it into an issue.")

    async def _call(self, order: CallOrder) -> WireNotes:
        """Places the call, notes everything until it is over, and what comes afterwards. Hangs up if it is interrupted."""
        notes, began = WireNotes(), time.monotonic()

        def clock() -> float:
            return time.monotonic() - began

        call = (await self._desk.place(order, _DOCTOR)).call
        notes.state(clock(), call.status.value)  # as the dial was answered: it may be over before the first reading
        self._say("The call is placed. Answer it, say a sentence after the assistant's first, and hang up.")
        listening = asyncio.create_task(note_sound(notes, lambda: self._gateway.listen_target(call.id), clock))
        try:
            await self._until_end(notes, call, clock)
            await asyncio.sleep(_READ_EVERY_S)  # the last frames
        finally:
            listening.cancel()
            await asyncio.wait([listening])
            if not listening.cancelled() and (error := listening.exception()):
                notes.after.append(f"listening broke off: {type(error).__name__}")  # the call is hung up and reported all the same
            if (known := self._desk.get(call.id)) is None or known.running:
                await asyncio.shield(self._hang_up(call.id))
        await self._afterwards(notes, call, clock)
        return notes

    async def _hang_up(self, call_id: str) -> None:
        try:
            await self._desk.end(call_id, _DOCTOR)
        except EarshotError as error:
            self._note(Finding(level="problem", text=f"The call may still be running: hang up the phone. {error.detail}"))

    async def _until_end(self, notes: WireNotes, call: Call, clock: Callable[[], float]) -> None:
        known: Call | None = call
        while known is None or known.running:
            with suppress(EarshotError):
                notes.body(clock(), (await self._gateway.inspect("call", call.id)).body)
            self._desk.look(call.id)
            await asyncio.sleep(_READ_EVERY_S)
            known = self._desk.get(call.id)

    async def _afterwards(self, notes: WireNotes, call: Call, clock: Callable[[], float]) -> None:
        ended = self._desk.get(call.id) or call
        notes.ended(ended.ended_reason)
        notes.after.append(f"held back because all lines were in use: {'yes' if call.concurrency_blocked else 'no'}")
        # What can't be read is noted: the call has rung a phone and cost money, so its report must not be lost.
        try:
            notes.after.append(await self._recorded(call.id, clock) if ended.answered else "not answered, so no recording")
        except EarshotError as error:
            notes.after.append(f"the recording could not be read: {error.code}")
        try:
            notes.body(clock(), (await self._gateway.inspect("call", call.id)).body)
            lines = await self._gateway.transcript(call.id)
        except EarshotError as error:
            notes.after.append(f"the transcript could not be read: {error.code}")
        else:
            notes.after.append(f"transcript: {len(lines)} lines, by {', '.join(sorted({line.speaker for line in lines})) or 'nobody'}")

    async def _recorded(self, call_id: str, clock: Callable[[], float]) -> str:
        """When Vapi had stored the recording, and what it is."""
        over = clock()
        while clock() - over < _RECORDING_S:
            try:
                async with self._gateway.recording(call_id) as recording:
                    head = b""
                    async for chunk in recording.chunks:
                        head = (head + chunk[:_HEAD_BYTES])[:_HEAD_BYTES]
                    return f"recording after {clock() - over:.0f} s: {recording.size} bytes, begins with {head[:4]!r}, {_shape(head)}"
            except RecordingNotFound:
                await asyncio.sleep(_READ_EVERY_S)
        return f"no recording within {_RECORDING_S:.0f} s"

    def _written(self, notes: WireNotes) -> str:
        checks = "\n".join(f"- {finding.level}: {finding.text}" for finding in self._findings)
        return f"## Earshot {VERSION}, doctor's report of {datetime.now(UTC):%Y-%m-%d}\n\n### Checks\n{checks}\n\n{notes.report()}\n"


def _shape(head: bytes) -> str:
    """Channels and sample rate, if the file is a WAV."""
    if not head.startswith(b"RIFF") or head[12:16] != b"fmt " or len(head) < 28:
        return "not a plain WAV"
    return f"{int.from_bytes(head[22:24], 'little')} channels at {int.from_bytes(head[24:28], 'little')} Hz"
