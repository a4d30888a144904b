"""What the page says of webhooks that need an answer."""

import json
import urllib.error
import urllib.request

from playwright.sync_api import expect

from tests.browser.conftest import Earshot, Open, Start
from tests.ports import free_port

SECRET = {"X-Vapi-Secret": "s3cret", "Content-Type": "application/json"}


def send(url: str, kind: str) -> int:
    body = json.dumps({"message": {"type": kind}}).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{url}/api/vapi_events", body, SECRET), timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code


def test_a_tool_call_that_nobody_answers_is_told_on_the_page(earshot_with: Start, open_tab: Open) -> None:
    earshot = earshot_with(EARSHOT_WEBHOOK_SECRET="s3cret")
    page = open_tab(earshot.url)
    notice = page.get_by_role("status").filter(has_text="EARSHOT_WEBHOOK_FORWARD")
    page.get_by_test_id("settings").click()
    expect(page.get_by_test_id("webhooks")).to_contain_text("answers no tool calls")
    page.keyboard.press("Escape")
    assert send(earshot.url, "hang") == 200
    expect(notice).to_have_count(0)
    assert send(earshot.url, "tool-calls") == 501
    expect(notice).to_contain_text("tool-calls")
    expect(open_tab(earshot.url).get_by_role("status").filter(has_text="tool-calls")).to_be_visible()


def test_a_server_that_does_not_answer_is_named_on_the_page(earshot_with: Start, open_tab: Open) -> None:
    earshot = earshot_with(EARSHOT_WEBHOOK_SECRET="s3cret", EARSHOT_WEBHOOK_FORWARD=f"http://127.0.0.1:{free_port()}/vapi")
    page = open_tab(earshot.url)
    page.get_by_test_id("settings").click()
    expect(page.get_by_test_id("webhooks")).to_contain_text("127.0.0.1")
    page.keyboard.press("Escape")
    assert send(earshot.url, "assistant-request") == 502
    expect(page.get_by_text("127.0.0.1 does not answer")).to_be_visible()


def test_without_webhooks_the_settings_do_not_speak_of_them(earshot: Earshot, earshot_with: Start, open_tab: Open) -> None:
    for url in (earshot.url, earshot_with(EARSHOT_WEBHOOK_FORWARD="https://crm.example/vapi").url):
        page = open_tab(url)
        page.get_by_test_id("settings").click()
        expect(page.get_by_text("Language", exact=True)).to_be_visible()
        expect(page.get_by_test_id("webhooks")).to_have_count(0)
