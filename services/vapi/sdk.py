"""Requests through the Vapi SDK's core, which handles authentication, base URL, headers and timeouts, without its models.

`AsyncClientWrapper` and its `httpx_client` import no models. Importing the typed client blocks the event loop for seconds
(VapiAI/server-sdk-python issues 11 and 15). We use `stream` instead of `request` because it lets us limit the size of a body.
"""

import asyncio
import json
import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from vapi.core.client_wrapper import AsyncClientWrapper
from vapi.core.request_options import RequestOptions

from services.domain.errors import VapiUnauthorized
from services.support.durations import Durations
from services.support.traces import Attributes, add_span
from services.vapi import values
from services.vapi.transport import Client

logger = logging.getLogger(__name__)

ONCE: RequestOptions = {"max_retries": 0}
"""By default the SDK retries a POST up to twice: that could be three calls to one phone."""

BODY_LIMIT = 8 * 1024 * 1024
"""Maximum size of a response in bytes. 8 MB of JSON are parsed in about 50 ms."""

_JSON = {"content-type": "application/json"}
_AS_IT_IS = {"accept-encoding": "identity"}
"""Uncompressed, so that the announced length is that of the file."""
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SLOW_S = 1.0  # a request outside any trace, such as those that watch calls, gets its own trace if it takes longer
_UNUSABLE = "VAPI_API_KEY contains characters that no key has. Copy the private key again from the Vapi dashboard."


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response. `body` is the parsed JSON or None, `message` Vapi's own error message, `retry_after` in seconds."""

    status: int
    body: Any = field(repr=False)
    message: str | None = None
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class NoAnswer(Exception):
    """No complete response arrived. `sent` is False only if certainly no byte of the request was sent."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__("no response")
        self.sent = sent


class Sdk:
    """Sends a request and returns its `Answer`. Raises `NoAnswer`, or `VapiUnauthorized` for a key that can't be valid.

    `timeout` is in seconds, from connecting to the last byte of the response. Nothing is retried, no redirect is followed.
    `requests` counts how long they took, by what was asked and the response's status, 0 without one.
    """

    def __init__(self, *, api_key: str, base_url: str, public_key: str | None, timeout: float) -> None:
        self._keys = [key.strip() for key in (api_key, public_key) if key and key.strip()]
        self._usable = bool(re.fullmatch(r"[!-~]+", api_key.strip()))
        self._timeout = timeout
        self.requests = Durations(_SECONDS)
        self._http = Client(trust_env=not is_loopback(base_url))
        http: Any = self._http  # the core asks for all of httpx.AsyncClient, and uses `stream`
        self._core = AsyncClientWrapper(token=api_key.strip(), base_url=base_url, timeout=timeout, httpx_client=http).httpx_client

    async def ask(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: bytes | None = None) -> Answer:
        """One request to Vapi's API, with the private key."""
        if not self._usable:
            raise VapiUnauthorized(_UNUSABLE)
        request: Any = self._core.stream(
            path,
            method=method,
            params=dict(params or {}),
            content=body,
            headers=_JSON if body is not None else None,
            request_options=ONCE,
        )
        return await self._answer(f"{method} {path.partition('/')[0]}", request)

    def open(self, path: str) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """A GET whose body the caller reads, within a time limit of its own. Raises VapiUnauthorized at once, aiohttp's errors later."""
        if not self._usable:
            raise VapiUnauthorized(_UNUSABLE)
        response: Any = self._core.stream(path, method="GET", headers=_AS_IT_IS, request_options=ONCE)
        return response  # type: ignore[no-any-return]

    def open_address(self, url: str) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """The same of another address, without the private key."""
        return self._http.stream("GET", url, headers=_AS_IT_IS)

    async def post_control(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One POST to a control URL, without the SDK, which would send the private key."""
        return await self._answer("POST control", self._http.stream("POST", url, content=body, headers={**_JSON, **headers}))

    async def _answer(self, what: str, request: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> Answer:
        clock = asyncio.get_running_loop().time
        began, status = clock(), 0
        try:
            async with asyncio.timeout(self._timeout), request as response:
                body = await _read_json(response)
                status = response.status
        except Exception as error:
            # Catches every exception: the request may have been sent, and an unforeseen error must not count as "not sent".
            sent = not isinstance(error, aiohttp.ClientConnectorError)
            logger.warning("Vapi, %s: no response (%s)", what, type(error).__name__)
            raise NoAnswer(sent=sent) from None  # the error may contain a control URL
        finally:
            took = clock() - began
            self.requests.add(took, what, str(status))
            failed = "" if 200 <= status < 400 else str(status or "no_response")
            facts: Attributes = {"peer.service": "vapi", "http.request.method": what.partition(" ")[0], "http.response.status_code": status}
            add_span(f"Vapi {what}", took, facts, kind="client", error=failed, alone=bool(failed) or took >= _SLOW_S)
        return Answer(
            status=response.status,
            body=body,
            message=error_message(body, secrets=self._keys),
            retry_after=_seconds(response.headers.get("retry-after")),
        )

    async def aclose(self) -> None:
        await self._http.aclose()


async def _read_json(response: aiohttp.ClientResponse) -> Any:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > BODY_LIMIT:
            logger.warning("Vapi: ignored a response of more than %d bytes", BODY_LIMIT)
            return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def error_message(body: Any, *, secrets: Sequence[str] = ()) -> str | None:
    """Vapi's own message in NestJS's error shape: `message` is a string or a list of strings, `error` a short name.

    Without `secrets`, links and control characters, cut to 500 characters.
    """
    nest = values.table(body)
    message = nest.get("message")
    if isinstance(message, list):
        message = "; ".join(part for part in message if isinstance(part, str))
    # Not cut before secrets are removed: a key that is cut in half would not be found.
    found = values.text(message, most=BODY_LIMIT) or values.text(nest.get("error"), most=BODY_LIMIT)
    if found is None:
        return None
    for secret in secrets:
        found = found.replace(secret, "(key)")
    return re.sub(r"\b\w+://\S+", "(link)", " ".join(found.split()))[:500]


def _seconds(retry_after: str | None) -> float | None:
    """`Retry-After` (RFC 9110, 10.2.3), seconds or a date, as seconds from now."""
    if not retry_after:
        return None
    if re.fullmatch(r"[0-9]{1,9}", retry_after.strip()):
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def is_loopback(base_url: str) -> bool:
    """True if the host is this machine's loopback, which a proxy of the environment could not reach."""
    host = urlsplit(base_url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
