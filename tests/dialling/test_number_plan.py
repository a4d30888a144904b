"""The patterns of numbering plans, walked digit by digit."""

import random
import re

import phonenumbers
import pytest
from phonenumbers import PhoneMetadata, PhoneNumberType

from services.dialling.number_plan import Walk, beginning, read_pattern


def test_a_beginning_is_known_by_what_it_may_become() -> None:
    premium = beginning(49, "9001234567")
    assert premium.longer_than == {PhoneNumberType.PREMIUM_RATE}
    assert PhoneNumberType.PREMIUM_RATE in beginning(49, "90012345").shorter_than
    assert PhoneNumberType.PREMIUM_RATE in beginning(49, "90012345678").longer_than
    outside = beginning(49, "9002")
    assert (outside.depth, outside.kinds) == (3, frozenset({PhoneNumberType.PREMIUM_RATE}))
    assert beginning(1, "1235552671").depth == 0
    assert beginning(999, "1").kinds == frozenset()


@pytest.mark.slow
def test_every_pattern_of_every_plan_matches_as_it_does_as_a_regular_expression() -> None:
    chance = random.Random(5)  # noqa: S311
    tried = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        plan = PhoneMetadata.metadata_for_region(region)
        for name in ("premium_rate", "shared_cost", "pager", "personal_number", "uan", "toll_free", "voip", "fixed_line", "mobile"):
            known = getattr(plan, name)
            if known is None or not known.national_number_pattern:
                continue
            pattern = read_pattern(known.national_number_pattern)
            for _ in range(5):
                digits = (known.example_number or "")[: chance.randint(0, 12)] + str(chance.randint(0, 9999))
                walk = Walk(digits)
                ends = pattern.ends(walk, 0)
                assert bool(ends) == bool(re.match(known.national_number_pattern, digits))
                assert (len(digits) in ends) == bool(re.fullmatch(known.national_number_pattern, digits))
                tried += 1
    assert tried > 5000


@pytest.mark.parametrize("pattern", ["1(?:2", "1)2", "a", "1+", "^1"])
def test_what_no_plan_uses_is_an_error(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"pattern of a numbering plan|group that does not end"):
        read_pattern(pattern)
