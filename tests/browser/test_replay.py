"""A call was recorded, and is replayed in the page: seen, heard, followed."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from services.domain.call import Call, CallStatus
from services.domain.stream_format import DEFAULT_FORMAT, StreamFormat
from services.journal import Journal
from services.recording.folder import RecordingFolder
from services.recording.writer import RecordingWriter
from tests.browser.conftest import ROOT, Open
from tests.browser.journals import earshot_with_journal
from tests.browser.plain_page.hearing import Heard, correlation, place, resampled
from tests.browser.plain_page.server import ASSETS, RATE, demo_call
from tests.browser.seen import Seen

TAP = ROOT / "tests" / "browser" / "plain_page" / "tap.js"
RECORDED_S = 16  # of the demo conversation: both have spoken
HEARD_S = 5
BEGUN = datetime.now(UTC) - timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    address: str
    samples: NDArray[np.int16]
    lines: list[dict[str, object]]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """A call with the demo conversation."""
    data = tmp_path_factory.mktemp("data")
    folder = data / "recordings"
    record_conversation(folder)
    record_two_parts(folder)
    record_taken_over(folder)
    page = ROOT / "tests" / "browser" / "replay_page.py"
    with earshot_with_journal(write, data, page, EARSHOT_RECORDINGS=str(folder)) as earshot:
        path = tmp_path_factory.mktemp("recording") / "call.flac"
        path.write_bytes(fetched(f"{earshot.url}/api/calls/conversation/recording"))
        samples = soundfile.read(path, dtype="int16", always_2d=True)[0]
        lines = json.loads(fetched(f"{earshot.url}/api/calls/conversation/recording/transcript"))["lines"]
        yield Recorded(address=f"{earshot.url}/replay/conversation", samples=samples, lines=lines)


async def write(journal: Journal) -> None:
    await journal.save(
        Call(
            id="conversation",
            status=CallStatus.ENDED,
            to="+14155552671",
            created_at=BEGUN,
            started_at=BEGUN,
            ended_at=BEGUN + timedelta(seconds=RECORDED_S),
            ended_reason="customer-ended-call",
        )
    )


def record_conversation(folder: Path) -> None:
    """A call `conversation`, with what each said, as the call told it once they had said it."""
    sound, spoken = demo_call()[: RECORDED_S * RATE], 0
    writer = RecordingWriter(folder / "conversation", call_id="conversation", epoch=BEGUN.timestamp() - 100)
    writer.write([(100.0, DEFAULT_FORMAT.start_frame())])
    for turn in json.loads((ASSETS / "demo_call" / "demo_call.json").read_text())["turns"]:
        if turn["end"] > RECORDED_S:
            break
        until = round(turn["end"] * RATE)
        said = {"type": "transcript", "role": turn["role"], "transcriptType": "final", "transcript": turn["text"]}
        writer.write([(100 + spoken / RATE, sound[spoken:until].tobytes()), (100 + turn["end"], json.dumps(said))])
        spoken = until
    writer.write([(100 + spoken / RATE, sound[spoken:].tobytes())])
    writer.close("call ended", 100.0 + RECORDED_S)
    assert RecordingFolder(folder).finish("conversation")


def record_two_parts(folder: Path) -> None:
    """A call `two` whose stream went from 16 to 8 kHz: a second and a half of each."""
    writer = RecordingWriter(folder / "two", call_id="two", epoch=0)
    for start, form in ((100.0, DEFAULT_FORMAT), (101.5, StreamFormat(sample_rate=8_000, channels=2))):
        writer.write([(start, form.start_frame()), (start, b"\x10\x10" * 3 * form.sample_rate)])
    writer.close("call ended", 103.0)
    assert RecordingFolder(folder).finish("two")


def record_taken_over(folder: Path) -> None:
    """A call `taken-over`: the process that recorded its first 9.4 s stopped, and left nothing."""
    writer = RecordingWriter(folder / "taken-over", call_id="taken-over", epoch=0, missing_from=90.6)
    writer.write([(100.0, DEFAULT_FORMAT.start_frame()), (100.0, b"\x10\x10" * 2 * DEFAULT_FORMAT.sample_rate)])
    writer.close("call ended", 101.0)
    assert RecordingFolder(folder).finish("taken-over")


def fetched(address: str) -> bytes:
    """What is there, as soon as it is."""
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        with suppress(urllib.error.HTTPError), urllib.request.urlopen(address, timeout=10) as answer:
            return bytes(answer.read())
        time.sleep(0.1)
    raise AssertionError(f"{address} was never there")


@pytest.fixture
def page(recorded: Recorded, open_tab: Open) -> Page:
    page = open_tab(recorded.address)
    page.wait_for_selector('[data-testid="replay"][data-state="paused"]')
    return page


def test_it_is_heard_as_it_was_recorded(open_tab: Open, recorded: Recorded) -> None:
    # What records is a worklet from a blob, which the page's own content policy would rightly refuse.
    page = open_tab(recorded.address, bypass_csp=True, script=TAP)
    clock = Seen(page.get_by_test_id("replay-time"))
    page.get_by_test_id("replay-play").click()
    clock.wait(f"0:{HEARD_S + 2:02}")
    ears = Heard.of(page.evaluate("window.heard()"))
    begins = int(np.flatnonzero(np.abs(ears.sound).max(axis=1) > 0.01)[0])
    heard = ears.sound[begins : begins + HEARD_S * ears.rate]
    assert len(heard) == HEARD_S * ears.rate
    kept = resampled(recorded.samples, RATE, ears.rate)
    at = place(heard, kept)
    for ear in (0, 1):
        own, other = kept[at : at + len(heard), ear], kept[at : at + len(heard), 1 - ear]
        if own.any():
            assert correlation(heard[:, ear], own) > 0.95
            assert not other.any() or abs(correlation(heard[:, ear], other)) < 0.05
    assert heard.any()


def test_it_is_drawn_followed_line_by_line_and_played_to_the_end(page: Page, recorded: Recorded) -> None:
    see_the_waveform_fill(page)
    see_the_transcript_follow_and_lead(page, recorded)
    see_it_play_to_the_end_and_then_begin_anew(page)


def see_the_waveform_fill(page: Page) -> None:
    drawn = """() => { const canvas = document.querySelector(".replay-wave canvas");
        const { width, height } = canvas, data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
        const strong = (from, to) => { let count = 0;
            for (let y = from; y < to; y++) for (let x = 0; x < width; x++) if (data[4 * (y * width + x) + 3] > 200) count++;
            return count; };
        const any = (from, to) => { let count = 0;
            for (let y = from; y < to; y++) for (let x = 0; x < width; x++) if (data[4 * (y * width + x) + 3]) count++;
            return count / width / (to - from); };
        return { customer: any(0, height / 2), assistant: any(height / 2, height), played: strong(0, height) }; }"""
    still = page.evaluate(drawn)
    assert still["customer"] > 0.02
    assert still["assistant"] > 0.02
    assert still["played"] == 0
    page.get_by_test_id("replay-wave").press("End")
    assert page.evaluate(drawn)["played"] > 100


def see_the_transcript_follow_and_lead(page: Page, recorded: Recorded) -> None:
    lines = page.locator(".replay-lines button")
    assert lines.count() == len(recorded.lines) >= 2
    lines.nth(1).click()
    expect(lines.nth(1)).to_have_attribute("aria-current", "true")
    expect(page.get_by_test_id("line")).to_have_text("1")
    start = float(str(recorded.lines[1]["at"]))
    expect(page.get_by_test_id("replay-time")).to_have_text(f"0:{int(start):02}")
    assert str(recorded.lines[1]["text"]) in str(lines.nth(1).text_content())


def see_it_play_to_the_end_and_then_begin_anew(page: Page) -> None:
    page.get_by_test_id("replay-wave").press("End")
    page.get_by_test_id("replay-wave").press("ArrowLeft")
    page.get_by_role("button", name="2×").click()
    state = Seen(page.get_by_test_id("replay"))
    page.get_by_test_id("replay-play").click()
    state.wait("playing")
    expect(page.get_by_test_id("replay")).to_have_attribute("data-state", "paused")
    clock = Seen(page.get_by_test_id("replay-time"))
    page.get_by_test_id("replay-play").click()
    clock.wait("0:01")


def test_keys_alone_play_seek_change_the_speed_and_cut_a_clip(page: Page, recorded: Recorded) -> None:
    see_keys_play_seek_and_change_the_speed(page, recorded)
    page.get_by_test_id("replay-wave").press("Home")
    see_a_clip_cut_with_keys_and_saved(page, recorded)


def see_keys_play_seek_and_change_the_speed(page: Page, recorded: Recorded) -> None:
    wave, clock = page.get_by_test_id("replay-wave"), page.get_by_test_id("replay-time")
    wave.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(clock).to_have_text("0:10")
    assert wave.get_attribute("aria-valuetext") == f"0:10 of 0:{len(recorded.samples) // RATE:02}"
    page.keyboard.press("Home")
    shown = Seen(page.get_by_test_id("replay-time"))
    page.keyboard.press("Space")
    expect(page.get_by_test_id("replay")).to_have_attribute("data-state", "playing")
    shown.wait("0:01")
    page.keyboard.press("Space")
    expect(page.get_by_test_id("replay")).to_have_attribute("data-state", "paused")
    page.get_by_role("button", name="2×").press("Enter")
    assert page.get_by_role("button", name="2×").get_attribute("aria-pressed") == "true"


def see_a_clip_cut_with_keys_and_saved(page: Page, recorded: Recorded) -> None:
    wave = page.get_by_test_id("replay-wave")
    wave.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("i")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("o")
    expect(page.get_by_test_id("clip-from")).to_have_value("5")
    expect(page.get_by_test_id("clip-to")).to_have_value("10")
    page.get_by_test_id("clip-to").fill("6.5")
    page.get_by_test_id("clip-to").press("Enter")
    for form in ("FLAC", "WAV"):
        with page.expect_download() as saved:
            page.get_by_role("link", name=form).click()
        clip = soundfile.read(saved.value.path(), dtype="int16")[0]
        assert np.array_equal(clip, recorded.samples[5 * RATE : round(6.5 * RATE)])
        assert soundfile.info(saved.value.path()).format == form
    page.get_by_test_id("clip-from").fill("7")
    page.get_by_test_id("clip-from").press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The end has to come after the beginning.")
    expect(page.get_by_role("link", name="FLAC")).to_have_count(0)


def test_a_recording_of_two_parts_plays_through_and_gives_no_clip_across_both(recorded: Recorded, open_tab: Open) -> None:
    page = open_tab(recorded.address.rpartition("/")[0] + "/two")
    state = Seen(page.get_by_test_id("replay"))
    page.get_by_test_id("replay-play").click()
    state.wait("playing")
    expect(page.get_by_test_id("replay-time")).to_have_text("0:03")
    expect(page.get_by_test_id("replay")).to_have_attribute("data-state", "paused")
    clock = Seen(page.get_by_test_id("replay-time"))
    page.get_by_test_id("replay-play").click()
    clock.wait("0:00")  # anew, from the first part
    expect(page.get_by_test_id("replay-time")).to_have_text("0:03")
    expect(page.get_by_test_id("replay")).to_have_attribute("data-state", "paused")
    page.get_by_test_id("replay-wave").press("ArrowLeft")
    expect(page.get_by_test_id("replay-time")).to_have_text("0:00")
    page.get_by_test_id("clip-open").click()
    expect(page.get_by_role("alert")).to_contain_text("a new part from 0:01 on")
    page.get_by_test_id("clip-to").fill("1.5")
    page.get_by_test_id("clip-to").press("Enter")
    expect(page.get_by_role("link", name="WAV")).to_be_visible()


def test_what_is_missing_after_a_takeover_is_shown_and_skipped(recorded: Recorded, open_tab: Open) -> None:
    page = open_tab(recorded.address.rpartition("/")[0] + "/taken-over")
    expect(page.get_by_test_id("replay")).to_contain_text("0.0 to 9.4 s missing: the process that recorded it stopped.")
    clock = Seen(page.get_by_test_id("replay-time"))
    page.get_by_test_id("replay-play").click()
    clock.wait("0:10")


def test_a_missing_recording_is_reported(recorded: Recorded, open_tab: Open) -> None:
    page = open_tab(recorded.address.rpartition("/")[0] + "/no-such-call", faulty=True)
    expect(page.get_by_role("alert")).to_contain_text("can't be played")


def test_the_recording_of_an_earlier_call_can_be_saved(recorded: Recorded, open_tab: Open) -> None:
    earshot, call = recorded.address.split("/replay/")
    page = open_tab(f"{earshot}/?call={call}")
    with page.expect_download() as saved:
        page.get_by_test_id("recorded").get_by_role("link", name="Download").click()
    assert soundfile.info(saved.value.path()).frames == len(recorded.samples)
