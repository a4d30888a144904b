"""Rules over REST, and their alerts in a call's answer, in its events and by webhook."""

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from services.domain.call import Call, CallStatus
from services.domain.client import LOCAL
from services.domain.transcript import Line
from services.measures.figures import Figures
from services.measures.measured import Measured
from services.vapi.gateway import Gateway
from services.web.webhook_bodies import webhook_body
from services.webhooks_out.deliveries import Deliveries
from tests.desk.judging.test_alerts import answered, say
from tests.desk.judging.test_measuring import until
from tests.measures.test_judgement import AT, silent
from tests.patience import HANG_S
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER, Client, client_of
from tests.web.test_webhooks import add as add_webhook
from tests.webhooks_out.receiver import receiving, sender

RULES = "/api/rules"
CANCEL = {"kind": "keyword", "phrase": "cancel", "speaker": "customer", "on": True}


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with client_of(tmp_path, gateway, webhook_networks=frozenset({"127.0.0.1"})) as made:
        yield made


@pytest.mark.slow
async def test_a_rule_is_added_changed_and_deleted(client: Client) -> None:
    status, made, _ = await client.ask("POST", RULES, json={"kind": "silence", "above": 8, "effects": ["badge"]})
    assert status == 201
    expected = {"kind": "silence", "phrase": "", "speaker": "either", "above": 8, "effects": ["badge"], "on": False, "since": None}
    assert made == {"id": made["id"], **expected}
    assert (await client.ask("GET", RULES))[1] == {"rules": [made]}
    status, changed, _ = await client.ask("PATCH", f"{RULES}/{made['id']}", json={"on": True, "above": 12.5})
    assert (status, changed["above"], changed["on"], changed["effects"]) == (200, 12.5, True, ["badge"])
    assert changed["since"].endswith("Z")
    async with client.session.delete(f"{client.url}{RULES}/{made['id']}") as answer:
        assert answer.status == 204
    assert (await client.ask("GET", RULES))[1] == {"rules": []}
    assert [row.action for row in await client.desk.journal.audit()] == ["delete-rule", "change-rule", "add-rule"]


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "keyword"},
        {"kind": "keyword", "phrase": "x" * 10_000},
        {"kind": "keyword", "phrase": "\x1b\x07"},
        {"kind": "keyword", "phrase": "?"},
        {"kind": "keyword", "phrase": "a", "speaker": "nobody"},
        {"kind": "silence"},
        {"kind": "silence", "above": 1},
        {"kind": "silence", "above": "8"},
        {"kind": "silence", "above": 1e308},
        {"kind": "interruptions", "above": 1.5},
        {"kind": "mood", "above": 1},
        {"kind": "cost", "above": 1, "effects": ["explode"]},
        {"kind": "cost", "above": 1, "on": "yes"},
        {"kind": "cost", "above": 1, "id": "mine"},
    ],
)
async def test_what_is_no_rule_is_refused(client: Client, body: dict[str, object]) -> None:
    assert (await client.ask("POST", RULES, json=body))[0] == 422
    assert (await client.ask("GET", RULES))[1] == {"rules": []}


async def test_an_unknown_rule_is_not_found(client: Client) -> None:
    for method, body in (("PATCH", {"on": True}), ("DELETE", None)):
        status, problem, _ = await client.ask(method, f"{RULES}/none", json=body)
        assert (status, problem["code"]) == (404, "rule_not_found")


@pytest.mark.parametrize("phrase", ["(cancel|refund)+$", "<img src=x onerror=alert(1)>", 'a"; DROP TABLE', "キャンセル"])
async def test_the_text_of_a_rule_is_a_text(client: Client, phrase: str) -> None:
    status, made, _ = await client.ask("POST", RULES, json=CANCEL | {"phrase": phrase})
    assert (status, made["phrase"]) == (201, phrase)


@pytest.mark.slow
async def test_an_alert_is_in_the_call_and_among_its_events(vapi: StandIn, client: Client) -> None:
    _, rule, _ = await client.ask("POST", RULES, json=CANCEL)
    call = await answered(vapi, client.desk)
    path = f"/api/calls/{call.id}"
    assert (await client.ask("GET", path))[1]["alerts"] == []
    async with asyncio.timeout(HANG_S), client.session.get(f"{client.url}{path}/events") as events:
        await events.content.readuntil(b"event: status")
        for number in range(30):
            say(client.desk, call, f"It is cancelled, {number}")
        while b"event: alert" not in (event := await events.content.readuntil(b"\n\n")):
            pass
    alert = json.loads(event.partition(b"data: ")[2])
    expected = {"rule": rule["id"], "kind": "keyword", "phrase": "cancel", "speaker": "customer", "above": None, "amount": None}
    assert alert == expected | {"said": "It is cancelled, 0", "at": alert["at"]}
    assert (await client.ask("GET", path))[1]["alerts"] == [alert]
    assert (await client.ask("GET", "/api/calls"))[1]["calls"][0]["alerts"] == [alert]
    await client.desk.end(call.id, LOCAL)
    async with asyncio.timeout(HANG_S), client.session.get(f"{client.url}{path}/events") as events:
        assert (await events.text()).count("event: alert") == 1
    await client.desk.erase(call.id, LOCAL)
    assert (await client.ask("GET", path))[1]["alerts"] == []


@pytest.mark.slow
async def test_an_alert_is_sent_by_webhook_if_its_rule_says_so(vapi: StandIn, client: Client) -> None:
    deliveries = Deliveries(client.desk.journal.outbox, body=partial(webhook_body, client.desk), sender=sender(), pauses_s=(0.0,))
    deliveries.start()
    async with receiving() as receiver:
        hook = await add_webhook(client, receiver, events=["call.alert"])
        await client.ask("POST", RULES, json=CANCEL | {"phrase": "quietly", "effects": ["badge"]})
        _, rule, _ = await client.ask("POST", RULES, json=CANCEL)
        call = await answered(vapi, client.desk)
        say(client.desk, call, "Please quietly cancel it")
        await receiver.until(lambda: bool(receiver.taken))
        await until(lambda: len(client.desk.alerts.of(call.id)) == 2)
        [(_, event)] = receiver.taken
        assert (event["type"], event["data"]["id"]) == ("call.alert", call.id)
        assert event["data"]["alert"] == next(
            alert for alert in (await client.ask("GET", f"/api/calls/{call.id}"))[1]["alerts"] if alert["rule"] == rule["id"]
        )
        await client.desk.end(call.id, LOCAL)
        await client.desk.erase(call.id, LOCAL)
        _, log, _ = await client.ask("GET", f"/api/webhooks/{hook['id']}/deliveries")
        assert log["deliveries"] == [], "what was said is nowhere any more"
    await deliveries.aclose()


async def past(client: Client, call_id: str, text: str = "", figures: Figures | None = None, cost: float | None = None) -> None:
    journal = client.desk.journal
    await journal.save(Call(id=call_id, status=CallStatus.ENDED, to=NUMBER, created_at=AT, ended_at=AT, cost=cost))
    if text:
        await journal.save_transcript(call_id, [Line(key=1, speaker="customer", text=text, at=AT, final=True)])
    if figures:
        await journal.measures.save(call_id, Measured(0.0, figures).dump(), brief="{}", over=True)


@pytest.mark.slow
async def test_a_rule_is_tried_against_past_calls(client: Client) -> None:
    await past(client, "one", "I have cancelled it", silent((10, 19)), 0.3)
    await past(client, "two", "Everything is fine", silent((1, 5)), 0.1)
    await past(client, "three")
    for rule, judged, call_id, amount, said in (
        ({"kind": "keyword", "phrase": "cancel"}, 2, "one", None, "I have cancelled it"),
        ({"kind": "silence", "above": 8}, 2, "one", 9, ""),
        ({"kind": "cost", "above": 0.2}, 2, "one", 0.3, ""),
        ({"kind": "keyword", "phrase": "fine", "speaker": "customer"}, 2, "two", None, "Everything is fine"),
    ):
        status, tried, _ = await client.ask("POST", f"{RULES}/try", json=rule)
        assert (status, tried["lookedAt"], tried["judged"], tried["matched"]) == (200, 3, judged, 1), rule
        [call] = tried["calls"]
        assert (call["id"], call["amount"], call["said"], call["to"]) == (call_id, amount, said, NUMBER)
        assert call["page"] == f"/?call={call_id}"
    _, tried, _ = await client.ask("POST", f"{RULES}/try", json={"kind": "keyword", "phrase": "cancel", "speaker": "assistant"})
    assert (tried["judged"], tried["matched"], tried["calls"]) == (2, 0, [])
    assert (await client.ask("GET", RULES))[1] == {"rules": []}
    assert (await client.ask("GET", "/api/calls/one"))[1]["alerts"] == []


@pytest.mark.slow
async def test_a_trial_looks_at_as_many_calls_as_asked_for_and_lists_a_hundred(client: Client) -> None:
    for number in range(130):
        await past(client, f"call{number}", "Cancel it")
    rule = {"kind": "keyword", "phrase": "cancel"}
    _, tried, _ = await client.ask("POST", f"{RULES}/try", json=rule)
    assert (tried["lookedAt"], tried["matched"], len(tried["calls"])) == (130, 130, 100)
    _, tried, _ = await client.ask("POST", f"{RULES}/try", json=rule | {"calls": 7})
    assert (tried["lookedAt"], tried["matched"], len(tried["calls"])) == (7, 7, 7)
    for calls in (0, 501, "7", True):
        assert (await client.ask("POST", f"{RULES}/try", json=rule | {"calls": calls}))[0] == 422
    assert (await client.ask("POST", f"{RULES}/try", json={"kind": "silence"}))[0] == 422


@pytest.mark.slow
async def test_many_trials_at_once_are_refused(client: Client) -> None:
    for number in range(40):
        await past(client, f"call{number}", "Cancel it")
    rule = {"kind": "keyword", "phrase": "cancel"}
    answers = await asyncio.gather(*(client.ask("POST", f"{RULES}/try", json=rule) for _ in range(30)))
    assert {status for status, _, _ in answers} == {200, 429}
    assert (await client.ask("POST", f"{RULES}/try", json=rule))[0] == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_the_trial_is_no_rule(client: Client, method: str) -> None:
    async with client.session.request(method, f"{client.url}{RULES}/try") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
