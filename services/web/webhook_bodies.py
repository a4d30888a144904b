"""The JSON that webhooks are sent: `type`, `timestamp` and `data`, as Standard Webhooks recommends."""

import json
from typing import Any

from services.desk.desk import CallDesk
from services.journal import Delivery, EventKind
from services.support.rfc3339 import rfc3339
from services.support.root_path import address
from services.web.answers import alert_answer, call_details
from services.web.routes.transcripts import line_answer


async def webhook_body(desk: CallDesk, event: Delivery) -> str:
    """The same for each attempt, but for a transcript that was written anew, or deleted, in between, and for the figures of a conversation,
    which are the latest. Raises JournalError."""
    body = {"type": event.kind.value, "timestamp": rfc3339(event.at), "data": await _data(desk, event)}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


async def _data(desk: CallDesk, event: Delivery) -> dict[str, Any]:
    if event.call:
        await desk.measurements.load([event.call_id])  # another process may have measured it
        await desk.alerts.load([event.call_id])
        # As a token with the scope `read` gets it: an event is no right to hear calls.
        return call_details(desk, event.call, listen_url=None, may_listen=False)
    if event.kind is EventKind.ALERT:
        if event.alert is None:
            raise ValueError("an alert of a rule that only a newer version knows")
        return {"id": event.call_id, "alert": alert_answer(event.alert)}
    if event.kind is EventKind.TRANSCRIPT:
        return {"id": event.call_id, "lines": [line_answer(line) for line in await desk.journal.transcript(event.call_id)]}
    if event.kind in (EventKind.MEASURES, EventKind.MEASURES_LIVE):
        measured = await desk.measurements.of(event.call_id)
        return {"id": event.call_id, "measures": measured.json() if measured else None}
    return {"id": event.call_id, "links": {"recording": address(f"/api/calls/{event.call_id}/recording")}}
