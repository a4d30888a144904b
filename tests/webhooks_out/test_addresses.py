"""Where webhooks may be sent."""

import pytest

from services.webhooks_out.addresses import Addresses

PRIVATE = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"),
    *("240.0.0.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%2", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "2001:db8::1"),
    *("192.0.0.192", "192.0.0.8", "168.63.129.16", "192.88.99.1", "3fff::1", "100.100.100.200", "::ffff:192.0.0.192", "64:ff9b:1::a00:1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::1"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_sent_to_however_they_are_written(address: str) -> None:
    assert not Addresses().may_send(address, encrypted=True)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_the_internet_is_sent_to_only_encrypted(address: str) -> None:
    assert Addresses().may_send(address, encrypted=True)
    assert not Addresses().may_send(address, encrypted=False)


@pytest.mark.parametrize(
    ("address", "expected"), [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("10.2.0.1", False), ("127.0.0.1", False)]
)
def test_a_private_network_is_sent_to_once_the_owner_names_it(address: str, expected: bool) -> None:
    named = Addresses(["10.1.0.0/16", "fd00::/64"])
    assert named.may_send(address, encrypted=True) is expected
    assert named.may_send(address, encrypted=False) is expected
