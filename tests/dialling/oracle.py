"""What a number is by libphonenumber alone, without any of Earshot's own rules: the judge of what those let through."""

from collections.abc import Iterator

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

REFUSED_KINDS = (
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PAGER,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.UAN,
)


def refused_examples() -> Iterator[tuple[int, str]]:
    """Kind and E.164 of each example of a refused kind. Some plans give the same number to two kinds; libphonenumber names the first."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in REFUSED_KINDS:
            example = phonenumbers.example_number_for_type(region, kind)
            if example is not None and phonenumbers.number_type(example) == kind:
                yield kind, phonenumbers.format_number(example, PhoneNumberFormat.E164)
    for code in sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        example = phonenumbers.example_number_for_non_geo_entity(code)
        if example is not None:
            yield PhoneNumberType.UNKNOWN, phonenumbers.format_number(example, PhoneNumberFormat.E164)


def is_refused(e164: str) -> bool:
    """True if the number is of a refused kind, of no country, an emergency number, or of the exchange 976 of North America."""
    try:
        parsed = phonenumbers.parse(e164, None)
    except NumberParseException:
        return False
    if "001" in phonenumbers.region_codes_for_country_code(parsed.country_code or 0):
        return True
    if e164.startswith("+1") and e164[5:8] == "976" and e164[2:5] != "876":
        return True
    if phonenumbers.is_valid_number(parsed):
        return phonenumbers.number_type(parsed) in REFUSED_KINDS
    national = phonenumbers.national_significant_number(parsed)
    regions = phonenumbers.region_codes_for_country_code(parsed.country_code or 0)
    return national.startswith(("112", "911")) or any(phonenumbers.connects_to_emergency_number(national, region) for region in regions)


def must_not_ring(e164: str) -> bool:
    """True if the number is refused; or begins with a refused one, or becomes one by one more digit, and no plan knows it as another."""
    if is_refused(e164):
        return True
    try:
        if phonenumbers.is_valid_number(phonenumbers.parse(e164, None)):
            return False
    except NumberParseException:
        return False
    begins = any(is_refused_kind(e164[:length]) for length in range(4, len(e164)))
    return begins or any(is_refused_kind(f"{e164}{more}") for more in range(10))


def is_refused_kind(e164: str) -> bool:
    """True if the plan knows the whole number, as one of a refused kind."""
    try:
        parsed = phonenumbers.parse(e164, None)
    except NumberParseException:
        return False
    return phonenumbers.number_type(parsed) in REFUSED_KINDS
