"""Applies the rules to the calls of this process as their lines, figures and costs come, and to what Vapi's transcript adds afterwards."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from services.desk.calls.transcript_archive import TranscriptArchive
from services.desk.calls.transcripts import Transcripts
from services.desk.judging.alerts import Alerts
from services.desk.judging.measurements import Measurements
from services.desk.judging.rules import Rules
from services.domain.alert import Alert, quote
from services.domain.call import Call, CallStatus
from services.domain.rule import Rule, RuleKind
from services.domain.transcript import Line
from services.measures.judgement import MEASURED, exceeded, said, said_first
from services.support.tasks import Tasks


class Judging:
    """Each rule gives one alert of each call. The process that measures a call gets its figures first, others seconds later; those that
    hear it get its lines. If two processes find the same, the journal keeps the first alert.

    Vapi's own transcript of an ended call has what was not heard live here, of all of the call or of some words.
    """

    def __init__(
        self,
        *,
        rules: Rules,
        alerts: Alerts,
        transcripts: Transcripts,
        archive: TranscriptArchive,
        measurements: Measurements,
        find: Callable[[str], Call | None],
    ) -> None:
        self._rules = rules
        self._alerts = alerts
        self._transcripts = transcripts
        self._measurements = measurements
        self._find = find
        self._loading: set[str] = set()
        self._tasks = Tasks()
        transcripts.changed.subscribe(self._on_line)
        archive.read.subscribe(self._on_read)
        measurements.changed.subscribe(self._on_figures)

    def on_call(self, call: Call) -> None:
        """Judges a call by what it costs so far."""
        if call.cost:
            for rule in self._due(call.id):
                self._judge_cost(rule, call)

    async def aclose(self) -> None:
        await self._tasks.aclose()

    def _on_line(self, change: tuple[str, Line]) -> None:
        call_id, line = change
        if line.final:
            for rule in self._due(call_id):
                self._judge_line(rule, call_id, line)

    def _on_read(self, read: tuple[str, tuple[Line, ...]]) -> None:
        self._tasks.start(self._judge_lines(*read), name="judge transcript")

    def _on_figures(self, call_id: str) -> None:
        for rule in self._due(call_id):
            self._judge_figures(rule, call_id)

    def _due(self, call_id: str) -> Iterator[Rule]:
        """The rules that may still give an alert of a call. Its earlier alerts are read first, so that none is repeated after a restart."""
        on = self._rules.on
        if not on:
            return
        call = self._find(call_id)
        if call is None or call.id != call_id or call.status is CallStatus.UNKNOWN or call.erasure:
            return
        if not self._alerts.loaded(call_id):
            if call_id not in self._loading:
                self._loading.add(call_id)
                self._tasks.start(self._load(call_id), name="read alerts")
            return
        yield from (rule for rule in on if not self._alerts.has(call_id, rule.id))

    async def _load(self, call_id: str) -> None:
        try:
            await self._alerts.load([call_id])
        finally:
            self._loading.discard(call_id)
        if not self._alerts.loaded(call_id):
            return  # the journal can't be read; the next line, figure or cost tries again
        lines, call = self._transcripts.of(call_id), self._find(call_id)
        for rule in self._due(call_id):
            for line in lines:
                if line.final:
                    self._judge_line(rule, call_id, line)
            self._judge_figures(rule, call_id)
            if call:
                self._judge_cost(rule, call)

    async def _judge_lines(self, call_id: str, lines: tuple[Line, ...]) -> None:
        """Judges a whole transcript, in a thread: there may be thousands of lines, and dozens of rules."""
        if any(rule.kind is RuleKind.KEYWORD for rule in self._rules.on):
            await self._alerts.load([call_id])
            found = await asyncio.to_thread(_said_in, lines, tuple(self._due(call_id)))
            for rule in self._due(call_id):
                if line := found.get(rule):
                    self._alerts.add(Alert(call_id=call_id, rule=rule, at=line.at, said=quote(line.text)))

    def _judge_line(self, rule: Rule, call_id: str, line: Line) -> None:
        if rule.since and line.at >= rule.since and said(rule, line):
            self._alerts.add(Alert(call_id=call_id, rule=rule, at=line.at, said=quote(line.text)))

    def _judge_figures(self, rule: Rule, call_id: str) -> None:
        if rule.kind not in MEASURED or rule.since is None or (measured := self._measurements.live(call_id)) is None:
            return
        amount = exceeded(rule, measured.figures, since_s=rule.since.timestamp() - measured.started_at)
        if amount is not None:
            self._alerts.add(Alert(call_id=call_id, rule=rule, at=datetime.now(UTC), amount=round(amount, 3)))

    def _judge_cost(self, rule: Rule, call: Call) -> None:
        if rule.kind is RuleKind.COST and rule.since and call.cost is not None and call.cost > rule.above:
            now = datetime.now(UTC)
            if call.running or (call.ended_at or now) >= rule.since:
                self._alerts.add(Alert(call_id=call.id, rule=rule, at=now, amount=call.cost))


def _said_in(lines: tuple[Line, ...], rules: Iterable[Rule]) -> dict[Rule, Line]:
    """The first line to which each rule applies."""
    found = ((rule, said_first(rule, lines, since=rule.since)) for rule in rules)
    return {rule: line for rule, line in found if line}
