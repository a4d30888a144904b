"""What goes wrong around the player: half-open connections, sleep, lost devices. What was sent, heard, caught up and left out adds up."""

import asyncio
from itertools import groupby
from typing import Any

import pytest
from playwright.async_api import Page, Route
from websockets.asyncio.server import ServerConnection

from tests.browser.plain_page.server import ASSETS, FRAME, RATE, START, LiveCall
from tests.browser.plain_page.sleeping import asleep
from tests.browser.test_live_playout import CALL, assert_conserved, listen, live, open_element, state, stats

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.sound]
PING = '{"type":"ping"}'
EXACT_S = 0.02


class Speech:
    """A call that goes on whoever listens: each connection gets what is said from then on, as from the relay. It has a heartbeat."""

    def __init__(self) -> None:
        self._begun = asyncio.get_running_loop().time()
        self.over = asyncio.Event()
        self.sent: dict[int, list[int]] = {}  # for each connection the numbers of the frames that it was sent

    @property
    def now(self) -> int:
        """The number of the frame that is said now."""
        return int((asyncio.get_running_loop().time() - self._begun) * RATE / FRAME)

    async def speak(self, connection: ServerConnection, number: int, seconds: float) -> None:
        """Sends what is said for so many seconds, or until the call is `over`."""
        begin = self.now
        for frame in range(begin, begin + int(seconds * RATE / FRAME)):
            if self.over.is_set():
                return
            await asyncio.sleep(max(0.0, self._begun + frame * FRAME / RATE - asyncio.get_running_loop().time()))
            await self.say(connection, number, frame)

    async def say(self, connection: ServerConnection, number: int, frame: int) -> None:
        begin = frame * FRAME % (len(CALL) - FRAME)
        await connection.send(CALL[begin : begin + FRAME].tobytes())
        self.sent.setdefault(number, []).append(frame)

    async def be_silent(self, connection: ServerConnection, seconds: float) -> None:
        for _ in range(int(seconds)):
            await connection.send(PING)
            await asyncio.sleep(1)

    def lost(self, before: int, after: int) -> float:
        """Seconds that were said between the last frame of one connection and the first of another."""
        return (self.sent[after][0] - self.sent[before][-1] - 1) * FRAME / RATE


def seconds(numbers: dict[str, Any], *kinds: str) -> float:
    return float(sum(numbers[f"samples{kind}"] for kind in kinds)) / RATE


async def test_a_half_open_socket_is_replaced_and_what_it_cost_is_counted(page: Page, call: LiveCall) -> None:
    speech = Speech()

    async def script(connection: ServerConnection, number: int) -> None:
        await connection.send(PING)
        await connection.send(START)
        await speech.speak(connection, number, 4 if number == 1 else 6)
        if number == 1:
            await asyncio.sleep(60)  # the connection stays open, and nothing comes any more
        await connection.close(1000)

    call.script = script
    await listen(page, call)
    await state(page, "ended")
    numbers = await stats(page)
    assert_conserved(numbers)
    assert call.connections == 2
    assert numbers["reconnects"] == 1
    lost = speech.lost(1, 2)
    assert lost < 4  # noticed by the watchdog, not by a timeout of the network
    assert seconds(numbers, "Missed") == pytest.approx(lost, abs=EXACT_S)
    sent = (speech.sent[2][-1] - speech.sent[1][0] + 1) * FRAME / RATE
    assert seconds(numbers, "Played", "Stretched", "Cut", "Discarded", "Missed") == pytest.approx(sent, abs=EXACT_S)
    said = [name for name in await page.evaluate("window.states") if name != "gap"]  # a busy machine makes short gaps
    assert [name for name, _ in groupby(said)] == [
        *("starting", "waiting", "playing", "reconnecting", "playing", "ended"),
    ]
    (missed,) = await page.evaluate("window.missed")
    assert missed["cause"] == "connection"
    assert missed["seconds"] == pytest.approx(lost, abs=EXACT_S)


async def test_a_line_that_stalls_for_long_and_then_delivers_loses_nothing(page: Page, call: LiveCall) -> None:
    speech = Speech()
    flows = asyncio.Event()

    async def script(connection: ServerConnection, number: int) -> None:
        if number > 1:
            await flows.wait()  # the line is held for every connection
            await connection.send(START)
            await speech.speak(connection, number, 60)
            return
        await connection.send(PING)
        await connection.send(START)
        await speech.speak(connection, number, 3)
        held = speech.sent[number][-1] + 1
        await asyncio.sleep(5)
        flows.set()
        for frame in range(held, speech.now):
            await speech.say(connection, number, frame)
        await speech.speak(connection, number, 4)
        await connection.close(1000)

    call.script = script
    await listen(page, call)
    await state(page, "ended")
    numbers = await stats(page)
    assert_conserved(numbers)
    assert call.connections > 1  # it was suspected,
    assert numbers["reconnects"] == 0  # but what it held was heard
    assert seconds(numbers, "Missed", "Discarded") == 0
    assert numbers["samplesReceived"] == len(speech.sent[1]) * FRAME
    assert await page.evaluate("window.missed") == []


async def test_silence_with_a_heartbeat_is_no_reason_to_connect_again(page: Page, call: LiveCall) -> None:
    speech = Speech()

    async def script(connection: ServerConnection, number: int) -> None:
        await connection.send(START)
        await speech.speak(connection, number, 1)
        await speech.be_silent(connection, 5)
        await speech.speak(connection, number, 1)
        await connection.close(1000)

    call.script = script
    await listen(page, call)
    await state(page, "ended")
    assert call.connections == 1
    assert "reconnecting" not in await page.evaluate("window.states")
    assert await page.evaluate("window.events.map(event => event.type)") == ["start"]


async def test_a_call_that_ends_while_its_socket_is_half_open_has_ended(page: Page, call: LiveCall) -> None:
    speech = Speech()

    async def script(connection: ServerConnection, number: int) -> None:
        if number > 1:
            await connection.close(4409)
            return
        await connection.send(PING)
        await connection.send(START)
        await speech.speak(connection, number, 2)
        await asyncio.sleep(60)

    call.script = script
    await listen(page, call)
    await state(page, "ended")
    assert call.connections == 2


async def test_a_player_that_is_told_of_the_end_ends(page: Page, call: LiveCall) -> None:
    async def script(connection: ServerConnection, number: int) -> None:
        await connection.send(START)
        await Speech().speak(connection, number, 2)
        await asyncio.sleep(60)

    call.script = script
    await open_element(page, call, "&autostart")
    await page.wait_for_selector("[data-state=playing]")
    await page.evaluate("window.props.over = true")
    await page.wait_for_selector("[data-state=ended]")
    assert await page.get_by_test_id("player-state").inner_text() == "Ended"


async def test_after_sleep_the_sound_is_live_and_what_was_missed_is_said(page: Page, call: LiveCall) -> None:
    speech = Speech()

    async def script(connection: ServerConnection, number: int) -> None:
        await connection.send(PING)
        await connection.send(START)
        await speech.speak(connection, number, 60)
        await connection.close(1000)

    call.script = script
    await open_element(page, call, "&autostart&recorded")
    await page.wait_for_selector("[data-state=playing]")
    await page.wait_for_timeout(1000)
    async with asleep():
        await asyncio.sleep(8)
    missed = page.get_by_test_id("missed")
    await missed.wait_for()
    await page.wait_for_timeout(3000)
    numbers = await page.evaluate("window.player.getStats()")
    assert numbers["delay"] < 0.5
    assert_conserved(numbers)
    unheard = seconds(numbers, "Discarded", "Missed")
    assert 7 < unheard < 10
    text = f"Missed {unheard:.1f} s while this computer slept. They are in the recording."
    assert await missed.inner_text() == text
    assert numbers["samplesStretched"] + numbers["samplesCut"] < RATE  # it did not hurry through old words
    assert await page.get_by_test_id("player-state").inner_text() == "Live"
    speech.over.set()
    await page.wait_for_selector("[data-state=ended]")
    numbers = await page.evaluate("window.player.getStats()")
    last = max(frames[-1] for frames in speech.sent.values())
    sent = (last - speech.sent[1][0] + 1) * FRAME / RATE
    assert seconds(numbers, "Played", "Stretched", "Cut", "Discarded", "Missed") == pytest.approx(sent, abs=EXACT_S)


LOST_DEVICE = """() => {
    const { resume, suspend } = AudioContext.prototype;
    window.lost = true;  // stands in for a device that is gone, since a test can't unplug one
    AudioContext.prototype.resume = function () { return window.lost ? new Promise(() => {}) : resume.call(this); };
    const context = window.contexts[0];
    suspend.call(context);
    context.dispatchEvent(new Event("error"));
}"""


async def test_a_lost_device_is_named_and_sound_comes_back_with_it(page: Page, call: LiveCall) -> None:
    call.script = live
    await open_element(page, call, "&autostart")
    await page.wait_for_selector("[data-state=playing]")
    await page.evaluate(LOST_DEVICE)
    await page.wait_for_selector("[data-state=no-device]")
    assert await page.get_by_test_id("player-state").inner_text() == "No sound device. The sound continues when it is back."
    assert await page.locator(".tap").count() == 0
    await page.wait_for_timeout(4000)
    await page.evaluate("window.lost = false")
    await page.wait_for_selector("[data-state=playing]")
    missed = page.get_by_test_id("missed")
    await missed.wait_for()
    assert "while there was no sound device" in await missed.inner_text()
    numbers = await page.evaluate("window.player.getStats()")
    assert_conserved(numbers)
    assert seconds(numbers, "Discarded") > 3  # live again, not 4 s behind
    assert numbers["delay"] < 0.5


async def test_a_device_that_is_lost_before_anybody_watches_it_needs_no_tap(page: Page, call: LiveCall) -> None:
    call.script = live
    lost = asyncio.Event()

    async def late(route: Route) -> None:
        await lost.wait()
        await route.continue_()

    await page.route("**/device_watch.js", late)
    await open_element(page, call, "&autostart")
    await page.wait_for_selector("[data-state=playing]")
    await page.evaluate(LOST_DEVICE)
    lost.set()
    await page.wait_for_selector("[data-state=no-device]")
    await page.evaluate("window.lost = false")
    await page.wait_for_selector("[data-state=playing]")


async def test_what_nobody_can_hear_for_long_is_not_kept_but_counted(page: Page, call: LiveCall) -> None:
    speech = Speech()

    async def script(connection: ServerConnection, number: int) -> None:
        await connection.send(START)
        await speech.speak(connection, number, 60)
        await connection.close(1000)

    call.script = script
    soon = (ASSETS / "device_watch.js").read_text().replace("LASTING_MS = 30_000", "LASTING_MS = 1000")
    await page.route("**/device_watch.js", lambda route: route.fulfill(body=soon, content_type="text/javascript"))
    await open_element(page, call, "&autostart")
    await page.wait_for_selector("[data-state=playing]")
    await page.wait_for_timeout(1000)
    await page.evaluate(LOST_DEVICE)
    await page.wait_for_timeout(7000)
    await page.evaluate("window.lost = false")
    await page.wait_for_selector("[data-state=playing]")
    await page.wait_for_timeout(1000)
    speech.over.set()
    await page.wait_for_selector("[data-state=ended]")
    numbers = await page.evaluate("window.player.getStats()")
    sent = (speech.sent[1][-1] - speech.sent[1][0] + 1) * FRAME / RATE
    assert_conserved(numbers)
    assert seconds(numbers, "Missed") > 4
    assert seconds(numbers, "Received", "Missed") == pytest.approx(sent, abs=EXACT_S)


async def test_an_output_clock_that_stands_still_is_not_called_playing(page: Page, call: LiveCall) -> None:
    call.script = live
    await open_element(page, call, "&autostart")
    await page.wait_for_selector("[data-state=playing]")
    await page.evaluate(
        """() => {
            const { get } = Object.getOwnPropertyDescriptor(BaseAudioContext.prototype, "currentTime");
            const stands = window.contexts[0].currentTime;
            window.stands = true;
            Object.defineProperty(BaseAudioContext.prototype, "currentTime", { get() { return window.stands ? stands : get.call(this); } });
        }"""
    )
    await page.wait_for_selector("[data-state=no-device]")
    await page.evaluate("window.stands = false")
    await page.wait_for_selector("[data-state=playing]")


async def test_far_behind_is_catching_up_until_the_listener_jumps(page: Page, call: LiveCall) -> None:
    async def script(connection: ServerConnection, number: int) -> None:
        speech = Speech()
        await connection.send(START)
        await speech.speak(connection, number, 3)
        await asyncio.sleep(6)
        for frame in range(speech.sent[number][-1] + 1, speech.now):
            await speech.say(connection, number, frame)
        await speech.speak(connection, number, 60)

    call.script = script
    await open_element(page, call, "&autostart")
    await page.wait_for_selector("[data-state=gap]")
    await page.wait_for_function(
        "document.querySelector('.player-state').textContent.startsWith('Paused. The call has sent no sound for 5 s')"
    )
    await page.wait_for_selector("[data-state=catching-up]")
    assert await page.get_by_test_id("player-state").inner_text() == "Catching up"
    await page.get_by_test_id("jump-to-live").click()
    await page.wait_for_selector("[data-state=playing]")
    numbers = await page.evaluate("window.player.getStats()")
    assert numbers["delay"] < 0.5
    assert_conserved(numbers)


async def test_one_channel_is_one_lane_for_both_speakers(page: Page, call: LiveCall) -> None:
    async def script(connection: ServerConnection, _: int) -> None:
        await connection.send(START.replace('"channels": 2', '"channels": 1'))
        begun = asyncio.get_running_loop().time()
        for frame in range(500):
            await asyncio.sleep(max(0.0, begun + frame * FRAME / RATE - asyncio.get_running_loop().time()))
            await connection.send(CALL[RATE + frame * FRAME :][:FRAME, 1].tobytes())

    call.script = script
    await open_element(page, call, "&autostart")
    await page.wait_for_function("document.querySelector('.lanes.one')")
    assert await page.locator(".lane:visible").count() == 1
    name = await page.inner_text(".lane:visible .name")
    assert name.startswith("Both speakers\nboth ears")
    await page.get_by_role("button", name="Mute the call here").click()
    await page.wait_for_timeout(1000)
    before = len(await page.evaluate("window.heard().left"))
    await page.wait_for_timeout(1000)
    loudest = await page.evaluate(
        """from => {
            const loud = side => new Float32Array(Uint8Array.from(atob(window.heard()[side]), c => c.charCodeAt(0)).buffer)
                .slice(Math.ceil(from * 3 / 16)).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
            return [loud("left"), loud("right")];
        }""",
        before,
    )
    assert max(loudest) < 1e-4
