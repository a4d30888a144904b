"""Webhooks over REST, and the events of a call from beginning to end."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.domain.call import Call, CallStatus
from services.measures.measured import Measured
from services.vapi.gateway import Gateway
from services.web.webhook_bodies import webhook_body
from services.webhooks_out.deliveries import Deliveries
from tests.desk.judging.test_measuring import PCM
from tests.measures.test_measures import measured
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER, Client, client_of
from tests.webhooks_out.receiver import Receiver, eventually, receiving, sender

HOOKS = "/api/webhooks"


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with client_of(tmp_path, gateway, webhook_networks=frozenset({"127.0.0.1"})) as made:
        deliveries = Deliveries(made.desk.journal.outbox, body=partial(webhook_body, made.desk), sender=sender(), pauses_s=(0.0,))
        deliveries.start()
        yield made
        await deliveries.aclose()


async def add(client: Client, receiver: Receiver, **more: Any) -> dict[str, Any]:
    status, made, _ = await client.ask("POST", HOOKS, json={"url": receiver.url, **more})
    assert status == 201
    receiver.secret = made["secret"]
    return made


@pytest.mark.slow
async def test_a_service_learns_what_becomes_of_its_call(vapi: StandIn, client: Client) -> None:
    async with receiving() as receiver:
        made = await add(client, receiver)
        _, call = await client.place(to=NUMBER)
        vapi.move(call["id"], "ended", endedReason="customer-ended-call")
        client.desk.look(call["id"])
        await receiver.until(lambda: "call.ended" in receiver.of_calls().get(call["id"], []))
        created = receiver.taken[0][1]
        ended = next(event for _, event in receiver.taken if event["type"] == "call.ended")
        _, now, _ = await client.ask("GET", f"/api/calls/{call['id']}")
        assert (created["type"], created["data"]["to"], created["data"]["status"]) == ("call.created", NUMBER, "queued")
        assert (ended["data"]["endedReason"], ended["data"]["listenUrl"]) == (now["endedReason"], None)

        async def log() -> list[str]:
            _, answer, _ = await client.ask("GET", f"{HOOKS}/{made['id']}/deliveries")
            return [sent["state"] for sent in answer["deliveries"]]

        await eventually(log, ["delivered"] * len(await log()))
        _, answer, _ = await client.ask("GET", f"{HOOKS}/{made['id']}/deliveries?limit=1")
        status, again, _ = await client.ask("POST", f"{HOOKS}/{made['id']}/deliveries/{answer['deliveries'][0]['id']}/again")
        assert (status, again["state"], again["callId"]) == (200, "waiting", call["id"])
        await receiver.until(lambda: len({id_ for id_, _ in receiver.taken}) < len(receiver.taken))


@pytest.mark.slow
async def test_an_event_has_the_figures_of_a_call_that_another_process_measured(client: Client) -> None:
    journal = client.desk.journal
    async with receiving() as receiver:
        await journal.measures.save("one", "all", brief='{"talkShare": 0.5}', over=True)
        await add(client, receiver, events=["call.created", "call.ended"])
        await journal.save(Call(id="one", status=CallStatus.ENDED))
        await receiver.until(lambda: len(receiver.taken) == 2)
    assert [event["data"]["measures"] for _, event in receiver.taken] == [{"talkShare": 0.5}] * 2


async def test_no_answer_but_the_first_has_the_secret_or_the_address(client: Client) -> None:
    async with receiving() as receiver:
        receiver.url += "?key=topsecret"
        made = await add(client, receiver, events=["call.ended", "call.ended"])
        _, listed, _ = await client.ask("GET", HOOKS)
        assert (made["secret"][:6], made["events"], made["host"]) == ("whsec_", ["call.ended"], "127.0.0.1")
        del made["secret"]
        assert listed == {"webhooks": [made]}
        assert "topsecret" not in str((made, listed, await client.desk.journal.audit()))


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://127.0.0.1/", "https://user:word@crm.example/", "https://crm.example/#x", "crm.example", "https:///x", "https://[::1/", ""),
        *("https://crm.example:0/", "https://crm.example:70000/", "https://crm example/", "https://crm.example\\@127.0.0.1/"),
        *("http://10.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest", "http://93.184.215.14/", "https://[::1]/"),
    ],
)
async def test_an_address_that_may_not_be_sent_to_is_refused_by_its_field(client: Client, url: str) -> None:
    status, problem, _ = await client.ask("POST", HOOKS, json={"url": url})
    assert (status, problem["errors"][0]["field"]) == (422, "url")
    assert (await client.ask("GET", HOOKS))[1] == {"webhooks": []}


@pytest.mark.slow
async def test_what_is_unknown_is_not_found(client: Client) -> None:
    async with receiving() as receiver:
        made = await add(client, receiver)
        for method, path in [
            ("DELETE", f"{HOOKS}/none"),
            ("POST", f"{HOOKS}/none/enable"),
            ("POST", f"{HOOKS}/none/disable"),
            ("GET", f"{HOOKS}/none/deliveries"),
            ("POST", f"{HOOKS}/none/deliveries/1/again"),
            ("POST", f"{HOOKS}/{made['id']}/deliveries/1/again"),
        ]:
            status, problem, _ = await client.ask(method, path)
            assert (status, problem["code"]) == (404, "webhook_not_found"), path
        async with client.session.delete(f"{client.url}{HOOKS}/{made['id']}") as answer:
            assert answer.status == 204
        assert [row.action for row in await client.desk.journal.audit()] == ["delete-webhook", "add-webhook"]


@pytest.mark.slow
async def test_metrics_say_what_waits(client: Client) -> None:
    async with receiving() as receiver:
        receiver.status = 500
        await add(client, receiver)
        await client.desk.journal.save(Call(id="one", status=CallStatus.ENDED))

        async def tried() -> list[bool]:
            _, answer, _ = await client.ask("GET", f"{HOOKS}/{(await client.ask('GET', HOOKS))[1]['webhooks'][0]['id']}/deliveries")
            return [sent["attempts"] > 0 for sent in answer["deliveries"]]

        await eventually(tried, [False, True])
        _, listed, _ = await client.ask("GET", HOOKS)
        assert (listed["webhooks"][0]["waiting"], listed["webhooks"][0]["waitingSince"] is None) == (2, False)
        async with client.session.get(f"{client.url}/metrics") as answer:
            text = await answer.text()
        assert "earshot_webhook_events_waiting 2.0" in text
        assert "earshot_webhooks_disabled 0.0" in text


@pytest.mark.slow
async def test_the_figures_of_a_conversation_come_live_if_named_and_after_the_call(client: Client) -> None:
    figures, journal = Measured.load(Measured(1_000.0, measured(PCM)).dump()), client.desk.journal

    async def save(*, over: bool) -> None:
        await journal.measures.save("one", figures.dump(), brief=json.dumps(figures.brief()), over=over)

    async with receiving() as receiver, receiving() as live:
        await add(client, receiver)
        await add(client, live, events=["call.measures.live"])
        await journal.save(Call(id="one", status=CallStatus.IN_PROGRESS))
        await save(over=False)
        await live.until(lambda: bool(live.taken))
        await save(over=True)  # another process may continue
        await journal.save(Call(id="one", status=CallStatus.ENDED))
        await receiver.until(lambda: len(receiver.taken) == 3)
    assert receiver.of_calls() == {"one": ["call.created", "call.ended", "call.measures"]}
    assert live.of_calls() == {"one": ["call.measures.live"]}
    [measures] = [event["data"] for _, event in live.taken]
    assert measures == {"id": "one", "measures": json.loads(json.dumps(figures.json()))}
    assert receiver.taken[-1][1]["data"] == measures


@pytest.mark.slow
async def test_an_endpoint_is_disabled_enabled_and_gets_other_events(client: Client) -> None:
    async with receiving() as receiver:
        made = await add(client, receiver)
        one = f"{HOOKS}/{made['id']}"
        status, disabled, _ = await client.ask("POST", f"{one}/disable")
        assert (status, disabled["disabledAt"] is None) == (200, False)
        await client.desk.journal.save(Call(id="missed", status=CallStatus.QUEUED))
        status, chosen, _ = await client.ask("POST", f"{one}/events", json={"events": ["call.ended", "call.ended"]})
        assert (status, chosen["events"]) == (200, ["call.ended"])
        assert (await client.ask("POST", f"{one}/events", json={"events": ["call.odd"]}))[0] == 422
        await client.ask("POST", f"{one}/enable")
        await client.desk.journal.save(Call(id="one", status=CallStatus.ENDED))
        await receiver.until(lambda: bool(receiver.taken))
        assert receiver.of_calls() == {"one": ["call.ended"]}
        assert [row.action for row in await client.desk.journal.audit()] == [
            "enable-webhook",
            "change-webhook",
            "disable-webhook",
            "add-webhook",
        ]
