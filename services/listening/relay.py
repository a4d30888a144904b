"""Fetches a call's live sound once from Vapi and passes it to any number of listeners.

Sound is passed on in whole blocks (one sample of every channel), so that joining late or losing sound never swaps channels.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from secrets import token_hex
from typing import Any, TypeVar

from services.domain.call import Call, ListenTarget
from services.domain.errors import CallNotFound, CallNotRunning
from services.domain.speech import SpeechEvent
from services.domain.stream_format import DEFAULT_FORMAT, StreamFormat
from services.listening.listener import End, Listener, Sink
from services.listening.measurer import EndMeasuring, Measurer, Publish
from services.listening.relay_counts import RelayCounts, SoundState
from services.listening.upstream import Upstream
from services.measures.measured import Measured
from services.support.tasks import Tasks
from services.vapi.listen_events import read

S = TypeVar("S", bound=Sink)
T = TypeVar("T")


class _Stream:
    """One upstream and its listeners: cuts the sound into whole blocks and passes it to each listener."""

    def __init__(
        self,
        call: Call,
        *,
        target: Callable[[str], Awaitable[ListenTarget]],
        hint: Callable[[str], None],
        heard: Callable[[str, SpeechEvent], None],
        interrupted: Callable[[], None],
        buffer_seconds: float,
    ) -> None:
        self.begun_as = call.id
        self._heard = heard
        self._count_interruption = interrupted
        self.upstream = Upstream(call, target=target, hint=hint, receiver=self)
        self.listeners: set[Sink] = set()
        self.task: asyncio.Task[None] | None = None
        self._buffer_seconds = buffer_seconds
        self._expected = DEFAULT_FORMAT
        self._format: StreamFormat | None = None
        self._assumed = False
        self._name = ""  # of the connection to Vapi
        self._position = 0  # bytes of it that were passed on
        self._trouble = ""
        self._rest = b""

    def join(self, listener: Sink) -> None:
        self.listeners.add(listener)
        for known in filter(None, (self._start(), self._trouble)):
            listener.tell(known)

    def finish(self, end: End, *, drain: bool) -> None:
        for listener in self.listeners:
            listener.finish(end, drain=drain)

    def connected(self) -> None:
        self._format, self._trouble = None, ""
        self._name, self._position = token_hex(4), 0
        self._tell(_json(type="stream", state="connected"))

    def interrupted(self) -> None:
        self._format = None
        self._count_interruption()
        self._trouble = self._tell(_json(type="stream", state="interrupted"))

    def silent(self, seconds: float) -> None:
        self._tell(json.dumps({"type": "stream", "state": "silent", "seconds": round(seconds)}, separators=(",", ":")))

    def problem(self, detail: str) -> None:
        self._trouble = self._tell(_json(type="listen-problem", detail=detail))

    def frame(self, frame: str | bytes) -> None:
        if not isinstance(frame, str):
            self._play(frame)
        elif isinstance(event := read(frame), StreamFormat):
            self._begin(event)
        elif event:
            for happened in event.events:
                self._heard(self.begun_as, happened)
            if event.frame:
                self._tell(event.frame)

    def _begin(self, announced: StreamFormat | None) -> StreamFormat:
        self._format = self._expected = announced or self._expected
        self._assumed = announced is None
        self._rest = b""
        self._tell(self._start())
        return self._format

    def _start(self) -> str:
        """The start frame for who hears the stream from here on; "" if its format is not known."""
        if self._format is None:
            return ""
        return self._format.start_frame(assumed=self._assumed, stream=self._name, position=self._position)

    def _play(self, sound: bytes) -> None:
        form = self._format or self._begin(None)
        if self._rest or len(sound) % form.block_size:
            sound = self._rest + sound
            whole = len(sound) - len(sound) % form.block_size
            sound, self._rest = sound[:whole], sound[whole:]
        if sound:
            self._position += len(sound)
            at_most = int(form.bytes_per_second * self._buffer_seconds)
            for listener in self.listeners:
                listener.play(sound, at_most=at_most)

    def _tell(self, event: str) -> str:
        for listener in self.listeners:
            listener.tell(event)
        return event


class Relay:
    """All live sound of this process: one upstream per call, opened for the first listener and closed after the last.

    `target` returns where a call's sound is, and `find` the call as known. `hint` is called with the id of a call that may have ended.
    `heard` is called once per speech event, with the id that the call had when its first listener joined. A slow listener is at most
    `buffer_seconds` of sound behind.

    `loop` runs all of it, in another thread; None: the caller's loop. `find`, `target`, `hint` and `heard` are called there, and all
    methods may be called from other threads. `playing` is called there with whether there is any upstream, whenever one begins or ends.
    """

    def __init__(
        self,
        *,
        target: Callable[[str], Awaitable[ListenTarget]],
        find: Callable[[str], Call | None],
        hint: Callable[[str], None],
        heard: Callable[[str, SpeechEvent], None] = lambda _call_id, _event: None,
        buffer_seconds: float = 10.0,
        loop: asyncio.AbstractEventLoop | None = None,
        playing: Callable[[bool], None] = lambda _any: None,
    ) -> None:
        self.loop = loop
        self._playing = playing
        self._find = find
        self.counts = RelayCounts()
        self._open = partial(
            _Stream, target=target, hint=hint, heard=heard, interrupted=self._count_interruption, buffer_seconds=buffer_seconds
        )
        self._streams: dict[str, _Stream] = {}
        self._tasks = Tasks()
        self._closed = False

    @property
    def upstreams(self) -> int:
        return len(self._streams)

    @property
    def state(self) -> SoundState:
        return "ok"

    @property
    def listeners(self) -> int:
        return sum(len(stream.listeners) for stream in list(self._streams.values()))

    def listen(self, call_id: str, *, sound: bool = True, events: bool = True) -> Listener:
        """A new listener to a running call, answered or not. The caller must close it. Raises CallNotFound, CallNotRunning.

        Without `sound` it receives only events. Without both it only keeps `heard` being called.
        """
        return self.join(call_id, lambda leave: Listener(leave, sound=sound, events=events))

    def join(self, call_id: str, sink: Callable[[Callable[[S], None]], S]) -> S:
        """Adds a sink of another kind, made by `sink`, which is passed the function that removes it. Raises what `listen` raises."""
        call = self._find(call_id)
        if call is None:
            raise CallNotFound()
        if not call.running:
            raise CallNotRunning("This call has ended.")
        listener = sink(lambda leaving: self._on_loop(self._leave, leaving))
        self._on_loop(self._join, call, listener)
        return listener

    def measure(self, call_id: str, publish: Publish, *, before: Measured | None = None) -> EndMeasuring:
        """Measures a running call on the relay's loop. `publish` and `before` are as for Measurer, but `publish` is called on the caller's
        loop. Returns what ends it. Raises what `listen` raises.
        """
        caller = asyncio.get_running_loop()

        def publish_there(measured: Measured | None, over: bool) -> None:
            caller.call_soon_threadsafe(publish, measured, over)

        here = self.loop is None or self.loop is caller
        measurer = self.join(call_id, partial(Measurer, publish=publish if here else publish_there, before=before))

        async def end() -> None:
            measurer.finish("shutdown", drain=True)
            measurer.close()

        return lambda: self.run(end())

    def on_call(self, call: Call) -> None:
        """Updates the upstream of a call that changed."""
        self._on_loop(self._update, call)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs `work` on the relay's loop and returns what it returns."""
        if self.loop is None or self.loop is asyncio.get_running_loop():
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))

    async def counted(self) -> RelayCounts:
        """The counts as of now."""
        return self.counts

    async def aclose(self) -> None:
        """Ends every listener and upstream at once."""
        await self.run(self._aclose())

    def _count_interruption(self) -> None:
        self.counts.interruptions += 1

    def _on_loop(self, work: Callable[..., None], *arguments: object) -> None:
        """Calls `work` on the relay's loop: at once if this is it, else soon and in the order of these calls."""
        if self.loop is None or self.loop is asyncio._get_running_loop():
            work(*arguments)
        else:
            self.loop.call_soon_threadsafe(work, *arguments)

    def _join(self, call: Call, listener: Sink) -> None:
        if self._closed:
            listener.finish("shutdown", drain=False)
        elif listener.end is None:  # it may have left already, from another thread
            (self._stream_of(call) or self._begin(call)).join(listener)

    def _update(self, call: Call) -> None:
        if stream := self._stream_of(call):
            stream.upstream.on_call(call)

    async def _aclose(self) -> None:
        self._closed = True
        for stream in self._streams.values():
            stream.finish("shutdown", drain=False)
        await self._tasks.aclose()

    def _stream_of(self, call: Call) -> _Stream | None:
        if call.id in self._streams:
            return self._streams[call.id]
        # A call of unknown outcome had another id when its stream started.
        return next((stream for begun, stream in self._streams.items() if (now := self._find(begun)) and now.id == call.id), None)

    def _begin(self, call: Call) -> _Stream:
        stream = self._streams[call.id] = self._open(call)
        self._playing(True)
        stream.task = self._tasks.start(self._run(stream), name="listen to a call")
        return stream

    async def _run(self, stream: _Stream) -> None:
        end: End = "failed"
        try:
            await stream.upstream.run()
            end = "call ended"
        finally:
            self._forget(stream)
            stream.finish(end, drain=True)

    def _leave(self, listener: Sink) -> None:
        stream = next((stream for stream in self._streams.values() if listener in stream.listeners), None)
        if stream is None:
            return
        stream.listeners.discard(listener)
        if not stream.listeners and self._forget(stream) and stream.task:
            stream.task.cancel()

    def _forget(self, stream: _Stream) -> bool:
        """Returns False if a newer stream of the same call has replaced it."""
        if self._streams.get(stream.begun_as) is not stream:
            return False
        del self._streams[stream.begun_as]
        self._playing(bool(self._streams))
        return True


def _json(**event: str) -> str:
    return json.dumps(event, separators=(",", ":"))
