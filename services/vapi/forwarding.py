"""Forwards Vapi's server messages to the owner's own server and returns its answer, so that Earshot can be an assistant's server URL
without taking the place of the server that runs its tools.
"""

import asyncio
import logging
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

from services.support.rarely import Rarely
from services.support.signals import Signal
from services.vapi.sdk import is_loopback
from services.vapi.transport import Client

log = logging.getLogger(__name__)

NEED_ANSWER = frozenset(
    {
        "assistant-request",
        "tool-calls",
        "function-call",
        "transfer-destination-request",
        "handoff-destination-request",
        "knowledge-base-request",
        "voice-request",
        "call.endpointing.request",
        "campaign.predial",
    }
)
"""Messages to which Vapi waits for an answer that only the owner's server knows."""

ANSWER_LIMIT = 1024 * 1024
"""Maximum size of an answer in bytes."""

_WAIT_S = 19.5  # Vapi waits 20 s by default; half a second is left for the way back
_ASSISTANT_WAIT_S = 7.0  # Vapi waits 7.5 s: a caller is on the line, and nobody has answered yet
_STATUSES = range(200, 600)
_NOT_FORWARDED = frozenset(
    {
        # Those of one connection (RFC 9110, 7.6.1).
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"),
        # Those that are written anew.
        *("host", "content-length", "expect", "accept-encoding"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardedAnswer:
    """What the owner's server answered, to be passed on unchanged. `content_type` is None if it is no ASCII text."""

    status: int
    content_type: str | None
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A message of type `kind` that was not answered. `host`: the server that did not answer; None if none is set."""

    kind: str
    host: str | None


class ForwardFailed(Exception):
    """The owner's server gave no usable answer in time. The message says what happened, without the address."""


class WebhookForward:
    """Forwards to `url`; if it is empty, only notes what could not be answered.

    `unanswered` is the latest message that got no answer, None once a later one got its answer; `changed` emits it.
    """

    def __init__(self, url: str = "") -> None:
        self.changed: Signal[Unanswered | None] = Signal()
        self.unanswered: Unanswered | None = None
        self.host = urlsplit(url).hostname
        self._url = url
        self._via = f"1.1 earshot-{secrets.token_hex(8)}"
        self._http = Client(trust_env=not is_loopback(url))
        self._rarely = Rarely(3600.0)

    async def send(self, kind: str, body: bytes, headers: Iterable[tuple[str, str]]) -> ForwardedAnswer | None:
        """Sends a message of type `kind` with its headers once, and returns the answer. Raises ForwardFailed.

        None if no address is set, or if the message has been forwarded already, because the address is our own.
        """
        sent = list(headers)
        if not self._url or any(name.lower() == "via" and self._via in value for name, value in sent):
            if kind in NEED_ANSWER:
                self._note(Unanswered(kind=kind, host=self.host))
            return None
        passed = [(name, value) for name, value in sent if name.lower() not in _NOT_FORWARDED]
        # A connection of its own: on a kept one that the server has just closed, nobody would know whether a tool has run.
        passed += [("Via", self._via), ("Accept-Encoding", "identity"), ("Connection", "close")]
        try:
            answer = await self._post(body, passed, wait_s=_ASSISTANT_WAIT_S if kind == "assistant-request" else _WAIT_S)
        except ForwardFailed:
            self._note(Unanswered(kind=kind, host=self.host))
            raise
        self._note(None)
        return answer

    async def _post(self, body: bytes, headers: list[tuple[str, str]], *, wait_s: float) -> ForwardedAnswer:
        try:
            async with asyncio.timeout(wait_s), self._http.stream("POST", self._url, content=body, headers=headers) as response:
                answer = await response.content.read(ANSWER_LIMIT + 1)
                while len(answer) <= ANSWER_LIMIT and (more := await response.content.read(ANSWER_LIMIT)):
                    answer += more
        except TimeoutError:
            raise ForwardFailed(f"it did not answer within {wait_s:g} seconds") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:  # its text may contain the address, and so a secret
            raise ForwardFailed(f"it can't be reached ({type(error).__name__})") from None
        if len(answer) > ANSWER_LIMIT:
            raise ForwardFailed(f"its answer has more than {ANSWER_LIMIT} bytes")
        if response.status not in _STATUSES:
            raise ForwardFailed(f"it answered with status {response.status}, which is none of HTTP's")
        kind = response.headers.get("Content-Type", "")
        return ForwardedAnswer(status=response.status, content_type=kind if re.fullmatch(r"[ -~]+", kind) else None, body=answer)

    def _note(self, unanswered: Unanswered | None) -> None:
        if unanswered and self._rarely(unanswered):
            why = "the server in EARSHOT_WEBHOOK_FORWARD did not answer" if self._url else "EARSHOT_WEBHOOK_FORWARD is not set"
            log.warning("a webhook of Vapi, %s, was not answered: %s", unanswered.kind[:40], why)
        if unanswered != self.unanswered:
            self.unanswered = unanswered
            self.changed.emit(unanswered)

    async def aclose(self) -> None:
        await self._http.aclose()
