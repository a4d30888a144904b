"""A token is made on the page, shown once, used by REST, and revoked."""

import urllib.error
import urllib.request

from playwright.sync_api import expect

from tests.browser.conftest import Open, Start


def status(url: str, token: str) -> int:
    request = urllib.request.Request(f"{url}/api/calls", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code


def test_a_token_is_shown_once_and_opens_the_api_until_it_is_revoked(earshot_with: Start, open_tab: Open) -> None:
    earshot = earshot_with()
    page = open_tab(earshot.url)
    page.get_by_test_id("settings").click()
    page.get_by_text("API tokens").click()
    page.get_by_test_id("token-name").fill("crm")
    page.get_by_test_id("token-make").click()
    expect(page.get_by_test_id("api-tokens")).to_contain_text("Choose what the token may do.")
    page.get_by_test_id("token-name").fill("crm")
    page.get_by_label("read", exact=True).check()
    page.get_by_test_id("token-make").click()
    shown = page.get_by_test_id("made-token")
    expect(shown).to_contain_text("earshot_")
    token = shown.text_content() or ""
    assert status(earshot.url, token) == 200
    assert status(earshot.url, "guessed") == 401
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("settings")).to_be_visible()
    page.get_by_test_id("settings").click()
    expect(page.get_by_test_id("api-tokens").get_by_role("listitem")).to_contain_text("crm")
    assert token not in page.content()
    page.get_by_role("button", name="Revoke crm").click()
    expect(page.get_by_test_id("api-tokens").get_by_role("listitem")).to_have_count(0)
