"""Reads a number without a country code, such as `(415) 555-2671` or `0170 1234567`, as people in a given country dial it. Pure.

Which numbers may be called is not decided here: what is read goes through services/dialling/reach.py like any other number.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from services.domain.errors import NumberError
from services.domain.phone_number import one_number, region_of


@dataclass(frozen=True, slots=True)
class NationalNumber:
    """The number that a national one means. `certain` is False where it could mean another one, or is none in the caller ID's country."""

    e164: str
    region: str
    certain: bool


def read_national(text: str, regions: Sequence[str | None]) -> NationalNumber | None:
    """The number that `text` means in the first of `regions` (ISO 3166) where it is what people dial for a number in use.

    `regions` are the caller ID's, then the browser's; None where one is not known. The number is certain if the caller ID's region has
    it, and the other does not read another number from it. Returns None for text with a country code, for short numbers, and for text
    that is not one number.
    """
    try:
        digits = one_number(text)
    except NumberError:
        return None
    if not digits or digits.startswith("+"):
        return None
    readings = [(region, e164) for region in dict.fromkeys(regions) if region and (e164 := _reading(digits, region))]
    if not readings:
        return None
    region, e164 = readings[0]
    alone = len({number for _, number in readings}) == 1
    return NationalNumber(e164, region_of(e164) or region, alone and region == regions[0])


def national_in(text: str, regions: Sequence[str | None]) -> str | None:
    """The one national number in a sentence, as it stands there; None if there is none, or there are several."""
    for region in filter(None, regions):
        matches = list(phonenumbers.PhoneNumberMatcher(text, region))
        if len(matches) == 1 and not matches[0].number.extension:
            return matches[0].raw_string
    return None


def browser_region(accepted: str) -> str | None:
    """The ISO 3166 region that a browser's `Accept-Language` header names first: `DE` for `de-DE,de;q=0.9,en-US;q=0.8`, None for `de`."""
    for entry in accepted.split(","):
        if found := re.fullmatch(r"[a-z]{2,3}(?:-[a-z]{4})?-([a-z]{2})", entry.partition(";")[0].strip(), re.IGNORECASE):
            region = found[1].upper()
            return region if region in phonenumbers.SUPPORTED_REGIONS else None
    return None


def _reading(digits: str, region: str) -> str | None:
    try:
        parsed = phonenumbers.parse(digits, region)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed) or not _dialled_there(digits, parsed, region):
        return None
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)


def _dialled_there(digits: str, parsed: phonenumbers.PhoneNumber, region: str) -> bool:
    """True if people of `region` dial `digits` for this number: with its trunk prefix, and abroad with the prefix for that."""
    trunk = phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) or ""
    if parsed.country_code == phonenumbers.country_code_for_region(region):
        written = re.sub(r"\D", "", phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL))
        return digits in (written, trunk + written)
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
    international = phonenumbers.format_number(parsed, PhoneNumberFormat.E164).removeprefix("+")
    return plan is not None and re.fullmatch(f"(?:{plan.international_prefix}){international}", digits) is not None
