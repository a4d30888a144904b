"""People on the page: the first owner, an invitation, and which buttons each role has."""

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from services.domain.person import Role
from tests.browser.conftest import ROOT, Quiet, quiet_process
from tests.browser.tabs import Tabs
from tests.desk.ending.test_end_in_outage import outage
from tests.process import started

NUMBERS = (f"+1415555{tail}" for tail in count(2671))
PASSWORD = "a long password"
SHARED = "correct horse"

ALWAYS = {"settings", "present", "call-status"}
LISTENS = {"listen-toggle"}
CALLS = {"dial-number", "dial-call", "contacts"}
CONTROLS = {"call-end", "record", "say-send", "note-add", "tag-add"}
SUPERVISES = {"safety"}
SEEN: dict[Role, set[str]] = {
    Role.VIEWER: ALWAYS,
    Role.LISTENER: ALWAYS | LISTENS,
    Role.CALLER: ALWAYS | LISTENS | CALLS,  # the call is somebody else's
    Role.SUPERVISOR: ALWAYS | LISTENS | CALLS | CONTROLS | SUPERVISES,
    Role.OWNER: ALWAYS | LISTENS | CALLS | CONTROLS | SUPERVISES,
}
"""What each role sees of a running call that somebody else placed."""
ALL = set[str]().union(*SEEN.values())
OWNERS = {"people", "api-tokens", "event-webhooks", "settings-audit"}
"""What only owners see in the settings."""

_VISIBLE = "() => [...document.querySelectorAll('[data-testid]')].filter((it) => it.checkVisibility()).map((it) => it.dataset.testid)"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Quiet, Path]]:
    """An Earshot for people, and its journal."""
    data = tmp_path_factory.mktemp("people")
    with quiet_process(EARSHOT_PEOPLE="on", EARSHOT_PASSWORD=SHARED, EARSHOT_DATA_DIR=str(data)) as earshot:
        yield earshot, next(data.rglob("*.sqlite"))


@pytest.fixture
def url(served: tuple[Quiet, Path]) -> str:
    return served[0].url


@pytest.fixture
def boss(url: str, chromium: Browser, profiles: tuple[Tabs, Tabs]) -> Iterator[Page]:
    """A tab of an owner. No call goes on afterwards, and only owners are left: the last one with a login can't be removed."""
    page = profiles[0].open(chromium, url)
    assert page.request.post(f"{url}/login", form={"password": SHARED}).ok
    yield page
    for call in page.request.get(f"{url}/api/calls").json()["calls"]:
        assert call["status"] == "ended" or page.request.post(f"{url}/api/calls/{call['id']}/end").ok
    for person in page.request.get(f"{url}/api/people").json()["people"]:
        assert person["role"] == Role.OWNER or page.request.delete(f"{url}/api/people/{person['id']}").ok


@pytest.fixture
def other(url: str, boss: Page, chromium: Browser, profiles: tuple[Tabs, Tabs]) -> Iterator[Page]:
    """A tab of another browser."""
    page = profiles[1].open(chromium, url)
    yield page
    page.close()  # before `boss` removes whose it is, which leads it to the login: to close a tab on its way there may take forever


def invited(boss: Page, url: str, role: Role, name: str = "Ana") -> str:
    """The link for a new person."""
    answer = boss.request.post(f"{url}/api/people", data={"name": name, "role": role.value})
    return str(answer.json()["link"])


def ready(page: Page) -> Page:
    page.wait_for_function("window.did_handshake === true")
    return page


def join(page: Page, link: str, name: str = "") -> Page:
    """Chooses the password behind a one-time link."""
    page.goto(link)
    if name:
        page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Save and log in").click()
    return ready(page)


def enter(page: Page, url: str, link: str) -> None:
    """The same without the page that comes after it."""
    page.context.clear_cookies()
    code = parse_qs(urlsplit(link).query)["code"][0]
    assert page.request.post(f"{url}/join", form={"code": code, "password": PASSWORD}, max_redirects=0).status == 303


def test_the_first_owner_comes_by_the_log_and_changes_people(tmp_path: Path, chromium: Browser, profiles: tuple[Tabs, Tabs]) -> None:
    with started(str(ROOT / "main.py"), cwd=tmp_path, environ={"EARSHOT_PEOPLE": "on"}) as process:
        process.wait_until_served()
        found = re.search(r"open (http://\S+/join\?code=\S+) to become", process.written())
        assert found, process.written()
        page, guest = (profile.open(chromium, process.url) for profile in profiles)
        join(page, found[1], "Olga")
        page.get_by_test_id("settings").click()
        people = page.get_by_test_id("people")
        people.get_by_text("People", exact=True).click()
        page.get_by_test_id("person-name").fill("Ben")
        page.get_by_test_id("person-invite").click()
        expect(page.get_by_test_id("person-link")).to_contain_text("/join?code=")
        link = page.get_by_test_id("person-link").text_content() or ""
        expect(people.get_by_test_id("person")).to_have_count(2)
        join(guest, link)
        expect(guest.get_by_test_id("settings")).to_be_visible()
        expect(guest.get_by_test_id("dial-number")).to_be_hidden()  # a viewer
        expect(people.get_by_text("has not opened the link")).to_have_count(0)
        row = people.get_by_test_id("person").filter(has_text="Ben")
        row.get_by_text("Change Ben").click()
        row.get_by_role("button", name="Disable").click()
        expect(guest).to_have_title("Log in – Earshot")
        row.get_by_text("Change Ben").click()
        row.get_by_role("button", name="Remove").dblclick()  # one press
        row.get_by_role("button", name="Press again to remove").click()
        expect(people.get_by_test_id("person")).to_have_count(1)
        see_what_is_half_typed_for_a_person_stay_when_another_changes(page, people, process.url)
        page.close()
        guest.close()
        process.stop()
    assert "Traceback" not in process.output
    assert PASSWORD not in process.output


def see_what_is_half_typed_for_a_person_stay_when_another_changes(page: Page, people: Locator, url: str) -> None:
    made = {name: page.request.post(f"{url}/api/people", data={"name": name, "role": "viewer"}).json() for name in ("Ben", "Cem")}
    rows = people.get_by_test_id("person").filter(has_not_text="Olga")  # the last one by name
    expect(rows).to_have_count(2)
    rows.nth(0).get_by_text("Change Ben").click()
    typed = rows.nth(0).locator("input[name=per_hour]")
    typed.fill("7")
    assert page.request.delete(f"{url}/api/people/{made['Cem']['id']}").ok
    expect(rows).to_have_count(1)
    assert page.request.post(f"{url}/api/people", data={"name": "Dana", "role": "viewer"}).ok
    expect(rows).to_have_count(2)
    expect(typed).to_have_value("7")
    assert page.request.post(f"{url}/api/people", data={"name": "Ada", "role": "viewer"}).ok
    expect(rows.nth(0)).to_contain_text("Ada")
    expect(rows.nth(1).locator("input[name=per_hour]")).to_have_value("7")
    assert page.request.patch(f"{url}/api/people/{made['Ben']['id']}", data={"role": "caller"}).ok
    expect(rows.nth(1).locator("input[name=per_hour]")).to_have_value("")


@pytest.mark.slow
def test_each_role_sees_the_buttons_that_it_may_use(url: str, boss: Page, other: Page) -> None:
    links = {role: invited(boss, url, role, f"The {role}") for role in Role}
    call = boss.request.post(f"{url}/api/vapi_call", data={"to": next(NUMBERS)}).json()
    for role, link in links.items():
        enter(other, url, link)
        other.goto(f"{url}/?call={call['id']}")
        ready(other)
        expect(other.get_by_test_id("call-status")).to_have_attribute("data-status", "in-progress")
        for testid in SEEN[role]:
            expect(other.get_by_test_id(testid), role).to_be_visible()
        assert set(other.evaluate(_VISIBLE)) & ALL == SEEN[role], role
        other.get_by_test_id("settings").click()
        expect(other.get_by_role("button", name="Log out")).to_be_visible()
        assert set(other.evaluate(_VISIBLE)) & OWNERS == (OWNERS if role is Role.OWNER else set()), role
        see_the_pages_that_a_role_may_read(other, url, role)


def see_the_pages_that_a_role_may_read(page: Page, url: str, role: Role) -> None:
    for path, readers in (("/insights", (Role.SUPERVISOR, Role.OWNER)), ("/audit", (Role.OWNER,))):
        text = page.request.get(f"{url}{path}").text()
        assert ("Your role does not allow this" in text) == (role not in readers), (path, role)
    assert page.request.get(f"{url}/audit.csv").status == (200 if role is Role.OWNER else 403), role
    if role is Role.SUPERVISOR:
        page.goto(f"{url}/insights")
        expect(page.get_by_test_id("insights-totals")).to_be_visible()
        expect(page.get_by_text("Your role does not allow this")).to_have_count(0)
        page.goto(f"{url}/audit")
        expect(page.get_by_text("Your role does not allow this")).to_be_visible()
        expect(page.get_by_test_id("audit-entries")).to_have_count(0)
    elif role is Role.OWNER:
        page.goto(f"{url}/audit")
        expect(page.get_by_test_id("audit-entries")).to_contain_text("Person invited")


def test_a_caller_steers_and_ends_the_call_that_they_placed(url: str, served: tuple[Quiet, Path], boss: Page, other: Page) -> None:
    page = join(other, invited(boss, url, Role.CALLER))
    page.get_by_test_id("dial-number").fill(next(NUMBERS))
    page.get_by_test_id("dial-call").click()
    steering = page.get_by_label("Steer the call")
    expect(steering.get_by_test_id("say-send")).to_be_visible()
    expect(page.get_by_test_id("transfer-send")).to_be_hidden()
    expect(steering.get_by_text("Transfer", exact=True)).to_have_count(0)
    expect(page.get_by_test_id("call-status")).to_have_attribute("data-status", "in-progress")
    with outage(served[1]):  # the journal can't be read
        page.reload()
        expect(page.get_by_test_id("call-end")).to_be_visible()
        expect(page.get_by_test_id("say-send")).to_be_hidden()
        expect(page.get_by_role("alert")).to_have_count(1)
    expect(page.get_by_test_id("say-send")).to_be_visible()  # as soon as it can be read again
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_test_id("call-end").click()
    expect(page.get_by_test_id("call-status")).to_have_attribute("data-status", "ended")
    expect(page.get_by_test_id("delete-data")).to_be_hidden()
