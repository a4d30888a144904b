"""No key, no listen or control URL and no credential in anything that leaves the gateway: values, errors, tracebacks, logs."""

import json
import logging
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from services.domain.call import CallOrder
from services.domain.control import Action, Control
from services.domain.errors import EarshotError
from services.vapi.gateway import Gateway
from tests.vapi import samples
from tests.vapi.conftest import MakeGateway
from tests.vapi.stand_in import Reply, StandIn, cut_short, drop, hang, not_http, reply, reset

ECHO = {"message": f"Bad Authorization: Bearer {samples.API_KEY} for wss://x.vapi.ai/secret-path/listen, {samples.PUBLIC_KEY}"}


@pytest.mark.parametrize(
    "fault",
    [
        None,
        *(pytest.param(reply(status, ECHO), id=str(status)) for status in (200, 302, 400, 401, 403, 404, 429, 500)),
        *(cut_short, drop, pytest.param(hang, marks=pytest.mark.slow), not_http, reset),
    ],
)
async def test_no_secret_leaks(
    vapi: StandIn, make_gateway: MakeGateway, order: CallOrder, caplog: pytest.LogCaptureFixture, fault: Reply | None
) -> None:
    caplog.set_level(logging.DEBUG)
    monitor = {"controlUrl": f"{vapi.url}/secret-path/control", "listenUrl": f"{vapi.url.replace('http', 'ws')}/secret-path/listen"}
    call = {**samples.ENDED, "monitor": monitor}
    call_id = str(call["id"])
    replies = {
        ("POST", "/call"): call,
        ("GET", "/call"): [call, samples.INBOUND],
        ("GET", f"/call/{call_id}"): call,
        ("GET", "/call/other"): {"id": "other", "monitor": {key: url.replace("//", "//u@") for key, url in monitor.items()}},
        ("GET", "/assistant"): [samples.ASSISTANT],
        ("GET", "/phone-number"): [samples.PHONE_NUMBER],
        ("POST", "/secret-path/control"): {},
    }

    def script(fault: Reply | None) -> None:
        for (method, path), body in replies.items():
            vapi.on(method, path, fault or reply(200, body))

    gateway = make_gateway(public_key=samples.PUBLIC_KEY, timeout=0.3 if fault is hang else 10.0)
    script(None)
    await gateway.list_calls()
    script(fault)
    attempts: list[Callable[[Gateway], Awaitable[Any]]] = [
        lambda gateway: gateway.create_call(order),
        lambda gateway: gateway.find_call(order, since=datetime(2026, 9, 1, tzinfo=UTC)),
        lambda gateway: gateway.get_call(call_id),
        lambda gateway: gateway.list_calls(),
        lambda gateway: gateway.control(call_id, Control(action=Action.MUTE_ASSISTANT)),
        lambda gateway: gateway.listen_target(call_id),
        lambda gateway: gateway.listen_target("other"),
        lambda gateway: gateway.control("other", Control(action=Action.MUTE_ASSISTANT)),
        lambda gateway: gateway.list_assistants(),
        lambda gateway: gateway.list_phone_numbers(),
    ]
    shown = [repr(gateway)]
    for attempt in attempts:
        try:
            shown.append(repr(await attempt(gateway)))
        except EarshotError as error:
            shown += [repr(error), error.detail, "".join(traceback.format_exception(error))]
    shown += [record.getMessage() for record in caplog.records]
    shown.append(json.dumps([record.__dict__ for record in caplog.records], default=str))
    for secret in samples.SECRETS:
        assert not [text for text in shown if secret in text], secret
    assert not [text for text in shown if samples.QUEUED["customer"]["number"] in text and "Call(" not in text]


async def test_no_error_contains_a_url(vapi: StandIn, gateway: Gateway, order: CallOrder) -> None:
    vapi.on("POST", "/call", reply(400, {"message": "See https://docs.vapi.ai/calls and\nwss://x.vapi.ai/y."}))
    with pytest.raises(EarshotError, match=r"^See \(link\) and \(link\)$"):
        await gateway.create_call(order)
