"""How phone numbers are written, grouped and named, by libphonenumber's plans. Pure. Which may be called: services/dialling/reach.py."""

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers
from babel import Locale
from phonenumbers import NumberParseException, PhoneNumberFormat

from services.domain.errors import NumberError

phonenumbers.enable_pattern_cache()  # `re` keeps 512 patterns, and the plans have thousands: numbers of many countries took 9 times as long

EXAMPLE = "+1234567890"
"""The number that Vapi's and many other APIs' samples show: one digit short of a real one. Only the demo line takes it."""

NOT_A_NUMBER = "This is not a phone number. Write it with + and the country code, like +1 415 555 2671."
_MAX_TEXT = 64
_MAX_DIGITS = 15  # of an E.164 number, country code included
_TRUNK_ZERO = re.compile(r"^(\+\s*\d{1,3}\s*)\(\s*0\s*\)")
_ZERO_BELONGS = frozenset({"39", "225", "229", "241", "242", "378"})
"""Country codes of Italy, Côte d'Ivoire, Benin, Gabon, Congo and San Marino, whose numbers keep their 0 after the country code."""
_CODE_IN_BRACKETS = re.compile(r"^\(\s*((?:\+|00)\s*\d{1,3})\s*\)")
_TEL = re.compile(r"^tel:\s*", re.IGNORECASE)
_SEVERAL = re.compile(r"[;,|&\n]|\bor\b|\band\b|\+.*\+", re.IGNORECASE)
_WITHIN = r"[\d\s()\[\]./~\u00b7\u2010-\u2015\u2053\u2212\u223c\u30fc-]*"
_WRITTEN = re.compile(rf"\+{_WITHIN}")
_WRITTEN_00 = re.compile(rf"00{_WITHIN}")
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


def one_number(text: str) -> str:
    """The only number in `text`: digits after a `+` if it has a country code, else digits alone, or nothing. It may not exist.

    Understands spaces, dashes, `(0)`, full-width digits, a `tel:` and a leading `00`. Raises NumberError for several numbers, extensions,
    letters, and characters that are in no phone number.
    """
    cleaned = clean(text)
    if not cleaned:
        raise NumberError("Type a phone number, with + and the country code, like +1 415 555 2671.")
    if len(cleaned) > _MAX_TEXT:
        raise NumberError("This is too long for a phone number: at most 15 digits.")
    if _EXTENSION.search(cleaned):
        raise NumberError("Leave out the extension: only the number itself can be dialled.", code="number_has_extension")
    if _SEVERAL.search(cleaned):
        raise NumberError("Only one number at a time.", code="several_numbers")
    if re.search(r"[a-z]", cleaned, re.IGNORECASE) and re.search(r"\d", cleaned):
        raise NumberError("Write the number in digits: letters can't be dialled.", code="number_has_letters")
    if cleaned.startswith("+") and not _WRITTEN.fullmatch(cleaned):
        raise NumberError("Write the number with + and digits alone, like +1 415 555 2671: it has characters that no number has.")
    return "+" * cleaned.startswith("+") + _digits(cleaned)


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


def as_dialled(e164: str) -> str:
    """A number without what is dialled only inside its country, such as `+49 30 901820` for `+49 030 901820`; others unchanged."""
    try:
        parsed = phonenumbers.parse(e164, None)
    except NumberParseException:
        return e164
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164) if phonenumbers.is_valid_number(parsed) else e164


def as_typed(text: str) -> str:
    """What has been typed so far, grouped as its country groups numbers; text that begins no international number stays as it is."""
    cleaned = clean(text)
    if not re.fullmatch(r"\+[\d\s().-]*", cleaned):
        return text
    formatter = phonenumbers.AsYouTypeFormatter("ZZ")
    digits = _digits(cleaned)
    if len(digits) > _MAX_DIGITS:
        return text  # cut off, it might become somebody's number
    grouped = "+"
    for character in "+" + digits:
        grouped = formatter.input_digit(character)
    return grouped


def region_of(text: str) -> str | None:
    """The ISO 3166 region of a number, also of one only half typed once its country is clear (`+49`, not `+1`)."""
    cleaned = clean(text)
    if not cleaned.startswith("+"):
        return None
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(cleaned, None))
    except NumberParseException:
        region = None
    if region:
        return region
    digits = _digits(cleaned)
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


def clean(text: str) -> str:
    """`text` without what people put around a number: full-width forms, invisible characters, `tel:`, a leading `00`, the `(0)`, brackets
    around the country code."""
    kept = text if text.isascii() and text.isprintable() else _visible(unicodedata.normalize("NFKC", text))
    kept = _CODE_IN_BRACKETS.sub(r"\1 ", _TEL.sub("", kept.strip()))
    if _WRITTEN_00.fullmatch(kept):
        kept = "+" + kept[2:].lstrip()
    return _TRUNK_ZERO.sub(_without_trunk_zero, re.sub(r"^\+\s*00", "+", kept))


def _visible(text: str) -> str:
    return "".join(character for character in text if unicodedata.category(character) not in ("Cf", "Cc") or character == "\n")


def _without_trunk_zero(written: re.Match[str]) -> str:
    code = _digits(written[1])
    return written[0] if code in _ZERO_BELONGS or int(code) not in phonenumbers.COUNTRY_CODE_TO_REGION_CODE else f"{written[1]} "


def _digits(text: str) -> str:
    digits = "".join(filter(str.isdecimal, text))
    return digits if digits.isascii() else "".join(str(unicodedata.decimal(digit)) for digit in digits)
