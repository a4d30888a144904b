"""Vapi's end of the line in the test's own process, beside a browser: the test reads what was sent to it, and decides what it does."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal

from services.demo_line import DemoLine
from tests.stand_in import Body, StandIn, stand_in


@contextmanager
def demo_line(**options: Any) -> Iterator[DemoLine]:
    """A demo line, served by a thread."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(DemoLine(**options)) as line:
        yield line


@contextmanager
def scripted(vapi: StandIn | None = None) -> Iterator[tuple[StandIn, BlockingPortal]]:
    """The stand-in, and the portal through which its methods are called: it lives in another thread."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(stand_in(vapi)) as served:
        yield served, portal


class AnsweredAtOnce(StandIn):
    """Each call is answered as soon as it is dialled, and silent."""

    def _call(self, body: Body) -> Body:
        call = super()._call(body)
        if call["status"] == "queued":
            self.move(call["id"], "in-progress", startedAt=datetime.now(UTC).isoformat())
        return dict(self.calls[call["id"]])


def account(line: DemoLine) -> dict[str, str]:
    """The environment of an Earshot whose Vapi `line` is."""
    return {
        "VAPI_API_KEY": line.api_key,
        "VAPI_ASSISTANT_ID": line.assistant_id,
        "VAPI_PHONE_NUMBER_ID": line.phone_number_id,
        "VAPI_BASE_URL": line.base_url,
        "EARSHOT_ALLOWED_REGIONS": "*",
        "EARSHOT_CALLS_PER_HOUR": "1000",
    }
