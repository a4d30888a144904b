"""Sound through a device that the user chose, where the browser plays it through an `<audio>` element: Firefox."""

import pytest

from tests.browser.everywhere.judged import assert_heard
from tests.browser.everywhere.listener import Listener

# Which devices elements played through, and what the browser had the user pick.
_NOTED = """(() => {
    window.sinks = [];
    const set = HTMLMediaElement.prototype.setSinkId;
    HTMLMediaElement.prototype.setSinkId = function (id) {
        window.sinks.push(id);
        return set.call(this, id);
    };
    document.querySelector(".player-details").open = true;
    return true;
})()"""


def test_the_chosen_device_plays_both_ears_and_the_system_s_own_again(listener: Listener) -> None:
    browser = listener.browser
    if browser.name != "firefox":
        pytest.skip(f"{browser.name} plays through no element: Chromium chooses by the context, WebKitGTK not at all")
    listener.dial()
    listener.listen(1)
    browser.run(_NOTED)
    browser.click("show-devices")
    browser.until("document.querySelector('[data-testid=\"output-device\"]')?.value")
    (picked,) = browser.until("window.sinks.length && window.sinks")
    assert picked
    listener.listen(3)
    browser.run("""(() => {
        const choice = document.querySelector('[data-testid="output-device"]');
        choice.value = "";
        choice.dispatchEvent(new Event("change"));
        return true;
    })()""")
    listener.listen(2)
    listener.end()
    assert_heard(listener, listener.told())
