"""SIP URIs that a call or a transfer may go to (RFC 3261, 19.1): plain `sip:user@host`. Pure."""

import re
from dataclasses import dataclass

from services.domain.errors import FieldError, RequestError

_URI = re.compile(
    r"sip:(?P<user>[A-Za-z0-9+._~()-]{1,64})@(?P<host>[A-Za-z0-9.-]{1,128}|\[[0-9A-Fa-f:.]{2,45}\])(?P<port>:[0-9]{1,5})?"
    r"(?P<transport>;transport=(udp|tcp|tls))?",
    re.ASCII,
)
_SEPARATORS = re.compile(r"[._~()-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SipUri:
    """`port` and `transport` are as written, `:5060` and `;transport=tls`, or empty."""

    user: str
    host: str
    port: str
    transport: str

    @property
    def bare_user(self) -> str:
        """The user without the separators that a switch ignores between digits."""
        return _SEPARATORS.sub("", self.user)

    def calling(self, user: str) -> str:
        """The URI as text, with another user."""
        return f"sip:{user}@{self.host}{self.port}{self.transport}"


def is_sip(text: str) -> bool:
    """True if this is meant as a SIP URI."""
    return text.startswith("sip:")


def rings_at(uri: str) -> str:
    """The URI without port and transport: whatever they are, the same phone rings."""
    return re.sub(r"(:[0-9]{1,5})?(;transport=[a-z]+)?$", "", uri)


def read_sip_uri(uri: str, *, field: str = "destination") -> SipUri:
    """Raises RequestError for anything but a plain `sip:user@host`: headers, escapes, passwords and parameters could say anything."""
    found = _URI.fullmatch(uri)
    if not found:
        detail = "Write a SIP address as sip:name@host, with a port or ;transport= at most."
        raise RequestError(f"{field}: {detail}", errors=[FieldError(field, detail)])
    return SipUri(user=found["user"], host=found["host"].lower(), port=found["port"] or "", transport=found["transport"] or "")
