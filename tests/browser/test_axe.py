"""axe-core finds nothing to complain about in any state of the page, light or dark."""

from collections.abc import Callable, Iterator, Mapping

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser import states
from tests.browser.conftest import Earshot, earshot_process
from tests.browser.states import ELSEWHERE, LOGIN, NUMBER, ON_THE_DEMO_LINE, Bring

OF_COLOURS = ("color-contrast", "link-in-text-block")
"""In the dark nothing else differs."""
_RUN = "([context, options]) => axe.run(context, options).then(({ violations }) => violations)"


def complaints(page: Page, earshot: Earshot, journey: Mapping[str, Bring]) -> list[str]:
    """What axe says of each state of a journey through the page, with the element that it means."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(earshot.url)
    if "/login" not in page.url:
        page.wait_for_function("window.did_handshake === true")
    found = []
    for state, bring in journey.items():
        bring(page, earshot)
        found += [f"{state}, light: {line}" for line in violations(page)]
        page.emulate_media(color_scheme="dark")
        found += [f"{state}, dark: {line}" for line in violations(page, *OF_COLOURS)]
        page.emulate_media(color_scheme="light")
    page.close()
    return found


def violations(page: Page, *rules: str, but: str = "") -> Iterator[str]:
    """By all rules, or by these, of all elements but those that this selects."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    # What passed is not described, which takes axe a third of its time. Style sheets are read by no rule but one that must be asked for.
    options = {"resultTypes": ["violations"], "preload": {"assets": ["media"]}}
    if rules:
        options |= {"runOnly": {"type": "rule", "values": rules}}
    for violation in page.evaluate(_RUN, [{"exclude": [but] if but else []}, options]):
        for node in violation["nodes"]:
            yield f"{violation['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"


def closing(bring: Bring) -> Bring:
    """Closes first what was open."""

    def bring_(page: Page, earshot: Earshot) -> None:
        page.keyboard.press("Escape")
        bring(page, earshot)

    return bring_


def failed(page: Page, earshot: Earshot) -> None:
    earshot._ask("POST", "/api/dialling/resume")
    states.failed(page, earshot)


def presenting(page: Page, _earshot: Earshot) -> None:
    page.get_by_test_id("record").click()
    states.present(page)


def steered(page: Page, _earshot: Earshot) -> None:
    page.get_by_test_id("present-leave").click()
    page.get_by_test_id("listen-toggle").click()  # nobody needs to hear the rest
    states.steer(page)


def ended(page: Page, _earshot: Earshot) -> None:
    page.get_by_role("button", name="Cancel").click()
    states.end(page)


def annotated(page: Page, earshot: Earshot) -> None:
    states.annotate(page, earshot, next(call["id"] for call in earshot.calls() if call["to"] == NUMBER))


def replayed(page: Page, _earshot: Earshot) -> None:
    states.open_replay(page)


def measured(page: Page, _earshot: Earshot) -> None:
    page.get_by_test_id("view-calls").click()
    states.end_measured(page)


AT_REST: Mapping[str, Bring] = {
    "empty": states.empty,
    "settings": states.settings,
    "contacts": closing(states.contacts),
    "confirm": closing(closing(states.confirm)),
    "more": closing(states.more),
    "stopped": states.stopped,
    "failed": failed,
    "offline": states.offline,
}
IN_A_CALL: Mapping[str, Bring] = {
    "ringing": states.ringing,
    "in_progress": states.in_progress,
    "presenting": presenting,
    "steered": steered,
    "ended": ended,
    "annotated": annotated,
    "replayed": replayed,
    "insights": states.open_insights,
}
AMONG_MANY: Mapping[str, Bring] = {"fleet": states.fleet, "wall": states.open_wall}
WHERE_SOMETHING_IS_AMISS: tuple[Mapping[str, Bring], ...] = (
    {"in_trouble": states.in_trouble, "measured": measured},
    {"missing": states.empty},
    {"not_answering": states.not_answering},
    {"dialling": states.dialling, "unknown": lambda page, _: states.see(page, "unknown")},
)


def test_every_state_is_looked_at() -> None:
    journeys = (AT_REST, IN_A_CALL, AMONG_MANY, LOGIN, *WHERE_SOMETHING_IS_AMISS)
    assert {state for journey in journeys for state in journey} == {*ON_THE_DEMO_LINE, *LOGIN, *ELSEWHERE}


def test_at_rest(tabs: Callable[[str], Page], earshot: Earshot) -> None:
    try:
        assert complaints(tabs(earshot.url), earshot, AT_REST) == []
    finally:
        earshot._ask("POST", "/api/dialling/resume")


@pytest.mark.parametrize("journey", [IN_A_CALL, AMONG_MANY], ids=["a-call", "many-calls"])
def test_while_calls_run_and_afterwards(tabs: Callable[[str], Page], earshot: Earshot, journey: Mapping[str, Bring]) -> None:
    assert complaints(tabs(earshot.url), earshot, journey) == []


def test_at_the_login(tabs: Callable[[str], Page]) -> None:
    with earshot_process(EARSHOT_PASSWORD="correct horse") as earshot:
        assert complaints(tabs(earshot.url), earshot, LOGIN) == []


@pytest.mark.parametrize("journey", WHERE_SOMETHING_IS_AMISS, ids="-".join)
def test_where_something_is_amiss(tabs: Callable[[str], Page], journey: Mapping[str, Bring]) -> None:
    serving = ELSEWHERE[next(iter(journey))][1]
    with serving() as earshot:
        assert complaints(tabs(earshot.url), earshot, journey) == []
