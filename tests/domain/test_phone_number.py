"""What is a phone number, and how everything else is refused."""

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from services.domain.errors import NumberError
from services.domain.phone_number import EXAMPLE, as_typed, masked, parse_phone_number, region_name, region_of


@pytest.mark.parametrize(
    ("text", "e164", "region"),
    [
        ("+14155552671", "+14155552671", "US"),
        ("  +1 (415) 555-2671 ", "+14155552671", "US"),
        ("+49 (0)30 901820", "+4930901820", "DE"),
        ("0049 30 901820", "+4930901820", "DE"),
        ("+0049 30 901820", "+4930901820", "DE"),
        ("＋１４１５５５５２６７１", "+14155552671", "US"),
        ("\u202a+14155552671\u202c", "+14155552671", "US"),
        ("tel:+14155552671", "+14155552671", "US"),
        ("+49 30/901820", "+4930901820", "DE"),
        ("+39 06 1234567", "+39061234567", "IT"),
        ("+1 876 555 0100", "+18765550100", "JM"),
    ],
)
def test_understood(text: str, e164: str, region: str) -> None:
    number = parse_phone_number(text)
    assert (number.e164, number.region) == (e164, region)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "invalid_number"),
        ("   ", "invalid_number"),
        ("+", "invalid_number"),
        ("hello", "invalid_number"),
        ("4155552671", "invalid_number"),
        ("+1234567890", "invalid_number"),
        ("+1415555267123456789", "invalid_number"),
        ("+" + "1" * 200, "invalid_number"),
        ("+999 123456789", "invalid_number"),
        ("<script>alert(1)</script>", "number_has_letters"),
        ("+1 800 FLOWERS", "number_has_letters"),
        ("+1 415 555 2671 ext 5", "number_has_extension"),
        ("+1 415 555 2671;ext=5", "number_has_extension"),
        ("+1 415 555 2671 x5", "number_has_extension"),
        ("+14155552671, +14155552672", "several_numbers"),
        ("+14155552671 +14155552672", "several_numbers"),
        ("+14155552671\n+14155552672", "several_numbers"),
        ("911", "emergency_number"),
        ("112", "emergency_number"),
        ("+1 911", "emergency_number"),
        ("+49 110", "emergency_number"),
        ("12345", "short_number"),
        ("+1 900 555 1234", "premium_rate_number"),
        ("+800 1234 5678", "international_service_number"),
        ("+979 1 2345 6789", "international_service_number"),
    ],
)
def test_refused_with_a_code_and_a_sentence(text: str, code: str) -> None:
    with pytest.raises(NumberError) as refused:
        parse_phone_number(text)
    assert refused.value.code == code
    assert refused.value.detail.endswith((".", "?"))
    assert refused.value.errors[0].field == "to"


@pytest.mark.parametrize("kind", [PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE])
def test_the_example_of_every_region_is_accepted(kind: int) -> None:
    tried = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        e164 = phonenumbers.format_number(example, PhoneNumberFormat.E164)
        for style in (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL):
            number = parse_phone_number(phonenumbers.format_number(example, style))
            assert number.e164 == e164, region
            assert number.likely, region
        tried += 1
    assert tried > 200


@pytest.mark.parametrize(
    "kind",
    [
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PAGER,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.UAN,
    ],
)
def test_every_example_of_a_refused_kind_is_refused(kind: int) -> None:
    tried = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number_for_type(region, kind)
        # Some plans give the same number to two kinds; libphonenumber then names the first.
        if example is None or phonenumbers.number_type(example) != kind:
            continue
        with pytest.raises(NumberError):
            parse_phone_number(phonenumbers.format_number(example, PhoneNumberFormat.E164))
        tried += 1
    assert tried > 0


def test_possible_but_in_no_plan_is_unlikely() -> None:
    assert not parse_phone_number("+1 555 010 0002").likely


def test_the_customary_example_is_taken_only_where_it_is_allowed() -> None:
    assert parse_phone_number("+1 234 567 890".replace(" ", ""), also={EXAMPLE}).e164 == EXAMPLE
    with pytest.raises(NumberError):
        parse_phone_number(EXAMPLE)


def test_typing_is_grouped_and_named_as_it_grows() -> None:
    assert as_typed("+1415555") == "+1 415-555"
    assert as_typed("004930901820").startswith("+49 30")
    assert as_typed("hello") == "hello"
    assert as_typed("") == ""
    assert region_of("+49") == "DE"
    assert region_of("+1") is None
    assert region_of("+14155552671") == "US"
    assert region_name("US") == "United States"
    assert region_name("DE", "de") == "Deutschland"
    assert region_name(None) == ""


def test_a_log_gets_four_digits_at_most() -> None:
    assert masked("+14155552671") == "…2671"
