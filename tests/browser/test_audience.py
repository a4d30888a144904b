"""Who listens to a call, as its page says."""

from playwright.sync_api import expect

from services.domain.call import CallStatus
from tests.browser.conftest import Earshot, Open
from tests.browser.test_page import dial, part, see_status


def test_a_second_listener_is_counted_while_they_listen(earshot: Earshot, open_tab: Open) -> None:
    one = open_tab(earshot.url)
    dial(one)
    see_status(one, CallStatus.IN_PROGRESS)
    expect(part(one, "player-state")).to_have_attribute("data-state", "playing")
    expect(part(one, "audience")).to_be_hidden()
    [call] = [call for call in earshot.calls() if call["status"] == "in-progress"]
    other = open_tab(f"{earshot.url}/?call={call['id']}")
    part(other, "listen-toggle").click()
    for page in (one, other):
        expect(part(page, "audience")).to_have_text("2 people are listening")
    part(other, "listen-toggle").click()
    for page in (one, other):
        expect(part(page, "audience")).to_be_hidden()
