"""Numbers of refused kinds in dresses nobody thought of: none gets through, by any way to a telephone."""

import random
from collections import Counter

import phonenumbers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from services.dialling.reach import Reach
from services.domain.errors import EarshotError
from tests.dialling.fuzzer import judge, made
from tests.dialling.oracle import must_not_ring, refused_examples

REFUSED = sorted({e164 for _, e164 in refused_examples()})
CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
ORDINARY = sorted(
    phonenumbers.format_number(example, PhoneNumberFormat.E164)
    for region in phonenumbers.SUPPORTED_REGIONS
    for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
    if (example := phonenumbers.example_number_for_type(region, kind))
)
SEPARATORS = st.sampled_from(["", "", "", " ", "-", ".", "(", ")", "/", "\u00a0", "\u2011", "\u200b", "~"])
DIGITS = st.text("0123456789", max_size=4)

FUZZED = 3000

pytestmark = pytest.mark.slow

bounded = settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def altered(draw: st.DrawFn) -> str:
    """A refused number, or one of any country, with digits more, less, or in between."""
    numbers: SearchStrategy[str] = st.sampled_from(REFUSED) | st.builds(
        "+{}{}".format, st.sampled_from(CODES), st.text("0123456789", max_size=12)
    )
    number = draw(numbers)
    code = next(number[1 : 1 + length] for length in (1, 2, 3) if int(number[1 : 1 + length]) in CODES)
    national = number[1 + len(code) :]
    national = draw(st.sampled_from(["", "", "", "0", "00", "011", "1", "8", "9", code, f"00{code}"])) + national
    cut = draw(st.integers(0, 3))
    return f"+{code}{national[: len(national) - cut]}{draw(DIGITS)}"


@st.composite
def dressed(draw: st.DrawFn) -> str:
    """An altered number as somebody might write it to have it misread."""
    number = draw(altered())
    body = "".join(digit + draw(SEPARATORS) for digit in number[1:])
    before = draw(st.sampled_from(["+", "+", "00", "+00", "tel:+", " + ", "＋", "++", "011", "9+", "+(0)"]))
    after = draw(st.sampled_from(["", "", "", " ", "#", ";ext=1", "p1", ",", "*", "%20", ";phone-context=+1"]))
    text = before + body + after
    return (
        "".join(chr(ord(character) + 0xFEE0) if character.isdigit() else character for character in text) if draw(st.booleans()) else text
    )


USERS = (
    st.text("+0123456789-.()_~axX", max_size=20)
    | altered()
    | st.builds("{}{}".format, st.sampled_from(["9", "0", "8", "011", "+", "00"]), altered())
)


def test_nothing_gets_past_the_fuzzer() -> None:
    chance, count = random.Random(0), Counter[str]()  # noqa: S311
    for _ in range(FUZZED):
        judge(made(chance), count)
    assert set(count) == {
        *("dialled", "dialled once confirmed", "dialled from pasted text", "dialled from a link"),
        *("transferred to", "transferred to by SIP"),
    }


@bounded
@given(dressed(), st.booleans())
def test_no_refused_kind_is_dialled(text: str, confirmed: bool) -> None:
    try:
        number = Reach().number(text, unlikely=confirmed)
    except EarshotError:
        return
    assert number.likely or confirmed
    assert not must_not_ring(number.e164)


@bounded
@given(dressed())
def test_no_refused_kind_is_transferred_to(text: str) -> None:
    try:
        found = Reach().destination(text)
    except EarshotError:
        return
    assert not must_not_ring(found.address)
    assert phonenumbers.is_valid_number(phonenumbers.parse(found.address, None))


@bounded
@given(USERS)
def test_no_refused_kind_is_transferred_to_by_sip(user: str) -> None:
    try:
        found = Reach(sip_hosts={"pbx.example"}).destination(f"sip:{user}@pbx.example")
    except EarshotError:
        return
    sent = found.address.removeprefix("sip:").removesuffix("@pbx.example")
    digits = "".join(filter(str.isdecimal, sent))
    if sent.startswith("+"):
        assert found.number
        assert found.number.e164 == sent
        assert not must_not_ring(sent)
        assert phonenumbers.is_valid_number(phonenumbers.parse(sent, None))
    else:
        # A name or an extension: too short for a number, and no emergency number behind the digit for a public line either.
        assert found.number is None
        assert len(digits) <= 6
        assert not any(digits.removeprefix(line).startswith(("911", "112")) for line in ("", "0", "9", "1"))


@bounded
@given(st.sampled_from(ORDINARY), st.data())
def test_no_number_that_people_write_is_refused(e164: str, data: st.DataObject) -> None:
    grouped = phonenumbers.format_number(phonenumbers.parse(e164, None), PhoneNumberFormat.INTERNATIONAL)
    separator = data.draw(st.sampled_from([" ", "-", ".", "/", "\u00a0", "\u2011", "", " - ", "  "]))
    text = (
        data.draw(st.sampled_from(["", " ", "tel:"])) + data.draw(st.sampled_from(["+", "00", "+00"])) + grouped[1:].replace(" ", separator)
    )
    assert Reach().number(text).e164 == e164
