"""OpenTelemetry traces of the process as a whole, sent to a real collector; and nothing of them if nobody wants them."""

import asyncio
import hashlib
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import aiohttp

from tests.otlp import collecting
from tests.patience import HANG_S
from tests.process import ROOT, running, vapi_environ
from tests.stand_in import StandIn

NUMBER = "+14155552671"
TOKEN = "a-token-that-nobody-may-see"
ABOVE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_without_traces_nothing_of_the_sdk_is_imported() -> None:
    code = "import main, sys; print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert ran.stdout == b"[]\n"


async def test_a_call_is_one_trace_from_the_request_to_vapi(tmp_path: Path, vapi: StandIn) -> None:
    async with collecting() as collector, aiohttp.ClientSession(headers={"traceparent": ABOVE}) as http:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_HEADERS": "x-key=for-the-collector"}
        async with running(tmp_path, vapi_environ(vapi.url) | environ | {"EARSHOT_LOG_FORMAT": "json"}) as app:
            async with http.post(app.url + "/api/vapi_call", json={"to": NUMBER}) as answer:
                call, request = await answer.json(), answer.headers["X-Request-Id"]
            await asyncio.to_thread(app.stop)
    [asked] = collector.named("POST /api/vapi_call")
    [placed] = collector.named("place call")
    [sent] = collector.named("Vapi POST call")
    assert {asked.trace, placed.trace, sent.trace} == {ABOVE.split("-")[1]}
    assert (asked.parent, placed.parent, sent.parent) == (ABOVE.split("-")[2], asked.id, placed.id)
    assert asked.attributes == {
        "http.request.method": "POST",
        "http.route": "/api/vapi_call",
        "http.response.status_code": 201,
        "earshot.request_id": request,
    }
    assert placed.attributes == {"earshot.call_id": call["id"], "earshot.status": "queued", "earshot.replayed": False}
    assert sent.attributes["http.response.status_code"] == 201
    assert asked.seconds >= placed.seconds >= sent.seconds > 0
    assert (asked.resource["service.name"], collector.headers[0]["x-key"]) == ("earshot", "for-the-collector")
    lines = [json.loads(line) for line in app.output.splitlines()]
    assert {line["trace_id"] for line in lines if line.get("request") == request} == {asked.trace}
    assert {"traceparent", "tracestate", "baggage"}.isdisjoint(vapi.headers[0])


async def answered(http: aiohttp.ClientSession, path: str) -> None:
    async with asyncio.timeout(HANG_S):
        while True:
            async with http.get(path) as answer:
                if (await answer.json())["status"] == "in-progress":
                    return
            await asyncio.sleep(0.05)


async def test_no_span_holds_a_number_a_word_a_token_or_a_url(tmp_path: Path, vapi: StandIn) -> None:
    tokens = f"crm:*:{hashlib.sha256(TOKEN.encode()).hexdigest()}"
    async with collecting() as collector, aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "FASTAPI_OTEL_AUTO_CONFIGURE": "true", "EARSHOT_API_TOKENS": tokens}
        async with running(tmp_path, vapi_environ(vapi.url) | environ) as app:
            async with http.post(app.url + "/api/vapi_call", json={"to": NUMBER, "name": "Dana"}) as answer:
                call = await answer.json()
            vapi.move(call["id"], "in-progress")
            path = f"{app.url}/api/calls/{call['id']}"
            await answered(http, path)
            async with http.post(f"{path}/control", json={"action": "say", "content": "My word"}) as answer:
                assert answer.status == 202
            async with http.get(f"{app.url}/api/calls", params={"search": NUMBER}) as answer:
                assert answer.status == 200
            for nothing in ("nothing", "calls"):
                async with http.get(f"{app.url}/api/{nothing}/{NUMBER[1:]}") as answer:
                    assert answer.status == 404
            vapi.answer = (400, {"message": f"Couldn't call {NUMBER}."})
            async with http.post(app.url + "/api/vapi_call", json={"to": "+14155552672"}) as answer:
                assert answer.status == 502
            async with http.post(f"{path}/end") as answer:
                assert answer.status == 200
            async with http.get(app.url + "/health") as answer:
                assert answer.status == 200
            await asyncio.to_thread(app.stop)
    [said] = collector.named("control call")
    [ended] = collector.named("hang up")
    assert said.attributes == {"earshot.call_id": call["id"], "earshot.action": "say"}
    assert ended.attributes == {"earshot.call_id": call["id"]}
    refused = next(span for span in collector.named("place call") if span.failed)
    assert refused.attributes["error.type"] == "vapi_refused"
    assert not [span for span in collector.spans if "health" in span.name]
    ticket = call["listenUrl"].partition("=")[2]
    told = b"\n".join(collector.bodies).decode("latin-1")
    for forbidden in (NUMBER[1:], "4155552672", "Dana", "My word", TOKEN, "secret-private-key", ticket, "ws:", "127.0.0.1", vapi.url):
        assert forbidden not in told, forbidden
    assert {name for span in collector.spans for name in span.attributes} - {"earshot.write"} == {
        *("http.request.method", "http.route", "http.response.status_code", "error.type", "peer.service"),
        *("earshot.request_id", "earshot.call_id", "earshot.status", "earshot.replayed", "earshot.action"),
    }


async def test_a_collector_that_does_not_answer_delays_neither_calls_nor_the_end(tmp_path: Path, vapi: StandIn) -> None:
    connected: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: connected.append(writer), "127.0.0.1")
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"}
    async with silent, aiohttp.ClientSession() as http, running(tmp_path, vapi_environ(vapi.url) | environ) as app:
        async with http.post(app.url + "/api/vapi_call", json={"to": NUMBER}) as answer:
            assert answer.status == 201
        assert await asyncio.to_thread(app.stop) == 0
        assert connected
        for writer in connected:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
    assert "Traceback" not in app.output


async def test_switched_off_it_exports_nothing(tmp_path: Path, vapi: StandIn) -> None:
    async with collecting() as collector, aiohttp.ClientSession() as http:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_SDK_DISABLED": "true"}
        async with running(tmp_path, vapi_environ(vapi.url) | environ) as app:
            async with http.post(app.url + "/api/vapi_call", json={"to": NUMBER}) as answer:
                assert answer.status == 201
            await asyncio.to_thread(app.stop)
    assert collector.bodies == []
    assert "trace_id" not in app.output


async def test_a_missing_sdk_is_named_and_everything_else_works(tmp_path: Path, vapi: StandIn) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['opentelemetry.sdk'] = None\n")
    environ = {"OTEL_TRACES_EXPORTER": "otlp", "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    async with aiohttp.ClientSession() as http, running(tmp_path, vapi_environ(vapi.url) | environ) as app:
        async with http.post(app.url + "/api/vapi_call", json={"to": NUMBER}) as answer:
            assert answer.status == 201
        await asyncio.to_thread(app.stop)
    assert "OpenTelemetry's SDK is not installed" in app.output
    assert "-r requirements-otel.lock" in app.output
    assert "Traceback" not in app.output
