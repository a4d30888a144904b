"""Whatever text a client sends, no route answers 500, and what is stored of it can be read again."""

from typing import Any

import pytest

from tests.stand_in import StandIn
from tests.vapi.odd_bodies import TEXTS
from tests.web.test_api import NUMBER, Client, client

__all__ = ["client"]

SHORT = [text[:30] for text in TEXTS if "\0" not in text]  # NUL is refused before


def requests(text: str) -> list[tuple[str, str, Any]]:
    """Each place of a request's body that takes text."""
    call = {"to": NUMBER, "allowDuplicate": True}
    control = "/api/calls/{id}/control"
    return [
        ("POST", "/api/vapi_call", {"to": text}),
        ("POST", "/api/vapi_call", call | {"name": text}),
        ("POST", "/api/vapi_call", call | {"firstMessage": text, "variableValues": {"a": text, "b": [{"c": text}]}}),
        ("POST", "/api/vapi_call", call | {"variableValues": {text: 1}}),
        ("POST", "/api/vapi_call", call | {"assistantId": text}),
        ("POST", "/api/vapi_call", call | {text: 1}),
        ("POST", "/api/vapi_call", call | {"earliestAt": text, "latestAt": text}),
        ("POST", control, {"action": "say", "content": text}),
        ("POST", control, {"action": "transfer", "destination": f"sip:{text}@pbx.example"}),
        ("POST", control, {"action": text}),
        ("POST", "/api/calls/{id}/reschedule", {"earliestAt": text}),
        ("POST", "/api/dialling/blocked", {"rule": text}),
        ("POST", "/api/dialling/stop", {"reason": text}),
    ]


@pytest.mark.slow
async def test_no_text_of_a_client_breaks_a_route(vapi: StandIn, client: Client) -> None:
    _, call = await client.place(to=NUMBER)
    vapi.move(call["id"], "in-progress")
    broken = []
    for number, text in enumerate(SHORT):
        for place, (method, path, body) in enumerate(requests(text)):
            key = {"Idempotency-Key": f"{number}-{place}"}
            status, _, _ = await client.ask(method, path.format(id=call["id"]), json=body, headers=key)
            if status >= 500:
                broken.append((status, path, ascii(body)))
        await client.ask("POST", "/api/dialling/resume")
    assert broken == []
    for path in ("/api/calls?limit=200", f"/api/calls/{call['id']}/timeline", "/api/dialling", "/api/dialling/blocked"):
        assert (await client.ask("GET", path))[0] == 200, path
