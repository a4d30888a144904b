"""Whatever people copy a number from, the number is found in it; what is no single number is left for the refusal to name."""

import pytest

from services.domain.pasted_number import number_in, number_in_address

BERLIN = "+49 30 901820"


@pytest.mark.parametrize(
    "text",
    [
        "+49 30 901820",
        "+4930901820",
        "  +49 (0)30 901820 ",
        "0049 30 901820",
        "+49 30/901820",
        "＋４９ ３０ ９０１８２０",
        "+49\u00a030\u202f901820",
        "tel:+49-30-901820",
        "TEL:+4930901820;phone-context=example.com",
        "tel:%2B49%2030%20901820",
        "Tel.: +49 (0)30 / 901820",
        "Ada Lovelace <+49 30 901820>",
    ],
)
def test_a_number_is_found_however_it_is_written(text: str) -> None:
    assert number_in(text) == BERLIN


@pytest.mark.parametrize(
    "text",
    ["", "hello", "030 901820", "911", "+49 30 901820 or +44 20 7946 0958", "+1 415 555 2671 ext. 12"],
)
def test_what_is_no_single_number_stays_as_it_is(text: str) -> None:
    assert number_in(text) == text


def test_an_extension_in_a_link_is_not_dropped_in_silence() -> None:
    assert "ext" in number_in("tel:+14155552671;ext=12")


def test_an_address_may_have_lost_its_plus() -> None:
    assert number_in_address(" 4930901820") == BERLIN
    assert number_in_address("tel: 4930901820") == BERLIN
    assert number_in_address("tel:+4930901820") == BERLIN
    assert number_in_address("4155552671") == "4155552671"
