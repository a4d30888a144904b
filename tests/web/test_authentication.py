"""Access on real sockets: password, tokens, scopes, tickets, proxies, other origins."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect

from services.desk.desk import CallDesk
from services.listening.relay import Relay
from services.settings import SettingsError, read_settings
from services.support.passwords import Passwords
from services.support.root_path import serve_under
from services.vapi.gateway import Gateway
from services.web.access.authentication import require_safe
from services.web.access.join import join_router
from services.web.access.login import login_router
from services.web.access.login_audit import LoginAudit
from services.web.access.password_check import PasswordCheck
from services.web.access.sessions import Attempts, Sessions
from services.web.access.tickets import Tickets
from services.web.api import create_api
from services.web.app import web_app
from services.web.routes.audit import page_audit_router
from services.web.routes.export import page_export_router
from services.web.routes.insights import page_insights_router
from services.web.routes.people import people_router
from services.web.server.face_router import FaceRouter
from tests.desks import SETTINGS, desk_in
from tests.process import refused
from tests.serving import serving
from tests.stand_in import StandIn
from tests.web.test_tokens import entry
from ui.insights.asked import read_asked

README = Path(__file__).parent.parent.parent / "README.md"
PASSWORD = "correct horse"
NUMBER = "+14155552671"
SCOPES = {"caller": "call", "reader": "read", "boss": "*", "steerer": "control"}
TOKENS = ",".join(entry(name, scopes, name) for name, scopes in SCOPES.items())


@asynccontextmanager
async def earshot(folder: Path, vapi: StandIn, *, opened: Callable[[CallDesk], object] | None = None, **changes: Any) -> AsyncIterator[str]:
    """The API and one page behind authentication and the gatekeeper, as in main.py. `opened` is given the desk."""
    settings = replace(SETTINGS, data_dir=folder, **changes)
    gateway = Gateway(api_key="private", base_url=vapi.url)
    async with desk_in(folder, gateway) as desk:
        relay = Relay(target=desk.listen_target, find=desk.get, hint=desk.look, heard=desk.transcripts.take)
        desk.changed.subscribe(relay.on_call)
        sessions = Sessions(desk.journal, password=settings.password, people=desk.people) if settings.has_login else None
        api = create_api(desk=desk, relay=relay, tickets=Tickets(), switch=desk.switch, settings=settings, version="1", sessions=sessions)
        pages = FastAPI()
        if sessions:
            await sessions.load()
            people, passwords = desk.people if settings.people else None, Passwords()
            audit = LoginAudit(desk.note)
            check = PasswordCheck(password=settings.password, people=people, passwords=passwords, attempts=Attempts())
            pages.include_router(login_router(check=check, sessions=sessions, audit=audit))
            pages.include_router(join_router(people=desk.people, passwords=passwords, sessions=sessions, audit=audit))
        api.include_router(people_router(desk.people, passwords=settings.people))

        pages.include_router(page_export_router(desk))
        pages.include_router(page_insights_router(desk))
        pages.include_router(page_audit_router(desk.journal))

        @pages.get("/")
        async def page() -> str:
            return "the page"

        @pages.websocket("/socket")
        async def echo(socket: WebSocket) -> None:
            await socket.accept()
            with suppress(WebSocketDisconnect):
                while True:
                    await socket.send_text(await socket.receive_text())

        async with serving(web_app(settings, FaceRouter(api=api, pages=pages), sessions, desk.tokens)) as url:
            if opened:
                opened(desk)
            yield url
        if sessions:
            await sessions.aclose()
        await relay.aclose()
    await gateway.aclose()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def log_in(session: aiohttp.ClientSession, url: str, password: str = PASSWORD, **query: str) -> aiohttp.ClientResponse:
    async with session.post(url + "/login", params=query, data={"password": password}, allow_redirects=False) as answer:
        await answer.read()
        return answer


async def test_without_password_and_tokens_this_machine_may_do_everything(vapi: StandIn, tmp_path: Path) -> None:
    async with earshot(tmp_path, vapi) as url, browser() as session:
        async with session.get(url + "/") as page:
            assert page.status == 200
        async with session.post(url + "/api/vapi_call", json={"to": NUMBER}) as answer:
            assert answer.status == 201


@pytest.mark.slow
async def test_the_page_exports_also_if_the_api_needs_a_token(vapi: StandIn, tmp_path: Path) -> None:
    async with earshot(tmp_path, vapi, api_tokens=TOKENS) as url, browser() as session:
        for path in ("/calls.csv?status=ended", read_asked({}, "UTC").csv(), "/audit.csv"):
            async with session.get(url + path) as answer:
                assert (answer.status, answer.content_type) == (200, "text/csv"), path
        async with session.get(url + "/audit.json") as answer:
            assert (answer.status, answer.content_type) == (200, "application/json")
        for path in ("/api/calls.csv", "/api/insights.csv", "/api/audit.csv", "/api/audit"):
            async with session.get(url + path) as answer:
                assert answer.status == 401, path


@pytest.mark.slow
async def test_a_password_is_asked_for_before_the_page_and_the_api(vapi: StandIn, tmp_path: Path) -> None:
    async with earshot(tmp_path, vapi, password=PASSWORD) as url, browser() as session:
        async with session.get(url + "/?call=1", allow_redirects=False) as page:
            assert (page.status, page.headers["Location"]) == (303, "/login?next=%2F%3Fcall%3D1")
        async with session.post(url + "/api/vapi_call", json={"to": NUMBER}) as answer:
            assert (answer.status, (await answer.json())["code"]) == (401, "unauthorized")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        for path in ("/calls.csv", "/insights.csv", "/audit.csv", "/audit.json"):
            async with session.get(url + path, allow_redirects=False) as export:
                assert export.status == 303
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(url + "/_nicegui_ws/socket.io/?transport=websocket")
        assert refused.value.status == 401
        async with session.get(url + "/health") as health:
            assert health.status == 200
        assert (await log_in(session, url, "wrong")).status == 401
        answer = await log_in(session, url, next="/?call=1")
        assert (answer.status, answer.headers["Location"]) == (303, "/?call=1")
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        async with session.get(url + "/") as page:
            assert page.status == 200
        async with session.post(url + "/api/vapi_call", json={"to": NUMBER}) as answer:
            assert answer.status == 201
        async with session.post(url + "/logout", allow_redirects=False):
            pass
        async with session.get(url + "/", allow_redirects=False) as page:
            assert page.status == 303
    assert vapi.dials == 1


async def test_a_logout_closes_the_sockets_of_open_tabs(vapi: StandIn, tmp_path: Path) -> None:
    async with earshot(tmp_path, vapi, password=PASSWORD) as url, browser() as session:
        await log_in(session, url)
        async with session.ws_connect(url + "/socket") as tab:
            await tab.send_str("still here?")
            assert await tab.receive_str() == "still here?"
            async with session.post(url + "/logout", allow_redirects=False):
                pass
            await tab.receive()
            assert tab.close_code == 4401


async def test_a_session_planted_before_the_login_is_worth_nothing_after_it(vapi: StandIn, tmp_path: Path) -> None:
    async with earshot(tmp_path, vapi, password=PASSWORD) as url, browser() as session:
        planted = {"earshot_session": "planted"}
        async with session.post(url + "/login", data={"password": PASSWORD}, cookies=planted, allow_redirects=False) as answer:
            assert "planted" not in answer.headers["Set-Cookie"]
        async with aiohttp.ClientSession(cookies=planted) as thief, thief.get(url + "/", allow_redirects=False) as page:
            assert page.status == 303


@pytest.mark.slow
async def test_the_login_leads_to_our_own_pages_only(vapi: StandIn, tmp_path: Path) -> None:
    async with earshot(tmp_path, vapi, password=PASSWORD) as url:
        for onward in ("https://evil.example/", "//evil.example/", "//[", "/\\evil.example", "javascript:alert(1)", ""):
            async with browser() as session:
                assert (await log_in(session, url, next=onward)).headers["Location"] == "/", onward


@pytest.mark.slow
async def test_under_a_path_the_login_leads_to_what_is_under_it(vapi: StandIn, tmp_path: Path) -> None:
    serve_under("/calls")
    try:
        async with earshot(tmp_path, vapi, password=PASSWORD, root_path="/calls") as url, browser() as session:
            async with session.get(url + "/calls/?call=1", allow_redirects=False) as page:
                assert page.headers["Location"] == "/calls/login?next=%2Fcalls%2F%3Fcall%3D1"
            for onward, lands in (
                ("/calls/?call=1", "/calls/?call=1"),
                ("/callsigns", "/calls/"),
                ("/wiki", "/calls/"),
                ("//calls/", "/calls/"),
            ):
                answer = await log_in(session, url, next=onward)
                assert answer.headers["Location"] == lands
                assert "path=/calls/;" in answer.headers["Set-Cookie"].lower()
            assert (await log_in(session, url)).headers["Location"] == "/calls/"
            async with session.get(url + "/calls", allow_redirects=False) as bare:
                assert (bare.status, bare.headers["Location"]) == (308, "/calls/")
                assert bare.headers["X-Request-Id"]
            for asked in ("/calls", "/calls/", "/"):
                async with session.get(url + asked, headers={"Host": "evil.example"}, allow_redirects=False) as refused_host:
                    assert refused_host.status == 400
                async with session.get(url + asked, headers={"Origin": "https://evil.example"}, allow_redirects=False) as foreign:
                    assert foreign.status == 403
    finally:
        serve_under("")


async def test_an_invalid_form_is_no_login(vapi: StandIn, tmp_path: Path) -> None:
    async with earshot(tmp_path, vapi, password=PASSWORD) as url, browser() as session:
        for data in ("&".join("a=b" for _ in range(50)), "password=" + "x" * 10_000, "\xff"):
            async with session.post(url + "/login", data=data, allow_redirects=False) as answer:
                assert answer.status == 401


async def test_guessing_is_slowed_down_and_logged(vapi: StandIn, tmp_path: Path) -> None:
    async with earshot(tmp_path, vapi, password=PASSWORD) as url, browser() as session:
        for _ in range(5):
            assert (await log_in(session, url, "wrong")).status == 401
        answer = await log_in(session, url, PASSWORD)
        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("token", "place", "read", "end", "stop"),
    [
        ("caller", 201, 403, 403, 403),
        ("reader", 403, 200, 403, 403),
        ("steerer", 403, 403, 200, 200),
        ("boss", 201, 200, 200, 200),
        ("nobody", 401, 401, 401, 401),
    ],
)
async def test_a_token_may_do_what_its_scopes_say(
    vapi: StandIn, tmp_path: Path, token: str, place: int, read: int, end: int, stop: int
) -> None:
    async with earshot(tmp_path, vapi, api_tokens=TOKENS) as url, aiohttp.ClientSession() as session:
        async with session.post(url + "/api/vapi_call", json={"to": NUMBER}, headers=bearer("boss")) as answer:
            call = (await answer.json())["id"]
        asked = [
            ("POST", "/api/vapi_call", {"to": "+442079460958"}, place),
            ("GET", "/api/calls", None, read),
            ("GET", f"/api/calls/{call}", None, read),
            ("POST", f"/api/calls/{call}/end", None, end),
            ("POST", "/api/dialling/stop", None, stop),
            ("POST", "/api/calls/end-all", None, stop),
        ]
        for method, path, body, status in asked:
            async with session.request(method, url + path, json=body, headers=bearer(token)) as answer:
                assert answer.status == status, path
                if status == 403:
                    assert (await answer.json())["code"] == "forbidden_scope"


@pytest.mark.slow
async def test_only_who_may_listen_is_given_a_ticket_and_it_stands_in_the_audit(vapi: StandIn, tmp_path: Path) -> None:
    async with earshot(tmp_path, vapi, api_tokens=TOKENS) as url, aiohttp.ClientSession() as session:
        async with session.post(url + "/api/vapi_call", json={"to": NUMBER}, headers=bearer("boss")) as answer:
            call = await answer.json()
        async with session.get(url + f"/api/calls/{call['id']}", headers=bearer("reader")) as answer:
            assert (await answer.json())["listenUrl"] is None
        async with connect(call["listenUrl"]) as listener:
            assert json.loads(await listener.recv())
        async with connect(call["listenUrl"].replace("ticket=", "ticket=x")) as listener:
            await listener.wait_closed()
            assert listener.close_code == 4401


@pytest.mark.parametrize(("trusted", "status"), [(frozenset[str](), 403), (frozenset({"127.0.0.1"}), 201)])
async def test_only_a_named_proxy_is_believed(vapi: StandIn, tmp_path: Path, trusted: frozenset[str], status: int) -> None:
    async with (
        earshot(tmp_path, vapi, trusted_proxies=trusted, allowed_hosts=frozenset({"desk.example"})) as url,
        aiohttp.ClientSession() as session,
    ):
        headers = {"Host": "desk.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "Origin": "https://desk.example"}
        async with session.post(url + "/api/vapi_call", json={"to": NUMBER}, headers=headers) as answer:
            assert answer.status == status
            assert ("Strict-Transport-Security" in answer.headers) is (status == 201)
            if status == 201:
                assert (await answer.json())["listenUrl"].startswith("wss://desk.example/")


async def test_of_a_named_proxy_another_host_is_not_believed(vapi: StandIn, tmp_path: Path) -> None:
    proxied = {"Host": "desk.example", "X-Forwarded-Host": "evil.example"}
    async with (
        earshot(tmp_path, vapi, trusted_proxies=frozenset({"127.0.0.1"}), allowed_hosts=frozenset({"desk.example"})) as url,
        aiohttp.ClientSession(headers=proxied) as session,
    ):
        async with session.post(url + "/api/vapi_call", json={"to": NUMBER}) as answer:
            assert answer.status == 201
            assert "://desk.example/" in (await answer.json())["listenUrl"]
        async with session.get(url + "/", headers={"Host": "evil.example", "X-Forwarded-Host": "desk.example"}) as refused:
            assert refused.status == 400


@pytest.mark.slow
async def test_another_website_is_allowed_only_by_name(vapi: StandIn, tmp_path: Path) -> None:
    async with earshot(tmp_path, vapi, allowed_origins=frozenset({"https://crm.example"})) as url, aiohttp.ClientSession() as session:
        for origin, status in (("https://crm.example", 201), ("https://evil.example", 403), ("http://crm.example", 403)):
            async with session.post(
                url + "/api/vapi_call", json={"to": NUMBER, "allowDuplicate": True}, headers={"Origin": origin}
            ) as answer:
                assert answer.status == status
                assert (answer.headers.get("Access-Control-Allow-Origin") == origin) is (status == 201)
        preflight = {
            "Origin": "https://crm.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        }
        async with session.options(url + "/api/vapi_call", headers=preflight) as answer:
            assert answer.status == 200
        for method in sorted(set(re.findall(r"`(GET|POST|DELETE|PUT|PATCH) /api/", README.read_text()))):
            asked = preflight | {"Access-Control-Request-Method": method}
            async with session.options(url + "/api/calls", headers=asked) as answer:
                assert answer.status == 200, method
        async with session.get(url + "/", headers={"Origin": "https://crm.example"}) as page:
            assert page.status == 403
    async with earshot(tmp_path / "tokens", vapi, allowed_origins=frozenset({"https://crm.example"}), api_tokens=TOKENS) as url:
        async with aiohttp.ClientSession() as session, session.options(url + "/api/vapi_call", headers=preflight) as answer:
            assert answer.status == 200
        async with aiohttp.ClientSession() as session, session.get(url + "/api/calls", headers=preflight) as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (401, "https://crm.example")
    async with (
        earshot(tmp_path / "other", vapi) as url,
        aiohttp.ClientSession() as session,
        session.options(url + "/api/vapi_call", headers=preflight) as answer,
    ):
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("host", "password", "tokens", "safe"),
    [
        ("127.0.0.1", "", "", True),
        ("::1", "", "", True),
        ("localhost", "", "", True),
        ("0.0.0.0", "", "", False),
        ("192.168.1.5", PASSWORD, "", False),
        ("::", "", TOKENS, False),
        ("0.0.0.0", PASSWORD, TOKENS, True),
    ],
)
def test_wider_than_loopback_takes_both_password_and_tokens(host: str, password: str, tokens: str, safe: bool) -> None:
    settings = read_settings({"HOST": host, "EARSHOT_PASSWORD": password, "EARSHOT_API_TOKENS": tokens}, dotenv=None)
    if safe:
        require_safe(settings)
        return
    with pytest.raises(SettingsError, match="EARSHOT_") as refused:
        require_safe(settings)
    assert ("EARSHOT_PASSWORD" in str(refused.value)) is not bool(password)


@pytest.mark.parametrize("name", ["EARSHOT_TRUSTED_PROXIES", "EARSHOT_ALLOWED_HOSTS"])
def test_a_proxy_on_this_machine_makes_it_wider_too(name: str) -> None:
    with pytest.raises(SettingsError, match="EARSHOT_PASSWORD"):
        require_safe(read_settings({name: "10.0.0.1"}, dotenv=None))


@pytest.mark.process
async def test_the_app_refuses_to_start_unprotected(tmp_path: Path) -> None:
    assert "EARSHOT_PASSWORD and EARSHOT_API_TOKENS" in await refused(tmp_path, {"HOST": "0.0.0.0"})
