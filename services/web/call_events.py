"""The events of each call, remembered for a while for its followers."""

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.domain.call import Call, CallStatus
from services.domain.client import Client
from services.domain.errors import LimitReached
from services.support.signals import Signal

_REMEMBERED = 500  # events a call
_ENDED_CALLS = 1000  # of which events are remembered, as many as the desk remembers
_STREAMS = 500  # at once
_STREAMS_OF_ONE = 50  # of one client, so that none takes them all


class Calls(Protocol):
    """The part of the desk that is needed to follow calls. `get` finds a call by every id that it has had."""

    changed: Signal[Call]

    def calls(self) -> list[Call]: ...
    def get(self, call_id: str) -> Call | None: ...
    async def read(self, call_id: str, client: Client) -> Call: ...


Answer = Callable[[Call, bool], dict[str, Any]]
"""Makes the JSON of a call. The second argument: whether the follower may hear calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A transcript line, ready for JSON."""

    call_id: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured of a call by now, in brief, ready for JSON."""

    call_id: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An alert of a call, ready for JSON."""

    call_id: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """`number` grows with each event of any call, across restarts too, so that ids of an earlier run are never mistaken for new ones."""

    number: int
    kind: str
    content: Call | Mapping[str, Any]

    def text(self, answer: Answer, *, may_listen: bool) -> str:
        """The event as it is sent. Without the listen URL, whose ticket would expire while the event is remembered."""
        body = (
            {name: value for name, value in answer(self.content, may_listen).items() if name != "listenUrl"}
            if isinstance(self.content, Call)
            else self.content
        )
        return f"id: {self.number}\nevent: {self.kind}\ndata: {json.dumps(body, ensure_ascii=False, separators=(',', ':'))}\n\n"


@dataclass(slots=True)
class _Log:
    """The latest events of one call. Of `measures`, which come every second, it keeps only the newest, apart from the others, so that
    a transcript line that grows still replaces its shorter version.
    """

    events: deque[Event] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    measures: Event | None = None
    last: Call | None = None


class CallEvents:
    """Remembers the events of each call and wakes its followers."""

    def __init__(
        self,
        desk: Calls,
        transcripts: Signal[Transcript] | None = None,
        figures: Signal[Figures] | None = None,
        alerts: Signal[Raised] | None = None,
    ) -> None:
        self._desk = desk
        self._newest = time.time_ns() // 1000
        self._logs: dict[str, _Log] = {}
        self._ended: deque[str] = deque()
        self._unknown: set[str] = set()
        self._followers: dict[asyncio.Event, str] = {}
        self._streams: Counter[str] = Counter()
        self.closed = False
        for call in reversed(desk.calls()):
            self._on_call(call)
        self._stops = [desk.changed.subscribe(self._on_call)]
        if transcripts is not None:
            self._stops.append(transcripts.subscribe(self._on_transcript))
        if figures is not None:
            self._stops.append(figures.subscribe(self._on_figures))
        if alerts is not None:
            self._stops.append(alerts.subscribe(self._on_alert))

    def __len__(self) -> int:
        """The number of open streams."""
        return len(self._followers)

    def close(self) -> None:
        """Ends all streams and refuses new ones. The server waits for open streams before it stops."""
        self.closed = True
        for stop in self._stops:
            stop()
        for wake in self._followers:
            wake.set()

    @contextmanager
    def following(self, call_id: str, client: Client) -> Iterator[asyncio.Event]:
        """Yields an asyncio event that is set whenever the call may have news. Raises LimitReached if too many streams are open, of the
        client or in all."""
        if self.closed or len(self._followers) >= _STREAMS or self._streams[client.name] >= _STREAMS_OF_ONE:
            raise LimitReached("Too many event streams are open. Close some, or request the call itself instead.", retry_after=5)
        wake = asyncio.Event()
        self._followers[wake] = call_id
        self._streams[client.name] += 1
        try:
            yield wake
        finally:
            del self._followers[wake]
            self._streams[client.name] -= 1

    def since(self, call_id: str, number: int) -> list[Event]:
        """The remembered events after `number`, under whichever id the call has now."""
        log = self._logs.get(self._current(call_id))
        if log is None:
            return []
        events = [*log.events, log.measures] if log.measures else log.events
        return sorted((event for event in events if event.number > number), key=lambda event: event.number)

    def over(self, call_id: str) -> bool:
        """True if the call has ended, so that `since` includes its end."""
        log = self._logs.get(self._current(call_id))
        return log is not None and log.last is not None and not log.last.running

    def add(self, call: Call) -> None:
        """Adds events of a call that the desk does not follow but read from Vapi on request."""
        if self._desk.get(call.id) is None or call.id not in self._logs:
            self._on_call(call)

    def read_cursor(self, last_event_id: str | None) -> int:
        """The event number of `Last-Event-ID`; -1, which is before all events, if it is not one of ours."""
        text = last_event_id or ""
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
        return number if number <= self._newest else -1

    def _current(self, call_id: str) -> str:
        call = self._desk.get(call_id)
        return call.id if call else call_id

    def _on_call(self, call: Call) -> None:
        log = self._logs.setdefault(call.id, _Log())
        if log.last == call:
            return
        ended = not call.running and (log.last is None or log.last.running)
        if call.erasure:
            log.events.clear()
            log.measures = None
        log.last = call
        self._forget_found()
        if call.status is CallStatus.UNKNOWN:
            self._unknown.add(call.id)
        log.events.append(self._event("status", call))
        if ended:
            log.events.append(self._event("ended", call))
            self._ended.append(call.id)
            if len(self._ended) > _ENDED_CALLS:
                self._logs.pop(self._ended.popleft(), None)
        self._wake(call.id)

    def _on_transcript(self, transcript: Transcript) -> None:
        call_id = self._current(transcript.call_id)
        if log := self._logs.get(call_id):
            latest = log.events[-1] if log.events else None
            if latest and latest.kind == "transcript" and isinstance(latest.content, Mapping) and _grew(latest.content, transcript.body):
                log.events.pop()  # otherwise a long transcript would push out the status events
            log.events.append(self._event("transcript", transcript.body))
            self._wake(call_id)

    def _on_figures(self, figures: Figures) -> None:
        call_id = self._current(figures.call_id)
        if log := self._logs.get(call_id):
            log.measures = self._event("measures", figures.body)
            self._wake(call_id)

    def _on_alert(self, alert: Raised) -> None:
        call_id = self._current(alert.call_id)
        if log := self._logs.get(call_id):
            log.events.append(self._event("alert", alert.body))
            self._wake(call_id)

    def _forget_found(self) -> None:
        """Drops calls of unknown outcome that were found: they continue under another id, which the desk resolves for followers."""
        for call_id in [call_id for call_id in self._unknown if self._current(call_id) != call_id]:
            self._unknown.discard(call_id)
            self._logs.pop(call_id, None)

    def _event(self, kind: str, content: Call | Mapping[str, Any]) -> Event:
        self._newest += 1
        return Event(self._newest, kind, content)

    def _wake(self, call_id: str) -> None:
        for wake, followed in self._followers.items():
            if self._current(followed) == call_id:
                wake.set()


def _grew(before: Mapping[str, Any], line: Mapping[str, Any]) -> bool:
    """True if `line` is the same line with more text."""
    return before.get("key") is not None and before.get("key") == line.get("key")
