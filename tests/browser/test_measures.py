"""The line that says how a conversation goes: live, and after the call in words."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Open, earshot_process
from tests.browser.test_page import PATIENCE, dial, part, see_status
from tests.browser.test_vapi_replay import until


@pytest.fixture(scope="module")
def earshot() -> Iterator[Earshot]:
    with earshot_process(EARSHOT_MEASURE="on") as earshot:
        yield earshot


def test_how_a_conversation_goes_is_said_live_and_afterwards_with_the_figures_of_rest(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    dial(page)
    line = part(page, "measures")
    expect(line).to_contain_text(re.compile(r"Answers after \d\.\d s"), timeout=PATIENCE)
    expect(line).to_contain_text(re.compile(r"customer talks \d+%"))
    expect(line.get_by_role("button")).to_have_count(0)  # there is nothing to hear again yet
    part(page, "call-end").click()
    see_status(page, CallStatus.ENDED)
    expect(line).to_contain_text(re.compile(r"no interruptions|\d interruption"), timeout=PATIENCE)
    call = earshot.calls()[0]["id"]

    def said() -> list[str]:
        figures = earshot._ask("GET", f"/api/calls/{call}/measures")
        return [f"{figures['responseTime']['assistant']['median']:.1f} s", f"customer talks {figures['talkShare']['customer']:.0%}"]

    until(lambda: all(text in line.inner_text() for text in said()))  # the last second of figures comes after the end
    page.reload()
    for text in said():
        expect(line).to_contain_text(text)
