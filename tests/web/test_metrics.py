"""`/metrics`: true numbers in a form that Prometheus accepts, for its token or this machine."""

import re
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.domain.call import Call, CallStatus
from services.journal import AuditRow, Endpoint
from services.journal.writing import proof
from services.listening.relay import Relay
from services.vapi.gateway import Gateway
from tests.desk.test_desk import until
from tests.stand_in import StandIn
from tests.web.test_api import NUMBER, Client, client_of

DEPLOY = Path(__file__).parent.parent.parent / "deploy"


@pytest.fixture
async def client(vapi: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    monkeypatch.setattr(proof, "_FRESH_S", 0.0)
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with client_of(tmp_path, gateway, concurrent_calls=3, metrics_token="measured") as made:
        yield made


async def text(client: Client, **headers: str) -> tuple[int, str]:
    async with client.session.get(f"{client.url}/metrics", headers=headers) as answer:
        return answer.status, await answer.text()


async def value(client: Client, name: str, **labels: str) -> float:
    """The sample of this name whose labels include these, which must be there."""
    samples = [sample for family in text_string_to_metric_families((await text(client))[1]) for sample in family.samples]
    [found] = [sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items()]
    return found


@pytest.mark.slow
async def test_calls_dials_and_slots_are_counted(client: Client, vapi: StandIn) -> None:
    assert await value(client, "earshot_ready") == 1
    _, call = await client.place(to=NUMBER)
    wrong = await client.place(to="123")
    assert wrong[0] == 422
    vapi.answer = (400, {"message": "Couldn't get phone number."})
    assert (await client.place(to="+14155552672"))[0] == 502
    assert (await client.ask("POST", "/api/vapi_call", json={"to": "+14155552673", "dryRun": True}))[0] == 200
    assert await value(client, "earshot_dials_total", result="placed") == 1
    assert await value(client, "earshot_dials_total", result="refused", reason="vapi_refused") == 1
    assert await value(client, "earshot_dials_total", result="refused", reason=wrong[1]["code"]) == 1
    assert await value(client, "earshot_calls", state="queued") == 1
    assert (await value(client, "earshot_slots_taken"), await value(client, "earshot_slots")) == (1, 3)
    vapi.move(call["id"], "ended", endedReason="customer-ended-call")
    await until(client.desk, call["id"], lambda found: not found.running)
    assert await value(client, "earshot_calls_ended_total", outcome="finished") == 1
    assert await value(client, "earshot_calls", state="queued") == 0


@pytest.mark.slow
async def test_the_end_of_a_call_that_ran_before_this_process_counts(vapi: StandIn, tmp_path: Path) -> None:
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url)) as earlier:
        _, call = await earlier.place(to=NUMBER)
        vapi.move(call["id"], "in-progress")
        await until(earlier.desk, call["id"], lambda found: found.status == "in-progress")
    async with client_of(tmp_path, Gateway(api_key="private", base_url=vapi.url)) as client:
        vapi.move(call["id"], "ended", endedReason="customer-ended-call")
        await until(client.desk, call["id"], lambda found: not found.running)
        assert await value(client, "earshot_calls_ended_total", outcome="finished") == 1


@pytest.mark.slow
async def test_requests_to_vapi_are_timed_by_what_was_asked_and_answered(client: Client) -> None:
    await client.place(to=NUMBER)
    assert await value(client, "earshot_vapi_request_seconds_count", request="POST call", status="201") == 1
    assert await value(client, "earshot_vapi_request_seconds_bucket", request="POST call", status="201", le="+Inf") == 1


async def test_an_unwritable_journal_and_a_stop_are_seen(client: Client, tmp_path: Path) -> None:
    await client.ask("POST", "/api/dialling/stop", json={})
    assert await value(client, "earshot_dialling_stopped") == 1
    (tmp_path / "journal.sqlite").rename(tmp_path / "away")
    assert await value(client, "earshot_ready") == 0


@pytest.mark.process
async def test_prometheus_own_checker_accepts_it(client: Client) -> None:
    await client.place(to=NUMBER)
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed: `python -m tests.needs test` installs it or says how")
    said = subprocess.run([program, "check", "metrics"], input=(await text(client))[1], capture_output=True, text=True, check=False)  # noqa: ASYNC221
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


@pytest.mark.slow
async def test_it_takes_the_token_and_no_other(client: Client) -> None:
    assert (await text(client, Authorization="Bearer measured"))[0] == 200
    assert (await text(client, Authorization="Bearer measured", **{"X-Forwarded-For": "192.0.2.1"}))[0] == 200
    assert (await text(client, Authorization="Bearer other"))[0] == 401
    for header in ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Real-IP", "Forwarded", "Via"):
        assert (await text(client, **{header: "192.0.2.1"}))[0] == 401
    assert (await text(client))[0] == 200


async def test_no_number_or_name_is_in_it(client: Client) -> None:
    _, call = await client.place(to=NUMBER, name="Anna")
    told = (await text(client))[1]
    assert [secret for secret in (NUMBER[1:], "Anna", "private", "measured", call["id"]) if secret in told] == []


@pytest.mark.process
async def test_dashboard_and_alerts_ask_for_metrics_that_exist(client: Client) -> None:
    await client.place(to=NUMBER)
    found = set(re.findall(r"^# HELP (\w+)", (await text(client))[1], re.MULTILINE))
    asked = set(re.findall(r"\b(?:earshot|process)_\w+", (DEPLOY / "grafana" / "earshot.json").read_text()))
    asked |= set(re.findall(r"\bearshot_\w+", (DEPLOY / "prometheus" / "alerts.yaml").read_text()))
    assert len(asked) > 15
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in asked} <= found
    if (program := shutil.which("promtool")) is None:
        pytest.skip("promtool is not installed: `python -m tests.needs test` installs it or says how")
    said = subprocess.run([program, "check", "rules", DEPLOY / "prometheus" / "alerts.yaml"], capture_output=True, text=True, check=False)  # noqa: ASYNC221
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.slow
async def test_it_is_ready_when_health_says_so(client: Client, tmp_path: Path) -> None:
    for number in ("+14155552671", "+14155552672", "+14155552673"):
        await client.desk.journal.begin(client.desk.order(number), client="gone")
    assert ((await client.ask("GET", "/health"))[0], await value(client, "earshot_ready")) == (200, 1)
    with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as other:
        other.execute("UPDATE earshot_dials SET dialled_at = dialled_at - 16 * 60 * 1000")
    assert ((await client.ask("GET", "/health"))[0], await value(client, "earshot_ready")) == (503, 0)
    assert await value(client, "earshot_slots_abandoned") == 3


@pytest.mark.slow
async def test_lost_sound_is_seen(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for state, lost in (("ok", 0), ("starting", 0), ("lost", 1)):
        monkeypatch.setattr(Relay, "state", state)
        assert await value(client, "earshot_sound_lost") == lost


@pytest.mark.slow
async def test_events_that_wait_for_webhooks_are_counted(client: Client) -> None:
    assert await value(client, "earshot_webhook_events_waiting") == 0
    at = datetime.now(UTC)
    row = AuditRow(at=at, who="page", action="add-webhook", outcome="done")
    endpoint = Endpoint(id="crm", url="https://crm.example/", secret="s", kinds=(), made_at=at, made_by="page")
    await client.desk.journal.outbox.add(endpoint, row)
    for number in range(2):
        await client.desk.journal.save(Call(id=f"call-{number}", status=CallStatus.QUEUED, created_at=at))
    assert await value(client, "earshot_webhook_events_waiting") == 2
    assert await value(client, "earshot_webhook_events_waiting_seconds") >= 0
    assert await value(client, "earshot_webhooks_disabled") == 0
