"""Which addresses are on the internet. Others are of this machine, its network or its cloud, which may trust requests from here."""

import ipaddress

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
"""Not on the internet, although `is_global` is true for them in some or all Python versions that we support."""


def meant(host: str) -> Address:
    """The address that this text means: the IPv4 address inside an IPv6 one, else the address itself. Raises ValueError."""
    address = ipaddress.ip_address(host)
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def on_internet(address: Address) -> bool:
    """True for the address of one machine on the internet. `address` is one that `meant` returned."""
    if any(address in network for network in _NOT_GLOBAL):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
