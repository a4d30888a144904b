"""Sends the events of the journal's outbox to their endpoints: each at least once, and those of one call in order.

One process at a time sends to an endpoint, by a lease. If it dies, another one or the next start goes on.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from standardwebhooks.webhooks import Webhook

from services.domain.errors import JournalError
from services.journal import Delivery, DeliveryState, Endpoint
from services.journal.outbox import Attempt, OutboxJournal
from services.support.tasks import Tasks
from services.support.version import VERSION
from services.webhooks_out.sender import Sender, SendFailed

log = logging.getLogger(__name__)

PAUSES_S = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 7200.0, 14_400.0)
"""Before each further attempt; the last one again and again."""

GIVE_UP = timedelta(hours=24)
"""After an event was first to be sent, an attempt that fails is the last one."""

_POLL_S = 1.0  # between two looks for events, which other processes write too
_RENEW_S = 2.0
_AT_ONCE = 8  # events of different calls that one endpoint is sent at a time
_GONE = 410


class Deliveries:
    """`body` makes the JSON of an event; one for which it can't is logged, and has failed. `sender` posts it."""

    def __init__(
        self,
        outbox: OutboxJournal,
        *,
        body: Callable[[Delivery], Awaitable[str]],
        sender: Sender,
        pauses_s: tuple[float, ...] = PAUSES_S,
    ) -> None:
        self._outbox = outbox
        self._body = body
        self._sender = sender
        self._pauses_s = pauses_s
        self._working: set[str] = set()
        self._tasks = Tasks()

    def start(self) -> None:
        """Sends what is due, until `aclose`."""
        self._tasks.keep(self._run, name="look for events")

    async def _run(self) -> None:
        while True:
            try:
                for endpoint_id in await self._outbox.due():
                    if endpoint_id not in self._working:
                        self._working.add(endpoint_id)
                        self._tasks.start(self._work(endpoint_id), name="send events")
            except JournalError as error:
                log.warning("could not read which events are to be sent: %s", error.detail)
            await asyncio.sleep(_POLL_S)

    async def aclose(self) -> None:
        """Stops sending. What was not answered is sent again by another process or after the next start."""
        await self._tasks.aclose()

    async def _work(self, endpoint_id: str) -> None:
        """Sends to one endpoint until nothing more is due."""
        try:
            if await self._outbox.hold(endpoint_id):
                await self._send_all(endpoint_id)
        finally:
            self._working.discard(endpoint_id)

    async def _send_all(self, endpoint_id: str) -> None:
        renewing = self._tasks.start(self._renew(endpoint_id), name="renew the lease of an endpoint")
        try:
            while True:
                endpoint, events = await self._outbox.next_events(endpoint_id, _AT_ONCE)
                if endpoint is None or not events:
                    return
                results = await asyncio.gather(*(self._send(endpoint, event) for event in events), return_exceptions=True)
                if failures := [result for result in results if result]:
                    raise failures[0]  # only now: what is still being sent must not be sent a second time meanwhile
        finally:
            renewing.cancel()
            with suppress(JournalError):  # then it ends by itself
                await self._outbox.release(endpoint_id)

    async def _renew(self, endpoint_id: str) -> None:
        """If the lease ends, because no attempt succeeds in time, `next_events` notices that."""
        while True:
            await asyncio.sleep(_RENEW_S)
            with suppress(JournalError):
                await self._outbox.hold(endpoint_id)

    async def _send(self, endpoint: Endpoint, event: Delivery) -> None:
        try:
            request = await self._request(endpoint, event)
        except JournalError:
            raise
        except Exception:
            # It would fail each time, and hold up what follows.
            log.exception("an event can't be sent, because its body can't be made")
            await self._outbox.settle(Attempt(delivery_id=event.id, endpoint=event.endpoint, state=DeliveryState.FAILED, problem="no_body"))
            return
        status, problem = None, ""
        try:
            status = await self._sender.post(endpoint.url, *request)
        except SendFailed as error:
            problem = error.problem
        except Exception as error:
            # Without its text, which may contain the address. It counts as an attempt: else the event would be sent each second, for ever.
            log.error("an event could not be sent (%s)", type(error).__name__)
            problem = "unreachable"
        await self._outbox.settle(self._judged(event, status, problem, datetime.now(UTC)))
        if status == _GONE:
            log.warning("a webhook is disabled: its receiver answered 410")

    async def _request(self, endpoint: Endpoint, event: Delivery) -> tuple[bytes, dict[str, str]]:
        """The body and the headers that an event is sent with now."""
        body = await self._body(event)
        now = datetime.now(UTC)
        message = f"msg_{endpoint.id}_{event.id}"
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"Earshot/{VERSION}",
            "webhook-id": message,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(endpoint.secret).sign(message, now, body),
        }
        return body.encode(), headers

    def _judged(self, event: Delivery, status: int | None, problem: str, now: datetime) -> Attempt:
        """What an answer, or none, means for an event."""
        state, again_ms = DeliveryState.WAITING, None
        if status is not None and 200 <= status < 300:
            state = DeliveryState.DELIVERED
        elif status != _GONE and now - event.since >= GIVE_UP:
            state = DeliveryState.FAILED
        else:
            pause_s = self._pauses_s[min(event.attempts, len(self._pauses_s) - 1)]
            again_ms = round(1000 * pause_s * random.uniform(0.8, 1.2))  # noqa: S311 - so that not all events come at once
        return Attempt(
            delivery_id=event.id,
            endpoint=event.endpoint,
            state=state,
            status=status,
            problem=problem,
            again_ms=again_ms,
            gone=status == _GONE,
        )
