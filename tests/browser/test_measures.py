"""The line that says how a conversation goes: live, and after the call in words."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Position, expect

from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Open, earshot_process
from tests.browser.test_page import PATIENCE, dial, part, see_status
from tests.browser.test_vapi_replay import until


@pytest.fixture(scope="module")
def earshot() -> Iterator[Earshot]:
    with earshot_process(EARSHOT_MEASURE="on", EARSHOT_RECORD="on") as earshot:
        yield earshot


def test_how_a_conversation_goes_is_said_and_marked_live_and_after_the_call(earshot: Earshot, open_tab: Open) -> None:
    page = open_tab(earshot.url)
    dial(page)
    line, lane = part(page, "measures"), page.locator(".lane.a .wave")
    answered = re.compile(r"^Assistant answered after \d\.\d s$")
    expect(line).to_contain_text(re.compile(r"Answers after \d\.\d s"), timeout=PATIENCE)
    expect(line).to_contain_text(re.compile(r"customer talks \d+%"))
    expect(line.get_by_role("button")).to_have_count(0)  # there is nothing to hear again yet
    until(lambda: any(answered.match(text) for text in hovered(page, lane)))
    page.locator(".bubble.assistant[data-final=true]").first.wait_for(timeout=PATIENCE)
    part(page, "call-end").click()
    see_status(page, CallStatus.ENDED)
    expect(line).to_contain_text(re.compile(r"no interruptions|\d interruption"), timeout=PATIENCE)
    call = earshot.calls()[0]["id"]

    def measures() -> dict[str, Any]:
        return earshot._ask("GET", f"/api/calls/{call}/measures")

    def told() -> list[str]:
        figures = measures()
        return [f"{figures['responseTime']['assistant']['median']:.1f} s", f"customer talks {figures['talkShare']['customer']:.0%}"]

    until(lambda: all(text in line.inner_text() for text in told()))  # the last second of figures comes after the end
    waits = [turn for turn in measures()["turns"] if turn["speaker"] == "assistant" and (turn["responseSeconds"] or 0) > 0.05]
    said = [f"answered after {turn['responseSeconds']:.1f} s" for turn in waits]
    expect(page.locator(".transcript .bubble.assistant .turn-figure").first).to_have_text(said[0], timeout=PATIENCE)
    assert set(page.locator(".transcript .bubble.assistant .turn-figure").all_inner_texts()) <= {*said, "answered at once"}
    see_the_turns_in_the_replay(page, waits)

    page.reload()
    for text in told():
        expect(line).to_contain_text(text)


def see_the_turns_in_the_replay(page: Page, waits: list[dict[str, Any]]) -> None:
    part(page, "replay-open").click()
    replay, first = part(page, "replay"), f"answered after {waits[0]['responseSeconds']:.1f} s"
    expect(replay).to_have_attribute("data-state", "paused")
    expect(replay.locator(".replay-key")).to_be_visible()
    expect(replay.locator(".replay-lines .assistant .turn-figure").first).to_have_text(first)
    wave = part(page, "replay-wave")
    box = wave.bounding_box()
    assert box
    seconds = float(str(wave.get_attribute("aria-valuemax")))
    answer = max(waits, key=lambda turn: turn["responseSeconds"])
    ended = answer["start"] - answer["responseSeconds"]
    at = box["width"] * (answer["start"] - answer["responseSeconds"] / 2) / seconds
    mark: Position = {"x": at, "y": box["height"] - 7}  # within the waveform: what comes late above it moves it
    wave.hover(position=mark)
    expect(replay.locator(".replay-pointed")).to_contain_text(f"Assistant answered after {answer['responseSeconds']:.1f} s")
    wave.click(position=mark)
    expect(part(page, "replay-time")).to_have_text(f"0:{int(ended + 0.01):02}")
    wave.hover(position={"x": at, "y": box["height"] * 0.75})
    expect(replay.locator(".replay-pointed")).not_to_contain_text("answered")


def hovered(page: Page, lane: Locator) -> list[str]:
    """What a pointer along the foot of a lane is told."""
    box = lane.bounding_box()
    assert box
    found = []
    for x in range(4, int(box["width"]), 8):
        page.mouse.move(box["x"] + x, box["y"] + box["height"] - 9)
        found.append(lane.get_attribute("title") or "")
    return found
