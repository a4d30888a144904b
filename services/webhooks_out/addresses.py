"""Which addresses webhooks may be sent to: those of the internet, and the private ones that the owner named."""

import ipaddress
from collections.abc import Iterable

from services.support.internet import meant, on_internet


class Addresses:
    """`private` are addresses and networks that may be sent to although they are not on the internet, such as `10.1.2.3` or
    `192.168.0.0/16`.
    """

    def __init__(self, private: Iterable[str] = ()) -> None:
        self._private = [ipaddress.ip_network(network) for network in private]

    def may_send(self, host: str, *, encrypted: bool) -> bool:
        """True if a request may be sent to this IP address. Without encryption only to one that the owner named."""
        address = meant(host)
        return any(address in network for network in self._private) or (encrypted and on_internet(address))
