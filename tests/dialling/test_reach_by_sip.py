"""Which SIP addresses a call may be transferred to, and what a switch could dial of them."""

import re

import pytest

from services.dialling.reach import Destination, Reach
from services.domain.errors import EarshotError, Forbidden
from tests.dialling.oracle import refused_examples

HOST = "pbx.example"


def code(uri: str, *hosts: str) -> str | None:
    try:
        Reach(sip_hosts=hosts or {HOST}).destination(uri)
    except EarshotError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("user", "sent"),
    [
        ("desk", "desk"),
        ("front-desk.2", "front-desk.2"),
        ("agent007", "agent007"),
        ("1001", "1001"),
        ("10-01", "1001"),
        ("234", "234"),
        ("456789", "456789"),
        ("+12125550100", "+12125550100"),
        ("+1-212-555-0100", "+12125550100"),
        ("+1.(212).555.0100", "+12125550100"),
        ("0012125550100", "+12125550100"),
        ("01112125550100", "+12125550100"),
        ("+49030901820", "+4930901820"),
    ],
)
def test_what_is_sent_is_what_was_understood(user: str, sent: str) -> None:
    found = Reach(sip_hosts={HOST}).destination(f"sip:{user}@{HOST}:5060;transport=tls")
    assert found.address == f"sip:{sent}@{HOST}:5060;transport=tls"
    assert (found.number.e164 if found.number else None) == (sent if sent.startswith("+") else None)


@pytest.mark.parametrize(
    "user",
    [
        "911",
        "+911",
        "9-1-1",
        "(911)",
        "9.1.1",
        "9~1_1",
        "9911",
        "0911",
        "1911",
        "8112",
        "0112",
        "99911",
        "00911",
        "91100",
        "110",
        "999",
        "000",
        "100",
        "9110",
        "0-110",
        "desk911",
        "desk9112",
        "a1911",
        "b0-112",
        "nine-1-1-2",
        "a9b1c1",
    ],
)
def test_no_emergency_number_is_reached(user: str) -> None:
    assert code(f"sip:{user}@{HOST}") == "emergency_number"


@pytest.mark.parametrize(
    "user",
    ["+19005551234", "+1-900-555-1234", "0019005551234", "01119005551234", "+1(900)555.1234", "+1-1-900-555-1234", "+4990012345675"],
)
def test_no_premium_number_is_reached(user: str) -> None:
    assert code(f"sip:{user}@{HOST}") == "premium_rate_number"


@pytest.mark.parametrize(
    "user",
    [
        "++19005551234",
        "9+19005551234",
        "011+19005551234",
        "+9+19005551234",
        "+011-1-900-555-1234",
        "+0019005551234+",
        "19005551234+",
        "9005551234",
        "19005551234",
        "919005551234",
        "9-1-900-555-1234",
        "9011449098790000",
        "001119005551234",
        "0011449098790000",
        "442079460958",
        "2125550100",
        "1234567",
        "1-800-FLOWERS",
        "+1900CALLNOW",
        "1800flowers",
        "tel19005551234",
        "a1900b5551234",
        "9a",
        "._-",
        "+",
        "~911a",
    ],
)
def test_what_is_no_name_extension_or_whole_number_is_refused(user: str) -> None:
    assert code(f"sip:{user}@{HOST}") == "invalid_number"


@pytest.mark.parametrize("user", ["11880", "118500", "8-11880", "011880"])
def test_no_directory_enquiries_are_reached(user: str) -> None:
    assert code(f"sip:{user}@{HOST}") == "short_number"


@pytest.mark.parametrize(
    "uri",
    [
        f"sip:%39%31%31@{HOST}",
        f"sip:911%20@{HOST}",
        f"sip:9%2D1-1@{HOST}",
        f"sip:911;user=phone@{HOST}",
        f"sip:desk@{HOST};user=phone",
        f"sip:+19005551234;phone-context=+1@{HOST}",
        f"sip:+19005551234@{HOST};user=phone",
        f"sip:tel:+19005551234@{HOST}",
        f"sip:911:secret@{HOST}",
        f"sip:9,911@{HOST}",
        f"sip:*67911@{HOST}",
        f"sip:911#@{HOST}",
        f"sip:9 1 1@{HOST}",
        f"sip:９１１@{HOST}",
        f"sip:911@{HOST}@{HOST}",
        f"sip:desk@evil.example@{HOST}",
        f"sip:desk@{HOST}?Refer-To=sip:911@{HOST}",
        f"sip:desk@{HOST}\n",
        f"sip:{HOST}",
        f"sip:@{HOST}",
        "sip:desk@",
    ],
)
def test_what_is_not_plain_is_refused(uri: str) -> None:
    assert code(uri) == "invalid_request"


@pytest.mark.parametrize("uri", [f"sips:911@{HOST}", f"SIP:911@{HOST}", f" sip:911@{HOST}", f"<sip:911@{HOST}>", f"tel:911@{HOST}"])
def test_other_schemes_are_refused(uri: str) -> None:
    assert code(uri) in ("invalid_number", "number_has_letters")


def test_an_unlikely_number_is_not_transferred_to() -> None:
    assert code(f"sip:+15550100002@{HOST}") == "number_unlikely"


@pytest.mark.slow
def test_no_example_of_a_refused_kind_passes() -> None:
    for _, e164 in refused_examples():
        for user in (
            e164,
            f"{e164}5",
            e164[:-1],
            f"00{e164[1:]}",
            f"011{e164[1:]}",
            f"9{e164}",
            f"9{e164[1:]}",
            f"9011{e164[1:]}",
            e164[1:],
        ):
            found: Destination | None = None
            try:
                found = Reach(sip_hosts={HOST}).destination(f"sip:{user}@{HOST}")
            except EarshotError:
                continue
            # A digit more or less is another number where the plan knows one.
            assert found.number
            assert found.number.likely
            assert user in (f"{e164}5", e164[:-1])


@pytest.mark.parametrize(
    ("hosts", "address", "allowed"),
    [
        (["pbx.example"], "pbx.example", True),
        (["pbx.example"], "PBX.example", True),
        (["pbx.example"], "pbx.example:5060", True),
        (["pbx.example"], "pbx.example:5061;transport=tls", True),
        (["pbx.example"], "pbx.example:22", False),
        (["pbx.example:5080"], "pbx.example:5080", True),
        (["pbx.example:5080"], "pbx.example", False),
        (["pbx.example", "[2001:db8::1]"], "[2001:db8::1]", True),
        (["pbx.example"], "evil.example", False),
        (["pbx.example"], "pbx.example.evil.example", False),
        (["pbx.example"], "evilpbx.example", False),
        (["pbx.example"], "sip.pbx.example", False),
        (["pbx.example"], "pbx.example.", False),
    ],
)
def test_only_hosts_that_the_owner_named(hosts: list[str], address: str, allowed: bool) -> None:
    for user in ("desk", "1001", "+12125550100"):
        assert code(f"sip:{user}@{address}", *hosts) == (None if allowed else "destination_not_allowed")


def test_without_a_named_host_the_refusal_says_what_to_set() -> None:
    with pytest.raises(Forbidden, match=r"Add pbx\.example to EARSHOT_SIP_HOSTS to allow"):
        Reach().destination(f"sip:desk@{HOST}")


@pytest.mark.parametrize(("port", "named"), [("", "pbx.example"), (":5061", "pbx.example"), (":7000", "pbx.example:7000")])
def test_the_refusal_of_a_host_names_its_port_only_if_it_must_be_named(port: str, named: str) -> None:
    with pytest.raises(Forbidden, match=rf"Add {re.escape(named)} to EARSHOT_SIP_HOSTS to allow") as refused:
        Reach(sip_hosts=frozenset({"a.example"})).destination(f"sip:desk@pbx.example{port}")
    assert "a.example" not in refused.value.detail  # whoever may place calls need not know
