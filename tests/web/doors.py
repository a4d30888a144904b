"""Takes a body in by each door that Vapi's text comes through, and makes of it all that REST and the page show."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.responses import JSONResponse

from services.desk.calls.book import Book
from services.desk.calls.proof import over, stuck
from services.desk.desk import CallDesk
from services.domain.call import Call
from services.domain.errors import EarshotError, RequestError
from services.journal.database.codec import dump, load_call
from services.vapi import refusals
from services.vapi.account_checks import assistant_findings, number_findings, webhook_findings
from services.vapi.listen_events import ListenEvent, read
from services.vapi.reading import read_assistant, read_call, read_caller_id
from services.vapi.sdk import Answer, error_message
from services.vapi.transcript import read_lines
from services.vapi.webhooks import read_server_message, read_tool_results
from services.vapi.wire_notes import WireNotes
from services.web.answers import call_details
from services.web.problems import problem_of
from services.web.routes.export import _cells, csv_rows
from services.web.routes.transcripts import line_answer
from tests.vapi import samples
from tests.vapi.odd_bodies import ANALYSED, ANSWERS, ERRORS, MESSAGES, is_clean
from ui.words import calls as words
from ui.words import findings
from ui.words.faults import error_words

BODIES: dict[str, tuple[Any, ...]] = {
    "call": (*samples.CALLS.values(), ANALYSED),
    "artifact": (samples.ENDED, ANALYSED),
    "listen": MESSAGES,
    "webhook": tuple({"message": {**message, "call": samples.IN_PROGRESS, "timestamp": 1}} for message in MESSAGES),
    "directory": (samples.ASSISTANT, samples.PHONE_NUMBER),
    "error": ERRORS,
    "forward": (*ANSWERS, *MESSAGES[:2]),
    "doctor": (samples.ASSISTANT, samples.PHONE_NUMBER, samples.ENDED, ANALYSED, *MESSAGES),
}
"""Ordinary bodies, by the door that they come through."""


class Doors:
    """A desk that never asks Vapi. Each method takes JSON text and raises where a route or the page would answer 500."""

    def __init__(self, desk: CallDesk) -> None:
        self.desk = desk
        self._book = Book(save=lambda call: None)

    @property
    def all(self) -> dict[str, Callable[[str], None]]:
        return {
            "call": self.call,
            "artifact": self.artifact,
            "listen": self.listen,
            "webhook": self.webhook,
            "directory": self.directory,
            "error": self.error,
            "forward": self.forward,
            "doctor": self.doctor,
        }

    def call(self, text: str) -> None:
        """A call that was read, listed or sent with a webhook."""
        if call := read_call(json.loads(text)):
            self._book.see(call, ours=True)
            self._show(self._book.get(call.id) or call)

    def artifact(self, text: str) -> None:
        """The transcript of an ended call."""
        self._sent([line_answer(line) for line in read_lines(json.loads(text))])

    def listen(self, text: str) -> None:
        """A text frame of a listen socket."""
        event = read(text)
        if isinstance(event, ListenEvent):
            if event.frame:
                self._sent(json.loads(event.frame))
            for happened in event.events:
                self.desk.transcripts.take("one", happened)
        self._sent([line_answer(line) for line in self.desk.transcripts.of("one")[-3:]])

    def webhook(self, text: str) -> None:
        """A server message."""
        try:
            message = read_server_message(text.encode())
        except RequestError as error:
            self._refused(error)
            return
        for event in message.events if message.call_id else ():
            assert message.call_id
            self.desk.transcripts.take(message.call_id, event, way="webhook")
            self._sent([line_answer(line) for line in self.desk.transcripts.of(message.call_id)[-3:]])

    def directory(self, text: str) -> None:
        """An assistant and a caller ID, and calls that have them."""
        body = json.loads(text)
        assistant, caller = read_assistant(body), read_caller_id(body)
        self.desk.directory.assistants = {assistant.id: assistant} if assistant else {}
        self.desk.directory.caller_ids = {caller.id: caller} if caller else {}
        if assistant and caller:
            region = self.desk.directory.region(caller.id)
            call = read_call({"id": "one", "assistantId": assistant.id, "phoneNumberId": caller.id, "status": "ended"})
            assert call
            self._show(call)
            self._sent([assistant.name, caller.name, caller.number, region, self.desk.directory.caller_id_name(caller.id)])

    def error(self, text: str) -> None:
        """What Vapi answers to a dial, a read or a control that it refuses."""
        for status in (400, 403, 404, 500):
            answer = Answer(status=status, body=json.loads(text), message=error_message(json.loads(text)))
            for error in (refusals.of_create(answer), refusals.of_read(answer), refusals.of_control(answer)):
                self._refused(error)

    def forward(self, text: str) -> None:
        """What the owner's server answers to a webhook."""
        for result in read_tool_results(text.encode()):
            self.desk.transcripts.take("one", result, way="webhook")
        self._sent([line_answer(line) for line in self.desk.transcripts.of("one")[-3:]])

    def doctor(self, text: str) -> None:
        """All that the doctor reads, in its report."""
        body = json.loads(text)
        notes = WireNotes()
        notes.body(0.5, body)
        notes.frame(1.0, text)
        notes.ended(body.get("endedReason") if isinstance(body, dict) else None)
        answer = Answer(status=200, body=body)
        account = [*assistant_findings(answer), *number_findings(answer), *webhook_findings(answer, accepted=True)]
        self._sent([notes.report(), *(finding.text for finding in account)])
        assert len(notes.report()) < 10_000

    def _refused(self, error: EarshotError) -> None:
        self._sent(json.loads(bytes(problem_of(error).body)))
        self._sent(error_words(error))

    def _show(self, call: Call) -> None:
        now = datetime.now(UTC)
        stored = load_call(dump(call))
        assert stored.to == call.to
        over(call, now)
        over(call, now, gone=True)
        stuck(call, now)
        details = call_details(self.desk, call, listen_url=None, may_listen=True)
        self._sent(details)
        JSONResponse(details)
        csv_rows([_cells(self.desk, call, may_listen=True)]).encode()
        self._sent([words.number(call), words.subtitle(self.desk, call), words.outcome(self.desk, call), words.remark(call)])
        self._sent([findings.success(call), findings.latency(call), findings.scorecards(call), findings.monitors(call)])
        json.loads(json.dumps(findings.collected(call)).encode())
        self._sent([words.cost(call), *(f"{words.cost_part(item)} {words.cost_of(item)}" for item in call.costs)])

    def _sent(self, body: Any) -> None:
        """Fails unless `body` can be sent as JSON, by REST and by NiceGUI, and all its text is clean."""
        json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
        orjson.dumps(body)
        for text in _texts(body):
            assert is_clean(text), ascii(text[:200])
            assert len(text) <= 17_000


def _texts(body: Any) -> Iterator[str]:
    if isinstance(body, str):
        yield body
    elif isinstance(body, dict):
        for key, value in body.items():
            yield from _texts(key)
            yield from _texts(value)
    elif isinstance(body, list | tuple):
        for value in body:
            yield from _texts(value)
