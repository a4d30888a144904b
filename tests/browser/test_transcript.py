"""What is said, as it is said: bubbles that grow, that stay text, and that a reader can leave, copy and take along."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal
from playwright.sync_api import Page, expect

from tests.browser.conftest import Earshot, Open, earshot_process
from tests.browser.lines import scripted
from tests.browser.test_page import part
from tests.process import vapi_environ
from tests.stand_in import StandIn

Tell = Callable[..., None]
Move = Callable[..., None]


def said(role: str, text: str, *, final: bool = True) -> dict[str, Any]:
    return {"type": "transcript", "role": role, "transcriptType": "final" if final else "partial", "transcript": text}


@pytest.fixture(scope="module")
def line() -> Iterator[tuple[Earshot, StandIn, BlockingPortal]]:
    with (
        scripted() as (vapi, portal),
        earshot_process(**vapi_environ(vapi.url), EARSHOT_ALLOWED_REGIONS="*", EARSHOT_CALLS_PER_HOUR="100") as earshot,
    ):
        yield earshot, vapi, portal


@pytest.fixture
def moved(line: tuple[Earshot, StandIn, BlockingPortal], open_tab: Open) -> Iterator[tuple[Page, Tell, Move]]:
    """A page on which an answered call is shown, what tells it events, and what moves it on; nobody listens to the sound."""
    earshot, vapi, portal = line
    call_id = str(earshot.place("+14155552671")["id"])

    def move(status: str, **fields: Any) -> None:
        portal.call(lambda: vapi.move(call_id, status, **fields))

    move("in-progress", startedAt=vapi.calls[call_id]["createdAt"])
    page = open_tab(f"{earshot.url}/?call={call_id}")
    expect(part(page, "call-status")).to_have_text("Answered", timeout=60_000)
    yield page, lambda *events: portal.call(vapi.tell, call_id, *events), move
    earshot.end_all()


@pytest.fixture
def talk(moved: tuple[Page, Tell, Move]) -> tuple[Page, Tell]:
    """The same, of a call that goes on."""
    return moved[:2]


def bubbles(page: Page) -> list[str]:
    return part(page, "transcript").locator(".said").all_inner_texts()


def test_partials_grow_in_one_bubble_and_nobody_needs_to_listen(talk: tuple[Page, Tell]) -> None:
    page, tell = talk
    expect(part(page, "transcript")).to_contain_text("Nobody has spoken yet.")
    for text in ("Hi", "Hi, this", "Hi, this is Riley"):
        tell(said("assistant", text, final=False))
        expect(part(page, "transcript").locator(".bubble.open.assistant .said")).to_have_text(text)
    tell(said("user", "Hello?"), said("assistant", "Hi, this is Riley."))
    expect(part(page, "transcript").locator(".bubble.open")).to_have_count(0)
    assert bubbles(page) == ["Hi, this is Riley.", "Hello?"]
    expect(part(page, "player-state")).to_have_attribute("data-state", "idle")


def test_after_the_end_nobody_is_in_the_middle_of_a_line_and_vapis_own_account_takes_over(moved: tuple[Page, Tell, Move]) -> None:
    page, tell, move = moved
    tell(said("user", "Hello?"), said("assistant", "Hi, this", final=False))
    expect(part(page, "transcript").locator(".bubble.open .said")).to_have_text("Hi, this")
    move("ended", endedReason="customer-ended-call")
    expect(part(page, "call-status")).to_have_text("Ended", timeout=60_000)
    expect(part(page, "transcript").locator(".bubble.open")).to_have_count(0)
    assert bubbles(page) == ["Hello?", "Hi, this"]
    messages = [{"role": "user", "message": "Hello?", "secondsFromStart": 1}, {"role": "bot", "message": "Hi, this is Riley."}]
    move("ended", artifact={"messages": messages})
    expect(part(page, "transcript").locator(".bubble.assistant .said")).to_have_text("Hi, this is Riley.", timeout=40_000)
    assert bubbles(page) == ["Hello?", "Hi, this is Riley."]


def test_tools_assistants_and_interruptions_stand_between_the_bubbles(talk: tuple[Page, Tell]) -> None:
    page, tell = talk
    tool = {"id": "t1", "function": {"name": "book_table", "arguments": {"day": "<b>Mon</b>"}}}
    tell(
        {**said("assistant", "One moment."), "assistantName": "Riley"},
        {"type": "tool-calls", "toolCallList": [tool]},
        {"type": "user-interrupted"},
        {"type": "assistant.started", "newAssistant": {"name": "Riley"}},
        {"type": "assistant.started", "newAssistant": {"name": "Sam"}},
    )
    between = part(page, "transcript").locator(".between")
    expect(between).to_have_count(3)
    expect(between.nth(1)).to_contain_text("Customer interrupted the assistant")
    expect(between.nth(2)).to_contain_text("Now speaking: Sam")
    expect(part(page, "transcript").locator(".bubble.assistant small")).to_contain_text("Riley")
    tell({"type": "tool-calls-result", "toolCallResult": {"toolCallId": "t1", "result": "Booked."}})
    between.first.get_by_text("Tool: book_table").click()
    expect(between.first.locator("pre")).to_have_text(['{"day":"<b>Mon</b>"}', "Booked."])
    assert bubbles(page) == ["One moment."]


def test_what_vapi_found_out_stands_below_the_outcome(moved: tuple[Page, Tell, Move]) -> None:
    page, _, move = moved
    analysis = {"successEvaluation": "true", "structuredData": {"guest": "<b>Dana</b>"}}
    metrics = {"turnLatencyAverage": 1240, "modelLatencyAverage": 520}
    cards = {"5c1d": {"name": "Service", "scoreNormalized": 80}}
    artifact = {"performanceMetrics": metrics, "scorecards": cards}
    monitor = {"monitors": [{"monitorId": "m-1", "filterPassed": False}]}
    move("ended", endedReason="customer-ended-call", analysis=analysis, artifact=artifact, monitor=monitor)
    facts = page.locator(".facts")
    expect(facts.locator(".success")).to_contain_text("Reached", timeout=60_000)
    expect(facts.locator(".scorecards")).to_contain_text("Service 80%")
    expect(facts.locator(".monitors pre")).to_have_text("m-1: filter not passed")
    expect(facts.locator(".latency")).to_contain_text("1.24 s: Model 0.52 s")
    expect(facts.locator(".collected pre")).to_contain_text("guest: <b>Dana</b>")


def test_screen_readers_hear_finished_lines_alone(talk: tuple[Page, Tell]) -> None:
    page, tell = talk
    tell(said("assistant", "Hi, this", final=False), said("user", "Hello?"))
    expect(page.get_by_role("log")).to_have_text("Customer: Hello?")


def test_markup_in_what_is_said_is_text(talk: tuple[Page, Tell]) -> None:
    page, tell = talk
    tell(said("user", "<img src=x onerror=\"document.title='run'\"> {{ 7 * 7 }}"))
    expect(part(page, "transcript").locator(".said")).to_have_text("<img src=x onerror=\"document.title='run'\"> {{ 7 * 7 }}")
    expect(part(page, "transcript").locator("img")).to_have_count(0)
    assert page.title() != "run"


def test_half_an_emoji_and_what_turns_text_around_do_no_harm(moved: tuple[Page, Tell, Move]) -> None:
    page, tell, move = moved
    said_texts = part(page, "transcript").locator(".said")
    tell(said("assistant", "bye \ud83d", final=False))
    expect(said_texts).to_have_text("bye")
    page.reload()
    expect(said_texts).to_have_text("bye")
    tell(said("assistant", "bye \U0001f600"), said("user", "a\0b \u202egnp.exe"), said("user", "x" * 100_000))
    expect(said_texts).to_have_text(["bye \U0001f600", "ab gnp.exe", "x" * 8_000])
    messages = [{"role": "bot", "message": "bye \ud83d\0 now"}]
    analysis = {"summary": "They said \ude00bye."}
    move("ended", endedReason="\udc00odd", endedMessage="\u2066\0", analysis=analysis, artifact={"messages": messages})
    expect(said_texts).to_have_text(["bye now"], timeout=40_000)
    page.reload()
    expect(said_texts).to_have_text(["bye now"])
    expect(page.get_by_text("They said bye.")).to_be_visible()


def test_who_scrolled_up_stays_there_and_is_told_of_news(talk: tuple[Page, Tell]) -> None:
    page, tell = talk
    box = part(page, "transcript").locator(".talk")
    tell(*(said("user", f"Line {number}. " * 8) for number in range(20)))
    expect(box.locator(".bubble")).to_have_count(20)
    expect(page.get_by_role("button", name="New messages")).to_have_count(0)
    # Two frames, after which the page knows of it. Else it might hear of the newest line first, and follow it.
    box.evaluate("async (box) => { box.scrollTop = 0; for (const _ of [1, 2]) await new Promise(requestAnimationFrame); }")
    tell(said("assistant", "The newest"))
    news = page.get_by_role("button", name="New messages")
    expect(news).to_be_visible()
    assert box.evaluate("box => box.scrollTop") == 0
    news.click()
    expect(box.get_by_text("The newest")).to_be_in_viewport()
    expect(news).to_have_count(0)


def test_the_newest_line_stays_in_sight_if_its_window_shrinks_as_it_comes(talk: tuple[Page, Tell]) -> None:
    page, tell = talk
    tell(*(said("user" if number % 2 else "assistant", f"Line {number}") for number in range(30)))
    lines = part(page, "transcript").locator(".said")
    expect(lines).to_have_count(30)
    expect(lines.last).to_be_in_viewport()
    page.evaluate(
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
    expect(page.get_by_role("button", name="New messages")).to_have_count(0)


def test_it_can_be_taken_along(talk: tuple[Page, Tell]) -> None:
    page, tell = talk
    tell(said("user", "Hello?"), said("assistant", "Hi, this is Riley."))
    expect(part(page, "transcript").locator(".bubble")).to_have_count(2)
    with page.expect_download() as begun:
        part(page, "transcript").get_by_role("button", name="Download").click()
    assert begun.value.suggested_filename.endswith("14155552671.txt")
    lines = Path(begun.value.path()).read_text().splitlines()
    assert [line.partition("] ")[2] for line in lines] == ["Customer: Hello?", "Assistant: Hi, this is Riley."]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    part(page, "transcript").get_by_role("button", name="Copy").click()
    expect(part(page, "transcript").get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").splitlines() == lines


def test_the_list_says_who_speaks(talk: tuple[Page, Tell]) -> None:
    page, tell = talk
    row = part(page, "call-log").locator(".row[aria-current=true]")
    tell({"type": "speech-update", "status": "started", "role": "user"})
    expect(row).to_contain_text("Answered, customer speaking")
    tell({"type": "speech-update", "status": "started", "role": "assistant"})
    expect(row).to_contain_text("Answered, both speaking")
    tell(*({"type": "speech-update", "status": "stopped", "role": role} for role in ("user", "assistant")))
    expect(row).not_to_contain_text("speak")
