"""The player in a real browser, on a plain page, hearing a live call through a real socket."""

import asyncio
import json
import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.async_api import Page
from websockets.asyncio.server import ServerConnection

from tests.browser.browsers import INSECURE
from tests.browser.plain_page.hearing import Heard, find, resampled
from tests.browser.plain_page.server import FRAME, RATE, START, LiveCall, demo_call, send_live
from tests.patience import HANG_S
from ui.call.player.player_words import player_words

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.sound]
CALL = demo_call()
ALIKE = 0.95
NEAR = RATE // 10


async def listen(page: Page, call: LiveCall, host: str = "127.0.0.1") -> None:
    """Opens the plain page and clicks Listen."""
    address = call.address.replace("127.0.0.1", host)
    await page.goto(f"http://{address}/index.html?url=ws://{address}/listen")
    await page.wait_for_function("window.ready")
    await page.click("#listen")


async def state(page: Page, *wanted: str) -> None:
    """Waits for one of these states."""
    await page.wait_for_function("wanted => wanted.includes(window.states.at(-1))", arg=list(wanted), timeout=30_000, polling=50)


async def heard(page: Page) -> Heard:
    return Heard.of(await page.evaluate("window.heard()"))


async def stats(page: Page) -> dict[str, Any]:
    return await page.evaluate("window.player.stats()")  # type: ignore[no-any-return]


def assert_conserved(numbers: dict[str, Any]) -> None:
    """Every sample that came was played, left out of speech or of a pause, or discarded, and counted."""
    kinds = ["Played", "Stretched", "Cut", "Discarded", "Buffered"]
    assert numbers["samplesReceived"] == sum(numbers[f"samples{kind}"] for kind in kinds)


def assert_in_place(ears: Heard, said: NDArray[np.int16]) -> None:
    """What was said is heard in the ear of who said it: most 20 ms that are loud, of which a splice may fall into some."""
    played, sent = resampled(ears.sound, ears.rate, RATE), said / 32768
    loud = [at for at in range(0, len(played) - FRAME, FRAME) if np.abs(played[at : at + FRAME]).max() > 0.05]
    looked_at = loud[:: max(1, len(loud) // 60)]
    likeness = []
    ahead = 0  # the call's time less the page's, in samples: nearly always that of the place before
    for at in looked_at:
        part, first = played[at : at + FRAME], max(0, at + ahead - NEAR)
        nearby = sent[first : first + FRAME + 2 * NEAR]
        found, like = find(part, nearby) if len(nearby) > FRAME else (0, 0.0)
        if like <= ALIKE:  # looking everywhere is slow
            first, (found, like) = 0, find(part, sent)
        if like > ALIKE:
            ahead = first + found - at
        likeness.append(like)
    assert np.mean(np.array(likeness) > ALIKE) >= 0.6, likeness
    assert len(looked_at) > 10


async def test_hears_what_was_sent_each_speaker_in_their_own_ear(page: Page, call: LiveCall) -> None:
    sound = CALL[6 * RATE : 13 * RATE]  # in which both speak

    async def script(connection: ServerConnection, _: int) -> None:
        await connection.send(START)
        await connection.send("no JSON")
        await connection.send(json.dumps({"type": "transcript", "role": "customer", "transcript": "Hello?"}))
        await send_live(connection, sound, ahead=0)
        await connection.close(1000)

    call.script = script
    await listen(page, call)
    await state(page, "ended")
    numbers, ears = await stats(page), await heard(page)
    assert_in_place(ears, sound)
    assert numbers["samplesReceived"] == len(sound)
    assert numbers["samplesDiscarded"] == numbers["samplesBuffered"] == 0
    assert_conserved(numbers)
    assert numbers["badText"] == 1
    assert numbers["format"] == {"sampleRate": RATE, "channels": 2, "encoding": "s16le", "ground": "start frame"}
    states = await page.evaluate("window.states")
    assert states[:3] == ["starting", "waiting", "playing"]
    assert states[-1] == "ended"
    assert [event["type"] for event in await page.evaluate("window.events")] == ["start", "transcript"]
    scripts = {path for path in call.asked if path.startswith("/assets/")}
    assert scripts >= {f"/assets/v1/{name}.js" for name in ["live_playout", "live_session", "live_socket_worker", "playout_worklet"]}
    assert all(path.startswith("/assets/v1/") for path in scripts)  # imports keep the version, so that versions never mix
    loudest = await page.evaluate("Math.max(...window.levels.map(l => l.assistant.peak))")
    assert loudest == pytest.approx(np.abs(sound[:, 1]).max() / 32768, abs=0.02)


async def test_a_stall_is_one_gap_and_loses_nothing(page: Page, call: LiveCall) -> None:
    sound = CALL[2 * RATE : 12 * RATE]

    async def script(connection: ServerConnection, _: int) -> None:
        await connection.send(START)
        await send_live(connection, sound, ahead=0, stall=(3.0, 5.0))
        await connection.close(1000)

    call.script = script
    await listen(page, call)
    await state(page, "ended")
    numbers, ears = await stats(page), await heard(page)
    states = await page.evaluate("window.states")
    assert states[:2] == ["starting", "waiting"]
    assert "gap" in states
    assert numbers["interruptionCount"] == 1
    assert 1.5 < numbers["totalInterruptionDuration"] < 2.1
    assert numbers["removedSamplesForAcceleration"] > 0.5 * numbers["outputSampleRate"]  # made good: in pauses, and by speaking faster
    assert numbers["samplesCut"] > 0
    assert numbers["samplesDiscarded"] == 0
    assert_conserved(numbers)
    assert_in_place(ears, sound)


async def test_a_dropped_socket_is_opened_again_and_channels_stay_in_place(page: Page, call: LiveCall) -> None:
    async def script(connection: ServerConnection, number: int) -> None:
        await connection.send(START)
        if number == 1:
            await send_live(connection, CALL[2 * RATE : 4 * RATE])
            await connection.send(CALL[4 * RATE : 4 * RATE + 100].tobytes()[:-3])
            await connection.close(1011)
        else:
            await send_live(connection, CALL[12 * RATE : 17 * RATE])
            await connection.close(1000)

    call.script = script
    await listen(page, call)
    await state(page, "ended")
    states = await page.evaluate("window.states")
    assert [s for s in states if s != "gap"] == ["starting", "waiting", "playing", "reconnecting", "playing", "ended"]
    ears = await heard(page)
    assert_in_place(Heard(sound=ears.sound[-4 * ears.rate :], rate=ears.rate), CALL[12 * RATE : 17 * RATE])
    assert (await stats(page))["reconnects"] == 1


async def test_what_a_server_that_counts_bytes_did_not_send_is_missed_to_the_sample(page: Page, call: LiveCall) -> None:
    sound = CALL[2 * RATE : 3 * RATE]
    unsent, dropped = 3 * RATE // 4, RATE // 2  # samples: between both connections, and in the second one

    async def script(connection: ServerConnection, number: int) -> None:
        position = 0 if number == 1 else 4 * (len(sound) + unsent)
        await connection.send(json.dumps({**json.loads(START), "stream": "a1", "position": position}))
        await send_live(connection, sound)
        if number == 1:
            await connection.close(1011)
            return
        await connection.send(json.dumps({"type": "stream", "state": "dropped", "bytes": 4 * dropped}))
        await send_live(connection, sound)
        await connection.close(1000)

    call.script = script
    await listen(page, call)
    await state(page, "ended")
    numbers = await stats(page)
    assert numbers["samplesReceived"] == 3 * len(sound)
    assert numbers["samplesMissed"] == unsent + dropped
    assert_conserved(numbers)


async def test_sound_that_the_worker_keeps_back_while_nothing_can_be_heard_is_missed_to_the_sample(page: Page, call: LiveCall) -> None:
    sound = CALL[2 * RATE : 3 * RATE]
    deaf, hearing = asyncio.Event(), asyncio.Event()

    async def script(connection: ServerConnection, _: int) -> None:
        await connection.send(json.dumps({**json.loads(START), "stream": "a1", "position": 0}))
        await send_live(connection, sound)
        for awaited in (deaf, hearing):
            await awaited.wait()
            await send_live(connection, sound)
        await connection.close(1000)

    await page.add_init_script("window.Worker = class extends Worker { constructor(...all) { super(...all); window.live = this; } };")
    call.script = script
    await listen(page, call)
    await state(page, "playing")
    await page.evaluate("window.live.postMessage({ deaf: true })")
    deaf.set()
    await page.wait_for_function("window.player.stats().then(({ samplesMissed }) => samplesMissed > 0)", timeout=1000 * HANG_S)
    await page.evaluate("window.live.postMessage({ deaf: false })")
    hearing.set()
    await state(page, "ended")
    numbers = await stats(page)
    assert numbers["samplesReceived"] > len(sound)
    assert numbers["samplesReceived"] + numbers["samplesMissed"] == 3 * len(sound)
    assert_conserved(numbers)


async def test_a_busy_page_makes_no_gap(page: Page, call: LiveCall) -> None:
    async def script(connection: ServerConnection, _: int) -> None:
        await connection.send(START)
        await send_live(connection, CALL[2 * RATE : 6 * RATE], ahead=0)
        await connection.close(1000)

    call.script = script
    await listen(page, call)
    await page.evaluate("setTimeout(() => { for (const end = performance.now() + 1500; performance.now() < end; ); }, 1500)")
    await state(page, "ended")
    numbers = await stats(page)
    assert numbers["samplesReceived"] == 4 * RATE
    assert numbers["concealedSamples"] < 0.5 * numbers["outputSampleRate"]  # the page is busy for three times as long


async def test_stop_releases_socket_worker_and_context(page: Page, call: LiveCall) -> None:
    async def script(connection: ServerConnection, _: int) -> None:
        await connection.send(START)
        await send_live(connection, CALL)

    call.script = script
    await listen(page, call)
    await page.evaluate("window.player.start(), window.player.start()")
    await state(page, "playing")
    assert call.connections == 1
    await page.evaluate("window.context = window.player.context; window.player.stop()")
    await asyncio.wait_for(call.all_gone.wait(), HANG_S)
    assert call.closed == [1000]
    while page.workers:
        await page.wait_for_timeout(20)
    await page.wait_for_function("window.context.state === 'closed'")
    assert await page.evaluate("window.player.context") is None
    assert await page.evaluate("window.states.at(-1)") == "stopped"
    await page.evaluate("window.player.start()")
    await state(page, "playing")
    await page.evaluate("window.player.stop()")
    # stopped before it had begun
    await page.evaluate("window.player.start(); window.player.stop()")
    while page.workers:
        await page.wait_for_timeout(20)
    await asyncio.wait_for(call.all_gone.wait(), HANG_S)
    assert await page.evaluate("window.states.at(-1)") == "stopped"


async def test_closing_the_tab_closes_the_socket(page: Page, call: LiveCall) -> None:
    async def script(connection: ServerConnection, _: int) -> None:
        await send_live(connection, CALL)

    call.script = script
    await listen(page, call)
    await state(page, "playing")
    await page.close()
    await asyncio.wait_for(call.all_gone.wait(), HANG_S)


async def test_an_old_url_is_expired_until_there_is_a_new_one(page: Page, call: LiveCall) -> None:
    async def script(connection: ServerConnection, number: int) -> None:
        assert connection.request is not None
        if "fresh" not in connection.request.path:
            await connection.close(4401)
        await connection.send(START)
        await send_live(connection, CALL[: 3 * RATE])
        await connection.close(4409)

    call.script = script
    await listen(page, call)
    await state(page, "expired")
    await page.evaluate(f"window.player.setUrl('ws://{call.address}/listen?fresh')")
    await state(page, "playing")
    await state(page, "ended")
    assert call.connections == 2
    # a function is asked once more before the page reports it
    await page.evaluate(
        f"window.states.length = 0; let asked = 0; window.listen(() => `ws://{call.address}/listen?${{asked++ ? 'fresh' : 'old'}}`)",
    )
    await state(page, "ended")
    assert "expired" not in await page.evaluate("window.states")
    assert call.connections == 4


async def test_a_call_that_does_not_run_is_ended(page: Page, call: LiveCall) -> None:
    async def script(connection: ServerConnection, _: int) -> None:
        await connection.close(4404)

    call.script = script
    await listen(page, call)
    await state(page, "ended")
    await asyncio.wait_for(call.all_gone.wait(), HANG_S)
    assert call.connections == 1


async def test_a_context_unlocked_in_a_click_is_used(page: Page, call: LiveCall) -> None:
    async def script(connection: ServerConnection, _: int) -> None:
        await send_live(connection, CALL)

    call.script = script
    await page.goto(f"http://{call.address}/index.html")
    await page.wait_for_function("window.ready")
    used = await page.evaluate(
        """async (url) => {
            const Real = AudioContext, made = [];
            window.AudioContext = class extends Real { constructor(o) { super(o); made.push(this); } };
            LivePlayout.unlock(); LivePlayout.unlock();
            await window.listen(url);
            return made.length === 1 && window.player.context === made[0];
        }""",
        f"ws://{call.address}/listen",
    )
    assert used
    await state(page, "playing")
    await page.evaluate("window.player.stop()")


async def test_where_sound_is_blocked_it_says_so_and_a_tap_plays_what_is_live(page: Page, call: LiveCall) -> None:
    async def script(connection: ServerConnection, _: int) -> None:
        await connection.send(START)
        await send_live(connection, CALL)

    call.script = script
    await page.add_init_script(
        """const resume = AudioContext.prototype.resume;
        let allowed = false;  // headless Chromium blocks nothing, so this stands in for a browser that waits for a tap
        Object.defineProperty(navigator, "userActivation", { get: () => ({ isActive: Boolean(allowed) }) });
        addEventListener('pointerdown', () => { allowed = window.tapped; }, true);
        AudioContext.prototype.resume = function () {
            if (!allowed) { this.suspend(); return new Promise(() => {}); }
            return new Promise((resolve) => setTimeout(resolve, 300)).then(() => resume.call(this)); // as a device that takes its time
        };""",
    )
    await listen(page, call)
    await state(page, "blocked")
    await page.wait_for_timeout(2000)
    await page.evaluate("window.tapped = true")
    await page.click("#state")
    await state(page, "playing")
    numbers = await stats(page)
    assert numbers["delay"] < 0.5
    assert numbers["samplesDiscarded"] > RATE


async def test_plain_http_on_a_name_is_unsupported_and_says_what_to_do(page: Page, call: LiveCall) -> None:
    await listen(page, call, host=INSECURE)
    await state(page, "unsupported")
    assert "https" in await page.inner_text("#state")
    assert call.connections == 0


async def test_a_player_that_does_not_load_has_failed_and_holds_nothing(page: Page, call: LiveCall) -> None:
    async def script(connection: ServerConnection, _: int) -> None:
        await send_live(connection, CALL)

    call.script = script
    call.missing.add("playout_worklet.js")
    await listen(page, call)
    await state(page, "failed")
    assert await page.evaluate("window.player.context") is None
    if call.connections:
        await asyncio.wait_for(call.all_gone.wait(), HANG_S)


async def open_element(page: Page, call: LiveCall, more: str = "", *, host: str = "127.0.0.1", moving: bool = False) -> None:
    """`moving` says that the lanes are looked at. Elsewhere each shows a still meter, which takes less to paint."""
    await page.emulate_media(reduced_motion="no-preference" if moving else "reduce")
    await page.add_init_script(f"window.words = {json.dumps(player_words())}")
    await page.goto(f"http://{call.address.replace('127.0.0.1', host)}/element.html?url=ws://{call.address}/listen{more}")
    await page.wait_for_function("window.ready")


# How many pixels of a speaker's lane are drawn on.
INKED = """row => {
    const canvas = document.querySelector(`.lane.${row} canvas`);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, k) => k % 4 === 3 && value > 0).length;
}"""


async def live(connection: ServerConnection, _: int) -> None:
    """A script: the demo call from where the assistant begins to speak, and on."""
    await connection.send(START)
    await send_live(connection, CALL[RATE:])


async def test_the_element_draws_speakers_and_says_how_far_behind_it_is(page: Page, call: LiveCall) -> None:
    call.script = live
    await open_element(page, call, moving=True)
    line = page.get_by_test_id("player-state")
    assert await line.get_attribute("data-state") == "idle"
    assert await page.inner_text(".lane.c .name") == "Customer\nleft ear"
    await page.click("#listen")
    await page.wait_for_selector("[data-state=playing]")
    assert await line.inner_text() == "Live"
    await page.wait_for_function("document.querySelector('.lane.a small').textContent === 'right ear, speaking'")
    await page.wait_for_function(f"""() => {{
        const [assistant, customer] = ["a", "c"].map({INKED});
        return assistant > 4 * customer && customer > 0;
    }}""")
    assert await page.inner_text(".lane.c small") == "left ear"
    assert await page.inner_text("[role=status]") == "Sound is playing"
    emitted = await page.evaluate("window.emitted")
    assert [change["state"] for change in emitted if "state" in change] == ["starting", "waiting", "playing"]
    assert [change["text"] for change in emitted if "state" in change][-1] == "Live"
    assert any(event.get("type") == "start" for event in emitted)
    assert (await page.evaluate("window.player.getStats()"))["state"] == "playing"
    await page.evaluate("window.context = window.contexts[0]; window.unmount()")
    await asyncio.wait_for(call.all_gone.wait(), HANG_S)
    await page.wait_for_function("window.context.state === 'closed'")


async def test_the_element_says_why_vapi_gives_no_sound_until_it_does(page: Page, call: LiveCall) -> None:
    works = asyncio.Event()

    async def script(connection: ServerConnection, number: int) -> None:
        await connection.send(json.dumps({"type": "listen-problem", "detail": "It requires a <b>key</b>."}))
        await works.wait()
        await connection.send(json.dumps({"type": "stream", "state": "connected"}))
        await live(connection, number)

    call.script = script
    await open_element(page, call, "&autostart")
    problem = page.get_by_test_id("listen-problem")
    await problem.wait_for()
    assert await problem.inner_text() == "No sound from Vapi: It requires a <b>key</b>."
    works.set()
    await page.wait_for_selector("[data-state=playing]")
    assert await problem.count() == 0


async def test_the_element_draws_a_still_meter_mutes_one_speaker_and_has_details_in_words(page: Page, call: LiveCall) -> None:
    call.script = live
    await open_element(page, call, "&autostart")
    await page.wait_for_selector("[data-state=playing]")
    await page.wait_for_timeout(1500)
    rows = await page.evaluate(
        """() => {
            const canvas = document.querySelector(".lane.a canvas"), rows = new Set();
            const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            data.forEach((value, k) => k % 4 === 3 && value > 0 && rows.add(Math.floor(k / 4 / width)));
            return rows.size;
        }""",
    )
    assert 0 < rows <= 5  # one flat line, whatever is said

    mute = page.get_by_role("button", name="Mute assistant here")
    assert await mute.get_attribute("aria-pressed") == "false"
    await mute.click()
    assert await mute.get_attribute("aria-pressed") == "true"
    await page.wait_for_timeout(1500)
    ears = await heard(page)
    assert np.abs(ears.sound[-ears.rate :, 1]).max() < 1e-4
    await page.get_by_label("Assistant volume").fill("0.5")  # who moves the volume wants to hear something
    assert await mute.get_attribute("aria-pressed") == "false"
    await page.wait_for_timeout(1000)
    ears = await heard(page)
    assert 0.05 < np.abs(ears.sound[-ears.rate // 2 :, 1]).max() <= 0.5

    details = page.locator("details.player-details")
    await details.locator("summary").click()
    await page.wait_for_function("document.querySelectorAll('.player-details dt').length > 5")
    words = dict(zip(await details.locator("dt").all_inner_texts(), await details.locator("dd").all_inner_texts(), strict=True))
    assert words["Format"] == "16 kHz, separate speakers, 16 bit, announced by the call"
    assert words["Connection"] == "never lost"
    assert re.match(r"\d\.\d\d s behind", words["Delay"])
    await details.get_by_label("Stay live").check()
    assert await page.evaluate("window.player.staysLive")
    await page.evaluate("window.props.format = { sampleRate: 8000, channels: 2, encoding: 's16le' }")
    await page.wait_for_function("window.player.getStats().then(({ format }) => format.ground === 'operator')")
    await details.get_by_label("Play as").select_option("8 kHz × 1 mu-law")
    await page.wait_for_function("window.player.getStats().then(({ format }) => format.encoding === 'mulaw' && format.channels === 1)")


@pytest.mark.parametrize(
    ("missing", "host", "state", "words"),
    [
        ("playout_worklet.js", "127.0.0.1", "failed", "The sound does not play. Press Listen to try again"),
        ("live_playout.js", "127.0.0.1", "failed", "The sound does not play. Press Listen to try again"),
        ("", INSECURE, "unsupported", "Browsers play no live sound over plain http. Open this page over https"),
    ],
)
async def test_the_element_says_in_plain_words_why_there_is_no_sound(
    page: Page, call: LiveCall, missing: str, host: str, state: str, words: str
) -> None:
    call.script = live
    call.missing.add(missing)
    await open_element(page, call, "&autostart", host=host)
    await page.wait_for_selector(f"[data-state={state}]")
    assert (await page.get_by_test_id("player-state").inner_text()).startswith(words)


async def test_firefox_is_asked_for_the_devices_delay_only_where_that_cannot_freeze_the_tab(page: Page, call: LiveCall) -> None:
    await page.goto(f"http://{call.address}/index.html")
    ask = """async ([gecko, platform]) => (await import("/assets/v1/output_latency.js")).mayAskOutputLatency({ gecko, platform })"""
    for platform in ("Linux x86_64", "Linux aarch64", "FreeBSD amd64", ""):
        assert not await page.evaluate(ask, [True, platform])
        assert await page.evaluate(ask, [False, platform])
    for platform in ("Win32", "MacIntel", "Android"):
        assert await page.evaluate(ask, [True, platform])


FIREFOX_ON_LINUX = """
    window.mozInnerScreenX = 0;
    Object.defineProperty(navigator, "platform", { get: () => "Linux x86_64" });
    window.asked = 0;
    Object.defineProperty(AudioContext.prototype, "outputLatency", { get() { window.asked++; return 0.01; } });
    AudioContext.prototype.getOutputTimestamp = () => { window.asked++; return {}; };
"""


@pytest.mark.parametrize("firefox", [True, False])
async def test_the_devices_delay_is_not_asked_for_where_that_freezes_the_tab(page: Page, call: LiveCall, firefox: bool) -> None:
    call.script = live
    await page.add_init_script(FIREFOX_ON_LINUX + ("" if firefox else "delete window.mozInnerScreenX;"))
    await open_element(page, call, "&autostart")
    await page.wait_for_selector("[data-state=playing]")
    details = page.locator("details.player-details")
    await details.locator("summary").click()
    said = details.locator("dt:text-is('Device') + dd")
    wanted = r"\d+(\.\d)? kHz; this browser does not say how much delay it adds" if firefox else r"adds \d\.\d\d s, \d+(\.\d)? kHz"
    await page.wait_for_timeout(1500)  # the figures are renewed every 0.4 s, and the device is asked at least twice a second
    assert re.fullmatch(wanted, await said.inner_text())
    assert (await page.evaluate("window.asked") == 0) == firefox
