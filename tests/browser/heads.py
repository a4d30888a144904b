"""Whether the head of a call stays where it is, from the dial to the end."""

from playwright.sync_api import Page, expect

from tests.browser.states import PATIENCE

_WATCH = """() => {
    window.places = {};
    delete window.whileRinging;
    window.below = () => document.querySelector("[data-testid=transcript]").getBoundingClientRect().top + scrollY;
    window.headWatch?.disconnect();
    window.headWatch = new MutationObserver(() => {
        const status = document.querySelector("[data-testid=call-status]");
        const end = document.querySelector("[data-testid=call-end]");
        for (const [name, element] of Object.entries({status, end, who: document.querySelector(".who")})) {
            if (!element?.checkVisibility()) continue;
            const {right, left, top} = element.getBoundingClientRect();
            (window.places[name] ??= []).push(name === "who" ? [left, top] : [right, top]);
        }
        // a busy machine may see no ringing
        if (["queued", "ringing"].includes(status?.dataset.status)) window.whileRinging = window.below();
    });
    window.headWatch.observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
}"""


def watch_head(page: Page) -> None:
    """Before the dial."""
    page.evaluate(_WATCH)


def see_as_much_above_as_while_it_rang(page: Page) -> None:
    """In a call that is heard."""
    expect(page.get_by_test_id("measures")).to_contain_text("customer talks", timeout=PATIENCE)
    assert abs(page.evaluate("window.below() - window.whileRinging")) <= 2


def see_that_the_head_stayed(page: Page) -> None:
    """After the end."""
    places = page.evaluate("window.places")
    assert places.keys() == {"status", "end", "who"}
    for name, seen in places.items():
        for axis in (0, 1):
            assert max(place[axis] for place in seen) - min(place[axis] for place in seen) <= 2, name
