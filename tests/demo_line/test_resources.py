"""Assistants, phone numbers and squads of the demo line: what is refused, as Vapi refuses it, and how much is kept."""

import json
from typing import Any

import pytest

from services.demo_line.resources import LARGEST, MOST
from tests.demo_line.conftest import Customer

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/assistant", [], "body must be an object"),
        ("/assistant", {"surname": "Kim"}, "property surname should not exist"),
        ("/assistant", {"name": "K" * 41}, "name must be a string of at most 40 characters"),
        ("/assistant", {"model": "gpt"}, "model must be an object"),
        ("/assistant", {"maxDurationSeconds": 5}, "maxDurationSeconds must not be less than 10 or greater than 43200"),
        ("/assistant", {"maxDurationSeconds": True}, "maxDurationSeconds must be a number conforming to the specified constraints"),
        ("/phone-number", {"name": "Side"}, "provider must be one of the following values: twilio, vapi, byo-phone-number, vonage, telnyx"),
        ("/phone-number", {"provider": ["vapi"]}, "provider must be one of the following values"),
        ("/phone-number", {"provider": "vapi", "twilioAccountSid": "AC1"}, "property twilioAccountSid should not exist"),
        ("/phone-number", {"provider": "twilio", "number": "+12025550191"}, "twilioAccountSid must be a string"),
        ("/squad", {"name": "Office"}, "members must be an array with at least one element"),
        ("/squad", {"members": [{"assistantId": 7}, {}, "Kim"]}, "members.0.assistantId must be a UUID, or assistant an object"),
        ("/squad", {"members": [{"assistantId": UNKNOWN}]}, f"Couldn't Get Assistant. `assistantId` {UNKNOWN} Does Not Exist."),
        ("/squad", {"members": [{"assistant": {}, "name": "Kim"}]}, "members.0.property name should not exist"),
        ("/squad", b"{", "Expecting property name enclosed in double quotes"),
        ("/squad", b"[" * 50_000, "maximum recursion depth exceeded"),
    ],
)
async def test_what_vapi_would_refuse(customer: Customer, path: str, body: Any, said: str) -> None:
    status, refused = await customer.ask("POST", path, body)
    assert status == 400
    assert said in json.dumps(refused["message"], ensure_ascii=False)
    assert len((await customer.ask("GET", path))[1]) <= 2


async def test_what_a_change_may_not_do(customer: Customer) -> None:
    _, number = await customer.ask("POST", "/phone-number", {"provider": "twilio", "number": "+12025550191", "twilioAccountSid": "AC1"})
    path = f"/phone-number/{number['id']}"
    for wrong in ({"provider": "vapi"}, {"number": None}, {"sipUri": "sip:a@b.example"}, {"id": UNKNOWN}):
        assert (await customer.ask("PATCH", path, wrong))[0] == 400, wrong
    assert (await customer.ask("GET", path))[1] == number
    assert (await customer.ask("PATCH", path, {"name": "Side"}))[1]["name"] == "Side"
    assert "name" not in (await customer.ask("PATCH", path, {"name": None}))[1]
    assert (await customer.ask("PATCH", f"/phone-number/{UNKNOWN}", {}))[0] == (await customer.ask("DELETE", f"/squad/{UNKNOWN}"))[0] == 404


async def test_it_keeps_so_many_and_no_more(customer: Customer) -> None:
    for number in range(MOST - 2):
        assert (await customer.ask("POST", "/assistant", {"name": str(number)}))[0] == 201
    assert (await customer.ask("POST", "/assistant", {"name": "One more"}))[0] == 400
    _, listed = await customer.ask("GET", "/assistant", limit="1000")
    assert [len(listed), listed[0]["name"], listed[-1]["name"]] == [MOST, str(MOST - 3), "Sam, feedback"]
    assert (await customer.ask("DELETE", f"/assistant/{listed[0]['id']}"))[0] == 200
    assert (await customer.ask("POST", "/assistant", {"name": "One more"}))[0] == 201


async def test_a_large_body_is_refused(customer: Customer) -> None:
    assert (await customer.ask("POST", "/assistant", {"firstMessage": "x" * LARGEST}))[0] == 413


async def test_the_key_is_needed(customer: Customer) -> None:
    customer.key = None
    for method, path in (("POST", "/assistant"), ("PATCH", f"/squad/{UNKNOWN}"), ("DELETE", f"/phone-number/{UNKNOWN}")):
        assert (await customer.ask(method, path, {}))[0] == 401, method


async def test_a_call_with_what_was_made(customer: Customer) -> None:
    _, kim = await customer.ask("POST", "/assistant", {"name": "Kim", "firstMessage": "Hello, Kim here."})
    _, squad = await customer.ask("POST", "/squad", {"members": [{"assistant": {"name": "Lee"}}, {"assistantId": kim["id"]}]})
    order = customer.order()
    assert (await customer.ask("POST", "/call", order | {"assistantId": kim["id"]}))[0] == 201
    del order["assistantId"]
    assert (await customer.ask("POST", "/call", order | {"squadId": squad["id"]}))[0] == 201
    await customer.ask("DELETE", f"/assistant/{kim['id']}")
    assert (await customer.ask("POST", "/call", order | {"squadId": squad["id"]}))[0] == 201
    status, refused = await customer.ask("POST", "/call", order | {"assistantId": kim["id"]})
    assert (status, refused["message"]) == (400, f"Couldn't Get Assistant. `assistantId` {kim['id']} Does Not Exist.")
