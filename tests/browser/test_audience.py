"""Who listens to a call, as its page says."""

from playwright.sync_api import expect

from services.domain.call import CallStatus
from tests.browser.conftest import Open, Quiet
from tests.browser.test_page import NUMBER, part, see_status


def test_a_second_listener_is_counted_while_they_listen(quiet: Quiet, open_tab: Open) -> None:
    call = quiet.answered(NUMBER)
    one, other = open_tab(f"{quiet.url}/?call={call}"), open_tab(f"{quiet.url}/?call={call}")
    see_status(one, CallStatus.IN_PROGRESS)
    part(one, "listen-toggle").click()
    expect(part(one, "player-state")).to_have_attribute("data-state", "waiting")
    expect(part(one, "audience")).to_be_hidden()
    part(other, "listen-toggle").click()
    for page in (one, other):
        expect(part(page, "audience")).to_have_text("2 people are listening")
    part(other, "listen-toggle").click()
    for page in (one, other):
        expect(part(page, "audience")).to_be_hidden()
