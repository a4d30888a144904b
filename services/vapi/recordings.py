"""Fetches what Vapi stores of a call: its recording, its log, its packet capture.

The storage is private: the API redirects whoever has the key to an address that is valid for a short time
(docs.vapi.ai/assistants/retrieve-call-artifacts). Addresses in a call are tried where the API has no such file.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

import aiohttp

from services.domain.errors import RecordingNotFound, VapiUnavailable
from services.vapi import refusals, values
from services.vapi.addresses import may_fetch
from services.vapi.reading import PRESIGNED_RECORDINGS, stored_recordings
from services.vapi.sdk import Answer, Sdk

logger = logging.getLogger(__name__)

_REDIRECTS = 3
_STALL_S = 30.0  # without a byte
_GONE = (400, 401, 403, 404, 410)
"""What a store answers for an address that has expired, or for one that only its owner may read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file of a call. `kinds` are its names in Vapi's API, the best first; `addresses` finds it in the JSON of the call."""

    kinds: tuple[str, ...]
    addresses: Callable[[Any, datetime], list[str]] = field(repr=False)
    absent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingDownload:
    """A recording, or another file of a call, on its way. `size` is in bytes, None if it was not announced.

    `chunks` raises VapiUnavailable if the way breaks.
    """

    size: int | None
    chunks: AsyncIterator[bytes] = field(repr=False)


@asynccontextmanager
async def download(sdk: Sdk, path: str, artifact: Artifact, *, base_url: str) -> AsyncIterator[RecordingDownload]:
    """Opens a file of the call at `path` of the API. The key is sent to `base_url` alone.

    Raises RecordingNotFound, also while Vapi has not stored it yet; VapiUnauthorized, VapiRefused, VapiUnavailable.
    """
    async with AsyncExitStack() as opened:
        response = await _by_api(sdk, path, artifact, base_url, opened) or await _by_address(sdk, path, artifact, base_url, opened)
        if response is None:
            raise RecordingNotFound(artifact.absent)
        # Some storage sends what was stored compressed as such, whatever is asked for. It is unpacked on the way.
        size = None if "Content-Encoding" in response.headers else response.content_length
        yield RecordingDownload(size=size, chunks=_chunks(response))


async def _by_api(sdk: Sdk, path: str, artifact: Artifact, base_url: str, opened: AsyncExitStack) -> aiohttp.ClientResponse | None:
    for kind in artifact.kinds:
        response = await _open(sdk.open(f"{path}/{kind}"), opened)
        if location := response.headers.get("Location") if 300 <= response.status < 400 else None:
            if found := await _follow(sdk, _joined(f"{base_url}/", location), base_url, opened):
                return found
        elif response.status == 200:
            return response
        elif response.status != 404:
            raise refusals.of_read(Answer(status=response.status, body=None))
    return None


async def _by_address(sdk: Sdk, path: str, artifact: Artifact, base_url: str, opened: AsyncExitStack) -> aiohttp.ClientResponse | None:
    """By an address that the call itself names: presigned, or in the owner's own storage."""
    answer = await sdk.ask("GET", path)
    if answer.status == 404:
        raise RecordingNotFound("Vapi no longer has this call.")
    if not answer.ok:
        raise refusals.of_read(answer)
    for url in artifact.addresses(answer.body, datetime.now(UTC)):
        if found := await _follow(sdk, url, base_url, opened):
            return found
    return None


async def _follow(sdk: Sdk, url: str, base_url: str, opened: AsyncExitStack) -> aiohttp.ClientResponse | None:
    """What is at `url`, without our key; None if it has expired or is private. Raises VapiUnavailable."""
    for _ in range(_REDIRECTS):
        if not may_fetch(url, base_url=base_url):
            raise _unsafe()
        response = await _open(sdk.open_address(url), opened)
        location = response.headers.get("Location")
        if response.status == 200:
            return response
        if response.status in _GONE:
            return None
        if not 300 <= response.status < 400 or not location:
            raise refusals.of_read(Answer(status=response.status if response.status >= 500 else 502, body=None))
        url = _joined(url, location)
    raise VapiUnavailable("Vapi's address of the recording leads in circles.")


def _joined(base: str, location: str) -> str:
    try:
        return urljoin(base, location)
    except ValueError:  # half an IPv6 address
        raise _unsafe() from None


def _unsafe() -> VapiUnavailable:
    logger.warning("Vapi: refused to fetch a recording from an address that is not encrypted, not valid, or on this network")
    return VapiUnavailable("Vapi's address of the recording is not safe to open, so it was not opened.", retryable=False)


async def _open(request: AbstractAsyncContextManager[aiohttp.ClientResponse], opened: AsyncExitStack) -> aiohttp.ClientResponse:
    try:
        async with asyncio.timeout(_STALL_S):
            return await opened.enter_async_context(request)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:  # its text may contain the address, which is a secret
        logger.warning("Vapi, GET recording: no response (%s)", type(error).__name__)
        raise VapiUnavailable(refusals.UNREACHABLE) from None


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        while True:
            async with asyncio.timeout(_STALL_S):
                chunk = await response.content.readany()
            if not chunk:
                return
            yield chunk
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        logger.warning("Vapi, GET recording: broke off (%s)", type(error).__name__)
        raise VapiUnavailable("The recording did not arrive completely. Try again.") from None


def _addresses(presigned: Sequence[str], stored: Callable[[dict[str, Any]], Iterable[Any]]) -> Callable[[Any, datetime], list[str]]:
    """Finds a file's addresses in Vapi's JSON of a call: `presigned`, fields of `artifact`, until they expire, then what `stored` finds."""

    def addresses(body: Any, now: datetime) -> list[str]:
        call = values.table(body)
        artifact = values.table(call.get("artifact"))
        expires = values.time(artifact.get("presignedUrlsExpiresAt"))
        fresh = [artifact.get(name) for name in presigned] if expires is None or expires > now else []
        return list(dict.fromkeys(url for url in (*fresh, *stored(call)) if isinstance(url, str) and url))

    return addresses


def _stored(name: str) -> Callable[[dict[str, Any]], Iterable[Any]]:
    return lambda call: (values.table(call.get("artifact")).get(name),)


RECORDING = Artifact(
    kinds=("stereo-recording", "mono-recording"),
    addresses=_addresses(PRESIGNED_RECORDINGS, stored_recordings),
    absent="Vapi has no recording of this call.",
)
LOG = Artifact(kinds=("call-logs",), addresses=_addresses(("presignedLogUrl",), _stored("logUrl")), absent="Vapi has no log of this call.")
PACKETS = Artifact(
    kinds=("pcap",), addresses=_addresses(("presignedPcapUrl",), _stored("pcapUrl")), absent="Vapi has no packet capture of this call."
)
