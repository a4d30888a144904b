"""Ways to write a telephone number: those that people use, and those that somebody uses to have one misread."""

import random
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat

_LOOKALIKES = ["⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉", "⓪①②③④⑤⑥⑦⑧⑨", "OI23456789", "🄁🄂🄃🄄🄅🄆🄇🄈🄉🄊"]
_KEYPAD = ["0", "1", "ABC", "DEF", "GHI", "JKL", "MNO", "PQRS", "TUV", "WXYZ"]
_PLUSES = ["++", "+ +", "+\u200b+", "\uff0b", "\ufe62", "\u207a", "\u208a", "\u2795", "+\uff0b", "-+", "(+", "+(", ""]
_HARMLESS = [" ", "-", ".", "/", "(", ")", "\t", "\u00a0", "\u2011", "\u200b", "\u202e"]
_SEPARATORS = [
    *[" ", "-", ".", "(", ")", "/", "//", "_", "~", "\t", "\n", "\r\n", "\v", "\0", "\u00a0", "\u00ad", "\u2011", "\u2028", "\u3000"],
    *["\u200b", "\u200d", "\u200e", "\u202a", "\u202e", "\u2066", "\u2069", "\u2060", "\ufeff", "\u0301", "\ufe0f\u20e3", "+", "*", "#"],
    *["%2D", "%20", "%2B", "&nbsp;", "[", "]", "|", ",", ";", ":", "\\", "'", '"', "(0)", "( 0 )", "\u0660", "\uff10", "p", "w", "e", "x"],
]
_BEFORE = [" ", "\t", "tel:", "TEL:", "tel://", "tel:%2B", "callto:", "sms:", "sip:", "Tel.: ", "9", "9,", "*67", "#31#", "<"]
_AFTER = [
    *[" ", "\n", ";phone-context=+1", ";phone-context=+1900", ";phone-context=example.com", ";ext=1", ";isub=911", "?x=1"],
    *["#1", "x5", " ext. 911", ",911", ";911", "*", "p", "@", "@pbx.example", "%20", ">", ".", "\u202c", "/911", " or 911"],
]


@cache
def _zeros() -> list[str]:
    """The zero of each script that has digits of its own: Arabic, Devanagari, full-width, mathematical bold ..."""
    return [chr(code) for code in range(0x80, sys.maxunicode + 1) if unicodedata.decimal(chr(code), -1) == 0]


@cache
def _dialled_before() -> tuple[list[str], list[str]]:
    """What is dialled in any country before numbers of others, and before its own."""
    abroad, trunk = {"00", "011", "0011", "810", "8~10", "8 10", "119", "009", "0", "01"}, {"0", "1", "8", "06", "01", "02", "0-0", "(0)"}
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        plan = PhoneMetadata.metadata_for_region(region, None)
        if plan:
            abroad |= {prefix for prefix in (plan.preferred_international_prefix, plan.international_prefix) if prefix and _plain(prefix)}
            trunk |= {prefix for prefix in (plan.national_prefix,) if prefix}
    return sorted(abroad), sorted(trunk)


def _plain(prefix: str) -> bool:
    return not set(prefix) - set("0123456789~ ")


def dressed(chance: random.Random, code: str, national: str) -> str:
    """A number in a dress that may change what a reader takes it for; each part of it is rare enough that others can be seen alone."""

    def seldom() -> bool:
        return chance.random() < 0.12

    abroad, trunk = _dialled_before()
    if seldom():
        national = chance.choice(trunk) + national
    digits = (chance.choice(abroad) if seldom() else "") + code + national
    if seldom():
        digits = _in_other_script(chance, digits)
    if chance.random() < 0.03:
        digits = "".join(chance.choice(_KEYPAD[int(d)]) if d in "23456789" and chance.random() < 0.5 else d for d in digits)
    if chance.random() < 0.4:
        few = chance.choices(_SEPARATORS if seldom() else _HARMLESS, k=2)
        digits = "".join(digit + (chance.choice(few) if chance.random() < 0.3 else "") for digit in digits)
    return (
        (chance.choice(_BEFORE) if seldom() else "")
        + (chance.choice(_PLUSES) if seldom() else "+")
        + digits
        + (chance.choice(_AFTER) if seldom() else "")
    )


def _in_other_script(chance: random.Random, digits: str) -> str:
    """All digits, or some, in one other script or in many."""
    zeros, share = chance.choices(_zeros(), k=chance.choice([1, 1, 3])), chance.choice([1.0, 1.0, 0.3])
    alike = chance.choice(_LOOKALIKES) if chance.random() < 0.3 else ""

    def other(digit: str) -> str:
        if not ("0" <= digit <= "9") or chance.random() > share:
            return digit
        return alike[int(digit)] if alike else chr(ord(chance.choice(zeros)) + int(digit))

    return "".join(map(other, digits))


def as_people_write(number: phonenumbers.PhoneNumber) -> Iterator[str]:
    """A number as its country and its plan write it, with the country code: grouped in each way, and with each customary sign between."""
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    region = phonenumbers.region_code_for_number(number) or ""
    code, national = str(number.country_code), phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    grouped = {phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL), *_by_each_format(number, region)}
    prefix = phonenumbers.ndd_prefix_for_region(region, True) or ""
    if prefix == "0" and national.startswith("0"):
        grouped |= {f"+{code} (0){national[1:]}", f"+{code} (0) {national[1:]}", f"+{code}(0){national[1:]}"}
    yield from (e164, phonenumbers.format_number(number, PhoneNumberFormat.RFC3966), f"tel:{e164}", f"00{e164[1:]}", f"+00{e164[1:]}")
    for text in sorted(grouped):
        yield text
        yield f"00{text[1:]}"
        yield f"\u202a{text}\u202c"
        yield "".join(chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character for character in text)
        yield "".join(chr(0x0660 + int(character)) if character.isdecimal() else character for character in text)
        for sign in ("-", ".", "/", "\u00a0", "\u2011", "\u2013", "\u2009", "\t", " - ", " / ", ""):
            yield text.replace(" ", sign)


def _by_each_format(number: phonenumbers.PhoneNumber, region: str) -> Iterator[str]:
    plan = PhoneMetadata.metadata_for_region(region, None)
    for form in [*plan.number_format, *plan.intl_number_format] if plan else []:
        text = phonenumbers.format_by_pattern(number, PhoneNumberFormat.INTERNATIONAL, [form])
        if "NA" not in text and "".join(filter(str.isdecimal, text)) == phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]:
            yield text
