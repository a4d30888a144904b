"""What is said, as it is said: bubbles that grow, that stay text, and that a reader can leave, copy and take along."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal
from playwright.sync_api import expect

from tests.browser.conftest import Earshot, Open, earshot_process
from tests.browser.lines import scripted
from tests.browser.test_page import part
from tests.process import vapi_environ
from tests.stand_in import StandIn


def said(role: str, text: str, *, final: bool = True) -> dict[str, Any]:
    return {"type": "transcript", "role": role, "transcriptType": "final" if final else "partial", "transcript": text}


@pytest.fixture(scope="module")
def line() -> Iterator[tuple[Earshot, StandIn, BlockingPortal]]:
    with (
        scripted() as (vapi, portal),
        earshot_process(**vapi_environ(vapi.url), EARSHOT_ALLOWED_REGIONS="*", EARSHOT_CALLS_PER_HOUR="100") as earshot,
    ):
        yield earshot, vapi, portal


class Shown:
    """A page that shows an answered call, and what happens in it."""

    def __init__(self, open_tab: Open, earshot: Earshot, vapi: StandIn, portal: BlockingPortal) -> None:
        self._earshot, self._vapi, self._portal = earshot, vapi, portal
        self.page = open_tab(f"{earshot.url}/?call={self._answered()}")
        self.transcript = part(self.page, "transcript")
        self._see_answered()

    def _answered(self) -> str:
        self._call = str(self._earshot.place("+14155552671")["id"])
        self.move("in-progress", startedAt=self._vapi.calls[self._call]["createdAt"])
        return self._call

    def another(self) -> None:
        """Ends the call, and shows another one."""
        self._earshot.end_all()
        self.page.locator(f".row[data-call='{self._answered()}']").click()
        expect(self.page).to_have_url(f"{self._earshot.url}/?call={self._call}")
        self._see_answered()

    def _see_answered(self) -> None:
        expect(self.transcript).to_contain_text("Nobody has spoken yet.")
        expect(part(self.page, "call-status")).to_have_text("Answered", timeout=60_000)

    def tell(self, *events: dict[str, Any]) -> None:
        self._portal.call(self._vapi.tell, self._call, *events)

    def move(self, status: str, **fields: Any) -> None:
        self._portal.call(lambda: self._vapi.move(self._call, status, **fields))

    def bubbles(self) -> list[str]:
        return self.transcript.locator(".said").all_inner_texts()


@pytest.fixture
def shown(line: tuple[Earshot, StandIn, BlockingPortal], open_tab: Open) -> Iterator[Shown]:
    yield Shown(open_tab, *line)
    line[0].end_all()


def test_what_is_said_as_it_is_said(shown: Shown) -> None:
    """Each in a call of its own."""
    see_partials_grow_in_one_bubble_and_nobody_need_to_listen(shown)
    shown.another()
    see_tools_assistants_and_interruptions_between_the_bubbles(shown)
    shown.another()
    see_screen_readers_hear_finished_lines_alone(shown)
    shown.another()
    see_markup_as_text(shown)
    shown.another()
    see_in_the_list_who_speaks(shown)


def test_a_reader_leaves_it_and_comes_back_and_takes_it_along(shown: Shown) -> None:
    """Each in a call of its own."""
    see_who_scrolled_up_stay_there_and_told_of_news(shown)
    shown.another()
    see_the_newest_line_stay_in_sight_if_its_window_shrinks_as_it_comes(shown)
    shown.another()
    see_it_taken_along(shown)


def test_what_vapi_tells_of_a_call_after_its_end(shown: Shown) -> None:
    """Each of a call of its own."""
    see_nobody_in_the_middle_of_a_line_and_vapis_own_account_take_over(shown)
    shown.another()
    see_what_vapi_found_out_below_the_outcome(shown)
    shown.another()
    see_no_harm_by_half_an_emoji_and_what_turns_text_around(shown)


def see_partials_grow_in_one_bubble_and_nobody_need_to_listen(shown: Shown) -> None:
    for text in ("Hi", "Hi, this", "Hi, this is Riley"):
        shown.tell(said("assistant", text, final=False))
        expect(shown.transcript.locator(".bubble.open.assistant .said")).to_have_text(text)
    shown.tell(said("user", "Hello?"), said("assistant", "Hi, this is Riley."))
    expect(shown.transcript.locator(".bubble.open")).to_have_count(0)
    assert shown.bubbles() == ["Hi, this is Riley.", "Hello?"]
    expect(part(shown.page, "player-state")).to_have_attribute("data-state", "idle")


def see_nobody_in_the_middle_of_a_line_and_vapis_own_account_take_over(shown: Shown) -> None:
    shown.tell(said("user", "Hello?"), said("assistant", "Hi, this", final=False))
    expect(shown.transcript.locator(".bubble.open .said")).to_have_text("Hi, this")
    shown.move("ended", endedReason="customer-ended-call")
    expect(part(shown.page, "call-status")).to_have_text("Ended", timeout=60_000)
    expect(shown.transcript.locator(".bubble.open")).to_have_count(0)
    assert shown.bubbles() == ["Hello?", "Hi, this"]
    messages = [{"role": "user", "message": "Hello?", "secondsFromStart": 1}, {"role": "bot", "message": "Hi, this is Riley."}]
    shown.move("ended", artifact={"messages": messages})
    expect(shown.transcript.locator(".bubble.assistant .said")).to_have_text("Hi, this is Riley.", timeout=40_000)
    assert shown.bubbles() == ["Hello?", "Hi, this is Riley."]


def see_tools_assistants_and_interruptions_between_the_bubbles(shown: Shown) -> None:
    tool = {"id": "t1", "function": {"name": "book_table", "arguments": {"day": "<b>Mon</b>"}}}
    shown.tell(
        {**said("assistant", "One moment."), "assistantName": "Riley"},
        {"type": "tool-calls", "toolCallList": [tool]},
        {"type": "user-interrupted"},
        {"type": "assistant.started", "newAssistant": {"name": "Riley"}},
        {"type": "assistant.started", "newAssistant": {"name": "Sam"}},
    )
    between = shown.transcript.locator(".between")
    expect(between).to_have_count(3)
    expect(between.nth(1)).to_contain_text("Customer interrupted the assistant")
    expect(between.nth(2)).to_contain_text("Now speaking: Sam")
    expect(shown.transcript.locator(".bubble.assistant small")).to_contain_text("Riley")
    shown.tell({"type": "tool-calls-result", "toolCallResult": {"toolCallId": "t1", "result": "Booked."}})
    between.first.get_by_text("Tool: book_table").click()
    expect(between.first.locator("pre")).to_have_text(['{"day":"<b>Mon</b>"}', "Booked."])
    assert shown.bubbles() == ["One moment."]


def see_what_vapi_found_out_below_the_outcome(shown: Shown) -> None:
    analysis = {"successEvaluation": "true", "structuredData": {"guest": "<b>Dana</b>"}}
    metrics = {"turnLatencyAverage": 1240, "modelLatencyAverage": 520}
    cards = {"5c1d": {"name": "Service", "scoreNormalized": 80}}
    artifact = {"performanceMetrics": metrics, "scorecards": cards}
    monitor = {"monitors": [{"monitorId": "m-1", "filterPassed": False}]}
    shown.move("ended", endedReason="customer-ended-call", analysis=analysis, artifact=artifact, monitor=monitor)
    facts = shown.page.locator(".facts")
    expect(facts.locator(".success")).to_contain_text("Reached", timeout=60_000)
    expect(facts.locator(".scorecards")).to_contain_text("Service 80%")
    expect(facts.locator(".monitors pre")).to_have_text("m-1: filter not passed")
    expect(facts.locator(".latency")).to_contain_text("1.24 s: Model 0.52 s")
    expect(facts.locator(".collected pre")).to_contain_text("guest: <b>Dana</b>")


def see_screen_readers_hear_finished_lines_alone(shown: Shown) -> None:
    shown.tell(said("assistant", "Hi, this", final=False), said("user", "Hello?"))
    expect(shown.page.get_by_role("log")).to_have_text("Customer: Hello?")


def see_markup_as_text(shown: Shown) -> None:
    shown.tell(said("user", "<img src=x onerror=\"document.title='run'\"> {{ 7 * 7 }}"))
    expect(shown.transcript.locator(".said")).to_have_text("<img src=x onerror=\"document.title='run'\"> {{ 7 * 7 }}")
    expect(shown.transcript.locator("img")).to_have_count(0)
    assert shown.page.title() != "run"


def see_no_harm_by_half_an_emoji_and_what_turns_text_around(shown: Shown) -> None:
    said_texts = shown.transcript.locator(".said")
    shown.tell(said("assistant", "bye \ud83d", final=False))
    expect(said_texts).to_have_text("bye")
    shown.page.reload()
    expect(said_texts).to_have_text("bye")
    shown.tell(said("assistant", "bye \U0001f600"), said("user", "a\0b \u202egnp.exe"), said("user", "x" * 100_000))
    expect(said_texts).to_have_text(["bye \U0001f600", "ab gnp.exe", "x" * 8_000])
    messages = [{"role": "bot", "message": "bye \ud83d\0 now"}]
    analysis = {"summary": "They said \ude00bye."}
    shown.move("ended", endedReason="\udc00odd", endedMessage="\u2066\0", analysis=analysis, artifact={"messages": messages})
    expect(said_texts).to_have_text(["bye now"], timeout=40_000)
    shown.page.reload()
    expect(said_texts).to_have_text(["bye now"])
    expect(shown.page.get_by_text("They said bye.")).to_be_visible()


def see_who_scrolled_up_stay_there_and_told_of_news(shown: Shown) -> None:
    box = shown.transcript.locator(".talk")
    shown.tell(*(said("user", f"Line {number}. " * 8) for number in range(20)))
    expect(box.locator(".bubble")).to_have_count(20)
    expect(shown.page.get_by_role("button", name="New messages")).to_have_count(0)
    # Two frames, after which the page knows of it. Else it might hear of the newest line first, and follow it.
    box.evaluate("async (box) => { box.scrollTop = 0; for (const _ of [1, 2]) await new Promise(requestAnimationFrame); }")
    shown.tell(said("assistant", "The newest"))
    news = shown.page.get_by_role("button", name="New messages")
    expect(news).to_be_visible()
    assert box.evaluate("box => box.scrollTop") == 0
    news.click()
    expect(box.get_by_text("The newest")).to_be_in_viewport()
    expect(news).to_have_count(0)


def see_the_newest_line_stay_in_sight_if_its_window_shrinks_as_it_comes(shown: Shown) -> None:
    shown.tell(*(said("user" if number % 2 else "assistant", f"Line {number}") for number in range(30)))
    lines = shown.transcript.locator(".said")
    expect(lines).to_have_count(30)
    expect(lines.last).to_be_in_viewport()
    shown.page.evaluate(
        """async () => {
            const talk = document.querySelector(".talk");
            const transcript = getElement(Number(talk.closest("[id^=c]").id.slice(1)));
            transcript.put([{ ...transcript.sorted.at(-1), key: 1000, text: "The newest" }]);
            await transcript.$nextTick(); // it has scrolled down, and nobody was told of it yet
            Object.assign(talk.style, { flex: "none", height: "80px" });
        }"""
    )
    expect(lines.last).to_have_text("The newest")
    expect(lines.last).to_be_in_viewport()
    expect(shown.page.get_by_role("button", name="New messages")).to_have_count(0)


def see_it_taken_along(shown: Shown) -> None:
    shown.tell(said("user", "Hello?"), said("assistant", "Hi, this is Riley."))
    expect(shown.transcript.locator(".bubble")).to_have_count(2)
    with shown.page.expect_download() as begun:
        shown.transcript.get_by_role("button", name="Download").click()
    assert begun.value.suggested_filename.endswith("14155552671.txt")
    lines = Path(begun.value.path()).read_text().splitlines()
    assert [line.partition("] ")[2] for line in lines] == ["Customer: Hello?", "Assistant: Hi, this is Riley."]
    shown.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown.transcript.get_by_role("button", name="Copy").click()
    expect(shown.transcript.get_by_role("button", name="Copied")).to_be_visible()
    assert shown.page.evaluate("navigator.clipboard.readText()").splitlines() == lines


def see_in_the_list_who_speaks(shown: Shown) -> None:
    row = part(shown.page, "call-log").locator(".row[aria-current=true]")
    shown.tell({"type": "speech-update", "status": "started", "role": "user"})
    expect(row).to_contain_text("Answered, customer speaking")
    shown.tell({"type": "speech-update", "status": "started", "role": "assistant"})
    expect(row).to_contain_text("Answered, both speaking")
    shown.tell(*({"type": "speech-update", "status": "stopped", "role": role} for role in ("user", "assistant")))
    expect(row).not_to_contain_text("speak")
