"""People join by a link, log in with name and password, and are gone at once when an owner says so."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.desk.desk import CallDesk
from services.domain.caps import Caps
from services.domain.client import PAGE
from services.domain.person import Role
from services.settings import read_settings
from services.support import passwords
from services.support.passwords import Passwords, TooManyWaiting
from services.web.access.authentication import require_safe
from services.web.access.sessions import COOKIE
from tests.patience import HANG_S
from tests.stand_in import StandIn
from tests.web.test_authentication import NUMBER, browser, earshot

PASSWORD = "a long password"


_full_hasher = passwords._hasher  # before tests/cheap_hashes.py replaces it


@pytest.fixture
def full_hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(passwords, "_hasher", _full_hasher)
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


class Site:
    """An Earshot with people, and its desk."""

    def __init__(self, url: str, desk: CallDesk) -> None:
        self.url = url
        self.desk = desk

    async def invite(self, name: str, role: Role, caps: Caps | None = None) -> str:
        _, code = await self.desk.people.invite(name, role, caps or Caps(), PAGE)
        return code

    async def join(self, session: aiohttp.ClientSession, code: str, password: str = PASSWORD, **fields: str) -> aiohttp.ClientResponse:
        return await self.post(session, "/join", code=code, password=password, **fields)

    async def log_in(self, session: aiohttp.ClientSession, name: str, password: str = PASSWORD) -> aiohttp.ClientResponse:
        return await self.post(session, "/login", name=name, password=password)

    async def post(self, session: aiohttp.ClientSession, path: str, **fields: str) -> aiohttp.ClientResponse:
        async with session.post(self.url + path, data=fields, allow_redirects=False) as answer:
            await answer.read()
            return answer

    async def status(self, session: aiohttp.ClientSession, path: str = "/api/calls") -> int:
        async with session.get(self.url + path, allow_redirects=False) as answer:
            return answer.status


@asynccontextmanager
async def site(folder: Path, vapi: StandIn, **settings: Any) -> AsyncIterator[Site]:
    desks: list[CallDesk] = []
    async with earshot(folder, vapi, opened=desks.append, people=True, **settings) as url:
        yield Site(url, desks[0])


async def member(here: Site, session: aiohttp.ClientSession, name: str, role: Role) -> str:
    """Has somebody join in this browser. Returns their id."""
    assert (await here.join(session, await here.invite(name, role))).status == 303
    person = here.desk.people.named(name)
    assert person
    return person.id


@pytest.mark.slow
async def test_a_person_joins_and_logs_in_with_name_and_password(vapi: StandIn, tmp_path: Path) -> None:
    async with site(tmp_path, vapi) as here, browser() as session, browser() as other:
        assert await here.status(session) == 401
        code = await here.invite("Ana Flores", Role.CALLER)
        async with session.get(f"{here.url}/join", params={"code": code}) as answer:
            page = await answer.text()
            assert (answer.status, answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == (200, "no-store", "same-origin")
        assert 'value="Ana Flores"' in page
        assert (await here.join(session, code, "short")).status == 422
        joined = await here.join(session, code)
        assert (joined.status, joined.headers["Location"]) == (303, "/")
        assert "HttpOnly" in joined.headers["Set-Cookie"]
        assert await here.status(session) == 200
        assert (await here.log_in(other, "Ana Flores", "wrong wrong")).status == 401
        assert (await here.log_in(other, "Nobody")).status == 401
        assert (await here.log_in(other, "", PASSWORD)).status == 401
        assert (await here.log_in(other, " ana FLORES ")).status == 303
        async with other.post(f"{here.url}/api/vapi_call", json={"to": NUMBER}) as answer:
            assert (answer.status, (await answer.json())["placedBy"]) == (201, "Ana Flores")


@pytest.mark.slow
async def test_the_page_exports_for_those_who_may_read_reports(vapi: StandIn, tmp_path: Path) -> None:
    async with site(tmp_path, vapi) as here, browser() as viewer, browser() as supervisor:
        await member(here, viewer, "Ana", Role.VIEWER)
        await member(here, supervisor, "Ben", Role.SUPERVISOR)
        for path in ("/calls.csv", "/insights.csv"):
            assert (await here.status(viewer, path), await here.status(supervisor, path)) == (403, 200)


async def test_a_link_is_used_up_once(vapi: StandIn, tmp_path: Path) -> None:
    async with site(tmp_path, vapi) as here, browser() as session, browser() as thief:
        code = await here.invite("Ana", Role.VIEWER)
        first, second = await asyncio.gather(here.join(session, code), here.join(thief, code))
        assert sorted([first.status, second.status]) == [303, 410]
        for path in (f"/join?code={code}", "/join", "/join?code=guessed", '/join?code="><script>'):
            async with thief.get(here.url + path) as answer:
                assert answer.status == 410
                assert "<script" not in await answer.text()


async def test_the_first_owner_chooses_a_name_which_is_shown_as_text(vapi: StandIn, tmp_path: Path) -> None:
    async with site(tmp_path, vapi) as here, browser() as session:
        code = await here.desk.people.first_link()
        answer = await here.join(session, code, name="page")
        assert answer.status == 422
        async with session.post(f"{here.url}/join", data={"code": code, "name": '"><b>', "password": "x"}) as refused:
            assert '"><b>' not in await refused.text()
        assert (await here.join(session, code, name="Ana")).status == 303
        assert await here.status(session, "/api/people") == 200


@pytest.mark.slow
async def test_a_planted_session_is_not_the_one_that_is_begun(vapi: StandIn, tmp_path: Path) -> None:
    async with site(tmp_path, vapi) as here, browser() as session:
        await member(here, session, "Ana", Role.VIEWER)
        planted = next(cookie.value for cookie in session.cookie_jar if cookie.key == COOKIE)
        await here.log_in(session, "Ana")
        assert planted != next(cookie.value for cookie in session.cookie_jar if cookie.key == COOKIE)
        async with aiohttp.ClientSession(cookies={COOKIE: planted}) as thief:
            assert await here.status(thief) == 401


@pytest.mark.slow
async def test_a_login_leads_to_no_other_website(vapi: StandIn, tmp_path: Path) -> None:
    async with site(tmp_path, vapi) as here, browser() as session:
        await member(here, session, "Ana", Role.VIEWER)
        for onward in ("https://evil.example/", "//evil.example", "/\\evil.example"):
            path = f"{here.url}/login"
            data = {"name": "Ana", "password": PASSWORD}
            async with session.post(path, params={"next": onward}, data=data, allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (303, "/")


@pytest.mark.slow
async def test_guessing_waits_and_others_do_not(vapi: StandIn, tmp_path: Path) -> None:
    async with site(tmp_path, vapi) as here, browser() as session:
        await here.join(session, await here.invite("Ana", Role.VIEWER))
        statuses = [(await here.log_in(session, "Ana", f"guess number {number}")).status for number in range(7)]
        assert statuses[:5] == [401] * 5
        answer = await here.log_in(session, "Ana")
        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.usefixtures("full_hashing")
@pytest.mark.slow
async def test_guesses_that_come_together_count_each(vapi: StandIn, tmp_path: Path) -> None:
    async with site(tmp_path, vapi) as here, browser() as session:
        await here.join(session, await here.invite("Ana", Role.VIEWER))
        answers = await asyncio.gather(*(here.log_in(session, "Ana", f"guess number {number}") for number in range(12)))
        assert sum(answer.status == 401 for answer in answers) <= 6


async def test_the_shared_password_is_an_owner_without_a_name(vapi: StandIn, tmp_path: Path) -> None:
    async with site(tmp_path, vapi, password="correct horse") as here, browser() as session:
        await here.invite("Ana", Role.VIEWER)
        assert (await here.log_in(session, "Ana", "correct horse")).status == 401
        assert (await here.log_in(session, "", "correct horse")).status == 303
        assert await here.status(session, "/api/people") == 200


@pytest.mark.slow
@pytest.mark.parametrize("end", ["disable", "remove", "role"])
async def test_a_person_is_out_at_once(vapi: StandIn, tmp_path: Path, end: str) -> None:
    async with site(tmp_path, vapi) as here, browser() as boss, browser() as session:
        await member(here, boss, "Boss", Role.OWNER)
        ana = await member(here, session, "Ana", Role.LISTENER)
        url = f"{here.url}/api/people/{ana}"
        async with asyncio.timeout(HANG_S), session.ws_connect(f"{here.url}/socket") as tab:
            await tab.send_str("still here?")
            assert await tab.receive_str() == "still here?"
            match end:
                case "disable":
                    change = boss.patch(url, json={"disabled": True})
                case "remove":
                    change = boss.delete(url)
                case _:
                    change = boss.patch(url, json={"role": "viewer"})
            async with change as answer:
                assert answer.status in (200, 204)
            message = await tab.receive()
            assert (message.type, tab.close_code) == (aiohttp.WSMsgType.CLOSE, 4401)
        assert await here.status(session) == 401
        assert (await here.log_in(session, "Ana")).status == (303 if end == "role" else 401)


@pytest.mark.slow
async def test_an_owner_invites_and_changes_people_over_rest(vapi: StandIn, tmp_path: Path) -> None:
    async with site(tmp_path, vapi) as here, browser() as boss, browser() as session:
        await member(here, boss, "Boss", Role.OWNER)
        caps = {"perHour": 3, "regions": ["US", "DE"], "record": False}
        async with boss.post(f"{here.url}/api/people", json={"name": "Ana", "role": "caller", "caps": caps}) as answer:
            made = await answer.json()
        assert answer.status == 201
        assert made["caps"] == {"perHour": 3, "perDay": None, "regions": ["DE", "US"], "record": False, "transfer": True}
        assert (made["signsInBy"], bool(made["linkExpiresAt"])) == (None, True)
        assert made["link"].startswith(f"{here.url}/join?code=")
        code = made["link"].partition("code=")[2]
        assert (await here.join(session, code)).status == 303
        async with boss.get(f"{here.url}/api/people") as answer:
            text = await answer.text()
            people = (await answer.json())["people"]
        assert [(one["name"], one["signsInBy"]) for one in people] == [("Ana", "password"), ("Boss", "password")]
        assert code not in text
        assert not re.search(r"argon2|digest|hash", text)
        async with boss.patch(f"{here.url}/api/people/{made['id']}", json={"caps": {}}) as answer:
            assert (await answer.json())["caps"]["perHour"] is None
        async with boss.delete(f"{here.url}/api/people/{people[1]['id']}") as answer:
            assert (answer.status, (await answer.json())["code"]) == (422, "last_owner")
        async with boss.post(f"{here.url}/api/people/{made['id']}/link") as answer:
            again = (await answer.json())["link"].partition("code=")[2]
        assert (await here.join(session, again, "another password")).status == 303
        assert (await here.log_in(session, "Ana")).status == 401
        async with boss.patch(f"{here.url}/api/people/none", json={"disabled": True}) as answer:
            assert (answer.status, (await answer.json())["code"]) == (404, "person_not_found")


async def test_without_passwords_nobody_is_invited(vapi: StandIn, tmp_path: Path) -> None:
    body = {"name": "Ana", "role": "viewer"}
    async with earshot(tmp_path, vapi) as url, browser() as session, session.post(f"{url}/api/people", json=body) as answer:
        assert (answer.status, (await answer.json())["code"]) == (503, "not_configured")


def test_people_make_it_safe_to_serve_other_machines() -> None:
    require_safe(read_settings({"HOST": "0.0.0.0", "EARSHOT_PEOPLE": "on"}, dotenv=None))


@pytest.mark.usefixtures("full_hashing")
@pytest.mark.slow
async def test_a_password_is_kept_as_an_argon2_hash_of_its_own() -> None:
    here = Passwords()
    one, two = await here.hash(PASSWORD), await here.hash(PASSWORD)
    assert one.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert one != two
    assert await here.fits(PASSWORD, one)
    assert not await here.fits("another", one)
    assert not await here.fits("", "")


@pytest.mark.usefixtures("full_hashing")
@pytest.mark.slow
async def test_hashing_leaves_the_loop_free_and_only_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_MOST_WAITING", 2)
    here, turns = Passwords(), 0
    work = [asyncio.create_task(here.hash(PASSWORD)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyWaiting):
        await here.hash(PASSWORD)
    while not all(task.done() for task in work):
        turns += 1
        await asyncio.sleep(0)
    assert turns > 3  # were the loop blocked, it would turn once for each
    assert await here.hash(PASSWORD)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["disable", "remove", "role"])
async def test_the_tokens_of_an_owner_end_with_them(vapi: StandIn, tmp_path: Path, end: str) -> None:
    async with site(tmp_path, vapi) as here, browser() as session, browser() as boss, aiohttp.ClientSession() as program:
        await member(here, boss, "Boss", Role.OWNER)
        ana = await member(here, session, "Ana", Role.OWNER)
        token = await here.desk.tokens.make("crm", ["read"], 30, here.desk.people.get(ana).client)
        kept = await here.desk.tokens.make("erp", ["read"], 30, PAGE)
        (made,) = [one for one in here.desk.tokens.all() if one.name == "crm"]
        over = asyncio.create_task(here.desk.tokens.over(made.id))
        headers = [{"Authorization": f"Bearer {one}"} for one in (token, kept)]

        async def statuses() -> list[int]:
            return [(await program.get(f"{here.url}/api/calls", headers=each)).status for each in headers]

        assert await statuses() == [200, 200]
        match end:
            case "disable":
                await here.desk.people.change(ana, PAGE, disabled=True)
            case "remove":
                await here.desk.people.remove(ana, PAGE)
            case _:
                await here.desk.people.change(ana, PAGE, role=Role.SUPERVISOR)
        assert await statuses() == [401, 200]
        await asyncio.wait_for(over, HANG_S)
