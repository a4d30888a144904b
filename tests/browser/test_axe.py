"""axe-core finds nothing to complain about in any state of the page, light or dark."""

from collections.abc import Callable, Iterator, Mapping

import pytest
from playwright.sync_api import Page

from tests import long_call
from tests.browser import states, test_dialer, test_fleet, test_welcome
from tests.browser.axe import OF_COLOURS as OF_COLOURS
from tests.browser.axe import complaints
from tests.browser.axe import violations as violations
from tests.browser.conftest import Earshot, Open, earshot_process
from tests.browser.states import ELSEWHERE, LOGIN, NUMBER, ON_THE_DEMO_LINE, Bring


def closing(bring: Bring) -> Bring:
    """Closes first what was open."""

    def bring_(page: Page, earshot: Earshot) -> None:
        page.keyboard.press("Escape")
        bring(page, earshot)

    return bring_


def failed_and_stopped(page: Page, earshot: Earshot) -> None:
    states.failed(page, earshot)
    states.stopped(page, earshot)


def offline(page: Page, earshot: Earshot) -> None:
    earshot._ask("POST", "/api/dialling/resume")
    states.offline(page, earshot)


def presenting(page: Page, _earshot: Earshot) -> None:
    page.get_by_test_id("record").click()
    states.present(page)


def steered(page: Page, _earshot: Earshot) -> None:
    page.get_by_test_id("present-leave").click()
    page.get_by_test_id("listen-toggle").click()  # nobody needs to hear the rest
    states.steer(page)


def ended_and_annotated(page: Page, earshot: Earshot) -> None:
    page.get_by_role("button", name="Cancel").click()
    states.end(page)
    states.annotate(page, earshot, next(call["id"] for call in earshot.calls() if call["to"] == NUMBER))


def replayed(page: Page, _earshot: Earshot) -> None:
    states.open_replay(page)


AT_REST: Mapping[str, Bring] = {
    "empty": states.empty,
    "settings": states.settings,
    "contacts": closing(states.contacts),
    "confirm": closing(closing(states.confirm)),
    "more": closing(states.more),
    "failed+stopped": failed_and_stopped,
    "offline": offline,
}
IN_A_CALL: Mapping[str, Bring] = {
    "ringing": states.ringing,
    "in_progress": states.in_progress,
    "presenting": presenting,
    "steered": steered,
    "ended+annotated": ended_and_annotated,
    "replayed": replayed,
    "insights": states.open_insights,
}
WHERE_SOMETHING_IS_AMISS: tuple[Mapping[str, Bring], ...] = (
    {"dialling": states.dialling, "unknown": lambda page, _: states.see(page, "unknown")},
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Earshot]:
    """Without the calls of other tests: axe would look at each row of the log. A call lasts for as long as axe takes."""
    with earshot_process(**long_call.environ(tmp_path_factory.mktemp("call"))) as earshot:
        yield earshot


def test_every_state_is_looked_at() -> None:
    journeys = (
        AT_REST,
        IN_A_CALL,
        LOGIN,
        *WHERE_SOMETHING_IS_AMISS,
        test_dialer.WITHOUT_LISTS,
        test_welcome.ONE_SET,
        *test_fleet.LOOKED_AT,
    )
    looked_at = {state for journey in journeys for names in journey for state in names.split("+")}
    assert looked_at == {*ON_THE_DEMO_LINE, *LOGIN, *ELSEWHERE}


@pytest.mark.parametrize("journey", [AT_REST, IN_A_CALL], ids=["at-rest", "a-call"])
def test_on_the_demo_line(open_tab: Open, served: Earshot, journey: Mapping[str, Bring]) -> None:
    page = open_tab(served.url, faulty=True, reduced_motion="reduce")
    assert complaints(page, served, journey) == []
    served.end_all()


def test_at_the_login(tabs: Callable[[str], Page]) -> None:
    with earshot_process(EARSHOT_PASSWORD="correct horse") as earshot:
        page = tabs(earshot.url)
        page.goto(earshot.url)
        assert complaints(page, earshot, LOGIN) == []


@pytest.mark.parametrize("journey", WHERE_SOMETHING_IS_AMISS, ids="-".join)
def test_where_something_is_amiss(open_tab: Open, journey: Mapping[str, Bring]) -> None:
    serving = ELSEWHERE[next(iter(journey))][1]
    with serving() as earshot:
        assert complaints(open_tab(earshot.url, faulty=True, reduced_motion="reduce"), earshot, journey) == []
