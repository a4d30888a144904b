"""Whether a request comes from this machine itself."""

import ipaddress

from starlette.requests import HTTPConnection

from services.settings import LOOPBACK_HOSTS

_FORWARDED = ("forwarded", "x-forwarded-", "x-real-ip", "via")
"""How the names of headers begin that only a proxy adds."""


def from_this_machine(request: HTTPConnection) -> bool:
    """True if a program on this machine sent it, under a loopback name and not on behalf of others as far as it says.

    A proxy on this machine that adds no header and sends its own `Host` can't be told apart from such a program.
    """
    try:
        local = request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
    host = request.headers.get("host", "").lower()
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    return local and name in LOOPBACK_HOSTS and not any(header.startswith(_FORWARDED) for header in request.headers)
