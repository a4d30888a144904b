"""Signing in at a real provider: the whole process, the provider's own forms, and what may go wrong between them."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

from tests.patience import HANG_S
from tests.ports import free_port
from tests.process import MAIN, refused, running, started
from tests.web.oidc.provider import SECRET, provider, provider_environ, to_callback

pytestmark = pytest.mark.process

CALLS = "/api/calls"
BEHIND_A_PROXY = "https://desk.example/calls"


@dataclass(frozen=True, slots=True)
class Site:
    """The provider, and an app that signs in there, of all tests; a test that sets up its own app does so at `own_port`."""

    issuer: str
    url: str
    own_port: int


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    port, own_port = free_port(), free_port()
    bases = [f"http://127.0.0.1:{port}", f"http://127.0.0.1:{own_port}", BEHIND_A_PROXY]
    with (
        provider(*bases) as issuer,
        started(MAIN, cwd=tmp_path_factory.mktemp("site"), environ=provider_environ(issuer), port=port) as app,
    ):
        app.wait_until_served()
        yield Site(issuer=issuer, url=app.url, own_port=own_port)


def browser() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def status(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url, allow_redirects=False) as answer:
        return answer.status


async def seen(session: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    async with session.get(url, allow_redirects=False) as answer:
        return answer.status, await answer.text()


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


async def logins(session: aiohttp.ClientSession, url: str, count: int) -> list[dict[str, str]]:
    """Those in the audit, newest first, once there are so many: they are written in the background."""
    async with asyncio.timeout(HANG_S):
        while True:
            async with session.get(url + "/api/audit") as answer:
                found = [entry for entry in (await answer.json())["entries"] if entry["action"] == "login"]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)


async def test_a_person_signs_in_with_the_role_that_the_provider_gives(tmp_path: Path, site: Site) -> None:
    async with running(tmp_path, provider_environ(site.issuer), port=site.own_port) as app, browser() as anna, browser() as ben:
        assert await status(anna, app.url + CALLS) == 401
        async with anna.get(app.url + "/") as page:
            assert "/login/provider" in await page.text()
            assert "password" not in await page.text()
        for person, name in ((anna, "anna"), (ben, "ben")):
            back = await to_callback(person, f"{app.url}/login/provider?next=/?to=1", name)
            code, page_text = await seen(person, back)
            assert (code, 'content="0;url=/?to=1"' in page_text) == (200, True)
            assert await status(person, app.url + CALLS) == 200
        async with ben.post(app.url + "/api/dialling/stop", json={}) as answer:
            assert (answer.status, (await answer.json())["code"]) == (403, "forbidden_scope")
        async with anna.post(app.url + "/api/dialling/stop", json={}) as answer:
            assert answer.status == 200
        found = await logins(anna, app.url, 2)
        assert [(entry["outcome"], entry["detail"]) for entry in found] == [("done", "provider")] * 2
        assert len({entry["who"] for entry in found}) == 2
        await asyncio.to_thread(app.stop)
    assert SECRET not in app.output
    assert "code=" not in app.output


async def test_who_has_no_role_is_told_so_and_stays_outside(tmp_path: Path, site: Site) -> None:
    async with running(tmp_path, provider_environ(site.issuer), port=site.own_port) as app, browser() as kim:
        code, text = await seen(kim, await to_callback(kim, f"{app.url}/login/provider", "kim"))
        assert (code, "you have no role in Earshot. Ask your administrator" in text) == (403, True)
        assert await status(kim, app.url + CALLS) == 401
        async with browser() as anna:
            await seen(anna, await to_callback(anna, f"{app.url}/login/provider", "anna"))
            found = await logins(anna, app.url, 2)
        assert [(entry["who"], entry["outcome"]) for entry in found[1:]] == [("page", "no_role")]


async def test_an_address_that_nobody_has_verified_gives_no_role(tmp_path: Path, site: Site) -> None:
    by_address = {"EARSHOT_OIDC_ROLE_CLAIM": "email", "EARSHOT_OIDC_ROLES": "owner=owner@example.com"}
    async with running(tmp_path, provider_environ(site.issuer) | by_address, port=site.own_port) as app, browser() as eve:
        code, _ = await seen(eve, await to_callback(eve, f"{app.url}/login/provider", "eve"))
        assert (code, await status(eve, app.url + CALLS)) == (403, 401)


async def test_an_answer_counts_once_and_only_in_the_browser_that_began(site: Site) -> None:
    async with browser() as anna, browser() as victim, browser() as late:
        back = await to_callback(anna, f"{site.url}/login/provider", "anna")
        await status(victim, f"{site.url}/login/provider")  # a sign-in of their own is under way
        for planted in (back, back.replace("state=", "state=x"), back.partition("?")[0]):
            code, text = await seen(victim, planted)
            assert (code, "was begun in another browser" in text) == (400, True)
        assert await status(victim, site.url + CALLS) == 401
        cookies = {cookie.key: cookie.value for cookie in anna.cookie_jar}
        assert await status(anna, back) == 200
        assert await status(anna, back) == 400  # its cookie is gone
        async with late.get(back, cookies={"earshot_sign_in": cookies["earshot_sign_in"]}) as answer:
            assert (answer.status, "could not be verified" in await answer.text()) == (400, True)
        assert await status(late, site.url + CALLS) == 401


async def test_who_cancels_there_or_whose_answer_names_another_issuer_stays_outside(site: Site) -> None:
    async with browser() as anna:
        back = await to_callback(anna, f"{site.url}/login/provider", "anna")
        foreign = query(back) | {"iss": "https://evil.example"}
        assert await status(anna, f"{site.url}/login/callback?{urlencode(foreign)}") == 400
        back = await to_callback(anna, f"{site.url}/login/provider", "anna")
        cancelled = {"state": query(back)["state"], "error": "access_denied", "iss": site.issuer}
        code, text = await seen(anna, f"{site.url}/login/callback?{urlencode(cancelled)}")
        assert (code, "or you cancelled" in text) == (403, True)
        assert await status(anna, site.url + CALLS) == 401


@pytest.mark.parametrize("place", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\tb"])
async def test_a_sign_in_leads_to_no_other_website(site: Site, place: str) -> None:
    async with browser() as anna:
        start = f"{site.url}/login/provider?{urlencode({'next': place})}"
        if "\t" in place:
            assert await status(anna, start) == 422
            return
        code, text = await seen(anna, await to_callback(anna, start, "anna"))
        assert (code, 'content="0;url=/"' in text, "evil" in text, "javascript" in text) == (200, True, False, False)


async def test_a_provider_that_is_down_is_said_in_words_and_nothing_else_breaks(tmp_path: Path) -> None:
    port, at = free_port(), free_port()
    base = f"http://127.0.0.1:{port}"
    async with running(tmp_path, provider_environ(f"http://localhost:{at}"), port=port) as app, browser() as anna:
        code, text = await seen(anna, f"{base}/login/provider")
        assert (code, "sign-in server does not answer" in text) == (502, True)
        with provider(base, port=at):
            back = await to_callback(anna, f"{base}/login/provider", "anna")
        code, text = await seen(anna, back)
        assert (code, "sign-in server does not answer" in text) == (502, True)
        assert await status(anna, f"{base}/health") == 200
        with provider(base, port=at):
            assert await status(anna, await to_callback(anna, f"{base}/login/provider", "anna")) == 200
        await asyncio.to_thread(app.stop)
    assert "sign-in failed (down)" in app.output


async def test_behind_a_proxy_and_below_a_path_the_provider_leads_back_there(tmp_path: Path, site: Site) -> None:
    environ = {
        "EARSHOT_ROOT_PATH": "/calls",
        "EARSHOT_ALLOWED_HOSTS": "desk.example",
        "EARSHOT_TRUSTED_PROXIES": "127.0.0.1",
        "EARSHOT_API_TOKENS": f"ops:read:{'0' * 64}",
    }
    headers = {"Host": "desk.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example"}
    async with running(tmp_path, provider_environ(site.issuer) | environ) as app, browser() as anna:
        async with anna.get(f"{app.url}/calls/login/provider", headers=headers, allow_redirects=False) as answer:
            asked, cookie = query(answer.headers["Location"]), answer.headers["Set-Cookie"]
        assert asked["redirect_uri"] == f"{BEHIND_A_PROXY}/login/callback"
        assert (asked["code_challenge_method"], asked["response_type"]) == ("S256", "code")
        assert {part.strip() for part in cookie.split(";")} >= {"Secure", "HttpOnly", "SameSite=lax", "Path=/calls/login"}
        begun = answer.headers["Location"]
        back = await to_callback(anna, begun, "anna")
        there = f"{app.url}/calls/login/callback?{urlsplit(back).query}"
        async with anna.get(there, headers=headers | {"Cookie": cookie.partition(";")[0]}) as answer:
            assert (answer.status, 'content="0;url=/calls/"' in await answer.text()) == (200, True)


async def test_a_logout_leads_out_of_the_provider_too(site: Site) -> None:
    async with browser() as anna, browser() as stranger:
        assert await status(anna, await to_callback(anna, f"{site.url}/login/provider", "anna")) == 200
        async with anna.post(f"{site.url}/logout", allow_redirects=False) as answer:
            assert answer.status == 303
        assert await status(anna, site.url + CALLS) == 401
        async with anna.get(f"{site.url}/login/over", allow_redirects=False) as answer:
            place = answer.headers["Location"]
        assert place.startswith(f"{site.issuer}/session/end?")
        assert (query(place)["post_logout_redirect_uri"], "id_token_hint" in query(place)) == (f"{site.url}/login", True)
        assert await status(anna, place) == 200  # the provider accepts the hint and the address
        async with stranger.get(f"{site.url}/login/over", allow_redirects=False) as answer:
            assert answer.headers["Location"] == f"{site.url}/login"


async def test_a_provider_without_roles_or_without_an_id_lets_nobody_start(tmp_path: Path) -> None:
    said = await refused(tmp_path, {"EARSHOT_OIDC_ISSUER": "https://login.example"})
    assert "EARSHOT_OIDC_CLIENT_ID and EARSHOT_OIDC_ROLES must be set too" in said
    said = await refused(tmp_path, {"EARSHOT_OIDC_ISSUER": "http://login.example"})
    assert "must be an https address" in said
