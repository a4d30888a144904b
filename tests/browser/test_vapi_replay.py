"""Vapi's own recording of a call of the demo line, replayed in the page."""

import json
import time
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Earshot, Open
from tests.browser.seen import Seen
from tests.browser.test_replay import fetched
from tests.patience import HANG_S

SPOKEN_S = 8  # both have spoken by then


def until(came: Callable[[], bool]) -> None:
    give_up = time.monotonic() + HANG_S
    while not came():
        assert time.monotonic() < give_up
        time.sleep(0.1)


def answered(earshot: Earshot, call_id: str) -> bool:
    return any(call["id"] == call_id and call["startedAt"] for call in earshot.calls())


def test_vapi_s_recording_is_heard_in_the_page(earshot: Earshot, open_tab: Open) -> None:
    call = earshot.place("+14155552671")["id"]
    until(lambda: answered(earshot, call))
    time.sleep(SPOKEN_S)
    earshot.end_all()
    until(lambda: bool(json.loads(fetched(f"{earshot.url}/api/calls/{call}/transcript"))["lines"]))
    page = open_tab(f"{earshot.url}/?call={call}")
    recorded = page.get_by_test_id("vapi-recorded")
    recorded.get_by_test_id("vapi-replay-open").click()
    replay = recorded.get_by_test_id("replay")
    expect(replay).to_have_attribute("data-state", "paused")
    expect(replay.locator(".replay-name")).to_have_text(["Customer", "Assistant"])
    clock = Seen(page.get_by_test_id("replay-time"))
    replay.get_by_test_id("replay-play").click()
    clock.wait("0:02")
    expect(replay.locator(".replay-lines li").first).to_be_visible()
    with page.expect_download() as saved:
        recorded.get_by_role("link", name="Download").click()
    assert saved.value.suggested_filename == f"call-{call}-vapi.wav"
    assert saved.value.path().stat().st_size > SPOKEN_S * 64_000
