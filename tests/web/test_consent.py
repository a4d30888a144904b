"""Recording by the owner's rules: never, only if agreed, or announced by the assistant. Over REST, with the stand-in and the demo line."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.demo_line import DemoLine
from services.domain.call import Call, CallStatus
from services.domain.client import PAGE, Scope
from services.domain.client import Client as Person
from services.domain.consent import Consent, MayRecord, RecordingMode, RecordingRules, checked
from services.domain.errors import Forbidden
from services.vapi.gateway import Gateway
from tests.desk.test_desk import until as until_call
from tests.desks import ASSISTANT, two_desks
from tests.patience import HANG_S
from tests.stand_in import StandIn
from tests.web.test_api import Client, client_of

MODEL = {"model": {"provider": "openai", "model": "gpt-4o"}}
BERLIN, PARIS, NEW_YORK, VIENNA = "+4930901820", "+33142685300", "+12125550100", "+43158858"
RULES = {"default": "allowed", "regions": {"DE": "ask", "FR": "announce", "AT": "off"}, "sentences": {}}
UNRECORDED = {"recordingEnabled": False, "videoRecordingEnabled": False, "pcapEnabled": False}
OPENING = "Hi, this is Riley."


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path) -> AsyncIterator[Client]:
    vapi.account["assistant"] = [
        {
            "id": ASSISTANT,
            "name": "Riley",
            "firstMessage": OPENING,
            "artifactPlan": {"structuredOutputIds": ["one"], "recordingEnabled": True, "pcapS3PathPrefix": "/secret"},
        }
    ]
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), record=True) as made:
        status, _, _ = await made.ask("POST", "/api/dialling/recording", json=RULES)
        assert status == 200
        yield made


def overrides(vapi: StandIn) -> dict[str, Any]:
    found: dict[str, Any] = vapi.bodies[-1]["assistantOverrides"]
    return found


async def recording(client: Client, call_id: str, **body: Any) -> tuple[int, Any]:
    status, answer, _ = await client.ask("POST", f"/api/calls/{call_id}/recording", json=body)
    return status, answer["on"] if status == 200 else answer["code"]


async def answered(vapi: StandIn, client: Client, to: str, **more: Any) -> dict[str, Any]:
    status, call = await client.place(to=to, **more)
    assert status == 201, call
    vapi.move(call["id"], "in-progress")
    client.desk.look(call["id"])
    await until_call(client.desk, call["id"], lambda call: call.answered)
    return call


async def transcript(client: Client, path: str) -> list[dict[str, Any]]:
    return list((await client.ask("GET", f"{path}/transcript"))[1]["lines"])


async def audited(client: Client, action: str) -> list[tuple[str, str]]:
    await client.desk.timeline("none")  # once everything is written
    return [(row.who, row.detail) for row in await client.desk.journal.audit() if row.action == action]


async def test_the_rules_are_set_shown_and_audited(client: Client) -> None:
    _, answer, _ = await client.ask("GET", "/api/dialling/recording")
    assert (answer["default"], answer["regions"]) == ("allowed", RULES["regions"])
    assert answer["sentences"]["de"] == "Dieses Gespräch wird aufgezeichnet."
    for wrong in ({"default": "never"}, {"regions": {"Germany": "off"}}, {"sentences": {"de": "a\nb"}}, {"more": 1}):
        status, problem, _ = await client.ask("POST", "/api/dialling/recording", json=wrong)
        assert (status, problem["code"]) == (422, "invalid_request"), wrong
    _, answer, _ = await client.ask("POST", "/api/dialling/recording", json={"default": "off", "sentences": {"de": "Wir nehmen auf."}})
    assert (answer["default"], answer["regions"], answer["sentences"]["de"]) == ("off", {}, "Wir nehmen auf.")
    [(who, detail), _] = await audited(client, "recording-rules")
    assert (who, '"default": "off"' in detail) == ("local", True)


async def test_only_an_owner_changes_them(client: Client) -> None:
    with pytest.raises(Forbidden):
        await client.desk.consents.change(RecordingRules(), Person(name="dana", scopes=frozenset(Scope) - {Scope.MANAGE}))
    assert client.desk.consents.rules.regions.keys() == {"AT", "DE", "FR"}


@pytest.mark.slow
async def test_a_call_without_a_rule_is_as_before(vapi: StandIn, client: Client) -> None:
    call = await answered(vapi, client, NEW_YORK)
    assert call["recordingConsent"] is None
    assert overrides(vapi).keys() == {"metadata", "maxDurationSeconds"}
    assert await recording(client, call["id"], on=True) == (200, True)


@pytest.mark.slow
async def test_off_is_never_recorded_by_anybody(vapi: StandIn, client: Client) -> None:
    call = await answered(vapi, client, VIENNA, recordingAgreed=True)
    assert call["recordingConsent"] == "forbidden"
    # The assistant's plan is replaced, so what analyses its calls is repeated.
    assert overrides(vapi)["artifactPlan"] == {"structuredOutputIds": ["one"], **UNRECORDED}
    for agreed in (False, True):
        assert await recording(client, call["id"], on=True, agreed=agreed) == (403, "recording_forbidden")
    assert await audited(client, "record") == []
    assert await audited(client, "recording-consent") == [("local", "forbidden")]


@pytest.mark.slow
async def test_ask_needs_an_answer_before_the_dial(vapi: StandIn, client: Client) -> None:
    for body in ({"to": BERLIN}, {"to": BERLIN, "dryRun": True}):
        status, problem, _ = await client.ask("POST", "/api/vapi_call", json=body)
        assert (status, problem["code"]) == (422, "recording_consent_needed")
    assert not vapi.bodies
    call = await answered(vapi, client, BERLIN, recordingAgreed=True)
    assert call["recordingConsent"] == "agreed"
    assert "artifactPlan" not in overrides(vapi)
    assert await audited(client, "recording-consent") == [("local", "agreed")]
    assert [who for who, _ in await audited(client, "record")] == ["earshot"]


@pytest.mark.slow
async def test_not_agreed_is_not_recorded_unless_somebody_agrees_later(vapi: StandIn, client: Client) -> None:
    call = await answered(vapi, client, BERLIN, recordingAgreed=False)
    assert call["recordingConsent"] == "not-agreed"
    assert overrides(vapi)["artifactPlan"] == {"structuredOutputIds": ["one"], **UNRECORDED}
    assert await audited(client, "record") == []
    assert await recording(client, call["id"], on=True) == (422, "recording_consent_needed")
    assert await recording(client, call["id"], on=True, agreed=True) == (200, True)
    assert await audited(client, "recording-agreed") == [("local", "")]
    assert await recording(client, call["id"], on=False) == (200, False)


@pytest.mark.slow
async def test_who_says_no_is_heeded_where_no_rule_asks(vapi: StandIn, client: Client) -> None:
    for to in (NEW_YORK, PARIS):
        call = await answered(vapi, client, to, recordingAgreed=False)
        assert call["recordingConsent"] == "not-agreed"
        assert overrides(vapi)["artifactPlan"]["recordingEnabled"] is False
        assert "firstMessage" not in overrides(vapi)
    assert await audited(client, "record") == []


@pytest.mark.slow
async def test_a_call_that_vapi_shows_before_it_answers_is_not_recorded_against_what_was_agreed(vapi: StandIn, client: Client) -> None:
    vapi.answer = "created then hang"
    placing = asyncio.create_task(client.place(to=NEW_YORK, recordingAgreed=False))
    async with asyncio.timeout(HANG_S):
        while not vapi.calls:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        [shown] = vapi.calls
        vapi.move(shown, "in-progress")
        client.desk.look(shown)
        while not (seen := client.desk.get(shown)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (seen.consent, client.desk.consents.may_record(seen)) == (None, MayRecord.YES)
    assert await recording(client, shown, on=True) == (422, "recording_consent_needed")
    vapi.answer = "created"
    call = await answered(vapi, client, PARIS)
    async with asyncio.timeout(HANG_S):
        while not (recorded := [row.call_id for row in await client.desk.journal.audit() if row.action == "record"]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert recorded == [call["id"]]
    placing.cancel()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, f"Cet appel est enregistré. {OPENING}"),
        ({"firstMessage": "Bonjour."}, "Cet appel est enregistré. Bonjour."),
        ({"assistantId": "6d1f0000-0000-4000-8000-000000000009"}, "Cet appel est enregistré."),
        ({"assistantVersion": "2"}, "Cet appel est enregistré."),
        (
            {
                "assistant": {
                    "model": {"provider": "openai", "model": "gpt-4o"},
                    "firstMessage": "Hola.",
                    "transcriber": {"language": "es-MX"},
                }
            },
            "Esta llamada se graba. Hola.",
        ),
        (
            {"assistant": {**MODEL, "firstMessage": "Hola.", "firstMessageMode": "assistant-waits-for-user"}},
            "Cet appel est enregistré.",
        ),
    ],
)
async def test_announced_calls_begin_with_the_sentence(vapi: StandIn, client: Client, more: dict[str, Any], said: str) -> None:
    call = await answered(vapi, client, PARIS, **more)
    assert call["recordingConsent"] == "announced"
    sent = overrides(vapi)
    assert (sent["firstMessage"], sent["firstMessageMode"], sent["firstMessageInterruptionsEnabled"]) == (
        said,
        "assistant-speaks-first",
        False,
    )
    assert "artifactPlan" not in sent
    assert await recording(client, call["id"], on=True) == (200, True)


@pytest.mark.slow
async def test_the_owners_sentence_is_said(vapi: StandIn, client: Client) -> None:
    await client.ask("POST", "/api/dialling/recording", json={"default": "announce", "sentences": {"en": "We record this."}})
    await answered(vapi, client, NEW_YORK)
    assert overrides(vapi)["firstMessage"] == f"We record this. {OPENING}"


@pytest.mark.slow
async def test_a_squad_can_t_announce_and_so_is_not_recorded(vapi: StandIn, client: Client) -> None:
    squad = "6d1f0000-0000-4000-8000-000000000007"
    call = await answered(vapi, client, PARIS, squadId=squad)
    assert call["recordingConsent"] == "not-agreed"
    sent = vapi.bodies[-1]["squadOverrides"]
    assert (sent["artifactPlan"], "firstMessage" in sent) == (UNRECORDED, False)
    call = await answered(vapi, client, PARIS, squadId=squad, recordingAgreed=True)
    assert call["recordingConsent"] == "agreed"


@pytest.mark.slow
async def test_a_repeated_key_gets_its_first_answer_under_new_rules(vapi: StandIn, client: Client) -> None:
    key = {"Idempotency-Key": "k"}
    _, first, _ = await client.ask("POST", "/api/vapi_call", json={"to": NEW_YORK}, headers=key)
    await client.ask("POST", "/api/dialling/recording", json={"default": "ask"})
    _, again, _ = await client.ask("POST", "/api/vapi_call", json={"to": NEW_YORK}, headers=key)
    assert again["id"] == first["id"]
    assert len(vapi.bodies) == 1


async def test_a_call_that_others_placed_follows_the_rule_for_its_number(client: Client) -> None:
    def seen(to: str | None, consent: Consent | None = None) -> MayRecord:
        return client.desk.consents.may_record(Call(id="one", status=CallStatus.IN_PROGRESS, to=to, inbound=True, consent=consent))

    assert [seen(to) for to in (NEW_YORK, BERLIN, PARIS, VIENNA, None)] == [
        MayRecord.YES,
        MayRecord.IF_AGREED,
        MayRecord.IF_AGREED,
        MayRecord.NO,
        MayRecord.YES,
    ]
    await client.desk.consents.change(checked("announce", {}, {}), PAGE)
    assert seen(None) is MayRecord.IF_AGREED
    assert seen(BERLIN, Consent.AGREED) is MayRecord.YES


@pytest.mark.slow
async def test_rules_bind_another_process_and_the_journal_keeps_what_they_meant(vapi: StandIn, tmp_path: Path) -> None:
    async with two_desks((vapi.url, vapi.url), tmp_path) as (one, other):
        await one.consents.change(RecordingRules(default=RecordingMode.OFF), PAGE)
        placed = await other.place(other.order(NEW_YORK), PAGE)
        assert placed.call.consent is Consent.FORBIDDEN
        found = await one.find(placed.call.id)
        assert found
        assert found.consent is Consent.FORBIDDEN
        again = await other.place(other.order(BERLIN), PAGE)
        assert again.call.tag
        dial = await one.journal.dial(again.call.tag)
        assert dial
        assert dial.order.consent is Consent.FORBIDDEN
        assert one.consents.applied(one.order(NEW_YORK, recording_agreed=False)).recording_agreed is False


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["announce", "off", "allowed"])
async def test_on_the_demo_line_the_sentence_is_said_first_and_off_is_recorded_nowhere(tmp_path: Path, mode: str) -> None:
    async with DemoLine(ring_seconds=0.05) as line:
        gateway = Gateway(api_key=line.api_key, base_url=line.base_url)
        options: dict[str, Any] = {"assistant_id": line.assistant_id, "phone_number_id": line.phone_number_id, "record": True}
        async with client_of(tmp_path, gateway, **options) as client, asyncio.timeout(3 * HANG_S):
            await client.ask("POST", "/api/dialling/recording", json={"default": mode, "sentences": {"en": "We record this."}})
            _, call, _ = await client.ask("POST", "/api/vapi_call", json={"to": NEW_YORK})
            path = f"/api/calls/{call['id']}"
            async with client.session.ws_connect(call["listenUrl"]) as socket:
                said = [""]
                while len(said[0]) < len("We record this. Hi"):
                    await socket.receive()
                    said = [line["text"] for line in await transcript(client, path) if line["speaker"] == "assistant"] or [""]
            assert said[0].startswith("We record this. Hi") is (mode == "announce")
            await client.ask("POST", f"{path}/end")
            await until_call(client.desk, call["id"], lambda call: call.cost is not None)
            _, ended, _ = await client.ask("GET", path)
            assert (ended["recordingUrl"] is None) is (mode == "off")
            made = tmp_path / "recordings" / call["id"]
            assert made.exists() is (mode != "off")
