"""An assistant asks to place a call: every open page shows it, one press calls or refuses, and the call says who placed it."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Earshot, Open, quiet_process
from tests.web.assistants import Answer, assistant

NUMBER = "+14155552671"


@pytest.fixture
def earshot() -> Iterator[Earshot]:
    """One of its own: once it has a token, it wants one of all."""
    with quiet_process() as served:
        yield served


@pytest.fixture
def asking() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as threads:
        yield threads


def place(asking: ThreadPoolExecutor, earshot: Earshot, token: str, **arguments: Any) -> "Future[Answer]":
    async def ask() -> Answer:
        async with assistant(earshot.url, token) as agent:
            return await agent.ask("place_call", **{"to": NUMBER, "waitSeconds": 50, **arguments})

    return asking.submit(asyncio.run, ask())


def make_token(page: Page, name: str, *, unasked: bool = False) -> str:
    page.get_by_test_id("settings").click()
    expect(page.get_by_text("API tokens")).to_be_visible()
    if not page.get_by_test_id("token-name").is_visible():  # it stays open
        page.get_by_text("API tokens").click()
    page.get_by_test_id("token-name").fill(name)
    for scope in ("mcp", "call", "read"):
        page.get_by_label(scope, exact=True).check()
    if unasked:
        page.get_by_test_id("token-unasked").check()
    page.get_by_test_id("token-make").click()
    shown = page.get_by_test_id("made-token")
    expect(shown).to_contain_text("earshot_")
    token = shown.text_content() or ""
    page.keyboard.press("Escape")
    return token


def test_it_is_asked_on_every_page_and_called_or_refused_or_not_asked_at_all(
    earshot: Earshot, open_tab: Open, asking: ThreadPoolExecutor
) -> None:
    one, other = open_tab(earshot.url), open_tab(earshot.url)
    see_one_press_call(one, other, earshot, asking)
    other.close()
    see_a_call_refused(one, earshot, asking)
    see_refuse_count_right_after_call(one, earshot, asking)
    see_a_token_call_unasked_that_was_made_so(one, earshot, asking)


def see_one_press_call(one: Page, other: Page, earshot: Earshot, asking: ThreadPoolExecutor) -> None:
    token = make_token(one, "agent")
    placing = place(asking, earshot, token, firstMessage="Hello <b>Dana</b>")
    for page in (one, other):
        question = page.get_by_test_id("dial-question")
        expect(question).to_contain_text("agent wants to call +1 415-555-2671")
        expect(question).to_contain_text("It would begin: “Hello <b>Dana</b>”")
    other.get_by_test_id("dial-agree").dblclick()
    error, call = placing.result(timeout=60)
    assert (error, call["placedBy"], call["byMachine"]) == (False, "agent", True)
    for page in (one, other):
        expect(page.get_by_test_id("dial-question")).to_have_count(0)
    expect(other.get_by_role("alert")).to_have_count(0)  # nobody else was faster
    one.locator(f".row[data-call='{call['id']}']").click()
    expect(one.locator(".stage")).to_contain_text("placed by the assistant agent")
    expect(one.get_by_test_id("timeline")).to_contain_text("Placed the call over MCP")
    expect(one.get_by_test_id("timeline")).to_contain_text("Confirmed the call of agent")


def see_a_call_refused(page: Page, earshot: Earshot, asking: ThreadPoolExecutor) -> None:
    token = make_token(page, "refused")
    speaker = {"model": {"provider": "openai", "model": "gpt-4o"}, "firstMessage": "Good morning."}
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    placing = place(asking, earshot, token, to="+14155552672", assistant=speaker, earliestAt=tomorrow, recordingAgreed=True)
    question = page.get_by_test_id("dial-question")
    expect(question).to_contain_text("It would begin: “Good morning.”")
    expect(question).to_contain_text("refused says that recording the call is agreed.")
    expect(page.get_by_test_id("dial-time")).to_contain_text("Begins: ")
    expect(page.get_by_test_id("dial-time").locator("time")).to_have_attribute("datetime", re.compile(tomorrow[:10]))
    page.get_by_test_id("dial-refuse").click()
    error, problem = placing.result(timeout=60)
    assert (error, problem["code"]) == (True, "dial_refused")
    expect(page.get_by_test_id("dial-question")).to_have_count(0)


def see_refuse_count_right_after_call(page: Page, earshot: Earshot, asking: ThreadPoolExecutor) -> None:
    """Whoever sees at once that they pressed the wrong button: the press on Call still waits for the browser's clocks."""
    token = make_token(page, "hasty")
    placing = place(asking, earshot, token, to="+14155552674")
    expect(page.get_by_test_id("dial-question")).to_be_visible()
    page.evaluate("for (const name of ['agree', 'refuse']) document.querySelector(`[data-testid=dial-${name}]`).click()")
    error, problem = placing.result(timeout=60)
    assert (error, problem["code"]) == (True, "dial_refused")
    expect(page.get_by_test_id("dial-question")).to_have_count(0)


def see_a_token_call_unasked_that_was_made_so(page: Page, earshot: Earshot, asking: ThreadPoolExecutor) -> None:
    token = make_token(page, "unasked", unasked=True)
    error, call = place(asking, earshot, token, to="+14155552673").result(timeout=60)
    assert not error, call
    expect(page.get_by_test_id("dial-question")).to_have_count(0)
