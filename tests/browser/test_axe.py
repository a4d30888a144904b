"""axe-core finds nothing to complain about in any state of the page, light or dark."""

from collections.abc import Iterator
from contextlib import suppress
from urllib.error import HTTPError

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Earshot, earshot_process
from tests.browser.states import ELSEWHERE, LOGIN, ON_THE_DEMO_LINE, Bring


def complaints(chromium: Browser, earshot: Earshot, bring: Bring) -> list[str]:
    """What axe says, each with the element that it means."""
    page = chromium.new_page(color_scheme="light", reduced_motion="reduce")
    page.goto(earshot.url)
    if "/login" not in page.url:
        page.wait_for_function("window.did_handshake === true")
    bring(page, earshot)
    found = [f"light: {line}" for line in violations(page)]
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {line}" for line in violations(page)]
    page.context.close()
    with suppress(HTTPError):
        earshot.end_all()
    return found


def violations(page: Page) -> Iterator[str]:
    for violation in Axe().run(page).response["violations"]:
        for node in violation["nodes"]:
            yield f"{violation['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"


@pytest.fixture(scope="module")
def with_login() -> Iterator[Earshot]:
    with earshot_process(EARSHOT_PASSWORD="correct horse") as earshot:
        yield earshot


@pytest.mark.parametrize("state", [state for state in ON_THE_DEMO_LINE if state != "stopped"])
def test_on_the_demo_line(chromium: Browser, earshot: Earshot, state: str) -> None:
    assert complaints(chromium, earshot, ON_THE_DEMO_LINE[state]) == []


def test_while_dialling_is_stopped(chromium: Browser, earshot: Earshot) -> None:
    try:
        assert complaints(chromium, earshot, ON_THE_DEMO_LINE["stopped"]) == []
    finally:
        earshot._ask("POST", "/api/dialling/resume")


@pytest.mark.parametrize("state", LOGIN)
def test_at_the_login(chromium: Browser, with_login: Earshot, state: str) -> None:
    assert complaints(chromium, with_login, LOGIN[state]) == []


@pytest.mark.parametrize("state", ELSEWHERE)
def test_where_something_is_amiss(chromium: Browser, state: str) -> None:
    bring, serving = ELSEWHERE[state]
    with serving() as earshot:
        assert complaints(chromium, earshot, bring) == []
