"""Where the sound goes and how loud it is: the device that was chosen, the same loudness for both speakers, and the system's media keys."""

import asyncio
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Page
from websockets.asyncio.server import ServerConnection

from tests.browser.plain_page.hearing import Heard
from tests.browser.plain_page.server import RATE, START, LiveCall, send_live
from tests.browser.test_live_playout import CALL, listen, live, open_element, state, stats

CLOSE_LU = 1.5
CEILING = 10 ** (-1 / 20)
DEVICES = """
    // stands in for sound devices, of which a test can't unplug one
    window.sinks = ["default", "h"].map((deviceId) => ({ kind: "audiooutput", deviceId, label: deviceId === "h" ? "Headset" : "Default" }));
    window.used = [];
    navigator.mediaDevices.enumerateDevices = async () => window.sinks;
    AudioContext.prototype.setSinkId = async (id) => {
        if (id && !window.sinks.some(({ deviceId }) => deviceId === id)) throw new DOMException("gone", "NotFoundError");
        window.used.push(id);
    };
    window.change = (label) => {
        window.sinks = label ? [...window.sinks, { kind: "audiooutput", deviceId: "h", label }] : window.sinks.slice(0, 1);
        navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
    };
"""
KEYS = """
    window.handlers = {};  // what the system would call: a test can't press its keys
    const set = navigator.mediaSession.setActionHandler.bind(navigator.mediaSession);
    navigator.mediaSession.setActionHandler = (action, handler) => { window.handlers[action] = handler; set(action, handler); };
"""


pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.sound]


def loudness(ear: Any) -> float:
    """Level in dB of the loud tenths of a second: those within 10 dB of the loudest."""
    blocks = np.square(ear[: len(ear) // 4800 * 4800].reshape(-1, 4800)).mean(axis=1)
    return float(10 * np.log10(blocks[blocks > blocks.max() / 10].mean()))


async def test_a_quiet_and_a_loud_speaker_end_equally_loud(page: Page, call: LiveCall) -> None:
    # one voice for both, so that they compare
    shared = np.concatenate([CALL[RATE * 2 : RATE * 18, 1:], CALL[RATE * 2 : RATE * 18, 1:]])[: 24 * RATE]
    sound = (np.hstack([0.35 * shared, 2.0 * shared]).clip(-32768, 32767)).astype(np.int16)

    async def script(connection: ServerConnection, _: int) -> None:
        await connection.send(START)
        await send_live(connection, sound)
        await connection.close(1000)

    call.script = script
    await listen(page, call)
    await state(page, "ended")
    numbers, ears = await stats(page), Heard.of(await page.evaluate("window.heard()"))
    late = ears.sound[-7 * ears.rate :]
    assert loudness(late[:, 0]) == pytest.approx(loudness(late[:, 1]), abs=CLOSE_LU)
    assert numbers["gain"]["customer"] > numbers["gain"]["assistant"] + 8
    assert np.abs(ears.sound).max() <= np.float32(CEILING) * (1 + 1e-6)


async def test_the_chosen_device_is_used_remembered_and_replaced_while_it_is_gone(page: Page, call: LiveCall) -> None:
    call.script = live
    await page.add_init_script(DEVICES)
    await open_element(page, call, "&autostart")
    await page.wait_for_selector("[data-state=playing]")
    await page.locator("summary").click()
    choice = page.get_by_test_id("output-device")
    await choice.select_option(label="Headset")
    await page.wait_for_function("window.used.at(-1) === 'h'")
    await page.evaluate("window.change('')")
    note = page.get_by_test_id("missed")
    await note.wait_for()
    assert await note.inner_text() == "The chosen sound device is missing. The system's default plays instead."
    assert await page.evaluate("window.used.at(-1)") == ""
    await page.evaluate("window.change('Headset')")
    await page.wait_for_function("window.used.at(-1) === 'h'")
    await note.wait_for(state="detached")
    await open_element(page, call, "&autostart")
    await page.wait_for_function("window.used[0] === 'h'")
    await page.wait_for_selector("[data-state=playing]")


async def test_equal_loudness_can_be_switched_off_for_good(page: Page, call: LiveCall) -> None:
    call.script = live
    for checked in (True, False):
        await open_element(page, call, "&autostart")
        await page.wait_for_selector("[data-state=playing]")
        await page.locator("summary").click()
        box = page.get_by_test_id("auto-gain")
        assert await box.is_checked() == checked
        await box.uncheck()
    await asyncio.sleep(8)  # enough to be raised by
    assert (await page.evaluate("window.player.getStats()"))["gain"] == {"customer": 0, "assistant": 0}
    assert "customer 0.0 dB, assistant 0.0 dB" in await page.locator(".player-details").inner_text()


async def test_media_keys_pause_and_resume_listening(page: Page, call: LiveCall) -> None:
    call.script = live
    await page.add_init_script(KEYS)
    await open_element(page, call, "&autostart")
    await page.wait_for_selector("[data-state=playing]")
    assert await page.evaluate("navigator.mediaSession.metadata.title") == "+1 415-555-2671"
    assert await page.evaluate("Object.keys(window.handlers)") == ["play", "pause", "stop"]
    await page.evaluate("window.handlers.pause()")
    await page.wait_for_selector("[data-state=stopped]")
    assert await page.evaluate("navigator.mediaSession.playbackState") == "paused"
    await page.evaluate("window.handlers.play()")
    await page.wait_for_selector("[data-state=playing]")
    assert await page.evaluate("navigator.mediaSession.playbackState") == "playing"
    await page.evaluate("window.unmount()")
    assert await page.evaluate("window.handlers") == {"play": None, "pause": None, "stop": None}
