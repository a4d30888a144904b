"""Which telephone numbers are called: those that their plan knows, of kinds that earn no money on calls. Pure.

A number that no plan knows may be called as well, since plans lag behind, unless it resembles one that is not: a switch on the way may
drop the digit too many, or wait for the one that is missing.
"""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from services.dialling.number_plan import beginning, without_trunk_prefix
from services.domain.errors import NumberError
from services.domain.phone_number import NOT_A_NUMBER, PhoneNumber, international

_ALLOWED_KINDS = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.VOIP,
        PhoneNumberType.VOICEMAIL,
        PhoneNumberType.UNKNOWN,  # of a number that no plan knows
    }
)
_REFUSED_KINDS = {
    PhoneNumberType.PREMIUM_RATE: ("premium_rate_number", "a premium-rate number", "they charge by the minute"),
    PhoneNumberType.SHARED_COST: ("shared_cost_number", "a shared-cost number", "they earn money on calls"),
    PhoneNumberType.PERSONAL_NUMBER: ("personal_number", "a personal number", "they earn money on calls"),
    PhoneNumberType.UAN: ("uan_number", "a company's universal access number", "they earn money on calls"),
    PhoneNumberType.PAGER: ("pager_number", "a pager's number", "a pager can't hold a conversation"),
}
_PAY_PER_CALL = re.compile(r"\+1(?!876)\d{3}976")
"""The exchange 976 of North America charges by the call, which libphonenumber does not know. In Jamaica (876) it is an ordinary one."""

EMERGENCY = "Emergency numbers can't be called from here. In an emergency, use a telephone."
SHORT = "Short numbers can't be called from here. Use a full number with + and the country code."
_EMERGENCY_IN_MANY = ("112", "911")
LONGEST_SHORT = 6  # digits of the longest number that only one country or one exchange knows
DIRECTORY_ENQUIRIES = "118"
"""Begins short numbers in much of Europe that charge by the minute, which libphonenumber mostly does not know as such."""


@lru_cache(1024)  # asked twice for each dial
def refuse_kind(e164: str) -> None:
    """Raises NumberError for a number of a kind that is never called, and for one in no plan that resembles such a number."""
    try:
        parsed = phonenumbers.parse(e164, None)
    except NumberParseException as error:
        raise NumberError(NOT_A_NUMBER) from error
    _refuse_kind(parsed)
    if not phonenumbers.is_valid_number(parsed):
        _refuse_resembling(parsed)


@lru_cache(1024)
def dialled_as(e164: str) -> tuple[str, ...]:
    """The numbers that a switch may make of one: itself and, if no plan knows it, those behind zeros, the country code once more, or
    one or two other digits."""
    parsed = phonenumbers.parse(e164, None)
    if phonenumbers.is_valid_number(parsed):
        return (e164,)
    code, national = parsed.country_code or 0, phonenumbers.national_significant_number(parsed)
    return (e164, *(f"+{code}{rest}" for rest in _behind(code, national)))


def read_number(plain: str) -> PhoneNumber:
    """The number of text that `one_number` has read. Raises NumberError."""
    digits = plain.removeprefix("+")
    if is_emergency(digits):
        raise NumberError(EMERGENCY, code="emergency_number")
    if not plain.startswith("+"):
        if 0 < len(digits) <= LONGEST_SHORT:
            raise NumberError(SHORT, code="short_number")
        raise NumberError("Start the number with + and the country code, like +1 415 555 2671.")
    try:
        parsed = phonenumbers.parse(plain, None)
        e164 = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
        stable = phonenumbers.parse(e164, None) == parsed
    except NumberParseException as error:
        raise NumberError(NOT_A_NUMBER) from error
    likely = phonenumbers.is_valid_number(parsed)
    if not likely:
        _refuse_emergency(parsed)
    _refuse_kind(parsed)
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise NumberError(_why_not_possible(reason))
    if not stable or (not likely and e164 != plain):
        # libphonenumber takes a national prefix away, and may find another one below it: so may a switch.
        raise NumberError("Leave out what is dialled before the number inside its country, such as a 0 after the country code.")
    if not likely:
        _refuse_resembling(parsed)
    return PhoneNumber(e164=e164, region=phonenumbers.region_code_for_number(parsed), likely=likely)


def _refuse_kind(parsed: phonenumbers.PhoneNumber) -> None:
    e164 = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    if "001" in phonenumbers.region_codes_for_country_code(parsed.country_code or 0):
        raise NumberError(
            "This number belongs to no country. Earshot does not call those, since they earn money on calls.",
            code="international_service_number",
        )
    kind = PhoneNumberType.PREMIUM_RATE if _PAY_PER_CALL.match(e164) else phonenumbers.number_type(parsed)
    if kind not in _ALLOWED_KINDS:
        code, what, why = _REFUSED_KINDS[kind]
        raise NumberError(f"{international(e164)} is {what}. Earshot does not call those, since {why}.", code=code)


def _refuse_resembling(parsed: phonenumbers.PhoneNumber) -> None:
    """Refuses a number in no plan that is longer or shorter than one of a refused kind, or in a range where the plan has nothing else;
    also without what a switch may take away in front."""
    code, national = parsed.country_code or 0, phonenumbers.national_significant_number(parsed)
    likely_readings = {national, national.lstrip("0"), national.removeprefix(str(code)), *without_trunk_prefix(code, national)}
    for reading in (national, *_behind(code, national)):
        known = beginning(code, reading)
        only_refused = known.kinds if known.depth and not known.kinds & _ALLOWED_KINDS else frozenset[int]()
        near = (known.longer_than | (only_refused if reading in likely_readings else frozenset())) - _ALLOWED_KINDS
        if near:
            name, what, why = _REFUSED_KINDS[min(near)]
            raise NumberError(
                f"No numbering plan knows this number, and it begins like {what}. Earshot does not call those, since {why}. "
                "Check the digits.",
                code=name,
            )
        if reading in likely_readings and known.shorter_than - _ALLOWED_KINDS:
            raise NumberError("The number is not complete: it could become one that Earshot does not call. Is a digit missing?")
        if reading in likely_readings and reading.startswith(DIRECTORY_ENQUIRIES):
            raise NumberError(SHORT, code="short_number")
    for reading in _behind(code, national):
        _refuse_kind(phonenumbers.parse(f"+{code}{reading}", None))
    if phonenumbers.is_valid_short_number(parsed):
        raise NumberError(SHORT, code="short_number")
    if national.startswith("0") and beginning(code, national).depth < 2:
        raise NumberError("No number of this country begins with 0 after the country code. Leave the 0 out.")


def _behind(code: int, national: str) -> list[str]:
    """What is left of a national number without what a switch may take away in front: zeros, the country code once more, a prefix for
    trunk lines, or one or two other digits."""
    rests = [national.lstrip("0"), national.removeprefix(str(code)), national[1:], national[2:]]
    return [rest for rest in dict.fromkeys(rests) if 1 < len(rest) < len(national)]


def _refuse_emergency(parsed: phonenumbers.PhoneNumber) -> None:
    national = phonenumbers.national_significant_number(parsed)
    for region in phonenumbers.region_codes_for_country_code(parsed.country_code or 0):
        for digits in {national, national.lstrip("0")}:
            if digits.startswith(_EMERGENCY_IN_MANY) or phonenumbers.connects_to_emergency_number(digits, region):
                raise NumberError(EMERGENCY, code="emergency_number")


@lru_cache(4096)
def is_emergency(digits: str) -> bool:
    """True if `digits` are an emergency number anywhere on earth: nobody can tell from where the call goes out."""
    possible = 2 <= len(digits) <= LONGEST_SHORT
    return possible and any(phonenumbers.is_emergency_number(digits, region) for region in phonenumbers.SUPPORTED_SHORT_REGIONS)


def _why_not_possible(reason: int) -> str:
    if reason == phonenumbers.ValidationResult.TOO_SHORT:
        return "The number is too short. Is a digit missing?"
    if reason == phonenumbers.ValidationResult.TOO_LONG:
        return "The number is too long. Is there a digit too many?"
    return "No number of this country looks like this. Check the digits."
