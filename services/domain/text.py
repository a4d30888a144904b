"""Makes text from outside safe to store, to send as JSON and to show. Pure."""

import re

_LINE_ENDS = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")
_HARMFUL = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x9f"  # control characters except tab and line feed; PostgreSQL stores no NUL
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # Bidi_Control (Unicode 16, PropList.txt): they reorder the text around them
    "\ud800-\udfff"  # lone surrogates, which UTF-8 can't encode: JavaScript cuts text between the halves of an emoji
    "]"
)


def clean_text(text: str, *, most: int) -> str:
    """`text` cut to `most` characters, without lone surrogates, control characters, bidi controls and surrounding space.

    Every line end becomes a line feed. Zero-width joiners stay: emoji need them.
    """
    return _HARMFUL.sub("", _LINE_ENDS.sub("\n", text[:most])).strip()
