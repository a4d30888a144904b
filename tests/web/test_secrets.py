"""The whole app in use: no answer, page or log line has a secret, and no log line a complete phone number."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.process import refused, running, vapi_environ
from tests.stand_in import stand_in
from tests.web.test_tokens import entry

NUMBER, OTHER, ELSEWHERE = "+14155552671", "+14155552672", "+442079460958"
TOKEN, PASSWORD = "secret-token", "secret-password"
ENVIRON = {
    "VAPI_PUBLIC_KEY": "secret-public-key",
    "EARSHOT_PASSWORD": PASSWORD,
    "EARSHOT_API_TOKENS": entry("boss", "*", TOKEN),
    "EARSHOT_CALLS_PER_HOUR": "4",
}


@pytest.mark.process
async def test_no_answer_no_page_and_no_log_holds_a_secret(tmp_path: Path) -> None:
    shown: list[str] = []
    async with (
        stand_in() as vapi,
        running(tmp_path, vapi_environ(vapi.url) | ENVIRON) as app,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http,
    ):

        async def ask(method: str, path: str, **more: object) -> dict[str, str]:
            headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "secret-idempotency", **more.pop("headers", {})}  # type: ignore[dict-item]
            async with http.request(method, app.url + path, headers=headers, **more) as answer:  # type: ignore[arg-type]
                shown.append(f"{answer.headers} {await answer.text()}")
                return dict(await answer.json()) if "json" in answer.content_type else {}

        call = await ask(
            "POST", "/api/vapi_call", json={"to": NUMBER, "firstMessage": "secret-words", "variableValues": {"a": "secret-value"}}
        )
        path, monitor = f"/api/calls/{call['id']}", vapi.calls[call["id"]]["monitor"]
        ticket = URL(call["listenUrl"]).query["ticket"]
        vapi.move(call["id"], "in-progress")
        for wanted in (
            {"to": NUMBER},
            {"to": ELSEWHERE},
            {"to": "secret"},
            {"to": OTHER, "secret": 1},
            {"to": OTHER, "name": "secret-name"},
        ):
            for vapi.answer in (
                "created then drop",
                "created, not JSON",
                (400, {"message": f"{monitor['controlUrl']} secret-private-key"}),
            ):
                await ask("POST", "/api/vapi_call", json=wanted, headers={"Idempotency-Key": str(len(shown))})
        await ask("POST", "/api/vapi_call", data=b"secret")
        await ask("POST", "/api/vapi_call", json={"to": "1" * 20_000})
        vapi.control_status = 403
        for control in ({"action": "say", "content": "secret-words"}, {"action": "transfer", "destination": OTHER}):
            await ask("POST", path + "/control", json=control)
        vapi.control_status = 200
        for address in ("/api/calls", path, "/api/calls/none", "/api/dialling", "/health", "/openapi.json", "/docs", "/nothing", "/login"):
            await ask("GET", address)
        for address in (path + "/end", "/api/calls/end-all", "/api/dialling/stop", "/api/dialling/resume", path + "/events"):
            await ask("POST", address)
        await ask("GET", path + "/events")
        async with http.post(app.url + "/login", data={"password": "secret-guess"}) as answer:
            shown.append(await answer.text())
        async with http.post(app.url + "/login", data={"password": PASSWORD}) as page:
            shown.append(await page.text())
            assert "dial-number" in shown[-1]
        async with http.ws_connect(f"{app.url}{path}/listen?ticket=secret-ticket") as refused:
            await refused.receive()
        assert await asyncio.to_thread(app.stop) == 0
        whereabouts = vapi.url.partition("//")[2]
    everything = "\n".join([*shown, app.output])
    assert "placing a call to …2671" in app.output
    assert len(shown) > 30
    for secret in ("secret-private", "secret-public", PASSWORD, TOKEN, "secret-guess", whereabouts, '"monitor"', "controlUrl"):
        assert secret not in everything, secret
    for private in ("secret", ticket, *(number[1:] for number in (NUMBER, OTHER, ELSEWHERE)), call["id"] + "/", "Traceback"):
        assert private not in app.output, private


@pytest.mark.process
@pytest.mark.parametrize("url", ["postgresql://earshot:secret-word@127.0.0.1:9/db", "mysql://earshot:secret-word@127.0.0.1/db"])
async def test_an_unreachable_database_is_reported_without_its_password(tmp_path: Path, url: str) -> None:
    output = await refused(tmp_path, {**vapi_environ("http://127.0.0.1:9"), "DATABASE_URL": url})
    assert "Earshot can't start" in output
    assert "secret" not in output
    assert "Traceback" not in output
