"""What limits one person: each cap is declared once."""

import pytest

from services.domain.caps import CAPS, MOST_CALLS, Caps, Kind, caps_from_json, caps_to_json, checked
from services.domain.errors import RequestError

SOME = Caps(per_hour=2, per_day=0, regions=frozenset({"US", "DE"}), record=False)


def test_they_are_kept_as_json_and_read_again() -> None:
    kept = {"per_hour": 2, "per_day": 0, "regions": ["DE", "US"], "record": False, "transfer": True}
    assert caps_to_json(SOME) == kept
    assert caps_from_json(kept) == SOME


def test_what_an_earlier_version_kept_has_no_cap_that_it_did_not_know() -> None:
    assert caps_from_json({"per_hour": 2}) == Caps(per_hour=2)


def test_a_cap_of_a_newer_version_is_not_forgotten() -> None:
    with pytest.raises(TypeError, match="per_week"):
        caps_from_json({"per_hour": 2, "per_week": 9})


def test_each_cap_on_calls_has_a_window_and_counts() -> None:
    assert [cap.name for cap in CAPS if cap.window] == [cap.name for cap in CAPS if cap.kind is Kind.CALLS]
    assert [(window.code, most) for window, most in SOME.on_calls()] == [("own_hourly_limit", 2), ("own_daily_limit", 0)]
    assert Caps().on_calls() == ()


@pytest.mark.parametrize(
    "caps", [Caps(per_hour=-1), Caps(per_day=MOST_CALLS + 1), Caps(regions=frozenset()), Caps(regions=frozenset({"us"}))]
)
def test_what_can_be_no_cap_is_refused(caps: Caps) -> None:
    with pytest.raises(RequestError):
        checked(caps)
