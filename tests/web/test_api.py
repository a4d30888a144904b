"""REST on real sockets: shapes, codes, one problem shape for every error, one dial per request."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.desk.desk import CallDesk
from services.desk.judging.measuring import Measuring
from services.domain.client import Scope
from services.listening.relay import Relay
from services.recording.recordings import Recordings
from services.recording.vapi_recordings import VapiRecordings
from services.settings import LOOPBACK_HOSTS
from services.vapi.forwarding import WebhookForward
from services.vapi.gateway import Gateway
from services.vapi.no_credentials import NoCredentials
from services.web.access.authentication import Authentication
from services.web.access.gatekeeper import Gatekeeper
from services.web.access.sessions import Sessions
from services.web.access.tickets import Tickets
from services.web.access.tokens import read_tokens
from services.web.api import create_api
from services.web.metrics import Metrics
from services.web.routes.call_files import call_files_router
from services.web.routes.clips import ClipAnswers
from services.web.routes.metrics import metrics_router
from services.web.routes.people import people_router
from services.web.routes.recordings import recording_router
from services.web.routes.vapi_recording import vapi_recording_router
from services.web.routes.webhooks import webhooks_router
from services.web.server.root_path import RootPath
from services.webhooks_out.addresses import Addresses
from services.webhooks_out.endpoints import Endpoints
from services.webhooks_out.sender import Sender
from tests.desks import SETTINGS, desk_in
from tests.process import ROOT
from tests.serving import serving
from tests.stand_in import StandIn

NUMBER = "+14155552671"


class Client:
    """The API as another service sees it."""

    def __init__(self, session: aiohttp.ClientSession, url: str, desk: CallDesk, relay: Relay) -> None:
        self.session = session
        self.url = url
        self.desk = desk
        self.relay = relay

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, dict[str, Any], aiohttp.ClientResponse]:
        async with self.session.request(method, self.url + path, **more) as answer:
            body = await answer.json(content_type=None)
            if answer.status >= 400:
                assert answer.content_type == "application/problem+json"
                assert body["status"] == answer.status
                assert {"type", "title", "detail", "code", "retryable"} <= body.keys()
            assert answer.headers["X-Request-Id"]
            return answer.status, body, answer

    async def place(self, **body: Any) -> tuple[int, dict[str, Any]]:
        """One call, also to a number that was called a moment ago."""
        status, answer, _ = await self.ask("POST", "/api/vapi_call", json={"allowDuplicate": True, **body})
        return status, answer


@asynccontextmanager
async def client_of(
    folder: Path,
    gateway: Gateway | None,
    *,
    forward: WebhookForward | None = None,
    measured: bool = False,
    signs_in: bool = False,
    **settings: Any,
) -> AsyncIterator[Client]:
    """The API over a desk of its own, served on a real socket. `measured`: its calls are measured, also if nobody listens.
    `signs_in`: people use it with a session.
    """
    account = replace(SETTINGS, data_dir=folder, **settings)
    async with desk_in(folder, gateway, **settings) as desk:
        relay = Relay(target=desk.listen_target, find=desk.get, hint=desk.look, heard=desk.transcripts.take)
        desk.changed.subscribe(relay.on_call)
        sessions = Sessions(desk.journal, password="", people=desk.people) if signs_in else None
        if sessions:
            await sessions.load()
        api = create_api(
            desk=desk,
            relay=relay,
            tickets=Tickets(),
            switch=desk.switch,
            settings=account,
            version="1",
            sessions=sessions,
            forward=forward,
        )
        recordings = Recordings(
            folder / "recordings",
            journal=desk.journal.recordings,
            relay=relay,
            find=desk.get,
            note=desk.note,
            may_record=desk.consents.may_record,
            may_start=desk.consents.may_start,
            default=account.record,
            check=lambda call, client: desk.rights.check(call, client, Scope.CONTROL),
            limit=10**9,
        )
        await recordings.open()
        measuring = Measuring(relay, journal=desk.journal.measures, measurements=desk.measurements, find=desk.get)
        if measured:
            desk.changed.subscribe(measuring.on_call)
        vapi = gateway or NoCredentials(account.missing)
        metrics = Metrics(desk=desk, relay=relay, requests=vapi.requests, version="1", mode=account.mode)
        api.include_router(metrics_router(metrics, token=account.metrics_token, local=not account.trusted_proxies))
        sender = Sender(Addresses(account.webhook_networks))
        api.include_router(webhooks_router(Endpoints(desk.journal.outbox, sender)))
        api.include_router(people_router(desk.people, passwords=signs_in))
        api.include_router(recording_router(recordings, ClipAnswers(recordings)))
        vapi_recordings = VapiRecordings(
            folder / "vapi-recordings", fetch=vapi.recording, read=desk.read, count=desk.count_request, note=desk.note
        )
        desk.changed.subscribe(recordings.on_call)
        desk.changed.subscribe(vapi_recordings.on_call)
        api.include_router(vapi_recording_router(vapi_recordings))
        api.include_router(call_files_router(vapi.artifact, desk))
        access = Authentication(api, sessions=sessions, tokens=read_tokens(account.api_tokens), made=desk.tokens)
        behind = RootPath(access) if account.root_path else access
        async with serving(Gatekeeper(behind, allowed_hosts=LOOPBACK_HOSTS)) as url, aiohttp.ClientSession() as session:
            yield Client(session, url, desk, relay)
            api.state.events.close()
            await api.state.mcp.aclose()
        if sessions:
            await sessions.aclose()
        await measuring.aclose()
        await vapi_recordings.aclose()
        await recordings.aclose()
        await relay.aclose()
    if gateway:
        await gateway.aclose()


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path, vapi_within_s: float) -> AsyncIterator[Client]:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url, timeout=vapi_within_s)) as made:
        yield made


@pytest.mark.parametrize("field", ["to", "number"])
async def test_a_call_is_placed(vapi: StandIn, client: Client, field: str) -> None:
    status, call, answer = await client.ask("POST", "/api/vapi_call", json={field: "+1 (415) 555-2671"})
    assert status == 201
    assert answer.headers["Location"] == call["links"]["self"] == f"/api/calls/{call['id']}"
    assert call["to"] == NUMBER
    assert call["status"] == "queued"
    assert call["listenUrl"].startswith(client.url.replace("http", "ws") + f"/api/calls/{call['id']}/listen?ticket=")
    expected = {
        "id",
        "listenUrl",
        "status",
        "to",
        "from",
        "assistantId",
        "createdAt",
        "startedAt",
        "endedAt",
        "endedReason",
        "cost",
        "links",
    }
    assert expected <= call.keys()
    assert vapi.dials == 1
    assert vapi.bodies[0]["customer"] == {"number": NUMBER}


async def test_the_fields_of_a_request_reach_vapi(vapi: StandIn, client: Client) -> None:
    status, _ = await client.place(
        to=NUMBER,
        assistantId="other",
        phoneNumberId="line",
        name="Lead 42",
        firstMessage="Hello",
        variableValues={"first": "Dana"},
        maxDurationSeconds=60,
    )
    assert status == 201
    sent = vapi.bodies[0]
    assert (sent["assistantId"], sent["phoneNumberId"], sent["name"]) == ("other", "line", "Lead 42")
    overrides = sent["assistantOverrides"]
    assert (overrides["firstMessage"], overrides["variableValues"], overrides["maxDurationSeconds"]) == ("Hello", {"first": "Dana"}, 60)


async def test_the_answer_has_the_fields_that_the_readme_shows(client: Client) -> None:
    [shown] = re.findall(r"answers 201 .*?```json\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    status, answer = await client.place(to=NUMBER)
    assert status == 201
    assert answer.keys() == json.loads(shown).keys()


@pytest.mark.slow
async def test_scheduled_is_202(vapi: StandIn, client: Client) -> None:
    vapi.answer = 201, {"id": "later", "status": "scheduled"}
    at = (datetime.now(UTC) + timedelta(days=29)).replace(microsecond=0)
    status, call = await client.place(to=NUMBER, earliestAt=at.isoformat())
    assert (status, call["status"]) == (202, "scheduled")
    assert vapi.bodies[0]["schedulePlan"] == {"earliestAt": at.strftime("%Y-%m-%dT%H:%M:%S.000Z")}


@pytest.mark.slow
@pytest.mark.parametrize("vapi_within_s", [1.0])
async def test_an_unknown_outcome_is_202_and_says_not_to_dial_again(vapi: StandIn, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.desk.placing.placing._SEARCH_PATIENCE", 0.1)
    vapi.answer = "hang"
    status, call = await client.place(to=NUMBER)
    assert (status, call["status"], call["listenUrl"]) == (202, "unknown", None)
    assert "do not dial again" in call["detail"]
    assert (await client.ask("GET", call["links"]["self"]))[1]["status"] == "unknown"
    assert vapi.dials == 1


@pytest.mark.parametrize(
    ("answer", "vapi_within_s"),
    [("created then 500", 10.0), ("created then drop", 10.0), pytest.param("created then hang", 1.0, marks=pytest.mark.slow)],
)
async def test_a_call_whose_answer_was_lost_is_201(vapi: StandIn, client: Client, answer: str) -> None:
    vapi.answer = answer
    status, call = await client.place(to=NUMBER)
    assert status == 201
    assert [call["id"]] == list(vapi.calls)
    assert vapi.dials == 1


async def test_a_dry_run_checks_and_places_nothing(vapi: StandIn, client: Client) -> None:
    assert (await client.place(to=NUMBER, dryRun=True))[0] == 200
    assert (await client.place(to="+15550100002", dryRun=True))[1]["code"] == "number_unlikely"
    assert vapi.dials == 0


async def test_a_body_that_is_too_large_is_refused(vapi: StandIn, client: Client) -> None:
    body = b'{"to": "' + b"1" * 1_000_000 + b'"}'
    status, problem, _ = await client.ask("POST", "/api/vapi_call", data=body, headers={"Content-Type": "application/json"})
    assert (status, problem["code"]) == (413, "body_too_large")
    assert vapi.dials == 0


# Right in everything but their depth, so that nothing else refuses them.
DEEP = b'{"to": "+14155552671", "variableValues": ' + b'{"a": ' * 300 + b"1" + b"}" * 301
DEEP_BEHIND_QUOTES = b'{"to": "+14155552671", "variableValues": {"x\\\\": ' + b"[" * 31 + b"]" * 31 + b', "\\"": 1}}'


@pytest.mark.parametrize("data", [DEEP, DEEP_BEHIND_QUOTES, DEEP.replace(b"}" * 301, b"")])
async def test_json_that_is_nested_too_deeply_uses_up_no_idempotency_key(vapi: StandIn, client: Client, data: bytes) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "one"}
    status, problem, _ = await client.ask("POST", "/api/vapi_call", data=data, headers=headers)
    assert (status, problem["code"]) == (422, "invalid_request")
    assert "nested too deeply" in problem["detail"]
    for replayed in (None, "true"):
        status, _, answer = await client.ask("POST", "/api/vapi_call", json={"to": NUMBER}, headers={"Idempotency-Key": "one"})
        assert (status, answer.headers.get("Idempotency-Replayed")) == (201, replayed)
    assert vapi.dials == 1


@pytest.mark.slow
async def test_vapi_refusing(vapi: StandIn, client: Client) -> None:
    refusals: dict[int, Any] = {
        401: {"message": "Invalid Key."},
        400: {"message": ["phoneNumberId must be a UUID", "property X should not exist"]},
        402: {"message": "Pay"},
        403: {"message": "Forbidden"},
        404: {"message": "Not Found"},
        429: "<html>slow down</html>",
    }
    found = {}
    for status, body in refusals.items():
        vapi.answer = (status, body)
        answered, problem = await client.place(to=NUMBER)
        found[status] = (answered, problem["code"])
        if status == 400:
            assert problem["detail"] == "; ".join(body["message"])
    assert found == {status: (502, "vapi_unauthorized" if status == 401 else "vapi_refused") for status in refusals}
    assert vapi.dials == len(refusals)


async def test_brackets_in_text_are_no_depth_and_an_escaped_backslash_is_no_nul(vapi: StandIn, client: Client) -> None:
    values = {"a": "[" * 100 + '"{' * 100, "b": "\\u0000", "deep": json.loads("[" * 29 + "]" * 29)}
    assert (await client.place(to=NUMBER, variableValues=values))[0] == 201
    assert vapi.bodies[0]["assistantOverrides"]["variableValues"] == values


async def test_vapi_not_there_at_all(tmp_path: Path) -> None:
    async with client_of(tmp_path, Gateway(api_key="private", base_url="http://127.0.0.1:9", timeout=0.5)) as dead:
        status, problem = await dead.place(to=NUMBER)
        assert (status, problem["code"], problem["retryable"]) == (502, "vapi_unavailable", True)


@pytest.mark.slow
async def test_ending_answers_with_the_ended_call_also_the_second_time(client: Client, vapi: StandIn) -> None:
    _, call = await client.place(to=NUMBER)
    for _ in range(2):
        status, ended, _ = await client.ask("POST", call["links"]["self"] + "/end")
        assert (status, ended["status"], ended["listenUrl"]) == (200, "ended", None)
        assert ended["endedReason"]["code"] == "manually-canceled"
        assert ended["endedReason"]["title"]
    assert vapi.controls == [{"type": "end-call"}]


@pytest.mark.slow
async def test_calls_are_listed_newest_first_and_paged(client: Client) -> None:
    placed = [(await client.place(to=NUMBER))[1]["id"] for _ in range(5)]
    listed: list[str] = []
    cursor = ""
    while True:
        _, page, _ = await client.ask("GET", f"/api/calls?limit=2{cursor}")
        listed += [call["id"] for call in page["calls"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert sorted(listed) == sorted(placed)
    assert len(listed) == 5
    await client.ask("POST", f"/api/calls/{placed[0]}/end")
    _, ended, _ = await client.ask("GET", "/api/calls?status=ended&status=forwarding")
    assert [call["id"] for call in ended["calls"]] == [placed[0]]
    _, none, _ = await client.ask("GET", "/api/calls?from=2999-01-01T00:00:00Z")
    assert none == {"calls": [], "nextCursor": None}


@pytest.mark.slow
async def test_no_secret_leaves(client: Client, vapi: StandIn) -> None:
    _, call = await client.place(to=NUMBER)
    _, listed, _ = await client.ask("GET", "/api/calls")
    text = json.dumps([call, listed])
    assert "monitor" not in text
    assert "control" not in text
    assert vapi.url.rsplit(":", 1)[1] not in text
    assert "private" not in text


async def test_direct_mode_hands_out_vapis_own_listen_url(vapi: StandIn, tmp_path: Path) -> None:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), listen_mode="direct") as client:
        _, call = await client.place(to=NUMBER)
        assert call["listenUrl"] == vapi.calls[call["id"]]["monitor"]["listenUrl"]


async def test_health(client: Client) -> None:
    assert (await client.ask("GET", "/health"))[:2] == (200, {"status": "ok", "mode": "vapi", "version": "1", "sound": "ok"})


async def test_health_names_what_is_missing_and_nothing_is_placed(tmp_path: Path) -> None:
    async with client_of(tmp_path, None, assistant_id="") as client:
        status, problem, _ = await client.ask("GET", "/health")
        assert (status, problem["missing"]) == (503, ["VAPI_ASSISTANT_ID"])
        assert "VAPI_ASSISTANT_ID" in problem["detail"]
        status, problem = await client.place(to=NUMBER)
        assert (status, problem["code"]) == (503, "not_configured")


@pytest.mark.slow
async def test_openapi_lists_the_routes(client: Client) -> None:
    _, schema, _ = await client.ask("GET", "/openapi.json")
    assert set(schema["paths"]) == {
        "/api/vapi_call",
        "/api/calls",
        "/api/calls.csv",
        "/api/calls/end-all",
        "/api/calls/{call_id}",
        "/api/calls/{call_id}/control",
        "/api/calls/{call_id}/data",
        "/api/calls/{call_id}/end",
        "/api/calls/{call_id}/disposition",
        "/api/calls/{call_id}/notes",
        "/api/calls/{call_id}/notes/{note_id}",
        "/api/calls/{call_id}/tags",
        "/api/calls/{call_id}/free-slot",
        "/api/calls/{call_id}/events",
        "/api/calls/{call_id}/reschedule",
        "/api/calls/{call_id}/recording",
        "/api/calls/{call_id}/recording/clip",
        "/api/calls/{call_id}/recording/info",
        "/api/calls/{call_id}/recording/peaks",
        "/api/calls/{call_id}/vapi-recording",
        "/api/calls/{call_id}/call-logs",
        "/api/calls/{call_id}/pcap",
        "/api/calls/{call_id}/vapi-recording/peaks",
        "/api/calls/{call_id}/recording/transcript",
        "/api/calls/{call_id}/timeline",
        "/api/calls/{call_id}/transcript",
        "/api/calls/{call_id}/measures",
        "/api/webhooks",
        "/api/webhooks/{webhook_id}",
        "/api/webhooks/{webhook_id}/enable",
        "/api/webhooks/{webhook_id}/disable",
        "/api/webhooks/{webhook_id}/events",
        "/api/webhooks/{webhook_id}/deliveries",
        "/api/webhooks/{webhook_id}/deliveries/{delivery_id}/again",
        "/api/audit",
        "/api/audit.csv",
        "/api/people",
        "/api/people/{person_id}",
        "/api/people/{person_id}/link",
        "/api/rules",
        "/api/rules/try",
        "/api/rules/{rule_id}",
        "/api/contacts",
        "/api/contacts/import",
        "/api/contacts/{number}",
        "/api/numbers/erase",
        "/api/insights",
        "/api/insights.csv",
        "/api/dialling",
        "/api/dialling/blocked",
        "/api/dialling/recording",
        "/api/dialling/stop",
        "/api/dialling/resume",
        "/api/vapi_events",
        "/health",
        "/health/live",
        "/metrics",
    }


async def test_another_origin_dials_nothing(client: Client, vapi: StandIn) -> None:
    body = json.dumps({"to": NUMBER})
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}):
        status, _, _ = await client.ask("POST", "/api/vapi_call", data=body, headers={"Content-Type": "application/json", **headers})
        assert status in (400, 403)
    assert vapi.dials == 0


@pytest.mark.slow
async def test_a_slot_is_freed_by_hand_and_the_audit_says_who_did(vapi: StandIn, tmp_path: Path) -> None:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url), concurrent_calls=1) as client:
        _, call, _ = await client.ask("POST", "/api/vapi_call", json={"to": NUMBER})
        other = {"to": "+14155552672"}
        assert (await client.ask("POST", "/api/vapi_call", json=other))[1]["code"] == "concurrency_limit_exceeded"
        for _ in range(2):
            status, freed, _ = await client.ask("POST", call["links"]["self"] + "/free-slot")
            assert (status, freed["id"], freed["status"]) == (200, call["id"], "queued")
        assert (await client.ask("POST", "/api/vapi_call", json=other))[0] == 201
        noted = [(row.who, row.to) for row in await client.desk.journal.audit() if row.action == "free-slot"]
        assert noted == [("local", NUMBER)]
        assert (await client.ask("POST", "/api/calls/nobody/free-slot"))[1]["code"] == "call_not_found"
