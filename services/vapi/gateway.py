"""All access to Vapi's API: takes and returns the types of `services.domain.call`, raises the errors of `services.domain.errors`.

A dial is sent once. It is sent a second time only if the first connection never opened. Any other unknown outcome raises
`OutcomeUnknown`, and `find_call` searches for the call by our tag, since the API has no idempotency key.
"""

import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlsplit

from services.domain.call import Assistant, Call, CallerId, CallOrder, ListenTarget, Squad
from services.domain.control import Control
from services.domain.errors import FieldError, OutcomeUnknown, RequestError, VapiUnavailable
from services.domain.transcript import Line
from services.support.durations import Durations
from services.support.rfc3339 import rfc3339
from services.vapi import refusals, values
from services.vapi.addresses import may_open
from services.vapi.control_messages import END_CALL, control_message
from services.vapi.create_body import create_body
from services.vapi.monitor import Monitor, MonitorBook
from services.vapi.reading import read_assistant, read_call, read_caller_id, read_each, read_squad
from services.vapi.recordings import RECORDING, Artifact, RecordingDownload, download
from services.vapi.sdk import Answer, NoAnswer, Sdk
from services.vapi.transcript import read_lines

logger = logging.getLogger(__name__)

Entry = TypeVar("Entry", Call, Assistant, CallerId, Squad)

_CALLS_A_PAGE = 25
"""A finished call with its transcript is 50 to 300 kB of JSON, so a page stays well under `sdk.BODY_LIMIT`."""
_MOST = 1000
_SKEW = timedelta(minutes=10)
"""How far this machine's clock may be ahead of Vapi's. The tag is unique, so a wider search finds no wrong call."""


class Gateway:
    """Vapi's API under one account.

    `timeout`: seconds for one request, from connecting to the last byte of the response.
    `api_key`: the private key, sent only to `base_url`.
    `public_key`: sent only to listen and control URLs.

    Raises `ValueError` for an invalid base URL.
    """

    def __init__(self, *, api_key: str, base_url: str, public_key: str | None = None, timeout: float = 10.0) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("The base URL of Vapi must begin with https:// or http:// and name a host.")
        self._base_url = base_url
        self._sdk = Sdk(api_key=api_key, base_url=base_url, public_key=public_key, timeout=timeout)
        self._monitor_headers = {"Authorization": f"Bearer {public_key.strip()}"} if public_key else {}
        self._monitors = MonitorBook()

    @property
    def requests(self) -> Durations:
        """How long requests took, by what was asked and the response's status, 0 without one."""
        return self._sdk.requests

    async def create_call(self, order: CallOrder) -> Call:
        """Dials. Sends exactly one POST that can reach Vapi.

        Raises `VapiRefused` or `VapiUnauthorized` (certainly not placed), `VapiUnavailable` (never sent), or `OutcomeUnknown`: perhaps
        placed, so search for the call and do not dial again.
        """
        body = _encode(create_body(order))
        try:
            answer = await self._dial(body)
        except NoAnswer as failure:
            if failure.sent:
                raise OutcomeUnknown(refusals.MAY_BE_PLACED) from None
            raise VapiUnavailable(refusals.NOTHING_PLACED) from None
        call = self._read_call(answer.body) if answer.ok else None
        if call is None:
            logger.warning("Vapi, POST call: status %d without a call in the response", answer.status)
            raise refusals.of_create(answer)
        return call

    async def _dial(self, body: bytes) -> Answer:
        try:
            return await self._sdk.ask("POST", "call", body=body)
        except NoAnswer as failure:
            if failure.sent:
                raise
        return await self._sdk.ask("POST", "call", body=body)

    async def find_call(self, order: CallOrder, *, since: datetime) -> Call | None:
        """The call that `order` created at or after `since`, by our tag. None if Vapi's list does not show it (yet): the list can lag."""
        assistant = {"assistantId": order.assistant_id} if order.assistant_id else {}
        query = {**assistant, "phoneNumberId": order.phone_number_id, "createdAtGe": rfc3339(since - _SKEW)}
        async for call in self._entries("call", query, self._read_call, page=_CALLS_A_PAGE):
            if call.tag == order.tag:
                return call
        return None

    async def get_call(self, call_id: str) -> Call:
        """One call in its current state. Raises `CallNotFound`."""
        body = await self._get(call_id)
        call = self._read_call(body)
        if call is None:
            raise refusals.of_read(Answer(status=200, body=body), call_id=call_id)
        return call

    async def _get(self, call_id: str) -> Any:
        answer = await self._read(_path("call", call_id))
        if not answer.ok:
            raise refusals.of_read(answer, call_id=call_id)
        return answer.body

    async def list_calls(
        self, *, updated_since: datetime | None = None, created_since: datetime | None = None, limit: int = 100
    ) -> list[Call]:
        """The account's calls, newest first, at most `limit`."""
        query = {"updatedAtGe": updated_since, "createdAtGe": created_since}
        times = {name: rfc3339(time) for name, time in query.items() if time is not None}
        return [call async for call in self._entries("call", times, self._read_call, page=_CALLS_A_PAGE, limit=limit)]

    async def inspect(self, kind: Literal["call", "assistant", "phone-number"], its_id: str) -> Answer:
        """Vapi's whole answer to a GET of one thing, an error too: for the doctor. Raises VapiUnavailable."""
        return await self._read(_path(kind, its_id))

    async def list_assistants(self) -> list[Assistant]:
        return [entry async for entry in self._entries("assistant", {}, read_assistant)]

    async def list_squads(self) -> list[Squad]:
        return [entry async for entry in self._entries("squad", {}, read_squad)]

    async def get_assistant(self, assistant_id: str) -> Assistant:
        """One assistant. Raises `RequestError` if the account has none with this id, and `VapiError`."""
        answer = await self._read(_path("assistant", assistant_id)) if assistant_id.strip(".") else None
        if answer is None or answer.status in (400, 404):
            detail = "Your Vapi account has no such assistant. It may have been deleted."
            raise RequestError(f"assistantId: {detail}", errors=[FieldError("assistantId", detail)])
        assistant = read_assistant(answer.body) if answer.ok else None
        if assistant is None:
            raise refusals.of_read(answer)
        return assistant

    async def list_phone_numbers(self) -> list[CallerId]:
        return [entry async for entry in self._entries("phone-number", {}, read_caller_id)]

    async def control(self, call_id: str, control: Control) -> None:
        """Sends an action to a running call's control URL.

        Raises `VapiRefused`; `CallNotFound`; `VapiUnavailable` with code `no_monitor` if the call has no control URL (yet), with code
        `monitor_refused` if the URL's host is not allowed.
        """
        await self._post_control(call_id, control_message(control))

    async def _post_control(self, call_id: str, message: Mapping[str, Any]) -> None:
        body = _encode(message)
        url = await self._monitor_url(call_id, lambda monitor: monitor.control_url)
        if not may_open(url, scheme="https", base_url=self._base_url):
            raise _monitor_refused("control")
        try:
            answer = await self._sdk.post_control(url, body=body, headers=self._monitor_headers)
        except NoAnswer:
            raise VapiUnavailable("The call's controls can't be reached. Try again; it may also have ended.") from None
        if not answer.ok:
            raise refusals.of_control(answer)

    def has_control(self, call_id: str) -> bool:
        """True if the call's control URL is known from the last read and may be opened."""
        url = self._monitors.get(call_id).control_url
        return url is not None and may_open(url, scheme="https", base_url=self._base_url)

    async def transcript(self, call_id: str) -> tuple[Line, ...]:
        """Vapi's transcript of an ended call; empty until Vapi has written it. Raises `CallNotFound`."""
        return read_lines(await self._get(call_id))

    def recording(self, call_id: str) -> AbstractAsyncContextManager[RecordingDownload]:
        """Opens Vapi's own recording of an ended call, in stereo if Vapi has that. Raises what `download` raises."""
        return self.artifact(call_id, RECORDING)

    def artifact(self, call_id: str, artifact: Artifact) -> AbstractAsyncContextManager[RecordingDownload]:
        """Opens a file that Vapi stores of an ended call. Raises what `download` raises."""
        return download(self._sdk, _path("call", call_id), artifact, base_url=self._base_url)

    async def end_call(self, call_id: str) -> None:
        """Hangs up. Safe to repeat. Only the call's status shows that the call has ended."""
        await self._post_control(call_id, END_CALL)

    async def delete_call(self, call_id: str) -> None:
        """Deletes a call's data at Vapi: the only way to cancel a scheduled call. It does not hang up a running one.

        Raises `CallNotFound`, `VapiRefused`, and `VapiUnavailable`, also if Vapi could not delete everything.
        """
        try:
            answer = await self._sdk.ask("DELETE", _path("call", call_id), body=b"{}")  # a body is required (OpenAPI `DeleteCallDTO`)
        except NoAnswer:
            raise VapiUnavailable(refusals.UNREACHABLE) from None
        if not answer.ok:
            raise refusals.of_read(answer, call_id=call_id)
        if values.table(answer.body).get("status") == "deletion-failed":
            raise VapiUnavailable("Vapi could not delete all data of the call.")

    async def listen_target(self, call_id: str) -> ListenTarget:
        """The URL of the call's live sound. Vapi returns it even after the call has ended. Raises like `control`."""
        url = await self._monitor_url(call_id, lambda monitor: monitor.listen_url)
        if not may_open(url, scheme="wss", base_url=self._base_url):
            raise _monitor_refused("listen")
        return ListenTarget(url=url, headers=self._monitor_headers)

    async def aclose(self) -> None:
        await self._sdk.aclose()

    async def _monitor_url(self, call_id: str, which: Callable[[Monitor], str | None]) -> str:
        url = which(self._monitors.get(call_id))
        if url is None:
            await self.get_call(call_id)
            url = which(self._monitors.get(call_id))
        if url is None:
            raise VapiUnavailable(
                "Vapi has given no address for listening to or steering this call. Try again in a moment. "
                "If this does not help, check the assistant's monitor plan.",
                code="no_monitor",
            )
        return url

    async def _entries(
        self,
        path: str,
        query: Mapping[str, str],
        read: Callable[[Any], Entry | None],
        *,
        page: int = 100,
        limit: int = _MOST,
    ) -> AsyncIterator[Entry]:
        """A list's readable entries, newest first. Vapi has no cursor, so each page begins at the oldest entry of the one before."""
        seen: set[str] = set()
        query = dict(query)
        while len(seen) < limit:
            size = min(page, limit - len(seen)) + bool(seen)  # one more: the oldest entry of the page before comes again
            answer = await self._read(path, {**query, "limit": size})
            if not answer.ok or not isinstance(answer.body, list):
                raise refusals.of_read(answer)
            fresh = [entry for entry in read_each(answer.body, read) if entry.id not in seen][: limit - len(seen)]
            for entry in fresh:
                seen.add(entry.id)
                yield entry
            times = [time for body in answer.body if isinstance(body, dict) and (time := values.time(body.get("createdAt")))]
            if len(answer.body) < size or not fresh or not times:
                return
            query["createdAtLe"] = rfc3339(min(times))

    async def _read(self, path: str, query: Mapping[str, Any] | None = None) -> Answer:
        try:
            return await self._sdk.ask("GET", path, params=query)
        except NoAnswer:
            raise VapiUnavailable(refusals.UNREACHABLE) from None

    def _read_call(self, body: Any) -> Call | None:
        call = read_call(body)
        if call is not None:
            self._monitors.remember(call.id, body)
        return call


def _path(kind: str, its_id: str) -> str:
    """The path of one thing in Vapi's API. Raises CallNotFound for what can't be an id."""
    if not its_id.strip("."):  # quoting leaves "", "." and ".." as they are, and in a path they are not names
        raise refusals.not_found()
    return f"{kind}/{quote(its_id, safe='', errors='replace')}"


def _encode(body: Mapping[str, Any]) -> bytes:
    """JSON. Encoded before anything is sent, so that an encoding error means that nothing was sent."""
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise RequestError(
            "The request contains a value that JSON can't represent. Use text, finite numbers, true, false, lists and objects."
        ) from None


def _monitor_refused(which: str) -> VapiUnavailable:
    logger.warning("Vapi: refused to open a call's %s URL, which is not on Vapi's or the base URL's host, or not encrypted", which)
    return VapiUnavailable(
        "The call's address for listening and control does not belong to Vapi, so it was not opened. Check VAPI_BASE_URL.",
        code="monitor_refused",
        retryable=False,
    )
