"""SIP URIs to which a call may be transferred, and the telephone number that may stand in one (RFC 3261, 19.1). Pure."""

import re

from services.domain.errors import FieldError, RequestError

_URI = re.compile(
    r"sip:(?P<user>[A-Za-z0-9+._~()-]{1,64})@(?P<host>[A-Za-z0-9.-]{1,128}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?(;transport=(udp|tcp|tls))?",
    re.ASCII,
)
_EXTENSION = 6  # digits of the longest number that only the called exchange itself can know


def number_of(uri: str) -> str | None:
    """The telephone number that the URI has a gateway dial, as text for `parse_phone_number`; None for a name or a short extension.

    Raises RequestError for a URI that is no plain `sip:user@host`: headers, escapes, passwords and other parameters could say anything.
    """
    found = _URI.fullmatch(uri)
    if not found:
        detail = "Write a SIP address as sip:name@host, with a port or ;transport= at most."
        raise RequestError(f"destination: {detail}", errors=[FieldError("destination", detail)])
    digits = re.sub(r"[._~()-]", "", found["user"])
    if not re.fullmatch(r"\+?[0-9]+", digits) or (len(digits) <= _EXTENSION and digits[0] != "+" and digits[:2] != "00"):
        return None
    return re.sub(r"^011", "+", digits)
