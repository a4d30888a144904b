"""What a phone number is: E.164, region and kind, by libphonenumber's numbering plans. Pure; decides nothing about who may call it."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import phonenumbers
from babel import Locale
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from services.domain.errors import NumberError

EXAMPLE = "+1234567890"
"""The number that Vapi's and many other APIs' samples show: one digit short of a real one. Only the demo line takes it."""

_MAX_TEXT = 64
_REFUSED_KINDS = {
    PhoneNumberType.PREMIUM_RATE: (
        "premium_rate_number",
        "is a premium-rate number. Earshot does not call those, since they charge by the minute",
    ),
    PhoneNumberType.SHARED_COST: (
        "shared_cost_number",
        "is a shared-cost number. Earshot does not call those, since they earn money on calls",
    ),
    PhoneNumberType.PAGER: ("pager_number", "belongs to a pager, which can't hold a conversation"),
    PhoneNumberType.PERSONAL_NUMBER: (
        "personal_number",
        "is a personal number. Earshot does not call those, since they earn money on calls",
    ),
    PhoneNumberType.UAN: (
        "uan_number",
        "is a company's universal access number. Earshot does not call those, since they earn money on calls",
    ),
}
_EMERGENCY_REGIONS = ("US", "GB", "DE", "FR", "AU", "JP", "BR", "IN", "CN", "ZA")
_EMERGENCY = "Emergency numbers can't be called from here. In an emergency, use a telephone."
_SEVERAL = re.compile(r"[;,|&\n]|\bor\b|\band\b|\+.*\+", re.IGNORECASE)
_EXTENSION = re.compile(r"(?:ext\.?|extension|x|#|;ext=)\s*\d+\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber:
    """A number that can be called. `likely` is False where the length fits but no numbering plan knows it (plans lag behind).

    `region` is None for such a number under a country code that several regions share: it may be of any of them.
    """

    e164: str
    region: str | None = None
    likely: bool = True

    @property
    def international(self) -> str:
        """As people write it: `+1 415-555-2671`."""
        return international(self.e164)


def parse_phone_number(text: str, *, also: Collection[str] = ()) -> PhoneNumber:
    """The number that `text` means, normalised: spaces, dashes, `(0)`, full-width digits, a `tel:` and a leading `00` are understood.

    `also` are numbers taken as they are, for the demo line's example. Raises NumberError with a code of its own for every other refusal.
    """
    cleaned = _clean(text)
    if cleaned in also:
        return PhoneNumber(e164=cleaned)
    _refuse_what_is_no_single_number(cleaned)
    if not cleaned.startswith("+"):
        digits = re.sub(r"\D", "", cleaned)
        if _is_emergency(digits, _EMERGENCY_REGIONS):
            raise NumberError(_EMERGENCY, code="emergency_number")
        if 0 < len(digits) <= 6:
            raise NumberError(
                "Short numbers can't be called from here. Use a full number with + and the country code.", code="short_number"
            )
        raise NumberError("Start the number with + and the country code, like +1 415 555 2671.")
    try:
        parsed = phonenumbers.parse(cleaned, None)
    except NumberParseException as error:
        raise NumberError("This is not a phone number. Write it with + and the country code, like +1 415 555 2671.") from error
    if parsed.extension:
        raise NumberError("Leave out the extension: only the number itself can be dialled.", code="number_has_extension")
    country_code = parsed.country_code or 0
    national = phonenumbers.national_significant_number(parsed)
    regions = phonenumbers.region_codes_for_country_code(country_code)
    if "001" in regions:
        raise NumberError(
            "This number belongs to no country. Earshot does not call those, since they earn money on calls.",
            code="international_service_number",
        )
    likely = phonenumbers.is_valid_number(parsed)
    if not likely and _is_emergency(national, regions[:1]):
        raise NumberError(_EMERGENCY, code="emergency_number")
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise NumberError(_why_not_possible(reason))
    e164 = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    refused = _REFUSED_KINDS.get(phonenumbers.number_type(parsed))
    if refused:
        code, why = refused
        raise NumberError(f"{international(e164)} {why}.", code=code)
    region = phonenumbers.region_code_for_number(parsed) or (regions[0] if len(regions) == 1 else None)
    return PhoneNumber(e164=e164, region=region, likely=likely)


def regions_sharing(e164: str) -> tuple[str, ...]:
    """The ISO 3166 regions that have the number's country code: 25 for `+1`, one for `+49`. Empty where there is no such code."""
    try:
        return tuple(phonenumbers.region_codes_for_country_code(phonenumbers.parse(e164, None).country_code or 0))
    except NumberParseException:
        return ()


def international(e164: str) -> str:
    """An E.164 number as people write it; anything else unchanged."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(e164, None), PhoneNumberFormat.INTERNATIONAL)
    except NumberParseException:
        return e164


def as_typed(text: str) -> str:
    """What has been typed so far, grouped as its country groups numbers; text that begins no international number stays as it is."""
    cleaned = _clean(text)
    if not re.fullmatch(r"\+[\d\s().-]*", cleaned):
        return text
    formatter = phonenumbers.AsYouTypeFormatter("ZZ")
    grouped = "+"
    for character in "+" + re.sub(r"\D", "", cleaned)[:15]:
        grouped = formatter.input_digit(character)
    return grouped


def region_of(text: str) -> str | None:
    """The ISO 3166 region of a number, also of one only half typed once its country is clear (`+49`, not `+1`)."""
    cleaned = _clean(text)
    if not cleaned.startswith("+"):
        return None
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(cleaned, None))
    except NumberParseException:
        region = None
    if region:
        return region
    digits = re.sub(r"\D", "", cleaned)
    for length in (1, 2, 3):
        regions = phonenumbers.region_codes_for_country_code(int(digits[:length])) if len(digits) >= length and digits[0] != "0" else ()
        if regions:
            return regions[0] if len(regions) == 1 else None
    return None


def region_name(region: str | None, language: str = "en") -> str:
    """A region's name in the reader's language (Unicode CLDR), or an empty string."""
    return Locale.parse(language).territories.get(region, "") if region else ""


def masked(e164: str | None) -> str:
    """A number for logs: all but its last four digits hidden."""
    return f"…{e164[-4:]}" if e164 else "unknown"


def _clean(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text)
    kept = "".join(character for character in folded if unicodedata.category(character) not in ("Cf", "Cc") or character == "\n").strip()
    kept = kept.removeprefix("tel:").strip()
    if re.fullmatch(r"00[\d\s().-]+", kept):
        kept = "+" + kept[2:].lstrip()
    return re.sub(r"^\+\s*00", "+", kept).replace("(0)", " ") if kept.startswith("+") else kept


def _refuse_what_is_no_single_number(text: str) -> None:
    if not text:
        raise NumberError("Type a phone number, with + and the country code, like +1 415 555 2671.")
    if len(text) > _MAX_TEXT:
        raise NumberError("This is too long for a phone number: at most 15 digits.")
    if _EXTENSION.search(text):
        raise NumberError("Leave out the extension: only the number itself can be dialled.", code="number_has_extension")
    if _SEVERAL.search(text):
        raise NumberError("Only one number at a time.", code="several_numbers")
    if re.search(r"[a-z]", text, re.IGNORECASE) and re.search(r"\d", text):
        raise NumberError("Write the number in digits: letters can't be dialled.", code="number_has_letters")


def _is_emergency(digits: str, regions: Iterable[str]) -> bool:
    return any(phonenumbers.is_emergency_number(digits, region) for region in regions)


def _why_not_possible(reason: int) -> str:
    if reason == phonenumbers.ValidationResult.TOO_SHORT:
        return "The number is too short. Is a digit missing?"
    if reason == phonenumbers.ValidationResult.TOO_LONG:
        return "The number is too long. Is there a digit too many?"
    return "No number of this country looks like this. Check the digits."
