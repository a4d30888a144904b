"""A call's listen socket at Vapi: when to connect, when to retry, when to stop.

Vapi documents no status and no close code for this socket (docs.vapi.ai/calls/call-listen). It may refuse before the call is answered,
and its URL remains after the call has ended. So the call's state decides: while the call runs, a refusal or a close is worth a retry.
"""

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Literal, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from services.domain.call import Call, CallStatus, ListenTarget
from services.domain.errors import EarshotError
from services.listening.silence import Silence
from services.support.events import set_within
from services.support.log_lines import about

log = logging.getLogger(__name__)
_wire = logging.getLogger(f"{__name__}.wire")
_wire.setLevel(logging.INFO)  # at DEBUG websockets logs the URL and the headers, which are secrets

GRACE = 1.0
"""Seconds after the end of a call in which its last sound and events may still arrive."""

_STEADY = 2.0  # seconds after which a connection counts as good; its loss restarts the backoff
_SETTLED = 2.0  # seconds after the answer in which Vapi may not offer the sound yet
_MAX_DELAY = 4.0  # seconds
_WORTH_TELLING = 5  # consecutive refusals, about 3 s, after which listeners are informed; the retries continue
_DOUBT = 3.0  # seconds in which a refused key may turn out to be a call that has just ended
_MAX_FRAME = 1024 * 1024  # bytes; sound frames have 1 to 4 KiB, but a text frame may carry the whole call


class Receiver(Protocol):
    """Receives what comes out of an upstream. Called on the event loop, so it must return quickly."""

    def connected(self) -> None: ...
    def frame(self, frame: str | bytes) -> None: ...
    def interrupted(self) -> None: ...
    def silent(self, seconds: float) -> None: ...
    def problem(self, detail: str) -> None: ...


class Upstream:
    """Keeps one connection to a call's sound while the call runs.

    `target` returns the address, anew for each attempt. `hint` is called when a running call may have ended: Vapi closed its socket,
    refuses the key, or sends nothing.
    """

    def __init__(
        self, call: Call, *, target: Callable[[str], Awaitable[ListenTarget]], hint: Callable[[str], None], receiver: Receiver
    ) -> None:
        self._call = call
        self._target = target
        self._hint = hint
        self._receiver = receiver
        self._news = asyncio.Event()
        self._life: asyncio.Timeout | None = None
        self._connected = False
        self._delays = _backoff(call)
        self._changed_at = float("-inf")
        self._refusals = 0
        self._told = ""

    def on_call(self, call: Call) -> None:
        """Updates the call: in a new state it connects at once; after the end it disconnects, at the latest after `GRACE`."""
        before, self._call = self._call, call
        if (call.id, call.status) == (before.id, before.status):
            return
        now = asyncio.get_running_loop().time()
        if call.running:
            self._changed_at = now
            self._refusals = 0
            self._delays = _backoff(call)
            self._news.set()
        elif self._life:
            self._life.reschedule(now + GRACE if self._connected else now)

    async def run(self) -> None:
        """Listens until the call ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as self._life:
                while self._call.running:
                    self._news.clear()
                    await self._pause(await self._try_once())

    async def _try_once(self) -> float | None:
        """Returns the seconds to wait before the next attempt; None to wait for a change of the call."""
        if self._call.status is CallStatus.UNKNOWN:
            return None
        headers_sent = False
        try:
            target = await self._target(self._call.id)
            headers_sent = bool(target.headers)
            connection = await connect_listener(target)
        except Exception as error:
            settled = self._call.answered and asyncio.get_running_loop().time() - self._changed_at >= _SETTLED
            fatal = verdict(error, settled=settled) == "fatal"
            self._refusals += 1
            if fatal and _refused(error) and await self._changes():
                return 0.0
            if fatal or (settled and self._refusals >= _WORTH_TELLING):
                self._tell(error, _in_plain_words(error, headers_sent=headers_sent))
            return None if fatal else next(self._delays)
        await self._hear(connection)
        return next(self._delays)

    async def _changes(self) -> bool:
        """Has the call read again, since Vapi also refuses the key of a call that has ended. True if the call's state changed."""
        self._hint(self._call.id)
        await self._pause(_DOUBT)  # cancelled by the end of the call
        return self._news.is_set()

    def _tell(self, error: Exception, detail: str) -> None:
        if detail == self._told:
            return
        self._told = detail
        foreseen = isinstance(error, EarshotError | OSError | InvalidHandshake | InvalidURI)
        log.error("no live sound: %s", type(error).__name__, exc_info=None if foreseen else error, extra=about(self._call.id))
        self._receiver.problem(detail)

    async def _hear(self, connection: ClientConnection) -> None:
        clock = asyncio.get_running_loop().time
        opened = clock()
        self._connected = True
        self._refusals, self._told = 0, ""
        self._receiver.connected()
        silence = Silence(self._on_silence)
        try:
            async for frame in connection:
                silence.frames += 1
                self._receiver.frame(frame)
        except ConnectionClosed as error:
            log.info("listen socket lost, code %s", error.rcvd.code if error.rcvd else "none", extra=about(self._call.id))
        finally:
            self._connected = False
            silence.close()
            await _leave(connection)
        if self._call.running:
            self._receiver.interrupted()
            self._hint(self._call.id)
        if clock() - opened >= _STEADY:
            self._delays = _backoff(self._call)

    def _on_silence(self, seconds: float) -> None:
        if self._call.running and self._call.answered:
            self._receiver.silent(seconds)
            self._hint(self._call.id)

    async def _pause(self, seconds: float | None) -> None:
        await set_within(self._news, seconds)


def verdict(error: Exception, *, settled: bool) -> Literal["transient", "fatal"]:
    """Whether a retry may help. `settled`: the call was answered a while ago, so a refusal no longer means "too early"."""
    match error:
        case EarshotError():
            return "transient" if error.retryable else "fatal"
        case InvalidStatus() if 300 <= error.response.status_code < 400:
            return "fatal"
        case InvalidStatus() if _refused(error):
            return "fatal" if settled else "transient"
        case InvalidURI() | ssl.SSLCertVerificationError():
            return "fatal"
        case OSError() | InvalidHandshake() | ConnectionClosed() | EOFError():
            return "transient"
    return "fatal"


def _refused(error: Exception) -> bool:
    return isinstance(error, InvalidStatus) and error.response.status_code in (401, 403)


def _in_plain_words(error: Exception, *, headers_sent: bool) -> str:
    match error:
        case EarshotError():
            return error.detail
        case InvalidStatus() if _refused(error) and headers_sent:
            return "Vapi rejects VAPI_PUBLIC_KEY for this call's sound. Set it to the account's public key, not the private one."
        case InvalidStatus() if _refused(error):
            return "Vapi requires a key for this call's sound. Set VAPI_PUBLIC_KEY to the account's public key and start Earshot again."
        case InvalidStatus():
            return "Vapi redirects listeners of this call to another address. Earshot does not follow redirects."
        case ssl.SSLCertVerificationError():
            return "The certificate of Vapi's sound server can't be verified. Check this machine's clock and certificates."
        case OSError() | InvalidHandshake():
            return "Vapi does not provide this call's sound at the moment. Earshot keeps trying while the call runs."
    return "This call's sound can't be opened. See Earshot's log."


def _backoff(call: Call) -> Iterator[float]:
    """Seconds before each attempt: none before the first of an answered call; random spread keeps many calls from retrying in step."""
    if call.answered:
        yield 0.0
    delay = 0.25 if call.answered else 0.5
    while True:
        yield delay * random.uniform(0.8, 1.0)  # noqa: S311
        delay = min(2 * delay, _MAX_DELAY)


class _DirectConnect(connect):
    """Follows no redirects: the key goes to the checked address only."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()  # cached: reading the machine's certificates takes 20 ms


async def connect_listener(target: ListenTarget) -> ClientConnection:
    """One attempt to open a listen socket. Raises OSError, TimeoutError, and the errors of websockets."""
    return await _DirectConnect(
        target.url,
        additional_headers=target.headers,
        ssl=_tls() if target.url.startswith("wss:") else None,
        compression=None,  # PCM hardly compresses, so it is not worth the delay and CPU
        proxy=None,
        open_timeout=5,
        ping_interval=5,
        ping_timeout=10,  # a silently broken link is noticed within 15 s
        close_timeout=0.5,
        max_size=_MAX_FRAME,
        logger=_wire,
    )


async def _leave(connection: ClientConnection) -> None:
    try:
        await connection.close()
    finally:
        connection.transport.abort()  # a second cancellation may cut the closing handshake short, but the socket must be closed
