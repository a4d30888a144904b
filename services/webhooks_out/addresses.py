"""Which addresses webhooks may be sent to: those of the internet, and the private ones that the owner named."""

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
"""IPv6 addresses that stand for an IPv4 address (RFC 6052, and the deprecated ones of RFC 4291)."""


_NOT_GLOBAL = [
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # RFC 6890; Oracle's metadata are at 192.0.0.192
        "168.63.129.16/32",  # Azure's own services, for its machines
        "192.88.99.0/24",  # 6to4 relays, which are gone (RFC 7526)
        "3fff::/20",  # for documentation (RFC 9637)
        "fec0::/10",  # site-local, deprecated
    )
]
"""What reaches nobody on the internet, but is global to some version of Python that we run on, or to all."""


class Addresses:
    """`private` are addresses and networks that may be sent to although they are not on the internet, such as `10.1.2.3` or
    `192.168.0.0/16`.
    """

    def __init__(self, private: Iterable[str] = ()) -> None:
        self._private = [ipaddress.ip_network(network) for network in private]

    def may_send(self, host: str, *, encrypted: bool) -> bool:
        """True if a request may be sent to this IP address. Without encryption only to one that the owner named."""
        address = _plain(ipaddress.ip_address(host))
        if any(address in network for network in self._private):
            return True
        if any(address in network for network in _NOT_GLOBAL):
            return False
        return encrypted and address.is_global and not address.is_multicast and not address.is_reserved


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
