"""A receiver of webhooks on a real socket, which checks each signature by the library of Standard Webhooks."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiohttp import web
from standardwebhooks.webhooks import Webhook

from services.webhooks_out.addresses import Addresses
from services.webhooks_out.sender import Sender
from tests.patience import HANG_S
from tests.serving import other_server

LOOPBACK = Addresses(["127.0.0.1"])
Event = dict[str, Any]
T = TypeVar("T")


def sender(**arguments: Any) -> Sender:
    """One that may send to this machine."""
    return Sender(LOOPBACK, **arguments)


def signed(secret: str, body: str) -> dict[str, str]:
    """The headers of an event."""
    now = datetime.now(UTC)
    signature = Webhook(secret).sign("msg_1", now, body)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}


async def eventually(found: Callable[[], Awaitable[T]], expected: T) -> None:
    """Returns once `found` is as expected."""
    async with asyncio.timeout(3 * HANG_S):
        while await found() != expected:  # noqa: ASYNC110 - it is in the journal, which tells it in no other way
            await asyncio.sleep(0.02)


class Receiver:
    """Answers with `status`, also a function of the event, or not at all if that is None."""

    def __init__(self) -> None:
        self.url = ""
        self.secret = ""
        self.status: int | Callable[[Event], int | None] | None = 200
        self.requests: list[tuple[str, Event]] = []
        """The id of each request and its event, also of those that were refused."""
        self.taken: list[tuple[str, Event]] = []
        """Those that were answered with 200."""
        self._arrived = asyncio.Condition()

    async def receive(self, request: web.Request) -> web.Response:
        event = Webhook(self.secret).verify(await request.read(), dict(request.headers))
        status = self.status(event) if callable(self.status) else self.status
        async with self._arrived:
            self.requests.append((request.headers["webhook-id"], event))
            if status == 200:
                self.taken.append(self.requests[-1])
            self._arrived.notify_all()
        if status is None:
            await asyncio.Event().wait()
        return web.Response(status=status or 200, headers={"Location": "/elsewhere"})

    async def until(self, seen: Callable[[], bool]) -> None:
        """Returns once it is so. Between attempts that fail, the app waits for up to a minute."""
        async with asyncio.timeout(3 * HANG_S), self._arrived:
            await self._arrived.wait_for(seen)

    def of_calls(self) -> dict[str, list[str]]:
        """For each call the types of its events, in the order in which they were first taken."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        first: dict[str, Event] = {}
        for id_, event in self.taken:
            first.setdefault(id_, event)
        for event in first.values():
            found[event["data"]["id"]].append(event["type"])
        return dict(found)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/events", receiver.receive)
    app.router.add_route("*", "/elsewhere", receiver.receive)
    async with other_server(app) as url:
        receiver.url = f"{url}/events"
        yield receiver
