"""axe-core finds nothing to complain about in any state of the page, light or dark."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.error import HTTPError

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Earshot, earshot_process
from tests.browser.states import ELSEWHERE, LOGIN, ON_THE_DEMO_LINE, Bring

OF_COLOURS = ("color-contrast", "link-in-text-block")
"""In the dark nothing else differs."""


def complaints(tabs: Callable[[str], Page], earshot: Earshot, bring: Bring) -> list[str]:
    """What axe says, each with the element that it means."""
    page = tabs(earshot.url)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(earshot.url)
    if "/login" not in page.url:
        page.wait_for_function("window.did_handshake === true")
    bring(page, earshot)
    found = [f"light: {line}" for line in violations(page)]
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {line}" for line in violations(page, *OF_COLOURS)]
    page.close()
    with suppress(HTTPError):
        earshot.end_all()
    return found


def violations(page: Page, *rules: str) -> Iterator[str]:
    """By all rules, or by these."""
    options = {"runOnly": {"type": "rule", "values": rules}} if rules else None
    for violation in Axe().run(page, options=options).response["violations"]:
        for node in violation["nodes"]:
            yield f"{violation['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"


@pytest.fixture(scope="module")
def with_login() -> Iterator[Earshot]:
    with earshot_process(EARSHOT_PASSWORD="correct horse") as earshot:
        yield earshot


@pytest.mark.parametrize("state", [state for state in ON_THE_DEMO_LINE if state != "stopped"])
def test_on_the_demo_line(tabs: Callable[[str], Page], earshot: Earshot, state: str) -> None:
    assert complaints(tabs, earshot, ON_THE_DEMO_LINE[state]) == []


def test_while_dialling_is_stopped(tabs: Callable[[str], Page], earshot: Earshot) -> None:
    try:
        assert complaints(tabs, earshot, ON_THE_DEMO_LINE["stopped"]) == []
    finally:
        earshot._ask("POST", "/api/dialling/resume")


@pytest.mark.parametrize("state", LOGIN)
def test_at_the_login(tabs: Callable[[str], Page], with_login: Earshot, state: str) -> None:
    assert complaints(tabs, with_login, LOGIN[state]) == []


@pytest.mark.parametrize("state", ELSEWHERE)
def test_where_something_is_amiss(tabs: Callable[[str], Page], state: str) -> None:
    bring, serving = ELSEWHERE[state]
    with serving() as earshot:
        assert complaints(tabs, earshot, bring) == []
