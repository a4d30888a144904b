"""SIP URIs as transfer destinations, and the telephone number that one may contain (RFC 3261, 19.1). Pure."""

import re

from services.domain.errors import FieldError, RequestError

_URI = re.compile(
    r"sip:(?P<user>[A-Za-z0-9+._~()-]{1,64})@(?P<host>[A-Za-z0-9.-]{1,128}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?(;transport=(udp|tcp|tls))?",
    re.ASCII,
)
_EXTENSION = 6  # maximum digits of a number that is internal to the called exchange


def number_of(uri: str) -> str | None:
    """The telephone number that a gateway would dial, as text for `parse_phone_number`; None for a name or a short extension.

    Raises RequestError unless the URI is a plain `sip:user@host`: headers, escapes, passwords and parameters could hide a number.
    """
    found = _URI.fullmatch(uri)
    if not found:
        detail = "Write the SIP address as sip:name@host. Only a port and ;transport= may follow."
        raise RequestError(f"destination: {detail}", errors=[FieldError("destination", detail)])
    digits = re.sub(r"[._~()-]", "", found["user"])
    if not re.fullmatch(r"\+?[0-9]+", digits) or (len(digits) <= _EXTENSION and digits[0] != "+" and digits[:2] != "00"):
        return None
    return re.sub(r"^011", "+", digits)
