"""Finds the phone number in pasted text or in a link: `tel:+1-415-555-2671;phone-context=x`, `Tel.: +49 (0)30 / 901820`. Pure."""

import re
from collections.abc import Sequence
from urllib.parse import unquote

import phonenumbers

from services.domain.national_number import national_in
from services.domain.phone_number import as_typed


def number_in(text: str, regions: Sequence[str | None] = ()) -> str:
    """The one international number in `text`, grouped as its country writes it, else the one that is a number in one of `regions`
    (ISO 3166), as it stands there; `text` without surrounding space if there is none."""
    text = text.strip()
    if link := re.match(r"(?:tel|callto|sms):(?://)?", text, re.IGNORECASE):
        text = unquote(text[link.end() :]).strip()
        if ";ext=" not in text.lower():  # keep the extension, so that the number is refused with the reason
            text = text.partition(";")[0].strip()
    grouped = as_typed(text)
    if grouped != text or not re.search(r"[^\d\s+().-]", text):
        return grouped
    matches = list(phonenumbers.PhoneNumberMatcher(text, None))
    if not matches:
        return national_in(text, regions) or text
    if len(matches) != 1 or matches[0].number.extension:
        return text
    return phonenumbers.format_number(matches[0].number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def number_in_address(text: str, regions: Sequence[str | None] = ()) -> str:
    """Like `number_in`, for the value of `?to=`. In an unescaped address the `+` has become a space."""
    return number_in(re.sub(r"^(tel:)? (?=\d)", r"\1+", text, flags=re.IGNORECASE), regions)
