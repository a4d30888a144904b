"""One call's listen socket at Vapi: when to connect, when to try again, when to stop.

Vapi documents no status and no close code of this socket (docs.vapi.ai/calls/call-listen). It may refuse before the call is answered,
and its URL stays in the call after the end. So the call's own state decides: a refusal or a close is worth another try while the call
runs, and none is once it ended.
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

log = logging.getLogger(__name__)
_wire = logging.getLogger(f"{__name__}.wire")
_wire.setLevel(logging.INFO)  # at DEBUG websockets writes down the URL and the headers, which are secrets

GRACE = 1.0
"""Seconds in which the last sound and events of a call that ended may still arrive."""

_STEADY = 2.0  # a connection that held for so many seconds was a good one: its loss is answered at once again
_SETTLED = 2.0  # seconds after the answer in which Vapi may not yet have opened the sound
_MAX_DELAY = 4.0
_WORTH_TELLING = 5  # refusals in a row, some 3 s of silence, after which listeners are told although it goes on trying
_MAX_FRAME = 1024 * 1024  # bytes; sound comes in 1 to 4 KiB, but a text frame may carry the whole call


class Receiver(Protocol):
    """Who is told what comes out of an upstream; called on the event loop, so it must be quick."""

    def connected(self) -> None: ...
    def frame(self, frame: str | bytes) -> None: ...
    def interrupted(self) -> None: ...
    def problem(self, detail: str) -> None: ...


class Upstream:
    """Keeps one connection to a call's sound while the call runs.

    `target` says where, anew for each try; `hint` is told when Vapi closed although the call is believed to run: it may have ended.
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
        """Takes in what became of the call: in a new state it is tried at once, ended it is left, at the latest after `GRACE`."""
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
        """Returns the seconds to wait before the next try; None if only a change of the call makes one worth it."""
        if self._call.status is CallStatus.UNKNOWN:
            return None
        headers_sent = False
        try:
            target = await self._target(self._call.id)
            headers_sent = bool(target.headers)
            connection = await _connect(target)
        except Exception as error:
            settled = self._call.answered and asyncio.get_running_loop().time() - self._changed_at >= _SETTLED
            fatal = verdict(error, settled=settled) == "fatal"
            self._refusals += 1
            if fatal or (settled and self._refusals >= _WORTH_TELLING):
                self._tell(error, _in_plain_words(error, headers_sent=headers_sent))
            return None if fatal else next(self._delays)
        await self._hear(connection)
        return next(self._delays)

    def _tell(self, error: Exception, detail: str) -> None:
        if detail == self._told:
            return
        self._told = detail
        foreseen = isinstance(error, EarshotError | OSError | InvalidHandshake | InvalidURI)
        log.error("no live sound: %s", type(error).__name__, exc_info=None if foreseen else error)
        self._receiver.problem(detail)

    async def _hear(self, connection: ClientConnection) -> None:
        clock = asyncio.get_running_loop().time
        opened = clock()
        self._connected = True
        self._refusals, self._told = 0, ""
        self._receiver.connected()
        try:
            async for frame in connection:
                self._receiver.frame(frame)
        except ConnectionClosed as error:
            log.info("listen socket lost, code %s", error.rcvd.code if error.rcvd else "none")
        finally:
            self._connected = False
            await _leave(connection)
        if self._call.running:
            self._receiver.interrupted()
            self._hint(self._call.id)
        if clock() - opened >= _STEADY:
            self._delays = _backoff(self._call)

    async def _pause(self, seconds: float | None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()


def verdict(error: Exception, *, settled: bool) -> Literal["transient", "fatal"]:
    """Whether trying again may help. `settled`: answered a while ago, so that a refusal can't mean "too early" any more."""
    match error:
        case EarshotError():
            return "transient" if error.retryable else "fatal"
        case InvalidStatus() if 300 <= error.response.status_code < 400:
            return "fatal"
        case InvalidStatus() if error.response.status_code in (401, 403):
            return "fatal" if settled else "transient"
        case InvalidURI() | ssl.SSLCertVerificationError():
            return "fatal"
        case OSError() | InvalidHandshake() | ConnectionClosed() | EOFError():
            return "transient"
    return "fatal"


def _in_plain_words(error: Exception, *, headers_sent: bool) -> str:
    match error:
        case EarshotError():
            return error.detail
        case InvalidStatus() if error.response.status_code in (401, 403) and headers_sent:
            return "Vapi does not accept VAPI_PUBLIC_KEY for this call's sound. Set it to the account's public key, not the private one."
        case InvalidStatus() if error.response.status_code in (401, 403):
            return "Vapi wants a key for this call's sound. Set VAPI_PUBLIC_KEY to the account's public key and start again."
        case InvalidStatus():
            return (
                "Vapi sends listeners of this call to another address, which is not followed: only the address checked before is trusted."
            )
        case ssl.SSLCertVerificationError():
            return "The certificate of Vapi's sound server can't be verified. Check this machine's clock and certificates."
        case OSError() | InvalidHandshake():
            return "Vapi does not let this call's sound through at the moment. It is tried again and again while the call runs."
    return "This call's sound can't be opened. The log of this app says more."


def _backoff(call: Call) -> Iterator[float]:
    """Seconds before each try. While a call talks the first follows at once, and the others are spread so as not to come in step."""
    if call.answered:
        yield 0.0
    delay = 0.25 if call.answered else 0.5
    while True:
        yield delay * random.uniform(0.8, 1.0)  # noqa: S311
        delay = min(2 * delay, _MAX_DELAY)


class _DirectConnect(connect):
    """Follows no redirect: the key and the call's sound go to the checked address or nowhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()  # reads the machine's certificates: 20 ms, once


async def _connect(target: ListenTarget) -> ClientConnection:
    return await _DirectConnect(
        target.url,
        additional_headers=target.headers,
        ssl=_tls() if target.url.startswith("wss:") else None,
        compression=None,  # PCM hardly shrinks, and the delay and CPU are not worth it
        proxy=None,
        open_timeout=5,
        ping_interval=5,
        ping_timeout=10,  # a link that died without a word is noticed within 15 s
        close_timeout=0.5,
        max_size=_MAX_FRAME,
        logger=_wire,
    )


async def _leave(connection: ClientConnection) -> None:
    try:
        await connection.close()
    finally:
        connection.transport.abort()  # a second cancellation may cut the closing handshake short, and the socket must not stay open
