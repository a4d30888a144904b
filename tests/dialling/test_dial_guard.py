"""Who may be dialled: regions, the block list, the switch, and and who may dial."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from services.dialling.dial_guard import DialGuard
from services.dialling.reach import Reach
from services.domain.client import LOCAL, Client, Scope
from services.domain.errors import EarshotError, Forbidden, NumberError, Stopped
from services.domain.phone_number import EXAMPLE, PhoneNumber, regions_sharing
from tests.test_architecture import ROOT, imports

AMERICAN, JAMAICAN, GERMAN = "+14155552671", "+18762345678", "+493012345678"


@dataclass
class Rules:
    """A block list and a switch of the test's own, with what happened to them."""

    blocked: str | None = None
    state: object | None = None
    running: set[str] = field(default_factory=set)

    def rule_for(self, e164: str) -> str | None:
        return self.blocked if e164 == self.blocked else None


def guard(rules: Rules | None = None, allowed: Iterable[str] | None = "*", own: str | None = None) -> DialGuard:
    rules = rules or Rules()
    return DialGuard(
        allowed_regions=frozenset(allowed) if allowed is not None else None,
        own_region=lambda: own,
        blocked=rules,
        switch=rules,
        always=frozenset({EXAMPLE}),
    )


def refusal(guard: DialGuard, number: str | PhoneNumber, client: Client = LOCAL) -> EarshotError | None:
    try:
        guard.check(Reach(also={EXAMPLE}).number(number, unlikely=True) if isinstance(number, str) else number, client)
    except EarshotError as error:
        return error
    return None


def code(guard: DialGuard, number: str | PhoneNumber, client: Client = LOCAL) -> str | None:
    error = refusal(guard, number, client)
    return error.code if error else None


def test_it_is_pure() -> None:
    found = set(imports(ROOT / "services" / "dialling" / "dial_guard.py"))
    assert {name.split(".")[0] for name in found} <= {"collections", "logging", "typing", "services"}
    ours = {".".join(name.split(".")[:3]) for name in found if name.startswith("services.")}
    assert ours == {"services.dialling.number_rules", "services.domain.client", "services.domain.errors", "services.domain.phone_number"}


@pytest.mark.parametrize(
    ("allowed", "own", "number", "expected"),
    [
        (["*"], None, JAMAICAN, None),
        (["US"], None, AMERICAN, None),
        (["US"], None, JAMAICAN, "destination_not_allowed"),
        (["US", "JM"], None, JAMAICAN, None),
        (["US"], "DE", GERMAN, "destination_not_allowed"),
        (None, "DE", GERMAN, None),
        (None, "DE", AMERICAN, "destination_not_allowed"),
        (None, "JM", AMERICAN, "destination_not_allowed"),
        (None, None, AMERICAN, None),
        (["DE"], None, EXAMPLE, None),
        (["*"], None, EXAMPLE, None),
    ],
)
def test_regions_are_those_of_the_numbering_plan(allowed: list[str] | None, own: str | None, number: str, expected: str | None) -> None:
    assert code(guard(allowed=allowed, own=own), number) == expected


@pytest.mark.parametrize("number", ["+19005551234", "+4990012345675", "+12129761234", "+88161234567", "+1900"])
def test_an_order_that_never_passed_the_reading_of_numbers_is_refused_for_its_kind(number: str) -> None:
    assert isinstance(refusal(guard(), PhoneNumber(e164=number, region="US")), NumberError)


@pytest.mark.parametrize("number", ["+49493012345678", "+49193012345678"])
def test_a_blocked_number_is_blocked_behind_other_digits(number: str) -> None:
    assert code(guard(Rules(blocked=GERMAN)), PhoneNumber(e164=number, region="DE", likely=False)) == "number_blocked"


def test_a_number_of_no_region_needs_all_of_them() -> None:
    nowhere = PhoneNumber(e164="+1234567891")
    assert code(guard(allowed=["US"]), nowhere) == "destination_not_allowed"
    assert code(guard(allowed=["*"]), nowhere) is None


@pytest.mark.parametrize("number", ["+11235552671", "+72012345678", "+441012345678", "+61912345678"])
def test_an_unlikely_number_may_be_of_any_region_that_shares_its_country_code(number: str) -> None:
    unlikely = Reach().number(number, unlikely=True)
    regions = regions_sharing(number)
    assert (unlikely.likely, unlikely.region) == (False, None)
    assert len(regions) > 1
    for allowed in ([regions[0]], [regions[1]], regions[1:]):
        assert code(guard(allowed=allowed), unlikely) == "destination_not_allowed"
    error = refusal(guard(allowed=regions[:1]), unlikely)
    assert error
    assert "EARSHOT_ALLOWED_REGIONS to *" in error.detail
    assert code(guard(allowed=regions), unlikely) is None
    assert code(guard(allowed="*"), unlikely) is None


def test_an_unlikely_number_of_a_country_with_a_code_of_its_own_is_of_that_country() -> None:
    unlikely = Reach().number("+49 1999 123456", unlikely=True)
    assert not unlikely.likely
    assert code(guard(allowed=["DE"]), unlikely) is None
    assert code(guard(allowed=["AT"]), unlikely) == "destination_not_allowed"


def test_a_refusal_names_what_to_set() -> None:
    for made, number, words in (
        (guard(allowed=["US"]), JAMAICAN, "Calls to Jamaica are not allowed. Set EARSHOT_ALLOWED_REGIONS=JM,US to allow them."),
        (guard(allowed=None, own="DE"), AMERICAN, "EARSHOT_ALLOWED_REGIONS=DE,US"),
    ):
        error = refusal(made, number)
        assert isinstance(error, Forbidden)
        assert words in error.detail


def test_blocked_stopped_and_clients_without_the_scope() -> None:
    rules = Rules(blocked=AMERICAN)
    assert code(guard(rules), AMERICAN) == "number_blocked"
    assert code(guard(rules), GERMAN) is None
    assert code(guard(rules), GERMAN, Client(name="reader", scopes=frozenset({Scope.READ}))) == "forbidden_scope"
    rules.state = "stopped"
    assert isinstance(refusal(guard(rules), GERMAN), Stopped)
