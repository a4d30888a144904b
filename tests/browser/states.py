"""Every state of the page, each with how it comes about, for whoever looks at all of them: the pictures in docs/ and the check by axe."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import count

from playwright.sync_api import Page, expect

from services.domain.phone_number import international
from tests.browser.conftest import Earshot, earshot_process
from tests.browser.lines import scripted
from tests.process import vapi_environ

NUMBER, BUSY, RINGS_LONG, UNLIKELY = "+14155552671", "+12025550101", "+12025550102", "+1 415 055 2671"
NEVER_CALLED_BEFORE = (f"+1415555{tail}" for tail in count(3000))  # no test calls one of these by itself
PATIENCE = 60_000  # ms

Bring = Callable[[Page, Earshot], None]


def empty(_page: Page, _earshot: Earshot) -> None:
    pass


def settings(page: Page, _earshot: Earshot) -> None:
    page.get_by_test_id("settings").click()


def more(page: Page, _earshot: Earshot) -> None:
    page.get_by_test_id("dial-number").fill("+49 30 901820")
    page.get_by_test_id("dial-caller-id").select_option(index=0)
    page.locator(".more summary").click()
    page.locator("#first-message").fill("Guten Tag, hier ist Riley.")
    page.locator(".more .btn.small").click()
    page.keyboard.type("first")


def confirm(page: Page, _earshot: Earshot) -> None:
    dial(page, UNLIKELY)
    expect(page.get_by_test_id("dial-confirm")).to_be_visible()


def dialling(page: Page, _earshot: Earshot) -> None:
    dial(page, next(NEVER_CALLED_BEFORE))
    see(page, "dialling")


def ringing(page: Page, _earshot: Earshot) -> None:
    dial(page, RINGS_LONG)
    see(page, "ringing")


def in_progress(page: Page, _earshot: Earshot) -> None:
    dial(page, NUMBER)
    expect(page.get_by_test_id("player-state")).to_have_attribute("data-state", "playing", timeout=PATIENCE)


def ended(page: Page, earshot: Earshot) -> None:
    dial(page, NUMBER)
    expect(page.get_by_role("timer").first).to_have_text(re.compile(r"0:(0[4-9]|[1-5]\d)"), timeout=PATIENCE)
    end(page)


def end(page: Page) -> None:
    page.get_by_test_id("call-end").click()
    see(page, "ended")
    expect(page.locator(".facts .cost")).to_be_visible(timeout=PATIENCE)


def steered(page: Page, earshot: Earshot) -> None:
    """Two calls open, one of them spoken into and about to be handed over."""
    for number in (next(NEVER_CALLED_BEFORE), NUMBER):
        dial(page, number)
        expect(page.locator(".who")).to_have_text(international(number))
        see(page, "in-progress")
    steer(page)


def steer(page: Page) -> None:
    page.locator("[name=say]").fill("We can also offer Friday at nine.")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("timeline")).to_be_visible()
    page.locator("[name=way][value=transfer]").check()
    page.locator(".steering [name=to]").fill("+49 30 901820")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("transfer-confirm")).to_be_visible()


def replayed(page: Page, earshot: Earshot, lines: int = 1) -> None:
    """The recording ends once the assistant's first `lines` lines are shown, which is to say that so much has been heard."""
    page.goto(f"{earshot.url}/?call={earshot.place(NUMBER)['id']}")  # where nobody listens yet
    record(page, lines)


def record(page: Page, lines: int = 1) -> None:
    """Records the call that is shown, ends it and opens the recording."""
    see(page, "in-progress")
    page.get_by_test_id("record").click()
    expect(page.get_by_test_id("transcript").locator(".bubble.assistant").nth(lines - 1)).to_be_visible(timeout=PATIENCE)
    page.get_by_test_id("call-end").click()
    open_replay(page)


def open_replay(page: Page) -> None:
    page.get_by_test_id("replay-open").click(timeout=PATIENCE)
    expect(page.get_by_test_id("replay")).to_have_attribute("data-state", "paused", timeout=PATIENCE)


def contacts(page: Page, _earshot: Earshot) -> None:
    dialog = page.get_by_test_id("contacts-dialog")
    expect(dialog).to_be_attached()
    page.get_by_test_id("contacts").click()
    for name, number, note in (
        ("Ana Flores", "+12025550188", "prefers mornings"),
        ("Zoë Park", "+442079460321", ""),
    ):  # that no call is with
        dialog.get_by_label("Name").fill(name)
        dialog.get_by_label("Phone number").fill(number)
        dialog.get_by_label("Note").fill(note)
        page.keyboard.press("Enter")
        expect(dialog.get_by_text(f"{name} is saved.")).to_be_visible()
    dialog.get_by_role("button", name="Delete Zoë Park").click()


def presenting(page: Page, earshot: Earshot) -> None:
    in_progress(page, earshot)
    present(page)


def present(page: Page) -> None:
    expect(page.get_by_test_id("transcript").locator(".bubble").first).to_be_visible(timeout=PATIENCE)
    page.evaluate("document.dispatchEvent(new CustomEvent('earshot-present'))")  # a phone has no key for it
    expect(page.get_by_test_id("present-leave")).to_be_visible()


def annotated(page: Page, earshot: Earshot) -> None:
    """An ended call with a note on a moment and a tag."""
    call = earshot.place(next(NEVER_CALLED_BEFORE))["id"]
    earshot.end_all()
    page.goto(f"{earshot.url}/?call={call}")
    annotate(page, earshot, call)


def annotate(page: Page, earshot: Earshot, call: str) -> None:
    earshot._ask("POST", f"/api/calls/{call}/notes", {"text": "Asks for the price", "t": 83})
    earshot._ask("POST", f"/api/calls/{call}/tags", {"tag": "pricing"})
    expect(page.get_by_test_id("note")).to_be_visible()


def fleet(page: Page, earshot: Earshot) -> None:
    """Calls that are heard, talk, and ring."""
    calls = [earshot.place(next(NEVER_CALLED_BEFORE)) for _ in range(2)] + [earshot.place(RINGS_LONG)]
    page.goto(f"{earshot.url}/?call={calls[1]['id']}")
    see(page, "in-progress")
    page.get_by_test_id("view-fleet").evaluate("button => button.click()")  # a phone has no room for it while few calls run
    first = page.locator(f".fleet-card[data-call='{calls[0]['id']}']")
    expect(first.locator(".fleet-last q")).not_to_be_empty(timeout=PATIENCE)
    first.get_by_role("button", name="Listen").click()
    expect(first).to_have_class(re.compile(r"\bheard\b"), timeout=PATIENCE)


def wall(page: Page, earshot: Earshot) -> None:
    for _ in range(3):
        earshot.place(next(NEVER_CALLED_BEFORE))
    open_wall(page, earshot)


def open_wall(page: Page, earshot: Earshot) -> None:
    page.goto(f"{earshot.url}/wall")
    expect(page.locator(".fleet-last q").first).not_to_be_empty(timeout=PATIENCE)


def insights(page: Page, earshot: Earshot) -> None:
    ended(page, earshot)
    open_insights(page, earshot)


def open_insights(page: Page, earshot: Earshot) -> None:
    page.goto(f"{earshot.url}/insights")
    expect(page.get_by_test_id("insights-totals")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".insights-chart svg").first).to_be_visible(timeout=PATIENCE)


def measured(page: Page, earshot: Earshot) -> None:
    """An ended call with what was measured of it."""
    in_progress(page, earshot)
    expect(page.get_by_test_id("measures")).to_contain_text("Answers", timeout=PATIENCE)
    end_measured(page)


def end_measured(page: Page) -> None:
    page.get_by_test_id("call-end").click()
    see(page, "ended")
    expect(page.get_by_test_id("measures")).to_contain_text("interruption", timeout=PATIENCE)


def in_trouble(page: Page, earshot: Earshot) -> None:
    """A fleet with a call in which nobody speaks."""
    call = silenced(page, earshot)
    page.get_by_test_id("view-fleet").evaluate("button => button.click()")
    expect(page.locator(f".fleet-card[data-call='{call}'].needy")).to_be_visible(timeout=PATIENCE)


def silenced(page: Page, earshot: Earshot) -> str:
    """Shows a call in which both were muted after they had spoken. Returns its id."""
    call: str = earshot.place(next(NEVER_CALLED_BEFORE))["id"]
    page.goto(f"{earshot.url}/?call={call}")
    silence(page, earshot, call)
    return call


def silence(page: Page, earshot: Earshot, call: str) -> None:
    """Mutes both in the call on the page, after they have spoken."""
    expect(page.get_by_test_id("measures")).to_contain_text("Answers", timeout=PATIENCE)
    see(page, "in-progress")  # what is heard is measured at once, a status is read at intervals
    for muted in ("customer", "assistant"):
        earshot._ask("POST", f"/api/calls/{call}/control", {"action": f"mute-{muted}"})


def failed(page: Page, _earshot: Earshot) -> None:
    dial(page, BUSY)
    see(page, "ended")


def stopped(page: Page, earshot: Earshot) -> None:
    earshot._ask("POST", "/api/dialling/stop", {"reason": "Wrong list"})
    expect(page.locator(".notice.stopped")).to_be_visible()


def unknown(page: Page, _earshot: Earshot) -> None:
    dial(page, next(NEVER_CALLED_BEFORE))
    see(page, "dialling")  # not what an earlier call left on the stage
    see(page, "unknown")


def not_answering(page: Page, _earshot: Earshot) -> None:
    dial(page, next(NEVER_CALLED_BEFORE))
    expect(page.get_by_role("alert").locator("strong").filter(visible=True).first).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".notice.quiet").filter(visible=True)).to_be_visible(timeout=PATIENCE)


def offline(page: Page, _earshot: Earshot) -> None:
    page.get_by_test_id("dial-number").fill(NUMBER)
    expect(page.get_by_test_id("dial-number")).to_have_value("+1 415-555-2671")
    page.evaluate("window.socket.disconnect()")
    expect(page.get_by_test_id("offline")).to_be_visible()


def wrong_password(page: Page, _earshot: Earshot) -> None:
    page.locator("#password").fill("not it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).not_to_be_empty()


def dial(page: Page, number: str) -> None:
    page.get_by_test_id("dial-number").fill(number)
    page.get_by_test_id("dial-call").click()


def see(page: Page, status: str) -> None:
    expect(page.get_by_test_id("call-status")).to_have_attribute("data-status", status, timeout=PATIENCE)


@contextmanager
def losing_answers() -> Iterator[Earshot]:
    """Earshot before a Vapi that answers a dial with an error and lists no call: whether one was placed can't be known."""
    with scripted() as (vapi, _), earshot_process(**vapi_environ(vapi.url)) as earshot:
        vapi.answer = (500, {"message": "Internal server error"})
        yield earshot


ON_THE_DEMO_LINE: Mapping[str, Bring] = {
    "empty": empty,
    "settings": settings,
    "more": more,
    "confirm": confirm,
    "ringing": ringing,
    "in_progress": in_progress,
    "steered": steered,
    "ended": ended,
    "replayed": replayed,
    "annotated": annotated,
    "failed": failed,
    "contacts": contacts,
    "presenting": presenting,
    "fleet": fleet,
    "wall": wall,
    "insights": insights,
    "offline": offline,
    "stopped": stopped,
}
LOGIN: Mapping[str, Bring] = {"login": empty, "login_refused": wrong_password}
ELSEWHERE: Mapping[str, tuple[Bring, Callable[[], AbstractContextManager[Earshot]]]] = {
    "measured": (measured, lambda: earshot_process(EARSHOT_MEASURE="on")),
    "in_trouble": (in_trouble, lambda: earshot_process(EARSHOT_MEASURE="on")),
    "missing": (empty, lambda: earshot_process(VAPI_API_KEY="k")),
    "not_answering": (not_answering, lambda: earshot_process(**vapi_environ("http://127.0.0.1:9"))),
    "dialling": (dialling, losing_answers),
    "unknown": (unknown, losing_answers),
}
